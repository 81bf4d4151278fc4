/* command.h: what goes into the engine.
 *
 * A command is one 64-byte line, or two when SB_CMD_F_EXT is set; one sequence number either way.
 * The layout is explicit, little-endian, without padding; reserved bytes are zero. The same bytes
 * are the input log, the payload of a STREAM packet and the argument of sb_engine_apply().
 *
 * Everything that may influence the engine is in here: time, ids and configuration too. A log of
 * commands from number 1 on rebuilds the whole state and every output.
 *
 * Units: price in 1/10000 of the currency ("price(4)" of OUCH and ITCH), quantity in shares, time in
 * UTC nanoseconds since 1970.
 *
 * Who fills what: a decoder (nic/wire) fills session.., key, kind and everything below; the
 * sequencer (replica) fills seq, time_ns, firm (a CARRY has that of the order's own day). The engine
 * trusts kind, flags and the reserved bytes (the sequencer validated them: sb_command_valid()) and
 * nothing else.
 */
#ifndef SHADOWBOOK_COMMAND_H
#define SHADOWBOOK_COMMAND_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SB_LINE_BYTES = 64 };

/* Kinds. Values are part of the log format: never reuse one. */
enum sb_cmd_kind {
    SB_CMD_NONE = 0,

    /* Configuration and time: sequenced by the owner itself (session 0). */
    SB_CMD_DAY = 1,        /* ext.day: opens the trading day; the first command of every log */
    SB_CMD_SESSION = 2,    /* defines session `key` (index), firm `firm`, ext.session */
    SB_CMD_INSTRUMENT = 3, /* defines instrument `instrument`, ext.instrument */

    SB_CMD_TIMER =
        10, /* what time_ns has brought: GTD orders expire, pauses end; instrument or all */

    /* Operator. From a session with the operator right, or session 0. */
    SB_CMD_PHASE = 8,   /* instrument (SB_INSTRUMENT_ALL: every one) enters phase `phase` */
    SB_CMD_UNCROSS = 9, /* run the call auction of instrument (or all) now; phase stays AUCTION */
    SB_CMD_INDICATIVE = 11, /* publish what an uncross of instrument (or all) would give now */
    SB_CMD_MASS_CANCEL =
        12, /* scope, orig_key = session or firm; instrument or all; one side or both.
                                A client may name its own session only */
    SB_CMD_KILL =
        13, /* scope, orig_key = session or firm; quantity 1: block and cancel all, 0: let in
                                again. A client may block its own session */

    /* Clients. */
    SB_CMD_LOGIN = 16,   /* ext.login: return address; price = client's nonce */
    SB_CMD_ORDER = 17,   /* new limit order: key, instrument, side, tif, quantity, price */
    SB_CMD_CANCEL = 18,  /* OUCH X: quantity = new intended size (executed included); 0 = all */
    SB_CMD_REPLACE = 19, /* OUCH U: orig_key -> key; quantity = intended size of the whole chain */
    SB_CMD_REDUCE = 20,  /* quantity = how much to take off what is open (library users) */
    SB_CMD_INVALID = 21, /* a message that could not be read: answers J with reason `reason` */
    SB_CMD_AMEND =
        22, /* key stays: new price and quantity (intended size, executed included); place
                          kept if only the quantity falls */
    SB_CMD_QUOTE = 23, /* ext.quote: up to three two-sided quotes; key as an ORDER's */

    /* Sequenced by the owner itself as a day begins, in the name of a session. */
    SB_CMD_CARRY = 24, /* an order of an earlier day (RULES.md 19): key as it was, quantity = open,
                          ext.carry, and behind it the terms in ext.order */
};

enum sb_side { /* bit 0 is the side of the book: 0 buy, 1 sell */
               SB_BUY = 0,
               SB_SELL = 1,
               SB_SELL_SHORT = 3,
               SB_SELL_SHORT_EXEMPT = 5,
};
static inline bool sb_side_sells(uint8_t side)
{
    return (side & 1u) != 0;
}

enum sb_tif {
    SB_TIF_DAY = 0,
    SB_TIF_IOC = 1,
    SB_TIF_GTC = 2,
    SB_TIF_GTD = 3, /* until ext.order.expire_ns */
    SB_TIF_FOK = 4,
    SB_TIF_AT_OPEN = 5,  /* takes part in the opening auction only */
    SB_TIF_AT_CLOSE = 6, /* waits for the closing auction */
};

