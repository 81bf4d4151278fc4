#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nic/dpdk/dpdk.h"
#include "perf/echo.h"
#include "shadowbook/port.h"

static void print_help(FILE *to)
{
    fprintf(to,
            "usage: shadowbook echo --port SPEC --serve [--seconds S]\n"
            "       shadowbook echo --port SPEC [--peer-mac MAC] [--count N]\n\n"
            "The round trip of a bare frame through a port: the floor of all wire figures.\n\n"
            "  --port SPEC       af_xdp:iface=NAME  af_packet:iface=NAME  pci:ADDRESS\n"
            "                    memif:socket=PATH,role=server|client\n"
            "  --serve           answer, until --seconds have passed or SIGINT\n"
            "  --peer-mac MAC    who is asked (default: all that hear it)\n"
            "  --count N         round trips to measure (100000)\n"
            "  --warm-up N       round trips before, not counted (1000)\n"
            "  --bytes N         size of a frame, 64 to 1514 (64)\n"
            "  --window N        frames in flight, up to 1024 (1)\n"
            "  --interval-us U   one request each U us, timed from when it should have left\n"
            "  --idle spin|yield what to do while nothing arrives (spin)\n"
            "  --lcore N         pin to processor N\n"
            "  --seconds S       end after S seconds\n"
            "  --wait-ms M       for the link and the first answer (5000)\n"
            "  --no-huge         do not use huge pages\n"
            "  --json            one JSON object instead of text\n"
            "  --hgrm FILE       write the distribution, in microseconds\n"
            "  --verbose         show DPDK's log\n\n"
            "Exit code: 0; 1 frames were lost or damaged, or nobody answered; 2 could not run.\n");
}

static bool number(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
    char *end;
    if (text[0] < '0' || text[0] > '9')
        return false;
    *out = strtoull(text, &end, 10);
    return *end == 0 && *out >= min && *out <= max;
}

static bool mac_address(const char *text, uint8_t mac[6])
{
    unsigned v[6];
    int n = 0;
    if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &n) !=
            6 ||
        text[n] != 0)
        return false;
    for (int i = 0; i < 6; i++)
        mac[i] = (uint8_t)v[i];
    return true;
}

enum {
    PORT = 1,
    SERVE,
    PEER,
    COUNT,
    WARM_UP,
    BYTES,
    WINDOW,
    INTERVAL,
    IDLE,
    LCORE,
    SECONDS,
    WAIT,
    NO_HUGE,
    JSON,
    HGRM,
    VERBOSE,
    HELP
};

static const struct option OPTIONS[] = {{"port", required_argument, NULL, PORT},
                                        {"serve", no_argument, NULL, SERVE},
                                        {"peer-mac", required_argument, NULL, PEER},
                                        {"count", required_argument, NULL, COUNT},
                                        {"warm-up", required_argument, NULL, WARM_UP},
                                        {"bytes", required_argument, NULL, BYTES},
                                        {"window", required_argument, NULL, WINDOW},
                                        {"interval-us", required_argument, NULL, INTERVAL},
                                        {"idle", required_argument, NULL, IDLE},
                                        {"lcore", required_argument, NULL, LCORE},
                                        {"seconds", required_argument, NULL, SECONDS},
                                        {"wait-ms", required_argument, NULL, WAIT},
                                        {"no-huge", no_argument, NULL, NO_HUGE},
                                        {"json", no_argument, NULL, JSON},
                                        {"hgrm", required_argument, NULL, HGRM},
                                        {"verbose", no_argument, NULL, VERBOSE},
                                        {"help", no_argument, NULL, HELP},
                                        {NULL, 0, NULL, 0}};

/* Options that take a number. NULL if good, else what is accepted. */
static const char *take_number(struct sb_echo_arguments *a, int option, const char *text)
{
    uint64_t v;
    switch (option) {
    case COUNT:
        return number(text, 1, UINT64_C(1) << 40, &a->count) ? NULL : "--count: 1 to 2^40";
    case WARM_UP:
        return number(text, 0, UINT64_C(1) << 40, &a->warm_up) ? NULL : "--warm-up: 0 to 2^40";
    case INTERVAL:
        return number(text, 0, 10000000, &a->interval_us) ? NULL : "--interval-us: 0 to 10000000";
    case BYTES:
        if (!number(text, 64, SB_FRAME_BYTES_MAX, &v))
            return "--bytes: 64 to 1514";
        a->bytes = (uint32_t)v;
        return NULL;
    case WINDOW:
        if (!number(text, 1, SB_ECHO_WINDOW_MAX, &v))
            return "--window: 1 to 1024";
        a->window = (uint32_t)v;
        return NULL;
    case LCORE:
        if (!number(text, 0, 1023, &v))
            return "--lcore: a processor's number, 0 to 1023";
        a->lcore = (int)v;
        return NULL;
    case SECONDS:
        if (!number(text, 1, 86400, &v))
            return "--seconds: 1 to 86400";
        a->seconds = (uint32_t)v;
        return NULL;
    default:
        if (!number(text, 1, 600000, &v))
            return "--wait-ms: 1 to 600000";
        a->wait_ms = (uint32_t)v;
        return NULL;
    }
}

static const char *take(struct sb_echo_arguments *a, int option, const char *text)
{
    switch (option) {
    case PORT:
        a->port = text;
        return NULL;
    case SERVE:
        a->serve = true;
        return NULL;
    case PEER:
        return mac_address(text, a->peer) ? NULL : "--peer-mac: like 02:5b:00:00:00:02";
    case IDLE:
        a->yield = strcmp(text, "yield") == 0;
        return a->yield || strcmp(text, "spin") == 0 ? NULL : "--idle: spin or yield";
    case NO_HUGE:
        a->hugepages = false;
        return NULL;
    case JSON:
        a->json = true;
        return NULL;
    case HGRM:
        a->hgrm = text;
        return NULL;
    case VERBOSE:
        a->verbose = true;
        return NULL;
    default:
        return take_number(a, option, text);
    }
}

int sb_echo_arguments(struct sb_echo_arguments *a, int argc, char **argv)
{
    *a = (struct sb_echo_arguments){.name = "shadowbook-echo",
                                    .hugepages = true,
                                    .peer = {255, 255, 255, 255, 255, 255},
                                    .count = 100000,
                                    .warm_up = 1000,
                                    .window = 1,
                                    .bytes = 64,
                                    .wait_ms = 5000,
                                    .lcore = -1};
    int option;
    optind = 1;
    while ((option = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1) {
        if (option == HELP) {
            print_help(stdout);
            return 1;
        }
        if (option == '?')
            return 2; /* getopt has said it */
        const char *error = take(a, option, optarg);
        if (error != NULL) {
            fprintf(stderr, "echo: %s\n", error);
            return 2;
        }
    }
    if (optind != argc || a->port == NULL) {
        fprintf(stderr, "echo: --port SPEC is needed, and nothing but options\n");
        return 2;
    }
    const char *error = sb_dpdk_spec_error(a->port);
    if (error != NULL) {
        fprintf(stderr, "echo: port \"%s\": %s\n", a->port, error);
        return 2;
    }
    return 0;
}
