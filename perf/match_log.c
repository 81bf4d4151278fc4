#include "perf/match_log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "perf/log_run.h"

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
    struct sb_log_run log;
    struct session_taken *sessions;
    uint32_t sessions_max;
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

static bool start(struct run *r, FILE *err)
{
    r->sessions_max = r->log.log.limits.sessions_max;
    r->sessions = calloc(r->sessions_max + 1u, sizeof *r->sessions);
    if (r->sessions == NULL)
        fprintf(err, "out of memory\n");
    return r->sessions != NULL;
}

static void stop(struct run *r)
{
    for (uint32_t i = 0; r->sessions != NULL && i <= r->sessions_max; i++)
        free(r->sessions[i].messages);
    free(r->sessions);
}

static bool apply_all(struct run *r, struct sb_match_log_result *out, FILE *err)
{
    int more;
    while ((more = sb_log_run_next(&r->log, err)) == 1) {
        const struct sb_command *c = r->log.c;
        /* Behind a snapshot nothing is known of the messages before it. */
        const char *wrong = out->snapshot_n == 0 ? remember(r, c) : NULL;
        if (wrong != NULL) {
            fprintf(err, "%s: input %" PRIu64 ": %s\n", r->log.log.path, c->seq, wrong);
            return false;
        }
        out->inputs++;
        out->outputs += r->log.out_n;
    }
    if (more < 0)
        return false;
    const struct sb_engine *e = r->log.m.engine;
    out->packets = r->log.packets;
    out->packets_different = r->log.packets_different;
    out->digest = sb_engine_digest(e);
    out->state_digest = sb_engine_state_digest(e);
    out->closed = sb_log_source_closed(&r->log.log, &out->state_digest_logged);
    out->trades = sb_engine_stats(e)->trades;
    if (!out->closed)
        sb_log_source_say_end(&r->log.log, err);
    return true;
}

/* Lines `session,message_seq,key,kind,timestamp`, and what is of no matter here; the first is the heading. */
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
    const uint64_t midnight_ns = sb_engine_day(r->log.m.engine)->midnight_ns;
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
        if (t == NULL || t->key != key || t->time_ns - midnight_ns != timestamp) {
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

bool sb_match_log_run(const char *path, const char *acks, bool whole,
                      struct sb_match_log_result *out, FILE *err)
{
    memset(out, 0, sizeof *out);
    struct run *r = calloc(1, sizeof *r);
    bool good = false;
    if (r != NULL && sb_log_run_open(&r->log, path, whole || acks != NULL ? 0 : UINT64_MAX, err)) {
        out->snapshot_n = sb_log_run_snapshot_n(&r->log);
        good = start(r, err) && apply_all(r, out, err) &&
               (acks == NULL || compare_acks(r, acks, out, err));
        stop(r);
        sb_log_run_close(&r->log);
    }
    free(r);
    return good;
}

int sb_match_log_main(const char *path, const char *acks, bool whole, bool json)
{
    struct sb_match_log_result r;
    if (!sb_match_log_run(path, acks, whole, &r, stderr))
        return 1;
    const bool equal =
        r.packets_different == 0 && (!r.closed || r.state_digest == r.state_digest_logged);
    if (!json && r.snapshot_n != 0)
        printf("begins with the snapshot behind input %" PRIu64 ": what led to it is not replayed "
               "(--whole does that)\n",
               r.snapshot_n);
    if (json)
        printf("{\"snapshot\": %" PRIu64 ", \"inputs\": %" PRIu64 ", \"packets\": %" PRIu64
               ", \"outputs\": %" PRIu64 ", \"trades\": %" PRIu64
               ", \"packets_different\": %" PRIu64 ", \"digest\": \"%016" PRIx64
               "\", \"state_digest\": \"%016" PRIx64 "\", \"state_digest_logged\": \"%016" PRIx64
               "\", \"closed\": %s, \"digest_equal\": %s, \"acknowledged\": %" PRIu64
               ", \"lost\": %" PRIu64 "}\n",
               r.snapshot_n, r.inputs, r.packets, r.outputs, r.trades, r.packets_different,
               r.digest, r.state_digest, r.state_digest_logged, r.closed ? "true" : "false",
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
