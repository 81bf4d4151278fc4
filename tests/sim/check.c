#include "tests/sim/check.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "nic/wire/entry.h"
#include "nic/wire/mold.h"
#include "perf/follow.h"
#include "tests/sim/world.h"

static const struct {
    const char *name, *help, *not_;
} checks[] = {
#define SIM_NAME(id, name, help, not_) {name, help, not_},
    SIM_CHECKS(SIM_NAME)
#undef SIM_NAME
};

const char *sim_check_name(enum sim_check check)
{
    return checks[check].name;
}
const char *sim_check_help(enum sim_check check)
{
    return checks[check].help;
}
const char *sim_check_not(enum sim_check check)
{
    return checks[check].not_;
}

void sim_checks_init(struct sim_checks *k)
{
    for (uint32_t s = 0; s < SIM_STREAMS; s++) {
        if (k->tap[s] == NULL)
            k->tap[s] = malloc(SIM_TAP_MAX * sizeof *k->tap[s]);
        SB_ASSERT(k->tap[s] != NULL);
        memset(k->tap[s], 0, (k->tap_end[s] < SIM_TAP_MAX ? SIM_TAP_MAX : 1) * sizeof(uint64_t));
    }
    struct sim_checks fresh = {.forked = UINT64_MAX, .rotten_log = 2};
    fresh.truth.lines = k->truth.lines;
    fresh.truth.packets = k->truth.packets;
    if (fresh.truth.lines == NULL) {
        fresh.truth.lines = malloc(SIM_INPUTS_MAX * 2 * sizeof *fresh.truth.lines);
        fresh.truth.packets = malloc(SIM_INPUTS_MAX * sizeof *fresh.truth.packets);
        SB_ASSERT(fresh.truth.lines != NULL && fresh.truth.packets != NULL);
    }
    memcpy(fresh.tap, k->tap, sizeof fresh.tap);
    for (uint32_t i = 0; i < 2; i++) {
        fresh.heard[i] =
            k->heard[i] != NULL ? k->heard[i] : malloc(SIM_HEARD_MAX * sizeof *fresh.heard[i]);
        SB_ASSERT(fresh.heard[i] != NULL);
    }
    *k = fresh;
}

void sim_fail(struct sim_world *w, enum sim_check check, const char *format, ...)
{
    struct sim_checks *k = &w->checks;
    if (k->failed)
        return;
    k->failed = true;
    k->check = check;
    va_list args;
    va_start(args, format);
    vsnprintf(k->text, sizeof k->text, format, args);
    va_end(args);
}

/* --- each turn -------------------------------------------------------------------------------- */

void sim_check_started(struct sim_world *w, uint32_t i)
{
    struct sim_checks *k = &w->checks;
    const struct sb_node *n = w->node[i];
    k->epoch[i] = n->epoch;
    k->winc[i] = n->winc;
    k->log_len[i] = k->len_before[i] = n->log.len;
    k->resign_at_ns[i] = k->let_go[i] = k->stalled_ns[i] = 0;
    k->heard_n[i] = 0;
    k->timer_n[i] = 0;
    memset(k->orphans[i], 0, sizeof k->orphans[i]);
}

static void heard_resign(struct sim_world *w, uint32_t i, const struct sb_head *h)
{
    const struct sb_node *n = w->node[i];
    if (n->role == SB_ROLE_SHADOW && h->epoch == n->epoch && h->inc == n->peer_inc &&
        w->checks.resign_at_ns[i] == 0)
        w->checks.resign_at_ns[i] = w->now_ns;
}

static void heard_entry(struct sim_world *w, uint32_t i, const struct sb_datagram *d)
{
    struct sim_checks *k = &w->checks;
    struct sb_entry e;
    if ((w->node[i]->role != SB_ROLE_SHADOW && !w->node[i]->draining_pending) ||
        k->heard_n[i] == SIM_HEARD_MAX)
        return;
    uint32_t at = sizeof(struct sb_head), bytes, blocks = 0;
    memcpy(&e, d->payload + at, sizeof e);
    if (e.session == 0 || e.session >= SIM_STREAMS || e.first_seq == 0 ||
        e.token != w->config.sessions[e.session].token || e.first_seq > UINT64_MAX / 2)
        return;
    at += sizeof e;
    while (sb_mold_next(d->payload, d->bytes, &at, &bytes) != NULL)
        blocks++;
    if (blocks == e.count && at == d->bytes)
        k->heard[i][k->heard_n[i]++] =
            (struct sim_heard){.session = e.session, .count = e.count, .first = e.first_seq};
}

