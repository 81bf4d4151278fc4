/* test_entry.c: our own messages and frame heads. Bytes are written out by hand from ENTRY.md and frame.h. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "nic/wire/entry.h"
#include "tests/wire/support.h"

START_TEST(inbound)
{
    uint8_t p[32], want[32];
    const struct sb_entry_quote quote = {.key = 0x102,
                                         .symbol = "MSFT    ",
                                         .bid_price = 12345,
                                         .bid_quantity = 300,
                                         .ask_price = 12346,
                                         .ask_quantity = 301,
                                         .capacity = 'P'};
    ck_assert_uint_eq(sb_entry_write_login(p, 0x0102030405060708, 0x0A000107, 41000), 15);
    ck_assert_uint_eq(wire_unhex("4c 0102030405060708 0a000107 a028", want, 32), 15);
    ck_assert_mem_eq(p, want, 15);
    memset(p, 0xFF, sizeof p);
    ck_assert_uint_eq(sb_entry_write_phase(p, 9, "AAPL    ", 'A'), 22);
    ck_assert_uint_eq(wire_unhex("50 00000009 4141504c20202020 41 0000000000000000", want, 32), 22);
    ck_assert_mem_eq(p, want, 22);
    ck_assert_uint_eq(sb_entry_write_auction(p, 9, "AAPL    ", 'C'), 22);
    wire_unhex("50 00000009 4141504c20202020 41 43 00000000000000", want, 32);
    ck_assert_mem_eq(p, want, 22);
    ck_assert_uint_eq(sb_entry_write_mass_cancel(p, 9, "AAPL    ", 'F', 7, 'S'), 22);
    wire_unhex("57 00000009 4141504c20202020 46 00000007 53 000000", want, 32);
    ck_assert_mem_eq(p, want, 22);
    ck_assert_uint_eq(sb_entry_write_kill(p, 9, 'S', 3, 'B'), 22);
    wire_unhex("4b 00000009 53 00000003 42 0000000000000000000000", want, 32);
    ck_assert_mem_eq(p, want, 22);
    ck_assert_uint_eq(sb_entry_write_amend(p, 0x102, 200, 12346), 17);
    wire_unhex("41 00000102 000000c8 000000000000303a", want, 32);
    ck_assert_mem_eq(p, want, 17);
    ck_assert_uint_eq(sb_entry_write_quote(p, &quote), 30);
    wire_unhex("54 00000102 4d53465420202020 00003039 0000012c 0000303a 0000012d 50", want, 32);
    ck_assert_mem_eq(p, want, 30);
}
END_TEST

START_TEST(outbound)
{
    uint8_t p[40] = {0};
    struct sb_entry_out m;
    ck_assert_uint_eq(wire_unhex("4c 00001f1aced9f1c8 0000000100000002 00000033", p, sizeof p), 21);
    ck_assert(sb_entry_read_out(p, 21, &m));
    ck_assert_int_eq(m.type, 'L');
    ck_assert_uint_eq(m.timestamp, UINT64_C(34200000000456));
    ck_assert_uint_eq(m.last_session_seq, 0x100000002);
    ck_assert_uint_eq(m.key, 0x33);
    ck_assert(!sb_entry_read_out(p, 28, &m));
    for (uint32_t n = 0; n <= 40; n++)
        ck_assert_int_eq(sb_entry_read_out(p, n, &m), n == 21);

    ck_assert_uint_eq(
        wire_unhex("4f 00001f1aced9f1c8 00000009 4d53465420202020 55 001f 00012345", p, sizeof p),
        28);
    for (uint32_t n = 0; n <= 40; n++)
        ck_assert_int_eq(sb_entry_read_out(p, n, &m), n == 28);
    ck_assert(sb_entry_read_out(p, 28, &m));
    ck_assert_int_eq(m.type, 'O');
    ck_assert_uint_eq(m.timestamp, UINT64_C(34200000000456));
    ck_assert_uint_eq(m.key, 9);
    ck_assert_mem_eq(m.symbol, "MSFT    ", 8);
    ck_assert_int_eq(m.phase, 'U');
    ck_assert_uint_eq(m.reason, 31);
    ck_assert_uint_eq(m.quantity, 0x12345);
}
END_TEST

START_TEST(outbound_of_terms)
{
    uint8_t p[40] = {0};
    struct sb_entry_out m;
    ck_assert_uint_eq(wire_unhex("54 00001f1aced9f1c8 00000009 00012345 0000000000003039"
                                 "1122334455667788",
                                 p, sizeof p),
                      33);
    for (uint32_t n = 0; n <= 40; n++)
        ck_assert_int_eq(sb_entry_read_out(p, n, &m), n == 33);
    ck_assert(sb_entry_read_out(p, 33, &m));
    ck_assert_int_eq(m.type, 'T');
    ck_assert_uint_eq(m.timestamp, UINT64_C(34200000000456));
    ck_assert_uint_eq(m.key, 9);
    ck_assert_uint_eq(m.quantity, 0x12345);
    ck_assert_uint_eq(m.price, 12345);
    ck_assert_uint_eq(m.order_ref, 0x1122334455667788);
    static const char types[] = {'M', 'Q'};
    for (uint32_t i = 0; i < sizeof types; i++) {
        wire_unhex("00 00001f1aced9f1c8 00000009 4d53465420202020 001b 00012345", p, sizeof p);
        p[0] = (uint8_t)types[i];
        for (uint32_t n = 0; n <= 40; n++)
            ck_assert_int_eq(sb_entry_read_out(p, n, &m), n == 27);
        ck_assert(sb_entry_read_out(p, 27, &m));
        ck_assert_int_eq(m.type, types[i]);
        ck_assert_uint_eq(m.key, 9);
        ck_assert_mem_eq(m.symbol, "MSFT    ", 8);
        ck_assert_uint_eq(m.reason, 27);
        ck_assert_uint_eq(m.quantity, 0x12345);
    }
}
END_TEST

/* "SBK1", version 1, STATUS, shard 0x0203, epoch, incarnation, node B, GAP, 24 bytes. */
static const char head_hex[] = "53424b31 01 41 0302 0900000000000000 8877665544332211 01 02 1800"
                               "00000000 0000000000000000";

