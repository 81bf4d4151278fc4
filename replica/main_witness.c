/* shadowbook witness: the register between two engines. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "perf/verbs.h"
#include "replica/host.h"
#include "replica/witness.h"

int sb_witness_main(int argc, char **argv)
{
    struct sb_host_arguments arguments;
    const int code = sb_host_arguments(&arguments, "witness", argc, argv);
    if (code >= 0)
        return code;
    struct sb_host h;
    if (!sb_host_open(&h, &arguments, NULL))
        return 1;
    if (arguments.check_config) {
        printf("%s: good\n", arguments.config);
        sb_host_close(&h);
        return 0;
    }
    const size_t log_bytes = sb_witness_log_bytes(h.config->witness_log_lines);
    struct sb_witness *w = calloc(1, sizeof *w);
    void *log = aligned_alloc(64, log_bytes + 64);
    if (w == NULL || log == NULL) {
        fprintf(stderr, "out of memory: a log of %zu bytes\n", log_bytes);
        free(w);
        free(log);
        sb_host_close(&h);
        return 1;
    }
    memset(log, 0, log_bytes); /* no page fault later */
    volatile int stop = 0;
    sb_host_on_stop(&stop);
    sb_witness_init(w, h.config, h.ports[h.port_of_role[SB_PORT_WITNESS]]->mac,
                    sb_clock_now(&h.clock), h.counters.c->value, log);
    fprintf(stderr, "witness: running, incarnation %" PRIu64 ", no stable storage\n", w->winc);
    while (!stop) {
        struct sb_node_frame frames[SB_NODE_IN_MAX];
        struct sb_node_out out;
        const uint32_t n = sb_host_receive(&h, frames);
        sb_witness_poll(w, sb_clock_now(&h.clock), frames, n, &out);
        sb_host_send(&h, &out, 0);
        if (n == 0 && out.n == 0)
            sb_host_idle(&h);
    }
    fprintf(stderr, "witness: stopped\n");
    sb_host_close(&h);
    free(log);
    free(w);
    return 0;
}
