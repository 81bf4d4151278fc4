/* Definitions, phases, the operator's right, and the call auction with each branch of its price rule. */
#include <string.h>

#include "rig.h"

static struct rig r;

static void setup(void)
{
    rig_open(&r, &rig_limits, SB_PHASE_AUCTION);
}
static void teardown(void)
{
    rig_close(&r);
}

START_TEST(day_opens_everything)
{
    rig_close(&r);
    rig_blank(&r, &rig_limits);
    struct sb_command2 session = {
        .c = {.kind = SB_CMD_SESSION, .flags = SB_CMD_F_EXT, .key = 1, .firm = 6}};
    struct sb_command2 day = {.c = {.kind = SB_CMD_DAY, .flags = SB_CMD_F_EXT},
                              .ext.day = {.midnight_ns = 5,
                                          .trading_day = 20261122,
                                          .shard = 2,
                                          .generation = 3,
                                          .rules = SB_ENGINE_RULES}};
    rig_send(&r, session);
    rig_phase(&r, 0, SB_INSTRUMENT_ALL, SB_PHASE_CONTINUOUS);
    rig_expect(&r, "");
    ck_assert_uint_eq(sb_engine_stats(r.e)->ignored_session, 2);
    ck_assert_uint_eq(sb_engine_session(r.e, 1)->defined, 0);
    struct sb_command2 others = day; /* a day under other rules */
    for (uint16_t rules = 0; rules <= SB_ENGINE_RULES + 1; rules += SB_ENGINE_RULES + 1) {
        others.ext.day.rules = rules;
        rig_send(&r, others);
        rig_send(&r, session);
        rig_expect(&r, "");
    }
    ck_assert_uint_eq(sb_engine_stats(r.e)->ignored_session, 6);
    ck_assert_uint_eq(sb_engine_day(r.e)->trading_day, 0);
    rig_send(&r, day);
    rig_expect(&r, "F SYS O\n");
    day.ext.day.trading_day = 20261123;
    rig_send(&r, day);
    rig_expect(&r, "");
    ck_assert_uint_eq(sb_engine_day(r.e)->trading_day, 20261122);
    ck_assert_uint_eq(sb_engine_day(r.e)->midnight_ns, 5);
    ck_assert_uint_eq(sb_engine_day(r.e)->shard, 2);
    ck_assert_uint_eq(sb_engine_day(r.e)->generation, 3);
    rig_send(&r, session);
    session.c.firm = 7; /* defined already */
    rig_send(&r, session);
    session.c.key = RIG_SESSIONS + 1;
    rig_send(&r, session);
    session.c.key = 0;
    rig_send(&r, session);
    rig_expect(&r, "");
    ck_assert_uint_eq(sb_engine_session(r.e, 1)->firm, 6);
    ck_assert_uint_eq(sb_engine_stats(r.e)->ignored_session, 10);
}
END_TEST

