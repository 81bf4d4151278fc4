#include "engine/instrument.h"

#include <string.h>

#include "engine/outbox.h"

static uint32_t symbol_home(const struct sb_engine *e, const char symbol[8])
{
    uint64_t x;
    memcpy(&x, symbol, sizeof x);
    x *= UINT64_C(0x9e3779b97f4a7c15);
    x ^= x >> 32;
    x *= UINT64_C(0xd6e8feb86659fd93);
    return (uint32_t)(x >> 32) & e->symbol_mask;
}

/* The place of a symbol, or the empty place where it would go. The table is at most half full. */
static uint32_t symbol_place(const struct sb_engine *e, const char symbol[8])
{
    uint32_t place = symbol_home(e, symbol);
    while (e->symbols[place].instrument != 0 && memcmp(e->symbols[place].text, symbol, 8) != 0)
        place = (place + 1) & e->symbol_mask;
    return place;
}

uint32_t sb_engine_find_symbol(const struct sb_engine *e, const char symbol[8])
{
    return e->symbols[symbol_place(e, symbol)].instrument;
}

static bool served(const struct sb_engine *e, uint32_t instrument,
                   const struct sb_instrument_view *v)
{
    static const char blank[8] = "        ", nothing[8] = "";
    if (instrument == 0 || instrument > e->limits.instruments_max ||
        e->books[instrument].view.defined)
        return false;
    if (memcmp(v->symbol, blank, 8) == 0 || memcmp(v->symbol, nothing, 8) == 0 ||
        sb_engine_find_symbol(e, v->symbol) != SB_INSTRUMENT_NONE)
        return false;
    const int64_t tick = v->tick, low = v->price_min, high = v->price_max;
    if (tick < 1 || tick > SB_DIRECT_PRICE_MAX || low < (e->direct ? 0 : tick) || high < low ||
        high > (e->direct ? SB_DIRECT_PRICE_MAX : SB_PRICE_MAX) || low % tick != 0 ||
        high % tick != 0)
        return false;
    if (v->reference != 0 &&
        (v->reference < low || v->reference > high || v->reference % tick != 0))
        return false;
    return v->lot >= 1 && v->quantity_max >= v->lot &&
           v->quantity_max <= (e->direct ? SB_DIRECT_QUANTITY_MAX : SB_QUANTITY_MAX) &&
           v->phase <= SB_PHASE_HALTED;
}

/* Has it rules that the plain path does not know? */
static uint8_t general(const struct sb_instrument_view *v)
{
    const bool rules = v->matching != SB_MATCH_PRICE_TIME || v->static_band != 0 ||
                       v->dynamic_band != 0 || v->notional_max != 0;
    return rules ? SB_GENERAL_RULES : 0;
}

bool sb_instrument_put(struct sb_engine *e, uint32_t instrument,
                       const struct sb_instrument_view *view)
{
    if (!served(e, instrument, view))
        return false;
    struct sb_book *b = &e->books[instrument];
    b->index = instrument;
    b->tick = (uint32_t)view->tick;
    b->price_min = (uint64_t)view->price_min;
    b->price_range = (uint64_t)(view->price_max - view->price_min);
    b->lot = view->lot;
    b->quantity_max = view->quantity_max;
    b->direct = !e->direct ? SB_DIRECT_NOT : view->lot != 1 ? SB_DIRECT_IN_LOTS : SB_DIRECT_PLAIN;
    b->general = (uint8_t)(b->general | general(view));
    b->per_tick = (UINT64_C(1) << 63) / b->tick + 1;
    b->view = *view;
    b->view.defined = 1;
    struct sb_symbol *symbol = &e->symbols[symbol_place(e, b->view.symbol)];
    memcpy(symbol->text, b->view.symbol, 8);
    symbol->instrument = instrument;
    if (instrument > e->instruments)
        e->instruments = instrument;
    return true;
}

bool sb_instrument_define(struct sb_engine *e, const struct sb_command *cmd, struct sb_outbox *box)
{
    const union sb_command_ext *x = sb_command_ext(cmd);
    struct sb_instrument_view view = {.tick = x->instrument.tick,
                                      .price_min = x->instrument.price_min,
                                      .price_max = x->instrument.price_max,
                                      .lot = x->instrument.lot,
                                      .quantity_max = x->instrument.quantity_max,
                                      .phase = x->instrument.phase,
                                      .matching = x->instrument.matching,
                                      .tie = x->instrument.tie,
                                      .band_action = x->instrument.band_action,
                                      .static_band = x->instrument.static_band,
                                      .dynamic_band = x->instrument.dynamic_band,
                                      .pause_ms = x->instrument.pause_ms,
                                      .notional_max = x->instrument.notional_max,
                                      .pro_rata_min = x->instrument.pro_rata_min,
                                      .reference = x->instrument.reference_price};
    memcpy(view.symbol, x->instrument.symbol, 8);
    if (!sb_instrument_put(e, cmd->instrument, &view))
        return false;
    sb_outbox_feed(e, box,
                   (struct sb_output){.kind = SB_OUT_F_DIRECTORY,
                                      .instrument = cmd->instrument,
                                      .quantity = view.lot});
    sb_instrument_set_phase(e, &e->books[cmd->instrument], view.phase, box);
    return true;
}

void sb_instrument_set_phase(struct sb_engine *e, struct sb_book *b, uint8_t phase,
                             struct sb_outbox *box)
{
    b->view.phase = phase;
    sb_outbox_feed(e, box,
                   (struct sb_output){.kind = SB_OUT_F_PHASE,
                                      .instrument = b->index,
                                      .side = (uint8_t)(phase << SB_OUT_PHASE_SHIFT)});
}
