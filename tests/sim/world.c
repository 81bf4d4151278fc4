#include "tests/sim/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "shadowbook/assert.h"

#define START_NS UINT64_C(1700000000000000000)
enum {
    TICK_NS = 50000,           /* an idle host polls this often */
    STEP_NS = 4000,            /* grain of virtual time */
    MOMENT_WAIT_NS = 20000000, /* an event whose moment does not come strikes anyway */
    DEADLINE_NS = 2000000000,  /* after the last fault healed */
    ALL_ROLES = 31,
};

/* --- setting up ------------------------------------------------------------------------------ */

static void configure(struct sim_world *w)
{
    struct sb_config *f = &w->config;
    const bool small = (w->schedule.conditions >> SIM_RINGS & 1) != 0;
    sb_config_defaults(f);
    f->shard = 1;
    f->trading_day = 20231114;
    f->release = sim_chance(&w->rng, 250000) ? SB_RELEASE_LOGGED : SB_RELEASE_VERIFIED;
    f->limits = (struct sb_engine_limits){.instruments_max = 4,
                                          .sessions_max = 4,
                                          .orders_max = 1024,
                                          .levels_max = 256,
                                          .window_levels = 64};
    f->log_lines = 1u << 13;
    f->unacked_lines = small ? 96 : 2048;
    f->hold_bytes = small ? 1u << 19 : 1u << 21;
    f->retain_packets = 1u << 11;
    f->pending_bytes = small ? 1u << 12 : 1u << 16;
    f->heartbeat_ns = 200000;
    f->suspect_after_ns = 1000000;
    f->takeover_after_ns = 4000000;
    f->gap_after_ns = 1500000;
    f->solo_after_ns = 10000000;
    f->lag_max = 100000;
    f->client_heartbeat_ns = 5000000;
    f->orders = (struct sb_addr){0xEF010101, 5001};
    f->requests = (struct sb_addr){0xEF010101, 5002};
    f->feed_a = (struct sb_addr){0xEF010102, 5003};
    f->feed_b = (struct sb_addr){0, 0};
    f->replication = (struct sb_addr){0xEF010103, 5004};
    f->client_port = 5005;
    for (uint32_t i = 0; i < 2; i++) {
        f->nodes[i].present = true;
        f->nodes[i].ipv4 = 0x0A000001 + i;
    }
    f->witness.present = f->client.present = true;
    f->witness.ipv4 = 0x0A000003;
    f->client.ipv4 = 0x0A000004;
    f->sessions_n = SIM_SESSIONS;
    for (uint32_t i = 1; i <= SIM_SESSIONS; i++)
        f->sessions[i] = (struct sb_session_config){
            .present = true, .operator_right = i == 1, .firm = i, .token = 77 + i};
    for (uint32_t i = 1; i <= SIM_INSTRUMENTS; i++) {
        w->instruments[i] = (struct sb_instrument_config){.tick = 100,
                                                          .price_min = 100,
                                                          .price_max = 1000000,
                                                          .lot = 1,
                                                          .quantity_max = 1000000,
                                                          .phase = SB_PHASE_CONTINUOUS,
                                                          .present = true};
        memcpy(w->instruments[i].symbol, i == 1 ? "TEST    " : "OTHER   ", 8);
    }
    f->instruments = w->instruments;
    f->instruments_n = SIM_INSTRUMENTS;
}

