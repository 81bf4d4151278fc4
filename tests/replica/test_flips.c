/* test_flips.c: no bit of a frame that rots, and no cut, changes an outcome other than by loss.
 *
 * Every type of frame, and one of each kind that is not ours, goes into a primary, a shadow and the witness: in peace, while
 * the shadow asks to take over, and before a new day's pairing. First whole, then with each of its bits flipped, then cut
 * at each length. What a node or the witness has become is all of its memory and all of its counters: they must be the same,
 * byte for byte, as if nothing had come, but for the count of what was dropped; or, where no checksum covers the
 * flip, as if the frame had come whole. Two exceptions, both no more than a loss: a MAC address that is learned
 * from a frame may be the flipped one, and ARP, which has no checksum, may be answered wrongly or not at all.
 *
 * Not covered: two flips in one frame that make up for each other in the checksum. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "nic/wire/bytes.h"
#include "nic/wire/entry.h"
#include "nic/wire/itch.h"
#include "nic/wire/ouch.h"
#include "tests/replica/bench.h"

enum { MS = 1000000, ALL_ROLES = 31, TRAILER = 3, W = BENCH_W };
enum { PAGE = 1024, PAGES_MAX = 32 };

/* --- the frames ------------------------------------------------------------------------------- */

enum {
    OF_STREAM, /* the next packet of the shadow's owner */
    OF_HEARTBEAT,
    OF_LATER_OWNER,
    OF_ACK,
    OF_REPAIR,
    OF_RESEND,
    OF_CONTROL,                                           /* + SB_FT_ARM..SB_FT_LOGACK, from 0 */
    OF_ORDER = OF_CONTROL + SB_FT_LOGACK - SB_FT_ARM + 1, /* next message of session 1 */
    OF_LOGIN,
    OF_STATUS,
    OF_REQUEST_FEED,
    OF_REQUEST_SESSION,
    OF_SESSION_STREAM, /* MoldUDP64 with OUCH and with ITCH inside, as clients get them */
    OF_FEED,
    OF_ARP_REQUEST,
    OF_ARP_REPLY,
    FRAMES
};

static struct bench_frame make_stream(const struct bench *b, bool data)
{
    const struct sb_node *a = b->node[0];
    uint8_t body[sizeof(struct sb_stream) + 2 * SB_LINE_BYTES];
    const uint64_t index = sb_log_find(&a->log, b->node[1]->log.len + 1);
    struct sb_stream s = {.to_inc = b->node[1]->inc,
                          .len = a->log.len,
                          .applied = a->applied,
                          .digest = a->digest,
                          .released = a->released};
    uint32_t n = sizeof s;
    if (data && index != UINT64_MAX) {
        const struct sb_packet *p = sb_log_packet(&a->log, index);
        ck_assert_uint_le(p->lines, 2);
        s.n_first = p->n_first;
        s.count = p->count;
        s.lines = p->lines;
        memcpy(body + n, sb_log_lines(&a->log, p), p->lines * (size_t)SB_LINE_BYTES);
        n += p->lines * (uint32_t)SB_LINE_BYTES;
    }
    memcpy(body, &s, sizeof s);
    return bench_ours(b, SB_FT_STREAM, a->epoch, a->inc, SB_NODE_A, SB_FF_PAIRED, body, n);
}

static struct bench_frame make_later_owner(const struct bench *b, uint32_t to)
{
    const struct sb_stream s = {.len = 1};
    const uint8_t from = to == SB_NODE_A ? SB_NODE_B : SB_NODE_A;
    return bench_ours(b, SB_FT_STREAM, b->node[0]->epoch | SB_EPOCH_S, b->node[from]->inc, from, 0,
                      &s, sizeof s);
}

