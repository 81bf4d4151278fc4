/* What may leave leaves: R1, R3, R10. And what was lost on its way to a client is sent again. */
#include <string.h>

#include "nic/wire/entry.h"
#include "nic/wire/mold.h"
#include "replica/node_state.h"

/* A takeover's first turn sends one frame at once; the rest follows in the next ones. */
enum { FIRST_FRAMES = 1 };
enum { ARP_ASK_NS = 10000000, ANSWER_PACKETS_MAX = 8, BEATS_A_TURN = 16, OUT_RESERVE = 64 };

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}
static uint64_t most(uint64_t a, uint64_t b)
{
    return a < b ? b : a;
}

/* R1: both logs hold it; under `verified` the shadow also made the same outputs of it. */
static uint64_t acked(const struct sb_node *node)
{
    return node->config->release == SB_RELEASE_VERIFIED ? node->acked_verified : node->acked_held;
}

uint64_t sb_release_acked(const struct sb_node *node)
{
    return node->config->hold == SB_HOLD_TWO_DISKS ? least(acked(node), node->peer_durable_n)
                                                   : acked(node);
}

/* What the setting asks for beside the shadow's ack. */
static uint64_t held_in_dual(const struct sb_node *node)
{
    switch (node->config->hold) {
    case SB_HOLD_MEMORY_AND_DISK:
        return most(node->durable_n, node->peer_durable_n);
    case SB_HOLD_TWO_DISKS:
        return least(node->durable_n, node->peer_durable_n);
    case SB_HOLD_TWO_MEMORIES:
        break;
    }
    return UINT64_MAX;
}

/* R3: what the policy asks for of an owner that is alone, or not known to be paired (R2). */
static uint64_t held_in_solo(const struct sb_node *node)
{
    const enum sb_solo_policy policy = sb_config_solo_policy(node->config);
    if (policy == SB_SOLO_MEMORY)
        return UINT64_MAX;
    /* Both logs held these when this node went live, and that was all that was promised. */
    const uint64_t both = node->config->hold == SB_HOLD_TWO_MEMORIES ? node->n_star : 0;
    if (policy == SB_SOLO_WITNESS) /* W1, W8 */
        return most(node->logged_n, both);
    const bool recorded = node->role == SB_ROLE_PAIRING || node->record.kind == SB_RECORD_PAIR ||
                          sb_load_recorded(node, SB_RECORD_SOLO, node->epoch);
    const uint64_t durable = recorded && node->setup.journal ? node->durable_n : 0;
    return most(durable, both);
}

/* Last number whose outputs may leave now. */
static uint64_t releasable(const struct sb_node *node)
{
    switch (node->role) {
    case SB_ROLE_PRIM:
        return least(node->applied, least(acked(node), held_in_dual(node)));
    case SB_ROLE_PAIRING: /* R2 */
        return least(node->applied, least(sb_release_acked(node), held_in_solo(node)));
    case SB_ROLE_SOLO: /* waits for its joiner's ack, too, once that is near (role.c) */
        return least(node->applied, least(held_in_solo(node),
                                          node->pairing ? sb_release_acked(node) : UINT64_MAX));
    case SB_ROLE_CATCH:
    case SB_ROLE_SHADOW: /* not ours to send: known to have left */
        return sb_role_follows(node) ? least(node->applied, node->mark_released) : node->released;
    default:
        return node->released;
    }
}

/* A client's MAC is learned from its own frames; if it moved, ask. False: not known yet. */
static bool resolve(struct sb_node *node, uint32_t session, uint8_t mac[6])
{
    struct sb_door *door = &node->doors[session];
    const uint32_t ipv4 = sb_engine_session(node->engine, session)->login_ipv4;
    if (ipv4 != 0 && door->src_ipv4 == ipv4) {
        memcpy(mac, door->src_mac, 6);
        return true;
    }
    sb_count(node, SB_CTR_NO_ROUTE);
    if (ipv4 != 0 && node->now_ns - door->arp_asked_ns >= ARP_ASK_NS) {
        uint8_t *p = sb_out_scratch(node);
        if (p != NULL) {
            uint8_t *frame = p - SB_UDP_HEADERS_BYTES;
            const uint32_t len = sb_arp_request(frame, node->config->nodes[node->setup.self].ipv4,
                                                node->setup.mac[SB_PORT_CLIENTS], ipv4);
            node->scratch_n++;
            sb_out_frame(node, frame, len, SB_PORT_CLIENTS);
            door->arp_asked_ns = node->now_ns;
        }
    }
    return false;
}

