/* node_state.h: the inside of a node, shared by the files of this room and by nobody else. */
#ifndef SHADOWBOOK_NODE_STATE_H
#define SHADOWBOOK_NODE_STATE_H

#include "nic/wire/udp.h"
#include "replica/bounds.h"
#include "replica/hold.h"
#include "replica/log.h"
#include "replica/node.h"
#include "shadowbook/engine.h"
#include "shadowbook/frame.h"

/* What the door knows of a session: state as of the newest input in the log, applied or not. */
struct sb_door {
    uint64_t next_seq; /* message number taken next */
    uint64_t last_n;   /* input that carried next_seq - 1 */
    uint64_t
        mark_n; /* a pair that was once (last_n, next_seq - 1): safe when last released >= mark_n */
    uint64_t mark_seq;
    uint64_t safe_seq; /* covered by the output rule */
    uint64_t login_nonce;
    uint64_t gap_told_ns; /* last time a gap was reported */
    uint32_t login_ipv4;
    uint32_t src_ipv4; /* of the last good entry frame, and its MAC */
    uint16_t login_port;
    uint8_t src_mac[6];
    bool logged_in, status_due;
    uint64_t arp_asked_ns;
};

/* Clients' frames that a shadow keeps, in order of arrival: a byte ring that overwrites the oldest. */
struct sb_pending {
    uint8_t *ring;
    uint64_t cap, tail, head;
};

struct sb_node {
    struct sb_node_setup setup;
    const struct sb_config *config;
    bool pro_rata; /* of the configuration: some instrument matches so */
    uint64_t *ctr;
    uint64_t now_ns, last_poll_ns;

    /* Who we are: role.c. */
    enum sb_role role;
    enum sb_arm arm;
    uint64_t epoch, inc, peer_inc, winc;
    struct sb_versions own, peers, witnesses; /* of frames; max 0: not known */
    uint16_t rules, peer_rules, log_rules;    /* of engines: sb_node_log_rules() ... */
    uint64_t carry_hash, peer_carry_hash;     /* of earlier orders: a new day's (genesis.h) */
    uint64_t stream_epoch;                    /* an owner's, or what it was: in its STREAM frames */
    uint64_t forced_since_ns;                 /* BOOT: the operator's FORCE is asked for since */
    uint64_t k;                               /* nonce of the last ARM */
    uint64_t n_star;                          /* log length on going live */
    uint64_t live_at_ns;
    bool live_unsaid; /* the counters of the takeover are still to be written */
    bool confirmed;   /* R4: the pairing is known to be in force */
    bool registered;  /* witness answered the last REG or LIVE at this winc */
    bool live_by_resign;
    bool copying;    /* CATCH: this life began with an empty log and takes the owner's */
    bool wants_join; /* CATCH: to begin anew: join_epoch, join_inc */
    uint64_t join_epoch, join_inc;
    bool loaded; /* BOOT: what the earlier lives did is known: loaded_record */
    struct sb_node_record loaded_record;
    uint64_t lineage; /* incarnation that began this log's journal */
    uint64_t taking_epoch,
        taking_n;      /* BOOT: RESUMEOK names this epoch, once the log reaches so far */
    uint64_t logged_n; /* SOLO, PAIRING: in the witness's log, at the winc that is known */
    bool handing_over;
    uint64_t hand_over_ns;
    bool
        pairing; /* SOLO: what leaves waits for the joiner's ack, so that it can be asked PAIR for */
    uint64_t refused_inc; /* SOLO: a joiner whose digest differed */
    bool asking_solo;     /* SOLOREQ outstanding (R11) */
    bool stopping, stopped;
    uint64_t differs_n; /* sb_node_differs() */
    bool was_owner;     /* DIVERGED: which side of the pair it was */
    bool
        set_aside; /* PRIM that continues: its shadow diverged, and is told so; its acks count no more */
    bool resign_heard;
    uint64_t resign_n_last, resign_at_ns;
    uint64_t resigned_ns; /* RESIGNED since */
    uint64_t
        port_heard_ns; /* last undamaged datagram on a port towards the peer or the witness, whoever sent it */
    uint64_t witness_heard_ns; /* last frame of the witness */
    uint64_t stop_at_ns;
    bool cancel_open;  /* CANCEL(k) is not answered yet */
    uint8_t cancels;   /* sent so far, up to CANCEL_QUICK */
    uint64_t heard_ns; /* last frame of the owner that we follow */
    uint64_t acked_ns; /* last ack that counted and was not too far behind */
    uint64_t asked_witness_ns, registered_ns, boot_sent_ns, resign_sent_ns;

