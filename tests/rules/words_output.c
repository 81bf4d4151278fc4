#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tests/reason_names.h"
#include "words.h"

#define COUNT(names) (sizeof(names) / sizeof *(names))

static const char *const SIDES[] = {"buy", "sell", NULL, "short", NULL, "exempt"};

/* A kind of output and its fields, a letter each, in the order of the words:
 *   k key   o "of" old key   s side   q quantity   @ price   r reference   R "of" old reference   m match
 *   l liquidity   y reason   i instrument   p phase   n shares (in ref)   b "imbalance" shares (in ref)
 * and behind a bar, in any order, what is left out when it is the default:
 *   j instrument 1   c IOC bit   f phase 0   z quantity 0   x reason NONE   h key 0 */
static const struct form {
    const char *name, *fields;
    uint8_t kind;
    bool feed;
} FORMS[] = {
    {"accepted", "ksq@r|cj", SB_OUT_ACCEPTED, false},
    {"replaced", "kosq@r|cj", SB_OUT_REPLACED, false},
    {"canceled", "ksqry|j", SB_OUT_CANCELED, false},
    {"executed", "ksq@rml|j", SB_OUT_EXECUTED, false},
    {"rejected", "ky|", SB_OUT_REJECTED, false},
    {"operator", "i|fzxh", SB_OUT_OPERATOR, false},
    {"amended", "ksq@r|j", SB_OUT_AMENDED, false},
    {"triggered", "ksq@r|j", SB_OUT_TRIGGERED, false},
    {"mass", "kiq|x", SB_OUT_MASS, false},
    {"quoted", "kiq|x", SB_OUT_QUOTED, false},
    {"add", "rsq@|j", SB_OUT_F_ADD, true},
    {"executed", "rsq@m|j", SB_OUT_F_EXECUTED, true},
    {"executed-at", "rsq@m|j", SB_OUT_F_EXECUTED_AT, true},
    {"reduced", "rsq|j", SB_OUT_F_REDUCED, true},
    {"deleted", "rs|j", SB_OUT_F_DELETED, true},
    {"replaced", "rRsq@|j", SB_OUT_F_REPLACED, true},
    {"trade", "sq@m|j", SB_OUT_F_TRADE, true},
    {"phase", "ip|", SB_OUT_F_PHASE, true},
    {"cross", "in@m|", SB_OUT_F_CROSS, true},
    {"indicative", "isq@b|", SB_OUT_F_INDICATIVE, true},
};

static const struct {
    const char *word;
    uint8_t value;
} LIQUIDITIES[] = {
    {"added", SB_LIQ_ADDED}, {"removed", SB_LIQ_REMOVED}, {"auction", SB_LIQ_OPENING}};

static uint32_t read_instrument(struct words *w)
{
    return words_take(w, "all") ? SB_INSTRUMENT_ALL : words_lettered(w, 'i');
}

static uint8_t read_liquidity(struct words *w)
{
    for (size_t i = 0; i < COUNT(LIQUIDITIES); i++)
        if (words_take(w, LIQUIDITIES[i].word))
            return LIQUIDITIES[i].value;
    words_refuse(w, "added, removed or auction is expected");
}

static void expect_word(struct words *w, const char *word)
{
    if (!words_take(w, word))
        words_refuse(w, "another word is expected");
}

/* Takes a phase, if the next word is one. */
static bool read_phase(struct words *w, struct sb_output *o)
{
    for (size_t i = 0; i < COUNT(words_phases); i++)
        if (words_take(w, words_phases[i])) {
            o->side = (uint8_t)(i << SB_OUT_PHASE_SHIFT);
            return true;
        }
    return false;
}

static void read_field(struct words *w, char field, struct sb_output *o)
{
    switch (field) {
    case 'k':
        o->key = words_lettered(w, 'k');
        break;
    case 'o':
        expect_word(w, "of");
        o->orig_key = words_lettered(w, 'k');
        break;
    case 's':
        o->side = words_one_of(w, SIDES, COUNT(SIDES));
        break;
    case 'q':
        o->quantity = words_number(w);
        break;
    case '@':
        expect_word(w, "@");
        o->price = words_price(w);
        break;
    case 'r':
        o->ref = words_lettered(w, 'r');
        break;
    case 'R':
        expect_word(w, "of");
        o->match = words_lettered(w, 'r');
        break;
    case 'm':
        o->match = words_lettered(w, 'm');
        break;
    case 'l':
        o->liquidity = read_liquidity(w);
        break;
    case 'y':
        o->reason = words_one_of(w, REASON_NAMES, COUNT(REASON_NAMES));
        break;
    case 'i':
        o->instrument = read_instrument(w);
        break;
    case 'p':
        o->side =
            (uint8_t)(words_one_of(w, words_phases, COUNT(words_phases)) << SB_OUT_PHASE_SHIFT);
        break;
    case 'b':
        expect_word(w, "imbalance");
        o->ref = words_number(w);
        break;
    default: /* n */
        o->ref = words_number(w);
        break;
    }
}

/* What stands behind the bar, in any order. */
static void read_tail(struct words *w, const char *tail, struct sb_output *o)
{
    while (words_more(w)) {
        if (strchr(tail, 'f') != NULL && read_phase(w, o))
            continue;
        const char first = w->word[w->at][0];
        if (strchr(tail, 'c') != NULL && words_take(w, "ioc"))
            o->side |= SB_OUT_IOC;
        else if (strchr(tail, 'j') != NULL && first == 'i')
            o->instrument = words_lettered(w, 'i');
        else if (strchr(tail, 'h') != NULL && first == 'k')
            o->key = words_lettered(w, 'k');
        else if (strchr(tail, 'z') != NULL && first >= '0' && first <= '9')
            o->quantity = words_number(w);
        else if (strchr(tail, 'x') != NULL)
            o->reason = words_one_of(w, REASON_NAMES, COUNT(REASON_NAMES));
        else
            words_refuse(w, "a word too many");
    }
}

