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
 * sequencer (replica) fills seq, time_ns, firm. The engine trusts kind, flags and the reserved bytes
 * (the sequencer validated them: sb_command_valid()) and nothing else.
 */
#ifndef SHADOWBOOK_COMMAND_H
#define SHADOWBOOK_COMMAND_H

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

    /* Operator. From a session with the operator right, or session 0. */
    SB_CMD_PHASE = 8,   /* instrument (SB_INSTRUMENT_ALL: every one) enters phase `phase` */
    SB_CMD_UNCROSS = 9, /* run the call auction of instrument (or all) now; phase stays AUCTION */

    /* Clients. */
    SB_CMD_LOGIN = 16,   /* ext.login: return address; price = client's nonce */
    SB_CMD_ORDER = 17,   /* new limit order: key, instrument, side, tif, quantity, price */
    SB_CMD_CANCEL = 18,  /* OUCH X: quantity = new intended size (executed included); 0 = all */
    SB_CMD_REPLACE = 19, /* OUCH U: orig_key -> key; quantity = intended size of the whole chain */
    SB_CMD_REDUCE = 20,  /* quantity = how much to take off what is open (library users) */
    SB_CMD_INVALID = 21, /* a message that could not be read: answers J with reason `reason` */
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

enum sb_tif { SB_TIF_DAY = 0, SB_TIF_IOC = 1 };

enum sb_phase {
    SB_PHASE_CLOSED = 0,     /* no orders in; entering it cancels what rests (reason CLOSED) */
    SB_PHASE_AUCTION = 1,    /* orders rest, nothing matches, UNCROSS may run; IOC is refused */
    SB_PHASE_CONTINUOUS = 2, /* price-time matching; refused while the book is crossed */
    SB_PHASE_HALTED = 3,     /* no new orders, no replace; cancels are taken */
};

enum {
    SB_CMD_F_EXT = 1u << 0,     /* a second line follows */
    SB_CMD_F_SKIP_KEY = 1u << 1 /* INVALID only: `key` was not readable; it is not consumed */
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
    uint32_t orig_key;    /* 36 REPLACE: the order that is replaced */
    uint32_t instrument;  /* 40 index from 1 */
    uint8_t kind;         /* 44 enum sb_cmd_kind */
    uint8_t side;         /* 45 enum sb_side */
    uint8_t tif;          /* 46 enum sb_tif */
    uint8_t flags;        /* 47 SB_CMD_F_* */
    uint32_t quantity;    /* 48 */
    uint8_t phase;        /* 52 PHASE: enum sb_phase */
    uint8_t reason;       /* 53 INVALID: enum sb_reason (output.h) */
    uint8_t display;      /* 54 OUCH display character, echoed */
    uint8_t capacity;     /* 55 OUCH capacity character, echoed */
    int64_t price;        /* 56 limit; LOGIN: the client's nonce */
};
_Static_assert(sizeof(struct sb_command) == SB_LINE_BYTES, "one line");
_Static_assert(offsetof(struct sb_command, kind) == 44, "layout is the log format");
_Static_assert(offsetof(struct sb_command, price) == 56, "layout is the log format");

/* The second line. Which member holds follows from the kind. */
union sb_command_ext {
    struct { /* ORDER, REPLACE, INVALID from OUCH */
        char
            clordid[14]; /* echoed to the client; blank (spaces) = the command has no second line */
        uint8_t iso, cross;
        uint64_t stop_price, expire_ns; /* zero: not in use yet */
        uint32_t display_quantity, min_quantity, peg, account;
        uint8_t zero[16];
    } order;
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
        uint8_t zero[48];
    } day;
    struct {                    /* SESSION */
        uint8_t operator_right; /* 1: may send PHASE and UNCROSS */
        uint8_t zero[63];
    } session;
    struct {                                /* INSTRUMENT */
        char symbol[8];                     /* right-padded with spaces */
        int64_t tick, price_min, price_max; /* limits accepted; multiples of tick */
        uint32_t lot, quantity_max;         /* quantities are multiples of lot, 1 lot..max */
        uint8_t phase;                      /* initial */
        uint8_t zero[23];
    } instrument;
    uint8_t bytes[SB_LINE_BYTES];
};
_Static_assert(sizeof(union sb_command_ext) == SB_LINE_BYTES, "one line");

/* A command with room for both lines, for whoever builds one. */
struct sb_command2 {
    struct sb_command c;
    union sb_command_ext ext;
};
_Static_assert(sizeof(struct sb_command2) == 2 * SB_LINE_BYTES, "two lines");

static inline uint32_t sb_command_lines(const struct sb_command *c)
{
    return (c->flags & SB_CMD_F_EXT) != 0 ? 2u : 1u;
}

/* The second line of c, or NULL. c must point into memory that holds both. */
static inline const union sb_command_ext *sb_command_ext(const struct sb_command *c)
{
    return (c->flags & SB_CMD_F_EXT) != 0 ? (const union sb_command_ext *)(c + 1) : NULL;
}

/* Does the command keep to the format: known kind, known flags, a second line exactly where the kind
 * must or may have one, side, tif and phase in range? Total over any bytes; `lines` is how many lines may be
 * read from c. Says nothing about whether the engine will accept the order. Pure, ~5 ns. */
static inline bool sb_command_valid(const struct sb_command *c, uint32_t lines)
{
    if (lines < 1 || (c->flags & ~(SB_CMD_F_EXT | SB_CMD_F_SKIP_KEY)) != 0 ||
        lines < sb_command_lines(c))
        return false;
    const bool ext = (c->flags & SB_CMD_F_EXT) != 0;
    if (c->side > SB_SELL_SHORT_EXEMPT || c->side == 2 || c->side == 4 || c->tif > SB_TIF_IOC ||
        c->phase > SB_PHASE_HALTED)
        return false;
    switch (c->kind) {
    case SB_CMD_DAY: {
        const union sb_command_ext *e = sb_command_ext(c);
        return e != NULL && c->session == 0 && e->day.shard <= SB_SHARD_MAX &&
               e->day.generation <= SB_SHARD_MAX;
    }
    case SB_CMD_SESSION:
    case SB_CMD_INSTRUMENT:
        return ext && c->session == 0;
    case SB_CMD_LOGIN:
        return ext && c->session != 0;
    case SB_CMD_PHASE:
    case SB_CMD_UNCROSS:
        return !ext;
    case SB_CMD_ORDER:
    case SB_CMD_REPLACE:
    case SB_CMD_INVALID:
        return c->session != 0;
    case SB_CMD_CANCEL:
    case SB_CMD_REDUCE:
        return !ext && c->session != 0;
    default:
        return false;
    }
}

#endif
