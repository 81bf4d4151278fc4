/* Who may do what: REPLICATION.md, the engines' side. The only file that changes a node's role. role_turn.c has what a role
 * does by itself; timers only decide when something is tried, and no rule depends on a clock.
 *
 * Where the rules leave something open, or this goes further than they ask:
 *   Genesis. The rules begin in DUAL. Here a new day's two empty nodes (--new-day, the operator's word that there is no
 *   earlier log) find each other by BOOT and register (1,D) naming each other; a node acts only on PAIROK, the shadow
 *   also on the first STREAM that names it (R16). Two whose engines have other rules do not register. A witness that knows an earlier owner gives no PAIROK: then nobody
 *   serves until the operator restarts it too.
 *   A shadow that is not registered yet repeats REG_DUAL also while arming: the same message that it sent on adopting
 *   the winc (R19), so nothing new is in the network.
 *   CANCEL is answered by PAIROK while the register is DUAL, and repeated until then. LIVE is answered by SOLOOK, and a
 *   primary that was granted SOLO is reminded until it says LIVE: repeats of answers.
 *   A node that hears nobody at all, from one moment on, does not hear the witness either: its word would bind both and never
 *   arrive. A PRIM then resigns (R12), a SHADOW takes its request back (R9) and asks no more while it is so. Both may
 *   be done at any time.
 *   Early release (R4) is not used.
 *   Join (R14). A node that hears of a later owner becomes CATCH at once: it owns, releases, acks nothing. Copying begins
 *   in a life of its own, with a new incarnation and an empty log (node.h).
 *   Pairing (R15). A solo owner releases all the time, so its joiner would always lack the newest of what was released. Once
 *   the joiner is near, what leaves waits for its ack, for as long as it is heard. PAIR's record is asked for when all that
 *   was released is acked, and PAIRING begins when the record is durable.
 *   The witness's log (policy WITNESS; rules W1 to W9 of tests/model/README.md). LIVE tells how far this node's journal
 *   reaches, and how far its log; the witness acks once it has what lies between, and STREAM goes to it at once, marked so that
 *   nobody joins on it. After a restart RESUME needs no record; the inputs that only the witness has come first.
 *   A BOOT that joins may have been told by an old stream, while the witness still binds the pair by a grant of its earlier
 *   life: the life that copies repeats that BOOT's DISCLAIM, word for word, until it is a shadow.
 *   A journal that does not exist is no proof: DISCLAIM is said only by a node that has read the journal of its earlier
 *   lives (a disk may have been replaced). */
#include "replica/role.h"

#include <string.h>

#include "nic/wire/entry.h"

/* A new day's primary may learn of its pairing later than its shadow does: no suspicion before that. */
enum { GENESIS_GRACE_NS = 500000000 };

uint64_t sb_role_retry_ns(const struct sb_node *node)
{
    const uint64_t window = node->config->takeover_after_ns - node->config->suspect_after_ns;
    return window / 8 > 1000 ? window / 8 : 1000;
}

bool sb_role_due(const struct sb_node *node, uint64_t last_ns, uint64_t every_ns)
{
    return last_ns == 0 || node->now_ns - last_ns >= every_ns;
}

static void send_control(struct sb_node *node, uint8_t type, uint64_t epoch, uint32_t role,
                         uint8_t flags, const struct sb_control *c)
{
    uint8_t *p = sb_out_scratch(node);
    if (p == NULL)
        return;
    memcpy(sb_out_head_of(node, p, type, epoch, flags, sizeof *c), c, sizeof *c);
    const struct sb_udp_route r = sb_out_replication_route(node, role);
    sb_out_send(node, &r, sizeof(struct sb_head) + sizeof *c, role);
}

void sb_role_say(struct sb_node *node, uint8_t type, uint32_t role, uint8_t flags,
                 struct sb_control c)
{
    send_control(node, type, node->epoch, role, flags, &c);
}

void sb_role_ask(struct sb_node *node, uint8_t type, uint64_t epoch, struct sb_control c)
{
    c.to = SB_NODE_W;
    c.winc = node->winc;
    send_control(node, type, epoch, SB_PORT_WITNESS, 0, &c);
    node->asked_witness_ns = node->now_ns;
}

static void narrow(struct sb_versions *all, struct sb_versions v)
{
    if (v.max == 0)
        return;
    if (v.max < all->max)
        all->max = v.max;
    if (v.min > all->min)
        all->min = v.min;
}

uint8_t sb_role_version(const struct sb_node *node)
{
    struct sb_versions all = node->own;
    if (node->peers.max == 0 && node->role != SB_ROLE_SOLO) /* not heard yet: what most can read */
        all.max = all.min;
    narrow(&all, node->peers);
    narrow(&all, node->witnesses);
    return all.min <= all.max ? all.max : 0;
}

