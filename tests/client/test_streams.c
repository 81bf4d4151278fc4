/* The follower and the feed's books, each alone. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "nic/wire/bytes.h"
#include "nic/wire/itch.h"
#include "nic/wire/mold.h"
#include "perf/feed_book.h"
#include "perf/follow.h"

static struct {
    uint64_t next;
    uint32_t n;
} got;

static void deliver(void *arg, uint64_t seq, const uint8_t *message, uint32_t len)
{
    (void)arg;
    ck_assert_uint_eq(seq, got.next);
    ck_assert_uint_eq(len, 8);
    ck_assert_uint_eq(sb_get64(message), seq * 7);
    got.next++;
    got.n++;
}

static void send_named(struct sb_follow *f, uint64_t now, uint64_t seq, uint16_t count,
                       uint16_t generation, uint64_t change)
{
    uint8_t packet[1500];
    char name[SB_MOLD_NAME_BYTES];
    sb_stream_name(name, 1, 20261122, generation, 5);
    sb_mold_put_head(packet, name, seq, count);
    uint32_t at = SB_MOLD_HEAD_BYTES;
    for (uint16_t i = 0; i < count; i++, at += 10) {
        sb_put16(packet + at, 8);
        sb_put64(packet + at + 2, (seq + i) * 7 + change);
    }
    sb_follow_packet(f, now, packet, at);
}

static void send(struct sb_follow *f, uint64_t now, uint64_t seq, uint16_t count)
{
    send_named(f, now, seq, count, 0, 0);
}

static void fresh(struct sb_follow *f)
{
    got.next = 1;
    got.n = 0;
    ck_assert(sb_follow_init(f, 5, 1000, 64, deliver, NULL));
}

static uint64_t requested(struct sb_follow *f, uint64_t now, uint16_t *count)
{
    uint8_t request[SB_MOLD_HEAD_BYTES];
    struct sb_mold_head head = {0};
    if (!sb_follow_request(f, now, request))
        return 0;
    ck_assert(sb_mold_read_request(request, sizeof request, &head));
    *count = head.count;
    return head.seq;
}

START_TEST(in_order_and_reordered)
{
    struct sb_follow f;
    fresh(&f);
    send(&f, 1, 1, 3);
    ck_assert_uint_eq(got.n, 3);
    send(&f, 2, 6, 2); /* 4, 5 missing */
    ck_assert_uint_eq(got.n, 3);
    ck_assert(sb_follow_missing(&f));
    send(&f, 3, 5, 1);
    send(&f, 4, 4, 1);
    ck_assert_uint_eq(got.n, 7);
    ck_assert(!sb_follow_missing(&f));
    ck_assert_uint_eq(f.counters.gaps, 1);
    ck_assert_uint_eq(f.counters.gaps_repaired, 1);
    ck_assert_uint_eq(f.counters.duplicates, 0);
    sb_follow_free(&f);
}
END_TEST

START_TEST(repeats_are_compared)
{
    struct sb_follow f;
    fresh(&f);
    send(&f, 1, 1, 5);
    send(&f, 2, 3, 4); /* 3..5 again, 6 new */
    ck_assert_uint_eq(got.n, 6);
    ck_assert_uint_eq(f.counters.duplicates, 3);
    send_named(&f, 3, 2, 1, 0, 1); /* other bytes */
    ck_assert_uint_eq(f.counters.conflicting, 1);
    send(&f, 4, 9, 1);             /* waits for 7, 8 ... */
    send_named(&f, 5, 9, 1, 0, 1); /* ... and comes again with other bytes */
    ck_assert_uint_eq(f.counters.conflicting, 2);
    ck_assert_uint_eq(got.n, 6);
    sb_follow_free(&f);
}
END_TEST