/* From whom it matters: the witness speaks to engines, the shadow arms, the owner asks for the rest. */
static struct bench_frame make_control(const struct bench *b, uint8_t type, uint32_t to)
{
    const bool of_shadow = type == SB_FT_ARM || type == SB_FT_CANCEL || type == SB_FT_LIVE;
    const bool of_witness = to != W && type != SB_FT_RESIGN && type != SB_FT_BOOT;
    const uint8_t from = of_witness                     ? SB_NODE_W
                         : of_shadow || to == SB_NODE_A ? SB_NODE_B
                                                        : SB_NODE_A;
    const struct sb_node *a = b->node[0], *s = b->node[1];
    const bool rise = type == SB_FT_LIVE || type == SB_FT_SOLOOK;
    const uint64_t epoch =
        (a->epoch != 0 ? a->epoch : 4) | (rise ? from == SB_NODE_B ? SB_EPOCH_S : SB_EPOCH_P : 0u);
    const struct sb_control c = {.to = (uint8_t)to,
                                 .to_inc = to == W ? 0 : b->node[to]->inc,
                                 .winc = b->witness.winc + (type == SB_FT_HELLO),
                                 .k = s->k != 0 ? s->k : 1,
                                 .peer_inc = from == SB_NODE_A || to == SB_NODE_A ? s->inc : a->inc,
                                 .n_last = type == SB_FT_BOOT ? 0 : s->log.len,
                                 .role = from == SB_NODE_B,
                                 .rules = type == SB_FT_BOOT ? SB_ENGINE_RULES : 0};
    return bench_ours(b, type, epoch, from == SB_NODE_W ? c.winc : b->node[from]->inc, from,
                      type == SB_FT_BOOT ? SB_FF_NEW_DAY : 0, &c, sizeof c);
}

/* What clients get, and ARP: only the envelope's addresses matter to engines. */
static struct bench_frame make_foreign(const struct bench *b, uint32_t which, uint32_t to)
{
    static const uint8_t client_mac[6] = {2, 0, 0, 0, 0, 9}, new_mac[6] = {2, 0, 0, 0, 0, 0x19};
    struct bench_frame f = bench_request(b, BENCH_CLIENT_IP, "0000000000", 1, 1);
    uint8_t *p = f.data + SB_UDP_HEADERS_BYTES, message[SB_OUCH_MESSAGE_MAX];
    const struct sb_ouch_out accepted = {.type = 'A', .timestamp = 5, .ref = 1, .quantity = 10};
    const struct sb_itch add = {.type = 'A', .locate = 1, .ref = 1, .shares = 10, .side = 'B'};
    struct sb_udp_route r = {.src_ipv4 = b->config.nodes[0].ipv4,
                             .dst_ipv4 = BENCH_CLIENT_IP,
                             .src_port = b->config.client_port,
                             .dst_port = BENCH_CLIENT_PORT};
    if (which == OF_ARP_REQUEST || which == OF_ARP_REPLY) {
        const uint32_t ipv4 = b->config.nodes[to % 2].ipv4;
        f.len = sb_arp_request(f.data, BENCH_CLIENT_IP, new_mac, ipv4);
        if (which == OF_ARP_REPLY) {
            uint8_t request[60];
            sb_arp_request(request, ipv4, client_mac, BENCH_CLIENT_IP);
            f.len = sb_arp_answer(request, 60, BENCH_CLIENT_IP, new_mac, f.data);
        }
        return f;
    }
    const uint32_t len =
        which == OF_FEED ? sb_itch_write(message, &add) : sb_ouch_write_out(message, &accepted);
    if (which == OF_FEED) {
        r.dst_ipv4 = b->config.feed_a.ipv4;
        r.dst_port = b->config.feed_a.port;
    }
    char name[SB_MOLD_NAME_BYTES];
    sb_stream_name(name, 1, 20231114, 0, which == OF_FEED ? 0 : 1);
    sb_mold_put_head(p, name, 1, 1);
    sb_put16(p + SB_MOLD_HEAD_BYTES, (uint16_t)len);
    memcpy(p + SB_MOLD_HEAD_BYTES + 2, message, len);
    f.len = sb_udp_finish(f.data, &r, SB_MOLD_HEAD_BYTES + 2 + len);
    return f;
}

