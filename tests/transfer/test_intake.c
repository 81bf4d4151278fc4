/* test_intake.c: messages, and what a client makes of them: all that a server may say in its order arrives, and everything else is
 * called what it is, before memory is touched. */
#include "replica/transfer_intake.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/journal/memory.h"

enum { SHARD = 3, RING = 1 << 16, PAYLOAD_MAX = SB_TRANSFER_PAYLOAD_MAX + 64 };

static struct memory journal;
static struct sb_transfer_intake intake;
static struct sb_transfer_client_setup setup;
static _Alignas(64) uint8_t ring[RING], message[sizeof(struct sb_transfer_head) + PAYLOAD_MAX];
static const uint8_t zeros[SB_JOURNAL_ALIGN];

/* Segment 1: head, 3 inputs, 6 inputs, SOLO record; segment 2: head, 1 input. Numbers 1..10; blocks 0..5. */
static void begin(void)
{
    memory_begin(&journal);
    memory_segment(&journal);
    memory_data(&journal, 2);
    memory_data(&journal, 3);
    memory_record(&journal, SB_RECORD_SOLO);
    memory_segment(&journal);
    memory_data(&journal, 1);
    setup = (struct sb_transfer_client_setup){
        .shard = SHARD, .from_n = 1, .snapshot_bytes_max = 1000, .ring_bytes = RING};
    sb_transfer_intake_init(&intake, &setup, ring);
    sb_transfer_intake_begin(&intake);
}

static struct sb_transfer_head *make(uint8_t type, uint64_t n, uint64_t a, uint64_t b,
                                     const void *payload, uint32_t bytes)
{
    struct sb_transfer_head *h = (void *)message;
    *h = (struct sb_transfer_head){
        .type = type, .shard = SHARD, .bytes = bytes, .n = n, .a = a, .b = b};
    if (bytes != 0)
        memcpy(h + 1, payload, bytes);
    return h;
}

static enum sb_transfer_taken give(uint8_t type, uint64_t n, uint64_t a, uint64_t b,
                                   const void *payload, uint32_t bytes)
{
    struct sb_transfer_head *h = make(type, n, a, b, payload, bytes);
    uint32_t length;
    ck_assert_uint_eq(sb_transfer_seal(h), sb_transfer_wire_bytes(bytes));
    ck_assert_ptr_null(sb_transfer_look(message, sizeof message, SB_TRANSFER_SERVER, &length));
    ck_assert_uint_eq(length, sb_transfer_wire_bytes(bytes));
    return sb_transfer_intake_take(&intake, h);
}

/* A block of the journal, by its index. */
static struct sb_journal_block *block(uint32_t i)
{
    const uint64_t at = journal.block_at[i];
    return (void *)(journal.bytes[at >> 32] + (uint32_t)at);
}

static enum sb_transfer_taken give_block(uint32_t i)
{
    const uint64_t at = journal.block_at[i];
    return give(SB_TRANSFER_T_BLOCK, 10, (at >> 32) + 1, (uint32_t)at, block(i),
                sb_journal_padded(block(i)->length));
}

static void expect_bad(enum sb_transfer_taken taken, const char *why)
{
    ck_assert_int_eq(taken, SB_TRANSFER_BAD);
    ck_assert_msg(strstr(intake.why, why) != NULL, "\"%s\", not \"%s\"", intake.why, why);
}

/* Number of packets in the ring; they are released. *last: the last number. */
static uint32_t drain(uint64_t *last)
{
    uint32_t bytes, packets = 0;
    const struct sb_transfer_entry *e;
    while ((e = sb_byte_ring_peek(&intake.ring, &bytes)) != NULL) {
        const struct sb_journal_packet *p = (const void *)(e + 1);
        if (e->kind == SB_TRANSFER_PACKET) {
            ck_assert_uint_eq(p->n_first, *last + 1);
            ck_assert_uint_eq(bytes, sizeof *e + sizeof *p + p->lines * (uint32_t)SB_LINE_BYTES);
            ck_assert_mem_eq(p + 1, &journal.written[p->n_first], SB_LINE_BYTES);
            packets++;
        }
        *last = e->n;
        sb_byte_ring_release(&intake.ring);
    }
    return packets;
}

/* --- in order ---------------------------------------------------------------------------------------- */

