/* test_new.c: New order as a command. Messages are made from bytes written out by hand. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/wire/decode.h"

START_TEST(new_order)
{
    uint8_t p[96];
    ck_assert_uint_eq(wire_unhex(new_hex, p, sizeof p), 88);
    const struct sb_command *c = decode(p, 88);
    const union sb_command_ext *x = &command.ext;
    ck_assert_uint_eq(c->kind, SB_CMD_ORDER);
    ck_assert_uint_eq(c->key, 0x102);
    ck_assert_mem_eq(symbol, "MSFT    ", 8);
    ck_assert_uint_eq(c->side, SB_SELL_SHORT);
    ck_assert_uint_eq(x->order.type, SB_TYPE_STOP_LIMIT);
    ck_assert_uint_eq(c->tif, SB_TIF_GTD);
    ck_assert_uint_eq(c->quantity, 300);
    ck_assert_int_eq(c->price, 12345);
    ck_assert_int_eq(x->order.stop_price, 12346);
    ck_assert_uint_eq(x->order.trail, 100);
    ck_assert_uint_eq(x->order.expire_ns, UINT64_C(0x18ea4cbd1b6d4000));
    ck_assert_uint_eq(x->order.display_quantity, 50);
    ck_assert_uint_eq(x->order.refresh_range, 10);
    ck_assert_uint_eq(x->order.min_quantity, 20);
    ck_assert_int_eq(x->order.peg_offset, -100);
    ck_assert_uint_eq(x->order.peg, SB_PEG_PRIMARY);
    ck_assert_uint_eq(x->order.attributes, SB_ATTR_HIDDEN | SB_ATTR_ALL_OR_NONE);
    ck_assert_uint_eq(x->order.oco_key, 0x101);
    ck_assert_uint_eq(c->capacity, 'A');
    ck_assert_uint_eq(c->display, 'N');
    ck_assert_mem_eq(x->order.clordid, "client-order-9", 14);
    ck_assert_uint_eq(x->order.iso, 'N');
    ck_assert_uint_eq(x->order.cross, 'N');
    ck_assert_uint_eq(c->flags, SB_CMD_F_EXT);
    ck_assert_uint_eq(c->instrument | c->orig_key | c->phase | c->reason, 0);
    ck_assert_uint_eq(x->order.account | x->order.zero[0], 0);
}
END_TEST

/* Without terms and ClOrdID it is the plain order that an Enter would be: one line. */
START_TEST(new_plain)
{
    uint8_t p[96], enter[64];
    wire_unhex("4e 00000102 4d53465420202020 42 4c 30 0000012c 0000000000003039"
               "0000000000000000 00000000 0000000000000000 00000000 00000000"
               "00000000 00000000 4e 00 00000000 41 2020202020202020202020202020 000000",
               p, sizeof p);
    decode(p, 88);
    const struct sb_command2 by_new = command;
    decode(enter, wire_unhex(enter_hex, enter, sizeof enter));
    ck_assert_mem_eq(&by_new, &command, sizeof command);
    p[65] = SB_ATTR_POST_ONLY; /* visible, with terms */
    ck_assert_uint_eq(decode(p, 88)->display, 'Y');
    ck_assert_uint_eq(command.c.flags, SB_CMD_F_EXT);
    ck_assert_mem_eq(command.ext.order.clordid, "              ", 14);
    put64(p + 20, 1999999901);
    put64(p + 28, UINT64_MAX);
    ck_assert_int_eq(decode(p, 88)->price, INT64_MAX);
    ck_assert_int_eq(command.ext.order.stop_price, INT64_MAX);
}
END_TEST

START_TEST(new_values)
{
    static const struct {
        uint8_t at, wire, value;
    } cases[] = {{14, 'L', SB_TYPE_LIMIT},
                 {14, 'M', SB_TYPE_MARKET},
                 {14, 'K', SB_TYPE_MARKET_TO_LIMIT},
                 {14, 'S', SB_TYPE_STOP},
                 {14, 'T', SB_TYPE_STOP_LIMIT},
                 {14, 'R', SB_TYPE_TRAILING_STOP},
                 {15, '0', SB_TIF_DAY},
                 {15, '1', SB_TIF_GTC},
                 {15, '2', SB_TIF_AT_OPEN},
                 {15, '3', SB_TIF_IOC},
                 {15, '4', SB_TIF_FOK},
                 {15, '6', SB_TIF_GTD},
                 {15, '7', SB_TIF_AT_CLOSE},
                 {64, 'N', SB_PEG_NONE},
                 {64, 'R', SB_PEG_PRIMARY},
                 {64, 'P', SB_PEG_MARKET},
                 {64, 'M', SB_PEG_MIDPOINT},
                 {13, 'B', SB_BUY},
                 {13, 'S', SB_SELL},
                 {13, 'T', SB_SELL_SHORT},
                 {13, 'E', SB_SELL_SHORT_EXEMPT}};
    uint8_t p[96];
    for (uint32_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        wire_unhex(new_hex, p, sizeof p);
        p[cases[i].at] = cases[i].wire;
        const struct sb_command *c = decode(p, 88);
        ck_assert_uint_eq(c->kind, SB_CMD_ORDER);
        const uint8_t got = cases[i].at == 13   ? c->side
                            : cases[i].at == 14 ? command.ext.order.type
                            : cases[i].at == 15 ? c->tif
                                                : command.ext.order.peg;
        ck_assert_uint_eq(got, cases[i].value);
        const char cross = c->tif == SB_TIF_AT_OPEN ? 'O' : c->tif == SB_TIF_AT_CLOSE ? 'C' : 'N';
        ck_assert_uint_eq(command.ext.order.cross, (uint8_t)cross);
    }
    static const struct {
        uint8_t at;
        const char *taken;
    } fields[] = {{13, "BSTE"}, {14, "LMKSTR"}, {15, "0123467"}, {64, "NRPM"}};
    for (uint32_t i = 0; i < 4; i++)
        for (uint32_t v = 0; v < 256; v++) {
            wire_unhex(new_hex, p, sizeof p);
            p[fields[i].at] = (uint8_t)v;
            if (v == 0 || strchr(fields[i].taken, (int)v) == NULL)
                expect_invalid(p, 88, SB_REASON_MALFORMED, 0x102);
        }
    ck_assert_uint_eq(command.c.flags,
                      SB_CMD_F_EXT); /* J echoes ClOrdID, and nothing else is left */
    ck_assert_mem_eq(command.ext.order.clordid, "client-order-9", 14);
    ck_assert_uint_eq(command.c.side | command.c.display | command.c.capacity, 0);
    ck_assert_int_eq(command.c.price, 0);
    static const uint8_t zero[48] = {0};
    ck_assert_mem_eq(command.ext.bytes + 16, zero, 48);
    wire_unhex(new_hex, p, sizeof p);
    p[65] = 16;
    expect_invalid(p, 88, SB_REASON_MALFORMED, 0x102);
    for (uint32_t at = 85; at < 88; at++) {
        wire_unhex(new_hex, p, sizeof p);
        p[at] = 1;
        expect_invalid(p, 88, SB_REASON_MALFORMED, 0x102);
    }
    wire_unhex(new_hex, p, sizeof p); /* of another length nothing is known */
    expect_invalid(p, 87, SB_REASON_MALFORMED, 0);
    expect_invalid(p, 89, SB_REASON_MALFORMED, 0);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("new");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, new_order);
    tcase_add_test(t, new_plain);
    tcase_add_test(t, new_values);
    Suite *s = suite_create("wire new");
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    const int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
