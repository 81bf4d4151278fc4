/* test_log_file.c: a small input log as a file: comes back equal; every damaged byte and every cut is refused, and the
 * place is named. */
#include <check.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "replica/log_file.h"

enum { LOG_LINES = 64, FILE_MAX = 4096, PACKETS = 4 };

struct rig {
    char dir[64], path[96];
    uint8_t *mem;
    struct sb_log log;
    struct sb_log_file_head head;
    uint8_t bytes[FILE_MAX];
    uint32_t size;
    char said[512];
};

static void add_packet(struct sb_log *log, uint16_t count)
{
    struct sb_command *c = sb_log_begin(log);
    memset(c, 0, 2u * count * sizeof *c);
    for (uint16_t i = 0; i < count; i++) {
        const uint64_t n = log->len + 1 + i;
        c[i] = (struct sb_command){.seq = n, .time_ns = 1000 + n, .kind = SB_CMD_PHASE, .phase = 2};
    }
    sb_log_commit(log, count, count)->digest = 0xD1D1 + log->len;
}

static void file_read(struct rig *r)
{
    FILE *f = fopen(r->path, "rb");
    ck_assert_ptr_nonnull(f);
    r->size = (uint32_t)fread(r->bytes, 1, sizeof r->bytes, f);
    ck_assert_uint_lt(r->size, FILE_MAX);
    fclose(f);
}

static void file_write(const struct rig *r, uint32_t size)
{
    FILE *f = fopen(r->path, "wb");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(r->bytes, 1, size, f), size);
    fclose(f);
}

