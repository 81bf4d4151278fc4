/* entry_examples.c: makes the examples of nic/wire/ENTRY.md. Without an argument prints them; with the document's path
 * compares them with its ```examples block: exit 1 where they differ. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nic/wire/bytes.h"
#include "nic/wire/entry.h"
#include "nic/wire/mold.h"
#include "nic/wire/ouch.h"
#include "shadowbook/assert.h"

enum { SHARD = 1, SESSION = 7, DAY = 20261122 };
#define TOKEN    UINT64_C(0x1122334455667788)
#define MIDNIGHT UINT64_C(1795305600000000000)
#define NOW      (MIDNIGHT + UINT64_C(34200000000456)) /* 09:30 */

struct text {
    char chars[8192];
    size_t n;
};

__attribute__((format(printf, 2, 3))) static void say(struct text *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const int n = vsnprintf(t->chars + t->n, sizeof t->chars - t->n, format, args);
    va_end(args);
    SB_ASSERT(n >= 0 && (size_t)n < sizeof t->chars - t->n);
    t->n += (size_t)n;
}

/* One line: the bytes, a space before each field. `sizes` ends with 0 and covers all of them. */
static const uint8_t *say_fields(struct text *t, const uint8_t *p, const uint8_t *sizes)
{
    for (; *sizes != 0; sizes++) {
        for (uint32_t i = 0; i < *sizes; i++)
            say(t, "%02x", *p++);
        say(t, sizes[1] != 0 ? " " : "\n");
    }
    return p;
}

static const uint8_t head_sizes[] = {4, 1, 1, 2, 8, 8, 1, 1, 2, 4, 8, 0};
static const uint8_t entry_sizes[] = {8, 8, 4, 2, 2, 0};
static const uint8_t mold_sizes[] = {10, 8, 2, 0};
static const uint8_t enter_sizes[] = {2, 1, 4, 1, 4, 8, 8, 1, 1, 1, 1, 1, 14, 2, 0};
static const uint8_t cancel_sizes[] = {2, 1, 4, 4, 0};
static const uint8_t login_sizes[] = {2, 1, 8, 4, 2, 0};
static const uint8_t phase_sizes[] = {2, 1, 4, 8, 1, 8, 0};
static const uint8_t new_sizes[] = {2, 1, 4, 8, 1, 1, 1, 4, 8,  8, 4, 8,
                                    4, 4, 4, 4, 1, 1, 4, 1, 14, 3, 0};
static const uint8_t logged_in_sizes[] = {2, 1, 8, 8, 4, 0};
static const uint8_t operator_sizes[] = {2, 1, 8, 4, 8, 1, 2, 4, 0};
static const uint8_t accepted_sizes[] = {2, 1, 8, 4, 1, 4, 8, 8, 1, 1, 8, 1, 1, 1, 1, 14, 2, 0};

struct frame { /* an ENTRY or MoldUDP64 payload under construction */
    uint8_t bytes[1472];
    uint32_t n;
    const uint8_t *blocks[4];
    uint32_t blocks_n;
};

/* Where the next block's message goes. */
static uint8_t *block(struct frame *f)
{
    return f->bytes + f->n + 2;
}
static void block_done(struct frame *f, uint32_t len, const uint8_t *sizes)
{
    sb_put16(f->bytes + f->n, (uint16_t)len);
    f->n += 2 + len;
    f->blocks[f->blocks_n++] = sizes;
}

static void say_entry(struct text *t, const char *title, struct frame *f, uint64_t first)
{
    const struct sb_entry entry = {
        .token = TOKEN, .first_seq = first, .session = SESSION, .count = (uint16_t)f->blocks_n};
    uint8_t *body = sb_head_put(f->bytes, SB_FT_ENTRY, SHARD, 0, 0, SB_NODE_CLIENT, 0,
                                (uint16_t)(f->n - sizeof(struct sb_head)));
    memcpy(body, &entry, sizeof entry);
    struct sb_head h;
    SB_ASSERT(sb_head_read(f->bytes, f->n, &h));
    say(t, "%s (%u bytes)\n", title, f->n);
    const uint8_t *p = say_fields(t, f->bytes, head_sizes);
    p = say_fields(t, p, entry_sizes);
    for (uint32_t i = 0; i < f->blocks_n; i++)
        p = say_fields(t, p, f->blocks[i]);
    SB_ASSERT_EQ(p - f->bytes, (int64_t)f->n);
    say(t, "\n");
}

