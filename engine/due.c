#include "engine/due.h"

#include "engine/state.h"

static void put(struct sb_due *d, uint64_t at_ns)
{
    if (d->n != 0 && at_ns > d->at_ns)
        return;
    d->n = d->n != 0 && at_ns == d->at_ns ? d->n + 1 : 1;
    d->at_ns = at_ns;
}

void sb_due_add(struct sb_engine *e, uint64_t at_ns)
{
    if (e->due->known)
        put(e->due, at_ns);
}

void sb_due_remove(struct sb_engine *e, uint64_t at_ns)
{
    struct sb_due *d = e->due;
    if (d->known && at_ns == d->at_ns && --d->n == 0)
        d->known = false;
}

void sb_due_resume(struct sb_engine *e, struct sb_book *b, uint64_t resume_ns)
{
    if (b->view.resume_ns != 0)
        sb_due_remove(e, b->view.resume_ns);
    b->view.resume_ns = resume_ns;
    if (resume_ns != 0)
        sb_due_add(e, resume_ns);
}

void sb_due_forget(struct sb_engine *e)
{
    e->due->known = false;
}

uint64_t sb_engine_timer_due_ns(const struct sb_engine *e)
{
    struct sb_due *d = e->due;
    if (!d->known) {
        *d = (struct sb_due){.known = true};
        for (uint32_t i = 1; e->terms.used != 0 && i <= e->terms.fresh; i++) {
            const struct sb_terms *t = &e->terms.records[i];
            if (t->slot != 0 && t->tif == SB_TIF_GTD)
                put(d, t->expire_ns);
        }
        for (uint32_t i = 1; i <= e->instruments; i++)
            if (e->books[i].view.resume_ns != 0)
                put(d, e->books[i].view.resume_ns);
    }
    return d->n != 0 ? d->at_ns : 0;
}
