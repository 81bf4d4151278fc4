/* What each role does by itself: requests that repeat, silence that is noticed, stops. Timers only decide when something
 * is tried. */
#include <string.h>

#include "nic/wire/entry.h"
#include "replica/role.h"

enum { BOOT_EVERY_NS = 2000000, STOP_AT_MOST_NS = 1000000000 };
/* An unanswered CANCEL is repeated quickly at first, then for as long as it takes at this pace. */
enum { CANCEL_QUICK = 8, CANCEL_EVERY_NS = 10000000 };
/* Nothing on the ports towards peer and witness for so long, though the witness (HELLO every 20 ms) was there shortly
 * before. Resigning cannot be taken back: a witness that stands still just when the shadow dies must not cause it. */
enum { DEAF_SHADOW_NS = 100000000, DEAF_PRIMARY_NS = 300000000, HELLO_AT_MOST_NS = 100000000 };
/* A joiner this near, in inputs, will have caught up within a round trip. */
enum { JOINER_NEAR = 1024 };
/* The operator's word is asked of the witness for so long; then it is enough by itself. */
enum { FORCE_ALONE_NS = 2000000000 };

/* R19: what this node says to a witness that does not know it yet. */
static void register_turn(struct sb_node *node)
{
    if (node->registered || node->winc == 0 ||
        !sb_role_due(node, node->registered_ns, sb_role_retry_ns(node)))
        return;
    node->registered_ns = node->now_ns;
    if (node->role == SB_ROLE_SOLO) {
        sb_role_ask(node, SB_FT_LIVE, node->epoch,
                    (struct sb_control){.k = node->durable_n,
                                        .n_last = node->log.len,
                                        .old_epoch = node->lineage,
                                        .by_resign = node->live_by_resign});
    } else if (node->role == SB_ROLE_PRIM || node->role == SB_ROLE_PAIRING ||
               (node->role == SB_ROLE_SHADOW && node->arm != SB_ARM_ARMED)) {
        const bool shadow = node->role == SB_ROLE_SHADOW;
        sb_role_ask(node, SB_FT_REG_DUAL, shadow ? node->epoch : node->stream_epoch,
                    (struct sb_control){.peer_inc = node->peer_inc, .role = shadow});
    }
}

/* --- BOOT ----------------------------------------------------------------------------------- */

/* R24: the operator's word; where there is no witness to take it, by itself. */
static void force_turn(struct sb_node *node)
{
    if (node->forced_since_ns == 0)
        node->forced_since_ns = node->now_ns;
    const struct sb_node_record *r = &node->loaded_record;
    const bool heard =
        node->witness_heard_ns != 0 && node->now_ns - node->witness_heard_ns < FORCE_ALONE_NS;
    if (heard)
        sb_role_ask(node, SB_FT_FORCE, node->epoch,
                    (struct sb_control){
                        .record = r->kind, .n_last = node->log.len, .old_epoch = node->lineage});
    else if (node->now_ns - node->forced_since_ns >= FORCE_ALONE_NS) {
        sb_count(node, SB_CTR_FORCED);
        sb_role_go_solo(node, sb_make_epoch(sb_epoch_generation(node->epoch) + 1, SB_EPOCH_R),
                        false);
    }
}

/* R22, R23: it asks. Under policy MEMORY an owner used its grant without a record. */
static void resume_turn(struct sb_node *node)
{
    const struct sb_node_record *r = &node->loaded_record;
    if (!node->loaded || node->winc == 0 || sb_config_solo_policy(node->config) == SB_SOLO_MEMORY)
        return;
    const struct sb_control c = {
        .record = r->kind, .n_last = node->log.len, .old_epoch = node->lineage};
    const bool witness_log = sb_config_solo_policy(node->config) == SB_SOLO_WITNESS;
    if (r->kind == SB_RECORD_SOLO || r->kind == SB_RECORD_PAIR || witness_log)
        sb_role_ask(node, SB_FT_RESUME, r->epoch, c);
    sb_role_ask(node, SB_FT_DISCLAIM, r->epoch, c);
}

/* Genesis: two empty nodes that name each other, confirmed by the witness before either acts. */
static void genesis_turn(struct sb_node *node)
{
    if (node->peer_inc == 0 || node->winc == 0 || sb_role_version(node) == 0 ||
        node->peer_rules != node->rules || node->peer_carry_hash != node->carry_hash)
        return;
    sb_role_ask(node, SB_FT_REG_DUAL, sb_make_epoch(1, SB_EPOCH_D),
                (struct sb_control){.peer_inc = node->peer_inc,
                                    .role = node->config->primary != node->setup.self});
}

