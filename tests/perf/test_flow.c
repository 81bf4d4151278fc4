/* Reader of flow and trades: what is right is read, what is wrong is told with file and line. */
#include <check.h>
#include <inttypes.h>
#include <lzma.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "perf/flow.h"
#include "perf/flow_commands.h"

#define HEADER "time_ns,op,order_id,side,price,quantity,arg\n"
#define TRADES "buy_order_id,sell_order_id,price,quantity,aggressor\n"

static char folder[] = "/tmp/test_flow_XXXXXX";
static char path[64];

static void write_file(const char *name, const void *bytes, size_t n)
{
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(bytes, 1, n, f), n);
    ck_assert_int_eq(fclose(f), 0);
}

/* Reads to the end or the error; number of rows, words in error ("" at the end). */
static unsigned read_flow(char error[SB_LINES_ERROR_BYTES])
{
    struct sb_flow_row row;
    unsigned rows = 0;
    int got;
    error[0] = '\0';
    struct sb_lines *l = sb_flow_open(path, error);
    if (l == NULL)
        return 0;
    while ((got = sb_flow_next(l, &row)) > 0)
        rows++;
    if (got < 0) {
        memcpy(error, sb_lines_error(l), SB_LINES_ERROR_BYTES);
        ck_assert_int_eq(sb_flow_next(l, &row), -1); /* an error stays */
    }
    sb_lines_close(l);
    return rows;
}

struct wrong {
    const char *text, *place, *words;
};

static const struct wrong WRONG[] = {
    {"", ":0: ", "empty file"},
    {"time_ns,op,order_id,side,price,quantity\n", ":1: ", "'arg' is missing"},
    {"time_ns,op,order_id,side,quantity,price,arg\n", ":1: ", "expected 'price'"},
    {HEADER "1,N,5,B,100,1\n", ":2: ", "6 columns"},
    {HEADER "1,N,5,B,100,1,DAY,A,B\n", ":2: ", "more than 8 columns"},
    {HEADER "1,N,5,B,100,1,DAY\n1,X,5,B,100,1,DAY\n", ":3: ", "op is 'X'"},
    {HEADER "1,NN,5,B,100,1,DAY\n", ":2: ", "op is 'NN'"},
    {HEADER "x,N,5,B,100,1,DAY\n", ":2: ", "time_ns is 'x'"},
    {HEADER "1,N,,B,100,1,DAY\n", ":2: ", "order_id is ''"},
    {HEADER "1,N,18446744073709551616,B,100,1,DAY\n", ":2: ", "order_id"},
    {HEADER "1,N,5,b,100,1,DAY\n", ":2: ", "side is 'b'"},
    {HEADER "1,N,5,B,-100,1,DAY\n", ":2: ", "price is '-100'"},
    {HEADER "1,N,5,B,1e4,1,DAY\n", ":2: ", "price is '1e4'"},
    {HEADER "1,N,5,B,9223372036854775808,1,DAY\n", ":2: ", "price"},
    {HEADER "1,N,5,B,100,0,DAY\n", ":2: ", "quantity is '0'"},
    {HEADER "1,N,5,B,100,4294967296,DAY\n", ":2: ", "quantity"},
    {HEADER "1,N,5,B,100,1,GTC\n", ":2: ", "expected DAY or IOC"},
    {HEADER "1,C,5,B,,,\n", ":2: ", "quantity is ''"},
    {HEADER "1,P,,,,,closed\n", ":2: ", "expected auction"},
    {HEADER "1,N,5,B,100,1,DAY,NINECHARS\n", ":2: ", "at most 8"},
    {HEADER "\n", ":2: ", "1 columns"},
};

START_TEST(wrong_rows)
{
    const struct wrong *w = &WRONG[_i];
    char error[SB_LINES_ERROR_BYTES];
    write_file("wrong.csv", w->text, strlen(w->text));
    read_flow(error);
    ck_assert_msg(strstr(error, "wrong.csv") != NULL && strstr(error, w->place) != NULL &&
                      strstr(error, w->words) != NULL,
                  "'%s' gave '%s', expected '%s' and '%s'", w->text, error, w->place, w->words);
}
END_TEST

