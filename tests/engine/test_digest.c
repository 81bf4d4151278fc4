/* The running digest over outputs and the digest of the state. */
#include <xxhash.h>

#include "rig.h"

static struct rig a, b;

static void setup(void)
{
    rig_open(&a, &rig_limits, SB_PHASE_CONTINUOUS);
    rig_open(&b, &rig_limits, SB_PHASE_CONTINUOUS);
}
static void teardown(void)
{
    rig_close(&a);
    rig_close(&b);
}

static uint64_t seal(struct rig *r)
{
    rig_forget(r);
    r->shown = 0;
    return sb_engine_seal(r->e, &r->box);
}

START_TEST(seal_chains_over_the_output_bytes)
{
    const uint64_t first = XXH3_64bits_withSeed(a.box.out, a.box.n * 64u, 0);
    ck_assert_uint_eq(sb_engine_digest(a.e), 0);
    ck_assert_uint_eq(seal(&a), first);
    ck_assert_uint_eq(a.box.n, 0);
    ck_assert_uint_eq(seal(&a), first); /* an empty box changes nothing */
    rig_order(&a, 1, 1, SB_BUY, 10, 5000);
    const uint64_t second = XXH3_64bits_withSeed(a.box.out, a.box.n * 64u, first);
    ck_assert_uint_eq(sb_engine_digest(a.e), first); /* not before it is sealed */
    ck_assert_uint_eq(seal(&a), second);
    ck_assert_uint_eq(sb_engine_digest(a.e), second);
}
END_TEST

/* Freed in another order, so the later orders get other slots; nothing else differs. */
static void two_in_other_slots(struct rig *r, uint32_t dies_first, uint32_t dies_second)
{
    rig_order(r, 1, 1, SB_BUY, 10, 5000);
    rig_order(r, 1, 2, SB_BUY, 10, 5000);
    rig_cancel(r, 1, dies_first, 0);
    rig_cancel(r, 1, dies_second, 0);
    rig_order(r, 1, 3, SB_BUY, 10, 5000);
    rig_order(r, 1, 4, SB_SELL, 10, 5010);
}

START_TEST(state_does_not_know_slots)
{
    ck_assert_uint_eq(sb_engine_state_digest(a.e), sb_engine_state_digest(b.e));
    two_in_other_slots(&a, 1, 2);
    ck_assert_uint_ne(sb_engine_state_digest(a.e), sb_engine_state_digest(b.e));
    two_in_other_slots(&b, 2, 1);
    ck_assert_uint_eq(sb_engine_state_digest(a.e), sb_engine_state_digest(b.e));
}
END_TEST

/* The same flow through a small and a large window: same outputs, same state. */
START_TEST(state_does_not_know_the_window)
{
    struct sb_engine_limits limits = rig_limits;
    limits.window_levels = 65536;
    rig_close(&b);
    rig_open(&b, &limits, SB_PHASE_CONTINUOUS);
    uint32_t x = 1;
    for (uint32_t key = 1; key < 5000; key++) {
        x = x * 1664525u + 1013904223u;
        struct sb_command2 c = {.c = {.kind = SB_CMD_ORDER,
                                      .session = 1,
                                      .key = key,
                                      .instrument = 2,
                                      .side = (uint8_t)(x >> 31),
                                      .quantity = 1 + (x >> 8) % 50,
                                      .price = 30000 + (int64_t)((x >> 12) % 600) + key / 8}};
        rig_send(&a, c);
        rig_send(&b, c);
        rig_cancel(&a, 1, key - (x >> 20) % 64, 0);
        rig_cancel(&b, 1, key - (x >> 20) % 64, 0);
    }
    ck_assert_uint_gt(sb_engine_stats(a.e)->trades, 500);
    ck_assert_uint_eq(a.box.n, b.box.n);
    ck_assert_mem_eq(a.box.out, b.box.out, a.box.n * sizeof *a.box.out);
    ck_assert_uint_eq(seal(&a), seal(&b));
    ck_assert_uint_eq(sb_engine_state_digest(a.e), sb_engine_state_digest(b.e));
}
END_TEST

