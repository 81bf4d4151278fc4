/* entry_terms.c: see entry_terms.h. */
#include "nic/wire/entry_terms.h"

#include <string.h>

#include "nic/wire/bytes.h"
#include "nic/wire/entry_values.h"

enum { SECONDS_MAX = 86399 };

enum option {
    OPTION_FIRM = 2,
    OPTION_MINIMUM = 3,
    OPTION_DISPLAYED = 5,
    OPTION_PRICE_TYPE = 6,
    OPTION_OFFSET = 7,
    OPTION_POST_ONLY = 12,
    OPTION_RANDOM = 13,
    OPTION_EXPIRE = 15,
    OPTION_GROUP = 24,
    OPTIONS = 25,
};

/* Of its value. 0: not taken. */
static uint32_t bytes_of(uint8_t tag)
{
    static const uint8_t bytes[OPTIONS] = {
        [OPTION_FIRM] = 4,       [OPTION_MINIMUM] = 4, [OPTION_DISPLAYED] = 4,
        [OPTION_PRICE_TYPE] = 1, [OPTION_OFFSET] = 4,  [OPTION_POST_ONLY] = 1,
        [OPTION_RANDOM] = 4,     [OPTION_EXPIRE] = 4,  [OPTION_GROUP] = 2};
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

static bool take_expire(uint32_t seconds, uint64_t time_ns, struct sb_command2 *out)
{
    out->ext.order.expire_ns = time_ns + seconds * UINT64_C(1000000000);
    return seconds <= SECONDS_MAX;
}

/* False: its value means nothing here. */
static bool take_option(uint8_t tag, const uint8_t *value, uint64_t time_ns,
                        struct sb_command2 *out)
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
    case OPTION_EXPIRE:
        return take_expire(sb_get32(value), time_ns, out);
    default: /* read over */
        return true;
    }
}

/* The appendage is a run of whole TagValues: the reader saw to that. out NULL: only what is read over may be there. */
static uint8_t take_options(const uint8_t *app, uint32_t bytes, uint64_t time_ns,
                            struct sb_command2 *out)
{
    uint8_t reason = SB_REASON_NONE;
    for (uint32_t at = 0; at < bytes; at += 1u + app[at]) {
        const uint8_t size = app[at], tag = app[at + 1];
        const uint32_t wanted = bytes_of(tag);
        if (wanted == 0 || (out == NULL && !is_read_over(tag)))
            return SB_REASON_DISPLAY;
        if (size != wanted + 1)
            reason = SB_REASON_MALFORMED;
        else if (out != NULL && !take_option(tag, app + at + 2, time_ns, out))
            return SB_REASON_DISPLAY;
    }
    return reason;
}

/* False: not one that is taken. */
static bool take_tif(char tif, char cross, uint8_t *to)
{
    const bool auction = cross == 'O' || cross == 'C';
    if (tif == '0')
        *to = cross == 'O' ? SB_TIF_AT_OPEN : cross == 'C' ? SB_TIF_AT_CLOSE : SB_TIF_DAY;
    else if (tif == '3' && !auction)
        *to = SB_TIF_IOC;
    else if (tif == '6' && !auction)
        *to = SB_TIF_GTD;
    else
        return false;
    return true;
}

static bool is_market(uint64_t price)
{
    return price == 0x7FFFFFFF || price == 2000000000 || price == UINT64_MAX;
}

static void take_price(uint64_t price, struct sb_command2 *out)
{
    if (!is_market(price))
        out->c.price = sb_entry_price(price);
    else if (out->ext.order.peg == SB_PEG_NONE)
        out->ext.order.type = SB_TYPE_MARKET;
}

uint8_t sb_entry_terms(const struct sb_ouch_enter *m, uint64_t time_ns, struct sb_command2 *out)
{
    if (!take_tif(m->tif, m->cross, &out->c.tif))
        return SB_REASON_TIF;
    if (m->display == 'N')
        out->ext.order.attributes |= SB_ATTR_HIDDEN;
    else if (m->display != 'Y' && m->display != 'A')
        return SB_REASON_DISPLAY;
    if (m->cross != 'N' && m->cross != 'O' && m->cross != 'C')
        return SB_REASON_DISPLAY;
    const uint8_t reason = take_options(m->app, m->app_bytes, time_ns, out);
    if (reason == SB_REASON_NONE)
        take_price(m->price, out);
    return reason;
}

uint8_t sb_entry_replace_terms(const struct sb_ouch_replace *m, struct sb_command2 *out)
{
    if (m->tif != '0' && m->tif != '3')
        return SB_REASON_TIF;
    if (m->display != 'Y' && m->display != 'A')
        return SB_REASON_DISPLAY;
    out->c.tif = m->tif == '3' ? SB_TIF_IOC : SB_TIF_DAY;
    return take_options(m->app, m->app_bytes, 0, NULL);
}

void sb_entry_echo(struct sb_command2 *out, const char clordid[14], char iso, char cross)
{
    static const uint8_t none[sizeof out->ext.bytes - SB_ENTRY_TERMS_AT];
    const bool terms = memcmp(out->ext.bytes + SB_ENTRY_TERMS_AT, none, sizeof none) != 0;
    if (!terms && memcmp(clordid, "              ", 14) == 0 && iso == 'N' && cross == 'N')
        return;
    memcpy(out->ext.order.clordid, clordid, 14);
    out->ext.order.iso = (uint8_t)iso;
    out->ext.order.cross = (uint8_t)cross;
    out->c.flags |= SB_CMD_F_EXT;
}
