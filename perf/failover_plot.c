/* The picture: a strip of dots for each fault and time, on one logarithmic axis, its numbers beside it. */
#include <inttypes.h>
#include <string.h>

#include "perf/failover_report.h"
#include "perf/verbs.h"

/* Okabe and Ito's colours, which the colour-blind can tell apart. */
static const struct {
    const char *label, *colour;
} SPANS[SB_FAILOVER_SPANS] = {
    {"detection: fault → suspicion", "0072B2"},
    {"decision: suspicion → decision", "D55E00"},
    {"switch: decision → first frame", "009E73"},
    {"client gap: without an answer", "AA4499"},
};

static const char *const POINTS[SB_FAILOVER_POINTS] = {"p50", "p90", "p99", "p99.9", "max"};

/* Sizes in pixels; a row is 1 on the y axis, 0 at the top, and counts down. */
enum { WIDTH = 1600, ROW = 50, ABOVE = 160, BELOW = 130 };
static const double LEFT = 0.172, RIGHT = 0.688; /* of the width: the axis */

struct picture {
    FILE *out;
    uint64_t lo, hi; /* ends of the time axis, powers of ten */
    double rows;     /* used so far */
};

/* As gnuplot quotes: in single quotes, which are doubled within. */
static void put_text(FILE *out, const char *text)
{
    fputc('\'', out);
    for (; *text != '\0'; text++) {
        if (*text == '\'')
            fputc('\'', out);
        fputc(*text == '\n' ? ' ' : *text, out);
    }
    fputc('\'', out);
}

static void widen(struct picture *p, uint64_t ns)
{
    if (ns == 0 || ns == SB_FAILOVER_NONE)
        return;
    while (p->lo > ns)
        p->lo /= 10;
    while (p->hi <= ns && p->hi < UINT64_C(10000000000000))
        p->hi *= 10;
}

/* Zero has no place on the axis: it stands at its left end. */
static uint64_t placed(const struct picture *p, uint64_t ns)
{
    return ns < p->lo ? p->lo : ns;
}

static void put_line(struct picture *p, uint64_t ns, double height, const char *side,
                     const char *colour, const char *what)
{
    char label[64];
    snprintf(label, sizeof label, "%s %s", what, sb_failover_time(ns).text);
    fprintf(p->out,
            "set arrow from first %" PRIu64 ", graph 0 to first %" PRIu64
            ", graph 1 nohead back lw 2 dt 2 lc rgb '#%s'\n"
            "set label ",
            ns, ns, colour);
    put_text(p->out, label);
    fprintf(p->out, " at first %" PRIu64 ", graph 1 %s offset 0, %.1f tc rgb '#%s'\n", ns, side,
            height, colour);
}

static double column_at(int column) /* of n and the points, its right end on the screen */
{
    static const double ends[] = {0.720, 0.774, 0.828, 0.882, 0.936, 0.989};
    return ends[column];
}

static void put_fault_head(struct picture *p, const char *name, const struct sb_failover_sum *s)
{
    char text[256];
    const double y = p->rows + 0.55;
    snprintf(text, sizeof text,
             "%s: %" PRIu64 " of %" PRIu64 " passed, lost %" PRIu64 ", conflicting %" PRIu64
             ", needless takeovers %" PRIu64 ", states equal %" PRIu64 " of %" PRIu64,
             name, s->passed, s->trials, s->lost, s->conflicting, s->needless, s->states_equal,
             s->trials);
    fprintf(p->out,
            "set object rectangle from screen 0.006, first %.2f to screen 0.996, first %.2f front "
            "fs solid noborder fc rgb '#E6E6E6'\nset label ",
            p->rows + 0.1, p->rows + 0.95);
    put_text(p->out, text);
    fprintf(p->out, " at screen 0.012, first %.2f left front font ',14'\n", y);
    fprintf(p->out, "set label 'n' at screen %.3f, first %.2f right front\n", column_at(0), y);
    for (int i = 0; i < SB_FAILOVER_POINTS; i++)
        fprintf(p->out, "set label '%s' at screen %.3f, first %.2f right front\n", POINTS[i],
                column_at(i + 1), y);
    p->rows += 1;
}