static struct bench_frame make(const struct bench *b, uint32_t which, uint32_t to)
{
    const struct sb_node *a = b->node[0], *s = b->node[1];
    const struct sb_ack ack = {
        .to_inc = a->inc, .held = a->applied, .applied = a->applied, .digest = a->digest};
    const struct sb_repair repair = {.to_inc = a->inc, .from = a->log.len, .to = a->log.len};
    const struct sb_resend resend = {.to_inc = s->inc, .seq = 1, .stream = 1, .count = 1};
    const struct sb_status status = {.wanted = 2, .safe = 1, .session = 1};
    uint8_t blocks[128];
    char name[SB_MOLD_NAME_BYTES];
    switch (which) {
    case OF_STREAM:
    case OF_HEARTBEAT:
        return make_stream(b, which == OF_STREAM);
    case OF_LATER_OWNER:
        return make_later_owner(b, to);
    case OF_ACK:
        return bench_ours(b, SB_FT_ACK, a->epoch, s->inc, SB_NODE_B, 0, &ack, sizeof ack);
    case OF_REPAIR:
        return bench_ours(b, SB_FT_REPAIR, a->epoch, s->inc, SB_NODE_B, 0, &repair, sizeof repair);
    case OF_RESEND:
        return bench_ours(b, SB_FT_RESEND, a->epoch, a->inc, SB_NODE_A, 0, &resend, sizeof resend);
    case OF_ORDER:
        return bench_entry(b, 1, 77, b->next_message, blocks,
                           bench_block_order(blocks, b->next_key, 'S', 9900), 1);
    case OF_LOGIN:
        return bench_entry(b, 1, 77, 0, blocks, bench_block_login(blocks, 2, BENCH_CLIENT_IP), 1);
    case OF_STATUS:
        return bench_ours(b, SB_FT_STATUS, a->epoch, a->inc, SB_NODE_A, 0, &status, sizeof status);
    case OF_REQUEST_FEED:
    case OF_REQUEST_SESSION:
        sb_stream_name(name, 1, 20231114, 0, which == OF_REQUEST_SESSION);
        return bench_request(b, BENCH_CLIENT_IP, name, 1, 1);
    case OF_SESSION_STREAM:
    case OF_FEED:
    case OF_ARP_REQUEST:
    case OF_ARP_REPLY:
        return make_foreign(b, which, to);
    default:
        return make_control(b, (uint8_t)(SB_FT_ARM + which - OF_CONTROL), to);
    }
}

/* --- who gets them ---------------------------------------------------------------------------- */

struct image { /* all that a node or the witness is */
    uint8_t *mem;
    uint64_t counters[SB_CTR_COUNT];
};

struct subject {
    struct bench *b;
    uint32_t host;
    uint8_t *mem;
    size_t bytes;
    /* Before a poll; after one without a frame; after one with the whole frame. */
    struct image before, none, whole;
    size_t pages[PAGES_MAX]; /* where `none` differs from `before` */
    uint32_t pages_n;
};

static void image_take(const struct subject *s, struct image *to)
{
    memcpy(to->mem, s->mem, s->bytes);
    memcpy(to->counters, s->b->counters[s->host], sizeof to->counters);
}

static size_t page_bytes(const struct subject *s, size_t at)
{
    return s->bytes - at < PAGE ? s->bytes - at : PAGE;
}

static void image_restore(const struct subject *s)
{
    memcpy(s->mem, s->before.mem, s->bytes);
    memcpy(s->b->counters[s->host], s->before.counters, sizeof s->before.counters);
}

/* The same after a turn that left `none`: what it touched is known. */
static void none_restore(const struct subject *s)
{
    for (uint32_t i = 0; i < s->pages_n; i++)
        memcpy(s->mem + s->pages[i], s->before.mem + s->pages[i], page_bytes(s, s->pages[i]));
    memcpy(s->b->counters[s->host], s->before.counters, sizeof s->before.counters);
}

static void pages_find(struct subject *s)
{
    for (size_t at = 0; at < s->bytes; at += PAGE)
        if (memcmp(s->none.mem + at, s->before.mem + at, page_bytes(s, at)) != 0) {
            ck_assert_uint_lt(s->pages_n, PAGES_MAX);
            s->pages[s->pages_n++] = at;
        }
}

static void subject_open(struct subject *s, struct bench *b, uint32_t host)
{
    *s = (struct subject){.b = b, .host = host};
    s->mem = host == W ? (uint8_t *)&b->witness : b->mem[host];
    s->bytes = host == W ? sizeof b->witness : sb_node_footprint(&b->config);
    struct image *const images[] = {&s->before, &s->none, &s->whole};
    for (int i = 0; i < 3; i++) {
        images[i]->mem = malloc(s->bytes);
        ck_assert_ptr_nonnull(images[i]->mem);
    }
    image_take(s, &s->before);
}

