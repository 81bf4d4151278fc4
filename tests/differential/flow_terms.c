/* flow_terms.c: terms of orders: such as go together, and one that does not. */
#include <string.h>

#include "flow_maker.h"

/* An order that is being made. */
struct making {
    struct flow_maker *m;
    struct sb_command *c;
    union sb_command_ext *x;
    const struct flow_instrument *i;
};

static bool has(const struct making *k, enum flow_feature_bit feature)
{
    return flow_has(k->m, feature);
}

/* So many ticks from the middle: up for a buy, down for a sell. */
static int64_t beyond(const struct making *k, int64_t ticks)
{
    return k->i->middle + k->i->tick * (sb_side_sells(k->c->side) ? -ticks : ticks);
}

static int64_t around(const struct making *k, int64_t from, int64_t to)
{
    return from + (int64_t)flow_below(k->m, (uint32_t)(to - from + 1));
}

/* --- terms that go together --------------------------------------------------------------------- */

static void market(const struct making *k)
{
    k->c->price = 0;
    if (flow_one_in(k->m, 2)) {
        k->x->order.type = SB_TYPE_MARKET_TO_LIMIT;
        k->c->tif = SB_TIF_DAY;
        return;
    }
    k->x->order.type = SB_TYPE_MARKET;
    k->c->tif = flow_one_in(k->m, 3)                            ? SB_TIF_IOC
                : has(k, FLOW_BIT_TIFS) && flow_one_in(k->m, 3) ? SB_TIF_FOK
                                                                : SB_TIF_DAY;
}

static void stop(const struct making *k)
{
    static const uint8_t TYPES[] = {SB_TYPE_STOP, SB_TYPE_STOP_LIMIT, SB_TYPE_TRAILING_STOP};
    const int64_t reach = k->m->reach;
    int64_t price = beyond(k, around(k, -reach / 3, reach));
    if (!flow_one_in(k->m, 20)) /* in range, mostly */
        price = price < k->i->low ? k->i->low : price > k->i->high ? k->i->high : price;
    k->c->tif = SB_TIF_DAY;
    k->x->order.type = TYPES[flow_below(k->m, 3)];
    k->x->order.stop_price = price;
    if (k->x->order.type != SB_TYPE_STOP_LIMIT)
        k->c->price = 0;
    else if (flow_one_in(k->m, 2))
        k->c->price = price + k->i->tick * around(k, -2, 2);
    if (k->x->order.type == SB_TYPE_TRAILING_STOP)
        k->x->order.trail = (uint32_t)(k->i->tick * around(k, 1, reach));
}

static void iceberg(const struct making *k)
{
    const uint32_t lot = k->i->lot, lots = 2 + flow_below(k->m, 40), least = (lots + 19) / 20;
    const uint32_t most = flow_one_in(k->m, 4) ? lots : (lots + 2) / 3;
    const uint32_t shown = most > least ? least + flow_below(k->m, most - least + 1) : least;
    k->c->quantity = lots * lot;
    k->x->order.display_quantity = shown * lot;
    if (flow_one_in(k->m, 2) && shown > least)
        k->x->order.refresh_range = lot * (1 + flow_below(k->m, shown - least));
    if (k->c->tif == SB_TIF_IOC)
        k->c->tif = SB_TIF_DAY;
    if (has(k, FLOW_BIT_DARK) && flow_one_in(k->m, 6))
        k->x->order.attributes |= SB_ATTR_POST_ONLY;
}

static void minimum(const struct making *k)
{
    const uint32_t lots = k->c->quantity / k->i->lot;
    if (flow_one_in(k->m, 2))
        k->x->order.attributes |= SB_ATTR_ALL_OR_NONE;
    else if (lots > 0)
        k->x->order.min_quantity = k->i->lot * (1 + flow_below(k->m, lots < 50 ? lots : 50));
    if (has(k, FLOW_BIT_DARK) && k->c->tif == SB_TIF_DAY && flow_one_in(k->m, 4))
        k->x->order.attributes |= SB_ATTR_HIDDEN;
}

static void dark(const struct making *k)
{
    const uint32_t what = flow_below(k->m, 7);
    k->c->tif = SB_TIF_DAY;
    k->x->order.attributes |= what < 3   ? SB_ATTR_HIDDEN
                              : what < 6 ? SB_ATTR_POST_ONLY
                                         : SB_ATTR_HIDDEN | SB_ATTR_POST_ONLY;
    if (what < 3 && has(k, FLOW_BIT_MINIMUM) && flow_one_in(k->m, 5))
        minimum(k);
}

