/* What must hold of disks, restarts and joins: see check.h. */
#include <inttypes.h>
#include <string.h>

#include "nic/wire/entry.h"
#include "tests/sim/world.h"

/* While a joiner copies, its owner may wait for it so long at most. */
#define STALL_NS UINT64_C(300000000)

static bool has_journal(const struct sim_world *w)
{
    return w->config.journal_dir[0] != '\0';
}

static bool lied(const struct sim_world *w)
{
    return w->life[0].disk.lied || w->life[1].disk.lied;
}

/* Do owners that are alone wait for their disk? */
static bool solo_needs_disk(const struct sim_world *w)
{
    const enum sb_solo_policy policy = sb_config_solo_policy(&w->config);
    return has_journal(w) && (policy == SB_SOLO_DISK || policy == SB_SOLO_HALT);
}

static bool solo_needs_witness(const struct sim_world *w)
{
    return sb_config_solo_policy(&w->config) == SB_SOLO_WITNESS;
}

/* --- the truth ------------------------------------------------------------------------------------------ */

static void extend(struct sim_world *w, const struct sb_log *log, uint64_t upto)
{
    struct sim_truth *t = &w->checks.truth;
    t->broken = t->broken || w->checks.flipped;
    while (t->n < upto && !t->broken) {
        const uint64_t index = sb_log_find(log, t->n + 1);
        t->broken = index == UINT64_MAX || t->packets_n == SIM_INPUTS_MAX ||
                    t->lines_n + SB_STREAM_LINES_MAX > 2 * SIM_INPUTS_MAX;
        if (t->broken)
            return;
        const struct sb_packet *p = sb_log_packet(log, index);
        t->packets[t->packets_n++] = (struct sim_truth_packet){.n_first = p->n_first,
                                                               .digest = p->digest,
                                                               .pos = t->lines_n,
                                                               .count = p->count,
                                                               .lines = p->lines};
        memcpy(&t->lines[t->lines_n], sb_log_lines(log, p), (size_t)p->lines * SB_LINE_BYTES);
        t->lines_n += p->lines;
        t->n = sb_packet_last(p);
    }
}

/* A later owner ends before it: what is behind was lost, and nobody had promised it. */
static void cut_truth(struct sim_world *w, uint64_t n)
{
    struct sim_truth *t = &w->checks.truth;
    while (t->packets_n > 0 && t->packets[t->packets_n - 1].n_first > n)
        t->lines_n = t->packets[--t->packets_n].pos;
    const struct sim_truth_packet *p = t->packets_n > 0 ? &t->packets[t->packets_n - 1] : NULL;
    t->n = p != NULL ? p->n_first + p->count - 1 : 0;
    w->checks.lost = true;
    w->checks.released = w->checks.maybe_sent = n;
    if (w->checks.floor > n)
        w->checks.floor = n;
}

/* All of it that is in a log stands there as it was released. */
static void compare_with_truth(struct sim_world *w, uint32_t i)
{
    const struct sim_truth *t = &w->checks.truth;
    const struct sb_log *log = &w->node[i]->log;
    for (uint32_t k = 0; k < t->packets_n && !t->broken && !w->checks.flipped; k++) {
        const struct sim_truth_packet *p = &t->packets[k];
        const uint64_t index = sb_log_find(log, p->n_first);
        if (index == UINT64_MAX)
            continue;
        const struct sb_packet *mine = sb_log_packet(log, index);
        if (mine->n_first != p->n_first || mine->count != p->count || mine->lines != p->lines ||
            memcmp(sb_log_lines(log, mine), &t->lines[p->pos], (size_t)p->lines * SB_LINE_BYTES) !=
                0)
            sim_fail(w, SIM_CHECK_LOGS,
                     "node %c owns the shard, its input %" PRIu64
                     " is not the one that was released",
                     'A' + i, p->n_first);
        else if (sb_packet_last(mine) <= w->node[i]->applied && mine->digest != p->digest)
            sim_fail(w, SIM_CHECK_DIGEST,
                     "node %c: another digest than was released with input %" PRIu64, 'A' + i,
                     p->n_first);
    }
}

