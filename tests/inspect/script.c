#include "tests/inspect/script.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "perf/verbs.h"
#include "replica/journal_reader.h"
#include "replica/log_file.h"
#include "shadowbook/assert.h"

const struct sb_engine_limits script_limits = {.instruments_max = 4,
                                               .sessions_max = 4,
                                               .orders_max = 64,
                                               .levels_max = 64,
                                               .terms_max = 64,
                                               .window_levels = 64};

void script_open(struct script *s, const struct sb_engine_limits *limits, uint32_t lines_cap)
{
    memset(s, 0, sizeof *s);
    s->limits = *limits;
    s->shard = SCRIPT_SHARD;
    s->trading_day = 20261124;
    SB_ASSERT(sb_match_engine_open(&s->m, limits));
    const size_t bytes = (size_t)lines_cap * 2 * SB_LINE_BYTES;
    s->memory = aligned_alloc(64, bytes);
    SB_ASSERT(s->memory != NULL);
    memset(s->memory, 0, bytes);
    struct sb_arena arena = {.base = s->memory, .size = bytes};
    sb_log_init(&s->log, &arena, lines_cap);
    s->time_ns = SCRIPT_BEGIN_NS - 1000000000u;
    script_turn(s, 1u << 2);
}

void script_close(struct script *s)
{
    sb_match_engine_close(&s->m);
    free(s->memory);
}

void script_turn(struct script *s, uint64_t epoch)
{
    SB_ASSERT_LT(s->turns_n, SCRIPT_TURNS_MAX);
    s->turns[s->turns_n].packet = s->log.packet_end;
    s->turns[s->turns_n++].epoch = epoch;
}

void script_clock(struct script *s, uint64_t bound_ns)
{
    SB_ASSERT_LT(s->clocks_n, SCRIPT_CLOCKS_MAX);
    s->clocks[s->clocks_n].packet = s->log.packet_end;
    s->clocks[s->clocks_n++].bound_ns = bound_ns;
}

void script_put(struct script *s, const struct sb_command *c)
{
    struct sb_command *to = sb_log_begin(&s->log) + s->lines;
    const uint32_t lines = sb_command_lines(c);
    SB_ASSERT_LE(s->lines + lines, SB_STREAM_LINES_MAX);
    memcpy(to, c, (size_t)lines * SB_LINE_BYTES);
    to->seq = s->log.len + s->count + 1u;
    if (to->time_ns == 0)
        to->time_ns = s->time_ns + 1000000000u;
    s->time_ns = to->time_ns;
    s->count++;
    s->lines = (uint16_t)(s->lines + lines);
    sb_engine_apply(s->m.engine, to, &s->m.box);
}

void script_seal(struct script *s)
{
    sb_log_commit(&s->log, s->count, s->lines)->digest = sb_engine_seal(s->m.engine, &s->m.box);
    SB_ASSERT_EQ(s->log.packet_first, 0);
    s->count = s->lines = 0;
}

void script_end(struct script *s)
{
    s->state_digest = sb_engine_state_digest(s->m.engine);
}

void script_add(struct script *s, struct sb_command2 c)
{
    script_put(s, &c.c);
    script_seal(s);
}

void script_set_up(struct script *s, uint8_t phase)
{
    script_add(s, (struct sb_command2){.c = {.kind = SB_CMD_DAY, .flags = SB_CMD_F_EXT},
                                       .ext.day = {.midnight_ns = SCRIPT_MIDNIGHT_NS,
                                                   .trading_day = s->trading_day,
                                                   .shard = s->shard,
                                                   .rules = SB_ENGINE_RULES}});
    for (uint32_t i = 1; i <= 3; i++)
        script_add(
            s, (struct sb_command2){
                   .c = {.kind = SB_CMD_SESSION, .flags = SB_CMD_F_EXT, .key = i, .firm = 10 * i},
                   .ext.session = {.operator_right = i == 3}});
    script_add(s, (struct sb_command2){
                      .c = {.kind = SB_CMD_INSTRUMENT, .flags = SB_CMD_F_EXT, .instrument = 1},
                      .ext.instrument = {.symbol = {'A', 'A', 'A', ' ', ' ', ' ', ' ', ' '},
                                         .tick = 100,
                                         .price_min = 100,
                                         .price_max = 10000000,
                                         .lot = 1,
                                         .quantity_max = 100000,
                                         .phase = phase}});
}

