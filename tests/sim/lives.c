#include "tests/sim/lives.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "shadowbook/assert.h"
#include "tests/sim/world.h"

/* As storage.c has it. */
enum { COPY_A_TURN = 32, COPY_JOURNAL_SHARE = 4, RETRY_NS = 3000000 };

static bool has_journal(const struct sim_world *w)
{
    return w->config.journal_dir[0] != '\0';
}

/* --- formatting -------------------------------------------------------------------------------------- */

static void format(struct sim_world *w, uint32_t i)
{
    /* Fresh pages cost only what is touched. */
    if (w->memory[i] != NULL)
        munmap(w->memory[i], w->memory_bytes);
    w->memory[i] =
        mmap(NULL, w->memory_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    SB_ASSERT(w->memory[i] != MAP_FAILED);
    w->node[i] = sb_node_new(w->memory[i], w->memory_bytes, &w->life[i].setup);
    sim_check_started(w, i);
}

static void new_setup(struct sim_world *w, uint32_t i)
{
    const uint64_t inc = sim_inc(w);
    w->life[i].setup = (struct sb_node_setup){
        .config = &w->config,
        .self = (uint8_t)i,
        .journal = has_journal(w),
        .inc = inc,
        .hash_seed = inc, /* of every start another one */
        .midnight_ns = SIM_START_NS - SIM_START_NS % UINT64_C(86400000000000),
        .trading_day = w->config.trading_day,
        .counters = w->counters[i],
        .rules = w->life[i].other_rules ? SB_ENGINE_RULES + 1 : 0};
    for (int r = 0; r < SB_PORT_ROLES; r++)
        memcpy(w->life[i].setup.mac[r], (uint8_t[6]){2, 0, 0, 0, 0, (uint8_t)(1 + i)}, 6);
}

/* --- the journal ---------------------------------------------------------------------------------------- */

static bool open_journal(struct sim_world *w, uint32_t i, uint64_t folder,
                         const struct sb_journal_end *after, uint64_t base_n)
{
    struct sim_life *l = &w->life[i];
    const struct sb_journal_setup s = {.after = after,
                                       .base_n = base_n,
                                       .shard = w->config.shard,
                                       .generation = w->config.generation,
                                       .sender = (uint8_t)i,
                                       .inc = l->setup.inc,
                                       .trading_day = l->setup.trading_day,
                                       .limits = w->config.limits,
                                       .lag_max_ns = w->config.journal_lag_max_ns,
                                       .on_fault = w->config.journal_error};
    const bool good = sim_disk_open(&l->disk, folder, &s);
    if (after == NULL && l->disk.newest == folder)
        memset(l->wrote, 0, SIM_INPUTS_MAX * sizeof *l->wrote);
    return good;
}

static void put_snapshot(struct sim_world *w, uint32_t i, const struct sb_engine *e)
{
    const size_t n = sb_snapshot_bytes(e);
    void *bytes = malloc(n);
    SB_ASSERT(bytes != NULL);
    sb_snapshot_make(e, bytes, n);
    sim_disk_put_snapshot(&w->life[i].disk, w->life[i].setup.inc, bytes, n);
    free(bytes);
}

/* A folder of its own, once there is something to put in. */
static bool begin_if_due(struct sim_world *w, uint32_t i)
{
    struct sim_life *l = &w->life[i];
    const struct sb_node *n = w->node[i];
    const uint64_t inc = l->setup.inc, applied = sb_engine_applied(n->engine);
    uint64_t join_epoch, join_inc;
    if (!has_journal(w) || l->disk.writing || l->lost ||
        sb_node_wants_join(n, &join_epoch, &join_inc))
        return true;
    if (n->role == SB_ROLE_CATCH && !l->copied && (n->log.len != 0 || !l->copy.on)) {
        l->copied = true;
        return open_journal(w, i, inc, NULL, 0);
    }
    if (n->role != SB_ROLE_SOLO)
        return true;
    if (l->recovered)
        return open_journal(w, i, l->disk.newest, &l->end, 0);
    if (applied != 0)
        put_snapshot(w, i, n->engine);
    return open_journal(w, i, inc, NULL, applied);
}

static void write_record(struct sim_world *w, uint32_t i)
{
    struct sb_journal_writer *jw = &w->life[i].disk.writer;
    struct sb_node_record due;
    if (jw->state != SB_JOURNAL_WRITING || !sb_node_record(w->node[i], &due))
        return;
    const struct sb_journal_record record = {
        .epoch = due.epoch, .n = jw->queued_n, .kind = due.kind};
    sb_journal_writer_record(jw, &record, w->node[i]->epoch);
}

uint64_t sim_packet_hash(const void *lines, uint32_t n)
{
    return sb_follow_hash(lines, n * (uint32_t)SB_LINE_BYTES) | 1;
}

static void note_written(struct sim_life *l, const struct sb_log *log, uint64_t from)
{
    for (uint64_t p = from; p < l->disk.writer.next_packet; p++) {
        const struct sb_packet *packet = sb_log_packet(log, p);
        if (packet->n_first < SIM_INPUTS_MAX)
            l->wrote[packet->n_first] = sim_packet_hash(sb_log_lines(log, packet), packet->lines);
    }
}

/* False: the node is to stop. */
static bool journal_turn(struct sim_world *w, uint32_t i, uint64_t now_ns)
{
    struct sim_life *l = &w->life[i];
    struct sb_node *n = w->node[i];
    struct sb_journal_writer *jw = &l->disk.writer;
    if (n->role == SB_ROLE_CATCH)
        write_record(w, i);
    const uint64_t from =
        jw->next_packet > n->log.packet_first ? jw->next_packet : n->log.packet_first;
    const bool fault =
        sb_journal_writer_turn(jw, &n->log, sb_engine_applied(n->engine), n->epoch, now_ns);
    note_written(l, &n->log, from);
    write_record(w, i);
    if (!fault)
        return true;
    if (w->o.trace)
        printf("%12.6f ms  %c: the journal ends with fault %d\n", (double)w->now_ns / 1e6,
               'A' + (int)i, (int)jw->fault);
    l->lost = true;
    sb_node_journal_lost(n);
    return jw->state != SB_JOURNAL_STOPPING;
}

/* --- recovery ------------------------------------------------------------------------------------------- */

/* Was it given what other rules made? */
static bool ends_by_rules(const struct sim_world *w, uint32_t i)
{
    return w->life[i].other_rules && sb_node_differs(w->node[i]) == 1;
}

/* All of the newest folder into the node. False: in pieces. */
static bool load(struct sim_world *w, uint32_t i, struct sim_reader *r)
{
    struct sim_life *l = &w->life[i];
    const struct sb_journal_packet *packet;
    const struct sb_command *lines;
    struct sb_snapshot s;
    uint64_t next = 1;
    if (sim_reader_snapshot(r, &s)) {
        if (sb_node_load_snapshot(w->node[i], &s) != NULL) {
            l->refused = SIM_REFUSED_SNAPSHOT;
            return false;
        }
        next = s.head.n + 1;
    }
    while (sim_reader_packet(r, &packet, &lines)) {
        if (packet->n_first != next)
            return false; /* begins later than its snapshot */
        if (next < SIM_INPUTS_MAX && l->wrote[next] != sim_packet_hash(lines, packet->lines))
            sim_fail(w, SIM_CHECK_RECOVERED,
                     "node %c reads input %" PRIu64 " as it was not written", 'A' + i, next);
        const enum sb_node_load loaded = sb_node_load(w->node[i], packet, lines);
        if (loaded == SB_LOAD_REFUSED && l->other_rules) {
            l->refused = SIM_REFUSED_JOURNAL;
            return false;
        }
        if (loaded != SB_LOAD_TAKEN) {
            sim_fail(w, SIM_CHECK_RECOVERED,
                     "node %c makes other outputs of input %" PRIu64 " than it did", 'A' + i, next);
            return false;
        }
        next += packet->count;
    }
    return true;
}

/* As sb_storage_recover(). */
static void recover(struct sim_world *w, uint32_t i)
{
    struct sim_life *l = &w->life[i];
    struct sim_reader r;
    l->recovered = l->copied = l->lost = false;
    if (l->disk.newest == 0 || (l->other_rules && l->other_disk))
        return;
    sim_reader_begin(&r, &l->disk, l->disk.newest, false);
    const bool whole = load(w, i, &r) && r.scan.blocks != 0;
    if (ends_by_rules(w, i))
        return;
    if (!whole)
        format(w, i);
    const bool honest = !l->disk.lied && !w->checks.flipped;
    if (honest && r.found == SB_FOUND_DAMAGED)
        sim_fail(w, SIM_CHECK_RECOVERED, "node %c calls an honest disk damaged: %s", 'A' + i,
                 r.scan.why);
    if (honest && w->node[i]->log.len < l->kept_n)
        sim_fail(w, SIM_CHECK_RECOVERED,
                 "node %c finds %" PRIu64 " inputs, %" PRIu64 " were durable", 'A' + i,
                 w->node[i]->log.len, l->kept_n);
    if (!whole || r.found == SB_FOUND_DAMAGED)
        return;
    l->recovered = true;
    l->end = sim_reader_end(&r);
    const struct sb_node_record record = {.epoch = l->end.owner.epoch, .kind = l->end.owner.kind};
    sb_node_loaded(w->node[i], &record, l->disk.newest);
}

struct sim_seen sim_life_look(const struct sim_world *w, uint32_t i)
{
    const struct sim_life *l = &w->life[i];
    const struct sb_journal_packet *packet;
    const struct sb_command *lines;
    struct sim_seen seen = {0};
    struct sim_reader r;
    if (l->disk.newest == 0)
        return seen;
    sim_reader_begin(&r, &l->disk, l->disk.newest, false);
    while (sim_reader_packet(&r, &packet, &lines))
        seen.n = packet->n_first + packet->count - 1;
    seen.record = sim_reader_end(&r).owner;
    return seen;
}

/* --- lives ---------------------------------------------------------------------------------------------- */

void sim_life_start(struct sim_world *w, uint32_t i, enum sim_start start)
{
    struct sim_life *l = &w->life[i];
    if (l->wrote == NULL) { /* kept over runs */
        l->wrote = malloc(SIM_INPUTS_MAX * sizeof *l->wrote);
        SB_ASSERT(l->wrote != NULL);
    }
    const bool new_day = start == SIM_NEW_DAY || start == SIM_OTHER_DAY;
    if (new_day)
        *l = (struct sim_life){
            .disk = l->disk, .wrote = l->wrote, .other_rules = start == SIM_OTHER_DAY};
    new_setup(w, i);
    l->setup.new_day = new_day;
    l->setup.force_solo = l->forced = start == SIM_FORCE;
    l->copy.on = false;
    l->stopping_since_ns = 0;
    l->disk_stops_it = false;
    format(w, i);
    w->host[i].alive = true;
    if (!has_journal(w))
        return;
    if (new_day)
        open_journal(w, i, l->setup.inc, NULL, 0);
    else
        recover(w, i);
    w->checks.len_before[i] = w->node[i]->log.len;
    if (w->o.trace && !new_day)
        printf("%12.6f ms  %c: starts%s%s, log %" PRIu64 ", record %d of %" PRIu64 "\n",
               (double)w->now_ns / 1e6, 'A' + (int)i, start == SIM_FORCE ? ", forced" : "",
               l->other_rules ? ", of other rules" : "", w->node[i]->log.len,
               (int)w->node[i]->loaded_record.kind, w->node[i]->loaded_record.epoch);
}

static void begin_copy(struct sim_world *w, uint32_t i)
{
    struct sim_copy *c = &w->life[i].copy;
    *c = (struct sim_copy){.on = w->config.nodes[1 - i].transfer.port != 0,
                           .snapshot_first = sim_chance(&w->rng, 250000),
                           .next_ns = w->now_ns + sim_random(&w->rng) % RETRY_NS,
                           .pace_ns = sim_chance(&w->rng, 300000) ? sim_random(&w->rng) % 100000
                                                                  : sim_random(&w->rng) % 5000};
}

/* R14, as the product's main does it. */
static void join(struct sim_world *w, uint32_t i, uint64_t epoch, uint64_t owner_inc)
{
    struct sim_life *l = &w->life[i];
    sim_check_joins(w, i);
    sim_disk_close(&l->disk);
    l->recovered = l->copied = l->lost = l->forced = false;
    l->kept_n = 0;
    struct sb_node_setup said = {0};
    sb_node_carry_disclaim(w->node[i], &said);
    new_setup(w, i);
    l->setup.disclaim_inc = said.disclaim_inc;
    l->setup.disclaim_epoch = said.disclaim_epoch;
    l->setup.disclaim_record = said.disclaim_record;
    l->setup.join_epoch = epoch;
    l->setup.join_inc = owner_inc;
    format(w, i);
    begin_copy(w, i);
}

/* An END record, where the journal is whole. */
static void end_journal(struct sim_world *w, uint32_t i)
{
    struct sb_journal_writer *jw = &w->life[i].disk.writer;
    const struct sb_engine *e = w->node[i]->engine;
    if (jw->state != SB_JOURNAL_WRITING || jw->queued_n != sb_engine_applied(e))
        return;
    const struct sb_journal_record end = {.epoch = w->node[i]->epoch,
                                          .n = jw->queued_n,
                                          .digest = sb_engine_digest(e),
                                          .state_digest = sb_engine_state_digest(e),
                                          .kind = SB_RECORD_END};
    sb_journal_writer_record(jw, &end, w->node[i]->epoch);
}

void sim_life_over(struct sim_world *w, uint32_t i, bool in_order)
{
    struct sim_life *l = &w->life[i];
    l->copy.on = false;
    if (!has_journal(w))
        return;
    if (l->disk.writing) {
        l->kept_n = sim_disk_durable(&l->disk);
        if (in_order) {
            end_journal(w, i);
            if (sim_disk_close(&l->disk))
                l->kept_n = sb_engine_applied(w->node[i]->engine);
        }
    }
    sim_disk_crash(&l->disk);
}

/* --- the owner's log ------------------------------------------------------------------------------------- */

/* A snapshot of the owner's journal as it is on its disk, some way behind its end; made as the product makes one, from the
 * journal alone. NULL: nothing is there yet. */
static struct sb_engine *owners_engine(struct sim_world *w, const struct sim_disk *d, void **memory,
                                       size_t *bytes)
{
    const struct sb_engine_limits *limits = &w->config.limits;
    struct sim_reader r;
    struct sb_snapshot s;
    const struct sb_journal_packet *packet;
    const struct sb_command *lines;
    *bytes = sb_engine_footprint(limits);
    *memory = mmap(NULL, *bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    SB_ASSERT(*memory != MAP_FAILED);
    struct sb_engine *e = sb_engine_new(*memory, *bytes, limits);
    struct sb_outbox box = {
        .cap = sb_engine_outputs_max(limits, SB_STREAM_LINES_MAX, sb_config_pro_rata(&w->config))};
    box.out = malloc(box.cap * sizeof *box.out);
    SB_ASSERT(box.out != NULL);
    sim_reader_begin(&r, d, d->folder, true);
    if (sim_reader_snapshot(&r, &s))
        SB_ASSERT(sb_snapshot_load(&s, e) == NULL);
    for (uint64_t left = sim_random(&w->rng) % 400;
         left > 0 && sim_reader_packet(&r, &packet, &lines); left--) {
        for (uint32_t k = 0; k < packet->count; k++, lines += sb_command_lines(lines))
            sb_engine_apply(e, lines, &box);
        sb_engine_seal(e, &box);
    }
    free(box.out);
    return sb_engine_applied(e) > 20 ? e : NULL;
}

/* False: this life is in pieces. */
static bool take_snapshot(struct sim_world *w, uint32_t i)
{
    struct sim_life *l = &w->life[i];
    void *memory;
    size_t bytes;
    const struct sb_engine *e = owners_engine(w, &w->life[1 - i].disk, &memory, &bytes);
    bool good = true;
    if (e != NULL) {
        const uint64_t n = sb_engine_applied(e);
        put_snapshot(w, i, e);
        struct sim_reader r;
        struct sb_snapshot s;
        sim_reader_begin(&r, &l->disk, l->setup.inc, false);
        SB_ASSERT(sim_reader_snapshot(&r, &s));
        good = sb_node_load_snapshot(w->node[i], &s) == NULL;
        l->refused = good ? SIM_NOT_REFUSED : SIM_REFUSED_SNAPSHOT;
        l->copied = true;
        w->snapshots++;
        if (good && !open_journal(w, i, l->setup.inc, NULL, n))
            sb_node_stop(w->node[i]);
    }
    munmap(memory, bytes);
    return good;
}

/* What came from the owner's journal. False: it is another log. */
static bool copy(struct sim_world *w, uint32_t i)
{
    struct sim_life *l = &w->life[i], *owner = &w->life[1 - i];
    struct sim_copy *c = &l->copy;
    const struct sb_journal_packet *packet;
    const struct sb_command *lines;
    if (w->now_ns < c->next_ns)
        return true;
    if (!w->host[1 - i].alive || !owner->disk.writing || sim_chance(&w->rng, 3000)) {
        c->from_inc = 0; /* broken off */
        c->next_ns = w->now_ns + sim_random(&w->rng) % RETRY_NS;
        return true;
    }
    if (c->from_inc != owner->setup.inc) {
        c->from_inc = owner->setup.inc;
        c->held = false;
        sim_reader_begin(&c->reader, &owner->disk, owner->disk.folder, true);
        struct sb_snapshot s;
        const bool must = sim_reader_snapshot(&c->reader, &s); /* its journal begins there */
        if ((c->snapshot_first || must) && w->node[i]->log.len == 0 && !take_snapshot(w, i))
            return ends_by_rules(w, i);
    }
    for (uint32_t k = 0; k < COPY_A_TURN; k++) {
        if (sb_byte_ring_used(&l->disk.writer.ring) > SIM_DISK_RING_BYTES / COPY_JOURNAL_SHARE &&
            l->disk.writing)
            return true;
        if (!c->held && !sim_reader_packet(&c->reader, &packet, &lines))
            return true;
        if (c->held) {
            packet = c->packet;
            lines = c->lines;
        }
        sb_node_expect(w->node[i], sim_disk_durable(&owner->disk));
        const enum sb_node_load loaded = sb_node_load(w->node[i], packet, lines);
        c->held = loaded == SB_LOAD_FULL;
        c->packet = packet;
        c->lines = lines;
        if (c->held)
            return true;
        if (loaded == SB_LOAD_REFUSED && l->other_rules) {
            l->refused = SIM_REFUSED_COPY;
            return true;
        }
        if (loaded == SB_LOAD_DIFFERENT || loaded == SB_LOAD_GAP || loaded == SB_LOAD_REFUSED)
            return false;
        if (loaded == SB_LOAD_TAKEN && c->pace_ns != 0) {
            c->next_ns = w->now_ns + c->pace_ns;
            if (c->pace_ns > 4000)
                return true;
        }
    }
    return true;
}

/* --- turns ---------------------------------------------------------------------------------------------- */

void sim_life_before(struct sim_world *w, uint32_t i)
{
    struct sim_life *l = &w->life[i];
    if (l->disk.writing)
        sb_node_durable(w->node[i], sb_journal_writer_durable(&l->disk.writer),
                        sb_journal_writer_records_durable(&l->disk.writer));
    if (!l->copy.on)
        return;
    if (w->node[i]->role != SB_ROLE_CATCH)
        l->copy.on = false;
    else if (!copy(w, i))
        join(w, i, l->setup.join_epoch, l->setup.join_inc);
}

void sim_life_after(struct sim_world *w, uint32_t i, uint64_t node_now_ns, bool done)
{
    struct sim_life *l = &w->life[i];
    uint64_t epoch, inc;
    if (!begin_if_due(w, i) || (l->disk.writing && !l->lost && !journal_turn(w, i, node_now_ns))) {
        l->disk_stops_it = true;
        sb_node_stop(w->node[i]);
    }
    if (!done && sb_node_wants_join(w->node[i], &epoch, &inc)) {
        if (w->o.trace)
            printf("%12.6f ms  %c: joins epoch %" PRIu64 "\n", (double)w->now_ns / 1e6,
                   'A' + (int)i, epoch);
        join(w, i, epoch, inc);
    }
}
