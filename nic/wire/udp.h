/* udp.h: Ethernet II, IPv4 (RFC 791), UDP (RFC 768) and ARP (RFC 826) frames.
 *
 * Pure: bytes in, bytes out. Every parser is total: any byte string is either a datagram or a reason.
 * Checksums are computed and verified in software, so a frame that rots in a ring is caught by its
 * receiver. IPv4 addresses and UDP ports are in host byte order. IP options and fragments are refused.
 */
#ifndef SHADOWBOOK_WIRE_UDP_H
#define SHADOWBOOK_WIRE_UDP_H

#include <stdbool.h>
#include <stdint.h>

enum { SB_ETH_BYTES = 14, SB_IPV4_BYTES = 20, SB_UDP_BYTES = 8, SB_UDP_HEADERS_BYTES = 42 };
/* Largest UDP payload in a 1500 byte MTU. */
enum { SB_UDP_PAYLOAD_MAX = 1472, SB_FRAME_TAIL_MIN = 60 };

struct sb_udp_route { /* who sends to whom: everything above the payload */
    uint8_t src_mac[6], dst_mac[6];
    uint32_t src_ipv4, dst_ipv4;
    uint16_t src_port, dst_port;
};

struct sb_datagram { /* a view into the frame */
    const uint8_t *payload;
    uint32_t bytes;
    uint32_t src_ipv4, dst_ipv4;
    uint16_t src_port, dst_port;
    const uint8_t *src_mac;
};

enum sb_udp_result {
    SB_UDP_OK = 0,
    SB_UDP_ARP,   /* not an error: give it to sb_arp_answer() / sb_arp_read() */
    SB_UDP_OTHER, /* some other protocol, IP options, a fragment: not ours, no fault */
    SB_UDP_SHORT, /* truncated, or lengths that do not agree */
    SB_UDP_CHECKSUM, /* IPv4 header or UDP checksum wrong (a UDP checksum of 0 is refused: we never send it) */
};

/* Parses a frame. On SB_UDP_OK fills *out. Ethernet padding behind the IP length is accepted. Some 10 ns and 4 ns for each 100 bytes. */
enum sb_udp_result sb_udp_parse(const uint8_t *frame, uint32_t len, struct sb_datagram *out);

/* The multicast MAC of a group (RFC 1112). */
void sb_multicast_mac(uint32_t group, uint8_t mac[6]);
static inline bool sb_ipv4_is_multicast(uint32_t a)
{
    return (a >> 28) == 0xE;
}

/* Writes the 42 header bytes before a payload that already stands at frame + 42, computes both
 * checksums, returns the frame's length, zero-padded to at least 60 (buffer must have that room). ttl: 1 is enough for one
 * segment; we use 16. */
uint32_t sb_udp_finish(uint8_t *frame, const struct sb_udp_route *route, uint32_t payload_bytes);

/* ARP: if frame is a request for `ipv4`, writes the 60-byte answer to `out` and returns its length, else 0. */
uint32_t sb_arp_answer(const uint8_t *frame, uint32_t len, uint32_t ipv4, const uint8_t mac[6],
                       uint8_t out[60]);
/* Writes a request for `target`; returns 60. */
uint32_t sb_arp_request(uint8_t out[60], uint32_t ipv4, const uint8_t mac[6], uint32_t target);
/* If frame is an ARP request or reply with a usable sender (unicast MAC, non-zero address), fills them, true. */
bool sb_arp_sender(const uint8_t *frame, uint32_t len, uint32_t *ipv4, uint8_t mac[6]);

#endif
