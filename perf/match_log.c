#include "perf/match_log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "perf/match.h"
#include "replica/log_file.h"
#include "replica/recovery.h"

/* Packets of a log file or of a journal. */
struct source {
    const char *path;
    bool is_journal;
    struct sb_log_reader file;
    struct sb_recovery journal;
    /* the packet that was read last */
    const struct sb_command *lines;
    uint64_t digest;
    uint32_t count;
};

static bool source_open(struct source *s, const char *path, bool whole, FILE *err)
{
    s->path = path;
    s->is_journal = sb_journal_is_folder(path);
    if (!s->is_journal)
        return sb_log_reader_open(&s->file, path, err);
    const enum sb_recovery_opened opened = sb_recovery_open(&s->journal, path, whole, err);
    if (opened == SB_RECOVERY_NOTHING)
        fprintf(err, "%s: no segment is there that holds anything\n", path);
    if (opened != SB_RECOVERY_READY)
        sb_recovery_close(&s->journal);
    return opened == SB_RECOVERY_READY;
}

static void source_close(struct source *s)
{
    if (s->is_journal)
        sb_recovery_close(&s->journal);
    else
        sb_log_reader_close(&s->file);
}

/* The journal's next packet. What it ends with is said on err, where it is not an orderly stop. */
static int journal_next(struct source *s, FILE *err)
{
    const struct sb_journal_packet *p;
    struct sb_recovery *r = &s->journal;
    const int more = sb_recovery_packet(r, &p, &s->lines, err);
    if (more == 0 && r->found != SB_FOUND_CLOSED)
        sb_recovery_say_end(r, err);
    if (more != 1)
        return r->found == SB_FOUND_DAMAGED ? -1 : more;
    s->digest = p->digest;
    s->count = p->count;
    return 1;
}

/* 1: the next packet; 0: the end; -1: damaged (said on err). */
static int source_next(struct source *s, FILE *err)
{
    if (s->is_journal)
        return journal_next(s, err);
    const int more = sb_log_reader_next(&s->file, err);
    s->lines = s->file.lines;
    s->digest = s->file.packet.digest;
    s->count = s->file.packet.count;
    return more;
}

/* Full-state digest that stands at the end: 0 if the journal was not closed. */
static bool source_state_digest(const struct source *s, uint64_t *digest)
{
    const struct sb_journal_record *end = s->is_journal ? sb_recovery_closed(&s->journal) : NULL;
    *digest = !s->is_journal ? s->file.state_digest : end != NULL ? end->state_digest : 0;
    return !s->is_journal || end != NULL;
}

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
    struct sb_match_engine engine;
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

/* An engine as the log has it at its beginning: new, or from the snapshot. */
static bool start(struct run *r, const struct source *s, FILE *err)
{
    const struct sb_engine_limits *limits =
        s->is_journal ? &s->journal.limits : &s->file.head.limits;
    r->sessions_max = limits->sessions_max;
    r->sessions = calloc(limits->sessions_max + 1u, sizeof *r->sessions);
    if (r->sessions == NULL || !sb_match_engine_open(&r->engine, limits)) {
        fprintf(err, "out of memory\n");
        return false;
    }
    if (!s->is_journal || s->journal.snapshot.bytes == NULL)
        return true;
    const char *wrong = sb_snapshot_load(&s->journal.snapshot, r->engine.engine);
    if (wrong != NULL)
        fprintf(err, "%s: snapshot of input %" PRIu64 ": %s\n", s->path, s->journal.snapshot.head.n,
                wrong);
    return wrong == NULL;
}

static void stop(struct run *r)
{
    for (uint32_t i = 0; r->sessions != NULL && i <= r->sessions_max; i++)
        free(r->sessions[i].messages);
    free(r->sessions);
    sb_match_engine_close(&r->engine);
}

static bool refuse(const struct source *log, uint64_t n, const char *wrong, FILE *err)
{
    if (wrong != NULL)
        fprintf(err, "%s: input %" PRIu64 ": %s\n", log->path, n, wrong);
    return wrong != NULL;
}

static bool apply_packet(struct run *r, const struct source *log, struct sb_match_log_result *out,
                         FILE *err)
{
    uint32_t outputs = 0;
    const struct sb_command *c = log->lines;
    /* Behind a snapshot nothing is known of the messages before it. */
    for (uint32_t i = 0; out->snapshot_n == 0 && i < log->count; i++, c += sb_command_lines(c))
        if (refuse(log, c->seq, remember(r, c), err))
            return false;
    const char *wrong = sb_match_packet(&r->engine, log->lines, log->count, &outputs);
    if (refuse(log, sb_engine_applied(r->engine.engine) + 1, wrong, err))
        return false;
    out->inputs += log->count;
    out->packets++;
    out->outputs += outputs;
    out->packets_different += sb_engine_digest(r->engine.engine) != log->digest;
    return true;
}

static bool apply_all(struct run *r, struct source *log, struct sb_match_log_result *out, FILE *err)
{
    int more;
    while ((more = source_next(log, err)) == 1)
        if (!apply_packet(r, log, out, err))
            return false;
    const struct sb_engine *e = r->engine.engine;
    out->digest = sb_engine_digest(e);
    out->state_digest = sb_engine_state_digest(e);
    out->closed = source_state_digest(log, &out->state_digest_logged);
    out->trades = sb_engine_stats(e)->trades;
    r->midnight_ns = sb_engine_day(e)->midnight_ns;
    return more == 0;
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

bool sb_match_log_run(const char *path, const char *acks, bool whole,
                      struct sb_match_log_result *out, FILE *err)
{
    memset(out, 0, sizeof *out);
    struct source *log = calloc(1, sizeof *log);
    struct run r = {0};
    bool good = false;
    if (log != NULL && source_open(log, path, whole || acks != NULL, err)) {
        out->snapshot_n = log->is_journal ? log->journal.snapshot.head.n : 0;
        good = start(&r, log, err) && apply_all(&r, log, out, err) &&
               (acks == NULL || compare_acks(&r, acks, out, err));
        stop(&r);
        source_close(log);
    }
    free(log);
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
