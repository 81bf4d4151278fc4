/* test_mold.c: MoldUDP64 packets, blocks, names of streams. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "nic/wire/mold.h"
#include "tests/wire/support.h"

/* Name "0000100594"+"B" shortened to 10; number 0x123456789A; two messages "ab" and "" and "cde". */
static const char packet_hex[] = "30303030313030353942 000000123456789a 0003"
                                 "0002 6162 0000 0003 636465";

START_TEST(whole_packet)
{
    uint8_t p[64], head[SB_MOLD_HEAD_BYTES];
    const uint32_t bytes = wire_unhex(packet_hex, p, sizeof p);
    struct sb_mold_head h;
    ck_assert(sb_mold_read(p, bytes, &h));
    ck_assert_mem_eq(h.name, "000010059B", 10);
    ck_assert_uint_eq(h.seq, 0x123456789A);
    ck_assert_uint_eq(h.count, 3);
    sb_mold_put_head(head, h.name, h.seq, h.count);
    ck_assert_mem_eq(head, p, sizeof head);

    uint32_t at = SB_MOLD_HEAD_BYTES, len = 99;
    const uint8_t *m = sb_mold_next(p, bytes, &at, &len);
    ck_assert_ptr_eq(m, p + 22);
    ck_assert_uint_eq(len, 2);
    m = sb_mold_next(p, bytes, &at, &len);
    ck_assert_ptr_eq(m, p + 26);
    ck_assert_uint_eq(len, 0);
    m = sb_mold_next(p, bytes, &at, &len);
    ck_assert_ptr_eq(m, p + 28);
    ck_assert_uint_eq(len, 3);
    ck_assert_uint_eq(at, bytes);
    ck_assert_ptr_null(sb_mold_next(p, bytes, &at, &len));
    ck_assert_uint_eq(at, bytes);
}
END_TEST

START_TEST(refused)
{
    uint8_t p[64] = {0};
    const uint32_t bytes = wire_unhex(packet_hex, p, sizeof p);
    struct sb_mold_head h;
    for (uint32_t n = 0; n < bytes; n++)
        ck_assert(!sb_mold_read(p, n, &h));
    ck_assert(!sb_mold_read(p, bytes + 1, &h));
    p[19] = 2; /* one block more than counted */
    ck_assert(!sb_mold_read(p, bytes, &h));
    p[19] = 4;
    ck_assert(!sb_mold_read(p, bytes, &h));
    p[19] = 0; /* a heartbeat has none */
    ck_assert(!sb_mold_read(p, bytes, &h));
    ck_assert(sb_mold_read(p, 20, &h));
    ck_assert_uint_eq(h.count, 0);
    memset(p + 18, 0xFF, 2); /* the end: none either, not 65535 */
    ck_assert(!sb_mold_read(p, bytes, &h));
    ck_assert(sb_mold_read(p, 20, &h));
    ck_assert_uint_eq(h.count, SB_MOLD_END);

    uint32_t at = 20, len; /* a block that does not fit leaves `at` before it */
    memcpy(p + 20,
           "\x00\x05"
           "abcd",
           6);
    ck_assert_ptr_null(sb_mold_next(p, 26, &at, &len));
    ck_assert_uint_eq(at, 20);
    at = 25;
    ck_assert_ptr_null(sb_mold_next(p, 26, &at, &len));
    at = UINT32_MAX;
    ck_assert_ptr_null(sb_mold_next(p, 26, &at, &len));
}
END_TEST

START_TEST(request)
{
    uint8_t p[32] = {0};
    struct sb_mold_head h;
    const uint32_t bytes = wire_unhex("30313158583030303037 0000000000000065 0010", p, sizeof p);
    ck_assert_uint_eq(bytes, 20);
    ck_assert(sb_mold_read_request(p, 20, &h));
    ck_assert_mem_eq(h.name, "011XX00007", 10);
    ck_assert_uint_eq(h.seq, 101);
    ck_assert_uint_eq(h.count, 16);
    ck_assert(!sb_mold_read_request(p, 19, &h));
    ck_assert(!sb_mold_read_request(p, 21, &h));
    ck_assert(!sb_mold_read_request(p, 0, &h));
}
END_TEST

/* Worked out with a calendar (days since 2020-01-01) and long division by 36. */
START_TEST(names)
{
    static const struct {
        uint16_t shard, generation;
        uint32_t day, stream;
        char name[11];
    } cases[] = {
        {0, 0, 20200101, 0, "0000000000"},   {1, 0, 20261122, 7, "011XX00007"},
        {1, 0, 20261231, 0, "011Z000000"},   {1295, 1295, 20991231, 46655, "ZZMJNZZZZZ"},
        {37, 2, 20240229, 36, "1116802010"}, {5, 1, 20120621, 1000, "05XVM010RS"},
        {1, 0, 20200301, 1, "0101O00001"},   {1, 35, 20210301, 35, "010BT0Z00Z"},
        {1, 0, 19991231, 0, "01UD200000"}, /* before the century leap day of 2000 */
    };
    for (uint32_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char name[10];
        sb_stream_name(name, cases[i].shard, cases[i].day, cases[i].generation, cases[i].stream);
        ck_assert_msg(memcmp(name, cases[i].name, 10) == 0, "%.10s, not %s", name, cases[i].name);
        ck_assert_int_eq(sb_stream_of_name(name), (int32_t)cases[i].stream);
    }
    ck_assert_int_eq(sb_stream_of_name("011XX0000a"), -1);
    ck_assert_int_eq(sb_stream_of_name("011XX00 07"), -1);
    ck_assert_int_eq(sb_stream_of_name("011XX00[07"), -1);
    ck_assert_int_eq(sb_stream_of_name("???????ZZZ"), 46655);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("mold");
    tcase_add_test(t, whole_packet);
    tcase_add_test(t, refused);
    tcase_add_test(t, request);
    tcase_add_test(t, names);
    Suite *s = suite_create("wire mold");
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    const int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
