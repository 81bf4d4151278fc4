/* test_recovery.c: a snapshot and the journal behind it are the whole journal: at every packet, behind every cut, and with every
 * kind of damage said instead of believed. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "perf/match_log.h"
#include "perf/verbs.h"
#include "tests/recovery/rig.h"

enum { SEEDS = 6 };

static struct rig rig;
static struct sb_recovery recovery;

static uint64_t last(void)
{
    return rig.n[RIG_PACKETS - 1];
}

static void expect_said(const char *words)
{
    ck_assert_msg(strstr(rig.said, words) != NULL, "no \"%s\" in: %s", words, rig.said);
}

/* All of it comes back, from the snapshot behind packet k (RIG_PACKETS: from the beginning). */
static void expect_whole(uint32_t k, bool whole)
{
    int more;
    ck_assert_int_eq(rig_recover(&rig, &recovery, whole), SB_RECOVERY_READY);
    ck_assert_str_eq(rig.said, "");
    ck_assert_uint_eq(recovery.snapshot.head.n, k < RIG_PACKETS ? rig.n[k] : 0);
    ck_assert_uint_eq(recovery.n_estimate, last());
    ck_assert_uint_eq(recovery.shard, rig.journal.shard);
    ck_assert_uint_eq(rig_replay(&rig, &recovery, &more), last());
    ck_assert_int_eq(more, 0);
    ck_assert_int_eq(recovery.found, SB_FOUND_CLOSED);
    expect_said("after input ");
    expect_said(": closed");
    ck_assert_uint_eq(sb_recovery_closed(&recovery)->state_digest, rig.state[RIG_PACKETS - 1]);
    const struct sb_journal_end end = {.segment = 3,
                                       .offset = rig.journal.size[2],
                                       .number = rig.journal.number,
                                       .previous = rig.journal.previous,
                                       .next_n = last() + 1,
                                       .epoch = RIG_SOLO_EPOCH,
                                       .inc = 100,
                                       .owner = {RIG_SOLO_EPOCH, SB_RECORD_SOLO}};
    ck_assert_uint_eq(recovery.end.segment, end.segment);
    ck_assert_uint_eq(recovery.end.offset, end.offset);
    ck_assert_uint_eq(recovery.end.number, end.number);
    ck_assert_uint_eq(recovery.end.previous, end.previous);
    ck_assert_uint_eq(recovery.end.next_n, end.next_n);
    ck_assert_uint_eq(recovery.end.epoch, end.epoch);
    ck_assert_uint_eq(recovery.end.inc, end.inc);
    ck_assert_uint_eq(recovery.end.owner.epoch, end.owner.epoch);
    ck_assert_uint_eq(recovery.end.owner.kind, end.owner.kind);
    sb_recovery_close(&recovery);
}

/* With every snapshot, and with as few segments as it needs. The record stands in the first one. */
START_TEST(from_every_snapshot)
{
    rig_open(&rig, (uint64_t)_i + 1);
    expect_whole(RIG_PACKETS, false);
    for (uint32_t k = 0; k < RIG_PACKETS; k++) {
        rig_restore(&rig);
        rig_snapshot(&rig, k, 0);
        expect_whole(k, false);
        expect_whole(RIG_PACKETS, true);
        for (uint32_t s = 1; s <= (k + 1) / RIG_SEGMENT_PACKETS && s < 3; s++) {
            rig_drop_segment(&rig, s);
            expect_whole(k, false);
        }
    }
    rig_close(&rig);
}
END_TEST

/* The newest of several is taken; one newer than asked for is not. */
START_TEST(the_newest)
{
    rig_open(&rig, 1);
    for (uint32_t k = 2; k < RIG_PACKETS; k += 10)
        rig_snapshot(&rig, k, 0);
    expect_whole(32, false);
    for (uint32_t k = 2; k < RIG_PACKETS; k += 10)
        for (uint64_t at = rig.n[k] - 1; at <= rig.n[k] + 1; at++) {
            const uint64_t expected = at >= rig.n[k] ? rig.n[k] : k == 2 ? 0 : rig.n[k - 10];
            ck_assert_int_eq(sb_recovery_open_at(&recovery, rig.folder, at, stderr),
                             SB_RECOVERY_READY);
            ck_assert_uint_eq(recovery.snapshot.head.n, expected);
            sb_recovery_close(&recovery);
        }
    rig_close(&rig);
}
END_TEST

