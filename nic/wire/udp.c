/* udp.c: see udp.h. Sums are taken over words as they lie in memory: the Internet checksum does not
 * depend on the byte order in which it is computed (RFC 1071). */
#include "nic/wire/udp.h"

#include <string.h>

#include "nic/wire/bytes.h"
#include "shadowbook/assert.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "an odd last byte is the low one");

enum { ETHERTYPE_IPV4 = 0x0800, ETHERTYPE_ARP = 0x0806 };
enum { IP_PROTOCOL_UDP = 17, IP_DONT_FRAGMENT = 0x4000, IP_FRAGMENT_MASK = 0x3FFF, IP_TTL = 16 };
enum { AT_IP = SB_ETH_BYTES, AT_IP_ADDRESSES = 26, AT_UDP = 34 };
enum { ARP_BYTES = 42, ARP_REQUEST = 1, ARP_REPLY = 2 };

/* Adds the bytes to a sum of 16-bit words, carries left in the upper half. Four lanes of 64 bits that each
 * take 32 cannot overflow and become vector additions. */
static uint64_t sum_add(uint64_t sum, const uint8_t *p, uint32_t bytes)
{
    uint64_t lane[4] = {sum, 0, 0, 0};
    while (bytes >= 16) {
        uint32_t v[4];
        memcpy(v, p, 16);
        for (int i = 0; i < 4; i++)
            lane[i] += v[i];
        p += 16;
        bytes -= 16;
    }
    uint32_t w[2];
    uint16_t half;
    if ((bytes & 8) != 0) {
        memcpy(w, p, 8);
        lane[0] += w[0];
        lane[1] += w[1];
        p += 8;
    }
    if ((bytes & 4) != 0) {
        memcpy(w, p, 4);
        lane[2] += w[0];
        p += 4;
    }
    if ((bytes & 2) != 0) {
        memcpy(&half, p, 2);
        lane[3] += half;
        p += 2;
    }
    if ((bytes & 1) != 0)
        lane[3] += *p;
    return lane[0] + lane[1] + lane[2] + lane[3];
}

static uint16_t sum_fold(uint64_t sum)
{
    sum = (sum & 0xFFFFFFFF) + (sum >> 32);
    sum = (sum & 0xFFFF) + (sum >> 16 & 0xFFFF) + (sum >> 32);
    sum = (sum & 0xFFFF) + (sum >> 16);
    sum = (sum & 0xFFFF) + (sum >> 16);
    return (uint16_t)sum;
}

/* Sum over pseudo header, UDP header and payload of a frame whose IPv4 header has no options. */
static uint16_t sum_udp(const uint8_t *frame, uint32_t udp_bytes)
{
    uint64_t sum = (uint64_t)__builtin_bswap16(IP_PROTOCOL_UDP);
    sum += __builtin_bswap16((uint16_t)udp_bytes);
    sum = sum_add(sum, frame + AT_IP_ADDRESSES, 8);
    return sum_fold(sum_add(sum, frame + AT_UDP, udp_bytes));
}

enum sb_udp_result sb_udp_parse(const uint8_t *frame, uint32_t len, struct sb_datagram *out)
{
    if (len < SB_ETH_BYTES)
        return SB_UDP_SHORT;
    const uint16_t ethertype = sb_get16(frame + 12);
    if (ethertype == ETHERTYPE_ARP)
        return SB_UDP_ARP;
    if (ethertype != ETHERTYPE_IPV4)
        return SB_UDP_OTHER;
    if (len < AT_IP + SB_IPV4_BYTES)
        return SB_UDP_SHORT;
    const uint8_t *ip = frame + AT_IP;
    if (ip[0] != 0x45) /* another version, or options */
        return SB_UDP_OTHER;
    const uint32_t ip_bytes = sb_get16(ip + 2);
    if (ip_bytes < SB_IPV4_BYTES || ip_bytes > len - AT_IP)
        return SB_UDP_SHORT;
    if (sum_fold(sum_add(0, ip, SB_IPV4_BYTES)) != 0xFFFF)
        return SB_UDP_CHECKSUM;
    if (ip[9] != IP_PROTOCOL_UDP || (sb_get16(ip + 6) & IP_FRAGMENT_MASK) != 0)
        return SB_UDP_OTHER;
    if (ip_bytes < SB_IPV4_BYTES + SB_UDP_BYTES)
        return SB_UDP_SHORT;
    const uint8_t *udp = frame + AT_UDP;
    const uint32_t udp_bytes = sb_get16(udp + 4);
    if (udp_bytes != ip_bytes - SB_IPV4_BYTES)
        return SB_UDP_SHORT;
    if (sb_get16(udp + 6) == 0 || sum_udp(frame, udp_bytes) != 0xFFFF)
        return SB_UDP_CHECKSUM;
    *out = (struct sb_datagram){
        .payload = frame + SB_UDP_HEADERS_BYTES,
        .bytes = udp_bytes - SB_UDP_BYTES,
        .src_ipv4 = sb_get32(ip + 12),
        .dst_ipv4 = sb_get32(ip + 16),
        .src_port = sb_get16(udp),
        .dst_port = sb_get16(udp + 2),
        .src_mac = frame + 6,
    };
    return SB_UDP_OK;
}

void sb_multicast_mac(uint32_t group, uint8_t mac[6])
{
    mac[0] = 0x01;
    mac[1] = 0x00;
    mac[2] = 0x5E;
    mac[3] = (uint8_t)(group >> 16 & 0x7F);
    mac[4] = (uint8_t)(group >> 8);
    mac[5] = (uint8_t)group;
}

