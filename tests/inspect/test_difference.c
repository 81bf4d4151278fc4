/* test_difference.c: two logs of one day, one of them changed in one place: is the place named, by its kind, in words, and
 * with the outputs and the book that follow from it? */
#include <check.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/inspect/script.h"

/* What is changed in one of the two. */
struct change {
    struct sb_engine_limits limits;
    uint32_t quantity; /* of input 8 */
    uint32_t trading_day, inputs;
    uint16_t shard;
    bool cut, other_bytes;
    uint64_t
        digest; /* flipped in the recorded one of the packet of inputs 8 and 9, and those behind it */
    uint64_t state;
};

static const struct change NONE = {.limits = {.instruments_max = 4,
                                              .sessions_max = 4,
                                              .orders_max = 64,
                                              .levels_max = 64,
                                              .terms_max = 64,
                                              .window_levels = 64},
                                   .quantity = 50,
                                   .trading_day = 20261124,
                                   .inputs = 10,
                                   .shard = SCRIPT_SHARD};

/* Inputs 1 to 5 set up; 6 and 7 rest; 8, a buy, takes from 7; 9 cancels 6: the two are one packet; 10 rests. */
static void play(struct script *s, const struct change *c)
{
    script_open(s, &c->limits, 256);
    s->shard = c->shard;
    s->trading_day = c->trading_day;
    script_set_up(s, SB_PHASE_CONTINUOUS);
    script_order(s, 1, 1, SB_BUY, 100, 99000, SB_TIF_DAY, NULL);
    script_order(s, 2, 1, SB_SELL, 80, 100000, SB_TIF_DAY, "ORD-7");
    struct sb_command2 take = {.c = {.kind = SB_CMD_ORDER,
                                     .flags = SB_CMD_F_EXT,
                                     .session = 1,
                                     .key = 2,
                                     .instrument = 1,
                                     .quantity = c->quantity,
                                     .price = 100000}};
    memset(take.ext.order.clordid, ' ', sizeof take.ext.order.clordid);
    take.ext.order.zero[0] = c->other_bytes;
    script_put(s, &take.c);
    if (c->cut)
        script_seal(s);
    script_put(s, &(struct sb_command){.kind = SB_CMD_CANCEL, .session = 1, .key = 1});
    script_seal(s);
    if (c->inputs == 10)
        script_order(s, 2, 2, SB_SELL, 7, 101000, SB_TIF_DAY, NULL);
    script_end(s);
    for (uint64_t i = 7; c->digest != 0 && i < s->log.packet_end; i++)
        sb_log_packet(&s->log, i)->digest ^= c->digest;
    s->state_digest ^= c->state;
}

struct rig {
    char dir[64], a[96], b[96], said[16384];
};

static struct rig rig;

