/* check.h: what must hold in a simulated cluster, whatever happens. Each checker sees everything and says what it does
 * not check (sim_check_help). They read the nodes' inside and the wire; they never change anything.
 *
 * The first violation is kept: its checker's name, and words.
 */
#ifndef SHADOWBOOK_SIM_CHECK_H
#define SHADOWBOOK_SIM_CHECK_H

#include "replica/node_state.h"
#include "replica/witness.h"
#include "tests/sim/network.h"

#define SIM_CHECKS(X)                                                                              \
    X(CONTENT, "one-content", "R5, I1: a number of a stream has one content, whoever sends it",    \
      "what is never sent")                                                                        \
    X(RELEASE, "output-rule",                                                                      \
      "R1, I2: what is released is held (verified: applied) by the named "                         \
      "shadow, and by each later owner",                                                           \
      "what no promise covers: see durable")                                                       \
    X(DURABLE, "durable",                                                                          \
      "R2, R3, R13, R15: what is released is on the disks that the setting names, with the "       \
      "record of a solo owner; whoever owns after a restart has all of it",                        \
      "what a disk lied about; releases in two memories, when both are gone; policy memory")       \
    X(RECOVERED, "recovered",                                                                      \
      "a restart reads the beginning of what was written, all that was durable, and makes the "    \
      "same outputs of it",                                                                        \
      "how much, where a disk lied")                                                               \
    X(JOINER, "joiner",                                                                            \
      "R13, R14: no ack before JOIN's record, none of more than is durable as durable; no stream " \
      "to a joiner before the owner's record; a joiner does not stop its owner's releases",        \
      "policy memory, whose owners write no record first")                                         \
    X(RESTORED, "restored",                                                                        \
      "I11: when the faults are over there is an owner, then a pair, with a journal whatever "     \
      "died, by itself after one crash; nobody HALTED unless one was forced",                      \
      "a flipped bit; nodes that stay down; without a journal, when both logs are gone")           \
    X(RULES, "rules",                                                                              \
      "a program with other rules of matching takes no input of a journal, snapshot, stream or "   \
      "witness, owns nothing, counts what it refuses, and begins no day with one of these",        \
      "other rules of the same number; that the right program finds all as it was: recovered")     \
    X(OWNER, "one-owner",                                                                          \
      "I3, I5, I8, R10, R11, R19, R21, R22: one owner an epoch, never two SOLO, none without "     \
      "the witness's grant, and none given to a record that does not deserve it",                  \
      "grants of an earlier life of the witness")                                                  \
    X(NEEDLESS, "needless", "nobody goes alone before anything has gone wrong",                    \
      "runs in which frames are lost or late")                                                     \
    X(EPOCH, "epoch", "I6, R8: an incarnation's epoch never falls; going live raises it",          \
      "messages in the air")                                                                       \
    X(HELD, "ack", "I7, R6: an ack says no more than the log holds", "what the owner makes of it") \
    X(SILENT, "silent",                                                                            \
      "I9, R12: BOOT, CATCH, DIVERGED, RESIGNED, HALTED send no output; a SHADOW only what its "   \
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
      "every rule and every byte: what was released equals the reference matcher's word over the " \
      "owner's log, and adds up for each order by the rules alone",                                \
      "runs that a flipped bit took over, or that lost what no promise covered")                   \
    X(TIMELY, "timely",                                                                            \
      "when all is quiet, no order of an owner that takes input is open beyond its time, no "      \
      "pause "                                                                                     \
      "beyond its end",                                                                            \
      "how soon an owner that is busy comes to it")                                                \
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
      "runs with two faults that do not heal, or a frame that rotted in both copies or was made "  \
      "before the snapshot that a node began with")                                                \
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

/* What owners have let go, packet by packet: the truth that every later owner must hold. */
struct sim_truth_packet {
    uint64_t n_first, digest;
    uint32_t pos; /* of its first line */
    uint16_t count, lines;
};
struct sim_truth {
    struct sb_command *lines;
    struct sim_truth_packet *packets;
    uint32_t lines_n, packets_n;
    uint64_t n;  /* last number */
    bool broken; /* a bit was flipped, or there is no room: it is not the truth */
};

enum { SIM_HEARD_MAX = 1 << 13 };
enum { SIM_STREAMS = 7, SIM_TAP_MAX = 1 << 14 }; /* the feed, six sessions */

struct sim_checks {
    bool failed;
    enum sim_check check;
    char text[200];
    uint64_t *tap[SIM_STREAMS]; /* [seq] hash of each released message; 0 = not released */
    uint64_t tap_end[SIM_STREAMS];
    uint64_t tapped;
    uint64_t acked_inc, acked_n; /* the witness's last LOGACK: to whom, of what */
    uint64_t kept_winc, kept_n;  /* released on a witness's word, by which one */
    uint64_t released;           /* highest number whose outputs an owner let go */
    uint64_t forked;             /* ... when the first node went alone; UINT64_MAX before */
    uint64_t epoch[2], winc[2];  /* after the node's last turn */
    uint64_t log_len[2];         /* in this life */
    uint64_t timer_n[2];         /* the last TIMER that this life of a node sequenced */
    uint64_t safe[SIM_STREAMS];
    struct sim_heard *heard[2]; /* in order of arrival, since this life began */
    uint32_t heard_n[2];
    uint64_t orphans[2][SIM_STREAMS]; /* next on going live; [1] = 0: nothing to judge */
    uint64_t resign_at_ns[2];         /* the owner that the shadow follows has told it so */
    struct sim_truth truth;
    uint64_t let_go[2];  /* released by this life of a node, as of its last turn */
    uint64_t gone[2];    /* released inputs up to here are not in this node's memory (any more) */
    uint64_t maybe_sent; /* ... and what a node that went live may have let go of besides */
    uint64_t floor;      /* ... up to here were promised to outlive both memories */
    bool lost;           /* a later owner lacks what was released, and no promise was broken */
    uint64_t stalled_ns[2];
    uint64_t alone_with[2]; /* length of the log when a node went alone, at least */
    uint64_t len_before[2]; /* of the log, after a node's last turn */
    uint32_t deaths;        /* since a pair was seen, and the witness's life then */
    uint64_t pair_winc;
    bool flipped;        /* a bit of an engine or log was flipped: no digest check */
    uint32_t rotten_log; /* whose log: it is not the truth; 2 = none */
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
/* check_disk.c: a node's process is no more; a node sets its log aside to join; a node's turn. */
void sim_check_died(struct sim_world *w, uint32_t i);
void sim_check_joins(struct sim_world *w, uint32_t i);
void sim_check_disk_turn(struct sim_world *w, uint32_t i, enum sb_role before);
/* A frame of ours that a node sends. */
void sim_check_disk_frame(struct sim_world *w, uint32_t i, const struct sb_head *h,
                          const uint8_t *body);
/* The witness's turn; before it the register was in this state and epoch. */
void sim_check_witness(struct sim_world *w, enum sb_witness_state before, uint64_t epoch);
/* The operator is about to act. */
void sim_check_operator(struct sim_world *w);
/* Can the pair be whole when all is over? */
bool sim_pair_is_due(const struct sim_world *w);
void sim_check_restored(struct sim_world *w);
/* Each frame that the witness sends. */
void sim_check_witness_frame(struct sim_world *w, const uint8_t *data, uint32_t len);
/* The end of a run. */
void sim_check_end(struct sim_world *w);

const char *sim_check_name(enum sim_check check);
const char *sim_check_help(enum sim_check check);
const char *sim_check_not(enum sim_check check); /* what it does not check */

#endif
