/* engine.c: any bytes as a series of commands, through the engine and the reference matcher side by side.
 *
 * Sixteen bytes are a command; what would not be let into a log (sb_command_valid()) is left out. A fixed day, sessions
 * and instruments come first. */
#include <string.h>

#include "shadowbook/assert.h"
#include "tests/differential/compare.h"
#include "tests/fuzz/fuzz.h"

enum { RECORD = 16, FIRST = 6, COMMANDS_MAX = FIRST + FUZZ_INPUT_MAX / RECORD };

static uint32_t preamble(struct sb_command2 *c)
{
    uint32_t n = 0;
    c[n++] = (struct sb_command2){.c = {.kind = SB_CMD_DAY, .flags = SB_CMD_F_EXT},
                                  .ext.day = {.trading_day = 20231114, .shard = 1}};
    for (uint32_t i = 1; i <= 3; i++)
        c[n++] = (struct sb_command2){
            .c = {.kind = SB_CMD_SESSION, .flags = SB_CMD_F_EXT, .key = i, .firm = i},
            .ext.session = {.operator_right = i == 1}};
    for (uint32_t i = 1; i <= 2; i++)
        c[n++] = (struct sb_command2){
            .c = {.kind = SB_CMD_INSTRUMENT, .flags = SB_CMD_F_EXT, .instrument = i},
            .ext.instrument = {.symbol = "FUZZ    ",
                               .tick = 100 * (int64_t)i,
                               .price_min = 200,
                               .price_max = 2000000,
                               .lot = i,
                               .quantity_max = 1000000,
                               .phase = i == 1 ? SB_PHASE_CONTINUOUS : SB_PHASE_AUCTION}};
    return n;
}

static struct sb_command2 command(const uint8_t *p)
{
    static const uint8_t kinds[] = {SB_CMD_ORDER,   SB_CMD_ORDER,  SB_CMD_ORDER, SB_CMD_CANCEL,
                                    SB_CMD_REPLACE, SB_CMD_REDUCE, SB_CMD_PHASE, SB_CMD_UNCROSS,
                                    SB_CMD_LOGIN,   SB_CMD_INVALID};
    static const uint8_t sides[] = {SB_BUY, SB_SELL, SB_SELL_SHORT, SB_SELL_SHORT_EXEMPT};
    struct sb_command2 c = {.c = {.kind = kinds[p[0] % sizeof kinds],
                                  .session = p[1] & 3,
                                  .firm = p[1] & 3,
                                  .instrument = p[2] % 4,
                                  .side = sides[p[3] & 3],
                                  .tif = p[3] >> 2 & 1,
                                  .key = p[4],
                                  .orig_key = p[5],
                                  .quantity = (uint32_t)(p[6] | p[7] << 8),
                                  .price = 100 * (int64_t)(p[8] | p[9] << 8),
                                  .session_seq = p[10],
                                  .phase = p[11] & 3,
                                  .display = 'Y',
                                  .capacity = 'P'}};
    const bool client = c.c.kind >= SB_CMD_ORDER;
    if (c.c.kind == SB_CMD_PHASE || c.c.kind == SB_CMD_UNCROSS) {
        c.c.tif = c.c.side = 0;
        c.c.instrument = p[2] % 4 == 3 ? SB_INSTRUMENT_ALL : p[2] % 4;
    }
    if (p[12] == 0xFF) /* what nobody sends in good faith */
        c.c.price = (int64_t)((uint64_t)p[13] << 56 | p[14]);
    if (p[12] == 0xFE)
        c.c.quantity = (uint32_t)p[13] << 24 | p[14];
    if (c.c.kind == SB_CMD_LOGIN || (client && (p[15] & 7) == 0))
        c.c.flags = SB_CMD_F_EXT;
    if (c.c.kind == SB_CMD_LOGIN)
        c.ext.login.ipv4 = p[13];
    else if (c.c.flags != 0)
        memset(c.ext.order.clordid, 'a' + p[14] % 26, sizeof c.ext.order.clordid);
    return c;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct sb_engine_limits limits = {.instruments_max = 4,
                                                   .sessions_max = 4,
                                                   .orders_max = 32,
                                                   .levels_max = 16,
                                                   .terms_max = 64,
                                                   .window_levels = 64};
    static struct sb_command2 commands[COMMANDS_MAX];
    if (size > FUZZ_INPUT_MAX)
        return 0;
    uint32_t n = preamble(commands);
    for (size_t at = 0; at + RECORD <= size; at += RECORD) {
        const struct sb_command2 c = command(data + at);
        if (sb_command_valid(&c.c, 2))
            commands[n++] = c;
    }
    SB_ASSERT_EQ(compare_run(&limits, commands, n, stderr, NULL), COMPARE_EQUAL);
    return 0;
}

uint32_t fuzz_seed(uint32_t i, uint8_t *out)
{
    if (i >= 8)
        return 0;
    uint64_t state = i + 1;
    for (uint32_t k = 0; k < 60; k++) {
        uint8_t *p = out + k * RECORD;
        for (uint32_t b = 0; b < RECORD; b++) {
            state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            p[b] = (uint8_t)(state >> 56);
        }
        p[1] = (uint8_t)(1 + k % 3);
        p[4] = (uint8_t)(k + 1);
        p[5] = (uint8_t)(k - k % 7);
        p[7] = 0;
        p[8] = (uint8_t)(p[8] % 16);
        p[9] = 1;
        p[10] = (uint8_t)(k / 3 + 1);
    }
    return 60 * RECORD;
}
