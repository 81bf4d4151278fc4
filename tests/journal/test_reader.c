/* test_reader.c: a journal as files: read back, ends named, and what `inspect` prints and answers about them. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "perf/verbs.h"
#include "replica/journal_reader.h"
#include "tests/journal/memory.h"

static struct memory journal;

struct rig {
    char dir[64], a[80], b[80], said[4096];
};

static void small_journal(void)
{
    memory_begin(&journal);
    memory_segment(&journal);
    memory_data(&journal, 3);
    journal.epoch = 6;
    memory_record(&journal, SB_RECORD_SOLO);
    memory_segment(&journal);
    memory_data(&journal, 2);
    memory_record(&journal, SB_RECORD_END);
}

static void drop(const char *folder, uint64_t segment)
{
    char path[SB_JOURNAL_FILE_BYTES];
    ck_assert_int_eq(unlink(sb_journal_file(path, folder, segment)), 0);
}

static void rig_open(struct rig *r)
{
    memset(r, 0, sizeof *r);
    strcpy(r->dir, "/tmp/shadowbook-test-reader-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(r->dir));
    snprintf(r->a, sizeof r->a, "%s/a", r->dir);
    snprintf(r->b, sizeof r->b, "%s/b", r->dir);
    small_journal();
    memory_store(&journal, r->a);
    memory_store(&journal, r->b);
}

static void rig_close(struct rig *r)
{
    char command[128];
    snprintf(command, sizeof command, "rm -r '%s'", r->dir);
    ck_assert_int_eq(system(command), 0);
}

/* Runs the verb with its words in r->said. */
static int inspect(struct rig *r, const char *folder, const char *other)
{
    char out[96];
    snprintf(out, sizeof out, "%s/out", r->dir);
    fflush(stdout);
    const int saved = dup(STDOUT_FILENO);
    ck_assert_ptr_nonnull(freopen(out, "w", stdout));
    char verb[] = "inspect", j[] = "--journal", d[] = "--difference", x[80], y[80];
    snprintf(x, sizeof x, "%s", folder);
    snprintf(y, sizeof y, "%s", other != NULL ? other : "");
    const bool option = other != NULL && other[0] == '-'; /* instead of another journal */
    char *argv[] = {verb, j, x, option ? y : d, y, NULL};
    const int argc = other == NULL ? 3 : option ? 4 : 5;
    argv[argc] = NULL;
    const int code = sb_inspect_main(argc, argv);
    fflush(stdout);
    ck_assert_int_ge(dup2(saved, STDOUT_FILENO), 0);
    close(saved);
    FILE *f = fopen(out, "r");
    r->said[fread(r->said, 1, sizeof r->said - 1, f)] = '\0';
    fclose(f);
    return code;
}

static void expect_said(const struct rig *r, const char *words)
{
    ck_assert_msg(strstr(r->said, words) != NULL, "no \"%s\" in: %s", words, r->said);
}

START_TEST(packets_come_back)
{
    struct rig r;
    rig_open(&r);
    static const uint64_t first[] = {1, 2, 4, 7, 8};
    /* The folder itself, and the one above it: b sorts last. */
    for (int above = 0; above < 2; above++) {
        struct sb_journal_reader reader;
        ck_assert(sb_journal_reader_open(&reader, above ? r.dir : r.b, stderr));
        ck_assert_str_eq(reader.folder, r.b);
        const struct sb_journal_packet *p;
        const struct sb_command *lines;
        for (int i = 0; i < 5; i++) {
            ck_assert_int_eq(sb_journal_reader_packet(&reader, &p, &lines, stderr), 1);
            ck_assert_uint_eq(p->n_first, first[i]);
            ck_assert_mem_eq(lines, &journal.written[first[i]], p->lines * sizeof *lines);
        }
        for (int i = 0; i < 2; i++) /* an end stays */
            ck_assert_int_eq(sb_journal_reader_packet(&reader, &p, &lines, stderr), 0);
        ck_assert_int_eq(reader.found, SB_FOUND_CLOSED);
        sb_journal_reader_close(&reader);
    }
    rig_close(&r);
}
END_TEST

