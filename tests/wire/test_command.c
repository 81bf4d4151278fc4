/* test_command.c: clients' messages as commands, all but New order. Messages are made from bytes written out by hand. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/wire/decode.h"

/* Replace: 0x102 by 0x103, 200 at 1.2346, IOC, attributable, no ISO, ClOrdID "R". */
static const char replace_hex[] = "55 00000102 00000103 000000c8 000000000000303a 33 41 4e"
                                  "5220202020202020202020202020 0000";

START_TEST(order)
{
    uint8_t p[64];
    const uint32_t len = wire_unhex(enter_hex, p, sizeof p);
    const struct sb_command *c = decode(p, len);
    ck_assert_uint_eq(c->kind, SB_CMD_ORDER);
    ck_assert_uint_eq(c->key, 0x102);
    ck_assert_uint_eq(c->side, SB_BUY);
    ck_assert_uint_eq(c->quantity, 300);
    ck_assert_int_eq(c->price, 12345);
    ck_assert_uint_eq(c->tif, SB_TIF_DAY);
    ck_assert_uint_eq(c->display, 'Y');
    ck_assert_uint_eq(c->capacity, 'A');
    ck_assert_uint_eq(c->flags, 0);
    ck_assert_uint_eq(c->instrument, 0);
    ck_assert_mem_eq(symbol, "MSFT    ", 8);
    static const struct {
        char wire;
        uint8_t side;
    } sides[] = {{'B', SB_BUY}, {'S', SB_SELL}, {'T', SB_SELL_SHORT}, {'E', SB_SELL_SHORT_EXEMPT}};
    for (uint32_t i = 0; i < 4; i++) {
        p[5] = (uint8_t)sides[i].wire;
        ck_assert_uint_eq(decode(p, len)->side, sides[i].side);
    }
    p[26] = '3';
    p[27] = 'A';
    c = decode(p, len);
    ck_assert_uint_eq(c->tif, SB_TIF_IOC);
    ck_assert_uint_eq(c->display, 'A');
}
END_TEST

START_TEST(order_echo)
{
    uint8_t p[64];
    const uint32_t len = wire_unhex(enter_hex, p, sizeof p);
    memcpy(p + 31, "client-order-9", 14);
    const struct sb_command *c = decode(p, len);
    ck_assert_uint_eq(c->flags, SB_CMD_F_EXT);
    ck_assert_mem_eq(command.ext.order.clordid, "client-order-9", 14);
    ck_assert_uint_eq(command.ext.order.iso, 'N');
    ck_assert_uint_eq(command.ext.order.cross, 'N');
    static const uint8_t zero[48] = {0};
    ck_assert_mem_eq(command.ext.bytes + 16, zero, 48);
    memset(p + 31, ' ', 14);
    p[29] = 'Y';
    c = decode(p, len);
    ck_assert_uint_eq(c->kind, SB_CMD_ORDER);
    ck_assert_uint_eq(c->flags, SB_CMD_F_EXT);
    ck_assert_uint_eq(command.ext.order.iso, 'Y');
}
END_TEST

START_TEST(order_prices)
{
    static const struct {
        uint64_t wire;
        int64_t price;
    } cases[] = {{0, 0},
                 {1, 1},
                 {1999999900, 1999999900},
                 {1999999901, INT64_MAX},
                 {2000000001, INT64_MAX},
                 {0x7FFFFFFE, INT64_MAX},
                 {0xFFFFFFFF, INT64_MAX},
                 {UINT64_C(1) << 63, INT64_MAX},
                 {UINT64_MAX - 1, INT64_MAX}};
    uint8_t p[64];
    const uint32_t len = wire_unhex(enter_hex, p, sizeof p);
    for (uint32_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        put64(p + 18, cases[i].wire);
        ck_assert_int_eq(decode(p, len)->price, cases[i].price);
        ck_assert_uint_eq(command.c.flags, 0);
    }
}
END_TEST

