/* test_carry.c: orders of an earlier day: a file of them, and how they come into a new day's log: once, all of them, whoever owns it
 * while they do; a node that has others says so.
 *
 * Not here: what the engine makes of them (tests/rules 19, tests/engine/test_carry.c), processes (tests/run/carry.sh). */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "nic/wire/bytes.h"
#include "nic/wire/entry.h"
#include "nic/wire/ouch.h"
#include "replica/carry.h"
#include "replica/genesis.h"
#include "replica/snapshot.h"

enum { MS = 1000000, MANY = 900, FEW = 5, FIT = 3, DEFINED = 4 };

static struct bench b;
static struct sb_command2 orders[MANY];

static struct sb_command2 order(uint32_t session, uint32_t key, uint32_t firm, int64_t price)
{
    return (struct sb_command2){.c = {.session = session,
                                      .firm = firm,
                                      .key = key,
                                      .instrument = 1,
                                      .kind = SB_CMD_CARRY,
                                      .side = SB_BUY,
                                      .tif = SB_TIF_GTC,
                                      .flags = SB_CMD_F_EXT,
                                      .quantity = 100,
                                      .capacity = 'A',
                                      .price = price}};
}

/* Three fit; the others: off the tick, of another firm. */
static void few(struct sb_config *c)
{
    orders[0] = order(1, 9, 1, 10000);
    orders[1] = order(1, 4, 1, 10000);
    orders[1].ext.carry.executed = 40;
    orders[2] = order(1, 6, 1, 10001);
    orders[3] = order(2, 1, 7, 10000);
    orders[4] = order(2, 2, 2, 9900);
    c->carry = orders;
    c->carry_n = FEW;
}

static void many(struct sb_config *c)
{
    for (uint32_t i = 0; i < MANY; i++)
        orders[i] = order(1 + i % 2, MANY - i, 1 + i % 2, 5000 + 100 * (i % 40));
    c->carry = orders;
    c->carry_n = MANY;
    c->limits.orders_max = c->limits.terms_max = 1024;
    c->hold_bytes = 1u << 25;
    c->unacked_lines = 256;
}

/* --- into the log ------------------------------------------------------------------------------------ */

/* In its place in the log, with a number and a time. */
static void expect_carry(const struct sb_node *node, uint64_t n, const struct sb_command2 *wanted)
{
    const uint64_t index = sb_log_find(&node->log, n);
    ck_assert_uint_ne(index, UINT64_MAX);
    const struct sb_packet *p = sb_log_packet(&node->log, index);
    const struct sb_command *c = sb_log_lines(&node->log, p);
    for (uint64_t at = p->n_first; at < n; at++)
        c += sb_command_lines(c);
    struct sb_command2 is;
    memcpy(&is, c, sizeof is);
    ck_assert_uint_eq(is.c.seq, n);
    is.c.seq = is.c.time_ns = 0;
    ck_assert_mem_eq(&is, wanted, sizeof is);
}

static struct sb_order_view books[MANY + 1];
static uint32_t books_n;

static void see(void *arg, const struct sb_order_view *o)
{
    (void)arg;
    ck_assert_uint_lt(books_n, MANY);
    books[books_n++] = *o;
}

static void look(const struct sb_node *node)
{
    books_n = 0;
    sb_engine_visit_all(node->engine, 1, see, NULL);
}

static void put(uint64_t number, uint8_t *blocks, uint32_t len)
{
    sb_put16(blocks, (uint16_t)len);
    const struct bench_frame f = bench_entry(&b, 1, 77, number, blocks, 2 + len, 1);
    bench_put(&b, 0, &f);
    bench_put(&b, 1, &f);
    bench_run(&b, MS);
}

