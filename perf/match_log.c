#include "perf/match_log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "perf/log_source.h"

/* What the log holds of one numbered client message. */
struct taken {
    uint64_t time_ns;
    uint32_t key;
};

struct session_taken {
    struct taken *messages; /* [number - 1] */
    uint64_t n, cap;
};

struct run {
    struct sb_engine *engine;
    void *memory;
    struct sb_outbox box;
    struct session_taken *sessions;
    uint32_t sessions_max;
    uint64_t midnight_ns;
};

/* NULL, or what is wrong. */
static const char *remember(struct run *r, const struct sb_command *c)
{
    if (c->session == 0 || c->session > r->sessions_max || c->session_seq == 0)
        return NULL;
    struct session_taken *s = &r->sessions[c->session];
    if (c->session_seq != s->n + 1)
        return "its session's messages are not numbered without a hole";
    if (s->n == s->cap) {
        const uint64_t cap = s->cap == 0 ? 1024 : 2 * s->cap;
        struct taken *grown = realloc(s->messages, cap * sizeof *grown);
        if (grown == NULL)
            return "no memory to remember it";
        s->messages = grown;
        s->cap = cap;
    }
    s->messages[s->n++] = (struct taken){.time_ns = c->time_ns, .key = c->key};
    return NULL;
}

static bool start(struct run *r, const struct sb_engine_limits *limits)
{
    const size_t bytes = (sb_engine_footprint(limits) + 63) & ~(size_t)63;
    const uint32_t cap = sb_engine_outputs_max(limits, SB_STREAM_LINES_MAX);
    r->memory = aligned_alloc(64, bytes);
    r->box = (struct sb_outbox){.out = calloc(cap, sizeof *r->box.out), .cap = cap};
    r->sessions_max = limits->sessions_max;
    r->sessions = calloc(limits->sessions_max + 1u, sizeof *r->sessions);
    if (r->memory == NULL || r->box.out == NULL || r->sessions == NULL)
        return false;
    memset(r->memory, 0, bytes);
    r->engine = sb_engine_new(r->memory, bytes, limits);
    return true;
}

static void stop(struct run *r)
{
    for (uint32_t i = 0; r->sessions != NULL && i <= r->sessions_max; i++)
        free(r->sessions[i].messages);
    free(r->sessions);
    free(r->box.out);
    free(r->memory);
}

static bool apply_all(struct run *r, struct sb_log_source *log, struct sb_match_log_result *out,
                      FILE *err)
{
    int more;
    while ((more = sb_log_source_next(log, err)) == 1) {
        const struct sb_command *c = log->lines;
        for (uint32_t i = 0; i < log->count; i++, c += sb_command_lines(c)) {
            const char *wrong =
                c->time_ns <= sb_engine_last_time_ns(r->engine) ? "time runs back" : remember(r, c);
            if (wrong != NULL) {
                fprintf(err, "%s: input %" PRIu64 ": %s\n", log->path, c->seq, wrong);
                return false;
            }
            sb_engine_apply(r->engine, c, &r->box);
        }
        out->inputs += log->count;
        out->packets++;
        out->outputs += r->box.n;
        out->packets_different += sb_engine_seal(r->engine, &r->box) != log->digest;
    }
    out->digest = sb_engine_digest(r->engine);
    out->state_digest = sb_engine_state_digest(r->engine);
    out->closed = sb_log_source_closed(log, &out->state_digest_logged);
    out->trades = sb_engine_stats(r->engine)->trades;
    if (more == 0 && !out->closed)
        sb_log_source_say_end(log, err);
    r->midnight_ns = sb_engine_day(r->engine)->midnight_ns;
    return more == 0;
}

