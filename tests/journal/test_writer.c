/* test_writer.c: the writer over real file systems and over a disk that fails: what was reported durable is there.
 *
 * Not covered: power cuts (a killed process leaves its pages to the kernel). */
#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "shadowbook/counters.h"
#include "tests/journal/rig.h"

static struct rig rig;

/* Memory, and whatever the build stands on. */
static const char *const places[] = {"/dev/shm", "."};

static uint16_t some(uint64_t i)
{
    return (uint16_t)(1 + (i * 7 + i / 13) % SB_STREAM_LINES_MAX);
}

START_TEST(all_of_it_comes_back)
{
    rig_open(&rig, places[_i]);
    ck_assert_msg(rig_start(&rig), "%s", rig.said);
    for (uint64_t i = 0; i < 600; i++) {
        rig_add(&rig, some(i));
        ck_assert(!rig_turn(&rig, 1000));
        if (i % 50 == 0)
            rig_until_durable(&rig, rig.log.len);
    }
    const uint64_t last = rig.log.len;
    ck_assert_msg(rig_stop(&rig, true), "%s", rig.said);
    ck_assert_uint_eq(sb_journal_writer_durable(&rig.writer), last);
    uint64_t n;
    ck_assert_int_eq(rig_read(&rig, 1, &n), SB_FOUND_CLOSED);
    ck_assert_uint_eq(n, last);
    ck_assert_uint_gt(atomic_load(&rig.writer.segments), 20);
    rig_close(&rig);
}
END_TEST

START_TEST(only_what_is_applied_goes_in)
{
    rig_open(&rig, places[0]);
    ck_assert(rig_start(&rig));
    rig_add(&rig, 5);
    rig_add(&rig, 5);
    ck_assert(!sb_journal_writer_turn(&rig.writer, &rig.log, 7, 4, 1));
    ck_assert_uint_eq(rig.writer.queued_n, 5);
    ck_assert(rig_stop(&rig, false));
    uint64_t n;
    ck_assert_int_eq(rig_read(&rig, 1, &n), SB_FOUND_OPEN);
    ck_assert_uint_eq(n, 5);
    rig_close(&rig);
}
END_TEST

/* While one write is under way everything else waits for the next: a slow disk makes few, large writes. Here three: the head of
 * the segment, what the thread took first, and the rest. */
START_TEST(group_commit)
{
    rig_open(&rig, places[0]);
    rig.setup.segment_bytes = 8u << 20;
    ck_assert(rig_start(&rig));
    atomic_store(&rig.disk.hangs, true);
    for (uint64_t i = 0; i < 500; i++) {
        rig_add(&rig, 2);
        ck_assert(!rig_turn(&rig, 1000));
    }
    atomic_store(&rig.disk.hangs, false);
    rig_until_durable(&rig, 1000);
    uint64_t counters[SB_CTR_COUNT] = {0};
    sb_journal_writer_show(&rig.writer, counters);
    ck_assert_uint_le(counters[SB_CTR_JOURNAL_WRITES], 3);
    ck_assert_uint_eq(counters[SB_CTR_JOURNAL_STATE], SB_JOURNAL_WRITING);
    ck_assert_uint_eq(counters[SB_CTR_JOURNAL_DURABLE], 1000);
    ck_assert_uint_eq(counters[SB_CTR_JOURNAL_QUEUED], 1000);
    ck_assert(rig_stop(&rig, true));
    uint64_t n;
    ck_assert_int_eq(rig_read(&rig, 1, &n), SB_FOUND_CLOSED);
    ck_assert_uint_eq(n, 1000);
    rig_close(&rig);
}
END_TEST

/* Writes until segment `segment` is begun. */
static void until_segment(uint64_t segment)
{
    while (atomic_load(&rig.writer.segments) < segment) {
        rig_add(&rig, 21);
        rig_until_durable(&rig, rig.log.len);
    }
}

/* Segments `first` to the newest are there, and no other; each that is closed is a whole number of pages long. */
static void expect_segments(uint64_t first)
{
    char path[SB_JOURNAL_FILE_BYTES];
    struct stat status;
    const uint64_t newest = atomic_load(&rig.writer.segments);
    for (uint64_t i = 1; i <= newest; i++) {
        const bool there = stat(sb_journal_file(path, rig.folder, i), &status) == 0;
        ck_assert_msg(there == (i >= first), "segment %lu of %lu", i, newest);
        if (there && i < newest)
            ck_assert_int_eq(status.st_size, 4 * SB_JOURNAL_ALIGN);
    }
}

