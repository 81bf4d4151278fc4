/* itch.h: ITCH 5.0 messages (PROTOCOLS.md section 5), from outputs and back.
 *
 * Written: S R H A E C X D U P Q I. Read, for clients and tests: those, and all others of the table by
 * type and length. Stock locate is the instrument index (a shard has at most 65,535), tracking number 0.
 */
#ifndef SHADOWBOOK_WIRE_ITCH_H
#define SHADOWBOOK_WIRE_ITCH_H

#include <stdbool.h>
#include <stdint.h>

#include "shadowbook/output.h"

enum { SB_ITCH_MESSAGE_MAX = 50 };

struct sb_itch { /* one struct for the types above and F: `type` says which fields hold */
    char type;
    uint16_t locate, tracking;
    uint64_t timestamp;                   /* ns since midnight, 48 bits */
    uint64_t ref, new_ref, match, shares; /* shares: u32 on most, u64 on Q; I: paired */
    uint64_t imbalance;       /* I; side is its direction: B, S, N none, O nothing pairs */
    uint32_t price;           /* I: far price */
    uint32_t near, reference; /* I */
    char side, event, state, printable, cross, variation;
    char symbol[8], reason[4], mpid[4];
    uint8_t directory[20]; /* R: bytes 19..38 as they are (market category ... inverse) */
    char reserved;         /* H: byte 20 */
};

/* Length of a message of this type, 0 if there is none. */
uint32_t sb_itch_length(char type);
/* False if not exactly one message of a known type. Types outside the struct's list fill only the header fields. */
bool sb_itch_read(const uint8_t *p, uint32_t len, struct sb_itch *out);
/* Types S R H A F E C X D U P Q I. Returns the length, 0 for any other type. */
uint32_t sb_itch_write(uint8_t *p, const struct sb_itch *m);

/* Encodes one feed output at p (room for SB_ITCH_MESSAGE_MAX); returns the length. H state: continuous 'T', auction 'Q',
 * halted 'H', closed 'P'. Q cross type 'O', C not printable. R: round lot is the instrument's lot, the rest blank or "not
 * applicable". P has no reference and side B, as ITCH has it of late. I: far, near and reference price are the one that an
 * uncross would have, cross type 'O', variation blank. S has locate 0 and does not read `symbol`. Feed outputs only, prices 0..SB_PRICE_MAX: anything
 * else asserts. Pure, byte-identical on every node. ~10 ns. */
uint32_t sb_feed_encode(uint8_t *p, const struct sb_output *o, const char symbol[8],
                        uint64_t midnight_ns);

#endif
