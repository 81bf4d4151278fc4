/* inspect.c: `shadowbook inspect`: its arguments, and the summary of a journal or a log file. */
#include "perf/inspect.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "perf/log_source.h"
#include "perf/match.h"
#include "perf/numbers.h"
#include "perf/top_view.h"
#include "perf/verbs.h"
#include "replica/lineage.h"

static const char *const USAGE =
    "usage: shadowbook inspect --journal FOLDER [--verbose] | --log FILE\n"
    "       shadowbook inspect --lineages FOLDER\n"
    "       shadowbook inspect --journal F | --log F  --state [--at N] [--instrument SYMBOL "
    "[--depth D]] [--whole] [--json]\n"
    "       shadowbook inspect --snapshot FILE [--instrument SYMBOL [--depth D]] [--json]\n"
    "       shadowbook inspect --node NAME [--shard S] [--journal FOLDER [--instrument SYMBOL]] "
    "[--json]\n"
    "       shadowbook inspect --journal F | --log F  --difference F [--json]\n"
    "       shadowbook inspect --journal F | --log F  --export FILE.csv\n";

/* Of a log's first input. What was made under other rules is shown all the same, and said. */
static bool has_rules(const char *path, const struct sb_command *first)
{
    return first->kind != SB_CMD_DAY ||
           sb_match_rules(path, sb_command_ext(first)->day.rules, stderr);
}

/* --- a journal ------------------------------------------------------------------------------------ */

struct summary { /* of a segment */
    uint64_t segment, blocks, packets, first_n, end_n, epoch_first, epoch_last;
    uint64_t clocks, clocks_unknown; /* CLOCK records; without a bound */
    uint64_t bound_min_ns, bound_max_ns;
};

static void print_segment(const struct summary *s)
{
    if (s->segment == 0)
        return;
    printf("segment %08" PRIu64 ": %" PRIu64 " blocks, %" PRIu64 " packets, ", s->segment,
           s->blocks, s->packets);
    if (s->end_n > s->first_n)
        printf("inputs %" PRIu64 " to %" PRIu64, s->first_n, s->end_n - 1);
    else
        printf("no input");
    printf(", epochs %s to %s", sb_top_epoch(s->epoch_first).text,
           sb_top_epoch(s->epoch_last).text);
    if (s->clocks != 0)
        printf(", clock said %" PRIu64 " times", s->clocks);
    if (s->clocks != s->clocks_unknown)
        printf(", off by at most %" PRIu64 " to %" PRIu64 " ns", s->bound_min_ns, s->bound_max_ns);
    if (s->clocks_unknown != 0)
        printf(", %" PRIu64 " times not known", s->clocks_unknown);
    putchar('\n');
}

/* One is written about every second: they are counted. */
static void add_clock(struct summary *s, const struct sb_journal_record *record)
{
    const uint64_t bound_ns = record->clock_bound_ns;
    const bool first = s->clocks == s->clocks_unknown;
    s->clocks++;
    if (bound_ns == UINT64_MAX) {
        s->clocks_unknown++;
        return;
    }
    if (first || bound_ns < s->bound_min_ns)
        s->bound_min_ns = bound_ns;
    if (bound_ns > s->bound_max_ns)
        s->bound_max_ns = bound_ns;
}

static void print_head(const struct sb_journal_reader *r)
{
    const struct sb_journal_scan *s = &r->scan;
    printf("journal %s: shard %u, node %c, incarnation %" PRIu64 ", day %u, generation %u\n",
           r->folder, s->block.head.shard, 'A' + s->block.head.sender, s->block.head.inc,
           s->segment.trading_day, s->segment.generation);
    if (s->first_n != 1)
        printf("begins at input %" PRIu64 ": earlier segments are not there\n", s->first_n);
}

static void print_record(const struct sb_journal_record *record)
{
    printf("record %s, epoch %s, after input %" PRIu64, sb_journal_record_name(record->kind),
           sb_top_epoch(record->epoch).text, record->n);
    if (record->kind == SB_RECORD_END)
        printf(", digest %016" PRIx64 ", state %016" PRIx64, record->digest, record->state_digest);
    if (record->kind == SB_RECORD_CLOCK && record->clock_bound_ns == UINT64_MAX)
        printf(", not known");
    else if (record->kind == SB_RECORD_CLOCK)
        printf(", off by at most %" PRIu64 " ns", record->clock_bound_ns);
    putchar('\n');
}

