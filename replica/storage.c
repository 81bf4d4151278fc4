#include "replica/storage.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "replica/lineage.h"
#include "replica/recovery.h"

enum {
    RECORD_ROOM =
        4096, /* in the journal's ring: a record always fits into it, skipped end included */
    RETRY_MS = 200,
    COPY_A_TURN = 256, /* packets that one turn of the loop takes from the owner's journal */
    COPY_RING_BYTES = 1 << 22, /* of packets that wait for it */
    COPY_JOURNAL_SHARE =
        4, /* at most one in so many bytes of the journal's ring waits for the disk */
    SNAPSHOT_AHEAD_MIN =
        1000000, /* inputs that a snapshot must save to be worth the outputs that it has not */
};
#define SNAPSHOT_BYTES_MAX (UINT64_C(1) << 36)
#define PROGRESS_EVERY_NS  UINT64_C(1000000000)
#define CLOCK_EVERY_NS     UINT64_C(1000000000)

static const struct sb_host_config *peer_of(const struct sb_storage *s)
{
    return &s->host->config->nodes[1 - s->host->id];
}

/* --- start and end ---------------------------------------------------------------------------------- */

bool sb_storage_open(struct sb_storage *s, const struct sb_host *host, const cpu_set_t *cores,
                     FILE *err)
{
    *s = (struct sb_storage){.host = host, .cores = *cores};
    const struct sb_config *c = host->config;
    if (c->journal_dir[0] == '\0')
        return true;
    snprintf(s->root, sizeof s->root, "%s/%u-%s", c->journal_dir, c->shard, host->arguments.name);
    if (host->self->journal_lcore >= 0) {
        CPU_ZERO(&s->cores);
        CPU_SET((size_t)host->self->journal_lcore, &s->cores);
    }
    if (host->self->transfer.port == 0)
        return true;
    const struct sb_transfer_server_setup setup = {.ipv4 = host->self->transfer.ipv4,
                                                   .port = host->self->transfer.port,
                                                   .shard = c->shard,
                                                   .cores = &s->cores};
    s->server = sb_transfer_server_open(&setup, err);
    return s->server != NULL;
}

/* Where inputs are missing in it, or it has had a fault, it ends without a word. */
static void end_journal(struct sb_storage *s, const struct sb_node *node, FILE *err)
{
    const struct sb_engine *e = sb_node_engine(node);
    struct sb_journal_writer *w = &s->journal.writer;
    if (w->state != SB_JOURNAL_WRITING || w->queued_n != sb_engine_applied(e))
        return;
    const struct sb_journal_record end = {.epoch = sb_node_epoch(node),
                                          .n = w->queued_n,
                                          .digest = sb_engine_digest(e),
                                          .state_digest = sb_engine_state_digest(e),
                                          .kind = SB_RECORD_END};
    if (!sb_journal_writer_record(w, &end, sb_node_epoch(node)))
        fprintf(err, "journal %s: no room for its end mark\n", w->folder);
}

bool sb_storage_close(struct sb_storage *s, const struct sb_node *node, FILE *err)
{
    sb_transfer_client_close(s->client);
    sb_transfer_server_close(s->server);
    s->client = NULL;
    s->server = NULL;
    if (s->journal.buffer == NULL)
        return !s->lost;
    end_journal(s, node, err);
    return sb_journal_close(&s->journal, err) && !s->lost;
}

/* --- folders ---------------------------------------------------------------------------------------- */

static bool open_journal(struct sb_storage *s, const struct sb_node_setup *life,
                         const struct sb_journal_end *after, uint64_t base_n, FILE *err)
{
    const struct sb_config *c = s->host->config;
    const struct sb_journal_setup setup = {
        .folder = s->folder,
        .after = after,
        .base_n = base_n,
        .shard = c->shard,
        .generation = after != NULL ? s->generation : c->generation,
        .sender = s->host->id,
        .inc = life->inc,
        .trading_day = after != NULL ? s->trading_day : life->trading_day,
        .limits = c->limits,
        .segment_bytes = c->journal_segment_bytes,
        .keep_segments = c->journal_keep_segments,
        .ring_bytes = c->journal_ring_bytes,
        .lag_max_ns = c->journal_lag_max_ns,
        .on_fault = c->journal_error,
        .spin = s->host->self->journal_lcore >= 0,
        .cores = &s->cores};
    if (!sb_journal_open(&s->journal, &setup, err))
        return false;
    if (s->server != NULL)
        sb_transfer_server_serve(s->server, s->folder);
    return true;
}

