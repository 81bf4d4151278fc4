#include "perf/match_log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "replica/journal_reader.h"
#include "replica/log_file.h"

/* Packets of a log file or of a journal. */
struct source {
    const char *path;
    bool is_journal;
    struct sb_log_reader file;
    struct sb_journal_reader journal;
    /* the packet that was read last */
    const struct sb_command *lines;
    uint64_t digest;
    uint32_t count;
};

static bool source_open(struct source *s, const char *path, FILE *err)
{
    s->path = path;
    s->is_journal = sb_journal_is_folder(path);
    return s->is_journal ? sb_journal_reader_open(&s->journal, path, err)
                         : sb_log_reader_open(&s->file, path, err);
}

static void source_close(struct source *s)
{
    if (s->is_journal)
        sb_journal_reader_close(&s->journal);
    else
        sb_log_reader_close(&s->file);
}

/* The journal's next packet. What it ends with is said on err, where it is not an orderly stop. */
static int journal_next(struct source *s, FILE *err)
{
    const struct sb_journal_packet *p;
    struct sb_journal_reader *r = &s->journal;
    const int more = sb_journal_reader_packet(r, &p, &s->lines, err);
    if (more == 0 && r->found != SB_FOUND_CLOSED)
        sb_journal_reader_say_end(r, err);
    if (more != 1)
        return r->found == SB_FOUND_DAMAGED ? -1 : more;
    if (r->scan.first_n != 1) {
        fprintf(err, "%s: begins at input %" PRIu64 ": earlier segments are not there\n", s->path,
                r->scan.first_n);
        return -1;
    }
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

/* The engine's limits, before the first packet. NULL: cannot be read (said on err). */
static const struct sb_engine_limits *source_limits(struct source *s, FILE *err)
{
    if (!s->is_journal)
        return &s->file.head.limits;
    struct sb_journal_reader *r = &s->journal;
    const int more = sb_journal_reader_block(r, err); /* a journal begins with a segment's head */
    if (more == 0)
        sb_journal_reader_say_end(r, err);
    return more == 1 ? &r->scan.segment.limits : NULL;
}

/* Full-state digest that stands at the end: 0 if the journal was not closed. */
static bool source_state_digest(const struct source *s, uint64_t *digest)
{
    *digest = s->is_journal ? s->journal.scan.record.state_digest : s->file.state_digest;
    if (!s->is_journal || s->journal.found == SB_FOUND_CLOSED)
        return true;
    *digest = 0;
    return false;
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

static bool apply_all(struct run *r, struct source *log, struct sb_match_log_result *out, FILE *err)
{
    int more;
    while ((more = source_next(log, err)) == 1) {
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
    out->closed = source_state_digest(log, &out->state_digest_logged);
    out->trades = sb_engine_stats(r->engine)->trades;
    r->midnight_ns = sb_engine_day(r->engine)->midnight_ns;
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

bool sb_match_log_run(const char *path, const char *acks, struct sb_match_log_result *out,
                      FILE *err)
{
    memset(out, 0, sizeof *out);
    struct source *log = calloc(1, sizeof *log);
    struct run r = {0};
    bool good = false;
    if (log != NULL && source_open(log, path, err)) {
        const struct sb_engine_limits *limits = source_limits(log, err);
        if (limits != NULL && !start(&r, limits))
            fprintf(err, "out of memory\n");
        else if (limits != NULL)
            good =
                apply_all(&r, log, out, err) && (acks == NULL || compare_acks(&r, acks, out, err));
        stop(&r);
        source_close(log);
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
