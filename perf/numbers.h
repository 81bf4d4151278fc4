/* numbers.h: a plain decimal number, or two, and nothing else, for columns and options; products wider than 64 bits. */
#ifndef SHADOWBOOK_PERF_NUMBERS_H
#define SHADOWBOOK_PERF_NUMBERS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* True, and *value, if text is only digits and the number is in min..max. */
static inline bool sb_number_read(const char *text, uint64_t min, uint64_t max, uint64_t *value)
{
    uint64_t v = 0;
    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9')
            return false;
        const uint64_t digit = (uint64_t)(*text - '0');
        if (digit > max || v > (max - digit) / 10)
            return false;
        v = v * 10 + digit;
    }
    *value = v;
    return v >= min;
}

/* The same of "A,B", both in min..max. */
static inline bool sb_number_pair_read(const char *text, uint64_t min, uint64_t max, uint64_t *a,
                                       uint64_t *b)
{
    char first[24];
    const char *comma = strchr(text, ',');
    if (comma == NULL || (size_t)(comma - text) >= sizeof first)
        return false;
    memcpy(first, text, (size_t)(comma - text));
    first[comma - text] = '\0';
    return sb_number_read(first, min, max, a) && sb_number_read(comma + 1, min, max, b);
}

/* a * b / c, rounded down, without overflow in between; the result must fit. */
static inline uint64_t sb_multiply_divide(uint64_t a, uint64_t b, uint64_t c)
{
    __extension__ typedef unsigned __int128 wide;
    return (uint64_t)((wide)a * b / c);
}

#endif
