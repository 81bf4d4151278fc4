/* test_role.c: who may do what: suspicion and takeover, going alone, handing over, retiring, deafness, divergence. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/replica/bench.h"

enum { MS = 1000000 };

static bool lose_peers(const struct bench *b, uint32_t from, uint32_t to, const struct sb_head *h)
{
    (void)b;
    (void)h;
    return from < 2 && to < 2;
}

/* --- takeover ------------------------------------------------------------------------------- */

START_TEST(nothing_is_acked_after_going_live) /* R8, R10 */
{
    struct bench b;
    bench_pair(&b, NULL);
    bench_order(&b, 'B', 10000);
    b.lost = bench_lose_acks;
    bench_run(&b, 100000);
    ck_assert_uint_eq(b.node[0]->released, 5);
    b.lost = NULL;
    b.down[0] = true;
    const uint64_t from_ns = b.node[1]->heard_ns;
    while (b.node[1]->role == SB_ROLE_SHADOW && b.now_ns < from_ns + 10 * MS)
        bench_step(&b);
    const struct sb_node *s = b.node[1];
    ck_assert_int_eq(s->role, SB_ROLE_SOLO);
    ck_assert_uint_ge(b.now_ns - from_ns, b.config.takeover_after_ns);
    ck_assert_uint_le(b.now_ns - from_ns, b.config.takeover_after_ns + 2 * BENCH_STEP_NS);
    ck_assert_uint_eq(s->epoch, 4 | SB_EPOCH_S);
    ck_assert_uint_eq(s->n_star, 6);
    ck_assert_uint_eq(b.client.frames[b.client.n - 1].from,
                      1); /* what was held back left at once */
    bench_run(&b, MS);
    ck_assert_uint_eq(bench_answers(&b, 'A'), 1);
    ck_assert_int_eq(b.witness.state, SB_W_SOLO);
    const uint64_t acks = b.counters[1][SB_CTR_ACK_TX], len = s->log.len;
    const struct bench_frame f = bench_packet(&b, 4, s->peer_inc, s->inc, len + 1);
    bench_poll(&b, 1, &f); /* the old owner wakes up with a packet in its hand */
    bench_run(&b, MS);
    ck_assert_uint_eq(s->log.len, len);
    ck_assert_uint_eq(b.counters[1][SB_CTR_ACK_TX], acks);
    ck_assert_int_eq(s->role, SB_ROLE_SOLO);
    b.down[0] = false; /* it hears the later epoch and steps down, and says nothing more */
    bench_run(&b, MS);
    ck_assert_int_eq(b.node[0]->role, SB_ROLE_CATCH);
    ck_assert_uint_eq(b.node[0]->released, 5);
    bench_order(&b, 'B', 10000);
    const uint32_t sent = b.client.n;
    bench_run(&b, MS);
    ck_assert_uint_eq(bench_answers(&b, 'A'), 2);
    for (uint32_t i = sent; i < b.client.n; i++)
        ck_assert_uint_eq(b.client.frames[i].from, 1);
    bench_close(&b);
}
END_TEST

static bool lose_from_primary(const struct bench *b, uint32_t from, uint32_t to,
                              const struct sb_head *h)
{
    (void)b;
    (void)to;
    (void)h;
    return from == 0;
}

static bool lose_armok_and_primary(const struct bench *b, uint32_t from, uint32_t to,
                                   const struct sb_head *h)
{
    return h->type == SB_FT_ARMOK || lose_from_primary(b, from, to, h);
}

