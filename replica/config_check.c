#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "replica/bounds.h"
#include "replica/config_keys.h"
#include "shadowbook/config.h"
#include "shadowbook/frame.h"

enum {
    /* What one fill of an auction can encode to: two Executed to sessions (2 + 36 bytes each), two
     * executions on each of two feeds (2 + 36 each), and their share of headers and records. */
    FILL_BYTES = 264,
    /* ... and one slice of an iceberg, which is followed by the next slice's F_ADD on both feeds. */
    SLICE_BYTES = 340,
    /* Every stream may have one frame begun, and its record in the ring. */
    STREAM_BYTES = 2048,
    /* An entry frame's worst number of lines must fit several times. */
    UNACKED_MIN = 1024,
    /* What one turn can take and apply (96 packets of 21 lines, and 64 that stood before) must still be in the log when
     * the journal is fed behind it, beside half of it that is not acked. */
    JOURNALED_LOG_MIN = 8192,
};

struct checker {
    const struct sb_config *cfg;
    FILE *err;
    unsigned errors;
};

__attribute__((format(printf, 2, 3))) static void complain(struct checker *c, const char *format,
                                                           ...)
{
    c->errors++;
    if (c->errors > SB_CONFIG_ERRORS_MAX) {
        if (c->errors == SB_CONFIG_ERRORS_MAX + 1)
            fprintf(c->err, "%s: more errors not shown\n", c->cfg->path);
        return;
    }
    fprintf(c->err, "%s: ", c->cfg->path);
    va_list args;
    va_start(args, format);
    vfprintf(c->err, format, args);
    va_end(args);
    fputc('\n', c->err);
}

static bool power_of_two(uint64_t v)
{
    return v != 0 && (v & (v - 1)) == 0;
}

static void check_timing(struct checker *c)
{
    const struct sb_config *cfg = c->cfg;
    const uint64_t us = 1000;
    if (cfg->heartbeat_ns == 0 || cfg->heartbeat_ns > cfg->suspect_after_ns / 3)
        complain(c,
                 "[timing] heartbeat_us = %" PRIu64 ", suspect_after_us = %" PRIu64
                 ": a heartbeat of 1 up to a third of suspect_after_us is accepted",
                 cfg->heartbeat_ns / us, cfg->suspect_after_ns / us);
    if (cfg->suspect_after_ns >= cfg->takeover_after_ns)
        complain(c,
                 "[timing] suspect_after_us = %" PRIu64 ", takeover_after_us = %" PRIu64
                 ": takeover_after_us above suspect_after_us is accepted",
                 cfg->suspect_after_ns / us, cfg->takeover_after_ns / us);
    if (cfg->gap_after_ns == 0 || cfg->gap_after_ns > cfg->takeover_after_ns)
        complain(c,
                 "[timing] gap_after_us = %" PRIu64 ", takeover_after_us = %" PRIu64
                 ": gap_after_us from 1 to takeover_after_us is accepted",
                 cfg->gap_after_ns / us, cfg->takeover_after_ns / us);
    if (cfg->solo_after_ns <= cfg->takeover_after_ns)
        complain(c,
                 "[timing] solo_after_us = %" PRIu64 ", takeover_after_us = %" PRIu64
                 ": solo_after_us above takeover_after_us is accepted",
                 cfg->solo_after_ns / us, cfg->takeover_after_ns / us);
    if (cfg->lag_max == 0 || cfg->lag_max > cfg->log_lines / 2)
        complain(
            c,
            "[timing] lag_max_inputs = %" PRIu64 ", [memory] log_lines = %" PRIu32
            ": 1 up to half of log_lines is accepted, so that a lagging shadow can be repaired",
            cfg->lag_max, cfg->log_lines);
    if (cfg->client_heartbeat_ns == 0)
        complain(c, "[timing] client_heartbeat_ms = 0: at least 1 is accepted");
}

