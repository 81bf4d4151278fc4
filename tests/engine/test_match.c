/* Continuous matching: who trades with whom, at which price, in which order. */
#include "rig.h"

static struct rig r;

static void setup(void)
{
    rig_open(&r, &rig_limits, SB_PHASE_CONTINUOUS);
}
static void teardown(void)
{
    rig_close(&r);
}

START_TEST(rests_when_nothing_crosses)
{
    rig_order(&r, 1, 1, SB_BUY, 100, 5000);
    rig_expect(&r, "1 ACC k1 B 100@5000 r1\nF ADD r1 B 100@5000\n");
    rig_order(&r, 2, 1, SB_SELL, 50, 5010);
    rig_expect(&r, "2 ACC k1 S 50@5010 r2\nF ADD r2 S 50@5010\n");
    int64_t price;
    uint64_t quantity;
    ck_assert(sb_engine_best(r.e, 1, SB_BUY, &price, &quantity));
    ck_assert_int_eq(price, 5000);
    ck_assert_uint_eq(quantity, 100);
    ck_assert(sb_engine_best(r.e, 1, SB_SELL, &price, &quantity));
    ck_assert_int_eq(price, 5010);
    ck_assert_uint_eq(quantity, 50);
    ck_assert(!sb_engine_best(r.e, 2, SB_BUY, &price, &quantity));
}
END_TEST

START_TEST(oldest_first_at_one_price)
{
    rig_order(&r, 1, 1, SB_SELL, 30, 5000);
    rig_order(&r, 2, 1, SB_SELL, 30, 5000);
    rig_forget(&r);
    rig_order(&r, 3, 1, SB_BUY, 40, 5000);
    rig_expect(&r,
               "3 ACC k1 B 40@5000 r3\n"
               "1 EXE k1 S 30@5000 r1 m1 A\n3 EXE k1 B 30@5000 r3 m1 R\nF EXE r1 S 30@5000 m1\n"
               "2 EXE k1 S 10@5000 r2 m2 A\n3 EXE k1 B 10@5000 r3 m2 R\nF EXE r2 S 10@5000 m2\n");
    /* The half-filled one keeps its place before a later one. */
    rig_order(&r, 1, 2, SB_SELL, 20, 5000);
    rig_forget(&r);
    rig_order(&r, 3, 2, SB_BUY, 30, 5000);
    rig_expect(&r,
               "3 ACC k2 B 30@5000 r5\n"
               "2 EXE k1 S 20@5000 r2 m3 A\n3 EXE k2 B 20@5000 r5 m3 R\nF EXE r2 S 20@5000 m3\n"
               "1 EXE k2 S 10@5000 r4 m4 A\n3 EXE k2 B 10@5000 r5 m4 R\nF EXE r4 S 10@5000 m4\n");
}
END_TEST

START_TEST(sweeps_levels_at_resting_prices_and_rests_the_remainder)
{
    rig_order(&r, 1, 1, SB_BUY, 10, 4980);
    rig_order(&r, 1, 2, SB_BUY, 10, 5000);
    rig_order(&r, 1, 3, SB_BUY, 10, 4990);
    rig_forget(&r);
    rig_order(&r, 2, 1, SB_SELL_SHORT, 50, 4990);
    rig_expect(&r, "2 ACC k1 T 50@4990 r4\n"
                   "1 EXE k2 B 10@5000 r2 m1 A\n2 EXE k1 T 10@5000 r4 m1 R\nF EXE r2 B 10@5000 m1\n"
                   "1 EXE k3 B 10@4990 r3 m2 A\n2 EXE k1 T 10@4990 r4 m2 R\nF EXE r3 B 10@4990 m2\n"
                   "F ADD r4 T 30@4990\n");
}
END_TEST

START_TEST(ioc_remainder_is_canceled_without_the_feed)
{
    rig_order(&r, 1, 1, SB_SELL, 10, 5000);
    rig_forget(&r);
    rig_ioc(&r, 2, 1, SB_BUY, 30, 5000);
    rig_expect(&r, "2 ACC k1 B IOC 30@5000 r2\n"
                   "1 EXE k1 S 10@5000 r1 m1 A\n2 EXE k1 B 10@5000 r2 m1 R\nF EXE r1 S 10@5000 m1\n"
                   "2 CXL k1 B 20 r2 reason 2\n");
    rig_ioc(&r, 2, 2, SB_BUY, 30, 5000);
    rig_expect(&r, "2 ACC k2 B IOC 30@5000 r3\n2 CXL k2 B 30 r3 reason 2\n");
    ck_assert_uint_eq(sb_engine_stats(r.e)->open_orders, 0);
}
END_TEST

