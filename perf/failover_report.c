#include "perf/failover_report.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "perf/verbs.h"

struct sb_failover_text sb_failover_time(uint64_t ns)
{
    static const char *const units[] = {"us", "ms", "s"};
    struct sb_failover_text t;
    if (ns == SB_FAILOVER_NONE) {
        snprintf(t.text, sizeof t.text, "-");
    } else if (ns < 1000) {
        snprintf(t.text, sizeof t.text, "%" PRIu64 " ns", ns);
    } else {
        double value = (double)ns / 1e3;
        size_t unit = 0;
        for (; unit < 2 && value >= 999.5; unit++)
            value /= 1e3;
        const int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
        snprintf(t.text, sizeof t.text, "%.*f %s", decimals, value, units[unit]);
    }
    return t;
}

static void put_points(FILE *out, const struct sb_failover_spread *s)
{
    fprintf(out, "%7" PRIu64, s->n);
    for (int p = 0; p < SB_FAILOVER_POINTS; p++)
        fprintf(out, "  %8s", sb_failover_time(s->at[p]).text);
    fputc('\n', out);
}

static void put_verdict(FILE *out, const struct sb_failover_sum *s)
{
    fprintf(out,
            "%" PRIu64 " of %" PRIu64 " passed; lost %" PRIu64 ", conflicting %" PRIu64
            ", needless takeovers %" PRIu64 ", states equal %" PRIu64 " of %" PRIu64 "\n",
            s->passed, s->trials, s->lost, s->conflicting, s->needless, s->states_equal, s->trials);
}

static void put_fault(FILE *out, const char *name, const struct sb_failover_sum *s)
{
    static const char *const spans[SB_FAILOVER_SPANS] = {"detection", "decision", "switch",
                                                         "client gap"};
    fprintf(out, "\n%-16s ", name);
    put_verdict(out, s);
    for (int span = 0; span < SB_FAILOVER_SPANS; span++) {
        if (s->spans[span].n == 0)
            continue;
        fprintf(out, "  %-14s ", spans[span]);
        put_points(out, &s->spans[span]);
    }
}

static void put_failures(FILE *out, const struct sb_failover_results *r)
{
    for (uint64_t i = 0; i < r->trials_n; i++) {
        const struct sb_failover_trial *t = &r->trials[i];
        struct sb_failover_command c;
        if (t->ok)
            continue;
        fprintf(out,
                "\ntrial %" PRIu64 ", %s at %u %%, failed: %s\n  kept    %s/trial-%" PRIu64
                "\n  repeat  SHADOWBOOK_BIN=%s ",
                t->number, r->options->faults[t->fault], t->at_percent, t->why, r->folder,
                t->number, r->executable);
        if (sb_failover_command(&c, r->options, t, r->run, NULL))
            sb_failover_command_print(&c, out);
        fputc('\n', out);
    }
}

bool sb_failover_table(const struct sb_failover_results *r, FILE *out)
{
    const struct sb_failover_sum total = sb_failover_total(r->trials, r->trials_n);
    fprintf(out, "%" PRIu64 " x %s, Linux %s", r->cores, r->cpu, r->kernel);
    if (r->takeover_after_ns > 0)
        fprintf(out, "; suspicion after %s of silence, takeover after %s",
                sb_failover_time(r->suspect_after_ns).text,
                sb_failover_time(r->takeover_after_ns).text);
    fprintf(out, "\n\n%-16s %7s  %8s  %8s  %8s  %8s  %8s\n", "", "n", "p50", "p90", "p99", "p99.9",
            "max");
    for (size_t f = 0; f < r->options->faults_n; f++) {
        struct sb_failover_sum s;
        if (!sb_failover_sum(&s, r->trials, r->trials_n, f))
            return false;
        if (s.trials > 0)
            put_fault(out, r->options->faults[f], &s);
    }
    if (r->floor.n > 0) {
        fprintf(
            out,
            "\nfloor: the bare echo over the same ports, as the first trial measured it\n  %-14s ",
            "round trip");
        put_points(out, &r->floor);
    }
    fputs("\n-: fewer values than the percentile takes (10 for p90, 100 for p99, 1000 for p99.9)\n",
          out);
    put_failures(out, r);
    fputc('\n', out);
    if (r->trials_n < r->options->trials)
        fprintf(out, "stopped after %" PRIu64 " of %" PRIu64 " trials: ", r->trials_n,
                r->options->trials);
    put_verdict(out, &total);
    return fflush(out) == 0 && !ferror(out);
}

/* --- JSON ------------------------------------------------------------------------------------------------- */

static json_t *text_json(const char *text)
{
    json_t *j = json_string(text);
    return j != NULL ? j : json_string("(not UTF-8)");
}

static json_t *number_or_null(uint64_t value)
{
    return value == SB_FAILOVER_NONE ? json_null() : json_integer((json_int_t)value);
}

