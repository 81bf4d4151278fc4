/* What a client's messages do: refusals, cancels, replaces, resends, ownership, logins, full tables. */
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

static void restart(const struct sb_engine_limits *limits, uint8_t phase)
{
    rig_close(&r);
    rig_open(&r, limits, phase);
}

START_TEST(refuses_with_the_lowest_reason)
{
    struct sb_command2 c = {.c = {.kind = SB_CMD_ORDER,
                                  .session = 1,
                                  .key = 1,
                                  .quantity = 10,
                                  .price = 5000,
                                  .instrument = 3}};
    rig_send(&r, c); /* not defined */
    c.c.key++;
    c.c.instrument = SB_INSTRUMENT_NONE;
    rig_send(&r, c);
    c.c.key++;
    c.c.instrument = 70000; /* no such index */
    rig_send(&r, c);
    rig_expect(&r, "1 REJ k1 reason 16\n1 REJ k2 reason 16\n1 REJ k3 reason 16\n");
    rig_order(&r, 1, 4, SB_BUY, 0, 5005); /* tick before quantity */
    rig_order(&r, 1, 5, SB_BUY, 15, 1000010);
    rig_order(&r, 1, 6, SB_BUY, 10, 0);
    rig_order(&r, 1, 7, SB_BUY, 10, -10);
    rig_order(&r, 1, 8, SB_BUY, 10, -5);
    rig_order(&r, 1, 9, SB_BUY, 10, INT64_MAX);
    rig_order(&r, 1, 10, SB_BUY, 10, INT64_MIN);
    rig_expect(&r, "1 REJ k4 reason 21\n1 REJ k5 reason 22\n1 REJ k6 reason 22\n"
                   "1 REJ k7 reason 22\n1 REJ k8 reason 21\n1 REJ k9 reason 21\n"
                   "1 REJ k10 reason 21\n");
    rig_order(&r, 1, 11, SB_BUY, 15, 5000);
    rig_order(&r, 1, 12, SB_BUY, 100005, 5000);
    rig_order(&r, 1, 13, SB_BUY, 100010, 5000);
    rig_order(&r, 1, 14, SB_BUY, 0, 5000);
    rig_expect(&r, "1 REJ k11 reason 23\n1 REJ k12 reason 23\n1 REJ k13 reason 24\n"
                   "1 REJ k14 reason 24\n");
    /* The edges are inside. */
    rig_order(&r, 1, 15, SB_BUY, 100000, 10);
    rig_order(&r, 1, 16, SB_SELL, 10, 1000000);
    rig_expect(&r, "1 ACC k15 B 100000@10 r1\nF ADD r1 B 100000@10\n"
                   "1 ACC k16 S 10@1000000 r2\nF ADD r2 S 10@1000000\n");
    ck_assert_uint_eq(sb_engine_stats(r.e)->rejected, 14);
}
END_TEST

START_TEST(refuses_by_phase)
{
    restart(&rig_limits, SB_PHASE_CLOSED);
    rig_order(&r, 1, 1, SB_BUY, 0, 5000); /* phase before quantity */
    rig_phase(&r, 0, 1, SB_PHASE_HALTED);
    rig_order(&r, 1, 2, SB_BUY, 10, 5000);
    rig_phase(&r, 0, 1, SB_PHASE_AUCTION);
    rig_ioc(&r, 1, 3, SB_BUY, 10, 5005); /* time in force before tick */
    rig_expect(&r, "1 REJ k1 reason 18\nF PHASE i1 3\n1 REJ k2 reason 17\nF PHASE i1 1\n"
                   "1 REJ k3 reason 19\n");
}
END_TEST