/* A market order, whatever its time in force: the engine says what goes together. Of a peg: no limit. */
START_TEST(order_market)
{
    static const uint64_t prices[] = {0x7FFFFFFF, 2000000000, UINT64_MAX};
    uint8_t p[64];
    uint32_t len = wire_unhex(enter_hex, p, sizeof p);
    for (uint32_t i = 0; i < 3; i++) {
        put64(p + 18, prices[i]);
        p[26] = '0';
        ck_assert_uint_eq(decode(p, len)->kind, SB_CMD_ORDER);
        ck_assert_int_eq(command.c.price, 0);
        ck_assert_uint_eq(command.c.tif, SB_TIF_DAY);
        ck_assert_uint_eq(command.c.flags, SB_CMD_F_EXT);
        ck_assert_uint_eq(command.ext.order.type, SB_TYPE_MARKET);
        p[26] = '3';
        ck_assert_uint_eq(decode(p, len)->tif, SB_TIF_IOC);
        ck_assert_uint_eq(command.ext.order.type, SB_TYPE_MARKET);
    }
    p[46] = 3;
    memcpy(p + 47, "\x02\x06\x52", 3);
    len = 50;
    p[26] = '0';
    ck_assert_uint_eq(decode(p, len)->kind, SB_CMD_ORDER);
    ck_assert_int_eq(command.c.price, 0);
    ck_assert_uint_eq(command.ext.order.type, SB_TYPE_LIMIT);
    ck_assert_uint_eq(command.ext.order.peg, SB_PEG_PRIMARY);
    p[27] = '?'; /* nothing of the price is left either */
    expect_invalid(p, len, SB_REASON_DISPLAY, 0x102);
    ck_assert_int_eq(command.c.price, 0);
    len = wire_unhex(replace_hex, p, sizeof p); /* not in a Replace */
    put64(p + 13, 0x7FFFFFFF);
    ck_assert_int_eq(decode(p, len)->price, INT64_MAX);
}
END_TEST

START_TEST(order_until)
{
    uint8_t p[64];
    wire_unhex(enter_hex, p, sizeof p);
    p[26] = '6';
    ck_assert_uint_eq(decode(p, 47)->tif, SB_TIF_GTD); /* without a time: the engine's */
    ck_assert_uint_eq(command.c.flags, 0);
    p[46] = 6;
    memcpy(p + 47, "\x05\x0f\x00\x00\x00\x3c", 6);
    ck_assert_uint_eq(decode(p, 53)->kind, SB_CMD_ORDER);
    ck_assert_uint_eq(command.ext.order.expire_ns, UINT64_C(1795305660000000000));
    memcpy(p + 49, "\x00\x00\x00\x00", 4);
    ck_assert_uint_eq(decode(p, 53)->kind, SB_CMD_ORDER);
    ck_assert_uint_eq(command.ext.order.expire_ns, NOW);
    memcpy(p + 49, "\x00\x01\x51\x7f", 4); /* 86399 */
    ck_assert_uint_eq(decode(p, 53)->kind, SB_CMD_ORDER);
    ck_assert_uint_eq(command.ext.order.expire_ns, UINT64_C(1795391999000000000));
    p[52] = 0x80;
    expect_invalid(p, 53, SB_REASON_DISPLAY, 0x102);
    p[52] = 0x7f;
    p[26] = '0'; /* a time without need: the engine's */
    ck_assert_uint_eq(decode(p, 53)->kind, SB_CMD_ORDER);
    ck_assert_uint_eq(command.ext.order.expire_ns, UINT64_C(1795391999000000000));
    p[26] = '6';
    for (uint32_t i = 0; i < 2; i++) {
        p[30] = (uint8_t) "OC"[i];
        expect_invalid(p, 53, SB_REASON_TIF, 0x102);
    }
}
END_TEST

START_TEST(order_refused)
{
    uint8_t p[128] = {0};
    const uint32_t len = wire_unhex(enter_hex, p, sizeof p);
    memcpy(p + 31, "client-order-9", 14);
    for (uint32_t c = 0; c < 256; c++) {
        p[5] = (uint8_t)c;
        if (c == 0 || strchr("BSTE", (int)c) == NULL)
            expect_invalid(p, len, SB_REASON_SIDE, 0x102);
    }
    ck_assert_uint_eq(command.c.flags, SB_CMD_F_EXT); /* J echoes ClOrdID */
    ck_assert_mem_eq(command.ext.order.clordid, "client-order-9", 14);
    p[5] = 'S';
    for (uint32_t c = 0; c < 256; c++) {
        p[26] = (uint8_t)c;
        if (c != '0' && c != '3' && c != '6')
            expect_invalid(p, len, SB_REASON_TIF, 0x102);
    }
    p[26] = '0';
    for (uint32_t c = 0; c < 256; c++) {
        p[27] = (uint8_t)c;
        if (c == 0 || strchr("YAN", (int)c) == NULL)
            expect_invalid(p, len, SB_REASON_DISPLAY, 0x102);
    }
    p[27] = 'Y';
    for (uint32_t c = 0; c < 256; c++) {
        p[30] = (uint8_t)c;
        if (c == 0 || strchr("NOC", (int)c) == NULL)
            expect_invalid(p, len, SB_REASON_DISPLAY, 0x102);
    }
    p[30] = 'O'; /* at the open, and at once */
    p[26] = '3';
    expect_invalid(p, len, SB_REASON_TIF, 0x102);
    p[30] = 'N';
    p[26] = p[27] = p[5] = '?'; /* of several reasons: side, then time in force */
    expect_invalid(p, len, SB_REASON_SIDE, 0x102);
    p[5] = 'B';
    expect_invalid(p, len, SB_REASON_TIF, 0x102);
}
END_TEST

