#include "tests/sim/faults.h"

#include <stddef.h>

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
    static const char *const names[SIM_MOMENTS] = {
        "at once",          "before applying", "before the ack",    "before release",
        "arming",           "armed",           "during cancel",     "repair",
        "during hand-over", "granted",         "at rest",           "idle",
        "booting",          "copying",         "before its record", "before PAIR's record",
        "pairing",          "in a write",      "a TIMER underway"};
    return names[moment];
}

/* Needs no suspicion to come about. */
static bool ordinary(enum sim_moment m)
{
    return m <= SIM_BEFORE_LEAVE || m == SIM_AT_REST || m == SIM_IDLE;
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
    case SIM_DEAF:
        return 1000000 + sim_random(rng) % 800000000;
    default:
        return 100000 + sim_random(rng) % (sim_chance(rng, 500000) ? 3000000 : 40000000);
    }
}

/* From two free numbers to hosts. */
static void choose_hosts(struct sim_event *e)
{
    const uint32_t a = e->a, b = e->b;
    switch (e->kind) {
    case SIM_CUT:
        e->a = a % 3;
        e->b = (e->a + 1 + b % 2) % 3;
        break;
    case SIM_CUT_CLIENT:
        e->a = (b & 1) != 0 ? SIM_C : a & 1;
        e->b = (b & 1) != 0 ? a & 1 : SIM_C;
        break;
    case SIM_STALL:
        e->a = a % SIM_HOSTS;
        e->b = (e->a + 1 + b % 3) % SIM_HOSTS;
        break;
    case SIM_PAUSE:
        e->a = (b & 3) == 0 ? SIM_THE_WITNESS : a & 1;
        break;
    case SIM_CRASH:
    case SIM_OTHER_RULES:
    case SIM_FLIP_BOOK:
    case SIM_FLIP_LOG:
    case SIM_FLIP_HELD:
    case SIM_DISK_SLOW:
    case SIM_DISK_FULL:
    case SIM_DISK_ERROR:
    case SIM_DISK_LOST:
    case SIM_DISK_MISDIRECT:
    case SIM_DISK_CORRUPT:
        e->a = a & 1;
        break;
    case SIM_DEAF:
        e->a = a & 1;
        break;
    case SIM_PARTITION:
        e->a = a % SIM_HOSTS;
        break;
    case SIM_SLOW:
    case SIM_STEP:
        e->a = a % 3;
        break;
    default:
        break;
    }
}

static struct sim_event draw(uint64_t *rng, uint32_t messages, enum sim_fault_kind kind)
{
    struct sim_event e = {.kind = kind};
    e.moment = (enum sim_moment)(sim_random(rng) % SIM_BOOTING);
    e.after = 1 + (uint32_t)(sim_random(rng) % (messages - messages / 5));
    e.a = (uint32_t)sim_random(rng);
    e.b = (uint32_t)sim_random(rng);
    choose_hosts(&e);
    e.span_ns = span(rng, kind);
    if (kind == SIM_FLIP_LOG && (e.b & 1) != 0)
        e.moment = SIM_BEFORE_APPLY;
    return e;
}

/* --- plots ---------------------------------------------------------------------------------- */

/* An event of a plot. A is the primary until somebody takes over. */
struct step {
    enum sim_fault_kind kind;
    enum sim_moment moment;
    uint32_t a, b; /* as in struct sim_event */
    uint32_t least_us, most_us;
};
enum { STEPS_MAX = 4 };

