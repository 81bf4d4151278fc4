/* What failover makes of command lines and of reports, its sums against values worked out by hand, and what it writes of them.
 *
 * Not covered here: processes (pretended.sh), the real script (failover.sh), how the picture looks. */
#include <check.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "perf/failover_report.h"

/* --- command lines ----------------------------------------------------------------------------------------- */

static int arguments(struct sb_failover_options *o, const char *line)
{
    static char words[512];
    char *argv[32] = {words}, *rest = NULL;
    int argc = 0;
    snprintf(words, sizeof words, "failover %s", line);
    for (char *w = strtok_r(words, " ", &rest); w != NULL; w = strtok_r(NULL, " ", &rest))
        argv[argc++] = w;
    argv[argc] = NULL;
    return sb_failover_arguments(o, argc, argv);
}

START_TEST(good_command_lines)
{
    struct sb_failover_options o;
    ck_assert_int_eq(arguments(&o, "--trials 30"), 0);
    ck_assert_uint_eq(o.trials, 30);
    ck_assert_uint_eq(o.faults_n, 3);
    ck_assert_str_eq(o.faults[0], "primary-kill");
    ck_assert_str_eq(o.faults[1], "primary-stop");
    ck_assert_str_eq(o.faults[2], "primary-segv");
    ck_assert_ptr_null(o.plot);
    ck_assert_int_eq(arguments(&o, "--trials 1 --fault shadow-kill,primary-stop-100ms --seed 7 "
                                   "--plot a.png --report b --events 500 --limit-s 9"),
                     0);
    ck_assert_uint_eq(o.faults_n, 2);
    ck_assert_str_eq(o.faults[1], "primary-stop-100ms");
    ck_assert_uint_eq(o.seed, 7);
    ck_assert_uint_eq(o.limit_s, 9);
    ck_assert_str_eq(o.passed[SB_FAILOVER_EVENTS], "500");
    ck_assert_int_eq(arguments(&o, "--help"), 1);
}
END_TEST

START_TEST(bad_command_lines)
{
    static const char *const lines[] = {
        "",
        "--trials 0",
        "--trials 100001",
        "--trials 3x",
        "--trials 3 more",
        "--trials 3 --nonsense",
        "--trials 3 --fault ,",
        "--trials 3 --fault primary-kill,",
        "--trials 3 --fault Primary",
        "--trials 3 --fault a,b,a",
        "--trials 3 --fault a-name-of-more-than-31-characters",
        "--trials 3 --plot picture.jpg",
        "--trials 3 --plot .png",
        "--trials 3 --limit-s 0",
        "--trials 3 --seed -1",
        /* 33 names */
        "--trials 3 --fault a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w,x,y,z,0,1,2,3,4,5,6",
    };
    struct sb_failover_options o;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        ck_assert_msg(arguments(&o, lines[i]) == 2, "accepted: %s", lines[i]);
}
END_TEST

START_TEST(a_trial_follows_from_seed_and_number)
{
    struct sb_failover_options o, other;
    bool seen[99] = {false};
    unsigned points = 0, different = 0;
    ck_assert_int_eq(arguments(&o, "--trials 3 --fault a,b --seed 1"), 0);
    ck_assert_int_eq(arguments(&other, "--trials 9 --fault a,b --seed 2"), 0);
    for (uint64_t i = 1; i <= 2000; i++) {
        const struct sb_failover_trial t = sb_failover_plan(&o, i), again = sb_failover_plan(&o, i);
        ck_assert_uint_eq(t.number, i);
        ck_assert_uint_eq(t.fault, (i - 1) % 2); /* in turn */
        ck_assert_uint_ge(t.at_percent, 1);
        ck_assert_uint_le(t.at_percent, 98);
        ck_assert_uint_ge(t.flow_seed, 1);
        ck_assert_uint_eq(t.at_percent, again.at_percent);
        ck_assert_uint_eq(t.flow_seed, again.flow_seed);
        different += t.flow_seed != sb_failover_plan(&other, i).flow_seed;
        points += !seen[t.at_percent];
        seen[t.at_percent] = true;
    }
    ck_assert_uint_eq(points, 98); /* all of them come */
    ck_assert_uint_ge(different, 1990);
}
END_TEST

