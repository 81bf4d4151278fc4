/* test_faults.c: what goes wrong between two honest ends: servers that refuse, die and come again, journals that are damaged,
 * a second client, and close at any moment.
 *
 * Not covered: a network that swallows packets for longer than a peer may be silent (TCP's own timers). */
#include <arpa/inet.h>
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/transfer/copy.h"

static struct rig rig;
static struct copy copy;
static struct sb_transfer_server *server;

/* A closed journal of `blocks` blocks of two inputs each: each of 4096 bytes, `per_segment` of them, and a head, in a segment. */
static void write_blocks(uint64_t blocks, uint64_t per_segment)
{
    rig_open(&rig, "/dev/shm");
    rig.setup.segment_bytes = (per_segment + 1) * SB_JOURNAL_ALIGN;
    ck_assert_msg(rig_start(&rig), "%s", rig.said);
    for (uint64_t i = 0; i < blocks; i++) {
        rig_add(&rig, 2);
        rig_until_durable(&rig, rig.log.len);
    }
    ck_assert(rig_stop(&rig, false));
}

static void serve(void)
{
    server = copy_serve(rig.folder);
    copy_init(&copy, sb_transfer_server_port(server));
}

static void stop(void)
{
    copy_close(&copy);
    sb_transfer_server_close(server);
    rig_close(&rig);
}

static void flip(uint64_t segment, off_t offset)
{
    char path[SB_JOURNAL_FILE_BYTES];
    const int fd = open(sb_journal_file(path, rig.folder, segment), O_RDWR);
    uint8_t byte;
    ck_assert_int_eq(pread(fd, &byte, 1, offset), 1);
    byte ^= 0x10;
    ck_assert_int_eq(pwrite(fd, &byte, 1, offset), 1);
    close(fd);
}

/* --- refusals ------------------------------------------------------------------------------------------ */

START_TEST(refusals)
{
    write_blocks(10, 3);
    server = copy_serve(NULL);
    copy_init(&copy, sb_transfer_server_port(server));
    copy_open(&copy);
    copy_until_state(&copy, SB_TRANSFER_REFUSED);
    copy_until_why(&copy, "no journal is served now");
    /* A folder without one. */
    ck_assert(sb_transfer_server_serve(server, "/dev/null"));
    copy_until_why(&copy, "there is no journal");
    /* And then there is one: no new start is needed. */
    ck_assert(sb_transfer_server_serve(server, rig.folder));
    copy_until(&copy, 20);
    copy_until_state(&copy, SB_TRANSFER_FOLLOWING);
    struct sb_transfer_server_counts counts;
    sb_transfer_server_counts(server, &counts);
    ck_assert_uint_ge(counts.refused, 2);
    ck_assert_uint_eq(counts.refused, copy_counts(&copy).refused);
    ck_assert_uint_eq(counts.clients, 1);
    copy_close(&copy);

    copy_init(&copy, sb_transfer_server_port(server));
    copy.setup.shard = COPY_SHARD + 1;
    copy_open(&copy);
    copy_until_why(&copy, "wrong shard: 4 is asked for, 3 is served here");
    copy_until_state(&copy, SB_TRANSFER_REFUSED);
    server_until_why(server, "wrong shard: 4");
    static char path[SB_JOURNAL_PATH_BYTES + 1];
    memset(path, 'x', sizeof path - 1);
    ck_assert(!sb_transfer_server_serve(server, path));
    stop();
}
END_TEST

START_TEST(a_port_that_is_taken)
{
    server = copy_serve(NULL);
    const struct sb_transfer_server_setup setup = {
        .ipv4 = COPY_LOOPBACK, .port = sb_transfer_server_port(server), .shard = COPY_SHARD};
    char said[300] = "";
    FILE *err = fmemopen(said, sizeof said - 1, "w");
    ck_assert_ptr_null(sb_transfer_server_open(&setup, err));
    fclose(err);
    ck_assert_ptr_nonnull(strstr(said, "listen"));
    ck_assert_ptr_nonnull(strstr(said, "another process has this port"));
    sb_transfer_server_close(server);
}
END_TEST

