/* The workloads of `bench match`, small: every report is the one that the slow reference matcher leads to, the same seed makes
 * the same messages, and passes with a second thread give the same hash. `test_bench_match captures`: the same over the
 * captures; 77 where they are absent. */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/ids.h"
#include "perf/bench_ids.h"
#include "perf/bench_plain.h"
#include "perf/bench_workload.h"
#include "perf/id_map.h"
#include "tests/reference/reference.h"

enum { MESSAGES = 6000, SESSIONS = 3, CAPTURES = 4 };

static char folder[400]; /* of the captures */

static void make(struct sb_workload *w, uint32_t index, uint64_t seed)
{
    char why[SB_LINES_ERROR_BYTES];
    const struct sb_workload_options options = {
        .seed = seed, .messages = MESSAGES, .sessions = SESSIONS, .captures = folder};
    const enum sb_workload_made made = sb_workload_make(w, index, &options, why);
    ck_assert_msg(made == SB_WORKLOAD_READY, "%s: %s", sb_workload_name(index), why);
}

/* --- what the reference says ------------------------------------------------------------------------------------- */

/* An order by its client's name and by the engine's. Nothing is ever removed: what is gone is for the matcher to know. */
struct names {
    struct sb_id_map order_by_id, order_by_key;
    uint64_t ids[MESSAGES + 1];
    uint32_t keys[MESSAGES + 1];
    uint32_t n;
    uint32_t last_key[SESSIONS + 1];
};

static uint64_t key_name(uint32_t session, uint32_t key)
{
    return (uint64_t)session << 32 | key;
}

static struct sb_command as_command(struct names *names, const struct sb_bench_message *m,
                                    uint64_t seq)
{
    struct sb_command c = {.seq = seq,
                           .time_ns = seq,
                           .session = m->session,
                           .instrument = m->instrument,
                           .kind = m->kind,
                           .side = m->side,
                           .tif = m->tif,
                           .quantity = m->quantity,
                           .price = m->price};
    const uint32_t order = sb_id_map_find(&names->order_by_id, m->id);
    if (m->kind == SB_CMD_ORDER) {
        ck_assert_uint_eq(order, 0);
        ck_assert(sb_id_map_add(&names->order_by_id, m->id, ++names->n));
        names->ids[names->n] = m->id;
        c.key = names->keys[names->n] = names->last_key[m->session] += m->key_step;
        ck_assert(sb_id_map_add(&names->order_by_key, key_name(m->session, c.key), names->n));
    } else if (m->kind == SB_CMD_REPLACE) {
        c.orig_key = names->keys[order];
        c.key = names->last_key[m->session] + m->key_step;
    } else {
        c.key = names->keys[order];
    }
    return c;
}

/* The report that an output of a session's stream stands for; false: none. */
static bool as_report(struct names *names, const struct sb_bench_message *m,
                      const struct sb_output *o, struct sb_report *r)
{
    *r = (struct sb_report){.id = m->id,
                            .price = (uint32_t)o->price,
                            .quantity = o->quantity,
                            .instrument = o->instrument,
                            .side = o->side & 7u};
    if (o->kind == SB_OUT_EXECUTED && o->liquidity == SB_LIQ_ADDED) {
        r->kind = SB_REPORT_TRADE;
        r->id = names->ids[sb_id_map_find(&names->order_by_key, key_name(o->stream, o->key))];
        r->taker = m->id;
        return true;
    }
    r->reason = o->kind == SB_OUT_CANCELED || o->kind == SB_OUT_REJECTED ? o->reason : 0;
    r->kind = o->kind == SB_OUT_ACCEPTED   ? SB_REPORT_ORDER_ACK
              : o->kind == SB_OUT_REPLACED ? SB_REPORT_MODIFY_ACK
              : o->kind == SB_OUT_CANCELED ? SB_REPORT_CANCEL_ACK
              : o->kind != SB_OUT_REJECTED ? 0
              : m->kind == SB_CMD_ORDER    ? SB_REPORT_ORDER_REJECT
                                           : SB_REPORT_MODIFY_REJECT;
    if (o->kind == SB_OUT_REPLACED || (o->kind == SB_OUT_REJECTED && m->kind == SB_CMD_REPLACE))
        names->last_key[m->session] = o->key;
    if (o->kind == SB_OUT_REPLACED) {
        const uint32_t order = sb_id_map_find(&names->order_by_id, m->id);
        names->keys[order] = o->key;
        ck_assert(sb_id_map_add(&names->order_by_key, key_name(m->session, o->key), order));
    }
    return r->kind != 0;
}

