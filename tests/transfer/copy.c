#include "tests/transfer/copy.h"

#include <check.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PATIENCE_MS = 20000, AHEAD_MAX = 4000 };

void pause_ms(uint32_t ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000},
              NULL);
}

uint64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

struct sb_transfer_server *copy_serve(const char *folder)
{
    const struct sb_transfer_server_setup setup = {.ipv4 = COPY_LOOPBACK, .shard = COPY_SHARD};
    struct sb_transfer_server *s = sb_transfer_server_open(&setup, stderr);
    ck_assert_ptr_nonnull(s);
    ck_assert_uint_ne(sb_transfer_server_port(s), 0);
    ck_assert(folder == NULL || sb_transfer_server_serve(s, folder));
    return s;
}

void copy_init(struct copy *c, uint16_t port)
{
    *c = (struct copy){.setup = {.ipv4 = COPY_LOOPBACK,
                                 .port = port,
                                 .shard = COPY_SHARD,
                                 .from_n = 1,
                                 .snapshot_ahead_min = UINT64_MAX,
                                 .snapshot_bytes_max = 64u << 20,
                                 .ring_bytes = 1u << 20,
                                 .retry_ms = COPY_RETRY_MS}};
}

void copy_open(struct copy *c)
{
    c->n = c->setup.from_n - 1;
    c->client = sb_transfer_client_open(&c->setup, stderr);
    ck_assert_ptr_nonnull(c->client);
}

void copy_close(struct copy *c)
{
    sb_transfer_client_close(c->client);
    c->client = NULL;
}

static void take_snapshot(struct copy *c, const struct sb_transfer_item *item)
{
    const uint8_t *bytes = item->snapshot;
    ck_assert_uint_ge(item->n, c->n + 1);
    ck_assert_uint_ne(item->snapshot_bytes, 0);
    for (uint64_t i = 0; i < item->snapshot_bytes; i++)
        if (bytes[i] != c->snapshot_fill)
            ck_abort_msg("byte %" PRIu64 " of the snapshot", i);
    c->n = c->snapshot_n = item->n;
    c->snapshots++;
    sb_transfer_client_snapshot_done(c->client);
}

/* One assertion for all lines: each costs a message to Check's parent. */
static void take_packet(struct copy *c, const struct sb_transfer_item *item)
{
    const struct sb_journal_packet *p = item->packet;
    bool good = p->n_first == c->n + 1 && p->count == p->lines && item->epoch == 4 &&
                item->n == c->n + p->count && p->digest == 0xD1D1 + item->n;
    for (uint32_t i = 0; good && i < p->count; i++) {
        const struct sb_command expected = rig_command(p->n_first + i);
        good = memcmp(&item->lines[i], &expected, sizeof expected) == 0;
    }
    if (!good)
        ck_abort_msg("packet %" PRIu64 " behind input %" PRIu64, p->n_first, c->n);
    c->n = item->n;
    c->packets++;
}

bool copy_take(struct copy *c)
{
    struct sb_transfer_item item;
    if (!sb_transfer_client_next(c->client, &item))
        return false;
    if (item.kind == SB_TRANSFER_SNAPSHOT)
        take_snapshot(c, &item);
    else
        take_packet(c, &item);
    sb_transfer_client_release(c->client);
    return true;
}

struct sb_transfer_client_counts copy_counts(const struct copy *c)
{
    struct sb_transfer_client_counts counts;
    sb_transfer_client_counts(c->client, &counts);
    return counts;
}

void copy_connections(struct copy *c, uint64_t n)
{
    char why[SB_TRANSFER_WHY_BYTES];
    const uint64_t connections = copy_counts(c).connections;
    ck_assert_msg(connections == n, "%" PRIu64 " connections, not %" PRIu64 ": \"%s\"", connections,
                  n, sb_transfer_client_why(c->client, why));
}

static void patience(struct copy *c, uint64_t since, const char *what)
{
    if (now_ms() - since < PATIENCE_MS)
        return;
    char why[SB_TRANSFER_WHY_BYTES];
    ck_abort_msg("not %s: at input %" PRIu64 ", %s, \"%s\"", what, c->n,
                 sb_transfer_state_name(copy_counts(c).state),
                 sb_transfer_client_why(c->client, why));
}

void copy_until(struct copy *c, uint64_t n)
{
    for (const uint64_t since = now_ms(); c->n < n; patience(c, since, "there"))
        if (!copy_take(c))
            pause_ms(1);
    ck_assert_uint_eq(c->n, n);
}

void copy_until_state(struct copy *c, enum sb_transfer_state state)
{
    for (const uint64_t since = now_ms(); copy_counts(c).state != state;
         patience(c, since, sb_transfer_state_name(state)))
        if (!copy_take(c))
            pause_ms(1);
}

void copy_until_why(struct copy *c, const char *text)
{
    char why[SB_TRANSFER_WHY_BYTES];
    for (const uint64_t since = now_ms();
         strstr(sb_transfer_client_why(c->client, why), text) == NULL; patience(c, since, text))
        if (!copy_take(c))
            pause_ms(1);
    while (copy_take(c)) /* what came before it */
        ;
}

void copy_until_full(struct copy *c)
{
    for (const uint64_t since = now_ms(); copy_counts(c).ring_full == 0; patience(c, since, "full"))
        pause_ms(1);
}

void server_until_why(struct sb_transfer_server *s, const char *text)
{
    char why[SB_TRANSFER_WHY_BYTES] = "";
    for (const uint64_t since = now_ms(); now_ms() - since < PATIENCE_MS; pause_ms(1))
        if (strstr(sb_transfer_server_why(s, why), text) != NULL)
            return;
    ck_abort_msg("the server says \"%s\", not \"%s\"", why, text);
}

void write_until(struct rig *r, uint64_t n)
{
    for (uint64_t i = 0; r->log.len < n; i++) {
        rig_add(r, (uint16_t)(1 + (i * 7 + i / 13) % SB_STREAM_LINES_MAX));
        ck_assert(!rig_turn(r, 0));
        while (r->writer.queued_n - sb_journal_writer_durable(&r->writer) > AHEAD_MAX) {
            pause_ms(1);
            ck_assert(!rig_turn(r, 0));
        }
    }
    rig_until_durable(r, r->log.len);
}

void write_snapshot(const char *folder, uint64_t n, size_t bytes, uint8_t fill)
{
    char path[SB_JOURNAL_FILE_BYTES];
    snprintf(path, sizeof path, "%s/%020" PRIu64 ".snapshot", folder, n);
    uint8_t *memory = malloc(bytes);
    ck_assert_ptr_nonnull(memory);
    memset(memory, fill, bytes);
    FILE *f = fopen(path, "wb");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(memory, 1, bytes, f), bytes);
    fclose(f);
    free(memory);
}
