#include "tests/recovery/rig.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "perf/match.h"
#include "tests/differential/random_flow.h"

/* --- making it ------------------------------------------------------------------------------------- */

/* Copies the commands of a packet, numbered, to lines. Returns how many lines. */
static uint16_t put_packet(struct sb_command *lines, const struct sb_command2 *commands,
                           uint64_t n_first, uint16_t count)
{
    uint16_t at = 0;
    for (uint16_t i = 0; i < count; i++) {
        struct sb_command2 c = commands[i];
        c.c.seq = n_first + i;
        memcpy(&lines[at], &c, sb_command_lines(&c.c) * sizeof *lines);
        at = (uint16_t)(at + sb_command_lines(&c.c));
    }
    return at;
}

static void keep_state(struct rig *r, uint32_t k, const struct sb_engine *e)
{
    r->n[k] = sb_engine_applied(e);
    r->digest[k] = sb_engine_digest(e);
    r->state[k] = sb_engine_state_digest(e);
    r->snapshot_bytes[k] = sb_snapshot_bytes(e);
    r->snapshots[k] = malloc(r->snapshot_bytes[k]);
    ck_assert_ptr_nonnull(r->snapshots[k]);
    sb_snapshot_make(e, r->snapshots[k], r->snapshot_bytes[k]);
}

static void add_packet(struct rig *r, uint32_t k, const struct random_flow *flow,
                       struct sb_match_engine *m)
{
    struct sb_command lines[SB_STREAM_LINES_MAX];
    uint32_t outputs;
    const uint64_t n_first = r->journal.next_n;
    const uint16_t count = (uint16_t)(1 + k % 8);
    const uint16_t n = put_packet(lines, &flow->commands[n_first - 1], n_first, count);
    ck_assert_ptr_null(sb_match_packet(m, lines, count, &outputs));
    memory_packet(&r->journal, lines, count, n, sb_engine_digest(m->engine));
    keep_state(r, k, m->engine);
}

/* The day is the first of every log, and a session's messages have no holes. */
static void as_a_sequencer_has_it(struct random_flow *flow)
{
    uint64_t last[16] = {0};
    while (flow->commands[0].c.kind != SB_CMD_DAY)
        memmove(&flow->commands[0], &flow->commands[1], --flow->n * sizeof *flow->commands);
    for (uint32_t i = 0; i < flow->n; i++) {
        struct sb_command *c = &flow->commands[i].c;
        if (c->session_seq != 0)
            c->session_seq = ++last[c->session];
    }
}

static void make(struct rig *r, uint64_t seed)
{
    struct random_flow flow;
    struct sb_match_engine m;
    random_flow_make(&flow, seed, 200);
    as_a_sequencer_has_it(&flow);
    r->limits = flow.limits;
    ck_assert(sb_match_engine_open(&m, &flow.limits));
    struct memory *j = &r->journal;
    memory_begin(j);
    j->shard = 1; /* as random_flow.c has it */
    j->generation = 0;
    j->trading_day = 20000101;
    j->limits = flow.limits;
    for (uint32_t k = 0; k < RIG_PACKETS; k++) {
        if (k % RIG_SEGMENT_PACKETS == 0) {
            if (j->segments == 2)
                j->inc++;
            memory_segment(j);
        }
        add_packet(r, k, &flow, &m);
        if (k == 4) {
            j->epoch = RIG_SOLO_EPOCH;
            memory_record(j, SB_RECORD_SOLO);
        }
    }
    memory_end(j, sb_engine_digest(m.engine), sb_engine_state_digest(m.engine));
    sb_match_engine_close(&m);
    free(flow.commands);
}

void rig_open(struct rig *r, uint64_t seed)
{
    memset(r, 0, sizeof *r);
    strcpy(r->dir, "/tmp/shadowbook-test-recovery-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(r->dir));
    snprintf(r->folder, sizeof r->folder, "%s/99", r->dir);
    make(r, seed);
    rig_restore(r);
}

static void remove_folder(const char *path)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", path);
    ck_assert_int_eq(system(command), 0);
}

void rig_close(struct rig *r)
{
    for (uint32_t k = 0; k < RIG_PACKETS; k++)
        free(r->snapshots[k]);
    remove_folder(r->dir);
}

void rig_restore(struct rig *r)
{
    char path[SB_SNAPSHOT_PATH_BYTES];
    for (uint32_t k = 0; k < RIG_PACKETS; k++)
        unlink(sb_snapshot_file(path, r->folder, r->n[k]));
    memory_store(&r->journal, r->folder);
}

