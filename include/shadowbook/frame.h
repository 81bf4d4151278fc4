/* frame.h: the frames of our own, as they stand behind the UDP header.
 *
 * All of them begin with struct sb_head. All integers little-endian, no padding, reserved bytes zero.
 * (OUCH, ITCH and MoldUDP64 messages carried inside are big-endian as their specifications say.)
 * Sizes are total: a frame whose `bytes` is not exactly what the UDP length leaves is dropped and counted.
 *
 *   engines and witness (multicast group `replication`):  STREAM ACK REPAIR RESEND LOGACK and the control frames
 *   client to engines (multicast group `orders`):         ENTRY
 *   engine to one client (unicast):                       STATUS, and MoldUDP64 (no head)
 *
 * REPLICATION.md section 3 gives the meaning of each message; names are the same. RESEND is not there: a primary whose
 * held copy of an output has rotted asks its shadow, which holds the same bytes, to answer a client's re-request (R4b).
 */
#ifndef SHADOWBOOK_FRAME_H
#define SHADOWBOOK_FRAME_H

#include <stddef.h>
#include <stdint.h>

#define SB_FRAME_MAGIC UINT32_C(0x314B4253) /* "SBK1" */
/* The version stands in every head. A program reads the versions from MIN to VERSION, and writes the highest that all three
 * read, as far as it knows them: BOOT and HELLO, which have this layout and are read in every version, say it of an engine
 * and of the witness; who writes a version reads it. So a pair can be upgraded one by one, and programs that have no
 * version in common do not pair. What clients send and get does not change with it. */
enum { SB_FRAME_VERSION_MIN = 2, SB_FRAME_VERSION = 2, SB_FRAME_VERSION_CLIENT = 1 };

enum sb_frame_type {
    SB_FT_STREAM = 1,
    SB_FT_ACK = 2,
    SB_FT_REPAIR = 3,
    SB_FT_RESEND = 4,
    /* control frames: struct sb_control */
    SB_FT_ARM = 16,
    SB_FT_ARMOK = 17,
    SB_FT_CANCEL = 18,
    SB_FT_SOLOREQ = 19,
    SB_FT_SOLOOK = 20,
    SB_FT_LIVE = 21,
    SB_FT_RESIGN = 22,
    SB_FT_PAIR = 23,
    SB_FT_PAIROK = 24,
    SB_FT_HELLO = 25,
    SB_FT_REG_DUAL = 26,
    SB_FT_RESUME = 27,
    SB_FT_RESUMEOK = 28,
    SB_FT_DISCLAIM = 29,
    SB_FT_BOOT =
        30, /* "I have started and own nothing": how two nodes of a new day find each other;
                          what this one could go on from, for the operator's choice (R25) */
    SB_FT_FORCE = 31,  /* BOOT -> W: the operator says that this node is to own the shard (R24) */
    SB_FT_LOGACK = 32, /* W -> SOLO: holds its log up to n_last */
    /* clients */
    SB_FT_ENTRY = 64,
    SB_FT_STATUS = 65,
};

enum sb_node_id { SB_NODE_A = 0, SB_NODE_B = 1, SB_NODE_W = 2, SB_NODE_CLIENT = 255 };

/* epoch = generation << 2 | kind; below SB_EPOCH_LIMIT, so that the next one is a number, too */
#define SB_EPOCH_LIMIT (UINT64_C(1) << 62)
enum sb_epoch_kind { SB_EPOCH_D = 0, SB_EPOCH_P = 1, SB_EPOCH_S = 2, SB_EPOCH_R = 3 };

struct sb_head {
    uint32_t magic;
    uint8_t version;
    uint8_t type; /* enum sb_frame_type */
    uint16_t shard;
    uint64_t epoch;
    uint64_t inc;   /* sender's incarnation; ENTRY: zero */
    uint8_t sender; /* enum sb_node_id */
    uint8_t flags;  /* SB_FF_* */
    uint16_t bytes; /* of the body behind this head */
    uint32_t zero;
    uint64_t tag; /* authentication; zero without a key */
};
_Static_assert(sizeof(struct sb_head) == 40, "wire layout");

enum {
    SB_FF_PAIRED = 1,   /* STREAM: the sender is PRIM (not PAIRING) */
    SB_FF_GAP = 2,      /* STATUS: messages are missing, resend from `wanted` */
    SB_FF_NEW_DAY = 4,  /* BOOT: the operator says there is no earlier log */
    SB_FF_DIVERGED = 8, /* STREAM, ACK: the sender stopped because two digests differed */
    SB_FF_VOLATILE =
        16 /* STREAM of a solo epoch whose record is not durable yet: for the witness's log; nobody joins on
                           it (R13) */
};

