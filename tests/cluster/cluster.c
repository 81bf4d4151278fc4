#include "cluster.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nic/wire/entry.h"
#include "nic/wire/mold.h"
#include "nic/wire/ouch.h"
#include "nic/wire/udp.h"
#include "no_alloc.h"
#include "replica/log.h"
#include "replica/node.h"
#include "replica/node_state.h"
#include "replica/witness.h"

enum { HOSTS = 4, CLIENT = 3, FLIGHT_MAX = 1 << 16, SESSION = 1, STEP_NS = 2000, ALL_ROLES = 31 };
#define START_NS UINT64_C(1700000000000000000)

struct flight {
    uint64_t at_ns, order;
    uint32_t len;
    uint8_t to;
    uint8_t data[SB_FRAME_BYTES_MAX + 64];
};

/* What the client knows of one stream. */
struct seen {
    uint64_t next;  /* first number not seen yet */
    uint64_t *hash; /* by number */
    uint64_t cap;
    uint64_t asked_ns;
    char name[SB_MOLD_NAME_BYTES];
    bool named;
};

struct cluster {
    struct cluster_options o;
    struct sb_config config;
    struct sb_instrument_config instruments[2];
    uint64_t rng, now_ns, order;
    void *mem[2];
    struct sb_node *node[2];
    struct sb_witness witness;
    uint64_t counters[3][SB_CTR_COUNT];
    bool dead[3];
    uint64_t asleep_until_ns[3];
    bool cut_peers;
    struct flight *flights; /* binary heap by (at_ns, order) */
    uint32_t flights_n;
    /* client */
    uint8_t (*messages)[64]; /* by message number */
    uint8_t *lens;
    uint32_t sent, taken; /* numbers 1..taken are known to be taken */
    uint64_t progress_ns, login_ns, resend_ns;
    bool logged_in;
    struct seen session, feed;
    uint8_t *answered; /* by key: answers A, J */
    uint64_t acknowledged, conflicting;
    const char *failure;
};

