/* The plain book beside the engine: cases worked out by hand, which both must answer; chance over few ids, so that most
 * messages meet an order; the regimes with other seeds. That it makes the reports of the slow reference matcher is
 * test_bench_match's. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "perf/bench_plain.h"
#include "perf/bench_workload.h"
#include "perf/random.h"

enum { ORDERS = 16, TICK = 100, LAST_TICK = 4194303 };

static const struct sb_bench_sizes SIZES = {.limits = {.instruments_max = 1,
                                                       .sessions_max = 1,
                                                       .orders_max = 64,
                                                       .levels_max = 64,
                                                       .terms_max = 64,
                                                       .window_levels = 64},
                                            .messages = 1000,
                                            .open_most = ORDERS};

/* --- both at once ------------------------------------------------------------------------------------------------- */

enum { PLAIN, ENGINE, BOTH };

static struct sb_bench_adapter adapters[BOTH];
static struct sb_report_ring rings[BOTH];

static void books_open(void)
{
    memset(rings, 0, sizeof rings);
    ck_assert(sb_bench_adapter_open(&adapters[PLAIN], &SIZES, SB_BENCH_PLAIN));
    ck_assert(sb_bench_adapter_open(&adapters[ENGINE], &SIZES, SB_BENCH_DIRECT));
}

static void books_close(void)
{
    for (int i = 0; i < BOTH; i++)
        sb_bench_adapter_close(&adapters[i]);
}

static void expect_of(int which, const struct sb_bench_message *m, uint64_t n,
                      const struct sb_report *expected)
{
    sb_bench_adapter_apply(&adapters[which], m, &rings[which]);
    ck_assert_uint_eq(sb_report_ring_ready(&rings[which]), n);
    for (uint64_t i = 0; i < n; i++) {
        const struct sb_report *r = sb_report_ring_at(&rings[which], i);
        ck_assert_uint_eq(r->kind, expected[i].kind);
        ck_assert_uint_eq(r->id, expected[i].id);
        ck_assert_uint_eq(r->price, expected[i].price);
        ck_assert_uint_eq(r->quantity, expected[i].quantity);
        ck_assert_uint_eq(r->reason, expected[i].reason);
        ck_assert_mem_eq(r, &expected[i], sizeof *r);
    }
    sb_report_ring_taken(&rings[which], n);
}

/* The message is answered with exactly these reports. */
#define EXPECT(message, ...)                                                                       \
    do {                                                                                           \
        const struct sb_report expected_[] = {__VA_ARGS__};                                        \
        const struct sb_bench_message m_ = (message);                                              \
        for (int which_ = 0; which_ < BOTH; which_++)                                              \
            expect_of(which_, &m_, sizeof expected_ / sizeof expected_[0], expected_);             \
    } while (0)

/* --- messages and reports ----------------------------------------------------------------------------------------- */

static struct sb_bench_message message(uint8_t kind, uint64_t id, uint32_t price, uint32_t quantity)
{
    return (struct sb_bench_message){.id = id,
                                     .kind = kind,
                                     .price = price,
                                     .quantity = quantity,
                                     .session = 1,
                                     .instrument = 1,
                                     .key_step = 1};
}

static struct sb_bench_message order(uint64_t id, uint8_t side, uint32_t ticks, uint32_t quantity)
{
    struct sb_bench_message m = message(SB_CMD_ORDER, id, ticks * TICK, quantity);
    m.side = side;
    return m;
}

static struct sb_bench_message ioc(uint64_t id, uint8_t side, uint32_t ticks, uint32_t quantity)
{
    struct sb_bench_message m = order(id, side, ticks, quantity);
    m.tif = SB_TIF_IOC;
    return m;
}

static struct sb_bench_message modify(uint64_t id, uint32_t ticks, uint32_t quantity)
{
    return message(SB_CMD_REPLACE, id, ticks * TICK, quantity);
}

static struct sb_bench_message modify_ioc(uint64_t id, uint32_t ticks, uint32_t quantity)
{
    struct sb_bench_message m = modify(id, ticks, quantity);
    m.tif = SB_TIF_IOC;
    return m;
}

static struct sb_bench_message cancel(uint64_t id)
{
    return message(SB_CMD_CANCEL, id, 0, 0);
}

static struct sb_bench_message reduce(uint64_t id, uint32_t quantity)
{
    return message(SB_CMD_REDUCE, id, 0, quantity);
}

