/* test_image.c: the state as bytes: an engine loaded from an image is the engine that was saved, at any point of random flow;
 * nothing but what an engine can have saved is taken. */
#include <stdlib.h>
#include <string.h>

#include "engine/verify.h"
#include "tests/differential/random_flow.h"
#include "tests/engine/rig.h"

/* --- engines of their own ------------------------------------------------------------------------ */

struct bench {
    struct sb_engine *e;
    void *memory;
};

static void bench_open(struct bench *b, const struct sb_engine_limits *limits)
{
    const size_t bytes = (sb_engine_footprint(limits) + 63) & ~(size_t)63;
    b->memory = aligned_alloc(64, bytes);
    ck_assert_ptr_nonnull(b->memory);
    memset(b->memory, 0, bytes);
    b->e = sb_engine_new(b->memory, bytes, limits);
}

static void bench_close(struct bench *b)
{
    free(b->memory);
}

static uint8_t *save(const struct sb_engine *e, size_t *bytes)
{
    *bytes = sb_engine_image_bytes(e);
    uint8_t *image = malloc(*bytes);
    ck_assert_ptr_nonnull(image);
    sb_engine_save(e, image, *bytes);
    return image;
}

static void verify(const struct sb_engine *e)
{
    ck_assert_uint_eq(sb_engine_verify(e), e->stats.open_orders);
}

static void expect_equal(const struct sb_engine *a, const struct sb_engine *b)
{
    ck_assert_uint_eq(sb_engine_state_digest(a), sb_engine_state_digest(b));
    ck_assert_mem_eq(sb_engine_stats(a), sb_engine_stats(b), sizeof *sb_engine_stats(a));
    size_t na, nb;
    uint8_t *x = save(a, &na), *y = save(b, &nb);
    ck_assert_uint_eq(na, nb);
    ck_assert_mem_eq(x, y, na);
    free(x);
    free(y);
}

/* --- random flow ---------------------------------------------------------------------------------- */

enum { FLOWS = 160, COMMANDS = 2500, POINTS = 8 };

struct run {
    struct random_flow flow;
    struct sb_output *outputs;        /* of the engine that was never saved, */
    size_t outputs_cap, *outputs_end; /* and where each command's end */
    struct sb_outbox box;
};

static void apply(struct run *r, struct sb_engine *e, uint32_t i)
{
    struct sb_command2 c = r->flow.commands[i];
    c.c.seq = i + 1;
    sb_engine_apply(e, &c.c, &r->box);
}

static void seal(struct run *r, struct sb_engine *e, uint32_t i)
{
    if (i % 5 == 4)
        sb_engine_seal(e, &r->box);
}

/* Applies the flow's command, and keeps what it put out. */
static void record(struct run *r, struct sb_engine *e, uint32_t i)
{
    const uint32_t from = r->box.n;
    apply(r, e, i);
    const size_t before = i == 0 ? 0 : r->outputs_end[i - 1], n = r->box.n - from;
    if (before + n > r->outputs_cap) {
        r->outputs_cap = 2 * (before + n) + 1024;
        r->outputs = realloc(r->outputs, r->outputs_cap * sizeof *r->outputs);
        ck_assert_ptr_nonnull(r->outputs);
    }
    for (size_t k = 0; k < n; k++)
        r->outputs[before + k] = r->box.out[from + k];
    r->outputs_end[i] = before + n;
    seal(r, e, i);
}

/* An image from behind command `at`: loaded, it goes on as the engine did that was never saved. */
static void go_on(struct run *r, const uint8_t *image, size_t bytes, uint32_t at,
                  const struct sb_engine *last)
{
    struct sb_engine_limits limits = r->flow.limits;
    limits.window_levels = limits.window_levels == 64 ? 512 : 64;
    struct bench b;
    bench_open(&b, &limits);
    const char *wrong = sb_engine_load(b.e, image, bytes);
    ck_assert_msg(wrong == NULL, "behind command %u: %s", at + 1, wrong);
    verify(b.e);
    r->box.n = 0;
    for (uint32_t i = at + 1; i < r->flow.n; i++) {
        const uint32_t from = r->box.n;
        const size_t n = r->outputs_end[i] - r->outputs_end[i - 1];
        apply(r, b.e, i);
        if (r->box.n - from != n || memcmp(r->box.out + from, r->outputs + r->outputs_end[i - 1],
                                           n * sizeof *r->outputs) != 0)
            ck_abort_msg("saved behind command %u: command %u puts out something else", at + 1,
                         i + 1);
        seal(r, b.e, i);
    }
    sb_engine_seal(b.e, &r->box);
    verify(b.e);
    expect_equal(last, b.e);
    bench_close(&b);
}

