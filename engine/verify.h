/* verify.h: what must always hold in an engine, asserted: for tests, and for builds with expensive checks.
 *
 * Each asserts that one thing is whole; none changes what it looks at, but for sb_ids_verify(), which puts ids that wait in their
 * buckets, takes counts off and puts them back. Of a book by itself: sb_book_verify(), sb_rest_verify(). Not looked at: whether what is there is what the commands said;
 * tests compare that with a second matcher.
 */
#ifndef SHADOWBOOK_ENGINE_VERIFY_H
#define SHADOWBOOK_ENGINE_VERIFY_H

#include "engine/state.h"

/* All books, every table, and that they agree: each open order is in exactly one queue of one book, each level in the window or
 * the tail of one ladder, and the pools count what is there. Returns the number of open orders. Not while a command is
 * applied. O(tables): everything that the limits have room for. */
uint32_t sb_engine_verify(const struct sb_engine *e);

/* The orders' pool and its table of ids: who is open is found, who is free is in the list, and there are so many of each. */
void sb_orders_verify(const struct sb_orders *t);

/* The table by itself, of a pool of max slots in which `open` is 0 where nobody lives: each id is in one place, where a search gets
 * to it, and each bucket counts those that hash there and are further on. Returns how many ids there are. */
uint32_t sb_ids_verify(const struct sb_ids *t, const struct sb_order *slots, uint32_t max);

/* A tail by itself: each leaf is where its key leads to and knows whose child it is, nodes are forks whose prefix all below have,
 * the least key is the least. Returns its leaves; adds its nodes to *nodes. */
uint32_t sb_tail_verify(const struct sb_tail *t, const struct sb_tail_pool *pool, uint32_t *nodes);

/* A pool, all tails of which together have so many leaves and nodes: that is what it counts, and the others are free. */
void sb_tail_pool_verify(const struct sb_tail_pool *pool, uint32_t leaves, uint32_t nodes);

#endif
