#include "replica/witness.h"

#include <string.h>

#include "nic/wire/entry.h"
#include "nic/wire/udp.h"
#include "replica/journal.h"

enum { HELLO_EVERY_NS = 20000000, REMIND_EVERY_NS = 20000000 };

static uint64_t generation(uint64_t epoch)
{
    return epoch >> 2;
}
static uint64_t epoch_kind(uint64_t epoch)
{
    return epoch & 3u;
}

void sb_witness_init(struct sb_witness *w, const struct sb_config *config, const uint8_t mac[6],
                     uint64_t winc, uint64_t *counters)
{
    memset(w, 0, sizeof *w);
    w->config = config;
    w->ctr = counters;
    memcpy(w->mac, mac, 6);
    w->winc = winc;
    w->state = SB_W_UNSET;
}

static void send(struct sb_witness *w, uint8_t type, uint64_t epoch, struct sb_control c)
{
    if (w->out_n == SB_WITNESS_OUT_MAX)
        return; /* requests repeat until answered */
    uint8_t *frame = w->scratch[w->out_n];
    const struct sb_addr *group = &w->config->replication;
    struct sb_udp_route route = {.src_ipv4 = w->config->witness.ipv4,
                                 .dst_ipv4 = group->ipv4,
                                 .src_port = group->port,
                                 .dst_port = group->port};
    memcpy(route.src_mac, w->mac, 6);
    sb_multicast_mac(group->ipv4, route.dst_mac);
    c.winc = w->winc;
    uint8_t *body = sb_head_put(frame + SB_UDP_HEADERS_BYTES, type, w->config->shard, epoch,
                                w->winc, SB_NODE_W, 0, sizeof c);
    memcpy(body, &c, sizeof c);
    w->out[w->out_n] = (struct sb_node_out_frame){
        .data = frame,
        .len = sb_udp_finish(frame, &route, sizeof(struct sb_head) + sizeof c),
        .role = SB_PORT_WITNESS,
    };
    w->out_n++;
}

static void hello(struct sb_witness *w)
{
    send(w, SB_FT_HELLO, w->epoch, (struct sb_control){.to = SB_NODE_CLIENT});
    w->hello_ns = w->now_ns;
}

static void solo(struct sb_witness *w, uint64_t epoch, uint8_t owner, uint64_t owner_inc,
                 uint64_t other_inc)
{
    w->state = SB_W_SOLO;
    w->epoch = epoch;
    w->owner = owner;
    w->owner_inc = owner_inc;
    w->other_inc = other_inc;
    w->owner_lives = false; /* of this epoch it has said nothing yet */
    w->reminded_ns = w->now_ns;
}

static bool dual_or_armed(const struct sb_witness *w)
{
    return w->state == SB_W_DUAL || w->state == SB_W_ARMED;
}

/* The owner and the shadow that the register names. */
static bool is_owner(const struct sb_witness *w, const struct sb_head *h)
{
    return h->sender == w->owner && h->inc == w->owner_inc;
}

static bool is_shadow(const struct sb_witness *w, const struct sb_head *h)
{
    return h->sender != w->owner && h->inc == w->other_inc;
}

/* R17: in DUAL with k > kmax; in ARMED with k >= the granted one. */
static void on_arm(struct sb_witness *w, const struct sb_head *h, const struct sb_control *c)
{
    if (!dual_or_armed(w) || h->epoch != w->epoch || !is_shadow(w, h) ||
        c->peer_inc != w->owner_inc || c->k <= w->kmax || (w->state == SB_W_ARMED && c->k < w->k))
        return;
    w->state = SB_W_ARMED;
    w->k = c->k;
    send(w, SB_FT_ARMOK, h->epoch,
         (struct sb_control){.to = h->sender, .to_inc = h->inc, .k = c->k});
}

static void pairok(struct sb_witness *w, uint8_t to, uint64_t to_inc, uint64_t peer_inc, uint64_t k)
{
    send(w, SB_FT_PAIROK, w->epoch,
         (struct sb_control){.to = to, .to_inc = to_inc, .peer_inc = peer_inc, .k = k});
}

