/* The turn of the loop: what arrived, what is due, what may leave. */
#include "replica/node.h"

#include <string.h>

#include "nic/wire/entry.h"
#include "replica/genesis.h"
#include "replica/node_state.h"

static void layout(struct sb_node *node, struct sb_arena *arena)
{
    sb_log_init(&node->log, arena, node->config->log_lines);
    sb_sequencer_init(node, arena);
    sb_apply_init(node, arena);
    node->scratch = sb_arena_take(arena, SB_SCRATCH * sizeof *node->scratch);
}

size_t sb_node_footprint(const struct sb_config *config)
{
    struct sb_node measure = {.config = config};
    struct sb_arena arena = {.used = sizeof measure};
    layout(&measure, &arena);
    return (arena.used + 63) & ~(size_t)63;
}

struct sb_node *sb_node_new(void *mem, size_t bytes, const struct sb_node_setup *setup)
{
    SB_ASSERT_LE(sb_node_footprint(setup->config), bytes);
    SB_ASSERT((uintptr_t)mem % 64 == 0 && setup->self <= SB_NODE_B && setup->inc != 0);
    struct sb_node *node = mem;
    struct sb_arena arena = {.base = mem, .used = sizeof *node, .size = bytes};
    node->setup = *setup;
    node->config = setup->config;
    node->ctr = setup->counters;
    node->own = setup->versions;
    if (node->own.max == 0)
        node->own = (struct sb_versions){.min = SB_FRAME_VERSION_MIN, .max = SB_FRAME_VERSION};
    node->rules = node->peer_rules = node->log_rules =
        setup->rules != 0 ? setup->rules : SB_ENGINE_RULES;
    node->carry_hash = node->peer_carry_hash = sb_genesis_carry_hash(setup->config);
    node->inc = node->lineage = setup->inc;
    layout(node, &arena);
    node->role = SB_ROLE_BOOT;
    if (setup->join_epoch != 0) {
        node->role = SB_ROLE_CATCH;
        node->copying = true;
        node->epoch = setup->join_epoch;
        node->peer_inc = setup->join_inc;
        node->ack_due = true;
        sb_load_want_record(node, SB_RECORD_JOIN);
    }
    node->beat_next = UINT32_MAX;
    return node;
}

/* --- what arrives ----------------------------------------------------------------------------- */

static bool by_role(const struct sb_node_frame *f, enum sb_port_role role)
{
    return (f->roles >> role & 1u) != 0;
}

static void on_replication(struct sb_node *node, const struct sb_datagram *d)
{
    struct sb_head h;
    if (!sb_head_read(d->payload, d->bytes, &h) || h.shard != node->config->shard ||
        h.epoch >= SB_EPOCH_LIMIT) {
        sb_count(node, SB_CTR_BAD_HEAD);
        return;
    }
    if (h.sender == node->setup.self || h.sender > SB_NODE_W)
        return;
    const bool any_version = h.type == SB_FT_BOOT || h.type == SB_FT_HELLO;
    if (!any_version && (h.version < node->own.min || h.version > node->own.max)) {
        sb_count(node, SB_CTR_BAD_VERSION);
        return;
    }
    if (!any_version)
        sb_role_on_version(node, &h);
    const uint8_t *body = d->payload + sizeof h;
    if (h.type == SB_FT_STREAM) {
        sb_stream_on_stream(node, &h, body);
    } else if (h.type == SB_FT_ACK) {
        struct sb_ack a;
        memcpy(&a, body, sizeof a);
        sb_stream_on_ack(node, &h, &a);
    } else if (h.type == SB_FT_REPAIR) {
        struct sb_repair r;
        memcpy(&r, body, sizeof r);
        sb_stream_on_repair(node, &h, &r);
    } else if (h.type == SB_FT_RESEND) {
        struct sb_resend r;
        memcpy(&r, body, sizeof r);
        sb_release_resend(node, &h, &r);
    } else if (h.type != SB_FT_ENTRY && h.type != SB_FT_STATUS) {
        struct sb_control c;
        memcpy(&c, body, sizeof c);
        sb_role_on_control(node, &h, &c);
    }
}

