#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "replica/thread.h"
#include "replica/transfer_intake.h"
#include "replica/transfer_link.h"

enum {
    MESSAGE_MAX = sizeof(struct sb_transfer_head) + SB_TRANSFER_PAYLOAD_MAX,
    IN_BYTES = (2 * MESSAGE_MAX + 63) & ~63,
    OUT_BYTES = 4096,
    WAIT_NS = 200000, /* for the loop to make room */
};
#define ALIVE_NS   (UINT64_C(1000000) * SB_TRANSFER_ALIVE_MS)
#define SILENCE_NS (UINT64_C(1000000) * SB_TRANSFER_SILENCE_MS)

enum phase {
    PAUSE,   /* between two attempts */
    CALLING, /* connect is under way */
    OPEN,
    CLOSING, /* what is under way is ended */
    FAILED,
};

struct sb_transfer_client {
    struct sb_transfer_client_setup setup;
    struct io_uring ring;
    pthread_t thread;
    atomic_bool stop;
    void *ring_memory;
    struct sb_transfer_intake intake; /* its ring is between the thread and the loop */

    /* To any thread. */
    struct sb_transfer_note note;
    atomic_int state; /* enum sb_transfer_state */
    atomic_uint_least64_t bytes, next_n, server_n, connections, refused, lost, bad, ring_full;
    atomic_uint_least64_t snapshot_bytes, snapshot_got;

    /* The thread's. */
    struct sb_transfer_link link;
    enum phase phase;
    struct sockaddr_in peer;
    int calling; /* descriptor that is being connected, or -1 */
    uint64_t
        due_ns; /* PAUSE: of the next attempt; CALLING: when it is given up; OPEN: of the next ALIVE */
    bool waiting; /* for the loop */
    bool said_no; /* and nothing better has come since */
    bool heard;   /* something good, in this connection */
    bool no_memory;
};

static void count(atomic_uint_least64_t *counter)
{
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

/* --- the end of a connection ---------------------------------------------------------------------- */

static void leave(struct sb_transfer_client *c, const char *why, atomic_uint_least64_t *counter)
{
    sb_transfer_note_set(&c->note, why);
    count(counter);
    c->phase = CLOSING;
}

static void turn_closing(struct sb_transfer_client *c, uint64_t now)
{
    if (c->calling >= 0 || !sb_transfer_link_end(&c->link))
        return;
    c->heard = c->waiting = false;
    c->phase = c->no_memory ? FAILED : PAUSE;
    c->due_ns = now + UINT64_C(1000000) * c->setup.retry_ms;
}

/* --- the beginning of one ------------------------------------------------------------------------- */

static void turn_pause(struct sb_transfer_client *c, uint64_t now)
{
    if (now < c->due_ns)
        return;
    c->calling = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->calling < 0) {
        leave(c, strerror(errno), &c->lost);
        return;
    }
    struct io_uring_sqe *sqe = sb_transfer_entry(&c->ring);
    io_uring_prep_connect(sqe, c->calling, (const struct sockaddr *)&c->peer, sizeof c->peer);
    sqe->user_data = SB_TRANSFER_OP_CONNECT;
    c->phase = CALLING;
    c->due_ns = now + SILENCE_NS;
}

static void say(struct sb_transfer_client *c, uint8_t type, uint64_t a)
{
    if (sb_transfer_link_room(&c->link) < sizeof(struct sb_transfer_head))
        return;
    struct sb_transfer_head *h = sb_transfer_link_head(&c->link);
    *h = (struct sb_transfer_head){
        .type = type, .shard = c->setup.shard, .n = c->intake.next_n, .a = a};
    c->link.out_n += sb_transfer_seal(h);
}

/* connect has ended. */
static void connected(struct sb_transfer_client *c, int result)
{
    const int fd = c->calling;
    c->calling = -1;
    if (result == 0 && c->phase == CALLING) {
        count(&c->connections);
        sb_transfer_link_begin(&c->link, fd);
        sb_transfer_intake_begin(&c->intake);
        say(c, SB_TRANSFER_T_REQUEST, c->setup.snapshot_ahead_min);
        c->due_ns = c->link.heard_ns + ALIVE_NS;
        c->phase = OPEN;
        return;
    }
    close(fd);
    if (c->phase == CALLING)
        leave(c, strerror(-result), &c->lost);
}

/* --- messages in ------------------------------------------------------------------------------------- */

/* What a message came to. False: no further one is taken now. */
static bool judge(struct sb_transfer_client *c, enum sb_transfer_taken taken)
{
    switch (taken) {
    case SB_TRANSFER_TAKEN:
        c->heard = true;
        c->said_no = false;
        return true;
    case SB_TRANSFER_WAIT:
        return false;
    case SB_TRANSFER_SAID_NO:
        c->said_no = true;
        leave(c, c->intake.why, &c->refused);
        return false;
    case SB_TRANSFER_BAD:
        count(&c->bad);
        break;
    case SB_TRANSFER_NO_MEMORY:
        c->no_memory = true;
        break;
    }
    leave(c, c->intake.why, &c->lost);
    return false;
}

