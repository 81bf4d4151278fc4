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

static uint32_t miss(FILE *to, const char *what, const char *which)
{
    fprintf(to, "never: %s %s\n", what, which);
    return 1;
}

static uint32_t missing_outputs(const struct coverage *c, FILE *to)
{
    uint32_t n = 0;
    for (uint8_t k = SB_OUT_LOGIN; k <= SB_OUT_QUOTED; k++)
        if (c->outputs[k] == 0)
            n += miss(to, "output", tell_output_kind(k));
    for (uint8_t k = SB_OUT_F_SYSTEM; k <= SB_OUT_F_INDICATIVE; k++)
        if (c->outputs[k] == 0)
            n += miss(to, "output", tell_output_kind(k));
    return n;
}

static uint32_t missing_reasons(const struct coverage *c, FILE *to)
{
    static const uint8_t OTHERS[] = {/* not of the engine's own making: INVALID's, operators' */
                                     SB_REASON_NO_RIGHT, SB_REASON_MALFORMED, SB_REASON_DISPLAY,
                                     SB_REASON_CROSSED, SB_REASON_NOT_AUCTION};
    static const uint8_t ANSWERS[] = {SB_REASON_NONE, SB_REASON_SYMBOL, SB_REASON_NO_RIGHT,
                                      SB_REASON_CROSSED, SB_REASON_NOT_AUCTION};
    uint32_t n = 0;
    for (uint8_t r = SB_REASON_USER; r <= SB_REASON_KILL; r++)
        if (c->canceled[r] == 0)
            n += miss(to, "canceled", tell_reason(r));
    for (uint8_t r = SB_REASON_SYMBOL; r <= SB_REASON_FULL_TERMS; r++) {
        bool other = r == SB_REASON_SIDE; /* sb_command_valid() lets no other side through */
        for (uint32_t k = 0; k < sizeof OTHERS; k++)
            other = other || OTHERS[k] == r;
        if (!other && c->rejected[r] == 0)
            n += miss(to, "rejected", tell_reason(r));
    }
    for (uint32_t k = 0; k < sizeof ANSWERS; k++)
        if (c->answered[ANSWERS[k]] == 0)
            n += miss(to, "answered", tell_reason(ANSWERS[k]));
    return n;
}

uint32_t coverage_missing(const struct coverage *c, FILE *to)
{
    uint32_t n = missing_outputs(c, to) + missing_reasons(c, to);
    for (uint32_t k = 0; k < MOMENTS; k++)
        if (c->moments[k] == 0)
            n += miss(to, "moment", moments[k]);
    for (uint32_t s = 0; s < SHAPES; s++)
        for (uint32_t e = 0; e < EVENTS; e++)
            if ((must_occur[s] >> e & 1) != 0 && c->orders[s][e] == 0)
                n += miss(to, shapes[s], event_words(e));
    return n;
}
