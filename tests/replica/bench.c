#include "tests/replica/bench.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "nic/wire/bytes.h"
#include "nic/wire/entry.h"
#include "nic/wire/ouch.h"
#include "nic/wire/udp.h"

enum { ALL_ROLES = 31 };

static void configure(struct bench *b)
{
    struct sb_config *f = &b->config;
    sb_config_defaults(f);
    f->shard = 1;
    f->limits = (struct sb_engine_limits){.instruments_max = 4,
                                          .sessions_max = 4,
                                          .orders_max = 1024,
                                          .levels_max = 256,
                                          .terms_max = 64,
                                          .window_levels = 64};
    f->log_lines = 1u << 13;
    f->unacked_lines = 2048;
    f->hold_bytes = 1u << 21;
    f->retain_packets = 1u << 10;
    f->pending_bytes = 1u << 17;
    f->heartbeat_ns = 100000;
    f->suspect_after_ns = 500000;
    f->takeover_after_ns = 1500000;
    f->gap_after_ns = 1000000;
    f->solo_after_ns = 4000000;
    f->lag_max = 100000;
    f->client_heartbeat_ns = 1000000;
    f->orders = (struct sb_addr){0xEF010101, 5001};
    f->requests = (struct sb_addr){0xEF010101, 5002};
    f->feed_a = (struct sb_addr){0xEF010102, 5003};
    f->feed_b = (struct sb_addr){0, 0};
    f->replication = (struct sb_addr){0xEF010103, 5004};
    f->client_port = 5005;
    f->nodes[0].ipv4 = 0x0A000001;
    f->nodes[1].ipv4 = 0x0A000002;
    f->witness.ipv4 = 0x0A000003;
    f->sessions[1] =
        (struct sb_session_config){.present = true, .operator_right = true, .firm = 1, .token = 77};
    f->sessions[2] = (struct sb_session_config){.present = true, .firm = 2, .token = 78};
    f->sessions_n = 2;
    b->instruments[1] = (struct sb_instrument_config){.tick = 100,
                                                      .price_min = 100,
                                                      .price_max = 1000000,
                                                      .lot = 1,
                                                      .quantity_max = 1000000,
                                                      .phase = SB_PHASE_CONTINUOUS,
                                                      .present = true};
    memcpy(b->instruments[1].symbol, "TEST    ", 8);
    f->instruments = b->instruments;
    f->instruments_n = 1;
}

static struct bench_box box_new(void)
{
    struct bench_box box = {.frames = malloc(BENCH_BOX_MAX * sizeof *box.frames)};
    ck_assert_ptr_nonnull(box.frames);
    return box;
}

void bench_start(struct bench *b, uint8_t self, bool new_day)
{
    const size_t bytes = sb_node_footprint(&b->config);
    free(b->mem[self]);
    b->mem[self] = aligned_alloc(64, bytes);
    ck_assert_ptr_nonnull(b->mem[self]);
    memset(b->mem[self], 0, bytes);
    struct sb_node_setup setup = {.config = &b->config,
                                  .self = self,
                                  .new_day = new_day,
                                  .versions = b->versions[self],
                                  .rules = b->rules[self],
                                  .inc = b->now_ns + 1 + self,
                                  .midnight_ns =
                                      BENCH_START_NS - BENCH_START_NS % UINT64_C(86400000000000),
                                  .trading_day = 20231114,
                                  .hash_seed = 1u + self,
                                  .counters = b->counters[self]};
    for (int r = 0; r < SB_PORT_ROLES; r++)
        memcpy(setup.mac[r], (uint8_t[6]){2, 0, 0, 0, 0, (uint8_t)(1 + self)}, 6);
    b->node[self] = sb_node_new(b->mem[self], bytes, &setup);
}

void bench_start_witness(struct bench *b)
{
    const size_t bytes = sb_witness_log_bytes(b->config.witness_log_lines);
    free(b->witness_log);
    b->witness_log = aligned_alloc(64, bytes + 64);
    ck_assert_ptr_nonnull(b->witness_log);
    memset(b->witness_log, 0, bytes);
    sb_witness_init(&b->witness, &b->config, (uint8_t[6]){2, 0, 0, 0, 0, 3}, b->now_ns + 3,
                    b->counters[BENCH_W], b->witness_log);
}

void bench_open_with(struct bench *b, void (*change)(struct sb_config *))
{
    memset(b, 0, sizeof *b);
    b->now_ns = BENCH_START_NS;
    b->next_message = b->next_key = 1;
    configure(b);
    if (change != NULL)
        change(&b->config);
    for (uint32_t i = 0; i < 3; i++) {
        b->inbox[i] = box_new();
        b->spare[i] = box_new();
    }
    b->client = box_new();
    bench_start(b, SB_NODE_A, true);
    bench_start(b, SB_NODE_B, true);
    bench_start_witness(b);
}

