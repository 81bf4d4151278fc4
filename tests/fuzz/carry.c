/* carry.c: any bytes as a file of orders of an earlier day: refused with a line that names the file; or what is written of it again is
 * the same bytes, and an engine takes or refuses every order of it, and stays whole.
 *
 * input: pick (PICK_SEALED), then the file. With PICK_SEALED its number of orders and its hash are put right first. */
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "engine/book.h"
#include "engine/rest.h"
#include "replica/carry.h"
#include "replica/genesis.h"
#include "shadowbook/assert.h"
#include "tests/fuzz/file.h"
#include "tests/fuzz/fuzz.h"

enum {
    PICK_SEALED = 1,
    HEAD = sizeof(struct sb_carry_head),
    ORDER = sizeof(struct sb_carry_order)
};
enum { SHARD = 3, SESSIONS = 3 };

static void seal(uint8_t *p, size_t size)
{
    struct sb_carry_head h;
    memcpy(&h, p, sizeof h);
    h.orders_n = (size - HEAD) / ORDER;
    h.shard = SHARD;
    h.hash = 0;
    h.hash = XXH3_64bits_withSeed(p + HEAD, size - HEAD, XXH3_64bits(&h, sizeof h));
    memcpy(p, &h, sizeof h);
}

static struct sb_config *configuration(void)
{
    static struct sb_config c;
    static struct sb_instrument_config instruments[3];
    sb_config_defaults(&c);
    c.shard = SHARD;
    c.limits = (struct sb_engine_limits){.instruments_max = 2,
                                         .sessions_max = SESSIONS,
                                         .orders_max = 24,
                                         .levels_max = 12,
                                         .terms_max = 16,
                                         .window_levels = 64};
    c.sessions_n = SESSIONS;
    for (uint32_t i = 1; i <= SESSIONS; i++)
        c.sessions[i] = (struct sb_session_config){.present = true, .firm = i};
    for (uint32_t i = 1; i <= 2; i++) {
        instruments[i] = (struct sb_instrument_config){
            .tick = 100,
            .price_min = 100,
            .price_max = 1000000,
            .lot = i,
            .quantity_max = 1000,
            .matching = i == 1 ? SB_MATCH_PRICE_TIME : SB_MATCH_PRO_RATA,
            .phase = i == 1 ? SB_PHASE_CLOSED : SB_PHASE_CONTINUOUS,
            .present = true};
        memcpy(instruments[i].symbol, i == 1 ? "ONE     " : "TWO     ", 8);
    }
    c.instruments = instruments;
    c.instruments_n = 2;
    return &c;
}

static void apply(struct sb_engine *e, struct sb_command2 *c, struct sb_outbox *box)
{
    c->c.seq = sb_engine_applied(e) + 1;
    c->c.time_ns = sb_engine_last_time_ns(e) + 1;
    sb_engine_apply(e, &c->c, box);
    sb_engine_seal(e, box);
}

