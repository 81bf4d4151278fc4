/* clock.h: UTC nanoseconds from the processor's time stamp counter.
 *
 * sb_clock_now() is one rdtsc, one multiplication and a shift: no system call. The counter is disciplined to
 * CLOCK_REALTIME by sb_clock_discipline(), called about once a second by another thread. Time never goes back: a
 * correction begins a little ahead, at a point that the old and the new line share, and bends the rate by at most
 * SB_CLOCK_SLEW_PPM. An error of more than SB_CLOCK_STEP_NS (someone set the system's clock) is not followed but
 * counted as an alarm; the clock then keeps its own rate until the two agree again.
 *
 *      utc
 *       |                        ,'   after: base rate +- slew
 *       |                     ,'
 *       |           _,..--''*          * = after.tsc0, a few ms ahead of the reading
 *       |  _,..--'' before
 *       +------------------------------ tsc
 *
 * Threads: one calls init, then any may call now, one other calls discipline. Readers are wait-free but for a
 * retry when the line changed between two of their instructions. Not covered: counters that differ between
 * processors (the kernel does not use the TSC itself then), and a discipline thread
 * that is suspended for more than SB_CLOCK_LEAD_NS between its last look at the counter and its store: readers may then
 * see a step back of at most 2 * SB_CLOCK_SLEW_PPM of that time; sequenced commands are protected by
 * max(clock, last + 1).
 */
#ifndef SHADOWBOOK_REPLICA_CLOCK_H
#define SHADOWBOOK_REPLICA_CLOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <x86intrin.h>

enum { SB_CLOCK_SLEW_PPM = 500, SB_CLOCK_SHIFT = 32 };
#define SB_CLOCK_STEP_NS UINT64_C(100000000)
#define SB_CLOCK_LEAD_NS UINT64_C(10000000)

/* utc = utc0 + (tsc - tsc0) * mult / 2^SB_CLOCK_SHIFT */
struct sb_clock_line {
    uint64_t tsc0, utc0, mult;
};

struct sb_clock_reading { /* one moment on both clocks */
    uint64_t tsc, utc_ns;
};

/* Two lines: `before` up to after.tsc0. */
struct sb_clock_bend {
    struct sb_clock_line before, after;
};

struct sb_clock {
    atomic_uint_least64_t version; /* slot version & 1 is the one to read */
    struct {
        atomic_uint_least64_t tsc0[2], utc0[2], mult[2]; /* before, after */
    } slots[2];
    /* The discipline thread's own. */
    struct sb_clock_bend bend;
    struct sb_clock_reading last;
    uint64_t base_mult;                 /* measured rate, without slew */
    atomic_uint_least64_t alarms;       /* readings that were not followed */
    atomic_int_least64_t last_error_ns; /* CLOCK_REALTIME minus ours */
    atomic_uint_least64_t limited;      /* readings whose correction met the slew limit */
    atomic_uint_least64_t bound_ns;     /* sb_clock_bound_ns() */
};

static inline uint64_t sb_clock_tsc(void)
{
    return __rdtsc();
}

__extension__ typedef unsigned __int128 sb_clock_wide;

static inline uint64_t sb_clock_scale(uint64_t cycles, uint64_t mult)
{
    return (uint64_t)((sb_clock_wide)cycles * mult >> SB_CLOCK_SHIFT);
}

static inline uint64_t sb_clock_line_at(const struct sb_clock_line *l, uint64_t tsc)
{
    /* A processor's counter may be a few cycles behind the one that drew the line. */
    return tsc <= l->tsc0 ? l->utc0 : l->utc0 + sb_clock_scale(tsc - l->tsc0, l->mult);
}

static inline uint64_t sb_clock_bend_at(const struct sb_clock_bend *b, uint64_t tsc)
{
    return sb_clock_line_at(tsc < b->after.tsc0 ? &b->before : &b->after, tsc);
}

