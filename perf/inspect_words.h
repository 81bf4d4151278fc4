/* inspect_words.h: commands, outputs and books in words.
 *
 * What is shown is first made as JSON objects whose members are numbers and texts (a number above 2^63 is a text), so that people and machines are told the
 * same. Prices are decimal texts with 4 digits, times UTC in ISO 8601 with nanoseconds, digests and nonces 16
 * hexadecimal digits. Bytes in a client's text that are not printable ASCII, and the backslash, are shown as \xHH. A field that
 * is zero is left out where its kind need not have it.
 *
 * Out of memory asserts.
 */
#ifndef SHADOWBOOK_PERF_INSPECT_WORDS_H
#define SHADOWBOOK_PERF_INSPECT_WORDS_H

#include <jansson.h>
#include <stdio.h>

#include "shadowbook/engine.h"

struct sb_words {
    char text[64];
};

struct sb_words sb_words_time(uint64_t utc_ns);
struct sb_words sb_words_price(int64_t price);
struct sb_words sb_words_hex(uint64_t value);
/* A padded text of n <= 15 bytes, without the spaces at its end. */
struct sb_words sb_words_padded(const char *text, size_t n);
/* The instrument's symbol; "#7" where it has none, or e is NULL; "ALL". */
struct sb_words sb_words_symbol(const struct sb_engine *e, uint32_t instrument);

const char *sb_words_command_kind(uint8_t kind);
const char *sb_words_output_kind(uint8_t kind);
const char *sb_words_reason(uint8_t reason); /* "" for NONE */
const char *sb_words_tif(uint8_t tif);
const char *sb_words_side(uint8_t side);           /* "buy", "sell_short", ... */
const char *sb_words_phase(uint8_t phase);         /* "auction", ... */
const char *sb_words_liquidity(uint8_t liquidity); /* "added", "removed", "auction" */

/* An address; "" for none. */
struct sb_words sb_words_address(uint32_t ipv4, uint16_t port);

/* Sets members of an object; takes the value over. */
void sb_words_put(json_t *object, const char *name, json_t *value);
void sb_words_put_text(json_t *object, const char *name, const char *text);
void sb_words_put_number(json_t *object, const char *name, uint64_t number);

/* e may be NULL: then without symbols. */
json_t *sb_words_command(const struct sb_engine *e, const struct sb_command *c);
json_t *sb_words_output(const struct sb_engine *e, const struct sb_output *o);
/* Levels from the best on, both sides beside each other, at most depth of them. */
json_t *sb_words_book(const struct sb_engine *e, uint32_t instrument, uint64_t depth);

/* Names of the members that are not the same in both objects. */
json_t *sb_words_different(json_t *a, json_t *b);

/* "ORDER: input 7, session 1, ...": the member `kind` in front; members that hold others are left out. */
void sb_words_print(json_t *object, FILE *to);
/* Rows of objects with the same members as a table. */
void sb_words_table(json_t *rows, FILE *to);

#endif
