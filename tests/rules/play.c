/* play.c: rules-cases [--engine | --reference | --loaded] FILE...: plays case files (case.h) against the engine, the reference
 * matcher and an engine that is saved and loaded after every command. Each case in a process of its own. Exits 1 if one differs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "case.h"
#include "shadowbook/assert.h"
#include "tests/reference/reference.h"

enum { SECONDS_MAX = 60 };

enum matcher { ENGINE, REFERENCE, LOADED, MATCHERS };
static const char *const MATCHER_NAMES[MATCHERS] = {"engine", "reference", "loaded"};

struct play {
    const struct case_file *f;
    enum matcher matcher;
    struct sb_engine *engine;
    void *memory;
    struct sb_reference *reference;
    struct sb_outbox box;
    struct sb_reference_outputs outputs; /* of the last command, whoever made them */
    uint64_t seq, stream_seq[CASE_SESSIONS + 1];
};

static void new_engine(struct play *p)
{
    const size_t bytes = (sb_engine_footprint(&p->f->limits) + 63) & ~(size_t)63;
    p->memory = aligned_alloc(64, bytes);
    SB_ASSERT(p->memory != NULL);
    memset(p->memory, 0, bytes);
    p->engine = sb_engine_new(p->memory, bytes, &p->f->limits);
}

static void open_play(struct play *p, const struct case_file *f, enum matcher matcher)
{
    *p = (struct play){.f = f, .matcher = matcher};
    if (matcher == REFERENCE) {
        p->reference = sb_reference_new(&f->limits);
        return;
    }
    const char *wrong = sb_engine_limits_error(&f->limits);
    if (wrong != NULL) {
        fprintf(stderr, "%s: limits: %s\n", f->path, wrong);
        exit(2);
    }
    new_engine(p);
    p->box.cap = sb_engine_outputs_max(&f->limits, 1, true);
    p->box.out = malloc((size_t)p->box.cap * sizeof *p->box.out);
    SB_ASSERT(p->box.out != NULL);
    p->outputs.out = p->box.out;
}

static void close_play(struct play *p)
{
    if (p->matcher == REFERENCE)
        sb_reference_free(p->reference);
    free(p->outputs.out);
    free(p->memory);
}

/* The engine goes on as what its image says. */
static void save_and_load(struct play *p)
{
    const size_t bytes = sb_engine_image_bytes(p->engine);
    void *image = malloc(bytes);
    SB_ASSERT(image != NULL);
    sb_engine_save(p->engine, image, bytes);
    free(p->memory);
    new_engine(p);
    const char *wrong = sb_engine_load(p->engine, image, bytes);
    free(image);
    if (wrong != NULL) {
        printf("%s: loaded: after command %llu: %s\n", p->f->path, (unsigned long long)p->seq,
               wrong);
        exit(1);
    }
}

static void apply(struct play *p, struct sb_command2 c)
{
    c.c.seq = ++p->seq;
    if (p->matcher == REFERENCE) {
        p->outputs.n = 0;
        sb_reference_apply(p->reference, &c.c, &p->outputs);
        return;
    }
    p->box.n = 0;
    sb_engine_prefetch(p->engine, &c.c, sb_command_lines(&c.c));
    sb_engine_apply(p->engine, &c.c, &p->box);
    p->outputs.n = p->box.n;
    sb_engine_seal(p->engine, &(struct sb_outbox){.out = p->box.out, .n = p->box.n});
    if (p->matcher == LOADED)
        save_and_load(p);
}

static void show(char sign, const struct sb_output *o)
{
    char text[CASE_LINE_BYTES];
    words_print_output(text, sizeof text, o);
    printf("  %c %s\n", sign, text);
}

/* The same words and not the same bytes: a field that the kind does not have, time or number. */
static void show_bytes(const struct sb_output *expected, const struct sb_output *got)
{
    const uint8_t *a = (const uint8_t *)expected, *b = (const uint8_t *)got;
    for (size_t i = 0; i < sizeof *expected; i++)
        if (a[i] != b[i])
            printf("      byte %zu: %u is expected, it is %u\n", i, a[i], b[i]);
}

