#include "perf/replay_report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "perf/histogram.h"

struct ack { /* an answered row */
    uint64_t answered_ns, intended_ns;
    bool timed; /* counts for latency: an order or a cancel */
};

static int by_answer(const void *left, const void *right)
{
    const struct ack *a = left, *b = right;
    if (a->answered_ns != b->answered_ns)
        return a->answered_ns < b->answered_ns ? -1 : 1;
    return (a->intended_ns > b->intended_ns) - (a->intended_ns < b->intended_ns);
}

static int by_value(const void *left, const void *right)
{
    const uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

void sb_latencies_sort(struct sb_latencies *l)
{
    qsort(l->ns, l->n, sizeof *l->ns, by_value);
}

static struct ack *collect(const struct sb_client *c, uint64_t *n)
{
    struct ack *acks = malloc((c->plan->n + (size_t)1) * sizeof *acks);
    *n = 0;
    for (uint32_t i = 0; acks && i < c->plan->n; i++)
        if (c->rows[i].answer != 0)
            acks[(*n)++] = (struct ack){.answered_ns = c->rows[i].answered_ns,
                                        .intended_ns = c->rows[i].intended_ns,
                                        .timed = c->plan->rows[i].op != SB_PLAN_PHASE};
    if (acks)
        qsort(acks, *n, sizeof *acks, by_answer);
    return acks;
}

/* The longest time without an acknowledgement while one was due, overall and after the fault. */
static void find_gaps(struct sb_replay_report *r, const struct ack *acks, uint64_t n)
{
    uint64_t last = r->client->start_ns;
    for (uint64_t i = 0; i < n; i++) {
        const uint64_t began = acks[i].intended_ns > last ? acks[i].intended_ns : last;
        const uint64_t gap = acks[i].answered_ns > began ? acks[i].answered_ns - began : 0;
        if (gap > r->gap_ns) {
            r->gap_ns = gap;
            r->gap_began_ns = began;
        }
        if (r->fault_ns != 0 && acks[i].answered_ns > r->fault_ns && gap > r->fault_gap_ns) {
            r->fault_gap_ns = gap;
            r->fault_end_ns = acks[i].answered_ns;
        }
        last = acks[i].answered_ns;
    }
}

static enum sb_fault_part part_of(const struct sb_replay_report *r, const struct ack *ack)
{
    if (r->fault_ns == 0 || ack->answered_ns <= r->fault_ns)
        return SB_FAULT_BEFORE;
    return ack->answered_ns <= r->fault_end_ns ? SB_FAULT_DURING : SB_FAULT_AFTER;
}

static bool collect_latencies(struct sb_replay_report *r, const struct ack *acks, uint64_t n)
{
    for (int part = 0; part < SB_FAULT_PARTS; part++) {
        struct sb_latencies *l = &r->latencies[part];
        l->ns = malloc((n + 1) * sizeof *l->ns);
        if (!l->ns)
            return false;
        for (uint64_t i = 0; i < n; i++)
            if (acks[i].timed && part_of(r, &acks[i]) == (enum sb_fault_part)part)
                l->ns[l->n++] = acks[i].answered_ns > acks[i].intended_ns
                                    ? acks[i].answered_ns - acks[i].intended_ns
                                    : 0;
        sb_latencies_sort(l);
    }
    return true;
}

uint64_t sb_latencies_at(const struct sb_latencies *l, double share)
{
    if (l->n == 0)
        return 0;
    const double rank = share * (double)l->n;
    uint64_t i = (uint64_t)rank;
    if ((double)i < rank)
        i++;
    return l->ns[(i > 0 ? i : 1) - 1];
}

static void count_streams(struct sb_replay_report *r)
{
    const struct sb_client *c = r->client;
    for (uint32_t s = 0; s <= c->plan->sessions_n; s++) {
        const struct sb_follow *f = s == 0 ? &c->feed : &c->sessions[s].stream;
        r->duplicates += f->counters.duplicates;
        r->conflicting += f->counters.conflicting;
        r->malformed += f->counters.malformed + f->counters.over;
        r->sessions_renamed += s > 0 && f->names_n > 1;
    }
}

static bool any_gap(const struct sb_client *c)
{
    bool gap = sb_follow_missing(&c->feed);
    for (uint32_t s = 1; s <= c->plan->sessions_n; s++)
        gap = gap || sb_follow_missing(&c->sessions[s].stream);
    return gap;
}

/* The first thing that is not as it must be, worst first. */
static void judge(struct sb_replay_report *r, bool interrupted)
{
    const struct sb_client *c = r->client;
    const struct sb_verify *v = r->verify;
    char *to = r->result;
    const size_t size = sizeof r->result;
    if (r->conflicting > 0)
        snprintf(to, size, "%" PRIu64 " messages came again with other bytes", r->conflicting);
    else if (c->state == SB_CLIENT_SESSION_IN_USE)
        snprintf(to, size,
                 "a session was used before today: the replay needs sessions without messages");
    else if (interrupted)
        snprintf(to, size, "interrupted");
    else if (c->state == SB_CLIENT_NO_SERVICE)
        snprintf(to, size, "no service");
    else if (c->state != SB_CLIENT_DONE)
        snprintf(to, size, "not finished");
    else if (c->feed.names_n > 1 || r->sessions_renamed > 0)
        snprintf(to, size, "a stream changed its name");
    else if (any_gap(c))
        snprintf(to, size, "a gap in a stream was never filled");
    else if (!v->trades_equal || v->half_trades > 0)
        snprintf(to, size, "trades differ: %s", v->trades_difference);
    else if (!v->sessions_equal || !v->feed_equal)
        snprintf(to, size, "streams differ: %s", v->sessions_difference);
    else if (!v->books_equal)
        snprintf(to, size, "books differ: %s", v->books_difference);
    else if (c->counters.answer_errors > 0)
        snprintf(to, size, "an answer that fits nothing: %s", c->first_error);
    else if (c->book.errors > 0)
        snprintf(to, size, "%s", c->book.first_error);
    else if (r->malformed > 0)
        snprintf(to, size, "%" PRIu64 " packets or messages of streams cannot be true",
                 r->malformed);
    else
        snprintf(to, size, "ok");
}

bool sb_replay_report_make(struct sb_replay_report *r, const struct sb_client *client,
                           const struct sb_verify *verify, bool trades_given,
                           uint64_t trades_expected, uint64_t fault_ns, bool interrupted)
{
    *r = (struct sb_replay_report){.client = client,
                                   .verify = verify,
                                   .trades_given = trades_given,
                                   .trades_expected = trades_expected,
                                   .fault_ns = fault_ns};
    uint64_t n;
    struct ack *acks = collect(client, &n);
    if (!acks)
        return false;
    find_gaps(r, acks, n);
    const bool ok = collect_latencies(r, acks, n);
    if (n > 0 && acks[n - 1].answered_ns > client->start_ns)
        r->wall_ns = acks[n - 1].answered_ns - client->start_ns;
    free(acks);
    count_streams(r);
    judge(r, interrupted);
    return ok;
}

void sb_replay_report_free(struct sb_replay_report *r)
{
    for (int part = 0; part < SB_FAULT_PARTS; part++)
        free(r->latencies[part].ns);
}

static const char *const PART_NAMES[SB_FAULT_PARTS] = {"before", "during", "after"};
static const struct {
    const char *name;
    double share;
} SHARES[] = {{"p50", 0.5},     {"p90", 0.9},       {"p99", 0.99},
              {"p99.9", 0.999}, {"p99.99", 0.9999}, {"max", 1.0}};
enum { SHARES_N = sizeof SHARES / sizeof *SHARES };

static void json_text(FILE *out, const char *name, const char *text)
{
    fprintf(out, "  \"%s\": \"", name);
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            fputc('\\', out);
        fputc((unsigned char)*text < ' ' ? ' ' : *text, out);
    }
    fprintf(out, "\",\n");
}

