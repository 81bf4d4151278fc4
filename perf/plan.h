/* plan.h: a flow laid out as what a set of client sessions will send.
 *
 * Every row of the flow becomes one order entry message with its session, its number there and its client key. An
 * order's rows stay on its session; orders go round the sessions in turn; phase rows are session 1's, which
 * must have the operator's right. Keys (UserRefNum) rise by one an order in each session. A phase row's key is its
 * message number (the engine echoes it and consumes nothing).
 *
 * Built once, before anything is sent; read-only afterwards. Deterministic: the same rows give the same plan.
 */
#ifndef SHADOWBOOK_PERF_PLAN_H
#define SHADOWBOOK_PERF_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#define SB_PLAN_NONE UINT32_MAX

enum sb_plan_op { SB_PLAN_NEW = 'N', SB_PLAN_CANCEL = 'C', SB_PLAN_PHASE = 'P' };

struct sb_plan_row {
    uint64_t time_ns;  /* as in the flow: since midnight */
    uint64_t order_id; /* as in the flow; P: 0 */
    int64_t price;     /* N */
    uint32_t quantity; /* N: shares; C: shares to take off */
    uint32_t
        intended; /* C: the order's intended size afterwards, as OUCH counts; 0 = all of it goes */
    uint32_t session;    /* from 1 */
    uint32_t seq;        /* message number in its session, from 1 */
    uint32_t key;        /* N, C: the order's; P: seq */
    uint32_t instrument; /* from 1; P: 0 = all */
    uint32_t order_row; /* N: itself; C: the order's N row, or itself if that did not come before */
    uint32_t next_cancel; /* N: first C row of the order; C: the next one; or SB_PLAN_NONE */
    char op;              /* enum sb_plan_op */
    char side;            /* N, C: 'B' or 'S' */
    char tif;             /* N: '0' day, '3' immediate or cancel */
    char phase;           /* P: one of "CAUTH" (entry.h) */
    uint32_t last_cancel; /* N: last C row of the order, or itself */
};

/* One event for sb_plan_add(): the flow's columns. */
struct sb_plan_event {
    uint64_t time_ns, order_id;
    int64_t price;
    uint32_t quantity, instrument;
    char op, side, tif, phase; /* as in struct sb_plan_row */
};

struct sb_plan {
    struct sb_plan_row *rows;
    uint32_t n, cap;
    uint32_t sessions_n;
    uint32_t orders, cancels, phases; /* rows of each kind */
    uint32_t **session_rows;          /* [session][seq - 1] = row; filled by sb_plan_finish() */
    uint32_t **key_rows;              /* [session][key - 1] = the order's row; likewise */
    uint32_t *messages_n;             /* [session] */
    uint32_t *keys;                   /* [session] last key given */
    uint32_t next_session;
    uint32_t *index; /* order id -> row of its N; open addressing */
    uint32_t index_mask;
};

/* An empty plan over sessions 1..sessions_n. */
bool sb_plan_init(struct sb_plan *plan, uint32_t sessions_n);
void sb_plan_free(struct sb_plan *plan);

/* Appends one row. NULL, or why it cannot be: a second order of the same id, no memory. A cancel of an order
 * that did not come before goes to session 1 with key 0, which is no order's: its own order_row, superfluous. */
const char *sb_plan_add(struct sb_plan *plan, const struct sb_plan_event *event);

/* After the last row: lays out the sessions. False without memory. */
bool sb_plan_finish(struct sb_plan *plan);

/* Writes row's message (OUCH or entry.h) at p (room for SB_OUCH_MESSAGE_MAX), returns its length. `symbols[i]` is
 * instrument i's. With `tag`, an order carries its order id in ClOrdID (base 36), so that the flow can be read
 * back from the frames; without, ClOrdID is blank and the engine's input is one line instead of two. */
uint32_t sb_plan_write(const struct sb_plan_row *row, const char (*symbols)[8], bool tag,
                       uint8_t *p);

/* Order id in a ClOrdID: 14 characters, base 36, right-padded with spaces. False if there is none. */
void sb_plan_put_clordid(char clordid[14], uint64_t order_id);
bool sb_plan_get_clordid(const char clordid[14], uint64_t *order_id);

#endif
