/* test_encode.c: the engine's outputs as messages, against bytes written out by hand. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "nic/wire/itch.h"
#include "nic/wire/ouch.h"
#include "tests/wire/support.h"

#define MIDNIGHT UINT64_C(1795305600000000000)
#define NOW      (MIDNIGHT + UINT64_C(34200000000456)) /* 00001f1aced9f1c8 on the wire */

static void expect_session(const struct sb_output *o, const struct sb_command *cmd, const char *hex)
{
    uint8_t p[SB_OUCH_MESSAGE_MAX], want[SB_OUCH_MESSAGE_MAX];
    const uint32_t len = wire_unhex(hex, want, sizeof want);
    ck_assert_uint_eq(sb_session_encode(p, o, cmd, "MSFT    ", MIDNIGHT), len);
    ck_assert_mem_eq(p, want, len);
}

static void expect_feed(const struct sb_output *o, const char *hex)
{
    uint8_t p[SB_ITCH_MESSAGE_MAX], want[SB_ITCH_MESSAGE_MAX];
    const uint32_t len = wire_unhex(hex, want, sizeof want);
    ck_assert_uint_eq(sb_feed_encode(p, o, "MSFT    ", MIDNIGHT), len);
    ck_assert_mem_eq(p, want, len);
}

START_TEST(accepted)
{
    struct sb_output o = {.time_ns = NOW,
                          .stream = 7,
                          .kind = SB_OUT_ACCEPTED,
                          .key = 0x102,
                          .side = SB_SELL_SHORT | SB_OUT_IOC,
                          .quantity = 300,
                          .price = 12345,
                          .ref = 0x1122334455667788,
                          .instrument = 3,
                          .reason = 'A'};
    struct sb_command2 cmd = {
        .c = {.kind = SB_CMD_ORDER, .tif = SB_TIF_IOC, .display = 'A', .capacity = 'A'}};
    expect_session(
        &o, &cmd.c,
        "41 00001f1aced9f1c8 00000102 54 0000012c 4d53465420202020 0000000000003039 33 41"
        "1122334455667788 41 4e 4e 4c 2020202020202020202020202020 0000");
    cmd.c.flags = SB_CMD_F_EXT;
    cmd.c.tif = SB_TIF_DAY;
    memcpy(cmd.ext.order.clordid, "client-order-9", 14);
    cmd.ext.order.iso = 'Y';
    cmd.ext.order.cross = 'N';
    o.side = SB_BUY;
    expect_session(
        &o, &cmd.c,
        "41 00001f1aced9f1c8 00000102 42 0000012c 4d53465420202020 0000000000003039 30 41"
        "1122334455667788 41 59 4e 4c 636c69656e742d6f726465722d39 0000");
    o.side = SB_SELL_SHORT_EXEMPT; /* without the command: defaults */
    expect_session(
        &o, NULL,
        "41 00001f1aced9f1c8 00000102 45 0000012c 4d53465420202020 0000000000003039 30 59"
        "1122334455667788 20 4e 4e 4c 2020202020202020202020202020 0000");
}
END_TEST

/* A stop of ours, as ENTRY.md section 3 has its time in force. */
START_TEST(accepted_times_in_force)
{
    static const struct {
        uint8_t tif;
        char wire;
    } cases[] = {{SB_TIF_DAY, '0'}, {SB_TIF_IOC, '3'},     {SB_TIF_GTC, '1'},     {SB_TIF_GTD, '6'},
                 {SB_TIF_FOK, '4'}, {SB_TIF_AT_OPEN, '0'}, {SB_TIF_AT_CLOSE, '0'}};
    struct sb_output o = {.time_ns = NOW,
                          .stream = 7,
                          .kind = SB_OUT_ACCEPTED,
                          .key = 0x102,
                          .side = SB_SELL,
                          .quantity = 300,
                          .ref = 0x1122334455667788,
                          .instrument = 3,
                          .reason = 'A'};
    struct sb_command2 cmd = {
        .c = {.kind = SB_CMD_ORDER, .flags = SB_CMD_F_EXT, .display = 'Y', .capacity = 'A'},
        .ext.order = {.clordid = "              ", .iso = 'N', .cross = 'C'}};
    for (uint32_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t p[SB_OUCH_MESSAGE_MAX], want[SB_OUCH_MESSAGE_MAX];
        cmd.c.tif = cases[i].tif;
        o.side = SB_SELL | (cases[i].tif == SB_TIF_IOC ? SB_OUT_IOC : 0);
        wire_unhex("41 00001f1aced9f1c8 00000102 53 0000012c 4d53465420202020 0000000000000000"
                   "00 59 1122334455667788 41 4e 43 4c 2020202020202020202020202020 0000",
                   want, sizeof want);
        want[34] = (uint8_t)cases[i].wire;
        ck_assert_uint_eq(sb_session_encode(p, &o, &cmd.c, "MSFT    ", MIDNIGHT), 64);
        ck_assert_mem_eq(p, want, 64);
    }
}
END_TEST

