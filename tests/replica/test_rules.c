/* test_rules.c: two nodes whose engines have other rules do not become a pair, whichever way they meet; nor does a node go on with
 * an earlier life's log of other rules. Nothing of such a log is applied, acked or compared: its owner goes on. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/replica/disk.h"

enum { MS = 1000000, OTHER = SB_ENGINE_RULES + 1 };

static struct bench b;
static struct disks d;

/* Took nothing, says why, and is done. */
static void expect_refused(uint8_t node)
{
    const struct sb_node *n = b.node[node];
    ck_assert(b.done[node]);
    ck_assert_uint_eq(sb_node_differs(n), 1);
    ck_assert_uint_eq(sb_node_log_rules(n), SB_ENGINE_RULES);
    ck_assert_uint_eq(n->log.len, 0);
    ck_assert_uint_eq(sb_engine_applied(n->engine), 0);
    ck_assert_uint_ge(b.counters[node][SB_CTR_OTHER_RULES], 1);
    ck_assert_uint_eq(b.counters[node][SB_CTR_DIGEST_DIFFERENT], 0);
    b.down[node] = true;
}

/* --- a new day ------------------------------------------------------------------------------------ */

START_TEST(a_new_day_does_not_begin)
{
    const uint8_t odd = (uint8_t)_i;
    bench_open(&b);
    b.rules[odd] = OTHER;
    bench_start(&b, odd, true);
    bench_run(&b, 20 * MS);
    for (uint8_t i = 0; i < 2; i++) {
        ck_assert_int_eq(b.node[i]->role, SB_ROLE_BOOT);
        ck_assert_uint_eq(b.node[i]->log.len, 0);
        ck_assert_uint_eq(sb_node_differs(b.node[i]), 0);
        ck_assert_uint_eq(sb_node_peer_rules(b.node[i]), i == odd ? SB_ENGINE_RULES : OTHER);
        ck_assert_uint_ge(b.counters[i][SB_CTR_OTHER_RULES], 2);
        ck_assert(!b.done[i]);
    }
    ck_assert_int_eq(b.witness.state, SB_W_UNSET);
    b.rules[odd] = 0; /* the program that it should have been */
    bench_start(&b, odd, true);
    bench_run(&b, 20 * MS);
    ck_assert_int_eq(b.node[0]->role, SB_ROLE_PRIM);
    ck_assert_int_eq(b.node[1]->role, SB_ROLE_SHADOW);
    ck_assert_uint_ge(b.node[0]->released, 4);
    bench_close(&b);
}
END_TEST

/* A DAY from the stream: a shadow that its owner took for one of its kind. */
START_TEST(a_shadow_ends_at_the_day)
{
    bench_open(&b);
    if (_i == 1)
        b.config.release = SB_RELEASE_LOGGED;
    while (b.node[1]->role != SB_ROLE_SHADOW)
        bench_step(&b);
    ck_assert_uint_eq(b.node[1]->log.len, 0);
    b.node[1]->rules = OTHER;
    bench_run(&b, MS);
    expect_refused(1);
    ck_assert_int_eq(b.node[1]->role, SB_ROLE_SHADOW);
    ck_assert_uint_eq(b.counters[1][SB_CTR_WENT_LIVE], 0);
    ck_assert_uint_eq(b.node[0]->released, 0);
    bench_run(&b, 20 * MS);
    ck_assert_int_eq(b.node[0]->role, SB_ROLE_SOLO);
    ck_assert_uint_eq(b.node[0]->released, b.node[0]->log.len);
    ck_assert_uint_eq(b.counters[0][SB_CTR_DIGEST_DIFFERENT], 0);
    bench_close(&b);
}
END_TEST

/* --- journals ------------------------------------------------------------------------------------- */

static void journaled(struct sb_config *c)
{
    memcpy(c->journal_dir, "/j", 3);
}

static void open_journaled(enum sb_solo_policy solo, bool stuck)
{
    bench_pair(&b, journaled);
    b.config.solo_policy = solo;
    b.config.witness_log_lines = solo == SB_SOLO_WITNESS ? 1u << 13 : 0;
    bench_start_witness(&b);
    disks_open(&d, &b);
    d.of[1].stuck = stuck;
    b.node[0]->setup.journal = b.node[1]->setup.journal = true;
    disks_run(&d, 20 * MS);
}

static void over(void)
{
    disks_close(&d);
    bench_close(&b);
}