static void subject_close(struct subject *s)
{
    image_restore(s);
    free(s->before.mem);
    free(s->none.mem);
    free(s->whole.mem);
}

/* One turn, always at the same time, from where `before` stands. */
static void poll(const struct subject *s, const uint8_t *frame, uint32_t len)
{
    const struct sb_node_frame in = {.data = frame, .len = len, .roles = ALL_ROLES};
    const uint64_t now_ns = s->b->now_ns + BENCH_STEP_NS;
    struct sb_node_out out;
    if (s->host == W) {
        sb_witness_poll(&s->b->witness, now_ns, &in, frame != NULL, &out);
        return;
    }
    struct sb_node *node = s->b->node[s->host];
    const uint64_t port_heard_ns = node->port_heard_ns, witness_heard_ns = node->witness_heard_ns;
    sb_node_poll(node, now_ns, &in, frame != NULL, &out);
    node->port_heard_ns = port_heard_ns; /* that something was heard is no effect */
    node->witness_heard_ns = witness_heard_ns;
}

static bool same_memory(const struct subject *s, const struct image *as)
{
    return memcmp(s->mem, as->mem, s->bytes) == 0;
}

/* All counters as after `as`, and the frame is in one of those of what is dropped `dropped` times. */
static bool same_counters(const struct subject *s, const struct image *as, uint64_t dropped)
{
    uint64_t c[SB_CTR_COUNT];
    memcpy(c, s->b->counters[s->host], sizeof c);
    static const enum sb_counter drops[] = {SB_CTR_BAD_FRAME, SB_CTR_OTHER_FRAME};
    uint64_t counted = 0;
    for (int i = 0; i < 2; i++) {
        counted += c[drops[i]] - as->counters[drops[i]];
        c[drops[i]] = as->counters[drops[i]];
    }
    return counted == dropped && memcmp(c, as->counters, sizeof c) == 0;
}

/* As if nothing had come; the drop was counted. */
static bool lost(const struct subject *s, uint64_t dropped)
{
    return same_memory(s, &s->none) && same_counters(s, &s->none, dropped);
}

/* As if it had come whole. */
static bool taken(const struct subject *s)
{
    return same_memory(s, &s->whole) && same_counters(s, &s->whole, 0);
}

/* Whole but for byte `at` of a MAC address: every copy of it that was kept has the flip. */
static bool taken_with_mac(const struct subject *s, uint8_t was, uint8_t is)
{
    for (size_t i = 0; i < s->bytes; i++)
        if (s->mem[i] != s->whole.mem[i] && (s->whole.mem[i] != was || s->mem[i] != is))
            return false;
    return same_counters(s, &s->whole, 0);
}

/* Nothing differs from a node that the whole frame, or nothing, came to, but what it knows of clients' MAC addresses and what
 * it sends in this turn. */
static bool arp_at_most(const struct subject *s)
{
    struct sb_node *is = (struct sb_node *)(void *)s->mem;
    const ptrdiff_t shift = s->whole.mem - s->mem; /* pointers inside are of the node's own place */
    const uint8_t *doors = (uint8_t *)is->doors + shift, *scratch = (uint8_t *)is->scratch + shift;
    const struct sb_node *as = (const struct sb_node *)(const void *)s->whole.mem;
    for (uint32_t i = 0; i <= is->config->limits.sessions_max; i++) {
        struct sb_door d;
        memcpy(&d, doors + i * sizeof d, sizeof d);
        is->doors[i].src_ipv4 = d.src_ipv4;
        memcpy(is->doors[i].src_mac, d.src_mac, 6);
    }
    memcpy(is->scratch, scratch, SB_SCRATCH * sizeof *is->scratch);
    memcpy(is->out, as->out, sizeof is->out);
    is->out_n = as->out_n;
    is->scratch_n = as->scratch_n;
    s->b->counters[s->host][SB_CTR_ARP_ANSWERED] = s->whole.counters[SB_CTR_ARP_ANSWERED];
    return same_memory(s, &s->whole) && same_counters(s, &s->whole, 0);
}