static void start_node(struct sim_world *w, uint32_t i, bool new_day)
{
    if (w->memory[i] != NULL && w->node[i]->role == SB_ROLE_SOLO)
        w->checks.owner_gone = true;
    /* Fresh pages cost only what is touched. */
    if (w->memory[i] != NULL)
        munmap(w->memory[i], w->memory_bytes);
    w->memory[i] =
        mmap(NULL, w->memory_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    SB_ASSERT(w->memory[i] != MAP_FAILED);
    struct sb_node_setup setup = {.config = &w->config,
                                  .self = (uint8_t)i,
                                  .new_day = new_day,
                                  .inc = START_NS + w->now_ns + ++w->inc,
                                  .midnight_ns = START_NS - START_NS % UINT64_C(86400000000000),
                                  .trading_day = w->config.trading_day,
                                  .counters = w->counters[i]};
    for (int r = 0; r < SB_PORT_ROLES; r++)
        memcpy(setup.mac[r], (uint8_t[6]){2, 0, 0, 0, 0, (uint8_t)(1 + i)}, 6);
    w->node[i] = sb_node_new(w->memory[i], w->memory_bytes, &setup);
    w->host[i].alive = true;
    sim_check_started(w, i);
}

static void start_witness(struct sim_world *w)
{
    sb_witness_init(&w->witness, &w->config, (uint8_t[6]){2, 0, 0, 0, 0, 3},
                    START_NS + w->now_ns + ++w->inc, w->counters[SIM_W]);
    w->host[SIM_W].alive = true;
}

/* Orders around a moving middle, cancels, an auction now and then. */
static void make_plan(struct sim_world *w)
{
    uint64_t time = 0, orders = 0, open[64] = {0};
    uint32_t auction = sim_chance(&w->rng, 400000) ? w->o.events / 3 : UINT32_MAX;
    SB_ASSERT(sb_plan_init(&w->plan, SIM_SESSIONS));
    const uint64_t pace = 2000 + sim_random(&w->rng) % 150000;
    for (uint32_t i = 0; i < w->o.events; i++) {
        time += sim_random(&w->rng) % (2 * pace);
        struct sb_plan_event e = {.time_ns = time, .op = SB_PLAN_NEW, .tif = '0'};
        if (i == auction || i == auction + w->o.events / 6 || i == auction + w->o.events / 6 + 1) {
            e.op = SB_PLAN_PHASE;
            e.phase = i == auction ? 'A' : i == auction + w->o.events / 6 ? 'U' : 'T';
            SB_ASSERT(sb_plan_add(&w->plan, &e) == NULL);
            continue;
        }
        e.instrument = 1 + (uint32_t)(sim_random(&w->rng) % SIM_INSTRUMENTS);
        e.quantity = 1 + (uint32_t)(sim_random(&w->rng) % 300);
        if (orders > 4 && sim_chance(&w->rng, 300000)) {
            e.op = SB_PLAN_CANCEL;
            e.order_id = open[sim_random(&w->rng) % (orders < 64 ? orders : 64)];
            SB_ASSERT(sb_plan_add(&w->plan, &e) == NULL);
            continue;
        }
        e.order_id = ++orders;
        open[orders % 64] = orders;
        e.price = 10000 + 100 * (int64_t)(sim_random(&w->rng) % 12);
        e.side = sim_chance(&w->rng, 500000) ? 'B' : 'S';
        e.tif = sim_chance(&w->rng, 80000) ? '3' : '0';
        SB_ASSERT(sb_plan_add(&w->plan, &e) == NULL);
    }
    SB_ASSERT(sb_plan_finish(&w->plan));
}

static void start_client(struct sim_world *w)
{
    const struct sb_client_options o = {.config = &w->config,
                                        .plan = &w->plan,
                                        .speed = 1,
                                        .window = 1 + (uint32_t)(sim_random(&w->rng) % 64),
                                        .give_up_ns = UINT64_MAX / 2,
                                        .nonce = w->o.seed + 1,
                                        .mac = {2, 0, 0, 0, 0, 9},
                                        .tag_orders = sim_chance(&w->rng, 500000)};
    const char *wrong = sb_client_init(&w->client, &o);
    SB_ASSERT(wrong == NULL);
    w->host[SIM_C].alive = true;
}

/* --- time ------------------------------------------------------------------------------------- */

static uint64_t clock_of(struct sim_world *w, uint32_t i)
{
    struct sim_host *h = &w->host[i];
    const int64_t drift = (int64_t)w->now_ns / 1000000 * h->ppm;
    const uint64_t now = START_NS + (uint64_t)((int64_t)w->now_ns + drift + h->offset_ns);
    if (now > h->clock_ns) /* as the loop does it: a node's time never runs back */
        h->clock_ns = now;
    return h->clock_ns;
}

/* --- turns ------------------------------------------------------------------------------------ */

static void node_turn(struct sim_world *w, uint32_t i)
{
    struct sim_host *h = &w->host[i];
    struct sb_node_frame in[SB_NODE_IN_MAX];
    struct sb_node_out out = {0};
    for (uint32_t k = 0; k < h->in_n; k++)
        in[k] = (struct sb_node_frame){
            .data = h->in[k]->data, .len = h->in[k]->len, .roles = ALL_ROLES};
    const uint64_t now = clock_of(w, i);
    if (i == SIM_W) {
        sb_witness_poll(&w->witness, now, in, h->in_n, &out);
        for (uint32_t k = 0; k < out.n; k++)
            sim_network_send(&w->net, SIM_W, out.frames[k].data, out.frames[k].len);
        return;
    }
    const enum sb_role before = w->node[i]->role;
    sb_node_poll(w->node[i], now, in, h->in_n, &out);
    sim_check_turn(w, i, before);
    for (uint32_t k = 0; k < out.n; k++) {
        sim_check_frame(w, i, before, out.frames[k].data, out.frames[k].len);
        sim_network_send(&w->net, (uint8_t)i, out.frames[k].data, out.frames[k].len);
    }
    if (w->o.trace && w->node[i]->role != before)
        printf("%12.6f ms  %c: role %d -> %d, epoch %" PRIu64 "\n", (double)w->now_ns / 1e6,
               'A' + (int)i, (int)before, (int)w->node[i]->role, w->node[i]->epoch);
    if (out.done)
        h->alive = false;
    if (out.busy)
        h->next_ns = w->now_ns;
}

static void client_turn(struct sim_world *w)
{
    struct sim_host *h = &w->host[SIM_C];
    struct sb_frame in[SB_NODE_IN_MAX], out[SB_CLIENT_BURST];
    for (uint32_t k = 0; k < h->in_n; k++) {
        in[k] = (struct sb_frame){0};
        in[k].data = (uint8_t *)(uintptr_t)h->in[k]->data;
        in[k].len = h->in[k]->len;
    }
    const uint32_t n =
        sb_client_poll(&w->client, clock_of(w, SIM_C), in, h->in_n, out, SB_CLIENT_BURST);
    for (uint32_t k = 0; k < n; k++)
        sim_network_send(&w->net, SIM_C, out[k].data, out[k].len);
}

static void deliver(struct sim_world *w)
{
    uint8_t to;
    uint32_t index;
    const struct sim_frame *f;
    uint32_t full = 0;
    while (full == 0 && (f = sim_network_next(&w->net, &to, &index)) != NULL) {
        struct sim_host *h = &w->host[to];
        /* A host that stands still has a ring of its own: what it holds waits, the rest is lost. */
        if (!h->alive || h->in_n == SB_NODE_IN_MAX) {
            sim_network_done(&w->net, index);
            continue;
        }
        h->in[h->in_n] = f;
        h->in_index[h->in_n++] = index;
    }
}

static void turn(struct sim_world *w)
{
    w->net.now_ns = w->now_ns;
    deliver(w);
    for (uint32_t i = 0; i < SIM_HOSTS; i++) {
        struct sim_host *h = &w->host[i];
        if (!h->alive && h->restart_ns != 0 && w->now_ns >= h->restart_ns) {
            h->restart_ns = 0;
            start_node(w, i, false);
        }
        if (!h->alive || w->now_ns < h->asleep_until_ns ||
            (w->now_ns < h->slow_until_ns && w->now_ns < h->next_ns) ||
            (h->in_n == 0 && w->now_ns < h->next_ns))
            continue;
        h->next_ns = w->now_ns + (w->now_ns < h->slow_until_ns ? 8 * TICK_NS : TICK_NS);
        if (i == SIM_C)
            client_turn(w);
        else
            node_turn(w, i);
        for (uint32_t k = 0; k < h->in_n; k++)
            sim_network_done(&w->net, h->in_index[k]);
        h->in_n = 0;
    }
}

/* --- faults ----------------------------------------------------------------------------------- */

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
    switch (m) {
    case SIM_AT_ONCE:
        return true;
    case SIM_BEFORE_ACK:
        return own && own->role == SB_ROLE_PRIM && own->log.len > own->acked_held;
    case SIM_BEFORE_LEAVE:
        return own && own->role == SB_ROLE_PRIM && own->released < own->acked_held;
    case SIM_HAND_OVER:
        return own && own->role == SB_ROLE_SOLO && (!own->registered || own->draining_pending);
    default:
        return false;
    }
}