static void dual(struct sb_witness *w, uint64_t epoch, uint8_t owner, uint64_t owner_inc,
                 uint64_t other_inc)
{
    w->state = SB_W_DUAL;
    w->epoch = epoch;
    w->owner = owner;
    w->owner_inc = owner_inc;
    w->other_inc = other_inc;
    w->k = w->kmax = 0;
    pairok(w, owner, owner_inc, other_inc, 0);
    pairok(w, (uint8_t)(1 - owner), other_inc, owner_inc, 0);
}

/* Answered with PAIROK, which says that the register is DUAL: else nobody would know whether a grant is still out. */
static void on_cancel(struct sb_witness *w, const struct sb_head *h, const struct sb_control *c)
{
    if (!dual_or_armed(w) || h->epoch != w->epoch || !is_shadow(w, h))
        return;
    if (c->k > w->kmax)
        w->kmax = c->k;
    if (w->state == SB_W_ARMED && w->k <= c->k) {
        w->state = SB_W_DUAL;
        w->k = 0;
    }
    if (w->state == SB_W_DUAL)
        pairok(w, h->sender, h->inc, w->owner_inc, w->kmax);
}

static void solook(struct sb_witness *w, uint8_t to, uint64_t to_inc)
{
    send(w, SB_FT_SOLOOK, w->epoch, (struct sb_control){.to = to, .to_inc = to_inc});
}

static void on_soloreq(struct sb_witness *w, const struct sb_head *h)
{
    const bool owner = is_owner(w, h);
    if (w->state == SB_W_DUAL && h->epoch == w->epoch && owner) {
        solo(w, h->epoch | SB_EPOCH_P, w->owner, w->owner_inc, w->other_inc);
        solook(w, h->sender, h->inc);
    } else if (w->state == SB_W_SOLO && w->epoch == (h->epoch | SB_EPOCH_P) && owner) {
        solook(w, h->sender, h->inc);
    }
}

/* LIVE, which is also REG_SOLO. */
static void on_live(struct sb_witness *w, const struct sb_head *h, const struct sb_control *c)
{
    if (epoch_kind(h->epoch) == SB_EPOCH_D)
        return;
    const bool same_gen = generation(h->epoch) == generation(w->epoch);
    const bool as_shadow = same_gen && epoch_kind(h->epoch) == SB_EPOCH_S && is_shadow(w, h);
    if (w->state == SB_W_UNSET) { /* R21 */
        solo(w, h->epoch, h->sender, h->inc, 0);
    } else if (dual_or_armed(w) && as_shadow) {
        solo(w, h->epoch, h->sender, h->inc, w->owner_inc);
    } else if (w->state == SB_W_SOLO && epoch_kind(w->epoch) == SB_EPOCH_P && as_shadow &&
               c->by_resign == 1) { /* R12: over a grant that will never be used */
        solo(w, h->epoch, h->sender, h->inc, w->owner_inc);
    }
    if (w->state == SB_W_SOLO && w->epoch == h->epoch && is_owner(w, h)) {
        w->owner_lives = true;
        solook(w, h->sender, h->inc);
    }
}

static void on_resign(struct sb_witness *w, const struct sb_head *h)
{
    if (w->state != SB_W_DUAL || h->epoch != w->epoch || !is_owner(w, h))
        return;
    w->state = SB_W_ARMED; /* any k */
    w->k = 0;
}

/* R20: UNSET becomes DUAL only when both say the same of each other. */
static void on_reg_dual(struct sb_witness *w, const struct sb_head *h, const struct sb_control *c)
{
    if (epoch_kind(h->epoch) != SB_EPOCH_D || c->role > 1 || c->peer_inc == 0)
        return;
    if (dual_or_armed(w)) { /* the answer was lost: say it again */
        const bool owner = is_owner(w, h) && c->role == 0;
        const bool other = is_shadow(w, h) && c->role == 1;
        if (h->epoch == w->epoch && (owner || other))
            pairok(w, h->sender, h->inc, owner ? w->other_inc : w->owner_inc, 0);
        return;
    }
    if (w->state != SB_W_UNSET)
        return;
    struct sb_registration *mine = &w->registrations[h->sender];
    if (h->epoch < mine->epoch || (h->epoch == mine->epoch && h->inc < mine->inc))
        return;
    *mine = (struct sb_registration){
        .epoch = h->epoch, .inc = h->inc, .peer_inc = c->peer_inc, .role = c->role};
    const struct sb_registration *peer = &w->registrations[1 - h->sender];
    if (peer->epoch != mine->epoch || peer->role == mine->role || peer->inc != mine->peer_inc ||
        peer->peer_inc != mine->inc)
        return;
    const uint8_t owner = mine->role == 0 ? h->sender : (uint8_t)(1 - h->sender);
    dual(w, h->epoch, owner, w->registrations[owner].inc, w->registrations[1 - owner].inc);
}

