#include "tests/sim/disk.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "shadowbook/assert.h"
#include "tests/sim/faults.h"

enum { SECTOR = 512 };
#define NONE UINT32_MAX

/* --- files ------------------------------------------------------------------------------------------ */

static struct sim_file *add_file(struct sim_disk *d, uint64_t folder, uint64_t segment,
                                 uint64_t bytes)
{
    if (d->files_n == d->files_cap) {
        d->files_cap = d->files_cap ? 2 * d->files_cap : 64;
        d->files = realloc(d->files, d->files_cap * sizeof *d->files);
        SB_ASSERT(d->files != NULL);
    }
    struct sim_file *f = &d->files[d->files_n++];
    *f = (struct sim_file){
        .folder = folder, .segment = segment, .bytes = calloc(1, bytes), .size = bytes};
    SB_ASSERT(f->bytes != NULL);
    return f;
}

static uint32_t find_file(const struct sim_disk *d, uint64_t folder, uint64_t segment)
{
    for (uint32_t i = d->files_n; i-- > 0;)
        if (d->files[i].folder == folder && d->files[i].segment == segment)
            return i;
    return NONE;
}

/* "/FOLDER/SEGMENT.journal" */
static bool read_path(const char *path, uint64_t *folder, uint64_t *segment)
{
    return sscanf(path, "/%" SCNu64 "/%" SCNu64, folder, segment) == 2;
}

/* --- the table that the writer calls ------------------------------------------------------------------ */

/* 0, or why this step is not done. */
static int step(struct sim_disk *d)
{
    if (d->crashing && d->steps_left-- == 0) {
        d->steps_left = 0;
        return EIO;
    }
    return d->now_ns < d->error_until_ns ? d->error : 0;
}

static int make_folder(void *self, const char *path)
{
    struct sim_disk *d = self;
    uint64_t folder;
    const int error = step(d);
    if (error != 0 || sscanf(path, "/%" SCNu64, &folder) != 1)
        return error;
    if (folder <= d->newest)
        return EEXIST;
    d->newest = folder;
    return 0;
}

static int create(void *self, const char *path, uint64_t bytes)
{
    struct sim_disk *d = self;
    uint64_t folder = 0, segment = 0;
    const int error = step(d);
    if (error != 0)
        return error;
    if (!read_path(path, &folder, &segment) || find_file(d, folder, segment) != NONE)
        return EEXIST;
    add_file(d, folder, segment, bytes);
    d->open = d->files_n - 1;
    return 0;
}

static void put(struct sim_disk *d, uint32_t file, const uint8_t *bytes, uint32_t n,
                uint64_t offset)
{
    struct sim_file *f = &d->files[file];
    SB_ASSERT_LE(offset + n, f->size);
    memcpy(f->bytes + offset, bytes, n);
    if (offset + n > f->used)
        f->used = offset + n;
}

/* A write that a crash cuts short: any part of its sectors. */
static void tear(struct sim_disk *d, const uint8_t *bytes, uint32_t n, uint64_t offset)
{
    d->torn++;
    for (uint32_t at = 0; at < n; at += SECTOR)
        if (sim_chance(&d->rng, 500000))
            put(d, d->open, bytes + at, SECTOR, offset + at);
}

static int write_block(void *self, const void *block, uint32_t bytes, uint64_t offset)
{
    struct sim_disk *d = self;
    const int error = step(d);
    if (error != 0) {
        if (d->crashing && d->may_tear)
            tear(d, block, bytes, offset);
        return error;
    }
    const struct sim_file *f = &d->files[d->open];
    if (d->misdirect && f->size > bytes + SB_JOURNAL_ALIGN && offset != 0) {
        const uint64_t places = (f->size - bytes) / SB_JOURNAL_ALIGN;
        const uint64_t there = SB_JOURNAL_ALIGN * (1 + sim_random(&d->rng) % places);
        d->misdirect = false;
        if (there != offset) {
            d->lied = true;
            d->misdirected++;
            put(d, d->open, block, bytes, there);
            return 0;
        }
    }
    put(d, d->open, block, bytes, offset);
    d->last[d->last_n++ % SIM_DISK_WRITTEN] =
        (struct sim_written){.file = d->open, .bytes = bytes, .offset = offset};
    return 0;
}

static int cut_file(struct sim_disk *d, uint32_t file, uint64_t bytes)
{
    const int error = step(d);
    if (error != 0 || file == NONE)
        return error;
    d->files[file].size = bytes;
    if (d->files[file].used > bytes)
        d->files[file].used = bytes;
    return 0;
}

static int close_file(void *self, uint64_t bytes)
{
    struct sim_disk *d = self;
    return cut_file(d, d->open, bytes);
}

