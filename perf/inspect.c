/* inspect.c: `shadowbook inspect`: what a journal holds, and where two begin to differ. */
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "perf/verbs.h"
#include "replica/journal_reader.h"

static const char *const USAGE =
    "usage: shadowbook inspect --journal FOLDER [--difference FOLDER]\n";

/* --- words -------------------------------------------------------------------------------------- */

static void print_epoch(uint64_t epoch)
{
    printf("%" PRIu64 "%c", epoch >> 2, "DPSR"[epoch & 3]);
}

static const char *kind_name(uint8_t kind)
{
    switch (kind) {
    case SB_CMD_DAY:
        return "DAY";
    case SB_CMD_SESSION:
        return "SESSION";
    case SB_CMD_INSTRUMENT:
        return "INSTRUMENT";
    case SB_CMD_PHASE:
        return "PHASE";
    case SB_CMD_UNCROSS:
        return "UNCROSS";
    case SB_CMD_LOGIN:
        return "LOGIN";
    case SB_CMD_ORDER:
        return "ORDER";
    case SB_CMD_CANCEL:
        return "CANCEL";
    case SB_CMD_REPLACE:
        return "REPLACE";
    case SB_CMD_REDUCE:
        return "REDUCE";
    case SB_CMD_INVALID:
        return "INVALID";
    default:
        return "?";
    }
}

static void print_command(const char *where, const struct sb_command *c)
{
    printf("  %s: %s", where, kind_name(c->kind));
    if (c->session != 0)
        printf(" of session %u, message %" PRIu64, c->session, c->session_seq);
    printf(", time %" PRIu64 ", key %u", c->time_ns, c->key);
    if (c->kind == SB_CMD_REPLACE)
        printf(" for %u", c->orig_key);
    if (c->instrument != 0)
        printf(", instrument %u", c->instrument);
    if (c->kind == SB_CMD_ORDER || c->kind == SB_CMD_REPLACE)
        printf(", %s %u at %" PRId64 "%s", sb_side_sells(c->side) ? "sell" : "buy", c->quantity,
               c->price, c->tif == SB_TIF_IOC ? " IOC" : "");
    else if (c->kind == SB_CMD_CANCEL || c->kind == SB_CMD_REDUCE)
        printf(", quantity %u", c->quantity);
    else if (c->kind == SB_CMD_PHASE)
        printf(", phase %u", c->phase);
    putchar('\n');
    for (uint32_t i = 0; i < sb_command_lines(c); i++) {
        printf("    ");
        for (uint32_t k = 0; k < SB_LINE_BYTES; k++)
            printf("%02x%s", ((const uint8_t *)(c + i))[k], k % 8 == 7 ? " " : "");
        putchar('\n');
    }
}

/* --- one journal ---------------------------------------------------------------------------------- */

struct summary { /* of a segment */
    uint64_t segment, blocks, packets, first_n, end_n, epoch_first, epoch_last;
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
    printf(", epochs ");
    print_epoch(s->epoch_first);
    printf(" to ");
    print_epoch(s->epoch_last);
    putchar('\n');
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
    printf("record %s, epoch ", sb_journal_record_name(record->kind));
    print_epoch(record->epoch);
    printf(", after input %" PRIu64, record->n);
    if (record->kind == SB_RECORD_END)
        printf(", digest %016" PRIx64 ", state %016" PRIx64, record->digest, record->state_digest);
    putchar('\n');
}

static int show(const char *path)
{
    struct sb_journal_reader r;
    if (!sb_journal_reader_open(&r, path, stderr))
        return 2;
    struct summary s = {0};
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
        if (b->head.type == SB_JOURNAL_RECORD)
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
    return more != 0 ? 2 : r.found == SB_FOUND_DAMAGED;
}

/* --- two of them ----------------------------------------------------------------------------------- */

/* A journal, input by input. */
struct walk {
    struct sb_journal_reader r;
    const struct sb_journal_packet *packet;
    const struct sb_command *c; /* the input that stands next */
    uint32_t left;              /* in the packet, this one included */
    int more;
};

static void walk_next(struct walk *w)
{
    if (w->left > 1) {
        w->c += sb_command_lines(w->c);
        w->left--;
        return;
    }
    w->more = sb_journal_reader_packet(&w->r, &w->packet, &w->c, stderr);
    w->left = w->more == 1 ? w->packet->count : 0;
}

