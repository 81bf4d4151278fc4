#include "replica/counters.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "shadowbook/assert.h"

#define FOLDER "/dev/shm"
#define PREFIX "shadowbook-"

_Static_assert(offsetof(struct sb_counters, value) == 64, "readers of another build rely on it");

static const struct sb_counter_info INFOS[SB_CTR_COUNT] = {
#define INFO(id, unit, help) {#id, unit, help},
    SB_COUNTERS(INFO)
#undef INFO
};

#define NAME_FITS(id, unit, help)                                                                  \
    _Static_assert(sizeof(#id) <= SB_COUNTER_NAME_BYTES, "a counter's name is too long");
SB_COUNTERS(NAME_FITS)
#undef NAME_FITS

const struct sb_counter_info *sb_counter_info(uint32_t id)
{
    SB_ASSERT_LT(id, SB_CTR_COUNT);
    return &INFOS[id];
}

const char *sb_counter_name(uint32_t id, char name[SB_COUNTER_NAME_BYTES])
{
    const char *from = sb_counter_info(id)->name;
    size_t i = 0;
    for (; from[i] != '\0'; i++)
        name[i] = (char)tolower((unsigned char)from[i]);
    name[i] = '\0';
    return name;
}

static bool name_good(const char *name)
{
    const size_t length = strlen(name);
    if (length < 1 || length >= sizeof(((struct sb_counters *)0)->name))
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!isalnum((unsigned char)name[i]) && name[i] != '-' && name[i] != '_')
            return false;
    }
    return true;
}

/* A lock of the open file, not of the process: it ends with the last descriptor, and F_OFD_GETLK asks for
 * it without taking one, so that a reader can never get in the way of a writer that starts. */
static struct flock whole_file(void)
{
    return (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET};
}

/* Opens and locks the file at f->path. The file may vanish between the two, when its last owner closes:
 * then what was locked is no longer what others will find, and it is tried again. */
