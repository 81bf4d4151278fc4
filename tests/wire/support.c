/* support.c: see support.h. */
#include "tests/wire/support.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shadowbook/assert.h"

uint32_t wire_unhex(const char *hex, uint8_t *out, uint32_t max)
{
    uint32_t n = 0;
    while (*hex != '\0') {
        if (isspace((unsigned char)*hex)) {
            hex++;
            continue;
        }
        const char pair[3] = {hex[0], hex[1], '\0'};
        SB_ASSERT(isxdigit((unsigned char)pair[0]) && isxdigit((unsigned char)pair[1]));
        SB_ASSERT_LT(n, max);
        out[n++] = (uint8_t)strtoul(pair, NULL, 16);
        hex += 2;
    }
    return n;
}

bool wire_shared_path(const char *tail, char *out, uint32_t max)
{
    const char *shared = getenv("SHADOWBOOK_SHARED");
    if (shared == NULL)
        shared = SB_SHARED_DEFAULT;
    const int n = snprintf(out, max, "%s/%s", shared, tail);
    return n > 0 && (uint32_t)n < max && access(out, R_OK) == 0;
}

uint32_t wire_vectors_load(const char *tail, struct wire_vector vectors[WIRE_VECTORS_MAX])
{
    char path[512], line[1024];
    if (!wire_shared_path(tail, path, sizeof path))
        return 0;
    FILE *f = fopen(path, "r");
    if (f == NULL)
        return 0;
    uint32_t n = 0;
    while (fgets(line, sizeof line, f) != NULL) {
        char hex[600];
        if (line[0] == '#' || sscanf(line, "%63s %599s", vectors[n].name, hex) != 2)
            continue;
        vectors[n].len = wire_unhex(hex, vectors[n].bytes, sizeof vectors[n].bytes);
        n++;
        SB_ASSERT_LT(n, (uint32_t)WIRE_VECTORS_MAX);
    }
    fclose(f);
    return n;
}

const struct wire_vector *wire_vector_find(const struct wire_vector *vectors, uint32_t n,
                                           const char *name)
{
    for (uint32_t i = 0; i < n; i++)
        if (strcmp(vectors[i].name, name) == 0)
            return &vectors[i];
    fprintf(stderr, "no vector named %s\n", name);
    abort();
}

int wire_skip(const char *why)
{
    printf("SKIP: %s\n", why);
    return 77;
}

uint64_t wire_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}
