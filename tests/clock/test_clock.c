/* The clock's arithmetic against readings made up here, and the clock itself against CLOCK_REALTIME. */
#include "replica/clock.h"

#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/timex.h>
#include <time.h>

/* A counter of 2 GHz: half a nanosecond per cycle. */
static const uint64_t mult_2ghz = UINT64_C(1) << (SB_CLOCK_SHIFT - 1);
static const uint64_t start_ns = UINT64_C(1795000000000000000);
enum { LEAD_CYCLES = 20000000 }; /* 10 ms */
static const uint64_t second_cycles = 2000000000;

static struct sb_clock_bend straight(uint64_t tsc, uint64_t utc)
{
    const struct sb_clock_line line = {tsc, utc, mult_2ghz};
    return (struct sb_clock_bend){line, line};
}

START_TEST(rate_of_two_readings)
{
    const struct sb_clock_reading a = {1000, start_ns},
                                  b = {1000 + second_cycles, start_ns + 1000000000};
    ck_assert_uint_eq(sb_clock_rate(&a, &b), mult_2ghz);
    ck_assert_uint_eq(sb_clock_rate(&b, &a), 0);
    const struct sb_clock_reading back = {1000 + second_cycles, start_ns - 1};
    ck_assert_uint_eq(sb_clock_rate(&a, &back), 0);
}
END_TEST

START_TEST(line_before_its_start_stands_still)
{
    const struct sb_clock_line l = {5000, start_ns, mult_2ghz};
    ck_assert_uint_eq(sb_clock_line_at(&l, 4000), start_ns);
    ck_assert_uint_eq(sb_clock_line_at(&l, 5000), start_ns);
    ck_assert_uint_eq(sb_clock_line_at(&l, 5002), start_ns + 1);
    /* Ten years: no overflow in between. */
    ck_assert_uint_eq(sb_clock_line_at(&l, 5000 + second_cycles * 315360000),
                      start_ns + UINT64_C(315360000000000000));
}
END_TEST

START_TEST(small_error_is_gone_after_the_span)
{
    struct sb_clock_bend old = straight(0, start_ns), next;
    int64_t error;
    const struct sb_clock_reading r = {second_cycles, start_ns + 1000000000 + 40000}; /* 40 us */
    ck_assert_int_eq(sb_clock_steer(&old, &r, mult_2ghz, LEAD_CYCLES, 1000000000, &next, &error),
                     SB_CLOCK_FOLLOWED);
    ck_assert_int_eq(error, 40000);
    /* Continuous at the turn, on the old line before it. */
    ck_assert_uint_eq(next.after.tsc0, second_cycles + LEAD_CYCLES);
    ck_assert_uint_eq(next.after.utc0, start_ns + 1010000000);
    ck_assert_uint_eq(sb_clock_bend_at(&next, second_cycles), start_ns + 1000000000);
    /* One second behind the turn the error is made up, to rounding. */
    const uint64_t end = sb_clock_bend_at(&next, next.after.tsc0 + second_cycles);
    const uint64_t want = start_ns + 2010000000 + 40000;
    ck_assert_uint_le(end, want + 2);
    ck_assert_uint_ge(end, want - 2);
}
END_TEST

START_TEST(slew_is_limited_both_ways)
{
    for (int sign = -1; sign <= 1; sign += 2) {
        struct sb_clock_bend old = straight(0, start_ns), next;
        int64_t error;
        const struct sb_clock_reading r = {
            second_cycles, (uint64_t)((int64_t)start_ns + 1000000000 + sign * 50000000)};
        ck_assert_int_eq(
            sb_clock_steer(&old, &r, mult_2ghz, LEAD_CYCLES, 1000000000, &next, &error),
            SB_CLOCK_LIMITED);
        ck_assert_int_eq(error, sign * 50000000);
        const int64_t ran =
            (int64_t)(sb_clock_bend_at(&next, next.after.tsc0 + second_cycles) - next.after.utc0);
        ck_assert_int_le(llabs(ran - (1000000000 + sign * 500000)), 2);
    }
}
END_TEST

