/* flow.c: any bytes as a flow or trades file, plain, compressed, or as the compressed file itself. A refusal names file and
 * line. What is read is, written by us plain or compressed and read again, the same rows; a text says the same compressed
 * as plain.
 *
 * input: pick (PICK_*), then the file. */
#include <string.h>

#include <lzma.h>

#include "perf/flow.h"
#include "perf/match.h"
#include "shadowbook/assert.h"
#include "tests/fuzz/file.h"
#include "tests/fuzz/fuzz.h"

enum { PICK_TRADES = 1, PICK_RAW_XZ = 2, PICK_XZ = 4, PICK_MATCH = 8 };
enum { ROWS_MAX = FUZZ_INPUT_MAX / 8 }; /* no row is shorter */

struct rows {
    struct sb_flow_row flow[ROWS_MAX];
    struct sb_flow_trade trades[ROWS_MAX];
    uint32_t n;
    int end; /* of the last call: 0 the end, -1 refused */
    uint64_t line;
    char said[SB_LINES_ERROR_BYTES];
};

/* The reason without the file's name. */
static const char *reason(const struct rows *r, const char *path)
{
    return r->said + strlen(path);
}

static void read_all(struct rows *r, const char *path, bool trades)
{
    memset(r, 0, sizeof *r);
    struct sb_lines *l = trades ? sb_flow_trades_open(path, r->said) : sb_flow_open(path, r->said);
    r->end = -1;
    if (l != NULL) {
        do {
            SB_ASSERT_LT(r->n, (uint32_t)ROWS_MAX);
            r->end =
                trades ? sb_flow_trades_next(l, &r->trades[r->n]) : sb_flow_next(l, &r->flow[r->n]);
            r->n += r->end == 1;
        } while (r->end == 1);
        r->line = sb_lines_number(l);
        SB_ASSERT_EQ(r->end == 0, sb_lines_error(l)[0] == '\0');
        memcpy(r->said, sb_lines_error(l), sizeof r->said);
        sb_lines_close(l);
        if (r->end == 0) {
            SB_ASSERT_EQ(r->line, r->n + 1u); /* a heading, and every line is a row */
            return;
        }
    }
    SB_ASSERT_EQ(strncmp(r->said, path, strlen(path)), 0);
    SB_ASSERT(reason(r, path)[0] == ':' && strlen(reason(r, path)) > 4);
}

static void write_all(const struct rows *r, const char *path, bool trades)
{
    char error[SB_LINES_ERROR_BYTES];
    struct sb_line_writer *w = sb_line_writer_open(path, error);
    SB_ASSERT(w != NULL);
    if (trades)
        sb_flow_trades_write_header(w);
    else
        sb_flow_write_header(w, true);
    for (uint32_t i = 0; i < r->n; i++)
        if (trades)
            sb_flow_trades_write(w, &r->trades[i]);
        else
            sb_flow_write(w, &r->flow[i], true);
    SB_ASSERT(sb_line_writer_close(w, error));
}

static void same(const struct rows *a, const struct rows *b)
{
    SB_ASSERT_EQ(a->n, b->n);
    SB_ASSERT_EQ(memcmp(a->flow, b->flow, a->n * sizeof a->flow[0]), 0);
    for (uint32_t i = 0; i < a->n; i++) {
        const struct sb_flow_trade *x = &a->trades[i], *y = &b->trades[i];
        SB_ASSERT(x->buy_order_id == y->buy_order_id && x->sell_order_id == y->sell_order_id &&
                  x->price == y->price && x->quantity == y->quantity &&
                  x->aggressor == y->aggressor);
    }
}

static void compressed_judge(const struct rows *plain, const char *plain_path, const uint8_t *text,
                             size_t n, bool trades)
{
    static struct rows r;
    uint8_t xz[2 * FUZZ_INPUT_MAX];
    size_t bytes = 0;
    SB_ASSERT_EQ(lzma_easy_buffer_encode(0, LZMA_CHECK_CRC64, NULL, text, n, xz, &bytes, sizeof xz),
                 LZMA_OK);
    const char *path = fuzz_path("in.csv.xz");
    fuzz_file_put(path, xz, bytes);
    read_all(&r, path, trades);
    SB_ASSERT_EQ(r.end, plain->end);
    SB_ASSERT_EQ(strcmp(reason(&r, path), reason(plain, plain_path)), 0);
    same(&r, plain);
    fuzz_file_put(path, xz, bytes - 1); /* and cut short it is refused */
    read_all(&r, path, trades);
    SB_ASSERT_EQ(r.end, -1);
}

