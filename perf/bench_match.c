#include "perf/bench_match.h"

#include <sched.h>
#include <string.h>

#include "perf/bench_ids.h"
#include "perf/bench_plain.h"
#include "perf/pages.h"
#include "perf/tsc.h"
#include "replica/thread.h"
#include "shadowbook/assert.h"

enum { WARM_BYTES = 1 << 20 }; /* of the reports of one call: what nearly all calls need */

struct sb_bench_entry {
    uint64_t id;
    uint32_t key, open, next; /* next: ref of the next with the same hash, 0 none */
    uint32_t zero;
};

/* ---- direct ---- */

static inline void apply_direct(struct sb_bench_adapter *a, const struct sb_bench_message *m,
                                struct sb_report_ring *ring)
{
    struct sb_engine *e = a->engine.engine;
    struct sb_report *out = a->reports;
    uint32_t n;
    _Static_assert(SB_TIF_IOC << 3 == SB_DIRECT_IOC, "an order's tif is a flag");
    const uint32_t ioc = (uint32_t)m->tif << 3;
    if (m->kind == SB_CMD_ORDER)
        n = sb_direct_order(e, m->instrument, m->id, m->side | ioc, m->price, m->quantity, out);
    else if (m->kind == SB_CMD_CANCEL) /* one report: no need to go by way of `out` */
        n = sb_direct_cancel(e, m->id, sb_report_ring_next(ring)) - 1;
    else if (m->kind == SB_CMD_REPLACE)
        n = sb_direct_modify(e, m->id, SB_DIRECT_CHAIN | ioc, m->price, m->quantity, out);
    else
        n = sb_direct_reduce(e, m->id, m->quantity, out);
    for (uint32_t i = 0; i < n; i++)
        *sb_report_ring_next(ring) = out[i];
    sb_report_ring_publish(ring);
}

/* ---- ids ---- */

static inline uint32_t *head_of(const struct sb_bench_adapter *a, uint64_t id)
{
    return &a->heads[(id * UINT64_C(0x9e3779b97f4a7c15)) >> a->shift];
}

/* Ref of the resting order with this id, 0: there is none. */
static inline uint32_t find(const struct sb_bench_adapter *a, uint64_t id)
{
    uint32_t ref = *head_of(a, id);
    while (ref != 0 && a->entries[ref].id != id)
        ref = a->entries[ref].next;
    return ref;
}

static inline void link_in(struct sb_bench_adapter *a, const struct sb_output *o, uint64_t id,
                           uint32_t key)
{
    uint32_t *head = head_of(a, id);
    struct sb_bench_entry *entry = &a->entries[o->ref];
    entry->id = id;
    entry->key = key;
    entry->open = o->quantity;
    entry->next = *head;
    *head = (uint32_t)o->ref;
}

static inline void unlink_out(struct sb_bench_adapter *a, uint64_t ref)
{
    uint32_t *at = head_of(a, a->entries[ref].id);
    while (*at != ref)
        at = &a->entries[*at].next;
    *at = a->entries[ref].next;
}

/* ---- one message as a command ---- */

static inline void report(struct sb_report_ring *ring, uint8_t kind, const struct sb_output *o,
                          uint64_t id, uint64_t taker)
{
    *sb_report_ring_next(ring) = (struct sb_report){.id = id,
                                                    .taker = taker,
                                                    .price = (uint32_t)o->price,
                                                    .quantity = o->quantity,
                                                    .instrument = o->instrument,
                                                    .kind = kind,
                                                    .side = o->side & SB_OUT_SIDE_MASK,
                                                    .reason = o->reason};
}

/* Reasons of acks are the order's capacity: not of interest here. */
static inline void report_ack(struct sb_report_ring *ring, uint8_t kind, const struct sb_output *o,
                              uint64_t id)
{
    *sb_report_ring_next(ring) = (struct sb_report){.id = id,
                                                    .price = (uint32_t)o->price,
                                                    .quantity = o->quantity,
                                                    .instrument = o->instrument,
                                                    .kind = kind,
                                                    .side = o->side & SB_OUT_SIDE_MASK};
}

static inline void executed(struct sb_bench_adapter *a, const struct sb_bench_message *m,
                            const struct sb_output *o, struct sb_report_ring *ring)
{
    struct sb_bench_entry *entry = &a->entries[o->ref];
    report(ring, SB_REPORT_TRADE, o, entry->id, m->id);
    entry->open -= o->quantity;
    if (entry->open == 0)
        unlink_out(a, o->ref);
}

