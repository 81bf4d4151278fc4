/* When an event's moment has come, and what it does to the world. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "engine/state.h"
#include "nic/wire/mold.h"
#include "tests/sim/world.h"

/* An event whose moment does not come strikes anyway; what follows from another takes its time. */
enum { MOMENT_WAIT_NS = 20000000, RESTORE_WAIT_NS = 150000000 };

static uint32_t primary(const struct sim_world *w)
{
    uint32_t best = 2;
    for (uint32_t i = 0; i < 2; i++)
        if (w->host[i].alive && sb_role_owns(w->node[i]) &&
            (best == 2 || w->node[i]->epoch > w->node[best]->epoch))
            best = i;
    return best;
}

/* A confirmed pair, no suspicion anywhere, all registered. */
static bool at_rest(const struct sim_world *w, uint32_t p)
{
    if (p == 2)
        return false;
    const struct sb_node *a = w->node[p], *b = w->node[1 - p];
    return a->role == SB_ROLE_PRIM && b->role == SB_ROLE_SHADOW && w->host[1 - p].alive &&
           w->host[SIM_W].alive && w->witness.state == SB_W_DUAL && a->winc == w->witness.winc &&
           b->winc == a->winc && b->arm == SB_ARM_NONE && !b->cancel_open && !a->asking_solo &&
           b->peer_inc == a->inc && a->peer_inc == b->inc;
}

static bool moment_is_now(const struct sim_world *w, enum sim_moment m)
{
    const uint32_t p = primary(w);
    const struct sb_node *own = p < 2 ? w->node[p] : NULL;
    for (uint32_t i = 0; i < 2; i++) {
        const struct sb_node *n = w->node[i];
        if (!w->host[i].alive || n->role != SB_ROLE_SHADOW)
            continue;
        if ((m == SIM_ARMING && n->arm == SB_ARM_ARMING) ||
            (m == SIM_ARMED && n->arm == SB_ARM_ARMED) || (m == SIM_CANCELING && n->cancel_open) ||
            (m == SIM_REPAIRING && n->gap_since_ns != 0))
            return true;
    }
    for (uint32_t i = 0; i < 2; i++)
        if (w->host[i].alive && ((m == SIM_BOOTING && w->node[i]->role == SB_ROLE_BOOT) ||
                                 (m == SIM_CATCHING && w->node[i]->role == SB_ROLE_CATCH)))
            return true;
    switch (m) {
    case SIM_AT_ONCE:
        return true;
    case SIM_BEFORE_APPLY:
        return own && own->apply_next < own->log.packet_end;
    case SIM_BEFORE_ACK:
        return own && own->role == SB_ROLE_PRIM && own->log.len > own->acked_held;
    case SIM_BEFORE_LEAVE:
        return own && own->role == SB_ROLE_PRIM && own->released < own->acked_held;
    case SIM_GONE_LIVE:
        return own && own->role == SB_ROLE_SOLO && (!own->registered || own->draining_pending);
    case SIM_GRANTED:
        return own && own->role == SB_ROLE_PRIM && w->witness.state == SB_W_SOLO &&
               w->witness.owner_inc == own->inc;
    case SIM_AT_REST:
        return at_rest(w, p);
    case SIM_IDLE:
        return at_rest(w, p) && own->released == own->log.len;
    case SIM_UNRECORDED:
        return own && own->role == SB_ROLE_SOLO &&
               !sb_load_recorded(own, SB_RECORD_SOLO, own->epoch);
    case SIM_PAIR_RECORD:
        return own && own->role == SB_ROLE_SOLO && own->record.kind == SB_RECORD_PAIR;
    case SIM_WRITING:
        return own && w->life[p].disk.block != NULL;
    case SIM_AT_PAIRING:
        return own && own->role == SB_ROLE_PAIRING;
    case SIM_TIMING:
        return own && own->timer_n > own->released;
    default:
        return false;
    }
}

static void heal_at(struct sim_world *w, uint64_t ns)
{
    if (ns > w->healed_ns)
        w->healed_ns = ns;
}

static void cut(struct sim_world *w, uint32_t from, uint32_t to, uint64_t until)
{
    if (until > w->net.cut_until_ns[from][to])
        w->net.cut_until_ns[from][to] = until;
    heal_at(w, until);
}