START_TEST(instrument_definitions)
{
    const struct sb_command2 good = {
        .c = {.kind = SB_CMD_INSTRUMENT, .flags = SB_CMD_F_EXT, .instrument = 3},
        .ext.instrument = {.symbol = {'C', 'C', ' ', ' ', ' ', ' ', ' ', ' '},
                           .tick = 5,
                           .price_min = 5,
                           .price_max = 100,
                           .lot = 2,
                           .quantity_max = 8,
                           .phase = SB_PHASE_HALTED}};
    struct sb_command2 bad[12];
    for (int i = 0; i < 12; i++)
        bad[i] = good;
    bad[0].c.instrument = 0;
    bad[1].c.instrument = 5; /* instruments_max is 4 */
    bad[2].c.instrument = 1; /* defined */
    memcpy(bad[3].ext.instrument.symbol, "AAA     ", 8);
    memcpy(bad[4].ext.instrument.symbol, "        ", 8);
    bad[5].ext.instrument.tick = 0;
    bad[6].ext.instrument.price_min = 0;
    bad[7].ext.instrument.price_max = 102;
    bad[8].ext.instrument.price_max = SB_PRICE_MAX + 100;
    bad[9].ext.instrument.lot = 0;
    bad[10].ext.instrument.quantity_max = 1;
    bad[11].ext.instrument.phase = 4;
    for (int i = 0; i < 12; i++)
        rig_send(&r, bad[i]);
    rig_expect(&r, "");
    ck_assert_uint_eq(sb_engine_stats(r.e)->ignored_session, 12);
    ck_assert_uint_eq(sb_engine_instruments(r.e), 2);
    ck_assert_uint_eq(sb_engine_find_symbol(r.e, "CC      "), SB_INSTRUMENT_NONE);
    rig_send(&r, good);
    rig_expect(&r, "F DIR i3 lot 2\nF PHASE i3 3\n");
    ck_assert_uint_eq(sb_engine_instruments(r.e), 3);
    ck_assert_uint_eq(sb_engine_find_symbol(r.e, "CC      "), 3);
    ck_assert_uint_eq(sb_engine_find_symbol(r.e, "AAA     "), 1);
    ck_assert_uint_eq(sb_engine_find_symbol(r.e, "BBB     "), 2);
    ck_assert_uint_eq(sb_engine_find_symbol(r.e, "ZZZ     "), SB_INSTRUMENT_NONE);
    ck_assert_int_eq(sb_engine_instrument(r.e, 3)->price_max, 100);
}
END_TEST

START_TEST(operator_right_and_reasons)
{
    rig_phase(&r, 1, 1, SB_PHASE_CONTINUOUS);
    rig_uncross(&r, 1, 1);
    rig_expect(&r, "1 OP i1 phase 2 reason 27 q0\n1 OP i1 phase 0 reason 27 q0\n");
    rig_phase(&r, RIG_OPERATOR, 9, SB_PHASE_CONTINUOUS);
    rig_uncross(&r, RIG_OPERATOR, 0);
    rig_expect(&r, "4 OP i9 phase 2 reason 16 q0\n4 OP i0 phase 0 reason 16 q0\n");
    rig_phase(&r, RIG_OPERATOR, 1, SB_PHASE_AUCTION); /* is in it already */
    rig_expect(&r, "4 OP i1 phase 1 reason 0 q0\n");
    rig_phase(&r, RIG_OPERATOR, 1, SB_PHASE_CONTINUOUS);
    rig_uncross(&r, RIG_OPERATOR, 1);
    rig_expect(&r, "F PHASE i1 2\n4 OP i1 phase 2 reason 0 q0\n4 OP i1 phase 0 reason 31 q0\n");
    /* All: instrument 2 can, 1 cannot; the first reason stands for both. */
    rig_uncross(&r, RIG_OPERATOR, SB_INSTRUMENT_ALL);
    rig_expect(&r, "4 OP i-1 phase 0 reason 31 q0\n");
    rig_phase(&r, 0, SB_INSTRUMENT_ALL, SB_PHASE_HALTED); /* the shard gets no answer */
    rig_expect(&r, "F PHASE i1 3\nF PHASE i2 3\n");
}
END_TEST

START_TEST(continuous_is_refused_while_crossed)
{
    rig_order(&r, 1, 1, SB_BUY, 10, 5000);
    rig_order(&r, 2, 1, SB_SELL, 10, 5000);
    rig_expect(&r, "1 ACC k1 B 10@5000 r1\nF ADD r1 B 10@5000\n"
                   "2 ACC k1 S 10@5000 r2\nF ADD r2 S 10@5000\n");
    rig_phase(&r, RIG_OPERATOR, SB_INSTRUMENT_ALL, SB_PHASE_CONTINUOUS);
    rig_expect(&r, "F PHASE i2 2\n4 OP i-1 phase 2 reason 30 q0\n");
    ck_assert_uint_eq(sb_engine_instrument(r.e, 1)->phase, SB_PHASE_AUCTION);
    rig_uncross(&r, RIG_OPERATOR, 1);
    rig_forget(&r);
    rig_phase(&r, RIG_OPERATOR, 1, SB_PHASE_CONTINUOUS);
    rig_expect(&r, "F PHASE i1 2\n4 OP i1 phase 2 reason 0 q0\n");
}
END_TEST

