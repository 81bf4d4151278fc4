/* test_door.c: what clients send: numbers, tokens, back-pressure, STATUS, re-requests. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "nic/wire/bytes.h"
#include "nic/wire/entry.h"
#include "tests/replica/bench.h"

enum { MS = 1000000 };

static void small(struct sb_config *c)
{
    c->log_lines = 4096;
    c->unacked_lines = 1024;
    c->hold_bytes = 1u << 20;
    c->limits.orders_max = 256;
}

static void put_both(struct bench *b, const struct bench_frame *f)
{
    bench_put(b, 0, f);
    bench_put(b, 1, f);
}

START_TEST(each_number_is_taken_once)
{
    struct bench b;
    bench_pair(&b, NULL);
    const uint64_t *v = b.counters[0];
    bench_order_at(&b, 1, 1, 3);
    bench_order_at(&b, 1, 1, 3);
    bench_step(&b);
    bench_order_at(&b, 1, 2, 3); /* the same number with another content is a resend too */
    bench_step(&b);
    ck_assert_uint_eq(b.node[0]->log.len, 6);
    ck_assert_uint_eq(v[SB_CTR_ENTRY_RESENT], 2);
    bench_order_at(&b, 3, 3, 3); /* 2 is missing */
    bench_step(&b);
    bench_step(&b);
    ck_assert_uint_eq(b.node[0]->log.len, 6);
    ck_assert_uint_eq(v[SB_CTR_ENTRY_GAPS], 1);
    struct sb_status s;
    bool gap;
    ck_assert(bench_status(&b, &s, &gap));
    ck_assert(gap);
    ck_assert_uint_eq(s.wanted, 2);
    ck_assert_uint_eq(s.session, 1);
    uint8_t blocks[256]; /* 1, 2 and 3 in one frame: a resend, and two new ones */
    uint32_t n = bench_block_order(blocks, 1, 'B', 10000);
    n += bench_block_order(blocks + n, 2, 'B', 10000);
    n += bench_block_order(blocks + n, 3, 'B', 10000);
    const struct bench_frame f = bench_entry(&b, 1, 77, 1, blocks, n, 3);
    put_both(&b, &f);
    bench_run(&b, MS);
    ck_assert_uint_eq(b.node[0]->log.len, 8);
    ck_assert_uint_eq(bench_answers(&b, 'A'), 3);
    ck_assert_uint_eq(bench_answers(&b, 'J'), 0);
    bench_close(&b);
}
END_TEST

START_TEST(bad_frames_are_counted_never_answered)
{
    struct bench b;
    bench_pair(&b, NULL);
    const uint64_t *v = b.counters[0];
    uint8_t blocks[256];
    const uint32_t n = bench_block_order(blocks, 1, 'B', 10000);
    const struct {
        uint32_t session;
        uint64_t token, first;
        uint32_t bytes;
        uint16_t count;
        enum sb_counter counted;
    } bad[] = {
        {1, 78, 1, n, 1, SB_CTR_BAD_TOKEN},          {2, 77, 1, n, 1, SB_CTR_BAD_TOKEN},
        {0, 0, 1, n, 1, SB_CTR_BAD_TOKEN},           {3, 0, 1, n, 1, SB_CTR_BAD_TOKEN},
        {UINT32_MAX, 77, 1, n, 1, SB_CTR_BAD_TOKEN}, {1, 77, 1, n, 2, SB_CTR_BAD_ENTRY},
        {1, 77, 1, n, 0, SB_CTR_BAD_ENTRY},          {1, 77, 1, n - 1, 1, SB_CTR_BAD_ENTRY},
        {1, 77, 1, 0, 0, SB_CTR_BAD_ENTRY},          {1, 77, UINT64_MAX, n, 1, SB_CTR_BAD_ENTRY},
        {1, 77, 0, n, 1, SB_CTR_BAD_ENTRY}, /* an order that is not numbered */
        {2, 78, 1, n, 1, SB_CTR_NOT_LOGGED_IN},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const uint64_t before = v[bad[i].counted];
        const struct bench_frame f = bench_entry(&b, bad[i].session, bad[i].token, bad[i].first,
                                                 blocks, bad[i].bytes, bad[i].count);
        put_both(&b, &f);
        bench_step(&b);
        ck_assert_msg(v[bad[i].counted] == before + 1, "case %zu", i);
    }
    ck_assert_uint_eq(b.node[0]->log.len, 5);
    bench_close(&b);
}
END_TEST