/* A number that the engine counts: what it says next is wrong. */
static bool flip_book(struct sim_world *w, uint32_t i)
{
    if (w->config.release != SB_RELEASE_VERIFIED)
        return false;
    w->checks.flipped = true;
    struct sb_engine *e = w->node[i]->engine;
    switch (sim_random(&w->rng) % 4) {
    case 0:
        e->sessions[1 + sim_random(&w->rng) % SIM_SESSIONS].view.next_stream_seq ^= 1u << 12;
        break;
    case 1:
        e->last_match ^= UINT64_C(1) << (20 + sim_random(&w->rng) % 30);
        break;
    case 2:
        e->last_ref ^= UINT64_C(1) << (32 + sim_random(&w->rng) % 30);
        break;
    default:
        e->feed_seq ^= 1u << 12;
    }
    return true;
}

/* The price or quantity of an order among the newest in the log: not applied yet, or kept for repairs. */
static bool flip_log(struct sim_world *w, uint32_t i)
{
    struct sb_log *log = &w->node[i]->log;
    if (w->config.release != SB_RELEASE_VERIFIED)
        return false;
    for (uint64_t at = log->packet_end; at > log->packet_first && at + 8 > log->packet_end; at--) {
        const struct sb_packet *packet = sb_log_packet(log, at - 1);
        struct sb_command *c = sb_log_lines(log, packet);
        for (uint32_t k = 0; k < packet->count; k++, c += sb_command_lines(c)) {
            if (c->kind != SB_CMD_ORDER || sim_chance(&w->rng, 300000))
                continue;
            if (sim_chance(&w->rng, 500000))
                c->quantity ^= 1u << sim_random(&w->rng) % 8;
            else
                c->price ^= INT64_C(1) << sim_random(&w->rng) % 12;
            w->checks.flipped = true;
            w->checks.rotten_log = i;
            return true;
        }
    }
    return false;
}

/* A bit of a frame that is held back, or kept for re-requests. */
static bool flip_held(struct sim_world *w, uint32_t i)
{
    struct sb_hold *hold = &w->node[i]->hold;
    struct sb_held *h = NULL;
    if (sim_chance(&w->rng, 500000))
        h = sb_hold_peek(hold);
    for (uint32_t tries = 0; h == NULL && tries < 8; tries++) {
        const uint32_t stream = (uint32_t)(sim_random(&w->rng) % (w->config.sessions_n + 1));
        const uint64_t end = hold->released_seq[stream], back = 1 + sim_random(&w->rng) % 20;
        h = end > back ? sb_hold_find(hold, stream, end - back) : NULL;
    }
    if (h == NULL)
        return false;
    sb_held_frame(h)[sim_random(&w->rng) % h->len] ^= (uint8_t)(1u << sim_random(&w->rng) % 8);
    return true;
}

/* Dies; starts again, if that is to be. */
static void kill_host(struct sim_world *w, uint32_t i, uint64_t restart_ns)
{
    sim_kill_host(w, i);
    if (restart_ns != 0)
        sim_restart_at(w, i, restart_ns);
}

static bool strike_disk(struct sim_world *w, const struct sim_event *e, uint64_t until)
{
    struct sim_disk *d = &w->life[e->a].disk;
    if (!d->writing)
        return false;
    switch (e->kind) {
    case SIM_DISK_SLOW:
        d->slow_ns = 1 + e->b % 100000000;
        d->slow_until_ns = until;
        heal_at(w, until + d->slow_ns);
        return true;
    case SIM_DISK_FULL:
    case SIM_DISK_ERROR:
        d->error = e->kind == SIM_DISK_FULL ? ENOSPC : (e->b & 1) != 0 ? EIO : EROFS;
        d->error_until_ns = until;
        heal_at(w, until);
        return true;
    case SIM_DISK_LOST:
        d->lose = true;
        return true;
    case SIM_DISK_MISDIRECT:
        d->misdirect = true;
        return true;
    default:
        return sim_disk_flip(d);
    }
}

/* p: the primary, 2: there is none. */
static uint32_t victim_of(const struct sim_event *e, uint32_t p)
{
    if (e->a == SIM_THE_WITNESS)
        return SIM_W;
    if (p == 2)
        return e->a & 1;
    return e->a == SIM_THE_PRIMARY ? p : 1 - p;
}

