#include "tests/sim/member.h"

#include <string.h>

#include "nic/wire/bytes.h"
#include "nic/wire/entry.h"
#include "nic/wire/ouch.h"
#include "perf/entry_frame.h"

enum { GARBAGE_BYTES = 64 };

static uint32_t quantity(struct sim_member *x)
{
    static const uint32_t odd[] = {0, 1, 999999, 1000000, 1000001, UINT32_MAX};
    switch (sim_pick(x, 8)) {
    case 0:
        return odd[sim_pick(x, 6)];
    case 1:
    case 2:
        return 1 + sim_pick(x, 6); /* so that a cancel may name just what was executed */
    default:
        return 5 * (1 + sim_pick(x, 60));
    }
}

static uint64_t price(struct sim_member *x)
{
    static const uint64_t odd[] = {0,       50,         1000000,    1000100,
                                   1999999, 1999999900, 0x7FFFFFFF, UINT64_MAX};
    return sim_pick(x, 8) == 0 ? odd[sim_pick(x, 8)] : 10000 + 100 * (uint64_t)sim_pick(x, 12);
}

/* Mostly the next key; sometimes a used one, or none. */
static uint32_t next_key(struct sim_member *x)
{
    const uint32_t p = sim_pick(x, 12);
    return p == 0 ? 0 : p == 1 ? sim_pick(x, x->key + 2) : ++x->key;
}

static void clordid(struct sim_member *x, char to[14])
{
    memset(to, ' ', 14);
    if (sim_pick(x, 3) == 0)
        memcpy(to, "WILD", 4);
}

static uint32_t pick_terms(struct sim_member *x, uint32_t n)
{
    return (uint32_t)(sim_random(&x->terms_rng) % n);
}

static void option(struct sb_ouch_enter *m, uint8_t tag, uint32_t bytes, uint32_t value)
{
    uint8_t *to = m->app + m->app_bytes;
    to[0] = (uint8_t)(1 + bytes);
    to[1] = tag;
    if (bytes == 4)
        sb_put32(to + 2, value);
    else
        to[2] = (uint8_t)value;
    m->app_bytes = (uint16_t)(m->app_bytes + 2 + bytes);
}

/* What the option's number means: nic/wire/entry_terms.h. */
static void some_terms(struct sim_member *x, struct sb_ouch_enter *m)
{
    switch (pick_terms(x, 8)) {
    case 0:
        m->display = 'N';
        break;
    case 1:
        m->cross = "OC"[pick_terms(x, 2)];
        break;
    case 2:
        option(m, 3, 4, 5 * (1 + pick_terms(x, 12)));
        break;
    case 3: /* icebergs take part in most */
    case 4:
        m->quantity = 100 + 5 * pick_terms(x, 40);
        option(m, 5, 4, 20 + 5 * pick_terms(x, 8));
        if (pick_terms(x, 2) == 0)
            option(m, 13, 4, 5 * pick_terms(x, 4));
        break;
    case 5:
        option(m, 12, 1, (uint8_t) "PPPN"[pick_terms(x, 4)]);
        break;
    default:
        m->price = pick_terms(x, 2) == 0 ? 0 : m->price;
        option(m, 6, 1, (uint8_t) "PMRL"[pick_terms(x, 4)]);
        if (pick_terms(x, 2) == 0)
            option(m, 7, 4, 100 * pick_terms(x, 4) - 200);
    }
}

/* Terms of every other order. They are drawn aside: without them the messages are what they would be. */
static void add_terms(struct sim_member *x, struct sb_ouch_enter *m)
{
    if (pick_terms(x, 2) == 0)
        return;
    some_terms(x, m);
    if (m->app_bytes <= 6 && pick_terms(x, 8) == 0)
        some_terms(x, m); /* which perhaps do not go together */
}

uint32_t sim_wild_enter(struct sim_member *x, uint8_t *p)
{
    static const char symbols[][9] = {"TEST    ", "TEST    ", "OTHER   ", "NOBODY  "};
    struct sb_ouch_enter m = {.ref = next_key(x),
                              .quantity = quantity(x),
                              .price = price(x),
                              .side = "BBBBSSSSTEQ"[sim_pick(x, 11)],
                              .tif = "0000003395"[sim_pick(x, 10)],
                              .display = "YYYYYYAN"[sim_pick(x, 8)],
                              .capacity = "APRO"[sim_pick(x, 4)],
                              .iso = "NNNY"[sim_pick(x, 4)],
                              .cross = "NNNNNNNO"[sim_pick(x, 8)]};
    memcpy(m.symbol, symbols[sim_pick(x, 4)], 8);
    clordid(x, m.clordid);
    add_terms(x, &m);
    return sb_ouch_write_enter(p, &m);
}

static uint32_t replace(struct sim_member *x, uint8_t *p)
{
    struct sb_ouch_replace m = {.orig_ref = sim_pick(x, x->key + 2),
                                .ref = next_key(x),
                                .quantity = quantity(x),
                                .price = price(x),
                                .tif = "00003"[sim_pick(x, 5)],
                                .display = "YYYN"[sim_pick(x, 4)],
                                .iso = 'N'};
    clordid(x, m.clordid);
    return sb_ouch_write_replace(p, &m);
}