static void check_memory(struct checker *c)
{
    const struct sb_config *cfg = c->cfg;
    if (!power_of_two(cfg->log_lines))
        complain(c, "[memory] log_lines = %" PRIu32 ": a power of two is accepted", cfg->log_lines);
    if (!power_of_two(cfg->hold_bytes))
        complain(c, "[memory] hold_bytes = %" PRIu64 ": a power of two is accepted",
                 cfg->hold_bytes);
    if (!power_of_two(cfg->retain_packets))
        complain(c, "[memory] retain_packets = %" PRIu32 ": a power of two is accepted",
                 cfg->retain_packets);
    if (!power_of_two(cfg->limits.window_levels))
        complain(c, "[engine] window_levels = %" PRIu32 ": a power of two is accepted",
                 cfg->limits.window_levels);
    if (cfg->unacked_lines < UNACKED_MIN || cfg->unacked_lines > cfg->log_lines / 2)
        complain(c,
                 "[memory] unacked_lines = %" PRIu32 ", log_lines = %" PRIu32
                 ": %d up to half of log_lines is accepted",
                 cfg->unacked_lines, cfg->log_lines, UNACKED_MIN);
    if (cfg->journal_dir[0] != '\0' && cfg->log_lines < JOURNALED_LOG_MIN)
        complain(c,
                 "[memory] log_lines = %" PRIu32 ": at least %d is accepted beside a [journal] dir",
                 cfg->log_lines, JOURNALED_LOG_MIN);
    const uint64_t streams = (uint64_t)cfg->limits.sessions_max + 1;
    uint64_t needed = (uint64_t)cfg->limits.orders_max * FILL_BYTES + streams * STREAM_BYTES;
    /* The node waits until a packet's worst case fits: there must be a ring in which it ever does. */
    const uint64_t packet =
        sb_hold_packet_bytes_max(&cfg->limits, SB_STREAM_LINES_MAX) + 2 * SB_HELD_BYTES_MAX;
    needed = packet > needed ? packet : needed;
    if (cfg->hold_bytes < needed)
        complain(c,
                 "[memory] hold_bytes = %" PRIu64 ": at least %" PRIu64
                 " is accepted, because one command can fill all [engine] orders_max = %" PRIu32
                 " orders (%d bytes each) of sessions_max = %" PRIu32
                 " sessions (%d each), terms_max = %" PRIu32
                 " of them icebergs with %d slices (%d each)",
                 cfg->hold_bytes, needed, cfg->limits.orders_max, FILL_BYTES,
                 cfg->limits.sessions_max, STREAM_BYTES, cfg->limits.terms_max, SB_PARTS_MAX,
                 SLICE_BYTES);
}

/* A setting that could not be kept would be a promise broken in silence. */
static void check_hold(struct checker *c)
{
    const struct sb_config *cfg = c->cfg;
    const bool journal = cfg->journal_dir[0] != '\0';
    const bool strict = cfg->hold != SB_HOLD_TWO_MEMORIES;
    if (strict && !journal)
        complain(c, "[shard] hold = memory-and-disk or two-disks: a [journal] dir is needed");
    if (strict && journal && cfg->journal_error == SB_JOURNAL_DEGRADE)
        complain(
            c, "[journal] error = degrade: stop is accepted with [shard] hold = memory-and-disk or "
               "two-disks, which a node without a journal cannot keep");
    if (cfg->solo_policy == SB_SOLO_DISK && !journal)
        complain(c, "[shard] solo_policy = disk: a [journal] dir is needed");
    if (cfg->solo_policy == SB_SOLO_WITNESS && cfg->witness_log_lines == 0)
        complain(
            c,
            "[shard] solo_policy = witness: [memory] witness_log_lines of the size of log_lines is "
            "needed");
    if (cfg->solo_policy == SB_SOLO_WITNESS && !journal)
        complain(
            c,
            "[shard] solo_policy = witness: a [journal] dir is needed, for what was taken before");
    if (cfg->witness_log_lines != 0 && (cfg->witness_log_lines < cfg->unacked_lines ||
                                        cfg->witness_log_lines > cfg->log_lines / 2))
        complain(c,
                 "[memory] witness_log_lines = %" PRIu32 ": 0, or from unacked_lines = %" PRIu32
                 " to half of log_lines = %" PRIu32 " is accepted",
                 cfg->witness_log_lines, cfg->unacked_lines, cfg->log_lines);
}

static bool is_multicast(uint32_t ipv4)
{
    return ipv4 >> 28 == 14;
}

#define IPV4_FORMAT  "%u.%u.%u.%u"
#define IPV4_ARGS(a) (a) >> 24, (a) >> 16 & 255, (a) >> 8 & 255, (a)&255

struct named_addr {
    const char *key;
    struct sb_addr addr;
    bool by_node; /* received by the engines, which tell their frames apart by UDP port */
};