static void name_folder(struct sb_storage *s, uint64_t inc)
{
    const size_t n = strlen(s->root);
    memcpy(s->folder, s->root, n);
    snprintf(s->folder + n, sizeof s->folder - n, "/%020" PRIu64, inc);
}

bool sb_storage_begin(struct sb_storage *s, const struct sb_node_setup *life, FILE *err)
{
    if (s->root[0] == '\0')
        return true;
    name_folder(s, life->inc);
    return open_journal(s, life, NULL, 0, err);
}

static bool make_folder(const char *path, FILE *err)
{
    const int error = sb_journal_make_folder(path);
    if (error == 0 || error == EEXIST)
        return true;
    fprintf(err, "journal: cannot make the folder %s: %s\n", path, strerror(error));
    return false;
}

/* What cannot be gone on with gets a new folder, which begins with a snapshot. */
static bool begin_with_snapshot(struct sb_storage *s, const struct sb_node *node,
                                const struct sb_node_setup *life, FILE *err)
{
    char path[SB_SNAPSHOT_PATH_BYTES];
    const uint64_t n = sb_engine_applied(sb_node_engine(node));
    name_folder(s, life->inc);
    if (n == 0)
        return open_journal(s, life, NULL, 0, err);
    return make_folder(s->root, err) && make_folder(s->folder, err) &&
           sb_snapshot_write(sb_snapshot_file(path, s->folder, n), sb_node_engine(node), err) &&
           open_journal(s, life, NULL, n, err);
}

/* --- recovery --------------------------------------------------------------------------------------- */

static bool is_this_shards(const struct sb_storage *s, const struct sb_recovery *r, FILE *err)
{
    const struct sb_config *c = s->host->config;
    if (r->shard == c->shard && sb_engine_limits_equal(&r->limits, &c->limits))
        return true;
    fprintf(err,
            "journal %s: of shard %u, with %u instruments, %u sessions, %u orders, %u levels, %u "
            "orders with terms at most; "
            "[shard] and [engine] of this configuration say otherwise\n",
            r->reader.folder, r->shard, r->limits.instruments_max, r->limits.sessions_max,
            r->limits.orders_max, r->limits.levels_max, r->limits.terms_max);
    return false;
}

/* All of it into the node. False: in pieces. */
static bool load(struct sb_recovery *r, struct sb_node *node, FILE *err)
{
    const struct sb_journal_packet *packet;
    const struct sb_command *lines;
    if (r->snapshot.bytes != NULL) {
        const char *wrong = sb_node_load_snapshot(node, &r->snapshot);
        if (wrong != NULL) {
            fprintf(err, "journal %s: its snapshot: %s\n", r->reader.folder, wrong);
            return false;
        }
    }
    sb_node_expect(node, r->n_estimate);
    int more;
    while ((more = sb_recovery_packet(r, &packet, &lines, err)) == 1) {
        const enum sb_node_load loaded = sb_node_load(node, packet, lines);
        if (loaded == SB_LOAD_REFUSED)
            return false;
        if (loaded != SB_LOAD_TAKEN) {
            fprintf(err,
                    "journal %s: input %" PRIu64
                    ": this program makes other outputs of it than the "
                    "one that wrote it\n",
                    r->reader.folder, packet->n_first);
            return false;
        }
    }
    return more == 0;
}

/* The folder to go on with: the newest; by the operator's word the best. */
static void choose_folder(const struct sb_storage *s, bool force, char path[SB_JOURNAL_PATH_BYTES],
                          bool *newest, FILE *err)
{
    struct sb_lineage all[SB_LINEAGES_MAX];
    const size_t n = force ? sb_lineages_read(all, s->root, err) : 0;
    const size_t best = n != 0 ? sb_lineage_best(all, n) : 0;
    *newest = best == 0;
    memcpy(path, best == 0 ? s->root : all[best].folder, SB_JOURNAL_PATH_BYTES);
    if (best != 0) {
        fprintf(
            err,
            "journal: WARNING: --force-solo: an older journal of this node is the better one: ");
        sb_lineage_say(&all[best], err);
    }
}

/* What was taken last may not have been answered: outputs of that many inputs are made again, for whoever asks. So the newest
 * snapshot before them, unless there is none that leads to the end. */
