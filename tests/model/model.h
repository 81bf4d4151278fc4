/* model.h: which system is explored: bounds, options, and the one rule that is left out. */
#ifndef SHADOWBOOK_MODEL_H
#define SHADOWBOOK_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/model/mutations.h"

/* What PRIM waits for (R1): both logs hold it; and both disks do; and one of the disks does. */
enum hold { TWO_MEMORIES, TWO_DISKS, MEMORY_AND_DISK };

struct model {
    /* bounds */
    uint8_t inputs;      /* numbers 1..inputs */
    uint8_t arms;        /* ARMs in one life as a shadow */
    uint8_t generations; /* PAIR leads up to this one; RESUME may go beyond */
    uint8_t crashes, incarnations, witness_restarts;
    uint8_t forces;      /* R24, R25: the operator's FORCE */
    uint8_t divergences; /* engines that compute wrongly; not 0: release = verified */
    /* options */
    enum hold hold;
    bool journal;       /* solo policy JOURNAL; else MEMORY */
    bool resign;        /* R12 */
    bool disclaim;      /* R23 */
    bool early;         /* R4, and R3's exception */
    bool resend;        /* R4b: a shadow re-sends what its owner has marked as released */
    bool genesis;       /* begins with a new day's two empty nodes, not in DUAL */
    bool new_day_aside; /* a restart for a new day sets the journal aside, whatever its record */
    bool witness_log;   /* solo policy WITNESS: the witness holds the solo owner's log; W1 to W8 */
    bool force_any;     /* FORCE of whichever, as if the other's disk were lost */
    bool halt;          /* divergence: both stop; else the primary continues through SOLOOK */
    bool flush_always;  /* journals are flushed in every role, not in solo ones only */
    bool only_clean;    /* faults strike only a quiet DUAL */
    enum mutation mutation;
    uint64_t
        kept; /* message types (bit = enum sb_frame_type) that are dropped only when no rule at all reads them */
};

static inline bool without(const struct model *m, enum mutation rule)
{
    return m->mutation == rule;
}

#endif
