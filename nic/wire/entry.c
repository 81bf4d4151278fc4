/* entry.c: see entry.h. */
#include "nic/wire/entry.h"

#include <string.h>

#include "nic/wire/bytes.h"
#include "shadowbook/assert.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "heads are copied as they lie in memory");

uint32_t sb_entry_write_login(uint8_t *p, uint64_t nonce, uint32_t ipv4, uint16_t port)
{
    p[0] = 'L';
    sb_put64(p + 1, nonce);
    sb_put32(p + 9, ipv4);
    sb_put16(p + 13, port);
    return SB_ENTRY_LOGIN_BYTES;
}

uint32_t sb_entry_write_phase(uint8_t *p, uint32_t key, const char symbol[8], char phase)
{
    p[0] = 'P';
    sb_put32(p + 1, key);
    memcpy(p + 5, symbol, 8);
    p[13] = (uint8_t)phase;
    memset(p + 14, 0, 8);
    return SB_ENTRY_PHASE_BYTES;
}

uint32_t sb_entry_write_auction(uint8_t *p, uint32_t key, const char symbol[8], char auction)
{
    const uint32_t bytes = sb_entry_write_phase(p, key, symbol, 'A');
    p[14] = (uint8_t)auction;
    return bytes;
}

uint32_t sb_entry_write_mass_cancel(uint8_t *p, uint32_t key, const char symbol[8], char scope,
                                    uint32_t who, char side)
{
    p[0] = 'W';
    sb_put32(p + 1, key);
    memcpy(p + 5, symbol, 8);
    p[13] = (uint8_t)scope;
    sb_put32(p + 14, who);
    p[18] = (uint8_t)side;
    memset(p + 19, 0, 3);
    return SB_ENTRY_MASS_CANCEL_BYTES;
}

uint32_t sb_entry_write_kill(uint8_t *p, uint32_t key, char scope, uint32_t who, char action)
{
    p[0] = 'K';
    sb_put32(p + 1, key);
    p[5] = (uint8_t)scope;
    sb_put32(p + 6, who);
    p[10] = (uint8_t)action;
    memset(p + 11, 0, 11);
    return SB_ENTRY_KILL_BYTES;
}

uint32_t sb_entry_write_amend(uint8_t *p, uint32_t key, uint32_t quantity, uint64_t price)
{
    p[0] = 'A';
    sb_put32(p + 1, key);
    sb_put32(p + 5, quantity);
    sb_put64(p + 9, price);
    return SB_ENTRY_AMEND_BYTES;
}

uint32_t sb_entry_write_quote(uint8_t *p, const struct sb_entry_quote *q)
{
    p[0] = 'T';
    sb_put32(p + 1, q->key);
    memcpy(p + 5, q->symbol, 8);
    sb_put32(p + 13, q->bid_price);
    sb_put32(p + 17, q->bid_quantity);
    sb_put32(p + 21, q->ask_price);
    sb_put32(p + 25, q->ask_quantity);
    p[29] = (uint8_t)q->capacity;
    return SB_ENTRY_QUOTE_BYTES;
}

uint32_t sb_entry_write_new(uint8_t *p, const struct sb_entry_new *m)
{
    p[0] = 'N';
    sb_put32(p + 1, m->key);
    memcpy(p + 5, m->symbol, 8);
    p[13] = (uint8_t)m->side;
    p[14] = (uint8_t)m->type;
    p[15] = (uint8_t)m->tif;
    sb_put32(p + 16, m->quantity);
    sb_put64(p + 20, m->price);
    sb_put64(p + 28, m->stop_price);
    sb_put32(p + 36, m->trail);
    sb_put64(p + 40, m->expire_ns);
    sb_put32(p + 48, m->display_quantity);
    sb_put32(p + 52, m->refresh_range);
    sb_put32(p + 56, m->min_quantity);
    sb_put32(p + 60, (uint32_t)m->peg_offset);
    p[64] = (uint8_t)m->peg;
    p[65] = m->attributes;
    sb_put32(p + 66, m->oco_key);
    p[70] = (uint8_t)m->capacity;
    memcpy(p + 71, m->clordid, 14);
    memset(p + 85, 0, 3);
    return SB_ENTRY_NEW_BYTES;
}