static bool open_locked(struct sb_counters_file *f, FILE *err)
{
    for (int attempt = 0; attempt < 100; attempt++) {
        f->fd = open(f->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
        if (f->fd < 0) {
            fprintf(err, "counters: cannot open %s: %s\n", f->path, strerror(errno));
            return false;
        }
        struct flock lock = whole_file();
        if (fcntl(f->fd, F_OFD_SETLK, &lock) != 0) {
            const int why = errno;
            uint32_t pid = 0;
            if (pread(f->fd, &pid, sizeof pid, (off_t)offsetof(struct sb_counters, pid)) !=
                (ssize_t)sizeof pid)
                pid = 0;
            if (why == EAGAIN || why == EACCES)
                fprintf(err,
                        "counters: %s belongs to the running process %u: a process of this shard "
                        "with this name is up already; stop it first\n",
                        f->path, pid);
            else
                fprintf(err, "counters: cannot lock %s: %s\n", f->path, strerror(why));
            close(f->fd);
            return false;
        }
        struct stat held, named;
        if (fstat(f->fd, &held) == 0 && stat(f->path, &named) == 0 && held.st_ino == named.st_ino &&
            held.st_dev == named.st_dev)
            return true;
        close(f->fd);
    }
    fprintf(err, "counters: %s keeps vanishing: another process creates and removes it\n", f->path);
    return false;
}

static bool map_region(struct sb_counters_file *f, FILE *err)
{
    f->bytes = sizeof(struct sb_counters);
    /* Pages are taken now: a full file system is an error here, not a fault at the first store. A file
     * left by another build is never shortened, since a reader may have it mapped. */
    const int failed = posix_fallocate(f->fd, 0, (off_t)f->bytes);
    if (failed != 0) {
        fprintf(err, "counters: no room for %s: %s\n", f->path, strerror(failed));
        return false;
    }
    void *at = mmap(NULL, f->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, f->fd, 0);
    if (at == MAP_FAILED) {
        fprintf(err, "counters: cannot map %s: %s\n", f->path, strerror(errno));
        return false;
    }
    f->c = at;
    return true;
}

bool sb_counters_create(struct sb_counters_file *f, uint16_t shard, const char *name, FILE *err)
{
    memset(f, 0, sizeof *f);
    f->fd = -1;
    if (!name_good(name)) {
        fprintf(err, "counters: name \"%s\": 1 to 15 letters, digits, '-' or '_' are accepted\n",
                name);
        return false;
    }
    snprintf(f->path, sizeof f->path, FOLDER "/" PREFIX "%u-%s", shard, name);
    if (!open_locked(f, err))
        return false;
    if (!map_region(f, err)) {
        unlink(f->path);
        close(f->fd);
        return false;
    }
    struct sb_counters *c = f->c;
    __atomic_store_n(&c->magic, 0, __ATOMIC_SEQ_CST);
    memset((char *)c + sizeof c->magic, 0, sizeof *c - sizeof c->magic);
    c->version = SB_COUNTERS_VERSION;
    c->count = SB_CTR_COUNT;
    c->pid = (uint32_t)getpid();
    c->shard = shard;
    snprintf(c->name, sizeof c->name, "%s", name);
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    c->started_at_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    __atomic_store_n(&c->magic, SB_COUNTERS_MAGIC, __ATOMIC_RELEASE);
    return true;
}

void sb_counters_close(struct sb_counters_file *f)
{
    if (f->c == NULL)
        return;
    unlink(f->path); /* before the lock goes: nobody else can have taken the name yet */
    munmap(f->c, f->bytes);
    close(f->fd);
    f->c = NULL;
    f->fd = -1;
}

static bool region_good(struct sb_counters_view *v, const char **why)
{
    const struct sb_counters *c = v->c;
    if (__atomic_load_n(&c->magic, __ATOMIC_ACQUIRE) != SB_COUNTERS_MAGIC) {
        *why = "no magic: not a counters file, or not complete yet";
        return false;
    }
    if (c->version != SB_COUNTERS_VERSION) {
        *why = "made by another version";
        return false;
    }
    const uint32_t count = c->count;
    if (count > (v->bytes - offsetof(struct sb_counters, value)) / sizeof c->value[0]) {
        *why = "shorter than it says";
        return false;
    }
    v->count = count < SB_CTR_COUNT ? count : SB_CTR_COUNT;
    return true;
}

bool sb_counters_attach(struct sb_counters_view *v, const char *path, FILE *err)
{
    memset(v, 0, sizeof *v);
    v->fd = -1;
    const char *why = "path is too long";
    struct stat status;
    if (strlen(path) >= sizeof v->path)
        goto failed;
    memcpy(v->path, path, strlen(path) + 1);
    v->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (v->fd < 0 || fstat(v->fd, &status) != 0) {
        why = strerror(errno);
        goto failed;
    }
    if (!S_ISREG(status.st_mode) || status.st_size < (off_t)offsetof(struct sb_counters, value)) {
        why = "not a counters file, or not complete yet";
        goto failed;
    }
    v->bytes = (size_t)status.st_size;
    void *at = mmap(NULL, v->bytes, PROT_READ, MAP_SHARED, v->fd, 0);
    if (at == MAP_FAILED) {
        why = strerror(errno);
        goto failed;
    }
    v->c = at;
    if (region_good(v, &why))
        return true;
failed:
    if (err != NULL)
        fprintf(err, "counters: cannot read %s: %s\n", path, why);
    sb_counters_detach(v);
    return false;
}

void sb_counters_detach(struct sb_counters_view *v)
{
    if (v->c != NULL) {
        void *at;
        memcpy(&at, &v->c, sizeof at); /* munmap takes no const */
        munmap(at, v->bytes);
    }
    if (v->fd >= 0)
        close(v->fd);
    v->c = NULL;
    v->fd = -1;
}

bool sb_counters_alive(const struct sb_counters_view *v)
{
    struct flock lock = whole_file();
    return v->fd >= 0 && fcntl(v->fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

static int path_order(const void *a, const void *b)
{
    return strcmp(a, b);
}

size_t sb_counters_find_all(char (*paths)[SB_COUNTERS_PATH_BYTES], size_t max)
{
    DIR *folder = opendir(FOLDER);
    if (folder == NULL)
        return 0;
    size_t n = 0;
    const struct dirent *entry;
    while (n < max && (entry = readdir(folder)) != NULL) {
        if (strncmp(entry->d_name, PREFIX, strlen(PREFIX)) != 0 ||
            strlen(entry->d_name) + sizeof FOLDER >= SB_COUNTERS_PATH_BYTES)
            continue;
        snprintf(paths[n], SB_COUNTERS_PATH_BYTES, FOLDER "/%.*s",
                 (int)(SB_COUNTERS_PATH_BYTES - sizeof FOLDER - 1), entry->d_name);
        n++;
    }
    closedir(folder);
    qsort(paths, n, sizeof paths[0], path_order);
    return n;
}
