/* transfer.c: any bytes from the other end of a transfer. The server's messages as a client takes them: what comes out is well
 * formed and numbered without a hole, whatever was said; the client's messages as the server looks at them.
 *
 * input: pick (PICK_SEALED, PICK_CLIENT), then messages, each as its length (16 bits) and its bytes; with PICK_SEALED what a
 * sender fills in is put right first: in a message, and in a block inside one. Between two messages the ring is emptied, or
 * after PICK_SLOW only now and then. A length of 0: a new connection begins. */
#include <stdlib.h>
#include <string.h>

#include "replica/transfer_intake.h"
#include "shadowbook/assert.h"
#include "tests/fuzz/fuzz.h"

enum { PICK_SEALED = 1, PICK_CLIENT = 2, PICK_SLOW = 4, RING = SB_TRANSFER_RING_BYTES_MIN };
enum { HEAD = sizeof(struct sb_transfer_head), BLOCK = 2 * SB_JOURNAL_ALIGN, SNAPSHOT_MAX = 4096 };

struct run {
    struct sb_transfer_intake intake;
    _Alignas(64) uint8_t ring[RING], message[HEAD + BLOCK];
    uint64_t n, number, previous;
};

static void judge_packet(struct run *r, const struct sb_transfer_entry *e, uint32_t bytes)
{
    const struct sb_journal_packet *p = (const void *)(e + 1);
    SB_ASSERT_EQ(p->n_first, r->n + 1);
    SB_ASSERT_EQ(bytes, sizeof *e + sizeof *p + (size_t)p->lines * SB_LINE_BYTES);
    SB_ASSERT(sb_lines_good(p + 1, p->lines, p->count, p->n_first));
    SB_ASSERT_EQ(e->n, r->n + p->count);
}

static void drain(struct run *r)
{
    uint32_t bytes;
    const struct sb_transfer_entry *e;
    while ((e = sb_byte_ring_peek(&r->intake.ring, &bytes)) != NULL) {
        if (e->kind == SB_TRANSFER_PACKET) {
            judge_packet(r, e, bytes);
        } else {
            SB_ASSERT_EQ(e->kind, (uint64_t)SB_TRANSFER_SNAPSHOT);
            SB_ASSERT_LT(r->n, e->n);
            SB_ASSERT(e->snapshot_bytes != 0 && e->snapshot_bytes <= SNAPSHOT_MAX);
            const volatile uint8_t *s = e->snapshot;
            (void)(s[0] + s[e->snapshot_bytes - 1]);
            atomic_store(&r->intake.snapshot_done, true);
        }
        r->n = e->n;
        sb_byte_ring_release(&r->intake.ring);
    }
    sb_transfer_intake_tidy(&r->intake);
}

static void seal(struct run *r, uint32_t length)
{
    struct sb_transfer_head *h = (void *)r->message;
    struct sb_journal_block *b = (void *)(h + 1);
    h->bytes = length - HEAD;
    if (h->type == SB_TRANSFER_T_BLOCK && h->bytes >= sizeof *b) {
        b->length = h->bytes;
        b->number = r->number++;
        b->previous = r->previous;
        b->hash = 0;
        h->bytes = sb_journal_seal(b);
        r->previous = b->hash;
    }
    sb_transfer_seal(h);
}

static void take(struct run *r, uint32_t length, uint8_t pick)
{
    const enum sb_transfer_sender from =
        (pick & PICK_CLIENT) != 0 ? SB_TRANSFER_CLIENT : SB_TRANSFER_SERVER;
    uint32_t bytes;
    if ((pick & PICK_SEALED) != 0 && length >= HEAD) {
        seal(r, length);
        length = sizeof r->message;
    }
    if (sb_transfer_look(r->message, length, from, &bytes) != NULL || bytes == 0) {
        SB_ASSERT_EQ(bytes, 0u);
        return;
    }
    SB_ASSERT_LE(bytes, length);
    const struct sb_transfer_head *h = (const void *)r->message;
    if (from == SB_TRANSFER_CLIENT) {
        SB_ASSERT(h->type == SB_TRANSFER_T_REQUEST || h->type == SB_TRANSFER_T_ALIVE);
        return;
    }
    enum sb_transfer_taken taken = sb_transfer_intake_take(&r->intake, h);
    if (taken == SB_TRANSFER_WAIT) { /* empty, it takes any message */
        drain(r);
        taken = sb_transfer_intake_take(&r->intake, h);
        while (taken == SB_TRANSFER_WAIT && r->intake.in_block) {
            drain(r);
            taken = sb_transfer_intake_take(&r->intake, h);
        }
        SB_ASSERT(taken != SB_TRANSFER_WAIT);
    }
    SB_ASSERT(taken != SB_TRANSFER_NO_MEMORY);
    SB_ASSERT(memchr(r->intake.why, '\0', sizeof r->intake.why) != NULL);
    if (taken != SB_TRANSFER_TAKEN)
        sb_transfer_intake_begin(&r->intake);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct run r;
    static const struct sb_transfer_client_setup setup = {
        .shard = 1, .from_n = 1, .snapshot_bytes_max = SNAPSHOT_MAX, .ring_bytes = RING};
    if (size < 1 || size > FUZZ_INPUT_MAX)
        return 0;
    const uint8_t pick = data[0];
    memset(&r, 0, sizeof r);
    sb_transfer_intake_init(&r.intake, &setup, r.ring);
    sb_transfer_intake_begin(&r.intake);
    for (data++, size--; size >= 2;) {
        uint32_t length = (data[0] | (uint32_t)data[1] << 8) & (BLOCK - 1);
        data += 2;
        size -= 2;
        length = length < size ? length : (uint32_t)size;
        memset(r.message, 0, sizeof r.message);
        memcpy(r.message, data, length);
        data += length;
        size -= length;
        if (length == 0) {
            r.number = r.previous = 0;
            sb_transfer_intake_begin(&r.intake);
        } else {
            take(&r, length, pick);
        }
        if ((pick & PICK_SLOW) == 0)
            drain(&r);
    }
    drain(&r);
    SB_ASSERT_EQ(r.intake.next_n, r.n + 1);
    sb_transfer_intake_free(&r.intake);
    return 0;
}