static const struct plot {
    const char *words;
    uint32_t n;
    bool from_start; /* the first step strikes before anything is said */
    bool restores;
    struct step step[STEPS_MAX];
} plots[] = {
    {"the grant to go alone arrives when the witness's next life has armed the shadow",
     4,
     false,
     false,
     {{SIM_CUT, SIM_AT_ONCE, SIM_B, SIM_A, 11000, 14000},
      {SIM_STALL, SIM_AT_ONCE, SIM_W, SIM_A, 30000, 60000},
      {SIM_AMNESIA, SIM_GRANTED, 0, 0, 0, 0},
      {SIM_PAUSE, SIM_AT_REST, SIM_THE_PRIMARY, 0, 6000, 40000}}},
    {"an idle primary resigns while the grant to go alone is on its way",
     4,
     false,
     false,
     {{SIM_CUT_CLIENT, SIM_AT_ONCE, SIM_C, SIM_A, 90000, 120000},
      {SIM_CUT, SIM_IDLE, SIM_B, SIM_A, 80000, 100000},
      {SIM_STALL, SIM_AT_ONCE, SIM_W, SIM_A, 30000, 60000},
      {SIM_STOP, SIM_GRANTED, 0, 0, 0, 0}}},
    {"the grant to go alone is lost, and the shadow is heard again",
     2,
     false,
     false,
     {{SIM_CUT, SIM_AT_ONCE, SIM_B, SIM_A, 11000, 14000},
      {SIM_CUT, SIM_AT_ONCE, SIM_W, SIM_A, 11000, 30000}}},
    {"a request to arm arrives after it was taken back",
     2,
     false,
     false,
     {{SIM_STALL, SIM_AT_ONCE, SIM_B, SIM_W, 5000, 40000},
      {SIM_BLINK, SIM_AT_ONCE, 0, 1, 1200, 3500}}},
    {"an armed shadow stands still while the primary asks to go alone",
     2,
     false,
     false,
     {{SIM_CUT, SIM_AT_ONCE, SIM_A, SIM_B, 18000, 25000},
      {SIM_PAUSE, SIM_ARMED, SIM_THE_OTHER, 0, 12000, 30000}}},
    {"what was said to the witness's former life is said again to the next",
     3,
     false,
     false,
     {{SIM_BLINK, SIM_AT_ONCE, 0, 1, 1200, 3500},
      {SIM_AMNESIA, SIM_AT_ONCE, 0, 0, 0, 0},
      {SIM_OLD_FRAMES, SIM_AT_REST, 0, 0, 10000, 30000}}},
    {"the witness restarts while the shadow is armed, and old words are heard",
     3,
     false,
     false,
     {{SIM_PAUSE, SIM_AT_ONCE, SIM_THE_PRIMARY, 0, 2500, 9000},
      {SIM_AMNESIA, SIM_ARMED, 0, 0, 0, 0},
      {SIM_OLD_FRAMES, SIM_AT_ONCE, 0, 0, 5000, 20000}}},
    {"the witness restarts when the shadow has just gone live, and the primary wakes",
     3,
     false,
     false,
     {{SIM_PAUSE, SIM_AT_ONCE, SIM_THE_PRIMARY, 0, 4500, 30000},
      {SIM_AMNESIA, SIM_GONE_LIVE, 0, 0, 0, 0},
      {SIM_OLD_FRAMES, SIM_AT_ONCE, 0, 0, 5000, 20000}}},
    {"a packet is lost, and what the primary keeps of it rots",
     2,
     false,
     false,
     {{SIM_CUT, SIM_AT_ONCE, SIM_A, SIM_B, 300, 900},
      {SIM_FLIP_LOG, SIM_BEFORE_APPLY, SIM_A, 0, 0, 0}}},
    {"the shadow that takes over has never heard its clients",
     2,
     true,
     false,
     {{SIM_CUT_CLIENT, SIM_AT_ONCE, SIM_C, SIM_B, 300000, 400000},
      {SIM_PAUSE, SIM_AT_REST, SIM_THE_PRIMARY, 0, 6000, 20000}}},
    {"acks are late, the stream is lost, and the shadow goes live",
     2,
     false,
     false,
     {{SIM_STALL, SIM_AT_ONCE, SIM_B, SIM_A, 8000, 20000},
      {SIM_CUT, SIM_BEFORE_ACK, SIM_A, SIM_B, 5000, 12000}}},
    {"a solo owner dies in the middle of a write, and again when it has begun to go on",
     4,
     false,
     true,
     {{SIM_CRASH, SIM_AT_REST, SIM_THE_OTHER, 0, 30000, 60000},
      {SIM_CRASH, SIM_UNRECORDED, SIM_THE_PRIMARY, 0, 100, 2000},
      {SIM_CRASH, SIM_WRITING, SIM_THE_PRIMARY, 0, 100, 2000},
      {SIM_CRASH, SIM_AT_PAIRING, SIM_THE_PRIMARY, 0, 100, 2000}}},
    {"a second grant to go alone is lost, and the shadow is heard again",
     3,
     false,
     true,
     {{SIM_CRASH, SIM_AT_REST, SIM_THE_OTHER, 0, 12000, 20000},
      {SIM_CUT, SIM_AT_REST, SIM_B, SIM_A, 11000, 14000},
      {SIM_CUT, SIM_AT_ONCE, SIM_W, SIM_A, 11000, 30000}}},
    {"the power is cut in the middle of a write",
     2,
     false,
     true,
     {{SIM_POWER_CUT, SIM_WRITING, 0, 0, 100, 5000},
      {SIM_POWER_CUT, SIM_WRITING, 0, 3, 100, 5000}}},
    {"both disks lose what they called durable, and the power is cut",
     3,
     false,
     true,
     {{SIM_DISK_LOST, SIM_AT_ONCE, SIM_A, 0, 0, 0},
      {SIM_DISK_LOST, SIM_AT_ONCE, SIM_B, 0, 0, 0},
      {SIM_POWER_CUT, SIM_WRITING, 0, 1, 100, 5000}}},
    {"an owner dies when it has asked to pair, and the witness restarts",
     3,
     false,
     true,
     {{SIM_CRASH, SIM_AT_REST, SIM_THE_PRIMARY, 0, 100, 3000},
      {SIM_CRASH, SIM_AT_PAIRING, SIM_THE_PRIMARY, 0, 2000, 9000},
      {SIM_AMNESIA, SIM_BOOTING, 0, 0, 0, 0}}},
    {"a pair is made, the witness restarts, and each node dies once",
     4,
     false,
     true,
     {{SIM_CRASH, SIM_AT_REST, SIM_THE_OTHER, 0, 100, 3000},
      {SIM_AMNESIA, SIM_AT_PAIRING, 0, 0, 0, 0},
      {SIM_CRASH, SIM_AT_REST, SIM_THE_PRIMARY, 0, 100, 3000},
      {SIM_CRASH, SIM_CATCHING, SIM_THE_OTHER, 0, 100, 3000}}},
    {"a shadow dies when it has gone live, and its old primary is still there",
     3,
     false,
     true,
     {{SIM_PAUSE, SIM_AT_REST, SIM_THE_PRIMARY, 0, 5000, 20000},
      {SIM_CRASH, SIM_GONE_LIVE, SIM_THE_PRIMARY, 0, 100, 3000},
      {SIM_AMNESIA, SIM_BOOTING, 0, 0, 0, 0}}},
    {"a joiner's owner stands still when its journal is nearly copied",
     3,
     false,
     true,
     {{SIM_CRASH, SIM_AT_REST, SIM_THE_OTHER, 0, 100, 3000},
      {SIM_PAUSE, SIM_CATCHING, SIM_THE_PRIMARY, 0, 1000, 9000},
      {SIM_CRASH, SIM_AT_PAIRING, SIM_THE_OTHER, 0, 100, 3000}}},
    {"the witness restarts before an owner has paired, whose record then is PAIR",
     4,
     false,
     true,
     {{SIM_CRASH, SIM_AT_REST, SIM_THE_PRIMARY, 0, 100, 3000},
      {SIM_CRASH, SIM_AT_REST, SIM_THE_PRIMARY, 0, 6000, 20000},
      {SIM_WITNESS_CRASH, SIM_AT_REST, 0, 0, 100, 2000},
      {SIM_CRASH, SIM_BOOTING, SIM_THE_PRIMARY, 0, 100, 3000}}},
};

