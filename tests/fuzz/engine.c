/* engine.c: any bytes as a series of commands, through the engine and the reference matcher side by side.
 *
 * Thirty-two bytes are a command; what would not be let into a log (sb_command_valid()) is left out. A fixed day comes first, then
 * sessions and instruments whose rules are the first record. */
#include <string.h>

#include "shadowbook/assert.h"
#include "tests/differential/compare.h"
#include "tests/fuzz/fuzz.h"

enum { RECORD = 32, FIRST = 6, SESSIONS = 3, COMMANDS_MAX = FIRST + FUZZ_INPUT_MAX / RECORD };

static const uint64_t START_NS = UINT64_C(1700000000000000000);

static uint32_t pair_of(const uint8_t *p)
{
    return (uint32_t)(p[0] | p[1] << 8);
}

/* --- definitions ------------------------------------------------------------------------------- */

static struct sb_command2 session(uint32_t i, const uint8_t *p)
{
    return (struct sb_command2){
        .c = {.kind = SB_CMD_SESSION, .flags = SB_CMD_F_EXT, .key = i, .firm = i / 2},
        .ext.session = {.operator_right = i == 1,
                        .stp = (uint8_t)(p[i] % (SB_STP_DECREMENT + 1)),
                        .stp_group = p[i] >> 6,
                        .orders_max = p[3 + i] < 200 ? 0 : p[3 + i] % 16,
                        .quantity_max = p[6 + i] < 200 ? 0 : p[6 + i],
                        .notional_max = p[9 + i] < 200 ? 0 : p[9 + i]}};
}

static struct sb_command2 instrument(uint32_t i, const uint8_t *p)
{
    return (struct sb_command2){
        .c = {.kind = SB_CMD_INSTRUMENT, .flags = SB_CMD_F_EXT, .instrument = i},
        .ext.instrument = {.symbol = "FUZZ    ",
                           .tick = 100 * (int64_t)i,
                           .price_min = 200,
                           .price_max = 2000000,
                           .lot = i,
                           .quantity_max = 1000000,
                           .phase = i == 1 ? SB_PHASE_CONTINUOUS : SB_PHASE_AUCTION,
                           .matching = p[13] & 1,
                           .pro_rata_min = p[13] >> 4,
                           .tie = p[14] & 3,
                           .band_action = p[14] >> 2 & 1,
                           .static_band = (uint16_t)(p[15] < 128 ? 0 : 8 * p[15]),
                           .dynamic_band = (uint16_t)(p[16] < 128 ? 0 : 4 * p[16]),
                           .pause_ms = p[17] & 3,
                           .reference_price = p[18] < 128 ? 0 : 200 * (uint32_t)p[18],
                           .notional_max = p[19] < 200 ? 0 : p[19]}};
}

static uint32_t preamble(struct sb_command2 *c, const uint8_t *p)
{
    uint32_t n = 0;
    c[n++] = (struct sb_command2){
        .c = {.kind = SB_CMD_DAY, .flags = SB_CMD_F_EXT},
        .ext.day = {.trading_day = 20231114, .shard = 1, .rules = SB_ENGINE_RULES}};
    for (uint32_t i = 1; i <= SESSIONS; i++)
        c[n++] = session(i, p);
    for (uint32_t i = 1; i <= 2; i++) {
        c[n] = instrument(i, p);
        c[n++].ext.instrument.symbol[0] = (char)('A' + i);
    }
    for (uint32_t i = 0; i < n; i++)
        c[i].c.time_ns = START_NS + i;
    return n;
}

/* --- commands ---------------------------------------------------------------------------------- */

