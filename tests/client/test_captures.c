/* Real flow: through the client and a toy venue behind a bad network, every trade that the real venue made; and through a
 * packet capture and back, the same rows. Captures are taken from SHADOWBOOK_SHARED (skipped without). */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "perf/flow.h"
#include "perf/pcap_plan.h"
#include "perf/plan_flow.h"
#include "perf/verify.h"
#include "tests/client/venue.h"

static struct sb_config config;
static const char *shared;

static const char *capture(const char *name, const char *what)
{
    static char path[2][1024];
    static int turn;
    turn = !turn;
    snprintf(path[turn], sizeof path[turn], "%s/captures/%s.%s.csv.xz", shared, name, what);
    return path[turn];
}

START_TEST(every_trade)
{
    struct sb_plan plan;
    struct venue venue;
    struct sb_client client;
    struct sb_verify_trades expected = {0};
    struct sb_verify verify;
    const char *name = "sse-20230711-601825";
    ck_assert(sb_plan_init(&plan, 1));
    ck_assert(sb_plan_flow_read(capture(name, "flow"), &plan, &config, stderr));
    ck_assert(sb_plan_flow_trades(capture(name, "trades"), &expected, stderr));
    venue_init(&venue, &config, 3);
    venue.loss_percent = 3;
    venue.repeat_percent = 5;
    venue.delay_ns_max = 200000;
    const struct sb_client_options options = {.config = &config,
                                              .plan = &plan,
                                              .window = SB_CLIENT_WINDOW_DEFAULT,
                                              .give_up_ns = UINT64_C(5000000000),
                                              .nonce = 1};
    ck_assert_ptr_null(sb_client_init(&client, &options));
    venue_run(&venue, &client, UINT64_C(600000000000));
    ck_assert_int_eq(client.state, SB_CLIENT_DONE);
    ck_assert(sb_verify_run(&verify, &client, &expected));
    ck_assert_str_eq(verify.trades_difference, "");
    ck_assert_str_eq(verify.sessions_difference, "");
    ck_assert_str_eq(verify.books_difference, "");
    ck_assert(verify.trades_equal && verify.sessions_equal && verify.feed_equal &&
              verify.books_equal);
    ck_assert_uint_eq(verify.seen.n, 5370); /* as the captures' README says */
    ck_assert_uint_gt(client.counters.resent, 0);
    ck_assert_uint_eq(client.book.errors + client.counters.answer_errors, 0);
    sb_verify_free(&verify);
    sb_client_free(&client);
    venue_free(&venue);
    sb_plan_free(&plan);
    free(expected.at);
}
END_TEST

static void same_rows(const char *path_a, const char *path_b, uint32_t rows)
{
    char error[SB_LINES_ERROR_BYTES];
    struct sb_lines *a = sb_lines_open(path_a, error), *b = sb_lines_open(path_b, error);
    ck_assert(a && b);
    uint32_t n = 0;
    char *line_a, *line_b;
    size_t length;
    while (sb_lines_next(a, &line_a, &length) == 1) {
        ck_assert_int_eq(sb_lines_next(b, &line_b, &length), 1);
        ck_assert_str_eq(line_a, line_b);
        n++;
    }
    ck_assert_int_eq(sb_lines_next(b, &line_b, &length), 0);
    ck_assert_uint_eq(n, rows + 1); /* and the header */
    sb_lines_close(a);
    sb_lines_close(b);
}

START_TEST(through_a_capture_and_back)
{
    static const struct {
        const char *name;
        uint32_t rows;
    } captures[] = {{"sse-20230711-600761", 46130},
                    {"sse-20230711-601825", 11239},
                    {"sse-20230711-605580", 33996},
                    {"lobster-20120621-AAPL", 88971}};
    struct sb_plan plan;
    ck_assert(sb_plan_init(&plan, 1 + (uint32_t)_i));
    ck_assert(sb_plan_flow_read(capture(captures[_i].name, "flow"), &plan, &config, stderr));
    ck_assert(sb_pcap_plan_write("captures-test.pcap", &plan, &config, stderr));
    sb_plan_free(&plan);
    ck_assert(sb_plan_init(&plan, 1));
    ck_assert(sb_pcap_plan_read("captures-test.pcap", &plan, &config, stderr));
    ck_assert(sb_plan_flow_write("captures-test.csv", &plan, &config, stderr));
    sb_plan_free(&plan);
    same_rows(capture(captures[_i].name, "flow"), "captures-test.csv", captures[_i].rows);
    unlink("captures-test.pcap");
    unlink("captures-test.csv");
}
END_TEST

int main(void)
{
    shared = getenv("SHADOWBOOK_SHARED");
    if (!shared)
        shared = SB_SHARED_DEFAULT;
    if (access(capture("sse-20230711-601825", "flow"), R_OK) != 0) {
        printf("SKIP: no captures in %s (SHADOWBOOK_SHARED)\n", shared);
        return 77;
    }
    venue_config(&config, 4, 1);
    config.instruments[1].quantity_max = SB_QUANTITY_MAX / 2;
    Suite *suite = suite_create("captures");
    TCase *tcase = tcase_create("captures");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, every_trade);
    tcase_add_loop_test(tcase, through_a_capture_and_back, 0, 4);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    venue_config_free(&config);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
