#include "replica/transfer_intake.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

__attribute__((format(printf, 3, 4))) static enum sb_transfer_taken
say(struct sb_transfer_intake *in, enum sb_transfer_taken taken, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(in->why, sizeof in->why, format, args);
    va_end(args);
    return taken;
}

void sb_transfer_intake_init(struct sb_transfer_intake *in,
                             const struct sb_transfer_client_setup *setup, uint8_t *ring_memory)
{
    memset(in, 0, sizeof *in);
    in->shard = setup->shard;
    in->snapshot_bytes_max = setup->snapshot_bytes_max;
    in->next_n = setup->from_n;
    sb_byte_ring_init(&in->ring, ring_memory, setup->ring_bytes);
    sb_journal_scan_begin(&in->scan);
}

static void drop_snapshot(struct sb_transfer_intake *in)
{
    free(in->snapshot);
    in->snapshot = NULL;
    in->snapshot_n = in->snapshot_bytes = in->snapshot_got = 0;
    in->snapshot_given = false;
}

void sb_transfer_intake_free(struct sb_transfer_intake *in)
{
    drop_snapshot(in);
}

void sb_transfer_intake_begin(struct sb_transfer_intake *in)
{
    if (!in->snapshot_given)
        drop_snapshot(in);
    sb_journal_scan_begin(&in->scan);
    in->in_block = false;
    in->following = false;
}

void sb_transfer_intake_tidy(struct sb_transfer_intake *in)
{
    if (in->snapshot_given && atomic_load_explicit(&in->snapshot_done, memory_order_acquire)) {
        atomic_store_explicit(&in->snapshot_done, false, memory_order_relaxed);
        drop_snapshot(in);
    }
}

/* --- snapshots ----------------------------------------------------------------------------------- */

static enum sb_transfer_taken take_snapshot(struct sb_transfer_intake *in,
                                            const struct sb_transfer_head *h)
{
    if (in->scan.blocks != 0 || (in->snapshot != NULL && !in->snapshot_given))
        return say(in, SB_TRANSFER_BAD, "a snapshot at a place where none may be");
    if (h->n < in->next_n || h->n > INT64_MAX)
        return say(in, SB_TRANSFER_BAD, "a snapshot of %" PRIu64 " that is not ahead of %" PRIu64,
                   h->n, in->next_n);
    if (h->a == 0 || h->a > in->snapshot_bytes_max)
        return say(in, SB_TRANSFER_BAD,
                   "a snapshot of %" PRIu64 " bytes; between 1 and %" PRIu64 " are accepted", h->a,
                   in->snapshot_bytes_max);
    sb_transfer_intake_tidy(in);
    if (in->snapshot_given)
        return SB_TRANSFER_WAIT;
    const uint64_t rounded = (h->a + 63) & ~UINT64_C(63);
    in->snapshot = rounded >= h->a ? aligned_alloc(64, rounded) : NULL;
    if (in->snapshot == NULL)
        return say(in, SB_TRANSFER_NO_MEMORY, "no memory for a snapshot of %" PRIu64 " bytes",
                   h->a);
    in->snapshot_n = h->n;
    in->snapshot_bytes = h->a;
    return SB_TRANSFER_TAKEN;
}

/* The snapshot is whole: into the ring with it. */
static enum sb_transfer_taken give_snapshot(struct sb_transfer_intake *in)
{
    const struct sb_transfer_entry e = {.kind = SB_TRANSFER_SNAPSHOT,
                                        .n = in->snapshot_n,
                                        .snapshot = in->snapshot,
                                        .snapshot_bytes = in->snapshot_bytes};
    void *at = sb_byte_ring_reserve(&in->ring, sizeof e);
    if (at == NULL)
        return SB_TRANSFER_WAIT;
    memcpy(at, &e, sizeof e);
    in->snapshot_given = true;
    atomic_store_explicit(&in->snapshot_done, false, memory_order_relaxed); /* of this one */
    in->next_n = in->snapshot_n + 1;
    sb_byte_ring_commit(&in->ring);
    return SB_TRANSFER_TAKEN;
}

static enum sb_transfer_taken take_part(struct sb_transfer_intake *in,
                                        const struct sb_transfer_head *h)
{
    if (in->snapshot == NULL || in->snapshot_given || h->n != in->snapshot_n)
        return say(in, SB_TRANSFER_BAD, "a part of a snapshot that was not announced");
    /* The last part may come a second time, after a wait. */
    const uint64_t end = h->a + h->bytes;
    const bool again = in->snapshot_got == in->snapshot_bytes && end == in->snapshot_got;
    if (!again && (h->a != in->snapshot_got || h->bytes > in->snapshot_bytes - in->snapshot_got))
        return say(in, SB_TRANSFER_BAD, "a part of a snapshot that does not follow the one before");
    if (!again) {
        memcpy(in->snapshot + h->a, h + 1, h->bytes);
        in->snapshot_got = end;
    }
    return in->snapshot_got == in->snapshot_bytes ? give_snapshot(in) : SB_TRANSFER_TAKEN;
}

/* --- blocks ---------------------------------------------------------------------------------------- */

