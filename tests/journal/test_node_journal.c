/* test_node_journal.c: two nodes with a journal each, and a takeover: the journal of the survivor, run through the engine, is
 * what its log file is; the two journals do not differ as far as both go. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "perf/match_log.h"
#include "replica/journal_writer.h"
#include "replica/log_file.h"
#include "tests/replica/bench.h"

struct rig {
    struct bench bench;
    struct sb_journal journal[2];
    char dir[64], folder[2][96], log[96];
};

static struct rig rig;

static void rig_open(struct rig *r)
{
    memset(r, 0, sizeof *r);
    strcpy(r->dir, "/tmp/shadowbook-test-node-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(r->dir));
    snprintf(r->log, sizeof r->log, "%s/log", r->dir);
    bench_pair(&r->bench, NULL);
    for (int i = 0; i < 2; i++) {
        snprintf(r->folder[i], sizeof r->folder[i], "%s/1-%c/1", r->dir, 'A' + i);
        const struct sb_journal_setup setup = {.folder = r->folder[i],
                                               .shard = r->bench.config.shard,
                                               .sender = (uint8_t)i,
                                               .inc = 7,
                                               .trading_day = 20231114,
                                               .limits = r->bench.config.limits,
                                               .segment_bytes = 1u << 20,
                                               .ring_bytes = 1u << 20,
                                               .lag_max_ns = UINT64_C(60000000000),
                                               .on_fault = SB_JOURNAL_STOP};
        ck_assert(sb_journal_open(&r->journal[i], &setup, stderr));
    }
}

static void rig_close(struct rig *r)
{
    bench_close(&r->bench);
    char command[96];
    snprintf(command, sizeof command, "rm -r '%s'", r->dir);
    ck_assert_int_eq(system(command), 0);
}

static void run(struct rig *r, uint64_t ns)
{
    struct bench *b = &r->bench;
    for (const uint64_t end = b->now_ns + ns; b->now_ns < end;) {
        bench_step(b);
        for (int i = 0; i < 2; i++)
            if (!b->down[i])
                ck_assert(!sb_journal_writer_turn(&r->journal[i].writer, sb_node_log(b->node[i]),
                                                  sb_engine_applied(sb_node_engine(b->node[i])),
                                                  sb_node_epoch(b->node[i]), b->now_ns));
    }
}

static void orders(struct rig *r, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        bench_order(&r->bench, i % 3 == 0 ? 'S' : 'B', 10000 + 100 * (i % 5));
        run(r, 3000 + 2000 * (i % 7 == 0));
    }
    run(r, 1000000);
}

static void write_log(const struct rig *r, uint64_t state)
{
    const struct sb_node *node = r->bench.node[1];
    const struct sb_log_file_head head = {.magic = SB_LOG_FILE_MAGIC,
                                          .version = SB_LOG_FILE_VERSION,
                                          .n_first = 1,
                                          .limits = sb_limits_keep(&r->bench.config.limits)};
    ck_assert(sb_log_file_write(r->log, &head, sb_node_log(node),
                                sb_engine_applied(sb_node_engine(node)), state, stderr));
}

/* Runs the survivor's journal through the engine; its words in said. */
static bool match(const struct rig *r, struct sb_match_log_result *result, char said[512])
{
    memset(said, 0, 512);
    FILE *err = fmemopen(said, 511, "w");
    const bool good = sb_match_log_run(r->folder[1], NULL, false, result, err);
    fclose(err);
    return good;
}

static void flip_bit(const char *path, long at)
{
    FILE *f = fopen(path, "r+b");
    ck_assert_ptr_nonnull(f);
    ck_assert_int_eq(fseek(f, at, SEEK_SET), 0);
    const int was = fgetc(f);
    ck_assert_int_ge(was, 0);
    ck_assert_int_eq(fseek(f, at, SEEK_SET), 0);
    ck_assert_int_eq(fputc(was ^ 16, f), was ^ 16);
    fclose(f);
}

