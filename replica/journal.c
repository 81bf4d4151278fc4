#include "replica/journal.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { HEAD = sizeof(struct sb_journal_block) };

/* --- one block ---------------------------------------------------------------------------------- */

static uint64_t hash_of(struct sb_journal_block head, const uint8_t *payload, uint32_t bytes)
{
    head.hash = 0;
    return XXH3_64bits_withSeed(payload, bytes, XXH3_64bits(&head, sizeof head));
}

uint32_t sb_journal_seal(struct sb_journal_block *block)
{
    const uint32_t padded = sb_journal_padded(block->length);
    SB_ASSERT(block->length >= HEAD && padded <= SB_JOURNAL_BLOCK_MAX);
    uint8_t *bytes = (uint8_t *)block;
    block->head.magic = SB_JOURNAL_MAGIC;
    block->head.version = SB_JOURNAL_VERSION;
    memset(bytes + block->length, 0, padded - block->length);
    block->hash = hash_of(*block, bytes + HEAD, padded - HEAD);
    return padded;
}

static bool all_zero(const uint8_t *p, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        if (p[i] != 0)
            return false;
    return true;
}

/* Is a block there, of whatever version, whole and as it was sealed? NULL, or what is wrong. Says nothing of whether it
 * belongs there. */
static const char *block_fault(const uint8_t *p, uint64_t size, struct sb_journal_block *b)
{
    if (size < SB_JOURNAL_ALIGN)
        return "cut short";
    memcpy(b, p, sizeof *b);
    if (b->head.magic != SB_JOURNAL_MAGIC)
        return "no block begins here";
    if (b->length < HEAD || b->length > SB_JOURNAL_BLOCK_MAX)
        return "a block of an impossible length";
    const uint32_t padded = sb_journal_padded(b->length);
    if (padded > size)
        return "cut short inside a block";
    if (hash_of(*b, p + HEAD, padded - HEAD) != b->hash)
        return "checksum";
    return NULL;
}

/* --- does it say what it may say? ----------------------------------------------------------------- */

static const char *segment_fault(const struct sb_journal_scan *scan,
                                 const struct sb_journal_block *b, const uint8_t *payload)
{
    struct sb_journal_segment s;
    if (b->length != HEAD + sizeof s || b->count != 0 || b->lines != 0 || b->packets != 0)
        return "the head of a segment has another size";
    memcpy(&s, payload, sizeof s);
    if (!all_zero((const uint8_t *)s.reserved, sizeof s.reserved) || s.zero != 0 || s.zero2 != 0)
        return "reserved bytes are not zero";
    if (s.owner_kind > SB_RECORD_PAIR)
        return "an unknown record";
    const struct sb_engine_limits kept = sb_limits_of(&s.limits);
    const char *limits = sb_engine_limits_error(&kept);
    if (limits != NULL || scan->blocks == 0)
        return limits;
    if (s.segment != scan->segment.segment + 1)
        return "a segment is missing before this one";
    if (scan->segment.limits.instruments_max == 0)
        return NULL; /* the scan began in the middle of the one before: nothing is known of that */
    if (s.owner_kind != scan->owner.kind || s.owner_epoch != scan->owner.epoch)
        return "a segment that knows of another record than the ones before it";
    return sb_journal_same_log(&s, &scan->segment) ? NULL
                                                   : "a segment of another day or of other limits";
}

static const char *data_fault(const struct sb_journal_block *b, const uint8_t *payload)
{
    const uint32_t size = b->length - HEAD;
    uint32_t at = 0, count = 0, lines = 0;
    for (uint32_t i = 0; i < b->packets; i++) {
        struct sb_journal_packet p;
        if (size - at < sizeof p)
            return "packets do not fit their block";
        memcpy(&p, payload + at, sizeof p);
        at += (uint32_t)sizeof p;
        if (p.count == 0 || p.lines > SB_STREAM_LINES_MAX || p.zero != 0 ||
            size - at < (uint32_t)p.lines * SB_LINE_BYTES)
            return "an impossible packet";
        if (p.n_first != b->n_first + count ||
            !sb_lines_good(payload + at, p.lines, p.count, p.n_first))
            return "inputs that do not follow each other or are not well formed";
        at += (uint32_t)p.lines * SB_LINE_BYTES;
        count += p.count;
        lines += p.lines;
    }
    return at == size && b->packets != 0 && count == b->count && lines == b->lines
               ? NULL
               : "a block does not hold what its head says";
}

