/* replay: plays a flow against a running shard through a real port and checks all that comes back. See replay_report.h
 * for what the figures mean and verify.h for what is compared. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nic/dpdk/dpdk.h"
#include "perf/client.h"
#include "perf/pcap_plan.h"
#include "perf/plan_flow.h"
#include "perf/replay_report.h"
#include "perf/verbs.h"
#include "perf/verify.h"
#include "replica/clock.h"
#include "shadowbook/config.h"

enum {
    PROGRESS_EVERY_NS = 100 * 1000 * 1000,
    DISCIPLINE_EVERY_NS = 1000 * 1000 * 1000,
    PORTS_MAX = 3,
    LINK_TIMEOUT_MS = 10000
};

struct options {
    const char *config, *flow, *pcap, *trades, *expect, *latency, *report, *acks, *progress, *fault;
    uint32_t sessions, window, give_up_s;
    double speed; /* 0: max */
    bool tag_orders;
    /* A drill: at this share of the flow this process gets this signal. pid 0: none. */
    double fault_percent;
    pid_t fault_pid;
    int fault_signal;
    uint32_t fault_ms; /* and after so long SIGCONT; 0: never */
    bool fault_quiet;  /* waits for a moment in which nothing is under way */
};

struct replay {
    struct options options;
    struct sb_config config;
    struct sb_plan plan;
    struct sb_client client;
    struct sb_verify verify;
    struct sb_verify_trades expected;
    bool trades_given;
    struct sb_replay_report report;
    struct sb_dpdk *dpdk;
    struct sb_port *ports[PORTS_MAX]; /* [0] sends */
    uint32_t ports_n;
    struct sb_clock clock;
    int progress_fd; /* -1: none */
    uint64_t now_ns, progress_ns, discipline_ns;
    uint64_t fault_ns, resume_ns; /* when the drill's signals were sent */
    sigset_t asks;                /* the signals that end the run early, or its pace */
    bool interrupted;
};

static int usage(FILE *out)
{
    fprintf(
        out,
        "usage: shadowbook replay --config FILE --flow FILE | --pcap FILE\n"
        "  --sessions N          client sessions 1..N (1)\n"
        "  --speed max|X         times the recorded pace (1)\n"
        "  --window W            messages of a session under way at most (%d)\n"
        "  --give-up-s S         stop after so long without any progress (30)\n"
        "  --trades FILE         write the trades seen\n"
        "  --expect-trades FILE  compare with these instead of the reference's (one session)\n"
        "  --latency FILE        write the latency distribution (.hgrm)\n"
        "  --report FILE         write the report as JSON\n"
        "  --acks FILE           write every acknowledged message\n"
        "  --progress FILE|-     a line about every 100 ms\n"
        "  --fault-file FILE     read at the end: UTC nanoseconds of an injected fault\n"
        "  --fault P,PID,SIGNAL[,MS]  at P percent of the flow send SIGNAL (a number) to process\n"
        "                        PID, and SIGCONT after MS ms; the times go to the fault file\n"
        "  --fault-quiet         from P percent on, wait until nothing is under way\n"
        "  --tag-orders          carry order ids in ClOrdID\n",
        SB_CLIENT_WINDOW_DEFAULT);
    return out == stdout ? 0 : 2;
}

static bool number(const char *text, uint32_t max, uint32_t *value)
{
    char *end;
    errno = 0;
    const unsigned long v = strtoul(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || text[0] == '-' || v == 0 || v > max)
        return false;
    *value = (uint32_t)v;
    return true;
}

static bool speed_of(const char *text, double *speed)
{
    char *end;
    if (strcmp(text, "max") == 0) {
        *speed = 0;
        return true;
    }
    *speed = strtod(text, &end);
    return end != text && *end == '\0' && *speed > 0 && *speed <= 1e9;
}

static bool fault_of(const char *text, struct options *o)
{
    int pid, used = 0;
    if (sscanf(text, "%lf,%d,%d%n", &o->fault_percent, &pid, &o->fault_signal, &used) != 3)
        return false;
    if (text[used] == ',' ? !number(text + used + 1, 60000, &o->fault_ms) : text[used] != '\0')
        return false;
    o->fault_pid = pid;
    return pid > 1 && o->fault_signal > 0 && o->fault_signal < 65 && o->fault_percent >= 0 &&
           o->fault_percent <= 100;
}

