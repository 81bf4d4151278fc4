#include "replica/host.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "replica/thread.h"
#include "shadowbook/frame.h"

enum {
    LINK_WAIT_MS = 5000,
    EAL_MEMORY_MIB = 64,
    HUGE_BYTES = 2 << 20,
    HUGE_BYTES_LEFT = 256 << 20
};

/* --- command line --------------------------------------------------------------------------- */

static int usage(const char *verb)
{
    const bool node = strcmp(verb, "node") == 0;
    fprintf(stderr, "usage: shadowbook %s --config FILE --name %s%s [--check-config] [--verbose]\n",
            verb, node ? "A|B" : "W", node ? " [--new-day | --force-solo] [--log FILE]" : "");
    return 2;
}

int sb_host_arguments(struct sb_host_arguments *a, const char *verb, int argc, char **argv)
{
    *a = (struct sb_host_arguments){.verb = verb};
    const bool node = strcmp(verb, "node") == 0;
    for (int i = 1; i < argc; i++) {
        const char **value = NULL;
        if (strcmp(argv[i], "--config") == 0)
            value = &a->config;
        else if (strcmp(argv[i], "--name") == 0)
            value = &a->name;
        else if (node && strcmp(argv[i], "--log") == 0)
            value = &a->log;
        else if (node && strcmp(argv[i], "--new-day") == 0)
            a->new_day = true;
        else if (node && strcmp(argv[i], "--force-solo") == 0)
            a->force_solo = true;
        else if (strcmp(argv[i], "--check-config") == 0)
            a->check_config = true;
        else if (strcmp(argv[i], "--verbose") == 0)
            a->verbose = true;
        else
            return usage(verb);
        if (value != NULL && ++i == argc)
            return usage(verb);
        if (value != NULL)
            *value = argv[i];
    }
    if ((a->new_day && a->force_solo) || a->config == NULL || (a->name == NULL && !a->check_config))
        return usage(verb);
    return -1;
}

/* --- steps ------------------------------------------------------------------------------------ */

struct opening {
    struct sb_host *h;
    size_t (*memory_bytes)(const struct sb_config *config);
};

static bool read_config(struct opening *o)
{
    o->h->config = calloc(1, sizeof *o->h->config);
    if (o->h->config == NULL) {
        fprintf(stderr, "out of memory\n");
        return false;
    }
    return sb_config_load(o->h->config, o->h->arguments.config, stderr);
}

static bool find_self(struct opening *o)
{
    struct sb_host *h = o->h;
    const char *name = h->arguments.name;
    const bool node = strcmp(h->arguments.verb, "node") == 0;
    if (node && (strcmp(name, "A") == 0 || strcmp(name, "B") == 0)) {
        h->id = name[0] == 'A' ? SB_NODE_A : SB_NODE_B;
        h->self = &h->config->nodes[h->id];
    } else if (!node && strcmp(name, "W") == 0) {
        h->id = SB_NODE_W;
        h->self = &h->config->witness;
    } else {
        fprintf(stderr, "no %s is called '%s': accepted is %s\n", h->arguments.verb, name,
                node ? "A or B" : "W");
        return false;
    }
    return true;
}

static bool open_counters(struct opening *o)
{
    return sb_counters_create(&o->h->counters, o->h->config->shard, o->h->arguments.name, stderr);
}

static bool start_clock(struct opening *o)
{
    if (sb_clock_init(&o->h->clock))
        return true;
    fprintf(stderr, "the time stamp counter could not be calibrated against CLOCK_REALTIME\n");
    return false;
}

