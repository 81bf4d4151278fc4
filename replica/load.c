/* What a life begins with (an earlier life's log, or the owner's), and what of its log and records is durable. */
#include <string.h>

#include "replica/genesis.h"
#include "replica/node_state.h"

/* --- the log ------------------------------------------------------------------------------------ */

void sb_node_expect(struct sb_node *node, uint64_t last_n)
{
    const uint64_t kept = node->config->log_lines;
    if (!node->encoding)
        node->encode_from = last_n > kept ? last_n - kept : 0;
}

/* The doors as the engine's state has them: all that was taken of each session is in the log. */
static void open_doors(struct sb_node *node)
{
    for (uint32_t i = 1; i <= node->config->limits.sessions_max; i++) {
        const struct sb_session_view *v = sb_engine_session(node->engine, i);
        struct sb_door *door = &node->doors[i];
        door->next_seq = v->last_session_seq + 1;
        door->last_n = door->mark_n = node->log.len;
        door->mark_seq = v->last_session_seq;
        door->login_nonce = v->login_nonce;
        door->login_ipv4 = v->login_ipv4;
        door->login_port = v->login_port;
        door->logged_in = v->login_ipv4 != 0;
        door->status_due = door->logged_in;
    }
}

/* What was made under these rules is not for this node. True: it is. */
static bool has_rules(struct sb_node *node, uint16_t rules)
{
    if (rules == node->rules)
        return true;
    node->log_rules = rules;
    sb_count(node, SB_CTR_OTHER_RULES);
    sb_load_differs(node, 1);
    return false;
}

const char *sb_node_load_snapshot(struct sb_node *node, const struct sb_snapshot *snapshot)
{
    SB_ASSERT_EQ(node->log.len, 0);
    if (!has_rules(node, snapshot->head.rules))
        return "made under other rules of matching";
    const char *wrong = sb_snapshot_load(snapshot, node->engine);
    if (wrong != NULL)
        return wrong;
    const uint64_t n = snapshot->head.n;
    node->log.len = node->applied = node->released = node->compared_n = n;
    node->digest = sb_engine_digest(node->engine);
    node->last_time_ns = sb_engine_last_time_ns(node->engine);
    sb_apply_name_streams(node);
    sb_apply_skip(node, n);
    open_doors(node);
    const uint64_t differs_n = sb_genesis_differs(node->config, node->engine);
    if (differs_n != 0)
        sb_load_differs(node, differs_n);
    return NULL;
}

void sb_load_differs(struct sb_node *node, uint64_t n)
{
    if (node->differs_n == 0)
        node->differs_n = n;
    sb_node_stop(node);
}

uint64_t sb_node_differs(const struct sb_node *node)
{
    return node->differs_n;
}

uint16_t sb_node_log_rules(const struct sb_node *node)
{
    return node->log_rules;
}

uint16_t sb_node_peer_rules(const struct sb_node *node)
{
    return node->peer_rules;
}

bool sb_node_peer_carries_others(const struct sb_node *node)
{
    return node->peer_carry_hash != node->carry_hash;
}

/* What was in a journal is taken as released: whoever misses it asks for it (R13). */
static void pass_all(struct sb_node *node, const struct sb_packet *p)
{
    while (sb_hold_peek(&node->hold) != NULL)
        sb_hold_pass(&node->hold);
    node->released = node->applied;
    node->released_line = p->pos + p->lines;
}

struct sb_packet *sb_load_put(struct sb_node *node, uint16_t count, uint16_t lines_n,
                              const void *lines)
{
    const struct sb_command *c =
        memcpy(sb_log_begin(&node->log), lines, (size_t)lines_n * SB_LINE_BYTES);
    /* Before anything of it is applied, acked or compared: digests that differ would stop its owner, too. */
    if (node->log.len == 0 && c->kind == SB_CMD_DAY &&
        !has_rules(node, sb_command_ext(c)->day.rules))
        return NULL;
    struct sb_packet *p = sb_log_commit(&node->log, count, lines_n);
    for (uint32_t i = 0; i < count; i++) {
        sb_sequencer_note(node, c);
        c += sb_command_lines(c);
    }
    return p;
}

void sb_load_apply(struct sb_node *node)
{
    struct sb_packet *p = sb_log_packet(&node->log, node->apply_next++);
    sb_apply_packet(node, p);
    if (node->role == SB_ROLE_BOOT)
        pass_all(node, p);
}

enum sb_node_load sb_node_load(struct sb_node *node, const struct sb_journal_packet *packet,
                               const struct sb_command *lines)
{
    const bool boot = node->role == SB_ROLE_BOOT;
    SB_ASSERT(boot || (node->role == SB_ROLE_CATCH && node->copying));
    if (packet->n_first <= node->log.len)
        return SB_LOAD_KNOWN;
    if (packet->n_first != node->log.len + 1)
        return SB_LOAD_GAP;
    if (node->apply_next != node->log.packet_end)
        return SB_LOAD_FULL; /* in order: what came before is applied first */
    struct sb_packet *p = sb_load_put(node, packet->count, packet->lines, lines);
    if (p == NULL)
        return SB_LOAD_REFUSED;
    node->ack_due = !boot;
    if (!boot && !sb_apply_has_room(node, p))
        return SB_LOAD_TAKEN; /* applied by a poll, once its owner's mark has moved on */
    sb_load_apply(node);
    if (p->digest == packet->digest)
        return SB_LOAD_TAKEN;
    sb_count(node, SB_CTR_DIGEST_DIFFERENT);
    return SB_LOAD_DIFFERENT;
}

void sb_node_loaded(struct sb_node *node, const struct sb_node_record *record, uint64_t lineage)
{
    SB_ASSERT_EQ(node->role, SB_ROLE_BOOT);
    node->loaded = true;
    node->loaded_record = *record;
    node->epoch = record->epoch;
    node->lineage = lineage;
}

/* --- the disk ----------------------------------------------------------------------------------- */

void sb_node_durable(struct sb_node *node, uint64_t n, uint64_t records)
{
    if (n != node->durable_n && sb_role_follows(node))
        node->ack_due = true;
    node->durable_n = n;
    node->records_durable = records;
}

void sb_node_journal_lost(struct sb_node *node)
{
    node->setup.journal = false; /* durable_n stays: what is on the disk is there */
    node->journal_lost = true;
}

void sb_load_want_record(struct sb_node *node, uint8_t kind)
{
    node->record = (struct sb_node_record){.epoch = node->epoch, .n = node->log.len, .kind = kind};
    node->record_due = node->setup.journal || node->journal_lost; /* lost: for ever */
}

bool sb_node_record(struct sb_node *node, struct sb_node_record *record)
{
    /* In log order: a record vouches for every input before it. */
    if (!node->record_due || node->applied < node->record.n)
        return false;
    node->record.n = node->applied;
    *record = node->record;
    node->record_due = false;
    node->records_taken++;
    return true;
}

bool sb_load_recorded(const struct sb_node *node, uint8_t kind, uint64_t epoch)
{
    const enum sb_solo_policy policy = sb_config_solo_policy(node->config);
    /* Where a journal was written its next life may disclaim what is not in it. */
    const bool none = !node->setup.journal && !node->journal_lost;
    if (policy == SB_SOLO_MEMORY || (none && policy != SB_SOLO_DISK))
        return true;
    return node->record.kind == kind && node->record.epoch == epoch && !node->record_due &&
           node->records_durable >= node->records_taken;
}
