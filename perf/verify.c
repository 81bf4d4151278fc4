#include "perf/verify.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nic/wire/itch.h"
#include "nic/wire/ouch.h"
#include "perf/follow.h"
#include "replica/genesis.h"
#include "shadowbook/assert.h"
#include "tests/reference/reference.h"

/* One command of the reconstructed log: when, and what. */
struct entry {
    uint64_t timestamp;
    uint32_t what;  /* enum below */
    uint32_t index; /* row, session or instrument */
};
enum { ROW, LOGIN, DAY, SESSION, INSTRUMENT, TIMER };

struct run {
    struct sb_verify *v;
    const struct sb_client *client;
    struct sb_reference *reference;
    struct sb_reference_outputs outputs;
    uint64_t *stream_next; /* [stream] */
    uint64_t seq;
    uint64_t books_open;
};

void sb_verify_trades_add(struct sb_verify_trades *trades, const struct sb_verify_trade *trade)
{
    if (trades->n == trades->cap) {
        trades->cap = trades->cap > 0 ? trades->cap * 2 : 1024;
        trades->at = realloc(trades->at, trades->cap * sizeof *trades->at);
        SB_ASSERT(trades->at != NULL);
    }
    trades->at[trades->n++] = *trade;
}

__attribute__((format(printf, 2, 3))) static void differ(char text[200], const char *format, ...)
{
    if (text[0] != '\0')
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(text, 200, format, args);
    va_end(args);
}

/* --- what the client saw ----------------------------------------------------------------- */

static void count_unanswered(struct sb_verify *v, const struct sb_client *c)
{
    for (uint32_t i = 0; i < c->plan->n; i++) {
        const struct sb_plan_row *plan_row = &c->plan->rows[i];
        if (c->rows[i].answer != 0)
            continue;
        const struct sb_client_row *order = &c->rows[plan_row->order_row];
        const bool known = plan_row->op == SB_PLAN_CANCEL && order->answer != 0;
        const bool of_none = plan_row->op == SB_PLAN_CANCEL && plan_row->order_row == i;
        if (of_none || (known && (order->open == 0 || plan_row->intended >= order->size))) {
            v->superfluous += plan_row->seq <= c->sessions[plan_row->session].taken;
            continue;
        }
        if (v->missing++ == 0)
            differ(v->sessions_difference,
                   "message %" PRIu32 " '%c' of session %" PRIu32 " (order %" PRIu64
                   ") was never answered",
                   plan_row->seq, plan_row->op, plan_row->session, plan_row->order_id);
    }
}

static void collect_trades(struct sb_verify *v, const struct sb_client *c)
{
    for (uint64_t match = 1; match <= c->matches_seen_max; match++) {
        const struct sb_client_trade *t = &c->trades[match];
        if (t->buy_liquidity == 0 && t->sell_liquidity == 0)
            continue; /* an auction's own number */
        if (t->buy_liquidity == 0 || t->sell_liquidity == 0) {
            if (v->half_trades++ == 0)
                differ(v->trades_difference, "match %" PRIu64 ": only one side was seen", match);
            continue;
        }
        char aggressor = 'a';
        if (t->buy_liquidity == SB_LIQ_REMOVED)
            aggressor = 'b';
        else if (t->sell_liquidity == SB_LIQ_REMOVED)
            aggressor = 's';
        sb_verify_trades_add(&v->seen, &(struct sb_verify_trade){
                                           .buy_order_id = c->plan->rows[t->buy_row].order_id,
                                           .sell_order_id = c->plan->rows[t->sell_row].order_id,
                                           .price = t->price,
                                           .quantity = t->quantity,
                                           .aggressor = aggressor});
    }
}

