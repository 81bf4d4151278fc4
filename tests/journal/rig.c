#include "tests/journal/rig.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "replica/snapshot.h"

enum { LOG_LINES = 1 << 14, LOG_MEMORY = LOG_LINES * 2 * SB_LINE_BYTES };

/* --- the disk ------------------------------------------------------------------------------------ */

static bool countdown(int *n)
{
    return *n != 0 && --*n == 0;
}

static int make_folder(void *self, const char *path)
{
    struct faulty_disk *d = self;
    return d->under.make_folder(d->under.self, path);
}

static int create(void *self, const char *path, uint64_t bytes)
{
    struct faulty_disk *d = self;
    return countdown(&d->create_fails) ? d->error : d->under.create(d->under.self, path, bytes);
}

static int write_block(void *self, const void *block, uint32_t bytes, uint64_t offset)
{
    struct faulty_disk *d = self;
    while (atomic_load(&d->hangs))
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    return countdown(&d->write_fails) ? d->error
                                      : d->under.write(d->under.self, block, bytes, offset);
}

static int close_file(void *self, uint64_t bytes)
{
    struct faulty_disk *d = self;
    return d->under.close(d->under.self, bytes);
}

static int remove_file(void *self, const char *path)
{
    struct faulty_disk *d = self;
    return d->under.remove(d->under.self, path);
}

static int cut(void *self, const char *path, uint64_t bytes)
{
    struct faulty_disk *d = self;
    return d->under.cut(d->under.self, path, bytes);
}

/* --- the rig ------------------------------------------------------------------------------------- */

void rig_open(struct rig *r, const char *under)
{
    memset(r, 0, sizeof *r);
    snprintf(r->dir, sizeof r->dir, "%s/sb-test-journal-XXXXXX", under);
    ck_assert_ptr_nonnull(mkdtemp(r->dir));
    snprintf(r->folder, sizeof r->folder, "%s/3-B/1", r->dir);
    r->log_memory = aligned_alloc(64, LOG_MEMORY);
    memset(r->log_memory, 0, LOG_MEMORY);
    struct sb_arena arena = {.base = r->log_memory, .size = LOG_MEMORY};
    sb_log_init(&r->log, &arena, LOG_LINES);
    r->setup = (struct sb_journal_setup){.folder = r->folder,
                                         .shard = 3,
                                         .sender = 1,
                                         .inc = 99,
                                         .epoch = 4,
                                         .trading_day = 20261124,
                                         .limits = SB_ENGINE_LIMITS_DEFAULT,
                                         .segment_bytes = UINT64_C(4) * SB_JOURNAL_ALIGN,
                                         .ring_bytes = 1u << 20,
                                         .lag_max_ns = UINT64_C(20000000000),
                                         .on_fault = SB_JOURNAL_DEGRADE};
    r->now_ns = 1000;
}

/* Once. In the process that writes: a ring of io_uring does not outlive a fork. */
static void open_disk(struct rig *r)
{
    r->buffer = aligned_alloc(SB_JOURNAL_ALIGN, SB_JOURNAL_BUFFER_BYTES);
    memset(r->buffer, 0, SB_JOURNAL_BUFFER_BYTES);
    ck_assert(sb_journal_uring_open(&r->uring, r->buffer, SB_JOURNAL_BUFFER_BYTES, stderr));
    r->disk.under = sb_journal_uring_disk(&r->uring);
}

bool rig_start(struct rig *r)
{
    if (r->buffer == NULL)
        open_disk(r);
    const struct sb_journal_disk disk = {.self = &r->disk,
                                         .make_folder = make_folder,
                                         .create = create,
                                         .write = write_block,
                                         .close = close_file,
                                         .remove = remove_file,
                                         .cut = cut};
    memset(r->said, 0, sizeof r->said);
    FILE *err = fmemopen(r->said, sizeof r->said - 1, "w");
    const bool good = sb_journal_writer_open(&r->writer, &r->setup, &disk, r->buffer, err);
    fclose(err);
    return good;
}

bool rig_stop(struct rig *r, bool end)
{
    if (end) {
        const struct sb_journal_record record = {.epoch = 4,
                                                 .n = r->writer.queued_n,
                                                 .digest = 7,
                                                 .state_digest = 8,
                                                 .kind = SB_RECORD_END};
        ck_assert(sb_journal_writer_record(&r->writer, &record, 4));
    }
    memset(r->said, 0, sizeof r->said);
    FILE *err = fmemopen(r->said, sizeof r->said - 1, "w");
    const bool good = sb_journal_writer_close(&r->writer, err);
    fclose(err);
    return good;
}

