#include "perf/plan_flow.h"

#include <inttypes.h>
#include <string.h>

#include "perf/flow.h"
#include "shadowbook/assert.h"

static const char BLANK[8] = {' ', ' ', ' ', ' ', ' ', ' ', ' ', ' '};

/* The wire's phase characters (entry.h) of the flow's phases. */
static const char PHASES[3] = {
    [SB_FLOW_AUCTION] = 'A', [SB_FLOW_UNCROSS] = 'U', [SB_FLOW_CONTINUOUS] = 'T'};

/* Index of a symbol; none given: the first instrument, or 0 (all) for a phase. UINT32_MAX: unknown. */
static uint32_t instrument_of(const struct sb_config *config, const struct sb_flow_row *row)
{
    if (memcmp(row->symbol, BLANK, sizeof BLANK) == 0)
        return row->op == SB_FLOW_PHASE ? 0 : 1;
    for (uint32_t i = 1; i <= config->instruments_n; i++)
        if (config->instruments[i].present &&
            memcmp(config->instruments[i].symbol, row->symbol, sizeof row->symbol) == 0)
            return i;
    return UINT32_MAX;
}

/* NULL or what is wrong with the row. */
static const char *add(struct sb_plan *plan, const struct sb_config *config,
                       const struct sb_flow_row *row)
{
    struct sb_plan_event event = {.time_ns = row->time_ns,
                                  .order_id = row->order_id,
                                  .price = row->price,
                                  .quantity = row->quantity,
                                  .instrument = instrument_of(config, row),
                                  .op = (char)row->op};
    if (event.instrument == UINT32_MAX ||
        (event.instrument == 1 && (config->instruments_n < 1 || !config->instruments[1].present)))
        return "an instrument that the configuration does not define";
    if (row->op == SB_FLOW_PHASE)
        event.phase = PHASES[row->phase];
    else
        event.side = sb_side_sells(row->side) ? 'S' : 'B';
    if (row->op == SB_FLOW_NEW)
        event.tif = row->tif == SB_TIF_IOC ? '3' : '0';
    return sb_plan_add(plan, &event);
}

bool sb_plan_flow_read(const char *path, struct sb_plan *plan, const struct sb_config *config,
                       FILE *err)
{
    char error[SB_LINES_ERROR_BYTES] = "";
    struct sb_lines *flow = sb_flow_open(path, error);
    if (!flow) {
        fprintf(err, "%s\n", error);
        return false;
    }
    struct sb_flow_row row;
    int got;
    while ((got = sb_flow_next(flow, &row)) == 1) {
        const char *wrong = add(plan, config, &row);
        if (wrong) {
            got = sb_lines_fail(flow, "%s", wrong);
            break;
        }
    }
    bool ok = got == 0;
    if (!ok)
        fprintf(err, "%s\n", sb_lines_error(flow));
    else if (plan->n == 0 || !sb_plan_finish(plan)) {
        fprintf(err, "%s: %s\n", path, plan->n == 0 ? "no rows" : "no memory for its rows");
        ok = false;
    }
    sb_lines_close(flow);
    return ok;
}

static bool row_of(const struct sb_plan *plan, uint32_t i, const struct sb_config *config,
                   bool instruments, struct sb_flow_row *out)
{
    const struct sb_plan_row *row = &plan->rows[i];
    *out = (struct sb_flow_row){.time_ns = row->time_ns,
                                .order_id = row->order_id,
                                .price = row->price,
                                .quantity = row->quantity,
                                .op = (uint8_t)row->op,
                                .side = row->side == 'S' ? SB_SELL : SB_BUY,
                                .tif = row->tif == '3' ? SB_TIF_IOC : SB_TIF_DAY};
    memcpy(out->symbol, BLANK, sizeof BLANK);
    if (instruments && row->instrument > 0)
        memcpy(out->symbol, config->instruments[row->instrument].symbol, sizeof out->symbol);
    if (row->op != SB_PLAN_PHASE)
        return true;
    const char *phase = memchr(PHASES, row->phase, sizeof PHASES);
    out->phase = phase ? (uint8_t)(phase - PHASES) : 0;
    return phase != NULL;
}

bool sb_plan_flow_write(const char *path, const struct sb_plan *plan,
                        const struct sb_config *config, FILE *err)
{
    char error[SB_LINES_ERROR_BYTES] = "";
    struct sb_line_writer *w = sb_line_writer_open(path, error);
    if (!w) {
        fprintf(err, "%s\n", error);
        return false;
    }
    bool instruments = false, ok = true;
    for (uint32_t i = 0; i < plan->n; i++)
        instruments = instruments || plan->rows[i].instrument > 1;
    sb_flow_write_header(w, instruments);
    for (uint32_t i = 0; ok && i < plan->n; i++) {
        struct sb_flow_row row;
        ok = row_of(plan, i, config, instruments, &row);
        if (ok)
            sb_flow_write(w, &row, instruments);
        else
            fprintf(err, "%s: row %" PRIu32 ": a phase that a flow has no word for ('%c')\n", path,
                    i + 1, plan->rows[i].phase);
    }
    if (!sb_line_writer_close(w, error)) {
        fprintf(err, "%s\n", error);
        return false;
    }
    return ok;
}

bool sb_plan_flow_trades(const char *path, struct sb_verify_trades *trades, FILE *err)
{
    char error[SB_LINES_ERROR_BYTES] = "";
    struct sb_lines *file = sb_flow_trades_open(path, error);
    if (!file) {
        fprintf(err, "%s\n", error);
        return false;
    }
    struct sb_flow_trade trade;
    int got;
    while ((got = sb_flow_trades_next(file, &trade)) == 1)
        sb_verify_trades_add(trades, &(struct sb_verify_trade){.buy_order_id = trade.buy_order_id,
                                                               .sell_order_id = trade.sell_order_id,
                                                               .price = trade.price,
                                                               .quantity = trade.quantity,
                                                               .aggressor = (char)trade.aggressor});
    if (got < 0)
        fprintf(err, "%s\n", sb_lines_error(file));
    sb_lines_close(file);
    return got == 0;
}
