/* client.c: any frames into the real client, then the judgement of what it came to.
 *
 * A client over a small plan is made for each input. A frame that fails its checksum must be counted and change nothing; what
 * the client sends must be whole frames of its own; and whatever a venue has said, verify.h and the report get
 * through it. Not judged: the verdict (tests/client).
 *
 * input: a series of records: how (FRAME.., a port), length, bytes. */
#include <string.h>

#include "nic/wire/bytes.h"
#include "nic/wire/entry.h"
#include "nic/wire/itch.h"
#include "nic/wire/ouch.h"
#include "perf/replay_report.h"
#include "perf/verify.h"
#include "shadowbook/assert.h"
#include "tests/client/venue.h"
#include "tests/fuzz/fuzz.h"

/* how & 7: the bytes are a frame, a datagram, a MoldUDP64 packet, its blocks with the number that is expected or one or two
 * further on, a STATUS. how & DAMAGED: one bit of it is flipped, the last byte says which. */
enum { FRAME, DATAGRAM, MOLD, NEXT, NEXT_AGAIN, BEHIND_A_HOLE, STATUS, STATUS_GAP };
enum { DAMAGED = 0x80, SESSIONS = 2, STEP_NS = 3000000, RECORD_HEAD = 2 };
enum { FEED_A, FEED_B, BASE, SESSION_1, SESSION_2, ORDERS, BEYOND, OTHER_HOST, PORTS };

static const struct sb_config *config(void)
{
    static struct sb_config c; /* the targets are called without a context */
    if (c.instruments == NULL)
        venue_config(&c, SESSIONS, 2);
    return &c;
}

static const struct sb_plan *plan(void)
{
    static struct sb_plan p;
    static const struct sb_plan_event events[] = {
        {.op = SB_PLAN_PHASE, .time_ns = 1000, .phase = 'T'},
        {.op = SB_PLAN_NEW, .order_id = 1, .side = 'B', .tif = '0', .price = 10000, .quantity = 10},
        {.op = SB_PLAN_NEW, .order_id = 2, .side = 'S', .tif = '0', .price = 10000, .quantity = 4},
        {.op = SB_PLAN_NEW, .order_id = 3, .side = 'S', .tif = '3', .price = 9900, .quantity = 9},
        {.op = SB_PLAN_CANCEL, .order_id = 1, .quantity = 2},
        {.op = SB_PLAN_CANCEL, .order_id = 1, .quantity = 8},
        {.op = SB_PLAN_CANCEL, .order_id = 99, .quantity = 1},
    };
    if (p.n != 0)
        return &p;
    SB_ASSERT(sb_plan_init(&p, SESSIONS));
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
        struct sb_plan_event e = events[i];
        e.instrument = e.op == SB_PLAN_NEW ? 1 : 0;
        SB_ASSERT(sb_plan_add(&p, &e) == NULL);
    }
    SB_ASSERT(sb_plan_finish(&p));
    return &p;
}

/* --- one frame -------------------------------------------------------------------------------- */

static uint32_t envelope(uint8_t *frame, uint8_t port, uint32_t bytes)
{
    const struct sb_config *c = config();
    const struct sb_addr to[PORTS] = {
        c->feed_a,
        c->feed_b,
        {c->client.ipv4, SB_CLIENT_PORT_BASE},
        {c->client.ipv4, SB_CLIENT_PORT_BASE + 1},
        {c->client.ipv4, SB_CLIENT_PORT_BASE + 2},
        c->orders,
        {c->client.ipv4, SB_CLIENT_PORT_BASE + 3},
        {c->nodes[0].ipv4, SB_CLIENT_PORT_BASE + 1},
    };
    const struct sb_udp_route r = {.src_ipv4 = c->nodes[0].ipv4,
                                   .dst_ipv4 = to[port % PORTS].ipv4,
                                   .src_port = c->client_port,
                                   .dst_port = to[port % PORTS].port};
    return sb_udp_finish(frame, &r, bytes);
}

