/* test_timer.c: orders until a time expire by themselves, on both nodes at the same number, also after a takeover.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "nic/wire/bytes.h"
#include "nic/wire/entry.h"
#include "nic/wire/ouch.h"
#include "tests/replica/bench.h"

enum { MS = 1000000, TIMER_MS = 100 };

static void put_message(struct bench *b, uint8_t *blocks, uint32_t len)
{
    sb_put16(blocks, (uint16_t)len);
    const struct bench_frame f =
        bench_entry(b, BENCH_SESSION, 77, b->next_message++, blocks, 2 + len, 1);
    bench_put(b, 0, &f);
    bench_put(b, 1, &f);
}

/* An order for 10 at 1.00 until then, by New order. */
static void put_until(struct bench *b, uint32_t key, uint64_t expire_ns)
{
    uint8_t blocks[2 + SB_ENTRY_NEW_BYTES];
    const struct sb_entry_new order = {.key = key,
                                       .quantity = 10,
                                       .price = 10000,
                                       .expire_ns = expire_ns,
                                       .side = 'B',
                                       .type = 'L',
                                       .tif = '6',
                                       .peg = 'N',
                                       .capacity = 'P',
                                       .symbol = "TEST    ",
                                       .clordid = "              "};
    put_message(b, blocks, sb_entry_write_new(blocks + 2, &order));
}

/* Numbers of the TIMERs in a node's log. */
static uint32_t timers(const struct sb_node *node, uint64_t n[8])
{
    uint32_t found = 0;
    for (uint64_t i = node->log.packet_first; i < node->log.packet_end; i++) {
        const struct sb_packet *p = sb_log_packet(&node->log, i);
        const struct sb_command *c = sb_log_lines(&node->log, p);
        for (uint32_t k = 0; k < p->count; k++) {
            if (c->kind == SB_CMD_TIMER) {
                ck_assert_uint_eq(p->count, 1); /* it speaks to all */
                ck_assert_uint_lt(found, 8);
                n[found++] = c->seq;
            }
            c += sb_command_lines(c);
        }
    }
    return found;
}

static const struct sb_command *last_line(const struct sb_node *node)
{
    return sb_log_lines(&node->log, sb_log_packet(&node->log, node->log.packet_end - 1));
}

static uint32_t open_orders(const struct sb_node *node)
{
    return sb_engine_stats(node->engine)->open_orders;
}

START_TEST(expires_on_both_at_one_number)
{
    struct bench b;
    bench_pair(&b, NULL);
    uint64_t a[8], s[8];
    put_until(&b, 1, b.now_ns + 5 * MS);
    bench_run(&b, 4 * MS);
    ck_assert_uint_eq(open_orders(b.node[0]), 1);
    ck_assert_uint_eq(open_orders(b.node[1]), 1);
    ck_assert_uint_eq(timers(b.node[0], a), 0);
    bench_run(&b, 2 * MS);
    ck_assert_uint_eq(open_orders(b.node[0]), 0);
    ck_assert_uint_eq(open_orders(b.node[1]), 0);
    ck_assert_uint_eq(timers(b.node[0], a), 1);
    ck_assert_uint_eq(timers(b.node[1], s), 1);
    ck_assert_uint_eq(a[0], s[0]);
    ck_assert_uint_eq(b.node[0]->released, a[0]);
    ck_assert_uint_eq(b.node[0]->digest, b.node[1]->digest);
    bench_run(&b, 2 * TIMER_MS * MS); /* nothing is due any more */
    ck_assert_uint_eq(timers(b.node[0], a), 1);
    ck_assert_uint_eq(b.node[0]->log.len, a[0]);
    bench_close(&b);
}
END_TEST

START_TEST(not_more_often_than_configured)
{
    struct bench b;
    bench_pair(&b, NULL);
    uint64_t a[8];
    put_until(&b, 1, b.now_ns + 2 * MS);
    put_until(&b, 2, b.now_ns + 3 * MS);
    put_until(&b, 3, b.now_ns + 4 * MS);
    bench_run(&b, (TIMER_MS - 2) * MS);
    ck_assert_uint_eq(timers(b.node[0], a), 1);
    ck_assert_uint_eq(open_orders(b.node[0]), 2);
    bench_run(&b, 6 * MS);
    ck_assert_uint_eq(timers(b.node[0], a), 2); /* one for both */
    ck_assert_uint_eq(open_orders(b.node[0]), 0);
    ck_assert_uint_eq(open_orders(b.node[1]), 0);
    bench_close(&b);
}
END_TEST