/* A node goes alone: has it all that was released? */
static void check_successor(struct sim_world *w, uint32_t i, enum sb_role before)
{
    struct sim_checks *k = &w->checks;
    /* What it read or was given (W7); by the end of this turn it may have sequenced more. */
    const struct sb_node *n = w->node[i];
    const uint64_t given_n = n->taking_n < n->log.len ? n->taking_n : n->log.len;
    const uint64_t read_n = k->len_before[i] > given_n ? k->len_before[i] : given_n;
    const uint64_t len = before == SB_ROLE_BOOT ? read_n : n->log.len;
    /* Alone on memory an owner left no record: whom the operator then chooses may have another log. Nothing was promised. */
    if (w->life[i].forced && sb_config_solo_policy(&w->config) == SB_SOLO_MEMORY) {
        cut_truth(w, 0);
        return;
    }
    const uint64_t in_no_memory = k->gone[0] < k->gone[1] ? k->gone[0] : k->gone[1];
    /* What a witness that lives had acked, and kept until now. */
    if (k->kept_winc == w->witness.winc && w->witness.log.state != SB_WITNESS_LOG_NONE &&
        !w->life[i].forced && !lied(w) && len < k->kept_n)
        sim_fail(w, SIM_CHECK_DURABLE,
                 "node %c owns the shard with %" PRIu64 " inputs, the witness had acked %" PRIu64,
                 'A' + i, len, k->kept_n);
    const uint64_t sent = k->maybe_sent > k->released ? k->maybe_sent : k->released;
    if (len < sent && (lied(w) || (len >= k->floor && in_no_memory >= k->released)))
        cut_truth(w, len);
    else if (len < k->floor)
        sim_fail(w, SIM_CHECK_DURABLE,
                 "node %c owns the shard with %" PRIu64 " inputs, the setting promises %" PRIu64,
                 'A' + i, len, k->floor);
    /* A takeover's first frames leave before its mark moves. */
    if (before == SB_ROLE_SHADOW && w->node[i]->n_star > k->maybe_sent)
        k->maybe_sent = w->node[i]->n_star;
    compare_with_truth(w, i); /* fewer than were released: check_release() */
}

/* --- who holds what ----------------------------------------------------------------------------------------- */

void sim_check_died(struct sim_world *w, uint32_t i)
{
    struct sim_checks *k = &w->checks;
    k->deaths += !w->life[i].other_rules; /* which had nothing */
    if (w->life[i].kept_n < k->released || w->life[i].kept_n < k->maybe_sent || !has_journal(w))
        k->gone[i] = k->released;
}

void sim_check_joins(struct sim_world *w, uint32_t i)
{
    w->checks.gone[i] = w->checks.released;
}

static uint64_t durable_of(const struct sim_world *w, uint32_t i)
{
    const struct sim_life *l = &w->life[i];
    return l->disk.writing ? sim_disk_durable(&l->disk) : l->kept_n;
}

static bool recorded(const struct sim_world *w, uint32_t i)
{
    const struct sb_journal_owner o = sim_disk_record(&w->life[i].disk);
    return (o.kind == SB_RECORD_SOLO || o.kind == SB_RECORD_PAIR) && o.epoch == w->node[i]->epoch;
}

/* What the setting says may have left by now. */
static uint64_t may_be_released(const struct sim_world *w, uint32_t i)
{
    const struct sb_node *n = w->node[i];
    const uint64_t mine = durable_of(w, i), other = durable_of(w, 1 - i);
    if (n->role == SB_ROLE_PRIM) {
        if (w->node[1 - i]->inc != n->peer_inc)
            return UINT64_MAX; /* it has another life already: nobody can tell */
        return w->config.hold == SB_HOLD_TWO_DISKS         ? (mine < other ? mine : other)
               : w->config.hold == SB_HOLD_MEMORY_AND_DISK ? (mine > other ? mine : other)
                                                           : UINT64_MAX;
    }
    if (sb_config_solo_policy(&w->config) == SB_SOLO_MEMORY)
        return UINT64_MAX;
    if (solo_needs_witness(w)) {
        const uint64_t acked = w->checks.acked_inc == n->inc ? w->checks.acked_n : 0;
        const uint64_t star = w->config.hold == SB_HOLD_TWO_MEMORIES ? n->n_star : 0;
        return acked > star ? acked : star;
    }
    const uint64_t alone = has_journal(w) && recorded(w, i) ? mine : 0;
    const uint64_t both = w->config.hold == SB_HOLD_TWO_MEMORIES ? n->n_star : 0;
    return alone > both ? alone : both;
}

