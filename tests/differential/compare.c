#include "compare.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "shadowbook/assert.h"
#include "tests/reference/reference.h"

enum { SEAL_EVERY = 16, BOOKS_EVERY = 64 };
static const uint64_t START_NS = UINT64_C(946684800000000000);

struct pair {
    const struct sb_engine_limits *limits;
    struct sb_engine *engine;
    struct sb_reference *reference;
    struct sb_outbox box;
    struct sb_reference_outputs expected;
    void *memory;
    FILE *say;
};

static void *aligned_zeroed(size_t bytes)
{
    const size_t whole = (bytes + 63) / 64 * 64;
    void *p = aligned_alloc(64, whole);
    SB_ASSERT(p != NULL);
    memset(p, 0, whole);
    return p;
}

static void pair_open(struct pair *p, const struct sb_engine_limits *limits, FILE *say)
{
    const char *wrong = sb_engine_limits_error(limits);
    if (wrong != NULL) {
        fprintf(stderr, "limits: %s\n", wrong);
        exit(2);
    }
    const size_t bytes = sb_engine_footprint(limits);
    *p = (struct pair){.limits = limits, .say = say, .memory = aligned_zeroed(bytes)};
    p->engine = sb_engine_new(p->memory, bytes, limits);
    p->reference = sb_reference_new(limits);
    p->box.cap = sb_engine_outputs_max(limits, SEAL_EVERY);
    p->box.out = malloc((size_t)p->box.cap * sizeof *p->box.out);
    SB_ASSERT(p->box.out != NULL);
}

static void pair_close(struct pair *p)
{
    free(p->box.out);
    free(p->expected.out);
    sb_reference_free(p->reference);
    free(p->memory);
}

static void print_output(FILE *to, const char *who, const struct sb_output *o)
{
    fprintf(
        to,
        "    %-9s stream %u no %" PRIu64 " kind %u key %u orig %u inst %u side 0x%02x qty %u price "
        "%" PRId64 " ref %" PRIu64 " match %" PRIu64 " reason %u liq %u time +%" PRIu64 "\n",
        who, o->stream, o->stream_seq, o->kind, o->key, o->orig_key, o->instrument, o->side,
        o->quantity, o->price, o->ref, o->match, o->reason, o->liquidity, o->time_ns - START_NS);
}

static bool outputs_equal(struct pair *p, uint32_t from)
{
    const uint32_t got = p->box.n - from;
    const size_t n = got < p->expected.n ? got : p->expected.n;
    size_t i = 0;
    while (i < n && memcmp(&p->box.out[from + i], &p->expected.out[i], sizeof *p->box.out) == 0)
        i++;
    if (i == got && i == p->expected.n)
        return true;
    if (p->say != NULL) {
        fprintf(p->say, "  outputs: engine %u, reference %zu; first difference at output %zu\n",
                got, p->expected.n, i);
        for (size_t k = i; k < i + 4; k++) {
            if (k < got)
                print_output(p->say, "engine", &p->box.out[from + k]);
            if (k < p->expected.n)
                print_output(p->say, "reference", &p->expected.out[k]);
        }
    }
    return false;
}

struct book {
    struct sb_order_view *orders;
    size_t n, cap;
};

static void collect(void *arg, const struct sb_order_view *order)
{
    struct book *b = arg;
    if (b->n == b->cap) {
        b->cap = b->cap * 2 + 64;
        b->orders = realloc(b->orders, b->cap * sizeof *b->orders);
        SB_ASSERT(b->orders != NULL);
    }
    b->orders[b->n++] = *order;
}

static bool order_view_equal(const struct sb_order_view *a, const struct sb_order_view *b)
{
    return a->ref == b->ref && a->price == b->price && a->session == b->session &&
           a->key == b->key && a->open == b->open && a->executed == b->executed &&
           a->side == b->side;
}

static bool best_equal(const struct pair *p, uint32_t instrument, uint8_t side,
                       const struct book *expected)
{
    int64_t price = 0;
    uint64_t quantity = 0, sum = 0;
    if (!sb_engine_best(p->engine, instrument, side, &price, &quantity))
        return expected->n == 0;
    if (expected->n == 0)
        return false;
    for (size_t i = 0; i < expected->n && expected->orders[i].price == expected->orders[0].price;
         i++)
        sum += expected->orders[i].open;
    return price == expected->orders[0].price && quantity == sum;
}

static bool side_equal(const struct pair *p, uint32_t instrument, uint8_t side)
{
    struct book a = {0}, b = {0};
    sb_engine_visit(p->engine, instrument, side, collect, &a);
    sb_reference_visit(p->reference, instrument, side, collect, &b);
    bool equal = a.n == b.n && best_equal(p, instrument, side, &b);
    for (size_t i = 0; equal && i < a.n; i++)
        equal = order_view_equal(&a.orders[i], &b.orders[i]);
    if (!equal && p->say != NULL)
        fprintf(p->say, "  books: instrument %u %s, engine %zu orders, reference %zu\n", instrument,
                side == SB_BUY ? "buys" : "sells", a.n, b.n);
    free(a.orders);
    free(b.orders);
    return equal;
}