static enum sb_recovery_opened open_recovery(const struct sb_storage *s, struct sb_recovery *r,
                                             const char *path, FILE *err)
{
    enum sb_recovery_opened opened = sb_recovery_open(r, path, false, err);
    const uint64_t unanswered = s->host->config->unacked_lines;
    if (opened != SB_RECOVERY_READY || r->snapshot.bytes == NULL ||
        r->snapshot.head.n + unanswered <= r->n_estimate)
        return opened;
    const uint64_t n_max = r->n_estimate > unanswered ? r->n_estimate - unanswered : 0;
    FILE *unsaid = fopen("/dev/null", "we");
    sb_recovery_close(r);
    opened = sb_recovery_open_at(r, path, n_max, unsaid != NULL ? unsaid : err);
    if (unsaid != NULL)
        fclose(unsaid);
    if (opened == SB_RECOVERY_READY)
        return opened;
    sb_recovery_close(r);
    return sb_recovery_open(r, path, false, err);
}

bool sb_storage_recover(struct sb_storage *s, struct sb_node *node, bool force, FILE *err)
{
    struct sb_recovery r;
    char path[SB_JOURNAL_PATH_BYTES];
    bool whole = true, newest;
    if (s->root[0] == '\0')
        return true;
    choose_folder(s, force, path, &newest, err);
    const enum sb_recovery_opened opened = open_recovery(s, &r, path, err);
    if (opened == SB_RECOVERY_READY && is_this_shards(s, &r, err)) {
        whole = load(&r, node, err);
        if (whole)
            sb_recovery_say_end(&r, err);
        if (whole && r.found != SB_FOUND_DAMAGED && !r.ahead) {
            s->recovered = newest; /* what is behind another one's back gets a folder of its own */
            s->end = r.end;
            s->trading_day = r.reader.scan.segment.trading_day;
            s->generation = r.reader.scan.segment.generation;
            memcpy(s->folder, r.reader.folder, sizeof s->folder);
            const struct sb_node_record record = {.epoch = r.end.owner.epoch,
                                                  .kind = r.end.owner.kind};
            const uint64_t begun = strtoull(strrchr(s->folder, '/') + 1, NULL, 10);
            sb_node_loaded(node, &record, newest ? begun : sb_node_incarnation(node));
        }
    }
    sb_recovery_close(&r);
    return whole;
}

/* --- rejoin ----------------------------------------------------------------------------------------- */

bool sb_storage_join(struct sb_storage *s, FILE *err)
{
    sb_transfer_client_close(s->client);
    s->client = NULL;
    s->copying = false;
    if (s->journal.buffer != NULL)
        sb_journal_close(&s->journal, err);
    if (s->journal.buffer != NULL)
        return false; /* the disk does not answer: said */
    s->recovered = s->copied = s->lost = false;
    s->records_given = s->record_place = s->clock_said_ns = 0;
    const struct sb_addr *from = &peer_of(s)->transfer;
    if (from->port == 0)
        return true; /* from the owner's memory, as far as that reaches */
    const struct sb_transfer_client_setup setup = {.ipv4 = from->ipv4,
                                                   .port = from->port,
                                                   .shard = s->host->config->shard,
                                                   .from_n = 1,
                                                   .snapshot_ahead_min = SNAPSHOT_AHEAD_MIN,
                                                   .snapshot_bytes_max = SNAPSHOT_BYTES_MAX,
                                                   .ring_bytes = COPY_RING_BYTES,
                                                   .retry_ms = RETRY_MS,
                                                   .cores = &s->cores};
    s->client = sb_transfer_client_open(&setup, err);
    s->copying = s->client != NULL;
    return s->copying;
}

/* A snapshot, into the node and into the new folder. */
static bool take_snapshot(struct sb_storage *s, struct sb_node *node,
                          const struct sb_node_setup *life, const struct sb_transfer_item *item)
{
    char path[SB_SNAPSHOT_PATH_BYTES];
    struct sb_snapshot snapshot = {.bytes = (uint8_t *)(uintptr_t)item->snapshot,
                                   .bytes_n = item->snapshot_bytes};
    const char *wrong = sb_snapshot_fault(snapshot.bytes, snapshot.bytes_n, &snapshot.head);
    if (wrong == NULL)
        wrong = sb_node_load_snapshot(node, &snapshot);
    if (wrong != NULL) {
        fprintf(stderr, "node %s: the owner's snapshot: %s\n", s->host->arguments.name, wrong);
        return false;
    }
    if (s->root[0] == '\0')
        return true;
    name_folder(s, life->inc);
    s->copied = true;
    return make_folder(s->root, stderr) && make_folder(s->folder, stderr) &&
           sb_snapshot_put(sb_snapshot_file(path, s->folder, item->n), item->snapshot,
                           item->snapshot_bytes, stderr) &&
           open_journal(s, life, NULL, item->n, stderr);
}