/* All messages that are whole. */
static void listen_to(struct sb_transfer_client *c)
{
    struct sb_transfer_link *l = &c->link;
    const bool waited = c->waiting;
    c->waiting = false;
    for (;;) {
        uint32_t bytes;
        const uint8_t *p = l->in + l->in_at;
        const char *why = sb_transfer_look(p, l->in_n - l->in_at, SB_TRANSFER_SERVER, &bytes);
        if (why != NULL) {
            count(&c->bad);
            leave(c, why, &c->lost);
            return;
        }
        if (bytes == 0)
            return;
        const enum sb_transfer_taken taken = sb_transfer_intake_take(&c->intake, (const void *)p);
        c->waiting = taken == SB_TRANSFER_WAIT;
        if (c->waiting && !waited)
            count(&c->ring_full);
        if (!judge(c, taken))
            return;
        l->in_at += bytes;
    }
}

static void turn_open(struct sb_transfer_client *c, uint64_t now)
{
    struct sb_transfer_link *l = &c->link;
    listen_to(c);
    if (c->waiting)
        l->heard_ns = now; /* who does not listen does not judge */
    if (c->phase == OPEN && !c->waiting) {
        if (l->error != 0)
            leave(c, strerror(l->error), &c->lost);
        else if (l->closed)
            leave(c, "the server closed the connection", &c->lost);
        else if (now > l->heard_ns + SILENCE_NS)
            leave(c, "the server is silent", &c->lost);
    }
    if (c->phase != OPEN)
        return;
    if (now >= c->due_ns) {
        say(c, SB_TRANSFER_T_ALIVE, 0);
        c->due_ns = now + ALIVE_NS;
    }
    sb_transfer_link_arm(l, !c->waiting);
}

/* --- the thread ------------------------------------------------------------------------------------------ */

static enum sb_transfer_state state_of(const struct sb_transfer_client *c)
{
    if (c->phase == FAILED)
        return SB_TRANSFER_FAILED;
    if (c->said_no)
        return SB_TRANSFER_REFUSED;
    if (c->phase != OPEN || !c->heard)
        return SB_TRANSFER_CONNECTING;
    return c->intake.following ? SB_TRANSFER_FOLLOWING : SB_TRANSFER_COPYING;
}

static void show(struct sb_transfer_client *c)
{
    const struct sb_transfer_intake *in = &c->intake;
    const bool receiving = in->snapshot != NULL && !in->snapshot_given;
    atomic_store_explicit(&c->bytes, c->link.received, memory_order_relaxed);
    atomic_store_explicit(&c->next_n, in->next_n, memory_order_relaxed);
    atomic_store_explicit(&c->server_n, in->server_n, memory_order_relaxed);
    atomic_store_explicit(&c->snapshot_bytes, receiving ? in->snapshot_bytes : 0,
                          memory_order_relaxed);
    atomic_store_explicit(&c->snapshot_got, receiving ? in->snapshot_got : 0, memory_order_relaxed);
    atomic_store_explicit(&c->state, (int)state_of(c), memory_order_release);
}

static void reap(struct sb_transfer_client *c)
{
    enum sb_transfer_op op;
    int result;
    while (sb_transfer_reap(&c->ring, &op, &result)) {
        if (op == SB_TRANSFER_OP_CONNECT)
            connected(c, result);
        else if (op != SB_TRANSFER_OP_CANCEL)
            sb_transfer_link_done(&c->link, op, result);
    }
}

static void turn(struct sb_transfer_client *c, uint64_t now)
{
    sb_transfer_intake_tidy(&c->intake);
    if (c->phase == PAUSE)
        turn_pause(c, now);
    if (c->phase == CALLING && now >= c->due_ns) {
        sb_transfer_cancel(&c->ring, SB_TRANSFER_OP_CONNECT);
        leave(c, "no answer to connect", &c->lost);
    }
    if (c->phase == OPEN)
        turn_open(c, now);
    if (c->phase == CLOSING)
        turn_closing(c, now);
}

static void *thread_main(void *arg)
{
    struct sb_transfer_client *c = arg;
    while (!atomic_load_explicit(&c->stop, memory_order_acquire)) {
        turn(c, sb_transfer_now_ns());
        show(c);
        sb_transfer_wait(&c->ring, c->waiting ? WAIT_NS : SB_TRANSFER_TURN_NS);
        reap(c);
    }
    if (c->calling >= 0)
        sb_transfer_cancel(&c->ring, SB_TRANSFER_OP_CONNECT);
    for (c->phase = CLOSING; c->phase == CLOSING; reap(c)) {
        turn_closing(c, 0);
        if (c->phase == CLOSING)
            sb_transfer_wait(&c->ring, SB_TRANSFER_TURN_NS);
    }
    return NULL;
}

/* --- open, close -------------------------------------------------------------------------------------------- */

static bool open_failed(const char *step, int error, const char *advice, FILE *err)
{
    fprintf(err, "transfer: cannot %s: %s; %s\n", step, strerror(error), advice);
    return false;
}

static void free_all(struct sb_transfer_client *c)
{
    sb_transfer_intake_free(&c->intake);
    sb_transfer_link_free(&c->link);
    pthread_mutex_destroy(&c->note.lock);
    free(c->ring_memory);
    free(c);
}