static bool walk_open(struct walk *w, const char *path)
{
    memset(w, 0, sizeof *w);
    if (!sb_journal_reader_open(&w->r, path, stderr))
        return false;
    walk_next(w);
    return true;
}

/* Skips what the other does not have because its earlier segments are gone. */
static void walk_to(struct walk *w, uint64_t n)
{
    while (w->more == 1 && w->c->seq < n)
        walk_next(w);
}

static bool input_equal(const struct walk *a, const struct walk *b)
{
    const uint32_t lines = sb_command_lines(a->c);
    return lines == sb_command_lines(b->c) &&
           memcmp(a->c, b->c, (size_t)lines * SB_LINE_BYTES) == 0;
}

/* 0: equal as far as both go; 1: they differ, and how was printed. */
static int compare(struct walk *a, struct walk *b, uint64_t *n)
{
    for (; a->more == 1 && b->more == 1; walk_next(a), walk_next(b)) {
        *n = a->c->seq;
        if (!input_equal(a, b)) {
            printf("input %" PRIu64 " differs:\n", *n);
            print_command(a->r.folder, a->c);
            print_command(b->r.folder, b->c);
            return 1;
        }
        const bool ends_a = a->left == 1, ends_b = b->left == 1;
        if (ends_a != ends_b) {
            printf("input %" PRIu64 " is the last of a packet in %s and not in %s\n", *n,
                   (ends_a ? a : b)->r.folder, (ends_a ? b : a)->r.folder);
            return 1;
        }
        if (ends_a && a->packet->digest != b->packet->digest) {
            printf("inputs are equal, but behind input %" PRIu64
                   " the digests of all outputs differ: %016" PRIx64 " in %s, %016" PRIx64
                   " in %s; the packet's first input is %" PRIu64 "\n",
                   *n, a->packet->digest, a->r.folder, b->packet->digest, b->r.folder,
                   a->packet->n_first);
            print_command("its last input", a->c);
            return 1;
        }
    }
    return 0;
}

static void print_rest(struct walk *w)
{
    uint64_t rest = 0;
    for (; w->more == 1; walk_next(w))
        rest++;
    if (rest != 0)
        printf("%s has %" PRIu64 " inputs more\n", w->r.folder, rest);
}

static int difference(const char *path_a, const char *path_b)
{
    struct walk a, b;
    if (!walk_open(&a, path_a))
        return 2;
    if (!walk_open(&b, path_b)) {
        sb_journal_reader_close(&a.r);
        return 2;
    }
    if (a.more == 1 && b.more == 1) {
        walk_to(&a, b.c->seq);
        walk_to(&b, a.more == 1 ? a.c->seq : 0);
    }
    uint64_t n = 0;
    const uint64_t from = a.more == 1 ? a.c->seq : 0;
    int code = compare(&a, &b, &n);
    if (code == 0) {
        if (n != 0)
            printf("inputs and digests are equal from %" PRIu64 " to %" PRIu64 "\n", from, n);
        else
            printf("they have no input in common\n");
        print_rest(&a);
        print_rest(&b);
        if (a.more == 0)
            sb_journal_reader_say_end(&a.r, stdout);
        if (b.more == 0)
            sb_journal_reader_say_end(&b.r, stdout);
        if (a.more < 0 || b.more < 0)
            code = 2;
        else if (a.r.found == SB_FOUND_DAMAGED || b.r.found == SB_FOUND_DAMAGED)
            code = 1;
    }
    sb_journal_reader_close(&a.r);
    sb_journal_reader_close(&b.r);
    return code;
}

int sb_inspect_main(int argc, char **argv)
{
    static const struct option OPTIONS[] = {{"journal", required_argument, NULL, 'j'},
                                            {"difference", required_argument, NULL, 'd'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    const char *journal = NULL, *other = NULL;
    optind = 1;
    for (int c; (c = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1;) {
        if (c == 'j')
            journal = optarg;
        else if (c == 'd')
            other = optarg;
        else if (c == 'h')
            return fputs(USAGE, stdout) < 0 ? 2 : 0;
        else
            journal = NULL, optind = argc + 1;
    }
    if (journal == NULL || optind != argc) {
        fputs(USAGE, stderr);
        return 2;
    }
    return other != NULL ? difference(journal, other) : show(journal);
}
