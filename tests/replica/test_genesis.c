/* test_genesis.c: what a configuration file says of sessions and instruments is what both engines do; a node whose file says
 * otherwise than the log does not go on with it; two seeds of the ids' hash show nowhere.
 *
 * Each rule is met once, on the wire, with figures worked out from engine/RULES.md; the rules themselves are for tests/rules. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/state.h"
#include "nic/wire/bytes.h"
#include "nic/wire/entry.h"
#include "nic/wire/ouch.h"
#include "replica/genesis.h"
#include "tests/replica/disk.h"

enum { MS = 1000000, SELF = 1, OTHER = 2, SESSIONS = 3 };

/* --- a configuration from its text ------------------------------------------------------------------ */

static const char HEAD[] = "[shard]\nshard = 1\n"
                           "[engine]\norders_max = 1024\nlevels_max = 256\nterms_max = 64\n"
                           "sessions_max = 4\ninstruments_max = 4\n"
                           "[net]\norders = 239.1.1.1:5001\nrequests_port = 5002\n"
                           "feed_a = 239.1.1.2:5003\nreplication = 239.1.1.3:5004\n"
                           "client_port = 5005\n"
                           "[node A]\nipv4 = 10.0.0.1\nport_clients = af_xdp:iface=a\n"
                           "[node B]\nipv4 = 10.0.0.2\nport_clients = af_xdp:iface=b\n"
                           "[witness W]\nipv4 = 10.0.0.3\nport_witness = af_xdp:iface=w\n";

static struct {
    const char *self, *other, *instrument; /* keys beside those that are needed */
} said;

static void as_said(struct sb_config *c)
{
    static struct sb_config read;
    char path[] = "/dev/shm/sb-test-genesis-XXXXXX";
    const int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    dprintf(fd,
            "%s[session 1]\nfirm = 1\ntoken = 77\noperator = yes\n%s"
            "[session 2]\nfirm = 2\ntoken = 78\n%s"
            "[instrument 1]\nsymbol = TEST\nprice_max_e4 = 1000000\nquantity_max = 1000000\n%s%s",
            HEAD, said.self, said.other,
            strstr(said.instrument, "phase") == NULL ? "phase = continuous\n" : "",
            said.instrument);
    close(fd);
    const bool good = sb_config_load(&read, path, stderr);
    unlink(path);
    ck_assert(good);
    memcpy(c->sessions, read.sessions, sizeof c->sessions);
    c->instruments[1] = read.instruments[1];
    c->timer_ns = read.timer_ns;
    sb_config_free(&read);
}

/* --- a pair and its two clients --------------------------------------------------------------------- */

static struct bench b;
static uint64_t next_message[SESSIONS];
static uint32_t next_key[SESSIONS];
static uint64_t heard_to[SESSIONS]; /* messages of each stream that were looked at */

static void put(uint32_t session, uint64_t number, uint8_t *blocks, uint32_t len)
{
    sb_put16(blocks, (uint16_t)len);
    const struct bench_frame f = bench_entry(&b, session, 76 + session, number, blocks, 2 + len, 1);
    bench_put(&b, 0, &f);
    bench_put(&b, 1, &f);
    bench_run(&b, MS);
}