/* --- every bit, every length -------------------------------------------------------------------- */

static void flips_judge(const struct subject *s, uint32_t which, struct bench_frame *f)
{
    const bool arp = which >= OF_ARP_REQUEST;
    const uint32_t covered = arp ? 42 : SB_ETH_BYTES + sb_get16(f->data + 16);
    for (uint32_t bit = 0; bit < f->len * 8; bit++) {
        const uint32_t at = bit / 8;
        const uint8_t was = f->data[at];
        f->data[at] ^= (uint8_t)(1u << bit % 8);
        poll(s, f->data, f->len);
        bool good, none = false;
        if (at < 6 || at >= covered) /* for whom; behind the datagram */
            good = taken(s);
        else if (at < 12)
            good = taken_with_mac(s, was, f->data[at]);
        else if (arp && at >= SB_ETH_BYTES)
            good = s->host == W ? taken(s) : arp_at_most(s);
        else
            good = none = lost(s, 1);
        ck_assert_msg(good, "host %u frame %u: bit %u of byte %u", s->host, which, bit % 8, at);
        f->data[at] = was;
        if (none)
            none_restore(s);
        else
            image_restore(s);
    }
}

static void cuts_judge(const struct subject *s, uint32_t which, const struct bench_frame *f)
{
    const bool arp = which >= OF_ARP_REQUEST;
    const uint32_t covered = arp ? 42 : SB_ETH_BYTES + sb_get16(f->data + 16);
    for (uint32_t n = 1; n < f->len; n++) {
        uint8_t *cut = malloc(n); /* of its size: a sanitizer sees a read behind the end */
        ck_assert_ptr_nonnull(cut);
        memcpy(cut, f->data, n);
        poll(s, cut, n);
        const bool good = n >= covered ? taken(s) : lost(s, !arp || n < SB_ETH_BYTES);
        ck_assert_msg(good, "host %u frame %u: cut to %u bytes", s->host, which, n);
        free(cut);
        image_restore(s);
    }
}

/* Bit f of the result: did frame f, whole, do anything to this host? Judged are all frames, or only those that do. */
static uint64_t host_judge(struct bench *b, uint32_t host, bool all)
{
    struct subject s;
    uint64_t effective = 0;
    subject_open(&s, b, host);
    poll(&s, NULL, 0);
    image_take(&s, &s.none);
    pages_find(&s);
    image_restore(&s);
    for (uint32_t which = 0; which < FRAMES; which++) {
        struct bench_frame f = make(b, which, host);
        memset(f.data + f.len, 0, TRAILER); /* as a device may leave it behind a datagram */
        f.len += TRAILER;
        poll(&s, f.data, f.len);
        image_take(&s, &s.whole);
        const bool effect = !same_memory(&s, &s.none);
        image_restore(&s);
        if (effect)
            effective |= UINT64_C(1) << which;
        else if (!all)
            continue;
        flips_judge(&s, which, &f);
        cuts_judge(&s, which, &f);
    }
    subject_close(&s);
    return effective;
}

#define CONTROL(type) (UINT64_C(1) << (OF_CONTROL + (type)-SB_FT_ARM))
#define BIT(which)    (UINT64_C(1) << (which))

/* --- where they stand --------------------------------------------------------------------------- */

static void small(struct sb_config *c)
{
    c->limits = (struct sb_engine_limits){.instruments_max = 1,
                                          .sessions_max = 2,
                                          .orders_max = 64,
                                          .levels_max = 64,
                                          .terms_max = 1,
                                          .window_levels = 64};
    c->log_lines = 2048;
    c->unacked_lines = 1024;
    c->hold_bytes = 1u << 17;
    c->retain_packets = 64;
    c->pending_bytes = 1u << 13;
}

/* A pair with an answered order behind it and another that only the primary has. */
static void pair_open(struct bench *b)
{
    bench_pair(b, small);
    bench_order(b, 'B', 10000);
    bench_run(b, MS / 2);
    b->lost = bench_lose_all;
    bench_order_at(b, b->next_message++, b->next_key++, 1);
    for (int i = 0; i < 3; i++)
        bench_step(b);
    ck_assert_uint_eq(b->node[0]->applied, 7);
    ck_assert_uint_eq(b->node[0]->released, 6);
    ck_assert_uint_eq(b->node[1]->log.len, 6);
}

