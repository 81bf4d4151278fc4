/* test_captures.c: real market data and order entry, read from capture files and written again. Does not cover
 * TCP reassembly: each segment of these captures holds whole SoupBinTCP packets. */
#include <check.h>
#include <dirent.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nic/wire/bytes.h"
#include "nic/wire/itch.h"
#include "nic/wire/mold.h"
#include "nic/wire/ouch.h"
#include "nic/wire/udp.h"
#include "tests/wire/support.h"

struct tally {
    uint32_t frames, checked, itch, itch_rewritten, ouch, soup_heartbeats;
};

/* Our parser has no VLAN tags: takes one out. Returns the new length. */
static uint32_t untag(const uint8_t *frame, uint32_t len, uint8_t *out)
{
    ck_assert_uint_ge(len, 18);
    if (sb_get16(frame + 12) != 0x8100) {
        memcpy(out, frame, len);
        return len;
    }
    memcpy(out, frame, 12);
    memcpy(out + 12, frame + 16, len - 16);
    return len - 4;
}

static void itch_take(const uint8_t *p, uint32_t len, struct tally *tally)
{
    struct sb_itch m;
    uint8_t again[SB_ITCH_MESSAGE_MAX];
    ck_assert(sb_itch_read(p, len, &m));
    tally->itch++;
    const uint32_t n = sb_itch_write(again, &m);
    if (n == 0) {
        ck_assert_ptr_nonnull(strchr("YLVWKJhBINO", m.type));
        return;
    }
    ck_assert_uint_eq(n, len);
    if (n > sizeof again) /* the compiler does not know the writer's bound */
        ck_abort();
    ck_assert_mem_eq(again, p, n);
    tally->itch_rewritten++;
    for (uint32_t cut = 0; cut < len; cut++)
        ck_assert(!sb_itch_read(p, cut, &m));
}

static void mold_take(const uint8_t *p, uint32_t bytes, struct tally *tally)
{
    struct sb_mold_head h;
    ck_assert(sb_mold_read(p, bytes, &h));
    uint8_t again[2048];
    sb_mold_put_head(again, h.name, h.seq, h.count);
    ck_assert_mem_eq(again, p, SB_MOLD_HEAD_BYTES);
    uint32_t at = SB_MOLD_HEAD_BYTES, len, n = 0;
    const uint8_t *m;
    while ((m = sb_mold_next(p, bytes, &at, &len)) != NULL) {
        itch_take(m, len, tally);
        n++;
    }
    ck_assert_uint_eq(n, h.count);
    for (uint32_t cut = 0; cut < bytes; cut++)
        ck_assert(!sb_mold_read(p, cut, &h));
}

static void ouch_take(const uint8_t *p, uint32_t len, bool inbound, struct tally *tally)
{
    uint8_t again[SB_OUCH_MESSAGE_MAX];
    struct sb_ouch_enter enter;
    struct sb_ouch_cancel cancel;
    struct sb_ouch_out out;
    uint32_t n = 0;
    if (inbound && sb_ouch_read_enter(p, len, &enter)) {
        n = sb_ouch_write_enter(again, &enter);
        ck_assert_uint_eq(enter.quantity, 0xE1); /* the one order of the captures */
        ck_assert_mem_eq(enter.symbol, "CVLT    ", 8);
        ck_assert_uint_eq(enter.price, 630200);
        ck_assert_mem_eq(enter.app, "\x05\x02LIME", 6);
    } else if (inbound && sb_ouch_read_cancel(p, len, &cancel)) {
        n = sb_ouch_write_cancel(again, &cancel);
        ck_assert_uint_eq(cancel.ref, 0x752E71);
        ck_assert_uint_eq(cancel.quantity, 0);
    } else if (!inbound && sb_ouch_read_out(p, len, &out)) {
        n = sb_ouch_write_out(again, &out);
        ck_assert_uint_eq(out.ref, 0x753A8D);
        ck_assert_uint_eq(out.quantity, 40);
    }
    ck_assert_uint_eq(n, len);
    ck_assert_mem_eq(again, p, len);
    tally->ouch++;
}