/* Each term only where its bit of p[29], p[30] is set. */
static void terms(struct sb_command2 *c, const uint8_t *p)
{
    const uint32_t keeps = c->c.kind == SB_CMD_REPLACE && (p[31] & 15) != 0 ? 2048 : UINT32_MAX;
    const uint32_t has = pair_of(p + 29) & keeps, tick = 100 * c->c.instrument;
    if ((has & 1) != 0)
        c->ext.order.type = p[16] % (SB_TYPE_TRAILING_STOP + 1);
    if ((has & 2) != 0)
        c->ext.order.attributes = p[17] & SB_ATTR_ALL;
    if ((has & 4) != 0)
        c->ext.order.peg = p[16] >> 4 & 3;
    if ((has & 8) != 0)
        c->ext.order.stop_price = 100 * (int64_t)pair_of(p + 18);
    if ((has & 16) != 0)
        c->ext.order.trail = tick * (p[20] % 8);
    if ((has & 32) != 0)
        c->ext.order.display_quantity = p[21];
    if ((has & 64) != 0)
        c->ext.order.refresh_range = p[22] % 16;
    if ((has & 128) != 0)
        c->ext.order.min_quantity = p[23];
    if ((has & 256) != 0)
        c->ext.order.peg_offset = (int32_t)tick * (p[24] % 5 - 2);
    if ((has & 512) != 0)
        c->ext.order.oco_key = p[25];
    if ((has & 1024) != 0)
        c->ext.order.expire_ns = c->c.time_ns + UINT64_C(100000) * p[26];
    if ((has & 2048) != 0)
        memset(c->ext.order.clordid, 'a' + p[27] % 26, sizeof c->ext.order.clordid);
    if (c->ext.order.type != SB_TYPE_LIMIT && c->ext.order.type != SB_TYPE_STOP_LIMIT)
        c->c.price = (has & 4096) != 0 ? c->c.price : 0;
    if (has != 0)
        c->c.flags = SB_CMD_F_EXT;
}

static void quote(struct sb_command2 *c, const uint8_t *p)
{
    c->c.flags = SB_CMD_F_EXT;
    c->ext.quote.count = (uint8_t)(1 + p[16] % 3);
    for (uint32_t k = 0; k < c->ext.quote.count; k++, p += 4)
        c->ext.quote.entry[k] =
            (struct sb_quote){.instrument = p[17] < 240 ? 1 + p[17] % 2 : p[17] & 3,
                              .bid_price = 200u * (126 + p[18] % 8),
                              .bid_quantity = 2u * (p[17] >> 4),
                              .ask_price = 200u * (128 + p[19] % 8),
                              .ask_quantity = 2u * (p[20] >> 4)};
}

static void operation(struct sb_command *c, const uint8_t *p)
{
    c->tif = c->side = 0;
    c->instrument = p[2] % 4 == 3 ? SB_INSTRUMENT_ALL : p[2] % 4;
    c->phase = p[11] & 3;
    c->quantity = 0;
    if (c->kind == SB_CMD_TIMER)
        c->session = 0;
    if (c->kind == SB_CMD_PHASE)
        c->auction = p[11] >> 2 & 3;
    if (c->kind == SB_CMD_MASS_CANCEL || c->kind == SB_CMD_KILL)
        c->scope = p[11] >> 2 & 3;
    if (c->kind == SB_CMD_MASS_CANCEL && (p[3] & 8) != 0) {
        c->flags = SB_CMD_F_ONE_SIDE;
        c->side = p[3] & 1;
    }
    if (c->kind == SB_CMD_KILL)
        c->quantity = p[6] & 1;
}

/* Mostly one that lasts. */
static void carry(struct sb_command2 *c, const uint8_t *p)
{
    c->c.flags |= SB_CMD_F_EXT;
    c->c.session = c->c.session != 0 ? c->c.session : 1;
    c->c.session_seq = 0;
    c->c.key |= 1;
    if ((p[3] & 128) == 0)
        c->c.tif = (p[29] & 64) != 0 ? SB_TIF_GTD : SB_TIF_GTC;
    c->ext.carry.executed = p[5];
    c->ext.carry.shown = p[10];
}

