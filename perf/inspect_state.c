/* inspect_state.c: `inspect --state`, `--snapshot` and `--node`: what an engine holds after an input, or in a snapshot, and what a
 * running node says of itself. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "perf/inspect.h"
#include "perf/inspect_words.h"
#include "perf/log_run.h"
#include "perf/top_view.h"
#include "shadowbook/assert.h"

enum { DEPTH = 10 }; /* of a book, if not given */

/* --- the engine ----------------------------------------------------------------------------------- */

struct side { /* of a book, counted */
    uint64_t orders, levels;
    int64_t price;
};

static void count_order(void *arg, const struct sb_order_view *o)
{
    struct side *s = arg;
    s->levels += s->orders == 0 || o->price != s->price;
    s->price = o->price;
    s->orders++;
}

static void put_side(json_t *row, const struct sb_engine *e, uint32_t instrument, uint8_t side)
{
    static const char *const names[2][4] = {
        {"buy_orders", "buy_levels", "best_buy_quantity", "best_buy"},
        {"sell_orders", "sell_levels", "best_sell_quantity", "best_sell"}};
    struct side s = {0};
    int64_t price = 0;
    uint64_t quantity = 0;
    sb_engine_visit(e, instrument, side, count_order, &s);
    const bool any = sb_engine_best(e, instrument, side, &price, &quantity);
    sb_words_put_number(row, names[side][0], s.orders);
    sb_words_put_number(row, names[side][1], s.levels);
    sb_words_put_number(row, names[side][2], quantity);
    sb_words_put_text(row, names[side][3], any ? sb_words_price(price).text : "");
}

static json_t *instruments(const struct sb_engine *e)
{
    json_t *rows = json_array();
    for (uint32_t i = 1; i <= sb_engine_instruments(e); i++) {
        const struct sb_instrument_view *v = sb_engine_instrument(e, i);
        if (!v->defined)
            continue;
        json_t *row = json_object();
        sb_words_put_number(row, "instrument", i);
        sb_words_put_text(row, "symbol", sb_words_symbol(e, i).text);
        sb_words_put_text(row, "phase", sb_words_phase(v->phase));
        put_side(row, e, i, SB_BUY);
        put_side(row, e, i, SB_SELL);
        SB_ASSERT(json_array_append_new(rows, row) == 0);
    }
    return rows;
}

static json_t *sessions(const struct sb_engine *e, uint32_t sessions_max)
{
    json_t *rows = json_array();
    for (uint32_t i = 1; i <= sessions_max; i++) {
        const struct sb_session_view *v = sb_engine_session(e, i);
        if (!v->defined)
            continue;
        json_t *row = json_object();
        sb_words_put_number(row, "session", i);
        sb_words_put_number(row, "firm", v->firm);
        sb_words_put_text(row, "operator", v->operator_right ? "yes" : "no");
        sb_words_put_number(row, "last_message", v->last_session_seq);
        sb_words_put_number(row, "next_number", v->next_stream_seq);
        sb_words_put_number(row, "last_key", v->last_key);
        sb_words_put_text(row, "login", sb_words_address(v->login_ipv4, v->login_port).text);
        SB_ASSERT(json_array_append_new(rows, row) == 0);
    }
    return rows;
}

static json_t *day(const struct sb_engine *e)
{
    const struct sb_day_view *d = sb_engine_day(e);
    json_t *o = json_object();
    sb_words_put_number(o, "trading_day", d->trading_day);
    sb_words_put_text(o, "midnight", sb_words_time(d->midnight_ns).text);
    sb_words_put_number(o, "shard", d->shard);
    sb_words_put_number(o, "generation", d->generation);
    if (d->carry_hash != 0)
        sb_words_put_text(o, "carry_hash", sb_words_hex(d->carry_hash).text);
    return o;
}

static json_t *totals(const struct sb_engine *e)
{
    const struct sb_engine_stats *s = sb_engine_stats(e);
    json_t *o = json_object();
    sb_words_put_number(o, "outputs", s->outputs);
    sb_words_put_number(o, "accepted", s->accepted);
    sb_words_put_number(o, "rejected", s->rejected);
    sb_words_put_number(o, "replaced", s->replaced);
    sb_words_put_number(o, "canceled", s->canceled);
    sb_words_put_number(o, "trades", s->trades);
    sb_words_put_number(o, "open_orders", s->open_orders);
    sb_words_put_number(o, "ignored_resend", s->ignored_resend);
    sb_words_put_number(o, "ignored_superfluous", s->ignored_superfluous);
    sb_words_put_number(o, "ignored_session", s->ignored_session);
    return o;
}

static json_t *place(const struct sb_engine *e)
{
    json_t *o = json_object();
    sb_words_put_text(o, "kind", "state");
    sb_words_put_number(o, "input", sb_engine_applied(e));
    sb_words_put_text(o, "time", sb_words_time(sb_engine_last_time_ns(e)).text);
    sb_words_put_text(o, "digest", sb_words_hex(sb_engine_digest(e)).text);
    return o;
}

