/* The executable: a verb for each job. Each verb's own file has its work; this table only finds it. */
#include <stdio.h>
#include <string.h>

#include "perf/verbs.h"

static const struct verb {
    const char *name;
    int (*main)(int argc, char **argv);
    const char *help;
} verbs[] = {
    {"node", sb_node_main, "run one engine of the pair"},
    {"witness", sb_witness_main, "run the register that decides between the two"},
    {"replay", sb_replay_main, "play a flow against a running shard and check every answer"},
    {"match", sb_match_main, "run the engine alone over a flow or a node's input log"},
    {"inspect", sb_inspect_main, "journals and logs: their state, differences, order events"},
    {"snapshot", sb_snapshot_main, "keep the state that a journal leads to, to restart from"},
    {"carry", sb_carry_main, "take the orders that outlive a day into the next one"},
    {"generate", sb_generate_main, "make a realistic flow of orders"},
    {"convert", sb_convert_main, "turn a flow into a packet capture, and back"},
    {"sim", sb_sim_main, "run a whole simulated cluster under a seed, with faults"},
    {"failover", sb_failover_main, "repeat takeovers on real processes and measure them"},
    {"switch", sb_switch_main, "hand the market over to the shadow"},
    {"top", sb_top_main, "show the counters of running processes"},
    {"bench", sb_bench_main, "measure the engine alone, or what a journal costs a node"},
    {"echo", sb_echo_main, "measure the round trip of a bare frame"},
};

static void list(FILE *to)
{
    fprintf(to, "usage: shadowbook VERB [options]\n\n");
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        fprintf(to, "  %-10s %s\n", verbs[i].name, verbs[i].help);
    fprintf(to, "\nman shadowbook, man shadowbook-VERB and man shadowbook.conf say more.\n");
}

int main(int argc, char **argv)
{
    if (argc < 2 || strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0) {
        list(argc < 2 ? stderr : stdout);
        return argc < 2 ? 2 : 0;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("shadowbook %s\n", SB_VERSION);
        return 0;
    }
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        if (strcmp(argv[1], verbs[i].name) == 0)
            return verbs[i].main(argc - 1, argv + 1);
    fprintf(stderr, "shadowbook: no verb '%s'\n", argv[1]);
    list(stderr);
    return 2;
}