void rig_snapshot(struct rig *r, uint32_t k, uint64_t as)
{
    char path[SB_SNAPSHOT_PATH_BYTES];
    sb_snapshot_file(path, r->folder, as != 0 ? as : r->n[k]);
    ck_assert(sb_snapshot_put(path, r->snapshots[k], r->snapshot_bytes[k], stderr));
}

void rig_drop_segment(struct rig *r, uint64_t segment)
{
    char path[SB_JOURNAL_FILE_BYTES];
    ck_assert_int_eq(unlink(sb_journal_file(path, r->folder, segment)), 0);
}

/* --- reading it -------------------------------------------------------------------------------------- */

enum sb_recovery_opened rig_recover(struct rig *r, struct sb_recovery *recovery, bool whole)
{
    memset(r->said, 0, sizeof r->said);
    FILE *err = fmemopen(r->said, sizeof r->said - 1, "w");
    const enum sb_recovery_opened opened = sb_recovery_open(recovery, r->folder, whole, err);
    fclose(err);
    return opened;
}

/* The packet that ends with input n, or RIG_PACKETS. */
static uint32_t packet_of(const struct rig *r, uint64_t n)
{
    uint32_t k = 0;
    while (k < RIG_PACKETS && r->n[k] != n)
        k++;
    return k;
}

static void expect_state(const struct rig *r, const struct sb_engine *e)
{
    const uint32_t k = packet_of(r, sb_engine_applied(e));
    ck_assert_uint_lt(k, RIG_PACKETS);
    ck_assert_uint_eq(sb_engine_digest(e), r->digest[k]);
    ck_assert_uint_eq(sb_engine_state_digest(e), r->state[k]);
}

uint64_t rig_replay(struct rig *r, struct sb_recovery *recovery, int *more)
{
    struct sb_match_engine m;
    ck_assert(sb_engine_limits_equal(&recovery->limits, &r->limits));
    ck_assert(sb_match_engine_open(&m, &recovery->limits));
    if (recovery->snapshot.bytes != NULL) {
        ck_assert_ptr_null(sb_snapshot_load(&recovery->snapshot, m.engine));
        expect_state(r, m.engine);
    }
    const struct sb_journal_packet *p;
    const struct sb_command *lines;
    FILE *err = fmemopen(r->said, sizeof r->said - 1, "w");
    while ((*more = sb_recovery_packet(recovery, &p, &lines, err)) == 1) {
        uint32_t outputs;
        ck_assert_uint_eq(p->n_first, sb_engine_applied(m.engine) + 1);
        ck_assert_ptr_null(sb_match_packet(&m, lines, p->count, &outputs));
        ck_assert_uint_eq(p->digest, sb_engine_digest(m.engine));
        expect_state(r, m.engine);
    }
    if (*more == 0)
        sb_recovery_say_end(recovery, err);
    fclose(err);
    const uint64_t n = sb_engine_applied(m.engine);
    sb_match_engine_close(&m);
    return n;
}

/* --- verbs --------------------------------------------------------------------------------------------- */

int rig_verb(struct rig *r, int (*verb)(int argc, char **argv), int argc, const char *const *argv)
{
    char out[96], words[8][128], *pointers[9] = {NULL};
    ck_assert_int_lt(argc, 8);
    for (int i = 0; i < argc; i++) {
        snprintf(words[i], sizeof words[i], "%s", argv[i]);
        pointers[i] = words[i];
    }
    snprintf(out, sizeof out, "%s/out", r->dir);
    fflush(stdout);
    fflush(stderr);
    const int saved[2] = {dup(STDOUT_FILENO), dup(STDERR_FILENO)};
    FILE *f = fopen(out, "w+");
    ck_assert_ptr_nonnull(f);
    ck_assert_int_ge(dup2(fileno(f), STDOUT_FILENO), 0);
    ck_assert_int_ge(dup2(fileno(f), STDERR_FILENO), 0);
    const int code = verb(argc, pointers);
    fflush(stdout);
    fflush(stderr);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_ge(dup2(saved[i], i == 0 ? STDOUT_FILENO : STDERR_FILENO), 0);
        close(saved[i]);
    }
    rewind(f);
    memset(r->said, 0, sizeof r->said);
    (void)!fread(r->said, 1, sizeof r->said - 1, f);
    fclose(f);
    return code;
}
