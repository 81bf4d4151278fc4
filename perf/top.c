/* top: the counters of all processes on this host, now.
 *
 * Reads the shared regions only; a process that is watched does not notice. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "perf/top_view.h"
#include "perf/verbs.h"

struct options {
    bool once, json;
    int shard; /* -1: all */
    long interval_ms;
};

static const char USAGE[] =
    "usage: shadowbook top [--once] [--json] [--shard N] [--interval-ms N]\n";

static bool number(const char *text, long min, long max, long *value)
{
    char *end;
    *value = strtol(text, &end, 10);
    return *text != '\0' && *end == '\0' && *value >= min && *value <= max;
}

/* -1: go on; else the exit code. */
static int read_options(int argc, char **argv, struct options *o)
{
    static const struct option names[] = {
        {"once", no_argument, NULL, 'o'},        {"json", no_argument, NULL, 'j'},
        {"shard", required_argument, NULL, 's'}, {"interval-ms", required_argument, NULL, 'i'},
        {"help", no_argument, NULL, 'h'},        {NULL, 0, NULL, 0}};
    *o = (struct options){.shard = -1, .interval_ms = 0};
    optind = 1;
    for (int c; (c = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        long value;
        if (c == 'o') {
            o->once = true;
        } else if (c == 'j') {
            o->json = true;
        } else if (c == 's' && number(optarg, 0, UINT16_MAX, &value)) {
            o->shard = (int)value;
        } else if (c == 'i' && number(optarg, 10, 3600000, &value)) {
            o->interval_ms = value;
        } else if (c == 'h') {
            fputs(USAGE, stdout);
            return 0;
        } else {
            if (c == 's')
                fprintf(stderr, "top: --shard %s: a number from 0 to 65535 is accepted\n", optarg);
            if (c == 'i')
                fprintf(stderr, "top: --interval-ms %s: a number from 10 to 3600000 is accepted\n",
                        optarg);
            fputs(USAGE, stderr);
            return 2;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "top: unexpected %s\n%s", argv[optind], USAGE);
        return 2;
    }
    if (o->interval_ms == 0)
        o->interval_ms = o->once ? 200 : 1000;
    return -1;
}

static void wait_ms(long ms)
{
    struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    while (nanosleep(&left, &left) != 0)
        continue;
}

static int show(const struct options *o, struct sb_top_sample *now, struct sb_top_sample *before)
{
    size_t before_n = 0;
    /* Rates need two moments; JSON has none, whoever reads it can subtract. */
    if (!o->json) {
        before_n = sb_top_sample_all(before, SB_COUNTERS_REGIONS_MAX, o->shard);
        if (before_n > 0)
            wait_ms(o->once ? o->interval_ms : 200);
    }
    for (;;) {
        const size_t n = sb_top_sample_all(now, SB_COUNTERS_REGIONS_MAX, o->shard);
        if (o->json)
            sb_top_json(stdout, now, n);
        else {
            if (!o->once && isatty(STDOUT_FILENO))
                fputs("\033[H\033[2J", stdout);
            if (n > 0)
                sb_top_table(stdout, now, n, before, before_n);
            else if (!o->once)
                puts("no process shows counters yet");
        }
        if (fflush(stdout) != 0 || ferror(stdout)) {
            perror("top: standard output");
            return 1;
        }
        if (o->once && n == 0)
            fputs("top: no process of this shard shows counters on this host "
                  "(/dev/shm/shadowbook-SHARD-NAME)\n",
                  stderr);
        if (o->once)
            return n > 0 ? 0 : 1;
        memcpy(before, now, n * sizeof *now);
        before_n = n;
        wait_ms(o->interval_ms);
    }
}

int sb_top_main(int argc, char **argv)
{
    struct options o;
    const int done = read_options(argc, argv, &o);
    if (done >= 0)
        return done;
    struct sb_top_sample *samples = calloc(2 * SB_COUNTERS_REGIONS_MAX, sizeof *samples);
    if (samples == NULL) {
        fputs("top: no memory\n", stderr);
        return 1;
    }
    const int code = show(&o, samples, samples + SB_COUNTERS_REGIONS_MAX);
    free(samples);
    return code;
}
