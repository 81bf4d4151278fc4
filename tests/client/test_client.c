/* The client against a toy venue: whatever the network does, what it was told must be what the reference says; and what
 * a venue must never do must be noticed. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "perf/client.h"
#include "perf/verify.h"
#include "tests/client/venue.h"

static struct sb_config config;

struct play { /* one run, from plan to verdict */
    struct sb_plan plan;
    struct venue venue;
    struct sb_client client;
    struct sb_verify verify;
};

static void add(struct sb_plan *plan, struct sb_plan_event event)
{
    ck_assert_ptr_null(sb_plan_add(plan, &event));
}

static void add_phase(struct sb_plan *plan, uint64_t time_ns, char phase)
{
    add(plan, (struct sb_plan_event){.time_ns = time_ns, .op = 'P', .phase = phase});
}

/* A small day: auction, uncross, trading near one price with cancels (some of orders that are gone), closing auction. */
static void small_day(struct sb_plan *plan, uint32_t sessions_n, uint32_t rows, uint64_t seed)
{
    ck_assert(sb_plan_init(plan, sessions_n));
    uint64_t time_ns = 1000, last_id = 100;
    add_phase(plan, time_ns, 'A');
    for (uint32_t i = 0; i < rows; i++) {
        time_ns += 20000;
        const uint64_t r = venue_random(&seed);
        if (i == rows / 5 || i == rows - 10)
            add_phase(plan, time_ns, 'U');
        if (i == rows / 5)
            add_phase(plan, time_ns, 'T');
        if (i == rows * 4 / 5)
            add_phase(plan, time_ns, 'A');
        struct sb_plan_event e = {.time_ns = time_ns, .op = 'N', .tif = '0'};
        if (r % 4 == 0 && last_id > 110) {
            e.op = 'C';
            e.order_id = 101 + (r >> 8) % (last_id - 100);
            e.quantity = 1 + (uint32_t)(r >> 40) % 60;
        } else {
            e.order_id = ++last_id;
            e.side = (r >> 8) % 2 ? 'B' : 'S';
            e.price = 1000000 + (int64_t)((r >> 16) % 20) * 100 - (e.side == 'B' ? 300 : -300);
            e.quantity = 1 + (uint32_t)(r >> 32) % 100;
            e.tif = (r >> 50) % 8 == 0 ? '3' : '0';
            e.instrument = 1 + (uint32_t)((r >> 54) % 2);
        }
        add(plan, e);
    }
    ck_assert(sb_plan_finish(plan));
}

/* With the plan that is made already. */
static void start_plan(struct play *p, uint64_t seed, double speed)
{
    venue_init(&p->venue, &config, seed);
    const struct sb_client_options options = {.config = &config,
                                              .plan = &p->plan,
                                              .speed = speed,
                                              .window = 64,
                                              .give_up_ns = UINT64_C(3000000000),
                                              .nonce = 42,
                                              .mac = {2, 0, 0, 0, 0, 4}};
    ck_assert_ptr_null(sb_client_init(&p->client, &options));
}

static void start(struct play *p, uint32_t sessions_n, uint32_t rows, uint64_t seed, double speed)
{
    small_day(&p->plan, sessions_n, rows, seed);
    start_plan(p, seed, speed);
}

static void run(struct play *p)
{
    venue_run(&p->venue, &p->client, UINT64_C(120) * 1000000000);
    ck_assert(sb_verify_run(&p->verify, &p->client, NULL));
}

static void stop(struct play *p)
{
    sb_verify_free(&p->verify);
    sb_client_free(&p->client);
    venue_free(&p->venue);
    sb_plan_free(&p->plan);
}

/* Without a pace and without loss, rows have the time they left at: a phase row after all answers before it, the next row after its. */
static void check_phases(const struct play *p)
{
    uint64_t answered = 0, phase = 0;
    for (uint32_t i = 0; i < p->plan.n; i++) {
        const struct sb_client_row *row = &p->client.rows[i];
        ck_assert_uint_ge(row->intended_ns, phase);
        if (p->plan.rows[i].op == 'P') {
            ck_assert_uint_ge(row->intended_ns, answered);
            phase = row->answered_ns;
        }
        answered = row->answered_ns > answered ? row->answered_ns : answered;
    }
}

