/* wire_frame.c: any bytes as an Ethernet frame, then its payload as a frame of ours or a MoldUDP64 packet. */
#include <string.h>

#include "nic/wire/bytes.h"
#include "nic/wire/entry.h"
#include "nic/wire/mold.h"
#include "nic/wire/udp.h"
#include "shadowbook/assert.h"
#include "tests/fuzz/fuzz.h"

/* Blocks lie one behind the other, inside the bytes, whatever the bytes are. */
static void walk(const uint8_t *p, uint32_t bytes, uint32_t from)
{
    uint32_t at = from, len;
    const uint8_t *m;
    while ((m = sb_mold_next(p, bytes, &at, &len)) != NULL) {
        SB_ASSERT(m >= p + 2 && m + len == p + at && at <= bytes);
        SB_ASSERT_EQ(sb_get16(m - 2), len);
    }
}

static void payload_judge(const uint8_t *p, uint32_t bytes)
{
    struct sb_head head;
    struct sb_mold_head mold;
    uint8_t again[sizeof head];
    if (sb_head_read(p, bytes, &head)) {
        sb_head_put(again, head.type, head.shard, head.epoch, head.inc, head.sender, head.flags,
                    head.bytes);
        again[offsetof(struct sb_head, version)] = head.version; /* the reader's to judge */
        SB_ASSERT_EQ(memcmp(again, p, sizeof again), 0);
    }
    if (sb_mold_read(p, bytes, &mold)) {
        sb_mold_put_head(again, mold.name, mold.seq, mold.count);
        SB_ASSERT_EQ(memcmp(again, p, SB_MOLD_HEAD_BYTES), 0);
        const int32_t stream = sb_stream_of_name(mold.name);
        char name[SB_MOLD_NAME_BYTES];
        SB_ASSERT(stream >= -1);
        if (stream >= 0) {
            sb_stream_name(name, 0, 20200101, 0, (uint32_t)stream);
            SB_ASSERT_EQ(memcmp(name + 7, mold.name + 7, 3), 0);
        }
    }
    SB_ASSERT_EQ(sb_mold_read_request(p, bytes, &mold), bytes == SB_MOLD_HEAD_BYTES);
    walk(p, bytes, 0);
    walk(p, bytes, SB_MOLD_HEAD_BYTES);
    walk(p, bytes, UINT32_MAX);
}

/* What parses as a datagram is, written again by us, one that parses to the same. */
static void datagram_judge(const uint8_t *data, const struct sb_datagram *d)
{
    uint8_t frame[FUZZ_INPUT_MAX];
    struct sb_datagram again;
    struct sb_udp_route route = {.src_ipv4 = d->src_ipv4,
                                 .dst_ipv4 = d->dst_ipv4,
                                 .src_port = d->src_port,
                                 .dst_port = d->dst_port};
    SB_ASSERT_EQ(d->payload - data, SB_UDP_HEADERS_BYTES);
    if (d->bytes > SB_UDP_PAYLOAD_MAX)
        return;
    memcpy(route.src_mac, d->src_mac, 6);
    memcpy(frame + SB_UDP_HEADERS_BYTES, d->payload, d->bytes);
    const uint32_t n = sb_udp_finish(frame, &route, d->bytes);
    SB_ASSERT_EQ(sb_udp_parse(frame, n, &again), SB_UDP_OK);
    SB_ASSERT_EQ(again.bytes, d->bytes);
    SB_ASSERT_EQ(again.src_ipv4, d->src_ipv4);
    SB_ASSERT_EQ(again.dst_port, d->dst_port);
    SB_ASSERT_EQ(memcmp(frame + 34, data + 34, 6), 0);
    SB_ASSERT_EQ(memcmp(frame + 40, data + 40, 2 + d->bytes), 0); /* the checksum too */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};
    const uint32_t len = (uint32_t)size;
    struct sb_datagram d;
    uint8_t arp[60], sender[6];
    uint32_t ipv4;
    if (len > FUZZ_INPUT_MAX)
        return 0;
    if (sb_udp_parse(data, len, &d) == SB_UDP_OK) {
        SB_ASSERT(d.payload >= data && d.payload + d.bytes <= data + len);
        datagram_judge(data, &d);
        payload_judge(d.payload, d.bytes);
    }
    if (sb_arp_answer(data, len, 0x0A000002, mac, arp) != 0)
        SB_ASSERT(sb_arp_sender(arp, 60, &ipv4, sender) && ipv4 == 0x0A000002);
    if (sb_arp_sender(data, len, &ipv4, sender))
        SB_ASSERT(ipv4 != 0 && (sender[0] & 1) == 0);
    payload_judge(data, len);
    return 0;
}

uint32_t fuzz_seed(uint32_t i, uint8_t *out)
{
    static const struct sb_udp_route route = {.src_mac = {2, 0, 0, 0, 0, 2},
                                              .src_ipv4 = 0x0A000001,
                                              .dst_ipv4 = 0x0A000002,
                                              .src_port = 40000,
                                              .dst_port = 26477};
    static const uint8_t sizes[] = {SB_FT_ACK,   32,     SB_FT_REPAIR, 24, SB_FT_RESEND, 40,
                                    SB_FT_ARM,   56,     SB_FT_STATUS, 24, SB_FT_STREAM, 56 + 64,
                                    SB_FT_ENTRY, 24 + 20};
    enum { OURS = sizeof sizes / 2 };
    uint8_t *payload = out + SB_UDP_HEADERS_BYTES;
    if (i < OURS) {
        const uint16_t bytes = sizes[2 * i + 1];
        memset(sb_head_put(payload, sizes[2 * i], 1, 4, 99, 0, 0, bytes), 0, bytes);
        return sb_udp_finish(out, &route, 40u + bytes);
    }
    switch (i - OURS) {
    case 0: /* MoldUDP64: two blocks */
        sb_mold_put_head(payload, "011XX00007", 1, 2);
        memcpy(payload + 20, "\0\3abc\0\0", 7);
        return sb_udp_finish(out, &route, 27);
    case 1:
        sb_mold_put_head(out, "011XX00007", 1, 2);
        memcpy(out + 20, "\0\3abc\0\0", 7);
        return 27;
    case 2:
        memset(sb_head_put(out, SB_FT_REPAIR, 1, 4, 99, 0, 0, 24), 0, 24);
        return 64;
    case 3:
        return sb_arp_request(out, 0x0A000001, route.src_mac, 0x0A000002);
    case 4:
        memset(payload, 0x5A, SB_UDP_PAYLOAD_MAX);
        return sb_udp_finish(out, &route, SB_UDP_PAYLOAD_MAX);
    case 5:
        return sb_udp_finish(out, &route, 0);
    default:
        return 0;
    }
}