/* From the owner's stream, or from its journal. */
START_TEST(a_joiner_takes_nothing)
{
    open_journaled(SB_SOLO_DISK, false);
    disks_kill(&d, 1);
    disks_until(&d, 0, SB_ROLE_SOLO);
    disks_run(&d, MS);
    d.of[0].no_copy = _i == 0;
    b.rules[1] = OTHER;
    disks_restart(&d, 1, false, false);
    for (uint32_t i = 0; i < 20 * MS / BENCH_STEP_NS && !b.done[1]; i++)
        disks_step(&d);
    ck_assert_int_eq(b.node[1]->role, SB_ROLE_CATCH);
    expect_refused(1);
    ck_assert_int_eq(b.node[0]->role, SB_ROLE_SOLO);
    const uint32_t before = bench_answers(&b, 'A');
    bench_order(&b, 'B', 10000);
    disks_run(&d, 10 * MS);
    ck_assert_uint_eq(bench_answers(&b, 'A'), before + 1);
    over();
}
END_TEST

/* Its own journal: a restart with another program. The right one goes on. */
START_TEST(a_journal_is_not_gone_on_with)
{
    open_journaled(SB_SOLO_DISK, false);
    disks_kill(&d, 1);
    disks_until(&d, 0, SB_ROLE_SOLO);
    disks_run(&d, MS);
    disks_kill(&d, 0);
    b.rules[0] = OTHER;
    disks_restart(&d, 0, true, _i == 1); /* not by the operator's word either */
    ck_assert_uint_eq(sb_node_differs(b.node[0]), 1);
    disks_step(&d);
    ck_assert_int_eq(b.node[0]->role, SB_ROLE_BOOT);
    expect_refused(0);
    b.rules[0] = 0;
    b.done[0] = false;
    disks_restart(&d, 0, true, false);
    disks_until(&d, 0, SB_ROLE_SOLO);
    ck_assert(!b.done[0]);
    over();
}
END_TEST

/* What only the witness has of it, its first input too. */
START_TEST(what_the_witness_kept_is_not_gone_on_with)
{
    open_journaled(SB_SOLO_WITNESS, true);
    disks_kill(&d, 0);
    disks_until(&d, 1, SB_ROLE_SOLO);
    disks_run(&d, 10 * MS);
    const uint64_t len = b.node[1]->log.len;
    ck_assert_uint_eq(b.node[1]->logged_n, len);
    ck_assert_uint_eq(disks_durable_n(&d, 1), 0);
    disks_kill(&d, 1);
    if (_i == 1)
        b.rules[1] = OTHER;
    disks_restart(&d, 1, true, false);
    for (uint32_t i = 0; i < 20 * MS / BENCH_STEP_NS && !b.done[1]; i++)
        disks_step(&d);
    if (_i == 1)
        expect_refused(1);
    ck_assert_int_eq(b.node[1]->role, _i == 1 ? SB_ROLE_BOOT : SB_ROLE_SOLO);
    ck_assert_uint_eq(b.node[1]->log.len, _i == 1 ? 0 : len);
    over();
}
END_TEST

START_TEST(a_snapshot_is_not_loaded)
{
    bench_open(&b);
    bench_run(&b, 10 * MS);
    const struct sb_engine *e = b.node[0]->engine;
    const size_t bytes = sb_snapshot_bytes(e);
    struct sb_snapshot snapshot = {.bytes = malloc(bytes), .bytes_n = bytes};
    ck_assert_ptr_nonnull(snapshot.bytes);
    sb_snapshot_make(e, snapshot.bytes, bytes);
    ck_assert_ptr_null(sb_snapshot_fault(snapshot.bytes, bytes, &snapshot.head));
    b.rules[1] = OTHER;
    bench_start(&b, 1, false);
    ck_assert_str_eq(sb_node_load_snapshot(b.node[1], &snapshot),
                     "made under other rules of matching");
    bench_step(&b);
    expect_refused(1);
    free(snapshot.bytes);
    bench_close(&b);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("replica-rules");
    TCase *tc = tcase_create("rules");
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, a_new_day_does_not_begin, 0, 2);
    tcase_add_loop_test(tc, a_shadow_ends_at_the_day, 0, 2);
    tcase_add_loop_test(tc, a_joiner_takes_nothing, 0, 2);
    tcase_add_loop_test(tc, a_journal_is_not_gone_on_with, 0, 2);
    tcase_add_loop_test(tc, what_the_witness_kept_is_not_gone_on_with, 0, 2);
    tcase_add_test(tc, a_snapshot_is_not_loaded);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
