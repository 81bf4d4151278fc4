/* Between the two engines: STREAM out and in, gap repair, acks, digests compared. R1, R6, R7, R8. */
#include <string.h>

#include "nic/wire/entry.h"
#include "replica/node_state.h"

enum { REPAIR_PACKETS_MAX = 32 }; /* served for one REPAIR; the rest is asked for again */
/* CATCH: what is further away is copied from the owner's journal, where that can be done. */
enum { CATCH_REPAIR_MAX = 65536 };

/* --- owner ---------------------------------------------------------------------------------- */

static struct sb_stream stream_head(const struct sb_node *node)
{
    return (struct sb_stream){
        .to_inc = node->role == SB_ROLE_SOLO ? 0 : node->peer_inc,
        .len = node->log.len,
        .applied = node->applied,
        .digest = node->digest,
        .released = node->released,
        .durable = node->durable_n,
    };
}

static bool witness_keeps(const struct sb_node *node)
{
    return (node->role == SB_ROLE_SOLO || node->role == SB_ROLE_PAIRING) &&
           sb_config_solo_policy(node->config) == SB_SOLO_WITNESS;
}

/* SOLO: does anybody take what it streams? */
static bool is_followed(const struct sb_node *node)
{
    if (node->role != SB_ROLE_SOLO || witness_keeps(node))
        return true;
    return sb_role_is_settled(node) && node->peer_inc != 0 &&
           node->now_ns - node->acked_ns < node->config->solo_after_ns;
}

static uint8_t stream_flags(const struct sb_node *node)
{
    return (uint8_t)((node->role == SB_ROLE_PRIM ? SB_FF_PAIRED : 0) |
                     (sb_role_is_settled(node) ? 0 : SB_FF_VOLATILE) |
                     (node->role == SB_ROLE_DIVERGED || node->set_aside ? SB_FF_DIVERGED : 0));
}

/* By the peer's port, and by the witness's where it keeps the log and has one of its own. */
static void send_stream(struct sb_node *node, const struct sb_stream *s, const void *lines)
{
    const uint32_t lines_bytes = s->lines * (uint32_t)SB_LINE_BYTES;
    const bool both = witness_keeps(node) && node->setup.witness_apart;
    for (uint32_t i = 0; i < (both ? 2u : 1u); i++) {
        const uint32_t role = i == 0 ? SB_PORT_PEER : SB_PORT_WITNESS;
        uint8_t *p = sb_out_scratch(node);
        if (p == NULL)
            return; /* who misses it asks for it */
        uint8_t *body = sb_out_head_of(node, p, SB_FT_STREAM, node->stream_epoch,
                                       stream_flags(node), (uint16_t)(sizeof *s + lines_bytes));
        memcpy(body, s, sizeof *s);
        if (lines_bytes != 0)
            memcpy(body + sizeof *s, lines, lines_bytes);
        const struct sb_udp_route r = sb_out_replication_route(node, role);
        sb_out_send(node, &r, (uint32_t)(sizeof(struct sb_head) + sizeof *s) + lines_bytes, role);
    }
    node->sent_ns = node->now_ns;
}

static void send_packet(struct sb_node *node, uint64_t index)
{
    const struct sb_packet *packet = sb_log_packet(&node->log, index);
    struct sb_stream s = stream_head(node);
    s.n_first = packet->n_first;
    s.count = packet->count;
    s.lines = packet->lines;
    send_stream(node, &s, sb_log_lines(&node->log, packet));
}

void sb_stream_send_packet(struct sb_node *node, uint64_t index)
{
    if (is_followed(
            node)) /* else heartbeats tell a former owner that it is one, and whom to join */
        send_packet(node, index);
}

void sb_stream_heartbeat(struct sb_node *node)
{
    if (!sb_role_is_settled(node) && !witness_keeps(node))
        return;
    const struct sb_stream s = stream_head(node);
    send_stream(node, &s, NULL);
    sb_count(node, SB_CTR_HEARTBEATS);
}

/* R7: only from the shadow incarnation that we name, addressed to our own. A joiner that is PAIRING's may not have seen
 * the new epoch yet. */
static bool ack_is_ours(const struct sb_node *node, const struct sb_head *h, uint64_t to_inc)
{
    return sb_role_owns(node) && !node->set_aside && h->inc == node->peer_inc &&
           to_inc == node->inc && (h->epoch == node->epoch || h->epoch == node->stream_epoch);
}