static void rig_open(struct rig *r, uint64_t applied)
{
    memset(r, 0, sizeof *r);
    strcpy(r->dir, "/tmp/shadowbook-test-log-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(r->dir));
    snprintf(r->path, sizeof r->path, "%s/log", r->dir);
    r->mem = aligned_alloc(64, LOG_LINES * 2 * 64);
    memset(r->mem, 0, LOG_LINES * 2 * 64);
    struct sb_arena arena = {.base = r->mem, .size = LOG_LINES * 2 * 64};
    sb_log_init(&r->log, &arena, LOG_LINES);
    for (uint16_t i = 1; i <= PACKETS; i++)
        add_packet(&r->log, i);
    r->head = (struct sb_log_file_head){.magic = SB_LOG_FILE_MAGIC,
                                        .version = SB_LOG_FILE_VERSION,
                                        .shard = 3,
                                        .epoch = 6,
                                        .inc = 99,
                                        .n_first = 1,
                                        .limits = {128, 128, 1u << 20, 1u << 16, 1u << 14},
                                        .sender = 1};
    ck_assert(sb_log_file_write(r->path, &r->head, &r->log, applied, 0x57A7E, stderr));
    file_read(r);
}

static void rig_close(struct rig *r)
{
    unlink(r->path);
    ck_assert_int_eq(rmdir(r->dir), 0); /* and nothing else was left there */
    free(r->mem);
}

/* Reads all of it. 0: the good end. -1: refused; what was said is in r->said. */
static int file_judge(struct rig *r, struct sb_log_reader *reader)
{
    memset(r->said, 0, sizeof r->said);
    FILE *err = fmemopen(r->said, sizeof r->said - 1, "w");
    int result = -1;
    if (sb_log_reader_open(reader, r->path, err)) {
        do
            result = sb_log_reader_next(reader, err);
        while (result == 1);
        sb_log_reader_close(reader);
    }
    fclose(err);
    return result;
}

START_TEST(comes_back_equal)
{
    struct rig r;
    rig_open(&r, 10);
    struct sb_log_reader reader;
    ck_assert(sb_log_reader_open(&reader, r.path, stderr));
    ck_assert_uint_eq(reader.head.shard, 3);
    ck_assert_uint_eq(reader.head.epoch, 6);
    ck_assert_uint_eq(reader.head.inc, 99);
    ck_assert_uint_eq(reader.head.sender, 1);
    for (uint64_t i = 0; i < PACKETS; i++) {
        const struct sb_packet *p = sb_log_packet(&r.log, i);
        ck_assert_int_eq(sb_log_reader_next(&reader, stderr), 1);
        ck_assert_uint_eq(reader.packet.n_first, p->n_first);
        ck_assert_uint_eq(reader.packet.count, p->count);
        ck_assert_uint_eq(reader.packet.digest, p->digest);
        ck_assert_mem_eq(reader.lines, sb_log_lines(&r.log, p), p->lines * sizeof reader.lines[0]);
    }
    ck_assert_int_eq(sb_log_reader_next(&reader, stderr), 0);
    ck_assert_uint_eq(reader.state_digest, 0x57A7E);
    sb_log_reader_close(&reader);
    rig_close(&r);
}
END_TEST

START_TEST(ends_with_the_last_applied_packet)
{
    struct rig r;
    rig_open(&r, 3);
    struct sb_log_reader reader;
    ck_assert_int_eq(file_judge(&r, &reader), 0);
    ck_assert_uint_eq(reader.next_n, 4);
    rig_close(&r);
}
END_TEST

START_TEST(every_damaged_byte_is_refused)
{
    struct rig r;
    rig_open(&r, 10);
    for (uint32_t i = 0; i < r.size; i++)
        for (int how = 0; how < 3; how++) {
            const uint8_t was = r.bytes[i];
            r.bytes[i] ^= how == 0 ? 0x01 : how == 1 ? 0x80 : 0xFF;
            file_write(&r, r.size);
            struct sb_log_reader reader;
            ck_assert_msg(file_judge(&r, &reader) == -1, "byte %u (%d) was taken", i, how);
            ck_assert_ptr_eq(strstr(r.said, r.path), r.said); /* says which file */
            if (i >= sizeof r.head)
                ck_assert_ptr_nonnull(strstr(r.said, "at input ")); /* and where in it */
            r.bytes[i] = was;
        }
    rig_close(&r);
}
END_TEST

START_TEST(every_cut_is_refused)
{
    struct rig r;
    rig_open(&r, 10);
    struct sb_log_reader reader;
    for (uint32_t size = 0; size < r.size; size++) {
        file_write(&r, size);
        ck_assert_msg(file_judge(&r, &reader) == -1, "%u bytes were taken", size);
        ck_assert_ptr_eq(strstr(r.said, r.path), r.said);
    }
    file_write(&r, r.size);
    ck_assert_int_eq(file_judge(&r, &reader), 0);
    file_write(&r, r.size + 1); /* and something behind the end */
    ck_assert_int_eq(file_judge(&r, &reader), -1);
    rig_close(&r);
}
END_TEST

/* Puts the checksum of the packet at `at` right. */
static void reseal(struct rig *r, uint32_t at)
{
    struct sb_log_packet p;
    memcpy(&p, r->bytes + at, sizeof p);
    p.hash = 0;
    const uint64_t seed = XXH3_64bits(&p, sizeof p);
    p.hash = XXH3_64bits_withSeed(r->bytes + at + sizeof p, (size_t)p.lines * SB_LINE_BYTES, seed);
    memcpy(r->bytes + at, &p, sizeof p);
}

/* Good checksums over what no writer of this version makes. */
START_TEST(reserved_bytes_and_end_marks)
{
    struct rig r;
    struct sb_log_reader reader;
    rig_open(&r, 10);
    const uint32_t first = sizeof r.head, zero = offsetof(struct sb_log_packet, zero);
    r.bytes[first + zero + 11] = 1;
    reseal(&r, first);
    file_write(&r, r.size);
    ck_assert_int_eq(file_judge(&r, &reader), -1);
    ck_assert_ptr_nonnull(strstr(r.said, "at input 1: "));
    r.bytes[first + zero + 11] = 0;
    reseal(&r, first);
    file_write(&r, r.size);
    ck_assert_int_eq(file_judge(&r, &reader), 0);

    const uint32_t end = r.size - (uint32_t)sizeof(struct sb_log_packet);
    r.bytes[end + offsetof(struct sb_log_packet, lines)] =
        1; /* an end mark with a line behind it */
    memset(r.bytes + r.size, 0, SB_LINE_BYTES);
    reseal(&r, end);
    file_write(&r, r.size + SB_LINE_BYTES);
    ck_assert_int_eq(file_judge(&r, &reader), -1);
    ck_assert_ptr_nonnull(strstr(r.said, "at input 11: "));

    r.head.zero[58] = 1;
    ck_assert(sb_log_file_write(r.path, &r.head, &r.log, 10, 0, stderr));
    ck_assert_int_eq(file_judge(&r, &reader), -1);
    ck_assert_ptr_eq(strstr(r.said, r.path), r.said);
    rig_close(&r);
}
END_TEST

START_TEST(refused_by_name)
{
    struct rig r;
    rig_open(&r, 10);
    struct sb_log_reader reader;
    ck_assert(
        !sb_log_file_write("/nonexistent/log", &r.head, &r.log, 10, 0, fopen("/dev/null", "w")));
    r.head.n_first = 2; /* a log whose beginning is gone */
    ck_assert(sb_log_file_write(r.path, &r.head, &r.log, 10, 0, stderr));
    ck_assert_int_eq(file_judge(&r, &reader), -1);
    ck_assert_ptr_nonnull(strstr(r.said, "begins in the middle"));
    r.head.n_first = 1;
    r.head.version++;
    ck_assert(sb_log_file_write(r.path, &r.head, &r.log, 10, 0, stderr));
    ck_assert_int_eq(file_judge(&r, &reader), -1);
    ck_assert_ptr_nonnull(strstr(r.said, "version"));
    rig_close(&r);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("replica-log-file");
    TCase *tc = tcase_create("file");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, comes_back_equal);
    tcase_add_test(tc, ends_with_the_last_applied_packet);
    tcase_add_test(tc, every_damaged_byte_is_refused);
    tcase_add_test(tc, every_cut_is_refused);
    tcase_add_test(tc, reserved_bytes_and_end_marks);
    tcase_add_test(tc, refused_by_name);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