START_TEST(order_options)
{
    uint8_t p[128] = {0};
    wire_unhex(enter_hex, p, sizeof p);
    p[46] = 9; /* firm and group: read over */
    memcpy(p + 47,
           "\x05\x02"
           "FIRM\x03\x18\x01\x02",
           10);
    p[46] = 10;
    ck_assert_uint_eq(decode(p, 57)->kind, SB_CMD_ORDER);
    for (uint32_t tag = 0; tag < 256; tag++) {
        p[46] = 2;
        p[47] = 1;
        p[48] = (uint8_t)tag;
        const bool known =
            tag != 0 && tag < 256 && strchr("\2\3\5\6\7\14\15\17\30", (int)tag) != NULL;
        expect_invalid(p, 49, known ? SB_REASON_MALFORMED : SB_REASON_DISPLAY, 0x102);
    }
    memcpy(p + 47, "\x03\x18\x01\x02\x02\x0c\x58", 7); /* group, then post-only neither P nor N */
    p[46] = 7;
    expect_invalid(p, 54, SB_REASON_DISPLAY, 0x102);
    p[47] = 9; /* runs over the end: broken, but the fixed part says the key */
    expect_invalid(p, 54, SB_REASON_MALFORMED, 0x102);
    expect_invalid(p, 53, SB_REASON_MALFORMED, 0x102);
    expect_invalid(p, 46, SB_REASON_MALFORMED, 0);
}
END_TEST

static const struct sb_command *with_options(const char *hex)
{
    static uint8_t p[128];
    wire_unhex(enter_hex, p, sizeof p);
    p[46] = (uint8_t)wire_unhex(hex, p + 47, sizeof p - 47);
    return decode(p, 47u + p[46]);
}

START_TEST(order_terms)
{
    uint8_t p[64];
    const uint32_t len = wire_unhex(enter_hex, p, sizeof p);
    p[27] = 'N';
    const struct sb_command *c = decode(p, len);
    ck_assert_uint_eq(c->kind, SB_CMD_ORDER);
    ck_assert_uint_eq(c->flags, SB_CMD_F_EXT);
    ck_assert_uint_eq(command.ext.order.attributes, SB_ATTR_HIDDEN);
    ck_assert_mem_eq(command.ext.order.clordid, "              ", 14);
    p[27] = 'Y';
    p[30] = 'O';
    ck_assert_uint_eq(decode(p, len)->tif, SB_TIF_AT_OPEN);
    p[30] = 'C';
    ck_assert_uint_eq(decode(p, len)->tif, SB_TIF_AT_CLOSE);
    ck_assert_uint_eq(command.ext.order.cross, 'C');

    ck_assert_uint_eq(with_options("05 03 00000064")->kind, SB_CMD_ORDER);
    ck_assert_uint_eq(command.ext.order.min_quantity, 100);
    ck_assert_uint_eq(with_options("05 05 00000064 05 0d 0000000a")->kind, SB_CMD_ORDER);
    ck_assert_uint_eq(command.ext.order.display_quantity, 100);
    ck_assert_uint_eq(command.ext.order.refresh_range, 10);
    ck_assert_uint_eq(with_options("02 0c 50")->kind, SB_CMD_ORDER);
    ck_assert_uint_eq(command.ext.order.attributes, SB_ATTR_POST_ONLY);
    ck_assert_uint_eq(with_options("02 0c 4e")->flags, 0); /* not post-only: no terms */
    static const struct {
        const char *hex;
        uint8_t peg;
    } pegs[] = {{"02 06 50 05 07 ffffff9c", SB_PEG_MARKET},
                {"02 06 52 05 07 ffffff9c", SB_PEG_PRIMARY},
                {"02 06 4d 05 07 ffffff9c", SB_PEG_MIDPOINT},
                {"02 06 4c 05 07 ffffff9c", SB_PEG_NONE}};
    for (uint32_t i = 0; i < 4; i++) {
        ck_assert_uint_eq(with_options(pegs[i].hex)->kind, SB_CMD_ORDER);
        ck_assert_uint_eq(command.ext.order.peg, pegs[i].peg);
        ck_assert_int_eq(command.ext.order.peg_offset, -100);
    }
    ck_assert_uint_eq(with_options("02 06 51")->kind, SB_CMD_INVALID); /* market maker's */
    ck_assert_uint_eq(command.c.reason, SB_REASON_DISPLAY);
    ck_assert_uint_eq(command.c.flags, 0); /* nothing of them is left */
}
END_TEST