/* SOLO takes the newest joiner. */
static void welcome(struct sb_node *node, const struct sb_head *h, uint64_t to_inc)
{
    if (node->role != SB_ROLE_SOLO || h->epoch != node->epoch || to_inc != node->inc ||
        h->inc <= node->peer_inc || sb_role_version(node) == 0 || h->inc == node->refused_inc ||
        !sb_role_is_settled(node) || node->record.kind == SB_RECORD_PAIR)
        return;
    node->peer_inc = h->inc;
    node->acked_held = node->acked_verified = node->ack_applied = node->peer_durable_n = 0;
    node->compared_n = 0;
    node->pairing = false;
}

/* A joiner is not a pair yet: it is refused, and its owner goes on. One that is being paired is found again when it is. */
static void diverged(struct sb_node *node)
{
    if (node->role == SB_ROLE_SOLO)
        sb_role_refuse_joiner(node);
    else if (node->role != SB_ROLE_PAIRING)
        sb_role_diverged(node);
}

void sb_stream_on_ack(struct sb_node *node, const struct sb_head *h, const struct sb_ack *a)
{
    welcome(node, h, a->to_inc);
    if (!ack_is_ours(node, h, a->to_inc) || a->held > node->log.len || a->applied > a->held) {
        sb_count(node, SB_CTR_ACK_FOREIGN);
        return;
    }
    sb_count(node, SB_CTR_ACK_RX);
    node->ctr[SB_CTR_LAST_HEARD_NS] = node->now_ns;
    if ((h->flags & SB_FF_DIVERGED) != 0) {
        diverged(node);
        return;
    }
    if (a->held > node->acked_held)
        node->acked_held = a->held;
    if (a->durable > node->peer_durable_n && a->durable <= a->held)
        node->peer_durable_n = a->durable;
    if (a->applied > node->ack_applied) {
        node->ack_applied = a->applied;
        node->ack_digest = a->digest;
    }
    if (node->log.len - a->applied <= node->config->lag_max)
        node->acked_ns = node->now_ns;
}

void sb_stream_on_repair(struct sb_node *node, const struct sb_head *h, const struct sb_repair *r)
{
    const bool kept = h->sender == SB_NODE_W && witness_keeps(node) && r->to_inc == node->inc &&
                      h->epoch == node->epoch && h->inc == node->winc;
    if ((!kept && !ack_is_ours(node, h, r->to_inc)) || r->from == 0 || r->from > r->to) {
        sb_count(node, SB_CTR_ACK_FOREIGN);
        return;
    }
    uint64_t index = sb_log_find(&node->log, r->from);
    if (index == UINT64_MAX) {
        sb_count(node, SB_CTR_REPAIR_REFUSED);
        return;
    }
    sb_count(node, SB_CTR_REPAIR_RX);
    for (uint32_t i = 0;
         i < REPAIR_PACKETS_MAX && index < node->log.packet_end &&
         sb_log_packet(&node->log, index)->n_first <= r->to && sb_out_left(node) > 64;
         i++) {
        if (!sb_log_is_whole(&node->log, sb_log_packet(&node->log, index))) {
            sb_count(node, SB_CTR_LOG_ROTTEN);
            if (node->role == SB_ROLE_PRIM)
                sb_role_damaged(node);
            return; /* a joiner copies the rest from the journal */
        }
        send_packet(node, index++);
    }
}

/* --- shadow --------------------------------------------------------------------------------- */

/* First input whose outputs are held here. */
static uint64_t first_encoded(const struct sb_node *node)
{
    return node->encoding ? node->unencoded_n + 1 : node->applied + 1;
}

static void send_ack(struct sb_node *node)
{
    /* R14: JOIN's record first, or this life's acks would be of a log that its journal does not have. */
    if (node->role == SB_ROLE_CATCH && !sb_load_recorded(node, SB_RECORD_JOIN, node->epoch))
        return;
    /* Nor before its owner has let go of all that this one has no outputs of: it could not answer for them. */
    if (node->role == SB_ROLE_CATCH && node->mark_released < first_encoded(node) - 1)
        return;
    uint8_t *p = sb_out_scratch(node);
    if (p == NULL)
        return;
    const struct sb_ack a = {.to_inc = node->peer_inc,
                             .held = node->log.len,
                             .applied = node->applied,
                             .digest = node->digest,
                             .durable = node->durable_n};
    const uint8_t flags = node->role == SB_ROLE_DIVERGED ? SB_FF_DIVERGED : 0;
    memcpy(sb_out_head(node, p, SB_FT_ACK, flags, sizeof a), &a, sizeof a);
    const struct sb_udp_route r = sb_out_replication_route(node, SB_PORT_PEER);
    sb_out_send(node, &r, sizeof(struct sb_head) + sizeof a, SB_PORT_PEER);
    sb_count(node, SB_CTR_ACK_TX);
}

