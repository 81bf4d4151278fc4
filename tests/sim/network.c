#include "tests/sim/network.h"

#include <stdlib.h>
#include <string.h>

#include "nic/wire/udp.h"
#include "shadowbook/assert.h"
#include "shadowbook/frame.h"

void sim_network_init(struct sim_network *n, const struct sb_config *config, uint64_t seed,
                      uint32_t conditions)
{
    if (n->flights == NULL) { /* kept over runs */
        n->flights = malloc(SIM_FLIGHTS_MAX * sizeof *n->flights);
        n->frames = malloc(SIM_FLIGHTS_MAX * sizeof *n->frames);
        n->free = malloc(SIM_FLIGHTS_MAX * sizeof *n->free);
        SB_ASSERT(n->flights != NULL && n->frames != NULL && n->free != NULL);
    }
    n->config = config;
    n->rng = seed ^ UINT64_C(0xA5A5A5A55A5A5A5A);
    n->conditions = conditions;
    n->order = n->now_ns = 0;
    n->lost = n->duplicated = n->reordered = n->delayed = n->flipped = n->cut = 0;
    n->loss_ppm = (uint32_t)(1000 + sim_random(&n->rng) % 30000);
    n->latency_ns = 2000 + sim_random(&n->rng) % 20000;
    memset(n->cut_until_ns, 0, sizeof n->cut_until_ns);
    memset(n->stall_until_ns, 0, sizeof n->stall_until_ns);
    n->old_n = 0;
    sim_network_reset(n);
}

void sim_network_reset(struct sim_network *n)
{
    n->flights_n = 0;
    n->free_n = SIM_FLIGHTS_MAX;
    for (uint32_t i = 0; i < SIM_FLIGHTS_MAX; i++)
        n->free[i] = SIM_FLIGHTS_MAX - 1 - i;
}

static bool holds(const struct sim_network *n, enum sim_fault_kind k)
{
    return (n->conditions >> k & 1) != 0;
}

static bool earlier(const struct sim_flight *a, const struct sim_flight *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->order < b->order;
}

static void push(struct sim_network *n, struct sim_flight f)
{
    uint32_t i = n->flights_n++;
    for (; i > 0 && earlier(&f, &n->flights[(i - 1) / 2]); i = (i - 1) / 2)
        n->flights[i] = n->flights[(i - 1) / 2];
    n->flights[i] = f;
}

static void pop(struct sim_network *n)
{
    const struct sim_flight last = n->flights[--n->flights_n];
    uint32_t i = 0;
    for (uint32_t k; (k = 2 * i + 1) < n->flights_n; i = k) {
        if (k + 1 < n->flights_n && earlier(&n->flights[k + 1], &n->flights[k]))
            k++;
        if (!earlier(&n->flights[k], &last))
            break;
        n->flights[i] = n->flights[k];
    }
    n->flights[i] = last;
}

/* Two flips can cancel out in a checksum of 16 bits: a frame that rotted while it was held is not flipped again. */
static bool whole(const uint8_t *data, uint32_t len)
{
    struct sb_datagram d;
    return sb_udp_parse(data, len, &d) != SB_UDP_CHECKSUM;
}

static void fly(struct sim_network *n, uint8_t from, uint8_t to, const uint8_t *data, uint32_t len)
{
    if (n->now_ns < n->cut_until_ns[from][to]) {
        n->cut++;
        return;
    }
    if (holds(n, SIM_LOSS) && sim_chance(&n->rng, n->loss_ppm)) {
        n->lost++;
        return;
    }
    if (n->free_n == 0) {
        n->lost++;
        return;
    }
    struct sim_flight f = {.at_ns = n->now_ns + n->latency_ns,
                           .order = n->order++,
                           .to = to,
                           .frame = n->free[--n->free_n]};
    struct sim_frame *frame = &n->frames[f.frame];
    frame->len = len;
    memcpy(frame->data, data, len);
    if (n->now_ns < n->stall_until_ns[from][to] && sim_chance(&n->rng, 500000))
        f.at_ns = n->stall_until_ns[from][to] + sim_random(&n->rng) % 1000000;
    if (holds(n, SIM_REORDER)) {
        f.at_ns += sim_random(&n->rng) % 100000;
        n->reordered++;
    }
    if (holds(n, SIM_DELAY) && sim_chance(&n->rng, 5000)) {
        f.at_ns += sim_random(&n->rng) % 2000000;
        n->delayed++;
    }
    if (holds(n, SIM_FLIP_FRAME) && sim_chance(&n->rng, 5000) && whole(data, len)) {
        if (sim_chance(&n->rng, 200000))
            frame->len = (uint32_t)(sim_random(&n->rng) % len);
        else
            frame->data[sim_random(&n->rng) % len] ^= (uint8_t)(1u << sim_random(&n->rng) % 8);
        n->flipped++;
    }
    push(n, f);
}

