/* driver.c: runs a fuzz target over its seeds and a fixed series of mutations of them: the same inputs on every
 * machine. Finds nothing that needs coverage to be found: for that there is libFuzzer.
 *     fuzz-NAME-regression [ROUNDS [SEED]]     default 1000000 rounds, seed 1
 *     fuzz-NAME-regression FILE...             runs the inputs found by libFuzzer
 *     fuzz-NAME-regression --seeds FOLDER      writes the seeds as files, for libFuzzer to begin with */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shadowbook/assert.h"
#include "tests/fuzz/fuzz.h"

enum { SEEDS_MAX = 96, ROUNDS_DEFAULT = 1000000 };

static uint64_t random_next(uint64_t *state) /* splitmix64 */
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

static uint32_t below(uint64_t *state, uint32_t n)
{
    return (uint32_t)(random_next(state) % n);
}

static uint32_t mutate(uint8_t *p, uint32_t len, uint64_t *state)
{
    static const uint8_t telling[] = {0, 1, 2, 0x20, 0x7F, 0x80, 0xFE, 0xFF};
    if (len == 0 || below(state, 16) == 0) { /* one byte longer */
        if (len < FUZZ_INPUT_MAX)
            p[len++] = (uint8_t)random_next(state);
        return len;
    }
    const uint32_t at = below(state, len);
    switch (below(state, 6)) {
    case 0:
        p[at] ^= (uint8_t)(1u << below(state, 8));
        break;
    case 1:
        p[at] = (uint8_t)random_next(state);
        break;
    case 2:
        p[at] = telling[below(state, sizeof telling)];
        break;
    case 3: /* cut */
        return at;
    case 4: /* take one byte out */
        memmove(p + at, p + at + 1, len - at - 1);
        return len - 1;
    default:
        p[at] = (uint8_t)(p[at] + below(state, 5) - 2);
        break;
    }
    return len;
}

/* The input ends where its memory ends, so that a sanitizer sees a read behind it. */
static void run(uint8_t *room, const uint8_t *p, uint32_t len)
{
    uint8_t *data = room + FUZZ_INPUT_MAX - len;
    memcpy(data, p, len);
    SB_ASSERT_EQ(LLVMFuzzerTestOneInput(data, len), 0);
}

static void run_file(uint8_t *room, const char *path)
{
    uint8_t p[FUZZ_INPUT_MAX];
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        fprintf(stderr, "cannot open %s\n", path);
        exit(EXIT_FAILURE);
    }
    run(room, p, (uint32_t)fread(p, 1, sizeof p, f));
    fclose(f);
}

static int write_seeds(const char *folder)
{
    uint8_t seed[FUZZ_INPUT_MAX];
    uint32_t n;
    for (uint32_t i = 0; (n = fuzz_seed(i, seed)) != 0; i++) {
        char path[1024];
        snprintf(path, sizeof path, "%s/seed-%u", folder, i);
        FILE *f = fopen(path, "wb");
        const bool written = f != NULL && fwrite(seed, 1, n, f) == n;
        if (f == NULL || fclose(f) != 0 || !written) {
            fprintf(stderr, "cannot write %s\n", path);
            return EXIT_FAILURE;
        }
    }
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--seeds") == 0)
        return write_seeds(argv[2]);
    uint8_t *room = malloc(FUZZ_INPUT_MAX);
    SB_ASSERT(room != NULL);
    if (argc > 1 && !isdigit((unsigned char)argv[1][0])) {
        for (int i = 1; i < argc; i++)
            run_file(room, argv[i]);
        free(room);
        return EXIT_SUCCESS;
    }
    const uint64_t rounds = argc > 1 ? strtoull(argv[1], NULL, 10) : ROUNDS_DEFAULT;
    uint64_t state = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    static uint8_t seed[SEEDS_MAX][FUZZ_INPUT_MAX];
    uint32_t len[SEEDS_MAX], seeds = 0;
    while (seeds < SEEDS_MAX && (len[seeds] = fuzz_seed(seeds, seed[seeds])) != 0)
        seeds++;
    SB_ASSERT_LT(0u, seeds);
    for (uint32_t i = 0; i < seeds; i++)
        for (uint32_t cut = 0; cut <= len[i]; cut++)
            run(room, seed[i], cut);
    for (uint64_t r = 0; r < rounds; r++) {
        uint8_t p[FUZZ_INPUT_MAX];
        const uint32_t i = below(&state, seeds);
        uint32_t n = len[i];
        memcpy(p, seed[i], n);
        for (uint32_t times = below(&state, 5); times > 0; times--)
            n = mutate(p, n, &state);
        run(room, p, n);
    }
    free(room);
    printf("%u seeds, %llu mutations\n", seeds, (unsigned long long)rounds);
    return EXIT_SUCCESS;
}
