/* member.c: a member on the demonstration's network, by hand: reads lines, sends order entry over a raw socket, waits for each answer,
 * prints what its sessions are told. Frames are lost and owners die: what is not answered is sent again.
 *
 *   carry-member CONFIG IFACE < LINES
 *     login S                          and asks for all that its stream has had so far
 *     new S KEY SIDE QUANTITY PRICE TYPE TIF [WORD VALUE]...    SIDE B, S, T, E; TYPE L, K, S, T, R (price 0: none); TIF 0, 1, 6
 *         words: trigger, trail, display, range, min, oco, offset, peg (R, P, M), attributes (SB_ATTR_*), until (seconds from now)
 *     cancel S KEY QUANTITY            to an intended size; 0: all
 *     phase S PHASE                    of every instrument: C, A, T, H
 *   Printed: a line a message of a session's stream: S NUMBER TYPE KEY QUANTITY PRICE. Exit code 1: no answer within 20 s.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "nic/wire/bytes.h"
#include "nic/wire/entry.h"
#include "nic/wire/mold.h"
#include "nic/wire/ouch.h"
#include "nic/wire/udp.h"
#include "perf/entry_frame.h"
#include "shadowbook/assert.h"
#include "shadowbook/config.h"

enum { SESSIONS = 8, AGAIN_MS = 100, GIVE_UP_MS = 20000 };

struct session {
    char name[SB_MOLD_NAME_BYTES];
    bool named;
    uint64_t next;   /* number of its stream that comes next */
    uint64_t wanted; /* message number that the owner takes next; 0: not told yet */
};

static struct {
    struct sb_config config;
    int socket;
    uint8_t mac[6];
    struct session sessions[SESSIONS + 1];
    char awaited_type[4]; /* of the answer that is waited for; its key, unless that is 0 */
    uint32_t awaited_session, awaited_key;
    bool answered;
} m;

static uint64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

_Noreturn static void fail(const char *what)
{
    fprintf(stderr, "carry-member: %s\n", what);
    exit(1);
}

/* --- frames ------------------------------------------------------------------------------------------ */

static void send_to(struct sb_addr to, uint32_t session, uint8_t *frame, uint32_t payload)
{
    struct sb_udp_route r = {.src_ipv4 = m.config.client.ipv4,
                             .dst_ipv4 = to.ipv4,
                             .src_port = (uint16_t)(SB_CLIENT_PORT_BASE + session),
                             .dst_port = to.port};
    memcpy(r.src_mac, m.mac, 6);
    sb_multicast_mac(to.ipv4, r.dst_mac);
    const uint32_t len = sb_udp_finish(frame, &r, payload);
    if (send(m.socket, frame, len, 0) != (ssize_t)len)
        fail("cannot send");
}

/* One message; number 0: a login. */
static void send_message(uint32_t session, uint64_t number, const uint8_t *message, uint32_t len)
{
    uint8_t frame[SB_ENTRY_FRAME_BYTES];
    const struct sb_entry entry = {.token = m.config.sessions[session].token,
                                   .first_seq = number,
                                   .session = session,
                                   .count = 1};
    uint8_t *body = sb_head_put(frame + SB_UDP_HEADERS_BYTES, SB_FT_ENTRY, m.config.shard, 0, 0,
                                SB_NODE_CLIENT, 0, (uint16_t)(sizeof entry + 2 + len));
    memcpy(body, &entry, sizeof entry);
    sb_put16(body + sizeof entry, (uint16_t)len);
    memcpy(body + sizeof entry + 2, message, len);
    send_to(m.config.orders, session, frame,
            (uint32_t)(sizeof(struct sb_head) + sizeof entry) + 2 + len);
}

static void ask_for(uint32_t session)
{
    uint8_t frame[SB_ENTRY_FRAME_BYTES];
    struct session *s = &m.sessions[session];
    if (!s->named)
        return;
    sb_mold_put_head(frame + SB_UDP_HEADERS_BYTES, s->name, s->next, 1000);
    send_to(m.config.requests, session, frame, SB_MOLD_HEAD_BYTES);
}

/* --- what is told ------------------------------------------------------------------------------------ */