START_TEST(in_peace)
{
    struct bench b;
    pair_open(&b);
    const uint64_t of_client =
        BIT(OF_ORDER) | BIT(OF_LOGIN) | BIT(OF_ARP_REQUEST) | BIT(OF_ARP_REPLY);
    ck_assert_uint_eq(host_judge(&b, 0, true), of_client | BIT(OF_ACK) | BIT(OF_REPAIR) |
                                                   BIT(OF_LATER_OWNER) | BIT(OF_REQUEST_FEED) |
                                                   BIT(OF_REQUEST_SESSION) | CONTROL(SB_FT_SOLOOK) |
                                                   CONTROL(SB_FT_HELLO));
    ck_assert_uint_eq(host_judge(&b, 1, true), of_client | BIT(OF_STREAM) | BIT(OF_HEARTBEAT) |
                                                   BIT(OF_RESEND) | BIT(OF_LATER_OWNER) |
                                                   CONTROL(SB_FT_RESIGN) | CONTROL(SB_FT_HELLO));
    ck_assert_uint_eq(host_judge(&b, W, true), CONTROL(SB_FT_ARM) | CONTROL(SB_FT_CANCEL) |
                                                   CONTROL(SB_FT_SOLOREQ) | CONTROL(SB_FT_LIVE) |
                                                   CONTROL(SB_FT_RESIGN) | CONTROL(SB_FT_REG_DUAL) |
                                                   CONTROL(SB_FT_PAIR) | CONTROL(SB_FT_HELLO));
    bench_close(&b);
}
END_TEST

START_TEST(while_the_shadow_arms)
{
    struct bench b;
    pair_open(&b);
    while (b.node[1]->arm != SB_ARM_ARMING)
        bench_step(&b);
    const uint64_t shadow = host_judge(&b, 1, false), witness = host_judge(&b, W, false);
    ck_assert_uint_ne(shadow & CONTROL(SB_FT_ARMOK), 0);
    ck_assert_uint_ne(shadow & BIT(OF_HEARTBEAT), 0);
    ck_assert_uint_ne(witness & CONTROL(SB_FT_ARM), 0);
    bench_close(&b);
}
END_TEST

START_TEST(before_the_pairing)
{
    struct bench b;
    bench_open(&b);
    small(&b.config);
    bench_start(&b, SB_NODE_A, true);
    bench_start(&b, SB_NODE_B, true);
    b.lost = bench_lose_all;
    bench_step(&b);
    b.node[0]->winc = b.node[1]->winc = b.witness.winc;
    for (uint32_t i = 0; i < 2; i++) { /* they have heard each other, too */
        b.witness.versions[i] = SB_FRAME_VERSION;
        b.node[i]->peers = b.node[i]->witnesses =
            (struct sb_versions){SB_FRAME_VERSION_MIN, SB_FRAME_VERSION};
    }
    for (uint32_t host = 0; host < 2; host++)
        ck_assert_uint_eq(host_judge(&b, host, false), CONTROL(SB_FT_BOOT) | CONTROL(SB_FT_HELLO) |
                                                           BIT(OF_LATER_OWNER) |
                                                           BIT(OF_ARP_REQUEST));
    for (uint32_t i = 0; i < 2; i++)
        b.node[i]->peer_inc = b.node[1 - i]->inc;
    for (uint32_t host = 0; host < 2; host++)
        ck_assert_uint_ne(host_judge(&b, host, false) & CONTROL(SB_FT_PAIROK), 0);
    const uint64_t witness = host_judge(&b, W, false);
    ck_assert_uint_ne(witness & CONTROL(SB_FT_REG_DUAL), 0);
    ck_assert_uint_ne(witness & CONTROL(SB_FT_LIVE), 0);
    bench_close(&b);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("replica-flips");
    TCase *tc = tcase_create("flips");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, in_peace);
    tcase_add_test(tc, while_the_shadow_arms);
    tcase_add_test(tc, before_the_pairing);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
