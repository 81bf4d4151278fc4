/* test_mounts.c: the writer on file systems that are full, read-only, or without O_DIRECT. They are mounted in a namespace
 * of this process alone and vanish with it; 77 where that is not allowed. */
#include <check.h>
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <time.h>
#include <unistd.h>

#include "shadowbook/counters.h"
#include "tests/journal/rig.h"

static struct rig rig;
static char mount_point[64];

static void fill(void)
{
    /* Never so much at once that the ring is full: that would be another fault. */
    for (int i = 0; i < 30000 && rig.writer.fault == SB_JOURNAL_GOOD; i++) {
        if (rig.log.len - sb_journal_writer_durable(&rig.writer) < 4000)
            rig_add(&rig, 21);
        rig_turn(&rig, 1000);
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
}

START_TEST(full_disk)
{
    ck_assert_int_eq(mount("tmpfs", mount_point, "tmpfs", 0, "size=256k"), 0);
    rig_open(&rig, mount_point);
    rig.setup.segment_bytes = 1u << 16;
    ck_assert_msg(rig_start(&rig), "%s", rig.said);
    fill();
    ck_assert_int_eq(rig.writer.fault, SB_JOURNAL_FULL);
    ck_assert_int_eq(rig.writer.state, SB_JOURNAL_DEGRADED);
    const uint64_t durable = sb_journal_writer_durable(&rig.writer);
    ck_assert_uint_gt(durable, 0);
    ck_assert(!rig_stop(&rig, false));
    uint64_t n;
    ck_assert_int_eq(rig_read(&rig, 1, &n), SB_FOUND_OPEN);
    ck_assert_uint_eq(n, durable);
    rig_close(&rig);
    ck_assert_int_eq(umount(mount_point), 0);
}
END_TEST

START_TEST(no_room_to_begin)
{
    ck_assert_int_eq(mount("tmpfs", mount_point, "tmpfs", 0, "size=256k"), 0);
    rig_open(&rig, mount_point);
    rig.setup.segment_bytes = 1u << 20;
    ck_assert(!rig_start(&rig));
    ck_assert_ptr_nonnull(strstr(rig.said, "00000001.journal: No space left on device"));
    rig_close(&rig);
    ck_assert_int_eq(umount(mount_point), 0);
}
END_TEST

START_TEST(read_only)
{
    ck_assert_int_eq(mount("tmpfs", mount_point, "tmpfs", 0, "size=256k"), 0);
    rig_open(&rig, mount_point);
    ck_assert_int_eq(mount(NULL, mount_point, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
    ck_assert(!rig_start(&rig));
    ck_assert_ptr_nonnull(strstr(rig.said, "3-B: Read-only file system; mount it writable"));
    ck_assert_int_eq(mount(NULL, mount_point, NULL, MS_REMOUNT, NULL), 0);
    rig_close(&rig);
    ck_assert_int_eq(umount(mount_point), 0);
}
END_TEST

/* ramfs knows neither O_DIRECT nor how to reserve room. */
START_TEST(without_o_direct)
{
    ck_assert_int_eq(mount("ramfs", mount_point, "ramfs", 0, NULL), 0);
    rig_open(&rig, mount_point);
    struct sb_journal journal;
    FILE *err = fmemopen(rig.said, sizeof rig.said - 1, "w");
    ck_assert(sb_journal_open(&journal, &rig.setup, err));
    fclose(err);
    ck_assert_ptr_nonnull(strstr(rig.said, "refuses O_DIRECT"));
    for (int i = 0; i < 20; i++)
        rig_add(&rig, 21);
    ck_assert(!sb_journal_writer_turn(&journal.writer, &rig.log, rig.log.len, 4, 1));
    uint64_t counters[SB_CTR_COUNT] = {0};
    sb_journal_writer_show(&journal.writer, counters);
    ck_assert_uint_eq(counters[SB_CTR_JOURNAL_BUFFERED], 1);
    ck_assert(sb_journal_close(&journal, stderr));
    uint64_t n;
    ck_assert_int_eq(rig_read(&rig, 1, &n), SB_FOUND_OPEN);
    ck_assert_uint_eq(n, 420);
    rig_close(&rig);
    ck_assert_int_eq(umount(mount_point), 0);
}
END_TEST

int main(void)
{
    strcpy(mount_point, "/tmp/shadowbook-test-mount-XXXXXX");
    if (mkdtemp(mount_point) == NULL || unshare(CLONE_NEWNS) != 0 ||
        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) {
        printf("SKIP: no file system can be mounted here: %s\n", strerror(errno));
        rmdir(mount_point);
        return 77;
    }
    Suite *suite = suite_create("journal-mounts");
    TCase *tc = tcase_create("mounts");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, full_disk);
    tcase_add_test(tc, no_room_to_begin);
    tcase_add_test(tc, read_only);
    tcase_add_test(tc, without_o_direct);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(
        runner, CK_NOFORK); /* what a failed test leaves mounted goes with this process */
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    umount2(mount_point, MNT_DETACH);
    rmdir(mount_point);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
