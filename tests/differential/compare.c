#include "compare.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "engine/verify.h"
#include "feed_book.h"
#include "ledger.h"
#include "shadowbook/assert.h"
#include "tell.h"
#include "tests/reference/reference.h"

enum { SEAL_EVERY = 4 };

struct book {
    struct sb_order_view *orders;
    size_t n, cap;
};

struct pair {
    const struct compare *c;
    struct sb_engine *engine;
    struct sb_reference *reference;
    struct sb_outbox box;
    struct sb_reference_outputs expected;
    struct ledger ledger;
    struct feed_book feed;
    struct coverage coverage;
    struct book a, b;      /* the engine's, the reference's */
    uint32_t *open_orders; /* by session, as the views show them */
    void *memory;
    FILE *say;
};

/* --- both -------------------------------------------------------------------------------------- */

static void *zeroed(size_t bytes)
{
    const size_t whole = (bytes + 63) / 64 * 64;
    void *p = aligned_alloc(64, whole);
    SB_ASSERT(p != NULL);
    memset(p, 0, whole);
    return p;
}

static struct sb_engine *engine_open(const struct sb_engine_limits *limits, void **memory)
{
    const char *wrong = sb_engine_limits_error(limits);
    if (wrong != NULL) {
        fprintf(stderr, "limits: %s\n", wrong);
        exit(2);
    }
    const size_t bytes = sb_engine_footprint(limits);
    *memory = zeroed(bytes);
    return sb_engine_new(*memory, bytes, limits);
}

/* The second engine: its books leave nothing to the plain path (engine/state.h). */
static struct sb_engine *all_general(struct sb_engine *e)
{
    for (uint32_t i = 0; i <= e->limits.instruments_max; i++)
        e->books[i].general = (uint8_t)(e->books[i].general | SB_GENERAL_TEST);
    return e;
}

static void box_open(struct sb_outbox *box, const struct sb_engine_limits *limits)
{
    box->cap = sb_engine_outputs_max(limits, SEAL_EVERY, true);
    box->out = malloc((size_t)box->cap * sizeof *box->out);
    SB_ASSERT(box->out != NULL);
}

static void pair_open(struct pair *p, const struct compare *c)
{
    *p = (struct pair){.c = c, .say = c->say};
    p->engine = engine_open(c->limits, &p->memory);
    p->reference = sb_reference_new(c->limits);
    box_open(&p->box, c->limits);
    ledger_open(&p->ledger, c->limits, c->coverage != NULL ? c->coverage : &p->coverage);
    feed_book_open(&p->feed, c->limits, p->ledger.coverage);
    p->open_orders = calloc((size_t)c->limits->sessions_max + 1, sizeof *p->open_orders);
    SB_ASSERT(p->open_orders != NULL);
}

static void pair_close(struct pair *p)
{
    feed_book_close(&p->feed);
    ledger_close(&p->ledger);
    free(p->a.orders);
    free(p->b.orders);
    free(p->open_orders);
    free(p->box.out);
    free(p->expected.out);
    sb_reference_free(p->reference);
    free(p->memory);
}

__attribute__((format(printf, 3, 4))) static bool
differs(const struct pair *p, enum compare_what what, const char *format, ...)
{
    if (p->c->what != NULL)
        *p->c->what = what;
    if (p->say != NULL) {
        va_list args;
        va_start(args, format);
        fprintf(p->say, "  ");
        vfprintf(p->say, format, args);
        fprintf(p->say, "\n");
        va_end(args);
    }
    return false;
}

/* --- outputs ----------------------------------------------------------------------------------- */

static void say_output(FILE *to, const char *who, const struct sb_output *o)
{
    fprintf(to, "      %-10s", who);
    tell_output(to, o);
}