START_TEST(replace)
{
    uint8_t p[64];
    const uint32_t len = wire_unhex(replace_hex, p, sizeof p);
    const struct sb_command *c = decode(p, len);
    ck_assert_uint_eq(c->kind, SB_CMD_REPLACE);
    ck_assert_uint_eq(c->orig_key, 0x102);
    ck_assert_uint_eq(c->key, 0x103);
    ck_assert_uint_eq(c->quantity, 200);
    ck_assert_int_eq(c->price, 12346);
    ck_assert_uint_eq(c->tif, SB_TIF_IOC);
    ck_assert_uint_eq(c->display, 'A');
    ck_assert_uint_eq(c->flags, SB_CMD_F_EXT);
    ck_assert_mem_eq(command.ext.order.clordid, "R             ", 14);
    ck_assert_uint_eq(command.ext.order.iso, 'N');
    ck_assert_uint_eq(command.ext.order.cross, 'N');
    for (uint32_t i = 0; i < 2; i++) {
        p[21] = (uint8_t) "56"[i];
        expect_invalid(p, len, SB_REASON_TIF, 0x103);
    }
    p[21] = '0';
    p[22] = 'N';
    expect_invalid(p, len, SB_REASON_DISPLAY, 0x103);
    p[22] = 'Y';
    p[39] = 1;
    expect_invalid(p, len, SB_REASON_MALFORMED, 0x103);
    expect_invalid(p, len - 1, SB_REASON_MALFORMED, 0);
    p[39] = 0;
    p[24] = ' ';
    ck_assert_uint_eq(decode(p, len)->flags, 0);
}
END_TEST

START_TEST(cancel)
{
    uint8_t p[16] = {0};
    wire_unhex("58 00000102 00000064 0000", p, sizeof p);
    for (uint32_t len = 9; len <= 11; len += 2) {
        const struct sb_command *c = decode(p, len);
        ck_assert_uint_eq(c->kind, SB_CMD_CANCEL);
        ck_assert_uint_eq(c->key, 0x102);
        ck_assert_uint_eq(c->quantity, 100);
        ck_assert_uint_eq(c->flags, 0);
    }
    expect_invalid(p, 8, SB_REASON_MALFORMED, 0);
    expect_invalid(p, 10, SB_REASON_MALFORMED, 0);
    expect_invalid(p, 12, SB_REASON_MALFORMED, 0);
    p[10] = 1;
    expect_invalid(p, 11, SB_REASON_MALFORMED, 0);
}
END_TEST

START_TEST(login)
{
    uint8_t p[16] = {0};
    wire_unhex("4c 8102030405060708 0a000107 a028", p, sizeof p);
    const struct sb_command *c = decode(p, 15);
    ck_assert_uint_eq(c->kind, SB_CMD_LOGIN);
    ck_assert_uint_eq(c->flags, SB_CMD_F_EXT);
    ck_assert_uint_eq((uint64_t)c->price, 0x8102030405060708);
    ck_assert_uint_eq(command.ext.login.ipv4, 0x0A000107);
    ck_assert_uint_eq(command.ext.login.port, 41000);
    ck_assert_uint_eq(c->key, 0);
    expect_invalid(p, 14, SB_REASON_MALFORMED, 0);
    expect_invalid(p, 16, SB_REASON_MALFORMED, 0);
    p[9] = 0xDF;
    ck_assert_uint_eq(decode(p, 15)->kind, SB_CMD_LOGIN);
    p[9] = 0xE0; /* a group */
    expect_invalid(p, 15, SB_REASON_MALFORMED, 0);
    memset(p + 9, 0xFF, 4); /* all hosts */
    expect_invalid(p, 15, SB_REASON_MALFORMED, 0);
    memset(p + 9, 0, 4);
    expect_invalid(p, 15, SB_REASON_MALFORMED, 0);
    p[9] = 10;
    p[13] = p[14] = 0;
    expect_invalid(p, 15, SB_REASON_MALFORMED, 0);
}
END_TEST