START_TEST(head)
{
    uint8_t p[128] = {0}, want[40];
    ck_assert_uint_eq(wire_unhex(head_hex, want, 40), 40);
    ck_assert_ptr_eq(sb_head_put(p, SB_FT_STATUS, 0x0203, 9, 0x1122334455667788, 1, 2, 24), p + 40);
    ck_assert_mem_eq(p, want, 40);
    struct sb_head h;
    ck_assert(sb_head_read(p, 64, &h));
    ck_assert_uint_eq(h.type, SB_FT_STATUS);
    ck_assert_uint_eq(h.shard, 0x0203);
    ck_assert_uint_eq(h.epoch, 9);
    ck_assert_uint_eq(h.inc, 0x1122334455667788);
    ck_assert_uint_eq(h.sender, 1);
    ck_assert_uint_eq(h.flags, 2);
    ck_assert_uint_eq(h.bytes, 24);
    for (uint32_t n = 0; n < 100; n++)
        ck_assert_int_eq(sb_head_read(p, n, &h), n == 64);
    static const uint32_t must_be[] = {0,  1,  2,  3,  4,  26, 27, 28, 29, 30,
                                       31, 32, 33, 34, 35, 36, 37, 38, 39};
    for (uint32_t i = 0; i < sizeof must_be / sizeof must_be[0]; i++) {
        p[must_be[i]] ^= 0x10;
        ck_assert_msg(!sb_head_read(p, 64, &h), "byte %u", must_be[i]);
        p[must_be[i]] ^= 0x10;
    }
}
END_TEST

/* Sizes from frame.h: which body sizes does each type take? */
START_TEST(body_sizes)
{
    uint8_t p[300] = {0};
    struct sb_head h;
    for (uint32_t type = 0; type < 256; type++)
        for (uint32_t bytes = 0; bytes < 200; bytes++) {
            bool want = false;
            if (type == SB_FT_STREAM)
                want = bytes >= 64;
            else if (type == SB_FT_ENTRY)
                want = bytes >= 24;
            else if (type == SB_FT_ACK)
                want = bytes == 40;
            else if (type == SB_FT_REPAIR || type == SB_FT_STATUS)
                want = bytes == 24;
            else if (type == SB_FT_RESEND)
                want = bytes == 40;
            else if (type >= 16 && type <= 32)
                want = bytes == 56;
            sb_head_put(p, (uint8_t)type, 1, 0, 0, 0, 0, (uint16_t)bytes);
            ck_assert_msg(sb_head_read(p, 40 + bytes, &h) == want, "type %u, %u bytes", type,
                          bytes);
            ck_assert(!sb_head_read(p, 41 + bytes, &h));
        }
    /* Between engines later versions are the reader's to judge; a client's is fixed. */
    for (uint32_t version = 0; version < 256; version++) {
        sb_head_put(p, SB_FT_HELLO, 1, 0, 0, 0, 0, 56);
        p[4] = (uint8_t)version;
        ck_assert(sb_head_read(p, 96, &h) == (version >= 2));
        sb_head_put(p, SB_FT_STATUS, 1, 0, 0, 0, 0, 24);
        p[4] = (uint8_t)version;
        ck_assert(sb_head_read(p, 64, &h) == (version == 1));
    }
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("entry");
    tcase_add_test(t, inbound);
    tcase_add_test(t, outbound);
    tcase_add_test(t, outbound_of_terms);
    tcase_add_test(t, head);
    tcase_add_test(t, body_sizes);
    Suite *s = suite_create("wire entry");
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    const int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