void bench_open(struct bench *b)
{
    bench_open_with(b, NULL);
}

void bench_close(struct bench *b)
{
    for (uint32_t i = 0; i < 3; i++) {
        free(b->inbox[i].frames);
        free(b->spare[i].frames);
    }
    free(b->client.frames);
    free(b->mem[0]);
    free(b->mem[1]);
    free(b->witness_log);
}

/* --- network -------------------------------------------------------------------------------- */

static void box_add(struct bench_box *box, uint32_t from, const uint8_t *data, uint32_t len)
{
    if (box->n == BENCH_BOX_MAX) { /* the older half makes room */
        box->n = BENCH_BOX_MAX / 2;
        memmove(box->frames, box->frames + BENCH_BOX_MAX / 2, box->n * sizeof *box->frames);
    }
    struct bench_frame *f = &box->frames[box->n++];
    f->from = from;
    f->len = len;
    memcpy(f->data, data, len);
}

static bool ours(const uint8_t *data, uint32_t len, struct sb_head *h, struct sb_datagram *d)
{
    return sb_udp_parse(data, len, d) == SB_UDP_OK && sb_head_read(d->payload, d->bytes, h);
}

static void route(struct bench *b, uint32_t from, const uint8_t *data, uint32_t len)
{
    struct sb_head h;
    struct sb_datagram d;
    const bool is_ours = ours(data, len, &h, &d);
    if (!is_ours || h.type == SB_FT_STATUS)
        box_add(&b->client, from, data, len);
    else
        for (uint32_t to = 0; to < 3; to++)
            if (to != from && !b->down[to] && (b->lost == NULL || !b->lost(b, from, to, &h)))
                box_add(&b->inbox[to], from, data, len);
}

static void poll_with(struct bench *b, uint32_t i, struct sb_node_frame *in, uint32_t n)
{
    struct sb_node_out out;
    memset(&out, 0, sizeof out);
    if (i < 2)
        sb_node_poll(b->node[i], b->now_ns, in, n, &out);
    else
        sb_witness_poll(&b->witness, b->now_ns, in, n, &out);
    b->went_live[i] = b->went_live[i] || out.went_live;
    b->done[i] = b->done[i] || out.done;
    for (uint32_t k = 0; k < out.n; k++)
        route(b, i, out.frames[k].data, out.frames[k].len);
}

void bench_poll(struct bench *b, uint8_t node, const struct bench_frame *f)
{
    struct sb_node_frame in = {.roles = ALL_ROLES};
    if (f != NULL) {
        in.data = f->data;
        in.len = f->len;
    }
    poll_with(b, node, &in, f != NULL);
}

void bench_step(struct bench *b)
{
    b->now_ns += BENCH_STEP_NS;
    struct bench_box came[3];
    for (uint32_t i = 0; i < 3; i++) {
        came[i] = b->inbox[i];
        b->inbox[i] = b->spare[i];
        b->inbox[i].n = 0;
    }
    for (uint32_t i = 0; i < 3; i++) {
        struct sb_node_frame in[SB_NODE_IN_MAX];
        uint32_t n = 0;
        for (uint32_t k = 0; k < came[i].n; k++) {
            const struct bench_frame *f = &came[i].frames[k];
            if (n < SB_NODE_IN_MAX)
                in[n++] = (struct sb_node_frame){f->data, f->len, ALL_ROLES};
            else
                box_add(&b->inbox[i], f->from, f->data, f->len);
        }
        if (!b->down[i])
            poll_with(b, i, in, n);
    }
    for (uint32_t i = 0; i < 3; i++)
        b->spare[i] = came[i];
}

void bench_run(struct bench *b, uint64_t ns)
{
    for (const uint64_t end = b->now_ns + ns; b->now_ns < end;)
        bench_step(b);
}

void bench_pair(struct bench *b, void (*change)(struct sb_config *))
{
    bench_open_with(b, change);
    bench_run(b, 10000000);
    ck_assert_int_eq(b->node[0]->role, SB_ROLE_PRIM);
    ck_assert_int_eq(b->node[1]->role, SB_ROLE_SHADOW);
    uint8_t blocks[64];
    const uint32_t n = bench_block_login(blocks, 1, BENCH_CLIENT_IP);
    const struct bench_frame f = bench_entry(b, 1, 77, 0, blocks, n, 1);
    bench_put(b, 0, &f);
    bench_put(b, 1, &f);
    /* a shadow of a new day is patient for half a second: let that pass in longer steps */
    for (int i = 0; i < 6000; i++) {
        b->now_ns += 98000;
        bench_step(b);
    }
    ck_assert(b->node[0]->doors[1].logged_in && b->node[1]->doors[1].logged_in);
    ck_assert_uint_eq(b->node[0]->released, b->node[0]->log.len);
    /* no grace of the first pairing any more */
    ck_assert_uint_le(b->node[1]->heard_ns, b->now_ns);
}

