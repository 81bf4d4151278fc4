#include "perf/pcap_plan.h"

#include <inttypes.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "nic/wire/bytes.h"
#include "nic/wire/entry.h"
#include "nic/wire/mold.h"
#include "nic/wire/ouch.h"
#include "nic/wire/udp.h"
#include "perf/entry_frame.h"

#define DAY_NS UINT64_C(86400000000000)
/* Seconds are 32 bits in the file, and readers take them as signed. */
#define TIME_END_NS (UINT64_C(1000000000) << 31)

/* UTC nanoseconds of a day's midnight; 1970-01-01 for day 0 (none configured). */
static uint64_t midnight_ns(uint32_t trading_day)
{
    if (trading_day == 0)
        return 0;
    struct tm tm = {.tm_year = (int)(trading_day / 10000) - 1900,
                    .tm_mon = (int)(trading_day / 100 % 100) - 1,
                    .tm_mday = (int)(trading_day % 100)};
    return (uint64_t)timegm(&tm) * UINT64_C(1000000000);
}

/* --- writing ----------------------------------------------------------------------------- */

static void dump(pcap_dumper_t *dumper, uint64_t at_ns, const uint8_t *frame, uint32_t len)
{
    /* With nanosecond precision tv_usec holds nanoseconds. */
    const struct pcap_pkthdr header = {.ts = {.tv_sec = (time_t)(at_ns / 1000000000),
                                              .tv_usec = (suseconds_t)(at_ns % 1000000000)},
                                       .caplen = len,
                                       .len = len};
    pcap_dump((u_char *)dumper, &header, frame);
}

static void dump_plan(pcap_dumper_t *dumper, const struct sb_entry_frames *frames)
{
    const struct sb_plan *plan = frames->plan;
    const struct sb_config *config = frames->config;
    const uint64_t midnight = midnight_ns(config->trading_day);
    uint8_t frame[SB_ENTRY_FRAME_BYTES];
    for (uint32_t s = 1; s <= plan->sessions_n; s++) {
        const uint32_t bytes = sb_entry_frame_login(frames, frame, s, 1);
        dump(dumper, midnight + plan->rows[0].time_ns, frame,
             sb_entry_frame_finish(frames, frame, s, config->orders, bytes));
    }
    for (uint32_t i = 0; i < plan->n; i++) {
        const struct sb_plan_row *row = &plan->rows[i];
        const uint32_t bytes = sb_entry_frame_rows(frames, frame, row->session, row->seq, 1);
        dump(dumper, midnight + row->time_ns, frame,
             sb_entry_frame_finish(frames, frame, row->session, config->orders, bytes));
    }
}

bool sb_pcap_plan_write(const char *path, const struct sb_plan *plan,
                        const struct sb_config *config, FILE *err)
{
    if (plan->n == 0 || plan->rows[0].time_ns >= DAY_NS) {
        fprintf(err, "%s: a flow without rows, or whose time is not counted from midnight\n", path);
        return false;
    }
    const uint64_t midnight = midnight_ns(config->trading_day);
    for (uint32_t i = 0; i < plan->n; i++)
        if (midnight >= TIME_END_NS || plan->rows[i].time_ns >= TIME_END_NS - midnight) {
            fprintf(err, "%s: row %" PRIu32 ": a time that the file has no room for\n", path,
                    i + 1);
            return false;
        }
    struct sb_entry_frames frames = {
        .config = config, .plan = plan, .mac = {2, 0, 0, 0, 0, 1}, .tag_orders = true};
    char(*symbols)[8] = sb_entry_frame_symbols(config);
    pcap_t *pcap =
        pcap_open_dead_with_tstamp_precision(DLT_EN10MB, 65535, PCAP_TSTAMP_PRECISION_NANO);
    pcap_dumper_t *dumper = symbols && pcap ? pcap_dump_open(pcap, path) : NULL;
    bool ok = dumper != NULL;
    if (ok) {
        frames.symbols = (const char(*)[8])symbols;
        dump_plan(dumper, &frames);
        ok = pcap_dump_flush(dumper) == 0 && ferror(pcap_dump_file(dumper)) == 0;
        pcap_dump_close(dumper);
    }
    if (!ok)
        fprintf(err, "%s: cannot be written: %s\n", path, pcap ? pcap_geterr(pcap) : "no memory");
    if (pcap)
        pcap_close(pcap);
    free(symbols);
    return ok;
}

/* --- reading ----------------------------------------------------------------------------- */

struct order { /* an order of the capture, by session and key */
    uint64_t id;
    uint32_t session, key, intended;
    char side;
    bool used;
};

struct reader {
    const char *path;
    FILE *err;
    const struct sb_config *config;
    struct sb_plan *plan;
    char (*symbols)[8];
    uint64_t frame;   /* number of the one at hand, from 1 */
    uint64_t entries; /* ENTRY frames */
    uint64_t midnight_ns, time_ns;
    uint32_t next_seq[SB_SESSIONS_CONFIG_MAX + 1];
    struct order *orders; /* open addressing, at most half full */
    uint32_t orders_n, orders_mask;
    bool order_0; /* an order of the id that cancels of no order get */
};

