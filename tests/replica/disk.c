#include "tests/replica/disk.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { MS = 1000000 };

void disks_open(struct disks *d, struct bench *b)
{
    memset(d, 0, sizeof *d);
    d->b = b;
    for (uint8_t i = 0; i < 2; i++) {
        struct disk *k = &d->of[i];
        k->entries = calloc(DISK_ENTRIES_MAX, sizeof *k->entries);
        ck_assert_ptr_nonnull(k->entries);
        k->lineage = b->node[i]->inc;
    }
}

void disks_close(struct disks *d)
{
    free(d->of[0].entries);
    free(d->of[1].entries);
}

/* --- writing ---------------------------------------------------------------------------------- */

static struct disk_entry *entry_new(struct disk *k)
{
    ck_assert_uint_lt(k->n, DISK_ENTRIES_MAX);
    struct disk_entry *e = &k->entries[k->n++];
    memset(e, 0, sizeof *e);
    return e;
}

static void write_record(struct disk *k, struct sb_node *node)
{
    struct sb_node_record r;
    if (!sb_node_record(node, &r))
        return;
    r.n = k->queued_n;
    entry_new(k)->record = r;
}

static void write_packets(struct disk *k, const struct sb_node *node)
{
    for (; k->next_packet < node->log.packet_end; k->next_packet++) {
        const struct sb_packet *p = sb_log_packet(&node->log, k->next_packet);
        if (sb_packet_last(p) > node->applied)
            return;
        if (sb_packet_last(p) <= k->queued_n)
            continue;
        ck_assert_uint_eq(p->n_first, k->queued_n + 1);
        struct disk_entry *e = entry_new(k);
        e->packet = (struct sb_journal_packet){
            .n_first = p->n_first, .digest = p->digest, .count = p->count, .lines = p->lines};
        memcpy(e->lines, sb_log_lines(&node->log, p), p->lines * sizeof e->lines[0]);
        k->queued_n = sb_packet_last(p);
    }
}

/* --- reading ---------------------------------------------------------------------------------- */

static uint64_t last_of(const struct disk *k, uint32_t entries)
{
    for (uint32_t i = entries; i-- > 0;)
        if (k->entries[i].packet.count != 0)
            return k->entries[i].packet.n_first + k->entries[i].packet.count - 1;
    return 0;
}

uint64_t disks_durable_n(const struct disks *d, uint8_t node)
{
    return last_of(&d->of[node], d->of[node].durable);
}

struct sb_node_record disks_record(const struct disks *d, uint8_t node)
{
    const struct disk *k = &d->of[node];
    for (uint32_t i = k->durable; i-- > 0;)
        if (k->entries[i].packet.count == 0)
            return k->entries[i].record;
    return (struct sb_node_record){0};
}

/* Records of this life that are durable: those behind the first `first` entries. */
static uint64_t records_durable(const struct disk *k, uint64_t taken)
{
    uint64_t in_all = 0, durable = 0;
    for (uint32_t i = 0; i < k->n; i++) {
        in_all += k->entries[i].packet.count == 0;
        durable += k->entries[i].packet.count == 0 && i < k->durable;
    }
    const uint64_t earlier = in_all - taken;
    return durable > earlier ? durable - earlier : 0;
}

/* The joiner copies what is durable at its owner. */
static void copy(struct disks *d, uint8_t i)
{
    const struct disk *from = &d->of[1 - i];
    struct sb_node *node = d->b->node[i];
    if (from->no_copy)
        return;
    for (uint32_t k = 0; k < from->durable; k++) {
        const struct disk_entry *e = &from->entries[k];
        if (e->packet.count == 0 || e->packet.n_first <= node->log.len)
            continue;
        const enum sb_node_load loaded = sb_node_load(node, &e->packet, e->lines);
        if (loaded == SB_LOAD_FULL || loaded == SB_LOAD_REFUSED)
            return;
        ck_assert_int_eq(loaded, SB_LOAD_TAKEN);
    }
}

/* --- turns ------------------------------------------------------------------------------------ */

