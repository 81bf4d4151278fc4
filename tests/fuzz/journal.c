/* journal.c: any bytes as the segments of a journal: the scan ends, what it hands out is well formed and numbered without a
 * hole, and an end stands where a block could begin. What is not damaged can be gone on with by another life.
 *
 * input: pick (PICK_SEALED), then blocks, each as its length (16 bits; the highest: a new segment begins here) and its
 * bytes, laid out on whole pages. With PICK_SEALED what a writer fills in (magic, version, number, the hash before, length, the
 * hash) is put right first: without it nearly everything ends at a checksum. */
#include <string.h>

#include "replica/journal.h"
#include "shadowbook/assert.h"
#include "tests/fuzz/fuzz.h"

enum { PICK_SEALED = 1, SEGMENTS = 4, BLOCK = 2 * SB_JOURNAL_ALIGN, NEW_SEGMENT = 0x8000 };

struct laid_out {
    _Alignas(
        64) uint8_t bytes[SEGMENTS + 1][FUZZ_INPUT_MAX * 8]; /* one for the life that goes on */
    uint64_t size[SEGMENTS + 1];
    uint32_t segments;
};

static void seal(uint8_t *p, uint32_t length, uint64_t *number, uint64_t *previous)
{
    struct sb_journal_block *b = (struct sb_journal_block *)(void *)p;
    b->number = (*number)++;
    b->previous = *previous;
    b->length = length;
    b->hash = 0;
    sb_journal_seal(b);
    *previous = b->hash;
}

static void lay_out(struct laid_out *l, const uint8_t *data, size_t size, bool sealed)
{
    uint64_t number = 0, previous = 0;
    memset(l, 0, sizeof *l);
    l->segments = 1;
    while (size >= 2) {
        const uint32_t word = data[0] | (uint32_t)data[1] << 8;
        uint32_t length = word & (BLOCK - 1);
        data += 2;
        size -= 2;
        length = length < size ? length : (uint32_t)size;
        if ((word & NEW_SEGMENT) != 0 && l->segments < SEGMENTS && l->size[l->segments - 1] != 0)
            l->segments++;
        uint64_t *end = &l->size[l->segments - 1];
        if (*end + BLOCK > sizeof l->bytes[0])
            return;
        uint8_t *p = l->bytes[l->segments - 1] + *end;
        memcpy(p, data, length);
        if (sealed && length >= sizeof(struct sb_journal_block))
            seal(p, length, &number, &previous);
        *end += length != 0 ? sb_journal_padded(length) : SB_JOURNAL_ALIGN;
        data += length;
        size -= length;
    }
}

/* Everything in a good block: whole, valid, numbered on from *n. */
static void judge_block(const struct sb_journal_scan *scan, uint64_t *n)
{
    const struct sb_journal_packet *p;
    const struct sb_command *c;
    uint32_t at = 0, packets = 0;
    if (scan->blocks == 1)
        *n = scan->first_n - 1;
    while ((p = sb_journal_packet_next(scan, &at, &c)) != NULL) {
        SB_ASSERT_EQ(p->n_first, *n + 1);
        uint32_t left = p->lines;
        for (uint32_t i = 0; i < p->count; i++, c += sb_command_lines(c)) {
            SB_ASSERT(sb_command_valid(c, left));
            SB_ASSERT_EQ(c->seq, ++*n);
            left -= sb_command_lines(c);
        }
        SB_ASSERT_EQ(left, 0u);
        packets++;
    }
    SB_ASSERT_EQ(packets, scan->block.packets);
    SB_ASSERT_EQ(*n + 1, scan->next_n);
}

/* Reads all of it; *segments: how many were begun. */
static enum sb_journal_found read_all(const struct laid_out *l, struct sb_journal_scan *scan,
                                      uint32_t *segments)
{
    enum sb_journal_found found = SB_FOUND_NEXT;
    uint64_t n = 0, inc = 0, epoch = 0;
    *segments = 0;
    sb_journal_scan_begin(scan);
    while (found == SB_FOUND_BLOCK || found == SB_FOUND_NEXT) {
        if (found == SB_FOUND_NEXT) {
            SB_ASSERT_LT(*segments, l->segments);
            sb_journal_scan_segment(scan, l->bytes[*segments], l->size[*segments],
                                    *segments + 1 == l->segments);
            ++*segments;
        }
        found = sb_journal_scan_next(scan);
        if (found != SB_FOUND_BLOCK)
            continue;
        judge_block(scan, &n);
        SB_ASSERT_LE(inc, scan->block.head.inc);
        SB_ASSERT_LE(epoch, scan->block.head.epoch);
        SB_ASSERT_LE(scan->owner.kind, SB_RECORD_PAIR);
        if (inc != scan->block.head.inc || epoch != scan->block.head.epoch)
            SB_ASSERT(scan->clock_bound_ns == UINT64_MAX || scan->record.kind == SB_RECORD_CLOCK);
        inc = scan->block.head.inc;
        epoch = scan->block.head.epoch;
    }
    return found;
}

