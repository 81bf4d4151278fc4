#include "perf/top_view.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

size_t sb_top_sample_all(struct sb_top_sample *samples, size_t max, int shard)
{
    char paths[SB_COUNTERS_REGIONS_MAX][SB_COUNTERS_PATH_BYTES];
    const size_t found = sb_counters_find_all(paths, SB_COUNTERS_REGIONS_MAX);
    size_t n = 0;
    for (size_t i = 0; i < found && n < max; i++) {
        struct sb_counters_view v;
        if (!sb_counters_attach(&v, paths[i], NULL))
            continue;
        if (shard < 0 || v.c->shard == (uint32_t)shard) {
            struct sb_top_sample *s = &samples[n++];
            memset(s, 0, sizeof *s);
            memcpy(s->path, v.path, sizeof s->path);
            memcpy(s->name, v.c->name, sizeof s->name - 1);
            s->shard = v.c->shard;
            s->pid = v.c->pid;
            s->alive = sb_counters_alive(&v);
            s->count = v.count;
            s->started_at_ns = v.c->started_at_ns;
            struct timespec now;
            clock_gettime(CLOCK_MONOTONIC, &now);
            s->taken_at_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
            for (uint32_t id = 0; id < v.count; id++)
                s->value[id] = __atomic_load_n(&v.c->value[id], __ATOMIC_RELAXED);
        }
        sb_counters_detach(&v);
    }
    return n;
}

const char *sb_top_role(uint64_t role)
{
    static const char *const nodes[] = {"down",    "boot", "catch",    "shadow",  "primary",
                                        "pairing", "solo", "resigned", "diverged"};
    static const char *const witness[] = {"unset", "dual", "armed", "solo"};
    if (role < sizeof nodes / sizeof nodes[0])
        return nodes[role];
    if (role >= 16 && role - 16 < sizeof witness / sizeof witness[0])
        return witness[role - 16];
    return "?";
}

const char *sb_top_arm(uint64_t arm)
{
    static const char *const names[] = {"", " arming", " armed"};
    return arm < sizeof names / sizeof names[0] ? names[arm] : " ?";
}

struct sb_top_epoch sb_top_epoch(uint64_t epoch)
{
    struct sb_top_epoch t;
    snprintf(t.text, sizeof t.text, "%" PRIu64 "%c", epoch >> 2, "DPSR"[epoch & 3]);
    return t;
}

static const struct sb_top_sample *same_process(const struct sb_top_sample *s,
                                                const struct sb_top_sample *before, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (before[i].pid == s->pid && before[i].started_at_ns == s->started_at_ns &&
            strcmp(before[i].path, s->path) == 0)
            return &before[i];
    }
    return NULL;
}

static void put_rate(FILE *out, const struct sb_top_sample *s, const struct sb_top_sample *b,
                     enum sb_counter id)
{
    if (b == NULL || s->taken_at_ns <= b->taken_at_ns || s->value[id] < b->value[id]) {
        fprintf(out, " %11s", "-");
        return;
    }
    const double seconds = (double)(s->taken_at_ns - b->taken_at_ns) / 1e9;
    fprintf(out, " %11.0f", (double)(s->value[id] - b->value[id]) / seconds);
}

static const enum sb_counter RATES[] = {SB_CTR_ENTRY_FRAMES,    SB_CTR_ENTRY_MESSAGES,
                                        SB_CTR_STREAM_TX,       SB_CTR_STREAM_RX,
                                        SB_CTR_RELEASED_FRAMES, SB_CTR_TRADES};

static void put_processes(FILE *out, const struct sb_top_sample *now, size_t n,
                          const struct sb_top_sample *before, size_t before_n)
{
    fprintf(out, "%5s %-8s %8s %-16s %6s %12s %12s %12s %12s\n", "shard", "name", "pid", "role",
            "epoch", "log", "applied", "released", "acked");
    for (size_t i = 0; i < n; i++) {
        const struct sb_top_sample *s = &now[i];
        char role[32];
        snprintf(role, sizeof role, "%s%s", s->alive ? sb_top_role(s->value[SB_CTR_ROLE]) : "gone",
                 s->alive ? sb_top_arm(s->value[SB_CTR_ARM]) : "");
        fprintf(out,
                "%5" PRIu32 " %-8s %8" PRIu32 " %-16s %6s %12" PRIu64 " %12" PRIu64 " %12" PRIu64
                " %12" PRIu64 "\n",
                s->shard, s->name, s->pid, role, sb_top_epoch(s->value[SB_CTR_EPOCH]).text,
                s->value[SB_CTR_LOG_LEN], s->value[SB_CTR_APPLIED], s->value[SB_CTR_RELEASED],
                s->value[SB_CTR_ACKED]);
    }
    fprintf(out, "\n%5s %-8s %11s %11s %11s %11s %11s %11s %12s %12s\n", "per", "second",
            "entry fr", "entry msg", "stream tx", "stream rx", "released", "trades", "open orders",
            "held bytes");
    for (size_t i = 0; i < n; i++) {
        const struct sb_top_sample *s = &now[i];
        const struct sb_top_sample *b = same_process(s, before, before_n);
        fprintf(out, "%5" PRIu32 " %-8s", s->shard, s->name);
        for (size_t r = 0; r < sizeof RATES / sizeof RATES[0]; r++)
            put_rate(out, s, b, RATES[r]);
        fprintf(out, " %12" PRIu64 " %12" PRIu64 "\n", s->value[SB_CTR_OPEN_ORDERS],
                s->value[SB_CTR_HELD_BYTES]);
    }
}

