/* words.h: neighbouring fields written at once.
 *
 * What is written stays in the core's store buffer, in order, until its line is there; a line that another core has just
 * read (the ring that reports leave by) takes as long as some hundred instructions. An engine goes on meanwhile until the buffer
 * is full, so the fewer stores a message makes, the more messages fit in. The compiler does not join them by itself.
 */
#ifndef SHADOWBOOK_ENGINE_WORDS_H
#define SHADOWBOOK_ENGINE_WORDS_H

#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the first field is the lower half");

/* The compiler knows nothing of how x was made. */
#define SB_KEEP_APART(x) __asm__("" : "+r"(x))

/* Two fields of 32 bits, of which `to` is the first. */
static inline void sb_pair_store(uint32_t *to, uint32_t first, uint32_t second)
{
    const uint64_t both = (uint64_t)second << 32 | first;
    memcpy(to, &both, sizeof both);
}

/* 16 bytes that begin at `to`. */
static inline void sb_quad_store(void *to, uint64_t first, uint64_t second)
{
#ifdef __SSE2__
    _mm_storeu_si128((__m128i *)to, _mm_set_epi64x((long long)second, (long long)first));
#else
    memcpy(to, &first, sizeof first);
    memcpy((char *)to + sizeof first, &second, sizeof second);
#endif
}

#endif