void script_order(struct script *s, uint32_t session, uint32_t key, uint8_t side, uint32_t quantity,
                  int64_t price, uint8_t tif, const char *clordid)
{
    struct sb_command2 c = {.c = {.kind = SB_CMD_ORDER,
                                  .session = session,
                                  .firm = 10 * session,
                                  .key = key,
                                  .instrument = 1,
                                  .side = side,
                                  .tif = tif,
                                  .quantity = quantity,
                                  .price = price,
                                  .capacity = 'A'}};
    if (clordid != NULL) {
        SB_ASSERT_LE(strlen(clordid), sizeof c.ext.order.clordid);
        c.c.flags = SB_CMD_F_EXT;
        memset(c.ext.order.clordid, ' ', sizeof c.ext.order.clordid);
        memcpy(c.ext.order.clordid, clordid, strlen(clordid));
    }
    script_add(s, c);
}

void script_command(struct script *s, uint8_t kind, uint32_t session, uint32_t key,
                    uint32_t quantity)
{
    script_add(s, (struct sb_command2){.c = {.kind = kind,
                                             .session = session,
                                             .firm = 10 * session,
                                             .key = key,
                                             .quantity = quantity}});
}

void script_phase(struct script *s, uint8_t phase)
{
    script_add(s, (struct sb_command2){
                      .c = {.kind = SB_CMD_PHASE, .session = 3, .instrument = 1, .phase = phase}});
}

void script_uncross(struct script *s)
{
    script_add(s,
               (struct sb_command2){.c = {.kind = SB_CMD_UNCROSS, .session = 3, .instrument = 1}});
}

/* --- on disk -------------------------------------------------------------------------------------- */

void script_store_log(const struct script *s, const char *path, uint8_t sender)
{
    const struct sb_log_file_head head = {.magic = SB_LOG_FILE_MAGIC,
                                          .version = SB_LOG_FILE_VERSION,
                                          .shard = s->shard,
                                          .epoch = s->turns[s->turns_n - 1].epoch,
                                          .inc = 7,
                                          .n_first = 1,
                                          .limits = sb_limits_keep(&s->limits),
                                          .sender = sender};
    SB_ASSERT(sb_log_file_write(path, &head, &s->log, s->log.len, s->state_digest, stderr));
}

struct disk {
    FILE *file;
    struct sb_journal_block *block;
    uint64_t number, previous, inc;
    uint16_t shard;
    uint8_t sender;
};

static uint8_t *begin_block(struct disk *d, uint8_t kind, uint64_t epoch, uint64_t n_first)
{
    *d->block = (struct sb_journal_block){.head = {.type = kind,
                                                   .shard = d->shard,
                                                   .epoch = epoch,
                                                   .inc = d->inc,
                                                   .sender = d->sender},
                                          .number = d->number++,
                                          .previous = d->previous,
                                          .n_first = n_first,
                                          .length = sizeof *d->block};
    return (uint8_t *)(d->block + 1);
}

static void end_block(struct disk *d)
{
    const uint32_t bytes = sb_journal_seal(d->block);
    d->previous = d->block->hash;
    SB_ASSERT(fwrite(d->block, 1, bytes, d->file) == bytes);
}

static uint64_t epoch_of(const struct script *s, uint64_t packet)
{
    uint32_t i = s->turns_n - 1;
    while (s->turns[i].packet > packet)
        i--;
    return s->turns[i].epoch;
}

static void put_record(struct disk *d, const struct sb_journal_record *r)
{
    memcpy(begin_block(d, SB_JOURNAL_RECORD, r->epoch, r->n + 1), r, sizeof *r);
    d->block->length += (uint32_t)sizeof *r;
    end_block(d);
}

/* The CLOCK record that stands before a packet; NULL: none does. */
static const uint64_t *clock_of(const struct script *s, uint64_t packet)
{
    for (uint32_t i = 0; i < s->clocks_n; i++)
        if (s->clocks[i].packet == packet)
            return &s->clocks[i].bound_ns;
    return NULL;
}