static void check_released(struct sim_world *w, uint32_t i, uint64_t from)
{
    struct sim_checks *k = &w->checks;
    const struct sb_node *n = w->node[i];
    const uint64_t may = may_be_released(w, i);
    if (n->released > from && n->released > may)
        sim_fail(w, SIM_CHECK_DURABLE,
                 "node %c in role %d released %" PRIu64 " to %" PRIu64
                 ", the setting allows %" PRIu64,
                 'A' + i, (int)n->role, from + 1, n->released, may);
    extend(w, &n->log, n->released);
    if (n->role == SB_ROLE_SOLO && solo_needs_witness(w) && n->released <= n->logged_n) {
        k->kept_n = n->released;
        k->kept_winc = n->winc;
    }
    if (n->role == SB_ROLE_SOLO)
        k->gone[1 - i] = n->released;
    const bool on_disk = n->role == SB_ROLE_PRIM ? w->config.hold != SB_HOLD_TWO_MEMORIES
                                                 : solo_needs_disk(w) && recorded(w, i) &&
                                                       n->released <= durable_of(w, i);
    if (on_disk && n->released > k->floor)
        k->floor = n->released;
}

/* Waits an owner for a joiner, for longer than it may? */
static void check_stall(struct sim_world *w, uint32_t i, bool moved)
{
    uint64_t *since = &w->checks.stalled_ns[i];
    const struct sb_node *n = w->node[i];
    const bool waits = n->role == SB_ROLE_SOLO && n->pairing && n->released < n->applied &&
                       n->released < may_be_released(w, i) && w->now_ns > w->healed_ns &&
                       !w->life[i].lost;
    if (!waits || moved)
        *since = 0;
    else if (*since == 0)
        *since = w->now_ns;
    else if (w->now_ns > *since + STALL_NS)
        sim_fail(w, SIM_CHECK_JOINER,
                 "node %c has released nothing for %.0f ms: it waits for a joiner", 'A' + i,
                 (double)STALL_NS / 1e6);
}

void sim_check_disk_turn(struct sim_world *w, uint32_t i, enum sb_role before)
{
    struct sim_checks *k = &w->checks;
    const struct sb_node *n = w->node[i];
    if (k->deaths != 0 && n->role == SB_ROLE_PRIM && sim_is_pair(w)) {
        k->deaths = 0;
        k->pair_winc = w->witness.winc;
    }
    if (n->role == SB_ROLE_HALTED && before != SB_ROLE_HALTED && !w->forced && !lied(w))
        sim_fail(w, SIM_CHECK_RESTORED, "node %c halts, and no node was forced", 'A' + i);
    k->deaths += n->role == SB_ROLE_RESIGNED && before != SB_ROLE_RESIGNED;
    if (n->role == SB_ROLE_SOLO && before != SB_ROLE_SOLO)
        k->alone_with[i] = k->len_before[i];
    if (n->role == SB_ROLE_SOLO && recorded(w, i) && durable_of(w, i) < k->alone_with[i])
        sim_fail(w, SIM_CHECK_DURABLE,
                 "node %c: its record is durable, and of the %" PRIu64 " inputs before it %" PRIu64,
                 'A' + i, k->alone_with[i], durable_of(w, i));
    if (n->role == SB_ROLE_SOLO && before != SB_ROLE_SOLO)
        check_successor(w, i, before);
    const struct sb_journal_owner o = sim_disk_record(&w->life[i].disk);
    if (n->role == SB_ROLE_PAIRING && before != SB_ROLE_PAIRING && solo_needs_disk(w) &&
        (o.kind != SB_RECORD_PAIR || o.epoch != n->epoch))
        sim_fail(w, SIM_CHECK_DURABLE, "node %c asks to pair before PAIR's record is durable (R15)",
                 'A' + i);
    if ((n->role == SB_ROLE_SHADOW || sb_role_owns(n)) && n->log.len >= k->released)
        k->gone[i] = 0;
    /* (What a node has read from its journal, or been given by the witness, it takes as released.) */
    if (sb_role_owns(n) && before != SB_ROLE_BOOT && n->released > k->truth.n)
        check_released(w, i, k->let_go[i]);
    check_stall(w, i, n->released != k->let_go[i]);
    k->let_go[i] = n->released;
    k->len_before[i] = n->log.len;
}

