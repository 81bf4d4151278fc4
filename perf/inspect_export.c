/* inspect_export.c: `inspect --export`: every event of an order, a trade or a phase as a row of CSV. The man page has the
 * columns.
 *
 * One pass, row by row; beside the engine only orders that are open are remembered. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "perf/inspect.h"
#include "perf/inspect_orders.h"
#include "perf/inspect_words.h"
#include "perf/log_run.h"
#include "perf/top_view.h"
#include "shadowbook/assert.h"

static const char HEADING[] =
    "event,input,time,trading_day,since_midnight_ns,type,session,firm,clordid,key,orig_key,ref,"
    "side,tif,symbol,price,quantity,open,executed,match,contra_ref,liquidity,aggressor,reason,"
    "phase,capacity,epoch,log_incarnation,log_node,clock_error_ns\n";

/* What a row says. Zero, NULL and spaces are empty columns, unless said otherwise. */
struct event {
    const char *type, *side, *tif, *liquidity, *aggressor, *reason, *phase;
    const char *clordid; /* 14 bytes */
    uint64_t ref, quantity, match, contra_ref;
    int64_t price;
    uint32_t session, key, orig_key, instrument;
    uint32_t open, executed;
    bool has_price, has_quantity, has_open; /* then zero is a number */
    uint8_t capacity;
};

struct exporter {
    struct sb_log_run run;
    struct sb_inspect_orders orders;
    FILE *to;
    uint64_t rows;
    uint64_t second;     /* of time_text */
    char time_text[24];  /* YYYY-MM-DDTHH:MM:SS */
    char row[1024], *at; /* that is being made */
};

/* --- columns -------------------------------------------------------------------------------------- */

static void put_text(struct exporter *x, const char *text)
{
    while (*text != '\0')
        *x->at++ = *text++;
    *x->at++ = ',';
}

static void put_digits(struct exporter *x, uint64_t number, int digits_min)
{
    char digits[20];
    int n = 0;
    do {
        digits[n++] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0 || n < digits_min);
    while (n > 0)
        *x->at++ = digits[--n];
}

static void put_number(struct exporter *x, bool there, uint64_t number)
{
    if (there)
        put_digits(x, number, 1);
    *x->at++ = ',';
}

static void put_name(struct exporter *x, const char *name)
{
    put_text(x, name != NULL ? name : "");
}

/* A text of somebody else: quoted where CSV asks for it. */
static void put_foreign(struct exporter *x, const char *text, size_t n)
{
    const struct sb_words w = sb_words_padded(text, n);
    const bool quoted = strpbrk(w.text, ",\"") != NULL;
    if (quoted)
        *x->at++ = '"';
    for (const char *p = w.text; *p != '\0'; p++) {
        if (*p == '"')
            *x->at++ = '"';
        *x->at++ = *p;
    }
    if (quoted)
        *x->at++ = '"';
    *x->at++ = ',';
}

static void put_price(struct exporter *x, bool there, int64_t price)
{
    if (there && price < 0)
        *x->at++ = '-';
    if (there) {
        const uint64_t size = price < 0 ? 0 - (uint64_t)price : (uint64_t)price;
        put_digits(x, size / 10000, 1);
        *x->at++ = '.';
        put_digits(x, size % 10000, 4);
    }
    *x->at++ = ',';
}

static void put_time(struct exporter *x, uint64_t time_ns)
{
    if (x->time_text[0] == '\0' || time_ns / 1000000000u != x->second) {
        x->second = time_ns / 1000000000u;
        memcpy(x->time_text, sb_words_time(time_ns).text, 19);
    }
    memcpy(x->at, x->time_text, 19);
    x->at += 19;
    *x->at++ = '.';
    put_digits(x, time_ns % 1000000000u, 9);
    *x->at++ = 'Z';
    *x->at++ = ',';
}

/* The last column: bound on the error of the clock that gave the input its time. */
static void put_clock_error(struct exporter *x)
{
    const uint64_t bound_ns = x->run.log.clock_bound_ns;
    put_number(x, bound_ns != UINT64_MAX, bound_ns);
    x->at[-1] = '\n';
}

static void put_input(struct exporter *x, const struct sb_engine *e)
{
    const struct sb_day_view *day = sb_engine_day(e);
    const struct sb_command *c = x->run.c;
    put_number(x, true, x->rows);
    put_number(x, true, c->seq);
    put_time(x, c->time_ns);
    put_number(x, true, day->trading_day);
    put_number(x, c->time_ns >= day->midnight_ns, c->time_ns - day->midnight_ns);
}

static void put_source(struct exporter *x)
{
    const struct sb_log_source *s = &x->run.log;
    const bool known = s->is_journal; /* a log file has only those of its end */
    const char node[2] = {(char)('A' + s->sender), '\0'};
    put_text(x, known ? sb_top_epoch(s->epoch).text : "");
    put_number(x, known, s->inc);
    put_text(x, node);
}

