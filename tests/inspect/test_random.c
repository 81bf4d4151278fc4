/* test_random.c: the order events of random days, with commands of every kind, good and bad. What the last row of an order says
 * of it is what the engine holds; an order with nothing open left, or replaced, is not in the engine any more; quantities add up. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "perf/inspect_words.h"
#include "shadowbook/assert.h"
#include "tests/differential/random_flow.h"
#include "tests/inspect/script.h"

enum { DAYS = 60, COMMANDS = 3000, COLUMNS = 30 };

/* Columns, from 0. */
enum {
    TYPE = 5,
    SESSION = 6,
    KEY = 9,
    ORIG_KEY,
    REF,
    SIDE,
    TIF,
    SYMBOL = 14,
    PRICE,
    QUANTITY,
    OPEN,
    EXECUTED
};

struct order { /* as the rows tell it */
    uint32_t session, key;
    uint64_t begun, traded, canceled; /* under this key, or since it was amended */
    uint64_t open, executed;
    char price[24], side[24], symbol[40], tif[16];
    bool live;
};

struct judge {
    struct order orders[COMMANDS];
    uint32_t n, live, kinds[128]; /* kinds: rows by the first letter of their type */
};

/* Cuts a row into its columns, in place; quotes are taken off. */
static void cut(char *line, char *columns[COLUMNS])
{
    char *from = line, *to = line;
    for (int i = 0; i < COLUMNS; i++) {
        bool quoted = false;
        columns[i] = to;
        for (; quoted || (*from != ',' && *from != '\n'); from++) {
            SB_ASSERT(*from != '\0');
            if (*from != '"')
                *to++ = *from;
            else if (quoted && from[1] == '"')
                *to++ = *from++;
            else
                quoted = !quoted;
        }
        SB_ASSERT((*from == '\n') == (i == COLUMNS - 1));
        from++;
        *to++ = '\0';
    }
}

static uint64_t number(const char *text)
{
    return strtoull(text, NULL, 10);
}

static struct order *by_key(struct judge *j, uint32_t session, uint32_t key)
{
    struct order *found = NULL;
    for (uint32_t i = j->n; i-- > 0 && found == NULL;)
        if (j->orders[i].live && j->orders[i].session == session && j->orders[i].key == key)
            found = &j->orders[i];
    SB_ASSERT(found != NULL);
    return found;
}

static struct order *begin(struct judge *j, char *columns[COLUMNS])
{
    const uint32_t session = (uint32_t)number(columns[SESSION]);
    SB_ASSERT_LT(j->n, (uint32_t)COMMANDS);
    struct order *o = &j->orders[j->n];
    *o = (struct order){.session = session,
                        .key = (uint32_t)number(columns[KEY]),
                        .begun = number(columns[QUANTITY]),
                        .live = true};
    if (columns[TYPE][0] == 'r') {
        struct order *old = by_key(j, session, (uint32_t)number(columns[ORIG_KEY]));
        SB_ASSERT_EQ(number(columns[EXECUTED]), old->executed);
        old->live = false;
    }
    j->n++;
    return o;
}

static void take(struct judge *j, char *columns[COLUMNS])
{
    const char *type = columns[TYPE];
    const uint64_t quantity = number(columns[QUANTITY]);
    j->kinds[(size_t)type[0]]++;
    if (number(columns[REF]) == 0 || columns[OPEN][0] == '\0') /* nobody's order, or a quote */
        return;
    const bool begins = strcmp(type, "accepted") == 0 || strcmp(type, "replaced") == 0;
    struct order *o =
        begins ? begin(j, columns)
               : by_key(j, (uint32_t)number(columns[SESSION]), (uint32_t)number(columns[KEY]));
    if (strcmp(type, "executed") == 0)
        o->traded += quantity;
    else if (strcmp(type, "canceled") == 0)
        o->canceled += quantity;
    else if (strcmp(type, "amended") == 0)
        o->begun = quantity + o->traded + o->canceled;
    else
        SB_ASSERT(begins || strcmp(type, "triggered") == 0);
    o->open = number(columns[OPEN]);
    o->executed = number(columns[EXECUTED]);
    SB_ASSERT(o->live);
    SB_ASSERT_EQ(o->begun, o->open + o->traded + o->canceled);
    o->live = o->open != 0;
    snprintf(o->side, sizeof o->side, "%s", columns[SIDE]);
    snprintf(o->symbol, sizeof o->symbol, "%s", columns[SYMBOL]);
    snprintf(o->tif, sizeof o->tif, "%s", columns[TIF]);
    if (type[0] != 'e') /* a trade's price is not the order's */
        snprintf(o->price, sizeof o->price, "%s", columns[PRICE]);
}

