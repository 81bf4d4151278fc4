#include "tests/sim/wild.h"

#include <string.h>

#include "nic/wire/bytes.h"
#include "nic/wire/entry.h"
#include "nic/wire/ouch.h"
#include "perf/entry_frame.h"
#include "tests/sim/faults.h"

enum { PACE_NS = 400000, RESEND_NS = 5000000, LOGIN_NS = 20000000, PACK = 8 };

void sim_wild_init(struct sim_wild *x, const struct sb_config *config, uint32_t session,
                   uint64_t seed)
{
    *x = (struct sim_wild){.config = config,
                           .session = session,
                           .rng = seed ^ UINT64_C(0x57494C44574C4957),
                           .terms_rng = seed ^ UINT64_C(0x5445524D534D5245)};
}

/* --- messages ------------------------------------------------------------------------------- */

static uint32_t pick(struct sim_wild *x, uint32_t n)
{
    return (uint32_t)(sim_random(&x->rng) % n);
}

static uint32_t quantity(struct sim_wild *x)
{
    static const uint32_t odd[] = {0, 1, 999999, 1000000, 1000001, UINT32_MAX};
    switch (pick(x, 8)) {
    case 0:
        return odd[pick(x, 6)];
    case 1:
    case 2:
        return 1 + pick(x, 6); /* so that a cancel may name just what was executed */
    default:
        return 5 * (1 + pick(x, 60));
    }
}

static uint64_t price(struct sim_wild *x)
{
    static const uint64_t odd[] = {0,       50,         1000000,    1000100,
                                   1999999, 1999999900, 0x7FFFFFFF, UINT64_MAX};
    return pick(x, 8) == 0 ? odd[pick(x, 8)] : 10000 + 100 * (uint64_t)pick(x, 12);
}

/* Mostly the next key; sometimes a used one, or none. */
static uint32_t next_key(struct sim_wild *x)
{
    const uint32_t p = pick(x, 12);
    return p == 0 ? 0 : p == 1 ? pick(x, x->key + 2) : ++x->key;
}

static void clordid(struct sim_wild *x, char to[14])
{
    memset(to, ' ', 14);
    if (pick(x, 3) == 0)
        memcpy(to, "WILD", 4);
}

static uint32_t pick_terms(struct sim_wild *x, uint32_t n)
{
    return (uint32_t)(sim_random(&x->terms_rng) % n);
}

static void option(struct sb_ouch_enter *m, uint8_t tag, uint32_t bytes, uint32_t value)
{
    uint8_t *to = m->app + m->app_bytes;
    to[0] = (uint8_t)(1 + bytes);
    to[1] = tag;
    if (bytes == 4)
        sb_put32(to + 2, value);
    else
        to[2] = (uint8_t)value;
    m->app_bytes = (uint16_t)(m->app_bytes + 2 + bytes);
}

/* What the option's number means: nic/wire/entry_terms.h. */
static void some_terms(struct sim_wild *x, struct sb_ouch_enter *m)
{
    switch (pick_terms(x, 8)) {
    case 0:
        m->display = 'N';
        break;
    case 1:
        m->cross = "OC"[pick_terms(x, 2)];
        break;
    case 2:
        option(m, 3, 4, 5 * (1 + pick_terms(x, 12)));
        break;
    case 3: /* icebergs take part in most */
    case 4:
        m->quantity = 100 + 5 * pick_terms(x, 40);
        option(m, 5, 4, 20 + 5 * pick_terms(x, 8));
        if (pick_terms(x, 2) == 0)
            option(m, 13, 4, 5 * pick_terms(x, 4));
        break;
    case 5:
        option(m, 12, 1, (uint8_t) "PPPN"[pick_terms(x, 4)]);
        break;
    default:
        m->price = pick_terms(x, 2) == 0 ? 0 : m->price;
        option(m, 6, 1, (uint8_t) "PMRL"[pick_terms(x, 4)]);
        if (pick_terms(x, 2) == 0)
            option(m, 7, 4, 100 * pick_terms(x, 4) - 200);
    }
}

