/* case.h: a case file, read.
 *
 *     # 6.3 What it shows, in words.               from here to the end of the line: not read
 *     limits orders 8 levels 8 terms 8             all that differs from the defaults: before the first command
 *     session 2 firm 1 stp cancel-oldest           also: group N, operator, orders N, quantity N, notional N
 *     instrument 1 lot 10 phase auction            also: tick, min, max PRICE, quantity N, kind.., see case.c
 *     > order s1 k1 sell 300 @ 10.00 display 100   a command (words.h)
 *     < s1 accepted k1 sell 300 @ 10.00 r1         its outputs: all of them, in this order
 *     < feed add r1 sell 100 @ 10.00
 *     > at 5s timer                                a command at that time; else 1 ms after the one before
 *     > 256 times order s1 k2 buy 1 @ 9.00 hidden  each time key and reference are one higher
 *     = s1 open 257                                what the views say then (checks in play.c)
 *
 * Defaults: instrument 1, tick 0.01, 0.01..100.00, lot 1, at most 1000000, CONTINUOUS; sessions 1 to 4, firm as the number,
 * 4 has the operator right. Time runs from 0. Anything unknown ends the program, with file and line.
 */
#ifndef SHADOWBOOK_TESTS_RULES_CASE_H
#define SHADOWBOOK_TESTS_RULES_CASE_H

#include "shadowbook/engine.h"
#include "words.h"

enum { CASE_SESSIONS = 4, CASE_LINE_BYTES = 256 };

struct case_output {
    struct sb_output o; /* without time_ns and stream_seq */
    int line;
};

struct case_step {
    struct sb_command2 c; /* with time_ns, without seq */
    char text[CASE_LINE_BYTES];
    int line;
    uint32_t times;
    size_t output, outputs; /* in case_file.outputs */
    size_t check, checks;   /* in case_file.checks */
};

struct case_check {
    char text[CASE_LINE_BYTES];
    int line;
};

struct case_file {
    const char *path;
    struct sb_engine_limits limits;
    struct sb_command2 setup[1 + CASE_SESSIONS + 4]; /* with time_ns */
    size_t setups;
    struct case_step *steps;
    struct case_output *outputs;
    struct case_check *checks;
    size_t steps_n, outputs_n, checks_n;
};

/* Reads path (kept) or ends the program. */
void case_read(struct case_file *f, const char *path);
void case_free(struct case_file *f);

#endif