START_TEST(in_order)
{
    uint64_t last = 0;
    begin();
    for (uint32_t i = 0; i < 6; i++)
        ck_assert_int_eq(give_block(i), SB_TRANSFER_TAKEN);
    ck_assert_uint_eq(drain(&last), 6);
    ck_assert_uint_eq(last, 10);
    ck_assert_uint_eq(intake.next_n, 11);
    ck_assert(!intake.following);
    ck_assert_int_eq(give(SB_TRANSFER_T_REACH, 10, 0, 0, NULL, 0), SB_TRANSFER_TAKEN);
    ck_assert(!intake.following);
    ck_assert_int_eq(give(SB_TRANSFER_T_REACH, 10, 1, 0, NULL, 0), SB_TRANSFER_TAKEN);
    ck_assert(intake.following);
    ck_assert_uint_eq(intake.server_n, 10);
}
END_TEST

/* A later connection begins with any block that leaves no hole; what it repeats is left out. */
START_TEST(again_from_any_block)
{
    for (uint32_t first = 0; first < 3; first++) {
        uint64_t last = 0;
        begin();
        for (uint32_t i = 0; i < 2; i++)
            ck_assert_int_eq(give_block(i), SB_TRANSFER_TAKEN);
        ck_assert_uint_eq(drain(&last), 2);
        sb_transfer_intake_begin(&intake);
        for (uint32_t i = first; i < 6; i++)
            ck_assert_int_eq(give_block(i), SB_TRANSFER_TAKEN);
        ck_assert_uint_eq(drain(&last), 4);
        ck_assert_uint_eq(last, 10);
    }
    for (uint32_t first = 3; first < 6; first++) {
        begin();
        give_block(0);
        give_block(1);
        sb_transfer_intake_begin(&intake);
        expect_bad(give_block(first), "and 4 has not come");
    }
}
END_TEST

/* The ring is full in the middle of a block: the rest of it comes later, from wherever the message stands then. */
START_TEST(a_full_ring)
{
    static _Alignas(64) uint8_t elsewhere[sizeof message];
    uint64_t last = 0;
    begin();
    ck_assert_int_eq(give_block(0), SB_TRANSFER_TAKEN);
    setup.ring_bytes = 256; /* of test only: one packet of one line at a time */
    sb_byte_ring_init(&intake.ring, ring, setup.ring_bytes);
    ck_assert_int_eq(give_block(1), SB_TRANSFER_WAIT);
    ck_assert_uint_eq(drain(&last), 1);
    memcpy(elsewhere, message, sizeof message);
    memset(message, 0xEE, sizeof message);
    setup.ring_bytes = RING;
    sb_byte_ring_init(&intake.ring, ring, setup.ring_bytes);
    ck_assert_int_eq(sb_transfer_intake_take(&intake, (const void *)elsewhere), SB_TRANSFER_TAKEN);
    ck_assert_uint_eq(drain(&last), 1);
    ck_assert_uint_eq(last, 3);
}
END_TEST

START_TEST(a_snapshot)
{
    uint8_t bytes[700];
    uint64_t last = 3;
    uint32_t n;
    memset(bytes, 0x77, sizeof bytes);
    begin();
    ck_assert_int_eq(give(SB_TRANSFER_T_SNAPSHOT, 3, 1000, 0, NULL, 0), SB_TRANSFER_TAKEN);
    ck_assert_int_eq(give(SB_TRANSFER_T_PART, 3, 0, 0, bytes, 700), SB_TRANSFER_TAKEN);
    ck_assert_ptr_null(sb_byte_ring_peek(&intake.ring, &n));
    ck_assert_int_eq(give(SB_TRANSFER_T_REACH, 10, 0, 0, NULL, 0), SB_TRANSFER_TAKEN);
    ck_assert_int_eq(give(SB_TRANSFER_T_PART, 3, 700, 0, bytes, 300), SB_TRANSFER_TAKEN);
    const struct sb_transfer_entry *e = sb_byte_ring_peek(&intake.ring, &n);
    ck_assert_uint_eq(e->kind, SB_TRANSFER_SNAPSHOT);
    ck_assert_uint_eq(e->n, 3);
    ck_assert_uint_eq(e->snapshot_bytes, 1000);
    for (int i = 0; i < 1000; i++)
        ck_assert_uint_eq(((const uint8_t *)e->snapshot)[i], 0x77);
    sb_byte_ring_release(&intake.ring);
    expect_bad(give(SB_TRANSFER_T_PART, 3, 1000, 0, bytes, 1), "not announced");
    for (uint32_t i = 2; i < 6; i++)
        ck_assert_int_eq(give_block(i), SB_TRANSFER_TAKEN);
    ck_assert_uint_eq(drain(&last), 4);
    /* Another connection, another snapshot: only when the loop is done with the first. */
    sb_transfer_intake_begin(&intake);
    ck_assert_int_eq(give(SB_TRANSFER_T_SNAPSHOT, 20, 8, 0, NULL, 0), SB_TRANSFER_WAIT);
    atomic_store(&intake.snapshot_done, true);
    ck_assert_int_eq(give(SB_TRANSFER_T_SNAPSHOT, 20, 8, 0, NULL, 0), SB_TRANSFER_TAKEN);
    ck_assert_int_eq(give(SB_TRANSFER_T_PART, 20, 0, 0, bytes, 8), SB_TRANSFER_TAKEN);
    ck_assert_uint_eq(intake.next_n, 21);
    /* Half of one is dropped with its connection. */
    atomic_store(&intake.snapshot_done, true);
    sb_transfer_intake_begin(&intake);
    ck_assert_int_eq(give(SB_TRANSFER_T_SNAPSHOT, 30, 8, 0, NULL, 0), SB_TRANSFER_TAKEN);
    ck_assert_int_eq(give(SB_TRANSFER_T_PART, 30, 0, 0, bytes, 4), SB_TRANSFER_TAKEN);
    sb_transfer_intake_begin(&intake);
    expect_bad(give(SB_TRANSFER_T_PART, 30, 4, 0, bytes, 4), "not announced");
    ck_assert_uint_eq(intake.next_n, 21);
    sb_transfer_intake_free(&intake);
}
END_TEST