/* Terms of every other order. They are drawn aside: without them the messages are what they would be. */
static void add_terms(struct sim_wild *x, struct sb_ouch_enter *m)
{
    if (pick_terms(x, 2) == 0)
        return;
    some_terms(x, m);
    if (m->app_bytes <= 6 && pick_terms(x, 8) == 0)
        some_terms(x, m); /* which perhaps do not go together */
}

static uint32_t enter(struct sim_wild *x, uint8_t *p)
{
    static const char symbols[][9] = {"TEST    ", "TEST    ", "OTHER   ", "NOBODY  "};
    struct sb_ouch_enter m = {.ref = next_key(x),
                              .quantity = quantity(x),
                              .price = price(x),
                              .side = "BBBBSSSSTEQ"[pick(x, 11)],
                              .tif = "0000003395"[pick(x, 10)],
                              .display = "YYYYYYAN"[pick(x, 8)],
                              .capacity = "APRO"[pick(x, 4)],
                              .iso = "NNNY"[pick(x, 4)],
                              .cross = "NNNNNNNO"[pick(x, 8)]};
    memcpy(m.symbol, symbols[pick(x, 4)], 8);
    clordid(x, m.clordid);
    add_terms(x, &m);
    return sb_ouch_write_enter(p, &m);
}

static uint32_t replace(struct sim_wild *x, uint8_t *p)
{
    struct sb_ouch_replace m = {.orig_ref = pick(x, x->key + 2),
                                .ref = next_key(x),
                                .quantity = quantity(x),
                                .price = price(x),
                                .tif = "00003"[pick(x, 5)],
                                .display = "YYYN"[pick(x, 4)],
                                .iso = 'N'};
    clordid(x, m.clordid);
    return sb_ouch_write_replace(p, &m);
}

static uint32_t cancel(struct sim_wild *x, uint8_t *p)
{
    const struct sb_ouch_cancel m = {.ref = pick(x, x->key + 2),
                                     .quantity = pick(x, 2) == 0 ? 0 : quantity(x)};
    return sb_ouch_write_cancel(p, &m);
}

/* Messages of our own. Nobody is killed for good: the next one may let in again. */
static uint32_t own(struct sim_wild *x, uint8_t *p)
{
    const struct sb_entry_quote q = {.key = ++x->key,
                                     .symbol = "TEST    ",
                                     .bid_price = 100 * (1 + pick(x, 200)),
                                     .bid_quantity = pick(x, 60),
                                     .ask_price = 100 * (1 + pick(x, 200)),
                                     .ask_quantity = pick(x, 60),
                                     .capacity = 'P'};
    switch (pick(x, 8)) {
    case 0:
        return sb_entry_write_mass_cancel(p, x->key, pick(x, 2) == 0 ? "TEST    " : "        ",
                                          "SSFA"[pick(x, 4)], pick(x, 3), "BS "[pick(x, 3)]);
    case 1:
        return sb_entry_write_kill(p, x->key, "SF"[pick(x, 2)], pick(x, 3), "BLL"[pick(x, 3)]);
    case 2:
    case 3:
        return sb_entry_write_amend(p, pick(x, x->key + 2), pick(x, 60), 100 * (1 + pick(x, 200)));
    case 4:
        return sb_entry_write_phase(p, x->key, "TEST    ", 'I');
    default:
        return sb_entry_write_quote(p, &q);
    }
}

static uint32_t garbage(struct sim_wild *x, uint8_t *p)
{
    const uint32_t len = pick(x, SIM_WILD_BYTES);
    for (uint32_t i = 0; i < len; i++)
        p[i] = (uint8_t)sim_random(&x->rng);
    /* No 'L': a login's return address would be anybody's. */
    if (len > 0)
        p[0] = (uint8_t) "OUXPQMC?WKAT"[pick(x, 12)];
    return len;
}