/* STREAM: `lines` 64-byte lines follow, `count` commands. n_first = 0: heartbeat, no lines. One frame is one
 * stream packet: the unit of repair, ack, digest and release; it is never cut differently. */
struct sb_stream {
    uint64_t to_inc;   /* the shadow's; 0 in solo epochs */
    uint64_t n_first;  /* number of the first command */
    uint64_t len;      /* last number in the sender's log now */
    uint64_t applied;  /* last number applied, on a packet boundary */
    uint64_t digest;   /* sender's digest there */
    uint64_t released; /* last number whose outputs left, on a packet boundary */
    uint64_t durable;  /* last number that is durable in the sender's journal; 0 without one */
    uint16_t count, lines;
    uint32_t zero;
};
_Static_assert(sizeof(struct sb_stream) == 64, "wire layout");
/* 1514 - 14 - 20 - 8 - 40 - 64 = 1368 */
enum { SB_STREAM_LINES_MAX = 21 };

struct sb_ack {
    uint64_t to_inc;  /* the owner's */
    uint64_t held;    /* log holds 1..held */
    uint64_t applied; /* on a packet boundary */
    uint64_t digest;  /* there */
    uint64_t durable; /* last number that is durable in the sender's journal; 0 without one */
};
_Static_assert(sizeof(struct sb_ack) == 40, "wire layout");

struct sb_repair {
    uint64_t to_inc, from, to; /* numbers wanted, both included */
};
_Static_assert(sizeof(struct sb_repair) == 24, "wire layout");

/* RESEND: `count` messages of a stream from number `seq` on are missed by a client. */
struct sb_resend {
    uint64_t to_inc; /* the shadow's */
    uint64_t seq;
    uint32_t stream;
    uint32_t
        ipv4; /* who asked, and is answered if it is the feed; a session has an address of its own */
    uint16_t count;
    uint16_t port;
    uint8_t mac[6];
    uint8_t zero[6];
};
_Static_assert(sizeof(struct sb_resend) == 40, "wire layout");

/* All control frames have this one body; fields a message does not use are zero. */
struct sb_control {
    uint64_t to_inc; /* incarnation addressed; 0 = any */
    uint64_t winc;   /* witness's incarnation */
    uint64_t
        k; /* ARM, ARMOK, CANCEL: nonce; PAIROK that answers CANCEL: highest void one; SOLOOK: 1 if the owner has said
                          LIVE; LIVE: last number that
                          is durable at the sender; RESUMEOK: the witness's log begins behind it; BOOT of a new day:
                          sb_genesis_carry_hash() of the sender: only equal ones pair */
    uint64_t peer_inc; /* REG_DUAL, PAIR, PAIROK, ARM, SOLOREQ: the other engine's incarnation */
    uint64_t
        n_last; /* RESIGN, BOOT, RESUME, FORCE: last number in the log; LIVE: on going live; LOGACK: held */
    uint64_t old_epoch; /* PAIR; LIVE: of the record that is durable; BOOT: digest at n_last */
    uint8_t to;         /* enum sb_node_id addressed */
    uint8_t role;       /* REG_DUAL: 0 primary, 1 shadow */
    uint8_t by_resign;  /* LIVE */
    uint8_t
        record; /* RESUME, DISCLAIM, FORCE, BOOT: kind of the last ownership record; its epoch is the head's */
    uint8_t version_min, version_max; /* BOOT, HELLO: of the frames that the sender reads */
    uint16_t rules; /* BOOT: of the sender's engine (SB_ENGINE_RULES): only equal ones pair */
};
_Static_assert(sizeof(struct sb_control) == 56, "wire layout");

/* ENTRY: MoldUDP64-style blocks follow (u16 big-endian length, message). Message i has number
 * first_seq + i in its session. first_seq = 0: not numbered; only a login may stand in it. */
struct sb_entry {
    uint64_t token; /* login token of the session */
    uint64_t first_seq;
    uint32_t session; /* from 1 */
    uint16_t count;
    uint16_t zero;
};
_Static_assert(sizeof(struct sb_entry) == 24, "wire layout");

/* STATUS to the session's return address: not numbered, may be lost. */
struct sb_status {
    uint64_t wanted; /* next message number that the owner takes */
    uint64_t safe;   /* all numbers up to here are taken for good: covered by the output rule */
    uint32_t session;
    uint32_t zero;
};
_Static_assert(sizeof(struct sb_status) == 24, "wire layout");

#endif
