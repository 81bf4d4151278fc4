/* Clients' input: from an entry frame to numbered commands in the log.
 *
 * What fails here (token, framing, not logged in) is counted and never answered. What passes is given a number,
 * also a message that could not be read: its session's numbering must go on. */
#include <string.h>

#include "nic/wire/entry.h"
#include "nic/wire/mold.h"
#include "nic/wire/ouch.h"
#include "replica/genesis.h"
#include "replica/node_state.h"

enum { ENTRY_AT = sizeof(struct sb_head), BLOCKS_AT = ENTRY_AT + sizeof(struct sb_entry) };
enum { GAP_TELL_NS = 1000000 }; /* at most one gap report a session and millisecond */

/* A kept frame: this head, then the UDP payload. */
struct kept {
    uint32_t bytes, src_ipv4;
    uint8_t src_mac[6];
    uint8_t zero[2];
};
enum { KEPT_BYTES_MAX = (sizeof(struct kept) + SB_UDP_PAYLOAD_MAX + 15) / 16 * 16 };

void sb_sequencer_init(struct sb_node *node, struct sb_arena *arena)
{
    const struct sb_config *c = node->config;
    node->doors = sb_arena_take(arena, (c->limits.sessions_max + 1u) * sizeof *node->doors);
    node->pending.cap = c->pending_bytes & ~UINT64_C(15);
    node->pending.ring = sb_arena_take(arena, node->pending.cap);
    if (arena->base == NULL)
        return;
    for (uint32_t i = 0; i <= c->limits.sessions_max; i++)
        node->doors[i].next_seq = 1;
}

/* --- into the log ------------------------------------------------------------------------- */

void sb_sequencer_note(struct sb_node *node, const struct sb_command *c)
{
    node->last_time_ns = c->time_ns;
    if ((c->session == 0 || c->kind == SB_CMD_CARRY || c->seq <= sb_genesis_last(node->config)) &&
        !sb_genesis_agrees(node->config, c))
        sb_load_differs(node, c->seq);
    if (c->session == 0 || c->session > node->config->limits.sessions_max)
        return;
    struct sb_door *door = &node->doors[c->session];
    if (c->kind == SB_CMD_LOGIN) {
        const union sb_command_ext *ext = sb_command_ext(c);
        door->login_nonce = (uint64_t)c->price;
        door->login_ipv4 = ext->login.ipv4;
        door->login_port = ext->login.port;
        door->logged_in = true;
        door->status_due = true;
    }
    if (c->session_seq != 0) {
        door->next_seq = c->session_seq + 1;
        door->last_n = c->seq;
        door->status_due = true;
    }
}

void sb_sequencer_close(struct sb_node *node)
{
    if (node->open == NULL)
        return;
    sb_log_commit(&node->log, node->open_count, node->open_lines);
    node->open = NULL;
    node->open_count = node->open_lines = 0; /* they count what is not in the log yet */
    sb_stream_send_packet(node, node->log.packet_end - 1);
    sb_count(node, SB_CTR_STREAM_TX);
}

/* Of what is sequenced next: never back, also over a takeover. */
static uint64_t time_of_next(const struct sb_node *node)
{
    const uint64_t next_ns = node->last_time_ns + 1;
    return node->now_ns > next_ns ? node->now_ns : next_ns;
}

static void add(struct sb_node *node, struct sb_command2 *c)
{
    const uint16_t lines = (uint16_t)sb_command_lines(&c->c);
    const bool for_all = sb_command_for_all(&c->c); /* makes much: a packet of its own */
    if (node->open != NULL && (node->open_lines + lines > SB_STREAM_LINES_MAX || for_all))
        sb_sequencer_close(node);
    if (node->open == NULL) {
        node->open = sb_log_begin(&node->log);
        node->open_count = node->open_lines = 0;
    }
    c->c.seq = node->log.len + node->open_count + 1;
    c->c.time_ns = time_of_next(node);
    SB_ASSERT(sb_command_valid(&c->c, 2));
    memcpy(node->open + node->open_lines, c, (size_t)lines * SB_LINE_BYTES);
    node->open_count++;
    node->open_lines = (uint16_t)(node->open_lines + lines);
    sb_sequencer_note(node, &c->c);
    if (for_all)
        sb_sequencer_close(node);
}