/* False: there is nothing to strike. */
static bool strike(struct sim_world *w, const struct sim_event *e)
{
    const uint64_t until = w->now_ns + e->span_ns;
    const uint32_t p = primary(w), victim = victim_of(e, p);
    uint8_t frame[SB_FRAME_BYTES_MAX + 64];
    uint32_t len;
    switch (e->kind) {
    case SIM_BURST:
        for (uint32_t i = 0; i < SIM_HOSTS; i++)
            for (uint32_t k = 0; k < SIM_HOSTS; k++)
                cut(w, i, k, until);
        return true;
    case SIM_CUT:
    case SIM_CUT_CLIENT:
        cut(w, e->a, e->b, until);
        return true;
    case SIM_STALL:
        w->net.stall_until_ns[e->a][e->b] = until;
        heal_at(w, until + 1000000);
        return true;
    case SIM_DEAF:
        for (uint32_t i = 0; i < SIM_HOSTS; i++)
            cut(w, i, e->a, until);
        return true;
    case SIM_PARTITION:
        for (uint32_t i = 0; i < SIM_HOSTS; i++) {
            cut(w, e->a, i, until);
            cut(w, i, e->a, until);
        }
        return true;
    case SIM_PAUSE:
        w->host[victim].asleep_until_ns = until;
        heal_at(w, until);
        return true;
    case SIM_BLINK:
        if (p == 2)
            return false;
        w->host[p].asleep_until_ns = until;
        heal_at(w, until);
        if ((e->b & 1) != 0) {
            w->blink_at_ns = until + 1500000;
            w->blink_span_ns = e->span_ns;
            heal_at(w, w->blink_at_ns + e->span_ns);
        }
        if ((e->b & 2) != 0 && (w->o.allowed >> SIM_OLD_FRAMES & 1) != 0) {
            w->old_until_ns = until + 8000000;
            w->struck[SIM_OLD_FRAMES]++;
            heal_at(w, w->old_until_ns);
        }
        return true;
    case SIM_SLOW:
        w->host[e->a].slow_until_ns = until;
        heal_at(w, until);
        return true;
    case SIM_STEP:
        w->host[e->a].offset_ns += (int64_t)(e->b % 2000000) - 1000000;
        heal_at(w, w->now_ns + 2000000);
        return true;
    case SIM_OLD_FRAMES:
        w->old_until_ns = until;
        heal_at(w, until);
        return sim_network_replay_old(&w->net, 32) != 0;
    case SIM_CLIENT_CRASH:
        sim_crash_client(w, until);
        heal_at(w, until);
        return true;
    case SIM_FLIP_HELD:
        return flip_held(w, e->a);
    case SIM_AMNESIA:
        if (!w->host[SIM_W].alive)
            return false;
        sim_start_witness(w);
        return true;
    case SIM_CRASH:
        if (!w->host[victim].alive)
            return false;
        kill_host(w, victim, w->restores || (e->b & 1) != 0 ? until : 0);
        return true;
    case SIM_OTHER_RULES:
        if (!w->host[victim].alive || w->life[victim].other_rules)
            return false;
        sim_rules_strike(w, victim, until, (e->b & 2) != 0);
        return true;
    case SIM_POWER_CUT:
        for (uint32_t i = 0; i < 2; i++)
            if (w->host[i].alive)
                kill_host(w, i, w->restores ? until + (e->b >> i & 1) * (e->b % 10000000) : 0);
        return true;
    case SIM_HAND_OVER:
        if (p == 2 || w->node[p]->role != SB_ROLE_PRIM)
            return false;
        sb_node_hand_over(w->node[p]);
        return true;
    case SIM_DISK_SLOW:
    case SIM_DISK_FULL:
    case SIM_DISK_ERROR:
    case SIM_DISK_LOST:
    case SIM_DISK_MISDIRECT:
    case SIM_DISK_CORRUPT:
        return strike_disk(w, e, until);
    case SIM_NOTICE:
        if (p == 2 || (len = sb_node_crash_frame(w->node[p], frame)) == 0)
            return false;
        sim_network_send(&w->net, (uint8_t)p, frame, len);
        kill_host(w, p, w->restores ? until : 0);
        return true;
    case SIM_STOP:
        if (p == 2)
            return false;
        w->stopped_inc = at_rest(w, p) && !w->restores ? w->node[p]->inc : 0;
        sb_node_stop(w->node[p]);
        return true;
    case SIM_WITNESS_CRASH:
        if (!w->host[SIM_W].alive)
            return false;
        kill_host(w, SIM_W, w->restores ? until : 0);
        return true;
    case SIM_FLIP_BOOK:
        return at_rest(w, p) && flip_book(w, e->a);
    case SIM_FLIP_LOG:
        return at_rest(w, p) && flip_log(w, e->moment == SIM_BEFORE_APPLY ? p : e->a);
    default:
        return false;
    }
}