/* Each pair of commands leaves states that differ in one field only. */
static void check_differ(struct sb_command2 one, struct sb_command2 other)
{
    rig_send(&a, one);
    rig_send(&b, one);
    ck_assert_uint_eq(sb_engine_state_digest(a.e), sb_engine_state_digest(b.e));
    teardown();
    setup();
    rig_send(&a, one);
    rig_send(&b, other);
    ck_assert_uint_ne(sb_engine_state_digest(a.e), sb_engine_state_digest(b.e));
    teardown();
    setup();
}

START_TEST(state_knows_what_matters_later)
{
    const struct sb_command2 order = {.c = {.kind = SB_CMD_ORDER,
                                            .session = 1,
                                            .key = 1,
                                            .instrument = 1,
                                            .quantity = 20,
                                            .price = 5000,
                                            .capacity = 'P'}};
    struct sb_command2 other = order;
    other.c.capacity = 'A';
    check_differ(order, other);
    other = order;
    other.c.key = 2;
    check_differ(order, other);
    other = order;
    other.c.quantity = 30;
    check_differ(order, other);
    other = order;
    other.c.price = 5010;
    check_differ(order, other);
    other = order;
    other.c.session = 2;
    check_differ(order, other);
    other = order;
    other.c.instrument = 2;
    check_differ(order, other);
    other = order;
    other.c.side = SB_SELL_SHORT;
    check_differ(order, other);
    other = order;
    other.c.session_seq = 9;
    check_differ(order, other);

    const struct sb_command2 login = {
        .c = {.kind = SB_CMD_LOGIN, .flags = SB_CMD_F_EXT, .session = 3, .price = 1},
        .ext.login = {.ipv4 = 1, .port = 1}};
    other = login;
    other.ext.login.port = 2;
    check_differ(login, other);
    other = login;
    other.ext.login.ipv4 = 2;
    check_differ(login, other);
    other = login;
    other.c.price = 2;
    check_differ(login, other);

    const struct sb_command2 phase = {
        .c = {.kind = SB_CMD_PHASE, .instrument = 1, .phase = SB_PHASE_HALTED}};
    other = phase;
    other.c.phase = SB_PHASE_AUCTION;
    check_differ(phase, other);
}
END_TEST

static void note(void *arg, const struct sb_order_view *order)
{
    struct sb_order_view **next = arg;
    *(*next)++ = *order;
}

START_TEST(visit_walks_in_book_order)
{
    struct sb_order_view seen[4], *next = seen;
    rig_order(&a, 1, 1, SB_BUY, 10, 4000);
    rig_order(&a, 1, 2, SB_BUY, 20, 5000);
    rig_order(&a, 2, 1, SB_BUY, 30, 5000);
    rig_order(&a, 2, 2, SB_SELL, 10, 5000);
    sb_engine_visit(a.e, 1, SB_BUY, note, &next);
    ck_assert_ptr_eq(next, seen + 3);
    ck_assert_uint_eq(seen[0].ref, 2);
    ck_assert_uint_eq(seen[0].open, 10);
    ck_assert_uint_eq(seen[0].executed, 10);
    ck_assert_int_eq(seen[0].price, 5000);
    ck_assert_uint_eq(seen[1].ref, 3);
    ck_assert_uint_eq(seen[1].session, 2);
    ck_assert_uint_eq(seen[2].ref, 1);
    ck_assert_int_eq(seen[2].price, 4000);
    sb_engine_visit(a.e, 1, SB_SELL, note, &next);
    ck_assert_ptr_eq(next, seen + 3);
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, seal_chains_over_the_output_bytes);
    tcase_add_test(tc, state_does_not_know_slots);
    tcase_add_test(tc, state_does_not_know_the_window);
    tcase_add_test(tc, state_knows_what_matters_later);
    tcase_add_test(tc, visit_walks_in_book_order);
}

int main(void)
{
    return rig_main("engine-digest", add);
}
