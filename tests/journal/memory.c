#include "tests/journal/memory.h"

#include <check.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "replica/journal_reader.h"

void memory_begin(struct memory *m)
{
    memset(m, 0, sizeof *m);
    m->next_n = 1;
    m->epoch = 4;
    m->inc = 99;
    m->shard = 3;
    m->generation = 2;
    m->trading_day = 20261124;
    m->limits = (struct sb_engine_limits)SB_ENGINE_LIMITS_DEFAULT;
}

void memory_go_on(struct memory *m, const struct sb_journal_end *end)
{
    m->segments = (uint32_t)(end->offset != 0 ? end->segment : end->segment - 1);
    if (m->segments != 0)
        m->size[m->segments - 1] = end->offset != 0 ? end->offset : m->size[m->segments - 1];
    memset(m->bytes[m->segments], 0, sizeof m->bytes[0] * (MEMORY_SEGMENTS - m->segments));
    memset(&m->size[m->segments], 0, sizeof m->size[0] * (MEMORY_SEGMENTS - m->segments));
    m->number = end->number;
    m->previous = end->previous;
    m->next_n = end->next_n != 0 ? end->next_n : 1;
    m->owner = end->owner;
    m->inc++;
}

static uint8_t *begin_block(struct memory *m, uint8_t kind)
{
    uint8_t *at = m->bytes[m->segments - 1] + m->size[m->segments - 1];
    ck_assert_uint_lt(m->number, MEMORY_BLOCKS);
    m->block = (struct sb_journal_block *)(void *)at;
    *m->block = (struct sb_journal_block){
        .head = {.type = kind, .shard = m->shard, .epoch = m->epoch, .inc = m->inc, .sender = 1},
        .number = m->number,
        .previous = m->previous,
        .n_first = m->next_n,
        .length = sizeof *m->block};
    m->inputs_before[m->number] = m->next_n - 1;
    m->block_at[m->number++] = (uint64_t)(m->segments - 1) << 32 | m->size[m->segments - 1];
    return at + sizeof *m->block;
}

static void end_block(struct memory *m)
{
    m->next_n += m->block->count;
    m->size[m->segments - 1] += sb_journal_seal(m->block);
    m->previous = m->block->hash;
    ck_assert_uint_le(m->size[m->segments - 1], MEMORY_BYTES);
}

void memory_segment(struct memory *m)
{
    const struct sb_journal_segment s = {.segment = ++m->segments,
                                         .trading_day = m->trading_day,
                                         .generation = m->generation,
                                         .limits = sb_limits_keep(&m->limits),
                                         .owner_kind = m->owner.kind,
                                         .owner_epoch = m->owner.epoch};
    memcpy(begin_block(m, SB_JOURNAL_SEGMENT), &s, sizeof s);
    m->block->length += (uint32_t)sizeof s;
    end_block(m);
}

void memory_data(struct memory *m, uint32_t packets)
{
    uint8_t *p = begin_block(m, SB_JOURNAL_DATA);
    uint64_t n = m->next_n;
    for (uint32_t i = 1; i <= packets; i++) {
        const struct sb_journal_packet head = {
            .n_first = n, .digest = 0xD1D1 + n, .count = (uint16_t)i, .lines = (uint16_t)i};
        memcpy(p, &head, sizeof head);
        p += sizeof head;
        for (uint32_t k = 0; k < i; k++, n++) {
            const struct sb_command c = {.seq = n,
                                         .time_ns = 1000 + n,
                                         .kind = SB_CMD_CANCEL,
                                         .session = 1,
                                         .session_seq = n,
                                         .key = (uint32_t)n};
            ck_assert_uint_le(n, MEMORY_COMMANDS);
            m->written[n] = c;
            memcpy(p, &c, sizeof c);
            p += sizeof c;
        }
        m->block->count += i;
        m->block->lines += i;
        m->block->packets++;
    }
    m->block->length = (uint32_t)(p - (uint8_t *)m->block);
    end_block(m);
}