START_TEST(a_pair_has_them)
{
    bench_pair(&b, few);
    for (uint32_t i = 0; i < FEW; i++)
        for (uint32_t k = 0; k < 2; k++)
            expect_carry(b.node[k], DEFINED + 1 + i, &orders[i]);
    ck_assert_uint_eq(sb_node_log(b.node[0])->len, DEFINED + FEW + 1); /* the login */
    for (uint32_t k = 0; k < 2; k++) {
        ck_assert_uint_eq(b.counters[k][SB_CTR_CARRIED], FIT);
        ck_assert_uint_eq(b.counters[k][SB_CTR_CARRY_REFUSED], FEW - FIT);
        look(b.node[k]);
        ck_assert_uint_eq(books_n, FIT);
        ck_assert_uint_eq(books[0].key, 9); /* by the order in which they came, not by key */
        ck_assert_uint_eq(books[1].key, 4);
        ck_assert_uint_eq(books[1].executed, 40);
        ck_assert_uint_eq(books[2].session, 2);
    }
    bench_close(&b);
}
END_TEST

/* It was told before it logged in: it asks for what it missed. Then its orders are its own. */
START_TEST(a_client_learns_of_them_and_cancels_one)
{
    bench_pair(&b, few);
    b.client.n = 0; /* the login's answers, which had the numbers 4 and 5 */
    const struct bench_frame ask = bench_request(&b, BENCH_CLIENT_IP, b.node[0]->names[1], 1, 5);
    bench_put(&b, 0, &ask);
    bench_put(&b, 1, &ask);
    bench_run(&b, MS);
    ck_assert_uint_eq(bench_answers(&b, 'A'), 2);
    ck_assert_uint_eq(bench_answers(&b, 'J'), 1);
    ck_assert_uint_eq(bench_answers(&b, 'L'), 1);
    uint8_t blocks[64];
    const struct sb_ouch_cancel x = {.ref = 4, .quantity = 90};
    put(1, blocks, sb_ouch_write_cancel(blocks + 2, &x));
    ck_assert_uint_eq(bench_answers(&b, 'C'), 1);
    look(b.node[1]);
    ck_assert_uint_eq(books[1].open, 50); /* 40 of 90 were executed */
    /* A key below the highest of them is a resend, one above it is taken. */
    uint8_t order_blocks[128];
    put(2, order_blocks, bench_block_order(order_blocks, 8, 'B', 9000) - 2);
    ck_assert_uint_eq(sb_engine_stats(b.node[0]->engine)->accepted, FIT);
    put(3, order_blocks, bench_block_order(order_blocks, 10, 'B', 9000) - 2);
    ck_assert_uint_eq(sb_engine_stats(b.node[0]->engine)->accepted, FIT + 1);
    ck_assert_uint_eq(sb_engine_state_digest(b.node[0]->engine),
                      sb_engine_state_digest(b.node[1]->engine));
    bench_close(&b);
}
END_TEST

/* The owner dies when the shadow has a part of them: it goes on where the log ends. */
START_TEST(a_takeover_in_the_middle)
{
    bench_open_with(&b, many);
    while (sb_node_log(b.node[1])->len < DEFINED + 1 + (uint64_t)_i * MANY / 8)
        bench_step(&b);
    const uint64_t had = sb_node_log(b.node[1])->len;
    ck_assert_uint_gt(had, DEFINED);
    ck_assert_uint_lt(had, DEFINED + MANY);
    b.down[0] = true;
    for (uint32_t i = 0; i < 20000 && sb_node_log(b.node[1])->len < DEFINED + MANY; i++) {
        b.now_ns += 98000;
        bench_step(&b);
    }
    bench_run(&b, 5 * MS);
    ck_assert_int_eq(b.node[1]->role, SB_ROLE_SOLO);
    ck_assert_uint_eq(sb_node_log(b.node[1])->len, DEFINED + MANY);
    ck_assert_uint_eq(b.node[1]->applied, DEFINED + MANY);
    for (uint32_t i = 0; i < MANY; i++)
        expect_carry(b.node[1], DEFINED + 1 + i, &orders[i]);
    ck_assert_uint_eq(b.counters[1][SB_CTR_CARRIED], MANY);
    ck_assert_uint_eq(b.counters[1][SB_CTR_CARRY_REFUSED], 0);
    bench_close(&b);
}
END_TEST

