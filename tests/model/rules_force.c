/* FORCE (R24, R25): both engines are without an owner, and the operator makes one of them go on. README.md has the
 * rules F1 to F4. */
#include "tests/model/rules.h"

/* F2: the highest record; of one epoch, its solo owner's above all others. */
static int by_record(const struct node *x, const struct node *y)
{
    const int solo_x = x->record == RECORD_SOLO, solo_y = y->record == RECORD_SOLO;
    return x->record_epoch != y->record_epoch ? x->record_epoch - y->record_epoch : solo_x - solo_y;
}

/* Of all folders of that record. */
static uint8_t longest(const struct model *m, const struct node *x)
{
    return x->older_len > x->durable && !without(m, MUT_FORCE_NEWEST_FOLDER) ? x->older_len
                                                                             : x->durable;
}

/* And the longest log behind it. */
static bool is_better(const struct model *m, const struct node *x, const struct node *y)
{
    const int record = by_record(x, y);
    return record != 0 ? record > 0 : longest(m, x) > longest(m, y);
}

/* The operator accepts a loss: what was released may be in a memory, or in the log that is passed over. Under two-disks
 * a shorter log of the same record has it all (F5). */
static bool may_lose(const struct model *m, const struct node *chosen, const struct node *other)
{
    return m->hold == TWO_MEMORIES || !m->journal || by_record(other, chosen) > 0 ||
           (m->hold == MEMORY_AND_DISK && m->force_any && is_better(m, other, chosen));
}

static uint8_t highest_generation(const struct state *s)
{
    uint8_t highest = generation(s->w.epoch);
    for (unsigned i = 0; i < 2; i++)
        if (generation(s->node[i].record_epoch) > highest)
            highest = generation(s->node[i].record_epoch);
    return highest;
}

void force_rules(struct expansion *x, uint8_t i)
{
    const struct model *m = x->m;
    const struct state *from = x->from;
    const struct node *y = &from->node[i], *other = &from->node[1 - i];
    if (from->forces >= m->forces || y->role != SB_ROLE_BOOT ||
        (other->role != SB_ROLE_DOWN && !without(m, MUT_FORCE_OTHER_LIVES)) || /* F1 */
        (is_better(m, other, y) && !m->force_any && !without(m, MUT_FORCE_THE_WORSE)))
        return;
    struct state *t = begin(x);
    t->forces++;
    t->loss |= may_lose(m, y, other) && !without(m, MUT_FORCE_THE_WORSE);
    if (!without(m, MUT_FORCE_KEEPS_JOURNAL)) /* F4 */
        t->node[1 - i].aside = 1;
    struct node *chosen = &t->node[i];
    if (longest(m, y) > y->durable) {
        chosen->len = chosen->durable = y->older_len;
        memcpy(chosen->log, y->older_log, sizeof y->older_log);
    }
    t->w = (struct witness){.winc = from->w.winc,
                            .state = SB_W_SOLO,
                            .epoch = make_epoch(highest_generation(from) + 1u, SB_EPOCH_R), /* F3 */
                            .owner = i,
                            .owner_inc = y->inc};
    net_add(t, (struct msg){.type = SB_FT_RESUMEOK,
                            .epoch = t->w.epoch,
                            .node = i,
                            .inc = y->inc,
                            .winc = t->w.winc});
    emit(x, i, "is made the owner by the operator", NULL);
}