/* The stream that a port carries. */
static const struct sb_follow *stream_of(const struct sb_client *c, uint8_t port)
{
    return port == SESSION_1   ? &c->sessions[1].stream
           : port == SESSION_2 ? &c->sessions[2].stream
                               : &c->feed;
}

static uint32_t count_blocks(const uint8_t *p, uint32_t bytes)
{
    uint32_t at = 0, len, n = 0;
    while (sb_mold_next(p, bytes, &at, &len) != NULL)
        n++;
    return n;
}

static uint32_t make_mold(const struct sb_client *c, uint8_t how, uint8_t port, uint8_t *p,
                          const uint8_t *data, uint32_t bytes)
{
    const struct sb_follow *stream = stream_of(c, port);
    const uint64_t next = stream->next;
    const uint64_t seq = how == NEXT ? next : how == NEXT_AGAIN ? next - (next > 1) : next + 1;
    char name[SB_MOLD_NAME_BYTES];
    sb_stream_name(name, config()->shard, config()->trading_day, 0, stream->stream);
    sb_mold_put_head(p, name, seq, (uint16_t)count_blocks(data, bytes));
    memcpy(p + SB_MOLD_HEAD_BYTES, data, bytes);
    return SB_MOLD_HEAD_BYTES + bytes;
}

static uint32_t make_status(uint8_t how, uint8_t *p, const uint8_t *data, uint32_t bytes)
{
    struct sb_status s = {.session = 1};
    memcpy(&s, data, bytes < 16 ? bytes : 16);
    s.wanted &= 0xFF;
    s.safe &= 0xFF;
    s.session += bytes > 16 ? data[16] : 0u;
    memcpy(sb_head_put(p, SB_FT_STATUS, config()->shard, 4, 7, SB_NODE_A,
                       how == STATUS_GAP ? SB_FF_GAP : 0, sizeof s),
           &s, sizeof s);
    return sizeof(struct sb_head) + sizeof s;
}

static uint32_t make(const struct sb_client *c, uint8_t how, uint8_t port, uint8_t *frame,
                     const uint8_t *data, uint32_t bytes)
{
    uint8_t *p = frame + SB_UDP_HEADERS_BYTES;
    uint32_t n = bytes;
    if (how == FRAME) {
        memcpy(frame, data, bytes);
        return bytes;
    }
    if (how == STATUS || how == STATUS_GAP)
        n = make_status(how, p, data, bytes);
    else if (how >= NEXT)
        n = make_mold(c, how, port, p, data, bytes);
    else
        memcpy(p, data, bytes);
    return envelope(frame, port, n);
}

/* --- the client ------------------------------------------------------------------------------- */

static void sent_judge(const struct sb_frame *f)
{
    struct sb_datagram d;
    struct sb_head head;
    struct sb_mold_head mold;
    const enum sb_udp_result result = sb_udp_parse(f->data, f->len, &d);
    if (result == SB_UDP_ARP)
        return;
    SB_ASSERT_EQ(result, SB_UDP_OK);
    SB_ASSERT_EQ(d.dst_ipv4, config()->orders.ipv4);
    if (d.dst_port == config()->requests.port)
        SB_ASSERT(sb_mold_read_request(d.payload, d.bytes, &mold) && mold.count > 0);
    else
        SB_ASSERT(sb_head_read(d.payload, d.bytes, &head) && head.type == SB_FT_ENTRY);
}

static void poll(struct sb_client *c, const uint8_t *frame, uint32_t len)
{
    const struct sb_frame in = {.data = frame, .len = len};
    struct sb_frame out[SB_CLIENT_BURST];
    const uint32_t n = sb_client_poll(c, c->now_ns + STEP_NS, &in, len != 0, out, SB_CLIENT_BURST);
    SB_ASSERT_LE(n, (uint32_t)SB_CLIENT_BURST);
    for (uint32_t i = 0; i < n; i++)
        sent_judge(&out[i]);
}

