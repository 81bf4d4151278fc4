/* walk.h: every open order of a book, in the order of its queues. For digest, image and views. O(orders).
 *
 * Places in turn; in each, buys before sells, best key first, queue order:
 *
 *     VISIBLE    displayed
 *     DARK       dark
 *     STOP       parked stops, by stop price
 *     ASIDE      parked others, both sides, by reference
 */
#ifndef SHADOWBOOK_ENGINE_WALK_H
#define SHADOWBOOK_ENGINE_WALK_H

#include "engine/rest.h"

enum sb_walk_place {
    SB_WALK_VISIBLE = 0,
    SB_WALK_DARK = 1,
    SB_WALK_STOP = 2,
    SB_WALK_ASIDE = 3,
};

typedef void sb_walk_visit(void *arg, const struct sb_engine *e, enum sb_walk_place place,
                           uint32_t slot);

/* Nothing may change meanwhile. */
void sb_walk_book(const struct sb_engine *e, const struct sb_book *b, sb_walk_visit *visit,
                  void *arg);

/* One side of what is displayed. */
void sb_walk_displayed(const struct sb_engine *e, const struct sb_book *b, uint8_t side,
                       sb_walk_visit *visit, void *arg);

/* In the order of RULES.md section 2: what is parked by reference, stops and others together. */
void sb_walk_book_order(const struct sb_engine *e, const struct sb_book *b, sb_walk_visit *visit,
                        void *arg);

#endif
