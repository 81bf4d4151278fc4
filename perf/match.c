#include "match.h"

#include <string.h>

#include "perf/pages.h"
#include "perf/tsc.h"
#include "shadowbook/assert.h"
#include "shadowbook/frame.h"

enum { WARM_BYTES = 1 << 22 };

/* ---- the engine ---- */

bool sb_match_engine_open(struct sb_match_engine *m, const struct sb_engine_limits *limits)
{
    memset(m, 0, sizeof *m);
    m->memory_bytes = sb_engine_footprint(limits);
    m->box.cap = sb_engine_outputs_max(limits, SB_MATCH_PACKET_MAX, false);
    m->box_bytes = (size_t)m->box.cap * sizeof *m->box.out;
    m->memory = sb_pages_map(m->memory_bytes);
    m->box.out = sb_pages_map(m->box_bytes);
    if (m->memory == NULL || m->box.out == NULL) {
        sb_match_engine_close(m);
        return false;
    }
    /* Page faults belong to the start, as in a node. Of the outbox only what a flow really reaches. */
    sb_pages_touch(m->memory, m->memory_bytes);
    sb_pages_touch(m->box.out, m->box_bytes < WARM_BYTES ? m->box_bytes : WARM_BYTES);
    m->engine = sb_engine_new(m->memory, m->memory_bytes, limits);
    return true;
}

void sb_match_engine_close(struct sb_match_engine *m)
{
    if (m->memory != NULL)
        munmap(m->memory, m->memory_bytes);
    if (m->box.out != NULL)
        munmap(m->box.out, m->box_bytes);
    memset(m, 0, sizeof *m);
}

bool sb_match_rules(const char *path, uint16_t rules, FILE *err)
{
    if (rules != SB_ENGINE_RULES)
        fprintf(err, "%s: log made under rules version %u, this program has %d\n", path, rules,
                SB_ENGINE_RULES);
    return rules == SB_ENGINE_RULES;
}

static const struct sb_command *next_command(const struct sb_command *c)
{
    return c + sb_command_lines(c);
}

const char *sb_match_packet(struct sb_match_engine *m, const struct sb_command *lines,
                            uint32_t count, uint32_t *outputs)
{
    const struct sb_command *c = lines;
    for (uint32_t i = 0; i < count; i++, c = next_command(c)) {
        if (c->time_ns <= sb_engine_last_time_ns(m->engine))
            return "time runs back";
        sb_engine_apply(m->engine, c, &m->box);
    }
    *outputs = m->box.n;
    sb_engine_seal(m->engine, &m->box);
    return NULL;
}

/* Applies DAY, SESSION and the INSTRUMENTs; the first command of the flow itself. */
static const struct sb_command *set_up(struct sb_match_engine *m, const struct sb_flow_commands *fc)
{
    const struct sb_command *c = fc->lines;
    for (; c < fc->lines + fc->setup_lines; c = next_command(c)) {
        sb_engine_apply(m->engine, c, &m->box);
        if (c->seq % SB_MATCH_SEAL_EVERY == 0)
            sb_engine_seal(m->engine, &m->box);
    }
    return c;
}

/* ---- is it right ---- */

struct joiner {
    const struct sb_flow_commands *fc;
    struct sb_match_result *result;
    struct sb_output first; /* of the two EXECUTED of a match; kind NONE: none yet */
    bool (*trade)(void *arg, const struct sb_flow_trade *t);
    void *arg;
};

/* Two EXECUTED with one match number are a trade. */
static void join(struct joiner *j, const struct sb_output *o)
{
    if (j->first.kind == SB_OUT_NONE) {
        j->first = *o;
        return;
    }
    SB_ASSERT_EQ(j->first.match, o->match);
    j->result->trades++;
    const bool first_sells = sb_side_sells(j->first.side);
    SB_ASSERT(first_sells != sb_side_sells(o->side));
    const struct sb_output *removed = o->liquidity == SB_LIQ_REMOVED ? o : &j->first;
    const struct sb_flow_trade t = {
        .buy_order_id = j->fc->order_ids[first_sells ? o->key : j->first.key],
        .sell_order_id = j->fc->order_ids[first_sells ? j->first.key : o->key],
        .price = o->price,
        .quantity = o->quantity,
        .aggressor = o->liquidity == SB_LIQ_OPENING ? 'a'
                     : sb_side_sells(removed->side) ? 's'
                                                    : 'b'};
    j->first.kind = SB_OUT_NONE;
    if (j->trade != NULL && !j->trade(j->arg, &t))
        j->trade = NULL;
}

