/* tsc.h: clocks for measuring; the time stamp counter with fences, so that nothing leaks out of the work or into it. */
#ifndef SHADOWBOOK_PERF_TSC_H
#define SHADOWBOOK_PERF_TSC_H

#include <stdint.h>
#include <time.h>
#include <x86intrin.h>

#include "perf/numbers.h"
#include "shadowbook/assert.h"

static inline uint64_t sb_monotonic_ns(void)
{
    struct timespec t;
    SB_ASSERT_EQ(clock_gettime(CLOCK_MONOTONIC, &t), 0);
    return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

/* Time that this thread had a processor: without what other programs took. */
static inline uint64_t sb_thread_ns(void)
{
    struct timespec t;
    SB_ASSERT_EQ(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t), 0);
    return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

/* Nanoseconds of a TSC tick, times 2^32; takes 20 ms. */
static inline uint64_t sb_tsc_scale(void)
{
    const uint64_t ns0 = sb_monotonic_ns(), tsc0 = __rdtsc();
    uint64_t ns1;
    do
        ns1 = sb_monotonic_ns();
    while (ns1 - ns0 < UINT64_C(20000000));
    const uint64_t ticks = __rdtsc() - tsc0;
    return ((ns1 - ns0) << 32) / ticks;
}

static inline uint64_t sb_tsc_begin(void)
{
    _mm_lfence();
    const uint64_t t = __rdtsc();
    _mm_lfence();
    return t;
}

static inline uint64_t sb_tsc_end(void)
{
    unsigned cpu;
    const uint64_t t = __rdtscp(&cpu);
    _mm_lfence();
    return t;
}

static inline uint64_t sb_tsc_to_ns(uint64_t ticks, uint64_t scale)
{
    return sb_multiply_divide(ticks, scale, UINT64_C(1) << 32);
}

#endif