static void told(uint32_t session, uint64_t number, const uint8_t *p, uint32_t len)
{
    struct sb_ouch_out o = {.type = (char)p[0]};
    struct sb_entry_out ours = {.type = (char)p[0]};
    uint32_t key = 0, quantity = 0;
    uint64_t price = 0;
    if (sb_ouch_read_out(p, len, &o)) {
        key = o.ref;
        quantity = o.type == 'J' ? o.reject_reason : o.quantity;
        price = o.price;
    } else if (sb_entry_read_out(p, len, &ours)) {
        key = ours.key;
        quantity = ours.quantity;
        price = ours.price;
    }
    const bool has_price = o.type == 'A' || o.type == 'U' || o.type == 'E' || o.type == 'T';
    printf("%u %" PRIu64 " %c %u %u %" PRIu64 "\n", session, number, (char)p[0], key, quantity,
           has_price ? price : 0);
    if (session == m.awaited_session && strchr(m.awaited_type, p[0]) != NULL &&
        (m.awaited_key == 0 || m.awaited_key == key))
        m.answered = true;
}

static void take_stream(uint32_t session, const struct sb_datagram *d, const struct sb_mold_head *h)
{
    struct session *s = &m.sessions[session];
    memcpy(s->name, h->name, sizeof s->name);
    s->named = true;
    if (h->count == SB_MOLD_END || h->seq > s->next) {
        ask_for(session);
        return;
    }
    uint32_t at = SB_MOLD_HEAD_BYTES, len;
    const uint8_t *p;
    for (uint64_t n = h->seq; (p = sb_mold_next(d->payload, d->bytes, &at, &len)) != NULL; n++) {
        if (n != s->next)
            continue;
        told(session, n, p, len);
        s->next++;
    }
}

static void take(const uint8_t *frame, uint32_t len)
{
    struct sb_datagram d;
    struct sb_mold_head mold;
    struct sb_head head;
    if (sb_udp_parse(frame, len, &d) != SB_UDP_OK || d.dst_ipv4 != m.config.client.ipv4 ||
        d.dst_port <= SB_CLIENT_PORT_BASE || d.dst_port > SB_CLIENT_PORT_BASE + SESSIONS)
        return;
    const uint32_t session = d.dst_port - SB_CLIENT_PORT_BASE;
    if (sb_head_read(d.payload, d.bytes, &head) && head.type == SB_FT_STATUS) {
        struct sb_status s;
        memcpy(&s, d.payload + sizeof head, sizeof s);
        m.sessions[session].wanted = s.wanted;
    } else if (sb_mold_read(d.payload, d.bytes, &mold)) {
        take_stream(session, &d, &mold);
    }
}

static void receive(uint64_t until_ms)
{
    uint8_t frame[2048];
    struct pollfd ready = {.fd = m.socket, .events = POLLIN};
    for (uint64_t now = now_ms(); now < until_ms && !m.answered; now = now_ms()) {
        if (poll(&ready, 1, (int)(until_ms - now)) <= 0)
            continue;
        const ssize_t n = recv(m.socket, frame, sizeof frame, 0);
        if (n > 0)
            take(frame, (uint32_t)n);
    }
}

/* --- lines ------------------------------------------------------------------------------------------- */

static void send_login(uint32_t session, uint64_t nonce)
{
    uint8_t message[SB_OUCH_MESSAGE_MAX];
    send_message(session, 0, message,
                 sb_entry_write_login(message, nonce, m.config.client.ipv4,
                                      (uint16_t)(SB_CLIENT_PORT_BASE + session)));
}

/* Sends until one of `types` is told, of this key (0: any). A message is numbered; len 0: only the login is sent. */
static void until_answered(uint32_t session, const char *types, uint32_t key,
                           const uint8_t *message, uint32_t len)
{
    static uint64_t nonce;
    const uint64_t end = now_ms() + GIVE_UP_MS;
    const uint64_t number = m.sessions[session].wanted;
    if (nonce == 0)
        nonce = (uint64_t)time(NULL) << 20;
    nonce += len == 0;
    snprintf(m.awaited_type, sizeof m.awaited_type, "%s", types);
    m.awaited_session = session;
    m.awaited_key = key;
    m.answered = false;
    while (!m.answered) {
        if (now_ms() >= end)
            fail("no answer");
        if (len == 0)
            send_login(session, nonce);
        else
            send_message(session, number, message, len);
        receive(now_ms() + AGAIN_MS);
        if (!m.answered)
            ask_for(session);
    }
    if (len != 0)
        m.sessions[session].wanted = number + 1;
}

static void login(uint32_t session)
{
    until_answered(session, "L", 0, NULL, 0);
    m.awaited_type[0] = '\0'; /* STATUS follows: what number it goes on with */
    m.answered = false;
    const uint64_t end = now_ms() + GIVE_UP_MS;
    while (m.sessions[session].wanted == 0 && now_ms() < end)
        receive(now_ms() + AGAIN_MS);
    if (m.sessions[session].wanted == 0)
        fail("no status");
}