START_TEST(armok_must_match_the_request) /* R9 */
{
    struct bench b;
    bench_pair(&b, NULL);
    b.lost = lose_armok_and_primary;
    bench_run(&b, 1 * MS);
    const struct sb_node *s = b.node[1];
    ck_assert_int_eq(s->arm, SB_ARM_ARMING);
    const struct sb_control good = {.to = SB_NODE_B, .to_inc = s->inc, .winc = s->winc, .k = s->k};
    struct sb_control c[6] = {good, good, good, good, good, good};
    c[0].k--;
    c[1].k++;
    c[2].to_inc++;
    c[3].to_inc = 0;
    c[4].winc--;
    c[5].to = SB_NODE_A;
    for (int i = 0; i < 6; i++) {
        const struct bench_frame f =
            bench_control(&b, SB_FT_ARMOK, s->epoch, s->winc, SB_NODE_W, c[i]);
        bench_poll(&b, 1, &f);
        ck_assert_int_eq(s->arm, SB_ARM_ARMING);
    }
    const struct bench_frame other = bench_control(&b, SB_FT_ARMOK, 8, s->winc, SB_NODE_W, good);
    bench_poll(&b, 1, &other);
    const struct bench_frame peer =
        bench_control(&b, SB_FT_ARMOK, s->epoch, s->winc, SB_NODE_A, good);
    bench_poll(&b, 1, &peer);
    ck_assert_int_eq(s->arm, SB_ARM_ARMING);
    bench_run(&b, 5 * MS); /* without a grant it never goes live */
    ck_assert_int_eq(s->role, SB_ROLE_SHADOW);
    const struct bench_frame f = bench_control(&b, SB_FT_ARMOK, s->epoch, s->winc, SB_NODE_W, good);
    bench_poll(&b, 1, &f);
    ck_assert_int_eq(s->role, SB_ROLE_SOLO);
    bench_close(&b);
}
END_TEST

START_TEST(heard_again_means_cancel) /* R9 */
{
    struct bench b;
    bench_pair(&b, NULL);
    b.lost = lose_from_primary;
    bench_run(&b, 1 * MS);
    ck_assert_int_eq(b.node[1]->arm, SB_ARM_ARMED);
    const uint64_t k = b.node[1]->k;
    b.lost = NULL;
    bench_run(&b, 1 * MS);
    ck_assert_int_eq(b.node[1]->arm, SB_ARM_NONE);
    ck_assert_int_eq(b.witness.state, SB_W_DUAL);
    ck_assert_uint_eq(b.witness.kmax, k);
    b.lost = lose_from_primary;
    bench_run(&b, 1 * MS);
    ck_assert_uint_gt(b.node[1]->k, k);
    ck_assert_int_eq(b.witness.state, SB_W_ARMED);
    bench_close(&b);
}
END_TEST

static bool lose_to_witness(const struct bench *b, uint32_t from, uint32_t to,
                            const struct sb_head *h)
{
    (void)b;
    (void)from;
    (void)h;
    return to == BENCH_W;
}

/* A grant that is given back while the witness cannot be heard must not bind the owner for ever. */
START_TEST(cancel_is_repeated_until_answered) /* R9 */
{
    struct bench b;
    bench_pair(&b, NULL);
    b.lost = lose_from_primary;
    bench_run(&b, 1 * MS);
    ck_assert_int_eq(b.witness.state, SB_W_ARMED);
    b.lost = lose_to_witness;
    bench_run(&b, 50 * MS);
    ck_assert_int_eq(b.node[1]->arm, SB_ARM_NONE);
    ck_assert_int_eq(b.witness.state, SB_W_ARMED);
    b.lost = NULL;
    bench_run(&b, 20 * MS);
    ck_assert_int_eq(b.witness.state, SB_W_DUAL);
    ck_assert_uint_eq(b.witness.kmax, b.node[1]->k);
    ck_assert(!b.node[1]->cancel_open); /* answered: no more of them */
    b.down[1] = true;
    bench_run(&b, 20 * MS);
    ck_assert_int_eq(b.node[0]->role, SB_ROLE_SOLO);
    bench_close(&b);
}
END_TEST