static struct sb_report ack(uint8_t kind, uint64_t id, uint8_t side, uint32_t ticks,
                            uint32_t quantity)
{
    return (struct sb_report){.id = id,
                              .price = ticks * TICK,
                              .quantity = quantity,
                              .instrument = 1,
                              .kind = kind,
                              .side = side};
}

static struct sb_report entered(uint64_t id, uint8_t side, uint32_t ticks, uint32_t quantity)
{
    return ack(SB_REPORT_ORDER_ACK, id, side, ticks, quantity);
}

static struct sb_report modified(uint64_t id, uint8_t side, uint32_t ticks, uint32_t quantity)
{
    return ack(SB_REPORT_MODIFY_ACK, id, side, ticks, quantity);
}

static struct sb_report canceled(uint64_t id, uint8_t side, uint32_t quantity, uint8_t reason)
{
    struct sb_report r = ack(SB_REPORT_CANCEL_ACK, id, side, 0, quantity);
    r.reason = reason;
    return r;
}

static struct sb_report refused(uint8_t kind, uint64_t id, uint8_t side, uint8_t reason)
{
    struct sb_report r = ack(kind, id, side, 0, 0);
    r.reason = reason;
    return r;
}

static struct sb_report unknown(uint8_t kind, uint64_t id)
{
    return (struct sb_report){.id = id, .kind = kind, .reason = SB_REASON_UNKNOWN};
}

/* side: of the one that rested. */
static struct sb_report trade(uint64_t id, uint64_t taker, uint8_t side, uint32_t ticks,
                              uint32_t quantity)
{
    struct sb_report r = ack(SB_REPORT_TRADE, id, side, ticks, quantity);
    r.taker = taker;
    return r;
}

/* --- by hand ------------------------------------------------------------------------------------------------------ */

START_TEST(unknown_ids)
{
    EXPECT(cancel(7), unknown(SB_REPORT_CANCEL_REJECT, 7));
    EXPECT(modify(7, 100, 5), unknown(SB_REPORT_MODIFY_REJECT, 7));
    EXPECT(reduce(7, 5), unknown(SB_REPORT_CANCEL_REJECT, 7));
    EXPECT(order(7, SB_BUY, 100, 5), entered(7, SB_BUY, 100, 5));
    EXPECT(cancel(8), unknown(SB_REPORT_CANCEL_REJECT, 8));
    EXPECT(cancel(7), canceled(7, SB_BUY, 5, SB_REASON_USER));
    EXPECT(cancel(7), unknown(SB_REPORT_CANCEL_REJECT, 7));
    EXPECT(cancel(0), unknown(SB_REPORT_CANCEL_REJECT, 0));
}
END_TEST

START_TEST(duplicate_ids)
{
    EXPECT(order(7, SB_BUY, 100, 5), entered(7, SB_BUY, 100, 5));
    EXPECT(order(7, SB_BUY, 101, 6),
           refused(SB_REPORT_ORDER_REJECT, 7, SB_BUY, SB_REASON_DUPLICATE));
    EXPECT(order(7, SB_SELL, 100, 6),
           refused(SB_REPORT_ORDER_REJECT, 7, SB_SELL, SB_REASON_DUPLICATE));
    EXPECT(ioc(7, SB_SELL, 100, 6),
           refused(SB_REPORT_ORDER_REJECT, 7, SB_SELL, SB_REASON_DUPLICATE));
    EXPECT(cancel(7), canceled(7, SB_BUY, 5, SB_REASON_USER));
    EXPECT(order(7, SB_SELL, 100, 6), entered(7, SB_SELL, 100, 6));
}
END_TEST

START_TEST(refused_details)
{
    const uint32_t most = SB_QUANTITY_MAX / 2;
    struct sb_bench_message off_tick = order(7, SB_SELL, 100, 5);
    off_tick.price = 10050;
    EXPECT(off_tick, refused(SB_REPORT_ORDER_REJECT, 7, SB_SELL, SB_REASON_PRICE_TICK));
    EXPECT(order(7, SB_BUY, 0, 5),
           refused(SB_REPORT_ORDER_REJECT, 7, SB_BUY, SB_REASON_PRICE_BAND));
    EXPECT(order(7, SB_BUY, 100, 0),
           refused(SB_REPORT_ORDER_REJECT, 7, SB_BUY, SB_REASON_QUANTITY));
    EXPECT(order(7, SB_BUY, 100, most + 1),
           refused(SB_REPORT_ORDER_REJECT, 7, SB_BUY, SB_REASON_QUANTITY));
    EXPECT(order(7, SB_SELL, 100, most), entered(7, SB_SELL, 100, most));
    off_tick.kind = SB_CMD_REPLACE;
    EXPECT(off_tick, refused(SB_REPORT_MODIFY_REJECT, 7, SB_SELL, SB_REASON_PRICE_TICK));
    EXPECT(modify(7, 0, 5), refused(SB_REPORT_MODIFY_REJECT, 7, SB_SELL, SB_REASON_PRICE_BAND));
    EXPECT(modify(7, 100, 0), refused(SB_REPORT_MODIFY_REJECT, 7, SB_SELL, SB_REASON_QUANTITY));
    EXPECT(reduce(7, 0), refused(SB_REPORT_CANCEL_REJECT, 7, SB_SELL, SB_REASON_QUANTITY));
    EXPECT(cancel(7), canceled(7, SB_SELL, most, SB_REASON_USER)); /* as it was */
}
END_TEST

