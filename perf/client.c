#include "perf/client.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nic/wire/entry.h"
#include "nic/wire/mold.h"
#include "shadowbook/assert.h"

enum { SESSION_SLOTS = 1024, FEED_SLOTS = 16384 };

/* How many fills there can be. One ends an order, so there are at most as many as orders; but pro-rata those of an arrival's last
 * pass end nobody but it. */
static uint64_t fills_max(const struct sb_plan *plan, const struct sb_config *config)
{
    const uint64_t a_pass = sb_config_pro_rata(config) ? SB_PRO_RATA_MAX : 0;
    return plan->orders * (1 + a_pass);
}

/* Pauses that TIMER ends: each was begun by an order. Those that a phase row ends are counted with it. */
static uint64_t pauses_max(const struct sb_plan *plan, const struct sb_config *config)
{
    for (uint32_t i = 1; i <= config->instruments_n; i++)
        if (config->instruments[i].pause_ms != 0)
            return plan->orders;
    return 0;
}

/* How many messages a session's stream can have at most: an answer each, an executed for each end of a fill, a last cancel for
 * each order, the logins. */
static uint64_t session_messages_max(const struct sb_plan *plan, const struct sb_config *config,
                                     uint32_t session)
{
    return 2 * (uint64_t)plan->messages_n[session] + 2 * fills_max(plan, config) +
           2 * SB_CLIENT_LOGINS_MAX;
}

/* The feed: add, delete for each order, at most two messages a fill; a reduction each cancel; a few a phase, and a pause. */
static uint64_t feed_messages_max(const struct sb_plan *plan, const struct sb_config *config)
{
    return 2 * (uint64_t)plan->orders + 2 * fills_max(plan, config) + plan->cancels +
           4 * pauses_max(plan, config) +
           (plan->phases + UINT64_C(4)) * 2 * (config->instruments_n + UINT64_C(1)) + 1024;
}

/* An instrument is defined in a phase; a row changes it, an order may, and then TIMER. */
static uint64_t phases_max(const struct sb_plan *plan, const struct sb_config *config)
{
    return config->instruments_n + (uint64_t)plan->phases + plan->orders + pauses_max(plan, config);
}

static const char *check(const struct sb_client_options *o)
{
    const struct sb_config *config = o->config;
    const struct sb_plan *plan = o->plan;
    if (!config->client.present)
        return "the configuration has no [client] section";
    if (plan->sessions_n > SB_SESSIONS_CONFIG_MAX)
        return "more sessions than a configuration can have";
    for (uint32_t s = 1; s <= plan->sessions_n; s++)
        if (!config->sessions[s].present)
            return "the configuration does not define all of the sessions 1..N that are asked for";
    if (plan->phases > 0 && !config->sessions[1].operator_right)
        return "the flow has phase rows and session 1 has no operator right";
    for (uint32_t i = 0; i < plan->n; i++)
        if (plan->rows[i].instrument > config->instruments_n ||
            (plan->rows[i].instrument > 0 &&
             !config->instruments[plan->rows[i].instrument].present))
            return "the flow has instruments that the configuration does not define";
    if (o->window == 0 || !(o->speed >= 0))
        return "the window must be at least 1 and the speed not negative";
    return NULL;
}

static bool init_sessions(struct sb_client *c)
{
    for (uint32_t i = 1; i <= c->plan->sessions_n; i++) {
        struct sb_client_session *s = &c->sessions[i];
        *s = (struct sb_client_session){.client = c,
                                        .index = i,
                                        .rows = c->plan->session_rows[i],
                                        .messages_n = c->plan->messages_n[i],
                                        .next = 1,
                                        .resend_wait_ns = SB_CLIENT_RESEND_FIRST_NS};
        if (!sb_follow_init(&s->stream, i, session_messages_max(c->plan, c->config, i),
                            SESSION_SLOTS, sb_client_session_deliver, s))
            return false;
    }
    return true;
}

static void feed_deliver(void *arg, uint64_t seq, const uint8_t *message, uint32_t len)
{
    struct sb_client *c = arg;
    c->progress_ns = c->quiet_ns = c->now_ns;
    sb_feed_book_apply(&c->book, seq, message, len);
}

