#include <ctype.h>
#include <getopt.h>
#include <inttypes.h>
#include <string.h>

#include "perf/failover.h"
#include "perf/numbers.h"

static void print_help(FILE *to)
{
    fprintf(
        to,
        "usage: shadowbook failover --trials N [options]\n\n"
        "Takes over N times on real processes and reports how long it took and what it cost.\n\n"
        "  --trials N        how many, 1 to %d\n"
        "  --fault LIST      faults, separated by commas, taking turns, as scripts/run names them\n"
        "                    (primary-kill,primary-stop,primary-segv)\n"
        "  --seed S          draws the moments of the faults and the flows (1)\n"
        "  --report F.json   every trial and the distributions\n"
        "  --plot F.png      the picture of them (takes gnuplot); F.gp: its program instead\n"
        "  --keep DIR        where failed trials leave their files (a new folder)\n"
        "  --limit-s S       a trial that takes longer has failed (180)\n"
        "  --run PATH        the script to run (../scripts/run beside the executable)\n"
        "  --events N  --load L  --port P  --flow F  --trades T\n"
        "                    handed to scripts/run\n\n"
        "Exit code: 0 all trials passed; 1 one failed, or it was stopped; 2 could not run.\n",
        SB_FAILOVER_TRIALS_MAX);
}

enum { TRIALS = 1, FAULT, SEED, REPORT, PLOT, KEEP, LIMIT, RUN, HELP, FIRST_PASSED };

static const struct option OPTIONS[] = {
    {"trials", required_argument, NULL, TRIALS},
    {"fault", required_argument, NULL, FAULT},
    {"seed", required_argument, NULL, SEED},
    {"report", required_argument, NULL, REPORT},
    {"plot", required_argument, NULL, PLOT},
    {"keep", required_argument, NULL, KEEP},
    {"limit-s", required_argument, NULL, LIMIT},
    {"run", required_argument, NULL, RUN},
    {"help", no_argument, NULL, HELP},
    {"events", required_argument, NULL, FIRST_PASSED + SB_FAILOVER_EVENTS},
    {"load", required_argument, NULL, FIRST_PASSED + SB_FAILOVER_LOAD},
    {"port", required_argument, NULL, FIRST_PASSED + SB_FAILOVER_PORT},
    {"flow", required_argument, NULL, FIRST_PASSED + SB_FAILOVER_FLOW},
    {"trades", required_argument, NULL, FIRST_PASSED + SB_FAILOVER_TRADES},
    {NULL, 0, NULL, 0}};

/* Names only by form: scripts/run knows which there are. NULL if good, else what is accepted. */
static const char *take_faults(struct sb_failover_options *o, const char *list)
{
    o->faults_n = 0;
    for (;;) {
        const size_t length = strcspn(list, ",");
        if (o->faults_n == SB_FAILOVER_FAULTS_MAX)
            return "--fault: at most 32 names";
        if (length == 0 || length >= SB_FAILOVER_NAME_BYTES)
            return "--fault: names of 1 to 31 characters, separated by commas";
        char *name = o->faults[o->faults_n];
        memcpy(name, list, length);
        name[length] = '\0';
        for (const char *c = name; *c != '\0'; c++)
            if (!islower((unsigned char)*c) && !isdigit((unsigned char)*c) && *c != '-')
                return "--fault: names of lower-case letters, digits and -";
        for (size_t i = 0; i < o->faults_n; i++)
            if (strcmp(o->faults[i], name) == 0)
                return "--fault: a name is there twice";
        o->faults_n++;
        if (list[length] == '\0')
            return NULL;
        list += length + 1;
    }
}

static bool ends_in(const char *text, const char *end)
{
    const size_t length = strlen(text), tail = strlen(end);
    return length > tail && strcmp(text + length - tail, end) == 0;
}

