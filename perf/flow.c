/* flow.c: rows of flow and trades files, there and back. */
#include "flow.h"

#include <inttypes.h>
#include <string.h>

#include "perf/numbers.h"

enum { FIELDS_MAX = 8 };

static const char *const FLOW_COLUMNS[] = {"time_ns", "op",       "order_id", "side",
                                           "price",   "quantity", "arg",      "instrument"};
static const char *const TRADE_COLUMNS[] = {"buy_order_id", "sell_order_id", "price", "quantity",
                                            "aggressor"};
static const char *const PHASE_NAMES[] = {"auction", "uncross", "continuous"};

/* Cuts a line at its commas, in place. Number of fields; FIELDS_MAX + 1 if there are more. */
static unsigned split(char *line, char *fields[FIELDS_MAX])
{
    unsigned n = 0;
    for (char *at = line;;) {
        char *comma = strchr(at, ',');
        if (n == FIELDS_MAX)
            return FIELDS_MAX + 1;
        fields[n++] = at;
        if (comma == NULL)
            return n;
        *comma = '\0';
        at = comma + 1;
    }
}

/* The next line cut into between min and max fields. */
static int next_fields(struct sb_lines *l, char *fields[FIELDS_MAX], unsigned min, unsigned max,
                       unsigned *count)
{
    char *line;
    size_t length;
    const int got = sb_lines_next(l, &line, &length);
    if (got <= 0)
        return got;
    if (strlen(line) != length)
        return sb_lines_fail(l, "a zero byte in the line");
    *count = split(line, fields);
    if (*count < min)
        return sb_lines_fail(l, "%u columns, expected %u", *count, min);
    if (*count > max)
        return sb_lines_fail(l, "more than %u columns", max);
    return 1;
}

static struct sb_lines *open_with_header(const char *path, const char *const *columns, unsigned min,
                                         unsigned max, char error[SB_LINES_ERROR_BYTES])
{
    struct sb_lines *l = sb_lines_open(path, error);
    if (l == NULL)
        return NULL;
    char *fields[FIELDS_MAX] = {0};
    unsigned count = 0;
    int got = next_fields(l, fields, 1, max, &count);
    if (got == 0)
        got = sb_lines_fail(l, "empty file, expected a header that begins with '%s'", columns[0]);
    for (unsigned i = 0; got > 0 && (i < count || i < min); i++) {
        if (i >= count)
            got = sb_lines_fail(l, "column '%s' is missing", columns[i]);
        else if (strcmp(fields[i], columns[i]) != 0)
            got = sb_lines_fail(l, "column %u is '%.40s', expected '%s'", i + 1, fields[i],
                                columns[i]);
    }
    if (got > 0)
        return l;
    memcpy(error, sb_lines_error(l), SB_LINES_ERROR_BYTES);
    sb_lines_close(l);
    return NULL;
}

/* Reads field i of the columns or fails with its name. */
static int read_number(struct sb_lines *l, const char *name, const char *text, uint64_t min,
                       uint64_t max, uint64_t *value)
{
    if (sb_number_read(text, min, max, value))
        return 1;
    return sb_lines_fail(l, "%s is '%.40s', expected a number from %" PRIu64 " to %" PRIu64, name,
                         text, min, max);
}

struct sb_lines *sb_flow_open(const char *path, char error[SB_LINES_ERROR_BYTES])
{
    return open_with_header(path, FLOW_COLUMNS, 7, 8, error);
}

static int read_symbol(struct sb_lines *l, const char *text, char symbol[8])
{
    const size_t n = strlen(text);
    if (n > 8)
        return sb_lines_fail(l, "instrument is '%.40s', expected at most 8 characters", text);
    for (size_t i = 0; i < n; i++) {
        if (text[i] <= ' ' || text[i] > '~')
            return sb_lines_fail(l, "instrument has a character that cannot be printed");
    }
    memcpy(symbol, text, n);
    return 1;
}

static int read_new(struct sb_lines *l, char *const *fields, struct sb_flow_row *row)
{
    uint64_t price = 0, quantity = 0;
    if (strcmp(fields[3], "B") != 0 && strcmp(fields[3], "S") != 0)
        return sb_lines_fail(l, "side is '%.40s', expected B or S", fields[3]);
    row->side = fields[3][0] == 'B' ? SB_BUY : SB_SELL;
    if (read_number(l, "order_id", fields[2], 0, UINT64_MAX, &row->order_id) < 0 ||
        read_number(l, "price", fields[4], 1, INT64_MAX, &price) < 0 ||
        read_number(l, "quantity", fields[5], 1, UINT32_MAX, &quantity) < 0)
        return -1;
    row->price = (int64_t)price;
    row->quantity = (uint32_t)quantity;
    if (strcmp(fields[6], "DAY") == 0)
        row->tif = SB_TIF_DAY;
    else if (strcmp(fields[6], "IOC") == 0)
        row->tif = SB_TIF_IOC;
    else
        return sb_lines_fail(l, "arg is '%.40s', expected DAY or IOC", fields[6]);
    return 1;
}

static int read_phase(struct sb_lines *l, const char *arg, struct sb_flow_row *row)
{
    for (uint8_t p = 0; p < 3; p++) {
        if (strcmp(arg, PHASE_NAMES[p]) == 0) {
            row->phase = p;
            return 1;
        }
    }
    return sb_lines_fail(l, "arg is '%.40s', expected auction, uncross or continuous", arg);
}

