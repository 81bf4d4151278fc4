/* output.h: what comes out of the engine.
 *
 * An output is one 64-byte record. Each belongs to one stream and has that stream's next number:
 * stream 0 is the market data feed, stream s > 0 is client session s. One command makes zero or more
 * outputs, in a fixed order: for each fill the resting side's session, the aggressor's session, the
 * feed; the answer to the command itself comes before its fills (OUCH: Accepted, then Executed).
 *
 * Outputs are plain bytes without padding: the digest is taken over them. Two engines that applied the
 * same commands made the same bytes.
 *
 * Fields that hold something, beside time_ns, stream, stream_seq and kind (all others are zero):
 *   LOGIN                quantity, ref
 *   ACCEPTED             key, instrument, side|IOC, quantity, price, ref, reason = capacity
 *   REPLACED             the same and orig_key
 *   EXECUTED             key, instrument, side, quantity, price, ref, match, liquidity
 *   CANCELED             key, instrument, side, quantity, ref, reason
 *   REJECTED             key, reason
 *   OPERATOR             key, instrument, phase (PHASE: the one asked for; UNCROSS: 0), reason, quantity
 *   SYSTEM, F_SYSTEM     liquidity
 *   F_DIRECTORY          instrument, quantity            F_PHASE    instrument, phase
 *   F_ADD                instrument, side, quantity, price, ref
 *   F_EXECUTED, _AT      instrument, side (of the order named by ref), quantity, price, ref, match
 *   F_REDUCED            instrument, side, quantity, ref (F_DELETED: without quantity)
 *   F_REPLACED           instrument, side, quantity, price, ref, match = old ref
 *   F_CROSS              instrument, ref = shares, price, match
 *   AMENDED              key, instrument, side, quantity, price, ref, reason = capacity
 *   TRIGGERED            key, instrument, side, quantity, price, ref
 *   MASS, QUOTED         key, instrument (MASS: as in the command), quantity, reason
 *   F_TRADE              instrument, side (of the resting order), quantity, price, match
 *   F_INDICATIVE         instrument, side, quantity, price, ref
 * side is enum sb_side as the order was entered; only ACCEPTED and REPLACED carry the IOC bit, only OPERATOR and
 * F_PHASE the phase bits.
 *
 * What only the answer to a command echoes (ClOrdID, display, ISO, cross) is not in the record:
 * the encoder takes it from the command, which it is given beside the outputs.
 */
#ifndef SHADOWBOOK_OUTPUT_H
#define SHADOWBOOK_OUTPUT_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#define SB_STREAM_FEED 0u

/* In brackets: the OUCH 5.0 (session) or ITCH 5.0 (feed) message that it becomes. */
enum sb_out_kind {
    SB_OUT_NONE = 0,

    /* Session streams. */
    SB_OUT_LOGIN = 1, /* ours 'L': quantity = last client key used, ref = last session_seq taken */
    SB_OUT_ACCEPTED = 2, /* [A] key, side, quantity, instrument, price, tif, ref */
    SB_OUT_REPLACED = 3, /* [U] key = new, orig_key = old; quantity = now outstanding; ref = new */
    SB_OUT_CANCELED = 4, /* [C] key, quantity = decrement, reason (enum sb_reason, cancel part) */
    SB_OUT_EXECUTED = 5, /* [E] key, quantity, price, match, liquidity */
    SB_OUT_REJECTED = 6, /* [J] key, reason (reject part) */
    SB_OUT_OPERATOR = 7, /* ours 'O': answer to PHASE or UNCROSS: key, instrument, phase,
                            reason (SB_REASON_NONE = done), quantity = shares uncrossed (capped u32) */
    SB_OUT_SYSTEM =
        8, /* [S] liquidity field holds the event character: first login of the day 'S' */
    SB_OUT_AMENDED =
        9, /* [U, key = orig_key] quantity = now outstanding; ref: new if the place was lost */
    SB_OUT_TRIGGERED = 10, /* ours 'T': a stop became an order: quantity, price (0: market) */
    SB_OUT_MASS =
        11, /* ours 'M': answer to MASS_CANCEL and KILL: quantity = orders canceled, reason */
    SB_OUT_QUOTED =
        12, /* ours 'Q': answer to QUOTE: quantity = sides now quoted, reason = first refusal */

    /* Feed. */
    SB_OUT_F_SYSTEM = 32,      /* [S] liquidity = event: 'O' at DAY */
    SB_OUT_F_DIRECTORY = 33,   /* [R] instrument; quantity = lot */
    SB_OUT_F_PHASE = 34,       /* [H] instrument, phase */
    SB_OUT_F_ADD = 35,         /* [A] ref, side, quantity, instrument, price */
    SB_OUT_F_EXECUTED = 36,    /* [E] ref, quantity, match, at the order's own price */
    SB_OUT_F_EXECUTED_AT = 37, /* [C] ref, quantity, match, price; not printable: auction fills */
    SB_OUT_F_REDUCED = 38,     /* [X] ref, quantity = shares taken off */
    SB_OUT_F_DELETED = 39,     /* [D] ref */
    SB_OUT_F_REPLACED = 40,    /* [U] match = old ref, ref = new ref, quantity, price */
    SB_OUT_F_CROSS = 41, /* [Q] instrument, ref = shares (64 bits), price, match = its own number */
    SB_OUT_F_TRADE = 42, /* [P] a fill of an order that is not displayed: quantity, price, match */
    SB_OUT_F_INDICATIVE =
        43, /* [I] quantity = shares paired (capped u32), ref = imbalance in shares,
                                 side = of the imbalance, price; all zero when nothing would trade */
};