START_TEST(phase)
{
    static const struct {
        char wire;
        uint8_t kind, phase;
    } cases[] = {{'C', SB_CMD_PHASE, SB_PHASE_CLOSED},
                 {'A', SB_CMD_PHASE, SB_PHASE_AUCTION},
                 {'T', SB_CMD_PHASE, SB_PHASE_CONTINUOUS},
                 {'H', SB_CMD_PHASE, SB_PHASE_HALTED},
                 {'U', SB_CMD_UNCROSS, 0},
                 {'I', SB_CMD_INDICATIVE, 0}};
    uint8_t p[32] = {0};
    for (uint32_t i = 0; i < 6; i++) {
        wire_unhex("50 00000009 4d53465420202020 00 0000000000000000", p, sizeof p);
        p[13] = (uint8_t)cases[i].wire;
        const struct sb_command *c = decode(p, 22);
        ck_assert_uint_eq(c->kind, cases[i].kind);
        ck_assert_uint_eq(c->phase, cases[i].phase);
        ck_assert_uint_eq(c->key, 9);
        ck_assert_uint_eq(c->instrument, 0);
        ck_assert_mem_eq(symbol, "MSFT    ", 8);
        memset(p + 5, ' ', 8);
        c = decode(p, 22);
        ck_assert_uint_eq(c->kind, cases[i].kind);
        ck_assert_uint_eq(c->instrument, SB_INSTRUMENT_ALL);
    }
    expect_invalid(p, 21, SB_REASON_MALFORMED, 0);
    expect_invalid(p, 23, SB_REASON_MALFORMED, 0);
    p[21] = 1;
    expect_invalid(p, 22, SB_REASON_MALFORMED, 0);
    p[21] = 0;
    p[13] = 'Q';
    expect_invalid(p, 22, SB_REASON_MALFORMED, 0);
}
END_TEST

/* Where each byte of a message may be something else: put(v) at `at` must be refused for all but these. */
static void expect_only(const char *hex, uint32_t len, uint32_t at, const char *taken, uint32_t n)
{
    uint8_t p[64];
    for (uint32_t v = 0; v < 256; v++) {
        ck_assert_uint_eq(wire_unhex(hex, p, sizeof p), len);
        p[at] = (uint8_t)v;
        if (memchr(taken, (int)v, n) == NULL)
            expect_invalid(p, len, SB_REASON_MALFORMED, 0);
        else
            ck_assert_uint_ne(decode(p, len)->kind, SB_CMD_INVALID);
    }
}

/* No other length is such a message. */
static void expect_length(const char *hex)
{
    uint8_t p[64] = {0};
    const uint32_t len = wire_unhex(hex, p, sizeof p);
    for (uint32_t n = 1; n <= 64; n++)
        if (n != len)
            expect_invalid(p, n, SB_REASON_MALFORMED, 0);
}

START_TEST(auction_kind)
{
    static const struct {
        uint8_t wire, auction;
    } cases[] = {{0, SB_AUCTION_INTRADAY},
                 {'O', SB_AUCTION_OPENING},
                 {'C', SB_AUCTION_CLOSING},
                 {'V', SB_AUCTION_VOLATILITY}};
    static const char hex[] = "50 00000009 4d53465420202020 41 00 00000000000000";
    uint8_t p[32];
    for (uint32_t i = 0; i < 4; i++) {
        wire_unhex(hex, p, sizeof p);
        p[14] = cases[i].wire;
        const struct sb_command *c = decode(p, 22);
        ck_assert_uint_eq(c->kind, SB_CMD_PHASE);
        ck_assert_uint_eq(c->phase, SB_PHASE_AUCTION);
        ck_assert_uint_eq(c->auction, cases[i].auction);
    }
    expect_only(hex, 22, 14, "\0OCV", 4);
    expect_only(hex, 22, 15, "\0", 1);
    for (uint32_t i = 0; i < 5; i++) { /* of an auction only */
        p[13] = (uint8_t) "CTHUI"[i];
        expect_invalid(p, 22, SB_REASON_MALFORMED, 0);
    }
}
END_TEST

