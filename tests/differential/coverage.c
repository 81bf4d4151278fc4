#include "coverage.h"

#include <inttypes.h>

#include "tell.h"

static const char *const shapes[] = {
#define COVERAGE_WORDS(id, words) words,
    COVERAGE_SHAPES(COVERAGE_WORDS)};
static const char *const events[] = {COVERAGE_EVENTS(COVERAGE_WORDS)};
static const char *const moments[] = {COVERAGE_MOMENTS(COVERAGE_WORDS)};
#undef COVERAGE_WORDS

void coverage_add(struct coverage *to, const struct coverage *c)
{
    for (uint32_t k = 0; k < 64; k++) {
        to->outputs[k] += c->outputs[k];
        to->rejected[k] += c->rejected[k];
        to->canceled[k] += c->canceled[k];
        to->answered[k] += c->answered[k];
    }
    for (uint32_t s = 0; s < SHAPES; s++)
        for (uint32_t e = 0; e < EVENTS; e++)
            to->orders[s][e] += c->orders[s][e];
    for (uint32_t k = 0; k < MOMENTS; k++)
        to->moments[k] += c->moments[k];
}

static const char *event_words(uint32_t e)
{
    return e >= EVENT_CANCELED ? tell_reason((uint8_t)(e - EVENT_CANCELED)) : events[e];
}

static void print_reasons(const char *what, const uint64_t counts[64], FILE *to)
{
    for (uint8_t r = 0; r < 64; r++)
        if (counts[r] != 0)
            fprintf(to, "  %-10s %-20s %12" PRIu64 "\n", what, tell_reason(r), counts[r]);
}

void coverage_print(const struct coverage *c, FILE *to)
{
    for (uint8_t k = 0; k < 64; k++)
        if (c->outputs[k] != 0)
            fprintf(to, "  output     %-20s %12" PRIu64 "\n", tell_output_kind(k), c->outputs[k]);
    print_reasons("rejected", c->rejected, to);
    print_reasons("canceled", c->canceled, to);
    print_reasons("answered", c->answered, to);
    for (uint32_t k = 0; k < MOMENTS; k++)
        fprintf(to, "  moment     %-40s %12" PRIu64 "\n", moments[k], c->moments[k]);
    for (uint32_t s = 0; s < SHAPES; s++) {
        fprintf(to, "  %s:", shapes[s]);
        for (uint32_t e = 0; e < EVENTS; e++)
            if (c->orders[s][e] != 0)
                fprintf(to, " %s %" PRIu64, event_words(e), c->orders[s][e]);
        fprintf(to, "\n");
    }
}

/* --- what must occur ----------------------------------------------------------------------------- */

#define BIT(event)     (UINT64_C(1) << (event))
#define CANCEL(reason) (UINT64_C(1) << (EVENT_CANCELED + SB_REASON_##reason))

/* Any order that was sent. */
#define SENT (BIT(EVENT_ACCEPTED) | BIT(EVENT_REJECTED))
/* ... that is there for a while. */
#define PARKED                                                                                     \
    (CANCEL(USER) | CANCEL(SUPERVISORY) | CANCEL(KILL) | CANCEL(REPLACE_INVALID) |                 \
     BIT(EVENT_REPLACED) | BIT(EVENT_AMENDED))
#define LASTS (PARKED | BIT(EVENT_MOVED))
/* ... until its instrument closes. */
#define CLOSES CANCEL(CLOSED)
/* ... and rests in a book where trade is continuous; takes what is there when it comes. */
#define RESTS (BIT(EVENT_ADDED) | CANCEL(SELF_TRADE))
#define TAKES (BIT(EVENT_REMOVED) | CANCEL(SELF_TRADE) | CANCEL(BAND))

