/* test_rules.c: a journal, or a snapshot in it, that was made under other rules of the engine: every verb that would replay it says
 * so and ends with an error. Hashes and digests are good. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "perf/verbs.h"
#include "tests/recovery/rig.h"

enum { OTHER = SB_ENGINE_RULES + 1, K = 20 };

static struct rig rig;

/* DAY is the first command of the first packet, which stands behind the first segment's head. Every later block knows its
 * predecessor's hash. */
static void change_day(uint16_t rules)
{
    struct memory *j = &rig.journal;
    uint64_t previous = 0;
    for (uint32_t i = 0; i < j->number; i++) {
        struct sb_journal_block *b =
            (void *)(j->bytes[j->block_at[i] >> 32] + (uint32_t)j->block_at[i]);
        if (i == 1) {
            struct sb_command *day =
                (void *)((uint8_t *)(b + 1) + sizeof(struct sb_journal_packet));
            ck_assert_int_eq(day->kind, SB_CMD_DAY);
            ck_assert_uint_eq(sb_command_ext(day)->day.rules, SB_ENGINE_RULES);
            ((union sb_command_ext *)(void *)(day + 1))->day.rules = rules;
        }
        b->previous = previous;
        sb_journal_seal(b);
        previous = b->hash;
    }
    rig_restore(&rig);
}

/* ... of the snapshot behind packet K. */
static void change_snapshot(uint16_t rules)
{
    uint8_t *p = rig.snapshots[K];
    struct sb_snapshot_head *head = (void *)p;
    head->rules = rules;
    head->hash = 0;
    head->hash =
        XXH3_64bits_withSeed(p + sizeof *head, head->image_bytes, XXH3_64bits(head, sizeof *head));
    rig_snapshot(&rig, K, 0);
}

/* Says it, in one line, and has this exit code. */
static void refused(int (*verb)(int argc, char **argv), int code, uint16_t rules,
                    const char *const *arguments)
{
    char words[64];
    int argc = 0;
    while (arguments[argc] != NULL)
        argc++;
    snprintf(words, sizeof words, ": log made under rules version %u, this program has %d\n", rules,
             SB_ENGINE_RULES);
    ck_assert_msg(rig_verb(&rig, verb, argc, arguments) == code, "%s: %s", arguments[0], rig.said);
    const char *said = strstr(rig.said, words);
    ck_assert_msg(said != NULL, "%s: %s", arguments[0], rig.said);
    ck_assert_ptr_null(strstr(said + 1, words));
}

/* export_code: 1 if it is the journal that is refused, 2 if it is what the export begins with. */
static void replays_are_refused(uint16_t rules, int export_code)
{
    char csv[96];
    snprintf(csv, sizeof csv, "%s/csv", rig.dir);
    refused(sb_match_main, 1, rules, (const char *const[]){"match", "--log", rig.folder, NULL});
    refused(sb_snapshot_main, 1, rules,
            (const char *const[]){"snapshot", "--journal", rig.folder, NULL});
    refused(sb_inspect_main, 2, rules,
            (const char *const[]){"inspect", "--journal", rig.folder, "--state", NULL});
    refused(sb_inspect_main, export_code, rules,
            (const char *const[]){"inspect", "--journal", rig.folder, "--export", csv, NULL});
}

START_TEST(journal)
{
    static const uint16_t rules[] = {0, OTHER};
    rig_open(&rig, 1);
    change_day(SB_ENGINE_RULES);
    ck_assert_int_eq(rig_verb(&rig, sb_inspect_main, 3,
                              (const char *const[]){"inspect", "--journal", rig.folder}),
                     0);
    change_day(rules[_i]);
    replays_are_refused(rules[_i], 1);
    /* What needs no engine is shown all the same. */
    refused(sb_inspect_main, 1, rules[_i],
            (const char *const[]){"inspect", "--journal", rig.folder, NULL});
    ck_assert_msg(strstr(rig.said, "segment 00000001: ") != NULL, "%s", rig.said);
    ck_assert_msg(strstr(rig.said, "closed, by an orderly stop") != NULL, "%s", rig.said);
    rig_close(&rig);
}
END_TEST

START_TEST(snapshot)
{
    static const uint16_t rules[] = {0, OTHER};
    char path[SB_SNAPSHOT_PATH_BYTES];
    rig_open(&rig, 1);
    rig_drop_segment(&rig, 1); /* the journal's front is gone: nothing else to begin with */
    change_snapshot(SB_ENGINE_RULES);
    ck_assert_int_eq(
        rig_verb(&rig, sb_match_main, 3, (const char *const[]){"match", "--log", rig.folder}), 0);
    ck_assert_ptr_nonnull(strstr(rig.said, "begins with the snapshot"));
    change_snapshot(rules[_i]);
    replays_are_refused(rules[_i], 2);
    sb_snapshot_file(path, rig.folder, rig.n[K]);
    refused(sb_inspect_main, 2, rules[_i],
            (const char *const[]){"inspect", "--snapshot", path, NULL});
    rig_close(&rig);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("recovery-rules");
    TCase *tc = tcase_create("rules");
    tcase_add_loop_test(tc, journal, 0, 2);
    tcase_add_loop_test(tc, snapshot, 0, 2);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
