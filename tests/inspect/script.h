/* script.h: a day made of commands, with the digests that an engine makes of it, stored as a node would have: as a log file or
 * as a journal. */
#ifndef SHADOWBOOK_TESTS_INSPECT_SCRIPT_H
#define SHADOWBOOK_TESTS_INSPECT_SCRIPT_H

#include "perf/match.h"
#include "replica/log.h"

/* 2026-11-24 00:00:00 UTC, and the first input's time: 08:00. */
#define SCRIPT_MIDNIGHT_NS UINT64_C(1795478400000000000)
#define SCRIPT_BEGIN_NS    (SCRIPT_MIDNIGHT_NS + UINT64_C(28800000000000))
enum { SCRIPT_SHARD = 3, SCRIPT_TURNS_MAX = 4, SCRIPT_CLOCKS_MAX = 4 };

struct script {
    struct sb_engine_limits limits;
    uint32_t trading_day; /* 20261124, unless changed before the set-up; so is the shard */
    uint16_t shard;       /* SCRIPT_SHARD */
    struct sb_match_engine m;
    struct sb_log log;
    void *memory;
    uint64_t time_ns; /* of the last command */
    uint64_t state_digest;
    uint16_t count, lines; /* of the packet that is being made */
    struct {
        uint64_t packet, epoch;
    } turns[SCRIPT_TURNS_MAX]; /* epochs, by the first packet */
    uint32_t turns_n;
    struct {
        uint64_t packet, bound_ns;
    } clocks[SCRIPT_CLOCKS_MAX]; /* CLOCK records, by the packet behind them */
    uint32_t clocks_n;
};

extern const struct sb_engine_limits script_limits;

/* lines_cap: a power of two; all must fit. Epoch 1D. */
void script_open(struct script *s, const struct sb_engine_limits *limits, uint32_t lines_cap);
void script_close(struct script *s);

/* Puts a command into the packet that is being made: fills in its number, and its time where it is 0: 1 s after the last. */
void script_put(struct script *s, const struct sb_command *c);
void script_seal(struct script *s);
/* The day is over: takes the full-state digest that is stored. */
void script_end(struct script *s);
/* A packet of one. */
void script_add(struct script *s, struct sb_command2 c);
/* Packets from here on are of this epoch. */
void script_turn(struct script *s, uint64_t epoch);

/* A CLOCK record in the journal, before the next packet. */
void script_clock(struct script *s, uint64_t bound_ns);

/* DAY; sessions 1 (firm 10), 2 (firm 20), 3 (firm 30, operator); instrument 1 "AAA", tick 0.01, lot 1, in `phase`.
 * Inputs 1 to 5. */
void script_set_up(struct script *s, uint8_t phase);

/* Orders of instrument 1. clordid: NULL, or up to 14 characters. */
void script_order(struct script *s, uint32_t session, uint32_t key, uint8_t side, uint32_t quantity,
                  int64_t price, uint8_t tif, const char *clordid);
void script_command(struct script *s, uint8_t kind, uint32_t session, uint32_t key,
                    uint32_t quantity);
void script_phase(struct script *s, uint8_t phase);
void script_uncross(struct script *s);

void script_store_log(const struct script *s, const char *path, uint8_t sender);
/* The folder must not be there. Closed by an END record. */
void script_store_journal(const struct script *s, const char *folder, uint8_t sender, uint64_t inc);

/* Runs the verb with these arguments; what it said on its standard output, at most n - 1 bytes. */
int script_inspect(char *said, size_t n, const char *const *arguments);

#endif