static const char *take(struct sb_failover_options *o, int option, const char *text)
{
    switch (option) {
    case TRIALS:
        return sb_number_read(text, 1, SB_FAILOVER_TRIALS_MAX, &o->trials)
                   ? NULL
                   : "--trials: 1 to 100000";
    case FAULT:
        return take_faults(o, text);
    case SEED:
        return sb_number_read(text, 0, UINT64_MAX, &o->seed) ? NULL : "--seed: a whole number";
    case REPORT:
        o->report = text;
        return NULL;
    case PLOT:
        o->plot = text;
        return ends_in(text, ".png") || ends_in(text, ".gp") ? NULL
                                                             : "--plot: a name in .png or .gp";
    case KEEP:
        o->keep = text;
        return NULL;
    case LIMIT:
        return sb_number_read(text, 1, 86400, &o->limit_s) ? NULL : "--limit-s: 1 to 86400";
    case RUN:
        o->run = text;
        return NULL;
    default:
        o->passed[option - FIRST_PASSED] = text;
        return NULL;
    }
}

int sb_failover_arguments(struct sb_failover_options *o, int argc, char **argv)
{
    *o = (struct sb_failover_options){
        .seed = 1,
        .limit_s = 180,
        .faults = {"primary-kill", "primary-stop", "primary-segv"},
        .faults_n = 3,
    };
    int option;
    optind = 1;
    while ((option = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1) {
        if (option == HELP) {
            print_help(stdout);
            return 1;
        }
        if (option == '?')
            return 2; /* getopt has said it */
        const char *error = take(o, option, optarg);
        if (error != NULL) {
            fprintf(stderr, "failover: %s (not '%s')\n", error, optarg);
            return 2;
        }
    }
    if (optind != argc || o->trials == 0) {
        fprintf(stderr, "failover: --trials N is needed, and nothing but options\n");
        return 2;
    }
    return 0;
}

bool sb_failover_command(struct sb_failover_command *c, const struct sb_failover_options *o,
                         const struct sb_failover_trial *t, const char *run, const char *folder)
{
    static const char *const passed[SB_FAILOVER_PASSED] = {"--events", "--load", "--port", "--flow",
                                                           "--trades"};
    size_t n = 0;
    snprintf(c->at, sizeof c->at, "%u", t->at_percent);
    snprintf(c->seed, sizeof c->seed, "%" PRIu64, t->flow_seed);
    c->argv[n++] = run;
    c->argv[n++] = "--fault";
    c->argv[n++] = o->faults[t->fault];
    c->argv[n++] = "--at";
    c->argv[n++] = c->at;
    c->argv[n++] = "--seed";
    c->argv[n++] = c->seed;
    for (int i = 0; i < SB_FAILOVER_PASSED; i++) {
        if (o->passed[i] == NULL)
            continue;
        c->argv[n++] = passed[i];
        c->argv[n++] = o->passed[i];
    }
    if (t->number > 1)
        c->argv[n++] = "--no-floor"; /* the first trial measures it */
    if (folder != NULL) {
        const int length = snprintf(c->report, sizeof c->report, "%s/report.json", folder);
        if (length < 0 || (size_t)length >= sizeof c->report)
            return false;
        c->argv[n++] = "--report";
        c->argv[n++] = c->report;
        c->argv[n++] = "--keep";
        c->argv[n++] = folder;
    }
    c->argv[n] = NULL;
    return true;
}

static void print_word(FILE *out, const char *text)
{
    if (*text != '\0' &&
        strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                     "_-./:=,+@%") == strlen(text)) {
        fputs(text, out);
        return;
    }
    fputc('\'', out);
    for (; *text != '\0'; text++)
        if (*text == '\'')
            fputs("'\\''", out);
        else
            fputc(*text, out);
    fputc('\'', out);
}

void sb_failover_command_print(const struct sb_failover_command *c, FILE *out)
{
    for (size_t i = 0; c->argv[i] != NULL; i++) {
        if (i > 0)
            fputc(' ', out);
        print_word(out, c->argv[i]);
    }
}