    /* The disk: load.c. */
    struct sb_node_record record; /* the last one asked for */
    bool record_due;              /* ... and not handed out yet */
    uint64_t records_taken, records_durable;
    bool journal_lost;                  /* setup.journal is false, but was not */
    uint64_t durable_n, peer_durable_n; /* here; at the shadow, as it says */
    uint64_t encode_from; /* load: no outputs are encoded for inputs before this one */
    bool encoding;
    uint64_t unencoded_n; /* outputs up to here are not in the hold ring, and were never */

    /* Inputs: sequencer.c, log.c, stream.c. */
    struct sb_log log;
    struct sb_door *doors; /* [sessions_max + 1] */
    struct sb_pending pending;
    bool draining_pending;   /* went live: the kept frames are sequenced before new ones */
    uint64_t timer_n;        /* the last TIMER that this node sequenced */
    uint64_t timer_next_ns;  /* the next one not before */
    struct sb_command *open; /* packet being written, NULL = none */
    uint16_t open_count, open_lines;
    uint64_t last_time_ns;                 /* of the newest input */
    uint64_t released_line;                /* line position behind the last released packet */
    uint64_t sent_ns;                      /* last STREAM frame */
    uint64_t gap_since_ns, repair_sent_ns; /* shadow: a hole is open since; 0 = none */
    uint32_t repair_left;                  /* packets that the last REPAIR may still bring */
    uint64_t acked_held;                   /* owner: R1 under `logged` */
    uint64_t acked_verified; /* owner: R1 under `verified`: applied there, digests equal */
    uint64_t ack_applied,
        ack_digest;               /* owner: newest ack, not yet compared if above acked_verified */
    uint64_t mark_n, mark_digest; /* shadow: owner's digest, not yet compared; 0 = none */
    uint64_t compared_n;          /* last number with equal digests */
    uint64_t mark_released;       /* shadow: owner's released mark */
    bool ack_due;

    /* Outputs: apply.c, release.c. */
    struct sb_engine *engine;
    struct sb_outbox outbox;
    uint32_t *out_next;   /* [outbox.cap] next output of the same stream */
    uint8_t *out_command; /* [outbox.cap] index of its command in the packet */
    uint32_t *stream_head,
        *stream_tail;  /* [streams] of the packet being encoded; UINT32_MAX = none */
    uint32_t *touched; /* [streams] */
    char (*names)[10]; /* [streams] MoldUDP64 session names, set by the DAY command */
    bool named;
    uint64_t apply_next; /* index of the next packet to apply */
    uint64_t applied;    /* last number applied */
    uint64_t digest;     /* there */
    uint64_t released; /* last number whose outputs were let go (owner) or are known to have left */
    struct sb_hold hold;
    uint64_t beat_cycle_ns; /* start of the current round of client heartbeats */
    uint32_t beat_next;     /* next stream to beat; > streams: round done */

    /* Frames of this poll. */
    struct sb_node_out_frame out[SB_NODE_OUT_MAX];
    uint32_t out_n;
    uint8_t (*scratch)[SB_HELD_BYTES_MAX]; /* [SB_SCRATCH] */
    uint32_t scratch_n;
    uint64_t takeover_until; /* inputs up to here were held on going live */
};

enum { SB_SCRATCH = 384 };