START_TEST(the_script_gets_its_arguments)
{
    struct sb_failover_options o;
    struct sb_failover_command c;
    char *text = NULL;
    size_t bytes = 0;
    ck_assert_int_eq(arguments(&o, "--trials 3 --fault primary-segv --flow it's.csv --events 9"),
                     0);
    const struct sb_failover_trial t = {.number = 1, .at_percent = 42, .flow_seed = 17};
    ck_assert(sb_failover_command(&c, &o, &t, "scripts/run", "kept"));
    FILE *out = open_memstream(&text, &bytes);
    sb_failover_command_print(&c, out);
    fclose(out);
    ck_assert_str_eq(text, "scripts/run --fault primary-segv --at 42 --seed 17 --events 9 "
                           "--flow 'it'\\''s.csv' --report kept/report.json --keep kept");
    free(text);
    char folder[SB_FAILOVER_PATH_BYTES];
    memset(folder, 'x', sizeof folder);
    folder[sizeof folder - 1] = '\0';
    ck_assert(!sb_failover_command(&c, &o, &t, "scripts/run", folder));
}
END_TEST

/* --- reports ----------------------------------------------------------------------------------------------- */

#define TAKEOVER                                                                                   \
    "\"takeover\":{\"fault_to_suspect_ns\":25214464,\"suspect_to_decide_ns\":63279616,"            \
    "\"decide_to_first_frame_ns\":971,\"client_gap_ns\":91230700.5}"
#define COUNTS "\"lost\":0,\"conflicting\":0,\"digest_equal\":true,\"needless_takeovers\":2"
#define FLOOR                                                                                      \
    "\"floor_ns\":{\"count\":5000,\"p50\":3217,\"p90\":3537,\"p99\":4975,\"p99.9\":8019967,"       \
    "\"max\":16061050}"

static struct sb_failover_trial read_text(const char *text)
{
    struct sb_failover_trial t = {.number = 5, .at_percent = 3, .fault = 1};
    char path[32];
    const int file = memfd_create("report", 0); /* leaves nothing behind, whatever fails */
    ck_assert_int_ge(file, 0);
    ck_assert_int_eq(write(file, text, strlen(text)), (ssize_t)strlen(text));
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    ck_assert(sb_failover_read(&t, path) == t.judged);
    close(file);
    ck_assert_uint_eq(t.number, 5); /* what was planned stays */
    ck_assert_uint_eq(t.fault, 1);
    return t;
}

START_TEST(a_whole_report)
{
    const struct sb_failover_trial t =
        read_text("{\"result\":\"ok\"," COUNTS "," TAKEOVER "," FLOOR ",\"more\":[1]}");
    ck_assert(t.judged && t.ok && t.states_equal);
    ck_assert_int_eq(t.needless, 2); /* untidy, not wrong */
    ck_assert_uint_eq(t.ns[SB_FAILOVER_DETECTION], 25214464);
    ck_assert_uint_eq(t.ns[SB_FAILOVER_DECISION], 63279616);
    ck_assert_uint_eq(t.ns[SB_FAILOVER_SWITCH], 971);
    ck_assert_uint_eq(t.ns[SB_FAILOVER_GAP], 91230700);
    ck_assert_uint_eq(t.floor.n, 5000);
    ck_assert_uint_eq(t.floor.at[SB_FAILOVER_P50], 3217);
    ck_assert_uint_eq(t.floor.at[SB_FAILOVER_P999], 8019967);
    ck_assert_uint_eq(t.floor.at[SB_FAILOVER_MAX], 16061050);
}
END_TEST

START_TEST(a_report_without_takeover_and_floor)
{
    const struct sb_failover_trial t =
        read_text("{\"result\":\"ok\"," COUNTS ",\"floor_ns\":null,"
                  "\"takeover\":{\"fault_to_suspect_ns\":null,\"suspect_to_decide_ns\":null,"
                  "\"decide_to_first_frame_ns\":null,\"client_gap_ns\":256}}");
    ck_assert(t.judged && t.ok);
    ck_assert_uint_eq(t.ns[SB_FAILOVER_DETECTION], SB_FAILOVER_NONE);
    ck_assert_uint_eq(t.ns[SB_FAILOVER_SWITCH], SB_FAILOVER_NONE);
    ck_assert_uint_eq(t.ns[SB_FAILOVER_GAP], 256);
    ck_assert_uint_eq(t.floor.n, 0);
}
END_TEST