START_TEST(requests)
{
    struct sb_follow f;
    uint16_t count = 0;
    fresh(&f);
    send(&f, 1000, 1, 1);
    ck_assert_uint_eq(requested(&f, 1000000000, &count), 0);
    send(&f, 2000, 10, 1);
    ck_assert_uint_eq(requested(&f, 2000, &count), 0); /* perhaps only reordered */
    const uint64_t t = 2000 + SB_FOLLOW_GRACE_NS;
    ck_assert_uint_eq(requested(&f, t, &count), 2);
    ck_assert_uint_eq(count, 8); /* 2..9 */
    ck_assert_uint_eq(requested(&f, t + SB_FOLLOW_RETRY_FIRST_NS - 1, &count), 0);
    ck_assert_uint_eq(requested(&f, t + SB_FOLLOW_RETRY_FIRST_NS, &count), 2);
    const uint64_t u = t + SB_FOLLOW_RETRY_FIRST_NS; /* then doubled */
    ck_assert_uint_eq(requested(&f, u + 2 * SB_FOLLOW_RETRY_FIRST_NS - 1, &count), 0);
    ck_assert_uint_eq(requested(&f, u + 2 * SB_FOLLOW_RETRY_FIRST_NS, &count), 2);
    /* An answer that brings only a part: ask for the rest soon. */
    send(&f, u + 9000000, 2, 3);
    ck_assert_uint_eq(requested(&f, u + 9000000 + SB_FOLLOW_GRACE_NS, &count), 5);
    ck_assert_uint_eq(count, 5);
    send(&f, u + 20000000, 5, 5);
    ck_assert_uint_eq(got.n, 10);
    ck_assert_uint_eq(requested(&f, u + 900000000, &count), 0);
    sb_follow_free(&f);
}
END_TEST

START_TEST(heartbeats_and_names)
{
    struct sb_follow f;
    uint16_t count = 0;
    fresh(&f);
    send(&f, 1, 4, 0); /* a heartbeat tells of 1..3 */
    ck_assert(sb_follow_missing(&f));
    ck_assert_uint_eq(f.level_ns, 0);
    ck_assert_uint_eq(requested(&f, 1000000, &count), 1);
    ck_assert_uint_eq(count, 3);
    send_named(&f, 2, 1, 3, 1, 0); /* another generation */
    ck_assert_uint_eq(got.n, 0);
    ck_assert_uint_eq(f.counters.foreign, 1);
    ck_assert_uint_eq(f.names_n, 2);
    send(&f, 3, 1, 3);
    ck_assert_uint_eq(got.n, 3);
    send(&f, 77, 4, 0);
    ck_assert_uint_eq(f.level_ns, 77);
    send(&f, 78, 2, 0); /* an old one says nothing about now */
    ck_assert_uint_eq(f.level_ns, 77);
    sb_follow_free(&f);
}
END_TEST

START_TEST(nonsense)
{
    struct sb_follow f;
    fresh(&f);
    send(&f, 1, 0, 1);
    send(&f, 1, UINT64_MAX, 2);
    send(&f, 1, 5000, 1); /* beyond the capacity */
    send(&f, 1, 500, 1);  /* beyond the buffer: known of, not kept */
    ck_assert_uint_eq(got.n, 0);
    ck_assert_uint_eq(f.counters.malformed, 1);
    ck_assert_uint_eq(f.counters.over, 2);
    ck_assert_uint_eq(f.counters.far, 1);
    ck_assert_uint_eq(f.end, 501);
    sb_follow_free(&f);
}
END_TEST

/* --- books ------------------------------------------------------------------------------- */

static uint64_t feed_seq;

static void feed(struct sb_feed_book *book, struct sb_itch m)
{
    uint8_t bytes[SB_ITCH_MESSAGE_MAX];
    if (m.locate == 1)
        memcpy(m.symbol, "SYMB    ", 8);
    sb_feed_book_apply(book, ++feed_seq, bytes, sb_itch_write(bytes, &m));
}

static void open_book(struct sb_feed_book *book)
{
    feed_seq = 0;
    ck_assert(sb_feed_book_init(book, 100, 100));
    feed(book, (struct sb_itch){.type = 'S', .event = 'O', .timestamp = 3});
    feed(book, (struct sb_itch){.type = 'R', .locate = 1, .timestamp = 4});
    for (uint64_t ref = 1; ref <= 3; ref++)
        feed(book, (struct sb_itch){.type = 'A',
                                    .locate = 1,
                                    .timestamp = 5,
                                    .ref = ref,
                                    .shares = 100,
                                    .price = 5000,
                                    .side = 'B'});
    ck_assert_uint_eq(book->errors, 0);
    ck_assert_uint_eq(book->open, 3);
}

