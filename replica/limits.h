/* limits.h: an engine's limits as formats on disk hold them: those that must be equal in two engines. What is there for
 * speed only (window_levels) is in no format.
 */
#ifndef SHADOWBOOK_LIMITS_H
#define SHADOWBOOK_LIMITS_H

#include <stdint.h>

#include "shadowbook/engine.h"

struct sb_kept_limits {
    uint32_t instruments_max, sessions_max, orders_max, levels_max, terms_max;
};
_Static_assert(sizeof(struct sb_kept_limits) == 20, "disk layout");

static inline struct sb_kept_limits sb_limits_keep(const struct sb_engine_limits *limits)
{
    return (struct sb_kept_limits){.instruments_max = limits->instruments_max,
                                   .sessions_max = limits->sessions_max,
                                   .orders_max = limits->orders_max,
                                   .levels_max = limits->levels_max,
                                   .terms_max = limits->terms_max};
}

/* What is not kept is as by default. */
static inline struct sb_engine_limits sb_limits_of(const struct sb_kept_limits *kept)
{
    struct sb_engine_limits limits = SB_ENGINE_LIMITS_DEFAULT;
    limits.instruments_max = kept->instruments_max;
    limits.sessions_max = kept->sessions_max;
    limits.orders_max = kept->orders_max;
    limits.levels_max = kept->levels_max;
    limits.terms_max = kept->terms_max;
    return limits;
}

#endif
