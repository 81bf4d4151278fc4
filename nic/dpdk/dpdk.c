/* dpdk.c: the process's DPDK: checks, EAL, ports in order, and the way back. */
#include "nic/dpdk/dpdk.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <rte_log.h>

#include "nic/dpdk/device.h"
#include "nic/dpdk/eal.h"
#include "nic/dpdk/quiet.h"
#include "shadowbook/assert.h"

struct sb_dpdk {
    uint32_t n;
    struct sb_dpdk_words words;
    struct sb_dpdk_port ports[SB_DPDK_PORTS_MAX];
};

static bool parse(const struct sb_dpdk_options *o, const char *const *texts, uint32_t n,
                  struct sb_dpdk_spec *specs)
{
    if (n == 0 || n > SB_DPDK_PORTS_MAX) {
        fprintf(o->log, "%s: %u ports; 1 to %d are accepted\n", o->name, n, SB_DPDK_PORTS_MAX);
        return false;
    }
    for (uint32_t i = 0; i < n; i++) {
        const char *error = sb_dpdk_spec_parse(texts[i], &specs[i]);
        if (error != NULL) {
            fprintf(o->log, "%s: port \"%s\": %s\n", o->name, texts[i], error);
            return false;
        }
    }
    return true;
}

static bool start(struct sb_dpdk *d, const struct sb_dpdk_options *o,
                  const struct sb_dpdk_spec *specs, uint32_t n)
{
    const char *allow[SB_DPDK_PORTS_MAX];
    uint32_t allow_n = 0;
    uint32_t memory_mib = SB_DPDK_EAL_MIB + n * SB_DPDK_PORT_MIB;
    for (uint32_t i = 0; i < n; i++)
        if (specs[i].kind == SB_DPDK_PCI)
            allow[allow_n++] = specs[i].pci;
    if (memory_mib < o->memory_mib)
        memory_mib = o->memory_mib;
    if (!sb_dpdk_words_open(&d->words, o->verbose)) {
        fprintf(o->log, "%s: no memory for DPDK's log\n", o->name);
        return false;
    }
    sb_dpdk_quiet(o->verbose);
    return sb_dpdk_eal_start(o, memory_mib, allow, allow_n, &d->words);
}

struct sb_dpdk *sb_dpdk_open(const struct sb_dpdk_options *o, const char *const *texts, uint32_t n)
{
    struct sb_dpdk_spec specs[SB_DPDK_PORTS_MAX];
    if (!parse(o, texts, n, specs))
        return NULL;
    struct sb_dpdk *d = calloc(1, sizeof *d);
    if (d == NULL) {
        fprintf(o->log, "%s: no memory for the ports\n", o->name);
        return NULL;
    }
    if (!start(d, o, specs, n)) {
        sb_dpdk_words_close(&d->words);
        free(d);
        return NULL;
    }
    while (d->n < n && sb_dpdk_port_open(&d->ports[d->n], &specs[d->n], d->n, o->log))
        d->n++;
    if (d->n != n) {
        sb_dpdk_words_print(&d->words, o->log);
        sb_dpdk_close(d);
        return NULL;
    }
    /* From here on DPDK is silent: logging allocates, and nobody reads it. */
    if (!o->verbose)
        rte_log_set_global_level(RTE_LOG_EMERG);
    return d;
}

struct sb_port *sb_dpdk_port(struct sb_dpdk *d, uint32_t i)
{
    SB_ASSERT_LT(i, d->n);
    return &d->ports[i].port;
}

static bool links_up(struct sb_dpdk *d)
{
    for (uint32_t i = 0; i < d->n; i++)
        if (!d->ports[i].port.link_up(&d->ports[i].port))
            return false;
    return true;
}

bool sb_dpdk_wait_links(struct sb_dpdk *d, uint32_t timeout_ms)
{
    const struct timespec pause = {.tv_nsec = 1000000};
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    const int64_t end_ms = now.tv_sec * 1000 + now.tv_nsec / 1000000 + timeout_ms;
    while (!links_up(d)) {
        clock_gettime(CLOCK_MONOTONIC, &now);
        if (now.tv_sec * 1000 + now.tv_nsec / 1000000 >= end_ms)
            return false;
        nanosleep(&pause, NULL);
    }
    return true;
}

void sb_dpdk_close(struct sb_dpdk *d)
{
    for (uint32_t i = d->n; i-- > 0;)
        sb_dpdk_port_close(&d->ports[i]);
    sb_dpdk_eal_stop();
    sb_dpdk_words_close(&d->words);
    free(d);
}
