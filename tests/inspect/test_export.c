/* test_export.c: the rows of a small day with every kind of event, worked out by hand from the rules in engine.h. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "perf/inspect_orders.h"
#include "tests/inspect/script.h"

static const char HEADING[] =
    "event,input,time,trading_day,since_midnight_ns,type,session,firm,clordid,key,orig_key,ref,"
    "side,tif,symbol,price,quantity,open,executed,match,contra_ref,liquidity,aggressor,reason,"
    "phase,capacity,epoch,log_incarnation,log_node,clock_error_ns\n";

struct row {
    uint64_t input;
    const char *type, *session, *firm, *clordid, *key, *orig_key, *ref, *side, *tif, *symbol,
        *price, *quantity, *open, *executed, *match, *contra_ref, *liquidity, *aggressor, *reason,
        *phase, *capacity;
};

/* A command each second from 08:00:00 on; 1 to 5 set up: two firms, an operator, AAA in an auction. */
static void play(struct script *s)
{
    script_open(s, &script_limits, 256);
    script_set_up(s, SB_PHASE_AUCTION);
    script_order(s, 1, 1, SB_BUY, 100, 100000, SB_TIF_DAY, "ORD-1"); /* 6 */
    script_order(s, 2, 1, SB_SELL, 60, 99000, SB_TIF_DAY, NULL);     /* 7 */
    script_clock(s, 1234);
    script_uncross(s);                    /* 8 */
    script_phase(s, SB_PHASE_CONTINUOUS); /* 9 */
    script_turn(s, 1u << 2 | 2);
    script_order(s, 2, 2, SB_SELL_SHORT, 30, 100000, SB_TIF_IOC, "a,\"b\\\x01"); /* 10 */
    script_add(s, (struct sb_command2){.c = {.kind = SB_CMD_REPLACE,
                                             .session = 1,
                                             .orig_key = 1,
                                             .key = 2,
                                             .quantity = 150,
                                             .price = 101000}}); /* 11 */
    script_command(s, SB_CMD_CANCEL, 1, 2, 120);                 /* 12 */
    script_command(s, SB_CMD_REDUCE, 1, 2, 10);                  /* 13 */
    script_clock(s, 0);
    script_order(s, 2, 3, SB_SELL, 50, 100500, SB_TIF_IOC, NULL);  /* 14 */
    script_order(s, 2, 4, SB_BUY, 10, 100001, SB_TIF_DAY, "TICK"); /* 15 */
    script_add(s, (struct sb_command2){.c = {.kind = SB_CMD_INVALID,
                                             .session = 2,
                                             .key = 5,
                                             .reason = SB_REASON_MALFORMED}}); /* 16 */
    script_order(s, 1, 3, SB_BUY, 5, 90000, SB_TIF_DAY, "ORD-3");              /* 17 */
    script_add(s, (struct sb_command2){.c = {.kind = SB_CMD_REPLACE,
                                             .session = 1,
                                             .orig_key = 3,
                                             .key = 4,
                                             .quantity = 5,
                                             .price = 90001}}); /* 18 */
    script_clock(s, UINT64_MAX);
    script_order(s, 1, 4, SB_BUY, 7, 90000, SB_TIF_DAY, "ORD-4"); /* 19 */
    script_phase(s, SB_PHASE_HALTED);                             /* 20 */
    script_add(s, (struct sb_command2){.c = {.kind = SB_CMD_REPLACE,
                                             .session = 1,
                                             .orig_key = 4,
                                             .key = 5,
                                             .quantity = 9,
                                             .price = 90100}}); /* 21 */
    script_phase(s, SB_PHASE_CLOSED);                           /* 22 */
    script_command(s, SB_CMD_CANCEL, 1, 4, 0);                  /* 23: superfluous */
    script_add(s, (struct sb_command2){.c = {.kind = SB_CMD_ORDER,
                                             .session = 1,
                                             .key = 6,
                                             .side = SB_SELL_SHORT_EXEMPT,
                                             .quantity = 1,
                                             .price = 123456789}}); /* 24 */
    script_end(s);
}

#define PARTY_1 .session = "1", .firm = "10"
#define PARTY_2 .session = "2", .firm = "20"

