#include "perf/histogram.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

void sb_histogram_reset(struct sb_histogram *h)
{
    memset(h, 0, sizeof *h);
    h->min_ns = UINT64_MAX;
}

static uint32_t bucket_of(uint32_t index)
{
    return index < SB_HISTOGRAM_SUB_BUCKETS ? 0 : index / SB_HISTOGRAM_HALF - 1;
}

uint64_t sb_histogram_lowest(uint32_t index)
{
    const uint32_t bucket = bucket_of(index);
    return (uint64_t)(index - bucket * SB_HISTOGRAM_HALF) << bucket;
}

uint64_t sb_histogram_highest(uint32_t index)
{
    return sb_histogram_lowest(index) + ((UINT64_C(1) << bucket_of(index)) - 1);
}

void sb_histogram_merge(struct sb_histogram *h, const struct sb_histogram *from)
{
    for (uint32_t i = 0; i < SB_HISTOGRAM_COUNTS; i++)
        h->counts[i] += from->counts[i];
    h->total += from->total;
    h->clipped += from->clipped;
    h->min_ns = from->min_ns < h->min_ns ? from->min_ns : h->min_ns;
    h->max_ns = from->max_ns > h->max_ns ? from->max_ns : h->max_ns;
}

static uint64_t value_at(const struct sb_histogram *h, uint32_t index)
{
    const uint64_t highest = sb_histogram_highest(index);
    return highest < h->max_ns ? highest : h->max_ns;
}

uint64_t sb_histogram_percentile(const struct sb_histogram *h, double percent)
{
    if (h->total == 0)
        return 0;
    if (percent >= 100.0)
        return h->max_ns;
    /* The rank, rounded up but for what the binary form of 99.9 adds. */
    double rank = ceil(percent / 100.0 * (double)h->total - 1e-6);
    if (rank < 1)
        rank = 1;
    const uint64_t wanted = (uint64_t)rank;
    uint64_t seen = 0;
    for (uint32_t i = 0; i < SB_HISTOGRAM_COUNTS; i++) {
        seen += h->counts[i];
        if (seen >= wanted)
            return value_at(h, i);
    }
    return h->max_ns;
}

static const struct {
    double percent;
    const char *name;
} shown[] = {{50, "p50"}, {90, "p90"}, {99, "p99"}, {99.9, "p99.9"}, {99.99, "p99.99"}};
enum { SHOWN_N = sizeof shown / sizeof shown[0] };

void sb_histogram_print(const struct sb_histogram *h, const char *name, FILE *out)
{
    fprintf(out, "%s ", name);
    for (uint32_t i = 0; i < SHOWN_N; i++)
        fprintf(out, " %s %" PRIu64, shown[i].name, sb_histogram_percentile(h, shown[i].percent));
    fprintf(out, " max %" PRIu64 " ns (n %" PRIu64 ")\n", h->max_ns, h->total);
}

void sb_histogram_json(const struct sb_histogram *h, FILE *out)
{
    fprintf(out, "{\"n\":%" PRIu64 ",\"min_ns\":%" PRIu64, h->total, h->total ? h->min_ns : 0);
    for (uint32_t i = 0; i < SHOWN_N; i++)
        fprintf(out, ",\"%s_ns\":%" PRIu64, shown[i].name,
                sb_histogram_percentile(h, shown[i].percent));
    fprintf(out, ",\"max_ns\":%" PRIu64 "}", h->max_ns);
}

/* Mean and deviation of what was counted, from the middles of the steps, as HdrHistogram does. */
static void moments(const struct sb_histogram *h, double *mean, double *deviation)
{
    double sum = 0, squares = 0;
    for (uint32_t pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < SB_HISTOGRAM_COUNTS; i++) {
            if (h->counts[i] == 0)
                continue;
            const uint64_t step = UINT64_C(1) << bucket_of(i);
            const double middle = (double)(sb_histogram_lowest(i) + step / 2);
            const double n = (double)h->counts[i];
            if (pass == 0)
                sum += middle * n;
            else
                squares += (middle - *mean) * (middle - *mean) * n;
        }
        if (pass == 0)
            *mean = h->total ? sum / (double)h->total : 0;
    }
    *deviation = h->total ? sqrt(squares / (double)h->total) : 0;
}

/* The next percentile to report: `ticks` of them until the rest is halved, then as many in half the room. */
static double next_tick(double percent, uint32_t ticks)
{
    const double halvings = floor(log2(100.0 / (100.0 - percent))) + 1;
    return percent + 100.0 / (ticks * exp2(halvings));
}

bool sb_histogram_write_hgrm(const struct sb_histogram *h, FILE *out, uint32_t ticks,
                             double unit_ns)
{
    double mean = 0, deviation = 0, tick = 0;
    uint64_t seen = 0;
    moments(h, &mean, &deviation);
    fprintf(out, "%12s %14s %10s %14s\n\n", "Value", "Percentile", "TotalCount",
            "1/(1-Percentile)");
    for (uint32_t i = 0; i < SB_HISTOGRAM_COUNTS && seen < h->total; i++) {
        if (h->counts[i] == 0)
            continue;
        seen += h->counts[i];
        const double value = (double)value_at(h, i) / unit_ns;
        const double reached = 100.0 * (double)seen / (double)h->total;
        while (seen < h->total && reached >= tick) {
            fprintf(out, "%12.3f %2.12f %10" PRIu64 " %14.2f\n", value, tick / 100, seen,
                    1 / (1 - tick / 100));
            tick = next_tick(tick, ticks);
        }
        if (seen == h->total)
            fprintf(out, "%12.3f %2.12f %10" PRIu64 "\n", value, 1.0, seen);
    }
    fprintf(out, "#[Mean    = %12.3f, StdDeviation   = %12.3f]\n", mean / unit_ns,
            deviation / unit_ns);
    fprintf(out, "#[Max     = %12.3f, Total count    = %12" PRIu64 "]\n",
            (double)h->max_ns / unit_ns, h->total);
    fprintf(out, "#[Buckets = %12d, SubBuckets     = %12d]\n", SB_HISTOGRAM_BUCKETS,
            SB_HISTOGRAM_SUB_BUCKETS);
    return !ferror(out);
}