/* What a session was told since the last time, a word a message: "A", "E10@10500", "C5Q" (reason), "J1d" (reason). */
static const char *heard(uint32_t session)
{
    static char words[1024];
    size_t at = 0;
    words[0] = '\0';
    for (uint32_t i = 0; i < b.client.n; i++) {
        const struct bench_frame *f = &b.client.frames[i];
        struct sb_datagram d;
        struct sb_mold_head h;
        if (sb_udp_parse(f->data, f->len, &d) != SB_UDP_OK || d.dst_ipv4 != BENCH_CLIENT_IP ||
            !sb_mold_read(d.payload, d.bytes, &h) || sb_stream_of_name(h.name) != (int32_t)session)
            continue;
        uint32_t from = SB_MOLD_HEAD_BYTES, len;
        const uint8_t *m;
        for (uint64_t seq = h.seq; (m = sb_mold_next(d.payload, d.bytes, &from, &len)) != NULL;
             seq++) {
            if (seq <= heard_to[session])
                continue;
            ck_assert_uint_eq(seq, heard_to[session] + 1);
            heard_to[session] = seq;
            struct sb_ouch_out o = {.type = (char)m[0]};
            char word[32] = {(char)m[0]};
            if (sb_ouch_read_out(m, len, &o)) {
                if (o.type == 'E')
                    snprintf(word, sizeof word, "E%u@%u", o.quantity, (unsigned)o.price);
                else if (o.type == 'C')
                    snprintf(word, sizeof word, "C%u%c", o.quantity, o.cancel_reason);
                else if (o.type == 'J')
                    snprintf(word, sizeof word, "J%02x", o.reject_reason);
            }
            at += (size_t)snprintf(words + at, sizeof words - at, "%s%s", at != 0 ? " " : "", word);
            ck_assert_uint_lt(at, sizeof words);
        }
    }
    return words;
}

/* A pair with these keys, both sessions logged in. */
static void open_pair(const char *self, const char *other, const char *instrument)
{
    said.self = self;
    said.other = other;
    said.instrument = instrument;
    bench_pair(&b, as_said);
    for (uint32_t s = 0; s < SESSIONS; s++) {
        next_message[s] = next_key[s] = 1;
        heard_to[s] = 0;
    }
    uint8_t blocks[64];
    put(OTHER, 0, blocks, sb_entry_write_login(blocks + 2, 1, BENCH_CLIENT_IP, BENCH_CLIENT_PORT));
    ck_assert_str_eq(heard(SELF), "S L");
    ck_assert_str_eq(heard(OTHER), "S L");
}

/* An order, and what its session hears then. tif: '0' day, '3' IOC. */
static const char *order(uint32_t session, char side, uint32_t quantity, uint64_t price, char tif)
{
    uint8_t blocks[128];
    struct sb_ouch_enter e = {.ref = next_key[session]++,
                              .quantity = quantity,
                              .price = price,
                              .side = side,
                              .tif = tif,
                              .display = 'Y',
                              .capacity = 'P',
                              .iso = 'N',
                              .cross = 'N'};
    memcpy(e.symbol, "TEST    ", 8);
    memset(e.clordid, ' ', sizeof e.clordid);
    put(session, next_message[session]++, blocks, sb_ouch_write_enter(blocks + 2, &e));
    return heard(session);
}

static void phase(char to)
{
    uint8_t blocks[64];
    put(SELF, next_message[SELF]++, blocks, sb_entry_write_phase(blocks + 2, 1, "TEST    ", to));
}

/* Both engines came to the same state. */
static void over(void)
{
    ck_assert_uint_eq(b.node[0]->released, b.node[0]->log.len);
    ck_assert_uint_eq(b.node[1]->applied, b.node[0]->applied);
    ck_assert_uint_eq(b.node[1]->digest, b.node[0]->digest);
    ck_assert_uint_eq(sb_engine_state_digest(b.node[1]->engine),
                      sb_engine_state_digest(b.node[0]->engine));
    ck_assert_uint_eq(sb_node_differs(b.node[0]), 0);
    ck_assert_uint_eq(sb_node_differs(b.node[1]), 0);
    bench_close(&b);
}

/* --- sessions ----------------------------------------------------------------------------------------- */

/* RULES 10.2. Prices are in 1/10000. */
START_TEST(self_trades_are_prevented)
{
    static const struct {
        const char *stp,
            *self; /* what the session hears of its second order: 4 against its own 10 */
    } modes[] = {{"none", "A E4@10000 E4@10000"},
                 {"cancel-newest", "A C4Q"},
                 {"cancel-oldest", "A C10Q"},
                 {"cancel-both", "A C10Q C4Q"},
                 {"decrement", "A C4Q C4Q"}};
    char keys[64];
    snprintf(keys, sizeof keys, "stp = %s\n", modes[_i].stp);
    open_pair(keys, "", "");
    ck_assert_str_eq(order(SELF, 'S', 10, 10000, '0'), "A");
    ck_assert_str_eq(order(SELF, 'B', 4, 10000, '0'), modes[_i].self);
    over();
}
END_TEST