static struct sb_reference *reference_open(const struct sb_engine_limits *limits, uint64_t *seq)
{
    struct sb_reference *ref = sb_reference_new(limits);
    struct sb_reference_outputs outputs = {0};
    struct sb_command2 c = {.c = {.kind = SB_CMD_DAY, .flags = SB_CMD_F_EXT},
                            .ext.day.rules = SB_ENGINE_RULES};
    for (uint32_t i = 0; i <= SESSIONS + limits->instruments_max; i++) {
        if (i >= 1 && i <= SESSIONS)
            c = (struct sb_command2){
                .c = {.kind = SB_CMD_SESSION, .flags = SB_CMD_F_EXT, .key = i}};
        if (i > SESSIONS) {
            c = (struct sb_command2){
                .c = {.kind = SB_CMD_INSTRUMENT, .flags = SB_CMD_F_EXT, .instrument = i - SESSIONS},
                .ext.instrument = {.tick = 100,
                                   .price_min = 100,
                                   .price_max = SB_PRICE_MAX,
                                   .lot = 1,
                                   .quantity_max = SB_QUANTITY_MAX / 2,
                                   .phase = SB_PHASE_CONTINUOUS}};
            char symbol[16];
            snprintf(symbol, sizeof symbol, "I%07u", i);
            memcpy(c.ext.instrument.symbol, symbol, 8);
        }
        c.c.seq = c.c.time_ns = ++*seq;
        sb_reference_apply(ref, &c.c, &outputs);
    }
    free(outputs.out);
    return ref;
}

/* How many chains of the adapter's table hold an order. */
static uint64_t chains_used(const struct sb_bench_adapter *a)
{
    uint64_t used = 0;
    for (uint64_t i = 0; i < a->heads_n; i++)
        used += a->heads[i] != 0;
    return used;
}

/* The workload's reports one by one. `seen` counts kinds over all workloads. */
static void compare(const struct sb_workload *w, enum sb_bench_way way,
                    uint64_t seen[SB_REPORT_KINDS])
{
    static struct sb_report_ring ring;
    static struct names names;
    struct sb_bench_adapter a;
    struct sb_reference_outputs outputs = {0};
    uint64_t seq = 0, hash = 1;
    memset(&ring, 0, sizeof ring);
    memset(&names, 0, sizeof names);
    struct sb_reference *ref = reference_open(&w->sizes.limits, &seq);
    ck_assert(sb_bench_adapter_open(&a, &w->sizes, way));
    for (uint64_t i = 0; i < w->n; i++) {
        const struct sb_bench_message *m = &w->messages[i];
        const struct sb_command c = as_command(&names, m, ++seq);
        outputs.n = 0;
        sb_reference_apply(ref, &c, &outputs);
        sb_bench_adapter_apply(&a, m, &ring);
        struct sb_report r;
        uint64_t n = 0;
        for (size_t k = 0; k < outputs.n; k++) {
            if (outputs.out[k].stream == SB_STREAM_FEED ||
                !as_report(&names, m, &outputs.out[k], &r))
                continue;
            ck_assert_uint_lt(n, sb_report_ring_ready(&ring));
            ck_assert_msg(memcmp(sb_report_ring_at(&ring, n), &r, sizeof r) == 0,
                          "%s: message %" PRIu64 ", report %" PRIu64, w->name, i, n);
            n++;
        }
        if (n == 0) { /* ignored */
            r = (struct sb_report){.id = m->id,
                                   .reason = SB_REASON_UNKNOWN,
                                   .kind = m->kind == SB_CMD_REPLACE ? SB_REPORT_MODIFY_REJECT
                                                                     : SB_REPORT_CANCEL_REJECT};
            ck_assert_mem_eq(sb_report_ring_at(&ring, n++), &r, sizeof r);
        }
        ck_assert_uint_eq(sb_report_ring_ready(&ring), n);
        ck_assert_uint_eq(m->reports, n);
        for (uint64_t k = 0; k < n; k++) {
            hash = sb_report_fold(hash, sb_report_ring_at(&ring, k));
            seen[sb_report_ring_at(&ring, k)->kind]++;
        }
        sb_report_ring_taken(&ring, n);
    }
    ck_assert_uint_eq(hash, w->seen.hash);
    ck_assert_uint_le(chains_used(&a), w->seen.orders_end); /* who is gone has left it */
    ck_assert_uint_eq(sb_reference_stats(ref)->open_orders, w->seen.orders_end);
    sb_bench_adapter_close(&a);
    sb_reference_free(ref);
    free(outputs.out);
    sb_id_map_free(&names.order_by_id);
    sb_id_map_free(&names.order_by_key);
}