/* out.c: frames of this poll. */
/* A scratch frame's payload area (behind 42 header bytes), or NULL when this poll has no more. */
uint8_t *sb_out_scratch(struct sb_node *node);
/* Finishes the last scratch frame with this route and sends it by role. */
void sb_out_send(struct sb_node *node, const struct sb_udp_route *route, uint32_t payload_bytes,
                 uint32_t role);
/* Sends a frame that stays where it is until the next poll. False if this poll is full. */
bool sb_out_frame(struct sb_node *node, const uint8_t *frame, uint32_t len, uint32_t role);
uint32_t sb_out_left(const struct sb_node *node);
/* Route to the replication group, by the role's port. */
struct sb_udp_route sb_out_replication_route(const struct sb_node *node, uint32_t role);
struct sb_udp_route sb_out_route_to(const struct sb_node *node, uint32_t role, uint32_t ipv4,
                                    uint16_t port, const uint8_t mac[6]);
uint8_t *sb_out_head(const struct sb_node *node, uint8_t *p, uint8_t type, uint8_t flags,
                     uint16_t bytes);
/* The same under another epoch than the node's. */
uint8_t *sb_out_head_of(const struct sb_node *node, uint8_t *p, uint8_t type, uint64_t epoch,
                        uint8_t flags, uint16_t bytes);

/* sequencer.c: clients' input. */
void sb_sequencer_init(struct sb_node *node, struct sb_arena *arena);
void sb_sequencer_entry(struct sb_node *node, const struct sb_datagram *d);
/* Sequences what is missing of DAY, SESSIONs, INSTRUMENTs and CARRYs, the first inputs of every log; true: all there. */
bool sb_sequencer_genesis(struct sb_node *node);
void sb_sequencer_note(struct sb_node *node,
                       const struct sb_command *c); /* an input entered the log */
void sb_sequencer_timer(struct sb_node *node);      /* sequences a TIMER, if one is due */
void sb_sequencer_close(struct sb_node *node);      /* ends the open packet and streams it */
void sb_sequencer_pending(struct sb_node *node);    /* sequences what a shadow had kept */
void sb_sequencer_forget(
    struct sb_node *node); /* shadow: drops kept frames that the stream has brought */

/* role.c: the version to write: the highest that all who are known read. 0: there is none. */
uint8_t sb_role_version(const struct sb_node *node);
void sb_role_on_version(struct sb_node *node,
                        const struct sb_head *h); /* a frame that can be read */

/* stream.c: between the engines. */
void sb_stream_send_packet(struct sb_node *node, uint64_t index);
void sb_stream_heartbeat(struct sb_node *node);
void sb_stream_on_stream(struct sb_node *node, const struct sb_head *h, const uint8_t *body);
void sb_stream_on_ack(struct sb_node *node, const struct sb_head *h, const struct sb_ack *a);
void sb_stream_on_repair(struct sb_node *node, const struct sb_head *h, const struct sb_repair *r);
void sb_stream_take_kept(struct sb_node *node); /* BOOT: asks for what the witness kept */
void sb_stream_compare(struct sb_node *node);   /* digests that can be compared by now */
void sb_stream_turn(struct sb_node *node);      /* acks, repairs, heartbeats that are due */

/* apply.c: engine and encoding. */
void sb_apply_init(struct sb_node *node, struct sb_arena *arena);
bool sb_apply_turn(struct sb_node *node); /* true: more is waiting */
/* Room that applying this packet may need in the hold ring. */
uint64_t sb_apply_bytes_max(const struct sb_node *node, const struct sb_packet *packet);
bool sb_apply_has_room(const struct sb_node *node, const struct sb_packet *packet);
void sb_apply_packet(struct sb_node *node, struct sb_packet *packet);
/* The outputs of inputs up to n are not here, but counted in their streams. */
void sb_apply_skip(struct sb_node *node, uint64_t n);
void sb_apply_name_streams(struct sb_node *node); /* once the engine knows the day */

