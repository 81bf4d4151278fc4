/* node.c: any frames from every direction into a node in each role and into a witness. The first byte of an input chooses who
 * gets it; each frame is wrapped in a valid Ethernet, IPv4 and UDP envelope; half of them also in a valid head whose epoch,
 * incarnations and numbers are those that the node expects, so that what lies behind the first checks is reached. Does
 * not judge what is right to answer: only that nothing crashes, asserts, or reads outside a frame, and that whatever is
 * sent is a whole frame that its receiver can read.
 *
 * input: pick (role, envelope, destination, type, sender), then the payload. */
#include <stdlib.h>
#include <string.h>

#include "nic/wire/entry.h"
#include "nic/wire/mold.h"
#include "nic/wire/ouch.h"
#include "replica/node_state.h"
#include "replica/witness.h"
#include "shadowbook/assert.h"
#include "tests/fuzz/fuzz.h"

enum { PICK_BYTES = 5, RENEW_AFTER = 64, FOLLOWING_POLLS = 2 };
enum target { BOOT, SHADOW, PRIM, SOLO, CATCH, DIVERGED, WITNESS, TARGETS };
#define START_NS UINT64_C(1700000000000000000)
#define PEER_INC UINT64_C(500)
#define OWN_INC  UINT64_C(600)
#define WINC     UINT64_C(700)
#define EPOCH    UINT64_C(4)

struct subject {
    struct sb_node *node;
    void *mem;
    uint64_t now_ns;
    uint32_t fed;
    uint64_t counters[SB_CTR_COUNT];
};

struct field { /* all that outlives an input: made anew after a while, so that any input repeats */
    struct sb_config config;
    struct sb_instrument_config instruments[2];
    size_t bytes;
    struct subject subjects[WITNESS];
    struct sb_witness witness;
    uint64_t witness_counters[SB_CTR_COUNT], witness_now_ns;
};

static void configure(struct field *x)
{
    struct sb_config *f = &x->config;
    sb_config_defaults(f);
    f->shard = 1;
    f->limits = (struct sb_engine_limits){.instruments_max = 2,
                                          .sessions_max = 2,
                                          .orders_max = 64,
                                          .levels_max = 64,
                                          .terms_max = 64,
                                          .window_levels = 64};
    f->log_lines = 2048;
    f->unacked_lines = 1024;
    f->hold_bytes = 1u << 17;
    f->retain_packets = 64;
    f->pending_bytes = 1u << 13;
    f->divergence = SB_DIVERGENCE_PRIMARY_CONTINUES;
    f->orders = (struct sb_addr){0xEF010101, 5001};
    f->requests = (struct sb_addr){0xEF010101, 5002};
    f->feed_a = (struct sb_addr){0xEF010102, 5003};
    f->feed_b = (struct sb_addr){0xEF010105, 5003};
    f->replication = (struct sb_addr){0xEF010103, 5004};
    f->client_port = 5005;
    f->nodes[0].ipv4 = 0x0A000001;
    f->nodes[1].ipv4 = 0x0A000002;
    f->witness.ipv4 = 0x0A000003;
    f->sessions[1] = (struct sb_session_config){
        .present = true, .operator_right = true, .firm = 1, .token = 0x4141414141414141};
    f->sessions_n = 1;
    x->instruments[1] = (struct sb_instrument_config){.tick = 100,
                                                      .price_min = 100,
                                                      .price_max = 1000000,
                                                      .lot = 1,
                                                      .quantity_max = 1000000,
                                                      .phase = SB_PHASE_CONTINUOUS,
                                                      .present = true};
    memcpy(x->instruments[1].symbol, "TEST    ", 8);
    f->instruments = x->instruments;
    f->instruments_n = 1;
}

static void sent_judge(const struct sb_node_out *out)
{
    for (uint32_t i = 0; i < out->n; i++) {
        const struct sb_node_out_frame *f = &out->frames[i];
        struct sb_datagram d;
        struct sb_head h;
        struct sb_mold_head m;
        SB_ASSERT(f->len >= 60 && f->len <= SB_FRAME_BYTES_MAX && f->role < SB_PORT_ROLES);
        const enum sb_udp_result result = sb_udp_parse(f->data, f->len, &d);
        if (result == SB_UDP_ARP)
            continue;
        SB_ASSERT_EQ(result, SB_UDP_OK);
        SB_ASSERT(sb_head_read(d.payload, d.bytes, &h) || sb_mold_read(d.payload, d.bytes, &m));
    }
}