static uint64_t kept(void)
{
    uint64_t counters[SB_CTR_COUNT] = {0};
    sb_journal_writer_show(&rig.writer, counters);
    return counters[SB_CTR_JOURNAL_KEPT];
}

static bool warned(void)
{
    char said[512] = "";
    FILE *to = fmemopen(said, sizeof said - 1, "w");
    sb_journal_writer_warn(&rig.writer, to);
    fclose(to);
    ck_assert(said[0] == '\0' || strstr(said, "no snapshot holds") != NULL);
    return said[0] != '\0';
}

static uint64_t first_of(uint64_t segment)
{
    struct sb_journal_segment_head h;
    ck_assert(sb_journal_head(rig.folder, segment, &h));
    return h.n_first;
}

/* Two closed segments are kept, and all of which no snapshot holds everything: one input less is one segment more. A
 * snapshot that is newer than the journal is not its. */
START_TEST(retention)
{
    rig_open(&rig, places[0]);
    rig.setup.keep_segments = 2;
    ck_assert(rig_start(&rig));
    until_segment(3);
    ck_assert_uint_eq(kept(), 0);
    ck_assert(!warned());
    until_segment(8);
    expect_segments(1);
    ck_assert_uint_eq(kept(), 5);
    ck_assert(warned());
    ck_assert(!warned()); /* once */

    rig_name_snapshot(&rig, first_of(4) - 2);
    rig_name_snapshot(&rig, UINT64_MAX);
    rig_name_snapshot(&rig, rig.log.len + 100000);
    until_segment(9);
    expect_segments(3);
    ck_assert_uint_eq(kept(), 4);
    rig_name_snapshot(&rig, first_of(4) - 1);
    until_segment(10);
    expect_segments(4);
    ck_assert_uint_eq(kept(), 4);
    rig_name_snapshot(&rig, rig.log.len); /* more than is due */
    until_segment(11);
    expect_segments(9);
    ck_assert_uint_eq(kept(), 0);

    const uint64_t last = rig.log.len, first = first_of(9);
    ck_assert(rig_stop(&rig, false));
    uint64_t n;
    ck_assert_int_eq(rig_read(&rig, first, &n), SB_FOUND_OPEN);
    ck_assert_uint_eq(n, last);
    rig_close(&rig);
}
END_TEST

/* A closed segment that is moved away, and comes back, is as it was: the writer knows it no more. */
START_TEST(closed_segments_can_be_moved)
{
    rig_open(&rig, places[0]);
    rig.setup.keep_segments = 1;
    ck_assert(rig_start(&rig));
    until_segment(2);
    char from[SB_JOURNAL_FILE_BYTES], to[256];
    sb_journal_file(from, rig.folder, 1);
    snprintf(to, sizeof to, "%s/archived", rig.dir);
    ck_assert_int_eq(rename(from, to), 0);
    rig_name_snapshot(&rig, rig.log.len);
    until_segment(3); /* its turn to be removed: not there, no fault */
    const uint64_t last = rig.log.len;
    ck_assert_msg(rig_stop(&rig, true), "%s", rig.said);
    ck_assert_int_eq(rename(to, from), 0);
    uint64_t n;
    ck_assert_int_eq(rig_read(&rig, 1, &n), SB_FOUND_CLOSED);
    ck_assert_uint_eq(n, last);
    rig_close(&rig);
}
END_TEST

/* --- lives ------------------------------------------------------------------------------------------- */

static void own(uint8_t kind, uint64_t epoch)
{
    const struct sb_journal_record record = {
        .epoch = epoch, .n = rig.writer.queued_n, .kind = kind};
    ck_assert(sb_journal_writer_record(&rig.writer, &record, 4));
    const uint64_t number = rig.writer.records_queued;
    for (int i = 0; i < 30000 && sb_journal_writer_records_durable(&rig.writer) < number; i++)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    ck_assert_uint_eq(sb_journal_writer_records_durable(&rig.writer), number);
    ck_assert_uint_eq(sb_journal_writer_durable(&rig.writer), record.n);
}

/* What cannot go on with this journal: nothing is touched. */
static void refuse_others(const struct sb_journal_end *end)
{
    const struct sb_journal_setup setup = rig.setup;
    for (int i = 0; i < 6; i++) {
        rig.setup = setup;
        rig.setup.after = end;
        rig.setup.inc += i != 0;
        rig.setup.sender ^= i == 1;
        rig.setup.shard ^= i == 2;
        rig.setup.trading_day ^= i == 3;
        rig.setup.generation ^= i == 4;
        rig.setup.limits.orders_max ^= i == 5;
        ck_assert(!rig_start(&rig));
        ck_assert_ptr_nonnull(strstr(rig.said, "journal: cannot go on with "));
        ck_assert_ptr_nonnull(strstr(rig.said, i == 0   ? "incarnation"
                                               : i <= 2 ? "another node's"
                                                        : "another day or generation, or of"));
    }
    rig.setup = setup;
    rig.setup.after = end;
}

