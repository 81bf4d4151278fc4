/* check_terms.c: what goes with what (RULES.md 3.4). */
#include "engine/check.h"

#include "engine/state.h"

/* A time in force that lets an order wait for long. */
static bool waits(const struct sb_entry *x)
{
    return x->tif == SB_TIF_DAY || x->tif == SB_TIF_GTC || x->tif == SB_TIF_GTD;
}

static bool has(const struct sb_entry *x, uint32_t attributes)
{
    return (x->attributes & attributes) != 0;
}

/* Attributes that go with little. */
static bool has_any(const struct sb_entry *x)
{
    return has(x, SB_ATTR_ALL & ~SB_ATTR_REDUCE_ONLY);
}

/* MARKET, MARKET_TO_LIMIT */
static bool market(const struct sb_entry *x)
{
    const bool tif = x->type == SB_TYPE_MARKET
                         ? x->tif == SB_TIF_DAY || x->tif == SB_TIF_IOC || x->tif == SB_TIF_FOK
                         : waits(x);
    return tif && x->price == 0 && !has_any(x) &&
           (x->display | x->range | x->minimum | x->peg | x->trail | x->oco_key) == 0 &&
           x->offset == 0 && x->stop == 0;
}

/* STOP, STOP_LIMIT, TRAILING_STOP */
static bool stop(const struct sb_book *b, const struct sb_entry *x)
{
    const int64_t tick = b->view.tick;
    if (x->type != SB_TYPE_STOP_LIMIT && x->price != 0)
        return false;
    if (x->stop % tick != 0 || x->stop < b->view.price_min || x->stop > b->view.price_max)
        return false;
    const bool trails = x->type == SB_TYPE_TRAILING_STOP;
    if (trails ? x->trail == 0 || x->trail % tick != 0 : x->trail != 0)
        return false;
    return waits(x) && !has_any(x) && (x->display | x->range | x->minimum | x->peg) == 0 &&
           x->offset == 0;
}

static bool type(const struct sb_book *b, const struct sb_entry *x)
{
    switch (x->type) {
    case SB_TYPE_LIMIT:
        return x->stop == 0 && x->trail == 0;
    case SB_TYPE_MARKET:
    case SB_TYPE_MARKET_TO_LIMIT:
        return market(x);
    default:
        return stop(b, x);
    }
}

static bool iceberg(const struct sb_book *b, const struct sb_entry *x)
{
    if (x->display == 0)
        return x->range == 0;
    if (x->display > x->quantity || x->range >= x->display ||
        UINT64_C(20) * (x->display - x->range) < x->quantity)
        return false;
    return x->display % b->view.lot == 0 && x->range % b->view.lot == 0 &&
           !has(x, SB_ATTR_HIDDEN | SB_ATTR_ALL_OR_NONE) && x->minimum == 0 && x->peg == 0 &&
           x->tif != SB_TIF_IOC && x->tif != SB_TIF_FOK;
}

static bool attributes(const struct sb_entry *x)
{
    if (has(x, SB_ATTR_HIDDEN | SB_ATTR_POST_ONLY) && !waits(x))
        return false;
    if (has(x, SB_ATTR_POST_ONLY) &&
        (has(x, SB_ATTR_ALL_OR_NONE) || x->minimum != 0 || x->peg != SB_PEG_NONE))
        return false;
    return !has(x, SB_ATTR_ALL_OR_NONE) || (x->minimum == 0 && (waits(x) || x->tif == SB_TIF_IOC));
}

static bool minimum(const struct sb_book *b, const struct sb_entry *x)
{
    return x->minimum == 0 || (x->minimum <= x->quantity && x->minimum % b->view.lot == 0 &&
                               (waits(x) || x->tif == SB_TIF_IOC));
}

static bool tif(const struct sb_entry *x)
{
    if (x->expire_ns != 0 && x->tif != SB_TIF_GTD)
        return false;
    if (x->oco_key != 0 && !waits(x))
        return false;
    if (x->tif == SB_TIF_FOK)
        return !has_any(x);
    if (x->tif == SB_TIF_AT_OPEN || x->tif == SB_TIF_AT_CLOSE)
        return !has_any(x) && x->minimum == 0 && x->peg == SB_PEG_NONE;
    return true;
}

static bool peg(const struct sb_book *b, const struct sb_entry *x)
{
    if (x->peg == SB_PEG_NONE)
        return x->offset == 0;
    return waits(x) && x->offset % b->view.tick == 0 &&
           (x->peg != SB_PEG_MIDPOINT || x->offset == 0) && !has(x, SB_ATTR_ALL_OR_NONE);
}

static bool fit(const struct sb_book *b, const struct sb_entry *x)
{
    return type(b, x) && iceberg(b, x) && attributes(x) && minimum(b, x) && tif(x) && peg(b, x);
}

/* 19.4: what is left of a slice that an earlier day cut. */
static bool shown(const struct sb_entry *x)
{
    if (x->shown == 0)
        return true;
    return x->display != 0 && x->shown <= x->quantity &&
           x->shown <= (uint64_t)x->display + x->range &&
           x->quantity - x->shown <= UINT64_C(19) * (x->display - x->range);
}

bool sb_check_terms(const struct sb_book *b, const struct sb_entry *x)
{
    if (!x->carried)
        return fit(b, x);
    struct sb_entry whole = *x; /* as large as it must have been (19.2) */
    if (whole.quantity < x->display)
        whole.quantity = x->display;
    if (whole.quantity < x->minimum)
        whole.quantity = x->minimum;
    return fit(b, &whole) && shown(x);
}