static bool plot_allowed(const struct plot *p, uint64_t allowed)
{
    for (uint32_t i = 0; i < p->n; i++)
        if ((allowed >> p->step[i].kind & 1) == 0)
            return false;
    return true;
}

static uint32_t draw_plot(uint64_t *rng, uint32_t messages, const struct plot *p,
                          struct sim_event *events)
{
    const uint32_t after = 1 + (uint32_t)(sim_random(rng) % (messages - messages / 5));
    for (uint32_t i = 0; i < p->n; i++) {
        const struct step *s = &p->step[i];
        const uint64_t spread_ns = (uint64_t)(s->most_us - s->least_us) * 1000;
        events[i] = (struct sim_event){.kind = s->kind,
                                       .moment = s->moment,
                                       .after = after,
                                       .a = s->a,
                                       .b = s->b,
                                       .span_ns = s->least_us * UINT64_C(1000) +
                                                  (spread_ns ? sim_random(rng) % spread_ns : 0),
                                       .follows = i > 0};
    }
    return p->n;
}

/* --- schedules ------------------------------------------------------------------------------ */

/* One to three events of the n kinds. */
static uint32_t draw_freely(uint64_t *rng, uint32_t messages, const uint32_t *kinds_of, uint32_t n,
                            bool with_blinks, struct sim_event *events)
{
    uint32_t wanted = 1 + (uint32_t)(sim_random(rng) % 3), drawn = 0;
    for (uint32_t i = 0; i < wanted && drawn < SIM_EVENTS_MAX; i++) {
        struct sim_event e =
            draw(rng, messages, (enum sim_fault_kind)kinds_of[sim_random(rng) % n]);
        if (e.kind == SIM_FLIP_BOOK ||
            e.kind == SIM_FLIP_LOG) { /* alone: two cannot vote on more */
            if (i > 0)
                continue;
            wanted = 1;
        }
        if (!ordinary(e.moment) && drawn + 2 <= SIM_EVENTS_MAX && wanted > 1 && with_blinks) {
            events[drawn] = draw(rng, messages, SIM_BLINK); /* makes the moment come */
            events[drawn].moment = SIM_AT_ONCE;
            events[drawn].after = e.after;
            drawn++;
        }
        events[drawn++] = e;
    }
    return drawn;
}

