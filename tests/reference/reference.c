/* reference.c: commands in, records out, the slow way: records, configuration, dispatch, views. */
#include "reference_internal.h"

#include <stdlib.h>
#include <string.h>

#include "shadowbook/assert.h"

void *ref_grow(void *old, size_t bytes)
{
    void *p = realloc(old, bytes);
    SB_ASSERT(p != NULL);
    return p;
}

struct sb_reference *sb_reference_new(const struct sb_engine_limits *limits)
{
    struct sb_reference *r = calloc(1, sizeof *r);
    SB_ASSERT(r != NULL);
    r->limits = *limits;
    r->instruments = calloc((size_t)limits->instruments_max + 1, sizeof *r->instruments);
    r->sessions = calloc((size_t)limits->sessions_max + 1, sizeof *r->sessions);
    SB_ASSERT(r->instruments != NULL && r->sessions != NULL);
    r->feed_seq = r->next_ref = r->next_match = 1;
    for (uint32_t s = 0; s <= limits->sessions_max; s++)
        r->sessions[s].view.next_stream_seq = 1;
    return r;
}

static void free_ended(struct sb_reference *r)
{
    while (r->ended != NULL) {
        struct ref_order *o = r->ended;
        r->ended = o->next;
        free(o);
    }
}

static void free_list(struct ref_list *list)
{
    for (size_t k = 0; k < list->n; k++)
        free(list->orders[k]);
    free(list->orders);
}

void sb_reference_free(struct sb_reference *r)
{
    if (r == NULL)
        return;
    for (uint32_t i = 0; i <= r->limits.instruments_max; i++) {
        struct ref_instrument *inst = &r->instruments[i];
        for (int s = 0; s < 2; s++) {
            free_list(&inst->shown[s]);
            free_list(&inst->dark[s]);
        }
        free_list(&inst->parked);
    }
    free(r->instruments);
    free(r->sessions);
    free(r);
}

/* ---- records ---- */

struct sb_output *ref_emit(struct sb_reference *r, uint32_t stream, uint8_t kind)
{
    struct sb_reference_outputs *o = r->outputs;
    if (o->n == o->cap) {
        o->cap = o->cap * 2 + 64;
        o->out = ref_grow(o->out, o->cap * sizeof *o->out);
    }
    struct sb_output *out = &o->out[o->n++];
    memset(out, 0, sizeof *out);
    out->time_ns = r->cmd->time_ns;
    out->stream = stream;
    out->stream_seq =
        stream == SB_STREAM_FEED ? r->feed_seq++ : r->sessions[stream].view.next_stream_seq++;
    out->kind = kind;
    return out;
}

struct sb_output *ref_emit_order(struct sb_reference *r, uint32_t stream, uint8_t kind,
                                 const struct ref_order *o)
{
    struct sb_output *out = ref_emit(r, stream, kind);
    out->key = stream == SB_STREAM_FEED ? 0 : o->key;
    out->instrument = o->instrument;
    out->side = o->side;
    out->ref = o->ref;
    return out;
}

void ref_emit_phase(struct sb_reference *r, uint32_t instrument)
{
    struct sb_output *out = ref_emit(r, SB_STREAM_FEED, SB_OUT_F_PHASE);
    out->instrument = instrument;
    out->side = (uint8_t)(r->instruments[instrument].view.phase << SB_OUT_PHASE_SHIFT);
}

void ref_reject(struct sb_reference *r, uint8_t reason)
{
    struct sb_output *out = ref_emit(r, r->cmd->session, SB_OUT_REJECTED);
    out->key = r->cmd->key;
    out->reason = reason;
    r->stats.rejected++;
}

bool ref_defined(const struct sb_reference *r, uint32_t instrument)
{
    return instrument != 0 && instrument <= r->limits.instruments_max &&
           r->instruments[instrument].view.defined;
}

/* ---- sessions ---- */

static void apply_invalid(struct sb_reference *r, const struct sb_command *c)
{
    struct sb_session_view *s = &r->sessions[c->session].view;
    if ((c->flags & SB_CMD_F_SKIP_KEY) == 0) {
        if (c->key <= s->last_key) {
            r->stats.ignored_resend++;
            return;
        }
        s->last_key = c->key;
    }
    ref_reject(r, c->reason);
}