/* R15, R17: only in SOLO of exactly that owner, incarnation and epoch. */
static void on_pair(struct sb_witness *w, const struct sb_head *h, const struct sb_control *c)
{
    if (w->state == SB_W_SOLO && is_owner(w, h) && w->epoch == c->old_epoch && c->peer_inc != 0 &&
        h->epoch == (generation(w->epoch) + 1) << 2)
        dual(w, h->epoch, h->sender, h->inc, c->peer_inc);
    else if (dual_or_armed(w) && w->epoch == h->epoch && is_owner(w, h) &&
             c->peer_inc == w->other_inc) /* the answer was lost */
        pairok(w, h->sender, h->inc, w->other_inc, 0);
}

/* --- restart ------------------------------------------------------------------------------------ */

/* R21, R22: may an older life's owner go on from its journal? */
static bool may_resume(const struct sb_witness *w, const struct sb_head *h,
                       const struct sb_control *c)
{
    const bool alone = c->record == SB_RECORD_SOLO, pair = c->record == SB_RECORD_PAIR;
    const bool as_shadow = alone && h->epoch == (generation(w->epoch) << 2 | SB_EPOCH_S);
    if (w->state == SB_W_UNSET)
        return alone;
    if (w->state != SB_W_SOLO) /* went live, and LIVE was lost */
        return h->sender != w->owner && w->other_inc < h->inc && as_shadow;
    if (h->sender != w->owner) /* went live by RESIGN over a grant that was never used */
        return epoch_kind(w->epoch) == SB_EPOCH_P && as_shadow;
    if (w->owner_inc >= h->inc)
        return false;
    return (alone &&
            (generation(h->epoch) == generation(w->epoch) || epoch_kind(w->epoch) == SB_EPOCH_R)) ||
           (pair && w->epoch == h->epoch);
}

static void grant_restart(struct sb_witness *w, const struct sb_head *h)
{
    const uint64_t gen = generation(h->epoch), here = generation(w->epoch);
    solo(w, ((gen > here ? gen : here) + 1) << 2 | SB_EPOCH_R, h->sender, h->inc, 0);
    send(w, SB_FT_RESUMEOK, w->epoch, (struct sb_control){.to = h->sender, .to_inc = h->inc});
}

static void repeat_restart(struct sb_witness *w, const struct sb_head *h)
{
    if (epoch_kind(w->epoch) == SB_EPOCH_R) /* the answer was lost */
        send(w, SB_FT_RESUMEOK, w->epoch, (struct sb_control){.to = h->sender, .to_inc = h->inc});
}

static void on_resume(struct sb_witness *w, const struct sb_head *h, const struct sb_control *c)
{
    if (epoch_kind(h->epoch) == SB_EPOCH_D)
        return;
    if (w->state == SB_W_SOLO && is_owner(w, h))
        repeat_restart(w, h);
    else if (may_resume(w, h, c))
        grant_restart(w, h);
}

/* R24: the operator answers for the other engine. */
static void on_force(struct sb_witness *w, const struct sb_head *h)
{
    if (w->state == SB_W_SOLO && is_owner(w, h))
        repeat_restart(w, h);
    else
        grant_restart(w, h);
}