static void send_repair(struct sb_node *node, uint64_t epoch, uint64_t to_inc, uint64_t to,
                        uint32_t role)
{
    uint8_t *p = sb_out_scratch(node);
    if (p == NULL)
        return;
    node->repair_sent_ns = node->now_ns;
    node->repair_left = REPAIR_PACKETS_MAX;
    const struct sb_repair q = {.to_inc = to_inc, .from = node->log.len + 1, .to = to};
    memcpy(sb_out_head_of(node, p, SB_FT_REPAIR, epoch, 0, sizeof q), &q, sizeof q);
    const struct sb_udp_route r = sb_out_replication_route(node, role);
    sb_out_send(node, &r, sizeof(struct sb_head) + sizeof q, role);
    sb_count(node, SB_CTR_REPAIR_TX);
}

/* W7 */
void sb_stream_take_kept(struct sb_node *node)
{
    send_repair(node, node->taking_epoch, node->winc, node->taking_n, SB_PORT_WITNESS);
}

static void ask_repair(struct sb_node *node, uint64_t to)
{
    /* Ask again after a quarter of the time after which the gap counts as a failure, or when all came that one REPAIR
     * brings. */
    if (node->repair_sent_ns != 0 && node->repair_left != 0 &&
        node->now_ns - node->repair_sent_ns < node->config->gap_after_ns / 4)
        return;
    if (node->role == SB_ROLE_CATCH && to - node->log.len > CATCH_REPAIR_MAX &&
        node->config->nodes[1 - node->setup.self].transfer.port != 0)
        return;
    send_repair(node, node->epoch, node->peer_inc, to, SB_PORT_PEER);
}

/* May another packet be taken without dropping one that is not applied yet? */
static bool log_has_room(const struct sb_node *node)
{
    if (node->apply_next == node->log.packet_end)
        return true;
    const uint64_t pos = sb_log_packet(&node->log, node->apply_next)->pos;
    return node->log.line_end - pos + 3u * SB_STREAM_LINES_MAX <= node->log.lines_cap &&
           node->log.packet_end - node->apply_next + 2 <= node->log.packets_cap;
}

/* R6: only number len + 1, no holes. */
static void take_packet(struct sb_node *node, const struct sb_stream *s, const uint8_t *lines)
{
    if (s->n_first <= node->log.len) {
        sb_count(node, SB_CTR_STREAM_DUPLICATE);
        node->ack_due = true; /* our ack may have been lost */
        return;
    }
    if (s->n_first > node->log.len + 1) {
        sb_count(node, SB_CTR_STREAM_GAP);
        if (node->gap_since_ns == 0)
            node->gap_since_ns = node->now_ns;
        ask_repair(node, s->len);
        return;
    }
    if (!log_has_room(node))
        return; /* the owner sends it again */
    if (sb_load_put(node, s->count, s->lines, lines) == NULL)
        return;
    sb_count(node, SB_CTR_STREAM_RX);
    node->ack_due = true;
    node->gap_since_ns = 0; /* progress; a hole that is still open is seen again below */
    if (node->repair_left != 0 && --node->repair_left == 0 && s->len > node->log.len)
        ask_repair(node, s->len);
}

/* W7: BOOT, granted RESUME: what the witness kept of its own log. */
static bool take_kept(struct sb_node *node, const struct sb_head *h, const struct sb_stream *s,
                      const uint8_t *lines)
{
    if (node->role != SB_ROLE_BOOT || node->taking_epoch == 0 || h->sender != SB_NODE_W ||
        h->epoch != node->taking_epoch || h->inc != node->winc || s->to_inc != node->inc ||
        s->count == 0)
        return false;
    if (s->n_first == node->log.len + 1 && sb_load_put(node, s->count, s->lines, lines) != NULL)
        sb_load_apply(node);
    sb_role_resume(node);
    if (node->taking_epoch != 0 && --node->repair_left == 0)
        sb_stream_take_kept(node);
    return true;
}

