#include "replica/journal_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "replica/flush.h"
#include "replica/journal.h"
#include "shadowbook/assert.h"

int sb_journal_make_folder(const char *path)
{
    return mkdir(path, 0755) == 0 ? sb_flush_folder_of(path) : errno;
}

static int uring_make_folder(void *self, const char *path)
{
    (void)self;
    return sb_journal_make_folder(path);
}

static int uring_create(void *self, const char *path, uint64_t bytes)
{
    struct sb_journal_uring *u = self;
    SB_ASSERT(u->fd < 0);
    const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
    u->direct = true;
    u->fd = open(path, flags | O_DIRECT, 0644);
    if (u->fd < 0 && errno == EINVAL) {
        unlink(path); /* some file systems make the file before they refuse */
        u->direct = false;
        u->fd = open(path, flags, 0644);
    }
    if (u->fd < 0)
        return errno;
    int error = 0;
    u->preallocated = fallocate(u->fd, 0, 0, (off_t)bytes) == 0;
    if (!u->preallocated && errno != EOPNOTSUPP)
        error = errno;
    if (error == 0 && fsync(u->fd) != 0)
        error = errno;
    if (error == 0)
        error = sb_flush_folder_of(path);
    if (error != 0) {
        close(u->fd);
        u->fd = -1;
        unlink(path);
    }
    return error;
}

static int write_some(struct sb_journal_uring *u, const uint8_t *from, uint32_t bytes,
                      uint64_t offset, uint32_t *written)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&u->ring);
    SB_ASSERT(sqe != NULL); /* one at a time */
    io_uring_prep_write_fixed(sqe, u->fd, from, bytes, offset, 0);
    sqe->rw_flags = RWF_DSYNC;
    int n;
    do
        n = io_uring_submit_and_wait(&u->ring, 1);
    while (n == -EINTR);
    struct io_uring_cqe *cqe;
    do
        n = io_uring_wait_cqe(&u->ring, &cqe);
    while (n == -EINTR);
    if (n < 0)
        return -n;
    const int result = cqe->res;
    io_uring_cqe_seen(&u->ring, cqe);
    if (result < 0)
        return -result;
    *written = (uint32_t)result;
    return 0;
}

static int uring_write(void *self, const void *block, uint32_t bytes, uint64_t offset)
{
    struct sb_journal_uring *u = self;
    const uint8_t *from = block;
    SB_ASSERT(from >= (uint8_t *)u->buffer &&
              from + bytes <= (uint8_t *)u->buffer + u->buffer_bytes);
    while (bytes != 0) {
        uint32_t written = 0;
        const int error = write_some(u, from, bytes, offset, &written);
        if (error == EINTR || error == EAGAIN)
            continue;
        if (error != 0)
            return error;
        /* Short: the rest again, which then says why. A part of a page cannot go on under O_DIRECT. */
        if (written == 0 || written % SB_JOURNAL_ALIGN != 0)
            return EIO;
        from += written;
        offset += written;
        bytes -= written;
    }
    return 0;
}

static int uring_close(void *self, uint64_t bytes)
{
    struct sb_journal_uring *u = self;
    int error = 0;
    if (ftruncate(u->fd, (off_t)bytes) != 0 || fsync(u->fd) != 0)
        error = errno;
    if (close(u->fd) != 0 && error == 0)
        error = errno;
    u->fd = -1;
    return error;
}

static int uring_remove(void *self, const char *path)
{
    (void)self;
    return unlink(path) == 0 || errno == ENOENT ? 0 : errno;
}

static int uring_cut(void *self, const char *path, uint64_t bytes)
{
    (void)self;
    const int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return errno;
    const int error = ftruncate(fd, (off_t)bytes) != 0 || fsync(fd) != 0 ? errno : 0;
    return close(fd) != 0 && error == 0 ? errno : error;
}

bool sb_journal_uring_open(struct sb_journal_uring *u, void *buffer, size_t bytes, FILE *err)
{
    memset(u, 0, sizeof *u);
    u->fd = -1;
    u->buffer = buffer;
    u->buffer_bytes = bytes;
    int error = io_uring_queue_init(4, &u->ring, 0);
    if (error < 0) {
        fprintf(err,
                "journal: io_uring cannot be had: %s; it takes Linux 5.6 and "
                "kernel.io_uring_disabled = 0\n",
                strerror(-error));
        return false;
    }
    const struct iovec v = {.iov_base = buffer, .iov_len = bytes};
    error = io_uring_register_buffers(&u->ring, &v, 1);
    if (error < 0) {
        fprintf(err,
                "journal: %zu bytes cannot be registered with io_uring: %s; raise the limit of "
                "locked memory (ulimit -l)\n",
                bytes, strerror(-error));
        io_uring_queue_exit(&u->ring);
        return false;
    }
    return true;
}

void sb_journal_uring_close(struct sb_journal_uring *u)
{
    io_uring_queue_exit(&u->ring);
    if (u->fd >= 0)
        close(u->fd);
    u->fd = -1;
}

struct sb_journal_disk sb_journal_uring_disk(struct sb_journal_uring *u)
{
    return (struct sb_journal_disk){.self = u,
                                    .make_folder = uring_make_folder,
                                    .create = uring_create,
                                    .write = uring_write,
                                    .close = uring_close,
                                    .remove = uring_remove,
                                    .cut = uring_cut};
}