/* What is in an engine; its book of an instrument, if that is not NONE. */
static void put_engine(json_t *o, const struct sb_inspect *a, const struct sb_engine *e,
                       uint32_t instrument)
{
    sb_words_put(o, "day", day(e));
    sb_words_put(o, "totals", totals(e));
    sb_words_put(o, "instruments", instruments(e));
    sb_words_put(o, "sessions", sessions(e, sb_engine_limits_of(e)->sessions_max));
    if (instrument != SB_INSTRUMENT_NONE)
        sb_words_put(o, "book", sb_words_book(e, instrument, a->depth != 0 ? a->depth : DEPTH));
}

/* The instrument asked for; NONE: none was. False: there is no such one, said on the standard error. */
static bool find_instrument(const struct sb_inspect *a, const struct sb_engine *e,
                            uint32_t *instrument)
{
    char symbol[9];
    *instrument = SB_INSTRUMENT_NONE;
    if (a->symbol == NULL)
        return true;
    snprintf(symbol, sizeof symbol, "%-8s", a->symbol);
    if (strlen(a->symbol) <= 8)
        *instrument = sb_engine_find_symbol(e, symbol);
    if (*instrument == SB_INSTRUMENT_NONE)
        fprintf(stderr, "inspect: no instrument %s after input %" PRIu64 "\n", a->symbol,
                sb_engine_applied(e));
    return *instrument != SB_INSTRUMENT_NONE;
}

/* --- of a log ------------------------------------------------------------------------------------- */

static json_t *head(const struct sb_log_run *r)
{
    json_t *o = place(r->m.engine);
    sb_words_put_number(o, "digest_input", r->sealed_n);
    sb_words_put_text(o, "state_digest", sb_words_hex(sb_engine_state_digest(r->m.engine)).text);
    if (sb_log_run_snapshot_n(r) != 0)
        sb_words_put_number(o, "from_snapshot", sb_log_run_snapshot_n(r));
    if (r->different_n == 0)
        sb_words_put_text(o, "recorded_digests", "equal");
    else
        sb_words_put_number(o, "recorded_digests_different_from", r->different_n);
    return o;
}

/* Runs to the input asked for. NULL: said on the standard error why not. */
static json_t *state_of_log(const struct sb_inspect *a, bool *different)
{
    struct sb_log_run r;
    if (!sb_log_run_open(&r, a->log, a->whole ? 0 : a->at, stderr))
        return NULL;
    json_t *o = NULL;
    const int more = sb_log_run_to(&r, a->at, stderr);
    const struct sb_engine *e = r.m.engine;
    uint32_t instrument;
    if (more == 0 && a->at != UINT64_MAX) {
        fprintf(stderr, "inspect: %s ends after input %" PRIu64 ", before %" PRIu64 "\n", a->log,
                sb_engine_applied(e), a->at);
    } else if (more >= 0 && find_instrument(a, e, &instrument)) {
        o = head(&r);
        *different = r.different_n != 0;
        put_engine(o, a, e, instrument);
        if (more == 0 && !a->json)
            sb_log_source_say_end(&r.log, stdout);
    }
    sb_log_run_close(&r);
    return o;
}

/* --- of a snapshot -------------------------------------------------------------------------------- */

static json_t *snapshot_words(const struct sb_snapshot *s, const struct sb_engine *e)
{
    json_t *o = place(e), *limits = json_object();
    sb_words_put_text(o, "state_digest", sb_words_hex(s->head.state_digest).text);
    sb_words_put_number(o, "version", s->head.version);
    sb_words_put_number(o, "bytes", s->bytes_n);
    sb_words_put_number(limits, "instruments_max", s->head.instruments_max);
    sb_words_put_number(limits, "sessions_max", s->head.sessions_max);
    sb_words_put_number(limits, "orders_max", s->head.orders_max);
    sb_words_put_number(limits, "levels_max", s->head.levels_max);
    sb_words_put_number(limits, "terms_max", s->head.terms_max);
    sb_words_put(o, "limits", limits);
    return o;
}

/* An engine of any size may be asked for by a file of any origin. */
static bool load(const struct sb_inspect *a, const struct sb_snapshot *s, struct sb_match_engine *m)
{
    const struct sb_engine_limits limits = sb_snapshot_limits(&s->head);
    if (!sb_match_rules(a->snapshot, s->head.rules, stderr))
        return false;
    const char *wrong = sb_engine_limits_error(&limits);
    if (wrong == NULL && !sb_match_engine_open(m, &limits))
        wrong = "no memory for an engine of its limits";
    else if (wrong == NULL)
        wrong = sb_snapshot_load(s, m->engine);
    if (wrong != NULL)
        fprintf(stderr, "inspect: %s: %s\n", a->snapshot, wrong);
    return wrong == NULL;
}

static json_t *state_of_snapshot(const struct sb_inspect *a)
{
    struct sb_snapshot s;
    struct sb_match_engine m = {0};
    uint32_t instrument;
    json_t *o = NULL;
    if (!sb_snapshot_read(&s, a->snapshot, stderr))
        return NULL;
    if (load(a, &s, &m) && find_instrument(a, m.engine, &instrument)) {
        o = snapshot_words(&s, m.engine);
        put_engine(o, a, m.engine, instrument);
    }
    sb_match_engine_close(&m);
    sb_snapshot_free(&s);
    return o;
}

