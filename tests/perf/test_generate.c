/* Generated flow: the same seed makes the same rows, each row makes sense, the shares are those of the tables. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "perf/generate.h"
#include "perf/match.h"

struct flow {
    struct sb_flow_row *rows;
    uint32_t n;
};

static struct flow make(uint64_t seed, uint32_t events, uint32_t instruments)
{
    struct flow f = {.rows = calloc((size_t)events + 1, sizeof *f.rows)};
    struct sb_generate *g = sb_generate_new(seed, events, instruments);
    ck_assert_ptr_nonnull(f.rows);
    ck_assert_ptr_nonnull(g);
    while (f.n <= events && sb_generate_next(g, &f.rows[f.n]))
        f.n++;
    sb_generate_free(g);
    ck_assert_uint_eq(f.n, events);
    return f;
}

START_TEST(same_seed_same_rows)
{
    struct flow a = make(42, 20000, 3), b = make(42, 20000, 3), c = make(43, 20000, 3);
    ck_assert_mem_eq(a.rows, b.rows, a.n * sizeof *a.rows);
    ck_assert_int_ne(memcmp(a.rows, c.rows, a.n * sizeof *a.rows), 0);
    free(a.rows);
    free(b.rows);
    free(c.rows);
}
END_TEST

START_TEST(shape_of_a_day)
{
    struct flow f = make(7, 40000, 1);
    static const uint8_t PHASES[] = {SB_FLOW_AUCTION, SB_FLOW_UNCROSS, SB_FLOW_CONTINUOUS,
                                     SB_FLOW_AUCTION, SB_FLOW_UNCROSS};
    uint32_t phases = 0, cancels = 0;
    for (uint32_t i = 0; i < f.n; i++) {
        ck_assert(i == 0 || f.rows[i].time_ns >= f.rows[i - 1].time_ns);
        cancels += f.rows[i].op == SB_FLOW_CANCEL;
        if (f.rows[i].op != SB_FLOW_PHASE)
            continue;
        ck_assert_uint_lt(phases, 5);
        ck_assert_uint_eq(f.rows[i].phase, PHASES[phases++]);
    }
    ck_assert_uint_eq(phases, 5);
    ck_assert_uint_eq(f.rows[0].op, SB_FLOW_PHASE);
    ck_assert_uint_eq(f.rows[f.n - 1].phase, SB_FLOW_UNCROSS);
    ck_assert_uint_gt(cancels, f.n * 17 / 100); /* the captures: 19 to 22 of 100 */
    ck_assert_uint_lt(cancels, f.n * 24 / 100);
    free(f.rows);
}
END_TEST

static bool count_trade(void *arg, const struct sb_flow_trade *t)
{
    (void)t;
    ++*(uint64_t *)arg;
    return true;
}

/* Through another engine: every order is taken, every cancel finds its order. */
START_TEST(engine_takes_it_all)
{
    struct flow f = make(9, 30000, 5);
    struct sb_flow_commands fc = {0};
    ck_assert_ptr_null(sb_flow_commands_begin(&fc));
    for (uint32_t i = 1; i <= 5; i++) {
        char symbol[8];
        sb_generate_symbol(i, symbol);
        ck_assert_ptr_null(
            sb_flow_commands_instrument(&fc, symbol, SB_GENERATE_TICK, SB_PHASE_CLOSED));
    }
    for (uint32_t i = 0; i < f.n; i++)
        ck_assert_ptr_null(sb_flow_commands_row(&fc, &f.rows[i]));
    const struct sb_engine_limits limits = {.instruments_max = 5,
                                            .sessions_max = 1,
                                            .orders_max = 30000,
                                            .levels_max = 30000,
                                            .terms_max = 64,
                                            .window_levels = 64};
    struct sb_match_engine m;
    struct sb_match_result r;
    uint64_t trades = 0, digest = 0;
    ck_assert(sb_match_engine_open(&m, &limits));
    sb_match_check(&m, &fc, &r, count_trade, &trades);
    sb_match_engine_close(&m);
    ck_assert_uint_eq(r.rejected, 0);
    ck_assert_uint_eq(r.superfluous, 0);
    ck_assert_uint_eq(r.phases_refused, 0);
    ck_assert_uint_eq(fc.unknown_cancels, 0);
    ck_assert_uint_eq(r.trades, trades);
    ck_assert_uint_gt(trades, 30000 / 4); /* the captures: about one for two events */
    ck_assert(sb_match_engine_open(&m, &limits));
    sb_match_time_whole(&m, &fc, true, &digest);
    sb_match_engine_close(&m);
    ck_assert_uint_eq(digest, r.digest);
    sb_flow_commands_free(&fc);
    free(f.rows);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("generate");
    TCase *t = tcase_create("generate");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, same_seed_same_rows);
    tcase_add_test(t, shape_of_a_day);
    tcase_add_test(t, engine_takes_it_all);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    const int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? 0 : 1;
}