static void heal_at(struct sim_world *w, uint64_t ns)
{
    if (ns > w->healed_ns)
        w->healed_ns = ns;
}

static void kill_host(struct sim_world *w, uint32_t i)
{
    struct sim_host *h = &w->host[i];
    h->alive = false;
    for (uint32_t k = 0; k < h->in_n; k++)
        sim_network_done(&w->net, h->in_index[k]);
    h->in_n = 0;
}

static void cut(struct sim_world *w, uint32_t from, uint32_t to, uint64_t until)
{
    if (until > w->net.cut_until_ns[from][to])
        w->net.cut_until_ns[from][to] = until;
    heal_at(w, until);
}

static bool flip_book(struct sim_world *w, uint32_t i)
{
    if (w->config.release != SB_RELEASE_VERIFIED)
        return false;
    w->checks.flipped = true;
    struct sb_session_view *v = (struct sb_session_view *)(uintptr_t)sb_engine_session(
        w->node[i]->engine, 1 + (uint32_t)(sim_random(&w->rng) % SIM_SESSIONS));
    v->next_stream_seq ^= 1u << 12;
    return true;
}

/* False: there is nothing to strike. */
static bool strike(struct sim_world *w, const struct sim_event *e)
{
    const uint64_t until = w->now_ns + e->span_ns;
    const uint32_t p = primary(w), victim = p < 2 ? ((e->a & 1) != 0 ? p : 1 - p) : e->a >> 2 & 1;
    uint8_t frame[SB_FRAME_BYTES_MAX + 64];
    uint32_t len;
    switch (e->kind) {
    case SIM_BURST:
        for (uint32_t i = 0; i < SIM_HOSTS; i++)
            for (uint32_t k = 0; k < SIM_HOSTS; k++)
                cut(w, i, k, until);
        return true;
    case SIM_CUT:
        cut(w, e->a % 3, (e->a % 3 + 1 + e->b % 2) % 3, until);
        return true;
    case SIM_CUT_CLIENT:
        if ((e->b & 1) != 0)
            cut(w, SIM_C, e->a & 1, until);
        else
            cut(w, e->a & 1, SIM_C, until);
        return true;
    case SIM_PARTITION:
        for (uint32_t i = 0; i < SIM_HOSTS; i++) {
            cut(w, e->a % SIM_HOSTS, i, until);
            cut(w, i, e->a % SIM_HOSTS, until);
        }
        return true;
    case SIM_PAUSE:
        w->host[(e->b & 3) == 0 ? SIM_W : victim].asleep_until_ns = until;
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
        w->host[e->a % 3].slow_until_ns = until;
        heal_at(w, until);
        return true;
    case SIM_STEP:
        w->host[e->a % 3].offset_ns += (int64_t)(e->b % 2000000) - 1000000;
        heal_at(w, w->now_ns + 2000000);
        return true;
    case SIM_OLD_FRAMES:
        w->old_until_ns = until;
        heal_at(w, until);
        return sim_network_replay_old(&w->net, 32) != 0;
    case SIM_CLIENT_CRASH:
        kill_host(w, SIM_C);
        w->host[SIM_C].alive = true;
        w->host[SIM_C].asleep_until_ns = until;
        sim_network_forget(&w->net, SIM_C);
        w->client.options.nonce++;
        w->client.logged_in_n = 0;
        for (uint32_t i = 1; i <= SIM_SESSIONS; i++) {
            w->client.sessions[i].logged_in = false;
            w->client.sessions[i].login_at_ns = 0;
        }
        heal_at(w, until);
        return true;
    case SIM_AMNESIA:
        if (!w->host[SIM_W].alive)
            return false;
        start_witness(w);
        return true;
    case SIM_CRASH:
        if (!w->host[victim].alive)
            return false;
        kill_host(w, victim);
        if ((e->b & 1) != 0)
            w->host[victim].restart_ns = until;
        return true;
    case SIM_NOTICE:
        if (p == 2 || (len = sb_node_crash_frame(w->node[p], frame)) == 0)
            return false;
        sim_network_send(&w->net, (uint8_t)p, frame, len);
        kill_host(w, p);
        return true;
    case SIM_STOP:
        if (p == 2)
            return false;
        sb_node_stop(w->node[p]);
        return true;
    case SIM_WITNESS_CRASH:
        if (!w->host[SIM_W].alive)
            return false;
        kill_host(w, SIM_W);
        return true;
    case SIM_FLIP_BOOK:
        return at_rest(w, p) && flip_book(w, e->a & 1);
    default:
        return false;
    }
}

