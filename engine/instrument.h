/* instrument.h: what may be traded: definitions and the table of symbols. */
#ifndef SHADOWBOOK_ENGINE_INSTRUMENT_H
#define SHADOWBOOK_ENGINE_INSTRUMENT_H

#include "engine/state.h"

/* Places in the symbol table for this many instruments: a power of two, at least twice as many. */
static inline uint32_t sb_instrument_places(uint32_t instruments_max)
{
    uint32_t places = 8;
    while (places < 2 * instruments_max)
        places *= 2;
    return places;
}

/* SB_CMD_INSTRUMENT. False: not a definition that can be served (engine.h lists why). */
bool sb_instrument_define(struct sb_engine *e, const struct sb_command *cmd, struct sb_outbox *box);

/* Makes an instrument of a definition (`defined` is not looked at). No outputs. False: as above. */
bool sb_instrument_put(struct sb_engine *e, uint32_t instrument,
                       const struct sb_instrument_view *view);

/* Enters a phase and says so on the feed. No rules here. */
void sb_instrument_set_phase(struct sb_engine *e, struct sb_book *b, uint8_t phase,
                             struct sb_outbox *box);

#endif
