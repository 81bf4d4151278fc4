/* image_row.c: see image_row.h. */
#include "engine/image_row.h"

#include <string.h>

#include "engine/book.h"
#include "engine/cascade.h"
#include "engine/check.h"

struct sb_image_row sb_image_row_of(const struct sb_engine *e, const uint8_t *order,
                                    const uint8_t *terms)
{
    struct sb_image_row r = {.book = NULL};
    memcpy(&r.o, order, sizeof r.o);
    if (terms != NULL)
        memcpy(&r.t, terms, sizeof r.t);
    r.ref = r.o.name >> 19;
    r.side = (uint8_t)(r.o.name >> 16 & 7u);
    r.session = (uint32_t)(r.o.name & 0xffffu);
    r.id = (uint64_t)r.o.id_high << 48 | (r.o.name & 0xffffu) << 32 | r.o.key;
    r.book = sb_state_book(e, r.o.instrument | (uint32_t)r.o.instrument_high << 16);
    return r;
}

/* --- is it in its place? ------------------------------------------------------------------------------------ */

uint64_t sb_image_row_rank(const struct sb_image_row *r)
{
    static const uint64_t places[] = {[IMAGE_PLAIN] = 0,
                                      [IMAGE_VISIBLE] = 0,
                                      [IMAGE_DARK] = 2,
                                      [IMAGE_STOP] = 4,
                                      [IMAGE_ASIDE] = 6};
    const uint64_t place = places[r->o.place] + (r->o.place != IMAGE_ASIDE ? r->side & 1u : 0);
    uint32_t key = 0;
    if (r->o.place == IMAGE_STOP)
        key = sb_rest_stop_key(r->side, r->o.ticks);
    else if (r->o.place != IMAGE_ASIDE)
        key = sb_book_key(r->side, r->o.ticks);
    return (uint64_t)r->book->index << 40 | place << 32 | key;
}

/* Behind the one before it, whose rank and reference these are? */
static bool follows(const struct sb_image_row *r, uint64_t rank_before, uint64_t ref_before)
{
    const uint64_t own = sb_image_row_rank(r);
    return own > rank_before ||
           (own == rank_before && (r->o.place != IMAGE_ASIDE || r->ref > ref_before));
}

/* --- could it rest there? ----------------------------------------------------------------------------------- */

static bool price_good(const struct sb_image_row *r, uint64_t ticks)
{
    const uint64_t price = ticks * r->book->tick; /* 32 by 31 bits */
    return price - r->book->price_min <= r->book->price_range;
}

static bool is_quote(const struct sb_image_row *r)
{
    return (r->t.flags & SB_TERMS_QUOTE) != 0;
}

/* Of a session's order or quote, or whatever of a direct user's. */
static bool id_good(const struct sb_engine *e, const struct sb_image_row *r)
{
    if (e->direct)
        return r->o.capacity == 0;
    const uint32_t last = e->sessions[r->session].view.last_key;
    if (is_quote(r))
        return r->id == sb_rest_quote_id(r->session, r->book->index, r->side) && r->side <= 1 &&
               r->t.quote_key != 0 && r->t.quote_key <= last;
    return r->o.id_high == 0 && r->o.key != 0 && r->o.key <= last && r->t.quote_key == 0;
}

static bool quantity_good(const struct sb_image_row *r)
{
    const uint64_t total = (uint64_t)r->o.open + r->t.reserve;
    return r->o.open != 0 && total + r->o.executed <= r->book->view.quantity_max;
}

/* Numbers of ticks that become prices again. */
static bool in_words(const struct sb_image_row *r)
{
    const uint32_t tick = r->book->tick;
    const int64_t offset = (int64_t)r->t.offset * tick;
    return (r->t.limit == 0 || price_good(r, r->t.limit)) &&
           (uint64_t)r->t.trail * tick <= UINT32_MAX && offset >= INT32_MIN && offset <= INT32_MAX;
}

/* As it could have been entered. What became smaller since, need not fit any more: as large as it must have been. */
static struct sb_entry entry_of(const struct sb_image_row *r)
{
    const struct image_terms *t = &r->t;
    const uint32_t tick = r->book->tick;
    struct sb_entry x = {.session = r->session,
                         .quantity = r->o.open + t->reserve,
                         .side = r->side,
                         .tif = t->tif,
                         .type = t->type,
                         .attributes = t->attributes,
                         .peg = t->peg,
                         .display = t->display,
                         .range = t->range,
                         .minimum = t->minimum,
                         .trail = t->trail * tick,
                         .offset = t->offset * (int32_t)tick,
                         .price = (int64_t)t->limit * tick,
                         .stop = r->o.place == IMAGE_STOP ? (int64_t)r->o.ticks * tick : 0,
                         .expire_ns = t->expire_ns};
    if (x.quantity < x.minimum)
        x.quantity = x.minimum;
    if (x.quantity < x.display)
        x.quantity = x.display;
    return x;
}

