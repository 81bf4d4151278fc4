/* inspect_difference.c: `inspect --difference`: where two nodes' logs begin to differ, and what follows from it.
 *
 * Two passes. The first compares inputs and recorded digests and finds the place; no engine runs. Only where there is a
 * difference, the second runs an engine over each log up to it, for outputs and books. That needs a log that begins at input 1
 * or a snapshot before the place; without either only the place is said. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "perf/inspect.h"
#include "perf/inspect_words.h"
#include "perf/log_run.h"
#include "perf/top_view.h"
#include "shadowbook/assert.h"

enum { BOOK_DEPTH = 5 };

enum verdict {
    EQUAL,
    PREFIX,  /* one goes on behind the other's end */
    SHARD,   /* of two different shards */
    LIMITS,  /* of engines with different tables */
    DAY,     /* of two different days */
    COMMAND, /* another command at a number */
    PACKETS, /* the same commands, cut into packets differently */
    DIGEST,  /* the same commands, and a node made something else of them */
    STATE,   /* the same in everything, and yet another state at the end */
    APART,   /* no input in common */
    UNREADABLE,
};

static const char *const VERDICTS[] = {
    [EQUAL] = "equal", [PREFIX] = "prefix",   [SHARD] = "shard",          [LIMITS] = "limits",
    [DAY] = "day",     [COMMAND] = "command", [PACKETS] = "packets",      [DIGEST] = "digest",
    [STATE] = "state", [APART] = "apart",     [UNREADABLE] = "unreadable"};

/* --- the place ------------------------------------------------------------------------------------ */

/* A log, input by input. */
struct walk {
    struct sb_log_source log;
    const struct sb_command *c; /* the input that stands next */
    uint32_t left;              /* in its packet, this one included */
    int more;
};

/* What stands there in one of the logs: the command, or the packet with the other digest. */
struct excerpt {
    struct sb_command lines[SB_STREAM_LINES_MAX];
    uint32_t count;
    uint64_t digest, epoch, inc;
};

struct comparison {
    struct walk w[2];
    enum verdict verdict;
    uint64_t from;            /* first input compared */
    uint64_t n, packet_n;     /* where: the input, the first one of its packet */
    uint64_t equal_n, digest; /* recorded digests were last compared behind this input, and equal */
    struct excerpt there[2];
    bool any[2];      /* is there an input at all? */
    uint64_t rest[2]; /* inputs behind the common part */
    bool closed[2];
    uint64_t state_digest[2];
};

static const char *name_of(const struct comparison *k, int i)
{
    return sb_log_source_name(&k->w[i].log);
}

static void walk_next(struct walk *w)
{
    if (w->left > 1) {
        w->c += sb_command_lines(w->c);
        w->left--;
        return;
    }
    w->more = sb_log_source_next(&w->log, stderr);
    w->c = w->log.lines;
    w->left = w->more == 1 ? w->log.count : 0;
}

/* Skips what the other does not have because its earlier segments are gone. */
static void walk_to(struct walk *w, uint64_t n)
{
    while (w->more == 1 && w->c->seq < n)
        walk_next(w);
}

static void keep(struct excerpt *to, const struct walk *w, bool packet)
{
    const struct sb_command *from = packet ? w->log.lines : w->c;
    const struct sb_command *end = w->c + sb_command_lines(w->c);
    to->count = packet ? w->log.count : 1;
    to->digest = w->log.digest;
    to->epoch = w->log.epoch;
    to->inc = w->log.inc;
    SB_ASSERT_LE(end - from, SB_STREAM_LINES_MAX);
    memcpy(to->lines, from, (size_t)(end - from) * SB_LINE_BYTES);
}

static enum verdict found(struct comparison *k, enum verdict verdict)
{
    k->n = k->w[0].c->seq;
    k->packet_n = k->w[0].log.lines->seq;
    for (int i = 0; i < 2; i++)
        keep(&k->there[i], &k->w[i], verdict == DIGEST);
    return verdict;
}

static bool input_equal(const struct sb_command *a, const struct sb_command *b)
{
    const uint32_t lines = sb_command_lines(a);
    return lines == sb_command_lines(b) && memcmp(a, b, (size_t)lines * SB_LINE_BYTES) == 0;
}