START_TEST(a_good_result_is_not_believed_against_its_counts)
{
    static const char *const counts[] = {
        "\"lost\":1,\"conflicting\":0,\"digest_equal\":true,\"needless_takeovers\":0",
        "\"lost\":-1,\"conflicting\":0,\"digest_equal\":true,\"needless_takeovers\":0",
        "\"lost\":0,\"conflicting\":3,\"digest_equal\":true,\"needless_takeovers\":0",
        "\"lost\":0,\"conflicting\":0,\"digest_equal\":false,\"needless_takeovers\":0",
    };
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        char text[512];
        snprintf(text, sizeof text, "{\"result\":\"ok\",%s," TAKEOVER "}", counts[i]);
        const struct sb_failover_trial t = read_text(text);
        ck_assert(t.judged && !t.ok);
        ck_assert_ptr_nonnull(strstr(t.why, "called ok, but lost"));
    }
    const struct sb_failover_trial t =
        read_text("{\"result\":\"trades differ \\u2260\"," COUNTS "," TAKEOVER "}");
    ck_assert(t.judged && !t.ok);
    ck_assert_str_eq(t.why, "trades differ ???"); /* three bytes of UTF-8 */
}
END_TEST

START_TEST(cut_and_partial_reports)
{
    static const struct {
        const char *text, *why;
    } bad[] = {
        {"", "no report"},
        {"{\"result\":\"ok\",\"lost\":", "no report"},
        {"{\"result\":\"ok\",\"result\":\"ok\"}", "no report"},
        {"[]", "'result'"},
        {"{}", "'result'"},
        {"{\"result\":true," COUNTS "," TAKEOVER "}", "'result'"},
        {"{\"result\":\"ok\"," TAKEOVER "}", "'lost'"},
        {"{\"result\":\"ok\",\"lost\":\"0\"}", "'lost'"},
        {"{\"result\":\"ok\",\"lost\":0.5}", "'lost'"},
        {"{\"result\":\"ok\",\"lost\":null}", "'lost'"},
        {"{\"result\":\"ok\",\"lost\":0}", "'conflicting'"},
        {"{\"result\":\"ok\",\"lost\":0,\"conflicting\":0}", "'needless_takeovers'"},
        {"{\"result\":\"ok\",\"lost\":0,\"conflicting\":0,\"needless_takeovers\":0,"
         "\"digest_equal\":1}",
         "'digest_equal'"},
        {"{\"result\":\"ok\"," COUNTS "}", "'takeover'"},
        {"{\"result\":\"ok\"," COUNTS ",\"takeover\":[]}", "'takeover'"},
        {"{\"result\":\"ok\"," COUNTS ",\"takeover\":{}}", "'fault_to_suspect_ns'"},
        {"{\"result\":\"ok\"," COUNTS ",\"takeover\":{\"fault_to_suspect_ns\":-1}}",
         "'fault_to_suspect_ns'"},
        {"{\"result\":\"ok\"," COUNTS ",\"takeover\":{\"fault_to_suspect_ns\":1,"
         "\"suspect_to_decide_ns\":\"2\"}}",
         "'suspect_to_decide_ns'"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const struct sb_failover_trial t = read_text(bad[i].text);
        ck_assert_msg(!t.judged && !t.ok && strstr(t.why, bad[i].why) != NULL, "%s: %s",
                      bad[i].text, t.why);
        ck_assert_uint_eq(t.ns[SB_FAILOVER_DETECTION], SB_FAILOVER_NONE); /* nothing is half read */
        ck_assert(!t.states_equal);
    }
    struct sb_failover_trial t = {0};
    ck_assert(!sb_failover_read(&t, "none/report.json"));
    ck_assert_ptr_nonnull(strstr(t.why, "no report"));
}
END_TEST

/* --- sums -------------------------------------------------------------------------------------------------- */

START_TEST(percentiles_by_hand)
{
    uint64_t ns[1000];
    for (uint64_t i = 0; i < 1000; i++)
        ns[i] = (i * 387 + 11) % 1000 + 1; /* 1 to 1000, shuffled: 387 and 1000 share no factor */
    struct sb_failover_spread s = sb_failover_spread(ns, 1000);
    ck_assert_uint_eq(s.n, 1000);
    ck_assert_uint_eq(s.min, 1);
    ck_assert_uint_eq(s.p25, 250);
    ck_assert_uint_eq(s.at[SB_FAILOVER_P50], 500);
    ck_assert_uint_eq(s.p75, 750);
    ck_assert_uint_eq(s.at[SB_FAILOVER_P90], 900);
    ck_assert_uint_eq(s.at[SB_FAILOVER_P99], 990);
    ck_assert_uint_eq(s.at[SB_FAILOVER_P999], 999);
    ck_assert_uint_eq(s.at[SB_FAILOVER_MAX], 1000);
    uint64_t few[] = {70, 10, 30, 20, 50, 40, 60};
    s = sb_failover_spread(few, 7);
    ck_assert_uint_eq(s.at[SB_FAILOVER_P50], 40); /* rank ceil(3.5) */
    ck_assert_uint_eq(s.p25, 20);                 /* rank ceil(1.75) */
    ck_assert_uint_eq(s.p75, 60);                 /* rank ceil(5.25) */
    ck_assert_uint_eq(s.at[SB_FAILOVER_MAX], 70);
}
END_TEST

START_TEST(a_percentile_takes_enough_values)
{
    static const struct {
        uint64_t n;
        enum sb_failover_point from; /* the first that there is not */
    } cases[] = {{1, SB_FAILOVER_P50},    {2, SB_FAILOVER_P90},   {9, SB_FAILOVER_P90},
                 {10, SB_FAILOVER_P99},   {99, SB_FAILOVER_P99},  {100, SB_FAILOVER_P999},
                 {999, SB_FAILOVER_P999}, {1000, SB_FAILOVER_MAX}};
    uint64_t ns[1000] = {0};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct sb_failover_spread s = sb_failover_spread(ns, cases[i].n);
        for (int p = 0; p < SB_FAILOVER_MAX; p++)
            ck_assert_msg((s.at[p] == SB_FAILOVER_NONE) == (p >= (int)cases[i].from),
                          "n %d, point %d", (int)cases[i].n, p);
        ck_assert_uint_eq(s.at[SB_FAILOVER_MAX], 0);
    }
    const struct sb_failover_spread none = sb_failover_spread(ns, 0);
    ck_assert_uint_eq(none.min, SB_FAILOVER_NONE);
    ck_assert_uint_eq(none.at[SB_FAILOVER_MAX], SB_FAILOVER_NONE);
}
END_TEST