START_TEST(zero_byte_and_long_line)
{
    char error[SB_LINES_ERROR_BYTES], text[sizeof HEADER + 6000];
    const char zero[] = HEADER "1,N,5,B,1\0000,1,DAY\n";
    write_file("zero.csv", zero, sizeof zero - 1);
    read_flow(error);
    ck_assert_ptr_nonnull(strstr(error, ":2: a zero byte"));
    strcpy(text, HEADER);
    memset(text + strlen(HEADER), '1', 6000);
    write_file("long.csv", text, sizeof text - 1);
    read_flow(error);
    ck_assert_ptr_nonnull(strstr(error, ":2: line is too long"));
}
END_TEST

START_TEST(right_rows)
{
    const char *text = HEADER "1,N,5,B,100,7,DAY\r\n2,N,6,S,200,8,IOC,ABC\n3,C,5,B,,7,\n"
                              "4,P,,,,,uncross"; /* no newline at the end */
    char error[SB_LINES_ERROR_BYTES];
    struct sb_flow_row r[4];
    write_file("right.csv", text, strlen(text));
    struct sb_lines *l = sb_flow_open(path, error);
    ck_assert_ptr_nonnull(l);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(sb_flow_next(l, &r[i]), 1);
    struct sb_flow_row none;
    ck_assert_int_eq(sb_flow_next(l, &none), 0);
    sb_lines_close(l);
    ck_assert_uint_eq(r[0].op, SB_FLOW_NEW);
    ck_assert_uint_eq(r[0].time_ns, 1);
    ck_assert_uint_eq(r[0].order_id, 5);
    ck_assert_uint_eq(r[0].side, SB_BUY);
    ck_assert_int_eq(r[0].price, 100);
    ck_assert_uint_eq(r[0].quantity, 7);
    ck_assert_uint_eq(r[0].tif, SB_TIF_DAY);
    ck_assert_mem_eq(r[0].symbol, "        ", 8);
    ck_assert_uint_eq(r[1].side, SB_SELL);
    ck_assert_uint_eq(r[1].tif, SB_TIF_IOC);
    ck_assert_mem_eq(r[1].symbol, "ABC     ", 8);
    ck_assert_uint_eq(r[2].op, SB_FLOW_CANCEL);
    ck_assert_uint_eq(r[2].quantity, 7);
    ck_assert_uint_eq(r[3].op, SB_FLOW_PHASE);
    ck_assert_uint_eq(r[3].phase, SB_FLOW_UNCROSS);
}
END_TEST

/* Writes n rows as .xz; the file's bytes and how many. */
static uint8_t *write_xz(unsigned n, size_t *bytes)
{
    char error[SB_LINES_ERROR_BYTES];
    snprintf(path, sizeof path, "%s/rows.csv.xz", folder);
    struct sb_line_writer *w = sb_line_writer_open(path, error);
    ck_assert_ptr_nonnull(w);
    sb_flow_write_header(w, true);
    for (unsigned i = 1; i <= n; i++) {
        const struct sb_flow_row row = {.op = SB_FLOW_NEW,
                                        .time_ns = i,
                                        .order_id = i * UINT64_C(7919),
                                        .price = (int64_t)(i * 2654435761u % 100000) + 1,
                                        .quantity = i,
                                        .symbol = "X       "};
        sb_flow_write(w, &row, true);
    }
    ck_assert(sb_line_writer_close(w, error));
    FILE *f = fopen(path, "rb");
    ck_assert_ptr_nonnull(f);
    uint8_t *all = malloc(1 << 20);
    ck_assert_ptr_nonnull(all);
    *bytes = fread(all, 1, 1 << 20, f);
    fclose(f);
    return all;
}