START_TEST(cancel_lowers_the_intended_size)
{
    rig_order(&r, 1, 1, SB_SELL, 100, 5000);
    rig_order(&r, 2, 1, SB_BUY, 30, 5000);
    rig_forget(&r);
    rig_cancel(&r, 1, 1, 100); /* 70 would stay: nothing changes */
    rig_cancel(&r, 1, 1, 4000000000u);
    rig_expect(&r, "");
    rig_cancel(&r, 1, 1, 80); /* of 80, 30 are executed */
    rig_expect(&r, "1 CXL k1 S 20 r1 reason 1\nF RED r1 S 20\n");
    rig_cancel(&r, 1, 1, 20); /* less than executed */
    rig_expect(&r, "1 CXL k1 S 50 r1 reason 1\nF DEL r1 S\n");
    rig_cancel(&r, 1, 1, 0);  /* dead */
    rig_cancel(&r, 1, 99, 0); /* never was */
    rig_expect(&r, "");
    ck_assert_uint_eq(sb_engine_stats(r.e)->ignored_superfluous, 2);
}
END_TEST

START_TEST(reduce_takes_off_what_is_open_and_keeps_the_place)
{
    rig_order(&r, 1, 1, SB_SELL, 100, 5000);
    rig_order(&r, 1, 2, SB_SELL, 100, 5000);
    rig_forget(&r);
    rig_reduce(&r, 1, 1, 60);
    rig_reduce(&r, 1, 1, 0);
    rig_expect(&r, "1 CXL k1 S 60 r1 reason 1\nF RED r1 S 60\n");
    rig_order(&r, 2, 1, SB_BUY, 10, 5000);
    rig_expect(&r, "2 ACC k1 B 10@5000 r3\n1 EXE k1 S 10@5000 r1 m1 A\n2 EXE k1 B 10@5000 r3 m1 R\n"
                   "F EXE r1 S 10@5000 m1\n");
    rig_reduce(&r, 1, 1, 1000);
    rig_expect(&r, "1 CXL k1 S 30 r1 reason 1\nF DEL r1 S\n");
}
END_TEST

START_TEST(replace_moves_to_the_end_and_carries_executed)
{
    rig_order(&r, 1, 1, SB_SELL, 100, 5000);
    rig_order(&r, 2, 1, SB_SELL, 100, 5000);
    rig_order(&r, 3, 1, SB_BUY, 30, 5000);
    rig_forget(&r);
    rig_replace(&r, 1, 1, 2, 150, 5000);
    rig_expect(&r, "1 REP k2<k1 S 120@5000 r4\nF REP r4<r1 S 120@5000\n");
    rig_order(&r, 3, 2, SB_BUY, 110, 5000); /* session 2 is first now */
    rig_expect(&r,
               "3 ACC k2 B 110@5000 r5\n"
               "2 EXE k1 S 100@5000 r2 m2 A\n3 EXE k2 B 100@5000 r5 m2 R\nF EXE r2 S 100@5000 m2\n"
               "1 EXE k2 S 10@5000 r4 m3 A\n3 EXE k2 B 10@5000 r5 m3 R\nF EXE r4 S 10@5000 m3\n");
    rig_replace(&r, 1, 2, 3, 40,
                5000); /* 30 + 10 are executed: nothing is left; key 3 stays free */
    rig_expect(&r, "1 CXL k2 S 110 r4 reason 1\nF DEL r4 S\n");
    ck_assert_uint_eq(sb_engine_session(r.e, 1)->last_key, 2);
}
END_TEST

START_TEST(replace_may_trade)
{
    rig_order(&r, 1, 1, SB_BUY, 20, 4990);
    rig_order(&r, 2, 1, SB_SELL, 10, 5000);
    rig_forget(&r);
    rig_replace(&r, 1, 1, 2, 30, 5010);
    rig_expect(&r, "1 REP k2<k1 B 30@5010 r3\nF DEL r1 B\n"
                   "2 EXE k1 S 10@5000 r2 m1 A\n1 EXE k2 B 10@5000 r3 m1 R\nF EXE r2 S 10@5000 m1\n"
                   "F ADD r3 B 20@5010\n");
    /* As an IOC that finds nobody. */
    rig_send(&r, (struct sb_command2){.c = {.kind = SB_CMD_REPLACE,
                                            .session = 1,
                                            .orig_key = 2,
                                            .key = 3,
                                            .tif = SB_TIF_IOC,
                                            .quantity = 30,
                                            .price = 5000}});
    rig_expect(&r, "1 REP k3<k2 B IOC 20@5000 r4\nF DEL r3 B\n1 CXL k3 B 20 r4 reason 2\n");
}
END_TEST