enum { OPT_TEXT = 256 };
static const struct option LONG_OPTIONS[] = {{"config", 1, NULL, OPT_TEXT},
                                             {"flow", 1, NULL, OPT_TEXT + 1},
                                             {"pcap", 1, NULL, OPT_TEXT + 2},
                                             {"trades", 1, NULL, OPT_TEXT + 3},
                                             {"expect-trades", 1, NULL, OPT_TEXT + 4},
                                             {"latency", 1, NULL, OPT_TEXT + 5},
                                             {"report", 1, NULL, OPT_TEXT + 6},
                                             {"acks", 1, NULL, OPT_TEXT + 7},
                                             {"progress", 1, NULL, OPT_TEXT + 8},
                                             {"fault-file", 1, NULL, OPT_TEXT + 9},
                                             {"fault", 1, NULL, 'f'},
                                             {"fault-quiet", 0, NULL, 'q'},
                                             {"sessions", 1, NULL, 'n'},
                                             {"window", 1, NULL, 'w'},
                                             {"give-up-s", 1, NULL, 'g'},
                                             {"speed", 1, NULL, 's'},
                                             {"tag-orders", 0, NULL, 't'},
                                             {"help", 0, NULL, 'h'},
                                             {0}};

/* -1: go on; else the exit code. */
static int parse(struct options *o, int argc, char **argv)
{
    const char **texts[] = {&o->config,  &o->flow,   &o->pcap, &o->trades,   &o->expect,
                            &o->latency, &o->report, &o->acks, &o->progress, &o->fault};
    *o = (struct options){
        .sessions = 1, .window = SB_CLIENT_WINDOW_DEFAULT, .give_up_s = 30, .speed = 1};
    bool good = true;
    optind = 1;
    for (int c; (c = getopt_long(argc, argv, "", LONG_OPTIONS, NULL)) != -1;) {
        if (c >= OPT_TEXT)
            *texts[c - OPT_TEXT] = optarg;
        else if (c == 'n')
            good = good && number(optarg, SB_SESSIONS_CONFIG_MAX, &o->sessions);
        else if (c == 'f')
            good = good && fault_of(optarg, o);
        else if (c == 'q')
            o->fault_quiet = true;
        else if (c == 'w')
            good = good && number(optarg, 1u << 20, &o->window);
        else if (c == 'g')
            good = good && number(optarg, 86400, &o->give_up_s);
        else if (c == 's')
            good = good && speed_of(optarg, &o->speed);
        else if (c == 't')
            o->tag_orders = true;
        else
            return usage(c == 'h' ? stdout : stderr);
    }
    if (!good || optind != argc || !o->config || (o->flow != NULL) == (o->pcap != NULL))
        return usage(stderr);
    return -1;
}

/* --- start ------------------------------------------------------------------------------- */

static bool load(struct replay *r)
{
    const struct options *o = &r->options;
    if (!sb_config_load(&r->config, o->config, stderr))
        return false;
    if (!r->config.client.present) {
        fprintf(stderr, "%s: no [client] section\n", o->config);
        return false;
    }
    if (r->config.carry_path[0] != '\0') {
        fprintf(stderr, "%s: carry = %s: replay judges no day that begins with earlier orders\n",
                o->config, r->config.carry_path);
        return false;
    }
    if (!sb_plan_init(&r->plan, o->sessions)) {
        fprintf(stderr, "replay: no memory for the plan\n");
        return false;
    }
    if (o->pcap) {
        if (!sb_pcap_plan_read(o->pcap, &r->plan, &r->config, stderr))
            return false;
        if (!sb_plan_finish(&r->plan)) {
            fprintf(stderr, "replay: no memory for the plan\n");
            return false;
        }
    } else if (!sb_plan_flow_read(o->flow, &r->plan, &r->config, stderr)) {
        return false;
    }
    r->trades_given = o->expect != NULL && o->sessions == 1;
    if (o->expect && !r->trades_given)
        fprintf(stderr,
                "replay: %s is not looked at: messages of several sessions have no order "
                "of their own, the reference follows the one they were taken in\n",
                o->expect);
    return !r->trades_given || sb_plan_flow_trades(o->expect, &r->expected, stderr);
}

