#include "engine/cascade.h"

void sb_cascade_run(struct sb_engine *e, struct sb_book *b, struct sb_outbox *box)
{
    (void)e;
    (void)b;
    (void)box;
}

bool sb_stop_triggered(const struct sb_book *b, uint8_t side, uint32_t stop_ticks)
{
    (void)b;
    (void)side;
    (void)stop_ticks;
    return false;
}

void sb_stop_activate(struct sb_engine *e, struct sb_book *b, uint32_t slot, struct sb_outbox *box)
{
    (void)e;
    (void)b;
    (void)slot;
    (void)box;
}

uint32_t sb_peg_price(const struct sb_engine *e, const struct sb_book *b, uint8_t side,
                      const struct sb_terms *t)
{
    (void)e;
    (void)b;
    (void)side;
    (void)t;
    return 0;
}

void sb_peg_park_all(struct sb_engine *e, struct sb_book *b)
{
    (void)e;
    (void)b;
}