static const struct sb_failover_trial TRIALS[] = {
    {.number = 1,
     .fault = 0,
     .at_percent = 10,
     .judged = true,
     .ok = true,
     .states_equal = true,
     .ns = {25000000, 55000000, 900, 81000000}},
    {.number = 2,
     .fault = 1,
     .at_percent = 20,
     .judged = true,
     .ok = true,
     .states_equal = true,
     .needless = 1,
     .ns = {SB_FAILOVER_NONE, SB_FAILOVER_NONE, SB_FAILOVER_NONE, 250000000}},
    {.number = 3,
     .fault = 0,
     .at_percent = 30,
     .judged = true,
     .lost = 2,
     .conflicting = 1,
     .why = "it's 2 lost",
     .ns = {27000000, 0, 700, 83000000}},
    {.number = 4,
     .fault = 1,
     .at_percent = 40,
     .why = "no report",
     .ns = {SB_FAILOVER_NONE, SB_FAILOVER_NONE, SB_FAILOVER_NONE, SB_FAILOVER_NONE}},
    {.number = 5,
     .fault = 0,
     .at_percent = 50,
     .judged = true,
     .lost = -1,
     .why = "log unreadable",
     .ns = {26000000, 54000000, 800, 82000000}},
};
enum { TRIALS_N = sizeof TRIALS / sizeof TRIALS[0] };

