/* assert.h: assertions that stay on in release builds and print both values.
 *
 * A failed assertion means a bug in this program, never bad input. It prints the expression, both
 * values and the place, and aborts. SB_EXPENSIVE(x) is compiled only where SB_EXPENSIVE_CHECKS is
 * defined (sanitizer, simulator and fuzz builds): for checks that walk whole structures.
 */
#ifndef SHADOWBOOK_ASSERT_H
#define SHADOWBOOK_ASSERT_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Out of line on purpose: the cold half of every assertion. */
__attribute__((noreturn, cold, noinline, unused)) static void
sb_assert_failed(const char *expr, const char *file, int line, const char *func, int64_t left,
                 int64_t right)
{
    fprintf(stderr, "%s:%d: %s: assertion failed: %s (left %" PRId64 ", right %" PRId64 ")\n", file,
            line, func, expr, left, right);
    abort();
}

#define SB_ASSERT_OP(a, op, b)                                                                     \
    do {                                                                                           \
        if (__builtin_expect(!((a)op(b)), 0))                                                      \
            sb_assert_failed(#a " " #op " " #b, __FILE__, __LINE__, __func__, (int64_t)(a),        \
                             (int64_t)(b));                                                        \
    } while (0)

#define SB_ASSERT(cond)                                                                            \
    do {                                                                                           \
        if (__builtin_expect(!(cond), 0))                                                          \
            sb_assert_failed(#cond, __FILE__, __LINE__, __func__, 0, 1);                           \
    } while (0)
#define SB_ASSERT_EQ(a, b) SB_ASSERT_OP(a, ==, b)
#define SB_ASSERT_LE(a, b) SB_ASSERT_OP(a, <=, b)
#define SB_ASSERT_LT(a, b) SB_ASSERT_OP(a, <, b)

#ifdef SB_EXPENSIVE_CHECKS
#define SB_EXPENSIVE(cond) SB_ASSERT(cond)
#else
#define SB_EXPENSIVE(cond)                                                                         \
    do {                                                                                           \
    } while (0)
#endif

#endif