START_TEST(mass_cancel)
{
    static const char own[] = "57 00000009 4d53465420202020 53 00000000 20 000000";
    uint8_t p[32];
    wire_unhex(own, p, sizeof p);
    const struct sb_command *c = decode(p, 22);
    ck_assert_uint_eq(c->kind, SB_CMD_MASS_CANCEL);
    ck_assert_uint_eq(c->key, 9);
    ck_assert_uint_eq(c->scope, SB_SCOPE_SESSION);
    ck_assert_uint_eq(c->orig_key | c->flags | c->side | c->instrument, 0);
    ck_assert_mem_eq(symbol, "MSFT    ", 8);
    wire_unhex("57 00000009 2020202020202020 46 00000007 53 000000", p, sizeof p);
    c = decode(p, 22);
    ck_assert_uint_eq(c->kind, SB_CMD_MASS_CANCEL);
    ck_assert_uint_eq(c->instrument, SB_INSTRUMENT_ALL);
    ck_assert_uint_eq(c->scope, SB_SCOPE_FIRM);
    ck_assert_uint_eq(c->orig_key, 7);
    ck_assert_uint_eq(c->flags, SB_CMD_F_ONE_SIDE);
    ck_assert_uint_eq(c->side, SB_SELL);
    p[18] = 'B';
    ck_assert_uint_eq(decode(p, 22)->side, SB_BUY);
    ck_assert_uint_eq(command.c.flags, SB_CMD_F_ONE_SIDE);
    memset(p + 14, 0, 4); /* a firm has a number */
    expect_invalid(p, 22, SB_REASON_MALFORMED, 0);
    p[13] = 'A';
    ck_assert_uint_eq(decode(p, 22)->scope, SB_SCOPE_ALL);
    p[17] = 1; /* whom? */
    expect_invalid(p, 22, SB_REASON_MALFORMED, 0);
    expect_only(own, 22, 13, "SA", 2);
    expect_only(own, 22, 18, " BS", 3);
    for (uint32_t at = 19; at < 22; at++)
        expect_only(own, 22, at, "\0", 1);
    expect_length(own);
}
END_TEST

START_TEST(kill)
{
    static const char block[] = "4b 00000009 53 00000003 42 0000000000000000000000";
    uint8_t p[32];
    wire_unhex(block, p, sizeof p);
    const struct sb_command *c = decode(p, 22);
    ck_assert_uint_eq(c->kind, SB_CMD_KILL);
    ck_assert_uint_eq(c->key, 9);
    ck_assert_uint_eq(c->scope, SB_SCOPE_SESSION);
    ck_assert_uint_eq(c->orig_key, 3);
    ck_assert_uint_eq(c->quantity, 1);
    p[5] = 'F';
    p[10] = 'L';
    c = decode(p, 22);
    ck_assert_uint_eq(c->scope, SB_SCOPE_FIRM);
    ck_assert_uint_eq(c->quantity, 0);
    p[9] = 0; /* a firm has a number */
    expect_invalid(p, 22, SB_REASON_MALFORMED, 0);
    expect_only(block, 22, 5, "SF", 2);
    expect_only(block, 22, 10, "BL", 2);
    for (uint32_t at = 11; at < 22; at++)
        expect_only(block, 22, at, "\0", 1);
    expect_length(block);
}
END_TEST

START_TEST(amend)
{
    static const char hex[] = "41 00000102 000000c8 000000000000303a";
    uint8_t p[32];
    wire_unhex(hex, p, sizeof p);
    const struct sb_command *c = decode(p, 17);
    ck_assert_uint_eq(c->kind, SB_CMD_AMEND);
    ck_assert_uint_eq(c->key, 0x102);
    ck_assert_uint_eq(c->quantity, 200);
    ck_assert_int_eq(c->price, 12346);
    ck_assert_uint_eq(c->flags, 0);
    p[9] = 0x80; /* the engine refuses it */
    ck_assert_int_eq(decode(p, 17)->price, INT64_MAX);
    expect_length(hex);
}
END_TEST

