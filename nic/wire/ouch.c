/* ouch.c: see ouch.h. Every offset of an OUCH message stands here, once to read and once to write. */
#include "nic/wire/ouch.h"

#include <string.h>

#include "nic/wire/bytes.h"
#include "shadowbook/assert.h"

enum { ENTER_BYTES = 47, REPLACE_BYTES = 40, CANCEL_BYTES = 9, APP_LENGTH_BYTES = 2 };
enum {
    SYSTEM_BYTES = 10,
    ACCEPTED_BYTES = 64,
    REPLACED_BYTES = 68,
    CANCELED_BYTES = 18,
    EXECUTED_BYTES = 36,
    REJECTED_BYTES = 29
};

/* Is it a run of whole TagValues (length, tag, value; the length counts the tag)? */
static bool tags_are_whole(const uint8_t *p, uint32_t bytes)
{
    uint32_t at = 0;
    while (at < bytes) {
        const uint32_t n = p[at];
        if (n == 0 || n > bytes - at - 1)
            return false;
        at += 1 + n;
    }
    return true;
}

/* The appendage behind a fixed part that ends in its length. */
static bool app_read(const uint8_t *p, uint32_t len, uint32_t fixed, uint16_t *app_bytes,
                     uint8_t app[SB_OUCH_APPENDAGE_MAX])
{
    if (len < fixed)
        return false;
    const uint32_t bytes = sb_get16(p + fixed - APP_LENGTH_BYTES);
    if (bytes != len - fixed || bytes > SB_OUCH_APPENDAGE_MAX || !tags_are_whole(p + fixed, bytes))
        return false;
    *app_bytes = (uint16_t)bytes;
    memcpy(app, p + fixed, bytes);
    return true;
}

static uint32_t app_write(uint8_t *p, uint32_t fixed, uint16_t app_bytes, const uint8_t *app)
{
    SB_ASSERT_LE(app_bytes, SB_OUCH_APPENDAGE_MAX);
    sb_put16(p + fixed - APP_LENGTH_BYTES, app_bytes);
    memcpy(p + fixed, app, app_bytes);
    return fixed + app_bytes;
}

/* A message that ends with its fixed part (2023) or with an empty appendage (2025). */
static bool app_absent_or_empty(const uint8_t *p, uint32_t len, uint32_t fixed, bool *has_app)
{
    *has_app = len == fixed + APP_LENGTH_BYTES;
    return len == fixed || (*has_app && sb_get16(p + fixed) == 0);
}

static uint32_t app_absent_or_empty_write(uint8_t *p, uint32_t fixed, bool has_app)
{
    if (!has_app)
        return fixed;
    sb_put16(p + fixed, 0);
    return fixed + APP_LENGTH_BYTES;
}

bool sb_ouch_read_enter(const uint8_t *p, uint32_t len, struct sb_ouch_enter *out)
{
    if (len < ENTER_BYTES || p[0] != 'O' ||
        !app_read(p, len, ENTER_BYTES, &out->app_bytes, out->app))
        return false;
    out->ref = sb_get32(p + 1);
    out->side = (char)p[5];
    out->quantity = sb_get32(p + 6);
    memcpy(out->symbol, p + 10, 8);
    out->price = sb_get64(p + 18);
    out->tif = (char)p[26];
    out->display = (char)p[27];
    out->capacity = (char)p[28];
    out->iso = (char)p[29];
    out->cross = (char)p[30];
    memcpy(out->clordid, p + 31, 14);
    return true;
}

uint32_t sb_ouch_write_enter(uint8_t *p, const struct sb_ouch_enter *m)
{
    p[0] = 'O';
    sb_put32(p + 1, m->ref);
    p[5] = (uint8_t)m->side;
    sb_put32(p + 6, m->quantity);
    memcpy(p + 10, m->symbol, 8);
    sb_put64(p + 18, m->price);
    p[26] = (uint8_t)m->tif;
    p[27] = (uint8_t)m->display;
    p[28] = (uint8_t)m->capacity;
    p[29] = (uint8_t)m->iso;
    p[30] = (uint8_t)m->cross;
    memcpy(p + 31, m->clordid, 14);
    return app_write(p, ENTER_BYTES, m->app_bytes, m->app);
}

