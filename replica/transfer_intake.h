/* transfer_intake.h: what a client makes of the server's messages: items in a ring, or a reason to end the connection.
 *
 * No socket, no clock, no thread: total over any messages. Allocates memory for a snapshot, of a length that was held
 * against the limit before. The ring's consumer is the loop; the rest belongs to one thread.
 */
#ifndef SHADOWBOOK_TRANSFER_INTAKE_H
#define SHADOWBOOK_TRANSFER_INTAKE_H

#include <stdatomic.h>

#include "replica/byte_ring.h"
#include "replica/transfer.h"
#include "replica/transfer_wire.h"

enum sb_transfer_taken {
    SB_TRANSFER_TAKEN,
    SB_TRANSFER_WAIT, /* the ring is full, or a snapshot is still in the loop's hands: the same message again, later */
    SB_TRANSFER_SAID_NO,   /* REFUSED: why */
    SB_TRANSFER_BAD,       /* a message that must not be: why */
    SB_TRANSFER_NO_MEMORY, /* for a snapshot: why */
};

/* What stands in the ring before a packet and its lines; of a snapshot it is all. */
struct sb_transfer_entry {
    uint64_t kind; /* enum sb_transfer_kind */
    uint64_t epoch, n;
    const void *snapshot;
    uint64_t snapshot_bytes;
};

struct sb_transfer_intake {
    uint16_t shard;
    uint64_t snapshot_bytes_max;
    struct sb_byte_ring ring;
    uint64_t next_n;   /* first number that is not in the ring */
    uint64_t server_n; /* last number of the server's journal */
    bool following;    /* has been at its end, in this connection */

    struct sb_journal_scan scan; /* of this connection */
    bool in_block;               /* the last good block is being moved into the ring */
    uint32_t packet_at;

    uint8_t *snapshot; /* being received, or in the loop's hands; NULL: none */
    uint64_t snapshot_n, snapshot_bytes, snapshot_got;
    bool snapshot_given;       /* in the loop's hands */
    atomic_bool snapshot_done; /* set by the loop */

    char why[SB_TRANSFER_WHY_BYTES];
};

/* ring_memory: ring_bytes of it, 8-byte aligned, the caller's. */
void sb_transfer_intake_init(struct sb_transfer_intake *in,
                             const struct sb_transfer_client_setup *setup, uint8_t *ring_memory);
/* Frees a snapshot. */
void sb_transfer_intake_free(struct sb_transfer_intake *in);

/* A new connection: what was half received is dropped, the chain of blocks begins anew. */
void sb_transfer_intake_begin(struct sb_transfer_intake *in);

/* A message that sb_transfer_look() found good; its payload behind it. */
enum sb_transfer_taken sb_transfer_intake_take(struct sb_transfer_intake *in,
                                               const struct sb_transfer_head *head);

/* Frees the snapshot if the loop is done with it. */
void sb_transfer_intake_tidy(struct sb_transfer_intake *in);

#endif