/* R11: alone only with the witness's word, of this life and this witness. */
START_TEST(soloook_must_match)
{
    struct bench b;
    bench_pair(&b, NULL);
    b.down[1] = b.down[2] = true;
    bench_order(&b, 'B', 10000);
    bench_run(&b, 20 * MS);
    const struct sb_node *p = b.node[0];
    ck_assert_int_eq(p->role, SB_ROLE_PRIM);
    ck_assert_uint_eq(p->released, 5);
    const struct sb_control good = {.to = SB_NODE_A, .to_inc = p->inc, .winc = p->winc};
    struct sb_control c[3] = {good, good, good};
    c[0].to_inc++;
    c[1].winc--;
    c[2].to = SB_NODE_B;
    for (int i = 0; i < 3; i++) {
        const struct bench_frame f = bench_control(&b, SB_FT_SOLOOK, 5, p->winc, SB_NODE_W, c[i]);
        bench_poll(&b, 0, &f);
    }
    const uint64_t epochs[] = {4, 6, 7, 9};
    for (int i = 0; i < 4; i++) {
        const struct bench_frame f =
            bench_control(&b, SB_FT_SOLOOK, epochs[i], p->winc, SB_NODE_W, good);
        bench_poll(&b, 0, &f);
    }
    ck_assert_int_eq(p->role, SB_ROLE_PRIM);
    ck_assert_uint_eq(p->released, 5);
    const struct bench_frame f = bench_control(&b, SB_FT_SOLOOK, 5, p->winc, SB_NODE_W, good);
    bench_poll(&b, 0, &f);
    ck_assert_int_eq(p->role, SB_ROLE_SOLO);
    ck_assert_uint_eq(p->epoch, 5);
    bench_run(&b, MS);
    ck_assert_uint_eq(bench_answers(&b, 'A'), 1);
    bench_close(&b);
}
END_TEST

START_TEST(orphans_are_sequenced_in_order_of_arrival)
{
    struct bench b;
    bench_pair(&b, NULL);
    const uint64_t before = b.counters[1][SB_CTR_ENTRY_PENDING];
    for (uint64_t i = 1; i <= 8; i++) { /* only the shadow hears them */
        bench_order_at(&b, i, (uint32_t)i, 1u << 1);
        bench_step(&b);
    }
    bench_order_at(&b, 3, 3, 1u << 1); /* and one of them twice */
    bench_step(&b);
    ck_assert_uint_eq(b.counters[1][SB_CTR_ENTRY_PENDING] - before, 9);
    ck_assert_uint_eq(b.node[1]->log.len, 5);
    b.down[0] = true;
    bench_run(&b, 5 * MS);
    const struct sb_node *s = b.node[1];
    ck_assert_int_eq(s->role, SB_ROLE_SOLO);
    ck_assert_uint_eq(s->log.len, 13);
    ck_assert_uint_eq(b.counters[1][SB_CTR_ENTRY_ORPHANS], 8);
    ck_assert_uint_eq(b.counters[1][SB_CTR_ENTRY_RESENT], 1);
    uint64_t number = 1;
    for (uint64_t n = 6; n <= 13; n++, number++) {
        const struct sb_packet *p = sb_log_packet(&s->log, sb_log_find(&s->log, n));
        const struct sb_command *c = sb_log_lines(&s->log, p);
        while (c->seq < n)
            c += sb_command_lines(c);
        ck_assert_uint_eq(c->session_seq, number);
    }
    ck_assert_uint_eq(bench_answers(&b, 'A'), 8);
    bench_close(&b);
}
END_TEST

START_TEST(kept_frames_are_forgotten_when_the_stream_brings_them)
{
    struct bench b;
    bench_pair(&b, NULL);
    for (int i = 0; i < 20; i++)
        bench_order(&b, 'B', 10000);
    bench_run(&b, MS);
    ck_assert_uint_eq(b.node[1]->pending.tail, b.node[1]->pending.head);
    b.down[0] = true;
    bench_run(&b, 5 * MS);
    ck_assert_uint_eq(b.counters[1][SB_CTR_ENTRY_ORPHANS], 0);
    ck_assert_uint_eq(b.counters[1][SB_CTR_ENTRY_RESENT], 0);
    bench_close(&b);
}
END_TEST

START_TEST(stopping_primary_hands_over) /* R12 */
{
    struct bench b;
    bench_pair(&b, NULL);
    bench_order(&b, 'B', 10000);
    bench_run(&b, 10000);
    sb_node_stop(b.node[0]);
    bench_run(&b, 200000);                            /* far below any timeout */
    ck_assert_int_eq(b.node[0]->role, SB_ROLE_CATCH); /* resigned, and has heard the next owner */
    ck_assert_int_eq(b.node[1]->role, SB_ROLE_SOLO);
    ck_assert(b.done[0]);
    ck_assert_uint_eq(bench_answers(&b, 'A'), 1);
    ck_assert_uint_eq(b.counters[1][SB_CTR_ENTRY_ORPHANS], 0);
    bench_run(&b, MS);
    ck_assert_int_eq(b.witness.state, SB_W_SOLO);
    ck_assert_uint_eq(b.witness.owner, SB_NODE_B);
    bench_close(&b);
}
END_TEST

