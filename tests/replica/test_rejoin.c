/* test_rejoin.c: a pair that becomes whole again: what must hold an input before its outputs leave, restart from the journal,
 * rejoin, the witness's log, the operator's word, a planned switch. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/replica/disk.h"

enum { MS = 1000000 };

static void journaled(struct sb_config *c)
{
    memcpy(c->journal_dir, "/j", 3); /* for the settings; the disks are the test's */
}

static struct bench b;
static struct disks d;

static void pair(enum sb_hold_setting hold, enum sb_solo_policy solo, uint32_t witness_lines)
{
    bench_pair(&b, journaled);
    b.config.hold = hold;
    b.config.solo_policy = solo;
    b.config.witness_log_lines = witness_lines;
    bench_start_witness(&b); /* with room for a log */
    disks_open(&d, &b);
    b.node[0]->setup.journal = b.node[1]->setup.journal = true;
    disks_run(&d, 20 * MS);
    ck_assert_int_eq(b.witness.state, SB_W_DUAL);
    ck_assert_uint_eq(disks_durable_n(&d, 0), b.node[0]->log.len);
}

static void over(void)
{
    disks_close(&d);
    bench_close(&b);
}

/* Orders that all nodes get; how many are accepted by then. */
static uint32_t orders(uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        bench_order(&b, i % 2 == 0 ? 'B' : 'S', 10000);
        disks_step(&d);
    }
    disks_run(&d, MS);
    return bench_answers(&b, 'A');
}

/* --- what must hold an input ------------------------------------------------------------------- */

START_TEST(two_disks_means_two_disks)
{
    pair(SB_HOLD_TWO_DISKS, SB_SOLO_DISK, 0);
    ck_assert_uint_eq(orders(2), 2);
    d.of[1].stuck = true;
    ck_assert_uint_eq(orders(2), 2);
    ck_assert_uint_eq(b.node[0]->acked_verified, b.node[0]->log.len);
    d.of[1].stuck = false;
    ck_assert_uint_eq(orders(0), 4);
    d.of[0].stuck = true;
    ck_assert_uint_eq(orders(2), 4);
    d.of[0].stuck = false;
    ck_assert_uint_eq(orders(0), 6);
    ck_assert_uint_eq(b.node[0]->peer_durable_n, b.node[0]->log.len);
}
END_TEST

START_TEST(memory_and_disk_means_any_one_disk)
{
    pair(SB_HOLD_MEMORY_AND_DISK, SB_SOLO_DISK, 0);
    d.of[0].stuck = true;
    ck_assert_uint_eq(orders(2), 2);
    d.of[0].stuck = false;
    disks_run(&d, MS);
    d.of[1].stuck = true;
    ck_assert_uint_eq(orders(2), 4);
    d.of[0].stuck = true;
    ck_assert_uint_eq(orders(2), 4);
    b.lost = bench_lose_acks; /* a disk is no substitute for the shadow's memory */
    d.of[0].stuck = d.of[1].stuck = false;
    disks_run(&d, MS);
    ck_assert_uint_le(bench_answers(&b, 'A'), 6);
    const uint32_t before = bench_answers(&b, 'A');
    ck_assert_uint_eq(orders(2), before);
}
END_TEST

START_TEST(two_memories_waits_for_no_disk)
{
    pair(SB_HOLD_TWO_MEMORIES, SB_SOLO_DISK, 0);
    d.of[0].stuck = d.of[1].stuck = true;
    ck_assert_uint_eq(orders(4), 4);
}
END_TEST