static const struct row ROWS[] = {
    {5, "phase", .session = "0", .symbol = "AAA", .phase = "auction"},
    {6, "accepted", PARTY_1, .clordid = "ORD-1", .key = "1", .ref = "1", .side = "buy",
     .tif = "DAY", .symbol = "AAA", .price = "10.0000", .quantity = "100", .open = "100",
     .executed = "0", .phase = "auction", .capacity = "A"},
    {7, "accepted", PARTY_2, .key = "1", .ref = "2", .side = "sell", .tif = "DAY", .symbol = "AAA",
     .price = "9.9000", .quantity = "60", .open = "60", .executed = "0", .phase = "auction",
     .capacity = "A"},
    /* 60 trade at 10.00 as well as at 9.90, with 40 too many buys at both: the highest. */
    {8, "executed", PARTY_1, .clordid = "ORD-1", .key = "1", .ref = "1", .side = "buy",
     .tif = "DAY", .symbol = "AAA", .price = "10.0000", .quantity = "60", .open = "40",
     .executed = "60", .match = "1", .contra_ref = "2", .liquidity = "auction", .phase = "auction",
     .capacity = "A"},
    {8, "executed", PARTY_2, .key = "1", .ref = "2", .side = "sell", .tif = "DAY", .symbol = "AAA",
     .price = "10.0000", .quantity = "60", .open = "0", .executed = "60", .match = "1",
     .contra_ref = "1", .liquidity = "auction", .phase = "auction", .capacity = "A"},
    {8, "cross", .session = "3", .firm = "30", .symbol = "AAA", .price = "10.0000",
     .quantity = "60", .match = "2", .phase = "auction"},
    {9, "phase", .session = "3", .firm = "30", .symbol = "AAA", .phase = "continuous"},
    {10, "accepted", PARTY_2, .clordid = "\"a,\"\"b\\x5c\\x01\"", .key = "2", .ref = "3",
     .side = "sell_short", .tif = "IOC", .symbol = "AAA", .price = "10.0000", .quantity = "30",
     .open = "30", .executed = "0", .phase = "continuous", .capacity = "A"},
    {10, "executed", PARTY_1, .clordid = "ORD-1", .key = "1", .ref = "1", .side = "buy",
     .tif = "DAY", .symbol = "AAA", .price = "10.0000", .quantity = "30", .open = "10",
     .executed = "90", .match = "3", .contra_ref = "3", .liquidity = "added", .aggressor = "no",
     .phase = "continuous", .capacity = "A"},
    {10, "executed", PARTY_2, .clordid = "\"a,\"\"b\\x5c\\x01\"", .key = "2", .ref = "3",
     .side = "sell_short", .tif = "IOC", .symbol = "AAA", .price = "10.0000", .quantity = "30",
     .open = "0", .executed = "30", .match = "3", .contra_ref = "1", .liquidity = "removed",
     .aggressor = "yes", .phase = "continuous", .capacity = "A"},
    /* 150 for the whole chain, 90 of them executed. */
    {11, "replaced", PARTY_1, .key = "2", .orig_key = "1", .ref = "4", .side = "buy", .tif = "DAY",
     .symbol = "AAA", .price = "10.1000", .quantity = "60", .open = "60", .executed = "90",
     .phase = "continuous", .capacity = "A"},
    /* Down to 120 for the whole chain. */
    {12, "canceled", PARTY_1, .key = "2", .ref = "4", .side = "buy", .tif = "DAY", .symbol = "AAA",
     .price = "10.1000", .quantity = "30", .open = "30", .executed = "90", .reason = "user",
     .phase = "continuous", .capacity = "A"},
    {13, "canceled", PARTY_1, .key = "2", .ref = "4", .side = "buy", .tif = "DAY", .symbol = "AAA",
     .price = "10.1000", .quantity = "10", .open = "20", .executed = "90", .reason = "user",
     .phase = "continuous", .capacity = "A"},
    {14, "accepted", PARTY_2, .key = "3", .ref = "5", .side = "sell", .tif = "IOC", .symbol = "AAA",
     .price = "10.0500", .quantity = "50", .open = "50", .executed = "0", .phase = "continuous",
     .capacity = "A"},
    {14, "executed", PARTY_1, .key = "2", .ref = "4", .side = "buy", .tif = "DAY", .symbol = "AAA",
     .price = "10.1000", .quantity = "20", .open = "0", .executed = "110", .match = "4",
     .contra_ref = "5", .liquidity = "added", .aggressor = "no", .phase = "continuous",
     .capacity = "A"},
    {14, "executed", PARTY_2, .key = "3", .ref = "5", .side = "sell", .tif = "IOC", .symbol = "AAA",
     .price = "10.1000", .quantity = "20", .open = "30", .executed = "20", .match = "4",
     .contra_ref = "4", .liquidity = "removed", .aggressor = "yes", .phase = "continuous",
     .capacity = "A"},
    {14, "canceled", PARTY_2, .key = "3", .ref = "5", .side = "sell", .tif = "IOC", .symbol = "AAA",
     .price = "10.0500", .quantity = "30", .open = "0", .executed = "20", .reason = "ioc",
     .phase = "continuous", .capacity = "A"},
    {15, "rejected", PARTY_2, .clordid = "TICK", .key = "4", .side = "buy", .tif = "DAY",
     .symbol = "AAA", .price = "10.0001", .quantity = "10", .reason = "price_tick",
     .phase = "continuous", .capacity = "A"},
    {16, "rejected", PARTY_2, .key = "5", .reason = "malformed"},
    {17, "accepted", PARTY_1, .clordid = "ORD-3", .key = "3", .ref = "6", .side = "buy",
     .tif = "DAY", .symbol = "AAA", .price = "9.0000", .quantity = "5", .open = "5",
     .executed = "0", .phase = "continuous", .capacity = "A"},
    {18, "canceled", PARTY_1, .clordid = "ORD-3", .key = "3", .ref = "6", .side = "buy",
     .tif = "DAY", .symbol = "AAA", .price = "9.0000", .quantity = "5", .open = "0",
     .executed = "0", .reason = "replace_invalid", .phase = "continuous", .capacity = "A"},
    {19, "accepted", PARTY_1, .clordid = "ORD-4", .key = "4", .ref = "7", .side = "buy",
     .tif = "DAY", .symbol = "AAA", .price = "9.0000", .quantity = "7", .open = "7",
     .executed = "0", .phase = "continuous", .capacity = "A"},
    {20, "phase", .session = "3", .firm = "30", .symbol = "AAA", .phase = "halted"},
    /* As asked for, but side, symbol and capacity are those of the order. */
    {21, "rejected", PARTY_1, .key = "5", .orig_key = "4", .side = "buy", .tif = "DAY",
     .symbol = "AAA", .price = "9.0100", .quantity = "9", .reason = "halted", .phase = "halted",
     .capacity = "A"},
    {22, "canceled", PARTY_1, .clordid = "ORD-4", .key = "4", .ref = "7", .side = "buy",
     .tif = "DAY", .symbol = "AAA", .price = "9.0000", .quantity = "7", .open = "0",
     .executed = "0", .reason = "closed", .phase = "closed", .capacity = "A"},
    {22, "phase", .session = "3", .firm = "30", .symbol = "AAA", .phase = "closed"},
    {24, "rejected", PARTY_1, .key = "6", .side = "sell_short_exempt", .tif = "DAY",
     .price = "12345.6789", .quantity = "1", .reason = "symbol"},
};
enum { ROWS_N = sizeof ROWS / sizeof *ROWS };

