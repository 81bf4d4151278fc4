/* test_flips.c: no bit of a frame that rots, and no cut, changes what a client knows other than by loss.
 *
 * A client in the middle of a day gets each kind of frame that a venue sends, its own kinds, and ARP: with each bit flipped, cut
 * at each length, then whole. What is damaged must leave all it knows as it was and be counted once; where no checksum covers
 * the flip (MAC addresses, what stands behind the datagram), it must be as if the frame had come whole. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "nic/wire/bytes.h"
#include "nic/wire/entry.h"
#include "perf/client.h"
#include "shadowbook/assert.h"
#include "tests/client/venue.h"

enum { SESSIONS = 2, ROWS = 60, TICKS_MAX = 4000, TRAILER = 3 };

enum kind {
    K_SESSION, /* a session's stream with messages, and without */
    K_SESSION_BEAT,
    K_FEED,
    K_STATUS,
    K_STATUS_GAP,
    K_ENTRY, /* to the venue: not for a client */
    K_REQUEST,
    K_ARP,
    KINDS
};

static struct sb_config config;
static struct sb_plan plan;

struct play {
    struct venue venue;
    struct sb_client client;
};

static void plan_make(void)
{
    SB_ASSERT(sb_plan_init(&plan, SESSIONS));
    SB_ASSERT(sb_plan_add(&plan, &(struct sb_plan_event){.op = 'P', .phase = 'T'}) == NULL);
    for (uint32_t i = 0; i < ROWS; i++) {
        const struct sb_plan_event e = {.op = i % 4 == 3 ? 'C' : 'N',
                                        .order_id = i % 4 == 3 ? i - 1 : i,
                                        .side = i % 2 == 0 ? 'B' : 'S',
                                        .tif = '0',
                                        .price = 1000000 + 100 * (i % 3),
                                        .quantity = 10 + i,
                                        .instrument = i % 4 == 3 ? 0 : 1 + i % 2};
        SB_ASSERT(sb_plan_add(&plan, &e) == NULL);
    }
    SB_ASSERT(sb_plan_finish(&plan));
}

static void play_open(struct play *p)
{
    const struct sb_client_options options = {.config = &config,
                                              .plan = &plan,
                                              .window = 8,
                                              .give_up_ns = UINT64_C(3000000000),
                                              .nonce = 42,
                                              .mac = {2, 0, 0, 0, 0, 4}};
    venue_init(&p->venue, &config, 7);
    p->venue.loss_percent = 10;
    p->venue.delay_ns_max = 400000;
    ck_assert_ptr_null(sb_client_init(&p->client, &options));
}

static void play_close(struct play *p)
{
    sb_client_free(&p->client);
    venue_free(&p->venue);
}

static void play_tick(struct play *p)
{
    venue_run(&p->venue, &p->client, p->venue.now_ns + VENUE_TICK_NS);
}

/* --- the frames -------------------------------------------------------------------------------- */

static bool is_of(const struct venue_packet *p, enum kind kind)
{
    struct sb_datagram d;
    struct sb_head h;
    struct sb_mold_head m;
    if (sb_udp_parse(p->bytes, p->len, &d) != SB_UDP_OK)
        return false;
    const bool feed = d.dst_ipv4 == config.feed_a.ipv4;
    if (sb_head_read(d.payload, d.bytes, &h))
        return h.type == SB_FT_ENTRY
                   ? kind == K_ENTRY
                   : kind == ((h.flags & SB_FF_GAP) != 0 ? K_STATUS_GAP : K_STATUS);
    if (d.dst_ipv4 == config.requests.ipv4)
        return kind == K_REQUEST;
    if (!sb_mold_read(d.payload, d.bytes, &m) || (feed && m.count == 0))
        return false;
    return kind == (feed ? K_FEED : m.count == 0 ? K_SESSION_BEAT : K_SESSION);
}

