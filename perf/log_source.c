#include "perf/log_source.h"

#include <inttypes.h>
#include <string.h>

/* --- open ----------------------------------------------------------------------------------------- */

static bool open_file(struct sb_log_source *s, FILE *err)
{
    if (!sb_log_reader_open(&s->file, s->path, err))
        return false;
    const struct sb_log_file_head *h = &s->file.head;
    s->limits = sb_limits_of(&h->limits);
    s->first_n = h->n_first;
    s->clock_bound_ns = UINT64_MAX;
    s->shard = h->shard;
    s->sender = h->sender;
    s->epoch = h->epoch;
    s->inc = h->inc;
    return true;
}

/* What the last block says of its writer. */
static void take_block(struct sb_log_source *s)
{
    const struct sb_journal_scan *scan = &s->journal.reader.scan;
    s->sender = scan->block.head.sender;
    s->epoch = scan->block.head.epoch;
    s->inc = scan->block.head.inc;
    s->trading_day = scan->segment.trading_day;
    s->clock_bound_ns = scan->clock_bound_ns;
}

static bool begin_journal(struct sb_log_source *s, enum sb_recovery_opened opened, FILE *err)
{
    if (opened == SB_RECOVERY_NOTHING)
        fprintf(err, "%s: no segment is there that holds anything\n", s->path);
    if (opened != SB_RECOVERY_READY) {
        sb_recovery_close(&s->journal);
        return false;
    }
    s->limits = s->journal.limits;
    s->first_n = s->journal.next_n;
    s->shard = s->journal.shard;
    if (sb_log_source_snapshot(s) == NULL)
        take_block(s);
    return true;
}

/* False: it is a file. */
static bool is_journal(struct sb_log_source *s, const char *path)
{
    memset(s, 0, sizeof *s);
    s->path = path;
    s->is_journal = sb_journal_is_folder(path);
    return s->is_journal;
}

bool sb_log_source_open(struct sb_log_source *s, const char *path, uint64_t snapshot_max, FILE *err)
{
    if (!is_journal(s, path))
        return open_file(s, err);
    return begin_journal(s, sb_recovery_open_at(&s->journal, path, snapshot_max, err), err);
}

bool sb_log_source_open_longest(struct sb_log_source *s, const char *path, FILE *err)
{
    if (!is_journal(s, path))
        return open_file(s, err);
    return begin_journal(s, sb_recovery_open_longest(&s->journal, path, err), err);
}

bool sb_log_source_open_inputs(struct sb_log_source *s, const char *path, FILE *err)
{
    if (!is_journal(s, path))
        return open_file(s, err);
    return begin_journal(s, sb_recovery_open_inputs(&s->journal, path, err), err);
}

void sb_log_source_close(struct sb_log_source *s)
{
    if (s->is_journal)
        sb_recovery_close(&s->journal);
    else
        sb_log_reader_close(&s->file);
}

/* --- packets -------------------------------------------------------------------------------------- */

static int journal_next(struct sb_log_source *s, FILE *err)
{
    const struct sb_journal_packet *p;
    const int more = sb_recovery_packet(&s->journal, &p, &s->lines, err);
    if (more == 0 && s->journal.found == SB_FOUND_DAMAGED) {
        sb_recovery_say_end(&s->journal, err);
        return -1;
    }
    if (more == 1) {
        s->digest = p->digest;
        s->count = p->count;
        take_block(s);
    }
    return more;
}

int sb_log_source_next(struct sb_log_source *s, FILE *err)
{
    if (s->is_journal)
        return journal_next(s, err);
    const int more = sb_log_reader_next(&s->file, err);
    s->lines = s->file.lines;
    s->digest = s->file.packet.digest;
    s->count = s->file.packet.count;
    return more;
}

/* --- the end -------------------------------------------------------------------------------------- */

bool sb_log_source_closed(const struct sb_log_source *s, uint64_t *digest)
{
    const struct sb_journal_record *end = s->is_journal ? sb_recovery_closed(&s->journal) : NULL;
    *digest = !s->is_journal ? s->file.state_digest : end != NULL ? end->state_digest : 0;
    return !s->is_journal || end != NULL;
}

void sb_log_source_say_end(const struct sb_log_source *s, FILE *to)
{
    if (s->is_journal)
        sb_recovery_say_end(&s->journal, to);
    else
        fprintf(to, "%s: ends after input %" PRIu64 ": written at an orderly stop\n", s->path,
                s->file.next_n - 1);
}

const char *sb_log_source_name(const struct sb_log_source *s)
{
    return s->is_journal ? s->journal.reader.folder : s->path;
}