static bool outputs_equal(const struct pair *p, uint32_t from)
{
    enum { SHOWN = 6 };
    const uint32_t got = p->box.n - from;
    const size_t n = got < p->expected.n ? got : p->expected.n;
    size_t i = 0;
    while (i < n && memcmp(&p->box.out[from + i], &p->expected.out[i], sizeof *p->box.out) == 0)
        i++;
    if (i == got && i == p->expected.n)
        return true;
    differs(p, COMPARE_OUTPUTS, "outputs: engine %u, reference %zu; the first %zu are equal", got,
            p->expected.n, i);
    for (size_t k = i; p->say != NULL && k < got && k < i + SHOWN; k++)
        say_output(p->say, "engine", &p->box.out[from + k]);
    for (size_t k = i; p->say != NULL && k < p->expected.n && k < i + SHOWN; k++)
        say_output(p->say, "reference", &p->expected.out[k]);
    return false;
}

/* What no implementation may do, whatever the other does. */
static bool outputs_hold(struct pair *p, const struct sb_command2 *c, uint32_t from)
{
    const struct sb_output *outputs = p->box.out + from;
    const uint32_t n = p->box.n - from;
    uint32_t at = 0;
    const char *wrong = ledger_apply(&p->ledger, c, outputs, n, &at);
    if (wrong == NULL)
        wrong = feed_book_apply(&p->feed, c, outputs, n, &at);
    if (wrong == NULL)
        return true;
    differs(p, COMPARE_RULES, "both break a rule: %s; at output", wrong);
    if (p->say != NULL && at < n)
        say_output(p->say, "both", &outputs[at]);
    return false;
}

/* --- views ------------------------------------------------------------------------------------- */

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
           a->side == b->side && a->capacity == b->capacity && a->state == b->state &&
           a->tif == b->tif && a->reserve == b->reserve;
}

static bool orders_equal(struct pair *p, uint32_t instrument)
{
    p->a.n = p->b.n = 0;
    sb_engine_visit_all(p->engine, instrument, collect, &p->a);
    sb_reference_visit_all(p->reference, instrument, collect, &p->b);
    size_t i = 0;
    while (i < p->a.n && i < p->b.n && order_view_equal(&p->a.orders[i], &p->b.orders[i]))
        i++;
    if (i == p->a.n && i == p->b.n)
        return true;
    differs(p, COMPARE_ORDERS, "orders of i%u: engine %zu, reference %zu; the first %zu are equal",
            instrument, p->a.n, p->b.n, i);
    for (uint32_t who = 0; p->say != NULL && who < 2; who++) {
        const struct book *b = who == 0 ? &p->a : &p->b;
        if (i == b->n)
            continue;
        fprintf(p->say, "      %-10s", who == 0 ? "engine" : "reference");
        tell_order(p->say, &b->orders[i]);
    }
    return false;
}

static bool best_equal(const struct pair *p, uint32_t instrument, uint8_t side)
{
    const struct feed_side *f = &p->feed.instruments[instrument].sides[side];
    int64_t price = 0;
    uint64_t quantity = 0, sum = 0;
    if (!sb_engine_best(p->engine, instrument, side, &price, &quantity))
        return f->n == 0;
    for (size_t k = f->n; k > 0 && f->orders[k - 1].rank == f->orders[f->n - 1].rank; k--)
        sum += f->orders[k - 1].quantity;
    return f->n > 0 && feed_rank(price, side) == f->orders[f->n - 1].rank && quantity == sum;
}

/* The displayed side is what the feed has told of it. */
static bool side_told(struct pair *p, uint32_t instrument, uint8_t side)
{
    const struct feed_side *f = &p->feed.instruments[instrument].sides[side];
    p->a.n = 0;
    sb_engine_visit(p->engine, instrument, side, collect, &p->a);
    bool equal = p->a.n == f->n && best_equal(p, instrument, side);
    for (size_t i = 0; equal && i < f->n; i++) {
        const struct sb_order_view *v = &p->a.orders[i];
        const struct feed_order *o = &f->orders[f->n - 1 - i];
        equal = v->ref == o->ref && feed_rank(v->price, v->side) == o->rank &&
                v->open == o->quantity && v->side == o->side;
    }
    return equal || differs(p, COMPARE_VIEWS, "i%u: the displayed %s are not what the feed told",
                            instrument, side == SB_BUY ? "buys" : "sells");
}