/* Everything that must hold after a run in which the venue did nothing wrong. */
static void check_good(const struct play *p)
{
    const struct sb_client *c = &p->client;
    ck_assert_int_eq(c->state, SB_CLIENT_DONE);
    ck_assert_str_eq(p->verify.sessions_difference, "");
    ck_assert_str_eq(p->verify.trades_difference, "");
    ck_assert_str_eq(p->verify.books_difference, "");
    ck_assert(p->verify.trades_equal && p->verify.sessions_equal && p->verify.feed_equal &&
              p->verify.books_equal);
    ck_assert_str_eq(c->first_error, "");
    ck_assert_str_eq(c->book.first_error, "");
    ck_assert_uint_eq(p->verify.missing + p->verify.half_trades + p->verify.clock_errors, 0);
    ck_assert_uint_eq(c->feed.counters.conflicting + c->feed.counters.foreign, 0);
    /* The venue's own count of what happened. */
    const struct sb_engine_stats *stats = sb_engine_stats(p->venue.engine);
    ck_assert_uint_eq(p->verify.seen.n, stats->trades);
    ck_assert_uint_eq(p->verify.superfluous, stats->ignored_superfluous);
    ck_assert_uint_gt(stats->trades, 100);
    ck_assert_uint_eq(c->counters.acknowledged + c->counters.rejected + p->verify.superfluous,
                      p->plan.n);
    ck_assert_uint_eq(p->venue.bad_frames, 0);
    for (uint32_t s = 1; s <= p->plan.sessions_n; s++)
        ck_assert_uint_eq(c->sessions[s].stream.next - 1, p->venue.streams[s].n);
    ck_assert_uint_eq(c->feed.next - 1, p->venue.streams[0].n);
    ck_assert_uint_eq(c->book.open, stats->open_orders);
}

START_TEST(clean_network)
{
    struct play p = {0};
    start(&p, 1, 2000, 1, 0);
    run(&p);
    check_good(&p);
    check_phases(&p);
    ck_assert_uint_eq(p.client.counters.resent, 0);
    ck_assert_uint_eq(p.client.feed.counters.gaps, 0);
    /* Two copies of the feed: every message comes again, but for those before the client listened. */
    ck_assert_uint_gt(p.client.feed.counters.duplicates, p.client.feed.counters.messages / 2);
    stop(&p);
}
END_TEST

/* What the configuration says of sessions and instruments is what the reference goes by, too. */
START_TEST(rules_of_the_configuration)
{
    struct sb_session_config *s = &config.sessions[_i == 0 ? 1 : 2];
    struct sb_instrument_config *in = &config.instruments[2];
    const struct sb_session_config session = *s;
    const struct sb_instrument_config instrument = *in;
    struct play p = {0};
    start(&p, 2, 4000, 1, 0);
    run(&p);
    const uint64_t rejected = p.client.counters.rejected, trades = p.verify.seen.n;
    stop(&p);
    s->stp = SB_STP_DECREMENT;
    config.sessions[1].stp_group = config.sessions[2].stp_group = 3;
    s->orders_max = 40;
    s->quantity_max = 95;
    s->notional_max = 9000;
    in->reference_price = 1001000;
    in->static_band = 9;
    in->dynamic_band = 5;
    in->notional_max = 9300;
    in->tie = SB_TIE_LOWEST;
    p = (struct play){0};
    start(&p, 2, 4000, 1, 0);
    run(&p);
    check_good(&p);
    ck_assert_uint_gt(p.client.counters.rejected, rejected + 100);
    ck_assert_uint_lt(p.verify.seen.n, trades - 100);
    stop(&p);
    *s = session;
    *in = instrument;
    config.sessions[1].stp_group = config.sessions[2].stp_group = 0;
}
END_TEST

/* Pro-rata, where fills end nobody, and pauses that TIMER ends; each alone and both, on both instruments. A network that loses and
 * reorders, too. */