START_TEST(replaced)
{
    const struct sb_output o = {.time_ns = NOW,
                                .stream = 7,
                                .kind = SB_OUT_REPLACED,
                                .key = 0x103,
                                .orig_key = 0x102,
                                .side = SB_SELL,
                                .quantity = 200,
                                .price = 12346,
                                .ref = 5,
                                .instrument = 3,
                                .reason = 'P'};
    struct sb_command2 cmd = {.c = {.kind = SB_CMD_REPLACE, .display = 'Y', .flags = SB_CMD_F_EXT}};
    memcpy(cmd.ext.order.clordid, "R             ", 14);
    cmd.ext.order.iso = 'Y';
    cmd.ext.order.cross = 'N';
    expect_session(&o, &cmd.c,
                   "55 00001f1aced9f1c8 00000102 00000103 53 000000c8 4d53465420202020"
                   "000000000000303a 30 59 0000000000000005 50 59 4e 4c"
                   "5220202020202020202020202020 0000");
}
END_TEST

/* As Replaced, by itself. */
START_TEST(amended)
{
    const struct sb_output o = {.time_ns = NOW,
                                .stream = 7,
                                .kind = SB_OUT_AMENDED,
                                .key = 0x103,
                                .side = SB_SELL,
                                .quantity = 200,
                                .price = 12346,
                                .ref = 5,
                                .instrument = 3,
                                .reason = 'P'};
    const struct sb_command cmd = {.kind = SB_CMD_AMEND, .display = 'Y'};
    expect_session(&o, &cmd,
                   "55 00001f1aced9f1c8 00000103 00000103 53 000000c8 4d53465420202020"
                   "000000000000303a 30 59 0000000000000005 50 4e 4e 4c"
                   "2020202020202020202020202020 0000");
}
END_TEST

START_TEST(fills_and_cancels)
{
    struct sb_output o = {.time_ns = NOW,
                          .stream = 7,
                          .kind = SB_OUT_EXECUTED,
                          .key = 0x102,
                          .quantity = 40,
                          .price = 12345,
                          .match = 9001,
                          .instrument = 3,
                          .liquidity = SB_LIQ_REMOVED};
    expect_session(
        &o, NULL,
        "45 00001f1aced9f1c8 00000102 00000028 0000000000003039 52 0000000000002329 0000");
    static const struct {
        uint8_t reason;
        const char *hex;
    } cancels[] = {{SB_REASON_USER, "43 00001f1aced9f1c8 00000102 00000028 55"},
                   {SB_REASON_IOC, "43 00001f1aced9f1c8 00000102 00000028 49"},
                   {SB_REASON_CLOSED, "43 00001f1aced9f1c8 00000102 00000028 45"},
                   {SB_REASON_REPLACE_INVALID, "43 00001f1aced9f1c8 00000102 00000028 55"},
                   {SB_REASON_SUPERVISORY, "43 00001f1aced9f1c8 00000102 00000028 53"},
                   {SB_REASON_EXPIRED, "43 00001f1aced9f1c8 00000102 00000028 54"},
                   {SB_REASON_SELF_TRADE, "43 00001f1aced9f1c8 00000102 00000028 51"},
                   {SB_REASON_OCO, "43 00001f1aced9f1c8 00000102 00000028 43"},
                   {SB_REASON_MINIMUM, "43 00001f1aced9f1c8 00000102 00000028 49"},
                   {SB_REASON_BAND, "43 00001f1aced9f1c8 00000102 00000028 44"},
                   {SB_REASON_AUCTION, "43 00001f1aced9f1c8 00000102 00000028 58"},
                   {SB_REASON_NO_ROOM, "43 00001f1aced9f1c8 00000102 00000028 53"},
                   {SB_REASON_QUOTE, "43 00001f1aced9f1c8 00000102 00000028 55"},
                   {SB_REASON_KILL, "43 00001f1aced9f1c8 00000102 00000028 53"}};
    o.kind = SB_OUT_CANCELED;
    for (uint32_t i = 0; i < sizeof cancels / sizeof cancels[0]; i++) {
        o.reason = cancels[i].reason;
        expect_session(&o, NULL, cancels[i].hex);
    }
}
END_TEST