static int show_journal(const struct sb_inspect *a)
{
    struct sb_journal_reader r;
    if (!sb_journal_reader_open(&r, a->log, stderr))
        return 2;
    struct summary s = {0};
    bool rules = true;
    int more;
    while ((more = sb_journal_reader_block(&r, stderr)) == 1) {
        const struct sb_journal_block *b = &r.scan.block;
        if (r.scan.blocks == 1)
            print_head(&r);
        if (b->head.type == SB_JOURNAL_SEGMENT) {
            print_segment(&s);
            s = (struct summary){.segment = r.scan.segment.segment,
                                 .first_n = b->n_first,
                                 .epoch_first = b->head.epoch};
        }
        if (b->head.type == SB_JOURNAL_DATA && b->n_first == 1) {
            const struct sb_command *lines;
            sb_journal_packet_next(&r.scan, &(uint32_t){0}, &lines);
            rules = has_rules(r.folder, lines);
        }
        const bool record = b->head.type == SB_JOURNAL_RECORD;
        const bool clock = record && r.scan.record.kind == SB_RECORD_CLOCK;
        if (clock)
            add_clock(&s, &r.scan.record);
        if (record && (!clock || a->verbose))
            print_record(&r.scan.record);
        s.blocks++;
        s.packets += b->packets;
        s.end_n = r.scan.next_n;
        s.epoch_last = b->head.epoch;
    }
    print_segment(&s);
    if (more == 0)
        sb_journal_reader_say_end(&r, stdout);
    sb_journal_reader_close(&r);
    return more != 0 ? 2 : r.found == SB_FOUND_DAMAGED || !rules;
}

/* --- a log file ----------------------------------------------------------------------------------- */

static int show_log(const char *path)
{
    struct sb_log_source s;
    if (!sb_log_source_open(&s, path, UINT64_MAX, stderr))
        return 2;
    printf("log %s: shard %u, node %c, incarnation %" PRIu64 ", epoch %s at its end\n", path,
           s.shard, 'A' + s.sender, s.inc, sb_top_epoch(s.epoch).text);
    int more = 1;
    uint64_t packets = 0, inputs = 0;
    bool rules = true;
    while (more == 1 && (more = sb_log_source_next(&s, stderr)) == 1) {
        if (packets == 0)
            rules = has_rules(path, s.lines);
        packets++;
        inputs += s.count;
    }
    uint64_t state_digest;
    printf("%" PRIu64 " packets, %" PRIu64 " inputs\n", packets, inputs);
    if (more == 0 && sb_log_source_closed(&s, &state_digest)) {
        printf("state %016" PRIx64 "\n", state_digest);
        sb_log_source_say_end(&s, stdout);
    }
    sb_log_source_close(&s);
    return more == 0 && rules ? 0 : 1;
}

/* --- arguments ------------------------------------------------------------------------------------ */

/* A number of an option. False: said. */
static bool number(const char *option, const char *text, uint64_t min, uint64_t max,
                   uint64_t *value)
{
    if (sb_number_read(text, min, max, value))
        return true;
    fprintf(stderr, "inspect: %s %.40s: a number from %" PRIu64 " to %" PRIu64 " is accepted\n",
            option, text, min, max);
    return false;
}