static bool init_memory(struct sb_client *c)
{
    const struct sb_plan *plan = c->plan;
    c->trades_max = fills_max(plan, c->config) + pauses_max(plan, c->config) +
                    (plan->phases + UINT64_C(1)) * (c->config->instruments_n + 1);
    c->logins_cap = plan->sessions_n * SB_CLIENT_LOGINS_MAX;
    c->symbols = sb_entry_frame_symbols(c->config);
    c->rows = sb_lazy_alloc((uint64_t)plan->n * sizeof *c->rows);
    c->trades = sb_lazy_alloc((c->trades_max + 1) * sizeof *c->trades);
    c->sessions = calloc(plan->sessions_n + (size_t)1, sizeof *c->sessions);
    c->logins = sb_lazy_alloc((uint64_t)c->logins_cap * sizeof *c->logins);
    c->buffers = calloc(SB_CLIENT_BURST, sizeof *c->buffers);
    return c->symbols && c->rows && c->trades && c->sessions && c->logins && c->buffers &&
           sb_feed_book_init(&c->book, plan->orders, phases_max(plan, c->config)) &&
           init_sessions(c) &&
           sb_follow_init(&c->feed, 0, feed_messages_max(plan, c->config), FEED_SLOTS, feed_deliver,
                          c);
}

const char *sb_client_init(struct sb_client *c, const struct sb_client_options *options)
{
    const char *wrong = check(options);
    if (wrong)
        return wrong;
    *c = (struct sb_client){.options = *options,
                            .config = options->config,
                            .plan = options->plan,
                            .gate_row = SB_PLAN_NONE};
    if (!init_memory(c)) {
        sb_client_free(c);
        return "no memory for the client's tables";
    }
    c->frames = (struct sb_entry_frames){.config = c->config,
                                         .plan = c->plan,
                                         .symbols = (const char(*)[8])c->symbols,
                                         .tag_orders = options->tag_orders};
    memcpy(c->frames.mac, options->mac, 6);
    for (uint32_t i = 0; i < c->plan->n; i++)
        if (c->plan->rows[i].op == SB_PLAN_NEW)
            c->rows[i].next_cancel = c->plan->rows[i].next_cancel;
    return NULL;
}

void sb_client_free(struct sb_client *c)
{
    for (uint32_t i = 1; c->sessions && i <= c->plan->sessions_n; i++)
        sb_follow_free(&c->sessions[i].stream);
    sb_follow_free(&c->feed);
    sb_feed_book_free(&c->book);
    if (c->rows)
        sb_lazy_free(c->rows, (uint64_t)c->plan->n * sizeof *c->rows);
    if (c->trades)
        sb_lazy_free(c->trades, (c->trades_max + 1) * sizeof *c->trades);
    if (c->logins)
        sb_lazy_free(c->logins, (uint64_t)c->logins_cap * sizeof *c->logins);
    free(c->sessions);
    free(c->symbols);
    free(c->buffers);
    *c = (struct sb_client){0};
}

uint8_t *sb_client_frame(struct sb_client *c)
{
    return c->out_n < c->out_cap ? c->buffers[c->out_n] : NULL;
}

void sb_client_emit(struct sb_client *c, uint32_t session, struct sb_addr to, uint32_t bytes)
{
    SB_ASSERT_LT(c->out_n, c->out_cap);
    uint8_t *frame = c->buffers[c->out_n];
    c->out[c->out_n++] = (struct sb_frame){
        .data = frame, .len = sb_entry_frame_finish(&c->frames, frame, session, to, bytes)};
    c->counters.frames_out++;
}

void sb_client_answer_error(struct sb_client *c, uint32_t session, uint64_t seq, char type,
                            const char *what)
{
    if (c->counters.answer_errors++ == 0)
        snprintf(c->first_error, sizeof c->first_error,
                 "session %" PRIu32 " message %" PRIu64 " '%c': %s", session, seq, type, what);
}

