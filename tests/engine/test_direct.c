/* The matcher by direct calls: every report of hand-made cases, and a random flow against the slow reference, which is given
 * the same as sessions' commands. */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/book.h"
#include "engine/verify.h"
#include "tests/reference/reference.h"

enum { ORDERS = 40, LEVELS = 24, INSTRUMENTS = 3, QUANTITY_MAX = 1000, PRICE_MAX = 100000 };

static const struct sb_engine_limits limits = {.instruments_max = INSTRUMENTS + 1,
                                               .sessions_max = 1,
                                               .orders_max = ORDERS,
                                               .levels_max = LEVELS,
                                               .terms_max = 1,
                                               .window_levels = 64};
static const struct sb_direct_instrument definition = {
    .tick = 10, .price_min = 10, .price_max = PRICE_MAX, .lot = 1, .quantity_max = QUANTITY_MAX};

static struct sb_engine *e;
static struct sb_report out[ORDERS + 2];
static void *memory;
static char text[4096];

static struct sb_engine *blank(void **block)
{
    const size_t bytes = (sb_engine_footprint(&limits) + 63) & ~(size_t)63;
    *block = aligned_alloc(64, bytes);
    ck_assert_ptr_nonnull(*block);
    return sb_engine_new(memset(*block, 0, bytes), bytes, &limits);
}

static void setup(void)
{
    e = blank(&memory);
    ck_assert(sb_direct_open(e, INSTRUMENTS, &definition));
    ck_assert_uint_eq(sb_direct_reports_max(e), ORDERS + 2);
}

static void teardown(void)
{
    free(memory);
}

/* Reports as lines: "ACK 1 B 100@50 i1", "TRD 1<2 B 10@50 i1" (of the maker), "CXL 1 S 10 r1 i1", "rej 1 r24 i1". */
static const char *lines(uint32_t n)
{
    static const char *const kinds[] = {"?",   "ACK", "TRD", "CXL",
                                        "MOD", "rej", "cxl", "mod"}; /* small: refused */
    size_t at = 0;
    text[0] = 0;
    for (uint32_t i = 0; i < n; i++) {
        const struct sb_report *r = &out[i];
        const size_t left = sizeof text - at;
        ck_assert(r->kind >= 1 && r->kind < SB_REPORT_KINDS && r->zero == 0);
        at += (size_t)snprintf(text + at, left, "%s %" PRIu64, kinds[r->kind], r->id);
        if (r->kind == SB_REPORT_TRADE)
            at += (size_t)snprintf(text + at, sizeof text - at, "<%" PRIu64, r->taker);
        else
            ck_assert_uint_eq(r->taker, 0);
        if (r->kind >= SB_REPORT_ORDER_REJECT)
            at += (size_t)snprintf(text + at, sizeof text - at, " r%u", r->reason);
        else
            at += (size_t)snprintf(text + at, sizeof text - at, " %c %u", "BS?T?E"[r->side],
                                   r -> quantity);
        if (r->price != 0)
            at += (size_t)snprintf(text + at, sizeof text - at, "@%u", r->price);
        if (r->kind == SB_REPORT_CANCEL_ACK)
            at += (size_t)snprintf(text + at, sizeof text - at, " r%u", r->reason);
        at += (size_t)snprintf(text + at, sizeof text - at, " i%u\n", r->instrument);
    }
    return text;
}

#define expect(call, s) ck_assert_str_eq(lines(call), s)

static uint32_t new_order(uint64_t id, uint32_t flags, int64_t price, uint32_t quantity)
{
    return sb_direct_order(e, 1, id, flags, price, quantity, out);
}

static uint32_t cancel(uint64_t id)
{
    return sb_direct_cancel(e, id, out);
}

static uint32_t modify(uint64_t id, uint32_t flags, int64_t price, uint32_t quantity)
{
    return sb_direct_modify(e, id, flags, price, quantity, out);
}

static uint32_t amend(uint64_t id, uint32_t flags, int64_t price, uint32_t quantity)
{
    return sb_direct_amend(e, id, flags, price, quantity, out);
}

/* Side empty: quantity 0. */
static void best_is(uint8_t side, int64_t price, uint64_t quantity)
{
    int64_t p = 0;
    uint64_t q = 0;
    ck_assert_int_eq(sb_engine_best(e, 1, side, &p, &q), quantity != 0);
    ck_assert_int_eq(p, quantity != 0 ? price : 0);
    ck_assert_uint_eq(q, quantity);
}

/* The state goes through its image and is the same. */
static void through_the_image(void)
{
    const size_t bytes = sb_engine_image_bytes(e);
    uint8_t *image = malloc(bytes), *again = malloc(bytes);
    void *block;
    struct sb_engine *copy = blank(&block);
    sb_engine_save(e, image, bytes);
    const char *wrong = sb_engine_load(copy, image, bytes);
    ck_assert_msg(wrong == NULL, "%s", wrong);
    ck_assert_uint_eq(sb_engine_state_digest(copy), sb_engine_state_digest(e));
    sb_engine_save(copy, again, bytes);
    ck_assert_mem_eq(image, again, bytes);
    free(image);
    free(again);
    free(memory);
    memory = block;
    e = copy;
}

