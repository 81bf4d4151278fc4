#include "perf/client_session.h"

#include <inttypes.h>
#include <string.h>

#include "nic/wire/entry.h"
#include "nic/wire/ouch.h"
#include "perf/client.h"
#include "shadowbook/assert.h"

/* Messages 1..seq are known to be taken. */
static void taken_to(struct sb_client_session *s, uint32_t seq)
{
    struct sb_client *c = s->client;
    if (seq > s->due)
        seq = s->due;
    if (seq <= s->taken)
        return;
    c->untaken -= seq - s->taken;
    c->progress_ns = c->quiet_ns = c->now_ns;
    s->taken = seq;
    if (s->next <= seq)
        s->next = seq + 1;
    if (s->sent < seq)
        s->sent = seq;
    s->resend_wait_ns = SB_CLIENT_RESEND_FIRST_NS;
    s->resend_at_ns = s->taken < s->sent ? c->now_ns + s->resend_wait_ns : 0;
}

static void answer(struct sb_client_session *s, uint32_t row_index, const struct sb_ouch_out *m)
{
    struct sb_client *c = s->client;
    const struct sb_plan_row *plan_row = &c->plan->rows[row_index];
    struct sb_client_row *row = &c->rows[row_index];
    row->answer = (uint8_t)m->type;
    row->reason = (uint8_t)m->reject_reason;
    row->answered_ns = c->now_ns;
    row->timestamp = m->timestamp;
    if (m->type == 'J' || (m->type == 'O' && m->reject_reason != 0))
        c->counters.rejected++;
    else
        c->counters.acknowledged++;
    if (plan_row->seq > s->answered)
        s->answered = plan_row->seq;
    taken_to(s, plan_row->seq);
}

/* The N row of key `key`, or SB_PLAN_NONE. */
static uint32_t order_of_key(const struct sb_client_session *s, uint32_t key)
{
    const struct sb_plan *plan = s->client->plan;
    return key == 0 || key > plan->keys[s->index] ? SB_PLAN_NONE
                                                  : plan->key_rows[s->index][key - 1];
}

static void error(struct sb_client_session *s, uint64_t seq, char type, const char *what)
{
    sb_client_answer_error(s->client, s->index, seq, type, what);
}

/* A or J: the answer to an order. */
static void on_order(struct sb_client_session *s, uint64_t seq, const struct sb_ouch_out *m)
{
    struct sb_client *c = s->client;
    const uint32_t at = order_of_key(s, m->ref);
    if (at == SB_PLAN_NONE || c->plan->rows[at].seq > s->sent) {
        error(s, seq, m->type, "names an order that was not sent");
        return;
    }
    if (c->rows[at].answer != 0) {
        error(s, seq, m->type, "a second answer to one order");
        return;
    }
    if (m->type == 'A') {
        const struct sb_plan_row *row = &c->plan->rows[at];
        if (m->quantity != row->quantity || m->price != (uint64_t)row->price ||
            m->side != row->side)
            error(s, seq, m->type, "accepted something other than what was sent");
        c->rows[at].size = c->rows[at].open = m->quantity;
    }
    answer(s, at, m);
}

/* C with reason U: the answer to the order's next cancel that had something to take off. */
static void on_user_cancel(struct sb_client_session *s, uint64_t seq, uint32_t order,
                           const struct sb_ouch_out *m)
{
    struct sb_client *c = s->client;
    struct sb_client_row *row = &c->rows[order];
    uint32_t at = row->next_cancel;
    while (at != SB_PLAN_NONE && c->plan->rows[at].intended >= row->size)
        at = c->plan->rows[at].next_cancel;
    if (at == SB_PLAN_NONE || c->plan->rows[at].seq > s->sent) {
        error(s, seq, m->type, "a cancel that was not asked for");
        return;
    }
    const uint32_t less = row->size - c->plan->rows[at].intended;
    if (m->quantity != (less < row->open ? less : row->open))
        error(s, seq, m->type, "canceled another number of shares than asked");
    row->next_cancel = c->plan->rows[at].next_cancel;
    answer(s, at, m);
}