/* No room for a whole snapshot's entry: its last part comes again. */
START_TEST(a_snapshot_and_a_full_ring)
{
    const uint8_t bytes[16] = {0};
    uint64_t last = 0;
    begin();
    sb_byte_ring_init(&intake.ring, ring, 64);
    ck_assert_ptr_nonnull(sb_byte_ring_reserve(&intake.ring, 40));
    sb_byte_ring_commit(&intake.ring);
    ck_assert_int_eq(give(SB_TRANSFER_T_SNAPSHOT, 3, 16, 0, NULL, 0), SB_TRANSFER_TAKEN);
    ck_assert_int_eq(give(SB_TRANSFER_T_PART, 3, 0, 0, bytes, 8), SB_TRANSFER_TAKEN);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(give(SB_TRANSFER_T_PART, 3, 8, 0, bytes, 8), SB_TRANSFER_WAIT);
    ck_assert_uint_eq(intake.next_n, 1);
    sb_byte_ring_init(&intake.ring, ring, 64);
    ck_assert_int_eq(give(SB_TRANSFER_T_PART, 3, 8, 0, bytes, 8), SB_TRANSFER_TAKEN);
    ck_assert_uint_eq(intake.next_n, 4);
    drain(&last);
    ck_assert_uint_eq(last, 3);
    sb_transfer_intake_free(&intake);
}
END_TEST

/* --- out of order ----------------------------------------------------------------------------------------- */

START_TEST(bad_snapshots)
{
    uint8_t bytes[64] = {0};
    begin();
    intake.next_n = 5;
    expect_bad(give(SB_TRANSFER_T_SNAPSHOT, 4, 8, 0, NULL, 0), "not ahead");
    expect_bad(give(SB_TRANSFER_T_SNAPSHOT, UINT64_MAX, 8, 0, NULL, 0), "not ahead");
    expect_bad(give(SB_TRANSFER_T_SNAPSHOT, 9, 0, 0, NULL, 0), "a snapshot of 0 bytes");
    expect_bad(give(SB_TRANSFER_T_SNAPSHOT, 9, 1001, 0, NULL, 0), "a snapshot of 1001 bytes");
    expect_bad(give(SB_TRANSFER_T_SNAPSHOT, 9, UINT64_MAX, 0, NULL, 0),
               "bytes; between 1 and 1000");
    expect_bad(give(SB_TRANSFER_T_PART, 9, 0, 0, bytes, 8), "not announced");
    ck_assert_int_eq(give(SB_TRANSFER_T_SNAPSHOT, 9, 16, 0, NULL, 0), SB_TRANSFER_TAKEN);
    expect_bad(give(SB_TRANSFER_T_SNAPSHOT, 9, 16, 0, NULL, 0), "a place where none may be");
    expect_bad(give(SB_TRANSFER_T_PART, 8, 0, 0, bytes, 8), "not announced");
    expect_bad(give(SB_TRANSFER_T_PART, 9, 8, 0, bytes, 8), "does not follow");
    expect_bad(give(SB_TRANSFER_T_PART, 9, UINT64_MAX, 0, bytes, 8), "does not follow");
    expect_bad(give(SB_TRANSFER_T_PART, 9, 0, 0, bytes, 17), "does not follow");
    expect_bad(give_block(0), "a block inside a snapshot");
    ck_assert_int_eq(give(SB_TRANSFER_T_PART, 9, 0, 0, bytes, 8), SB_TRANSFER_TAKEN);
    expect_bad(give(SB_TRANSFER_T_PART, 9, 0, 0, bytes, 8), "does not follow");
    expect_bad(give(SB_TRANSFER_T_PART, 9, 8, 0, bytes, 9), "does not follow");
    sb_transfer_intake_free(&intake);
    begin();
    give_block(0);
    expect_bad(give(SB_TRANSFER_T_SNAPSHOT, 9, 8, 0, NULL, 0), "a place where none may be");
}
END_TEST

