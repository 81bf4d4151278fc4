/* reference_internal.h: what the files of the reference share.
 *
 * An order that ended stays readable until its command is done (state REF_ENDED), so nobody holds a pointer to nothing.
 * Numbers in comments are the rules of engine/RULES.md. */
#ifndef SHADOWBOOK_TESTS_REFERENCE_INTERNAL_H
#define SHADOWBOOK_TESTS_REFERENCE_INTERNAL_H

#include "reference.h"

enum {
    REF_BUCKETS = 4096,
    REF_PEGS_MAX = 256,
    REF_TRAILING_MAX = 256,
    REF_MINIMUMS_MAX = 256,
    REF_PRO_RATA_MAX = 64
};

enum ref_state {
    REF_VISIBLE = SB_STATE_VISIBLE,
    REF_DARK = SB_STATE_DARK,
    REF_PARKED = SB_STATE_PARKED,
    REF_MOVING, /* in no list: goes through matching, or waits for its turn to */
    REF_ENDED,
};

struct ref_order {
    struct ref_order *next;    /* in its bucket, or among the ended */
    struct ref_order *partner; /* OCO, or NULL */
    uint64_t ref;
    uint64_t first_ref; /* it was accepted with */
    uint64_t old_ref;   /* still on the feed while the order arrives anew; 0: none */
    int64_t limit;      /* as entered; 0: none */
    int64_t price;      /* where it rests, or how far it goes in matching */
    uint32_t session, key, instrument;
    uint32_t open;    /* total */
    uint32_t reserve; /* of open: not displayed */
    uint32_t executed;
    uint8_t side, capacity, tif; /* side as entered */
    uint8_t state;               /* enum ref_state */
    uint8_t type, attributes, peg;
    bool quote;
    bool terms; /* entered with terms: not plain */
    bool place; /* in the table of terms */

    uint64_t expire_ns;
    int64_t stop_price, peg_offset;
    uint32_t display_quantity, refresh_range, min_quantity, trail;
    uint64_t slices;        /* of an iceberg, made so far */
    uint32_t carried_slice; /* 19.4: size of the first, if an earlier day cut it; 0: none */
    uint64_t parked_number; /* when it came to be parked at its stop price */
    uint64_t passed_over;   /* by the arrival of this number */
    uint32_t allotted;      /* pro-rata: what it gets now */
    bool counted;           /* 4.5: in the walk under way */
};

/* Orders in an array that grows. Start from {0}. */
struct ref_list {
    struct ref_order **orders;
    size_t n, cap;
};

struct ref_instrument {
    struct sb_instrument_view view;
    struct ref_list shown[2]; /* displayed: best price first, at one price oldest first */
    struct ref_list dark[2];  /* the same */
    struct ref_list parked;   /* in no order */
    uint64_t top_ref[2];      /* 12.5 */
    bool pause_ends;          /* in this command (13.3) */
    bool traded;              /* since trailing stops last followed (9.1) */
    bool pegs_priced;         /* with these best prices (9.3); 0: none */
    int64_t priced_bid, priced_ask;
};

struct ref_session {
    struct sb_session_view view;
    bool logged_in;
};

struct sb_reference {
    struct sb_engine_limits limits;
    struct ref_instrument *instruments; /* 1..instruments_max */
    struct ref_session *sessions;       /* 1..sessions_max */
    struct ref_order *buckets[REF_BUCKETS];
    struct ref_order *ended; /* freed after the command */
    uint64_t feed_seq, next_ref, next_match;
    uint64_t arrivals, parkings; /* counted */
    uint32_t terms_used;
    bool day_open;
    struct sb_engine_stats stats;

    /* The command under way. */
    const struct sb_command *cmd;
    struct sb_reference_outputs *outputs;
};

