/* ouch.h: OUCH 5.0 messages (PROTOCOLS.md section 3; the 2023 form is emitted, both forms are read).
 *
 * Supported: inbound Enter Order 'O', Replace 'U', Cancel 'X'; outbound System 'S', Accepted 'A',
 * Replaced 'U', Canceled 'C', Executed 'E', Rejected 'J'. Two levels: structs that hold a message field by field and convert
 * to and from bytes without loss, for clients, tests and tools; and the two functions that an engine node
 * uses: sb_entry_to_command() and sb_session_encode(). Prices are price(4) in both.
 */
#ifndef SHADOWBOOK_WIRE_OUCH_H
#define SHADOWBOOK_WIRE_OUCH_H

#include <stdbool.h>
#include <stdint.h>

#include "shadowbook/command.h"
#include "shadowbook/output.h"

enum { SB_OUCH_MESSAGE_MAX = 256 }; /* ours, with appendage; longer ones are refused */
enum { SB_OUCH_APPENDAGE_MAX = 64 };

struct sb_ouch_enter {
    uint32_t ref, quantity;
    uint64_t price;
    char side, tif, display, capacity, iso, cross;
    char symbol[8], clordid[14];
    uint16_t app_bytes;
    uint8_t app[SB_OUCH_APPENDAGE_MAX];
};
struct sb_ouch_replace {
    uint32_t orig_ref, ref, quantity;
    uint64_t price;
    char tif, display, iso;
    char clordid[14];
    uint16_t app_bytes;
    uint8_t app[SB_OUCH_APPENDAGE_MAX];
};
struct sb_ouch_cancel {
    uint32_t ref, quantity;
    bool has_app; /* the 2025 form: 11 bytes, its appendage empty */
};

/* Inbound messages. Readers: false if the bytes are not exactly one such message (type, length, appendage that
 * is a whole number of TagValues, at most SB_OUCH_APPENDAGE_MAX bytes); field values are not judged; *out is then
 * unspecified. app[] is written up to app_bytes. Writers: return the length. */
bool sb_ouch_read_enter(const uint8_t *p, uint32_t len, struct sb_ouch_enter *out);
bool sb_ouch_read_replace(const uint8_t *p, uint32_t len, struct sb_ouch_replace *out);
bool sb_ouch_read_cancel(const uint8_t *p, uint32_t len, struct sb_ouch_cancel *out);
uint32_t sb_ouch_write_enter(uint8_t *p, const struct sb_ouch_enter *m);
uint32_t sb_ouch_write_replace(uint8_t *p, const struct sb_ouch_replace *m);
uint32_t sb_ouch_write_cancel(uint8_t *p, const struct sb_ouch_cancel *m);

/* Outbound. One struct for all: `type` says which fields hold. */
struct sb_ouch_out {
    char type;          /* S A U C E J; for our own L, O, T, M and Q see entry.h */
    uint64_t timestamp; /* ns since midnight */
    uint32_t ref, orig_ref, quantity;
    uint64_t price, order_ref, match;
    char side, tif, display, capacity, iso, cross, state, event, liquidity;
    char cancel_reason;
    uint16_t reject_reason;
    char symbol[8], clordid[14];
    bool has_app; /* C, J: the 2025 form with an empty appendage */
    uint16_t app_bytes;
    uint8_t app[SB_OUCH_APPENDAGE_MAX];
};
/* As above; the writer returns 0 for any other type. */
bool sb_ouch_read_out(const uint8_t *p, uint32_t len, struct sb_ouch_out *out);
uint32_t sb_ouch_write_out(uint8_t *p, const struct sb_ouch_out *m);

/* An inbound OUCH message or one of entry.h's as a command: fills kind and everything that the message says; seq, time,
 * session, session_seq and firm are left zero, as are all bytes that the kind does not use. `symbol` receives the symbol to
 * look up for ORDER, PHASE, UNCROSS, INDICATIVE, MASS_CANCEL and QUOTE (instrument is left 0, in a QUOTE that of its one
 * entry; with a blank symbol all but ORDER and QUOTE get SB_INSTRUMENT_ALL); blank for all others. `time_ns`: what the command's time
 * will be; only an Enter's time to live (option 15) counts from it. Total: with a session set, sb_command_valid() holds for every result.
 *
 * What cannot be read or asks for something not supported becomes SB_CMD_INVALID. Of several reasons the first of:
 *   MALFORMED  unknown type, wrong length, broken appendage, unusable return address, a value in a message of ours that ENTRY.md does not have. With
 *              SB_CMD_F_SKIP_KEY, except for an Enter or Replace whose fixed part is whole, and a New of its length: their key is known
 *   SIDE       not B, S, T, E
 *   TIF        not '0' (DAY; with cross type O or C: at the open, at the close), '3' (IOC; without) or '6' (GTD; without). In a Replace: nor '6'
 *   DISPLAY    display not Y or A (both visible) or N (hidden); cross type not N, O or C; an option or a value of one that
 *              entry_terms.h does not have. In a Replace, which keeps what the order has: display N, every option but 2 and 24
 *   MALFORMED  an option of a wrong size
 * Capacity and ISO are echoed as they came. An Enter's market prices are as entry_terms.h says; other prices above SB_PRICE_MAX are passed
 * on as INT64_MAX, for the engine to reject. The second line (ClOrdID, ISO, cross, terms) is used only when ClOrdID is not blank, ISO or
 * cross are not 'N', or there are terms; of INVALID without terms. Pure; ~20 ns. */
void sb_entry_to_command(const uint8_t *p, uint32_t len, uint64_t time_ns, struct sb_command2 *out,
                         char symbol[8]);

/* Encodes one session output as its message at p (room for SB_OUCH_MESSAGE_MAX); returns the length.
 * `cmd` is the command that made the output, with its second line behind it if it has one (for what only the
 * answer echoes; Executed, Canceled and System do not look at it; NULL: blank ClOrdID, display Y, ISO and cross N). `symbol` is the
 * instrument's; it is not read where the message has none. `midnight_ns` is the day's. Reasons as output.h says. Session
 * outputs only: anything else asserts. Pure, byte-identical on every node. ~10 ns. */
uint32_t sb_session_encode(uint8_t *p, const struct sb_output *o, const struct sb_command *cmd,
                           const char symbol[8], uint64_t midnight_ns);

#endif
