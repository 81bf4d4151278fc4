/* mold.c: see mold.h. */
#include "nic/wire/mold.h"

#include <string.h>

#include "nic/wire/bytes.h"
#include "shadowbook/assert.h"

void sb_mold_put_head(uint8_t *p, const char name[SB_MOLD_NAME_BYTES], uint64_t seq, uint16_t count)
{
    memcpy(p, name, SB_MOLD_NAME_BYTES);
    sb_put64(p + 10, seq);
    sb_put16(p + 18, count);
}

static void head_get(const uint8_t *p, struct sb_mold_head *out)
{
    memcpy(out->name, p, SB_MOLD_NAME_BYTES);
    out->seq = sb_get64(p + 10);
    out->count = sb_get16(p + 18);
}

bool sb_mold_read(const uint8_t *p, uint32_t bytes, struct sb_mold_head *out)
{
    if (bytes < SB_MOLD_HEAD_BYTES)
        return false;
    head_get(p, out);
    const uint32_t blocks = out->count == SB_MOLD_END ? 0 : out->count;
    uint32_t at = SB_MOLD_HEAD_BYTES, len;
    for (uint32_t i = 0; i < blocks; i++)
        if (sb_mold_next(p, bytes, &at, &len) == NULL)
            return false;
    return at == bytes;
}

const uint8_t *sb_mold_next(const uint8_t *p, uint32_t bytes, uint32_t *at, uint32_t *len)
{
    if (*at > bytes || bytes - *at < 2)
        return NULL;
    const uint32_t message = sb_get16(p + *at);
    if (message > bytes - *at - 2)
        return NULL;
    const uint8_t *start = p + *at + 2;
    *at += 2 + message;
    *len = message;
    return start;
}

bool sb_mold_read_request(const uint8_t *p, uint32_t bytes, struct sb_mold_head *out)
{
    if (bytes != SB_MOLD_HEAD_BYTES)
        return false;
    head_get(p, out);
    return true;
}

static void base36_put(char *p, int digits, uint32_t value)
{
    static const char digit[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    for (int i = digits - 1; i >= 0; i--) {
        p[i] = digit[value % 36];
        value /= 36;
    }
    SB_ASSERT_EQ(value, 0u);
}

/* Days from 1 March of year 0 in the Gregorian calendar; years begin in March so that the leap day is
 * the last one. Any number has a result, also one that is no date. */
static uint32_t days_of(uint32_t yyyymmdd)
{
    uint32_t year = yyyymmdd / 10000;
    uint32_t month = yyyymmdd / 100 % 100;
    const uint32_t day = yyyymmdd % 100;
    if (month <= 2) {
        year -= 1;
        month += 12;
    }
    return 365 * year + year / 4 - year / 100 + year / 400 + (153 * (month - 3) + 2) / 5 + day;
}

void sb_stream_name(char name[SB_MOLD_NAME_BYTES], uint16_t shard, uint32_t trading_day,
                    uint16_t generation, uint32_t stream)
{
    const uint32_t cycle = 36 * 36 * 36;
    const uint32_t days = days_of(trading_day) + 2000 * cycle - days_of(20200101);
    base36_put(name, 2, shard);
    base36_put(name + 2, 3, days % cycle);
    base36_put(name + 5, 2, generation);
    base36_put(name + 7, 3, stream);
}

int32_t sb_stream_of_name(const char name[SB_MOLD_NAME_BYTES])
{
    int32_t stream = 0;
    for (int i = 7; i < SB_MOLD_NAME_BYTES; i++) {
        const char c = name[i];
        if (c >= '0' && c <= '9')
            stream = stream * 36 + (c - '0');
        else if (c >= 'A' && c <= 'Z')
            stream = stream * 36 + (c - 'A' + 10);
        else
            return -1;
    }
    return stream;
}