/* BOOT and HELLO say it. */
static void learn_versions(struct sb_versions *of, const struct sb_control *c)
{
    if (c->version_max != 0 && c->version_min <= c->version_max)
        *of = (struct sb_versions){.min = c->version_min, .max = c->version_max};
}

/* Who writes a version reads it. A frame of a life that was not heard of before says no more than that. */
void sb_role_on_version(struct sb_node *node, const struct sb_head *h)
{
    struct sb_versions *of = h->sender == SB_NODE_W ? &node->witnesses : &node->peers;
    if (of->max == 0)
        of->min = of->max = h->version;
    else if (h->version > of->max)
        of->max = h->version;
    else if (h->version < of->min)
        of->min = h->version;
}

/* --- changes of role ------------------------------------------------------------------------ */

static void set_role(struct sb_node *node, enum sb_role role, uint64_t epoch)
{
    SB_ASSERT_LE(node->epoch, epoch); /* R8: an incarnation's epoch never falls */
    node->role = role;
    node->epoch = epoch;
    if (sb_role_owns(node)) /* as PAIRING it streams under the epoch that it asks for */
        node->stream_epoch = role == SB_ROLE_PAIRING ? sb_next_dual(epoch) : epoch;
}

/* R8, R10, R11, R13, R22: all held inputs are taken as possibly released. */
void sb_role_go_solo(struct sb_node *node, uint64_t epoch, bool by_resign)
{
    const bool was_shadow = node->role == SB_ROLE_SHADOW;
    node->loaded = false; /* from here on it has used a grant of its own */
    set_role(node, SB_ROLE_SOLO, epoch);
    node->arm = SB_ARM_NONE;
    node->asking_solo = node->set_aside = node->pairing = node->handing_over = false;
    node->registered = false;
    node->registered_ns = 0;
    node->live_by_resign = by_resign;
    node->n_star = sb_epoch_kind(epoch) == SB_EPOCH_S ? node->log.len : 0;
    node->gap_since_ns = 0;
    if (node->encode_from > node->log.len + 1)
        node->encode_from = node->log.len + 1; /* the log was shorter than was expected */
    node->peer_inc = node->acked_held = node->acked_verified = node->ack_applied = 0;
    node->peer_durable_n = node->logged_n = 0;
    sb_load_want_record(node, SB_RECORD_SOLO);
    if (was_shadow) {
        node->takeover_until = node->log.len;
        node->draining_pending = true;
        node->live_at_ns = node->now_ns;
        node->live_unsaid = true;
    } else {
        sb_count(node, SB_CTR_WENT_SOLO);
    }
}

void sb_role_cancel(struct sb_node *node)
{
    node->arm = SB_ARM_NONE; /* R9: locally first, then it is sent */
    node->cancel_open = true;
    node->cancels = 0;
    node->asked_witness_ns = 0;
    sb_count(node, SB_CTR_CANCELED);
}

void sb_role_suspect(struct sb_node *node)
{
    node->arm = SB_ARM_ARMING;
    node->k++;
    node->cancel_open = false;
    node->asked_witness_ns = 0;
    node->ctr[SB_CTR_SUSPECT_AT_NS] = node->now_ns;
    sb_count(node, SB_CTR_SUSPECTED);
}

void sb_role_send_resign(struct sb_node *node)
{
    const struct sb_control c = {.to = SB_NODE_CLIENT, .n_last = node->log.len};
    sb_role_say(node, SB_FT_RESIGN, SB_PORT_PEER, 0, c);
    sb_role_say(node, SB_FT_RESIGN, SB_PORT_WITNESS, 0, c);
    node->resign_sent_ns = node->now_ns;
}

/* R12: from here on this incarnation releases nothing. */
void sb_role_resign(struct sb_node *node)
{
    node->open = NULL;
    node->handing_over = false;
    set_role(node, SB_ROLE_RESIGNED, node->epoch);
    node->resigned_ns = node->now_ns;
    sb_role_send_resign(node);
}

/* R15: PAIR's record is durable. No way back but through the witness. */
void sb_role_begin_pairing(struct sb_node *node)
{
    set_role(node, SB_ROLE_PAIRING, node->epoch);
    node->pairing = false;
    node->registered = false;
    node->registered_ns = node->asked_witness_ns = 0;
    node->acked_ns = node->now_ns;
}

