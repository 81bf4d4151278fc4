/* entry_frame.h: order entry frames as the client sends them, from rows of the plan. Pure: bytes out. */
#ifndef SHADOWBOOK_PERF_ENTRY_FRAME_H
#define SHADOWBOOK_PERF_ENTRY_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "perf/plan.h"
#include "shadowbook/config.h"

enum {
    SB_CLIENT_PORT_BASE =
        20000, /* source and return port: base + session; base alone: feed's re-requests */
    SB_CLIENT_PACK_MAX = 20,     /* messages in one frame */
    SB_ENTRY_FRAME_BYTES = 1536, /* room for any frame written here */
};

/* Who sends, to which shard. All of it is kept by pointer. */
struct sb_entry_frames {
    const struct sb_config *config;
    const struct sb_plan *plan;
    const char (*symbols)[8]; /* [instrument] */
    uint8_t mac[6];
    bool tag_orders; /* see sb_plan_write() */
};

/* Writes the payload of a login of `session` behind the headers' room at `frame`; returns payload bytes. */
uint32_t sb_entry_frame_login(const struct sb_entry_frames *f, uint8_t *frame, uint32_t session,
                              uint64_t nonce);
/* Likewise messages first..first+count-1 of the session; count <= SB_CLIENT_PACK_MAX. */
uint32_t sb_entry_frame_rows(const struct sb_entry_frames *f, uint8_t *frame, uint32_t session,
                             uint32_t first, uint32_t count);
/* Puts the headers before the payload: from the session's port to `to` (multicast). Returns the frame's length. */
uint32_t sb_entry_frame_finish(const struct sb_entry_frames *f, uint8_t *frame, uint32_t session,
                               struct sb_addr to, uint32_t payload_bytes);

/* Symbols of the configured instruments by index, [0] blank: calloc'ed, or NULL. */
char (*sb_entry_frame_symbols(const struct sb_config *config))[8];

#endif
