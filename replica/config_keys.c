#include "replica/config_keys.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "shadowbook/assert.h"
#include "shadowbook/config.h"

enum {
    US = 1000,
    MS = 1000000,
    MIB = 1 << 20,
    US_MAX = 60 * 1000 * 1000,
    DAY_MS = 24 * 60 * 60 * 1000,
    LCORES_MAX = 1023
};

#define FIELD(type, member) offsetof(type, member), sizeof(((type *)0)->member)
#define SHARD(key, member, type, required, min, max, words)                                        \
    {                                                                                              \
        SB_SECTION_SHARD, key, type, required, FIELD(struct sb_config, member), min, max, 1, words \
    }
#define NUMBER(section, key, type, member, min, max, scale)                                        \
    {                                                                                              \
        section, key, type, false, FIELD(struct sb_config, member), min, max, scale, NULL          \
    }
#define ADDR(key, member, needed)                                                                  \
    {                                                                                              \
        SB_SECTION_NET, key, SB_KEY_ADDR, needed, FIELD(struct sb_config, member), 0, 0, 1, NULL   \
    }
#define UDP_PORT(key, member)                                                                      \
    {                                                                                              \
        SB_SECTION_NET, key, SB_KEY_UINT, true, FIELD(struct sb_config, member), 1, 65535, 1, NULL \
    }
#define HOST(key, member, type, required, words)                                                   \
    {                                                                                              \
        SB_SECTION_HOST, key, type, required, FIELD(struct sb_host_config, member), 0, LCORES_MAX, \
            1, words                                                                               \
    }
#define SESSION(key, member, type, required, min, max, words)                                      \
    {                                                                                              \
        SB_SECTION_SESSION, key, type, required, FIELD(struct sb_session_config, member), min,     \
            max, 1, words                                                                          \
    }
#define INSTRUMENT(key, member, type, required, min, max, words)                                   \
    {                                                                                              \
        SB_SECTION_INSTRUMENT, key, type, required, FIELD(struct sb_instrument_config, member),    \
            min, max, 1, words                                                                     \
    }

