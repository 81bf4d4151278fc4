#include "perf/plan.h"

#include <stdlib.h>
#include <string.h>

#include "nic/wire/entry.h"
#include "nic/wire/ouch.h"
#include "shadowbook/assert.h"

enum { SB_PLAN_FIRST_ROWS = 1024 };

bool sb_plan_init(struct sb_plan *plan, uint32_t sessions_n)
{
    SB_ASSERT_LE(1, sessions_n);
    *plan = (struct sb_plan){.sessions_n = sessions_n, .cap = SB_PLAN_FIRST_ROWS};
    plan->index_mask = 2 * SB_PLAN_FIRST_ROWS - 1;
    plan->rows = calloc(plan->cap, sizeof *plan->rows);
    plan->index = malloc((plan->index_mask + (size_t)1) * sizeof *plan->index);
    plan->messages_n = calloc(sessions_n + (size_t)1, sizeof *plan->messages_n);
    plan->keys = calloc(sessions_n + (size_t)1, sizeof *plan->keys);
    plan->session_rows = calloc(sessions_n + (size_t)1, sizeof *plan->session_rows);
    plan->key_rows = calloc(sessions_n + (size_t)1, sizeof *plan->key_rows);
    if (!plan->rows || !plan->index || !plan->messages_n || !plan->keys || !plan->session_rows ||
        !plan->key_rows) {
        sb_plan_free(plan);
        return false;
    }
    memset(plan->index, 0xFF, (plan->index_mask + (size_t)1) * sizeof *plan->index);
    return true;
}

void sb_plan_free(struct sb_plan *plan)
{
    for (uint32_t s = 0; plan->session_rows && s <= plan->sessions_n; s++)
        free(plan->session_rows[s]);
    for (uint32_t s = 0; plan->key_rows && s <= plan->sessions_n; s++)
        free(plan->key_rows[s]);
    free(plan->key_rows);
    free(plan->session_rows);
    free(plan->rows);
    free(plan->index);
    free(plan->messages_n);
    free(plan->keys);
    *plan = (struct sb_plan){0};
}

/* Where the order is in the index, or where it would be put. */
static uint32_t *find_id(const struct sb_plan *plan, uint64_t order_id)
{
    uint64_t h = order_id * UINT64_C(0x9E3779B97F4A7C15);
    for (uint32_t i = (uint32_t)(h >> 32) & plan->index_mask;; i = (i + 1) & plan->index_mask) {
        uint32_t *at = &plan->index[i];
        if (*at == SB_PLAN_NONE || plan->rows[*at].order_id == order_id)
            return at;
    }
}

/* Doubles rows and index. The index stays at most half full: it has twice as many places as there are rows. */
static bool grow(struct sb_plan *plan)
{
    if (plan->cap > UINT32_MAX / 4)
        return false;
    const uint32_t cap = plan->cap * 2, mask = cap * 2 - 1;
    struct sb_plan_row *rows = realloc(plan->rows, cap * sizeof *rows);
    if (!rows)
        return false;
    plan->rows = rows;
    uint32_t *index = malloc((mask + (size_t)1) * sizeof *index);
    if (!index)
        return false;
    memset(index, 0xFF, (mask + (size_t)1) * sizeof *index);
    free(plan->index);
    plan->index = index;
    plan->index_mask = mask;
    plan->cap = cap;
    for (uint32_t i = 0; i < plan->n; i++)
        if (rows[i].op == SB_PLAN_NEW)
            *find_id(plan, rows[i].order_id) = i;
    return true;
}

/* A cancel joins its order's session and its list of cancels. */
static void add_to_order(struct sb_plan *plan, struct sb_plan_row *row, uint32_t order_row)
{
    struct sb_plan_row *order = &plan->rows[order_row];
    struct sb_plan_row *last = &plan->rows[order->last_cancel];
    const uint32_t size = last == order ? order->quantity : last->intended;
    last->next_cancel = plan->n;
    order->last_cancel = plan->n;
    row->order_row = order_row;
    row->session = order->session;
    row->key = order->key;
    row->instrument = order->instrument;
    row->intended = size > row->quantity ? size - row->quantity : 0;
}