static bool session_equal(const struct sb_session_view *a, const struct sb_session_view *b)
{
    return a->last_session_seq == b->last_session_seq && a->next_stream_seq == b->next_stream_seq &&
           a->login_nonce == b->login_nonce && a->last_key == b->last_key && a->firm == b->firm &&
           a->login_ipv4 == b->login_ipv4 && a->login_port == b->login_port &&
           a->defined == b->defined && a->operator_right == b->operator_right;
}

static bool instrument_equal(const struct pair *p, uint32_t i)
{
    const struct sb_instrument_view *a = sb_engine_instrument(p->engine, i);
    const struct sb_instrument_view *b = sb_reference_instrument(p->reference, i);
    if (!b->defined)
        return a == NULL || !a->defined;
    return a != NULL && a->defined == b->defined && memcmp(a->symbol, b->symbol, 8) == 0 &&
           a->tick == b->tick && a->price_min == b->price_min && a->price_max == b->price_max &&
           a->lot == b->lot && a->quantity_max == b->quantity_max && a->phase == b->phase &&
           sb_engine_find_symbol(p->engine, b->symbol) == i;
}

static bool stats_equal(const struct pair *p)
{
    const struct sb_engine_stats *a = sb_engine_stats(p->engine);
    const struct sb_engine_stats *b = sb_reference_stats(p->reference);
    const bool equal = a->trades == b->trades && a->accepted == b->accepted &&
                       a->rejected == b->rejected && a->replaced == b->replaced &&
                       a->ignored_resend == b->ignored_resend &&
                       a->ignored_superfluous == b->ignored_superfluous &&
                       a->ignored_session == b->ignored_session && a->open_orders == b->open_orders;
    if (!equal && p->say != NULL)
        fprintf(p->say,
                "  counts (engine/reference): trades %" PRIu64 "/%" PRIu64 " accepted %" PRIu64
                "/%" PRIu64 " rejected %" PRIu64 "/%" PRIu64 " replaced %" PRIu64 "/%" PRIu64
                " resend %" PRIu64 "/%" PRIu64 " superfluous %" PRIu64 "/%" PRIu64
                " session %" PRIu64 "/%" PRIu64 " open %u/%u\n",
                a->trades, b->trades, a->accepted, b->accepted, a->rejected, b->rejected,
                a->replaced, b->replaced, a->ignored_resend, b->ignored_resend,
                a->ignored_superfluous, b->ignored_superfluous, a->ignored_session,
                b->ignored_session, a->open_orders, b->open_orders);
    return equal;
}

static bool state_equal(const struct pair *p)
{
    bool equal = stats_equal(p);
    for (uint32_t i = 1; equal && i <= p->limits->instruments_max; i++) {
        equal = instrument_equal(p, i);
        if (!equal && p->say != NULL)
            fprintf(p->say, "  instrument %u differs\n", i);
        equal = equal && side_equal(p, i, SB_BUY) && side_equal(p, i, SB_SELL);
    }
    for (uint32_t s = 1; equal && s <= p->limits->sessions_max; s++) {
        const struct sb_session_view *view = sb_engine_session(p->engine, s);
        const struct sb_session_view *expected = sb_reference_session(p->reference, s);
        equal = expected->defined ? view != NULL && session_equal(view, expected)
                                  : view == NULL || !view->defined;
        if (!equal && p->say != NULL)
            fprintf(p->say, "  session %u differs\n", s);
    }
    return equal;
}

static struct sb_command2 numbered(const struct sb_command2 *c, uint32_t index)
{
    struct sb_command2 copy = *c;
    copy.c.seq = (uint64_t)index + 1;
    copy.c.time_ns = START_NS + (uint64_t)(index + 1) * 1000;
    return copy;
}

/* A second engine over the same commands, sealed at the same places: the same digests. */
static bool replay_equal(const struct pair *p, const struct sb_command2 *commands, uint32_t n)
{
    struct pair q;
    pair_open(&q, p->limits, NULL);
    for (uint32_t i = 0; i < n; i++) {
        const struct sb_command2 c = numbered(&commands[i], i);
        sb_engine_prefetch(q.engine, &c.c, sb_command_lines(&c.c)); /* changes nothing, so it may be anywhere */
        sb_engine_apply(q.engine, &c.c, &q.box);
        if ((i + 1) % SEAL_EVERY == 0 || i + 1 == n)
            sb_engine_seal(q.engine, &q.box);
    }
    const bool equal = sb_engine_digest(p->engine) == sb_engine_digest(q.engine) &&
                       sb_engine_state_digest(p->engine) == sb_engine_state_digest(q.engine) &&
                       sb_engine_applied(q.engine) == n;
    pair_close(&q);
    if (!equal && p->say != NULL)
        fprintf(p->say, "  digests differ between two engines that applied the same commands\n");
    return equal;
}

