/* hold.h: encoded frames, held until they may leave, then kept for re-requests.
 *
 * One byte ring in order of encoding. Each record is a small head and a complete Ethernet frame
 * (only the destination MAC may still be missing). Three marks move one way:
 *
 *      tail ...kept for re-requests... next ...held back... head
 *
 * A shadow and a primary fill it alike; only who lets frames go differs. A per-stream ring of the newest
 * packets says where a stream's number stands. No allocation; positions rise for ever.
 */
#ifndef SHADOWBOOK_HOLD_H
#define SHADOWBOOK_HOLD_H

#include "replica/arena.h"
#include <stdbool.h>

#include "shadowbook/port.h"

struct sb_held {
    uint64_t n;         /* last input of the stream packet whose outputs it carries */
    uint64_t first_seq; /* its first message's number in its stream */
    uint32_t stream;
    uint16_t count; /* messages */
    uint16_t len;   /* bytes of the frame that follows */
    uint8_t role;   /* enum sb_port_role it leaves by */
    uint8_t zero[7];
};
_Static_assert(sizeof(struct sb_held) == 32, "frames start at 32 of a 64-byte line");

struct sb_retained {
    uint64_t first_seq, pos;
};

struct sb_hold {
    uint8_t *ring;
    uint64_t cap; /* bytes, power of two */
    uint64_t tail, next, head;
    struct sb_retained *retained; /* [streams][retain] */
    uint64_t *retained_end;       /* [streams] packets ever indexed */
    uint64_t *released_seq;       /* [streams] next number not yet released */
    uint32_t streams, retain;     /* retain: power of two */
};

enum { SB_HELD_BYTES_MAX = 1600 }; /* record with the largest frame, rounded up to 64 */

void sb_hold_init(struct sb_hold *hold, struct sb_arena *arena, uint64_t cap, uint32_t streams,
                  uint32_t retain);
/* Sets every stream's next number to 1; call once the memory is there. */
void sb_hold_reset(struct sb_hold *hold);

/* Bytes that may be added before something held back would be overwritten. */
uint64_t sb_hold_room(const struct sb_hold *hold);

/* Room for one frame at the head: the frame goes to the returned address. Asserts that there is room. */
uint8_t *sb_hold_begin(struct sb_hold *hold);
/* Makes it a record. index: may a re-request find it? */
void sb_hold_commit(struct sb_hold *hold, const struct sb_held *held, bool index);

/* The first record that is held back, or NULL; sb_hold_pass() lets it go (marks it released). */
struct sb_held *sb_hold_peek(struct sb_hold *hold);
void sb_hold_pass(struct sb_hold *hold);
static inline uint8_t *sb_held_frame(struct sb_held *h)
{
    return (uint8_t *)(h + 1);
}

/* The released, retained record that holds message `seq` of a stream, or NULL. */
struct sb_held *sb_hold_find(const struct sb_hold *hold, uint32_t stream, uint64_t seq);

#endif
