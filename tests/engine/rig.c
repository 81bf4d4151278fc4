#include "rig.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/verify.h"

const struct sb_engine_limits rig_limits = {.instruments_max = 4,
                                            .sessions_max = RIG_SESSIONS,
                                            .orders_max = 64,
                                            .levels_max = 64,
                                            .terms_max = 64,
                                            .window_levels = 64};

void rig_blank(struct rig *r, const struct sb_engine_limits *limits)
{
    memset(r, 0, sizeof *r);
    ck_assert_ptr_null(sb_engine_limits_error(limits));
    const size_t bytes = (sb_engine_footprint(limits) + 63) & ~(size_t)63;
    r->memory = aligned_alloc(64, bytes);
    memset(r->memory, 0, bytes);
    r->e = sb_engine_new(r->memory, bytes, limits);
    /* Room for several commands without a reset: tests read at their leisure. */
    r->box.cap = sb_engine_outputs_max(limits, 1, true) + 100000;
    r->box.out = malloc(r->box.cap * sizeof *r->box.out);
    r->time_ns = 1000;
}

void rig_open(struct rig *r, const struct sb_engine_limits *limits, uint8_t phase)
{
    rig_blank(r, limits);
    rig_send(r, (struct sb_command2){.c = {.kind = SB_CMD_DAY, .flags = SB_CMD_F_EXT},
                                     .ext.day.rules = SB_ENGINE_RULES});
    for (uint32_t s = 1; s <= RIG_SESSIONS; s++)
        rig_send(r, (struct sb_command2){
                        .c = {.kind = SB_CMD_SESSION, .flags = SB_CMD_F_EXT, .key = s, .firm = s},
                        .ext.session.operator_right = s == RIG_OPERATOR});
    rig_send(r, (struct sb_command2){
                    .c = {.kind = SB_CMD_INSTRUMENT, .flags = SB_CMD_F_EXT, .instrument = 1},
                    .ext.instrument = {.symbol = {'A', 'A', 'A', ' ', ' ', ' ', ' ', ' '},
                                       .tick = 10,
                                       .price_min = 10,
                                       .price_max = 1000000,
                                       .lot = 10,
                                       .quantity_max = 100000,
                                       .phase = phase}});
    rig_send(r, (struct sb_command2){
                    .c = {.kind = SB_CMD_INSTRUMENT, .flags = SB_CMD_F_EXT, .instrument = 2},
                    .ext.instrument = {.symbol = {'B', 'B', 'B', ' ', ' ', ' ', ' ', ' '},
                                       .tick = 1,
                                       .price_min = 1,
                                       .price_max = SB_PRICE_MAX,
                                       .lot = 1,
                                       .quantity_max = SB_QUANTITY_MAX,
                                       .phase = phase}});
    rig_forget(r);
}

void rig_close(struct rig *r)
{
    rig_forget(r);
    free(r->memory);
    free(r->box.out);
}

/* What output.h says a kind has: key, orig_key (o), instrument, side, the IOC bit (c), the phase bits (h), quantity, price, ref, match,
 * reason (n), liquidity. */
static const char *fields_of(uint8_t kind)
{
    static const char *const fields[] = {
        [SB_OUT_LOGIN] = "qr",           [SB_OUT_ACCEPTED] = "kiscqprn",
        [SB_OUT_REPLACED] = "koiscqprn", [SB_OUT_CANCELED] = "kisqrn",
        [SB_OUT_EXECUTED] = "kisqprml",  [SB_OUT_REJECTED] = "kn",
        [SB_OUT_OPERATOR] = "kihnq",     [SB_OUT_SYSTEM] = "l",
        [SB_OUT_AMENDED] = "kisqprn",    [SB_OUT_TRIGGERED] = "kisqpr",
        [SB_OUT_MASS] = "kiqn",          [SB_OUT_QUOTED] = "kiqn",
        [SB_OUT_F_SYSTEM] = "l",         [SB_OUT_F_DIRECTORY] = "iq",
        [SB_OUT_F_PHASE] = "ih",         [SB_OUT_F_ADD] = "isqpr",
        [SB_OUT_F_EXECUTED] = "isqprm",  [SB_OUT_F_EXECUTED_AT] = "isqprm",
        [SB_OUT_F_REDUCED] = "isqr",     [SB_OUT_F_DELETED] = "isr",
        [SB_OUT_F_REPLACED] = "isqprm",  [SB_OUT_F_CROSS] = "iprm",
        [SB_OUT_F_TRADE] = "isqpm",      [SB_OUT_F_INDICATIVE] = "isqpr"};
    ck_assert(kind < sizeof fields / sizeof *fields && fields[kind] != NULL);
    return fields[kind];
}