static bool orders_told(struct pair *p, uint32_t instrument, uint32_t *accepted_n)
{
    for (size_t i = 0; i < p->b.n; i++) {
        p->open_orders[p->b.orders[i].session]++;
        const char *wrong = ledger_view(&p->ledger, instrument, &p->b.orders[i], accepted_n);
        if (wrong != NULL)
            return differs(p, COMPARE_RULES, "i%u: %s", instrument, wrong);
    }
    return true;
}

static bool session_equal(const struct sb_session_view *a, const struct sb_session_view *b)
{
    return a->last_session_seq == b->last_session_seq && a->next_stream_seq == b->next_stream_seq &&
           a->login_nonce == b->login_nonce && a->last_key == b->last_key && a->firm == b->firm &&
           a->login_ipv4 == b->login_ipv4 && a->login_port == b->login_port &&
           a->defined == b->defined && a->operator_right == b->operator_right && a->stp == b->stp &&
           a->killed == b->killed && a->stp_group == b->stp_group &&
           a->orders_max == b->orders_max && a->quantity_max == b->quantity_max &&
           a->notional_max == b->notional_max && a->open_orders == b->open_orders;
}

static bool instrument_view_equal(const struct sb_instrument_view *a,
                                  const struct sb_instrument_view *b)
{
    return a->defined == b->defined && memcmp(a->symbol, b->symbol, 8) == 0 && a->tick == b->tick &&
           a->price_min == b->price_min && a->price_max == b->price_max && a->lot == b->lot &&
           a->quantity_max == b->quantity_max && a->phase == b->phase && a->auction == b->auction &&
           a->matching == b->matching && a->tie == b->tie && a->band_action == b->band_action &&
           a->static_band == b->static_band && a->dynamic_band == b->dynamic_band &&
           a->pause_ms == b->pause_ms && a->notional_max == b->notional_max &&
           a->pro_rata_min == b->pro_rata_min && a->reference == b->reference &&
           a->last_price == b->last_price && a->resume_ns == b->resume_ns;
}

static bool instrument_equal(const struct pair *p, uint32_t i)
{
    const struct sb_instrument_view *a = sb_engine_instrument(p->engine, i);
    const struct sb_instrument_view *b = sb_reference_instrument(p->reference, i);
    if (!b->defined)
        return a == NULL || !a->defined || differs(p, COMPARE_VIEWS, "i%u is defined", i);
    if (a != NULL && instrument_view_equal(a, b) &&
        sb_engine_find_symbol(p->engine, b->symbol) == i)
        return true;
    return a == NULL
               ? differs(p, COMPARE_VIEWS, "i%u is not defined", i)
               : differs(p, COMPARE_VIEWS,
                         "i%u (engine/reference): phase %u/%u auction %u/%u reference %" PRId64
                         "/%" PRId64 " last price %" PRId64 "/%" PRId64 " resume %" PRIu64
                         "/%" PRIu64 ", or what does not change",
                         i, a->phase, b->phase, a->auction, b->auction, a->reference, b->reference,
                         a->last_price, b->last_price, a->resume_ns, b->resume_ns);
}

static bool sessions_equal(const struct pair *p)
{
    for (uint32_t s = 1; s <= p->c->limits->sessions_max; s++) {
        const struct sb_session_view *a = sb_engine_session(p->engine, s);
        const struct sb_session_view *b = sb_reference_session(p->reference, s);
        if (!(b->defined ? a != NULL && session_equal(a, b) : a == NULL || !a->defined))
            return a == NULL
                       ? differs(p, COMPARE_VIEWS, "s%u is not defined", s)
                       : differs(p, COMPARE_VIEWS,
                                 "s%u (engine/reference): open %u/%u killed %u/%u last key %u/%u, "
                                 "or something else",
                                 s, a->open_orders, b->open_orders, a->killed, b->killed,
                                 a->last_key, b->last_key);
        if (b->defined && b->open_orders != p->open_orders[s])
            return differs(p, COMPARE_VIEWS, "s%u has %u open orders, the views show %u", s,
                           b->open_orders, p->open_orders[s]);
    }
    return true;
}