void sim_check_heard(struct sim_world *w, uint32_t i, const uint8_t *data, uint32_t len)
{
    struct sb_datagram d;
    struct sb_head h;
    if (sb_udp_parse(data, len, &d) != SB_UDP_OK || !sb_head_read(d.payload, d.bytes, &h))
        return;
    if (h.type == SB_FT_ENTRY && d.dst_port == w->config.orders.port)
        heard_entry(w, i, &d);
    else if (h.type == SB_FT_RESIGN && d.dst_port == w->config.replication.port)
        heard_resign(w, i, &h);
}

/* R12: at once, or when what is missing has had its time. */
static void check_hand_over(struct sim_world *w, uint32_t i)
{
    enum { SLACK_NS = 1000000 };
    const uint64_t at = w->checks.resign_at_ns[i];
    if (at != 0 && w->node[i]->role == SB_ROLE_SHADOW && w->struck[SIM_STEP] == 0 &&
        w->now_ns > at + w->config.gap_after_ns + SLACK_NS)
        sim_fail(w, SIM_CHECK_HAND_OVER, "node %c has heard that its primary resigned, and waits",
                 'A' + i);
}

/* When a shadow has gone live and has taken what it kept: did it take all that it had heard, in order of arrival? */
static void check_orphans(struct sim_world *w, uint32_t i, enum sb_role before)
{
    struct sim_checks *k = &w->checks;
    const struct sb_node *n = w->node[i];
    uint64_t *next = k->orphans[i];
    if (before == SB_ROLE_SHADOW && n->role == SB_ROLE_SOLO)
        for (uint32_t s = 1; s < SIM_STREAMS; s++)
            next[s] = n->doors[s].next_seq;
    if (n->role != SB_ROLE_SOLO || n->draining_pending || next[1] == 0)
        return;
    for (uint32_t f = 0; f < k->heard_n[i] && k->heard_n[i] < SIM_HEARD_MAX; f++) {
        const struct sim_heard *heard = &k->heard[i][f];
        if (n->doors[heard->session].logged_in && heard->first <= next[heard->session] &&
            heard->first + heard->count > next[heard->session])
            next[heard->session] = heard->first + heard->count;
    }
    for (uint32_t s = 1; s < SIM_STREAMS && !sim_condition(w, SIM_RINGS); s++)
        if (n->doors[s].next_seq < next[s])
            sim_fail(w, SIM_CHECK_ORPHANS,
                     "node %c heard session %u up to %" PRIu64 ", its log ends at %" PRIu64,
                     'A' + i, s, next[s] - 1, n->doors[s].next_seq - 1);
    next[1] = 0;
}

/* Has the owner that this shadow follows let go of the stream's messages below `end`? (True when that owner is no more.) */
static bool owner_released(const struct sim_world *w, uint32_t i, uint32_t stream, uint64_t end)
{
    const struct sb_node *owner = w->node[1 - i];
    return owner->inc != w->node[i]->peer_inc || end <= owner->hold.released_seq[stream];
}

/* Does a node release what it sequences now? */
static bool serves(const struct sim_world *w, uint32_t i)
{
    const struct sb_node *n = w->node[i];
    if (!w->host[i].alive || w->now_ns < w->host[i].asleep_until_ns)
        return false;
    return n->role == SB_ROLE_SOLO || n->role == SB_ROLE_PAIRING ||
           (n->role == SB_ROLE_PRIM && n->now_ns - n->acked_ns < n->config->solo_after_ns);
}

static void check_service(struct sim_world *w)
{
    if (w->must_serve_ns == 0 || w->now_ns < w->must_serve_ns)
        return;
    w->must_serve_ns = 0;
    if (!serves(w, 0) && !serves(w, 1))
        sim_fail(w, SIM_CHECK_LIVENESS,
                 "nobody serves after a single fault; roles %d %d, arm %d %d, witness %d",
                 (int)w->node[0]->role, (int)w->node[1]->role, (int)w->node[0]->arm,
                 (int)w->node[1]->arm, (int)w->witness.state);
}