/* Somebody asks for what may not exist yet, and from a port of its own. */
static void ask_ahead(struct sim_world *w)
{
    const uint32_t stream = (uint32_t)(sim_random(&w->rng) % (SIM_SESSIONS + 1));
    const struct sb_follow *f = stream == 0 ? &w->client.feed : &w->client.sessions[stream].stream;
    uint8_t frame[SB_FRAME_BYTES_MAX];
    struct sb_udp_route r = {.src_mac = {2, 0, 0, 0, 0, 9},
                             .src_ipv4 = w->config.client.ipv4,
                             .dst_ipv4 = w->config.requests.ipv4,
                             .src_port = SB_CLIENT_PORT_BASE,
                             .dst_port = w->config.requests.port};
    sb_multicast_mac(r.dst_ipv4, r.dst_mac);
    char name[SB_MOLD_NAME_BYTES];
    sb_stream_name(name, w->config.shard, w->config.trading_day, w->config.generation, stream);
    sb_mold_put_head(frame + SB_UDP_HEADERS_BYTES, name, f->next + sim_random(&w->rng) % 3, 8);
    sim_network_send(&w->net, SIM_C, frame, sb_udp_finish(frame, &r, SB_MOLD_HEAD_BYTES));
}

static uint32_t taken(const struct sim_world *w)
{
    uint32_t n = 0;
    for (uint32_t i = 1; i <= SIM_SESSIONS; i++)
        n += w->client.sessions[i].taken;
    return n;
}

bool sim_faults_turn(struct sim_world *w)
{
    bool all = true;
    if (sim_chance(&w->rng, 2000))
        ask_ahead(w);
    if (w->now_ns < w->old_until_ns && w->now_ns >= w->old_at_ns) {
        w->old_at_ns = w->now_ns + 200000;
        sim_network_replay_old(&w->net, 6);
    }
    if (w->blink_at_ns != 0 && w->now_ns >= w->blink_at_ns) {
        w->blink_at_ns = 0;
        if (primary(w) < 2)
            w->host[primary(w)].asleep_until_ns = w->now_ns + w->blink_span_ns;
    }
    sim_rules_turn(w);
    const uint32_t progress = taken(w);
    const uint64_t patience_ns = w->restores ? RESTORE_WAIT_NS : SIM_DEADLINE_NS / 4;
    const uint64_t wait_ns = w->restores ? RESTORE_WAIT_NS : MOMENT_WAIT_NS;
    for (uint32_t i = 0; i < w->schedule.events_n; i++) {
        struct sim_event *e = &w->schedule.events[i];
        if (e->struck)
            continue;
        all = false;
        if (e->follows && i > 0 && !w->schedule.events[i - 1].struck)
            continue;
        if (progress < e->after && w->client.state == SB_CLIENT_RUNNING &&
            w->now_ns < w->healed_ns + patience_ns)
            continue;
        if (e->due_ns == 0)
            e->due_ns = w->now_ns;
        const bool now = moment_is_now(w, e->moment);
        if ((!now && w->now_ns < e->due_ns + wait_ns) || w->operator_.state != SIM_OP_WATCHES)
            continue;
        e->struck = true;
        const bool rest = at_rest(w, primary(w));
        const bool done = strike(w, e);
        if (w->o.trace)
            printf("%12.6f ms  event %u: %s, wanted %s%s%s, host %u, for %.3f ms\n",
                   (double)w->now_ns / 1e6, i, sim_fault_name(e->kind), sim_moment_name(e->moment),
                   now ? "" : " (did not come)", done ? "" : ": nothing to strike", e->a & 3,
                   (double)e->span_ns / 1e6);
        if (!done)
            continue;
        heal_at(w, w->now_ns);
        w->struck[e->kind]++;
        w->struck_n++;
        /* The first fault, of a pair at rest: somebody must serve, though it lasts. */
        w->must_serve_ns = 0;
        const bool disk = e->kind >= SIM_DISK_SLOW && e->kind <= SIM_DISK_CORRUPT;
        if (w->struck_n == 1 && rest && e->kind < SIM_FLIP_BOOK && e->kind != SIM_POWER_CUT &&
            !disk)
            w->must_serve_ns = w->now_ns + SIM_MUST_SERVE_NS;
        if ((e->kind >= SIM_FIRST_HARD && !w->restores) || e->kind >= SIM_FLIP_BOOK ||
            (disk && !w->restores)) { /* a node may stop for good */
            w->hard++;
            w->quiet_hard = rest && e->kind < SIM_FLIP_BOOK;
        }
    }
    return all;
}