/* Box, median and numbers of one strip; the dots are the plot itself. */
static void put_strip(struct picture *p, int span, const struct sb_failover_spread *s)
{
    const double y = p->rows + 0.58;
    const uint64_t median = s->at[SB_FAILOVER_P50] != SB_FAILOVER_NONE ? s->at[SB_FAILOVER_P50]
                                                                       : s->at[SB_FAILOVER_MAX];
    fprintf(p->out, "set label '%s' at screen %.3f, first %.2f right\n", SPANS[span].label,
            LEFT - 0.006, y);
    if (s->p25 != SB_FAILOVER_NONE)
        fprintf(p->out,
                "set object rectangle from first %" PRIu64 ", first %.2f to first %" PRIu64
                ", first %.2f front fs empty border rgb '#202020' lw 1.5\n",
                placed(p, s->p25), y - 0.24, placed(p, s->p75), y + 0.24);
    fprintf(p->out,
            "set arrow from first %" PRIu64 ", first %.2f to first %" PRIu64
            ", first %.2f nohead front lw 4 lc rgb '#202020'\n"
            "set label '%s' at first %" PRIu64 ", first %.2f %s front boxed font ',13'\n",
            placed(p, median), y - 0.26, placed(p, median), y + 0.26, sb_failover_time(median).text,
            placed(p, median), y - 0.42, placed(p, median) == p->lo ? "left" : "center");
    fprintf(p->out, "set label '%" PRIu64 "' at screen %.3f, first %.2f right\n", s->n,
            column_at(0), y);
    for (int i = 0; i < SB_FAILOVER_POINTS; i++)
        fprintf(p->out, "set label '%s' at screen %.3f, first %.2f right\n",
                s->at[i] == SB_FAILOVER_NONE ? "–" : sb_failover_time(s->at[i]).text,
                column_at(i + 1), y);
}

/* One block of data a strip: time and height of each dot. */
static void put_dots(struct picture *p, const struct sb_failover_results *r, size_t fault, int span)
{
    uint32_t golden = 0;
    fprintf(p->out, "$dots_%zu_%d << END\n", fault, span);
    for (uint64_t i = 0; i < r->trials_n; i++) {
        const uint64_t ns = r->trials[i].ns[span];
        if (r->trials[i].fault != fault || ns == SB_FAILOVER_NONE)
            continue;
        golden += UINT32_C(2654435769); /* spreads neighbours evenly, and the same each time */
        fprintf(p->out, "%" PRIu64 " %.3f\n", placed(p, ns),
                p->rows + 0.58 + ((double)golden / 4294967296.0 - 0.5) * 0.36);
    }
    fputs("END\n", p->out);
}

static void put_axis(struct picture *p)
{
    fprintf(p->out, "set xrange [%.1f:%.1f]\nset xtics out nomirror (", 0.97 * (double)p->lo,
            1.03 * (double)p->hi); /* a tick on the very end is left out */
    for (uint64_t tick = p->lo; tick <= p->hi; tick *= 10) {
        static const char *const units[] = {"ns", "us", "ms", "s"};
        uint64_t number = tick;
        size_t unit = 0;
        for (; unit < 3 && number >= 1000; unit++)
            number /= 1000;
        fprintf(p->out, "%s'%" PRIu64 " %s' %" PRIu64, tick == p->lo ? "" : ", ", number,
                units[unit], tick);
        for (uint64_t minor = 2; minor <= 9 && tick < p->hi; minor++)
            fprintf(p->out, ", '' %" PRIu64 " 1", minor * tick);
    }
    fputs(")\nset grid xtics lt 1 lc rgb '#DDDDDD' lw 1\n", p->out);
}

static void put_words(struct picture *p, const struct sb_failover_results *r)
{
    const struct sb_failover_sum s = sb_failover_total(r->trials, r->trials_n);
    char text[512];
    size_t used = 0;
    snprintf(text, sizeof text,
             "Failover, %" PRIu64 " trials: %s%" PRIu64 " passed, lost %" PRIu64
             ", conflicting %" PRIu64 ", states equal %" PRIu64 " of %" PRIu64,
             s.trials, r->trials_n < r->options->trials ? "stopped early, " : "", s.passed, s.lost,
             s.conflicting, s.states_equal, s.trials);
    fputs("set label ", p->out);
    put_text(p->out, text);
    fputs(" at screen 0.012, screen 1 offset 0, -1.6 left font ',20'\nset label ", p->out);
    snprintf(text, sizeof text, "shadowbook %s on %" PRIu64 " x %s, Linux %s, %s", SB_VERSION,
             r->cores, r->cpu, r->kernel, r->started_at);
    put_text(p->out, text);
    fputs(" at screen 0.012, screen 1 offset 0, -3.4 left font ',13'\nset label ", p->out);
    for (int i = 0; i < r->argc && used < sizeof text; i++) {
        const int n = snprintf(text + used, sizeof text - used, " %s", r->argv[i]);
        used += n > 0 ? (size_t)n : 0;
    }
    if (used > 150) /* what fits */
        memcpy(text + 147, "...", sizeof "...");
    char command[sizeof text + 16];
    snprintf(command, sizeof command, "shadowbook%s", text);
    put_text(p->out, command);
    fputs(" at screen 0.012, screen 0 offset 0, 1.1 left font ',12' tc rgb '#505050'\n", p->out);
    fputs("set label 'Each dot is a trial. Box: the middle half of them. Thick line and the number "
          "above it: the median. A zero stands at the left end. –: too few trials (p90 takes "
          "10, p99 100, p99.9 1000).' at screen 0.012, screen 0 offset 0, 2.5 left font ',12'\n",
          p->out);
}