static const struct form *read_form(struct words *w, bool feed)
{
    for (size_t i = 0; i < COUNT(FORMS); i++)
        if (FORMS[i].feed == feed && words_take(w, FORMS[i].name))
            return &FORMS[i];
    words_refuse(w, "no such output");
}

struct sb_output words_output(struct words *w)
{
    struct sb_output o = {0};
    const bool feed = words_take(w, "feed");
    if (!feed)
        o.stream = words_lettered(w, 's');
    const struct form *form = read_form(w, feed);
    const char *field = form->fields;
    o.kind = form->kind;
    for (; *field != '|'; field++)
        read_field(w, *field, &o);
    if (strchr(field, 'j') != NULL)
        o.instrument = 1;
    if (o.kind == SB_OUT_ACCEPTED || o.kind == SB_OUT_REPLACED || o.kind == SB_OUT_AMENDED)
        o.reason = WORDS_CAPACITY;
    read_tail(w, field + 1, &o);
    return o;
}

void words_print_price(char *to, size_t room, int64_t price)
{
    const char *sign = price < 0 ? "-" : "";
    const int64_t p = price < 0 ? -price : price;
    if (p == 0)
        snprintf(to, room, "0");
    else if (p % 100 == 0)
        snprintf(to, room, "%s%" PRId64 ".%02" PRId64, sign, p / 10000, p % 10000 / 100);
    else
        snprintf(to, room, "%s%" PRId64 ".%04" PRId64, sign, p / 10000, p % 10000);
}

struct text {
    char *to;
    size_t room;
};

#define PUT(t, ...)                                                                                \
    do {                                                                                           \
        const size_t put_n = (size_t)snprintf((t)->to, (t)->room, __VA_ARGS__);                    \
        const size_t put_step = put_n < (t)->room ? put_n : (t)->room - 1;                         \
        (t)->to += put_step;                                                                       \
        (t)->room -= put_step;                                                                     \
    } while (0)

static const char *name_of(const char *const *names, size_t n, uint8_t i)
{
    return i < n && names[i] != NULL ? names[i] : "?";
}

static const char *liquidity_of(uint8_t value)
{
    for (size_t i = 0; i < COUNT(LIQUIDITIES); i++)
        if (LIQUIDITIES[i].value == value)
            return LIQUIDITIES[i].word;
    return "?";
}

static void print_field(struct text *t, char field, const struct sb_output *o)
{
    char price[32];
    switch (field) {
    case 'k':
        PUT(t, " k%u", o->key);
        break;
    case 'o':
        PUT(t, " of k%u", o->orig_key);
        break;
    case 's':
        PUT(t, " %s", name_of(SIDES, COUNT(SIDES), o->side & SB_OUT_SIDE_MASK));
        break;
    case 'q':
        PUT(t, " %u", o->quantity);
        break;
    case '@':
        words_print_price(price, sizeof price, o->price);
        PUT(t, " @ %s", price);
        break;
    case 'r':
        PUT(t, " r%" PRIu64, o->ref);
        break;
    case 'R':
        PUT(t, " of r%" PRIu64, o->match);
        break;
    case 'm':
        PUT(t, " m%" PRIu64, o->match);
        break;
    case 'l':
        PUT(t, " %s", liquidity_of(o->liquidity));
        break;
    case 'y':
        PUT(t, " %s", name_of(REASON_NAMES, COUNT(REASON_NAMES), o->reason));
        break;
    case 'i':
        if (o->instrument == SB_INSTRUMENT_ALL)
            PUT(t, " all");
        else
            PUT(t, " i%u", o->instrument);
        break;
    case 'p':
        PUT(t, " %s",
            name_of(words_phases, COUNT(words_phases), (uint8_t)(o->side >> SB_OUT_PHASE_SHIFT)));
        break;
    case 'b':
        PUT(t, " imbalance %" PRIu64, o->ref);
        break;
    default: /* n */
        PUT(t, " %" PRIu64, o->ref);
        break;
    }
}

static void print_tail(struct text *t, const char *tail, const struct sb_output *o)
{
    for (; *tail != '\0'; tail++) {
        if (*tail == 'c' && (o->side & SB_OUT_IOC) != 0)
            PUT(t, " ioc");
        else if (*tail == 'j' && o->instrument != 1)
            print_field(t, 'i', o);
        else if (*tail == 'f' && o->side >> SB_OUT_PHASE_SHIFT != 0)
            print_field(t, 'p', o);
        else if (*tail == 'z' && o->quantity != 0)
            print_field(t, 'q', o);
        else if (*tail == 'x' && o->reason != SB_REASON_NONE)
            print_field(t, 'y', o);
        else if (*tail == 'h' && o->key != 0)
            print_field(t, 'k', o);
    }
}

void words_print_output(char *to, size_t room, const struct sb_output *o)
{
    struct text t = {.to = to, .room = room};
    const struct form *form = NULL;
    for (size_t i = 0; i < COUNT(FORMS); i++)
        if (FORMS[i].kind == o->kind)
            form = &FORMS[i];
    if (o->stream == SB_STREAM_FEED)
        PUT(&t, "feed");
    else
        PUT(&t, "s%u", o->stream);
    if (form == NULL) {
        PUT(&t, " output of kind %u", o->kind);
        return;
    }
    PUT(&t, " %s", form->name);
    const char *field = form->fields;
    for (; *field != '|'; field++)
        print_field(&t, *field, o);
    print_tail(&t, field + 1, o);
}