static bool read_triggered(const uint8_t *p, struct sb_entry_out *out)
{
    *out = (struct sb_entry_out){.type = 'T',
                                 .timestamp = sb_get64(p + 1),
                                 .key = sb_get32(p + 9),
                                 .quantity = sb_get32(p + 13),
                                 .price = sb_get64(p + 17),
                                 .order_ref = sb_get64(p + 25)};
    return true;
}

static bool read_count(const uint8_t *p, struct sb_entry_out *out)
{
    *out = (struct sb_entry_out){.type = (char)p[0],
                                 .timestamp = sb_get64(p + 1),
                                 .key = sb_get32(p + 9),
                                 .reason = sb_get16(p + 21),
                                 .quantity = sb_get32(p + 23)};
    memcpy(out->symbol, p + 13, 8);
    return true;
}

bool sb_entry_read_out(const uint8_t *p, uint32_t len, struct sb_entry_out *out)
{
    if (len == SB_ENTRY_LOGGED_IN_BYTES && p[0] == 'L') {
        *out = (struct sb_entry_out){
            .type = 'L',
            .timestamp = sb_get64(p + 1),
            .last_session_seq = sb_get64(p + 9),
            .key = sb_get32(p + 17),
        };
        return true;
    }
    if (len == SB_ENTRY_OPERATOR_BYTES && p[0] == 'O') {
        *out = (struct sb_entry_out){
            .type = 'O',
            .timestamp = sb_get64(p + 1),
            .key = sb_get32(p + 9),
            .phase = (char)p[21],
            .reason = sb_get16(p + 22),
            .quantity = sb_get32(p + 24),
        };
        memcpy(out->symbol, p + 13, 8);
        return true;
    }
    if (len == SB_ENTRY_TRIGGERED_BYTES && p[0] == 'T')
        return read_triggered(p, out);
    return len == SB_ENTRY_COUNT_BYTES && (p[0] == 'M' || p[0] == 'Q') && read_count(p, out);
}

static bool is_clients(uint8_t type)
{
    return type >= SB_FT_ENTRY;
}

uint8_t *sb_head_put(uint8_t *p, uint8_t type, uint16_t shard, uint64_t epoch, uint64_t inc,
                     uint8_t sender, uint8_t flags, uint16_t bytes)
{
    const struct sb_head head = {
        .magic = SB_FRAME_MAGIC,
        .version = is_clients(type) ? SB_FRAME_VERSION_CLIENT : SB_FRAME_VERSION,
        .type = type,
        .shard = shard,
        .epoch = epoch,
        .inc = inc,
        .sender = sender,
        .flags = flags,
        .bytes = bytes,
    };
    memcpy(p, &head, sizeof head);
    return p + sizeof head;
}

/* Does a body of this size belong to this type? */
static bool body_fits(uint8_t type, uint32_t bytes)
{
    switch (type) {
    case SB_FT_STREAM:
        return bytes >= sizeof(struct sb_stream);
    case SB_FT_ENTRY:
        return bytes >= sizeof(struct sb_entry);
    case SB_FT_ACK:
        return bytes == sizeof(struct sb_ack);
    case SB_FT_REPAIR:
        return bytes == sizeof(struct sb_repair);
    case SB_FT_RESEND:
        return bytes == sizeof(struct sb_resend);
    case SB_FT_STATUS:
        return bytes == sizeof(struct sb_status);
    default:
        return type >= SB_FT_ARM && type <= SB_FT_LOGACK && bytes == sizeof(struct sb_control);
    }
}

bool sb_head_read(const uint8_t *p, uint32_t bytes, struct sb_head *out)
{
    if (bytes < sizeof *out)
        return false;
    memcpy(out, p, sizeof *out);
    const bool version = is_clients(out->type) ? out->version == SB_FRAME_VERSION_CLIENT
                                               : out->version > SB_FRAME_VERSION_CLIENT;
    return out->magic == SB_FRAME_MAGIC && version && out->zero == 0 && out->tag == 0 &&
           out->bytes == bytes - sizeof *out && body_fits(out->type, out->bytes);
}