/* Up to where one ends. */
static enum verdict compare_inputs(struct comparison *k)
{
    struct walk *a = &k->w[0], *b = &k->w[1];
    for (; a->more == 1 && b->more == 1; walk_next(a), walk_next(b)) {
        if (!input_equal(a->c, b->c))
            return found(k, a->c->kind == SB_CMD_DAY && b->c->kind == SB_CMD_DAY ? DAY : COMMAND);
        if ((a->left == 1) != (b->left == 1))
            return found(k, PACKETS);
        if (a->left == 1 && a->log.digest != b->log.digest)
            return found(k, DIGEST);
        k->n = a->c->seq;
        if (a->left == 1) {
            k->equal_n = k->n;
            k->digest = a->log.digest;
        }
    }
    return EQUAL;
}

/* The common part is equal: what of the ends? */
static enum verdict compare_ends(struct comparison *k)
{
    for (int i = 0; i < 2; i++)
        for (; k->w[i].more == 1; walk_next(&k->w[i]))
            k->rest[i]++;
    if (k->w[0].more < 0 || k->w[1].more < 0)
        return UNREADABLE;
    if (k->n == 0 && k->any[0] && k->any[1])
        return APART;
    for (int i = 0; i < 2; i++)
        k->closed[i] = sb_log_source_closed(&k->w[i].log, &k->state_digest[i]);
    if (k->rest[0] != 0 || k->rest[1] != 0)
        return PREFIX;
    if (k->closed[0] && k->closed[1] && k->state_digest[0] != k->state_digest[1])
        return STATE;
    return EQUAL;
}

static enum verdict compare(struct comparison *k)
{
    struct walk *a = &k->w[0], *b = &k->w[1];
    if (a->log.shard != b->log.shard)
        return SHARD;
    if (!sb_engine_limits_equal(&a->log.limits, &b->log.limits))
        return LIMITS;
    if (a->log.trading_day != 0 && b->log.trading_day != 0 &&
        a->log.trading_day != b->log.trading_day)
        return DAY;
    walk_next(a);
    walk_next(b);
    k->any[0] = a->more == 1;
    k->any[1] = b->more == 1;
    if (k->any[0] && k->any[1]) {
        walk_to(a, b->c->seq);
        walk_to(b, a->more == 1 ? a->c->seq : 0);
    }
    k->from = a->more == 1 ? a->c->seq : 0;
    const enum verdict verdict = compare_inputs(k);
    return verdict == EQUAL ? compare_ends(k) : verdict;
}

/* --- what follows from it ------------------------------------------------------------------------- */

struct order_search {
    uint32_t session, key;
    bool found;
};

static void match_order(void *arg, const struct sb_order_view *o)
{
    struct order_search *s = arg;
    s->found = s->found || (o->session == s->session && o->key == s->key);
}

/* The instrument that a command is about, before it is applied: named by it, or by a live order. */
static uint32_t instrument_of(const struct sb_engine *e, const struct sb_command *c)
{
    if (c->instrument != SB_INSTRUMENT_NONE || c->session == 0)
        return c->instrument;
    struct order_search s = {c->session, c->kind == SB_CMD_REPLACE ? c->orig_key : c->key, false};
    for (uint32_t i = 1; i <= sb_engine_instruments(e); i++) {
        sb_engine_visit_all(e, i, match_order, &s);
        if (s.found)
            return i;
    }
    return SB_INSTRUMENT_NONE;
}

struct instruments {
    uint32_t at[2 * SB_STREAM_LINES_MAX], n;
};

static void add_instruments(struct instruments *to, const struct sb_engine *e,
                            const struct excerpt *x)
{
    const struct sb_command *c = x->lines;
    for (uint32_t i = 0; i < x->count; i++, c += sb_command_lines(c)) {
        const uint32_t instrument = instrument_of(e, c);
        bool known = instrument == SB_INSTRUMENT_NONE || instrument == SB_INSTRUMENT_ALL;
        for (uint32_t k = 0; k < to->n; k++)
            known = known || to->at[k] == instrument;
        if (!known)
            to->at[to->n++] = instrument;
    }
}

static json_t *books(const struct instruments *of, const struct sb_engine *e)
{
    json_t *all = json_object();
    for (uint32_t i = 0; i < of->n; i++)
        sb_words_put(all, sb_words_symbol(e, of->at[i]).text,
                     sb_words_book(e, of->at[i], BOOK_DEPTH));
    return all;
}

/* The next input with what it makes. NULL: it cannot be read. */
static json_t *step(struct sb_log_run *r)
{
    if (sb_log_run_next(r, stderr) != 1)
        return NULL;
    json_t *command = sb_words_command(r->m.engine, r->c);
    json_t *outputs = json_array();
    for (uint32_t i = 0; i < r->out_n; i++)
        SB_ASSERT(json_array_append_new(outputs, sb_words_output(r->m.engine, &r->out[i])) == 0);
    sb_words_put(command, "outputs", outputs);
    return command;
}