/* Calibrates for 20 ms (sleeps). False if it could not: CLOCK_REALTIME was being set meanwhile. */
bool sb_clock_init(struct sb_clock *c);
/* The processor says that its counter runs at one rate whatever its power state. If not, spans are wrong by as much
 * as the rate changes within a second; warn. (A virtual machine may hide the answer.) */
bool sb_clock_counter_is_invariant(void);

/* Any thread, ~20 ns with the read of the counter. */
static inline uint64_t sb_clock_now(const struct sb_clock *c)
{
    for (;;) {
        const uint64_t version = atomic_load_explicit(&c->version, memory_order_acquire);
        const uint64_t tsc = sb_clock_tsc();
        const uint32_t s = (uint32_t)version & 1;
        /* Acquire: the second look at the version comes after them. */
        const uint64_t turn = atomic_load_explicit(&c->slots[s].tsc0[1], memory_order_acquire);
        const uint32_t i = tsc >= turn;
        const struct sb_clock_line line = {
            atomic_load_explicit(&c->slots[s].tsc0[i], memory_order_acquire),
            atomic_load_explicit(&c->slots[s].utc0[i], memory_order_acquire),
            atomic_load_explicit(&c->slots[s].mult[i], memory_order_acquire)};
        if (__builtin_expect(atomic_load_explicit(&c->version, memory_order_relaxed) == version, 1))
            return sb_clock_line_at(&line, tsc);
    }
}

/* Length of a span of cycles, at the rate of calibration and of the last correction. Any thread. */
static inline uint64_t sb_clock_cycles_to_ns(const struct sb_clock *c, uint64_t cycles)
{
    const uint64_t version = atomic_load_explicit(&c->version, memory_order_acquire);
    return sb_clock_scale(
        cycles, atomic_load_explicit(&c->slots[version & 1].mult[1], memory_order_relaxed));
}

/* Most that this clock is away from UTC, by the kernel's word: its own bound (adjtimex's maxerror, which grows while nothing
 * disciplines it), what this clock was off at its last correction, and what it can be off by the next one. UINT64_MAX: the
 * kernel does not know either. As of the last correction. Any thread. */
static inline uint64_t sb_clock_bound_ns(const struct sb_clock *c)
{
    return atomic_load_explicit(&c->bound_ns, memory_order_relaxed);
}

/* Takes a reading and corrects the clock. Off the order path, about once a second. */
void sb_clock_discipline(struct sb_clock *c);

/* --- the arithmetic, pure --- */

/* sb_clock_bound_ns() of what the kernel says (is its clock disciplined, and by how many microseconds at most it is off) and of the
 * error found at a correction. */
static inline uint64_t sb_clock_bound(bool disciplined, uint64_t max_error_us, int64_t error_ns)
{
    const uint64_t off_ns = error_ns < 0 ? 0 - (uint64_t)error_ns : (uint64_t)error_ns;
    /* and SB_CLOCK_SLEW_PPM for a second, until the next correction */
    return disciplined ? max_error_us * 1000 + off_ns + SB_CLOCK_SLEW_PPM * UINT64_C(1000)
                       : UINT64_MAX;
}

enum sb_clock_result { SB_CLOCK_FOLLOWED, SB_CLOCK_LIMITED, SB_CLOCK_ALARM };

/* Rate between two readings, scaled by 2^SB_CLOCK_SHIFT; 0 if they are not in order. */
uint64_t sb_clock_rate(const struct sb_clock_reading *from, const struct sb_clock_reading *to);

/* The next bend: goes on from `now` on the old line for lead_cycles, then at base_mult plus what removes the
 * error within span_ns, at most SB_CLOCK_SLEW_PPM of it. LIMITED: more would have been needed. ALARM: the error is
 * larger than SB_CLOCK_STEP_NS and *next only returns to the base rate. */
enum sb_clock_result sb_clock_steer(const struct sb_clock_bend *old,
                                    const struct sb_clock_reading *reading, uint64_t base_mult,
                                    uint64_t lead_cycles, uint64_t span_ns,
                                    struct sb_clock_bend *next, int64_t *error_ns);

#endif
