/* no_alloc.h: makes every allocation between begin and end abort the program. Replaces malloc, calloc, realloc and
 * free of the C library in the executable it is linked into; in sanitizer builds, which have their own, it does
 * nothing. One thread. */
#ifndef SHADOWBOOK_TESTS_NO_ALLOC_H
#define SHADOWBOOK_TESTS_NO_ALLOC_H

#include <stdbool.h>

void no_alloc_begin(void);
void no_alloc_end(void);
bool no_alloc_works(void); /* false in sanitizer builds */

#endif