static void check_net(struct checker *c)
{
    const struct sb_config *cfg = c->cfg;
    const struct named_addr addrs[] = {
        {"orders", cfg->orders, true},           {"requests_port", cfg->requests, true},
        {"replication", cfg->replication, true}, {"feed_a", cfg->feed_a, false},
        {"feed_b", cfg->feed_b, false},
    };
    const size_t n = sizeof addrs / sizeof addrs[0];
    for (size_t i = 0; i < n; i++) {
        const struct named_addr *a = &addrs[i];
        if (i == n - 1 && a->addr.port == 0 && a->addr.ipv4 == 0)
            break; /* one feed is enough */
        if (!is_multicast(a->addr.ipv4))
            complain(c,
                     "[net] %s = " IPV4_FORMAT
                     ": a multicast group, 224.0.0.0 to 239.255.255.255, is accepted",
                     a->key, IPV4_ARGS(a->addr.ipv4));
        if (a->addr.port == 0)
            complain(c, "[net] %s: a UDP port from 1 to 65535 is accepted", a->key);
        for (size_t j = 0; j < i; j++) {
            const struct named_addr *b = &addrs[j];
            if (a->addr.port != b->addr.port)
                continue;
            if (a->by_node && b->by_node)
                complain(c,
                         "[net] %s and %s have the same UDP port %u: different ones are accepted, "
                         "because the engines tell them apart by it",
                         b->key, a->key, a->addr.port);
            else if (a->addr.ipv4 == b->addr.ipv4)
                complain(c,
                         "[net] %s and %s are the same group and UDP port: different ones are "
                         "accepted",
                         b->key, a->key);
        }
    }
    if (cfg->requests.ipv4 != cfg->orders.ipv4)
        complain(c, "[net] requests has another group than orders: the same one is accepted");
    if (cfg->client_port == 0)
        complain(c, "[net] client_port = 0: a UDP port from 1 to 65535 is accepted");
}

static void check_hosts(struct checker *c)
{
    const struct sb_config *cfg = c->cfg;
    static const char *const titles[] = {"node A", "node B", "witness W", "client"};
    const struct sb_host_config *hosts[] = {&cfg->nodes[0], &cfg->nodes[1], &cfg->witness,
                                            &cfg->client};
    for (size_t i = 0; i < 4; i++) {
        const struct sb_host_config *host = hosts[i];
        if (!host->present) {
            if (i < 3) /* a client of ours is for tests and drills */
                complain(c, "there is no section [%s], which is needed", titles[i]);
            continue;
        }
        if (host->journal_lcore >= 0 && host->journal_lcore == host->lcore)
            complain(c, "[%s] journal_lcore = lcore = %d: a core of its own is accepted, or none",
                     titles[i], host->lcore);
        const uint32_t ip = host->ipv4;
        if (ip >> 24 == 0 || ip >> 24 == 127 || ip >> 28 >= 14)
            complain(c, "[%s] ipv4 = " IPV4_FORMAT ": a host's own (unicast) address is accepted",
                     titles[i], IPV4_ARGS(ip));
        for (size_t j = 0; j < i; j++) {
            if (hosts[j]->present && hosts[j]->ipv4 == ip)
                complain(c,
                         "[%s] and [%s] have the same ipv4 = " IPV4_FORMAT
                         ": different ones are accepted",
                         titles[j], titles[i], IPV4_ARGS(ip));
        }
        const bool witness_port = i == 2 && host->ports[SB_PORT_WITNESS][0] != '\0';
        if (host->ports[SB_PORT_CLIENTS][0] == '\0' && !witness_port)
            complain(c, "[%s] has no port_clients%s: a port such as af_xdp:iface=NAME is accepted",
                     titles[i], i == 2 ? " and no port_witness" : "");
    }
}

static void check_sessions(struct checker *c)
{
    const struct sb_config *cfg = c->cfg;
    if (cfg->sessions_n == 0)
        complain(c, "there is no section [session N]: at least one is needed");
    if (cfg->sessions_n > cfg->limits.sessions_max)
        complain(c, "[session %" PRIu32 "]: 1 to [engine] sessions_max = %" PRIu32 " is accepted",
                 cfg->sessions_n, cfg->limits.sessions_max);
}

static int symbol_order(const void *a, const void *b)
{
    const struct sb_instrument_config *const *x = a, *const *y = b;
    const int order = memcmp((*x)->symbol, (*y)->symbol, sizeof(*x)->symbol);
    return order != 0 ? order : *x < *y ? -1 : *x > *y;
}

static void check_symbols(struct checker *c)
{
    const struct sb_config *cfg = c->cfg;
    const struct sb_instrument_config **sorted =
        calloc((size_t)cfg->instruments_n + 1, sizeof(const struct sb_instrument_config *));
    if (sorted == NULL) {
        complain(c, "no memory to compare the symbols of %" PRIu32 " instruments",
                 cfg->instruments_n);
        return;
    }
    size_t n = 0;
    for (uint32_t i = 1; i <= cfg->instruments_n; i++) {
        if (cfg->instruments[i].present)
            sorted[n++] = &cfg->instruments[i];
    }
    qsort(sorted, n, sizeof sorted[0], symbol_order);
    for (size_t i = 1; i < n; i++) {
        if (memcmp(sorted[i - 1]->symbol, sorted[i]->symbol, sizeof sorted[i]->symbol) == 0)
            complain(c,
                     "[instrument %td] and [instrument %td] have the same symbol %.8s: different "
                     "ones are accepted",
                     sorted[i - 1] - cfg->instruments, sorted[i] - cfg->instruments,
                     sorted[i]->symbol);
    }
    free(sorted);
}

