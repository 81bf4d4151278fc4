/* reference.h: a second, deliberately slow and obvious matcher with the semantics of engine/RULES.md and engine.h.
 *
 * The same commands give the same records, byte for byte. It is written from the text of RULES.md, engine.h and
 * output.h alone and shares no code with engine/: sorted arrays of pointers, linear scans, malloc. Where it and the
 * engine differ, one of the two has misread the contract.
 *
 * Not covered: prefetch, seal, digests, footprints, snapshots. Running out of memory aborts.
 * One reference belongs to one thread.
 */
#ifndef SHADOWBOOK_TESTS_REFERENCE_H
#define SHADOWBOOK_TESTS_REFERENCE_H

#include "shadowbook/engine.h"

struct sb_reference; /* opaque */

/* Grows as needed; start from {0}, release with free(out). */
struct sb_reference_outputs {
    struct sb_output *out;
    size_t n, cap;
};

struct sb_reference *sb_reference_new(const struct sb_engine_limits *limits);
void sb_reference_free(struct sb_reference *r);

/* Appends the outputs of one valid command (two lines readable if it says so). */
void sb_reference_apply(struct sb_reference *r, const struct sb_command *cmd,
                        struct sb_reference_outputs *outputs);

/* Every displayed order of a side, best price and oldest first. */
void sb_reference_visit(const struct sb_reference *r, uint32_t instrument, uint8_t side,
                        void (*visit)(void *arg, const struct sb_order_view *order), void *arg);

/* Every open order of an instrument in book order (RULES.md section 2). */
void sb_reference_visit_all(const struct sb_reference *r, uint32_t instrument,
                            void (*visit)(void *arg, const struct sb_order_view *order), void *arg);

/* Index must be within the limits; `defined` says whether it is. */
const struct sb_session_view *sb_reference_session(const struct sb_reference *r, uint32_t session);
const struct sb_instrument_view *sb_reference_instrument(const struct sb_reference *r,
                                                         uint32_t instrument);

/* Filled: trades, accepted, rejected, replaced, ignored_*, open_orders. */
const struct sb_engine_stats *sb_reference_stats(const struct sb_reference *r);

#endif