static void receive_session(struct sb_client *c, struct sb_client_session *s,
                            const struct sb_datagram *d)
{
    struct sb_head head;
    if (!sb_head_read(d->payload, d->bytes, &head)) {
        sb_follow_packet(&s->stream, c->now_ns, d->payload, d->bytes);
        return;
    }
    struct sb_status status;
    if (head.type != SB_FT_STATUS || head.shard != c->config->shard) {
        c->counters.frames_other++;
        return;
    }
    memcpy(&status, d->payload + sizeof head, sizeof status);
    if (status.session != s->index) {
        c->counters.frames_other++;
        return;
    }
    c->counters.status_frames++;
    sb_client_session_status(s, &status, (head.flags & SB_FF_GAP) != 0);
}

static bool is_feed(const struct sb_client *c, const struct sb_datagram *d)
{
    const struct sb_addr *a = &c->config->feed_a, *b = &c->config->feed_b;
    return (d->dst_ipv4 == a->ipv4 && d->dst_port == a->port) ||
           (b->port != 0 && d->dst_ipv4 == b->ipv4 && d->dst_port == b->port) ||
           (d->dst_ipv4 == c->config->client.ipv4 && d->dst_port == SB_CLIENT_PORT_BASE);
}

static void receive(struct sb_client *c, const struct sb_frame *frame)
{
    struct sb_datagram d;
    c->counters.frames_in++;
    const enum sb_udp_result result = sb_udp_parse(frame->data, frame->len, &d);
    if (result == SB_UDP_ARP) {
        if (c->out_n < c->out_cap) {
            uint8_t *out = c->buffers[c->out_n];
            const uint32_t len =
                sb_arp_answer(frame->data, frame->len, c->config->client.ipv4, c->options.mac, out);
            if (len > 0)
                c->out[c->out_n++] = (struct sb_frame){.data = out, .len = len};
        }
    } else if (result == SB_UDP_OTHER) {
        c->counters.frames_other++;
    } else if (result != SB_UDP_OK) {
        c->counters.frames_bad++;
    } else if (is_feed(c, &d)) {
        sb_follow_packet(&c->feed, c->now_ns, d.payload, d.bytes);
    } else if (d.dst_ipv4 == c->config->client.ipv4 && d.dst_port > SB_CLIENT_PORT_BASE &&
               d.dst_port <= SB_CLIENT_PORT_BASE + c->plan->sessions_n) {
        receive_session(c, &c->sessions[d.dst_port - SB_CLIENT_PORT_BASE], &d);
    } else {
        c->counters.frames_other++;
    }
}

static uint64_t scheduled_ns(const struct sb_client *c, const struct sb_plan_row *row)
{
    const uint64_t first = c->plan->rows[0].time_ns;
    const uint64_t ahead = row->time_ns > first ? row->time_ns - first : 0;
    return c->start_ns + (uint64_t)((double)ahead / c->options.speed);
}

/* May row be sent now? Says what its intended time is. A phase row waits until all before it is taken, and all behind
 * it wait for its answer. Without a pace, a row's turn comes when its session's window has room. */
static bool row_is_due(const struct sb_client *c, const struct sb_plan_row *row, uint64_t *intended)
{
    if (c->gate_row != SB_PLAN_NONE || (row->op == SB_PLAN_PHASE && c->untaken > 0))
        return false;
    if (c->options.speed > 0 && !c->hurried) {
        *intended = scheduled_ns(c, row);
        return *intended <= c->now_ns;
    }
    const struct sb_client_session *s = &c->sessions[row->session];
    *intended = c->now_ns;
    return s->due - s->taken < c->options.window;
}

static void advance_schedule(struct sb_client *c)
{
    const struct sb_plan *plan = c->plan;
    if (c->logged_in_n < plan->sessions_n)
        return;
    if (c->start_ns == 0)
        c->start_ns = c->now_ns;
    if (c->gate_row != SB_PLAN_NONE && c->rows[c->gate_row].answer != 0)
        c->gate_row = SB_PLAN_NONE;
    for (uint64_t intended; c->cursor < plan->n; c->cursor++) {
        const struct sb_plan_row *row = &plan->rows[c->cursor];
        if (!row_is_due(c, row, &intended))
            return;
        c->rows[c->cursor].intended_ns = intended;
        struct sb_client_session *s = &c->sessions[row->session];
        s->due++;
        SB_ASSERT_EQ(s->due, row->seq);
        if (c->untaken++ == 0)
            c->progress_ns = c->now_ns;
        if (row->op == SB_PLAN_PHASE)
            c->gate_row = c->cursor;
    }
}

