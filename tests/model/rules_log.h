/* rules_log.h: the log-holding witness, both sides: W1 to W9 of README.md. Used only with --witness-log. */
#ifndef SHADOWBOOK_MODEL_RULES_LOG_H
#define SHADOWBOOK_MODEL_RULES_LOG_H

#include "tests/model/rules.h"

/* What LIVE says of the owner's log: that the inputs above `base` are for the witness, and that all up to `need` may
 * have been released. */
static inline uint8_t log_bounds(uint8_t base, uint8_t need)
{
    return (uint8_t)(base << 4 | need);
}
static inline uint8_t log_base(uint8_t bounds)
{
    return bounds >> 4;
}
static inline uint8_t log_need(uint8_t bounds)
{
    return bounds & 15u;
}

/* Whole: with the owner's journal up to the base it covers everything that may have been released. */
static inline bool log_whole(const struct witness_log *log)
{
    return log->known == LOG_OPEN && log->top >= log->need;
}

/* LIVE of the register's owner, also after a restart of the witness: true if it says anything new. */
bool log_opens(const struct witness *w, const struct msg *live);
void log_open(const struct model *m, struct state *t, const struct msg *live);
/* W5: it has acked, or may have. */
bool log_forbids_disclaim(const struct model *m, const struct witness *w);

/* W3: the owner's word that its journal holds 1..n: what the witness has of these can go. As content of LOG. */
enum { LOG_DURABLE = 0 };

/* RESUME: may the older owner go on? And the register's step: the new epoch seals the log, which is kept. */
bool log_covers(const struct model *m, const struct witness *w, const struct msg *resume);
struct witness_log log_at_resume(const struct witness *w, const struct msg *resume);
/* W7: the log goes out in RESUMEOK, and behind the journal that the node has. */
void log_hand_out(const struct witness_log *log, struct msg *resumeok);
void log_take(const struct model *m, struct node *y, const struct msg *resumeok);

/* Messages that only this option has. */
void node_on_logack(struct expansion *x, const struct msg *msg);
void witness_on_log(struct expansion *x, const struct msg *msg);

#endif