static uint32_t make(struct sim_wild *x, uint8_t *p)
{
    const uint32_t what = pick(x, 22);
    if (what >= 20)
        return own(x, p);
    if (what < 9)
        return enter(x, p);
    if (what < 14)
        return replace(x, p);
    if (what < 17)
        return cancel(x, p);
    if (what < 18)
        return sb_entry_write_phase(p, ++x->key, "TEST    ", "CAUTH"[pick(x, 5)]);
    if (what < 19)
        return sb_entry_write_login(p, sim_random(&x->rng), x->config->client.ipv4,
                                    (uint16_t)(SB_CLIENT_PORT_BASE + x->session));
    return garbage(x, p);
}

/* --- frames --------------------------------------------------------------------------------- */

static void send(struct sim_wild *x, struct sb_entry entry, uint32_t blocks_bytes)
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

static uint8_t *blocks_of(struct sim_wild *x)
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

static struct sb_entry entry_of(const struct sim_wild *x, uint64_t first, uint32_t count)
{
    return (struct sb_entry){.token = x->config->sessions[x->session].token,
                             .first_seq = first,
                             .session = x->session,
                             .count = (uint16_t)count};
}

static void send_login(struct sim_wild *x)
{
    uint8_t message[SB_ENTRY_LOGIN_BYTES];
    const uint32_t len = sb_entry_write_login(message, 1, x->config->client.ipv4,
                                              (uint16_t)(SB_CLIENT_PORT_BASE + x->session));
    send(x, entry_of(x, 0, 1), block(blocks_of(x), message, len));
}

static void send_messages(struct sim_wild *x, uint64_t first)
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
static void send_other_contents(struct sim_wild *x)
{
    uint8_t message[SB_OUCH_MESSAGE_MAX];
    if (x->safe == 0)
        return;
    const uint32_t key = x->key;
    const uint32_t len = make(x, message);
    x->key = key;
    send(x, entry_of(x, 1 + sim_random(&x->rng) % x->safe, 1), block(blocks_of(x), message, len));
}

static void send_strange(struct sim_wild *x)
{
    uint8_t message[SB_OUCH_MESSAGE_MAX];
    struct sb_entry e = entry_of(x, x->sent + 1, 1);
    const uint32_t key = x->key;
    uint32_t bytes = block(blocks_of(x), message, enter(x, message));
    x->key = key;
    switch (pick(x, 6)) {
    case 0: /* a token that is another's, or nobody's */
        e.token ^= UINT64_C(1) << (16 + pick(x, 40));
        e.session = 1 + pick(x, x->session);
        break;
    case 1: /* no such session */
        e.session = pick(x, 2) == 0 ? 0 : x->session + 1 + pick(x, 100);
        break;
    case 2: /* far ahead of what is wanted */
        e.first_seq = UINT64_MAX - pick(x, 3);
        break;
    case 3: /* more messages than there are, or fewer */
        e.count = (uint16_t)(2 * pick(x, 2));
        break;
    case 4: /* not numbered, and no login */
        e.first_seq = 0;
        break;
    default: /* the last block is cut */
        bytes -= 1 + pick(x, 8);
    }
    send(x, e, bytes);
    x->strange++;
}

/* --- turns ---------------------------------------------------------------------------------- */

void sim_wild_receive(struct sim_wild *x, const uint8_t *data, uint32_t len)
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

void sim_wild_poll(struct sim_wild *x, uint64_t now_ns)
{
    x->frames_n = 0;
    if (!x->logged_in) {
        if (now_ns >= x->sent_at_ns + LOGIN_NS) {
            send_login(x);
            x->sent_at_ns = now_ns;
        }
        return;
    }
    if (x->made < SIM_WILD_MESSAGES && now_ns >= x->made_at_ns + pick(x, 2 * PACE_NS)) {
        uint8_t message[SB_OUCH_MESSAGE_MAX];
        const uint32_t len = make(x, message);
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
    if (x->made < SIM_WILD_MESSAGES && pick(x, 12) == 0)
        send_other_contents(x);
    if (x->made < SIM_WILD_MESSAGES && pick(x, 12) == 0)
        send_strange(x);
}

bool sim_wild_done(const struct sim_wild *x)
{
    return x->made == SIM_WILD_MESSAGES && x->safe == x->made;
}