/* The node begins another folder: the transfer out of the old one ends, and the client goes on in the new one. */
START_TEST(another_folder)
{
    char old[140], command[600];
    write_blocks(10, 3);
    snprintf(old, sizeof old, "%s-old", rig.dir);
    snprintf(command, sizeof command, "cp -r '%s' '%s' && rm '%s'/0000000[234].journal", rig.folder,
             old, old);
    ck_assert_int_eq(system(command), 0);
    server = copy_serve(old);
    copy_init(&copy, sb_transfer_server_port(server));
    copy_open(&copy);
    copy_until(&copy, 6);
    copy_until_state(&copy, SB_TRANSFER_FOLLOWING);
    ck_assert(sb_transfer_server_serve(server, rig.folder));
    copy_until(&copy, 20);
    server_until_why(server, "another journal is served from now on");
    copy_connections(&copy, 2);
    snprintf(command, sizeof command, "rm -r '%s'", old);
    ck_assert_int_eq(system(command), 0);
    stop();
}
END_TEST

/* --- damage ---------------------------------------------------------------------------------------------- */

/* In a closed segment. What is before it is delivered, nothing at or behind it. */
START_TEST(damage_in_a_closed_segment)
{
    write_blocks(12, 3);
    flip(2, 2 * SB_JOURNAL_ALIGN + 100);
    serve();
    copy_open(&copy);
    copy_until_why(&copy, "the journal is damaged: segment 00000002, offset 8192: checksum");
    ck_assert_uint_eq(copy.n, 8);
    copy_until_state(&copy, SB_TRANSFER_REFUSED);
    pause_ms(200);
    ck_assert(!copy_take(&copy));
    ck_assert_uint_eq(copy_counts(&copy).bad, 0); /* it was not sent */
    stop();
}
END_TEST

START_TEST(damage_to_the_head_of_a_segment)
{
    write_blocks(12, 3);
    flip(3, 50);
    serve();
    copy_open(&copy);
    copy_until_why(&copy, "the journal is damaged: segment 00000003, offset 0");
    ck_assert_uint_eq(copy.n, 12);
    stop();
}
END_TEST

/* In the segment that is being written: later good blocks tell it from a write that is under way. */
START_TEST(damage_in_the_last_segment)
{
    write_blocks(12, 20);
    flip(1, 5 * SB_JOURNAL_ALIGN + 100);
    serve();
    copy_open(&copy);
    copy_until_why(&copy, "the journal is damaged: segment 00000001, offset 20480");
    ck_assert_uint_eq(copy.n, 8);
    stop();
}
END_TEST

START_TEST(the_last_block_alone_is_no_damage)
{
    write_blocks(12, 20);
    flip(1, 12 * SB_JOURNAL_ALIGN + 100);
    serve();
    copy_open(&copy);
    copy_until(&copy, 22);
    copy_until_state(&copy, SB_TRANSFER_FOLLOWING);
    pause_ms(5 * SB_TRANSFER_ALIVE_MS);
    ck_assert_int_eq(copy_counts(&copy).state, SB_TRANSFER_FOLLOWING);
    copy_connections(&copy, 1);
    ck_assert(!copy_take(&copy));
    flip(1, 12 * SB_JOURNAL_ALIGN + 100); /* as if the write had ended now */
    copy_until(&copy, 24);
    stop();
}
END_TEST

/* A segment in the middle is missing. */
START_TEST(a_missing_segment)
{
    char path[SB_JOURNAL_FILE_BYTES];
    write_blocks(12, 3);
    ck_assert_int_eq(unlink(sb_journal_file(path, rig.folder, 3)), 0);
    serve();
    copy_open(&copy);
    copy_until_why(&copy, "segment 00000003 was removed before it was sent");
    ck_assert_uint_eq(copy.n, 12);
    stop();
}
END_TEST