START_TEST(xz_whole_truncated_damaged)
{
    char error[SB_LINES_ERROR_BYTES];
    size_t n;
    uint8_t *bytes = write_xz(5000, &n);
    ck_assert_uint_eq(read_flow(error), 5000);
    ck_assert_str_eq(error, "");
    write_file("cut.csv.xz", bytes, n / 2);
    ck_assert_uint_lt(read_flow(error), 5000);
    ck_assert_ptr_nonnull(strstr(error, "cut.csv.xz:"));
    ck_assert_ptr_nonnull(strstr(error, "truncated xz"));
    write_file("tail.csv.xz", bytes, n - 1);
    read_flow(error);
    ck_assert_ptr_nonnull(strstr(error, "truncated xz"));
    bytes[n / 2] ^= 0x10;
    write_file("bad.csv.xz", bytes, n);
    read_flow(error);
    ck_assert_ptr_nonnull(strstr(error, "damaged xz"));
    write_file("plain.csv.xz", HEADER, strlen(HEADER));
    read_flow(error);
    ck_assert_ptr_nonnull(strstr(error, "not xz"));
    free(bytes);
}
END_TEST

/* A file of some bytes must not make its reader take gigabytes: the block's head asks for a dictionary of 4 GiB. */
START_TEST(xz_that_asks_for_much_memory)
{
    char error[SB_LINES_ERROR_BYTES];
    size_t n;
    uint8_t *bytes = write_xz(10, &n), *block = bytes + LZMA_STREAM_HEADER_SIZE;
    const size_t size = lzma_block_header_size_decode(block[0]);
    ck_assert(block[1] == 0 && block[2] == 0x21 && block[3] == 1); /* one filter: LZMA2 */
    block[4] = 40;
    const uint32_t crc = lzma_crc32(block, size - 4, 0);
    memcpy(block + size - 4, &crc, 4);
    write_file("much.csv.xz", bytes, n);
    ck_assert_uint_eq(read_flow(error), 0);
    ck_assert_ptr_nonnull(strstr(error, "much.csv.xz:1: xz data that needs more than 512 MiB"));
    free(bytes);
}
END_TEST

START_TEST(trades_there_and_back)
{
    static const struct sb_flow_trade SOME[] = {
        {1, 2, 100, 5, 'b'}, {UINT64_MAX, 3, 200, UINT32_MAX, 's'}, {4, 5, 300, 1, 'a'}};
    char error[SB_LINES_ERROR_BYTES];
    snprintf(path, sizeof path, "%s/trades.csv", folder);
    struct sb_line_writer *w = sb_line_writer_open(path, error);
    ck_assert_ptr_nonnull(w);
    sb_flow_trades_write_header(w);
    for (int i = 0; i < 3; i++)
        sb_flow_trades_write(w, &SOME[i]);
    ck_assert(sb_line_writer_close(w, error));
    struct sb_lines *l = sb_flow_trades_open(path, error);
    ck_assert_ptr_nonnull(l);
    struct sb_flow_trade t = {0};
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(sb_flow_trades_next(l, &t), 1);
        ck_assert_uint_eq(t.buy_order_id, SOME[i].buy_order_id);
        ck_assert_uint_eq(t.sell_order_id, SOME[i].sell_order_id);
        ck_assert_int_eq(t.price, SOME[i].price);
        ck_assert_uint_eq(t.quantity, SOME[i].quantity);
        ck_assert_uint_eq(t.aggressor, SOME[i].aggressor);
    }
    ck_assert_int_eq(sb_flow_trades_next(l, &t), 0);
    sb_lines_close(l);
    const char *wrong = TRADES "1,2,3,4,buyer\n";
    write_file("wrong.csv", wrong, strlen(wrong));
    l = sb_flow_trades_open(path, error);
    ck_assert_ptr_nonnull(l);
    ck_assert_int_eq(sb_flow_trades_next(l, &t), -1);
    ck_assert_ptr_nonnull(strstr(sb_lines_error(l), "wrong.csv:2: aggressor is 'buyer'"));
    sb_lines_close(l);
}
END_TEST

