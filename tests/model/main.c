/* The checked model of the replication protocol: see README.md beside this file. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/model/reach.h"
#include "tests/model/search.h"

enum { EXIT_HOLDS = 0, EXIT_BROKEN = 1, EXIT_USAGE = 2, EXIT_LIMIT = 3 };
enum { REACH_STATES_MAX = 12000000, BITS_MIN = 10 };

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

struct arguments {
    struct model model;
    struct search_limits limits;
    bool reach, quiet, keep, list;
    const char *expect;
};

static void usage(FILE *to)
{
    fprintf(
        to,
        "usage: model [--inputs 0..3] [--arms N] [--generations N] [--crashes N]\n"
        "             [--incarnations N] [--witness-restarts N] [--journal|--memory]\n"
        "             [--resign] [--disclaim] [--no-early] [--resend] [--genesis] "
        "[--new-day-aside] [--witness-log]\n"
        "             [--flush-always] [--hold RULE] [--forces N] [--clean] [--mutation NAME] "
        "[--keep] [--reach] [--bits N] "
        "[--states-max N]\n"
        "             [--seconds N] [--expect RESULT] [--quiet] [--list-mutations]\n\n"
        "  --resend    R4b: a shadow re-sends what its owner's stream has marked as released\n"
        "  --genesis   begin with a new day's two empty nodes, not in DUAL\n"
        "  --new-day-aside  --genesis, and a restart for a new day sets the journal aside,\n"
        "              whatever its record\n"
        "  --witness-log  solo policy WITNESS: the witness holds the solo owner's log\n"
        "  --flush-always  journals are flushed in every role, not in solo ones only\n"
        "  --hold      two-memories, two-disks or memory-and-disk: what PRIM waits for (R1)\n"
        "  --forces    how often the operator may FORCE (R24)\n"
        "  --clean     faults strike only a quiet DUAL\n"
        "  --keep      drop no message for being without effect (slow; tests the dropping)\n"
        "  --reach     print which states cannot get going again, instead of searching\n"
        "  --expect    states (an exhaustive search without violation), BROKEN, or with --reach\n"
        "              the blocked states of its three questions and those looked at: A,B,C,N\n"
        "exit code: 0 holds in all states (or as expected); 1 violation; 2 usage; 3 not "
        "exhaustive\n");
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

static const char *const holds[] = {"two-memories", "two-disks", "memory-and-disk"};

static bool find_hold(const char *name, struct model *m)
{
    for (unsigned i = 0; i < sizeof holds / sizeof holds[0]; i++) {
        if (strcmp(name, holds[i]) != 0)
            continue;
        m->hold = (enum hold)i;
        m->flush_always = i != TWO_MEMORIES;
        return true;
    }
    fprintf(stderr, "model: --hold %s: two-memories, two-disks and memory-and-disk are accepted\n",
            name);
    return false;
}

enum option_id {
    OPT_INPUTS = 256,
    OPT_ARMS,
    OPT_GENERATIONS,
    OPT_CRASHES,
    OPT_INCARNATIONS,
    OPT_WITNESS_RESTARTS,
    OPT_FORCES,
    OPT_BITS,
    OPT_STATES_MAX,
    OPT_SECONDS,
    OPT_MUTATION,
    OPT_HOLD,
    OPT_EXPECT,
    OPT_JOURNAL,
    OPT_MEMORY,
    OPT_RESIGN,
    OPT_DISCLAIM,
    OPT_NO_EARLY,
    OPT_RESEND,
    OPT_GENESIS,
    OPT_NEW_DAY_ASIDE,
    OPT_WITNESS_LOG,
    OPT_FLUSH_ALWAYS,
    OPT_CLEAN,
    OPT_KEEP,
    OPT_REACH,
    OPT_QUIET,
    OPT_LIST,
    OPT_HELP
};

static const struct option options[] = {
    {"inputs", required_argument, NULL, OPT_INPUTS},
    {"arms", required_argument, NULL, OPT_ARMS},
    {"generations", required_argument, NULL, OPT_GENERATIONS},
    {"crashes", required_argument, NULL, OPT_CRASHES},
    {"incarnations", required_argument, NULL, OPT_INCARNATIONS},
    {"witness-restarts", required_argument, NULL, OPT_WITNESS_RESTARTS},
    {"forces", required_argument, NULL, OPT_FORCES},
    {"bits", required_argument, NULL, OPT_BITS},
    {"states-max", required_argument, NULL, OPT_STATES_MAX},
    {"seconds", required_argument, NULL, OPT_SECONDS},
    {"mutation", required_argument, NULL, OPT_MUTATION},
    {"hold", required_argument, NULL, OPT_HOLD},
    {"expect", required_argument, NULL, OPT_EXPECT},
    {"journal", no_argument, NULL, OPT_JOURNAL},
    {"memory", no_argument, NULL, OPT_MEMORY},
    {"resign", no_argument, NULL, OPT_RESIGN},
    {"disclaim", no_argument, NULL, OPT_DISCLAIM},
    {"no-early", no_argument, NULL, OPT_NO_EARLY},
    {"resend", no_argument, NULL, OPT_RESEND},
    {"genesis", no_argument, NULL, OPT_GENESIS},
    {"new-day-aside", no_argument, NULL, OPT_NEW_DAY_ASIDE},
    {"witness-log", no_argument, NULL, OPT_WITNESS_LOG},
    {"flush-always", no_argument, NULL, OPT_FLUSH_ALWAYS},
    {"clean", no_argument, NULL, OPT_CLEAN},
    {"keep", no_argument, NULL, OPT_KEEP},
    {"reach", no_argument, NULL, OPT_REACH},
    {"quiet", no_argument, NULL, OPT_QUIET},
    {"list-mutations", no_argument, NULL, OPT_LIST},
    {"help", no_argument, NULL, OPT_HELP},
    {0},
};

/* Bounds that are more than a byte of state, or a number in it, can hold are refused here. */
static bool take_number(struct arguments *a, int option, const char *name, const char *text)
{
    uint64_t v;
    static const uint8_t most[] = {
        [OPT_INPUTS - OPT_INPUTS] = INPUTS_MAX, [OPT_ARMS - OPT_INPUTS] = 14,
        [OPT_GENERATIONS - OPT_INPUTS] = 4,     [OPT_CRASHES - OPT_INPUTS] = 3,
        [OPT_INCARNATIONS - OPT_INPUTS] = 4,    [OPT_WITNESS_RESTARTS - OPT_INPUTS] = 6,
        [OPT_FORCES - OPT_INPUTS] = 2,          [OPT_BITS - OPT_INPUTS] = 32};
    const bool bound = option <= OPT_BITS;
    if (!number(name, text, bound ? most[option - OPT_INPUTS] : UINT32_MAX, &v))
        return false;
    uint8_t *const small[] = {&a->model.inputs,  &a->model.arms,         &a->model.generations,
                              &a->model.crashes, &a->model.incarnations, &a->model.witness_restarts,
                              &a->model.forces,  &a->limits.bits};
    if (bound)
        *small[option - OPT_INPUTS] = (uint8_t)v;
    else if (option == OPT_STATES_MAX)
        a->limits.states_max = v;
    else
        a->limits.seconds_max = (double)v;
    return true;
}