static struct sb_command2 command(const uint8_t *p, uint64_t time_ns)
{
    static const uint8_t kinds[] = {
        SB_CMD_ORDER,       SB_CMD_ORDER,   SB_CMD_ORDER,   SB_CMD_ORDER,   SB_CMD_ORDER,
        SB_CMD_CANCEL,      SB_CMD_REPLACE, SB_CMD_REPLACE, SB_CMD_REDUCE,  SB_CMD_AMEND,
        SB_CMD_AMEND,       SB_CMD_QUOTE,   SB_CMD_PHASE,   SB_CMD_UNCROSS, SB_CMD_INDICATIVE,
        SB_CMD_MASS_CANCEL, SB_CMD_KILL,    SB_CMD_TIMER,   SB_CMD_LOGIN,   SB_CMD_INVALID,
        SB_CMD_CARRY};
    static const uint8_t sides[] = {SB_BUY, SB_SELL, SB_SELL_SHORT, SB_SELL_SHORT_EXEMPT};
    struct sb_command2 c = {.c = {.time_ns = time_ns,
                                  .kind = kinds[p[0] % sizeof kinds],
                                  .session = p[1] & 3,
                                  .firm = (p[1] & 3) / 2,
                                  .instrument = p[2] % 4,
                                  .side = sides[p[3] & 3],
                                  .tif = (p[3] >> 2) % (SB_TIF_AT_CLOSE + 1),
                                  .key = p[4],
                                  .orig_key = p[5],
                                  .quantity = pair_of(p + 6),
                                  .price = 100 * (int64_t)pair_of(p + 8),
                                  .session_seq = p[10],
                                  .display = 'Y',
                                  .capacity = 'P'}};
    if (p[12] == 0xFF) /* what nobody sends in good faith */
        c.c.price = (int64_t)((uint64_t)p[13] << 56 | p[14]);
    if (p[12] == 0xFE)
        c.c.quantity = (uint32_t)p[13] << 24 | p[14];
    if (c.c.kind == SB_CMD_ORDER || c.c.kind == SB_CMD_REPLACE || c.c.kind == SB_CMD_CARRY)
        terms(&c, p);
    else if (c.c.kind == SB_CMD_QUOTE)
        quote(&c, p);
    else if (c.c.kind < SB_CMD_LOGIN)
        operation(&c.c, p);
    if (c.c.kind == SB_CMD_LOGIN) {
        c.c.flags = SB_CMD_F_EXT;
        c.ext.login.ipv4 = p[13];
    }
    if (c.c.kind == SB_CMD_INVALID)
        c.c.reason = p[13];
    if (c.c.kind == SB_CMD_CARRY)
        carry(&c, p);
    if (c.c.kind == SB_CMD_QUOTE)
        c.c.key &= ~1u; /* what is said of it is not said of an order of an earlier day */
    return c;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct sb_engine_limits limits = {.instruments_max = 4,
                                                   .sessions_max = 4,
                                                   .orders_max = 32,
                                                   .levels_max = 16,
                                                   .terms_max = 24,
                                                   .window_levels = 64};
    static struct sb_command2 commands[COMMANDS_MAX];
    if (size < RECORD || size > FUZZ_INPUT_MAX)
        return 0;
    uint32_t n = preamble(commands, data);
    uint64_t time_ns = START_NS + n;
    for (size_t at = RECORD; at + RECORD <= size; at += RECORD) {
        const uint8_t *p = data + at;
        time_ns += 1 + (p[28] < 200 ? UINT64_C(1000) * p[28] : UINT64_C(100000) * p[28]);
        const struct sb_command2 c = command(p, time_ns);
        if (sb_command_valid(&c.c, 2))
            commands[n++] = c;
    }
    const struct compare c = {.limits = &limits, .commands = commands, .n = n, .say = stderr};
    SB_ASSERT_EQ(compare_run(&c), COMPARE_EQUAL);
    return 0;
}

/* --- seeds ------------------------------------------------------------------------------------- */

