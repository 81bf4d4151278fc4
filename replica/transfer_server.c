#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "replica/thread.h"
#include "replica/transfer_cursor.h"
#include "replica/transfer_link.h"

enum {
    IN_BYTES = 4096,
    MESSAGE_MAX = sizeof(struct sb_transfer_head) + SB_TRANSFER_PAYLOAD_MAX,
    OUT_BYTES = (2 * MESSAGE_MAX + 4096) & ~63, /* a long message, or many short ones at once */
    SKIP_BYTES = 8 << 20,                       /* of blocks that are not wanted, in one turn */
    REACH_BYTES = 32 << 20,      /* looked through for the journal's end, in one turn */
    TAIL_NS = 300000,            /* between two looks at the end of the journal */
    LINGER_NS = 200000000,       /* for the last words to arrive */
    ACCEPT_PAUSE_NS = 100000000, /* after a failed accept: no descriptors */
    BACKLOG = 64,
};
#define ALIVE_NS   (UINT64_C(1000000) * SB_TRANSFER_ALIVE_MS)
#define SILENCE_NS (UINT64_C(1000000) * SB_TRANSFER_SILENCE_MS)

enum phase {
    NOBODY,
    ASKED,    /* connected; its request is awaited */
    SNAPSHOT, /* its parts are sent */
    BLOCKS,
    ENDING,  /* the reason is sent, then the end of the stream */
    CLOSING, /* what is under way is ended */
};

struct sb_transfer_server {
    struct sb_transfer_server_setup setup;
    int listener;
    uint16_t port;
    struct io_uring ring;
    pthread_t thread;
    atomic_bool stop;

    /* From the loop's thread. */
    pthread_mutex_t lock;
    char folder[SB_JOURNAL_PATH_BYTES]; /* "": none */
    atomic_uint folders;                /* times that it was set */

    /* To any thread. */
    struct sb_transfer_note note;
    atomic_uint_least64_t bytes, clients, refused, ended, served_n;
    atomic_bool active;

    /* The thread's. */
    struct sb_transfer_link link;
    enum phase phase;
    int newcomer; /* accepted, and waits until the one before it is gone; -1: none */
    uint64_t accept_ns;
    unsigned folders_seen;
    char serving[SB_JOURNAL_PATH_BYTES];
    struct sb_transfer_cursor cursor, reach; /* what is sent; where the journal ends */
    uint64_t from_n, reach_n, said_ns, moved_ns, probed_ns, end_ns;
    bool said_end, at_tail;
    int snapshot_fd;
    uint64_t snapshot_n, snapshot_bytes, snapshot_at;
    bool last_words;
    char why[SB_TRANSFER_WHY_BYTES];
};