void sb_role_refuse_joiner(struct sb_node *node)
{
    node->refused_inc = node->peer_inc;
    node->peer_inc = 0;
    node->pairing = false;
    if (node->record.kind ==
        SB_RECORD_PAIR) /* PAIR was not asked yet: it is an owner alone as before */
        sb_load_want_record(node, SB_RECORD_SOLO);
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
    if (node->role != SB_ROLE_PRIM && !sb_role_follows(node))
        return;
    if (node->arm != SB_ARM_NONE)
        sb_role_cancel(node); /* a grant left behind would bind an owner that continues */
    node->was_owner = !sb_role_follows(node);
    set_role(node, SB_ROLE_DIVERGED, node->epoch);
    node->open = NULL;
}

bool sb_role_is_settled(const struct sb_node *node)
{
    if (node->role != SB_ROLE_SOLO || node->record.kind == SB_RECORD_PAIR)
        return true;
    return sb_load_recorded(node, SB_RECORD_SOLO, node->epoch) ||
           (sb_config_solo_policy(node->config) == SB_SOLO_WITNESS && node->logged_n != 0);
}

void sb_role_resume(struct sb_node *node)
{
    if (node->taking_epoch == 0 || node->log.len < node->taking_n)
        return;
    sb_role_go_solo(node, node->taking_epoch, false);
    node->taking_epoch = 0;
    sb_count(node, SB_CTR_RESUMED);
}

/* R14: a later owner exists. What this node holds is set aside: never released. */
static void retire(struct sb_node *node, const struct sb_head *h)
{
    set_role(node, SB_ROLE_CATCH, h->epoch);
    node->arm = SB_ARM_NONE;
    node->asking_solo = node->copying = node->handing_over = false;
    node->wants_join = true;
    node->join_epoch = h->epoch;
    node->join_inc = h->inc;
    node->open = NULL;
    sb_count(node, SB_CTR_RETIRED);
}

static void begin_genesis(struct sb_node *node, uint64_t epoch, bool primary)
{
    set_role(node, primary ? SB_ROLE_PRIM : SB_ROLE_SHADOW, epoch);
    node->confirmed = true;
    node->registered = true;
    node->heard_ns = node->now_ns + (primary ? 0 : GENESIS_GRACE_NS);
    node->acked_ns = node->now_ns;
}

void sb_role_become_shadow(struct sb_node *node, uint64_t epoch, bool confirmed)
{
    set_role(node, SB_ROLE_SHADOW, epoch);
    node->copying = false;
    node->setup.disclaim_inc = 0;
    node->confirmed = node->registered = confirmed;
    node->registered_ns = 0;
    node->heard_ns = node->now_ns;
    node->gap_since_ns = node->repair_sent_ns = 0; /* being behind was no fault of the owner's */
    node->ack_due = true;
    sb_count(node, SB_CTR_JOINED);
}

/* PAIRING -> PRIM: the witness has paired (R15). */
static void become_primary(struct sb_node *node, uint64_t epoch)
{
    set_role(node, SB_ROLE_PRIM, epoch);
    node->confirmed = node->registered = true;
    node->acked_ns = node->now_ns;
    sb_count(node, SB_CTR_PAIRED);
}

/* --- what arrives ----------------------------------------------------------------------------- */

void sb_role_on_foreign_stream(struct sb_node *node, const struct sb_head *h)
{
    /* After a restart the owner whose log was being copied is a later one, too. */
    const bool again = node->role == SB_ROLE_BOOT && node->loaded &&
                       node->loaded_record.kind == SB_RECORD_JOIN && h->epoch == node->epoch;
    if (h->sender == SB_NODE_W || sb_epoch_kind(h->epoch) == SB_EPOCH_D ||
        (h->epoch <= node->epoch && !again) || (h->flags & SB_FF_VOLATILE) != 0)
        return;
    switch (node->role) {
    case SB_ROLE_BOOT:
    case SB_ROLE_PRIM:
    case SB_ROLE_PAIRING:
    case SB_ROLE_SHADOW:
    case SB_ROLE_RESIGNED:
    case SB_ROLE_CATCH:
    case SB_ROLE_DIVERGED:
        retire(node, h); /* R14 */
        break;
    case SB_ROLE_SOLO: /* R24: only after a FORCE */
        set_role(node, SB_ROLE_HALTED, node->epoch);
        node->open = NULL;
        break;
    case SB_ROLE_HALTED:
    case SB_ROLE_DOWN:
        break;
    }
}

/* R16 for a new day's shadow whose PAIROK was lost: the owner's word suffices. */
void sb_role_confirm_by_stream(struct sb_node *node, const struct sb_head *h,
                               const struct sb_stream *s)
{
    if (node->role == SB_ROLE_BOOT && node->setup.new_day && node->peer_inc == h->inc &&
        node->peer_inc != 0 && s->to_inc == node->inc && h->epoch == sb_make_epoch(1, SB_EPOCH_D) &&
        (h->flags & SB_FF_PAIRED) != 0 && node->config->primary != node->setup.self)
        begin_genesis(node, h->epoch, false);
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
    node->logged_n = 0;      /* the log that an earlier one kept is lost, */
    node->taking_epoch = 0;  /* and so is what was to be taken from it (W7) */
}

