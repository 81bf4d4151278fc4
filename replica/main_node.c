/* shadowbook node: one engine of the pair. Composes the node with ports, clock and counters; no rule lives here. */
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "perf/verbs.h"
#include "replica/carry.h"
#include "replica/genesis.h"
#include "replica/host.h"
#include "replica/log_file.h"
#include "replica/storage.h"
#include "shadowbook/engine.h"

static const char *role_name(enum sb_role role)
{
    static const char *const names[] = {"down",    "boot", "catch",    "shadow",   "primary",
                                        "pairing", "solo", "resigned", "diverged", "halted"};
    return (size_t)role < sizeof names / sizeof names[0] ? names[role] : "?";
}

/* What runs: one node after the other in the same memory. */
struct life {
    struct sb_host *host;
    struct sb_node *node;
    struct sb_node_setup setup;
    struct sb_storage storage;
};

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
        .force_solo = h->arguments.force_solo,
        .witness_apart = h->port_of_role[SB_PORT_WITNESS] != h->port_of_role[SB_PORT_PEER],
        .journal = h->config->journal_dir[0] != '\0',
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

/* Clients choose the keys of their orders; this they do not know. */
static bool draw_hash_seed(struct sb_node_setup *setup)
{
    if (getrandom(&setup->hash_seed, sizeof setup->hash_seed, 0) ==
        (ssize_t)sizeof setup->hash_seed)
        return true;
    fprintf(stderr, "shadowbook node: cannot draw a random number from the system: %s\n",
            strerror(errno));
    return false;
}

