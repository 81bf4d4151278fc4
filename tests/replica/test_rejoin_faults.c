/* test_rejoin_faults.c: a pair that becomes whole again, in the moments in which that is hard. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "nic/wire/entry.h"
#include "nic/wire/udp.h"
#include "tests/replica/disk.h"

enum { MS = 1000000 };

static void journaled(struct sb_config *c)
{
    memcpy(c->journal_dir, "/j", 3);
}

static void pair(struct bench *b, struct disks *d, enum sb_hold_setting hold,
                 enum sb_solo_policy solo, uint32_t witness_lines)
{
    bench_pair(b, journaled);
    b->config.hold = hold;
    b->config.solo_policy = solo;
    b->config.witness_log_lines = witness_lines;
    bench_start_witness(b);
    disks_open(d, b);
    b->node[0]->setup.journal = b->node[1]->setup.journal = true;
    disks_run(d, 20 * MS);
    ck_assert_int_eq(b->witness.state, SB_W_DUAL);
}

static void over(struct bench *b, struct disks *d)
{
    disks_close(d);
    bench_close(b);
}

static uint32_t orders(struct disks *d, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        bench_order(d->b, i % 2 == 0 ? 'B' : 'S', 10000);
        disks_step(d);
    }
    disks_run(d, MS);
    return bench_answers(d->b, 'A');
}

/* W7's frames are STREAM of a solo epoch, from the witness: the other node must not join the witness. */
START_TEST(nobody_joins_the_witness)
{
    struct bench b;
    struct disks d;
    pair(&b, &d, SB_HOLD_TWO_MEMORIES, SB_SOLO_WITNESS, 1u << 13);
    ck_assert_uint_eq(orders(&d, 2), 2);
    d.of[1].stuck = true;
    disks_kill(&d, 0);
    disks_until(&d, 1, SB_ROLE_SOLO);
    ck_assert_uint_eq(orders(&d, 20), 22);
    disks_kill(&d, 1);
    disks_restart(&d, 0, true, false); /* up, in BOOT, while the owner resumes */
    disks_run(&d, MS);
    ck_assert_int_eq(b.node[0]->role, SB_ROLE_BOOT);
    disks_restart(&d, 1, true, false);
    disks_until(&d, 1, SB_ROLE_SOLO);
    disks_run(&d, 20 * MS);
    ck_assert_uint_ne(b.node[0]->peer_inc, b.witness.winc);
    ck_assert_int_eq(b.node[1]->role, SB_ROLE_PRIM);
    over(&b, &d);
}
END_TEST

static bool lose_solook(const struct bench *b, uint32_t from, uint32_t to, const struct sb_head *h)
{
    (void)b;
    (void)from;
    (void)to;
    return h != NULL && (h->type == SB_FT_ACK || h->type == SB_FT_SOLOOK);
}

static bool lose_only_solook(const struct bench *b, uint32_t from, uint32_t to,
                             const struct sb_head *h)
{
    (void)b;
    (void)from;
    (void)to;
    return h != NULL && h->type == SB_FT_SOLOOK;
}

/* owner_lives survives into a later grant: a primary whose SOLOOK was lost is not reminded. */
START_TEST(a_granted_primary_is_reminded_each_time)
{
    struct bench b;
    struct disks d;
    pair(&b, &d, SB_HOLD_TWO_MEMORIES, SB_SOLO_DISK, 0);
    disks_kill(&d, 1);
    disks_until(&d, 0, SB_ROLE_SOLO); /* the first grant is used: LIVE */
    disks_run(&d, 2 * MS);
    disks_restart(&d, 1, true, false);
    disks_until_pair(&d, 0);
    const uint64_t epoch = b.node[0]->epoch;
    b.lost = lose_solook; /* the second is lost, and the shadow comes back */
    while (b.witness.state != SB_W_SOLO)
        disks_step(&d);
    b.lost = lose_only_solook;
    disks_run(&d, 2 * MS);
    ck_assert(!b.node[0]->asking_solo);
    ck_assert_int_eq(b.node[0]->role, SB_ROLE_PRIM);
    b.lost = NULL;
    disks_run(&d, 60 * MS);                     /* three times REMIND_EVERY */
    ck_assert_uint_gt(b.node[0]->epoch, epoch); /* else nobody can ever take over from it */
    over(&b, &d);
}
END_TEST

