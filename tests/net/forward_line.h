/* forward_line.h: one direction of a line that duplicates and reorders the frames that pass.
 *
 *     frame in ──▶ sb_line_take(now) ──▶ frames out, in order
 *     sb_line_turn(now): what has been held back long enough
 *
 * Of every million frames some are sent twice, and some are held back until a few later ones have overtaken them,
 * or until HOLD_NS have passed; one that is both goes at once, and its copy late. At most one frame is held at a time.
 *
 * No I/O, no clock, no allocation. Deterministic by seed, times and lengths. Nothing is lost or changed. Not covered:
 * loss (scripts/net drop), delay of every frame, damage.
 */
#ifndef SHADOWBOOK_TESTS_NET_FORWARD_LINE_H
#define SHADOWBOOK_TESTS_NET_FORWARD_LINE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    SB_LINE_FRAME_BYTES = 2048, /* longest frame */
    SB_LINE_OUT_MAX = 3,        /* frames out of one call: the frame twice, and the held one */
    SB_LINE_BEHIND_MAX = 4,     /* frames that overtake a held one, at most */
    SB_LINE_HOLD_NS = 2000000
};

struct sb_line_frame {
    const uint8_t *data;
    uint32_t bytes;
};

struct sb_line_counts {
    uint64_t frames;     /* in */
    uint64_t duplicated; /* sent once more than they came */
    uint64_t reordered;  /* left behind a frame that had come later */
    uint64_t delayed;    /* held back, and nothing came to overtake them */
};

struct sb_line {
    uint64_t random;
    uint32_t duplicate_ppm, reorder_ppm;
    struct sb_line_counts counts;
    uint64_t held_ns;             /* since when */
    uint32_t held_bytes;          /* 0: nothing is held */
    uint32_t behind;              /* frames that are still to overtake it */
    bool overtaken, held_is_copy; /* the original of a copy has left before it */
    uint8_t held[SB_LINE_FRAME_BYTES], leaving[SB_LINE_FRAME_BYTES];
};

/* Shares are of a million frames: 0..1000000. */
void sb_line_init(struct sb_line *l, uint64_t seed, uint32_t duplicate_ppm, uint32_t reorder_ppm);

/* A frame of 1..SB_LINE_FRAME_BYTES bytes came: writes to out what is to be sent now, in that order, and returns how many.
 * They point into `frame` or `l` and stay as they are until the next call. now_ns never runs back. */
uint32_t sb_line_take(struct sb_line *l, uint64_t now_ns, struct sb_line_frame frame,
                      struct sb_line_frame out[SB_LINE_OUT_MAX]);

/* The same without a new frame: the held one, if its time is over. */
uint32_t sb_line_turn(struct sb_line *l, uint64_t now_ns,
                      struct sb_line_frame out[SB_LINE_OUT_MAX]);

#endif
