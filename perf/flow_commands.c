#include "flow_commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "shadowbook/engine.h"

enum { HUGE_PAGE_BYTES = 1 << 21 };

static const char BLANK[8] = {' ', ' ', ' ', ' ', ' ', ' ', ' ', ' '};
static const char ONLY[8] = {'S', 'H', 'A', 'D', 'O', 'W', ' ', ' '};
static const char *const NO_MEMORY = "out of memory";

static uint64_t symbol_id(const char symbol[8])
{
    uint64_t id;
    memcpy(&id, symbol, sizeof id);
    return id;
}

/* Room for more lines; large arrays at the start of a huge page, in huge pages where the kernel gives them: whoever
 * reads them in order then meets no other page every 64 lines. */
static bool grow_lines(struct sb_flow_commands *fc)
{
    const size_t cap = fc->lines_cap == 0 ? 1024 : fc->lines_cap * 2;
    const size_t bytes = cap * sizeof *fc->lines; /* a power of two */
    struct sb_command *grown = aligned_alloc(bytes < HUGE_PAGE_BYTES ? 64 : HUGE_PAGE_BYTES, bytes);
    if (grown == NULL)
        return false;
    if (bytes >= HUGE_PAGE_BYTES)
        (void)madvise(grown, bytes, MADV_HUGEPAGE); /* only speed */
    if (fc->lines_n > 0)
        memcpy(grown, fc->lines, fc->lines_n * sizeof *grown);
    free(fc->lines);
    fc->lines = grown;
    fc->lines_cap = cap;
    return true;
}

/* The next command, zeroed but for seq, time and session; NULL: out of memory. */
static struct sb_command2 *append(struct sb_flow_commands *fc, uint8_t kind, bool ext,
                                  uint64_t time_ns)
{
    const size_t lines = ext ? 2 : 1;
    if (fc->lines_n + 2 > fc->lines_cap && !grow_lines(fc))
        return NULL;
    struct sb_command2 *c = (struct sb_command2 *)(void *)&fc->lines[fc->lines_n];
    memset(c, 0, lines * SB_LINE_BYTES);
    fc->lines_n += lines;
    fc->last_time_ns = time_ns > fc->last_time_ns ? time_ns : fc->last_time_ns + 1;
    c->c.seq = ++fc->commands;
    c->c.time_ns = fc->last_time_ns;
    c->c.kind = kind;
    c->c.flags = ext ? SB_CMD_F_EXT : 0;
    return c;
}

const char *sb_flow_commands_begin(struct sb_flow_commands *fc)
{
    struct sb_command2 *c = append(fc, SB_CMD_DAY, true, SB_FLOW_MIDNIGHT_NS);
    if (c == NULL)
        return NO_MEMORY;
    c->ext.day.midnight_ns = SB_FLOW_MIDNIGHT_NS;
    c->ext.day.trading_day = 20000101;
    c->ext.day.shard = 1;
    c->ext.day.rules = SB_ENGINE_RULES;
    c = append(fc, SB_CMD_SESSION, true, 0);
    if (c == NULL)
        return NO_MEMORY;
    c->c.key = SB_FLOW_SESSION;
    c->c.firm = 1;
    c->ext.session.operator_right = 1;
    fc->setup_lines = fc->lines_n;
    return NULL;
}

const char *sb_flow_commands_instrument(struct sb_flow_commands *fc, const char symbol[8],
                                        int64_t tick, uint8_t phase)
{
    if (sb_id_map_find(&fc->instruments_by_symbol, symbol_id(symbol)) != 0)
        return "the instrument is there already";
    struct sb_command2 *c = append(fc, SB_CMD_INSTRUMENT, true, 0);
    if (c == NULL ||
        !sb_id_map_add(&fc->instruments_by_symbol, symbol_id(symbol), fc->instruments + 1))
        return NO_MEMORY;
    c->c.instrument = ++fc->instruments;
    memcpy(c->ext.instrument.symbol, symbol, 8);
    c->ext.instrument.tick = tick;
    c->ext.instrument.price_min = tick;
    c->ext.instrument.price_max = SB_PRICE_MAX / tick * tick;
    c->ext.instrument.lot = 1;
    c->ext.instrument.quantity_max = SB_QUANTITY_MAX / 2;
    c->ext.instrument.phase = phase;
    fc->setup_lines = fc->lines_n;
    return NULL;
}

