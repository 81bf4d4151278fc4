/* bench_plain.h: a second yardstick for the engine: a plain book, as a careful afternoon gives it, with nothing built in.
 *
 *     id     -> table of (tag, slot), 8 bytes, open addressing  -> order of 32 bytes
 *     price  -> level of 16 bytes, in an array by ticks         -> first and last order of its queue
 *     side   -> best price; the next one is found in bitmaps: of levels in use, of words of that map, of words of this one
 *
 * One instrument in continuous trading, prices below SB_BENCH_PLAIN_TICKS on the grid, DAY and IOC orders, cancels, modifies,
 * reduces: what it serves it answers with the very reports of the engine.
 *
 * Its table of ids is as large as whoever opens it says. One that is just large enough for the orders that will rest is what a
 * table that grows would have come to, and stays in the nearest cache; one for as many orders as the engine has room for does not.
 *
 * Not covered, and not paid for: further instruments, prices anywhere, tables that say that they are full (asserted here),
 * ids that somebody chose to collide, counts, visits, digests, images.
 */
#ifndef SHADOWBOOK_PERF_BENCH_PLAIN_H
#define SHADOWBOOK_PERF_BENCH_PLAIN_H

#include "perf/bench_match.h"

enum {
    SB_BENCH_PLAIN_TICKS = 1 << 22,
    SB_BENCH_PLAIN_ORDERS = 1 << 20 /* at rest, at most */
};

struct sb_bench_plain;

/* For at most so many orders at rest (asserted), 0..SB_BENCH_PLAIN_ORDERS: the table has at least four times as many places. All memory is
 * there and touched, in huge pages where the kernel gives them: 97 to 129 MiB. NULL: out of memory. */
struct sb_bench_plain *sb_bench_plain_open(uint32_t orders_max);
void sb_bench_plain_close(struct sb_bench_plain *b);

/* Does it serve these messages, of which at most sizes->open_most orders rest at once in an engine of sizes->limits? */
bool sb_bench_plain_serves(const struct sb_bench_message *messages, uint64_t n,
                           const struct sb_bench_sizes *sizes);

/* One message: its reports are in the ring, and published. A call, as the engine's are: whoever drives a library pays for one a
 * message. In one loop without calls the same book is 10 to 25 % faster. */
void sb_bench_plain_apply(struct sb_bench_plain *b, const struct sb_bench_message *m,
                          struct sb_report_ring *ring);

#endif