static const struct sb_config_key KEYS[] = {
    SHARD("shard", shard, SB_KEY_UINT, true, 0, SB_SHARD_MAX, NULL),
    SHARD("generation", generation, SB_KEY_UINT, false, 0, SB_SHARD_MAX, NULL),
    SHARD("trading_day", trading_day, SB_KEY_DATE, false, 0, 0, NULL),
    SHARD("release", release, SB_KEY_WORDS, false, 0, 0, "verified|logged"),
    SHARD("hold", hold, SB_KEY_WORDS, false, 0, 0, "two-memories|memory-and-disk|two-disks"),
    SHARD("solo_policy", solo_policy, SB_KEY_WORDS, false, 0, 0, "auto|witness|disk|memory|halt"),
    SHARD("divergence", divergence, SB_KEY_WORDS, false, 0, 0, "halt|primary-continues"),
    SHARD("primary", primary, SB_KEY_WORDS, false, 0, 0, "A|B"),
    SHARD("carry", carry_path, SB_KEY_FILE, false, 0, 0, NULL),

    NUMBER(SB_SECTION_ENGINE, "instruments_max", SB_KEY_UINT, limits.instruments_max, 1, 65535, 1),
    NUMBER(SB_SECTION_ENGINE, "sessions_max", SB_KEY_UINT, limits.sessions_max, 1, 65535, 1),
    NUMBER(SB_SECTION_ENGINE, "orders_max", SB_KEY_UINT, limits.orders_max, 1, 1u << 27, 1),
    NUMBER(SB_SECTION_ENGINE, "levels_max", SB_KEY_UINT, limits.levels_max, 1, 1u << 27, 1),
    NUMBER(SB_SECTION_ENGINE, "terms_max", SB_KEY_UINT, limits.terms_max, 1, 1u << 24, 1),
    NUMBER(SB_SECTION_ENGINE, "window_levels", SB_KEY_POW2, limits.window_levels, 64, 65536, 1),
    NUMBER(SB_SECTION_ENGINE, "timer_ms", SB_KEY_UINT, timer_ns, 0, 60000, MS),

    NUMBER(SB_SECTION_MEMORY, "log_lines", SB_KEY_POW2, log_lines, 1u << 10, 1u << 30, 1),
    NUMBER(SB_SECTION_MEMORY, "unacked_lines", SB_KEY_UINT, unacked_lines, 1024, 1u << 30, 1),
    NUMBER(SB_SECTION_MEMORY, "hold_bytes", SB_KEY_POW2, hold_bytes, 1u << 20, UINT64_C(1) << 38,
           1),
    NUMBER(SB_SECTION_MEMORY, "retain_packets", SB_KEY_POW2, retain_packets, 64, 1u << 24, 1),
    NUMBER(SB_SECTION_MEMORY, "pending_bytes", SB_KEY_UINT, pending_bytes, 1u << 16, 1u << 30, 1),
    NUMBER(SB_SECTION_MEMORY, "witness_log_lines", SB_KEY_POW2, witness_log_lines, 0, 1u << 30, 1),
    {SB_SECTION_MEMORY, "hugepages", SB_KEY_WORDS, false, FIELD(struct sb_config, hugepages), 0, 0,
     1, "no|yes"},

    NUMBER(SB_SECTION_TIMING, "heartbeat_us", SB_KEY_UINT, heartbeat_ns, 1, US_MAX, US),
    NUMBER(SB_SECTION_TIMING, "suspect_after_us", SB_KEY_UINT, suspect_after_ns, 1, US_MAX, US),
    NUMBER(SB_SECTION_TIMING, "takeover_after_us", SB_KEY_UINT, takeover_after_ns, 1, US_MAX, US),
    NUMBER(SB_SECTION_TIMING, "gap_after_us", SB_KEY_UINT, gap_after_ns, 1, US_MAX, US),
    NUMBER(SB_SECTION_TIMING, "solo_after_us", SB_KEY_UINT, solo_after_ns, 1, US_MAX, US),
    NUMBER(SB_SECTION_TIMING, "lag_max_inputs", SB_KEY_UINT, lag_max, 1, 1u << 30, 1),
    NUMBER(SB_SECTION_TIMING, "client_heartbeat_ms", SB_KEY_UINT, client_heartbeat_ns, 1, 60000,
           MS),

    {SB_SECTION_JOURNAL, "dir", SB_KEY_FOLDER, false, FIELD(struct sb_config, journal_dir), 0, 0, 1,
     NULL},
    NUMBER(SB_SECTION_JOURNAL, "segment_mib", SB_KEY_UINT, journal_segment_bytes, 2, 65536, MIB),
    NUMBER(SB_SECTION_JOURNAL, "keep_segments", SB_KEY_UINT, journal_keep_segments, 0, UINT32_MAX,
           1),
    NUMBER(SB_SECTION_JOURNAL, "ring_mib", SB_KEY_POW2, journal_ring_bytes, 1, 4096, MIB),
    NUMBER(SB_SECTION_JOURNAL, "lag_max_ms", SB_KEY_UINT, journal_lag_max_ns, 1, 60000, MS),
    {SB_SECTION_JOURNAL, "error", SB_KEY_WORDS, false, FIELD(struct sb_config, journal_error), 0, 0,
     1, "stop|degrade"},

    ADDR("orders", orders, true),
    UDP_PORT("requests_port", requests.port),
    ADDR("replication", replication, true),
    ADDR("feed_a", feed_a, true),
    ADDR("feed_b", feed_b, false),
    UDP_PORT("client_port", client_port),

    HOST("ipv4", ipv4, SB_KEY_IPV4, true, NULL),
    HOST("lcore", lcore, SB_KEY_LCORE, false, NULL),
    HOST("journal_lcore", journal_lcore, SB_KEY_LCORE, false, NULL),
    HOST("transfer", transfer, SB_KEY_HOST_ADDR, false, NULL),
    HOST("idle", idle, SB_KEY_WORDS, false, "spin|yield"),
    HOST("port_clients", ports[SB_PORT_CLIENTS], SB_KEY_SPEC, false, NULL),
    HOST("port_peer", ports[SB_PORT_PEER], SB_KEY_SPEC, false, NULL),
    HOST("port_witness", ports[SB_PORT_WITNESS], SB_KEY_SPEC, false, NULL),
    HOST("port_feed_a", ports[SB_PORT_FEED_A], SB_KEY_SPEC, false, NULL),
    HOST("port_feed_b", ports[SB_PORT_FEED_B], SB_KEY_SPEC, false, NULL),

    SESSION("firm", firm, SB_KEY_UINT, true, 1, UINT32_MAX, NULL),
    SESSION("token", token, SB_KEY_UINT, true, 1, UINT64_MAX, NULL),
    SESSION("operator", operator_right, SB_KEY_WORDS, false, 0, 0, "no|yes"),
    SESSION("stp", stp, SB_KEY_WORDS, false, 0, 0,
            "none|cancel-newest|cancel-oldest|cancel-both|decrement"),
    SESSION("stp_group", stp_group, SB_KEY_UINT, false, 0, UINT32_MAX, NULL),
    SESSION("orders_max", orders_max, SB_KEY_UINT, false, 0, UINT32_MAX, NULL),
    SESSION("quantity_max", quantity_max, SB_KEY_UINT, false, 0, SB_QUANTITY_MAX, NULL),
    SESSION("notional_max", notional_max, SB_KEY_UINT, false, 0, UINT32_MAX, NULL),

    INSTRUMENT("symbol", symbol, SB_KEY_SYMBOL, true, 0, 0, NULL),
    INSTRUMENT("tick_e4", tick, SB_KEY_UINT, false, 1, SB_PRICE_MAX, NULL),
    INSTRUMENT("price_min_e4", price_min, SB_KEY_UINT, false, 1, SB_PRICE_MAX, NULL),
    INSTRUMENT("price_max_e4", price_max, SB_KEY_UINT, false, 1, SB_PRICE_MAX, NULL),
    INSTRUMENT("lot", lot, SB_KEY_UINT, false, 1, SB_QUANTITY_MAX, NULL),
    INSTRUMENT("quantity_max", quantity_max, SB_KEY_UINT, false, 1, SB_QUANTITY_MAX, NULL),
    INSTRUMENT("phase", phase, SB_KEY_WORDS, false, 0, 0, "closed|auction|continuous|halted"),
    INSTRUMENT("matching", matching, SB_KEY_WORDS, false, 0, 0, "price-time|pro-rata"),
    INSTRUMENT("pro_rata_min", pro_rata_min, SB_KEY_UINT, false, 0, SB_QUANTITY_MAX, NULL),
    INSTRUMENT("tie", tie, SB_KEY_WORDS, false, 0, 0, "pressure|reference|highest|lowest"),
    INSTRUMENT("reference_price_e4", reference_price, SB_KEY_UINT, false, 0, SB_PRICE_MAX, NULL),
    INSTRUMENT("static_band_bp", static_band, SB_KEY_UINT, false, 0, UINT16_MAX, NULL),
    INSTRUMENT("dynamic_band_bp", dynamic_band, SB_KEY_UINT, false, 0, UINT16_MAX, NULL),
    INSTRUMENT("band_action", band_action, SB_KEY_WORDS, false, 0, 0, "cancel|pause"),
    INSTRUMENT("pause_ms", pause_ms, SB_KEY_UINT, false, 0, DAY_MS, NULL),
    INSTRUMENT("notional_max", notional_max, SB_KEY_UINT, false, 0, UINT32_MAX, NULL),
};