static void peg(const struct making *k)
{
    k->c->tif = SB_TIF_DAY;
    k->x->order.peg = (uint8_t)around(k, SB_PEG_PRIMARY, SB_PEG_MIDPOINT);
    if (k->x->order.peg != SB_PEG_MIDPOINT && !flow_one_in(k->m, 3))
        k->x->order.peg_offset = (int32_t)(k->i->tick * around(k, -2, 2));
    if (!flow_one_in(k->m, 3))
        k->c->price = 0;
    if (has(k, FLOW_BIT_DARK) && flow_one_in(k->m, 8))
        k->x->order.attributes |= SB_ATTR_HIDDEN;
    if (has(k, FLOW_BIT_MINIMUM) && flow_one_in(k->m, 8) && k->c->quantity >= k->i->lot)
        k->x->order.min_quantity = k->i->lot;
}

static void expire(const struct making *k)
{
    /* Soon, or in some ms: as TIMER comes. */
    const uint64_t span = flow_one_in(k->m, 2) ? 200 : 8000;
    k->c->tif = SB_TIF_GTD;
    k->x->order.expire_ns = k->c->time_ns + UINT64_C(1000) * (1 + flow_random(k->m) % span);
    k->m->expiries[k->m->expiries_n++ % FLOW_TIMES] = k->x->order.expire_ns;
}

static void tif(const struct making *k)
{
    switch (flow_below(k->m, 3)) {
    case 0:
        k->c->tif = SB_TIF_FOK;
        break;
    case 1:
        k->c->tif = SB_TIF_GTC;
        break;
    default:
        expire(k);
    }
}

static void auction_only(const struct making *k)
{
    const bool opening = k->i->phase == SB_PHASE_AUCTION && k->i->auction == SB_AUCTION_OPENING;
    k->c->tif = flow_percent(k->m, opening ? 75 : 8) ? SB_TIF_AT_OPEN : SB_TIF_AT_CLOSE;
    if (has(k, FLOW_BIT_ICEBERGS) && flow_one_in(k->m, 6)) {
        iceberg(k);
        k->x->order.attributes = 0;
    }
}

/* Only the instrument, side and partner: what goes with it comes from other families. */
static void partner(const struct making *k, const struct flow_recent *r)
{
    if (r == NULL || k->c->tif == SB_TIF_IOC)
        return;
    k->x->order.oco_key = r->key;
    if (flow_one_in(k->m, 12))
        return; /* perhaps of another side or instrument */
    k->c->side = r->side;
    k->c->instrument = r->instrument;
}

static bool may_last(const struct making *k)
{
    return k->c->tif == SB_TIF_DAY && k->x->order.type != SB_TYPE_MARKET;
}

static bool may_have_partner(const struct making *k)
{
    return k->x->order.type != SB_TYPE_MARKET && k->x->order.type != SB_TYPE_MARKET_TO_LIMIT &&
           (k->c->tif == SB_TIF_DAY || k->c->tif == SB_TIF_GTC || k->c->tif == SB_TIF_GTD);
}

void flow_add_terms(struct flow_maker *m, struct sb_command2 *both, const struct flow_recent *other)
{
    static void (*const ADD[FLOW_FEATURES_N])(const struct making *) = {
        [FLOW_BIT_MARKET] = market,    [FLOW_BIT_STOPS] = stop,
        [FLOW_BIT_ICEBERGS] = iceberg, [FLOW_BIT_DARK] = dark,
        [FLOW_BIT_MINIMUM] = minimum,  [FLOW_BIT_PEGS] = peg,
        [FLOW_BIT_TIFS] = tif,         [FLOW_BIT_AUCTIONS] = auction_only};
    struct making k = {.m = m, .c = &both->c, .x = &both->ext};
    if (other != NULL)
        partner(&k, other);
    else if (flow_has(m, FLOW_BIT_OCO) && flow_one_in(m, 8))
        partner(&k, flow_late(m, k.c->session));
    k.i = flow_known(m, k.c->instrument);
    if (k.x->order.oco_key != 0 && !m->queues) {
        k.c->price = flow_price(m, k.c->instrument);
        k.c->quantity = flow_quantity(m, k.c->instrument);
    }
    enum flow_feature_bit from[FLOW_FEATURES_N];
    uint32_t n = 0;
    for (uint32_t f = 0; f < FLOW_FEATURES_N; f++)
        if (flow_has(m, f) && ADD[f] != NULL)
            from[n++] = f;
    if (n > 0 && (k.x->order.oco_key == 0 || !flow_one_in(m, 3)))
        ADD[from[flow_below(m, n)]](&k);
    if (flow_has(m, FLOW_BIT_TIFS) && may_last(&k) && flow_one_in(m, 4)) {
        if (flow_one_in(m, 2))
            k.c->tif = SB_TIF_GTC;
        else
            expire(&k);
    }
    if (!may_have_partner(&k))
        k.x->order.oco_key = 0;
    both->c.flags |= SB_CMD_F_EXT;
}