static void json_number(FILE *out, const char *name, uint64_t value)
{
    fprintf(out, "  \"%s\": %" PRIu64 ",\n", name, value);
}

static void json_bool(FILE *out, const char *name, bool value)
{
    fprintf(out, "  \"%s\": %s,\n", name, value ? "true" : "false");
}

static void json_latencies(const struct sb_replay_report *r, FILE *out)
{
    fprintf(out, "  \"latency_ns\": {\n");
    for (int part = 0; part < SB_FAULT_PARTS; part++) {
        const struct sb_latencies *l = &r->latencies[part];
        fprintf(out, "    \"%s\": {\"count\": %" PRIu64, PART_NAMES[part], l->n);
        for (int i = 0; i < SHARES_N; i++)
            fprintf(out, ", \"%s\": %" PRIu64, SHARES[i].name, sb_latencies_at(l, SHARES[i].share));
        fprintf(out, "}%s\n", part + 1 < SB_FAULT_PARTS ? "," : "");
    }
    fprintf(out, "  },\n");
}

static double messages_per_s(const struct sb_replay_report *r)
{
    return r->wall_ns > 0 ? (double)r->client->plan->n * 1e9 / (double)r->wall_ns : 0;
}

static void json_checks(const struct sb_replay_report *r, FILE *out)
{
    const struct sb_client *c = r->client;
    const struct sb_verify *v = r->verify;
    char name[SB_MOLD_NAME_BYTES + 1] = "";
    memcpy(name, c->feed.name, SB_MOLD_NAME_BYTES);
    json_number(out, "trades", v->seen.n);
    json_number(out, "trades_expected", r->trades_expected);
    json_bool(out, "trades_equal", v->trades_equal);
    json_text(out, "expected_source", r->trades_given ? "given" : "reference");
    json_bool(out, "sessions_equal", v->sessions_equal);
    json_bool(out, "feed_equal", v->feed_equal);
    json_bool(out, "books_equal", v->books_equal);
    json_number(out, "open_orders", c->book.open);
    json_number(out, "missing", v->missing);
    json_number(out, "half_trades", v->half_trades);
    json_number(out, "timers", v->timers);
    json_number(out, "answer_errors", c->counters.answer_errors);
    json_number(out, "conflicting", r->conflicting);
    json_number(out, "feed_gaps", c->feed.gap_open);
    json_number(out, "feed_gaps_repaired", c->feed.counters.gaps_repaired);
    json_text(out, "feed_session", name);
    json_number(out, "feed_sessions", c->feed.names_n);
    json_number(out, "sessions_renamed", r->sessions_renamed);
    json_number(out, "feed_messages", c->feed.counters.messages);
    json_number(out, "itch_errors", c->book.errors);
}

