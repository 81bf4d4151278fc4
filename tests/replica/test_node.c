/* test_node.c: a primary and its shadow, one step at a time: the output rule, the stream, gaps. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/replica/bench.h"

enum { MS = 1000000 };

static void logged(struct sb_config *c)
{
    c->release = SB_RELEASE_LOGGED;
}

/* An empty node of a new day becomes one of a pair; the configuration is the log's beginning. */
START_TEST(genesis)
{
    struct bench b;
    bench_pair(&b, NULL);
    const struct sb_node *p = b.node[0], *s = b.node[1];
    ck_assert_uint_eq(p->epoch, 4);
    ck_assert_uint_eq(s->epoch, 4);
    ck_assert_uint_eq(p->log.len, 5); /* day, 2 sessions, 1 instrument, login */
    ck_assert_uint_eq(s->applied, 5);
    ck_assert_uint_eq(p->digest, s->digest);
    ck_assert_int_eq(b.witness.state, SB_W_DUAL);
    ck_assert_uint_eq(bench_answers(&b, 'L'), 1);
    for (uint32_t i = 0; i < b.client.n; i++)
        ck_assert_uint_eq(b.client.frames[i].from, 0); /* a shadow says nothing to clients */
    bench_close(&b);
}
END_TEST

START_TEST(order_is_answered_after_the_ack)
{
    struct bench b;
    bench_pair(&b, _i == 0 ? NULL : logged);
    b.lost = bench_lose_acks;
    bench_order(&b, 'B', 10000);
    bench_run(&b, MS);
    ck_assert_uint_eq(b.node[0]->applied, 6);
    ck_assert_uint_eq(b.node[1]->applied, 6);
    ck_assert_uint_eq(b.node[0]->released, 5); /* R1 */
    ck_assert_uint_eq(bench_answers(&b, 'A'), 0);
    ck_assert_ptr_null(sb_hold_find(&b.node[0]->hold, 1, b.node[0]->hold.released_seq[1]));
    b.lost = NULL;
    bench_run(&b, MS);
    ck_assert_uint_eq(b.node[0]->released, 6);
    ck_assert_uint_eq(bench_answers(&b, 'A'), 1);
    ck_assert_uint_eq(b.node[1]->released,
                      6); /* the shadow learns it, and lets its copy pass unsent */
    ck_assert_ptr_null(sb_hold_peek(&b.node[1]->hold));
    bench_close(&b);
}
END_TEST

/* R7: every way in which an ack can be somebody else's. */
START_TEST(foreign_acks_do_not_count)
{
    struct bench b;
    bench_pair(&b, _i == 0 ? NULL : logged);
    b.lost = bench_lose_all;
    bench_order(&b, 'B', 10000);
    bench_step(&b);
    bench_step(&b);
    const struct sb_node *p = b.node[0];
    ck_assert_uint_eq(p->applied, 6);
    const struct bench_frame foreign[] = {
        bench_ack(&b, p->epoch + 4, p->peer_inc, p->inc, 6, 6, p->digest),
        bench_ack(&b, 0, p->peer_inc, p->inc, 6, 6, p->digest),
        bench_ack(&b, p->epoch, p->peer_inc - 1, p->inc, 6, 6, p->digest),
        bench_ack(&b, p->epoch, p->peer_inc + 1, p->inc, 6, 6, p->digest),
        bench_ack(&b, p->epoch, 0, p->inc, 6, 6, p->digest),
        bench_ack(&b, p->epoch, p->peer_inc, p->inc + 1, 6, 6, p->digest),
        bench_ack(&b, p->epoch, p->peer_inc, 0, 6, 6, p->digest),
        bench_ack(&b, p->epoch, p->peer_inc, p->inc, 7, 6,
                  p->digest), /* holds what was never sent */
        bench_ack(&b, p->epoch, p->peer_inc, p->inc, 5, 6,
                  p->digest), /* applied what it does not hold */
    };
    const uint32_t n = sizeof foreign / sizeof foreign[0];
    for (uint32_t i = 0; i < n; i++) {
        bench_poll(&b, 0, &foreign[i]);
        ck_assert_uint_eq(p->released, 5);
        ck_assert_uint_eq(b.counters[0][SB_CTR_ACK_FOREIGN], i + 1);
    }
    const struct bench_frame good = bench_ack(&b, p->epoch, p->peer_inc, p->inc, 6, 6, p->digest);
    bench_poll(&b, 0, &good);
    ck_assert_uint_eq(p->released, 6);
    ck_assert_int_eq(p->role, SB_ROLE_PRIM);
    bench_close(&b);
}
END_TEST