static const char *text(const char *of)
{
    return of != NULL ? of : "";
}

/* Said before 8, of the epoch that ends with 9; before 14; before 19 that it is not known. */
static const char *clock_error(uint64_t input)
{
    return input >= 8 && input < 10 ? "1234" : input >= 14 && input < 19 ? "0" : "";
}

/* source: "epoch,incarnation,node" before and from input 10 on; journal: what it says of the clock, too. */
static void expect_rows(const char *path, const char *const source[2], bool journal)
{
    char expected[1024], line[1024];
    FILE *f = fopen(path, "r");
    ck_assert_ptr_nonnull(f);
    ck_assert_ptr_nonnull(fgets(line, sizeof line, f));
    ck_assert_str_eq(line, HEADING);
    for (int i = 0; i < ROWS_N; i++) {
        const struct row *r = &ROWS[i];
        snprintf(expected, sizeof expected,
                 "%d,%lu,2026-11-24T08:00:%02lu.000000000Z,20261124,%lu,%s,%s,%s,%s,%s,%s,%s,%s,%s,"
                 "%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s\n",
                 i + 1, r->input, r->input - 1, 28800000000000u + (r->input - 1) * 1000000000u,
                 r->type, text(r->session), text(r->firm), text(r->clordid), text(r->key),
                 text(r->orig_key), text(r->ref), text(r->side), text(r->tif), text(r->symbol),
                 text(r->price), text(r->quantity), text(r->open), text(r->executed),
                 text(r->match), text(r->contra_ref), text(r->liquidity), text(r->aggressor),
                 text(r->reason), text(r->phase), text(r->capacity), source[r->input >= 10],
                 journal ? clock_error(r->input) : "");
        ck_assert_ptr_nonnull(fgets(line, sizeof line, f));
        ck_assert_str_eq(line, expected);
    }
    ck_assert_ptr_null(fgets(line, sizeof line, f));
    fclose(f);
}

