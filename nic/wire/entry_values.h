/* entry_values.h: values that clients' messages of OUCH and of ours share, as the engine has them. */
#ifndef SHADOWBOOK_WIRE_ENTRY_VALUES_H
#define SHADOWBOOK_WIRE_ENTRY_VALUES_H

#include <stdbool.h>
#include <stdint.h>

#include "shadowbook/command.h"

/* False: not a side. */
static inline bool sb_entry_side(char c, uint8_t *side)
{
    switch (c) {
    case 'B':
        *side = SB_BUY;
        return true;
    case 'S':
        *side = SB_SELL;
        return true;
    case 'T':
        *side = SB_SELL_SHORT;
        return true;
    case 'E':
        *side = SB_SELL_SHORT_EXEMPT;
        return true;
    default:
        return false;
    }
}

/* What is above the largest limit is for the engine to reject. */
static inline int64_t sb_entry_price(uint64_t wire)
{
    return wire > (uint64_t)SB_PRICE_MAX ? INT64_MAX : (int64_t)wire;
}

#endif
