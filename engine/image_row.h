/* image_row.h: an open order as an image has it, and whether it can be one. For image_orders.c. */
#ifndef SHADOWBOOK_ENGINE_IMAGE_ROW_H
#define SHADOWBOOK_ENGINE_IMAGE_ROW_H

#include "engine/image.h"

/* One order as it stands in the image, with its terms (plain: zeros). */
struct sb_image_row {
    struct image_order o;
    struct image_terms t;
    uint64_t ref, id;
    uint32_t session;
    uint8_t side;
    struct sb_book *book; /* NULL: no such instrument */
};

/* terms: NULL of a plain one. */
struct sb_image_row sb_image_row_of(const struct sb_engine *e, const uint8_t *order,
                                    const uint8_t *terms);

/* Where the walk of walk.h meets it: rises, or is equal in a queue. Its low half is the key in that queue. The row is good. */
uint64_t sb_image_row_rank(const struct sb_image_row *r);

/* Can it stand behind the row of this rank and reference, and beside all orders that are there? NULL, or what is wrong. */
const char *sb_image_row_fault(const struct sb_engine *e, const struct sb_image_row *r,
                               uint64_t rank_before, uint64_t ref_before);

#endif