/* Lives that end by an END record, between two writes, in the middle of one, and in the middle of a new segment. The
 * log in memory keeps what an earlier life wrote: it is not written again. Only the newest segments are kept, and who
 * owned is known all the same. */
START_TEST(lives_follow_each_other)
{
    static const enum sb_journal_found ends[] = {SB_FOUND_CLOSED, SB_FOUND_OPEN, SB_FOUND_TORN,
                                                 SB_FOUND_TORN};
    struct sb_journal_end end;
    rig_open(&rig, places[0]);
    rig.setup.keep_segments = _i == 0 ? 0 : 2;
    ck_assert(rig_start(&rig));
    for (uint32_t life = 0; life < 8; life++) {
        ck_assert_uint_eq(rig.writer.queued_n, rig.log.len);
        ck_assert_uint_eq(sb_journal_writer_durable(&rig.writer), rig.log.len);
        ck_assert_uint_eq(sb_journal_writer_records_durable(&rig.writer), 0);
        if (life == 0)
            own(SB_RECORD_SOLO, 4);
        for (uint64_t i = 0; i < 100; i++) {
            rig_add(&rig, some(i + life));
            rig_until_durable(&rig, rig.log.len);
        }
        if (life == 3)
            own(SB_RECORD_PAIR, 4);
        const uint32_t how = life % 4;
        ck_assert_msg(rig_stop(&rig, how == 0), "%s", rig.said);
        end = rig_end(&rig, how == 0 ? SB_FOUND_CLOSED : SB_FOUND_OPEN);
        if (how >= 2) {
            rig_tear(&rig, &end, how == 3);
            end = rig_end(&rig, ends[how]);
            ck_assert_uint_eq(end.offset == 0, how == 3);
        }
        rig_name_snapshot(&rig, rig.log.len);
        ck_assert_uint_eq(end.next_n, rig.log.len + 1);
        ck_assert_uint_eq(end.inc, rig.setup.inc);
        ck_assert_uint_eq(end.owner.kind, life < 3 ? SB_RECORD_SOLO : SB_RECORD_PAIR);
        refuse_others(&end);
        rig.setup.inc++;
        rig.setup.epoch = 0; /* not known yet: a restarted node asks first */
        ck_assert_msg(rig_start(&rig), "%s", rig.said);
    }
    ck_assert(rig_stop(&rig, true));
    end = rig_end(&rig, SB_FOUND_CLOSED);
    ck_assert_uint_eq(end.next_n, rig.log.len + 1);
    ck_assert_uint_eq(end.owner.kind, SB_RECORD_PAIR);
    struct sb_journal_reader reader;
    ck_assert(sb_journal_reader_open(&reader, rig.folder, stderr));
    ck_assert_int_eq(sb_journal_reader_block(&reader, stderr), 1);
    const uint64_t first = reader.scan.first_n;
    ck_assert_int_eq(first == 1, _i == 0);
    sb_journal_reader_close(&reader);
    uint64_t n;
    ck_assert_int_eq(rig_read(&rig, first, &n), SB_FOUND_CLOSED);
    ck_assert_uint_eq(n, rig.log.len);
    rig_close(&rig);
}
END_TEST

/* A journal that begins behind a snapshot, in a folder that has it already. */
START_TEST(begins_behind_a_snapshot)
{
    rig_open(&rig, places[0]);
    rig.setup.base_n = rig.log.len = 1000;
    char path[200];
    snprintf(path, sizeof path, "%s/3-B", rig.dir);
    ck_assert_int_eq(mkdir(path, 0755), 0);
    ck_assert_int_eq(mkdir(rig.folder, 0755), 0);
    ck_assert_msg(rig_start(&rig), "%s", rig.said);
    ck_assert_uint_eq(sb_journal_writer_durable(&rig.writer), 1000);
    rig_add(&rig, 7);
    rig_until_durable(&rig, 1007);
    ck_assert(rig_stop(&rig, true));
    uint64_t n;
    ck_assert_int_eq(rig_read(&rig, 1001, &n), SB_FOUND_CLOSED);
    ck_assert_uint_eq(n, 1007);
    ck_assert(!rig_start(&rig)); /* and never over another */
    ck_assert_ptr_nonnull(strstr(rig.said, "00000001.journal: File exists"));
    rig_close(&rig);
}
END_TEST

