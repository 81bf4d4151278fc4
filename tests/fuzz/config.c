/* config.c: any bytes as a configuration file. A refusal names the file in each of at most 21 lines and keeps nothing; what
 * is taken keeps the limits that the rest relies on, says nothing, and is the same with other line ends.
 *
 * Not judged: whether a value is the one that its line says (tests/config). */
#include <string.h>

#include "replica/config_keys.h"
#include "replica/genesis.h"
#include "replica/node.h"
#include "shadowbook/command.h"
#include "shadowbook/config.h"
#include "tests/fuzz/file.h"
#include "tests/fuzz/fuzz.h"

#include "shadowbook/assert.h"

/* A node can sequence it. */
static void definition_judge(const struct sb_instrument_config *in, uint32_t index)
{
    struct sb_command2 c;
    sb_genesis_instrument(in, index, &c);
    SB_ASSERT(sb_command_valid(&c.c, 2));
}

static void sessions_judge(const struct sb_config *c)
{
    SB_ASSERT(c->sessions_n >= 1 && c->sessions_n <= c->limits.sessions_max);
    for (uint32_t i = 1; i <= c->sessions_n; i++) {
        struct sb_command2 session;
        sb_genesis_session(&c->sessions[i], i, &session);
        SB_ASSERT(sb_command_valid(&session.c, 2));
        SB_ASSERT(c->sessions[i].quantity_max <= SB_QUANTITY_MAX);
    }
}

static void instruments_judge(const struct sb_config *c)
{
    SB_ASSERT(c->instruments_n >= 1 && c->instruments_n <= c->limits.instruments_max);
    for (uint32_t i = 1; i <= c->instruments_n; i++) {
        const struct sb_instrument_config *in = &c->instruments[i];
        if (!in->present)
            continue;
        SB_ASSERT(in->tick > 0 && in->price_min > 0 && in->price_max <= SB_PRICE_MAX);
        SB_ASSERT(in->price_min % in->tick == 0 && in->price_max % in->tick == 0);
        SB_ASSERT(in->lot >= 1 && in->lot <= in->quantity_max &&
                  in->quantity_max <= SB_QUANTITY_MAX && in->phase <= SB_PHASE_HALTED);
        SB_ASSERT(in->reference_price == 0 ||
                  (in->reference_price % in->tick == 0 && in->reference_price >= in->price_min &&
                   in->reference_price <= in->price_max));
        SB_ASSERT(in->pause_ms == 0 || (in->band_action == SB_BAND_PAUSE && c->timer_ns != 0));
        SB_ASSERT(in->band_action != SB_BAND_PAUSE || in->dynamic_band != 0);
        SB_ASSERT(in->pro_rata_min == 0 || in->matching == SB_MATCH_PRO_RATA);
        definition_judge(in, i);
        for (size_t k = 0; k < sizeof in->symbol; k++)
            SB_ASSERT(in->symbol[k] >= ' ' && in->symbol[k] <= '~');
    }
}

static void config_judge(const struct sb_config *c)
{
    SB_ASSERT(sb_engine_limits_error(&c->limits) == NULL);
    SB_ASSERT(c->shard <= SB_SHARD_MAX && c->generation <= SB_SHARD_MAX && c->primary <= 1);
    SB_ASSERT(c->heartbeat_ns != 0 && c->heartbeat_ns <= c->suspect_after_ns / 3);
    SB_ASSERT(c->suspect_after_ns < c->takeover_after_ns);
    SB_ASSERT(c->takeover_after_ns < c->solo_after_ns);
    SB_ASSERT_EQ(c->requests.ipv4, c->orders.ipv4);
    SB_ASSERT(c->nodes[0].present && c->nodes[1].present && c->witness.present);
    for (int i = 0; i < 2; i++)
        for (int r = 0; r < SB_PORT_ROLES; r++)
            SB_ASSERT(memchr(c->nodes[i].ports[r], 0, sizeof c->nodes[i].ports[r]) != NULL);
    sessions_judge(c);
    instruments_judge(c);
    SB_ASSERT(sb_node_footprint(c) > c->hold_bytes);
}