/* Node 0, a joiner, has found another digest than its owner's, and stops. */
static void diverges(struct disks *d)
{
    struct bench *b = d->b;
    const struct sb_node *j = b->node[0];
    const struct sb_ack a = {.to_inc = b->node[1]->inc,
                             .held = j->log.len,
                             .applied = j->applied,
                             .digest = j->digest ^ 1};
    const struct bench_frame f =
        bench_ours(b, SB_FT_ACK, j->epoch, j->inc, SB_NODE_A, SB_FF_DIVERGED, &a, sizeof a);
    bench_put(b, 1, &f);
    b->down[0] = true;
    disks_run(d, MS);
}

/* A joiner that is refused after PAIR was asked to be recorded leaves an owner that pairs with nobody. */
START_TEST(a_joiner_refused_while_pair_is_written)
{
    struct bench b;
    struct disks d;
    pair(&b, &d, SB_HOLD_TWO_MEMORIES, SB_SOLO_DISK, 0);
    disks_kill(&d, 0);
    disks_until(&d, 1, SB_ROLE_SOLO);
    ck_assert_uint_eq(orders(&d, 4), 4);
    disks_restart(&d, 0, true, false);
    while (b.node[1]->record.kind != SB_RECORD_PAIR) {
        d.of[1].stuck = b.node[1]->peer_inc != 0; /* PAIR takes its time */
        disks_step(&d);
    }
    ck_assert_int_eq(b.node[1]->role, SB_ROLE_SOLO);
    diverges(&d);
    d.of[1].stuck = false;
    disks_run(&d, 20 * MS);
    const uint32_t before = bench_answers(&b, 'A');
    ck_assert_uint_eq(orders(&d, 2), before + 2); /* its owner goes on */
    over(&b, &d);
}
END_TEST

/* A joiner further behind than lag_max, and no transfer: REPAIR is taken and not answered. */
START_TEST(joins_from_memory_beyond_the_lag)
{
    struct bench b;
    struct disks d;
    pair(&b, &d, SB_HOLD_TWO_MEMORIES, SB_SOLO_MEMORY, 0);
    b.config.lag_max = 100;
    ck_assert_uint_eq(orders(&d, 200), 200);
    disks_kill(&d, 0);
    disks_until(&d, 1, SB_ROLE_SOLO);
    d.of[1].no_copy = true;
    disks_restart(&d, 0, false, false);
    disks_run(&d, 50 * MS);
    ck_assert_int_eq(b.node[1]->role, SB_ROLE_PRIM);
    over(&b, &d);
}
END_TEST

/* Degraded: PAIRING without PAIR's record, so that SOLO's is resumed with behind a pair's back. */
START_TEST(a_lost_journal_is_not_resumed_from)
{
    struct bench b;
    struct disks d;
    pair(&b, &d, SB_HOLD_TWO_MEMORIES, SB_SOLO_DISK, 0);
    disks_kill(&d, 1);
    disks_until(&d, 0, SB_ROLE_SOLO);
    ck_assert_uint_eq(orders(&d, 4), 4); /* with its record */
    ck_assert_int_eq(disks_record(&d, 0).kind, SB_RECORD_SOLO);
    sb_node_journal_lost(b.node[0]); /* error = degrade */
    d.of[0].stuck = true;
    disks_restart(&d, 1, true, false);
    disks_run(&d, 20 * MS);
    if (b.node[0]->role == SB_ROLE_PRIM) { /* it paired */
        const uint32_t acked = orders(&d, 10);
        ck_assert_uint_eq(acked, 14); /* released by R1 */
        const uint64_t released = b.node[0]->released;
        disks_kill(&d, 0);
        b.down[BENCH_W] = true;
        disks_step(&d);
        b.down[BENCH_W] = false;
        bench_start_witness(&b); /* no disk: UNSET */
        disks_restart(&d, 0, true, false);
        disks_run(&d, 20 * MS);
        ck_assert(!sb_role_owns(b.node[0]) || b.node[0]->log.len >= released);
    }
    over(&b, &d);
}
END_TEST