/* What is known of the venue's words. */
struct heard {
    uint64_t frames_bad, packets, messages, malformed, conflicting, status, answers, errors;
};

static struct heard heard(const struct sb_client *c)
{
    struct heard h = {.frames_bad = c->counters.frames_bad + c->counters.frames_other,
                      .status = c->counters.status_frames,
                      .answers = c->counters.acknowledged + c->counters.rejected,
                      .errors = c->counters.answer_errors + c->book.errors + c->book.messages};
    for (uint32_t s = 0; s <= SESSIONS; s++) {
        const struct sb_follow_counters *f =
            s == 0 ? &c->feed.counters : &c->sessions[s].stream.counters;
        h.packets += f->packets;
        h.messages += f->messages;
        h.malformed += f->malformed + f->foreign + f->over + f->far + f->duplicates;
        h.conflicting += f->conflicting;
    }
    return h;
}

/* Flips a bit of what the checksums cover: from the IPv4 header on, to the end of the datagram. */
static void damaged_judge(struct sb_client *c, uint8_t *frame, uint32_t len, uint32_t which)
{
    const uint32_t covered = SB_ETH_BYTES + sb_get16(frame + 16);
    const uint32_t bit = which * 37 % ((covered - SB_ETH_BYTES) * 8) + SB_ETH_BYTES * 8;
    frame[bit / 8] ^= (uint8_t)(1u << bit % 8);
    struct heard before = heard(c);
    poll(c, frame, len);
    const struct heard after = heard(c);
    before.frames_bad++;
    SB_ASSERT_EQ(memcmp(&before, &after, sizeof after), 0);
}