/* Terms that go together: which there are, and tif, type and peg. */
static void seed_terms(uint8_t *p)
{
    static const struct {
        uint16_t has;
        uint8_t tif, type_peg;
    } LIKE[] = {
        {0, SB_TIF_DAY, 0},
        {0, SB_TIF_DAY, 0},
        {0, SB_TIF_IOC, 0},
        {0, SB_TIF_FOK, 0},
        {0, SB_TIF_AT_CLOSE, 0},
        {1, SB_TIF_DAY, SB_TYPE_MARKET},
        {1, SB_TIF_DAY, SB_TYPE_MARKET_TO_LIMIT},
        {1 | 8, SB_TIF_DAY, SB_TYPE_STOP},
        {1 | 8, SB_TIF_GTC, SB_TYPE_STOP_LIMIT},
        {1 | 8 | 16, SB_TIF_DAY, SB_TYPE_TRAILING_STOP},
        {2, SB_TIF_DAY, 0},
        {4 | 256, SB_TIF_DAY, SB_PEG_PRIMARY << 4},
        {4 | 256, SB_TIF_DAY, SB_PEG_MARKET << 4},
        {4, SB_TIF_DAY, SB_PEG_MIDPOINT << 4},
        {32, SB_TIF_DAY, 0},
        {32 | 64, SB_TIF_GTC, 0},
        {128, SB_TIF_DAY, 0},
        {512, SB_TIF_DAY, 0},
        {1024, SB_TIF_GTD, 0},
        {2048, SB_TIF_DAY, 0},
    };
    const uint32_t s = p[29] % (sizeof LIKE / sizeof *LIKE);
    p[29] = (uint8_t)LIKE[s].has;
    p[30] = (uint8_t)(LIKE[s].has >> 8);
    p[16] = LIKE[s].type_peg;
    p[3] = (uint8_t)((p[3] & 3) | LIKE[s].tif << 2);
    p[17] = (uint8_t)(1u << p[17] % 3);
    p[21] = (uint8_t)(6 + p[21] % 4 * 2); /* display, refresh_range, min_quantity */
    p[22] = (uint8_t)(2 + p[22] % 2 * 2);
    p[23] = (uint8_t)(2 + p[23] % 5 * 2);
}

uint32_t fuzz_seed(uint32_t i, uint8_t *out)
{
    enum { COMMANDS = 60, SEEDS = 16 };
    if (i >= SEEDS)
        return 0;
    uint64_t state = i + 1;
    for (uint32_t k = 0; k <= COMMANDS; k++) {
        uint8_t *p = out + k * RECORD;
        for (uint32_t b = 0; b < RECORD; b++) {
            state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            p[b] = (uint8_t)(state >> 56);
        }
        if (k == 0)
            continue;
        p[0] = p[31] < 128 ? 0 : p[0];
        p[1] = (uint8_t)(1 + k % SESSIONS);
        p[2] = (uint8_t)(p[2] < 250 ? 1 + p[2] % 2 : 3);
        p[4] = (uint8_t)(k + 1);
        p[5] = (uint8_t)(k > 6 ? k - 3 - k % 3 - p[5] % 2 * 3 + 1 : 0); /* late, of its session */
        p[6] = (uint8_t)(16 + p[6] % 20 * 2);
        p[7] = 0;
        p[8] = (uint8_t)(p[8] % 6 * 2);
        p[9] = 1;
        p[12] = 0;
        p[18] = (uint8_t)(p[18] % 6 * 2);
        p[19] = 1;
        p[10] = (uint8_t)(k / 3 + 1);
        p[25] = p[5];
        seed_terms(p);
        if (p[30] == 512 >> 8 && p[5] != 0) { /* instrument and side of the partner */
            p[2] = out[(p[5] - 1) * RECORD + 2];
            p[3] = out[(p[5] - 1) * RECORD + 3] & 3;
        }
        if (p[0] % 20 >= 5 && p[0] % 20 <= 10 && p[0] % 20 != 6 && p[0] % 20 != 7)
            p[4] = p[5]; /* CANCEL, REDUCE, AMEND */
    }
    return (COMMANDS + 1) * RECORD;
}
