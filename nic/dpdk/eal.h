/* eal.h: DPDK's environment: start, what it had to say, stop. One per process. */
#ifndef SHADOWBOOK_DPDK_EAL_H
#define SHADOWBOOK_DPDK_EAL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "nic/dpdk/dpdk.h"

/* DPDK explains a failure only in its log. Its errors are kept here and shown when a step fails. */
struct sb_dpdk_words {
    FILE *stream; /* given to DPDK */
    char *text;
    size_t bytes;
};

bool sb_dpdk_words_open(struct sb_dpdk_words *w, bool verbose);
/* Prints what was kept, indented, then forgets it. */
void sb_dpdk_words_print(struct sb_dpdk_words *w, FILE *log);
void sb_dpdk_words_close(struct sb_dpdk_words *w);

/* Starts the EAL with at least memory_mib. False with a reason on options->log. `pci`: scan the PCI bus, for
 * the n addresses of `allow`. Takes 0.1 to 0.3 s. */
bool sb_dpdk_eal_start(const struct sb_dpdk_options *options, uint32_t memory_mib,
                       const char *const *allow, uint32_t allow_n, struct sb_dpdk_words *words);
void sb_dpdk_eal_stop(void);

#endif
