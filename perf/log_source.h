/* log_source.h: the inputs of a node, packet by packet, from the file that it wrote at a clean stop (replica/log_file.h) or
 * from the folder of its journal (replica/journal_reader.h). For tools.
 *
 * What is handed out is good: numbered without a hole, every command sb_command_valid(). Inputs end where the good part
 * does: at the end of a log file, or of a journal that is closed, open or torn; damage in the middle is an error.
 *
 *     open ── begin ── next ... next ── close
 */
#ifndef SHADOWBOOK_PERF_LOG_SOURCE_H
#define SHADOWBOOK_PERF_LOG_SOURCE_H

#include "replica/journal_reader.h"
#include "replica/log_file.h"

struct sb_log_source {
    const char *path;
    bool is_journal;
    struct sb_log_reader file;
    struct sb_journal_reader journal;
    /* From begin on. */
    struct sb_engine_limits limits;
    uint64_t
        first_n; /* number of the first input: 1, unless a journal's earlier segments are not there */
    uint32_t shard;
    uint32_t trading_day; /* 0: a log file, where only the command DAY tells it */
    uint8_t sender;
    /* The packet that was read last; lines are valid until the next call. */
    const struct sb_command *lines;
    uint64_t digest;
    uint32_t count;
    uint64_t epoch,
        inc; /* its epoch, and the life of the node that wrote it; a log file tells only those of its end */
};

/* path is kept. False: said on err why; s is then closed. */
bool sb_log_source_open(struct sb_log_source *s, const char *path, FILE *err);
void sb_log_source_close(struct sb_log_source *s);

/* Reads what stands before the first packet. False: said on err why. */
bool sb_log_source_begin(struct sb_log_source *s, FILE *err);

/* Does it begin at input 1, so that an engine can start from nothing? If not, that is said on err. */
bool sb_log_source_whole(const struct sb_log_source *s, FILE *err);

/* 1: the next packet; 0: the end; -1: damaged (said on err). */
int sb_log_source_next(struct sb_log_source *s, FILE *err);

/* After the end: did the node stop in an orderly way, and so leave its full-state digest? Else *digest is 0. */
bool sb_log_source_closed(const struct sb_log_source *s, uint64_t *digest);

/* After the end: one line, how it ends and where. */
void sb_log_source_say_end(const struct sb_log_source *s, FILE *to);

#endif