const struct sb_config_key *sb_config_keys(size_t *n)
{
    *n = sizeof KEYS / sizeof KEYS[0];
    return KEYS;
}

const struct sb_config_key *sb_config_keys_find(enum sb_config_section section, const char *key,
                                                unsigned *index)
{
    *index = 0;
    for (size_t i = 0; i < sizeof KEYS / sizeof KEYS[0]; i++) {
        if (KEYS[i].section != section)
            continue;
        if (strcmp(KEYS[i].key, key) == 0)
            return &KEYS[i];
        (*index)++;
    }
    return NULL;
}

static bool uint_read(const char *text, uint64_t *value)
{
    unsigned base = 10;
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        base = 16;
        text += 2;
    }
    if (*text == '\0')
        return false;
    uint64_t v = 0;
    for (; *text != '\0'; text++) {
        const unsigned char c = (unsigned char)*text;
        unsigned digit;
        if (isdigit(c))
            digit = c - '0';
        else if (base == 16 && isxdigit(c))
            digit = (unsigned)(tolower(c) - 'a') + 10;
        else
            return false;
        if (v > (UINT64_MAX - digit) / base)
            return false;
        v = v * base + digit;
    }
    *value = v;
    return true;
}

static void uint_store(void *at, size_t size, uint64_t value)
{
    switch (size) {
    case 1:
        *(uint8_t *)at = (uint8_t)value;
        break;
    case 2: {
        const uint16_t v = (uint16_t)value;
        memcpy(at, &v, sizeof v);
        break;
    }
    case 4: {
        const uint32_t v = (uint32_t)value;
        memcpy(at, &v, sizeof v);
        break;
    }
    default:
        SB_ASSERT_EQ(size, 8);
        memcpy(at, &value, sizeof value);
    }
}