START_TEST(resigned_owner_ignores_a_grant)
{
    struct bench b;
    bench_pair(&b, NULL);
    b.lost = lose_peers;
    sb_node_stop(b.node[0]);
    bench_run(&b, 10000);
    const struct sb_node *p = b.node[0];
    ck_assert_int_eq(p->role, SB_ROLE_RESIGNED);
    const struct bench_frame f =
        bench_control(&b, SB_FT_SOLOOK, 5, p->winc, SB_NODE_W,
                      (struct sb_control){.to = SB_NODE_A, .to_inc = p->inc, .winc = p->winc});
    bench_poll(&b, 0, &f);
    ck_assert_int_eq(p->role, SB_ROLE_RESIGNED);
    bench_close(&b);
}
END_TEST

START_TEST(resign_waits_for_what_is_missing)
{
    struct bench b;
    bench_pair(&b, NULL);
    b.lost = bench_lose_all;
    const struct sb_node *s = b.node[1];
    const struct sb_control c = {.to = SB_NODE_CLIENT, .n_last = 7};
    struct bench_frame f = bench_control(&b, SB_FT_RESIGN, s->epoch, s->peer_inc + 1, SB_NODE_A, c);
    bench_poll(&b, 1, &f);
    f = bench_control(&b, SB_FT_RESIGN, s->epoch + 4, s->peer_inc, SB_NODE_A, c);
    bench_poll(&b, 1, &f);
    ck_assert(!s->resign_heard);
    f = bench_control(&b, SB_FT_RESIGN, s->epoch, s->peer_inc, SB_NODE_A, c);
    bench_poll(&b, 1, &f);
    ck_assert_int_eq(s->role, SB_ROLE_SHADOW); /* 6 and 7 are missing */
    f = bench_packet(&b, s->epoch, s->peer_inc, s->inc, 6);
    bench_poll(&b, 1, &f);
    ck_assert_int_eq(s->role, SB_ROLE_SHADOW);
    f = bench_packet(&b, s->epoch, s->peer_inc, s->inc, 7);
    const uint64_t acks = b.counters[1][SB_CTR_ACK_TX];
    bench_poll(&b, 1, &f);
    ck_assert_int_eq(s->role, SB_ROLE_SOLO);
    bench_run(&b, MS); /* R8: the ack that was due for 7 is due no more */
    ck_assert_uint_eq(b.counters[1][SB_CTR_ACK_TX], acks);
    bench_close(&b);
}
END_TEST

static uint32_t deaf_host;
static bool lose_what_it_should_hear(const struct bench *b, uint32_t from, uint32_t to,
                                     const struct sb_head *h)
{
    (void)b;
    (void)from;
    (void)h;
    return to == deaf_host;
}

/* A receive path is gone: what the node says is heard, and nothing that is granted would ever arrive. */
START_TEST(deaf_node_gives_way)
{
    struct bench b;
    bench_pair(&b, NULL);
    bench_order(&b, 'B', 10000);
    bench_run(&b, MS);
    const uint32_t other = (uint32_t)(1 - _i);
    deaf_host = (uint32_t)_i;
    b.lost = lose_what_it_should_hear;
    bench_run(&b, _i == 0 ? 290 * MS : 90 * MS);
    ck_assert_int_ne(b.node[other]->role, SB_ROLE_SOLO);
    bench_run(&b, 20 * MS);
    ck_assert_int_eq(b.node[other]->role, SB_ROLE_SOLO);
    ck_assert_uint_eq(b.counters[_i][SB_CTR_DEAF], 1);
    ck_assert_int_eq(b.node[_i]->role, _i == 0 ? SB_ROLE_RESIGNED : SB_ROLE_SHADOW);
    ck_assert_uint_eq(b.witness.owner, other);
    b.lost = NULL;
    bench_run(&b, 20 * MS);
    ck_assert_int_eq(b.node[_i]->role, SB_ROLE_CATCH);
    ck_assert_int_eq(b.node[other]->role, SB_ROLE_SOLO);
    ck_assert_int_eq(b.witness.state, SB_W_SOLO);
    bench_close(&b);
}
END_TEST

