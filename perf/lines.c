/* lines.c: plain and .xz text, line by line. */
#include "lines.h"

#include <errno.h>
#include <lzma.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_BYTES = 1 << 16 };
/* xz's own strongest preset needs 65 MiB to be decoded. */
#define XZ_MEMORY_MAX (UINT64_C(512) << 20)

static bool named_xz(const char *path)
{
    const size_t n = strlen(path);
    return n > 3 && strcmp(path + n - 3, ".xz") == 0;
}

static const char *lzma_words(lzma_ret ret)
{
    switch (ret) {
    case LZMA_BUF_ERROR:
        return "truncated xz data";
    case LZMA_FORMAT_ERROR:
        return "not xz data";
    case LZMA_DATA_ERROR:
        return "damaged xz data";
    case LZMA_MEM_ERROR:
        return "out of memory for xz";
    case LZMA_MEMLIMIT_ERROR:
        return "xz data that needs more than 512 MiB to be decoded";
    default:
        return "xz data that cannot be decoded";
    }
}

/* ---- reader ---- */

struct sb_lines {
    FILE *file;
    char *path;
    bool xz, ended; /* ended: no more bytes will come */
    lzma_stream lzma;
    uint8_t in[CHUNK_BYTES];
    char text[CHUNK_BYTES];
    size_t begin, end; /* text not yet handed out */
    uint64_t number;
    char line[SB_LINE_LENGTH_MAX + 1];
    char error[SB_LINES_ERROR_BYTES];
};

struct sb_lines *sb_lines_open(const char *path, char error[SB_LINES_ERROR_BYTES])
{
    struct sb_lines *l = calloc(1, sizeof *l);
    if (l == NULL) {
        snprintf(error, SB_LINES_ERROR_BYTES, "%s: out of memory", path);
        return NULL;
    }
    l->lzma = (lzma_stream)LZMA_STREAM_INIT;
    l->path = strdup(path);
    l->file = fopen(path, "rb");
    l->xz = named_xz(path);
    if (l->path == NULL || l->file == NULL) {
        snprintf(error, SB_LINES_ERROR_BYTES, "%s: %s", path, strerror(errno));
        sb_lines_close(l);
        return NULL;
    }
    if (l->xz && lzma_stream_decoder(&l->lzma, XZ_MEMORY_MAX, LZMA_CONCATENATED) != LZMA_OK) {
        snprintf(error, SB_LINES_ERROR_BYTES, "%s: the xz decoder did not start", path);
        sb_lines_close(l);
        return NULL;
    }
    return l;
}

void sb_lines_close(struct sb_lines *l)
{
    if (l == NULL)
        return;
    lzma_end(&l->lzma);
    if (l->file != NULL)
        (void)fclose(l->file); /* read only: nothing to lose */
    free(l->path);
    free(l);
}

int sb_lines_fail(struct sb_lines *l, const char *format, ...)
{
    char what[SB_LINES_ERROR_BYTES / 2];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    snprintf(l->error, sizeof l->error, "%.200s:%llu: %s", l->path, (unsigned long long)l->number,
             what);
    return -1;
}

static int fail_at_next(struct sb_lines *l, const char *what)
{
    l->number++;
    return sb_lines_fail(l, "%s", what);
}

static int refill_xz(struct sb_lines *l)
{
    l->lzma.next_out = (uint8_t *)l->text;
    l->lzma.avail_out = sizeof l->text;
    while (l->lzma.avail_out == sizeof l->text && !l->ended) {
        if (l->lzma.avail_in == 0 && !feof(l->file)) {
            l->lzma.next_in = l->in;
            l->lzma.avail_in = fread(l->in, 1, sizeof l->in, l->file);
            if (ferror(l->file))
                return fail_at_next(l, strerror(errno));
        }
        const lzma_ret ret = lzma_code(&l->lzma, feof(l->file) ? LZMA_FINISH : LZMA_RUN);
        if (ret == LZMA_STREAM_END)
            l->ended = true;
        else if (ret != LZMA_OK)
            return fail_at_next(l, lzma_words(ret));
    }
    l->end = sizeof l->text - l->lzma.avail_out;
    return 0;
}

/* More text, or `ended`. */
static int refill(struct sb_lines *l)
{
    l->begin = l->end = 0;
    if (l->xz)
        return refill_xz(l);
    l->end = fread(l->text, 1, sizeof l->text, l->file);
    if (ferror(l->file))
        return fail_at_next(l, strerror(errno));
    l->ended = l->end == 0;
    return 0;
}