START_TEST(an_image_goes_on_as_its_engine)
{
    struct run r = {0};
    random_flow_make(&r.flow, (uint64_t)_i + 1, COMMANDS);
    r.box.cap = sb_engine_outputs_max(&r.flow.limits, 8, true);
    r.box.out = calloc(r.box.cap, sizeof *r.box.out);
    r.outputs_end = calloc(r.flow.n, sizeof *r.outputs_end);
    uint8_t *images[POINTS];
    size_t bytes[POINTS];
    uint32_t at[POINTS], points = 0;
    struct bench a;
    bench_open(&a, &r.flow.limits);
    for (uint32_t i = 0; i < r.flow.n; i++) {
        record(&r, a.e, i);
        const uint64_t due_ns = sb_engine_timer_due_ns(a.e); /* kept up from command to command */
        if (points < POINTS && i % 5 == 4 && i >= points * r.flow.n / POINTS) {
            at[points] = i;
            images[points] = save(a.e, &bytes[points]);
            struct bench again;
            bench_open(&again, &r.flow.limits);
            ck_assert_ptr_null(sb_engine_load(again.e, images[points], bytes[points]));
            expect_equal(a.e, again.e);
            ck_assert_uint_eq(sb_engine_timer_due_ns(again.e), due_ns); /* looked for */
            bench_close(&again);
            points++;
        }
    }
    sb_engine_seal(a.e, &r.box);
    ck_assert_uint_eq(points, POINTS);
    for (uint32_t i = 0; i < points; i++) {
        go_on(&r, images[i], bytes[i], at[i], a.e);
        free(images[i]);
    }
    bench_close(&a);
    free(r.flow.commands);
    free(r.box.out);
    free(r.outputs);
    free(r.outputs_end);
}
END_TEST

/* --- a small one, by hand --------------------------------------------------------------------------- */

/* Bytes: head 200; sessions 64 each; instruments 112 each; orders 32 each; terms 64 each. */
enum { SESSION = 200, S = 64, I = 112, O = 32, T = 64, ORDERS = 5 };
enum { INSTRUMENT = SESSION + 4 * S, ORDER = INSTRUMENT + 2 * I };
enum { STATS = 88, STATS_END = 164 }; /* in the head; not part of the state digest */
enum { SMALL_BYTES = ORDER + ORDERS * O };

/* Session 2 logged in; instrument 2 in an auction, crossed; one order partly executed, one replaced. */
static void small(struct rig *r, uint8_t image[SMALL_BYTES])
{
    rig_open(r, &rig_limits, SB_PHASE_CONTINUOUS);
    rig_send(r, (struct sb_command2){.c = {.kind = SB_CMD_LOGIN,
                                           .flags = SB_CMD_F_EXT,
                                           .session = 2,
                                           .session_seq = 1,
                                           .price = 77},
                                     .ext.login = {.ipv4 = 0x0A000001, .port = 99}});
    rig_order(r, 1, 1, SB_SELL, 100, 5000);
    rig_order(r, 2, 7, SB_BUY, 40, 5000);
    rig_order(r, 1, 2, SB_BUY, 50, 4000);
    rig_order(r, 1, 3, SB_BUY, 60, 4000);
    rig_replace(r, 1, 2, 4, 70, 4000);
    rig_order(r, 3, 1, SB_SELL_SHORT, 10, 6000);
    rig_phase(r, RIG_OPERATOR, 2, SB_PHASE_AUCTION);
    for (uint32_t i = 0; i < 2; i++)
        rig_send(r, (struct sb_command2){.c = {.kind = SB_CMD_ORDER,
                                               .session = 2,
                                               .instrument = 2,
                                               .key = 8 + i,
                                               .side = i == 0 ? SB_BUY : SB_SELL,
                                               .quantity = 5,
                                               .price = 20 - 5 * (int64_t)i,
                                               .capacity = 'P'}});
    rig_cancel(r, 3, 1, 0);
    rig_forget(r);
    sb_engine_seal(r->e, &r->box);
    ck_assert_uint_eq(sb_engine_image_bytes(r->e), SMALL_BYTES);
    sb_engine_save(r->e, image, SMALL_BYTES);
}

