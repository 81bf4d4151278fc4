/* image.h: layout of the whole state as bytes. image.c writes it, image_load.c reads it.
 *
 *     struct image_head | image_session each | image_instrument each | image_order each | image_terms each
 *
 * Sessions and instruments stand by index. Orders stand instrument by instrument as walk.h goes through them, so that a queue is
 * built again by putting one behind the other. Terms stand in the order of their orders: `place` says who has some.
 * Lists by reference are not in it: they follow. Nor is what the cascade leaves behind in CONTINUOUS: nobody traded since,
 * pegs are priced.
 */
#ifndef SHADOWBOOK_ENGINE_IMAGE_H
#define SHADOWBOOK_ENGINE_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "engine/walk.h"

#define IMAGE_MAGIC UINT32_C(0x31454253) /* "SBE1" */
enum { IMAGE_VERSION = 3 };
/* Counters that no day reaches, so that none of them ever wraps. */
#define IMAGE_COUNT_MAX (UINT64_MAX / 2)

struct image_head {
    uint32_t magic, version;
    uint32_t instruments_max, sessions_max, orders_max, levels_max;
    uint64_t applied, time_ns, feed_seq, last_ref, last_match, digest;
    uint64_t midnight_ns;
    uint32_t trading_day;
    uint16_t shard, generation;
    uint64_t outputs, trades, accepted, rejected, canceled, replaced;
    uint64_t ignored_resend, ignored_superfluous, ignored_session;
    uint32_t open_orders_peak;
    uint32_t open; /* 0 no day yet, 1 a day of sessions, 2 of a direct user */
    uint32_t sessions, instruments, orders, terms; /* how many follow */
    uint32_t terms_max;
    uint32_t rules; /* SB_ENGINE_RULES */
    uint64_t carry_hash;
};
_Static_assert(sizeof(struct image_head) == 200, "layout of the image");

struct image_session {
    uint64_t last_session_seq, next_stream_seq, login_nonce;
    uint32_t index, last_key, firm, login_ipv4;
    uint16_t login_port;
    uint8_t operator_right, logged_in;
    uint8_t stp, killed, zero[2];
    uint32_t stp_group, orders_max, quantity_max, notional_max;
};
_Static_assert(sizeof(struct image_session) == 64, "layout of the image");

struct image_instrument {
    char symbol[8];
    int64_t tick, price_min, price_max, reference, last_price;
    uint64_t resume_ns;
    uint64_t top_ref[2]; /* 0: no such order now */
    uint32_t lot, quantity_max, index;
    uint32_t pause_ms, notional_max, pro_rata_min;
    uint16_t static_band, dynamic_band;
    uint8_t phase, auction, matching, tie, band_action;
    uint8_t traded; /* 0 in CONTINUOUS */
    uint8_t zero[6];
};
_Static_assert(sizeof(struct image_instrument) == 112, "layout of the image");

struct image_order {
    uint64_t name; /* as sb_order_name() */
    uint32_t key, open, executed;
    uint32_t ticks; /* where it stands: price, stop price, 0 aside */
    uint16_t instrument;
    uint8_t capacity, instrument_high;
    uint16_t id_high; /* of the id: 0 in a session's order */
    uint8_t place;    /* enum image_place */
    uint8_t zero;
};
_Static_assert(sizeof(struct image_order) == 32, "layout of the image");

/* 0: plain, displayed; else with terms, at sb_walk_place + 1. */
enum image_place {
    IMAGE_PLAIN = 0,
    IMAGE_VISIBLE = SB_WALK_VISIBLE + 1,
    IMAGE_DARK = SB_WALK_DARK + 1,
    IMAGE_STOP = SB_WALK_STOP + 1,
    IMAGE_ASIDE = SB_WALK_ASIDE + 1,
};

/* As struct sb_terms, which says what they mean. */
struct image_terms {
    uint64_t ref0; /* 0 where slices do not hang on it */
    uint64_t expire_ns;
    uint32_t limit, trail;
    int32_t offset;
    uint32_t minimum, reserve, display, range, slices;
    uint32_t oco_key; /* the partner's client key; 0: none */
    uint32_t quote_key;
    uint8_t type, tif, attributes, peg;
    uint8_t flags; /* SB_TERMS_QUOTE, SB_TERMS_PLAIN */
    uint8_t zero[3];
};
_Static_assert(sizeof(struct image_terms) == 64, "layout of the image");

static inline size_t sb_image_bytes(const struct image_head *h)
{
    return sizeof *h + h->sessions * sizeof(struct image_session) +
           h->instruments * sizeof(struct image_instrument) +
           h->orders * sizeof(struct image_order) + h->terms * sizeof(struct image_terms);
}

/* Reference of a side's top order (12.5) if it still is one, else 0: whoever is it stands at the best price. */
uint64_t sb_image_top_ref(const struct sb_engine *e, const struct sb_book *b, uint8_t side);

/* Has it traded since trailing stops last followed (section 9)? In CONTINUOUS never, once a command is done. */
static inline uint8_t sb_image_traded(const struct sb_engine *e, const struct sb_book *b)
{
    return b->view.phase != SB_PHASE_CONTINUOUS && sb_state_rare(e, b)->traded != 0;
}

/* What is in an order's record, as it is put into an image and a digest. */
struct image_terms sb_image_terms(const struct sb_engine *e, uint32_t slot);

/* Where an order stands, in ticks. */
uint32_t sb_image_ticks(const struct sb_engine *e, enum sb_walk_place place, uint32_t slot);

/* image_orders.c: the orders and their terms, behind sessions and instruments. NULL, or what is wrong. */
const char *sb_image_load_orders(struct sb_engine *e, const struct image_head *h,
                                 const uint8_t *orders);

#endif
