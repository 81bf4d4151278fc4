#include "perf/failover.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "perf/replay_report.h"

/* splitmix64's mixing of one value. */
static uint64_t mixed(uint64_t z)
{
    z += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static void forget(struct sb_failover_trial *t)
{
    t->judged = t->ok = t->states_equal = false;
    t->lost = t->conflicting = t->needless = 0;
    t->floor = (struct sb_failover_spread){0};
    for (int s = 0; s < SB_FAILOVER_SPANS; s++)
        t->ns[s] = SB_FAILOVER_NONE;
}

struct sb_failover_trial sb_failover_plan(const struct sb_failover_options *o, uint64_t number)
{
    const uint64_t drawn = mixed(mixed(o->seed) ^ number);
    struct sb_failover_trial t = {
        .number = number,
        .fault = (size_t)((number - 1) % o->faults_n),
        .at_percent = (unsigned)(1 + drawn % 98),
        .flow_seed = 1 + (drawn >> 32) % 1000000,
    };
    forget(&t);
    return t;
}

void sb_failover_fail(struct sb_failover_trial *t, const char *format, ...)
{
    char why[sizeof t->why]; /* the reason so far may be one of the words */
    va_list words;
    va_start(words, format);
    vsnprintf(why, sizeof why, format, words);
    va_end(words);
    for (char *c = why; *c != '\0'; c++)
        *c = *c < ' ' || *c > '~' ? '?' : *c;
    memcpy(t->why, why, sizeof why);
    t->ok = false;
}

static bool whole(const json_t *object, const char *key, int64_t *value)
{
    const json_t *v = json_object_get(object, key);
    if (!json_is_integer(v))
        return false;
    *value = json_integer_value(v);
    return true;
}

/* A number, perhaps with a fraction, or null. */
static bool time_or_null(const json_t *object, const char *key, uint64_t *ns)
{
    const json_t *v = json_object_get(object, key);
    *ns = SB_FAILOVER_NONE;
    if (json_is_null(v))
        return true;
    const double value = json_number_value(v);
    if (!json_is_number(v) || value < 0 || value > 1e18)
        return false;
    *ns = (uint64_t)value;
    return true;
}

/* The echo's percentiles, if this report has them. */
static void read_floor(struct sb_failover_spread *floor, const json_t *report)
{
    static const char *const points[SB_FAILOVER_POINTS] = {"p50", "p90", "p99", "p99.9", "max"};
    const json_t *echo = json_object_get(report, "floor_ns");
    struct sb_failover_spread f = {0};
    int64_t n;
    if (!whole(echo, "count", &n) || n <= 0)
        return;
    for (int p = 0; p < SB_FAILOVER_POINTS; p++)
        if (!time_or_null(echo, points[p], &f.at[p]))
            return;
    f.n = (uint64_t)n;
    *floor = f;
}

/* NULL, or what the report lacks. */
static const char *take(struct sb_failover_trial *t, const json_t *report, const char **result)
{
    static const char *const spans[SB_FAILOVER_SPANS] = {
        "fault_to_suspect_ns", "suspect_to_decide_ns", "decide_to_first_frame_ns", "client_gap_ns"};
    const json_t *takeover = json_object_get(report, "takeover");
    const json_t *equal = json_object_get(report, "digest_equal");
    *result = json_string_value(json_object_get(report, "result"));
    if (*result == NULL)
        return "result";
    if (!whole(report, "lost", &t->lost))
        return "lost";
    if (!whole(report, "conflicting", &t->conflicting))
        return "conflicting";
    if (!whole(report, "needless_takeovers", &t->needless))
        return "needless_takeovers";
    if (!json_is_boolean(equal))
        return "digest_equal";
    if (!json_is_object(takeover))
        return "takeover";
    t->states_equal = json_is_true(equal);
    for (int s = 0; s < SB_FAILOVER_SPANS; s++)
        if (!time_or_null(takeover, spans[s], &t->ns[s]))
            return spans[s];
    read_floor(&t->floor, report);
    return NULL;
}

bool sb_failover_read(struct sb_failover_trial *t, const char *path)
{
    json_error_t error;
    const char *result;
    forget(t);
    json_t *report = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    if (report == NULL) {
        sb_failover_fail(t, "no report: %s", error.text);
        return false;
    }
    const char *lacks = take(t, report, &result);
    if (lacks != NULL) {
        forget(t);
        sb_failover_fail(t, "the report has no good '%s'", lacks);
    } else {
        t->judged = true;
        t->ok = strcmp(result, "ok") == 0 && t->lost == 0 && t->conflicting == 0 && t->states_equal;
        if (strcmp(result, "ok") != 0)
            sb_failover_fail(t, "%s", result);
        else if (!t->ok)
            sb_failover_fail(t, "called ok, but lost %lld, conflicting %lld, states %s",
                             (long long)t->lost, (long long)t->conflicting,
                             t->states_equal ? "equal" : "different");
    }
    json_decref(report);
    return t->judged;
}

struct sb_failover_spread sb_failover_spread(uint64_t *ns, uint64_t n)
{
    /* needs: the least n of which a value lies beyond the share */
    static const struct {
        double share;
        uint64_t needs;
    } points[SB_FAILOVER_POINTS] = {{0.5, 2}, {0.9, 10}, {0.99, 100}, {0.999, 1000}, {1, 1}};
    struct sb_latencies l = {.ns = ns, .n = n};
    struct sb_failover_spread s = {
        .n = n, .min = SB_FAILOVER_NONE, .p25 = SB_FAILOVER_NONE, .p75 = SB_FAILOVER_NONE};
    sb_latencies_sort(&l);
    for (int p = 0; p < SB_FAILOVER_POINTS; p++)
        s.at[p] = n >= points[p].needs ? sb_latencies_at(&l, points[p].share) : SB_FAILOVER_NONE;
    if (n > 0)
        s.min = ns[0];
    if (n >= 4) {
        s.p25 = sb_latencies_at(&l, 0.25);
        s.p75 = sb_latencies_at(&l, 0.75);
    }
    return s;
}

static void add_verdict(struct sb_failover_sum *s, const struct sb_failover_trial *t)
{
    s->trials++;
    s->passed += t->ok;
    s->judged += t->judged;
    s->states_equal += t->states_equal;
    /* Below zero: it could not be counted; the trial has failed by that. */
    s->lost += t->lost > 0 ? (uint64_t)t->lost : 0;
    s->conflicting += t->conflicting > 0 ? (uint64_t)t->conflicting : 0;
    s->needless += t->needless > 0 ? (uint64_t)t->needless : 0;
}

bool sb_failover_sum(struct sb_failover_sum *s, const struct sb_failover_trial *trials, uint64_t n,
                     size_t fault)
{
    uint64_t *ns = malloc((n + 1) * sizeof *ns);
    *s = (struct sb_failover_sum){0};
    if (ns == NULL)
        return false;
    for (uint64_t i = 0; i < n; i++)
        if (trials[i].fault == fault)
            add_verdict(s, &trials[i]);
    for (int span = 0; span < SB_FAILOVER_SPANS; span++) {
        uint64_t have = 0;
        for (uint64_t i = 0; i < n; i++)
            if (trials[i].fault == fault && trials[i].ns[span] != SB_FAILOVER_NONE)
                ns[have++] = trials[i].ns[span];
        s->spans[span] = sb_failover_spread(ns, have);
    }
    free(ns);
    return true;
}

struct sb_failover_sum sb_failover_total(const struct sb_failover_trial *trials, uint64_t n)
{
    struct sb_failover_sum s = {0};
    for (uint64_t i = 0; i < n; i++)
        add_verdict(&s, &trials[i]);
    return s;
}
