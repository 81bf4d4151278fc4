/* The configuration file: what is read, what is refused, and that the example and the man page are complete.
 *
 * Not covered: the arguments behind a port's driver (nic/dpdk reads them). */
#include <assert.h>
#include <check.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "replica/config_keys.h"
#include "shadowbook/config.h"

/* A file that is accepted; tests put something before or behind it, or change one line. */
static const char GOOD[] = "[shard]\n"
                           "shard = 7\n"
                           "[net]\n"
                           "orders = 239.1.0.1:1001\n"
                           "requests_port = 1002\n"
                           "replication = 239.1.0.2:1003\n"
                           "feed_a = 239.1.0.3:1004\n"
                           "feed_b = 239.1.0.4:1004\n"
                           "client_port = 1005\n"
                           "[node A]\n"
                           "ipv4 = 10.0.0.1\n"
                           "port_clients = af_xdp:iface=a\n"
                           "[node B]\n"
                           "ipv4 = 10.0.0.2\n"
                           "port_clients = af_xdp:iface=b\n"
                           "[witness W]\n"
                           "ipv4 = 10.0.0.3\n"
                           "port_witness = af_xdp:iface=w\n"
                           "[session 1]\n"
                           "firm = 5\n"
                           "token = 9\n"
                           "[instrument 1]\n"
                           "symbol = ABC\n";

static char told[8192]; /* what the last load said */

static bool load_text(struct sb_config *cfg, const char *text, size_t bytes)
{
    char path[] = "/dev/shm/sb-test-config-XXXXXX";
    const int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq((int)write(fd, text, bytes), (int)bytes);
    close(fd);
    memset(told, 0, sizeof told);
    FILE *err = fmemopen(told, sizeof told - 1, "w");
    const bool good = sb_config_load(cfg, path, err);
    fclose(err);
    unlink(path);
    return good;
}

/* GOOD with the line that begins with `line` replaced by `with` ("" removes it) and `more` behind. */
static bool load_changed(struct sb_config *cfg, const char *line, const char *with,
                         const char *more)
{
    char text[8192];
    size_t length = 0;
    bool found = line == NULL;
    for (const char *at = GOOD; *at != '\0';) {
        const size_t n = strcspn(at, "\n") + 1;
        const bool hit = !found && strncmp(at, line, strlen(line)) == 0;
        length += (size_t)snprintf(text + length, sizeof text - length, "%.*s",
                                   hit ? (int)strlen(with) : (int)n, hit ? with : at);
        if (hit && *with != '\0')
            length += (size_t)snprintf(text + length, sizeof text - length, "\n");
        found |= hit;
        at += n;
    }
    ck_assert(found);
    length += (size_t)snprintf(text + length, sizeof text - length, "%s", more);
    return load_text(cfg, text, length);
}

static void expect_error(const char *line, const char *with, const char *more,
                         const char *const parts[])
{
    static struct sb_config cfg;
    ck_assert_msg(!load_changed(&cfg, line, with, more), "accepted: %s %s", with, more);
    for (size_t i = 0; parts[i] != NULL; i++)
        ck_assert_msg(strstr(told, parts[i]) != NULL, "no \"%s\" in: %s", parts[i], told);
    ck_assert_msg(strstr(told, "accepted") != NULL || strstr(told, "needed") != NULL, "%s", told);
    ck_assert_ptr_null(cfg.instruments);
}
#define EXPECT(line, with, more, ...)                                                              \
    expect_error(line, with, more, (const char *const[]){__VA_ARGS__, NULL})

