/* transfer.h: how a node that joins copies the owner's log: over TCP, out of the owner's journal files.
 *
 *     owner's process                                          joiner's process
 *     journal's files ──read──▶ server's thread ══ TCP ══▶ client's thread ──ring──▶ loop: next, release
 *     loop: serve(folder)                                      verifies, connects again     (applies)
 *
 * The owner's order path is not touched: the server reads what the journal's thread has written, block by block, follows
 * the segments, and waits at the end for more. A client may ask for a snapshot first (opaque here). Both sides have one
 * thread with one small io_uring each; TCP is the kernel's, on a management network beside the ports. The messages are
 * specified in transfer_wire.h.
 *
 * What is delivered. Packets as in log.h, never cut differently, from from_n on without a hole; or a snapshot of number n,
 * and then packets from n + 1 on. Each block's hash, its place in the chain behind the block before it and its contents are
 * checked (journal.h), over a message with a hash of its own. The chain begins anew with each connection: that the log of a
 * later connection is the same log is for the loop to see, by the running digests that stand in the packets.
 *
 * Faults. A lost, silent or lying peer costs the connection: counted, with a reason in words; the client then tries again, from
 * the first number that it has not delivered. A peer is silent if nothing came for SB_TRANSFER_SILENCE_MS (both sides
 * say something every SB_TRANSFER_ALIVE_MS; a client whose ring is full does not listen, and does not judge). All lengths are
 * bounded and checked before memory is touched.
 *
 * Not covered: authentication and secrecy. Whoever reaches the port can read the log, and can pose as the owner: keep the network
 * private. Nor fairness between several clients: whoever connects takes over, since a joiner may have died without a word. Nor a limit
 * of the rate: a copy takes what its cores, TCP and the client's loop give. A snapshot must appear under its name whole (written
 * under another one, then renamed).
 */
#ifndef SHADOWBOOK_TRANSFER_H
#define SHADOWBOOK_TRANSFER_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "replica/journal.h"

enum {
    SB_TRANSFER_ALIVE_MS = 100,
    SB_TRANSFER_SILENCE_MS = 2000,
    SB_TRANSFER_WHY_BYTES = 200, /* a reason in words, its NUL included */
    /* The smallest ring: it holds the longest packet. */
    SB_TRANSFER_RING_BYTES_MIN = 1 << 13,
};

/* --- the owner's side ------------------------------------------------------------------------------- */

struct sb_transfer_server_setup {
    uint32_t ipv4; /* to listen on, host byte order; 0: all */
    uint16_t port; /* 0: any free one, see sb_transfer_server_port() */
    uint16_t shard;
    const cpu_set_t *cores; /* where the thread may run; NULL: where the caller may */
};

struct sb_transfer_server;

/* Listens and starts the thread; nothing is served yet: clients are refused. NULL: said on err which step, why, and what
 * to do. Allocates. */
struct sb_transfer_server *sb_transfer_server_open(const struct sb_transfer_server_setup *setup,
                                                   FILE *err);

/* The port that it listens on. */
uint16_t sb_transfer_server_port(const struct sb_transfer_server *s);

/* From now on this journal's folder is served; NULL: none. A transfer out of another one ends, with a reason. The path
 * is copied. Loop's thread, off the order path: takes a lock that the thread holds for a copy of some bytes. False: the path is
 * too long. */
bool sb_transfer_server_serve(struct sb_transfer_server *s, const char *folder);

struct sb_transfer_server_counts {
    uint64_t bytes;    /* handed to TCP */
    uint64_t clients;  /* accepted: a transfer began */
    uint64_t refused;  /* requests answered with a reason */
    uint64_t ended;    /* transfers that ended, for whatever reason */
    uint64_t served_n; /* last number that was sent */
    bool active;       /* a transfer is under way */
};

/* Any thread; wait-free. */
void sb_transfer_server_counts(const struct sb_transfer_server *s,
                               struct sb_transfer_server_counts *counts);

/* Why the last client was refused, or its transfer ended; "" if none was. Takes the same lock. Returns why. */
const char *sb_transfer_server_why(struct sb_transfer_server *s, char why[SB_TRANSFER_WHY_BYTES]);

/* Ends the thread, within some milliseconds whatever its client does, and frees all. NULL is fine. */
void sb_transfer_server_close(struct sb_transfer_server *s);

/* --- the joiner's side ------------------------------------------------------------------------------ */