/* Lets one held frame go. False: this poll has no room for it. */
static bool let_go(struct sb_node *node, struct sb_held *h)
{
    uint8_t *frame = sb_held_frame(h);
    if (sb_out_left(node) <= OUT_RESERVE)
        return false;
    if (h->stream != SB_STREAM_FEED && !resolve(node, h->stream, frame))
        return true; /* the client asks for it when it is there */
    sb_out_frame(node, frame, h->len, h->role);
    sb_count(node, SB_CTR_RELEASED_FRAMES);
    if (h->n <= node->takeover_until)
        sb_count(node, SB_CTR_TAKEOVER_FRAMES);
    return true;
}

void sb_release_turn(struct sb_node *node, bool first)
{
    const uint64_t upto = releasable(node);
    const bool send = sb_role_owns(node);
    const uint32_t out_max = first ? node->out_n + FIRST_FRAMES : SB_NODE_OUT_MAX;
    struct sb_held *h;
    uint64_t reached = upto;
    while ((h = sb_hold_peek(&node->hold)) != NULL && h->n <= upto) {
        if (send && (node->out_n >= out_max || !let_go(node, h))) {
            reached = h->n - 1; /* the rest of this packet's frames leave in the next turn */
            break;
        }
        sb_hold_pass(&node->hold);
    }
    if (first)
        return; /* the marks follow in the next turn */
    /* Marks stay on packet boundaries: n - 1 may stand inside the packet before. */
    if (reached != upto) {
        const uint64_t index = sb_log_find(&node->log, reached + 1);
        reached =
            index == UINT64_MAX ? node->released : sb_log_packet(&node->log, index)->n_first - 1;
    }
    if (reached > node->released) {
        node->released = reached;
        const uint64_t index = sb_log_find(&node->log, reached);
        if (index != UINT64_MAX) {
            const struct sb_packet *p = sb_log_packet(&node->log, index);
            node->released_line = p->pos + p->lines;
        }
    }
    node->ctr[SB_CTR_HELD_BYTES] = node->hold.head - node->hold.next;
}

/* Goes through the motions with the first frame that is held back, and takes them back: code, frame and tables are in the
 * caches when it counts. All it leaves is the frame's destination MAC, which is written again when it leaves. */
void sb_release_warm(struct sb_node *node)
{
    struct sb_held *h = sb_hold_peek(&node->hold);
    if (h == NULL)
        return;
    if (h->stream != SB_STREAM_FEED) {
        const uint32_t ipv4 = sb_engine_session(node->engine, h->stream)->login_ipv4;
        if (ipv4 == 0 || node->doors[h->stream].src_ipv4 != ipv4)
            return; /* would ask for the address */
    }
    const uint32_t out_n = node->out_n;
    const uint64_t released = node->ctr[SB_CTR_RELEASED_FRAMES];
    let_go(node, h);
    node->out_n = out_n;
    node->ctr[SB_CTR_RELEASED_FRAMES] = released;
}

/* --- re-requests -------------------------------------------------------------------------- */

/* Held for long, memory rots: a frame is the same as when it was encoded, or it is not sent again. Its checksum is the
 * old one; a new one would make damage true. */
static bool is_whole(const struct sb_node *node, struct sb_held *h, struct sb_datagram *d)
{
    struct sb_mold_head head;
    return sb_udp_parse(sb_held_frame(h), h->len, d) == SB_UDP_OK &&
           sb_mold_read(d->payload, d->bytes, &head) && head.seq == h->first_seq &&
           head.count == h->count &&
           memcmp(head.name, node->names[h->stream], sizeof head.name) == 0;
}