/* The numbers beside enum sb_reason in output.h. */
START_TEST(rejected)
{
    static const struct {
        uint8_t reason, number;
    } cases[] = {{SB_REASON_SYMBOL, 0x17},       {SB_REASON_HALTED, 0x07},
                 {SB_REASON_PHASE, 0x02},        {SB_REASON_TIF, 0x0F},
                 {SB_REASON_SIDE, 0x09},         {SB_REASON_PRICE_TICK, 0x1D},
                 {SB_REASON_PRICE_BAND, 0x1D},   {SB_REASON_LOT, 0x13},
                 {SB_REASON_QUANTITY, 0x13},     {SB_REASON_FULL_ORDERS, 0x0F},
                 {SB_REASON_FULL_LEVELS, 0x0F},  {SB_REASON_NO_RIGHT, 0x0C},
                 {SB_REASON_MALFORMED, 0x0F},    {SB_REASON_DISPLAY, 0x03},
                 {SB_REASON_TERMS, 0x0F},        {SB_REASON_EXPIRY, 0x0F},
                 {SB_REASON_REDUCE_ONLY, 0x0F},  {SB_REASON_STATIC_BAND, 0x1D},
                 {SB_REASON_FAT_QUANTITY, 0x13}, {SB_REASON_FAT_NOTIONAL, 0x13},
                 {SB_REASON_MAX_ORDERS, 0x0F},   {SB_REASON_KILLED, 0x0F},
                 {SB_REASON_OCO_PARTNER, 0x0F},  {SB_REASON_POST_ONLY, 0x0F},
                 {SB_REASON_FULL_TERMS, 0x0F}};
    struct sb_output o = {.time_ns = NOW, .stream = 7, .kind = SB_OUT_REJECTED, .key = 0x102};
    struct sb_command2 cmd = {.c = {.kind = SB_CMD_INVALID, .flags = SB_CMD_F_EXT}};
    memcpy(cmd.ext.order.clordid, "client-order-9", 14);
    for (uint32_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t p[SB_OUCH_MESSAGE_MAX], want[32];
        o.reason = cases[i].reason;
        wire_unhex("4a 00001f1aced9f1c8 00000102 0000 636c69656e742d6f726465722d39", want, 32);
        want[14] = cases[i].number;
        ck_assert_uint_eq(sb_session_encode(p, &o, &cmd.c, NULL, MIDNIGHT), 29);
        ck_assert_mem_eq(p, want, 29);
    }
    cmd.c.flags = SB_CMD_F_SKIP_KEY;
    o.key = 0;
    o.reason = SB_REASON_MALFORMED;
    expect_session(&o, &cmd.c, "4a 00001f1aced9f1c8 00000000 000f 2020202020202020202020202020");
    o.reason = SB_REASON_SYMBOL;
    /* A login's second line is an address, never an identifier. */
    cmd.c.kind = SB_CMD_LOGIN;
    cmd.c.flags = SB_CMD_F_EXT;
    expect_session(&o, &cmd.c, "4a 00001f1aced9f1c8 00000000 0017 2020202020202020202020202020");
}
END_TEST

