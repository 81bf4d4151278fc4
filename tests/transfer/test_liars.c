/* test_liars.c: a server that is none, a client that is none: whatever they send, or do not, costs them their connection, with a
 * reason, and the next honest one is served.
 *
 * Not covered here: every type and length of a message (test_intake.c), all bytes in any order (the fuzz target). */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "replica/transfer_wire.h"
#include "tests/transfer/copy.h"

enum { HEAD = sizeof(struct sb_transfer_head) };

static struct rig rig;
static struct copy copy;
static _Alignas(64) uint8_t message[HEAD + SB_TRANSFER_PAYLOAD_MAX];

static struct sockaddr_in address(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(COPY_LOOPBACK)};
}

static void give_up_after(int fd, int seconds)
{
    const struct timeval t = {.tv_sec = seconds};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
}

static uint32_t make(uint8_t type, uint64_t n, uint64_t a, uint64_t b, uint32_t bytes)
{
    struct sb_transfer_head *h = (void *)message;
    *h = (struct sb_transfer_head){
        .type = type, .shard = COPY_SHARD, .n = n, .a = a, .b = b, .bytes = bytes};
    return sb_transfer_seal(h);
}

static void transmit(int fd, const void *bytes, size_t n)
{
    ck_assert_int_eq(send(fd, bytes, n, MSG_NOSIGNAL), (ssize_t)n);
}

/* --- a server that is none --------------------------------------------------------------------------- */

static int listener;

static void false_server(void)
{
    struct sockaddr_in a = address(0);
    socklen_t bytes = sizeof a;
    listener = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&a, sizeof a), 0);
    ck_assert_int_eq(listen(listener, 4), 0);
    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&a, &bytes), 0);
    give_up_after(listener, 10);
    copy_init(&copy, ntohs(a.sin_port));
    copy.setup.retry_ms = 1;
}

/* The client's next connection; its request is read and is what it must be. */
static int next_connection(void)
{
    struct sb_transfer_head h;
    uint32_t bytes;
    const int fd = accept(listener, NULL, NULL);
    ck_assert_int_ge(fd, 0);
    give_up_after(fd, 10);
    ck_assert_int_eq(recv(fd, &h, sizeof h, MSG_WAITALL), sizeof h);
    ck_assert_ptr_null(sb_transfer_look((uint8_t *)&h, sizeof h, SB_TRANSFER_CLIENT, &bytes));
    ck_assert_uint_eq(bytes, sizeof h);
    ck_assert_uint_eq(h.type, SB_TRANSFER_T_REQUEST);
    ck_assert_uint_eq(h.n, copy.n + 1);
    return fd;
}

static void until_gone(int fd)
{
    uint8_t bytes[4096];
    ssize_t n;
    while ((n = recv(fd, bytes, sizeof bytes, 0)) > 0)
        ;
    ck_assert_msg(n == 0 || errno == ECONNRESET, "the connection is still open");
    close(fd);
}

START_TEST(false_server_wrong_bytes)
{
    static uint8_t noise[100000];
    false_server();
    copy_open(&copy);
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (uint8_t)(i * 7 + i / 251);
    int fd = next_connection();
    (void)!send(fd, noise, sizeof noise, MSG_NOSIGNAL);
    until_gone(fd);
    copy_until_why(&copy, "no message of a transfer");
    /* Each byte of a head, wrong: by itself, and under a good checksum. */
    uint64_t bad = copy_counts(&copy).bad;
    ck_assert_uint_eq(bad, 1);
    for (uint32_t at = 0; at < 2 * HEAD; at++) {
        const uint32_t n = make(SB_TRANSFER_T_REACH, 1, 0, 0, 0);
        message[at % HEAD] ^= 0x80;
        struct sb_transfer_head *h = (void *)message;
        const bool known = at % HEAD >= offsetof(struct sb_transfer_head, n) &&
                           (at % HEAD < offsetof(struct sb_transfer_head, a) ||
                            at % HEAD >= offsetof(struct sb_transfer_head, b));
        const bool sealed = at >= HEAD;
        if (sealed && (h->bytes != 0 || known || at % HEAD < 4 || h->version != 1))
            continue; /* a good message again, or one that seal() would not make */
        if (sealed)
            sb_transfer_seal(h);
        fd = next_connection();
        transmit(fd, message, n);
        if (sealed)
            shutdown(fd, SHUT_WR);
        until_gone(fd);
        bad++;
    }
    fd = next_connection();
    ck_assert_uint_eq(copy_counts(&copy).bad, bad);
    ck_assert_uint_eq(copy_counts(&copy).refused, 0);
    ck_assert_uint_eq(copy_counts(&copy).next_n, 1);
    ck_assert(!copy_take(&copy));
    close(fd);
    copy_close(&copy);
    close(listener);
}
END_TEST

