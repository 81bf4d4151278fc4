/* reference_amend.c: REPLACE and AMEND (section 16). */
#include "reference_internal.h"

/* The next order reference, a new price and total; off its place, whatever it was. */
static void give_up_place(struct sb_reference *r, struct ref_order *o, int64_t limit, uint32_t open)
{
    if (o->state == REF_VISIBLE)
        o->old_ref = o->ref;
    ref_order_take_out(r, o);
    o->ref = r->next_ref++;
    o->limit = limit;
    o->open = open;
}

static struct sb_output *answer(struct sb_reference *r, uint8_t kind, const struct ref_order *o)
{
    struct sb_output *out = ref_emit_order(r, o->session, kind, o);
    out->quantity = o->open;
    out->price = o->limit;
    out->reason = o->capacity;
    return out;
}

/* 16.3 and engine.h */
static bool replace_invalid(const struct sb_reference *r, const struct sb_command *c,
                            const struct ref_order *o)
{
    const uint8_t phase = ref_instrument_of(r, o)->view.phase;
    if (ref_terms_in(sb_command_ext(c)))
        return true;
    if (c->tif != SB_TIF_DAY && (o->terms || c->tif != SB_TIF_IOC))
        return true;
    if (phase == SB_PHASE_AUCTION && c->tif == SB_TIF_IOC)
        return true;
    return ref_check_amend(r, c, o) != SB_REASON_NONE;
}

void ref_apply_replace(struct sb_reference *r, const struct sb_command *c)
{
    struct sb_session_view *s = &r->sessions[c->session].view;
    if (c->key <= s->last_key) {
        r->stats.ignored_resend++;
        return;
    }
    if (s->killed) { /* 15.2 */
        s->last_key = c->key;
        ref_reject(r, SB_REASON_KILLED);
        return;
    }
    struct ref_order *o = ref_order_find(r, c->session, c->orig_key);
    if (o == NULL) {
        r->stats.ignored_superfluous++;
        return;
    }
    const uint8_t reason = ref_check_phase(r, o->instrument);
    if (reason != SB_REASON_NONE) {
        s->last_key = c->key;
        ref_reject(r, reason);
        return;
    }
    const bool invalid = replace_invalid(r, c, o);
    if (invalid || c->quantity <= o->executed) {
        ref_cancel(r, o, invalid ? SB_REASON_REPLACE_INVALID : SB_REASON_USER);
        ref_cascade(r, o->instrument);
        return;
    }
    s->last_key = c->key;
    r->stats.replaced++;
    const bool parked = o->state == REF_PARKED;
    give_up_place(r, o, c->price, c->quantity - o->executed);
    ref_order_rename(r, o, c->key);
    if (!o->terms)
        o->tif = c->tif;
    struct sb_output *out = answer(r, SB_OUT_REPLACED, o);
    out->orig_key = c->orig_key;
    out->side = (uint8_t)(o->side | (o->tif == SB_TIF_IOC ? SB_OUT_IOC : 0));
    if (parked)
        ref_order_insert(r, o, REF_PARKED);
    else
        ref_place_again(r, o);
    ref_cascade(r, o->instrument);
}

/* 16.2 */
static void amend(struct sb_reference *r, const struct sb_command *c, struct ref_order *o)
{
    const uint32_t open = c->quantity - o->executed;
    if (o->state == REF_PARKED) {
        o->limit = c->price;
        o->open = open;
        answer(r, SB_OUT_AMENDED, o);
    } else if (c->price == o->limit && open <= o->open) {
        const uint32_t less = o->open - open;
        struct sb_output *out = answer(r, SB_OUT_AMENDED, o);
        out->quantity = open;
        ref_reduce_silently(r, o, less);
    } else {
        give_up_place(r, o, c->price, open);
        answer(r, SB_OUT_AMENDED, o);
        ref_place_again(r, o);
    }
}

void ref_apply_amend(struct sb_reference *r, const struct sb_command *c)
{
    if (r->sessions[c->session].view.killed) { /* 15.2 */
        ref_reject(r, SB_REASON_KILLED);
        return;
    }
    struct ref_order *o = ref_order_find(r, c->session, c->key);
    if (o == NULL) {
        r->stats.ignored_superfluous++;
        return;
    }
    uint8_t reason = ref_check_phase(r, o->instrument);
    if (reason == SB_REASON_NONE)
        reason = ref_check_amend(r, c, o);
    if (reason != SB_REASON_NONE) {
        ref_reject(r, reason);
        return;
    }
    if (c->quantity <= o->executed)
        ref_cancel(r, o, SB_REASON_USER);
    else
        amend(r, c, o);
    ref_cascade(r, o->instrument);
}