/* ---- rows ---- */

static const char *row_new(struct sb_flow_commands *fc, const struct sb_flow_row *row,
                           struct sb_command *c)
{
    if (sb_id_map_find(&fc->keys_by_id, row->order_id) != 0)
        return "order_id was used before";
    if (fc->keys + 1 >= fc->order_ids_cap) {
        const uint32_t cap = fc->order_ids_cap == 0 ? 1024 : fc->order_ids_cap * 2;
        uint64_t *grown = realloc(fc->order_ids, cap * sizeof *grown);
        if (grown == NULL)
            return NO_MEMORY;
        fc->order_ids = grown;
        fc->order_ids_cap = cap;
    }
    if (!sb_id_map_add(&fc->keys_by_id, row->order_id, ++fc->keys))
        return NO_MEMORY;
    fc->order_ids[fc->keys] = row->order_id;
    c->kind = SB_CMD_ORDER;
    c->key = fc->keys;
    c->side = row->side;
    c->tif = row->tif;
    c->price = row->price;
    c->quantity = row->quantity;
    c->display = 'Y';
    c->capacity = 'O';
    return NULL;
}

static void row_phase(const struct sb_flow_row *row, struct sb_command *c)
{
    c->kind = row->phase == SB_FLOW_UNCROSS ? SB_CMD_UNCROSS : SB_CMD_PHASE;
    if (row->phase != SB_FLOW_UNCROSS)
        c->phase = row->phase == SB_FLOW_AUCTION ? SB_PHASE_AUCTION : SB_PHASE_CONTINUOUS;
}

const char *sb_flow_commands_row(struct sb_flow_commands *fc, const struct sb_flow_row *row)
{
    const bool blank = memcmp(row->symbol, BLANK, sizeof BLANK) == 0;
    uint32_t instrument =
        blank ? 1 : sb_id_map_find(&fc->instruments_by_symbol, symbol_id(row->symbol));
    if (instrument == 0 || instrument > fc->instruments)
        return "an instrument that was not defined";
    if (blank && row->op == SB_FLOW_PHASE)
        instrument = SB_INSTRUMENT_ALL;
    struct sb_command2 *both = append(fc, SB_CMD_REDUCE, false, SB_FLOW_MIDNIGHT_NS + row->time_ns);
    if (both == NULL)
        return NO_MEMORY;
    struct sb_command *c = &both->c;
    c->session = SB_FLOW_SESSION;
    c->firm = 1;
    c->instrument = instrument;
    fc->events++;
    if (row->op == SB_FLOW_NEW)
        return row_new(fc, row, c);
    if (row->op == SB_FLOW_PHASE) {
        row_phase(row, c);
        return NULL;
    }
    c->key = sb_id_map_find(&fc->keys_by_id, row->order_id);
    c->quantity = row->quantity;
    fc->unknown_cancels += c->key == 0;
    return NULL;
}

/* ---- files ---- */

/* What the first pass over a file finds out. */
struct scan {
    char (*symbols)[8];
    int64_t *ticks;
    uint32_t n, cap;
    struct sb_id_map by_symbol;
    bool phase_first, any;
};

static bool scan_grow(struct scan *s)
{
    const uint32_t cap = s->cap == 0 ? 64 : s->cap * 2;
    char(*symbols)[8] = realloc(s->symbols, cap * sizeof *symbols);
    if (symbols != NULL)
        s->symbols = symbols;
    int64_t *ticks = realloc(s->ticks, cap * sizeof *ticks);
    if (ticks != NULL)
        s->ticks = ticks;
    if (symbols == NULL || ticks == NULL)
        return false;
    s->cap = cap;
    return true;
}