void sb_replay_report_json(const struct sb_replay_report *r, FILE *out)
{
    const struct sb_client *c = r->client;
    const struct sb_verify *v = r->verify;
    fprintf(out, "{\n");
    json_text(out, "result", r->result);
    json_number(out, "events", c->plan->n);
    json_number(out, "acknowledged", c->counters.acknowledged);
    json_number(out, "rejected", c->counters.rejected);
    json_number(out, "superfluous", v->superfluous);
    json_number(out, "sent", c->counters.sent);
    json_number(out, "resent", c->counters.resent);
    json_number(out, "duplicates", r->duplicates);
    json_checks(r, out);
    json_number(out, "client_gap_ns", r->gap_ns);
    json_number(out, "client_gap_began_ns", r->gap_began_ns);
    if (r->fault_ns != 0)
        fprintf(out,
                "  \"fault\": {\"at_ns\": %" PRIu64 ", \"gap_ns\": %" PRIu64
                ", \"first_ack_ns\": %" PRIu64 "},\n",
                r->fault_ns, r->fault_gap_ns, r->fault_end_ns);
    json_latencies(r, out);
    json_bool(out, "latency_from_schedule", c->options.speed > 0);
    if (c->options.speed > 0)
        fprintf(out, "  \"speed\": %g,\n", c->options.speed);
    else
        json_text(out, "speed", "max");
    json_number(out, "sessions", c->plan->sessions_n);
    json_number(out, "window", c->options.window);
    json_number(out, "start_ns", c->start_ns);
    json_number(out, "wall_ns", r->wall_ns);
    fprintf(out, "  \"messages_per_s\": %.0f\n}\n", messages_per_s(r));
}

static const char *yes(bool value)
{
    return value ? "equal" : "DIFFERENT";
}