/* Back-pressure: is there room to sequence `messages` more? They may take two lines each (short ones, of which more fit in
 * a frame, take one), the un-acked log must stay within its bound, and whatever they do must find room in the hold ring;
 * and this poll must be able to send the packets. An idle node takes any frame: its packets wait for room one by one, and
 * so does a packet with more than was thought of here: icebergs, or words for every instrument. */
static bool room(const struct sb_node *node, uint32_t messages)
{
    enum { LINES_MAX = SB_UDP_PAYLOAD_MAX / 2 };
    const uint32_t lines = 2 * messages < LINES_MAX ? 2 * messages : LINES_MAX;
    const uint64_t skipped = SB_STREAM_LINES_MAX; /* at the end of the log ring */
    const uint64_t open_lines = node->log.line_end + node->open_lines + skipped;
    if (open_lines + lines - node->released_line > node->config->unacked_lines)
        return false;
    if (sb_out_left(node) < 2 * lines / SB_STREAM_LINES_MAX + 16)
        return false;
    if (node->applied == node->log.len && node->open == NULL && node->hold.next == node->hold.head)
        return true;
    const uint64_t waiting = node->log.len + node->open_count - node->applied + messages;
    const struct sb_hold_load load = {.orders = sb_engine_stats(node->engine)->open_orders,
                                      .terms = sb_engine_open_terms(node->engine),
                                      .commands = waiting,
                                      .parts = waiting,
                                      .arrivals = waiting,
                                      .pro_rata = node->pro_rata};
    return sb_hold_bytes_max(&node->config->limits, &load) <= sb_hold_room(&node->hold);
}

/* --- the configuration as the log's first commands --------------------------------------- */

static void genesis_command(const struct sb_node *node, uint64_t index, struct sb_command2 *c)
{
    const struct sb_config *cfg = node->config;
    if (index == 0) {
        memset(c, 0, sizeof *c);
        c->c.kind = SB_CMD_DAY;
        c->c.flags = SB_CMD_F_EXT;
        c->ext.day.midnight_ns = node->setup.midnight_ns;
        c->ext.day.trading_day = node->setup.trading_day;
        c->ext.day.shard = cfg->shard;
        c->ext.day.generation = cfg->generation;
        c->ext.day.rules = node->rules;
        c->ext.day.carry_hash = node->carry_hash;
    } else {
        sb_genesis_command(cfg, index + 1, c);
    }
}

bool sb_sequencer_genesis(struct sb_node *node)
{
    const uint64_t total = sb_genesis_last(node->config);
    uint64_t at = node->log.len + node->open_count;
    if (at >= total)
        return true;
    while (at < total && room(node, 1)) {
        struct sb_command2 c;
        genesis_command(node, at++, &c);
        add(node, &c);
    }
    sb_sequencer_close(node);
    return at >= total;
}

/* --- what time brings ---------------------------------------------------------------------- */

void sb_sequencer_timer(struct sb_node *node)
{
    if (node->config->timer_ns == 0 || node->now_ns < node->timer_next_ns ||
        node->timer_n > node->applied) /* what is due now may be what that one does */
        return;
    const uint64_t due_ns = sb_engine_timer_due_ns(node->engine);
    if (due_ns == 0 || node->now_ns < due_ns || !room(node, 1))
        return;
    struct sb_command2 c = {.c = {.kind = SB_CMD_TIMER, .instrument = SB_INSTRUMENT_ALL}};
    add(node, &c);
    sb_sequencer_close(node);
    node->timer_n = c.c.seq;
    node->timer_next_ns = node->now_ns + node->config->timer_ns;
}

/* --- the door ----------------------------------------------------------------------------- */

static void tell_gap(struct sb_node *node, uint32_t session)
{
    struct sb_door *door = &node->doors[session];
    if (!door->logged_in || node->now_ns - door->gap_told_ns < GAP_TELL_NS ||
        door->src_ipv4 != door->login_ipv4)
        return;
    uint8_t *p = sb_out_scratch(node);
    if (p == NULL)
        return;
    door->gap_told_ns = node->now_ns;
    const struct sb_status s = {
        .wanted = door->next_seq, .safe = door->safe_seq, .session = session};
    memcpy(sb_out_head(node, p, SB_FT_STATUS, SB_FF_GAP, sizeof s), &s, sizeof s);
    const struct sb_udp_route r =
        sb_out_route_to(node, SB_PORT_CLIENTS, door->login_ipv4, door->login_port, door->src_mac);
    sb_out_send(node, &r, ENTRY_AT + sizeof s, SB_PORT_CLIENTS);
    sb_count(node, SB_CTR_STATUS_TX);
}

