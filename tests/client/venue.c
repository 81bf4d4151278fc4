#include "tests/client/venue.h"

#include <stdlib.h>
#include <string.h>

#include "nic/wire/bytes.h"
#include "nic/wire/entry.h"
#include "nic/wire/itch.h"
#include "nic/wire/mold.h"
#include "nic/wire/ouch.h"
#include "nic/wire/udp.h"
#include "replica/genesis.h"
#include "shadowbook/assert.h"
#include "shadowbook/frame.h"

static const uint64_t MIDNIGHT_NS = UINT64_C(1795305600) * 1000000000; /* 2026-11-22 */
static const uint8_t MAC[6] = {2, 0, 0, 0, 0, 9};

uint64_t venue_random(uint64_t *state) /* splitmix64 */
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

void venue_config(struct sb_config *config, uint32_t sessions_n, uint32_t instruments_n)
{
    memset(config, 0, sizeof *config);
    config->shard = 1;
    config->trading_day = 20261122;
    config->limits = (struct sb_engine_limits){.instruments_max = 16,
                                               .sessions_max = VENUE_SESSIONS_MAX,
                                               .orders_max = 1 << 16,
                                               .levels_max = 1 << 12,
                                               .terms_max = 1u << 14,
                                               .window_levels = 64};
    config->orders = (struct sb_addr){0xEF010101, 31001};
    config->requests = (struct sb_addr){0xEF010101, 31002};
    config->feed_a = (struct sb_addr){0xEF010102, 31003};
    config->feed_b = (struct sb_addr){0xEF010103, 31004};
    config->client_port = 31005;
    config->client.present = true;
    config->client.ipv4 = 0x0A000004;
    config->nodes[0].ipv4 = 0x0A000001;
    config->sessions_n = sessions_n;
    for (uint32_t s = 1; s <= sessions_n; s++)
        config->sessions[s] = (struct sb_session_config){
            .present = true, .operator_right = s == 1, .firm = s, .token = 1000 + s};
    config->instruments_n = instruments_n;
    config->instruments = calloc(instruments_n + (size_t)1, sizeof *config->instruments);
    for (uint32_t i = 1; i <= instruments_n; i++) {
        struct sb_instrument_config *in = &config->instruments[i];
        *in = (struct sb_instrument_config){.present = true,
                                            .tick = 100,
                                            .price_min = 100,
                                            .price_max = 100000000,
                                            .lot = 1,
                                            .quantity_max = 1000000,
                                            .phase = SB_PHASE_CLOSED};
        memcpy(in->symbol, "SYM     ", 8);
        in->symbol[3] = (char)('A' + i);
    }
}

void venue_config_free(struct sb_config *config)
{
    free(config->instruments);
}

static uint32_t chance(struct venue *v, uint32_t below)
{
    return (uint32_t)(venue_random(&v->random) % below);
}

/* --- the network ------------------------------------------------------------------------- */

static void put_on(struct venue *v, struct venue_wire *wire, const uint8_t *frame, uint32_t len)
{
    if (chance(v, 100) < v->loss_percent)
        return;
    const uint32_t copies = chance(v, 100) < v->repeat_percent ? 2 : 1;
    for (uint32_t i = 0; i < copies; i++) {
        if (wire->n == wire->cap) {
            wire->cap = wire->cap > 0 ? wire->cap * 2 : 256;
            wire->packets = realloc(wire->packets, wire->cap * sizeof *wire->packets);
            SB_ASSERT(wire->packets != NULL);
        }
        struct venue_packet *p = wire->packets[wire->n++] = malloc(sizeof *p);
        SB_ASSERT(p != NULL);
        p->at_ns = v->now_ns + (v->delay_ns_max > 0 ? chance(v, v->delay_ns_max) : 0);
        p->len = len;
        memcpy(p->bytes, frame, len);
    }
}

/* Takes the first packet that has arrived off the wire; keeps the order of the others. */
static bool take_off(struct venue *v, struct venue_wire *wire, struct venue_packet *out)
{
    for (uint32_t i = 0; i < wire->n; i++) {
        if (wire->packets[i]->at_ns > v->now_ns)
            continue;
        *out = *wire->packets[i];
        free(wire->packets[i]);
        memmove(&wire->packets[i], &wire->packets[i + 1],
                (wire->n - i - 1) * sizeof *wire->packets);
        wire->n--;
        return true;
    }
    return false;
}

/* --- what it says ------------------------------------------------------------------------ */