/* Two to five events, each when the one before it has struck: what ends a role, at any moment of what follows from it;
 * now and then anything else. */
static uint32_t draw_restoring(uint64_t *rng, uint32_t messages, uint64_t allowed,
                               const uint32_t *kinds_of, uint32_t n, struct sim_event *events)
{
    static const enum sim_fault_kind enders[] = {
        SIM_CRASH,     SIM_CRASH,         SIM_CRASH,       SIM_NOTICE,     SIM_STOP,
        SIM_HAND_OVER, SIM_PAUSE,         SIM_PAUSE,       SIM_PARTITION,  SIM_POWER_CUT,
        SIM_AMNESIA,   SIM_WITNESS_CRASH, SIM_OTHER_RULES, SIM_OTHER_RULES};
    const uint32_t wanted = 2 + (uint32_t)(sim_random(rng) % 4);
    uint32_t after = 1 + (uint32_t)(sim_random(rng) % (messages / 2)), drawn = 0;
    for (uint32_t i = 0; i < wanted; i++) {
        enum sim_fault_kind kind = (enum sim_fault_kind)kinds_of[sim_random(rng) % n];
        if (sim_chance(rng, 700000))
            kind = enders[sim_random(rng) % (sizeof enders / sizeof enders[0])];
        if ((allowed >> kind & 1) == 0 || kind == SIM_FLIP_BOOK || kind == SIM_FLIP_LOG)
            continue;
        struct sim_event e = draw(rng, messages, kind);
        if (drawn > 0 && sim_chance(rng, 600000))
            e.moment = (enum sim_moment)(SIM_BOOTING +
                                         sim_random(rng) % (SIM_MOMENTS_DRAWN - SIM_BOOTING));
        else if (sim_chance(rng, 500000))
            e.moment = SIM_AT_REST;
        if (kind == SIM_PAUSE) /* long enough for a takeover, mostly */
            e.span_ns = 3000000 + sim_random(rng) % 40000000;
        if (e.moment < SIM_BOOTING)
            after += (uint32_t)(sim_random(rng) % (messages / 8));
        e.after = after;
        e.follows = drawn > 0;
        events[drawn++] = e;
    }
    return drawn;
}

