/* echo.h: the round trip of a bare frame between two processes: the floor under every figure taken on the wire.
 *
 *     shadowbook echo --port SPEC --serve [--seconds S]
 *     shadowbook echo --port SPEC [--peer-mac MAC] [--count N] [...]
 *
 * Frames are of the local experimental Ethernet type 0x88B5:
 *
 *     0 destination   6 source   12 type   14 kind (1 request, 2 answer)   16 number   24 bytes made from the number
 *
 * The server answers requests to its MAC or to all, with the MACs swapped and everything behind the kind as it was. The
 * client compares each answer with what it must be, byte by byte. Prints "ready MAC" when its port is up.
 */
#ifndef SHADOWBOOK_PERF_ECHO_H
#define SHADOWBOOK_PERF_ECHO_H

#include <stdbool.h>
#include <stdint.h>

enum { SB_ECHO_WINDOW_MAX = 1024, SB_ECHO_HEAD_BYTES = 24 };

struct sb_echo_arguments {
    const char *port, *name, *hgrm;
    bool serve, yield, json, hugepages, verbose;
    uint8_t peer[6];
    uint64_t count, warm_up;
    uint64_t interval_us; /* between intended sends; 0: each as soon as the window has room */
    uint32_t window;      /* frames in flight */
    uint32_t bytes;       /* of a frame */
    uint32_t seconds;     /* bound of the run; 0: none */
    uint32_t wait_ms;     /* for links and the first answer */
    int lcore;
};

/* 0 to go on; 1 help was printed; 2 not understood (said on stderr). */
int sb_echo_arguments(struct sb_echo_arguments *a, int argc, char **argv);

#endif
