#include "nic/wire/entry_new.h"

#include <string.h>

#include "nic/wire/bytes.h"
#include "nic/wire/entry_terms.h"
#include "nic/wire/entry_values.h"

/* Where each field stands. */
enum {
    AT_KEY = 1,
    AT_SYMBOL = 5,
    AT_SIDE = 13,
    AT_TYPE = 14,
    AT_TIF = 15,
    AT_QUANTITY = 16,
    AT_PRICE = 20,
    AT_STOP_PRICE = 28,
    AT_TRAIL = 36,
    AT_EXPIRY = 40,
    AT_DISPLAY = 48,
    AT_RANGE = 52,
    AT_MINIMUM = 56,
    AT_OFFSET = 60,
    AT_PEG = 64,
    AT_ATTRIBUTES = 65,
    AT_OCO_KEY = 66,
    AT_CAPACITY = 70,
    AT_CLORDID = 71,
    AT_ZERO = 85,
};

/* The position of a character in its field's values, which are in the order of the engine's enumeration. */
static bool value_of(uint8_t c, const char *values, uint8_t *to)
{
    const char *at = c != 0 ? strchr(values, c) : NULL;
    if (at == NULL)
        return false;
    *to = (uint8_t)(at - values);
    return true;
}

static bool take_characters(const uint8_t *p, struct sb_command2 *out)
{
    return sb_entry_side((char)p[AT_SIDE], &out->c.side) &&
           value_of(p[AT_TYPE], "LMKSTR", &out->ext.order.type) &&
           value_of(p[AT_TIF], "0316427", &out->c.tif) &&
           value_of(p[AT_PEG], "NRPM", &out->ext.order.peg) && p[AT_ATTRIBUTES] <= SB_ATTR_ALL &&
           (p[AT_ZERO] | p[AT_ZERO + 1] | p[AT_ZERO + 2]) == 0;
}

static void take_numbers(const uint8_t *p, struct sb_command2 *out)
{
    out->c.quantity = sb_get32(p + AT_QUANTITY);
    out->c.price = sb_entry_price(sb_get64(p + AT_PRICE));
    out->ext.order.stop_price = sb_entry_price(sb_get64(p + AT_STOP_PRICE));
    out->ext.order.trail = sb_get32(p + AT_TRAIL);
    out->ext.order.expire_ns = sb_get64(p + AT_EXPIRY);
    out->ext.order.display_quantity = sb_get32(p + AT_DISPLAY);
    out->ext.order.refresh_range = sb_get32(p + AT_RANGE);
    out->ext.order.min_quantity = sb_get32(p + AT_MINIMUM);
    out->ext.order.peg_offset = (int32_t)sb_get32(p + AT_OFFSET);
    out->ext.order.attributes = p[AT_ATTRIBUTES];
    out->ext.order.oco_key = sb_get32(p + AT_OCO_KEY);
}

/* Accepted says it in OUCH's words. */
static char cross_of(uint8_t tif)
{
    return tif == SB_TIF_AT_OPEN ? 'O' : tif == SB_TIF_AT_CLOSE ? 'C' : 'N';
}

bool sb_entry_new(const uint8_t *p, struct sb_command2 *out, char symbol[8])
{
    const char *clordid = (const char *)p + AT_CLORDID;
    const bool known = take_characters(p, out);
    if (known)
        take_numbers(p, out);
    else
        *out = (struct sb_command2){0};
    out->c.key = sb_get32(p + AT_KEY);
    sb_entry_echo(out, clordid, 'N', cross_of(out->c.tif));
    if (!known)
        return false;
    out->c.kind = SB_CMD_ORDER;
    out->c.display = (p[AT_ATTRIBUTES] & SB_ATTR_HIDDEN) != 0 ? 'N' : 'Y';
    out->c.capacity = p[AT_CAPACITY];
    memcpy(symbol, p + AT_SYMBOL, 8);
    return true;
}