START_TEST(unknown_ids)
{
    expect(cancel(7), "cxl 7 r65 i0\n");
    expect(cancel(0), "cxl 0 r65 i0\n");
    expect(sb_direct_reduce(e, 7, 5, out), "cxl 7 r65 i0\n");
    expect(modify(7, 0, 50, 5), "mod 7 r65 i0\n");
    expect(amend(7, 0, 50, 5), "mod 7 r65 i0\n");
    expect(new_order(7, SB_BUY, 50, 5), "ACK 7 B 5@50 i1\n");
    expect(cancel(7), "CXL 7 B 5 r1 i1\n");
    expect(cancel(7), "cxl 7 r65 i0\n");
    ck_assert_uint_eq(sb_engine_applied(e), 8);
}
END_TEST

START_TEST(duplicate_ids_and_their_second_life)
{
    expect(new_order(7, SB_BUY, 50, 5), "ACK 7 B 5@50 i1\n");
    expect(new_order(7, SB_SELL, 50, 5), "rej 7 r64 i1\n");
    expect(sb_direct_order(e, 2, 7, SB_BUY, 50, 5, out), "rej 7 r64 i2\n");
    best_is(SB_BUY, 50, 5);
    best_is(SB_SELL, 0, 0);
    expect(cancel(7), "CXL 7 B 5 r1 i1\n");
    expect(sb_direct_order(e, 2, 7, SB_SELL, 60, 5, out), "ACK 7 S 5@60 i2\n");
    expect(sb_direct_order(e, 2, 8, SB_BUY, 60, 5, out), "ACK 8 B 5@60 i2\nTRD 7<8 S 5@60 i2\n");
    expect(new_order(7, SB_BUY, 50, 6), "ACK 7 B 6@50 i1\n");
    expect(new_order(8, SB_BUY, 50, 6), "ACK 8 B 6@50 i1\n");
}
END_TEST

START_TEST(modify_of_a_filled_order)
{
    new_order(1, SB_SELL, 50, 5);
    expect(new_order(2, SB_BUY, 50, 5), "ACK 2 B 5@50 i1\nTRD 1<2 S 5@50 i1\n");
    expect(modify(1, 0, 60, 5), "mod 1 r65 i0\n");
    expect(modify(2, 0, 60, 5), "mod 2 r65 i0\n");
    expect(cancel(1), "cxl 1 r65 i0\n");
}
END_TEST

START_TEST(modify_loses_its_place_and_may_trade)
{
    new_order(1, SB_SELL, 50, 5);
    new_order(2, SB_SELL, 50, 5);
    expect(modify(1, 0, 50, 5), "MOD 1 S 5@50 i1\n"); /* the same details: behind 2 */
    expect(new_order(3, SB_BUY, 50, 1), "ACK 3 B 1@50 i1\nTRD 2<3 S 1@50 i1\n");
    new_order(4, SB_BUY, 30, 7);
    expect(modify(4, 0, 60, 7), "MOD 4 B 7@60 i1\nTRD 2<4 S 4@50 i1\nTRD 1<4 S 3@50 i1\n");
    expect(cancel(4), "cxl 4 r65 i0\n");
    new_order(5, SB_BUY, 30, 7);
    expect(modify(5, 0, 50, 9), "MOD 5 B 9@50 i1\nTRD 1<5 S 2@50 i1\n");
    best_is(SB_BUY, 50, 7);
    best_is(SB_SELL, 0, 0);
    new_order(6, SB_SELL_SHORT, 60, 9);
    expect(modify(6, SB_DIRECT_IOC, 50, 9),
           "MOD 6 T 9@50 i1\nTRD 5<6 B 7@50 i1\nCXL 6 T 2 r2 i1\n");
    expect(cancel(6), "cxl 6 r65 i0\n");
}
END_TEST

START_TEST(what_quantity_means)
{
    new_order(1, SB_SELL, 50, 10);
    new_order(2, SB_BUY, 50, 4); /* 6 open */
    expect(modify(1, SB_DIRECT_CHAIN, 60, 9), "MOD 1 S 5@60 i1\n");
    expect(modify(1, 0, 60, 9), "MOD 1 S 9@60 i1\n");
    expect(modify(1, SB_DIRECT_CHAIN, 60, 9), "MOD 1 S 9@60 i1\n"); /* counts from the last one */
    new_order(3, SB_BUY, 60, 4);
    expect(modify(1, SB_DIRECT_CHAIN, 70, 4), "CXL 1 S 5 r1 i1\n");
    expect(modify(1, 0, 70, 4), "mod 1 r65 i0\n");
    new_order(4, SB_SELL, 50, 10);
    new_order(5, SB_BUY, 50, 4);                     /* 6 open, 4 executed */
    expect(amend(4, 0, 50, 5), "MOD 4 S 5@50 i1\n"); /* keeps its place: begins nothing */
    expect(amend(4, SB_DIRECT_CHAIN, 60, 9), "MOD 4 S 5@60 i1\n"); /* with the flag it goes on */
    expect(amend(4, SB_DIRECT_CHAIN, 60, 8), "MOD 4 S 4@60 i1\n"); /* 8 - 4 */
    expect(amend(4, 0, 60, 7), "MOD 4 S 7@60 i1\n"); /* loses its place: begins again */
    expect(amend(4, SB_DIRECT_CHAIN, 60, 4), "MOD 4 S 4@60 i1\n"); /* 4 - 0 */
}
END_TEST

