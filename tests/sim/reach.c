#include "tests/sim/reach.h"

#include <inttypes.h>

#include "tests/differential/tell.h"

static const struct {
    uint8_t kind;
    const char *name;
} commands[] = {{SB_CMD_DAY, "DAY"},
                {SB_CMD_SESSION, "SESSION"},
                {SB_CMD_INSTRUMENT, "INSTRUMENT"},
                {SB_CMD_TIMER, "TIMER"},
                {SB_CMD_PHASE, "PHASE"},
                {SB_CMD_UNCROSS, "UNCROSS"},
                {SB_CMD_INDICATIVE, "INDICATIVE"},
                {SB_CMD_MASS_CANCEL, "MASS_CANCEL"},
                {SB_CMD_KILL, "KILL"},
                {SB_CMD_LOGIN, "LOGIN"},
                {SB_CMD_ORDER, "ORDER"},
                {SB_CMD_CANCEL, "CANCEL"},
                {SB_CMD_REPLACE, "REPLACE"},
                {SB_CMD_INVALID, "INVALID"},
                {SB_CMD_AMEND, "AMEND"},
                {SB_CMD_QUOTE, "QUOTE"},
                {SB_CMD_CARRY, "CARRY"}};
enum { COMMANDS = sizeof commands / sizeof *commands }; /* no REDUCE: it has no message */

static const char *const refusals[] = {
#define SIM_WORDS(id, words) [SIM_REFUSED_##id] = words,
    SIM_REFUSED(SIM_WORDS)
#undef SIM_WORDS
};

void sim_reach_add(struct sim_reach *to, const struct sim_reach *r)
{
    for (uint32_t k = 0; k < 32; k++)
        to->commands[k] += r->commands[k];
    coverage_add(&to->rules, &r->rules);
    to->timers_later += r->timers_later;
    to->timers_underway += r->timers_underway;
    for (uint32_t k = 0; k < SIM_REFUSED_WAYS; k++)
        to->refused[k] += r->refused[k];
}

void sim_reach_print(const struct sim_reach *r, bool all, FILE *to)
{
    fprintf(to, "commands");
    for (uint32_t k = 0; k < COMMANDS; k++)
        fprintf(to, "%s %s %" PRIu64, k > 0 ? "," : "", commands[k].name,
                r->commands[commands[k].kind]);
    fprintf(to, "; TIMERs of later owners %" PRIu64 ", underway in a takeover %" PRIu64 "\noutputs",
            r->timers_later, r->timers_underway);
    const char *between = "";
    for (uint8_t k = 0; k < 64; k++)
        if (r->rules.outputs[k] != 0) {
            fprintf(to, "%s %s %" PRIu64, between, tell_output_kind(k), r->rules.outputs[k]);
            between = ",";
        }
    fprintf(to, "\nrefused by other rules");
    for (uint32_t k = SIM_NOT_REFUSED + 1; k < SIM_REFUSED_WAYS; k++)
        fprintf(to, "%s %s %" PRIu64, k > SIM_NOT_REFUSED + 1 ? "," : "", refusals[k],
                r->refused[k]);
    fprintf(to, "\n");
    if (all)
        coverage_print(&r->rules, to);
}

/* --- what must be there --------------------------------------------------------------------------- */

/* Of shapes of orders, beside that each is accepted. */
static const struct {
    uint8_t shape, event;
} happens[] = {{SHAPE_QUOTE, EVENT_ADDED},
               {SHAPE_QUOTE, EVENT_REMOVED},
               {SHAPE_QUOTE, EVENT_CANCELED + SB_REASON_QUOTE},
               {SHAPE_PRIMARY, EVENT_ADDED},
               {SHAPE_MARKET_PEG, EVENT_ADDED},
               {SHAPE_MIDPOINT, EVENT_ADDED},
               {SHAPE_STOP, EVENT_TRIGGERED},
               {SHAPE_STOP, EVENT_REMOVED},
               {SHAPE_STOP_LIMIT, EVENT_TRIGGERED},
               {SHAPE_TRAILING, EVENT_TRIGGERED},
               {SHAPE_MARKET, EVENT_REMOVED},
               {SHAPE_MARKET_TO_LIMIT, EVENT_REMOVED},
               {SHAPE_ICEBERG, EVENT_REFRESHED},
               {SHAPE_RANDOM_ICEBERG, EVENT_REFRESHED},
               {SHAPE_ALL_OR_NONE, EVENT_ADDED},
               {SHAPE_MINIMUM, EVENT_ADDED},
               {SHAPE_HIDDEN, EVENT_ADDED},
               {SHAPE_POST_ONLY, EVENT_ADDED},
               {SHAPE_FOK, EVENT_REMOVED},
               {SHAPE_FOK, EVENT_CANCELED + SB_REASON_MINIMUM},
               {SHAPE_AT_OPEN, EVENT_UNCROSSED},
               {SHAPE_AT_OPEN, EVENT_CANCELED + SB_REASON_AUCTION},
               {SHAPE_AT_CLOSE, EVENT_UNCROSSED},
               {SHAPE_AT_CLOSE, EVENT_CANCELED + SB_REASON_AUCTION},
               {SHAPE_GTD, EVENT_CANCELED + SB_REASON_EXPIRED},
               {SHAPE_OCO, EVENT_CANCELED + SB_REASON_OCO},
               {SHAPE_OCO, EVENT_REPLACED}};

