/* test_udp.c: frames, checksums, ARP. The checksum is judged by a second, slow one written from RFC 1071. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "nic/wire/bytes.h"
#include "nic/wire/udp.h"
#include "tests/wire/support.h"

static const struct sb_udp_route route = {
    .src_mac = {0x02, 0, 0, 0, 0, 0x0A},
    .dst_mac = {0x01, 0x00, 0x5E, 0x01, 0x02, 0x03},
    .src_ipv4 = 0x0A000001,
    .dst_ipv4 = 0xEF010203,
    .src_port = 40000,
    .dst_port = 26477,
};

static uint16_t slow_sum(uint32_t sum, const uint8_t *p, uint32_t bytes)
{
    for (uint32_t i = 0; i < bytes; i++)
        sum += (i & 1) != 0 ? (uint32_t)p[i] : (uint32_t)p[i] << 8;
    while (sum >> 16 != 0)
        sum = (sum & 0xFFFF) + (sum >> 16);
    return (uint16_t)~sum;
}

/* What RFC 768 says the UDP checksum field of this frame must hold. */
static uint16_t slow_udp_sum(const uint8_t *frame)
{
    uint8_t copy[SB_UDP_HEADERS_BYTES + SB_UDP_PAYLOAD_MAX];
    const uint32_t udp_bytes = sb_get16(frame + 38);
    memcpy(copy, frame, 34 + udp_bytes);
    sb_put16(copy + 40, 0);
    /* The sum of the addresses and of everything from UDP's header on; 17 and the length beside it. */
    const uint16_t sum = slow_sum(17 + udp_bytes, copy + 26, 8 + udp_bytes);
    return sum == 0 ? 0xFFFF : sum;
}

START_TEST(every_length)
{
    uint8_t frame[SB_UDP_HEADERS_BYTES + SB_UDP_PAYLOAD_MAX];
    uint64_t seed = 1;
    for (uint32_t n = 0; n <= SB_UDP_PAYLOAD_MAX; n++) {
        memset(frame, 0xA5, sizeof frame);
        for (uint32_t i = 0; i < n; i++)
            frame[42 + i] = (uint8_t)wire_random(&seed);
        uint8_t payload[SB_UDP_PAYLOAD_MAX];
        memcpy(payload, frame + 42, n);
        const uint32_t len = sb_udp_finish(frame, &route, n);
        ck_assert_uint_eq(len, n < 18 ? 60 : 42 + n);
        for (uint32_t i = 42 + n; i < len; i++)
            ck_assert_uint_eq(frame[i], 0);
        ck_assert_mem_eq(frame + 42, payload, n);
        ck_assert_uint_eq(sb_get16(frame + 40), slow_udp_sum(frame));
        ck_assert_uint_eq(slow_sum(0, frame + 14, 20), 0);
        struct sb_datagram d;
        ck_assert_int_eq(sb_udp_parse(frame, len, &d), SB_UDP_OK);
        ck_assert_uint_eq(d.bytes, n);
        ck_assert_ptr_eq(d.payload, frame + 42);
        ck_assert_uint_eq(d.src_ipv4, 0x0A000001);
        ck_assert_uint_eq(d.dst_ipv4, 0xEF010203);
        ck_assert_uint_eq(d.src_port, 40000);
        ck_assert_uint_eq(d.dst_port, 26477);
        ck_assert_mem_eq(d.src_mac, route.src_mac, 6);
    }
}
END_TEST

/* Worked out by hand from RFC 791 and RFC 768. */
START_TEST(header_bytes)
{
    uint8_t frame[60], want[60];
    memcpy(frame + 42, "AB", 2);
    ck_assert_uint_eq(sb_udp_finish(frame, &route, 2), 60);
    ck_assert_uint_eq(
        wire_unhex("01005e010203 02000000000a 0800 4500001e00004000 1011 0000 0a000001 ef010203"
                   "9c40 676d 000a 0000 4142 00000000000000000000000000000000",
                   want, sizeof want),
        60);
    uint32_t sum = 0x4500 + 0x001e + 0x4000 + 0x1011 + 0x0a00 + 0x0001 + 0xef01 + 0x0203;
    sb_put16(want + 24, (uint16_t) ~((sum & 0xFFFF) + (sum >> 16)));
    sum = 0x0a00 + 0x0001 + 0xef01 + 0x0203 + 0x0011 + 0x000a + 0x9c40 + 0x676d + 0x000a + 0x4142;
    sb_put16(want + 40, (uint16_t) ~((sum & 0xFFFF) + (sum >> 16)));
    ck_assert_mem_eq(frame, want, 60);
}
END_TEST