bool sb_ouch_read_replace(const uint8_t *p, uint32_t len, struct sb_ouch_replace *out)
{
    if (len < REPLACE_BYTES || p[0] != 'U' ||
        !app_read(p, len, REPLACE_BYTES, &out->app_bytes, out->app))
        return false;
    out->orig_ref = sb_get32(p + 1);
    out->ref = sb_get32(p + 5);
    out->quantity = sb_get32(p + 9);
    out->price = sb_get64(p + 13);
    out->tif = (char)p[21];
    out->display = (char)p[22];
    out->iso = (char)p[23];
    memcpy(out->clordid, p + 24, 14);
    return true;
}

uint32_t sb_ouch_write_replace(uint8_t *p, const struct sb_ouch_replace *m)
{
    p[0] = 'U';
    sb_put32(p + 1, m->orig_ref);
    sb_put32(p + 5, m->ref);
    sb_put32(p + 9, m->quantity);
    sb_put64(p + 13, m->price);
    p[21] = (uint8_t)m->tif;
    p[22] = (uint8_t)m->display;
    p[23] = (uint8_t)m->iso;
    memcpy(p + 24, m->clordid, 14);
    return app_write(p, REPLACE_BYTES, m->app_bytes, m->app);
}

bool sb_ouch_read_cancel(const uint8_t *p, uint32_t len, struct sb_ouch_cancel *out)
{
    if (len < CANCEL_BYTES || p[0] != 'X' ||
        !app_absent_or_empty(p, len, CANCEL_BYTES, &out->has_app))
        return false;
    out->ref = sb_get32(p + 1);
    out->quantity = sb_get32(p + 5);
    return true;
}

uint32_t sb_ouch_write_cancel(uint8_t *p, const struct sb_ouch_cancel *m)
{
    p[0] = 'X';
    sb_put32(p + 1, m->ref);
    sb_put32(p + 5, m->quantity);
    return app_absent_or_empty_write(p, CANCEL_BYTES, m->has_app);
}

static bool accepted_read(const uint8_t *p, uint32_t len, struct sb_ouch_out *out)
{
    if (!app_read(p, len, ACCEPTED_BYTES, &out->app_bytes, out->app))
        return false;
    out->ref = sb_get32(p + 9);
    out->side = (char)p[13];
    out->quantity = sb_get32(p + 14);
    memcpy(out->symbol, p + 18, 8);
    out->price = sb_get64(p + 26);
    out->tif = (char)p[34];
    out->display = (char)p[35];
    out->order_ref = sb_get64(p + 36);
    out->capacity = (char)p[44];
    out->iso = (char)p[45];
    out->cross = (char)p[46];
    out->state = (char)p[47];
    memcpy(out->clordid, p + 48, 14);
    return true;
}

static uint32_t accepted_write(uint8_t *p, const struct sb_ouch_out *m)
{
    sb_put32(p + 9, m->ref);
    p[13] = (uint8_t)m->side;
    sb_put32(p + 14, m->quantity);
    memcpy(p + 18, m->symbol, 8);
    sb_put64(p + 26, m->price);
    p[34] = (uint8_t)m->tif;
    p[35] = (uint8_t)m->display;
    sb_put64(p + 36, m->order_ref);
    p[44] = (uint8_t)m->capacity;
    p[45] = (uint8_t)m->iso;
    p[46] = (uint8_t)m->cross;
    p[47] = (uint8_t)m->state;
    memcpy(p + 48, m->clordid, 14);
    return app_write(p, ACCEPTED_BYTES, m->app_bytes, m->app);
}

static bool replaced_read(const uint8_t *p, uint32_t len, struct sb_ouch_out *out)
{
    if (!app_read(p, len, REPLACED_BYTES, &out->app_bytes, out->app))
        return false;
    out->orig_ref = sb_get32(p + 9);
    out->ref = sb_get32(p + 13);
    out->side = (char)p[17];
    out->quantity = sb_get32(p + 18);
    memcpy(out->symbol, p + 22, 8);
    out->price = sb_get64(p + 30);
    out->tif = (char)p[38];
    out->display = (char)p[39];
    out->order_ref = sb_get64(p + 40);
    out->capacity = (char)p[48];
    out->iso = (char)p[49];
    out->cross = (char)p[50];
    out->state = (char)p[51];
    memcpy(out->clordid, p + 52, 14);
    return true;
}

