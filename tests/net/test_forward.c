/* The line of net-forward: nothing is lost or changed, shares are kept, and what is counted is what happened. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/net/forward_line.h"

enum { FRAMES = 20000, GAP_NS = 1000 };

/* What came out of a line: numbers of frames, in the order of leaving. */
struct seen {
    uint32_t numbers[2 * FRAMES], n;
    uint32_t times[FRAMES]; /* [number] */
};

/* The frames are whole; one assertion for all bytes: each costs a message to Check's parent. */
static void note(struct seen *s, const struct sb_line_frame *out, uint32_t n)
{
    bool good = n <= SB_LINE_OUT_MAX;
    for (uint32_t i = 0; i < n && good; i++) {
        uint32_t number;
        memcpy(&number, out[i].data, sizeof number);
        good = number < FRAMES && out[i].bytes == 60 + number % 1400;
        for (uint32_t b = sizeof number; good && b < out[i].bytes; b++)
            good = out[i].data[b] == (uint8_t)(number + b);
        if (!good)
            break;
        s->times[number]++;
        s->numbers[s->n++] = number;
    }
    if (!good)
        ck_abort_msg("a frame is damaged, or there are too many");
}

/* FRAMES frames, one every GAP_NS, through a line; at the end what is held comes out too. */
static struct sb_line *play(struct seen *s, uint64_t seed, uint32_t duplicate, uint32_t reorder)
{
    static struct sb_line line;
    static uint8_t data[SB_LINE_FRAME_BYTES];
    struct sb_line_frame out[SB_LINE_OUT_MAX];
    uint64_t now_ns = 0;
    *s = (struct seen){.n = 0};
    sb_line_init(&line, seed, duplicate, reorder);
    for (uint32_t i = 0; i < FRAMES; i++, now_ns += GAP_NS) {
        const struct sb_line_frame in = {.data = data, .bytes = 60 + i % 1400};
        for (uint32_t b = 0; b < in.bytes; b++)
            data[b] = (uint8_t)(i + b);
        memcpy(data, &i, sizeof i);
        note(s, out, sb_line_take(&line, now_ns, in, out));
        note(s, out, sb_line_turn(&line, now_ns, out));
    }
    note(s, out, sb_line_turn(&line, now_ns + SB_LINE_HOLD_NS, out));
    ck_assert_uint_eq(line.counts.frames, FRAMES);
    uint32_t lost = 0, more = 0;
    for (uint32_t i = 0; i < FRAMES; i++) {
        lost += s->times[i] == 0;
        more += s->times[i] > 2;
    }
    ck_assert_uint_eq(lost, 0);
    ck_assert_uint_eq(more, 0);
    ck_assert_uint_eq(s->n, FRAMES + line.counts.duplicated);
    return &line;
}

/* Frames that left behind one that came later. */
static uint32_t behind(const struct seen *s)
{
    uint32_t n = 0, newest = 0;
    for (uint32_t i = 0; i < s->n; i++) {
        n += s->numbers[i] < newest;
        newest = s->numbers[i] > newest ? s->numbers[i] : newest;
    }
    return n;
}

START_TEST(untouched)
{
    static struct seen s;
    const struct sb_line *l = play(&s, 1, 0, 0);
    ck_assert_uint_eq(s.n, FRAMES);
    ck_assert_uint_eq(behind(&s), 0);
    ck_assert_uint_eq(l->counts.duplicated + l->counts.reordered + l->counts.delayed, 0);
}
END_TEST

START_TEST(twice)
{
    static struct seen s;
    const struct sb_line *l = play(&s, 2, 100000, 0);
    ck_assert_uint_gt(l->counts.duplicated, FRAMES / 20);
    ck_assert_uint_lt(l->counts.duplicated, FRAMES / 5);
    ck_assert_uint_eq(behind(&s), 0);
    ck_assert_uint_eq(play(&s, 2, 1000000, 0)->counts.duplicated, FRAMES);
}
END_TEST

START_TEST(out_of_order)
{
    static struct seen s;
    const struct sb_line *l = play(&s, 3, 0, 100000);
    ck_assert_uint_eq(s.n, FRAMES);
    ck_assert_uint_gt(l->counts.reordered, FRAMES / 40);
    ck_assert_uint_eq(l->counts.reordered, behind(&s));
    ck_assert_uint_le(l->counts.delayed, 1); /* the last frame, perhaps */
    uint32_t farthest = 0;
    for (uint32_t i = 0; i < FRAMES; i++) {
        const uint32_t place = s.numbers[i] < i ? i - s.numbers[i] : 0;
        farthest = place > farthest ? place : farthest;
    }
    ck_assert_uint_eq(farthest, SB_LINE_BEHIND_MAX);
}
END_TEST

/* Original first, copy behind later frames. */
START_TEST(late_copies)
{
    static struct seen s;
    const struct sb_line *l = play(&s, 4, 200000, 200000);
    ck_assert_uint_eq(l->counts.reordered, behind(&s));
    uint32_t copies = 0;
    static uint32_t first[FRAMES];
    memset(first, 0xff, sizeof first);
    for (uint32_t i = 0; i < s.n; i++) {
        if (first[s.numbers[i]] == UINT32_MAX)
            first[s.numbers[i]] = i;
        else
            copies += i - first[s.numbers[i]] > 1;
    }
    ck_assert_uint_gt(copies, FRAMES / 100);
}
END_TEST

START_TEST(held_no_longer_than_said)
{
    static struct sb_line l;
    struct sb_line_frame out[SB_LINE_OUT_MAX];
    const uint8_t data[60] = {7};
    sb_line_init(&l, 5, 0, 1000000);
    ck_assert_uint_eq(sb_line_take(&l, 100, (struct sb_line_frame){data, sizeof data}, out), 0);
    ck_assert_uint_eq(sb_line_turn(&l, 100 + SB_LINE_HOLD_NS - 1, out), 0);
    ck_assert_uint_eq(sb_line_turn(&l, 100 + SB_LINE_HOLD_NS, out), 1);
    ck_assert_uint_eq(out[0].bytes, sizeof data);
    ck_assert_mem_eq(out[0].data, data, sizeof data);
    ck_assert_uint_eq(l.counts.delayed, 1);
    ck_assert_uint_eq(l.counts.reordered, 0); /* nothing overtook it */
    ck_assert_uint_eq(sb_line_turn(&l, 100 + 2 * SB_LINE_HOLD_NS, out), 0);
}
END_TEST

START_TEST(same_seed_same_frames)
{
    static struct seen a, b, c;
    play(&a, 6, 50000, 50000);
    play(&b, 6, 50000, 50000);
    play(&c, 7, 50000, 50000);
    ck_assert_mem_eq(&a, &b, sizeof a);
    ck_assert_mem_ne(&a, &c, sizeof a);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("forward");
    TCase *c = tcase_create("line");
    tcase_add_test(c, untouched);
    tcase_add_test(c, twice);
    tcase_add_test(c, out_of_order);
    tcase_add_test(c, late_copies);
    tcase_add_test(c, held_no_longer_than_said);
    tcase_add_test(c, same_seed_same_frames);
    suite_add_tcase(suite, c);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