/* A login may be numbered or not; numbered, it takes its number. */
START_TEST(login_may_be_numbered)
{
    struct bench b;
    bench_pair(&b, NULL);
    uint8_t blocks[64];
    const uint32_t n = bench_block_login(blocks, 5, BENCH_CLIENT_IP + 1);
    const struct bench_frame f = bench_entry(&b, 2, 78, 1, blocks, n, 1);
    put_both(&b, &f);
    bench_run(&b, MS);
    ck_assert_uint_eq(b.node[0]->log.len, 6);
    ck_assert(b.node[0]->doors[2].logged_in);
    ck_assert_uint_eq(b.node[0]->doors[2].next_seq, 2);
    uint8_t bad[4] = {0, 1, 'L', 0}; /* cannot be read: an INVALID, for who is logged in only */
    const struct bench_frame g = bench_entry(&b, 2, 78, 2, bad, 3, 1);
    put_both(&b, &g);
    bench_run(&b, MS);
    ck_assert_uint_eq(b.node[0]->doors[2].next_seq, 3);
    bench_close(&b);
}
END_TEST

START_TEST(first_login_must_be_one)
{
    struct bench b;
    bench_pair(&b, NULL);
    uint8_t bad[4] = {0, 1, 'L', 0};
    const struct bench_frame g = bench_entry(&b, 2, 78, 1, bad, 3, 1);
    put_both(&b, &g);
    bench_run(&b, MS);
    ck_assert_uint_eq(b.node[0]->log.len, 5);
    ck_assert_uint_eq(b.counters[0][SB_CTR_NOT_LOGGED_IN], 1);
    bench_close(&b);
}
END_TEST

/* --- back-pressure -------------------------------------------------------------------------- */

START_TEST(full_log_takes_nothing_and_rejects_nothing)
{
    struct bench b;
    bench_pair(&b, small);
    b.config.solo_after_ns = UINT64_C(1000) * MS; /* stay a pair */
    b.lost = bench_lose_acks;
    uint64_t sent = 0;
    while (b.counters[0][SB_CTR_ENTRY_BACKPRESSURE] == 0) {
        ck_assert_uint_lt(sent, 2000);
        bench_order_at(&b, sent + 1, (uint32_t)sent + 1, 3);
        bench_step(&b);
        sent++;
    }
    const uint64_t len = b.node[0]->log.len, next = b.node[0]->doors[1].next_seq;
    ck_assert_uint_gt(len, 100);
    bench_order_at(&b, next, (uint32_t)next, 3);
    bench_run(&b, MS);
    ck_assert_uint_eq(b.node[0]->log.len, len);
    ck_assert_uint_eq(b.node[0]->released, 5);
    ck_assert_uint_le(b.node[0]->log.line_end - b.node[0]->released_line, b.config.unacked_lines);
    ck_assert_uint_eq(bench_answers(&b, 'J'), 0);
    b.lost = NULL;
    bench_run(&b, 5 * MS);
    ck_assert_uint_eq(b.node[0]->released, len);
    bench_order_at(&b, next, (uint32_t)next, 3);
    bench_run(&b, MS);
    ck_assert_uint_eq(b.node[0]->released, len + 1);
    ck_assert_uint_eq(bench_answers(&b, 'J') + bench_answers(&b, 'A'), next);
    bench_close(&b);
}
END_TEST

