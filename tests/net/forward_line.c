#include "tests/net/forward_line.h"

#include <string.h>

#include "shadowbook/assert.h"

enum { MILLION = 1000000 };

static uint64_t next_random(struct sb_line *l) /* splitmix64 */
{
    uint64_t z = l->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

void sb_line_init(struct sb_line *l, uint64_t seed, uint32_t duplicate_ppm, uint32_t reorder_ppm)
{
    SB_ASSERT_LE(duplicate_ppm, MILLION);
    SB_ASSERT_LE(reorder_ppm, MILLION);
    *l = (struct sb_line){
        .random = seed, .duplicate_ppm = duplicate_ppm, .reorder_ppm = reorder_ppm};
}

static void hold(struct sb_line *l, uint64_t now_ns, struct sb_line_frame frame, bool copy)
{
    memcpy(l->held, frame.data, frame.bytes);
    l->held_bytes = frame.bytes;
    l->held_ns = now_ns;
    l->behind = 1 + (uint32_t)(next_random(l) % SB_LINE_BEHIND_MAX);
    l->overtaken = false;
    l->held_is_copy = copy;
}

/* The held frame leaves: from a place of its own, so that another can be held in the same call. */
static struct sb_line_frame let_go(struct sb_line *l)
{
    memcpy(l->leaving, l->held, l->held_bytes);
    const struct sb_line_frame frame = {.data = l->leaving, .bytes = l->held_bytes};
    if (l->overtaken)
        l->counts.reordered++;
    else if (!l->held_is_copy)
        l->counts.delayed++;
    l->held_bytes = 0;
    return frame;
}

uint32_t sb_line_take(struct sb_line *l, uint64_t now_ns, struct sb_line_frame frame,
                      struct sb_line_frame out[SB_LINE_OUT_MAX])
{
    SB_ASSERT(frame.bytes > 0);
    SB_ASSERT_LE(frame.bytes, SB_LINE_FRAME_BYTES);
    const bool twice = next_random(l) % MILLION < l->duplicate_ppm;
    const bool late = next_random(l) % MILLION < l->reorder_ppm && l->held_bytes == 0;
    uint32_t n = 0;
    l->counts.frames++;
    l->counts.duplicated += twice;
    if (late) {
        hold(l, now_ns, frame, twice);
        if (twice)
            out[n++] = frame;
        return n;
    }
    out[n++] = frame;
    if (twice)
        out[n++] = frame;
    if (l->held_bytes != 0) {
        l->overtaken = true;
        if (--l->behind == 0)
            out[n++] = let_go(l);
    }
    return n;
}

uint32_t sb_line_turn(struct sb_line *l, uint64_t now_ns, struct sb_line_frame out[SB_LINE_OUT_MAX])
{
    if (l->held_bytes == 0 || now_ns - l->held_ns < SB_LINE_HOLD_NS)
        return 0;
    out[0] = let_go(l);
    return 1;
}