START_TEST(sums_are_each_faults_own)
{
    struct sb_failover_sum s;
    ck_assert(sb_failover_sum(&s, TRIALS, TRIALS_N, 0));
    ck_assert_uint_eq(s.trials, 3);
    ck_assert_uint_eq(s.passed, 1);
    ck_assert_uint_eq(s.judged, 3);
    ck_assert_uint_eq(s.states_equal, 1);
    ck_assert_uint_eq(s.lost, 2); /* what could not be counted is not taken off */
    ck_assert_uint_eq(s.conflicting, 1);
    ck_assert_uint_eq(s.spans[SB_FAILOVER_SWITCH].n, 3); /* failed trials' times count too */
    ck_assert_uint_eq(s.spans[SB_FAILOVER_SWITCH].at[SB_FAILOVER_P50], 800);
    ck_assert_uint_eq(s.spans[SB_FAILOVER_DETECTION].at[SB_FAILOVER_MAX], 27000000);
    ck_assert(sb_failover_sum(&s, TRIALS, TRIALS_N, 1));
    ck_assert_uint_eq(s.trials, 2);
    ck_assert_uint_eq(s.judged, 1);
    ck_assert_uint_eq(s.needless, 1);
    ck_assert_uint_eq(s.spans[SB_FAILOVER_DETECTION].n, 0);
    ck_assert_uint_eq(s.spans[SB_FAILOVER_GAP].n, 1);
    const struct sb_failover_sum total = sb_failover_total(TRIALS, TRIALS_N);
    ck_assert_uint_eq(total.trials, 5);
    ck_assert_uint_eq(total.passed, 2);
    ck_assert_uint_eq(total.states_equal, 2);
}
END_TEST

/* --- what is written ------------------------------------------------------------------------------------------ */

static char *written(bool (*write)(const struct sb_failover_results *r, FILE *out))
{
    static char verb[] = "failover", odd[] = "it's";
    static char *const argv[] = {verb, odd};
    struct sb_failover_options o;
    char *text = NULL;
    size_t bytes = 0;
    ck_assert_int_eq(arguments(&o, "--trials 6 --fault primary-kill,shadow-kill"), 0);
    const struct sb_failover_results r = {
        .options = &o,
        .argc = 2,
        .argv = argv,
        .run = "run",
        .executable = "sb",
        .folder = "left",
        .trials = TRIALS,
        .trials_n = TRIALS_N,
        .interrupted = true,
        .cores = 2,
        .cpu = "A 'CPU'",
        .kernel = "6.1",
        .started_at = "2026-01-31T12:00:00Z",
        .suspect_after_ns = 25000000,
        .takeover_after_ns = 80000000,
        .floor = {.n = 5000, .at = {3217, 3537, 4975, 8019967, 9}}};
    FILE *out = open_memstream(&text, &bytes);
    ck_assert(write(&r, out));
    fclose(out);
    return text;
}

static void has(const char *text, const char *part)
{
    ck_assert_msg(strstr(text, part) != NULL, "no \"%s\" in:\n%s", part, text);
}

START_TEST(times_have_three_digits_and_a_unit)
{
    static const struct {
        uint64_t ns;
        const char *text;
    } times[] = {{0, "0 ns"},
                 {971, "971 ns"},
                 {999, "999 ns"},
                 {1000, "1.00 us"},
                 {12142, "12.1 us"},
                 {9994, "9.99 us"},
                 {9996, "10.0 us"},
                 {99960, "100 us"},
                 {999499, "999 us"},
                 {999500, "1.00 ms"},
                 {25214464, "25.2 ms"},
                 {1030000000, "1.03 s"},
                 {UINT64_C(123000000000), "123 s"},
                 {SB_FAILOVER_NONE, "-"}};
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
        ck_assert_str_eq(sb_failover_time(times[i].ns).text, times[i].text);
}
END_TEST

START_TEST(the_table_names_failures_and_how_to_repeat_them)
{
    char *text = written(sb_failover_table);
    has(text, "primary-kill     1 of 3 passed; lost 2, conflicting 1, needless takeovers 0, states "
              "equal 1 of 3");
    has(text, "  switch               3    800 ns         -         -         -    900 ns\n");
    has(text, "trial 3, primary-kill at 30 %, failed: it's 2 lost\n  kept    left/trial-3\n"
              "  repeat  SHADOWBOOK_BIN=sb run --fault primary-kill --at 30");
    has(text, "trial 4, shadow-kill at 40 %, failed: no report");
    has(text, "stopped after 5 of 6 trials: 2 of 5 passed");
    has(text, "  round trip        5000   3.22 us   3.54 us");
    ck_assert_ptr_null(strstr(text, "trial 1,"));
    free(text);
}
END_TEST