START_TEST(amend_keeps_the_place_of_a_smaller_one)
{
    new_order(1, SB_SELL, 50, 10);
    new_order(2, SB_SELL, 50, 10);
    expect(amend(1, 0, 50, 4), "MOD 1 S 4@50 i1\n");
    best_is(SB_SELL, 50, 14);
    expect(new_order(3, SB_BUY, 50, 1), "ACK 3 B 1@50 i1\nTRD 1<3 S 1@50 i1\n");
    expect(amend(1, SB_DIRECT_CHAIN, 50, 3), "MOD 1 S 2@50 i1\n");
    expect(new_order(4, SB_BUY, 50, 1), "ACK 4 B 1@50 i1\nTRD 1<4 S 1@50 i1\n");
    expect(amend(1, 0, 50, 2), "MOD 1 S 2@50 i1\n"); /* more than the 1 that is open */
    expect(new_order(5, SB_BUY, 50, 1), "ACK 5 B 1@50 i1\nTRD 2<5 S 1@50 i1\n");
    expect(amend(2, 0, 60, 1), "MOD 2 S 1@60 i1\n");
    expect(amend(2, 0, 60, 0), "mod 2 r24 i1\n");
    expect(sb_direct_reduce(e, 2, 0, out), "cxl 2 r24 i1\n");
    expect(sb_direct_reduce(e, 1, 1, out), "CXL 1 S 1 r1 i1\n");
    expect(sb_direct_reduce(e, 1, 5, out), "CXL 1 S 1 r1 i1\n");
    expect(sb_direct_reduce(e, 1, 5, out), "cxl 1 r65 i0\n");
    best_is(SB_SELL, 60, 1);
}
END_TEST

START_TEST(immediate_or_cancel)
{
    new_order(1, SB_SELL, 50, 5);
    expect(new_order(2, SB_BUY | SB_DIRECT_IOC, 40, 3), "ACK 2 B 3@40 i1\nCXL 2 B 3 r2 i1\n");
    expect(new_order(2, SB_BUY | SB_DIRECT_IOC, 50, 3), "ACK 2 B 3@50 i1\nTRD 1<2 S 3@50 i1\n");
    expect(new_order(2, SB_BUY | SB_DIRECT_IOC, 60, 3),
           "ACK 2 B 3@60 i1\nTRD 1<2 S 2@50 i1\nCXL 2 B 1 r2 i1\n");
    best_is(SB_BUY, 0, 0);
    best_is(SB_SELL, 0, 0);
    expect(cancel(2), "cxl 2 r65 i0\n");
}
END_TEST

START_TEST(sweep_and_refill)
{
    char expected[4096];
    for (uint32_t round = 0; round < 3; round++) {
        /* Levels in the window and far outside, the best last. */
        size_t at = (size_t)snprintf(expected, sizeof expected, "ACK 100 B 500@%d i1\n", PRICE_MAX);
        for (uint32_t i = 0; i < 20; i++)
            new_order(20 - i, SB_SELL, 10000 + (20 - i) * (20 - i) * 100, 10 + i % 2);
        for (uint32_t i = 1; i <= 20; i++)
            at += (size_t)snprintf(expected + at, sizeof expected - at, "TRD %u<100 S %u@%u i1\n",
                                   i, 10 + i % 2, 10000 + i * i * 100);
        best_is(SB_SELL, 10100, 11);
        expect(new_order(100, SB_BUY, PRICE_MAX, 500), expected);
        best_is(SB_SELL, 0, 0);
        best_is(SB_BUY, PRICE_MAX, 290);
        expect(cancel(100), "CXL 100 B 290 r1 i1\n");
        best_is(SB_BUY, 0, 0);
    }
}
END_TEST

START_TEST(refusals)
{
    expect(sb_direct_order(e, 0, 1, SB_BUY, 50, 5, out), "rej 1 r16 i0\n");
    expect(sb_direct_order(e, INSTRUMENTS + 1, 1, SB_BUY, 50, 5, out), "rej 1 r16 i4\n");
    expect(sb_direct_order(e, UINT32_MAX, 1, SB_BUY, 50, 5, out), "rej 1 r16 i4294967295\n");
    static const struct {
        int64_t price;
        uint32_t quantity, reason;
    } bad[] = {{0, 5, SB_REASON_PRICE_BAND},
               {-10, 5, SB_REASON_PRICE_BAND},
               {-11, 5, SB_REASON_PRICE_TICK},
               {55, 5, SB_REASON_PRICE_TICK},
               {INT64_MIN, 5, SB_REASON_PRICE_TICK}, /* ends in 8 */
               {INT64_MAX, 5, SB_REASON_PRICE_TICK},
               {INT64_MAX / 10 * 10, 5, SB_REASON_PRICE_BAND},
               {(INT64_C(1) << 32) * 10, 5, SB_REASON_PRICE_BAND},
               {PRICE_MAX + 10, 5, SB_REASON_PRICE_BAND},
               {50, 0, SB_REASON_QUANTITY},
               {50, QUANTITY_MAX + 1, SB_REASON_QUANTITY},
               {50, UINT32_MAX, SB_REASON_QUANTITY}};
    char expected[64];
    new_order(2, SB_BUY, 50, 5);
    const uint64_t commands = sb_engine_applied(e);
    for (uint32_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(expected, sizeof expected, "rej 1 r%u i1\n", bad[i].reason);
        expect(new_order(1, SB_SELL, bad[i].price, bad[i].quantity), expected);
        snprintf(expected, sizeof expected, "mod 2 r%u i1\n", bad[i].reason);
        expect(modify(2, 0, bad[i].price, bad[i].quantity), expected);
        expect(amend(2, 0, bad[i].price, bad[i].quantity), expected);
    }
    ck_assert_uint_eq(sb_engine_applied(e), commands + 36);
    best_is(SB_BUY, 50, 5);
    expect(new_order(3, SB_SELL, PRICE_MAX, QUANTITY_MAX), "ACK 3 S 1000@100000 i1\n");
    expect(new_order(4, SB_SELL, 10, 6), "ACK 4 S 6@10 i1\nTRD 2<4 B 5@50 i1\n");
    best_is(SB_SELL, 10, 1);
}
END_TEST

