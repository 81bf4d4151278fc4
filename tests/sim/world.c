#include "tests/sim/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "replica/bounds.h"
#include "shadowbook/assert.h"

enum {
    TICK_NS = 50000,      /* an idle host polls this often */
    SETTLE_NS = 60000000, /* after the last fault: roles and register have come to rest */
    PAIR_SETTLE_NS = 10000000,
    RESTART_NS = 20000000, /* what has stopped starts again within */
    ALL_ROLES = 31,
};

/* --- setting up ------------------------------------------------------------------------------ */

/* What holds an input, and what an owner that is alone waits for: what the configuration's check accepts. */
static void configure_hold(struct sim_world *w)
{
    struct sb_config *f = &w->config;
    w->restores = w->schedule.restores;
    f->solo_policy = sim_chance(&w->rng, 800000) ? SB_SOLO_AUTO : SB_SOLO_HALT;
    if (!sim_chance(&w->rng, w->restores ? 850000 : 500000))
        return;
    memcpy(f->journal_dir, "/", 2);
    f->journal_lag_max_ns = 40000000;
    f->hold = (enum sb_hold_setting)(sim_random(&w->rng) % 3);
    f->journal_error = f->hold == SB_HOLD_TWO_MEMORIES && sim_chance(&w->rng, 500000)
                           ? SB_JOURNAL_DEGRADE
                           : SB_JOURNAL_STOP;
    if (f->solo_policy == SB_SOLO_AUTO && sim_chance(&w->rng, 250000))
        f->solo_policy = SB_SOLO_MEMORY;
    if (f->solo_policy == SB_SOLO_AUTO && sim_chance(&w->rng, 300000))
        f->witness_log_lines = SIM_WITNESS_LINES;
    const bool transfer = sim_chance(&w->rng, 900000);
    for (uint32_t i = 0; i < 2 && transfer; i++)
        f->nodes[i].transfer = (struct sb_addr){f->nodes[i].ipv4, 5006};
}

static uint32_t session_of(enum sim_member_kind kind)
{
    return SIM_SESSIONS + 1 + kind;
}

/* Rules of sessions: who is kept from trading with himself; the desk's limits. */
static void configure_session(struct sb_session_config *s, bool limits, uint64_t *rng)
{
    s->stp = (uint8_t)(sim_chance(rng, 300000) ? SB_STP_NONE : 1 + sim_random(rng) % 4);
    s->stp_group = sim_chance(rng, 400000) ? 1 : 0;
    s->orders_max = limits && sim_chance(rng, 250000) ? 12 : 0;
    s->quantity_max = limits && sim_chance(rng, 250000) ? 120 : 0;
    s->notional_max = limits && sim_chance(rng, 250000) ? 130 : 0;
}

static void configure_instrument(struct sb_instrument_config *in, uint64_t *rng)
{
    in->tie = (uint8_t)(sim_random(rng) % 4);
    in->reference_price = sim_chance(rng, 500000) ? 10500 : 0;
    in->static_band = sim_chance(rng, 250000) ? 900 : 0;
    in->dynamic_band = sim_chance(rng, 500000) ? 250 : 0;
    if (in->dynamic_band != 0 && sim_chance(rng, 600000)) {
        in->band_action = SB_BAND_PAUSE;
        in->pause_ms = 1 + (uint32_t)(sim_random(rng) % 4);
    }
    in->notional_max = sim_chance(rng, 100000) ? 250 : 0;
    if (sim_chance(rng, 300000)) {
        in->matching = SB_MATCH_PRO_RATA;
        in->pro_rata_min = sim_chance(rng, 500000) ? 2 * in->lot : 0;
    }
}