/* A UTC time of day with nanoseconds. */
static void put_time(FILE *out, uint64_t utc_ns)
{
    const uint64_t day_ns = utc_ns % UINT64_C(86400000000000);
    const uint64_t seconds = day_ns / 1000000000u;
    fprintf(out, "%02" PRIu64 ":%02" PRIu64 ":%02" PRIu64 ".%09" PRIu64, seconds / 3600,
            seconds / 60 % 60, seconds % 60, day_ns % 1000000000u);
}

static void put_takeovers(FILE *out, const struct sb_top_sample *now, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const uint64_t *v = now[i].value;
        if (v[SB_CTR_WENT_LIVE] == 0)
            continue;
        fprintf(out, "\n%s took over %" PRIu64 " time%s; last: suspected ", now[i].name,
                v[SB_CTR_WENT_LIVE], v[SB_CTR_WENT_LIVE] == 1 ? "" : "s");
        put_time(out, v[SB_CTR_SUSPECT_AT_NS]);
        fprintf(out, ", decided ");
        put_time(out, v[SB_CTR_DECIDE_AT_NS]);
        fprintf(out,
                ", first frame %" PRIu64 " ns after the decision (its transmit call %" PRIu64
                " ns), %" PRIu64 " held frames released\n",
                v[SB_CTR_DECIDE_TO_FIRST_NS], v[SB_CTR_FIRST_TX_CALL_NS],
                v[SB_CTR_TAKEOVER_FRAMES]);
    }
}

/* Counters that are zero on a good day. */
static const enum sb_counter TROUBLE[] = {
    SB_CTR_JOURNAL_FAULT, SB_CTR_JOURNAL_BUFFERED, SB_CTR_DIGEST_DIFFERENT,
    SB_CTR_UNVERIFIED,    SB_CTR_WENT_SOLO,        SB_CTR_RETIRED,
    SB_CTR_SUSPECTED,     SB_CTR_CANCELED,         SB_CTR_ENTRY_BACKPRESSURE,
    SB_CTR_ENTRY_GAPS,    SB_CTR_ENTRY_ORPHANS,    SB_CTR_BAD_FRAME,
    SB_CTR_BAD_HEAD,      SB_CTR_BAD_TOKEN,        SB_CTR_BAD_ENTRY,
    SB_CTR_NOT_LOGGED_IN, SB_CTR_BAD_MESSAGE,      SB_CTR_BAD_REQUEST,
    SB_CTR_STREAM_GAP,    SB_CTR_STREAM_FOREIGN,   SB_CTR_REPAIR_REFUSED,
    SB_CTR_ACK_FOREIGN,   SB_CTR_NO_ROUTE,         SB_CTR_REREQUESTS_REFUSED,
    SB_CTR_TX_DROPPED,    SB_CTR_RX_MISSED,
};

static void put_trouble(FILE *out, const struct sb_top_sample *now, size_t n)
{
    bool any = false;
    for (size_t t = 0; t < sizeof TROUBLE / sizeof TROUBLE[0]; t++) {
        for (size_t i = 0; i < n; i++) {
            const uint64_t value = now[i].value[TROUBLE[t]];
            char name[SB_COUNTER_NAME_BYTES];
            if (value == 0)
                continue;
            fprintf(out, "%s%-8s %-20s %12" PRIu64 "  %s\n", any ? "" : "\n", now[i].name,
                    sb_counter_name(TROUBLE[t], name), value, sb_counter_info(TROUBLE[t])->help);
            any = true;
        }
    }
    if (!any)
        fprintf(out, "\nno counter of trouble is above zero\n");
}

void sb_top_table(FILE *out, const struct sb_top_sample *now, size_t n,
                  const struct sb_top_sample *before, size_t before_n)
{
    put_processes(out, now, n, before, before_n);
    put_takeovers(out, now, n);
    put_trouble(out, now, n);
}

void sb_top_json(FILE *out, const struct sb_top_sample *now, size_t n)
{
    fprintf(out, "{\"processes\":[");
    for (size_t i = 0; i < n; i++) {
        const struct sb_top_sample *s = &now[i];
        /* Paths and names were made of letters, digits, '-', '_' and '/'; others are not attached to,
         * but a foreign file can hold any name. */
        char name[sizeof s->name];
        size_t length = 0;
        for (; s->name[length] != '\0'; length++) {
            const char c = s->name[length];
            name[length] = c < ' ' || c > '~' || c == '"' || c == '\\' ? '?' : c;
        }
        name[length] = '\0';
        fprintf(out,
                "%s{\"shard\":%" PRIu32 ",\"name\":\"%s\",\"pid\":%" PRIu32
                ",\"alive\":%s,\"started_at_ns\":%" PRIu64 ",\"role_name\":\"%s\""
                ",\"epoch_name\":\"%s\",\"counters\":{",
                i == 0 ? "" : ",", s->shard, name, s->pid, s->alive ? "true" : "false",
                s->started_at_ns, sb_top_role(s->value[SB_CTR_ROLE]),
                sb_top_epoch(s->value[SB_CTR_EPOCH]).text);
        for (uint32_t id = 0; id < s->count; id++) {
            char counter[SB_COUNTER_NAME_BYTES];
            const bool hash = strcmp(sb_counter_info(id)->unit, "hash") == 0;
            fprintf(out, hash ? "%s\"%s\":\"%016" PRIx64 "\"" : "%s\"%s\":%" PRIu64,
                    id == 0 ? "" : ",", sb_counter_name(id, counter), s->value[id]);
        }
        fprintf(out, "}}");
    }
    fprintf(out, "]}\n");
}
