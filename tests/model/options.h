/* options.h: the command line of `model`: bounds and options in two tables, one line each. */
#ifndef SHADOWBOOK_MODEL_OPTIONS_H
#define SHADOWBOOK_MODEL_OPTIONS_H

#include "tests/model/search.h"

struct arguments {
    struct model model;
    struct search_limits limits;
    bool reach, quiet, keep, list;
    const char *expect;
};

/* False: the usage, or what is wrong with one of them, was printed. */
bool arguments_read(int argc, char **argv, struct arguments *a);
/* In parentheses, on the rest of a line. */
void setting_print(const struct model *m);

void mutations_list(void);

#endif
