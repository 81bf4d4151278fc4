/* bench.h: two nodes and the witness on a bench: virtual time, a network that does what the test says.
 *
 * A step takes 2 us: every host that is up is polled with what the others sent in the step before. What a node sends to
 * clients goes to the client box. Frames can be dropped by a rule, made by hand and put into any inbox. */
#ifndef SHADOWBOOK_TESTS_REPLICA_BENCH_H
#define SHADOWBOOK_TESTS_REPLICA_BENCH_H

#include "nic/wire/mold.h"
#include "replica/node.h"
#include "replica/node_state.h"
#include "replica/witness.h"

enum { BENCH_W = 2, BENCH_SESSION = 1, BENCH_OTHER = 2, BENCH_CLIENT_PORT = 20001 };
enum { BENCH_STEP_NS = 2000, BENCH_BOX_MAX = 4096 };
#define BENCH_START_NS  UINT64_C(1700000000000000000)
#define BENCH_CLIENT_IP UINT32_C(0x0A000004)

struct bench_frame {
    uint32_t len, from;
    uint8_t data[SB_FRAME_BYTES_MAX + 64];
};

struct bench_box {
    struct bench_frame *frames; /* [BENCH_BOX_MAX] */
    uint32_t n;
};

struct bench {
    struct sb_config config;
    struct sb_instrument_config instruments[2];
    void *mem[2];
    struct sb_node *node[2];
    struct sb_witness witness;
    void *witness_log;
    struct sb_versions versions[2]; /* of nodes that start from now on; max 0: as the program */
    uint16_t rules[2];              /* the same; 0: as the program */
    uint64_t counters[3][SB_CTR_COUNT];
    uint64_t now_ns;
    bool down[3], went_live[3], done[3];
    struct bench_box inbox[3], spare[3], client;
    /* true: the frame is lost. h is NULL for a frame that is not of our own kind. */
    bool (*lost)(const struct bench *b, uint32_t from, uint32_t to, const struct sb_head *h);
    uint64_t next_message; /* of session 1 */
    uint32_t next_key;
};

/* Configuration, memory and hosts; nothing has run. */
void bench_open(struct bench *b);
/* The same; `change` (or NULL) edits the configuration before that. */
void bench_open_with(struct bench *b, void (*change)(struct sb_config *));
void bench_start(struct bench *b, uint8_t self, bool new_day); /* (again) with a new incarnation */
void bench_start_witness(struct bench *b);
void bench_close(struct bench *b);

void bench_step(struct bench *b);
void bench_run(struct bench *b, uint64_t ns);
/* Opens so, and runs until A is the primary, B its shadow, and session 1 is logged in. */
void bench_pair(struct bench *b, void (*change)(struct sb_config *));

/* Polls one node once with one frame (len 0: none) and puts what it sends where it belongs. */
void bench_poll(struct bench *b, uint8_t node, const struct bench_frame *f);

/* Frames by hand. */
struct bench_frame bench_ours(const struct bench *b, uint8_t type, uint64_t epoch, uint64_t inc,
                              uint8_t sender, uint8_t flags, const void *body, uint32_t bytes);
struct bench_frame bench_entry(const struct bench *b, uint32_t session, uint64_t token,
                               uint64_t first, const uint8_t *blocks, uint32_t bytes,
                               uint16_t count);
struct bench_frame bench_request(const struct bench *b, uint32_t from_ipv4, const char name[10],
                                 uint64_t seq, uint16_t count);
/* A STREAM with up to two lines. */
struct bench_stream {
    struct sb_stream s;
    struct sb_command lines[2];
};
/* An ACK of B's; a control frame; a STREAM of A's with one command, number n, that halts everything. */
struct bench_frame bench_ack(const struct bench *b, uint64_t epoch, uint64_t inc, uint64_t to_inc,
                             uint64_t held, uint64_t applied, uint64_t digest);
struct bench_frame bench_control(const struct bench *b, uint8_t type, uint64_t epoch, uint64_t inc,
                                 uint8_t sender, struct sb_control c);
struct bench_frame bench_packet(const struct bench *b, uint64_t epoch, uint64_t inc,
                                uint64_t to_inc, uint64_t n);
/* For `lost`: acks are; every frame is. */
bool bench_lose_acks(const struct bench *b, uint32_t from, uint32_t to, const struct sb_head *h);
bool bench_lose_all(const struct bench *b, uint32_t from, uint32_t to, const struct sb_head *h);
uint32_t bench_block_order(uint8_t *blocks, uint32_t key, char side, uint64_t price);
uint32_t bench_block_login(uint8_t *blocks, uint64_t nonce, uint32_t ipv4);
/* One order of session 1 with the next number and key, to both nodes. */
void bench_order(struct bench *b, char side, uint64_t price);
/* ... with a number of its own, to the nodes of the mask. */
void bench_order_at(struct bench *b, uint64_t number, uint32_t key, uint32_t nodes);
void bench_put(struct bench *b, uint32_t host, const struct bench_frame *f);

/* What clients got. Messages of `type` in streams to session 1's address, repeats counted once by number. */
uint32_t bench_answers(const struct bench *b, char type);
/* Last STATUS to session 1; false: none. */
bool bench_status(const struct bench *b, struct sb_status *out, bool *gap);
/* Datagrams to this address and port. */
uint32_t bench_sent_to(const struct bench *b, uint32_t ipv4, uint16_t port);
/* Frames of ours of this type in an inbox. */
uint32_t bench_waiting(const struct bench *b, uint32_t host, uint8_t type);

#endif