static void check_freed(struct sim_world *w, uint32_t i)
{
    const struct sb_node *n = w->node[i];
    for (uint32_t s = 0; n->role == SB_ROLE_SHADOW && s < SIM_STREAMS; s++)
        if (!owner_released(w, i, s, n->hold.released_seq[s]))
            sim_fail(w, SIM_CHECK_FREED,
                     "node %c let go of stream %u up to %" PRIu64 ", its owner did not", 'A' + i, s,
                     n->hold.released_seq[s] - 1);
}

static void check_owner(struct sim_world *w, uint32_t i, enum sb_role before)
{
    const struct sb_node *n = w->node[i], *other = w->node[1 - i];
    const struct sb_witness *reg = &w->witness;
    if (n->role == SB_ROLE_SOLO && other->role == SB_ROLE_SOLO && w->host[1 - i].alive)
        sim_fail(w, SIM_CHECK_OWNER, "two nodes in SOLO, epochs %" PRIu64 " and %" PRIu64, n->epoch,
                 other->epoch);
    if (sb_role_owns(n) && sb_role_owns(other) && n->epoch == other->epoch)
        sim_fail(w, SIM_CHECK_OWNER, "two owners of epoch %" PRIu64, n->epoch);
    if (n->role == SB_ROLE_SOLO && before != SB_ROLE_SOLO && n->winc == reg->winc &&
        w->checks.winc[i] == n->winc) { /* else it may have been granted before that was learned */
        const uint8_t kind = n->epoch & 3;
        const bool granted = kind == SB_EPOCH_P
                                 ? reg->state == SB_W_SOLO && reg->epoch == n->epoch
                                 : n->live_by_resign || reg->state == SB_W_ARMED ||
                                       (reg->state == SB_W_SOLO && reg->epoch == n->epoch);
        if (!granted)
            sim_fail(w, SIM_CHECK_OWNER,
                     "node %c went alone in epoch %" PRIu64 ", the witness knows nothing of it",
                     'A' + i, n->epoch);
    }
    static const uint32_t harmless = 1u << SIM_DUPLICATE | 1u << SIM_REORDER | 1u << SIM_RATE |
                                     1u << SIM_RINGS | 1u << SIM_WILD | 1u << SIM_DESK;
    if (n->role == SB_ROLE_SOLO && w->struck_n == 0 && (w->schedule.conditions & ~harmless) == 0)
        sim_fail(w, SIM_CHECK_NEEDLESS, "node %c went alone, and nothing was wrong yet", 'A' + i);
    if (reg->state == SB_W_ARMED && reg->k != 0 && n->role == SB_ROLE_SHADOW &&
        n->winc == reg->winc && n->inc == reg->other_inc && n->arm == SB_ARM_NONE &&
        !n->cancel_open)
        sim_fail(w, SIM_CHECK_OWNER, "the witness is armed for node %c, which does not ask",
                 'A' + i);
    if (n->role == SB_ROLE_SHADOW && n->arm == SB_ARM_ARMED && n->winc == reg->winc &&
        w->host[SIM_W].alive && reg->state != SB_W_ARMED && reg->state != SB_W_SOLO)
        sim_fail(w, SIM_CHECK_OWNER, "node %c is armed, the witness is not (I8)", 'A' + i);
}

static void check_release(struct sim_world *w, uint32_t i)
{
    struct sim_checks *k = &w->checks;
    const struct sb_node *n = w->node[i], *shadow = w->node[1 - i];
    if (n->role == SB_ROLE_PRIM && shadow->inc == n->peer_inc) {
        if (n->released > shadow->log.len)
            sim_fail(w, SIM_CHECK_RELEASE, "released %" PRIu64 ", the shadow holds %" PRIu64,
                     n->released, shadow->log.len);
        if (n->config->release == SB_RELEASE_VERIFIED && n->released > shadow->applied)
            sim_fail(w, SIM_CHECK_RELEASE, "released %" PRIu64 ", the shadow applied %" PRIu64,
                     n->released, shadow->applied);
    }
    if (n->role == SB_ROLE_PAIRING && shadow->inc == n->peer_inc && n->released > shadow->log.len)
        sim_fail(w, SIM_CHECK_RELEASE,
                 "released %" PRIu64 " while pairing, the joiner holds %" PRIu64, n->released,
                 shadow->log.len);
    if (sb_role_owns(n) && n->released > k->released)
        k->released = n->released;
    if (n->role == SB_ROLE_SOLO && n->log.len < k->released)
        sim_fail(w, SIM_CHECK_RELEASE,
                 "node %c owns the shard and holds %" PRIu64 ", %" PRIu64 " were released", 'A' + i,
                 n->log.len, k->released);
}