/* R3: the inputs of the dual epoch leave at once, later ones with the record and their own durability. */
START_TEST(alone_on_its_disk)
{
    pair(SB_HOLD_TWO_MEMORIES, SB_SOLO_DISK, 0);
    b.lost = bench_lose_acks;
    ck_assert_uint_eq(orders(2), 0); /* the shadow has them, the primary does not know */
    d.of[1].stuck = true;
    b.lost = NULL;
    disks_kill(&d, 0);
    disks_until(&d, 1, SB_ROLE_SOLO);
    disks_run(&d, MS);
    ck_assert_uint_eq(bench_answers(&b, 'A'), 2);
    ck_assert_uint_eq(orders(2), 2);
    /* R13: nobody hears of an epoch that could be disclaimed. */
    const uint64_t beats = b.counters[1][SB_CTR_HEARTBEATS];
    disks_run(&d, MS);
    ck_assert_uint_eq(b.counters[1][SB_CTR_HEARTBEATS], beats);
    d.of[1].stuck = false;
    ck_assert_uint_eq(orders(0), 4);
    ck_assert_int_eq(disks_record(&d, 1).kind, SB_RECORD_SOLO);
    ck_assert_uint_gt(b.counters[1][SB_CTR_HEARTBEATS], beats);
}
END_TEST

/* What was promised two disks does not leave on two memories, one of them gone. */
START_TEST(alone_a_stricter_promise_is_kept)
{
    pair(SB_HOLD_TWO_DISKS, SB_SOLO_DISK, 0);
    d.of[1].stuck = true;
    ck_assert_uint_eq(orders(2), 0);
    disks_kill(&d, 0);
    disks_until(&d, 1, SB_ROLE_SOLO);
    disks_run(&d, MS);
    ck_assert_uint_eq(bench_answers(&b, 'A'), 0);
    d.of[1].stuck = false;
    disks_run(&d, MS);
    ck_assert_uint_eq(bench_answers(&b, 'A'), 2);
}
END_TEST

START_TEST(alone_and_halted)
{
    pair(SB_HOLD_TWO_MEMORIES, SB_SOLO_HALT, 0);
    ck_assert_uint_eq(orders(2), 2);
    disks_kill(&d, 0);
    disks_until(&d, 1, SB_ROLE_SOLO);
    const uint64_t len = b.node[1]->log.len;
    ck_assert_uint_eq(orders(2), 2);
    ck_assert_uint_eq(b.node[1]->log.len, len);
    disks_restart(&d, 0, true, false);
    disks_until_pair(&d, 1);
    b.next_message -= 2; /* the client sends them again */
    b.next_key -= 2;
    ck_assert_uint_eq(orders(2), 4);
}
END_TEST

/* --- whole again -------------------------------------------------------------------------------- */

START_TEST(again_and_again)
{
    pair(SB_HOLD_TWO_MEMORIES, SB_SOLO_DISK, 0);
    uint32_t sent = 0;
    for (uint8_t round = 0; round < 6; round++) {
        const uint8_t dies = round % 2, lives = 1 - dies;
        ck_assert_uint_eq(orders(10), sent += 10);
        disks_kill(&d, dies);
        disks_until(&d, lives, SB_ROLE_SOLO);
        ck_assert_uint_eq(orders(10), sent += 10);
        disks_restart(&d, dies, true, false);
        disks_until_pair(&d, lives);
        ck_assert_uint_eq(b.node[0]->digest, b.node[1]->digest);
        ck_assert_int_eq(disks_record(&d, dies).kind, SB_RECORD_JOIN);
        ck_assert_int_eq(disks_record(&d, lives).kind, SB_RECORD_PAIR);
        ck_assert_uint_eq(d.of[dies].lineage, b.node[dies]->inc);
    }
    ck_assert_uint_eq(b.node[0]->epoch, 7u << 2);
    ck_assert_uint_eq(sb_engine_state_digest(b.node[0]->engine),
                      sb_engine_state_digest(b.node[1]->engine));
}
END_TEST

/* A node that was fenced, not killed, joins in place; one with a new disk, too; orders go on meanwhile. */
START_TEST(joins_without_its_journal)
{
    pair(SB_HOLD_TWO_MEMORIES, SB_SOLO_DISK, 0);
    ck_assert_uint_eq(orders(3), 3);
    b.down[0] = true; /* stands still */
    disks_until(&d, 1, SB_ROLE_SOLO);
    const uint64_t inc = b.node[0]->inc;
    b.down[0] = false;
    disks_until_pair(&d, 1);
    ck_assert_uint_gt(b.node[0]->inc, inc);
    disks_kill(&d, 0);
    disks_until(&d, 1, SB_ROLE_SOLO);
    disks_restart(&d, 0, false, false);
    ck_assert_uint_eq(orders(20), 23);
    disks_until_pair(&d, 1);
    ck_assert_uint_eq(orders(3), 26);
    ck_assert_uint_eq(b.node[1]->released, b.node[0]->log.len);
}
END_TEST

