/* test_bound.c: what one packet may need in the hold ring (replica/bounds.h) against what it takes. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "nic/wire/bytes.h"
#include "nic/wire/entry.h"
#include "nic/wire/ouch.h"
#include "tests/differential/random_flow.h"
#include "tests/replica/bench.h"

enum { MS = 1000000 };
/* 1280 slices of 1000 against 1280 of 999: each but one of the 2558 places where one ends is a pair (one ends both). */
enum { AUCTION_PAIRS = 2557 };

/* --- a node by hand: commands into its log, applied, let go ----------------------------------- */

struct by_hand {
    struct bench b;
    uint64_t used_max, bound_of_max; /* the packet that took the largest part of its bound */
};

static void two_feeds(struct sb_config *f, const struct sb_engine_limits *limits)
{
    f->limits = *limits;
    f->feed_b = (struct sb_addr){0xEF010104, 5006};
    f->hold_bytes = 1u << 20;
    while (f->hold_bytes <
           sb_hold_packet_bytes_max(limits, SB_STREAM_LINES_MAX, sb_config_pro_rata(f)) +
               2 * SB_HELD_BYTES_MAX)
        f->hold_bytes *= 2;
}

static void open_by_hand(struct by_hand *h, const struct sb_engine_limits *limits, uint8_t matching)
{
    h->used_max = 0;
    h->bound_of_max = 1;
    bench_open(&h->b);
    h->b.instruments[1].matching = matching;
    two_feeds(&h->b.config, limits);
    bench_start(&h->b, 0, true);
}

/* One packet of so many of the commands, which have their numbers. */
static uint64_t apply(struct by_hand *h, struct sb_command2 *c, uint32_t n)
{
    struct sb_node *node = h->b.node[0];
    struct sb_command *at = sb_log_begin(&node->log);
    uint16_t lines = 0;
    for (uint32_t i = 0; i < n; i++) {
        memcpy(at + lines, &c[i], sb_command_lines(&c[i].c) * SB_LINE_BYTES);
        lines = (uint16_t)(lines + sb_command_lines(&c[i].c));
    }
    sb_log_commit(&node->log, (uint16_t)n, lines);
    struct sb_packet *packet = sb_log_packet(&node->log, node->log.packet_end - 1);
    const uint64_t bound = sb_apply_bytes_max(node, packet);
    ck_assert(sb_apply_has_room(node, packet));
    ck_assert_uint_le(bound, sb_hold_packet_bytes_max(&node->config->limits, SB_STREAM_LINES_MAX,
                                                      sb_config_pro_rata(node->config)));
    const uint64_t before = node->hold.head;
    sb_apply_packet(node, packet);
    const uint64_t head = node->hold.head;
    uint64_t used = 0;
    for (struct sb_held *held; (held = sb_hold_peek(&node->hold)) != NULL;
         sb_hold_pass(&node->hold))
        used += (sizeof *held + held->len + 63u) & ~UINT64_C(63);
    ck_assert_uint_le(used, head - before); /* what a wrap skips is slack of its own */
    ck_assert_uint_le(used, bound);
    if (used * h->bound_of_max > h->used_max * bound) {
        h->used_max = used;
        h->bound_of_max = bound;
    }
    return used;
}

/* What the configuration must say of a flow's instruments. */
static uint8_t matching_of(const struct random_flow *flow)
{
    for (uint32_t i = 0; i < flow->n; i++)
        if (flow->commands[i].c.kind == SB_CMD_INSTRUMENT &&
            flow->commands[i].ext.instrument.matching == SB_MATCH_PRO_RATA)
            return SB_MATCH_PRO_RATA;
    return SB_MATCH_PRICE_TIME;
}

/* Terms of every kind in random packets: the bound holds for each. */
START_TEST(random_flow_keeps_within_the_bound)
{
    enum { COMMANDS = 1500 };
    struct random_flow flow;
    random_flow_make(&flow, (uint64_t)_i + 1, COMMANDS);
    struct sb_command2 *c = flow.commands;
    struct by_hand h;
    open_by_hand(&h, &flow.limits, matching_of(&flow));
    uint64_t all = 0;
    for (uint32_t i = 0, n = 0; i < flow.n; i += n) {
        uint32_t lines = 0;
        const uint32_t wanted = 1 + (uint32_t)((i * UINT64_C(2654435761)) >> 7) % 12;
        bool for_all = false;
        for (n = 0; i + n < flow.n && n < wanted && !for_all; n++) {
            struct sb_command2 *x = &c[i + n];
            const uint32_t more = sb_command_lines(&x->c);
            x->c.seq = i + n + 1;
            for_all = sb_command_for_all(&x->c);
            if (lines + more > SB_STREAM_LINES_MAX || (for_all && n != 0))
                break; /* as the sequencer cuts them */
            lines += more;
        }
        all += apply(&h, &c[i], n);
    }
    ck_assert_uint_gt(all, 0);
    bench_close(&h.b);
    free(flow.commands);
}
END_TEST