/* Degraded between SOLO's record and its durability: silent for ever, and nobody can join. */
START_TEST(a_lost_journal_does_not_silence_an_owner)
{
    struct bench b;
    struct disks d;
    pair(&b, &d, SB_HOLD_TWO_MEMORIES, SB_SOLO_DISK, 0);
    d.of[1].stuck = true;
    disks_kill(&d, 0);
    disks_until(&d, 1, SB_ROLE_SOLO);
    disks_run(&d, MS);
    sb_node_journal_lost(b.node[1]);
    disks_restart(&d, 0, true, false);
    disks_run(&d, 40 * MS);
    ck_assert(b.node[1]->role == SB_ROLE_PRIM || b.done[1]);
    over(&b, &d);
}
END_TEST

/* R13: a record that was never written is no record. */
START_TEST(no_record_without_a_journal)
{
    struct bench b;
    struct disks d;
    pair(&b, &d, SB_HOLD_TWO_MEMORIES, SB_SOLO_DISK, 0);
    sb_node_journal_lost(b.node[1]);
    d.of[1].stuck = true;
    disks_kill(&d, 0);
    disks_until(&d, 1, SB_ROLE_SOLO);
    disks_run(&d, MS);
    ck_assert_int_ne(disks_record(&d, 1).kind, SB_RECORD_SOLO);
    ck_assert(!sb_role_is_settled(b.node[1]));
    over(&b, &d);
}
END_TEST

/* FORCE once granted, said again by the network when the pair is whole. */
START_TEST(an_old_force_does_nothing)
{
    struct bench b;
    struct disks d;
    pair(&b, &d, SB_HOLD_TWO_MEMORIES, SB_SOLO_DISK, 0);
    ck_assert_uint_eq(orders(&d, 2), 2);
    disks_kill(&d, 0);
    disks_kill(&d, 1);
    disks_restart(&d, 1, true, true);
    disks_until(&d, 1, SB_ROLE_SOLO);
    const uint64_t inc = b.node[1]->inc;
    disks_restart(&d, 0, true, false);
    disks_until_pair(&d, 1);
    const struct bench_frame f =
        bench_control(&b, SB_FT_FORCE, 0, inc, SB_NODE_B,
                      (struct sb_control){.to = SB_NODE_W, .winc = b.witness.winc, .n_last = 6});
    bench_put(&b, BENCH_W, &f);
    disks_run(&d, MS);
    ck_assert_int_eq(b.witness.state, SB_W_DUAL);
    over(&b, &d);
}
END_TEST

/* Policy witness: the log is for the witness, so it must leave by the witness's port. */
START_TEST(the_log_leaves_by_the_witness_port)
{
    struct bench b;
    struct disks d;
    pair(&b, &d, SB_HOLD_TWO_MEMORIES, SB_SOLO_WITNESS, 1u << 13);
    disks_kill(&d, 0);
    disks_until(&d, 1, SB_ROLE_SOLO);
    disks_run(&d, MS);
    b.node[1]->setup.witness_apart = true;
    uint32_t streams = 0, to_witness = 0;
    for (int i = 0; i < 1000; i++) {
        struct sb_node_out out;
        memset(&out, 0, sizeof out);
        b.now_ns += 2000;
        sb_node_poll(b.node[1], b.now_ns, NULL, 0, &out);
        for (uint32_t k = 0; k < out.n; k++) {
            struct sb_datagram g;
            struct sb_head h;
            if (sb_udp_parse(out.frames[k].data, out.frames[k].len, &g) != SB_UDP_OK ||
                !sb_head_read(g.payload, g.bytes, &h) || h.type != SB_FT_STREAM)
                continue;
            streams++;
            to_witness += out.frames[k].role == SB_PORT_WITNESS;
        }
    }
    ck_assert_uint_gt(streams, 0);
    ck_assert_uint_gt(to_witness, 0);
    over(&b, &d);
}
END_TEST

