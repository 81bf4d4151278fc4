/* pcap.c: any bytes as a packet capture, and any frames and messages inside a good one, back to a flow. A refusal names the
 * file; what is read is, written by us and read again, the same rows.
 *
 * input: pick (PICK_*), then the file, or frames or messages: a length byte and that many bytes each. */
#include <string.h>

#include "nic/wire/bytes.h"
#include "nic/wire/entry.h"
#include "nic/wire/ouch.h"
#include "nic/wire/udp.h"
#include "perf/pcap_plan.h"
#include "shadowbook/assert.h"
#include "tests/client/venue.h"
#include "tests/fuzz/file.h"
#include "tests/fuzz/fuzz.h"

enum { PICK_FRAMES = 1, PICK_MESSAGES = 2, PICK_SESSIONS = 4 };
enum { FILE_HEAD = 24, RECORD_HEAD = 16, FILE_MAX = 1 << 18, SESSIONS = 3 };
#define DAY_NS UINT64_C(86400000000000)

static const struct sb_config *config(void)
{
    static struct sb_config c; /* the targets are called without a context */
    if (c.instruments == NULL) {
        venue_config(&c, SESSIONS, 2);
        c.trading_day = 0; /* any time since 1970 is one of the file format's */
    }
    return &c;
}

/* --- a capture ------------------------------------------------------------------------------- */

static uint32_t put_head(uint8_t *p) /* nanoseconds, Ethernet */
{
    const uint32_t head[6] = {0xA1B23C4D, 4u << 16 | 2u, 0, 0, 65535, 1};
    memcpy(p, head, sizeof head);
    return sizeof head;
}

static uint32_t put_record(uint8_t *p, uint32_t second, const uint8_t *frame, uint32_t len)
{
    const uint32_t head[4] = {second, second, len, len};
    memcpy(p, head, sizeof head);
    memcpy(p + sizeof head, frame, len);
    return (uint32_t)sizeof head + len;
}

/* One message in an entry frame as a client sends it. */
static uint32_t put_message(uint8_t *frame, uint32_t session, uint64_t seq, const uint8_t *message,
                            uint32_t len)
{
    const struct sb_config *c = config();
    const struct sb_entry e = {.first_seq = seq, .session = session, .count = 1};
    uint8_t *body = sb_head_put(frame + SB_UDP_HEADERS_BYTES, SB_FT_ENTRY, c->shard, 0, 0,
                                SB_NODE_CLIENT, 0, (uint16_t)(sizeof e + 2 + len));
    memcpy(body, &e, sizeof e);
    sb_put16(body + sizeof e, (uint16_t)len);
    memcpy(body + sizeof e + 2, message, len);
    const struct sb_udp_route r = {.src_ipv4 = c->client.ipv4,
                                   .dst_ipv4 = c->orders.ipv4,
                                   .src_port = 20001,
                                   .dst_port = c->orders.port};
    return sb_udp_finish(frame, &r, (uint32_t)(sizeof(struct sb_head) + sizeof e) + 2 + len);
}

static uint32_t wrap(uint8_t *p, const uint8_t *data, size_t size, uint8_t pick)
{
    uint8_t frame[1536];
    uint32_t n = put_head(p), second = 1;
    uint64_t seq[SESSIONS + 1] = {0};
    for (size_t at = 0; at < size; second++) {
        const uint32_t session = (pick & PICK_SESSIONS) != 0 ? 1 + (data[at] >> 6) % SESSIONS : 1;
        const uint32_t most = (uint32_t)(size - at - 1);
        const uint32_t len = data[at] < most ? data[at] : most;
        if ((pick & PICK_MESSAGES) == 0)
            n += put_record(p + n, second, data + at + 1, len);
        else
            n += put_record(p + n, second, frame,
                            put_message(frame, session, ++seq[session], data + at + 1, len));
        at += 1u + len;
    }
    return n;
}

/* --- the judge -------------------------------------------------------------------------------- */

