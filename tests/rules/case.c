#include "case.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shadowbook/assert.h"

enum { STEP_NS = 1000000, INSTRUMENTS = 4 };

static const char *const MATCHINGS[] = {"price-time", "pro-rata"};
static const char *const TIES[] = {"pressure", "reference", "highest", "lowest"};
static const char *const ACTIONS[] = {"cancel", "pause"};

/* Room for one more of n elements: doubles whenever n is a power of two. */
static void *grown(void *array, size_t n, size_t bytes)
{
    if ((n & (n - 1)) != 0)
        return array;
    void *bigger = realloc(array, (n == 0 ? 1 : 2 * n) * bytes);
    SB_ASSERT(bigger != NULL);
    return bigger;
}

/* The definitions as they stand so far: sessions 1..4, then instruments (not defined: kind NONE). */
struct definitions {
    struct sb_command2 session[CASE_SESSIONS], instrument[INSTRUMENTS];
};

static void define_instrument(struct definitions *d, uint32_t index)
{
    struct sb_command2 *c = &d->instrument[index - 1];
    if (c->c.kind != SB_CMD_NONE)
        return;
    c->c.kind = SB_CMD_INSTRUMENT;
    c->c.flags = SB_CMD_F_EXT;
    c->c.instrument = index;
    memcpy(c->ext.instrument.symbol, "I       ", 8);
    c->ext.instrument.symbol[1] = (char)('0' + index);
    c->ext.instrument.tick = 100;
    c->ext.instrument.price_min = 100;
    c->ext.instrument.price_max = 1000000;
    c->ext.instrument.lot = 1;
    c->ext.instrument.quantity_max = 1000000;
    c->ext.instrument.phase = SB_PHASE_CONTINUOUS;
}

static void define_defaults(struct definitions *d)
{
    *d = (struct definitions){0};
    for (uint32_t s = 1; s <= CASE_SESSIONS; s++) {
        struct sb_command2 *c = &d->session[s - 1];
        c->c.kind = SB_CMD_SESSION;
        c->c.flags = SB_CMD_F_EXT;
        c->c.key = c->c.firm = s;
        c->ext.session.operator_right = s == CASE_SESSIONS;
    }
    define_instrument(d, 1);
}

static void read_limits(struct words *w, struct sb_engine_limits *limits)
{
    while (words_more(w)) {
        if (words_take(w, "orders"))
            limits->orders_max = words_number(w);
        else if (words_take(w, "levels"))
            limits->levels_max = words_number(w);
        else if (words_take(w, "terms"))
            limits->terms_max = words_number(w);
        else
            words_refuse(w, "unknown word");
    }
}

static void read_session(struct words *w, struct definitions *d)
{
    const uint32_t index = words_number(w);
    if (index < 1 || index > CASE_SESSIONS)
        words_refuse(w, "sessions are 1 to 4");
    struct sb_command2 *c = &d->session[index - 1];
    while (words_more(w)) {
        if (words_take(w, "firm"))
            c->c.firm = words_number(w);
        else if (words_take(w, "operator"))
            c->ext.session.operator_right = 1;
        else if (words_take(w, "stp"))
            c->ext.session.stp = words_one_of(w, words_stps, 5);
        else if (words_take(w, "group"))
            c->ext.session.stp_group = words_number(w);
        else if (words_take(w, "orders"))
            c->ext.session.orders_max = words_number(w);
        else if (words_take(w, "quantity"))
            c->ext.session.quantity_max = words_number(w);
        else if (words_take(w, "notional"))
            c->ext.session.notional_max = words_number(w);
        else
            words_refuse(w, "unknown word");
    }
}

static bool read_prices(struct words *w, union sb_command_ext *x)
{
    if (words_take(w, "tick"))
        x->instrument.tick = words_price(w);
    else if (words_take(w, "min"))
        x->instrument.price_min = words_price(w);
    else if (words_take(w, "max"))
        x->instrument.price_max = words_price(w);
    else if (words_take(w, "reference"))
        x->instrument.reference_price = (uint32_t)words_price(w);
    else
        return false;
    return true;
}

static void read_instrument(struct words *w, struct definitions *d)
{
    const uint32_t index = words_number(w);
    if (index < 1 || index > INSTRUMENTS)
        words_refuse(w, "instruments are 1 to 4");
    define_instrument(d, index);
    union sb_command_ext *x = &d->instrument[index - 1].ext;
    while (words_more(w)) {
        if (read_prices(w, x))
            continue;
        if (words_take(w, "lot"))
            x->instrument.lot = words_number(w);
        else if (words_take(w, "quantity"))
            x->instrument.quantity_max = words_number(w);
        else if (words_take(w, "phase"))
            x->instrument.phase = words_one_of(w, words_phases, 4);
        else if (words_take(w, "matching"))
            x->instrument.matching = words_one_of(w, MATCHINGS, 2);
        else if (words_take(w, "allot-min"))
            x->instrument.pro_rata_min = words_number(w);
        else if (words_take(w, "tie"))
            x->instrument.tie = words_one_of(w, TIES, 4);
        else if (words_take(w, "static"))
            x->instrument.static_band = (uint16_t)words_number(w);
        else if (words_take(w, "dynamic"))
            x->instrument.dynamic_band = (uint16_t)words_number(w);
        else if (words_take(w, "action"))
            x->instrument.band_action = words_one_of(w, ACTIONS, 2);
        else if (words_take(w, "pause"))
            x->instrument.pause_ms = (uint32_t)(words_time_ns(w) / 1000000);
        else if (words_take(w, "notional"))
            x->instrument.notional_max = words_number(w);
        else
            words_refuse(w, "unknown word");
    }
}