START_TEST(quote)
{
    static const char hex[] = "54 00000102 4d53465420202020 00003039 0000012c 0000303a ffffffff 50";
    uint8_t p[32];
    wire_unhex(hex, p, sizeof p);
    const struct sb_command *c = decode(p, 30);
    ck_assert_uint_eq(c->kind, SB_CMD_QUOTE);
    ck_assert_uint_eq(c->flags, SB_CMD_F_EXT);
    ck_assert_uint_eq(c->key, 0x102);
    ck_assert_uint_eq(c->capacity, 'P');
    ck_assert_uint_eq(c->instrument, 0);
    ck_assert_mem_eq(symbol, "MSFT    ", 8);
    ck_assert_uint_eq(command.ext.quote.count, 1);
    ck_assert_uint_eq(command.ext.quote.entry[0].instrument, 0);
    ck_assert_uint_eq(command.ext.quote.entry[0].bid_price, 12345);
    ck_assert_uint_eq(command.ext.quote.entry[0].bid_quantity, 300);
    ck_assert_uint_eq(command.ext.quote.entry[0].ask_price, 12346);
    ck_assert_uint_eq(command.ext.quote.entry[0].ask_quantity, UINT32_MAX);
    expect_length(hex);
}
END_TEST

START_TEST(unknown)
{
    uint8_t p[64] = {0};
    expect_invalid(p, 0, SB_REASON_MALFORMED, 0);
    for (uint32_t type = 0; type < 256; type++)
        for (uint32_t len = 1; len <= 64; len++) {
            p[0] = (uint8_t)type;
            if (type == 0 || strchr("OUXLPWKATN", (int)type) == NULL)
                expect_invalid(p, len, SB_REASON_MALFORMED, 0);
        }
}
END_TEST

/* decode() checks each result against the format. */
START_TEST(random_bytes)
{
    uint64_t seed = 42;
    uint32_t kinds[256] = {0};
    for (uint32_t i = 0; i < 40000; i++) {
        uint8_t p[300];
        uint32_t len = (uint32_t)(wire_random(&seed) % 300);
        for (uint32_t k = 0; k < len; k++)
            p[k] = (uint8_t)wire_random(&seed);
        switch (i % 5) { /* four of five start from something that makes sense */
        case 1:
            len = wire_unhex(enter_hex, p, sizeof p);
            break;
        case 2:
            len = wire_unhex(replace_hex, p, sizeof p);
            break;
        case 4:
            len = wire_unhex(new_hex, p, sizeof p);
            break;
        case 3:
            if (len > 0)
                p[0] = (uint8_t) "OUXLPWKATN"[i / 5 % 10];
            if (i / 5 % 10 >= 2)
                len = (const uint8_t[]){9, 15, 22, 22, 22, 17, 30, 88}[i / 5 % 10 - 2];
            break;
        default:
            break;
        }
        if (len > 0 && i % 5 != 3)
            p[wire_random(&seed) % len] = (uint8_t)wire_random(&seed);
        kinds[decode(p, len)->kind]++;
    }
    ck_assert_uint_gt(kinds[SB_CMD_ORDER], 200);
    ck_assert_uint_gt(kinds[SB_CMD_REPLACE], 200);
    ck_assert_uint_gt(kinds[SB_CMD_CANCEL], 200);
    ck_assert_uint_gt(kinds[SB_CMD_LOGIN], 200);
    ck_assert_uint_gt(kinds[SB_CMD_AMEND], 200);
    ck_assert_uint_gt(kinds[SB_CMD_QUOTE], 200);
    ck_assert_uint_gt(kinds[SB_CMD_INVALID], 200);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("command");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, order);
    tcase_add_test(t, order_echo);
    tcase_add_test(t, order_prices);
    tcase_add_test(t, order_market);
    tcase_add_test(t, order_until);
    tcase_add_test(t, order_refused);
    tcase_add_test(t, order_options);
    tcase_add_test(t, order_terms);
    tcase_add_test(t, replace);
    tcase_add_test(t, cancel);
    tcase_add_test(t, login);
    tcase_add_test(t, phase);
    tcase_add_test(t, auction_kind);
    tcase_add_test(t, mass_cancel);
    tcase_add_test(t, kill);
    tcase_add_test(t, amend);
    tcase_add_test(t, quote);
    tcase_add_test(t, unknown);
    tcase_add_test(t, random_bytes);
    Suite *s = suite_create("wire command");
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    const int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
