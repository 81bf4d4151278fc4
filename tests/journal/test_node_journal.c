/* test_node_journal.c: two nodes with a journal each, and a takeover: the journal of the survivor, run through the engine, is
 * what its log file is; the two journals do not differ as far as both go. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
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
                                               .segment_bytes = 1u << 16,
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
                                          .limits = r->bench.config.limits};
    ck_assert(sb_log_file_write(r->log, &head, sb_node_log(node),
                                sb_engine_applied(sb_node_engine(node)), state, stderr));
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
    ck_assert(sb_match_log_run(rig.log, NULL, &file, stderr));
    for (int i = 0; i < 2; i++) {
        ck_assert(sb_match_log_run(rig.folder[i], NULL, &journal[i], stderr));
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