/* The journal cut to `size` bytes of segment s, with the snapshot behind packet k: recovered as far as whole blocks go, or
 * refused where the snapshot knows more. */
static void judge_cut(uint32_t k, uint32_t s, uint64_t size)
{
    uint32_t whole = 0; /* blocks */
    while (whole < rig.journal.number &&
           (rig.journal.block_at[whole] >> 32 < s ||
            (rig.journal.block_at[whole] >> 32 == s &&
             (uint32_t)rig.journal.block_at[whole] + SB_JOURNAL_ALIGN <= size)))
        whole++;
    const uint64_t n = whole < rig.journal.number ? rig.journal.inputs_before[whole] : last();
    const struct sb_journal_owner owner = {RIG_SOLO_EPOCH, SB_RECORD_SOLO};
    const bool torn = size % SB_JOURNAL_ALIGN != 0;
    int more;
    rig_restore(&rig);
    for (uint32_t i = s + 1; i < 3; i++)
        rig_drop_segment(&rig, i + 1);
    char path[SB_JOURNAL_FILE_BYTES];
    ck_assert_int_eq(truncate(sb_journal_file(path, rig.folder, s + 1), (off_t)size), 0);
    rig_snapshot(&rig, k, 0);
    const enum sb_recovery_opened opened = rig_recover(&rig, &recovery, false);
    if (whole == 0) {
        ck_assert_int_eq(opened, SB_RECOVERY_NOTHING);
        sb_recovery_close(&recovery);
        return;
    }
    ck_assert_int_eq(opened, SB_RECOVERY_READY);
    ck_assert_uint_ge(recovery.n_estimate, n);
    const uint64_t found_n = rig_replay(&rig, &recovery, &more);
    ck_assert_int_eq(more, 0);
    const bool ahead = n < rig.n[k];
    const enum sb_journal_found expected = ahead                         ? SB_FOUND_DAMAGED
                                           : torn                        ? SB_FOUND_TORN
                                           : whole == rig.journal.number ? SB_FOUND_CLOSED
                                                                         : SB_FOUND_OPEN;
    ck_assert_msg(recovery.found == expected, "segment %u cut to %lu, snapshot %u: found %d", s,
                  size, k, (int)recovery.found);
    ck_assert(ahead || found_n == n);
    ck_assert_uint_eq(recovery.end.next_n, n + 1);
    ck_assert_uint_eq(recovery.end.offset, size / SB_JOURNAL_ALIGN * SB_JOURNAL_ALIGN);
    ck_assert_uint_eq(recovery.end.owner.kind, whole > 6 ? owner.kind : SB_RECORD_NONE);
    ck_assert_uint_eq(recovery.end.owner.epoch, whole > 6 ? owner.epoch : 0);
    if (ahead)
        expect_said("DAMAGED");
    sb_recovery_close(&recovery);
}

/* Everything that a cut can lead to, not only every byte of it: each block's end, and three places inside. */
START_TEST(every_cut)
{
    static const uint32_t inside[] = {0, 1, 96, 4095};
    static const uint32_t snapshots[] = {0, 4, 10, 11, 21, 27, 32};
    rig_open(&rig, 3);
    for (uint32_t i = 0; i < sizeof snapshots / sizeof snapshots[0]; i++)
        for (uint32_t s = 0; s < 3; s++)
            for (uint64_t at = 0; at < rig.journal.size[s]; at += SB_JOURNAL_ALIGN)
                for (uint32_t b = 0; b < 4; b++)
                    judge_cut(snapshots[i], s, at + inside[b]);
    rig_close(&rig);
}
END_TEST