static bool number_store(const struct sb_config_key *key, const char *value, void *at)
{
    uint64_t v;
    if (!uint_read(value, &v) || v < key->min || v > key->max)
        return false;
    if (key->type == SB_KEY_POW2 && (v & (v - 1)) != 0)
        return false;
    uint_store(at, key->size, v * key->scale);
    return true;
}

static bool word_store(const struct sb_config_key *key, const char *value, void *at)
{
    const size_t length = strlen(value);
    uint64_t place = 0;
    for (const char *word = key->words; word != NULL; place++) {
        const char *bar = strchr(word, '|');
        const size_t word_length = bar != NULL ? (size_t)(bar - word) : strlen(word);
        if (word_length == length && memcmp(word, value, length) == 0) {
            uint_store(at, key->size, place);
            return true;
        }
        word = bar != NULL ? bar + 1 : NULL;
    }
    return false;
}

static bool date_store(const char *value, void *at)
{
    static const uint8_t days[13] = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    uint64_t v = 0;
    if (strcmp(value, "today") != 0) {
        if (strlen(value) != 8 || !uint_read(value, &v) || v < 19700101)
            return false;
        const uint64_t year = v / 10000, month = v / 100 % 100, day = v % 100;
        const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        if (month < 1 || month > 12 || day < 1 ||
            day > days[month] + (month == 2 && leap ? UINT64_C(1) : 0))
            return false;
    }
    uint_store(at, sizeof(uint32_t), v);
    return true;
}

static bool ipv4_read(const char *value, uint32_t *ipv4)
{
    struct in_addr in;
    if (inet_pton(AF_INET, value, &in) != 1)
        return false;
    *ipv4 = ntohl(in.s_addr);
    return true;
}

static bool addr_store(const char *value, struct sb_addr *addr)
{
    char host[INET_ADDRSTRLEN];
    const char *colon = strrchr(value, ':');
    uint64_t port;
    uint32_t ipv4;
    if (colon == NULL || (size_t)(colon - value) >= sizeof host || !uint_read(colon + 1, &port) ||
        port < 1 || port > UINT16_MAX)
        return false;
    memcpy(host, value, (size_t)(colon - value));
    host[colon - value] = '\0';
    if (!ipv4_read(host, &ipv4))
        return false;
    addr->ipv4 = ipv4;
    addr->port = (uint16_t)port;
    return true;
}

static bool lcore_store(const struct sb_config_key *key, const char *value, int *lcore)
{
    uint64_t v;
    if (strcmp(value, "none") == 0) {
        *lcore = -1;
        return true;
    }
    if (!uint_read(value, &v) || v > key->max)
        return false;
    *lcore = (int)v;
    return true;
}