static void count_timers(struct sim_world *w, uint32_t i, enum sb_role before)
{
    struct sim_checks *k = &w->checks;
    const struct sb_node *n = w->node[i];
    const bool later = w->counters[0][SB_CTR_WENT_LIVE] + w->counters[1][SB_CTR_WENT_LIVE] != 0;
    const bool one = n->timer_n != k->timer_n[i];
    k->timer_n[i] = n->timer_n;
    if (w->reach == NULL)
        return;
    w->reach->timers_later += one && later;
    w->reach->timers_underway += before == SB_ROLE_SHADOW && n->role == SB_ROLE_SOLO &&
                                 w->node[1 - i]->timer_n > k->released;
}

void sim_check_turn(struct sim_world *w, uint32_t i, enum sb_role before)
{
    struct sim_checks *k = &w->checks;
    const struct sb_node *n = w->node[i], *other = w->node[1 - i];
    if (n->epoch < k->epoch[i])
        sim_fail(w, SIM_CHECK_EPOCH, "node %c's epoch fell from %" PRIu64 " to %" PRIu64, 'A' + i,
                 k->epoch[i], n->epoch);
    if (n->role == SB_ROLE_SOLO && before != SB_ROLE_SOLO && n->epoch == k->epoch[i])
        sim_fail(w, SIM_CHECK_EPOCH, "node %c went alone without a new epoch", 'A' + i);
    k->epoch[i] = n->epoch;
    if (n->log.len < k->log_len[i])
        sim_fail(w, SIM_CHECK_HELD, "node %c's log became shorter", 'A' + i);
    k->log_len[i] = n->log.len;
    if (n->role == SB_ROLE_SOLO && k->forked == UINT64_MAX)
        k->forked = k->released;
    count_timers(w, i, before);
    check_owner(w, i, before);
    k->winc[i] = n->winc;
    sim_check_disk_turn(w, i, before);
    check_release(w, i);
    check_orphans(w, i, before);
    check_freed(w, i);
    check_hand_over(w, i);
    check_service(w);
    if (!k->flipped && n->applied == other->applied && n->digest != other->digest &&
        n->applied <= k->released && n->applied <= k->forked && !k->lost)
        sim_fail(w, SIM_CHECK_DIGEST, "two digests at %" PRIu64, n->applied);
    if (!k->flipped && w->counters[i][SB_CTR_DIGEST_DIFFERENT] != 0)
        sim_fail(w, SIM_CHECK_DIGEST, "node %c saw two digests, and no bit was flipped", 'A' + i);
}

/* --- each frame ------------------------------------------------------------------------------- */

static void tap(struct sim_world *w, uint32_t i, uint32_t stream, uint64_t seq, const uint8_t *msg,
                uint32_t len)
{
    struct sim_checks *k = &w->checks;
    if (seq == 0 || seq >= SIM_TAP_MAX) {
        sim_fail(w, SIM_CHECK_CONTENT, "stream %u has a message %" PRIu64, stream, seq);
        return;
    }
    const uint64_t hash = sb_follow_hash(msg, len);
    uint64_t *at = &k->tap[stream][seq];
    if (*at != 0 && *at != hash && !k->lost)
        sim_fail(w, SIM_CHECK_CONTENT,
                 "node %c: stream %u message %" PRIu64 " ('%c') was something else before", 'A' + i,
                 stream, seq, msg[0]);
    k->tapped += *at == 0;
    *at = hash;
    if (seq >= k->tap_end[stream])
        k->tap_end[stream] = seq + 1;
}