START_TEST(modify_that_crosses)
{
    EXPECT(order(1, SB_SELL, 101, 5), entered(1, SB_SELL, 101, 5));
    EXPECT(order(2, SB_SELL, 102, 5), entered(2, SB_SELL, 102, 5));
    EXPECT(order(3, SB_BUY, 100, 8), entered(3, SB_BUY, 100, 8));
    EXPECT(modify(3, 102, 8), modified(3, SB_BUY, 102, 8), trade(1, 3, SB_SELL, 101, 5),
           trade(2, 3, SB_SELL, 102, 3));
    EXPECT(cancel(3), unknown(SB_REPORT_CANCEL_REJECT, 3));
    EXPECT(order(3, SB_BUY, 99, 4), entered(3, SB_BUY, 99, 4));
    EXPECT(modify(3, 103, 4), modified(3, SB_BUY, 103, 4), trade(2, 3, SB_SELL, 102, 2));
    /* What is left, two of four, is now the best buy, at its new price. */
    EXPECT(ioc(4, SB_SELL, 1, 3), entered(4, SB_SELL, 1, 3), trade(3, 4, SB_BUY, 103, 2),
           canceled(4, SB_SELL, 1, SB_REASON_IOC));
}
END_TEST

START_TEST(modify_counts_what_was_executed)
{
    EXPECT(order(1, SB_BUY, 100, 10), entered(1, SB_BUY, 100, 10));
    EXPECT(ioc(2, SB_SELL, 100, 4), entered(2, SB_SELL, 100, 4), trade(1, 2, SB_BUY, 100, 4));
    EXPECT(modify(1, 101, 10), modified(1, SB_BUY, 101, 6)); /* ten in its life, four are done */
    EXPECT(ioc(3, SB_SELL, 100, 1), entered(3, SB_SELL, 100, 1), trade(1, 3, SB_BUY, 101, 1));
    EXPECT(modify(1, 101, 5), canceled(1, SB_BUY, 5, SB_REASON_USER)); /* five are done */
    EXPECT(cancel(1), unknown(SB_REPORT_CANCEL_REJECT, 1));
    /* As a taker it executes as well. */
    EXPECT(order(4, SB_SELL, 100, 3), entered(4, SB_SELL, 100, 3));
    EXPECT(order(5, SB_BUY, 100, 7), entered(5, SB_BUY, 100, 7), trade(4, 5, SB_SELL, 100, 3));
    EXPECT(modify(5, 100, 8), modified(5, SB_BUY, 100, 5));
}
END_TEST

START_TEST(modify_loses_its_place)
{
    EXPECT(order(1, SB_BUY, 100, 5), entered(1, SB_BUY, 100, 5));
    EXPECT(order(2, SB_BUY, 100, 5), entered(2, SB_BUY, 100, 5));
    EXPECT(modify(1, 100, 5), modified(1, SB_BUY, 100, 5));
    EXPECT(ioc(3, SB_SELL, 100, 6), entered(3, SB_SELL, 100, 6), trade(2, 3, SB_BUY, 100, 5),
           trade(1, 3, SB_BUY, 100, 1));
    EXPECT(modify_ioc(1, 100, 5), modified(1, SB_BUY, 100, 4),
           canceled(1, SB_BUY, 4, SB_REASON_IOC));
    EXPECT(cancel(1), unknown(SB_REPORT_CANCEL_REJECT, 1));
}
END_TEST

