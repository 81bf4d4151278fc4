/* client.h: what a client's order messages do: who, which phase, which reason; book.c does the trading.
 *
 * Each takes a command of a defined session whose message number was taken. Everything that could
 * refuse an order is asked before anything changes.
 */
#ifndef SHADOWBOOK_ENGINE_CLIENT_H
#define SHADOWBOOK_ENGINE_CLIENT_H

#include "engine/state.h"

void sb_client_order(struct sb_engine *e, const struct sb_command *cmd, struct sb_outbox *box);
void sb_client_replace(struct sb_engine *e, const struct sb_command *cmd, struct sb_outbox *box);
void sb_client_cancel(struct sb_engine *e, const struct sb_command *cmd, struct sb_outbox *box);
void sb_client_reduce(struct sb_engine *e, const struct sb_command *cmd, struct sb_outbox *box);
void sb_client_carry(struct sb_engine *e, const struct sb_command *cmd, struct sb_outbox *box);
void sb_client_invalid(struct sb_engine *e, const struct sb_command *cmd, struct sb_outbox *box);

#endif
