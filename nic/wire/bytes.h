/* bytes.h: big-endian integers in byte strings. Inline, total, no alignment needed. */
#ifndef SHADOWBOOK_WIRE_BYTES_H
#define SHADOWBOOK_WIRE_BYTES_H

#include <stdint.h>
#include <string.h>

static inline uint16_t sb_get16(const uint8_t *p)
{
    uint16_t v;
    memcpy(&v, p, 2);
    return __builtin_bswap16(v);
}
static inline uint32_t sb_get32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, 4);
    return __builtin_bswap32(v);
}
static inline uint64_t sb_get64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, 8);
    return __builtin_bswap64(v);
}
static inline uint64_t sb_get48(const uint8_t *p)
{
    return (uint64_t)sb_get16(p) << 32 | sb_get32(p + 2);
}
static inline void sb_put16(uint8_t *p, uint16_t v)
{
    v = __builtin_bswap16(v);
    memcpy(p, &v, 2);
}
static inline void sb_put32(uint8_t *p, uint32_t v)
{
    v = __builtin_bswap32(v);
    memcpy(p, &v, 4);
}
static inline void sb_put64(uint8_t *p, uint64_t v)
{
    v = __builtin_bswap64(v);
    memcpy(p, &v, 8);
}
static inline void sb_put48(uint8_t *p, uint64_t v)
{
    sb_put16(p, (uint16_t)(v >> 32));
    sb_put32(p + 2, (uint32_t)v);
}

#endif