/* --- near the bound ------------------------------------------------------------------------------ */

static const struct sb_engine_limits LIMITS = {.instruments_max = 1,
                                               .sessions_max = 2,
                                               .orders_max = 128,
                                               .levels_max = 16,
                                               .terms_max = 128,
                                               .window_levels = 64};

static void say(struct by_hand *h, struct sb_command2 c)
{
    struct sb_node *node = h->b.node[0];
    c.c.seq = node->log.len + 1;
    c.c.time_ns = BENCH_START_NS + c.c.seq;
    apply(h, &c, 1);
}

static void say_day(struct by_hand *h, uint8_t phase)
{
    say(h, (struct sb_command2){.c = {.kind = SB_CMD_DAY, .flags = SB_CMD_F_EXT},
                                .ext.day = {.midnight_ns = BENCH_START_NS,
                                            .trading_day = 20231114,
                                            .shard = 1,
                                            .rules = SB_ENGINE_RULES}});
    for (uint32_t i = 1; i <= 2; i++)
        say(h, (struct sb_command2){
                   .c = {.kind = SB_CMD_SESSION, .flags = SB_CMD_F_EXT, .key = i, .firm = i}});
    say(h, (struct sb_command2){
               .c = {.kind = SB_CMD_INSTRUMENT, .flags = SB_CMD_F_EXT, .instrument = 1},
               .ext.instrument = {.symbol = {'T', 'E', 'S', 'T', ' ', ' ', ' ', ' '},
                                  .tick = 100,
                                  .price_min = 100,
                                  .price_max = 1000000,
                                  .lot = 1,
                                  .quantity_max = 1000000,
                                  .phase = phase,
                                  .matching = h->b.instruments[1].matching}});
}

static void say_iceberg(struct by_hand *h, uint32_t key, uint8_t side, uint32_t shown)
{
    say(h, (struct sb_command2){.c = {.kind = SB_CMD_ORDER,
                                      .flags = SB_CMD_F_EXT,
                                      .session = 1u + side,
                                      .key = key,
                                      .instrument = 1,
                                      .side = side,
                                      .quantity = 20 * shown,
                                      .price = 10000},
                                .ext.order = {.display_quantity = shown}});
}

/* An auction of nothing but icebergs: slices of both sides hardly ever end together, so that each pair uses up one part. What it takes is close to what is bound. */
START_TEST(auction_of_icebergs_is_near_the_bound)
{
    struct by_hand h;
    open_by_hand(&h, &LIMITS, SB_MATCH_PRICE_TIME);
    say_day(&h, SB_PHASE_AUCTION);
    for (uint32_t i = 1; i <= 64; i++)
        say_iceberg(&h, i, SB_BUY, 1000);
    for (uint32_t i = 1; i <= 64; i++)
        say_iceberg(&h, i, SB_SELL, 999);
    ck_assert_uint_eq(sb_engine_open_terms(h.b.node[0]->engine), 128);
    h.bound_of_max = 1;
    h.used_max = 0;
    say(&h, (struct sb_command2){.c = {.kind = SB_CMD_UNCROSS, .instrument = 1}});
    ck_assert_uint_eq(sb_engine_stats(h.b.node[0]->engine)->trades, AUCTION_PAIRS);
    ck_assert_uint_ge(h.used_max * 100, h.bound_of_max * 95);
    bench_close(&h.b);
}
END_TEST

START_TEST(sweep_through_icebergs_keeps_within_the_bound)
{
    struct by_hand h;
    open_by_hand(&h, &LIMITS, SB_MATCH_PRICE_TIME);
    say_day(&h, SB_PHASE_CONTINUOUS);
    for (uint32_t i = 1; i <= 127; i++)
        say_iceberg(&h, i, SB_SELL, 10);
    say_iceberg(&h, 1, SB_BUY, 127 * 10);
    ck_assert_uint_eq(sb_engine_stats(h.b.node[0]->engine)->trades, 127 * 20);
    ck_assert_uint_eq(sb_engine_open_terms(h.b.node[0]->engine), 0);
    ck_assert_uint_ge(h.used_max * 2, h.bound_of_max); /* without a second feed execution: less */
    bench_close(&h.b);
}
END_TEST

