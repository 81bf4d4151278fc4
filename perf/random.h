/* random.h: numbers from a seed, the same everywhere (splitmix64). For what is generated, not for secrets. */
#ifndef SHADOWBOOK_PERF_RANDOM_H
#define SHADOWBOOK_PERF_RANDOM_H

#include <stdint.h>

/* A number for each x, and no two x have the same. */
static inline uint64_t sb_random_scramble(uint64_t x)
{
    uint64_t z = x;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static inline uint64_t sb_random_next(uint64_t *state)
{
    return sb_random_scramble(*state += UINT64_C(0x9e3779b97f4a7c15));
}

/* 0..n-1. */
static inline uint32_t sb_random_below(uint64_t *state, uint32_t n)
{
    return (uint32_t)(sb_random_next(state) % n);
}

#endif