static void read_definition(struct case_file *f, struct words *w, struct definitions *d)
{
    if (f->steps_n != 0)
        words_refuse(w, "definitions come before the first command");
    if (words_take(w, "limits"))
        read_limits(w, &f->limits);
    else if (words_take(w, "session"))
        read_session(w, d);
    else if (words_take(w, "instrument"))
        read_instrument(w, d);
    else
        words_refuse(w, "unknown word");
}

static void finish_setup(struct case_file *f, const struct definitions *d)
{
    f->setup[f->setups++] = (struct sb_command2){.c = {.kind = SB_CMD_DAY, .flags = SB_CMD_F_EXT},
                                                 .ext.day.rules = SB_ENGINE_RULES};
    for (size_t i = 0; i < CASE_SESSIONS; i++)
        f->setup[f->setups++] = d->session[i];
    for (size_t i = 0; i < INSTRUMENTS; i++)
        if (d->instrument[i].c.kind != SB_CMD_NONE)
            f->setup[f->setups++] = d->instrument[i];
    for (size_t i = 0; i < f->setups; i++)
        f->setup[i].c.time_ns = i + 1;
}

static void read_step(struct case_file *f, struct words *w, const char *text, uint64_t *time_ns)
{
    f->steps = grown(f->steps, f->steps_n, sizeof *f->steps);
    struct case_step *s = &f->steps[f->steps_n++];
    *s = (struct case_step){
        .line = w->line, .times = 1, .output = f->outputs_n, .check = f->checks_n};
    snprintf(s->text, sizeof s->text, "%s", text);
    const uint64_t at_ns = words_take(w, "at") ? words_time_ns(w) : *time_ns + STEP_NS;
    if (at_ns <= *time_ns)
        words_refuse(w, "time runs back");
    if (w->n > w->at + 1 && strcmp(w->word[w->at + 1], "times") == 0) {
        s->times = words_number(w);
        (void)words_next(w);
    }
    s->c = words_command(w);
    s->c.c.time_ns = at_ns;
    *time_ns = at_ns + (s->times - 1) * (uint64_t)STEP_NS;
}

static void read_output(struct case_file *f, struct words *w)
{
    if (f->steps_n == 0)
        words_refuse(w, "an output of which command?");
    f->outputs = grown(f->outputs, f->outputs_n, sizeof *f->outputs);
    struct case_output *o = &f->outputs[f->outputs_n++];
    *o = (struct case_output){.o = words_output(w), .line = w->line};
    if (o->o.stream > CASE_SESSIONS)
        words_refuse(w, "sessions are 1 to 4");
    f->steps[f->steps_n - 1].outputs++;
}

static void read_check(struct case_file *f, struct words *w, const char *text)
{
    if (f->steps_n == 0)
        words_refuse(w, "a check after which command?");
    f->checks = grown(f->checks, f->checks_n, sizeof *f->checks);
    struct case_check *c = &f->checks[f->checks_n++];
    *c = (struct case_check){.line = w->line};
    snprintf(c->text, sizeof c->text, "%s", text);
    f->steps[f->steps_n - 1].checks++;
}

void case_read(struct case_file *f, const char *path)
{
    *f = (struct case_file){.path = path,
                            .limits = {.instruments_max = INSTRUMENTS,
                                       .sessions_max = CASE_SESSIONS + 1, /* one is not defined */
                                       .orders_max = 64,
                                       .levels_max = 64,
                                       .terms_max = 64,
                                       .window_levels = 64}};
    struct definitions d;
    define_defaults(&d);
    FILE *in = fopen(path, "r");
    if (in == NULL) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        exit(2);
    }
    uint64_t time_ns = 0;
    char text[CASE_LINE_BYTES], whole[CASE_LINE_BYTES];
    for (int line = 1; fgets(text, sizeof text, in) != NULL; line++) {
        struct words w = {.file = path, .line = line};
        if (strchr(text, '\n') == NULL)
            words_refuse(&w, "the line is too long, or does not end");
        text[strcspn(text, "#\n")] = '\0';
        snprintf(whole, sizeof whole, "%s", text);
        words_split(&w, path, line, text);
        if (words_take(&w, ">"))
            read_step(f, &w, whole + 1, &time_ns);
        else if (words_take(&w, "<"))
            read_output(f, &w);
        else if (words_take(&w, "="))
            read_check(f, &w, whole + 1);
        else if (words_more(&w))
            read_definition(f, &w, &d);
    }
    fclose(in);
    finish_setup(f, &d);
    if (f->steps_n == 0) {
        fprintf(stderr, "%s: no command\n", path);
        exit(2);
    }
}

void case_free(struct case_file *f)
{
    free(f->steps);
    free(f->outputs);
    free(f->checks);
}