/* R6: the epoch and owner that this node follows, addressed to it. R16: the owner's word makes a SHADOW of a CATCH. */
static bool is_followed_owner(struct sb_node *node, const struct sb_head *h,
                              const struct sb_stream *s)
{
    if (h->inc != node->peer_inc || !sb_role_follows(node))
        return false;
    if (node->role == SB_ROLE_CATCH && h->epoch == sb_next_dual(node->epoch) &&
        s->to_inc == node->inc)
        sb_role_become_shadow(node, h->epoch, (h->flags & SB_FF_PAIRED) != 0);
    return h->epoch == node->epoch && s->to_inc == (node->role == SB_ROLE_SHADOW ? node->inc : 0);
}

void sb_stream_on_stream(struct sb_node *node, const struct sb_head *h, const uint8_t *body)
{
    struct sb_stream s;
    memcpy(&s, body, sizeof s);
    const uint8_t *lines = body + sizeof s;
    if (!sb_stream_good(h, &s, lines)) {
        sb_count(node, SB_CTR_BAD_HEAD);
        return;
    }
    if (take_kept(node, h, &s, lines))
        return;
    sb_role_confirm_by_stream(node, h, &s);
    if (!is_followed_owner(node, h, &s)) {
        sb_count(node, SB_CTR_STREAM_FOREIGN);
        sb_role_on_foreign_stream(node, h);
        return;
    }
    if (node->role == SB_ROLE_SHADOW && !node->confirmed && (h->flags & SB_FF_PAIRED) != 0)
        node->confirmed = true;
    if ((h->flags & SB_FF_DIVERGED) != 0) {
        sb_role_diverged(node);
        return;
    }
    if (s.count != 0)
        take_packet(node, &s, lines);
    else
        node->ack_due = true;
    if (s.released > node->mark_released)
        node->mark_released = s.released;
    if (s.applied > node->compared_n && node->mark_n == 0) {
        node->mark_n = s.applied;
        node->mark_digest = s.digest;
    }
    if (s.len > node->log.len) { /* the tail is missing: lost, or still on its way */
        if (node->gap_since_ns == 0)
            node->gap_since_ns = node->now_ns;
        if (s.count == 0)
            ask_repair(node, s.len);
    } else {
        node->gap_since_ns = 0;
        node->repair_sent_ns = 0;
    }
    sb_role_on_owner_heard(node);
}

/* --- both ----------------------------------------------------------------------------------- */

/* 1 equal, 0 different, -1 cannot be told yet or any more. */
static int digest_at(const struct sb_node *node, uint64_t n, uint64_t digest)
{
    if (n == 0 || n > node->applied)
        return -1;
    if (n == node->applied)
        return node->digest == digest;
    const uint64_t index = sb_log_find(&node->log, n);
    if (index == UINT64_MAX)
        return -1;
    const struct sb_packet *p = sb_log_packet(&node->log, index);
    if (sb_packet_last(p) != n)
        return 0; /* not a packet boundary of ours: the logs differ */
    return p->digest == digest;
}

void sb_stream_compare(struct sb_node *node)
{
    const bool owner = sb_role_owns(node) && !node->set_aside && node->peer_inc != 0;
    if (!owner && !sb_role_follows(node))
        return;
    const uint64_t n = owner ? node->ack_applied : node->mark_n;
    if (n == 0 || n <= node->compared_n || n > node->applied) {
        if (!owner && n != 0 && n <= node->compared_n)
            node->mark_n = 0;
        return;
    }
    const int equal = digest_at(node, n, owner ? node->ack_digest : node->mark_digest);
    if (equal >= 0)
        sb_count(node, SB_CTR_DIGEST_COMPARED);
    if (equal == 0) {
        sb_count(node, SB_CTR_DIGEST_DIFFERENT);
        diverged(node);
        return;
    }
    if (equal == 1) {
        node->compared_n = n;
        if (owner)
            node->acked_verified = n;
    }
    if (!owner)
        node->mark_n = 0;
}

void sb_stream_turn(struct sb_node *node)
{
    const bool owner = sb_role_owns(node);
    if (sb_role_follows(node) && node->ack_due) {
        send_ack(node);
        node->ack_due = false;
    }
    if (owner && node->now_ns - node->sent_ns >= node->config->heartbeat_ns)
        sb_stream_heartbeat(node);
    if (node->role == SB_ROLE_DIVERGED &&
        node->now_ns - node->sent_ns >= node->config->heartbeat_ns) {
        /* Neither releases nor acks anything; says only that it stopped, so that the other stops too. */
        if (node->was_owner) {
            sb_stream_heartbeat(node);
        } else {
            node->sent_ns = node->now_ns;
            send_ack(node);
        }
    }
}