static uint32_t cancel(struct sim_member *x, uint8_t *p)
{
    const struct sb_ouch_cancel m = {.ref = sim_pick(x, x->key + 2),
                                     .quantity = sim_pick(x, 2) == 0 ? 0 : quantity(x)};
    return sb_ouch_write_cancel(p, &m);
}

/* Messages of our own. Nobody is killed for good: the next one may let in again. */
static uint32_t own(struct sim_member *x, uint8_t *p)
{
    const struct sb_entry_quote q = {.key = ++x->key,
                                     .symbol = "TEST    ",
                                     .bid_price = 100 * (1 + sim_pick(x, 200)),
                                     .bid_quantity = sim_pick(x, 60),
                                     .ask_price = 100 * (1 + sim_pick(x, 200)),
                                     .ask_quantity = sim_pick(x, 60),
                                     .capacity = 'P'};
    switch (sim_pick(x, 8)) {
    case 0:
        return sb_entry_write_mass_cancel(p, x->key, sim_pick(x, 2) == 0 ? "TEST    " : "        ",
                                          "SSFA"[sim_pick(x, 4)], sim_pick(x, 3),
                                          "BS "[sim_pick(x, 3)]);
    case 1:
        return sb_entry_write_kill(p, x->key, "SF"[sim_pick(x, 2)], sim_pick(x, 3),
                                   "BLL"[sim_pick(x, 3)]);
    case 2:
    case 3:
        return sb_entry_write_amend(p, sim_pick(x, x->key + 2), sim_pick(x, 60),
                                    100 * (1 + sim_pick(x, 200)));
    case 4:
        return sb_entry_write_phase(p, x->key, "TEST    ", 'I');
    default:
        return sb_entry_write_quote(p, &q);
    }
}

/* A New order of any numbers. */
static uint32_t odd_new(struct sim_member *x, uint8_t *p)
{
    static const uint64_t odd[] = {0, 1, 99, 100, 10500, 1000100, 0x7FFFFFFF, UINT64_MAX};
    const struct sb_entry_new m = {.key = next_key(x),
                                   .symbol = "TEST    ",
                                   .side = "BSTE?"[sim_pick(x, 5)],
                                   .type = "LLMKSTR?"[sim_pick(x, 8)],
                                   .tif = "0316427?"[sim_pick(x, 8)],
                                   .quantity = quantity(x),
                                   .price = odd[sim_pick(x, 8)],
                                   .stop_price = odd[sim_pick(x, 8)],
                                   .trail = (uint32_t)odd[sim_pick(x, 8)],
                                   .expire_ns = sim_random(&x->rng),
                                   .display_quantity = (uint32_t)odd[sim_pick(x, 8)],
                                   .refresh_range = (uint32_t)odd[sim_pick(x, 8)],
                                   .min_quantity = (uint32_t)odd[sim_pick(x, 8)],
                                   .peg_offset = (int32_t)odd[sim_pick(x, 8)],
                                   .peg = "NNNNRPM?"[sim_pick(x, 8)],
                                   .attributes = (uint8_t)sim_pick(x, 18),
                                   .oco_key = sim_pick(x, 2) == 0 ? 0 : sim_pick(x, x->key + 2)};
    return sb_entry_write_new(p, &m);
}

/* A trailing stop whose distance goes beyond every price. */
static uint32_t odd_stop(struct sim_member *x, uint8_t *p)
{
    static const uint64_t odd[] = {100, 10500, 1000000, 1000100, UINT64_MAX};
    const struct sb_entry_new m = {.key = ++x->key,
                                   .symbol = "TEST    ",
                                   .side = "BS"[sim_pick(x, 2)],
                                   .type = 'R',
                                   .tif = '0',
                                   .quantity = 10,
                                   .stop_price = odd[sim_pick(x, 5)],
                                   .trail = 100 * (1 + (uint32_t)(sim_random(&x->rng) % 42949672)),
                                   .peg = 'N'};
    return sb_entry_write_new(p, &m);
}

static uint32_t garbage(struct sim_member *x, uint8_t *p)
{
    if (sim_pick(x, 4) == 0)
        return sim_pick(x, 4) == 0 ? odd_stop(x, p) : odd_new(x, p);
    const uint32_t len = sim_pick(x, GARBAGE_BYTES);
    for (uint32_t i = 0; i < len; i++)
        p[i] = (uint8_t)sim_random(&x->rng);
    /* No 'L': a login's return address would be anybody's. */
    if (len > 0)
        p[0] = (uint8_t) "OUXPQMC?WKAT"[sim_pick(x, 12)];
    return len;
}

uint32_t sim_wild_make(struct sim_member *x, uint8_t *p)
{
    const uint32_t what = sim_pick(x, 22);
    if (what >= 20)
        return own(x, p);
    if (what < 9)
        return sim_wild_enter(x, p);
    if (what < 14)
        return replace(x, p);
    if (what < 17)
        return cancel(x, p);
    if (what < 18)
        return sb_entry_write_phase(p, ++x->key, "TEST    ", "CAUTH"[sim_pick(x, 5)]);
    if (what < 19)
        return sb_entry_write_login(p, sim_random(&x->rng), x->config->client.ipv4,
                                    (uint16_t)(SB_CLIENT_PORT_BASE + x->session));
    return garbage(x, p);
}
