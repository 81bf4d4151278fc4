/* make_pcap.c: writes a capture of MoldUDP64 packets made by our encoders, for another program to judge.
 * Frames: session stream with 1, 2, 3 messages (numbers 1, 2, 4), each payload length odd and even; the feed's stream
 * with an ITCH message; a heartbeat; an end of session. */
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nic/wire/bytes.h"
#include "nic/wire/itch.h"
#include "nic/wire/mold.h"
#include "nic/wire/ouch.h"
#include "nic/wire/udp.h"

#define MIDNIGHT UINT64_C(1795305600000000000)

static const struct sb_udp_route route = {.src_mac = {2, 0, 0, 0, 0, 0xA},
                                          .dst_mac = {2, 0, 0, 0, 0, 0xB},
                                          .src_ipv4 = 0x0A000001,
                                          .dst_ipv4 = 0x0A000107,
                                          .src_port = 40000,
                                          .dst_port = 26477};

static void frame_dump(pcap_dumper_t *dumper, uint32_t stream, uint64_t seq, uint32_t messages,
                       uint16_t count)
{
    uint8_t frame[1514];
    char name[SB_MOLD_NAME_BYTES];
    uint8_t *payload = frame + SB_UDP_HEADERS_BYTES;
    uint32_t n = SB_MOLD_HEAD_BYTES;
    sb_stream_name(name, 1, 20261122, 0, stream);
    sb_mold_put_head(payload, name, seq, count);
    for (uint32_t i = 0; i < messages; i++) {
        const struct sb_output o = {.time_ns = MIDNIGHT + 1000 * (seq + i),
                                    .kind = stream == SB_STREAM_FEED ? SB_OUT_F_ADD
                                            : i % 2 == 0             ? SB_OUT_REJECTED
                                                                     : SB_OUT_EXECUTED,
                                    .quantity = 100,
                                    .price = 1234500,
                                    .ref = 77,
                                    .key = i,
                                    .liquidity = SB_LIQ_ADDED,
                                    .reason = SB_REASON_LOT,
                                    .instrument = 3};
        const uint32_t len =
            stream == SB_STREAM_FEED
                ? sb_feed_encode(payload + n + 2, &o, "MSFT    ", MIDNIGHT)
                : sb_session_encode(payload + n + 2, &o, NULL, "MSFT    ", MIDNIGHT);
        sb_put16(payload + n, (uint16_t)len);
        n += 2 + len;
    }
    const uint32_t len = sb_udp_finish(frame, &route, n);
    const struct pcap_pkthdr head = {.caplen = len, .len = len};
    pcap_dump((u_char *)dumper, &head, frame);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s FILE\n", argv[0]);
        return EXIT_FAILURE;
    }
    pcap_t *pcap = pcap_open_dead(DLT_EN10MB, 65535);
    pcap_dumper_t *dumper = pcap == NULL ? NULL : pcap_dump_open(pcap, argv[1]);
    if (dumper == NULL) {
        fprintf(stderr, "cannot write %s\n", argv[1]);
        return EXIT_FAILURE;
    }
    frame_dump(dumper, 7, 1, 1, 1);
    frame_dump(dumper, 7, 2, 2, 2);
    frame_dump(dumper, 7, 4, 3, 3);
    frame_dump(dumper, SB_STREAM_FEED, UINT64_C(0x123456789A), 20, 20);
    frame_dump(dumper, 7, 7, 0, 0);
    frame_dump(dumper, 7, 7, 0, SB_MOLD_END);
    pcap_dump_close(dumper);
    pcap_close(pcap);
    return EXIT_SUCCESS;
}