static uint64_t at(const uint8_t *p, uint32_t bytes)
{
    uint64_t value = 0;
    for (uint32_t i = 0; i < bytes; i++)
        value |= (uint64_t)p[i] << 8 * i;
    return value;
}

static void set(uint8_t *p, uint32_t bytes, uint64_t value)
{
    for (uint32_t i = 0; i < bytes; i++)
        p[i] = (uint8_t)(value >> 8 * i);
}

START_TEST(layout)
{
    struct rig r;
    uint8_t image[SMALL_BYTES];
    small(&r, image);
    ck_assert_mem_eq(image, "SBE1\3\0\0\0", 8);
    ck_assert_uint_eq(at(image + 8, 4), rig_limits.instruments_max);
    ck_assert_uint_eq(at(image + 24, 8), sb_engine_applied(r.e));
    ck_assert_uint_eq(at(image + 48, 8), 8);          /* references: seven orders, a replace */
    ck_assert_uint_eq(at(image + 188, 4), 2);         /* rules */
    ck_assert_uint_eq(at(image + SESSION + S, 8), 1); /* session 2: last message */
    ck_assert_uint_eq(at(image + SESSION + S + 16, 8), 77);
    ck_assert_uint_eq(at(image + SESSION + S + 24, 4), 2);
    ck_assert_uint_eq(at(image + SESSION + S + 28, 4), 9); /* last key */
    ck_assert_mem_eq(image + INSTRUMENT, "AAA     ", 8);
    ck_assert_mem_eq(image + INSTRUMENT + I, "BBB     ", 8);
    const uint8_t *o = image + ORDER + 2 * O; /* sell 100@5000, 40 of it executed */
    ck_assert_uint_eq(at(o, 8), UINT64_C(1) << 19 | SB_SELL << 16 | 1);
    ck_assert_uint_eq(at(o + 8, 4), 1);
    ck_assert_uint_eq(at(o + 12, 4), 60);
    ck_assert_uint_eq(at(o + 16, 4), 40);
    ck_assert_uint_eq(at(o + 20, 4), 500);
    ck_assert_uint_eq(at(o + 24, 2), 1);
    static const uint64_t refs[ORDERS] = {4, 5, 1, 7, 8}; /* in the order of the queues */
    for (uint32_t i = 0; i < ORDERS; i++)
        ck_assert_uint_eq(at(image + ORDER + O * i, 8) >> 19, refs[i]);
    rig_close(&r);
}
END_TEST

static const char *load(struct bench *b, const uint8_t *image, size_t bytes)
{
    /* Its own memory, so that a sanitizer sees a read behind it. */
    uint8_t *copy = malloc(bytes != 0 ? bytes : 1);
    memcpy(copy, image, bytes);
    bench_open(b, &rig_limits);
    const char *wrong = sb_engine_load(b->e, copy, bytes);
    free(copy);
    return wrong;
}

