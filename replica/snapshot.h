/* snapshot.h: a whole engine as a file, so that a journal need not be applied from its first input on.
 *
 * A snapshot lies in the folder of the journal whose inputs it stands for: NNNNNNNNNNNNNNNNNNNN.snapshot (20 digits: the number of the last
 * input in it, which ends a packet). Canonical: whoever applied the same inputs writes the same bytes. So nothing of a
 * node, an incarnation, an epoch or a clock is in it, and the snapshots of both nodes can be compared as files.
 *
 * Little-endian, reserved bytes zero: struct sb_snapshot_head, then the engine's image (engine.h).
 *
 * Not covered: forgery. XXH3 is no signature. What loads an image checks every bound of it all the same.
 */
#ifndef SHADOWBOOK_SNAPSHOT_H
#define SHADOWBOOK_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "shadowbook/engine.h"

#define SB_SNAPSHOT_MAGIC  UINT64_C(0x31504E5342530A0D) /* CR LF "SBSNP1": a copy as text shows */
#define SB_SNAPSHOT_SUFFIX ".snapshot"
enum { SB_SNAPSHOT_VERSION = 2 };

struct sb_snapshot_head {
    uint64_t magic;
    uint32_t version, trading_day;
    uint16_t shard, generation;
    uint16_t rules; /* SB_ENGINE_RULES (engine.h) */
    uint16_t zero;
    uint64_t n;                    /* last input in it */
    uint64_t digest, state_digest; /* running and full-state digest there */
    uint32_t instruments_max, sessions_max, orders_max, levels_max; /* the engine's limits */
    uint64_t image_bytes;
    uint32_t terms_max, zero2;
    uint64_t reserved[5];
    uint64_t hash; /* XXH3-64 of the head with hash = 0, then of the image with that as seed */
};
_Static_assert(sizeof(struct sb_snapshot_head) == 128, "file layout");

/* --- as bytes: pure ----------------------------------------------------------------------------- */

/* Bytes of a snapshot of e. O(sessions and instruments of the limits). */
size_t sb_snapshot_bytes(const struct sb_engine *e);
/* Writes one into out. e must be sealed behind its last command: the digest is the packet's. O(state). */
void sb_snapshot_make(const struct sb_engine *e, void *out, size_t bytes);

/* Are these the bytes of a snapshot, whole and undamaged? NULL: yes, and *head holds its head; else what is wrong. Total
 * over any bytes. Says nothing of the image, but that it is the one that was written. */
const char *sb_snapshot_fault(const void *bytes, size_t n, struct sb_snapshot_head *head);

/* The limits of the engine that it was made of; window_levels, which it does not say, as by default. */
static inline struct sb_engine_limits sb_snapshot_limits(const struct sb_snapshot_head *head)
{
    struct sb_engine_limits limits = SB_ENGINE_LIMITS_DEFAULT;
    limits.instruments_max = head->instruments_max;
    limits.sessions_max = head->sessions_max;
    limits.orders_max = head->orders_max;
    limits.levels_max = head->levels_max;
    limits.terms_max = head->terms_max;
    return limits;
}

/* --- as a file ------------------------------------------------------------------------------------ */

struct sb_snapshot {
    struct sb_snapshot_head head;
    uint8_t *bytes; /* the whole file; NULL: none */
    size_t bytes_n;
};

enum { SB_SNAPSHOT_PATH_BYTES = 544 };

/* The file of a snapshot in a folder. Returns path. */
const char *sb_snapshot_file(char path[SB_SNAPSHOT_PATH_BYTES], const char *folder, uint64_t n);

/* Reads a file whole. False: said on err why; s is empty. */
bool sb_snapshot_read(struct sb_snapshot *s, const char *path, FILE *err);
void sb_snapshot_free(struct sb_snapshot *s);

/* Makes the state of s the state of an engine that nothing was applied to, and checks it against the head. NULL, or what is
 * wrong: the engine must be made anew then. The limits must be those of the snapshot (window_levels may differ). */
const char *sb_snapshot_load(const struct sb_snapshot *s, struct sb_engine *fresh);

/* Puts a snapshot's bytes into a file: under a temporary name, flushed, renamed, the folder flushed. One that is there is
 * replaced (by the same bytes, as it is canonical). False: said on err why; nothing is left behind. */
bool sb_snapshot_put(const char *path, const void *bytes, size_t n, FILE *err);

/* make and put. */
bool sb_snapshot_write(const char *path, const struct sb_engine *e, FILE *err);

#endif