static uint32_t number(char **rest)
{
    const char *word = strtok_r(NULL, " \n", rest);
    if (word == NULL)
        fail("a number is missing");
    return (uint32_t)strtoul(word, NULL, 10);
}

static char letter(char **rest)
{
    const char *word = strtok_r(NULL, " \n", rest);
    if (word == NULL)
        fail("a letter is missing");
    return word[0];
}

static void term(struct sb_entry_new *n, const char *word, char **rest)
{
    if (strcmp(word, "trigger") == 0)
        n->stop_price = number(rest);
    else if (strcmp(word, "trail") == 0)
        n->trail = number(rest);
    else if (strcmp(word, "display") == 0)
        n->display_quantity = number(rest);
    else if (strcmp(word, "range") == 0)
        n->refresh_range = number(rest);
    else if (strcmp(word, "min") == 0)
        n->min_quantity = number(rest);
    else if (strcmp(word, "oco") == 0)
        n->oco_key = number(rest);
    else if (strcmp(word, "offset") == 0)
        n->peg_offset = (int32_t)number(rest);
    else if (strcmp(word, "peg") == 0)
        n->peg = letter(rest);
    else if (strcmp(word, "attributes") == 0)
        n->attributes = (uint8_t)number(rest);
    else if (strcmp(word, "until") == 0)
        n->expire_ns = ((uint64_t)time(NULL) + number(rest)) * UINT64_C(1000000000);
    else
        fail(word);
}

static void new_order(uint32_t session, char **rest)
{
    uint8_t message[SB_OUCH_MESSAGE_MAX];
    const char *word;
    struct sb_entry_new n = {
        .key = number(rest), .peg = 'N', .capacity = 'A', .clordid = "              "};
    n.side = letter(rest);
    n.quantity = number(rest);
    n.price = number(rest);
    n.type = letter(rest);
    n.tif = letter(rest);
    memcpy(n.symbol, m.config.instruments[1].symbol, sizeof n.symbol);
    while ((word = strtok_r(NULL, " \n", rest)) != NULL)
        term(&n, word, rest);
    until_answered(session, "AJ", n.key, message, sb_entry_write_new(message, &n));
}

static void line(char *text)
{
    uint8_t message[SB_OUCH_MESSAGE_MAX];
    char *rest;
    const char *verb = strtok_r(text, " \n", &rest);
    if (verb == NULL)
        return;
    const uint32_t session = number(&rest);
    if (session == 0 || session > SESSIONS)
        fail("no such session");
    if (strcmp(verb, "login") == 0) {
        login(session);
    } else if (strcmp(verb, "new") == 0) {
        new_order(session, &rest);
    } else if (strcmp(verb, "cancel") == 0) {
        const uint32_t key = number(&rest);
        const struct sb_ouch_cancel x = {.ref = key, .quantity = number(&rest)};
        until_answered(session, "C", key, message, sb_ouch_write_cancel(message, &x));
    } else if (strcmp(verb, "phase") == 0) {
        until_answered(session, "O", 0, message,
                       sb_entry_write_phase(message, 1, "        ", letter(&rest)));
    } else {
        fail(verb);
    }
    fflush(stdout);
}

static void open_socket(const char *iface)
{
    struct ifreq request = {0};
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", iface);
    m.socket = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
    if (m.socket < 0 || ioctl(m.socket, SIOCGIFHWADDR, &request) != 0)
        fail("cannot open a raw socket");
    memcpy(m.mac, request.ifr_hwaddr.sa_data, 6);
    const struct sockaddr_ll to = {.sll_family = AF_PACKET,
                                   .sll_protocol = htons(ETH_P_ALL),
                                   .sll_ifindex = (int)if_nametoindex(iface)};
    if (bind(m.socket, (const struct sockaddr *)&to, sizeof to) != 0)
        fail("cannot bind to the interface");
}

int main(int argc, char **argv)
{
    char text[256];
    if (argc != 3 || !sb_config_load(&m.config, argv[1], stderr))
        fail("usage: carry-member CONFIG IFACE");
    for (uint32_t i = 0; i <= SESSIONS; i++)
        m.sessions[i].next = 1;
    open_socket(argv[2]);
    while (fgets(text, sizeof text, stdin) != NULL)
        line(text);
    sb_config_free(&m.config);
    return 0;
}
