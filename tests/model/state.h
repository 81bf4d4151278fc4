/* state.h: one state of the whole system, as the model sees it: two nodes, the witness, and every message ever sent.
 *
 * All is bytes, so that a state is its own key: equal states have equal bytes, and unused ones are zero. Roles, arms,
 * frame types and the witness's states are the product's own enums; an epoch is the product's, in one byte.
 *
 * The network is a set that only grows: a message can be taken at any time, by whoever it is for, any number of times,
 * or never. That covers loss, duplication, delay, reordering and replay at any later time. Messages that can never have
 * an effect again are dropped (state_canon), or two states that differ only in those would count as two.
 */
#ifndef SHADOWBOOK_MODEL_STATE_H
#define SHADOWBOOK_MODEL_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "replica/witness.h"
#include "shadowbook/frame.h"
#include "tests/model/model.h"

enum { INPUTS_MAX = 3, MSGS_MAX = 120 };

/* The last ownership entry in a node's journal (REPLICATION.md section 1). */
enum record { RECORD_NONE, RECORD_JOIN, RECORD_PAIR, RECORD_SOLO };

struct node {
    uint8_t inc, role, epoch;
    /* SHADOW, CATCH: the owner's; owner: the shadow's or the joiner's; BOOT: the other's of a new day. */
    uint8_t peer_inc;
    uint8_t len, log[INPUTS_MAX];          /* content of each input: content() */
    uint8_t durable, record, record_epoch; /* what a crash leaves */
    uint8_t acked;                         /* owner: held by peer_inc */
    uint8_t released;                      /* owner: possibly released up to here */
    uint8_t k, arm, winc, n_star, confirmed;
    /* R4b: known to have left: let go by this node, or marked so by the owner that it follows. */
    uint8_t mark;
    uint8_t new_day; /* BOOT: started with the operator's word that there is no earlier log */
    /* Log-holding witness: incarnation that began this journal's folder; in the witness's log up to here; the
     * witness's log, or the own record, makes DISCLAIM impossible. */
    uint8_t lineage, logged, settled;
    uint8_t acked_durable; /* owner: on peer_inc's disk */
    uint8_t aside; /* DOWN: FORCE made the other the owner; BOOT: what it held is set aside */
    /* FORCE: an older folder of the same JOIN record, set aside when the node joined that owner again. */
    uint8_t older_len, older_log[INPUTS_MAX];
    /* Divergence: outputs are wrong from this input on; DIVERGED; shadow: the owner's digest was equal up to here. */
    uint8_t bad, diverged, agreed;
};

struct registration {
    uint8_t epoch, inc, peer_inc, role; /* role: 1 + that of REG_DUAL; 0 = none */
};

/* What a log-holding witness has of its solo owner's log: inputs base + 1 to top; it is whole from `need` on. */
enum log_known { LOG_UNKNOWN, LOG_KEPT /* over a RESUME */, LOG_OPEN /* by the owner's LIVE */ };
struct witness_log {
    uint8_t known, lineage, base, top, need, content[INPUTS_MAX];
};

struct witness {
    uint8_t winc, state, epoch, owner, owner_inc, other_inc, k, kmax;
    struct registration registrations[2]; /* UNSET only */
    struct witness_log log;               /* SOLO only */
};

/* Frames that the product does not have yet. */
enum { FT_LOG = 40, FT_LOGACK = 41, FT_DIGEST = 42 };

/* A message. `node` is the engine that says it, or the one that the witness says it to; `inc` is that engine's. */
struct msg {
    uint8_t type; /* enum sb_frame_type */
    uint8_t epoch, node, inc;
    /* The other engine's: to_inc of STREAM, ACK; peer_inc of control frames. LIVE, RESUME: lineage. */
    uint8_t other_inc;
    uint8_t winc; /* ACK: durable, where a hold rule asks for it */
    /* Number of STREAM, ACK; k; role of REG_DUAL; by_resign of LIVE; record of RESUME, DISCLAIM. */
    uint8_t n;
    uint8_t
        content; /* ACK, DIGEST: outputs wrong up to n; STREAM: of the input; of a heartbeat: heartbeat(); PAIR: old epoch */
};
_Static_assert(sizeof(struct msg) == sizeof(uint64_t), "compared as one number");