static void show_difference(const struct play *p, const struct case_step *s,
                            const struct sb_output *expected, size_t n, size_t same)
{
    printf("%s:%d: %s:%s\n", p->f->path, s->line, MATCHER_NAMES[p->matcher], s->text);
    for (size_t i = 0; i < same; i++)
        show(' ', &expected[i]);
    for (size_t i = same; i < n; i++)
        show('-', &expected[i]);
    for (size_t i = same; i < p->outputs.n; i++)
        show('+', &p->outputs.out[i]);
    char a[CASE_LINE_BYTES], b[CASE_LINE_BYTES];
    if (same < n && same < p->outputs.n) {
        words_print_output(a, sizeof a, &expected[same]);
        words_print_output(b, sizeof b, &p->outputs.out[same]);
        if (strcmp(a, b) == 0)
            show_bytes(&expected[same], &p->outputs.out[same]);
    }
}

/* Are the outputs of the last command those of the step, the nth time? */
static bool outputs_equal(struct play *p, const struct case_step *s, uint32_t nth, uint64_t time_ns)
{
    struct sb_output *expected = calloc(s->outputs + 1, sizeof *expected);
    SB_ASSERT(expected != NULL);
    for (size_t i = 0; i < s->outputs; i++) {
        expected[i] = p->f->outputs[s->output + i].o;
        expected[i].time_ns = time_ns;
        expected[i].stream_seq = ++p->stream_seq[expected[i].stream];
        if (expected[i].ref != 0)
            expected[i].ref += nth;
        if (expected[i].key != 0)
            expected[i].key += nth;
    }
    size_t same = 0;
    while (same < s->outputs && same < p->outputs.n &&
           memcmp(&expected[same], &p->outputs.out[same], sizeof *expected) == 0)
        same++;
    const bool equal = same == s->outputs && same == p->outputs.n;
    if (!equal)
        show_difference(p, s, expected, s->outputs, same);
    free(expected);
    return equal;
}

static void check_is(const struct words *w, const char *what, uint64_t expected, uint64_t is,
                     bool *good)
{
    if (expected == is)
        return;
    printf("%s:%d: %s: %llu is expected, it is %llu\n", w->file, w->line, what,
           (unsigned long long)expected, (unsigned long long)is);
    *good = false;
}

static void check_instrument(const struct play *p, struct words *w, bool *good)
{
    const uint32_t index = words_lettered(w, 'i');
    const struct sb_instrument_view *v = p->matcher == REFERENCE
                                             ? sb_reference_instrument(p->reference, index)
                                             : sb_engine_instrument(p->engine, index);
    while (words_more(w)) {
        if (words_take(w, "reference"))
            check_is(w, "reference", (uint64_t)words_price(w), (uint64_t)v->reference, good);
        else if (words_take(w, "last"))
            check_is(w, "last", (uint64_t)words_price(w), (uint64_t)v->last_price, good);
        else if (words_take(w, "resume"))
            check_is(w, "resume", words_time_ns(w), v->resume_ns, good);
        else if (words_take(w, "phase"))
            check_is(w, "phase", words_one_of(w, words_phases, 4), v->phase, good);
        else if (words_take(w, "kind"))
            check_is(w, "kind", words_one_of(w, words_auctions, 4), v->auction, good);
        else
            words_refuse(w, "unknown word");
    }
}

static void check_session(const struct play *p, struct words *w, bool *good)
{
    const uint32_t index = words_lettered(w, 's');
    const struct sb_session_view *v = p->matcher == REFERENCE
                                          ? sb_reference_session(p->reference, index)
                                          : sb_engine_session(p->engine, index);
    while (words_more(w)) {
        if (words_take(w, "open"))
            check_is(w, "open", words_number(w), v->open_orders, good);
        else if (words_take(w, "key"))
            check_is(w, "key", words_number(w), v->last_key, good);
        else if (words_take(w, "killed"))
            check_is(w, "killed", words_number(w), v->killed, good);
        else
            words_refuse(w, "unknown word");
    }
}

