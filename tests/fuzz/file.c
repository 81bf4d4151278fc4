#include "tests/fuzz/file.h"

#include <string.h>
#include <unistd.h>

#include "shadowbook/assert.h"

enum { PATH_BYTES = 96, SAID_BYTES = 1 << 15 };

struct files {
    char folder[PATH_BYTES / 2];
    char paths[FUZZ_FILES_MAX][PATH_BYTES];
    uint32_t n;
    char said[SAID_BYTES];
};

static struct files *files(void)
{
    static struct files f; /* the targets are called without a context */
    return &f;
}

static void remove_all(void)
{
    struct files *f = files();
    for (uint32_t i = 0; i < f->n; i++)
        unlink(f->paths[i]); /* one that was never written is not there */
    rmdir(f->folder);
}

const char *fuzz_path(const char *name)
{
    struct files *f = files();
    if (f->folder[0] == '\0') {
        strcpy(f->folder, "/dev/shm/fuzz-shadowbook-XXXXXX");
        SB_ASSERT(mkdtemp(f->folder) != NULL && atexit(remove_all) == 0);
    }
    const size_t n = strlen(f->folder);
    for (uint32_t i = 0; i < f->n; i++)
        if (strcmp(f->paths[i] + n + 1, name) == 0)
            return f->paths[i];
    SB_ASSERT_LT(f->n, (uint32_t)FUZZ_FILES_MAX);
    char *path = f->paths[f->n++];
    SB_ASSERT_LT(n + 1 + strlen(name), (size_t)PATH_BYTES);
    memcpy(path, f->folder, n);
    path[n] = '/';
    strcpy(path + n + 1, name);
    return path;
}

void fuzz_file_put(const char *path, const void *bytes, size_t n)
{
    FILE *file = fopen(path, "wb");
    SB_ASSERT(file != NULL);
    SB_ASSERT_EQ(fwrite(bytes, 1, n, file), n);
    SB_ASSERT(fclose(file) == 0);
}

size_t fuzz_file_get(const char *path, void *bytes, size_t max)
{
    FILE *file = fopen(path, "rb");
    SB_ASSERT(file != NULL);
    const size_t n = fread(bytes, 1, max, file);
    fclose(file);
    return n;
}

FILE *fuzz_listen(void)
{
    struct files *f = files();
    memset(f->said, 0, sizeof f->said);
    FILE *err = fmemopen(f->said, sizeof f->said - 1, "w");
    SB_ASSERT(err != NULL);
    return err;
}

const char *fuzz_heard(FILE *err)
{
    fclose(err);
    return files()->said;
}

void fuzz_refusal_judge(const char *said, const char *path, uint32_t max)
{
    uint32_t lines = 0;
    SB_ASSERT(said[0] != '\0');
    for (const char *line = said; *line != '\0'; lines++) {
        SB_ASSERT_EQ(strncmp(line, path, strlen(path)), 0);
        line = strchr(line, '\n');
        SB_ASSERT(line != NULL);
        line++;
    }
    SB_ASSERT_LE(lines, max);
}