START_TEST(extreme_ids)
{
    static const uint64_t ids[] = {0, UINT64_MAX, 1, UINT64_C(1) << 63, UINT64_C(1) << 32};
    char expected[128];
    for (uint32_t i = 0; i < 5; i++) {
        snprintf(expected, sizeof expected, "ACK %" PRIu64 " B %u@50 i1\n", ids[i], i + 1);
        expect(new_order(ids[i], SB_BUY, 50, i + 1), expected);
    }
    expect(new_order(9, SB_SELL, 50, 2),
           "ACK 9 S 2@50 i1\nTRD 0<9 B 1@50 i1\nTRD 18446744073709551615<9 B 1@50 i1\n");
    expect(cancel(0), "cxl 0 r65 i0\n");
    expect(cancel(UINT64_MAX), "CXL 18446744073709551615 B 1 r1 i1\n");
    expect(modify(UINT64_C(1) << 63, 0, 60, 4), "MOD 9223372036854775808 B 4@60 i1\n");
    expect(new_order(UINT64_MAX, SB_SELL, 60, 5),
           "ACK 18446744073709551615 S 5@60 i1\n"
           "TRD 9223372036854775808<18446744073709551615 B 4@60 i1\n");
}
END_TEST

/* Ids that the table looks for in one bucket, which has 16 places, at prices in the window and outside: what orders and cancels
 * do that are not as most are. */
START_TEST(ids_of_one_bucket)
{
    enum { N = 30 };
    uint64_t ids[N];
    uint32_t n = 0, outside = 0;
    char expected[128];
    const struct sb_ids *t = &e->orders.ids;
    for (uint64_t id = 1; n < N; id++)
        if (sb_ids_near(t, sb_ids_hash(t, id)) == t->near)
            ids[n++] = id;
    for (uint32_t round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < N; i++) {
            const uint32_t price = i % 3 == 0 ? 40000 + i / 6 * 1000 : 50 + i % 3 * 10;
            snprintf(expected, sizeof expected, "ACK %" PRIu64 " B %u@%u i1\n", ids[i], i + 1,
                     price);
            expect(new_order(ids[i], SB_BUY, price, i + 1), expected);
            const struct sb_order *o = &e->orders.slots[sb_orders_find(&e->orders, ids[i])];
            outside += !sb_ladder_in_window(&e->books[1].side[0], sb_order_ladder_key(o));
        }
        ck_assert_uint_ne(t->more[0], 0);
        for (uint32_t i = 0; i < N; i++) {
            snprintf(expected, sizeof expected, "rej %" PRIu64 " r64 i1\n", ids[i]);
            expect(new_order(ids[i], SB_BUY, 50000 + i * 10, 5), expected);
        }
        ck_assert_uint_eq(sb_engine_verify(e), N);
        for (uint32_t k = 1; k <= N; k++) {
            const uint32_t i = round == 0 ? k - 1 : round == 1 ? N - k : k * 7 % N;
            snprintf(expected, sizeof expected, "CXL %" PRIu64 " B %u r1 i1\n", ids[i], i + 1);
            expect(cancel(ids[i]), expected);
            snprintf(expected, sizeof expected, "cxl %" PRIu64 " r65 i0\n", ids[i]);
            expect(cancel(ids[i]), expected);
            ck_assert_uint_eq(sb_engine_verify(e), N - k);
        }
        ck_assert(sb_ids_blank(t));
        ck_assert_uint_eq(e->levels.used, 0);
        ck_assert_uint_eq(e->levels.pool.used, 0);
    }
    ck_assert_uint_gt(outside, N);
}
END_TEST

START_TEST(full_tables)
{
    for (uint32_t i = 0; i < ORDERS; i++)
        new_order(i, SB_BUY, 10 + 10 * (i % LEVELS), 5);
    expect(new_order(100, SB_SELL, 10, 5), "rej 100 r25 i1\n"); /* even if it would trade */
    expect(new_order(100, SB_SELL | SB_DIRECT_IOC, 240, 5),
           "ACK 100 S 5@240 i1\nTRD 23<100 B 5@240 i1\n");
    expect(new_order(100, SB_SELL, 250, 5), "ACK 100 S 5@250 i1\n"); /* level 24 was left */
    expect(cancel(0), "CXL 0 B 5 r1 i1\n");
    expect(new_order(101, SB_SELL, 260, 5), "rej 101 r26 i1\n");
    expect(modify(1, 0, 300, 5), "mod 1 r26 i1\n");         /* 25 rests at its price, too */
    expect(modify(100, 0, 260, 5), "MOD 100 S 5@260 i1\n"); /* alone: its own level becomes free */
    expect(modify(1, SB_DIRECT_IOC, 30, 5), "MOD 1 B 5@30 i1\nCXL 1 B 5 r2 i1\n");
    ck_assert_uint_eq(sb_engine_stats(e)->open_orders, 38);
    ck_assert_uint_eq(sb_engine_stats(e)->open_orders_peak, ORDERS);
}
END_TEST

