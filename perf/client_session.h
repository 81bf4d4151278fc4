/* client_session.h: one session of the client: what it has sent, what is known to be taken, what came back.
 *
 *      due      messages 1..due may be sent (the schedule says so)
 *      sent     messages 1..sent were sent at least once
 *      next     what is sent next; behind `sent` after a step back (resend)
 *      taken    1..taken are known to be taken for good: answered, or covered by STATUS `safe`
 *
 * Resend: after a silence the session steps back to the first message not known to be taken (or to what STATUS
 * last wanted, if that is later), and waits twice as long the next time. STATUS with GAP steps back at once.
 * Part of struct sb_client; knows the plan and its own stream, not the network.
 */
#ifndef SHADOWBOOK_PERF_CLIENT_SESSION_H
#define SHADOWBOOK_PERF_CLIENT_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "perf/follow.h"
#include "perf/plan.h"
#include "shadowbook/frame.h"

struct sb_client;

enum {
    SB_CLIENT_LOGIN_EVERY_NS = 20 * 1000 * 1000,
    SB_CLIENT_RESEND_FIRST_NS = 10 * 1000 * 1000,
    SB_CLIENT_RESEND_LAST_NS = 200 * 1000 * 1000,
    SB_CLIENT_GAP_AGAIN_NS = 2 * 1000 * 1000, /* the same GAP is followed only this often */
};

struct sb_client_session {
    struct sb_client *client;
    uint32_t index;
    const uint32_t *rows; /* [seq - 1] = row of the plan */
    uint32_t messages_n;
    uint32_t due, sent, next, taken;
    uint32_t answered; /* highest message number that has an answer */
    uint32_t wanted;   /* last told by STATUS; 0 = not known */
    bool logged_in;
    uint64_t login_at_ns;
    uint64_t resend_at_ns, resend_wait_ns; /* at 0: nothing outstanding */
    uint32_t gap_seq;
    uint64_t gap_ns;
    struct sb_follow stream;
};

/* Message seq of the session's stream, delivered in order. `arg` is the session. */
void sb_client_session_deliver(void *arg, uint64_t seq, const uint8_t *message, uint32_t len);

/* A STATUS frame for this session. */
void sb_client_session_status(struct sb_client_session *s, const struct sb_status *status,
                              bool gap);

/* Sends what may be sent now: login, resends, what is due. */
void sb_client_session_send(struct sb_client_session *s);

#endif