static uint32_t replaced_write(uint8_t *p, const struct sb_ouch_out *m)
{
    sb_put32(p + 9, m->orig_ref);
    sb_put32(p + 13, m->ref);
    p[17] = (uint8_t)m->side;
    sb_put32(p + 18, m->quantity);
    memcpy(p + 22, m->symbol, 8);
    sb_put64(p + 30, m->price);
    p[38] = (uint8_t)m->tif;
    p[39] = (uint8_t)m->display;
    sb_put64(p + 40, m->order_ref);
    p[48] = (uint8_t)m->capacity;
    p[49] = (uint8_t)m->iso;
    p[50] = (uint8_t)m->cross;
    p[51] = (uint8_t)m->state;
    memcpy(p + 52, m->clordid, 14);
    return app_write(p, REPLACED_BYTES, m->app_bytes, m->app);
}

static bool canceled_read(const uint8_t *p, uint32_t len, struct sb_ouch_out *out)
{
    if (!app_absent_or_empty(p, len, CANCELED_BYTES, &out->has_app))
        return false;
    out->ref = sb_get32(p + 9);
    out->quantity = sb_get32(p + 13);
    out->cancel_reason = (char)p[17];
    return true;
}

static bool executed_read(const uint8_t *p, uint32_t len, struct sb_ouch_out *out)
{
    if (!app_read(p, len, EXECUTED_BYTES, &out->app_bytes, out->app))
        return false;
    out->ref = sb_get32(p + 9);
    out->quantity = sb_get32(p + 13);
    out->price = sb_get64(p + 17);
    out->liquidity = (char)p[25];
    out->match = sb_get64(p + 26);
    return true;
}

static bool rejected_read(const uint8_t *p, uint32_t len, struct sb_ouch_out *out)
{
    if (!app_absent_or_empty(p, len, REJECTED_BYTES, &out->has_app))
        return false;
    out->ref = sb_get32(p + 9);
    out->reject_reason = sb_get16(p + 13);
    memcpy(out->clordid, p + 15, 14);
    return true;
}

bool sb_ouch_read_out(const uint8_t *p, uint32_t len, struct sb_ouch_out *out)
{
    if (len < SYSTEM_BYTES)
        return false;
    *out = (struct sb_ouch_out){.type = (char)p[0], .timestamp = sb_get64(p + 1)};
    switch (p[0]) {
    case 'S':
        out->event = (char)p[9];
        return len == SYSTEM_BYTES;
    case 'A':
        return accepted_read(p, len, out);
    case 'U':
        return replaced_read(p, len, out);
    case 'C':
        return canceled_read(p, len, out);
    case 'E':
        return executed_read(p, len, out);
    case 'J':
        return rejected_read(p, len, out);
    default:
        return false;
    }
}

uint32_t sb_ouch_write_out(uint8_t *p, const struct sb_ouch_out *m)
{
    p[0] = (uint8_t)m->type;
    sb_put64(p + 1, m->timestamp);
    switch (m->type) {
    case 'S':
        p[9] = (uint8_t)m->event;
        return SYSTEM_BYTES;
    case 'A':
        return accepted_write(p, m);
    case 'U':
        return replaced_write(p, m);
    case 'C':
        sb_put32(p + 9, m->ref);
        sb_put32(p + 13, m->quantity);
        p[17] = (uint8_t)m->cancel_reason;
        return app_absent_or_empty_write(p, CANCELED_BYTES, m->has_app);
    case 'E':
        sb_put32(p + 9, m->ref);
        sb_put32(p + 13, m->quantity);
        sb_put64(p + 17, m->price);
        p[25] = (uint8_t)m->liquidity;
        sb_put64(p + 26, m->match);
        return app_write(p, EXECUTED_BYTES, m->app_bytes, m->app);
    case 'J':
        sb_put32(p + 9, m->ref);
        sb_put16(p + 13, m->reject_reason);
        memcpy(p + 15, m->clordid, 14);
        return app_absent_or_empty_write(p, REJECTED_BYTES, m->has_app);
    default:
        return 0;
    }
}
