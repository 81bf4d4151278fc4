#include "tests/sim/member.h"

#include <string.h>

#include "nic/wire/bytes.h"
#include "nic/wire/entry.h"
#include "nic/wire/ouch.h"
#include "perf/entry_frame.h"
#include "shadowbook/assert.h"

enum { RESEND_NS = 5000000, LOGIN_NS = 20000000, PACK = 8 };

void sim_member_init(struct sim_member *x, const struct sb_config *config,
                     enum sim_member_kind kind, uint32_t session, uint64_t seed)
{
    static const struct {
        uint64_t salt;
        uint32_t wanted, pace_ns;
    } kinds[SIM_MEMBERS] = {[SIM_MEMBER_WILD] = {UINT64_C(0x57494C44574C4957), 48, 400000},
                            [SIM_MEMBER_DESK] = {UINT64_C(0x4445534B4B534544), 144, 200000},
                            [SIM_MEMBER_SUPERVISOR] = {UINT64_C(0x5355504552564953), 56, 500000}};
    *x = (struct sim_member){.config = config,
                             .kind = kind,
                             .session = session,
                             .wanted = kinds[kind].wanted,
                             .pace_ns = kinds[kind].pace_ns,
                             .rng = seed ^ kinds[kind].salt,
                             .terms_rng = seed ^ UINT64_C(0x5445524D534D5245),
                             .scene = ""};
    for (uint32_t i = 0; i < config->carry_n; i++) { /* its own of an earlier day */
        const struct sb_command *c = &config->carry[i].c;
        if (c->session != session)
            continue;
        x->recent[c->key % SIM_MEMBER_RECENT] =
            (struct sim_recent){c->key, c->instrument, sb_side_sells(c->side) ? 'S' : 'B'};
        x->key = c->key > x->key ? c->key : x->key;
    }
}

static uint32_t make(struct sim_member *x, uint64_t now_ns, uint8_t *p)
{
    switch (x->kind) {
    case SIM_MEMBER_DESK:
        return sim_desk_make(x, now_ns, p);
    case SIM_MEMBER_SUPERVISOR:
        return sim_supervisor_make(x, p);
    default:
        return sim_wild_make(x, p);
    }
}

/* --- frames --------------------------------------------------------------------------------- */

static void send(struct sim_member *x, struct sb_entry entry, uint32_t blocks_bytes)
{
    uint8_t *frame = x->frame[x->frames_n], *payload = frame + SB_UDP_HEADERS_BYTES;
    uint8_t *body = sb_head_put(payload, SB_FT_ENTRY, x->config->shard, 0, 0, SB_NODE_CLIENT, 0,
                                (uint16_t)(sizeof entry + blocks_bytes));
    memcpy(body, &entry, sizeof entry);
    struct sb_udp_route r = {.src_mac = {2, 0, 0, 0, 0, 9},
                             .src_ipv4 = x->config->client.ipv4,
                             .dst_ipv4 = x->config->orders.ipv4,
                             .src_port = (uint16_t)(SB_CLIENT_PORT_BASE + x->session),
                             .dst_port = x->config->orders.port};
    sb_multicast_mac(r.dst_ipv4, r.dst_mac);
    x->frame_len[x->frames_n++] =
        sb_udp_finish(frame, &r, (uint32_t)(sizeof(struct sb_head) + sizeof entry) + blocks_bytes);
}

static uint8_t *blocks_of(struct sim_member *x)
{
    return x->frame[x->frames_n] + SB_UDP_HEADERS_BYTES + sizeof(struct sb_head) +
           sizeof(struct sb_entry);
}

static uint32_t block(uint8_t *at, const uint8_t *message, uint32_t len)
{
    sb_put16(at, (uint16_t)len);
    memcpy(at + 2, message, len);
    return 2 + len;
}

static struct sb_entry entry_of(const struct sim_member *x, uint64_t first, uint32_t count)
{
    return (struct sb_entry){.token = x->config->sessions[x->session].token,
                             .first_seq = first,
                             .session = x->session,
                             .count = (uint16_t)count};
}

static void send_login(struct sim_member *x)
{
    uint8_t message[SB_ENTRY_LOGIN_BYTES];
    const uint32_t len = sb_entry_write_login(message, 1, x->config->client.ipv4,
                                              (uint16_t)(SB_CLIENT_PORT_BASE + x->session));
    send(x, entry_of(x, 0, 1), block(blocks_of(x), message, len));
}