/* Drawn aside: the rest of the run is what it would be without. With terms a ring must be able to take any packet. */
static void configure_rules(struct sim_world *w)
{
    uint64_t rng = w->o.seed ^ UINT64_C(0x52554C45532E2E2E);
    for (uint32_t i = 1; sim_condition(w, SIM_DESK) && i <= w->config.sessions_n; i++)
        configure_session(&w->config.sessions[i], i == session_of(SIM_MEMBER_DESK), &rng);
    for (uint32_t i = 1; sim_condition(w, SIM_DESK) && i <= SIM_INSTRUMENTS; i++)
        configure_instrument(&w->instruments[i], &rng);
    w->config.timer_ns = 200000 + sim_random(&rng) % 3000000;
    /* One so small that the desk fills it; of levels, that who comes to rest late finds none. */
    if (sim_condition(w, SIM_DESK) && sim_condition(w, SIM_RINGS)) {
        if (sim_chance(&rng, 500000))
            w->config.limits.levels_max = 12;
        else
            w->config.limits.terms_max = 8;
    }
    const uint64_t needed = sb_hold_packet_bytes_max(&w->config.limits, SB_STREAM_LINES_MAX,
                                                     sb_config_pro_rata(&w->config)) +
                            UINT64_C(2) * SB_HELD_BYTES_MAX;
    while (sim_others(w) && w->config.hold_bytes < needed)
        w->config.hold_bytes *= 2;
}

/* An order of an earlier day: the desk's or the wild member's, of some shape; seldom one that cannot be taken. */
static struct sb_command2 carried(const struct sim_world *w, uint32_t key, uint64_t *rng)
{
    const uint32_t session =
        session_of(sim_chance(rng, 500000) ? SIM_MEMBER_DESK : SIM_MEMBER_WILD);
    const uint32_t instrument = 1 + (uint32_t)(sim_random(rng) % SIM_INSTRUMENTS);
    const uint32_t lot = w->instruments[instrument].lot;
    struct sb_command2 c = {
        .c = {.session = sim_chance(rng, 30000) ? 99 : session,
              .firm = w->config.sessions[session].firm + sim_chance(rng, 30000),
              .key = key,
              .instrument = sim_chance(rng, 30000) ? SB_INSTRUMENT_NONE : instrument,
              .kind = SB_CMD_CARRY,
              .side = sim_chance(rng, 500000) ? SB_SELL : SB_BUY,
              .tif = SB_TIF_GTC,
              .flags = SB_CMD_F_EXT,
              .quantity = lot * (1 + (uint32_t)(sim_random(rng) % 40)),
              .capacity = 'P',
              .price = 100 * (int64_t)(100 + sim_random(rng) % 12)}};
    c.ext.carry.executed = sim_chance(rng, 500000) ? lot * (uint32_t)(sim_random(rng) % 40) : 0;
    switch (sim_random(rng) % 6) {
    case 0:
        c.c.tif = SB_TIF_GTD;
        c.ext.order.expire_ns = SIM_START_NS + sim_random(rng) % 60000000;
        break;
    case 1:
        c.ext.order.display_quantity = c.c.quantity > 4 * lot ? c.c.quantity / 4 / lot * lot : lot;
        c.ext.carry.shown = sim_chance(rng, 500000) ? lot : 0;
        break;
    case 2:
        c.ext.order.attributes = SB_ATTR_HIDDEN;
        break;
    case 3:
        c.ext.order.type = SB_TYPE_STOP_LIMIT;
        c.ext.order.stop_price = c.c.price;
        break;
    default:
        break;
    }
    return c;
}

/* Drawn aside, as the rules are. At times more than small tables and an un-acked log take at once. (A takeover seldom comes while
 * they are entered: tests/replica/test_carry.c has those.) */
static void configure_carry(struct sim_world *w)
{
    uint64_t rng = w->o.seed ^ UINT64_C(0x43415252592E2E2E);
    if (!sim_condition(w, SIM_DESK) || sim_chance(&rng, 400000))
        return;
    const uint32_t n =
        1 + (uint32_t)(sim_random(&rng) %
                       (sim_chance(&rng, 500000) ? SIM_CARRY_MAX : SIM_CARRY_MAX / 16));
    for (uint32_t i = 0; i < n; i++) /* keys in no order */
        w->carry[i] = carried(w, 1 + (i ^ 1), &rng);
    w->config.carry = w->carry;
    w->config.carry_n = n;
}