START_TEST(ioc_with_remainder)
{
    EXPECT(ioc(1, SB_BUY, 100, 8), entered(1, SB_BUY, 100, 8),
           canceled(1, SB_BUY, 8, SB_REASON_IOC));
    EXPECT(order(2, SB_SELL, 100, 5), entered(2, SB_SELL, 100, 5));
    EXPECT(ioc(3, SB_BUY, 99, 8), entered(3, SB_BUY, 99, 8), canceled(3, SB_BUY, 8, SB_REASON_IOC));
    EXPECT(ioc(3, SB_BUY, 100, 8), entered(3, SB_BUY, 100, 8), trade(2, 3, SB_SELL, 100, 5),
           canceled(3, SB_BUY, 3, SB_REASON_IOC));
    EXPECT(cancel(3), unknown(SB_REPORT_CANCEL_REJECT, 3));
    EXPECT(cancel(2), unknown(SB_REPORT_CANCEL_REJECT, 2));
}
END_TEST

START_TEST(oldest_first)
{
    for (uint64_t id = 1; id <= 4; id++)
        EXPECT(order(id, SB_SELL, 100, 5), entered(id, SB_SELL, 100, 5));
    EXPECT(cancel(2), canceled(2, SB_SELL, 5, SB_REASON_USER)); /* from the middle */
    EXPECT(reduce(1, 3), canceled(1, SB_SELL, 3, SB_REASON_USER));
    EXPECT(cancel(4), canceled(4, SB_SELL, 5, SB_REASON_USER)); /* the last */
    EXPECT(order(5, SB_SELL, 100, 1), entered(5, SB_SELL, 100, 1));
    EXPECT(ioc(6, SB_BUY, 100, 9), entered(6, SB_BUY, 100, 9), trade(1, 6, SB_SELL, 100, 2),
           trade(3, 6, SB_SELL, 100, 5), trade(5, 6, SB_SELL, 100, 1),
           canceled(6, SB_BUY, 1, SB_REASON_IOC));
    EXPECT(order(7, SB_SELL, 100, 2), entered(7, SB_SELL, 100, 2));
    EXPECT(reduce(7, 9), canceled(7, SB_SELL, 2, SB_REASON_USER)); /* at most all */
    EXPECT(reduce(7, 1), unknown(SB_REPORT_CANCEL_REJECT, 7));
}
END_TEST

/* Neighbors in a word of the map, in a group of words, in a region of groups, and beyond; with their ends. */
static const uint32_t FAR_APART[] = {
    1, 2, 63, 64, 65, 4095, 4096, 262143, 262144, 262145, 2000000, LAST_TICK - 1, LAST_TICK};
enum { FAR_N = sizeof FAR_APART / sizeof FAR_APART[0] };
_Static_assert(sizeof FAR_APART / sizeof FAR_APART[0] <= (size_t)ORDERS, "they rest at once");

/* Entered in an order of their own: 0, 5, 10, 2, 7... */
static void fill(uint8_t side)
{
    for (uint32_t i = 0; i < FAR_N; i++) {
        const uint32_t at = i * 5 % FAR_N;
        EXPECT(order(100 + at, side, FAR_APART[at], 1), entered(100 + at, side, FAR_APART[at], 1));
    }
}

/* One order takes them all, the best first; then that side is empty. */
static void sweep(uint8_t side)
{
    const uint8_t taker = side ^ 1u;
    const uint32_t limit = side == SB_SELL ? LAST_TICK : 1;
    struct sb_report expected[FAR_N + 2];
    const struct sb_bench_message m = ioc(99, taker, limit, FAR_N + 1);
    expected[0] = entered(99, taker, limit, FAR_N + 1);
    for (uint32_t i = 0; i < FAR_N; i++) {
        const uint32_t at = side == SB_SELL ? i : FAR_N - 1 - i;
        expected[1 + i] = trade(100 + at, 99, side, FAR_APART[at], 1);
    }
    expected[1 + FAR_N] = canceled(99, taker, 1, SB_REASON_IOC);
    for (int which = 0; which < BOTH; which++)
        expect_of(which, &m, FAR_N + 2, expected);
    EXPECT(m, entered(99, taker, limit, FAR_N + 1), canceled(99, taker, FAR_N + 1, SB_REASON_IOC));
}

/* Emptied and filled again, twice. */
START_TEST(sweep_through_levels)
{
    for (int i = 0; i < 4; i++) {
        const uint8_t side = i % 2 == 0 ? SB_SELL : SB_BUY;
        fill(side);
        sweep(side);
    }
}
END_TEST