START_TEST(values_arrive_in_their_fields)
{
    static struct sb_config cfg;
    ck_assert_msg(load_changed(&cfg, NULL, "",
                               "quantity_max = 500\ntick_e4 = 50\nphase = auction ; a remark\n"
                               "[timing]\nheartbeat_us = 6\nclient_heartbeat_ms = 3\n"
                               "[session 3]\nfirm=2\ntoken=0xFfffffffffffffff\noperator = yes\n"
                               "[memory]\n  hugepages = no\nlog_lines = 262144\n"
                               "[client]\nipv4=10.0.0.9\nlcore=3\nidle=yield\n"
                               "port_clients=memif:socket=s,role=client\n"),
                  "%s", told);
    ck_assert_str_eq(told, "");
    ck_assert_uint_eq(cfg.shard, 7);
    ck_assert_uint_eq(cfg.orders.ipv4, 0xEF010001u);
    ck_assert_uint_eq(cfg.orders.port, 1001);
    ck_assert_uint_eq(cfg.requests.ipv4, 0xEF010001u);
    ck_assert_uint_eq(cfg.requests.port, 1002);
    ck_assert_uint_eq(cfg.client_port, 1005);
    ck_assert_uint_eq(cfg.nodes[1].ipv4, 0x0A000002u);
    ck_assert_str_eq(cfg.nodes[1].ports[SB_PORT_CLIENTS], "af_xdp:iface=b");
    ck_assert_str_eq(cfg.nodes[1].name, "B");
    ck_assert_int_eq(cfg.nodes[1].lcore, -1);
    ck_assert_str_eq(cfg.witness.ports[SB_PORT_WITNESS], "af_xdp:iface=w");
    ck_assert(cfg.client.present && cfg.client.lcore == 3 && cfg.client.idle == SB_IDLE_YIELD);
    ck_assert_uint_eq(cfg.heartbeat_ns, 6000);
    ck_assert_uint_eq(cfg.client_heartbeat_ns, 3000000);
    ck_assert(!cfg.hugepages);
    ck_assert_uint_eq(cfg.log_lines, 262144);
    ck_assert_uint_eq(cfg.sessions_n, 3);
    ck_assert(cfg.sessions[1].present && !cfg.sessions[2].present && cfg.sessions[3].present);
    ck_assert(!cfg.sessions[1].operator_right && cfg.sessions[3].operator_right);
    ck_assert_uint_eq(cfg.sessions[1].firm, 5);
    ck_assert_uint_eq(cfg.sessions[3].token, UINT64_MAX);
    ck_assert_uint_eq(cfg.instruments_n, 1);
    ck_assert_int_eq(memcmp(cfg.instruments[1].symbol, "ABC     ", 8), 0);
    ck_assert_int_eq(cfg.instruments[1].tick, 50);
    ck_assert_int_eq(cfg.instruments[1].price_min, 50);
    ck_assert_int_eq(cfg.instruments[1].price_max, SB_PRICE_MAX);
    ck_assert_uint_eq(cfg.instruments[1].quantity_max, 500);
    ck_assert_uint_eq(cfg.instruments[1].phase, SB_PHASE_AUCTION);
    sb_config_free(&cfg);
    ck_assert_ptr_null(cfg.instruments);
}
END_TEST

/* Words in the order in which command.h numbers them. */
static const char *const STP[] = {"none", "cancel-newest", "cancel-oldest", "cancel-both",
                                  "decrement"};
static const char *const MATCHING[] = {"price-time", "pro-rata"};
static const char *const TIE[] = {"pressure", "reference", "highest", "lowest"};
static const char *const BAND_ACTION[] = {"cancel", "pause"};
static_assert(SB_STP_NONE == 0 && SB_STP_CANCEL_NEWEST == 1 && SB_STP_CANCEL_OLDEST == 2 &&
                  SB_STP_CANCEL_BOTH == 3 && SB_STP_DECREMENT == 4,
              "as in STP");
static_assert(SB_MATCH_PRICE_TIME == 0 && SB_MATCH_PRO_RATA == 1, "as in MATCHING");
static_assert(SB_TIE_PRESSURE == 0 && SB_TIE_REFERENCE == 1 && SB_TIE_HIGHEST == 2 &&
                  SB_TIE_LOWEST == 3,
              "as in TIE");
static_assert(SB_BAND_CANCEL == 0 && SB_BAND_PAUSE == 1, "as in BAND_ACTION");