/* --- who has others ---------------------------------------------------------------------------------- */

static struct sb_config mine;
static struct sb_command2 my_orders[FEW + 1];

/* What is different, and the input that shows it. */
static const struct {
    uint64_t n;
} OTHERS[] = {{DEFINED + 1}, {DEFINED + 2}, {DEFINED + FEW}, {DEFINED + FEW + 1}, {DEFINED + 1}};

static void make_mine(int what)
{
    mine = b.config;
    memcpy(my_orders, orders, sizeof my_orders);
    mine.carry = my_orders;
    if (what == 0)
        mine.carry_n = 0; /* no file */
    else if (what == 1)
        my_orders[1].ext.carry.executed++;
    else if (what == 2)
        mine.carry_n--; /* one less */
    else if (what == 3)
        mine.carry_n++; /* one more: where the log has a login */
    else
        my_orders[0].c.quantity--;
}

/* Nobody's orders are left out because one engine has no file, or an old one. */
START_TEST(a_day_does_not_begin_with_others)
{
    bench_open_with(&b, few);
    make_mine(_i);
    b.node[1]->carry_hash = sb_genesis_carry_hash(&mine);
    bench_run(&b, 20 * MS);
    for (uint8_t i = 0; i < 2; i++) {
        ck_assert_int_eq(b.node[i]->role, SB_ROLE_BOOT);
        ck_assert_uint_eq(b.node[i]->log.len, 0);
        ck_assert(sb_node_peer_carries_others(b.node[i]));
        ck_assert(!b.done[i]);
    }
    ck_assert_int_eq(b.witness.state, SB_W_UNSET);
    bench_start(&b, 1, true); /* with the file that it should have had */
    bench_run(&b, 20 * MS);
    ck_assert_int_eq(b.node[0]->role, SB_ROLE_PRIM);
    ck_assert_int_eq(b.node[1]->role, SB_ROLE_SHADOW);
    ck_assert(!sb_node_peer_carries_others(b.node[0]));
    ck_assert_uint_eq(b.counters[0][SB_CTR_CARRIED], FIT);
    bench_close(&b);
}
END_TEST

/* The first input that is not as in my configuration, DAY aside. */
static uint64_t first_other(const struct sb_node *node)
{
    for (uint64_t i = 0; i < node->log.packet_end; i++) {
        const struct sb_packet *p = sb_log_packet(&node->log, i);
        const struct sb_command *c = sb_log_lines(&node->log, p);
        for (uint32_t k = 0; k < p->count; k++, c += sb_command_lines(c))
            if (c->seq > 1 && !sb_genesis_agrees(&mine, c))
                return c->seq;
    }
    return 0;
}

/* Had they begun all the same: the log counts, from its DAY on. */
START_TEST(a_shadow_with_others_stops)
{
    bench_open_with(&b, few);
    make_mine(_i);
    b.node[1]->config = b.node[1]->setup.config = &mine;
    bench_run(&b, 10 * MS);
    b.down[1] = b.done[1];
    uint8_t blocks[64];
    const uint32_t n = bench_block_login(blocks, 1, BENCH_CLIENT_IP);
    const struct bench_frame f = bench_entry(&b, 1, 77, 0, blocks, n, 1);
    bench_put(&b, 0, &f);
    bench_put(&b, 1, &f);
    bench_run(&b, 10 * MS);
    ck_assert_uint_eq(sb_node_differs(b.node[0]), 0);
    ck_assert_uint_eq(sb_node_differs(b.node[1]), 1);
    ck_assert_uint_eq(sb_node_log_rules(b.node[1]), SB_ENGINE_RULES); /* it is not those */
    ck_assert_uint_eq(first_other(b.node[0]), OTHERS[_i].n);
    ck_assert(b.done[1]);
    ck_assert_uint_eq(b.counters[1][SB_CTR_WENT_LIVE], 0);
    bench_close(&b);
}
END_TEST