/* Any flipped bit: refused, or the image of an engine that is whole and has that very image. */
START_TEST(every_flipped_bit)
{
    struct rig r;
    uint8_t image[SMALL_BYTES];
    small(&r, image);
    uint32_t refused = 0;
    for (uint32_t bit = 0; bit < SMALL_BYTES * 8; bit++) {
        struct bench b;
        image[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (load(&b, image, SMALL_BYTES) == NULL) {
            uint8_t again[SMALL_BYTES];
            verify(b.e);
            ck_assert_uint_eq(sb_engine_image_bytes(b.e), SMALL_BYTES);
            sb_engine_save(b.e, again, SMALL_BYTES);
            ck_assert_mem_eq(again, image, SMALL_BYTES);
            const bool stats = bit >= STATS * 8 && bit < STATS_END * 8;
            ck_assert_int_eq(sb_engine_state_digest(b.e) == sb_engine_state_digest(r.e), stats);
        } else {
            refused++;
        }
        bench_close(&b);
        image[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    ck_assert_uint_gt(refused, SMALL_BYTES * 2);
    rig_close(&r);
}
END_TEST

START_TEST(every_cut)
{
    struct rig r;
    uint8_t image[SMALL_BYTES + 1] = {0};
    small(&r, image);
    for (uint32_t n = 0; n <= SMALL_BYTES + 1; n++) {
        struct bench b;
        ck_assert_int_eq(load(&b, image, n) == NULL, n == SMALL_BYTES);
        bench_close(&b);
    }
    rig_close(&r);
}
END_TEST

START_TEST(what_no_engine_saves)
{
    enum { HALF = 0x7FFFFFFF };
    static const struct {
        uint32_t offset, bytes;
        uint64_t value;
        const char *why;
    } wrong[] = {
        {0, 4, 5, "not an engine's image"},
        {4, 4, 1, "an image of another version"},
        {8, 4, 3, "the image of an engine with other limits"},
        {12, 4, 9, "the image of an engine with other limits"},
        {16, 4, 9, "the image of an engine with other limits"},
        {20, 4, 9, "the image of an engine with other limits"},
        {24, 8, UINT64_MAX, "an impossible count"},
        {40, 8, 0, "an impossible head"}, /* the feed's next number */
        {48, 8, UINT64_C(1) << 40, "an impossible head"},
        {48, 8, 7, "an order out of place"}, /* last reference below the last order's */
        {84, 2, SB_SHARD_MAX + 1, "an impossible head"},
        {86, 2, SB_SHARD_MAX + 1, "an impossible head"},
        {160, 4, 4, "an impossible head"}, /* most open orders: fewer than there are */
        {160, 4, HALF, "an impossible head"},
        {164, 4, 2, "an impossible head"},
        {164, 4, 0, "something stands in a day that is not open"},
        {168, 4, 3, "an image of another size than its head says"},
        {168, 4, HALF, "an image of another size than its head says"},
        {176, 4, 4, "an image of another size than its head says"},
        {180, 4, 1, "an image of another size than its head says"},
        {184, 4, 1, "the image of an engine with other limits"},
        {188, 4, 0, "an image made under other rules"},
        {188, 4, SB_ENGINE_RULES + 1, "an image made under other rules"},
        {SESSION + 24, 4, 0, "a session out of place"},
        {SESSION + S + 24, 4, 1, "a session out of place"},
        {SESSION + 3 * S + 24, 4, HALF, "a session out of place"},
        {SESSION + 8, 8, 0, "an impossible session"},
        {SESSION + 16, 8, 5, "an impossible session"}, /* a nonce without a login */
        {SESSION + 42, 1, 2, "an impossible session"},
        {SESSION + 43, 1, 2, "an impossible session"},
        {SESSION + 44, 1, 5, "an impossible session"},
        {SESSION + 45, 1, 2, "an impossible session"},
        {SESSION + 46, 2, 1, "an impossible session"},
        {SESSION + 45, 1, 1, "an order of a session that is blocked"},
        {SESSION + 52, 4, 2, "more orders of a session than there may be"},
        {SESSION + 28, 4, 1, "an impossible order"}, /* last key below an order's */
        {INSTRUMENT + I + 80, 4, 1, "an instrument out of place"},
        {INSTRUMENT + I + 80, 4, HALF, "an impossible instrument"},
        {INSTRUMENT + I, 3, 0x414141, "an impossible instrument"}, /* a symbol twice */
        {INSTRUMENT + 8, 8, 0, "an impossible instrument"},
        {INSTRUMENT + 24, 8, UINT64_MAX / 2, "an impossible instrument"},
        {INSTRUMENT + 32, 8, 7, "an impossible instrument"}, /* reference between two ticks */
        {INSTRUMENT + 40, 8, 7, "an impossible instrument"}, /* last price, */
        {INSTRUMENT + 40, 8, 2000000, "an impossible instrument"},
        {INSTRUMENT + 48, 8, 9, "an impossible instrument"},      /* a pause outside of one */
        {INSTRUMENT + 56, 8, 4, "a top order that is not there"}, /* no pro-rata here */
        {INSTRUMENT + 100, 1, 4, "an impossible instrument"},
        {INSTRUMENT + 101, 1, 4, "an impossible instrument"},
        {INSTRUMENT + 102, 1, 2, "an impossible instrument"},
        {INSTRUMENT + 103, 1, 4, "an impossible instrument"},
        {INSTRUMENT + 104, 1, 2, "an impossible instrument"},
        {INSTRUMENT + 105, 1, 1, "an impossible instrument"}, /* the cascade ran */
        {INSTRUMENT + 106, 1, 1, "an impossible instrument"},
        {INSTRUMENT + 100, 1, SB_PHASE_CLOSED, "an order where none can rest"},
        {INSTRUMENT + I + 100, 1, SB_PHASE_CONTINUOUS, "a crossed book in continuous trading"},
        {ORDER, 8, UINT64_C(5) << 19 | 1, "a reference that two orders have"},
        {ORDER, 8, UINT64_C(9) << 19 | 1, "an order out of place"}, /* reference beyond the last */
        {ORDER + O + 20, 4, 500, "an order out of place"},   /* a better price behind a worse */
        {ORDER + 2 * O + 24, 2, 2, "an order out of place"}, /* a later instrument's before */
        {ORDER + 30, 1, 1, "more orders with terms than its head says"},
        {ORDER + 30, 1, 5, "more orders with terms than its head says"},
        {ORDER + 31, 1, 1, "an impossible order"},
        {ORDER, 2, 0, "an order of nobody"},
        {ORDER, 2, 40, "an order of nobody"},
        {ORDER + 2, 1, 2 | 32, "an impossible order"}, /* side */
        {ORDER + 2, 1, 4 | 32, "an impossible order"},
        {ORDER + 2, 1, 7 | 32, "an impossible order"},
        {ORDER + 8, 4, 0, "an impossible order"},
        {ORDER + 8, 4, 9, "an impossible order"}, /* a key not yet used */
        {ORDER + 12, 4, 0, "an impossible order"},
        {ORDER + 2 * O + 12, 4, 99961,
         "an impossible order"}, /* more than quantity_max with what is executed */
        {ORDER + 20, 4, 0, "an order at an impossible price"},
        {ORDER + 20, 4, UINT32_MAX, "an order at an impossible price"},
        {ORDER + 24, 2, 0, "an order where none can rest"},
        {ORDER + 24, 2, 99, "an order where none can rest"},
        {ORDER + 27, 1, 1, "an order where none can rest"}, /* instrument 65,537 */
        {ORDER + 28, 2, 1, "an impossible order"},          /* an id beyond those of sessions */
        {ORDER + O + 8, 4, 3, "an order that stands there twice"},
    };
    struct rig r;
    uint8_t image[SMALL_BYTES];
    small(&r, image);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        uint8_t bad[SMALL_BYTES];
        struct bench b;
        memcpy(bad, image, sizeof bad);
        set(bad + wrong[i].offset, wrong[i].bytes, wrong[i].value);
        const char *why = load(&b, bad, sizeof bad);
        ck_assert_msg(why != NULL && strcmp(why, wrong[i].why) == 0, "%zu, offset %u: %s", i,
                      wrong[i].offset, why);
        bench_close(&b);
    }
    rig_close(&r);
}
END_TEST

/* --- every state of an order with terms -------------------------------------------------------------- */

static void special(struct rig *r, uint32_t key, uint8_t side, uint32_t quantity, int64_t price,
                    uint8_t tif, struct sb_command2 terms)
{
    terms.c = (struct sb_command){.kind = SB_CMD_ORDER,
                                  .flags = SB_CMD_F_EXT,
                                  .session = 1,
                                  .instrument = 1,
                                  .key = key,
                                  .side = side,
                                  .tif = tif,
                                  .quantity = quantity,
                                  .price = price,
                                  .capacity = 'P'};
    rig_send(r, terms);
    ck_assert_uint_eq(r->box.out[r->shown].kind, SB_OUT_ACCEPTED);
    rig_forget(r);
}
#define TERMS(...) ((struct sb_command2){.ext.order = {__VA_ARGS__}})

/* Continuous trading with every kind of order; an auction with what it leaves behind. */
static uint8_t *all_states(struct rig *r, size_t *bytes)
{
    rig_open(r, &rig_limits, SB_PHASE_CONTINUOUS);
    rig_order(r, 2, 1, SB_BUY, 100, 5000);
    rig_order(r, 2, 2, SB_SELL, 100, 5000); /* the last price is 5000 */
    rig_order(r, 2, 3, SB_BUY, 100, 4900);
    rig_order(r, 2, 4, SB_SELL, 100, 5100);
    rig_forget(r);
    special(r, 1, SB_BUY, 300, 4800, SB_TIF_GTC,
            TERMS(.display_quantity = 50, .refresh_range = 20));
    special(r, 2, SB_SELL, 100, 5100, SB_TIF_GTD, TERMS(.expire_ns = UINT64_MAX));
    special(r, 3, SB_BUY, 100, 4850, SB_TIF_DAY, TERMS(.attributes = SB_ATTR_HIDDEN));
    special(r, 4, SB_SELL, 100, 5090, SB_TIF_DAY, TERMS(.min_quantity = 50));
    special(r, 5, SB_SELL, 100, 5090, SB_TIF_DAY, TERMS(.attributes = SB_ATTR_ALL_OR_NONE));
    special(r, 6, SB_BUY, 100, 0, SB_TIF_DAY, TERMS(.peg = SB_PEG_MIDPOINT));
    special(r, 7, SB_BUY, 100, 4900, SB_TIF_DAY,
            TERMS(.peg = SB_PEG_PRIMARY, .peg_offset = -10000));
    special(r, 8, SB_BUY, 100, 0, SB_TIF_DAY, TERMS(.type = SB_TYPE_STOP, .stop_price = 5200));
    special(r, 9, SB_SELL, 100, 4000, SB_TIF_GTC,
            TERMS(.type = SB_TYPE_STOP_LIMIT, .stop_price = 4700, .oco_key = 5));
    special(r, 10, SB_SELL, 100, 0, SB_TIF_DAY,
            TERMS(.type = SB_TYPE_TRAILING_STOP, .stop_price = 4700, .trail = 300));
    special(r, 11, SB_BUY, 100, 4700, SB_TIF_AT_CLOSE, TERMS(.type = SB_TYPE_LIMIT));
    rig_send(r, (struct sb_command2){
                    .c = {.kind = SB_CMD_QUOTE, .flags = SB_CMD_F_EXT, .session = 3, .key = 1},
                    .ext.quote = {.entry = {{1, 4890, 100, 5120, 100}}, .count = 1}});
    rig_order(r, 3, 2, SB_SELL, 30, 4800); /* takes of the best buy */
    rig_phase(r, RIG_OPERATOR, 2, SB_PHASE_AUCTION);
    for (uint32_t i = 0; i < 2; i++)
        rig_send(r, (struct sb_command2){.c = {.kind = SB_CMD_ORDER,
                                               .session = 2,
                                               .instrument = 2,
                                               .key = 8 + i,
                                               .side = i == 0 ? SB_BUY : SB_SELL,
                                               .quantity = 5 + i,
                                               .price = 20}});
    rig_uncross(r, RIG_OPERATOR, 2);
    rig_forget(r);
    sb_engine_seal(r->e, &r->box);
    return save(r->e, bytes);
}

/* Any flipped bit, any cut: refused, or the image of an engine that is whole and has that very image. */
START_TEST(every_flipped_bit_with_terms)
{
    struct rig r;
    size_t bytes;
    uint8_t *image = all_states(&r, &bytes);
    uint32_t taken = 0;
    for (size_t bit = 0; bit < bytes * 8; bit++) {
        struct bench b;
        image[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (load(&b, image, bytes) == NULL) {
            size_t n;
            verify(b.e);
            uint8_t *again = save(b.e, &n);
            ck_assert_uint_eq(n, bytes);
            ck_assert_msg(memcmp(again, image, n) == 0, "bit %zu of byte %zu", bit % 8, bit / 8);
            const bool stats = bit >= STATS * 8 && bit < STATS_END * 8;
            ck_assert_msg((sb_engine_state_digest(b.e) == sb_engine_state_digest(r.e)) == stats,
                          "bit %zu of byte %zu", bit % 8, bit / 8);
            free(again);
            taken++;
        }
        bench_close(&b);
        image[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    ck_assert_uint_lt(taken, bytes * 4);
    for (size_t n = 0; n < bytes; n++) {
        struct bench b;
        ck_assert_ptr_nonnull(load(&b, image, n));
        bench_close(&b);
    }
    free(image);
    rig_close(&r);
}
END_TEST

/* Full tables: as many orders and levels as there may be are taken, one level more is not. */
START_TEST(full_tables)
{
    const struct sb_engine_limits limits = {.instruments_max = 2,
                                            .sessions_max = 4,
                                            .orders_max = 4,
                                            .levels_max = 2,
                                            .terms_max = 64,
                                            .window_levels = 64};
    struct rig r;
    rig_open(&r, &limits, SB_PHASE_CONTINUOUS);
    for (uint32_t i = 1; i <= 4; i++)
        rig_order(&r, 1, i, SB_BUY, 10, 10 + 10 * (i % 2));
    rig_forget(&r);
    size_t bytes;
    uint8_t *image = save(r.e, &bytes);
    struct bench b;
    bench_open(&b, &limits);
    ck_assert_ptr_null(sb_engine_load(b.e, image, bytes));
    verify(b.e);
    expect_equal(r.e, b.e);
    bench_close(&b);
    set(image + bytes - 4 * O + 20, 4, 3); /* the first order, at a price of its own */
    bench_open(&b, &limits);
    ck_assert_str_eq(sb_engine_load(b.e, image, bytes), "more price levels than there may be");
    bench_close(&b);
    free(image);
    rig_close(&r);
}
END_TEST

/* As many orders with a minimum as there may be are taken, one more is not. */
START_TEST(full_of_minimums)
{
    struct sb_engine_limits limits = rig_limits;
    limits.orders_max = limits.terms_max = 512;
    struct rig r;
    rig_open(&r, &limits, SB_PHASE_CONTINUOUS);
    for (uint32_t i = 1; i <= SB_MINIMUMS_MAX; i++)
        special(&r, i, SB_BUY, 100, 4800, SB_TIF_DAY, TERMS(.min_quantity = 50));
    special(&r, SB_MINIMUMS_MAX + 1, SB_BUY, 100, 4700, SB_TIF_DAY,
            TERMS(.attributes = SB_ATTR_HIDDEN));
    size_t bytes;
    uint8_t *image = save(r.e, &bytes);
    struct bench b;
    bench_open(&b, &limits);
    ck_assert_ptr_null(sb_engine_load(b.e, image, bytes));
    verify(b.e);
    expect_equal(r.e, b.e);
    bench_close(&b);
    set(image + bytes - T + 28, 4, 50); /* the hidden one, which is the last */
    bench_open(&b, &limits);
    ck_assert_str_eq(sb_engine_load(b.e, image, bytes),
                     "more orders with a minimum than there may be");
    bench_close(&b);
    free(image);
    rig_close(&r);
}
END_TEST

/* A new engine has an image, too. */
START_TEST(nothing_applied)
{
    struct rig r;
    rig_blank(&r, &rig_limits);
    size_t bytes;
    uint8_t *image = save(r.e, &bytes);
    struct bench b;
    ck_assert_ptr_null(load(&b, image, bytes));
    expect_equal(r.e, b.e);
    bench_close(&b);
    free(image);
    rig_close(&r);
}
END_TEST

static void add(TCase *tc)
{
    tcase_set_timeout(tc, 100);
    tcase_add_loop_test(tc, an_image_goes_on_as_its_engine, 0, FLOWS);
    tcase_add_test(tc, layout);
    tcase_add_test(tc, every_flipped_bit);
    tcase_add_test(tc, every_cut);
    tcase_add_test(tc, what_no_engine_saves);
    tcase_add_test(tc, every_flipped_bit_with_terms);
    tcase_add_test(tc, full_tables);
    tcase_add_test(tc, full_of_minimums);
    tcase_add_test(tc, nothing_applied);
}

int main(void)
{
    return rig_main("engine-image", add);
}
