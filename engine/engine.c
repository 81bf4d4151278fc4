#include "shadowbook/engine.h"

#include "engine/auction.h"
#include "engine/book.h"
#include "engine/change.h"
#include "engine/client.h"
#include "engine/due.h"
#include "engine/instrument.h"
#include "engine/mass.h"
#include "engine/operator.h"
#include "engine/outbox.h"
#include "engine/phase.h"
#include "engine/quote.h"
#include "engine/rest.h"
#include "engine/session.h"
#include "engine/state.h"
#include "engine/verify.h"

const char *sb_engine_limits_error(const struct sb_engine_limits *l)
{
    if (l->instruments_max < 1 || l->instruments_max > SB_ORDER_INSTRUMENT_MAX)
        return "instruments_max must be 1..131071";
    if (l->sessions_max < 1 || l->sessions_max > 65535)
        return "sessions_max must be 1..65535";
    if (l->orders_max < 1 || l->orders_max > 1u << 27)
        return "orders_max must be 1..134217728 (2^27)";
    if (l->levels_max < 1 || l->levels_max > 1u << 27)
        return "levels_max must be 1..134217728 (2^27)";
    if (l->terms_max < 1 || l->terms_max > 1u << 24)
        return "terms_max must be 1..16777216 (2^24)";
    if (l->window_levels < SB_LADDER_WINDOW_MIN || l->window_levels > SB_LADDER_WINDOW_MAX ||
        (l->window_levels & (l->window_levels - 1)) != 0)
        return "window_levels must be a power of two, 64..65536";
    return NULL;
}

/* Cuts pieces off the block; with base NULL it only adds up. */
struct carver {
    unsigned char *base;
    size_t used;
};

static void *carve(struct carver *c, size_t count, size_t size)
{
    void *piece = c->base != NULL ? c->base + c->used : NULL;
    c->used += (count * size + 63u) & ~(size_t)63u;
    return piece;
}

struct pieces {
    struct sb_engine *engine;
    struct sb_session *sessions;
    struct sb_book *books;
    struct sb_order *orders;
    struct sb_order_beside *beside;
    struct sb_ids_near *near;
    struct sb_ids_far *far;
    struct sb_ids_node *nodes_of_ids;
    uint8_t *cells_of_ids;
    struct sb_level *dense;
    uint64_t *bits;
    void *tail, *rare_tail;
    struct sb_rare *rare;
    struct sb_terms *terms;
    struct sb_auction_level *scratch;
    struct sb_due *due;
    struct sb_symbol *symbols;
};

/* The one list of what is in the block. Returns its size. */
static size_t carve_all(struct pieces *p, void *base, const struct sb_engine_limits *l)
{
    struct carver c = {.base = base};
    const size_t ladders = 2 * ((size_t)l->instruments_max + 1);
    p->engine = carve(&c, 1, sizeof *p->engine);
    p->sessions = carve(&c, (size_t)l->sessions_max + 1, sizeof *p->sessions);
    p->books = carve(&c, ladders / 2, sizeof *p->books);
    p->rare = carve(&c, ladders / 2, sizeof *p->rare);
    p->terms = carve(&c, (size_t)l->terms_max + 1, sizeof *p->terms);
    p->orders = carve(&c, (size_t)l->orders_max + 1, sizeof *p->orders);
    p->beside = carve(&c, (size_t)l->orders_max + 1, sizeof *p->beside);
    p->near = carve(&c, sb_ids_near_bytes(l->orders_max), 1);
    p->far = carve(&c, sb_ids_far_n(l->orders_max), sizeof *p->far);
    p->nodes_of_ids = carve(&c, sb_ids_nodes_n(l->orders_max), sizeof *p->nodes_of_ids);
    p->cells_of_ids = carve(&c, sb_ids_cells_bytes(l->orders_max), 1);
    p->dense = carve(&c, ladders * l->window_levels, sizeof *p->dense);
    p->bits = carve(&c, ladders * sb_ladder_words(l->window_levels), sizeof *p->bits);
    p->tail = carve(&c, 1, sb_tail_pool_bytes(l->levels_max));
    p->rare_tail = carve(&c, 1, sb_tail_pool_bytes(l->terms_max));
    p->scratch = carve(&c, l->levels_max, sizeof *p->scratch);
    p->due = carve(&c, 1, sizeof *p->due);
    p->symbols = carve(&c, sb_instrument_places(l->instruments_max), sizeof *p->symbols);
    return c.used;
}

