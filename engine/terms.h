/* terms.h: what is beside a plain order: the record of an order with terms, and what a book keeps of such orders.
 *
 * Read RULES.md first. An order without terms has no record, and a book without such orders is never asked for any of this:
 * `struct sb_rare` of an instrument lies apart from its book, and `sb_book.general` says whether it must be looked at.
 *
 *     sb_orders (slots) <---- slot ---- sb_terms ---- extra ----> beside the slot (SB_ORDER_SPECIAL)
 *
 *                 VISIBLE            DARK                  PARKED, a stop           PARKED, else
 *     queue       ladder of side     rare.dark[side]       rare.stops[side]         none
 *     o->level    key of its price   key of its price      key of its stop price    0
 *     o->open     what shows         all                   all                      all
 *     reserve     iceberg's          0                     0                        0
 *     list        -                  rare.unseen           rare.unseen              rare.unseen
 *
 * The queues are linked through the slots, as in the ladders; `unseen`, `pegs` and `trails` through the records, in order of
 * reference. Whoever gets a new reference goes to their end, and nobody enters `unseen` with an old one: so they need no search.
 * `pegs` has every peg, `trails` every trailing stop that is parked.
 *
 * A place is taken when the order is accepted (or becomes an OCO partner) and kept until it ends; a triggered stop, a
 * MARKET_TO_LIMIT that rests, a partner that is alone again keep theirs.
 */
#ifndef SHADOWBOOK_ENGINE_TERMS_H
#define SHADOWBOOK_ENGINE_TERMS_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/orders.h"
#include "engine/tail.h"
#include "shadowbook/engine.h"

/* One record. Prices in ticks; quantities in shares. Index 0 is never used, so that 0 can mean none. */
struct sb_terms {
    uint64_t ref0; /* the reference that it was accepted with: seed of the slices' sizes (6.2) */
    uint64_t expire_ns;          /* GTD */
    uint64_t looked;             /* the last look (4.5) or pass (12.1) that saw it: transient */
    uint32_t slot;               /* of its order. A free record: 0 */
    uint32_t next, prev;         /* in rare.unseen; `next` also chains free records */
    uint32_t next_own, prev_own; /* in rare.pegs or rare.trails: no order is in both */
    uint32_t limit;   /* limit price as entered; 0: none (peg without limit, STOP, TRAILING_STOP) */
    uint32_t stop;    /* present stop price. 0: it is no stop (any more) */
    uint32_t trail;   /* distance */
    int32_t offset;   /* peg */
    uint32_t minimum; /* min_quantity; ALL_OR_NONE: 0, see sb_terms_minimum() */
    uint32_t reserve; /* iceberg: open, but not in the slot's `open` */
    uint32_t display, range; /* iceberg: slice and refresh_range; display 0: none */
    uint32_t slices;         /* of its life so far: k of the next one */
    uint32_t oco;            /* partner's record; 0: none */
    union {
        uint32_t quote_key; /* SB_TERMS_QUOTE: client key of the QUOTE that set it */
        uint32_t carried;   /* iceberg of an earlier day, until it rests: its first slice (19.4) */
    };
    uint8_t type;       /* enum sb_order_type: LIMIT once it is triggered or rests */
    uint8_t tif;        /* enum sb_tif */
    uint8_t attributes; /* SB_ATTR_* */
    uint8_t peg;        /* enum sb_peg */
    uint8_t capacity;
    uint8_t state; /* enum sb_order_state, or SB_TERMS_UNDERWAY */
    uint8_t flags; /* SB_TERMS_* */
    uint8_t zero;
};
_Static_assert(sizeof(struct sb_terms) == 96, "no padding");

enum { SB_TERMS_UNDERWAY = 3 }; /* state: in no queue: its arrival is running */

enum {
    SB_TERMS_QUOTE = 1u << 0,  /* a side of a quote */
    SB_TERMS_LISTED = 1u << 1, /* in rare.unseen */
    SB_TERMS_OWN = 1u << 2,    /* in rare.pegs or rare.trails */
    SB_TERMS_PLAIN = 1u << 3,  /* entered without terms: has its record as an OCO partner only */
};

enum { SB_PEGS_MAX = 256, SB_TRAILS_MAX = 256 }; /* of an instrument (3.14) */
enum { SB_MINIMUMS_MAX = 256 };                  /* of an instrument and side (3.14) */

struct sb_terms_pool {
    struct sb_terms *records; /* max + 1 */
    uint32_t free;            /* 0: take a fresh one */
    uint32_t fresh;           /* how many were ever used */
    uint32_t used, max;
    uint64_t looks; /* number of the last one: transient */
};

/* A list of records, linked through them. */
struct sb_terms_list {
    uint32_t first, last;
};