/* The last word is chosen so that the sum comes out as zero: the wire must say 0xFFFF. */
START_TEST(zero_becomes_ones)
{
    uint8_t frame[64] = {0};
    sb_udp_finish(frame, &route, 2);
    const uint16_t sum = sb_get16(frame + 40);
    sb_put16(frame + 42, sum); /* adding the checksum of the rest makes the rest's sum 0xFFFF */
    sb_udp_finish(frame, &route, 2);
    ck_assert_uint_eq(sb_get16(frame + 40), 0xFFFF);
    struct sb_datagram d;
    ck_assert_int_eq(sb_udp_parse(frame, 60, &d), SB_UDP_OK);
    sb_put16(frame + 40, 0);
    ck_assert_int_eq(sb_udp_parse(frame, 60, &d), SB_UDP_CHECKSUM);
}
END_TEST

/* One flipped bit, anywhere that a checksum or a length covers, and the frame is not a datagram. */
START_TEST(every_flip_is_seen)
{
    uint8_t frame[42 + 64];
    uint64_t seed = 7;
    for (uint32_t i = 0; i < 64; i++)
        frame[42 + i] = (uint8_t)wire_random(&seed);
    const uint32_t len = sb_udp_finish(frame, &route, 64);
    struct sb_datagram d;
    for (uint32_t bit = 12 * 8; bit < len * 8; bit++) {
        frame[bit / 8] ^= (uint8_t)(1u << bit % 8);
        ck_assert_int_ne(sb_udp_parse(frame, len, &d), SB_UDP_OK);
        frame[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (uint32_t n = 0; n < len; n++)
        ck_assert_int_eq(sb_udp_parse(frame, n, &d), SB_UDP_SHORT);
    ck_assert_int_eq(sb_udp_parse(frame, len, &d), SB_UDP_OK);
}
END_TEST

static void ip_sum_fix(uint8_t *frame)
{
    sb_put16(frame + 24, 0);
    sb_put16(frame + 24, slow_sum(0, frame + 14, 20));
}

START_TEST(not_ours)
{
    uint8_t frame[60] = {0}, other[60];
    struct sb_datagram d;
    sb_udp_finish(frame, &route, 4);
    memcpy(other, frame, 60);
    sb_put16(other + 12, 0x86DD);
    ck_assert_int_eq(sb_udp_parse(other, 60, &d), SB_UDP_OTHER);
    sb_put16(other + 12, 0x0806);
    ck_assert_int_eq(sb_udp_parse(other, 60, &d), SB_UDP_ARP);
    memcpy(other, frame, 60);
    other[23] = 6; /* TCP */
    ip_sum_fix(other);
    ck_assert_int_eq(sb_udp_parse(other, 60, &d), SB_UDP_OTHER);
    memcpy(other, frame, 60);
    sb_put16(other + 20, 0x2000); /* more fragments */
    ip_sum_fix(other);
    ck_assert_int_eq(sb_udp_parse(other, 60, &d), SB_UDP_OTHER);
    sb_put16(other + 20, 0x0001); /* a later fragment */
    ip_sum_fix(other);
    ck_assert_int_eq(sb_udp_parse(other, 60, &d), SB_UDP_OTHER);
    memcpy(other, frame, 60);
    other[14] = 0x46; /* options */
    ip_sum_fix(other);
    ck_assert_int_eq(sb_udp_parse(other, 60, &d), SB_UDP_OTHER);
    memcpy(other, frame, 60);
    sb_put16(other + 38, 11); /* UDP length below IP's */
    ck_assert_int_eq(sb_udp_parse(other, 60, &d), SB_UDP_SHORT);
    sb_put16(other + 16, 61); /* longer than the frame */
    ip_sum_fix(other);
    ck_assert_int_eq(sb_udp_parse(other, 60, &d), SB_UDP_SHORT);
    sb_put16(other + 16, 24); /* no room for UDP's header */
    ip_sum_fix(other);
    ck_assert_int_eq(sb_udp_parse(other, 60, &d), SB_UDP_SHORT);
}
END_TEST

START_TEST(multicast)
{
    uint8_t mac[6], want[6] = {0x01, 0x00, 0x5E, 0x36, 0x0C, 0x6F};
    sb_multicast_mac(0xE9360C6F, mac); /* 233.54.12.111 */
    ck_assert_mem_eq(mac, want, 6);
    sb_multicast_mac(0xE9B60C6F, mac); /* 233.182.12.111: the 24th bit is lost */
    ck_assert_mem_eq(mac, want, 6);
    ck_assert(sb_ipv4_is_multicast(0xE0000000) && sb_ipv4_is_multicast(0xEFFFFFFF));
    ck_assert(!sb_ipv4_is_multicast(0xDFFFFFFF) && !sb_ipv4_is_multicast(0xF0000000));
}
END_TEST

START_TEST(arp)
{
    const uint8_t a[6] = {2, 0, 0, 0, 0, 0xA}, b[6] = {2, 0, 0, 0, 0, 0xB};
    uint8_t request[60], answer[60], want[60], mac[6];
    uint32_t ipv4 = 0;
    ck_assert_uint_eq(sb_arp_request(request, 0x0A000001, a, 0x0A000002), 60);
    memset(want, 0, 60);
    wire_unhex("ffffffffffff 02000000000a 0806 0001 0800 06 04 0001 02000000000a 0a000001"
               "000000000000 0a000002",
               want, 60);
    ck_assert_mem_eq(request, want, 60);
    ck_assert_uint_eq(sb_arp_answer(request, 60, 0x0A000003, b, answer), 0);
    ck_assert_uint_eq(sb_arp_answer(request, 60, 0x0A000002, b, answer), 60);
    memset(want, 0, 60);
    wire_unhex("02000000000a 02000000000b 0806 0001 0800 06 04 0002 02000000000b 0a000002"
               "02000000000a 0a000001",
               want, 60);
    ck_assert_mem_eq(answer, want, 60);
    ck_assert(sb_arp_sender(answer, 60, &ipv4, mac));
    ck_assert_uint_eq(ipv4, 0x0A000002);
    ck_assert_mem_eq(mac, b, 6);
    ck_assert(sb_arp_sender(request, 60, &ipv4, mac));
    ck_assert_uint_eq(ipv4, 0x0A000001);
    ck_assert_uint_eq(sb_arp_answer(answer, 60, 0x0A000001, a, want), 0); /* not a request */
    for (uint32_t n = 0; n < 42; n++) {
        ck_assert(!sb_arp_sender(request, n, &ipv4, mac));
        ck_assert_uint_eq(sb_arp_answer(request, n, 0x0A000002, b, answer), 0);
    }
    memset(request + 28, 0, 4); /* a probe has no address yet: it may be answered, not learned */
    ck_assert(!sb_arp_sender(request, 60, &ipv4, mac));
    ck_assert_uint_eq(sb_arp_answer(request, 60, 0x0A000002, b, answer), 60);
    request[22] |= 1; /* no host has a multicast address */
    ck_assert_uint_eq(sb_arp_answer(request, 60, 0x0A000002, b, answer), 0);
    ck_assert(!sb_arp_sender(request, 60, &ipv4, mac));
    request[22] = 2;
    request[19] = 16; /* an address length that is not IPv4's */
    ck_assert_uint_eq(sb_arp_answer(request, 60, 0x0A000002, b, answer), 0);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("udp");
    tcase_add_test(t, every_length);
    tcase_add_test(t, header_bytes);
    tcase_add_test(t, zero_becomes_ones);
    tcase_add_test(t, every_flip_is_seen);
    tcase_add_test(t, not_ours);
    tcase_add_test(t, multicast);
    tcase_add_test(t, arp);
    Suite *s = suite_create("wire udp");
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    const int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
