/* reference_mass.c: MASS_CANCEL and KILL (15.1, 15.2). */
#include "reference_internal.h"

#include <stdlib.h>

struct target {
    uint8_t scope;
    uint32_t key; /* session or firm */
};

static struct target target_of(const struct sb_command *c)
{
    struct target t = {.scope = c->scope, .key = c->orig_key};
    if (t.scope == SB_SCOPE_SESSION && t.key == 0)
        t.key = c->session;
    return t;
}

static bool is_own(const struct sb_command *c, const struct target *t)
{
    return t->scope == SB_SCOPE_SESSION && t->key == c->session;
}

static bool is_meant(const struct sb_reference *r, const struct target *t, uint32_t session)
{
    const struct sb_session_view *s = &r->sessions[session].view;
    if (!s->defined)
        return false;
    return t->scope == SB_SCOPE_ALL ||
           (t->scope == SB_SCOPE_SESSION ? session == t->key : s->firm == t->key);
}

static bool has_right(const struct sb_reference *r, const struct sb_command *c)
{
    return c->session == 0 || r->sessions[c->session].view.operator_right;
}

/* One instrument with its cascade; how many orders were canceled for the target. side: 0, 1 or both (2). */
static uint32_t cancel_in(struct sb_reference *r, uint32_t instrument, const struct target *t,
                          uint8_t side, uint8_t reason)
{
    uint32_t n = 0;
    struct ref_list all = {0};
    ref_book_order(r, instrument, &all);
    for (size_t i = 0; i < all.n; i++) {
        struct ref_order *o = all.orders[i];
        if (o->state == REF_ENDED || !is_meant(r, t, o->session) ||
            (side != 2 && sb_side_sells(o->side) != (side == 1)))
            continue;
        ref_cancel(r, o, reason);
        n++;
    }
    free(all.orders);
    ref_cascade(r, instrument);
    return n;
}

static uint32_t cancel_in_all(struct sb_reference *r, uint32_t instrument, const struct target *t,
                              uint8_t side, uint8_t reason)
{
    uint32_t n = 0;
    for (uint32_t i = 1; i <= r->limits.instruments_max; i++) {
        if (ref_defined(r, i) && (instrument == SB_INSTRUMENT_ALL || instrument == i))
            n += cancel_in(r, i, t, side, reason);
    }
    return n;
}

static void answer(struct sb_reference *r, const struct sb_command *c, uint32_t quantity,
                   uint8_t reason)
{
    if (c->session == 0)
        return;
    struct sb_output *out = ref_emit(r, c->session, SB_OUT_MASS);
    out->key = c->key;
    out->instrument = c->instrument;
    out->quantity = quantity;
    out->reason = reason;
}

void ref_apply_mass_cancel(struct sb_reference *r, const struct sb_command *c)
{
    const struct target t = target_of(c);
    uint32_t n = 0;
    uint8_t reason = SB_REASON_NONE;
    if (!is_own(c, &t) && !has_right(r, c))
        reason = SB_REASON_NO_RIGHT;
    else if (c->instrument != SB_INSTRUMENT_ALL && !ref_defined(r, c->instrument))
        reason = SB_REASON_SYMBOL;
    else
        n = cancel_in_all(r, c->instrument, &t,
                          (c->flags & SB_CMD_F_ONE_SIDE) != 0 ? c->side & 1u : 2,
                          is_own(c, &t) ? SB_REASON_USER : SB_REASON_SUPERVISORY);
    answer(r, c, n, reason);
}

void ref_apply_kill(struct sb_reference *r, const struct sb_command *c)
{
    const struct target t = target_of(c);
    uint32_t n = 0;
    uint8_t reason = SB_REASON_NONE;
    const bool known =
        t.scope != SB_SCOPE_SESSION ||
        (t.key != 0 && t.key <= r->limits.sessions_max && r->sessions[t.key].view.defined);
    if (!(is_own(c, &t) && c->quantity == 1) && !has_right(r, c)) {
        reason = SB_REASON_NO_RIGHT;
    } else if (!known) {
        reason = SB_REASON_SYMBOL;
    } else {
        for (uint32_t s = 1; s <= r->limits.sessions_max; s++) {
            if (is_meant(r, &t, s))
                r->sessions[s].view.killed = c->quantity == 1;
        }
        if (c->quantity == 1)
            n = cancel_in_all(r, SB_INSTRUMENT_ALL, &t, 2, SB_REASON_KILL);
    }
    answer(r, c, n, reason);
}
