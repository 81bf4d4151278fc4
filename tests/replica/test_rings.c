/* test_rings.c: the log ring and the hold ring, against plain arrays. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "replica/hold.h"
#include "replica/log.h"

/* Check writes a line for every assertion it meets: too much for loops over whole rings. */
#define MUST(cond)                                                                                 \
    do {                                                                                           \
        if (!(cond))                                                                               \
            ck_abort_msg("%s", #cond);                                                             \
    } while (0)

static uint64_t random_next(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

/* --- log ------------------------------------------------------------------------------------ */

enum { LOG_LINES = 128, LOG_BYTES = LOG_LINES * 2 * 64 + 256 };

static void log_new(struct sb_log *log, uint8_t *mem)
{
    struct sb_arena arena = {.base = mem, .size = LOG_BYTES};
    sb_log_init(log, &arena, LOG_LINES);
}

static void log_add(struct sb_log *log, uint16_t count, uint16_t lines)
{
    struct sb_command *c = sb_log_begin(log);
    memset(c, 0, SB_STREAM_LINES_MAX * sizeof *c); /* all of the room that is promised */
    for (uint16_t i = 0; i < lines; i++)
        c[i].seq = (log->len + 1) * 100 + i;
    const struct sb_packet *p = sb_log_commit(log, count, lines);
    MUST(sb_log_lines(log, p) == c);
}

/* Every retained packet still has what was written, its numbers follow each other, and what was dropped last would not
 * fit any more. */
static void log_judge(const struct sb_log *log)
{
    uint64_t next = 0, lines = 0;
    for (uint64_t i = log->packet_first; i < log->packet_end; i++) {
        const struct sb_packet *p = sb_log_packet(log, i);
        if (next != 0)
            MUST(p->n_first == next);
        next = p->n_first + p->count;
        lines += p->lines;
        const struct sb_command *c = sb_log_lines(log, p);
        MUST(c >= log->lines && c + p->lines <= log->lines + LOG_LINES);
        for (uint16_t k = 0; k < p->lines; k++)
            MUST(c[k].seq == p->n_first * 100 + k);
        for (uint64_t n = p->n_first; n < next; n++)
            MUST(sb_log_find(log, n) == i);
    }
    MUST(next == log->len + 1);
    MUST(lines <= LOG_LINES);
    MUST(sb_log_find(log, log->len + 1) == UINT64_MAX);
    const uint64_t oldest = sb_log_packet(log, log->packet_first)->n_first;
    MUST(sb_log_find(log, oldest - 1) == UINT64_MAX);
    if (oldest >
        1) /* no more is dropped than must be: a packet, the room for one, and what a wrap skips */
        MUST(lines + 3 * SB_STREAM_LINES_MAX > LOG_LINES);
}

START_TEST(log_wraps_and_drops_the_oldest)
{
    uint8_t *mem = aligned_alloc(64, LOG_BYTES);
    struct sb_log log;
    log_new(&log, mem);
    ck_assert_uint_eq(sb_log_find(&log, 1), UINT64_MAX);
    uint64_t state = (uint64_t)_i;
    for (int i = 0; i < 2000; i++) {
        const uint16_t lines = (uint16_t)(_i == 0 ? 1 : 1 + random_next(&state) % 21);
        log_add(&log, (uint16_t)(1 + random_next(&state) % lines), lines);
        log_judge(&log);
    }
    ck_assert_uint_gt(log.packet_first, 0);
    free(mem);
}
END_TEST

/* --- hold ----------------------------------------------------------------------------------- */

enum {
    HOLD_CAP = 16384,
    STREAMS = 3,
    RETAIN = 8,
    HOLD_BYTES = HOLD_CAP + STREAMS * RETAIN * 16 + 512
};

struct model { /* every record ever made */
    struct sb_held held;
    bool indexed;
};

struct hold_rig {
    struct sb_hold hold;
    uint8_t *mem;
    struct model *all;
    uint64_t made, passed, next_seq[STREAMS];
};

static void hold_new(struct hold_rig *r)
{
    memset(r, 0, sizeof *r);
    r->mem = aligned_alloc(64, HOLD_BYTES / 64 * 64 + 64);
    r->all = calloc(20000, sizeof *r->all);
    struct sb_arena arena = {.base = r->mem, .size = HOLD_BYTES};
    sb_hold_init(&r->hold, &arena, HOLD_CAP, STREAMS, RETAIN);
    sb_hold_reset(&r->hold);
    for (int i = 0; i < STREAMS; i++)
        r->next_seq[i] = 1;
}

static void hold_free(struct hold_rig *r)
{
    free(r->mem);
    free(r->all);
}

static void hold_add(struct hold_rig *r, uint32_t stream, uint16_t len, uint16_t count, bool index)
{
    uint8_t *frame = sb_hold_begin(&r->hold);
    MUST(frame >= r->hold.ring && frame + SB_FRAME_BYTES_MAX <= r->hold.ring + HOLD_CAP);
    memset(frame, (int)(r->made & 0xFF), SB_FRAME_BYTES_MAX); /* a frame may need all of it */
    struct sb_held h = {.n = r->made,
                        .first_seq = r->next_seq[stream],
                        .stream = stream,
                        .count = count,
                        .len = len};
    sb_hold_commit(&r->hold, &h, index);
    r->all[r->made++] = (struct model){h, index};
    r->next_seq[stream] += count;
}

static void intact(const struct hold_rig *r, struct sb_held *h, uint64_t number)
{
    MUST(h != NULL);
    MUST(memcmp(h, &r->all[number].held, sizeof *h) == 0);
    for (uint16_t i = 0; i < h->len; i++)
        MUST(sb_held_frame(h)[i] == (number & 0xFF));
}

static void hold_pass(struct hold_rig *r)
{
    struct sb_held *h = sb_hold_peek(&r->hold);
    intact(r, h, r->passed);
    sb_hold_pass(&r->hold);
    r->passed++;
}

/* A find gives exactly the released, indexed record, or nothing; the newest ones are always found. */
static void hold_judge(const struct hold_rig *r)
{
    uint32_t newest[STREAMS] = {0};
    const uint64_t oldest = r->made > 400 ? r->made - 400 : 0; /* far more than the ring holds */
    for (uint64_t i = r->made; i-- > oldest;) {
        const struct sb_held *m = &r->all[i].held;
        if (!r->all[i].indexed)
            continue;
        newest[m->stream]++;
        for (uint64_t seq = m->first_seq; seq < m->first_seq + m->count; seq++) {
            struct sb_held *h = sb_hold_find(&r->hold, m->stream, seq);
            if (i >= r->passed || newest[m->stream] > RETAIN)
                MUST(h == NULL);
            else if (h != NULL)
                intact(r, h, i);
            else /* only because the ring was needed: it is older than what the ring holds */
                MUST(r->made - i > 5);
        }
    }
    for (uint32_t s = 0; s < STREAMS; s++)
        MUST(sb_hold_find(&r->hold, s, r->next_seq[s]) == NULL);
}

START_TEST(hold_keeps_order_and_what_is_held_back)
{
    struct hold_rig r;
    hold_new(&r);
    uint64_t state = (uint64_t)_i + 1;
    bool was_full = false;
    for (int step = 0; step < 6000; step++) {
        const bool fill = (step / 300) % 2 == 0; /* in turns: mostly filling, mostly releasing */
        if (random_next(&state) % 10 < (fill ? 9u : 2u)) {
            const uint16_t len = (uint16_t)(60 + random_next(&state) % (SB_FRAME_BYTES_MAX - 59));
            if (sb_hold_room(&r.hold) < SB_HELD_BYTES_MAX) {
                was_full = true;
                continue;
            }
            hold_add(&r, (uint32_t)(random_next(&state) % STREAMS), len,
                     (uint16_t)(1 + random_next(&state) % 5), random_next(&state) % 8 != 0);
        } else if (r.passed < r.made) {
            hold_pass(&r);
        } else {
            MUST(sb_hold_peek(&r.hold) == NULL);
        }
        if (step % 100 == 0)
            hold_judge(&r);
    }
    ck_assert(was_full);
    while (r.passed < r.made)
        hold_pass(&r);
    ck_assert_ptr_null(sb_hold_peek(&r.hold));
    hold_free(&r);
}
END_TEST

/* The room that is promised can be used to the last byte, wherever the ring stands. */
START_TEST(hold_room_is_true)
{
    struct hold_rig r;
    hold_new(&r);
    for (int lap = 0; lap < 40; lap++) {
        hold_add(&r, 0, (uint16_t)(60 + lap * 37), 1, true);
        hold_pass(&r);
        uint64_t room = sb_hold_room(&r.hold);
        for (uint16_t len = SB_FRAME_BYTES_MAX; len >= 60; len = (uint16_t)(len / 2)) {
            const uint64_t bytes = (sizeof(struct sb_held) + len + 63u) / 64 * 64;
            while (bytes <= room) {
                hold_add(&r, 1, len, 1, true);
                room -= bytes;
            }
        }
        while (r.passed < r.made)
            hold_pass(&r);
    }
    hold_free(&r);
}
END_TEST

START_TEST(hold_never_overwrites_what_is_held_back)
{
    struct hold_rig r;
    hold_new(&r);
    for (int i = 0; i < 100; i++) /* aborts before the oldest is lost */
        hold_add(&r, 0, SB_FRAME_BYTES_MAX, 1, true);
}
END_TEST

START_TEST(hold_released_number_follows_passing)
{
    struct hold_rig r;
    hold_new(&r);
    hold_add(&r, 2, 60, 4, true);
    hold_add(&r, 2, 60, 1, true);
    ck_assert_uint_eq(r.hold.released_seq[2], 1);
    ck_assert_ptr_null(sb_hold_find(&r.hold, 2, 1)); /* not released: not to be found */
    hold_pass(&r);
    ck_assert_uint_eq(r.hold.released_seq[2], 5);
    ck_assert_ptr_nonnull(sb_hold_find(&r.hold, 2, 4));
    ck_assert_ptr_null(sb_hold_find(&r.hold, 2, 5));
    hold_free(&r);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("replica-rings");
    TCase *tc = tcase_create("rings");
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, log_wraps_and_drops_the_oldest, 0, 4);
    tcase_add_loop_test(tc, hold_keeps_order_and_what_is_held_back, 0, 4);
    tcase_add_test(tc, hold_room_is_true);
    tcase_add_test_raise_signal(tc, hold_never_overwrites_what_is_held_back, 6 /* SIGABRT */);
    tcase_add_test(tc, hold_released_number_follows_passing);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