/* ... but one that was not run for a while could not hear, and finds out what became of it like any other. */
START_TEST(pause_is_no_deafness)
{
    struct bench b;
    bench_pair(&b, NULL);
    b.down[0] = true;
    bench_run(&b, 350 * MS);
    b.down[0] = false;
    bench_run(&b, 20 * MS);
    ck_assert_uint_eq(b.counters[0][SB_CTR_DEAF], 0);
    ck_assert_int_eq(b.node[0]->role, SB_ROLE_CATCH);
    ck_assert_int_eq(b.node[1]->role, SB_ROLE_SOLO);
    bench_close(&b);
}
END_TEST

/* ... and one whose witness was gone before its peer went is not deaf, and keeps what it has. */
START_TEST(lonely_node_is_not_deaf)
{
    struct bench b;
    bench_pair(&b, NULL);
    b.down[BENCH_W] = true;
    bench_run(&b, 150 * MS);
    b.down[1 - _i] = true;
    bench_run(&b, 400 * MS);
    ck_assert_uint_eq(b.counters[_i][SB_CTR_DEAF], 0);
    ck_assert_int_eq(b.node[_i]->role, _i == 0 ? SB_ROLE_PRIM : SB_ROLE_SHADOW);
    bench_close(&b);
}
END_TEST

/* A primary that dies in the middle of something asks for no repair: nobody could answer. */
START_TEST(crash_frame_is_obeyed_at_once) /* R12 */
{
    struct bench b;
    bench_pair(&b, NULL);
    bench_order(&b, 'B', 10000);
    b.lost = bench_lose_all;
    bench_step(&b);
    ck_assert_uint_eq(b.node[0]->log.len, 6);
    ck_assert_uint_eq(b.node[1]->log.len, 5);
    struct bench_frame f = {.from = 0};
    f.len = sb_node_crash_frame(b.node[0], f.data);
    b.down[0] = true;
    bench_poll(&b, 1, &f);
    ck_assert_int_eq(b.node[1]->role, SB_ROLE_SOLO);
    ck_assert_uint_eq(b.node[1]->n_star, 5);
    ck_assert_uint_eq(sb_node_crash_frame(b.node[1], f.data), 0); /* only a PRIM has one */
    bench_close(&b);
}
END_TEST

START_TEST(witness_restart_voids_what_was_asked) /* R19 */
{
    struct bench b;
    bench_pair(&b, NULL);
    bench_start_witness(&b);
    bench_run(&b, 30 * MS);
    ck_assert_int_eq(b.witness.state, SB_W_DUAL);
    ck_assert_uint_eq(b.node[0]->winc, b.witness.winc);
    b.lost = lose_from_primary;
    while (b.node[1]->arm != SB_ARM_ARMED)
        bench_step(&b);
    const uint64_t old = b.node[1]->winc;
    bench_start_witness(&b); /* an armed shadow keeps its grant and does not register */
    for (int i = 0; i < 20; i++)
        bench_step(&b);
    ck_assert_int_eq(b.node[1]->arm, SB_ARM_ARMED);
    ck_assert_uint_eq(b.node[1]->winc, old);
    ck_assert_uint_eq(b.witness.registrations[1].inc, 0);
    bench_run(&b, 30 * MS);
    ck_assert_int_eq(b.node[1]->role, SB_ROLE_SOLO);
    ck_assert_int_eq(b.witness.state, SB_W_SOLO);
    ck_assert_uint_eq(b.witness.owner, SB_NODE_B);
    bench_close(&b);
}
END_TEST

