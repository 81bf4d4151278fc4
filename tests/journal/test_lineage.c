/* test_lineage.c: which of a node's journals count, and which of them is the better one. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "replica/lineage.h"
#include "tests/journal/memory.h"

static struct memory journal;
static char root[64];

static void open_root(void)
{
    strcpy(root, "/tmp/shadowbook-test-lineage-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(root));
}

static void close_root(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -r '%s'", root);
    ck_assert_int_eq(system(command), 0);
}

/* A folder of incarnation inc: JOIN's record if joined, packets, then a record (NONE: none). */
static void folder(uint64_t inc, uint32_t day, bool joined, uint32_t packets, uint8_t record,
                   uint64_t epoch)
{
    char path[128];
    memory_begin(&journal);
    journal.trading_day = day;
    journal.inc = inc;
    journal.epoch = 4;
    memory_segment(&journal);
    if (joined)
        memory_record(&journal, SB_RECORD_JOIN);
    memory_data(&journal, packets);
    journal.epoch = epoch;
    if (record != SB_RECORD_NONE)
        memory_record(&journal, record);
    snprintf(path, sizeof path, "%s/%020llu", root, (unsigned long long)inc);
    memory_store(&journal, path);
}

static size_t read_all(struct sb_lineage *all)
{
    FILE *none = fopen("/dev/null", "w");
    const size_t n = sb_lineages_read(all, root, none);
    fclose(none);
    return n;
}

START_TEST(back_to_the_new_day)
{
    static struct sb_lineage all[SB_LINEAGES_MAX];
    open_root();
    ck_assert_uint_eq(read_all(all), 0);
    folder(10, 20261123, false, 5, SB_RECORD_SOLO, 90); /* yesterday's */
    folder(20, 20261124, false, 4, SB_RECORD_SOLO, 80); /* a new day that was begun once more */
    folder(30, 20261124, false, 2, SB_RECORD_NONE, 4);
    folder(40, 20261124, true, 3, SB_RECORD_SOLO, 10);
    folder(50, 20261124, true, 1, SB_RECORD_NONE, 4);
    ck_assert_uint_eq(read_all(all), 3);
    ck_assert_uint_eq(all[0].inc, 50);
    ck_assert_int_eq(all[0].owner.kind, SB_RECORD_JOIN);
    ck_assert_uint_eq(all[0].last_n, 1);
    ck_assert_uint_eq(all[1].inc, 40);
    ck_assert_uint_eq(all[1].owner.epoch, 10);
    ck_assert_uint_eq(all[1].last_n, 6);
    ck_assert_uint_eq(all[2].inc, 30);
    ck_assert(!all[2].joined && all[1].joined);
    ck_assert_int_eq(all[2].owner.kind, SB_RECORD_NONE);
    ck_assert_uint_eq(sb_lineage_best(all, 3), 1);
    close_root();
}
END_TEST

/* The day before ends the row, too, where the new day's first folder is gone. */
START_TEST(another_day_is_not_looked_at)
{
    static struct sb_lineage all[SB_LINEAGES_MAX];
    open_root();
    folder(10, 20261123, true, 5, SB_RECORD_SOLO, 90);
    folder(40, 20261124, true, 3, SB_RECORD_NONE, 4);
    ck_assert_uint_eq(read_all(all), 1);
    ck_assert_uint_eq(all[0].inc, 40);
    close_root();
}
END_TEST

static struct sb_lineage made(uint8_t kind, uint64_t epoch, uint64_t last_n)
{
    return (struct sb_lineage){.owner = {.epoch = epoch, .kind = kind}, .last_n = last_n};
}

/* F2: the higher record; of one epoch SOLO's; then the longer log; then the newer. */
START_TEST(the_better_log)
{
    const struct sb_lineage rows[][2] = {
        {made(SB_RECORD_JOIN, 9, 1), made(SB_RECORD_SOLO, 6, 100)},
        {made(SB_RECORD_SOLO, 9, 1), made(SB_RECORD_JOIN, 9, 100)},
        {made(SB_RECORD_SOLO, 9, 1), made(SB_RECORD_PAIR, 9, 100)},
        {made(SB_RECORD_JOIN, 9, 101), made(SB_RECORD_PAIR, 9, 100)},
        {made(SB_RECORD_PAIR, 9, 101), made(SB_RECORD_JOIN, 9, 100)},
        {made(SB_RECORD_NONE, 0, 7), made(SB_RECORD_NONE, 0, 6)},
        {made(SB_RECORD_SOLO, 9, 7), made(SB_RECORD_SOLO, 9, 6)},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct sb_lineage other[2] = {rows[i][1], rows[i][0]};
        ck_assert_uint_eq(sb_lineage_best(rows[i], 2), 0);
        ck_assert_uint_eq(sb_lineage_best(other, 2), 1);
    }
    const struct sb_lineage same[2] = {made(SB_RECORD_JOIN, 9, 7), made(SB_RECORD_JOIN, 9, 7)};
    ck_assert_uint_eq(sb_lineage_best(same, 2), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("journal-lineage");
    TCase *tc = tcase_create("lineage");
    tcase_add_test(tc, back_to_the_new_day);
    tcase_add_test(tc, another_day_is_not_looked_at);
    tcase_add_test(tc, the_better_log);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