static void send_payload(struct venue *v, uint32_t ipv4, uint16_t port, uint8_t *frame,
                         uint32_t bytes)
{
    struct sb_udp_route route = {.src_ipv4 = v->config->nodes[0].ipv4,
                                 .dst_ipv4 = ipv4,
                                 .src_port = v->config->client_port,
                                 .dst_port = port};
    memcpy(route.src_mac, MAC, 6);
    put_on(v, &v->to_client, frame, sb_udp_finish(frame, &route, bytes));
}

static uint32_t packet(struct venue *v, uint32_t stream, uint64_t first, uint64_t count,
                       uint8_t *payload)
{
    char name[SB_MOLD_NAME_BYTES];
    const struct venue_stream *s = &v->streams[stream];
    sb_stream_name(name, 1, v->config->trading_day, v->other_name && stream == 0 && count == 0,
                   stream);
    uint32_t at = SB_MOLD_HEAD_BYTES;
    uint16_t n = 0;
    for (; n < count && first + n <= s->n; n++) {
        const struct venue_message *m = &s->messages[first + n - 1];
        if (at + 2 + m->len > SB_UDP_PAYLOAD_MAX)
            break;
        sb_put16(payload + at, (uint16_t)m->len);
        memcpy(payload + at + 2, m->bytes, m->len);
        at += 2 + m->len;
    }
    sb_mold_put_head(payload, name, first, n);
    return at;
}

/* Sends count messages of a stream from first on (0: a heartbeat). */
static void say(struct venue *v, uint32_t stream, uint64_t first, uint64_t count)
{
    uint8_t frame[1536];
    const uint32_t bytes = packet(v, stream, first, count, frame + SB_UDP_HEADERS_BYTES);
    if (stream == 0) {
        send_payload(v, v->config->feed_a.ipv4, v->config->feed_a.port, frame, bytes);
        send_payload(v, v->config->feed_b.ipv4, v->config->feed_b.port, frame, bytes);
        return;
    }
    const struct sb_session_view *view = sb_engine_session(v->engine, stream);
    if (view->login_ipv4 != 0 && (stream != v->mute_stream || v->now_ns >= v->mute_to_ns))
        send_payload(v, view->login_ipv4, view->login_port, frame, bytes);
}

static void say_status(struct venue *v, uint32_t session, bool gap)
{
    const struct sb_session_view *view = sb_engine_session(v->engine, session);
    if (view->login_ipv4 == 0 || v->mute_status)
        return;
    uint8_t frame[1536];
    const struct sb_status status = {
        .wanted = v->wanted[session], .safe = v->wanted[session] - 1, .session = session};
    uint8_t *body = sb_head_put(frame + SB_UDP_HEADERS_BYTES, SB_FT_STATUS, 1, 4, 7, SB_NODE_A,
                                gap ? SB_FF_GAP : 0, sizeof status);
    memcpy(body, &status, sizeof status);
    send_payload(v, view->login_ipv4, view->login_port, frame,
                 sizeof(struct sb_head) + sizeof status);
}

static void keep(struct venue *v, const struct sb_output *o, const struct sb_command *cmd)
{
    struct venue_stream *s = &v->streams[o->stream];
    if (s->n == s->cap) {
        s->cap = s->cap > 0 ? s->cap * 2 : 256;
        s->messages = realloc(s->messages, s->cap * sizeof *s->messages);
        SB_ASSERT(s->messages != NULL);
    }
    const struct sb_instrument_view *in =
        o->instrument > 0 && o->instrument <= v->config->instruments_n
            ? sb_engine_instrument(v->engine, o->instrument)
            : NULL;
    const char *symbol = in ? in->symbol : "        ";
    uint8_t bytes[SB_OUCH_MESSAGE_MAX];
    struct venue_message *m = &s->messages[s->n++];
    SB_ASSERT_EQ(s->n, o->stream_seq);
    m->len = o->stream == 0 ? sb_feed_encode(bytes, o, symbol, MIDNIGHT_NS)
                            : sb_session_encode(bytes, o, cmd, symbol, MIDNIGHT_NS);
    SB_ASSERT_LE(m->len, VENUE_MESSAGE_MAX);
    memcpy(m->bytes, bytes, m->len);
}