static void on_entry(struct sb_node *node, const struct sb_datagram *d)
{
    struct sb_head h;
    if (!sb_head_read(d->payload, d->bytes, &h) || h.shard != node->config->shard ||
        h.type != SB_FT_ENTRY || h.sender != SB_NODE_CLIENT) {
        sb_count(node, SB_CTR_BAD_HEAD);
        return;
    }
    sb_sequencer_entry(node, d);
}

static void on_arp(struct sb_node *node, const struct sb_node_frame *f)
{
    const uint32_t ipv4 = node->config->nodes[node->setup.self].ipv4;
    uint8_t *p = sb_out_scratch(node);
    if (p == NULL)
        return;
    uint8_t *frame = p - SB_UDP_HEADERS_BYTES;
    const uint32_t len =
        sb_arp_answer(f->data, f->len, ipv4, node->setup.mac[SB_PORT_CLIENTS], frame);
    if (len != 0) {
        node->scratch_n++;
        sb_out_frame(node, frame, len, SB_PORT_CLIENTS);
        sb_count(node, SB_CTR_ARP_ANSWERED);
    }
    uint32_t who;
    uint8_t mac[6];
    if (!sb_arp_sender(f->data, f->len, &who, mac))
        return;
    for (uint32_t i = 1; i <= node->config->sessions_n; i++)
        if (node->doors[i].logged_in && node->doors[i].login_ipv4 == who) {
            node->doors[i].src_ipv4 = who;
            memcpy(node->doors[i].src_mac, mac, 6);
        }
}

static void on_frame(struct sb_node *node, const struct sb_node_frame *f)
{
    const struct sb_config *c = node->config;
    struct sb_datagram d;
    switch (sb_udp_parse(f->data, f->len, &d)) {
    case SB_UDP_OK:
        if (by_role(f, SB_PORT_PEER) || by_role(f, SB_PORT_WITNESS))
            node->port_heard_ns = node->now_ns;
        if (d.dst_ipv4 == c->orders.ipv4 && by_role(f, SB_PORT_CLIENTS)) {
            if (d.dst_port == c->orders.port)
                on_entry(node, &d);
            else if (d.dst_port == c->requests.port)
                sb_release_request(node, &d);
        } else if (d.dst_ipv4 == c->replication.ipv4 && d.dst_port == c->replication.port &&
                   (by_role(f, SB_PORT_PEER) || by_role(f, SB_PORT_WITNESS))) {
            on_replication(node, &d);
        }
        break;
    case SB_UDP_ARP:
        on_arp(node, f);
        break;
    case SB_UDP_OTHER:
        sb_count(node, SB_CTR_OTHER_FRAME);
        break;
    case SB_UDP_SHORT:
    case SB_UDP_CHECKSUM:
        sb_count(node, SB_CTR_BAD_FRAME);
        break;
    }
}

/* --- one turn ----------------------------------------------------------------------------------- */

static void show(struct sb_node *node)
{
    uint64_t *v = node->ctr;
    v[SB_CTR_ROLE] = node->role;
    v[SB_CTR_ARM] = node->arm;
    v[SB_CTR_EPOCH] = node->epoch;
    v[SB_CTR_INCARNATION] = node->inc;
    v[SB_CTR_LOG_LEN] = node->log.len;
    v[SB_CTR_APPLIED] = node->applied;
    v[SB_CTR_RELEASED] = node->released;
    v[SB_CTR_ACKED] =
        node->config->release == SB_RELEASE_VERIFIED ? node->acked_verified : node->acked_held;
    v[SB_CTR_DIGEST] = node->digest;
    v[SB_CTR_FRAME_VERSION] = sb_role_version(node);
    v[SB_CTR_HOLD] = node->config->hold;
    v[SB_CTR_SOLO_POLICY] = sb_config_solo_policy(node->config);
    const bool own = node->record.kind != SB_RECORD_NONE && !node->record_due;
    v[SB_CTR_RECORD] = own ? node->record.kind : node->loaded_record.kind;
    v[SB_CTR_PEER_DURABLE] = node->peer_durable_n;
    v[SB_CTR_POLLS]++;
    if (node->last_poll_ns != 0 && node->now_ns - node->last_poll_ns > v[SB_CTR_POLL_GAP_MAX_NS])
        v[SB_CTR_POLL_GAP_MAX_NS] = node->now_ns - node->last_poll_ns;
    node->last_poll_ns = node->now_ns;
}

