/* The ring of reports: whole and in order between two threads, also when the reader is slow and the ring is full. */
#include <check.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "perf/report_ring.h"

enum { REPORTS = 300000 };

static struct sb_report_ring ring;

static struct sb_report expected(uint64_t i)
{
    return (struct sb_report){.id = i * UINT64_C(0x9e3779b97f4a7c15),
                              .taker = ~i,
                              .price = (uint32_t)i,
                              .quantity = (uint32_t)(i >> 3),
                              .instrument = (uint32_t)(i % 7),
                              .kind = (uint8_t)(i % SB_REPORT_KINDS)};
}

/* Publishes after one, two, three .. reports, so that most are written while others are already read. */
static void *produce(void *arg)
{
    (void)arg;
    uint64_t batch = 0;
    for (uint64_t i = 0; i < REPORTS; i++) {
        *sb_report_ring_next(&ring) = expected(i);
        if (++batch % 5 == i % 3)
            sb_report_ring_publish(&ring);
    }
    sb_report_ring_publish(&ring);
    return NULL;
}

START_TEST(two_threads)
{
    pthread_t thread;
    uint64_t n = 0;
    bool was_full = false;
    ck_assert_int_eq(pthread_create(&thread, NULL, produce, NULL), 0);
    while (sb_report_ring_ready(&ring) < SB_REPORT_RING_SLOTS) /* let it fill and wait */
        sched_yield();
    while (n < REPORTS) {
        const uint64_t ready = sb_report_ring_ready(&ring);
        if (ready > SB_REPORT_RING_SLOTS)
            ck_abort_msg("%lu ready", ready);
        was_full = was_full || ready == SB_REPORT_RING_SLOTS;
        if (ready == 0)
            sched_yield();
        for (uint64_t i = 0; i < ready; i++) {
            const struct sb_report e = expected(n + i);
            if (memcmp(sb_report_ring_at(&ring, i), &e, sizeof e) != 0)
                ck_abort_msg("report %lu", n + i);
        }
        n += ready;
        sb_report_ring_taken(&ring, ready);
    }
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert(was_full);
    ck_assert_uint_eq(n, REPORTS);
    ck_assert(sb_report_ring_drained(&ring));
}
END_TEST

START_TEST(seen_when_published)
{
    static struct sb_report_ring r;
    sb_report_ring_next(&r)->id = 1;
    ck_assert_uint_eq(sb_report_ring_ready(&r), 0);
    sb_report_ring_next(&r)->id = 2;
    sb_report_ring_publish(&r);
    ck_assert_uint_eq(sb_report_ring_ready(&r), 2);
    ck_assert(!sb_report_ring_drained(&r));
    sb_report_ring_taken(&r, 1);
    ck_assert_uint_eq(sb_report_ring_at(&r, 0)->id, 2);
    ck_assert_uint_eq(sb_report_ring_ready(&r), 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("report_ring");
    TCase *c = tcase_create("report_ring");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, two_threads);
    tcase_add_test(c, seen_when_published);
    suite_add_tcase(suite, c);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
