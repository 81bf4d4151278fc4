/* counters.h: the shared file in which a process shows its counters, and how tools find it.
 *
 *     writer   create ── values, plain aligned stores ── close (the file is gone)
 *     reader   find_all ── attach ── values ── detach
 *
 * The file is /dev/shm/shadowbook-SHARD-NAME, laid out as struct sb_counters (shadowbook/counters.h). The
 * writer holds a lock on it for its life, so a second process with the same name learns the first one's pid and
 * fails; the file of a process that died without closing is taken over. The magic is written last.
 *
 * One thread writes. Readers take no lock and may see counters of slightly different moments. No call here
 * belongs on the order path: all of them make system calls. Nothing influences an engine.
 */
#ifndef SHADOWBOOK_REPLICA_COUNTERS_H
#define SHADOWBOOK_REPLICA_COUNTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "shadowbook/counters.h"

enum { SB_COUNTERS_PATH_BYTES = 64, SB_COUNTER_NAME_BYTES = 32, SB_COUNTERS_REGIONS_MAX = 64 };

struct sb_counters_file {
    struct sb_counters *c; /* the region; NULL when not open */
    size_t bytes;          /* mapped */
    int fd;
    char path[SB_COUNTERS_PATH_BYTES];
};

/* Creates the region: all values zero, pid and start time filled in. name: 1 to 15 letters, digits, '-'
 * or '_'. False: said on err what failed, on which file, and what to do. */
bool sb_counters_create(struct sb_counters_file *f, uint16_t shard, const char *name, FILE *err);

/* The clean end: the file is removed. Does nothing if f is not open. */
void sb_counters_close(struct sb_counters_file *f);

struct sb_counters_view {
    const struct sb_counters *c; /* NULL when not attached */
    size_t bytes;
    int fd;
    uint32_t count; /* values that may be read: of the writer or of this program, the smaller */
    char path[SB_COUNTERS_PATH_BYTES];
};

/* Maps a region for reading. False: said on err (which may be NULL) why. */
bool sb_counters_attach(struct sb_counters_view *v, const char *path, FILE *err);
void sb_counters_detach(struct sb_counters_view *v);

/* Does the writer live? Asks for the holder of its lock; takes none. */
bool sb_counters_alive(const struct sb_counters_view *v);

/* Paths of all regions on this host, sorted; returns how many, at most max. */
size_t sb_counters_find_all(char (*paths)[SB_COUNTERS_PATH_BYTES], size_t max);

/* Unit and help of a counter, with its name as declared, in capitals. Static; id < SB_CTR_COUNT. */
const struct sb_counter_info *sb_counter_info(uint32_t id);

/* The name that is shown: in lower case. Returns name. */
const char *sb_counter_name(uint32_t id, char name[SB_COUNTER_NAME_BYTES]);

#endif