/* --- frames by hand ------------------------------------------------------------------------- */

void bench_put(struct bench *b, uint32_t host, const struct bench_frame *f)
{
    if (!b->down[host])
        box_add(&b->inbox[host], 3, f->data, f->len);
}

static struct bench_frame finish(uint32_t src_ipv4, struct sb_addr to, const uint8_t *payload,
                                 uint32_t bytes)
{
    struct bench_frame f = {.from = 3};
    struct sb_udp_route r = {.src_mac = {2, 0, 0, 0, 0, 9},
                             .src_ipv4 = src_ipv4,
                             .dst_ipv4 = to.ipv4,
                             .src_port = BENCH_CLIENT_PORT,
                             .dst_port = to.port};
    sb_multicast_mac(r.dst_ipv4, r.dst_mac);
    memcpy(f.data + SB_UDP_HEADERS_BYTES, payload, bytes);
    f.len = sb_udp_finish(f.data, &r, bytes);
    return f;
}

struct bench_frame bench_ours(const struct bench *b, uint8_t type, uint64_t epoch, uint64_t inc,
                              uint8_t sender, uint8_t flags, const void *body, uint32_t bytes)
{
    uint8_t p[SB_UDP_PAYLOAD_MAX];
    memcpy(sb_head_put(p, type, b->config.shard, epoch, inc, sender, flags, (uint16_t)bytes), body,
           bytes);
    return finish(0x0A0000FE, b->config.replication, p, (uint32_t)sizeof(struct sb_head) + bytes);
}

struct bench_frame bench_entry(const struct bench *b, uint32_t session, uint64_t token,
                               uint64_t first, const uint8_t *blocks, uint32_t bytes,
                               uint16_t count)
{
    uint8_t p[SB_UDP_PAYLOAD_MAX];
    const struct sb_entry e = {
        .token = token, .first_seq = first, .session = session, .count = count};
    uint8_t *body = sb_head_put(p, SB_FT_ENTRY, b->config.shard, 0, 0, SB_NODE_CLIENT, 0,
                                (uint16_t)(sizeof e + bytes));
    memcpy(body, &e, sizeof e);
    memcpy(body + sizeof e, blocks, bytes);
    return finish(BENCH_CLIENT_IP, b->config.orders, p,
                  (uint32_t)(sizeof(struct sb_head) + sizeof e) + bytes);
}

struct bench_frame bench_request(const struct bench *b, uint32_t from_ipv4, const char name[10],
                                 uint64_t seq, uint16_t count)
{
    uint8_t p[SB_MOLD_HEAD_BYTES];
    sb_mold_put_head(p, name, seq, count);
    return finish(from_ipv4, b->config.requests, p, sizeof p);
}

struct bench_frame bench_ack(const struct bench *b, uint64_t epoch, uint64_t inc, uint64_t to_inc,
                             uint64_t held, uint64_t applied, uint64_t digest)
{
    const struct sb_ack a = {.to_inc = to_inc, .held = held, .applied = applied, .digest = digest};
    return bench_ours(b, SB_FT_ACK, epoch, inc, SB_NODE_B, 0, &a, sizeof a);
}

struct bench_frame bench_control(const struct bench *b, uint8_t type, uint64_t epoch, uint64_t inc,
                                 uint8_t sender, struct sb_control c)
{
    return bench_ours(b, type, epoch, inc, sender, 0, &c, sizeof c);
}

struct bench_frame bench_packet(const struct bench *b, uint64_t epoch, uint64_t inc,
                                uint64_t to_inc, uint64_t n)
{
    struct bench_stream p = {
        .s = {.to_inc = to_inc, .n_first = n, .len = n, .count = 1, .lines = 1}};
    p.lines[0] = (struct sb_command){.seq = n,
                                     .time_ns = b->now_ns,
                                     .kind = SB_CMD_PHASE,
                                     .phase = SB_PHASE_HALTED,
                                     .instrument = SB_INSTRUMENT_ALL};
    return bench_ours(b, SB_FT_STREAM, epoch, inc, SB_NODE_A, SB_FF_PAIRED, &p,
                      sizeof p.s + SB_LINE_BYTES);
}