void memory_packet(struct memory *m, const struct sb_command *lines, uint16_t count,
                   uint16_t lines_n, uint64_t digest)
{
    const struct sb_journal_packet head = {
        .n_first = m->next_n, .digest = digest, .count = count, .lines = lines_n};
    uint8_t *p = begin_block(m, SB_JOURNAL_DATA);
    memcpy(p, &head, sizeof head);
    memcpy(p + sizeof head, lines, (size_t)lines_n * SB_LINE_BYTES);
    m->block->count = count;
    m->block->lines = lines_n;
    m->block->packets = 1;
    m->block->length += (uint32_t)sizeof head + lines_n * SB_LINE_BYTES;
    end_block(m);
}

void memory_store(const struct memory *m, const char *folder)
{
    if (mkdir(folder, 0755) != 0)
        ck_assert_int_eq(errno, EEXIST);
    for (uint32_t i = 0; i < MEMORY_SEGMENTS; i++) {
        char path[SB_JOURNAL_FILE_BYTES];
        sb_journal_file(path, folder, i + 1);
        if (i >= m->segments) {
            unlink(path);
            continue;
        }
        FILE *f = fopen(path, "wb");
        ck_assert_ptr_nonnull(f);
        ck_assert_uint_eq(fwrite(m->bytes[i], 1, m->size[i], f), m->size[i]);
        fclose(f);
    }
}

static void put_record(struct memory *m, const struct sb_journal_record *r)
{
    sb_journal_own(&m->owner, r);
    memcpy(begin_block(m, SB_JOURNAL_RECORD), r, sizeof *r);
    m->block->length += (uint32_t)sizeof *r;
    end_block(m);
}

void memory_record(struct memory *m, uint8_t kind)
{
    const struct sb_journal_record r = {
        .epoch = m->epoch, .n = m->next_n - 1, .digest = 5, .state_digest = 6, .kind = kind};
    put_record(m, &r);
}

void memory_clock(struct memory *m, uint64_t bound_ns)
{
    const struct sb_journal_record r = {
        .epoch = m->epoch, .n = m->next_n - 1, .clock_bound_ns = bound_ns, .kind = SB_RECORD_CLOCK};
    put_record(m, &r);
}

void memory_end(struct memory *m, uint64_t digest, uint64_t state_digest)
{
    const struct sb_journal_record r = {.epoch = m->epoch,
                                        .n = m->next_n - 1,
                                        .digest = digest,
                                        .state_digest = state_digest,
                                        .kind = SB_RECORD_END};
    put_record(m, &r);
}

static void read_packets(const struct memory *m, const struct sb_journal_scan *scan, uint64_t *n)
{
    const struct sb_journal_packet *p;
    const struct sb_command *lines;
    for (uint32_t at = 0; (p = sb_journal_packet_next(scan, &at, &lines)) != NULL;) {
        ck_assert_uint_eq(p->digest, 0xD1D1 + p->n_first);
        for (uint32_t i = 0; i < p->count; i++)
            if (lines[i].seq != *n + 1 || lines[i].seq > MEMORY_COMMANDS ||
                memcmp(&lines[i], &m->written[++*n], sizeof lines[i]) != 0)
                ck_abort_msg("another command came out than was written, behind %lu", *n);
    }
}

enum sb_journal_found memory_read(const struct memory *m, struct sb_journal_scan *scan, uint64_t *n)
{
    enum sb_journal_found found = SB_FOUND_NEXT;
    uint32_t segment = 0;
    *n = 0;
    sb_journal_scan_begin(scan);
    while (found == SB_FOUND_BLOCK || found == SB_FOUND_NEXT) {
        if (found == SB_FOUND_NEXT) {
            ck_assert_uint_lt(segment, m->segments);
            sb_journal_scan_segment(scan, m->bytes[segment], m->size[segment],
                                    segment + 1 == m->segments);
            segment++;
        }
        found = sb_journal_scan_next(scan);
        if (found == SB_FOUND_BLOCK)
            read_packets(m, scan, n);
    }
    return found;
}
