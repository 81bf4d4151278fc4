/* generate_verb.c: `shadowbook generate`: generated flow into a file. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "perf/generate.h"
#include "perf/numbers.h"
#include "perf/verbs.h"

static const char *const USAGE =
    "usage: shadowbook generate --seed S --events N [--instruments M] [--out FILE[.xz]]\n";

struct arguments {
    uint64_t seed, events, instruments;
    const char *out;
};

static int usage(void)
{
    fputs(USAGE, stderr);
    return 2;
}

static int generate(const struct arguments *a)
{
    char error[SB_LINES_ERROR_BYTES] = "";
    struct sb_line_writer *w = sb_line_writer_open(a->out, error);
    if (w == NULL) {
        fprintf(stderr, "shadowbook generate: %s\n", error);
        return 2;
    }
    struct sb_generate *g = sb_generate_new(a->seed, (uint32_t)a->events, (uint32_t)a->instruments);
    if (g == NULL)
        fprintf(stderr, "shadowbook generate: out of memory\n");
    const bool symbols = a->instruments > 1;
    sb_flow_write_header(w, symbols);
    struct sb_flow_row row;
    while (g != NULL && sb_generate_next(g, &row))
        sb_flow_write(w, &row, symbols);
    const bool good = g != NULL;
    sb_generate_free(g);
    if (sb_line_writer_close(w, error))
        return good ? 0 : 2;
    fprintf(stderr, "shadowbook generate: %s\n", error);
    return 2;
}

int sb_generate_main(int argc, char **argv)
{
    static const struct option OPTIONS[] = {{"seed", required_argument, NULL, 's'},
                                            {"events", required_argument, NULL, 'n'},
                                            {"instruments", required_argument, NULL, 'm'},
                                            {"out", required_argument, NULL, 'o'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    struct arguments a = {.instruments = 1, .out = "/dev/stdout"};
    bool seed = false;
    optind = 1;
    for (int c; (c = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1;) {
        bool good = true;
        if (c == 's')
            good = seed = sb_number_read(optarg, 0, UINT64_MAX, &a.seed);
        else if (c == 'n')
            good =
                sb_number_read(optarg, SB_GENERATE_EVENTS_MIN, SB_GENERATE_EVENTS_MAX, &a.events);
        else if (c == 'm')
            good = sb_number_read(optarg, 1, SB_GENERATE_INSTRUMENTS_MAX, &a.instruments);
        else if (c == 'o')
            a.out = optarg;
        else if (c == 'h')
            return fputs(USAGE, stdout) < 0 ? 2 : 0;
        else
            return usage();
        if (!good) {
            fprintf(stderr,
                    "shadowbook generate: '%s' is out of range (events %d..%d, instruments "
                    "1..%d)\n",
                    optarg, SB_GENERATE_EVENTS_MIN, SB_GENERATE_EVENTS_MAX,
                    SB_GENERATE_INSTRUMENTS_MAX);
            return 2;
        }
    }
    if (!seed || a.events == 0 || optind != argc)
        return usage();
    return generate(&a);
}
