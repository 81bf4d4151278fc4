/* flow.h: recorded order flow and trades, as CSV files, plain or .xz.
 *
 *   flow    time_ns,op,order_id,side,price,quantity,arg[,instrument]
 *     N  new order: side B or S, limit price in 1/10000, quantity, arg = DAY or IOC
 *     C  takes `quantity` off what is open of order_id; side is not looked at
 *     P  phase: arg = auction, uncross or continuous; the fields between are empty
 *     time_ns counts from midnight; order_id is unique in its file. instrument is a symbol of up to 8
 *     characters; empty: the first instrument, for P every instrument.
 *   trades  buy_order_id,sell_order_id,price,quantity,aggressor    aggressor: buy, sell, auction
 *
 * Reading is total: whatever is wrong ends in one error "file:line: what". Streamed: O(1) memory.
 */
#ifndef SHADOWBOOK_PERF_FLOW_H
#define SHADOWBOOK_PERF_FLOW_H

#include "perf/lines.h"
#include "shadowbook/command.h"

enum sb_flow_op { SB_FLOW_NEW = 'N', SB_FLOW_CANCEL = 'C', SB_FLOW_PHASE = 'P' };
enum sb_flow_phase { SB_FLOW_AUCTION, SB_FLOW_UNCROSS, SB_FLOW_CONTINUOUS };

struct sb_flow_row {
    uint64_t time_ns; /* since midnight */
    uint64_t order_id;
    int64_t price; /* 1/10000 */
    uint32_t quantity;
    uint8_t op;     /* enum sb_flow_op */
    uint8_t side;   /* NEW: SB_BUY or SB_SELL */
    uint8_t tif;    /* NEW: enum sb_tif */
    uint8_t phase;  /* PHASE: enum sb_flow_phase */
    char symbol[8]; /* space padded; all spaces: not given */
};

struct sb_flow_trade {
    uint64_t buy_order_id, sell_order_id;
    int64_t price;
    uint32_t quantity;
    uint8_t aggressor; /* 'b' buy, 's' sell, 'a' auction */
};

/* Opens and reads the header. NULL: error says why. Close with sb_lines_close(). */
struct sb_lines *sb_flow_open(const char *path, char error[SB_LINES_ERROR_BYTES]);

/* 1: *row is the next one; 0: end; -1: see sb_lines_error(). */
int sb_flow_next(struct sb_lines *flow, struct sb_flow_row *row);

struct sb_lines *sb_flow_trades_open(const char *path, char error[SB_LINES_ERROR_BYTES]);
int sb_flow_trades_next(struct sb_lines *trades, struct sb_flow_trade *trade);

/* Writers: the header once, then rows. `instruments`: with the instrument column. */
void sb_flow_write_header(struct sb_line_writer *w, bool instruments);
void sb_flow_write(struct sb_line_writer *w, const struct sb_flow_row *row, bool instruments);
void sb_flow_trades_write_header(struct sb_line_writer *w);
void sb_flow_trades_write(struct sb_line_writer *w, const struct sb_flow_trade *trade);

const char *sb_flow_aggressor_name(uint8_t aggressor);

#endif