static void read_rows(struct judge *j, const char *path)
{
    char line[1024], *columns[COLUMNS];
    FILE *f = fopen(path, "r");
    SB_ASSERT(f != NULL && fgets(line, sizeof line, f) != NULL);
    while (fgets(line, sizeof line, f) != NULL) {
        cut(line, columns);
        take(j, columns);
    }
    fclose(f);
    for (uint32_t i = 0; i < j->n; i++)
        j->live += j->orders[i].live;
}

struct visit {
    struct judge *judge;
    const char *symbol;
    uint32_t n;
};

static void compare_order(void *arg, const struct sb_order_view *v)
{
    struct visit *of = arg;
    if (v->quote)
        return;
    const struct order *o = by_key(of->judge, v->session, v->key);
    of->n++;
    SB_ASSERT_EQ(o->open, v->open + v->reserve);
    SB_ASSERT_EQ(o->executed, v->executed);
    /* What took the best price had none when its last row was written. */
    SB_ASSERT(strcmp(o->price, sb_words_price(v->limit).text) == 0 ||
              strcmp(o->price, "0.0000") == 0);
    SB_ASSERT(strcmp(o->side, sb_words_side(v->side)) == 0);
    SB_ASSERT(strcmp(o->tif, sb_words_tif(v->tif)) == 0);
    SB_ASSERT(strcmp(o->symbol, of->symbol) == 0);
}

static void compare_engine(struct judge *j, const struct sb_engine *e)
{
    struct visit of = {.judge = j};
    for (uint32_t i = 1; i <= sb_engine_instruments(e); i++) {
        const struct sb_words symbol = sb_words_symbol(e, i);
        of.symbol = symbol.text;
        sb_engine_visit_all(e, i, compare_order, &of);
    }
    SB_ASSERT_EQ(of.n, j->live);
}

/* Adds the kinds of rows to kinds. */
static void day(uint64_t seed, const char *log, const char *csv, uint32_t kinds[128])
{
    static struct judge j;
    static struct script s;
    struct random_flow flow;
    char said[256];
    memset(&j, 0, sizeof j);
    random_flow_make(&flow, seed, COMMANDS);
    script_open(&s, &flow.limits, 8192);
    for (uint32_t i = 0; i < flow.n; i++) {
        script_put(&s, &flow.commands[i].c);
        if (s.lines + 2 > SB_STREAM_LINES_MAX || i % 7 == seed % 7)
            script_seal(&s);
    }
    if (s.count != 0)
        script_seal(&s);
    script_end(&s);
    script_store_log(&s, log, 0);
    const char *const arguments[] = {"--log", log, "--export", csv, NULL};
    SB_ASSERT_EQ(script_inspect(said, sizeof said, arguments), 0);
    read_rows(&j, csv);
    compare_engine(&j, s.m.engine);
    for (size_t i = 0; i < 128; i++)
        kinds[i] += j.kinds[i];
    script_close(&s);
    free(flow.commands);
}

int main(void)
{
    char dir[] = "/tmp/shadowbook-test-random-XXXXXX", log[64], csv[64];
    uint32_t kinds[128] = {0};
    SB_ASSERT(mkdtemp(dir) != NULL);
    snprintf(log, sizeof log, "%s/log", dir);
    snprintf(csv, sizeof csv, "%s/csv", dir);
    for (uint64_t seed = 1; seed <= DAYS; seed++)
        day(seed, log, csv, kinds);
    unlink(log);
    unlink(csv);
    SB_ASSERT(rmdir(dir) == 0);
    printf(
        "rows: accepted %u, rejected and replaced %u, executed %u, canceled and crosses %u, phases "
        "%u\n",
        kinds['a'], kinds['r'], kinds['e'], kinds['c'], kinds['p']);
    for (const char *type = "arecp"; *type != '\0'; type++)
        SB_ASSERT_LT(100, kinds[(size_t)*type]);
    return 0;
}