int sb_flow_next(struct sb_lines *l, struct sb_flow_row *row)
{
    char *fields[FIELDS_MAX];
    unsigned count;
    const int got = next_fields(l, fields, 7, 8, &count);
    if (got <= 0)
        return got;
    memset(row, 0, sizeof *row);
    memset(row->symbol, ' ', sizeof row->symbol);
    if (read_number(l, "time_ns", fields[0], 0, INT64_MAX / 2, &row->time_ns) < 0)
        return -1;
    if (count == 8 && read_symbol(l, fields[7], row->symbol) < 0)
        return -1;
    row->op = strlen(fields[1]) == 1 ? (uint8_t)fields[1][0] : 0;
    uint64_t quantity = 0;
    switch (row->op) {
    case SB_FLOW_NEW:
        return read_new(l, fields, row);
    case SB_FLOW_CANCEL:
        if (read_number(l, "order_id", fields[2], 0, UINT64_MAX, &row->order_id) < 0 ||
            read_number(l, "quantity", fields[5], 1, UINT32_MAX, &quantity) < 0)
            return -1;
        row->quantity = (uint32_t)quantity;
        return 1;
    case SB_FLOW_PHASE:
        return read_phase(l, fields[6], row);
    default:
        return sb_lines_fail(l, "op is '%.40s', expected N, C or P", fields[1]);
    }
}

struct sb_lines *sb_flow_trades_open(const char *path, char error[SB_LINES_ERROR_BYTES])
{
    return open_with_header(path, TRADE_COLUMNS, 5, 5, error);
}

const char *sb_flow_aggressor_name(uint8_t aggressor)
{
    return aggressor == 'b' ? "buy" : aggressor == 's' ? "sell" : "auction";
}

int sb_flow_trades_next(struct sb_lines *l, struct sb_flow_trade *trade)
{
    char *fields[FIELDS_MAX];
    unsigned count;
    uint64_t price = 0, quantity = 0;
    const int got = next_fields(l, fields, 5, 5, &count);
    if (got <= 0)
        return got;
    if (read_number(l, "buy_order_id", fields[0], 0, UINT64_MAX, &trade->buy_order_id) < 0 ||
        read_number(l, "sell_order_id", fields[1], 0, UINT64_MAX, &trade->sell_order_id) < 0 ||
        read_number(l, "price", fields[2], 1, INT64_MAX, &price) < 0 ||
        read_number(l, "quantity", fields[3], 1, UINT32_MAX, &quantity) < 0)
        return -1;
    trade->price = (int64_t)price;
    trade->quantity = (uint32_t)quantity;
    trade->aggressor = (uint8_t)fields[4][0];
    if ((trade->aggressor != 'b' && trade->aggressor != 's' && trade->aggressor != 'a') ||
        strcmp(fields[4], sb_flow_aggressor_name(trade->aggressor)) != 0)
        return sb_lines_fail(l, "aggressor is '%.40s', expected buy, sell or auction", fields[4]);
    return 1;
}

/* ---- writers ---- */

static void write_header(struct sb_line_writer *w, const char *const *columns, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        sb_line_writer_print(w, "%s%c", columns[i], i + 1 < n ? ',' : '\n');
}

void sb_flow_write_header(struct sb_line_writer *w, bool instruments)
{
    write_header(w, FLOW_COLUMNS, instruments ? 8 : 7);
}

void sb_flow_write(struct sb_line_writer *w, const struct sb_flow_row *row, bool instruments)
{
    char tail[16] = "";
    if (instruments) {
        size_t n = 8;
        while (n > 0 && row->symbol[n - 1] == ' ')
            n--;
        tail[0] = ',';
        memcpy(tail + 1, row->symbol, n);
    }
    if (row->op == SB_FLOW_NEW)
        sb_line_writer_print(w, "%" PRIu64 ",N,%" PRIu64 ",%c,%" PRId64 ",%u,%s%s\n", row->time_ns,
                             row->order_id, row->side == SB_BUY ? 'B' : 'S', row->price,
                             row->quantity, row->tif == SB_TIF_IOC ? "IOC" : "DAY", tail);
    else if (row->op == SB_FLOW_CANCEL)
        sb_line_writer_print(w, "%" PRIu64 ",C,%" PRIu64 ",%c,,%u,%s\n", row->time_ns,
                             row->order_id, row->side == SB_BUY ? 'B' : 'S', row->quantity, tail);
    else
        sb_line_writer_print(w, "%" PRIu64 ",P,,,,,%s%s\n", row->time_ns, PHASE_NAMES[row->phase],
                             tail);
}

void sb_flow_trades_write_header(struct sb_line_writer *w)
{
    write_header(w, TRADE_COLUMNS, 5);
}

void sb_flow_trades_write(struct sb_line_writer *w, const struct sb_flow_trade *t)
{
    sb_line_writer_print(w, "%" PRIu64 ",%" PRIu64 ",%" PRId64 ",%u,%s\n", t->buy_order_id,
                         t->sell_order_id, t->price, t->quantity,
                         sb_flow_aggressor_name(t->aggressor));
}