/* R23: the sender's older lives are over, and without a durable record of the register's epoch they never used the grant. */
static void on_disclaim(struct sb_witness *w, const struct sb_head *h, const struct sb_control *c)
{
    const bool record = c->record == SB_RECORD_SOLO || c->record == SB_RECORD_PAIR;
    if (w->state == SB_W_ARMED && h->sender != w->owner && w->other_inc < h->inc &&
        !(record && h->epoch > w->epoch)) {
        w->state = SB_W_DUAL;
        w->k = 0;
        w->kmax = UINT64_MAX;
        return;
    }
    const uint64_t kind = epoch_kind(w->epoch);
    if (w->state != SB_W_SOLO || h->sender != w->owner || w->owner_inc >= h->inc ||
        w->other_inc == 0 || (kind != SB_EPOCH_P && kind != SB_EPOCH_S) ||
        (record && h->epoch >= w->epoch))
        return;
    w->epoch = generation(w->epoch) << 2 | SB_EPOCH_D;
    w->k = 0;
    if (kind == SB_EPOCH_P) { /* the shadow may go live, at any k */
        w->state = SB_W_ARMED;
        w->kmax = 0;
    } else { /* the primary owns it again */
        const uint64_t shadow_inc = w->owner_inc;
        w->state = SB_W_DUAL;
        w->owner = (uint8_t)(1 - h->sender);
        w->owner_inc = w->other_inc;
        w->other_inc = shadow_inc;
        w->kmax = UINT64_MAX;
    }
}

static void on_control(struct sb_witness *w, const struct sb_head *h, const struct sb_control *c)
{
    if (h->type == SB_FT_RESIGN) { /* carries no winc: it is true under every incarnation of ours */
        on_resign(w, h);
        return;
    }
    if (c->to != SB_NODE_W)
        return;
    if (c->winc != w->winc) {
        hello(w);
        return;
    }
    switch (h->type) {
    case SB_FT_ARM:
        on_arm(w, h, c);
        break;
    case SB_FT_CANCEL:
        on_cancel(w, h, c);
        break;
    case SB_FT_SOLOREQ:
        on_soloreq(w, h);
        break;
    case SB_FT_LIVE:
        on_live(w, h, c);
        break;
    case SB_FT_REG_DUAL:
        on_reg_dual(w, h, c);
        break;
    case SB_FT_PAIR:
        on_pair(w, h, c);
        break;
    case SB_FT_RESUME:
        on_resume(w, h, c);
        break;
    case SB_FT_DISCLAIM:
        on_disclaim(w, h, c);
        break;
    case SB_FT_FORCE:
        on_force(w, h);
        break;
    default:
        break;
    }
}

static void on_frame(struct sb_witness *w, const struct sb_node_frame *f)
{
    const struct sb_config *cfg = w->config;
    struct sb_datagram d;
    struct sb_head h;
    const enum sb_udp_result result = sb_udp_parse(f->data, f->len, &d);
    if (result == SB_UDP_SHORT || result == SB_UDP_CHECKSUM)
        w->ctr[SB_CTR_BAD_FRAME]++;
    if (result == SB_UDP_OTHER)
        w->ctr[SB_CTR_OTHER_FRAME]++;
    if (result != SB_UDP_OK || d.dst_ipv4 != cfg->replication.ipv4 ||
        d.dst_port != cfg->replication.port)
        return;
    if (!sb_head_read(d.payload, d.bytes, &h) || h.shard != cfg->shard) {
        w->ctr[SB_CTR_BAD_HEAD]++;
        return;
    }
    if (h.sender > SB_NODE_B || h.type < SB_FT_ARM || h.type > SB_FT_FORCE)
        return;
    struct sb_control c;
    memcpy(&c, d.payload + sizeof h, sizeof c);
    on_control(w, &h, &c);
}

void sb_witness_poll(struct sb_witness *w, uint64_t now_ns, const struct sb_node_frame *in,
                     uint32_t n, struct sb_node_out *out)
{
    w->now_ns = now_ns;
    w->out_n = 0;
    for (uint32_t i = 0; i < n; i++)
        on_frame(w, &in[i]);
    if (w->hello_ns == 0 || now_ns - w->hello_ns >= HELLO_EVERY_NS)
        hello(w);
    /* A granted primary whose SOLOOK was lost is reminded: otherwise nobody could ever take over from it. */
    if (w->state == SB_W_SOLO && epoch_kind(w->epoch) == SB_EPOCH_P && !w->owner_lives &&
        now_ns - w->reminded_ns >= REMIND_EVERY_NS) {
        solook(w, w->owner, w->owner_inc);
        w->reminded_ns = now_ns;
    }
    w->ctr[SB_CTR_ROLE] = w->state;
    w->ctr[SB_CTR_EPOCH] = w->epoch;
    w->ctr[SB_CTR_INCARNATION] = w->winc;
    w->ctr[SB_CTR_POLLS]++;
    *out = (struct sb_node_out){.frames = w->out, .n = w->out_n};
}