struct rig {
    struct script s;
    char dir[64], log[96], journal[96], csv[96], said[4096];
};

static struct rig rig;

static void rig_open(struct rig *r)
{
    memset(r, 0, sizeof *r);
    strcpy(r->dir, "/tmp/shadowbook-test-export-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(r->dir));
    snprintf(r->log, sizeof r->log, "%s/log", r->dir);
    snprintf(r->journal, sizeof r->journal, "%s/journal", r->dir);
    snprintf(r->csv, sizeof r->csv, "%s/day.csv", r->dir);
    play(&r->s);
}

static void rig_close(struct rig *r)
{
    char command[96];
    script_close(&r->s);
    snprintf(command, sizeof command, "rm -r '%s'", r->dir);
    ck_assert_int_eq(system(command), 0);
}

static int export(struct rig *r, const char *from)
{
    const char *const arguments[] = {"--log", from, "--export", r->csv, NULL};
    return script_inspect(r->said, sizeof r->said, arguments);
}

START_TEST(of_a_journal)
{
    rig_open(&rig);
    script_store_journal(&rig.s, rig.journal, 1, 77);
    ck_assert_int_eq(export(&rig, rig.journal), 0);
    expect_rows(rig.csv, (const char *const[]){"1D,77,B", "1S,77,B"}, true);
    ck_assert_ptr_nonnull(strstr(rig.said, "27 rows of 24 inputs"));
    rig_close(&rig);
}
END_TEST

/* Which epoch and incarnation sequenced an input is not in a log file. */
START_TEST(of_a_log_file)
{
    rig_open(&rig);
    script_store_log(&rig.s, rig.log, 0);
    ck_assert_int_eq(export(&rig, rig.log), 0);
    expect_rows(rig.csv, (const char *const[]){",,A", ",,A"}, false);
    rig_close(&rig);
}
END_TEST

/* What the node did not tell, or cannot be read whole, is not exported: what was there before stays, and nothing of it is
 * left. */
START_TEST(nothing_else)
{
    struct stat status;
    char part[120];
    rig_open(&rig);
    snprintf(part, sizeof part, "%s.part", rig.csv);
    script_store_log(&rig.s, rig.log, 0);
    ck_assert_int_eq(export(&rig, rig.log), 0);
    sb_log_packet(&rig.s.log, 12)->digest ^= 1;
    script_store_log(&rig.s, rig.log, 0);
    ck_assert_int_eq(export(&rig, rig.log), 1);
    sb_log_packet(&rig.s.log, 12)->digest ^= 1;
    script_store_log(&rig.s, rig.log, 0);
    ck_assert_int_eq(stat(rig.log, &status), 0);
    ck_assert_int_eq(truncate(rig.log, status.st_size - 1), 0);
    ck_assert_int_eq(export(&rig, rig.log), 1);
    ck_assert_int_eq(export(&rig, "/nonexistent"), 2);
    expect_rows(rig.csv, (const char *const[]){",,A", ",,A"}, false);
    ck_assert_int_ne(stat(part, &status), 0);
    snprintf(rig.csv, sizeof rig.csv, "%s/absent/csv", rig.dir);
    ck_assert_int_eq(export(&rig, rig.log), 2);
    rig_close(&rig);
}
END_TEST

/* The table of open orders against a plain array, through growth and removal in every order of places. */
START_TEST(open_orders)
{
    enum { KEYS = 5000 };
    static bool there[KEYS];
    struct sb_inspect_orders t = {0};
    uint64_t state = 88172645463325252u;
    for (uint32_t i = 0; i < 200000; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        const uint32_t at = (uint32_t)(state % KEYS), session = 1 + at % 3, key = at;
        struct sb_inspect_order *o = sb_inspect_orders_find(&t, session, key);
        ck_assert_int_eq(o != NULL, there[at]);
        if (o != NULL) {
            ck_assert_uint_eq(o->ref, at);
            sb_inspect_orders_remove(&t, o);
        } else {
            const struct sb_inspect_order new = {.session = session, .key = key, .ref = at};
            ck_assert(sb_inspect_orders_add(&t, &new));
        }
        there[at] = o == NULL;
    }
    sb_inspect_orders_free(&t);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("inspect-export");
    TCase *tc = tcase_create("export");
    tcase_add_test(tc, of_a_journal);
    tcase_add_test(tc, of_a_log_file);
    tcase_add_test(tc, nothing_else);
    tcase_add_test(tc, open_orders);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
