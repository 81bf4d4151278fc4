#include "nic/dpdk/quiet.h"

#include <stddef.h>

#include <bpf/libbpf.h>
#include <xdp/libxdp.h>

void sb_dpdk_quiet(bool verbose)
{
    if (verbose)
        return;
    (void)libbpf_set_print(NULL);
    (void)libxdp_set_print(NULL);
}
