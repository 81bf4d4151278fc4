/* Who may do what: REPLICATION.md, the engines' side. The only file that changes a node's role.
 *
 * Timers only decide when something is tried; no rule depends on a clock.
 *
 * Where the rules leave something open, or this goes further than they ask:
 *   Genesis. The rules begin in DUAL. Here a new day's two empty nodes (--new-day, the operator's word that there is no
 *   earlier log) find each other by BOOT and register (1,D) naming each other; a node acts only on PAIROK, the shadow
 *   also on the first STREAM that names it (R16). A witness that knows an earlier owner gives no PAIROK: then nobody
 *   serves until the operator restarts it too.
 *   A shadow that is not registered yet repeats REG_DUAL also while arming: the same message that it sent on adopting
 *   the winc (R19), so nothing new is in the network.
 *   CANCEL is answered by PAIROK while the register is DUAL, and repeated until then. LIVE is answered by SOLOOK, and a
 *   primary that was granted SOLO is reminded until it says LIVE: repeats of answers.
 *   A node that hears nobody at all, from one moment on, does not hear the witness either: its word would bind both and never
 *   arrive. A PRIM then resigns (R12), a SHADOW takes its request back (R9) and asks no more while it is so. Both may
 *   be done at any time.
 *   Early release (R4) is not used. PAIR, RESUME, DISCLAIM, JOIN's copy: with journal and rejoin. */
#include <string.h>

#include "nic/wire/entry.h"
#include "replica/node_state.h"

enum { BOOT_EVERY_NS = 2000000, STOP_AT_MOST_NS = 1000000000 };
/* An unanswered CANCEL is repeated quickly at first, then for as long as it takes at this pace. */
enum { CANCEL_QUICK = 8, CANCEL_EVERY_NS = 10000000 };
/* Nothing on the ports towards peer and witness for so long, though the witness (HELLO every 20 ms) was there shortly
 * before. Resigning cannot be taken back: a witness that stands still just when the shadow dies must not cause it. */
enum { DEAF_SHADOW_NS = 100000000, DEAF_PRIMARY_NS = 300000000, HELLO_AT_MOST_NS = 100000000 };
/* A new day's primary may learn of its pairing later than its shadow does: no suspicion before that. */
enum { GENESIS_GRACE_NS = 500000000 };

static uint64_t generation(uint64_t epoch)
{
    return epoch >> 2;
}
static enum sb_epoch_kind kind(uint64_t epoch)
{
    return (enum sb_epoch_kind)(epoch & 3u);
}
static uint64_t make_epoch(uint64_t gen, enum sb_epoch_kind k)
{
    return gen << 2 | k;
}

/* Requests repeat until answered or obsolete, some times within T2 - T1. */
static uint64_t retry_ns(const struct sb_node *node)
{
    const uint64_t window = node->config->takeover_after_ns - node->config->suspect_after_ns;
    return window / 8 > 1000 ? window / 8 : 1000;
}

static void send_control(struct sb_node *node, uint8_t type, struct sb_control *c, uint32_t role,
                         uint8_t flags)
{
    uint8_t *p = sb_out_scratch(node);
    if (p == NULL)
        return;
    memcpy(sb_out_head(node, p, type, flags, sizeof *c), c, sizeof *c);
    const struct sb_udp_route r = sb_out_replication_route(node, role);
    sb_out_send(node, &r, sizeof(struct sb_head) + sizeof *c, role);
}

static void ask_witness(struct sb_node *node, uint8_t type, struct sb_control c)
{
    c.to = SB_NODE_W;
    c.winc = node->winc;
    send_control(node, type, &c, SB_PORT_WITNESS, 0);
    node->asked_witness_ns = node->now_ns;
}

/* --- changes of role ------------------------------------------------------------------------ */

static void set_role(struct sb_node *node, enum sb_role role, uint64_t epoch)
{
    SB_ASSERT_LE(node->epoch, epoch); /* R8: an incarnation's epoch never falls */
    node->role = role;
    node->epoch = epoch;
}