static void rig_open(struct rig *r, const struct change *a, const struct change *b)
{
    struct script s;
    memset(r, 0, sizeof *r);
    strcpy(r->dir, "/tmp/shadowbook-test-difference-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(r->dir));
    snprintf(r->a, sizeof r->a, "%s/a", r->dir);
    snprintf(r->b, sizeof r->b, "%s/b", r->dir);
    play(&s, a);
    script_store_journal(&s, r->a, 0, 77); /* mixed: a journal and a log file */
    script_close(&s);
    play(&s, b);
    script_store_log(&s, r->b, 1);
    script_close(&s);
}

static void rig_close(struct rig *r)
{
    char command[96];
    snprintf(command, sizeof command, "rm -r '%s'", r->dir);
    ck_assert_int_eq(system(command), 0);
}

static int difference(struct rig *r)
{
    return script_inspect(r->said, sizeof r->said,
                          (const char *const[]){"--journal", r->a, "--difference", r->b, NULL});
}

/* The same as JSON. Released by the caller. */
static json_t *report(struct rig *r, int code)
{
    json_error_t error;
    const char *const arguments[] = {"--log", r->a, "--difference", r->b, "--json", NULL};
    ck_assert_int_eq(script_inspect(r->said, sizeof r->said, arguments), code);
    json_t *o = json_loads(r->said, JSON_REJECT_DUPLICATES, &error);
    ck_assert_msg(o != NULL, "%s in: %s", error.text, r->said);
    return o;
}

/* "a/commands/0/kind": members and places on the way down; NULL: not there. */
static json_t *at(json_t *o, const char *path)
{
    char name[32];
    int n;
    while (o != NULL && sscanf(path, "%31[^/]%n", name, &n) == 1) {
        o = json_is_array(o) ? json_array_get(o, strtoul(name, NULL, 10))
                             : json_object_get(o, name);
        path += n + (path[n] == '/');
    }
    return o;
}

/* As text, in a place that is good until the eighth call after. */
static const char *text_at(json_t *o, const char *path)
{
    static char text[8][160];
    static unsigned next;
    char *to = text[next++ % 8];
    const json_t *value = at(o, path);
    if (json_is_integer(value))
        snprintf(to, sizeof text[0], "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else
        snprintf(to, sizeof text[0], "%s", value != NULL ? json_string_value(value) : "absent");
    return to;
}

static void expect_said(const struct rig *r, const char *words)
{
    ck_assert_msg(strstr(r->said, words) != NULL, "no \"%s\" in: %s", words, r->said);
}

static void expect_verdict(struct rig *r, int code, const char *verdict, int input)
{
    json_t *o = report(r, code);
    ck_assert_str_eq(json_string_value(json_object_get(o, "verdict")), verdict);
    ck_assert_int_eq(json_integer_value(json_object_get(o, "input")), input);
    json_decref(o);
}

START_TEST(equal)
{
    rig_open(&rig, &NONE, &NONE);
    ck_assert_int_eq(difference(&rig), 0);
    expect_said(&rig, "inputs and digests are equal from 1 to 10\n");
    expect_verdict(&rig, 0, "equal", 10);
    rig_close(&rig);
}
END_TEST

START_TEST(prefix)
{
    struct change shorter = NONE;
    shorter.inputs = 9;
    rig_open(&rig, &NONE, &shorter);
    ck_assert_int_eq(difference(&rig), 0);
    expect_said(&rig, "inputs and digests are equal from 1 to 9\n");
    expect_said(&rig, "/a has 1 inputs more\n");
    expect_verdict(&rig, 0, "prefix", 9);
    rig_close(&rig);
}
END_TEST

START_TEST(another_command)
{
    struct change more = NONE;
    more.quantity = 95;
    rig_open(&rig, &NONE, &more);
    ck_assert_int_eq(difference(&rig), 1);
    expect_said(&rig, "input 8 differs\n");
    expect_said(&rig, "recorded digests are equal up to input 7: ");
    expect_said(&rig, "fields that differ: quantity\n");
    expect_said(&rig, "ORDER: input 8, time 2026-11-24T08:00:07.000000000Z, session 1, key 2, "
                      "symbol AAA, side buy, quantity 50, price 10.0000, tif DAY");
    expect_said(&rig, "quantity 95, price 10.0000, tif DAY");
    /* In a all of it trades, in b 80 do and 15 rest. */
    expect_said(&rig, "    EXECUTED: stream 2, number 2, key 1, symbol AAA, side sell, ref 2, "
                      "match 1, quantity 50, price 10.0000, liquidity added\n");
    expect_said(&rig, "quantity 80, price 10.0000, liquidity removed\n");
    expect_said(&rig, "    F_ADD: stream feed, number 7, symbol AAA, side buy, ref 3, quantity 15, "
                      "price 10.0000\n");

    json_t *o = report(&rig, 1);
    ck_assert_str_eq(text_at(o, "verdict"), "command");
    ck_assert_str_eq(text_at(o, "input"), "8");
    ck_assert_str_eq(text_at(o, "digests_equal_to"), "7");
    ck_assert_str_eq(text_at(o, "fields/0"), "quantity");
    ck_assert_ptr_null(at(o, "fields/1"));
    for (int side = 0; side < 2; side++) {
        json_t *of = json_object_get(o, side == 0 ? "a" : "b");
        ck_assert_str_eq(text_at(of, "books_before/AAA/0/buy_price"), "9.9000");
        ck_assert_str_eq(text_at(of, "books_before/AAA/0/sell_price"), "10.0000");
        ck_assert_str_eq(text_at(of, "books_before/AAA/0/sell_quantity"), "80");
    }
    ck_assert_str_eq(text_at(o, "a/books_after/AAA/0/sell_quantity"), "30");
    ck_assert_str_eq(text_at(o, "a/books_after/AAA/0/buy_price"), "9.9000");
    ck_assert_str_eq(text_at(o, "b/books_after/AAA/0/sell_price"), "");
    ck_assert_str_eq(text_at(o, "b/books_after/AAA/0/buy_quantity"), "15");
    ck_assert_str_eq(text_at(o, "b/books_after/AAA/1/buy_price"), "9.9000");
    ck_assert_str_eq(text_at(o, "a/commands/0/outputs/0/kind"), "ACCEPTED");
    ck_assert_str_eq(text_at(o, "a/node"), "A");
    ck_assert_str_eq(text_at(o, "a/incarnation"), "77");
    ck_assert_str_eq(text_at(o, "b/node"), "B");
    json_decref(o);
    rig_close(&rig);
}
END_TEST

/* A difference that no field shows is one all the same. */
START_TEST(bytes_without_a_name)
{
    struct change other = NONE;
    other.other_bytes = true;
    rig_open(&rig, &NONE, &other);
    ck_assert_int_eq(difference(&rig), 1);
    expect_said(&rig, "input 8 differs\n");
    expect_said(&rig, "fields that differ: reserved bytes\n");
    rig_close(&rig);
}
END_TEST

/* Same commands, another recorded digest from the packet of 8 and 9 on: the engine of whom was it? */
START_TEST(another_digest)
{
    struct change flipped = NONE, otherwise = NONE;
    flipped.digest = 1;
    otherwise.digest = 2;
    const struct {
        const struct change *a, *b;
        const char *agrees;
    } cases[] = {
        {&NONE, &flipped, "/a"}, {&flipped, &NONE, "/b"}, {&flipped, &otherwise, "neither"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rig_open(&rig, cases[i].a, cases[i].b);
        ck_assert_int_eq(difference(&rig), 1);
        expect_said(&rig, "inputs are equal, but behind input 9 the digests of all outputs differ");
        expect_said(&rig, "the packet's first input is 8\n");
        json_t *o = report(&rig, 1);
        ck_assert_str_eq(text_at(o, "verdict"), "digest");
        const char *agrees = text_at(o, "engine_agrees_with");
        ck_assert_ptr_nonnull(strstr(agrees, cases[i].agrees));
        /* Both inputs of the packet, with what this engine makes of them; the books around the packet. */
        ck_assert_str_eq(text_at(o, "a/commands/0/input"), "8");
        ck_assert_str_eq(text_at(o, "a/commands/1/outputs/0/kind"), "CANCELED");
        ck_assert_str_eq(text_at(o, "a/books_before/AAA/0/buy_quantity"), "100");
        ck_assert_str_eq(text_at(o, "a/books_after/AAA/0/buy_quantity"), "");
        ck_assert_str_eq(text_at(o, "a/books_after/AAA/0/sell_quantity"), "30");
        json_decref(o);
        rig_close(&rig);
    }
}
END_TEST

/* The recorded digests are equal up to another command, but not those of this engine. */
START_TEST(another_engine)
{
    struct change a = NONE, b = NONE;
    a.digest = b.digest = 4;
    b.inputs = 9;
    rig_open(&rig, &a, &b);
    struct script s;
    play(&s, &b);
    script_order(&s, 2, 2, SB_SELL, 8, 101000, SB_TIF_DAY, NULL);
    script_store_log(&s, rig.b, 1);
    script_close(&s);
    ck_assert_int_eq(difference(&rig), 1);
    expect_said(&rig, "input 10 differs\n");
    expect_said(&rig, "this engine's digests are others than the recorded ones from input 9 on\n");
    rig_close(&rig);
}
END_TEST

START_TEST(other_ends)
{
    struct change cut = NONE, state = NONE;
    cut.cut = true;
    rig_open(&rig, &NONE, &cut);
    ck_assert_int_eq(difference(&rig), 1);
    expect_said(&rig, "input 8 is the last of a packet in ");
    expect_said(&rig, "/b and not in ");
    expect_verdict(&rig, 1, "packets", 8);
    rig_close(&rig);

    state.state = 1;
    rig_open(&rig, &state, &NONE);
    ck_assert_int_eq(difference(&rig), 1);
    expect_said(&rig, "but the full-state digests at the end differ");
    json_t *o = report(&rig, 1);
    ck_assert_str_eq(text_at(o, "verdict"), "state");
    const char *agrees = text_at(o, "engine_agrees_with");
    ck_assert_ptr_nonnull(strstr(agrees, "/b"));
    json_decref(o);
    rig_close(&rig);
}
END_TEST

START_TEST(of_something_else)
{
    struct change shard = NONE, limits = NONE, day = NONE;
    shard.shard = 4;
    rig_open(&rig, &NONE, &shard);
    ck_assert_int_eq(difference(&rig), 1);
    expect_said(&rig, "they are of different shards: 3 in ");
    expect_verdict(&rig, 1, "shard", 0);
    rig_close(&rig);

    limits.limits.orders_max = 65;
    rig_open(&rig, &NONE, &limits);
    ck_assert_int_eq(difference(&rig), 1);
    expect_said(&rig, "the engines' limits differ\n");
    expect_said(&rig, "orders_max 64,");
    expect_said(&rig, "orders_max 65,");
    expect_verdict(&rig, 1, "limits", 0);
    rig_close(&rig);

    day.trading_day = 20261125;
    rig_open(&rig, &NONE, &day);
    ck_assert_int_eq(difference(&rig), 1);
    expect_said(&rig, "they are of different days\n");
    expect_said(&rig, "fields that differ: trading_day\n");
    expect_verdict(&rig, 1, "day", 1);
    rig_close(&rig);
}
END_TEST

START_TEST(not_comparable)
{
    rig_open(&rig, &NONE, &NONE);
    FILE *f = fopen(rig.b, "r+b");
    ck_assert_ptr_nonnull(f);
    ck_assert_int_eq(fseek(f, -1, SEEK_END), 0);
    ck_assert_int_ne(fputc(0x55, f), EOF);
    fclose(f);
    ck_assert_int_eq(difference(&rig), 2);
    expect_verdict(&rig, 2, "unreadable", 10);
    unlink(rig.b);
    ck_assert_int_eq(difference(&rig), 2);
    rig_close(&rig);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("inspect-difference");
    TCase *tc = tcase_create("difference");
    tcase_add_test(tc, equal);
    tcase_add_test(tc, prefix);
    tcase_add_test(tc, another_command);
    tcase_add_test(tc, bytes_without_a_name);
    tcase_add_test(tc, another_digest);
    tcase_add_test(tc, another_engine);
    tcase_add_test(tc, other_ends);
    tcase_add_test(tc, of_something_else);
    tcase_add_test(tc, not_comparable);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
