/* make_journal.c: make_journal CONFIG NAME FLOW EVENTS [RULES]: the journal of a node that owned a long day alone and was killed, in the
 * folder where the node of that name will look for it: a flow, repeated under new order keys until it has so many events.
 *
 * By the real writer, in packets of 16 inputs, with the digests that the engine makes; RULES stands in its DAY for the engine's own
 * version. Last line on the standard output:
 * inputs, digest and full-state digest. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "perf/flow_commands.h"
#include "perf/match.h"
#include "perf/numbers.h"
#include "replica/journal_writer.h"

enum { PACKET = 16, LOG_LINES = 1 << 20, EPOCH = 1 << 2 | SB_EPOCH_S };

struct maker {
    struct sb_config config;
    struct sb_flow_commands flow;
    struct sb_match_engine m;
    struct sb_log log;
    struct sb_journal journal;
    uint64_t events, time_ns, rules;
    uint32_t keys_before; /* of the repetitions before this one */
    uint16_t count, lines;
};

static uint32_t today(void)
{
    const time_t now = time(NULL);
    struct tm day;
    gmtime_r(&now, &day);
    return (uint32_t)((day.tm_year + 1900) * 10000 + (day.tm_mon + 1) * 100 + day.tm_mday);
}

static bool open_journal(struct maker *k, const char *name)
{
    const struct sb_config *c = &k->config;
    char folder[SB_JOURNAL_PATH_BYTES];
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    const uint64_t inc = (uint64_t)now.tv_sec * UINT64_C(1000000000);
    snprintf(folder, sizeof folder, "%s/%u-%s/%020" PRIu64, c->journal_dir, c->shard, name, inc);
    const struct sb_journal_setup setup = {.folder = folder,
                                           .shard = c->shard,
                                           .generation = c->generation,
                                           .sender = strcmp(name, "A") == 0 ? SB_NODE_A : SB_NODE_B,
                                           .inc = inc,
                                           .epoch = EPOCH,
                                           .trading_day =
                                               c->trading_day != 0 ? c->trading_day : today(),
                                           .limits = c->limits,
                                           .segment_bytes = c->journal_segment_bytes,
                                           .ring_bytes = c->journal_ring_bytes,
                                           .lag_max_ns = UINT64_C(3600000000000),
                                           .on_fault = SB_JOURNAL_STOP};
    const struct sb_journal_record solo = {.epoch = EPOCH, .kind = SB_RECORD_SOLO};
    return sb_journal_open(&k->journal, &setup, stderr) &&
           sb_journal_writer_record(&k->journal.writer, &solo, EPOCH);
}

/* False: the writer has had a fault. */
static bool seal(struct maker *k)
{
    struct sb_journal_writer *w = &k->journal.writer;
    sb_log_commit(&k->log, k->count, k->lines)->digest = sb_engine_seal(k->m.engine, &k->m.box);
    k->count = k->lines = 0;
    while (sb_byte_ring_used(&w->ring) > w->setup.ring_bytes / 2)
        nanosleep(&(struct timespec){.tv_nsec = 50000}, NULL);
    if (sb_journal_writer_turn(w, &k->log, k->log.len, EPOCH, 0))
        sb_journal_writer_say(w, stderr);
    return w->state == SB_JOURNAL_WRITING;
}

static bool put(struct maker *k, const struct sb_command *c)
{
    struct sb_command *to = sb_log_begin(&k->log) + k->lines;
    const uint32_t lines = sb_command_lines(c);
    memcpy(to, c, lines * sizeof *to);
    to->seq = k->log.len + k->count + 1u;
    to->time_ns = k->time_ns = c->time_ns > k->time_ns ? c->time_ns : k->time_ns + 1;
    if (to->key != 0 && to->kind != SB_CMD_SESSION)
        to->key += k->keys_before;
    if (to->orig_key != 0)
        to->orig_key += k->keys_before;
    if (to->kind == SB_CMD_DAY) {
        union sb_command_ext *ext = (union sb_command_ext *)(void *)(to + 1);
        ext->day.trading_day = k->journal.writer.setup.trading_day;
        ext->day.shard = k->config.shard;
        ext->day.generation = k->config.generation;
    }
    k->count++;
    k->lines = (uint16_t)(k->lines + lines);
    sb_engine_apply(k->m.engine, to, &k->m.box);
    if (to->kind == SB_CMD_DAY)
        ((union sb_command_ext *)(void *)(to + 1))->day.rules = (uint16_t)k->rules;
    return (k->count < PACKET && k->lines + 2 <= SB_STREAM_LINES_MAX) || seal(k);
}

static bool make(struct maker *k)
{
    const struct sb_flow_commands *f = &k->flow;
    /* What a repetition left open goes: the books of a day do not grow without bound. */
    const struct sb_command close = {.kind = SB_CMD_PHASE,
                                     .session = SB_FLOW_SESSION,
                                     .instrument = SB_INSTRUMENT_ALL,
                                     .phase = SB_PHASE_CLOSED};
    bool good = true;
    uint64_t made = 0;
    for (size_t at = 0; good && made < k->events; at = f->setup_lines) {
        const struct sb_command *c = f->lines + at;
        for (; good && made < k->events && c < f->lines + f->lines_n; c += sb_command_lines(c)) {
            good = put(k, c);
            made += c >= f->lines + f->setup_lines;
        }
        k->keys_before += f->keys;
        good = good && made < k->events ? put(k, &close) : good;
    }
    return good && (k->count == 0 || seal(k));
}

static bool open_all(struct maker *k, char **argv)
{
    char error[SB_LINES_ERROR_BYTES];
    if (!sb_config_load(&k->config, argv[1], stderr))
        return false;
    if (!sb_flow_commands_load(&k->flow, argv[3], error)) {
        fprintf(stderr, "%s\n", error);
        return false;
    }
    const size_t bytes = (size_t)LOG_LINES * 2 * SB_LINE_BYTES;
    void *memory = aligned_alloc(64, bytes);
    if (memory == NULL || !sb_match_engine_open(&k->m, &k->config.limits)) {
        fprintf(stderr, "out of memory\n");
        return false;
    }
    memset(memory, 0, bytes);
    struct sb_arena arena = {.base = memory, .size = bytes};
    sb_log_init(&k->log, &arena, LOG_LINES);
    return open_journal(k, argv[2]);
}

int main(int argc, char **argv)
{
    static struct maker k = {.rules = SB_ENGINE_RULES};
    if (argc < 5 || argc > 6 || !sb_number_read(argv[4], 1, UINT32_MAX, &k.events) ||
        (argc == 6 && !sb_number_read(argv[5], 0, UINT16_MAX, &k.rules))) {
        fprintf(stderr, "usage: make_journal CONFIG NAME FLOW EVENTS [RULES]\n");
        return 2;
    }
    if (!open_all(&k, argv) || !make(&k))
        return 1;
    if (!sb_journal_close(&k.journal, stderr)) /* without an END: killed */
        return 1;
    const struct sb_engine *e = k.m.engine;
    printf("%" PRIu64 " %016" PRIx64 " %016" PRIx64 "\n", sb_engine_applied(e), sb_engine_digest(e),
           sb_engine_state_digest(e));
    return 0;
}
