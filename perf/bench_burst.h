/* bench_burst.h: `shadowbook bench burst`: what it gives to ask for a whole packet's cache lines before its first command.
 *
 * One engine with many instruments and millions of resting orders, so that nearly every line that a command needs is far
 * away. Blocks of packets take turns, with sb_engine_prefetch() and without, over the same state, so that a noisy
 * machine disturbs both alike. Each packet is sealed, as a node does it.
 */
#ifndef SHADOWBOOK_PERF_BENCH_BURST_H
#define SHADOWBOOK_PERF_BENCH_BURST_H

/* Arguments, and the table. 0; 1: could not measure; 2: usage. */
int sb_bench_burst_main(int argc, char **argv);

#endif