static void on_boot(struct sb_node *node, const struct sb_head *h, const struct sb_control *c)
{
    learn_versions(&node->peers, c);
    node->peer_rules = c->rules;
    if (c->rules != node->rules)
        sb_count(node, SB_CTR_OTHER_RULES);
    if (node->role != SB_ROLE_BOOT || !node->setup.new_day || (h->flags & SB_FF_NEW_DAY) == 0 ||
        c->n_last != 0)
        return;
    node->peer_carry_hash = c->k;
    if (node->peer_inc < h->inc)
        node->peer_inc = h->inc;
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

static void on_pairok(struct sb_node *node, const struct sb_head *h, const struct sb_control *c)
{
    if (c->peer_inc != node->peer_inc || node->peer_inc == 0)
        return;
    const bool next = h->epoch == sb_next_dual(node->epoch);
    if (node->role == SB_ROLE_BOOT && node->setup.new_day &&
        h->epoch == sb_make_epoch(1, SB_EPOCH_D))
        begin_genesis(node, h->epoch, node->config->primary == node->setup.self);
    else if (node->role == SB_ROLE_PAIRING && next)
        become_primary(node, h->epoch); /* R15 */
    else if (node->role == SB_ROLE_CATCH && node->copying && next)
        sb_role_become_shadow(node, h->epoch, true); /* R16 */
    else if ((node->role == SB_ROLE_PRIM || node->role == SB_ROLE_SHADOW) &&
             h->epoch == node->epoch)
        node->registered = node->confirmed = true;
}

static void on_witness(struct sb_node *node, const struct sb_head *h, const struct sb_control *c)
{
    learn_witness(node, c->winc);
    if (h->type == SB_FT_HELLO)
        learn_versions(&node->witnesses, c);
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
        if (node->role == SB_ROLE_PRIM &&
            sb_epoch_generation(h->epoch) == sb_epoch_generation(node->epoch) &&
            sb_epoch_kind(h->epoch) == SB_EPOCH_P)
            sb_role_go_solo(node, h->epoch, false); /* R11; LIVE is still to be said */
        else if (node->role == SB_ROLE_SOLO && h->epoch == node->epoch && c->k != 0)
            node->registered = true;
        break;
    case SB_FT_PAIROK:
        on_pairok(node, h, c);
        if (h->epoch == node->epoch && c->k != 0 && c->k >= node->k)
            node->cancel_open = false; /* the register is DUAL again, this nonce is void */
        break;
    case SB_FT_RESUMEOK: /* R22, R24; what the witness has of the log comes first (W7) */
        if (node->role == SB_ROLE_BOOT && sb_epoch_kind(h->epoch) == SB_EPOCH_R &&
            h->epoch > node->epoch && (node->loaded || node->setup.force_solo)) {
            node->taking_epoch = h->epoch;
            node->taking_n = c->n_last;
            sb_role_resume(node);
        }
        break;
    case SB_FT_LOGACK: /* W1 */
        if ((node->role == SB_ROLE_SOLO || node->role == SB_ROLE_PAIRING) &&
            h->epoch == node->epoch && c->n_last > node->logged_n && c->n_last <= node->log.len)
            node->logged_n = c->n_last;
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
    sb_role_resign(node);
    sb_node_stop(node);
}

void sb_node_hand_over(struct sb_node *node)
{
    if (node->role != SB_ROLE_PRIM || node->handing_over || node->stopping)
        return;
    node->handing_over = true;
    node->hand_over_ns = node->now_ns;
}

void sb_node_stop(struct sb_node *node)
{
    node->stopping = true;
}

bool sb_node_wants_join(const struct sb_node *node, uint64_t *epoch, uint64_t *inc)
{
    *epoch = node->join_epoch;
    *inc = node->join_inc;
    return node->wants_join;
}

void sb_node_carry_disclaim(const struct sb_node *node, struct sb_node_setup *next)
{
    const bool boot = node->loaded && sb_config_solo_policy(node->config) != SB_SOLO_MEMORY;
    next->disclaim_inc = boot ? node->inc : node->setup.disclaim_inc;
    next->disclaim_epoch = boot ? node->loaded_record.epoch : node->setup.disclaim_epoch;
    next->disclaim_record = boot ? node->loaded_record.kind : node->setup.disclaim_record;
}
