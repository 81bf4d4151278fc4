#include "perf/entry_frame.h"

#include <stdlib.h>
#include <string.h>

#include "nic/wire/bytes.h"
#include "nic/wire/entry.h"
#include "nic/wire/udp.h"
#include "shadowbook/assert.h"

static uint32_t finish_payload(const struct sb_entry_frames *f, uint8_t *payload,
                               const struct sb_entry *entry, uint32_t bytes)
{
    uint8_t *body = sb_head_put(payload, SB_FT_ENTRY, f->config->shard, 0, 0, SB_NODE_CLIENT, 0,
                                (uint16_t)(bytes - sizeof(struct sb_head)));
    memcpy(body, entry, sizeof *entry);
    return bytes;
}

uint32_t sb_entry_frame_login(const struct sb_entry_frames *f, uint8_t *frame, uint32_t session,
                              uint64_t nonce)
{
    const struct sb_entry entry = {
        .token = f->config->sessions[session].token, .session = session, .count = 1};
    uint8_t *payload = frame + SB_UDP_HEADERS_BYTES;
    uint32_t at = (uint32_t)(sizeof(struct sb_head) + sizeof entry);
    const uint32_t len = sb_entry_write_login(payload + at + 2, nonce, f->config->client.ipv4,
                                              (uint16_t)(SB_CLIENT_PORT_BASE + session));
    sb_put16(payload + at, (uint16_t)len);
    return finish_payload(f, payload, &entry, at + 2 + len);
}

uint32_t sb_entry_frame_rows(const struct sb_entry_frames *f, uint8_t *frame, uint32_t session,
                             uint32_t first, uint32_t count)
{
    SB_ASSERT_LE(count, SB_CLIENT_PACK_MAX);
    SB_ASSERT_LE(first + count - 1, f->plan->messages_n[session]);
    const struct sb_entry entry = {.token = f->config->sessions[session].token,
                                   .first_seq = first,
                                   .session = session,
                                   .count = (uint16_t)count};
    uint8_t *payload = frame + SB_UDP_HEADERS_BYTES;
    uint32_t at = (uint32_t)(sizeof(struct sb_head) + sizeof entry);
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t row = f->plan->session_rows[session][first - 1 + i];
        const uint32_t len =
            sb_plan_write(&f->plan->rows[row], f->symbols, f->tag_orders, payload + at + 2);
        sb_put16(payload + at, (uint16_t)len);
        at += 2 + len;
    }
    return finish_payload(f, payload, &entry, at);
}

uint32_t sb_entry_frame_finish(const struct sb_entry_frames *f, uint8_t *frame, uint32_t session,
                               struct sb_addr to, uint32_t payload_bytes)
{
    SB_ASSERT_LE(payload_bytes, SB_UDP_PAYLOAD_MAX);
    struct sb_udp_route route = {.src_ipv4 = f->config->client.ipv4,
                                 .dst_ipv4 = to.ipv4,
                                 .src_port = (uint16_t)(SB_CLIENT_PORT_BASE + session),
                                 .dst_port = to.port};
    memcpy(route.src_mac, f->mac, 6);
    sb_multicast_mac(to.ipv4, route.dst_mac);
    return sb_udp_finish(frame, &route, payload_bytes);
}

char (*sb_entry_frame_symbols(const struct sb_config *config))[8]
{
    char(*symbols)[8] = calloc(config->instruments_n + (size_t)1, sizeof *symbols);
    if (!symbols)
        return NULL;
    memset(symbols[0], ' ', 8);
    for (uint32_t i = 1; i <= config->instruments_n; i++)
        memcpy(symbols[i], config->instruments[i].symbol, 8);
    return symbols;
}