/* Session outputs become reports; feed outputs say what rests. */
static inline void output(struct sb_bench_adapter *a, const struct sb_bench_message *m,
                          const struct sb_output *o, struct sb_report_ring *ring)
{
    switch (o->kind) {
    case SB_OUT_ACCEPTED:
        report_ack(ring, SB_REPORT_ORDER_ACK, o, m->id);
        break;
    case SB_OUT_REPLACED:
        a->last_key[m->session] = o->key;
        report_ack(ring, SB_REPORT_MODIFY_ACK, o, m->id);
        break;
    case SB_OUT_CANCELED:
        report(ring, SB_REPORT_CANCEL_ACK, o, m->id, 0);
        break;
    case SB_OUT_REJECTED:
        a->last_key[m->session] = o->key;
        report(ring, m->kind == SB_CMD_ORDER ? SB_REPORT_ORDER_REJECT : SB_REPORT_MODIFY_REJECT, o,
               m->id, 0);
        break;
    case SB_OUT_F_ADD:
        link_in(a, o, m->id, a->command.c.key);
        break;
    case SB_OUT_F_EXECUTED:
        executed(a, m, o, ring);
        break;
    case SB_OUT_F_REPLACED:
        unlink_out(a, o->match);
        link_in(a, o, m->id, a->command.c.key);
        break;
    case SB_OUT_F_DELETED:
        unlink_out(a, o->ref);
        break;
    case SB_OUT_F_REDUCED:
        a->entries[o->ref].open -= o->quantity;
        break;
    default: /* EXECUTED: the feed's F_EXECUTED stands for both sides' */
        break;
    }
}

/* The message as a command, in whole words: the engine may read two fields as one, and a load that spans two stores which
 * have just been made waits for both to leave the core. */
static inline void command(struct sb_bench_adapter *a, const struct sb_bench_message *m)
{
    uint32_t key, orig_key = 0;
    if (m->kind == SB_CMD_ORDER) {
        key = a->last_key[m->session] += m->key_step;
    } else {
        const uint32_t ref = find(a, m->id);
        key = ref != 0 ? a->entries[ref].key : 0; /* no order has key 0 */
        if (m->kind == SB_CMD_REPLACE) {
            orig_key = key;
            key = a->last_key[m->session] + m->key_step;
        }
    }
    uint64_t *w = a->command.words;
    w[0]++; /* seq */
    w[1]++; /* time_ns */
    w[3] = m->session;
    w[4] = key | (uint64_t)orig_key << 32;
    w[5] =
        m->instrument | (uint64_t)m->kind << 32 | (uint64_t)m->side << 40 | (uint64_t)m->tif << 48;
    w[6] = m->quantity;
    w[7] = m->price;
}

static inline void apply_command(struct sb_bench_adapter *a, const struct sb_bench_message *m,
                                 struct sb_report_ring *ring)
{
    command(a, m);
    struct sb_outbox *box = &a->engine.box;
    sb_engine_apply(a->engine.engine, &a->command.c, box);
    for (uint32_t i = 0; i < box->n; i++)
        output(a, m, &box->out[i], ring);
    if (box->n == 0) { /* ignored: it names no order that rests */
        const struct sb_output none = {.reason = SB_REASON_UNKNOWN};
        report(ring, m->kind == SB_CMD_REPLACE ? SB_REPORT_MODIFY_REJECT : SB_REPORT_CANCEL_REJECT,
               &none, m->id, 0);
    }
    box->n = 0;
    sb_report_ring_publish(ring);
}

void sb_bench_adapter_apply(struct sb_bench_adapter *a, const struct sb_bench_message *m,
                            struct sb_report_ring *ring)
{
    if (a->way == SB_BENCH_DIRECT)
        apply_direct(a, m, ring);
    else if (a->way == SB_BENCH_COMMANDS)
        apply_command(a, m, ring);
    else if (a->way == SB_BENCH_PLAIN)
        sb_bench_plain_apply(a->plain, m, ring);
    else
        sb_bench_ids_apply(a->ids, m, ring);
}

/* ---- the adapter's start and end ---- */

static void feed(struct sb_bench_adapter *a, struct sb_command2 *c)
{
    c->c.seq = ++a->command.c.seq;
    c->c.time_ns = ++a->command.c.time_ns;
    sb_engine_apply(a->engine.engine, &c->c, &a->engine.box);
    a->engine.box.n = 0;
}