START_TEST(ours)
{
    struct sb_output o = {
        .time_ns = NOW, .stream = 7, .kind = SB_OUT_LOGIN, .quantity = 0x33, .ref = 0x100000002};
    struct sb_command cmd = {.kind = SB_CMD_PHASE};
    expect_session(&o, &cmd, "4c 00001f1aced9f1c8 0000000100000002 00000033");
    o = (struct sb_output){.time_ns = NOW, .stream = 7, .kind = SB_OUT_SYSTEM, .liquidity = 'S'};
    expect_session(&o, &cmd, "53 00001f1aced9f1c8 53");
    o = (struct sb_output){.time_ns = NOW,
                           .stream = 7,
                           .kind = SB_OUT_OPERATOR,
                           .key = 9,
                           .instrument = 3,
                           .side = SB_PHASE_HALTED << SB_OUT_PHASE_SHIFT,
                           .reason = SB_REASON_CROSSED,
                           .quantity = 0x12345};
    expect_session(&o, &cmd, "4f 00001f1aced9f1c8 00000009 4d53465420202020 48 001e 00012345");
    o.side = SB_PHASE_AUCTION << SB_OUT_PHASE_SHIFT;
    o.instrument = SB_INSTRUMENT_ALL;
    expect_session(&o, &cmd, "4f 00001f1aced9f1c8 00000009 2020202020202020 41 001e 00012345");
    o.side = SB_PHASE_CONTINUOUS << SB_OUT_PHASE_SHIFT;
    o.instrument = SB_INSTRUMENT_NONE;
    expect_session(&o, &cmd, "4f 00001f1aced9f1c8 00000009 2020202020202020 54 001e 00012345");
    o.side = 0;
    expect_session(&o, &cmd, "4f 00001f1aced9f1c8 00000009 2020202020202020 43 001e 00012345");
    cmd.kind = SB_CMD_UNCROSS;
    expect_session(&o, &cmd, "4f 00001f1aced9f1c8 00000009 2020202020202020 55 001e 00012345");
    cmd.kind = SB_CMD_INDICATIVE;
    expect_session(&o, &cmd, "4f 00001f1aced9f1c8 00000009 2020202020202020 49 001e 00012345");
    o = (struct sb_output){.time_ns = NOW,
                           .stream = 7,
                           .kind = SB_OUT_MASS,
                           .key = 9,
                           .instrument = SB_INSTRUMENT_ALL,
                           .reason = SB_REASON_NO_RIGHT,
                           .quantity = 0x12345};
    cmd.kind = SB_CMD_MASS_CANCEL;
    expect_session(&o, &cmd, "4d 00001f1aced9f1c8 00000009 2020202020202020 001b 00012345");
    o.kind = SB_OUT_QUOTED;
    o.instrument = 3;
    cmd.kind = SB_CMD_QUOTE;
    expect_session(&o, &cmd, "51 00001f1aced9f1c8 00000009 4d53465420202020 001b 00012345");
    o = (struct sb_output){.time_ns = NOW,
                           .stream = 7,
                           .kind = SB_OUT_TRIGGERED,
                           .key = 9,
                           .instrument = 3,
                           .side = SB_SELL,
                           .quantity = 0x12345,
                           .price = 0x3039,
                           .ref = 0x1122334455667788};
    expect_session(&o, &cmd,
                   "54 00001f1aced9f1c8 00000009 00012345 0000000000003039"
                   "1122334455667788");
}
END_TEST

START_TEST(feed_states)
{
    struct sb_output o = {
        .time_ns = NOW, .kind = SB_OUT_F_SYSTEM, .liquidity = 'O', .instrument = 3};
    expect_feed(&o, "53 0000 0000 1f1aced9f1c8 4f");
    o = (struct sb_output){
        .time_ns = NOW, .kind = SB_OUT_F_DIRECTORY, .instrument = 0x102, .quantity = 0x01020304};
    expect_feed(&o,
                "52 0102 0000 1f1aced9f1c8 4d53465420202020 20 20 01020304 59 51 5a20 50 20 20 20"
                "20 00000000 4e");
    static const char states[4] = {'P', 'Q', 'T', 'H'};
    for (uint32_t phase = 0; phase < 4; phase++) {
        uint8_t p[SB_ITCH_MESSAGE_MAX], want[32];
        o = (struct sb_output){.time_ns = NOW,
                               .kind = SB_OUT_F_PHASE,
                               .instrument = 3,
                               .side = (uint8_t)(phase << SB_OUT_PHASE_SHIFT)};
        wire_unhex("48 0003 0000 1f1aced9f1c8 4d53465420202020 00 20 20202020", want, 32);
        want[19] = (uint8_t)states[phase];
        ck_assert_uint_eq(sb_feed_encode(p, &o, "MSFT    ", MIDNIGHT), 25);
        ck_assert_mem_eq(p, want, 25);
    }
}
END_TEST