/* two-disks: what was released alone is on two disks before the two are a pair (F5). */
START_TEST(two_disks_also_when_pairing)
{
    struct bench b;
    struct disks d;
    pair(&b, &d, SB_HOLD_TWO_DISKS, SB_SOLO_DISK, 0);
    disks_kill(&d, 1);
    disks_until(&d, 0, SB_ROLE_SOLO);
    ck_assert_uint_eq(orders(&d, 10), 10);
    disks_restart(&d, 1, true, false);
    for (const uint64_t end = b.now_ns + 40 * MS;
         b.now_ns < end && b.node[0]->role != SB_ROLE_PRIM;) {
        const struct sb_node_record r = disks_record(&d, 1);
        d.of[1].stuck = r.kind == SB_RECORD_JOIN && r.epoch == b.node[0]->epoch;
        if (d.of[1].stuck && b.node[0]->role == SB_ROLE_SOLO)
            bench_order(&b, 'B', 10000);
        disks_step(&d);
    }
    if (b.node[0]->role == SB_ROLE_PRIM)
        ck_assert_uint_ge(disks_durable_n(&d, 1), b.node[0]->released);
    over(&b, &d);
}
END_TEST

static bool lose_pair(const struct bench *b, uint32_t from, uint32_t to, const struct sb_head *h)
{
    (void)b;
    (void)from;
    (void)to;
    return h != NULL && (h->type == SB_FT_PAIR || h->type == SB_FT_PAIROK);
}

/* primary-continues: an owner that is PAIRING goes on when its joiner differs (D1). */
START_TEST(pairing_goes_on_when_its_joiner_differs)
{
    struct bench b;
    struct disks d;
    pair(&b, &d, SB_HOLD_TWO_MEMORIES, SB_SOLO_DISK, 0);
    b.config.divergence = SB_DIVERGENCE_PRIMARY_CONTINUES;
    disks_kill(&d, 0);
    disks_until(&d, 1, SB_ROLE_SOLO);
    ck_assert_uint_eq(orders(&d, 4), 4);
    b.lost = lose_pair;
    disks_restart(&d, 0, true, false);
    disks_until(&d, 1, SB_ROLE_PAIRING);
    disks_run(&d, MS / 10);
    diverges(&d);
    b.lost = NULL;
    disks_run(&d, 30 * MS);
    const uint32_t before = bench_answers(&b, 'A');
    ck_assert_uint_eq(orders(&d, 2), before + 2);
    over(&b, &d);
}
END_TEST

/* A crash while it resumes from PAIR's record, before SOLO's is durable: R22 asks for exactly the epoch of the record, so
 * that two crashes in a row need the operator. */
START_TEST(resumes_once_from_pairs_record)
{
    struct bench b;
    struct disks d;
    pair(&b, &d, SB_HOLD_TWO_MEMORIES, SB_SOLO_DISK, 0);
    disks_kill(&d, 0);
    disks_until(&d, 1, SB_ROLE_SOLO);
    ck_assert_uint_eq(orders(&d, 4), 4);
    b.lost = lose_pair;
    disks_restart(&d, 0, true, false);
    disks_until(&d, 1, SB_ROLE_PAIRING);
    ck_assert_int_eq(disks_record(&d, 1).kind, SB_RECORD_PAIR);
    disks_kill(&d, 0);
    disks_kill(&d, 1);
    b.lost = NULL;
    disks_restart(&d, 1, true, false);
    d.of[1].stuck = true;
    disks_until(&d, 1, SB_ROLE_SOLO);
    disks_kill(&d, 1);
    disks_restart(&d, 1, true, false);
    disks_run(&d, 20 * MS);
    ck_assert_int_eq(b.node[1]->role, SB_ROLE_BOOT);
    disks_kill(&d, 1);
    disks_restart(&d, 1, true, true);
    disks_until(&d, 1, SB_ROLE_SOLO);
    over(&b, &d);
}
END_TEST

/* Wild epochs: the highest that there is, then the dual one behind it, which is 0. */
START_TEST(wild_epochs)
{
    struct bench b;
    struct disks d;
    pair(&b, &d, SB_HOLD_TWO_MEMORIES, SB_SOLO_DISK, 0);
    const uint64_t inc = UINT64_C(1) << 62;
    struct sb_stream s = {.len = 100};
    struct bench_frame f =
        bench_ours(&b, SB_FT_STREAM, UINT64_MAX, inc, SB_NODE_A, 0, &s, sizeof s);
    bench_put(&b, 1, &f);
    b.down[0] = true;
    disks_run(&d, MS);
    ck_assert_int_eq(b.node[1]->role, SB_ROLE_SHADOW);
    ck_assert_uint_eq(b.counters[1][SB_CTR_BAD_HEAD], 1);
    s.to_inc = b.node[1]->inc;
    f = bench_ours(&b, SB_FT_STREAM, 0, inc, SB_NODE_A, 0, &s, sizeof s);
    bench_put(&b, 1, &f);
    disks_run(&d, MS);
    over(&b, &d);
}
END_TEST

