#include "perf/log_source.h"

#include <inttypes.h>
#include <string.h>

bool sb_log_source_open(struct sb_log_source *s, const char *path, FILE *err)
{
    memset(s, 0, sizeof *s);
    s->path = path;
    s->is_journal = sb_journal_is_folder(path);
    return s->is_journal ? sb_journal_reader_open(&s->journal, path, err)
                         : sb_log_reader_open(&s->file, path, err);
}

void sb_log_source_close(struct sb_log_source *s)
{
    if (s->is_journal)
        sb_journal_reader_close(&s->journal);
    else
        sb_log_reader_close(&s->file);
}

bool sb_log_source_begin(struct sb_log_source *s, FILE *err)
{
    if (!s->is_journal) {
        const struct sb_log_file_head *h = &s->file.head;
        s->limits = h->limits;
        s->first_n = h->n_first;
        s->shard = h->shard;
        s->sender = h->sender;
        s->epoch = h->epoch;
        s->inc = h->inc;
        return true;
    }
    struct sb_journal_reader *r = &s->journal;
    const int more = sb_journal_reader_block(r, err); /* a journal begins with a segment's head */
    if (more == 0)
        sb_journal_reader_say_end(r, err);
    if (more != 1)
        return false;
    s->limits = r->scan.segment.limits;
    s->first_n = r->scan.first_n;
    s->shard = r->scan.block.head.shard;
    s->trading_day = r->scan.segment.trading_day;
    s->sender = r->scan.block.head.sender;
    return true;
}

bool sb_log_source_whole(const struct sb_log_source *s, FILE *err)
{
    if (s->first_n != 1)
        fprintf(err, "%s: begins at input %" PRIu64 ": earlier segments are not there\n", s->path,
                s->first_n);
    return s->first_n == 1;
}

static int journal_next(struct sb_log_source *s, FILE *err)
{
    const struct sb_journal_packet *p;
    struct sb_journal_reader *r = &s->journal;
    const int more = sb_journal_reader_packet(r, &p, &s->lines, err);
    if (more == 0 && r->found == SB_FOUND_DAMAGED) {
        sb_journal_reader_say_end(r, err);
        return -1;
    }
    if (more == 1) {
        s->digest = p->digest;
        s->count = p->count;
        s->epoch = r->scan.block.head.epoch;
        s->inc = r->scan.block.head.inc;
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

bool sb_log_source_closed(const struct sb_log_source *s, uint64_t *digest)
{
    *digest = s->is_journal ? s->journal.scan.record.state_digest : s->file.state_digest;
    if (!s->is_journal || s->journal.found == SB_FOUND_CLOSED)
        return true;
    *digest = 0;
    return false;
}

void sb_log_source_say_end(const struct sb_log_source *s, FILE *to)
{
    if (s->is_journal)
        sb_journal_reader_say_end(&s->journal, to);
    else
        fprintf(to, "%s: ends after input %" PRIu64 ": written at an orderly stop\n", s->path,
                s->file.next_n - 1);
}
