/* failover: the trials themselves, one after the other, and where their results go. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "perf/child.h"
#include "perf/failover_report.h"
#include "perf/verbs.h"
#include "shadowbook/config.h"

struct work {
    struct sb_failover_options options;
    struct sb_failover_results results;
    struct sb_failover_trial *trials;
    bool told[SB_FAILOVER_FAULTS_MAX]; /* a trial of this fault has given a report */
    bool stuck;                        /* what is asked for cannot be run */
    FILE *report, *plot;
    int nothing; /* /dev/null */
    time_t began;
    char run[PATH_MAX], executable[PATH_MAX], folder[SB_FAILOVER_PATH_BYTES];
};

/* --- before the first trial ------------------------------------------------------------------------------------ */

static void find_machine(struct sb_failover_results *r)
{
    struct utsname name;
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    char line[256];
    r->cores = cores > 0 ? (uint64_t)cores : 0;
    if (uname(&name) == 0)
        snprintf(r->kernel, sizeof r->kernel, "%s", name.release);
    snprintf(r->cpu, sizeof r->cpu, "unknown processor");
    FILE *info = fopen("/proc/cpuinfo", "re");
    while (info != NULL && fgets(line, sizeof line, info) != NULL) {
        const char *value = strchr(line, ':');
        if (strncmp(line, "model name", 10) != 0 || value == NULL)
            continue;
        line[strcspn(line, "\n")] = '\0';
        snprintf(r->cpu, sizeof r->cpu, "%s", value + 1 + (value[1] == ' '));
        break;
    }
    if (info != NULL)
        fclose(info);
}

static bool find_programs(struct work *w)
{
    const ssize_t n = readlink("/proc/self/exe", w->executable, sizeof w->executable - 1);
    if (n <= 0) {
        perror("failover: /proc/self/exe");
        return false;
    }
    w->executable[n] = '\0';
    if (w->options.run != NULL) {
        snprintf(w->run, sizeof w->run, "%s", w->options.run);
    } else {
        char path[PATH_MAX + 32];
        const char *slash = strrchr(w->executable, '/');
        snprintf(path, sizeof path, "%.*s/../scripts/run", (int)(slash - w->executable),
                 w->executable);
        if (realpath(path, w->run) == NULL) {
            fprintf(stderr, "failover: %s: %s (--run PATH names it)\n", path, strerror(errno));
            return false;
        }
    }
    if (access(w->run, X_OK) != 0) {
        fprintf(stderr, "failover: %s cannot be run: %s\n", w->run, strerror(errno));
        return false;
    }
    /* Nothing is installed or built for a trial: each runs this very executable. */
    return setenv("SHADOWBOOK_BIN", w->executable, 1) == 0;
}

static bool wants_picture(const struct work *w)
{
    const char *end = w->options.plot != NULL ? strrchr(w->options.plot, '.') : NULL;
    return end != NULL && strcmp(end, ".png") == 0;
}

static bool find_gnuplot(const struct work *w)
{
    const char *const version[] = {"gnuplot", "--version", NULL};
    if (!wants_picture(w))
        return true;
    const struct sb_child_end end = sb_child_run(version, w->nothing, w->nothing, w->nothing, 20);
    if (end.error == 0 && end.code == 0)
        return true;
    fprintf(stderr,
            "failover: --plot %s takes gnuplot, which does not run here (Debian: "
            "gnuplot-nox); a name in .gp gives its program instead\n",
            w->options.plot);
    return false;
}

static bool open_file(const char *path, FILE **file)
{
    if (path == NULL)
        return true;
    *file = fopen(path, "we");
    if (*file == NULL)
        fprintf(stderr, "failover: %s cannot be written: %s\n", path, strerror(errno));
    return *file != NULL;
}

static bool make_folder(struct work *w)
{
    const char *const base = getenv("TMPDIR");
    if (w->options.keep != NULL) {
        snprintf(w->folder, sizeof w->folder, "%s", w->options.keep);
        if (mkdir(w->folder, 0777) == 0 || errno == EEXIST)
            return true;
    } else {
        snprintf(w->folder, sizeof w->folder, "%s/shadowbook-failover-XXXXXX",
                 base != NULL && *base != '\0' ? base : P_tmpdir);
        if (mkdtemp(w->folder) != NULL)
            return true;
    }
    fprintf(stderr, "failover: folder %s: %s\n", w->folder, strerror(errno));
    return false;
}