const char *sb_plan_add(struct sb_plan *plan, const struct sb_plan_event *event)
{
    if (plan->n == plan->cap && !grow(plan))
        return "no memory for more rows";
    struct sb_plan_row *row = &plan->rows[plan->n];
    *row = (struct sb_plan_row){.time_ns = event->time_ns,
                                .order_id = event->order_id,
                                .price = event->price,
                                .quantity = event->quantity,
                                .instrument = event->instrument,
                                .order_row = plan->n,
                                .next_cancel = SB_PLAN_NONE,
                                .last_cancel = plan->n,
                                .op = event->op,
                                .side = event->side,
                                .tif = event->tif,
                                .phase = event->phase};
    if (event->op == SB_PLAN_NEW) {
        uint32_t *at = find_id(plan, event->order_id);
        if (*at != SB_PLAN_NONE)
            return "a second order with the same order id";
        *at = plan->n;
        row->session = plan->next_session + 1;
        plan->next_session = (plan->next_session + 1) % plan->sessions_n;
        row->key = ++plan->keys[row->session];
        plan->orders++;
    } else if (event->op == SB_PLAN_CANCEL) {
        const uint32_t at = *find_id(plan, event->order_id);
        plan->cancels++;
        if (at == SB_PLAN_NONE) /* key 0 is no order's: the engine takes it and says nothing */
            row->session = 1;
        else
            add_to_order(plan, row, at);
    } else {
        SB_ASSERT_EQ(event->op, SB_PLAN_PHASE);
        row->session = 1;
        plan->phases++;
    }
    row->seq = ++plan->messages_n[row->session];
    if (event->op == SB_PLAN_PHASE)
        row->key = row->seq;
    plan->n++;
    return NULL;
}

bool sb_plan_finish(struct sb_plan *plan)
{
    for (uint32_t s = 1; s <= plan->sessions_n; s++) {
        plan->session_rows[s] = calloc(plan->messages_n[s] + (size_t)1, sizeof(uint32_t));
        plan->key_rows[s] = calloc(plan->keys[s] + (size_t)1, sizeof(uint32_t));
        if (!plan->session_rows[s] || !plan->key_rows[s])
            return false;
    }
    for (uint32_t i = 0; i < plan->n; i++) {
        const struct sb_plan_row *row = &plan->rows[i];
        plan->session_rows[row->session][row->seq - 1] = i;
        if (row->op == SB_PLAN_NEW)
            plan->key_rows[row->session][row->key - 1] = i;
    }
    return true;
}

void sb_plan_put_clordid(char clordid[14], uint64_t order_id)
{
    static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    char backwards[14];
    uint32_t n = 0;
    do {
        backwards[n++] = digits[order_id % 36];
        order_id /= 36;
    } while (order_id > 0); /* 2^64 has 13 digits */
    memset(clordid, ' ', 14);
    for (uint32_t i = 0; i < n; i++)
        clordid[i] = backwards[n - 1 - i];
}

bool sb_plan_get_clordid(const char clordid[14], uint64_t *order_id)
{
    uint64_t id = 0;
    uint32_t n = 0;
    for (; n < 14 && clordid[n] != ' '; n++) {
        const char c = clordid[n];
        uint64_t digit;
        if (c >= '0' && c <= '9')
            digit = (uint64_t)(c - '0');
        else if (c >= 'A' && c <= 'Z')
            digit = (uint64_t)(c - 'A') + 10;
        else
            return false;
        if (__builtin_mul_overflow(id, 36, &id) || __builtin_add_overflow(id, digit, &id))
            return false;
    }
    for (uint32_t i = n; i < 14; i++)
        if (clordid[i] != ' ')
            return false;
    *order_id = id;
    return n > 0;
}

uint32_t sb_plan_write(const struct sb_plan_row *row, const char (*symbols)[8], bool tag,
                       uint8_t *p)
{
    if (row->op == SB_PLAN_CANCEL)
        return sb_ouch_write_cancel(
            p, &(struct sb_ouch_cancel){.ref = row->key, .quantity = row->intended});
    static const char all[8] = "        ";
    const char *symbol = row->instrument == 0 ? all : symbols[row->instrument];
    if (row->op == SB_PLAN_PHASE)
        return sb_entry_write_phase(p, row->key, symbol, row->phase);
    struct sb_ouch_enter m = {.ref = row->key,
                              .quantity = row->quantity,
                              .price = (uint64_t)row->price,
                              .side = row->side,
                              .tif = row->tif,
                              .display = 'Y',
                              .capacity = 'P',
                              .iso = 'N',
                              .cross = 'N'};
    memcpy(m.symbol, symbol, sizeof m.symbol);
    memset(m.clordid, ' ', sizeof m.clordid);
    if (tag)
        sb_plan_put_clordid(m.clordid, row->order_id);
    return sb_ouch_write_enter(p, &m);
}
