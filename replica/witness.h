/* witness.h: the register that decides between two engines (R17 to R24), as a state machine without I/O.
 *
 * It holds one register and grants each right once; it never orders anything and never looks at a clock to
 * decide. It has no stable storage: every start has a new incarnation, begins UNSET, says HELLO and grants
 * nothing until both members, or a sole owner, have registered again (R18, second half).
 *
 *   UNSET --two matching REG_DUAL--> DUAL(g,D) --ARM k > kmax--> ARMED(k) --LIVE--> SOLO(g,S)
 *     |                               ^ |  ^---- CANCEL >= k ------'
 *     |--LIVE (REG_SOLO)--> SOLO      | +--SOLOREQ--> SOLO(g,P);  RESIGN --> ARMED(any k)
 *     '--RESUME (SOLO) --> SOLO       '-- PAIR -- SOLO(X) --RESUME--> SOLO(X', (g+1,R));  FORCE: from any state
 *   DISCLAIM: ARMED -> DUAL; SOLO(g,S) -> DUAL; SOLO(g,P) -> ARMED(any k)
 */
#ifndef SHADOWBOOK_WITNESS_H
#define SHADOWBOOK_WITNESS_H

#include <stdint.h>

#include "replica/node.h"
#include "replica/witness_log.h"

enum sb_witness_state { SB_W_UNSET = 16, SB_W_DUAL = 17, SB_W_ARMED = 18, SB_W_SOLO = 19 };

struct sb_registration {
    uint64_t epoch, inc, peer_inc;
    uint8_t role;
};

enum { SB_WITNESS_OUT_MAX = 128 };

struct sb_witness {
    const struct sb_config *config;
    uint64_t *ctr;
    uint8_t mac[6];
    uint64_t winc;
    struct sb_versions own; /* of frames that it reads */
    uint8_t versions[2];    /* of the last frame that each engine sent: it reads those */
    /* the register */
    enum sb_witness_state state;
    uint64_t epoch, owner_inc, other_inc, k, kmax;
    uint8_t owner;
    bool owner_lives; /* SOLO: the owner has said LIVE */
    struct sb_registration registrations[2];
    struct sb_witness_log log; /* SOLO: of the owner's input */
    uint64_t log_of_epoch;     /* KEPT: for the owner of this epoch */
    bool logack_due;
    uint64_t repair_sent_ns, repair_from;
    /* frames of this poll */
    uint64_t now_ns, hello_ns, reminded_ns;
    struct sb_node_out_frame out[SB_WITNESS_OUT_MAX];
    uint8_t scratch[SB_WITNESS_OUT_MAX][SB_FRAME_BYTES_MAX];
    uint32_t out_n;
};

/* Formats a witness into *w. winc rises with every start (wall clock at start, in nanoseconds). log_memory: of
 * sb_witness_log_bytes(config->witness_log_lines), zeroed, 64-byte aligned, the caller's, kept. */
void sb_witness_init(struct sb_witness *w, const struct sb_config *config, const uint8_t mac[6],
                     uint64_t winc, uint64_t *counters, void *log_memory);

/* One turn; as sb_node_poll(). Frames leave by role SB_PORT_WITNESS. */
void sb_witness_poll(struct sb_witness *w, uint64_t now_ns, const struct sb_node_frame *in,
                     uint32_t n, struct sb_node_out *out);

#endif