START_TEST(verified_needs_the_applied_digest)
{
    struct bench b;
    bench_pair(&b, NULL);
    b.lost = bench_lose_all;
    bench_order(&b, 'B', 10000);
    bench_step(&b);
    bench_step(&b);
    const struct sb_node *p = b.node[0];
    const struct bench_frame held = bench_ack(&b, p->epoch, p->peer_inc, p->inc, 6, 5, p->digest);
    bench_poll(&b, 0, &held); /* in its log, not yet through its engine */
    ck_assert_uint_eq(p->released, 5);
    const struct bench_frame wrong =
        bench_ack(&b, p->epoch, p->peer_inc, p->inc, 6, 6, p->digest ^ 1);
    bench_poll(&b, 0, &wrong);
    ck_assert_uint_eq(p->released, 5);
    ck_assert_int_eq(p->role, SB_ROLE_DIVERGED);
    const struct bench_frame good = bench_ack(&b, p->epoch, p->peer_inc, p->inc, 6, 6, p->digest);
    bench_poll(&b, 0, &good);
    ck_assert_uint_eq(p->released, 5);
    ck_assert_uint_eq(bench_answers(&b, 'A'), 0);
    bench_close(&b);
}
END_TEST

/* --- stream --------------------------------------------------------------------------------- */

static uint32_t lose_streams_left;
static bool lose_next_packets(const struct bench *b, uint32_t from, uint32_t to,
                              const struct sb_head *h)
{
    (void)b;
    (void)to;
    if (h->type == SB_FT_REPAIR)
        return true;
    if (from != 0 || h->type != SB_FT_STREAM || h->bytes == sizeof(struct sb_stream) ||
        lose_streams_left == 0)
        return false;
    lose_streams_left--;
    return true;
}

START_TEST(gap_is_repaired)
{
    struct bench b;
    bench_pair(&b, NULL);
    lose_streams_left = 3;
    b.lost = lose_next_packets;
    for (int i = 0; i < 5; i++) {
        bench_order(&b, 'B', 10000);
        bench_step(&b);
    }
    bench_step(&b);
    ck_assert_uint_eq(b.node[1]->log.len, 5); /* R6: nothing behind a hole */
    ck_assert_uint_eq(b.node[1]->applied, 5);
    ck_assert_uint_eq(b.node[0]->released, 5);
    ck_assert_uint_ge(b.counters[1][SB_CTR_STREAM_GAP], 1);
    b.lost = NULL;
    bench_run(&b, MS);
    ck_assert_uint_ge(b.counters[1][SB_CTR_REPAIR_TX], 1);
    ck_assert_uint_ge(b.counters[0][SB_CTR_REPAIR_RX], 1);
    ck_assert_uint_eq(b.node[1]->applied, 10);
    ck_assert_uint_eq(b.node[0]->released, 10);
    ck_assert_uint_eq(bench_answers(&b, 'A'), 5);
    ck_assert_uint_eq(b.counters[1][SB_CTR_SUSPECTED], 0);
    bench_close(&b);
}
END_TEST

/* A bit of the log flips before a lost packet is repaired: the damage must not become true on both nodes. */
START_TEST(rotten_log_is_never_a_repair)
{
    struct bench b;
    bench_pair(&b, NULL);
    lose_streams_left = 1;
    b.lost = lose_next_packets;
    bench_order(&b, 'B', 10000);
    bench_step(&b);
    const struct sb_log *log = &b.node[0]->log;
    ck_assert_uint_eq(log->len, 6);
    struct sb_packet *p = sb_log_packet(log, log->packet_end - 1);
    ck_assert(sb_log_is_whole(log, p));
    sb_log_lines(log, p)->quantity ^= 4;
    ck_assert(!sb_log_is_whole(log, p));
    b.lost = NULL;
    bench_run(&b, 3 * MS);
    ck_assert_uint_eq(b.counters[0][SB_CTR_LOG_ROTTEN], 1);
    ck_assert_int_eq(b.node[1]->role, SB_ROLE_SOLO); /* goes on without what nobody acknowledged */
    ck_assert_uint_eq(b.counters[1][SB_CTR_SUSPECTED], 0);
    ck_assert_uint_eq(b.node[1]->n_star, 5);
    ck_assert(b.done[0]);
    ck_assert_uint_eq(b.node[0]->released, 5);
    bench_close(&b);
}
END_TEST