START_TEST(rules_of_instruments_and_sessions)
{
    static struct sb_config cfg;
    ck_assert_msg(load_changed(&cfg, NULL, "", "[session 2]\nfirm = 6\ntoken = 1\n"), "%s", told);
    const struct sb_instrument_config *in = &cfg.instruments[1];
    ck_assert_uint_eq(in->matching,
                      SB_MATCH_PRICE_TIME); /* without the keys: no rules, no limits */
    ck_assert_uint_eq(in->tie, SB_TIE_PRESSURE);
    ck_assert_uint_eq(in->band_action, SB_BAND_CANCEL);
    ck_assert_uint_eq(in->static_band + in->dynamic_band + in->pause_ms + in->notional_max +
                          in->reference_price + in->pro_rata_min,
                      0);
    const struct sb_session_config *s = &cfg.sessions[2];
    ck_assert_uint_eq(s->stp, SB_STP_NONE);
    ck_assert_uint_eq(s->stp_group + s->orders_max + s->quantity_max + s->notional_max, 0);
    sb_config_free(&cfg);

    ck_assert_msg(
        load_changed(&cfg, NULL, "",
                     "matching = pro-rata\npro_rata_min = 3\ntie = highest\n"
                     "reference_price_e4 = 100500\nstatic_band_bp = 1000\n"
                     "dynamic_band_bp = 250\nband_action = pause\npause_ms = 86400000\n"
                     "notional_max = 4000000000\n"
                     "[session 2]\nfirm = 6\ntoken = 1\nstp = cancel-both\n"
                     "stp_group = 4294967295\norders_max = 12\nquantity_max = 2000000000\n"
                     "notional_max = 4294967295\n"
                     "[engine]\norders_max = 1024\nterms_max = 64\n"),
        "%s", told);
    in = &cfg.instruments[1];
    ck_assert_uint_eq(in->matching, SB_MATCH_PRO_RATA);
    ck_assert_uint_eq(in->pro_rata_min, 3);
    ck_assert_uint_eq(in->tie, SB_TIE_HIGHEST);
    ck_assert_uint_eq(in->reference_price, 100500);
    ck_assert_uint_eq(in->static_band, 1000);
    ck_assert_uint_eq(in->dynamic_band, 250);
    ck_assert_uint_eq(in->band_action, SB_BAND_PAUSE);
    ck_assert_uint_eq(in->pause_ms, 86400000);
    ck_assert_uint_eq(in->notional_max, 4000000000u);
    ck_assert_uint_eq(s->stp, SB_STP_CANCEL_BOTH);
    ck_assert_uint_eq(s->stp_group, UINT32_MAX);
    ck_assert_uint_eq(s->orders_max, 12);
    ck_assert_uint_eq(s->quantity_max, SB_QUANTITY_MAX);
    ck_assert_uint_eq(s->notional_max, UINT32_MAX);
    ck_assert_uint_eq(cfg.sessions[1].stp + cfg.sessions[1].orders_max, 0);
    sb_config_free(&cfg);
}
END_TEST

/* Each word of a key is the one that command.h means. */
static void words(const char *key, const char *const all[], size_t n, const char *more,
                  size_t offset, bool session)
{
    static struct sb_config cfg;
    for (size_t i = 0; i < n; i++) {
        char text[128];
        snprintf(text, sizeof text, "%s%s = %s\n%s",
                 session ? "[session 2]\nfirm = 6\ntoken = 1\n" : "", key, all[i], more);
        ck_assert_msg(load_changed(&cfg, NULL, "", text), "%s", told);
        const void *base = session ? (const void *)&cfg.sessions[2] : &cfg.instruments[1];
        ck_assert_uint_eq(*((const uint8_t *)base + offset), i);
        sb_config_free(&cfg);
    }
}

START_TEST(words_of_rules)
{
    words("stp", STP, 5, "", offsetof(struct sb_session_config, stp), true);
    words("matching", MATCHING, 2, "[engine]\norders_max = 1024\nterms_max = 64\n",
          offsetof(struct sb_instrument_config, matching), false);
    words("tie", TIE, 4, "", offsetof(struct sb_instrument_config, tie), false);
    words("band_action", BAND_ACTION, 2, "dynamic_band_bp = 1\n",
          offsetof(struct sb_instrument_config, band_action), false);
}
END_TEST