/* --- of an earlier day ---------------------------------------------------------------------------- */

/* Some of it, in lots; seldom no lots. */
static uint32_t some_of(const struct making *k, uint32_t quantity)
{
    const uint32_t lots = quantity / k->i->lot;
    if (flow_one_in(k->m, 40))
        return flow_below(k->m, 3 * k->i->lot);
    return lots == 0 ? 0 : k->i->lot * (1 + flow_below(k->m, lots));
}

void flow_make_carried(struct flow_maker *m, struct sb_command2 *both)
{
    struct making k = {.m = m, .c = &both->c, .x = &both->ext};
    k.i = flow_known(m, k.c->instrument);
    k.c->kind = SB_CMD_CARRY;
    k.c->flags |= SB_CMD_F_EXT;
    memset(&k.x->carry, 0, sizeof k.x->carry);
    if (k.c->tif != SB_TIF_GTD && !flow_one_in(m, 20))
        k.c->tif = SB_TIF_GTC;
    if (k.c->tif == SB_TIF_GTC && flow_one_in(m, 4))
        expire(&k);
    if (flow_one_in(m, 2))
        k.x->carry.executed = some_of(&k, k.i->lot * m->lots);
    if (flow_one_in(m, 2)) /* what fills have left of it */
        k.c->quantity = some_of(&k, k.c->quantity);
    const uint32_t display = k.x->order.display_quantity;
    if (display != 0 ? !flow_one_in(m, 4) : flow_one_in(m, 60))
        k.x->carry.shown = some_of(&k, display < k.c->quantity ? display : k.c->quantity);
    if (flow_one_in(m, 40))
        k.c->firm++;
}

/* --- one that does not --------------------------------------------------------------------------- */

static uint32_t some_quantity(const struct making *k)
{
    const uint32_t q = k->c->quantity, lot = k->i->lot;
    const uint32_t values[] = {q, q + lot, q / 20, q / 20 / lot * lot, lot, lot - 1, 1, q - 1, 0};
    return values[flow_below(k->m, sizeof values / sizeof *values)];
}

static int64_t some_price(const struct making *k)
{
    const int64_t tick = k->i->tick;
    const int64_t values[] = {0,
                              tick,
                              -tick,
                              k->i->low,
                              k->i->low - tick,
                              k->i->high,
                              k->i->high + tick,
                              k->i->middle,
                              k->i->middle + 1,
                              INT64_MAX};
    return values[flow_below(k->m, sizeof values / sizeof *values)];
}

/* Another value for one term: mostly it does not go with the others. */
void flow_break_terms(struct flow_maker *m, struct sb_command2 *both)
{
    struct making k = {.m = m, .c = &both->c, .x = &both->ext};
    k.i = flow_known(m, k.c->instrument);
    const int64_t tick = k.i->tick;
    const int32_t offsets[] = {(int32_t)tick, (int32_t)-tick, 1, (int32_t)(tick / 2), INT32_MIN};
    const uint32_t trails[] = {0, (uint32_t)tick, (uint32_t)tick + 1, 1, UINT32_MAX};
    const uint64_t expiries[] = {0,         1, k.c->time_ns, k.c->time_ns - 1, k.c->time_ns + 1,
                                 UINT64_MAX};
    both->c.flags |= SB_CMD_F_EXT;
    switch (flow_below(m, 13)) {
    case 0:
        k.x->order.type = (uint8_t)flow_below(m, SB_TYPE_TRAILING_STOP + 1);
        break;
    case 1:
        k.c->tif = (uint8_t)flow_below(m, SB_TIF_AT_CLOSE + 1);
        break;
    case 2:
        k.x->order.attributes ^= (uint8_t)(1u << flow_below(m, 4));
        break;
    case 3:
        k.x->order.display_quantity = some_quantity(&k);
        break;
    case 4:
        k.x->order.refresh_range = some_quantity(&k);
        break;
    case 5:
        k.x->order.min_quantity = some_quantity(&k);
        break;
    case 6:
        k.x->order.peg = (uint8_t)flow_below(m, SB_PEG_MIDPOINT + 1);
        break;
    case 7:
        k.x->order.peg_offset = offsets[flow_below(m, 5)];
        break;
    case 8:
        k.x->order.stop_price = some_price(&k);
        break;
    case 9:
        k.x->order.trail = trails[flow_below(m, 5)];
        break;
    case 10:
        k.x->order.expire_ns = expiries[flow_below(m, 6)];
        break;
    case 11:
        k.x->order.oco_key = (uint32_t)flow_below(m, 40);
        break;
    default:
        k.c->price = some_price(&k);
    }
    if (flow_one_in(m, 12))
        flow_break_terms(m, both); /* and one more */
}