/* Terms of an order: in ext.order. engine/RULES.md says what goes with what. */
enum sb_order_type {
    SB_TYPE_LIMIT = 0,
    SB_TYPE_MARKET = 1,
    SB_TYPE_MARKET_TO_LIMIT = 2, /* takes the best price; what is left rests there */
    SB_TYPE_STOP = 3,            /* a market order once the last price reaches stop_price */
    SB_TYPE_STOP_LIMIT = 4,      /* a limit order then */
    SB_TYPE_TRAILING_STOP = 5,   /* a stop whose price follows the last price at distance `trail` */
};

enum {
    SB_ATTR_HIDDEN = 1u << 0,
    SB_ATTR_POST_ONLY = 1u << 1,
    SB_ATTR_ALL_OR_NONE = 1u << 2,
    SB_ATTR_REDUCE_ONLY =
        1u << 3, /* needs an account with positions: refused until there are some */
    SB_ATTR_ALL = 15
};

enum sb_peg { SB_PEG_NONE = 0, SB_PEG_PRIMARY = 1, SB_PEG_MARKET = 2, SB_PEG_MIDPOINT = 3 };

/* What an auction is for; beside phase AUCTION. */
enum sb_auction {
    SB_AUCTION_INTRADAY = 0,
    SB_AUCTION_OPENING = 1,
    SB_AUCTION_CLOSING = 2,
    SB_AUCTION_VOLATILITY = 3,
};

/* Whose orders MASS_CANCEL and KILL mean. */
enum sb_scope { SB_SCOPE_SESSION = 0, SB_SCOPE_FIRM = 1, SB_SCOPE_ALL = 2 /* MASS_CANCEL only */ };

/* Per instrument. */
enum sb_matching { SB_MATCH_PRICE_TIME = 0, SB_MATCH_PRO_RATA = 1 };
enum sb_tie { SB_TIE_PRESSURE = 0, SB_TIE_REFERENCE = 1, SB_TIE_HIGHEST = 2, SB_TIE_LOWEST = 3 };
enum sb_band_action { SB_BAND_CANCEL = 0, SB_BAND_PAUSE = 1 };

/* Per session: what happens when its order meets one of the same group. */
enum sb_stp {
    SB_STP_NONE = 0,
    SB_STP_CANCEL_NEWEST = 1,
    SB_STP_CANCEL_OLDEST = 2,
    SB_STP_CANCEL_BOTH = 3,
    SB_STP_DECREMENT = 4,
};

enum sb_phase {
    SB_PHASE_CLOSED = 0,     /* no orders in; entering it cancels what rests (reason CLOSED) */
    SB_PHASE_AUCTION = 1,    /* orders rest, nothing matches, UNCROSS may run; IOC is refused */
    SB_PHASE_CONTINUOUS = 2, /* price-time matching; refused while the book is crossed */
    SB_PHASE_HALTED = 3,     /* no new orders, no replace; cancels are taken */
};

enum {
    SB_CMD_F_EXT = 1u << 0,      /* a second line follows */
    SB_CMD_F_SKIP_KEY = 1u << 1, /* INVALID only: `key` was not readable; it is not consumed */
    SB_CMD_F_ONE_SIDE = 1u << 2, /* MASS_CANCEL only: orders of `side` (bit 0), not of both */
};

#define SB_SHARD_MAX       1295u /* shard and generation: two base 36 digits of a stream's name */
#define SB_INSTRUMENT_NONE 0u    /* unknown symbol: the engine rejects with SYMBOL */
#define SB_INSTRUMENT_ALL  UINT32_MAX          /* PHASE and UNCROSS */
#define SB_PRICE_MAX       INT64_C(1999999900) /* 199,999.9900, the largest limit of OUCH 5.0 */
#define SB_QUANTITY_MAX    2000000000u

struct sb_command {
    uint64_t seq;         /*  0 shard sequence number, from 1, no holes */
    uint64_t time_ns;     /*  8 UTC; never less than the last command's + 1 */
    uint64_t session_seq; /* 16 client's message number in its session, from 1; 0 = not numbered */
    uint32_t session;     /* 24 session index from 1; 0 = the shard itself */
    uint32_t firm;        /* 28 of the session, copied by the sequencer */
    uint32_t key;         /* 32 client key (OUCH UserRefNum) */
    uint32_t
        orig_key; /* 36 REPLACE: the order that is replaced; MASS_CANCEL, KILL: session or firm */
    uint32_t instrument; /* 40 index from 1 */
    uint8_t kind;        /* 44 enum sb_cmd_kind */
    uint8_t side;        /* 45 enum sb_side */
    uint8_t tif;         /* 46 enum sb_tif */
    uint8_t flags;       /* 47 SB_CMD_F_* */
    uint32_t quantity;   /* 48 */
    uint8_t phase;       /* 52 PHASE: enum sb_phase */
    union {
        uint8_t reason;  /* 53 INVALID: enum sb_reason (output.h) */
        uint8_t scope;   /*    MASS_CANCEL, KILL: enum sb_scope */
        uint8_t auction; /*    PHASE to AUCTION: enum sb_auction */
    };
    uint8_t display;  /* 54 OUCH display character, echoed */
    uint8_t capacity; /* 55 OUCH capacity character, echoed */
    int64_t price;    /* 56 limit; LOGIN: the client's nonce */
};
static_assert(sizeof(struct sb_command) == SB_LINE_BYTES, "one line");
static_assert(offsetof(struct sb_command, kind) == 44, "layout is the log format");
static_assert(offsetof(struct sb_command, price) == 56, "layout is the log format");