static bool read_plan(struct sb_plan *plan, const char *path)
{
    SB_ASSERT(sb_plan_init(plan, SESSIONS));
    FILE *err = fuzz_listen();
    const bool good = sb_pcap_plan_read(path, plan, config(), err);
    const char *said = fuzz_heard(err);
    if (good)
        SB_ASSERT(said[0] == '\0' && plan->n > 0 && sb_plan_finish(plan));
    else
        fuzz_refusal_judge(said, path, 1);
    return good;
}

static void rows_same(const struct sb_plan *a, const struct sb_plan *b)
{
    SB_ASSERT_EQ(a->n, b->n);
    for (uint32_t i = 0; i < a->n; i++) {
        const struct sb_plan_row *x = &a->rows[i], *y = &b->rows[i];
        SB_ASSERT_EQ(x->time_ns, y->time_ns);
        SB_ASSERT_EQ(x->order_id, y->order_id);
        SB_ASSERT_EQ(x->price, y->price);
        SB_ASSERT_EQ(x->quantity, y->quantity);
        SB_ASSERT_EQ(x->instrument, y->instrument);
        SB_ASSERT(x->op == y->op && x->side == y->side && x->tif == y->tif && x->phase == y->phase);
        SB_ASSERT(x->session == y->session && x->seq == y->seq && x->key == y->key);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t file[FILE_MAX];
    struct sb_plan plan, again;
    if (size < 1 || size > FUZZ_INPUT_MAX)
        return 0;
    const char *path = fuzz_path("in.pcap"), *back = fuzz_path("out.pcap");
    if ((data[0] & (PICK_FRAMES | PICK_MESSAGES)) == 0)
        fuzz_file_put(path, data + 1, size - 1);
    else
        fuzz_file_put(path, file, wrap(file, data + 1, size - 1, data[0]));
    if (read_plan(&plan, path) && plan.rows[0].time_ns < DAY_NS) {
        SB_ASSERT(sb_pcap_plan_write(back, &plan, config(), stderr));
        SB_ASSERT(read_plan(&again, back));
        rows_same(&plan, &again);
        sb_plan_free(&again);
    }
    sb_plan_free(&plan);
    return 0;
}

/* --- seeds ------------------------------------------------------------------------------------ */

static uint32_t message(uint32_t i, uint8_t *p)
{
    struct sb_ouch_enter o = {.ref = i + 1,
                              .quantity = 10,
                              .price = 10000,
                              .side = i == 0 ? 'B' : 'S',
                              .tif = i == 0 ? '0' : '3',
                              .display = 'Y',
                              .capacity = 'P',
                              .iso = 'N',
                              .cross = 'N'};
    memcpy(o.symbol, "SYMB    ", 8);
    memset(o.clordid, ' ', sizeof o.clordid);
    if (i == 0)
        sb_plan_put_clordid(o.clordid, 77);
    switch (i) {
    case 0:
    case 1:
        return sb_ouch_write_enter(p, &o);
    case 2:
        return sb_ouch_write_cancel(p, &(struct sb_ouch_cancel){.ref = 1, .quantity = 4});
    case 3:
        return sb_ouch_write_cancel(p, &(struct sb_ouch_cancel){.ref = 0});
    default:
        return sb_entry_write_phase(p, 5, "        ", 'T');
    }
}

uint32_t fuzz_seed(uint32_t i, uint8_t *out)
{
    enum { MESSAGES = 5 };
    uint8_t frame[1536], m[SB_OUCH_MESSAGE_MAX];
    uint32_t n = 1;
    if (i >= 4)
        return 0;
    out[0] = (uint8_t)(i == 0   ? 0
                       : i == 1 ? PICK_FRAMES
                       : i == 2 ? PICK_MESSAGES
                                : PICK_MESSAGES | PICK_SESSIONS);
    n += i == 0 ? put_head(out + n) : 0;
    for (uint32_t k = 0; k < MESSAGES; k++) {
        const uint32_t len = message(k, m), bytes = put_message(frame, 1, k + 1, m, len);
        if (i == 0) {
            n += put_record(out + n, k + 1, frame, bytes);
            continue;
        }
        out[n++] = (uint8_t)(i == 1 ? bytes : len);
        memcpy(out + n, i == 1 ? frame : m, i == 1 ? bytes : len);
        n += i == 1 ? bytes : len;
    }
    return n;
}