void sim_check_disk_frame(struct sim_world *w, uint32_t i, const struct sb_head *h,
                          const uint8_t *body)
{
    const struct sb_node *n = w->node[i];
    const struct sim_disk *d = &w->life[i].disk;
    if (h->type == SB_FT_ACK) {
        struct sb_ack a;
        memcpy(&a, body, sizeof a);
        const struct sb_journal_owner o = sim_disk_record(d);
        if (a.durable > durable_of(w, i))
            sim_fail(w, SIM_CHECK_JOINER, "node %c calls %" PRIu64 " durable, %" PRIu64 " are",
                     'A' + i, a.durable, durable_of(w, i));
        if (n->role == SB_ROLE_CATCH && solo_needs_disk(w) && !w->life[i].lost &&
            (o.kind != SB_RECORD_JOIN || o.epoch != n->epoch))
            sim_fail(w, SIM_CHECK_JOINER, "node %c acks before its JOIN record is durable",
                     'A' + i);
    } else if (h->type == SB_FT_DISCLAIM || h->type == SB_FT_RESUME) {
        struct sb_control c;
        memcpy(&c, body, sizeof c);
        const struct sb_node_setup *s = &w->life[i].setup;
        const bool again = h->type == SB_FT_DISCLAIM && h->inc == s->disclaim_inc &&
                           c.record == s->disclaim_record && h->epoch == s->disclaim_epoch;
        if (again)
            return; /* the words of the life before, which was in BOOT */
        if (!w->life[i].recovered || c.record != w->life[i].end.owner.kind ||
            h->epoch != w->life[i].end.owner.epoch)
            sim_fail(w, SIM_CHECK_OWNER,
                     "node %c tells the witness of a record that it has not read (R22, R23)",
                     'A' + i);
    } else if (h->type == SB_FT_LIVE && n->role != SB_ROLE_SOLO) {
        sim_fail(w, SIM_CHECK_OWNER, "node %c registers as alone in role %d (R19)", 'A' + i,
                 (int)n->role);
    } else if (h->type == SB_FT_STREAM && n->role == SB_ROLE_SOLO && h->epoch == n->epoch &&
               solo_needs_disk(w) && !recorded(w, i)) {
        sim_fail(w, SIM_CHECK_JOINER, "node %c streams before its SOLO record is durable (R13)",
                 'A' + i);
    }
}

/* W4: what the witness acks it has, from where its owner's journal ends. */
void sim_check_witness_frame(struct sim_world *w, const uint8_t *data, uint32_t len)
{
    struct sb_datagram datagram;
    struct sb_head h;
    struct sb_control c;
    if (sb_udp_parse(data, len, &datagram) != SB_UDP_OK ||
        !sb_head_read(datagram.payload, datagram.bytes, &h) || h.type != SB_FT_LOGACK)
        return;
    memcpy(&c, datagram.payload + sizeof h, sizeof c);
    const struct sb_witness_log *l = &w->witness.log;
    const struct sim_disk *d = &w->life[c.to & 1].disk;
    const struct sb_node *owner = w->node[c.to & 1];
    if (l->state != SB_WITNESS_LOG_OPEN || c.n_last > l->log.len || c.n_last < l->need ||
        (owner->inc == c.to_inc && !lied(w) && l->base > durable_of(w, c.to & 1)))
        sim_fail(w, SIM_CHECK_DURABLE,
                 "the witness acks input %" PRIu64 " of epoch %" PRIu64 ": it has %" PRIu64
                 " to %" PRIu64 ", the owner's disk %" PRIu64,
                 c.n_last, h.epoch, l->base + 1, l->log.len, sim_disk_durable(d));
    if (w->checks.acked_inc != c.to_inc || w->checks.acked_n < c.n_last)
        w->checks.acked_n = c.n_last;
    w->checks.acked_inc = c.to_inc;
}