START_TEST(shares_and_pauses)
{
    const struct sb_instrument_config instrument = config.instruments[1];
    struct play p = {0};
    for (uint32_t i = 1; i <= 2; i++) {
        struct sb_instrument_config *in = &config.instruments[i];
        in->matching = (_i & 1) != 0 ? SB_MATCH_PRO_RATA : SB_MATCH_PRICE_TIME;
        in->dynamic_band = (_i & 2) != 0 ? 5 : 0;
        in->band_action = SB_BAND_PAUSE;
        in->pause_ms = (_i & 2) != 0 ? i : 0;
    }
    start(&p, 2, 4000, (uint64_t)_i, 1);
    if (_i >= 4) {
        p.venue.loss_percent = 3;
        p.venue.delay_ns_max = 500000;
    }
    run(&p);
    check_good(&p);
    if ((_i & 3) == 1) /* queues in which many have a share */
        ck_assert_uint_gt(p.verify.seen.n, p.plan.orders * 9 / 10);
    ck_assert_uint_eq(p.verify.timers, p.venue.timers);
    if ((_i & 2) != 0)
        ck_assert_uint_gt(p.verify.timers, 10);
    else
        ck_assert_uint_eq(p.verify.timers, 0);
    stop(&p);
    for (uint32_t i = 1; i <= 2; i++) {
        const char letter = config.instruments[i].symbol[3];
        config.instruments[i] = instrument;
        config.instruments[i].symbol[3] = letter;
    }
}
END_TEST

/* The judge goes by what the configuration says: where the venue has other rules, it says so. */
START_TEST(other_shares_and_pauses_are_noticed)
{
    struct sb_instrument_config *in = &config.instruments[1];
    const struct sb_instrument_config instrument = *in;
    struct play p = {0};
    in->matching = SB_MATCH_PRO_RATA;
    in->dynamic_band = 5;
    in->band_action = SB_BAND_PAUSE;
    in->pause_ms = 1;
    start(&p, 2, 4000, 1, 1);
    in->matching = _i == 0 ? SB_MATCH_PRICE_TIME : in->matching;
    in->pro_rata_min = _i == 1 ? 30 : 0;
    in->pause_ms = _i == 2 ? 2 : 1; /* the TIMER came too early */
    in->dynamic_band = _i == 3 ? 6 : 5;
    run(&p);
    ck_assert_int_eq(p.client.state, SB_CLIENT_DONE);
    ck_assert_uint_gt(p.verify.timers, 5);
    ck_assert(!p.verify.feed_equal);
    ck_assert(!p.verify.trades_equal || !p.verify.sessions_equal);
    stop(&p);
    *in = instrument;
}
END_TEST

/* 64 orders of 1000, of which the oldest is the top order: it takes 15 arrivals of 64, and 40 of the 16th, whose other 24 are no
 * share of anybody's and go to the next one. In each of the last 34 the 63 that are left have a share, and only the arrival
 * ends: many more trades than orders. */
START_TEST(a_pass_fills_many)
{
    enum { RESTING = 64, ARRIVALS = 50 };
    struct play p = {0};
    config.instruments[1].matching = SB_MATCH_PRO_RATA;
    ck_assert(sb_plan_init(&p.plan, 1));
    add_phase(&p.plan, 1, 'T');
    for (uint32_t i = 0; i < RESTING + ARRIVALS; i++)
        add(&p.plan, (struct sb_plan_event){.time_ns = 1000 + i,
                                            .op = 'N',
                                            .tif = '0',
                                            .order_id = 1 + i,
                                            .side = i < RESTING ? 'S' : 'B',
                                            .price = 1000000,
                                            .quantity = i < RESTING ? 1000 : RESTING,
                                            .instrument = 1});
    ck_assert(sb_plan_finish(&p.plan));
    start_plan(&p, 1, 0);
    run(&p);
    check_good(&p);
    ck_assert_uint_eq(p.verify.seen.n, 15 + 2 + 34 * 63);
    stop(&p);
    config.instruments[1].matching = SB_MATCH_PRICE_TIME;
}
END_TEST