/* Loads the text; false: refused as it must be. */
static bool load(struct sb_config *c, const char *path, const void *text, size_t n)
{
    fuzz_file_put(path, text, n);
    FILE *err = fuzz_listen();
    const bool good = sb_config_load(c, path, err);
    const char *said = fuzz_heard(err);
    if (good) {
        SB_ASSERT_EQ(said[0], 0);
        return true;
    }
    fuzz_refusal_judge(said, path, SB_CONFIG_ERRORS_MAX + 1);
    SB_ASSERT(c->instruments == NULL && c->instruments_n == 0);
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct sb_config c, again; /* too large for a stack */
    static uint8_t text[2 * FUZZ_INPUT_MAX];
    const char *path = fuzz_path("shadowbook.conf");
    if (size > FUZZ_INPUT_MAX)
        return 0;
    const bool good = load(&c, path, data, size);
    size_t n = 0;
    for (size_t i = 0; i < size; i++) {
        if (data[i] == '\n')
            text[n++] = '\r';
        text[n++] = data[i];
    }
    SB_ASSERT_EQ(load(&again, path, text, n), good);
    if (!good)
        return 0;
    config_judge(&c);
    SB_ASSERT_EQ(c.instruments_n, again.instruments_n);
    SB_ASSERT_EQ(
        memcmp(c.instruments, again.instruments, (c.instruments_n + 1) * sizeof *c.instruments), 0);
    sb_config_free(&c);
    sb_config_free(&again);
    SB_ASSERT_EQ(memcmp(&c, &again, sizeof c), 0);
    return 0;
}

static const char *const SHARD = "[shard]\nshard = 1295\n";
static const char *const NET = "[net]\n"
                               "orders = 239.193.1.1:31001\n"
                               "requests_port = 31002\n"
                               "replication = 239.193.1.2:31003\n"
                               "feed_a = 239.193.1.3:31004\n"
                               "feed_b = 239.193.1.4:31005\n"
                               "client_port = 31006\n";
static const char *const HOSTS = "[node A]\nipv4 = 10.77.0.1\nport_clients = af_xdp:iface=sb0\n"
                                 "[node B]\nipv4 = 10.77.0.2\nport_clients = af_xdp:iface=sb0\n"
                                 "[witness W]\nipv4 = 10.77.0.3\nport_witness = pci:01:00.0\n";
static const char *const TABLES = "[session 1]\nfirm = 1\ntoken = 0x5eed000000000001\n"
                                  "[instrument 1]\nsymbol = SHADOW\n";
static const char *const REST = "# comment\n[timing]\nheartbeat_us = 5\nsuspect_after_us = 20\n"
                                "[memory] ; more\nlog_lines = 1048576\nhugepages = no\n"
                                "[engine]\norders_max = 1024\nwindow_levels = 1024\n"
                                "[client]\nipv4 = 10.77.0.4\nidle = yield\nlcore = 1\n"
                                "port_clients = memif:socket=s,role=server\n"
                                "[session 2]\nfirm = 2\ntoken = 3\nstp = decrement\n"
                                "stp_group = 4\norders_max = 5\nquantity_max = 6\n"
                                "notional_max = 7\n"
                                "[instrument 2]\nsymbol = RULES\nmatching = pro-rata\n"
                                "pro_rata_min = 2\ntie = lowest\nreference_price_e4 = 100000\n"
                                "static_band_bp = 500\ndynamic_band_bp = 250\n"
                                "band_action = pause\npause_ms = 5000\nnotional_max = 9\n";

uint32_t fuzz_seed(uint32_t i, uint8_t *out)
{
    if (i >= 4)
        return 0;
    return (uint32_t)snprintf((char *)out, FUZZ_INPUT_MAX, "%s%s%s%s%s", i == 3 ? "" : SHARD,
                              i == 3 ? "" : NET, HOSTS, TABLES, i == 0 ? "" : REST);
}