/* --- damage -------------------------------------------------------------------------------------------- */

static void flip_bit(const char *path, uint64_t bit)
{
    FILE *f = fopen(path, "r+b");
    ck_assert_ptr_nonnull(f);
    ck_assert_int_eq(fseek(f, (long)(bit / 8), SEEK_SET), 0);
    const int was = fgetc(f);
    ck_assert_int_ge(was, 0);
    ck_assert_int_eq(fseek(f, (long)(bit / 8), SEEK_SET), 0);
    ck_assert_int_ge(fputc(was ^ 1 << bit % 8, f), 0);
    fclose(f);
}

static void open_says(const char *words, uint64_t snapshot_n)
{
    ck_assert_int_eq(rig_recover(&rig, &recovery, false), SB_RECOVERY_READY);
    expect_said(words);
    ck_assert_uint_eq(recovery.snapshot.head.n, snapshot_n);
}

/* A snapshot that cannot be used is said, and the one before it taken. */
START_TEST(the_next_older_snapshot)
{
    char path[SB_SNAPSHOT_PATH_BYTES];
    int more;
    rig_open(&rig, 2);
    rig_snapshot(&rig, 5, 0);
    rig_snapshot(&rig, 20, 0);
    sb_snapshot_file(path, rig.folder, rig.n[20]);
    for (uint64_t bit = 3; bit < rig.snapshot_bytes[20] * 8; bit += 41) {
        flip_bit(path, bit);
        open_says(": damaged snapshot: ", rig.n[5]);
        sb_recovery_close(&recovery);
        flip_bit(path, bit);
    }
    ck_assert_int_eq(truncate(path, 200), 0);
    open_says("not of the length that its head says", rig.n[5]);
    ck_assert_uint_eq(rig_replay(&rig, &recovery, &more), last());
    sb_recovery_close(&recovery);
    rig_snapshot(&rig, 10, rig.n[20]);
    open_says("it is of another input than its name says", rig.n[5]);
    sb_recovery_close(&recovery);
    flip_bit(sb_snapshot_file(path, rig.folder, rig.n[5]), 1000);
    open_says(": damaged snapshot: checksum", 0);
    ck_assert_uint_eq(rig_replay(&rig, &recovery, &more), last());
    ck_assert_int_eq(recovery.found, SB_FOUND_CLOSED);
    sb_recovery_close(&recovery);
    rig_drop_segment(&rig, 1); /* and now nothing is left to begin with */
    ck_assert_int_eq(rig_recover(&rig, &recovery, false), SB_RECOVERY_BAD);
    expect_said("no good snapshot is there from which it goes on");
    sb_recovery_close(&recovery);
    rig_snapshot(&rig, 8, 0); /* nor with one to which the journal does not reach */
    ck_assert_int_eq(rig_recover(&rig, &recovery, false), SB_RECOVERY_BAD);
    expect_said("not used: the journal begins later");
    sb_recovery_close(&recovery);
    rig_close(&rig);
}
END_TEST

