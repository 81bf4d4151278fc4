#include "replica/carry.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "replica/snapshot.h"

/* --- of an engine ---------------------------------------------------------------------------------- */

struct collected {
    struct sb_carry_order order;
    uint64_t rank, at; /* sb_engine_visit_carried(); how many came before it */
};

struct collecting {
    const struct sb_engine *e;
    struct collected *all; /* NULL: they are counted only */
    uint64_t n;
};

static void collect(void *arg, const struct sb_command2 *carry, uint64_t rank)
{
    struct collecting *k = arg;
    if (k->all != NULL) {
        struct collected *to = &k->all[k->n];
        *to = (struct collected){.order.command = *carry, .rank = rank, .at = k->n};
        const struct sb_instrument_view *v = sb_engine_instrument(k->e, carry->c.instrument);
        memcpy(to->order.symbol, v->symbol, sizeof to->order.symbol);
        to->order.command.c.instrument = SB_INSTRUMENT_NONE;
    }
    k->n++;
}

static int by_rank(const void *left, const void *right)
{
    const struct collected *a = left, *b = right;
    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    return a->at < b->at ? -1 : a->at > b->at;
}

static uint64_t name_of(const struct sb_command *c, uint32_t key)
{
    return (uint64_t)c->session << 32 | key;
}

struct name {
    uint64_t name, at;
};

static int by_name(const void *left, const void *right)
{
    const struct name *a = left, *b = right;
    return a->name < b->name ? -1 : a->name > b->name;
}

/* Of two partners the one that comes first must not name the other: that is not there yet. Each has one of these numbers. */
static void part_first(struct sb_carry *c, struct name *names)
{
    const uint64_t n = c->head.orders_n;
    for (uint64_t i = 0; i < n; i++)
        names[i] = (struct name){name_of(&c->orders[i].command.c, c->orders[i].command.c.key), i};
    qsort(names, n, sizeof *names, by_name);
    for (uint64_t i = 0; i < n; i++) {
        struct sb_command2 *own = &c->orders[i].command;
        if (own->ext.order.oco_key == 0)
            continue;
        const struct name wanted = {name_of(&own->c, own->ext.order.oco_key), 0};
        const struct name *partner = bsearch(&wanted, names, n, sizeof *names, by_name);
        if (partner == NULL || partner->at > i)
            own->ext.order.oco_key = 0;
    }
}

bool sb_carry_collect(struct sb_carry *c, const struct sb_engine *closed, uint64_t n,
                      uint64_t state_digest)
{
    const struct sb_day_view *day = sb_engine_day(closed);
    struct collecting k = {.e = closed};
    sb_engine_visit_carried(closed, collect, &k);
    *c = (struct sb_carry){.head = {.magic = SB_CARRY_MAGIC,
                                    .version = SB_CARRY_VERSION,
                                    .trading_day = day->trading_day,
                                    .shard = day->shard,
                                    .generation = day->generation,
                                    .rules = SB_ENGINE_RULES,
                                    .n = n,
                                    .state_digest = state_digest,
                                    .orders_n = k.n}};
    k.all = calloc(k.n + 1, sizeof *k.all);
    c->orders = calloc(k.n + 1, sizeof *c->orders);
    struct name *names = calloc(k.n + 1, sizeof *names);
    const bool good = k.all != NULL && c->orders != NULL && names != NULL;
    if (good) {
        k.n = 0;
        sb_engine_visit_carried(closed, collect, &k);
        qsort(k.all, k.n, sizeof *k.all, by_rank);
        for (uint64_t i = 0; i < k.n; i++)
            c->orders[i] = k.all[i].order;
        part_first(c, names);
    } else {
        sb_carry_free(c);
    }
    free(k.all);
    free(names);
    return good;
}

void sb_carry_free(struct sb_carry *c)
{
    free(c->orders);
    *c = (struct sb_carry){0};
}

/* --- as a file -------------------------------------------------------------------------------------- */

static size_t bytes_of(uint64_t orders_n)
{
    return (size_t)orders_n * sizeof(struct sb_carry_order);
}

static uint64_t hash_of(struct sb_carry_head head, const struct sb_carry_order *orders)
{
    head.hash = 0;
    return XXH3_64bits_withSeed(orders, bytes_of(head.orders_n), XXH3_64bits(&head, sizeof head));
}

bool sb_carry_write(const struct sb_carry *c, const char *path, FILE *err)
{
    struct sb_carry_head head = c->head;
    head.hash = hash_of(head, c->orders);
    const size_t bytes = sizeof head + bytes_of(head.orders_n);
    uint8_t *out = malloc(bytes);
    if (out == NULL) {
        fprintf(err, "%s: cannot write: out of memory\n", path);
        return false;
    }
    memcpy(out, &head, sizeof head);
    memcpy(out + sizeof head, c->orders, bytes - sizeof head);
    const bool good = sb_snapshot_put(path, out, bytes, err);
    free(out);
    return good;
}