/* load.c: what a life begins with, and what of it is durable. */
/* The next packet, into the log. NULL: its log was made under other rules; it is not taken. */
struct sb_packet *sb_load_put(struct sb_node *node, uint16_t count, uint16_t lines_n,
                              const void *lines);
/* Input n is not what the configuration says: this log is not for this node. */
void sb_load_differs(struct sb_node *node, uint64_t n);
void sb_load_apply(
    struct sb_node *node); /* the oldest packet that is not applied; BOOT: as released */
void sb_load_want_record(struct sb_node *node, uint8_t kind); /* of the node's epoch */
/* The last record asked for is this one, and durable; true, too, where no journal was ever written. */
bool sb_load_recorded(const struct sb_node *node, uint8_t kind, uint64_t epoch);

/* release.c: what may leave leaves. */
/* first: the turn of a takeover. */
void sb_release_turn(struct sb_node *node, bool first);
/* A joiner holds 1..n, as the setting asks a shadow to hold it: on its disk under two-disks. */
uint64_t sb_release_acked(const struct sb_node *node);
void sb_release_warm(struct sb_node *node); /* a shadow: what a takeover touches first */
void sb_release_request(struct sb_node *node, const struct sb_datagram *d);
void sb_release_resend(struct sb_node *node, const struct sb_head *h, const struct sb_resend *r);
void sb_release_beats(struct sb_node *node);

/* role.c: REPLICATION.md. */
void sb_role_on_control(struct sb_node *node, const struct sb_head *h, const struct sb_control *c);
void sb_role_on_foreign_stream(struct sb_node *node, const struct sb_head *h);
/* R16: CATCH becomes SHADOW of this dual epoch. */
void sb_role_become_shadow(struct sb_node *node, uint64_t epoch, bool confirmed);
/* R14, R15: an owner whose joiner has another digest forgets it. */
void sb_role_refuse_joiner(struct sb_node *node);
/* R13, W9: the grant of this solo epoch can no longer be disclaimed: who hears of it may give up its own log. */
bool sb_role_is_settled(const struct sb_node *node);
/* W7: BOOT goes on as SOLO once it has what the witness kept. */
void sb_role_resume(struct sb_node *node);
void sb_role_on_owner_heard(struct sb_node *node);
void sb_role_confirm_by_stream(struct sb_node *node, const struct sb_head *h,
                               const struct sb_stream *s);
void sb_role_diverged(struct sb_node *node);
void sb_role_damaged(struct sb_node *node); /* a primary that cannot trust its own memory */
void sb_role_turn(struct sb_node *node);
void sb_role_say_live(
    struct sb_node *node); /* counters of a takeover, once its first frame is out */
static inline bool sb_role_owns(const struct sb_node *node)
{
    return node->role == SB_ROLE_PRIM || node->role == SB_ROLE_PAIRING ||
           node->role == SB_ROLE_SOLO;
}
/* Copies an owner's log and lets go of what it has: a shadow, or one to be. */
static inline bool sb_role_follows(const struct sb_node *node)
{
    return node->role == SB_ROLE_SHADOW || (node->role == SB_ROLE_CATCH && node->copying);
}
/* Alone under policy HALT. */
static inline bool sb_role_halts(const struct sb_node *node)
{
    return node->role == SB_ROLE_SOLO && sb_config_solo_policy(node->config) == SB_SOLO_HALT;
}
/* An owner that takes input: not one that hands over, stops, or is alone under policy HALT. */
static inline bool sb_role_sequences(const struct sb_node *node)
{
    return sb_role_owns(node) && !node->stopping && !node->handing_over && !sb_role_halts(node);
}
/* The dual epoch that a solo owner asks PAIR for (R15). */
static inline uint64_t sb_next_dual(uint64_t epoch)
{
    return ((epoch >> 2) + 1) << 2 | SB_EPOCH_D;
}

static inline void sb_count(struct sb_node *node, enum sb_counter c)
{
    node->ctr[c]++;
}

#endif