static int remove_file(void *self, const char *path)
{
    struct sim_disk *d = self;
    uint64_t folder = 0, segment = 0;
    const int error = step(d);
    if (error != 0 || !read_path(path, &folder, &segment))
        return error;
    const uint32_t i = find_file(d, folder, segment);
    if (i == NONE)
        return 0;
    free(d->files[i].bytes);
    memmove(&d->files[i], &d->files[i + 1], (d->files_n - i - 1) * sizeof *d->files);
    d->files_n--;
    d->last_n = 0; /* their numbers have changed */
    return 0;
}

static int cut(void *self, const char *path, uint64_t bytes)
{
    struct sim_disk *d = self;
    uint64_t folder = 0, segment = 0;
    return read_path(path, &folder, &segment) ? cut_file(d, find_file(d, folder, segment), bytes)
                                              : EINVAL;
}

/* --- the writer ------------------------------------------------------------------------------------- */

void sim_disk_init(struct sim_disk *d, uint64_t seed)
{
    sim_disk_free(d);
    struct sim_disk fresh = {.rng = seed ^ UINT64_C(0xD15CD15CD15CD15C),
                             .files = d->files,
                             .files_cap = d->files_cap,
                             .buffer = d->buffer,
                             .said = d->said,
                             .open = NONE};
    if (fresh.buffer == NULL) {
        fresh.buffer = aligned_alloc(SB_JOURNAL_ALIGN, SB_JOURNAL_BUFFER_BYTES);
        fresh.said = fopen("/dev/null", "w");
        SB_ASSERT(fresh.buffer != NULL && fresh.said != NULL);
    }
    fresh.latency_ns =
        10000 + sim_random(&fresh.rng) % (sim_chance(&fresh.rng, 250000) ? 2000000 : 200000);
    *d = fresh;
}

void sim_disk_free(struct sim_disk *d)
{
    if (d->writing)
        sb_journal_writer_end(&d->writer);
    d->writing = false;
    for (uint32_t i = 0; i < d->files_n; i++)
        free(d->files[i].bytes);
    d->files_n = 0;
}

bool sim_disk_open(struct sim_disk *d, uint64_t folder, const struct sb_journal_setup *setup)
{
    char path[32];
    SB_ASSERT(!d->writing);
    snprintf(path, sizeof path, "/%020" PRIu64, folder);
    struct sb_journal_setup s = *setup;
    s.folder = path;
    s.segment_bytes = SIM_DISK_SEGMENT_BYTES;
    s.ring_bytes = SIM_DISK_RING_BYTES;
    const struct sb_journal_disk table = {.self = d,
                                          .make_folder = make_folder,
                                          .create = create,
                                          .write = write_block,
                                          .close = close_file,
                                          .remove = remove_file,
                                          .cut = cut};
    d->folder = folder;
    d->block = NULL;
    d->writing = sb_journal_writer_begin(&d->writer, &s, &table, d->buffer, d->said);
    if (setup->after == NULL && d->newest == folder)
        d->lied = false; /* in a new folder nothing has been lied about */
    return d->writing;
}

void sim_disk_turn(struct sim_disk *d, uint64_t now_ns)
{
    d->now_ns = now_ns;
    if (!d->writing || atomic_load(&d->writer.thread_fault) != SB_JOURNAL_GOOD)
        return;
    if (d->block != NULL && now_ns >= d->done_ns) {
        sb_journal_writer_write(&d->writer, d->block);
        d->block = NULL;
        return; /* its thread looks again in its next round */
    }
    if (d->block == NULL && (d->block = sb_journal_writer_gather(&d->writer)) != NULL) {
        d->done_ns = now_ns + d->latency_ns / 2 + sim_random(&d->rng) % d->latency_ns;
        if (now_ns < d->slow_until_ns)
            d->done_ns += d->slow_ns;
    }
}

bool sim_disk_close(struct sim_disk *d)
{
    if (!d->writing)
        return true;
    struct sb_journal_writer *w = &d->writer;
    bool good = atomic_load(&w->thread_fault) == SB_JOURNAL_GOOD;
    while (good && (d->block != NULL || (d->block = sb_journal_writer_gather(w)) != NULL)) {
        good = sb_journal_writer_write(w, d->block);
        d->block = NULL;
    }
    good = good && close_file(d, w->offset) == 0 && w->fault == SB_JOURNAL_GOOD;
    d->writing = false;
    d->block = NULL;
    sb_journal_writer_end(w);
    return good;
}

/* The last writes were never made: some of them. */
static void lose_last(struct sim_disk *d)
{
    const uint32_t have = d->last_n < SIM_DISK_WRITTEN ? d->last_n : SIM_DISK_WRITTEN;
    uint32_t n = have > 0 ? 1 + (uint32_t)(sim_random(&d->rng) % have) : 0;
    const bool all_behind = sim_chance(&d->rng, 500000);
    for (uint32_t i = 0; i < n; i++) {
        const struct sim_written *l = &d->last[(d->last_n - 1 - i) % SIM_DISK_WRITTEN];
        struct sim_file *f = &d->files[l->file];
        if ((!all_behind && i + 1 < n) || l->offset + l->bytes > f->size)
            continue;
        memset(f->bytes + l->offset, 0, l->bytes);
        d->lied = true;
        d->lost++;
    }
    d->lose = false;
}