/* Runs log i up to the place and over it: commands with their outputs, books before and after. False: it cannot be run,
 * said on the standard error. */
static bool put_history(json_t *side, const struct comparison *k, int i, uint64_t *digest)
{
    struct sb_log_run r;
    const uint64_t first = k->verdict == DIGEST ? k->packet_n : k->n;
    if (!sb_log_run_open_longest(&r, k->w[i].log.path, stderr))
        return false;
    bool good = sb_log_run_to(&r, first - 1, stderr) == 1;
    if (good && sb_log_run_snapshot_n(&r) >= first) {
        fprintf(stderr,
                "inspect: %s: its oldest snapshot is of input %" PRIu64 ": no outputs, no books\n",
                name_of(k, i), sb_log_run_snapshot_n(&r));
        good = false;
    }
    if (good) {
        struct instruments of = {.n = 0};
        json_t *commands = json_array();
        add_instruments(&of, r.m.engine, &k->there[0]);
        add_instruments(&of, r.m.engine, &k->there[1]);
        if (r.different_n != 0)
            sb_words_put_number(side, "engine_different_from", r.different_n);
        sb_words_put(side, "books_before", books(&of, r.m.engine));
        for (uint32_t c = 0; good && c < k->there[i].count; c++) {
            json_t *command = step(&r);
            good = command != NULL && json_array_append_new(commands, command) == 0;
        }
        sb_words_put(side, "commands", commands);
        sb_words_put(side, "books_after", books(&of, r.m.engine));
        *digest = sb_engine_digest(r.m.engine);
    }
    sb_log_run_close(&r);
    return good;
}

/* Without a history: the commands alone. */
static void put_commands(json_t *side, const struct excerpt *x)
{
    json_t *commands = json_array();
    const struct sb_command *c = x->lines;
    for (uint32_t i = 0; i < x->count; i++, c += sb_command_lines(c))
        SB_ASSERT(json_array_append_new(commands, sb_words_command(NULL, c)) == 0);
    sb_words_put(side, "commands", commands);
}

/* This engine's full-state digest at the end. False: it cannot be run. */
static bool own_state(const struct comparison *k, uint64_t *digest)
{
    struct sb_log_run r;
    if (!sb_log_run_open_longest(&r, k->w[0].log.path, stderr))
        return false;
    const bool good = sb_log_run_to(&r, k->n, stderr) == 1;
    *digest = sb_engine_state_digest(r.m.engine);
    sb_log_run_close(&r);
    return good;
}

/* --- the report ----------------------------------------------------------------------------------- */

/* Whom this engine's digest is the same as. */
static const char *agreement(const struct comparison *k, uint64_t own, const uint64_t recorded[2])
{
    return own == recorded[0] ? name_of(k, 0) : own == recorded[1] ? name_of(k, 1) : "neither";
}

static json_t *limits_words(const struct sb_engine_limits *l)
{
    json_t *o = json_object();
    sb_words_put_number(o, "instruments_max", l->instruments_max);
    sb_words_put_number(o, "sessions_max", l->sessions_max);
    sb_words_put_number(o, "orders_max", l->orders_max);
    sb_words_put_number(o, "levels_max", l->levels_max);
    sb_words_put_number(o, "terms_max", l->terms_max);
    return o;
}

static json_t *side_words(const struct comparison *k, int i)
{
    const struct sb_log_source *s = &k->w[i].log;
    const char node[2] = {(char)('A' + s->sender), '\0'};
    json_t *o = json_object();
    sb_words_put_text(o, "log", name_of(k, i));
    sb_words_put_text(o, "node", node);
    sb_words_put_number(o, "shard", s->shard);
    if (s->trading_day != 0)
        sb_words_put_number(o, "day", s->trading_day);
    if (k->there[i].count != 0) {
        sb_words_put_text(o, "epoch", sb_top_epoch(k->there[i].epoch).text);
        sb_words_put_number(o, "incarnation", k->there[i].inc);
        sb_words_put_text(o, "digest", sb_words_hex(k->there[i].digest).text);
    }
    if (k->closed[i])
        sb_words_put_text(o, "state_digest", sb_words_hex(k->state_digest[i]).text);
    if (k->verdict <= PREFIX)
        sb_words_put_number(o, "more", k->rest[i]);
    return o;
}