/* A role without a port shares the one before it; the first ones that of the first role that has one. */
static bool open_ports(struct opening *o)
{
    struct sb_host *h = o->h;
    const char *specs[SB_PORT_ROLES];
    uint32_t role = 0;
    while (role < SB_PORT_ROLES && h->self->ports[role][0] == '\0')
        role++;
    if (role == SB_PORT_ROLES) {
        fprintf(stderr, "%s: no port is configured for %s\n", h->config->path, h->arguments.name);
        return false;
    }
    specs[0] = h->self->ports[role];
    h->ports_n = 1;
    for (uint32_t r = 0; r < SB_PORT_ROLES; r++) {
        const char *spec = h->self->ports[r];
        uint32_t p = r == 0 ? 0 : h->port_of_role[r - 1];
        if (spec[0] != '\0') {
            for (p = 0; p < h->ports_n && strcmp(specs[p], spec) != 0; p++)
                ;
            if (p == h->ports_n)
                specs[h->ports_n++] = spec;
        }
        h->port_of_role[r] = p;
        h->roles_of_port[p] |= 1u << r;
    }
    char name[64];
    snprintf(name, sizeof name, "shadowbook-%u-%s", h->config->shard, h->arguments.name);
    const struct sb_dpdk_options options = {.name = name,
                                            .lcore = h->self->lcore,
                                            .hugepages = h->config->hugepages,
                                            .memory_mib = EAL_MEMORY_MIB,
                                            .verbose = h->arguments.verbose,
                                            .log = stderr};
    h->dpdk = sb_dpdk_open(&options, specs, h->ports_n);
    for (uint32_t p = 0; h->dpdk != NULL && p < h->ports_n; p++)
        h->ports[p] = sb_dpdk_port(h->dpdk, p);
    return h->dpdk != NULL;
}

