/* verbs.h: the verbs of the executable `shadowbook`, one entry point each.
 *
 * argv[0] is the verb. Returns the process's exit code: 0 done, 1 it ran and the answer is bad (a difference, a
 * refusal), 2 it could not run (usage, files). A new verb is a line here and a line in main.c's table.
 */
#ifndef SHADOWBOOK_PERF_VERBS_H
#define SHADOWBOOK_PERF_VERBS_H

#define SB_VERSION "0.1.0"

int sb_switch_main(int argc, char **argv);
int sb_top_main(int argc, char **argv);
int sb_echo_main(int argc, char **argv);
int sb_node_main(int argc, char **argv);
int sb_witness_main(int argc, char **argv);
int sb_match_main(int argc, char **argv);
int sb_generate_main(int argc, char **argv);
int sb_replay_main(int argc, char **argv);
int sb_convert_main(int argc, char **argv);
int sb_bench_main(int argc, char **argv);
int sb_inspect_main(int argc, char **argv);
int sb_snapshot_main(int argc, char **argv);
int sb_carry_main(int argc, char **argv);
int sb_sim_main(int argc, char **argv);
int sb_failover_main(int argc, char **argv);

#endif