int sb_lines_next(struct sb_lines *l, char **line, size_t *length)
{
    size_t n = 0;
    bool complete = false;
    if (l->error[0] != '\0')
        return -1;
    while (!complete) {
        if (l->begin == l->end) {
            if (!l->ended && refill(l) < 0)
                return -1;
            if (l->begin == l->end && l->ended)
                break;
            continue;
        }
        const char *from = l->text + l->begin;
        const char *newline = memchr(from, '\n', l->end - l->begin);
        const size_t part = newline != NULL ? (size_t)(newline - from) : l->end - l->begin;
        if (n + part > SB_LINE_LENGTH_MAX)
            return fail_at_next(l, "line is too long");
        memcpy(l->line + n, from, part);
        n += part;
        complete = newline != NULL;
        l->begin += part + (complete ? 1 : 0);
    }
    if (!complete && n == 0)
        return 0;
    if (n > 0 && l->line[n - 1] == '\r')
        n--;
    l->line[n] = '\0';
    l->number++;
    *line = l->line;
    *length = n;
    return 1;
}

uint64_t sb_lines_number(const struct sb_lines *l)
{
    return l->number;
}

const char *sb_lines_error(const struct sb_lines *l)
{
    return l->error;
}

/* ---- writer ---- */

struct sb_line_writer {
    FILE *file;
    char *path;
    bool xz;
    lzma_stream lzma;
    uint8_t out[CHUNK_BYTES];
    char text[CHUNK_BYTES];
    size_t n;
    const char *failed; /* NULL, or the first thing that went wrong */
};

struct sb_line_writer *sb_line_writer_open(const char *path, char error[SB_LINES_ERROR_BYTES])
{
    struct sb_line_writer *w = calloc(1, sizeof *w);
    if (w == NULL) {
        snprintf(error, SB_LINES_ERROR_BYTES, "%s: out of memory", path);
        return NULL;
    }
    w->lzma = (lzma_stream)LZMA_STREAM_INIT;
    w->xz = named_xz(path);
    w->path = strdup(path);
    w->file = fopen(path, "wb");
    if (w->path == NULL || w->file == NULL)
        snprintf(error, SB_LINES_ERROR_BYTES, "%s: %s", path, strerror(errno));
    else if (w->xz && lzma_easy_encoder(&w->lzma, 3, LZMA_CHECK_CRC64) != LZMA_OK)
        snprintf(error, SB_LINES_ERROR_BYTES, "%s: the xz encoder did not start", path);
    else
        return w;
    if (w->file != NULL)
        (void)fclose(w->file); /* nothing was written */
    lzma_end(&w->lzma);
    free(w->path);
    free(w);
    return NULL;
}

static void write_out(struct sb_line_writer *w, const void *bytes, size_t n)
{
    if (w->failed == NULL && fwrite(bytes, 1, n, w->file) != n)
        w->failed = strerror(errno);
}

static void flush(struct sb_line_writer *w, bool last)
{
    if (!w->xz) {
        write_out(w, w->text, w->n);
        w->n = 0;
        return;
    }
    w->lzma.next_in = (uint8_t *)w->text;
    w->lzma.avail_in = w->n;
    w->n = 0;
    lzma_ret ret = LZMA_OK;
    while (w->failed == NULL && ret == LZMA_OK && (last || w->lzma.avail_in > 0)) {
        w->lzma.next_out = w->out;
        w->lzma.avail_out = sizeof w->out;
        ret = lzma_code(&w->lzma, last ? LZMA_FINISH : LZMA_RUN);
        write_out(w, w->out, sizeof w->out - w->lzma.avail_out);
    }
    if (w->failed == NULL && ret != LZMA_OK && ret != LZMA_STREAM_END)
        w->failed = "the xz encoder failed";
}

void sb_line_writer_print(struct sb_line_writer *w, const char *format, ...)
{
    if (sizeof w->text - w->n <= SB_LINE_LENGTH_MAX)
        flush(w, false);
    va_list args;
    va_start(args, format);
    const int n = vsnprintf(w->text + w->n, SB_LINE_LENGTH_MAX, format, args);
    va_end(args);
    if (n < 0 || n >= SB_LINE_LENGTH_MAX)
        w->failed = w->failed != NULL ? w->failed : "line is too long";
    else
        w->n += (size_t)n;
}

bool sb_line_writer_close(struct sb_line_writer *w, char error[SB_LINES_ERROR_BYTES])
{
    flush(w, true);
    if (fclose(w->file) != 0 && w->failed == NULL)
        w->failed = strerror(errno);
    const bool ok = w->failed == NULL;
    if (!ok)
        snprintf(error, SB_LINES_ERROR_BYTES, "%s: %s", w->path, w->failed);
    lzma_end(&w->lzma);
    free(w->path);
    free(w);
    return ok;
}
