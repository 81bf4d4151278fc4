/* decode.h: clients' messages as commands: what the tests of it share. Each test program has its own last command. */
#ifndef SHADOWBOOK_TESTS_WIRE_DECODE_H
#define SHADOWBOOK_TESTS_WIRE_DECODE_H

#include <check.h>
#include <string.h>

#include "nic/wire/entry.h"
#include "nic/wire/ouch.h"
#include "tests/wire/support.h"

/* Of the command: Enter's expire time counts from it. */
#define NOW UINT64_C(1795305600000000000)

/* Enter: ref 0x102, buy 300 of MSFT at 1.2345, day, visible, agency, no ISO, ClOrdID blank. */
static const char enter_hex[] =
    "4f 00000102 42 0000012c 4d53465420202020 0000000000003039 30 59 41 4e 4e"
    "2020202020202020202020202020 0000";
/* New order: each field has bytes of its own. */
static const char new_hex[] = "4e 00000102 4d53465420202020 54 54 36 0000012c 0000000000003039"
                              "000000000000303a 00000064 18ea4cbd1b6d4000 00000032 0000000a"
                              "00000014 ffffff9c 52 05 00000101 41 636c69656e742d6f726465722d39"
                              "000000";

static struct sb_command2 command;
static char symbol[8];

/* Decodes, checks that the result keeps to the format, and that what is not used is zero. */
static inline const struct sb_command *decode(const uint8_t *p, uint32_t len)
{
    memset(&command, 0xEE, sizeof command);
    memset(symbol, 0xEE, sizeof symbol);
    sb_entry_to_command(p, len, NOW, &command, symbol);
    const struct sb_command *c = &command.c;
    ck_assert_uint_eq(c->seq | c->time_ns | c->session_seq | c->session | c->firm, 0);
    static const uint8_t zero[SB_LINE_BYTES] = {0};
    if ((c->flags & SB_CMD_F_EXT) == 0)
        ck_assert_mem_eq(command.ext.bytes, zero, sizeof zero);
    if (c->kind != SB_CMD_ORDER && c->kind != SB_CMD_PHASE && c->kind != SB_CMD_UNCROSS &&
        c->kind != SB_CMD_INDICATIVE && c->kind != SB_CMD_MASS_CANCEL && c->kind != SB_CMD_QUOTE)
        ck_assert_mem_eq(symbol, "        ", 8);
    struct sb_command2 with_session = command;
    with_session.c.session = 1;
    ck_assert(sb_command_valid(&with_session.c, 2));
    return c;
}

static inline void expect_invalid(const uint8_t *p, uint32_t len, uint8_t reason, uint32_t key)
{
    const struct sb_command *c = decode(p, len);
    ck_assert_uint_eq(c->kind, SB_CMD_INVALID);
    ck_assert_uint_eq(c->reason, reason);
    ck_assert_uint_eq(c->key, key);
    ck_assert_int_eq((c->flags & SB_CMD_F_SKIP_KEY) != 0, key == 0);
    ck_assert_uint_eq(c->quantity | c->orig_key | c->instrument, 0);
}

static inline void put64(uint8_t *p, uint64_t v)
{
    for (uint32_t b = 0; b < 8; b++)
        p[b] = (uint8_t)(v >> (56 - 8 * b));
}

#endif