static uint64_t open_at_best(uint8_t side)
{
    int64_t price;
    uint64_t quantity;
    ck_assert(sb_engine_best(r.e, 1, side, &price, &quantity));
    ck_assert_int_eq(price, 5000);
    return quantity;
}

START_TEST(best_counts_what_is_open)
{
    rig_order(&r, 1, 1, SB_SELL, 30, 5000);
    rig_order(&r, 1, 2, SB_SELL, 40, 5000);
    ck_assert_uint_eq(open_at_best(SB_SELL), 70);
    rig_order(&r, 2, 1, SB_BUY, 10, 5000);
    ck_assert_uint_eq(open_at_best(SB_SELL), 60);
    rig_reduce(&r, 1, 2, 10);
    ck_assert_uint_eq(open_at_best(SB_SELL), 50);
    rig_order(&r, 2, 2, SB_BUY, 20, 5000);
    ck_assert_uint_eq(open_at_best(SB_SELL), 30);
    rig_cancel(&r, 1, 2, 10);
    ck_assert_uint_eq(open_at_best(SB_SELL), 10);
    rig_replace(&r, 1, 2, 3, 100, 5000);
    ck_assert_uint_eq(open_at_best(SB_SELL), 100);
}
END_TEST

START_TEST(a_session_may_trade_with_itself)
{
    rig_order(&r, 1, 1, SB_SELL, 10, 5000);
    rig_forget(&r);
    rig_order(&r, 1, 2, SB_BUY, 10, 5010);
    rig_expect(&r,
               "1 ACC k2 B 10@5010 r2\n"
               "1 EXE k1 S 10@5000 r1 m1 A\n1 EXE k2 B 10@5000 r2 m1 R\nF EXE r1 S 10@5000 m1\n");
}
END_TEST

/* Prices of instrument 2 have no band to speak of: from one end to the other, far outside any window. */
START_TEST(far_prices_keep_priority)
{
    const int64_t prices[] = {SB_PRICE_MAX, 1,         1000000000, 1000000063, 1000000064, 2,
                              4096,         999999000, 1000000001, 1500000000};
    const int64_t sorted[] = {1,          2,          4096,       999999000,  1000000000,
                              1000000001, 1000000063, 1000000064, 1500000000, SB_PRICE_MAX};
    const uint32_t n = sizeof prices / sizeof *prices;
    struct sb_command2 c = {
        .c = {.kind = SB_CMD_ORDER, .session = 1, .instrument = 2, .side = SB_SELL, .quantity = 1}};
    for (uint32_t i = 0; i < n; i++) {
        c.c.key = i + 1;
        c.c.price = prices[i];
        rig_send(&r, c);
    }
    const uint32_t before = r.box.n;
    c.c.session = 2;
    c.c.key = 1;
    c.c.side = SB_BUY;
    c.c.quantity = n;
    c.c.price = SB_PRICE_MAX;
    rig_send(&r, c);
    ck_assert_uint_eq(r.box.n - before, 1 + 3 * n);
    for (uint32_t i = 0; i < n; i++)
        ck_assert_int_eq(r.box.out[before + 1 + 3 * i].price, sorted[i]);
    ck_assert_uint_eq(sb_engine_stats(r.e)->open_orders, 0);
}
END_TEST

/* The market walks up and down through many windows; the best price is right at each step. */
START_TEST(best_follows_a_drifting_market)
{
    struct sb_command2 c = {.c = {.kind = SB_CMD_ORDER, .session = 1, .instrument = 2}};
    uint32_t key = 0;
    for (uint32_t step = 0; step < 4000; step++) {
        const int64_t away = step < 2000 ? (int64_t)step : 4000 - (int64_t)step;
        c.c.kind = SB_CMD_ORDER;
        c.c.quantity = 5;
        c.c.key = ++key;
        c.c.side = SB_BUY;
        c.c.price = 100000 + away * 3;
        rig_send(&r, c);
        c.c.key = ++key;
        c.c.side = SB_SELL;
        c.c.price = 100002 + away * 3;
        rig_send(&r, c);
        int64_t price;
        uint64_t quantity;
        ck_assert(sb_engine_best(r.e, 2, SB_BUY, &price, &quantity));
        ck_assert_int_eq(price, 100000 + away * 3);
        ck_assert_uint_eq(quantity, 5);
        ck_assert(sb_engine_best(r.e, 2, SB_SELL, &price, &quantity));
        ck_assert_int_eq(price, 100002 + away * 3);
        ck_assert_uint_eq(quantity, 5);
        rig_cancel(&r, 1, key, 0);
        rig_cancel(&r, 1, key - 1, 0);
    }
}
END_TEST

