/* client.h: the real client as a state machine: plays a plan over many sessions and checks what comes back.
 *
 *     frames in ──▶ sb_client_poll(now) ──▶ frames out
 *
 * Sans-I/O: it reads no clock and touches no device; the same times and frames in give the same frames out. One thread;
 * memory is taken once at start, sized by the plan (only pages that are touched count). Bad input is counted, never a crash.
 *
 * What it does: logs every session in; sends each message at its intended time (start + flow time / speed), or, with
 * speed 0, as soon as the window lets it; sends again what is not known to be taken; follows every session's stream and
 * the feed (two copies: the first wins), asks again for what is missing, and compares what comes twice. A phase
 * row waits until everything before it is taken, and nothing behind it is sent before its answer.
 *
 * What it does not do: judge prices and trades. The evidence is kept (when each message was answered, all trades, all books,
 * a hash of every message of every stream); verify.h compares it with a reference.
 */
#ifndef SHADOWBOOK_PERF_CLIENT_H
#define SHADOWBOOK_PERF_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "nic/wire/udp.h"
#include "perf/client_session.h"
#include "perf/entry_frame.h"
#include "perf/feed_book.h"
#include "perf/follow.h"
#include "perf/plan.h"
#include "shadowbook/config.h"
#include "shadowbook/port.h"

enum {
    SB_CLIENT_BURST = 32, /* frames out of one poll, at most */
    SB_CLIENT_WINDOW_DEFAULT = 256,
    SB_CLIENT_SETTLE_NS = 50 * 1000 * 1000, /* quiet time at the end, see sb_client_state */
    SB_CLIENT_ANNOUNCE_NS = 1000 * 1000 * 1000,
    SB_CLIENT_LOGINS_MAX = 64, /* L answers kept for each session */
};

struct sb_client_options {
    const struct sb_config *config; /* kept */
    const struct sb_plan *plan;     /* kept; finished */
    double speed;                   /* times the recorded pace; 0 = as fast as the windows allow */
    uint32_t window;                /* messages of one session not known to be taken, at most */
    uint64_t give_up_ns;            /* without any progress while something is outstanding */
    uint64_t nonce;                 /* the client's incarnation: differs from every earlier one */
    uint8_t mac[6];                 /* the port's */
    bool tag_orders;                /* carry the order id in ClOrdID */
};

enum sb_client_state {
    SB_CLIENT_RUNNING,
    SB_CLIENT_DONE,       /* all is taken, nothing is missing, and every stream said so again after
                       SB_CLIENT_SETTLE_NS of quiet */
    SB_CLIENT_NO_SERVICE, /* gave up */
    SB_CLIENT_SESSION_IN_USE /* a session has messages that are not ours: it was used today */
};

/* What is known of one row of the plan. */
struct sb_client_row {
    uint64_t intended_ns; /* when it was to be sent; 0 = not due yet */
    uint64_t answered_ns; /* when its answer was delivered; 0 = none */
    uint64_t timestamp;   /* of the answer: since the venue's midnight */
    uint32_t size, open;  /* N: shares that are not canceled; of those, open */
    uint32_t next_cancel; /* N: first C row that has no answer yet */
    uint8_t answer;       /* type character of the answer; 0 = none */
    uint8_t reason;       /* J, O: low byte of the reason */
};

struct sb_client_trade { /* [match]; size 0: no trade of that number seen */
    uint32_t buy_row, sell_row;
    int64_t price;
    uint32_t quantity;
    char buy_liquidity, sell_liquidity; /* 0: that half was not seen */
};

struct sb_client_login { /* an L on a session stream */
    uint64_t timestamp;
    uint32_t session;
};

struct sb_client_counters {
    uint64_t frames_in, frames_out, frames_bad, frames_other;
    uint64_t sent, resent;           /* messages */
    uint64_t acknowledged, rejected; /* answers: accepted, canceled, done; and refused */
    uint64_t status_frames, status_gaps;
    uint64_t answer_errors; /* answers that fit nothing that was sent */
    uint64_t logins_sent;
};

struct sb_client {
    struct sb_client_options options;
    const struct sb_config *config;
    const struct sb_plan *plan;
    char (*symbols)[8]; /* [instrument] */
    struct sb_entry_frames frames;
    uint64_t now_ns, start_ns; /* start: when the last session was logged in */
    enum sb_client_state state;
    uint64_t progress_ns; /* last time that anything went forward */
    bool hurried;         /* see sb_client_hurry() */
    uint64_t quiet_ns;    /* last time that a message was delivered or taken */
    uint32_t cursor;      /* rows before it are due */
    uint32_t logged_in_n; /* sessions */
    uint64_t untaken;     /* due messages not known to be taken */
    uint32_t gate_row;    /* phase row that waits for its answer, or SB_PLAN_NONE */
    uint32_t fair;        /* session that sends first in the next poll */
    struct sb_client_row *rows;
    struct sb_client_trade *trades; /* [match] */
    uint64_t trades_max, matches_seen_max;
    struct sb_client_session *sessions; /* [session] */
    struct sb_follow feed;
    struct sb_feed_book book;
    struct sb_client_login *logins;
    uint32_t logins_n, logins_cap;
    struct sb_client_counters counters;
    char first_error[160]; /* the first answer error, in words */
    uint8_t (*buffers)[SB_ENTRY_FRAME_BYTES];
    struct sb_frame *out;
    uint32_t out_n, out_cap;
    uint64_t announce_at_ns;
};

/* NULL, or what is missing in config or plan (a static string). On success free with sb_client_free(). */
const char *sb_client_init(struct sb_client *c, const struct sb_client_options *options);
void sb_client_free(struct sb_client *c);

/* Takes n frames, writes up to cap (at most SB_CLIENT_BURST) frames to send, returns how many. They stay readable until
 * the next call. now_ns never runs back. */
uint32_t sb_client_poll(struct sb_client *c, uint64_t now_ns, const struct sb_frame *in, uint32_t n,
                        struct sb_frame *out, uint32_t cap);

/* From here on what is left is sent as fast as the windows allow: nothing more is to be learnt from its pace. */
void sb_client_hurry(struct sb_client *c);

/* Share of the plan that is known to be taken: 0..100. */
double sb_client_percent(const struct sb_client *c);

/* For client_session.c. */

/* Room for a frame in the poll's output, or NULL when it is full. */
uint8_t *sb_client_frame(struct sb_client *c);
/* Sends the payload just written behind that frame's headers: from the session's port to `to`. */
void sb_client_emit(struct sb_client *c, uint32_t session, struct sb_addr to, uint32_t bytes);
/* Counts an answer that cannot be, and keeps the first in words. */
void sb_client_answer_error(struct sb_client *c, uint32_t session, uint64_t seq, char type,
                            const char *what);

#endif
