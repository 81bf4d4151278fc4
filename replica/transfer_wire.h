/* transfer_wire.h: the messages of a transfer (transfer.h), as they stand in the TCP stream. Pure.
 *
 * A message is this head of 48 bytes and `bytes` of payload, padded with zeros to a multiple of 8. All integers
 * little-endian, what is not named zero. hash is XXH3-64 of the head with hash = 0, then of the padded payload, with that as seed.
 *
 *     type      from    n                      a                       b        payload
 *     REQUEST   client  first number wanted    snapshot_ahead_min               first message, and only then
 *     ALIVE     client  first number wanted now
 *     REFUSED   server                                                          why, printable ASCII; nothing follows
 *     REACH     server  last in the journal    1: all of it has been sent
 *     SNAPSHOT  server  last number in it      bytes of it
 *     PART      server  as in SNAPSHOT         offset of these                  the next bytes of it
 *     BLOCK     server  last in the journal    segment                 offset   one block of a journal (journal.h)
 *
 * After the REQUEST the server sends REFUSED; or BLOCKs from the one that holds the number on, in order; or SNAPSHOT, its PARTs in
 * order, then BLOCKs from the one that holds the number behind it on. REACH stands anywhere between.
 */
#ifndef SHADOWBOOK_TRANSFER_WIRE_H
#define SHADOWBOOK_TRANSFER_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "replica/journal.h"

#define SB_TRANSFER_MAGIC UINT32_C(0x31544253) /* "SBT1" */
enum {
    SB_TRANSFER_VERSION = 1,
    SB_TRANSFER_PART_MAX = 1 << 18,
    SB_TRANSFER_WHY_MAX = 160, /* of a REFUSED */
    SB_TRANSFER_PAYLOAD_MAX = SB_JOURNAL_BLOCK_MAX,
};

enum sb_transfer_type {
    SB_TRANSFER_T_REQUEST = 1,
    SB_TRANSFER_T_ALIVE = 2,
    SB_TRANSFER_T_REFUSED = 16,
    SB_TRANSFER_T_REACH = 17,
    SB_TRANSFER_T_SNAPSHOT = 18,
    SB_TRANSFER_T_PART = 19,
    SB_TRANSFER_T_BLOCK = 20,
};

struct sb_transfer_head {
    uint32_t magic;
    uint8_t version, type; /* enum sb_transfer_type */
    uint16_t shard;
    uint32_t bytes, zero;
    uint64_t n, a, b;
    uint64_t hash;
};
_Static_assert(sizeof(struct sb_transfer_head) == 48, "wire layout");

/* Bytes on the wire of a message with this payload. */
static inline uint32_t sb_transfer_wire_bytes(uint32_t payload)
{
    return (uint32_t)sizeof(struct sb_transfer_head) + ((payload + 7) & ~UINT32_C(7));
}

/* Finishes a message whose payload stands behind its head, with room for the padding: magic, version, padding, hash. Returns
 * its bytes on the wire. */
uint32_t sb_transfer_seal(struct sb_transfer_head *head);

enum sb_transfer_sender { SB_TRANSFER_CLIENT, SB_TRANSFER_SERVER };

/* Looks for a message of that sender at the start of `size` bytes, 8-byte aligned. NULL: *bytes is its length on the wire if all of
 * it is there and good, else 0: more is needed. Else what is wrong; of the head alone as soon as that is there, so that no
 * length is believed before. Total over any bytes. */
const char *sb_transfer_look(const uint8_t *p, uint64_t size, enum sb_transfer_sender from,
                             uint32_t *bytes);

#endif