static void journal_begin(struct disk *k, uint64_t lineage)
{
    k->n = k->durable = 0;
    k->next_packet = k->queued_n = 0;
    k->lineage = lineage;
}

static void format(struct disks *d, uint8_t i, bool force, uint64_t join_epoch, uint64_t join_inc)
{
    struct bench *b = d->b;
    struct sb_node_setup setup = b->node[i]->setup;
    const size_t bytes = sb_node_footprint(&b->config);
    if (join_epoch != 0)
        sb_node_carry_disclaim(b->node[i], &setup);
    else
        setup.disclaim_inc = 0;
    setup.versions = b->versions[i];
    setup.rules = b->rules[i];
    setup.inc = b->now_ns + 1 + i;
    setup.new_day = false;
    setup.force_solo = force;
    setup.journal = true;
    setup.join_epoch = join_epoch;
    setup.join_inc = join_inc;
    memset(b->mem[i], 0, bytes);
    b->node[i] = sb_node_new(b->mem[i], bytes, &setup);
}

static void disk_turn(struct disks *d, uint8_t i)
{
    struct bench *b = d->b;
    struct disk *k = &d->of[i];
    uint64_t epoch, inc;
    if (b->down[i])
        return;
    if (sb_node_wants_join(b->node[i], &epoch, &inc)) {
        format(d, i, false, epoch, inc);
        journal_begin(k, b->node[i]->inc);
    }
    struct sb_node *node = b->node[i];
    if (node->role == SB_ROLE_CATCH) {
        copy(d, i);
        write_record(k, node);
    }
    if (node->role != SB_ROLE_BOOT)
        write_packets(k, node);
    write_record(k, node);
    if (!k->stuck)
        k->durable = k->n;
    if (node->setup.journal)
        sb_node_durable(node, last_of(k, k->durable), records_durable(k, node->records_taken));
}

void disks_step(struct disks *d)
{
    bench_step(d->b);
    disk_turn(d, 0);
    disk_turn(d, 1);
}

void disks_run(struct disks *d, uint64_t ns)
{
    for (const uint64_t end = d->b->now_ns + ns; d->b->now_ns < end;)
        disks_step(d);
}

void disks_until(struct disks *d, uint8_t node, enum sb_role role)
{
    for (const uint64_t end = d->b->now_ns + 50 * MS;
         d->b->now_ns < end && d->b->node[node]->role != role;)
        disks_step(d);
    ck_assert_int_eq(d->b->node[node]->role, role);
}

void disks_until_pair(struct disks *d, uint8_t primary)
{
    disks_until(d, (uint8_t)(1 - primary), SB_ROLE_SHADOW);
    disks_until(d, primary, SB_ROLE_PRIM);
    disks_run(d, MS);
    ck_assert_int_eq(d->b->witness.state, SB_W_DUAL);
    ck_assert_uint_eq(d->b->node[0]->epoch, d->b->node[1]->epoch);
}

void disks_kill(struct disks *d, uint8_t node)
{
    struct disk *k = &d->of[node];
    d->b->down[node] = true;
    d->b->inbox[node].n = 0;
    k->n = k->durable;
}

void disks_restart(struct disks *d, uint8_t node, bool with_journal, bool force)
{
    struct disk *k = &d->of[node];
    format(d, node, force, 0, 0);
    d->b->down[node] = false;
    k->stuck = false;
    if (!with_journal) {
        journal_begin(k, d->b->node[node]->inc);
        return;
    }
    struct sb_node *n = d->b->node[node];
    for (uint32_t i = 0; i < k->durable; i++) {
        if (k->entries[i].packet.count == 0)
            continue;
        const enum sb_node_load loaded =
            sb_node_load(n, &k->entries[i].packet, k->entries[i].lines);
        if (loaded == SB_LOAD_REFUSED)
            return; /* the node stops */
        ck_assert_int_eq(loaded, SB_LOAD_TAKEN);
    }
    k->next_packet = n->log.packet_end;
    k->queued_n = n->log.len;
    const struct sb_node_record record = disks_record(d, node);
    sb_node_loaded(n, &record, k->lineage);
}