/* A frame of the most blocks that fit: it is taken whole, and the log still keeps its bound. */
START_TEST(smallest_messages_do_not_break_the_bound)
{
    struct bench b;
    bench_pair(&b, small);
    b.config.solo_after_ns = UINT64_C(1000) * MS;
    uint8_t blocks[1408] = {0};
    b.lost = bench_lose_acks;
    for (uint64_t i = 0; i < 6; i++) {
        const struct bench_frame f = bench_entry(&b, 1, 77, 1 + i * 704, blocks, 1408, 704);
        put_both(&b, &f);
        bench_step(&b);
        ck_assert_uint_le(b.node[0]->log.line_end - b.node[0]->released_line,
                          b.config.unacked_lines);
    }
    ck_assert_uint_eq(b.node[0]->doors[1].next_seq, 705);
    b.lost = NULL;
    bench_run(&b, 5 * MS);
    ck_assert_uint_eq(b.node[0]->released, 5 + 704);
    ck_assert_uint_eq(bench_answers(&b, 'J'), 704);
    bench_close(&b);
}
END_TEST

static void tiny_hold(struct sb_config *c)
{
    c->limits.orders_max = 64;
    c->hold_bytes = 1u << 18; /* 256 KB */
    c->log_lines = 1u << 15;
    c->unacked_lines = 1u << 14;
}

START_TEST(full_hold_ring_takes_nothing)
{
    struct bench b;
    bench_pair(&b, tiny_hold);
    b.config.solo_after_ns = UINT64_C(1000) * MS;
    b.lost = bench_lose_acks;
    for (uint32_t i = 0; b.counters[0][SB_CTR_ENTRY_BACKPRESSURE] == 0; i++) {
        ck_assert_uint_lt(i, 5000);
        bench_order_at(&b, i + 1, i + 1, 3);
        bench_step(&b);
    }
    const uint64_t len = b.node[0]->log.len;
    ck_assert_uint_lt(b.node[0]->log.line_end, b.config.unacked_lines / 2); /* not for the log */
    b.lost = NULL;
    bench_run(&b, 5 * MS);
    ck_assert_uint_eq(b.node[0]->released, len);
    const uint64_t next = b.node[0]->doors[1].next_seq;
    bench_order_at(&b, next, (uint32_t)next, 3);
    bench_run(&b, MS);
    ck_assert_uint_eq(b.node[0]->released, len + 1);
    bench_close(&b);
}
END_TEST

static struct sb_instrument_config many_instruments[513];
static void many(struct sb_config *c)
{
    c->limits.instruments_max = 512;
    c->limits.orders_max = 64;
    c->hold_bytes = 1u << 19;
    c->unacked_lines = 4096;
    for (uint32_t i = 1; i <= 512; i++) {
        many_instruments[i] = c->instruments[1];
        memcpy(many_instruments[i].symbol, "S       ", 8);
        many_instruments[i].symbol[1] = (char)('A' + i / 26);
        many_instruments[i].symbol[2] = (char)('A' + i % 26);
    }
    c->instruments = many_instruments;
    c->instruments_n = 512;
}

/* Commands that say something of every instrument make more than the hold ring can take at once: they wait. */
START_TEST(commands_for_all_instruments_wait_for_room)
{
    struct bench b;
    bench_pair(&b, many);
    b.config.solo_after_ns = UINT64_C(1000) * MS;
    b.lost = bench_lose_acks;
    uint8_t blocks[1400];
    uint32_t at = 0;
    for (uint32_t i = 0; i < 50; i++) {
        const uint32_t n =
            sb_entry_write_phase(blocks + at + 2, i + 1, "        ", i % 2 == 0 ? 'H' : 'T');
        sb_put16(blocks + at, (uint16_t)n);
        at += 2 + n;
    }
    const struct bench_frame f = bench_entry(&b, 1, 77, 1, blocks, at, 50);
    put_both(&b, &f);
    bench_run(&b, MS);
    const uint64_t len = b.node[0]->log.len;
    b.lost = NULL;
    bench_run(&b, 20 * MS);
    ck_assert_uint_eq(b.node[0]->released, len);
    ck_assert_uint_eq(len, 1 + 2 + 512 + 1 + 50);
    ck_assert_uint_eq(b.node[1]->applied, len);
    bench_close(&b);
}
END_TEST

/* --- messages of ours ------------------------------------------------------------------------ */