static void set_up(struct sb_bench_adapter *a, const struct sb_engine_limits *limits)
{
    struct sb_command2 c = {.c = {.kind = SB_CMD_DAY, .flags = SB_CMD_F_EXT},
                            .ext.day.rules = SB_ENGINE_RULES};
    feed(a, &c);
    for (uint32_t s = 1; s <= limits->sessions_max; s++) {
        c = (struct sb_command2){.c = {.kind = SB_CMD_SESSION, .flags = SB_CMD_F_EXT, .key = s}};
        feed(a, &c);
    }
    for (uint32_t i = 1; i <= limits->instruments_max; i++) {
        c = (struct sb_command2){
            .c = {.kind = SB_CMD_INSTRUMENT, .flags = SB_CMD_F_EXT, .instrument = i},
            .ext.instrument = {.symbol = "B0000000",
                               .tick = SB_BENCH_TICK,
                               .price_min = SB_BENCH_TICK,
                               .price_max = SB_PRICE_MAX,
                               .lot = 1,
                               .quantity_max = SB_BENCH_QUANTITY_MAX,
                               .phase = SB_PHASE_CONTINUOUS}};
        for (uint32_t rest = i, at = 7; rest != 0; rest /= 10, at--)
            c.ext.instrument.symbol[at] = (char)('0' + rest % 10);
        feed(a, &c);
    }
}

static bool open_direct(struct sb_bench_adapter *a, const struct sb_bench_sizes *sizes)
{
    const struct sb_direct_instrument definition = {.tick = SB_BENCH_TICK,
                                                    .price_min = SB_BENCH_TICK,
                                                    .price_max = SB_PRICE_MAX,
                                                    .lot = 1,
                                                    .quantity_max = SB_BENCH_QUANTITY_MAX};
    a->reports_bytes = sb_direct_reports_max(a->engine.engine) * sizeof *a->reports;
    a->reports = sb_pages_map(a->reports_bytes);
    if (a->reports == NULL)
        return false;
    sb_pages_touch(a->reports, a->reports_bytes < WARM_BYTES ? a->reports_bytes : WARM_BYTES);
    return sb_direct_open(a->engine.engine, sizes->limits.instruments_max, &definition);
}

static bool open_commands(struct sb_bench_adapter *a, const struct sb_bench_sizes *sizes)
{
    SB_ASSERT_LE(sizes->limits.sessions_max, SB_BENCH_SESSIONS_MAX);
    a->entries_n = sizes->messages + 1;
    a->heads_n = 64;
    a->shift = 64 - 6;
    for (; a->heads_n < 2 * (uint64_t)sizes->open_most; a->shift--)
        a->heads_n *= 2;
    const size_t entries_bytes = a->entries_n * sizeof *a->entries;
    a->entries = sb_pages_map(entries_bytes);
    a->heads = sb_pages_map(a->heads_n * sizeof *a->heads);
    if (a->entries == NULL || a->heads == NULL)
        return false;
    sb_pages_touch(a->entries, entries_bytes);
    sb_pages_touch(a->heads, a->heads_n * sizeof *a->heads);
    set_up(a, &sizes->limits);
    return true;
}

static bool open_plain(struct sb_bench_adapter *a, const struct sb_bench_sizes *sizes)
{
    a->plain = sb_bench_plain_open(sizes->open_most);
    return a->plain != NULL;
}

bool sb_bench_adapter_open(struct sb_bench_adapter *a, const struct sb_bench_sizes *sizes,
                           enum sb_bench_way way)
{
    SB_ASSERT(way != SB_BENCH_IDS);
    memset(a, 0, sizeof *a);
    a->way = way;
    if (way == SB_BENCH_PLAIN)
        return open_plain(a, sizes);
    if (sb_match_engine_open(&a->engine, &sizes->limits) &&
        (way == SB_BENCH_DIRECT ? open_direct(a, sizes) : open_commands(a, sizes)))
        return true;
    sb_bench_adapter_close(a);
    return false;
}

void sb_bench_adapter_close(struct sb_bench_adapter *a)
{
    if (a->entries != NULL)
        munmap(a->entries, a->entries_n * sizeof *a->entries);
    if (a->heads != NULL)
        munmap(a->heads, a->heads_n * sizeof *a->heads);
    if (a->reports != NULL)
        munmap(a->reports, a->reports_bytes);
    sb_bench_plain_close(a->plain);
    sb_bench_ids_close(a->ids);
    sb_match_engine_close(&a->engine);
    memset(a, 0, sizeof *a);
}

/* ---- the consumer ---- */