/* Where the owner's journal cannot be copied, its memory is. */
START_TEST(joins_from_memory)
{
    pair(SB_HOLD_TWO_MEMORIES, SB_SOLO_MEMORY, 0);
    ck_assert_uint_eq(orders(200), 200);
    disks_kill(&d, 0);
    disks_until(&d, 1, SB_ROLE_SOLO);
    d.of[1].no_copy = true;
    disks_restart(&d, 0, false, false);
    disks_until_pair(&d, 1);
    ck_assert_uint_eq(b.node[0]->log.len, b.node[1]->log.len);
}
END_TEST

/* R15: what leaves waits for a joiner that is near, and no longer than that is heard. */
START_TEST(a_joiner_that_dies_does_not_stop_its_owner)
{
    pair(SB_HOLD_TWO_MEMORIES, SB_SOLO_DISK, 0);
    disks_kill(&d, 0);
    disks_until(&d, 1, SB_ROLE_SOLO);
    ck_assert_uint_eq(orders(2), 2);
    disks_restart(&d, 0, true, false);
    b.lost = bench_lose_acks;
    disks_until(&d, 0, SB_ROLE_CATCH);
    ck_assert_uint_eq(orders(2), 4);
    b.lost = NULL;
    while (b.node[1]->role == SB_ROLE_SOLO)
        disks_step(&d);
    ck_assert_int_eq(b.node[1]->role, SB_ROLE_PAIRING);
    disks_kill(&d, 0); /* before it knows */
    disks_until(&d, 1, SB_ROLE_PRIM);
    disks_until(&d, 1, SB_ROLE_SOLO);
    ck_assert_uint_eq(b.node[1]->epoch, 2u << 2 | SB_EPOCH_P);
    ck_assert_uint_eq(orders(2), 6);
    disks_restart(&d, 0, true, false);
    disks_until_pair(&d, 1);
}
END_TEST

/* A joiner whose engine makes something else of the same inputs is refused, and its owner goes on. */
START_TEST(a_joiner_that_differs_is_refused)
{
    pair(SB_HOLD_TWO_MEMORIES, SB_SOLO_DISK, 0);
    disks_kill(&d, 0);
    disks_until(&d, 1, SB_ROLE_SOLO);
    ck_assert_uint_eq(orders(4), 4);
    disks_restart(&d, 0, true, false);
    while (b.node[0]->applied < 6)
        disks_step(&d);
    b.node[0]->digest ^= 1; /* of what it acks */
    ck_assert_int_eq(b.node[1]->role, SB_ROLE_SOLO);
    disks_run(&d, 5 * MS);
    ck_assert_int_eq(b.node[1]->role, SB_ROLE_SOLO);
    ck_assert_int_eq(b.node[0]->role, SB_ROLE_DIVERGED);
    ck_assert_uint_eq(orders(4), 8);
}
END_TEST

/* --- restart ------------------------------------------------------------------------------------- */

/* R22: the solo owner goes on from its journal, and clients get what they had not. */
START_TEST(resumes)
{
    pair(SB_HOLD_TWO_MEMORIES, SB_SOLO_DISK, 0);
    disks_kill(&d, 0);
    disks_until(&d, 1, SB_ROLE_SOLO);
    ck_assert_uint_eq(orders(4), 4);
    const uint64_t len = b.node[1]->log.len, state = sb_engine_state_digest(b.node[1]->engine);
    disks_kill(&d, 1);
    disks_restart(&d, 1, true, false);
    ck_assert_int_eq(b.node[1]->role, SB_ROLE_BOOT);
    disks_until(&d, 1, SB_ROLE_SOLO);
    ck_assert_uint_eq(b.node[1]->epoch, 2u << 2 | SB_EPOCH_R);
    ck_assert_uint_eq(b.node[1]->log.len, len);
    ck_assert_uint_eq(sb_engine_state_digest(b.node[1]->engine), state);
    ck_assert_uint_eq(b.counters[1][SB_CTR_RESUMED], 1);
    ck_assert_uint_eq(orders(4), 8);
    disks_restart(&d, 0, true, false);
    disks_until_pair(&d, 1);
    ck_assert_uint_eq(orders(4), 12);
}
END_TEST