START_TEST(feed_orders)
{
    struct sb_output o = {.time_ns = NOW,
                          .kind = SB_OUT_F_ADD,
                          .instrument = 3,
                          .side = SB_SELL_SHORT,
                          .quantity = 300,
                          .price = SB_PRICE_MAX,
                          .ref = 0x1122334455667788,
                          .match = 9001};
    expect_feed(&o,
                "41 0003 0000 1f1aced9f1c8 1122334455667788 53 0000012c 4d53465420202020 7735939c");
    o.side = SB_BUY;
    o.price = 0x3039;
    expect_feed(&o,
                "41 0003 0000 1f1aced9f1c8 1122334455667788 42 0000012c 4d53465420202020 00003039");
    o.kind = SB_OUT_F_EXECUTED;
    expect_feed(&o, "45 0003 0000 1f1aced9f1c8 1122334455667788 0000012c 0000000000002329");
    o.kind = SB_OUT_F_EXECUTED_AT;
    expect_feed(&o,
                "43 0003 0000 1f1aced9f1c8 1122334455667788 0000012c 0000000000002329 4e 00003039");
    o.kind = SB_OUT_F_REDUCED;
    expect_feed(&o, "58 0003 0000 1f1aced9f1c8 1122334455667788 0000012c");
    o.kind = SB_OUT_F_DELETED;
    expect_feed(&o, "44 0003 0000 1f1aced9f1c8 1122334455667788");
    o.kind = SB_OUT_F_REPLACED;
    expect_feed(&o,
                "55 0003 0000 1f1aced9f1c8 0000000000002329 1122334455667788 0000012c 00003039");
    o.kind = SB_OUT_F_TRADE;
    o.side = SB_SELL; /* of what is not displayed nobody learns the side */
    o.ref = 0;
    expect_feed(&o, "50 0003 0000 1f1aced9f1c8 0000000000000000 42 0000012c 4d53465420202020"
                    "00003039 0000000000002329");
    o.ref = 0x1122334455667788;
    o.kind = SB_OUT_F_CROSS;
    expect_feed(&o, "51 0003 0000 1f1aced9f1c8 1122334455667788 4d53465420202020 00003039"
                    "0000000000002329 4f");
}
END_TEST

START_TEST(feed_indications)
{
    struct sb_output o = {.time_ns = NOW,
                          .kind = SB_OUT_F_INDICATIVE,
                          .instrument = 3,
                          .side = SB_SELL,
                          .quantity = 300,
                          .price = 0x3039,
                          .ref = 0x1122334455667788};
    expect_feed(&o, "49 0003 0000 1f1aced9f1c8 000000000000012c 1122334455667788 53"
                    "4d53465420202020 00003039 00003039 00003039 4f 20");
    o.side = SB_BUY;
    expect_feed(&o, "49 0003 0000 1f1aced9f1c8 000000000000012c 1122334455667788 42"
                    "4d53465420202020 00003039 00003039 00003039 4f 20");
    o.ref = 0;
    expect_feed(&o, "49 0003 0000 1f1aced9f1c8 000000000000012c 0000000000000000 4e"
                    "4d53465420202020 00003039 00003039 00003039 4f 20");
    o.price = o.quantity = 0;
    expect_feed(&o, "49 0003 0000 1f1aced9f1c8 0000000000000000 0000000000000000 4f"
                    "4d53465420202020 00000000 00000000 00000000 4f 20");
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("encode");
    tcase_add_test(t, accepted);
    tcase_add_test(t, accepted_times_in_force);
    tcase_add_test(t, replaced);
    tcase_add_test(t, amended);
    tcase_add_test(t, fills_and_cancels);
    tcase_add_test(t, rejected);
    tcase_add_test(t, ours);
    tcase_add_test(t, feed_states);
    tcase_add_test(t, feed_orders);
    tcase_add_test(t, feed_indications);
    Suite *s = suite_create("wire encode");
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    const int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