/* Is it a block that may stand here? Then the scan has moved on to it. */
static enum sb_transfer_taken check_block(struct sb_transfer_intake *in,
                                          const struct sb_transfer_head *h)
{
    if (in->snapshot != NULL && !in->snapshot_given)
        return say(in, SB_TRANSFER_BAD, "a block inside a snapshot");
    if (in->scan.blocks == 0)
        in->scan.segment.segment = h->a; /* it may begin in the middle of one */
    if (h->a != in->scan.segment.segment + (h->b == 0 && in->scan.blocks != 0))
        return say(in, SB_TRANSFER_BAD, "a block of another segment");
    in->scan.at = h->b;
    if (sb_journal_scan_block(&in->scan, (const uint8_t *)(h + 1), h->bytes) != SB_FOUND_BLOCK)
        return say(in, SB_TRANSFER_BAD,
                   "a bad block (segment %08" PRIu64 ", offset %" PRIu64 "): %s", h->a, h->b,
                   in->scan.why);
    const struct sb_journal_block *b = &in->scan.block;
    if (b->head.shard != in->shard || sb_journal_padded(b->length) != h->bytes)
        return say(in, SB_TRANSFER_BAD, "a block of another %s",
                   b->head.shard != in->shard ? "shard" : "length");
    if (b->n_first > in->next_n)
        return say(in, SB_TRANSFER_BAD,
                   "a block begins at input %" PRIu64 ", and %" PRIu64 " has not come", b->n_first,
                   in->next_n);
    in->in_block = true;
    in->packet_at = 0;
    return SB_TRANSFER_TAKEN;
}

static enum sb_transfer_taken give_packet(struct sb_transfer_intake *in,
                                          const struct sb_journal_packet *p,
                                          const struct sb_command *lines)
{
    const uint32_t bytes = (uint32_t)p->lines * SB_LINE_BYTES;
    const struct sb_transfer_entry e = {.kind = SB_TRANSFER_PACKET,
                                        .epoch = in->scan.block.head.epoch,
                                        .n = p->n_first + p->count - 1};
    if (e.n < in->next_n)
        return SB_TRANSFER_TAKEN;
    if (p->n_first != in->next_n)
        return say(in, SB_TRANSFER_BAD, "input %" PRIu64 " stands inside a packet, from %" PRIu64,
                   in->next_n, p->n_first);
    uint8_t *at = sb_byte_ring_reserve(&in->ring, (uint32_t)(sizeof e + sizeof *p) + bytes);
    if (at == NULL)
        return SB_TRANSFER_WAIT;
    memcpy(at, &e, sizeof e);
    memcpy(at + sizeof e, p, sizeof *p);
    memcpy(at + sizeof e + sizeof *p, lines, bytes);
    in->next_n = e.n + 1;
    sb_byte_ring_commit(&in->ring);
    return SB_TRANSFER_TAKEN;
}

static enum sb_transfer_taken take_block(struct sb_transfer_intake *in,
                                         const struct sb_transfer_head *h)
{
    enum sb_transfer_taken taken = in->in_block ? SB_TRANSFER_TAKEN : check_block(in, h);
    if (taken != SB_TRANSFER_TAKEN)
        return taken;
    /* The message may have been moved since the scan saw it. */
    in->scan.payload = (const uint8_t *)(h + 1) + sizeof(struct sb_journal_block);
    const struct sb_journal_packet *p;
    const struct sb_command *lines;
    uint32_t at = in->packet_at;
    while ((p = sb_journal_packet_next(&in->scan, &at, &lines)) != NULL) {
        taken = give_packet(in, p, lines);
        if (taken != SB_TRANSFER_TAKEN)
            return taken;
        in->packet_at = at;
    }
    in->in_block = false;
    return SB_TRANSFER_TAKEN;
}

/* --- any message ----------------------------------------------------------------------------------- */

static enum sb_transfer_taken take_no(struct sb_transfer_intake *in,
                                      const struct sb_transfer_head *h)
{
    const uint8_t *text = (const uint8_t *)(h + 1);
    const uint32_t n = h->bytes;
    for (uint32_t i = 0; i < n; i++)
        if (text[i] < ' ' || text[i] > '~')
            return say(in, SB_TRANSFER_BAD, "a refusal in words that cannot be read");
    return say(in, SB_TRANSFER_SAID_NO, "%.*s", (int)n, (const char *)text);
}

enum sb_transfer_taken sb_transfer_intake_take(struct sb_transfer_intake *in,
                                               const struct sb_transfer_head *h)
{
    if (h->shard != in->shard && h->type != SB_TRANSFER_T_REFUSED)
        return say(in, SB_TRANSFER_BAD, "a message of shard %u", h->shard);
    switch (h->type) {
    case SB_TRANSFER_T_REFUSED:
        return take_no(in, h);
    case SB_TRANSFER_T_REACH:
        if (h->a > 1)
            return say(in, SB_TRANSFER_BAD, "an impossible report of the journal's end");
        in->following = in->following || h->a == 1;
        in->server_n = h->n;
        return SB_TRANSFER_TAKEN;
    case SB_TRANSFER_T_SNAPSHOT:
        return take_snapshot(in, h);
    case SB_TRANSFER_T_PART:
        return take_part(in, h);
    case SB_TRANSFER_T_BLOCK:
        in->server_n = h->n;
        return take_block(in, h);
    default:
        return say(in, SB_TRANSFER_BAD, "a message that a server does not send");
    }
}