/* A schedule that would take hours is left when it is asked for. */
START_TEST(hurry)
{
    struct play p = {0};
    start(&p, 1, 2000, 1, 1e-9);
    venue_run(&p.venue, &p.client, UINT64_C(1000000000));
    ck_assert_uint_lt(p.client.cursor, p.plan.n / 2);
    sb_client_hurry(&p.client);
    run(&p);
    check_good(&p);
    stop(&p);
}
END_TEST

START_TEST(adversarial_network)
{
    struct play p = {0};
    const uint32_t sessions_n = 1 + (uint32_t)_i % 4;
    start(&p, sessions_n, 1500, 100 + (uint64_t)_i, _i % 2 ? 3.0 : 0);
    p.venue.loss_percent = 10;
    p.venue.repeat_percent = 10;
    p.venue.delay_ns_max = 2000000;
    run(&p);
    check_good(&p);
    ck_assert_uint_gt(p.client.counters.resent, 0);
    ck_assert_uint_gt(p.client.sessions[1].stream.counters.requests, 0);
    ck_assert_uint_gt(p.client.feed.counters.gaps_repaired, 0);
    stop(&p);
}
END_TEST

START_TEST(silence_and_repetition)
{
    struct play p = {0};
    start(&p, 3, 2000, 7, 1.0);
    p.venue.silent_from_ns = 20000000;
    p.venue.silent_to_ns = 90000000;
    run(&p);
    check_good(&p);
    ck_assert_uint_gt(p.client.counters.resent, 0);
    ck_assert_uint_gt(p.client.sessions[2].stream.counters.duplicates, 0);
    stop(&p);
}
END_TEST

/* Frames behind a hole make the venue tell of it: the client does not wait for its timer. */
START_TEST(gap_is_followed_at_once)
{
    struct play p = {0};
    start(&p, 1, 2000, 8, 1.0);
    p.venue.delay_ns_max = 100000;
    venue_run(&p.venue, &p.client, 20000000);
    ck_assert_uint_gt(p.venue.to_venue.n, 0);
    venue_lose(&p.venue);
    run(&p);
    check_good(&p);
    ck_assert_uint_gt(p.client.counters.resent, 0);
    ck_assert_uint_gt(p.client.counters.status_gaps, 0);
    for (uint32_t i = 0; i < p.plan.n; i++)
        if (p.client.rows[i].answer != 0)
            ck_assert_uint_lt(p.client.rows[i].answered_ns - p.client.rows[i].intended_ns,
                              SB_CLIENT_RESEND_FIRST_NS / 2);
    stop(&p);
}
END_TEST

/* An owner wanted what comes next, died, and nobody says otherwise: the client must come back to what is not taken. */
START_TEST(last_word_of_a_dead_owner)
{
    struct play p = {0};
    start(&p, 1, 2000, 8, 0);
    p.venue.mute_status = true;
    venue_run(&p.venue, &p.client, 4000000);
    ck_assert_uint_gt(p.venue.to_venue.n, 0);
    venue_lose(&p.venue);
    p.client.sessions[1].wanted = p.client.sessions[1].sent + 1;
    run(&p);
    ck_assert_uint_eq(p.client.cursor, p.plan.n);
    ck_assert_uint_gt(p.client.counters.resent, 0);
    ck_assert(p.verify.trades_equal && p.verify.books_equal);
    stop(&p);
}
END_TEST

/* STATUS alone says that all is taken; the answers come late: the end is not before. */
START_TEST(answers_are_waited_for)
{
    struct play p = {0};
    start(&p, 3, 1000, 8, 0);
    run(&p);
    const uint64_t through_ns = p.venue.now_ns;
    stop(&p);
    p = (struct play){0};
    start(&p, 3, 1000, 8, 0);
    venue_run(&p.venue, &p.client, through_ns / 10);
    ck_assert_uint_eq(p.client.logged_in_n, 3);
    p.venue.mute_stream = 2;
    p.venue.mute_to_ns = through_ns + 1000000000;
    run(&p);
    check_good(&p);
    ck_assert_uint_ge(p.venue.now_ns, p.venue.mute_to_ns);
    stop(&p);
}
END_TEST