START_TEST(book_follows)
{
    struct sb_feed_book b;
    open_book(&b);
    const struct sb_itch base = {.locate = 1, .timestamp = 6};
    struct sb_itch m = base;
    m.type = 'E', m.ref = 1, m.shares = 30, m.match = 1;
    feed(&b, m);
    ck_assert_uint_eq(b.orders[1].shares, 70);
    m.type = 'X', m.shares = 20;
    feed(&b, m);
    ck_assert_uint_eq(b.orders[1].shares, 50);
    m.type = 'C', m.shares = 50, m.price = 5000, m.printable = 'N';
    feed(&b, m);
    ck_assert_uint_eq(b.open, 2);
    m = base;
    m.type = 'U', m.ref = 2, m.new_ref = 9, m.shares = 40, m.price = 5100;
    feed(&b, m);
    ck_assert_uint_eq(b.orders[2].shares, 0);
    ck_assert_uint_eq(b.orders[9].shares, 40);
    ck_assert_int_eq(b.orders[9].side, 'B');
    m = base;
    m.type = 'D', m.ref = 3;
    feed(&b, m);
    m = base; /* neither is about an order of the book */
    m.type = 'P', m.side = 'B', m.shares = 10, m.price = 5000, m.match = 2;
    feed(&b, m);
    m.type = 'I', m.side = 'N', m.cross = 'O';
    feed(&b, m);
    ck_assert_uint_eq(b.open, 1);
    m = base; /* a time counts once, however many instruments change their phase then */
    m.type = 'H', m.state = 'Q';
    feed(&b, m);
    m.state = 'T';
    feed(&b, m);
    m.timestamp = 9;
    feed(&b, m);
    ck_assert_uint_eq(b.phases_n, 2);
    ck_assert_uint_eq(b.phases[0], 6);
    ck_assert_uint_eq(b.phases[1], 9);
    ck_assert_int_eq(b.instruments[1].state, 'T');
    ck_assert_str_eq(b.first_error, "");
    ck_assert_uint_eq(b.errors, 0);
    sb_feed_book_free(&b);
}
END_TEST

START_TEST(book_is_strict)
{
    static const struct sb_itch bad[] = {
        {.type = 'E', .locate = 1, .timestamp = 6, .ref = 1, .shares = 101},
        {.type = 'E', .locate = 1, .timestamp = 6, .ref = 1, .shares = 0},
        {.type = 'E', .locate = 1, .timestamp = 6, .ref = 50, .shares = 1},
        {.type = 'X', .locate = 1, .timestamp = 6, .ref = 101, .shares = 1},
        {.type = 'D', .locate = 1, .timestamp = 6, .ref = 0},
        {.type = 'D', .locate = 2, .timestamp = 6, .ref = 1},
        {.type = 'A', .locate = 1, .timestamp = 6, .ref = 1, .shares = 1, .side = 'B'},
        {.type = 'A', .locate = 1, .timestamp = 6, .ref = 10, .shares = 0, .side = 'B'},
        {.type = 'A', .locate = 2, .timestamp = 6, .ref = 10, .shares = 1, .side = 'B'},
        {.type = 'U', .locate = 1, .timestamp = 6, .ref = 1, .new_ref = 2, .shares = 5},
        {.type = 'R', .locate = 1, .timestamp = 6},
        {.type = 'D', .locate = 1, .timestamp = 4, .ref = 1},
        {.type = 'P', .locate = 2, .timestamp = 6, .ref = 0, .side = 'B', .shares = 1},
        {.type = 'F', .locate = 1, .timestamp = 6, .ref = 10, .side = 'B', .shares = 1},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct sb_feed_book b;
        open_book(&b);
        feed(&b, bad[i]);
        ck_assert_msg(b.errors == 1, "case %zu", i);
        ck_assert_str_ne(b.first_error, "");
        sb_feed_book_free(&b);
    }
    struct sb_feed_book b;
    open_book(&b);
    sb_feed_book_apply(&b, 99, (const uint8_t *)"D", 1);
    ck_assert_uint_eq(b.errors, 1);
    sb_feed_book_free(&b);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("streams");
    TCase *tcase = tcase_create("streams");
    tcase_add_test(tcase, in_order_and_reordered);
    tcase_add_test(tcase, repeats_are_compared);
    tcase_add_test(tcase, requests);
    tcase_add_test(tcase, heartbeats_and_names);
    tcase_add_test(tcase, nonsense);
    tcase_add_test(tcase, book_follows);
    tcase_add_test(tcase, book_is_strict);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
