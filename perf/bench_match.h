/* bench_match.h: the engine alone, one message at a time, as a venue would drive it; the ceiling above it; and a plain book.
 *
 *     messages --> [ direct:   sb_direct_order() and its like                          ] --> ring --> fold into a hash
 *     messages --> [ commands: map the id, sb_engine_apply(), outputs to reports       ] --> ring --> fold into a hash
 *     messages --> [ plain:    a book with nothing built in (bench_plain.h)            ] --> ring --> fold into a hash
 *     messages --> [ ids:      a table of ids, and as many reports (bench_ids.h)       ] --> ring --> fold into a hash
 *     messages --> [ null:     as many reports, of the same size                       ] --> ring --> fold into a hash
 *
 * A message names its order by an arbitrary 64-bit id. Direct users give it to the engine as it is. A command has a key
 * that rises in each session, and outputs have the engine's references, so between the two stands an adapter, inside the
 * timed loop: a chained hash table from id to the order's entry, and the entries by reference. It is kept by the engine's
 * feed outputs: an order enters it when it rests and leaves it when it is gone. All ways lead to the same reports: the plain
 * book where it serves the messages.
 *
 * Nothing looks ahead: a message is read when its turn comes, and its reports are published before the next one is read.
 * The digest is not sealed: the consumer's hash stands in its place. All memory is there and touched before the clock starts;
 * the loops make no system call. The clock stops when the consumer has taken the last report.
 *
 * Not covered: sessions that resend, auctions (phases do not change), wire formats, sequencing, replication.
 */
#ifndef SHADOWBOOK_PERF_BENCH_MATCH_H
#define SHADOWBOOK_PERF_BENCH_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "perf/histogram.h"
#include "perf/match.h"
#include "perf/report_ring.h"
#include "shadowbook/engine.h"

struct sb_bench_message {
    uint64_t id;
    uint32_t price;    /* ORDER, REPLACE: 1/10000 */
    uint32_t quantity; /* ORDER: shares; REPLACE: of the whole chain; REDUCE: to take off */
    uint32_t key_step; /* ORDER, REPLACE: how far the session's key rises; usually 1 */
    uint32_t reports;  /* how many the message makes: for the null engine */
    uint16_t session, instrument;
    uint8_t kind; /* SB_CMD_ORDER, _CANCEL, _REPLACE or _REDUCE */
    uint8_t side, tif, zero;
};
_Static_assert(sizeof(struct sb_bench_message) == 32, "two to a cache line");

enum { SB_BENCH_SESSIONS_MAX = 64 };

/* A price level on the grid of every instrument is a multiple of this. */
enum { SB_BENCH_TICK = 100 };

/* The most of one order. */
enum { SB_BENCH_QUANTITY_MAX = SB_QUANTITY_MAX / 2 };

/* How large everything is. */
struct sb_bench_sizes {
    struct sb_engine_limits limits;
    uint64_t messages; /* at most so many: no more references are given out */
    uint32_t
        open_most; /* orders that rest at once: the adapter's table has at least twice as many places */
};

/* The null engine: as many reports as the engine would make, of what is known without a book. Each is written where it goes: one
 * that is made elsewhere and copied waits for its parts. */
static inline void sb_bench_null_apply(const struct sb_bench_message *m,
                                       struct sb_report_ring *ring)
{
    for (uint32_t i = 0; i < m->reports; i++)
        *sb_report_ring_next(ring) = (struct sb_report){.id = m->id,
                                                        .taker = i,
                                                        .price = m->price,
                                                        .quantity = m->quantity,
                                                        .instrument = m->instrument,
                                                        .kind = m->kind,
                                                        .side = m->side};
    sb_report_ring_publish(ring);
}

struct sb_bench_entry; /* an order that rests */
struct sb_bench_plain;
struct sb_bench_ids;
struct sb_bench_script;

/* PLAIN, IDS: instead of the engine. */
enum sb_bench_way { SB_BENCH_DIRECT, SB_BENCH_COMMANDS, SB_BENCH_PLAIN, SB_BENCH_IDS };

struct sb_bench_adapter {
    enum sb_bench_way way;
    struct sb_match_engine engine; /* direct, commands */
    struct sb_bench_plain *plain;  /* plain */
    struct sb_bench_ids *ids;      /* ids */
    /* direct */
    struct sb_report *reports; /* of one call */
    size_t reports_bytes;
    /* commands */
    union {
        struct sb_command c;
        uint64_t words[SB_LINE_BYTES / 8];
    } command;                      /* the fields that never change stay as they are */
    struct sb_bench_entry *entries; /* [ref] */
    uint32_t *heads;                /* [hash of the id]: ref, 0 none */
    uint64_t entries_n, heads_n;
    uint32_t shift;
    uint32_t last_key[SB_BENCH_SESSIONS_MAX + 1];
};

/* Sessions and instruments defined, every instrument in continuous trading. False: out of memory. A plain book takes nothing
 * but open_most from sizes, and only messages that it serves. Not for IDS, which needs a script: a pass opens it. */
bool sb_bench_adapter_open(struct sb_bench_adapter *a, const struct sb_bench_sizes *sizes,
                           enum sb_bench_way way);
void sb_bench_adapter_close(struct sb_bench_adapter *a);

/* One message: its reports are in the ring and published. */
void sb_bench_adapter_apply(struct sb_bench_adapter *a, const struct sb_bench_message *m,
                            struct sb_report_ring *ring);

/* The reports' hash is the same for the same reports in the same order. */
uint64_t sb_report_fold(uint64_t hash, const struct sb_report *r);

struct sb_bench_run {
    const struct sb_bench_message *messages;
    uint64_t n;
    struct sb_bench_sizes sizes;
    struct sb_report_ring *ring;
    enum sb_bench_way way;
    const struct sb_bench_script *script; /* IDS: of these messages */
    const int *cores; /* of the engine and of the consumer; NULL: wherever the kernel likes */
    bool eager;       /* the consumer takes what is there at once, and keeps no distance */
};

/* What a pass gave. */
struct sb_bench_pass {
    uint64_t ns, hash, reports;
    uint64_t
        own_ns; /* of ns, what the thread had a processor for: other programs may have taken the rest */
};

/* Passes over all messages: of the engine, or of the plain book or the table of ids where that is the way; of the null engine. False:
 * out of memory, or no thread. */
bool sb_bench_pass_engine(const struct sb_bench_run *run, struct sb_bench_pass *pass);
bool sb_bench_pass_null(const struct sb_bench_run *run, struct sb_bench_pass *pass);

/* The engine's thread alone: reports go no further than its own cache. Lowers least[i] to what messages i * SB_BENCH_PIECE and on
 * took in ns: over some passes, what the work takes where nothing else disturbs it. */
enum { SB_BENCH_PIECE = 1000 };
bool sb_bench_pass_alone(const struct sb_bench_run *run, uint64_t *least);

/* The same as pass_engine with the time stamp counter around each message. What the clock itself takes is not taken
 * off: clock_ns is the median around nothing. */
bool sb_bench_pass_timed(const struct sb_bench_run *run, struct sb_bench_pass *pass,
                         struct sb_histogram *each, uint64_t *clock_ns);

/* `bench match`: arguments, and the table. */
int sb_bench_match_main(int argc, char **argv);

#endif