/* -1: go on; else the exit code. */
static int read_options(int argc, char **argv, struct sb_inspect *a)
{
    static const struct option OPTIONS[] = {{"journal", required_argument, NULL, 'l'},
                                            {"log", required_argument, NULL, 'l'},
                                            {"difference", required_argument, NULL, 'd'},
                                            {"export", required_argument, NULL, 'e'},
                                            {"state", no_argument, NULL, 's'},
                                            {"at", required_argument, NULL, 'a'},
                                            {"instrument", required_argument, NULL, 'i'},
                                            {"depth", required_argument, NULL, 'D'},
                                            {"node", required_argument, NULL, 'n'},
                                            {"shard", required_argument, NULL, 'S'},
                                            {"snapshot", required_argument, NULL, 'f'},
                                            {"whole", no_argument, NULL, 'w'},
                                            {"verbose", no_argument, NULL, 'v'},
                                            {"lineages", required_argument, NULL, 'L'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    uint64_t shard;
    bool good = true;
    optind = 1;
    for (int c; good && (c = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1;) {
        if (c == 'l')
            a->log = optarg;
        else if (c == 'd')
            a->other = optarg;
        else if (c == 'e')
            a->to = optarg;
        else if (c == 's')
            a->state = true;
        else if (c == 'i')
            a->symbol = optarg;
        else if (c == 'n')
            a->node = optarg;
        else if (c == 'f')
            a->snapshot = optarg;
        else if (c == 'w')
            a->whole = true;
        else if (c == 'v')
            a->verbose = true;
        else if (c == 'L')
            a->lineages = optarg;
        else if (c == 'j')
            a->json = true;
        else if (c == 'h')
            return fputs(USAGE, stdout) < 0 ? 2 : 0;
        else if (c == 'a')
            good = number("--at", optarg, 1, INT64_MAX, &a->at);
        else if (c == 'D')
            good = number("--depth", optarg, 1, 1000000, &a->depth);
        else if (c == 'S' && (good = number("--shard", optarg, 0, SB_SHARD_MAX, &shard)))
            a->shard = (int)shard;
        else
            good = false;
    }
    return good && optind == argc ? -1 : 2;
}

typedef int part(const struct sb_inspect *);

static int show(const struct sb_inspect *a)
{
    return sb_journal_is_folder(a->log) ? show_journal(a) : show_log(a->log);
}

/* All of a node's journals of the day, and the one that --force-solo goes on with. */
static int show_lineages(const struct sb_inspect *a)
{
    static struct sb_lineage all[SB_LINEAGES_MAX];
    const size_t n = sb_lineages_read(all, a->lineages, stderr);
    if (n == 0) {
        fprintf(stderr, "%s: no folder of a journal is there\n", a->lineages);
        return 2;
    }
    const size_t best = sb_lineage_best(all, n);
    for (size_t i = 0; i < n; i++) {
        printf("%s ", i == best ? "best " : "     ");
        sb_lineage_say(&all[i], stdout);
    }
    return 0;
}

/* Which of the parts is meant; NULL: options that do not go together. */
static part *part_of(const struct sb_inspect *a)
{
    if (a->lineages != NULL) {
        const struct sb_inspect alone = {.lineages = a->lineages, .shard = -1, .at = UINT64_MAX};
        return memcmp(a, &alone, sizeof alone) == 0 ? show_lineages : NULL;
    }
    const bool state = a->state || a->node != NULL || a->snapshot != NULL;
    const bool place = a->at != UINT64_MAX || a->symbol != NULL;
    const int parts = (a->state || a->node != NULL) + (a->snapshot != NULL) + (a->other != NULL) +
                      (a->to != NULL);
    const bool from = a->log != NULL || (a->node != NULL && !a->state && !place);
    if (parts > 1 || from == (a->snapshot != NULL) || (place && !state) ||
        (a->at != UINT64_MAX && a->snapshot != NULL) || (a->depth != 0 && a->symbol == NULL) ||
        (a->shard >= 0 && a->node == NULL) || (a->json && (parts == 0 || a->to != NULL)) ||
        (a->whole && !a->state) || (a->verbose && (parts != 0 || a->log == NULL)))
        return NULL;
    return state              ? sb_inspect_state
           : a->other != NULL ? sb_inspect_difference
           : a->to != NULL    ? sb_inspect_export
                              : show;
}

int sb_inspect_main(int argc, char **argv)
{
    struct sb_inspect a = {.shard = -1, .at = UINT64_MAX};
    const int code = read_options(argc, argv, &a);
    if (code == 0)
        return 0;
    part *const chosen = code < 0 ? part_of(&a) : NULL;
    if (chosen == NULL) {
        fputs(USAGE, stderr);
        return 2;
    }
    return chosen(&a);
}