static void say_mold(struct text *t, const char *title, struct frame *f, uint64_t seq)
{
    char name[SB_MOLD_NAME_BYTES];
    struct sb_mold_head h;
    sb_stream_name(name, SHARD, DAY, 0, SESSION);
    sb_mold_put_head(f->bytes, name, seq, (uint16_t)f->blocks_n);
    SB_ASSERT(sb_mold_read(f->bytes, f->n, &h));
    say(t, "%s (%u bytes)\n", title, f->n);
    const uint8_t *p = say_fields(t, f->bytes, mold_sizes);
    for (uint32_t i = 0; i < f->blocks_n; i++)
        p = say_fields(t, p, f->blocks[i]);
    SB_ASSERT_EQ(p - f->bytes, (int64_t)f->n);
    say(t, "\n");
}

static void client_examples(struct text *t)
{
    struct frame f = {.n = sizeof(struct sb_head) + sizeof(struct sb_entry)};
    block_done(&f, sb_entry_write_login(block(&f), 1, 0x0A000107, 41000), login_sizes);
    say_entry(t, "ENTRY, not numbered: login, nonce 1, return address 10.0.1.7:41000", &f, 0);

    f = (struct frame){.n = sizeof(struct sb_head) + sizeof(struct sb_entry)};
    const struct sb_ouch_enter enter = {.ref = 1,
                                        .quantity = 300,
                                        .price = 1234500,
                                        .side = 'B',
                                        .tif = '0',
                                        .display = 'Y',
                                        .capacity = 'P',
                                        .iso = 'N',
                                        .cross = 'N',
                                        .symbol = "MSFT    ",
                                        .clordid = "A1            "};
    const struct sb_ouch_cancel cancel = {.ref = 1, .quantity = 100};
    block_done(&f, sb_ouch_write_enter(block(&f), &enter), enter_sizes);
    block_done(&f, sb_ouch_write_cancel(block(&f), &cancel), cancel_sizes);
    say_entry(t, "ENTRY, messages 1 and 2: buy 300 MSFT at 123.4500; reduce it to 100", &f, 1);

    f = (struct frame){.n = sizeof(struct sb_head) + sizeof(struct sb_entry)};
    block_done(&f, sb_entry_write_phase(block(&f), 9, "        ", 'A'), phase_sizes);
    say_entry(t, "ENTRY, message 3: every instrument into auction, key 9", &f, 3);

    f = (struct frame){.n = sizeof(struct sb_head) + sizeof(struct sb_entry)};
    struct sb_entry_new order = {.key = 2,
                                 .quantity = 300,
                                 .price = 1250000,
                                 .side = 'S',
                                 .type = 'L',
                                 .tif = '1',
                                 .peg = 'N',
                                 .capacity = 'P',
                                 .symbol = "MSFT    ",
                                 .clordid = "A2            "};
    block_done(&f, sb_entry_write_new(block(&f), &order), new_sizes);
    order.key = 3;
    order.type = 'S';
    order.price = 0;
    order.stop_price = 1210000;
    order.oco_key = 2;
    order.clordid[1] = '3';
    block_done(&f, sb_entry_write_new(block(&f), &order), new_sizes);
    say_entry(
        t, "ENTRY, messages 4 and 5: sell 300 MSFT at 125.0000 until canceled; or stop at 121.0000",
        &f, 4);
}