/* The clients' port, and the feeds' where they are others. */
static bool open_ports(struct replay *r)
{
    const struct sb_host_config *host = &r->config.client;
    const char *specs[PORTS_MAX] = {host->ports[SB_PORT_CLIENTS]};
    const int feeds[] = {SB_PORT_FEED_A, SB_PORT_FEED_B};
    r->ports_n = 1;
    for (int i = 0; i < 2; i++)
        if (host->ports[feeds[i]][0] != '\0' && strcmp(host->ports[feeds[i]], specs[0]) != 0)
            specs[r->ports_n++] = host->ports[feeds[i]];
    /* Blocked in every thread, and so before the first is made: housekeeping() asks for them. */
    sigprocmask(SIG_BLOCK, &r->asks, NULL);
    const struct sb_dpdk_options options = {.name = "client",
                                            .lcore = host->lcore,
                                            .hugepages = r->config.hugepages,
                                            .memory_mib = 64,
                                            .log = stderr};
    r->dpdk = sb_dpdk_open(&options, specs, r->ports_n);
    if (!r->dpdk)
        return false;
    for (uint32_t i = 0; i < r->ports_n; i++)
        r->ports[i] = sb_dpdk_port(r->dpdk, i);
    if (!sb_dpdk_wait_links(r->dpdk, LINK_TIMEOUT_MS)) {
        fprintf(stderr, "replay: port %s has no link after %d ms\n", specs[0], LINK_TIMEOUT_MS);
        return false;
    }
    return true;
}

/* The disciplined clock; what little it may step back is not shown. */
static uint64_t now(struct replay *r)
{
    const uint64_t now_ns = sb_clock_now(&r->clock);
    if (now_ns > r->now_ns)
        r->now_ns = now_ns;
    if (r->now_ns >= r->discipline_ns) {
        r->discipline_ns = r->now_ns + DISCIPLINE_EVERY_NS;
        sb_clock_discipline(&r->clock);
    }
    return r->now_ns;
}

static bool start_client(struct replay *r)
{
    const struct options *o = &r->options;
    if (!sb_clock_init(&r->clock))
        fprintf(stderr, "replay: the time stamp counter is not constant: latencies are rough\n");
    struct sb_client_options options = {.config = &r->config,
                                        .plan = &r->plan,
                                        .speed = o->speed,
                                        .window = o->window,
                                        .give_up_ns = o->give_up_s * UINT64_C(1000000000),
                                        .nonce = now(r),
                                        .tag_orders = o->tag_orders};
    memcpy(options.mac, r->ports[0]->mac, sizeof options.mac);
    const char *wrong = sb_client_init(&r->client, &options);
    if (wrong)
        fprintf(stderr, "replay: %s\n", wrong);
    return wrong == NULL;
}

static bool open_progress(struct replay *r)
{
    const char *path = r->options.progress;
    r->progress_fd = -1;
    if (!path)
        return true;
    r->progress_fd = strcmp(path, "-") == 0
                         ? STDOUT_FILENO
                         : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (r->progress_fd < 0)
        fprintf(stderr, "%s: cannot be written: %s\n", path, strerror(errno));
    return r->progress_fd >= 0;
}

/* --- the run ----------------------------------------------------------------------------- */

/* Every 100 ms: tell how far we are, and see whether we are to stop (the signals are blocked: no handler). */
static void housekeeping(struct replay *r, uint64_t now_ns)
{
    if (now_ns < r->progress_ns)
        return;
    r->progress_ns = now_ns + PROGRESS_EVERY_NS;
    const struct sb_client *c = &r->client;
    if (r->progress_fd >= 0 &&
        dprintf(r->progress_fd, "progress %.1f sent %" PRIu64 " answered %" PRIu64 "\n",
                sb_client_percent(c), c->counters.sent - c->counters.resent,
                c->counters.acknowledged + c->counters.rejected) < 0)
        r->progress_fd = -1; /* the reader is gone: the run is not his */
    const int asked = sigtimedwait(&r->asks, NULL, &(struct timespec){0});
    if (asked == SIGUSR1)
        sb_client_hurry(&r->client);
    else
        r->interrupted = asked > 0;
}

/* Sends a drill's signal; its time becomes a line of the fault file. Returns it. */
static uint64_t send_signal(struct replay *r, int number, const char *mode)
{
    const uint64_t sent_ns = now(r);
    if (kill(r->options.fault_pid, number) != 0)
        fprintf(stderr, "replay: cannot signal process %d: %s\n", (int)r->options.fault_pid,
                strerror(errno));
    FILE *f = r->options.fault != NULL ? fopen(r->options.fault, mode) : NULL;
    if (f == NULL)
        return sent_ns;
    fprintf(f, "%" PRIu64 "\n", sent_ns);
    fclose(f);
    return sent_ns;
}