/* Lines `session,message_seq,key,kind,timestamp`; the first is the heading. */
static bool compare_acks(const struct run *r, const char *path, struct sb_match_log_result *out,
                         FILE *err)
{
    FILE *f = fopen(path, "r");
    if (f == NULL) {
        fprintf(err, "%s: cannot open: %s\n", path, strerror(errno));
        return false;
    }
    char line[256];
    uint64_t number = 0;
    bool good = true;
    while (good && fgets(line, sizeof line, f) != NULL) {
        if (number++ == 0)
            continue;
        uint32_t session, key;
        uint64_t seq, timestamp;
        char kind;
        if (sscanf(line, "%" SCNu32 ",%" SCNu64 ",%" SCNu32 ",%c,%" SCNu64, &session, &seq, &key,
                   &kind, &timestamp) != 5) {
            fprintf(err, "%s:%" PRIu64 ": not session,message_seq,key,kind,timestamp\n", path,
                    number);
            good = false;
            break;
        }
        out->acknowledged++;
        const bool present =
            session != 0 && session <= r->sessions_max && seq != 0 && seq <= r->sessions[session].n;
        const struct taken *t = present ? &r->sessions[session].messages[seq - 1] : NULL;
        if (t == NULL || t->key != key || t->time_ns - r->midnight_ns != timestamp) {
            if (out->lost++ == 0)
                fprintf(err, "%s:%" PRIu64 ": acknowledged, but %s in the log: %s", path, number,
                        t == NULL ? "not" : "different", line);
        }
    }
    if (ferror(f) != 0) {
        fprintf(err, "%s: cannot read\n", path);
        good = false;
    }
    fclose(f);
    return good;
}

bool sb_match_log_run(const char *path, const char *acks, struct sb_match_log_result *out,
                      FILE *err)
{
    memset(out, 0, sizeof *out);
    struct sb_log_source *log = calloc(1, sizeof *log);
    struct run r = {0};
    bool good = false;
    if (log != NULL && sb_log_source_open(log, path, err)) {
        const bool begun = sb_log_source_begin(log, err) && sb_log_source_whole(log, err);
        if (begun && !start(&r, &log->limits))
            fprintf(err, "out of memory\n");
        else if (begun)
            good =
                apply_all(&r, log, out, err) && (acks == NULL || compare_acks(&r, acks, out, err));
        stop(&r);
        sb_log_source_close(log);
    }
    free(log);
    return good;
}

int sb_match_log_main(const char *path, const char *acks, bool json)
{
    struct sb_match_log_result r;
    if (!sb_match_log_run(path, acks, &r, stderr))
        return 1;
    const bool equal =
        r.packets_different == 0 && (!r.closed || r.state_digest == r.state_digest_logged);
    if (json)
        printf("{\"inputs\": %" PRIu64 ", \"packets\": %" PRIu64 ", \"outputs\": %" PRIu64
               ", \"trades\": %" PRIu64 ", \"packets_different\": %" PRIu64
               ", \"digest\": \"%016" PRIx64 "\", \"state_digest\": \"%016" PRIx64
               "\", \"state_digest_logged\": \"%016" PRIx64
               "\", \"closed\": %s, \"digest_equal\": %s, \"acknowledged\": %" PRIu64
               ", \"lost\": %" PRIu64 "}\n",
               r.inputs, r.packets, r.outputs, r.trades, r.packets_different, r.digest,
               r.state_digest, r.state_digest_logged, r.closed ? "true" : "false",
               equal ? "true" : "false", r.acknowledged, r.lost);
    else
        printf("inputs %" PRIu64 " in %" PRIu64 " packets, outputs %" PRIu64 ", trades %" PRIu64
               "\npacket digests different: %" PRIu64 "\nstate digest %016" PRIx64
               ", logged %016" PRIx64 ": %s\nacknowledged %" PRIu64 ", lost %" PRIu64 "\n",
               r.inputs, r.packets, r.outputs, r.trades, r.packets_different, r.state_digest,
               r.state_digest_logged,
               !r.closed ? "none, not closed"
               : equal   ? "equal"
                         : "DIFFERENT",
               r.acknowledged, r.lost);
    return equal && r.lost == 0 ? 0 : 1;
}