static const uint64_t must_occur[SHAPES] = {
    [SHAPE_QUOTE] = RESTS | TAKES | CLOSES | BIT(EVENT_UNCROSSED) | CANCEL(SUPERVISORY) |
                    CANCEL(KILL) | CANCEL(QUOTE),
    [SHAPE_PRIMARY] = SENT | LASTS | CLOSES | RESTS | BIT(EVENT_REMOVED) | BIT(EVENT_REPRICED) |
                      BIT(EVENT_PARKED),
    [SHAPE_MARKET_PEG] = SENT | LASTS | CLOSES | RESTS | BIT(EVENT_REMOVED) | BIT(EVENT_REPRICED) |
                         BIT(EVENT_PARKED),
    [SHAPE_MIDPOINT] = SENT | LASTS | CLOSES | RESTS | BIT(EVENT_REMOVED) | BIT(EVENT_REPRICED) |
                       BIT(EVENT_PARKED),
    [SHAPE_STOP] = SENT | PARKED | CLOSES | BIT(EVENT_REMOVED) | BIT(EVENT_TRIGGERED) |
                   BIT(EVENT_PARKED) | CANCEL(IOC) | CANCEL(SELF_TRADE) | CANCEL(BAND),
    [SHAPE_STOP_LIMIT] = SENT | LASTS | CLOSES | RESTS | TAKES | BIT(EVENT_TRIGGERED) |
                         BIT(EVENT_PARKED) | BIT(EVENT_UNCROSSED),
    [SHAPE_TRAILING] = SENT | PARKED | CLOSES | BIT(EVENT_REMOVED) | BIT(EVENT_TRIGGERED) |
                       BIT(EVENT_PARKED) | CANCEL(IOC) | CANCEL(SELF_TRADE) | CANCEL(BAND),
    [SHAPE_MARKET_TO_LIMIT] =
        SENT | LASTS | CLOSES | RESTS | TAKES | CANCEL(IOC) | BIT(EVENT_UNCROSSED),
    [SHAPE_MARKET] = SENT | TAKES | CANCEL(IOC) | CANCEL(MINIMUM),
    [SHAPE_RANDOM_ICEBERG] =
        SENT | LASTS | CLOSES | RESTS | TAKES | BIT(EVENT_UNCROSSED) | BIT(EVENT_REFRESHED),
    [SHAPE_ICEBERG] = SENT | LASTS | CLOSES | RESTS | TAKES | BIT(EVENT_UNCROSSED) |
                      BIT(EVENT_REFRESHED) | CANCEL(AUCTION),
    [SHAPE_ALL_OR_NONE] = SENT | LASTS | CLOSES | RESTS | BIT(EVENT_REMOVED) | CANCEL(MINIMUM),
    [SHAPE_MINIMUM] = SENT | LASTS | CLOSES | RESTS | TAKES | CANCEL(MINIMUM) | CANCEL(IOC),
    [SHAPE_HIDDEN] = SENT | LASTS | CLOSES | RESTS | TAKES,
    [SHAPE_POST_ONLY] = SENT | LASTS | CLOSES | RESTS | BIT(EVENT_UNCROSSED),
    [SHAPE_FOK] = SENT | BIT(EVENT_REMOVED) | CANCEL(MINIMUM),
    [SHAPE_AT_OPEN] = SENT | LASTS | BIT(EVENT_UNCROSSED) | CANCEL(AUCTION),
    [SHAPE_AT_CLOSE] = SENT | LASTS | BIT(EVENT_UNCROSSED) | CANCEL(AUCTION) | BIT(EVENT_PARKED) |
                       CANCEL(NO_ROOM) | CLOSES,
    [SHAPE_GTC] = SENT | LASTS | RESTS | TAKES | BIT(EVENT_UNCROSSED),
    [SHAPE_GTD] = SENT | LASTS | RESTS | TAKES | BIT(EVENT_UNCROSSED) | CANCEL(EXPIRED),
    [SHAPE_IOC] = SENT | TAKES | CANCEL(IOC),
    [SHAPE_PLAIN] = SENT | LASTS | CLOSES | RESTS | TAKES | BIT(EVENT_UNCROSSED),
    [SHAPE_OCO] = SENT | LASTS | CLOSES | RESTS | TAKES | BIT(EVENT_UNCROSSED) |
                  BIT(EVENT_TRIGGERED) | BIT(EVENT_REFRESHED) | BIT(EVENT_REPRICED) |
                  BIT(EVENT_PARKED) | CANCEL(OCO) | CANCEL(EXPIRED),
};