static void configure(struct sim_world *w)
{
    struct sb_config *f = &w->config;
    const bool small = sim_condition(w, SIM_RINGS);
    sb_config_defaults(f);
    f->shard = 1;
    f->trading_day = 20231114;
    f->release = sim_chance(&w->rng, 250000) ? SB_RELEASE_LOGGED : SB_RELEASE_VERIFIED;
    f->limits = (struct sb_engine_limits){.instruments_max = 4,
                                          .sessions_max = SIM_SESSIONS + SIM_MEMBERS,
                                          .orders_max = small ? 160 : 1024,
                                          .levels_max = small ? 48 : 256,
                                          .terms_max = small ? 16 : 64,
                                          .window_levels = 64};
    f->log_lines = 1u << 13;
    f->unacked_lines = small ? 96 : 2048;
    f->hold_bytes = small ? 1u << (17 + sim_random(&w->rng) % 3) : 1u << 21;
    f->retain_packets = 1u << 11;
    f->pending_bytes = small ? 1u << 12 : 1u << 20;
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
    f->sessions_n = SIM_SESSIONS + (sim_condition(w, SIM_DESK) ? SIM_MEMBERS : 1u);
    for (uint32_t i = 1; i <= f->sessions_n; i++)
        f->sessions[i] = (struct sb_session_config){
            .present = true, .operator_right = i == 1, .firm = i, .token = 77 + i};
    f->sessions[session_of(SIM_MEMBER_DESK)].firm = session_of(SIM_MEMBER_WILD);
    f->sessions[session_of(SIM_MEMBER_SUPERVISOR)].operator_right = true;
    for (uint32_t i = 1; i <= SIM_INSTRUMENTS; i++) {
        w->instruments[i] = (struct sb_instrument_config){.tick = 100,
                                                          .price_min = 100,
                                                          .price_max = 1000000,
                                                          .lot = i == 1 ? 1 : 5,
                                                          .quantity_max = 1000000,
                                                          .phase = SB_PHASE_CONTINUOUS,
                                                          .present = true};
        memcpy(w->instruments[i].symbol, i == 1 ? "TEST    " : "OTHER   ", 8);
    }
    f->instruments = w->instruments;
    f->instruments_n = SIM_INSTRUMENTS;
    configure_hold(w);
    configure_rules(w);
    configure_carry(w);
}

uint64_t sim_inc(struct sim_world *w)
{
    return SIM_START_NS + w->now_ns + ++w->inc;
}

void sim_start_witness(struct sim_world *w)
{
    const size_t log_bytes = sb_witness_log_bytes(SIM_WITNESS_LINES);
    if (w->witness_log == NULL) /* kept over runs */
        w->witness_log = aligned_alloc(64, log_bytes);
    SB_ASSERT(w->witness_log != NULL);
    if (w->config.witness_log_lines != 0)
        memset(w->witness_log, 0, log_bytes);
    sb_witness_init(&w->witness, &w->config, (uint8_t[6]){2, 0, 0, 0, 0, 3}, sim_inc(w),
                    w->counters[SIM_W], w->witness_log);
    w->host[SIM_W].alive = true;
}

/* Phases of a trading day: each at a hundredth part of the flow. */
static const struct phase_row {
    uint8_t percent;
    char phase; /* as in entry.h */
} days[][6] = {
    {{0, 0}},
    {{33, 'A'}, {50, 'U'}, {51, 'T'}},
    {{30, 'H'}, {40, 'T'}},
    {{5, 'A'}, {15, 'U'}, {16, 'T'}, {80, 'A'}, {90, 'U'}, {91, 'C'}},
    {{40, 'C'}, {45, 'A'}, {60, 'U'}, {61, 'T'}},
};

