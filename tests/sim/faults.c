#include "tests/sim/faults.h"

static const struct {
    const char *name, *help;
} kinds[] = {
#define SIM_NAME(id, name, help) {name, help},
    SIM_FAULTS(SIM_NAME)
#undef SIM_NAME
};

const char *sim_fault_name(enum sim_fault_kind kind)
{
    return kinds[kind].name;
}

const char *sim_fault_help(enum sim_fault_kind kind)
{
    return kinds[kind].help;
}

const char *sim_moment_name(enum sim_moment moment)
{
    static const char *const names[SIM_MOMENTS] = {"at once", "before the ack",  "before release",
                                                   "arming",  "armed",           "during cancel",
                                                   "repair",  "during hand-over"};
    return names[moment];
}

/* Needs no suspicion to come about. */
static bool ordinary(enum sim_moment m)
{
    return m <= SIM_BEFORE_LEAVE;
}

static uint64_t span(uint64_t *rng, enum sim_fault_kind kind)
{
    static const uint64_t pauses[] = {5000, 200000, 2000000, 10000000, 100000000, 2000000000};
    switch (kind) {
    case SIM_PAUSE:
        return 1 + sim_random(rng) % pauses[sim_random(rng) % 6];
    case SIM_BLINK: /* between suspect_after (1 ms) and takeover_after (4 ms) */
        return 1200000 + sim_random(rng) % 2500000;
    case SIM_BURST:
        return 50000 + sim_random(rng) % 5000000;
    default:
        return 100000 + sim_random(rng) % (sim_chance(rng, 500000) ? 3000000 : 40000000);
    }
}

static struct sim_event draw(uint64_t *rng, uint32_t messages, enum sim_fault_kind kind)
{
    struct sim_event e = {.kind = kind};
    e.moment = (enum sim_moment)(sim_random(rng) % SIM_MOMENTS);
    e.after = 1 + (uint32_t)(sim_random(rng) % (messages - messages / 5));
    e.a = (uint32_t)sim_random(rng);
    e.b = (uint32_t)sim_random(rng);
    e.span_ns = span(rng, kind);
    return e;
}

void sim_schedule_draw(struct sim_schedule *s, uint64_t seed, uint32_t messages, uint32_t allowed,
                       uint32_t keep)
{
    uint64_t rng = seed * 3 + 1;
    uint32_t events[SIM_FAULT_KINDS], n = 0;
    *s = (struct sim_schedule){0};
    for (uint32_t k = 0; k < SIM_FAULT_KINDS; k++) {
        if (k < SIM_FIRST_EVENT) {
            if (sim_chance(&rng, 300000) && (allowed >> k & 1) != 0 && (keep >> (8 + k) & 1) != 0)
                s->conditions |= 1u << k;
        } else if ((allowed >> k & 1) != 0) {
            events[n++] = k;
        }
    }
    if (n == 0)
        return;
    uint32_t wanted = 1 + (uint32_t)(sim_random(&rng) % 3), drawn = 0;
    struct sim_event all[SIM_EVENTS_MAX];
    for (uint32_t i = 0; i < wanted && drawn < SIM_EVENTS_MAX; i++) {
        struct sim_event e =
            draw(&rng, messages, (enum sim_fault_kind)events[sim_random(&rng) % n]);
        if (e.kind == SIM_FLIP_BOOK) { /* alone: two engines cannot vote on more */
            if (i > 0)
                continue;
            wanted = 1;
        }
        if (!ordinary(e.moment) && drawn + 2 <= SIM_EVENTS_MAX && wanted > 1 &&
            (allowed >> SIM_BLINK & 1) != 0) {
            all[drawn] = draw(&rng, messages, SIM_BLINK); /* makes the moment come */
            all[drawn].moment = SIM_AT_ONCE;
            all[drawn].after = e.after;
            drawn++;
        }
        all[drawn++] = e;
    }
    for (uint32_t i = 0; i < drawn; i++)
        if ((keep >> i & 1) != 0)
            s->events[s->events_n++] = all[i];
}