/* Free huge pages of 2 MiB, in bytes; what is not taken here is left for the other processes' ports. */
static size_t huge_bytes_free(void)
{
    FILE *f = fopen("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "r");
    size_t pages = 0;
    if (f == NULL)
        return 0;
    if (fscanf(f, "%zu", &pages) != 1)
        pages = 0;
    fclose(f);
    return pages * HUGE_BYTES;
}

static bool take_memory(struct opening *o)
{
    struct sb_host *h = o->h;
    if (o->memory_bytes == NULL)
        return true;
    h->memory_bytes = (o->memory_bytes(h->config) + HUGE_BYTES - 1) / HUGE_BYTES * HUGE_BYTES;
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE;
    h->memory = MAP_FAILED;
    if (h->config->hugepages && huge_bytes_free() >= h->memory_bytes + HUGE_BYTES_LEFT)
        h->memory = mmap(NULL, h->memory_bytes, PROT_READ | PROT_WRITE, flags | MAP_HUGETLB, -1, 0);
    if (h->memory == MAP_FAILED) {
        /* No reserved huge pages left: transparent ones where the kernel has them, else ordinary ones. */
        h->memory =
            mmap(NULL, h->memory_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (h->memory == MAP_FAILED) {
            fprintf(stderr,
                    "cannot map %zu bytes: %s; make the tables of [engine] and [memory] smaller\n",
                    h->memory_bytes, strerror(errno));
            h->memory = NULL;
            return false;
        }
        if (h->config->hugepages)
            madvise(h->memory, h->memory_bytes, MADV_HUGEPAGE);
        memset(h->memory, 0, h->memory_bytes); /* no page fault on the order path */
    }
    return true;
}

/* Code and tables stay in memory, all of them from now on: no page fault in a moment that counts. */
static bool lock_memory(struct opening *o)
{
    if (mlockall(MCL_CURRENT | MCL_FUTURE) != 0)
        fprintf(stderr, "shadowbook %s: note: memory is not locked (%s): pages may fault in late\n",
                o->h->arguments.verb, strerror(errno));
    return true;
}

static bool wait_links(struct opening *o)
{
    if (sb_dpdk_wait_links(o->h->dpdk, LINK_WAIT_MS))
        return true;
    fprintf(stderr, "a link is still down after %d ms; is the other end up?\n", LINK_WAIT_MS);
    return false;
}

/* The clock's thread: sleeps, measures, publishes. It never touches the node. */
struct discipline {
    pthread_t thread;
    struct sb_clock *clock;
    atomic_bool stop;
};

static void *discipline_main(void *arg)
{
    struct discipline *d = arg;
    while (!atomic_load(&d->stop)) {
        const struct timespec tenth = {.tv_nsec = 100000000};
        for (int i = 0; i < 10 && !atomic_load(&d->stop); i++)
            nanosleep(&tenth, NULL);
        sb_clock_discipline(d->clock);
    }
    return NULL;
}

static bool start_discipline(struct opening *o)
{
    struct discipline *d = calloc(1, sizeof *d);
    if (d == NULL)
        return false;
    d->clock = &o->h->clock;
    const int error = sb_thread_start(&d->thread, NULL, discipline_main, d);
    if (error != 0) {
        fprintf(stderr, "cannot start the clock's thread: %s\n", strerror(error));
        free(d);
        return false;
    }
    o->h->discipline = d;
    return true;
}

bool sb_host_open(struct sb_host *h, const struct sb_host_arguments *a,
                  size_t (*memory_bytes)(const struct sb_config *config))
{
    static const struct {
        const char *name;
        bool (*run)(struct opening *o);
    } steps[] = {
        {"read the configuration", read_config},
        {"find this process in it", find_self},
        {"open the shared counters", open_counters},
        {"calibrate the clock", start_clock},
        {"start the clock's thread", start_discipline}, /* before the loop's thread is pinned */
        {"open the ports", open_ports},
        {"take memory", take_memory},
        {"lock the memory", lock_memory},
        {"wait for the links", wait_links},
    };
    *h = (struct sb_host){.arguments = *a};
    struct opening o = {.h = h, .memory_bytes = memory_bytes};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        if (a->check_config && i == 1)
            break;
        if (!steps[i].run(&o)) {
            fprintf(stderr, "shadowbook %s: failed to %s\n", a->verb, steps[i].name);
            sb_host_close(h);
            return false;
        }
    }
    return true;
}

void sb_host_close(struct sb_host *h)
{
    if (h->discipline != NULL) {
        struct discipline *d = h->discipline;
        atomic_store(&d->stop, true);
        pthread_join(d->thread, NULL);
        free(d);
    }
    if (h->dpdk != NULL)
        sb_dpdk_close(h->dpdk);
    if (h->memory != NULL)
        munmap(h->memory, h->memory_bytes);
    sb_counters_close(&h->counters);
    if (h->config != NULL)
        sb_config_free(h->config);
    free(h->config);
    *h = (struct sb_host){0};
}

/* --- the loop's hands ------------------------------------------------------------------------- */

uint32_t sb_host_receive(struct sb_host *h, struct sb_node_frame *frames)
{
    struct sb_frame burst[SB_PORT_BURST];
    uint32_t n = 0;
    for (uint32_t p = 0; p < h->ports_n; p++) {
        const uint32_t room = (SB_NODE_IN_MAX - n) / (h->ports_n - p);
        const uint32_t max = room < SB_PORT_BURST ? room : SB_PORT_BURST;
        const uint32_t got = h->ports[p]->rx(h->ports[p], burst, max);
        for (uint32_t i = 0; i < got; i++)
            frames[n++] = (struct sb_node_frame){
                .data = burst[i].data, .len = burst[i].len, .roles = h->roles_of_port[p]};
    }
    return n;
}

void sb_host_send(struct sb_host *h, const struct sb_node_out *out, uint32_t first)
{
    struct sb_frame burst[SB_PORT_BURST];
    uint32_t i = first;
    while (i < out->n) {
        const uint32_t p = h->port_of_role[out->frames[i].role];
        uint32_t n = 0;
        while (i < out->n && n < SB_PORT_BURST && h->port_of_role[out->frames[i].role] == p) {
            burst[n++] = (struct sb_frame){.data = out->frames[i].data, .len = out->frames[i].len};
            i++;
        }
        const uint32_t taken = h->ports[p]->tx(h->ports[p], burst, n);
        h->counters.c->value[SB_CTR_TX_DROPPED] += n - taken;
    }
}

void sb_host_idle(const struct sb_host *h)
{
    if (h->self->idle == SB_IDLE_YIELD)
        sched_yield();
    else
        __builtin_ia32_pause();
}

/* A signal handler can reach only what is static. */
static volatile int *stop_flag;

static void on_stop(int signal_number)
{
    (void)signal_number;
    *stop_flag = 1;
}

void sb_host_on_stop(volatile int *stop)
{
    stop_flag = stop;
    const struct sigaction action = {.sa_handler = on_stop};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
}
