/* wire_ouch.c: any bytes as a client's message, as an engine's message. What is read, written again, is the same
 * bytes; every client's message becomes a valid command. */
#include <string.h>

#include "nic/wire/bytes.h"
#include "nic/wire/entry.h"
#include "nic/wire/ouch.h"
#include "shadowbook/assert.h"
#include "tests/fuzz/fuzz.h"

/* As entry.h lays them out. */
static void ours_write(uint8_t *p, const struct sb_entry_out *m)
{
    p[0] = (uint8_t)m->type;
    sb_put64(p + 1, m->timestamp);
    if (m->type == 'L') {
        sb_put64(p + 9, m->last_session_seq);
        sb_put32(p + 17, m->key);
        return;
    }
    sb_put32(p + 9, m->key);
    if (m->type == 'T') {
        sb_put32(p + 13, m->quantity);
        sb_put64(p + 17, m->price);
        sb_put64(p + 25, m->order_ref);
        return;
    }
    memcpy(p + 13, m->symbol, 8);
    if (m->type != 'O') {
        sb_put16(p + 21, m->reason);
        sb_put32(p + 23, m->quantity);
        return;
    }
    p[21] = (uint8_t)m->phase;
    sb_put16(p + 22, m->reason);
    sb_put32(p + 24, m->quantity);
}

static void readers_judge(const uint8_t *p, uint32_t len)
{
    uint8_t again[SB_OUCH_MESSAGE_MAX];
    struct sb_ouch_enter enter;
    struct sb_ouch_replace replace;
    struct sb_ouch_cancel cancel;
    struct sb_ouch_out out;
    struct sb_entry_out ours;
    uint32_t n = 0;
    if (sb_ouch_read_enter(p, len, &enter))
        n = sb_ouch_write_enter(again, &enter);
    else if (sb_ouch_read_replace(p, len, &replace))
        n = sb_ouch_write_replace(again, &replace);
    else if (sb_ouch_read_cancel(p, len, &cancel))
        n = sb_ouch_write_cancel(again, &cancel);
    if (n != 0)
        SB_ASSERT(n == len && memcmp(again, p, len) == 0);
    if (sb_ouch_read_out(p, len, &out))
        SB_ASSERT(sb_ouch_write_out(again, &out) == len && memcmp(again, p, len) == 0);
    if (sb_entry_read_out(p, len, &ours)) {
        ours_write(again, &ours);
        SB_ASSERT_EQ(memcmp(again, p, len), 0);
    }
}

static void command_judge(const uint8_t *p, uint32_t len)
{
    struct sb_command2 command, again;
    char symbol[8], symbol_again[8];
    memset(&command, 0x11, sizeof command);
    memset(&again, 0xEE, sizeof again);
    sb_entry_to_command(p, len, 1, &command, symbol);
    sb_entry_to_command(p, len, 1, &again, symbol_again);
    SB_ASSERT_EQ(memcmp(&command, &again, sizeof again), 0); /* no byte left as it was */
    SB_ASSERT_EQ(memcmp(symbol, symbol_again, 8), 0);
    struct sb_command *c = &command.c;
    SB_ASSERT_EQ(c->seq | c->time_ns | c->session_seq | c->session | c->firm, 0u);
    c->session = 1;
    SB_ASSERT(sb_command_valid(c, sb_command_lines(c)));
    SB_ASSERT(c->kind != SB_CMD_INVALID ||
              (c->reason >= SB_REASON_SYMBOL && c->reason <= SB_REASON_DISPLAY));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    readers_judge(data, (uint32_t)size);
    command_judge(data, (uint32_t)size);
    return 0;
}

static uint32_t outbound_seed(uint32_t i, uint8_t *out)
{
    static const char types[] = "SAUCEJ";
    const struct sb_ouch_out m = {.type = types[i % 6],
                                  .timestamp = 1,
                                  .ref = 2,
                                  .has_app = i >= 6,
                                  .app_bytes = i >= 6 ? 3 : 0,
                                  .app = {2, 28, 5}};
    return sb_ouch_write_out(out, &m);
}

uint32_t fuzz_seed(uint32_t i, uint8_t *out)
{
    struct sb_ouch_enter enter = {.ref = 1,
                                  .quantity = 100,
                                  .price = 10000,
                                  .side = 'B',
                                  .tif = '0',
                                  .display = 'Y',
                                  .capacity = 'P',
                                  .iso = 'N',
                                  .cross = 'N',
                                  .symbol = "MSFT    ",
                                  .clordid = "              "};
    struct sb_ouch_replace replace = {.orig_ref = 1,
                                      .ref = 2,
                                      .quantity = 50,
                                      .price = 10100,
                                      .tif = '3',
                                      .display = 'A',
                                      .iso = 'N',
                                      .clordid = "R             ",
                                      .app_bytes = 4,
                                      .app = {3, 24, 0, 1}};
    const struct sb_ouch_cancel cancel = {.ref = 1, .has_app = i == 4};
    const struct sb_entry_new order = {.key = 1,
                                       .quantity = 100,
                                       .price = 10000,
                                       .stop_price = 10100,
                                       .expire_ns = 9,
                                       .side = 'B',
                                       .type = 'T',
                                       .tif = '6',
                                       .peg = 'N',
                                       .capacity = 'P',
                                       .symbol = "MSFT    ",
                                       .clordid = "              "};
    switch (i) {
    case 0:
        return sb_ouch_write_enter(out, &enter);
    case 1:
        enter.app_bytes = 6;
        memcpy(enter.app, "\5\2FIRM", 6);
        return sb_ouch_write_enter(out, &enter);
    case 2:
        return sb_ouch_write_replace(out, &replace);
    case 3:
    case 4:
        return sb_ouch_write_cancel(out, &cancel);
    case 5:
        return sb_entry_write_login(out, 7, 0x0A000001, 41000);
    case 6:
        return sb_entry_write_phase(out, 7, "MSFT    ", 'U');
    default:
        if (i - 7 < 12)
            return outbound_seed(i - 7, out);
        if (i == 21)
            return sb_entry_write_new(out, &order);
        memset(out, (int)i, SB_ENTRY_OPERATOR_BYTES);
        out[0] = i == 19 ? 'L' : 'O';
        return i == 19 ? SB_ENTRY_LOGGED_IN_BYTES : i == 20 ? SB_ENTRY_OPERATOR_BYTES : 0;
    }
}
