/* The checked model of the replication protocol: see README.md beside this file. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tests/model/options.h"
#include "tests/model/reach.h"

enum { EXIT_HOLDS = 0, EXIT_BROKEN = 1, EXIT_USAGE = 2, EXIT_LIMIT = 3 };
enum { REACH_STATES_MAX = 12000000 };

static int as_expected(const char *expected, const char *result)
{
    if (strcmp(expected, result) == 0)
        return EXIT_HOLDS;
    printf("expected %s, is %s\n", expected, result);
    return EXIT_BROKEN;
}

static int run_search(const struct arguments *a)
{
    struct search_result r;
    if (!search(&a->model, &a->limits, !a->quiet, &r)) {
        fprintf(stderr, "model: no memory for %u bits: try less --bits\n", a->limits.bits);
        return EXIT_LIMIT;
    }
    printf("%s: %" PRIu64 " states, %" PRIu64 " transitions, depth %u, %.0f s ",
           r.broken != NULL ? r.broken
           : r.exhaustive   ? "holds in all states"
                            : "stopped at a limit, no violation so far",
           r.states, r.transitions, r.depth, r.seconds);
    setting_print(&a->model);
    char result[24] = "not exhaustive";
    if (r.broken != NULL)
        snprintf(result, sizeof result, "%.2s,%u", r.broken, r.depth);
    else if (r.exhaustive)
        snprintf(result, sizeof result, "%" PRIu64, r.states);
    if (a->expect != NULL)
        return as_expected(a->expect, result);
    return r.broken != NULL ? EXIT_BROKEN : r.exhaustive ? EXIT_HOLDS : EXIT_LIMIT;
}

static int run_reach(const struct arguments *a)
{
    struct reach_result r;
    if (!reach(&a->model, REACH_STATES_MAX, !a->quiet, &r) || !r.complete) {
        fprintf(stderr, "model: --reach: more than %d states, or no memory for them\n",
                REACH_STATES_MAX);
        return EXIT_LIMIT;
    }
    printf("%" PRIu64 " states, %" PRIu64 " transitions ", r.states, r.transitions);
    setting_print(&a->model);
    for (unsigned q = 0; q < REACH_QUESTIONS; q++)
        printf("  %-20s blocked in %u of %u states, %u classes\n",
               reach_question((enum reach_question)q), r.blocked[q], r.checked, r.classes[q]);
    char result[64];
    snprintf(result, sizeof result, "%u,%u,%u,%u", r.blocked[0], r.blocked[1], r.blocked[2],
             r.checked);
    return a->expect != NULL ? as_expected(a->expect, result) : EXIT_HOLDS;
}

int main(int argc, char **argv)
{
    struct arguments a = {.model = {.inputs = 1,
                                    .arms = 1,
                                    .generations = 2,
                                    .crashes = 1,
                                    .incarnations = 2,
                                    .journal = true,
                                    .early = true},
                          .limits.bits = 24};
    if (!arguments_read(argc, argv, &a))
        return EXIT_USAGE;
    if (a.list) {
        mutations_list();
        return EXIT_HOLDS;
    }
    return a.reach ? run_reach(&a) : run_search(&a);
}