/* R8, R10, R11, R13 under MEMORY: all held inputs are taken as possibly released. */
static void go_solo(struct sb_node *node, uint64_t epoch, bool by_resign)
{
    const bool was_shadow = node->role == SB_ROLE_SHADOW;
    set_role(node, SB_ROLE_SOLO, epoch);
    node->arm = SB_ARM_NONE;
    node->asking_solo = node->set_aside = false;
    node->registered = false;
    node->registered_ns = 0;
    node->live_by_resign = by_resign;
    node->n_star = node->log.len;
    node->gap_since_ns = 0;
    if (was_shadow) {
        node->takeover_until = node->n_star;
        node->draining_pending = true;
        node->live_at_ns = node->now_ns;
        node->live_unsaid = true;
    } else {
        sb_count(node, SB_CTR_WENT_SOLO);
    }
}

static void tell_live(struct sb_node *node)
{
    ask_witness(node, SB_FT_LIVE, (struct sb_control){.by_resign = node->live_by_resign});
}

static void cancel(struct sb_node *node)
{
    node->arm = SB_ARM_NONE; /* R9: locally first, then it is sent */
    node->cancel_open = true;
    node->cancels = 0;
    node->asked_witness_ns = 0;
    sb_count(node, SB_CTR_CANCELED);
}

void sb_role_diverged(struct sb_node *node)
{
    if (node->role == SB_ROLE_PRIM && node->config->divergence == SB_DIVERGENCE_PRIMARY_CONTINUES) {
        if (node->set_aside)
            return;
        node->set_aside = true; /* releases nothing more on this shadow's word */
        node->asking_solo = true;
        node->acked_verified = node->acked_held = node->released;
        node->asked_witness_ns = 0;
        return;
    }
    if (node->role != SB_ROLE_PRIM && node->role != SB_ROLE_SHADOW)
        return;
    if (node->arm != SB_ARM_NONE)
        cancel(node); /* a grant left behind would bind an owner that continues */
    node->was_owner = node->role == SB_ROLE_PRIM;
    set_role(node, SB_ROLE_DIVERGED, node->epoch);
    node->open = NULL;
}

/* R14: a later owner exists. What this node holds above is set aside: kept in memory, never released. */
static void retire(struct sb_node *node, uint64_t epoch)
{
    set_role(node, SB_ROLE_CATCH, epoch);
    node->arm = SB_ARM_NONE;
    node->asking_solo = false;
    node->open = NULL;
    sb_count(node, SB_CTR_RETIRED);
}

static void become_paired(struct sb_node *node, uint64_t epoch, bool primary)
{
    set_role(node, primary ? SB_ROLE_PRIM : SB_ROLE_SHADOW, epoch);
    node->confirmed = true;
    node->registered = true;
    node->heard_ns = node->now_ns + (primary ? 0 : GENESIS_GRACE_NS);
    node->acked_ns = node->now_ns;
}

/* --- what arrives ----------------------------------------------------------------------------- */

void sb_role_on_foreign_stream(struct sb_node *node, const struct sb_head *h)
{
    if (kind(h->epoch) == SB_EPOCH_D || h->epoch <= node->epoch)
        return;
    switch (node->role) {
    case SB_ROLE_PRIM:
    case SB_ROLE_PAIRING:
    case SB_ROLE_SHADOW:
    case SB_ROLE_RESIGNED:
    case SB_ROLE_CATCH:
    case SB_ROLE_DIVERGED:
        retire(node, h->epoch); /* R14 */
        break;
    case SB_ROLE_SOLO: /* R24: only after a FORCE; halts at once */
        retire(node, h->epoch);
        break;
    case SB_ROLE_BOOT:
    case SB_ROLE_DOWN:
        break; /* joining needs the catch-up transfer: stays BOOT, owns nothing */
    }
}

/* R16 for a new day's shadow whose PAIROK was lost: the owner's word suffices. */
void sb_role_confirm_by_stream(struct sb_node *node, const struct sb_head *h,
                               const struct sb_stream *s)
{
    if (node->role == SB_ROLE_BOOT && node->setup.new_day && node->peer_inc == h->inc &&
        node->peer_inc != 0 && s->to_inc == node->inc && h->epoch == make_epoch(1, SB_EPOCH_D) &&
        (h->flags & SB_FF_PAIRED) != 0 && node->config->primary != node->setup.self)
        become_paired(node, h->epoch, false);
}

void sb_role_on_owner_heard(struct sb_node *node)
{
    node->heard_ns = node->now_ns;
    node->ctr[SB_CTR_LAST_HEARD_NS] = node->now_ns;
}