static struct sb_snapshot snapshot_of(const struct sb_engine *e)
{
    const size_t bytes = sb_snapshot_bytes(e);
    struct sb_snapshot s = {.bytes = malloc(bytes), .bytes_n = bytes};
    ck_assert_ptr_nonnull(s.bytes);
    sb_snapshot_make(e, s.bytes, bytes);
    ck_assert_ptr_null(sb_snapshot_fault(s.bytes, bytes, &s.head));
    return s;
}

/* A state says which orders its day began with, wherever it was taken. Else who goes on with one from the middle, and has no file
 * any more, would leave the rest out; and who has one that the day did not begin with would enter the end of it. */
START_TEST(a_state_with_others_is_refused)
{
    const bool own = _i == 0, without = _i == 3;
    bench_open_with(&b, without ? NULL : many);
    while (b.node[1]->applied < DEFINED + (without ? 0u : 1u))
        bench_step(&b);
    const uint64_t n = b.node[1]->applied;
    ck_assert_uint_ge(n, DEFINED);
    ck_assert_uint_lt(n, DEFINED + MANY);
    struct sb_snapshot snapshot = snapshot_of(b.node[1]->engine);
    mine = b.config;
    if (_i == 1)
        mine.carry_n = 0;
    else if (_i == 2)
        mine.carry_n--;
    else if (without)
        few(&mine);
    ck_assert_uint_eq(sb_genesis_differs(&mine, b.node[1]->engine), !own);
    bench_start(&b, 1, false);
    b.node[1]->config = b.node[1]->setup.config = &mine;
    ck_assert_ptr_null(sb_node_load_snapshot(b.node[1], &snapshot));
    ck_assert_uint_eq(sb_node_differs(b.node[1]), !own);
    ck_assert_uint_eq(sb_node_log(b.node[1])->len, n);
    free(snapshot.bytes);
    bench_close(&b);
}
END_TEST

/* --- the file ---------------------------------------------------------------------------------------- */

static char path[] = "/dev/shm/sb-test-carry-XXXXXX";

static bool reads(const void *bytes, size_t n)
{
    FILE *file = fopen(path, "w"), *err = fopen("/dev/null", "w");
    struct sb_carry c;
    ck_assert(file != NULL && err != NULL);
    ck_assert_uint_eq(fwrite(bytes, 1, n, file), n);
    fclose(file);
    const bool good = sb_carry_read(&c, path, err);
    fclose(err);
    sb_carry_free(&c);
    return good;
}