uint32_t sb_udp_finish(uint8_t *frame, const struct sb_udp_route *route, uint32_t payload_bytes)
{
    SB_ASSERT_LE(payload_bytes, (uint32_t)SB_UDP_PAYLOAD_MAX);
    const uint32_t udp_bytes = SB_UDP_BYTES + payload_bytes;
    memcpy(frame, route->dst_mac, 6);
    memcpy(frame + 6, route->src_mac, 6);
    sb_put16(frame + 12, ETHERTYPE_IPV4);

    uint8_t *ip = frame + AT_IP;
    sb_put16(ip, 0x4500);
    sb_put16(ip + 2, (uint16_t)(SB_IPV4_BYTES + udp_bytes));
    sb_put16(ip + 4, 0); /* identification: only fragments need one */
    sb_put16(ip + 6, IP_DONT_FRAGMENT);
    ip[8] = IP_TTL;
    ip[9] = IP_PROTOCOL_UDP;
    sb_put16(ip + 10, 0);
    sb_put32(ip + 12, route->src_ipv4);
    sb_put32(ip + 16, route->dst_ipv4);
    const uint16_t ip_sum = (uint16_t)~sum_fold(sum_add(0, ip, SB_IPV4_BYTES));
    memcpy(ip + 10, &ip_sum, 2);

    uint8_t *udp = frame + AT_UDP;
    sb_put16(udp, route->src_port);
    sb_put16(udp + 2, route->dst_port);
    sb_put16(udp + 4, (uint16_t)udp_bytes);
    sb_put16(udp + 6, 0);
    uint16_t udp_sum = (uint16_t)~sum_udp(frame, udp_bytes);
    if (udp_sum == 0) /* zero on the wire would say "no checksum" */
        udp_sum = 0xFFFF;
    memcpy(udp + 6, &udp_sum, 2);

    uint32_t bytes = SB_UDP_HEADERS_BYTES + payload_bytes;
    if (bytes < SB_FRAME_TAIL_MIN) {
        memset(frame + bytes, 0, SB_FRAME_TAIL_MIN - bytes);
        bytes = SB_FRAME_TAIL_MIN;
    }
    return bytes;
}

/* ARP for IPv4 over Ethernet: request or reply. */
static bool arp_known(const uint8_t *frame, uint32_t len)
{
    if (len < ARP_BYTES || sb_get16(frame + 12) != ETHERTYPE_ARP)
        return false;
    const uint8_t *arp = frame + SB_ETH_BYTES;
    const uint16_t operation = sb_get16(arp + 6);
    return sb_get16(arp) == 1 && sb_get16(arp + 2) == ETHERTYPE_IPV4 && arp[4] == 6 &&
           arp[5] == 4 && (operation == ARP_REQUEST || operation == ARP_REPLY);
}

static bool mac_is_host(const uint8_t mac[6])
{
    static const uint8_t none[6] = {0};
    return (mac[0] & 1) == 0 && memcmp(mac, none, 6) != 0;
}

static void arp_write(uint8_t out[60], uint16_t operation, const uint8_t src_mac[6],
                      uint32_t src_ipv4, const uint8_t dst_mac[6], uint32_t dst_ipv4)
{
    memset(out, 0, 60);
    memcpy(out + 6, src_mac, 6);
    sb_put16(out + 12, ETHERTYPE_ARP);
    uint8_t *arp = out + SB_ETH_BYTES;
    sb_put16(arp, 1);
    sb_put16(arp + 2, ETHERTYPE_IPV4);
    arp[4] = 6;
    arp[5] = 4;
    sb_put16(arp + 6, operation);
    memcpy(arp + 8, src_mac, 6);
    sb_put32(arp + 14, src_ipv4);
    if (dst_mac == NULL) { /* a question to all: target unknown, left zero */
        memset(out, 0xFF, 6);
    } else {
        memcpy(out, dst_mac, 6);
        memcpy(arp + 18, dst_mac, 6);
    }
    sb_put32(arp + 24, dst_ipv4);
}

uint32_t sb_arp_answer(const uint8_t *frame, uint32_t len, uint32_t ipv4, const uint8_t mac[6],
                       uint8_t out[60])
{
    if (!arp_known(frame, len))
        return 0;
    const uint8_t *arp = frame + SB_ETH_BYTES;
    if (sb_get16(arp + 6) != ARP_REQUEST || sb_get32(arp + 24) != ipv4 || !mac_is_host(arp + 8))
        return 0;
    arp_write(out, ARP_REPLY, mac, ipv4, arp + 8, sb_get32(arp + 14));
    return 60;
}

uint32_t sb_arp_request(uint8_t out[60], uint32_t ipv4, const uint8_t mac[6], uint32_t target)
{
    arp_write(out, ARP_REQUEST, mac, ipv4, NULL, target);
    return 60;
}

bool sb_arp_sender(const uint8_t *frame, uint32_t len, uint32_t *ipv4, uint8_t mac[6])
{
    if (!arp_known(frame, len))
        return false;
    const uint8_t *arp = frame + SB_ETH_BYTES;
    const uint32_t sender = sb_get32(arp + 14);
    if (sender == 0 || !mac_is_host(arp + 8))
        return false;
    *ipv4 = sender;
    memcpy(mac, arp + 8, 6);
    return true;
}