START_TEST(reports_as_the_reference)
{
    uint64_t seen[SB_REPORT_KINDS] = {0};
    for (uint32_t i = CAPTURES; sb_workload_name(i) != NULL; i++) {
        struct sb_workload w;
        make(&w, i, 5);
        compare(&w, SB_BENCH_DIRECT, seen);
        compare(&w, SB_BENCH_COMMANDS, seen);
        ck_assert_int_eq(sb_bench_plain_serves(w.messages, w.n, &w.sizes),
                         strcmp(w.name, "instruments") != 0);
        if (w.sizes.limits.instruments_max == 1)
            compare(&w, SB_BENCH_PLAIN, seen);
        sb_workload_free(&w);
    }
    /* A kind that never came was not compared. */
    for (uint32_t kind = 1; kind < SB_REPORT_KINDS; kind++)
        ck_assert_msg((seen[kind] != 0) == (kind != SB_REPORT_ORDER_REJECT), "kind %u", kind);
}
END_TEST

START_TEST(hash_of_every_bit)
{
    struct sb_report r = {.id = 1, .taker = 2, .price = 3, .quantity = 4, .instrument = 5};
    const uint64_t hash = sb_report_fold(77, &r);
    for (size_t i = 0; i < 8 * sizeof r; i++) {
        ((uint8_t *)&r)[i / 8] ^= (uint8_t)(1u << i % 8);
        ck_assert_uint_ne(sb_report_fold(77, &r), hash);
        ((uint8_t *)&r)[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    ck_assert_uint_ne(sb_report_fold(78, &r), hash);
}
END_TEST

/* --- the workloads themselves ------------------------------------------------------------------------------------- */

START_TEST(same_seed_same_messages)
{
    for (uint32_t i = CAPTURES; sb_workload_name(i) != NULL; i++) {
        struct sb_workload a, b, c;
        make(&a, i, 5);
        make(&b, i, 5);
        make(&c, i, 6);
        ck_assert_uint_eq(a.n, b.n);
        ck_assert_mem_eq(a.messages, b.messages, a.n * sizeof *a.messages);
        ck_assert_uint_eq(a.seen.hash, b.seen.hash);
        ck_assert_uint_ne(a.seen.hash, c.seen.hash);
        sb_workload_free(&a);
        sb_workload_free(&b);
        sb_workload_free(&c);
    }
}
END_TEST

static uint32_t index_of(const char *name)
{
    uint32_t i = 0;
    while (strcmp(sb_workload_name(i), name) != 0)
        i++;
    return i;
}

START_TEST(shapes)
{
    struct sb_workload w;
    make(&w, index_of("normal"), 5);
    const struct sb_workload_seen *s = &w.seen;
    const uint64_t orders = s->by_command[SB_CMD_ORDER];
    ck_assert_uint_gt(s->iocs * 100, orders * 13);
    ck_assert_uint_lt(s->iocs * 100, orders * 17);
    ck_assert_uint_gt(s->by_command[SB_CMD_REPLACE] * 100, w.n * 8);
    ck_assert_uint_gt(s->by_kind[SB_REPORT_TRADE], 0);
    sb_workload_free(&w);
    make(&w, index_of("levels"), 5);
    ck_assert_uint_eq(w.seen.levels_most, MESSAGES / 2);
    ck_assert_uint_eq(w.seen.orders_end, 0);
    sb_workload_free(&w);
    make(&w, index_of("queue"), 5);
    ck_assert_uint_eq(w.seen.levels_most, 1);
    ck_assert_uint_eq(w.seen.orders_most, MESSAGES / 2);
    sb_workload_free(&w);
    make(&w, index_of("sweeps"), 5);
    ck_assert_uint_eq(w.messages[w.n - 1].reports, MESSAGES / 2 + 1);
    sb_workload_free(&w);
}
END_TEST

/* They are in one bucket of the engine's table, or the workload attacks nothing. */
START_TEST(keys_collide)
{
    struct sb_workload w;
    make(&w, index_of("keys"), 5);
    const uint32_t max = w.sizes.limits.orders_max;
    void *near = calloc(1, sb_ids_near_bytes(max)), *cells = calloc(1, sb_ids_cells_bytes(max));
    ck_assert(near != NULL && cells != NULL);
    struct sb_ids t;
    sb_ids_init(&t, max, near, NULL, NULL, cells);
    uint64_t first = 0;
    uint32_t key = 0, n = 0;
    for (uint64_t i = 0; i < w.n && w.messages[i].kind == SB_CMD_ORDER; i++, n++) {
        key += w.messages[i].key_step;
        const uint64_t at = sb_ids_hash(&t, sb_order_id(1, key)) & t.near_mask;
        first = n == 0 ? at : first;
        ck_assert_uint_eq(at, first);
    }
    ck_assert_uint_eq(n, MESSAGES / 2);
    free(near);
    free(cells);
    sb_workload_free(&w);
}
END_TEST

START_TEST(passes_agree)
{
    struct sb_report_ring *ring = aligned_alloc(128, sizeof *ring);
    struct sb_histogram *each = malloc(sizeof *each);
    struct sb_workload w;
    ck_assert(ring != NULL && each != NULL);
    make(&w, index_of("crash"), 5);
    const struct sb_bench_run run = {
        .messages = w.messages, .n = w.n, .sizes = w.sizes, .ring = ring};
    struct sb_bench_run run_plain = run;
    run_plain.way = SB_BENCH_PLAIN;
    struct sb_bench_script script;
    ck_assert(sb_bench_script_make(&script, w.messages, w.n, &w.sizes));
    struct sb_bench_run run_ids = run;
    run_ids.way = SB_BENCH_IDS;
    run_ids.script = &script;
    struct sb_bench_pass engine, again, plain, ids, null[2];
    uint64_t clock_ns = 0;
    ck_assert(sb_bench_pass_engine(&run, &engine));
    ck_assert(sb_bench_pass_null(&run, &null[0]));
    ck_assert(sb_bench_pass_timed(&run, &again, each, &clock_ns));
    ck_assert(sb_bench_pass_null(&run, &null[1]));
    ck_assert(sb_bench_pass_engine(&run_plain, &plain));
    ck_assert(sb_bench_pass_engine(&run_ids, &ids));
    ck_assert_uint_eq(ids.hash, null[0].hash);
    ck_assert_uint_eq(ids.reports, w.seen.reports);
    ck_assert_uint_eq(plain.hash, w.seen.hash);
    ck_assert_uint_eq(plain.reports, w.seen.reports);
    ck_assert_uint_eq(engine.hash, w.seen.hash);
    ck_assert_uint_eq(again.hash, w.seen.hash);
    ck_assert_uint_eq(engine.reports, w.seen.reports);
    ck_assert_uint_eq(null[0].reports, w.seen.reports);
    ck_assert_uint_eq(null[0].hash, null[1].hash);
    ck_assert_uint_eq(each->total, w.n);
    ck_assert_uint_gt(engine.ns, 0);
    sb_bench_script_free(&script);
    sb_workload_free(&w);
    free(ring);
    free(each);
}
END_TEST

/* After each message the table holds as many ids as orders rest in the engine, and who should be there is (asserted in it). */
START_TEST(ids_of_those_who_rest)
{
    struct sb_report_ring *ring = aligned_alloc(128, sizeof *ring);
    ck_assert_ptr_nonnull(ring);
    for (uint32_t i = CAPTURES; sb_workload_name(i) != NULL; i++) {
        struct sb_workload w;
        struct sb_bench_script script;
        struct sb_bench_adapter a;
        make(&w, i, 5);
        ck_assert(sb_bench_script_make(&script, w.messages, w.n, &w.sizes));
        ck_assert(sb_bench_adapter_open(&a, &w.sizes, SB_BENCH_DIRECT));
        struct sb_bench_ids *ids = sb_bench_ids_open(&script, w.sizes.open_most);
        ck_assert_ptr_nonnull(ids);
        memset(ring, 0, sizeof *ring);
        for (uint64_t at = 0; at < w.n; at++) {
            sb_bench_adapter_apply(&a, &w.messages[at], ring);
            sb_report_ring_taken(ring, sb_report_ring_ready(ring));
            sb_bench_ids_apply(ids, &w.messages[at], ring);
            ck_assert_uint_eq(sb_report_ring_ready(ring), w.messages[at].reports);
            sb_report_ring_taken(ring, sb_report_ring_ready(ring));
            ck_assert_uint_eq(ids->used, sb_engine_stats(a.engine.engine)->open_orders);
        }
        ck_assert_uint_eq(ids->used, w.seen.orders_end);
        sb_bench_ids_close(ids);
        sb_bench_adapter_close(&a);
        sb_bench_script_free(&script);
        sb_workload_free(&w);
    }
    free(ring);
}
END_TEST

START_TEST(captures_as_the_reference)
{
    uint64_t seen[SB_REPORT_KINDS] = {0};
    for (uint32_t i = 0; i < CAPTURES; i++) {
        struct sb_workload w;
        make(&w, i, 5);
        compare(&w, SB_BENCH_DIRECT, seen);
        compare(&w, SB_BENCH_COMMANDS, seen);
        ck_assert(
            sb_bench_plain_serves(w.messages, w.n, &w.sizes)); /* so few are of one instrument */
        compare(&w, SB_BENCH_PLAIN, seen);
        sb_workload_free(&w);
    }
}
END_TEST

static TCase *chosen(bool with_captures)
{
    TCase *c = tcase_create("bench_match");
    tcase_set_timeout(c, 100);
    if (with_captures) {
        tcase_add_test(c, captures_as_the_reference);
        return c;
    }
    tcase_add_test(c, reports_as_the_reference);
    tcase_add_test(c, hash_of_every_bit);
    tcase_add_test(c, same_seed_same_messages);
    tcase_add_test(c, shapes);
    tcase_add_test(c, keys_collide);
    tcase_add_test(c, passes_agree);
    tcase_add_test(c, ids_of_those_who_rest);
    return c;
}

int main(int argc, char **argv)
{
    const bool with_captures = argc > 1 && strcmp(argv[1], "captures") == 0;
    if (with_captures) {
        char readme[512];
        const char *shared = getenv("SHADOWBOOK_SHARED");
        if (shared == NULL || shared[0] == '\0')
            shared = SB_SHARED_DEFAULT;
        snprintf(folder, sizeof folder, "%s/captures", shared);
        snprintf(readme, sizeof readme, "%s/README.md", folder);
        if (access(readme, R_OK) != 0) {
            printf("SKIP: no captures at %s\n", folder);
            return 77;
        }
    }
    Suite *suite = suite_create("bench_match");
    suite_add_tcase(suite, chosen(with_captures));
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