START_TEST(conflicting_byte_is_counted)
{
    struct play p = {0};
    start(&p, 1, 500, 9, 0);
    p.venue.conflict_at = 50;
    run(&p);
    ck_assert_uint_eq(p.client.sessions[1].stream.counters.conflicting, 1);
    ck_assert(p.verify.trades_equal); /* the first word stands */
    stop(&p);
}
END_TEST

START_TEST(missing_answer_is_reported)
{
    struct play p = {0};
    start(&p, 1, 500, 9, 0);
    uint32_t at = 200;
    while (p.plan.rows[at].op != 'N')
        at++;
    p.venue.swallow_at = p.plan.rows[at].seq;
    run(&p);
    ck_assert_int_eq(p.client.state, SB_CLIENT_DONE);
    ck_assert_uint_ge(p.verify.missing, 1);
    ck_assert(!p.verify.sessions_equal);
    stop(&p);
}
END_TEST

START_TEST(other_feed_name_is_counted)
{
    struct play p = {0};
    start(&p, 1, 500, 9, 0);
    p.venue.other_name = true;
    p.client.options.give_up_ns = UINT64_C(300000000);
    run(&p);
    ck_assert_uint_gt(p.client.feed.counters.foreign, 0);
    ck_assert_uint_eq(p.client.feed.names_n, 2);
    stop(&p);
}
END_TEST

START_TEST(a_wrong_trade_is_noticed)
{
    struct play p = {0};
    start(&p, 2, 1000, 11, 0);
    venue_run(&p.venue, &p.client, UINT64_C(120) * 1000000000);
    uint64_t match = 1;
    while (p.client.trades[match].buy_liquidity == 0)
        match++;
    p.client.trades[match].quantity++;
    ck_assert(sb_verify_run(&p.verify, &p.client, NULL));
    ck_assert(!p.verify.trades_equal);
    ck_assert_str_ne(p.verify.trades_difference, "");
    stop(&p);
}
END_TEST

START_TEST(a_wrong_book_is_noticed)
{
    struct play p = {0};
    start(&p, 2, 1000, 11, 0);
    venue_run(&p.venue, &p.client, UINT64_C(120) * 1000000000);
    uint64_t ref = 1;
    while (p.client.book.orders[ref].shares == 0)
        ref++;
    p.client.book.orders[ref].shares++;
    ck_assert(sb_verify_run(&p.verify, &p.client, NULL));
    ck_assert(!p.verify.books_equal && p.verify.trades_equal);
    stop(&p);
}
END_TEST

START_TEST(a_wrong_stream_is_noticed)
{
    struct play p = {0};
    start(&p, 2, 1000, 11, 0);
    run(&p);
    check_good(&p);
    struct sb_verify again;
    p.client.sessions[2].stream.hashes[20] ^= 1;
    ck_assert(sb_verify_run(&again, &p.client, NULL));
    ck_assert(!again.sessions_equal && again.feed_equal);
    ck_assert_str_ne(again.sessions_difference, "");
    sb_verify_free(&again);
    p.client.sessions[2].stream.hashes[20] ^= 1;
    p.client.feed.hashes[20] ^= 1;
    ck_assert(sb_verify_run(&again, &p.client, NULL));
    ck_assert(again.sessions_equal && !again.feed_equal);
    sb_verify_free(&again);
    p.client.feed.hashes[20] ^= 1;
    p.client.feed.next--; /* a feed that ends too early */
    ck_assert(sb_verify_run(&again, &p.client, NULL));
    ck_assert(!again.feed_equal);
    sb_verify_free(&again);
    stop(&p);
}
END_TEST

START_TEST(given_trades_are_compared)
{
    struct play p = {0};
    start(&p, 1, 1000, 12, 0);
    run(&p);
    check_good(&p);
    struct sb_verify_trades given = {0};
    for (uint64_t i = 0; i < p.verify.seen.n; i++)
        sb_verify_trades_add(&given, &p.verify.seen.at[i]);
    struct sb_verify again;
    ck_assert(sb_verify_run(&again, &p.client, &given));
    ck_assert(again.trades_equal);
    sb_verify_free(&again);
    given.at[given.n / 2].price += 100;
    ck_assert(sb_verify_run(&again, &p.client, &given));
    ck_assert(!again.trades_equal);
    sb_verify_free(&again);
    given.at[given.n / 2].price -= 100;
    given.n--;
    ck_assert(sb_verify_run(&again, &p.client, &given));
    ck_assert(!again.trades_equal);
    sb_verify_free(&again);
    free(given.at);
    stop(&p);
}
END_TEST