/* The file as `match` plays it: whatever its rows say, every one has a command, and every command an end. */
static void match_judge(const struct rows *r, const char *path)
{
    const struct sb_engine_limits limits = {.instruments_max = ROWS_MAX,
                                            .sessions_max = SB_FLOW_SESSION,
                                            .orders_max = 16,
                                            .levels_max = 16,
                                            .terms_max = 64,
                                            .window_levels = 64};
    struct sb_flow_commands fc = {0};
    struct sb_match_engine m;
    struct sb_match_result result;
    char error[SB_LINES_ERROR_BYTES] = "";
    if (sb_flow_commands_load(&fc, path, error)) {
        SB_ASSERT(r->end == 0 && fc.events == r->n);
        SB_ASSERT(sb_match_engine_open(&m, &limits));
        sb_match_check(&m, &fc, &result, NULL, NULL);
        SB_ASSERT_EQ(sb_engine_stats(m.engine)->commands, fc.commands);
        sb_match_engine_close(&m);
    } else {
        SB_ASSERT(strncmp(error, path, strlen(path)) == 0 && error[strlen(path)] == ':');
    }
    sb_flow_commands_free(&fc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct rows r, again; /* too large for a stack */
    if (size < 1 || size > FUZZ_INPUT_MAX)
        return 0;
    const bool trades = (data[0] & PICK_TRADES) != 0, xz = (data[0] & PICK_XZ) != 0;
    const char *path = fuzz_path((data[0] & PICK_RAW_XZ) != 0 ? "in.csv.xz" : "in.csv");
    fuzz_file_put(path, data + 1, size - 1);
    read_all(&r, path, trades);
    if (xz && (data[0] & PICK_RAW_XZ) == 0)
        compressed_judge(&r, path, data + 1, size - 1, trades);
    if (!trades && (data[0] & PICK_MATCH) != 0)
        match_judge(&r, path);
    if (r.end != 0)
        return 0;
    const char *back = fuzz_path(xz ? "out.csv.xz" : "out.csv");
    write_all(&r, back, trades);
    read_all(&again, back, trades);
    SB_ASSERT_EQ(again.end, 0);
    same(&r, &again);
    return 0;
}

static const char FLOW[] = "time_ns,op,order_id,side,price,quantity,arg\n"
                           "33300000000000,P,,,,,auction\n"
                           "33300280000000,N,1196,S,54900,96600,DAY\n"
                           "33300280000001,N,161885,B,54800,100,IOC\r\n"
                           "33311600000000,C,1196,S,,600,\n"
                           "33900180000000,P,,,,,uncross\n"
                           "34200000000000,P,,,,,continuous";
static const char FLOW2[] =
    "time_ns,op,order_id,side,price,quantity,arg,instrument\n"
    "1000,P,,,,,continuous,\n"
    "1001,N,18446744073709551615,B,9223372036854775807,4294967295,DAY,SYMC\n"
    "1003,C,7,B,,40,,SYMC4567\n";
static const char TRADES[] = "buy_order_id,sell_order_id,price,quantity,aggressor\n"
                             "1,2,54900,100,buy\n3,2,54900,100,sell\n4,5,1,1,auction\n";

uint32_t fuzz_seed(uint32_t i, uint8_t *out)
{
    static const char *const texts[] = {FLOW, FLOW2, TRADES};
    if (i >= 11)
        return 0;
    const char *text = texts[i % 3];
    size_t bytes = strlen(text);
    out[0] = (uint8_t)((i % 3 == 2 ? PICK_TRADES : 0) | (i >= 3 && i < 6 ? PICK_RAW_XZ : 0));
    memcpy(out + 1, text, bytes);
    if (i >= 3 && i < 6) {
        bytes = 0;
        SB_ASSERT_EQ(lzma_easy_buffer_encode(0, LZMA_CHECK_CRC64, NULL, (const uint8_t *)text,
                                             strlen(text), out + 1, &bytes, FUZZ_INPUT_MAX - 1),
                     LZMA_OK);
    }
    if (i >= 6)
        out[0] |= i < 9 ? PICK_XZ : PICK_MATCH;
    return (uint32_t)bytes + 1;
}