/* The drill's fault: from its signal on the client must not notice more than a pause. */
static void fault_turn(struct replay *r)
{
    const struct options *o = &r->options;
    if (o->fault_pid == 0)
        return;
    if (r->fault_ns == 0) {
        if (sb_client_percent(&r->client) >= o->fault_percent &&
            (!o->fault_quiet || r->client.untaken == 0))
            r->fault_ns = send_signal(r, o->fault_signal, "w");
    } else if (o->fault_ms != 0 && r->resume_ns == 0 &&
               now(r) - r->fault_ns >= o->fault_ms * UINT64_C(1000000)) {
        r->resume_ns = send_signal(r, SIGCONT, "a");
    }
}

static void run(struct replay *r)
{
    struct sb_frame in[SB_PORT_BURST * PORTS_MAX], out[SB_CLIENT_BURST];
    while (r->client.state == SB_CLIENT_RUNNING && !r->interrupted) {
        uint32_t n = 0;
        for (uint32_t i = 0; i < r->ports_n; i++)
            n += r->ports[i]->rx(r->ports[i], in + n, SB_PORT_BURST);
        const uint64_t now_ns = now(r);
        const uint32_t sent = sb_client_poll(&r->client, now_ns, in, n, out, SB_CLIENT_BURST);
        if (sent > 0) /* what the port does not take is sent again by the client's timers */
            r->ports[0]->tx(r->ports[0], out, sent);
        fault_turn(r);
        housekeeping(r, now_ns);
        if (n == 0 && sent == 0 && r->config.client.idle == SB_IDLE_YIELD)
            sched_yield();
    }
    r->progress_ns = 0;
    housekeeping(r, now(r));
}

/* --- what it came to --------------------------------------------------------------------- */

/* The first line of the fault file: UTC nanoseconds. No file: no fault. */
static uint64_t fault_time(const char *path)
{
    char line[64] = "";
    FILE *f = path ? fopen(path, "r") : NULL;
    if (!f)
        return 0;
    const bool got = fgets(line, sizeof line, f) != NULL;
    fclose(f);
    return got ? strtoull(line, NULL, 10) : 0;
}

static bool write_file(const struct replay *r, const char *path,
                       void (*write)(const struct sb_replay_report *, FILE *))
{
    if (!path)
        return true;
    FILE *f = fopen(path, "w");
    if (f) {
        write(&r->report, f);
        const bool good = ferror(f) == 0;
        if (fclose(f) == 0 && good)
            return true;
    }
    fprintf(stderr, "%s: cannot be written: %s\n", path, strerror(errno));
    return false;
}

static int finish(struct replay *r)
{
    const struct options *o = &r->options;
    if (!sb_verify_run(&r->verify, &r->client, r->trades_given ? &r->expected : NULL) ||
        !sb_replay_report_make(&r->report, &r->client, &r->verify, r->trades_given,
                               r->trades_given ? r->expected.n : r->verify.reference.n,
                               r->fault_ns != 0 ? r->fault_ns : fault_time(o->fault),
                               r->interrupted)) {
        fprintf(stderr, "replay: no memory for the report\n");
        return 1;
    }
    sb_replay_report_print(&r->report, stdout);
    bool written = write_file(r, o->report, sb_replay_report_json);
    written = write_file(r, o->trades, sb_replay_report_trades) && written;
    written = write_file(r, o->acks, sb_replay_report_acks) && written;
    written = write_file(r, o->latency, sb_replay_report_hgrm) && written;
    return written && strcmp(r->report.result, "ok") == 0 ? 0 : 1;
}

int sb_replay_main(int argc, char **argv)
{
    struct replay *r = calloc(1, sizeof *r);
    if (!r) {
        fprintf(stderr, "replay: no memory\n");
        return 1;
    }
    sigemptyset(&r->asks);
    sigaddset(&r->asks, SIGTERM);
    sigaddset(&r->asks, SIGINT);
    sigaddset(&r->asks, SIGUSR1);
    int code = parse(&r->options, argc, argv);
    if (code < 0) {
        code = 1;
        if (load(r) && open_ports(r) && start_client(r)) {
            if (open_progress(r)) {
                run(r);
                code = finish(r);
            }
            sb_replay_report_free(&r->report);
            sb_verify_free(&r->verify);
            sb_client_free(&r->client);
        }
        if (r->dpdk)
            sb_dpdk_close(r->dpdk);
        free(r->expected.at);
        sb_plan_free(&r->plan);
        sb_config_free(&r->config);
    }
    free(r);
    return code;
}
