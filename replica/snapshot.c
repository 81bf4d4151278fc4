#include "replica/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "replica/flush.h"
#include "shadowbook/assert.h"

enum { HEAD = sizeof(struct sb_snapshot_head) };

/* --- as bytes ------------------------------------------------------------------------------------- */

static uint64_t hash_of(struct sb_snapshot_head head, const void *image)
{
    head.hash = 0;
    return XXH3_64bits_withSeed(image, head.image_bytes, XXH3_64bits(&head, sizeof head));
}

size_t sb_snapshot_bytes(const struct sb_engine *e)
{
    return HEAD + sb_engine_image_bytes(e);
}

void sb_snapshot_make(const struct sb_engine *e, void *out, size_t bytes)
{
    SB_ASSERT_EQ(bytes, sb_snapshot_bytes(e));
    const struct sb_engine_limits *limits = sb_engine_limits_of(e);
    const struct sb_day_view *day = sb_engine_day(e);
    struct sb_snapshot_head head = {.magic = SB_SNAPSHOT_MAGIC,
                                    .version = SB_SNAPSHOT_VERSION,
                                    .trading_day = day->trading_day,
                                    .shard = day->shard,
                                    .generation = day->generation,
                                    .rules = SB_ENGINE_RULES,
                                    .n = sb_engine_applied(e),
                                    .digest = sb_engine_digest(e),
                                    .state_digest = sb_engine_state_digest(e),
                                    .instruments_max = limits->instruments_max,
                                    .sessions_max = limits->sessions_max,
                                    .orders_max = limits->orders_max,
                                    .levels_max = limits->levels_max,
                                    .terms_max = limits->terms_max,
                                    .image_bytes = bytes - HEAD};
    uint8_t *image = (uint8_t *)out + HEAD;
    sb_engine_save(e, image, bytes - HEAD);
    head.hash = hash_of(head, image);
    memcpy(out, &head, HEAD);
}

const char *sb_snapshot_fault(const void *bytes, size_t n, struct sb_snapshot_head *head)
{
    static const uint8_t zero[sizeof head->reserved];
    if (n < HEAD)
        return "cut short";
    memcpy(head, bytes, HEAD);
    if (head->magic != SB_SNAPSHOT_MAGIC)
        return "not a snapshot";
    if (head->version != SB_SNAPSHOT_VERSION)
        return "a snapshot of another version";
    if (head->image_bytes != n - HEAD)
        return "not of the length that its head says";
    if (hash_of(*head, (const uint8_t *)bytes + HEAD) != head->hash)
        return "checksum";
    if (head->n == 0 || head->zero != 0 || head->zero2 != 0 ||
        memcmp(head->reserved, zero, sizeof zero) != 0)
        return "an impossible head";
    return NULL;
}

const char *sb_snapshot_load(const struct sb_snapshot *s, struct sb_engine *fresh)
{
    if (s->head.rules != SB_ENGINE_RULES)
        return "made under other rules of matching than this program's";
    const char *wrong = sb_engine_load(fresh, s->bytes + HEAD, s->head.image_bytes);
    if (wrong != NULL)
        return wrong;
    const struct sb_day_view *day = sb_engine_day(fresh);
    if (sb_engine_applied(fresh) != s->head.n || sb_engine_digest(fresh) != s->head.digest ||
        day->shard != s->head.shard || day->generation != s->head.generation ||
        day->trading_day != s->head.trading_day)
        return "the image of another place than the head says";
    return sb_engine_state_digest(fresh) == s->head.state_digest
               ? NULL
               : "the engine's state digest is not the one in the head";
}

/* --- as a file -------------------------------------------------------------------------------------- */

const char *sb_snapshot_file(char path[SB_SNAPSHOT_PATH_BYTES], const char *folder, uint64_t n)
{
    snprintf(path, SB_SNAPSHOT_PATH_BYTES, "%s/%020" PRIu64 SB_SNAPSHOT_SUFFIX, folder, n);
    return path;
}

static bool failed(const char *step, const char *path, const char *why, FILE *err)
{
    fprintf(err, "%s: cannot %s: %s\n", path, step, why);
    return false;
}

static bool read_whole(struct sb_snapshot *s, int fd, const char *path, FILE *err)
{
    struct stat status;
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
        return failed("read", path, "not a file", err);
    s->bytes_n = (size_t)status.st_size;
    s->bytes = malloc(s->bytes_n != 0 ? s->bytes_n : 1);
    if (s->bytes == NULL)
        return failed("read", path, "out of memory", err);
    for (size_t at = 0; at < s->bytes_n;) {
        const ssize_t got = read(fd, s->bytes + at, s->bytes_n - at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return failed("read", path, got < 0 ? strerror(errno) : "it became shorter", err);
        at += (size_t)got;
    }
    return true;
}

bool sb_snapshot_read(struct sb_snapshot *s, const char *path, FILE *err)
{
    memset(s, 0, sizeof *s);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return failed("open", path, strerror(errno), err);
    bool good = read_whole(s, fd, path, err);
    close(fd);
    const char *wrong = good ? sb_snapshot_fault(s->bytes, s->bytes_n, &s->head) : NULL;
    if (wrong != NULL) {
        fprintf(err, "%s: damaged snapshot: %s\n", path, wrong);
        good = false;
    }
    if (!good)
        sb_snapshot_free(s);
    return good;
}

void sb_snapshot_free(struct sb_snapshot *s)
{
    free(s->bytes);
    memset(s, 0, sizeof *s);
}

/* 0 or an errno. */
static int write_whole(const char *path, const uint8_t *bytes, size_t n)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0)
        return errno;
    int error = 0;
    for (size_t at = 0; error == 0 && at < n;) {
        const ssize_t put = write(fd, bytes + at, n - at);
        if (put > 0)
            at += (size_t)put;
        else if (put == 0 || errno != EINTR)
            error = put == 0 ? EIO : errno;
    }
    if (error == 0 && fsync(fd) != 0)
        error = errno;
    return close(fd) != 0 && error == 0 ? errno : error;
}

bool sb_snapshot_put(const char *path, const void *bytes, size_t n, FILE *err)
{
    char part[SB_SNAPSHOT_PATH_BYTES + 8];
    snprintf(part, sizeof part, "%s.part", path);
    int error = write_whole(part, bytes, n);
    if (error == 0 && rename(part, path) != 0)
        error = errno;
    if (error != 0)
        unlink(part);
    else
        error = sb_flush_folder_of(path);
    return error == 0 || failed("write", path, strerror(error), err);
}

bool sb_snapshot_write(const char *path, const struct sb_engine *e, FILE *err)
{
    const size_t bytes = sb_snapshot_bytes(e);
    uint8_t *out = malloc(bytes);
    if (out == NULL)
        return failed("write", path, "out of memory", err);
    sb_snapshot_make(e, out, bytes);
    const bool good = sb_snapshot_put(path, out, bytes, err);
    free(out);
    return good;
}
