/* reference_internal.h: what the two files of the reference share. */
#ifndef SHADOWBOOK_TESTS_REFERENCE_INTERNAL_H
#define SHADOWBOOK_TESTS_REFERENCE_INTERNAL_H

#include "reference.h"

enum { REF_BUCKETS = 4096 };

struct ref_order {
    struct ref_order *next_in_bucket;
    uint64_t ref;
    int64_t price;
    uint32_t session, key, instrument, open, executed;
    uint8_t side, capacity; /* side as entered */
};

/* One side of one book: best price first, at one price oldest first. */
struct ref_side {
    struct ref_order **orders;
    size_t n, cap;
};

struct ref_instrument {
    struct sb_instrument_view view;
    struct ref_side sides[2];
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
    uint64_t feed_seq, next_ref, next_match;
    bool day_open;
    struct sb_engine_stats stats;

    /* The command under way. */
    const struct sb_command *cmd;
    struct sb_reference_outputs *outputs;
};

/* Appends a record with time, stream and its number filled; the rest is zero. Valid until the next one. */
struct sb_output *ref_emit(struct sb_reference *r, uint32_t stream, uint8_t kind);

/* A record about an order: key (session streams), instrument, side, ref. */
struct sb_output *ref_emit_order(struct sb_reference *r, uint32_t stream, uint8_t kind,
                                 const struct ref_order *o);

void ref_order_remove(struct sb_reference *r, struct ref_order *o); /* out of the book, freed */

/* Runs the call auction; the shares traded. */
uint64_t ref_uncross(struct sb_reference *r, uint32_t instrument);

#endif
