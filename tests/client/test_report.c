/* The report's arithmetic, on rows whose times are set by hand. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "perf/replay_report.h"
#include "tests/client/venue.h"

enum { ROWS = 10 };
static struct sb_config config;

struct made {
    struct sb_plan plan;
    struct sb_client client;
    struct sb_verify verify;
};

/* Ten orders, one due each 1000 ns from 10000 on, answered 100 ns later. */
static void make(struct made *m)
{
    ck_assert(sb_plan_init(&m->plan, 1));
    for (uint64_t i = 0; i < ROWS; i++)
        ck_assert_ptr_null(sb_plan_add(
            &m->plan,
            &(struct sb_plan_event){
                .op = 'N', .order_id = i + 1, .side = 'B', .quantity = 1, .instrument = 1}));
    ck_assert(sb_plan_finish(&m->plan));
    const struct sb_client_options options = {
        .config = &config, .plan = &m->plan, .window = 8, .speed = 1};
    ck_assert_ptr_null(sb_client_init(&m->client, &options));
    m->client.start_ns = 10000;
    m->client.state = SB_CLIENT_DONE;
    for (uint64_t i = 0; i < ROWS; i++) {
        struct sb_client_row *row = &m->client.rows[i];
        row->intended_ns = 10000 + i * 1000;
        row->answered_ns = row->intended_ns + 100;
        row->timestamp = 500 + i;
        row->answer = 'A';
    }
    m->verify = (struct sb_verify){
        .trades_equal = true, .sessions_equal = true, .feed_equal = true, .books_equal = true};
}

static void unmake(struct made *m)
{
    sb_client_free(&m->client);
    sb_plan_free(&m->plan);
}

START_TEST(percentiles)
{
    uint64_t ns[1000];
    for (uint64_t i = 0; i < 1000; i++)
        ns[i] = i + 1;
    const struct sb_latencies l = {.ns = ns, .n = 1000};
    ck_assert_uint_eq(sb_latencies_at(&l, 0.5), 500);
    ck_assert_uint_eq(sb_latencies_at(&l, 0.99), 990);
    ck_assert_uint_eq(sb_latencies_at(&l, 0.999), 999);
    ck_assert_uint_eq(sb_latencies_at(&l, 0.9999), 1000);
    ck_assert_uint_eq(sb_latencies_at(&l, 1), 1000);
    ck_assert_uint_eq(sb_latencies_at(&l, 0), 1);
    ck_assert_uint_eq(sb_latencies_at(&(struct sb_latencies){0}, 0.5), 0);
}
END_TEST

START_TEST(without_a_fault)
{
    struct made m = {0};
    struct sb_replay_report r;
    make(&m);
    ck_assert(sb_replay_report_make(&r, &m.client, &m.verify, false, 0, 0, false));
    ck_assert_str_eq(r.result, "ok");
    ck_assert_uint_eq(r.gap_ns, 100); /* idle time between messages is no gap */
    ck_assert_uint_eq(r.latencies[SB_FAULT_BEFORE].n, ROWS);
    ck_assert_uint_eq(r.wall_ns, 9100);
    sb_replay_report_free(&r);
    unmake(&m);
}
END_TEST

/* Fault at 14500: rows 5, 6, 7 (due at 15000, 16000, 17000) are answered at 17600, the rest as before. */
START_TEST(with_a_fault)
{
    struct made m = {0};
    struct sb_replay_report r;
    make(&m);
    for (int i = 5; i <= 7; i++)
        m.client.rows[i].answered_ns = 17600;
    ck_assert(sb_replay_report_make(&r, &m.client, &m.verify, false, 0, 14500, false));
    ck_assert_uint_eq(r.gap_ns, 2600);
    ck_assert_uint_eq(r.gap_began_ns, 15000);
    ck_assert_uint_eq(r.fault_gap_ns, 2600);
    ck_assert_uint_eq(r.fault_end_ns, 17600);
    ck_assert_uint_eq(r.latencies[SB_FAULT_BEFORE].n, 5);
    ck_assert_uint_eq(r.latencies[SB_FAULT_DURING].n, 3);
    ck_assert_uint_eq(r.latencies[SB_FAULT_AFTER].n, 2);
    ck_assert_uint_eq(sb_latencies_at(&r.latencies[SB_FAULT_DURING], 1), 2600);
    ck_assert_uint_eq(sb_latencies_at(&r.latencies[SB_FAULT_DURING], 0.1), 600);
    sb_replay_report_free(&r);
    unmake(&m);
}
END_TEST

static void expect(struct made *m, bool interrupted, const char *word)
{
    struct sb_replay_report r;
    ck_assert(sb_replay_report_make(&r, &m->client, &m->verify, false, 0, 0, interrupted));
    ck_assert_msg(strstr(r.result, word) != NULL, "%s, expected %s", r.result, word);
    sb_replay_report_free(&r);
}

START_TEST(every_fault_has_its_word)
{
    struct made m = {0};
    make(&m);
    expect(&m, true, "interrupted");
    m.client.state = SB_CLIENT_NO_SERVICE;
    expect(&m, false, "no service");
    m.client.state = SB_CLIENT_SESSION_IN_USE;
    expect(&m, false, "used before");
    m.client.state = SB_CLIENT_DONE;
    m.verify.trades_equal = false;
    expect(&m, false, "trades differ");
    m.verify.trades_equal = true;
    m.verify.sessions_equal = false;
    expect(&m, false, "streams differ");
    m.verify.sessions_equal = true;
    m.verify.books_equal = false;
    expect(&m, false, "books differ");
    m.verify.books_equal = true;
    m.client.counters.answer_errors = 1;
    expect(&m, false, "fits nothing");
    m.client.counters.answer_errors = 0;
    m.client.feed.names_n = 2;
    expect(&m, false, "name");
    m.client.feed.names_n = 1;
    m.client.feed.end = m.client.feed.next + 1;
    expect(&m, false, "gap");
    m.client.feed.end = m.client.feed.next;
    expect(&m, false, "ok");
    m.client.sessions[1].stream.counters.conflicting = 1;
    expect(&m, false, "other bytes");
    unmake(&m);
}
END_TEST

START_TEST(acknowledgements_file)
{
    struct made m = {0};
    struct sb_replay_report r;
    char text[1024] = "";
    make(&m);
    m.client.rows[1].answer = 0;
    ck_assert(sb_replay_report_make(&r, &m.client, &m.verify, false, 0, 0, false));
    FILE *f = fmemopen(text, sizeof text - 1, "w");
    sb_replay_report_acks(&r, f);
    fclose(f);
    ck_assert_ptr_eq(strstr(text, "session,message_seq,key,kind,timestamp,intended_ns,answered_ns\n"
                                  "1,1,1,N,500,10000,10100\n1,3,3,N,502,12000,12100\n"),
                     text);
    sb_replay_report_free(&r);
    unmake(&m);
}
END_TEST

int main(void)
{
    venue_config(&config, 1, 1);
    Suite *suite = suite_create("report");
    TCase *tcase = tcase_create("report");
    tcase_add_test(tcase, percentiles);
    tcase_add_test(tcase, without_a_fault);
    tcase_add_test(tcase, with_a_fault);
    tcase_add_test(tcase, every_fault_has_its_word);
    tcase_add_test(tcase, acknowledgements_file);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    venue_config_free(&config);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