static struct sb_command2 order(uint32_t key, uint8_t side, uint32_t quantity)
{
    return (struct sb_command2){.c = {.kind = SB_CMD_ORDER,
                                      .session = 1u + side,
                                      .key = key,
                                      .instrument = 1,
                                      .side = side,
                                      .quantity = quantity,
                                      .price = 10000}};
}

/* A queue of 65 that is shared out, and no top order. */
static void open_queue(struct by_hand *h)
{
    open_by_hand(h, &LIMITS, SB_MATCH_PRO_RATA);
    say_day(h, SB_PHASE_CONTINUOUS);
    for (uint32_t i = 0; i <= SB_PRO_RATA_MAX + 1; i++)
        say(h, order(1 + i, SB_BUY, 10000));
    say(h, (struct sb_command2){.c = {.kind = SB_CMD_CANCEL, .session = 1, .key = 1}});
    h->bound_of_max = 1;
    h->used_max = 0;
}

/* Each order of a packet trades a little with the oldest 64, and is the only one that ends. */
START_TEST(passes_that_end_nobody_are_near_the_bound)
{
    enum { SELLS = 20 };
    struct by_hand h;
    struct sb_command2 c[SELLS];
    open_queue(&h);
    for (uint32_t i = 0; i < SELLS; i++) {
        c[i] = order(1 + i, SB_SELL, 10 * SB_PRO_RATA_MAX);
        c[i].c.seq = h.b.node[0]->log.len + 1 + i;
        c[i].c.time_ns = BENCH_START_NS + c[i].c.seq;
    }
    apply(&h, c, SELLS);
    ck_assert_uint_eq(sb_engine_stats(h.b.node[0]->engine)->trades, SELLS * SB_PRO_RATA_MAX);
    ck_assert_uint_eq(sb_engine_stats(h.b.node[0]->engine)->open_orders, SB_PRO_RATA_MAX + 1);
    ck_assert_uint_ge(h.used_max * 100, h.bound_of_max * 75);
    bench_close(&h.b);
}
END_TEST

/* One order sets off stops, each of which does the same: without what pro-rata adds the bound would not hold. */
START_TEST(stops_that_end_nobody_are_near_the_bound)
{
    enum { STOPS = 62 };
    struct by_hand h;
    open_queue(&h);
    for (uint32_t i = 1; i <= STOPS; i++) {
        struct sb_command2 stop = order(i, SB_SELL, SB_PRO_RATA_MAX);
        stop.c.flags = SB_CMD_F_EXT;
        stop.c.price = 0;
        stop.ext.order.type = SB_TYPE_STOP;
        stop.ext.order.stop_price = 10000;
        say(&h, stop);
    }
    const struct sb_hold_load alone = {
        .orders = SB_PRO_RATA_MAX + 1 + STOPS, .terms = STOPS, .commands = 1, .parts = 1};
    say(&h, order(STOPS + 1, SB_SELL, SB_PRO_RATA_MAX));
    ck_assert_uint_eq(sb_engine_stats(h.b.node[0]->engine)->trades, (STOPS + 1) * SB_PRO_RATA_MAX);
    ck_assert_uint_gt(h.used_max, sb_hold_bytes_max(&LIMITS, &alone));
    ck_assert_uint_ge(h.used_max * 100, h.bound_of_max * 75);
    bench_close(&h.b);
}
END_TEST

/* --- through a pair -------------------------------------------------------------------------------- */

static void one_auction(struct sb_config *f)
{
    two_feeds(f, &LIMITS);
}

/* An order of session 1 with these shares shown, to both nodes. */
static void send_iceberg(struct bench *b, char side, uint32_t quantity, uint32_t shown)
{
    uint8_t blocks[128];
    struct sb_ouch_enter e = {.ref = b->next_key++,
                              .quantity = quantity,
                              .price = 10000,
                              .side = side,
                              .tif = '0',
                              .display = 'Y',
                              .capacity = 'P',
                              .iso = 'N',
                              .cross = 'N',
                              .app_bytes = 6,
                              .app = {5, 5 /* displayed */}};
    sb_put32(e.app + 2, shown);
    memcpy(e.symbol, "TEST    ", 8);
    memset(e.clordid, ' ', sizeof e.clordid);
    const uint32_t len = sb_ouch_write_enter(blocks + 2, &e);
    sb_put16(blocks, (uint16_t)len);
    const struct bench_frame f =
        bench_entry(b, BENCH_SESSION, 77, b->next_message++, blocks, 2 + len, 1);
    bench_put(b, 0, &f);
    bench_put(b, 1, &f);
    bench_step(b);
}

