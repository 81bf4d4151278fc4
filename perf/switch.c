/* switch: asks the primary that runs on this host to hand over to its shadow, and waits for the pair to be whole again.
 *
 * Finds it by its counters, sends it SIGUSR1, and watches its counters. What is asked is the node's to do or to give up
 * (sb_node_hand_over); nothing here can lose an order. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "perf/verbs.h"
#include "replica/counters.h"

enum { PRIM = 4, SHADOW = 3, LOOK_NS = 200000, GIVEN_UP_MS = 3000, WAIT_S = 60 };

static const char USAGE[] = "usage: shadowbook switch --shard N [--no-wait]\n";

struct options {
    uint32_t shard;
    bool wait;
};

static int read_options(int argc, char **argv, struct options *o)
{
    static const struct option names[] = {{"shard", required_argument, NULL, 's'},
                                          {"no-wait", no_argument, NULL, 'n'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    bool named = false;
    *o = (struct options){.wait = true};
    optind = 1;
    for (int c; (c = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        char *end = NULL;
        if (c == 's') {
            const unsigned long value = strtoul(optarg, &end, 10);
            named = *optarg != '\0' && *end == '\0' && value <= UINT16_MAX;
            o->shard = (uint32_t)value;
        } else if (c == 'n') {
            o->wait = false;
        } else if (c == 'h') {
            fputs(USAGE, stdout);
            return 0;
        } else {
            named = false;
            break;
        }
    }
    if (named && optind == argc)
        return -1;
    fputs(USAGE, stderr);
    return 2;
}

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* The shard's living primary on this host, attached. */
static bool find_primary(uint32_t shard, struct sb_counters_view *view)
{
    char paths[SB_COUNTERS_REGIONS_MAX][SB_COUNTERS_PATH_BYTES];
    const size_t n = sb_counters_find_all(paths, SB_COUNTERS_REGIONS_MAX);
    for (size_t i = 0; i < n; i++) {
        if (!sb_counters_attach(view, paths[i], NULL))
            continue;
        if (view->c->shard == shard && sb_counters_alive(view) &&
            view->c->value[SB_CTR_ROLE] == PRIM)
            return true;
        sb_counters_detach(view);
    }
    return false;
}

static uint64_t shown(const struct sb_counters_view *view, enum sb_counter id)
{
    return __atomic_load_n(&view->c->value[id], __ATOMIC_RELAXED);
}

/* Looks until the role is (or is not any longer) this one. False: the time is over, or the process is gone. */
static bool until_role(const struct sb_counters_view *view, uint64_t role, bool is, uint64_t ms)
{
    const uint64_t end = now_ns() + ms * 1000000;
    while ((shown(view, SB_CTR_ROLE) == role) != is) {
        if (now_ns() > end || !sb_counters_alive(view))
            return false;
        nanosleep(&(struct timespec){.tv_nsec = LOOK_NS}, NULL);
    }
    return true;
}

static int hand_over(const struct options *o, const struct sb_counters_view *view)
{
    const char *name = view->c->name;
    const uint64_t epoch = shown(view, SB_CTR_EPOCH), asked_ns = now_ns();
    if (kill((pid_t)view->c->pid, SIGUSR1) != 0) {
        fprintf(stderr, "switch: cannot signal node %s, process %" PRIu32 ": %s\n", name,
                view->c->pid, strerror(errno));
        return 2;
    }
    if (!until_role(view, PRIM, false, GIVEN_UP_MS)) {
        fprintf(stderr,
                "switch: node %s is the primary as before: its shadow did not follow within a "
                "second, and it gave the switch up\n",
                name);
        return 1;
    }
    printf("node %s resigned generation %" PRIu64 " after %.3f ms\n", name, epoch >> 2,
           (double)(now_ns() - asked_ns) / 1e6);
    if (!o->wait)
        return 0;
    if (!until_role(view, SHADOW, true, WAIT_S * UINT64_C(1000))) {
        fprintf(stderr,
                "switch: node %s is not the shadow after %d s; shadowbook top --shard %u "
                "shows where it stands\n",
                name, WAIT_S, o->shard);
        return 1;
    }
    printf("the pair is whole again after %.3f ms: node %s is the shadow of generation %" PRIu64
           "\n",
           (double)(now_ns() - asked_ns) / 1e6, name, shown(view, SB_CTR_EPOCH) >> 2);
    return 0;
}

int sb_switch_main(int argc, char **argv)
{
    struct options o;
    const int done = read_options(argc, argv, &o);
    if (done >= 0)
        return done;
    struct sb_counters_view view;
    if (!find_primary(o.shard, &view)) {
        fprintf(stderr,
                "switch: no primary of shard %" PRIu32
                " runs on this host: run it where `shadowbook top` "
                "shows a primary\n",
                o.shard);
        return 2;
    }
    const int code = hand_over(&o, &view);
    sb_counters_detach(&view);
    return code;
}
