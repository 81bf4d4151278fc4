/* fuzz.h: what a fuzz target gives: libFuzzer's entry, and seeds for the regression driver. */
#ifndef SHADOWBOOK_TESTS_FUZZ_H
#define SHADOWBOOK_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

enum { FUZZ_INPUT_MAX = 4096 };

/* Judges one input: aborts if a promise of the code under test does not hold. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The i-th valid input; 0 when there are no more. out has room for FUZZ_INPUT_MAX. */
uint32_t fuzz_seed(uint32_t i, uint8_t *out);

#endif
