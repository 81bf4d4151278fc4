/* test_state.c: the state after an input, worked out by hand; what a running node shows; words of single values. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "perf/inspect_words.h"
#include "replica/counters.h"
#include "tests/inspect/script.h"

struct rig {
    struct script s;
    char log[96], said[8192];
};

static struct rig rig;

/* 6 logs session 1 in; 7 and 8 rest at one price, 9 below them; 10 is rejected; 11 sells 30 to 7 and so leaves 70; 12 and 13,
 * one packet: two sells rest. */
static void rig_open(struct rig *r)
{
    struct script *s = &r->s;
    memset(r, 0, sizeof *r);
    snprintf(r->log, sizeof r->log, "/tmp/shadowbook-test-state-%d", getpid());
    script_open(s, &script_limits, 256);
    script_set_up(s, SB_PHASE_CONTINUOUS);
    script_add(s, (struct sb_command2){.c = {.kind = SB_CMD_LOGIN,
                                             .flags = SB_CMD_F_EXT,
                                             .session = 1,
                                             .session_seq = 1,
                                             .price = 5},
                                       .ext.login = {.ipv4 = 0x0A000102, .port = 4000}});
    script_order(s, 1, 1, SB_BUY, 100, 99000, SB_TIF_DAY, NULL);
    script_order(s, 1, 2, SB_BUY, 20, 99000, SB_TIF_DAY, NULL);
    script_order(s, 2, 1, SB_BUY, 5, 98900, SB_TIF_DAY, NULL);
    script_order(s, 2, 2, SB_SELL, 30, 98950, SB_TIF_IOC, NULL); /* 98950 is no tick: rejected */
    script_order(s, 2, 3, SB_SELL, 30, 99000, SB_TIF_IOC, NULL);
    script_put(s, &(struct sb_command){.kind = SB_CMD_ORDER,
                                       .session = 2,
                                       .key = 4,
                                       .instrument = 1,
                                       .side = SB_SELL,
                                       .quantity = 1,
                                       .price = 100000});
    script_put(s, &(struct sb_command){.kind = SB_CMD_ORDER,
                                       .session = 2,
                                       .key = 5,
                                       .instrument = 1,
                                       .side = SB_SELL,
                                       .quantity = 2,
                                       .price = 100100});
    script_seal(s);
    script_end(s);
    script_store_log(s, r->log, 0);
}

static void rig_close(struct rig *r)
{
    script_close(&r->s);
    unlink(r->log);
}

static void expect_said(const struct rig *r, const char *words)
{
    ck_assert_msg(strstr(r->said, words) != NULL, "no \"%s\" in: %s", words, r->said);
}

static int state(struct rig *r, const char *const *more)
{
    const char *arguments[12] = {"--log", r->log, "--state"};
    for (int i = 0; more[i] != NULL; i++)
        arguments[3 + i] = more[i];
    return script_inspect(r->said, sizeof r->said, arguments);
}

/* A table's row: its cells, with any number of spaces between them. */
static void expect_row(const struct rig *r, const char *cells)
{
    char flat[sizeof r->said];
    size_t n = 0;
    for (const char *p = r->said; *p != '\0'; p++)
        if (*p != ' ' || (n > 0 && flat[n - 1] != ' '))
            flat[n++] = *p;
    flat[n] = '\0';
    ck_assert_msg(strstr(flat, cells) != NULL, "no \"%s\" in: %s", cells, flat);
}