START_TEST(closing_cancels_best_and_oldest_first)
{
    rig_order(&r, 1, 1, SB_SELL, 10, 5010);
    rig_order(&r, 1, 2, SB_BUY, 10, 4990);
    rig_order(&r, 1, 3, SB_BUY, 20, 5000);
    rig_order(&r, 2, 1, SB_BUY, 30, 5000);
    rig_forget(&r);
    rig_phase(&r, RIG_OPERATOR, 1, SB_PHASE_CLOSED);
    rig_expect(&r, "1 CXL k3 B 20 r3 reason 3\nF DEL r3 B\n2 CXL k1 B 30 r4 reason 3\nF DEL r4 B\n"
                   "1 CXL k2 B 10 r2 reason 3\nF DEL r2 B\n1 CXL k1 S 10 r1 reason 3\nF DEL r1 S\n"
                   "F PHASE i1 0\n4 OP i1 phase 0 reason 0 q0\n");
    ck_assert_uint_eq(sb_engine_stats(r.e)->open_orders, 0);
}
END_TEST

START_TEST(uncross_takes_the_largest_volume)
{
    rig_order(&r, 1, 1, SB_BUY, 100, 5020);
    rig_order(&r, 1, 2, SB_BUY, 100, 5010);
    rig_order(&r, 2, 1, SB_SELL, 150, 5000);
    rig_order(&r, 2, 2, SB_SELL, 100, 5010);
    rig_forget(&r);
    /* 5000: 150, 5010: 200, 5020: 100 */
    rig_uncross(&r, RIG_OPERATOR, 1);
    rig_expect(&r, "1 EXE k1 B 100@5010 r1 m1 O\n2 EXE k1 S 100@5010 r3 m1 O\n"
                   "F EXC r1 B 100@5010 m1\nF EXC r3 S 100@5010 m1\n"
                   "1 EXE k2 B 50@5010 r2 m2 O\n2 EXE k1 S 50@5010 r3 m2 O\n"
                   "F EXC r2 B 50@5010 m2\nF EXC r3 S 50@5010 m2\n"
                   "1 EXE k2 B 50@5010 r2 m3 O\n2 EXE k2 S 50@5010 r4 m3 O\n"
                   "F EXC r2 B 50@5010 m3\nF EXC r4 S 50@5010 m3\n"
                   "F CROSS i1 200@5010 m4\n4 OP i1 phase 0 reason 0 q200\n");
    ck_assert_uint_eq(sb_engine_instrument(r.e, 1)->phase, SB_PHASE_AUCTION);
    rig_uncross(&r, RIG_OPERATOR, 1); /* nothing left that crosses */
    rig_expect(&r, "4 OP i1 phase 0 reason 0 q0\n");
    rig_cancel(&r, 2, 2, 0); /* 50 of 100 are left of the last sell */
    rig_expect(&r, "2 CXL k2 S 50 r4 reason 1\nF DEL r4 S\n");
}
END_TEST

/* The price at which the orders uncross. */
static int64_t uncross_price(void)
{
    rig_uncross(&r, 0, 1);
    const struct sb_output *cross = &r.box.out[r.box.n - 1];
    ck_assert_uint_eq(cross->kind, SB_OUT_F_CROSS);
    ck_assert_uint_eq(cross->ref, 100);
    return cross->price;
}