START_TEST(no_service)
{
    struct play p = {0};
    start(&p, 1, 500, 9, 0);
    p.venue.silent_from_ns = 5000000;
    p.venue.silent_to_ns = UINT64_MAX;
    run(&p);
    ck_assert_int_eq(p.client.state, SB_CLIENT_NO_SERVICE);
    ck_assert_uint_lt(p.venue.now_ns, UINT64_C(4000000000)); /* after 3 s, as asked */
    stop(&p);
}
END_TEST

START_TEST(session_in_use)
{
    struct play p = {0};
    start(&p, 1, 500, 9, 0);
    p.venue.wanted[1] = 77; /* somebody sent 76 messages today */
    run(&p);
    ck_assert_int_eq(p.client.state, SB_CLIENT_SESSION_IN_USE);
    stop(&p);
}
END_TEST

START_TEST(same_input_same_output)
{
    struct play p = {0}, q = {0};
    start(&p, 3, 800, 21, 2.0);
    start(&q, 3, 800, 21, 2.0);
    p.venue.loss_percent = q.venue.loss_percent = 5;
    run(&p);
    run(&q);
    ck_assert_uint_eq(p.venue.now_ns, q.venue.now_ns);
    ck_assert_mem_eq(&p.client.counters, &q.client.counters, sizeof p.client.counters);
    ck_assert_mem_eq(p.client.rows, q.client.rows, p.plan.n * sizeof *p.client.rows);
    stop(&p);
    stop(&q);
}
END_TEST

/* Random frames, and true frames with a byte changed: counted, and the run still ends well (checksums catch them). */
START_TEST(noise)
{
    struct play p = {0};
    start(&p, 2, 1000, 31, 0);
    uint64_t random = 5;
    struct sb_frame out[SB_CLIENT_BURST];
    for (uint32_t i = 0; i < 20000; i++) {
        uint8_t bytes[256];
        for (uint32_t k = 0; k < sizeof bytes; k += 8)
            memcpy(bytes + k, &(uint64_t){venue_random(&random)}, 8);
        const struct sb_frame frame = {.data = bytes,
                                       .len = (uint32_t)venue_random(&random) % sizeof bytes};
        sb_client_poll(&p.client, 1000, &frame, 1, out, 0);
    }
    ck_assert_uint_eq(p.client.counters.frames_in, 20000);
    run(&p);
    check_good(&p);
    stop(&p);
}
END_TEST

START_TEST(bad_plans_and_options)
{
    struct sb_plan plan;
    ck_assert(sb_plan_init(&plan, 2));
    const struct sb_plan_event order = {
        .op = 'N', .order_id = 5, .side = 'B', .quantity = 10, .price = 100, .instrument = 1};
    add(&plan, order);
    ck_assert_ptr_nonnull(sb_plan_add(&plan, &order));
    ck_assert_uint_eq(plan.n, 1);
    add(&plan, (struct sb_plan_event){.op = 'C', .order_id = 6, .quantity = 1}); /* of no order */
    ck_assert_uint_eq(plan.rows[1].key, 0);
    ck_assert_uint_eq(plan.rows[1].order_row, 1);
    ck_assert_uint_eq(plan.rows[0].next_cancel, SB_PLAN_NONE);
    ck_assert(sb_plan_finish(&plan));
    struct sb_client client;
    struct sb_client_options options = {.config = &config, .plan = &plan, .window = 1};
    ck_assert_ptr_null(sb_client_init(&client, &options));
    sb_client_free(&client);
    options.window = 0;
    ck_assert_ptr_nonnull(sb_client_init(&client, &options));
    options.window = 1;
    config.sessions[2].present = false;
    ck_assert_ptr_nonnull(sb_client_init(&client, &options));
    config.sessions[2].present = true;
    ck_assert_ptr_null(sb_client_init(&client, &options));
    sb_client_free(&client);
    plan.rows[0].instrument = 9;
    ck_assert_ptr_nonnull(sb_client_init(&client, &options));
    sb_plan_free(&plan);
}
END_TEST

