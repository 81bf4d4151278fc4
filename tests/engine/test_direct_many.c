/* Direct calls with so many orders that levels outside the window come and go later (direct_general.h), against an engine with few
 * orders, where they do so at once: a random flow, every report, and what stands in the book whenever somebody looks. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "engine/book.h"
#include "engine/verify.h"
#include "shadowbook/direct.h"

enum { ORDERS = 1 << 17, MANY = SB_ORDERS_FEW, OWN = 601, WINDOW = 64, OTHER = 2 };

struct rig {
    struct sb_engine *e;
    struct sb_report *out;
    void *memory;
    uint32_t n;
};

static const struct sb_direct_instrument definition = {
    .tick = 1, .price_min = 0, .price_max = SB_DIRECT_PRICE_MAX, .lot = 1, .quantity_max = 1000};

static uint32_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33);
}

/* `others` orders rest at one price of the other instrument. */
static void rig_open(struct rig *r, uint32_t levels, uint32_t others)
{
    const struct sb_engine_limits limits = {.instruments_max = OTHER,
                                            .sessions_max = 1,
                                            .orders_max = ORDERS,
                                            .levels_max = levels,
                                            .terms_max = 1,
                                            .window_levels = WINDOW};
    const size_t bytes = (sb_engine_footprint(&limits) + 63) & ~(size_t)63;
    r->memory = aligned_alloc(64, bytes);
    ck_assert_ptr_nonnull(r->memory);
    r->e = sb_engine_new(memset(r->memory, 0, bytes), bytes, &limits);
    ck_assert(sb_direct_open(r->e, OTHER, &definition));
    r->out = calloc(sb_direct_reports_max(r->e), sizeof *r->out);
    ck_assert_ptr_nonnull(r->out);
    for (uint32_t i = 0; i < others; i++)
        ck_assert_uint_eq(
            sb_direct_order(r->e, OTHER, UINT64_C(1) << 40 | i, SB_BUY, 100, 1, r->out), 1);
}

static void rig_close(struct rig *r)
{
    free(r->out);
    free(r->memory);
}

/* ---- what stands in a book ---- */

struct book {
    struct sb_order_view orders[2 * OWN];
    uint32_t n;
};

static void see(void *arg, const struct sb_order_view *o)
{
    struct book *b = arg;
    ck_assert_uint_lt(b->n, 2 * OWN);
    b->orders[b->n] = *o;
    b->orders[b->n++].ref = 0; /* the others have references, too */
}

static void look(const struct rig *r, struct book *b, bool first_best)
{
    memset(b, 0, sizeof *b);
    for (uint8_t side = 0; side < 2; side++) {
        int64_t price = -1;
        uint64_t quantity = 0;
        if (first_best)
            (void)sb_engine_best(r->e, 1, side, &price, &quantity);
        const uint32_t before = b->n;
        sb_engine_visit(r->e, 1, side, see, b);
        if (first_best && b->n != before) {
            uint64_t sum = 0;
            for (uint32_t i = before; i < b->n && b->orders[i].price == price; i++)
                sum += b->orders[i].open;
            ck_assert_uint_eq(sum, quantity);
        }
    }
}

static void compare(const struct rig *many, const struct rig *few, uint32_t how)
{
    static struct book a, b;
    if (how % 4 == 0)
        sb_book_verify(many->e, &many->e->books[1]);
    look(many, &a, how % 2 == 0);
    look(few, &b, how % 2 == 0);
    ck_assert_uint_eq(a.n, b.n);
    ck_assert_mem_eq(&a, &b, sizeof a);
    ck_assert_uint_eq(sb_book_verify(many->e, &many->e->books[1]), a.n);
    ck_assert_uint_eq(sb_book_verify(few->e, &few->e->books[1]), b.n);
}

/* ---- the flow ---- */

enum what { COME, GO, CHANGE, TAKE, WHATS };

struct flow {
    uint64_t random;
    enum what what; /* for so many calls more: */
    uint32_t left;
    int64_t middle; /* wanders, and the window with it */
    uint32_t came, went, moved;
};

/* Mostly one that rests, or does not, as the call would have it. */
static uint64_t some_id(const struct rig *r, struct flow *f)
{
    uint64_t id = next_random(&f->random) % OWN;
    const bool rests = f->what == GO || f->what == CHANGE;
    if (next_random(&f->random) % 32 != 0)
        for (uint32_t i = 0; i < OWN && (sb_orders_find(&r->e->orders, id) != 0) != rests; i++)
            id = (id + 7) % OWN;
    return id;
}

