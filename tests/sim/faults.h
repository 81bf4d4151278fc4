/* faults.h: what can go wrong in a simulated cluster, and a schedule of it drawn from a seed.
 *
 * A condition holds over the whole run (a lossy network, clocks that drift, small rings). An event strikes once, at a
 * point of the flow and at a moment that hurts: while an ack is under way, between ack and release, while a shadow
 * arms, is armed, cancels, repairs, or has just gone live.
 *
 * Most schedules are one to three events drawn freely. Some are a plot: events in a fixed order, each waiting for the one
 * before it, that lead where chance seldom does (a grant that is overtaken by the witness's next life, say). Their
 * times are drawn all the same. And most others lead through several takeovers: what dies starts again.
 */
#ifndef SHADOWBOOK_SIM_FAULTS_H
#define SHADOWBOOK_SIM_FAULTS_H

#include <stdbool.h>
#include <stdint.h>

/* id, name, what it does. Conditions first, then events. */
#define SIM_FAULTS(X)                                                                              \
    X(LOSS, "loss", "frames are lost at random, up to 3 %")                                        \
    X(DUPLICATE, "duplicate", "frames arrive twice")                                               \
    X(REORDER, "reorder", "frames overtake each other")                                            \
    X(DELAY, "delay", "now and then a frame is late by up to 2 ms")                                \
    X(FLIP_FRAME, "flip-frame", "one bit of a frame is flipped on its way, or it is cut short")    \
    X(RATE, "rate", "the hosts' clocks drift by up to 500 ppm")                                    \
    X(RINGS, "rings", "small rings and tables: back-pressure, rejects, kept frames overwritten")   \
    X(WILD, "wild", "a member sends anything, a stranger what no member may")                      \
    X(DESK, "desk", "members use all of order entry, a supervisor all that is the operator's")     \
    X(TORN, "torn", "a crash in the middle of a write leaves any part of its sectors")             \
    X(BURST, "burst", "everything is lost for up to 5 ms")                                         \
    X(CUT, "cut", "one direction between two of A, B and the witness is cut, then heals")          \
    X(CUT_CLIENT, "cut-client", "one direction between an engine and the clients is cut")          \
    X(STALL, "stall", "one direction between two hosts: half of the frames come when it is over")  \
    X(DEAF, "deaf", "an engine hears nobody, and is heard")                                        \
    X(PARTITION, "partition", "one host hears nobody and is heard by nobody, then heals")          \
    X(PAUSE, "pause", "a host stands still for 5 us to 2 s, then goes on")                         \
    X(BLINK, "blink", "the primary is silent just long enough to be suspected")                    \
    X(SLOW, "slow", "a host polls only now and then")                                              \
    X(STEP, "step", "a host's clock steps, forward or back")                                       \
    X(OLD_FRAMES, "old-frames", "frames recorded earlier arrive again")                            \
    X(CLIENT_CRASH, "client-crash", "the clients come back without what they had received")        \
    X(FLIP_HELD, "flip-held", "a bit of a frame flips that an engine holds or keeps")              \
    X(AMNESIA, "amnesia", "the witness restarts and remembers nothing")                            \
    X(HAND_OVER, "hand-over", "the primary is asked to hand over and to go on as the next shadow") \
    X(DISK_SLOW, "disk-slow", "a disk's writes take up to 100 ms longer")                          \
    X(DISK_FULL, "disk-full", "a disk is full, until somebody makes room")                         \
    X(DISK_ERROR, "disk-error", "a disk's writes fail, or its file system is read-only")           \
    X(DISK_LOST, "disk-lost", "after a crash, writes that were durable are not there: it lies")    \
    X(DISK_MISDIRECT, "disk-misdirect", "a write lands at another place of its file: it lies")     \
    X(DISK_CORRUPT, "disk-corrupt", "a bit of what is durable flips: it lies")                     \
    X(CRASH, "crash", "an engine dies; half of them start again as a new incarnation")             \
    X(POWER_CUT, "power-cut", "both engines die at once; their disks have what was durable")       \
    X(NOTICE, "notice", "the primary dies and its crash handler sends RESIGN")                     \
    X(STOP, "stop", "the primary is stopped in order")                                             \
    X(WITNESS_CRASH, "witness-crash", "the witness dies")                                          \
    X(OTHER_RULES, "other-rules", "an engine starts as a program with other rules of matching")    \
    X(FLIP_BOOK, "flip-book", "a bit of an engine's state flips, so that an output changes")       \
    X(FLIP_LOG, "flip-log", "a bit of an order flips in an engine's log")

