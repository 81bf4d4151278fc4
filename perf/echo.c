#include "perf/echo.h"

#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nic/dpdk/dpdk.h"
#include "perf/histogram.h"
#include "perf/verbs.h"
#include "replica/clock.h"

enum { TYPE_HIGH = 0x88, TYPE_LOW = 0xB5, REQUEST = 1, ANSWER = 2 };
#define LOST_AFTER_NS UINT64_C(200000000)

/* The one thing that a signal handler can reach. */
static volatile sig_atomic_t stop_asked;
static void ask_stop(int signal)
{
    (void)signal;
    stop_asked = 1;
}

struct echo {
    struct sb_echo_arguments a;
    struct sb_clock clock;
    struct sb_port *port;
    uint64_t start_up_ns;
    uint64_t end_tsc; /* 0: none */
    uint64_t answered, damaged, lost, strange;
    uint64_t sent_tsc[SB_ECHO_WINDOW_MAX]; /* by number: when it left, or should have */
    bool waiting[SB_ECHO_WINDOW_MAX];      /* by number: the answer is due */
    uint8_t out[SB_PORT_BURST][SB_FRAME_BYTES_MAX];
    struct sb_histogram histogram;
};

static uint64_t cycles(const struct echo *e, uint64_t ns)
{
    /* Once per run, so plain division will do. */
    return ns * 1000000 / (sb_clock_cycles_to_ns(&e->clock, 1000000) | 1);
}

static bool over(const struct echo *e)
{
    return stop_asked || (e->end_tsc != 0 && sb_clock_tsc() >= e->end_tsc);
}

static void idle(const struct echo *e)
{
    if (e->a.yield)
        sched_yield();
    else
        _mm_pause();
}

/* What stands behind the head of frame `number`: the same on both sides, different in each frame. */
static void fill(uint8_t *frame, uint64_t number, uint32_t bytes)
{
    uint64_t x = number * UINT64_C(0x9E3779B97F4A7C15) + 1;
    for (uint32_t i = SB_ECHO_HEAD_BYTES; i < bytes; i += 8) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        memcpy(frame + i, &x, bytes - i < 8 ? bytes - i : 8);
    }
}

static void make_request(const struct echo *e, uint8_t *frame, uint64_t number)
{
    memcpy(frame, e->a.peer, 6);
    memcpy(frame + 6, e->port->mac, 6);
    frame[12] = TYPE_HIGH;
    frame[13] = TYPE_LOW;
    frame[14] = REQUEST;
    frame[15] = 0;
    memcpy(frame + 16, &number, 8);
    fill(frame, number, e->a.bytes);
}

static bool is_ours(const struct echo *e, const struct sb_frame *f, uint8_t kind)
{
    static const uint8_t all[6] = {255, 255, 255, 255, 255, 255};
    return f->len >= SB_ECHO_HEAD_BYTES && f->data[12] == TYPE_HIGH && f->data[13] == TYPE_LOW &&
           f->data[14] == kind &&
           (memcmp(f->data, e->port->mac, 6) == 0 || memcmp(f->data, all, 6) == 0);
}

static void serve(struct echo *e)
{
    struct sb_frame in[SB_PORT_BURST], answers[SB_PORT_BURST];
    while (!over(e)) {
        const uint32_t n = e->port->rx(e->port, in, SB_PORT_BURST);
        uint32_t k = 0;
        for (uint32_t i = 0; i < n; i++) {
            if (!is_ours(e, &in[i], REQUEST)) {
                e->strange++;
                continue;
            }
            uint8_t *frame = e->out[k];
            memcpy(frame, in[i].data, in[i].len);
            memcpy(frame, in[i].data + 6, 6);
            memcpy(frame + 6, e->port->mac, 6);
            frame[14] = ANSWER;
            answers[k++] = (struct sb_frame){frame, in[i].len};
        }
        if (k != 0)
            e->answered += e->port->tx(e->port, answers, k);
        if (n == 0)
            idle(e);
    }
}