static void apply(struct venue *v, struct sb_command2 *c)
{
    c->c.seq = ++v->seq;
    c->c.time_ns = MIDNIGHT_NS + v->now_ns + v->seq; /* rises with every command */
    sb_engine_apply(v->engine, &c->c, &v->box);
    for (uint32_t i = 0; i < v->box.n; i++)
        keep(v, &v->box.out[i], &c->c);
    sb_engine_seal(v->engine, &v->box);
    for (uint32_t s = 0; s <= v->config->sessions_n; s++) {
        struct venue_stream *stream = &v->streams[s];
        while (stream->sent < stream->n) {
            const uint64_t count = stream->n - stream->sent < 10 ? stream->n - stream->sent : 10;
            say(v, s, stream->sent + 1, count);
            stream->sent += count;
        }
        if (s == 1 && v->conflict_at > 0 && stream->n >= v->conflict_at) {
            struct venue_message *m = &stream->messages[v->conflict_at - 1];
            m->bytes[m->len - 1] ^= 1;
            say(v, s, v->conflict_at, 1);
            m->bytes[m->len - 1] ^= 1;
            v->conflict_at = 0;
        }
    }
}

/* --- what it hears ----------------------------------------------------------------------- */

static void take_message(struct venue *v, uint32_t session, uint64_t seq, const uint8_t *p,
                         uint32_t len)
{
    struct sb_command2 c;
    char symbol[8];
    sb_entry_to_command(p, len, MIDNIGHT_NS + v->now_ns, &c, symbol);
    if ((seq == 0) != (c.c.kind == SB_CMD_LOGIN)) {
        v->bad_frames++;
        return;
    }
    c.c.session = session;
    c.c.session_seq = seq;
    c.c.firm = v->config->sessions[session].firm;
    if (c.c.kind == SB_CMD_ORDER || (c.c.kind == SB_CMD_PHASE && c.c.instrument == 0) ||
        (c.c.kind == SB_CMD_UNCROSS && c.c.instrument == 0))
        c.c.instrument = sb_engine_find_symbol(v->engine, symbol);
    if (session == 1 && seq != 0 && seq == v->swallow_at)
        return;
    apply(v, &c);
}

static void hear_entry(struct venue *v, const struct sb_datagram *d)
{
    struct sb_head head;
    struct sb_entry entry;
    if (!sb_head_read(d->payload, d->bytes, &head) || head.type != SB_FT_ENTRY) {
        v->bad_frames++;
        return;
    }
    memcpy(&entry, d->payload + sizeof head, sizeof entry);
    if (entry.session == 0 || entry.session > v->config->sessions_n ||
        entry.token != v->config->sessions[entry.session].token) {
        v->bad_frames++;
        return;
    }
    uint32_t at = sizeof head + sizeof entry, len;
    const uint8_t *message;
    uint64_t seq = entry.first_seq;
    uint16_t n = 0;
    for (; (message = sb_mold_next(d->payload, d->bytes, &at, &len)) != NULL; n++) {
        if (seq == 0) {
            take_message(v, entry.session, 0, message, len);
        } else if (seq == v->wanted[entry.session]) {
            v->wanted[entry.session]++;
            take_message(v, entry.session, seq, message, len);
        } else if (seq > v->wanted[entry.session]) {
            say_status(v, entry.session, true);
        }
        seq += seq != 0;
    }
    v->bad_frames += n != entry.count || at != d->bytes;
}

static void hear_request(struct venue *v, const struct sb_datagram *d)
{
    struct sb_mold_head head;
    const int32_t stream =
        sb_mold_read_request(d->payload, d->bytes, &head) ? sb_stream_of_name(head.name) : -1;
    if (stream < 0 || stream > (int32_t)v->config->sessions_n || head.seq == 0 ||
        head.seq > v->streams[stream].n) {
        v->bad_frames++;
        return;
    }
    if (stream > 0) {
        say(v, (uint32_t)stream, head.seq, head.count);
        return;
    }
    uint8_t frame[1536];
    const uint32_t bytes = packet(v, 0, head.seq, head.count, frame + SB_UDP_HEADERS_BYTES);
    send_payload(v, d->src_ipv4, d->src_port, frame, bytes);
}

static void hear(struct venue *v, const struct venue_packet *p)
{
    struct sb_datagram d;
    const enum sb_udp_result result = sb_udp_parse(p->bytes, p->len, &d);
    if (result == SB_UDP_ARP)
        return;
    if (result != SB_UDP_OK || d.dst_ipv4 != v->config->orders.ipv4) {
        v->bad_frames++;
        return;
    }
    if (d.dst_port == v->config->requests.port)
        hear_request(v, &d);
    else
        hear_entry(v, &d);
}

/* --- life -------------------------------------------------------------------------------- */

