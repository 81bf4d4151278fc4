/* The shared region of counters: what a reader sees, who may write, what is left behind.
 *
 * Not covered: a file system that is full, and readers of another build. */
#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "replica/counters.h"

enum { SHARD = 65011 };

/* Own names per process, so that two runs of this test do not meet. */
static const char *own_name(char name[16])
{
    snprintf(name, 16, "t%d", (int)getpid());
    return name;
}

static bool listed(const char *path)
{
    static char paths[SB_COUNTERS_REGIONS_MAX][SB_COUNTERS_PATH_BYTES];
    const size_t n = sb_counters_find_all(paths, SB_COUNTERS_REGIONS_MAX);
    for (size_t i = 0; i < n; i++) {
        if (strcmp(paths[i], path) == 0)
            return true;
    }
    return false;
}

START_TEST(a_reader_sees_what_was_written)
{
    char name[16];
    struct sb_counters_file f;
    ck_assert(sb_counters_create(&f, SHARD, own_name(name), stderr));
    char expected[64];
    snprintf(expected, sizeof expected, "/dev/shm/shadowbook-65011-%s", name);
    ck_assert_str_eq(f.path, expected);
    ck_assert(listed(f.path));

    struct sb_counters_view v;
    ck_assert(sb_counters_attach(&v, f.path, stderr));
    ck_assert_uint_eq(v.c->pid, (unsigned)getpid());
    ck_assert_uint_eq(v.c->shard, SHARD);
    ck_assert_str_eq(v.c->name, name);
    ck_assert_uint_gt(v.c->started_at_ns, UINT64_C(1600000000000000000));
    ck_assert_uint_eq(v.count, SB_CTR_COUNT);
    for (uint32_t i = 0; i < v.count; i++)
        ck_assert_uint_eq(v.c->value[i], 0);
    f.c->value[SB_CTR_EPOCH] = 14;
    f.c->value[SB_CTR_REJECTED] = UINT64_MAX;
    ck_assert_uint_eq(v.c->value[SB_CTR_EPOCH], 14);
    ck_assert_uint_eq(v.c->value[SB_CTR_REJECTED], UINT64_MAX);
    ck_assert(sb_counters_alive(&v));

    sb_counters_close(&f);
    ck_assert(!sb_counters_alive(&v));
    ck_assert(!listed(expected));
    ck_assert_int_ne(access(expected, F_OK), 0);
    sb_counters_close(&f); /* harmless */
    sb_counters_detach(&v);
    sb_counters_detach(&v);
}
END_TEST

START_TEST(a_second_process_of_the_name_is_told_the_pid)
{
    char name[16], text[512] = "", pid[16];
    struct sb_counters_file f, g;
    ck_assert(sb_counters_create(&f, SHARD, own_name(name), stderr));
    f.c->value[SB_CTR_POLLS] = 7;
    FILE *err = fmemopen(text, sizeof text, "w");
    ck_assert(!sb_counters_create(&g, SHARD, name, err));
    fclose(err);
    ck_assert_ptr_nonnull(strstr(text, f.path));
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    ck_assert_ptr_nonnull(strstr(text, pid));
    ck_assert_uint_eq(f.c->value[SB_CTR_POLLS], 7); /* the first one goes on undisturbed */
    ck_assert_uint_eq(f.c->magic, SB_COUNTERS_MAGIC);
    ck_assert(sb_counters_create(&g, SHARD + 1, name, stderr)); /* another shard is another file */
    sb_counters_close(&g);
    sb_counters_close(&f);
}
END_TEST