/* False: the file cannot be written. */
static bool put_row(struct exporter *x, const struct event *v)
{
    const struct sb_engine *e = x->run.m.engine;
    const struct sb_instrument_view *i = sb_engine_instrument(e, v->instrument);
    const struct sb_session_view *session = sb_engine_session(e, v->session);
    const bool symbol = v->instrument != SB_INSTRUMENT_NONE && i != NULL && i->defined;
    x->at = x->row;
    x->rows++;
    put_input(x, e);
    put_text(x, v->type);
    put_number(x, true, v->session);
    put_number(x, v->session != 0, session->firm);
    put_foreign(x, v->clordid,
                v->clordid != NULL ? sizeof((struct sb_inspect_order *)0)->clordid : 0);
    put_number(x, v->key != 0, v->key);
    put_number(x, v->orig_key != 0, v->orig_key);
    put_number(x, v->ref != 0, v->ref);
    put_name(x, v->side);
    put_name(x, v->tif);
    put_foreign(x, symbol ? i->symbol : "", symbol ? sizeof i->symbol : 0);
    put_price(x, v->has_price, v->price);
    put_number(x, v->has_quantity, v->quantity);
    put_number(x, v->has_open, v->open);
    put_number(x, v->has_open, v->executed);
    put_number(x, v->match != 0, v->match);
    put_number(x, v->contra_ref != 0, v->contra_ref);
    put_name(x, v->liquidity);
    put_name(x, v->aggressor);
    put_name(x, v->reason);
    put_text(x, v->phase != NULL ? v->phase : symbol ? sb_words_phase(i->phase) : "");
    put_foreign(x, (const char *)&v->capacity, 1);
    put_source(x);
    put_clock_error(x);
    return fwrite(x->row, 1, (size_t)(x->at - x->row), x->to) == (size_t)(x->at - x->row);
}

/* --- events --------------------------------------------------------------------------------------- */

static struct event order_event(const char *type, const struct sb_inspect_order *o)
{
    return (struct event){.type = type,
                          .side = sb_words_side(o->side),
                          .tif = sb_words_tif(o->tif),
                          .clordid = o->clordid,
                          .ref = o->ref,
                          .price = o->price,
                          .session = o->session,
                          .key = o->key,
                          .instrument = o->instrument,
                          .open = o->open,
                          .executed = o->executed,
                          .has_price = true,
                          .has_quantity = true,
                          .has_open = true,
                          .capacity = o->capacity};
}

/* A side of a quote is remembered by nobody: what the output itself says. */
static struct event quote_event(const char *type, const struct sb_output *out)
{
    return (struct event){.type = type,
                          .side = sb_words_side(out->side & SB_OUT_SIDE_MASK),
                          .tif = "DAY",
                          .ref = out->ref,
                          .session = out->stream,
                          .key = out->key,
                          .instrument = out->instrument,
                          .quantity = out->quantity,
                          .has_quantity = true};
}

/* ACCEPTED and REPLACED: an order begins. */
static bool begins(struct exporter *x, const struct sb_output *out)
{
    const union sb_command_ext *ext = sb_command_ext(x->run.c);
    const bool carried = x->run.c->kind == SB_CMD_CARRY; /* no client's words; partly executed */
    struct sb_inspect_order o = {.session = out->stream,
                                 .key = out->key,
                                 .ref = out->ref,
                                 .price = out->price,
                                 .open = out->quantity,
                                 .instrument = out->instrument,
                                 .side = out->side & SB_OUT_SIDE_MASK,
                                 .capacity = out->reason,
                                 .tif = x->run.c->tif};
    memset(o.clordid, ' ', sizeof o.clordid);
    if (ext != NULL && !carried)
        memcpy(o.clordid, ext->order.clordid, sizeof o.clordid);
    if (carried)
        o.executed = ext->carry.executed;
    if (out->kind == SB_OUT_REPLACED) {
        struct sb_inspect_order *old =
            sb_inspect_orders_find(&x->orders, out->stream, out->orig_key);
        SB_ASSERT(old != NULL);
        o.executed = old->executed;
        if (o.tif == SB_TIF_DAY)
            o.tif = old->tif; /* a replace keeps it */
        sb_inspect_orders_remove(&x->orders, old);
    }
    struct event v = order_event(out->kind == SB_OUT_REPLACED ? "replaced" : "accepted", &o);
    v.orig_key = out->orig_key;
    v.quantity = out->quantity;
    if (sb_inspect_orders_add(&x->orders, &o))
        return put_row(x, &v);
    errno = ENOMEM;
    return false;
}