static const char *record_fault(const struct sb_journal_block *b, const uint8_t *payload)
{
    struct sb_journal_record r;
    if (b->length != HEAD + sizeof r || b->count != 0 || b->lines != 0 || b->packets != 0)
        return "a record has another size";
    memcpy(&r, payload, sizeof r);
    if (r.kind > SB_RECORD_CLOCK || !all_zero(r.zero, sizeof r.zero) ||
        (r.kind != SB_RECORD_CLOCK && r.clock_bound_ns != 0))
        return "an unknown record";
    return r.n + 1 == b->n_first ? NULL : "a record of another place in the log";
}

static const char *content_fault(const struct sb_journal_scan *scan,
                                 const struct sb_journal_block *b, const uint8_t *payload)
{
    const struct sb_head *h = &b->head;
    if (h->flags != 0 || h->bytes != 0 || h->zero != 0 || h->tag != 0 || b->zero != 0)
        return "reserved bytes are not zero";
    switch (h->type) {
    case SB_JOURNAL_SEGMENT:
        return segment_fault(scan, b, payload);
    case SB_JOURNAL_DATA:
        return data_fault(b, payload);
    case SB_JOURNAL_RECORD:
        return record_fault(b, payload);
    default:
        return "a block of an unknown kind";
    }
}

/* Does the good block b belong where the scan stands? */
static const char *place_fault(const struct sb_journal_scan *scan, const struct sb_journal_block *b)
{
    if ((b->head.type == SB_JOURNAL_SEGMENT) != (scan->at == 0))
        return scan->at == 0 ? "a segment without its head" : "a segment begins inside another";
    if (scan->blocks == 0) /* earlier segments may have been moved away */
        return b->n_first == 0 ? "an impossible number" : NULL;
    const struct sb_journal_block *before = &scan->block;
    if (b->head.shard != before->head.shard || b->head.sender != before->head.sender)
        return "a block of another journal";
    const bool begins = b->head.type == SB_JOURNAL_SEGMENT;
    if (b->head.inc < before->head.inc || (b->head.inc > before->head.inc && !begins))
        return "a block of another life";
    if (b->number != before->number + 1 || b->previous != before->hash)
        return "does not follow the block before it";
    if (b->n_first != scan->next_n)
        return "inputs are missing or repeated";
    if (b->head.epoch < before->head.epoch)
        return "the epoch falls";
    return scan->ended && b->head.inc == before->head.inc ? "something stands behind the end"
                                                          : NULL;
}

/* --- the scan ----------------------------------------------------------------------------------- */

void sb_journal_scan_begin(struct sb_journal_scan *scan)
{
    memset(scan, 0, sizeof *scan);
}

void sb_journal_scan_segment(struct sb_journal_scan *scan, const uint8_t *bytes, uint64_t size,
                             bool last)
{
    scan->bytes = bytes;
    scan->size = size;
    scan->at = 0;
    scan->last = last;
}

bool sb_journal_later(const struct sb_journal_scan *scan, const uint8_t *bytes, uint64_t size)
{
    struct sb_journal_block b;
    for (uint64_t at = 0; at < size; at += SB_JOURNAL_ALIGN)
        if (block_fault(bytes + at, size - at, &b) == NULL &&
            (scan->blocks == 0 ||
             (b.head.inc >= scan->block.head.inc && b.number > scan->block.number)))
            return true;
    return false;
}

/* Is there a good block of this journal anywhere behind the bad one at scan->at? */
static bool later_block(const struct sb_journal_scan *scan)
{
    const uint64_t at = scan->at + SB_JOURNAL_ALIGN;
    return at < scan->size && sb_journal_later(scan, scan->bytes + at, scan->size - at);
}

