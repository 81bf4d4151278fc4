#include "tests/fuzz/loaded.h"

#include <stdlib.h>
#include <string.h>

#include "engine/verify.h"
#include "tests/differential/random_flow.h"
#include "tests/fuzz/fuzz.h"

enum { SEEDS = 8, ROOM = 1 << 17, OUTPUTS = 1 << 14 };

static const struct sb_engine_limits limits = {.instruments_max = 4,
                                               .sessions_max = 5,
                                               .orders_max = 32,
                                               .levels_max = 24,
                                               .terms_max = 64,
                                               .window_levels = 64};
static struct sb_output outputs[OUTPUTS];

struct sb_engine *loaded_fresh(void)
{
    static _Alignas(64) uint8_t memory[ROOM];
    SB_ASSERT_LE(sb_engine_footprint(&limits), sizeof memory);
    SB_ASSERT_LE(sb_engine_outputs_max(&limits, 1, true), (uint32_t)OUTPUTS);
    memset(memory, 0, sb_engine_footprint(&limits));
    return sb_engine_new(memory, sizeof memory, &limits);
}

static void apply(struct sb_engine *e, struct sb_command2 c)
{
    struct sb_outbox box = {.out = outputs, .cap = OUTPUTS};
    c.c.seq = sb_engine_applied(e) + 1;
    if (c.c.time_ns <= sb_engine_last_time_ns(e))
        c.c.time_ns = sb_engine_last_time_ns(e) + 1;
    sb_engine_apply(e, &c.c, &box);
    sb_engine_seal(e, &box);
}

struct sb_engine *loaded_seed(uint32_t i)
{
    if (i >= SEEDS)
        return NULL;
    struct sb_engine *e = loaded_fresh();
    struct random_flow flow;
    random_flow_make(&flow, i + 8,
                     1 + 60 * i); /* from mixtures of features up to many instruments */
    for (uint32_t k = 0; k < flow.n; k++)
        apply(e, flow.commands[k]);
    free(flow.commands);
    return e;
}

void loaded_judge(struct sb_engine *e, const void *image, size_t bytes)
{
    static uint8_t again[FUZZ_INPUT_MAX];
    SB_ASSERT_EQ(sb_engine_image_bytes(e), bytes);
    SB_ASSERT_LE(bytes, sizeof again);
    sb_engine_save(e, again, bytes);
    SB_ASSERT(memcmp(again, image, bytes) == 0);
    (void)sb_engine_verify(e);
    const uint32_t key = UINT32_MAX; /* above nearly every last key */
    for (uint32_t i = 0; i < 16; i++)
        apply(e, (struct sb_command2){.c = {.kind = SB_CMD_ORDER,
                                            .session = 1 + i % 5,
                                            .key = key - 16 + i,
                                            .instrument = 1 + i / 4,
                                            .side = i % 2 == 0 ? SB_BUY : SB_SELL,
                                            .quantity = 100,
                                            .price = i % 4 < 2 ? 2500 : 5000}});
    (void)sb_engine_verify(e);
    const struct sb_command2 uncross = {
        .c = {.kind = SB_CMD_UNCROSS, .instrument = SB_INSTRUMENT_ALL}};
    struct sb_command2 phase = {
        .c = {.kind = SB_CMD_PHASE, .instrument = SB_INSTRUMENT_ALL, .phase = SB_PHASE_AUCTION}};
    apply(e, phase);
    apply(e, uncross);
    (void)sb_engine_verify(e);
    phase.c.phase = SB_PHASE_CLOSED;
    apply(e, phase);
    (void)sb_engine_verify(e);
    const struct sb_command2 rest = {
        .c = {.kind = SB_CMD_MASS_CANCEL, .instrument = SB_INSTRUMENT_ALL, .scope = SB_SCOPE_ALL}};
    apply(e, rest); /* what outlasts the day */
    SB_ASSERT_EQ(sb_engine_stats(e)->open_orders, 0u);
    SB_ASSERT_EQ(e->levels.used | e->terms.used, 0u);
}