/* Clears every field that the kind may have; what is left must be zero. */
static void check_no_others(struct sb_output o)
{
    const struct sb_output zero = {
        .kind = o.kind, .time_ns = o.time_ns, .stream = o.stream, .stream_seq = o.stream_seq};
    for (const char *f = fields_of(o.kind); *f != '\0'; f++) {
        o.key = *f == 'k' ? 0 : o.key;
        o.orig_key = *f == 'o' ? 0 : o.orig_key;
        o.instrument = *f == 'i' ? 0 : o.instrument;
        o.side &= (uint8_t) ~(*f == 's'   ? SB_OUT_SIDE_MASK
                              : *f == 'c' ? SB_OUT_IOC
                              : *f == 'h' ? 3u << SB_OUT_PHASE_SHIFT
                                          : 0u);
        o.quantity = *f == 'q' ? 0 : o.quantity;
        o.price = *f == 'p' ? 0 : o.price;
        o.ref = *f == 'r' ? 0 : o.ref;
        o.match = *f == 'm' ? 0 : o.match;
        o.reason = *f == 'n' ? 0 : o.reason;
        o.liquidity = *f == 'l' ? 0 : o.liquidity;
    }
    ck_assert_mem_eq(&o, &zero, sizeof o);
}

void rig_send(struct rig *r, struct sb_command2 cmd)
{
    cmd.c.seq = ++r->seq;
    cmd.c.time_ns = r->time_ns += 7;
    const uint32_t before = r->box.n;
    sb_engine_prefetch(r->e, &cmd.c, sb_command_lines(&cmd.c));
    sb_engine_apply(r->e, &cmd.c, &r->box);
    for (uint32_t i = before; i < r->box.n; i++) {
        const struct sb_output *o = &r->box.out[i];
        ck_assert_uint_eq(o->time_ns, r->time_ns);
        ck_assert_uint_le(o->stream, RIG_SESSIONS);
        ck_assert_uint_eq(o->stream_seq, ++r->stream_seq[o->stream]);
        check_no_others(*o);
    }
    ck_assert_uint_eq(sb_engine_applied(r->e), r->seq);
    ck_assert_uint_eq(sb_engine_verify(r->e), sb_engine_stats(r->e)->open_orders);
    ck_assert_uint_eq(sb_engine_last_time_ns(r->e), r->time_ns);
}

static void order(struct rig *r, uint32_t session, uint32_t key, uint8_t side, uint32_t quantity,
                  int64_t price, uint8_t tif)
{
    rig_send(r, (struct sb_command2){.c = {.kind = SB_CMD_ORDER,
                                           .session = session,
                                           .key = key,
                                           .instrument = 1,
                                           .side = side,
                                           .quantity = quantity,
                                           .price = price,
                                           .tif = tif,
                                           .capacity = 'P'}});
}

void rig_order(struct rig *r, uint32_t session, uint32_t key, uint8_t side, uint32_t quantity,
               int64_t price)
{
    order(r, session, key, side, quantity, price, SB_TIF_DAY);
}

void rig_ioc(struct rig *r, uint32_t session, uint32_t key, uint8_t side, uint32_t quantity,
             int64_t price)
{
    order(r, session, key, side, quantity, price, SB_TIF_IOC);
}

void rig_cancel(struct rig *r, uint32_t session, uint32_t key, uint32_t quantity)
{
    rig_send(
        r, (struct sb_command2){
               .c = {.kind = SB_CMD_CANCEL, .session = session, .key = key, .quantity = quantity}});
}

void rig_reduce(struct rig *r, uint32_t session, uint32_t key, uint32_t quantity)
{
    rig_send(
        r, (struct sb_command2){
               .c = {.kind = SB_CMD_REDUCE, .session = session, .key = key, .quantity = quantity}});
}

void rig_replace(struct rig *r, uint32_t session, uint32_t orig_key, uint32_t key,
                 uint32_t quantity, int64_t price)
{
    rig_send(r, (struct sb_command2){.c = {.kind = SB_CMD_REPLACE,
                                           .session = session,
                                           .orig_key = orig_key,
                                           .key = key,
                                           .quantity = quantity,
                                           .price = price}});
}

void rig_phase(struct rig *r, uint32_t session, uint32_t instrument, uint8_t phase)
{
    rig_send(r, (struct sb_command2){.c = {.kind = SB_CMD_PHASE,
                                           .session = session,
                                           .instrument = instrument,
                                           .phase = phase}});
}

void rig_uncross(struct rig *r, uint32_t session, uint32_t instrument)
{
    rig_send(r, (struct sb_command2){
                    .c = {.kind = SB_CMD_UNCROSS, .session = session, .instrument = instrument}});
}

static const char *side_name(uint8_t side)
{
    static const char *const names[8] = {"B", "S", "?", "T", "?", "E", "?", "?"};
    return names[side & SB_OUT_SIDE_MASK];
}