static int finish(const struct sb_host *h, const struct sb_node *node, struct sb_storage *storage)
{
    const struct sb_engine *e = sb_node_engine(node);
    const uint64_t state = sb_engine_state_digest(e), applied = sb_engine_applied(e);
    fprintf(stderr,
            "node %s: stopped as %s, epoch %" PRIu64 ", applied %" PRIu64 ", released %" PRIu64
            ", digest %016" PRIx64 ", state %016" PRIx64 "\n",
            h->arguments.name, role_name(sb_node_role(node)), sb_node_epoch(node), applied,
            sb_node_released(node), sb_engine_digest(e), state);
    const bool journaled = sb_storage_close(storage, node, stderr);
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
        .limits = sb_limits_keep(&h->config->limits),
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

static const char *solo_words(const struct sb_config *config)
{
    static const char *const words[] = {
        [SB_SOLO_WITNESS] = ", alone: outputs wait for the witness's memory (policy witness)",
        [SB_SOLO_DISK] = ", alone: outputs wait for this node's journal (policy disk)",
        [SB_SOLO_MEMORY] = ", alone: outputs rest on this node's memory (policy memory)",
        [SB_SOLO_HALT] = ", alone: takes no input until it is paired (policy halt)",
    };
    return words[sb_config_solo_policy(config)];
}

static void say_changes(const struct life *l)
{
    const struct sb_host *h = l->host;
    const enum sb_role role = sb_node_role(l->node);
    const uint64_t epoch = sb_node_epoch(l->node);
    fprintf(stderr, "node %s: %s, epoch %" PRIu64 "%c%s\n", h->arguments.name, role_name(role),
            epoch >> 2, "DPSR"[epoch & 3],
            role == SB_ROLE_BOOT && !h->arguments.new_day
                ? ", owns nothing; asks the witness, and waits for an owner to join"
            : role == SB_ROLE_SOLO   ? solo_words(h->config)
            : role == SB_ROLE_CATCH  ? ", another node owns the shard; this one copies its log"
            : role == SB_ROLE_HALTED ? ", ALARM: two nodes were alone at once (a forced one?); "
                                       "this one is silent from here on"
                                     : "");
}

/* Both say it, once for each version that they hear of, and wait for a peer that pairs. */
static void say_peer_rules(const struct life *l, uint16_t *said)
{
    const uint16_t rules = sb_node_peer_rules(l->node);
    if (rules != *said && rules != SB_ENGINE_RULES)
        fprintf(stderr,
                "node %s: the other engine has rules version %u, this program has %d: they do not "
                "pair\n",
                l->host->arguments.name, rules, SB_ENGINE_RULES);
    *said = rules;
}

/* Both say it, once, and wait for a peer that pairs. */
static void say_peer_carries(const struct life *l, bool *said)
{
    if (sb_node_peer_carries_others(l->node) && !*said)
        fprintf(
            stderr,
            "node %s: the other engine has other orders of an earlier day, or one has none: the "
            "day begins once both have the same file ([shard] carry)\n",
            l->host->arguments.name);
    *said = sb_node_peer_carries_others(l->node);
}

/* Once all are in the log. What a node loads from a snapshot was said by the life before it. */
static void say_carried(const struct life *l, bool *said)
{
    const struct sb_config *c = l->host->config;
    const uint64_t *v = l->host->counters.c->value;
    if (v[SB_CTR_CARRIED] + v[SB_CTR_CARRY_REFUSED] != c->carry_n)
        return;
    *said = true;
    fprintf(stderr,
            "node %s: of %u orders of %u %" PRIu64 " are entered, %" PRIu64 " do not fit%s\n",
            l->host->arguments.name, c->carry_n, c->carry_day, v[SB_CTR_CARRIED],
            v[SB_CTR_CARRY_REFUSED],
            v[SB_CTR_CARRY_REFUSED] != 0 ? " (named by shadowbook carry --show FILE --config FILE)"
                                         : "");
}

/* --- lives -------------------------------------------------------------------------------------- */

static void format(struct life *l)
{
    memset(l->host->memory, 0, l->host->memory_bytes);
    l->node = sb_node_new(l->host->memory, l->host->memory_bytes, &l->setup);
    crash.node = l->node;
}

/* R14: a later owner exists. A new incarnation, an empty log, a new journal. */
static bool join(struct life *l, uint64_t epoch, uint64_t owner_inc)
{
    const uint64_t now = sb_clock_now(&l->host->clock);
    l->setup.inc = now > l->setup.inc ? now : l->setup.inc + 1;
    sb_node_carry_disclaim(l->node, &l->setup);
    l->setup.join_epoch = epoch;
    l->setup.join_inc = owner_inc;
    l->setup.new_day = l->setup.force_solo = false;
    l->setup.journal = l->storage.root[0] != '\0';
    format(l);
    return sb_storage_join(&l->storage, stderr);
}

/* Both engines of a shard, and a restart within the day, must agree on the rules, and on who trades and what. */
static bool is_as_configured(const struct life *l)
{
    const struct sb_config *c = l->host->config;
    const uint64_t n = sb_node_differs(l->node);
    if (n == 0)
        return true;
    if (n == 1 && sb_node_log_rules(l->node) != SB_ENGINE_RULES) {
        fprintf(stderr,
                "node %s: log made under rules version %u, this program has %d: it goes on only "
                "with the program that began it, until a new day\n",
                l->host->arguments.name, sb_node_log_rules(l->node), SB_ENGINE_RULES);
        return false;
    }
    if (n == 1 || (n > sb_genesis_defined(c) && (n <= sb_genesis_last(c) || c->carry_n != 0))) {
        fprintf(stderr,
                "node %s: the log (input %" PRIu64 ") has other orders of an earlier day than %s: "
                "both engines need the same file, and until a new day\n",
                l->host->arguments.name, n,
                c->carry_path[0] != '\0' ? c->carry_path : "this node, which has no file");
        return false;
    }
    char what[64] = "more sessions, instruments or orders of an earlier day than";
    if (n <= UINT64_C(1) + c->sessions_n)
        snprintf(what, sizeof what, "[session %" PRIu64 "] otherwise than", n - 1);
    else if (n <= UINT64_C(1) + c->sessions_n + c->instruments_n)
        snprintf(what, sizeof what, "[instrument %" PRIu64 "] otherwise than",
                 n - 1 - c->sessions_n);
    fprintf(stderr,
            "node %s: the log (input %" PRIu64 ") defines %s %s: all but a session's token must be "
            "the same for both engines, and until a new day\n",
            l->host->arguments.name, n, what, c->path);
    return false;
}

/* An earlier day's orders, once a day. */
static bool carries_into(const struct life *l)
{
    const struct sb_config *c = l->host->config;
    if (c->carry_n == 0)
        return true;
    if (sb_carry_fits_day(c, l->setup.trading_day)) {
        fprintf(stderr, "node %s: %u orders of %u go over into %u\n", l->host->arguments.name,
                c->carry_n, c->carry_day, l->setup.trading_day);
        return true;
    }
    fprintf(stderr,
            "node %s: %s has the orders of %u: they can be entered on a later day only, this is "
            "%u\n",
            l->host->arguments.name, c->carry_path, c->carry_day, l->setup.trading_day);
    return false;
}

/* The first life: a new day's, or what the journal says. */
static bool begin(struct life *l)
{
    format(l);
    if (l->setup.new_day && !carries_into(l))
        return false;
    if (l->setup.new_day)
        return sb_storage_begin(&l->storage, &l->setup, stderr);
    const bool whole = sb_storage_recover(&l->storage, l->node, l->setup.force_solo, stderr);
    if (!is_as_configured(l))
        return false;
    if (!whole)
        format(l); /* what was loaded is in pieces: it knows nothing, and can join */
    if (!l->setup.force_solo || sb_node_log(l->node)->len != 0)
        return true;
    fprintf(stderr,
            "node %s: --force-solo: there is no log to go on with; --new-day begins an empty day\n",
            l->host->arguments.name);
    return false;
}

/* --- the loop ------------------------------------------------------------------------------------- */

/* What a signal asks of a running node. */
static volatile sig_atomic_t hand_over;

static void on_hand_over(int signal_number)
{
    (void)signal_number;
    hand_over = 1;
}

static void turn(struct life *l, uint64_t now_ns, uint64_t tsc, struct sb_node_frame *frames,
                 uint32_t n, struct sb_node_out *out)
{
    struct sb_host *h = l->host;
    uint64_t epoch, inc;
    const enum sb_storage_word word = sb_storage_before(&l->storage, l->node, &l->setup);
    if (word == SB_STORAGE_STOP ||
        (word == SB_STORAGE_AGAIN && !join(l, l->setup.join_epoch, l->setup.join_inc)))
        sb_node_stop(l->node);
    sb_node_poll(l->node, now_ns, frames, n, out);
    if (__builtin_expect(out->went_live, 0)) {
        send_first(h, out, now_ns, tsc);
        sb_host_send(h, out, 1);
    } else {
        sb_host_send(h, out, 0);
    }
    if (!sb_storage_after(&l->storage, l->node, &l->setup, now_ns))
        sb_node_stop(l->node);
    if (!out->done && sb_node_wants_join(l->node, &epoch, &inc) && !join(l, epoch, inc))
        sb_node_stop(l->node);
}

static void loop(struct life *l)
{
    struct sb_host *h = l->host;
    volatile int stop = 0;
    sb_host_on_stop(&stop);
    const struct sigaction action = {.sa_handler = on_hand_over};
    sigaction(SIGUSR1, &action, NULL);
    enum sb_role said = SB_ROLE_DOWN;
    uint16_t said_rules = SB_ENGINE_RULES;
    bool said_carried = h->config->carry_n == 0, said_others = false;
    struct sb_node_out out = {0};
    struct sb_node_frame frames[SB_NODE_IN_MAX];
    uint64_t now_ns = 0;
    while (!out.done) {
        const uint32_t n = sb_host_receive(h, frames);
        if (stop)
            sb_node_stop(l->node);
        if (hand_over) {
            hand_over = 0;
            sb_node_hand_over(l->node);
        }
        const uint64_t tsc = sb_clock_tsc(), clock_ns = sb_clock_now(&h->clock);
        /* A clock thread that was suspended may step back a little (clock.h); the node's time does not. */
        if (clock_ns > now_ns)
            now_ns = clock_ns;
        turn(l, now_ns, tsc, frames, n, &out);
        if (n == 0 && out.n == 0 && !out.busy)
            sb_host_idle(h);
        if (sb_node_role(l->node) != said)
            say_changes(l);
        said = sb_node_role(l->node);
        say_peer_rules(l, &said_rules);
        say_peer_carries(l, &said_others);
        if (!said_carried)
            say_carried(l, &said_carried);
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
    if (!sb_carry_load(h.config, stderr)) {
        fprintf(stderr, "shadowbook node: failed to read the orders of an earlier day\n");
        sb_host_close(&h);
        return 1;
    }
    if (arguments.check_config) {
        printf("%s: good\n", arguments.config);
        sb_host_close(&h);
        return 0;
    }
    struct life l = {.host = &h, .setup = setup_of(&h)};
    if (!draw_hash_seed(&l.setup)) {
        sb_host_close(&h);
        return 1;
    }
    if (l.setup.force_solo)
        fprintf(stderr,
                "node %s: WARNING: --force-solo: the operator says that the other engine is off, "
                "and that "
                "this node's log is the one to go on with\n",
                arguments.name);
    int result = 1;
    if (sb_storage_open(&l.storage, &h, &cores, stderr) && begin(&l)) {
        catch_crashes(l.node, &h);
        loop(&l);
        result = finish(&h, l.node, &l.storage);
        if (!is_as_configured(&l))
            result = 1;
    } else {
        fprintf(stderr, "shadowbook node: failed to begin with its journal\n");
    }
    sb_host_close(&h);
    return result;
}
