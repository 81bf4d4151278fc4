/* cluster.h: two engines, the witness and a client in one process, on a simulated network, in virtual time.
 *
 * Deterministic from a seed. The nodes and the witness are the production code; the network loses, duplicates, delays
 * and reorders; processes crash, pause and start again. The client behaves like a real one: it keeps what is not known to be
 * taken, sends it again, asks for what it missed.
 *
 * Checked while it runs: one content for each number of each stream (R5), no two SOLO at once (I3), every
 * released number in the log of each later owner (by the client's view), equal digests at equal numbers. At the end:
 * every order answered exactly once, streams without holes, the owner's state equal to a plain replay of its log. No node
 * allocates while it polls (no_alloc.h).
 * Not checked: timing bounds, market data content (only its stream), matching itself (the differential test).
 */
#ifndef SHADOWBOOK_TESTS_CLUSTER_H
#define SHADOWBOOK_TESTS_CLUSTER_H

#include <stdbool.h>
#include <stdint.h>

struct cluster_options {
    uint64_t seed;
    uint32_t orders;                                         /* messages that the client sends */
    uint32_t loss_ppm, duplicate_ppm, delay_max_us, reorder; /* of every frame; reorder: 0 or 1 */
    bool logged;                                             /* release = logged */
    bool trace;
};

enum cluster_fault {
    FAULT_NONE,
    FAULT_KILL_PRIMARY,
    FAULT_KILL_SHADOW,
    FAULT_KILL_WITNESS,
    FAULT_RESTART_WITNESS,
    FAULT_PAUSE_PRIMARY, /* beyond takeover_after, then it wakes */
    FAULT_PAUSE_SHADOW,
    FAULT_BLINK_PRIMARY, /* between suspect_after and takeover_after */
    FAULT_STOP_PRIMARY,  /* orderly */
    FAULT_CRASH_NOTICE,  /* the primary's crash handler sends RESIGN */
    FAULT_CUT_PEERS,     /* the engines do not hear each other any more */
    FAULT_FLIP_DIGEST,   /* the shadow's engine state is damaged */
    FAULT_COUNT
};

struct cluster_result {
    const char *failure; /* NULL = all held */
    uint64_t acknowledged, conflicting, takeovers, solos, diverged, released_max;
    bool blocked; /* nobody serves at the end */
};

/* Runs until all orders are answered or virtual time is up. Prints nothing unless trace. */
struct cluster_result cluster_run(const struct cluster_options *o, enum cluster_fault fault);
const char *cluster_fault_name(enum cluster_fault fault);

#endif