static void genesis(struct venue *v)
{
    struct sb_command2 day = {.c = {.kind = SB_CMD_DAY, .flags = SB_CMD_F_EXT}};
    day.ext.day.midnight_ns = MIDNIGHT_NS;
    day.ext.day.trading_day = v->config->trading_day;
    day.ext.day.shard = 1;
    day.ext.day.rules = SB_ENGINE_RULES;
    apply(v, &day);
    for (uint32_t s = 1; s <= v->config->sessions_n; s++) {
        struct sb_command2 c;
        sb_genesis_session(&v->config->sessions[s], s, &c);
        apply(v, &c);
    }
    for (uint32_t i = 1; i <= v->config->instruments_n; i++) {
        struct sb_command2 c;
        sb_genesis_instrument(&v->config->instruments[i], i, &c);
        apply(v, &c);
    }
}

void venue_init(struct venue *v, const struct sb_config *config, uint64_t seed)
{
    *v = (struct venue){.config = config, .random = seed, .now_ns = 1000};
    const size_t bytes = sb_engine_footprint(&config->limits);
    v->memory = aligned_alloc(64, (bytes + 63) / 64 * 64);
    v->box.cap = sb_engine_outputs_max(&config->limits, 1, sb_config_pro_rata(config));
    v->box.out = malloc(v->box.cap * sizeof *v->box.out);
    SB_ASSERT(v->memory != NULL && v->box.out != NULL);
    memset(v->memory, 0, bytes);
    v->engine = sb_engine_new(v->memory, bytes, &config->limits);
    for (uint32_t s = 0; s <= VENUE_SESSIONS_MAX; s++)
        v->wanted[s] = 1;
    genesis(v);
}

void venue_free(struct venue *v)
{
    for (uint32_t s = 0; s <= VENUE_SESSIONS_MAX; s++)
        free(v->streams[s].messages);
    struct venue_wire *const wires[] = {&v->to_venue, &v->to_client};
    for (size_t w = 0; w < 2; w++) {
        for (uint32_t i = 0; i < wires[w]->n; i++)
            free(wires[w]->packets[i]);
        free(wires[w]->packets);
    }
    free(v->box.out);
    free(v->memory);
}

void venue_lose(struct venue *v)
{
    for (uint32_t i = 0; i < v->to_venue.n; i++)
        free(v->to_venue.packets[i]);
    v->to_venue.n = 0;
}

/* As a node does it: TIMER when the engine has something to do. */
static void what_time_brings(struct venue *v)
{
    const uint64_t due_ns = sb_engine_timer_due_ns(v->engine);
    struct sb_command2 timer = {.c = {.kind = SB_CMD_TIMER, .instrument = SB_INSTRUMENT_ALL}};
    if (due_ns == 0 || MIDNIGHT_NS + v->now_ns < due_ns)
        return;
    apply(v, &timer);
    v->timers++;
}

static void live(struct venue *v)
{
    struct venue_packet p;
    const bool silent = v->now_ns >= v->silent_from_ns && v->now_ns < v->silent_to_ns;
    while (take_off(v, &v->to_venue, &p))
        if (!silent)
            hear(v, &p);
    if (!silent)
        what_time_brings(v);
    if (v->was_silent && !silent) /* the next owner repeats what may not have left */
        for (uint32_t s = 0; s <= v->config->sessions_n; s++) {
            const uint64_t first = v->streams[s].n > 20 ? v->streams[s].n - 20 : 1;
            say(v, s, first, 21);
        }
    v->was_silent = silent;
    if (silent || v->now_ns < v->beat_ns)
        return;
    v->beat_ns = v->now_ns + 5000000;
    for (uint32_t s = 0; s <= v->config->sessions_n; s++) {
        say(v, s, v->streams[s].n + 1, 0);
        if (s > 0)
            say_status(v, s, false);
    }
}

void venue_run(struct venue *v, struct sb_client *client, uint64_t limit_ns)
{
    static struct venue_packet got[SB_PORT_BURST]; /* too large for a stack */
    struct sb_frame in[SB_PORT_BURST], out[SB_CLIENT_BURST];
    while (client->state == SB_CLIENT_RUNNING && v->now_ns < limit_ns) {
        v->now_ns += VENUE_TICK_NS;
        live(v);
        uint32_t n = 0;
        while (n < SB_PORT_BURST && take_off(v, &v->to_client, &got[n])) {
            in[n] = (struct sb_frame){.data = got[n].bytes, .len = got[n].len};
            n++;
        }
        const uint32_t sent = sb_client_poll(client, v->now_ns, in, n, out, SB_CLIENT_BURST);
        for (uint32_t i = 0; i < sent; i++)
            put_on(v, &v->to_venue, out[i].data, out[i].len);
    }
}