void rig_close(struct rig *r)
{
    if (r->buffer != NULL)
        sb_journal_uring_close(&r->uring);
    free(r->buffer);
    free(r->log_memory);
    char command[192];
    snprintf(command, sizeof command, "rm -r '%s'", r->dir);
    ck_assert_int_eq(system(command), 0);
}

struct sb_journal_end rig_end(const struct rig *r, enum sb_journal_found expected)
{
    struct sb_journal_reader reader;
    ck_assert(sb_journal_reader_open(&reader, r->folder, stderr));
    while (sb_journal_reader_block(&reader, stderr) == 1)
        ;
    ck_assert_int_eq(reader.found, expected);
    const struct sb_journal_end end =
        sb_journal_scan_end(&reader.scan, reader.segments[reader.segments_n - 1]);
    sb_journal_reader_close(&reader);
    return end;
}

void rig_tear(const struct rig *r, const struct sb_journal_end *end, bool new_segment)
{
    char path[SB_JOURNAL_FILE_BYTES];
    const uint8_t part[100] = "SBJ1";
    FILE *f = fopen(sb_journal_file(path, r->folder, end->segment + new_segment),
                    new_segment ? "wb" : "r+b");
    ck_assert_ptr_nonnull(f);
    ck_assert_int_eq(fseek(f, new_segment ? 0 : (long)end->offset, SEEK_SET), 0);
    ck_assert_uint_eq(fwrite(part, 1, sizeof part, f), sizeof part);
    fclose(f);
}

void rig_name_snapshot(const struct rig *r, uint64_t n)
{
    char path[SB_SNAPSHOT_PATH_BYTES];
    FILE *f = fopen(sb_snapshot_file(path, r->folder, n), "w");
    ck_assert_ptr_nonnull(f);
    fclose(f);
}

struct sb_command rig_command(uint64_t n)
{
    return (struct sb_command){.seq = n,
                               .time_ns = 1000 + n,
                               .kind = SB_CMD_CANCEL,
                               .session = 1,
                               .session_seq = n,
                               .key = (uint32_t)(n * 2654435761u)};
}

void rig_add(struct rig *r, uint16_t count)
{
    struct sb_command *c = sb_log_begin(&r->log);
    for (uint16_t i = 0; i < count; i++)
        c[i] = rig_command(r->log.len + 1 + i);
    struct sb_packet *p = sb_log_commit(&r->log, count, count);
    p->digest = 0xD1D1 + r->log.len;
}

bool rig_turn(struct rig *r, uint64_t ns)
{
    r->now_ns += ns;
    return sb_journal_writer_turn(&r->writer, &r->log, r->log.len, 4, r->now_ns);
}

void rig_until_durable(struct rig *r, uint64_t n)
{
    for (int i = 0; i < 30000; i++) {
        rig_turn(r, 0);
        ck_assert_msg(r->writer.fault == SB_JOURNAL_GOOD, "fault %d of the journal, error %d",
                      (int)r->writer.fault, atomic_load(&r->writer.thread_errno));
        if (sb_journal_writer_durable(&r->writer) >= n)
            return;
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    ck_abort_msg("input %lu is not durable after 30 s", n);
}

enum sb_journal_found rig_read(const struct rig *r, uint64_t from, uint64_t *n)
{
    struct sb_journal_reader reader;
    ck_assert(sb_journal_reader_open(&reader, r->folder, stderr));
    const struct sb_journal_packet *p;
    const struct sb_command *lines;
    *n = from - 1;
    while (sb_journal_reader_packet(&reader, &p, &lines, stderr) == 1) {
        ck_assert_uint_eq(reader.scan.first_n, from);
        ck_assert_uint_eq(p->digest, 0xD1D1 + p->n_first + p->count - 1);
        for (uint32_t i = 0; i < p->count; i++) {
            const struct sb_command expected = rig_command(++*n);
            ck_assert_mem_eq(&lines[i], &expected, sizeof expected);
        }
    }
    ck_assert_uint_eq(*n, reader.scan.next_n - 1);
    const enum sb_journal_found found = reader.found;
    sb_journal_reader_close(&reader);
    return found;
}