START_TEST(inspect_shows_it)
{
    struct rig r;
    rig_open(&r);
    ck_assert_int_eq(inspect(&r, r.a, NULL), 0);
    expect_said(&r, "shard 3, node B, incarnation 99, day 20261124, generation 2\n");
    expect_said(&r, "segment 00000001: 3 blocks, 3 packets, inputs 1 to 6, epochs 1D to 1S\n");
    expect_said(&r, "record SOLO, epoch 1S, after input 6\n");
    expect_said(&r, "segment 00000002: 3 blocks, 2 packets, inputs 7 to 9, epochs 1S to 1S\n");
    expect_said(&r, "record END, epoch 1S, after input 9, digest 0000000000000005, state "
                    "0000000000000006\n");
    expect_said(&r, "ends in segment 00000002 at offset 12288, after input 9: closed");
    ck_assert_int_eq(inspect(&r, "/nonexistent", NULL), 2);
    rig_close(&r);
}
END_TEST

/* The clock's records are counted; all of them only if asked for. */
START_TEST(inspect_sums_up_the_clock)
{
    static const uint64_t bounds[] = {700, UINT64_MAX, 300, 90000};
    struct rig r;
    rig_open(&r);
    memory_begin(&journal);
    memory_segment(&journal);
    memory_clock(&journal, UINT64_MAX);
    memory_data(&journal, 1);
    memory_segment(&journal);
    for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++)
        memory_clock(&journal, bounds[i]);
    memory_segment(&journal);
    memory_data(&journal, 1);
    memory_store(&journal, r.a);
    ck_assert_int_eq(inspect(&r, r.a, NULL), 0);
    expect_said(&r, "inputs 1 to 1, epochs 1D to 1D, clock said 1 times, 1 times not known\n");
    expect_said(&r,
                "no input, epochs 1D to 1D, clock said 4 times, off by at most 300 to 90000 ns, "
                "1 times not known\n");
    expect_said(&r, "inputs 2 to 2, epochs 1D to 1D\n");
    ck_assert_ptr_null(strstr(r.said, "record CLOCK"));
    ck_assert_int_eq(inspect(&r, r.a, "--verbose"), 0);
    expect_said(&r, "record CLOCK, epoch 1D, after input 0, not known\n");
    expect_said(&r, "record CLOCK, epoch 1D, after input 1, off by at most 90000 ns\n");
    rig_close(&r);
}
END_TEST

START_TEST(inspect_names_the_place_of_damage)
{
    struct rig r;
    rig_open(&r);
    journal.size[1] -= 1; /* the last block cut */
    memory_store(&journal, r.a);
    ck_assert_int_eq(inspect(&r, r.a, NULL), 0);
    expect_said(&r, "segment 00000002 at offset 8192, after input 9: torn tail");
    journal.bytes[0][SB_JOURNAL_ALIGN + 200] ^= 4;
    memory_store(&journal, r.a);
    ck_assert_int_eq(inspect(&r, r.a, NULL), 1);
    expect_said(&r, "segment 00000001 at offset 4096, without an input: DAMAGED");
    drop(r.a, 1); /* moved away: it begins later */
    ck_assert_int_eq(inspect(&r, r.a, NULL), 0);
    expect_said(&r, "begins at input 7");
    drop(r.a, 2);
    ck_assert_int_eq(inspect(&r, r.a, NULL), 2);
    rig_close(&r);
}
END_TEST

START_TEST(a_missing_segment_is_damage)
{
    struct rig r;
    rig_open(&r);
    memory_begin(&journal);
    for (int i = 0; i < 3; i++) {
        memory_segment(&journal);
        memory_data(&journal, 1);
    }
    memory_store(&journal, r.a);
    drop(r.a, 2);
    ck_assert_int_eq(inspect(&r, r.a, NULL), 1);
    expect_said(&r, "segment 00000003 at offset 0, after input 1: DAMAGED");
    rig_close(&r);
}
END_TEST