/* 10.1: two firms that are one group; and only the arriving order's session must want it. */
START_TEST(groups_of_sessions)
{
    open_pair("stp_group = 9\n", "stp_group = 9\nstp = cancel-newest\n", "");
    ck_assert_str_eq(order(SELF, 'S', 10, 10000, '0'), "A");
    ck_assert_str_eq(order(OTHER, 'B', 4, 10000, '0'), "A C4Q");
    ck_assert_str_eq(order(OTHER, 'B', 4, 9900, '0'), "A");
    ck_assert_str_eq(order(SELF, 'S', 4, 9900, '0'), "A E4@9900");
    over();
}
END_TEST

/* 3.10: of open orders; one that cannot rest is taken. */
START_TEST(open_orders_of_a_session)
{
    open_pair("orders_max = 2\n", "", "");
    ck_assert_str_eq(order(SELF, 'B', 10, 10000, '0'), "A");
    ck_assert_str_eq(order(SELF, 'B', 10, 9900, '0'), "A");
    ck_assert_str_eq(order(SELF, 'B', 10, 9800, '0'), "J0f");
    ck_assert_str_eq(order(SELF, 'B', 10, 9800, '3'), "A C10I");
    for (uint32_t i = 0; i < 3; i++)
        ck_assert_str_eq(order(OTHER, 'B', 10, 9800, '0'), "A"); /* no limit of its own */
    ck_assert_str_eq(order(OTHER, 'S', 10, 10000, '0'), "A E10@10000");
    ck_assert_str_eq(order(SELF, 'B', 10, 9800, '0'), "E10@10000 A");
    over();
}
END_TEST

/* 3.8, 3.9: 400 of the currency at 1.00 are 400. */
START_TEST(sizes_of_orders)
{
    open_pair("quantity_max = 500\nnotional_max = 400\n", "", "notional_max = 2000\n");
    ck_assert_str_eq(order(SELF, 'B', 501, 5000, '0'), "J13");
    ck_assert_str_eq(order(SELF, 'B', 500, 5000, '0'), "A");
    ck_assert_str_eq(order(SELF, 'B', 401, 10000, '0'), "J13");
    ck_assert_str_eq(order(SELF, 'B', 400, 10000, '0'), "A");
    ck_assert_str_eq(order(OTHER, 'B', 2001, 10000, '0'), "J13"); /* the instrument's */
    ck_assert_str_eq(order(OTHER, 'B', 2000, 10000, '0'), "A");
    over();
}
END_TEST

/* --- instruments -------------------------------------------------------------------------------------- */

/* 3.7: 5 % of 1.00 is up to 1.05 for buys and down to 0.95 for sells. */
START_TEST(static_band)
{
    open_pair("", "", "reference_price_e4 = 10000\nstatic_band_bp = 500\n");
    ck_assert_str_eq(order(SELF, 'B', 10, 10600, '0'), "J1d");
    ck_assert_str_eq(order(SELF, 'S', 10, 9400, '0'), "J1d");
    ck_assert_str_eq(order(SELF, 'S', 10, 20000, '0'), "A"); /* on the far side: any */
    ck_assert_str_eq(order(SELF, 'B', 10, 10500, '0'), "A");
    ck_assert_str_eq(order(OTHER, 'S', 10, 9500, '0'), "A E10@10500");
    over();
}
END_TEST

/* 13.2: 1.05 is within 5 % of 1.00, 1.06 is not. */
static void meet_dynamic_band(void)
{
    ck_assert_str_eq(order(OTHER, 'S', 10, 10500, '0'), "A");
    ck_assert_str_eq(order(OTHER, 'S', 10, 10600, '0'), "A");
}

