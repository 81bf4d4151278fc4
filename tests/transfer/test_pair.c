/* test_pair.c: a server and a client over the loopback: what the journal's writer wrote arrives, once, in order, whole.
 *
 * Not covered: a real network between them; losses there are TCP's. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "replica/snapshot.h"
#include "tests/transfer/copy.h"

static struct rig rig;
static struct copy copy;
static struct sb_transfer_server *server;

/* Memory, and whatever the build stands on: there the writer goes past the cache through which the server reads. */
static const char *const places[] = {"/dev/shm", "."};

/* A journal of n inputs or some more, which is still being written. */
static void begin(uint64_t n)
{
    ck_assert_msg(rig_start(&rig), "%s", rig.said);
    write_until(&rig, n);
    server = copy_serve(rig.folder);
    copy_init(&copy, sb_transfer_server_port(server));
}

static void start_at(const char *place, uint64_t n, uint64_t keep_segments)
{
    rig_open(&rig, place);
    rig.setup.keep_segments = keep_segments;
    begin(n);
}

static void start(uint64_t n, uint64_t keep_segments)
{
    start_at(places[0], n, keep_segments);
}

static void stop(void)
{
    copy_close(&copy);
    sb_transfer_server_close(server);
    if (rig.writer.state != SB_JOURNAL_OFF)
        ck_assert_msg(rig_stop(&rig, false), "%s", rig.said);
    rig_close(&rig);
}

START_TEST(all_of_a_closed_journal)
{
    start(5000, 0);
    ck_assert(rig_stop(&rig, true));
    copy_open(&copy);
    copy_until(&copy, rig.log.len);
    copy_until_state(&copy, SB_TRANSFER_FOLLOWING);
    const struct sb_transfer_client_counts counts = copy_counts(&copy);
    ck_assert_uint_eq(counts.next_n, rig.log.len + 1);
    ck_assert_uint_eq(counts.server_n, rig.log.len);
    copy_connections(&copy, 1);
    ck_assert_uint_eq(counts.lost + counts.refused + counts.bad, 0);
    ck_assert_uint_gt(counts.bytes, rig.log.len * SB_LINE_BYTES);
    ck_assert_uint_eq(copy.packets, rig.log.packet_end);
    struct sb_transfer_server_counts served;
    sb_transfer_server_counts(server, &served);
    ck_assert_uint_eq(served.clients, 1);
    ck_assert_uint_eq(served.served_n, rig.log.len);
    for (; served.bytes < counts.bytes; sb_transfer_server_counts(server, &served))
        pause_ms(1); /* it counts them when it hears that they are sent */
    ck_assert(served.active);
    stop();
}
END_TEST

/* The end of an empty journal is found too, and from there on it is followed, over many segments. */
START_TEST(from_the_first_input_on)
{
    start_at(places[_i], 0, 0);
    copy_open(&copy);
    copy_until_state(&copy, SB_TRANSFER_FOLLOWING);
    ck_assert_uint_eq(copy.n, 0);
    for (int i = 0; i < 200; i++) {
        rig_add(&rig, 3);
        rig_until_durable(&rig, rig.log.len);
        copy_until(&copy, rig.log.len);
    }
    ck_assert_uint_gt(atomic_load(&rig.writer.segments), 50);
    copy_connections(&copy, 1);
    stop();
}
END_TEST

/* While it is written as fast as the disk takes it, and not only new segments. */
START_TEST(at_full_rate)
{
    rig_open(&rig, places[_i]);
    rig.setup.segment_bytes = UINT64_C(16) * SB_JOURNAL_ALIGN;
    begin(3000);
    copy_open(&copy);
    for (uint64_t n = 6000; n <= 150000; n += 3000) {
        write_until(&rig, n);
        while (copy_take(&copy))
            ;
    }
    copy_until(&copy, rig.log.len);
    copy_connections(&copy, 1);
    ck_assert_uint_eq(copy.packets, rig.log.packet_end);
    stop();
}
END_TEST