bool bench_lose_acks(const struct bench *b, uint32_t from, uint32_t to, const struct sb_head *h)
{
    (void)b;
    (void)from;
    (void)to;
    return h->type == SB_FT_ACK;
}

bool bench_lose_all(const struct bench *b, uint32_t from, uint32_t to, const struct sb_head *h)
{
    (void)b;
    (void)from;
    (void)to;
    (void)h;
    return true;
}

uint32_t bench_block_order(uint8_t *blocks, uint32_t key, char side, uint64_t price)
{
    struct sb_ouch_enter e = {.ref = key,
                              .quantity = 10,
                              .price = price,
                              .side = side,
                              .tif = '0',
                              .display = 'Y',
                              .capacity = 'P',
                              .iso = 'N',
                              .cross = 'N'};
    memcpy(e.symbol, "TEST    ", 8);
    memset(e.clordid, ' ', sizeof e.clordid);
    const uint32_t len = sb_ouch_write_enter(blocks + 2, &e);
    sb_put16(blocks, (uint16_t)len);
    return 2 + len;
}

uint32_t bench_block_login(uint8_t *blocks, uint64_t nonce, uint32_t ipv4)
{
    const uint32_t len = sb_entry_write_login(blocks + 2, nonce, ipv4, BENCH_CLIENT_PORT);
    sb_put16(blocks, (uint16_t)len);
    return 2 + len;
}

void bench_order_at(struct bench *b, uint64_t number, uint32_t key, uint32_t nodes)
{
    uint8_t blocks[128];
    const uint32_t n = bench_block_order(blocks, key, 'B', 10000);
    const struct bench_frame f = bench_entry(b, BENCH_SESSION, 77, number, blocks, n, 1);
    for (uint32_t i = 0; i < 2; i++)
        if ((nodes >> i & 1) != 0)
            bench_put(b, i, &f);
}

void bench_order(struct bench *b, char side, uint64_t price)
{
    uint8_t blocks[128];
    const uint32_t n = bench_block_order(blocks, b->next_key++, side, price);
    const struct bench_frame f = bench_entry(b, BENCH_SESSION, 77, b->next_message++, blocks, n, 1);
    bench_put(b, 0, &f);
    bench_put(b, 1, &f);
}

/* --- what came out -------------------------------------------------------------------------- */

uint32_t bench_answers(const struct bench *b, char type)
{
    uint32_t found = 0;
    uint64_t next = 1;
    for (uint32_t i = 0; i < b->client.n; i++) {
        const struct bench_frame *f = &b->client.frames[i];
        struct sb_datagram d;
        struct sb_mold_head h;
        if (sb_udp_parse(f->data, f->len, &d) != SB_UDP_OK || d.dst_ipv4 != BENCH_CLIENT_IP ||
            !sb_mold_read(d.payload, d.bytes, &h) || sb_stream_of_name(h.name) != BENCH_SESSION)
            continue;
        uint32_t at = SB_MOLD_HEAD_BYTES, len;
        const uint8_t *m;
        for (uint64_t seq = h.seq; (m = sb_mold_next(d.payload, d.bytes, &at, &len)) != NULL; seq++)
            if (seq >= next) {
                ck_assert_uint_eq(seq, next); /* in order, without holes */
                next = seq + 1;
                found += m[0] == (uint8_t)type;
            }
    }
    return found;
}

bool bench_status(const struct bench *b, struct sb_status *out, bool *gap)
{
    for (uint32_t i = b->client.n; i-- > 0;) {
        struct sb_datagram d;
        struct sb_head h;
        if (!ours(b->client.frames[i].data, b->client.frames[i].len, &h, &d))
            continue;
        ck_assert_uint_eq(d.dst_ipv4, BENCH_CLIENT_IP);
        memcpy(out, d.payload + sizeof h, sizeof *out);
        *gap = (h.flags & SB_FF_GAP) != 0;
        return true;
    }
    return false;
}

uint32_t bench_sent_to(const struct bench *b, uint32_t ipv4, uint16_t port)
{
    uint32_t n = 0;
    struct sb_datagram d;
    for (uint32_t i = 0; i < b->client.n; i++)
        n += sb_udp_parse(b->client.frames[i].data, b->client.frames[i].len, &d) == SB_UDP_OK &&
             d.dst_ipv4 == ipv4 && d.dst_port == port;
    return n;
}

uint32_t bench_waiting(const struct bench *b, uint32_t host, uint8_t type)
{
    uint32_t n = 0;
    struct sb_datagram d;
    struct sb_head h;
    for (uint32_t i = 0; i < b->inbox[host].n; i++)
        n += ours(b->inbox[host].frames[i].data, b->inbox[host].frames[i].len, &h, &d) &&
             h.type == type;
    return n;
}