START_TEST(later_owner_retires_every_role) /* R14, R24 */
{
    for (int i = 0; i < 2; i++) {
        struct bench b;
        bench_pair(&b, NULL);
        b.lost = bench_lose_all;
        struct sb_node *node = b.node[i];
        const uint8_t sender = (uint8_t)(1 - i);
        const struct sb_stream s = {.len = 5};
        const uint64_t lower[] = {4, 0, 3, 1};
        for (int k = 0; k < 4; k++) { /* not above its own, or not a solo one */
            const struct bench_frame f =
                bench_ours(&b, SB_FT_STREAM, lower[k], 777, sender, 0, &s, sizeof s);
            bench_poll(&b, (uint8_t)i, &f);
            ck_assert_int_eq(node->role, i == 0 ? SB_ROLE_PRIM : SB_ROLE_SHADOW);
        }
        struct bench_frame f = bench_ours(&b, SB_FT_STREAM, 8, 777, sender, 0, &s, sizeof s);
        bench_poll(&b, (uint8_t)i, &f); /* (2,D) is no solo epoch */
        ck_assert_int_ne(node->role, SB_ROLE_CATCH);
        f = bench_ours(&b, SB_FT_STREAM, 6, 777, sender, 0, &s, sizeof s);
        bench_poll(&b, (uint8_t)i, &f);
        ck_assert_int_eq(node->role, SB_ROLE_CATCH);
        ck_assert_uint_eq(b.counters[i][SB_CTR_RETIRED], 1);
        bench_order(&b, 'B', 10000);
        const uint32_t sent = b.client.n;
        bench_run(&b, 10 * MS);
        ck_assert_int_eq(node->role, SB_ROLE_CATCH);
        ck_assert_uint_eq(node->log.len, 5);
        for (uint32_t k = sent; k < b.client.n; k++)
            ck_assert_uint_ne(b.client.frames[k].from, (uint32_t)i);
        bench_close(&b);
    }
}
END_TEST

/* --- divergence ----------------------------------------------------------------------------- */

static void spoil(struct sb_node *node) /* a bit of the engine's memory */
{
    ((struct sb_session_view *)(uintptr_t)sb_engine_session(node->engine, 1))->next_stream_seq ^=
        1u << 20;
}

static void continues(struct sb_config *c)
{
    c->divergence = SB_DIVERGENCE_PRIMARY_CONTINUES;
}

START_TEST(divergence_halts_both)
{
    struct bench b;
    bench_pair(&b, NULL);
    spoil(b.node[_i]);
    const uint64_t acks = b.counters[0][SB_CTR_ACK_RX];
    bench_order(&b, 'B', 10000);
    bench_run(&b, 20 * MS);
    ck_assert_uint_gt(b.counters[0][SB_CTR_ACK_RX] + 1, acks);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(b.node[i]->role, SB_ROLE_DIVERGED);
    ck_assert_uint_eq(b.node[0]->released, 5);
    ck_assert_uint_eq(bench_answers(&b, 'A'), 0);
    ck_assert_int_eq(b.witness.state, SB_W_DUAL);
    ck_assert_uint_eq(
        b.counters[0][SB_CTR_DIGEST_DIFFERENT] + b.counters[1][SB_CTR_DIGEST_DIFFERENT], 1);
    bench_close(&b);
}
END_TEST

START_TEST(divergence_primary_continues)
{
    struct bench b;
    bench_pair(&b, continues);
    spoil(b.node[1]);
    bench_order(&b, 'B', 10000);
    bench_run(&b, 20 * MS);
    ck_assert_int_eq(b.node[0]->role, SB_ROLE_SOLO);
    ck_assert_uint_eq(bench_answers(&b, 'A'), 1);
    ck_assert(b.node[1]->role == SB_ROLE_CATCH || b.node[1]->role == SB_ROLE_DIVERGED);
    ck_assert_uint_le(b.counters[0][SB_CTR_DIGEST_DIFFERENT], 1);
    bench_close(&b);
}
END_TEST