/* Large blocks: up to a whole MiB in one. */
START_TEST(large_blocks)
{
    rig_open(&rig, "/dev/shm");
    rig.setup.segment_bytes = 8u << 20;
    rig.setup.ring_bytes = 4u << 20;
    begin(0);
    copy_open(&copy);
    for (int i = 0; i < 20; i++) {
        atomic_store(&rig.disk.hangs, true);
        for (int p = 0; p < 700; p++) {
            rig_add(&rig, SB_STREAM_LINES_MAX);
            ck_assert(!rig_turn(&rig, 0));
        }
        atomic_store(&rig.disk.hangs, false);
        rig_until_durable(&rig, rig.log.len);
        while (copy_take(&copy))
            ;
    }
    copy_until(&copy, rig.log.len);
    ck_assert_uint_lt(atomic_load(&rig.writer.writes), 100);
    stop();
}
END_TEST

/* From where a joiner stands: the end of some packet, in any block. */
START_TEST(from_the_middle)
{
    start(3000, 0);
    for (uint64_t i = 0; i < rig.log.packet_end; i += 1 + i / 7) {
        copy_init(&copy, sb_transfer_server_port(server));
        copy.setup.from_n = sb_log_packet(&rig.log, i)->n_first;
        copy_open(&copy);
        copy_until(&copy, rig.log.len);
        ck_assert_uint_eq(copy_counts(&copy).lost, 0);
        copy_close(&copy);
    }
    /* All of it is there already: it waits for what is written next. */
    const uint64_t packets = rig.log.packet_end;
    copy_init(&copy, sb_transfer_server_port(server));
    copy.setup.from_n = rig.log.len + 1;
    copy_open(&copy);
    copy_until_state(&copy, SB_TRANSFER_FOLLOWING);
    ck_assert_uint_eq(copy.packets, 0);
    write_until(&rig, rig.log.len + 500);
    copy_until(&copy, rig.log.len);
    ck_assert_uint_eq(copy.packets, rig.log.packet_end - packets);
    stop();
}
END_TEST

/* Blocks of one input each: none is left out at the beginning, none too many is sent. */
START_TEST(from_each_block)
{
    start(0, 0);
    for (int i = 0; i < 10; i++) {
        rig_add(&rig, 1);
        rig_until_durable(&rig, rig.log.len);
    }
    for (uint64_t n = 1; n <= 10; n++) {
        copy_init(&copy, sb_transfer_server_port(server));
        copy.setup.from_n = n;
        copy_open(&copy);
        copy_until(&copy, 10);
        const struct sb_transfer_client_counts counts = copy_counts(&copy);
        ck_assert_uint_eq(counts.lost, 0);
        ck_assert_uint_eq(copy.packets, 11 - n);
        /* a head of a segment is 4096 bytes too; and small messages */
        ck_assert_uint_lt(counts.bytes, (11 - n + 4 + 1) * SB_JOURNAL_ALIGN);
        copy_close(&copy);
    }
    stop();
}
END_TEST

START_TEST(inside_a_packet)
{
    start(100, 0);
    const struct sb_packet *p = sb_log_packet(&rig.log, 1);
    ck_assert_uint_gt(p->count, 1);
    copy.setup.from_n = p->n_first + 1;
    copy_open(&copy);
    copy_until_why(&copy, "stands inside a packet");
    ck_assert_uint_eq(copy.packets, 0);
    stop();
}
END_TEST

/* --- snapshots ------------------------------------------------------------------------------------ */