static void apply_login(struct sb_reference *r, const struct sb_command *c)
{
    struct ref_session *s = &r->sessions[c->session];
    const union sb_command_ext *ext = sb_command_ext(c);
    const bool first = !s->logged_in;
    s->view.login_ipv4 = ext->login.ipv4;
    s->view.login_port = ext->login.port;
    s->logged_in = true;
    if (!first && (uint64_t)c->price == s->view.login_nonce)
        return;
    s->view.login_nonce = (uint64_t)c->price;
    if (first)
        ref_emit(r, c->session, SB_OUT_SYSTEM)->liquidity = 'S';
    struct sb_output *out = ref_emit(r, c->session, SB_OUT_LOGIN);
    out->quantity = s->view.last_key;
    out->ref = s->view.last_session_seq;
}

/* ---- configuration ---- */

static void apply_session(struct sb_reference *r, const struct sb_command *c)
{
    if (c->key == 0 || c->key > r->limits.sessions_max || r->sessions[c->key].view.defined) {
        r->stats.ignored_session++;
        return;
    }
    struct sb_session_view *s = &r->sessions[c->key].view;
    s->defined = 1;
    s->firm = c->firm;
    const union sb_command_ext *x = sb_command_ext(c);
    s->operator_right = x->session.operator_right;
    s->stp = x->session.stp;
    s->stp_group = x->session.stp_group;
    s->orders_max = x->session.orders_max;
    s->quantity_max = x->session.quantity_max;
    s->notional_max = x->session.notional_max;
}

static bool instrument_acceptable(const struct sb_reference *r, const struct sb_command *c)
{
    const union sb_command_ext *x = sb_command_ext(c);
    if (c->instrument == 0 || c->instrument > r->limits.instruments_max ||
        memcmp(x->instrument.symbol, "        ", 8) == 0)
        return false;
    for (uint32_t i = 1; i <= r->limits.instruments_max; i++) {
        const struct sb_instrument_view *v = &r->instruments[i].view;
        if (v->defined && (i == c->instrument || memcmp(v->symbol, x->instrument.symbol, 8) == 0))
            return false;
    }
    return x->instrument.tick >= 1 && x->instrument.lot >= 1 &&
           x->instrument.price_min >= x->instrument.tick &&
           x->instrument.price_max >= x->instrument.price_min &&
           x->instrument.price_max <= SB_PRICE_MAX &&
           x->instrument.price_min % x->instrument.tick == 0 &&
           x->instrument.price_max % x->instrument.tick == 0 &&
           x->instrument.quantity_max >= x->instrument.lot &&
           x->instrument.quantity_max <= SB_QUANTITY_MAX &&
           x->instrument.phase <= SB_PHASE_HALTED &&
           (x->instrument.reference_price == 0 ||
            (x->instrument.reference_price % x->instrument.tick == 0 &&
             x->instrument.reference_price >= x->instrument.price_min &&
             x->instrument.reference_price <= x->instrument.price_max));
}

static void apply_instrument(struct sb_reference *r, const struct sb_command *c)
{
    if (!instrument_acceptable(r, c)) {
        r->stats.ignored_session++;
        return;
    }
    const union sb_command_ext *x = sb_command_ext(c);
    struct sb_instrument_view *v = &r->instruments[c->instrument].view;
    memcpy(v->symbol, x->instrument.symbol, sizeof v->symbol);
    v->tick = x->instrument.tick;
    v->price_min = x->instrument.price_min;
    v->price_max = x->instrument.price_max;
    v->lot = x->instrument.lot;
    v->quantity_max = x->instrument.quantity_max;
    v->phase = x->instrument.phase;
    v->defined = 1;
    v->matching = x->instrument.matching;
    v->tie = x->instrument.tie;
    v->band_action = x->instrument.band_action;
    v->static_band = x->instrument.static_band;
    v->dynamic_band = x->instrument.dynamic_band;
    v->pause_ms = x->instrument.pause_ms;
    v->notional_max = x->instrument.notional_max;
    v->pro_rata_min = x->instrument.pro_rata_min;
    v->reference = x->instrument.reference_price;
    struct sb_output *out = ref_emit(r, SB_STREAM_FEED, SB_OUT_F_DIRECTORY);
    out->instrument = c->instrument;
    out->quantity = v->lot;
    ref_emit_phase(r, c->instrument);
}

/* ---- dispatch ---- */