static bool set_up(struct work *w, int argc, char **argv)
{
    const sigset_t signals = sb_child_signals();
    const time_t now = time(NULL);
    struct tm utc;
    sigprocmask(SIG_BLOCK, &signals, NULL);
    w->nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    w->trials = calloc(w->options.trials, sizeof *w->trials);
    if (w->nothing < 0 || w->trials == NULL) {
        perror("failover");
        return false;
    }
    w->began = now;
    w->results = (struct sb_failover_results){.options = &w->options,
                                              .argc = argc,
                                              .argv = argv,
                                              .run = w->run,
                                              .executable = w->executable,
                                              .folder = w->folder,
                                              .trials = w->trials};
    strftime(w->results.started_at, sizeof w->results.started_at, "%Y-%m-%dT%H:%M:%SZ",
             gmtime_r(&now, &utc));
    find_machine(&w->results);
    return find_programs(w) && find_gnuplot(w) && open_file(w->options.report, &w->report) &&
           open_file(w->options.plot, &w->plot) && make_folder(w);
}

/* --- a trial -------------------------------------------------------------------------------------------------- */

static int remove_entry(const char *path, const struct stat *s, int kind, struct FTW *at)
{
    (void)s, (void)kind, (void)at;
    return remove(path);
}

static void last_words(const char *folder, char *words, size_t room)
{
    char path[SB_FAILOVER_PATH_BYTES + 64], line[200];
    snprintf(path, sizeof path, "%s/run.out", folder);
    snprintf(words, room, "no words");
    FILE *said = fopen(path, "re");
    while (said != NULL && fgets(line, sizeof line, said) != NULL)
        if (line[strspn(line, " \t\r\n")] != '\0') {
            line[strcspn(line, "\n")] = '\0';
            snprintf(words, room, "%s", line);
        }
    if (said != NULL)
        fclose(said);
}

/* Thresholds are the configuration's that scripts/run made. */
static void read_thresholds(struct sb_failover_results *r, const char *folder)
{
    char path[SB_FAILOVER_PATH_BYTES + 64];
    snprintf(path, sizeof path, "%s/shard.conf", folder);
    struct sb_config *config = malloc(sizeof *config);
    if (config != NULL && access(path, R_OK) == 0 && sb_config_load(config, path, stderr)) {
        r->suspect_after_ns = config->suspect_after_ns;
        r->takeover_after_ns = config->takeover_after_ns;
        sb_config_free(config);
    }
    free(config);
}

static void judge(struct work *w, struct sb_failover_trial *t, const struct sb_child_end *end,
                  const struct sb_failover_command *c, const char *folder)
{
    char words[200];
    if (end->timed_out) {
        char left[64] = "";
        if (end->killed)
            snprintf(left, sizeof left, "; killed, what it made may be left (process %d)",
                     end->pid);
        sb_failover_fail(t, "no end within %" PRIu64 " s%s", w->options.limit_s, left);
    } else if (!sb_failover_read(t, c->report)) {
        last_words(folder, words, sizeof words);
        sb_failover_fail(t, "exit code %d, %s; it said: %s", end->code, t->why, words);
        w->stuck = !w->told[t->fault];
    } else if (t->ok && end->code != 0) {
        sb_failover_fail(t, "a good report, but exit code %d", end->code);
    }
    w->told[t->fault] = w->told[t->fault] || t->judged;
    if (w->results.floor.n == 0)
        w->results.floor = t->floor;
    if (w->results.takeover_after_ns == 0)
        read_thresholds(&w->results, folder);
}

static void show_progress(const struct work *w, const struct sb_failover_trial *t, uint64_t failed)
{
    if (!isatty(STDERR_FILENO))
        return;
    fprintf(stderr, "\r\033[Ktrial %" PRIu64 " of %" PRIu64 ": %s at %u %%, %" PRIu64 " failed",
            t->number, w->options.trials, w->options.faults[t->fault], t->at_percent, failed);
    if (t->number > 1) {
        const uint64_t done = t->number - 1, left = w->options.trials - done;
        const double each = difftime(time(NULL), w->began) / (double)done;
        fprintf(stderr, ", %.0f s left", each * (double)left);
    }
}