/* A snapshot of another day's log, of another flow on the same day, and one whose input does not end a packet. */
START_TEST(snapshots_of_other_logs)
{
    static struct rig other;
    int more;
    rig_open(&rig, 1);
    rig_open(&other, 4);
    ck_assert_uint_eq(other.n[20], rig.n[20]);
    struct sb_snapshot_head *head = (void *)other.snapshots[20];
    rig.snapshots[20] = memcpy(realloc(rig.snapshots[20], other.snapshot_bytes[20]),
                               other.snapshots[20], other.snapshot_bytes[20]);
    rig.snapshot_bytes[20] = other.snapshot_bytes[20];
    rig_snapshot(&rig, 20, 0);
    ck_assert(!sb_engine_limits_equal(&rig.limits, &other.limits));
    ck_assert_uint_eq(head->n, rig.n[20]);
    open_says("not used: it is of another log", 0);
    sb_recovery_close(&recovery);
    rig_close(&other);
    rig_close(&rig);

    /* The same limits, but one digest of the journal's packets is another's. */
    rig_open(&rig, 1);
    rig_snapshot(&rig, 20, 0);
    struct sb_journal_block *b = NULL;
    for (uint32_t i = 0; i < rig.journal.number; i++)
        if (rig.journal.inputs_before[i] == rig.n[19] && b == NULL)
            b = (void *)(rig.journal.bytes[rig.journal.block_at[i] >> 32] +
                         (uint32_t)rig.journal.block_at[i]);
    ck_assert_uint_eq(b->n_first, rig.n[19] + 1);
    ((struct sb_journal_packet *)(void *)(b + 1))->digest ^= 1;
    sb_journal_seal(b);
    rig.journal.size[1] = (uint64_t)((uint8_t *)b - rig.journal.bytes[1]) + SB_JOURNAL_ALIGN;
    rig.journal.segments = 2;
    rig_restore(&rig);
    rig_snapshot(&rig, 20, 0);
    ck_assert_int_eq(rig_recover(&rig, &recovery, false), SB_RECOVERY_READY);
    ck_assert_uint_eq(rig_replay(&rig, &recovery, &more), rig.n[20]);
    ck_assert_int_eq(more, -1);
    expect_said("does not belong to this journal");
    sb_recovery_close(&recovery);
    rig_close(&rig);
}
END_TEST

/* What is lost before the snapshot's segment is not needed; what is lost in it or behind is not gone over. */
START_TEST(a_damaged_journal)
{
    char path[SB_JOURNAL_FILE_BYTES];
    int more;
    rig_open(&rig, 5);
    rig_snapshot(&rig, 15, 0);
    flip_bit(sb_journal_file(path, rig.folder, 1), 8 * 5000);
    expect_whole(15, false);
    ck_assert_int_eq(rig_recover(&rig, &recovery, true), SB_RECOVERY_READY);
    ck_assert_uint_eq(rig_replay(&rig, &recovery, &more), 0);
    ck_assert_int_eq(recovery.found, SB_FOUND_DAMAGED);
    sb_recovery_close(&recovery);
    for (uint64_t at = 0; at < rig.journal.size[1]; at += SB_JOURNAL_ALIGN) {
        rig_restore(&rig);
        rig_snapshot(&rig, 15, 0);
        flip_bit(sb_journal_file(path, rig.folder, 2), 8 * (at + 100));
        const enum sb_recovery_opened opened = rig_recover(&rig, &recovery, false);
        ck_assert_int_eq(opened, SB_RECOVERY_READY);
        const uint64_t n = rig_replay(&rig, &recovery, &more);
        ck_assert_int_eq(recovery.found, SB_FOUND_DAMAGED);
        ck_assert_uint_le(n, rig.n[21]);
        expect_said("DAMAGED");
        sb_recovery_close(&recovery);
    }
    rig_close(&rig);
}
END_TEST

/* A joiner's journal: it begins behind the snapshot that it took over, with its record. */
START_TEST(begun_behind_a_snapshot)
{
    static struct memory joined;
    int more;
    rig_open(&rig, 6);
    joined = rig.journal;
    memory_go_on(&joined, &(const struct sb_journal_end){.segment = 1, .next_n = rig.n[20] + 1});
    memory_segment(&joined);
    for (int record = 0; record < 2; record++) {
        if (record != 0)
            memory_record(&joined, SB_RECORD_JOIN);
        memory_store(&joined, rig.folder);
        rig_snapshot(&rig, 20, 0);
        ck_assert_int_eq(rig_recover(&rig, &recovery, false), SB_RECOVERY_READY);
        ck_assert_str_eq(rig.said, "");
        ck_assert_uint_eq(recovery.n_estimate, rig.n[20]);
        ck_assert_uint_eq(rig_replay(&rig, &recovery, &more), rig.n[20]);
        ck_assert_int_eq(recovery.found, SB_FOUND_OPEN);
        ck_assert_uint_eq(recovery.end.next_n, rig.n[20] + 1);
        ck_assert_uint_eq(recovery.end.owner.kind, record != 0 ? SB_RECORD_JOIN : SB_RECORD_NONE);
        sb_recovery_close(&recovery);
    }
    rig_close(&rig);
}
END_TEST

