/* quiet.h: the libraries under DPDK's AF_XDP device print on standard error by themselves. */
#ifndef SHADOWBOOK_DPDK_QUIET_H
#define SHADOWBOOK_DPDK_QUIET_H

#include <stdbool.h>

/* Silences libbpf and libxdp unless verbose. Their failures come back as errors of the device anyway. */
void sb_dpdk_quiet(bool verbose);

#endif
