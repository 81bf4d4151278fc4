/* What must hold when a run is over: the owner's log against the reference, both logs, what the clients were told, who
 * owns, and whether everything was answered. */
#include <stdlib.h>
#include <string.h>

#include "engine/verify.h"
#include "nic/wire/itch.h"
#include "nic/wire/ouch.h"
#include "perf/follow.h"
#include "perf/verify.h"
#include "replica/genesis.h"
#include "tests/differential/ledger.h"
#include "tests/reference/reference.h"
#include "tests/sim/world.h"

/* The node whose log is the truth: the latest owner or who may become it. */
static int authority(const struct sim_world *w)
{
    int best = -1;
    for (int i = 0; i < 2; i++) {
        const struct sb_node *n = w->node[i];
        if (n->role == SB_ROLE_BOOT || n->role == SB_ROLE_CATCH || n->role == SB_ROLE_DOWN ||
            w->checks.rotten_log == (uint32_t)i)
            continue;
        const struct sb_node *b = best < 0 ? NULL : w->node[best];
        if (b == NULL || n->epoch > b->epoch || (n->epoch == b->epoch && n->log.len > b->log.len))
            best = i;
    }
    return best;
}

static void compare_output(struct sim_world *w, const struct sb_output *o,
                           const struct sb_command *cmd, uint64_t *end)
{
    const struct sim_checks *k = &w->checks;
    if (o->stream >= SIM_STREAMS)
        return;
    end[o->stream] = o->stream_seq + 1;
    if (o->stream_seq >= SIM_TAP_MAX || k->tap[o->stream][o->stream_seq] == 0)
        return; /* not released */
    static const char blank[8] = "        ";
    const char *symbol = o->instrument >= 1 && o->instrument <= SIM_INSTRUMENTS
                             ? w->instruments[o->instrument].symbol
                             : blank;
    uint8_t message[SB_OUCH_MESSAGE_MAX];
    const uint64_t midnight = w->node[0]->setup.midnight_ns;
    const uint32_t len = o->stream == SB_STREAM_FEED
                             ? sb_feed_encode(message, o, symbol, midnight)
                             : sb_session_encode(message, o, cmd, symbol, midnight);
    if (k->tap[o->stream][o->stream_seq] != sb_follow_hash(message, len))
        sim_fail(w, SIM_CHECK_MATCHING,
                 "input %" PRIu64 ", stream %u message %" PRIu64
                 ": the reference says '%c', something else was sent",
                 cmd->seq, o->stream, o->stream_seq, (char)message[0]);
}

/* A message of a member's session stands in the log as it was sent first. */
static void check_member(struct sim_world *w, const struct sim_member *x,
                         const struct sb_command2 *c2)
{
    const struct sb_command *c = &c2->c;
    const uint64_t at = c->session_seq - 1;
    if (at >= x->sent) {
        sim_fail(w, SIM_CHECK_ONCE, "session %u: message %" PRIu64 " was never sent", c->session,
                 at + 1);
        return;
    }
    struct sb_command2 sent, logged = *c2;
    char symbol[8];
    sb_entry_to_command(x->message[at], x->len[at], c->time_ns, &sent, symbol);
    /* what the sequencer fills in */
    logged.c.seq = logged.c.time_ns = logged.c.session_seq = 0;
    logged.c.session = logged.c.firm = 0;
    logged.c.instrument = sent.c.instrument = 0;
    if (c->kind == SB_CMD_QUOTE)
        logged.ext.quote.entry[0].instrument = 0;
    if (memcmp(&sent, &logged, sizeof sent) != 0)
        sim_fail(w, SIM_CHECK_ONCE, "session %u: message %" PRIu64 " is not what was sent",
                 c->session, at + 1);
}

/* What the reference makes of a log, packet by packet. */
struct judge {
    struct sim_world *w;
    struct sb_reference *reference;
    struct sb_reference_outputs outputs;
    struct ledger ledger;
    uint64_t end[SIM_STREAMS], session_seq[SIM_STREAMS], time, n;
};

/* What orders were told adds up, whoever is right about the rest. */
static void check_sums(struct judge *j, const struct sb_command2 *c)
{
    uint32_t at = 0;
    const char *wrong = ledger_apply(&j->ledger, c, j->outputs.out, (uint32_t)j->outputs.n, &at);
    if (wrong != NULL)
        sim_fail(j->w, SIM_CHECK_MATCHING, "input %" PRIu64 ", output %u: %s", c->c.seq, at, wrong);
    if (j->w->reach != NULL)
        j->w->reach->commands[c->c.kind & 31u]++;
}