START_TEST(replace_that_is_ignored_or_invalid)
{
    rig_order(&r, 1, 5, SB_BUY, 20, 4990);
    rig_order(&r, 1, 6, SB_BUY, 20, 4990);
    rig_forget(&r);
    rig_replace(&r, 1, 4, 7, 20, 4990); /* no such order */
    rig_replace(&r, 1, 5, 6, 20, 4990); /* used key */
    rig_expect(&r, "");
    rig_replace(&r, 1, 5, 7, 20, 4995); /* tick */
    rig_expect(&r, "1 CXL k5 B 20 r1 reason 4\nF DEL r1 B\n");
    ck_assert_uint_eq(sb_engine_session(r.e, 1)->last_key, 6);
    rig_replace(&r, 1, 6, 7, 0, 4990); /* quantity */
    rig_expect(&r, "1 CXL k6 B 20 r2 reason 4\nF DEL r2 B\n");
    rig_order(&r, 1, 7, SB_BUY, 20, 4990); /* the key was not consumed */
    rig_expect(&r, "1 ACC k7 B 20@4990 r3\nF ADD r3 B 20@4990\n");
    rig_phase(&r, 0, 1, SB_PHASE_HALTED);
    rig_replace(&r, 1, 7, 8, 0, 4990);
    rig_replace(&r, 1, 7, 8, 10, 4990); /* consumed by the reject */
    rig_expect(&r, "F PHASE i1 3\n1 REJ k8 reason 17\n");
    rig_cancel(&r, 1, 7, 10); /* cancels are taken while halted */
    rig_expect(&r, "1 CXL k7 B 10 r3 reason 1\nF RED r3 B 10\n");
    rig_phase(&r, 0, 1, SB_PHASE_AUCTION);
    rig_forget(&r);
    rig_send(&r, (struct sb_command2){.c = {.kind = SB_CMD_REPLACE,
                                            .session = 1,
                                            .orig_key = 7,
                                            .key = 9,
                                            .tif = SB_TIF_IOC,
                                            .quantity = 30,
                                            .price = 5000}});
    rig_expect(&r, "1 CXL k7 B 10 r3 reason 4\nF DEL r3 B\n");
}
END_TEST

START_TEST(replace_keeps_side_capacity_and_instrument)
{
    rig_order(&r, 1, 1, SB_SELL_SHORT_EXEMPT, 20, 4990);
    rig_forget(&r);
    rig_send(&r, (struct sb_command2){.c = {.kind = SB_CMD_REPLACE,
                                            .session = 1,
                                            .orig_key = 1,
                                            .key = 2,
                                            .side = SB_BUY,
                                            .capacity = 'A',
                                            .instrument = 2,
                                            .quantity = 20,
                                            .price = 5000}});
    ck_assert_uint_eq(r.box.out[r.box.n - 2].reason, 'P');
    ck_assert_uint_eq(r.box.out[r.box.n - 2].instrument, 1);
    rig_expect(&r, "1 REP k2<k1 E 20@5000 r2\nF REP r2<r1 E 20@5000\n");
}
END_TEST

START_TEST(only_ones_own_orders)
{
    rig_order(&r, 1, 1, SB_BUY, 20, 4990);
    rig_order(&r, 2, 1, SB_BUY, 20, 4990);
    rig_forget(&r);
    rig_cancel(&r, 3, 1, 0);
    rig_reduce(&r, 3, 1, 10);
    rig_replace(&r, 3, 1, 2, 10, 5000);
    rig_expect(&r, "");
    rig_cancel(&r, 2, 1, 0); /* same key, other order */
    rig_expect(&r, "2 CXL k1 B 20 r2 reason 1\nF DEL r2 B\n");
}
END_TEST