/* Another life begins its segment where the scan ended, as the writer does. */
static void go_on(struct laid_out *l, const struct sb_journal_scan *scan, uint32_t segments)
{
    const struct sb_journal_end end = sb_journal_scan_end(scan, segments);
    struct sb_journal_segment s = scan->segment;
    struct sb_journal_block b = {.head = scan->block.head,
                                 .number = end.number,
                                 .previous = end.previous,
                                 .n_first = end.next_n,
                                 .length = sizeof b + sizeof s};
    if (end.inc == UINT64_MAX || s.segment == UINT64_MAX)
        return;
    b.head.type = SB_JOURNAL_SEGMENT;
    b.head.inc = end.inc + 1;
    s.segment++;
    s.owner_kind = end.owner.kind;
    s.owner_epoch = end.owner.epoch;
    l->segments = end.offset != 0 ? segments : segments - 1;
    if (end.offset != 0)
        l->size[segments - 1] = end.offset;
    uint8_t *p = l->bytes[l->segments];
    memset(p, 0, SB_JOURNAL_ALIGN);
    memcpy(p, &b, sizeof b);
    memcpy(p + sizeof b, &s, sizeof s);
    l->size[l->segments++] = sb_journal_seal((struct sb_journal_block *)(void *)p);
    struct sb_journal_scan again;
    SB_ASSERT_EQ(read_all(l, &again, &segments), SB_FOUND_OPEN);
    SB_ASSERT_EQ(again.blocks, scan->blocks + 1);
    SB_ASSERT_EQ(again.next_n, end.next_n);
    SB_ASSERT_EQ(again.owner.kind, end.owner.kind);
}

static void judge(struct laid_out *l)
{
    struct sb_journal_scan scan;
    uint32_t segments;
    const enum sb_journal_found found = read_all(l, &scan, &segments);
    SB_ASSERT_LE(scan.at, scan.size);
    SB_ASSERT_EQ(scan.at % SB_JOURNAL_ALIGN, 0u);
    SB_ASSERT(found == SB_FOUND_CLOSED || found == SB_FOUND_OPEN || scan.why != NULL);
    SB_ASSERT((found == SB_FOUND_CLOSED) <= scan.ended);
    if (found == SB_FOUND_CLOSED || found == SB_FOUND_OPEN)
        SB_ASSERT_EQ(segments, l->segments);
    if (found != SB_FOUND_DAMAGED && scan.blocks != 0)
        go_on(l, &scan, segments);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct laid_out l;
    if (size < 1 || size > FUZZ_INPUT_MAX)
        return 0;
    lay_out(&l, data + 1, size - 1, (data[0] & PICK_SEALED) != 0);
    judge(&l);
    return 0;
}

/* --- seeds ---------------------------------------------------------------------------------- */

static uint32_t put_block(uint8_t *p, uint32_t mark, uint8_t kind, uint64_t inc, uint64_t n_first,
                          const void *payload, uint32_t bytes)
{
    const bool data = kind == SB_JOURNAL_DATA;
    const struct sb_journal_block b = {
        .head = {.magic = SB_JOURNAL_MAGIC,
                 .version = SB_JOURNAL_VERSION,
                 .type = kind,
                 .shard = 1,
                 .epoch = 4,
                 .inc = inc},
        .n_first = n_first,
        .count = data,
        .lines = data,
        .packets = data,
        .length = (uint32_t)sizeof b + bytes,
    };
    const uint32_t word = b.length | mark;
    p[0] = (uint8_t)word;
    p[1] = (uint8_t)(word >> 8);
    memcpy(p + 2, &b, sizeof b);
    memcpy(p + 2 + sizeof b, payload, bytes);
    return 2 + b.length;
}

uint32_t fuzz_seed(uint32_t i, uint8_t *out)
{
    if (i > 3)
        return 0;
    struct {
        struct sb_journal_packet packet;
        struct sb_command command;
    } data = {{.n_first = 1, .count = 1, .lines = 1},
              {.seq = 1, .kind = SB_CMD_CANCEL, .session = 1, .session_seq = 1}};
    struct sb_journal_segment s = {.segment = 1,
                                   .limits = {128, 128, 1u << 20, 1u << 16, 1u << 14}};
    struct sb_journal_record r = {.n = 1, .kind = SB_RECORD_SOLO};
    uint32_t n = 1;
    out[0] = i % 2 == 0 ? PICK_SEALED : 0;
    n += put_block(out + n, 0, SB_JOURNAL_SEGMENT, 9, 1, &s, sizeof s);
    n += put_block(out + n, 0, SB_JOURNAL_DATA, 9, 1, &data, sizeof data);
    n += put_block(out + n, 0, SB_JOURNAL_RECORD, 9, 2, &r, sizeof r);
    r = (struct sb_journal_record){.n = 1, .clock_bound_ns = 1000, .kind = SB_RECORD_CLOCK};
    n += put_block(out + n, 0, SB_JOURNAL_RECORD, 9, 2, &r, sizeof r);
    s.segment = 2;
    s.owner_kind = SB_RECORD_SOLO;
    n += put_block(out + n, NEW_SEGMENT, SB_JOURNAL_SEGMENT, 9, 2, &s, sizeof s);
    r = (struct sb_journal_record){.n = 1, .kind = SB_RECORD_END};
    n += put_block(out + n, 0, SB_JOURNAL_RECORD, 9, 2, &r, sizeof r);
    if (i < 2)
        return n;
    s.segment = 3; /* a second life */
    n += put_block(out + n, NEW_SEGMENT, SB_JOURNAL_SEGMENT, 10, 2, &s, sizeof s);
    data.packet.n_first = data.command.seq = 2;
    n += put_block(out + n, 0, SB_JOURNAL_DATA, 10, 2, &data, sizeof data);
    r.n = 2;
    r.kind = SB_RECORD_PAIR;
    n += put_block(out + n, 0, SB_JOURNAL_RECORD, 10, 3, &r, sizeof r);
    return n;
}