/* One message of a good frame. False: no more of this frame. */
static bool message(struct sb_node *node, const struct sb_entry *entry, uint64_t number,
                    const uint8_t *msg, uint32_t len)
{
    struct sb_door *door = &node->doors[entry->session];
    const bool login = len > 0 && msg[0] == 'L';
    if (number == 0 && !login) {
        sb_count(node, SB_CTR_BAD_ENTRY); /* a login may go without a number, nothing else */
        return false;
    }
    if (number != 0) {
        if (!door->logged_in && !login) {
            sb_count(node, SB_CTR_NOT_LOGGED_IN);
            return false;
        }
        if (number < door->next_seq) {
            sb_count(node, SB_CTR_ENTRY_RESENT);
            door->status_due = true;
            return true;
        }
        if (number > door->next_seq) {
            sb_count(node, SB_CTR_ENTRY_GAPS);
            tell_gap(node, entry->session);
            return false;
        }
    }
    struct sb_command2 c;
    char symbol[8];
    sb_entry_to_command(msg, len, time_of_next(node), &c, symbol);
    if (number == 0) {
        if (c.c.kind != SB_CMD_LOGIN) {
            sb_count(node, SB_CTR_BAD_ENTRY);
            return false;
        }
        if (door->logged_in && door->login_nonce == (uint64_t)c.c.price &&
            door->login_ipv4 == c.ext.login.ipv4 && door->login_port == c.ext.login.port) {
            door->status_due = true; /* a repeat: the answer is in the session's stream */
            return true;
        }
    }
    if (!door->logged_in && c.c.kind != SB_CMD_LOGIN) { /* a login that cannot be read */
        sb_count(node, SB_CTR_NOT_LOGGED_IN);
        return false;
    }
    c.c.session = entry->session;
    c.c.session_seq = number;
    c.c.firm = node->config->sessions[entry->session].firm;
    if (c.c.kind == SB_CMD_QUOTE)
        c.ext.quote.entry[0].instrument = sb_engine_find_symbol(node->engine, symbol);
    else if (c.c.instrument == SB_INSTRUMENT_NONE)
        c.c.instrument = sb_engine_find_symbol(node->engine, symbol);
    if (c.c.kind == SB_CMD_INVALID)
        sb_count(node, SB_CTR_BAD_MESSAGE);
    add(node, &c);
    sb_count(node, SB_CTR_ENTRY_MESSAGES);
    return true;
}

/* The entry head of a payload whose sb_head is good, if session, token and blocks are. */
static bool check(struct sb_node *node, const uint8_t *p, uint32_t bytes, struct sb_entry *entry)
{
    memcpy(entry, p + ENTRY_AT, sizeof *entry);
    if (entry->session == 0 || entry->session > node->config->sessions_n ||
        entry->session > node->config->limits.sessions_max ||
        !node->config->sessions[entry->session].present ||
        node->config->sessions[entry->session].token != entry->token) {
        sb_count(node, SB_CTR_BAD_TOKEN);
        return false;
    }
    uint32_t at = BLOCKS_AT, len, blocks = 0;
    while (sb_mold_next(p, bytes, &at, &len) != NULL)
        blocks++;
    if (at != bytes || blocks != entry->count || blocks == 0 || entry->zero != 0 ||
        (entry->first_seq == 0 && blocks != 1) || entry->first_seq > UINT64_MAX - blocks) {
        sb_count(node, SB_CTR_BAD_ENTRY);
        return false;
    }
    return true;
}

static void sequence_frame(struct sb_node *node, const uint8_t *p, uint32_t bytes,
                           const struct sb_entry *entry)
{
    uint32_t at = BLOCKS_AT, len;
    uint64_t number = entry->first_seq;
    const uint8_t *msg;
    while ((msg = sb_mold_next(p, bytes, &at, &len)) != NULL) {
        if (!message(node, entry, number, msg, len))
            return;
        number += number != 0;
    }
}

/* --- what a shadow keeps ------------------------------------------------------------------ */

static uint64_t settle(const struct sb_pending *q, uint64_t pos)
{
    const uint64_t at = pos % q->cap;
    return at + KEPT_BYTES_MAX > q->cap ? pos + (q->cap - at) : pos;
}

static struct kept *kept_at(const struct sb_pending *q, uint64_t pos)
{
    return (struct kept *)(void *)(q->ring + pos % q->cap);
}

