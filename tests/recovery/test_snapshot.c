/* test_snapshot.c: a snapshot as bytes and as a file: every byte in its place, every flipped bit and every cut refused. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "perf/match.h"
#include "tests/recovery/rig.h"

static struct rig rig;

static uint64_t at(const uint8_t *p, uint32_t bytes)
{
    uint64_t value = 0;
    for (uint32_t i = 0; i < bytes; i++)
        value |= (uint64_t)p[i] << 8 * i;
    return value;
}

START_TEST(layout)
{
    rig_open(&rig, 1);
    const uint8_t *p = rig.snapshots[9];
    const size_t n = rig.snapshot_bytes[9];
    ck_assert_mem_eq(p, "\r\nSBSNP1", 8);
    ck_assert_uint_eq(at(p + 8, 4), 2);         /* version */
    ck_assert_uint_eq(at(p + 12, 4), 20000101); /* the day, as random_flow.c has it */
    ck_assert_uint_eq(at(p + 16, 2), 1);        /* shard */
    ck_assert_uint_eq(at(p + 20, 2), 2);        /* rules */
    ck_assert_uint_eq(at(p + 24, 8), rig.n[9]);
    ck_assert_uint_eq(at(p + 32, 8), rig.digest[9]);
    ck_assert_uint_eq(at(p + 40, 8), rig.state[9]);
    ck_assert_uint_eq(at(p + 48, 4), rig.limits.instruments_max);
    ck_assert_uint_eq(at(p + 52, 4), rig.limits.sessions_max);
    ck_assert_uint_eq(at(p + 56, 4), rig.limits.orders_max);
    ck_assert_uint_eq(at(p + 60, 4), rig.limits.levels_max);
    ck_assert_uint_eq(at(p + 64, 8), n - 128);
    ck_assert_uint_eq(at(p + 72, 4), rig.limits.terms_max);
    uint8_t head[128];
    memcpy(head, p, 128);
    memset(head + 120, 0, 8);
    ck_assert_uint_eq(at(p + 120, 8),
                      XXH3_64bits_withSeed(p + 128, n - 128, XXH3_64bits(head, 128)));
    ck_assert_mem_eq(p + 128, "SBE1", 4);
    rig_close(&rig);
}
END_TEST

START_TEST(every_flipped_bit_and_every_cut)
{
    rig_open(&rig, 2);
    uint8_t *p = rig.snapshots[30];
    const size_t n = rig.snapshot_bytes[30];
    struct sb_snapshot_head head;
    ck_assert_ptr_null(sb_snapshot_fault(p, n, &head));
    ck_assert_uint_eq(head.n, rig.n[30]);
    for (size_t bit = 0; bit < n * 8; bit++) {
        p[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (sb_snapshot_fault(p, n, &head) == NULL)
            ck_abort_msg("bit %zu is not missed", bit);
        p[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t cut = 0; cut < n; cut++) {
        uint8_t *copy = malloc(cut != 0 ? cut : 1); /* a sanitizer sees a read behind it */
        memcpy(copy, p, cut);
        ck_assert_ptr_nonnull(sb_snapshot_fault(copy, cut, &head));
        free(copy);
    }
    rig_close(&rig);
}
END_TEST

/* A good checksum over a head that is not that of its image. */
START_TEST(head_and_image_disagree)
{
    static const struct {
        uint32_t offset;
        const char *why;
    } wrong[] = {
        {12, "the image of another place than the head says"},
        {16, "the image of another place than the head says"},
        {18, "the image of another place than the head says"},
        {20, "made under other rules of matching than this program's"},
        {24, "the image of another place than the head says"},
        {32, "the image of another place than the head says"},
        {40, "the engine's state digest is not the one in the head"},
        {128, "not an engine's image"},
        {128 + 188, "an image made under other rules"},
    };
    rig_open(&rig, 3);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct sb_snapshot s = {.bytes_n = rig.snapshot_bytes[20]};
        s.bytes = malloc(s.bytes_n);
        memcpy(s.bytes, rig.snapshots[20], s.bytes_n);
        s.bytes[wrong[i].offset] ^= 2;
        memset(s.bytes + 120, 0, 8);
        const uint64_t hash =
            XXH3_64bits_withSeed(s.bytes + 128, s.bytes_n - 128, XXH3_64bits(s.bytes, 128));
        memcpy(s.bytes + 120, &hash, sizeof hash);
        ck_assert_ptr_null(sb_snapshot_fault(s.bytes, s.bytes_n, &s.head));
        struct sb_match_engine m;
        ck_assert(sb_match_engine_open(&m, &rig.limits));
        const char *why = sb_snapshot_load(&s, m.engine);
        ck_assert_msg(why != NULL && strcmp(why, wrong[i].why) == 0, "%u: %s", wrong[i].offset,
                      why);
        sb_match_engine_close(&m);
        sb_snapshot_free(&s);
    }
    rig_close(&rig);
}
END_TEST

START_TEST(files)
{
    char path[SB_SNAPSHOT_PATH_BYTES], part[SB_SNAPSHOT_PATH_BYTES + 8], words[512] = "";
    struct sb_snapshot s;
    struct stat status;
    rig_open(&rig, 1);
    rig_snapshot(&rig, 3, 0);
    rig_snapshot(&rig, 3, 0); /* over itself */
    sb_snapshot_file(path, rig.folder, rig.n[3]);
    ck_assert_str_eq(path + strlen(path) - 29, "00000000000000000010.snapshot");
    ck_assert(sb_snapshot_read(&s, path, stderr));
    ck_assert_uint_eq(s.head.n, 10); /* packets of 1, 2, 3, 4 */
    ck_assert_mem_eq(s.bytes, rig.snapshots[3], s.bytes_n);
    sb_snapshot_free(&s);
    snprintf(part, sizeof part, "%s.part", path);
    ck_assert_int_ne(stat(part, &status), 0);

    FILE *err = fmemopen(words, sizeof words - 1, "w");
    ck_assert(!sb_snapshot_put("/nonexistent/x", "x", 1, err));
    ck_assert(!sb_snapshot_read(&s, rig.folder, err));
    ck_assert(!sb_snapshot_read(&s, "/nonexistent/x", err));
    ck_assert_int_eq(mkdir(part, 0755),
                     0); /* the temporary file cannot be made: the old one stays */
    ck_assert(!sb_snapshot_put(path, "x", 1, err));
    fclose(err);
    ck_assert_ptr_nonnull(strstr(words, "/nonexistent/x: cannot write: No such file"));
    ck_assert_ptr_nonnull(strstr(words, "cannot read: not a file"));
    ck_assert_ptr_nonnull(strstr(words, "/nonexistent/x: cannot open: No such file"));
    ck_assert_ptr_nonnull(strstr(words, "cannot write: Is a directory"));
    ck_assert(sb_snapshot_read(&s, path, stderr));
    sb_snapshot_free(&s);
    rig_close(&rig);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("recovery-snapshot");
    TCase *tc = tcase_create("snapshot");
    tcase_set_timeout(tc, 100);
    tcase_add_test(tc, layout);
    tcase_add_test(tc, every_flipped_bit_and_every_cut);
    tcase_add_test(tc, head_and_image_disagree);
    tcase_add_test(tc, files);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