static void judge_packet(struct judge *j, const struct sb_command *c, uint32_t count)
{
    struct sim_world *w = j->w;
    for (uint32_t i = 0; i < count; i++, c += sb_command_lines(c)) {
        if (c->seq != ++j->n)
            sim_fail(w, SIM_CHECK_ONCE, "input %" PRIu64 " stands at %" PRIu64, c->seq, j->n);
        if (!sb_genesis_agrees(&w->config,
                               c)) /* earlier orders: all of them, once, in their place */
            sim_fail(w, SIM_CHECK_ONCE, "input %" PRIu64 " is not the configuration's", c->seq);
        if (c->time_ns <= j->time)
            sim_fail(w, SIM_CHECK_ONCE, "time does not rise at input %" PRIu64, j->n);
        j->time = c->time_ns;
        if (c->session_seq != 0 && c->session < SIM_STREAMS &&
            c->session_seq != ++j->session_seq[c->session])
            sim_fail(w, SIM_CHECK_ONCE, "session %u: message %" PRIu64 " after %" PRIu64,
                     c->session, (uint64_t)c->session_seq, j->session_seq[c->session] - 1);
        struct sb_command2 c2 = {.c = *c};
        if (sb_command_lines(c) == 2)
            memcpy(&c2, c, sizeof c2);
        if (c->session > SIM_SESSIONS && c->session < SIM_STREAMS && c->session_seq != 0)
            check_member(w, &w->member[c->session - SIM_SESSIONS - 1], &c2);
        j->outputs.n = 0;
        sb_reference_apply(j->reference, c, &j->outputs);
        for (size_t k = 0; k < j->outputs.n; k++)
            compare_output(w, &j->outputs.out[k], c, j->end);
        check_sums(j, &c2);
    }
}

/* All that was released, and behind it the owner's log (NULL: there is none). */
static void check_log(struct sim_world *w, const struct sb_log *log)
{
    const struct sim_truth *t = &w->checks.truth;
    struct coverage nobodys = {0};
    struct judge j = {.w = w, .reference = sb_reference_new(&w->config.limits)};
    for (uint32_t s = 0; s < SIM_STREAMS; s++)
        j.end[s] = 1;
    ledger_open(&j.ledger, &w->config.limits, w->reach != NULL ? &w->reach->rules : &nobodys);
    for (uint32_t p = 0; p < t->packets_n && !t->broken; p++)
        judge_packet(&j, &t->lines[t->packets[p].pos], t->packets[p].count);
    for (uint64_t p = log != NULL ? log->packet_first : 0; log != NULL && p < log->packet_end;
         p++) {
        const struct sb_packet *packet = sb_log_packet(log, p);
        if (packet->n_first == j.n + 1)
            judge_packet(&j, sb_log_lines(log, packet), packet->count);
    }
    const uint64_t *end = j.end, *session_seq = j.session_seq;
    /* What went out of a memory that is gone, as the other is, and nobody has taken over since. */
    const bool gone = w->checks.maybe_sent > j.n && w->config.hold == SB_HOLD_TWO_MEMORIES;
    for (uint32_t s = 0; s < SIM_STREAMS; s++) {
        if (w->checks.tap_end[s] > end[s] && !gone)
            sim_fail(w, SIM_CHECK_RELEASE,
                     "stream %u: message %" PRIu64 " was sent, the owner's log makes only %" PRIu64,
                     s, w->checks.tap_end[s] - 1, end[s] - 1);
        if (w->checks.safe[s] > session_seq[s])
            sim_fail(w, SIM_CHECK_ONCE,
                     "session %u: message %" PRIu64 " was called safe, the log ends at %" PRIu64, s,
                     w->checks.safe[s], session_seq[s]);
    }
    ledger_close(&j.ledger);
    free(j.outputs.out);
    sb_reference_free(j.reference);
}

/* One line of each command after the other. */
static void check_logs(struct sim_world *w)
{
    const struct sb_log *a = &w->node[0]->log, *b = &w->node[1]->log;
    if (w->checks.rotten_log != 2 || w->checks.lost)
        return;
    for (uint64_t n = 1;
         n <= a->len && n <= b->len && n <= w->checks.released && n <= w->checks.forked;) {
        const uint64_t pa = sb_log_find(a, n), pb = sb_log_find(b, n);
        if (pa == UINT64_MAX || pb == UINT64_MAX)
            return;
        const struct sb_packet *x = sb_log_packet(a, pa), *y = sb_log_packet(b, pb);
        if (x->n_first != y->n_first || x->count != y->count || x->lines != y->lines ||
            memcmp(sb_log_lines(a, x), sb_log_lines(b, y), (size_t)x->lines * 64) != 0)
            sim_fail(w, SIM_CHECK_LOGS, "two contents for input %" PRIu64, n);
        n = sb_packet_last(x) + 1;
    }
}