START_TEST(keys_only_rise)
{
    rig_order(&r, 1, 5, SB_BUY, 20, 4990);
    rig_order(&r, 1, 9, SB_BUY, 1, 4990); /* refused, but key 9 is consumed */
    rig_forget(&r);
    rig_order(&r, 1, 5, SB_BUY, 20, 4990);
    rig_order(&r, 1, 7, SB_BUY, 20, 4990);
    rig_order(&r, 1, 9, SB_BUY, 20, 4990);
    rig_expect(&r, "");
    ck_assert_uint_eq(sb_engine_stats(r.e)->ignored_resend, 3);
    struct sb_command2 c = {
        .c = {.kind = SB_CMD_INVALID, .session = 1, .key = 10, .reason = SB_REASON_DISPLAY}};
    rig_send(&r, c);
    rig_send(&r, c);
    rig_expect(&r, "1 REJ k10 reason 29\n");
    c.c.flags = SB_CMD_F_SKIP_KEY;
    c.c.key = 4;
    rig_send(&r, c);
    rig_expect(&r, "1 REJ k4 reason 29\n");
    ck_assert_uint_eq(sb_engine_session(r.e, 1)->last_key, 10);
}
END_TEST

START_TEST(message_numbers_only_rise)
{
    struct sb_command2 c = {.c = {.kind = SB_CMD_ORDER,
                                  .session = 1,
                                  .session_seq = 3,
                                  .key = 1,
                                  .instrument = 1,
                                  .quantity = 10,
                                  .price = 5000}};
    rig_send(&r, c);
    c.c.key = 2;
    rig_send(&r, c); /* 3 again */
    c.c.session_seq = 2;
    rig_send(&r, c);
    rig_expect(&r, "1 ACC k1 B 10@5000 r1\nF ADD r1 B 10@5000\n");
    c.c.session_seq = 4;
    c.c.key = 1;
    rig_send(&r, c); /* the number is taken though the key is a resend */
    c.c.key = 2;
    rig_send(&r, c);
    rig_expect(&r, "");
    c.c.session_seq = 0; /* not numbered */
    rig_send(&r, c);
    rig_expect(&r, "1 ACC k2 B 10@5000 r2\nF ADD r2 B 10@5000\n");
    ck_assert_uint_eq(sb_engine_session(r.e, 1)->last_session_seq, 4);
    ck_assert_uint_eq(sb_engine_stats(r.e)->ignored_resend, 4);
}
END_TEST

START_TEST(unknown_sessions_are_ignored)
{
    struct sb_engine_limits limits = rig_limits;
    limits.sessions_max = 5; /* 5 is not defined */
    restart(&limits, SB_PHASE_CONTINUOUS);
    rig_order(&r, 5, 1, SB_BUY, 20, 4990);
    rig_order(&r, 6, 1, SB_BUY, 20, 4990);
    rig_order(&r, UINT32_MAX, 1, SB_BUY, 20, 4990);
    rig_expect(&r, "");
    ck_assert_uint_eq(sb_engine_stats(r.e)->ignored_session, 3);
    ck_assert_ptr_null(sb_engine_session(r.e, 6));
}
END_TEST

START_TEST(login_answers_once_a_nonce)
{
    struct sb_command2 c = {.c = {.kind = SB_CMD_LOGIN,
                                  .flags = SB_CMD_F_EXT,
                                  .session = 2,
                                  .session_seq = 1,
                                  .price = 0},
                            .ext.login = {.ipv4 = 0x0a000001, .port = 7}};
    rig_order(&r, 2, 8, SB_BUY, 20, 4990);
    rig_forget(&r);
    rig_send(&r, c);
    rig_expect(&r, "2 SYS S\n2 LOGIN key 8 seq 1\n");
    c.c.session_seq = 2;
    c.ext.login.port = 9;
    rig_send(&r, c);
    rig_expect(&r, "");
    ck_assert_uint_eq(sb_engine_session(r.e, 2)->login_port, 9);
    ck_assert_uint_eq(sb_engine_session(r.e, 2)->login_ipv4, 0x0a000001);
    c.c.session_seq = 3;
    c.c.price = 77;
    rig_send(&r, c);
    rig_expect(&r, "2 LOGIN key 8 seq 3\n");
    ck_assert_uint_eq(sb_engine_session(r.e, 2)->login_nonce, 77);
    ck_assert_uint_eq(sb_engine_session(r.e, 2)->next_stream_seq, 5);
}
END_TEST