START_TEST(uncross_then_the_smallest_imbalance)
{
    rig_order(&r, 1, 1, SB_BUY, 100, 5030);
    rig_order(&r, 1, 2, SB_BUY, 50, 5010);
    rig_order(&r, 2, 1, SB_SELL, 100, 5000);
    /* volume 100 at 5000 and 5010 (50 buys too many) and at 5030 (none) */
    ck_assert_int_eq(uncross_price(), 5030);
}
END_TEST

START_TEST(uncross_then_the_smallest_imbalance_below)
{
    rig_order(&r, 1, 1, SB_BUY, 100, 5030);
    rig_order(&r, 2, 1, SB_SELL, 100, 5000);
    rig_order(&r, 2, 2, SB_SELL, 50, 5020);
    /* volume 100 at 5000 (none left over) and at 5020 and 5030 (50 sells too many) */
    ck_assert_int_eq(uncross_price(), 5000);
}
END_TEST

START_TEST(uncross_then_the_highest_if_buys_are_left)
{
    rig_order(&r, 1, 1, SB_BUY, 150, 5030);
    rig_order(&r, 2, 1, SB_SELL, 100, 5000);
    ck_assert_int_eq(uncross_price(), 5030);
}
END_TEST

START_TEST(uncross_then_the_lowest_if_sells_are_left)
{
    rig_order(&r, 1, 1, SB_BUY, 100, 5030);
    rig_order(&r, 2, 1, SB_SELL, 150, 5000);
    ck_assert_int_eq(uncross_price(), 5000);
}
END_TEST

START_TEST(uncross_then_the_middle_rounded_down)
{
    rig_order(&r, 1, 1, SB_BUY, 100, 5030);
    rig_order(&r, 2, 1, SB_SELL, 100, 5000);
    ck_assert_int_eq(uncross_price(), 5010); /* 5015 is no tick */
}
END_TEST

START_TEST(uncross_middle_when_imbalances_differ_in_side)
{
    rig_order(&r, 1, 1, SB_BUY, 100, 5030);
    rig_order(&r, 1, 2, SB_BUY, 50, 5000);
    rig_order(&r, 2, 1, SB_SELL, 100, 5000);
    rig_order(&r, 2, 2, SB_SELL, 50, 5030);
    /* 5000: 150 against 100; 5030: 100 against 150 */
    ck_assert_int_eq(uncross_price(), 5010);
}
END_TEST

/* Orders that are out of reach decide nothing, near or far. */
START_TEST(uncross_ignores_what_is_out_of_reach)
{
    rig_order(&r, 1, 1, SB_BUY, 5000, 10);
    rig_order(&r, 2, 1, SB_SELL, 7000, 1000000);
    rig_order(&r, 1, 2, SB_BUY, 100, 500000);
    rig_order(&r, 2, 2, SB_SELL, 150, 400);
    ck_assert_int_eq(uncross_price(), 400);
    ck_assert_uint_eq(sb_engine_stats(r.e)->open_orders, 3);
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, day_opens_everything);
    tcase_add_test(tc, instrument_definitions);
    tcase_add_test(tc, operator_right_and_reasons);
    tcase_add_test(tc, continuous_is_refused_while_crossed);
    tcase_add_test(tc, closing_cancels_best_and_oldest_first);
    tcase_add_test(tc, uncross_takes_the_largest_volume);
    tcase_add_test(tc, uncross_then_the_smallest_imbalance);
    tcase_add_test(tc, uncross_then_the_smallest_imbalance_below);
    tcase_add_test(tc, uncross_then_the_highest_if_buys_are_left);
    tcase_add_test(tc, uncross_then_the_lowest_if_sells_are_left);
    tcase_add_test(tc, uncross_then_the_middle_rounded_down);
    tcase_add_test(tc, uncross_middle_when_imbalances_differ_in_side);
    tcase_add_test(tc, uncross_ignores_what_is_out_of_reach);
}

int main(void)
{
    return rig_main("engine-phase", add);
}