static double rows_of(const struct sb_failover_results *r, struct picture *p,
                      struct sb_failover_sum *sums)
{
    double rows = 0.2;
    for (size_t f = 0; f < r->options->faults_n; f++) {
        rows += sums[f].trials > 0;
        for (int span = 0; span < SB_FAILOVER_SPANS; span++) {
            const struct sb_failover_spread *s = &sums[f].spans[span];
            rows += s->n > 0;
            widen(p, s->min);
            widen(p, s->n > 0 ? s->at[SB_FAILOVER_MAX] : 0);
        }
    }
    widen(p, r->floor.n > 0 ? r->floor.at[SB_FAILOVER_P50] : 0);
    widen(p, r->suspect_after_ns);
    widen(p, r->takeover_after_ns);
    return rows;
}

static void put_strips(struct picture *p, const struct sb_failover_results *r,
                       const struct sb_failover_sum *sums)
{
    for (size_t f = 0; f < r->options->faults_n; f++) {
        if (sums[f].trials == 0)
            continue;
        put_fault_head(p, r->options->faults[f], &sums[f]);
        for (int span = 0; span < SB_FAILOVER_SPANS; span++) {
            if (sums[f].spans[span].n == 0)
                continue;
            put_strip(p, span, &sums[f].spans[span]);
            put_dots(p, r, f, span);
            p->rows += 1;
        }
    }
    fputs("plot NaN notitle", p->out);
    for (size_t f = 0; f < r->options->faults_n; f++)
        for (int span = 0; span < SB_FAILOVER_SPANS; span++)
            if (sums[f].spans[span].n > 0)
                fprintf(p->out,
                        ", \\\n  $dots_%zu_%d using 1:2 with points pt 7 ps 0.8 lc rgb '#60%s' "
                        "notitle",
                        f, span, SPANS[span].colour);
    fputc('\n', p->out);
}

bool sb_failover_plot(const struct sb_failover_results *r, FILE *out)
{
    struct sb_failover_sum sums[SB_FAILOVER_FAULTS_MAX];
    struct picture p = {.out = out, .lo = 1000, .hi = 1000000000};
    for (size_t f = 0; f < r->options->faults_n; f++)
        if (!sb_failover_sum(&sums[f], r->trials, r->trials_n, f))
            return false;
    const double rows = rows_of(r, &p, sums);
    const double height = ABOVE + BELOW + ROW * rows;
    fprintf(out,
            "set encoding utf8\n"
            "set terminal pngcairo noenhanced size %d, %.0f font 'sans,12' background '#FFFFFF'\n"
            "set lmargin at screen %.3f\nset rmargin at screen %.3f\n"
            "set tmargin at screen %.4f\nset bmargin at screen %.4f\n"
            "set logscale x\nunset ytics\nunset key\nset border 1\nset yrange [%.2f:0]\n"
            "set xlabel 'time, logarithmic' offset 0, 0.3\n"
            "set style textbox opaque noborder fc rgb '#FFFFFF' margins 0.3, 0.1\n",
            WIDTH, height, LEFT, RIGHT, 1 - ABOVE / height, BELOW / height, rows);
    put_axis(&p);
    put_words(&p, r);
    if (r->floor.n > 0)
        put_line(&p, r->floor.at[SB_FAILOVER_P50], 2.2, "left", "505050",
                 "floor: bare echo, round trip p50");
    if (r->takeover_after_ns > 0) {
        put_line(&p, r->suspect_after_ns, 0.9, "right", "505050", "suspicion after");
        put_line(&p, r->takeover_after_ns, 0.9, "left", "505050", "takeover after");
    }
    put_strips(&p, r, sums);
    return fflush(out) == 0 && !ferror(out);
}