START_TEST(order_table_full)
{
    struct sb_engine_limits limits = rig_limits;
    limits.orders_max = 3;
    restart(&limits, SB_PHASE_CONTINUOUS);
    for (uint32_t key = 1; key <= 3; key++)
        rig_order(&r, 1, key, SB_SELL, 10, 5000);
    rig_forget(&r);
    rig_order(&r, 1, 4, SB_SELL, 10, 5000);
    rig_order(&r, 2, 1, SB_BUY, 10, 5000); /* would trade, but is a DAY order */
    rig_expect(&r, "1 REJ k4 reason 25\n2 REJ k1 reason 25\n");
    rig_replace(&r, 1, 3, 5, 20, 5000); /* takes the place of its original */
    rig_expect(&r, "1 REP k5<k3 S 20@5000 r4\nF REP r4<r3 S 20@5000\n");
    rig_ioc(&r, 2, 2, SB_BUY, 20, 5000);
    rig_forget(&r);
    rig_order(&r, 2, 3, SB_BUY, 10, 4000);
    rig_expect(&r, "2 ACC k3 B 10@4000 r6\nF ADD r6 B 10@4000\n");
    ck_assert_uint_eq(sb_engine_stats(r.e)->open_orders, 2);
    ck_assert_uint_eq(sb_engine_stats(r.e)->open_orders_peak, 3);
}
END_TEST

START_TEST(level_table_full)
{
    struct sb_engine_limits limits = rig_limits;
    limits.levels_max = 2;
    restart(&limits, SB_PHASE_CONTINUOUS);
    rig_order(&r, 1, 1, SB_SELL, 10, 5000);
    rig_order(&r, 1, 2, SB_SELL, 10, 900000);
    rig_forget(&r);
    rig_order(&r, 1, 3, SB_SELL, 10, 5010);
    rig_order(&r, 2, 1, SB_BUY, 10, 5000); /* would trade, but would need a level of buys at 5000 */
    rig_expect(&r, "1 REJ k3 reason 26\n2 REJ k1 reason 26\n");
    rig_order(&r, 1, 4, SB_SELL, 10, 5000); /* an existing level is no new level */
    rig_expect(&r, "1 ACC k4 S 10@5000 r3\nF ADD r3 S 10@5000\n");
    rig_replace(&r, 1, 4, 5, 10, 5010); /* its old level stays in use */
    rig_expect(&r, "1 CXL k4 S 10 r3 reason 4\nF DEL r3 S\n");
    rig_replace(&r, 1, 2, 5, 10, 5010); /* alone in its level: that is given back */
    rig_expect(&r, "1 REP k5<k2 S 10@5010 r4\nF REP r4<r2 S 10@5010\n");
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, refuses_with_the_lowest_reason);
    tcase_add_test(tc, refuses_by_phase);
    tcase_add_test(tc, cancel_lowers_the_intended_size);
    tcase_add_test(tc, reduce_takes_off_what_is_open_and_keeps_the_place);
    tcase_add_test(tc, replace_moves_to_the_end_and_carries_executed);
    tcase_add_test(tc, replace_may_trade);
    tcase_add_test(tc, replace_that_is_ignored_or_invalid);
    tcase_add_test(tc, replace_keeps_side_capacity_and_instrument);
    tcase_add_test(tc, only_ones_own_orders);
    tcase_add_test(tc, keys_only_rise);
    tcase_add_test(tc, message_numbers_only_rise);
    tcase_add_test(tc, unknown_sessions_are_ignored);
    tcase_add_test(tc, login_answers_once_a_nonce);
    tcase_add_test(tc, order_table_full);
    tcase_add_test(tc, level_table_full);
}

int main(void)
{
    return rig_main("engine-client", add);
}