static inline uint32_t ref_min(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static inline uint32_t ref_max(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static inline struct ref_instrument *ref_instrument_of(const struct sb_reference *r,
                                                       const struct ref_order *o)
{
    return &r->instruments[o->instrument];
}

/* ---- reference.c: records ---- */

void *ref_grow(void *old, size_t bytes);

/* Appends a record with time, stream and its number filled; the rest is zero. Valid until the next one. */
struct sb_output *ref_emit(struct sb_reference *r, uint32_t stream, uint8_t kind);

/* A record about an order: key (session streams), instrument, side, ref. */
struct sb_output *ref_emit_order(struct sb_reference *r, uint32_t stream, uint8_t kind,
                                 const struct ref_order *o);
void ref_emit_phase(struct sb_reference *r, uint32_t instrument); /* F_PHASE, as it is now */
void ref_reject(struct sb_reference *r, uint8_t reason);
bool ref_defined(const struct sb_reference *r, uint32_t instrument);

/* ---- reference_book.c: where orders are ---- */

void ref_list_push(struct ref_list *list, struct ref_order *o);
void ref_list_sort_by_ref(struct ref_list *list);

/* A new order of no quantity; it counts as open until it ends. */
struct ref_order *ref_order_make(struct sb_reference *r, uint32_t session, uint32_t key,
                                 uint32_t instrument, uint8_t side, bool quote);
struct ref_order *ref_order_find(const struct sb_reference *r, uint32_t session, uint32_t key);
void ref_order_rename(struct sb_reference *r, struct ref_order *o, uint32_t key);

void ref_order_insert(struct sb_reference *r, struct ref_order *o, uint8_t state);
void ref_order_take_out(struct sb_reference *r, struct ref_order *o); /* then it is moving */
void ref_order_end(struct sb_reference *r, struct ref_order *o);      /* without any output */

struct ref_order *ref_best(const struct sb_reference *r, uint32_t instrument, bool sells);
int64_t ref_best_price(const struct sb_reference *r, uint32_t instrument, bool sells); /* or 0 */
bool ref_crossed(const struct sb_reference *r, uint32_t instrument);

/* All open orders of an instrument in book order (section 2). Free list->orders. */
void ref_book_order(const struct sb_reference *r, uint32_t instrument, struct ref_list *list);

/* What to think away, or to add, where room for price levels is looked for. */
struct ref_if {
    const struct ref_order *without[2];
    int64_t bid; /* a buy at this price as well; 0: none */
};
/* Is no level free for a displayed order there? */
bool ref_levels_full(const struct sb_reference *r, uint32_t instrument, bool sells, int64_t price,
                     const struct ref_if *what_if);

/* ---- reference_check.c: section 3 ---- */

bool ref_can_rest(uint8_t type, uint8_t tif);       /* 3.3 */
bool ref_terms_in(const union sb_command_ext *ext); /* any term but the time in force */
uint8_t ref_check_order(const struct sb_reference *r, const struct sb_command *c);
uint8_t ref_check_amend(const struct sb_reference *r, const struct sb_command *c,
                        const struct ref_order *o); /* and replace: 16.1, 16.3 */
uint8_t ref_check_phase(const struct sb_reference *r, uint32_t instrument);        /* 16, 17, 18 */
uint8_t ref_check_price(const struct sb_instrument_view *v, int64_t price);        /* 21, 22 */
uint8_t ref_check_quantity(const struct sb_instrument_view *v, uint32_t quantity); /* 23, 24 */
uint8_t ref_check_limits(const struct sb_reference *r, uint32_t session, uint32_t instrument,
                         bool sells, int64_t limit, uint32_t quantity); /* 35, 36, 37 */

/* floor(R x (10000 + band) / 10000) and ceil(R x (10000 - band) / 10000) */
int64_t ref_band_high(int64_t reference, uint32_t band);
int64_t ref_band_low(int64_t reference, uint32_t band);

/* ---- reference_arrival.c: sections 4, 10, 12 ---- */

bool ref_is_dark(const struct ref_order *o);               /* section 1 */
bool ref_within(const struct ref_order *o, int64_t price); /* its price */
bool ref_same_group(const struct sb_reference *r, const struct ref_order *arrival,
                    const struct ref_order *rest);                      /* 10.1 */
bool ref_passes_over(uint32_t arrival_open, const struct ref_order *o); /* 4.2 */

/* o is in no list; its price is how far it goes. Afterwards it rests, or has ended. */
void ref_arrive(struct sb_reference *r, struct ref_order *o);
void ref_rest(struct sb_reference *r, struct ref_order *o); /* without matching */
void ref_fill(struct sb_reference *r, struct ref_order *rest, struct ref_order *arrival,
              uint32_t quantity);
void ref_self_trade(struct sb_reference *r, struct ref_order *rest, struct ref_order *arrival);

/* reference_prorata.c: one pass at the displayed queue of a price (12.1 to 12.4) */
void ref_pro_rata(struct sb_reference *r, struct ref_order *arrival, int64_t price);
/* reference_needed.c: could the order have what it needs (4.5)? */
bool ref_needed_there(struct sb_reference *r, const struct ref_order *arrival, int64_t low,
                      int64_t high);

/* ---- reference_order.c: an order's life apart from matching ---- */

void ref_cancel(struct sb_reference *r, struct ref_order *o, uint8_t reason); /* all of it */
void ref_take_off(struct sb_reference *r, struct ref_order *o, uint32_t quantity, uint8_t reason);
void ref_reduce_silently(struct sb_reference *r, struct ref_order *o, uint32_t quantity); /* 6.4 */
void ref_partner_ends(struct sb_reference *r, struct ref_order *o);                       /* 11.2 */
void ref_leave_feed(struct sb_reference *r, struct ref_order *o); /* F_DELETED of old_ref */
void ref_slice(struct sb_reference *r, struct ref_order *o);      /* 6.1, 6.2 */
void ref_refresh(struct sb_reference *r, struct ref_order *o);    /* 6.3 */

/* ---- reference_cascade.c: sections 5, 8, 9 ---- */

void ref_enter(struct sb_reference *r, struct ref_order *o);       /* a new order, after Accepted */
void ref_place_again(struct sb_reference *r, struct ref_order *o); /* one that lost its place */
void ref_cascade(struct sb_reference *r, uint32_t instrument);
void ref_park_pegs(struct sb_reference *r, uint32_t instrument);

/* ---- reference_phase.c ---- */

void ref_pause(struct sb_reference *r, uint32_t instrument); /* 13.2 */
void ref_apply_phase_etc(struct sb_reference *r, const struct sb_command *c);
void ref_apply_timer(struct sb_reference *r, const struct sb_command *c);

/* ---- reference_auction.c: section 14 ---- */

uint64_t ref_uncross(struct sb_reference *r, uint32_t instrument); /* the shares traded */
void ref_indicative(struct sb_reference *r, uint32_t instrument);

/* ---- the commands, one file for a group ---- */

void ref_apply_order(struct sb_reference *r, const struct sb_command *c);
void ref_apply_carry(struct sb_reference *r, const struct sb_command *c);
void ref_apply_cancel(struct sb_reference *r, const struct sb_command *c);
void ref_apply_replace(struct sb_reference *r, const struct sb_command *c);
void ref_apply_amend(struct sb_reference *r, const struct sb_command *c);
void ref_apply_quote(struct sb_reference *r, const struct sb_command *c);
void ref_apply_mass_cancel(struct sb_reference *r, const struct sb_command *c);
void ref_apply_kill(struct sb_reference *r, const struct sb_command *c);

#endif
