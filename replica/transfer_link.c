#include "replica/transfer_link.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

uint64_t sb_transfer_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* --- the ring ----------------------------------------------------------------------------------- */

void sb_transfer_wait(struct io_uring *ring, uint64_t timeout_ns)
{
    struct __kernel_timespec t = {.tv_sec = (int64_t)(timeout_ns / 1000000000u),
                                  .tv_nsec = (int64_t)(timeout_ns % 1000000000u)};
    struct io_uring_cqe *cqe;
    const int error = io_uring_submit_and_wait_timeout(ring, &cqe, 1, &t, NULL);
    if (error < 0 && error != -ETIME && error != -EINTR) /* short of memory: not in a tight loop */
        nanosleep(&(struct timespec){.tv_nsec = SB_TRANSFER_TURN_NS}, NULL);
}

bool sb_transfer_reap(struct io_uring *ring, enum sb_transfer_op *op, int *result)
{
    struct io_uring_cqe *cqe;
    if (io_uring_peek_cqe(ring, &cqe) != 0)
        return false;
    *op = (enum sb_transfer_op)cqe->user_data;
    *result = cqe->res;
    io_uring_cqe_seen(ring, cqe);
    return true;
}

struct io_uring_sqe *sb_transfer_entry(struct io_uring *ring)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(ring);
    while (sqe == NULL) { /* the kernel has not yet taken what stands there */
        io_uring_submit(ring);
        sqe = io_uring_get_sqe(ring);
    }
    return sqe;
}

void sb_transfer_cancel(struct io_uring *ring, enum sb_transfer_op op)
{
    struct io_uring_sqe *sqe = sb_transfer_entry(ring);
    io_uring_prep_cancel64(sqe, op, 0);
    sqe->user_data = SB_TRANSFER_OP_CANCEL;
}

/* --- the link ------------------------------------------------------------------------------------- */

bool sb_transfer_link_init(struct sb_transfer_link *l, struct io_uring *ring, uint32_t in_cap,
                           uint32_t out_cap)
{
    *l = (struct sb_transfer_link){.ring = ring, .fd = -1, .in_cap = in_cap, .out_cap = out_cap};
    l->in = aligned_alloc(64, in_cap);
    l->out = aligned_alloc(64, out_cap);
    return l->in != NULL && l->out != NULL;
}

void sb_transfer_link_free(struct sb_transfer_link *l)
{
    free(l->in);
    free(l->out);
    l->in = l->out = NULL;
}

void sb_transfer_link_begin(struct sb_transfer_link *l, int fd)
{
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* else heartbeats come late */
    l->fd = fd;
    l->in_at = l->in_n = l->out_at = l->out_n = 0;
    l->closed = false;
    l->error = 0;
    l->heard_ns = sb_transfer_now_ns();
}

static void receive(struct sb_transfer_link *l)
{
    if (l->in_at != 0 && (l->in_at == l->in_n || l->in_n == l->in_cap)) {
        memmove(l->in, l->in + l->in_at, l->in_n - l->in_at);
        l->in_n -= l->in_at;
        l->in_at = 0;
    }
    if (l->in_n == l->in_cap)
        return;
    struct io_uring_sqe *sqe = sb_transfer_entry(l->ring);
    io_uring_prep_recv(sqe, l->fd, l->in + l->in_n, l->in_cap - l->in_n, 0);
    sqe->user_data = SB_TRANSFER_OP_RECEIVE;
    l->receiving = true;
}

void sb_transfer_link_arm(struct sb_transfer_link *l, bool listen)
{
    if (l->error != 0)
        return;
    if (!l->sending && l->out_at != l->out_n) {
        struct io_uring_sqe *sqe = sb_transfer_entry(l->ring);
        io_uring_prep_send(sqe, l->fd, l->out + l->out_at, l->out_n - l->out_at, MSG_NOSIGNAL);
        sqe->user_data = SB_TRANSFER_OP_SEND;
        l->sending = true;
    }
    if (listen && !l->receiving && !l->closed)
        receive(l);
}

void sb_transfer_link_done(struct sb_transfer_link *l, enum sb_transfer_op op, int result)
{
    const bool again = result == -EINTR || result == -EAGAIN;
    if (result < 0 && !again)
        l->error = -result;
    if (op == SB_TRANSFER_OP_SEND) {
        l->sending = false;
        if (result > 0) {
            l->out_at += (uint32_t)result;
            l->sent += (uint32_t)result;
        }
        if (l->out_at == l->out_n)
            l->out_at = l->out_n = 0;
    } else {
        l->receiving = false;
        l->closed = result == 0;
        if (result > 0) {
            l->in_n += (uint32_t)result;
            l->received += (uint32_t)result;
            l->heard_ns = sb_transfer_now_ns();
        }
    }
}

bool sb_transfer_link_end(struct sb_transfer_link *l)
{
    if (l->fd < 0)
        return true;
    shutdown(l->fd, SHUT_RDWR);
    if (l->receiving)
        sb_transfer_cancel(l->ring, SB_TRANSFER_OP_RECEIVE);
    if (l->sending)
        sb_transfer_cancel(l->ring, SB_TRANSFER_OP_SEND);
    if (l->receiving || l->sending)
        return false;
    close(l->fd);
    l->fd = -1;
    return true;
}

/* --- reasons ---------------------------------------------------------------------------------------- */

void sb_transfer_note_set(struct sb_transfer_note *note, const char *text)
{
    pthread_mutex_lock(&note->lock);
    snprintf(note->text, sizeof note->text, "%s", text);
    pthread_mutex_unlock(&note->lock);
}

void sb_transfer_note_get(struct sb_transfer_note *note, char *text, size_t bytes)
{
    pthread_mutex_lock(&note->lock);
    snprintf(text, bytes, "%s", note->text);
    pthread_mutex_unlock(&note->lock);
}