/* Announces much, and sends little of it: no memory is touched, and after a while the client leaves. */
START_TEST(false_server_goes_silent)
{
    false_server();
    copy_open(&copy);
    int fd = next_connection();
    const uint64_t since = now_ms();
    const uint32_t n = make(SB_TRANSFER_T_BLOCK, 1, 1, 0, SB_JOURNAL_BLOCK_MAX);
    transmit(fd, message, n / 2);
    until_gone(fd);
    ck_assert_uint_ge(now_ms() - since, SB_TRANSFER_SILENCE_MS - 100);
    copy_until_why(&copy, "the server is silent");
    fd = next_connection(); /* and now nothing at all */
    ck_assert_int_eq(copy_counts(&copy).state, SB_TRANSFER_CONNECTING);
    until_gone(fd);
    ck_assert_uint_eq(copy_counts(&copy).bad, 0);
    ck_assert_uint_ge(copy_counts(&copy).lost, 2);
    copy_close(&copy);
    close(listener);
}
END_TEST

/* One that closes, at any byte of a message. */
START_TEST(false_server_closes)
{
    false_server();
    copy_open(&copy);
    for (uint32_t part = 0; part < 48; part += 3) {
        const int fd = next_connection();
        make(SB_TRANSFER_T_REACH, 1, 0, 0, 0);
        if (part != 0)
            transmit(fd, message, part);
        shutdown(fd, SHUT_WR);
        until_gone(fd);
    }
    copy_until_why(&copy, "the server closed the connection");
    ck_assert_uint_eq(copy_counts(&copy).bad, 0);
    const int fd = next_connection();
    const uint32_t n = make(SB_TRANSFER_T_REACH, 77, 1, 0, 0);
    transmit(fd, message, n);
    copy_until_state(&copy, SB_TRANSFER_FOLLOWING);
    ck_assert_uint_eq(copy_counts(&copy).server_n, 77);
    close(fd);
    copy_close(&copy);
    close(listener);
}
END_TEST

/* A snapshot for which there is no memory is the end. */
START_TEST(false_server_huge_snapshot)
{
    false_server();
    copy.setup.snapshot_bytes_max = UINT64_MAX;
    copy_open(&copy);
    const int fd = next_connection();
    const uint32_t n = make(SB_TRANSFER_T_SNAPSHOT, 9, UINT64_MAX, 0, 0);
    transmit(fd, message, n);
    until_gone(fd);
    copy_until_state(&copy, SB_TRANSFER_FAILED);
    copy_until_why(&copy, "no memory for a snapshot of 18446744073709551615 bytes");
    copy_close(&copy);
    close(listener);
}
END_TEST

/* --- a client that is none -------------------------------------------------------------------------------- */

static struct sb_transfer_server *server;

static void true_server(void)
{
    rig_open(&rig, "/dev/shm");
    ck_assert(rig_start(&rig));
    write_until(&rig, 500);
    ck_assert(rig_stop(&rig, true));
    server = copy_serve(rig.folder);
}

static int call(void)
{
    const struct sockaddr_in a = address(sb_transfer_server_port(server));
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(connect(fd, (const struct sockaddr *)&a, sizeof a), 0);
    give_up_after(fd, 10);
    return fd;
}

/* The server's last words are these, and then it closes. */
static void expect_refusal(int fd, const char *text)
{
    struct sb_transfer_head *h = (void *)message;
    uint32_t bytes;
    do {
        ck_assert_int_eq(recv(fd, h, sizeof *h, MSG_WAITALL), sizeof *h);
        const uint32_t left = sb_transfer_wire_bytes(h->bytes) - HEAD;
        if (left != 0)
            ck_assert_int_eq(recv(fd, h + 1, left, MSG_WAITALL), (ssize_t)left);
        ck_assert_ptr_null(sb_transfer_look(message, sizeof message, SB_TRANSFER_SERVER, &bytes));
    } while (h->type != SB_TRANSFER_T_REFUSED);
    char said[SB_TRANSFER_WHY_MAX + 1] = "";
    memcpy(said, h + 1, h->bytes);
    ck_assert_msg(strstr(said, text) != NULL, "\"%s\", not \"%s\"", said, text);
    until_gone(fd);
}

/* An honest one is served after all that. */
static void stop(void)
{
    copy_init(&copy, sb_transfer_server_port(server));
    copy_open(&copy);
    copy_until(&copy, rig.log.len);
    ck_assert_uint_eq(copy_counts(&copy).refused, 0);
    copy_close(&copy);
    sb_transfer_server_close(server);
    rig_close(&rig);
}