/* A frame of this kind that is under way, if there is one. */
static bool under_way(const struct play *p, enum kind kind, struct venue_packet *out)
{
    if (kind == K_ARP) {
        const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};
        out->len = sb_arp_request(out->bytes, config.nodes[0].ipv4, mac, config.client.ipv4);
        return p->client.logged_in_n == SESSIONS;
    }
    const struct venue_wire *wires[] = {&p->venue.to_client, &p->venue.to_venue};
    for (int w = 0; w < 2; w++)
        for (uint32_t i = 0; i < wires[w]->n; i++)
            if (is_of(wires[w]->packets[i], kind)) {
                *out = *wires[w]->packets[i];
                memset(out->bytes + out->len, 0, TRAILER);
                out->len += TRAILER;
                return true;
            }
    return false;
}

/* --- what a client knows ------------------------------------------------------------------------- */

static uint64_t sum_add(uint64_t sum, const void *p, size_t n)
{
    return XXH3_64bits_withSeed(p, n, sum);
}

static uint64_t sum_follow(uint64_t sum, const struct sb_follow *f)
{
    struct sb_follow own;
    memcpy(&own, f, sizeof own);
    own.arg = own.hashes = NULL;
    own.slots = NULL;
    sum = sum_add(sum, &own, sizeof own);
    sum = sum_add(sum, f->hashes, f->capacity * sizeof *f->hashes);
    for (uint64_t seq = f->next; seq <= f->capacity; seq++)
        if (f->hashes[seq - 1] != 0) { /* waits for a hole before it */
            const uint8_t *slot =
                f->slots + (seq & f->slots_mask) * (2 + (size_t)SB_FOLLOW_MESSAGE_MAX);
            sum = sum_add(sum, slot, 2u + sb_get16(slot));
        }
    return sum;
}

/* Everything but the counts of frames, whose turn it is to send first, and where things lie in memory. */
static uint64_t client_sum(const struct sb_client *c)
{
    struct sb_client own;
    memcpy(&own, c, sizeof own);
    own.symbols = NULL;
    own.frames.symbols = NULL;
    own.rows = NULL;
    own.trades = NULL;
    own.sessions = NULL;
    own.logins = NULL;
    own.buffers = NULL;
    own.book.orders = NULL;
    own.book.instruments = NULL;
    own.book.phases = NULL;
    memset(&own.feed, 0, sizeof own.feed);
    own.fair = own.out_n = 0;
    own.counters.frames_in = own.counters.frames_bad = own.counters.frames_other = 0;
    uint64_t sum = sum_add(1, &own, sizeof own);
    sum = sum_add(sum, c->rows, plan.n * sizeof *c->rows);
    sum = sum_add(sum, c->trades, (c->trades_max + 1) * sizeof *c->trades);
    sum = sum_add(sum, c->logins, c->logins_cap * sizeof *c->logins);
    sum = sum_add(sum, c->book.orders, (c->book.refs_max + 1) * sizeof *c->book.orders);
    sum = sum_add(sum, c->book.phases, c->book.phases_n * sizeof *c->book.phases);
    sum =
        sum_add(sum, c->book.instruments, (config.instruments_n + 1) * sizeof *c->book.instruments);
    sum = sum_follow(sum, &c->feed);
    for (uint32_t i = 1; i <= SESSIONS; i++) {
        struct sb_client_session s;
        memcpy(&s, &c->sessions[i], sizeof s);
        s.client = NULL;
        memset(&s.stream, 0, sizeof s.stream);
        sum = sum_follow(sum_add(sum, &s, sizeof s), &c->sessions[i].stream);
    }
    return sum;
}

/* --- every bit, every length ----------------------------------------------------------------------- */

struct result {
    uint64_t sum, dropped;
    uint32_t sent;
};

/* One more turn at the same time. */
static struct result poll(struct play *p, const uint8_t *frame, uint32_t len)
{
    struct sb_client *c = &p->client;
    const uint64_t before = c->counters.frames_bad + c->counters.frames_other;
    const struct sb_frame in = {.data = frame, .len = len};
    struct sb_frame out[SB_CLIENT_BURST];
    struct result r;
    r.sent = sb_client_poll(c, p->venue.now_ns, &in, frame != NULL, out, SB_CLIENT_BURST);
    r.sum = client_sum(c);
    r.dropped = c->counters.frames_bad + c->counters.frames_other - before;
    return r;
}