START_TEST(dynamic_band_cancels)
{
    open_pair("", "", "reference_price_e4 = 10000\ndynamic_band_bp = 500\n");
    meet_dynamic_band();
    ck_assert_str_eq(order(SELF, 'B', 20, 10600, '0'), "A E10@10500 C10D");
    ck_assert_uint_eq(sb_engine_instrument(b.node[1]->engine, 1)->phase, SB_PHASE_CONTINUOUS);
    over();
}
END_TEST

/* 13.2, 13.3: 10 rest at 1.06; 50 ms after the order TIMER trades them there, with the 10 that are for sale. */
START_TEST(dynamic_band_pauses_and_timer_reopens)
{
    open_pair("", "",
              "reference_price_e4 = 10000\ndynamic_band_bp = 500\nband_action = pause\n"
              "pause_ms = 50\n");
    meet_dynamic_band();
    const uint64_t before_ns = b.now_ns;
    ck_assert_str_eq(order(SELF, 'B', 20, 10600, '0'), "A E10@10500");
    for (uint32_t i = 0; i < 2; i++) {
        const struct sb_instrument_view *v = sb_engine_instrument(b.node[i]->engine, 1);
        ck_assert_uint_eq(v->phase, SB_PHASE_AUCTION);
        ck_assert_uint_eq(v->auction, SB_AUCTION_VOLATILITY);
        ck_assert_uint_ge(v->resume_ns, before_ns + 50 * MS);
        ck_assert_uint_le(v->resume_ns, before_ns + 51 * MS);
    }
    const uint64_t len = b.node[0]->log.len;
    bench_run(&b, before_ns + 50 * MS - 10 * BENCH_STEP_NS - b.now_ns);
    ck_assert_uint_eq(b.node[0]->log.len, len);
    ck_assert_uint_eq(sb_engine_instrument(b.node[1]->engine, 1)->phase, SB_PHASE_AUCTION);
    bench_run(&b, 2 * MS);
    ck_assert_uint_eq(b.node[0]->log.len, len + 1); /* TIMER */
    ck_assert_uint_eq(sb_engine_instrument(b.node[1]->engine, 1)->phase, SB_PHASE_CONTINUOUS);
    ck_assert_str_eq(heard(SELF), "E10@10600");
    ck_assert_str_eq(heard(OTHER), "E10@10500 E10@10600");
    ck_assert_int_eq(sb_engine_instrument(b.node[1]->engine, 1)->reference, 10600); /* 14.4 */
    over();
}
END_TEST

/* Without pause_ms only an operator ends the pause. */
START_TEST(pause_until_an_operator_ends_it)
{
    open_pair("", "", "reference_price_e4 = 10000\ndynamic_band_bp = 500\nband_action = pause\n");
    meet_dynamic_band();
    ck_assert_str_eq(order(SELF, 'B', 20, 10600, '0'), "A E10@10500");
    bench_run(&b, 300 * MS);
    ck_assert_uint_eq(sb_engine_instrument(b.node[1]->engine, 1)->phase, SB_PHASE_AUCTION);
    phase('U');
    phase('T');
    ck_assert_str_eq(heard(SELF), "E10@10600 O O");
    ck_assert_uint_eq(sb_engine_instrument(b.node[1]->engine, 1)->phase, SB_PHASE_CONTINUOUS);
    over();
}
END_TEST

/* 12.3, its example: 60 for 10 (the top order), 5, 20, 50 and 75 with shares from 2 on: 10; then 50 for 150: 1 (below 2: none),
 * 6, 16, 25; the last 3 to the oldest of them. */
START_TEST(pro_rata_shares)
{
    static const uint32_t queue[] = {10, 5, 20, 50, 75};
    open_pair("", "", "matching = pro-rata\npro_rata_min = 2\n");
    for (size_t i = 0; i < sizeof queue / sizeof queue[0]; i++)
        ck_assert_str_eq(order(OTHER, 'S', queue[i], 10000, '0'), "A");
    ck_assert_str_eq(order(SELF, 'B', 60, 10000, '0'),
                     "A E10@10000 E3@10000 E6@10000 E16@10000 E25@10000");
    ck_assert_str_eq(heard(OTHER), "E10@10000 E3@10000 E6@10000 E16@10000 E25@10000");
    over();
}
END_TEST