/* Intended sizes as OUCH counts them: 100 - 30 = 70, - 60 = 10, - 50 = nothing left. */
START_TEST(intended_sizes)
{
    struct sb_plan plan;
    ck_assert(sb_plan_init(&plan, 1));
    add(&plan, (struct sb_plan_event){
                   .op = 'N', .order_id = 5, .side = 'B', .quantity = 100, .instrument = 1});
    const uint32_t less[3] = {30, 60, 50}, intended[3] = {70, 10, 0};
    for (uint32_t i = 0; i < 3; i++)
        add(&plan, (struct sb_plan_event){.op = 'C', .order_id = 5, .quantity = less[i]});
    for (uint32_t i = 0; i < 3; i++) {
        ck_assert_uint_eq(plan.rows[i + 1].intended, intended[i]);
        ck_assert_uint_eq(plan.rows[i + 1].key, 1);
        ck_assert_uint_eq(plan.rows[i + 1].seq, i + 2);
    }
    sb_plan_free(&plan);
}
END_TEST

START_TEST(order_ids_in_clordid)
{
    const uint64_t ids[] = {0, 1, 35, 36, 161885, UINT64_MAX};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        char text[14];
        uint64_t back;
        sb_plan_put_clordid(text, ids[i]);
        ck_assert(sb_plan_get_clordid(text, &back));
        ck_assert_uint_eq(back, ids[i]);
    }
    char text[14];
    uint64_t back;
    sb_plan_put_clordid(text, 161885);
    ck_assert_mem_eq(text, "3GWT          ", 14); /* 3*36^3 + 16*36^2 + 32*36 + 29 */
    ck_assert(!sb_plan_get_clordid("              ", &back));
    ck_assert(!sb_plan_get_clordid("12 4          ", &back));
    ck_assert(!sb_plan_get_clordid("abc           ", &back));
    ck_assert(!sb_plan_get_clordid("ZZZZZZZZZZZZZZ", &back));
}
END_TEST

int main(void)
{
    venue_config(&config, 4, 2);
    Suite *suite = suite_create("client");
    TCase *tcase = tcase_create("client");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, clean_network);
    tcase_add_loop_test(tcase, rules_of_the_configuration, 0, 2);
    tcase_add_loop_test(tcase, shares_and_pauses, 0, 8);
    tcase_add_loop_test(tcase, other_shares_and_pauses_are_noticed, 0, 4);
    tcase_add_test(tcase, a_pass_fills_many);
    tcase_add_test(tcase, hurry);
    tcase_add_loop_test(tcase, adversarial_network, 0, 12);
    tcase_add_test(tcase, silence_and_repetition);
    tcase_add_test(tcase, gap_is_followed_at_once);
    tcase_add_test(tcase, last_word_of_a_dead_owner);
    tcase_add_test(tcase, answers_are_waited_for);
    tcase_add_test(tcase, conflicting_byte_is_counted);
    tcase_add_test(tcase, missing_answer_is_reported);
    tcase_add_test(tcase, other_feed_name_is_counted);
    tcase_add_test(tcase, a_wrong_trade_is_noticed);
    tcase_add_test(tcase, a_wrong_book_is_noticed);
    tcase_add_test(tcase, a_wrong_stream_is_noticed);
    tcase_add_test(tcase, given_trades_are_compared);
    tcase_add_test(tcase, no_service);
    tcase_add_test(tcase, session_in_use);
    tcase_add_test(tcase, same_input_same_output);
    tcase_add_test(tcase, noise);
    tcase_add_test(tcase, bad_plans_and_options);
    tcase_add_test(tcase, intended_sizes);
    tcase_add_test(tcase, order_ids_in_clordid);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    venue_config_free(&config);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
