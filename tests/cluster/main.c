/* cluster [--seed S] [--seeds N] [--fault NAME] [--trace]: every fault on N seeds, quiet and lossy networks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster.h"

/* After the fault: must all orders be answered in the end, or is stopping right? */
static bool judge(const struct cluster_options *o, enum cluster_fault fault)
{
    const struct cluster_result r = cluster_run(o, fault);
    const char *why = r.failure;
    const bool stops = fault == FAULT_FLIP_DIGEST;
    if (why == NULL && !stops && r.acknowledged != o->orders)
        why = "not every order was answered";
    if (why == NULL && stops && r.diverged == 0)
        why = "a damaged engine was not noticed";
    if (why == NULL &&
        o->loss_ppm == 0) { /* a quiet network: exactly the expected changes of owner */
        const bool takes = fault == FAULT_KILL_PRIMARY || fault == FAULT_PAUSE_PRIMARY ||
                           fault == FAULT_STOP_PRIMARY || fault == FAULT_CRASH_NOTICE;
        const bool solo = fault == FAULT_KILL_SHADOW || fault == FAULT_PAUSE_SHADOW;
        if (fault == FAULT_CUT_PEERS ? r.takeovers + r.solos != 1
                                     : r.takeovers != takes || r.solos != solo)
            why = "ownership changed when it should not, or did not when it should";
    }
    if (why != NULL)
        printf("FAILED: %s\n  cluster --seed %llu --fault %s --loss %u --trace%s\n", why,
               (unsigned long long)o->seed, cluster_fault_name(fault), o->loss_ppm,
               o->logged ? " --logged" : "");
    return why == NULL;
}

int main(int argc, char **argv)
{
    struct cluster_options o = {
        .seed = 1, .orders = 400, .duplicate_ppm = 10000, .delay_max_us = 20};
    uint64_t seeds = 3;
    long only = -1, loss = -1;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc) {
            o.seed = strtoull(argv[++i], NULL, 10);
            seeds = 1;
        } else if (strcmp(argv[i], "--seeds") == 0 && i + 1 < argc) {
            seeds = strtoull(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--loss") == 0 && i + 1 < argc) {
            loss = strtol(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--trace") == 0) {
            o.trace = true;
        } else if (strcmp(argv[i], "--logged") == 0) {
            o.logged = true;
        } else if (strcmp(argv[i], "--fault") == 0 && i + 1 < argc) {
            i++;
            for (int f = 0; f < FAULT_COUNT; f++)
                if (strcmp(argv[i], cluster_fault_name((enum cluster_fault)f)) == 0)
                    only = f;
        } else {
            fprintf(stderr, "usage: cluster [--seed S] [--seeds N] [--fault NAME] [--loss PPM] "
                            "[--logged] [--trace]\n");
            return 2;
        }
    }
    uint64_t runs = 0, failed = 0;
    const uint64_t first = o.seed;
    for (uint64_t s = 0; s < seeds; s++)
        for (int f = 0; f < FAULT_COUNT; f++)
            for (int lossy = 0; lossy < 2; lossy++) {
                if ((only >= 0 && f != only) || (loss >= 0 && lossy != (loss != 0)))
                    continue;
                o.seed = first + s;
                o.loss_ppm = lossy ? (loss > 0 ? (uint32_t)loss : 20000) : 0;
                o.reorder = (uint32_t)lossy;
                runs++;
                failed += !judge(&o, (enum cluster_fault)f);
            }
    printf("%llu runs, %llu failed\n", (unsigned long long)runs, (unsigned long long)failed);
    return failed != 0;
}
