/* Opening an engine for direct use, and what it counted. */
#include "engine/instrument.h"
#include "shadowbook/direct.h"

bool sb_direct_define(struct sb_engine *e, uint32_t instrument,
                      const struct sb_direct_instrument *definition)
{
    struct sb_instrument_view view = {.symbol = "D0000000",
                                      .tick = definition->tick,
                                      .price_min = definition->price_min,
                                      .price_max = definition->price_max,
                                      .lot = definition->lot,
                                      .quantity_max = definition->quantity_max,
                                      .phase = SB_PHASE_CONTINUOUS};
    for (uint32_t rest = instrument, at = 7; rest != 0 && at != 0; rest /= 10, at--)
        view.symbol[at] = (char)('0' + rest % 10);
    SB_ASSERT(e->direct);
    return sb_instrument_put(e, instrument, &view);
}

bool sb_direct_open(struct sb_engine *e, uint32_t n, const struct sb_direct_instrument *definition)
{
    SB_ASSERT(!e->open && e->stats.commands == 0);
    e->open = true;
    e->direct = true;
    bool good = true;
    for (uint32_t i = 1; good && i <= n; i++)
        good = sb_direct_define(e, i, definition);
    return good;
}

uint32_t sb_direct_reports_max(const struct sb_engine *e)
{
    return e->limits.orders_max + 2; /* an ack, a trade with everybody, the rest of an IOC */
}

/* What a call adds:
 *                              last_ref  kept  canceled  iocs  rejected  replaced
 *     order                        1                                               and canceled, iocs: 1 if IOC and not all traded
 *     cancel, reduce                            1
 *     modify                       1                                       1       the same
 *     modify that leaves nothing                1
 *     amend in place                        1                              1
 *     refused                                                     1                            */
void sb_direct_stats(struct sb_engine *e)
{
    struct sb_engine_stats *s = &e->stats;
    const uint32_t most = sb_orders_most(&e->orders);
    s->commands = e->last_ref + e->kept + s->canceled - e->iocs + s->rejected;
    s->open_orders = e->orders.used;
    s->open_orders_peak = most > s->open_orders_peak ? most : s->open_orders_peak;
    s->accepted = e->last_ref + e->kept - s->replaced;
    s->outputs = s->accepted + s->replaced + s->canceled + s->rejected + s->trades;
}