/* R23: granted, and dead before it used the grant: the primary gets it back. */
START_TEST(disclaims)
{
    pair(SB_HOLD_TWO_MEMORIES, SB_SOLO_DISK, 0);
    ck_assert_uint_eq(orders(2), 2);
    d.of[1].stuck = true;
    b.down[0] = true; /* stands still for a while */
    disks_until(&d, 1, SB_ROLE_SOLO);
    disks_run(&d, MS);
    ck_assert_int_eq(b.witness.state, SB_W_SOLO);
    disks_kill(&d, 1); /* without its record */
    b.down[0] = false;
    disks_run(&d, 10 * MS);
    ck_assert_int_eq(b.node[0]->role, SB_ROLE_PRIM); /* and cannot go alone */
    disks_restart(&d, 1, true, false);
    disks_until(&d, 0, SB_ROLE_SOLO);
    ck_assert_uint_eq(b.node[0]->epoch, 4 | SB_EPOCH_P);
    disks_until_pair(&d, 0);
    ck_assert_uint_eq(orders(2), 4);
}
END_TEST

/* A journal that is not there is no proof that the grant was not used. */
START_TEST(does_not_disclaim_with_another_disk)
{
    pair(SB_HOLD_TWO_MEMORIES, SB_SOLO_DISK, 0);
    b.down[0] = true;
    disks_until(&d, 1, SB_ROLE_SOLO);
    ck_assert_uint_eq(orders(2), 2); /* used it, with its record */
    disks_kill(&d, 1);
    b.down[0] = false;
    disks_restart(&d, 1, false, false);
    disks_run(&d, 30 * MS);
    ck_assert_int_eq(b.node[1]->role, SB_ROLE_BOOT);
    ck_assert_int_eq(b.node[0]->role, SB_ROLE_PRIM);
    ck_assert_int_eq(b.witness.state, SB_W_SOLO);
    ck_assert_uint_eq(orders(1), 2);
}
END_TEST

/* Policy MEMORY: an owner used its grant without a record. */
START_TEST(neither_resumes_nor_disclaims_on_memory)
{
    pair(SB_HOLD_TWO_MEMORIES, SB_SOLO_MEMORY, 0);
    disks_kill(&d, 0);
    disks_until(&d, 1, SB_ROLE_SOLO);
    ck_assert_uint_eq(orders(2), 2);
    disks_kill(&d, 1);
    disks_restart(&d, 0, true, false);
    disks_restart(&d, 1, true, false);
    disks_run(&d, 30 * MS);
    ck_assert_int_eq(b.node[0]->role, SB_ROLE_BOOT);
    ck_assert_int_eq(b.node[1]->role, SB_ROLE_BOOT);
}
END_TEST

/* R24, R25: both lost their power in a dual epoch. Nobody goes on by itself; the operator chooses. */
START_TEST(forced_after_a_power_cut)
{
    pair(SB_HOLD_TWO_DISKS, SB_SOLO_DISK, 0);
    ck_assert_uint_eq(orders(4), 4);
    disks_kill(&d, 0);
    disks_kill(&d, 1);
    disks_restart(&d, 0, true, false);
    disks_restart(&d, 1, true, false);
    disks_run(&d, 30 * MS);
    ck_assert_int_eq(b.node[0]->role, SB_ROLE_BOOT);
    ck_assert_int_eq(b.node[1]->role, SB_ROLE_BOOT);
    ck_assert_uint_eq(b.node[0]->log.len, b.node[1]->log.len);
    ck_assert_uint_eq(b.counters[1][SB_CTR_LOG_LEN], b.node[1]->log.len);
    disks_kill(&d, 0);
    disks_kill(&d, 1);
    disks_restart(&d, 1, true, true);
    disks_until(&d, 1, SB_ROLE_SOLO);
    ck_assert_uint_eq(b.node[1]->epoch, 2u << 2 | SB_EPOCH_R);
    ck_assert_uint_eq(b.counters[1][SB_CTR_FORCED], 0); /* the witness took it */
    disks_restart(&d, 0, true, false);
    disks_until_pair(&d, 1);
    ck_assert_uint_eq(orders(4), 8);
}
END_TEST