static json_t *spread_json(const struct sb_failover_spread *s)
{
    return json_pack("{s:I,s:o,s:o,s:o,s:o,s:o,s:o}", "n", (json_int_t)s->n, "min",
                     number_or_null(s->min), "p50", number_or_null(s->at[SB_FAILOVER_P50]), "p90",
                     number_or_null(s->at[SB_FAILOVER_P90]), "p99",
                     number_or_null(s->at[SB_FAILOVER_P99]), "p99.9",
                     number_or_null(s->at[SB_FAILOVER_P999]), "max",
                     number_or_null(s->at[SB_FAILOVER_MAX]));
}

static json_t *trial_json(const struct sb_failover_trial *t)
{
    json_t *j = json_pack("{s:I,s:i,s:I,s:b,s:s}", "trial", (json_int_t)t->number, "at_percent",
                          (int)t->at_percent, "flow_seed", (json_int_t)t->flow_seed, "judged",
                          t->judged, "result", t->ok ? "ok" : t->why);
    json_t *rest =
        t->judged ? json_pack("{s:o,s:o,s:o,s:o,s:I,s:I,s:I,s:b}", "detection_ns",
                              number_or_null(t->ns[SB_FAILOVER_DETECTION]), "decision_ns",
                              number_or_null(t->ns[SB_FAILOVER_DECISION]), "switch_ns",
                              number_or_null(t->ns[SB_FAILOVER_SWITCH]), "client_gap_ns",
                              number_or_null(t->ns[SB_FAILOVER_GAP]), "lost", (json_int_t)t->lost,
                              "conflicting", (json_int_t)t->conflicting, "needless_takeovers",
                              (json_int_t)t->needless, "states_equal", t->states_equal)
                  : json_object();
    if (json_object_update_new(j, rest) == 0)
        return j;
    json_decref(j);
    return NULL;
}

static void add_verdict(json_t *j, const struct sb_failover_sum *s)
{
    json_object_update_new(
        j, json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "trials", (json_int_t)s->trials, "passed",
                     (json_int_t)s->passed, "judged", (json_int_t)s->judged, "states_equal",
                     (json_int_t)s->states_equal, "lost", (json_int_t)s->lost, "conflicting",
                     (json_int_t)s->conflicting, "needless_takeovers", (json_int_t)s->needless));
}

static json_t *fault_json(const struct sb_failover_results *r, size_t fault)
{
    struct sb_failover_sum s;
    if (!sb_failover_sum(&s, r->trials, r->trials_n, fault))
        return NULL;
    json_t *trials = json_array();
    for (uint64_t i = 0; i < r->trials_n; i++)
        if (r->trials[i].fault == fault)
            json_array_append_new(trials, trial_json(&r->trials[i]));
    json_t *j = json_pack("{s:s}", "fault", r->options->faults[fault]);
    add_verdict(j, &s);
    json_object_update_new(j, json_pack("{s:o,s:o,s:o,s:o,s:o}", "detection_ns",
                                        spread_json(&s.spans[SB_FAILOVER_DETECTION]), "decision_ns",
                                        spread_json(&s.spans[SB_FAILOVER_DECISION]), "switch_ns",
                                        spread_json(&s.spans[SB_FAILOVER_SWITCH]), "client_gap_ns",
                                        spread_json(&s.spans[SB_FAILOVER_GAP]), "each", trials));
    return j;
}

bool sb_failover_json(const struct sb_failover_results *r, FILE *out)
{
    const struct sb_failover_sum total = sb_failover_total(r->trials, r->trials_n);
    json_t *command = json_array(), *faults = json_array();
    for (int i = 0; i < r->argc; i++)
        json_array_append_new(command, text_json(r->argv[i]));
    bool good = true;
    for (size_t f = 0; f < r->options->faults_n; f++)
        good = json_array_append_new(faults, fault_json(r, f)) == 0 && good;
    json_t *j = json_pack("{s:s,s:o,s:s,s:I,s:I,s:b,s:{s:I,s:s,s:s},s:{s:I,s:I},s:o}", "version",
                          SB_VERSION, "command", command, "started_at", r->started_at, "seed",
                          (json_int_t)r->options->seed, "trials_asked",
                          (json_int_t)r->options->trials, "interrupted", r->interrupted, "machine",
                          "cores", (json_int_t)r->cores, "cpu", r->cpu, "kernel", r->kernel,
                          "thresholds_ns", "suspect_after", (json_int_t)r->suspect_after_ns,
                          "takeover_after", (json_int_t)r->takeover_after_ns, "floor_ns",
                          r->floor.n > 0 ? spread_json(&r->floor) : json_null());
    add_verdict(j, &total);
    good = json_object_set_new(j, "faults", faults) == 0 && good;
    good = good && json_dumpf(j, out, JSON_INDENT(1)) == 0 && fputc('\n', out) != EOF;
    json_decref(j);
    return good && fflush(out) == 0 && !ferror(out);
}
