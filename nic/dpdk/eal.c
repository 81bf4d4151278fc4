#include "nic/dpdk/eal.h"

#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_log.h>

bool sb_dpdk_words_open(struct sb_dpdk_words *w, bool verbose)
{
    memset(w, 0, sizeof *w);
    if (verbose)
        return true; /* DPDK's own stream: standard error and syslog */
    w->stream = open_memstream(&w->text, &w->bytes);
    if (w->stream == NULL)
        return false;
    rte_openlog_stream(w->stream);
    return true;
}

void sb_dpdk_words_print(struct sb_dpdk_words *w, FILE *log)
{
    if (w->stream == NULL || fflush(w->stream) != 0 || w->bytes == 0)
        return;
    const char *line = w->text;
    while (*line != 0) {
        const size_t n = strcspn(line, "\n");
        if (n != 0)
            fprintf(log, "    %.*s\n", (int)n, line);
        line += n + (line[n] != 0);
    }
    rewind(w->stream);
}

void sb_dpdk_words_close(struct sb_dpdk_words *w)
{
    if (w->stream == NULL)
        return;
    rte_openlog_stream(NULL);
    fclose(w->stream);
    free(w->text);
    memset(w, 0, sizeof *w);
}

static uint64_t free_hugepages_mib(void)
{
    static const struct {
        const char *path;
        uint64_t mib;
    } kinds[] = {{"/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", 2},
                 {"/sys/kernel/mm/hugepages/hugepages-1048576kB/free_hugepages", 1024}};
    uint64_t sum = 0;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        FILE *f = fopen(kinds[i].path, "re");
        unsigned long long n = 0;
        if (f == NULL)
            continue;
        if (fscanf(f, "%llu", &n) == 1)
            sum += n * kinds[i].mib;
        fclose(f);
    }
    return sum;
}

enum { ARGS_MAX = 48, ARG_BYTES = 96 };

struct args {
    int n;
    char text[ARGS_MAX][ARG_BYTES];
    char *v[ARGS_MAX + 1];
};

__attribute__((format(printf, 2, 3))) static void add(struct args *a, const char *format, ...)
{
    va_list list;
    if (a->n == ARGS_MAX)
        return; /* cannot be: ports are bounded */
    va_start(list, format);
    vsnprintf(a->text[a->n], ARG_BYTES, format, list);
    va_end(list);
    a->v[a->n] = a->text[a->n];
    a->v[++a->n] = NULL;
}

static int first_cpu(const cpu_set_t *set)
{
    for (size_t i = 0; i < CPU_SETSIZE; i++)
        if (CPU_ISSET(i, set))
            return (int)i;
    return 0;
}

static bool want_hugepages(const struct sb_dpdk_options *o, uint32_t memory_mib)
{
    if (!o->hugepages)
        return false;
    const uint64_t have_mib = free_hugepages_mib();
    if (have_mib >= memory_mib)
        return true;
    fprintf(o->log,
            "%s: %u MiB of huge pages wanted, %llu MiB free: going on without them, slower "
            "(sysctl vm.nr_hugepages=N reserves them)\n",
            o->name, memory_mib, (unsigned long long)have_mib);
    return false;
}

static void build_args(struct args *a, const struct sb_dpdk_options *o, uint32_t memory_mib,
                       int cpu, bool huge, const char *const *allow, uint32_t allow_n)
{
    a->n = 0;
    add(a, "%s", o->name);
    /* One lcore, whatever the processor's number: the EAL numbers at most 128 of them. */
    add(a, "--lcores=0@%d", cpu);
    add(a, "-m");
    add(a, "%u", memory_mib);
    add(a, "--no-telemetry");
    if (huge) {
        add(a, "--in-memory"); /* no files: nothing to clean up after a crash */
    } else {
        add(a, "--no-huge");
        add(a, "--no-shconf");
    }
    add(a, "--file-prefix=%s-%d", o->name, (int)getpid());
    if (allow_n == 0)
        add(a, "--no-pci");
    for (uint32_t i = 0; i < allow_n; i++)
        add(a, "--allow=%s", allow[i]);
    if (!o->verbose)
        add(a, "--log-level=error");
}

bool sb_dpdk_eal_start(const struct sb_dpdk_options *o, uint32_t memory_mib,
                       const char *const *allow, uint32_t allow_n, struct sb_dpdk_words *words)
{
    cpu_set_t before;
    struct args args, given;
    if (sched_getaffinity(0, sizeof before, &before) != 0) {
        fprintf(o->log, "%s: cannot read the processor affinity: %s\n", o->name, strerror(errno));
        return false;
    }
    if (o->lcore >= CPU_SETSIZE || (o->lcore >= 0 && !CPU_ISSET((size_t)o->lcore, &before))) {
        fprintf(o->log,
                "%s: processor %d is not there, or not allowed to this process (see taskset -p)\n",
                o->name, o->lcore);
        return false;
    }
    const int cpu = o->lcore >= 0 ? o->lcore : first_cpu(&before);
    const bool huge = want_hugepages(o, memory_mib);
    build_args(&args, o, memory_mib, cpu, huge, allow, allow_n);
    given = args; /* the EAL permutes the vector */
    for (int i = 0; i < given.n; i++)
        given.v[i] = given.text[i];
    if (rte_eal_init(given.n, given.v) < 0) {
        fprintf(o->log, "%s: DPDK does not start: %s. Its words:\n", o->name,
                rte_strerror(rte_errno));
        sb_dpdk_words_print(words, o->log);
        return false;
    }
    /* The EAL always pins its caller; undone where no processor was asked for. */
    if (o->lcore < 0 && sched_setaffinity(0, sizeof before, &before) != 0)
        fprintf(o->log, "%s: stays pinned to processor %d: %s\n", o->name, cpu, strerror(errno));
    return true;
}

void sb_dpdk_eal_stop(void)
{
    (void)rte_eal_cleanup();
}