/* All of it into a day, which is closed and gives it up again. */
static void enter(const struct sb_config *config)
{
    static _Alignas(64) uint8_t memory[1 << 22];
    static struct sb_output out[1 << 16];
    struct sb_outbox box = {.out = out, .cap = sb_engine_outputs_max(&config->limits, 1, true)};
    const size_t bytes = sb_engine_footprint(&config->limits);
    SB_ASSERT_LE(bytes, sizeof memory);
    SB_ASSERT_LE(box.cap, sizeof out / sizeof *out);
    memset(memory, 0, bytes);
    struct sb_engine *e = sb_engine_new(memory, bytes, &config->limits);
    struct sb_command2 c = {.c = {.kind = SB_CMD_DAY, .flags = SB_CMD_F_EXT},
                            .ext.day.rules = SB_ENGINE_RULES};
    apply(e, &c, &box);
    for (uint64_t n = 2; n <= sb_genesis_last(config); n++) {
        sb_genesis_command(config, n, &c);
        apply(e, &c, &box);
    }
    uint32_t orders = 0;
    for (uint32_t i = 1; i <= 2; i++)
        orders += sb_book_verify(e, &e->books[i]) + sb_rest_verify(e, &e->books[i]);
    SB_ASSERT_EQ(orders, sb_engine_stats(e)->open_orders);
    struct sb_carry again;
    SB_ASSERT(sb_carry_collect(&again, e, 1, 1));
    SB_ASSERT_EQ(again.head.orders_n, orders); /* nothing else is there */
    sb_carry_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t bytes[FUZZ_INPUT_MAX], again[FUZZ_INPUT_MAX];
    if (size < 1 || size > FUZZ_INPUT_MAX)
        return 0;
    memcpy(bytes, data + 1, --size);
    if ((data[0] & PICK_SEALED) != 0 && size >= HEAD)
        seal(bytes, size);
    const char *path = fuzz_path("one.carry");
    fuzz_file_put(path, bytes, size);
    struct sb_carry c;
    FILE *err = fuzz_listen();
    const bool good = sb_carry_read(&c, path, err);
    const char *said = fuzz_heard(err);
    if (!good) {
        fuzz_refusal_judge(said, path, 1);
        return 0;
    }
    SB_ASSERT(sb_carry_write(&c, path, stderr));
    SB_ASSERT_EQ(fuzz_file_get(path, again, sizeof again), size);
    SB_ASSERT_EQ(memcmp(bytes, again, size), 0);
    struct sb_config *config = configuration();
    err = fuzz_listen();
    if (sb_carry_into(&c, config, err))
        enter(config);
    fuzz_heard(err);
    free(config->carry);
    config->carry = NULL;
    sb_carry_free(&c);
    return 0;
}

uint32_t fuzz_seed(uint32_t i, uint8_t *out)
{
    enum { SEEDS = 16, MOST = 12 };
    struct sb_carry_order orders[MOST];
    const uint32_t n = i % MOST;
    if (i >= SEEDS)
        return 0;
    memset(orders, 0, sizeof orders);
    for (uint32_t k = 0; k < n; k++) {
        struct sb_command2 *c = &orders[k].command;
        c->c = (struct sb_command){.session = 1 + k % SESSIONS,
                                   .firm = 1 + k % SESSIONS,
                                   .key = 1 + (k ^ 1),
                                   .kind = SB_CMD_CARRY,
                                   .side = (k & 2) != 0 ? SB_SELL : SB_BUY,
                                   .tif = k % 4 == 3 ? SB_TIF_GTD : SB_TIF_GTC,
                                   .flags = SB_CMD_F_EXT,
                                   .quantity = 20 + 2 * k,
                                   .price = 10000 + 100 * (k % 5)};
        c->ext.order.expire_ns = k % 4 == 3 ? 1000000 : 0;
        c->ext.order.display_quantity = k % 4 == 1 ? 10 : 0;
        c->ext.carry.shown = k % 4 == 1 ? 2 : 0;
        c->ext.carry.executed = 2 * k;
        c->ext.order.attributes = k % 4 == 2 ? SB_ATTR_HIDDEN : 0;
        c->ext.order.oco_key = k == 6 ? 1 : 0;
        memcpy(orders[k].symbol, (k + i) % 3 == 0 ? "ONE     " : "TWO     ", 8);
    }
    const struct sb_carry_head head = {.magic = SB_CARRY_MAGIC,
                                       .version = SB_CARRY_VERSION,
                                       .trading_day = 20261130,
                                       .orders_n = n};
    out[0] = PICK_SEALED;
    memcpy(out + 1, &head, HEAD);
    memcpy(out + 1 + HEAD, orders, (size_t)n * ORDER);
    seal(out + 1, HEAD + (size_t)n * ORDER);
    return 1 + HEAD + n * ORDER;
}