/* The engine would ignore the instrument. */
static void check_sizes(struct checker *c, uint32_t i, const struct sb_instrument_config *in)
{
    const bool prices_good = in->tick >= 1 && in->price_min >= 1 &&
                             in->price_min <= in->price_max && in->price_max <= SB_PRICE_MAX &&
                             in->price_min % in->tick == 0 && in->price_max % in->tick == 0;
    if (!prices_good)
        complain(c,
                 "[instrument %" PRIu32 "] price_min_e4 = %" PRId64 ", price_max_e4 = %" PRId64
                 ": multiples of tick_e4 = %" PRId64 ", the lower one first, are accepted",
                 i, in->price_min, in->price_max, in->tick);
    const int64_t reference = in->reference_price;
    if (prices_good && reference != 0 &&
        (reference < in->price_min || reference > in->price_max || reference % in->tick != 0))
        complain(c,
                 "[instrument %" PRIu32 "] reference_price_e4 = %" PRId64
                 ": 0, or a multiple of tick_e4 = %" PRId64 " from price_min_e4 = %" PRId64
                 " to price_max_e4 = %" PRId64 " is accepted",
                 i, reference, in->tick, in->price_min, in->price_max);
    if (in->lot < 1 || in->lot > in->quantity_max)
        complain(c,
                 "[instrument %" PRIu32 "] lot = %" PRIu32 ", quantity_max = %" PRIu32
                 ": a lot from 1 to quantity_max is accepted",
                 i, in->lot, in->quantity_max);
}

/* A key that does nothing without another one was meant to do something. */
static void check_rules(struct checker *c, uint32_t i, const struct sb_instrument_config *in)
{
    if (in->pro_rata_min != 0 && in->matching != SB_MATCH_PRO_RATA)
        complain(c,
                 "[instrument %" PRIu32 "] pro_rata_min = %" PRIu32
                 ": 0 is accepted, or matching = pro-rata is needed",
                 i, in->pro_rata_min);
    if (in->pro_rata_min > in->quantity_max)
        complain(c,
                 "[instrument %" PRIu32 "] pro_rata_min = %" PRIu32 ": 0 to quantity_max = %" PRIu32
                 " is accepted",
                 i, in->pro_rata_min, in->quantity_max);
    if (in->band_action == SB_BAND_PAUSE && in->dynamic_band == 0)
        complain(c,
                 "[instrument %" PRIu32
                 "] band_action = pause: a dynamic_band_bp is needed, which begins the pause",
                 i);
    if (in->pause_ms != 0 && in->band_action != SB_BAND_PAUSE)
        complain(c,
                 "[instrument %" PRIu32 "] pause_ms = %" PRIu32
                 ": 0 is accepted, or band_action = pause is needed",
                 i, in->pause_ms);
    if (in->pause_ms != 0 && c->cfg->timer_ns == 0)
        complain(c,
                 "[instrument %" PRIu32 "] pause_ms = %" PRIu32
                 ": 0 is accepted with [engine] timer_ms = 0, by which pauses do not end",
                 i, in->pause_ms);
}

static void check_instruments(struct checker *c)
{
    const struct sb_config *cfg = c->cfg;
    if (cfg->instruments_n == 0)
        complain(c, "there is no section [instrument N]: at least one is needed");
    if (cfg->instruments_n > cfg->limits.instruments_max) {
        complain(
            c, "[instrument %" PRIu32 "]: 1 to [engine] instruments_max = %" PRIu32 " is accepted",
            cfg->instruments_n, cfg->limits.instruments_max);
    }
    for (uint32_t i = 1; i <= cfg->instruments_n; i++) {
        const struct sb_instrument_config *in = &cfg->instruments[i];
        if (!in->present)
            continue;
        check_sizes(c, i, in);
        check_rules(c, i, in);
    }
    check_symbols(c);
}

bool sb_config_check(const struct sb_config *cfg, FILE *err)
{
    struct checker c = {.cfg = cfg, .err = err};
    check_timing(&c);
    check_memory(&c);
    check_hold(&c);
    check_net(&c);
    check_hosts(&c);
    check_sessions(&c);
    check_instruments(&c);
    return c.errors == 0;
}