/* Is it a command as such a file has it? */
static bool order_good(const struct sb_carry_order *o)
{
    const struct sb_command *c = &o->command.c;
    return c->kind == SB_CMD_CARRY && sb_command_valid(c, 2) && c->seq == 0 && c->time_ns == 0 &&
           c->instrument == SB_INSTRUMENT_NONE;
}

static const char *head_fault(const struct sb_carry_head *head, size_t bytes)
{
    if (bytes < sizeof *head)
        return "cut short";
    if (head->magic != SB_CARRY_MAGIC)
        return "not a file of orders of an earlier day";
    if (head->version != SB_CARRY_VERSION)
        return "of another version of this format";
    if (head->orders_n > SIZE_MAX / sizeof(struct sb_carry_order) ||
        bytes - sizeof *head != bytes_of(head->orders_n))
        return "not of the length that its head says";
    return NULL;
}

static const char *take(struct sb_carry *c, const uint8_t *in, size_t bytes)
{
    if (bytes >= sizeof c->head)
        memcpy(&c->head, in, sizeof c->head);
    const char *wrong = head_fault(&c->head, bytes);
    if (wrong != NULL)
        return wrong;
    c->orders = malloc(bytes_of(c->head.orders_n) + 1);
    if (c->orders == NULL)
        return "out of memory";
    memcpy(c->orders, in + sizeof c->head, bytes_of(c->head.orders_n));
    if (hash_of(c->head, c->orders) != c->head.hash)
        return "checksum";
    if (c->head.zero != 0 || c->head.orders_n > UINT32_MAX)
        return "an impossible head";
    for (uint64_t i = 0; i < c->head.orders_n; i++)
        if (!order_good(&c->orders[i]))
            return "an order that none can be";
    return NULL;
}

/* The whole file; NULL: said on err why not. */
static uint8_t *read_whole(const char *path, size_t *bytes, FILE *err)
{
    FILE *in = fopen(path, "re");
    uint8_t *all = NULL;
    long length = -1;
    if (in != NULL && fseek(in, 0, SEEK_END) == 0 && (length = ftell(in)) >= 0 &&
        fseek(in, 0, SEEK_SET) == 0) {
        all = malloc((size_t)length + 1);
        *bytes = all != NULL ? fread(all, 1, (size_t)length, in) : 0;
    }
    if (all == NULL || *bytes != (size_t)length || ferror(in) != 0) {
        fprintf(err, "%s: cannot read: %s\n", path, errno != 0 ? strerror(errno) : "cut short");
        free(all);
        all = NULL;
    }
    if (in != NULL)
        fclose(in);
    return all;
}

bool sb_carry_read(struct sb_carry *c, const char *path, FILE *err)
{
    *c = (struct sb_carry){0};
    size_t bytes = 0;
    errno = 0;
    uint8_t *all = read_whole(path, &bytes, err);
    if (all == NULL)
        return false;
    const char *wrong = take(c, all, bytes);
    free(all);
    if (wrong == NULL)
        return true;
    fprintf(err, "%s: %s\n", path, wrong);
    sb_carry_free(c);
    return false;
}

/* --- into a day ------------------------------------------------------------------------------------- */

static uint32_t instrument_of(const struct sb_config *config, const char symbol[8])
{
    for (uint32_t i = 1; i <= config->instruments_n; i++)
        if (config->instruments[i].present && memcmp(config->instruments[i].symbol, symbol, 8) == 0)
            return i;
    return SB_INSTRUMENT_NONE;
}

bool sb_carry_into(const struct sb_carry *c, struct sb_config *config, FILE *err)
{
    if (c->head.shard != config->shard) {
        fprintf(err, "orders of shard %u, this is shard %u\n", c->head.shard, config->shard);
        return false;
    }
    const uint32_t n = (uint32_t)c->head.orders_n;
    struct sb_command2 *commands = calloc((size_t)n + 1, sizeof *commands);
    if (commands == NULL) {
        fprintf(err, "out of memory for %u orders of an earlier day\n", n);
        return false;
    }
    const char *last_symbol = NULL;
    uint32_t last = SB_INSTRUMENT_NONE;
    for (uint32_t i = 0; i < n; i++) {
        const struct sb_carry_order *o = &c->orders[i];
        if (last_symbol == NULL || memcmp(last_symbol, o->symbol, 8) != 0)
            last = instrument_of(config, o->symbol);
        last_symbol = o->symbol;
        commands[i] = o->command;
        commands[i].c.instrument = last;
    }
    free(config->carry);
    config->carry = commands;
    config->carry_n = n;
    config->carry_day = c->head.trading_day;
    return true;
}

bool sb_carry_load(struct sb_config *config, FILE *err)
{
    struct sb_carry c;
    if (config->carry_path[0] == '\0')
        return true;
    if (!sb_carry_read(&c, config->carry_path, err))
        return false;
    const bool good = sb_carry_into(&c, config, err);
    sb_carry_free(&c);
    return good;
}
