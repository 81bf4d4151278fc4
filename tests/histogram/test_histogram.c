/* The histogram against sorted lists of the same values, and its text against a distribution worked out by hand. */
#include "perf/histogram.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct sb_histogram h, other;

static void setup(void)
{
    sb_histogram_reset(&h);
    sb_histogram_reset(&other);
}

START_TEST(every_index_holds_its_values)
{
    /* The steps join without gap or overlap, from zero to above 100 s. */
    ck_assert_uint_eq(sb_histogram_lowest(0), 0);
    for (uint32_t i = 0; i < SB_HISTOGRAM_COUNTS; i++) {
        const uint64_t low = sb_histogram_lowest(i), high = sb_histogram_highest(i);
        ck_assert_uint_le(low, high);
        ck_assert_uint_eq(sb_histogram_index(low), i);
        ck_assert_uint_eq(sb_histogram_index(high), i);
        if (i > 0)
            ck_assert_uint_eq(low, sb_histogram_highest(i - 1) + 1);
        ck_assert((double)(high - low) <= (double)low / 1000.0); /* three digits */
    }
    ck_assert_uint_ge(sb_histogram_highest(SB_HISTOGRAM_COUNTS - 1), SB_HISTOGRAM_MAX_NS);
    /* Known from HdrHistogram's layout: 2047 is the last of step 1, 2048 the first of step 2. */
    ck_assert_uint_eq(sb_histogram_index(2047), 2047);
    ck_assert_uint_eq(sb_histogram_index(2048), 2048);
    ck_assert_uint_eq(sb_histogram_index(2049), 2048);
    ck_assert_uint_eq(sb_histogram_index(4096), 3072);
}
END_TEST

static int by_value(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

START_TEST(percentiles_are_those_of_the_sorted_list)
{
    enum { N = 20000 };
    static uint64_t values[N];
    static const struct {
        double percent;
        uint64_t per_100000;
    } asked[] = {{1, 1000}, {50, 50000}, {90, 90000}, {99, 99000}, {99.9, 99900}, {99.99, 99990}};
    uint64_t random = 2463534242u;
    for (int i = 0; i < N; i++) {
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        values[i] = random % (UINT64_C(1) << (10 + random % 27)); /* many magnitudes */
        if (values[i] > SB_HISTOGRAM_MAX_NS)
            values[i] = SB_HISTOGRAM_MAX_NS;
        sb_histogram_record(&h, values[i]);
    }
    qsort(values, N, sizeof values[0], by_value);
    for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
        const uint64_t rank = (asked[i].per_100000 * N + 99999) / 100000;
        const uint64_t exact = values[rank - 1];
        const uint64_t got = sb_histogram_percentile(&h, asked[i].percent);
        ck_assert_uint_ge(got, exact);
        ck_assert((double)(got - exact) <= (double)exact / 1000.0);
    }
    ck_assert_uint_eq(sb_histogram_percentile(&h, 100), values[N - 1]);
    ck_assert_uint_eq(h.min_ns, values[0]);
    ck_assert_uint_eq(h.max_ns, values[N - 1]);
    ck_assert_uint_eq(h.total, N);
}
END_TEST

START_TEST(empty_and_extremes)
{
    ck_assert_uint_eq(sb_histogram_percentile(&h, 50), 0);
    sb_histogram_record(&h, 0);
    ck_assert_uint_eq(sb_histogram_percentile(&h, 100), 0);
    ck_assert_uint_eq(h.min_ns, 0);
    sb_histogram_record(&h, UINT64_MAX);
    ck_assert_uint_eq(h.clipped, 1);
    ck_assert_uint_eq(h.max_ns, SB_HISTOGRAM_MAX_NS);
    ck_assert_uint_eq(sb_histogram_percentile(&h, 99), SB_HISTOGRAM_MAX_NS);
}
END_TEST

START_TEST(merge_is_recording_both)
{
    static struct sb_histogram both;
    sb_histogram_reset(&both);
    for (uint64_t i = 1; i < 3000; i++) {
        struct sb_histogram *one = i % 3 == 0 ? &other : &h;
        sb_histogram_record_n(one, i * i * 7, i % 5 + 1);
        sb_histogram_record_n(&both, i * i * 7, i % 5 + 1);
    }
    sb_histogram_record(&other, SB_HISTOGRAM_MAX_NS + 1);
    sb_histogram_record(&both, SB_HISTOGRAM_MAX_NS + 1);
    sb_histogram_merge(&h, &other);
    ck_assert_int_eq(memcmp(&h, &both, sizeof h), 0);
}
END_TEST

static void text_of(char *to, size_t room, void (*write)(FILE *))
{
    FILE *f = fmemopen(to, room, "w");
    ck_assert_ptr_nonnull(f);
    write(f);
    fclose(f);
}

static void write_hgrm(FILE *f)
{
    ck_assert(sb_histogram_write_hgrm(&h, f, 5, 1000));
}
static void write_line(FILE *f)
{
    sb_histogram_print(&h, "echo", f);
}
static void write_json(FILE *f)
{
    sb_histogram_json(&h, f);
}

/* Four values, a quarter each. Ticks of 5 per halving: 0, 10, 20, 30, 40, 50, then steps of 5, then of 2.5. */
START_TEST(hgrm_text)
{
    static const char want[] = "       Value     Percentile TotalCount 1/(1-Percentile)\n"
                               "\n"
                               "       0.100 0.000000000000          1           1.00\n"
                               "       0.100 0.100000000000          1           1.11\n"
                               "       0.100 0.200000000000          1           1.25\n"
                               "       0.200 0.300000000000          2           1.43\n"
                               "       0.200 0.400000000000          2           1.67\n"
                               "       0.200 0.500000000000          2           2.00\n"
                               "       0.300 0.550000000000          3           2.22\n"
                               "       0.300 0.600000000000          3           2.50\n"
                               "       0.300 0.650000000000          3           2.86\n"
                               "       0.300 0.700000000000          3           3.33\n"
                               "       0.300 0.750000000000          3           4.00\n"
                               "       0.400 1.000000000000          4\n"
                               "#[Mean    =        0.250, StdDeviation   =        0.112]\n"
                               "#[Max     =        0.400, Total count    =            4]\n"
                               "#[Buckets =           27, SubBuckets     =         2048]\n";
    static char got[4096];
    for (uint64_t ns = 100; ns <= 400; ns += 100)
        sb_histogram_record(&h, ns);
    text_of(got, sizeof got, write_hgrm);
    ck_assert_str_eq(got, want);
}
END_TEST

START_TEST(line_and_json)
{
    char got[512];
    for (uint64_t ns = 1; ns <= 1000; ns++)
        sb_histogram_record(&h, ns);
    text_of(got, sizeof got, write_line);
    ck_assert_str_eq(got,
                     "echo  p50 500 p90 900 p99 990 p99.9 999 p99.99 1000 max 1000 ns (n 1000)\n");
    memset(got, 0, sizeof got);
    text_of(got, sizeof got, write_json);
    ck_assert_str_eq(got, "{\"n\":1000,\"min_ns\":1,\"p50_ns\":500,\"p90_ns\":900,\"p99_ns\":990,"
                          "\"p99.9_ns\":999,\"p99.99_ns\":1000,\"max_ns\":1000}");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("histogram");
    TCase *t = tcase_create("histogram");
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, every_index_holds_its_values);
    tcase_add_test(t, percentiles_are_those_of_the_sorted_list);
    tcase_add_test(t, empty_and_extremes);
    tcase_add_test(t, merge_is_recording_both);
    tcase_add_test(t, hgrm_text);
    tcase_add_test(t, line_and_json);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    const int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
