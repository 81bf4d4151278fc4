/* venue.h: a toy venue for the client's tests: the real engine and the real codecs behind a network that loses,
 * repeats and reorders under a seed. One engine, no replication: what it says leaves at once. Virtual time.
 *
 * Faults are planted by its fields: a silence after which it repeats what it said last (as a takeover does), a message
 * repeated with another byte, an order that is swallowed (numbered as taken, never given to the engine).
 */
#ifndef SHADOWBOOK_TESTS_CLIENT_VENUE_H
#define SHADOWBOOK_TESTS_CLIENT_VENUE_H

#include <stdbool.h>
#include <stdint.h>

#include "perf/client.h"
#include "shadowbook/config.h"
#include "shadowbook/engine.h"

enum { VENUE_SESSIONS_MAX = 8, VENUE_MESSAGE_MAX = 80, VENUE_TICK_NS = 50000 };

struct venue_message {
    uint8_t bytes[VENUE_MESSAGE_MAX];
    uint32_t len;
};

struct venue_stream {
    struct venue_message *messages;
    uint64_t n, cap, sent; /* 1..sent were sent once */
};

struct venue_packet { /* under way */
    uint64_t at_ns;
    uint32_t len;
    uint8_t bytes[1536];
};

struct venue_wire {
    struct venue_packet **packets; /* each malloc'ed, in the order of sending */
    uint32_t n, cap;
};

struct venue {
    const struct sb_config *config;
    struct sb_engine *engine;
    void *memory;
    struct sb_outbox box;
    uint64_t seq, now_ns, random;
    struct venue_stream streams[VENUE_SESSIONS_MAX + 1];
    uint64_t wanted[VENUE_SESSIONS_MAX + 1];
    uint64_t beat_ns;
    struct venue_wire to_venue, to_client;
    uint32_t loss_percent, repeat_percent, delay_ns_max; /* network, both ways */
    uint64_t silent_from_ns, silent_to_ns;               /* hears and says nothing; then repeats */
    bool was_silent;
    uint64_t conflict_at; /* session 1's message of this number is repeated with another byte */
    uint64_t swallow_at;  /* session 1's order entry message of this number is lost inside */
    uint32_t mute_stream; /* this session's stream and re-requests are silent until mute_to_ns */
    uint64_t mute_to_ns;
    bool mute_status;    /* no STATUS is sent */
    bool other_name;     /* the feed's heartbeats carry another generation */
    uint64_t bad_frames; /* what it could not take */
    uint64_t timers;
};

void venue_config(struct sb_config *config, uint32_t sessions_n, uint32_t instruments_n);
void venue_config_free(struct sb_config *config);
void venue_init(struct venue *v, const struct sb_config *config, uint64_t seed);
void venue_free(struct venue *v);

/* Runs client and venue against each other until the client is through or virtual time runs out. */
void venue_run(struct venue *v, struct sb_client *client, uint64_t limit_ns);

/* Loses everything that is under way to the venue. */
void venue_lose(struct venue *v);

uint64_t venue_random(uint64_t *state);

#endif