/* A file that grows by less than a block at a time: nothing is taken before it is whole. */
START_TEST(a_block_in_pieces)
{
    char folder[160], from[SB_JOURNAL_FILE_BYTES], to[SB_JOURNAL_FILE_BYTES];
    static uint8_t bytes[8 * SB_JOURNAL_ALIGN];
    write_blocks(7, 7);
    snprintf(folder, sizeof folder, "%s/slow", rig.dir);
    ck_assert_int_eq(mkdir(folder, 0755), 0);
    const int in = open(sb_journal_file(from, rig.folder, 1), O_RDONLY);
    ck_assert_int_eq(read(in, bytes, sizeof bytes), sizeof bytes);
    close(in);
    const int out = open(sb_journal_file(to, folder, 1), O_WRONLY | O_CREAT, 0644);
    ck_assert_int_eq(ftruncate(out, 64 * SB_JOURNAL_ALIGN), 0);
    ck_assert_int_eq(pwrite(out, bytes, 2 * SB_JOURNAL_ALIGN, 0), 2 * SB_JOURNAL_ALIGN);
    server = copy_serve(folder);
    copy_init(&copy, sb_transfer_server_port(server));
    copy_open(&copy);
    copy_until(&copy, 2);
    for (size_t at = 2 * SB_JOURNAL_ALIGN; at < sizeof bytes; at += 1024) {
        ck_assert_int_eq(pwrite(out, bytes + at, 1024, (off_t)at), 1024);
        if (at / 1024 % 4 == 3) /* the zeros behind its last line are what was there before */
            copy_until(&copy, 2 * (at / SB_JOURNAL_ALIGN));
        pause_ms(2);
        ck_assert_uint_le(copy_counts(&copy).next_n, 2 * ((at + 1024) / SB_JOURNAL_ALIGN) + 1);
    }
    copy_connections(&copy, 1);
    close(out);
    stop();
}
END_TEST

/* --- servers that die -------------------------------------------------------------------------------- */

/* A process of its own with a server on `port`, which writes its port to `out` after it has read a byte from `in`. */
static pid_t server_process(uint16_t port, int in, int out)
{
    const pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid != 0)
        return pid;
    char byte;
    const struct sb_transfer_server_setup setup = {
        .ipv4 = COPY_LOOPBACK, .port = port, .shard = COPY_SHARD};
    if (read(in, &port, sizeof port) != sizeof port)
        _exit(1);
    struct sb_transfer_server_setup with_port = setup;
    with_port.port = port;
    struct sb_transfer_server *s = sb_transfer_server_open(&with_port, stderr);
    if (s == NULL || !sb_transfer_server_serve(s, rig.folder))
        _exit(1);
    port = sb_transfer_server_port(s);
    if (write(out, &port, sizeof port) != sizeof port)
        _exit(1);
    while (read(in, &byte, 1) > 0)
        ;
    _exit(0);
}

/* Until something good has come in a later connection than those. (Counted first: what the state was before it is past then.) */
static void until_copying_again(uint64_t connections)
{
    while (copy_counts(&copy).connections == connections ||
           (copy_counts(&copy).state != SB_TRANSFER_COPYING &&
            copy_counts(&copy).state != SB_TRANSFER_FOLLOWING))
        if (!copy_take(&copy))
            pause_ms(1);
}

/* Killed in the middle of a transfer, and another one started on the same port. A client that comes before its journal is served
 * there is refused, and comes again. */