/* Around the middle, on levels that others are on, too; near, far, and further. */
static int64_t some_price(struct flow *f, uint32_t side)
{
    static const uint32_t reach[] = {40, 300, 20000, 20000, 20000, 1000000, 1000000, 1000000};
    const uint32_t away = next_random(&f->random) % reach[next_random(&f->random) % 8];
    const int64_t off = away < 300 ? away : away / 16 * 16 % 1000000;
    return f->middle + (side == SB_BUY ? -off : off);
}

/* What the order's price is, if it rests. */
static int64_t own_price(const struct rig *r, uint64_t id, int64_t otherwise)
{
    const uint32_t slot = sb_orders_find(&r->e->orders, id);
    const struct sb_order *o = &r->e->orders.slots[slot];
    return slot == 0 ? otherwise
                     : sb_book_price(&r->e->books[1], sb_order_side(o), sb_order_ladder_key(o));
}

static uint32_t change(struct rig *r, uint64_t id, uint32_t chance, int64_t price,
                       uint32_t quantity)
{
    if (chance % 3 == 0)
        return sb_direct_modify(r->e, id, chance & (SB_DIRECT_IOC | SB_DIRECT_CHAIN), price,
                                quantity, r->out);
    if (chance % 3 == 1)
        return sb_direct_reduce(r->e, id, quantity % 8, r->out);
    return sb_direct_amend(r->e, id, 0, chance % 2 == 0 ? own_price(r, id, price) : price,
                           quantity % 4 + 1, r->out);
}

static uint32_t call(struct rig *r, const struct flow *at)
{
    struct flow f = *at; /* both engines are given the same */
    const uint64_t id = some_id(r, &f);
    const uint32_t side = next_random(&f.random) % 2, chance = next_random(&f.random);
    const int64_t price = some_price(&f, side), cross = some_price(&f, side ^ 1u);
    const uint32_t quantity = 1 + next_random(&f.random) % 20;
    switch (f.what) {
    case COME:
        return sb_direct_order(r->e, 1, id, side, price, quantity, r->out);
    case GO:
        return sb_direct_cancel(r->e, id, r->out);
    case TAKE:
        return sb_direct_order(r->e, 1, id, side | (chance % 2 != 0 ? SB_DIRECT_IOC : 0), cross,
                               quantity * 4, r->out);
    default:
        return change(r, id, chance, price, quantity);
    }
}

static void step(struct rig *many, struct rig *few, struct flow *f)
{
    if (f->left == 0) {
        const uint32_t chance = next_random(&f->random) % 64;
        f->what = chance < 31 ? COME : chance < 62 ? GO : chance < 63 ? CHANGE : TAKE;
        f->left = f->what < CHANGE ? 1 + next_random(&f->random) % 120 : 1;
        if (next_random(&f->random) % 64 == 0)
            f->middle += (int64_t)(next_random(&f->random) % 20001) - 10000;
    }
    f->left--;
    const struct sb_behind before = many->e->behind;
    const uint32_t base = many->e->books[1].side[0].base + many->e->books[1].side[1].base;
    many->n = call(many, f);
    few->n = call(few, f);
    ck_assert_uint_eq(few->e->behind.n, 0);
    ck_assert_uint_eq(many->n, few->n);
    ck_assert_mem_eq(many->out, few->out, many->n * sizeof *many->out);
    for (uint32_t side = 0; side < 2; side++)
        ck_assert_uint_eq(many->e->books[1].side[side].best, few->e->books[1].side[side].best);
    ck_assert_uint_eq(many->e->levels.used, few->e->levels.used);
    if (before.n == SB_BEHIND_MOST - 1 && many->e->behind.n == 0) {
        f->came += !before.going;
        f->went += before.going;
        f->moved += base != many->e->books[1].side[0].base + many->e->books[1].side[1].base &&
                    !before.going;
    }
    f->random = f->random * 5 + 1;
}

static void play(uint32_t levels, uint32_t others, bool both)
{
    struct rig many, few;
    struct flow f = {.random = levels + others, .middle = 1 << 30};
    rig_open(&many, levels, others);
    rig_open(&few, levels, 1);
    for (uint32_t i = 0, next = 0; i < 200000; i++) {
        step(&many, &few, &f);
        if (i == next) {
            const uint32_t chance = next_random(&f.random);
            compare(&many, &few, chance / 256);
            next = i + 1 + chance % 256;
        }
    }
    ck_assert_uint_gt(f.went, 100);
    if (both) {
        ck_assert_uint_gt(f.came, 100);
        ck_assert_uint_gt(f.moved, 4);
    }
    ck_assert_uint_eq(sb_book_verify(many.e, &many.e->books[OTHER]), others);
    rig_close(&few);
    rig_close(&many);
}

