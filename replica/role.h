/* role.h: who may do what, for role.c (what arrives, changes of role) and role_turn.c (what a role does by itself). Nobody
 * else includes it: node_state.h says what other files may ask. */
#ifndef SHADOWBOOK_ROLE_H
#define SHADOWBOOK_ROLE_H

#include "replica/node_state.h"

static inline uint64_t sb_epoch_generation(uint64_t epoch)
{
    return epoch >> 2;
}
static inline enum sb_epoch_kind sb_epoch_kind(uint64_t epoch)
{
    return (enum sb_epoch_kind)(epoch & 3u);
}
static inline uint64_t sb_make_epoch(uint64_t gen, enum sb_epoch_kind k)
{
    return gen << 2 | k;
}

/* Requests repeat until answered or obsolete, some times within T2 - T1. */
uint64_t sb_role_retry_ns(const struct sb_node *node);
bool sb_role_due(const struct sb_node *node, uint64_t last_ns, uint64_t every_ns);

/* Control frames: to the witness, under an epoch; to everybody by the port of a role. */
void sb_role_ask(struct sb_node *node, uint8_t type, uint64_t epoch, struct sb_control c);
void sb_role_say(struct sb_node *node, uint8_t type, uint32_t role, uint8_t flags,
                 struct sb_control c);

/* Changes of role. */
void sb_role_go_solo(struct sb_node *node, uint64_t epoch, bool by_resign);
void sb_role_begin_pairing(struct sb_node *node);
void sb_role_resign(struct sb_node *node);
void sb_role_suspect(struct sb_node *node);
void sb_role_cancel(struct sb_node *node);
void sb_role_send_resign(struct sb_node *node);

#endif