/* CANCELED and EXECUTED: less is open. */
static bool lessens(struct exporter *x, const struct sb_output *out, uint64_t contra_ref)
{
    struct sb_inspect_order *o = sb_inspect_orders_find(&x->orders, out->stream, out->key);
    const bool trade = out->kind == SB_OUT_EXECUTED;
    const char *type = trade ? "executed" : "canceled";
    struct event v = quote_event(type, out);
    if (o != NULL) {
        SB_ASSERT_LE(out->quantity, o->open);
        o->open -= out->quantity;
        if (trade)
            o->executed += out->quantity;
        v = order_event(type, o);
    }
    v.ref = out->ref; /* the next slice of an iceberg has another one */
    v.quantity = out->quantity;
    if (trade) {
        v.has_price = true;
        v.price = out->price;
        v.match = out->match;
        v.contra_ref = contra_ref;
        v.liquidity = sb_words_liquidity(out->liquidity);
        v.aggressor = out->liquidity == SB_LIQ_REMOVED ? "yes"
                      : out->liquidity == SB_LIQ_ADDED ? "no"
                                                       : "";
    } else {
        v.reason = sb_words_reason(out->reason);
    }
    const bool good = put_row(x, &v);
    if (o != NULL && o->open == 0)
        sb_inspect_orders_remove(&x->orders, o);
    return good;
}

/* AMENDED and TRIGGERED: an order goes on as another. */
static bool changes(struct exporter *x, const struct sb_output *out)
{
    struct sb_inspect_order *o = sb_inspect_orders_find(&x->orders, out->stream, out->key);
    SB_ASSERT(o != NULL); /* the engine answered for it: it was open */
    o->ref = out->ref;
    o->price = out->price;
    o->open = out->quantity;
    struct event v = order_event(out->kind == SB_OUT_AMENDED ? "amended" : "triggered", o);
    v.quantity = out->quantity;
    return put_row(x, &v);
}

/* An order that took the best price has it as its limit from then on. */
static void rests(struct exporter *x, const struct sb_output *out)
{
    const struct sb_command *c = x->run.c;
    struct sb_inspect_order *o =
        c->kind == SB_CMD_ORDER ? sb_inspect_orders_find(&x->orders, c->session, c->key) : NULL;
    if (o != NULL && o->ref == out->ref)
        o->price = out->price;
}

/* What was asked for, as far as it could be read. */
static bool rejected(struct exporter *x, const struct sb_output *out)
{
    const struct sb_command *c = x->run.c;
    const union sb_command_ext *ext = sb_command_ext(c);
    const bool carried = c->kind == SB_CMD_CARRY;
    const bool readable = c->kind == SB_CMD_ORDER || c->kind == SB_CMD_REPLACE || carried;
    const struct sb_inspect_order *old =
        c->kind == SB_CMD_REPLACE ? sb_inspect_orders_find(&x->orders, c->session, c->orig_key)
                                  : NULL;
    struct event v = {.type = "rejected",
                      .session = out->stream,
                      .key = out->key,
                      .reason = sb_words_reason(out->reason),
                      .clordid = ext != NULL && !carried ? ext->order.clordid : NULL};
    if (readable) {
        v.side = sb_words_side(old != NULL ? old->side : c->side);
        v.tif = sb_words_tif(c->tif);
        v.orig_key = c->orig_key;
        v.instrument = old != NULL ? old->instrument : c->instrument;
        v.capacity = old != NULL ? old->capacity : c->capacity;
        v.price = c->price;
        v.quantity = c->quantity;
        v.has_price = v.has_quantity = true;
    }
    return put_row(x, &v);
}

/* Nobody's order: a phase that an instrument entered, an auction's sum. */
static bool of_instrument(struct exporter *x, const struct sb_output *out)
{
    struct event v = {.type = "phase", .session = x->run.c->session, .instrument = out->instrument};
    if (out->kind == SB_OUT_F_PHASE) {
        v.phase = sb_words_phase(out->side >> SB_OUT_PHASE_SHIFT);
    } else {
        v.type = "cross";
        v.price = out->price;
        v.quantity = out->ref;
        v.match = out->match;
        v.has_price = v.has_quantity = true;
    }
    return put_row(x, &v);
}

/* The other side of a trade stands beside it. */
static uint64_t contra_ref(const struct sb_log_run *r, uint32_t at)
{
    const struct sb_output *out = r->out;
    uint64_t ref = 0;
    for (uint32_t other = at == 0 ? 1 : at - 1; other < r->out_n && other <= at + 1; other += 2)
        if (out[other].kind == SB_OUT_EXECUTED && out[other].match == out[at].match)
            ref = out[other].ref;
    SB_ASSERT(ref != 0);
    return ref;
}