START_TEST(forced_without_a_witness)
{
    pair(SB_HOLD_TWO_MEMORIES, SB_SOLO_DISK, 0);
    ck_assert_uint_eq(orders(4), 4);
    disks_kill(&d, 0);
    disks_kill(&d, 1);
    b.down[BENCH_W] = true;
    disks_restart(&d, 0, true, true);
    disks_run(&d, 30 * MS);
    ck_assert_int_eq(b.node[0]->role, SB_ROLE_BOOT);
    for (int i = 0; i < 30; i++) {
        b.now_ns += 100 * MS;
        disks_step(&d);
    }
    ck_assert_int_eq(b.node[0]->role, SB_ROLE_SOLO);
    ck_assert_uint_eq(b.counters[0][SB_CTR_FORCED], 1);
    ck_assert_uint_eq(orders(2), 6);
}
END_TEST

/* A solo owner that hears of a later one has been passed over by the operator: it stops at once. */
START_TEST(an_owner_that_was_passed_over_halts)
{
    pair(SB_HOLD_TWO_MEMORIES, SB_SOLO_DISK, 0);
    disks_kill(&d, 0);
    disks_until(&d, 1, SB_ROLE_SOLO);
    disks_run(&d, MS);
    b.down[1] = true; /* not off, as the operator thinks */
    disks_restart(&d, 0, true, true);
    disks_until(&d, 0, SB_ROLE_SOLO);
    disks_run(&d, MS);
    b.down[1] = false;
    disks_run(&d, 5 * MS);
    ck_assert_int_eq(b.node[1]->role, SB_ROLE_HALTED);
    const uint32_t sent = b.client.n;
    orders(2);
    for (uint32_t i = sent; i < b.client.n; i++)
        ck_assert_uint_eq(b.client.frames[i].from, 0);
}
END_TEST

/* --- the witness's log ---------------------------------------------------------------------------- */

/* W1, W7: released on the witness's word, not on the disk's; and there after the crash. */
START_TEST(alone_on_the_witness)
{
    pair(SB_HOLD_TWO_MEMORIES, SB_SOLO_WITNESS, 1u << 13);
    ck_assert_uint_eq(orders(2), 2);
    d.of[1].stuck = true;
    disks_kill(&d, 0);
    disks_until(&d, 1, SB_ROLE_SOLO);
    ck_assert_uint_eq(orders(200), 202);
    const uint64_t len = b.node[1]->log.len, state = sb_engine_state_digest(b.node[1]->engine);
    ck_assert_uint_eq(b.node[1]->logged_n, len);
    ck_assert_uint_lt(disks_durable_n(&d, 1), len - 190);
    disks_kill(&d, 1);
    disks_restart(&d, 1, true, false);
    ck_assert_uint_lt(b.node[1]->log.len, len - 190);
    disks_until(&d, 1, SB_ROLE_SOLO);
    ck_assert_uint_eq(b.node[1]->log.len, len);
    ck_assert_uint_eq(sb_engine_state_digest(b.node[1]->engine), state);
    ck_assert_uint_eq(orders(2), 204);
    disks_restart(&d, 0, true, false);
    disks_until_pair(&d, 1);
    ck_assert_uint_eq(orders(2), 206);
}
END_TEST

/* Nothing leaves while the witness does not answer; a new one is given what is not durable. */
START_TEST(the_witness_that_keeps_the_log_restarts)
{
    pair(SB_HOLD_TWO_MEMORIES, SB_SOLO_WITNESS, 1u << 13);
    d.of[1].stuck = true;
    disks_kill(&d, 0);
    disks_until(&d, 1, SB_ROLE_SOLO);
    ck_assert_uint_eq(orders(10), 10);
    b.down[BENCH_W] = true;
    ck_assert_uint_eq(orders(10), 10);
    b.down[BENCH_W] = false;
    bench_start_witness(&b);
    disks_run(&d, 30 * MS);
    ck_assert_uint_eq(bench_answers(&b, 'A'), 20);
    ck_assert_uint_eq(b.witness.log.log.len, b.node[1]->log.len);
    /* What becomes durable at its owner makes room. */
    d.of[1].stuck = false;
    disks_run(&d, MS);
    ck_assert_uint_eq(b.witness.log.base, b.node[1]->log.len);
}
END_TEST