/* TCP behind IPv4; SoupBinTCP packets behind TCP. */
static void tcp_take(const uint8_t *frame, uint32_t len, struct tally *tally)
{
    const uint8_t *ip = frame + 14;
    ck_assert(ip[0] == 0x45 && ip[9] == 6);
    const uint32_t ip_bytes = sb_get16(ip + 2);
    ck_assert_uint_le(14 + ip_bytes, len);
    const uint8_t *soup = ip + 20 + (ip[20 + 12] >> 4) * 4;
    const uint8_t *end = ip + ip_bytes;
    while (soup + 3 <= end) {
        const uint32_t n = sb_get16(soup);
        ck_assert(n > 0 && soup + 2 + n <= end);
        if (soup[2] == 'U' || soup[2] == 'S')
            ouch_take(soup + 3, n - 1, soup[2] == 'U', tally);
        else
            tally->soup_heartbeats++;
        soup += 2 + n;
    }
    ck_assert_ptr_eq(soup, end);
}

static void udp_take(uint8_t *frame, uint32_t len, struct tally *tally)
{
    struct sb_datagram d;
    const bool no_checksum = sb_get16(frame + 40) == 0;
    const enum sb_udp_result result = sb_udp_parse(frame, len, &d);
    if (no_checksum) { /* refused as it stands; with the checksum it should have, it is a datagram */
        ck_assert_int_eq(result, SB_UDP_CHECKSUM);
        d.payload = frame + 42;
        d.bytes = sb_get16(frame + 38) - 8u;
    } else { /* other people's checksum */
        ck_assert_int_eq(result, SB_UDP_OK);
        tally->checked++;
    }
    mold_take(d.payload, d.bytes, tally);
}

static void file_take(const char *path, struct tally *tally)
{
    char error[PCAP_ERRBUF_SIZE];
    pcap_t *pcap = pcap_open_offline(path, error);
    ck_assert_msg(pcap != NULL, "%s: %s", path, error);
    ck_assert_int_eq(pcap_datalink(pcap), DLT_EN10MB);
    struct pcap_pkthdr *head;
    const u_char *data;
    while (pcap_next_ex(pcap, &head, &data) == 1) {
        uint8_t frame[4096];
        ck_assert_uint_le(head->caplen, sizeof frame);
        ck_assert_uint_eq(head->caplen, head->len);
        const uint32_t len = untag(data, head->caplen, frame);
        ck_assert_uint_ge(len, 42);
        ck_assert_uint_eq(sb_get16(frame + 12), 0x0800);
        tally->frames++;
        if (frame[23] == 6)
            tcp_take(frame, len, tally);
        else
            udp_take(frame, len, tally);
    }
    pcap_close(pcap);
}

/* Every .pcap of a folder; returns how many files. */
static uint32_t folder_take(const char *tail, struct tally *tally)
{
    char folder[512], path[1024];
    ck_assert(wire_shared_path(tail, folder, sizeof folder));
    DIR *dir = opendir(folder);
    ck_assert_ptr_nonnull(dir);
    uint32_t files = 0;
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        if (strstr(e->d_name, ".pcap") == NULL)
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        file_take(path, tally);
        files++;
    }
    closedir(dir);
    return files;
}

START_TEST(market_data_over_mold)
{
    struct tally t = {0};
    ck_assert_uint_eq(folder_take("vectors/pcap/Nasdaq.Equities.TotalView.Itch.v5.0", &t), 8);
    ck_assert_uint_ge(t.frames, 9);
    ck_assert_uint_eq(t.checked, t.frames);
    ck_assert_uint_ge(t.itch_rewritten, 6);
}
END_TEST

START_TEST(market_data_without_session)
{
    struct tally t = {0};
    ck_assert_uint_eq(folder_take("vectors/pcap/Nasdaq.Equities.TotalView.Itch.v5.0.20230822", &t),
                      15);
    ck_assert_uint_ge(t.itch, 15);
    ck_assert_uint_ge(t.itch_rewritten, 11);
    printf("%u frames, %u messages, %u rewritten\n", t.frames, t.itch, t.itch_rewritten);
}
END_TEST

START_TEST(order_entry)
{
    struct tally t = {0};
    ck_assert_uint_eq(folder_take("vectors/pcap/Nasdaq.Nsm.Ouch.v5.0", &t), 6);
    ck_assert_uint_eq(t.ouch, 4);
    ck_assert_uint_eq(t.soup_heartbeats, 2);
}
END_TEST

int main(void)
{
    char path[512];
    if (!wire_shared_path("vectors/pcap", path, sizeof path))
        return wire_skip("no vectors/pcap in the shared folder ($SHADOWBOOK_SHARED)");
    TCase *t = tcase_create("captures");
    tcase_add_test(t, market_data_over_mold);
    tcase_add_test(t, market_data_without_session);
    tcase_add_test(t, order_entry);
    Suite *s = suite_create("wire captures");
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    const int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