START_TEST(shadow_takes_only_its_owners_next_packet) /* R6 */
{
    struct bench b;
    bench_pair(&b, NULL);
    b.lost = bench_lose_all;
    const struct sb_node *s = b.node[1];
    const struct bench_frame foreign[] = {
        bench_packet(&b, s->epoch + 4, s->peer_inc, s->inc, 6),
        bench_packet(&b, 0, s->peer_inc, s->inc, 6),
        bench_packet(&b, s->epoch, s->peer_inc + 1, s->inc, 6),
        bench_packet(&b, s->epoch, 0, s->inc, 6),
        bench_packet(&b, s->epoch, s->peer_inc, s->inc + 1, 6),
        bench_packet(&b, s->epoch, s->peer_inc, 0, 6),
    };
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
        bench_poll(&b, 1, &foreign[i]);
        ck_assert_uint_eq(s->log.len, 5);
        ck_assert_int_eq(s->role, SB_ROLE_SHADOW);
    }
    const uint64_t past[] = {7, 5, 1, UINT64_MAX};
    for (size_t i = 0; i < 4; i++) {
        const struct bench_frame f = bench_packet(&b, s->epoch, s->peer_inc, s->inc, past[i]);
        bench_poll(&b, 1, &f);
        ck_assert_uint_eq(s->log.len, 5);
        ck_assert_uint_eq(s->applied, 5);
    }
    const struct bench_frame good = bench_packet(&b, s->epoch, s->peer_inc, s->inc, 6);
    bench_poll(&b, 1, &good);
    ck_assert_uint_eq(s->log.len, 6);
    ck_assert_uint_eq(s->applied, 6);
    bench_close(&b);
}
END_TEST

START_TEST(malformed_packets_are_counted)
{
    struct bench b;
    bench_pair(&b, NULL);
    b.lost = bench_lose_all;
    const struct sb_node *s = b.node[1];
    for (int i = 0; i < 9; i++) {
        struct bench_stream p = {
            .s = {.to_inc = s->inc, .n_first = 6, .len = 6, .count = 1, .lines = 1}};
        p.lines[0] =
            (struct sb_command){.seq = 6, .kind = SB_CMD_PHASE, .instrument = SB_INSTRUMENT_ALL};
        uint32_t bytes = sizeof p.s + SB_LINE_BYTES;
        if (i == 0)
            p.s.count = 0;
        if (i == 1)
            p.s.count = 2;
        if (i == 2)
            p.s.lines = 2;
        if (i == 3)
            p.s.len = 5;
        if (i == 4)
            p.lines[0].seq = 7;
        if (i == 5)
            p.lines[0].flags = SB_CMD_F_EXT; /* its second line is not in the packet */
        if (i == 6)
            p.lines[0].kind = 99;
        if (i == 7)
            bytes += 8;
        if (i == 8)
            p.s.zero = 1;
        const struct bench_frame f =
            bench_ours(&b, SB_FT_STREAM, s->epoch, s->peer_inc, SB_NODE_A, SB_FF_PAIRED, &p, bytes);
        bench_poll(&b, 1, &f);
        ck_assert_uint_eq(s->log.len, 5);
        ck_assert_uint_eq(b.counters[1][SB_CTR_BAD_HEAD], (uint64_t)i + 1);
    }
    bench_close(&b);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("replica-node");
    TCase *tc = tcase_create("node");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, genesis);
    tcase_add_loop_test(tc, order_is_answered_after_the_ack, 0, 2);
    tcase_add_loop_test(tc, foreign_acks_do_not_count, 0, 2);
    tcase_add_test(tc, verified_needs_the_applied_digest);
    tcase_add_test(tc, gap_is_repaired);
    tcase_add_test(tc, rotten_log_is_never_a_repair);
    tcase_add_test(tc, shadow_takes_only_its_owners_next_packet);
    tcase_add_test(tc, malformed_packets_are_counted);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
