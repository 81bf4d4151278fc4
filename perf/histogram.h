/* histogram.h: a fixed-size histogram of durations, in HdrHistogram's bucket layout.
 *
 * 1 ns to 100 s with three significant digits: bucket b holds values of 2048 * 2^b and below in steps of 2^b, half of them
 * shared with the bucket under it. 27 buckets, 28672 counts, 224 KiB, no allocation. A value above the range is
 * recorded as the largest (and counted in `clipped`); zero is recorded as zero.
 *
 * One thread records; merge to combine threads. Reading while recording gives approximate figures.
 */
#ifndef SHADOWBOOK_PERF_HISTOGRAM_H
#define SHADOWBOOK_PERF_HISTOGRAM_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum {
    SB_HISTOGRAM_SUB_BITS = 11,
    SB_HISTOGRAM_SUB_BUCKETS = 1 << SB_HISTOGRAM_SUB_BITS, /* >= 2 * 10^3: three digits */
    SB_HISTOGRAM_HALF = SB_HISTOGRAM_SUB_BUCKETS / 2,
    SB_HISTOGRAM_BUCKETS = 27, /* 2048 * 2^26 > 10^11 */
    SB_HISTOGRAM_COUNTS = (SB_HISTOGRAM_BUCKETS + 1) * SB_HISTOGRAM_HALF
};
#define SB_HISTOGRAM_MAX_NS UINT64_C(100000000000)

struct sb_histogram {
    uint64_t total, min_ns, max_ns, clipped;
    uint64_t counts[SB_HISTOGRAM_COUNTS];
};

void sb_histogram_reset(struct sb_histogram *h);

/* Where a value up to SB_HISTOGRAM_MAX_NS is counted. */
static inline uint32_t sb_histogram_index(uint64_t ns)
{
    const uint32_t log2 = 63u - (uint32_t)__builtin_clzll(ns | (SB_HISTOGRAM_SUB_BUCKETS - 1));
    const uint32_t bucket = log2 - (SB_HISTOGRAM_SUB_BITS - 1);
    return bucket * SB_HISTOGRAM_HALF + (uint32_t)(ns >> bucket);
}

/* Smallest and largest value counted at an index. */
uint64_t sb_histogram_lowest(uint32_t index);
uint64_t sb_histogram_highest(uint32_t index);

/* ~3 ns. n: how many times the value occurred. */
static inline void sb_histogram_record_n(struct sb_histogram *h, uint64_t ns, uint64_t n)
{
    if (__builtin_expect(ns > SB_HISTOGRAM_MAX_NS, 0)) {
        ns = SB_HISTOGRAM_MAX_NS;
        h->clipped += n;
    }
    h->counts[sb_histogram_index(ns)] += n;
    h->total += n;
    h->min_ns = ns < h->min_ns ? ns : h->min_ns;
    h->max_ns = ns > h->max_ns ? ns : h->max_ns;
}
static inline void sb_histogram_record(struct sb_histogram *h, uint64_t ns)
{
    sb_histogram_record_n(h, ns, 1);
}

/* Adds what `from` holds. */
void sb_histogram_merge(struct sb_histogram *h, const struct sb_histogram *from);

/* The value that `percent` (0..100) of all recorded values do not exceed, to three digits and never above the largest
 * recorded; 0 if nothing was recorded. */
uint64_t sb_histogram_percentile(const struct sb_histogram *h, double percent);

/* "NAME  p50 .. p90 .. p99 .. p99.9 .. p99.99 .. max .. (n)" on one line, nanoseconds. */
void sb_histogram_print(const struct sb_histogram *h, const char *name, FILE *out);
/* The same as a JSON object without a line's end: {"n":..,"min_ns":..,"p50_ns":..,..,"max_ns":..}. */
void sb_histogram_json(const struct sb_histogram *h, FILE *out);

/* HdrHistogram's percentile distribution (.hgrm): `ticks` lines per halving of the rest (5 is usual), values divided by
 * `unit_ns` (1000: microseconds). False if writing failed. */
bool sb_histogram_write_hgrm(const struct sb_histogram *h, FILE *out, uint32_t ticks,
                             double unit_ns);

#endif
