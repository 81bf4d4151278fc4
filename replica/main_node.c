/* shadowbook node: one engine of the pair. Composes the node with ports, clock and counters; no rule lives here. */
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "perf/verbs.h"
#include "replica/host.h"
#include "replica/journal_writer.h"
#include "replica/log_file.h"
#include "shadowbook/engine.h"

static const char *role_name(enum sb_role role)
{
    static const char *const names[] = {"down",    "boot", "catch",    "shadow",  "primary",
                                        "pairing", "solo", "resigned", "diverged"};
    return (size_t)role < sizeof names / sizeof names[0] ? names[role] : "?";
}

/* --- a crash -------------------------------------------------------------------------------------- */

/* All that the handler of a fatal signal may reach. It says RESIGN for a primary that can never run again (R12) and
 * lets the signal end the process. */
static struct {
    const struct sb_node *node;
    struct sb_port *peer, *witness;
    volatile sig_atomic_t entered;
    uint8_t frame[SB_FRAME_BYTES_MAX];
} crash;

static void on_crash(int signal_number)
{
    signal(signal_number, SIG_DFL);
    if (!crash.entered) {
        crash.entered = 1;
        const uint32_t len = sb_node_crash_frame(crash.node, crash.frame);
        const struct sb_frame f = {.data = crash.frame, .len = len};
        if (len != 0 && !sb_dpdk_in_tx(crash.peer))
            crash.peer->tx(crash.peer, &f, 1);
        if (len != 0 && crash.witness != crash.peer && !sb_dpdk_in_tx(crash.witness))
            crash.witness->tx(crash.witness, &f, 1);
        static const char note[] = "node: fatal signal, resigned where that was possible\n";
        if (write(STDERR_FILENO, note, sizeof note - 1) < 0)
            _exit(1);
    }
    raise(signal_number);
}