/* 14.3: 10 can be had at 1.00 and at 1.02 with nothing left over; 1.015 is nearer to 1.02. */
START_TEST(ties_of_auctions)
{
    static const struct {
        const char *tie, *self;
    } ties[] = {{"pressure", "E10@10100 O"},
                {"reference", "E10@10200 O"},
                {"highest", "E10@10200 O"},
                {"lowest", "E10@10000 O"}};
    char keys[96];
    snprintf(keys, sizeof keys,
             "phase = auction\ntick_e4 = 50\nreference_price_e4 = 10150\ntie = %s\n", ties[_i].tie);
    open_pair("", "", keys);
    ck_assert_str_eq(order(SELF, 'B', 10, 10200, '0'), "A");
    ck_assert_str_eq(order(OTHER, 'S', 10, 10000, '0'), "A");
    phase('U');
    ck_assert_str_eq(heard(SELF), ties[_i].self);
    over();
}
END_TEST

/* --- who agrees -------------------------------------------------------------------------------------- */

static struct sb_config mine; /* B's */
static struct sb_instrument_config my_instruments[3];

/* What a file may say otherwise. */
enum difference {
    FIRM,
    OPERATOR,
    STP,
    STP_GROUP,
    ORDERS_MAX,
    SESSION_QUANTITY,
    SESSION_NOTIONAL,
    SYMBOL,
    TICK,
    PRICE_MIN,
    PRICE_MAX,
    LOT,
    QUANTITY_MAX,
    MATCHING,
    TIE,
    BAND_ACTION,
    STATIC_BAND,
    DYNAMIC_BAND,
    PAUSE_MS,
    NOTIONAL_MAX,
    PRO_RATA_MIN,
    PHASE,
    REFERENCE,
    ABSENT_INSTRUMENT,
    NO_SESSION,
    NO_INSTRUMENT,
    MORE_INSTRUMENTS,
    TOKEN,
    DIFFERENCES
};

/* The first input of the log that shows it: DAY is 1, the sessions are 2 and 3, the instrument is 4, LOGIN is 5. */
static uint64_t shown_by(enum difference d)
{
    if (d <= SESSION_NOTIONAL || d == NO_SESSION) /* (input 3 would be the instrument) */
        return 3;
    return d == TOKEN ? 0 : d == MORE_INSTRUMENTS ? 5 : 4;
}

/* ... and the first that must have been another one, by the state. */
static uint64_t shown_by_state(enum difference d)
{
    if (d == PHASE || d == REFERENCE)
        return 0;                             /* the day changes them */
    return d == NO_SESSION ? 4 : shown_by(d); /* (one session more than the last input 3) */
}

static void differ_in_session(enum difference d, struct sb_session_config *s)
{
    s->firm += d == FIRM;
    s->operator_right = d == OPERATOR;
    s->stp = d == STP ? SB_STP_DECREMENT : s->stp;
    s->stp_group += d == STP_GROUP;
    s->orders_max += d == ORDERS_MAX;
    s->quantity_max += d == SESSION_QUANTITY;
    s->notional_max += d == SESSION_NOTIONAL;
    s->token += d == TOKEN;
}