/* Orders around the middle and some far from it, cancels, a day with its phases. */
static void make_plan(struct sim_world *w)
{
    uint64_t time = 0, orders = 0, open[64] = {0};
    const struct phase_row *next = days[sim_chance(&w->rng, 500000) ? 0 : sim_random(&w->rng) % 5];
    const struct phase_row *const last = next + 6;
    SB_ASSERT(sb_plan_init(&w->plan, SIM_SESSIONS));
    const uint64_t pace = 2000 + sim_random(&w->rng) % 150000;
    for (uint32_t i = 0; i < w->o.events; i++) {
        time += sim_random(&w->rng) % (2 * pace);
        struct sb_plan_event e = {.time_ns = time, .op = SB_PLAN_NEW, .tif = '0'};
        if (next < last && next->phase != 0 && i * 100 >= next->percent * w->o.events) {
            e.op = SB_PLAN_PHASE;
            e.phase = (next++)->phase;
            SB_ASSERT(sb_plan_add(&w->plan, &e) == NULL);
            continue;
        }
        e.instrument = 1 + (uint32_t)(sim_random(&w->rng) % SIM_INSTRUMENTS);
        e.quantity = 1 + (uint32_t)(sim_random(&w->rng) % 300);
        if (e.instrument == 2 && !sim_chance(&w->rng, 50000))
            e.quantity = (e.quantity + 4) / 5 * 5; /* its lot */
        if (orders > 4 && sim_chance(&w->rng, 300000)) {
            e.op = SB_PLAN_CANCEL;
            e.order_id = open[sim_random(&w->rng) % (orders < 64 ? orders : 64)];
            SB_ASSERT(sb_plan_add(&w->plan, &e) == NULL);
            continue;
        }
        e.order_id = ++orders;
        open[orders % 64] = orders;
        const bool far = sim_chance(&w->rng, 80000); /* outside the window of dense levels */
        e.price =
            100 * (int64_t)(far ? 1 + sim_random(&w->rng) % 9999 : 100 + sim_random(&w->rng) % 12);
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
    memset(w->again, 0, sizeof w->again);
    for (enum sim_member_kind k = 0; k < SIM_MEMBERS; k++)
        sim_member_init(&w->member[k], &w->config, k, session_of(k), w->o.seed);
}

static void deliver_again(void *arg, uint64_t seq, const uint8_t *message, uint32_t len)
{
    const struct sim_again *a = arg;
    if (seq >= a->had)
        a->deliver(a->arg, seq, message, len);
    else if (a->world->checks.tap[a->stream][seq] != sb_follow_hash(message, len))
        sim_fail(a->world, SIM_CHECK_CONTENT,
                 "stream %u message %" PRIu64 ": a client that came back was told something else",
                 a->stream, seq);
}

/* Forgets a stream: all of it is asked for again. */
static void forget_stream(struct sim_world *w, uint32_t stream, struct sb_follow *f)
{
    struct sim_again *a = &w->again[stream];
    if (a->world == NULL)
        *a = (struct sim_again){.world = w, .stream = stream, .deliver = f->deliver, .arg = f->arg};
    if (f->next > a->had)
        a->had = f->next;
    if (f->counters.conflicting != 0)
        sim_fail(w, SIM_CHECK_CONTENT, "stream %u: the client saw two contents", stream);
    const uint64_t capacity = f->capacity;
    const uint32_t slots = f->slots_mask + 1;
    sb_follow_free(f);
    SB_ASSERT(sb_follow_init(f, stream, capacity, slots, deliver_again, a));
}

void sim_crash_client(struct sim_world *w, uint64_t until_ns)
{
    struct sb_client *c = &w->client;
    sim_kill_host(w, SIM_C);
    w->host[SIM_C].alive = true;
    w->host[SIM_C].asleep_until_ns = until_ns;
    sim_network_forget(&w->net, SIM_C);
    c->options.nonce++;
    c->logged_in_n = 0;
    const bool retained = !sim_condition(w, SIM_RINGS); /* small rings keep too little */
    if (retained)
        forget_stream(w, SB_STREAM_FEED, &c->feed);
    for (uint32_t i = 1; i <= SIM_SESSIONS; i++) {
        c->sessions[i].logged_in = false;
        c->sessions[i].login_at_ns = 0;
        if (retained)
            forget_stream(w, i, &c->sessions[i].stream);
    }
}

/* --- time ------------------------------------------------------------------------------------- */

static uint64_t clock_of(struct sim_world *w, uint32_t i)
{
    struct sim_host *h = &w->host[i];
    const int64_t drift = (int64_t)w->now_ns / 1000000 * h->ppm;
    const uint64_t now = SIM_START_NS + (uint64_t)((int64_t)w->now_ns + drift + h->offset_ns);
    if (now > h->clock_ns) /* as the loop does it: a node's time never runs back */
        h->clock_ns = now;
    return h->clock_ns;
}

/* --- turns ------------------------------------------------------------------------------------ */

/* Frame by frame, so that each change of the register is seen. */
static void witness_turn(struct sim_world *w, uint64_t now, const struct sb_node_frame *in,
                         uint32_t n)
{
    uint32_t k = 0;
    do {
        struct sb_node_out out = {0};
        const enum sb_witness_state state = w->witness.state;
        const uint64_t epoch = w->witness.epoch;
        sb_witness_poll(&w->witness, now, &in[k], n > 0 ? 1 : 0, &out);
        sim_check_witness(w, state, epoch);
        for (uint32_t f = 0; f < out.n; f++)
            sim_check_witness_frame(w, out.frames[f].data, out.frames[f].len);
        for (uint32_t f = 0; f < out.n; f++)
            sim_network_send(&w->net, SIM_W, out.frames[f].data, out.frames[f].len);
    } while (++k < n);
}

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
        witness_turn(w, now, in, h->in_n);
        return;
    }
    sim_life_before(w, i);
    const enum sb_role before = w->node[i]->role;
    for (uint32_t k = 0; k < h->in_n; k++)
        sim_check_heard(w, i, in[k].data, in[k].len);
    sb_node_poll(w->node[i], now, in, h->in_n, &out);
    sim_check_turn(w, i, before);
    for (uint32_t k = 0; k < out.n; k++) {
        sim_check_frame(w, i, before, out.frames[k].data, out.frames[k].len);
        sim_network_send(&w->net, (uint8_t)i, out.frames[k].data, out.frames[k].len);
    }
    if (w->o.trace && w->node[i]->role != before)
        printf("%12.6f ms  %c: role %d -> %d, epoch %" PRIu64 "\n", (double)w->now_ns / 1e6,
               'A' + (int)i, (int)before, (int)w->node[i]->role, w->node[i]->epoch);
    if (out.busy)
        h->next_ns = w->now_ns;
    sim_life_after(w, i, now, out.done);
    if (w->life[i].other_rules)
        sim_rules_check(w, i, out.done);
    if (!out.done)
        return;
    if (w->o.trace)
        printf("%12.6f ms  %c: has stopped\n", (double)w->now_ns / 1e6, 'A' + (int)i);
    h->alive = false;
    sim_life_over(w, i, true);
    sim_check_died(w, i);
    if (w->life[i].other_rules)
        sim_rules_put_right(w, i);
    else if (w->restores && w->operator_.state == SIM_OP_WATCHES)
        sim_restart_at(w, i, w->now_ns + sim_random(&w->rng) % RESTART_NS);
}