static void catch_crashes(const struct sb_node *node, const struct sb_host *h)
{
    static uint8_t stack[64 * 1024];
    crash.node = node;
    crash.peer = h->ports[h->port_of_role[SB_PORT_PEER]];
    crash.witness = h->ports[h->port_of_role[SB_PORT_WITNESS]];
    const stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
    sigaltstack(&alternate, NULL);
    const struct sigaction action = {.sa_handler = on_crash, .sa_flags = SA_ONSTACK | SA_NODEFER};
    static const int fatal[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
    for (size_t i = 0; i < sizeof fatal / sizeof fatal[0]; i++)
        sigaction(fatal[i], &action, NULL);
}

/* --- start and end ----------------------------------------------------------------------------- */

static struct sb_node_setup setup_of(struct sb_host *h)
{
    struct sb_node_setup setup = {
        .config = h->config,
        .self = h->id,
        .new_day = h->arguments.new_day,
        .inc = sb_clock_now(&h->clock),
        .counters = h->counters.c->value,
    };
    const time_t now = (time_t)(setup.inc / 1000000000u);
    struct tm day;
    gmtime_r(&now, &day);
    setup.midnight_ns =
        (setup.inc / 1000000000u - (uint64_t)(day.tm_hour * 3600 + day.tm_min * 60 + day.tm_sec)) *
        1000000000u;
    setup.trading_day =
        h->config->trading_day != 0
            ? h->config->trading_day
            : (uint32_t)((day.tm_year + 1900) * 10000 + (day.tm_mon + 1) * 100 + day.tm_mday);
    for (uint32_t r = 0; r < SB_PORT_ROLES; r++)
        memcpy(setup.mac[r], h->ports[h->port_of_role[r]]->mac, 6);
    return setup;
}

/* True, too, if none is configured. cores: what the process may use; the loop's thread is pinned by now. */
static bool open_journal(struct sb_journal *j, const struct sb_host *h,
                         const struct sb_node_setup *node, const cpu_set_t *cores)
{
    const struct sb_config *c = h->config;
    char folder[SB_JOURNAL_PATH_BYTES];
    *j = (struct sb_journal){0};
    if (c->journal_dir[0] == '\0')
        return true;
    snprintf(folder, sizeof folder, "%s/%u-%s/%020" PRIu64, c->journal_dir, c->shard,
             h->arguments.name, node->inc);
    cpu_set_t own = *cores;
    if (h->self->journal_lcore >= 0) {
        CPU_ZERO(&own);
        CPU_SET((size_t)h->self->journal_lcore, &own);
    }
    const struct sb_journal_setup setup = {.folder = folder,
                                           .shard = c->shard,
                                           .generation = c->generation,
                                           .sender = h->id,
                                           .inc = node->inc,
                                           .trading_day = node->trading_day,
                                           .limits = c->limits,
                                           .segment_bytes = c->journal_segment_bytes,
                                           .keep_segments = c->journal_keep_segments,
                                           .ring_bytes = c->journal_ring_bytes,
                                           .lag_max_ns = c->journal_lag_max_ns,
                                           .on_fault = c->journal_error,
                                           .spin = h->self->journal_lcore >= 0,
                                           .cores = &own};
    return sb_journal_open(j, &setup, stderr);
}

/* The orderly end of a journal: everything applied, then END. */
static bool close_journal(struct sb_journal *j, const struct sb_node *node, uint64_t state)
{
    const struct sb_engine *e = sb_node_engine(node);
    if (j->buffer != NULL && j->writer.state == SB_JOURNAL_WRITING) {
        const struct sb_journal_record end = {.epoch = sb_node_epoch(node),
                                              .n = j->writer.queued_n,
                                              .digest = sb_engine_digest(e),
                                              .state_digest = state,
                                              .kind = SB_RECORD_END};
        if (!sb_journal_writer_record(&j->writer, &end, sb_node_epoch(node)))
            fprintf(stderr, "journal %s: no room for its end mark\n", j->writer.folder);
    }
    return sb_journal_close(j, stderr);
}

static int finish(const struct sb_host *h, const struct sb_node *node, struct sb_journal *journal)
{
    const struct sb_engine *e = sb_node_engine(node);
    const uint64_t state = sb_engine_state_digest(e), applied = sb_engine_applied(e);
    fprintf(stderr,
            "node %s: stopped as %s, epoch %" PRIu64 ", applied %" PRIu64 ", released %" PRIu64
            ", digest %016" PRIx64 ", state %016" PRIx64 "\n",
            h->arguments.name, role_name(sb_node_role(node)), sb_node_epoch(node), applied,
            sb_node_released(node), sb_engine_digest(e), state);
    const bool journaled = close_journal(journal, node, state);
    if (h->arguments.log == NULL)
        return journaled ? 0 : 1;
    const struct sb_log *log = sb_node_log(node);
    const struct sb_log_file_head head = {
        .magic = SB_LOG_FILE_MAGIC,
        .version = SB_LOG_FILE_VERSION,
        .shard = h->config->shard,
        .epoch = sb_node_epoch(node),
        .n_first = log->packet_first == log->packet_end
                       ? 1
                       : sb_log_packet(log, log->packet_first)->n_first,
        .limits = h->config->limits,
        .sender = h->id,
    };
    const bool logged = sb_log_file_write(h->arguments.log, &head, log, applied, state, stderr);
    return logged && journaled ? 0 : 1;
}

/* --- the loop ------------------------------------------------------------------------------------- */

/* The first frame of a takeover: how long from the clock reading that found the deadline passed until the port is
 * called, and how long that call takes. Only then is the rest sent. (Where nothing was held back it is the first frame of
 * the new epoch.) */
static void send_first(struct sb_host *h, const struct sb_node_out *out, uint64_t decided_ns,
                       uint64_t decided_tsc)
{
    const struct sb_node_out first = {.frames = out->frames, .n = 1};
    const uint64_t before = sb_clock_tsc();
    sb_host_send(h, &first, 0);
    const uint64_t after = sb_clock_tsc();
    uint64_t *v = h->counters.c->value;
    v[SB_CTR_DECIDE_TO_FIRST_NS] = sb_clock_cycles_to_ns(&h->clock, before - decided_tsc);
    v[SB_CTR_FIRST_TX_CALL_NS] = sb_clock_cycles_to_ns(&h->clock, after - before);
    v[SB_CTR_FIRST_FRAME_AT_NS] = decided_ns + v[SB_CTR_DECIDE_TO_FIRST_NS];
}

static void say_changes(const struct sb_host *h, const struct sb_node *node, enum sb_role *said)
{
    const enum sb_role role = sb_node_role(node);
    if (role == *said)
        return;
    *said = role;
    fprintf(stderr, "node %s: %s, epoch %" PRIu64 "%c%s\n", h->arguments.name, role_name(role),
            sb_node_epoch(node) >> 2, "DPSR"[sb_node_epoch(node) & 3],
            role == SB_ROLE_BOOT && !h->arguments.new_day
                ? ", owns nothing; waits to rejoin, which this version cannot do (--new-day starts "
                  "an empty day)"
            : role == SB_ROLE_SOLO ? ", alone: outputs rest on this node's memory (policy memory)"
            : role == SB_ROLE_CATCH
                ? ", another node owns the shard; this one releases nothing more"
                : "");
}

/* After the frames of the turn have left. */
static void journal_turn(struct sb_host *h, struct sb_node *node, struct sb_journal_writer *w,
                         uint64_t now_ns)
{
    const uint64_t applied = sb_engine_applied(sb_node_engine(node));
    if (sb_journal_writer_turn(w, sb_node_log(node), applied, sb_node_epoch(node), now_ns)) {
        sb_journal_writer_say(w, stderr);
        if (w->state == SB_JOURNAL_STOPPING)
            sb_node_stop(node);
    }
    sb_journal_writer_show(w, h->counters.c->value);
}

static void loop(struct sb_host *h, struct sb_node *node, struct sb_journal *journal)
{
    volatile int stop = 0;
    sb_host_on_stop(&stop);
    enum sb_role said = SB_ROLE_DOWN;
    struct sb_node_out out = {0};
    struct sb_node_frame frames[SB_NODE_IN_MAX];
    uint64_t now_ns = 0;
    while (!out.done) {
        const uint32_t n = sb_host_receive(h, frames);
        if (stop)
            sb_node_stop(node);
        const uint64_t tsc = sb_clock_tsc(), clock_ns = sb_clock_now(&h->clock);
        /* A clock thread that was suspended may step back a little (clock.h); the node's time does not. */
        if (clock_ns > now_ns)
            now_ns = clock_ns;
        sb_node_poll(node, now_ns, frames, n, &out);
        if (__builtin_expect(out.went_live, 0)) {
            send_first(h, &out, now_ns, tsc);
            sb_host_send(h, &out, 1);
        } else {
            sb_host_send(h, &out, 0);
        }
        if (journal->buffer != NULL)
            journal_turn(h, node, &journal->writer, now_ns);
        if (n == 0 && out.n == 0 && !out.busy)
            sb_host_idle(h);
        say_changes(h, node, &said);
    }
}

int sb_node_main(int argc, char **argv)
{
    struct sb_host_arguments arguments;
    const int code = sb_host_arguments(&arguments, "node", argc, argv);
    if (code >= 0)
        return code;
    cpu_set_t cores;
    sched_getaffinity(0, sizeof cores, &cores);
    struct sb_host h;
    if (!sb_host_open(&h, &arguments, sb_node_footprint))
        return 1;
    if (arguments.check_config) {
        printf("%s: good\n", arguments.config);
        sb_host_close(&h);
        return 0;
    }
    const struct sb_node_setup setup = setup_of(&h);
    struct sb_journal journal;
    if (!open_journal(&journal, &h, &setup, &cores)) {
        fprintf(stderr, "shadowbook node: failed to open the journal\n");
        sb_host_close(&h);
        return 1;
    }
    struct sb_node *node = sb_node_new(h.memory, h.memory_bytes, &setup);
    catch_crashes(node, &h);
    loop(&h, node, &journal);
    const int result = finish(&h, node, &journal);
    sb_host_close(&h);
    return result;
}