/* --- pro-rata: what one command may make ------------------------------------------------------------ */

static void shared_order(struct rig *p, uint32_t session, uint32_t key, uint8_t side, uint8_t type,
                         uint32_t quantity)
{
    rig_send(p, (struct sb_command2){
                    .c = {.kind = SB_CMD_ORDER,
                          .flags = SB_CMD_F_EXT,
                          .session = session,
                          .instrument = 3,
                          .key = key,
                          .side = side,
                          .quantity = quantity,
                          .price = type == SB_TYPE_LIMIT ? 100 : 0},
                    .ext.order = {.type = type, .stop_price = type == SB_TYPE_LIMIT ? 0 : 100}});
}

/* 70 buys of 1000 without a top order, and stops to sell 64. A sell of 64 takes one of each of the oldest 64, and so does each
 * stop that it sets off: they end, none of the 64 does. It is what sb_engine_outputs_max() counts for pro-rata. */
START_TEST(stops_share_in_one_pass_each)
{
    enum { STOPS = 63, BUYS = 70, FILLS = (STOPS + 1) * SB_PRO_RATA_MAX };
    const struct sb_engine_limits limits = {.instruments_max = 3,
                                            .sessions_max = 4,
                                            .orders_max = STOPS + BUYS + 1,
                                            .levels_max = 4,
                                            .terms_max = STOPS,
                                            .window_levels = 64};
    struct rig p;
    rig_open(&p, &limits, SB_PHASE_CONTINUOUS);
    rig_send(&p, (struct sb_command2){
                     .c = {.kind = SB_CMD_INSTRUMENT, .flags = SB_CMD_F_EXT, .instrument = 3},
                     .ext.instrument = {.symbol = {'C', 'C', 'C', ' ', ' ', ' ', ' ', ' '},
                                        .tick = 1,
                                        .price_min = 1,
                                        .price_max = 1000,
                                        .lot = 1,
                                        .quantity_max = 1000,
                                        .phase = SB_PHASE_CONTINUOUS,
                                        .matching = SB_MATCH_PRO_RATA}});
    for (uint32_t i = 0; i <= BUYS; i++)
        shared_order(&p, 1, 1 + i, SB_BUY, SB_TYPE_LIMIT, 1000);
    rig_cancel(&p, 1, 1, 0); /* the top order */
    for (uint32_t i = 1; i <= STOPS; i++)
        shared_order(&p, 2, i, SB_SELL, SB_TYPE_STOP, SB_PRO_RATA_MAX);
    const uint32_t before = p.box.n;
    shared_order(&p, 3, 1, SB_SELL, SB_TYPE_LIMIT, SB_PRO_RATA_MAX);
    const uint32_t made = p.box.n - before;
    ck_assert_uint_eq(sb_engine_stats(p.e)->trades, FILLS);
    ck_assert_uint_eq(sb_engine_stats(p.e)->open_orders, BUYS);
    ck_assert_uint_eq(made, STOPS + 1 + 3 * FILLS); /* Accepted, or TRIGGERED */
    ck_assert_uint_le(made, sb_engine_outputs_max(&limits, 1, true));
    ck_assert_uint_gt(made, sb_engine_outputs_max(&limits, 1, false));
    for (uint32_t i = before; i < p.box.n; i++)
        if (p.box.out[i].kind == SB_OUT_F_EXECUTED)
            ck_assert_uint_eq(p.box.out[i].quantity, 1);
    p.shown = p.box.n; /* more than are read as text */
    rig_close(&p);
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, rests_when_nothing_crosses);
    tcase_add_test(tc, oldest_first_at_one_price);
    tcase_add_test(tc, sweeps_levels_at_resting_prices_and_rests_the_remainder);
    tcase_add_test(tc, ioc_remainder_is_canceled_without_the_feed);
    tcase_add_test(tc, best_counts_what_is_open);
    tcase_add_test(tc, a_session_may_trade_with_itself);
    tcase_add_test(tc, far_prices_keep_priority);
    tcase_add_test(tc, best_follows_a_drifting_market);
    tcase_add_test(tc, stops_share_in_one_pass_each);
}

int main(void)
{
    return rig_main("engine-match", add);
}
