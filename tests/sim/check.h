/* check.h: what must hold in a simulated cluster, whatever happens. Each checker sees everything and says what it does
 * not check (sim_check_help). They read the nodes' inside and the wire; they never change anything.
 *
 * The first violation is kept: its checker's name, and words.
 */
#ifndef SHADOWBOOK_SIM_CHECK_H
#define SHADOWBOOK_SIM_CHECK_H

#include "replica/node_state.h"
#include "tests/sim/network.h"

#define SIM_CHECKS(X)                                                                              \
    X(CONTENT, "one-content", "R5, I1: a number of a stream has one content, whoever sends it",    \
      "what is never sent")                                                                        \
    X(RELEASE, "output-rule",                                                                      \
      "R1, I2: what is released is held (verified: applied) by the named "                         \
      "shadow, and by each later owner",                                                           \
      "solo releases under policy MEMORY")                                                         \
    X(OWNER, "one-owner",                                                                          \
      "I3, I5, I8, R10, R11: one owner an epoch, never two SOLO, none without "                    \
      "the witness's grant",                                                                       \
      "grants of an earlier life of the witness")                                                  \
    X(NEEDLESS, "needless", "nobody goes alone before anything has gone wrong",                    \
      "runs in which frames are lost or late")                                                     \
    X(EPOCH, "epoch", "I6, R8: an incarnation's epoch never falls; going live raises it",          \
      "messages in the air")                                                                       \
    X(HELD, "ack", "I7, R6: an ack says no more than the log holds", "what the owner makes of it") \
    X(SILENT, "silent",                                                                            \
      "I9, R12: BOOT, CATCH, DIVERGED, RESIGNED send no output; a SHADOW only what its "           \
      "owner has let go (R4b)",                                                                    \
      "heartbeats")                                                                                \
    X(FREED, "freed", "a shadow lets go of a held frame only when its owner has",                  \
      "an owner that has restarted since")                                                         \
    X(ORPHANS, "orphans",                                                                          \
      "what a shadow heard of its clients and had not seen in the stream is in the log when it "   \
      "has gone live",                                                                             \
      "small rings, which overwrite")                                                              \
    X(REGISTER, "register",                                                                        \
      "I5: when all is quiet, the witness names the owner and shadow that are there",              \
      "a witness that is down, a primary whose shadow is")                                         \
    X(DIGEST, "digest", "I10: equal number, equal digest", "runs in which a bit was flipped")      \
    X(ONCE, "exactly-once",                                                                        \
      "each session's messages are in the log once, without a hole; time "                         \
      "rises; what STATUS calls safe is there",                                                    \
      "logins")                                                                                    \
    X(LOGS, "logs-agree", "two logs hold the same inputs up to the highest released number",       \
      "tails that nobody was told of")                                                             \
    X(MATCHING, "matching",                                                                        \
      "price-time priority and every byte: what was released equals the "                          \
      "reference matcher's word over the owner's log",                                             \
      "runs that a flipped bit took over, or whose solo owner restarted (policy MEMORY)")          \
    X(CLIENT, "client",                                                                            \
      "what the clients were told: answered once, quantity conserved, streams "                    \
      "without gap, books of the feed, all equal to the reference",                                \
      "latency")                                                                                   \
    X(HAND_OVER, "hand-over",                                                                      \
      "R12: a shadow that hears RESIGN goes live without waiting for silence; a primary that "     \
      "is stopped in order hands over",                                                            \
      "runs in which clocks step; a stop that is not the only fault")                              \
    X(LIVENESS, "liveness",                                                                        \
      "after a single fault some node serves; after the faults heal everything is answered "       \
      "within the bound; "                                                                         \
      "stopping is right only where redundancy was used up",                                       \
      "runs with two faults that do not heal, or a frame that rotted in both copies")              \
    X(NOTICED, "divergence",                                                                       \
      "a flipped bit that changes an output stops the pair before release; at rest both have "     \
      "compared all digests",                                                                      \
                                                                                                   \
      "bits that change nothing")

enum sim_check {
#define SIM_ID(id, name, help, not_) SIM_CHECK_##id,
    SIM_CHECKS(SIM_ID)
#undef SIM_ID
        SIM_CHECK_COUNT
};

/* An order entry frame that a shadow was given. */
struct sim_heard {
    uint32_t session, count;
    uint64_t first;
};

enum { SIM_HEARD_MAX = 1 << 13 };
enum { SIM_STREAMS = 5, SIM_TAP_MAX = 1 << 14 }; /* the feed, four sessions */

struct sim_checks {
    bool failed;
    enum sim_check check;
    char text[200];
    uint64_t *tap[SIM_STREAMS]; /* [seq] hash of each released message; 0 = not released */
    uint64_t tap_end[SIM_STREAMS];
    uint64_t tapped;
    uint64_t released;          /* highest number whose outputs an owner let go */
    uint64_t forked;            /* ... when the first node went alone; UINT64_MAX before */
    uint64_t epoch[2], winc[2]; /* after the node's last turn */
    uint64_t log_len[2];        /* in this life */
    uint64_t safe[SIM_STREAMS];
    struct sim_heard *heard[2]; /* in order of arrival, since this life began */
    uint32_t heard_n[2];
    uint64_t orphans[2][SIM_STREAMS]; /* next on going live; [1] = 0: nothing to judge */
    uint64_t resign_at_ns[2];         /* the owner that the shadow follows has told it so */
    bool owner_gone;                  /* a solo owner restarted: its log, policy MEMORY, is gone */
    bool flipped;                     /* a bit of an engine or log was flipped: no digest check */
    uint32_t rotten_log;              /* whose log: it is not the truth; 2 = none */
};

struct sim_world;

void sim_checks_init(struct sim_checks *k);
void sim_fail(struct sim_world *w, enum sim_check check, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Before and after a node's turn; a node has started. */
void sim_check_started(struct sim_world *w, uint32_t i);
void sim_check_turn(struct sim_world *w, uint32_t i, enum sb_role before);
/* Each frame that a node is given, before its turn. */
void sim_check_heard(struct sim_world *w, uint32_t i, const uint8_t *data, uint32_t len);
/* Each frame that a node sends. */
void sim_check_frame(struct sim_world *w, uint32_t i, enum sb_role before, const uint8_t *data,
                     uint32_t len);
/* The end of a run. */
void sim_check_end(struct sim_world *w);

const char *sim_check_name(enum sim_check check);
const char *sim_check_help(enum sim_check check);
const char *sim_check_not(enum sim_check check); /* what it does not check */

#endif