/* What a book has of orders with terms and of rare rules. All zeros at first. */
struct sb_rare {
    struct sb_tail
        dark[2]; /* by side: ladder key (sb_book_key) to queue; leaves from sb_engine.rare_levels */
    struct sb_tail
        stops[2]; /* by side: sb_rest_stop_key() to queue: first is who is triggered first (5.5) */
    struct sb_terms_list unseen; /* dark and parked orders, by reference */
    struct sb_terms_list pegs;   /* by reference */
    struct sb_terms_list trails; /* by reference */
    uint64_t top_ref
        [2]; /* pro-rata (12.5): reference of each side's top order; holds while an order has it */
    uint32_t terms; /* open orders with a record */
    uint32_t pegs_n, trails_n;
    uint32_t minimums_n[2]; /* by side: open orders with a minimum */
    uint32_t gtd_n;         /* open orders with tif GTD */
    uint32_t auction_n;     /* open orders with tif AT_OPEN or AT_CLOSE */
    uint32_t pegged[2];     /* best keys of the displayed sides when pegs were last priced */
    /* Whoever walks a queue or a list and may end orders on the way keeps the next one here: taking that one out moves it on.
     * 0 outside of walks. */
    uint32_t walk_slot;  /* in a queue */
    uint32_t walk_terms; /* in `unseen` */
    uint32_t walk_own;   /* in `pegs` or `trails` */
    uint8_t traded;      /* a trade since trailing stops last followed (9, 1) */
    uint8_t unpriced; /* pegs count as not priced, whatever `pegged` says (entering CONTINUOUS) */
    uint8_t zero[50];
};
_Static_assert(sizeof(struct sb_rare) == 192, "three lines");

struct sb_engine;
struct sb_book;

/* records: max + 1, zeroed. */
void sb_terms_init(struct sb_terms_pool *pool, uint32_t max, struct sb_terms *records);

/* Takes a free record for the order in `slot` of this book: links both, counts it in the book (which becomes `general`).
 * used < max (asserted). `like`: what it shall say; NULL: zeros. tif never changes later. */
uint32_t sb_terms_new(struct sb_engine *e, struct sb_book *b, uint32_t slot,
                      const struct sb_terms *like);

/* The record of a plain displayed order that becomes an OCO partner. */
uint32_t sb_terms_promote(struct sb_engine *e, struct sb_book *b, uint32_t slot);

/* Frees a record that has no partner and takes it out of its lists; its slot is to be dropped, or a plain order's from now on. */
void sb_terms_free(struct sb_engine *e, struct sb_book *b, uint32_t terms);

/* Its order got another slot (a replace: another client key). */
void sb_terms_move(struct sb_engine *e, uint32_t terms, uint32_t slot);

/* Into `unseen`, at the end, if it is not in it. Its reference is the highest there. */
void sb_terms_list(struct sb_engine *e, struct sb_book *b, uint32_t terms);
/* Out of `unseen`, if it is in it. */
void sb_terms_unlist(struct sb_engine *e, struct sb_book *b, uint32_t terms);
/* The same for `pegs` (a peg) or `trails` (a trailing stop), with their counts. */
void sb_terms_list_own(struct sb_engine *e, struct sb_book *b, uint32_t terms);
void sb_terms_unlist_own(struct sb_engine *e, struct sb_book *b, uint32_t terms);
/* Its order got a new reference: to the end of the lists that it is in. */
void sb_terms_renew(struct sb_engine *e, struct sb_book *b, uint32_t terms);

/* 11.1: makes two records without partners partners. */
void sb_terms_pair(struct sb_engine *e, uint32_t a, uint32_t b);
/* They are partners no more. The partner's record, or 0. */
uint32_t sb_terms_part(struct sb_engine *e, uint32_t terms);

/* Does an order with this record rest dark rather than displayed (section 1)? */
static inline bool sb_terms_dark(const struct sb_terms *t)
{
    return (t->attributes & (SB_ATTR_HIDDEN | SB_ATTR_ALL_OR_NONE)) != 0 || t->minimum != 0 ||
           t->peg != SB_PEG_NONE;
}

static inline bool sb_terms_has_minimum(uint8_t attributes, uint32_t minimum)
{
    return minimum != 0 || (attributes & SB_ATTR_ALL_OR_NONE) != 0;
}

/* The least fill that it takes while `open` is open (4.2). 1: any. */
static inline uint32_t sb_terms_minimum(const struct sb_terms *t, uint32_t open)
{
    if ((t->attributes & SB_ATTR_ALL_OR_NONE) != 0)
        return open;
    return t->minimum < open ? t->minimum : open;
}

/* Size of the next slice of an iceberg (6.2), not capped by what is open. Counts it. */
uint32_t sb_terms_next_slice(struct sb_terms *t, uint32_t lot);

#endif
