/* A flow through a capture and back must be the same bytes; a damaged or foreign capture must be an error that names its
 * frame. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "perf/entry_frame.h"
#include "perf/pcap_plan.h"
#include "perf/plan_flow.h"
#include "tests/client/venue.h"

static struct sb_config config;
static char folder[] = "shadowbook-convert-XXXXXX";

static const char FLOW[] = "time_ns,op,order_id,side,price,quantity,arg\n"
                           "33300000000000,P,,,,,auction\n"
                           "33300280000000,N,1196,S,54900,96600,DAY\n"
                           "33300280000001,N,161885,B,54800,100,IOC\n"
                           "33311600000000,C,1196,S,,600,\n"
                           "33311600000007,C,1196,S,,96000,\n"
                           "33900180000000,P,,,,,uncross\n"
                           "34200000000000,P,,,,,continuous\n"
                           "34200000000009,N,18446744073709551615,S,100,1,DAY\n";

static const char FLOW2[] = "time_ns,op,order_id,side,price,quantity,arg,instrument\n"
                            "1000,P,,,,,continuous,\n"
                            "1001,N,7,B,54800,100,DAY,SYMC\n"
                            "1002,N,8,S,54900,100,DAY,SYMB\n"
                            "1003,C,7,B,,40,,SYMC\n"
                            "1004,P,,,,,auction,SYMC\n";

/* Superfluous cancels: of no order, and of one that is all cancelled already. */
static const char FLOW3[] = "time_ns,op,order_id,side,price,quantity,arg\n"
                            "1000,C,0,B,,1,\n"
                            "1001,N,7,B,54800,100,DAY\n"
                            "1002,C,7,B,,100,\n"
                            "1003,C,7,B,,1,\n";

/* A cancel of no order comes back as one of order 0: after an order of that id it would be the order's. */
static const char FLOW4[] = "time_ns,op,order_id,side,price,quantity,arg\n"
                            "1000,C,5,B,,1,\n"
                            "1001,N,0,B,54800,100,DAY\n"
                            "1002,C,6,B,,1,\n";