static void engine_examples(struct text *t)
{
    struct frame f = {.n = SB_MOLD_HEAD_BYTES};
    const struct sb_output login = {.time_ns = NOW, .stream = SESSION, .kind = SB_OUT_LOGIN};
    const struct sb_output accepted = {.time_ns = NOW,
                                       .stream = SESSION,
                                       .kind = SB_OUT_ACCEPTED,
                                       .key = 1,
                                       .side = SB_BUY,
                                       .quantity = 300,
                                       .price = 1234500,
                                       .ref = 77,
                                       .instrument = 3,
                                       .reason = 'P'};
    struct sb_command2 cmd = {
        .c = {.kind = SB_CMD_ORDER, .flags = SB_CMD_F_EXT, .display = 'Y', .capacity = 'P'},
        .ext.order = {.clordid = "A1            ", .iso = 'N', .cross = 'N'}};
    block_done(&f, sb_session_encode(block(&f), &login, NULL, "MSFT    ", MIDNIGHT),
               logged_in_sizes);
    block_done(&f, sb_session_encode(block(&f), &accepted, &cmd.c, "MSFT    ", MIDNIGHT),
               accepted_sizes);
    say_mold(t, "session stream, messages 2 and 3 at 09:30: logged in; accepted", &f, 2);

    f = (struct frame){.n = SB_MOLD_HEAD_BYTES};
    const struct sb_output done = {.time_ns = NOW,
                                   .stream = SESSION,
                                   .kind = SB_OUT_OPERATOR,
                                   .key = 9,
                                   .instrument = SB_INSTRUMENT_ALL,
                                   .side = SB_PHASE_AUCTION << SB_OUT_PHASE_SHIFT};
    cmd.c = (struct sb_command){.kind = SB_CMD_PHASE};
    block_done(&f, sb_session_encode(block(&f), &done, &cmd.c, NULL, MIDNIGHT), operator_sizes);
    say_mold(t, "session stream, message 4: operator's answer, done", &f, 4);

    f = (struct frame){.n = SB_MOLD_HEAD_BYTES};
    say_mold(t, "session stream, heartbeat: the next message is 5", &f, 5);

    uint8_t p[sizeof(struct sb_head) + sizeof(struct sb_status)];
    const struct sb_status status = {.wanted = 4, .safe = 3, .session = SESSION};
    memcpy(sb_head_put(p, SB_FT_STATUS, SHARD, 1 << 2, NOW, SB_NODE_A, SB_FF_GAP, sizeof status),
           &status, sizeof status);
    static const uint8_t status_sizes[] = {8, 8, 4, 4, 0};
    say(t, "STATUS of node A, epoch 4: a gap, resend from 4; safe up to 3 (%zu bytes)\n", sizeof p);
    say_fields(t, say_fields(t, p, head_sizes), status_sizes);
    say(t, "\n");
}

static void request_example(struct text *t)
{
    uint8_t p[SB_MOLD_HEAD_BYTES];
    char name[SB_MOLD_NAME_BYTES];
    sb_stream_name(name, SHARD, DAY, 0, SESSION);
    sb_mold_put_head(p, name, 2, 3);
    say(t, "re-request: messages 2, 3 and 4 of the session stream (20 bytes)\n");
    say_fields(t, p, mold_sizes);
}

static int compare(const struct text *t, const char *path)
{
    static const char fence[] = "\n```examples\n";
    static char document[65536];
    FILE *f = fopen(path, "r");
    if (f == NULL) {
        fprintf(stderr, "cannot open %s\n", path);
        return EXIT_FAILURE;
    }
    const size_t n = fread(document, 1, sizeof document - 1, f);
    fclose(f);
    document[n] = '\0';
    const char *start = strstr(document, fence);
    if (start == NULL || strncmp(start + strlen(fence), t->chars, t->n) != 0 ||
        strncmp(start + strlen(fence) + t->n, "```\n", 4) != 0) {
        fprintf(stderr, "the examples block of %s is not what this program makes:\n%s", path,
                t->chars);
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    static struct text t;
    client_examples(&t);
    engine_examples(&t);
    request_example(&t);
    if (argc > 1)
        return compare(&t, argv[1]);
    fputs(t.chars, stdout);
    return EXIT_SUCCESS;
}
