/* loaded.h: small engines for the targets that load one: made anew for each input, saved for the seeds, judged when loaded. */
#ifndef SHADOWBOOK_TESTS_FUZZ_LOADED_H
#define SHADOWBOOK_TESTS_FUZZ_LOADED_H

#include "shadowbook/engine.h"

/* An engine that nothing was applied to; the one before it is gone. */
struct sb_engine *loaded_fresh(void);

/* The one engine behind some commands of a random flow: of another flow, and more of them, for each i. NULL: there are no
 * more. */
struct sb_engine *loaded_seed(uint32_t i);

/* A loaded engine is whole, and its image is `image`; it goes on with any command, and can be closed. */
void loaded_judge(struct sb_engine *e, const void *image, size_t bytes);

#endif