static char *path_of(const char *name)
{
    static char paths[4][128];
    static int turn;
    char *path = paths[turn = (turn + 1) % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static void put(const char *path, const void *bytes, size_t n)
{
    FILE *f = fopen(path, "wb");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(bytes, 1, n, f), n);
    ck_assert_int_eq(fclose(f), 0);
}

static size_t get(const char *path, uint8_t *bytes, size_t max)
{
    FILE *f = fopen(path, "rb");
    ck_assert_ptr_nonnull(f);
    const size_t n = fread(bytes, 1, max, f);
    fclose(f);
    return n;
}

/* Flow text to a capture at "a.pcap". */
static void to_pcap(const char *text, uint32_t sessions_n)
{
    struct sb_plan plan;
    put(path_of("a.csv"), text, strlen(text));
    ck_assert(sb_plan_init(&plan, sessions_n));
    ck_assert(sb_plan_flow_read(path_of("a.csv"), &plan, &config, stderr));
    ck_assert(sb_pcap_plan_write(path_of("a.pcap"), &plan, &config, stderr));
    sb_plan_free(&plan);
}

/* Reads "a.pcap". Returns what was said about it; *rows is how many rows it gave. */
static const char *from_pcap(uint32_t sessions_n, uint32_t *rows, bool *ok)
{
    static char said[1024];
    memset(said, 0, sizeof said);
    FILE *err = fmemopen(said, sizeof said - 1, "w");
    struct sb_plan plan;
    ck_assert(sb_plan_init(&plan, sessions_n));
    *ok = sb_pcap_plan_read(path_of("a.pcap"), &plan, &config, err);
    *rows = plan.n;
    if (*ok)
        ck_assert(sb_plan_flow_write(path_of("b.csv"), &plan, &config, stderr));
    sb_plan_free(&plan);
    fclose(err);
    return said;
}

static void round_trip(const char *text, uint32_t sessions_n)
{
    uint8_t back[4096];
    uint32_t rows;
    bool ok;
    to_pcap(text, sessions_n);
    ck_assert_str_eq(from_pcap(1, &rows, &ok), "");
    ck_assert(ok);
    const size_t n = get(path_of("b.csv"), back, sizeof back);
    ck_assert_uint_eq(n, strlen(text));
    ck_assert_mem_eq(back, text, n);
}

START_TEST(same_rows_come_back)
{
    round_trip(FLOW, 1);
    round_trip(FLOW, 3);
    round_trip(FLOW2, 1);
    round_trip(FLOW2, 2);
    round_trip(FLOW3, 1);
}
END_TEST

/* Every cut of the file is either a whole number of frames or an error with a frame's number. */
START_TEST(truncated)
{
    static uint8_t bytes[65536];
    to_pcap(FLOW, 1);
    const size_t n = get(path_of("a.pcap"), bytes, sizeof bytes);
    uint32_t errors = 0, rows, most = 0;
    bool ok;
    for (size_t cut = 0; cut < n; cut++) {
        put(path_of("a.pcap"), bytes, cut);
        const char *said = from_pcap(1, &rows, &ok);
        ck_assert(ok || said[0] != '\0');
        if (!ok && cut >= 24) /* behind the file header */
            ck_assert(strstr(said, "frame") != NULL);
        errors += !ok;
        most = rows > most ? rows : most;
    }
    ck_assert_uint_eq(n - errors, 7); /* after each of the first seven rows: a shorter capture */
    ck_assert_uint_eq(most, 7);
}
END_TEST

/* Any byte of a frame flipped: checksums or the readers notice, or it is another host's business (MAC addresses). */
START_TEST(flipped_bytes)
{
    static uint8_t bytes[65536];
    uint32_t rows, noticed = 0, tried = 0;
    bool ok;
    to_pcap(FLOW, 1);
    const size_t n = get(path_of("a.pcap"), bytes, sizeof bytes);
    const size_t second =
        24 + 16 + 42 + 64 + 2 + 15 + 16; /* behind the login and a packet header */
    for (size_t at = second + 14; at < second + 14 + 80 && at < n; at++) {
        bytes[at] ^= 0x10;
        put(path_of("a.pcap"), bytes, n);
        from_pcap(1, &rows, &ok);
        noticed += !ok;
        tried++;
        bytes[at] ^= 0x10;
    }
    ck_assert_uint_eq(noticed, tried);
}
END_TEST

START_TEST(foreign)
{
    uint32_t rows;
    bool ok;
    put(path_of("a.pcap"), "time_ns,op\n", 11);
    ck_assert(strstr(from_pcap(1, &rows, &ok), "cannot be read as a packet capture"));
    ck_assert(!ok);
    to_pcap(FLOW, 1);
    config.orders.port++; /* another venue's frames */
    ck_assert(strstr(from_pcap(1, &rows, &ok), "no order entry message"));
    ck_assert(!ok);
    config.orders.port--;
    config.shard++;
    ck_assert(strstr(from_pcap(1, &rows, &ok), "frame 1: of another shard"));
    config.shard--;
    config.sessions[1].present = false;
    ck_assert(strstr(from_pcap(1, &rows, &ok), "frame 1: of a session"));
    config.sessions[1].present = true;
    config.instruments[1].symbol[0] = 'Q';
    ck_assert(strstr(from_pcap(1, &rows, &ok), "frame 3: a symbol"));
    config.instruments[1].symbol[0] = 'S';
    unlink(path_of("a.pcap"));
    ck_assert(strstr(from_pcap(1, &rows, &ok), strerror(ENOENT)));
}
END_TEST

/* A message that was sent again counts once; one that is missing is named. */
START_TEST(repeated_and_missing)
{
    static uint8_t bytes[65536], twice[65536];
    uint32_t rows;
    bool ok;
    to_pcap(FLOW, 1);
    const size_t n = get(path_of("a.pcap"), bytes, sizeof bytes);
    memcpy(twice, bytes, n);
    memcpy(twice + n, bytes + 24, n - 24); /* all frames again, behind the first time */
    put(path_of("a.pcap"), twice, n + n - 24);
    ck_assert_str_eq(from_pcap(1, &rows, &ok), "");
    ck_assert_uint_eq(rows, 8);
    uint32_t len; /* of the login: leave out the frame behind it */
    memcpy(&len, bytes + 24 + 8, 4);
    const size_t first = 24 + 16 + len;
    memcpy(&len, bytes + first + 8, 4);
    memmove(bytes + first, bytes + first + 16 + len, n - first - 16 - len);
    put(path_of("a.pcap"), bytes, n - 16 - len);
    ck_assert(strstr(from_pcap(1, &rows, &ok), "frame 2: messages before this one"));
    ck_assert(!ok);
}
END_TEST

/* Seconds and nanoseconds of the frame that brings the first row. */
START_TEST(impossible_times)
{
    static uint8_t bytes[65536];
    static const uint32_t times[][2] = {
        {0x80000000, 0}, {UINT32_MAX, 0}, {1, 1000000000}, {1, UINT32_MAX}};
    uint32_t rows, len;
    bool ok;
    to_pcap(FLOW, 1);
    const size_t n = get(path_of("a.pcap"), bytes, sizeof bytes);
    memcpy(&len, bytes + 24 + 8, 4); /* of the login */
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        memcpy(bytes + 24 + 16 + len, times[i], 8);
        put(path_of("a.pcap"), bytes, n);
        ck_assert(strstr(from_pcap(1, &rows, &ok), "frame 2: an impossible time"));
        ck_assert(!ok);
    }
}
END_TEST

