/* carry.h: what outlives a day: the GTC and GTD orders that an ended day left open, as a file, and on their way into the next
 * day's log.
 *
 *     journal of the ended day ── `shadowbook carry` ──▶ file ── [shard] carry of both engines ──▶ the new log's next inputs
 *
 * The end. An engine over the ended day's inputs is closed as an operator would do it (PHASE to CLOSED: what lasts no longer than its
 * day is canceled, and partners with it), then the time of GTD orders is looked at once more (TIMER). What is open then goes
 * over, in the order of its time (sb_engine_visit_carried()). The file follows from the inputs alone: both journals give the same
 * bytes.
 *
 * The next day. A CARRY for each (RULES.md 19) stands in the new day's log right behind the definitions (genesis.h), before any
 * client's input: the first owner sequences them, a shadow gets them by the log, and whoever is the owner in the middle of it goes on
 * where the log ends. So nothing is entered twice, and nothing is left out. Two engines with different files, or one with none, say so
 * and do not begin the day. Its DAY, and so every state of it, has their hash (genesis.h): later in it, one whose file is another says
 * so and ends, as with a definition: for all of the day, both need the same file.
 * Instruments are found by symbol, so they may have other numbers; sessions by number and firm. An order whose instrument is gone,
 * or that does not fit any more, is Rejected on its session's stream; one whose session is gone, or is another firm's, is
 * ignored and counted. What a client gets of it are the first messages of its session's stream, before its login.
 *
 * Not covered: forgery (XXH3 is no signature); ClOrdIDs, which no engine keeps; where 12.5's top order was.
 */
#ifndef SHADOWBOOK_CARRY_H
#define SHADOWBOOK_CARRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "shadowbook/config.h"

#define SB_CARRY_MAGIC UINT64_C(0x3159524342530A0D) /* CR LF "SBCRY1" */
enum { SB_CARRY_VERSION = 1 };

/* Little-endian, reserved bytes zero: the head, then orders_n orders in the order in which they are entered. */
struct sb_carry_head {
    uint64_t magic;
    uint32_t version, trading_day; /* the day that they come from */
    uint16_t shard, generation;
    uint16_t rules; /* SB_ENGINE_RULES of the day that they come from: to know, no condition */
    uint16_t zero;
    uint64_t n;            /* last input of that day that was looked at */
    uint64_t state_digest; /* of the engine there */
    uint64_t orders_n;
    uint64_t hash; /* XXH3-64 of the head with hash = 0, then of the orders with that as seed */
};
_Static_assert(sizeof(struct sb_carry_head) == 56, "file layout");

struct sb_carry_order {
    struct sb_command2 command; /* CARRY: seq, time, instrument 0 */
    char symbol[8];
};
_Static_assert(sizeof(struct sb_carry_order) == 136, "file layout");

struct sb_carry {
    struct sb_carry_head head;
    struct sb_carry_order *orders; /* allocated */
};

/* What an engine leaves, that was closed as said above. n and state_digest: of the day's end, before that. False: out of
 * memory. */
bool sb_carry_collect(struct sb_carry *c, const struct sb_engine *closed, uint64_t n,
                      uint64_t state_digest);
void sb_carry_free(struct sb_carry *c);

/* Under a temporary name, flushed, renamed. False: said on err why. */
bool sb_carry_write(const struct sb_carry *c, const char *path, FILE *err);
/* False: said on err why; c is empty. */
bool sb_carry_read(struct sb_carry *c, const char *path, FILE *err);

/* The commands of c for this configuration, into config->carry; what was there goes. False: said on err why (out of memory,
 * another shard's). */
bool sb_carry_into(const struct sb_carry *c, struct sb_config *config, FILE *err);
/* The same of the file that the configuration names; one that names none is left as it is. */
bool sb_carry_load(struct sb_config *config, FILE *err);

/* Are orders of that day late enough for this one? A day's orders are entered on a later day only. */
static inline bool sb_carry_fits_day(const struct sb_config *config, uint32_t trading_day)
{
    return config->carry_n == 0 || config->carry_day < trading_day;
}

#endif
