/* test_behind_snapshot.c: snapshots, and journals whose front is gone: what is said of them is what is said of the whole. */
#include <check.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "perf/verbs.h"
#include "tests/inspect/script.h"
#include "tests/recovery/rig.h"

enum { SAID = 1 << 20, LAST = RIG_PACKETS - 1 };

static struct rig rig;
static char said[SAID];

static json_t *report(int expected, const char *const *arguments)
{
    ck_assert_int_eq(script_inspect(said, sizeof said, arguments), expected);
    json_t *o = json_loads(said, 0, NULL);
    ck_assert_msg(o != NULL, "%s", said);
    return o;
}

static json_t *state_at(uint64_t n, const char *whole)
{
    char at[24];
    snprintf(at, sizeof at, "%lu", n);
    return report(0, (const char *const[]){"--journal", rig.folder, "--state", "--json", "--at", at,
                                           whole, NULL});
}

static const char *text(json_t *state, const char *member)
{
    return json_string_value(json_object_get(json_object_get(state, "state"), member));
}

static void expect_hex(const char *found, uint64_t digest)
{
    char expected[24];
    snprintf(expected, sizeof expected, "%016lx", digest);
    ck_assert_str_eq(found, expected);
}

static void expect_state(json_t *o, uint32_t k, uint64_t snapshot_n)
{
    expect_hex(text(o, "digest"), rig.digest[k]);
    expect_hex(text(o, "state_digest"), rig.state[k]);
    json_t *from = json_object_get(json_object_get(o, "state"), "from_snapshot");
    ck_assert_uint_eq(from != NULL ? (uint64_t)json_integer_value(from) : 0, snapshot_n);
    ck_assert_str_eq(text(o, "recorded_digests"), "equal");
    json_decref(o);
}

/* From the newest snapshot that is not newer than what is asked for; and where the front is gone, from there only. */
START_TEST(state)
{
    rig_open(&rig, 3);
    rig_snapshot(&rig, 15, 0);
    rig_snapshot(&rig, 25, 0);
    for (uint32_t k = 0; k < RIG_PACKETS; k++) {
        const uint64_t from = k >= 25 ? rig.n[25] : k >= 15 ? rig.n[15] : 0;
        expect_state(state_at(rig.n[k], NULL), k, from);
        expect_state(state_at(rig.n[k], "--whole"), k, 0);
    }
    rig_drop_segment(&rig, 1);
    for (uint32_t k = 15; k < RIG_PACKETS; k++)
        expect_state(state_at(rig.n[k], NULL), k, k >= 25 ? rig.n[25] : rig.n[15]);
    static const char *const refused[][2] = {{"--at", "1"}, {"--whole", NULL}};
    for (int i = 0; i < 2; i++) {
        const char *const arguments[] = {"inspect",     "--journal",   rig.folder, "--state",
                                         refused[i][0], refused[i][1], NULL};
        ck_assert_int_eq(rig_verb(&rig, sb_inspect_main, i == 0 ? 6 : 5, arguments), 2);
        ck_assert_msg(strstr(rig.said, "and no good snapshot is there") != NULL, "%s", rig.said);
    }
    rig_close(&rig);
}
END_TEST

/* A snapshot says of its place what the journal says of it. */
START_TEST(snapshot)
{
    static const char *const members[] = {"input",       "time",     "digest", "state_digest",
                                          "instruments", "sessions", "day"};
    char path[SB_SNAPSHOT_PATH_BYTES];
    rig_open(&rig, 4);
    for (uint32_t k = 0; k < RIG_PACKETS; k += 4) {
        rig_snapshot(&rig, k, 0);
        sb_snapshot_file(path, rig.folder, rig.n[k]);
        json_t *o = report(0, (const char *const[]){"--snapshot", path, "--json", NULL});
        json_t *whole = state_at(rig.n[k], "--whole");
        json_t *of = json_object_get(o, "state"), *expected = json_object_get(whole, "state");
        for (size_t i = 0; i < sizeof members / sizeof *members; i++)
            ck_assert_msg(json_equal(json_object_get(of, members[i]),
                                     json_object_get(expected, members[i])) == 1,
                          "%s", members[i]);
        expect_hex(text(o, "state_digest"), rig.state[k]);
        ck_assert_uint_eq((uint64_t)json_integer_value(
                              json_object_get(json_object_get(of, "limits"), "orders_max")),
                          rig.limits.orders_max);
        json_decref(whole);
        json_decref(o);
    }
    const char *const good[] = {"--snapshot", path, "--instrument", "NONE", NULL};
    ck_assert_int_eq(script_inspect(said, sizeof said, good), 2);
    ck_assert_int_eq(truncate(path, (long)rig.snapshot_bytes[LAST] - 1), 0);
    const char *const arguments[] = {"inspect", "--snapshot", path};
    ck_assert_int_eq(rig_verb(&rig, sb_inspect_main, 3, arguments), 2);
    ck_assert_msg(strstr(rig.said, "damaged snapshot") != NULL, "%s", rig.said);
    rig_close(&rig);
}
END_TEST

/* --- export --------------------------------------------------------------------------------------- */

static FILE *export(const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", rig.dir, name);
    const char *const arguments[] = {"inspect", "--journal", rig.folder, "--export", path};
    ck_assert_msg(rig_verb(&rig, sb_inspect_main, 5, arguments) == 0, "%s", rig.said);
    FILE *f = fopen(path, "r");
    ck_assert_ptr_nonnull(f);
    return f;
}

