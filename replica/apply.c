/* From the log through the engine to encoded frames in the hold ring. Both nodes do exactly this, so that a takeover
 * has nothing left to encode.
 *
 * Packet by packet: apply its commands, group their outputs by stream, write each stream's outputs as
 * MoldUDP64 packets, seal the digest. */
#include <string.h>

#include "nic/wire/itch.h"
#include "nic/wire/mold.h"
#include "nic/wire/ouch.h"
#include "replica/genesis.h"
#include "replica/node_state.h"

enum { PACKETS_A_TURN = 64 };
#define NONE UINT32_MAX

/* Where a stream's frames go; port 0 = nowhere. */
struct target {
    struct sb_udp_route route;
    uint32_t role;
};

void sb_apply_init(struct sb_node *node, struct sb_arena *arena)
{
    const struct sb_config *c = node->config;
    const uint32_t streams = c->limits.sessions_max + 1;
    node->pro_rata = sb_config_pro_rata(c);
    const uint32_t cap = sb_engine_outputs_max(&c->limits, SB_STREAM_LINES_MAX, node->pro_rata);
    const size_t engine_bytes = sb_engine_footprint(&c->limits);
    void *engine = sb_arena_take(arena, engine_bytes);
    node->outbox.out = sb_arena_take(arena, (size_t)cap * sizeof *node->outbox.out);
    node->out_next = sb_arena_take(arena, (size_t)cap * sizeof *node->out_next);
    node->out_command = sb_arena_take(arena, cap);
    node->stream_head = sb_arena_take(arena, streams * sizeof *node->stream_head);
    node->stream_tail = sb_arena_take(arena, streams * sizeof *node->stream_tail);
    node->touched = sb_arena_take(arena, streams * sizeof *node->touched);
    node->names = sb_arena_take(arena, (size_t)streams * sizeof *node->names);
    sb_hold_init(&node->hold, arena, c->hold_bytes, streams, c->retain_packets);
    if (arena->base == NULL)
        return;
    node->engine = sb_engine_new(engine, engine_bytes, &c->limits);
    sb_engine_seed_hash(node->engine, node->setup.hash_seed);
    node->outbox.cap = cap;
    node->outbox.n = 0;
    sb_hold_reset(&node->hold);
    for (uint32_t i = 0; i < streams; i++)
        node->stream_head[i] = NONE;
}

uint64_t sb_apply_bytes_max(const struct sb_node *node, const struct sb_packet *packet)
{
    struct sb_hold_load load = {.orders = sb_engine_stats(node->engine)->open_orders,
                                .terms = sb_engine_open_terms(node->engine),
                                .commands = packet->count,
                                .pro_rata = node->pro_rata};
    const struct sb_command *c = sb_log_lines(&node->log, packet);
    bool slices = load.terms != 0;
    for (uint32_t i = 0; i < packet->count; i++) {
        const uint64_t parts = sb_command_parts_max(c, slices);
        load.for_all += sb_command_for_all(c);
        load.parts += parts;
        load.arrivals += sb_command_arrivals_max(c);
        slices = slices || parts == SB_PARTS_MAX;
        c += sb_command_lines(c);
    }
    return sb_hold_bytes_max(&node->config->limits, &load);
}

void sb_apply_name_streams(struct sb_node *node)
{
    const struct sb_day_view *day = sb_engine_day(node->engine);
    for (uint32_t i = 0; i <= node->config->limits.sessions_max; i++)
        sb_stream_name(node->names[i], day->shard, day->trading_day, day->generation, i);
    node->named = true;
}

static void group_by_stream(struct sb_node *node, uint32_t *touched_n)
{
    *touched_n = 0;
    for (uint32_t i = 0; i < node->outbox.n; i++) {
        const uint32_t s = node->outbox.out[i].stream;
        node->out_next[i] = NONE;
        if (node->stream_head[s] == NONE) {
            node->stream_head[s] = i;
            node->touched[(*touched_n)++] = s;
        } else {
            node->out_next[node->stream_tail[s]] = i;
        }
        node->stream_tail[s] = i;
    }
}

static struct target target_of(const struct sb_node *node, uint32_t stream, uint32_t role)
{
    struct target t = {.role = role};
    uint8_t mac[6] = {0}; /* of a client: filled in when the frame leaves */
    if (stream == SB_STREAM_FEED) {
        const struct sb_addr *to =
            role == SB_PORT_FEED_A ? &node->config->feed_a : &node->config->feed_b;
        sb_multicast_mac(to->ipv4, mac);
        t.route = sb_out_route_to(node, role, to->ipv4, to->port, mac);
    } else {
        const struct sb_session_view *v = sb_engine_session(node->engine, stream);
        t.route = sb_out_route_to(node, role, v->login_ipv4, v->login_port, mac);
    }
    return t;
}

static uint32_t encode_one(const struct sb_node *node, uint8_t *p, uint32_t i,
                           const struct sb_command *const *commands)
{
    static const char blank[8] = "        ";
    const struct sb_output *o = &node->outbox.out[i];
    const struct sb_instrument_view *in =
        o->instrument != 0 && o->instrument <= sb_engine_instruments(node->engine)
            ? sb_engine_instrument(node->engine, o->instrument)
            : NULL;
    const char *symbol = in != NULL ? in->symbol : blank;
    const uint64_t midnight_ns = sb_engine_day(node->engine)->midnight_ns;
    if (o->stream == SB_STREAM_FEED)
        return sb_feed_encode(p, o, symbol, midnight_ns);
    return sb_session_encode(p, o, commands[node->out_command[i]], symbol, midnight_ns);
}