/* Message `number` of session 1 to both nodes; gives it time to be answered. */
static void say(struct bench *b, uint64_t number, uint8_t *blocks, uint32_t len)
{
    sb_put16(blocks, (uint16_t)len);
    const struct bench_frame f = bench_entry(b, 1, 77, number, blocks, 2 + len, 1);
    put_both(b, &f);
    bench_run(b, MS);
}

START_TEST(quotes_amends_and_mass_cancels)
{
    struct bench b;
    bench_pair(&b, NULL);
    uint8_t p[64];
    const struct sb_engine_stats *stats = sb_engine_stats(b.node[1]->engine);
    struct sb_entry_quote q = {.key = 1,
                               .symbol = "TEST    ",
                               .bid_price = 10000,
                               .bid_quantity = 10,
                               .ask_price = 10100,
                               .ask_quantity = 10,
                               .capacity = 'P'};
    say(&b, 1, p, sb_entry_write_quote(p + 2, &q));
    ck_assert_uint_eq(bench_answers(&b, 'Q'), 1);
    ck_assert_uint_eq(stats->open_orders, 2);
    memcpy(q.symbol, "NOBODY  ", 8);
    q.key = 2;
    say(&b, 2, p, sb_entry_write_quote(p + 2, &q)); /* refused in its Q */
    ck_assert_uint_eq(bench_answers(&b, 'Q'), 2);
    bench_order_at(&b, 3, 3, 3); /* a bid at 1.00 */
    bench_run(&b, MS);
    say(&b, 4, p, sb_entry_write_amend(p + 2, 3, 20, 9900));
    ck_assert_uint_eq(bench_answers(&b, 'U'), 1);
    int64_t price;
    uint64_t quantity;
    ck_assert(sb_engine_best(b.node[1]->engine, 1, SB_BUY, &price, &quantity));
    ck_assert_int_eq(price, 10000);
    ck_assert_uint_eq(quantity, 10); /* the quote's */
    say(&b, 5, p, sb_entry_write_mass_cancel(p + 2, 7, "TEST    ", 'S', 0, 'B'));
    ck_assert_uint_eq(bench_answers(&b, 'M'), 1);
    ck_assert_uint_eq(stats->open_orders, 1); /* the ask */
    say(&b, 6, p, sb_entry_write_kill(p + 2, 8, 'S', 0, 'B'));
    ck_assert_uint_eq(bench_answers(&b, 'M'), 2);
    ck_assert_uint_eq(stats->open_orders, 0);
    bench_order_at(&b, 7, 9, 3);
    bench_run(&b, MS);
    ck_assert_uint_eq(bench_answers(&b, 'J'), 1); /* blocked */
    say(&b, 8, p, sb_entry_write_kill(p + 2, 9, 'S', 1, 'L'));
    bench_order_at(&b, 9, 10, 3);
    bench_run(&b, MS);
    ck_assert_uint_eq(bench_answers(&b, 'A'), 2);
    say(&b, 10, p, sb_entry_write_auction(p + 2, 11, "TEST    ", 'C'));
    ck_assert_uint_eq(sb_engine_instrument(b.node[1]->engine, 1)->auction, SB_AUCTION_CLOSING);
    say(&b, 11, p, sb_entry_write_phase(p + 2, 12, "        ", 'I'));
    ck_assert_uint_eq(bench_answers(&b, 'O'), 2);
    ck_assert_uint_eq(b.node[0]->digest, b.node[1]->digest);
    ck_assert_uint_eq(b.node[0]->released, b.node[0]->log.len);
    bench_close(&b);
}
END_TEST

/* --- STATUS --------------------------------------------------------------------------------- */

