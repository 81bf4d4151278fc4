/* test_terms.c: records of orders with terms: places, lists by reference, partners, slices. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "engine/instrument.h"
#include "engine/rest.h"

enum { TERMS = 4, ORDERS = 8 };

static struct sb_engine *engine;
static struct sb_book *book;
static void *memory;

static void setup(void)
{
    static const struct sb_engine_limits limits = {.instruments_max = 1,
                                                   .sessions_max = 1,
                                                   .orders_max = ORDERS,
                                                   .levels_max = ORDERS,
                                                   .terms_max = TERMS,
                                                   .window_levels = 64};
    static const struct sb_instrument_view view = {.symbol = "SYMB    ",
                                                   .tick = 1,
                                                   .price_min = 1,
                                                   .price_max = 1000,
                                                   .lot = 10,
                                                   .quantity_max = 1000,
                                                   .phase = SB_PHASE_CONTINUOUS};
    const size_t bytes = (sb_engine_footprint(&limits) + 63) & ~(size_t)63;
    memory = aligned_alloc(64, bytes);
    ck_assert_ptr_nonnull(memory);
    engine = sb_engine_new(memset(memory, 0, bytes), bytes, &limits);
    engine->sessions[1].view.defined = 1;
    ck_assert(sb_instrument_put(engine, 1, &view));
    book = &engine->books[1];
}

static void teardown(void)
{
    free(memory);
}

/* A hidden order, underway. */
static uint32_t underway(uint32_t key, uint8_t peg)
{
    const struct sb_rest_order order = {
        .id = sb_order_id(1, key), .ref = ++engine->last_ref, .open = 10, .side = SB_BUY};
    const struct sb_terms like = {.attributes = SB_ATTR_HIDDEN, .peg = peg};
    return sb_rest_new(engine, book, &order, &like);
}

static uint32_t terms(uint32_t slot)
{
    return sb_rest_terms_index(engine, slot);
}

static uint32_t after(uint32_t slot)
{
    return engine->terms.records[terms(slot)].next;
}

START_TEST(a_book_is_general_while_it_has_terms)
{
    ck_assert_uint_eq(book->general, 0);
    const uint32_t slot = underway(1, SB_PEG_NONE);
    sb_rest_dark(engine, book, slot, 100);
    ck_assert_uint_eq(book->general, SB_GENERAL_TERMS);
    ck_assert_uint_eq(engine->sessions[1].view.open_orders, 1);
    ck_assert_uint_eq(sb_rest_end(engine, book, slot), 0);
    ck_assert_uint_eq(book->general, 0);
    ck_assert_uint_eq(engine->sessions[1].view.open_orders, 0);
    ck_assert_uint_eq(engine->terms.used, 0);
}
END_TEST

START_TEST(places_come_back)
{
    for (uint32_t round = 0; round < 3; round++) {
        uint32_t slots[TERMS];
        for (uint32_t i = 0; i < TERMS; i++)
            sb_rest_dark(engine, book, slots[i] = underway(round * TERMS + i + 1, SB_PEG_NONE),
                         100 + i % 2);
        ck_assert_uint_eq(engine->terms.used, TERMS);
        ck_assert_uint_eq(sb_rest_verify(engine, book), TERMS);
        for (uint32_t i = 0; i < TERMS; i++)
            (void)sb_rest_end(engine, book, slots[(i + round) % TERMS]);
        ck_assert_uint_eq(sb_rest_verify(engine, book), 0);
    }
}
END_TEST

START_TEST(lists_stand_by_reference)
{
    const uint32_t a = underway(1, SB_PEG_PRIMARY), b = underway(2, SB_PEG_PRIMARY);
    struct sb_rare *r = sb_state_rare(engine, book);
    sb_rest_aside(engine, book, a);
    sb_rest_dark(engine, book, b, 100);
    ck_assert_uint_eq(r->unseen.first, terms(a));
    ck_assert_uint_eq(r->pegs.last, terms(b));
    ck_assert_uint_eq(r->pegs_n, 2);
    sb_rest_take_out(engine, book, a); /* keeps its place by reference */
    ck_assert_uint_eq(r->unseen.first, terms(a));
    sb_rest_renew(engine, book, a);
    sb_rest_dark(engine, book, a, 101);
    ck_assert_uint_eq(r->unseen.first, terms(b));
    ck_assert_uint_eq(after(b), terms(a));
    ck_assert_uint_eq(r->pegs.last, terms(a));
    ck_assert_uint_eq(sb_rest_verify(engine, book), 2);
}
END_TEST

START_TEST(a_walk_goes_on_past_who_ends)
{
    const uint32_t a = underway(1, SB_PEG_NONE), b = underway(2, SB_PEG_NONE),
                   c = underway(3, SB_PEG_NONE);
    struct sb_rare *r = sb_state_rare(engine, book);
    sb_rest_dark(engine, book, a, 100);
    sb_rest_dark(engine, book, b, 100);
    sb_rest_dark(engine, book, c, 100);
    r->walk_slot = b;
    r->walk_terms = terms(b);
    (void)sb_rest_end(engine, book, a);
    ck_assert_uint_eq(r->walk_slot, b);
    (void)sb_rest_end(engine, book, b);
    ck_assert_uint_eq(r->walk_slot, c);
    ck_assert_uint_eq(r->walk_terms, terms(c));
    (void)sb_rest_end(engine, book, c);
    ck_assert_uint_eq(r->walk_slot | r->walk_terms, 0);
}
END_TEST

START_TEST(a_partner_is_parted_from_who_ends)
{
    const uint32_t a = underway(1, SB_PEG_NONE), b = underway(2, SB_PEG_NONE);
    const uint32_t of_b = terms(b);
    sb_terms_pair(engine, terms(a), of_b);
    ck_assert_uint_eq(sb_rest_end(engine, book, a), of_b);
    ck_assert_uint_eq(engine->terms.records[of_b].oco, 0);
    ck_assert_uint_eq(sb_rest_end(engine, book, b), 0);
}
END_TEST

/* Worked out by hand from 6.2, with another program's splitmix64. */
START_TEST(slices)
{
    static const uint32_t want[] = {90, 70, 90, 100, 130, 110, 70, 130};
    struct sb_terms t = {.ref0 = 7, .display = 100, .range = 30};
    for (uint32_t k = 0; k < sizeof want / sizeof want[0]; k++)
        ck_assert_uint_eq(sb_terms_next_slice(&t, 10), want[k]);
    struct sb_terms fixed = {.ref0 = 7, .display = 100};
    ck_assert_uint_eq(sb_terms_next_slice(&fixed, 10), 100);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("terms");
    TCase *tc = tcase_create("terms");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_book_is_general_while_it_has_terms);
    tcase_add_test(tc, places_come_back);
    tcase_add_test(tc, lists_stand_by_reference);
    tcase_add_test(tc, a_walk_goes_on_past_who_ends);
    tcase_add_test(tc, a_partner_is_parted_from_who_ends);
    tcase_add_test(tc, slices);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
