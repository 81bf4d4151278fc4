/* What top shows of given counters.
 *
 * Not covered: the repainting of a screen. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "perf/top_view.h"
#include "perf/verbs.h"

static struct sb_top_sample sample(const char *name, uint64_t at_ns)
{
    struct sb_top_sample s = {.shard = 1, .pid = 42, .alive = true, .count = SB_CTR_COUNT};
    snprintf(s.name, sizeof s.name, "%s", name);
    snprintf(s.path, sizeof s.path, "/dev/shm/shadowbook-1-%s", name);
    s.taken_at_ns = at_ns;
    return s;
}

static char *table(const struct sb_top_sample *now, const struct sb_top_sample *before)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    sb_top_table(out, now, 1, before, before != NULL ? 1 : 0);
    fclose(out);
    return text;
}

START_TEST(the_table_names_role_epoch_rates_and_takeover)
{
    struct sb_top_sample before = sample("B", 1000), now = sample("B", 500001000);
    now.value[SB_CTR_ROLE] = 3;
    now.value[SB_CTR_ARM] = 2;
    now.value[SB_CTR_EPOCH] = 3 << 2 | 2;
    now.value[SB_CTR_LOG_LEN] = 777001;
    before.value[SB_CTR_ENTRY_MESSAGES] = UINT64_C(1) << 40;
    now.value[SB_CTR_ENTRY_MESSAGES] = (UINT64_C(1) << 40) + 4321; /* in half a second */
    now.value[SB_CTR_WENT_LIVE] = 1;
    now.value[SB_CTR_DECIDE_TO_FIRST_NS] = 876;
    now.value[SB_CTR_SUSPECT_AT_NS] = UINT64_C(86400000000000) * 20000 + 3723000000007;
    char *text = table(&now, &before);
    ck_assert_ptr_nonnull(strstr(text, "shadow armed"));
    ck_assert_ptr_nonnull(strstr(text, " 3S "));
    ck_assert_ptr_nonnull(strstr(text, " 777001 "));
    ck_assert_ptr_nonnull(strstr(text, " 8642 "));
    ck_assert_ptr_nonnull(strstr(text, "first frame 876 ns"));
    ck_assert_ptr_nonnull(strstr(text, "suspected 01:02:03.000000007"));
    ck_assert_ptr_nonnull(strstr(text, "no counter of trouble"));
    free(text);
    before.pid = 41; /* restarted: no rate */
    text = table(&now, &before);
    ck_assert_ptr_null(strstr(text, "8642"));
    free(text);
}
END_TEST

START_TEST(trouble_is_shown_with_its_meaning)
{
    struct sb_top_sample now = sample("A", 1);
    now.value[SB_CTR_BAD_TOKEN] = 17;
    now.alive = false;
    char *text = table(&now, NULL);
    ck_assert_ptr_nonnull(strstr(text, "bad_token"));
    ck_assert_ptr_nonnull(strstr(text, "wrong token"));
    ck_assert_ptr_nonnull(strstr(text, " 17 "));
    ck_assert_ptr_nonnull(strstr(text, "gone"));
    ck_assert_ptr_null(strstr(text, "bad_head"));
    ck_assert_ptr_null(strstr(text, "no counter of trouble"));
    free(text);
}
END_TEST

START_TEST(json_has_every_counter)
{
    struct sb_top_sample now[2] = {sample("A", 1), sample("B", 1)};
    now[0].value[SB_CTR_DIGEST] = 0xABC;
    now[1].value[SB_CTR_RELEASED] = UINT64_MAX;
    now[1].value[SB_CTR_ROLE] = 17;
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    sb_top_json(out, now, 2);
    fclose(out);
    for (uint32_t id = 0; id < SB_CTR_COUNT; id++) {
        char name[SB_COUNTER_NAME_BYTES], quoted[SB_COUNTER_NAME_BYTES + 4];
        snprintf(quoted, sizeof quoted, "\"%s\":", sb_counter_name(id, name));
        const char *first = strstr(text, quoted);
        ck_assert_msg(first != NULL && strstr(first + 1, quoted) != NULL, "%s", quoted);
    }
    ck_assert_ptr_nonnull(strstr(text, "\"digest\":\"0000000000000abc\""));
    ck_assert_ptr_nonnull(strstr(text, "\"released\":18446744073709551615"));
    ck_assert_ptr_nonnull(strstr(text, "\"role_name\":\"dual\""));
    ck_assert_int_eq(text[bytes - 1], '\n');
    ck_assert_ptr_eq(strchr(text, '\n'), text + bytes - 1);
    free(text);
}
END_TEST

START_TEST(samples_are_those_of_the_shard)
{
    static struct sb_top_sample samples[SB_COUNTERS_REGIONS_MAX];
    struct sb_counters_file f;
    char name[16];
    snprintf(name, sizeof name, "t%d", (int)getpid());
    ck_assert(sb_counters_create(&f, 65012, name, stderr));
    f.c->value[SB_CTR_TRADES] = 5;
    const size_t all = sb_top_sample_all(samples, SB_COUNTERS_REGIONS_MAX, -1);
    ck_assert_uint_ge(all, 1);
    const size_t n = sb_top_sample_all(samples, SB_COUNTERS_REGIONS_MAX, 65012);
    bool found = false;
    for (size_t i = 0; i < n; i++) {
        ck_assert_uint_eq(samples[i].shard, 65012);
        if (strcmp(samples[i].name, name) == 0) {
            found = true;
            ck_assert(samples[i].alive);
            ck_assert_uint_eq(samples[i].value[SB_CTR_TRADES], 5);
            ck_assert_uint_eq(samples[i].pid, (unsigned)getpid());
        }
    }
    ck_assert(found);
    sb_counters_close(&f);
}
END_TEST

static int top(const char *a, const char *b)
{
    char words[3][32];
    char *argv[4] = {words[0], words[1], words[2], NULL};
    snprintf(words[0], sizeof words[0], "top");
    snprintf(words[1], sizeof words[1], "%s", a);
    snprintf(words[2], sizeof words[2], "%s", b);
    return sb_top_main(3, argv);
}

START_TEST(bad_command_lines_are_refused)
{
    ck_assert_int_eq(top("--shard", "65536"), 2);
    ck_assert_int_eq(top("--shard", "x"), 2);
    ck_assert_int_eq(top("--interval-ms", "9"), 2);
    ck_assert_int_eq(top("--once", "more"), 2);
    ck_assert_int_eq(top("--once", "--nonce"), 2);
}
END_TEST

START_TEST(once_says_by_its_exit_code_whether_there_was_a_process)
{
    /* All of this host: one process is enough for 0, and this one is there. */
    struct sb_counters_file f;
    char name[16];
    snprintf(name, sizeof name, "o%d", (int)getpid());
    ck_assert(sb_counters_create(&f, 65014, name, stderr));
    ck_assert_int_eq(top("--once", "--json"), 0);
    ck_assert_int_eq(top("--once", "--shard=65014"), 0);
    sb_counters_close(&f);
    ck_assert_int_eq(top("--once", "--shard=65014"), 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("top");
    TCase *tests = tcase_create("top");
    suite_add_tcase(suite, tests);
    tcase_add_test(tests, the_table_names_role_epoch_rates_and_takeover);
    tcase_add_test(tests, trouble_is_shown_with_its_meaning);
    tcase_add_test(tests, json_has_every_counter);
    tcase_add_test(tests, samples_are_those_of_the_shard);
    tcase_add_test(tests, bad_command_lines_are_refused);
    tcase_add_test(tests, once_says_by_its_exit_code_whether_there_was_a_process);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