/* Sends one retained packet again, from message `seq` on: the same messages, whole. */
static void send_again(struct sb_node *node, const struct sb_held *h, const struct sb_datagram *d,
                       uint64_t seq, const struct sb_udp_route *route)
{
    uint8_t *p = sb_out_scratch(node);
    if (p == NULL)
        return;
    uint32_t at = SB_MOLD_HEAD_BYTES, len;
    for (uint64_t s = h->first_seq; s < seq; s++)
        sb_mold_next(d->payload, d->bytes, &at, &len);
    memcpy(p + SB_MOLD_HEAD_BYTES, d->payload + at, d->bytes - at);
    sb_mold_put_head(p, node->names[h->stream], seq, (uint16_t)(h->count - (seq - h->first_seq)));
    sb_out_send(node, route, SB_MOLD_HEAD_BYTES + d->bytes - at, h->role);
    sb_count(node, SB_CTR_REREQUESTS);
}

/* Our copy is damaged. The shadow holds the same bytes; alone, nobody does. */
static void pass_on(struct sb_node *node, const struct sb_resend *wanted, uint64_t seq)
{
    sb_count(node, SB_CTR_HELD_ROTTEN);
    uint8_t *p = node->role == SB_ROLE_PRIM ? sb_out_scratch(node) : NULL;
    if (p == NULL) {
        sb_count(node, SB_CTR_REREQUESTS_REFUSED);
        return;
    }
    struct sb_resend r = *wanted;
    r.to_inc = node->peer_inc;
    r.seq = seq;
    r.count = (uint16_t)(wanted->seq + wanted->count - seq);
    memcpy(sb_out_head(node, p, SB_FT_RESEND, 0, sizeof r), &r, sizeof r);
    const struct sb_udp_route route = sb_out_replication_route(node, SB_PORT_PEER);
    sb_out_send(node, &route, sizeof(struct sb_head) + sizeof r, SB_PORT_PEER);
    sb_count(node, SB_CTR_RESEND_TX);
}

/* Answers with what was released and is retained; the stream exists. */
static void answer(struct sb_node *node, const struct sb_resend *wanted)
{
    struct sb_udp_route route =
        sb_out_route_to(node, SB_PORT_FEED_A, wanted->ipv4, wanted->port, wanted->mac);
    if (wanted->stream != SB_STREAM_FEED) { /* only ever to the session's own address */
        const struct sb_session_view *v = sb_engine_session(node->engine, wanted->stream);
        uint8_t mac[6];
        if (v->login_ipv4 == 0 || !resolve(node, wanted->stream, mac)) {
            sb_count(node, SB_CTR_REREQUESTS_REFUSED);
            return;
        }
        route = sb_out_route_to(node, SB_PORT_CLIENTS, v->login_ipv4, v->login_port, mac);
    }
    uint64_t seq = wanted->seq;
    const uint64_t end = wanted->seq + wanted->count;
    for (uint32_t i = 0; i < ANSWER_PACKETS_MAX && seq < end && sb_out_left(node) > OUT_RESERVE;
         i++) {
        struct sb_held *h = sb_hold_find(&node->hold, wanted->stream, seq);
        struct sb_datagram d;
        if (h == NULL) {
            if (seq < node->hold.released_seq[wanted->stream])
                sb_count(node, SB_CTR_REREQUESTS_REFUSED);
            return;
        }
        if (!is_whole(node, h, &d)) {
            pass_on(node, wanted, seq);
            return;
        }
        send_again(node, h, &d, seq, &route);
        seq = h->first_seq + h->count;
    }
}

void sb_release_request(struct sb_node *node, const struct sb_datagram *d)
{
    if (!sb_role_owns(node))
        return;
    struct sb_mold_head want;
    const bool read = sb_mold_read_request(d->payload, d->bytes, &want);
    const int32_t stream = read && node->named ? sb_stream_of_name(want.name) : -1;
    if (stream < 0 || (uint32_t)stream >= node->hold.streams ||
        memcmp(want.name, node->names[stream], sizeof want.name) != 0 || want.seq == 0) {
        sb_count(node, SB_CTR_BAD_REQUEST);
        return;
    }
    struct sb_resend wanted = {.seq = want.seq,
                               .stream = (uint32_t)stream,
                               .ipv4 = d->src_ipv4,
                               .count = want.count,
                               .port = d->src_port};
    memcpy(wanted.mac, d->src_mac, 6);
    answer(node, &wanted);
}

