/* direct_parts.h: what the calls of direct.h have in common. */
#ifndef SHADOWBOOK_ENGINE_DIRECT_PARTS_H
#define SHADOWBOOK_ENGINE_DIRECT_PARTS_H

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "engine/plain.h"
#include "shadowbook/direct.h"

enum { SB_DIRECT_SIDE_BITS = 7 }; /* of a call's flags */

/* Not inline: what few calls need must not cost the others registers. */
#define SB_APART __attribute__((noinline))

/* In whole words: whoever reads a report at once, in whatever words, need not wait for it to leave the core. */
SB_PLAIN void sb_direct_report(struct sb_report **next, uint8_t kind, uint64_t id, uint64_t taker,
                               uint32_t price, uint32_t quantity, uint32_t instrument,
                               uint32_t side, uint32_t reason)
{
    const uint64_t numbers = (uint64_t)quantity << 32 | price;
    const uint64_t rest =
        (uint64_t)reason << 48 | (uint64_t)side << 40 | (uint64_t)kind << 32 | instrument;
#ifdef __SSE2__
    __m128i *to = (__m128i *)(void *)(*next)++;
    _mm_storeu_si128(to, _mm_set_epi64x((long long)taker, (long long)id));
    _mm_storeu_si128(to + 1, _mm_set_epi64x((long long)rest, (long long)numbers));
#else
    (void)rest;
    (void)numbers;
    *(*next)++ = (struct sb_report){.id = id,
                                    .taker = taker,
                                    .price = price,
                                    .quantity = quantity,
                                    .instrument = instrument,
                                    .kind = kind,
                                    .side = (uint8_t)side,
                                    .reason = (uint8_t)reason};
#endif
}

/* Price and quantity against the instrument's limits, lots excepted, without a word of why not. */
SB_PLAIN bool sb_direct_good_details(const struct sb_book *b, int64_t price, uint32_t quantity,
                                     uint32_t *ticks)
{
    if (__builtin_expect((uint64_t)price - b->price_min > b->price_range, 0))
        return false;
    *ticks = sb_book_divide(b, (uint64_t)price);
    return __builtin_expect((uint32_t)price == *ticks * b->tick, 1) &&
           __builtin_expect(quantity - 1 < b->quantity_max, 1);
}

/* sb_book_crosses() of a ladder key: the same price has the key SB_KEY_MAX - key on the other side. */
SB_PLAIN bool sb_direct_crosses(const struct sb_book *b, uint32_t side, uint64_t key)
{
    return b->side[~side & 1u].best + key <= SB_KEY_MAX;
}

SB_PLAIN bool sb_direct_many(const struct sb_engine *e)
{
    return __builtin_expect(e->orders.used >= SB_ORDERS_FEW, 0);
}

/* Then the line where a live id is, beyond its near bucket, is asked for before the near one has come. */
SB_PLAIN void sb_direct_ask_ahead(const struct sb_engine *e, uint64_t id)
{
    if (sb_direct_many(e))
        sb_ids_prefetch_far(&e->orders.ids, sb_ids_hash(&e->orders.ids, id));
}

#endif