START_TEST(bad_values_of_rules)
{
    static const struct {
        const char *line, *accepted;
    } bad[] = {
        {"static_band_bp = 65536", "from 0 to 65535"},
        {"static_band_bp = 2.5", "from 0 to 65535"},
        {"dynamic_band_bp = 65536", "from 0 to 65535"},
        {"dynamic_band_bp = -1", "from 0 to 65535"},
        {"band_action = halt", "cancel|pause"},
        {"pause_ms = 86400001", "from 0 to 86400000"},
        {"reference_price_e4 = 1999999901", "from 0 to 1999999900"},
        {"notional_max = 4294967296", "from 0 to 4294967295"},
        {"matching = fifo", "price-time|pro-rata"},
        {"pro_rata_min = 2000000001", "from 0 to 2000000000"},
        {"tie = middle", "pressure|reference|highest|lowest"},
        {"stp = yes", "unknown key stp"}, /* of a session */
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        EXPECT(NULL, "", bad[i].line, ":24: ", bad[i].accepted);
    static const struct {
        const char *line, *accepted;
    } bad_session[] = {
        {"[session 2]\nfirm = 6\ntoken = 1\nstp = cancel", "none|cancel-newest|cancel-oldest|"},
        {"[session 2]\nfirm = 6\ntoken = 1\nstp_group = 4294967296", "from 0 to 4294967295"},
        {"[session 2]\nfirm = 6\ntoken = 1\norders_max = 4294967296", "from 0 to 4294967295"},
        {"[session 2]\nfirm = 6\ntoken = 1\nquantity_max = 2000000001", "from 0 to 2000000000"},
        {"[session 2]\nfirm = 6\ntoken = 1\nnotional_max = none", "from 0 to 4294967295"},
        {"[session 2]\nfirm = 6\ntoken = 1\ntie = lowest", "unknown key tie"},
    };
    for (size_t i = 0; i < sizeof bad_session / sizeof bad_session[0]; i++)
        EXPECT(NULL, "", bad_session[i].line, ":27: ", bad_session[i].accepted);
}
END_TEST

/* Each key good by itself: what the engine would ignore, and what would do nothing. */
START_TEST(rules_that_do_not_go_together)
{
    static struct sb_config cfg;
    const char *limits = "tick_e4 = 50\nprice_min_e4 = 1000\nprice_max_e4 = 2000\n";
    static const struct {
        const char *reference;
        bool good;
    } references[] = {{"0", true},    {"1000", true},  {"1050", true},  {"2000", true},
                      {"950", false}, {"2050", false}, {"1025", false}, {"1", false}};
    for (size_t i = 0; i < sizeof references / sizeof references[0]; i++) {
        char text[256];
        snprintf(text, sizeof text, "%sreference_price_e4 = %s\n", limits, references[i].reference);
        if (!references[i].good) {
            EXPECT(NULL, "", text, "[instrument 1] reference_price_e4 = ", references[i].reference,
                   "tick_e4 = 50", "1000", "2000");
            continue;
        }
        ck_assert_msg(load_changed(&cfg, NULL, "", text), "%s", told);
        sb_config_free(&cfg);
    }
    EXPECT(NULL, "", "pro_rata_min = 2\n", "[instrument 1] pro_rata_min = 2", "matching");
    EXPECT(NULL, "", "matching = pro-rata\nquantity_max = 10\npro_rata_min = 11\n",
           "[instrument 1] pro_rata_min = 11", "quantity_max = 10");
    EXPECT(NULL, "", "band_action = pause\nstatic_band_bp = 100\n",
           "[instrument 1] band_action = pause", "dynamic_band_bp");
    EXPECT(NULL, "", "dynamic_band_bp = 100\npause_ms = 1\n", "[instrument 1] pause_ms = 1",
           "band_action = pause");
    EXPECT(NULL, "",
           "dynamic_band_bp = 100\nband_action = pause\npause_ms = 1\n[engine]\ntimer_ms = 0\n",
           "[instrument 1] pause_ms = 1", "timer_ms = 0");
    ck_assert_msg(load_changed(&cfg, NULL, "",
                               "dynamic_band_bp = 100\nband_action = pause\n"
                               "[engine]\ntimer_ms = 0\n"), /* the operator ends it */
                  "%s", told);
    sb_config_free(&cfg);
}
END_TEST

START_TEST(the_journal)
{
    static struct sb_config cfg;
    ck_assert_msg(load_changed(&cfg, NULL, "", ""), "%s", told);
    ck_assert_str_eq(cfg.journal_dir, ""); /* none, unless one is asked for */
    ck_assert_int_eq(cfg.nodes[0].journal_lcore, -1);
    ck_assert_int_eq((int)cfg.journal_error, SB_JOURNAL_STOP);
    sb_config_free(&cfg);
    ck_assert_msg(load_changed(&cfg, "port_clients = af_xdp:iface=a",
                               "port_clients = af_xdp:iface=a\nlcore = 2\njournal_lcore = 3",
                               "[journal]\ndir = /var/lib/shadowbook\nsegment_mib = 3\n"
                               "keep_segments = 4\nring_mib = 8\nlag_max_ms = 20\n"
                               "error = degrade\n"),
                  "%s", told);
    ck_assert_str_eq(cfg.journal_dir, "/var/lib/shadowbook");
    ck_assert_uint_eq(cfg.journal_segment_bytes, 3u << 20);
    ck_assert_uint_eq(cfg.journal_keep_segments, 4);
    ck_assert_uint_eq(cfg.journal_ring_bytes, 8u << 20);
    ck_assert_uint_eq(cfg.journal_lag_max_ns, 20000000);
    ck_assert_int_eq((int)cfg.journal_error, SB_JOURNAL_DEGRADE);
    ck_assert_int_eq(cfg.nodes[0].journal_lcore, 3);
    sb_config_free(&cfg);
    EXPECT(NULL, "", "[journal]\ndir = relative\n", ":25: ", "absolute path");
    EXPECT(NULL, "",
           "[journal]\ndir = /a\n[memory]\nlog_lines = 4096\nunacked_lines = 1024\n"
           "[timing]\nlag_max_inputs = 1000\n",
           "[memory] log_lines = 4096: at least 8192");
    EXPECT(NULL, "", "[journal]\nring_mib = 3\n", ":25: ", "power of two");
    EXPECT("port_clients = af_xdp:iface=a",
           "port_clients = af_xdp:iface=a\nlcore = 3\njournal_lcore = 3", "",
           "[node A] journal_lcore = lcore = 3");
}
END_TEST

START_TEST(words_and_dates)
{
    static struct sb_config cfg;
    ck_assert_msg(load_changed(&cfg, "shard = 7",
                               "shard = 1295\ntrading_day = 20240229\nrelease = logged\n"
                               "divergence = primary-continues\nprimary = B",
                               ""),
                  "%s", told);
    ck_assert_uint_eq(cfg.trading_day, 20240229);
    ck_assert_int_eq((int)cfg.release, SB_RELEASE_LOGGED);
    ck_assert_int_eq((int)cfg.divergence, SB_DIVERGENCE_PRIMARY_CONTINUES);
    ck_assert_uint_eq(cfg.primary, 1);
    sb_config_free(&cfg);
    EXPECT("shard = 7", "shard = 7\ntrading_day = 20230229", "", ":3: ", "20230229", "yyyymmdd");
    EXPECT("shard = 7", "shard = 7\nrelease = Verified", "", ":3: ", "verified|logged");
}
END_TEST

START_TEST(single_mistakes_name_line_key_and_what_is_accepted)
{
    EXPECT("shard = 7", "shard = 1296", "", ":2: ", "shard = 1296", "from 0 to 1295");
    EXPECT("shard = 7", "shard = -1", "", ":2: ", "shard = -1");
    EXPECT("shard = 7", "shard = 7x", "", ":2: ", "7x");
    EXPECT("shard = 7", "shard =", "", ":2: ", "shard");
    EXPECT("shard = 7", "shard = 18446744073709551617", "", ":2: ");
    EXPECT("shard = 7", "", "", ":1: ", "[shard] has no shard");
    EXPECT("shard = 7", "shrad = 7", "", ":2: ", "unknown key shrad", "generation", ":1: ");
    EXPECT("shard = 7", "shard = 7\nshard = 7", "", ":3: ", "twice");
    EXPECT("[shard]", "shard = 1", "", ":1: ", "before the first section");
    EXPECT("[shard]", "[shart]", "", ":1: ", "unknown section [shart]", "[shard]");
    EXPECT("[shard]", "[shard", "", ":1: ", "heading");
    EXPECT("shard = 7", "shard", "", ":2: ", "key = value");
    EXPECT("orders", "orders = 239.1.0.1", "", ":4: ", "orders", "port");
    EXPECT("orders", "orders = 239.1.0.256:1", "", ":4: ");
    EXPECT("requests_port", "requests_port = 0", "", ":5: ", "from 1 to 65535");
    EXPECT("ipv4 = 10.0.0.1", "ipv4 = host", "", ":11: ", "IPv4");
    EXPECT("port_clients = af_xdp:iface=a", "port_clients = eth0", "", ":12: ", "af_xdp:iface=");
    EXPECT("symbol", "symbol = ABCDEFGHI", "", ":23: ", "8 characters");
    EXPECT("token", "token = 0", "", ":21: ", "from 1 to 18446744073709551615");
    EXPECT("[session 1]", "[session 0]", "", ":19: ", "session 1..1024");
    EXPECT("[session 1]", "[session 1025]", "", ":19: ", "unknown section");
    EXPECT("[session 1]", "[session 1x]", "", ":19: ", "unknown section");
    EXPECT(NULL, "", "[session 1]\n", ":24: ", "twice");
    EXPECT(NULL, "", "[net]\n", ":24: ", "twice");
    EXPECT(NULL, "", "[nothing in it]\n", ":24: ", "unknown section");
    EXPECT(NULL, "", "[memory]\nlog_lines = 1000000\n", ":25: ", "power of two");
    EXPECT(NULL, "", "[instrument 65536]\n", ":24: ", "instrument 1..65535");
}
END_TEST

START_TEST(mistakes_between_keys)
{
    EXPECT(NULL, "", "[timing]\nsuspect_after_us = 60\n", "suspect_after_us = 60",
           "takeover_after_us");
    EXPECT(NULL, "", "[timing]\nheartbeat_us = 7\n", "heartbeat_us = 7", "third");
    EXPECT(NULL, "", "[timing]\ngap_after_us = 61\n", "gap_after_us = 61");
    EXPECT(NULL, "", "[timing]\nsolo_after_us = 60\n", "solo_after_us = 60");
    EXPECT(NULL, "", "[timing]\nlag_max_inputs = 524289\n", "lag_max_inputs");
    /* 1032192 orders of 228 bytes, 16384 icebergs of 20 slices of 304, and what a packet and its frames add: the power of two
     * below is refused. */
    EXPECT(NULL, "", "[memory]\nhold_bytes = 268435456\n", "hold_bytes", "374551994",
           "terms_max = 16384");
    EXPECT(NULL, "", "[engine]\nterms_max = 65536\n", "hold_bytes", "terms_max = 65536");
    EXPECT(NULL, "", "[memory]\nhold_bytes = 600000000\n", "hold_bytes", "power of two");
    EXPECT(NULL, "", "[memory]\nunacked_lines = 524289\n", "unacked_lines");
    EXPECT("[session 1]", "[session 129]", "", "session 129", "sessions_max = 128");
    EXPECT("[instrument 1]", "[instrument 129]", "", "instrument 129", "instruments_max = 128");
    EXPECT("orders", "orders = 10.1.0.1:1001", "", "multicast");
    EXPECT("replication", "replication = 239.1.0.2:1001", "", "replication", "1001");
    EXPECT("requests_port", "requests_port = 1001", "", "requests_port", "1001");
    EXPECT("feed_b", "feed_b = 239.1.0.3:1004", "", "feed_b", "feed_a");
    EXPECT("ipv4 = 10.0.0.2", "ipv4 = 10.0.0.1", "", "same ipv4");
    EXPECT("ipv4 = 10.0.0.2", "ipv4 = 239.0.0.1", "", "unicast");
    EXPECT("port_clients = af_xdp:iface=a", "port_peer = af_xdp:iface=a", "", "port_clients");
    EXPECT(NULL, "", "[instrument 2]\nsymbol = ABC\n", "same symbol ABC");
    EXPECT(NULL, "", "price_min_e4 = 150\n", "multiples");
    EXPECT(NULL, "", "lot = 20\nquantity_max = 10\n", "quantity_max");
    static struct sb_config cfg;
    ck_assert_msg(load_changed(&cfg, NULL, "", "[memory]\nhold_bytes = 536870912\n"), "%s", told);
    sb_config_free(&cfg);
}
END_TEST

START_TEST(hosts_sessions_and_instruments_are_needed)
{
    static struct sb_config cfg;
    const char text[] = "[shard]\nshard = 1\n[net]\norders = 239.1.0.1:1001\nrequests_port = 2\n"
                        "replication = 239.1.0.2:3\nfeed_a = 239.1.0.3:4\nfeed_b = 239.1.0.3:5\n"
                        "client_port = 6\n";
    ck_assert(!load_text(&cfg, text, sizeof text - 1));
    static const char *const parts[] = {"[node A]", "[node B]", "[witness W]", "[session N]",
                                        "[instrument N]"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        ck_assert_msg(strstr(told, parts[i]) != NULL, "no %s: %s", parts[i], told);
    ck_assert_ptr_null(strstr(told, "[client]"));
    ck_assert(!load_text(&cfg, "", 0));
    ck_assert_ptr_nonnull(strstr(told, "[shard]"));
    ck_assert_ptr_nonnull(strstr(told, "[net]"));
}
END_TEST

static unsigned lines_told(void)
{
    unsigned n = 0;
    for (const char *at = told; (at = strchr(at, '\n')) != NULL; at++)
        n++;
    return n;
}

START_TEST(all_mistakes_are_shown_up_to_twenty)
{
    static struct sb_config cfg;
    ck_assert(!load_changed(&cfg, "shard = 7", "shard = x",
                            "[timing]\nheartbeat_us = 0\ngap = 1\nsolo_after_us\n"));
    ck_assert_uint_eq(lines_told(), 4);
    char many[2048] = "";
    for (int i = 0; i < 40; i++)
        strcat(many, "wrong = 1\n");
    ck_assert(!load_changed(&cfg, NULL, "", many));
    ck_assert_uint_eq(lines_told(), SB_CONFIG_ERRORS_MAX + 1);
    ck_assert_ptr_nonnull(strstr(told, "more errors"));
}
END_TEST

START_TEST(odd_bytes_end_as_errors)
{
    static struct sb_config cfg;
    char text[4096];
    const size_t n = sizeof GOOD - 1;
    memcpy(text, GOOD, n);
    memcpy(text + n, "lot\0= 1\n", 8);
    ck_assert(!load_text(&cfg, text, n + 8));
    ck_assert_ptr_nonnull(strstr(told, ":24: "));
    memset(text + n, 'x', 300);
    ck_assert(!load_text(&cfg, text, n + 300)); /* longer than the library's buffer, no newline */
    ck_assert_ptr_nonnull(strstr(told, ":24: "));
    text[n] = '#'; /* but a comment may be long */
    ck_assert_msg(load_text(&cfg, text, n + 300), "%s", told);
    sb_config_free(&cfg);
    for (size_t cut = 0; cut < n; cut++) { /* cut anywhere: told or, at the very end, taken */
        if (load_text(&cfg, GOOD, cut))
            sb_config_free(&cfg);
        else
            ck_assert_uint_gt(lines_told(), 0);
    }
    char windows[2 * sizeof GOOD];
    size_t w = (size_t)snprintf(windows, sizeof windows, "\xEF\xBB\xBF");
    for (size_t i = 0; i < n; i++) {
        if (GOOD[i] == '\n')
            windows[w++] = '\r';
        windows[w++] = GOOD[i];
    }
    ck_assert_msg(load_text(&cfg, windows, w), "%s", told);
    sb_config_free(&cfg);
}
END_TEST

START_TEST(a_missing_file_is_an_error)
{
    static struct sb_config cfg;
    memset(told, 0, sizeof told);
    FILE *err = fmemopen(told, sizeof told - 1, "w");
    ck_assert(!sb_config_load(&cfg, "/dev/shm/no such file", err));
    ck_assert(!sb_config_load(&cfg, "/dev/shm", err));
    fclose(err);
    ck_assert_ptr_nonnull(strstr(told, "/dev/shm/no such file: cannot open"));
    ck_assert_ptr_nonnull(strstr(told, "cannot read on"));
}
END_TEST

static char *slurp(const char *path)
{
    FILE *file = fopen(path, "r");
    ck_assert_msg(file != NULL, "cannot open %s", path);
    char *text = calloc(1, 1 << 17);
    ck_assert_ptr_nonnull(text);
    ck_assert_uint_gt(fread(text, 1, (1 << 17) - 1, file), 0);
    fclose(file);
    return text;
}

/* Does some line of text consist of `before`, the key, and then one of the characters of `after`? */
static bool has_key(const char *text, const char *before, const char *key, const char *after)
{
    char start[96];
    snprintf(start, sizeof start, "%s%s", before, key);
    for (const char *at = text; (at = strstr(at, start)) != NULL; at++) {
        if ((at == text || at[-1] == '\n') && strchr(after, at[strlen(start)]) != NULL)
            return true;
    }
    return false;
}

START_TEST(example_and_man_page_have_every_key)
{
    static struct sb_config cfg, defaults;
    const char *example = SB_SOURCE_FOLDER "/scripts/shadowbook.conf";
    ck_assert(sb_config_load(&cfg, example, stderr));
    char *text = slurp(example), *page = slurp(SB_SOURCE_FOLDER "/scripts/man/shadowbook.conf.5");
    size_t n;
    const struct sb_config_key *keys = sb_config_keys(&n);
    for (size_t i = 0; i < n; i++) {
        const char *key = keys[i].key;
        ck_assert_msg(has_key(text, "", key, " ") || has_key(text, "# ", key, " "),
                      "the example has no %s", key);
        ck_assert_msg(has_key(page, ".It Cm ", key, " \n"), "the man page has no %s", key);
    }
    free(text);
    free(page);

    /* It says of its values that they are the defaults. */
    sb_config_defaults(&defaults);
    ck_assert_int_eq(memcmp(&cfg.limits, &defaults.limits, sizeof cfg.limits), 0);
    ck_assert_uint_eq(cfg.log_lines, defaults.log_lines);
    ck_assert_uint_eq(cfg.unacked_lines, defaults.unacked_lines);
    ck_assert_uint_eq(cfg.hold_bytes, defaults.hold_bytes);
    ck_assert_uint_eq(cfg.retain_packets, defaults.retain_packets);
    ck_assert_uint_eq(cfg.pending_bytes, defaults.pending_bytes);
    ck_assert(cfg.hugepages == defaults.hugepages);
    ck_assert_uint_eq(cfg.heartbeat_ns, defaults.heartbeat_ns);
    ck_assert_uint_eq(cfg.suspect_after_ns, defaults.suspect_after_ns);
    ck_assert_uint_eq(cfg.takeover_after_ns, defaults.takeover_after_ns);
    ck_assert_uint_eq(cfg.gap_after_ns, defaults.gap_after_ns);
    ck_assert_uint_eq(cfg.solo_after_ns, defaults.solo_after_ns);
    ck_assert_uint_eq(cfg.lag_max, defaults.lag_max);
    ck_assert_uint_eq(cfg.client_heartbeat_ns, defaults.client_heartbeat_ns);
    ck_assert(cfg.release == defaults.release && cfg.divergence == defaults.divergence);
    ck_assert_uint_eq(cfg.trading_day, defaults.trading_day);
    const struct sb_instrument_config *in = &cfg.instruments[1];
    ck_assert_int_eq(in->matching + in->tie + in->band_action, 0);
    ck_assert_uint_eq(in->static_band + in->dynamic_band + in->pause_ms + in->notional_max +
                          in->reference_price + in->pro_rata_min,
                      0);
    const struct sb_session_config *s = &cfg.sessions[1];
    ck_assert_uint_eq(s->stp + s->stp_group + s->orders_max + s->quantity_max + s->notional_max, 0);
    sb_config_free(&cfg);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("config");
    TCase *tests = tcase_create("config");
    suite_add_tcase(suite, tests);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, values_arrive_in_their_fields);
    tcase_add_test(tests, rules_of_instruments_and_sessions);
    tcase_add_test(tests, words_of_rules);
    tcase_add_test(tests, bad_values_of_rules);
    tcase_add_test(tests, rules_that_do_not_go_together);
    tcase_add_test(tests, the_journal);
    tcase_add_test(tests, words_and_dates);
    tcase_add_test(tests, single_mistakes_name_line_key_and_what_is_accepted);
    tcase_add_test(tests, mistakes_between_keys);
    tcase_add_test(tests, hosts_sessions_and_instruments_are_needed);
    tcase_add_test(tests, all_mistakes_are_shown_up_to_twenty);
    tcase_add_test(tests, odd_bytes_end_as_errors);
    tcase_add_test(tests, a_missing_file_is_an_error);
    tcase_add_test(tests, example_and_man_page_have_every_key);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