enum sb_transfer_state {
    SB_TRANSFER_CONNECTING, /* also between two attempts */
    SB_TRANSFER_COPYING,    /* behind the server's present end */
    SB_TRANSFER_FOLLOWING, /* has been at the server's present end at least once in this connection */
    SB_TRANSFER_REFUSED, /* the server said no; tried again at the same pace, and so is the state left */
    SB_TRANSFER_FAILED, /* for good: no memory for a snapshot. The thread waits for close */
};

struct sb_transfer_client_setup {
    uint32_t ipv4; /* of the server, host byte order */
    uint16_t port;
    uint16_t shard;
    uint64_t from_n; /* first number that is wanted, from 1 */
    /* A snapshot is taken if it saves at least so many inputs; UINT64_MAX: only if there is no other way. */
    uint64_t snapshot_ahead_min;
    uint64_t snapshot_bytes_max; /* a longer one is a fault of the peer; 0: none is taken */
    uint64_t ring_bytes;         /* a power of two, at least SB_TRANSFER_RING_BYTES_MIN */
    uint32_t retry_ms;           /* between two attempts */
    const cpu_set_t *cores;      /* where the thread may run; NULL: where the caller may */
};

struct sb_transfer_client;

enum sb_transfer_kind { SB_TRANSFER_SNAPSHOT = 1, SB_TRANSFER_PACKET = 2 };

struct sb_transfer_item {
    enum sb_transfer_kind kind;
    uint64_t epoch;                         /* PACKET: of the block that it stood in; SNAPSHOT: 0 */
    const struct sb_journal_packet *packet; /* PACKET, and its lines: valid until release */
    const struct sb_command *lines;
    uint64_t n; /* SNAPSHOT: the last number in it; PACKET: its last number */
    const void
        *snapshot; /* SNAPSHOT: 64-byte aligned, valid until sb_transfer_client_snapshot_done() */
    uint64_t snapshot_bytes;
};

/* Starts the thread, which connects by itself. NULL: said on err which step, why, and what to do. Allocates. */
struct sb_transfer_client *sb_transfer_client_open(const struct sb_transfer_client_setup *setup,
                                                   FILE *err);

/* The oldest item that was not released. False: there is none now. Wait-free, no system call. Loop's thread. */
bool sb_transfer_client_next(struct sb_transfer_client *c, struct sb_transfer_item *item);
/* Done with the item of the last next. Wait-free. Loop's thread. */
void sb_transfer_client_release(struct sb_transfer_client *c);
/* The snapshot's memory is not needed any longer (the thread frees it). No further snapshot comes before. Wait-free.
 * Loop's thread, or any other one that it gave the snapshot to. */
void sb_transfer_client_snapshot_done(struct sb_transfer_client *c);

struct sb_transfer_client_counts {
    enum sb_transfer_state state;
    uint64_t bytes;       /* received */
    uint64_t next_n;      /* first number that is not in the ring or delivered */
    uint64_t server_n;    /* last number of the server's journal, as it last said; 0: not yet */
    uint64_t connections; /* that came about */
    uint64_t refused;     /* answers that said no */
    uint64_t lost;        /* connections that ended otherwise: closed, silent, a wrong byte */
    uint64_t bad;         /* of them: the peer sent what it must not */
    uint64_t ring_full;   /* times that the loop had to be waited for */
    uint64_t snapshot_bytes, snapshot_got; /* of the one that is being received; 0 of 0: none */
};

/* Any thread; wait-free. */
void sb_transfer_client_counts(const struct sb_transfer_client *c,
                               struct sb_transfer_client_counts *counts);

/* Why the last connection was refused or lost, or could not be made; "" if none was. Takes a lock that the thread holds for
 * a copy of some bytes. Returns why. */
const char *sb_transfer_client_why(struct sb_transfer_client *c, char why[SB_TRANSFER_WHY_BYTES]);

/* "connecting", "copying", ... */
const char *sb_transfer_state_name(enum sb_transfer_state state);

/* Asks the thread to end by itself; nothing more is to be asked of the client but close. Wait-free. Loop's thread. */
void sb_transfer_client_stop(struct sb_transfer_client *c);

/* Ends the thread, within some milliseconds whatever it is at, and frees all, a snapshot included. NULL is fine. */
void sb_transfer_client_close(struct sb_transfer_client *c);

#endif