static int line(char *to, size_t room, const struct sb_output *o)
{
    const char *side = side_name(o->side);
    const uint32_t phase = o->side >> SB_OUT_PHASE_SHIFT;
    char who[8];
    snprintf(who, sizeof who, "%c",
             o->stream == SB_STREAM_FEED ? 'F' : (char)('0' + o->stream % 10));
#define PRINT(...) snprintf(to, room, __VA_ARGS__)
    switch (o->kind) {
    case SB_OUT_LOGIN:
        return PRINT("%s LOGIN key %u seq %" PRIu64 "\n", who, o->quantity, o->ref);
    case SB_OUT_ACCEPTED:
        return PRINT("%s ACC k%u %s%s %u@%" PRId64 " r%" PRIu64 "\n", who, o->key, side,
                     (o->side & SB_OUT_IOC) != 0 ? " IOC" : "", o->quantity, o->price, o->ref);
    case SB_OUT_REPLACED:
        return PRINT("%s REP k%u<k%u %s%s %u@%" PRId64 " r%" PRIu64 "\n", who, o->key, o->orig_key,
                     side, (o->side & SB_OUT_IOC) != 0 ? " IOC" : "", o->quantity, o->price,
                     o->ref);
    case SB_OUT_CANCELED:
        return PRINT("%s CXL k%u %s %u r%" PRIu64 " reason %u\n", who, o->key, side, o->quantity,
                     o->ref, o->reason);
    case SB_OUT_EXECUTED:
        return PRINT("%s EXE k%u %s %u@%" PRId64 " r%" PRIu64 " m%" PRIu64 " %c\n", who, o->key,
                     side, o->quantity, o->price, o->ref, o->match, o->liquidity);
    case SB_OUT_REJECTED:
        return PRINT("%s REJ k%u reason %u\n", who, o->key, o->reason);
    case SB_OUT_OPERATOR:
        return PRINT("%s OP i%d phase %u reason %u q%u\n", who, (int)o->instrument, phase,
                     o->reason, o->quantity);
    case SB_OUT_AMENDED:
        return PRINT("%s AMD k%u %s %u@%" PRId64 " r%" PRIu64 "\n", who, o->key, side, o->quantity,
                     o->price, o->ref);
    case SB_OUT_TRIGGERED:
        return PRINT("%s TRG k%u %s %u@%" PRId64 " r%" PRIu64 "\n", who, o->key, side, o->quantity,
                     o->price, o->ref);
    case SB_OUT_MASS:
    case SB_OUT_QUOTED:
        return PRINT("%s %s k%u i%d q%u reason %u\n", who,
                     o->kind == SB_OUT_MASS ? "MASS" : "QUOTED", o->key, (int)o->instrument,
                     o->quantity, o->reason);
    case SB_OUT_F_TRADE:
        return PRINT("%s TRADE i%u %s %u@%" PRId64 " m%" PRIu64 "\n", who, o->instrument, side,
                     o->quantity, o->price, o->match);
    case SB_OUT_F_INDICATIVE:
        return PRINT("%s IND i%u %u@%" PRId64 " %s %" PRIu64 "\n", who, o->instrument, o->quantity,
                     o->price, side, o->ref);
    case SB_OUT_SYSTEM:
    case SB_OUT_F_SYSTEM:
        return PRINT("%s SYS %c\n", who, o->liquidity);
    case SB_OUT_F_DIRECTORY:
        return PRINT("%s DIR i%u lot %u\n", who, o->instrument, o->quantity);
    case SB_OUT_F_PHASE:
        return PRINT("%s PHASE i%u %u\n", who, o->instrument, phase);
    case SB_OUT_F_ADD:
        return PRINT("%s ADD r%" PRIu64 " %s %u@%" PRId64 "\n", who, o->ref, side, o->quantity,
                     o->price);
    case SB_OUT_F_EXECUTED:
    case SB_OUT_F_EXECUTED_AT:
        return PRINT("%s %s r%" PRIu64 " %s %u@%" PRId64 " m%" PRIu64 "\n", who,
                     o->kind == SB_OUT_F_EXECUTED ? "EXE" : "EXC", o->ref, side, o->quantity,
                     o->price, o->match);
    case SB_OUT_F_REDUCED:
        return PRINT("%s RED r%" PRIu64 " %s %u\n", who, o->ref, side, o->quantity);
    case SB_OUT_F_DELETED:
        return PRINT("%s DEL r%" PRIu64 " %s\n", who, o->ref, side);
    case SB_OUT_F_REPLACED:
        return PRINT("%s REP r%" PRIu64 "<r%" PRIu64 " %s %u@%" PRId64 "\n", who, o->ref, o->match,
                     side, o->quantity, o->price);
    case SB_OUT_F_CROSS:
        return PRINT("%s CROSS i%u %" PRIu64 "@%" PRId64 " m%" PRIu64 "\n", who, o->instrument,
                     o->ref, o->price, o->match);
    default:
        return PRINT("unknown kind %u\n", o->kind);
    }
#undef PRINT
}

const char *rig_lines(struct rig *r)
{
    size_t used = 0;
    r->text[0] = '\0';
    for (; r->shown < r->box.n && used + 128 < sizeof r->text; r->shown++)
        used += (size_t)line(r->text + used, sizeof r->text - used, &r->box.out[r->shown]);
    r->shown = r->box.n;
    return r->text;
}

int rig_main(const char *name, void (*add)(TCase *tc))
{
    Suite *suite = suite_create(name);
    TCase *tc = tcase_create(name);
    add(tc);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