size_t sb_engine_footprint(const struct sb_engine_limits *limits)
{
    struct pieces p;
    return carve_all(&p, NULL, limits);
}

/* What a command and what it leads to say at most (RULES.md 18):
 *   an order that ends  the four outputs of the pair that ended it, or its cancel's; a command brings at most six (QUOTE)
 *   a slice             its fill or decrement, and F_ADD of the next: 20 an iceberg, and again when a command changes it
 *   an order with terms TRIGGERED, or F_ADD of one that waited for the close, and the end of what it was displayed as
 *   pro-rata            what arrives has three outputs a fill with each of a pass, and ends (12.4): what commands bring, and
 *                       stops and dark orders, which are no icebergs
 *   an instrument       F_PHASE of a pause that ends, F_CROSS, F_PHASE of one that begins, F_INDICATIVE
 *   a command           its answers, F_ADD, F_REDUCED, F_DELETED of six sides of quotes; a fill that ends none but itself */
uint32_t sb_engine_outputs_max(const struct sb_engine_limits *limits, uint32_t commands,
                               bool pro_rata)
{
    enum {
        ENDED = 4,
        SLICE = 5,
        SLICES = 20,
        WAITED = 3,
        INSTRUMENT = 4,
        COMMAND = 24,
        BROUGHT = 6,
        PASS = 3 * SB_PRO_RATA_MAX,
        ICEBERG = SLICE * SLICES + WAITED,
        STOP = SLICE + WAITED + PASS
    };
    _Static_assert(STOP > ICEBERG, "the most that an order with terms says");
    const uint64_t n = commands;
    const uint64_t special =
        limits->terms_max < limits->orders_max ? limits->terms_max : limits->orders_max;
    const uint64_t most = ENDED * (limits->orders_max + BROUGHT * n) + ICEBERG * n +
                          (pro_rata ? STOP : ICEBERG) * special +
                          (pro_rata ? PASS * BROUGHT * n : 0) +
                          n * (COMMAND + INSTRUMENT * (uint64_t)limits->instruments_max);
    return most < UINT32_MAX ? (uint32_t)most : UINT32_MAX;
}

struct sb_engine *sb_engine_new(void *mem, size_t bytes, const struct sb_engine_limits *limits)
{
    SB_ASSERT(sb_engine_limits_error(limits) == NULL);
    SB_ASSERT_EQ((uintptr_t)mem % 64u, 0);
    SB_ASSERT_LE(sb_engine_footprint(limits), bytes);
    struct pieces p;
    carve_all(&p, mem, limits);
    struct sb_engine *e = p.engine;
    e->limits = *limits;
    e->feed_seq = 1;
    e->sessions = p.sessions;
    e->books = p.books;
    e->scratch = p.scratch;
    e->due = p.due;
    e->symbols = p.symbols;
    e->symbol_mask = sb_instrument_places(limits->instruments_max) - 1;
    e->levels.counted = limits->levels_max < limits->orders_max;
    e->levels.max = limits->levels_max;
    sb_tail_pool_init(&e->levels.pool, limits->levels_max, p.tail);
    sb_tail_pool_init(&e->rare_levels, limits->terms_max, p.rare_tail);
    sb_terms_init(&e->terms, limits->terms_max, p.terms);
    e->rare = p.rare;
    sb_orders_init(&e->orders, limits->orders_max, p.orders, p.beside);
    if (e->levels.counted)
        e->orders.few = 0;
    sb_ids_init(&e->orders.ids, limits->orders_max, p.near, p.far, p.nodes_of_ids, p.cells_of_ids);
    for (size_t i = 0; i < 2 * ((size_t)limits->instruments_max + 1); i++)
        sb_ladder_init(&p.books[i / 2].side[i % 2], limits->window_levels,
                       p.dense + i * limits->window_levels,
                       p.bits + i * sb_ladder_words(limits->window_levels));
    e->magic = SB_ENGINE_MAGIC;
    return e;
}

void sb_engine_seed_hash(struct sb_engine *e, uint64_t seed)
{
    SB_ASSERT_EQ(e->orders.used, 0);
    sb_ids_seed(&e->orders.ids, seed);
}