enum sim_fault_kind {
#define SIM_ID(id, name, help) SIM_##id,
    SIM_FAULTS(SIM_ID)
#undef SIM_ID
        SIM_FAULT_KINDS,
    SIM_FIRST_EVENT = SIM_BURST,
    SIM_FIRST_HARD = SIM_CRASH /* from here on something is gone for good */
};

enum { SIM_A, SIM_B, SIM_W, SIM_C, SIM_HOSTS };
enum { SIM_STEP_NS = 4000 }; /* grain of virtual time */

/* An event's victim by what it is when it strikes. */
enum sim_who { SIM_THE_PRIMARY, SIM_THE_OTHER, SIM_THE_WITNESS };

enum sim_moment {
    SIM_AT_ONCE,
    SIM_BEFORE_APPLY, /* the primary's log holds what it has not applied */
    SIM_BEFORE_ACK,   /* the primary has streamed what is not acked */
    SIM_BEFORE_LEAVE, /* acked, not released */
    SIM_ARMING,
    SIM_ARMED,
    SIM_CANCELING,
    SIM_REPAIRING,
    SIM_GONE_LIVE,   /* an owner has gone live and is not registered yet */
    SIM_GRANTED,     /* the witness has let the primary go alone, who does not know it yet */
    SIM_AT_REST,     /* a pair, no suspicion, both registered with a witness that is there */
    SIM_IDLE,        /* ... and all that is in the log is released */
    SIM_BOOTING,     /* an engine has restarted, and owns nothing yet */
    SIM_CATCHING,    /* ... copies the owner's log */
    SIM_UNRECORDED,  /* an owner is alone, and its record is not durable */
    SIM_PAIR_RECORD, /* ... has asked for PAIR's record, which is not durable */
    SIM_AT_PAIRING,  /* ... has asked the witness to pair */
    SIM_WRITING,     /* an owner's disk is in the middle of a write */
    SIM_TIMING,      /* a TIMER is in an owner's log and not released: runs with the desk */
    SIM_MOMENTS,
    SIM_MOMENTS_DRAWN = SIM_TIMING
};

enum { SIM_EVENTS_MAX = 6 };

struct sim_event {
    enum sim_fault_kind kind;
    enum sim_moment moment;
    uint32_t after; /* messages taken before it may strike */
    uint32_t a,
        b; /* cuts and stalls: from, to. PAUSE, CRASH: a = enum sim_who. PARTITION, SLOW, STEP, FLIP_*: a = host.
                    * BLINK: b bit 0 twice, bit 1 with old frames. CRASH: b bit 0 restarts. OTHER_RULES: a as CRASH; b bit 1 on
                    * another disk, bit 0 from
                    * before the day on, where it is the first. Else free */
    uint64_t span_ns; /* how long it lasts */
    uint64_t due_ns;  /* when `after` was reached; 0 = not yet */
    bool struck;
    bool follows; /* only when the event before it has struck */
};

struct sim_schedule {
    uint32_t conditions; /* bit of each enum sim_fault_kind */
    struct sim_event events[SIM_EVENTS_MAX];
    uint32_t events_n;
    bool restores;    /* what dies starts again */
    const char *plot; /* in words; NULL: drawn freely */
};

/* allowed: bit of each kind. keep: bit i keeps event i, bit 8 + kind keeps a condition; all ones keeps all. The
 * same seed draws the same schedule whatever is kept. */
void sim_schedule_draw(struct sim_schedule *s, uint64_t seed, uint32_t messages, uint64_t allowed,
                       uint32_t keep);

const char *sim_fault_name(enum sim_fault_kind kind);
const char *sim_fault_help(enum sim_fault_kind kind);
const char *sim_moment_name(enum sim_moment moment);

/* splitmix64 */
static inline uint64_t sim_random(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}
static inline bool sim_chance(uint64_t *state, uint32_t ppm)
{
    return sim_random(state) % 1000000 < ppm;
}

#endif