static void send_messages(struct sim_member *x, uint64_t first)
{
    uint8_t *blocks = blocks_of(x);
    uint32_t at = 0, n = 0;
    for (; n < PACK && first + n <= x->made; n++)
        at += block(blocks + at, x->message[first + n - 1], x->len[first + n - 1]);
    if (n == 0)
        return;
    if (first + n - 1 > x->sent)
        x->sent = (uint32_t)(first + n - 1);
    send(x, entry_of(x, first, n), at);
}

/* A number that was taken, with other contents: a resend by its number, whatever it says. */
static void send_other_contents(struct sim_member *x)
{
    uint8_t message[SB_OUCH_MESSAGE_MAX];
    if (x->safe == 0)
        return;
    const uint32_t key = x->key;
    const uint32_t len = sim_wild_make(x, message);
    x->key = key;
    send(x, entry_of(x, 1 + sim_random(&x->rng) % x->safe, 1), block(blocks_of(x), message, len));
}

static void send_strange(struct sim_member *x)
{
    uint8_t message[SB_OUCH_MESSAGE_MAX];
    struct sb_entry e = entry_of(x, x->sent + 1, 1);
    const uint32_t key = x->key;
    uint32_t bytes = block(blocks_of(x), message, sim_wild_enter(x, message));
    x->key = key;
    switch (sim_pick(x, 6)) {
    case 0: /* a token that is another's, or nobody's */
        e.token ^= UINT64_C(1) << (16 + sim_pick(x, 40));
        e.session = 1 + sim_pick(x, x->session);
        break;
    case 1: /* no such session */
        e.session = sim_pick(x, 2) == 0 ? 0 : x->session + 1 + sim_pick(x, 100);
        break;
    case 2: /* far ahead of what is wanted */
        e.first_seq = UINT64_MAX - sim_pick(x, 3);
        break;
    case 3: /* more messages than there are, or fewer */
        e.count = (uint16_t)(2 * sim_pick(x, 2));
        break;
    case 4: /* not numbered, and no login */
        e.first_seq = 0;
        break;
    default: /* the last block is cut */
        bytes -= 1 + sim_pick(x, 8);
    }
    send(x, e, bytes);
    x->strange++;
}

/* --- turns ---------------------------------------------------------------------------------- */

void sim_member_receive(struct sim_member *x, const uint8_t *data, uint32_t len)
{
    struct sb_datagram d;
    struct sb_head h;
    struct sb_status s;
    if (sb_udp_parse(data, len, &d) != SB_UDP_OK ||
        d.dst_port != SB_CLIENT_PORT_BASE + x->session || !sb_head_read(d.payload, d.bytes, &h) ||
        h.type != SB_FT_STATUS)
        return;
    memcpy(&s, d.payload + sizeof h, sizeof s);
    x->logged_in = true;
    if (s.safe > x->safe)
        x->safe = s.safe;
}

void sim_member_poll(struct sim_member *x, uint64_t now_ns)
{
    x->frames_n = 0;
    if (!x->logged_in) {
        if (now_ns >= x->sent_at_ns + LOGIN_NS) {
            send_login(x);
            x->sent_at_ns = now_ns;
        }
        return;
    }
    if (x->made < x->wanted && now_ns >= x->made_at_ns + sim_pick(x, 2 * x->pace_ns)) {
        uint8_t message[SB_OUCH_MESSAGE_MAX];
        const uint32_t len = make(x, now_ns, message);
        SB_ASSERT_LE(len, SIM_MEMBER_ROOM);
        memcpy(x->message[x->made], message, len);
        x->len[x->made++] = (uint8_t)len;
        x->made_at_ns = now_ns;
        send_messages(x, x->made);
    }
    if (x->safe < x->sent && now_ns >= x->sent_at_ns + RESEND_NS) {
        send_login(x); /* STATUS is no promise: the login may have been lost with its owner */
        send_messages(x, x->safe + 1);
        x->sent_at_ns = now_ns;
    }
    if (x->kind != SIM_MEMBER_WILD)
        return;
    if (x->made < x->wanted && sim_pick(x, 12) == 0)
        send_other_contents(x);
    if (x->made < x->wanted && sim_pick(x, 12) == 0)
        send_strange(x);
}

bool sim_member_done(const struct sim_member *x)
{
    return x->made == x->wanted && x->safe == x->made;
}