/* --- a running node ------------------------------------------------------------------------------- */

static const char *name_of(const char *const *names, size_t n, uint64_t at)
{
    return at < n ? names[at] : "?";
}

static json_t *node_words(const struct sb_top_sample *s)
{
    static const char *const states[] = {"none", "writing", "failed: goes on without one",
                                         "failed: hands over"};
    static const char *const faults[] = {"none",        "full disk", "read-only",
                                         "write error", "slow disk", "ring full"};
    const uint64_t *v = s->value;
    json_t *o = json_object();
    struct sb_words role;
    snprintf(role.text, sizeof role.text, "%s%s", sb_top_role(v[SB_CTR_ROLE]),
             sb_top_arm(v[SB_CTR_ARM]));
    sb_words_put_text(o, "kind", "node");
    sb_words_put_text(o, "name", sb_words_padded(s->name, strnlen(s->name, 15)).text);
    sb_words_put_number(o, "shard", s->shard);
    sb_words_put_number(o, "pid", s->pid);
    sb_words_put_text(o, "alive", s->alive ? "yes" : "no");
    sb_words_put_text(o, "started", sb_words_time(s->started_at_ns).text);
    sb_words_put_text(o, "role", role.text);
    sb_words_put_text(o, "epoch", sb_top_epoch(v[SB_CTR_EPOCH]).text);
    sb_words_put_number(o, "incarnation", v[SB_CTR_INCARNATION]);
    sb_words_put_number(o, "log_length", v[SB_CTR_LOG_LEN]);
    sb_words_put_number(o, "applied", v[SB_CTR_APPLIED]);
    sb_words_put_number(o, "released", v[SB_CTR_RELEASED]);
    sb_words_put_number(o, "acknowledged", v[SB_CTR_ACKED]);
    sb_words_put_text(o, "digest", sb_words_hex(v[SB_CTR_DIGEST]).text);
    sb_words_put_number(o, "open_orders", v[SB_CTR_OPEN_ORDERS]);
    sb_words_put_text(o, "journal",
                      name_of(states, sizeof states / sizeof *states, v[SB_CTR_JOURNAL_STATE]));
    sb_words_put_text(o, "journal_fault",
                      name_of(faults, sizeof faults / sizeof *faults, v[SB_CTR_JOURNAL_FAULT]));
    sb_words_put_number(o, "journal_durable", v[SB_CTR_JOURNAL_DURABLE]);
    return o;
}

/* NULL: said on the standard error why not. */
static json_t *node_of(const struct sb_inspect *a)
{
    struct sb_top_sample *samples = calloc(SB_COUNTERS_REGIONS_MAX, sizeof *samples);
    const size_t n =
        samples != NULL ? sb_top_sample_all(samples, SB_COUNTERS_REGIONS_MAX, a->shard) : 0;
    const struct sb_top_sample *found = NULL;
    size_t named = 0;
    for (size_t i = 0; i < n; i++) {
        if (strcmp(samples[i].name, a->node) != 0)
            continue;
        found = &samples[i];
        named++;
    }
    json_t *o = named == 1 ? node_words(found) : NULL;
    if (named == 0)
        fprintf(stderr, "inspect: no process %s shows counters on this host\n", a->node);
    else if (named > 1)
        fprintf(stderr, "inspect: %zu processes are named %s: give --shard\n", named, a->node);
    free(samples);
    return o;
}

/* --- both ----------------------------------------------------------------------------------------- */

static void print_section(json_t *o, const char *name, bool table)
{
    json_t *section = json_object_get(o, name);
    if (section == NULL)
        return;
    printf("%s%s", name, table ? "\n" : ": ");
    if (table)
        sb_words_table(section, stdout);
    else
        sb_words_print(section, stdout);
}

static void print_state(json_t *o)
{
    sb_words_print(o, stdout);
    print_section(o, "limits", false);
    print_section(o, "day", false);
    print_section(o, "totals", false);
    print_section(o, "instruments", true);
    print_section(o, "sessions", true);
    print_section(o, "book", true);
}

int sb_inspect_state(const struct sb_inspect *a)
{
    bool different = false;
    json_t *all = json_object();
    bool good = true;
    if (a->node != NULL) {
        json_t *node = node_of(a);
        good = node != NULL;
        if (good && !a->json)
            sb_words_print(node, stdout);
        if (good)
            sb_words_put(all, "node", node);
    }
    if (good && (a->log != NULL || a->snapshot != NULL)) {
        json_t *state = a->log != NULL ? state_of_log(a, &different) : state_of_snapshot(a);
        good = state != NULL;
        if (good && !a->json)
            print_state(state);
        if (good)
            sb_words_put(all, "state", state);
    }
    if (good && a->json) {
        good = json_dumpf(all, stdout, JSON_COMPACT) == 0;
        putchar('\n');
    }
    json_decref(all);
    return !good ? 2 : different ? 1 : 0;
}