static bool put_outputs(struct exporter *x)
{
    bool good = true;
    for (uint32_t i = 0; good && i < x->run.out_n; i++) {
        const struct sb_output *out = &x->run.out[i];
        switch (out->kind) {
        case SB_OUT_ACCEPTED:
        case SB_OUT_REPLACED:
            good = begins(x, out);
            break;
        case SB_OUT_EXECUTED:
            good = lessens(x, out, contra_ref(&x->run, i));
            break;
        case SB_OUT_CANCELED:
            good = lessens(x, out, 0);
            break;
        case SB_OUT_AMENDED:
        case SB_OUT_TRIGGERED:
            good = changes(x, out);
            break;
        case SB_OUT_F_ADD:
            rests(x, out);
            break;
        case SB_OUT_REJECTED:
            good = rejected(x, out);
            break;
        case SB_OUT_F_PHASE:
        case SB_OUT_F_CROSS:
            good = of_instrument(x, out);
            break;
        default:
            break;
        }
    }
    return good;
}

/* --- the file ------------------------------------------------------------------------------------- */

/* The exit code. What was written is only good with 0. */
static int write_rows(struct exporter *x, const char *path)
{
    struct sb_log_run *r = &x->run;
    bool good = fputs(HEADING, x->to) >= 0;
    int more = 1;
    while (good && (more = sb_log_run_next(r, stderr)) == 1)
        good = put_outputs(x);
    if (!good || fflush(x->to) != 0) {
        fprintf(stderr, "inspect: cannot write %s: %s\n", path, strerror(errno));
        return 2;
    }
    if (more < 0)
        return 1;
    uint64_t state_digest;
    if (!sb_log_source_closed(&r->log, &state_digest))
        sb_log_source_say_end(&r->log, stderr);
    if (r->different_n != 0) {
        fprintf(stderr,
                "inspect: from input %" PRIu64
                " on this engine makes something else than the node recorded: nothing exported\n",
                r->different_n);
        return 1;
    }
    return 0;
}

/* The orders of a snapshot: the clients' own texts are not in the engine, and so empty. */
struct intake {
    struct sb_inspect_orders *to;
    uint32_t instrument;
    bool good;
};

static void take_order(void *arg, const struct sb_order_view *v)
{
    struct intake *in = arg;
    if (v->quote)
        return;
    struct sb_inspect_order o = {.session = v->session,
                                 .key = v->key,
                                 .ref = v->ref,
                                 .price = v->limit,
                                 .open = v->open + v->reserve,
                                 .executed = v->executed,
                                 .instrument = in->instrument,
                                 .side = v->side,
                                 .capacity = v->capacity,
                                 .tif = v->tif};
    memset(o.clordid, ' ', sizeof o.clordid);
    in->good = in->good && sb_inspect_orders_add(in->to, &o);
}

/* What is open in the snapshot that the log begins with. */
static bool take_open_orders(struct exporter *x)
{
    const struct sb_engine *e = x->run.m.engine;
    struct intake in = {.to = &x->orders, .good = true};
    if (sb_log_run_snapshot_n(&x->run) == 0)
        return true;
    for (in.instrument = 1; in.instrument <= sb_engine_instruments(e); in.instrument++)
        sb_engine_visit_all(e, in.instrument, take_order, &in);
    fprintf(stderr,
            in.good
                ? "inspect: rows begin behind input %" PRIu64
                  ", with the journal's oldest snapshot; orders older than that have no clordid\n"
                : "inspect: no memory for the orders of the snapshot behind input %" PRIu64 "\n",
            sb_log_run_snapshot_n(&x->run));
    return in.good;
}

static int export_to(struct exporter *x, const char *path)
{
    char temporary[1024];
    const int n = snprintf(temporary, sizeof temporary, "%s.part", path);
    if (n < 0 || (size_t)n >= sizeof temporary || (x->to = fopen(temporary, "wb")) == NULL) {
        fprintf(stderr, "inspect: cannot create %s.part: %s\n", path, strerror(errno));
        return 2;
    }
    int code = write_rows(x, path);
    const bool closed = fclose(x->to) == 0;
    if (code == 0 && (!closed || rename(temporary, path) != 0)) {
        fprintf(stderr, "inspect: cannot write %s: %s\n", path, strerror(errno));
        code = 2;
    }
    if (code != 0)
        unlink(temporary);
    else
        printf("%" PRIu64 " rows of %" PRIu64 " inputs in %s\n", x->rows,
               sb_engine_applied(x->run.m.engine) - sb_log_run_snapshot_n(&x->run), path);
    return code;
}

int sb_inspect_export(const struct sb_inspect *a)
{
    struct exporter *x = calloc(1, sizeof *x);
    if (x == NULL || !sb_log_run_open_longest(&x->run, a->log, stderr)) {
        free(x);
        return 2;
    }
    const int code = take_open_orders(x) ? export_to(x, a->to) : 2;
    sb_inspect_orders_free(&x->orders);
    sb_log_run_close(&x->run);
    free(x);
    return code;
}
