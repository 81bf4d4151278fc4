#include "replica/clock.h"

#include <cpuid.h>
#include <string.h>
#include <sys/timex.h>
#include <time.h>

#define NS_PER_S UINT64_C(1000000000)

uint64_t sb_clock_rate(const struct sb_clock_reading *from, const struct sb_clock_reading *to)
{
    if (to->tsc <= from->tsc || to->utc_ns <= from->utc_ns)
        return 0;
    const sb_clock_wide rate =
        ((sb_clock_wide)(to->utc_ns - from->utc_ns) << SB_CLOCK_SHIFT) / (to->tsc - from->tsc);
    return rate >> 63 != 0 ? 0 : (uint64_t)rate;
}

enum sb_clock_result sb_clock_steer(const struct sb_clock_bend *old,
                                    const struct sb_clock_reading *reading, uint64_t base_mult,
                                    uint64_t lead_cycles, uint64_t span_ns,
                                    struct sb_clock_bend *next, int64_t *error_ns)
{
    enum sb_clock_result result = SB_CLOCK_FOLLOWED;
    /* The line that holds now; a turn still ahead (called twice within the lead) is kept as the turn. */
    const bool turned = reading->tsc >= old->after.tsc0;
    const struct sb_clock_line *current = turned ? &old->after : &old->before;
    const uint64_t turn = turned ? reading->tsc + lead_cycles : old->after.tsc0;
    int64_t error = (int64_t)(reading->utc_ns - sb_clock_line_at(current, reading->tsc));

    *error_ns = error;
    if (error > (int64_t)SB_CLOCK_STEP_NS || error < -(int64_t)SB_CLOCK_STEP_NS) {
        result = SB_CLOCK_ALARM;
        error = 0;
    }
    /* At most 10^8 * 10^9. */
    int64_t ppb = error * (int64_t)NS_PER_S / (int64_t)(span_ns == 0 ? NS_PER_S : span_ns);
    const int64_t limit_ppb = SB_CLOCK_SLEW_PPM * 1000;
    if (ppb > limit_ppb || ppb < -limit_ppb) {
        ppb = ppb > 0 ? limit_ppb : -limit_ppb;
        result = SB_CLOCK_LIMITED;
    }
    next->before = *current;
    next->after.tsc0 = turn;
    next->after.utc0 = sb_clock_line_at(current, turn);
    next->after.mult = base_mult + (uint64_t)((int64_t)base_mult * ppb / (int64_t)NS_PER_S);
    return result;
}

/* The tightest of a few readings: an interrupt between the three would make a wrong one. */
static struct sb_clock_reading read_both(void)
{
    struct sb_clock_reading best = {0, 0};
    uint64_t best_width = UINT64_MAX;
    for (int i = 0; i < 16; i++) {
        struct timespec t;
        const uint64_t tsc0 = sb_clock_tsc();
        clock_gettime(CLOCK_REALTIME, &t);
        const uint64_t tsc1 = sb_clock_tsc();
        if (tsc1 - tsc0 >= best_width)
            continue;
        best_width = tsc1 - tsc0;
        best.tsc = tsc0 + best_width / 2;
        best.utc_ns = (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
    }
    return best;
}

static void publish(struct sb_clock *c, const struct sb_clock_bend *b)
{
    const uint64_t version = atomic_load_explicit(&c->version, memory_order_relaxed) + 1;
    const uint64_t s = version & 1;
    const struct sb_clock_line *const lines[2] = {&b->before, &b->after};
    /* Release, each: a reader still on this slot from two versions ago must notice that it changes under it. */
    for (int i = 0; i < 2; i++) {
        atomic_store_explicit(&c->slots[s].tsc0[i], lines[i]->tsc0, memory_order_release);
        atomic_store_explicit(&c->slots[s].utc0[i], lines[i]->utc0, memory_order_release);
        atomic_store_explicit(&c->slots[s].mult[i], lines[i]->mult, memory_order_release);
    }
    atomic_store_explicit(&c->version, version, memory_order_release);
    c->bend = *b;
}

bool sb_clock_counter_is_invariant(void)
{
    unsigned a, b, c, d;
    if (__get_cpuid(0x80000007, &a, &b, &c, &d) == 0)
        return false;
    return (d & (1u << 8)) != 0;
}

static void learn_bound(struct sb_clock *c, int64_t error_ns)
{
    struct timex t = {.modes = 0};
    const bool disciplined = adjtimex(&t) != -1 && (t.status & STA_UNSYNC) == 0;
    atomic_store_explicit(&c->bound_ns, sb_clock_bound(disciplined, (uint64_t)t.maxerror, error_ns),
                          memory_order_relaxed);
}

bool sb_clock_init(struct sb_clock *c)
{
    const struct timespec pause = {.tv_nsec = 20000000};
    memset(c, 0, sizeof *c);
    const struct sb_clock_reading first = read_both();
    nanosleep(&pause, NULL);
    c->last = read_both();
    c->base_mult = sb_clock_rate(&first, &c->last);
    if (c->base_mult == 0) { /* the system's clock was set back meanwhile: once more */
        nanosleep(&pause, NULL);
        const struct sb_clock_reading again = read_both();
        c->base_mult = sb_clock_rate(&c->last, &again);
        c->last = again;
    }
    if (c->base_mult == 0)
        return false;
    const struct sb_clock_line line = {c->last.tsc, c->last.utc_ns, c->base_mult};
    const struct sb_clock_bend bend = {line, line};
    publish(c, &bend);
    learn_bound(c, 0);
    return true;
}

/* The measured rate replaces the old one unless the system's clock was stepped in between. */
static void learn_rate(struct sb_clock *c, const struct sb_clock_reading *now)
{
    const uint64_t rate = sb_clock_rate(&c->last, now);
    const uint64_t margin = c->base_mult / 1000000 * SB_CLOCK_SLEW_PPM;
    if (rate > c->base_mult - margin && rate < c->base_mult + margin)
        c->base_mult = rate;
}

void sb_clock_discipline(struct sb_clock *c)
{
    const uint64_t lead_cycles =
        (uint64_t)(((sb_clock_wide)SB_CLOCK_LEAD_NS << SB_CLOCK_SHIFT) / c->base_mult);
    for (int tries = 0; tries < 8; tries++) {
        const struct sb_clock_reading now = read_both();
        struct sb_clock_bend next;
        int64_t error_ns;
        uint64_t span_ns = sb_clock_scale(now.tsc - c->last.tsc, c->base_mult);
        if (span_ns >= NS_PER_S / 10)
            learn_rate(c, &now); /* shorter spans measure their own noise */
        /* The next call comes, as likely as not, after as long as this one. */
        if (span_ns < NS_PER_S / 2)
            span_ns = NS_PER_S / 2;
        const enum sb_clock_result result =
            sb_clock_steer(&c->bend, &now, c->base_mult, lead_cycles, span_ns, &next, &error_ns);
        c->last = now;
        if (sb_clock_tsc() + lead_cycles / 2 >= next.after.tsc0)
            continue; /* suspended meanwhile, readers may be past the turn; or the last turn is just ahead */
        publish(c, &next);
        atomic_store_explicit(&c->last_error_ns, error_ns, memory_order_relaxed);
        learn_bound(c, error_ns);
        if (result == SB_CLOCK_ALARM)
            atomic_fetch_add_explicit(&c->alarms, 1, memory_order_relaxed);
        if (result == SB_CLOCK_LIMITED)
            atomic_fetch_add_explicit(&c->limited, 1, memory_order_relaxed);
        return;
    }
}