static void poll_node(struct subject *s, const uint8_t *frame, uint32_t len)
{
    struct sb_node_frame in = {.data = frame, .len = len, .roles = 31};
    struct sb_node_out out;
    s->now_ns += 20000;
    sb_node_poll(s->node, s->now_ns, &in, len != 0, &out);
    sent_judge(&out);
}

static uint32_t envelope(const struct field *x, uint8_t *frame, uint8_t where, uint32_t bytes)
{
    const struct sb_addr to[] = {x->config.replication, x->config.orders, x->config.requests,
                                 x->config.replication};
    struct sb_udp_route r = {.src_mac = {2, 0, 0, 0, 0, 9},
                             .src_ipv4 = 0x0A000004,
                             .dst_ipv4 = to[where % 4].ipv4,
                             .src_port = 20001,
                             .dst_port = to[where % 4].port};
    sb_multicast_mac(r.dst_ipv4, r.dst_mac);
    return sb_udp_finish(frame, &r, bytes);
}

static void tell(struct field *x, struct subject *s, uint8_t type, uint8_t sender, uint64_t epoch,
                 uint64_t inc, uint8_t flags, const void *body, uint16_t bytes)
{
    uint8_t frame[SB_FRAME_BYTES_MAX + 64];
    memcpy(sb_head_put(frame + SB_UDP_HEADERS_BYTES, type, 1, epoch, inc, sender, flags, bytes),
           body, bytes);
    poll_node(s, frame, envelope(x, frame, 0, (uint32_t)sizeof(struct sb_head) + bytes));
}

/* A node that has the wanted role, through the messages that lead there. */
static void renew(struct field *x, enum target t)
{
    struct subject *s = &x->subjects[t];
    const bool shadow = t == SHADOW || t == CATCH;
    const uint8_t self = shadow ? SB_NODE_B : SB_NODE_A, peer = (uint8_t)(1 - self);
    if (s->mem == NULL)
        s->mem = aligned_alloc(64, x->bytes);
    SB_ASSERT(s->mem != NULL);
    memset(s->mem, 0, x->bytes);
    memset(s->counters, 0, sizeof s->counters);
    s->now_ns = START_NS;
    s->fed = 0;
    struct sb_node_setup setup = {.config = &x->config,
                                  .self = self,
                                  .new_day = true,
                                  .inc = OWN_INC,
                                  .midnight_ns = START_NS,
                                  .trading_day = 20231114,
                                  .counters = s->counters};
    s->node = sb_node_new(s->mem, x->bytes, &setup);
    struct sb_control c = {.winc = WINC, .to = SB_NODE_CLIENT};
    tell(x, s, SB_FT_HELLO, SB_NODE_W, 0, WINC, 0, &c, sizeof c);
    if (t == BOOT)
        return;
    tell(x, s, SB_FT_BOOT, peer, 0, PEER_INC, SB_FF_NEW_DAY, &c, sizeof c);
    c = (struct sb_control){.to = self, .to_inc = OWN_INC, .winc = WINC, .peer_inc = PEER_INC};
    tell(x, s, SB_FT_PAIROK, SB_NODE_W, EPOCH, WINC, 0, &c, sizeof c);
    if (t == SOLO)
        tell(x, s, SB_FT_SOLOOK, SB_NODE_W, EPOCH | SB_EPOCH_P, WINC, 0, &c, sizeof c);
    const struct sb_stream later = {.len = 1};
    if (t == CATCH)
        tell(x, s, SB_FT_STREAM, peer, EPOCH | SB_EPOCH_P, PEER_INC, 0, &later, sizeof later);
    if (t == DIVERGED) {
        x->config.divergence = SB_DIVERGENCE_HALT;
        const struct sb_ack a = {.to_inc = OWN_INC};
        tell(x, s, SB_FT_ACK, peer, EPOCH, PEER_INC, SB_FF_DIVERGED, &a, sizeof a);
        x->config.divergence = SB_DIVERGENCE_PRIMARY_CONTINUES;
    }
    static const enum sb_role wanted[] = {SB_ROLE_BOOT, SB_ROLE_SHADOW, SB_ROLE_PRIM,
                                          SB_ROLE_SOLO, SB_ROLE_CATCH,  SB_ROLE_DIVERGED};
    SB_ASSERT_EQ(s->node->role, wanted[t]);
}