/* Cut, the journal is run as far as it goes; damaged in the middle, it is refused by its place. */
static void damage(const struct rig *r, const struct sb_match_log_result *whole)
{
    struct sb_match_log_result result;
    char path[SB_JOURNAL_FILE_BYTES], said[512];
    sb_journal_file(path, r->folder[1], 1);
    flip_bit(path, 3 * SB_JOURNAL_ALIGN + 150);
    ck_assert(!match(r, &result, said));
    ck_assert_msg(strstr(said, "segment 00000001 at offset ") != NULL &&
                      strstr(said, "DAMAGED") != NULL,
                  "%s", said);
    flip_bit(path, 3 * SB_JOURNAL_ALIGN + 150);
    ck_assert(match(r, &result, said));
    ck_assert_str_eq(said, "");

    struct stat status; /* the end mark goes, and a part of the block before it */
    ck_assert_int_eq(stat(path, &status), 0);
    ck_assert_int_eq(truncate(path, status.st_size - 2 * SB_JOURNAL_ALIGN + 100), 0);
    ck_assert(match(r, &result, said));
    ck_assert_ptr_nonnull(strstr(said, "torn tail"));
    ck_assert(!result.closed);
    ck_assert_uint_lt(result.inputs, whole->inputs);
    ck_assert_uint_eq(result.packets_different, 0);
}

START_TEST(survivor)
{
    rig_open(&rig);
    struct bench *b = &rig.bench;
    orders(&rig, 300);
    b->down[SB_NODE_A] = true;
    ck_assert(sb_journal_close(&rig.journal[0], stderr)); /* without an end mark */
    run(&rig, 10000000);
    ck_assert(b->went_live[SB_NODE_B]);
    orders(&rig, 300);

    const struct sb_engine *e = sb_node_engine(b->node[1]);
    const uint64_t state = sb_engine_state_digest(e);
    const struct sb_journal_record end = {.epoch = sb_node_epoch(b->node[1]),
                                          .n = rig.journal[1].writer.queued_n,
                                          .digest = sb_engine_digest(e),
                                          .state_digest = state,
                                          .kind = SB_RECORD_END};
    ck_assert(sb_journal_writer_record(&rig.journal[1].writer, &end, end.epoch));
    ck_assert(sb_journal_close(&rig.journal[1], stderr));
    write_log(&rig, state);

    struct sb_match_log_result file, journal[2];
    ck_assert(sb_match_log_run(rig.log, NULL, false, &file, stderr));
    for (int i = 0; i < 2; i++) {
        ck_assert(sb_match_log_run(rig.folder[i], NULL, false, &journal[i], stderr));
        ck_assert_uint_eq(journal[i].packets_different, 0);
    }
    ck_assert_uint_gt(file.trades, 100);
    ck_assert_uint_gt(file.inputs, 600);
    ck_assert_uint_eq(journal[1].inputs, file.inputs);
    ck_assert_uint_eq(journal[1].packets, file.packets);
    ck_assert_uint_eq(journal[1].trades, file.trades);
    ck_assert_uint_eq(journal[1].outputs, file.outputs);
    ck_assert_uint_eq(journal[1].digest, file.digest);
    ck_assert_uint_eq(journal[1].state_digest, state);
    ck_assert(journal[1].closed);
    ck_assert_uint_eq(journal[1].state_digest_logged, state);
    ck_assert(!journal[0].closed);
    ck_assert_uint_gt(journal[0].inputs, 300);
    ck_assert_uint_lt(journal[0].inputs, file.inputs);

    struct sb_journal_reader reader; /* the takeover is in it */
    ck_assert(sb_journal_reader_open(&reader, rig.folder[1], stderr));
    while (sb_journal_reader_block(&reader, stderr) == 1)
        ;
    ck_assert_int_eq(reader.found, SB_FOUND_CLOSED);
    ck_assert_uint_eq(reader.scan.block.head.epoch & 3, SB_EPOCH_S);
    sb_journal_reader_close(&reader);
    damage(&rig, &file);
    rig_close(&rig);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("journal-node");
    TCase *tc = tcase_create("node");
    tcase_set_timeout(tc, 100);
    tcase_add_test(tc, survivor);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
