/* log_source.h: the inputs of a node, packet by packet, from the file that it wrote at a clean stop (replica/log_file.h) or
 * from the folder of its journal, with the snapshots in it (replica/recovery.h). For tools.
 *
 * What is handed out is good: numbered without a hole, every command sb_command_valid(). Inputs end where the good part
 * does: at the end of a log file, or of a journal that is closed, open or torn; damage in the middle is an error.
 *
 *     open ── next ... next ── close
 */
#ifndef SHADOWBOOK_PERF_LOG_SOURCE_H
#define SHADOWBOOK_PERF_LOG_SOURCE_H

#include "replica/log_file.h"
#include "replica/recovery.h"

struct sb_log_source {
    const char *path;
    bool is_journal;
    struct sb_log_reader file;
    struct sb_recovery journal;
    /* From open on. */
    struct sb_engine_limits limits;
    uint64_t first_n; /* number of the first input that next gives: 1 but in a journal */
    uint32_t shard;
    /* From open on without a snapshot, else from the first packet on. */
    uint32_t trading_day; /* 0: a log file, where only the command DAY tells it */
    uint8_t sender;
    /* The packet that was read last; lines are valid until the next call. */
    const struct sb_command *lines;
    uint64_t digest;
    uint32_t count;
    uint64_t epoch,
        inc; /* its epoch, and the life of the node that wrote it; a log file tells only those of its end */
    uint64_t
        clock_bound_ns; /* of the clock that gave it its times; UINT64_MAX: not known (journal.h, CLOCK) */
};

/* path is kept. A journal begins with its newest snapshot that is not newer than input snapshot_max, if there is one
 * (UINT64_MAX: any; 0: none), else it must begin at input 1. False: said on err why; s is then closed. */
bool sb_log_source_open(struct sb_log_source *s, const char *path, uint64_t snapshot_max,
                        FILE *err);
/* As many inputs as an engine can be run over: from input 1, or from the oldest snapshot that the journal goes on from. */
bool sb_log_source_open_longest(struct sb_log_source *s, const char *path, FILE *err);
/* Every input that is there, without a snapshot: a journal may then begin anywhere. */
bool sb_log_source_open_inputs(struct sb_log_source *s, const char *path, FILE *err);
void sb_log_source_close(struct sb_log_source *s);

/* The snapshot that it begins with; NULL: none. */
static inline const struct sb_snapshot *sb_log_source_snapshot(const struct sb_log_source *s)
{
    return s->journal.snapshot.bytes != NULL ? &s->journal.snapshot : NULL;
}

/* 1: the next packet; 0: the end; -1: damaged (said on err). */
int sb_log_source_next(struct sb_log_source *s, FILE *err);

/* After the end: did the node stop in an orderly way, and so leave its full-state digest? Else *digest is 0. */
bool sb_log_source_closed(const struct sb_log_source *s, uint64_t *digest);

/* After the end: one line, how it ends and where. */
void sb_log_source_say_end(const struct sb_log_source *s, FILE *to);

/* The folder that is read, or the file. */
const char *sb_log_source_name(const struct sb_log_source *s);

#endif