static void send_request(struct sb_client *c, struct sb_follow *stream)
{
    uint8_t *frame = sb_client_frame(c);
    if (frame && sb_follow_request(stream, c->now_ns, frame + SB_UDP_HEADERS_BYTES))
        sb_client_emit(c, stream->stream, c->config->requests, SB_MOLD_HEAD_BYTES);
}

/* Tells the segment where we are, so that nobody has to ask; again now and then, because a wrong answer to a question
 * (ARP has no checksum) would be believed until our next order. */
static void announce(struct sb_client *c)
{
    if (c->now_ns < c->announce_at_ns || c->out_n == c->out_cap)
        return;
    c->announce_at_ns = c->now_ns + SB_CLIENT_ANNOUNCE_NS;
    uint8_t *out = c->buffers[c->out_n];
    const uint32_t ipv4 = c->config->client.ipv4;
    const uint32_t len = sb_arp_request(out, ipv4, c->options.mac, ipv4);
    c->out[c->out_n++] = (struct sb_frame){.data = out, .len = len};
}

/* Has this stream said, after the quiet time, that there is nothing more? */
static bool settled(const struct sb_client *c, const struct sb_follow *stream)
{
    return !sb_follow_missing(stream) && stream->level_ns >= c->quiet_ns + SB_CLIENT_SETTLE_NS;
}

static void judge(struct sb_client *c)
{
    const struct sb_plan *plan = c->plan;
    if (c->state != SB_CLIENT_RUNNING)
        return;
    const bool idle = c->untaken == 0 && c->gate_row == SB_PLAN_NONE && c->cursor < plan->n &&
                      c->logged_in_n == plan->sessions_n;
    if (idle)
        c->progress_ns = c->now_ns; /* only the schedule is waited for */
    else if (c->now_ns - c->progress_ns > c->options.give_up_ns)
        c->state = SB_CLIENT_NO_SERVICE;
    if (c->cursor < plan->n || c->untaken > 0 || c->logged_in_n < plan->sessions_n ||
        c->gate_row != SB_PLAN_NONE || c->now_ns < c->quiet_ns + SB_CLIENT_SETTLE_NS ||
        !settled(c, &c->feed))
        return;
    for (uint32_t i = 1; i <= plan->sessions_n; i++)
        if (!settled(c, &c->sessions[i].stream))
            return;
    c->state = SB_CLIENT_DONE;
}

uint32_t sb_client_poll(struct sb_client *c, uint64_t now_ns, const struct sb_frame *in, uint32_t n,
                        struct sb_frame *out, uint32_t cap)
{
    SB_ASSERT_LE(c->now_ns, now_ns);
    c->now_ns = now_ns;
    c->out = out;
    c->out_n = 0;
    c->out_cap = cap < SB_CLIENT_BURST ? cap : SB_CLIENT_BURST;
    if (c->progress_ns == 0)
        c->progress_ns = now_ns;
    announce(c);
    for (uint32_t i = 0; i < n; i++)
        receive(c, &in[i]);
    advance_schedule(c);
    const uint32_t sessions_n = c->plan->sessions_n;
    c->fair = c->fair >= sessions_n ? 1 : c->fair + 1;
    for (uint32_t i = 0, at = c->fair; i < sessions_n; i++, at = at == sessions_n ? 1 : at + 1) {
        sb_client_session_send(&c->sessions[at]);
        send_request(c, &c->sessions[at].stream);
    }
    send_request(c, &c->feed);
    judge(c);
    c->out = NULL;
    return c->out_n;
}

void sb_client_hurry(struct sb_client *c)
{
    c->hurried = true;
}

double sb_client_percent(const struct sb_client *c)
{
    if (c->plan->n == 0)
        return 100;
    return 100.0 * (double)(c->cursor - c->untaken) / (double)c->plan->n;
}