static bool terms_go_together(const struct sb_image_row *r)
{
    static const uint8_t zero[sizeof r->t.zero];
    const struct image_terms *t = &r->t;
    if (memcmp(t->zero, zero, sizeof zero) != 0 || t->type > SB_TYPE_TRAILING_STOP ||
        t->tif > SB_TIF_AT_CLOSE || t->tif == SB_TIF_IOC || t->tif == SB_TIF_FOK ||
        t->attributes > SB_ATTR_ALL || (t->attributes & SB_ATTR_REDUCE_ONLY) != 0 ||
        t->peg > SB_PEG_MIDPOINT || (t->flags & ~(SB_TERMS_QUOTE | SB_TERMS_PLAIN)) != 0 ||
        !in_words(r))
        return false;
    const struct sb_entry x = entry_of(r);
    const bool bare = t->flags == 0 || (t->flags != (SB_TERMS_QUOTE | SB_TERMS_PLAIN) &&
                                        !sb_check_has_terms(&x) && t->tif == SB_TIF_DAY);
    const bool sliced = t->display != 0 && r->o.place == IMAGE_VISIBLE;
    return bare && sb_check_terms(r->book, &x) && (t->range != 0) == (t->ref0 != 0) &&
           t->ref0 <= r->ref && (t->tif == SB_TIF_GTD) == (t->expire_ns != 0) &&
           (t->display != 0 || t->slices == 0) &&
           (!sliced || (t->slices != 0 && r->o.open <= t->display + t->range)) &&
           (sliced || t->reserve == 0) && (!is_quote(r) || t->oco_key == 0);
}

/* Is it where an order with its terms is, in this phase? */
static bool state_good(const struct sb_image_row *r)
{
    const struct sb_book *b = r->book;
    const struct sb_terms t = {
        .minimum = r->t.minimum, .attributes = r->t.attributes, .peg = r->t.peg};
    const bool dark = sb_terms_dark(&t), pegged = t.peg != SB_PEG_NONE;
    const bool continuous = b->view.phase == SB_PHASE_CONTINUOUS;
    const bool closing = b->view.phase == SB_PHASE_AUCTION && b->view.auction == SB_AUCTION_CLOSING;
    switch (r->o.place) {
    case IMAGE_VISIBLE:
        return r->t.type == SB_TYPE_LIMIT && !dark && r->t.limit == r->o.ticks;
    case IMAGE_DARK:
        return r->t.type == SB_TYPE_LIMIT && dark &&
               (pegged ? continuous : r->t.limit == r->o.ticks);
    case IMAGE_STOP:
        return r->t.type >= SB_TYPE_STOP &&
               !(continuous && sb_stop_triggered(b, r->side, r->o.ticks));
    default:
        return r->t.type == SB_TYPE_LIMIT && r->o.ticks == 0 &&
               (pegged || (r->t.tif == SB_TIF_AT_CLOSE && r->t.limit != 0 && !closing));
    }
}

/* What can be told before its price is known to be one. */
static const char *place_fault(const struct sb_engine *e, const struct sb_image_row *r)
{
    if (r->ref == 0 || r->ref > e->last_ref || r->o.place > IMAGE_ASIDE)
        return "an order out of place";
    if (!e->direct && (r->session == 0 || r->session > e->limits.sessions_max ||
                       !e->sessions[r->session].view.defined))
        return "an order of nobody";
    const bool stays = r->t.tif == SB_TIF_GTC || r->t.tif == SB_TIF_GTD; /* 14.6 */
    if (r->book == NULL || (r->book->view.phase == SB_PHASE_CLOSED && !stays))
        return "an order where none can rest";
    if (r->o.zero != 0 || r->side == 2 || r->side == 4 || r->side > SB_SELL_SHORT_EXEMPT ||
        !quantity_good(r) || !id_good(e, r))
        return "an impossible order";
    return r->o.place == IMAGE_ASIDE || price_good(r, r->o.ticks)
               ? NULL
               : "an order at an impossible price";
}

const char *sb_image_row_fault(const struct sb_engine *e, const struct sb_image_row *r,
                               uint64_t rank_before, uint64_t ref_before)
{
    const bool shown = r->o.place <= IMAGE_VISIBLE;
    const char *wrong = place_fault(e, r);
    if (wrong != NULL)
        return wrong;
    if (!follows(r, rank_before, ref_before))
        return "an order out of place";
    if (r->o.place != IMAGE_PLAIN && (!terms_go_together(r) || !state_good(r)))
        return "impossible terms";
    if (sb_orders_find(&e->orders, r->id) != 0)
        return "an order that stands there twice";
    return shown && sb_book_levels_full(e, r->book, r->side, r->o.ticks)
               ? "more price levels than there may be"
               : NULL;
}