/* A time that the file format has no room for. */
START_TEST(late_times)
{
    static const char late[] = "time_ns,op,order_id,side,price,quantity,arg\n"
                               "1000,N,1,B,54800,100,DAY\n"
                               "2147483648000000000,N,2,B,54800,100,DAY\n";
    char said[1024] = "";
    FILE *err = fmemopen(said, sizeof said - 1, "w");
    struct sb_plan plan;
    put(path_of("a.csv"), late, strlen(late));
    ck_assert(sb_plan_init(&plan, 1));
    ck_assert(sb_plan_flow_read(path_of("a.csv"), &plan, &config, stderr));
    ck_assert(!sb_pcap_plan_write(path_of("a.pcap"), &plan, &config, err));
    fclose(err);
    ck_assert_ptr_nonnull(strstr(said, "a.pcap: row 2: "));
    sb_plan_free(&plan);
}
END_TEST

START_TEST(cancel_of_no_order_beside_order_0)
{
    uint32_t rows;
    bool ok;
    to_pcap(FLOW4, 1);
    ck_assert(strstr(from_pcap(1, &rows, &ok), "frame 4: a cancel of no order"));
    ck_assert(!ok);
}
END_TEST

START_TEST(bad_flows)
{
    static const char *const texts[] = {
        "time_ns,op,order_id,side,price,quantity,arg\n",
        "time_ns,op,order_id,side,price,quantity,arg\n1,N,5,B,100,1,DAY\n2,N,5,B,100,1,DAY\n",
        "time_ns,op,order_id,side,price,quantity,arg,instrument\n1,N,5,B,100,1,DAY,NOSUCH\n",
    };
    static const char *const words[] = {"no rows", ":3: ", ":2: "};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char said[1024] = "";
        FILE *err = fmemopen(said, sizeof said - 1, "w");
        struct sb_plan plan;
        put(path_of("bad.csv"), texts[i], strlen(texts[i]));
        ck_assert(sb_plan_init(&plan, 1));
        ck_assert(!sb_plan_flow_read(path_of("bad.csv"), &plan, &config, err));
        sb_plan_free(&plan);
        fclose(err);
        ck_assert_msg(strstr(said, words[i]) != NULL, "case %zu: %s", i, said);
    }
}
END_TEST

static void remove_folder(void)
{
    static const char *const names[] = {"a.csv", "b.csv", "a.pcap", "bad.csv"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unlink(path_of(names[i]));
    rmdir(folder);
}

int main(void)
{
    venue_config(&config, 4, 2);
    if (!mkdtemp(folder)) {
        perror(folder);
        return EXIT_FAILURE;
    }
    Suite *suite = suite_create("convert");
    TCase *tcase = tcase_create("convert");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, same_rows_come_back);
    tcase_add_test(tcase, truncated);
    tcase_add_test(tcase, flipped_bytes);
    tcase_add_test(tcase, foreign);
    tcase_add_test(tcase, repeated_and_missing);
    tcase_add_test(tcase, impossible_times);
    tcase_add_test(tcase, late_times);
    tcase_add_test(tcase, cancel_of_no_order_beside_order_0);
    tcase_add_test(tcase, bad_flows);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    remove_folder();
    venue_config_free(&config);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