START_TEST(definitions)
{
    const struct sb_direct_instrument other = {
        .tick = 1, .price_min = 1, .price_max = SB_PRICE_MAX, .lot = 10, .quantity_max = 100};
    ck_assert(!sb_direct_define(e, 1, &other));
    ck_assert(!sb_direct_define(e, INSTRUMENTS + 2, &other));
    ck_assert(sb_direct_define(e, INSTRUMENTS + 1, &other));
    expect(sb_direct_order(e, 4, 1, SB_BUY, SB_PRICE_MAX, 10, out), "ACK 1 B 10@1999999900 i4\n");
    expect(sb_direct_order(e, 4, 2, SB_BUY, 1, 15, out), "rej 2 r23 i4\n");
    expect(sb_direct_order(e, 4, 2, SB_SELL_SHORT_EXEMPT, 1, 20, out),
           "ACK 2 E 20@1 i4\nTRD 1<2 B 10@1999999900 i4\n");
    void *block;
    struct sb_engine *bad = blank(&block);
    ck_assert(!sb_direct_open(bad, 1, &(struct sb_direct_instrument){.tick = 0}));
    free(block);
    bad = blank(&block);
    ck_assert(!sb_direct_open(bad, limits.instruments_max + 1, &definition));
    free(block);
}
END_TEST

static uint32_t wide_order(uint64_t id, uint32_t flags, int64_t price, uint32_t quantity)
{
    return sb_direct_order(e, 4, id, flags, price, quantity, out);
}

/* All prices that a report can say but the upper half, zero among them, and all quantities. */
START_TEST(extreme_prices_and_quantities)
{
    const struct sb_direct_instrument wide = {.tick = 1,
                                              .price_min = 0,
                                              .price_max = SB_DIRECT_PRICE_MAX,
                                              .lot = 1,
                                              .quantity_max = SB_DIRECT_QUANTITY_MAX};
    int64_t price = 0;
    uint64_t quantity = 0;
    ck_assert_int_eq(SB_DIRECT_PRICE_MAX, 2147483647);
    ck_assert_uint_eq(SB_DIRECT_QUANTITY_MAX, 4294967295u);
    ck_assert(sb_direct_define(e, 4, &wide));
    expect(wide_order(1, SB_BUY, -1, 5), "rej 1 r22 i4\n");
    expect(wide_order(1, SB_BUY, INT64_C(2147483648), 5), "rej 1 r22 i4\n");
    expect(wide_order(1, SB_BUY, 0, UINT32_MAX), "ACK 1 B 4294967295 i4\n"); /* at price 0 */
    expect(wide_order(2, SB_BUY, 0, 7), "ACK 2 B 7 i4\n");
    expect(wide_order(3, SB_SELL, 2147483647, 8), "ACK 3 S 8@2147483647 i4\n");
    expect(wide_order(4, SB_SELL, 2147483646, 9), "ACK 4 S 9@2147483646 i4\n");
    through_the_image();
    ck_assert(sb_engine_best(e, 4, SB_BUY, &price, &quantity));
    ck_assert_int_eq(price, 0);
    ck_assert_uint_eq(quantity, UINT64_C(4294967302));
    ck_assert_uint_eq(sb_book_verify(e, &e->books[4]), 4);
    expect(sb_direct_modify(e, 2, 0, 1, 6, out), "MOD 2 B 6@1 i4\n");
    expect(wide_order(5, SB_SELL | SB_DIRECT_IOC, 1, 10),
           "ACK 5 S 10@1 i4\nTRD 2<5 B 6@1 i4\nCXL 5 S 4 r2 i4\n");
    expect(wide_order(6, SB_SELL, 0, UINT32_MAX),
           "ACK 6 S 4294967295 i4\nTRD 1<6 B 4294967295 i4\n");
    expect(wide_order(7, SB_SELL, 0, 3), "ACK 7 S 3 i4\n"); /* rests at 0, the best */
    ck_assert(sb_engine_best(e, 4, SB_SELL, &price, &quantity));
    ck_assert_int_eq(price, 0);
    expect(wide_order(8, SB_BUY | SB_DIRECT_IOC, 2147483647, UINT32_MAX),
           "ACK 8 B 4294967295@2147483647 i4\nTRD 7<8 S 3 i4\nTRD 4<8 S 9@2147483646 i4\n"
           "TRD 3<8 S 8@2147483647 i4\nCXL 8 B 4294967275 r2 i4\n");
    ck_assert_uint_eq(sb_book_verify(e, &e->books[4]), 0);
    expect(wide_order(9, SB_BUY, 2147483647, 1), "ACK 9 B 1@2147483647 i4\n");
    expect(wide_order(10, SB_SELL, 2147483647, 2),
           "ACK 10 S 2@2147483647 i4\nTRD 9<10 B 1@2147483647 i4\n");
    expect(sb_direct_cancel(e, 10, out), "CXL 10 S 1 r1 i4\n");
    ck_assert(!sb_engine_best(e, 4, SB_BUY, &price, &quantity));
    ck_assert(!sb_engine_best(e, 4, SB_SELL, &price, &quantity));
    /* No further. */
    struct sb_direct_instrument bad = wide;
    void *block;
    struct sb_engine *other = blank(&block);
    bad.price_min = -1;
    ck_assert(!sb_direct_open(other, 1, &bad));
    free(block);
    other = blank(&block);
    bad = wide;
    bad.price_max++;
    ck_assert(!sb_direct_open(other, 1, &bad));
    free(block);
    /* Zero, the only price, is a multiple of any tick. */
    bad = (struct sb_direct_instrument){.tick = INT64_C(1) << 32, .lot = 1, .quantity_max = 1};
    other = blank(&block);
    ck_assert(!sb_direct_open(other, 1, &bad));
    free(block);
    bad.tick = SB_DIRECT_PRICE_MAX + 1;
    other = blank(&block);
    ck_assert(!sb_direct_open(other, 1, &bad));
    free(block);
    bad.tick = SB_DIRECT_PRICE_MAX;
    other = blank(&block);
    ck_assert(sb_direct_open(other, 1, &bad));
    expect(sb_direct_order(other, 1, 1, SB_BUY, 1, 1, out), "rej 1 r21 i1\n");
    expect(sb_direct_order(other, 1, 1, SB_BUY, 0, 1, out), "ACK 1 B 1 i1\n");
    free(block);
}
END_TEST

