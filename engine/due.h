/* due.h: when TIMER has something to do: the earliest expire_ns of an open GTD order or resume_ns of a pause.
 *
 * Kept up as orders come and go: how many things are due at the earliest time. When the last of them is gone without another
 * earliest time being known, it is looked for at the next question. Derived from the state: in no digest, in no image.
 * Flows without GTD orders and pauses never come here. */
#ifndef SHADOWBOOK_ENGINE_DUE_H
#define SHADOWBOOK_ENGINE_DUE_H

#include <stdbool.h>
#include <stdint.h>

struct sb_engine;
struct sb_book;

struct sb_due {
    uint64_t at_ns; /* the earliest; n 0: nothing is due */
    uint32_t n;     /* how many are due then */
    bool known;     /* false: to be looked for */
};

void sb_due_add(struct sb_engine *e, uint64_t at_ns);
void sb_due_remove(struct sb_engine *e, uint64_t at_ns);

/* A pause that ends then; 0: no pause, or the operator ends it. */
void sb_due_resume(struct sb_engine *e, struct sb_book *b, uint64_t resume_ns);

/* The state was made in another way than by commands. */
void sb_due_forget(struct sb_engine *e);

#endif