/* Somebody asks for what may not exist yet, and from a port of its own. */
static void ask_ahead(struct sim_world *w)
{
    const uint32_t stream = (uint32_t)(sim_random(&w->rng) % SIM_STREAMS);
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

static bool faults_turn(struct sim_world *w)
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
    const uint32_t progress = taken(w);
    for (uint32_t i = 0; i < w->schedule.events_n; i++) {
        struct sim_event *e = &w->schedule.events[i];
        if (e->struck)
            continue;
        all = false;
        if (progress < e->after && w->client.state == SB_CLIENT_RUNNING &&
            w->now_ns < w->healed_ns + DEADLINE_NS / 4)
            continue;
        if (e->due_ns == 0)
            e->due_ns = w->now_ns;
        const bool now = moment_is_now(w, e->moment);
        if (!now && w->now_ns < e->due_ns + MOMENT_WAIT_NS)
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
        if (e->kind >= SIM_FIRST_HARD) {
            w->hard++;
            w->quiet_hard = rest && e->kind != SIM_FLIP_BOOK;
        }
    }
    return all;
}

/* --- a run ------------------------------------------------------------------------------------ */

static void set_up(struct sim_world *w, const struct sim_options *o)
{
    w->o = *o;
    w->rng = o->seed;
    w->now_ns = w->inc = w->healed_ns = w->old_until_ns = w->old_at_ns = 0;
    w->blink_at_ns = 0;
    w->hard = w->struck_n = 0;
    w->quiet_hard = false;
    memset(w->struck, 0, sizeof w->struck);
    memset(w->counters, 0, sizeof w->counters);
    memset(w->host, 0, sizeof w->host);
    sim_schedule_draw(&w->schedule, o->seed, o->events, o->allowed, o->keep);
    configure(w);
    sim_network_init(&w->net, &w->config, o->seed, w->schedule.conditions);
    sim_checks_init(&w->checks);
    if ((w->schedule.conditions >> SIM_RATE & 1) != 0)
        for (uint32_t i = 0; i < SIM_HOSTS; i++)
            w->host[i].ppm = (int64_t)(sim_random(&w->rng) % 1001) - 500;
    w->memory_bytes = (sb_node_footprint(&w->config) + 4095) & ~(size_t)4095;
    make_plan(w);
    start_node(w, 0, true);
    start_node(w, 1, true);
    start_witness(w);
    start_client(w);
}