START_TEST(bad_blocks)
{
    begin();
    give_block(0);
    expect_bad(give_block(2), "does not follow the block before it");
    begin();
    give_block(0);
    expect_bad(give_block(0), "another segment");
    begin();
    for (uint32_t i = 0; i < 3; i++)
        give_block(i);
    expect_bad(give_block(4), "does not follow the block before it");
    begin();
    expect_bad(give(SB_TRANSFER_T_BLOCK, 10, 1, 4096, block(0), SB_JOURNAL_ALIGN),
               "a segment begins inside another");
    expect_bad(give(SB_TRANSFER_T_BLOCK, 10, 1, 0, block(1), SB_JOURNAL_ALIGN),
               "a segment without its head");
    expect_bad(give(SB_TRANSFER_T_BLOCK, 10, 1, 0, zeros, sizeof zeros), "no block begins here");
    begin();
    give_block(0);
    expect_bad(give(SB_TRANSFER_T_BLOCK, 10, 2, 4096, block(1), SB_JOURNAL_ALIGN),
               "another segment");
    /* Longer than the block in it. */
    static _Alignas(64) uint8_t two[2 * SB_JOURNAL_ALIGN];
    begin();
    memcpy(two, block(0), SB_JOURNAL_ALIGN);
    expect_bad(give(SB_TRANSFER_T_BLOCK, 10, 1, 0, two, sizeof two), "another length");
    /* One byte. */
    for (uint32_t at = 0; at < SB_JOURNAL_ALIGN; at += 37) {
        begin();
        give_block(0);
        memcpy(two, block(1), SB_JOURNAL_ALIGN);
        two[at] ^= 4;
        ck_assert_int_eq(give(SB_TRANSFER_T_BLOCK, 10, 1, 4096, two, SB_JOURNAL_ALIGN),
                         SB_TRANSFER_BAD);
        ck_assert_uint_eq(intake.next_n, 1);
    }
    begin();
    intake.next_n = 3; /* the first packet holds 1, the second 2 and 3 */
    give_block(0);
    expect_bad(give_block(1), "input 3 stands inside a packet, from 2");
}
END_TEST

START_TEST(another_shard)
{
    begin();
    struct sb_transfer_head *h = make(SB_TRANSFER_T_REACH, 1, 0, 0, NULL, 0);
    h->shard = SHARD + 1;
    expect_bad(sb_transfer_intake_take(&intake, h), "a message of shard 4");
    begin();
    intake.shard = SHARD + 1;
    h = make(SB_TRANSFER_T_BLOCK, 10, 1, 0, block(0), SB_JOURNAL_ALIGN);
    h->shard = SHARD + 1;
    expect_bad(sb_transfer_intake_take(&intake, h), "a block of another shard");
}
END_TEST

START_TEST(words)
{
    begin();
    ck_assert_int_eq(give(SB_TRANSFER_T_REFUSED, 0, 0, 0, "because", 7), SB_TRANSFER_SAID_NO);
    ck_assert_str_eq(intake.why, "because");
    ck_assert_int_eq(give(SB_TRANSFER_T_REFUSED, 0, 0, 0, NULL, 0), SB_TRANSFER_SAID_NO);
    ck_assert_str_eq(intake.why, "");
    expect_bad(give(SB_TRANSFER_T_REFUSED, 0, 0, 0, "a\033[2J", 5), "words that cannot be read");
    expect_bad(give(SB_TRANSFER_T_REFUSED, 0, 0, 0, "a\0b", 3), "words that cannot be read");
    expect_bad(give(SB_TRANSFER_T_REACH, 1, 2, 0, NULL, 0), "impossible report");
}
END_TEST