/* A shadow that stops, of its own will or because it diverged, leaves no grant behind: it would bind the owner. */
START_TEST(grant_is_given_back)
{
    struct bench b;
    bench_pair(&b, _i == 0 ? NULL : continues);
    b.lost = lose_from_primary;
    bench_run(&b, 1 * MS);
    ck_assert_int_eq(b.witness.state, SB_W_ARMED);
    const struct sb_node *s = b.node[1];
    if (_i == 0) {
        sb_node_stop(b.node[1]);
    } else {
        const struct sb_stream h = {.to_inc = s->inc, .len = 5};
        const struct bench_frame f = bench_ours(&b, SB_FT_STREAM, s->epoch, s->peer_inc, SB_NODE_A,
                                                SB_FF_PAIRED | SB_FF_DIVERGED, &h, sizeof h);
        bench_poll(&b, 1, &f);
        ck_assert_int_eq(s->role, SB_ROLE_DIVERGED);
    }
    for (uint64_t end = b.now_ns + 10 * MS; b.now_ns < end && !b.done[1];)
        bench_step(&b);
    ck_assert_int_eq(b.done[1], _i == 0);
    b.down[1] = true;
    bench_step(&b);
    ck_assert_int_eq(b.witness.state, SB_W_DUAL);
    b.lost = NULL;
    bench_order(&b, 'B', 10000);
    bench_run(&b, 10 * MS);
    ck_assert_int_eq(b.node[0]->role, SB_ROLE_SOLO);
    ck_assert_uint_eq(bench_answers(&b, 'A'), 1);
    bench_close(&b);
}
END_TEST

/* The shadow that was set aside is told so: it must not take over with what it has. */
START_TEST(set_aside_shadow_is_told)
{
    struct bench b;
    bench_pair(&b, continues);
    b.down[2] = true; /* nobody gives the primary the right to go alone */
    const struct sb_node *p = b.node[0];
    b.lost = bench_lose_all;
    bench_order(&b, 'B', 10000);
    bench_step(&b);
    bench_step(&b);
    const struct bench_frame wrong =
        bench_ack(&b, p->epoch, p->peer_inc, p->inc, 6, 6, p->digest ^ 1);
    bench_poll(&b, 0, &wrong);
    ck_assert_int_eq(p->role, SB_ROLE_PRIM);
    const struct bench_frame good = bench_ack(&b, p->epoch, p->peer_inc, p->inc, 6, 6, p->digest);
    bench_poll(&b, 0, &good); /* its word counts no more, whatever it says */
    const struct bench_frame nobody = bench_ack(&b, p->epoch, 0, p->inc, 6, 6, p->digest);
    bench_poll(&b, 0, &nobody);
    ck_assert_uint_eq(p->released, 5);
    b.lost = NULL;
    bench_run(&b, MS);
    ck_assert_int_eq(b.node[1]->role, SB_ROLE_DIVERGED);
    ck_assert_uint_eq(p->released, 5);
    ck_assert_uint_eq(b.counters[0][SB_CTR_DIGEST_DIFFERENT], 1);
    b.down[2] = false;
    bench_run(&b, MS);
    ck_assert_int_eq(p->role, SB_ROLE_SOLO);
    ck_assert_uint_eq(bench_answers(&b, 'A'), 1);
    bench_close(&b);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("replica-role");
    TCase *tc = tcase_create("role");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, nothing_is_acked_after_going_live);
    tcase_add_test(tc, armok_must_match_the_request);
    tcase_add_test(tc, heard_again_means_cancel);
    tcase_add_test(tc, cancel_is_repeated_until_answered);
    tcase_add_test(tc, soloook_must_match);
    tcase_add_test(tc, orphans_are_sequenced_in_order_of_arrival);
    tcase_add_test(tc, kept_frames_are_forgotten_when_the_stream_brings_them);
    tcase_add_test(tc, stopping_primary_hands_over);
    tcase_add_test(tc, resigned_owner_ignores_a_grant);
    tcase_add_test(tc, resign_waits_for_what_is_missing);
    tcase_add_test(tc, crash_frame_is_obeyed_at_once);
    tcase_add_loop_test(tc, deaf_node_gives_way, 0, 2);
    tcase_add_test(tc, pause_is_no_deafness);
    tcase_add_loop_test(tc, lonely_node_is_not_deaf, 0, 2);
    tcase_add_test(tc, witness_restart_voids_what_was_asked);
    tcase_add_test(tc, later_owner_retires_every_role);
    tcase_add_loop_test(tc, divergence_halts_both, 0, 2);
    tcase_add_test(tc, divergence_primary_continues);
    tcase_add_loop_test(tc, grant_is_given_back, 0, 2);
    tcase_add_test(tc, set_aside_shadow_is_told);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
