/* differential.c: the engine against the reference matcher under random flow.
 *
 *     differential [--seed S] [--commands N] [--runs R] [--totals]
 *
 * Run r uses seed S + r: limits, instruments and flow follow from it. At the first difference the flow is shrunk (by
 * leaving commands out as long as the difference stays) and printed, with the command line that makes it again; exit 1.
 * Not covered: what engine and reference both misread.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "compare.h"

#include "shadowbook/assert.h"

/* Leaves out every chunk that the difference does not need, chunks ever smaller. */
static uint32_t shrink(const struct sb_engine_limits *limits, struct sb_command2 *commands,
                       uint32_t n)
{
    struct sb_command2 *trial = malloc((size_t)n * sizeof *trial);
    SB_ASSERT(trial != NULL);
    for (uint32_t chunk = n / 2 > 0 ? n / 2 : 1;;) {
        bool removed = false;
        for (uint32_t at = 0; at < n;) {
            const uint32_t cut = chunk < n - at ? chunk : n - at;
            memcpy(trial, commands, (size_t)at * sizeof *trial);
            memcpy(trial + at, commands + at + cut, (size_t)(n - at - cut) * sizeof *trial);
            const int64_t differs = compare_run(limits, trial, n - cut, NULL, NULL);
            if (differs == COMPARE_EQUAL) {
                at += cut;
                continue;
            }
            n = (uint32_t)differs + 1; /* nothing after the difference is needed */
            memcpy(commands, trial, (size_t)n * sizeof *trial);
            removed = true;
        }
        if (chunk == 1 && !removed)
            break;
        chunk = chunk > 1 ? chunk / 2 : 1;
    }
    free(trial);
    return n;
}

static void report(struct random_flow *flow, int64_t differs, uint64_t seed, uint32_t commands)
{
    const uint32_t n = shrink(&flow->limits, flow->commands, (uint32_t)differs + 1);
    printf("DIFFERENT: differential --seed %" PRIu64 " --commands %u --runs 1\n", seed, commands);
    printf("at command %" PRId64 "; shrunk to %u commands\n", differs + 1, n);
    printf("limits: instruments %u sessions %u orders %u levels %u window %u\n",
           flow->limits.instruments_max, flow->limits.sessions_max, flow->limits.orders_max,
           flow->limits.levels_max, flow->limits.window_levels);
    for (uint32_t i = 0; i < n; i++)
        compare_print_command(stdout, &flow->commands[i]);
    (void)compare_run(&flow->limits, flow->commands, n, stdout, NULL);
}

static void print_totals(const struct compare_totals *t)
{
    for (uint32_t k = 0; k < 64; k++) {
        if (t->outputs_by_kind[k] > 0)
            printf("  output kind %u: %" PRIu64 "\n", k, t->outputs_by_kind[k]);
    }
    for (uint32_t r = SB_REASON_SYMBOL; r <= SB_REASON_NOT_AUCTION; r++)
        printf("  rejects for reason %u: %" PRIu64 "\n", r, t->rejects_by_reason[r]);
}

int main(int argc, char **argv)
{
    static const struct option OPTIONS[] = {{"seed", required_argument, NULL, 's'},
                                            {"commands", required_argument, NULL, 'n'},
                                            {"runs", required_argument, NULL, 'r'},
                                            {"totals", no_argument, NULL, 't'},
                                            {0}};
    uint64_t seed = 1;
    uint32_t commands = 20000, runs = 60;
    bool totals_wanted = false;
    for (int c; (c = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1;) {
        if (c == 's')
            seed = strtoull(optarg, NULL, 10);
        else if (c == 'n')
            commands = (uint32_t)strtoul(optarg, NULL, 10);
        else if (c == 'r')
            runs = (uint32_t)strtoul(optarg, NULL, 10);
        else if (c == 't')
            totals_wanted = true;
        else
            return 2;
    }
    struct compare_totals totals = {0};
    for (uint32_t r = 0; r < runs; r++) {
        struct random_flow flow;
        random_flow_make(&flow, seed + r, commands);
        const int64_t differs = compare_run(&flow.limits, flow.commands, flow.n, NULL, &totals);
        if (differs != COMPARE_EQUAL)
            report(&flow, differs, seed + r, commands);
        free(flow.commands);
        if (differs != COMPARE_EQUAL)
            return 1;
    }
    printf("equal: seeds %" PRIu64 "..%" PRIu64 ", %" PRIu64 " commands, %" PRIu64
           " outputs, %" PRIu64 " trades, %" PRIu64 " accepted, %" PRIu64 " rejected, %" PRIu64
           " replaced\n",
           seed, seed + runs - 1, totals.commands, totals.outputs, totals.trades, totals.accepted,
           totals.rejected, totals.replaced);
    if (totals_wanted)
        print_totals(&totals);
    return 0;
}