/* R21, R22: whom has the witness let go on from its journal? */
void sim_check_witness(struct sim_world *w, enum sb_witness_state before, uint64_t epoch)
{
    const struct sb_witness *reg = &w->witness;
    const struct sb_node *n = w->node[reg->owner & 1];
    if (reg->state != SB_W_SOLO || reg->epoch == epoch || (reg->epoch & 3) != SB_EPOCH_R ||
        reg->owner_inc != n->inc || w->life[reg->owner & 1].forced || n->role != SB_ROLE_BOOT)
        return; /* (alone already: it registers with a new life of the witness) */
    const struct sb_node_record *r = &n->loaded_record;
    if (n->loaded && solo_needs_witness(w) && before != SB_W_UNSET)
        return; /* W6: by its log, whatever the record */
    if (!n->loaded || (r->kind != SB_RECORD_SOLO && r->kind != SB_RECORD_PAIR) ||
        (r->kind == SB_RECORD_PAIR && (before != SB_W_SOLO || r->epoch != epoch)))
        sim_fail(w, SIM_CHECK_OWNER,
                 "node %c goes on from its journal with record %d of epoch %" PRIu64
                 ", the witness was in state %d of %" PRIu64,
                 'A' + reg->owner, (int)r->kind, r->epoch, (int)before, epoch);
}

/* --- the end ------------------------------------------------------------------------------------------------ */

bool sim_pair_is_due(const struct sim_world *w)
{
    if (w->checks.flipped || !w->host[SIM_W].alive)
        return false;
    for (uint32_t i = 0; i < 2; i++)
        if (!w->host[i].alive || w->node[i]->role == SB_ROLE_DIVERGED ||
            (w->life[i].lost && !w->restores) || w->life[i].disk.lied)
            return false; /* nobody can copy a journal with a hole */
    return sim_served(w) || (w->restores && has_journal(w));
}

/* With a journal one crash at any point of a pair heals by itself: only more than that is the operator's. (A primary that
 * has resigned cannot go on either: a successor that dies before its record is durable is a second loss.) */
void sim_check_operator(struct sim_world *w)
{
    const struct sim_checks *k = &w->checks;
    const bool other_fault = w->struck[SIM_DISK_SLOW] + w->struck[SIM_DISK_FULL] +
                                 w->struck[SIM_DISK_ERROR] + w->struck[SIM_DISK_LOST] +
                                 w->struck[SIM_DISK_MISDIRECT] + w->struck[SIM_DISK_CORRUPT] !=
                             0;
    if (k->deaths <= 1 && !other_fault && (solo_needs_disk(w) || solo_needs_witness(w)) &&
        w->host[SIM_W].alive && (k->pair_winc == w->witness.winc || k->deaths == 0))
        sim_fail(
            w, SIM_CHECK_RESTORED,
            "nobody serves after %u deaths, and an operator is needed: roles %d %d, epochs %" PRIu64
            " %" PRIu64 ", witness %d of %" PRIu64,
            k->deaths, (int)w->node[0]->role, (int)w->node[1]->role, w->node[0]->epoch,
            w->node[1]->epoch, (int)w->witness.state, w->witness.epoch);
}

void sim_check_restored(struct sim_world *w)
{
    if (!sim_pair_is_due(w) || sim_is_pair(w))
        return;
    sim_fail(w, SIM_CHECK_RESTORED,
             "no pair: roles %d %d, epochs %" PRIu64 " %" PRIu64 ", logs %" PRIu64 " %" PRIu64
             ", witness %d of %" PRIu64,
             (int)w->node[0]->role, (int)w->node[1]->role, w->node[0]->epoch, w->node[1]->epoch,
             w->node[0]->log.len, w->node[1]->log.len, (int)w->witness.state, w->witness.epoch);
}