static void check_counts(const struct play *p, struct words *w, bool *good)
{
    const struct sb_engine_stats *v =
        p->matcher == REFERENCE ? sb_reference_stats(p->reference) : sb_engine_stats(p->engine);
    while (words_more(w)) {
        if (words_take(w, "resend"))
            check_is(w, "resend", words_number(w), v->ignored_resend, good);
        else if (words_take(w, "superfluous"))
            check_is(w, "superfluous", words_number(w), v->ignored_superfluous, good);
        else if (words_take(w, "accepted"))
            check_is(w, "accepted", words_number(w), v->accepted, good);
        else if (words_take(w, "replaced"))
            check_is(w, "replaced", words_number(w), v->replaced, good);
        else if (words_take(w, "rejected"))
            check_is(w, "rejected", words_number(w), v->rejected, good);
        else
            words_refuse(w, "unknown word");
    }
}

static bool check_views(const struct play *p, const struct case_check *c)
{
    char text[CASE_LINE_BYTES];
    struct words w;
    bool good = true;
    memcpy(text, c->text, sizeof text);
    words_split(&w, p->f->path, c->line, text);
    if (words_take(&w, "counts"))
        check_counts(p, &w, &good);
    else if (words_more(&w) && w.word[w.at][0] == 's')
        check_session(p, &w, &good);
    else
        check_instrument(p, &w, &good);
    if (!good)
        printf("%s:%d: %s: =%s\n", p->f->path, c->line, MATCHER_NAMES[p->matcher], c->text);
    return good;
}

static bool play_step(struct play *p, const struct case_step *s)
{
    struct sb_command2 c = s->c;
    bool good = true;
    for (uint32_t i = 0; good && i < s->times; i++) {
        apply(p, c);
        good = outputs_equal(p, s, i, c.c.time_ns);
        c.c.key++;
        c.c.time_ns += 1000000;
    }
    for (size_t i = 0; good && i < s->checks; i++)
        good = check_views(p, &p->f->checks[s->check + i]);
    return good;
}

static bool play_case(const struct case_file *f, enum matcher matcher)
{
    struct play p;
    bool good = true;
    open_play(&p, f, matcher);
    for (size_t i = 0; i < f->setups; i++) {
        apply(&p, f->setup[i]);
        for (size_t k = 0; k < p.outputs.n; k++)
            p.stream_seq[p.outputs.out[k].stream]++;
    }
    for (size_t i = 0; good && i < f->steps_n; i++)
        good = play_step(&p, &f->steps[i]);
    close_play(&p);
    return good;
}

/* A matcher that asserts or does not come back loses this case only. */
static bool play_apart(const struct case_file *f, enum matcher matcher)
{
    fflush(stdout);
    const pid_t child = fork();
    SB_ASSERT(child >= 0);
    if (child == 0) {
        alarm(SECONDS_MAX);
        const bool good = play_case(f, matcher);
        fflush(stdout);
        _exit(good ? 0 : 1);
    }
    int status = 0;
    SB_ASSERT(waitpid(child, &status, 0) == child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    if (WIFSIGNALED(status))
        printf("%s: %s: %s\n", f->path, MATCHER_NAMES[matcher], strsignal(WTERMSIG(status)));
    return false;
}

int main(int argc, char **argv)
{
    unsigned wanted = 0;
    int first = 1, failed[MATCHERS] = {0};
    for (; first < argc && strncmp(argv[first], "--", 2) == 0; first++)
        for (unsigned m = 0; m < MATCHERS; m++)
            wanted |= strcmp(argv[first] + 2, MATCHER_NAMES[m]) == 0 ? 1u << m : 0;
    if (first == argc) {
        fprintf(stderr, "usage: rules-cases [--engine | --reference | --loaded] FILE...\n");
        return 2;
    }
    for (int i = first; i < argc; i++) {
        struct case_file f;
        case_read(&f, argv[i]);
        for (unsigned m = 0; m < MATCHERS; m++)
            if (wanted == 0 || (wanted & 1u << m) != 0)
                failed[m] += !play_apart(&f, (enum matcher)m);
        case_free(&f);
    }
    printf("%d cases; not as written: engine %d, reference %d, loaded %d\n", argc - first,
           failed[ENGINE], failed[REFERENCE], failed[LOADED]);
    return failed[ENGINE] + failed[REFERENCE] + failed[LOADED] == 0 ? 0 : 1;
}