static bool stats_equal(const struct pair *p)
{
    const struct sb_engine_stats *a = sb_engine_stats(p->engine);
    const struct sb_engine_stats *b = sb_reference_stats(p->reference);
    if (a->trades == b->trades && a->accepted == b->accepted && a->rejected == b->rejected &&
        a->replaced == b->replaced && a->ignored_resend == b->ignored_resend &&
        a->ignored_superfluous == b->ignored_superfluous &&
        a->ignored_session == b->ignored_session && a->open_orders == b->open_orders)
        return true;
    return differs(p, COMPARE_VIEWS,
                   "counts (engine/reference): trades %" PRIu64 "/%" PRIu64 " accepted %" PRIu64
                   "/%" PRIu64 " rejected %" PRIu64 "/%" PRIu64 " replaced %" PRIu64 "/%" PRIu64
                   " resend %" PRIu64 "/%" PRIu64 " superfluous %" PRIu64 "/%" PRIu64
                   " session %" PRIu64 "/%" PRIu64 " open %u/%u",
                   a->trades, b->trades, a->accepted, b->accepted, a->rejected, b->rejected,
                   a->replaced, b->replaced, a->ignored_resend, b->ignored_resend,
                   a->ignored_superfluous, b->ignored_superfluous, a->ignored_session,
                   b->ignored_session, a->open_orders, b->open_orders);
}

static bool state_equal(struct pair *p)
{
    uint32_t accepted_n = 0;
    memset(p->open_orders, 0, ((size_t)p->c->limits->sessions_max + 1) * sizeof *p->open_orders);
    if (!stats_equal(p))
        return false;
    SB_ASSERT_EQ(sb_engine_verify(p->engine), p->engine->orders.used);
    for (uint32_t i = 1; i <= p->c->limits->instruments_max; i++)
        if (!instrument_equal(p, i) || !orders_equal(p, i) || !orders_told(p, i, &accepted_n) ||
            !side_told(p, i, SB_BUY) || !side_told(p, i, SB_SELL))
            return false;
    if (accepted_n != ledger_open_orders(&p->ledger))
        return differs(p, COMPARE_VIEWS, "%u accepted orders are open, the views show %u",
                       ledger_open_orders(&p->ledger), accepted_n);
    return sessions_equal(p);
}

/* --- once more --------------------------------------------------------------------------------- */

static struct sb_command2 numbered(const struct compare *c, uint32_t index)
{
    struct sb_command2 copy = c->commands[index];
    copy.c.seq = (uint64_t)index + 1;
    return copy;
}

/* Every so many outputs of commands are sealed. Closely looked at, a flow may be cut behind any command. */
static uint32_t seal_every(const struct compare *c)
{
    return c->views_every == 1 ? 1 : SEAL_EVERY;
}

/* Applies [from, to), sealed where the first engine was. */
static void replay(const struct compare *c, struct sb_engine *e, struct sb_outbox *box,
                   uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++) {
        const struct sb_command2 command = numbered(c, i);
        sb_engine_prefetch(
            e, &command.c,
            sb_command_lines(&command.c)); /* changes nothing, so it may be anywhere */
        sb_engine_apply(e, &command.c, box);
        if ((i + 1) % seal_every(c) == 0 || i + 1 == c->n)
            sb_engine_seal(e, box);
    }
}

/* The engine's state by way of its image; the engine is no more. NULL: the image is refused. */
static struct sb_engine *by_image(const struct pair *p, struct sb_engine *e, void **memory)
{
    const size_t bytes = sb_engine_image_bytes(e);
    void *image = zeroed(bytes + 1);
    sb_engine_save(e, image, bytes);
    free(*memory);
    struct sb_engine *again = all_general(engine_open(p->c->limits, memory));
    const char *wrong = sb_engine_load(again, image, bytes);
    free(image);
    if (wrong == NULL)
        return again;
    differs(p, COMPARE_IMAGE, "an image of the engine is refused: %s", wrong);
    return NULL;
}