/* Hosts that the destination address names; a frame whose MAC is not theirs is nobody's. */
static uint32_t hosts_of(const struct sim_network *n, const uint8_t *data, uint32_t len)
{
    static const uint8_t client[6] = {2, 0, 0, 0, 0, 9};
    uint8_t mac[6];
    const struct sb_config *c = n->config;
    if (len < 34 || data[12] != 8 || data[13] != 0)
        return 0xF; /* ARP: everybody */
    const uint32_t dst = (uint32_t)data[30] << 24 | (uint32_t)data[31] << 16 |
                         (uint32_t)data[32] << 8 | (uint32_t)data[33];
    if (dst == c->client.ipv4)
        return memcmp(data, client, 6) == 0 ? 1u << SIM_C : 0;
    sb_multicast_mac(dst, mac);
    if (memcmp(data, mac, 6) != 0)
        return 0;
    if (dst == c->orders.ipv4)
        return 1u << SIM_A | 1u << SIM_B;
    if (dst == c->replication.ipv4)
        return 1u << SIM_A | 1u << SIM_B | 1u << SIM_W;
    return dst == c->feed_a.ipv4 ? 1u << SIM_C : 0;
}

void sim_network_send(struct sim_network *n, uint8_t from, const uint8_t *data, uint32_t len)
{
    SB_ASSERT_LE(len, SIM_FRAME_BYTES);
    const uint32_t hosts = hosts_of(n, data, len);
    /* All control frames (types from SB_FT_ARM on), a few of the others. */
    if (from != SIM_C && hosts == (1u << SIM_A | 1u << SIM_B | 1u << SIM_W) &&
        (data[SB_UDP_HEADERS_BYTES + offsetof(struct sb_head, type)] >= SB_FT_ARM ||
         sim_chance(&n->rng, 5000))) {
        struct sim_frame *old = &n->old[n->old_n++ % SIM_OLD_MAX];
        old->len = len;
        memcpy(old->data, data, len);
    }
    for (uint8_t to = 0; to < SIM_HOSTS; to++) {
        if (to == from || (hosts >> to & 1) == 0)
            continue;
        fly(n, from, to, data, len);
        if (holds(n, SIM_DUPLICATE) && sim_chance(&n->rng, 20000)) {
            n->duplicated++;
            fly(n, from, to, data, len);
        }
    }
}

uint32_t sim_network_replay_old(struct sim_network *n, uint32_t count)
{
    const uint32_t have = n->old_n < SIM_OLD_MAX ? n->old_n : SIM_OLD_MAX;
    for (uint32_t i = 0; i < count && have > 0; i++) {
        const struct sim_frame *old = &n->old[sim_random(&n->rng) % have];
        for (uint8_t to = SIM_A; to <= SIM_W; to++)
            fly(n, SIM_C, to, old->data, old->len);
    }
    return have > 0 ? count : 0;
}

const struct sim_frame *sim_network_next(struct sim_network *n, uint8_t *to, uint32_t *index)
{
    if (n->flights_n == 0 || n->flights[0].at_ns > n->now_ns)
        return NULL;
    *to = n->flights[0].to;
    *index = n->flights[0].frame;
    pop(n);
    return &n->frames[*index];
}

void sim_network_done(struct sim_network *n, uint32_t index)
{
    n->free[n->free_n++] = index;
}

void sim_network_forget(struct sim_network *n, uint8_t to)
{
    struct sim_flight *kept = n->flights;
    const uint32_t had = n->flights_n;
    n->flights_n = 0;
    for (uint32_t i = 0; i < had; i++) { /* push() writes at or before i only */
        const struct sim_flight f = kept[i];
        if (f.to == to)
            sim_network_done(n, f.frame);
        else
            push(n, f);
    }
}