void coverage_want_outputs(struct coverage *wanted)
{
    for (uint8_t k = SB_OUT_LOGIN; k <= SB_OUT_QUOTED; k++)
        wanted->outputs[k] = 1;
    for (uint8_t k = SB_OUT_F_SYSTEM; k <= SB_OUT_F_INDICATIVE; k++)
        wanted->outputs[k] = 1;
}

static void want_reasons(struct coverage *wanted)
{
    static const uint8_t OTHERS[] = {/* not of the engine's own making: INVALID's, operators' */
                                     SB_REASON_NO_RIGHT, SB_REASON_MALFORMED, SB_REASON_DISPLAY,
                                     SB_REASON_CROSSED, SB_REASON_NOT_AUCTION,
                                     /* sb_command_valid() lets no other side through */
                                     SB_REASON_SIDE};
    static const uint8_t ANSWERS[] = {SB_REASON_NONE, SB_REASON_SYMBOL, SB_REASON_NO_RIGHT,
                                      SB_REASON_CROSSED, SB_REASON_NOT_AUCTION};
    for (uint8_t r = SB_REASON_USER; r <= SB_REASON_KILL; r++)
        wanted->canceled[r] = 1;
    for (uint8_t r = SB_REASON_SYMBOL; r <= SB_REASON_FULL_TERMS; r++)
        wanted->rejected[r] = 1;
    for (uint32_t k = 0; k < sizeof OTHERS; k++)
        wanted->rejected[OTHERS[k]] = 0;
    for (uint32_t k = 0; k < sizeof ANSWERS; k++)
        wanted->answered[ANSWERS[k]] = 1;
}

static uint32_t miss(FILE *to, const char *what, const char *which)
{
    fprintf(to, "never: %s %s\n", what, which);
    return 1;
}

static uint32_t lacks_reasons(const uint64_t counts[64], const uint64_t wanted[64],
                              const char *what, FILE *to)
{
    uint32_t n = 0;
    for (uint8_t r = 0; r < 64; r++)
        if (wanted[r] != 0 && counts[r] == 0)
            n += miss(to, what, tell_reason(r));
    return n;
}

uint32_t coverage_lacks(const struct coverage *c, const struct coverage *wanted, FILE *to)
{
    uint32_t n = lacks_reasons(c->canceled, wanted->canceled, "canceled", to) +
                 lacks_reasons(c->rejected, wanted->rejected, "rejected", to) +
                 lacks_reasons(c->answered, wanted->answered, "answered", to);
    for (uint8_t k = 0; k < 64; k++)
        if (wanted->outputs[k] != 0 && c->outputs[k] == 0)
            n += miss(to, "output", tell_output_kind(k));
    for (uint32_t k = 0; k < MOMENTS; k++)
        if (wanted->moments[k] != 0 && c->moments[k] == 0)
            n += miss(to, "moment", moments[k]);
    for (uint32_t s = 0; s < SHAPES; s++)
        for (uint32_t e = 0; e < EVENTS; e++)
            if (wanted->orders[s][e] != 0 && c->orders[s][e] == 0)
                n += miss(to, shapes[s], event_words(e));
    return n;
}

uint32_t coverage_missing(const struct coverage *c, FILE *to)
{
    struct coverage wanted = {0};
    coverage_want_outputs(&wanted);
    want_reasons(&wanted);
    for (uint32_t k = 0; k < MOMENTS; k++)
        wanted.moments[k] = 1;
    for (uint32_t s = 0; s < SHAPES; s++)
        for (uint32_t e = 0; e < EVENTS; e++)
            wanted.orders[s][e] = must_occur[s] >> e & 1;
    return coverage_lacks(c, &wanted, to);
}