START_TEST(safe_is_never_above_what_is_released)
{
    struct bench b;
    bench_pair(&b, NULL);
    struct sb_status s;
    bool gap;
    bench_order_at(&b, 1, 1, 3);
    bench_run(&b, 3 * MS);
    ck_assert(bench_status(&b, &s, &gap));
    ck_assert_uint_eq(s.wanted, 2);
    ck_assert_uint_eq(s.safe, 1);
    b.lost = bench_lose_acks;
    for (uint32_t i = 2; i <= 4; i++)
        bench_order_at(&b, i, i, 3);
    bench_run(&b, 3 * MS);
    ck_assert(bench_status(&b, &s, &gap));
    ck_assert_uint_eq(s.wanted, 5);
    ck_assert_uint_eq(s.safe, 1);
    bench_order_at(&b, 7, 7, 3); /* the gap report neither */
    for (gap = false; !gap;) {
        bench_step(&b);
        ck_assert(bench_status(&b, &s, &gap));
        ck_assert_uint_eq(s.safe, 1);
    }
    b.lost = NULL;
    bench_run(&b, 3 * MS);
    ck_assert(bench_status(&b, &s, &gap));
    ck_assert_uint_eq(s.safe, 4);
    bench_close(&b);
}
END_TEST

/* --- re-requests ---------------------------------------------------------------------------- */

static uint32_t packets_to_client(const struct bench *b, uint32_t from)
{
    struct bench rest = *b;
    rest.client.frames += from;
    rest.client.n -= from;
    return bench_sent_to(&rest, BENCH_CLIENT_IP, BENCH_CLIENT_PORT);
}

static uint32_t request(struct bench *b, const char *name, uint64_t seq, uint16_t count)
{
    const uint32_t stranger = 0x0A000063;
    const struct bench_frame f = bench_request(b, stranger, name, seq, count);
    const uint32_t before = b->client.n;
    bench_poll(b, 1, &f); /* a shadow keeps still */
    ck_assert_uint_eq(b->client.n, before);
    bench_poll(b, 0, &f);
    ck_assert_uint_eq(bench_sent_to(b, stranger, BENCH_CLIENT_PORT) != 0,
                      name == b->node[0]->names[0] && seq == 1);
    return packets_to_client(b, before);
}

START_TEST(rerequests)
{
    struct bench b;
    bench_pair(&b, NULL);
    bench_order_at(&b, 1, 1, 3);
    bench_run(&b, 10000);
    const uint64_t *v = b.counters[0];
    const char *name = b.node[0]->names[1];
    const uint64_t next = b.node[0]->hold.released_seq[1];
    ck_assert_uint_eq(next, 4);          /* system event, login, accepted */
    b.node[0]->beat_cycle_ns = b.now_ns; /* no heartbeat just now */
    b.node[0]->beat_next = UINT32_MAX;
    ck_assert_uint_eq(request(&b, name, 3, 1), 1); /* to the session's own address, whoever asks */
    ck_assert_uint_eq(v[SB_CTR_REREQUESTS], 1);
    const struct bench_frame *f = &b.client.frames[b.client.n - 1];
    ck_assert_uint_eq(sb_get64(f->data + 42 + 10), 3);
    ck_assert_uint_eq(f->data[42 + 22], 'A');

    b.lost = bench_lose_acks; /* one that is encoded, not released */
    bench_order_at(&b, 2, 2, 3);
    bench_run(&b, 10000);
    ck_assert_uint_eq(b.node[0]->applied, 7);
    ck_assert_uint_eq(request(&b, name, 4, 1), 0);
    ck_assert_uint_eq(request(&b, name, 5, 1), 0);
    ck_assert_uint_eq(request(&b, name, UINT64_MAX, 9), 0);
    ck_assert_uint_eq(request(&b, name, 1, 0), 0);
    ck_assert_uint_eq(v[SB_CTR_REREQUESTS], 1);
    ck_assert_uint_eq(v[SB_CTR_BAD_REQUEST], 0);
    ck_assert_uint_eq(request(&b, name, 0, 1), 0);
    ck_assert_uint_eq(request(&b, "011XX00001", 1, 1), 0);
    ck_assert_uint_eq(request(&b, "??????????", 1, 1), 0);
    ck_assert_uint_eq(request(&b, "01000000ZZ", 1, 1), 0);
    ck_assert_uint_eq(v[SB_CTR_BAD_REQUEST], 4);
    ck_assert_uint_eq(request(&b, b.node[0]->names[2], 1, 1), 0); /* never logged in */
    ck_assert_uint_eq(v[SB_CTR_REREQUESTS_REFUSED], 1);
    ck_assert_uint_eq(request(&b, b.node[0]->names[0], 1, 1), 0); /* the feed: to who asks */
    ck_assert_uint_eq(v[SB_CTR_REREQUESTS], 2);
    bench_close(&b);
}
END_TEST