/* One list for every refusal and every cancel; a reason's character or number on a wire is the codec's. */
enum sb_reason {
    SB_REASON_NONE = 0,
    /* Cancels. */
    SB_REASON_USER = 1,   /* OUCH C 'U' */
    SB_REASON_IOC = 2,    /* 'I' remainder of an IOC */
    SB_REASON_CLOSED = 3, /* 'E' DAY order when its instrument closes */
    SB_REASON_REPLACE_INVALID =
        4,                     /* 'U' the details of a replace were invalid: original canceled */
    SB_REASON_SUPERVISORY = 5, /* 'S' */
    SB_REASON_EXPIRED = 6,     /* 'T' GTD whose time has come */
    SB_REASON_SELF_TRADE = 7,  /* 'Q' */
    SB_REASON_OCO = 8,         /* 'C' its partner traded or ended */
    SB_REASON_MINIMUM = 9,     /* 'I' FOK or minimum quantity could not be had */
    SB_REASON_BAND = 10,       /* 'D' the rest would have traded outside the dynamic band */
    SB_REASON_AUCTION = 11,    /* 'X' on-open or on-close order not filled in its auction */
    SB_REASON_NO_ROOM = 12,    /* 'S' tables were full when it should have come to rest */
    SB_REASON_QUOTE = 13,      /* 'U' quote withdrawn, or refused anew */
    SB_REASON_KILL = 14,       /* 'S' kill switch */
    /* Rejects. */
    SB_REASON_SYMBOL = 16,       /* J 0x17 unknown instrument */
    SB_REASON_HALTED = 17,       /* 0x07 */
    SB_REASON_PHASE = 18,        /* 0x02 closed: no orders now */
    SB_REASON_TIF = 19,          /* 0x0F (other) IOC during an auction, or unknown time in force */
    SB_REASON_SIDE = 20,         /* 0x09 */
    SB_REASON_PRICE_TICK = 21,   /* 0x1D */
    SB_REASON_PRICE_BAND = 22,   /* 0x1D outside price_min..price_max, or not positive */
    SB_REASON_LOT = 23,          /* 0x13 */
    SB_REASON_QUANTITY = 24,     /* 0x13 zero or above quantity_max */
    SB_REASON_FULL_ORDERS = 25,  /* 0x0F order table is full */
    SB_REASON_FULL_LEVELS = 26,  /* 0x0F no room for another price level */
    SB_REASON_NO_RIGHT = 27,     /* 0x0C not an operator */
    SB_REASON_MALFORMED = 28,    /* 0x0F a message of ours or of OUCH that could not be read */
    SB_REASON_DISPLAY = 29,      /* 0x03 display, peg, cross or option that is not supported yet */
    SB_REASON_CROSSED = 30,      /* operator: CONTINUOUS while the book is crossed */
    SB_REASON_NOT_AUCTION = 31,  /* operator: UNCROSS outside AUCTION */
    SB_REASON_TERMS = 32,        /* 0x0F terms out of range, or that do not go together */
    SB_REASON_EXPIRY = 33,       /* 0x0F GTD: expire_ns is not after now */
    SB_REASON_REDUCE_ONLY = 34,  /* 0x0F no positions are kept */
    SB_REASON_STATIC_BAND = 35,  /* 0x1D limit price too far from the static reference */
    SB_REASON_FAT_QUANTITY = 36, /* 0x13 above the session's quantity_max */
    SB_REASON_FAT_NOTIONAL = 37, /* 0x13 above the session's or instrument's notional_max */
    SB_REASON_MAX_ORDERS = 38,   /* 0x0F the session has orders_max open orders */
    SB_REASON_KILLED = 39,       /* 0x0F the session is blocked */
    SB_REASON_OCO_PARTNER = 40,  /* 0x0F no such order, or not one that can be linked */
    SB_REASON_POST_ONLY = 41,    /* 0x0F it would have traded at once */
    SB_REASON_FULL_TERMS =
        42, /* 0x0F table of orders with terms is full, or the instrument's pegs or trailing stops */
};

enum sb_liquidity {
    SB_LIQ_ADDED = 'A',
    SB_LIQ_REMOVED = 'R',
    SB_LIQ_OPENING = 'O', /* a call auction's fill */
};

struct sb_output {
    uint64_t time_ns;    /*  0 of the command */
    uint64_t stream_seq; /*  8 from 1, no holes in a stream */
    uint64_t ref;        /* 16 order reference of the engine, from 1, unique for the day */
    uint64_t match;      /* 24 match number, from 1, one a trade; F_REPLACED: the old ref */
    int64_t price;       /* 32 */
    uint32_t stream;     /* 40 0 feed, else session */
    uint32_t key;        /* 44 client key */
    uint32_t orig_key;   /* 48 REPLACED */
    uint32_t instrument; /* 52 */
    uint32_t quantity;   /* 56 */
    uint8_t kind;        /* 60 enum sb_out_kind */
    uint8_t side;        /* 61 low 3 bits enum sb_side; bit 3: 1 = IOC;
                               bits 5..6 enum sb_phase */
    uint8_t reason;      /* 62 enum sb_reason; ACCEPTED, REPLACED: the order's capacity character */
    uint8_t liquidity;   /* 63 enum sb_liquidity, or a system event's character */
};
static_assert(sizeof(struct sb_output) == 64, "one line");

enum { SB_OUT_SIDE_MASK = 7, SB_OUT_IOC = 8, SB_OUT_PHASE_SHIFT = 5 };

/* Where the engine puts its outputs. Memory is the caller's; cap >= sb_engine_outputs_max(). The engine
 * appends and never reads back; the caller resets n to 0 after sb_engine_seal(). */
struct sb_outbox {
    struct sb_output *out;
    uint32_t n, cap;
};

#endif
