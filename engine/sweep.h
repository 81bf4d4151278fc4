/* sweep.h: canceling many orders of a book at once, in book order (RULES.md section 2).
 *
 * Displayed buys, displayed sells, dark buys, dark sells (each best price first, in queue order), then parked orders by reference.
 * O(open orders of the instrument).
 */
#ifndef SHADOWBOOK_ENGINE_SWEEP_H
#define SHADOWBOOK_ENGINE_SWEEP_H

#include "engine/rest.h"

enum sb_sweep_what {
    SB_SWEEP_CLOSING, /* all but GTC and GTD (14.6) */
    SB_SWEEP_EXPIRED, /* GTD with expire_ns <= the command's time (15.3) */
    SB_SWEEP_TIF,     /* of one time in force (14.4) */
    SB_SWEEP_SESSION, /* of session `who` (15.1) */
    SB_SWEEP_FIRM,    /* of the sessions of firm `who` */
    SB_SWEEP_ALL,
};

struct sb_sweep {
    uint8_t what; /* enum sb_sweep_what */
    uint8_t tif;
    uint8_t sides; /* bit 0: buys, bit 1: sells */
    uint8_t reason;
    uint32_t who;
};

enum { SB_SWEEP_BOTH = 3 };

/* Cancels those meant, each followed by its partner. Returns how many, partners not counted. No cascade. */
uint32_t sb_sweep(struct sb_engine *e, struct sb_book *b, const struct sb_sweep *s,
                  struct sb_outbox *box);

#endif