static void compare_trades(struct sb_verify *v, const struct sb_verify_trades *expected)
{
    const struct sb_verify_trades *seen = &v->seen;
    const uint64_t n = seen->n < expected->n ? seen->n : expected->n;
    for (uint64_t i = 0; i < n; i++) {
        const struct sb_verify_trade *a = &seen->at[i], *b = &expected->at[i];
        if (a->buy_order_id != b->buy_order_id || a->sell_order_id != b->sell_order_id ||
            a->price != b->price || a->quantity != b->quantity || a->aggressor != b->aggressor) {
            differ(v->trades_difference,
                   "trade %" PRIu64 ": buy %" PRIu64 " sell %" PRIu64 " price %" PRId64
                   " quantity %" PRIu64 " %c, expected buy %" PRIu64 " sell %" PRIu64
                   " price %" PRId64 " quantity %" PRIu64 " %c",
                   i + 1, a->buy_order_id, a->sell_order_id, a->price, a->quantity, a->aggressor,
                   b->buy_order_id, b->sell_order_id, b->price, b->quantity, b->aggressor);
            return;
        }
    }
    if (seen->n != expected->n)
        differ(v->trades_difference, "%" PRIu64 " trades, expected %" PRIu64, seen->n, expected->n);
}

/* --- the log, reconstructed -------------------------------------------------------------- */

static int by_time(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    if (a->timestamp != b->timestamp)
        return a->timestamp < b->timestamp ? -1 : 1;
    return (a->what > b->what) - (a->what < b->what); /* the day comes before its sessions */
}

static int by_time_alone(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    return (a->timestamp > b->timestamp) - (a->timestamp < b->timestamp);
}

/* Phases that changed at a time that none of the n commands, sorted, has. Returns how many commands there are now. */
static uint64_t add_timers(struct run *run, struct entry *log, uint64_t n)
{
    const struct sb_feed_book *book = &run->client->book;
    uint64_t at = n;
    for (uint64_t i = 0; i < book->phases_n; i++) {
        const struct entry timer = {book->phases[i], TIMER, 0};
        if (bsearch(&timer, log, n, sizeof *log, by_time_alone) == NULL)
            log[at++] = timer;
    }
    run->v->timers = at - n;
    qsort(log, at, sizeof *log, by_time);
    return at;
}

static struct entry *collect_log(struct run *run, uint64_t *n)
{
    const struct sb_client *c = run->client;
    const struct sb_config *config = c->config;
    struct entry *log = malloc((c->plan->n + (uint64_t)c->logins_n + config->sessions_n +
                                config->instruments_n + 1 + c->book.phases_n) *
                               sizeof *log);
    if (!log)
        return NULL;
    uint64_t at = 0;
    for (uint32_t i = 0; i < c->plan->n; i++)
        if (c->rows[i].answer != 0)
            log[at++] = (struct entry){c->rows[i].timestamp, ROW, i};
    for (uint32_t i = 0; i < c->logins_n; i++)
        log[at++] = (struct entry){c->logins[i].timestamp, LOGIN, i};
    qsort(log, at, sizeof *log, by_time);
    for (uint64_t i = 1; i < at; i++)
        run->v->clock_errors += log[i].timestamp == log[i - 1].timestamp;
    /* The shard's own commands have outputs only on the feed, and sessions none at all. */
    log[at++] = (struct entry){c->book.day_timestamp, DAY, 0};
    for (uint32_t i = 1; i <= config->sessions_n; i++)
        log[at++] = (struct entry){c->book.day_timestamp, SESSION, i};
    for (uint32_t i = 1; i <= config->instruments_n; i++)
        if (config->instruments[i].present)
            log[at++] = (struct entry){c->book.instruments[i].directory_timestamp, INSTRUMENT, i};
    qsort(log, at, sizeof *log, by_time);
    *n = add_timers(run, log, at);
    return log;
}

/* The shard's own commands, as its configuration makes them. */
static void own_command(const struct sb_config *config, const struct entry *entry,
                        struct sb_command2 *c)
{
    if (entry->what == DAY) {
        c->c.kind = SB_CMD_DAY;
        c->c.flags = SB_CMD_F_EXT;
        c->ext.day.trading_day = config->trading_day;
        c->ext.day.shard = config->shard;
        c->ext.day.generation = config->generation;
        c->ext.day.rules = SB_ENGINE_RULES;
    } else if (entry->what == TIMER) {
        c->c.kind = SB_CMD_TIMER;
        c->c.instrument = SB_INSTRUMENT_ALL;
    } else if (entry->what == SESSION) {
        sb_genesis_session(&config->sessions[entry->index], entry->index, c);
    } else {
        sb_genesis_instrument(&config->instruments[entry->index], entry->index, c);
    }
}