START_TEST(killed_and_started_again)
{
    enum { LIVES = 4, INPUTS = 700000 }; /* TCP's buffers and ours hold up to 150,000 */
    pid_t lives[LIVES];
    int in[LIVES][2], out[2];
    uint16_t port = 0;
    uint64_t connections = 0;
    rig_open(&rig, "/dev/shm");
    rig.setup.segment_bytes = 1u << 20;
    pid_t writer = fork(); /* the disk's ring stays in the process that made it */
    if (writer == 0) {
        ck_assert(rig_start(&rig));
        write_until(&rig, INPUTS);
        ck_assert(rig_stop(&rig, true));
        _exit(0);
    }
    int status;
    ck_assert_int_eq(waitpid(writer, &status, 0), writer);
    ck_assert_int_eq(status, 0);
    ck_assert_int_eq(pipe(out), 0);
    for (int i = 0; i < LIVES; i++) {
        ck_assert_int_eq(pipe(in[i]), 0);
        lives[i] = server_process(0, in[i][0], out[1]);
    }
    copy.client = NULL;
    for (int i = 0; i < LIVES; i++) {
        ck_assert_int_eq(write(in[i][1], &port, sizeof port), sizeof port);
        ck_assert_int_eq(read(out[0], &port, sizeof port), sizeof port);
        if (i == 0) {
            copy_init(&copy, port);
            copy.setup.ring_bytes = 1 << 16;
            copy_open(&copy);
        }
        until_copying_again(connections);
        connections = copy_counts(&copy).connections;
        if (i + 1 == LIVES)
            break;
        ck_assert_int_eq(kill(lives[i], SIGKILL), 0);
        ck_assert_int_eq(waitpid(lives[i], &status, 0), lives[i]);
    }
    while (copy.n < INPUTS)
        if (!copy_take(&copy))
            pause_ms(1);
    copy_until_state(&copy, SB_TRANSFER_FOLLOWING);
    const struct sb_transfer_client_counts counts = copy_counts(&copy);
    ck_assert_uint_eq(counts.connections, LIVES + counts.refused);
    ck_assert_uint_ge(counts.lost, LIVES - 1);
    copy_close(&copy);
    kill(lives[LIVES - 1], SIGKILL);
    waitpid(lives[LIVES - 1], &status, 0);
    rig_close(&rig);
}
END_TEST

/* --- a second client ---------------------------------------------------------------------------------- */

START_TEST(the_newest_takes_over)
{
    static struct copy second;
    write_blocks(10, 3);
    serve();
    copy.setup.retry_ms = 60000;
    copy_open(&copy);
    copy_until(&copy, 20);
    copy_until_state(&copy, SB_TRANSFER_FOLLOWING);
    copy_init(&second, sb_transfer_server_port(server));
    copy_open(&second);
    copy_until(&second, 20);
    copy_until_why(&copy, "another client has connected and takes over");
    copy_until_state(&copy, SB_TRANSFER_REFUSED);
    ck_assert_uint_eq(copy.n, 20);
    copy_until_state(&second, SB_TRANSFER_FOLLOWING);
    copy_close(&second);
    stop();
}
END_TEST

/* A client that neither reads nor closes does not keep the next one out for long. */
START_TEST(one_that_hangs_is_overtaken)
{
    static struct copy second;
    rig_open(&rig, "/dev/shm");
    rig.setup.segment_bytes = 8u << 20;
    ck_assert(rig_start(&rig));
    write_until(&rig, 200000); /* more than TCP's buffers and the ring hold */
    ck_assert(rig_stop(&rig, true));
    serve();
    copy.setup.ring_bytes = SB_TRANSFER_RING_BYTES_MIN;
    copy.setup.retry_ms = 60000;
    copy_open(&copy);
    copy_until_full(&copy);
    pause_ms(100);
    copy_init(&second, sb_transfer_server_port(server));
    const uint64_t since = now_ms();
    copy_open(&second);
    while (!copy_take(&second))
        pause_ms(1);
    ck_assert_uint_lt(now_ms() - since, 2000);
    copy_until(&second, rig.log.len);
    copy_close(&second);
    stop();
}
END_TEST

/* --- close at any moment -------------------------------------------------------------------------------- */

static void close_soon(struct copy *c)
{
    const uint64_t since = now_ms();
    copy_close(c);
    ck_assert_uint_lt(now_ms() - since, 1000);
}

static void close_server_soon(void)
{
    const uint64_t since = now_ms();
    sb_transfer_server_close(server);
    ck_assert_uint_lt(now_ms() - since, 1000);
}

/* A socket that listens, and whose queue is full: connect neither fails nor succeeds. */
static uint16_t deaf_port(int fds[4])
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(COPY_LOOPBACK)};
    socklen_t bytes = sizeof a;
    fds[0] = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(fds[0], (struct sockaddr *)&a, sizeof a), 0);
    ck_assert_int_eq(listen(fds[0], 0), 0);
    ck_assert_int_eq(getsockname(fds[0], (struct sockaddr *)&a, &bytes), 0);
    for (int i = 1; i < 4; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)!connect(fds[i], (struct sockaddr *)&a, sizeof a);
    }
    return ntohs(a.sin_port);
}