/* Both halves of the product of two words that were mixed with the state: every bit of a report matters. */
static inline uint64_t mix(uint64_t a, uint64_t b)
{
    __extension__ typedef unsigned __int128 wide;
    const wide product = (wide)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t fold(uint64_t hash, const struct sb_report *r)
{
    uint64_t w[4];
    memcpy(w, r, sizeof w);
    const uint64_t front = mix(w[0] ^ UINT64_C(0xa0761d6478bd642f), w[1] ^ hash);
    return mix(w[2] ^ UINT64_C(0xe7037ed1a0b428db) ^ front, w[3] ^ UINT64_C(0x8ebc6af09c88c6e3)) +
           hash;
}

uint64_t sb_report_fold(uint64_t hash, const struct sb_report *r)
{
    return fold(hash, r);
}

/* Lies on the stack of the engine's thread and is read by the consumer all the time: lines of its own, with one between it and the
 * registers that each call of the engine puts on that stack, or each such store waits for the other core. */
struct consumer {
    _Alignas(256) unsigned char apart[128];
    struct sb_report_ring *ring;
    bool eager;
    pthread_t thread;
    atomic_bool runs, stop;
    uint64_t hash, reports;
};

/* Keeps a distance: takes what is there once there is much of it, but the newest, so that it never reads, nor its core
 * fetches ahead, lines that the producer is about to write; and all of it once nothing new has come for a while. A look takes
 * the line of `head` from the producer, and looks every few hundred nanoseconds would be the slowest part of all: each waits
 * some 3 us. */
enum { WORTH_TAKING = 512, DISTANCE = 64, PAUSES = 64 };

static uint64_t worth_taking(const struct consumer *c, uint64_t ready, uint64_t ready_before)
{
    if (c->eager)
        return ready;
    if (ready >= WORTH_TAKING)
        return ready - DISTANCE;
    return ready == ready_before ? ready : 0;
}

static void *consume(void *arg)
{
    struct consumer *c = arg;
    uint64_t hash = 1, reports = 0, before = 0;
    atomic_store_explicit(&c->runs, true, memory_order_release);
    for (;;) {
        const bool last = atomic_load_explicit(&c->stop, memory_order_acquire);
        const uint64_t ready = sb_report_ring_ready(c->ring);
        const uint64_t n = worth_taking(c, ready, before);
        for (uint64_t i = 0; i < n; i++)
            hash = fold(hash, sb_report_ring_at(c->ring, i));
        if (n != 0)
            sb_report_ring_taken(c->ring, n);
        else if (last && ready == 0)
            break;
        reports += n;
        before = ready - n;
        for (int i = 0; n == 0 && !c->eager && i < PAUSES; i++)
            __builtin_ia32_pause();
    }
    c->hash = hash;
    c->reports = reports;
    return NULL;
}

static bool consumer_start(struct consumer *c, const struct sb_bench_run *run)
{
    *c = (struct consumer){.ring = run->ring, .eager = run->eager};
    memset(run->ring, 0, sizeof *run->ring);
    cpu_set_t core;
    CPU_ZERO(&core);
    if (run->cores != NULL)
        CPU_SET((size_t)run->cores[1], &core);
    if (sb_thread_start(&c->thread, run->cores != NULL ? &core : NULL, consume, c) != 0)
        return false;
    while (!atomic_load_explicit(&c->runs, memory_order_acquire))
        __builtin_ia32_pause();
    return true;
}

static void consumer_stop(struct consumer *c, struct sb_bench_pass *pass)
{
    atomic_store_explicit(&c->stop, true, memory_order_release);
    pthread_join(c->thread, NULL);
    pass->hash = c->hash;
    pass->reports = c->reports;
}

static void clock_start(struct sb_bench_pass *pass)
{
    pass->own_ns = sb_thread_ns();
    pass->ns = sb_monotonic_ns();
}

/* Stops when the last report is taken. */
static void clock_stop(struct sb_bench_pass *pass, const struct sb_report_ring *ring)
{
    while (!sb_report_ring_drained(ring))
        __builtin_ia32_pause();
    pass->ns = sb_monotonic_ns() - pass->ns;
    pass->own_ns = sb_thread_ns() - pass->own_ns;
}

/* ---- passes ---- */

static bool open_for(const struct sb_bench_run *run, struct sb_bench_adapter *a)
{
    if (run->way != SB_BENCH_IDS)
        return sb_bench_adapter_open(a, &run->sizes, run->way);
    *a = (struct sb_bench_adapter){.way = run->way,
                                   .ids = sb_bench_ids_open(run->script, run->sizes.open_most)};
    return a->ids != NULL;
}

/* A loop for each way, so that none asks which it is. */
static void apply_all(struct sb_bench_adapter *a, const struct sb_bench_run *run)
{
    if (run->way == SB_BENCH_DIRECT)
        for (uint64_t i = 0; i < run->n; i++)
            apply_direct(a, &run->messages[i], run->ring);
    else if (run->way == SB_BENCH_COMMANDS)
        for (uint64_t i = 0; i < run->n; i++)
            apply_command(a, &run->messages[i], run->ring);
    else if (run->way == SB_BENCH_PLAIN)
        for (uint64_t i = 0; i < run->n; i++)
            sb_bench_plain_apply(a->plain, &run->messages[i], run->ring);
    else
        for (uint64_t i = 0; i < run->n; i++)
            sb_bench_ids_apply(a->ids, &run->messages[i], run->ring);
}

/* Messages from..to - 1; the ring begins anew with each. */
static void apply_piece(struct sb_bench_adapter *a, const struct sb_bench_run *run, uint64_t from,
                        uint64_t to)
{
    for (uint64_t i = from; i < to; i++) {
        if (run->way == SB_BENCH_DIRECT)
            apply_direct(a, &run->messages[i], run->ring);
        else if (run->way == SB_BENCH_COMMANDS)
            apply_command(a, &run->messages[i], run->ring);
        else if (run->way == SB_BENCH_PLAIN)
            sb_bench_plain_apply(a->plain, &run->messages[i], run->ring);
        else
            sb_bench_ids_apply(a->ids, &run->messages[i], run->ring);
        run->ring->head_next = 0;
    }
}

bool sb_bench_pass_alone(const struct sb_bench_run *run, uint64_t *least)
{
    struct sb_bench_adapter a;
    if (!open_for(run, &a))
        return false;
    memset(run->ring, 0, sizeof *run->ring);
    for (uint64_t i = 0; i < run->n; i++)
        SB_ASSERT_LT(run->messages[i].reports, (uint32_t)SB_REPORT_RING_SLOTS); /* nobody takes */
    for (uint64_t from = 0; from < run->n; from += SB_BENCH_PIECE) {
        const uint64_t to = from + SB_BENCH_PIECE < run->n ? from + SB_BENCH_PIECE : run->n;
        const uint64_t begin = sb_monotonic_ns();
        apply_piece(&a, run, from, to);
        const uint64_t ns = sb_monotonic_ns() - begin;
        if (ns < least[from / SB_BENCH_PIECE])
            least[from / SB_BENCH_PIECE] = ns;
    }
    sb_bench_adapter_close(&a);
    return true;
}

bool sb_bench_pass_engine(const struct sb_bench_run *run, struct sb_bench_pass *pass)
{
    struct sb_bench_adapter a;
    struct consumer c;
    if (!open_for(run, &a))
        return false;
    const bool good = consumer_start(&c, run);
    if (good) {
        clock_start(pass);
        apply_all(&a, run);
        clock_stop(pass, run->ring);
        consumer_stop(&c, pass);
    }
    sb_bench_adapter_close(&a);
    return good;
}

bool sb_bench_pass_null(const struct sb_bench_run *run, struct sb_bench_pass *pass)
{
    struct consumer c;
    if (!consumer_start(&c, run))
        return false;
    clock_start(pass);
    for (uint64_t i = 0; i < run->n; i++)
        sb_bench_null_apply(&run->messages[i], run->ring);
    clock_stop(pass, run->ring);
    consumer_stop(&c, pass);
    return true;
}

static void time_nothing(struct sb_histogram *h, uint64_t scale)
{
    sb_histogram_reset(h);
    for (int i = 0; i < 100000; i++) {
        const uint64_t begin = sb_tsc_begin();
        sb_histogram_record(h, sb_tsc_to_ns(sb_tsc_end() - begin, scale));
    }
}

bool sb_bench_pass_timed(const struct sb_bench_run *run, struct sb_bench_pass *pass,
                         struct sb_histogram *each, uint64_t *clock_ns)
{
    struct sb_bench_adapter a;
    struct consumer c;
    if (!open_for(run, &a))
        return false;
    const uint64_t scale = sb_tsc_scale();
    time_nothing(each, scale);
    *clock_ns = sb_histogram_percentile(each, 50);
    sb_histogram_reset(each);
    const bool good = consumer_start(&c, run);
    if (good) {
        clock_start(pass);
        for (uint64_t i = 0; i < run->n; i++) {
            const uint64_t begin = sb_tsc_begin();
            sb_bench_adapter_apply(&a, &run->messages[i], run->ring);
            sb_histogram_record(each, sb_tsc_to_ns(sb_tsc_end() - begin, scale));
        }
        clock_stop(pass, run->ring);
        consumer_stop(&c, pass);
    }
    sb_bench_adapter_close(&a);
    return good;
}
