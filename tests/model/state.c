#include "tests/model/state.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "shadowbook/assert.h"

/* Quiet DUAL of generation 1 with empty logs, A the primary; or a new day's two empty nodes that know nothing. */
void state_first(const struct model *m, struct state *s)
{
    memset(s, 0, sizeof *s);
    s->w.winc = 1;
    s->w.state = SB_W_UNSET;
    for (unsigned i = 0; i < 2; i++)
        s->node[i] =
            (struct node){.inc = 1, .role = SB_ROLE_BOOT, .new_day = 1, .lineage = m->witness_log};
    if (m->genesis)
        return;
    const uint8_t dual = make_epoch(1, SB_EPOCH_D);
    for (unsigned i = 0; i < 2; i++)
        s->node[i] = (struct node){.inc = 1,
                                   .role = i == 0 ? SB_ROLE_PRIM : SB_ROLE_SHADOW,
                                   .epoch = dual,
                                   .record_epoch = dual,
                                   .peer_inc = 1,
                                   .winc = 1,
                                   .confirmed = i == 1,
                                   .lineage = m->witness_log};
    s->w = (struct witness){
        .winc = 1, .state = SB_W_DUAL, .epoch = dual, .owner = 0, .owner_inc = 1, .other_inc = 1};
    s->epoch_max = dual;
}

static uint64_t key(const struct msg *msg)
{
    uint64_t k;
    memcpy(&k, msg, sizeof k);
    return k;
}

bool net_add(struct state *s, struct msg msg)
{
    const uint64_t k = key(&msg);
    unsigned at = s->msgs;
    while (at > 0 && key(&s->msg[at - 1]) > k)
        at--;
    if (at > 0 && key(&s->msg[at - 1]) == k)
        return false;
    SB_ASSERT_LT(s->msgs, MSGS_MAX);
    memmove(&s->msg[at + 1], &s->msg[at], (s->msgs - at) * sizeof msg);
    s->msg[at] = msg;
    s->msgs++;
    return true;
}

/* --- words ------------------------------------------------------------------------------------ */

const char *role_name(uint8_t role)
{
    static const char *const names[] = {"DOWN", "BOOT",    "CATCH", "SHADOW",
                                        "PRIM", "PAIRING", "SOLO",  "RESIGNED"};
    return role < sizeof names / sizeof names[0] ? names[role] : "?";
}

const char *witness_state_name(uint8_t state)
{
    static const char *const names[] = {"UNSET", "DUAL", "ARMED", "SOLO"};
    return state >= SB_W_UNSET && state <= SB_W_SOLO ? names[state - SB_W_UNSET] : "?";
}

const char *msg_name(uint8_t type)
{
    static const char *const names[] = {
        [SB_FT_STREAM] = "STREAM", [SB_FT_ACK] = "ACK",
        [SB_FT_ARM] = "ARM",       [SB_FT_ARMOK] = "ARMOK",
        [SB_FT_CANCEL] = "CANCEL", [SB_FT_SOLOREQ] = "SOLOREQ",
        [SB_FT_SOLOOK] = "SOLOOK", [SB_FT_LIVE] = "LIVE",
        [SB_FT_RESIGN] = "RESIGN", [SB_FT_PAIR] = "PAIR",
        [SB_FT_PAIROK] = "PAIROK", [SB_FT_REG_DUAL] = "REG_DUAL",
        [SB_FT_RESUME] = "RESUME", [SB_FT_RESUMEOK] = "RESUMEOK",
        [SB_FT_BOOT] = "BOOT",     [SB_FT_DISCLAIM] = "DISCLAIM",
        [FT_LOG] = "LOG",          [FT_LOGACK] = "LOGACK",
        [FT_DIGEST] = "DIGEST",
    };
    return type < sizeof names / sizeof names[0] && names[type] != NULL ? names[type] : "?";
}

static const char *record_name(uint8_t record)
{
    static const char *const names[] = {"NONE", "JOIN", "PAIR", "SOLO"};
    return names[record & 3u];
}