static void count(atomic_uint_least64_t *counter)
{
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

/* --- messages out --------------------------------------------------------------------------------- */

/* Begins a message at the end of what is to be sent; send_message() ends it. */
static struct sb_transfer_head *begin_message(struct sb_transfer_server *s, uint8_t type,
                                              uint64_t n, uint64_t a, uint64_t b)
{
    struct sb_transfer_head *h = sb_transfer_link_head(&s->link);
    *h = (struct sb_transfer_head){.type = type, .shard = s->setup.shard, .n = n, .a = a, .b = b};
    return h;
}

static void end_message(struct sb_transfer_server *s, struct sb_transfer_head *h, uint32_t bytes)
{
    h->bytes = bytes;
    s->link.out_n += sb_transfer_seal(h);
}

static bool has_room(const struct sb_transfer_server *s, uint32_t payload)
{
    return sb_transfer_link_room(&s->link) >= sb_transfer_wire_bytes(payload);
}

/* --- the end of a client ------------------------------------------------------------------------- */

/* Without a word: the client is gone, or was told. */
static void drop(struct sb_transfer_server *s, const char *why)
{
    if (s->phase == CLOSING)
        return;
    if (why != NULL)
        sb_transfer_note_set(&s->note, why);
    if (atomic_load_explicit(&s->active, memory_order_relaxed))
        count(&s->ended);
    atomic_store_explicit(&s->active, false, memory_order_relaxed);
    s->phase = CLOSING;
}

static void refuse(struct sb_transfer_server *s, const char *why)
{
    if (s->phase >= ENDING)
        return;
    if (s->phase == ASKED)
        count(&s->refused);
    snprintf(s->why, sizeof s->why, "%.*s", SB_TRANSFER_WHY_MAX, why);
    for (char *p = s->why; *p != '\0'; p++) /* a path may hold anything */
        *p = *p >= ' ' && *p <= '~' ? *p : '?';
    sb_transfer_note_set(&s->note, s->why);
    s->phase = ENDING;
    s->end_ns = sb_transfer_now_ns() + LINGER_NS;
    s->last_words = false;
}

/* The reason behind what is still being sent; then the client has to close, so that nothing of its own, unread here, makes
 * TCP drop the reason. */
static void turn_ending(struct sb_transfer_server *s, uint64_t now)
{
    struct sb_transfer_link *l = &s->link;
    l->in_at = l->in_n;
    if (!s->last_words && has_room(s, SB_TRANSFER_WHY_MAX)) {
        struct sb_transfer_head *h = begin_message(s, SB_TRANSFER_T_REFUSED, 0, 0, 0);
        const uint32_t bytes = (uint32_t)strlen(s->why);
        memcpy(h + 1, s->why, bytes);
        end_message(s, h, bytes);
        s->last_words = true;
    } else if (s->last_words && !l->sending && l->out_n == 0) {
        shutdown(l->fd, SHUT_WR);
    }
    if (l->error != 0 || l->closed || now >= s->end_ns)
        drop(s, NULL);
}

static void turn_closing(struct sb_transfer_server *s)
{
    if (!sb_transfer_link_end(&s->link))
        return;
    sb_transfer_cursor_leave(&s->cursor);
    sb_transfer_cursor_leave(&s->reach);
    if (s->snapshot_fd >= 0)
        close(s->snapshot_fd);
    s->snapshot_fd = -1;
    s->phase = NOBODY;
}

/* --- a request ------------------------------------------------------------------------------------- */

static bool open_snapshot(struct sb_transfer_server *s, uint64_t n)
{
    char path[SB_JOURNAL_FILE_BYTES];
    struct stat status;
    s->snapshot_fd = open(sb_transfer_snapshot_file(path, s->serving, n), O_RDONLY | O_CLOEXEC);
    if (s->snapshot_fd < 0 || fstat(s->snapshot_fd, &status) != 0 || status.st_size <= 0)
        return false;
    s->snapshot_n = n;
    s->snapshot_bytes = (uint64_t)status.st_size;
    s->snapshot_at = 0;
    return true;
}

/* Where to begin: with a snapshot, or in the journal. NULL, or why not. */
static const char *find_start(struct sb_transfer_server *s, uint64_t from_n, uint64_t ahead_min)
{
    uint64_t first_n;
    if (s->serving[0] == '\0')
        return "no journal is served now";
    if (from_n == 0)
        return "inputs are counted from 1";
    const bool reaches = sb_transfer_cursor_find(&s->cursor, s->serving, from_n, &first_n);
    if (!reaches && first_n <= from_n)
        return s->cursor.why;
    const uint64_t n = sb_transfer_snapshot_find(s->serving, from_n);
    s->phase = BLOCKS;
    if (n != 0 && (!reaches || n + 1 - from_n >= ahead_min)) {
        if (!open_snapshot(s, n))
            return "the snapshot cannot be read";
        from_n = n + 1;
        s->phase = SNAPSHOT;
        if (!sb_transfer_cursor_find(&s->cursor, s->serving, from_n, &first_n))
            return s->cursor.why;
    } else if (!reaches) {
        return "neither the journal nor a snapshot reaches back so far";
    }
    s->from_n = from_n;
    s->reach_n = 0;
    if (!sb_transfer_cursor_find(&s->reach, s->serving, UINT64_MAX, &first_n))
        return s->reach.why;
    return NULL;
}

static void take_request(struct sb_transfer_server *s, const struct sb_transfer_head *h)
{
    char why[SB_TRANSFER_WHY_BYTES];
    if (h->shard != s->setup.shard) {
        snprintf(why, sizeof why, "wrong shard: %u is asked for, %u is served here", h->shard,
                 s->setup.shard);
        refuse(s, why);
        return;
    }
    const char *fault = find_start(s, h->n, h->a);
    if (fault != NULL) {
        s->phase = ASKED; /* never begun */
        refuse(s, fault);
        return;
    }
    count(&s->clients);
    atomic_store_explicit(&s->active, true, memory_order_relaxed);
    s->said_end = s->at_tail = false;
    s->said_ns = 0;
    s->moved_ns = s->probed_ns = sb_transfer_now_ns();
}

static void listen_to(struct sb_transfer_server *s, uint64_t now)
{
    struct sb_transfer_link *l = &s->link;
    uint32_t bytes = 0;
    const char *why = NULL;
    do {
        l->in_at += bytes;
        const uint8_t *p = l->in + l->in_at;
        why = sb_transfer_look(p, l->in_n - l->in_at, SB_TRANSFER_CLIENT, &bytes);
        const struct sb_transfer_head *h = (const void *)p;
        if (why == NULL && bytes != 0) {
            if ((h->type == SB_TRANSFER_T_REQUEST) != (s->phase == ASKED))
                why = "a message out of turn";
            else if (h->type == SB_TRANSFER_T_REQUEST)
                take_request(s, h);
        }
    } while (bytes != 0 && why == NULL && s->phase < ENDING);
    if (why != NULL)
        refuse(s, why);
    else if (l->error != 0)
        drop(s, strerror(l->error));
    else if (l->closed)
        drop(s, "the client closed the connection");
    else if (now > l->heard_ns + SILENCE_NS)
        drop(s, "the client is silent");
}

/* --- what is sent ---------------------------------------------------------------------------------- */

static void turn_snapshot(struct sb_transfer_server *s)
{
    if (s->snapshot_at == 0 && has_room(s, SB_TRANSFER_PART_MAX))
        end_message(
            s, begin_message(s, SB_TRANSFER_T_SNAPSHOT, s->snapshot_n, s->snapshot_bytes, 0), 0);
    while (s->snapshot_at < s->snapshot_bytes && has_room(s, SB_TRANSFER_PART_MAX)) {
        struct sb_transfer_head *h =
            begin_message(s, SB_TRANSFER_T_PART, s->snapshot_n, s->snapshot_at, 0);
        const uint64_t left = s->snapshot_bytes - s->snapshot_at;
        const size_t want = left < SB_TRANSFER_PART_MAX ? (size_t)left : SB_TRANSFER_PART_MAX;
        const ssize_t n = pread(s->snapshot_fd, h + 1, want, (off_t)s->snapshot_at);
        if (n <= 0) {
            refuse(s, n < 0 ? "the snapshot cannot be read" : "the snapshot became shorter");
            return;
        }
        end_message(s, h, (uint32_t)n);
        s->snapshot_at += (uint64_t)n;
    }
    if (s->snapshot_at == s->snapshot_bytes)
        s->phase = BLOCKS;
}

/* How far does the journal reach? Only the client's progress hangs on it. */
static void measure(struct sb_transfer_server *s)
{
    const uint64_t sent_n = s->cursor.scan.blocks != 0 ? s->cursor.scan.next_n - 1 : 0;
    for (uint64_t bytes = 0; s->reach.fd >= 0 && !s->at_tail && bytes < REACH_BYTES;
         bytes += s->reach.bytes) {
        const enum sb_transfer_look_found found = sb_transfer_cursor_next(&s->reach);
        if (found == SB_TRANSFER_LOOK_TAIL)
            break;
        if (found == SB_TRANSFER_LOOK_END)
            sb_transfer_cursor_leave(&s->reach);
        else
            s->reach_n = s->reach.scan.next_n - 1;
    }
    if (sent_n > s->reach_n)
        s->reach_n = sent_n;
}

static void send_reach(struct sb_transfer_server *s, uint64_t now)
{
    const bool news = s->at_tail && !s->said_end;
    if ((!news && now < s->said_ns + ALIVE_NS) || !has_room(s, 0))
        return;
    measure(s);
    end_message(s, begin_message(s, SB_TRANSFER_T_REACH, s->reach_n, s->at_tail, 0), 0);
    s->said_end = s->said_end || s->at_tail;
    s->said_ns = now;
}

/* Everything in the journal that fits what may be sent. Returns how long to wait if nothing happens. */
static uint64_t turn_blocks(struct sb_transfer_server *s, uint64_t now)
{
    struct sb_transfer_cursor *c = &s->cursor;
    enum sb_transfer_look_found found = SB_TRANSFER_LOOK_BLOCK;
    uint64_t skipped = 0;
    while (skipped < SKIP_BYTES && has_room(s, SB_JOURNAL_BLOCK_MAX)) {
        found = sb_transfer_cursor_next(c);
        s->at_tail = found == SB_TRANSFER_LOOK_TAIL;
        if (found != SB_TRANSFER_LOOK_BLOCK)
            break;
        s->moved_ns = now;
        if (c->scan.next_n <= s->from_n) { /* nothing in it is wanted, and nothing was sent yet */
            skipped += c->bytes;
            continue;
        }
        const uint64_t last = c->scan.next_n - 1;
        s->reach_n = last > s->reach_n ? last : s->reach_n;
        struct sb_transfer_head *h =
            begin_message(s, SB_TRANSFER_T_BLOCK, s->reach_n, c->segment, c->at);
        memcpy(h + 1, c->block, c->bytes);
        end_message(s, h, c->bytes);
        atomic_store_explicit(&s->served_n, last, memory_order_relaxed);
    }
    bool good = found != SB_TRANSFER_LOOK_END;
    if (s->at_tail && now > s->moved_ns + ALIVE_NS && now > s->probed_ns + ALIVE_NS) {
        good = sb_transfer_cursor_probe(c);
        s->probed_ns = now;
    }
    if (!good)
        refuse(s, c->why);
    else if (s->at_tail)
        return TAIL_NS;
    return s->link.sending ? SB_TRANSFER_TURN_NS : 0;
}

/* --- the thread ------------------------------------------------------------------------------------ */

static void turn_folder(struct sb_transfer_server *s)
{
    const unsigned folders = atomic_load_explicit(&s->folders, memory_order_acquire);
    if (folders == s->folders_seen)
        return;
    pthread_mutex_lock(&s->lock);
    memcpy(s->serving, s->folder, sizeof s->serving);
    pthread_mutex_unlock(&s->lock);
    s->folders_seen = folders;
    if (s->phase == SNAPSHOT || s->phase == BLOCKS)
        refuse(s, "another journal is served from now on");
}

/* By an ordinary call, not the ring: a ring of a process that was killed holds on to its sockets for a while, and the port
 * of this one is needed at once by the next life. */
static void turn_accept(struct sb_transfer_server *s, uint64_t now)
{
    if (s->newcomer < 0 && now >= s->accept_ns) {
        s->newcomer = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC);
        if (s->newcomer < 0 && errno != EAGAIN && errno != EINTR)
            s->accept_ns = now + ACCEPT_PAUSE_NS;
        if (s->newcomer >= 0 && s->phase != NOBODY)
            refuse(s, "another client has connected and takes over");
    }
    if (s->newcomer >= 0 && s->phase == NOBODY) {
        sb_transfer_link_begin(&s->link, s->newcomer);
        s->newcomer = -1;
        s->phase = ASKED;
    }
}