/* Makes a payload's first fields those that the receiver expects. */
static void make_expected(const struct field *x, enum target t, uint8_t type, uint8_t *p,
                          uint32_t bytes)
{
    const struct sb_node *node = t == WITNESS ? NULL : x->subjects[t].node;
    uint8_t *body = p + sizeof(struct sb_head);
    if (node != NULL && type <= SB_FT_RESEND && bytes >= 8)
        memcpy(body, &node->inc, 8); /* to_inc */
    if (node != NULL && type == SB_FT_STREAM && bytes >= sizeof(struct sb_stream)) {
        struct sb_stream s;
        memcpy(&s, body, sizeof s);
        s.zero = 0;
        s.lines = (uint16_t)((bytes - sizeof s) / SB_LINE_BYTES);
        s.count = s.count > s.lines ? s.lines : s.count;
        s.n_first = s.count == 0 ? 0 : node->log.len + 1;
        s.len = node->log.len + s.count + (s.len & 1);
        memcpy(body, &s, sizeof s);
        uint32_t at = 0;
        for (uint16_t i = 0; i < s.count && at < s.lines; i++) {
            struct sb_command c;
            memcpy(&c, body + sizeof s + (size_t)at * SB_LINE_BYTES, sizeof c);
            c.seq = s.n_first + i;
            memcpy(body + sizeof s + (size_t)at * SB_LINE_BYTES, &c, sizeof c);
            at += sb_command_lines(&c);
        }
    }
    if (type >= SB_FT_ARM && type <= SB_FT_LOGACK && bytes == sizeof(struct sb_control)) {
        struct sb_control c;
        memcpy(&c, body, sizeof c);
        c.winc = WINC;
        c.to = node == NULL ? SB_NODE_W : node->setup.self;
        c.to_inc = node == NULL ? 0 : node->inc;
        memcpy(body, &c, sizeof c);
    }
    if (type == SB_FT_ENTRY && bytes >= sizeof(struct sb_entry)) {
        struct sb_entry e;
        memcpy(&e, body, sizeof e);
        e.token = x->config.sessions[1].token;
        e.session = 1;
        e.zero = 0;
        if (node != NULL && e.first_seq % 4 != 0)
            e.first_seq = node->doors[1].next_seq;
        memcpy(body, &e, sizeof e);
    }
}

static void feed(struct field *x, enum target t, const uint8_t *frame, uint32_t len)
{
    if (t == WITNESS) {
        struct sb_node_frame in = {.data = frame, .len = len, .roles = 31};
        struct sb_node_out out;
        x->witness_now_ns += 20000;
        sb_witness_poll(&x->witness, x->witness_now_ns, &in, 1, &out);
        sent_judge(&out);
        return;
    }
    struct subject *s = &x->subjects[t];
    poll_node(s, frame, len);
    for (int i = 0; i < FOLLOWING_POLLS; i++)
        poll_node(s, NULL, 0);
    if (++s->fed >= RENEW_AFTER)
        renew(x, t);
}