START_TEST(new_owner_goes_on)
{
    struct bench b;
    bench_pair(&b, NULL);
    uint64_t s[8];
    put_until(&b, 1, b.now_ns + 20 * MS);
    put_until(&b, 2, b.now_ns + 200 * MS);
    bench_run(&b, 10 * MS);
    ck_assert_uint_eq(open_orders(b.node[1]), 2);
    b.down[0] = true;
    bench_run(&b, 8 * MS);
    ck_assert_int_eq(b.node[1]->role, SB_ROLE_SOLO);
    ck_assert_uint_eq(timers(b.node[1], s), 0);
    bench_run(&b, 3 * MS);
    ck_assert_uint_eq(timers(b.node[1], s), 1);
    ck_assert_uint_eq(open_orders(b.node[1]), 1);
    ck_assert_uint_eq(b.node[1]->released, s[0]);
    bench_run(&b, 190 * MS);
    ck_assert_uint_eq(timers(b.node[1], s), 2);
    ck_assert_uint_eq(open_orders(b.node[1]), 0);
    bench_close(&b);
}
END_TEST

/* The time passes while nobody owns the shard: the order expires as soon as somebody does. */
START_TEST(due_during_a_takeover)
{
    struct bench b;
    bench_pair(&b, NULL);
    uint64_t s[8];
    put_until(&b, 1, b.now_ns + 10 * MS + MS / 2);
    bench_run(&b, 10 * MS);
    b.down[0] = true;
    bench_run(&b, MS);
    ck_assert_int_eq(b.node[1]->role, SB_ROLE_SHADOW);
    ck_assert_uint_eq(timers(b.node[1], s), 0); /* a shadow sequences nothing */
    bench_run(&b, 4 * MS);
    ck_assert_int_eq(b.node[1]->role, SB_ROLE_SOLO);
    ck_assert_uint_eq(timers(b.node[1], s), 1);
    ck_assert_uint_eq(open_orders(b.node[1]), 0);
    bench_close(&b);
}
END_TEST

/* OUCH counts seconds from the order's time: both nodes have the moment itself. */
START_TEST(time_to_live)
{
    struct bench b;
    bench_pair(&b, NULL);
    uint8_t blocks[64];
    const struct sb_ouch_enter m = {.ref = 1,
                                    .quantity = 10,
                                    .price = 10000,
                                    .side = 'B',
                                    .tif = '6',
                                    .display = 'Y',
                                    .capacity = 'P',
                                    .iso = 'N',
                                    .cross = 'N',
                                    .symbol = "TEST    ",
                                    .clordid = "              ",
                                    .app_bytes = 6,
                                    .app = {5, 15, 0, 0, 0, 1}};
    put_message(&b, blocks, sb_ouch_write_enter(blocks + 2, &m));
    bench_run(&b, MS);
    uint64_t s[8];
    for (uint32_t i = 0; i < 2; i++) {
        ck_assert_uint_eq(open_orders(b.node[i]), 1);
        const struct sb_command *c = last_line(b.node[i]);
        ck_assert_uint_eq(sb_command_ext(c)->order.expire_ns, c->time_ns + 1000 * MS);
    }
    bench_run(&b, 997 * (uint64_t)MS);
    ck_assert_uint_eq(timers(b.node[0], s), 0);
    bench_run(&b, 3 * MS);
    ck_assert_uint_eq(timers(b.node[0], s), 1);
    for (uint32_t i = 0; i < 2; i++)
        ck_assert_uint_eq(open_orders(b.node[i]), 0);
    bench_close(&b);
}
END_TEST

static void never(struct sb_config *c)
{
    c->timer_ns = 0;
}

START_TEST(never_if_configured_so)
{
    struct bench b;
    bench_pair(&b, never);
    uint64_t a[8];
    put_until(&b, 1, b.now_ns + MS);
    bench_run(&b, 20 * MS);
    ck_assert_uint_eq(timers(b.node[0], a), 0);
    ck_assert_uint_eq(open_orders(b.node[0]), 1);
    bench_close(&b);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("replica-timer");
    TCase *tc = tcase_create("timer");
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, expires_on_both_at_one_number);
    tcase_add_test(tc, not_more_often_than_configured);
    tcase_add_test(tc, new_owner_goes_on);
    tcase_add_test(tc, due_during_a_takeover);
    tcase_add_test(tc, time_to_live);
    tcase_add_test(tc, never_if_configured_so);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
