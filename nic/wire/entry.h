/* entry.h: order entry over UDP: the messages of our own that travel beside OUCH. Specified in ENTRY.md.
 *
 *   in  'L' login      15: 0 'L' | 1 u64 nonce | 9 u32 return IPv4 | 13 u16 return port
 *   in  'P' phase      22: 0 'P' | 1 u32 key | 5 symbol8 (blank = all) | 13 phase char | 14 auction char | 15 zero7
 *   in  'W' mass cancel 22: 0 'W' | 1 u32 key | 5 symbol8 (blank = all) | 13 scope char | 14 u32 session or firm
 *                          | 18 side char | 19 zero3
 *   in  'K' kill       22: 0 'K' | 1 u32 key | 5 scope char | 6 u32 session or firm | 10 'B' block, 'L' lift | 11 zero11
 *   in  'A' amend      17: 0 'A' | 1 u32 UserRefNum | 5 u32 quantity | 9 u64 price
 *   in  'T' quote      30: 0 'T' | 1 u32 UserRefNum | 5 symbol8 | 13 u32 bid price | 17 u32 bid quantity
 *                          | 21 u32 ask price | 25 u32 ask quantity | 29 capacity char
 *   in  'N' new order  88: 0 'N' | 1 u32 UserRefNum | 5 symbol8 | 13 side char | 14 type char | 15 time in force char
 *                          | 16 u32 quantity | 20 u64 price | 28 u64 stop price | 36 u32 trail | 40 u64 expiry, UTC ns
 *                          | 48 u32 displayed quantity | 52 u32 refresh range | 56 u32 minimum quantity | 60 s32 peg offset
 *                          | 64 peg char | 65 attributes (SB_ATTR_*) | 66 u32 UserRefNum of the OCO partner
 *                          | 70 capacity char | 71 ClOrdID14 | 85 zero3
 *   out 'L' logged in  21: 0 'L' | 1 u64 timestamp | 9 u64 last message number taken | 17 u32 last UserRefNum
 *   out 'O' operator   28: 0 'O' | 1 u64 timestamp | 9 u32 key | 13 symbol8 | 21 phase char | 22 u16 reason
 *                          (enum sb_reason, 0 = done) | 24 u32 shares uncrossed
 *                          (phase: what was asked for; symbol blank: all, or one that is not known)
 *   out 'T' triggered  33: 0 'T' | 1 u64 timestamp | 9 u32 key | 13 u32 quantity | 17 u64 limit price, 0 = market
 *                          | 25 u64 order reference number
 *   out 'M' mass       27: 0 'M' | 1 u64 timestamp | 9 u32 key | 13 symbol8 | 21 u16 reason | 23 u32 orders canceled
 *   out 'Q' quoted     27: the same with the number of sides that are quoted now, and the first refusal's reason
 * A login's return address is a host's, its port not 0, or the message is INVALID. A login is answered when its nonce is
 * not the session's last one, and always when it is the session's first of the day; else it only moves the address.
 * Phase characters: C closed, A auction, U uncross now, I indicative, T continuous (trading), H halted. Auction characters: 0
 * (also of every other phase), O opening, C closing, V volatility. Scopes: S session (0: the own one), F firm, A all (0).
 * Types: L limit, M market, K market-to-limit, S stop, T stop-limit, R trailing stop. Times in force: 0 day, 1 GTC, 2 at the open,
 * 3 IOC, 4 FOK, 6 GTD, 7 at the close. Pegs: N none, R primary, P market, M midpoint.
 */
#ifndef SHADOWBOOK_WIRE_ENTRY_H
#define SHADOWBOOK_WIRE_ENTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "shadowbook/frame.h"

enum {
    SB_ENTRY_LOGIN_BYTES = 15,
    SB_ENTRY_PHASE_BYTES = 22,
    SB_ENTRY_MASS_CANCEL_BYTES = 22,
    SB_ENTRY_KILL_BYTES = 22,
    SB_ENTRY_AMEND_BYTES = 17,
    SB_ENTRY_QUOTE_BYTES = 30,
    SB_ENTRY_NEW_BYTES = 88,
    SB_ENTRY_LOGGED_IN_BYTES = 21,
    SB_ENTRY_OPERATOR_BYTES = 28,
    SB_ENTRY_TRIGGERED_BYTES = 33,
    SB_ENTRY_COUNT_BYTES = 27 /* 'M', 'Q' */
};

/* Inbound messages, for clients and tests; return the length. */
uint32_t sb_entry_write_login(uint8_t *p, uint64_t nonce, uint32_t ipv4, uint16_t port);
/* phase: one of "CAUTHI" */
uint32_t sb_entry_write_phase(uint8_t *p, uint32_t key, const char symbol[8], char phase);
/* Into an auction of this kind: 0 or one of "OCV". */
uint32_t sb_entry_write_auction(uint8_t *p, uint32_t key, const char symbol[8], char auction);
/* scope: one of "SFA"; side: one of "BS ". */
uint32_t sb_entry_write_mass_cancel(uint8_t *p, uint32_t key, const char symbol[8], char scope,
                                    uint32_t who, char side);
/* scope: one of "SF"; action: one of "BL". */
uint32_t sb_entry_write_kill(uint8_t *p, uint32_t key, char scope, uint32_t who, char action);
uint32_t sb_entry_write_amend(uint8_t *p, uint32_t key, uint32_t quantity, uint64_t price);
struct sb_entry_quote {
    uint32_t key, bid_price, bid_quantity, ask_price, ask_quantity;
    char symbol[8], capacity;
};
uint32_t sb_entry_write_quote(uint8_t *p, const struct sb_entry_quote *q);
struct sb_entry_new {
    uint64_t price, stop_price, expire_ns;
    uint32_t key, quantity, trail, display_quantity, refresh_range, min_quantity, oco_key;
    int32_t peg_offset;
    char side, type, tif, peg, capacity; /* types "LMKSTR", times in force "0316427", pegs "NRPM" */
    uint8_t attributes;                  /* SB_ATTR_* */
    char symbol[8], clordid[14];
};
uint32_t sb_entry_write_new(uint8_t *p, const struct sb_entry_new *m);

struct sb_entry_out { /* outbound messages of ours; those fields that the type has */
    char type, phase;
    uint16_t reason;
    uint64_t timestamp, last_session_seq;
    uint64_t price, order_ref;
    uint32_t key, quantity;
    char symbol[8];
};
/* False if not exactly one of ours by type and length; field values are not judged. */
bool sb_entry_read_out(const uint8_t *p, uint32_t len, struct sb_entry_out *out);

/* Frames of our own: writes head and returns where the body starts (p + 40). `bytes` = body. */
uint8_t *sb_head_put(uint8_t *p, uint8_t type, uint16_t shard, uint64_t epoch, uint64_t inc,
                     uint8_t sender, uint8_t flags, uint16_t bytes);
/* Checks magic, version (a client's is fixed; whether one between engines can be read is for the caller to say), zero fields (the tag too: keys are not supported yet), that the type is known, that its body
 * has the type's size (STREAM, ENTRY: at least their fixed part; all others: exactly) and that `bytes` equals what the
 * datagram leaves. Copies the head. Does not judge shard, epoch, incarnation, sender, flags. */
bool sb_head_read(const uint8_t *p, uint32_t bytes, struct sb_head *out);

#endif