/* Policy witness, and the shadow dies: SOLOOK both grants and registers, so that LIVE, which opens the log, is not said. */
START_TEST(a_primary_left_alone_on_the_witness)
{
    struct bench b;
    struct disks d;
    pair(&b, &d, SB_HOLD_TWO_MEMORIES, SB_SOLO_WITNESS, 1u << 13);
    ck_assert_uint_eq(orders(&d, 2), 2);
    disks_kill(&d, 1);
    disks_until(&d, 0, SB_ROLE_SOLO);
    disks_run(&d, 30 * MS);
    ck_assert_uint_eq(orders(&d, 2), 4);
    over(&b, &d);
}
END_TEST

/* The witness restarts while BOOT takes what it kept: W7 voids the grant. */
START_TEST(a_new_witness_voids_what_is_being_taken)
{
    struct bench b;
    struct disks d;
    pair(&b, &d, SB_HOLD_TWO_MEMORIES, SB_SOLO_WITNESS, 1u << 13);
    d.of[1].stuck = true;
    disks_kill(&d, 0);
    disks_until(&d, 1, SB_ROLE_SOLO);
    ck_assert_uint_eq(orders(&d, 200), 200);
    disks_kill(&d, 1);
    disks_restart(&d, 1, true, false);
    while (b.node[1]->taking_epoch == 0)
        disks_step(&d);
    bench_start_witness(&b);
    disks_run(&d, 30 * MS);
    ck_assert_uint_eq(b.node[1]->taking_epoch, 0);
    over(&b, &d);
}
END_TEST

/* A stream of a former solo epoch reaches a node that has just started, while the witness still binds the pair by a grant of
 * its earlier life: it joins, and the grant is given back all the same. */
START_TEST(joins_by_an_old_stream)
{
    struct bench b;
    struct disks d;
    pair(&b, &d, SB_HOLD_TWO_MEMORIES, SB_SOLO_DISK, 0);
    disks_kill(&d, 0);
    disks_until(&d, 1, SB_ROLE_SOLO);
    const uint64_t solo = b.node[1]->epoch;
    disks_run(&d, MS);
    disks_restart(&d, 0, true, false);
    disks_until_pair(&d, 1);
    b.down[1] = true;
    while (b.node[0]->arm != SB_ARM_ARMED)
        disks_step(&d);
    disks_kill(&d, 0);
    b.down[1] = false;
    disks_restart(&d, 0, true, false);
    const struct sb_stream s = {.len = b.node[1]->log.len};
    const struct bench_frame f =
        bench_ours(&b, SB_FT_STREAM, solo, b.node[1]->inc, SB_NODE_B, 0, &s, sizeof s);
    bench_poll(&b, 0, &f);
    ck_assert_int_eq(b.node[0]->role, SB_ROLE_CATCH);
    ck_assert_int_eq(b.witness.state, SB_W_ARMED);
    disks_until_pair(&d, 1);
    over(&b, &d);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("replica-rejoin-faults");
    TCase *tc = tcase_create("faults");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, nobody_joins_the_witness);
    tcase_add_test(tc, a_granted_primary_is_reminded_each_time);
    tcase_add_test(tc, a_joiner_refused_while_pair_is_written);
    tcase_add_test(tc, joins_from_memory_beyond_the_lag);
    tcase_add_test(tc, a_lost_journal_is_not_resumed_from);
    tcase_add_test(tc, a_lost_journal_does_not_silence_an_owner);
    tcase_add_test(tc, no_record_without_a_journal);
    tcase_add_test(tc, an_old_force_does_nothing);
    tcase_add_test(tc, the_log_leaves_by_the_witness_port);
    tcase_add_test(tc, two_disks_also_when_pairing);
    tcase_add_test(tc, pairing_goes_on_when_its_joiner_differs);
    tcase_add_test(tc, resumes_once_from_pairs_record);
    tcase_add_test(tc, wild_epochs);
    tcase_add_test(tc, a_primary_left_alone_on_the_witness);
    tcase_add_test(tc, a_new_witness_voids_what_is_being_taken);
    tcase_add_test(tc, joins_by_an_old_stream);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