START_TEST(commands_of_a_flow)
{
    const char *text = HEADER "5,P,,,,,auction\n6,N,70,S,150,8,DAY,AB\n6,N,71,B,200,9,IOC,CD\n"
                              "9,C,70,S,,3,\n9,C,99,S,,3,\n";
    char error[SB_LINES_ERROR_BYTES];
    struct sb_flow_commands fc = {0};
    write_file("flow.csv", text, strlen(text));
    ck_assert(sb_flow_commands_load(&fc, path, error));
    ck_assert_uint_eq(fc.instruments, 2);
    ck_assert_uint_eq(fc.events, 5);
    ck_assert_uint_eq(fc.unknown_cancels, 1);
    const struct sb_command *c = fc.lines;
    uint64_t seq = 0, time_ns = 0;
    static const uint8_t KINDS[] = {SB_CMD_DAY,        SB_CMD_SESSION, SB_CMD_INSTRUMENT,
                                    SB_CMD_INSTRUMENT, SB_CMD_PHASE,   SB_CMD_ORDER,
                                    SB_CMD_ORDER,      SB_CMD_REDUCE,  SB_CMD_REDUCE};
    const struct sb_command *at[9];
    for (int i = 0; i < 9; i++, c += sb_command_lines(c)) {
        ck_assert(sb_command_valid(c, (uint32_t)(fc.lines + fc.lines_n - c)));
        ck_assert_uint_eq(c->kind, KINDS[i]);
        ck_assert_uint_eq(c->seq, ++seq);
        ck_assert_uint_gt(c->time_ns, time_ns);
        time_ns = c->time_ns;
        at[i] = c;
    }
    ck_assert_ptr_eq(c, fc.lines + fc.lines_n);
    ck_assert_int_eq(sb_command_ext(at[2])->instrument.tick, 1); /* 150 is no multiple of 100 */
    ck_assert_int_eq(sb_command_ext(at[3])->instrument.tick, 100);
    ck_assert_uint_eq(sb_command_ext(at[2])->instrument.phase, SB_PHASE_CLOSED);
    ck_assert_uint_eq(at[4]->instrument, SB_INSTRUMENT_ALL);
    ck_assert_uint_eq(at[5]->key, 1);
    ck_assert_uint_eq(at[6]->key, 2);
    ck_assert_uint_eq(at[6]->instrument, 2);
    ck_assert_uint_eq(at[7]->key, 1);
    ck_assert_uint_eq(at[8]->key, 0);
    ck_assert_uint_eq(fc.order_ids[2], 71);
    sb_flow_commands_free(&fc);
    const char *twice = HEADER "6,N,70,S,100,8,DAY\n6,N,70,S,100,8,DAY\n";
    write_file("twice.csv", twice, strlen(twice));
    ck_assert(!sb_flow_commands_load(&fc, path, error));
    ck_assert_ptr_nonnull(strstr(error, "twice.csv:3: order_id was used before"));
    sb_flow_commands_free(&fc);
}
END_TEST

int main(void)
{
    if (mkdtemp(folder) == NULL)
        return 1;
    Suite *s = suite_create("flow");
    TCase *t = tcase_create("flow");
    tcase_add_loop_test(t, wrong_rows, 0, sizeof WRONG / sizeof WRONG[0]);
    tcase_add_test(t, zero_byte_and_long_line);
    tcase_add_test(t, right_rows);
    tcase_add_test(t, xz_whole_truncated_damaged);
    tcase_add_test(t, xz_that_asks_for_much_memory);
    tcase_add_test(t, trades_there_and_back);
    tcase_add_test(t, commands_of_a_flow);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    const int failed = srunner_ntests_failed(r);
    srunner_free(r);
    char command[64];
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command) == 0 && failed == 0 ? 0 : 1;
}
