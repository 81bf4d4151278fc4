/* state.h: everything an engine is. Carved at start out of the one block that the caller gave.
 *
 *     struct sb_engine | sessions | books | rare | terms | orders and their ids | dense levels | bitmaps | tail | scratch | symbols
 *
 * Pointers in it point into the block. Only slot numbers, places and addresses differ between two engines that
 * applied the same commands by different histories of memory; nothing of these reaches an output.
 */
#ifndef SHADOWBOOK_ENGINE_STATE_H
#define SHADOWBOOK_ENGINE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/ladder.h"
#include "engine/orders.h"
#include "engine/terms.h"
#include "shadowbook/assert.h"
#include "shadowbook/engine.h"

#define SB_ENGINE_MAGIC UINT64_C(0x31454e49474e4553) /* written last by sb_engine_new() */

struct sb_session {
    struct sb_session_view view;
    uint8_t logged_in; /* today */
    uint8_t zero[63];
};
_Static_assert(sizeof(struct sb_session) == 128, "two lines");

/* Why a book needs more than the plain path. */
enum {
    SB_GENERAL_RULES = 1u << 0, /* of the instrument: pro-rata, bands, a limit of notional */
    SB_GENERAL_TERMS = 1u << 1, /* an order with terms is open in it */
    SB_GENERAL_TEST = 1u << 2,  /* a test wants everything to take the general path */
};

/* Whether direct users may trade here: no; yes; yes, and every quantity is a multiple of the lot. */
enum sb_book_direct { SB_DIRECT_NOT, SB_DIRECT_IN_LOTS, SB_DIRECT_PLAIN };

struct sb_book {
    /* What an order is checked by: one line. Of the view, as it is used. */
    _Alignas(64) uint64_t per_tick;  /* 2^63 / tick rounded down, plus 1: for sb_book_divide() */
    uint64_t price_min, price_range; /* price_max is price_range above price_min */
    uint32_t index, tick;            /* prices are below 2^31 */
    uint32_t lot, quantity_max;
    uint8_t
        general; /* SB_GENERAL_*. Not 0: the plain path does not know enough here. It asks once an order */
    uint8_t direct; /* enum sb_book_direct */
    uint8_t zero[22];
    struct sb_ladder side[2];
    struct sb_instrument_view view;
};

struct sb_symbol {
    char text[8];
    uint32_t instrument; /* 0 = empty place */
    uint32_t zero;
};

/* What direct calls still have to do at levels outside the windows (direct_general.h). */
enum { SB_BEHIND_MOST = 16 };

struct sb_behind {
    struct {
        struct sb_ladder *ladder;
        uint32_t key, slot;
    } of[SB_BEHIND_MOST]; /* in turn */
    uint32_t n;
    bool going; /* levels that go; else orders that come */
};

struct sb_engine {
    uint64_t magic;
    uint64_t time_ns;
    uint64_t feed_seq; /* the feed's next number */
    uint64_t last_ref, last_match;
    uint64_t digest;
    struct sb_session *sessions; /* 0..sessions_max; 0 is never defined */
    struct sb_book *books;       /* 0..instruments_max; 0 is never defined */
    struct sb_orders orders;
    struct sb_levels levels;
    struct sb_terms_pool terms;
    struct sb_rare *rare;            /* 0..instruments_max, as books */
    struct sb_tail_pool rare_levels; /* of dark and stop queues: terms_max leaves */
    struct sb_engine_stats stats;    /* stats.commands: also the last applied */
    struct sb_engine_limits limits;
    struct sb_day_view day;
    uint32_t instruments; /* highest index defined */
    uint32_t symbol_mask;
    struct sb_symbol *symbols;
    struct sb_auction_level *scratch; /* levels_max */
    struct sb_due *due;               /* when TIMER has something to do */
    bool open;                        /* DAY was seen, or opened for direct use */
    bool direct;                      /* no sessions: direct.h */
    uint64_t iocs, kept; /* direct: what was canceled of IOC calls, amends that kept the place */
    struct sb_behind behind;
};

/* Does what is left to do. */
void sb_direct_catch_up(struct sb_engine *e);

/* Whoever looks at levels outside a window, or at queues there, calls this first. */
static inline void sb_state_settle(const struct sb_engine *e)
{
    if (__builtin_expect(e->behind.n != 0, 0))
        sb_direct_catch_up((struct sb_engine *)(uintptr_t)e); /* the memory is ours, no constant */
}

/* Brings those stats up to date that a direct user's calls do not keep because they follow from others: each call counts one
 * reference, cancel, reject or amend in place. */
void sb_direct_stats(struct sb_engine *e);

/* The book of a defined instrument, else NULL. */
static inline struct sb_book *sb_state_book(const struct sb_engine *e, uint32_t instrument)
{
    if (instrument > e->limits.instruments_max || !e->books[instrument].view.defined)
        return NULL;
    return &e->books[instrument];
}

/* What the book has beside plain orders and rules. */
static inline struct sb_rare *sb_state_rare(const struct sb_engine *e, const struct sb_book *b)
{
    return &e->rare[b->index];
}

#endif