/* Memory rots: one bit of what the owner holds. */
static void rot(struct sb_node *node, uint32_t stream, uint64_t seq)
{
    struct sb_held *h = sb_hold_find(&node->hold, stream, seq);
    ck_assert_ptr_nonnull(h);
    sb_held_frame(h)[h->len - 5] ^= 1;
}

/* R4b: a damaged copy never leaves again; the shadow's, which is whole, does: the same messages. */
START_TEST(rotten_frame_is_answered_by_the_shadow)
{
    struct bench b;
    bench_pair(&b, NULL);
    bench_order_at(&b, 1, 1, 3);
    bench_run(&b, 1000000);
    const uint32_t stream = _i == 0 ? 0 : 1;
    const uint64_t seq = _i == 0 ? 2 : 3;
    const uint32_t who = _i == 0 ? 0x0A000063 : BENCH_CLIENT_IP;
    const struct bench_frame ask = bench_request(&b, 0x0A000063, b.node[0]->names[stream], seq, 1);
    for (uint32_t i = 0; i < 2; i++) {
        b.node[i]->beat_cycle_ns = b.now_ns; /* no heartbeats just now */
        b.node[i]->beat_next = UINT32_MAX;
    }

    b.client.n = 0;
    bench_poll(&b, 0, &ask);
    ck_assert_uint_eq(b.client.n, 1);
    struct bench_frame good = b.client.frames[0];
    struct sb_datagram first, second;
    ck_assert_int_eq(sb_udp_parse(good.data, good.len, &first), SB_UDP_OK);

    rot(b.node[0], stream, seq);
    b.client.n = 0;
    bench_poll(&b, 0, &ask);
    ck_assert_uint_eq(b.client.n, 0);
    bench_run(&b, 10 * BENCH_STEP_NS);
    ck_assert_uint_eq(b.client.n, 1);
    ck_assert_uint_eq(b.client.frames[0].from, 1);
    ck_assert_int_eq(sb_udp_parse(b.client.frames[0].data, b.client.frames[0].len, &second),
                     SB_UDP_OK);
    ck_assert_uint_eq(second.dst_ipv4, who);
    ck_assert_uint_eq(second.dst_port, first.dst_port);
    ck_assert_uint_eq(first.bytes, second.bytes);
    ck_assert_mem_eq(first.payload, second.payload, first.bytes);
    ck_assert_uint_eq(b.counters[0][SB_CTR_HELD_ROTTEN], 1);
    ck_assert_uint_eq(b.counters[0][SB_CTR_RESEND_TX], 1);
    ck_assert_uint_eq(b.counters[1][SB_CTR_RESEND_RX], 1);

    rot(b.node[1], stream, seq); /* nobody has it any more: refused, never damaged */
    b.client.n = 0;
    bench_poll(&b, 0, &ask);
    bench_run(&b, 10 * BENCH_STEP_NS);
    ck_assert_uint_eq(b.client.n, 0);
    ck_assert_uint_eq(b.counters[1][SB_CTR_HELD_ROTTEN], 1);
    ck_assert_uint_eq(b.counters[1][SB_CTR_REREQUESTS_REFUSED], 1);
    bench_close(&b);
}
END_TEST