/* One flow twice: at both ends of what there is, and in the middle, with prices in the same order. */
START_TEST(ends_as_the_middle)
{
    static struct sb_report far[ORDERS + 2];
    const struct sb_direct_instrument wide = {
        .tick = 1, .price_min = 0, .price_max = SB_DIRECT_PRICE_MAX, .lot = 1, .quantity_max = 9};
    ck_assert(sb_direct_define(e, 4, &wide));
    uint32_t trades = 0;
    srand(1);
    for (uint32_t i = 0; i < 20000; i++) {
        const uint32_t step = (uint32_t)rand() % 12, quantity = 1 + (uint32_t)rand() % 9;
        const uint64_t id = 2 * ((uint64_t)rand() % 18);
        const int64_t end = step < 6 ? step : SB_DIRECT_PRICE_MAX - (11 - step);
        const int64_t middle = 10 + 10 * (int64_t)step;
        const uint32_t flags = (uint32_t)rand() % 2 | (rand() % 4 == 0 ? SB_DIRECT_IOC : 0);
        uint32_t n, m;
        if (rand() % 2 == 0) {
            n = sb_direct_order(e, 1, id, flags, middle, quantity, out);
            m = sb_direct_order(e, 4, id + 1, flags, end, quantity, far);
        } else if (rand() % 2 == 0) {
            n = sb_direct_modify(e, id, flags & SB_DIRECT_IOC, middle, quantity, out);
            m = sb_direct_modify(e, id + 1, flags & SB_DIRECT_IOC, end, quantity, far);
        } else {
            n = sb_direct_cancel(e, id, out);
            m = sb_direct_cancel(e, id + 1, far);
        }
        ck_assert_uint_eq(n, m);
        for (uint32_t k = 0; k < n; k++) {
            ck_assert_uint_eq(out[k].kind, far[k].kind);
            ck_assert_uint_eq(out[k].id + 1, far[k].id);
            ck_assert_uint_eq(out[k].quantity, far[k].quantity);
            ck_assert_uint_eq(out[k].reason, far[k].reason);
            trades += out[k].kind == SB_REPORT_TRADE;
        }
        ck_assert_uint_eq(sb_book_verify(e, &e->books[1]), sb_book_verify(e, &e->books[4]));
    }
    ck_assert_uint_gt(trades, 1000);
}
END_TEST

/* What a large shard costs: 100,000 instruments and 20 million orders and levels fit in 8 GB. */
START_TEST(footprint)
{
    struct sb_engine_limits l = {.instruments_max = 100000,
                                 .sessions_max = 1000,
                                 .orders_max = 20000000,
                                 .levels_max = 20000000,
                                 .terms_max = 1000000,
                                 .window_levels = 64};
    ck_assert_ptr_null(sb_engine_limits_error(&l));
    const size_t all = sb_engine_footprint(&l);
    ck_assert_uint_lt(all, UINT64_C(8000000000));
    l.orders_max += 1000;
    ck_assert_uint_le(sb_engine_footprint(&l) - all, 72 * 1000);
    l.orders_max -= 1000;
    l.instruments_max += 1000;
    ck_assert_uint_le(sb_engine_footprint(&l) - all, 2816 * 1000);
    l.instruments_max = 131072;
    ck_assert_ptr_nonnull(sb_engine_limits_error(&l));
    l.instruments_max = 131071;
    ck_assert_ptr_null(sb_engine_limits_error(&l));
}
END_TEST

/* --- against the reference -------------------------------------------------------------------------- */

enum { STEPS = 6000, IDS = 60 };

struct model {
    struct sb_reference *reference;
    struct sb_reference_outputs outputs;
    uint64_t seq;
    uint32_t last_key;
    uint32_t key_of[IDS], id_of[STEPS + 1];
};

static void send(struct model *m, struct sb_command2 c)
{
    c.c.seq = c.c.time_ns = ++m->seq;
    m->outputs.n = 0;
    sb_reference_apply(m->reference, &c.c, &m->outputs);
}