static void reap(struct sb_transfer_server *s)
{
    enum sb_transfer_op op;
    int result;
    while (sb_transfer_reap(&s->ring, &op, &result)) {
        if (op != SB_TRANSFER_OP_CANCEL)
            sb_transfer_link_done(&s->link, op, result);
    }
    atomic_store_explicit(&s->bytes, s->link.sent, memory_order_relaxed);
}

/* Returns how long to wait if nothing happens. */
static uint64_t turn_client(struct sb_transfer_server *s, uint64_t now)
{
    uint64_t wait_ns = SB_TRANSFER_TURN_NS;
    if (s->phase >= ASKED && s->phase <= BLOCKS)
        listen_to(s, now);
    if (s->phase == SNAPSHOT)
        turn_snapshot(s);
    if (s->phase == BLOCKS)
        wait_ns = turn_blocks(s, now);
    if (s->phase == SNAPSHOT || s->phase == BLOCKS)
        send_reach(s, now);
    if (s->phase == ENDING)
        turn_ending(s, now);
    if (s->phase == CLOSING)
        turn_closing(s);
    if (s->phase >= ASKED && s->phase <= ENDING)
        sb_transfer_link_arm(&s->link, true);
    return wait_ns;
}

static void *thread_main(void *arg)
{
    struct sb_transfer_server *s = arg;
    while (!atomic_load_explicit(&s->stop, memory_order_acquire)) {
        const uint64_t now = sb_transfer_now_ns();
        turn_folder(s);
        turn_accept(s, now);
        sb_transfer_wait(&s->ring, turn_client(s, now));
        reap(s);
    }
    drop(s, NULL);
    turn_closing(s);
    while (s->phase != NOBODY) {
        sb_transfer_wait(&s->ring, SB_TRANSFER_TURN_NS);
        reap(s);
        turn_closing(s);
    }
    return NULL;
}