static void look_at(struct joiner *j, const struct sb_output *o)
{
    switch (o->kind) {
    case SB_OUT_EXECUTED:
        join(j, o);
        break;
    case SB_OUT_ACCEPTED:
    case SB_OUT_REPLACED:
        j->result->acknowledged++;
        break;
    case SB_OUT_CANCELED:
        j->result->acknowledged += o->reason == SB_REASON_USER;
        break;
    case SB_OUT_REJECTED:
        j->result->rejected++;
        break;
    case SB_OUT_OPERATOR:
        j->result->phases_refused += o->reason != SB_REASON_NONE;
        break;
    default:
        break;
    }
}

void sb_match_check(struct sb_match_engine *m, const struct sb_flow_commands *fc,
                    struct sb_match_result *result,
                    bool (*trade)(void *arg, const struct sb_flow_trade *t), void *arg)
{
    memset(result, 0, sizeof *result);
    struct joiner j = {.fc = fc, .result = result, .trade = trade, .arg = arg};
    for (const struct sb_command *c = fc->lines; c < fc->lines + fc->lines_n; c = next_command(c)) {
        const uint32_t from = m->box.n;
        sb_engine_apply(m->engine, c, &m->box);
        result->outputs += m->box.n - from;
        for (uint32_t i = from; i < m->box.n; i++)
            look_at(&j, &m->box.out[i]);
        if (c->seq % SB_MATCH_SEAL_EVERY == 0)
            sb_engine_seal(m->engine, &m->box);
    }
    result->digest = sb_engine_seal(m->engine, &m->box);
    result->state_digest = sb_engine_state_digest(m->engine);
    result->superfluous = sb_engine_stats(m->engine)->ignored_superfluous;
    result->open_orders_peak = sb_engine_stats(m->engine)->open_orders_peak;
}

/* ---- how fast ---- */

/* The commands up to the next seal, as a packet: first of the packet after this one. Every command of a flow is one line. */
static const struct sb_command *packet_end(const struct sb_command *c, const struct sb_command *end)
{
    const ptrdiff_t n = SB_MATCH_SEAL_EVERY - (ptrdiff_t)((c->seq - 1) % SB_MATCH_SEAL_EVERY);
    return end - c > n ? c + n : end;
}

uint64_t sb_match_time_whole(struct sb_match_engine *m, const struct sb_flow_commands *fc,
                             bool prefetch, uint64_t *digest)
{
    const struct sb_command *c = set_up(m, fc), *end = fc->lines + fc->lines_n;
    const uint64_t begin = sb_monotonic_ns();
    while (c < end) {
        const struct sb_command *next = packet_end(c, end);
        if (prefetch)
            sb_engine_prefetch(m->engine, c, (uint32_t)(next - c));
        for (; c < next; c++)
            sb_engine_apply(m->engine, c, &m->box);
        sb_engine_seal(m->engine, &m->box);
    }
    *digest = sb_engine_seal(m->engine, &m->box);
    return sb_monotonic_ns() - begin;
}

void sb_match_time_events(struct sb_match_engine *m, const struct sb_flow_commands *fc,
                          struct sb_histogram *ns, uint64_t *digest)
{
    const uint64_t scale = sb_tsc_scale();
    const struct sb_command *c = set_up(m, fc), *end = fc->lines + fc->lines_n;
    sb_histogram_reset(ns);
    for (; c < end; c++) {
        const uint64_t begin = sb_tsc_begin();
        sb_engine_apply(m->engine, c, &m->box);
        sb_histogram_record(ns, sb_tsc_to_ns(sb_tsc_end() - begin, scale));
        if (c->seq % SB_MATCH_SEAL_EVERY == 0)
            sb_engine_seal(m->engine, &m->box);
    }
    *digest = sb_engine_seal(m->engine, &m->box);
}

/* Stands where apply stands: reads the command, does nothing. Out of line, as apply is. */
__attribute__((noinline)) static uint64_t apply_nothing(const struct sb_command *c)
{
    uint64_t seq = c->seq;
    __asm__ volatile("" : "+r"(seq));
    return seq;
}

uint64_t sb_match_floor(const struct sb_flow_commands *fc, struct sb_histogram *ns)
{
    const uint64_t scale = sb_tsc_scale();
    const struct sb_command *first = fc->lines + fc->setup_lines;
    const struct sb_command *end = fc->lines + fc->lines_n;
    uint64_t sum = 0;
    const uint64_t begin = sb_monotonic_ns();
    for (const struct sb_command *c = first; c < end; c++)
        sum += apply_nothing(c);
    __asm__ volatile("" : : "r"(sum));
    const uint64_t whole = sb_monotonic_ns() - begin;
    sb_histogram_reset(ns);
    for (const struct sb_command *c = first; c < end; c++) {
        const uint64_t at = sb_tsc_begin();
        sum += apply_nothing(c);
        sb_histogram_record(ns, sb_tsc_to_ns(sb_tsc_end() - at, scale));
    }
    __asm__ volatile("" : : "r"(sum));
    return whole;
}
