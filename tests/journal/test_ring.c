/* test_ring.c: the byte ring: entries of all sizes from one thread to another, whole and in order; full and empty. */
#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "replica/byte_ring.h"

enum { CAP = 1024, ENTRIES = 300000, ENTRY_MAX = 400 };

static _Alignas(64) uint8_t memory[CAP];
static struct sb_byte_ring ring;

static uint32_t size_of(uint64_t i)
{
    return (uint32_t)(i * 2654435761u >> 7) % (ENTRY_MAX + 1);
}

static uint8_t byte_of(uint64_t i, uint32_t k)
{
    return (uint8_t)(i * 31 + k);
}

/* For the other thread, beside which this one runs, or, after some looks, which has no core: who sleeps is woken soon; who yields
 * comes after all that is busy on this machine. */
static void wait_shortly(uint64_t *looks)
{
    if (++*looks % 300 == 0)
        nanosleep(&(struct timespec){.tv_nsec = 1}, NULL);
    else
        __builtin_ia32_pause();
}

static void *produce(void *arg)
{
    (void)arg;
    uint64_t looks = 0;
    for (uint64_t i = 0; i < ENTRIES;) {
        const uint32_t size = size_of(i);
        uint8_t *at = sb_byte_ring_reserve(&ring, size);
        if (at == NULL) {
            wait_shortly(&looks);
            continue;
        }
        for (uint32_t k = 0; k < size; k++)
            at[k] = byte_of(i, k);
        sb_byte_ring_commit(&ring);
        i++;
    }
    return NULL;
}

START_TEST(two_threads)
{
    pthread_t thread;
    uint64_t looks = 0;
    sb_byte_ring_init(&ring, memory, CAP);
    ck_assert_int_eq(pthread_create(&thread, NULL, produce, NULL), 0);
    for (uint64_t i = 0; i < ENTRIES;) {
        uint32_t size;
        const uint8_t *at = sb_byte_ring_peek(&ring, &size);
        if (at == NULL) {
            wait_shortly(&looks);
            continue;
        }
        if (size != size_of(i) || (uintptr_t)at % 8 != 0)
            ck_abort_msg("entry %lu has %u bytes", i, size);
        for (uint32_t k = 0; k < size; k++)
            if (at[k] != byte_of(i, k))
                ck_abort_msg("entry %lu, byte %u", i, k);
        sb_byte_ring_release(&ring);
        i++;
    }
    pthread_join(thread, NULL);
    uint32_t size;
    ck_assert_ptr_null(sb_byte_ring_peek(&ring, &size));
}
END_TEST

START_TEST(full_and_empty)
{
    sb_byte_ring_init(&ring, memory, CAP);
    uint32_t size;
    ck_assert_ptr_null(sb_byte_ring_peek(&ring, &size));
    ck_assert_ptr_null(sb_byte_ring_reserve(&ring, CAP)); /* never fits, with its word */
    for (int i = 0; i < CAP / 64; i++) {
        ck_assert_ptr_nonnull(sb_byte_ring_reserve(&ring, 56));
        ck_assert_int_eq(sb_byte_ring_peek(&ring, &size) == NULL, i == 0); /* not before commit */
        sb_byte_ring_commit(&ring);
    }
    ck_assert_ptr_null(sb_byte_ring_reserve(&ring, 0));
    ck_assert_ptr_nonnull(sb_byte_ring_peek(&ring, &size));
    ck_assert_uint_eq(size, 56);
    ck_assert_ptr_null(sb_byte_ring_reserve(&ring, 0)); /* not before release */
    sb_byte_ring_release(&ring);
    ck_assert_ptr_nonnull(sb_byte_ring_reserve(&ring, 56));
}
END_TEST

/* An entry that does not fit the end of the memory begins at its start, once that is free. */
START_TEST(around_the_end)
{
    sb_byte_ring_init(&ring, memory, CAP);
    uint32_t size;
    uint8_t *first = sb_byte_ring_reserve(&ring, 600);
    sb_byte_ring_commit(&ring);
    ck_assert_ptr_null(sb_byte_ring_reserve(&ring, 500));
    ck_assert_ptr_eq(sb_byte_ring_peek(&ring, &size), first);
    sb_byte_ring_release(&ring);
    ck_assert_ptr_eq(sb_byte_ring_reserve(&ring, 500), first);
    sb_byte_ring_commit(&ring);
    ck_assert_ptr_eq(sb_byte_ring_peek(&ring, &size), first);
    ck_assert_uint_eq(size, 500);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("journal-ring");
    TCase *tc = tcase_create("ring");
    tcase_set_timeout(tc, 100);
    tcase_add_test(tc, two_threads);
    tcase_add_test(tc, full_and_empty);
    tcase_add_test(tc, around_the_end);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