/* The second line. Which member holds follows from the kind. */
union sb_command_ext {
    struct { /* ORDER, REPLACE, INVALID from OUCH */
        char
            clordid[14]; /* echoed to the client; blank (spaces) = the command has no second line */
        uint8_t iso, cross;
        int64_t stop_price;        /* STOP, STOP_LIMIT, TRAILING_STOP */
        uint64_t expire_ns;        /* GTD */
        uint32_t display_quantity; /* iceberg: how much shows at a time; 0: all */
        uint32_t min_quantity;     /* fills of less are not wanted */
        int32_t peg_offset;        /* 1/10000; negative is less aggressive */
        uint32_t account;          /* reserved */
        uint32_t trail;            /* TRAILING_STOP: distance, 1/10000 */
        uint32_t
            oco_key; /* the order whose fill or end cancels this one, and the other way round */
        uint32_t
            refresh_range;  /* iceberg: each slice is display_quantity up to so much less or more */
        uint8_t type;       /* enum sb_order_type */
        uint8_t attributes; /* SB_ATTR_* */
        uint8_t peg;        /* enum sb_peg */
        uint8_t zero[1];
    } order;
    struct {               /* CARRY: the first bytes; from stop_price on as `order` */
        uint32_t executed; /* of its whole chain, on all days before */
        uint32_t shown;    /* iceberg: what is left of its present slice; 0: the next one is cut */
        uint8_t zero[8];
    } carry;
    struct { /* QUOTE */
        struct sb_quote {
            uint32_t instrument, bid_price, bid_quantity, ask_price, ask_quantity;
        } entry[3];
        uint8_t count; /* 1..3 */
        uint8_t zero[3];
    } quote;
    struct {           /* LOGIN */
        uint32_t ipv4; /* return address, host byte order */
        uint16_t port; /* UDP */
        uint8_t zero[58];
    } login;
    struct {                  /* DAY */
        uint64_t midnight_ns; /* UTC time of the local midnight that wire timestamps count from */
        uint32_t trading_day; /* yyyymmdd */
        uint16_t shard;
        uint16_t
            generation; /* 0..1295: part of every stream's name; rises only after accepted loss */
        uint16_t rules; /* SB_ENGINE_RULES of whoever began the log (engine.h) */
        uint8_t zero1[6];
        uint64_t carry_hash; /* of the CARRYs that follow behind the definitions; 0: none do */
        uint8_t zero2[32];
    } day;
    struct {                    /* SESSION */
        uint8_t operator_right; /* 1: may send PHASE, UNCROSS and what else is the operator's */
        uint8_t stp;            /* enum sb_stp */
        uint8_t zero[2];
        uint32_t stp_group;    /* 0: the firm is the group */
        uint32_t orders_max;   /* open orders at once; here and below 0: no limit */
        uint32_t quantity_max; /* of one order */
        uint32_t notional_max; /* of one order, whole units of the currency */
        uint8_t zero2[44];
    } session;
    struct {                                /* INSTRUMENT */
        char symbol[8];                     /* right-padded with spaces */
        int64_t tick, price_min, price_max; /* limits accepted; multiples of tick */
        uint32_t lot, quantity_max;         /* quantities are multiples of lot, 1 lot..max */
        uint8_t phase;                      /* initial */
        uint8_t matching;                   /* enum sb_matching */
        uint8_t tie;                        /* enum sb_tie: auction price among equals */
        uint8_t band_action;                /* enum sb_band_action */
        uint16_t static_band, dynamic_band; /* 1/10000 of the reference; 0: none */
        uint32_t pause_ms;        /* PAUSE: TIMER reopens after so long; 0: the operator does */
        uint32_t notional_max;    /* of one order, whole units; 0: no limit */
        uint32_t reference_price; /* static reference until the first auction; 0: none */
        uint32_t pro_rata_min;    /* shares below this are not allotted */
    } instrument;
    uint8_t bytes[SB_LINE_BYTES];
};
static_assert(sizeof(union sb_command_ext) == SB_LINE_BYTES, "one line");
static_assert(offsetof(union sb_command_ext, order.stop_price) == 16,
              "CARRY has its terms there, too");