/* R19: a new incarnation of the witness voids every request and grant of older ones. */
static void learn_witness(struct sb_node *node, uint64_t winc)
{
    if (winc <= node->winc || node->role == SB_ROLE_RESIGNED)
        return;
    if (node->role == SB_ROLE_SHADOW && node->arm == SB_ARM_ARMED)
        return; /* adopts after CANCEL or after going live */
    node->winc = winc;
    node->registered = false;
    node->asking_solo = false;
    node->cancel_open = false;
    if (node->role == SB_ROLE_SHADOW)
        node->arm = SB_ARM_NONE;
    node->registered_ns = 0; /* register now */
}

static void on_boot(struct sb_node *node, const struct sb_head *h, const struct sb_control *c)
{
    if (node->role != SB_ROLE_BOOT || !node->setup.new_day || (h->flags & SB_FF_NEW_DAY) == 0 ||
        c->n_last != 0)
        return;
    if (node->peer_inc < h->inc) {
        node->peer_inc = h->inc;
    }
}

static void on_resign(struct sb_node *node, const struct sb_head *h, const struct sb_control *c)
{
    if (node->role != SB_ROLE_SHADOW || h->epoch != node->epoch || h->inc != node->peer_inc ||
        node->resign_heard)
        return;
    node->resign_heard = true;
    node->resign_n_last = c->n_last;
    node->resign_at_ns = node->now_ns;
    if (node->ctr[SB_CTR_SUSPECT_AT_NS] == 0 || node->arm == SB_ARM_NONE)
        node->ctr[SB_CTR_SUSPECT_AT_NS] = node->now_ns;
}

static void on_witness(struct sb_node *node, const struct sb_head *h, const struct sb_control *c)
{
    learn_witness(node, c->winc);
    if (h->type == SB_FT_HELLO || c->to != node->setup.self || c->to_inc != node->inc ||
        c->winc != node->winc)
        return; /* R9, R11: epoch, incarnations, nonce and winc must all match */
    switch (h->type) {
    case SB_FT_ARMOK:
        if (node->role == SB_ROLE_SHADOW && node->arm == SB_ARM_ARMING && h->epoch == node->epoch &&
            c->k == node->k)
            node->arm = SB_ARM_ARMED;
        break;
    case SB_FT_SOLOOK:
        if (node->role == SB_ROLE_PRIM && generation(h->epoch) == generation(node->epoch) &&
            kind(h->epoch) == SB_EPOCH_P)
            go_solo(node, h->epoch, false); /* R11 */
        if (node->role == SB_ROLE_SOLO && h->epoch == node->epoch)
            node->registered = true;
        break;
    case SB_FT_PAIROK:
        if (node->role == SB_ROLE_BOOT && node->setup.new_day && c->peer_inc == node->peer_inc &&
            node->peer_inc != 0 && h->epoch == make_epoch(1, SB_EPOCH_D))
            become_paired(node, h->epoch, node->config->primary == node->setup.self);
        else if ((node->role == SB_ROLE_PRIM || node->role == SB_ROLE_SHADOW) &&
                 h->epoch == node->epoch && c->peer_inc == node->peer_inc)
            node->registered = node->confirmed = true;
        if (h->epoch == node->epoch && c->k != 0 && c->k >= node->k)
            node->cancel_open = false; /* the register is DUAL again, this nonce is void */
        break;
    default:
        break;
    }
}

void sb_role_on_control(struct sb_node *node, const struct sb_head *h, const struct sb_control *c)
{
    if (h->sender == SB_NODE_W) {
        node->witness_heard_ns = node->now_ns;
        on_witness(node, h, c);
        return;
    }
    if (h->type == SB_FT_BOOT)
        on_boot(node, h, c);
    else if (h->type == SB_FT_RESIGN)
        on_resign(node, h, c);
}

/* --- timers ----------------------------------------------------------------------------------- */

static bool due(const struct sb_node *node, uint64_t last_ns, uint64_t every_ns)
{
    return last_ns == 0 || node->now_ns - last_ns >= every_ns;
}

/* R19: what this node says to a witness that does not know it yet. */
static void register_turn(struct sb_node *node)
{
    if (node->registered || node->winc == 0 || !due(node, node->registered_ns, retry_ns(node)))
        return;
    node->registered_ns = node->now_ns;
    if (node->role == SB_ROLE_SOLO) {
        tell_live(node);
    } else if (node->role == SB_ROLE_PRIM ||
               (node->role == SB_ROLE_SHADOW && node->arm != SB_ARM_ARMED)) {
        ask_witness(
            node, SB_FT_REG_DUAL,
            (struct sb_control){.peer_inc = node->peer_inc, .role = node->role == SB_ROLE_SHADOW});
    }
}

