/* test_match_log.c: an input log through the engine alone. The digests are not those of a node here: how many differ is known
 * beforehand. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "perf/match_log.h"
#include "replica/log_file.h"

enum { LOG_LINES = 64 };

struct rig {
    char dir[64], log_path[96], acks_path[96];
    uint8_t *mem;
    struct sb_log log;
    char said[512];
};

static void add(struct rig *r, struct sb_command2 c)
{
    c.c.seq = r->log.len + 1;
    c.c.time_ns = 1000 + c.c.seq;
    const uint16_t lines = (uint16_t)sb_command_lines(&c.c);
    memcpy(sb_log_begin(&r->log), &c, (size_t)lines * SB_LINE_BYTES);
    sb_log_commit(&r->log, 1, lines);
}

static void add_cancel(struct rig *r, uint32_t session, uint64_t session_seq)
{
    add(r, (struct sb_command2){.c = {.kind = SB_CMD_CANCEL,
                                      .session = session,
                                      .session_seq = session_seq,
                                      .key = 100 + (uint32_t)session_seq}});
}

static void rig_open(struct rig *r)
{
    memset(r, 0, sizeof *r);
    strcpy(r->dir, "/tmp/shadowbook-test-match-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(r->dir));
    snprintf(r->log_path, sizeof r->log_path, "%s/log", r->dir);
    snprintf(r->acks_path, sizeof r->acks_path, "%s/acks.csv", r->dir);
    r->mem = aligned_alloc(64, (size_t)LOG_LINES * 2 * SB_LINE_BYTES);
    memset(r->mem, 0, (size_t)LOG_LINES * 2 * SB_LINE_BYTES);
    struct sb_arena arena = {.base = r->mem, .size = (size_t)LOG_LINES * 2 * SB_LINE_BYTES};
    sb_log_init(&r->log, &arena, LOG_LINES);
    add(r,
        (struct sb_command2){
            .c = {.kind = SB_CMD_DAY, .flags = SB_CMD_F_EXT},
            .ext.day = {.midnight_ns = 1000, .trading_day = 20231114, .rules = SB_ENGINE_RULES}});
    for (uint32_t s = 1; s <= 2; s++)
        add(r, (struct sb_command2){
                   .c = {.kind = SB_CMD_SESSION, .flags = SB_CMD_F_EXT, .key = s, .firm = s}});
}

static void rig_close(struct rig *r)
{
    unlink(r->log_path);
    unlink(r->acks_path);
    ck_assert_int_eq(rmdir(r->dir), 0);
    free(r->mem);
}

static bool run(struct rig *r, const char *acks, struct sb_match_log_result *result)
{
    const struct sb_log_file_head head = {.magic = SB_LOG_FILE_MAGIC,
                                          .version = SB_LOG_FILE_VERSION,
                                          .n_first = 1,
                                          .limits = {.instruments_max = 1,
                                                     .sessions_max = 2,
                                                     .orders_max = 64,
                                                     .levels_max = 64,
                                                     .terms_max = 64}};
    ck_assert(sb_log_file_write(r->log_path, &head, &r->log, r->log.len, 0, stderr));
    if (acks != NULL) {
        FILE *f = fopen(r->acks_path, "w");
        ck_assert_ptr_nonnull(f);
        ck_assert_int_ge(fputs(acks, f), 0);
        fclose(f);
    }
    memset(r->said, 0, sizeof r->said);
    FILE *err = fmemopen(r->said, sizeof r->said - 1, "w");
    const bool good =
        sb_match_log_run(r->log_path, acks != NULL ? r->acks_path : NULL, false, result, err);
    fclose(err);
    return good;
}

START_TEST(acknowledgements)
{
    struct rig r;
    struct sb_match_log_result result;
    rig_open(&r);
    add_cancel(&r, 1, 1);
    add_cancel(&r, 2, 1);
    add_cancel(&r, 1, 0); /* not numbered */
    add_cancel(&r, 1, 2);
    ck_assert(run(&r, "heading\n1,1,101,C,4\n2,1,101,C,5\n1,2,102,C,7\n", &result));
    ck_assert_uint_eq(result.inputs, 7);
    ck_assert_uint_eq(result.packets, 7);
    ck_assert_uint_eq(result.acknowledged, 3);
    ck_assert_uint_eq(result.lost, 0);
    ck_assert_str_eq(r.said, "");
    /* another time, another key, a number that is not there (0, 3), a session that is not there (0, 3) */
    ck_assert(run(&r,
                  "heading\n1,1,101,C,5\n1,1,100,C,4\n1,3,103,C,8\n1,0,100,C,6\n3,1,101,C,4\n"
                  "0,1,101,C,4\n1,18446744073709551615,101,C,4\n",
                  &result));
    ck_assert_uint_eq(result.acknowledged, 7);
    ck_assert_uint_eq(result.lost, 7);
    ck_assert_ptr_nonnull(strstr(r.said, "acks.csv:2: acknowledged, but different in the log"));
    ck_assert(!run(&r, "heading\n1,1,101,C,4\n1,1,101,C\n", &result));
    ck_assert_ptr_nonnull(strstr(r.said, "acks.csv:3: not session,message_seq"));
    rig_close(&r);
}
END_TEST

/* A session's messages are numbered without a hole: a log in which they are not is refused, whatever the number. */
START_TEST(message_numbers)
{
    static const uint64_t numbers[] = {1, 3, 1u << 20, UINT64_C(1) << 61, UINT64_MAX};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        struct rig r;
        struct sb_match_log_result result;
        rig_open(&r);
        add_cancel(&r, 1, 1);
        add_cancel(&r, 1, numbers[i]);
        ck_assert(!run(&r, NULL, &result));
        ck_assert_ptr_eq(strstr(r.said, r.log_path), r.said);
        ck_assert_ptr_nonnull(strstr(r.said, "input 5: "));
        rig_close(&r);
    }
}
END_TEST

/* A log made under other rules: 0 is that of a program whose logs had no such number. */
START_TEST(other_rules)
{
    static const uint16_t rules[] = {0, SB_ENGINE_RULES + 1};
    struct rig r;
    struct sb_match_log_result result;
    char words[64];
    rig_open(&r);
    union sb_command_ext *day = (union sb_command_ext *)(void *)&r.log.lines[1];
    day->day.rules = rules[_i];
    ck_assert(!run(&r, NULL, &result));
    snprintf(words, sizeof words, ": log made under rules version %u, this program has 2\n",
             rules[_i]);
    ck_assert_str_eq(r.said + strlen(r.log_path), words);
    ck_assert_int_eq(sb_match_log_main(r.log_path, NULL, false, false), 1);
    day->day.rules = 2;
    ck_assert(run(&r, NULL, &result));
    ck_assert_uint_eq(result.inputs, 3);
    rig_close(&r);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("match-log");
    TCase *tcase = tcase_create("match-log");
    tcase_add_test(tcase, acknowledgements);
    tcase_add_test(tcase, message_numbers);
    tcase_add_loop_test(tcase, other_rules, 0, 2);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