/* --- messages ------------------------------------------------------------------------------------------------- */

/* Every type, every length that is a limit: what is not said to be accepted is not, by the head alone. */
START_TEST(types_and_lengths)
{
    static const uint32_t lengths[] = {0,         1,
                                       160,       161,
                                       4095,      4096,
                                       1u << 18,  (1u << 18) + 1,
                                       1u << 20,  (1u << 20) + 1,
                                       1u << 31,  UINT32_MAX - 7,
                                       UINT32_MAX};
    for (uint32_t type = 0; type < 256; type++)
        for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
            const uint32_t n = lengths[i];
            const bool server = (type == SB_TRANSFER_T_REFUSED && n <= 160) ||
                                (type == SB_TRANSFER_T_REACH && n == 0) ||
                                (type == SB_TRANSFER_T_SNAPSHOT && n == 0) ||
                                (type == SB_TRANSFER_T_PART && n >= 1 && n <= 1u << 18) ||
                                (type == SB_TRANSFER_T_BLOCK && n >= 4096 && n <= 1u << 20);
            const bool client =
                (type == SB_TRANSFER_T_REQUEST || type == SB_TRANSFER_T_ALIVE) && n == 0;
            _Alignas(8) struct sb_transfer_head h = {.magic = SB_TRANSFER_MAGIC,
                                                     .version = SB_TRANSFER_VERSION,
                                                     .type = (uint8_t)type,
                                                     .bytes = n};
            uint32_t bytes = 1;
            /* Only the head is there: with nothing behind it, a message without payload fails by its checksum. */
            const char *a =
                sb_transfer_look((const uint8_t *)&h, sizeof h, SB_TRANSFER_SERVER, &bytes);
            const char *b =
                sb_transfer_look((const uint8_t *)&h, sizeof h, SB_TRANSFER_CLIENT, &bytes);
            ck_assert_uint_eq(bytes, 0);
            const char *rest = n == 0 ? "a message's checksum" : NULL;
            if (server ? a != rest && strcmp(a, rest) != 0 : strstr(a, "a message of an") == NULL)
                ck_abort_msg("from a server: type %u, %u bytes: %s", type, n, a);
            if (client ? b != rest && strcmp(b, rest) != 0 : strstr(b, "a message of an") == NULL)
                ck_abort_msg("from a client: type %u, %u bytes: %s", type, n, b);
        }
}
END_TEST

/* No bit of a message may change unseen; no part of one is taken for all of it. */
START_TEST(bits_and_pieces)
{
    static const char why[] = "thirteen char";
    struct sb_transfer_head *h = make(SB_TRANSFER_T_REFUSED, 0, 0, 0, why, sizeof why - 1);
    const uint32_t n = sb_transfer_seal(h);
    uint32_t bytes;
    ck_assert_uint_eq(n, 48 + 16);
    for (uint32_t part = 0; part < n; part++) {
        ck_assert_ptr_null(sb_transfer_look(message, part, SB_TRANSFER_SERVER, &bytes));
        ck_assert_uint_eq(bytes, 0);
    }
    for (uint32_t bit = 0; bit < 8 * n; bit++) {
        message[bit / 8] ^= (uint8_t)(1u << bit % 8);
        ck_assert(sb_transfer_look(message, n, SB_TRANSFER_SERVER, &bytes) != NULL ||
                  h->bytes > sizeof why - 1); /* then more is waited for */
        ck_assert_uint_eq(bytes, 0);
        message[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    ck_assert_ptr_null(sb_transfer_look(message, n, SB_TRANSFER_SERVER, &bytes));
    ck_assert_uint_eq(bytes, n);
    h->version++;
    ck_assert_str_eq(sb_transfer_look(message, n, SB_TRANSFER_SERVER, &bytes),
                     "a message of another version");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("transfer-intake");
    TCase *t = tcase_create("transfer-intake");
    tcase_add_test(t, in_order);
    tcase_add_test(t, again_from_any_block);
    tcase_add_test(t, a_full_ring);
    tcase_add_test(t, a_snapshot);
    tcase_add_test(t, a_snapshot_and_a_full_ring);
    tcase_add_test(t, bad_snapshots);
    tcase_add_test(t, bad_blocks);
    tcase_add_test(t, another_shard);
    tcase_add_test(t, words);
    tcase_add_test(t, types_and_lengths);
    tcase_add_test(t, bits_and_pieces);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    const int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