/* The journal takes what the node takes, at the disk's pace. */
static bool journal_keeps_up(const struct sb_storage *s)
{
    return s->journal.buffer == NULL ||
           sb_byte_ring_used(&s->journal.writer.ring) <
               s->host->config->journal_ring_bytes / COPY_JOURNAL_SHARE;
}

static void show_progress(struct sb_storage *s, const struct sb_node *node, uint64_t now_ns)
{
    struct sb_transfer_client_counts c;
    uint64_t *v = s->host->counters.c->value;
    sb_transfer_client_counts(s->client, &c);
    v[SB_CTR_COPY_STATE] = (uint64_t)c.state + 1;
    v[SB_CTR_COPY_BYTES] = c.bytes;
    v[SB_CTR_COPY_TARGET] = c.server_n;
    if (now_ns - s->progress_said_ns < PROGRESS_EVERY_NS)
        return;
    s->progress_said_ns = now_ns;
    char why[SB_TRANSFER_WHY_BYTES];
    fprintf(stderr, "node %s: %s: input %" PRIu64 " of %" PRIu64 ", %" PRIu64 " MB%s%s\n",
            s->host->arguments.name, sb_transfer_state_name(c.state), sb_node_log(node)->len,
            c.server_n, c.bytes / 1000000, c.state == SB_TRANSFER_REFUSED ? ": " : "",
            c.state == SB_TRANSFER_REFUSED ? sb_transfer_client_why(s->client, why) : "");
}

/* Once may be a journal that was changed for another one between two connections; twice at one place is the engine. */
static enum sb_storage_word not_the_owners(struct sb_storage *s, uint64_t n)
{
    const bool twice = s->different_n == n;
    s->different_n = n;
    fprintf(
        stderr,
        "node %s: input %" PRIu64 ": this program makes other outputs of it than the owner's%s\n",
        s->host->arguments.name, n,
        twice ? ": they cannot be a pair (another version of the engine?)" : "; copied once more");
    return twice ? SB_STORAGE_STOP : SB_STORAGE_AGAIN;
}

/* What came from the owner's journal. */
static enum sb_storage_word copy(struct sb_storage *s, struct sb_node *node,
                                 const struct sb_node_setup *life)
{
    struct sb_transfer_item item;
    for (uint32_t i = 0; i < COPY_A_TURN && journal_keeps_up(s); i++) {
        if (!sb_transfer_client_next(s->client, &item))
            return SB_STORAGE_GOOD;
        if (item.kind == SB_TRANSFER_SNAPSHOT) {
            const bool fresh = sb_node_log(node)->len == 0;
            const bool good = fresh && take_snapshot(s, node, life, &item);
            sb_transfer_client_snapshot_done(s->client);
            sb_transfer_client_release(s->client);
            if (fresh && !good)
                return SB_STORAGE_STOP;
            continue;
        }
        struct sb_transfer_client_counts c;
        sb_transfer_client_counts(s->client, &c);
        sb_node_expect(node, c.server_n);
        const enum sb_node_load loaded = sb_node_load(node, item.packet, item.lines);
        const uint64_t n = item.packet->n_first;
        if (loaded == SB_LOAD_FULL)
            return SB_STORAGE_GOOD;
        sb_transfer_client_release(s->client);
        if (loaded == SB_LOAD_DIFFERENT)
            return not_the_owners(s, n);
        if (loaded == SB_LOAD_REFUSED)
            return SB_STORAGE_STOP;
        if (loaded == SB_LOAD_GAP)
            return SB_STORAGE_AGAIN;
    }
    return SB_STORAGE_GOOD;
}

/* --- turns ------------------------------------------------------------------------------------------ */

enum sb_storage_word sb_storage_before(struct sb_storage *s, struct sb_node *node,
                                       const struct sb_node_setup *life)
{
    if (s->journal.buffer != NULL) {
        const uint64_t records = sb_journal_writer_records_durable(&s->journal.writer);
        sb_node_durable(node, sb_journal_writer_durable(&s->journal.writer),
                        s->records_given - (records < s->record_place && s->records_given != 0));
    }
    if (!s->copying)
        return SB_STORAGE_GOOD;
    if (sb_node_role(node) == SB_ROLE_CATCH)
        return copy(s, node, life);
    sb_transfer_client_stop(
        s->client); /* a shadow has the owner's own stream; closed when there is time */
    s->copying = false;
    s->different_n = 0;
    s->host->counters.c->value[SB_CTR_COPY_STATE] = 0;
    return SB_STORAGE_GOOD;
}