START_TEST(nothing_here)
{
    char path[128];
    rig_open(&rig, 1);
    snprintf(path, sizeof path, "%s/none", rig.dir);
    ck_assert_int_eq(sb_recovery_open(&recovery, path, false, stderr), SB_RECOVERY_NOTHING);
    sb_recovery_close(&recovery);
    snprintf(path, sizeof path, "%s/999", rig.dir); /* the newest, and empty but for a snapshot */
    ck_assert_int_eq(mkdir(path, 0755), 0);
    char file[SB_SNAPSHOT_PATH_BYTES];
    sb_snapshot_file(file, path, rig.n[3]);
    ck_assert(sb_snapshot_put(file, rig.snapshots[3], rig.snapshot_bytes[3], stderr));
    ck_assert_int_eq(sb_recovery_open(&recovery, rig.dir, false, stderr), SB_RECOVERY_NOTHING);
    sb_recovery_close(&recovery);
    unlink(file);
    rmdir(path);
    ck_assert_int_eq(sb_recovery_open(&recovery, rig.dir, false, stderr), SB_RECOVERY_READY);
    ck_assert_str_eq(recovery.reader.folder, rig.folder);
    sb_recovery_close(&recovery);
    rig_close(&rig);
}
END_TEST

/* --- the verbs --------------------------------------------------------------------------------------------- */

static int snapshot(uint64_t at, const char *more)
{
    char number[24];
    snprintf(number, sizeof number, "%lu", at);
    const char *const argv[] = {"snapshot", "--journal", rig.folder, "--at", number, more};
    return rig_verb(&rig, sb_snapshot_main, more != NULL ? 6 : 5, argv);
}

static void expect_file(uint32_t k)
{
    char path[SB_SNAPSHOT_PATH_BYTES];
    struct sb_snapshot s;
    ck_assert(sb_snapshot_read(&s, sb_snapshot_file(path, rig.folder, rig.n[k]), stderr));
    ck_assert_uint_eq(s.bytes_n, rig.snapshot_bytes[k]);
    ck_assert_mem_eq(s.bytes, rig.snapshots[k], s.bytes_n);
    sb_snapshot_free(&s);
}

/* The verb writes the very bytes, from the beginning and from an older snapshot, at every packet; an input inside of a packet
 * stands for its end. */
START_TEST(the_verb)
{
    char words[96];
    rig_open(&rig, (uint64_t)_i + 1);
    for (uint32_t k = 0; k < RIG_PACKETS; k++) {
        ck_assert_msg(snapshot(rig.n[k] - (k % 8 == 2), NULL) == 0, "%s", rig.said);
        expect_file(k);
        if (k != 0) {
            snprintf(words, sizeof words, "begins with the snapshot behind input %lu\n",
                     rig.n[k - 1]);
            expect_said(words);
        }
        snprintf(words, sizeof words, "state digest %016lx", rig.state[k]);
        expect_said(words);
    }
    rig_restore(&rig);
    ck_assert_int_eq(snapshot(rig.n[7], "--whole"), 0);
    expect_file(7);
    const char *const argv[] = {"snapshot", "--journal", rig.dir};
    ck_assert_int_eq(rig_verb(&rig, sb_snapshot_main, 3, argv), 0);
    expect_file(RIG_PACKETS - 1);
    ck_assert_int_eq(snapshot(last() + 1, NULL), 1);
    expect_said("the journal ends before the input asked for");
    rig_close(&rig);
}
END_TEST