/* A command with room for both lines, for whoever builds one. */
struct sb_command2 {
    struct sb_command c;
    union sb_command_ext ext;
};
static_assert(sizeof(struct sb_command2) == 2 * SB_LINE_BYTES, "two lines");

static inline uint32_t sb_command_lines(const struct sb_command *c)
{
    return (c->flags & SB_CMD_F_EXT) != 0 ? 2u : 1u;
}

/* The second line of c, or NULL. c must point into memory that holds both. */
static inline const union sb_command_ext *sb_command_ext(const struct sb_command *c)
{
    return (c->flags & SB_CMD_F_EXT) != 0 ? (const union sb_command_ext *)(c + 1) : NULL;
}

/* Does c, a good command, open a day under other rules than these (engine.h)? */
static inline bool sb_command_other_rules(const struct sb_command *c, uint16_t rules)
{
    return c->kind == SB_CMD_DAY && sb_command_ext(c)->day.rules != rules;
}

/* Are the second line's enumerations and reserved bytes in range? (Whether the terms go together is the engine's.) */
static inline bool sb_command_ext_valid(const struct sb_command *c, const union sb_command_ext *x)
{
    switch (c->kind) {
    case SB_CMD_DAY:
        return x->day.shard <= SB_SHARD_MAX && x->day.generation <= SB_SHARD_MAX;
    case SB_CMD_SESSION:
        return x->session.stp <= SB_STP_DECREMENT;
    case SB_CMD_INSTRUMENT:
        return x->instrument.matching <= SB_MATCH_PRO_RATA && x->instrument.tie <= SB_TIE_LOWEST &&
               x->instrument.band_action <= SB_BAND_PAUSE;
    case SB_CMD_ORDER:
    case SB_CMD_REPLACE:
    case SB_CMD_CARRY:
        return x->order.type <= SB_TYPE_TRAILING_STOP && x->order.attributes <= SB_ATTR_ALL &&
               x->order.peg <= SB_PEG_MIDPOINT;
    case SB_CMD_QUOTE:
        return x->quote.count >= 1 && x->quote.count <= 3;
    default:
        return true;
    }
}

/* Does the command keep to the format: known kind, known flags, a second line exactly where the kind
 * must or may have one, enumerations in range? Total over any bytes; `lines` is how many lines may be
 * read from c. Says nothing about whether the engine will accept the order. Pure, ~5 ns. */
static inline bool sb_command_valid(const struct sb_command *c, uint32_t lines)
{
    if (lines < 1 || (c->flags & ~(SB_CMD_F_EXT | SB_CMD_F_SKIP_KEY | SB_CMD_F_ONE_SIDE)) != 0 ||
        lines < sb_command_lines(c))
        return false;
    const bool ext = (c->flags & SB_CMD_F_EXT) != 0;
    if (c->side > SB_SELL_SHORT_EXEMPT || c->side == 2 || c->side == 4 ||
        c->tif > SB_TIF_AT_CLOSE || c->phase > SB_PHASE_HALTED)
        return false;
    if (ext && !sb_command_ext_valid(c, sb_command_ext(c)))
        return false;
    switch (c->kind) {
    case SB_CMD_DAY:
    case SB_CMD_SESSION:
    case SB_CMD_INSTRUMENT:
        return ext && c->session == 0;
    case SB_CMD_TIMER:
        return !ext && c->session == 0;
    case SB_CMD_LOGIN:
    case SB_CMD_QUOTE:
        return ext && c->session != 0;
    case SB_CMD_CARRY:
        return ext && c->session != 0 && c->session_seq == 0;
    case SB_CMD_PHASE:
        return !ext && c->auction <= SB_AUCTION_VOLATILITY;
    case SB_CMD_UNCROSS:
    case SB_CMD_INDICATIVE:
        return !ext;
    case SB_CMD_MASS_CANCEL:
        return !ext && c->scope <= SB_SCOPE_ALL;
    case SB_CMD_KILL:
        return !ext && c->scope <= SB_SCOPE_FIRM && c->quantity <= 1;
    case SB_CMD_ORDER:
    case SB_CMD_REPLACE:
    case SB_CMD_INVALID:
        return c->session != 0;
    case SB_CMD_CANCEL:
    case SB_CMD_REDUCE:
    case SB_CMD_AMEND:
        return !ext && c->session != 0;
    default:
        return false;
    }
}

#endif