START_TEST(snapshot_if_far_enough_ahead)
{
    start(4000, 0);
    const uint64_t a = sb_packet_last(sb_log_packet(&rig.log, 100));
    const uint64_t b = sb_packet_last(sb_log_packet(&rig.log, 200));
    write_snapshot(rig.folder, a, 1000, 0xAA);
    write_snapshot(rig.folder, b, (5u << 20) + 3, 0xBB);
    write_snapshot(rig.folder, 0, 10, 0xCC);
    copy.snapshot_fill = 0xBB;
    copy.setup.snapshot_ahead_min = b;
    copy_open(&copy);
    copy_until(&copy, rig.log.len);
    ck_assert_uint_eq(copy.snapshots, 1);
    ck_assert_uint_eq(copy.snapshot_n, b);
    ck_assert_uint_eq(copy.packets, rig.log.packet_end - 201);
    copy_close(&copy);
    /* One input too near. */
    copy_init(&copy, sb_transfer_server_port(server));
    copy.setup.snapshot_ahead_min = b + 1;
    copy_open(&copy);
    copy_until(&copy, rig.log.len);
    ck_assert_uint_eq(copy.snapshots, 0);
    copy_close(&copy);
    /* From behind it. */
    copy_init(&copy, sb_transfer_server_port(server));
    copy.setup.from_n = b + 1;
    copy.setup.snapshot_ahead_min = 0;
    copy_open(&copy);
    copy_until(&copy, rig.log.len);
    ck_assert_uint_eq(copy.snapshots, 0);
    stop();
}
END_TEST

/* The retention takes the front of the journal, and what it was taken for goes, too. */
static void lose_the_front(void)
{
    char path[SB_SNAPSHOT_PATH_BYTES];
    const uint64_t n = rig.log.len, segment = atomic_load(&rig.writer.segments);
    rig_name_snapshot(&rig, n);
    while (atomic_load(&rig.writer.segments) == segment)
        write_until(&rig, rig.log.len + 1);
    ck_assert_int_eq(unlink(sb_snapshot_file(path, rig.folder, n)), 0);
    struct sb_journal_segment_head h;
    ck_assert(!sb_journal_head(rig.folder, 1, &h));
}

START_TEST(snapshot_if_there_is_no_other_way)
{
    start(20000, 3);
    lose_the_front();
    copy_open(&copy);
    copy_until_state(&copy, SB_TRANSFER_REFUSED);
    char why[SB_TRANSFER_WHY_BYTES];
    ck_assert_ptr_nonnull(strstr(sb_transfer_client_why(copy.client, why), "reaches back so far"));
    ck_assert_uint_eq(copy.n, 0);
    /* One that the journal does not go on from is of no use; one that it does is. */
    write_snapshot(rig.folder, 5, 100, 0xAA);
    copy_until_why(&copy, "the journal does not reach back so far: it begins at input");
    ck_assert_int_eq(copy_counts(&copy).state, SB_TRANSFER_REFUSED);
    ck_assert_uint_eq(copy.snapshots, 0);
    const uint64_t n = rig.log.len;
    write_snapshot(rig.folder, n, 100, 0xBB);
    copy.snapshot_fill = 0xBB;
    copy_until(&copy, n);
    ck_assert_uint_eq(copy.snapshots, 1);
    copy_until_state(&copy, SB_TRANSFER_FOLLOWING);
    write_until(&rig, n + 300);
    copy_until(&copy, rig.log.len);
    stop();
}
END_TEST

/* The loop keeps a snapshot in hand while the packets behind it arrive. */
START_TEST(snapshot_kept_in_hand)
{
    start(3000, 0);
    const uint64_t n = sb_packet_last(sb_log_packet(&rig.log, 50));
    write_snapshot(rig.folder, n, 1u << 20, 0x5A);
    copy.setup.snapshot_ahead_min = 0;
    copy_open(&copy);
    struct sb_transfer_item item;
    while (!sb_transfer_client_next(copy.client, &item))
        pause_ms(1);
    ck_assert_int_eq(item.kind, SB_TRANSFER_SNAPSHOT);
    ck_assert_uint_eq(item.snapshot_bytes, 1u << 20);
    sb_transfer_client_release(copy.client);
    copy.n = item.n;
    copy_until(&copy, rig.log.len);
    const uint8_t *bytes = item.snapshot;
    ck_assert_uint_eq((uintptr_t)bytes % 64, 0);
    for (size_t i = 0; i < item.snapshot_bytes; i++)
        if (bytes[i] != 0x5A)
            ck_abort_msg("byte %zu", i);
    stop(); /* never done with it: close frees it */
}
END_TEST

