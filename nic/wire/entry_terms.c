/* entry_terms.c: see entry_terms.h. */
#include "nic/wire/entry_terms.h"

#include "nic/wire/bytes.h"

enum option {
    OPTION_FIRM = 2,
    OPTION_MINIMUM = 3,
    OPTION_DISPLAYED = 5,
    OPTION_PRICE_TYPE = 6,
    OPTION_OFFSET = 7,
    OPTION_POST_ONLY = 12,
    OPTION_RANDOM = 13,
    OPTION_GROUP = 24,
    OPTIONS = 25,
};

/* Of its value. 0: not taken. */
static uint32_t bytes_of(uint8_t tag)
{
    static const uint8_t bytes[OPTIONS] = {
        [OPTION_FIRM] = 4,       [OPTION_MINIMUM] = 4, [OPTION_DISPLAYED] = 4,
        [OPTION_PRICE_TYPE] = 1, [OPTION_OFFSET] = 4,  [OPTION_POST_ONLY] = 1,
        [OPTION_RANDOM] = 4,     [OPTION_GROUP] = 2};
    return tag < OPTIONS ? bytes[tag] : 0;
}

static bool is_read_over(uint8_t tag)
{
    return tag == OPTION_FIRM || tag == OPTION_GROUP;
}

/* False: an unknown character. */
static bool take_price_type(char c, struct sb_command2 *out)
{
    switch (c) {
    case 'L':
        out->ext.order.peg = SB_PEG_NONE;
        return true;
    case 'P':
        out->ext.order.peg = SB_PEG_MARKET;
        return true;
    case 'M':
        out->ext.order.peg = SB_PEG_MIDPOINT;
        return true;
    case 'R':
        out->ext.order.peg = SB_PEG_PRIMARY;
        return true;
    default:
        return false;
    }
}

static bool take_post_only(char c, struct sb_command2 *out)
{
    if (c == 'P')
        out->ext.order.attributes |= SB_ATTR_POST_ONLY;
    return c == 'P' || c == 'N';
}

/* False: its value means nothing here. */
static bool take_option(uint8_t tag, const uint8_t *value, struct sb_command2 *out)
{
    switch (tag) {
    case OPTION_MINIMUM:
        out->ext.order.min_quantity = sb_get32(value);
        return true;
    case OPTION_DISPLAYED:
        out->ext.order.display_quantity = sb_get32(value);
        return true;
    case OPTION_PRICE_TYPE:
        return take_price_type((char)value[0], out);
    case OPTION_OFFSET:
        out->ext.order.peg_offset = (int32_t)sb_get32(value);
        return true;
    case OPTION_POST_ONLY:
        return take_post_only((char)value[0], out);
    case OPTION_RANDOM:
        out->ext.order.refresh_range = sb_get32(value);
        return true;
    default: /* read over */
        return true;
    }
}

/* The appendage is a run of whole TagValues: the reader saw to that. out NULL: only what is read over may be there. */
static uint8_t take_options(const uint8_t *app, uint32_t bytes, struct sb_command2 *out)
{
    uint8_t reason = SB_REASON_NONE;
    for (uint32_t at = 0; at < bytes; at += 1u + app[at]) {
        const uint8_t size = app[at], tag = app[at + 1];
        const uint32_t wanted = bytes_of(tag);
        if (wanted == 0 || (out == NULL && !is_read_over(tag)))
            return SB_REASON_DISPLAY;
        if (size != wanted + 1)
            reason = SB_REASON_MALFORMED;
        else if (out != NULL && !take_option(tag, app + at + 2, out))
            return SB_REASON_DISPLAY;
    }
    return reason;
}

/* False: not one that is taken. */
static bool take_tif(char tif, char cross, uint8_t *to)
{
    if (tif == '3' && cross == 'N')
        *to = SB_TIF_IOC;
    else if (tif == '0')
        *to = cross == 'O' ? SB_TIF_AT_OPEN : cross == 'C' ? SB_TIF_AT_CLOSE : SB_TIF_DAY;
    else
        return tif == '3' && cross != 'O' && cross != 'C'; /* DISPLAY says of other crosses */
    return true;
}

uint8_t sb_entry_terms(const struct sb_ouch_enter *m, struct sb_command2 *out)
{
    if (!take_tif(m->tif, m->cross, &out->c.tif))
        return SB_REASON_TIF;
    if (m->display == 'N')
        out->ext.order.attributes |= SB_ATTR_HIDDEN;
    else if (m->display != 'Y' && m->display != 'A')
        return SB_REASON_DISPLAY;
    if (m->cross != 'N' && m->cross != 'O' && m->cross != 'C')
        return SB_REASON_DISPLAY;
    return take_options(m->app, m->app_bytes, out);
}

uint8_t sb_entry_replace_terms(const struct sb_ouch_replace *m, struct sb_command2 *out)
{
    if (!take_tif(m->tif, 'N', &out->c.tif))
        return SB_REASON_TIF;
    if (m->display != 'Y' && m->display != 'A')
        return SB_REASON_DISPLAY;
    return take_options(m->app, m->app_bytes, NULL);
}