static void boot_turn(struct sb_node *node)
{
    if (!due(node, node->boot_sent_ns, BOOT_EVERY_NS))
        return;
    node->boot_sent_ns = node->now_ns;
    struct sb_control c = {.to = SB_NODE_CLIENT, .winc = node->winc};
    const uint8_t flags = node->setup.new_day ? SB_FF_NEW_DAY : 0;
    send_control(node, SB_FT_BOOT, &c, SB_PORT_PEER, flags);
    if (!node->setup.new_day || node->peer_inc == 0 || node->winc == 0)
        return;
    /* Genesis: two empty nodes that name each other, confirmed by the witness before either acts. */
    uint8_t *p = sb_out_scratch(node);
    if (p == NULL)
        return;
    c = (struct sb_control){.to = SB_NODE_W,
                            .winc = node->winc,
                            .peer_inc = node->peer_inc,
                            .role = node->config->primary != node->setup.self};
    uint8_t *body = sb_head_put(p, SB_FT_REG_DUAL, node->config->shard, make_epoch(1, SB_EPOCH_D),
                                node->inc, node->setup.self, 0, sizeof c);
    memcpy(body, &c, sizeof c);
    const struct sb_udp_route r = sb_out_replication_route(node, SB_PORT_WITNESS);
    sb_out_send(node, &r, sizeof(struct sb_head) + sizeof c, SB_PORT_WITNESS);
}

/* How long has the owner been silent, or a hole been open beyond what repair may take? */
static uint64_t silence_ns(const struct sb_node *node)
{
    const uint64_t silent = node->now_ns > node->heard_ns ? node->now_ns - node->heard_ns : 0;
    if (node->gap_since_ns == 0 || node->now_ns - node->gap_since_ns < node->config->gap_after_ns)
        return silent;
    const uint64_t gap = node->now_ns - node->gap_since_ns - node->config->gap_after_ns +
                         node->config->suspect_after_ns;
    return gap > silent ? gap : silent;
}

static bool deaf(const struct sb_node *node, uint64_t after_ns)
{
    return node->now_ns - node->port_heard_ns >= after_ns &&
           node->port_heard_ns - node->witness_heard_ns <= HELLO_AT_MOST_NS;
}

static void suspect(struct sb_node *node)
{
    node->arm = SB_ARM_ARMING;
    node->k++;
    node->cancel_open = false;
    node->asked_witness_ns = 0;
    node->ctr[SB_CTR_SUSPECT_AT_NS] = node->now_ns;
    sb_count(node, SB_CTR_SUSPECTED);
}

static void cancel_turn(struct sb_node *node)
{
    const uint64_t slow_ns = retry_ns(node) > CANCEL_EVERY_NS ? retry_ns(node) : CANCEL_EVERY_NS;
    if (node->arm != SB_ARM_NONE || !node->cancel_open || node->winc == 0 ||
        !due(node, node->asked_witness_ns, node->cancels < CANCEL_QUICK ? retry_ns(node) : slow_ns))
        return;
    if (node->cancels < CANCEL_QUICK)
        node->cancels++;
    ask_witness(node, SB_FT_CANCEL, (struct sb_control){.k = node->k});
}

static void shadow_turn(struct sb_node *node)
{
    if (node->resign_heard) { /* R12 */
        if (node->log.len >= node->resign_n_last ||
            node->now_ns - node->resign_at_ns >= node->config->gap_after_ns)
            go_solo(node, make_epoch(generation(node->epoch), SB_EPOCH_S), true);
        return;
    }
    const uint64_t silent = silence_ns(node);
    if (silent < node->config->suspect_after_ns) {
        if (node->arm != SB_ARM_NONE)
            cancel(node);
    } else if (deaf(node, DEAF_SHADOW_NS)) {
        if (node->arm == SB_ARM_ARMING) {
            sb_count(node, SB_CTR_DEAF);
            cancel(node);
        }
    } else if (node->arm == SB_ARM_NONE && !node->stopping) {
        suspect(node);
    }
    if (node->arm == SB_ARM_ARMED && silent >= node->config->takeover_after_ns) {
        go_solo(node, make_epoch(generation(node->epoch), SB_EPOCH_S), false); /* R10 */
        return;
    }
    if (node->arm == SB_ARM_ARMING && node->winc != 0 &&
        due(node, node->asked_witness_ns, retry_ns(node)))
        ask_witness(node, SB_FT_ARM, (struct sb_control){.k = node->k, .peer_inc = node->peer_inc});
    cancel_turn(node);
}