/* --- seeds ---------------------------------------------------------------------------------- */

struct seed {
    uint8_t *at;
    uint32_t bytes;
};

static void put(struct seed *s, uint8_t type, uint64_t n, uint64_t a, uint64_t b,
                const void *payload, uint32_t bytes)
{
    const struct sb_transfer_head h = {.magic = SB_TRANSFER_MAGIC,
                                       .version = SB_TRANSFER_VERSION,
                                       .type = type,
                                       .shard = 1,
                                       .bytes = bytes,
                                       .n = n,
                                       .a = a,
                                       .b = b};
    const uint32_t length = HEAD + bytes;
    const uint8_t word[2] = {(uint8_t)length, (uint8_t)(length >> 8)};
    memcpy(s->at + s->bytes, word, 2);
    memcpy(s->at + s->bytes + 2, &h, HEAD);
    if (bytes != 0)
        memcpy(s->at + s->bytes + 2 + HEAD, payload, bytes);
    s->bytes += 2 + length;
}

static void put_block(struct seed *s, uint8_t kind, uint64_t n_first, uint64_t offset,
                      const void *payload, uint32_t bytes)
{
    uint8_t block[512] = {0};
    const bool data = kind == SB_JOURNAL_DATA;
    const struct sb_journal_block b = {.head = {.type = kind, .shard = 1, .epoch = 4, .inc = 9},
                                       .n_first = n_first,
                                       .count = data,
                                       .lines = data,
                                       .packets = data};
    memcpy(block, &b, sizeof b);
    memcpy(block + sizeof b, payload, bytes);
    put(s, SB_TRANSFER_T_BLOCK, n_first, 1, offset, block, (uint32_t)sizeof b + bytes);
}

static void put_data(struct seed *s, uint64_t n, uint64_t offset)
{
    struct {
        struct sb_journal_packet packet;
        struct sb_command line;
    } data = {.packet = {.n_first = n, .digest = n, .count = 1, .lines = 1},
              .line = {.seq = n, .time_ns = 5, .kind = SB_CMD_CANCEL, .session = 1, .key = 2}};
    put_block(s, SB_JOURNAL_DATA, n, offset, &data, sizeof data);
}

uint32_t fuzz_seed(uint32_t index, uint8_t *out)
{
    static const uint8_t bytes[16] = {1};
    struct seed s = {.at = out, .bytes = 1};
    const struct sb_journal_segment segment = {.segment = 1,
                                               .limits = {128, 128, 1u << 20, 1u << 16, 1u << 14}};
    out[0] = PICK_SEALED;
    switch (index) {
    case 0: /* a journal, then the end of it */
        put_block(&s, SB_JOURNAL_SEGMENT, 1, 0, &segment, sizeof segment);
        put_data(&s, 1, 4096);
        put_data(&s, 2, 8192);
        put(&s, SB_TRANSFER_T_REACH, 2, 1, 0, NULL, 0);
        return s.bytes;
    case 1: /* a snapshot in two parts, and the journal behind it */
        put(&s, SB_TRANSFER_T_SNAPSHOT, 4, 32, 0, NULL, 0);
        put(&s, SB_TRANSFER_T_PART, 4, 0, 0, bytes, 16);
        put(&s, SB_TRANSFER_T_PART, 4, 16, 0, bytes, 16);
        put_data(&s, 5, 4096);
        return s.bytes;
    case 2: /* two connections, a slow loop */
        out[0] = PICK_SEALED | PICK_SLOW;
        put_block(&s, SB_JOURNAL_SEGMENT, 1, 0, &segment, sizeof segment);
        put_data(&s, 1, 4096);
        out[s.bytes++] = 0;
        out[s.bytes++] = 0;
        put_block(&s, SB_JOURNAL_SEGMENT, 1, 0, &segment, sizeof segment);
        put_data(&s, 1, 4096);
        put_data(&s, 2, 8192);
        return s.bytes;
    case 3:
        put(&s, SB_TRANSFER_T_REFUSED, 0, 0, 0, "no", 2);
        return s.bytes;
    case 4: /* what a client says */
        out[0] = PICK_SEALED | PICK_CLIENT;
        put(&s, SB_TRANSFER_T_REQUEST, 1, 5, 0, NULL, 0);
        put(&s, SB_TRANSFER_T_ALIVE, 7, 0, 0, NULL, 0);
        return s.bytes;
    default:
        return 0;
    }
}