static void model_open(struct model *m)
{
    m->reference = sb_reference_new(&limits);
    send(m, (struct sb_command2){.c = {.kind = SB_CMD_DAY, .flags = SB_CMD_F_EXT},
                                 .ext.day.rules = SB_ENGINE_RULES});
    send(m, (struct sb_command2){.c = {.kind = SB_CMD_SESSION, .flags = SB_CMD_F_EXT, .key = 1}});
    for (uint32_t i = 1; i <= INSTRUMENTS; i++) {
        struct sb_command2 c = {
            .c = {.kind = SB_CMD_INSTRUMENT, .flags = SB_CMD_F_EXT, .instrument = i},
            .ext.instrument = {.symbol = "I0000000",
                               .tick = definition.tick,
                               .price_min = definition.price_min,
                               .price_max = definition.price_max,
                               .lot = definition.lot,
                               .quantity_max = definition.quantity_max,
                               .phase = SB_PHASE_CONTINUOUS}};
        c.ext.instrument.symbol[7] = (char)('0' + i);
        send(m, c);
    }
}

/* The session's outputs as reports. */
static uint32_t reports_of(const struct model *m, uint64_t id, struct sb_report *to)
{
    uint32_t n = 0;
    for (size_t i = 0; i < m->outputs.n; i++) {
        const struct sb_output *o = &m->outputs.out[i];
        struct sb_report r = {.id = id,
                              .price = (uint32_t)o->price,
                              .quantity = o->quantity,
                              .instrument = o->instrument,
                              .side = o->side & 7u};
        if (o->stream == SB_STREAM_FEED)
            continue;
        if (o->kind == SB_OUT_EXECUTED && o->liquidity == SB_LIQ_REMOVED)
            continue;
        if (o->kind == SB_OUT_EXECUTED) {
            r.id = m->id_of[o->key];
            r.taker = id;
        }
        if (o->kind == SB_OUT_CANCELED)
            r.reason = o->reason;
        r.kind = o->kind == SB_OUT_ACCEPTED                                ? SB_REPORT_ORDER_ACK
                 : o->kind == SB_OUT_REPLACED || o->kind == SB_OUT_AMENDED ? SB_REPORT_MODIFY_ACK
                 : o->kind == SB_OUT_EXECUTED                              ? SB_REPORT_TRADE
                                                                           : SB_REPORT_CANCEL_ACK;
        ck_assert_uint_ne(o->kind, SB_OUT_REJECTED);
        to[n++] = r;
    }
    return n;
}

struct seen {
    struct sb_order_view orders[ORDERS];
    uint32_t n;
};

static void see(void *arg, const struct sb_order_view *o)
{
    struct seen *s = arg;
    ck_assert_uint_lt(s->n, ORDERS);
    s->orders[s->n++] = *o;
}

static void compare_books(const struct model *m)
{
    for (uint32_t i = 1; i <= INSTRUMENTS; i++) {
        for (uint8_t side = 0; side < 2; side++) {
            struct seen a = {.n = 0}, b = {.n = 0};
            sb_engine_visit(e, i, side, see, &a);
            sb_reference_visit(m->reference, i, side, see, &b);
            ck_assert_uint_eq(a.n, b.n);
            for (uint32_t k = 0; k < a.n; k++) {
                const struct sb_order_view *x = &a.orders[k], *y = &b.orders[k];
                ck_assert_uint_eq(x->id, m->id_of[y->key]);
                ck_assert(x->ref == y->ref && x->price == y->price && x->open == y->open &&
                          x->executed == y->executed && x->side == y->side);
            }
        }
    }
    ck_assert_uint_eq(sb_engine_verify(e), sb_engine_stats(e)->open_orders);
}

START_TEST(counts_through_the_image)
{
    new_order(1, SB_BUY, 50, 10);
    expect(amend(1, 0, 50, 5), "MOD 1 B 5@50 i1\n"); /* in place: no new reference */
    new_order(2, SB_SELL | SB_DIRECT_IOC, 50, 9);
    expect(amend(2, 0, 50, 5), "mod 2 r65 i0\n");
    const struct sb_engine_stats before = *sb_engine_stats(e);
    ck_assert_uint_eq(before.commands, 4);
    ck_assert_uint_eq(before.accepted, 2);
    ck_assert_uint_eq(before.replaced, 1);
    ck_assert_uint_eq(before.canceled, 1);
    ck_assert_uint_eq(before.rejected, 1);
    ck_assert_uint_eq(before.open_orders_peak, 1);
    through_the_image();
    ck_assert_mem_eq(sb_engine_stats(e), &before, sizeof before);
    new_order(3, SB_BUY, 50, 1);
    ck_assert_uint_eq(sb_engine_stats(e)->commands, 5);
    ck_assert_uint_eq(sb_engine_stats(e)->accepted, 3);
}
END_TEST

