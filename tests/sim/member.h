/* member.h: members beside the real client, and a stranger who is no member at all. Each has a session of its own and sends
 * numbered messages as any client does: what is not known to be taken is sent again.
 *
 *   wild        its software is not to be trusted: orders, every other with terms, replaces, cancels and reductions with good
 *               and impossible fields, used keys, unknown symbols, phases it has no right to, bytes that are no message; an old
 *               number with other contents. With it comes the stranger: wrong tokens, sessions that do not exist, numbers far
 *               ahead, frames whose blocks do not fit
 *   desk        knows what it does, and uses all that order entry has: every type, time in force and attribute, pegs, partners,
 *               icebergs, amends, quotes, its own mass cancel and kill switch
 *   supervisor  has the operator's right: auctions of every kind, indicative and uncross, halts, closings, mass cancels, blocks
 *               and their ends; by scenes, so that no phase is left for long
 *
 * Deterministic from the seed. Sans-I/O, as the client is. What they do not do: follow their streams; check.c judges those from
 * outside.
 */
#ifndef SHADOWBOOK_SIM_MEMBER_H
#define SHADOWBOOK_SIM_MEMBER_H

#include <stdbool.h>
#include <stdint.h>

#include "nic/wire/udp.h"
#include "shadowbook/config.h"
#include "tests/sim/faults.h"

enum { SIM_MEMBER_MESSAGES = 144, SIM_MEMBER_ROOM = 96, SIM_MEMBER_FRAMES = 6 };
enum { SIM_MEMBER_RECENT = 16 };

enum sim_member_kind { SIM_MEMBER_WILD, SIM_MEMBER_DESK, SIM_MEMBER_SUPERVISOR, SIM_MEMBERS };

/* An order that the desk sent. */
struct sim_recent {
    uint32_t key, instrument;
    char side;
};

struct sim_member {
    const struct sb_config *config; /* kept */
    enum sim_member_kind kind;
    uint32_t session;
    uint32_t wanted, pace_ns; /* messages that it will make, and how often on average */
    uint64_t rng, terms_rng;
    uint32_t made, sent; /* messages 1..made exist; 1..sent have left at least once */
    uint64_t safe;       /* told by STATUS: taken for good */
    uint64_t made_at_ns, sent_at_ns;
    bool logged_in;
    uint32_t key;                                /* last one used */
    struct sim_recent recent[SIM_MEMBER_RECENT]; /* desk: [key % SIM_MEMBER_RECENT] */
    const char *scene;                           /* supervisor: what is left of it */
    uint32_t scene_instrument, scene_who;        /* ... is about; instrument 0: all */
    char scene_scope;
    uint8_t message[SIM_MEMBER_MESSAGES][SIM_MEMBER_ROOM];
    uint8_t len[SIM_MEMBER_MESSAGES];
    uint8_t frame[SIM_MEMBER_FRAMES][SB_UDP_HEADERS_BYTES + SB_UDP_PAYLOAD_MAX];
    uint32_t frame_len[SIM_MEMBER_FRAMES], frames_n; /* of the last poll */
    uint64_t strange;                                /* frames of the stranger */
};

void sim_member_init(struct sim_member *x, const struct sb_config *config,
                     enum sim_member_kind kind, uint32_t session, uint64_t seed);
/* A frame that came to the clients' host: only STATUS of the member's session is looked at. */
void sim_member_receive(struct sim_member *x, const uint8_t *data, uint32_t len);
/* Fills frame[0..frames_n) with what leaves now. */
void sim_member_poll(struct sim_member *x, uint64_t now_ns);
/* Everything it has made is taken for good. */
bool sim_member_done(const struct sim_member *x);

/* For wild.c, desk.c, supervisor.c: the next message at p (room for SB_OUCH_MESSAGE_MAX; at most SIM_MEMBER_ROOM are kept). */
uint32_t sim_wild_make(struct sim_member *x, uint8_t *p);
uint32_t sim_desk_make(struct sim_member *x, uint64_t now_ns, uint8_t *p);
uint32_t sim_supervisor_make(struct sim_member *x, uint8_t *p);
/* An Enter as wild members send it. */
uint32_t sim_wild_enter(struct sim_member *x, uint8_t *p);

static inline uint32_t sim_pick(struct sim_member *x, uint32_t n)
{
    return (uint32_t)(sim_random(&x->rng) % n);
}

#endif