/* Takes in what has arrived. `below`: numbers from here on were not sent yet. Returns how many were awaited. */
static uint32_t take_answers(struct echo *e, uint64_t below, bool record)
{
    struct sb_frame in[SB_PORT_BURST];
    uint8_t want[SB_FRAME_BYTES_MAX];
    uint32_t awaited = 0;
    const uint32_t n = e->port->rx(e->port, in, SB_PORT_BURST);
    const uint64_t now = sb_clock_tsc();
    for (uint32_t i = 0; i < n; i++) {
        uint64_t number;
        if (!is_ours(e, &in[i], ANSWER)) {
            e->strange++;
            continue;
        }
        memcpy(&number, in[i].data + 16, 8);
        const uint32_t slot = (uint32_t)(number % e->a.window);
        if (number >= below || number + e->a.window < below || !e->waiting[slot]) {
            e->strange++; /* late, or twice */
            continue;
        }
        fill(want, number, e->a.bytes);
        if (in[i].len != e->a.bytes ||
            memcmp(want + SB_ECHO_HEAD_BYTES, in[i].data + SB_ECHO_HEAD_BYTES,
                   e->a.bytes - SB_ECHO_HEAD_BYTES) != 0)
            e->damaged++;
        e->waiting[slot] = false;
        e->answered++;
        awaited++;
        if (record)
            sb_histogram_record(&e->histogram,
                                sb_clock_cycles_to_ns(&e->clock, now - e->sent_tsc[slot]));
    }
    if (n == 0)
        idle(e);
    return awaited;
}

/* The other side may start later: asks until one answer comes. Numbers 0.. of the first slot. */
static bool find_peer(struct echo *e)
{
    const uint64_t end = sb_clock_tsc() + cycles(e, e->a.wait_ms * UINT64_C(1000000));
    const uint64_t patience = cycles(e, 20000000);
    while (!over(e) && sb_clock_tsc() < end) {
        const uint64_t asked = sb_clock_tsc();
        struct sb_frame f = {e->out[0], e->a.bytes};
        make_request(e, e->out[0], 0);
        e->waiting[0] = true;
        (void)e->port->tx(e->port, &f, 1);
        while (sb_clock_tsc() < asked + patience)
            if (take_answers(e, 1, false) != 0) {
                e->answered = e->damaged = 0;
                return true;
            }
    }
    return false;
}

/* Sends `count` requests from number `first` on, at most a window of them unanswered. */
static void ask(struct echo *e, uint64_t first, uint64_t count, bool record)
{
    const uint64_t interval = cycles(e, e->a.interval_us * 1000),
                   lost_after = cycles(e, LOST_AFTER_NS);
    const uint64_t start = sb_clock_tsc();
    uint64_t next = first, flying = 0, progress = start;
    while ((next < first + count || flying != 0) && !over(e)) {
        struct sb_frame frames[SB_PORT_BURST];
        uint32_t k = 0;
        uint64_t now = sb_clock_tsc();
        while (k < SB_PORT_BURST && next < first + count && !e->waiting[next % e->a.window] &&
               flying < e->a.window) {
            const uint64_t due = interval != 0 ? start + (next - first) * interval : now;
            if (due > now)
                break;
            make_request(e, e->out[k], next);
            frames[k] = (struct sb_frame){e->out[k], e->a.bytes};
            k++;
            e->sent_tsc[next % e->a.window] = interval != 0 ? due : sb_clock_tsc();
            e->waiting[next % e->a.window] = true;
            next++;
            flying++;
        }
        if (k != 0) {
            if (flying == k)
                progress = now;
            (void)e->port->tx(e->port, frames, k); /* what is not taken will count as lost */
        }
        const uint32_t awaited = take_answers(e, next, record);
        flying -= awaited;
        now = sb_clock_tsc();
        if (awaited != 0)
            progress = now;
        if (flying != 0 && now - progress > lost_after) {
            e->lost += flying;
            flying = 0;
            memset(e->waiting, 0, sizeof e->waiting);
        }
    }
    e->lost += flying; /* cut short */
}

static void print_mac(const uint8_t m[6])
{
    printf("ready %02x:%02x:%02x:%02x:%02x:%02x\n", m[0], m[1], m[2], m[3], m[4], m[5]);
    fflush(stdout);
}