static void make_command(const struct sb_client *client, const struct entry *entry,
                         struct sb_command2 *c)
{
    memset(c, 0, sizeof *c);
    if (entry->what == ROW) {
        const struct sb_plan_row *row = &client->plan->rows[entry->index];
        uint8_t message[SB_OUCH_MESSAGE_MAX];
        char symbol[8];
        const uint32_t len = sb_plan_write(row, (const char(*)[8])client->symbols,
                                           client->options.tag_orders, message);
        sb_entry_to_command(message, len, entry->timestamp, c, symbol);
        c->c.session = row->session;
        c->c.session_seq = row->seq;
        if (row->op == SB_PLAN_NEW || (row->op == SB_PLAN_PHASE && row->instrument != 0))
            c->c.instrument = row->instrument;
        c->c.firm = client->config->sessions[row->session].firm;
    } else if (entry->what == LOGIN) {
        c->c.kind = SB_CMD_LOGIN;
        c->c.flags = SB_CMD_F_EXT;
        c->c.session = client->logins[entry->index].session;
        c->c.price = (int64_t)entry->index + 1; /* a nonce of its own */
        c->ext.login.ipv4 = client->config->client.ipv4;
        c->ext.login.port = (uint16_t)(SB_CLIENT_PORT_BASE + c->c.session);
    } else {
        own_command(client->config, entry, c);
    }
    c->c.time_ns = entry->timestamp; /* counted from a midnight of zero */
}

/* --- the reference's word ---------------------------------------------------------------- */

static uint64_t order_id(const struct sb_client *c, uint32_t session, uint32_t key)
{
    return c->plan->rows[c->plan->key_rows[session][key - 1]].order_id;
}

/* Two EXECUTED with one match number follow each other: the resting (in an auction: the buying) side first. */
static void reference_trade(struct run *run, const struct sb_output *first,
                            const struct sb_output *second)
{
    const struct sb_output *buy = sb_side_sells(first->side & SB_OUT_SIDE_MASK) ? second : first;
    const struct sb_output *sell = buy == first ? second : first;
    char aggressor = buy == second ? 'b' : 's';
    if (first->liquidity == SB_LIQ_OPENING)
        aggressor = 'a';
    sb_verify_trades_add(
        &run->v->reference,
        &(struct sb_verify_trade){.buy_order_id = order_id(run->client, buy->stream, buy->key),
                                  .sell_order_id = order_id(run->client, sell->stream, sell->key),
                                  .price = buy->price,
                                  .quantity = buy->quantity,
                                  .aggressor = aggressor});
}

static void compare_output(struct run *run, const struct sb_output *o, const struct sb_command *cmd)
{
    const struct sb_client *c = run->client;
    if (o->stream > c->plan->sessions_n)
        return; /* a session that we did not use */
    const struct sb_follow *stream =
        o->stream == SB_STREAM_FEED ? &c->feed : &c->sessions[o->stream].stream;
    uint8_t message[SB_OUCH_MESSAGE_MAX];
    const char *symbol = c->symbols[o->instrument <= c->config->instruments_n ? o->instrument : 0];
    const uint32_t len = o->stream == SB_STREAM_FEED
                             ? sb_feed_encode(message, o, symbol, 0)
                             : sb_session_encode(message, o, cmd, symbol, 0);
    run->stream_next[o->stream] = o->stream_seq + 1;
    const bool same = o->stream_seq < stream->next &&
                      stream->hashes[o->stream_seq - 1] == sb_follow_hash(message, len);
    if (same)
        return;
    if (o->stream == SB_STREAM_FEED)
        run->v->feed_equal = false;
    else
        run->v->sessions_equal = false;
    differ(run->v->sessions_difference,
           "stream %" PRIu32 " message %" PRIu64 ": the reference says '%c' for client key %" PRIu32
           ", the engine %s",
           o->stream, o->stream_seq, (char)message[0], o->key,
           o->stream_seq < stream->next ? "something else" : "nothing");
}