/* R4b: only what the owner's stream has marked as released, only for the owner that is followed. */
START_TEST(shadow_resends_only_what_was_released)
{
    struct bench b;
    bench_pair(&b, NULL);
    b.lost = bench_lose_acks;
    bench_order_at(&b, 1, 1, 3);
    bench_run(&b, 100000);
    ck_assert_uint_eq(b.node[1]->applied, 6);
    ck_assert_uint_eq(b.node[0]->released, 5);
    const struct sb_node *p = b.node[0];
    struct sb_resend r = {.to_inc = p->peer_inc, .seq = 3, .stream = 1, .count = 1};
    const struct {
        uint64_t epoch, inc, to_inc, seq;
        uint32_t stream;
        uint8_t zero, answers;
    } cases[] = {
        {p->epoch, p->inc, p->peer_inc, 2, 1, 0, 1},     /* released */
        {p->epoch, p->inc, p->peer_inc, 3, 1, 0, 0},     /* applied, not released */
        {p->epoch + 4, p->inc, p->peer_inc, 2, 1, 0, 0}, /* another epoch, */
        {p->epoch, p->inc + 1, p->peer_inc, 2, 1, 0, 0}, /* owner, */
        {p->epoch, p->inc, p->peer_inc + 1, 2, 1, 0, 0}, /* or shadow */
        {p->epoch, p->inc, p->peer_inc, 0, 1, 0, 0},     /* no number, */
        {p->epoch, p->inc, p->peer_inc, 2, 99, 0, 0},    /* no stream */
        {p->epoch, p->inc, p->peer_inc, 2, 1, 1, 0},     /* reserved bytes */
    };
    for (uint32_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        r.to_inc = cases[i].to_inc;
        r.seq = cases[i].seq;
        r.stream = cases[i].stream;
        r.zero[3] = cases[i].zero;
        const struct bench_frame f =
            bench_ours(&b, SB_FT_RESEND, cases[i].epoch, cases[i].inc, SB_NODE_A, 0, &r, sizeof r);
        b.client.n = 0;
        bench_poll(&b, 1, &f);
        ck_assert_msg(b.client.n == cases[i].answers, "case %u: %u frames", i, b.client.n);
    }
    bench_close(&b);
}
END_TEST

/* A client may send from one host and be answered at another. */
START_TEST(return_address_is_kept_apart_from_the_source)
{
    struct bench b;
    bench_pair(&b, NULL);
    for (uint32_t i = 1; i <= 20; i++) {
        uint8_t blocks[128];
        const uint32_t n = bench_block_order(blocks, i, 'B', 10000);
        struct bench_frame f = bench_entry(&b, 1, 77, i, blocks, n, 1);
        struct sb_datagram d;
        ck_assert_int_eq(sb_udp_parse(f.data, f.len, &d), SB_UDP_OK);
        struct sb_udp_route r = {.src_mac = {2, 0, 0, 0, 0, 0x77},
                                 .src_ipv4 = BENCH_CLIENT_IP + 0x70,
                                 .dst_ipv4 = d.dst_ipv4,
                                 .src_port = 9,
                                 .dst_port = d.dst_port};
        f.len = sb_udp_finish(f.data, &r, d.bytes);
        put_both(&b, &f);
        bench_run(&b, 10000);
    }
    ck_assert_uint_eq(b.counters[0][SB_CTR_NO_ROUTE], 0);
    ck_assert_uint_eq(bench_answers(&b, 'A'), 20);
    bench_close(&b);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("replica-door");
    TCase *tc = tcase_create("door");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, each_number_is_taken_once);
    tcase_add_test(tc, bad_frames_are_counted_never_answered);
    tcase_add_test(tc, login_may_be_numbered);
    tcase_add_test(tc, first_login_must_be_one);
    tcase_add_test(tc, full_log_takes_nothing_and_rejects_nothing);
    tcase_add_test(tc, smallest_messages_do_not_break_the_bound);
    tcase_add_test(tc, full_hold_ring_takes_nothing);
    tcase_add_test(tc, commands_for_all_instruments_wait_for_room);
    tcase_add_test(tc, safe_is_never_above_what_is_released);
    tcase_add_test(tc, quotes_amends_and_mass_cancels);
    tcase_add_test(tc, rerequests);
    tcase_add_loop_test(tc, rotten_frame_is_answered_by_the_shadow, 0, 2);
    tcase_add_test(tc, shadow_resends_only_what_was_released);
    tcase_add_test(tc, return_address_is_kept_apart_from_the_source);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