static void differ_in_instrument(enum difference d, struct sb_instrument_config *in)
{
    in->symbol[0] = d == SYMBOL ? 'X' : in->symbol[0];
    in->tick = d == TICK ? 50 : in->tick;
    in->price_min = d == PRICE_MIN ? 200 : in->price_min;
    in->price_max -= d == PRICE_MAX ? 100 : 0;
    in->lot += d == LOT;
    in->quantity_max -= d == QUANTITY_MAX;
    in->matching = d == MATCHING ? SB_MATCH_PRO_RATA : in->matching;
    in->tie = d == TIE ? SB_TIE_LOWEST : in->tie;
    in->band_action = d == BAND_ACTION ? SB_BAND_PAUSE : in->band_action;
    in->static_band = d == STATIC_BAND ? 1 : in->static_band;
    in->dynamic_band = d == DYNAMIC_BAND ? 1 : in->dynamic_band;
    in->pause_ms += d == PAUSE_MS;
    in->notional_max += d == NOTIONAL_MAX;
    in->pro_rata_min += d == PRO_RATA_MIN;
    in->phase = d == PHASE ? SB_PHASE_HALTED : in->phase;
    in->reference_price = d == REFERENCE ? 10000 : in->reference_price;
    if (d == ABSENT_INSTRUMENT)
        *in = (struct sb_instrument_config){.present = false};
}

static void make_mine(enum difference d)
{
    mine = b.config;
    memcpy(my_instruments, b.instruments, sizeof b.instruments);
    mine.instruments = my_instruments;
    differ_in_session(d, &mine.sessions[2]);
    my_instruments[2] = my_instruments[1];
    my_instruments[2].symbol[0] = 'X';
    differ_in_instrument(d, &my_instruments[1]);
    mine.sessions_n -= d == NO_SESSION;
    mine.instruments_n -= d == NO_INSTRUMENT;
    mine.instruments_n += d == MORE_INSTRUMENTS;
}

static void login(void)
{
    uint8_t blocks[64];
    const uint32_t n = bench_block_login(blocks, 1, BENCH_CLIENT_IP);
    const struct bench_frame f = bench_entry(&b, 1, 77, 0, blocks, n, 1);
    bench_put(&b, 0, &f);
    bench_put(&b, 1, &f);
}

/* The shadow reads the owner's log, stops, and never serves; the owner goes on alone. */
START_TEST(shadow_of_another_configuration_stops)
{
    const uint64_t n = shown_by((enum difference)_i);
    bench_open(&b);
    make_mine((enum difference)_i);
    b.node[1]->config = b.node[1]->setup.config = &mine;
    bench_run(&b, 10 * MS);
    b.down[1] = b.done[1];
    login();
    bench_run(&b, 10 * MS);
    ck_assert_uint_eq(sb_node_differs(b.node[0]), 0);
    ck_assert_uint_eq(sb_node_differs(b.node[1]), n);
    ck_assert(b.done[1] == (n != 0));
    ck_assert_int_eq(b.node[1]->role, SB_ROLE_SHADOW);
    ck_assert_uint_eq(b.counters[1][SB_CTR_WENT_LIVE], 0);
    ck_assert_uint_eq(sb_node_log(b.node[0])->len, 5);
    bench_close(&b);
}
END_TEST

/* The same by a state, as a snapshot brings it. */
START_TEST(state_of_another_configuration_is_refused)
{
    const uint64_t n = shown_by_state((enum difference)_i);
    bench_open(&b);
    bench_run(&b, 10 * MS);
    login();
    bench_run(&b, MS);
    const struct sb_engine *e = b.node[0]->engine;
    ck_assert_uint_eq(sb_engine_applied(e), 5);
    ck_assert_uint_eq(sb_genesis_differs(&b.config, e), 0);
    make_mine((enum difference)_i);
    ck_assert_uint_eq(sb_genesis_differs(&mine, e), n);

    const size_t bytes = sb_snapshot_bytes(e);
    struct sb_snapshot snapshot = {.bytes = malloc(bytes), .bytes_n = bytes};
    ck_assert_ptr_nonnull(snapshot.bytes);
    sb_snapshot_make(e, snapshot.bytes, bytes);
    ck_assert_ptr_null(sb_snapshot_fault(snapshot.bytes, bytes, &snapshot.head));
    bench_start(&b, 1, false);
    b.node[1]->config = b.node[1]->setup.config = &mine;
    ck_assert_ptr_null(sb_node_load_snapshot(b.node[1], &snapshot));
    ck_assert_uint_eq(sb_node_differs(b.node[1]), n);
    free(snapshot.bytes);
    bench_close(&b);
}
END_TEST