START_TEST(step_is_an_alarm_and_not_followed)
{
    struct sb_clock_bend old = straight(0, start_ns), next;
    int64_t error;
    const struct sb_clock_reading ahead = {second_cycles,
                                           start_ns + 1000000000 + SB_CLOCK_STEP_NS + 1};
    ck_assert_int_eq(
        sb_clock_steer(&old, &ahead, mult_2ghz, LEAD_CYCLES, 1000000000, &next, &error),
        SB_CLOCK_ALARM);
    ck_assert_uint_eq(next.after.mult, mult_2ghz);
    const struct sb_clock_reading back = {second_cycles,
                                          start_ns + 1000000000 - SB_CLOCK_STEP_NS - 1};
    ck_assert_int_eq(sb_clock_steer(&old, &back, mult_2ghz, LEAD_CYCLES, 1000000000, &next, &error),
                     SB_CLOCK_ALARM);
    ck_assert_uint_eq(next.after.mult, mult_2ghz);
    /* Just at the bound it is followed. */
    const struct sb_clock_reading edge = {second_cycles, start_ns + 1000000000 + SB_CLOCK_STEP_NS};
    ck_assert_int_eq(sb_clock_steer(&old, &edge, mult_2ghz, LEAD_CYCLES, 1000000000, &next, &error),
                     SB_CLOCK_LIMITED);
}
END_TEST

/* A thousand seconds of readings that wander: never back, whatever the bend. */
START_TEST(never_back_under_wandering_readings)
{
    struct sb_clock_bend bend = straight(0, start_ns);
    uint64_t seen = 0, tsc = 0, random = 88172645463325252;
    for (int second = 1; second <= 1000; second++) {
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        /* Calls come from 1 ms to 2 s apart: some before the last turn was reached. */
        tsc += 2000000 + random % (2 * second_cycles);
        const int64_t noise = (int64_t)(random >> 20 & 0xFFFFFFF) - 0x7FFFFFF; /* +-134 ms */
        const struct sb_clock_reading r = {tsc, (uint64_t)((int64_t)(start_ns + tsc / 2) + noise)};
        struct sb_clock_bend next;
        int64_t error;
        (void)sb_clock_steer(&bend, &r, mult_2ghz, LEAD_CYCLES, 1000000000, &next, &error);
        for (uint64_t t = tsc; t < tsc + 2 * LEAD_CYCLES; t += LEAD_CYCLES / 64) {
            /* Until the turn, old and new say the same: a reader may use either. */
            if (t < next.after.tsc0)
                ck_assert_uint_eq(sb_clock_bend_at(&next, t), sb_clock_bend_at(&bend, t));
        }
        for (uint64_t t = tsc; t < tsc + 2000000; t += 1000) {
            const uint64_t now = sb_clock_bend_at(&next, t);
            ck_assert_uint_ge(now, seen);
            seen = now;
        }
        bend = next;
    }
}
END_TEST

static uint64_t realtime_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

struct reader {
    const struct sb_clock *clock;
    atomic_bool stop;
    uint64_t backwards, reads;
};

static void *read_on(void *arg)
{
    struct reader *r = arg;
    uint64_t last = 0;
    while (!atomic_load_explicit(&r->stop, memory_order_relaxed)) {
        const uint64_t now = sb_clock_now(r->clock);
        r->backwards += now < last;
        r->reads++;
        last = now;
    }
    return NULL;
}

