/* net-forward: stands in line between two interfaces and passes frames both ways, some of them twice or out of order
 * (forward_line.h). Prints "ready" on stderr once it passes frames, and what it did as one line of JSON on stdout when
 * SIGTERM or SIGINT ends it.
 *
 *   net-forward [--duplicate PPM] [--reorder PPM] [--seed S] INTERFACE INTERFACE
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "perf/numbers.h"
#include "tests/net/forward_line.h"

enum { ENDS = 2, ROOM_BYTES = 8 << 20, TURN_FRAMES = 64 };

struct forward {
    int ends[ENDS];             /* packet sockets */
    struct sb_line lines[ENDS]; /* [i]: what comes in at end i */
    uint64_t unsent;
};

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* All frames that arrive at an interface, whomever they are for, and none that leave by it. -1: said why. */
static int open_end(const char *name)
{
    const int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const int one = 1, room = ROOM_BYTES;
    struct packet_mreq all = {.mr_ifindex = (int)if_nametoindex(name),
                              .mr_type = PACKET_MR_PROMISC};
    const struct sockaddr_ll here = {
        .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = all.mr_ifindex};
    if (fd < 0 || all.mr_ifindex == 0 ||
        setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof one) != 0 ||
        setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof all) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room) != 0 ||
        bind(fd, (const struct sockaddr *)&here, sizeof here) != 0) {
        fprintf(stderr, "net-forward: %s: %s\n", name, strerror(errno));
        if (fd >= 0)
            close(fd);
        return -1;
    }
    return fd;
}

static void send_all(struct forward *f, int to, const struct sb_line_frame *out, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (send(f->ends[to], out[i].data, out[i].bytes, 0) != (ssize_t)out[i].bytes)
            f->unsent++;
}

/* What came in at one end leaves by the other. */
static void pass(struct forward *f, int end)
{
    uint8_t buffer[SB_LINE_FRAME_BYTES];
    struct sb_line_frame out[SB_LINE_OUT_MAX];
    struct sb_line *line = &f->lines[end];
    for (int i = 0; i < TURN_FRAMES; i++) {
        const ssize_t got = recv(f->ends[end], buffer, sizeof buffer, 0);
        if (got <= 0)
            break;
        const struct sb_line_frame frame = {.data = buffer, .bytes = (uint32_t)got};
        send_all(f, 1 - end, out, sb_line_take(line, now_ns(), frame, out));
    }
    send_all(f, 1 - end, out, sb_line_turn(line, now_ns(), out));
}

/* Frames that the sockets had no room for. */
static uint64_t missed(const struct forward *f)
{
    uint64_t n = 0;
    for (int i = 0; i < ENDS; i++) {
        struct tpacket_stats s = {0};
        socklen_t bytes = sizeof s;
        if (getsockopt(f->ends[i], SOL_PACKET, PACKET_STATISTICS, &s, &bytes) == 0)
            n += s.tp_drops;
    }
    return n;
}

static void run(struct forward *f, int stop)
{
    struct pollfd wait[ENDS + 1] = {{.fd = f->ends[0], .events = POLLIN},
                                    {.fd = f->ends[1], .events = POLLIN},
                                    {.fd = stop, .events = POLLIN}};
    while (wait[ENDS].revents == 0) {
        const bool held = f->lines[0].held_bytes != 0 || f->lines[1].held_bytes != 0;
        if (poll(wait, ENDS + 1, held ? 1 : -1) < 0 && errno != EINTR)
            break;
        pass(f, 0);
        pass(f, 1);
    }
}

static void print(const struct forward *f)
{
    const struct sb_line_counts *a = &f->lines[0].counts, *b = &f->lines[1].counts;
    printf("{\"frames\":%" PRIu64 ",\"duplicated\":%" PRIu64 ",\"reordered\":%" PRIu64
           ",\"delayed\":%" PRIu64 ",\"lost\":%" PRIu64 "}\n",
           a->frames + b->frames, a->duplicated + b->duplicated, a->reordered + b->reordered,
           a->delayed + b->delayed, f->unsent + missed(f));
}

static int usage(void)
{
    fputs("usage: net-forward [--duplicate PPM] [--reorder PPM] [--seed S] INTERFACE INTERFACE\n",
          stderr);
    return 2;
}

int main(int argc, char **argv)
{
    static const struct option OPTIONS[] = {
        {"duplicate", 1, NULL, 'd'}, {"reorder", 1, NULL, 'r'}, {"seed", 1, NULL, 's'}, {0}};
    uint64_t duplicate = 0, reorder = 0, seed = 1;
    bool good = true;
    for (int c; (c = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1;) {
        if (c == 'd')
            good = good && sb_number_read(optarg, 0, 1000000, &duplicate);
        else if (c == 'r')
            good = good && sb_number_read(optarg, 0, 1000000, &reorder);
        else if (c == 's')
            good = good && sb_number_read(optarg, 0, UINT64_MAX, &seed);
        else
            return usage();
    }
    if (!good || argc - optind != ENDS)
        return usage();
    static struct forward f;
    for (int i = 0; i < ENDS; i++) {
        f.ends[i] = open_end(argv[optind + i]);
        if (f.ends[i] < 0)
            return 1;
        sb_line_init(&f.lines[i], seed + (uint64_t)i, (uint32_t)duplicate, (uint32_t)reorder);
    }
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    const int stop = signalfd(-1, &signals, SFD_CLOEXEC);
    if (stop < 0) {
        perror("net-forward: signalfd");
        return 1;
    }
    fputs("ready\n", stderr);
    run(&f, stop);
    print(&f);
    return 0;
}