static void check_client(struct sim_world *w)
{
    const struct sb_client *c = &w->client;
    if (w->checks.lost)
        return; /* it was told what is not true any more */
    for (uint32_t s = 0; s <= SIM_SESSIONS; s++) {
        const struct sb_follow *f = s == 0 ? &c->feed : &c->sessions[s].stream;
        if (f->counters.conflicting != 0)
            sim_fail(w, SIM_CHECK_CONTENT, "stream %u: the client saw two contents", s);
        if (f->counters.foreign != 0 || f->counters.malformed != 0)
            sim_fail(w, SIM_CHECK_CLIENT, "stream %u: packets that are not its own", s);
    }
    if (sim_others(w))
        return; /* they trade with orders that the client knows nothing of: check_log judges every byte */
    if (c->counters.answer_errors != 0)
        sim_fail(w, SIM_CHECK_CLIENT, "%s", c->first_error);
    if (c->book.errors != 0)
        sim_fail(w, SIM_CHECK_CLIENT, "feed: %s", c->book.first_error);
    if (c->state == SB_CLIENT_SESSION_IN_USE)
        sim_fail(w, SIM_CHECK_CLIENT, "a session has messages that were never sent");
    /* A second login's answer names the last message taken, which verify.h cannot know of unanswered cancels. */
    if (c->state != SB_CLIENT_DONE || w->struck[SIM_CLIENT_CRASH] != 0)
        return;
    struct sb_verify v;
    SB_ASSERT(sb_verify_run(&v, c, NULL));
    if (!v.trades_equal || !v.sessions_equal || !v.feed_equal || !v.books_equal)
        sim_fail(w, SIM_CHECK_CLIENT, "%s%s%s%s", v.trades_difference, v.sessions_difference,
                 v.books_difference, v.clock_errors ? " two commands with one time" : "");
    sb_verify_free(&v);
}

/* Quiet: do witness and nodes agree on who owns the shard? */
static void check_register(struct sim_world *w)
{
    const struct sb_witness *reg = &w->witness;
    if (!w->host[SIM_W].alive || w->client.state != SB_CLIENT_DONE)
        return;
    for (uint32_t i = 0; i < 2; i++) {
        const struct sb_node *n = w->node[i], *other = w->node[1 - i];
        if (!w->host[i].alive)
            continue;
        const bool pair = n->role == SB_ROLE_PRIM && w->host[1 - i].alive &&
                          other->role == SB_ROLE_SHADOW && other->epoch == n->epoch;
        const bool alone = n->role == SB_ROLE_SOLO;
        const bool named = reg->epoch == n->epoch && reg->owner == i && reg->owner_inc == n->inc;
        if ((alone && !(named && reg->state == SB_W_SOLO)) ||
            (pair && !(named && reg->state == SB_W_DUAL && reg->other_inc == other->inc)))
            sim_fail(w, SIM_CHECK_REGISTER,
                     "node %c is %s in epoch %" PRIu64
                     ", the witness in state %d of epoch %" PRIu64,
                     'A' + i, alone ? "alone" : "a primary", n->epoch, (int)reg->state, reg->epoch);
        if (pair && (n->compared_n != n->applied || other->compared_n != other->applied))
            sim_fail(w, SIM_CHECK_NOTICED,
                     "all is quiet, and digests are compared up to %" PRIu64 " and %" PRIu64
                     " of %" PRIu64,
                     n->compared_n, other->compared_n, n->applied);
    }
}

static bool is_crossed(const struct sb_engine *e, uint32_t instrument)
{
    int64_t buy, sell;
    uint64_t quantity;
    return sb_engine_best(e, instrument, SB_BUY, &buy, &quantity) &&
           sb_engine_best(e, instrument, SB_SELL, &sell, &quantity) && buy >= sell;
}

/* Does a node take input, and has it nothing left to do? */
static bool is_idle_owner(const struct sim_world *w, uint32_t i)
{
    const struct sb_node *n = w->node[i];
    return w->host[i].alive && w->now_ns >= w->host[i].asleep_until_ns &&
           (n->role == SB_ROLE_PRIM || n->role == SB_ROLE_SOLO) && n->released == n->log.len &&
           n->open == NULL && !n->draining_pending;
}

