/* plan_flow.h: a flow file as a plan, and a plan as a flow file (capture format, perf/flow.h). */
#ifndef SHADOWBOOK_PERF_PLAN_FLOW_H
#define SHADOWBOOK_PERF_PLAN_FLOW_H

#include <stdbool.h>
#include <stdio.h>

#include "perf/plan.h"
#include "perf/verify.h"
#include "shadowbook/config.h"

/* Appends a flow's rows to an empty plan and finishes it. A row without an instrument is for the first one
 * configured, a phase row without one for all. Says on err what is wrong, with file and line. */
bool sb_plan_flow_read(const char *path, struct sb_plan *plan, const struct sb_config *config,
                       FILE *err);

/* Writes the plan's rows as CSV. The instrument column stands only if more than the first instrument is used. */
bool sb_plan_flow_write(const char *path, const struct sb_plan *plan,
                        const struct sb_config *config, FILE *err);

/* Reads a trades file. */
bool sb_plan_flow_trades(const char *path, struct sb_verify_trades *trades, FILE *err);

#endif