static const char *scan_row(struct scan *s, const struct sb_flow_row *row, int64_t *blank_tick)
{
    if (!s->any)
        s->phase_first = row->op == SB_FLOW_PHASE;
    s->any = true;
    const bool off = row->op == SB_FLOW_NEW && row->price % 100 != 0;
    if (memcmp(row->symbol, BLANK, sizeof BLANK) == 0) {
        *blank_tick = off ? 1 : *blank_tick;
        return NULL;
    }
    uint32_t at = sb_id_map_find(&s->by_symbol, symbol_id(row->symbol));
    if (at == 0) {
        if (s->n == UINT16_MAX)
            return "more than 65535 instruments";
        if ((s->n == s->cap && !scan_grow(s)) ||
            !sb_id_map_add(&s->by_symbol, symbol_id(row->symbol), s->n + 1))
            return NO_MEMORY;
        memcpy(s->symbols[s->n], row->symbol, 8);
        s->ticks[s->n] = 100;
        at = ++s->n;
    }
    if (off)
        s->ticks[at - 1] = 1;
    return NULL;
}

/* The instruments that a scan found, defined. */
static const char *define(struct sb_flow_commands *fc, const struct scan *s, int64_t blank_tick)
{
    const uint8_t phase = s->phase_first ? SB_PHASE_CLOSED : SB_PHASE_CONTINUOUS;
    const char *wrong = sb_flow_commands_begin(fc);
    if (wrong == NULL && s->n == 0)
        wrong = sb_flow_commands_instrument(fc, ONLY, blank_tick, phase);
    for (uint32_t i = 0; wrong == NULL && i < s->n; i++) {
        /* Rows without a symbol are the first instrument's. */
        const int64_t tick = i == 0 && blank_tick < s->ticks[0] ? blank_tick : s->ticks[i];
        wrong = sb_flow_commands_instrument(fc, s->symbols[i], tick, phase);
    }
    return wrong;
}

/* One pass over the file: to the scan, or (scan == NULL) to the commands. */
static bool pass(struct sb_flow_commands *fc, struct scan *scan, int64_t *blank_tick,
                 const char *path, char error[SB_LINES_ERROR_BYTES])
{
    struct sb_lines *flow = sb_flow_open(path, error);
    if (flow == NULL)
        return false;
    struct sb_flow_row row;
    int got;
    while ((got = sb_flow_next(flow, &row)) > 0) {
        const char *wrong =
            scan != NULL ? scan_row(scan, &row, blank_tick) : sb_flow_commands_row(fc, &row);
        if (wrong != NULL) {
            got = sb_lines_fail(flow, "%s", wrong);
            break;
        }
    }
    if (got < 0)
        memcpy(error, sb_lines_error(flow), SB_LINES_ERROR_BYTES);
    sb_lines_close(flow);
    return got == 0;
}

bool sb_flow_commands_load(struct sb_flow_commands *fc, const char *path,
                           char error[SB_LINES_ERROR_BYTES])
{
    struct scan scan = {0};
    int64_t blank_tick = 100;
    bool good = pass(NULL, &scan, &blank_tick, path, error);
    if (good) {
        const char *wrong = define(fc, &scan, blank_tick);
        good = wrong == NULL;
        if (wrong != NULL)
            snprintf(error, SB_LINES_ERROR_BYTES, "%s: %s", path, wrong);
    }
    free(scan.symbols);
    free(scan.ticks);
    sb_id_map_free(&scan.by_symbol);
    return good && pass(fc, NULL, NULL, path, error);
}

void sb_flow_commands_free(struct sb_flow_commands *fc)
{
    free(fc->lines);
    free(fc->order_ids);
    sb_id_map_free(&fc->keys_by_id);
    sb_id_map_free(&fc->instruments_by_symbol);
    memset(fc, 0, sizeof *fc);
}