void sb_replay_report_print(const struct sb_replay_report *r, FILE *out)
{
    const struct sb_client *c = r->client;
    const struct sb_verify *v = r->verify;
    fprintf(out,
            "replay: %" PRIu32 " messages on %" PRIu32 " sessions in %.3f s (%.0f/s): %" PRIu64
            " acknowledged, %" PRIu64 " rejected, %" PRIu64 " superfluous, %" PRIu64 " missing\n",
            c->plan->n, c->plan->sessions_n, (double)r->wall_ns / 1e9, messages_per_s(r),
            c->counters.acknowledged, c->counters.rejected, v->superfluous, v->missing);
    fprintf(out,
            "trades %" PRIu64 " (expected %" PRIu64
            " by %s): %s; session streams %s, feed %s, books "
            "%s\n",
            v->seen.n, r->trades_expected, r->trades_given ? "file" : "reference",
            yes(v->trades_equal), yes(v->sessions_equal), yes(v->feed_equal), yes(v->books_equal));
    fprintf(out,
            "resent %" PRIu64 ", duplicates %" PRIu64 ", conflicting %" PRIu64
            ", feed gaps repaired %" PRIu64 ", longest time without acknowledgement %.3f ms\n",
            c->counters.resent, r->duplicates, r->conflicting, c->feed.counters.gaps_repaired,
            (double)r->gap_ns / 1e6);
    fprintf(out, "latency in us, from %s:\n",
            c->options.speed > 0
                ? "the intended send time"
                : "the moment the window let a message go (no pace was asked for)");
    for (int part = 0; part < SB_FAULT_PARTS; part++) {
        const struct sb_latencies *l = &r->latencies[part];
        if (l->n == 0)
            continue;
        fprintf(out, "  %-6s n %-8" PRIu64, PART_NAMES[part], l->n);
        for (int i = 0; i < SHARES_N; i++)
            fprintf(out, "  %s %.1f", SHARES[i].name,
                    (double)sb_latencies_at(l, SHARES[i].share) / 1e3);
        fprintf(out, "\n");
    }
    fprintf(out, "result: %s\n", r->result);
}

void sb_replay_report_hgrm(const struct sb_replay_report *r, FILE *out)
{
    struct sb_histogram *all = malloc(sizeof *all);
    if (!all) {
        fprintf(stderr, "replay: no memory for a histogram\n");
        return;
    }
    sb_histogram_reset(all);
    for (int part = 0; part < SB_FAULT_PARTS; part++)
        for (uint64_t i = 0; i < r->latencies[part].n; i++)
            sb_histogram_record(all, r->latencies[part].ns[i]);
    sb_histogram_write_hgrm(all, out, 5, 1000); /* the caller looks at ferror() */
    free(all);
}

void sb_replay_report_acks(const struct sb_replay_report *r, FILE *out)
{
    const struct sb_client *c = r->client;
    fprintf(out, "session,message_seq,key,kind,timestamp,intended_ns,answered_ns\n");
    for (uint32_t i = 0; i < c->plan->n; i++) {
        const struct sb_plan_row *row = &c->plan->rows[i];
        if (c->rows[i].answer != 0)
            fprintf(out,
                    "%" PRIu32 ",%" PRIu32 ",%" PRIu32 ",%c,%" PRIu64 ",%" PRIu64 ",%" PRIu64 "\n",
                    row->session, row->seq, row->key, row->op, c->rows[i].timestamp,
                    c->rows[i].intended_ns, c->rows[i].answered_ns);
    }
}

void sb_replay_report_trades(const struct sb_replay_report *r, FILE *out)
{
    fprintf(out, "buy_order_id,sell_order_id,price,quantity,aggressor\n");
    for (uint64_t i = 0; i < r->verify->seen.n; i++) {
        const struct sb_verify_trade *t = &r->verify->seen.at[i];
        const char *aggressor = t->aggressor == 'b' ? "buy" : "sell";
        if (t->aggressor == 'a')
            aggressor = "auction";
        fprintf(out, "%" PRIu64 ",%" PRIu64 ",%" PRId64 ",%" PRIu64 ",%s\n", t->buy_order_id,
                t->sell_order_id, t->price, t->quantity, aggressor);
    }
}