static enum sb_journal_found end(const struct sb_journal_scan *scan)
{
    const bool nothing = all_zero(scan->bytes + scan->at, scan->size - scan->at);
    if (nothing && scan->at != 0 && !scan->last)
        return SB_FOUND_NEXT; /* if something is missing here, the next one's head does not follow */
    if (nothing && scan->last)
        return scan->ended ? SB_FOUND_CLOSED : SB_FOUND_OPEN;
    return !scan->last || later_block(scan) ? SB_FOUND_DAMAGED : SB_FOUND_TORN;
}

/* The good block b, whose payload is known, is the last one now. */
static void take(struct sb_journal_scan *scan, const struct sb_journal_block *b)
{
    /* A new life, and a new epoch, may be the beginning of another node's times. */
    if (scan->blocks == 0 || b->head.inc != scan->block.head.inc ||
        b->head.epoch != scan->block.head.epoch)
        scan->clock_bound_ns = UINT64_MAX;
    if (scan->blocks++ == 0)
        scan->first_n = b->n_first;
    scan->block = *b;
    scan->next_n = b->n_first + b->count;
    scan->ended = false;
    if (b->head.type == SB_JOURNAL_SEGMENT) {
        memcpy(&scan->segment, scan->payload, sizeof scan->segment);
        scan->owner = (struct sb_journal_owner){.epoch = scan->segment.owner_epoch,
                                                .kind = scan->segment.owner_kind};
    }
    if (b->head.type == SB_JOURNAL_RECORD) {
        memcpy(&scan->record, scan->payload, sizeof scan->record);
        scan->ended = scan->record.kind == SB_RECORD_END;
        if (scan->record.kind == SB_RECORD_CLOCK)
            scan->clock_bound_ns = scan->record.clock_bound_ns;
        sb_journal_own(&scan->owner, &scan->record);
    }
}

enum sb_journal_found sb_journal_scan_block(struct sb_journal_scan *scan, const uint8_t *bytes,
                                            uint64_t size)
{
    struct sb_journal_block b;
    scan->why = block_fault(bytes, size, &b);
    if (scan->why != NULL)
        return SB_FOUND_TORN;
    /* What was sealed whole and is yet not right is no torn write. */
    scan->why =
        b.head.version == SB_JOURNAL_VERSION
            ? place_fault(scan, &b)
            : "a block of another version: it can only be read by the release that wrote it";
    if (scan->why == NULL)
        scan->why = content_fault(scan, &b, bytes + HEAD);
    if (scan->why != NULL)
        return SB_FOUND_DAMAGED;
    scan->payload = bytes + HEAD;
    scan->at += sb_journal_padded(b.length);
    take(scan, &b);
    return SB_FOUND_BLOCK;
}

enum sb_journal_found sb_journal_scan_next(struct sb_journal_scan *scan)
{
    const enum sb_journal_found found =
        sb_journal_scan_block(scan, scan->bytes + scan->at, scan->size - scan->at);
    return found == SB_FOUND_TORN ? end(scan) : found;
}

struct sb_journal_end sb_journal_scan_end(const struct sb_journal_scan *scan, uint64_t segment)
{
    return (struct sb_journal_end){.segment = segment,
                                   .offset = scan->at,
                                   .number = scan->blocks != 0 ? scan->block.number + 1 : 0,
                                   .previous = scan->block.hash,
                                   .next_n = scan->next_n,
                                   .epoch = scan->block.head.epoch,
                                   .inc = scan->block.head.inc,
                                   .owner = scan->owner,
                                   .shard = scan->block.head.shard,
                                   .sender = scan->block.head.sender,
                                   .head = scan->segment};
}

const struct sb_journal_packet *sb_journal_packet_next(const struct sb_journal_scan *scan,
                                                       uint32_t *at,
                                                       const struct sb_command **lines)
{
    if (scan->block.head.type != SB_JOURNAL_DATA || *at == scan->block.length - HEAD)
        return NULL;
    const struct sb_journal_packet *p = (const void *)(scan->payload + *at);
    *lines = (const struct sb_command *)(const void *)(p + 1);
    *at += (uint32_t)sizeof *p + (uint32_t)p->lines * SB_LINE_BYTES;
    return p;
}

const char *sb_journal_record_name(uint8_t kind)
{
    static const char *const names[] = {"NONE", "JOIN", "SOLO", "PAIR", "END", "CLOCK"};
    return kind < sizeof names / sizeof names[0] ? names[kind] : "?";
}