/* A second engine over the same commands, from command `cut` on as one that was loaded: the same digests. */
static bool replay_equal(struct pair *p, uint32_t cut)
{
    const struct compare *c = p->c;
    void *memory;
    struct sb_engine *e = all_general(engine_open(c->limits, &memory));
    replay(c, e, &p->box, 0, cut);
    const uint64_t state = sb_engine_state_digest(e);
    e = by_image(p, e, &memory);
    bool equal = e != NULL;
    if (equal && sb_engine_state_digest(e) != state)
        equal = differs(p, COMPARE_IMAGE,
                        "an engine loaded from an image behind command %u has another state", cut);
    if (equal) {
        replay(c, e, &p->box, cut, c->n);
        SB_ASSERT_EQ(sb_engine_verify(e), e->orders.used);
        equal = sb_engine_digest(p->engine) == sb_engine_digest(e) &&
                sb_engine_state_digest(p->engine) == sb_engine_state_digest(e) &&
                sb_engine_applied(e) == c->n;
        if (!equal)
            differs(p, COMPARE_IMAGE,
                    "an engine loaded from an image behind command %u ends with another %s", cut,
                    sb_engine_digest(p->engine) != sb_engine_digest(e) ? "digest" : "state");
    }
    free(memory);
    return equal;
}

/* Closely looked at: with an image behind each command. */
static bool replays_equal(struct pair *p)
{
    const struct compare *c = p->c;
    if (c->views_every != 1)
        return replay_equal(p, c->n / 2 / SEAL_EVERY * SEAL_EVERY);
    for (uint32_t cut = 0; cut < c->n; cut++)
        if (!replay_equal(p, cut))
            return false;
    return true;
}

/* --- a run ------------------------------------------------------------------------------------- */

static void story(const struct pair *p, uint32_t i, const struct sb_command2 *c, uint32_t from)
{
    fprintf(p->say, "%4u ", i + 1);
    tell_command(p->say, c, p->c->commands[0].c.time_ns);
    if (c->c.kind == SB_CMD_DAY || c->c.kind == SB_CMD_SESSION || c->c.kind == SB_CMD_INSTRUMENT)
        return;
    for (uint32_t k = from; k < p->box.n; k++)
        say_output(p->say, "", &p->box.out[k]);
}

/* A command through both. False: something differs. */
static bool step(struct pair *p, uint32_t i)
{
    const uint32_t every = p->c->views_every != 0 ? p->c->views_every : COMPARE_VIEWS_EVERY;
    const struct sb_command2 command = numbered(p->c, i);
    const uint32_t from = p->box.n;
    const bool last = i + 1 == p->c->n;
    if (p->c->at != NULL)
        *p->c->at = i;
    p->expected.n = 0;
    sb_engine_apply(p->engine, &command.c, &p->box);
    if (p->c->story)
        story(p, i, &command, from);
    sb_reference_apply(p->reference, &command.c, &p->expected);
    const bool equal = outputs_equal(p, from) && outputs_hold(p, &command, from) &&
                       ((!last && i % every != 0) || state_equal(p));
    if (p->c->totals != NULL)
        p->c->totals->outputs += p->expected.n;
    if (last || (i + 1) % seal_every(p->c) == 0)
        sb_engine_seal(p->engine, &p->box);
    return equal;
}

int64_t compare_run(const struct compare *c)
{
    struct pair p;
    int64_t difference = COMPARE_EQUAL;
    pair_open(&p, c);
    for (uint32_t i = 0; i < c->n && difference == COMPARE_EQUAL; i++)
        if (!step(&p, i))
            difference = i;
    if (difference == COMPARE_EQUAL && c->n > 0 && !replays_equal(&p))
        difference = c->n - 1;
    if (c->totals != NULL) {
        const struct sb_engine_stats *s = sb_reference_stats(p.reference);
        c->totals->commands += s->commands;
        c->totals->trades += s->trades;
        c->totals->accepted += s->accepted;
        c->totals->rejected += s->rejected;
        c->totals->replaced += s->replaced;
    }
    pair_close(&p);
    return difference;
}