/* --- open, close -------------------------------------------------------------------------------------- */

static bool open_failed(const char *step, const struct sb_transfer_server_setup *setup, int error,
                        FILE *err)
{
    const struct in_addr a = {.s_addr = htonl(setup->ipv4)};
    char text[INET_ADDRSTRLEN];
    const char *advice =
        error == EADDRINUSE      ? "another process has this port: stop it, or give another"
        : error == EADDRNOTAVAIL ? "no interface of this host has that address"
        : error == EACCES        ? "ports below 1024 need a right"
        : error == ENOMEM        ? "free some memory"
                                 : "io_uring takes Linux 5.11 and kernel.io_uring_disabled = 0";
    fprintf(err, "transfer: cannot %s for %s:%u: %s; %s\n", step,
            inet_ntop(AF_INET, &a, text, sizeof text), setup->port, strerror(error), advice);
    return false;
}

static bool open_listener(struct sb_transfer_server *s, FILE *err)
{
    const struct sb_transfer_server_setup *setup = &s->setup;
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons(setup->port),
                            .sin_addr.s_addr = htonl(setup->ipv4)};
    socklen_t bytes = sizeof a;
    const int on = 1;
    s->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (s->listener < 0 || setsockopt(s->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0)
        return open_failed("make a socket", setup, errno, err);
    if (bind(s->listener, (const struct sockaddr *)&a, sizeof a) != 0 ||
        listen(s->listener, BACKLOG) != 0 ||
        getsockname(s->listener, (struct sockaddr *)&a, &bytes) != 0)
        return open_failed("listen", setup, errno, err);
    s->port = ntohs(a.sin_port);
    return true;
}