struct sb_transfer_client *sb_transfer_client_open(const struct sb_transfer_client_setup *setup,
                                                   FILE *err)
{
    SB_ASSERT(setup->from_n != 0 && setup->ring_bytes >= SB_TRANSFER_RING_BYTES_MIN);
    struct sb_transfer_client *c = aligned_alloc(64, (sizeof *c + 63) & ~(size_t)63);
    if (c == NULL) {
        open_failed("get memory", ENOMEM, "free some", err);
        return NULL;
    }
    memset(c, 0, sizeof *c);
    c->setup = *setup;
    c->calling = -1;
    c->peer = (struct sockaddr_in){.sin_family = AF_INET,
                                   .sin_port = htons(setup->port),
                                   .sin_addr.s_addr = htonl(setup->ipv4)};
    pthread_mutex_init(&c->note.lock, NULL);
    bool good = sb_transfer_link_init(&c->link, &c->ring, IN_BYTES, OUT_BYTES);
    c->ring_memory = aligned_alloc(64, setup->ring_bytes);
    good = good && c->ring_memory != NULL;
    if (!good) {
        open_failed("get memory", ENOMEM, "free some, or make its ring smaller", err);
        free_all(c);
        return NULL;
    }
    memset(c->ring_memory, 0, setup->ring_bytes); /* no page fault in the loop */
    sb_transfer_intake_init(&c->intake, setup, c->ring_memory);
    show(c);
    int error = -io_uring_queue_init(SB_TRANSFER_RING_ENTRIES, &c->ring, 0);
    if (error != 0) {
        good = open_failed("make an io_uring", error,
                           "it takes Linux 5.11 and kernel.io_uring_disabled = 0", err);
    } else if ((error = sb_thread_start(&c->thread, setup->cores, thread_main, c)) != 0) {
        io_uring_queue_exit(&c->ring);
        good = open_failed("start its thread", error, "are its cores cores of this machine?", err);
    }
    if (!good) {
        free_all(c);
        return NULL;
    }
    return c;
}

void sb_transfer_client_stop(struct sb_transfer_client *c)
{
    atomic_store_explicit(&c->stop, true, memory_order_release);
}

void sb_transfer_client_close(struct sb_transfer_client *c)
{
    if (c == NULL)
        return;
    sb_transfer_client_stop(c);
    pthread_join(c->thread, NULL);
    io_uring_queue_exit(&c->ring);
    free_all(c);
}

/* --- the loop's side ------------------------------------------------------------------------------------------ */

bool sb_transfer_client_next(struct sb_transfer_client *c, struct sb_transfer_item *item)
{
    uint32_t bytes;
    struct sb_transfer_entry e;
    const uint8_t *at = sb_byte_ring_peek(&c->intake.ring, &bytes);
    if (at == NULL)
        return false;
    memcpy(&e, at, sizeof e);
    *item = (struct sb_transfer_item){.kind = (enum sb_transfer_kind)e.kind,
                                      .epoch = e.epoch,
                                      .n = e.n,
                                      .snapshot = e.snapshot,
                                      .snapshot_bytes = e.snapshot_bytes};
    if (item->kind == SB_TRANSFER_PACKET) {
        item->packet = (const void *)(at + sizeof e);
        item->lines = (const void *)(item->packet + 1);
    }
    return true;
}

void sb_transfer_client_release(struct sb_transfer_client *c)
{
    sb_byte_ring_release(&c->intake.ring);
}

void sb_transfer_client_snapshot_done(struct sb_transfer_client *c)
{
    atomic_store_explicit(&c->intake.snapshot_done, true, memory_order_release);
}

/* --- for any thread ----------------------------------------------------------------------------------------------- */

static uint64_t read_counter(const atomic_uint_least64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

void sb_transfer_client_counts(const struct sb_transfer_client *c,
                               struct sb_transfer_client_counts *counts)
{
    *counts = (struct sb_transfer_client_counts){
        .state = (enum sb_transfer_state)atomic_load_explicit(&c->state, memory_order_acquire),
        .bytes = read_counter(&c->bytes),
        .next_n = read_counter(&c->next_n),
        .server_n = read_counter(&c->server_n),
        .connections = read_counter(&c->connections),
        .refused = read_counter(&c->refused),
        .lost = read_counter(&c->lost),
        .bad = read_counter(&c->bad),
        .ring_full = read_counter(&c->ring_full),
        .snapshot_bytes = read_counter(&c->snapshot_bytes),
        .snapshot_got = read_counter(&c->snapshot_got),
    };
}

const char *sb_transfer_client_why(struct sb_transfer_client *c, char why[SB_TRANSFER_WHY_BYTES])
{
    sb_transfer_note_get(&c->note, why, SB_TRANSFER_WHY_BYTES);
    return why;
}

const char *sb_transfer_state_name(enum sb_transfer_state state)
{
    static const char *const names[] = {"connecting", "copying", "following", "refused", "failed"};
    return state < sizeof names / sizeof names[0] ? names[state] : "?";
}