/* --- faults ----------------------------------------------------------------------------------------- */

static const struct {
    int create_fails, write_fails, error;
    enum sb_journal_fault fault;
    const char *words;
} faults[] = {
    {3, 0, ENOSPC, SB_JOURNAL_FULL, "full"},
    {3, 0, EDQUOT, SB_JOURNAL_FULL, "full"},
    {2, 0, EROFS, SB_JOURNAL_READ_ONLY, "read-only"},
    {0, 9, EIO, SB_JOURNAL_WRITE, "a write failed: Input/output error"},
    {0, 9, ENOSPC, SB_JOURNAL_FULL, "full"},
};

START_TEST(faults_of_the_disk)
{
    const bool degrade = _i % 2 == 0;
    rig_open(&rig, places[0]);
    rig.setup.on_fault = degrade ? SB_JOURNAL_DEGRADE : SB_JOURNAL_STOP;
    rig.disk.create_fails = faults[_i / 2].create_fails;
    rig.disk.write_fails = faults[_i / 2].write_fails;
    rig.disk.error = faults[_i / 2].error;
    ck_assert(rig_start(&rig));
    bool found = false;
    /* Never so much at once that the ring is full: that would be another fault. */
    for (int i = 0; i < 30000 && !found; i++) {
        if (rig.log.len - sb_journal_writer_durable(&rig.writer) < 1000)
            rig_add(&rig, 3);
        found = rig_turn(&rig, 1000);
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    ck_assert(found);
    rig_add(&rig, 3);
    ck_assert(!rig_turn(&rig, 1000)); /* said once */
    uint64_t counters[SB_CTR_COUNT] = {0};
    sb_journal_writer_show(&rig.writer, counters);
    ck_assert_uint_eq(counters[SB_CTR_JOURNAL_FAULT], faults[_i / 2].fault);
    ck_assert_uint_eq(counters[SB_CTR_JOURNAL_STATE],
                      degrade ? SB_JOURNAL_DEGRADED : SB_JOURNAL_STOPPING);
    ck_assert_uint_lt(counters[SB_CTR_JOURNAL_QUEUED], rig.log.len);
    char words[1024] = "";
    FILE *f = fmemopen(words, sizeof words - 1, "w");
    sb_journal_writer_say(&rig.writer, f);
    fclose(f);
    ck_assert_msg(strstr(words, faults[_i / 2].words) != NULL, "%s", words);
    ck_assert_ptr_nonnull(strstr(words, degrade ? "WITHOUT a journal" : "hands over"));
    const uint64_t durable = sb_journal_writer_durable(&rig.writer);
    ck_assert_uint_gt(durable, 0);
    ck_assert(!rig_stop(&rig, false));
    ck_assert_ptr_nonnull(strstr(rig.said, "fault"));
    uint64_t n;
    const enum sb_journal_found end = rig_read(&rig, 1, &n);
    ck_assert(end == SB_FOUND_OPEN || end == SB_FOUND_TORN);
    ck_assert_uint_eq(n, durable);
    rig_close(&rig);
}
END_TEST

START_TEST(slow_disk)
{
    rig_open(&rig, places[0]);
    rig.setup.lag_max_ns = 50000000;
    ck_assert(rig_start(&rig));
    rig_add(&rig, 1);
    rig_until_durable(&rig, 1);
    atomic_store(&rig.disk.hangs, true);
    rig_add(&rig, 1);
    ck_assert(!rig_turn(&rig, 1000));
    ck_assert(!rig_turn(&rig, 1000000000)); /* a pause of the loop is not the disk's */
    for (int i = 0; i < 3; i++)
        ck_assert(!rig_turn(&rig, 10000000));
    bool found = false;
    for (int i = 0; i < 3 && !found; i++)
        found = rig_turn(&rig, 10000000);
    ck_assert(found);
    ck_assert_int_eq(rig.writer.fault, SB_JOURNAL_SLOW);
    ck_assert_uint_gt(rig.writer.lag_max_seen_ns, 50000000);
    atomic_store(&rig.disk.hangs, false);
    ck_assert(!rig_stop(&rig, false));
    rig_close(&rig);
}
END_TEST

START_TEST(full_ring)
{
    rig_open(&rig, places[0]);
    rig.setup.ring_bytes = 1u << 14;
    ck_assert(rig_start(&rig));
    rig_add(&rig, 1);
    rig_until_durable(&rig, 1);
    atomic_store(&rig.disk.hangs, true);
    int added = 0;
    for (; added < 100; added++) {
        rig_add(&rig, 10);
        if (rig_turn(&rig, 1000))
            break;
    }
    ck_assert_int_gt(
        added, 20); /* 16 KiB hold two dozen packets of 688 bytes; the thread took one block more */
    ck_assert_int_lt(added, 100);
    ck_assert_int_eq(rig.writer.fault, SB_JOURNAL_RING);
    const uint64_t queued = rig.writer.queued_n;
    atomic_store(&rig.disk.hangs, false);
    ck_assert(!rig_stop(&rig, false));
    uint64_t n; /* what had found room is there */
    ck_assert_int_eq(rig_read(&rig, 1, &n), SB_FOUND_OPEN);
    ck_assert_uint_eq(n, queued);
    rig_close(&rig);
}
END_TEST

START_TEST(start_up_errors)
{
    rig_open(&rig, places[0]);
    char none[256];
    snprintf(none, sizeof none, "%s/none/3-B/1", rig.dir);
    rig.setup.folder = none;
    ck_assert(!rig_start(&rig));
    ck_assert_ptr_nonnull(
        strstr(rig.said, "/none/3-B: No such file or directory; make the folder"));
    rig.setup.folder = rig.folder;
    rig.disk.create_fails = 1;
    rig.disk.error = ENOSPC;
    ck_assert(!rig_start(&rig));
    ck_assert_ptr_nonnull(strstr(rig.said, "00000001.journal: No space left on device; free some"));
    ck_assert(!rig_start(&rig)); /* the folder of the last attempt is there */
    ck_assert_ptr_nonnull(strstr(rig.said, "File exists; a journal is never written over"));
    rig_close(&rig);
}
END_TEST

/* --- a process that dies ------------------------------------------------------------------------------- */

/* Writes as fast as it can, and says what is durable. */
static void write_until_killed(int to)
{
    ck_assert(rig_start(&rig));
    uint64_t said = 0;
    for (uint64_t i = 0;; i++) {
        if (rig.log.len - sb_journal_writer_durable(&rig.writer) < 2000)
            rig_add(&rig, some(i));
        if (rig_turn(&rig, 1000))
            _exit(1);
        const uint64_t durable = sb_journal_writer_durable(&rig.writer);
        if (durable != said && write(to, &durable, sizeof durable) != sizeof durable)
            _exit(1);
        said = durable;
    }
}

START_TEST(killed_in_the_middle)
{
    uint64_t most = 0;
    for (long round = 0; round < 12; round++) {
        rig_open(&rig, places[round % 2]);
        rig.setup.segment_bytes = 1u << 20;
        rig.setup.lag_max_ns = UINT64_MAX; /* turns are not in real time here */
        int pipes[2];
        ck_assert_int_eq(pipe(pipes), 0);
        const pid_t child = fork();
        ck_assert_int_ge(child, 0);
        if (child == 0)
            write_until_killed(pipes[1]);
        close(pipes[1]);
        uint64_t durable = 0, at = 0;
        const uint64_t until = 200 + 1931 * (uint64_t)round;
        while (at < until && read(pipes[0], &at, sizeof at) == sizeof at)
            durable = at;
        kill(child, SIGKILL);
        while (read(pipes[0], &at, sizeof at) == sizeof at)
            durable = at;
        waitpid(child, NULL, 0);
        close(pipes[0]);
        uint64_t n;
        const enum sb_journal_found end = rig_read(&rig, 1, &n);
        ck_assert(end == SB_FOUND_OPEN || end == SB_FOUND_TORN);
        ck_assert_uint_ge(durable, until);
        ck_assert_msg(n >= durable, "%lu was durable, %lu is there", durable, n);
        most = n > most ? n : most;
        rig_close(&rig);
    }
    ck_assert_uint_gt(most, 20000);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("journal-writer");
    TCase *tc = tcase_create("writer");
    tcase_set_timeout(tc, 100);
    tcase_add_loop_test(tc, all_of_it_comes_back, 0, 2);
    tcase_add_test(tc, only_what_is_applied_goes_in);
    tcase_add_test(tc, group_commit);
    tcase_add_test(tc, retention);
    tcase_add_test(tc, closed_segments_can_be_moved);
    tcase_add_loop_test(tc, lives_follow_each_other, 0, 2);
    tcase_add_test(tc, begins_behind_a_snapshot);
    tcase_add_loop_test(tc, faults_of_the_disk, 0, 2 * (int)(sizeof faults / sizeof faults[0]));
    tcase_add_test(tc, slow_disk);
    tcase_add_test(tc, full_ring);
    tcase_add_test(tc, start_up_errors);
    tcase_add_test(tc, killed_in_the_middle);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