START_TEST(the_file_of_a_dead_process_is_taken_over)
{
    char name[16];
    own_name(name);
    const pid_t child = fork();
    if (child == 0) {
        struct sb_counters_file f;
        if (!sb_counters_create(&f, SHARD, name, stderr))
            _exit(1);
        f.c->value[SB_CTR_POLLS] = 7;
        _exit(0); /* without closing */
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    char path[SB_COUNTERS_PATH_BYTES];
    snprintf(path, sizeof path, "/dev/shm/shadowbook-65011-%s", name);
    struct sb_counters_view v;
    ck_assert(sb_counters_attach(&v, path, stderr));
    ck_assert(!sb_counters_alive(&v));
    ck_assert_uint_eq(v.c->value[SB_CTR_POLLS], 7); /* evidence stays readable until then */
    ck_assert_uint_eq(v.c->pid, (unsigned)child);

    struct sb_counters_file f;
    ck_assert(sb_counters_create(&f, SHARD, name, stderr));
    ck_assert_uint_eq(f.c->value[SB_CTR_POLLS], 0);
    ck_assert_uint_eq(f.c->pid, (unsigned)getpid());
    sb_counters_close(&f);
    sb_counters_detach(&v);
}
END_TEST

START_TEST(bad_names_are_refused)
{
    static const char *const names[] = {"", "a/b", "..", "a b", "0123456789abcdef"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char text[512] = "";
        struct sb_counters_file f;
        FILE *err = fmemopen(text, sizeof text, "w");
        ck_assert_msg(!sb_counters_create(&f, SHARD, names[i], err), "%s", names[i]);
        fclose(err);
        ck_assert_ptr_nonnull(strstr(text, "accepted"));
    }
}
END_TEST

static void write_file(const char *path, const void *data, size_t bytes)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq((int)write(fd, data, bytes), (int)bytes);
    close(fd);
}

START_TEST(damaged_files_are_refused)
{
    char path[SB_COUNTERS_PATH_BYTES];
    snprintf(path, sizeof path, "/dev/shm/shadowbook-65011-d%d", (int)getpid());
    struct sb_counters_view v;
    ck_assert(!sb_counters_attach(&v, path, NULL)); /* absent */
    struct sb_counters c = {
        .magic = SB_COUNTERS_MAGIC, .version = SB_COUNTERS_VERSION, .count = SB_CTR_COUNT};
    write_file(path, &c, 0);
    ck_assert(!sb_counters_attach(&v, path, NULL));
    write_file(path, &c, sizeof c - 1); /* cut short */
    ck_assert(!sb_counters_attach(&v, path, NULL));
    c.magic = 0; /* half made */
    write_file(path, &c, sizeof c);
    ck_assert(!sb_counters_attach(&v, path, NULL));
    c.magic = SB_COUNTERS_MAGIC;
    c.version++;
    write_file(path, &c, sizeof c);
    ck_assert(!sb_counters_attach(&v, path, NULL));
    c.version--;
    c.count = UINT32_MAX;
    write_file(path, &c, sizeof c);
    ck_assert(!sb_counters_attach(&v, path, NULL));
    c.count = 3; /* an older build with fewer counters */
    write_file(path, &c, sizeof c);
    ck_assert(sb_counters_attach(&v, path, stderr));
    ck_assert_uint_eq(v.count, 3);
    sb_counters_detach(&v);
    unlink(path);
}
END_TEST

START_TEST(every_counter_is_named_once)
{
    char a[SB_COUNTER_NAME_BYTES], b[SB_COUNTER_NAME_BYTES];
    ck_assert_str_eq(sb_counter_name(SB_CTR_ROLE, a), "role");
    ck_assert_str_eq(sb_counter_name(SB_CTR_DECIDE_TO_FIRST_NS, a), "decide_to_first_ns");
    for (uint32_t i = 0; i < SB_CTR_COUNT; i++) {
        ck_assert(strlen(sb_counter_info(i)->unit) > 0 && strlen(sb_counter_info(i)->help) > 0);
        for (uint32_t j = 0; j < i; j++)
            ck_assert_str_ne(sb_counter_name(i, a), sb_counter_name(j, b));
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("counters");
    TCase *tests = tcase_create("counters");
    suite_add_tcase(suite, tests);
    tcase_add_test(tests, a_reader_sees_what_was_written);
    tcase_add_test(tests, a_second_process_of_the_name_is_told_the_pid);
    tcase_add_test(tests, the_file_of_a_dead_process_is_taken_over);
    tcase_add_test(tests, bad_names_are_refused);
    tcase_add_test(tests, damaged_files_are_refused);
    tcase_add_test(tests, every_counter_is_named_once);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