/* Quiet: is everything over whose time has come? It is looked for here, not where the engine keeps what is due. */
static void check_timely(struct sim_world *w)
{
    enum { SLACK_NS = 1000000 };
    if (w->client.state != SB_CLIENT_DONE)
        return;
    for (uint32_t i = 0; i < 2; i++) {
        const struct sb_node *n = w->node[i];
        const struct sb_engine *e = n->engine;
        const uint64_t grace_ns = w->config.timer_ns + SLACK_NS;
        if (!is_idle_owner(w, i))
            continue;
        for (uint32_t t = 1; t <= e->terms.fresh; t++) {
            const struct sb_terms *terms = &e->terms.records[t];
            if (terms->slot != 0 && terms->tif == SB_TIF_GTD &&
                terms->expire_ns < n->now_ns - grace_ns)
                sim_fail(w, SIM_CHECK_TIMELY,
                         "node %c: an order is open %" PRIu64 " ns after its time", 'A' + i,
                         n->now_ns - terms->expire_ns);
        }
        for (uint32_t k = 1; k <= SIM_INSTRUMENTS; k++) {
            const uint64_t resume_ns = sb_engine_instrument(e, k)->resume_ns;
            if (resume_ns != 0 && resume_ns < n->now_ns - grace_ns && !is_crossed(e, k))
                sim_fail(w, SIM_CHECK_TIMELY, "node %c: instrument %u pauses beyond its time",
                         'A' + i, k);
        }
    }
}

/* Is there, or must there be, a node that takes input and may release? */
static bool can_be_answered(const struct sim_world *w)
{
    if (sim_pair_is_due(w))
        return true;
    if (sb_config_solo_policy(&w->config) == SB_SOLO_HALT)
        return false;
    for (uint32_t i = 0; i < 2; i++)
        if (w->host[i].alive && !w->life[i].lost && (!w->restores || sim_served(w)))
            return true; /* not served: both logs are gone, and there was no journal */
    return false;
}

/* Must everything be answered? Where redundancy was used up, stopping may be right. */
static void check_liveness(struct sim_world *w)
{
    if (w->client.state == SB_CLIENT_DONE && sim_others_done(w))
        return;
    for (uint32_t i = 0; i < 2; i++)
        if ((w->counters[i][SB_CTR_HELD_ROTTEN] != 0 || w->snapshots != 0) &&
            w->counters[i][SB_CTR_REREQUESTS_REFUSED] != 0)
            return; /* the other copy was gone too, or never made: refused, as it must be */
    if (w->checks.lost || !can_be_answered(w))
        return;
    const bool all_heals = w->hard == 0;
    const bool one_fault = w->hard == 1 && w->struck_n == 1 && w->quiet_hard;
    if (all_heals || one_fault)
        sim_fail(w, SIM_CHECK_LIVENESS,
                 "%.0f %% are answered; roles %d %d, epochs %" PRIu64 " %" PRIu64
                 ", arm %d %d, witness %d",
                 sb_client_percent(&w->client), (int)w->node[0]->role, (int)w->node[1]->role,
                 w->node[0]->epoch, w->node[1]->epoch, (int)w->node[0]->arm, (int)w->node[1]->arm,
                 (int)w->witness.state);
}

void sim_check_end(struct sim_world *w)
{
    const bool took_over = w->counters[0][SB_CTR_WENT_LIVE] + w->counters[1][SB_CTR_WENT_LIVE] +
                               w->counters[0][SB_CTR_WENT_SOLO] +
                               w->counters[1][SB_CTR_WENT_SOLO] !=
                           0;
    const int best = authority(w);
    for (uint32_t i = 0; i < 2; i++)
        (void)sb_engine_verify(w->node[i]->engine);
    const bool unsure = w->checks.flipped && took_over; /* nobody was left to compare with */
    if (!w->checks.failed && !unsure && !w->checks.lost)
        check_log(w, best >= 0 ? &w->node[best]->log : NULL);
    check_logs(w);
    if (!unsure)
        check_client(w);
    if (w->checks.flipped && !took_over && w->client.state != SB_CLIENT_DONE &&
        w->node[0]->role != SB_ROLE_DIVERGED && w->node[1]->role != SB_ROLE_DIVERGED)
        sim_fail(w, SIM_CHECK_NOTICED, "a flipped bit stopped the pair, and neither says so");
    for (uint32_t i = 0; i < 2; i++)
        if (w->stopped_inc == w->node[i]->inc && w->struck_n == 1 &&
            w->node[i]->role == SB_ROLE_PRIM)
            sim_fail(w, SIM_CHECK_HAND_OVER, "node %c was stopped in order, and still owns",
                     'A' + i);
    check_liveness(w);
    check_register(w);
    check_timely(w);
    sim_check_restored(w);
}