/* A journal whose digests are not this engine's, and one with damage. */
START_TEST(the_verb_refuses)
{
    rig_open(&rig, 1);
    struct sb_journal_block *b = (void *)(rig.journal.bytes[2] + 5 * SB_JOURNAL_ALIGN);
    struct sb_journal_packet *p = (void *)(b + 1);
    p->digest ^= 1;
    sb_journal_seal(b);
    rig.journal.size[2] = 6 * SB_JOURNAL_ALIGN;
    rig_restore(&rig);
    ck_assert_int_eq(snapshot(p->n_first, NULL), 1);
    expect_said("this engine's digest is not the one in the journal");
    ck_assert_int_eq(snapshot(p->n_first - 1, NULL), 0);

    rig_close(&rig);
    rig_open(&rig, 1);
    rig.journal.number--; /* the END record says another state */
    rig.journal.size[2] -= SB_JOURNAL_ALIGN;
    rig.journal.previous =
        ((struct sb_journal_block *)(void *)(rig.journal.bytes[2] + rig.journal.size[2] -
                                             SB_JOURNAL_ALIGN))
            ->hash;
    memory_end(&rig.journal, rig.digest[RIG_PACKETS - 1], 5);
    rig_restore(&rig);
    const char *const argv[] = {"snapshot", "--journal", rig.folder};
    ck_assert_int_eq(rig_verb(&rig, sb_snapshot_main, 3, argv), 1);
    expect_said("the state is not the one that the node had at its end");

    rig.journal.bytes[1][3 * SB_JOURNAL_ALIGN + 200] ^= 1;
    rig_restore(&rig);
    ck_assert_int_eq(rig_verb(&rig, sb_snapshot_main, 3, argv), 1);
    expect_said("DAMAGED");
    const char *const none[] = {"snapshot", "--journal", "/nonexistent"};
    ck_assert_int_eq(rig_verb(&rig, sb_snapshot_main, 3, none), 2);
    ck_assert_int_eq(rig_verb(&rig, sb_snapshot_main, 1, none), 2);
    rig_close(&rig);
}
END_TEST

/* `match --log`: the same end from a snapshot as from the beginning. */
START_TEST(match_from_a_snapshot)
{
    rig_open(&rig, (uint64_t)_i + 1);
    struct sb_match_log_result whole, behind;
    for (uint32_t k = 0; k < RIG_PACKETS; k += 4) {
        rig_restore(&rig);
        rig_snapshot(&rig, k, 0);
        ck_assert(sb_match_log_run(rig.folder, NULL, true, &whole, stderr));
        ck_assert(sb_match_log_run(rig.folder, NULL, false, &behind, stderr));
        ck_assert_uint_eq(whole.snapshot_n, 0);
        ck_assert_uint_eq(behind.snapshot_n, rig.n[k]);
        ck_assert_uint_eq(whole.inputs, last());
        ck_assert_uint_eq(behind.inputs, last() - rig.n[k]);
        ck_assert_uint_eq(behind.state_digest, whole.state_digest);
        ck_assert_uint_eq(behind.state_digest_logged, rig.state[RIG_PACKETS - 1]);
        ck_assert_uint_eq(behind.trades, whole.trades);
        ck_assert_uint_eq(behind.packets_different + whole.packets_different, 0);
        ck_assert(behind.closed);
    }
    rig_close(&rig);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("recovery");
    TCase *tc = tcase_create("recovery");
    tcase_set_timeout(tc, 100);
    tcase_add_loop_test(tc, from_every_snapshot, 0, SEEDS);
    tcase_add_test(tc, the_newest);
    tcase_add_test(tc, every_cut);
    tcase_add_test(tc, the_next_older_snapshot);
    tcase_add_test(tc, snapshots_of_other_logs);
    tcase_add_test(tc, a_damaged_journal);
    tcase_add_test(tc, begun_behind_a_snapshot);
    tcase_add_test(tc, nothing_here);
    tcase_add_loop_test(tc, the_verb, 0, SEEDS);
    tcase_add_test(tc, the_verb_refuses);
    tcase_add_loop_test(tc, match_from_a_snapshot, 0, SEEDS);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