static void on_canceled(struct sb_client_session *s, uint64_t seq, const struct sb_ouch_out *m)
{
    struct sb_client *c = s->client;
    const uint32_t at = order_of_key(s, m->ref);
    if (at == SB_PLAN_NONE || c->rows[at].answer != 'A') {
        error(s, seq, m->type, "names an order that was not accepted");
        return;
    }
    if (m->cancel_reason == 'U')
        on_user_cancel(s, seq, at, m);
    struct sb_client_row *row = &c->rows[at];
    if (m->quantity > row->open || m->quantity == 0) {
        error(s, seq, m->type, "takes off more shares than are open, or none");
        return;
    }
    row->open -= m->quantity;
    row->size -= m->quantity;
}

static void on_executed(struct sb_client_session *s, uint64_t seq, const struct sb_ouch_out *m)
{
    struct sb_client *c = s->client;
    const uint32_t at = order_of_key(s, m->ref);
    if (at == SB_PLAN_NONE || c->rows[at].answer != 'A' || m->quantity == 0 ||
        m->quantity > c->rows[at].open) {
        error(s, seq, m->type, "executes an order that has not that many shares open");
        return;
    }
    c->rows[at].open -= m->quantity;
    if (m->match == 0 || m->match > c->trades_max) {
        error(s, seq, m->type, "a match number that cannot be");
        return;
    }
    struct sb_client_trade *trade = &c->trades[m->match];
    const bool buy = c->plan->rows[at].side == 'B';
    const bool first = trade->buy_liquidity == 0 && trade->sell_liquidity == 0;
    if ((buy ? trade->buy_liquidity : trade->sell_liquidity) != 0 ||
        (!first && (trade->quantity != m->quantity || trade->price != (int64_t)m->price))) {
        error(s, seq, m->type, "the two sides of a match do not agree");
        return;
    }
    trade->quantity = m->quantity;
    trade->price = (int64_t)m->price;
    if (buy) {
        trade->buy_row = at;
        trade->buy_liquidity = m->liquidity;
    } else {
        trade->sell_row = at;
        trade->sell_liquidity = m->liquidity;
    }
    if (m->match > c->matches_seen_max)
        c->matches_seen_max = m->match;
}

static void on_login(struct sb_client_session *s, uint64_t seq, const struct sb_entry_out *m)
{
    struct sb_client *c = s->client;
    if (c->logins_n < c->logins_cap)
        c->logins[c->logins_n++] =
            (struct sb_client_login){.timestamp = m->timestamp, .session = s->index};
    else
        error(s, seq, m->type, "more logins than can be kept");
    if (m->last_session_seq > s->sent)
        c->state = SB_CLIENT_SESSION_IN_USE;
    c->logged_in_n += !s->logged_in;
    s->logged_in = true;
}

static void on_operator(struct sb_client_session *s, uint64_t seq, const struct sb_entry_out *m)
{
    const struct sb_plan *plan = s->client->plan;
    const uint32_t at = m->key >= 1 && m->key <= s->sent ? s->rows[m->key - 1] : SB_PLAN_NONE;
    if (at == SB_PLAN_NONE || plan->rows[at].op != SB_PLAN_PHASE) {
        error(s, seq, m->type, "answers an operator message that was not sent");
        return;
    }
    if (s->client->rows[at].answer != 0) {
        error(s, seq, m->type, "a second answer to one operator message");
        return;
    }
    answer(
        s, at,
        &(struct sb_ouch_out){.type = 'O', .timestamp = m->timestamp, .reject_reason = m->reason});
}