static void boot_turn(struct sb_node *node)
{
    if (!sb_role_due(node, node->boot_sent_ns, BOOT_EVERY_NS))
        return;
    node->boot_sent_ns = node->now_ns;
    sb_role_say(node, SB_FT_BOOT, SB_PORT_PEER, node->setup.new_day ? SB_FF_NEW_DAY : 0,
                (struct sb_control){.to = SB_NODE_CLIENT,
                                    .winc = node->winc,
                                    .k = node->setup.new_day ? node->carry_hash : 0,
                                    .n_last = node->log.len,
                                    .old_epoch = node->digest,
                                    .record = node->loaded_record.kind,
                                    .version_min = node->own.min,
                                    .version_max = node->own.max,
                                    .rules = node->rules});
    if (node->taking_epoch != 0)
        sb_stream_take_kept(node);
    else if (node->setup.new_day)
        genesis_turn(node);
    else if (node->setup.force_solo)
        force_turn(node);
    else
        resume_turn(node);
}

/* CATCH: the words of the life that was in BOOT; a repeat of its message. */
static void catch_turn(struct sb_node *node)
{
    const struct sb_node_setup *s = &node->setup;
    if (s->disclaim_inc == 0 || node->winc == 0 || !node->copying ||
        !sb_role_due(node, node->asked_witness_ns, BOOT_EVERY_NS))
        return;
    const uint64_t own = node->inc;
    node->inc = s->disclaim_inc;
    sb_role_ask(node, SB_FT_DISCLAIM, s->disclaim_epoch,
                (struct sb_control){.record = s->disclaim_record});
    node->inc = own;
}

/* --- SHADOW --------------------------------------------------------------------------------- */

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

static void cancel_turn(struct sb_node *node)
{
    const uint64_t quick_ns = sb_role_retry_ns(node);
    const uint64_t slow_ns = quick_ns > CANCEL_EVERY_NS ? quick_ns : CANCEL_EVERY_NS;
    if (node->arm != SB_ARM_NONE || !node->cancel_open || node->winc == 0 ||
        !sb_role_due(node, node->asked_witness_ns,
                     node->cancels < CANCEL_QUICK ? quick_ns : slow_ns))
        return;
    if (node->cancels < CANCEL_QUICK)
        node->cancels++;
    sb_role_ask(node, SB_FT_CANCEL, node->epoch, (struct sb_control){.k = node->k});
}

static void shadow_turn(struct sb_node *node)
{
    const uint64_t live = sb_make_epoch(sb_epoch_generation(node->epoch), SB_EPOCH_S);
    if (node->resign_heard) { /* R12 */
        if (node->log.len >= node->resign_n_last ||
            node->now_ns - node->resign_at_ns >= node->config->gap_after_ns)
            sb_role_go_solo(node, live, true);
        return;
    }
    const uint64_t silent = silence_ns(node);
    if (silent < node->config->suspect_after_ns) {
        if (node->arm != SB_ARM_NONE)
            sb_role_cancel(node);
    } else if (deaf(node, DEAF_SHADOW_NS)) {
        if (node->arm == SB_ARM_ARMING) {
            sb_count(node, SB_CTR_DEAF);
            sb_role_cancel(node);
        }
    } else if (node->arm == SB_ARM_NONE && !node->stopping) {
        sb_role_suspect(node);
    }
    if (node->arm == SB_ARM_ARMED && silent >= node->config->takeover_after_ns) {
        sb_role_go_solo(node, live, false); /* R10 */
        return;
    }
    if (node->arm == SB_ARM_ARMING && node->winc != 0 &&
        sb_role_due(node, node->asked_witness_ns, sb_role_retry_ns(node)))
        sb_role_ask(node, SB_FT_ARM, node->epoch,
                    (struct sb_control){.k = node->k, .peer_inc = node->peer_inc});
    cancel_turn(node);
}

/* --- owners --------------------------------------------------------------------------------- */

static bool all_answered(struct sb_node *node)
{
    return node->released == node->log.len && sb_hold_peek(&node->hold) == NULL;
}