/* W6: a journal of another lineage, or one that ends before the witness's log begins, is not gone on with. */
START_TEST(the_witness_refuses_another_journal)
{
    pair(SB_HOLD_TWO_MEMORIES, SB_SOLO_WITNESS, 1u << 13);
    disks_kill(&d, 0);
    disks_until(&d, 1, SB_ROLE_SOLO);
    ck_assert_uint_eq(orders(10), 10);
    disks_kill(&d, 1);
    d.of[1].durable = d.of[1].n = 2; /* its disk lied */
    disks_restart(&d, 1, true, false);
    disks_run(&d, 30 * MS);
    ck_assert_int_eq(b.node[1]->role, SB_ROLE_BOOT);
    ck_assert_int_eq(b.witness.state, SB_W_SOLO);
}
END_TEST

/* --- versions ------------------------------------------------------------------------------------- */

static uint64_t version_of(uint32_t node)
{
    return b.counters[node][SB_CTR_FRAME_VERSION];
}

/* One after the other: the shadow, the switch, the former primary. Later frames are written once all read them. */
START_TEST(upgraded_one_by_one)
{
    pair(SB_HOLD_TWO_MEMORIES, SB_SOLO_DISK, 0);
    b.witness.own.max = SB_FRAME_VERSION + 1; /* the witness first */
    ck_assert_uint_eq(orders(2), 2);
    b.versions[1] = (struct sb_versions){SB_FRAME_VERSION, SB_FRAME_VERSION + 1};
    disks_kill(&d, 1);
    disks_until(&d, 0, SB_ROLE_SOLO);
    disks_restart(&d, 1, true, false);
    disks_until_pair(&d, 0);
    ck_assert_uint_eq(version_of(0), SB_FRAME_VERSION);
    ck_assert_uint_eq(version_of(1), SB_FRAME_VERSION);
    ck_assert_uint_eq(orders(2), 4);
    sb_node_hand_over(b.node[0]);
    disks_until_pair(&d, 1);
    ck_assert_uint_eq(orders(2), 6);
    ck_assert_uint_eq(version_of(1), SB_FRAME_VERSION);
    b.versions[0] = b.versions[1];
    disks_kill(&d, 0);
    disks_until(&d, 1, SB_ROLE_SOLO);
    disks_restart(&d, 0, true, false);
    disks_until_pair(&d, 1);
    disks_run(&d, 30 * MS);
    ck_assert_uint_eq(version_of(0), SB_FRAME_VERSION + 1);
    ck_assert_uint_eq(version_of(1), SB_FRAME_VERSION + 1);
    ck_assert_uint_eq(orders(2), 8);
    ck_assert_uint_eq(b.counters[0][SB_CTR_BAD_VERSION] + b.counters[1][SB_CTR_BAD_VERSION] +
                          b.counters[BENCH_W][SB_CTR_BAD_VERSION],
                      0);
}
END_TEST

/* No version in common: the joiner stays outside, the owner goes on. */
START_TEST(a_version_too_far)
{
    pair(SB_HOLD_TWO_MEMORIES, SB_SOLO_DISK, 0);
    b.versions[1] = (struct sb_versions){SB_FRAME_VERSION + 1, SB_FRAME_VERSION + 2};
    disks_kill(&d, 1);
    disks_until(&d, 0, SB_ROLE_SOLO);
    disks_restart(&d, 1, true, false);
    disks_run(&d, 20 * MS);
    ck_assert_int_eq(b.node[1]->role, SB_ROLE_BOOT);
    ck_assert_uint_gt(b.counters[1][SB_CTR_BAD_VERSION], 0);
    ck_assert_uint_eq(version_of(1), 0);
    ck_assert_int_eq(b.node[0]->role, SB_ROLE_SOLO);
    ck_assert_uint_eq(orders(2), 2);
    b.versions[1] = (struct sb_versions){0, 0};
    disks_kill(&d, 1);
    disks_restart(&d, 1, true, false);
    disks_until_pair(&d, 0);
}
END_TEST

