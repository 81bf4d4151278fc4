#include "tests/model/options.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BITS_MIN = 10 };

static const struct {
    const char *name, *rule, *expected, *words;
    uint64_t kept;
} mutations[MUT_COUNT] = {[MUT_NONE] = {"none", "-", "-", "the protocol as it is", 0},
#define MUTATION_ROW(id, name_, rule_, expected_, kept_, words_)                                   \
    [MUT_##id] = {                                                                                 \
        .name = name_, .rule = rule_, .expected = #expected_, .words = words_, .kept = kept_},
                          MUTATIONS(MUTATION_ROW)
#undef MUTATION_ROW
};

static const char *const holds[] = {"two-memories", "two-disks", "memory-and-disk"};

/* Numbers of one byte: more than a byte of state, or a number in it, can hold is refused. */
static const struct {
    const char *name;
    size_t at; /* in struct arguments */
    uint8_t most;
    bool optional; /* told only when it is not 0 */
} bounds[] = {
#define BOUND(field) offsetof(struct arguments, model.field)
    {"inputs", BOUND(inputs), INPUTS_MAX, false},
    {"arms", BOUND(arms), 14, false},
    {"generations", BOUND(generations), 4, false},
    {"crashes", BOUND(crashes), 3, false},
    {"incarnations", BOUND(incarnations), 4, false},
    {"witness-restarts", BOUND(witness_restarts), 6, false},
    {"forces", BOUND(forces), 2, true},
    {"divergences", BOUND(divergences), 2, true},
    {"bits", offsetof(struct arguments, limits.bits), 32, true},
#undef BOUND
};

static const struct {
    const char *name;
    size_t at; /* in struct arguments */
    bool value;
    const char *words; /* NULL: the same field's other word says it */
} flags[] = {
#define FLAG(field) offsetof(struct arguments, model.field)
    {"journal", FLAG(journal), true, "solo policy JOURNAL"},
    {"memory", FLAG(journal), false, "solo policy MEMORY; no journals"},
    {"resign", FLAG(resign), true, "R12"},
    {"disclaim", FLAG(disclaim), true, "R23"},
    {"no-early", FLAG(early), false, "without R4, and R3's exception"},
    {"resend", FLAG(resend), true,
     "R4b: a shadow re-sends what its owner's stream has marked as released"},
    {"genesis", FLAG(genesis), true, "begin with a new day's two empty nodes, not in DUAL"},
    {"new-day-aside", FLAG(new_day_aside), true,
     "with --genesis: a restart for a new day sets the journal aside, whatever its record"},
    {"witness-log", FLAG(witness_log), true,
     "solo policy WITNESS: the witness holds the solo owner's log"},
    {"flush-always", FLAG(flush_always), true,
     "journals are flushed in every role, not in solo ones only"},
    {"force-any", FLAG(force_any), true,
     "FORCE of either engine, as if the other's disk were lost"},
    {"halt", FLAG(halt), true, "with --divergences: both stop; else the primary continues"},
    {"clean", FLAG(only_clean), true, "faults strike only a quiet DUAL"},
#undef FLAG
    {"keep", offsetof(struct arguments, keep), true,
     "drop no message for being without effect (slow; tests the dropping)"},
    {"reach", offsetof(struct arguments, reach), true,
     "print which states cannot get going again, instead of searching"},
    {"quiet", offsetof(struct arguments, quiet), true, "no trace, no list of blocked states"},
    {"list-mutations", offsetof(struct arguments, list), true, "the rules that can be left out"},
};

enum { BOUNDS = sizeof bounds / sizeof bounds[0], FLAGS = sizeof flags / sizeof flags[0] };

/* What stands behind an option, as getopt_long() tells it. */
enum option_id {
    OPT_BOUND = 256,
    OPT_FLAG = OPT_BOUND + BOUNDS,
    OPT_STATES_MAX = OPT_FLAG + FLAGS,
    OPT_SECONDS,
    OPT_MUTATION,
    OPT_HOLD,
    OPT_EXPECT,
    OPT_HELP
};

static void usage(void)
{
    fprintf(stderr, "usage: model");
    for (unsigned i = 0; i < BOUNDS; i++)
        fprintf(stderr, " [--%s 0..%u]", bounds[i].name, bounds[i].most);
    fprintf(
        stderr,
        "\n             [--states-max N] [--seconds N] [--hold RULE] [--mutation NAME]\n"
        "             [--expect RESULT] [OPTION ...]\n\n"
        "  --hold            two-memories, two-disks or memory-and-disk: what PRIM waits for (R1)\n"
        "  --forces          how often the operator may FORCE (R24)\n"
        "  --divergences     engines that begin to compute wrongly; release = verified\n"
        "  --expect          states (an exhaustive search without violation), BROKEN, or with\n"
        "                    --reach the blocked states of its three questions and those\n"
        "                    looked at: A,B,C,N\n");
    for (unsigned i = 0; i < FLAGS; i++)
        fprintf(stderr, "  --%-15s %s\n", flags[i].name, flags[i].words);
    fprintf(stderr, "exit code: 0 holds in all states (or as expected); 1 violation; 2 usage; 3 "
                    "not exhaustive\n");
}

static bool number(const char *option, const char *text, uint64_t most, uint64_t *out)
{
    char *end;
    errno = 0;
    *out = strtoull(text, &end, 10);
    if (errno == 0 && *end == '\0' && text[0] >= '0' && text[0] <= '9' && *out <= most)
        return true;
    fprintf(stderr, "model: --%s %s: a whole number up to %" PRIu64 " is accepted\n", option, text,
            most);
    return false;
}

static bool find_mutation(const char *name, struct model *m)
{
    for (unsigned i = 0; i < MUT_COUNT; i++) {
        if (strcmp(name, mutations[i].name) != 0)
            continue;
        m->mutation = (enum mutation)i;
        m->kept = mutations[i].kept;
        return true;
    }
    fprintf(stderr, "model: --mutation %s: --list-mutations names them\n", name);
    return false;
}

static bool find_hold(const char *name, struct model *m)
{
    for (unsigned i = 0; i < sizeof holds / sizeof holds[0]; i++) {
        if (strcmp(name, holds[i]) != 0)
            continue;
        m->hold = (enum hold)i;
        m->flush_always |= i != TWO_MEMORIES;
        return true;
    }
    fprintf(stderr, "model: --hold %s: two-memories, two-disks and memory-and-disk are accepted\n",
            name);
    return false;
}

/* One option with the text behind it, if it takes any. */
static bool take(struct arguments *a, int option, const char *name, const char *text)
{
    uint64_t v;
    if (option < OPT_FLAG) {
        const unsigned i = (unsigned)option - OPT_BOUND;
        if (!number(name, text, bounds[i].most, &v))
            return false;
        *((uint8_t *)a + bounds[i].at) = (uint8_t)v;
        return true;
    }
    if (option < OPT_STATES_MAX) {
        const unsigned i = (unsigned)option - OPT_FLAG;
        *(bool *)((uint8_t *)a + flags[i].at) = flags[i].value;
        return true;
    }
    switch (option) {
    case OPT_MUTATION:
        return find_mutation(text, &a->model);
    case OPT_HOLD:
        return find_hold(text, &a->model);
    case OPT_EXPECT:
        a->expect = text;
        return true;
    case OPT_STATES_MAX:
        return number(name, text, UINT32_MAX, &a->limits.states_max);
    case OPT_SECONDS:
        if (!number(name, text, UINT32_MAX, &v))
            return false;
        a->limits.seconds_max = (double)v;
        return true;
    default:
        return false;
    }
}

/* What goes together. */
static bool is_sound(const struct arguments *a)
{
    const struct model *m = &a->model;
    const char *wrong = NULL;
    if (m->incarnations < 1 || a->limits.bits < BITS_MIN)
        wrong = "--incarnations from 1, --bits from 10";
    else if (m->witness_log && m->inputs > 2)
        wrong = "--witness-log: --inputs up to 2, as RESUMEOK holds no more";
    else if (m->witness_log && (m->forces != 0 || m->hold != TWO_MEMORIES))
        wrong = "--witness-log: without --forces and --hold";
    else if (m->hold != TWO_MEMORIES && !m->journal)
        wrong = "--hold of disks: not with --memory";
    else if (m->new_day_aside && !m->genesis)
        wrong = "--new-day-aside: with --genesis";
    if (wrong != NULL)
        fprintf(stderr, "model: %s\n", wrong);
    return wrong == NULL;
}

bool arguments_read(int argc, char **argv, struct arguments *a)
{
    struct option options[BOUNDS + FLAGS + 7] = {
        {"states-max", required_argument, NULL, OPT_STATES_MAX},
        {"seconds", required_argument, NULL, OPT_SECONDS},
        {"mutation", required_argument, NULL, OPT_MUTATION},
        {"hold", required_argument, NULL, OPT_HOLD},
        {"expect", required_argument, NULL, OPT_EXPECT},
        {"help", no_argument, NULL, OPT_HELP}};
    struct option *next = &options[6];
    for (int i = 0; i < BOUNDS; i++)
        *next++ = (struct option){bounds[i].name, required_argument, NULL, OPT_BOUND + i};
    for (int i = 0; i < FLAGS; i++)
        *next++ = (struct option){flags[i].name, no_argument, NULL, OPT_FLAG + i};
    int option, index = 0;
    while ((option = getopt_long(argc, argv, "", options, &index)) != -1) {
        if (option == '?' || option == OPT_HELP) {
            usage();
            return false;
        }
        if (!take(a, option, options[index].name, optarg))
            return false;
    }
    if (optind != argc) {
        usage();
        return false;
    }
    if (a->keep)
        a->model.kept = UINT64_MAX;
    return is_sound(a);
}

void setting_print(const struct model *m)
{
    struct arguments a = {.model = *m};
    printf("(");
    for (unsigned i = 0; i < BOUNDS; i++) {
        const uint8_t v = *((const uint8_t *)&a + bounds[i].at);
        if (v != 0 || !bounds[i].optional)
            printf("%s--%s %u", i == 0 ? "" : " ", bounds[i].name, v);
    }
    if (m->hold != TWO_MEMORIES)
        printf(" --hold %s", holds[m->hold]);
    if (m->mutation != MUT_NONE)
        printf(" --mutation %s", mutations[m->mutation].name);
    for (unsigned i = 0; i < FLAGS; i++) {
        const bool set = *(const bool *)((const uint8_t *)&a + flags[i].at) == flags[i].value;
        if (set && flags[i].at < offsetof(struct arguments, limits))
            printf(" --%s", flags[i].name);
    }
    printf(")\n");
}

void mutations_list(void)
{
    for (unsigned i = 1; i < MUT_COUNT; i++)
        printf("%s\t%s\t%s\t%s\n", mutations[i].name, mutations[i].rule, mutations[i].expected,
               mutations[i].words);
}