static void send_phase(struct bench *b, char phase)
{
    uint8_t blocks[64];
    const uint32_t len = sb_entry_write_phase(blocks + 2, 1, "TEST    ", phase);
    sb_put16(blocks, (uint16_t)len);
    const struct bench_frame f =
        bench_entry(b, BENCH_SESSION, 77, b->next_message++, blocks, 2 + len, 1);
    bench_put(b, 0, &f);
    bench_put(b, 1, &f);
    bench_run(b, MS);
}

static void expect_all_out(const struct bench *b, uint32_t fills)
{
    const struct sb_node *p = b->node[0], *s = b->node[1];
    ck_assert_int_eq(p->role, SB_ROLE_PRIM);
    ck_assert_int_eq(s->role, SB_ROLE_SHADOW);
    ck_assert_uint_eq(p->released, p->log.len);
    ck_assert_uint_eq(s->applied, p->log.len);
    ck_assert_uint_eq(p->digest, s->digest);
    ck_assert_uint_eq(sb_engine_stats(p->engine)->trades, fills);
    ck_assert_uint_eq(bench_answers(b, 'E'), 2 * fills); /* in order, without holes */
    ck_assert_ptr_null(sb_hold_peek(&b->node[0]->hold));
    ck_assert_ptr_null(sb_hold_peek(&b->node[1]->hold));
}

/* The smallest ring that is accepted, and the largest auction: nothing is lost between the engine and the wire. */
START_TEST(auction_of_icebergs_through_a_pair)
{
    struct bench b;
    bench_pair(&b, one_auction);
    send_phase(&b, 'A');
    for (uint32_t i = 0; i < 64; i++)
        send_iceberg(&b, 'B', 20000, 1000);
    for (uint32_t i = 0; i < 64; i++)
        send_iceberg(&b, 'S', 19980, 999);
    bench_run(&b, MS);
    send_phase(&b, 'U');
    bench_run(&b, 3 * MS);
    expect_all_out(&b, AUCTION_PAIRS);
    bench_close(&b);
}
END_TEST

START_TEST(sweep_through_icebergs_through_a_pair)
{
    struct bench b;
    bench_pair(&b, one_auction);
    for (uint32_t i = 0; i < 127; i++)
        send_iceberg(&b, 'S', 200, 10);
    bench_run(&b, MS);
    send_iceberg(&b, 'B', 127 * 200, 127 * 10);
    bench_run(&b, 3 * MS);
    expect_all_out(&b, 127 * 20);
    bench_close(&b);
}
END_TEST

static void shared_out(struct sb_config *f)
{
    f->instruments[1].matching = SB_MATCH_PRO_RATA;
    two_feeds(f, &LIMITS);
}

/* The configuration says pro-rata, so the instrument is: one of each of the oldest 64. */
START_TEST(a_pass_through_a_pair)
{
    struct bench b;
    bench_pair(&b, shared_out);
    for (uint32_t i = 0; i < SB_PRO_RATA_MAX + 2; i++)
        send_iceberg(&b, 'B', 1000, 1000);
    bench_run(&b, MS);
    send_iceberg(&b, 'S', 1000, 1000); /* the top order's */
    send_iceberg(&b, 'S', SB_PRO_RATA_MAX, SB_PRO_RATA_MAX);
    bench_run(&b, 3 * MS);
    expect_all_out(&b, 1 + SB_PRO_RATA_MAX);
    bench_close(&b);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("replica-bound");
    TCase *tc = tcase_create("bound");
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, random_flow_keeps_within_the_bound, 0, 60);
    tcase_add_test(tc, auction_of_icebergs_is_near_the_bound);
    tcase_add_test(tc, sweep_through_icebergs_keeps_within_the_bound);
    tcase_add_test(tc, passes_that_end_nobody_are_near_the_bound);
    tcase_add_test(tc, stops_that_end_nobody_are_near_the_bound);
    tcase_add_test(tc, auction_of_icebergs_through_a_pair);
    tcase_add_test(tc, sweep_through_icebergs_through_a_pair);
    tcase_add_test(tc, a_pass_through_a_pair);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