START_TEST(as_the_reference)
{
    struct model m = {0};
    uint64_t random = 11 + (uint64_t)_i;
    uint32_t trades = 0;
    model_open(&m);
    for (uint32_t step = 0; step < STEPS; step++) {
        random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        const uint64_t x = random >> 20;
        const uint32_t id = (uint32_t)(x % IDS), kind = (uint32_t)(x / IDS % 16);
        const uint32_t quantity = 1 + (uint32_t)(x >> 10) % 30;
        const int64_t spread = (x >> 16) % 8 == 0 ? 20000 : 100; /* also far outside the window */
        const int64_t price = 30000 + (int64_t)(x >> 20) % (spread / 10) * 10;
        const uint32_t instrument = 1 + (uint32_t)(x >> 36) % INSTRUMENTS;
        const uint8_t side = (x >> 40) % 2 == 0   ? SB_BUY
                             : (x >> 41) % 2 == 0 ? SB_SELL
                                                  : SB_SELL_SHORT;
        const bool ioc = (x >> 42) % 6 == 0;
        struct sb_report expected[ORDERS + 2];
        struct sb_command2 c = {.c = {.session = 1, .quantity = quantity, .price = price}};
        const bool lives = sb_orders_find(&e->orders, id) != 0;
        uint32_t n;
        if (kind < 9 && lives) {
            n = sb_direct_order(e, instrument, id, side, price, quantity, out);
            ck_assert(n == 1 && out[0].kind == SB_REPORT_ORDER_REJECT);
            continue;
        }
        if (kind < 9) {
            n = sb_direct_order(e, instrument, id, side | (ioc ? SB_DIRECT_IOC : 0), price,
                                quantity, out);
            if (out[0].kind == SB_REPORT_ORDER_REJECT) {
                ck_assert(out[0].reason == SB_REASON_FULL_ORDERS ||
                          out[0].reason == SB_REASON_FULL_LEVELS);
                continue;
            }
            c.c.kind = SB_CMD_ORDER;
            c.c.key = ++m.last_key;
            c.c.instrument = instrument;
            c.c.side = side;
            c.c.tif = ioc ? SB_TIF_IOC : SB_TIF_DAY;
            m.key_of[id] = c.c.key;
            m.id_of[c.c.key] = id;
        } else if (kind < 12) {
            n = sb_direct_cancel(e, id, out);
            c.c.kind = SB_CMD_CANCEL;
            c.c.key = m.key_of[id];
            c.c.quantity = 0;
        } else if (kind < 13) {
            n = sb_direct_reduce(e, id, quantity, out);
            c.c.kind = SB_CMD_REDUCE;
            c.c.key = m.key_of[id];
        } else if (kind < 14) {
            const struct sb_order *o = &e->orders.slots[sb_orders_find(&e->orders, id)];
            if (lives && (x >> 50) % 2 == 0)
                c.c.price = sb_book_price(&e->books[sb_order_instrument(o)], sb_order_book_side(o),
                                          sb_order_ladder_key(o));
            n = sb_direct_amend(e, id, SB_DIRECT_CHAIN, c.c.price, quantity, out);
            if (out[0].kind == SB_REPORT_MODIFY_REJECT && lives) {
                ck_assert_uint_eq(out[0].reason, SB_REASON_FULL_LEVELS);
                continue;
            }
            c.c.kind = SB_CMD_AMEND;
            c.c.key = m.key_of[id];
        } else {
            n = sb_direct_modify(e, id, SB_DIRECT_CHAIN | (ioc ? SB_DIRECT_IOC : 0), price,
                                 quantity, out);
            if (out[0].kind == SB_REPORT_MODIFY_REJECT && lives) {
                ck_assert_uint_eq(out[0].reason, SB_REASON_FULL_LEVELS);
                continue;
            }
            c.c.kind = SB_CMD_REPLACE;
            c.c.orig_key = m.key_of[id];
            c.c.key = m.last_key + 1;
            c.c.tif = ioc ? SB_TIF_IOC : SB_TIF_DAY;
        }
        send(&m, c);
        uint32_t n_expected = reports_of(&m, id, expected);
        if (n_expected == 0) {
            ck_assert(!lives);
            ck_assert_uint_eq(n, 1);
            ck_assert_uint_eq(out[0].reason, SB_REASON_UNKNOWN);
        } else {
            if (expected[0].kind == SB_REPORT_MODIFY_ACK && c.c.kind == SB_CMD_REPLACE) {
                m.key_of[id] = ++m.last_key;
                m.id_of[m.last_key] = id;
            }
            ck_assert_uint_eq(n, n_expected);
            ck_assert_mem_eq(out, expected, n * sizeof *out);
            trades += n > 1 && out[1].kind == SB_REPORT_TRADE;
        }
        if (step % 16 == 0)
            compare_books(&m);
        if (step % 500 == 499)
            through_the_image();
    }
    ck_assert_uint_gt(trades, STEPS / 20);
    compare_books(&m);
    sb_reference_free(m.reference);
    free(m.outputs.out);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine-direct");
    TCase *tc = tcase_create("direct");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, unknown_ids);
    tcase_add_test(tc, duplicate_ids_and_their_second_life);
    tcase_add_test(tc, modify_of_a_filled_order);
    tcase_add_test(tc, modify_loses_its_place_and_may_trade);
    tcase_add_test(tc, what_quantity_means);
    tcase_add_test(tc, amend_keeps_the_place_of_a_smaller_one);
    tcase_add_test(tc, immediate_or_cancel);
    tcase_add_test(tc, sweep_and_refill);
    tcase_add_test(tc, refusals);
    tcase_add_test(tc, extreme_ids);
    tcase_add_test(tc, ids_of_one_bucket);
    tcase_add_test(tc, full_tables);
    tcase_add_test(tc, definitions);
    tcase_add_test(tc, extreme_prices_and_quantities);
    tcase_add_test(tc, ends_as_the_middle);
    tcase_add_test(tc, footprint);
    tcase_add_test(tc, counts_through_the_image);
    tcase_add_loop_test(tc, as_the_reference, 0, 12);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