static int report(struct echo *e)
{
    struct sb_port_counters c;
    e->port->counters(e->port, &c);
    if (e->a.json) {
        printf("{\"verb\":\"echo\",\"port\":\"%s\",\"serve\":%s,\"bytes\":%u,\"window\":%u,"
               "\"interval_us\":%" PRIu64 ",\"start_up_ns\":%" PRIu64 ",\"answered\":%" PRIu64
               ",\"lost\":%" PRIu64 ",\"damaged\":%" PRIu64 ",\"strange\":%" PRIu64
               ",\"rx_missed\":%" PRIu64 ",\"rx_bad\":%" PRIu64 ",\"tx_dropped\":%" PRIu64
               ",\"round_trip\":",
               e->a.port, e->a.serve ? "true" : "false", e->a.bytes, e->a.window, e->a.interval_us,
               e->start_up_ns, e->answered, e->lost, e->damaged, e->strange, c.rx_missed, c.rx_bad,
               c.tx_dropped);
        sb_histogram_json(&e->histogram, stdout);
        printf("}\n");
    } else {
        printf("start-up %.1f ms; answered %" PRIu64 " lost %" PRIu64 " damaged %" PRIu64
               " strange %" PRIu64 "; rx_missed %" PRIu64 " rx_bad %" PRIu64 " tx_dropped %" PRIu64
               "\n",
               (double)e->start_up_ns / 1e6, e->answered, e->lost, e->damaged, e->strange,
               c.rx_missed, c.rx_bad, c.tx_dropped);
        if (!e->a.serve)
            sb_histogram_print(&e->histogram, "round trip", stdout);
    }
    if (e->a.hgrm != NULL) {
        FILE *f = fopen(e->a.hgrm, "we");
        const bool good = f != NULL && sb_histogram_write_hgrm(&e->histogram, f, 5, 1000);
        if (f == NULL || fclose(f) != 0 || !good) {
            fprintf(stderr, "echo: cannot write %s\n", e->a.hgrm);
            return 2;
        }
    }
    return e->lost == 0 && e->damaged == 0 && (e->a.serve || e->answered >= e->a.count) ? 0 : 1;
}

static int run(struct echo *e, struct sb_dpdk *dpdk)
{
    e->port = sb_dpdk_port(dpdk, 0);
    if (!e->a.serve && !sb_dpdk_wait_links(dpdk, e->a.wait_ms)) {
        fprintf(stderr, "echo: %s: no link after %u ms\n", e->a.port, e->a.wait_ms);
        return 1;
    }
    print_mac(e->port->mac);
    if (e->a.seconds != 0)
        e->end_tsc = sb_clock_tsc() + cycles(e, e->a.seconds * UINT64_C(1000000000));
    if (e->a.serve) {
        serve(e);
        return report(e);
    }
    if (!find_peer(e)) {
        fprintf(stderr, "echo: %s: nobody answers within %u ms\n", e->a.port, e->a.wait_ms);
        return 1;
    }
    /* Windows start at a multiple, so that the numbers of both runs use the slots in turn. */
    ask(e, e->a.window, e->a.warm_up, false);
    e->answered = e->lost = e->damaged = e->strange = 0;
    ask(e, e->a.window * (2 + e->a.warm_up / e->a.window), e->a.count, true);
    return report(e);
}

int sb_echo_main(int argc, char **argv)
{
    struct sb_echo_arguments a;
    const int parsed = sb_echo_arguments(&a, argc, argv);
    if (parsed != 0)
        return parsed == 1 ? 0 : 2;
    struct echo *e = calloc(1, sizeof *e);
    if (e == NULL || !sb_clock_init(&e->clock)) {
        fprintf(stderr, "echo: no memory, or the clock cannot be calibrated\n");
        free(e);
        return 2;
    }
    e->a = a;
    sb_histogram_reset(&e->histogram);
    const struct sigaction action = {.sa_handler = ask_stop};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    const uint64_t before = sb_clock_tsc();
    const struct sb_dpdk_options options = {.name = a.name,
                                            .lcore = a.lcore,
                                            .hugepages = a.hugepages,
                                            .memory_mib = 0, /* what the port needs */
                                            .verbose = a.verbose,
                                            .log = stderr};
    struct sb_dpdk *dpdk = sb_dpdk_open(&options, &a.port, 1);
    e->start_up_ns = sb_clock_cycles_to_ns(&e->clock, sb_clock_tsc() - before);
    int code = 2;
    if (dpdk != NULL) {
        code = run(e, dpdk);
        sb_dpdk_close(dpdk);
    }
    free(e);
    return code;
}
