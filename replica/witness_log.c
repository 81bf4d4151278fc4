#include "replica/witness_log.h"

#include <string.h>

size_t sb_witness_log_bytes(uint32_t lines)
{
    struct sb_log measure;
    struct sb_arena arena = {0};
    if (lines != 0)
        sb_log_init(&measure, &arena, lines);
    return (arena.used + 63) & ~(size_t)63;
}

void sb_witness_log_init(struct sb_witness_log *l, void *memory, uint32_t lines)
{
    struct sb_arena arena = {.base = memory, .size = sb_witness_log_bytes(lines)};
    memset(l, 0, sizeof *l);
    if (lines != 0)
        sb_log_init(&l->log, &arena, lines);
}

/* Empty behind number n. */
static void restart_behind(struct sb_witness_log *l, uint64_t n)
{
    l->log.packet_first = l->log.packet_end;
    l->log.len = l->base = n;
}

void sb_witness_log_drop(struct sb_witness_log *l)
{
    restart_behind(l, 0);
    l->state = SB_WITNESS_LOG_NONE;
    l->lineage = l->need = 0;
}

void sb_witness_log_open(struct sb_witness_log *l, uint64_t lineage, uint64_t durable,
                         uint64_t need)
{
    if (l->log.lines_cap == 0 || l->state == SB_WITNESS_LOG_OPEN)
        return;
    /* What was kept over a RESUME is part of this owner's log; its journal may reach further. */
    if (l->state != SB_WITNESS_LOG_KEPT || durable > l->log.len)
        restart_behind(l, durable);
    l->state = SB_WITNESS_LOG_OPEN;
    l->lineage = lineage;
    l->need = need;
}

/* W3: what the owner's journal holds need not be here; that also closes a hole. */
static void on_durable(struct sb_witness_log *l, uint64_t n)
{
    if (n > l->log.len)
        restart_behind(l, n);
    else if (n > l->base)
        l->base = n;
}

static bool has_room(const struct sb_witness_log *l)
{
    const uint64_t oldest = sb_log_find(&l->log, l->base + 1);
    if (oldest == UINT64_MAX)
        return true;
    return l->log.line_end - sb_log_packet(&l->log, oldest)->pos + 3u * SB_STREAM_LINES_MAX <=
               l->log.lines_cap &&
           l->log.packet_end - oldest + 2 <= l->log.packets_cap;
}

void sb_witness_log_take(struct sb_witness_log *l, const struct sb_stream *s, const void *lines)
{
    if (l->state != SB_WITNESS_LOG_OPEN)
        return;
    on_durable(l, s->durable);
    if (s->count == 0 || s->n_first != l->log.len + 1 || !has_room(l))
        return;
    memcpy(sb_log_begin(&l->log), lines, (size_t)s->lines * SB_LINE_BYTES);
    sb_log_commit(&l->log, s->count, s->lines);
}

bool sb_witness_log_covers(const struct sb_witness_log *l, uint64_t lineage, uint64_t durable)
{
    return lineage == l->lineage && durable >= l->base &&
           (durable >= l->need || l->log.len >= l->need);
}

void sb_witness_log_seal(struct sb_witness_log *l, uint64_t lineage, uint64_t durable)
{
    if (l->state ==
        SB_WITNESS_LOG_NONE) { /* by its record: nothing was acked, its journal is all */
        restart_behind(l, durable);
        l->need = durable;
        l->lineage = lineage;
    }
    l->state = SB_WITNESS_LOG_KEPT;
}