struct state {
    struct node node[2];
    struct witness w;
    uint8_t told[INPUTS_MAX]; /* content of each number when it was first released; 0 = never */
    uint8_t crashes, witness_restarts;
    uint8_t epoch_max; /* highest epoch that any node was ever in as an owner */
    uint8_t sequenced; /* genesis: an input was ever sequenced: from here on a new day is a lie */
    uint8_t divergences, told_bad; /* and which of the released outputs were wrong: bits */
    uint8_t forces, loss;          /* FORCE, and that the operator accepted a loss by it */
    uint8_t zero[3];
    uint16_t msgs;
    _Alignas(uint64_t) struct msg msg[MSGS_MAX]; /* sorted */
};
_Static_assert(sizeof(struct node) == 32 && sizeof(struct witness) == 24 &&
                   offsetof(struct state, msg) == 104,
               "no padding: a state is its own key");

static inline size_t state_bytes(const struct state *s)
{
    return offsetof(struct state, msg) + s->msgs * sizeof s->msg[0];
}

static inline uint8_t generation(uint8_t epoch)
{
    return epoch >> 2;
}
static inline uint8_t kind(uint8_t epoch)
{
    return epoch & 3u;
}
static inline uint8_t make_epoch(unsigned gen, enum sb_epoch_kind k)
{
    return (uint8_t)(gen << 2 | k);
}
/* The dual epoch that PAIR asks for. */
static inline uint8_t next_dual(uint8_t epoch)
{
    return make_epoch(generation(epoch) + 1u, SB_EPOCH_D);
}

/* The rivals of a dual epoch would use different numbers (section 1). */
static inline uint8_t live_epoch(const struct model *m, uint8_t dual)
{
    return make_epoch(generation(dual),
                      without(m, MUT_SAME_EPOCH_FOR_BOTH) ? SB_EPOCH_P : SB_EPOCH_S);
}

/* Who sequenced an input: two inputs of one number differ exactly if this does. Never zero. */
static inline uint8_t content(unsigned node, uint8_t inc, uint8_t epoch)
{
    return (uint8_t)(node << 7 | (inc & 3u) << 5 | (epoch & 31u));
}

/* What a heartbeat (STREAM with n = 0) says: the flag PAIRED and the owner's released mark. */
static inline uint8_t heartbeat(bool paired, uint8_t mark)
{
    return (uint8_t)(paired | mark << 1);
}
static inline bool heartbeat_paired(uint8_t content_)
{
    return content_ & 1u;
}
static inline uint8_t heartbeat_mark(uint8_t content_)
{
    return content_ >> 1;
}

static inline bool owns(const struct node *n)
{
    return n->role == SB_ROLE_PRIM || n->role == SB_ROLE_PAIRING || n->role == SB_ROLE_SOLO;
}
/* R3, R13: the record of its solo epoch is on stable storage. */
static inline bool solo_record_durable(const struct node *n)
{
    return n->record == RECORD_SOLO && n->record_epoch == n->epoch;
}

void state_first(const struct model *m, struct state *s);

/* Adds a message to the network; false if it was there. */
bool net_add(struct state *s, struct msg msg);

/* Drops what can never have an effect again: where each rule that reads a message would refuse it for good; rules that
 * a mutation takes away do not count (struct model, kept). */
void state_canon(const struct model *m, struct state *s);

/* In words. */
const char *msg_name(uint8_t type);
const char *role_name(uint8_t role);
const char *witness_state_name(uint8_t state);
void msg_print(const struct msg *msg);
void state_print(const struct state *s);

#endif