void sim_disk_crash(struct sim_disk *d)
{
    if (d->writing) {
        if (d->block != NULL && sim_chance(&d->rng, 700000)) {
            d->crashing = true;
            d->steps_left = (uint32_t)(sim_random(&d->rng) % 3);
            sb_journal_writer_write(&d->writer, d->block);
            d->crashing = false;
        }
        d->writing = false;
        d->block = NULL;
        sb_journal_writer_end(&d->writer);
    }
    if (d->lose)
        lose_last(d);
    d->last_n = 0;
    d->open = NONE;
}

void sim_disk_put_snapshot(struct sim_disk *d, uint64_t folder, const void *bytes, size_t n)
{
    d->newest = folder;
    memcpy(add_file(d, folder, 0, n)->bytes, bytes, n);
}

bool sim_disk_flip(struct sim_disk *d)
{
    uint32_t chosen = NONE, n = 0;
    for (uint32_t i = 0; i < d->files_n; i++)
        if (d->files[i].folder == d->newest && d->files[i].segment != 0 && d->files[i].used != 0 &&
            sim_random(&d->rng) % ++n == 0)
            chosen = i;
    if (chosen == NONE)
        return false;
    const struct sim_file *f = &d->files[chosen];
    f->bytes[sim_random(&d->rng) % f->used] ^= (uint8_t)(1u << sim_random(&d->rng) % 8);
    d->lied = true;
    return true;
}

/* --- reading ------------------------------------------------------------------------------------------ */

void sim_reader_begin(struct sim_reader *r, const struct sim_disk *d, uint64_t folder, bool live)
{
    *r = (struct sim_reader){.disk = d, .folder = folder, .live = live, .file = NONE};
    r->found = SB_FOUND_NEXT;
    sb_journal_scan_begin(&r->scan);
}

bool sim_reader_snapshot(const struct sim_reader *r, struct sb_snapshot *s)
{
    const uint32_t i = find_file(r->disk, r->folder, 0);
    if (i == NONE)
        return false;
    const struct sim_file *f = &r->disk->files[i];
    *s = (struct sb_snapshot){.bytes = f->bytes, .bytes_n = f->size};
    return sb_snapshot_fault(s->bytes, s->bytes_n, &s->head) == NULL;
}

/* The folder's segment behind `file`. */
static uint32_t next_file(const struct sim_reader *r, uint32_t file)
{
    for (uint32_t i = file == NONE ? 0 : file + 1; i < r->disk->files_n; i++)
        if (r->disk->files[i].folder == r->folder && r->disk->files[i].segment != 0)
            return i;
    return NONE;
}

/* Begins the next segment. False: there is none. */
static bool next_segment(struct sim_reader *r)
{
    const uint32_t next = next_file(r, r->file);
    if (next == NONE)
        return false;
    r->file = next;
    const struct sim_file *f = &r->disk->files[next];
    sb_journal_scan_segment(&r->scan, f->bytes, f->size, next_file(r, next) == NONE);
    return true;
}

/* Of a journal that is written: block by block. */
static bool next_block_live(struct sim_reader *r)
{
    if (r->file == NONE && !next_segment(r))
        return false;
    const struct sim_file *f = &r->disk->files[r->file];
    struct sb_journal_scan *s = &r->scan;
    s->bytes = f->bytes;
    s->size = f->size;
    if (s->at >= f->size && !next_segment(r))
        return false;
    r->found = sb_journal_scan_block(s, s->bytes + s->at, s->size - s->at);
    r->over = r->found == SB_FOUND_DAMAGED;
    return r->found == SB_FOUND_BLOCK;
}

static bool next_block(struct sim_reader *r)
{
    if (r->live)
        return next_block_live(r);
    do {
        if (r->found == SB_FOUND_NEXT && !next_segment(r)) {
            r->over = true;
            return false;
        }
        r->found = sb_journal_scan_next(&r->scan);
    } while (r->found == SB_FOUND_NEXT);
    r->over = r->found != SB_FOUND_BLOCK;
    return !r->over;
}

bool sim_reader_packet(struct sim_reader *r, const struct sb_journal_packet **packet,
                       const struct sb_command **lines)
{
    while (!r->over) {
        if (r->found == SB_FOUND_BLOCK &&
            (*packet = sb_journal_packet_next(&r->scan, &r->packet_at, lines)) != NULL)
            return true;
        r->packet_at = 0;
        if (!next_block(r))
            return false;
    }
    return false;
}

struct sb_journal_end sim_reader_end(const struct sim_reader *r)
{
    return sb_journal_scan_end(&r->scan, r->file == NONE ? 0 : r->disk->files[r->file].segment);
}
