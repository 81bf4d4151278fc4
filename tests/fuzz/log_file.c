/* log_file.c: any bytes as a node's input log, and as the acknowledgements that it is held against. A refusal names file and
 * place; what is read is, written by us, the same bytes; whatever is well formed goes through the engine.
 *
 * input: pick (PICK_*), then the file. Without PICK_SEALED nearly everything ends at a checksum; with it the checksums,
 * and what a writer fills in (magic, numbers, small limits), are put right first. */
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "perf/match_log.h"
#include "replica/log_file.h"
#include "shadowbook/assert.h"
#include "tests/fuzz/file.h"
#include "tests/fuzz/fuzz.h"

enum { PICK_SEALED = 1, PICK_NUMBERED = 2, PICK_ACKS = 4, LOG_LINES = 128 };
enum { HEAD = sizeof(struct sb_log_file_head), PACKET = sizeof(struct sb_log_packet) };

static void seal_head(uint8_t *p)
{
    struct sb_log_file_head h;
    memcpy(&h, p, sizeof h);
    h.magic = SB_LOG_FILE_MAGIC;
    h.version = SB_LOG_FILE_VERSION;
    h.n_first = 1;
    h.limits = (struct sb_kept_limits){.instruments_max = 2,
                                       .sessions_max = 2,
                                       .orders_max = 32,
                                       .levels_max = 32,
                                       .terms_max = 32};
    h.hash = 0;
    h.hash = XXH3_64bits(&h, sizeof h);
    memcpy(p, &h, sizeof h);
}

/* Gives the packet's commands their numbers, from n on, and the packet the number of the first. */
static uint64_t number(struct sb_log_packet *h, uint8_t *lines, uint64_t n)
{
    h->n_first = h->count != 0 ? n : n - 1;
    uint32_t at = 0, count = 0;
    for (; count < h->count && at < h->lines; count++) {
        struct sb_command c;
        memcpy(&c, lines + (size_t)at * SB_LINE_BYTES, sizeof c);
        c.seq = n++;
        memcpy(lines + (size_t)at * SB_LINE_BYTES, &c, sizeof c);
        at += sb_command_lines(&c);
    }
    return n;
}

static void seal(uint8_t *p, size_t size, bool numbered)
{
    if (size < HEAD)
        return;
    seal_head(p);
    uint64_t n = 1;
    for (size_t at = HEAD; at + PACKET <= size;) {
        struct sb_log_packet h;
        memcpy(&h, p + at, sizeof h);
        const size_t bytes = (size_t)h.lines * SB_LINE_BYTES;
        uint8_t *lines = p + at + PACKET;
        if (bytes > size - at - PACKET)
            return;
        if (numbered)
            n = number(&h, lines, n);
        h.hash = 0;
        h.hash = XXH3_64bits_withSeed(lines, bytes, XXH3_64bits(&h, sizeof h));
        memcpy(p + at, &h, sizeof h);
        at += PACKET + bytes;
    }
}

/* Reads the file into a log as a node has it. True: to its good end. */
static bool read_all(const char *path, struct sb_log_reader *r, struct sb_log *log, uint64_t *n)
{
    FILE *err = fuzz_listen();
    int got = -1;
    if (sb_log_reader_open(r, path, err)) {
        while ((got = sb_log_reader_next(r, err)) == 1) {
            memcpy(sb_log_begin(log), r->lines, (size_t)r->packet.lines * SB_LINE_BYTES);
            sb_log_commit(log, r->packet.count, r->packet.lines)->digest = r->packet.digest;
        }
        *n = r->next_n - 1;
        sb_log_reader_close(r);
    }
    const char *said = fuzz_heard(err);
    if (got == 0)
        SB_ASSERT_EQ(said[0], 0);
    else
        fuzz_refusal_judge(said, path, 1);
    return got == 0;
}

static void match(const char *path, const char *acks, bool readable)
{
    struct sb_match_log_result result;
    FILE *err = fuzz_listen();
    const bool good = sb_match_log_run(path, acks, false, &result, err);
    const char *said = fuzz_heard(err);
    SB_ASSERT(readable || !good);
    SB_ASSERT(good ? result.lost != 0 || said[0] == '\0' : said[0] != '\0');
    SB_ASSERT_LE(result.lost, result.acknowledged);
}