static void take_flag(struct arguments *a, int option)
{
    switch (option) {
    case OPT_JOURNAL:
    case OPT_MEMORY:
        a->model.journal = option == OPT_JOURNAL;
        break;
    case OPT_RESIGN:
        a->model.resign = true;
        break;
    case OPT_DISCLAIM:
        a->model.disclaim = true;
        break;
    case OPT_NO_EARLY:
        a->model.early = false;
        break;
    case OPT_RESEND:
        a->model.resend = true;
        break;
    case OPT_GENESIS:
        a->model.genesis = true;
        break;
    case OPT_NEW_DAY_ASIDE:
        a->model.genesis = a->model.new_day_aside = true;
        break;
    case OPT_WITNESS_LOG:
        a->model.witness_log = true;
        break;
    case OPT_FLUSH_ALWAYS:
        a->model.flush_always = true;
        break;
    case OPT_CLEAN:
        a->model.only_clean = true;
        break;
    case OPT_KEEP:
        a->keep = true;
        break;
    case OPT_REACH:
        a->reach = true;
        break;
    case OPT_QUIET:
        a->quiet = true;
        break;
    case OPT_LIST:
        a->list = true;
        break;
    default:
        break;
    }
}

static bool read_arguments(int argc, char **argv, struct arguments *a)
{
    int option, index = 0;
    while ((option = getopt_long(argc, argv, "", options, &index)) != -1) {
        if (option == '?' || option == OPT_HELP)
            return false;
        if (option == OPT_EXPECT)
            a->expect = optarg;
        else if (option == OPT_HOLD) {
            if (!find_hold(optarg, &a->model))
                return false;
        } else if (option == OPT_MUTATION
                       ? !find_mutation(optarg, &a->model)
                       : option < OPT_MUTATION &&
                             !take_number(a, option, options[index].name, optarg))
            return false;
        else
            take_flag(a, option);
    }
    if (a->keep)
        a->model.kept = UINT64_MAX;
    if (a->model.witness_log && a->model.inputs > 2) {
        fprintf(stderr, "model: --witness-log: --inputs up to 2, as RESUMEOK holds no more\n");
        return false;
    }
    if (optind == argc && a->model.incarnations >= 1 && a->limits.bits >= BITS_MIN)
        return true;
    fprintf(stderr, "model: only options are accepted, --incarnations from 1, --bits from %d\n",
            BITS_MIN);
    return false;
}