static void conclude(const struct sb_client *c)
{
    static FILE *nowhere;
    struct sb_verify v = {0};
    struct sb_replay_report r = {0};
    if (nowhere == NULL)
        nowhere = fopen("/dev/null", "w");
    SB_ASSERT(nowhere != NULL && sb_verify_run(&v, c, NULL));
    SB_ASSERT(sb_replay_report_make(&r, c, &v, false, v.reference.n, 0, false));
    SB_ASSERT(r.result[0] != '\0');
    sb_replay_report_json(&r, nowhere);
    sb_replay_report_print(&r, nowhere);
    sb_replay_report_hgrm(&r, nowhere);
    sb_replay_report_acks(&r, nowhere);
    sb_replay_report_trades(&r, nowhere);
    sb_replay_report_free(&r);
    sb_verify_free(&v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t frame[SB_FRAME_BYTES_MAX + 64];
    struct sb_client c;
    const struct sb_client_options options = {.config = config(),
                                              .plan = plan(),
                                              .window = 3,
                                              .give_up_ns = UINT64_C(1000000000),
                                              .nonce = 42,
                                              .mac = {2, 0, 0, 0, 0, 4},
                                              .tag_orders = true};
    if (size > FUZZ_INPUT_MAX)
        return 0;
    SB_ASSERT(sb_client_init(&c, &options) == NULL);
    poll(&c, NULL, 0);
    for (size_t at = 0; at + RECORD_HEAD <= size;) {
        const uint8_t how = data[at] & 7, port = data[at] >> 3 & 7;
        const bool damaged = (data[at] & DAMAGED) != 0;
        const size_t left = size - at - RECORD_HEAD;
        const uint32_t bytes = data[at + 1] < left ? data[at + 1] : (uint32_t)left;
        const uint8_t *p = data + at + RECORD_HEAD;
        const uint32_t len = make(&c, how, port, frame, p, bytes);
        if (damaged && how != FRAME)
            damaged_judge(&c, frame, len, bytes > 0 ? p[bytes - 1] : 0);
        else
            poll(&c, frame, len);
        at += RECORD_HEAD + bytes;
    }
    for (int i = 0; i < 3; i++)
        poll(&c, NULL, 0);
    conclude(&c);
    sb_client_free(&c);
    return 0;
}

/* --- seeds ------------------------------------------------------------------------------------ */

static uint32_t record(uint8_t *out, uint8_t how, uint8_t port, const uint8_t *message,
                       uint32_t len)
{
    out[0] = (uint8_t)(how | port << 3);
    out[1] = (uint8_t)(2 + len);
    sb_put16(out + 2, (uint16_t)len);
    memcpy(out + 4, message, len);
    return 4 + len;
}

static uint32_t login(uint8_t *out, uint8_t port)
{
    uint8_t m[SB_ENTRY_LOGGED_IN_BYTES] = {'L', 0, 0, 0, 0, 0, 0, 0, port};
    return record(out, NEXT, port, m, sizeof m);
}

static uint32_t outbound(uint8_t *out, uint8_t port, struct sb_ouch_out m)
{
    uint8_t p[SB_OUCH_MESSAGE_MAX];
    return record(out, NEXT, port, p, sb_ouch_write_out(p, &m));
}

/* A phase done, an order taken and one refused, a trade, a cancel. */
static uint32_t seed_day(uint8_t *out)
{
    uint8_t done[SB_ENTRY_OPERATOR_BYTES] = {'O', 0, 0, 0, 0, 0, 0, 0, 9};
    struct sb_ouch_out m = {.type = 'A', .timestamp = 10, .ref = 1, .quantity = 10, .price = 10000};
    m.side = 'B';
    uint32_t n = login(out, SESSION_1);
    n += login(out + n, SESSION_2);
    sb_put32(done + 9, 1);
    done[21] = 'T';
    n += record(out + n, NEXT, SESSION_1, done, sizeof done);
    n += outbound(out + n, SESSION_1, m);
    m = (struct sb_ouch_out){.type = 'J', .timestamp = 11, .ref = 1, .reject_reason = 3};
    n += outbound(out + n, SESSION_2, m);
    m = (struct sb_ouch_out){
        .type = 'E', .timestamp = 12, .ref = 1, .quantity = 4, .price = 10000, .match = 1};
    m.liquidity = 'A';
    n += outbound(out + n, SESSION_1, m);
    m = (struct sb_ouch_out){
        .type = 'C', .timestamp = 13, .ref = 1, .quantity = 2, .cancel_reason = 'U'};
    n += outbound(out + n, SESSION_1, m);
    return n;
}

/* A directory entry, an order, and shares of it executed. */
static uint32_t seed_feed(uint8_t *out)
{
    static const char types[] = "SRHAEXDCPQ";
    uint8_t p[SB_ITCH_MESSAGE_MAX];
    uint32_t n = 0;
    for (size_t i = 0; i < sizeof types - 1; i++) {
        const struct sb_itch m = {
            .type = types[i], .locate = 1, .ref = 1, .shares = 5, .side = 'B'};
        n += record(out + n, NEXT, i % 2 == 0 ? FEED_A : FEED_B, p, sb_itch_write(p, &m));
    }
    return n;
}

static uint32_t seed_status(uint8_t *out)
{
    const uint8_t words[17] = {2, 0, 0, 0, 0, 0, 0, 0, 1};
    uint32_t n = login(out, SESSION_1);
    n += login(out + n, SESSION_2);
    n += record(out + n, BEHIND_A_HOLE, SESSION_1, words, 9);
    out[n++] = STATUS | SESSION_1 << 3;
    out[n++] = sizeof words;
    memcpy(out + n, words, sizeof words);
    return n + (uint32_t)sizeof words;
}

uint32_t fuzz_seed(uint32_t i, uint8_t *out)
{
    const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};
    uint32_t n = 0;
    switch (i) {
    case 0:
        return seed_day(out);
    case 1:
        return seed_feed(out);
    case 2:
        return seed_status(out);
    case 3: /* as the first, and every record is damaged once before */
        n = login(out, SESSION_1);
        out[0] |= DAMAGED;
        return n + seed_day(out + n);
    case 4:
        out[0] = FRAME;
        out[1] = 60;
        return 2 + sb_arp_request(out + 2, config()->nodes[0].ipv4, mac, config()->client.ipv4);
    default:
        return 0;
    }
}