/* Names of the fields that are not the same in the two commands. */
static json_t *fields(json_t *a, json_t *b)
{
    json_t *first[2] = {json_array_get(json_object_get(a, "commands"), 0),
                        json_array_get(json_object_get(b, "commands"), 0)};
    json_t *names = sb_words_different(first[0], first[1]);
    for (size_t i = json_array_size(names); i-- > 0;)
        if (strcmp(json_string_value(json_array_get(names, i)), "outputs") == 0)
            json_array_remove(names, i);
    if (json_array_size(names) == 0)
        SB_ASSERT(json_array_append_new(names, json_string("reserved bytes")) == 0);
    return names;
}

static void put_digest_judgement(json_t *report, const struct comparison *k, uint64_t own)
{
    const uint64_t recorded[2] = {k->there[0].digest, k->there[1].digest};
    sb_words_put_text(report, "engine_digest", sb_words_hex(own).text);
    sb_words_put_text(report, "engine_agrees_with", agreement(k, own, recorded));
}

static void put_state_judgement(json_t *report, const struct comparison *k)
{
    uint64_t own;
    if (!own_state(k, &own))
        return;
    sb_words_put_text(report, "engine_state_digest", sb_words_hex(own).text);
    sb_words_put_text(report, "engine_agrees_with", agreement(k, own, k->state_digest));
}

/* Everything that is known, as an object. */
static json_t *report_of(const struct comparison *k)
{
    json_t *o = json_object(), *sides[2] = {side_words(k, 0), side_words(k, 1)};
    sb_words_put_text(o, "verdict", VERDICTS[k->verdict]);
    if (k->n != 0) {
        sb_words_put_number(o, "from", k->from);
        sb_words_put_number(o, "input", k->n);
        sb_words_put_number(o, "digests_equal_to", k->equal_n);
        if (k->equal_n != 0)
            sb_words_put_text(o, "digest_there", sb_words_hex(k->digest).text);
    }
    /* Of a digest the histories are the same: one is enough. */
    const int histories = k->there[0].count == 0 ? 0 : k->verdict == DIGEST ? 1 : 2;
    uint64_t own[2] = {0};
    bool run = histories != 0;
    for (int i = 0; i < histories; i++) {
        const bool good = put_history(sides[i], k, i, &own[i]);
        run = run && good;
        if (!good)
            put_commands(sides[i], &k->there[i]);
    }
    if (k->verdict == COMMAND || (k->verdict == DAY && histories != 0))
        sb_words_put(o, "fields", fields(sides[0], sides[1]));
    if (k->verdict == DIGEST && run)
        put_digest_judgement(o, k, own[0]);
    if (k->verdict == STATE)
        put_state_judgement(o, k);
    if (k->verdict == LIMITS)
        for (int i = 0; i < 2; i++)
            sb_words_put(sides[i], "limits", limits_words(&k->w[i].log.limits));
    sb_words_put(o, "a", sides[0]);
    sb_words_put(o, "b", sides[1]);
    return o;
}

/* --- in words ------------------------------------------------------------------------------------- */

static void print_books(json_t *side, const char *member, const char *when)
{
    const char *symbol;
    json_t *rows;
    json_object_foreach(json_object_get(side, member), symbol, rows)
    {
        printf("book of %s %s%s\n", symbol, when, json_array_size(rows) == 0 ? ": empty" : "");
        sb_words_table(rows, stdout);
    }
}

static void print_commands(json_t *side)
{
    size_t i, k;
    json_t *command, *output;
    json_array_foreach(json_object_get(side, "commands"), i, command)
    {
        printf("  ");
        sb_words_print(command, stdout);
        json_t *outputs = json_object_get(command, "outputs");
        if (outputs != NULL && json_array_size(outputs) == 0)
            printf("    no output\n");
        json_array_foreach(outputs, k, output)
        {
            printf("    ");
            sb_words_print(output, stdout);
        }
    }
}

