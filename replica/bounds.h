/* bounds.h: how many bytes of the hold ring commands can fill. The node looks before it applies, the configuration is
 * refused if its ring could never take one packet. */
#ifndef SHADOWBOOK_BOUNDS_H
#define SHADOWBOOK_BOUNDS_H

#include "replica/hold.h"
#include "shadowbook/engine.h"

/* Every fill ends an open order and makes two session messages (38 bytes with their length) and at most two feed
 * messages (38); other answers are at most four messages of 84 bytes a command; a command `for_all` instruments says
 * one feed message (42) of each; each frame adds its headers, record and rounding. With two feeds the feed's part counts
 * twice. */
static inline uint64_t sb_hold_bytes_max(const struct sb_engine_limits *limits,
                                         uint64_t open_orders, uint64_t commands, uint64_t for_all)
{
    enum { HEADERS_BYTES = 62, PAYLOAD_BYTES = 1472, MESSAGE_BYTES = 128 };
    const uint64_t fills = open_orders + commands;
    const uint64_t payload = fills * (2 * 38 + 2 * 2 * 38) + commands * 4 * 84 +
                             for_all * limits->instruments_max * 2 * 42;
    const uint64_t frame = sizeof(struct sb_held) + HEADERS_BYTES + 64;
    const uint64_t streams =
        (commands + 2) * 4 + limits->sessions_max; /* frames that are not full */
    return payload + (payload / (PAYLOAD_BYTES - MESSAGE_BYTES) + streams) * frame;
}

#endif