START_TEST(a_renamed_segment_is_damage)
{
    struct rig r;
    char from[SB_JOURNAL_FILE_BYTES], to[SB_JOURNAL_FILE_BYTES];
    rig_open(&r);
    drop(r.a, 1);
    sb_journal_file(from, r.a, 2);
    ck_assert_int_eq(rename(from, sb_journal_file(to, r.a, 7)), 0);
    ck_assert_int_eq(inspect(&r, r.a, NULL), 1);
    expect_said(&r, "segment 00000007 at offset 0");
    expect_said(&r, "DAMAGED in the middle (the segment of another name");
    rig_close(&r);
}
END_TEST

START_TEST(difference_in_words)
{
    struct rig r;
    rig_open(&r);
    ck_assert_int_eq(inspect(&r, r.a, r.b), 0);
    expect_said(&r, "equal from 1 to 9\n");

    memory_begin(&journal); /* cut differently on disk, and shorter: no difference */
    memory_segment(&journal);
    memory_data(&journal, 3);
    memory_store(&journal, r.b);
    ck_assert_int_eq(inspect(&r, r.a, r.b), 0);
    expect_said(&r, "equal from 1 to 6\n");
    expect_said(&r, "/a has 3 inputs more\n");

    struct sb_journal_block *b = (void *)(journal.bytes[0] + SB_JOURNAL_ALIGN);
    uint8_t *payload = (uint8_t *)(b + 1);
    uint8_t *third = payload + 2 * sizeof(struct sb_journal_packet) + 2 * SB_LINE_BYTES;
    ck_assert_uint_eq(((struct sb_command *)(void *)third)->seq, 3);
    ((struct sb_command *)(void *)third)->key = 77;
    sb_journal_seal(b);
    memory_store(&journal, r.b);
    ck_assert_int_eq(inspect(&r, r.a, r.b), 1);
    expect_said(&r, "input 3 differs\n");
    expect_said(&r, "fields that differ: key\n");
    expect_said(&r, "  CANCEL: input 3, time 1970-01-01T00:00:00.000001003Z, session 1, message 3, "
                    "key 3, quantity 0\n");
    expect_said(&r, "  CANCEL: input 3, time 1970-01-01T00:00:00.000001003Z, session 1, message 3, "
                    "key 77, quantity 0\n");

    ((struct sb_command *)(void *)third)->key = 3;
    ((struct sb_journal_packet *)(void *)payload)->digest = 1;
    sb_journal_seal(b);
    memory_store(&journal, r.b);
    ck_assert_int_eq(inspect(&r, r.a, r.b), 1);
    expect_said(&r, "behind input 1 the digests of all outputs differ: 000000000000d1d2");

    /* Both begin later: no engine can run, and the place is named all the same. */
    small_journal();
    memory_store(&journal, r.a);
    b = (void *)(journal.bytes[1] + SB_JOURNAL_ALIGN);
    ((struct sb_command *)(void *)((uint8_t *)(b + 1) + sizeof(struct sb_journal_packet)))->key =
        77;
    sb_journal_seal(b);
    memory_store(&journal, r.b);
    drop(r.a, 1);
    drop(r.b, 1);
    ck_assert_int_eq(inspect(&r, r.a, r.b), 1);
    expect_said(&r, "input 7 differs\n");
    expect_said(&r, "fields that differ: key\n");
    expect_said(&r, "message 7, key 77, quantity 0\n");

    small_journal(); /* one begins where the other ends */
    memory_store(&journal, r.a);
    memory_store(&journal, r.b);
    drop(r.b, 1);
    ck_assert_int_eq(inspect(&r, r.a, r.b), 0);
    expect_said(&r, "equal from 7 to 9\n");
    drop(r.a, 2);
    ck_assert_int_eq(inspect(&r, r.a, r.b), 2);
    expect_said(&r, "no input in common\n");
    ck_assert_int_eq(inspect(&r, r.b, r.a), 2);
    rig_close(&r);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("journal-reader");
    TCase *tc = tcase_create("files");
    tcase_add_test(tc, packets_come_back);
    tcase_add_test(tc, inspect_shows_it);
    tcase_add_test(tc, inspect_sums_up_the_clock);
    tcase_add_test(tc, inspect_names_the_place_of_damage);
    tcase_add_test(tc, a_missing_segment_is_damage);
    tcase_add_test(tc, a_renamed_segment_is_damage);
    tcase_add_test(tc, difference_in_words);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