static void log_judge(const char *path, const uint8_t *bytes, size_t size)
{
    static struct sb_log_reader r;
    static _Alignas(64) uint8_t mem[LOG_LINES * 2 * SB_LINE_BYTES];
    static uint8_t back[FUZZ_INPUT_MAX];
    struct sb_log log;
    struct sb_arena arena = {.base = mem, .size = sizeof mem};
    uint64_t n = 0;
    sb_log_init(&log, &arena, LOG_LINES);
    const bool good = read_all(path, &r, &log, &n);
    match(path, NULL, good);
    if (!good)
        return;
    const char *again = fuzz_path("again");
    SB_ASSERT(sb_log_file_write(again, &r.head, &log, n, r.state_digest, stderr));
    SB_ASSERT_EQ(fuzz_file_get(again, back, sizeof back), size);
    SB_ASSERT_EQ(memcmp(back, bytes, size), 0);
}

static uint32_t seed_log(uint8_t *p);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t bytes[FUZZ_INPUT_MAX], good[FUZZ_INPUT_MAX];
    if (size < 1 || size > FUZZ_INPUT_MAX)
        return 0;
    const char *path = fuzz_path("log");
    if ((data[0] & PICK_ACKS) != 0) {
        fuzz_file_put(path, good, seed_log(good));
        fuzz_file_put(fuzz_path("acks.csv"), data + 1, size - 1);
        match(path, fuzz_path("acks.csv"), true);
        return 0;
    }
    memcpy(bytes, data + 1, size - 1);
    if ((data[0] & PICK_SEALED) != 0)
        seal(bytes, size - 1, (data[0] & PICK_NUMBERED) != 0);
    fuzz_file_put(path, bytes, size - 1);
    log_judge(path, bytes, size - 1);
    return 0;
}

/* --- seeds ---------------------------------------------------------------------------------- */

static uint32_t put_packet(uint8_t *p, const struct sb_command2 *commands, uint16_t count)
{
    struct sb_log_packet h = {.count = count};
    uint8_t *at = p + sizeof h;
    for (uint16_t i = 0; i < count; i++) {
        const uint32_t lines = sb_command_lines(&commands[i].c);
        memcpy(at, &commands[i], (size_t)lines * SB_LINE_BYTES);
        at += (size_t)lines * SB_LINE_BYTES;
        h.lines = (uint16_t)(h.lines + lines);
    }
    memcpy(p, &h, sizeof h);
    return (uint32_t)(at - p);
}

static uint32_t seed_log(uint8_t *p)
{
    const struct sb_command2 first[] = {
        {.c = {.kind = SB_CMD_DAY, .flags = SB_CMD_F_EXT, .time_ns = 1},
         .ext.day = {.trading_day = 20231114, .shard = 1, .rules = SB_ENGINE_RULES}},
        {.c = {.kind = SB_CMD_SESSION, .flags = SB_CMD_F_EXT, .time_ns = 2, .key = 1, .firm = 1},
         .ext.session = {.operator_right = 1}},
        {.c = {.kind = SB_CMD_INSTRUMENT, .flags = SB_CMD_F_EXT, .time_ns = 3, .instrument = 1},
         .ext.instrument = {.symbol = "FUZZ    ",
                            .tick = 100,
                            .price_min = 100,
                            .price_max = 1000000,
                            .lot = 1,
                            .quantity_max = 1000,
                            .phase = SB_PHASE_CONTINUOUS}}};
    struct sb_command2 second[3] = {{.c = {.kind = SB_CMD_LOGIN, .flags = SB_CMD_F_EXT}},
                                    {.c = {.kind = SB_CMD_ORDER, .side = SB_BUY, .key = 1}},
                                    {.c = {.kind = SB_CMD_ORDER, .side = SB_SELL, .key = 2}}};
    for (uint32_t i = 0; i < 3; i++) {
        struct sb_command *c = &second[i].c;
        c->time_ns = 4 + i;
        c->session = c->firm = 1;
        c->session_seq = i;
        if (i == 0)
            continue;
        c->instrument = 1;
        c->quantity = 10 * i;
        c->price = 10000;
        c->display = 'Y';
        c->capacity = 'P';
    }
    second[0].ext.login.ipv4 = 1;
    second[0].ext.login.port = 1;
    memset(p, 0, HEAD);
    uint32_t n = HEAD;
    n += put_packet(p + n, first, 3);
    n += put_packet(p + n, second, 3);
    n += put_packet(p + n, NULL, 0);
    seal(p, n, true);
    return n;
}

uint32_t fuzz_seed(uint32_t i, uint8_t *out)
{
    static const char acks[] = "session,message_seq,key,kind,timestamp\n1,1,1,A,5\n1,2,2,A,6\n";
    out[0] = (uint8_t)(i == 0   ? 0
                       : i == 1 ? PICK_SEALED
                       : i == 2 ? PICK_SEALED | PICK_NUMBERED
                                : PICK_ACKS);
    if (i < 3)
        return 1 + seed_log(out + 1);
    if (i > 3)
        return 0;
    memcpy(out + 1, acks, sizeof acks - 1);
    return sizeof acks;
}