/* Two rows, but for their own number; a client's text may be missing in b. True: it is. */
static bool expect_row(const char *a, const char *b)
{
    const char *x = a, *y = b;
    uint32_t column = 1;
    bool missing = false;
    for (; *x != '\0'; column++) {
        const size_t n = strcspn(x, ",\n"), m = strcspn(y, ",\n");
        const bool same = n == m && memcmp(x, y, n) == 0;
        missing = missing || (column == 9 && !same && m == 0);
        ck_assert_msg(same || column == 1 || (column == 9 && m == 0), "column %u: %s%s", column, a,
                      b);
        x += n + (x[n] != '\0');
        y += m + (y[m] != '\0');
    }
    ck_assert_uint_eq(column, 31);
    ck_assert_int_eq(*y, '\0');
    return missing;
}

/* Whole while the front is there. Then from the oldest snapshot on, row by row the same, and said once. */
START_TEST(rows)
{
    uint64_t rows_n = 0, missing = 0;
    char a[1024], b[1024], words[96];
    rig_open(&rig, (uint64_t)_i + 1);
    rig_snapshot(&rig, 15, 0);
    rig_snapshot(&rig, 25, 0);
    FILE *whole = export("whole.csv");
    ck_assert_ptr_null(strstr(rig.said, "rows begin behind"));
    rig_drop_segment(&rig, 1);
    FILE *rest = export("rest.csv");
    snprintf(words, sizeof words, "rows begin behind input %lu,", rig.n[15]);
    const char *at = strstr(rig.said, words);
    ck_assert_msg(at != NULL && strstr(at + 1, "rows begin") == NULL, "%s", rig.said);
    ck_assert_ptr_nonnull(fgets(a, sizeof a, whole));
    ck_assert_ptr_nonnull(fgets(b, sizeof b, rest));
    ck_assert_str_eq(a, b);
    while (fgets(a, sizeof a, whole) != NULL) {
        if (strtoull(strchr(a, ',') + 1, NULL, 10) <= rig.n[15])
            continue;
        ck_assert_ptr_nonnull(fgets(b, sizeof b, rest));
        missing += expect_row(a, b);
        rows_n++;
    }
    ck_assert_ptr_null(fgets(b, sizeof b, rest));
    ck_assert_uint_gt(rows_n, 10);
    ck_assert_uint_lt(missing, rows_n);
    fclose(whole);
    fclose(rest);
    rig_close(&rig);
}
END_TEST

/* --- difference ----------------------------------------------------------------------------------- */

/* The folder as it is, beside it; then, in the folder, another digest at its last packet, and no end mark. */
static void differ(char copy[96])
{
    char command[256];
    snprintf(copy, 96, "%s/copy", rig.dir);
    snprintf(command, sizeof command, "cp -r '%s' '%s'", rig.folder, copy);
    ck_assert_int_eq(system(command), 0);
    struct memory *j = &rig.journal;
    const uint64_t at = j->block_at[j->number - 2];
    uint8_t *block = j->bytes[at >> 32] + (uint32_t)at;
    block[96 + 8] ^= 1; /* the packet's digest */
    sb_journal_seal((struct sb_journal_block *)(void *)block);
    j->size[2] -= SB_JOURNAL_ALIGN;
    memory_store(j, rig.folder);
}

/* The place is found though both begin late, and not at the same input; the engine runs from the snapshots. */
START_TEST(difference)
{
    char copy[96], path[SB_JOURNAL_FILE_BYTES];
    rig_open(&rig, 2);
    rig_snapshot(&rig, 22, 0);
    rig_snapshot(&rig, 30, 0);
    differ(copy);
    rig_drop_segment(&rig, 1);
    rig_drop_segment(&rig, 2);
    ck_assert_int_eq(unlink(sb_journal_file(path, copy, 1)), 0);
    json_t *o = report(
        1, (const char *const[]){"--journal", rig.folder, "--difference", copy, "--json", NULL});
    ck_assert_str_eq(json_string_value(json_object_get(o, "verdict")), "digest");
    ck_assert_uint_eq((uint64_t)json_integer_value(json_object_get(o, "from")), rig.n[21] + 1);
    ck_assert_uint_eq((uint64_t)json_integer_value(json_object_get(o, "input")), rig.n[LAST]);
    expect_hex(json_string_value(json_object_get(o, "engine_digest")), rig.digest[LAST]);
    ck_assert_str_eq(json_string_value(json_object_get(o, "engine_agrees_with")), copy);
    json_decref(o);

    /* Without one before the place it is said, and the commands without what they make. */
    for (uint32_t k = 22; k <= 30; k += 8)
        ck_assert_int_eq(unlink(sb_snapshot_file(path, rig.folder, rig.n[k])), 0);
    const char *const arguments[] = {"inspect", "--journal", rig.folder, "--difference", copy};
    ck_assert_int_eq(rig_verb(&rig, sb_inspect_main, 5, arguments), 1);
    ck_assert_ptr_nonnull(strstr(rig.said, "and no good snapshot is there"));
    ck_assert_ptr_nonnull(strstr(rig.said, "the digests of all outputs differ"));
    rig_snapshot(&rig, LAST, 0);
    ck_assert_int_eq(rig_verb(&rig, sb_inspect_main, 5, arguments), 1);
    ck_assert_msg(strstr(rig.said, "its oldest snapshot is of input") != NULL, "%s", rig.said);
    rig_close(&rig);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("inspect-behind-snapshot");
    TCase *tc = tcase_create("snapshot");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, state);
    tcase_add_test(tc, snapshot);
    tcase_add_loop_test(tc, rows, 0, 8);
    tcase_add_test(tc, difference);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