/* --- planned switch ------------------------------------------------------------------------------- */

START_TEST(hands_over)
{
    pair(SB_HOLD_TWO_MEMORIES, SB_SOLO_DISK, 0);
    ck_assert_uint_eq(orders(4), 4);
    for (uint32_t i = 0; i < 4; i++)
        bench_order(&b, 'B', 10000);
    disks_step(&d);
    sb_node_hand_over(b.node[0]);
    const uint64_t asked_ns = b.now_ns;
    while (b.node[1]->role != SB_ROLE_SOLO) {
        bench_order(&b, 'B', 10000);
        disks_step(&d);
        ck_assert_uint_lt(b.now_ns, asked_ns + MS);
    }
    ck_assert_uint_lt(b.now_ns - asked_ns,
                      b.config.suspect_after_ns); /* nobody waited for silence */
    const uint32_t sent = b.next_key - 1;
    disks_until_pair(&d, 1); /* the former primary is the shadow now */
    ck_assert_uint_eq(bench_answers(&b, 'A'), sent);
    ck_assert_uint_eq(orders(4), sent + 4);
    sb_node_hand_over(b.node[1]);
    disks_until_pair(&d, 0);
    ck_assert_uint_eq(orders(4), sent + 8);
}
END_TEST

START_TEST(hand_over_is_given_up_without_a_shadow)
{
    pair(SB_HOLD_TWO_DISKS, SB_SOLO_DISK, 0);
    d.of[1].stuck = true; /* acks, but what was taken cannot be answered */
    orders(2);
    sb_node_hand_over(b.node[0]);
    for (int i = 0; i < 1200; i++) {
        b.now_ns += 90000;
        disks_step(&d);
    }
    ck_assert_int_eq(b.node[0]->role, SB_ROLE_PRIM);
    for (int i = 0; i < 12000; i++) {
        b.now_ns += 90000;
        disks_step(&d);
    }
    ck_assert(!b.node[0]->handing_over);
    d.of[1].stuck = false;
    const uint64_t len = b.node[0]->log.len;
    b.client.n = 0;
    bench_order(&b, 'B', 10000);
    disks_run(&d, MS);
    ck_assert_uint_eq(b.node[0]->released, len + 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("replica-rejoin");
    TCase *tc = tcase_create("rejoin");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, NULL, over);
    tcase_add_test(tc, two_disks_means_two_disks);
    tcase_add_test(tc, memory_and_disk_means_any_one_disk);
    tcase_add_test(tc, two_memories_waits_for_no_disk);
    tcase_add_test(tc, alone_on_its_disk);
    tcase_add_test(tc, alone_a_stricter_promise_is_kept);
    tcase_add_test(tc, alone_and_halted);
    tcase_add_test(tc, again_and_again);
    tcase_add_test(tc, joins_without_its_journal);
    tcase_add_test(tc, joins_from_memory);
    tcase_add_test(tc, a_joiner_that_dies_does_not_stop_its_owner);
    tcase_add_test(tc, a_joiner_that_differs_is_refused);
    tcase_add_test(tc, resumes);
    tcase_add_test(tc, disclaims);
    tcase_add_test(tc, does_not_disclaim_with_another_disk);
    tcase_add_test(tc, neither_resumes_nor_disclaims_on_memory);
    tcase_add_test(tc, forced_after_a_power_cut);
    tcase_add_test(tc, forced_without_a_witness);
    tcase_add_test(tc, an_owner_that_was_passed_over_halts);
    tcase_add_test(tc, alone_on_the_witness);
    tcase_add_test(tc, the_witness_that_keeps_the_log_restarts);
    tcase_add_test(tc, the_witness_refuses_another_journal);
    tcase_add_test(tc, upgraded_one_by_one);
    tcase_add_test(tc, a_version_too_far);
    tcase_add_test(tc, hands_over);
    tcase_add_test(tc, hand_over_is_given_up_without_a_shadow);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