START_TEST(false_client_wrong_bytes)
{
    static uint8_t noise[100000];
    true_server();
    int fd = call();
    memset(noise, 0x31, sizeof noise);
    transmit(fd, noise, 4000);
    expect_refusal(fd, "no message of a transfer");
    for (uint32_t at = 0; at < HEAD; at++) { /* each byte of a head */
        const uint32_t n = make(SB_TRANSFER_T_REQUEST, 1, 0, 0, 0);
        message[at] ^= 0x81;
        fd = call();
        transmit(fd, message, n);
        expect_refusal(fd, at < 4                ? "no message of a transfer"
                           : at == 4             ? "a message of another version"
                           : at == 5             ? "a message of an unknown type"
                           : at >= 8 && at < 12  ? "a message of an impossible length"
                           : at >= 12 && at < 16 ? "reserved bytes are not zero"
                                                 : "a message's checksum");
    }
    struct sb_transfer_server_counts counts;
    sb_transfer_server_counts(server, &counts);
    ck_assert_uint_eq(counts.refused, 1 + HEAD);
    ck_assert_uint_eq(counts.clients, 0);
    /* Much of it: what the server never looks at does not cost the client the reason. */
    fd = call();
    transmit(fd, noise, sizeof noise);
    expect_refusal(fd, "no message of a transfer");
    stop();
}
END_TEST

START_TEST(false_client_out_of_turn)
{
    true_server();
    uint32_t n = make(SB_TRANSFER_T_ALIVE, 1, 0, 0, 0);
    int fd = call();
    transmit(fd, message, n);
    expect_refusal(fd, "a message out of turn");
    fd = call();
    n = make(SB_TRANSFER_T_REQUEST, 1, UINT64_MAX, 0, 0);
    transmit(fd, message, n);
    transmit(fd, message, n);
    expect_refusal(fd, "a message out of turn");
    fd = call();
    n = make(SB_TRANSFER_T_REQUEST, 0, UINT64_MAX, 0, 0);
    transmit(fd, message, n);
    expect_refusal(fd, "inputs are counted from 1");
    /* Far beyond the end: nothing comes but the news that it waits. */
    fd = call();
    n = make(SB_TRANSFER_T_REQUEST, UINT64_MAX, 0, 0, 0);
    transmit(fd, message, n);
    struct sb_transfer_head *h = (void *)message;
    do
        ck_assert_int_eq(recv(fd, message, HEAD, MSG_WAITALL), HEAD);
    while (h->type == SB_TRANSFER_T_REACH && h->a == 0);
    ck_assert_uint_eq(h->type, SB_TRANSFER_T_REACH);
    ck_assert_uint_eq(h->n, rig.log.len);
    shutdown(fd, SHUT_WR); /* what comes meanwhile is read: else it is a reset */
    until_gone(fd);
    server_until_why(server, "the client closed the connection");
    stop();
}
END_TEST

START_TEST(false_client_goes_silent)
{
    true_server();
    int fd = call();
    uint64_t since = now_ms();
    const uint32_t n = make(SB_TRANSFER_T_REQUEST, 1, UINT64_MAX, 0, 0);
    transmit(fd, message, n / 2);
    until_gone(fd);
    ck_assert_uint_ge(now_ms() - since, SB_TRANSFER_SILENCE_MS - 100);
    server_until_why(server, "the client is silent");
    fd = call();
    since = now_ms();
    transmit(fd, message, n);
    until_gone(fd);
    ck_assert_uint_ge(now_ms() - since, SB_TRANSFER_SILENCE_MS - 100);
    ck_assert_uint_lt(now_ms() - since, SB_TRANSFER_SILENCE_MS + 2000);
    struct sb_transfer_server_counts counts;
    sb_transfer_server_counts(server, &counts);
    ck_assert_uint_eq(counts.ended, 1);
    stop();
}
END_TEST

/* Many that come and go. */
START_TEST(false_clients_in_a_row)
{
    true_server();
    for (int i = 0; i < 300; i++) {
        const int fd = call();
        const uint32_t n = make(SB_TRANSFER_T_REQUEST, 1, 0, 0, 0);
        if (i % 3 != 0)
            transmit(fd, message, i % 3 == 1 ? n : n - 1);
        if (i % 21 == 7) /* one that has asked */
            recv(fd, message, 100, 0);
        const struct linger reset = {.l_onoff = i % 2, .l_linger = 0};
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        close(fd);
    }
    stop();
}
END_TEST

int main(void)
{
    Suite *s = suite_create("transfer-liars");
    TCase *t = tcase_create("transfer-liars");
    tcase_set_timeout(t, 100);
    tcase_add_test(t, false_server_wrong_bytes);
    tcase_add_test(t, false_server_goes_silent);
    tcase_add_test(t, false_server_closes);
    tcase_add_test(t, false_server_huge_snapshot);
    tcase_add_test(t, false_client_wrong_bytes);
    tcase_add_test(t, false_client_out_of_turn);
    tcase_add_test(t, false_client_goes_silent);
    tcase_add_test(t, false_clients_in_a_row);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    const int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