static void journaled(struct sb_config *c)
{
    memcpy(c->journal_dir, "/j", 3);
}

/* The file was changed between a node's lives: what its journal says is not what it would go on with. */
START_TEST(restart_with_another_configuration_stops)
{
    static struct disks d;
    bench_pair(&b, journaled);
    disks_open(&d, &b);
    b.node[0]->setup.journal = b.node[1]->setup.journal = true;
    disks_run(&d, 20 * MS);
    disks_kill(&d, 1);
    disks_until(&d, 0, SB_ROLE_SOLO);
    disks_run(&d, MS);
    disks_kill(&d, 0);
    if (_i == 1)
        b.instruments[1].static_band = 500;
    disks_restart(&d, 0, true, false);
    ck_assert_uint_eq(sb_node_differs(b.node[0]), _i == 1 ? 4 : 0);
    disks_step(&d);
    ck_assert(b.done[0] == (_i == 1));
    ck_assert_int_eq(b.node[0]->role, SB_ROLE_BOOT);
    b.down[0] = b.done[0];
    disks_run(&d, 20 * MS);
    ck_assert_int_eq(b.node[0]->role, _i == 1 ? SB_ROLE_BOOT : SB_ROLE_SOLO);
    disks_close(&d);
    bench_close(&b);
}
END_TEST

/* --- the hash's seed ---------------------------------------------------------------------------------- */

START_TEST(seeds_of_the_hash_show_nowhere)
{
    open_pair("", "", "");
    const struct sb_engine *e[2] = {b.node[0]->engine, b.node[1]->engine};
    ck_assert_uint_ne(e[0]->orders.ids.key[0], e[1]->orders.ids.key[0]);
    ck_assert_uint_ne(e[0]->orders.ids.key[1], e[1]->orders.ids.key[1]);
    for (uint32_t i = 0; i < 200; i++)
        order(SELF + i % 2, i % 3 == 0 ? 'S' : 'B', 10, 9000 + 100 * (i * 7 % 20), '0');
    ck_assert_uint_gt(sb_engine_stats(e[0])->open_orders, 20);
    ck_assert_uint_gt(sb_engine_stats(e[0])->trades, 20);
    const size_t bytes = sb_engine_image_bytes(e[0]);
    ck_assert_uint_eq(sb_engine_image_bytes(e[1]), bytes);
    uint8_t *images[2];
    for (uint32_t i = 0; i < 2; i++) {
        images[i] = malloc(bytes);
        ck_assert_ptr_nonnull(images[i]);
        sb_engine_save(e[i], images[i], bytes);
    }
    ck_assert_mem_eq(images[0], images[1], bytes);
    free(images[0]);
    free(images[1]);
    over(); /* equal digests */
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("replica-genesis");
    TCase *tc = tcase_create("genesis");
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, self_trades_are_prevented, 0, 5);
    tcase_add_test(tc, groups_of_sessions);
    tcase_add_test(tc, open_orders_of_a_session);
    tcase_add_test(tc, sizes_of_orders);
    tcase_add_test(tc, static_band);
    tcase_add_test(tc, dynamic_band_cancels);
    tcase_add_test(tc, dynamic_band_pauses_and_timer_reopens);
    tcase_add_test(tc, pause_until_an_operator_ends_it);
    tcase_add_test(tc, pro_rata_shares);
    tcase_add_loop_test(tc, ties_of_auctions, 0, 4);
    tcase_add_loop_test(tc, shadow_of_another_configuration_stops, 0, DIFFERENCES);
    tcase_add_loop_test(tc, state_of_another_configuration_is_refused, 0, DIFFERENCES);
    tcase_add_loop_test(tc, restart_with_another_configuration_stops, 0, 2);
    tcase_add_test(tc, seeds_of_the_hash_show_nowhere);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
