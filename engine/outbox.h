/* outbox.h: appends an output, with its stream's next number and the command's time. ~2 ns. */
#ifndef SHADOWBOOK_ENGINE_OUTBOX_H
#define SHADOWBOOK_ENGINE_OUTBOX_H

#include "engine/state.h"

static inline struct sb_output *sb_outbox_next(struct sb_outbox *box)
{
    SB_ASSERT_LT(box->n, box->cap);
    return &box->out[box->n++];
}

/* Field by field, from registers straight to where it stays: no copy on the stack. */
static inline __attribute__((always_inline)) void
sb_outbox_put(const struct sb_engine *e, struct sb_outbox *box, uint32_t stream,
              uint64_t stream_seq, struct sb_output out)
{
    struct sb_output *o = sb_outbox_next(box);
    o->time_ns = e->time_ns;
    o->stream_seq = stream_seq;
    o->ref = out.ref;
    o->match = out.match;
    o->price = out.price;
    o->stream = stream;
    o->key = out.key;
    o->orig_key = out.orig_key;
    o->instrument = out.instrument;
    o->quantity = out.quantity;
    o->kind = out.kind;
    o->side = out.side;
    o->reason = out.reason;
    o->liquidity = out.liquidity;
}

static inline __attribute__((always_inline)) void
sb_outbox_feed(struct sb_engine *e, struct sb_outbox *box, struct sb_output out)
{
    sb_outbox_put(e, box, SB_STREAM_FEED, e->feed_seq++, out);
}

static inline __attribute__((always_inline)) void sb_outbox_session(struct sb_engine *e,
                                                                    struct sb_outbox *box,
                                                                    uint32_t session,
                                                                    struct sb_output out)
{
    sb_outbox_put(e, box, session, e->sessions[session].view.next_stream_seq++, out);
}

#endif