START_TEST(snapshot_too_large)
{
    start(100, 0);
    write_snapshot(rig.folder, rig.log.len, 5000, 1);
    copy.setup.snapshot_ahead_min = 0;
    copy.setup.snapshot_bytes_max = 4999;
    copy_open(&copy);
    copy_until_why(&copy, "a snapshot of 5000 bytes");
    ck_assert_uint_eq(copy.snapshots, 0);
    stop();
}
END_TEST

/* --- the loop is slow --------------------------------------------------------------------------------- */

/* The smallest ring, and a loop that takes nothing for longer than a peer may be silent. */
START_TEST(slow_loop)
{
    start(3000, 0);
    copy.setup.ring_bytes = SB_TRANSFER_RING_BYTES_MIN;
    copy_open(&copy);
    copy_until_full(&copy);
    pause_ms(SB_TRANSFER_SILENCE_MS + 1000);
    const uint64_t before = copy_counts(&copy).next_n;
    ck_assert_uint_lt(before, 200);
    ck_assert_uint_gt(before, 1);
    copy_until(&copy, rig.log.len);
    const struct sb_transfer_client_counts counts = copy_counts(&copy);
    copy_connections(&copy, 1);
    ck_assert_uint_eq(counts.lost, 0);
    stop();
}
END_TEST

/* Writes more, and removes what is old, until a segment that the server has neither sent nor open is gone. It may have open the
 * one behind what it sent last; and what TCP and the client hold for it has an end. */
static void run_away(void)
{
    enum { SEGMENT_LINES = 4 * SB_JOURNAL_ALIGN / SB_LINE_BYTES };
    struct sb_transfer_server_counts served;
    struct sb_journal_segment_head oldest;
    do {
        write_until(&rig, rig.log.len + 20000);
        lose_the_front();
        const uint64_t newest = atomic_load(&rig.writer.segments);
        ck_assert(sb_journal_head(rig.folder, newest - rig.setup.keep_segments, &oldest));
        sb_transfer_server_counts(server, &served);
    } while (served.served_n + UINT64_C(3) * SEGMENT_LINES >= oldest.n_first);
}

/* The journal runs away from a joiner: a segment that it still needs is removed. It goes on with a snapshot. The server sees that
 * something is missing when it comes to it: perhaps while the joiner's loop takes nothing, perhaps only when there is room to send
 * again. */
START_TEST(overtaken_by_the_retention)
{
    start(2000, 4);
    copy.setup.ring_bytes = SB_TRANSFER_RING_BYTES_MIN;
    copy.setup.from_n = rig.log.len + 1;
    copy_open(&copy);
    copy_until_state(&copy, SB_TRANSFER_FOLLOWING);
    write_until(&rig, rig.log.len + 1000);
    copy_until_full(&copy); /* else it would come back, and be refused for want of a snapshot */
    run_away();
    write_snapshot(rig.folder, rig.log.len, 4096, 7);
    copy.snapshot_fill = 7;
    copy_until(&copy, rig.log.len);
    ck_assert_uint_eq(copy.snapshots, 1);
    ck_assert_uint_eq(copy.snapshot_n, rig.log.len);
    const struct sb_transfer_client_counts counts = copy_counts(&copy);
    copy_connections(&copy, 2);
    ck_assert_uint_eq(counts.refused + counts.lost, 1);
    ck_assert_uint_eq(counts.bad, 0);
    server_until_why(server, "was removed before it was sent");
    stop();
}
END_TEST

/* --- several lives ------------------------------------------------------------------------------------ */

