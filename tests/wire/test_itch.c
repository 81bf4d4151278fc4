/* test_itch.c: ITCH 5.0 golden vectors: 23 types' lengths and headers, bodies of those that are read whole. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "nic/wire/itch.h"
#include "tests/wire/support.h"

static struct wire_vector vectors[WIRE_VECTORS_MAX];
static uint32_t vectors_n;

static struct sb_itch message(const char *name)
{
    struct sb_itch m;
    const struct wire_vector *v = wire_vector_find(vectors, vectors_n, name);
    ck_assert(sb_itch_read(v->bytes, v->len, &m));
    return m;
}

/* From the format's table. */
START_TEST(lengths)
{
    static const char types[] = "SRHYLVWKJhAFECXDUPQBINO";
    static const uint8_t want[] = {12, 39, 25, 20, 26, 35, 12, 28, 35, 21, 36, 40,
                                   31, 36, 23, 19, 35, 44, 40, 19, 50, 20, 48};
    for (int c = -128; c < 128; c++) {
        const char *at = c > 0 ? strchr(types, c) : NULL;
        ck_assert_uint_eq(sb_itch_length((char)c), at == NULL ? 0 : want[at - types]);
    }
}
END_TEST

START_TEST(all_types)
{
    ck_assert_uint_eq(vectors_n, 23);
    uint32_t written = 0;
    for (uint32_t i = 0; i < vectors_n; i++) {
        const struct wire_vector *v = &vectors[i];
        struct sb_itch m;
        uint8_t again[SB_ITCH_MESSAGE_MAX] = {0};
        ck_assert_msg(sb_itch_read(v->bytes, v->len, &m), "%s", v->name);
        ck_assert_int_eq(m.type, v->name[0]);
        ck_assert_uint_eq(m.locate, strchr("SVW", m.type) != NULL ? 0 : 7);
        ck_assert_uint_eq(m.tracking, 3);
        ck_assert_uint_eq(m.timestamp, UINT64_C(34200000000123));
        const uint32_t len = sb_itch_write(again, &m);
        if (strchr("SRHAFECXDUPQI", m.type) == NULL) {
            ck_assert_uint_eq(len, 0);
        } else {
            written++;
            ck_assert_msg(len == v->len && memcmp(again, v->bytes, len) == 0, "%s", v->name);
        }
        for (uint32_t n = 0; n < v->len; n++)
            ck_assert_msg(!sb_itch_read(v->bytes, n, &m), "%s cut to %u", v->name, n);
        uint8_t longer[64] = {0};
        memcpy(longer, v->bytes, v->len);
        ck_assert(!sb_itch_read(longer, v->len + 1, &m));
    }
    ck_assert_uint_eq(written, 13);
}
END_TEST

START_TEST(orders)
{
    struct sb_itch m = message("A_add_order");
    ck_assert_uint_eq(m.ref, 1001);
    ck_assert_int_eq(m.side, 'B');
    ck_assert_uint_eq(m.shares, 300);
    ck_assert_mem_eq(m.symbol, "AAPL    ", 8);
    ck_assert_uint_eq(m.price, 1891234);
    m = message("F_add_order_mpid");
    ck_assert_uint_eq(m.ref, 1002);
    ck_assert_int_eq(m.side, 'S');
    ck_assert_uint_eq(m.shares, 200);
    ck_assert_uint_eq(m.price, 1892500);
    ck_assert_mem_eq(m.mpid, "GSCO", 4);
    m = message("X_order_cancel");
    ck_assert_uint_eq(m.ref, 1001);
    ck_assert_uint_eq(m.shares, 25);
    m = message("D_order_delete");
    ck_assert_uint_eq(m.ref, 1002);
    m = message("U_order_replace");
    ck_assert_uint_eq(m.ref, 1001);
    ck_assert_uint_eq(m.new_ref, 1003);
    ck_assert_uint_eq(m.shares, 400);
    ck_assert_uint_eq(m.price, 1891000);
}
END_TEST

START_TEST(trades)
{
    struct sb_itch m = message("E_order_executed");
    ck_assert_uint_eq(m.ref, 1001);
    ck_assert_uint_eq(m.shares, 100);
    ck_assert_uint_eq(m.match, 5001);
    m = message("C_order_executed_with_price");
    ck_assert_uint_eq(m.ref, 1002);
    ck_assert_uint_eq(m.shares, 50);
    ck_assert_uint_eq(m.match, 5002);
    ck_assert_int_eq(m.printable, 'Y');
    ck_assert_uint_eq(m.price, 1892400);
    m = message("P_trade");
    ck_assert_uint_eq(m.ref, 0);
    ck_assert_int_eq(m.side, 'B');
    ck_assert_uint_eq(m.shares, 10);
    ck_assert_uint_eq(m.price, 1891500);
    ck_assert_uint_eq(m.match, 5003);
    m = message("Q_cross_trade");
    ck_assert_uint_eq(m.shares, 123456);
    ck_assert_mem_eq(m.symbol, "AAPL    ", 8);
    ck_assert_uint_eq(m.price, 1892000);
    ck_assert_uint_eq(m.match, 5004);
    ck_assert_int_eq(m.cross, 'O');
}
END_TEST

START_TEST(states)
{
    struct sb_itch m = message("S_system_event");
    ck_assert_int_eq(m.event, 'O');
    m = message("H_stock_trading_action");
    ck_assert_mem_eq(m.symbol, "AAPL    ", 8);
    ck_assert_int_eq(m.state, 'T');
    ck_assert_int_eq(m.reserved, ' ');
    ck_assert_mem_eq(m.reason, "    ", 4);
    m = message("R_stock_directory");
    ck_assert_mem_eq(m.symbol, "AAPL    ", 8);
    ck_assert_mem_eq(m.directory, "QN\0\0\0\x64NCZ PNN1N\0\0\0\0N", 20);
}
END_TEST

int main(void)
{
    vectors_n = wire_vectors_load("vectors/itch50_messages.hex", vectors);
    if (vectors_n == 0)
        return wire_skip(
            "no vectors/itch50_messages.hex in the shared folder ($SHADOWBOOK_SHARED)");
    TCase *t = tcase_create("itch");
    tcase_add_test(t, lengths);
    tcase_add_test(t, all_types);
    tcase_add_test(t, orders);
    tcase_add_test(t, trades);
    tcase_add_test(t, states);
    Suite *s = suite_create("wire itch");
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    const int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