static char kind_letter(uint8_t epoch)
{
    return "DPSR"[kind(epoch)];
}

static bool from_witness(uint8_t type)
{
    return type == SB_FT_ARMOK || type == SB_FT_SOLOOK || type == SB_FT_PAIROK ||
           type == SB_FT_RESUMEOK || type == FT_LOGACK;
}

void msg_print(const struct msg *msg)
{
    printf("%s(%u,%c) %s %c.%u", msg_name(msg->type), generation(msg->epoch),
           kind_letter(msg->epoch), from_witness(msg->type) ? "to" : "of", 'A' + msg->node,
           msg->inc);
    if (msg->other_inc != 0)
        printf(", other %c.%u", 'B' - msg->node, msg->other_inc);
    if (msg->winc != 0)
        printf(", winc %u", msg->winc);
    switch (msg->type) {
    case SB_FT_STREAM:
        if (msg->n == 0)
            printf(", heartbeat%s, released mark %u",
                   heartbeat_paired(msg->content) ? ", paired" : "", heartbeat_mark(msg->content));
        else
            printf(", n %u, content %u", msg->n, msg->content);
        break;
    case SB_FT_ACK:
    case FT_LOGACK:
    case FT_DIGEST:
        printf(", held %u%s", msg->n, msg->content != 0 ? ", outputs wrong" : "");
        break;
    case FT_LOG:
        printf(", n %u, content %u", msg->n, msg->content);
        break;
    case SB_FT_ARM:
    case SB_FT_ARMOK:
    case SB_FT_CANCEL:
        printf(", k %u", msg->n);
        break;
    case SB_FT_REG_DUAL:
        printf(", as %s", msg->n == 0 ? "primary" : "shadow");
        break;
    case SB_FT_LIVE:
        printf("%s, base and need %x", msg->n != 0 ? ", by RESIGN" : "", msg->content);
        break;
    case SB_FT_PAIR:
        printf(", from (%u,%c)", generation(msg->content), kind_letter(msg->content));
        break;
    case SB_FT_RESUME:
    case SB_FT_DISCLAIM:
        printf(", record %s, durable %u", record_name(msg->n), msg->content);
        break;
    case SB_FT_RESUMEOK:
        printf(", log base and top %x", msg->n);
        break;
    default:
        break;
    }
}

static void node_print(const struct node *n, unsigned i)
{
    static const char *const arms[] = {"", " arming", " armed"};
    printf("      %c.%u %s%s (%u,%c), peer inc %u, log [", 'A' + i, n->inc, role_name(n->role),
           arms[n->arm % 3u], generation(n->epoch), kind_letter(n->epoch), n->peer_inc);
    for (unsigned j = 0; j < n->len; j++)
        printf("%s%u", j == 0 ? "" : " ", n->log[j]);
    printf("], durable %u, record %s(%u,%c), acked %u, possibly released %u, mark %u, k %u, winc "
           "%u%s, logged %u\n",
           n->durable, record_name(n->record), generation(n->record_epoch),
           kind_letter(n->record_epoch), n->acked, n->released, n->mark, n->k, n->winc,
           n->confirmed ? ", confirmed" : "", n->logged);
}

void state_print(const struct state *s)
{
    for (unsigned i = 0; i < 2; i++)
        node_print(&s->node[i], i);
    printf("      W.%u %s (%u,%c), owner %c.%u, other inc %u, k %u, kmax %u, log of %u to %u, need "
           "%u; released:",
           s->w.winc, witness_state_name(s->w.state), generation(s->w.epoch),
           kind_letter(s->w.epoch), 'A' + s->w.owner, s->w.owner_inc, s->w.other_inc, s->w.k,
           s->w.kmax, s->w.log.base, s->w.log.top, s->w.log.need);
    for (unsigned j = 0; j < INPUTS_MAX; j++)
        if (s->told[j] != 0)
            printf(" %u=%u", j + 1, s->told[j]);
    printf("\n");
}