static void count(struct compare_totals *t, const struct pair *p)
{
    for (size_t i = 0; i < p->expected.n; i++) {
        t->outputs_by_kind[p->expected.out[i].kind & 63u]++;
        if (p->expected.out[i].kind == SB_OUT_REJECTED)
            t->rejects_by_reason[p->expected.out[i].reason]++;
    }
    t->outputs += p->expected.n;
}

int64_t compare_run(const struct sb_engine_limits *limits, const struct sb_command2 *commands,
                    uint32_t n, FILE *say, struct compare_totals *totals)
{
    struct pair p;
    pair_open(&p, limits, say);
    int64_t differs = COMPARE_EQUAL;
    for (uint32_t i = 0; i < n && differs == COMPARE_EQUAL; i++) {
        const struct sb_command2 c = numbered(&commands[i], i);
        const uint32_t from = p.box.n;
        p.expected.n = 0;
        sb_engine_apply(p.engine, &c.c, &p.box);
        sb_reference_apply(p.reference, &c.c, &p.expected);
        const bool last = i + 1 == n;
        if (!outputs_equal(&p, from) || ((last || i % BOOKS_EVERY == 0) && !state_equal(&p)))
            differs = i;
        if (totals != NULL)
            count(totals, &p);
        if (last || (i + 1) % SEAL_EVERY == 0)
            sb_engine_seal(p.engine, &p.box);
    }
    if (differs == COMPARE_EQUAL && n > 0 && !replay_equal(&p, commands, n))
        differs = n - 1;
    if (totals != NULL) {
        const struct sb_engine_stats *s = sb_reference_stats(p.reference);
        totals->commands += s->commands;
        totals->trades += s->trades;
        totals->accepted += s->accepted;
        totals->rejected += s->rejected;
        totals->replaced += s->replaced;
    }
    pair_close(&p);
    return differs;
}

void compare_print_command(FILE *to, const struct sb_command2 *both)
{
    static const char *const NAMES[] = {
        [SB_CMD_DAY] = "DAY",         [SB_CMD_SESSION] = "SESSION",
        [SB_CMD_PHASE] = "PHASE",     [SB_CMD_INSTRUMENT] = "INSTRUMENT",
        [SB_CMD_UNCROSS] = "UNCROSS", [SB_CMD_LOGIN] = "LOGIN",
        [SB_CMD_ORDER] = "ORDER",     [SB_CMD_CANCEL] = "CANCEL",
        [SB_CMD_REPLACE] = "REPLACE", [SB_CMD_REDUCE] = "REDUCE",
        [SB_CMD_INVALID] = "INVALID"};
    static const char *const PHASES[] = {"CLOSED", "AUCTION", "CONTINUOUS", "HALTED"};
    const struct sb_command *c = &both->c;
    fprintf(to, "  %-10s session %u key %u", NAMES[c->kind], c->session, c->key);
    if (c->session_seq != 0)
        fprintf(to, " no %" PRIu64, c->session_seq);
    if (c->kind == SB_CMD_ORDER || c->kind == SB_CMD_REPLACE) {
        fprintf(to, " orig %u inst %u %s(%u) %s %u @ %" PRId64, c->orig_key, c->instrument,
                sb_side_sells(c->side) ? "sell" : "buy", c->side,
                c->tif == SB_TIF_IOC ? "IOC" : "DAY", c->quantity, c->price);
    } else if (c->kind == SB_CMD_CANCEL || c->kind == SB_CMD_REDUCE) {
        fprintf(to, " quantity %u", c->quantity);
    } else if (c->kind == SB_CMD_PHASE || c->kind == SB_CMD_UNCROSS) {
        fprintf(to, " inst %u %s", c->instrument, PHASES[c->phase & 3u]);
    } else if (c->kind == SB_CMD_INSTRUMENT) {
        fprintf(to,
                " inst %u '%.8s' tick %" PRId64 " band %" PRId64 "..%" PRId64
                " lot %u max %u phase %u",
                c->instrument, both->ext.instrument.symbol, both->ext.instrument.tick,
                both->ext.instrument.price_min, both->ext.instrument.price_max,
                both->ext.instrument.lot, both->ext.instrument.quantity_max,
                both->ext.instrument.phase);
    } else if (c->kind == SB_CMD_INVALID) {
        fprintf(to, " reason %u flags %u", c->reason, c->flags);
    } else if (c->kind == SB_CMD_LOGIN) {
        fprintf(to, " nonce %" PRId64, c->price);
    } else if (c->kind == SB_CMD_SESSION) {
        fprintf(to, " operator %u", both->ext.session.operator_right);
    }
    fprintf(to, "\n");
}
