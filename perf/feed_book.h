/* feed_book.h: the books of a shard, built from its ITCH feed alone.
 *
 * Strict: whatever cannot follow from a true feed (an order reference that is unknown, used twice or beyond the
 * table, a locate without a directory entry, more shares executed or taken off than are open, a message that
 * cannot be read) is an error, counted; the first one is kept in words. References are dense from 1 in a
 * shard's day, so the table is an array by reference: O(1) and one cache line a message.
 */
#ifndef SHADOWBOOK_PERF_FEED_BOOK_H
#define SHADOWBOOK_PERF_FEED_BOOK_H

#include <stdbool.h>
#include <stdint.h>

struct sb_feed_order {
    uint32_t price, shares; /* shares 0: not open */
    uint16_t locate;
    char side;    /* 'B', 'S' */
    uint8_t used; /* the reference was seen */
};

struct sb_feed_instrument {
    bool defined;
    char symbol[8];
    char state; /* H: 'T' 'Q' 'H' 'P', 0 before the first */
    uint64_t directory_timestamp;
    uint64_t orders, executions, crosses;
};

struct sb_feed_book {
    struct sb_feed_order *orders; /* [ref] */
    uint64_t refs_max;
    struct sb_feed_instrument *instruments; /* [locate], 65,536 of them */
    uint64_t messages, errors, open;
    uint64_t day_timestamp; /* of 'S' 'O' */
    uint64_t *phases;       /* times at which phases changed: [phases_n], rising */
    uint64_t phases_n, phases_max;
    uint64_t last_timestamp;
    char first_error[128];
};

/* refs_max: highest order reference that can be; phases_max: times at which phases change, at most. False without memory. */
bool sb_feed_book_init(struct sb_feed_book *book, uint64_t refs_max, uint64_t phases_max);
void sb_feed_book_free(struct sb_feed_book *book);

/* Applies message number seq of the feed. */
void sb_feed_book_apply(struct sb_feed_book *book, uint64_t seq, const uint8_t *message,
                        uint32_t len);

#endif