static void free_all(struct sb_transfer_server *s)
{
    if (s->listener >= 0)
        close(s->listener);
    if (s->newcomer >= 0)
        close(s->newcomer);
    sb_transfer_cursor_free(&s->cursor);
    sb_transfer_cursor_free(&s->reach);
    sb_transfer_link_free(&s->link);
    pthread_mutex_destroy(&s->lock);
    pthread_mutex_destroy(&s->note.lock);
    free(s);
}

struct sb_transfer_server *sb_transfer_server_open(const struct sb_transfer_server_setup *setup,
                                                   FILE *err)
{
    struct sb_transfer_server *s = calloc(1, sizeof *s);
    if (s == NULL) {
        open_failed("get memory", setup, ENOMEM, err);
        return NULL;
    }
    s->setup = *setup;
    s->listener = s->newcomer = s->snapshot_fd = -1;
    pthread_mutex_init(&s->lock, NULL);
    pthread_mutex_init(&s->note.lock, NULL);
    /* All of them, so that all can be freed. */
    bool memory = sb_transfer_cursor_init(&s->cursor);
    memory = sb_transfer_cursor_init(&s->reach) && memory;
    memory = sb_transfer_link_init(&s->link, &s->ring, IN_BYTES, OUT_BYTES) && memory;
    bool good = memory ? open_listener(s, err) : open_failed("get memory", setup, ENOMEM, err);
    int error = good ? -io_uring_queue_init(SB_TRANSFER_RING_ENTRIES, &s->ring, 0) : 0;
    if (good && error != 0)
        good = open_failed("make an io_uring", setup, error, err);
    if (good) {
        error = sb_thread_start(&s->thread, setup->cores, thread_main, s);
        if (error != 0) {
            io_uring_queue_exit(&s->ring);
            good = open_failed("start the thread", setup, error, err);
        }
    }
    if (good) {
        s->setup.cores = NULL; /* the caller's */
        return s;
    }
    free_all(s);
    return NULL;
}

void sb_transfer_server_close(struct sb_transfer_server *s)
{
    if (s == NULL)
        return;
    atomic_store_explicit(&s->stop, true, memory_order_release);
    pthread_join(s->thread, NULL);
    io_uring_queue_exit(&s->ring);
    free_all(s);
}

/* --- for other threads ---------------------------------------------------------------------------------- */

uint16_t sb_transfer_server_port(const struct sb_transfer_server *s)
{
    return s->port;
}

bool sb_transfer_server_serve(struct sb_transfer_server *s, const char *folder)
{
    const char *path = folder != NULL ? folder : "";
    if (strlen(path) >= sizeof s->folder)
        return false;
    pthread_mutex_lock(&s->lock);
    snprintf(s->folder, sizeof s->folder, "%s", path);
    pthread_mutex_unlock(&s->lock);
    atomic_fetch_add_explicit(&s->folders, 1, memory_order_release);
    return true;
}

void sb_transfer_server_counts(const struct sb_transfer_server *s,
                               struct sb_transfer_server_counts *counts)
{
    *counts = (struct sb_transfer_server_counts){
        .bytes = atomic_load_explicit(&s->bytes, memory_order_relaxed),
        .clients = atomic_load_explicit(&s->clients, memory_order_relaxed),
        .refused = atomic_load_explicit(&s->refused, memory_order_relaxed),
        .ended = atomic_load_explicit(&s->ended, memory_order_relaxed),
        .served_n = atomic_load_explicit(&s->served_n, memory_order_relaxed),
        .active = atomic_load_explicit(&s->active, memory_order_relaxed),
    };
}

const char *sb_transfer_server_why(struct sb_transfer_server *s, char why[SB_TRANSFER_WHY_BYTES])
{
    sb_transfer_note_get(&s->note, why, SB_TRANSFER_WHY_BYTES);
    return why;
}