void sb_client_session_deliver(void *arg, uint64_t seq, const uint8_t *message, uint32_t len)
{
    struct sb_client_session *s = arg;
    s->client->progress_ns = s->client->quiet_ns = s->client->now_ns;
    struct sb_entry_out ours;
    if (len > 0 && memchr("LOTMQ", message[0], 5) != NULL) {
        if (!sb_entry_read_out(message, len, &ours))
            error(s, seq, (char)message[0], "cannot be read");
        else if (ours.type == 'L')
            on_login(s, seq, &ours);
        else if (ours.type == 'O')
            on_operator(s, seq, &ours);
        return; /* of T, M and Q, which answer what a flow does not have, nothing is expected */
    }
    struct sb_ouch_out m;
    if (!sb_ouch_read_out(message, len, &m)) {
        error(s, seq, '?', "cannot be read");
        return;
    }
    switch (m.type) {
    case 'S':
        break;
    case 'A':
    case 'J':
        on_order(s, seq, &m);
        break;
    case 'C':
        on_canceled(s, seq, &m);
        break;
    case 'E':
        on_executed(s, seq, &m);
        break;
    default:
        error(s, seq, m.type, "a type that nothing asked for");
    }
}

static void step_back(struct sb_client_session *s, uint32_t seq)
{
    if (seq <= s->taken)
        seq = s->taken + 1;
    if (seq < s->next)
        s->next = seq;
}

void sb_client_session_status(struct sb_client_session *s, const struct sb_status *status, bool gap)
{
    struct sb_client *c = s->client;
    if (status->wanted > (uint64_t)s->sent + 1 || status->safe > s->sent) {
        c->state = SB_CLIENT_SESSION_IN_USE;
        return;
    }
    taken_to(s, (uint32_t)status->safe);
    s->wanted = (uint32_t)status->wanted;
    if (!gap)
        return;
    c->counters.status_gaps++;
    if (s->wanted == s->gap_seq && c->now_ns < s->gap_ns + SB_CLIENT_GAP_AGAIN_NS)
        return; /* frames behind the hole were under way: each tells of it */
    s->gap_seq = s->wanted;
    s->gap_ns = c->now_ns;
    step_back(s, s->wanted);
}

static void send_login(struct sb_client_session *s)
{
    struct sb_client *c = s->client;
    uint8_t *frame = sb_client_frame(c);
    if (!frame || c->now_ns < s->login_at_ns)
        return;
    s->login_at_ns = c->now_ns + SB_CLIENT_LOGIN_EVERY_NS;
    sb_client_emit(c, s->index, c->config->orders,
                   sb_entry_frame_login(&c->frames, frame, s->index, c->options.nonce));
    c->counters.logins_sent++;
}

/* One frame with messages s->next.. up to `last`. False if there is no room for a frame. */
static bool send_frame(struct sb_client_session *s, uint32_t last)
{
    struct sb_client *c = s->client;
    uint8_t *frame = sb_client_frame(c);
    if (!frame)
        return false;
    uint32_t count = last - s->next + 1;
    if (count > SB_CLIENT_PACK_MAX)
        count = SB_CLIENT_PACK_MAX;
    sb_client_emit(c, s->index, c->config->orders,
                   sb_entry_frame_rows(&c->frames, frame, s->index, s->next, count));
    const uint32_t again = s->next <= s->sent ? s->sent - s->next + 1 : 0;
    c->counters.sent += count;
    c->counters.resent += again < count ? again : count;
    s->next += count;
    if (s->sent < s->next - 1)
        s->sent = s->next - 1;
    return true;
}

void sb_client_session_send(struct sb_client_session *s)
{
    struct sb_client *c = s->client;
    if (!s->logged_in) {
        send_login(s);
        return;
    }
    if (s->resend_at_ns != 0 && c->now_ns >= s->resend_at_ns) {
        step_back(s, s->wanted > s->taken ? s->wanted : s->taken + 1);
        s->wanted = 0; /* if that does not help, it was an owner's word that is no more */
        s->resend_wait_ns *= 2;
        if (s->resend_wait_ns > SB_CLIENT_RESEND_LAST_NS)
            s->resend_wait_ns = SB_CLIENT_RESEND_LAST_NS;
        s->resend_at_ns = c->now_ns + s->resend_wait_ns;
    }
    uint64_t last = (uint64_t)s->taken + c->options.window;
    if (last > s->due)
        last = s->due;
    while (s->next <= last && send_frame(s, (uint32_t)last))
        if (s->resend_at_ns == 0)
            s->resend_at_ns = c->now_ns + s->resend_wait_ns;
}