/* The life ends between two writes, or in the middle of one; the next goes on in the same folder. */
static void next_life(bool torn)
{
    static struct sb_journal_end end;
    ck_assert_msg(rig_stop(&rig, false), "%s", rig.said);
    end = rig_end(&rig, SB_FOUND_OPEN);
    if (torn) {
        rig_tear(&rig, &end, false);
        end = rig_end(&rig, SB_FOUND_TORN);
    }
    rig.setup.after = &end;
    rig.setup.inc++;
    ck_assert_msg(rig_start(&rig), "%s", rig.said);
    ck_assert_uint_eq(rig.writer.queued_n, rig.log.len);
}

/* Three lives, the second one's beginning and end torn, from every place of interest: the first input, the middle of each, the
 * last input of one and the first of the next. */
START_TEST(of_several_lives)
{
    uint64_t last[3];
    start(2000, 0);
    last[0] = rig.log.len;
    for (int life = 1; life < 3; life++) {
        next_life(true);
        write_until(&rig, rig.log.len + 2000);
        last[life] = rig.log.len;
    }
    const uint64_t from[] = {1,           last[0] / 2,     last[0],     last[0] + 1,
                             last[0] + 2, last[1] - 1000u, last[1] + 1, last[2]};
    /* A packet is not cut: from its first input on. */
    copy.setup.from_n = sb_log_packet(&rig.log, sb_log_find(&rig.log, from[_i]))->n_first;
    copy_open(&copy);
    copy_until(&copy, rig.log.len);
    copy_until_state(&copy, SB_TRANSFER_FOLLOWING);
    write_until(&rig, rig.log.len + 500);
    copy_until(&copy, rig.log.len);
    copy_connections(&copy, 1);
    ck_assert_uint_eq(copy_counts(&copy).bad + copy_counts(&copy).refused, 0);
    stop();
}
END_TEST

/* The owner's process ends and comes back, with a server of its own, while a client follows: it goes on where it was. */
START_TEST(a_life_begins_while_it_follows)
{
    start(2000, 0);
    const struct sb_transfer_server_setup again = {
        .ipv4 = COPY_LOOPBACK, .port = sb_transfer_server_port(server), .shard = COPY_SHARD};
    copy_open(&copy);
    copy_until(&copy, rig.log.len);
    copy_until_state(&copy, SB_TRANSFER_FOLLOWING);
    for (int life = 0; life < 4; life++) {
        const bool process = life % 2 == 0;
        if (process)
            sb_transfer_server_close(server);
        next_life(life >= 2);
        if (process) {
            server = sb_transfer_server_open(&again, stderr);
            ck_assert_ptr_nonnull(server);
            ck_assert(sb_transfer_server_serve(server, rig.folder));
        }
        for (int i = 0; i < 5; i++) {
            write_until(&rig, rig.log.len + 200);
            copy_until(&copy, rig.log.len);
        }
    }
    ck_assert_uint_eq(copy_counts(&copy).bad, 0);
    ck_assert_uint_eq(copy.packets, rig.log.packet_end);
    stop();
}
END_TEST

int main(void)
{
    Suite *s = suite_create("transfer-pair");
    TCase *t = tcase_create("transfer-pair");
    tcase_set_timeout(t, 100);
    tcase_add_test(t, all_of_a_closed_journal);
    tcase_add_loop_test(t, from_the_first_input_on, 0, 2);
    tcase_add_loop_test(t, at_full_rate, 0, 2);
    tcase_add_test(t, large_blocks);
    tcase_add_test(t, from_the_middle);
    tcase_add_test(t, from_each_block);
    tcase_add_test(t, inside_a_packet);
    tcase_add_test(t, snapshot_if_far_enough_ahead);
    tcase_add_test(t, snapshot_if_there_is_no_other_way);
    tcase_add_test(t, snapshot_kept_in_hand);
    tcase_add_test(t, snapshot_too_large);
    tcase_add_test(t, slow_loop);
    tcase_add_test(t, overtaken_by_the_retention);
    tcase_add_loop_test(t, of_several_lives, 0, 8);
    tcase_add_test(t, a_life_begins_while_it_follows);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    const int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