static void print_place(const struct comparison *k)
{
    const char *a = name_of(k, 0), *b = name_of(k, 1);
    const bool ends_a = k->w[0].left == 1;
    switch (k->verdict) {
    case SHARD:
        printf("they are of different shards: %u in %s, %u in %s\n", k->w[0].log.shard, a,
               k->w[1].log.shard, b);
        break;
    case LIMITS:
        printf("the engines' limits differ\n");
        break;
    case DAY:
        printf("they are of different days\n");
        break;
    case COMMAND:
        printf("input %" PRIu64 " differs\n", k->n);
        break;
    case PACKETS:
        printf("input %" PRIu64 " is the last of a packet in %s and not in %s\n", k->n,
               ends_a ? a : b, ends_a ? b : a);
        break;
    case DIGEST:
        printf("inputs are equal, but behind input %" PRIu64
               " the digests of all outputs differ: %016" PRIx64 " in %s, %016" PRIx64
               " in %s; the packet's first input is %" PRIu64 "\n",
               k->n, k->there[0].digest, a, k->there[1].digest, b, k->packet_n);
        break;
    case STATE:
        printf("inputs and digests are equal from %" PRIu64 " to %" PRIu64
               ", but the full-state digests at the end differ: %016" PRIx64 " in %s, %016" PRIx64
               " in %s\n",
               k->from, k->n, k->state_digest[0], a, k->state_digest[1], b);
        break;
    case APART:
    case UNREADABLE:
    case EQUAL:
    case PREFIX:
        if (k->n == 0)
            printf("they have no input in common\n");
        else
            printf("inputs and digests are equal from %" PRIu64 " to %" PRIu64 "\n", k->from, k->n);
        break;
    }
}

static void print_ends(const struct comparison *k)
{
    for (int i = 0; i < 2; i++)
        if (k->rest[i] != 0)
            printf("%s has %" PRIu64 " inputs more\n", name_of(k, i), k->rest[i]);
    for (int i = 0; i < 2; i++)
        if (k->w[i].more == 0)
            sb_log_source_say_end(&k->w[i].log, stdout);
}

static void print_judgement(json_t *report)
{
    json_t *with = json_object_get(report, "engine_agrees_with");
    json_t *own = json_object_get(report, "engine_digest");
    if (own == NULL)
        own = json_object_get(report, "engine_state_digest");
    if (with != NULL)
        printf("this engine makes %s of it, and agrees with %s\n", json_string_value(own),
               json_string_value(with));
}

static void print_before(json_t *side)
{
    json_t *from = json_object_get(side, "engine_different_from");
    if (from != NULL)
        printf("this engine's digests are others than the recorded ones from input "
               "%" JSON_INTEGER_FORMAT " on\n",
               json_integer_value(from));
    print_books(side, "books_before", "before");
}

static void print_report(const struct comparison *k, json_t *report)
{
    json_t *sides[2] = {json_object_get(report, "a"), json_object_get(report, "b")};
    const bool place = k->verdict != EQUAL && k->verdict != PREFIX && k->verdict != UNREADABLE;
    print_place(k);
    if (!place || k->verdict == STATE || k->verdict == APART)
        print_ends(k);
    print_judgement(report);
    if (k->there[0].count != 0) {
        if (k->equal_n != 0)
            printf("recorded digests are equal up to input %" PRIu64 ": %016" PRIx64 "\n",
                   k->equal_n, k->digest);
        else
            printf("no recorded digest stands before it\n");
    }
    json_t *names = json_object_get(report, "fields"), *name;
    size_t n;
    json_array_foreach(names, n, name)
        printf("%s %s%s", n == 0 ? "fields that differ:" : ",", json_string_value(name),
               n + 1 == json_array_size(names) ? "\n" : "");
    print_before(sides[0]);
    for (int i = 0; i < 2; i++) {
        json_t *limits = json_object_get(sides[i], "limits");
        if (!place)
            continue;
        sb_words_print(sides[i], stdout);
        if (limits != NULL)
            sb_words_print(limits, stdout);
        print_commands(sides[i]);
        print_books(sides[i], "books_after", "after");
    }
}

static int code_of(enum verdict verdict)
{
    return verdict == EQUAL || verdict == PREFIX       ? 0
           : verdict == APART || verdict == UNREADABLE ? 2
                                                       : 1;
}

int sb_inspect_difference(const struct sb_inspect *a)
{
    struct comparison k = {.from = 0};
    if (!sb_log_source_open_inputs(&k.w[0].log, a->log, stderr))
        return 2;
    if (!sb_log_source_open_inputs(&k.w[1].log, a->other, stderr)) {
        sb_log_source_close(&k.w[0].log);
        return 2;
    }
    k.verdict = compare(&k);
    json_t *report = report_of(&k);
    bool good = true;
    if (!a->json) {
        print_report(&k, report);
    } else {
        good = json_dumpf(report, stdout, JSON_COMPACT) == 0;
        putchar('\n');
    }
    json_decref(report);
    for (int i = 0; i < 2; i++)
        sb_log_source_close(&k.w[i].log);
    return good ? code_of(k.verdict) : 2;
}