static uint64_t next_random(struct cluster *c)
{
    uint64_t z = (c->rng += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

static bool chance(struct cluster *c, uint32_t ppm)
{
    return next_random(c) % 1000000 < ppm;
}

/* --- network -------------------------------------------------------------------------------- */

static bool earlier(const struct flight *a, const struct flight *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->order < b->order;
}

static void swap_flights(struct flight *a, struct flight *b)
{
    static struct flight t; /* 1.6 KB: kept off the stack of a deep heap walk */
    t = *a;
    *a = *b;
    *b = t;
}

static void fly(struct cluster *c, uint8_t to, const uint8_t *data, uint32_t len)
{
    if (chance(c, c->o.loss_ppm) || c->flights_n == FLIGHT_MAX)
        return;
    uint32_t i = c->flights_n++;
    struct flight *f = &c->flights[i];
    f->order = c->o.reorder ? next_random(c) : c->order++;
    f->at_ns = c->now_ns + 2000 +
               (c->o.reorder && c->o.delay_max_us != 0
                    ? next_random(c) % (c->o.delay_max_us * UINT64_C(1000))
                    : 0);
    f->to = to;
    f->len = len;
    memcpy(f->data, data, len);
    while (i > 0 && earlier(&c->flights[i], &c->flights[(i - 1) / 2])) {
        swap_flights(&c->flights[i], &c->flights[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
}

static void broadcast(struct cluster *c, uint8_t from, const uint8_t *data, uint32_t len)
{
    for (uint8_t to = 0; to < HOSTS; to++) {
        if (to == from || (c->cut_peers && from < 2 && to < 2))
            continue;
        fly(c, to, data, len);
        if (chance(c, c->o.duplicate_ppm))
            fly(c, to, data, len);
    }
}

/* The next frame that has arrived anywhere; false if none. */
static bool land(struct cluster *c, struct flight *out)
{
    if (c->flights_n == 0 || c->flights[0].at_ns > c->now_ns)
        return false;
    *out = c->flights[0];
    c->flights[0] = c->flights[--c->flights_n];
    for (uint32_t i = 0;;) {
        uint32_t least = i;
        for (uint32_t k = 2 * i + 1; k <= 2 * i + 2 && k < c->flights_n; k++)
            if (earlier(&c->flights[k], &c->flights[least]))
                least = k;
        if (least == i)
            return true;
        swap_flights(&c->flights[i], &c->flights[least]);
        i = least;
    }
}

/* --- client --------------------------------------------------------------------------------- */

static void client_send(struct cluster *c, uint16_t dst_port, const uint8_t *payload,
                        uint32_t bytes)
{
    uint8_t frame[SB_FRAME_BYTES_MAX];
    struct sb_udp_route r = {.src_mac = {2, 0, 0, 0, 0, 9},
                             .src_ipv4 = c->config.client.ipv4,
                             .dst_ipv4 = c->config.orders.ipv4,
                             .src_port = 20001,
                             .dst_port = dst_port};
    sb_multicast_mac(r.dst_ipv4, r.dst_mac);
    memcpy(frame + SB_UDP_HEADERS_BYTES, payload, bytes);
    broadcast(c, CLIENT, frame, sb_udp_finish(frame, &r, bytes));
}

static void client_entry(struct cluster *c, uint64_t first, uint32_t count)
{
    uint8_t p[SB_UDP_PAYLOAD_MAX];
    uint8_t blocks[SB_UDP_PAYLOAD_MAX];
    uint32_t at = 0;
    uint16_t n = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint8_t login[64];
        const uint8_t *m = login;
        uint32_t len;
        if (first == 0) {
            len = sb_entry_write_login(login, c->o.seed + 1, c->config.client.ipv4, 20001);
        } else {
            m = c->messages[first + i];
            len = c->lens[first + i];
        }
        if (at + 2 + len > 1300)
            break;
        blocks[at] = 0;
        blocks[at + 1] = (uint8_t)len;
        memcpy(blocks + at + 2, m, len);
        at += 2 + len;
        n++;
    }
    const struct sb_entry e = {.token = 77, .first_seq = first, .session = SESSION, .count = n};
    uint8_t *body =
        sb_head_put(p, SB_FT_ENTRY, 1, 0, 0, SB_NODE_CLIENT, 0, (uint16_t)(sizeof e + at));
    memcpy(body, &e, sizeof e);
    memcpy(body + sizeof e, blocks, at);
    client_send(c, c->config.orders.port, p, (uint32_t)(sizeof(struct sb_head) + sizeof e) + at);
}

static void client_request(struct cluster *c, struct seen *s)
{
    if (!s->named || c->now_ns - s->asked_ns < 200000)
        return;
    s->asked_ns = c->now_ns;
    uint8_t p[SB_MOLD_HEAD_BYTES];
    sb_mold_put_head(p, s->name, s->next, 64);
    client_send(c, c->config.requests.port, p, sizeof p);
}

static uint64_t hash_bytes(const uint8_t *p, uint32_t len)
{
    uint64_t h = UINT64_C(1469598103934665603);
    for (uint32_t i = 0; i < len; i++)
        h = (h ^ p[i]) * UINT64_C(1099511628211);
    return h | 1;
}

static void client_answer(struct cluster *c, const uint8_t *msg, uint32_t len)
{
    struct sb_ouch_out m;
    if (msg[0] == 'L') {
        c->logged_in = true;
        return;
    }
    if (!sb_ouch_read_out(msg, len, &m)) {
        c->failure = "a session message that cannot be read";
        return;
    }
    if (m.type != 'A' && m.type != 'J')
        return;
    if (m.ref == 0 || m.ref > c->o.orders || c->answered[m.ref]++ != 0)
        c->failure = "an order was answered twice, or was never sent";
    c->acknowledged++;
    if (m.ref > c->taken) {
        c->taken = m.ref;
        c->progress_ns = c->now_ns;
    }
}

/* R5: keep (stream, number, bytes); different bytes for a number are an alarm. */
static void client_stream(struct cluster *c, struct seen *s, const uint8_t *p, uint32_t bytes,
                          bool answers)
{
    struct sb_mold_head h;
    if (!sb_mold_read(p, bytes, &h)) {
        c->failure = "a MoldUDP64 packet that cannot be read";
        return;
    }
    if (s->named && memcmp(s->name, h.name, sizeof h.name) != 0)
        c->failure = "a stream changed its name";
    memcpy(s->name, h.name, sizeof h.name);
    s->named = true;
    uint32_t at = SB_MOLD_HEAD_BYTES, len;
    const uint8_t *msg;
    uint64_t seq = h.seq;
    while ((msg = sb_mold_next(p, bytes, &at, &len)) != NULL) {
        if (seq >= s->cap) {
            c->failure = "more messages than could be";
            return;
        }
        const uint64_t hash = hash_bytes(msg, len);
        if (s->hash[seq] != 0 && s->hash[seq] != hash)
            c->conflicting++;
        if (s->hash[seq] == 0) {
            s->hash[seq] = hash;
            if (answers)
                client_answer(c, msg, len);
        }
        seq++;
    }
    while (s->hash[s->next] != 0)
        s->next++;
    if (s->next < seq)
        client_request(c, s);
}

static void client_frame(struct cluster *c, const uint8_t *data, uint32_t len)
{
    struct sb_datagram d;
    struct sb_head h;
    if (sb_udp_parse(data, len, &d) != SB_UDP_OK)
        return;
    if (d.dst_ipv4 == c->config.feed_a.ipv4 ||
        (d.dst_ipv4 == c->config.client.ipv4 && d.dst_port == 20002)) {
        client_stream(c, &c->feed, d.payload, d.bytes, false);
        return;
    }
    if (d.dst_ipv4 != c->config.client.ipv4 || d.dst_port != 20001)
        return;
    if (sb_head_read(d.payload, d.bytes, &h)) {
        struct sb_status s;
        memcpy(&s, d.payload + sizeof h, sizeof s);
        if (s.safe > c->taken)
            c->taken = (uint32_t)s.safe;
        if ((h.flags & SB_FF_GAP) != 0)
            c->resend_ns = 0;
        return;
    }
    struct sb_mold_head mold;
    if (sb_mold_read(d.payload, d.bytes, &mold) && sb_stream_of_name(mold.name) == 0)
        client_stream(c, &c->feed, d.payload, d.bytes, false);
    else
        client_stream(c, &c->session, d.payload, d.bytes, true);
}

static void client_turn(struct cluster *c)
{
    if (!c->logged_in) {
        if (c->now_ns - c->login_ns > 2000000) {
            client_entry(c, 0, 1);
            c->login_ns = c->now_ns;
        }
        return;
    }
    if (c->sent < c->o.orders && c->sent - c->taken < 64 && chance(c, 200000)) {
        uint32_t burst = 1 + (uint32_t)(next_random(c) % 6);
        if (burst > c->o.orders - c->sent)
            burst = c->o.orders - c->sent;
        client_entry(c, c->sent + 1, burst);
        c->sent += burst;
        c->resend_ns = c->now_ns;
    }
    if (c->taken < c->sent && c->now_ns - c->resend_ns > 1000000) {
        client_entry(c, c->taken + 1, c->sent - c->taken);
        c->resend_ns = c->now_ns;
    }
}

static void client_init(struct cluster *c)
{
    c->messages = calloc(c->o.orders + 2, sizeof *c->messages);
    c->lens = calloc(c->o.orders + 2, 1);
    c->answered = calloc(c->o.orders + 2, 1);
    c->session.cap = c->feed.cap = 8u * c->o.orders + 64;
    c->session.hash = calloc(c->session.cap + 1, sizeof(uint64_t));
    c->feed.hash = calloc(c->feed.cap + 1, sizeof(uint64_t));
    c->session.next = c->feed.next = 1;
    for (uint32_t i = 1; i <= c->o.orders; i++) {
        struct sb_ouch_enter e = {
            .ref = i,
            .quantity = 1 + (uint32_t)(next_random(c) % 500),
            .price = 10000 + 100 * (next_random(c) % 20),
            .side = chance(c, 500000) ? 'B' : 'S',
            .tif = chance(c, 100000) ? '3' : '0',
            .display = 'Y',
            .capacity = 'P',
            .iso = 'N',
            .cross = 'N',
        };
        memcpy(e.symbol, chance(c, 20000) ? "UNKNOWN " : "TEST    ", 8);
        memset(e.clordid, ' ', sizeof e.clordid);
        if (chance(c, 300000))
            memcpy(e.clordid, "client-id-0001", 14);
        c->lens[i] = (uint8_t)sb_ouch_write_enter(c->messages[i], &e);
    }
}

/* --- cluster -------------------------------------------------------------------------------- */

static void configure(struct cluster *c)
{
    struct sb_config *f = &c->config;
    sb_config_defaults(f);
    f->shard = 1;
    f->release = c->o.logged ? SB_RELEASE_LOGGED : SB_RELEASE_VERIFIED;
    f->limits = (struct sb_engine_limits){.instruments_max = 4,
                                          .sessions_max = 4,
                                          .orders_max = 4096,
                                          .levels_max = 256,
                                          .terms_max = 64,
                                          .window_levels = 64};
    f->log_lines = 1u << 15;
    f->unacked_lines = 4096;
    f->hold_bytes = 1u << 22;
    f->retain_packets = 1u << 12;
    f->pending_bytes = 1u << 18;
    f->heartbeat_ns = 100000;
    f->suspect_after_ns = 500000;
    f->takeover_after_ns = 1500000;
    f->gap_after_ns = 1000000;
    f->solo_after_ns = 4000000;
    f->lag_max = 100000;
    f->client_heartbeat_ns = 1000000;
    f->orders = (struct sb_addr){0xEF010101, 5001};
    f->requests = (struct sb_addr){0xEF010101, 5002};
    f->feed_a = (struct sb_addr){0xEF010102, 5003};
    f->feed_b = (struct sb_addr){0, 0};
    f->replication = (struct sb_addr){0xEF010103, 5004};
    f->client_port = 5005;
    f->nodes[0].ipv4 = 0x0A000001;
    f->nodes[1].ipv4 = 0x0A000002;
    f->witness.ipv4 = 0x0A000003;
    f->client.ipv4 = 0x0A000004;
    f->sessions[1] =
        (struct sb_session_config){.present = true, .operator_right = true, .firm = 1, .token = 77};
    f->sessions_n = 1;
    c->instruments[1] = (struct sb_instrument_config){.symbol = "TEST    ",
                                                      .tick = 100,
                                                      .price_min = 100,
                                                      .price_max = 1000000,
                                                      .lot = 1,
                                                      .quantity_max = 1000000,
                                                      .phase = SB_PHASE_CONTINUOUS,
                                                      .present = true};
    memcpy(c->instruments[1].symbol, "TEST    ", 8);
    f->instruments = c->instruments;
    f->instruments_n = 1;
}

static void start_node(struct cluster *c, uint8_t self, bool new_day)
{
    const size_t bytes = sb_node_footprint(&c->config);
    free(c->mem[self]);
    c->mem[self] = aligned_alloc(64, bytes);
    memset(c->mem[self], 0, bytes);
    struct sb_node_setup setup = {.config = &c->config,
                                  .self = self,
                                  .new_day = new_day,
                                  .inc = c->now_ns + 1 + self,
                                  .midnight_ns = START_NS - START_NS % UINT64_C(86400000000000),
                                  .trading_day = 20231114,
                                  .hash_seed = c->now_ns + self,
                                  .counters = c->counters[self]};
    for (int r = 0; r < SB_PORT_ROLES; r++)
        memcpy(setup.mac[r], (uint8_t[6]){2, 0, 0, 0, 0, (uint8_t)(1 + self)}, 6);
    c->node[self] = sb_node_new(c->mem[self], bytes, &setup);
}

static void start_witness(struct cluster *c)
{
    sb_witness_init(&c->witness, &c->config, (uint8_t[6]){2, 0, 0, 0, 0, 3}, c->now_ns + 3,
                    c->counters[2], NULL);
}

static void check_owners(struct cluster *c)
{
    if (sb_node_role(c->node[0]) == SB_ROLE_SOLO && sb_node_role(c->node[1]) == SB_ROLE_SOLO &&
        !c->dead[0] && !c->dead[1])
        c->failure = "two nodes in SOLO (I3)";
    const struct sb_node *a = c->node[0], *b = c->node[1];
    if (a->applied == b->applied && a->digest != b->digest &&
        sb_node_epoch(a) == sb_node_epoch(b) && a->role != SB_ROLE_DIVERGED &&
        b->role != SB_ROLE_DIVERGED && a->compared_n >= a->applied)
        c->failure = "equal number, different digest (I10)";
}

static void turn(struct cluster *c, struct sb_node_frame frames[HOSTS][SB_NODE_IN_MAX],
                 uint32_t counts[HOSTS])
{
    for (uint8_t i = 0; i < 3; i++) {
        if (c->dead[i] || c->now_ns < c->asleep_until_ns[i])
            continue;
        struct sb_node_out out;
        memset(&out, 0, sizeof out);
        no_alloc_begin(); /* the order path allocates nothing, whatever happens on it */
        if (i < 2)
            sb_node_poll(c->node[i], c->now_ns, frames[i], counts[i], &out);
        else
            sb_witness_poll(&c->witness, c->now_ns, frames[i], counts[i], &out);
        no_alloc_end();
        for (uint32_t k = 0; k < out.n; k++)
            broadcast(c, i, out.frames[k].data, out.frames[k].len);
        if (out.done)
            c->dead[i] = true;
    }
    check_owners(c);
    for (uint32_t k = 0; k < counts[CLIENT]; k++)
        client_frame(c, frames[CLIENT][k].data, frames[CLIENT][k].len);
    client_turn(c);
}

static uint8_t owner(const struct cluster *c)
{
    uint8_t found = 2; /* of two, the later epoch: a fenced primary does not know it yet */
    for (uint8_t i = 0; i < 2; i++)
        if (!c->dead[i] &&
            (sb_node_role(c->node[i]) == SB_ROLE_PRIM ||
             sb_node_role(c->node[i]) == SB_ROLE_SOLO) &&
            (found == 2 || sb_node_epoch(c->node[i]) > sb_node_epoch(c->node[found])))
            found = i;
    return found;
}

static void inject(struct cluster *c, enum cluster_fault fault, uint8_t p)
{
    const uint8_t s = (uint8_t)(1 - p);
    uint8_t frame[SB_FRAME_BYTES_MAX + 64];
    uint32_t len;
    switch (fault) {
    case FAULT_KILL_PRIMARY:
        c->dead[p] = true;
        break;
    case FAULT_KILL_SHADOW:
        c->dead[s] = true;
        break;
    case FAULT_KILL_WITNESS:
        c->dead[2] = true;
        break;
    case FAULT_RESTART_WITNESS:
        start_witness(c);
        break;
    case FAULT_PAUSE_PRIMARY:
        c->asleep_until_ns[p] = c->now_ns + 30000000;
        break;
    case FAULT_PAUSE_SHADOW:
        c->asleep_until_ns[s] = c->now_ns + 30000000;
        break;
    case FAULT_BLINK_PRIMARY:
        c->asleep_until_ns[p] = c->now_ns + 1000000;
        break;
    case FAULT_STOP_PRIMARY:
        sb_node_stop(c->node[p]);
        break;
    case FAULT_CRASH_NOTICE:
        len = sb_node_crash_frame(c->node[p], frame);
        c->dead[p] = true;
        if (len != 0)
            broadcast(c, p, frame, len);
        break;
    case FAULT_CUT_PEERS:
        c->cut_peers = true;
        break;
    case FAULT_FLIP_DIGEST:
        /* A bit of the shadow's memory: the next order's output differs. */
        ((struct sb_session_view *)(uintptr_t)sb_engine_session(c->node[s]->engine, SESSION))
            ->next_stream_seq ^= 1u << 20;
        break;
    case FAULT_NONE:
    case FAULT_COUNT:
        break;
    }
}

static void replay_equals(struct cluster *c, uint8_t i)
{
    const struct sb_log *log = sb_node_log(c->node[i]);
    const size_t bytes = sb_engine_footprint(&c->config.limits);
    void *mem = aligned_alloc(64, (bytes + 63) / 64 * 64);
    memset(mem, 0, (bytes + 63) / 64 * 64);
    struct sb_engine *e = sb_engine_new(mem, bytes, &c->config.limits);
    const uint32_t cap = sb_engine_outputs_max(&c->config.limits, SB_STREAM_LINES_MAX);
    struct sb_outbox box = {.out = calloc(cap, sizeof *box.out), .cap = cap};
    for (uint64_t k = log->packet_first; k < log->packet_end; k++) {
        const struct sb_packet *p = sb_log_packet(log, k);
        const struct sb_command *cmd = sb_log_lines(log, p);
        if (sb_packet_last(p) > c->node[i]->applied)
            break;
        for (uint32_t n = 0; n < p->count; n++, cmd += sb_command_lines(cmd))
            sb_engine_apply(e, cmd, &box);
        if (sb_engine_seal(e, &box) != p->digest)
            c->failure = "the log's replay has another digest";
    }
    if (sb_engine_state_digest(e) != sb_engine_state_digest(sb_node_engine(c->node[i])))
        c->failure = "the log's replay has another state";
    free(box.out);
    free(mem);
}

static void run(struct cluster *c, enum cluster_fault fault)
{
    static struct flight landed[HOSTS][SB_NODE_IN_MAX];
    struct sb_node_frame frames[HOSTS][SB_NODE_IN_MAX];
    const uint32_t at = c->o.orders / 4 + (uint32_t)(next_random(c) % (c->o.orders / 2));
    bool injected = fault == FAULT_NONE;
    uint64_t settle_ns = 0;
    for (uint64_t step = 0; step < 400000 && c->failure == NULL; step++) {
        uint32_t counts[HOSTS] = {0};
        struct flight f;
        while (counts[0] < SB_NODE_IN_MAX && counts[1] < SB_NODE_IN_MAX &&
               counts[2] < SB_NODE_IN_MAX && counts[3] < SB_NODE_IN_MAX && land(c, &f)) {
            if (f.to < 3 && (c->dead[f.to] || c->now_ns < c->asleep_until_ns[f.to]))
                continue;
            struct flight *slot = &landed[f.to][counts[f.to]];
            *slot = f;
            frames[f.to][counts[f.to]++] =
                (struct sb_node_frame){.data = slot->data, .len = f.len, .roles = ALL_ROLES};
        }
        turn(c, frames, counts);
        if (!injected && c->acknowledged >= at && owner(c) < 2) {
            inject(c, fault, owner(c));
            injected = true;
        }
        c->now_ns += STEP_NS;
        if (injected && c->acknowledged == c->o.orders) {
            if (settle_ns == 0)
                settle_ns = c->now_ns + 40000000; /* sleepers wake, streams become whole */
            if (c->now_ns >= settle_ns)
                return;
        }
    }
}

struct cluster_result cluster_run(const struct cluster_options *o, enum cluster_fault fault)
{
    struct cluster *c = calloc(1, sizeof *c);
    c->o = *o;
    c->rng = o->seed * 1000003 + fault;
    c->now_ns = START_NS;
    c->flights = malloc(sizeof *c->flights * FLIGHT_MAX);
    configure(c);
    client_init(c);
    start_node(c, 0, true);
    start_node(c, 1, true);
    start_witness(c);
    run(c, fault);

    const uint8_t own = owner(c);
    struct cluster_result r = {
        .acknowledged = c->acknowledged, .conflicting = c->conflicting, .blocked = own == 2};
    for (int i = 0; i < 2; i++) {
        r.takeovers += c->counters[i][SB_CTR_WENT_LIVE];
        r.solos += c->counters[i][SB_CTR_WENT_SOLO];
        r.diverged += c->counters[i][SB_CTR_DIGEST_DIFFERENT];
    }
    if (own < 2)
        replay_equals(c, own);
    if (c->conflicting != 0)
        c->failure = "two contents for one number (R5)";
    if (c->failure == NULL && own < 2 && c->acknowledged == o->orders &&
        (c->session.next != c->node[own]->hold.released_seq[SESSION] ||
         c->feed.next != c->node[own]->hold.released_seq[0]))
        c->failure = "a stream has holes at the end";
    if (c->failure != NULL || o->trace) {
        printf("seed %" PRIu64 " fault %s: %s; acknowledged %" PRIu64
               " of %u, roles %d %d, epochs %" PRIu64 " %" PRIu64 ", log %" PRIu64 " %" PRIu64
               ", witness %d\n",
               o->seed, cluster_fault_name(fault), c->failure ? c->failure : "ok", c->acknowledged,
               o->orders, sb_node_role(c->node[0]), sb_node_role(c->node[1]),
               sb_node_epoch(c->node[0]), sb_node_epoch(c->node[1]), sb_node_log(c->node[0])->len,
               sb_node_log(c->node[1])->len, (int)c->witness.state);
        for (int i = 0; i < 2 && o->trace; i++) {
            static const char *const names[] = {
#define NAME(id, unit, help) #id,
                SB_COUNTERS(NAME)
#undef NAME
            };
            for (int k = 0; k < SB_CTR_COUNT; k++)
                if (c->counters[i][k] != 0)
                    printf("  %c %s %" PRIu64 "\n", 'A' + i, names[k], c->counters[i][k]);
        }
    }
    r.failure = c->failure;
    free(c->mem[0]);
    free(c->mem[1]);
    free(c->flights);
    free(c->messages);
    free(c->lens);
    free(c->answered);
    free(c->session.hash);
    free(c->feed.hash);
    free(c);
    return r;
}

const char *cluster_fault_name(enum cluster_fault fault)
{
    static const char *const names[FAULT_COUNT] = {
        "none",          "kill-primary", "kill-shadow",   "kill-witness", "restart-witness",
        "pause-primary", "pause-shadow", "blink-primary", "stop-primary", "crash-notice",
        "cut-peers",     "flip-digest"};
    return fault < FAULT_COUNT ? names[fault] : "?";
}
