/* transfer_link.h: one TCP connection of a transfer, driven by a small io_uring: bytes in, bytes out, never blocking but in
 * sb_transfer_wait(). Also what both threads need beside it: time, and the reason that others may ask for.
 *
 *     loop of a thread:  parse link->in, append to link->out; arm; wait; for each completion: done
 *
 * At most one receive and one send are under way. Their memory is the link's: it may be freed, and the descriptor closed,
 * only when sb_transfer_link_idle(). One thread.
 */
#ifndef SHADOWBOOK_TRANSFER_LINK_H
#define SHADOWBOOK_TRANSFER_LINK_H

#include <liburing.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "replica/transfer_wire.h"

enum {
    SB_TRANSFER_RING_ENTRIES = 8,
    SB_TRANSFER_TURN_NS = 5000000, /* longest wait: how late a thread sees that it is to end */
};

enum sb_transfer_op {
    SB_TRANSFER_OP_CONNECT = 1,
    SB_TRANSFER_OP_RECEIVE,
    SB_TRANSFER_OP_SEND,
    SB_TRANSFER_OP_CANCEL,
};

struct sb_transfer_link {
    struct io_uring *ring;
    int fd; /* -1: none */
    uint8_t *in, *out;
    uint32_t in_cap, out_cap; /* each holds the longest message that comes or goes */
    uint32_t in_at, in_n;     /* first byte that was not taken; bytes from the start on */
    uint32_t out_at, out_n;
    bool receiving, sending;
    bool closed;       /* the peer sends no more */
    int error;         /* errno of a failed send or receive */
    uint64_t heard_ns; /* when bytes last came */
    uint64_t received, sent;
};

uint64_t sb_transfer_now_ns(void);

/* Where the next operation is put; never NULL. */
struct io_uring_sqe *sb_transfer_entry(struct io_uring *ring);
/* Waits for completions, at most so long. Each is then fetched by sb_transfer_reap(), until false. */
void sb_transfer_wait(struct io_uring *ring, uint64_t timeout_ns);
bool sb_transfer_reap(struct io_uring *ring, enum sb_transfer_op *op, int *result);
/* Asks for the end of an operation that is under way; its completion still comes. */
void sb_transfer_cancel(struct io_uring *ring, enum sb_transfer_op op);

/* Allocates the two buffers. False: no memory. */
bool sb_transfer_link_init(struct sb_transfer_link *l, struct io_uring *ring, uint32_t in_cap,
                           uint32_t out_cap);
void sb_transfer_link_free(struct sb_transfer_link *l);

/* A new connection's descriptor; the link must be without one. Sets TCP_NODELAY. */
void sb_transfer_link_begin(struct sb_transfer_link *l, int fd);
/* Asks for the sending of what is in out, and, if `listen`, for more into in. */
void sb_transfer_link_arm(struct sb_transfer_link *l, bool listen);
/* A completion of one of the link's own operations. */
void sb_transfer_link_done(struct sb_transfer_link *l, enum sb_transfer_op op, int result);
/* Ends what is under way; closes the descriptor once that is over. True: over, the link is without one. To be called
 * until then. */
bool sb_transfer_link_end(struct sb_transfer_link *l);

static inline uint32_t sb_transfer_link_room(const struct sb_transfer_link *l)
{
    return l->sending ? 0 : l->out_cap - l->out_n;
}
/* Where the next message to be sent is written; room must be there. */
static inline struct sb_transfer_head *sb_transfer_link_head(struct sb_transfer_link *l)
{
    return (struct sb_transfer_head *)(void *)(l->out + l->out_n);
}

/* --- reasons ---------------------------------------------------------------------------------------- */

struct sb_transfer_note {
    pthread_mutex_t lock;
    char text[SB_TRANSFER_WHY_MAX + 1];
};

void sb_transfer_note_set(struct sb_transfer_note *note, const char *text);
void sb_transfer_note_get(struct sb_transfer_note *note, char *text, size_t bytes);

#endif
