/* support.h: what the codec tests share: hexadecimal text and the vectors' folder. */
#ifndef SHADOWBOOK_TESTS_WIRE_SUPPORT_H
#define SHADOWBOOK_TESTS_WIRE_SUPPORT_H

#include <stdbool.h>
#include <stdint.h>

enum { WIRE_BYTES_MAX = 2048, WIRE_VECTORS_MAX = 64 };

struct wire_vector { /* one "name hex" line */
    char name[64];
    uint8_t bytes[256];
    uint32_t len;
};

/* Bytes of a hexadecimal text, spaces allowed; aborts on anything else: the text is the test's own. */
uint32_t wire_unhex(const char *hex, uint8_t *out, uint32_t max);

/* Path of a file of the shared folder: $SHADOWBOOK_SHARED/tail, by default "shared" beside the repository. False if it is
 * not there. */
bool wire_shared_path(const char *tail, char *out, uint32_t max);

/* Reads a vectors file; returns how many, 0 if it is not there. */
uint32_t wire_vectors_load(const char *tail, struct wire_vector vectors[WIRE_VECTORS_MAX]);

/* The vector of that name; aborts if there is none. */
const struct wire_vector *wire_vector_find(const struct wire_vector *vectors, uint32_t n,
                                           const char *name);

/* Says why on stdout and returns 77: what a test program that cannot run exits with. */
int wire_skip(const char *why);

/* A small generator of pseudo-random numbers (splitmix64): the same on every machine. */
uint64_t wire_random(uint64_t *state);

#endif