START_TEST(agrees_with_the_system_and_never_back_for_readers)
{
    static struct sb_clock clock;
    ck_assert(sb_clock_init(&clock));
    struct reader reader = {.clock = &clock};
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, read_on, &reader), 0);
    for (int i = 0; i < 10; i++) {
        const struct timespec pause = {.tv_nsec = 50000000};
        nanosleep(&pause, NULL);
        sb_clock_discipline(&clock);
    }
    atomic_store(&reader.stop, true);
    pthread_join(thread, NULL);
    ck_assert_uint_gt(reader.reads, 1000);
    ck_assert_uint_eq(reader.backwards, 0);
    /* 5 ms: room for a host that suspends us between the two reads, far below what a wrong rate would make. */
    int64_t best = INT64_MAX;
    for (int i = 0; i < 20; i++) {
        const int64_t off = llabs((int64_t)(sb_clock_now(&clock) - realtime_ns()));
        if (off < best)
            best = off;
    }
    ck_assert_int_lt(best, 5000000);
    ck_assert_uint_eq(atomic_load(&clock.alarms), 0);
    /* A tenth of a second measured by both. */
    const uint64_t tsc = sb_clock_tsc(), utc = realtime_ns();
    const struct timespec pause = {.tv_nsec = 100000000};
    nanosleep(&pause, NULL);
    const int64_t by_tsc = (int64_t)sb_clock_cycles_to_ns(&clock, sb_clock_tsc() - tsc);
    ck_assert_int_lt(llabs(by_tsc - (int64_t)(realtime_ns() - utc)), 5000000);
}
END_TEST

START_TEST(bound_of_the_error)
{
    ck_assert_uint_eq(sb_clock_bound(false, 0, 0), UINT64_MAX);
    ck_assert_uint_eq(sb_clock_bound(false, 16000000, -5), UINT64_MAX);
    ck_assert_uint_eq(sb_clock_bound(true, 0, 0), 500000); /* 500 ppm of a second */
    ck_assert_uint_eq(sb_clock_bound(true, 250, 0), 750000);
    ck_assert_uint_eq(sb_clock_bound(true, 250, 40), 750040);
    ck_assert_uint_eq(sb_clock_bound(true, 250, -40), 750040); /* whichever side it is off to */
    ck_assert_uint_eq(sb_clock_bound(true, 16000000, -200000000), UINT64_C(16200500000));
}
END_TEST

/* What the kernel said meanwhile, and not known where it knew nothing. */
START_TEST(bound_is_by_the_kernels_word)
{
    static struct sb_clock clock;
    struct timex before = {.modes = 0}, after = {.modes = 0};
    ck_assert_int_ne(adjtimex(&before), -1);
    ck_assert(sb_clock_init(&clock));
    for (int i = 0; i < 3; i++) {
        sb_clock_discipline(&clock);
        const uint64_t bound_ns = sb_clock_bound_ns(&clock);
        ck_assert_int_ne(adjtimex(&after), -1);
        ck_assert_int_eq(before.status & STA_UNSYNC, after.status & STA_UNSYNC);
        const bool disciplined = (after.status & STA_UNSYNC) == 0;
        const int64_t error_ns = atomic_load(&clock.last_error_ns);
        const uint64_t least = sb_clock_bound(disciplined, (uint64_t)before.maxerror, error_ns);
        const uint64_t most = sb_clock_bound(disciplined, (uint64_t)after.maxerror, error_ns);
        /* It grows, until a discipline of the kernel's clock sets it back. */
        ck_assert(bound_ns >= (least < most ? least : most) &&
                  bound_ns <= (least < most ? most : least));
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("clock");
    TCase *t = tcase_create("clock");
    tcase_set_timeout(t, 30);
    tcase_add_test(t, rate_of_two_readings);
    tcase_add_test(t, line_before_its_start_stands_still);
    tcase_add_test(t, small_error_is_gone_after_the_span);
    tcase_add_test(t, slew_is_limited_both_ways);
    tcase_add_test(t, step_is_an_alarm_and_not_followed);
    tcase_add_test(t, never_back_under_wandering_readings);
    tcase_add_test(t, agrees_with_the_system_and_never_back_for_readers);
    tcase_add_test(t, bound_of_the_error);
    tcase_add_test(t, bound_is_by_the_kernels_word);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    const int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