/* ---- by hand ---- */

static uint32_t sell(struct rig *r, uint64_t id, int64_t price)
{
    return sb_direct_order(r->e, 1, id, SB_SELL, price, (uint32_t)id, r->out);
}

static uint32_t cancel_other(struct rig *r, uint32_t i)
{
    return sb_direct_cancel(r->e, UINT64_C(1) << 40 | i, r->out);
}

static void sells_are(const struct rig *r, const char *ids)
{
    struct book b = {0};
    char got[64] = "";
    sb_engine_visit(r->e, 1, SB_SELL, see, &b);
    for (uint32_t i = 0; i < b.n; i++)
        got[i] = (char)('0' + b.orders[i].id);
    ck_assert_str_eq(got, ids);
}

/* The best of a tail is there at once; sixteen others are waited for; whoever looks sees them all. */
START_TEST(sixteen_at_a_time)
{
    struct rig r;
    rig_open(&r, ORDERS, MANY);
    sell(&r, 1, 1000); /* the window is here then */
    sell(&r, 2, 5000);
    ck_assert_uint_eq(r.e->behind.n, 0);
    for (uint32_t id = 3; id < 10; id++) {
        sell(&r, id, 5100 + (id / 2) * 100);
        ck_assert_uint_eq(r.e->behind.n, id - 2);
    }
    sells_are(&r, "123456789");
    ck_assert_uint_eq(r.e->behind.n, 0);
    for (uint32_t id = 10; id < 26; id++) {
        ck_assert_uint_eq(r.e->behind.n, id - 10);
        sell(&r, id, 7000);
    }
    ck_assert_uint_eq(r.e->behind.n, 0);
    sell(&r, 26, 4000);
    ck_assert_uint_eq(r.e->behind.n, 0);
    sb_direct_cancel(r.e, 8, r.out); /* 9 is on its level */
    ck_assert_uint_eq(r.e->behind.n, 0);
    sb_direct_cancel(r.e, 9, r.out);
    sb_direct_cancel(r.e, 3, r.out);
    ck_assert_uint_eq(r.e->behind.n, 2);
    sb_direct_cancel(r.e, 26, r.out); /* the best of the tail */
    ck_assert_uint_eq(r.e->behind.n, 0);
    sells_are(&r, "124567:;<=>?@ABCDEFGHI");
    rig_close(&r);
}
END_TEST

/* An order comes to a level, the window comes there, too, and then another order does: it is the second. */
START_TEST(the_window_comes_there)
{
    struct rig r;
    rig_open(&r, ORDERS, MANY);
    sell(&r, 1, 1000);
    sell(&r, 2, 5000);
    sb_direct_cancel(r.e, 1, r.out); /* so the window is without levels */
    sell(&r, 3, 5010);
    ck_assert_uint_eq(r.e->behind.n, 1);
    sell(&r, 4, 4990);
    ck_assert_uint_eq(r.e->behind.n, 0);
    ck_assert(sb_ladder_in_window(&r.e->books[1].side[SB_SELL], 5010));
    sell(&r, 5, 5010);
    sells_are(&r, "4235");
    rig_close(&r);
}
END_TEST

/* Few orders, but more of one near bucket than it holds: the one beyond it is refused a second time, though a lane is free again
 * and its price is in the window. */
START_TEST(a_second_time)
{
    enum { ALL = SB_IDS_NEAR_LANES + 2 };
    struct rig r;
    uint64_t ids[ALL];
    rig_open(&r, ORDERS, 1);
    const struct sb_ids *t = &r.e->orders.ids;
    const struct sb_ids_near *b = sb_ids_near(t, sb_ids_hash(t, 1));
    for (uint64_t id = 1, n = 0; n < ALL; id++)
        if (sb_ids_near(t, sb_ids_hash(t, id)) == b)
            ids[n++] = id;
    for (uint32_t i = 0; i + 1 < ALL; i++)
        ck_assert_uint_eq(sb_direct_order(r.e, 1, ids[i], SB_SELL, 1000 + i % 8, 7, r.out), 1);
    ck_assert_uint_eq(r.e->orders.ids.past, 1);
    ck_assert_uint_eq(sb_direct_cancel(r.e, ids[3], r.out), 1);
    ck_assert_uint_eq(sb_direct_order(r.e, 1, ids[ALL - 2], SB_SELL, 1001, 7, r.out), 1);
    ck_assert_uint_eq(r.out[0].kind, SB_REPORT_ORDER_REJECT);
    ck_assert_uint_eq(r.out[0].reason, SB_REASON_DUPLICATE);
    ck_assert_uint_eq(sb_direct_order(r.e, 1, ids[ALL - 1], SB_SELL, 1001, 7, r.out), 1);
    ck_assert_uint_eq(r.out[0].kind, SB_REPORT_ORDER_ACK);
    ck_assert_uint_eq(sb_engine_verify(r.e), ALL);
    rig_close(&r);
}
END_TEST