/* The client at the moment when a frame of this kind is under way, with nothing left to send at that time. */
static struct result play_to(struct play *p, enum kind kind, struct venue_packet *frame)
{
    play_open(p);
    for (int i = 0; !under_way(p, kind, frame); i++) {
        ck_assert_int_lt(i, TICKS_MAX);
        ck_assert_int_eq(p->client.state, SB_CLIENT_RUNNING);
        play_tick(p);
    }
    struct result r;
    do
        r = poll(p, NULL, 0);
    while (r.sent != 0);
    return r;
}

/* The whole frame, or one with the given bit flipped, to a client of its own. */
static struct result fresh(enum kind kind, uint32_t bit)
{
    static struct play p;
    struct venue_packet f;
    play_to(&p, kind, &f);
    if (bit != UINT32_MAX)
        f.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    const struct result r = poll(&p, f.bytes, f.len);
    play_close(&p);
    return r;
}

static bool same(const struct result *a, const struct result *b)
{
    return a->sum == b->sum && a->dropped == b->dropped && a->sent == b->sent;
}

START_TEST(every_flip)
{
    const enum kind kind = (enum kind)_i;
    static struct play p;
    struct venue_packet f;
    const struct result none = play_to(&p, kind, &f), whole = fresh(kind, UINT32_MAX);
    const uint32_t covered = kind == K_ARP ? 42 : SB_ETH_BYTES + sb_get16(f.bytes + 16);
    ck_assert(kind < K_ENTRY ? whole.sum != none.sum && whole.dropped == 0 : whole.sum == none.sum);
    ck_assert_uint_eq(whole.sent, kind == K_ARP || kind == K_STATUS_GAP); /* answered; sent again */
    for (uint32_t bit = 0; bit < f.len * 8; bit++) {
        const uint32_t at = bit / 8;
        struct result r;
        if (at < 12 || at >= covered) {
            r = fresh(kind, bit);
            ck_assert_msg(same(&r, &whole), "kind %d: bit %u of byte %u", _i, bit % 8, at);
            continue;
        }
        f.bytes[at] ^= (uint8_t)(1u << bit % 8);
        r = poll(&p, f.bytes, f.len);
        f.bytes[at] ^= (uint8_t)(1u << bit % 8);
        ck_assert_msg(r.sum == none.sum, "kind %d: bit %u of byte %u", _i, bit % 8, at);
        if (kind != K_ARP || at < SB_ETH_BYTES)
            ck_assert_msg(r.dropped == 1 && r.sent == 0,
                          "kind %d: bit %u of byte %u is not counted", _i, bit % 8, at);
    }
    play_close(&p);
}
END_TEST

START_TEST(every_cut)
{
    const enum kind kind = (enum kind)_i;
    static struct play p;
    struct venue_packet f;
    const struct result none = play_to(&p, kind, &f), whole = fresh(kind, UINT32_MAX);
    const uint32_t covered = kind == K_ARP ? 42 : SB_ETH_BYTES + sb_get16(f.bytes + 16);
    for (uint32_t n = 1; n < covered; n++) {
        uint8_t *cut = malloc(n); /* of its size: a sanitizer sees a read behind the end */
        ck_assert_ptr_nonnull(cut);
        memcpy(cut, f.bytes, n);
        const struct result r = poll(&p, cut, n);
        free(cut);
        ck_assert_msg(r.sum == none.sum && r.sent == 0, "kind %d: cut to %u bytes", _i, n);
        ck_assert_uint_eq(r.dropped, kind != K_ARP || n < SB_ETH_BYTES);
    }
    const struct result r = poll(&p, f.bytes, covered); /* without what stood behind it */
    ck_assert(same(&r, &whole));
    play_close(&p);
}
END_TEST

int main(void)
{
    venue_config(&config, SESSIONS, 2);
    plan_make();
    Suite *suite = suite_create("client-flips");
    TCase *tcase = tcase_create("flips");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, every_flip, 0, KINDS);
    tcase_add_loop_test(tcase, every_cut, 0, KINDS);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    sb_plan_free(&plan);
    venue_config_free(&config);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