/* Packets from *at on, as many as go into one block. */
static void put_data(struct disk *d, const struct script *s, uint64_t *at)
{
    const uint64_t epoch = epoch_of(s, *at), first = *at;
    const uint64_t *bound_ns = clock_of(s, first);
    if (bound_ns != NULL)
        put_record(d, &(struct sb_journal_record){.epoch = epoch,
                                                  .n = sb_log_packet(&s->log, first)->n_first - 1,
                                                  .clock_bound_ns = *bound_ns,
                                                  .kind = SB_RECORD_CLOCK});
    uint8_t *to = begin_block(d, SB_JOURNAL_DATA, epoch, sb_log_packet(&s->log, *at)->n_first);
    while (*at < s->log.packet_end && epoch_of(s, *at) == epoch && d->block->length < 200000 &&
           (*at == first || clock_of(s, *at) == NULL)) {
        const struct sb_packet *p = sb_log_packet(&s->log, (*at)++);
        const struct sb_journal_packet head = {
            .n_first = p->n_first, .digest = p->digest, .count = p->count, .lines = p->lines};
        const size_t bytes = (size_t)p->lines * SB_LINE_BYTES;
        memcpy(to, &head, sizeof head);
        memcpy(to + sizeof head, sb_log_lines(&s->log, p), bytes);
        to += sizeof head + bytes;
        d->block->count += p->count;
        d->block->lines += p->lines;
        d->block->packets++;
        d->block->length += (uint32_t)(sizeof head + bytes);
    }
    end_block(d);
}

void script_store_journal(const struct script *s, const char *folder, uint8_t sender, uint64_t inc)
{
    char path[SB_JOURNAL_FILE_BYTES];
    SB_ASSERT(mkdir(folder, 0755) == 0);
    struct disk d = {.file = fopen(sb_journal_file(path, folder, 1), "wb"),
                     .block = aligned_alloc(64, SB_JOURNAL_BLOCK_MAX),
                     .shard = s->shard,
                     .sender = sender,
                     .inc = inc};
    SB_ASSERT(d.file != NULL && d.block != NULL);
    const struct sb_journal_segment segment = {
        .segment = 1, .trading_day = s->trading_day, .limits = sb_limits_keep(&s->limits)};
    memcpy(begin_block(&d, SB_JOURNAL_SEGMENT, s->turns[0].epoch, 1), &segment, sizeof segment);
    d.block->length += (uint32_t)sizeof segment;
    end_block(&d);
    for (uint64_t at = 0; at < s->log.packet_end;)
        put_data(&d, s, &at);
    const uint64_t epoch = s->turns[s->turns_n - 1].epoch;
    const struct sb_journal_record end = {.epoch = epoch,
                                          .n = s->log.len,
                                          .digest = sb_engine_digest(s->m.engine),
                                          .state_digest = s->state_digest,
                                          .kind = SB_RECORD_END};
    put_record(&d, &end);
    SB_ASSERT(fclose(d.file) == 0);
    free(d.block);
}

int script_inspect(char *said, size_t n, const char *const *arguments)
{
    char words[16][256], *argv[17] = {words[0]};
    int argc = 1;
    snprintf(words[0], sizeof words[0], "inspect");
    for (; arguments[argc - 1] != NULL; argc++) {
        SB_ASSERT_LT(argc, 16);
        snprintf(words[argc], sizeof words[argc], "%s", arguments[argc - 1]);
        argv[argc] = words[argc];
    }
    argv[argc] = NULL;
    FILE *out = tmpfile();
    SB_ASSERT(out != NULL);
    fflush(stdout);
    const int saved = dup(STDOUT_FILENO);
    SB_ASSERT(dup2(fileno(out), STDOUT_FILENO) >= 0);
    const int code = sb_inspect_main(argc, argv);
    fflush(stdout);
    SB_ASSERT(dup2(saved, STDOUT_FILENO) >= 0);
    close(saved);
    rewind(out);
    said[fread(said, 1, n - 1, out)] = '\0';
    fclose(out);
    return code;
}