/* What is asked of an order that is still to come to its level finds it there. */
START_TEST(changes_meanwhile)
{
    struct rig r;
    rig_open(&r, ORDERS, MANY);
    sell(&r, 1, 1000);
    sell(&r, 2, 5000);
    for (uint32_t how = 0; how < 4; how++) {
        sell(&r, 3 + how, 6000);
        ck_assert_uint_eq(r.e->behind.n, 1);
        if (how == 0)
            sb_direct_amend(r.e, 3, 0, 6000, 2, r.out);
        else if (how == 1)
            sb_direct_reduce(r.e, 4, 1, r.out);
        else if (how == 2)
            sb_direct_modify(r.e, 5, 0, 7000, 5, r.out);
        else
            sb_direct_cancel(r.e, 6, r.out);
        ck_assert_uint_eq(r.e->behind.n, 0);
        ck_assert_uint_ge(r.out[0].kind, SB_REPORT_CANCEL_ACK);
        ck_assert_uint_le(r.out[0].kind, SB_REPORT_MODIFY_ACK);
        sb_book_verify(r.e, &r.e->books[1]);
    }
    sells_are(&r, "12345");
    rig_close(&r);
}
END_TEST

/* A level that went gives its place to another, and is not to be had any more, whether it is out of the tail yet or not. */
START_TEST(the_last_level)
{
    struct rig r;
    rig_open(&r, 4, MANY); /* one of the levels is the others' */
    sell(&r, 1, 1000);
    sell(&r, 2, 5000);
    sell(&r, 3, 6000);
    sb_direct_cancel(r.e, 3, r.out);
    for (uint32_t i = 0; i < 4; i++)
        ck_assert_uint_eq(cancel_other(&r, i), 1);
    ck_assert_uint_eq(r.e->behind.n, 1);
    ck_assert_uint_eq(sell(&r, 4, 1001), 1); /* there are not many any more */
    ck_assert_uint_eq(r.e->behind.n, 0);
    ck_assert_uint_eq(sell(&r, 5, 6000), 1);
    ck_assert_uint_eq(r.out[0].kind, SB_REPORT_ORDER_REJECT);
    ck_assert_uint_eq(r.out[0].reason, SB_REASON_FULL_LEVELS);
    ck_assert_uint_eq(sb_book_verify(r.e, &r.e->books[1]), 3);
    rig_close(&r);
}
END_TEST

/* ---- and by chance ---- */

START_TEST(as_with_few)
{
    play(ORDERS, MANY + OWN, true);
}
END_TEST

/* Now there are many, now there are not. */
START_TEST(at_the_border)
{
    play(ORDERS, MANY - OWN / 4, true);
}
END_TEST

/* The low slots (orders.h) are taken by others, all or all but half as many as come and go. */
START_TEST(slots_run_high)
{
    play(ORDERS, SB_IDS_NEAR_SLOTS - (_i == 0 ? 0 : OWN / 4), true);
}
END_TEST

/* Levels are counted, so orders come to theirs at once; some are refused. */
START_TEST(levels_run_out)
{
    play(60, MANY + OWN, false);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("engine-direct-many");
    TCase *c = tcase_create("many");
    tcase_set_timeout(c, 120);
    tcase_add_test(c, a_second_time);
    tcase_add_test(c, sixteen_at_a_time);
    tcase_add_test(c, the_window_comes_there);
    tcase_add_test(c, changes_meanwhile);
    tcase_add_test(c, the_last_level);
    tcase_add_test(c, as_with_few);
    tcase_add_test(c, at_the_border);
    tcase_add_loop_test(c, slots_run_high, 0, 2);
    tcase_add_test(c, levels_run_out);
    suite_add_tcase(s, c);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    const int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