static bool bad(struct reader *r, const char *what)
{
    fprintf(r->err, "%s: frame %" PRIu64 ": %s\n", r->path, r->frame, what);
    return false;
}

static struct order *find(const struct reader *r, uint32_t session, uint32_t key)
{
    const uint64_t h = ((uint64_t)session << 32 | key) * UINT64_C(0x9E3779B97F4A7C15);
    for (uint32_t i = (uint32_t)(h >> 32) & r->orders_mask;; i = (i + 1) & r->orders_mask) {
        struct order *o = &r->orders[i];
        if (!o->used || (o->session == session && o->key == key))
            return o;
    }
}

static bool room(struct reader *r)
{
    if (r->orders && r->orders_n * 2 <= r->orders_mask)
        return true;
    const uint32_t n = r->orders ? (r->orders_mask + 1) : 0;
    struct order *old = r->orders;
    r->orders_mask = n > 0 ? n * 2 - 1 : 4095;
    r->orders = calloc(r->orders_mask + (size_t)1, sizeof *r->orders);
    for (uint32_t i = 0; r->orders && i < n; i++)
        if (old[i].used)
            *find(r, old[i].session, old[i].key) = old[i];
    free(old);
    return r->orders != NULL || bad(r, "no memory for its orders");
}

static bool instrument_of(struct reader *r, const char symbol[8], uint32_t *instrument)
{
    for (uint32_t i = 1; i <= r->config->instruments_n; i++)
        if (r->config->instruments[i].present && memcmp(r->symbols[i], symbol, 8) == 0) {
            *instrument = i;
            return true;
        }
    return bad(r, "a symbol that the configuration does not define");
}

static bool add(struct reader *r, struct sb_plan_event *event)
{
    event->time_ns = r->time_ns;
    const char *wrong = sb_plan_add(r->plan, event);
    return wrong == NULL || bad(r, wrong);
}

static bool read_order(struct reader *r, uint32_t session, const struct sb_ouch_enter *m)
{
    struct sb_plan_event event = {.op = SB_PLAN_NEW,
                                  .side = m->side,
                                  .tif = m->tif,
                                  .price = (int64_t)m->price,
                                  .quantity = m->quantity};
    if ((m->side != 'B' && m->side != 'S') || (m->tif != '0' && m->tif != '3') ||
        m->price > (uint64_t)SB_PRICE_MAX)
        return bad(r, "an order that a flow cannot hold (short sale, time in force, price)");
    if (!instrument_of(r, m->symbol, &event.instrument) || !room(r))
        return false;
    struct order *order = find(r, session, m->ref);
    if (order->used)
        return bad(r, "a client key that was used before");
    if (!sb_plan_get_clordid(m->clordid, &event.order_id))
        event.order_id = (uint64_t)session << 32 | m->ref;
    r->order_0 |= event.order_id == 0;
    *order = (struct order){.id = event.order_id,
                            .session = session,
                            .key = m->ref,
                            .intended = m->quantity,
                            .side = m->side,
                            .used = true};
    r->orders_n++;
    return add(r, &event);
}

static bool read_cancel(struct reader *r, uint32_t session, const struct sb_ouch_cancel *m)
{
    if (m->ref == 0 && r->order_0)
        return bad(r, "a cancel of no order, which a flow cannot hold behind an order of id 0");
    if (m->ref == 0) /* of an order that never was (plan.h); its id in the flow did not travel */
        return add(r, &(struct sb_plan_event){.op = SB_PLAN_CANCEL, .order_id = 0, .quantity = 1});
    struct order *order = room(r) ? find(r, session, m->ref) : NULL;
    if (!order || !order->used)
        return bad(r, "a cancel of an order that is not in the capture before it");
    const uint32_t intended = m->quantity < order->intended ? m->quantity : order->intended;
    if (intended == order->intended && intended > 0)
        return bad(r, "a cancel that takes nothing off, which a flow cannot hold");
    /* One of an order that is all cancelled already is superfluous whatever its quantity: 1. */
    struct sb_plan_event event = {.op = SB_PLAN_CANCEL,
                                  .order_id = order->id,
                                  .side = order->side,
                                  .quantity =
                                      intended == order->intended ? 1 : order->intended - intended};
    order->intended = intended;
    return add(r, &event);
}

/* 'P', 22 bytes: entry.h. */
static bool read_phase(struct reader *r, const uint8_t *p)
{
    struct sb_plan_event event = {.op = SB_PLAN_PHASE, .phase = (char)p[13]};
    if (strchr("CAUTH", p[13]) == NULL || p[13] == 0)
        return bad(r, "an unknown phase");
    if (memcmp(p + 5, "        ", 8) != 0 &&
        !instrument_of(r, (const char *)p + 5, &event.instrument))
        return false;
    return add(r, &event);
}