/* A folder of its own, once there is something to put in. */
static bool begin_if_due(struct sb_storage *s, const struct sb_node *node,
                         const struct sb_node_setup *life)
{
    uint64_t epoch, inc;
    if (s->root[0] == '\0' || s->journal.buffer != NULL || s->lost ||
        sb_node_wants_join(node, &epoch, &inc)) /* what it has read is set aside */
        return true;
    const enum sb_role role = sb_node_role(node);
    /* (A copy may begin with a snapshot, which stands first. Without one there is nothing to wait for: the owner sends
     * nothing before JOIN's record stands there.) */
    if (role == SB_ROLE_CATCH && !s->copied && (sb_node_log(node)->len != 0 || s->client == NULL)) {
        s->copied = true;
        return sb_storage_begin(s, life, stderr);
    }
    if (role != SB_ROLE_SOLO)
        return true;
    return s->recovered ? open_journal(s, life, &s->end, 0, stderr)
                        : begin_with_snapshot(s, node, life, stderr);
}

static void write_record(struct sb_storage *s, struct sb_node *node)
{
    struct sb_journal_writer *w = &s->journal.writer;
    struct sb_node_record due;
    if (w->state != SB_JOURNAL_WRITING || sb_byte_ring_used(&w->ring) + RECORD_ROOM > w->ring.cap ||
        !sb_node_record(node, &due))
        return; /* without room it is due in the next turn, too */
    const struct sb_journal_record record = {
        .epoch = due.epoch, .n = w->queued_n, .kind = due.kind};
    const bool queued = sb_journal_writer_record(w, &record, sb_node_epoch(node));
    SB_ASSERT(queued);
    s->records_given++;
    s->record_place = w->records_queued;
}

/* Whose clock gives inputs their times, and how far it may be off: on becoming the owner and in every new epoch, then about once
 * a second. */
static void write_clock(struct sb_storage *s, const struct sb_node *node, uint64_t now_ns)
{
    struct sb_journal_writer *w = &s->journal.writer;
    const enum sb_role role = sb_node_role(node);
    const bool owns = role == SB_ROLE_PRIM || role == SB_ROLE_PAIRING || role == SB_ROLE_SOLO;
    const uint64_t epoch = sb_node_epoch(node);
    if (w->state != SB_JOURNAL_WRITING || (!owns && s->clock_said_ns == 0) ||
        (owns && s->clock_said_ns != 0 && s->clock_epoch == epoch &&
         now_ns - s->clock_said_ns < CLOCK_EVERY_NS))
        return;
    const struct sb_journal_record record = {
        .epoch = epoch,
        .n = w->queued_n,
        .clock_bound_ns = owns ? sb_clock_bound_ns(&s->host->clock) : UINT64_MAX,
        .kind = SB_RECORD_CLOCK};
    if (!sb_journal_writer_record(w, &record, epoch))
        return;
    s->clock_said_ns = owns ? now_ns : 0;
    s->clock_epoch = epoch;
}

static bool journal_turn(struct sb_storage *s, struct sb_node *node, uint64_t now_ns)
{
    struct sb_journal_writer *w = &s->journal.writer;
    if (sb_node_role(node) == SB_ROLE_CATCH)
        write_record(s, node); /* JOIN's stands before the log that it is about */
    const bool fault = sb_journal_writer_turn(
        w, sb_node_log(node), sb_engine_applied(sb_node_engine(node)), sb_node_epoch(node), now_ns);
    write_record(s, node);
    write_clock(s, node, now_ns);
    sb_journal_writer_show(w, s->host->counters.c->value);
    sb_journal_writer_warn(w, stderr);
    if (!fault)
        return true;
    sb_journal_writer_say(w, stderr);
    s->lost = true;
    sb_node_journal_lost(node);
    return w->state != SB_JOURNAL_STOPPING;
}

bool sb_storage_after(struct sb_storage *s, struct sb_node *node, const struct sb_node_setup *life,
                      uint64_t now_ns)
{
    if (!begin_if_due(s, node, life))
        return false;
    if (s->copying)
        show_progress(s, node, now_ns);
    return s->journal.buffer == NULL || s->lost || journal_turn(s, node, now_ns);
}