void sim_restart_at(struct sim_world *w, uint32_t i, uint64_t ns)
{
    w->host[i].restart_ns = ns;
    if (ns > w->healed_ns)
        w->healed_ns = ns;
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
    const uint64_t now = clock_of(w, SIM_C);
    const uint32_t n = sb_client_poll(&w->client, now, in, h->in_n, out, SB_CLIENT_BURST);
    for (uint32_t k = 0; k < n; k++)
        sim_network_send(&w->net, SIM_C, out[k].data, out[k].len);
    for (enum sim_member_kind i = 0; i < SIM_MEMBERS; i++) {
        struct sim_member *x = &w->member[i];
        if (!sim_takes_part(w, i))
            continue;
        for (uint32_t k = 0; k < h->in_n; k++)
            sim_member_receive(x, h->in[k]->data, h->in[k]->len);
        sim_member_poll(x, now);
        for (uint32_t k = 0; k < x->frames_n; k++)
            sim_network_send(&w->net, SIM_C, x->frame[k], x->frame_len[k]);
    }
}

bool sim_others_done(const struct sim_world *w)
{
    for (enum sim_member_kind i = 0; i < SIM_MEMBERS; i++)
        if (sim_takes_part(w, i) && !sim_member_done(&w->member[i]))
            return false;
    return true;
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
    for (uint32_t i = 0; i < 2; i++)
        sim_disk_turn(&w->life[i].disk, w->now_ns);
    for (uint32_t i = 0; i < SIM_HOSTS; i++) {
        struct sim_host *h = &w->host[i];
        if (!h->alive && h->restart_ns != 0 && w->now_ns >= h->restart_ns &&
            w->operator_.state != SIM_OP_STOPS) {
            h->restart_ns = 0;
            if (i == SIM_W)
                sim_start_witness(w);
            else
                sim_life_start(w, i, SIM_RESTART);
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

void sim_kill_host(struct sim_world *w, uint32_t i)
{
    struct sim_host *h = &w->host[i];
    h->alive = false;
    for (uint32_t k = 0; k < h->in_n; k++)
        sim_network_done(&w->net, h->in_index[k]);
    h->in_n = 0;
    h->asleep_until_ns = 0;
    if (i < 2) {
        sim_life_over(w, i, false);
        sim_check_died(w, i);
    }
}

/* --- a run ------------------------------------------------------------------------------------ */

/* A first event that is there before the day is. */
static bool begins_with_other_rules(struct sim_world *w, uint32_t i)
{
    struct sim_event *e = &w->schedule.events[0];
    if (w->schedule.events_n == 0 || e->kind != SIM_OTHER_RULES || (e->b & 1) == 0 || e->a != i)
        return false;
    e->struck = true;
    w->struck[SIM_OTHER_RULES]++;
    w->struck_n++;
    return true;
}

static void set_up(struct sim_world *w, const struct sim_options *o)
{
    w->o = *o;
    w->rng = o->seed;
    w->now_ns = w->inc = w->healed_ns = w->old_until_ns = w->old_at_ns = 0;
    w->blink_at_ns = w->pair_ns = w->stopped_inc = w->must_serve_ns = 0;
    w->hard = w->struck_n = 0;
    w->quiet_hard = w->forced = false;
    w->snapshots = 0;
    w->operator_ = (struct sim_operator){0};
    memset(w->struck, 0, sizeof w->struck);
    memset(w->counters, 0, sizeof w->counters);
    memset(w->host, 0, sizeof w->host);
    sim_schedule_draw(&w->schedule, o->seed, o->events, o->allowed, o->keep);
    if (o->trace && w->schedule.plot != NULL)
        printf("plot: %s\n", w->schedule.plot);
    configure(w);
    if (o->trace)
        printf("hold %d, alone %d, release %d, journal%s, on its fault %d, what dies %s\n",
               (int)w->config.hold, (int)sb_config_solo_policy(&w->config), (int)w->config.release,
               w->config.journal_dir[0] != '\0' ? "" : " none", (int)w->config.journal_error,
               w->restores ? "starts again" : "stays down");
    sim_network_init(&w->net, &w->config, o->seed, w->schedule.conditions);
    sim_checks_init(&w->checks);
    if (sim_condition(w, SIM_RATE))
        for (uint32_t i = 0; i < SIM_HOSTS; i++)
            w->host[i].ppm = (int64_t)(sim_random(&w->rng) % 1001) - 500;
    w->memory_bytes = (sb_node_footprint(&w->config) + 4095) & ~(size_t)4095;
    make_plan(w);
    for (uint32_t i = 0; i < 2; i++) {
        sim_disk_init(&w->life[i].disk, o->seed * 2 + i);
        w->life[i].disk.may_tear = sim_condition(w, SIM_TORN);
        if (begins_with_other_rules(w, i))
            sim_rules_begin_day(w, i, w->schedule.events[0].span_ns);
        else
            sim_life_start(w, i, SIM_NEW_DAY);
    }
    sim_start_witness(w);
    start_client(w);
}

bool sim_is_pair(const struct sim_world *w)
{
    for (uint32_t i = 0; i < 2; i++) {
        const struct sb_node *p = w->node[i], *s = w->node[1 - i];
        if (w->host[i].alive && w->host[1 - i].alive && w->host[SIM_W].alive &&
            p->role == SB_ROLE_PRIM && s->role == SB_ROLE_SHADOW && s->epoch == p->epoch &&
            s->peer_inc == p->inc && p->peer_inc == s->inc && w->witness.state == SB_W_DUAL &&
            w->witness.epoch == p->epoch && s->arm == SB_ARM_NONE && !s->cancel_open &&
            !p->asking_solo)
            return true;
    }
    return false;
}

/* A pair of which one has not yet compared the other's last digest: what came last is on its way. */
static bool is_comparing(const struct sim_world *w)
{
    const struct sb_node *a = w->node[0], *b = w->node[1];
    return sim_is_pair(w) && (a->compared_n != a->applied || b->compared_n != b->applied);
}

/* Nothing is left to say: the clients are done, or have given up, and the pair is whole where it can be. */
static bool over(const struct sim_world *w)
{
    if (is_comparing(w))
        return false;
    if (sim_pair_is_due(w) && (w->pair_ns == 0 || w->now_ns < w->pair_ns + PAIR_SETTLE_NS))
        return false;
    if (w->checks.lost)
        return true;
    if (w->client.state == SB_CLIENT_RUNNING)
        return false;
    return w->client.state != SB_CLIENT_DONE || sim_others_done(w);
}

void sim_run(struct sim_world *w, const struct sim_options *o, struct sim_result *r)
{
    set_up(w, o);
    for (;;) {
        turn(w);
        const bool all = w->schedule.events_n == 0 || sim_faults_turn(w);
        if (all)
            sim_operator_turn(w);
        if (!sim_is_pair(w))
            w->pair_ns = 0;
        else if (w->pair_ns == 0)
            w->pair_ns = w->now_ns;
        const bool at_rest = all && w->operator_.state == SIM_OP_WATCHES;
        if (w->checks.failed || (at_rest && w->now_ns > w->healed_ns + SETTLE_NS &&
                                 (over(w) || w->now_ns > w->healed_ns + SIM_DEADLINE_NS)))
            break;
        w->now_ns += SIM_STEP_NS;
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
    r->struck[SIM_RATE] = sim_condition(w, SIM_RATE);
    r->struck[SIM_RINGS] = sim_condition(w, SIM_RINGS);
    r->struck[SIM_TORN] = r->struck[SIM_DISK_LOST] = r->struck[SIM_DISK_MISDIRECT] = 0;
    r->struck[SIM_WILD] = r->struck[SIM_DESK] = 0;
    for (enum sim_member_kind i = 0; i < SIM_MEMBERS; i++)
        if (sim_takes_part(w, i))
            r->struck[i == SIM_MEMBER_WILD ? SIM_WILD : SIM_DESK] +=
                w->member[i].made + w->member[i].strange;
    for (int i = 0; i < 2; i++) {
        r->takeovers += w->counters[i][SB_CTR_WENT_LIVE];
        r->solos += w->counters[i][SB_CTR_WENT_SOLO];
        r->joined += w->counters[i][SB_CTR_JOINED];
        r->resumed += w->counters[i][SB_CTR_RESUMED];
        r->struck[SIM_TORN] += w->life[i].disk.torn;
        r->struck[SIM_DISK_LOST] += w->life[i].disk.lost;
        r->struck[SIM_DISK_MISDIRECT] += w->life[i].disk.misdirected;
        munmap(w->memory[i], w->memory_bytes);
        w->memory[i] = NULL;
        sim_disk_free(&w->life[i].disk);
    }
    r->forced = w->forced;
    r->lost = w->checks.lost;
    sb_client_free(&w->client);
    sb_plan_free(&w->plan);
}