/* A planned switch: all that was taken is answered, then the shadow is told. */
static void hand_over_turn(struct sb_node *node)
{
    if (!node->handing_over)
        return;
    if (all_answered(node) && node->open == NULL)
        sb_role_resign(node);
    else if (node->now_ns - node->hand_over_ns >= STOP_AT_MOST_NS)
        node->handing_over = false; /* the shadow does not follow */
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
        sb_role_resign(node);
        return;
    }
    if (node->asking_solo && node->registered &&
        sb_role_due(node, node->asked_witness_ns, sb_role_retry_ns(node)))
        sb_role_ask(node, SB_FT_SOLOREQ, node->epoch,
                    (struct sb_control){.peer_inc = node->peer_inc});
    hand_over_turn(node);
}

/* R15: is there a joiner that will hold all that was released as soon as what leaves waits for it? */
static void solo_turn(struct sb_node *node)
{
    const enum sb_solo_policy policy = sb_config_solo_policy(node->config);
    if (node->journal_lost && (policy == SB_SOLO_DISK || policy == SB_SOLO_HALT)) {
        sb_node_stop(
            node); /* nothing can leave, nobody can join; a restart knows what its journal knows */
        return;
    }
    const uint64_t acked = sb_release_acked(node);
    if (node->record.kind == SB_RECORD_PAIR && node->record.epoch == node->epoch) {
        if (sb_load_recorded(node, SB_RECORD_PAIR, node->epoch))
            sb_role_begin_pairing(node);
        return;
    }
    const bool heard =
        node->peer_inc != 0 && node->now_ns - node->acked_ns < node->config->suspect_after_ns;
    node->pairing =
        heard && node->registered && !node->stopping && sb_role_is_settled(node) &&
        acked + (node->pairing ? UINT64_C(16) * JOINER_NEAR : JOINER_NEAR) >= node->log.len;
    if (node->pairing && acked >= node->released) {
        if (node->setup.journal && sb_config_solo_policy(node->config) != SB_SOLO_WITNESS)
            sb_load_want_record(node, SB_RECORD_PAIR);
        else
            sb_role_begin_pairing(node);
    }
}

/* Asked at the winc that is known now, until the witness has paired. */
static void pairing_turn(struct sb_node *node)
{
    if (node->winc != 0 && sb_role_due(node, node->asked_witness_ns, sb_role_retry_ns(node)))
        sb_role_ask(node, SB_FT_PAIR, node->stream_epoch,
                    (struct sb_control){.peer_inc = node->peer_inc, .old_epoch = node->epoch});
}

/* --- the end -------------------------------------------------------------------------------- */

static void stop_turn(struct sb_node *node)
{
    if (node->stop_at_ns == 0)
        node->stop_at_ns = node->now_ns;
    const bool late = node->now_ns - node->stop_at_ns >= STOP_AT_MOST_NS;
    switch (node->role) {
    case SB_ROLE_PRIM: /* everything sequenced is answered first; then the shadow is told */
        if (late || all_answered(node))
            sb_role_resign(node);
        break;
    case SB_ROLE_RESIGNED:
        node->stopped = late;
        break;
    case SB_ROLE_SOLO:
    case SB_ROLE_PAIRING:
        node->stopped = late || node->released == node->log.len;
        break;
    case SB_ROLE_SHADOW:
        if (node->arm != SB_ARM_NONE)
            sb_role_cancel(node);
        node->stopped = (node->applied == node->log.len && !node->cancel_open) || late;
        break;
    default:
        node->stopped = true;
        break;
    }
}

void sb_role_turn(struct sb_node *node)
{
    switch (node->role) {
    case SB_ROLE_BOOT:
        boot_turn(node);
        break;
    case SB_ROLE_CATCH:
        catch_turn(node);
        break;
    case SB_ROLE_SHADOW:
        shadow_turn(node);
        if (node->live_unsaid)
            return; /* what was held back leaves first */
        break;
    case SB_ROLE_PRIM:
        primary_turn(node);
        break;
    case SB_ROLE_SOLO:
        solo_turn(node);
        break;
    case SB_ROLE_PAIRING:
        pairing_turn(node);
        break;
    case SB_ROLE_DIVERGED:
        cancel_turn(node);
        break;
    case SB_ROLE_RESIGNED: /* may have been lost: said again for a while */
        if (node->now_ns - node->resigned_ns < STOP_AT_MOST_NS &&
            sb_role_due(node, node->resign_sent_ns, node->config->heartbeat_ns))
            sb_role_send_resign(node);
        break;
    default:
        break;
    }
    register_turn(node);
    if (node->stopping)
        stop_turn(node);
}