START_TEST(at_the_end)
{
    rig_open(&rig);
    ck_assert_int_eq(state(&rig, (const char *const[]){"--instrument", "AAA", NULL}), 0);
    char words[256];
    snprintf(
        words, sizeof words,
        "state: input 13, time 2026-11-24T08:00:12.000000000Z, digest %016lx, digest_input 13, "
        "state_digest %016lx, recorded_digests equal\n",
        sb_engine_digest(rig.s.m.engine), rig.s.state_digest);
    expect_said(&rig, words);
    expect_said(&rig,
                "day: trading_day 20261124, midnight 2026-11-24T00:00:00.000000000Z, shard 3, "
                "generation 0\n");
    expect_said(&rig, "accepted 6, rejected 1,");
    /* instrument, symbol, phase; buys: orders, levels, at the best, best; sells */
    expect_row(&rig, "\n 1 AAA continuous 3 2 90 9.9000 2 2 1 10.0000\n");
    /* session, firm, operator, last message, next number, last key, login. 1: S, L, A, A, E */
    expect_row(&rig, "\n 1 10 no 1 6 2 10.0.1.2:4000\n");
    expect_row(&rig, "\n 2 20 no 0 7 5 \n"); /* A, J, A, E, A, A */
    expect_row(&rig, "\n 3 30 yes 0 1 0 \n");
    expect_row(&rig, "\n 2 90 9.9000 10.0000 1 1\n 1 5 9.8900 10.0100 2 1\n");
    rig_close(&rig);
}
END_TEST

START_TEST(in_between)
{
    rig_open(&rig);
    /* Before the trade. */
    ck_assert_int_eq(state(&rig, (const char *const[]){"--at", "9", "--instrument", "AAA",
                                                       "--depth", "1", NULL}),
                     0);
    expect_said(&rig, "state: input 9, time 2026-11-24T08:00:08.000000000Z");
    expect_row(&rig, "\n 1 AAA continuous 3 2 120 9.9000 0 0 0 \n");
    expect_row(&rig, "sell_orders\n 2 120 9.9000 \n"); /* one level, nothing on the other side */
    ck_assert_ptr_null(strstr(rig.said, "9.8900"));
    /* Inside a packet, whose digest is that of the packet before. */
    ck_assert_int_eq(state(&rig, (const char *const[]){"--at", "12", NULL}), 0);
    expect_said(&rig, "digest_input 11,");
    expect_row(&rig, "\n 1 AAA continuous 3 2 90 9.9000 1 1 1 10.0000\n");
    rig_close(&rig);
}
END_TEST

START_TEST(refusals)
{
    rig_open(&rig);
    ck_assert_int_eq(state(&rig, (const char *const[]){"--at", "14", NULL}), 2);
    ck_assert_int_eq(state(&rig, (const char *const[]){"--at", "0", NULL}), 2);
    ck_assert_int_eq(state(&rig, (const char *const[]){"--instrument", "BBB", NULL}), 2);
    ck_assert_int_eq(state(&rig, (const char *const[]){"--instrument", "AAAAAAAAAAA", NULL}), 2);
    ck_assert_int_eq(state(&rig, (const char *const[]){"--export", "/nonexistent", NULL}), 2);
    sb_log_packet(&rig.s.log, 8)->digest ^= 1;
    script_store_log(&rig.s, rig.log, 0);
    ck_assert_int_eq(state(&rig, (const char *const[]){NULL}), 1);
    expect_said(&rig, "recorded_digests_different_from 9\n");
    ck_assert_int_eq(state(&rig, (const char *const[]){"--at", "8", NULL}), 0);
    rig_close(&rig);
}
END_TEST

