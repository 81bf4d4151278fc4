/* copy.h: a joiner's loop for tests: takes what a client delivers and holds it against what the journal's rig writes. */
#ifndef SHADOWBOOK_TESTS_TRANSFER_COPY_H
#define SHADOWBOOK_TESTS_TRANSFER_COPY_H

#include "replica/transfer.h"
#include "tests/journal/rig.h"

enum { COPY_SHARD = 3, COPY_RETRY_MS = 20, COPY_LOOPBACK = 0x7F000001 };

struct copy {
    struct sb_transfer_client_setup setup;
    struct sb_transfer_client *client;
    uint64_t n; /* last number that was taken */
    uint64_t packets, snapshots, snapshot_n;
    uint8_t snapshot_fill; /* every byte of one is this */
};

/* A server on a free port, which serves the folder (NULL: none). */
struct sb_transfer_server *copy_serve(const char *folder);

/* A client's setup: of this port, from number 1, a ring of 1 MiB, snapshots only if there is no other way. */
void copy_init(struct copy *c, uint16_t port);
void copy_open(struct copy *c);
void copy_close(struct copy *c);

/* Takes one item if there is one; asserts that it is the next, and what the rig wrote. False: none. */
bool copy_take(struct copy *c);
/* Takes items until number n; asserts after some seconds. */
void copy_until(struct copy *c, uint64_t n);
/* Takes items until the client is in that state; asserts after some seconds. */
void copy_until_state(struct copy *c, enum sb_transfer_state state);
/* The same, until the reason holds this text, and all items that are there. */
void copy_until_why(struct copy *c, const char *text);
/* Takes nothing until the client waits for its loop. From then on it neither listens nor leaves its connection. */
void copy_until_full(struct copy *c);

struct sb_transfer_client_counts copy_counts(const struct copy *c);
/* Asserts that there were so many connections; else says why the last one ended. */
void copy_connections(struct copy *c, uint64_t n);

/* Waits until the server's reason holds this text. */
void server_until_why(struct sb_transfer_server *s, const char *text);

/* Adds packets to a journal, with turns, so that its ring does not overflow, until number n or behind. */
void write_until(struct rig *r, uint64_t n);
/* A snapshot file of number n, every byte `fill`. */
void write_snapshot(const char *folder, uint64_t n, size_t bytes, uint8_t fill);

void pause_ms(uint32_t ms);
uint64_t now_ms(void);

#endif