/* The driver's own arguments are read where the port is opened. */
static bool spec_store(const struct sb_config_key *key, const char *value, char *at)
{
    static const char *const drivers[] = {"af_xdp:", "af_packet:", "memif:", "pci:"};
    const size_t length = strlen(value);
    if (length >= key->size || strpbrk(value, " \t") != NULL)
        return false;
    for (size_t i = 0; i < sizeof drivers / sizeof drivers[0]; i++) {
        const size_t n = strlen(drivers[i]);
        if (strncmp(value, drivers[i], n) == 0 && length > n) {
            memcpy(at, value, length + 1);
            return true;
        }
    }
    return false;
}

static bool path_store(const struct sb_config_key *key, const char *value, char *at)
{
    const size_t length = strlen(value);
    if (length >= key->size || value[0] != '/')
        return false;
    memcpy(at, value, length + 1);
    return true;
}

static bool symbol_store(const struct sb_config_key *key, const char *value, char *at)
{
    const size_t length = strlen(value);
    if (length < 1 || length > key->size)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (value[i] <= ' ' || value[i] > '~')
            return false;
    }
    memset(at, ' ', key->size);
    memcpy(at, value, length);
    return true;
}

bool sb_config_keys_store(const struct sb_config_key *key, const char *value, void *base)
{
    void *at = (char *)base + key->offset;
    uint32_t ipv4;
    switch (key->type) {
    case SB_KEY_UINT:
    case SB_KEY_POW2:
        return number_store(key, value, at);
    case SB_KEY_WORDS:
        return word_store(key, value, at);
    case SB_KEY_DATE:
        return date_store(value, at);
    case SB_KEY_IPV4:
        if (!ipv4_read(value, &ipv4))
            return false;
        uint_store(at, key->size, ipv4);
        return true;
    case SB_KEY_ADDR:
    case SB_KEY_HOST_ADDR:
        return addr_store(value, at);
    case SB_KEY_LCORE:
        return lcore_store(key, value, at);
    case SB_KEY_SPEC:
        return spec_store(key, value, at);
    case SB_KEY_FOLDER:
    case SB_KEY_FILE:
        return path_store(key, value, at);
    case SB_KEY_SYMBOL:
        return symbol_store(key, value, at);
    }
    return false;
}

const char *sb_config_keys_accepted(const struct sb_config_key *key,
                                    char text[SB_CONFIG_ACCEPTED_BYTES])
{
    const size_t size = SB_CONFIG_ACCEPTED_BYTES;
    switch (key->type) {
    case SB_KEY_UINT:
    case SB_KEY_POW2:
        snprintf(text, size, "%s from %" PRIu64 " to %" PRIu64,
                 key->type == SB_KEY_POW2 ? "a power of two" : "a whole number", key->min,
                 key->max);
        break;
    case SB_KEY_WORDS:
        snprintf(text, size, strchr(key->words, '|') != NULL ? "one of %s" : "%s", key->words);
        break;
    case SB_KEY_DATE:
        snprintf(text, size, "today, or a date as yyyymmdd");
        break;
    case SB_KEY_IPV4:
        snprintf(text, size, "an IPv4 address a.b.c.d");
        break;
    case SB_KEY_ADDR:
        snprintf(text, size, "an IPv4 multicast group and UDP port a.b.c.d:port");
        break;
    case SB_KEY_HOST_ADDR:
        snprintf(text, size, "an IPv4 address and TCP port a.b.c.d:port");
        break;
    case SB_KEY_LCORE:
        snprintf(text, size, "none, or a core from 0 to %" PRIu64, key->max);
        break;
    case SB_KEY_SPEC:
        snprintf(text, size,
                 "af_xdp:iface=NAME, af_packet:iface=NAME, memif:socket=PATH,role=server|client or "
                 "pci:ADDRESS, without spaces, at most %zu characters",
                 key->size - 1);
        break;
    case SB_KEY_FOLDER:
        snprintf(text, size, "the absolute path of a folder, at most %zu characters",
                 key->size - 1);
        break;
    case SB_KEY_FILE:
        snprintf(text, size, "the absolute path of a file, at most %zu characters", key->size - 1);
        break;
    case SB_KEY_SYMBOL:
        snprintf(text, size, "1 to 8 characters without spaces");
        break;
    }
    return text;
}