/* The best is canceled, again and again; an IOC of one share meets the next. */
START_TEST(cancel_from_the_best)
{
    for (uint8_t side = SB_BUY; side <= SB_SELL; side++) {
        fill(side);
        const uint8_t taker = side ^ 1u;
        const uint32_t limit = side == SB_SELL ? LAST_TICK : 1;
        for (uint32_t i = 0; i + 1 < FAR_N; i += 2) {
            const uint32_t best = side == SB_SELL ? i : FAR_N - 1 - i;
            const uint32_t next = side == SB_SELL ? best + 1 : best - 1;
            EXPECT(cancel(100 + best), canceled(100 + best, side, 1, SB_REASON_USER));
            EXPECT(ioc(99, taker, limit, 1), entered(99, taker, limit, 1),
                   trade(100 + next, 99, side, FAR_APART[next], 1));
        }
        const uint32_t last = side == SB_SELL ? FAR_N - 1 : 0;
        EXPECT(cancel(100 + last), canceled(100 + last, side, 1, SB_REASON_USER));
    }
}
END_TEST

/* The k-th of many ids that have one tag, so begin to be looked for in one place of the table: here the last one. */
static uint64_t id_of_one_tag(uint64_t k)
{
    const uint64_t odd = UINT64_C(0x9e3779b97f4a7c15), inverse = UINT64_C(0xf1de83e19937733d);
    ck_assert_uint_eq(odd * inverse, 1);
    return (k << 32 | (k ^ UINT32_MAX)) * inverse;
}

START_TEST(ids_of_one_tag)
{
    uint64_t id[5];
    for (uint32_t k = 0; k < 5; k++)
        id[k] = id_of_one_tag(k);
    for (uint32_t k = 0; k < 4; k++)
        EXPECT(order(id[k], SB_BUY, 100 + k, 1 + k), entered(id[k], SB_BUY, 100 + k, 1 + k));
    EXPECT(cancel(id[4]), unknown(SB_REPORT_CANCEL_REJECT, id[4]));
    EXPECT(cancel(id[0]), canceled(id[0], SB_BUY, 1, SB_REASON_USER));
    EXPECT(cancel(id[2]), canceled(id[2], SB_BUY, 3, SB_REASON_USER));
    EXPECT(order(id[4], SB_BUY, 99, 9), entered(id[4], SB_BUY, 99, 9));
    EXPECT(modify(id[3], 103, 5), modified(id[3], SB_BUY, 103, 5));
    EXPECT(ioc(7, SB_SELL, 101, 7), entered(7, SB_SELL, 101, 7), trade(id[3], 7, SB_BUY, 103, 5),
           trade(id[1], 7, SB_BUY, 101, 2));
    EXPECT(cancel(id[4]), canceled(id[4], SB_BUY, 9, SB_REASON_USER));
}
END_TEST

/* --- by chance ---------------------------------------------------------------------------------------------------- */

static struct sb_bench_message any_message(uint64_t *random, const uint64_t ids[ORDERS])
{
    static const uint8_t KINDS[] = {SB_CMD_ORDER,   SB_CMD_ORDER,   SB_CMD_ORDER,  SB_CMD_ORDER,
                                    SB_CMD_REPLACE, SB_CMD_REPLACE, SB_CMD_REDUCE, SB_CMD_CANCEL};
    const uint32_t ticks = sb_random_below(random, 3) == 0
                               ? FAR_APART[sb_random_below(random, FAR_N)]
                               : 60 + sb_random_below(random, 9);
    struct sb_bench_message m =
        message(KINDS[sb_random_below(random, 8)], ids[sb_random_below(random, ORDERS)],
                ticks * TICK, sb_random_below(random, 9));
    m.side = (uint8_t)sb_random_below(random, 2);
    m.tif = sb_random_below(random, 5) == 0 ? SB_TIF_IOC : SB_TIF_DAY;
    return m;
}

/* Of ORDERS ids, so that no more rest at once. */
START_TEST(as_the_engine)
{
    uint64_t random = 1000 + (uint64_t)_i, ids[ORDERS], seen[SB_REPORT_KINDS] = {0};
    for (int i = 0; i < ORDERS; i++)
        ids[i] = sb_random_next(&random);
    for (int i = 0; i < 50000; i++) {
        const struct sb_bench_message m = any_message(&random, ids);
        sb_bench_adapter_apply(&adapters[ENGINE], &m, &rings[ENGINE]);
        const uint64_t n = sb_report_ring_ready(&rings[ENGINE]);
        struct sb_report expected[ORDERS + 2];
        ck_assert_uint_le(n, ORDERS + 2);
        for (uint64_t k = 0; k < n; k++) {
            expected[k] = *sb_report_ring_at(&rings[ENGINE], k);
            seen[expected[k].kind]++;
        }
        sb_report_ring_taken(&rings[ENGINE], n);
        expect_of(PLAIN, &m, n, expected);
    }
    for (uint32_t kind = 1; kind < SB_REPORT_KINDS; kind++)
        ck_assert_uint_gt(seen[kind], 1000);
}
END_TEST