static struct field *field(void)
{
    static struct field *x; /* the driver calls without a context */
    if (x == NULL) {
        x = calloc(1, sizeof *x);
        SB_ASSERT(x != NULL);
        configure(x);
        x->bytes = sb_node_footprint(&x->config);
        for (int t = 0; t < WITNESS; t++)
            renew(x, (enum target)t);
        sb_witness_init(&x->witness, &x->config, (uint8_t[6]){2, 0, 0, 0, 0, 3}, WINC,
                        x->witness_counters, NULL);
        x->witness_now_ns = START_NS;
    }
    return x;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < PICK_BYTES)
        return 0;
    struct field *x = field();
    const enum target t = (enum target)(data[0] % TARGETS);
    uint32_t bytes = (uint32_t)size - PICK_BYTES;
    /* Whole and unaligned at the end of its memory, as a frame from a ring of a device. */
    static uint8_t room[SB_FRAME_BYTES_MAX + 64];
    if ((data[1] & 1) != 0) { /* no envelope: the bytes themselves; a port brings no longer ones */
        bytes = bytes > SB_FRAME_BYTES_MAX ? SB_FRAME_BYTES_MAX : bytes;
        feed(x, t, data + PICK_BYTES, bytes);
        return 0;
    }
    uint8_t *p = room + SB_UDP_HEADERS_BYTES;
    if ((data[1] & 2) != 0) {
        bytes = bytes > SB_UDP_PAYLOAD_MAX ? SB_UDP_PAYLOAD_MAX : bytes;
        memcpy(p, data + PICK_BYTES, bytes);
    } else {
        const uint32_t most = SB_UDP_PAYLOAD_MAX - sizeof(struct sb_head);
        bytes = bytes > most ? most : bytes;
        const struct sb_node *node = t == WITNESS ? NULL : x->subjects[t].node;
        const uint8_t type = data[3], sender = data[4] >> 6 == 3 ? SB_NODE_CLIENT : data[4] >> 6;
        const uint64_t epoch = (node == NULL ? EPOCH : node->epoch) + ((data[4] >> 4 & 3) == 3);
        const uint64_t inc = sender == SB_NODE_W ? WINC : PEER_INC;
        uint8_t *body = sb_head_put(p, type, 1, epoch, inc, sender, data[4] & 15, (uint16_t)bytes);
        memcpy(body, data + PICK_BYTES, bytes);
        make_expected(x, t, type, p, bytes);
        bytes += (uint32_t)sizeof(struct sb_head);
    }
    feed(x, t, room, envelope(x, room, data[2], bytes));
    return 0;
}

/* --- seeds ---------------------------------------------------------------------------------- */

static uint32_t seed_stream(uint8_t *p)
{
    struct sb_stream s = {.count = 3, .lines = 5};
    struct sb_command2 c[3] = {
        {.c = {.kind = SB_CMD_DAY, .flags = SB_CMD_F_EXT},
         .ext.day = {.midnight_ns = START_NS,
                     .trading_day = 20231114,
                     .shard = 1,
                     .rules = SB_ENGINE_RULES}},
        {.c = {.kind = SB_CMD_SESSION, .flags = SB_CMD_F_EXT, .key = 1, .firm = 1}},
        {.c = {.kind = SB_CMD_PHASE, .instrument = SB_INSTRUMENT_ALL, .phase = 2}}};
    memcpy(p, &s, sizeof s);
    memcpy(p + sizeof s, c, 5 * SB_LINE_BYTES);
    return sizeof s + 5 * SB_LINE_BYTES;
}

static uint32_t seed_orders(uint8_t *p)
{
    struct sb_stream s = {.count = 3, .lines = 3};
    struct sb_command c[3] = {{.kind = SB_CMD_ORDER,
                               .session = 1,
                               .key = 1,
                               .instrument = 1,
                               .quantity = 5,
                               .price = 1000},
                              {.kind = SB_CMD_INVALID, .session = 1, .key = 2, .reason = 28},
                              {.kind = SB_CMD_CANCEL, .session = 1, .key = 1}};
    memcpy(p, &s, sizeof s);
    memcpy(p + sizeof s, c, sizeof c);
    return sizeof s + sizeof c;
}

