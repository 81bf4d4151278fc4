/* node_change.h: what an engine says, and how its role changes; shared by its rules. */
#ifndef SHADOWBOOK_MODEL_NODE_CHANGE_H
#define SHADOWBOOK_MODEL_NODE_CHANGE_H

#include "tests/model/rules.h"

/* STREAM, in the epoch and to the incarnation that the role asks for. */
void say_input(const struct model *m, struct state *t, uint8_t i, uint8_t n);
void say_heartbeat(const struct model *m, struct state *t, uint8_t i, uint8_t mark);
/* A heartbeat and the whole log, as a role that has just begun says it. */
void say_log(const struct model *m, struct state *t, uint8_t i);
void say_ack(const struct model *m, struct state *t, uint8_t i, uint8_t epoch, uint8_t owner_inc,
             uint8_t held);

/* A request to the witness, at the winc that the node knows. */
struct msg request(const struct node *y, uint8_t i, enum sb_frame_type type, uint8_t epoch);
void say_live(struct state *t, uint8_t i, uint8_t epoch, bool by_resign);
void say_reg_dual(struct state *t, uint8_t i, uint8_t epoch, bool shadow);

/* W2, W3: LIVE and what is not durable, for the log-holding witness; at going live and at each new winc. */
void say_live_and_log(const struct model *m, struct state *t, uint8_t i, bool by_resign);
void say_log_input(const struct model *m, struct state *t, uint8_t i, uint8_t n);
void say_log_durable(const struct model *m, struct state *t, uint8_t i, uint8_t n);
/* W9: DISCLAIM has become impossible: from now on a joiner may hear the stream. */
void settle(const struct model *m, struct state *t, uint8_t i);

/* R9: locally first, then it is sent. */
void cancel(struct state *t, uint8_t i);
/* R8, R10, R11, R13: all held inputs are taken as possibly released; LIVE tells the witness. */
void go_solo(const struct model *m, struct state *t, uint8_t i, uint8_t epoch, bool by_resign);
/* R15, genesis: the witness has paired. */
void become_prim(const struct model *m, struct state *t, uint8_t i, uint8_t epoch);
/* R16, genesis. The caller acks what it holds. */
void become_shadow(struct node *y, uint8_t epoch, uint8_t winc, bool confirmed);
/* Genesis: in its configured role. A is the primary. */
void begin_new_day(const struct model *m, struct state *t, uint8_t i);
/* R14: copies from the start under a new incarnation; what it held is set aside. */
void node_join(const struct model *m, struct state *t, uint8_t i, const struct msg *msg);

#endif
