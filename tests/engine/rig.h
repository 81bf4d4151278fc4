/* rig.h: an engine on a bench: send commands, read the outputs as short lines.
 *
 *     1 ACC k1 B 100@5000 r1        session 1: Accepted, key 1, buy 100 at 5000, reference 1
 *     2 EXE k7 S 40@5000 r2 m1 A    session 2: Executed, match 1, liquidity added
 *     F EXE r2 S 40@5000 m1         the feed
 *     1 CXL k1 B 60 r1 reason 1     1 REJ k3 reason 23     1 REP k2<k1 B 50@5000 r3     F REP r3<r1 B 50@5000
 *     1 AMD k1 B 40@5000 r4         1 TRG k8 B 100@0 r9     4 MASS k7 i1 q3 reason 0    3 QUOTED k1 i1 q2 reason 0
 *     F TRADE i1 S 40@5090 m3       F IND i1 40@20 B 5      indicative: 40 paired at 20, 5 more to buy
 *
 * The rig itself checks what the lines leave out, for every output: the time is the command's, stream
 * numbers have no holes, and fields that the kind does not have are zero.
 */
#ifndef SHADOWBOOK_TESTS_ENGINE_RIG_H
#define SHADOWBOOK_TESTS_ENGINE_RIG_H

#include <check.h>

#include "shadowbook/engine.h"

enum { RIG_SESSIONS = 4, RIG_OPERATOR = 4 };

struct rig {
    struct sb_engine *e;
    void *memory;
    struct sb_outbox box;
    uint64_t seq, time_ns, stream_seq[RIG_SESSIONS + 1];
    uint32_t shown; /* outputs already read as text */
    char text[16384];
};

/* Day open, sessions 1..4 defined (4 is an operator), instrument 1 "AAA": tick 10, 10..1000000, lot 10,
 * at most 100000; instrument 2 "BBB": tick 1, lot 1, 1..SB_PRICE_MAX. Both in `phase`. */
void rig_open(struct rig *r, const struct sb_engine_limits *limits, uint8_t phase);
/* Only an engine. */
void rig_blank(struct rig *r, const struct sb_engine_limits *limits);
void rig_close(struct rig *r);

extern const struct sb_engine_limits rig_limits; /* small, with a window of 64 levels */

/* Fills in seq and time, applies. */
void rig_send(struct rig *r, struct sb_command2 cmd);

void rig_order(struct rig *r, uint32_t session, uint32_t key, uint8_t side, uint32_t quantity,
               int64_t price);
void rig_ioc(struct rig *r, uint32_t session, uint32_t key, uint8_t side, uint32_t quantity,
             int64_t price);
void rig_cancel(struct rig *r, uint32_t session, uint32_t key, uint32_t quantity);
void rig_reduce(struct rig *r, uint32_t session, uint32_t key, uint32_t quantity);
void rig_replace(struct rig *r, uint32_t session, uint32_t orig_key, uint32_t key,
                 uint32_t quantity, int64_t price);
void rig_phase(struct rig *r, uint32_t session, uint32_t instrument, uint8_t phase);
void rig_uncross(struct rig *r, uint32_t session, uint32_t instrument);

/* Outputs since the last call, a line each. */
const char *rig_lines(struct rig *r);

/* The outputs since the last call are exactly these. */
#define rig_expect(r, lines) ck_assert_str_eq(rig_lines(r), lines)
#define rig_forget(r)        ((void)rig_lines(r))

/* A main for a suite of one case. */
int rig_main(const char *name, void (*add)(TCase *tc));

#endif