START_TEST(the_json_has_every_trial)
{
    char *text = written(sb_failover_json);
    json_t *j = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    const char *result, *why, *second;
    json_int_t passed, p50, floor, threshold, at;
    json_t *p90, *none, *trials;
    ck_assert_ptr_nonnull(j);
    ck_assert_int_eq(json_unpack(j, "{s:I,s:[s,s],s:{s:I},s:{s:I}}", "passed", &passed, "command",
                                 &result, &second, "floor_ns", "p50", &floor, "thresholds_ns",
                                 "takeover_after", &threshold),
                     0);
    ck_assert_int_eq(passed, 2);
    ck_assert_str_eq(second, "it's");
    ck_assert_int_eq(floor, 3217);
    ck_assert_int_eq(threshold, 80000000);
    const json_t *kill = json_array_get(json_object_get(j, "faults"), 0);
    ck_assert_int_eq(json_unpack(json_array_get(json_object_get(j, "faults"), 0),
                                 "{s:s,s:I,s:{s:I,s:o},s:o}", "fault", &result, "lost", &passed,
                                 "switch_ns", "p50", &p50, "p90", &p90, "each", &trials),
                     0);
    ck_assert_str_eq(json_string_value(json_object_get(kill, "fault")), "primary-kill");
    ck_assert_int_eq(passed, 2);
    ck_assert_int_eq(p50, 800);
    ck_assert(json_is_null(p90));
    ck_assert_uint_eq(json_array_size(trials), 3);
    ck_assert_int_eq(json_unpack(json_array_get(trials, 1), "{s:s,s:I,s:I}", "result", &why,
                                 "decision_ns", &p50, "at_percent", &at),
                     0);
    ck_assert_str_eq(why, "it's 2 lost");
    ck_assert_int_eq(p50, 0);
    ck_assert_int_eq(at, 30);
    trials = json_object_get(json_array_get(json_object_get(j, "faults"), 1), "each");
    ck_assert_uint_eq(json_array_size(trials), 2);
    none = json_object_get(json_array_get(trials, 0), "switch_ns");
    ck_assert(json_is_null(none));
    /* A trial without a report has no counts: not zero of anything. */
    ck_assert_ptr_null(json_object_get(json_array_get(trials, 1), "lost"));
    json_decref(j);
    free(text);
}
END_TEST

START_TEST(the_plots_program_holds_every_dot)
{
    char *text = written(sb_failover_plot);
    has(text,
        "'Failover, 5 trials: stopped early, 2 passed, lost 2, conflicting 1, states equal 2 of "
        "5'");
    has(text, "'shadowbook failover it''s'"); /* quotes within are doubled */
    has(text, "2 x A ''CPU'', Linux 6.1");
    has(text, "set xrange [97.0:1030000000.0]"); /* 700 ns to 250 ms, in whole decades */
    has(text, "'suspicion after 25.0 ms' at first 25000000,");
    has(text, "'takeover after 80.0 ms' at first 80000000,");
    has(text, "'floor: bare echo, round trip p50 3.22 us' at first 3217,");
    has(text, "'800 ns' at first 800,");
    has(text, "\n900 ");
    has(text, "\n700 ");
    has(text, "\n250000000 ");
    has(text, "\n100 "); /* the zero, at the left end */
    /* Five strips: four times of one fault, the other's only time. */
    unsigned blocks = 0;
    for (const char *at = text; (at = strstr(at, " << END\n")) != NULL; at++)
        blocks++;
    ck_assert_uint_eq(blocks, 5);
    has(text, "$dots_1_3 using 1:2");
    ck_assert_ptr_null(strstr(text, "dots_1_0"));
    free(text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("failover");
    TCase *tests = tcase_create("failover");
    suite_add_tcase(suite, tests);
    tcase_add_test(tests, good_command_lines);
    tcase_add_test(tests, bad_command_lines);
    tcase_add_test(tests, a_trial_follows_from_seed_and_number);
    tcase_add_test(tests, the_script_gets_its_arguments);
    tcase_add_test(tests, a_whole_report);
    tcase_add_test(tests, a_report_without_takeover_and_floor);
    tcase_add_test(tests, a_good_result_is_not_believed_against_its_counts);
    tcase_add_test(tests, cut_and_partial_reports);
    tcase_add_test(tests, percentiles_by_hand);
    tcase_add_test(tests, a_percentile_takes_enough_values);
    tcase_add_test(tests, sums_are_each_faults_own);
    tcase_add_test(tests, times_have_three_digits_and_a_unit);
    tcase_add_test(tests, the_table_names_failures_and_how_to_repeat_them);
    tcase_add_test(tests, the_json_has_every_trial);
    tcase_add_test(tests, the_plots_program_holds_every_dot);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