START_TEST(a_running_node)
{
    rig_open(&rig);
    struct sb_counters_file f;
    char name[16];
    snprintf(name, sizeof name, "t%d", getpid());
    ck_assert(sb_counters_create(&f, 1201, name, stderr));
    f.c->value[SB_CTR_ROLE] = 3;
    f.c->value[SB_CTR_ARM] = 2;
    f.c->value[SB_CTR_EPOCH] = 5 << 2 | 1;
    f.c->value[SB_CTR_INCARNATION] = 99;
    f.c->value[SB_CTR_LOG_LEN] = 14;
    f.c->value[SB_CTR_APPLIED] = 13;
    f.c->value[SB_CTR_RELEASED] = 12;
    f.c->value[SB_CTR_DIGEST] = 0xABC;
    f.c->value[SB_CTR_JOURNAL_STATE] = 2;
    f.c->value[SB_CTR_JOURNAL_FAULT] = 1;
    const char *const arguments[] = {"--node", name, "--shard", "1201", "--log", rig.log, NULL};
    ck_assert_int_eq(script_inspect(rig.said, sizeof rig.said, arguments), 0);
    expect_said(&rig, "shard 1201, ");
    expect_said(&rig, "alive yes, ");
    expect_said(&rig,
                "role shadow armed, epoch 5P, incarnation 99, log_length 14, applied 13, released "
                "12, acknowledged 0, digest 0000000000000abc, open_orders 0, journal failed: goes "
                "on without one, journal_fault full disk, journal_durable 0\n");
    expect_said(&rig, "state: input 13, ");
    const char *const json[] = {"--node", name, "--log", rig.log, "--json", NULL};
    ck_assert_int_eq(script_inspect(rig.said, sizeof rig.said, json), 0);
    json_t *o = json_loads(rig.said, JSON_REJECT_DUPLICATES, NULL);
    const char *role, *symbol, *best;
    json_int_t input, last_key;
    ck_assert_int_eq(json_unpack(o, "{s:{s:s},s:{s:I,s:[{s:s,s:s}],s:[{s:I},{},{}]}}", "node",
                                 "role", &role, "state", "input", &input, "instruments", "symbol",
                                 &symbol, "best_buy", &best, "sessions", "last_key", &last_key),
                     0);
    ck_assert_str_eq(role, "shadow armed");
    ck_assert_str_eq(symbol, "AAA");
    ck_assert_str_eq(best, "9.9000");
    ck_assert_int_eq(input, 13);
    ck_assert_int_eq(last_key, 2);
    json_decref(o);
    const char *const other[] = {"--node", name, "--shard", "1202", NULL};
    ck_assert_int_eq(script_inspect(rig.said, sizeof rig.said, other), 2);
    sb_counters_close(&f);
    ck_assert_int_eq(script_inspect(rig.said, sizeof rig.said, arguments), 2);
    rig_close(&rig);
}
END_TEST

START_TEST(values)
{
    ck_assert_str_eq(sb_words_price(0).text, "0.0000");
    ck_assert_str_eq(sb_words_price(-1).text, "-0.0001");
    ck_assert_str_eq(sb_words_price(SB_PRICE_MAX).text, "199999.9900");
    ck_assert_str_eq(sb_words_price(INT64_MIN).text, "-922337203685477.5808");
    ck_assert_str_eq(sb_words_time(0).text, "1970-01-01T00:00:00.000000000Z");
    ck_assert_str_eq(sb_words_time(951782400000000001).text, "2000-02-29T00:00:00.000000001Z");
    ck_assert_str_eq(sb_words_time(UINT64_MAX).text, "2554-07-21T23:34:33.709551615Z");
    ck_assert_str_eq(sb_words_padded("AB \\\x7f  ", 7).text, "AB \\x5c\\x7f");
    ck_assert_str_eq(sb_words_padded("", 0).text, "");
    ck_assert_str_eq(
        sb_words_padded("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 14).text,
        "\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff");
    for (uint32_t i = 0; i < 256; i++) { /* whatever the byte */
        ck_assert_ptr_nonnull(sb_words_reason((uint8_t)i));
        ck_assert_ptr_nonnull(sb_words_side((uint8_t)i));
        ck_assert_ptr_nonnull(sb_words_phase((uint8_t)i));
        ck_assert_ptr_nonnull(sb_words_command_kind((uint8_t)i));
        ck_assert_ptr_nonnull(sb_words_output_kind((uint8_t)i));
    }
    ck_assert_str_eq(sb_words_side(2), "?");
    ck_assert_str_eq(sb_words_reason(SB_REASON_FULL_TERMS + 1), "?");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("inspect-state");
    TCase *tc = tcase_create("state");
    tcase_add_test(tc, at_the_end);
    tcase_add_test(tc, in_between);
    tcase_add_test(tc, refusals);
    tcase_add_test(tc, a_running_node);
    tcase_add_test(tc, values);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