static uint64_t kept_bytes(const struct kept *k)
{
    return (sizeof *k + k->bytes + 15u) & ~UINT64_C(15);
}

static bool kept_is_old(const struct sb_node *node, const struct kept *k)
{
    struct sb_entry entry;
    memcpy(&entry, (const uint8_t *)(k + 1) + ENTRY_AT, sizeof entry);
    const struct sb_door *door = &node->doors[entry.session];
    return entry.first_seq == 0 ? door->logged_in : entry.first_seq + entry.count <= door->next_seq;
}

void sb_sequencer_forget(struct sb_node *node)
{
    struct sb_pending *q = &node->pending;
    while (q->tail < q->head) {
        const uint64_t at = settle(q, q->tail);
        if (at >= q->head) {
            q->tail = q->head;
        } else {
            const struct kept *k = kept_at(q, at);
            if (!kept_is_old(node, k))
                return;
            q->tail = at + kept_bytes(k);
        }
    }
}

static void keep(struct sb_node *node, const struct sb_datagram *d, const struct sb_entry *entry)
{
    const struct sb_door *door = &node->doors[entry->session];
    if (entry->first_seq != 0 && entry->first_seq + entry->count <= door->next_seq)
        return;
    struct sb_pending *q = &node->pending;
    if (q->cap < 2 * KEPT_BYTES_MAX)
        return;
    q->head = settle(q, q->head);
    while (q->head + KEPT_BYTES_MAX - q->tail > q->cap) { /* the oldest makes room */
        const uint64_t at = settle(q, q->tail);
        q->tail = at >= q->head ? q->head : at + kept_bytes(kept_at(q, at));
    }
    struct kept *k = kept_at(q, q->head);
    *k = (struct kept){.bytes = d->bytes, .src_ipv4 = d->src_ipv4};
    memcpy(k->src_mac, d->src_mac, 6);
    memcpy(k + 1, d->payload, d->bytes);
    q->head += kept_bytes(k);
    sb_count(node, SB_CTR_ENTRY_PENDING);
}

void sb_sequencer_pending(struct sb_node *node)
{
    struct sb_pending *q = &node->pending;
    while (q->tail < q->head) {
        const uint64_t at = settle(q, q->tail);
        if (at >= q->head) {
            q->tail = q->head;
            break;
        }
        const struct kept *k = kept_at(q, at);
        const uint8_t *p = (const uint8_t *)(k + 1);
        struct sb_entry entry;
        memcpy(&entry, p + ENTRY_AT, sizeof entry);
        if (!room(node, entry.count))
            break;
        const uint64_t before = node->ctr[SB_CTR_ENTRY_MESSAGES];
        if (check(node, p, k->bytes, &entry))
            sequence_frame(node, p, k->bytes, &entry);
        node->ctr[SB_CTR_ENTRY_ORPHANS] += node->ctr[SB_CTR_ENTRY_MESSAGES] - before;
        q->tail = at + kept_bytes(k);
    }
    sb_sequencer_close(node);
    if (q->tail == q->head)
        node->draining_pending = false;
}

/* Answers go to the login's return address. What is known of it is kept when the client's frames come from another host; a
 * login may move it. */
static void learn_mac(struct sb_door *door, const struct sb_datagram *d, bool login)
{
    if (door->logged_in && !login && door->src_ipv4 == door->login_ipv4 &&
        d->src_ipv4 != door->login_ipv4)
        return;
    door->src_ipv4 = d->src_ipv4;
    memcpy(door->src_mac, d->src_mac, 6);
}

void sb_sequencer_entry(struct sb_node *node, const struct sb_datagram *d)
{
    const bool owner = sb_role_owns(node);
    if (!owner && node->role != SB_ROLE_SHADOW)
        return;
    struct sb_entry entry;
    if (!check(node, d->payload, d->bytes, &entry))
        return;
    sb_count(node, SB_CTR_ENTRY_FRAMES);
    learn_mac(&node->doors[entry.session], d, entry.first_seq == 0);
    if (!owner || node->draining_pending) {
        keep(node, d, &entry);
        return;
    }
    if (!sb_role_sequences(node) || node->applied < sb_genesis_last(node->config) ||
        !room(node, entry.count)) {
        sb_count(node, SB_CTR_ENTRY_BACKPRESSURE);
        return;
    }
    sequence_frame(node, d->payload, d->bytes, &entry);
}