static bool open_day(struct sb_engine *e, const struct sb_command *cmd, struct sb_outbox *box)
{
    const union sb_command_ext *x = sb_command_ext(cmd);
    if (e->open || sb_command_other_rules(cmd, SB_ENGINE_RULES))
        return false;
    e->open = true;
    e->day = (struct sb_day_view){.midnight_ns = x->day.midnight_ns,
                                  .trading_day = x->day.trading_day,
                                  .shard = x->day.shard,
                                  .generation = x->day.generation,
                                  .carry_hash = x->day.carry_hash};
    sb_outbox_feed(e, box, (struct sb_output){.kind = SB_OUT_F_SYSTEM, .liquidity = 'O'});
    return true;
}

/* What an operator may send, or the shard itself. */
static void apply_operator(struct sb_engine *e, const struct sb_command *cmd, struct sb_outbox *box)
{
    if (cmd->kind == SB_CMD_MASS_CANCEL)
        sb_mass_cancel(e, cmd, box);
    else if (cmd->kind == SB_CMD_KILL)
        sb_mass_kill(e, cmd, box);
    else /* valid: PHASE, UNCROSS or INDICATIVE */
        sb_operator_apply(e, cmd, box);
}

/* Commands of the shard itself. False: not served. */
static bool apply_shard(struct sb_engine *e, const struct sb_command *cmd, struct sb_outbox *box)
{
    if (cmd->kind == SB_CMD_DAY)
        return open_day(e, cmd, box);
    if (!e->open)
        return false;
    if (cmd->kind == SB_CMD_SESSION)
        return sb_session_define(e, cmd);
    if (cmd->kind == SB_CMD_INSTRUMENT)
        return sb_instrument_define(e, cmd, box);
    if (cmd->kind == SB_CMD_TIMER)
        sb_phase_timer(e, cmd, box);
    else
        apply_operator(e, cmd, box);
    return true;
}

static void apply_client(struct sb_engine *e, const struct sb_command *cmd, struct sb_outbox *box)
{
    switch (cmd->kind) {
    case SB_CMD_ORDER:
        sb_client_order(e, cmd, box);
        break;
    case SB_CMD_CANCEL:
        sb_client_cancel(e, cmd, box);
        break;
    case SB_CMD_REDUCE:
        sb_client_reduce(e, cmd, box);
        break;
    case SB_CMD_REPLACE:
        sb_client_replace(e, cmd, box);
        break;
    case SB_CMD_AMEND:
        sb_change_amend(e, cmd, box);
        break;
    case SB_CMD_INVALID:
        sb_client_invalid(e, cmd, box);
        break;
    case SB_CMD_LOGIN:
        sb_session_login(e, cmd, box);
        break;
    case SB_CMD_QUOTE:
        sb_quote_apply(e, cmd, box);
        break;
    case SB_CMD_CARRY:
        sb_client_carry(e, cmd, box);
        break;
    default:
        apply_operator(e, cmd, box);
        break;
    }
}

#ifdef SB_EXPENSIVE_CHECKS
/* Every order is in exactly one queue of one book. */
static bool whole(const struct sb_engine *e)
{
    uint32_t orders = 0;
    for (uint32_t i = 1; i <= e->instruments; i++)
        orders += sb_book_verify(e, &e->books[i]) + sb_rest_verify(e, &e->books[i]);
    return orders == e->orders.used;
}

/* Costs O(tables): the larger they are, the more seldom. */
static uint32_t verify_every(const struct sb_engine *e)
{
    return 64 + e->limits.orders_max / 16;
}
#endif

void sb_engine_apply(struct sb_engine *e, const struct sb_command *cmd, struct sb_outbox *box)
{
    SB_ASSERT_EQ(cmd->seq, e->stats.commands + 1);
    SB_ASSERT(sb_command_valid(cmd, sb_command_lines(cmd)));
    const uint32_t before = box->n;
    e->stats.commands = cmd->seq;
    e->time_ns = cmd->time_ns;
    if (cmd->session == 0) {
        if (!apply_shard(e, cmd, box))
            e->stats.ignored_session++;
    } else if (cmd->session > e->limits.sessions_max || !e->sessions[cmd->session].view.defined) {
        e->stats.ignored_session++;
    } else if (!sb_session_take(&e->sessions[cmd->session], cmd->session_seq)) {
        e->stats.ignored_resend++;
    } else {
        apply_client(e, cmd, box);
    }
    e->stats.outputs += box->n - before;
    e->stats.open_orders = e->orders.used;
    SB_EXPENSIVE(cmd->seq % 64 != 0 || whole(e)); /* costs O(state): not every time */
    SB_EXPENSIVE(cmd->seq % verify_every(e) != 0 || sb_engine_verify(e) == e->orders.used);
}