static void check_ours(struct sim_world *w, uint32_t i, const struct sb_head *h,
                       const uint8_t *body)
{
    struct sim_checks *k = &w->checks;
    const struct sb_node *n = w->node[i];
    if (h->type == SB_FT_ACK) {
        struct sb_ack a;
        memcpy(&a, body, sizeof a);
        if (a.held > n->log.len || a.applied > a.held)
            sim_fail(w, SIM_CHECK_HELD, "node %c acks %" PRIu64 " and holds %" PRIu64, 'A' + i,
                     a.held, n->log.len);
        if (a.applied > n->applied || (a.applied == n->applied && a.digest != n->digest))
            sim_fail(w, SIM_CHECK_HELD, "node %c acks %" PRIu64 " as applied, and is at %" PRIu64,
                     'A' + i, a.applied, n->applied);
        if (n->role == SB_ROLE_SOLO)
            sim_fail(w, SIM_CHECK_HELD, "node %c acks, and is live (R8)", 'A' + i);
        if (h->epoch != n->epoch)
            sim_fail(w, SIM_CHECK_EPOCH, "node %c acks epoch %" PRIu64 ", which it left", 'A' + i,
                     h->epoch);
    }
    sim_check_disk_frame(w, i, h, body);
    if (h->type == SB_FT_STATUS) {
        struct sb_status s;
        memcpy(&s, body, sizeof s);
        if (s.session < SIM_STREAMS && s.safe > k->safe[s.session])
            k->safe[s.session] = s.safe;
    }
}

void sim_check_frame(struct sim_world *w, uint32_t i, enum sb_role before, const uint8_t *data,
                     uint32_t len)
{
    const struct sb_config *c = &w->config;
    struct sb_datagram d;
    struct sb_head h;
    struct sb_mold_head mold;
    if (sb_udp_parse(data, len, &d) != SB_UDP_OK)
        return; /* ARP, or a frame that rotted while it was held: its receiver drops it */
    if (sb_head_read(d.payload, d.bytes, &h)) {
        check_ours(w, i, &h, d.payload + sizeof h);
        return;
    }
    if ((d.dst_ipv4 != c->client.ipv4 && d.dst_ipv4 != c->feed_a.ipv4) ||
        !sb_mold_read(d.payload, d.bytes, &mold))
        return;
    const int32_t stream = sb_stream_of_name(mold.name);
    char name[SB_MOLD_NAME_BYTES];
    if (stream >= 0 && stream < SIM_STREAMS)
        sb_stream_name(name, c->shard, c->trading_day, c->generation, (uint32_t)stream);
    if (stream < 0 || stream >= SIM_STREAMS || memcmp(name, mold.name, sizeof name) != 0) {
        sim_fail(w, SIM_CHECK_CONTENT, "node %c: a stream of a wrong name", 'A' + i);
        return;
    }
    const enum sb_role now = w->node[i]->role;
    if (mold.count > 0 && before == now &&
        (now == SB_ROLE_BOOT || now == SB_ROLE_CATCH || now == SB_ROLE_DIVERGED ||
         now == SB_ROLE_RESIGNED || now == SB_ROLE_HALTED ||
         (now == SB_ROLE_SHADOW && !owner_released(w, i, (uint32_t)stream, mold.seq + mold.count))))
        sim_fail(w, SIM_CHECK_SILENT, "node %c in role %d sends outputs", 'A' + i, (int)now);
    if (mold.count > 0 && mold.seq + mold.count > w->node[i]->hold.released_seq[stream])
        sim_fail(w, SIM_CHECK_RELEASE, "node %c: stream %d message %" PRIu64 " is not released yet",
                 'A' + i, stream, mold.seq + mold.count - 1);
    if (stream != SB_STREAM_FEED && d.dst_port != SB_CLIENT_PORT_BASE + stream)
        sim_fail(w, SIM_CHECK_CLIENT, "node %c sends stream %d to port %u", 'A' + i, stream,
                 d.dst_port);
    uint32_t at = SB_MOLD_HEAD_BYTES, bytes;
    const uint8_t *msg;
    for (uint64_t seq = mold.seq; (msg = sb_mold_next(d.payload, d.bytes, &at, &bytes)) != NULL;
         seq++)
        tap(w, i, (uint32_t)stream, seq, msg, bytes);
}
