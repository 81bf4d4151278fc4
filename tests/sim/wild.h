/* wild.h: a member whose software is not to be trusted, and a stranger who is no member at all.
 *
 * The member has a session of its own and sends whatever comes to mind: orders, every other with terms, replaces, cancels
 * and reductions with good and impossible fields, used keys, unknown symbols, phases it has no right to, bytes that are no message; an old number
 * with other contents. It resends what is not known to be taken, like any client. The stranger sends wrong
 * tokens, sessions that do not exist, numbers far ahead, frames whose blocks do not fit. Deterministic from the seed.
 *
 * Sans-I/O, as the client is. What it does not do: follow its stream; check.c judges that from outside.
 */
#ifndef SHADOWBOOK_SIM_WILD_H
#define SHADOWBOOK_SIM_WILD_H

#include <stdbool.h>
#include <stdint.h>

#include "nic/wire/udp.h"
#include "shadowbook/config.h"

enum { SIM_WILD_MESSAGES = 48, SIM_WILD_BYTES = 64, SIM_WILD_ROOM = 72, SIM_WILD_FRAMES = 6 };

struct sim_wild {
    const struct sb_config *config; /* kept */
    uint32_t session;
    uint64_t rng, terms_rng;
    uint32_t made, sent; /* messages 1..made exist; 1..sent have left at least once */
    uint64_t safe;       /* told by STATUS: taken for good */
    uint64_t made_at_ns, sent_at_ns;
    bool logged_in;
    uint32_t key; /* last one used */
    uint8_t message[SIM_WILD_MESSAGES][SIM_WILD_ROOM];
    uint8_t len[SIM_WILD_MESSAGES];
    uint8_t frame[SIM_WILD_FRAMES][SB_UDP_HEADERS_BYTES + SB_UDP_PAYLOAD_MAX];
    uint32_t frame_len[SIM_WILD_FRAMES], frames_n; /* of the last poll */
    uint64_t strange;                              /* frames of the stranger */
};

void sim_wild_init(struct sim_wild *x, const struct sb_config *config, uint32_t session,
                   uint64_t seed);
/* A frame that came to the clients' host: only STATUS of the member's session is looked at. */
void sim_wild_receive(struct sim_wild *x, const uint8_t *data, uint32_t len);
/* Fills frame[0..frames_n) with what leaves now. */
void sim_wild_poll(struct sim_wild *x, uint64_t now_ns);
/* Everything it has made is taken for good. */
bool sim_wild_done(const struct sim_wild *x);

#endif