static bool read_message(struct reader *r, uint32_t session, const uint8_t *p, uint32_t len)
{
    struct sb_ouch_enter enter;
    struct sb_ouch_cancel cancel;
    if (sb_ouch_read_enter(p, len, &enter))
        return read_order(r, session, &enter);
    if (sb_ouch_read_cancel(p, len, &cancel))
        return read_cancel(r, session, &cancel);
    if (len == 22 && p[0] == 'P')
        return read_phase(r, p);
    return bad(r, "a message that a flow cannot hold (only orders, cancels and phases)");
}

static bool read_entry(struct reader *r, const struct sb_datagram *d)
{
    struct sb_head head;
    struct sb_entry entry;
    if (!sb_head_read(d->payload, d->bytes, &head) || head.type != SB_FT_ENTRY)
        return bad(r, "sent to the orders group, but not an order entry frame");
    memcpy(&entry, d->payload + sizeof head, sizeof entry);
    if (head.shard != r->config->shard)
        return bad(r, "of another shard than the configuration's");
    if (entry.session == 0 || entry.session > SB_SESSIONS_CONFIG_MAX ||
        !r->config->sessions[entry.session].present)
        return bad(r, "of a session that the configuration does not define");
    uint32_t at = (uint32_t)(sizeof head + sizeof entry), len;
    const uint8_t *message;
    uint32_t *next = &r->next_seq[entry.session];
    uint64_t seq = entry.first_seq;
    uint32_t n = 0;
    r->entries++;
    for (; (message = sb_mold_next(d->payload, d->bytes, &at, &len)) != NULL; n++, seq++) {
        if (entry.first_seq == 0)
            continue; /* a login: the replay makes its own */
        if (seq > (uint64_t)*next + 1)
            return bad(r, "messages before this one are not in the capture");
        if (seq == (uint64_t)*next + 1) {
            if (!read_message(r, entry.session, message, len))
                return false;
            ++*next;
        }
    }
    return (n == entry.count && at == d->bytes) || bad(r, "its sizes do not agree");
}

static bool read_frame(struct reader *r, const struct pcap_pkthdr *header, const uint8_t *frame)
{
    struct sb_datagram d;
    r->frame++;
    if (header->caplen < header->len)
        return bad(r, "was captured only in part (snap length)");
    switch (sb_udp_parse(frame, header->caplen, &d)) {
    case SB_UDP_OK:
        break;
    case SB_UDP_SHORT:
        return bad(r, "is truncated, or its lengths do not agree");
    case SB_UDP_CHECKSUM:
        return bad(r, "has a wrong checksum");
    default:
        return true;
    }
    if (d.dst_ipv4 != r->config->orders.ipv4 || d.dst_port != r->config->orders.port)
        return true;
    if (header->ts.tv_sec < 0 || header->ts.tv_usec < 0 || header->ts.tv_usec >= 1000000000)
        return bad(r, "an impossible time");
    const uint64_t at = (uint64_t)header->ts.tv_sec * 1000000000 + (uint64_t)header->ts.tv_usec;
    if (r->entries == 0)
        r->midnight_ns = at / DAY_NS * DAY_NS;
    if (at < r->midnight_ns)
        return bad(r, "is from the day before the first one");
    r->time_ns = at - r->midnight_ns;
    return read_entry(r, &d);
}

static bool read_all(struct reader *r, pcap_t *pcap)
{
    struct pcap_pkthdr *header;
    const u_char *frame;
    int got;
    if (pcap_datalink(pcap) != DLT_EN10MB) {
        fprintf(r->err, "%s: not a capture of Ethernet frames\n", r->path);
        return false;
    }
    while ((got = pcap_next_ex(pcap, &header, &frame)) == 1)
        if (!read_frame(r, header, frame))
            return false;
    if (got != PCAP_ERROR_BREAK) {
        r->frame++;
        return bad(r, pcap_geterr(pcap));
    }
    if (r->plan->n > 0)
        return true;
    fprintf(r->err,
            "%s: no order entry message to the configured orders group in its %" PRIu64 " frames\n",
            r->path, r->frame);
    return false;
}

bool sb_pcap_plan_read(const char *path, struct sb_plan *plan, const struct sb_config *config,
                       FILE *err)
{
    char text[PCAP_ERRBUF_SIZE] = "";
    pcap_t *pcap = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, text);
    if (!pcap) {
        fprintf(err, "%s: cannot be read as a packet capture: %s\n", path, text);
        return false;
    }
    struct reader *r = calloc(1, sizeof *r);
    bool ok = r != NULL;
    if (ok) {
        r->path = path;
        r->err = err;
        r->config = config;
        r->plan = plan;
        r->symbols = sb_entry_frame_symbols(config);
        ok = r->symbols != NULL && room(r) && read_all(r, pcap);
        free(r->symbols);
        free(r->orders);
    }
    free(r);
    pcap_close(pcap);
    return ok;
}