/* Is the command for us at all? Takes its session number. */
static bool admit(struct sb_reference *r, const struct sb_command *c)
{
    if (!r->day_open || c->session > r->limits.sessions_max ||
        (c->session != 0 && !r->sessions[c->session].view.defined)) {
        r->stats.ignored_session++;
        return false;
    }
    if (c->session == 0 || c->session_seq == 0)
        return true;
    struct sb_session_view *s = &r->sessions[c->session].view;
    if (c->session_seq <= s->last_session_seq) {
        r->stats.ignored_resend++;
        return false;
    }
    s->last_session_seq = c->session_seq;
    return true;
}

static void dispatch(struct sb_reference *r, const struct sb_command *c)
{
    switch (c->kind) {
    case SB_CMD_SESSION:
        apply_session(r, c);
        break;
    case SB_CMD_INSTRUMENT:
        apply_instrument(r, c);
        break;
    case SB_CMD_TIMER:
        ref_apply_timer(r, c);
        break;
    case SB_CMD_PHASE:
    case SB_CMD_UNCROSS:
    case SB_CMD_INDICATIVE:
        ref_apply_phase_etc(r, c);
        break;
    case SB_CMD_MASS_CANCEL:
        ref_apply_mass_cancel(r, c);
        break;
    case SB_CMD_KILL:
        ref_apply_kill(r, c);
        break;
    case SB_CMD_LOGIN:
        apply_login(r, c);
        break;
    case SB_CMD_ORDER:
        ref_apply_order(r, c);
        break;
    case SB_CMD_REPLACE:
        ref_apply_replace(r, c);
        break;
    case SB_CMD_AMEND:
        ref_apply_amend(r, c);
        break;
    case SB_CMD_CANCEL:
    case SB_CMD_REDUCE:
        ref_apply_cancel(r, c);
        break;
    case SB_CMD_QUOTE:
        ref_apply_quote(r, c);
        break;
    case SB_CMD_CARRY:
        ref_apply_carry(r, c);
        break;
    case SB_CMD_INVALID:
        apply_invalid(r, c);
        break;
    default:
        SB_ASSERT(false); /* the caller gives valid commands only */
    }
}

void sb_reference_apply(struct sb_reference *r, const struct sb_command *c,
                        struct sb_reference_outputs *outputs)
{
    r->cmd = c;
    r->outputs = outputs;
    r->stats.commands++;
    if (c->kind == SB_CMD_DAY) {
        if (r->day_open || sb_command_other_rules(c, SB_ENGINE_RULES)) {
            r->stats.ignored_session++;
            return;
        }
        ref_emit(r, SB_STREAM_FEED, SB_OUT_F_SYSTEM)->liquidity = 'O';
        r->day_open = true;
        return;
    }
    if (admit(r, c))
        dispatch(r, c);
    free_ended(r);
}

/* ---- views ---- */

static struct sb_order_view view_of(const struct ref_order *o)
{
    return (struct sb_order_view){.ref = o->ref,
                                  .price = o->state == REF_PARKED ? o->limit : o->price,
                                  .session = o->session,
                                  .key = o->key,
                                  .open = o->open - o->reserve,
                                  .executed = o->executed,
                                  .side = o->side,
                                  .capacity = o->capacity,
                                  .state = o->state,
                                  .tif = o->tif,
                                  .reserve = o->reserve};
}

void sb_reference_visit(const struct sb_reference *r, uint32_t instrument, uint8_t side,
                        void (*visit)(void *arg, const struct sb_order_view *order), void *arg)
{
    const struct ref_list *list = &r->instruments[instrument].shown[side & 1u];
    for (size_t i = 0; i < list->n; i++) {
        const struct sb_order_view view = view_of(list->orders[i]);
        visit(arg, &view);
    }
}

void sb_reference_visit_all(const struct sb_reference *r, uint32_t instrument,
                            void (*visit)(void *arg, const struct sb_order_view *order), void *arg)
{
    struct ref_list all = {0};
    ref_book_order(r, instrument, &all);
    for (size_t i = 0; i < all.n; i++) {
        const struct sb_order_view view = view_of(all.orders[i]);
        visit(arg, &view);
    }
    free(all.orders);
}

const struct sb_session_view *sb_reference_session(const struct sb_reference *r, uint32_t session)
{
    return &r->sessions[session].view;
}

const struct sb_instrument_view *sb_reference_instrument(const struct sb_reference *r,
                                                         uint32_t instrument)
{
    return &r->instruments[instrument].view;
}

const struct sb_engine_stats *sb_reference_stats(const struct sb_reference *r)
{
    return &r->stats;
}