/* With the desk there are TIMERs: most schedules have an event that waits for one to be underway, at best the owner's end. */
static void await_timer(uint64_t *rng, struct sim_event *events, uint32_t n)
{
    uint32_t k = 0;
    while (k < n && events[k].kind != SIM_CRASH && events[k].kind != SIM_PAUSE &&
           events[k].kind != SIM_NOTICE)
        k++;
    struct sim_event *e = &events[k < n ? k : 0];
    if (n == 0 || e->kind >= SIM_FLIP_BOOK || sim_chance(rng, 300000))
        return;
    e->moment = SIM_TIMING;
    if (k == n || e->kind == SIM_NOTICE)
        return;
    e->a = SIM_THE_PRIMARY;
    if (e->kind == SIM_PAUSE)
        e->span_ns = 5000000 + sim_random(rng) % 40000000;
}

void sim_schedule_draw(struct sim_schedule *s, uint64_t seed, uint32_t messages, uint64_t allowed,
                       uint32_t keep)
{
    uint64_t rng = seed * 3 + 1,
             desk_rng = ~rng; /* the desk is drawn aside: it changes nothing else */
    uint32_t events[SIM_FAULT_KINDS], n = 0, drawn;
    *s = (struct sim_schedule){0};
    for (uint32_t k = 0; k < SIM_FAULT_KINDS; k++) {
        if (k < SIM_FIRST_EVENT) {
            if (sim_chance(k == SIM_DESK ? &desk_rng : &rng, 300000) && (allowed >> k & 1) != 0 &&
                (keep >> (8 + k) & 1) != 0)
                s->conditions |= 1u << k;
        } else if ((allowed >> k & 1) != 0) {
            events[n++] = k;
        }
    }
    if (n == 0)
        return;
    struct sim_event all[SIM_EVENTS_MAX];
    const struct plot *p = &plots[sim_random(&rng) % (sizeof plots / sizeof plots[0])];
    if (sim_chance(&rng, 250000) && plot_allowed(p, allowed)) {
        drawn = draw_plot(&rng, messages, p, all);
        s->plot = p->words;
        s->restores = p->restores;
    } else if (sim_chance(&rng, 60000) && (allowed >> SIM_FLIP_BOOK & 1) != 0) {
        drawn = 1; /* alone: two cannot vote on more */
        all[0] = draw(&rng, messages, SIM_FLIP_BOOK);
    } else if (sim_chance(&rng, 500000)) {
        s->restores = true;
        drawn = draw_restoring(&rng, messages, allowed, events, n, all);
    } else {
        s->restores = sim_chance(&rng, 250000);
        drawn = draw_freely(&rng, messages, events, n, (allowed >> SIM_BLINK & 1) != 0, all);
    }
    if ((s->conditions >> SIM_DESK & 1) != 0 && s->plot == NULL)
        await_timer(&desk_rng, all, drawn);
    for (uint32_t i = 0; i < drawn; i++)
        if ((keep >> i & 1) != 0)
            s->events[s->events_n++] = all[i];
}
