/* shrink.h: a flow after which something differs, made short: what is left is still a flow after which something differs,
 * perhaps something else. Trials run in processes of their own, so that one that crashes or does not end differs, too. */
#ifndef SHADOWBOOK_TESTS_SHRINK_H
#define SHADOWBOOK_TESTS_SHRINK_H

#include "compare.h"

/* compare_run() in a process of its own; where it crashes or takes longer than 20 s, the command where that was. */
int64_t compare_apart(const struct compare *c);

/* Shortens and simplifies commands in place; returns how many are left. Prints progress to a terminal. */
uint32_t shrink(const struct sb_engine_limits *limits, struct sb_command2 *commands, uint32_t n);

#endif