/* R4b: a shadow may send again what it has applied and the owner's stream has marked as released: bytes that are true
 * already. It does so only when its primary asks. */
void sb_release_resend(struct sb_node *node, const struct sb_head *h, const struct sb_resend *r)
{
    static const uint8_t zero[sizeof r->zero] = {0};
    if (node->role != SB_ROLE_SHADOW || !node->confirmed || h->epoch != node->epoch ||
        h->inc != node->peer_inc || r->to_inc != node->inc || !node->named ||
        r->stream >= node->hold.streams || r->seq == 0 || memcmp(r->zero, zero, sizeof zero) != 0) {
        sb_count(node, SB_CTR_BAD_REQUEST);
        return;
    }
    sb_count(node, SB_CTR_RESEND_RX);
    answer(node, r);
}

/* --- heartbeats to clients ------------------------------------------------------------------ */

static void beat(struct sb_node *node, uint32_t stream, uint32_t role,
                 const struct sb_udp_route *route)
{
    uint8_t *p = sb_out_scratch(node);
    if (p == NULL)
        return;
    sb_mold_put_head(p, node->names[stream], node->hold.released_seq[stream], 0);
    sb_out_send(node, route, SB_MOLD_HEAD_BYTES, role);
}

static void status(struct sb_node *node, uint32_t session, const struct sb_udp_route *route)
{
    struct sb_door *door = &node->doors[session];
    if (door->mark_n <=
        node->released) { /* a former last input is now covered by the output rule */
        door->safe_seq = door->mark_seq;
        door->mark_n = door->last_n;
        door->mark_seq = door->next_seq - 1;
        if (door->mark_n <= node->released)
            door->safe_seq = door->mark_seq;
    }
    uint8_t *p = sb_out_scratch(node);
    if (!door->status_due || p == NULL)
        return;
    const struct sb_status s = {
        .wanted = door->next_seq, .safe = door->safe_seq, .session = session};
    memcpy(sb_out_head(node, p, SB_FT_STATUS, 0, sizeof s), &s, sizeof s);
    sb_out_send(node, route, sizeof(struct sb_head) + sizeof s, SB_PORT_CLIENTS);
    sb_count(node, SB_CTR_STATUS_TX);
    door->status_due = door->safe_seq + 1 != door->next_seq;
}

static void beat_session(struct sb_node *node, uint32_t session)
{
    const struct sb_session_view *v = sb_engine_session(node->engine, session);
    uint8_t mac[6];
    if (v->login_ipv4 == 0 || !resolve(node, session, mac))
        return;
    const struct sb_udp_route r =
        sb_out_route_to(node, SB_PORT_CLIENTS, v->login_ipv4, v->login_port, mac);
    beat(node, session, SB_PORT_CLIENTS, &r);
    status(node, session, &r);
}

static void beat_feed(struct sb_node *node, uint32_t role, const struct sb_addr *to)
{
    uint8_t mac[6];
    sb_multicast_mac(to->ipv4, mac);
    const struct sb_udp_route r = sb_out_route_to(node, role, to->ipv4, to->port, mac);
    beat(node, SB_STREAM_FEED, role, &r);
}

void sb_release_beats(struct sb_node *node)
{
    if (!sb_role_owns(node) || !node->named)
        return;
    if (node->beat_next > node->config->sessions_n) {
        if (node->now_ns - node->beat_cycle_ns < node->config->client_heartbeat_ns)
            return;
        node->beat_cycle_ns = node->now_ns;
        node->beat_next = 0;
    }
    for (uint32_t i = 0; i < BEATS_A_TURN && node->beat_next <= node->config->sessions_n &&
                         sb_out_left(node) > OUT_RESERVE;
         i++, node->beat_next++) {
        if (node->beat_next != SB_STREAM_FEED) {
            beat_session(node, node->beat_next);
            continue;
        }
        beat_feed(node, SB_PORT_FEED_A, &node->config->feed_a);
        if (node->config->feed_b.port != 0)
            beat_feed(node, SB_PORT_FEED_B, &node->config->feed_b);
    }
}
