/* verbs.h: the entry points of the executable's verbs, one each; perf/main.c has their table.
 *
 * Each takes its own command line (argv[0] is the verb) and returns the exit code: 0, 1 for a failure, 2 for
 * a command line that it cannot understand. */
#ifndef SHADOWBOOK_PERF_VERBS_H
#define SHADOWBOOK_PERF_VERBS_H

int sb_node_main(int argc, char **argv);
int sb_top_main(int argc, char **argv);
int sb_witness_main(int argc, char **argv);

#endif