static void send_resign(struct sb_node *node)
{
    struct sb_control c = {.to = SB_NODE_CLIENT, .n_last = node->log.len};
    send_control(node, SB_FT_RESIGN, &c, SB_PORT_PEER, 0);
    send_control(node, SB_FT_RESIGN, &c, SB_PORT_WITNESS, 0);
    node->resign_sent_ns = node->now_ns;
}

/* R12: from here on this incarnation releases nothing. */
static void resign(struct sb_node *node)
{
    node->open = NULL;
    set_role(node, SB_ROLE_RESIGNED, node->epoch);
    node->resigned_ns = node->now_ns;
    send_resign(node);
}

static void primary_turn(struct sb_node *node)
{
    const uint64_t silent = node->now_ns - node->acked_ns;
    const bool gone = silent >= node->config->solo_after_ns || node->set_aside;
    if (gone)
        node->asking_solo = true;
    else if (silent < node->config->suspect_after_ns)
        node->asking_solo =
            false; /* the shadow is back; a grant given meanwhile is repeated by the witness */
    if (node->asking_solo && !node->set_aside && deaf(node, DEAF_PRIMARY_NS)) {
        sb_count(node, SB_CTR_DEAF);
        resign(node);
        return;
    }
    if (node->asking_solo && node->registered && due(node, node->asked_witness_ns, retry_ns(node)))
        ask_witness(node, SB_FT_SOLOREQ, (struct sb_control){.peer_inc = node->peer_inc});
}

static void stop_turn(struct sb_node *node)
{
    if (node->stop_at_ns == 0)
        node->stop_at_ns = node->now_ns;
    const bool late = node->now_ns - node->stop_at_ns >= STOP_AT_MOST_NS;
    switch (node->role) {
    case SB_ROLE_PRIM: /* everything sequenced is answered first; then the shadow is told */
        if (late || (node->released == node->log.len && sb_hold_peek(&node->hold) == NULL)) {
            resign(node);
        }
        break;
    case SB_ROLE_RESIGNED:
        node->stopped = late;
        break;
    case SB_ROLE_SOLO:
        node->stopped = late || node->released == node->log.len;
        break;
    case SB_ROLE_SHADOW:
        if (node->arm != SB_ARM_NONE)
            cancel(node);
        node->stopped = (node->applied == node->log.len && !node->cancel_open) || late;
        break;
    default:
        node->stopped = true;
        break;
    }
}

void sb_role_say_live(struct sb_node *node)
{
    node->live_unsaid = false;
    node->ctr[SB_CTR_UNVERIFIED] += node->n_star - node->compared_n;
    node->ctr[SB_CTR_DECIDE_AT_NS] = node->live_at_ns;
    sb_count(node, SB_CTR_WENT_LIVE);
}

/* R12, before anything else can leave: the shadow holds all that was released, and is whole. */
void sb_role_damaged(struct sb_node *node)
{
    SB_ASSERT_EQ(node->role, SB_ROLE_PRIM);
    resign(node);
    sb_node_stop(node);
}

void sb_role_turn(struct sb_node *node)
{
    switch (node->role) {
    case SB_ROLE_BOOT:
        boot_turn(node);
        break;
    case SB_ROLE_SHADOW:
        shadow_turn(node);
        if (node->live_unsaid)
            return; /* what was held back leaves first */
        break;
    case SB_ROLE_PRIM:
        primary_turn(node);
        break;
    case SB_ROLE_DIVERGED:
        cancel_turn(node);
        break;
    case SB_ROLE_RESIGNED: /* may have been lost: said again for a while */
        if (node->now_ns - node->resigned_ns < STOP_AT_MOST_NS &&
            due(node, node->resign_sent_ns, node->config->heartbeat_ns))
            send_resign(node);
        break;
    default:
        break;
    }
    register_turn(node);
    if (node->stopping)
        stop_turn(node);
}