START_TEST(regimes_of_other_seeds)
{
    struct sb_report_ring *ring = aligned_alloc(128, sizeof *ring);
    ck_assert_ptr_nonnull(ring);
    for (uint32_t index = 0, found = 0; found < SB_REGIMES; index++) {
        if (strcmp(sb_workload_name(index), sb_regime_name(found)) != 0)
            continue;
        found++;
        struct sb_workload w;
        char why[SB_LINES_ERROR_BYTES];
        const struct sb_workload_options options = {
            .seed = 70 + (uint64_t)_i, .messages = 40000, .sessions = 1, .captures = ""};
        ck_assert_int_eq(sb_workload_make(&w, index, &options, why), SB_WORKLOAD_READY);
        ck_assert(sb_bench_plain_serves(w.messages, w.n, &w.sizes));
        const struct sb_bench_run run = {.messages = w.messages,
                                         .n = w.n,
                                         .sizes = w.sizes,
                                         .ring = ring,
                                         .way = SB_BENCH_PLAIN};
        struct sb_bench_pass pass;
        ck_assert(sb_bench_pass_engine(&run, &pass));
        ck_assert_uint_eq(pass.hash, w.seen.hash);
        ck_assert_uint_eq(pass.reports, w.seen.reports);
        sb_workload_free(&w);
    }
    free(ring);
}
END_TEST

START_TEST(what_it_serves)
{
    struct sb_bench_message m[2] = {order(1, SB_BUY, 100, 5), order(2, SB_SELL, LAST_TICK, 5)};
    struct sb_bench_sizes sizes = SIZES;
    ck_assert(sb_bench_plain_serves(m, 2, &sizes));
    m[1].price = (LAST_TICK + 1) * TICK;
    ck_assert(!sb_bench_plain_serves(m, 2, &sizes));
    ck_assert(sb_bench_plain_serves(m, 1, &sizes));
    m[1].kind = SB_CMD_REPLACE;
    ck_assert(!sb_bench_plain_serves(m, 2, &sizes));
    m[1].kind = SB_CMD_CANCEL; /* has no price */
    ck_assert(sb_bench_plain_serves(m, 2, &sizes));
    m[1].instrument = 2;
    ck_assert(!sb_bench_plain_serves(m, 2, &sizes));
    m[1].instrument = 1;
    m[1].side = SB_SELL_SHORT;
    ck_assert(!sb_bench_plain_serves(m, 2, &sizes));
    sizes.open_most = sizes.limits.orders_max; /* the engine may have been full */
    ck_assert(!sb_bench_plain_serves(m, 1, &sizes));
    sizes.open_most = ORDERS;
    sizes.limits.instruments_max = 2;
    ck_assert(!sb_bench_plain_serves(m, 1, &sizes));
}
END_TEST

int main(void)
{
    TCase *books = tcase_create("books"), *workloads = tcase_create("workloads");
    tcase_set_timeout(books, 100);
    tcase_set_timeout(workloads, 100);
    tcase_add_checked_fixture(books, books_open, books_close);
    tcase_add_test(books, unknown_ids);
    tcase_add_test(books, duplicate_ids);
    tcase_add_test(books, refused_details);
    tcase_add_test(books, modify_that_crosses);
    tcase_add_test(books, modify_counts_what_was_executed);
    tcase_add_test(books, modify_loses_its_place);
    tcase_add_test(books, ioc_with_remainder);
    tcase_add_test(books, oldest_first);
    tcase_add_test(books, sweep_through_levels);
    tcase_add_test(books, cancel_from_the_best);
    tcase_add_test(books, ids_of_one_tag);
    tcase_add_loop_test(books, as_the_engine, 0, 4);
    tcase_add_loop_test(workloads, regimes_of_other_seeds, 0, 3);
    tcase_add_test(workloads, what_it_serves);
    Suite *suite = suite_create("bench_plain");
    suite_add_tcase(suite, books);
    suite_add_tcase(suite, workloads);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
