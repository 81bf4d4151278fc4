/* compare.h: one flow through the engine and the reference, side by side. */
#ifndef SHADOWBOOK_TESTS_COMPARE_H
#define SHADOWBOOK_TESTS_COMPARE_H

#include <stdio.h>

#include "random_flow.h"

enum { COMPARE_EQUAL = -1 };

struct compare_totals {
    uint64_t commands, outputs, trades, accepted, rejected, replaced;
    uint64_t outputs_by_kind[64], rejects_by_reason[256];
};

/* Applies commands[0..n), numbered from 1. Index of the command after which something differed, or
 * COMPARE_EQUAL. `say` (may be NULL) gets words about the difference; totals may be NULL.
 * After each command: outputs. Every 64 and at the end: books, sessions, instruments, best, counts; at the end
 * a second engine replays: its digests must equal the first's. */
int64_t compare_run(const struct sb_engine_limits *limits, const struct sb_command2 *commands,
                    uint32_t n, FILE *say, struct compare_totals *totals);

void compare_print_command(FILE *to, const struct sb_command2 *c);

#endif