static const uint8_t moments[] = {MOMENT_TRIGGERS_2,        MOMENT_REPRICED_TRADE,
                                  MOMENT_UNCROSS_PRESSURE,  MOMENT_INDICATIVE_NOTHING,
                                  MOMENT_INDICATIVE_BUYS,   MOMENT_INDICATIVE_SELLS,
                                  MOMENT_MASS_SESSION,      MOMENT_MASS_FIRM,
                                  MOMENT_MASS_ALL,          MOMENT_MASS_ONE_SIDE,
                                  MOMENT_KILL_ON,           MOMENT_KILL_OFF,
                                  MOMENT_QUOTED_ALL,        MOMENT_QUOTED_SOME,
                                  MOMENT_QUOTED_NONE,       MOMENT_CASCADE_OCO,
                                  MOMENT_UNCROSS_REFERENCE, MOMENT_UNCROSS_HIGHEST,
                                  MOMENT_UNCROSS_LOWEST,    MOMENT_PAUSED,
                                  MOMENT_RESUMED,           MOMENT_RESUMED_CROSSED,
                                  MOMENT_STP_NEWEST,        MOMENT_STP_OLDEST,
                                  MOMENT_STP_BOTH,          MOMENT_STP_DECREMENT,
                                  MOMENT_PRO_RATA};

static const uint8_t refused[] = {
    SB_REASON_SYMBOL,      SB_REASON_HALTED,      SB_REASON_PHASE,        SB_REASON_TIF,
    SB_REASON_PRICE_TICK,  SB_REASON_PRICE_BAND,  SB_REASON_LOT,          SB_REASON_QUANTITY,
    SB_REASON_FULL_ORDERS, SB_REASON_FULL_LEVELS, SB_REASON_TERMS,        SB_REASON_EXPIRY,
    SB_REASON_REDUCE_ONLY, SB_REASON_KILLED,      SB_REASON_OCO_PARTNER,  SB_REASON_POST_ONLY,
    SB_REASON_FULL_TERMS,  SB_REASON_STATIC_BAND, SB_REASON_FAT_QUANTITY, SB_REASON_FAT_NOTIONAL,
    SB_REASON_MAX_ORDERS};
static const uint8_t ended[] = {
    SB_REASON_USER,        SB_REASON_IOC,     SB_REASON_CLOSED, SB_REASON_REPLACE_INVALID,
    SB_REASON_SUPERVISORY, SB_REASON_EXPIRED, SB_REASON_OCO,    SB_REASON_MINIMUM,
    SB_REASON_AUCTION,     SB_REASON_QUOTE,   SB_REASON_KILL,   SB_REASON_SELF_TRADE,
    SB_REASON_BAND,        SB_REASON_NO_ROOM};
static const uint8_t answered[] = {SB_REASON_NONE, SB_REASON_SYMBOL, SB_REASON_NO_RIGHT,
                                   SB_REASON_CROSSED, SB_REASON_NOT_AUCTION};

static void want_reasons(uint64_t wanted[64], const uint8_t *reasons, size_t n)
{
    for (size_t i = 0; i < n; i++)
        wanted[reasons[i]] = 1;
}

uint32_t sim_reach_missing(const struct sim_reach *r, FILE *to)
{
    struct coverage wanted = {0};
    uint32_t missing = 0;
    for (uint32_t k = 0; k < COMMANDS; k++)
        if (r->commands[commands[k].kind] == 0) {
            fprintf(to, "never: command %s\n", commands[k].name);
            missing++;
        }
    if (r->timers_later == 0 || r->timers_underway == 0) {
        fprintf(to, "never: a TIMER %s\n",
                r->timers_later == 0 ? "of a later owner" : "underway in a takeover");
        missing++;
    }
    /* Not the witness's log: the DAY would have to be there alone, on no disk, which some thousand seeds do not bring about
     * (tests/replica/test_rules.c does). */
    for (uint32_t k = SIM_NOT_REFUSED + 1; k < SIM_REFUSED_WAYS; k++)
        if (r->refused[k] == 0 && k != SIM_REFUSED_WITNESS) {
            fprintf(to, "never: other rules refuse %s\n", refusals[k]);
            missing++;
        }
    coverage_want_outputs(&wanted);
    want_reasons(wanted.rejected, refused, sizeof refused);
    want_reasons(wanted.canceled, ended, sizeof ended);
    want_reasons(wanted.answered, answered, sizeof answered);
    for (uint32_t s = SHAPE_QUOTE + 1; s < SHAPES; s++)
        wanted.orders[s][EVENT_ACCEPTED] = 1;
    for (size_t i = 0; i < sizeof happens / sizeof *happens; i++)
        wanted.orders[happens[i].shape][happens[i].event] = 1;
    for (size_t i = 0; i < sizeof moments; i++)
        wanted.moments[moments[i]] = 1;
    return missing + coverage_lacks(&r->rules, &wanted, to);
}
