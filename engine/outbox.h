/* outbox.h: appends an output, with its stream's next number and the command's time. ~2 ns. */
#ifndef SHADOWBOOK_ENGINE_OUTBOX_H
#define SHADOWBOOK_ENGINE_OUTBOX_H

#include "engine/state.h"

static inline struct sb_output *sb_outbox_next(struct sb_outbox *box)
{
    SB_ASSERT_LT(box->n, box->cap);
    return &box->out[box->n++];
}

static inline void sb_outbox_feed(struct sb_engine *e, struct sb_outbox *box, struct sb_output out)
{
    out.time_ns = e->time_ns;
    out.stream = SB_STREAM_FEED;
    out.stream_seq = e->feed_seq++;
    *sb_outbox_next(box) = out;
}

static inline void sb_outbox_session(struct sb_engine *e, struct sb_outbox *box, uint32_t session,
                                     struct sb_output out)
{
    out.time_ns = e->time_ns;
    out.stream = session;
    out.stream_seq = e->sessions[session].view.next_stream_seq++;
    *sb_outbox_next(box) = out;
}

#endif