START_TEST(a_file_and_back)
{
    bench_pair(&b, few);
    struct sb_carry made, again;
    ck_assert(sb_carry_collect(&made, b.node[0]->engine, 9, 77));
    ck_assert_uint_eq(made.head.orders_n, FIT);
    ck_assert_uint_eq(made.head.n, 9);
    ck_assert_mem_eq(made.orders[0].symbol, "TEST    ", 8);
    const uint32_t keys[FIT] = {9, 4, 2};
    for (uint32_t i = 0; i < FIT; i++)
        ck_assert_uint_eq(made.orders[i].command.c.key, keys[i]);
    const int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    close(fd);
    ck_assert(sb_carry_write(&made, path, stderr));
    ck_assert(sb_carry_read(&again, path, stderr));
    made.head.hash = again.head.hash;
    ck_assert_mem_eq(&made.head, &again.head, sizeof made.head);
    ck_assert_mem_eq(made.orders, again.orders, FIT * sizeof *made.orders);

    /* Golden: what a reader of the format needs. */
    uint8_t bytes[sizeof made.head + FIT * sizeof *made.orders + 1] = {0};
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fread(bytes, 1, sizeof bytes, file), sizeof bytes - 1);
    fclose(file);
    ck_assert_mem_eq(bytes, "\r\nSBCRY1\1\0\0\0", 12);
    ck_assert_mem_eq(bytes + 40, "\3\0\0\0\0\0\0\0", 8);
    ck_assert_mem_eq(bytes + 56 + 32, "\11\0\0\0", 4);       /* key */
    ck_assert_uint_eq(bytes[56 + 44], 24);                   /* CARRY */
    ck_assert_mem_eq(bytes + 56 + 136 + 64, "\50\0\0\0", 4); /* executed */
    ck_assert_mem_eq(bytes + 56 + 128, "TEST    ", 8);

    for (size_t i = 0; i + 1 < sizeof bytes; i++) {
        bytes[i] ^= (uint8_t)(1u << i % 8);
        ck_assert_msg(!reads(bytes, sizeof bytes - 1), "a flipped bit in byte %zu", i);
        bytes[i] ^= (uint8_t)(1u << i % 8);
    }
    for (size_t n = 0; n < sizeof bytes; n += n < 70 ? 1 : 37)
        ck_assert_msg(!reads(bytes, n) || n == sizeof bytes - 1, "cut at %zu", n);
    ck_assert(!reads(bytes, sizeof bytes)); /* one byte more */
    ck_assert(reads(bytes, sizeof bytes - 1));
    unlink(path);
    sb_carry_free(&made);
    sb_carry_free(&again);
    bench_close(&b);
}
END_TEST

/* An instrument is found by its symbol. */
START_TEST(into_a_configuration)
{
    static struct sb_config c;
    static struct sb_instrument_config instruments[4];
    struct sb_carry_order all[3] = {{order(1, 5, 1, 10000), "TEST    "},
                                    {order(1, 4, 1, 10000), "GONE    "},
                                    {order(1, 3, 1, 10000), "NEXT    "}};
    struct sb_carry carry = {.head = {.orders_n = 3, .shard = 7, .trading_day = 20261130},
                             .orders = all};
    memcpy(instruments[3].symbol, "TEST    ", 8);
    memcpy(instruments[2].symbol, "GONE    ", 8); /* not present */
    memcpy(instruments[1].symbol, "NEXT    ", 8);
    instruments[1].present = instruments[3].present = true;
    c = (struct sb_config){.shard = 7, .instruments = instruments, .instruments_n = 3};
    for (uint32_t i = 0; i < 3; i++)
        all[i].command.c.instrument = 0;
    ck_assert(sb_carry_into(&carry, &c, stderr));
    ck_assert_uint_eq(c.carry_n, 3);
    ck_assert_uint_eq(c.carry[0].c.instrument, 3);
    ck_assert_uint_eq(c.carry[1].c.instrument, SB_INSTRUMENT_NONE);
    ck_assert_uint_eq(c.carry[2].c.instrument, 1);
    ck_assert(!sb_carry_fits_day(&c, 20261129));
    ck_assert(!sb_carry_fits_day(&c, 20261130));
    ck_assert(sb_carry_fits_day(&c, 20261201));
    FILE *err = fopen("/dev/null", "w");
    c.shard = 8;
    ck_assert(!sb_carry_into(&carry, &c, err));
    fclose(err);
    free(c.carry);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("replica-carry");
    TCase *tc = tcase_create("carry");
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, a_pair_has_them);
    tcase_add_test(tc, a_client_learns_of_them_and_cancels_one);
    tcase_add_loop_test(tc, a_takeover_in_the_middle, 0, 8);
    tcase_add_loop_test(tc, a_day_does_not_begin_with_others, 0, sizeof OTHERS / sizeof *OTHERS);
    tcase_add_loop_test(tc, a_shadow_with_others_stops, 0, sizeof OTHERS / sizeof *OTHERS);
    tcase_add_loop_test(tc, a_state_with_others_is_refused, 0, 4);
    tcase_add_test(tc, a_file_and_back);
    tcase_add_test(tc, into_a_configuration);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