START_TEST(close_while_connecting)
{
    int fds[4];
    copy_init(&copy, deaf_port(fds));
    copy_open(&copy);
    pause_ms(100);
    ck_assert_int_eq(copy_counts(&copy).state, SB_TRANSFER_CONNECTING);
    ck_assert_uint_eq(copy_counts(&copy).connections + copy_counts(&copy).lost, 0);
    close_soon(&copy);
    /* And it is given up by time. */
    copy_open(&copy);
    copy_until_why(&copy, "no answer to connect");
    close_soon(&copy);
    /* Between two attempts. */
    for (int i = 0; i < 4; i++)
        close(fds[i]);
    copy.setup.retry_ms = 60000;
    copy_open(&copy);
    copy_until_why(&copy, strerror(ECONNREFUSED));
    close_soon(&copy);
    copy_open(&copy); /* at once */
    close_soon(&copy);
}
END_TEST

START_TEST(close_while_the_ring_is_full)
{
    rig_open(&rig, "/dev/shm");
    rig.setup.segment_bytes = 8u << 20;
    ck_assert(rig_start(&rig));
    write_until(&rig, 200000);
    ck_assert(rig_stop(&rig, true));
    serve();
    copy.setup.ring_bytes = SB_TRANSFER_RING_BYTES_MIN;
    copy_open(&copy);
    copy_until_full(&copy);
    pause_ms(100);
    close_server_soon(); /* while it sends, and nobody reads */
    close_soon(&copy);
    rig_close(&rig);
}
END_TEST

START_TEST(close_while_a_snapshot_is_sent)
{
    write_blocks(10, 3);
    write_snapshot(rig.folder, 10, 64u << 20, 1);
    serve();
    copy.setup.snapshot_ahead_min = 0;
    for (int i = 0; i < 10; i++) {
        copy_open(&copy);
        while (copy_counts(&copy).snapshot_got == 0 && copy_counts(&copy).next_n == 1)
            pause_ms(1);
        close_soon(&copy);
    }
    copy_open(&copy);
    while (copy_counts(&copy).snapshot_got == 0 && copy_counts(&copy).next_n == 1)
        pause_ms(1);
    close_server_soon();
    close_soon(&copy);
    rig_close(&rig);
}
END_TEST

static int descriptors(void)
{
    DIR *d = opendir("/proc/self/fd");
    int n = 0;
    while (readdir(d) != NULL)
        n++;
    closedir(d);
    return n;
}

START_TEST(nothing_is_left_open)
{
    write_blocks(10, 3);
    rig_read(&rig, 1, &(uint64_t){0});
    const int before = descriptors();
    for (int i = 0; i < 20; i++) {
        serve();
        copy_open(&copy);
        if (i % 2 == 0)
            copy_until(&copy, 20);
        if (i % 3 == 0)
            copy_until_state(&copy, SB_TRANSFER_FOLLOWING);
        if (i % 4 < 2)
            sb_transfer_server_close(server);
        close_soon(&copy);
        if (i % 4 >= 2)
            sb_transfer_server_close(server);
    }
    ck_assert_int_eq(descriptors(), before);
    sb_transfer_server_close(NULL);
    sb_transfer_client_close(NULL);
    rig_close(&rig);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("transfer-faults");
    TCase *t = tcase_create("transfer-faults");
    tcase_set_timeout(t, 100);
    tcase_add_test(t, refusals);
    tcase_add_test(t, a_port_that_is_taken);
    tcase_add_test(t, another_folder);
    tcase_add_test(t, damage_in_a_closed_segment);
    tcase_add_test(t, damage_to_the_head_of_a_segment);
    tcase_add_test(t, damage_in_the_last_segment);
    tcase_add_test(t, the_last_block_alone_is_no_damage);
    tcase_add_test(t, a_missing_segment);
    tcase_add_test(t, a_block_in_pieces);
    tcase_add_test(t, killed_and_started_again);
    tcase_add_test(t, the_newest_takes_over);
    tcase_add_test(t, one_that_hangs_is_overtaken);
    tcase_add_test(t, close_while_connecting);
    tcase_add_test(t, close_while_the_ring_is_full);
    tcase_add_test(t, close_while_a_snapshot_is_sent);
    tcase_add_test(t, nothing_is_left_open);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    const int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
