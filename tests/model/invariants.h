/* invariants.h: what must hold in every state. Numbers are those of REPLICATION.md section 7. */
#ifndef SHADOWBOOK_MODEL_INVARIANTS_H
#define SHADOWBOOK_MODEL_INVARIANTS_H

#include "tests/model/rules.h"

/* NULL, or the invariant that is broken, in words that begin with its number.
 *
 *   I1 a number has one content, whoever may release it       I3 never two SOLO
 *   I2 each SOLO, and the owner of the highest epoch, holds every released number with equal content
 *   I4 who is not SOLO beside a SOLO may release only what the SOLO holds too
 *   I5 witness and nodes never name different owners of one epoch
 *
 * Tested on what a node *may* release, not only on what it did. By construction, so not tested: I6 (rules only raise a
 * node's epoch), I9 (BOOT and CATCH have no release rule). Not tested: I7, I8 (I1 and I3 fail where they matter); I10
 * (no engine here: equal inputs count as equal outputs). I11 is reach.h. */
const char *invariant_broken(const struct model *m, const struct state *s);

#endif