/* A login, an order of OUCH, one of ours: kinds 0, 1, 2. */
static uint32_t seed_entry(uint8_t *p, uint32_t kind)
{
    struct sb_entry e = {.first_seq = kind == 0 ? 0 : 1, .count = 1};
    uint8_t *m = p + sizeof e + 2;
    struct sb_ouch_enter o = {.ref = 1,
                              .quantity = 5,
                              .price = 1000,
                              .side = 'B',
                              .tif = '0',
                              .display = 'Y',
                              .capacity = 'P',
                              .iso = 'N',
                              .cross = 'N'};
    memcpy(o.symbol, "TEST    ", 8);
    memset(o.clordid, ' ', sizeof o.clordid);
    const struct sb_entry_new stop = {.key = 1,
                                      .quantity = 5,
                                      .stop_price = 1000,
                                      .side = 'S',
                                      .type = 'S',
                                      .tif = '1',
                                      .peg = 'N',
                                      .symbol = "TEST    ",
                                      .clordid = "              "};
    const uint32_t len = kind == 0   ? sb_entry_write_login(m, 1, 0x0A000004, 20001)
                         : kind == 1 ? sb_ouch_write_enter(m, &o)
                                     : sb_entry_write_new(m, &stop);
    memcpy(p, &e, sizeof e);
    p[sizeof e] = 0;
    p[sizeof e + 1] = (uint8_t)len;
    return (uint32_t)sizeof e + 2 + len;
}

/* Frame type of the i-th body, and its bytes. */
static uint32_t seed_body(uint32_t i, uint8_t *p, uint8_t *type)
{
    static const uint8_t controls[] = {SB_FT_ARM,  SB_FT_ARMOK,  SB_FT_SOLOOK,
                                       SB_FT_LIVE, SB_FT_RESIGN, SB_FT_REG_DUAL};
    memset(p, 0, 64);
    switch (i) {
    case 0:
        *type = SB_FT_STREAM;
        return seed_stream(p);
    case 1:
        *type = SB_FT_STREAM;
        return seed_orders(p);
    case 2:
        *type = SB_FT_ACK;
        return sizeof(struct sb_ack);
    case 3:
        *type = SB_FT_REPAIR;
        p[8] = p[16] = 1;
        return sizeof(struct sb_repair);
    case 4:
        *type = SB_FT_RESEND;
        p[8] = p[24] = 1; /* first number, count */
        return sizeof(struct sb_resend);
    case 5:
    case 6:
    case 7:
        *type = SB_FT_ENTRY;
        return seed_entry(p, i - 5);
    default:
        *type = controls[i - 8];
        p[16] = 1; /* nonce */
        memcpy(p + 24, &(uint64_t){PEER_INC}, 8);
        return sizeof(struct sb_control);
    }
}

/* ARP from a client, and its re-requests, to each engine that serves. */
static uint32_t seed_other(uint32_t i, uint8_t *out)
{
    static const uint8_t mac[6] = {2, 0, 0, 0, 0, 9};
    char name[SB_MOLD_NAME_BYTES];
    if (i >= 6)
        return 0;
    memset(out, 0, PICK_BYTES);
    out[0] = i % 2 == 0 ? PRIM : SOLO;
    if (i < 2) {
        out[1] = 1;
        return PICK_BYTES + sb_arp_request(out + PICK_BYTES, 0x0A000004, mac, 0x0A000001);
    }
    out[1] = 2;
    out[2] = 2;
    sb_stream_name(name, 1, 20231114, 0, i >= 4);
    sb_mold_put_head(out + PICK_BYTES, name, 1, 5);
    return PICK_BYTES + SB_MOLD_HEAD_BYTES;
}

uint32_t fuzz_seed(uint32_t i, uint8_t *out)
{
    enum { BODIES = 14 };
    static const uint8_t targets[] = {PRIM, SHADOW, SOLO, WITNESS, BOOT}; /* driver: 96 seeds */
    if (i >= BODIES * sizeof targets)
        return seed_other(i - BODIES * (uint32_t)sizeof targets, out);
    const uint32_t body = i % BODIES;
    const uint32_t n = seed_body(body, out + PICK_BYTES, &out[3]);
    const bool of_witness = out[3] == SB_FT_ARMOK || out[3] == SB_FT_SOLOOK;
    out[0] = targets[i / BODIES];
    out[1] = 0;
    out[2] = out[3] == SB_FT_ENTRY ? 1 : 0;
    out[4] = (uint8_t)((out[3] == SB_FT_ENTRY ? 3
                        : of_witness          ? 2
                        : out[0] == SHADOW    ? 0
                                              : 1)
                       << 6);
    return PICK_BYTES + n;
}