/* What this node slept through it could not hear: that is no silence of others. (A host that is busy lets it run only every
 * few milliseconds: that is no pause.) */
static void forgive_own_pause(struct sb_node *node)
{
    enum { PAUSE_NS = 50000000 };
    const uint64_t gap = node->now_ns - node->last_poll_ns;
    if (node->last_poll_ns == 0 || gap < PAUSE_NS)
        return;
    node->port_heard_ns += gap;
    node->witness_heard_ns += gap;
}

void sb_node_poll(struct sb_node *node, uint64_t now_ns, const struct sb_node_frame *in, uint32_t n,
                  struct sb_node_out *out)
{
    SB_ASSERT_LE(n, SB_NODE_IN_MAX);
    SB_ASSERT_LE(node->now_ns, now_ns);
    node->now_ns = now_ns;
    forgive_own_pause(node);
    node->out_n = node->scratch_n = 0;
    if (node->live_unsaid)
        sb_role_say_live(node);

    /* What the last turn streamed is applied now, after its frames have left. */
    bool more = sb_apply_turn(node);
    for (uint32_t i = 0; i < n; i++)
        on_frame(node, &in[i]);
    sb_sequencer_close(node);
    if (sb_role_follows(node)) {
        more = sb_apply_turn(node);
        sb_sequencer_forget(node);
    }
    sb_stream_compare(node);

    if (node->role == SB_ROLE_SHADOW)
        sb_release_warm(node);

    /* A takeover: what was held back leaves before anything else of this turn. */
    sb_role_turn(node);
    out->went_live = node->live_unsaid;
    if (out->went_live)
        node->out_n = 0;
    sb_release_turn(node, out->went_live);
    if (out->went_live) { /* nothing stands between the decision and these frames */
        if (node->out_n == 0)
            sb_stream_heartbeat(node); /* nothing was held back: the new epoch's first word */
        *out = (struct sb_node_out){
            .frames = node->out, .n = node->out_n, .went_live = true, .busy = true};
        return;
    }
    if (sb_role_sequences(node)) {
        if (!sb_sequencer_genesis(node))
            more = true;
        else if (node->draining_pending && node->applied == node->log.len)
            sb_sequencer_pending(node);
        else
            sb_sequencer_timer(node);
    }
    sb_stream_turn(node);
    sb_release_beats(node);
    show(node);

    out->frames = node->out;
    out->n = node->out_n;
    /* An armed shadow does not give its core away: it stays warm for the moment that may come. */
    out->busy = more || node->apply_next < node->log.packet_end ||
                (node->draining_pending && sb_role_sequences(node)) || node->arm == SB_ARM_ARMED;
    out->done = node->stopped;
}

uint32_t sb_node_crash_frame(const struct sb_node *node, uint8_t *buf)
{
    if (node->role != SB_ROLE_PRIM)
        return 0;
    /* n_last 0: nobody will be there to send again what the shadow lacks, so it need not wait for that. */
    const struct sb_control c = {.to = SB_NODE_CLIENT};
    uint8_t *p = buf + SB_UDP_HEADERS_BYTES;
    memcpy(sb_out_head(node, p, SB_FT_RESIGN, 0, sizeof c), &c, sizeof c);
    const struct sb_udp_route r = sb_out_replication_route(node, SB_PORT_PEER);
    return sb_udp_finish(buf, &r, sizeof(struct sb_head) + sizeof c);
}

const struct sb_log *sb_node_log(const struct sb_node *node)
{
    return &node->log;
}
const struct sb_engine *sb_node_engine(const struct sb_node *node)
{
    return node->engine;
}
enum sb_role sb_node_role(const struct sb_node *node)
{
    return node->role;
}
uint64_t sb_node_epoch(const struct sb_node *node)
{
    return node->epoch;
}
uint64_t sb_node_incarnation(const struct sb_node *node)
{
    return node->inc;
}
uint64_t sb_node_released(const struct sb_node *node)
{
    return node->released;
}