void sim_run(struct sim_world *w, const struct sim_options *o, struct sim_result *r)
{
    set_up(w, o);
    for (;;) {
        turn(w);
        const bool all = w->schedule.events_n == 0 || faults_turn(w);
        if (w->checks.failed ||
            (all && w->now_ns > w->healed_ns &&
             (w->client.state != SB_CLIENT_RUNNING || w->now_ns > w->healed_ns + DEADLINE_NS)))
            break;
        w->now_ns += STEP_NS;
    }
    sim_check_end(w);
    *r = (struct sim_result){.failed = w->checks.failed,
                             .check = w->checks.check,
                             .released = w->checks.tapped,
                             .end_ns = w->now_ns,
                             .events_n = w->schedule.events_n,
                             .complete = w->client.state == SB_CLIENT_DONE};
    memcpy(r->text, w->checks.text, sizeof r->text);
    memcpy(r->struck, w->struck, sizeof r->struck);
    r->struck[SIM_LOSS] = w->net.lost;
    r->struck[SIM_DUPLICATE] = w->net.duplicated;
    r->struck[SIM_REORDER] = w->net.reordered;
    r->struck[SIM_DELAY] = w->net.delayed;
    r->struck[SIM_FLIP_FRAME] = w->net.flipped;
    r->struck[SIM_RATE] = w->schedule.conditions >> SIM_RATE & 1;
    r->struck[SIM_RINGS] = w->schedule.conditions >> SIM_RINGS & 1;
    for (int i = 0; i < 2; i++) {
        r->takeovers += w->counters[i][SB_CTR_WENT_LIVE];
        r->solos += w->counters[i][SB_CTR_WENT_SOLO];
        munmap(w->memory[i], w->memory_bytes);
        w->memory[i] = NULL;
    }
    sb_client_free(&w->client);
    sb_plan_free(&w->plan);
}
