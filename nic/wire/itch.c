/* itch.c: see itch.h. */
#include "nic/wire/itch.h"

#include <string.h>

#include "nic/wire/bytes.h"

enum { HEADER_BYTES = 11 };

uint32_t sb_itch_length(char type)
{
    static const uint8_t length[128] = {
        ['S'] = 12, ['R'] = 39, ['H'] = 25, ['Y'] = 20, ['L'] = 26, ['V'] = 35,
        ['W'] = 12, ['K'] = 28, ['J'] = 35, ['h'] = 21, ['A'] = 36, ['F'] = 40,
        ['E'] = 31, ['C'] = 36, ['X'] = 23, ['D'] = 19, ['U'] = 35, ['P'] = 44,
        ['Q'] = 40, ['B'] = 19, ['I'] = 50, ['N'] = 20, ['O'] = 48,
    };
    const uint8_t t = (uint8_t)type;
    return t < sizeof length ? length[t] : 0;
}

/* A and F begin alike. */
static void add_read(const uint8_t *p, struct sb_itch *out)
{
    out->ref = sb_get64(p + 11);
    out->side = (char)p[19];
    out->shares = sb_get32(p + 20);
    memcpy(out->symbol, p + 24, 8);
    out->price = sb_get32(p + 32);
}

static void add_write(uint8_t *p, const struct sb_itch *m)
{
    sb_put64(p + 11, m->ref);
    p[19] = (uint8_t)m->side;
    sb_put32(p + 20, (uint32_t)m->shares);
    memcpy(p + 24, m->symbol, 8);
    sb_put32(p + 32, m->price);
}

static void indicative_read(const uint8_t *p, struct sb_itch *out)
{
    out->shares = sb_get64(p + 11);
    out->imbalance = sb_get64(p + 19);
    out->side = (char)p[27];
    memcpy(out->symbol, p + 28, 8);
    out->price = sb_get32(p + 36);
    out->near = sb_get32(p + 40);
    out->reference = sb_get32(p + 44);
    out->cross = (char)p[48];
    out->variation = (char)p[49];
}

static void indicative_write(uint8_t *p, const struct sb_itch *m)
{
    sb_put64(p + 11, m->shares);
    sb_put64(p + 19, m->imbalance);
    p[27] = (uint8_t)m->side;
    memcpy(p + 28, m->symbol, 8);
    sb_put32(p + 36, m->price);
    sb_put32(p + 40, m->near);
    sb_put32(p + 44, m->reference);
    p[48] = (uint8_t)m->cross;
    p[49] = (uint8_t)m->variation;
}

static void body_read(const uint8_t *p, struct sb_itch *out)
{
    switch (out->type) {
    case 'S':
        out->event = (char)p[11];
        break;
    case 'R':
        memcpy(out->symbol, p + 11, 8);
        memcpy(out->directory, p + 19, 20);
        break;
    case 'H':
        memcpy(out->symbol, p + 11, 8);
        out->state = (char)p[19];
        out->reserved = (char)p[20];
        memcpy(out->reason, p + 21, 4);
        break;
    case 'F':
        memcpy(out->mpid, p + 36, 4);
        add_read(p, out);
        break;
    case 'A':
        add_read(p, out);
        break;
    case 'P':
        add_read(p, out);
        out->match = sb_get64(p + 36);
        break;
    case 'C':
        out->printable = (char)p[31];
        out->price = sb_get32(p + 32);
        __attribute__((fallthrough)); /* the rest is E's */
    case 'E':
        out->ref = sb_get64(p + 11);
        out->shares = sb_get32(p + 19);
        out->match = sb_get64(p + 23);
        break;
    case 'X':
        out->shares = sb_get32(p + 19);
        __attribute__((fallthrough)); /* the rest is D's */
    case 'D':
        out->ref = sb_get64(p + 11);
        break;
    case 'U':
        out->ref = sb_get64(p + 11);
        out->new_ref = sb_get64(p + 19);
        out->shares = sb_get32(p + 27);
        out->price = sb_get32(p + 31);
        break;
    case 'Q':
        out->shares = sb_get64(p + 11);
        memcpy(out->symbol, p + 19, 8);
        out->price = sb_get32(p + 27);
        out->match = sb_get64(p + 31);
        out->cross = (char)p[39];
        break;
    case 'I':
        indicative_read(p, out);
        break;
    default:
        break;
    }
}

bool sb_itch_read(const uint8_t *p, uint32_t len, struct sb_itch *out)
{
    if (len < HEADER_BYTES || sb_itch_length((char)p[0]) != len)
        return false;
    *out = (struct sb_itch){
        .type = (char)p[0],
        .locate = sb_get16(p + 1),
        .tracking = sb_get16(p + 3),
        .timestamp = sb_get48(p + 5),
    };
    body_read(p, out);
    return true;
}

uint32_t sb_itch_write(uint8_t *p, const struct sb_itch *m)
{
    p[0] = (uint8_t)m->type;
    sb_put16(p + 1, m->locate);
    sb_put16(p + 3, m->tracking);
    sb_put48(p + 5, m->timestamp);
    switch (m->type) {
    case 'S':
        p[11] = (uint8_t)m->event;
        break;
    case 'R':
        memcpy(p + 11, m->symbol, 8);
        memcpy(p + 19, m->directory, 20);
        break;
    case 'H':
        memcpy(p + 11, m->symbol, 8);
        p[19] = (uint8_t)m->state;
        p[20] = (uint8_t)m->reserved;
        memcpy(p + 21, m->reason, 4);
        break;
    case 'F':
        memcpy(p + 36, m->mpid, 4);
        add_write(p, m);
        break;
    case 'A':
        add_write(p, m);
        break;
    case 'P':
        add_write(p, m);
        sb_put64(p + 36, m->match);
        break;
    case 'C':
        p[31] = (uint8_t)m->printable;
        sb_put32(p + 32, m->price);
        __attribute__((fallthrough)); /* the rest is E's */
    case 'E':
        sb_put64(p + 11, m->ref);
        sb_put32(p + 19, (uint32_t)m->shares);
        sb_put64(p + 23, m->match);
        break;
    case 'X':
        sb_put32(p + 19, (uint32_t)m->shares);
        __attribute__((fallthrough)); /* the rest is D's */
    case 'D':
        sb_put64(p + 11, m->ref);
        break;
    case 'U':
        sb_put64(p + 11, m->ref);
        sb_put64(p + 19, m->new_ref);
        sb_put32(p + 27, (uint32_t)m->shares);
        sb_put32(p + 31, m->price);
        break;
    case 'Q':
        sb_put64(p + 11, m->shares);
        memcpy(p + 19, m->symbol, 8);
        sb_put32(p + 27, m->price);
        sb_put64(p + 31, m->match);
        p[39] = (uint8_t)m->cross;
        break;
    case 'I':
        indicative_write(p, m);
        break;
    default:
        return 0;
    }
    return sb_itch_length(m->type);
}