static void clear_progress(void)
{
    if (isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
}

/* False: the trials are over, this one does not count. */
static bool one_trial(struct work *w, struct sb_failover_trial *t)
{
    char folder[SB_FAILOVER_PATH_BYTES + 32], said[sizeof folder + 16];
    struct sb_failover_command command;
    snprintf(folder, sizeof folder, "%s/trial-%" PRIu64, w->folder, t->number);
    snprintf(said, sizeof said, "%s/run.out", folder);
    if (!sb_failover_command(&command, &w->options, t, w->run, folder) ||
        (mkdir(folder, 0777) != 0 && errno != EEXIST)) {
        fprintf(stderr, "failover: folder %s: %s\n", folder, strerror(errno));
        w->stuck = true;
        return false;
    }
    const int out = open(said, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (out < 0) {
        fprintf(stderr, "failover: %s: %s\n", said, strerror(errno));
        w->stuck = true;
        return false;
    }
    const struct sb_child_end end =
        sb_child_run(command.argv, w->nothing, out, out, w->options.limit_s);
    close(out);
    if (end.error != 0) {
        fprintf(stderr, "failover: %s: %s\n", w->run, strerror(end.error));
        w->stuck = true;
        return false;
    }
    if (end.interrupted) {
        w->results.interrupted = true;
        nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
        return false;
    }
    judge(w, t, &end, &command, folder);
    if (t->ok)
        nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    return true;
}

static void all_trials(struct work *w)
{
    uint64_t failed = 0;
    while (w->results.trials_n < w->options.trials && !w->stuck) {
        struct sb_failover_trial *t = &w->trials[w->results.trials_n];
        *t = sb_failover_plan(&w->options, w->results.trials_n + 1);
        show_progress(w, t, failed);
        if (!one_trial(w, t))
            break;
        w->results.trials_n++;
        if (t->ok)
            continue;
        failed++;
        clear_progress();
        fprintf(stderr, "failover: trial %" PRIu64 ", %s at %u %%, failed: %s\n", t->number,
                w->options.faults[t->fault], t->at_percent, t->why);
    }
    clear_progress();
    if (w->stuck)
        fprintf(stderr, "failover: given up: the first trial of a fault must give a report\n");
}

/* --- after the last -------------------------------------------------------------------------------------------- */

static bool draw(const struct work *w)
{
    const char *const gnuplot[] = {"gnuplot", "-", NULL};
    if (!wants_picture(w))
        return sb_failover_plot(&w->results, w->plot);
    FILE *program = tmpfile();
    if (program == NULL)
        return false;
    bool good = sb_failover_plot(&w->results, program) && fseek(program, 0, SEEK_SET) == 0;
    if (good) {
        const struct sb_child_end end =
            sb_child_run(gnuplot, fileno(program), fileno(w->plot), STDERR_FILENO, 300);
        good = end.error == 0 && end.code == 0;
    }
    fclose(program);
    return good;
}

/* All three, whatever becomes of one. False: one could not be written. */
static bool write_results(const struct work *w)
{
    bool good = sb_failover_table(&w->results, stdout);
    if (!good)
        fputs("failover: the table could not be written\n", stderr);
    if (w->report != NULL && !sb_failover_json(&w->results, w->report)) {
        fprintf(stderr, "failover: %s could not be written\n", w->options.report);
        good = false;
    }
    if (w->plot != NULL && !draw(w)) {
        fprintf(stderr, "failover: %s could not be drawn\n", w->options.plot);
        good = false;
    }
    return good;
}

static void close_file(FILE *file)
{
    if (file != NULL)
        fclose(file);
}

int sb_failover_main(int argc, char **argv)
{
    struct work *w = calloc(1, sizeof *w);
    if (w == NULL) {
        perror("failover");
        return 2;
    }
    const int asked = sb_failover_arguments(&w->options, argc, argv);
    int code = asked == 1 ? 0 : 2;
    if (asked == 0 && set_up(w, argc, argv)) {
        all_trials(w);
        const bool written = write_results(w);
        const uint64_t passed = sb_failover_total(w->trials, w->results.trials_n).passed;
        code = w->stuck || !written ? 2 : passed == w->options.trials ? 0 : 1;
        rmdir(w->folder); /* stays if a failed trial is in it */
    }
    close_file(w->report);
    close_file(w->plot);
    free(w->trials);
    free(w);
    return code;
}