static void print_setting(const struct model *m)
{
    printf("(--inputs %u --arms %u --generations %u --crashes %u --incarnations %u "
           "--witness-restarts %u --forces %u --hold %s %s%s%s%s%s%s%s%s%s%s%s%s)\n",
           m->inputs, m->arms, m->generations, m->crashes, m->incarnations, m->witness_restarts,
           m->forces, holds[m->hold], m->journal ? "--journal" : "--memory",
           m->resign ? " --resign" : "", m->disclaim ? " --disclaim" : "",
           m->early ? "" : " --no-early", m->resend ? " --resend" : "",
           m->genesis ? " --genesis" : "", m->new_day_aside ? " --new-day-aside" : "",
           m->witness_log ? " --witness-log" : "", m->flush_always ? " --flush-always" : "",
           m->only_clean ? " --clean" : "", m->mutation != MUT_NONE ? " --mutation " : "",
           m->mutation != MUT_NONE ? mutations[m->mutation].name : "");
}

static int as_expected(const char *expected, const char *result)
{
    if (strcmp(expected, result) == 0)
        return EXIT_HOLDS;
    printf("expected %s, is %s\n", expected, result);
    return EXIT_BROKEN;
}

static int run_search(const struct arguments *a)
{
    struct search_result r;
    if (!search(&a->model, &a->limits, !a->quiet, &r)) {
        fprintf(stderr, "model: no memory for %u bits: try less --bits\n", a->limits.bits);
        return EXIT_LIMIT;
    }
    printf("%s: %" PRIu64 " states, %" PRIu64 " transitions, depth %u, %.0f s ",
           r.broken != NULL ? r.broken
           : r.exhaustive   ? "holds in all states"
                            : "stopped at a limit, no violation so far",
           r.states, r.transitions, r.depth, r.seconds);
    print_setting(&a->model);
    char result[24] = "not exhaustive";
    if (r.broken != NULL)
        snprintf(result, sizeof result, "%.2s,%u", r.broken, r.depth);
    else if (r.exhaustive)
        snprintf(result, sizeof result, "%" PRIu64, r.states);
    if (a->expect != NULL)
        return as_expected(a->expect, result);
    return r.broken != NULL ? EXIT_BROKEN : r.exhaustive ? EXIT_HOLDS : EXIT_LIMIT;
}

static int run_reach(const struct arguments *a)
{
    struct reach_result r;
    if (!reach(&a->model, REACH_STATES_MAX, !a->quiet, &r) || !r.complete) {
        fprintf(stderr, "model: --reach: more than %d states, or no memory for them\n",
                REACH_STATES_MAX);
        return EXIT_LIMIT;
    }
    printf("%" PRIu64 " states, %" PRIu64 " transitions ", r.states, r.transitions);
    print_setting(&a->model);
    for (unsigned q = 0; q < REACH_QUESTIONS; q++)
        printf("  %-20s blocked in %u of %u states, %u classes\n",
               reach_question((enum reach_question)q), r.blocked[q], r.checked, r.classes[q]);
    char result[64];
    snprintf(result, sizeof result, "%u,%u,%u,%u", r.blocked[0], r.blocked[1], r.blocked[2],
             r.checked);
    return a->expect != NULL ? as_expected(a->expect, result) : EXIT_HOLDS;
}

int main(int argc, char **argv)
{
    struct arguments a = {.model = {.inputs = 1,
                                    .arms = 1,
                                    .generations = 2,
                                    .crashes = 1,
                                    .incarnations = 2,
                                    .journal = true,
                                    .early = true},
                          .limits.bits = 24};
    if (!read_arguments(argc, argv, &a)) {
        usage(stderr);
        return EXIT_USAGE;
    }
    if (a.list) {
        for (unsigned i = 1; i < MUT_COUNT; i++)
            printf("%s\t%s\t%s\t%s\n", mutations[i].name, mutations[i].rule, mutations[i].expected,
                   mutations[i].words);
        return EXIT_HOLDS;
    }
    return a.reach ? run_reach(&a) : run_search(&a);
}