static void apply(struct run *run, const struct entry *entry)
{
    struct sb_command2 cmd;
    make_command(run->client, entry, &cmd);
    cmd.c.seq = ++run->seq;
    run->outputs.n = 0;
    sb_reference_apply(run->reference, &cmd.c, &run->outputs);
    const struct sb_output *first = NULL;
    for (size_t i = 0; i < run->outputs.n; i++) {
        const struct sb_output *o = &run->outputs.out[i];
        if (o->kind == SB_OUT_EXECUTED) {
            if (first)
                reference_trade(run, first, o);
            first = first ? NULL : o;
        }
        compare_output(run, o, &cmd.c);
    }
}

static void compare_lengths(struct run *run)
{
    const struct sb_client *c = run->client;
    for (uint32_t s = 0; s <= c->plan->sessions_n; s++) {
        const uint64_t seen = s == SB_STREAM_FEED ? c->feed.next : c->sessions[s].stream.next;
        if (seen == run->stream_next[s])
            continue;
        if (s == SB_STREAM_FEED)
            run->v->feed_equal = false;
        else
            run->v->sessions_equal = false;
        differ(run->v->sessions_difference,
               "stream %" PRIu32 " has %" PRIu64 " messages, the reference's %" PRIu64, s, seen - 1,
               run->stream_next[s] - 1);
    }
}

static void compare_order(void *arg, const struct sb_order_view *order)
{
    struct run *run = arg;
    const struct sb_feed_book *book = &run->client->book;
    run->books_open++;
    const struct sb_feed_order *o = order->ref <= book->refs_max ? &book->orders[order->ref] : NULL;
    const char side = sb_side_sells(order->side) ? 'S' : 'B';
    if (o && o->shares == order->open && (int64_t)o->price == order->price && o->side == side)
        return;
    run->v->books_equal = false;
    differ(run->v->books_difference,
           "order reference %" PRIu64 ": %" PRIu32 " shares in the feed's book, %" PRIu32
           " in the reference's",
           order->ref, o ? o->shares : 0, order->open);
}

static void compare_books(struct run *run)
{
    for (uint32_t i = 1; i <= run->client->config->instruments_n; i++) {
        sb_reference_visit(run->reference, i, SB_BUY, compare_order, run);
        sb_reference_visit(run->reference, i, SB_SELL, compare_order, run);
    }
    if (run->books_open == run->client->book.open)
        return;
    run->v->books_equal = false;
    differ(run->v->books_difference,
           "%" PRIu64 " open orders in the feed's books, %" PRIu64 " in the reference's",
           run->client->book.open, run->books_open);
}

bool sb_verify_run(struct sb_verify *v, const struct sb_client *client,
                   const struct sb_verify_trades *expected)
{
    *v = (struct sb_verify){.sessions_equal = true, .feed_equal = true, .books_equal = true};
    struct run run = {.v = v, .client = client};
    uint64_t n = 0;
    count_unanswered(v, client);
    collect_trades(v, client);
    run.stream_next = calloc(client->plan->sessions_n + (size_t)1, sizeof *run.stream_next);
    struct entry *log = collect_log(&run, &n);
    if (!run.stream_next || !log) {
        free(run.stream_next);
        free(log);
        return false;
    }
    run.reference = sb_reference_new(&client->config->limits);
    for (uint32_t s = 0; s <= client->plan->sessions_n; s++)
        run.stream_next[s] = 1;
    for (uint64_t i = 0; i < n; i++)
        apply(&run, &log[i]);
    compare_lengths(&run);
    compare_books(&run);
    compare_trades(v, expected ? expected : &v->reference);
    v->trades_equal = v->trades_difference[0] == '\0';
    v->sessions_equal = v->sessions_equal && v->missing == 0 && v->clock_errors == 0;
    sb_reference_free(run.reference);
    free(run.outputs.out);
    free(run.stream_next);
    free(log);
    return true;
}

void sb_verify_free(struct sb_verify *v)
{
    free(v->seen.at);
    free(v->reference.at);
    v->seen = v->reference = (struct sb_verify_trades){0};
}