/* One stream's outputs as MoldUDP64 packets, in order, into the hold ring. */
static void encode_stream(struct sb_node *node, uint32_t stream, uint32_t role, uint64_t n,
                          const struct sb_command *const *commands)
{
    const struct target t = target_of(node, stream, role);
    uint32_t i = node->stream_head[stream];
    uint8_t message[SB_OUCH_MESSAGE_MAX];
    uint32_t len = encode_one(node, message, i, commands);
    while (i != NONE) {
        uint8_t *frame = sb_hold_begin(&node->hold);
        uint8_t *payload = frame + SB_UDP_HEADERS_BYTES;
        uint32_t at = SB_MOLD_HEAD_BYTES;
        uint16_t count = 0;
        const uint64_t first_seq = node->outbox.out[i].stream_seq;
        while (i != NONE && at + 2 + len <= SB_UDP_PAYLOAD_MAX) {
            payload[at] = (uint8_t)(len >> 8);
            payload[at + 1] = (uint8_t)len;
            memcpy(payload + at + 2, message, len);
            at += 2 + len;
            count++;
            i = node->out_next[i];
            if (i != NONE)
                len = encode_one(node, message, i, commands);
        }
        sb_mold_put_head(payload, node->names[stream], first_seq, count);
        const struct sb_held held = {
            .n = n,
            .first_seq = first_seq,
            .stream = stream,
            .count = count,
            .len = (uint16_t)sb_udp_finish(frame, &t.route, at),
            .role = (uint8_t)t.role,
        };
        sb_hold_commit(&node->hold, &held, role != SB_PORT_FEED_B);
        sb_count(node, SB_CTR_HELD_FRAMES);
    }
}

void sb_apply_skip(struct sb_node *node, uint64_t n)
{
    node->unencoded_n = n;
    for (uint32_t i = 0; i <= node->config->limits.sessions_max; i++)
        node->hold.released_seq[i] = sb_engine_next_stream_seq(node->engine, i);
}

/* While nothing else is in the log that is taken or refused. */
static void count_carried(struct sb_node *node)
{
    const uint64_t defined = sb_genesis_defined(node->config);
    const uint64_t taken = sb_engine_stats(node->engine)->accepted;
    node->ctr[SB_CTR_CARRIED] = taken;
    node->ctr[SB_CTR_CARRY_REFUSED] = node->applied > defined ? node->applied - defined - taken : 0;
}

void sb_apply_packet(struct sb_node *node, struct sb_packet *packet)
{
    if (!node->encoding && packet->n_first >= node->encode_from) {
        sb_apply_skip(node, packet->n_first - 1);
        node->encoding = true;
    }
    const struct sb_command *commands[SB_STREAM_LINES_MAX];
    const struct sb_command *c = sb_log_lines(&node->log, packet);
    sb_engine_prefetch(node->engine, c, packet->lines);
    for (uint32_t i = 0; i < packet->count; i++) {
        commands[i] = c;
        const uint32_t before = node->outbox.n;
        sb_engine_apply(node->engine, c, &node->outbox);
        memset(node->out_command + before, (int)i, node->outbox.n - before);
        c += sb_command_lines(c);
    }
    if (!node->named)
        sb_apply_name_streams(node);
    const uint64_t n = sb_packet_last(packet);
    uint32_t touched_n = 0;
    if (node->encoding)
        group_by_stream(node, &touched_n);
    for (uint32_t i = 0; i < touched_n; i++) {
        const uint32_t s = node->touched[i];
        if (s != SB_STREAM_FEED) {
            encode_stream(node, s, SB_PORT_CLIENTS, n, commands);
        } else {
            encode_stream(node, s, SB_PORT_FEED_A, n, commands);
            if (node->config->feed_b.port != 0)
                encode_stream(node, s, SB_PORT_FEED_B, n, commands);
        }
        node->stream_head[s] = NONE;
    }
    packet->digest = sb_engine_seal(node->engine, &node->outbox);
    node->digest = packet->digest;
    node->applied = n;
    if (n <= sb_genesis_last(node->config))
        count_carried(node);
}

bool sb_apply_has_room(const struct sb_node *node, const struct sb_packet *packet)
{
    return sb_hold_room(&node->hold) >= sb_apply_bytes_max(node, packet);
}

bool sb_apply_turn(struct sb_node *node)
{
    if (!sb_role_owns(node) && !sb_role_follows(node) && node->role != SB_ROLE_RESIGNED)
        return false;
    const uint64_t before = node->applied;
    for (uint32_t i = 0; i < PACKETS_A_TURN && node->apply_next < node->log.packet_end; i++) {
        struct sb_packet *packet = sb_log_packet(&node->log, node->apply_next);
        /* The owner looked before it sequenced; a shadow waits here until the released mark moves on. */
        if (!sb_apply_has_room(node, packet))
            break;
        sb_apply_packet(node, packet);
        node->apply_next++;
    }
    if (node->applied != before && sb_role_follows(node))
        node->ack_due = true;
    const struct sb_engine_stats *stats = sb_engine_stats(node->engine);
    node->ctr[SB_CTR_TRADES] = stats->trades;
    node->ctr[SB_CTR_OPEN_ORDERS] = stats->open_orders;
    node->ctr[SB_CTR_REJECTED] = stats->rejected;
    return node->apply_next < node->log.packet_end;
}
