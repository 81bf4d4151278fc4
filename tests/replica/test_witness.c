/* test_witness.c: the register, rule by rule: R12, R17, R18, R20, R21. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "nic/wire/entry.h"
#include "nic/wire/udp.h"
#include "tests/replica/bench.h"

enum { G = 5 };
#define EPOCH_D ((uint64_t)G << 2)
#define EPOCH_P (EPOCH_D | SB_EPOCH_P)
#define EPOCH_S (EPOCH_D | SB_EPOCH_S)
#define INC_A   UINT64_C(1001)
#define INC_B   UINT64_C(2002)
#define WINC    UINT64_C(42)

struct rig {
    struct bench b;
    uint64_t now_ns;
    /* the answers of the last poll, without HELLO */
    struct sb_head heads[8];
    struct sb_control answers[8];
    uint32_t n, hellos;
};

static void witness_poll(struct rig *r, const struct bench_frame *f)
{
    struct sb_node_frame in = {.roles = 31};
    if (f != NULL) {
        in.data = f->data;
        in.len = f->len;
    }
    struct sb_node_out out;
    r->now_ns += 1000;
    sb_witness_poll(&r->b.witness, r->now_ns, &in, f != NULL, &out);
    r->n = r->hellos = 0;
    for (uint32_t i = 0; i < out.n; i++) {
        struct sb_datagram d;
        struct sb_head h;
        ck_assert_int_eq(sb_udp_parse(out.frames[i].data, out.frames[i].len, &d), SB_UDP_OK);
        ck_assert(sb_head_read(d.payload, d.bytes, &h));
        ck_assert_uint_eq(h.sender, SB_NODE_W);
        if (h.type == SB_FT_HELLO) {
            r->hellos++;
            continue;
        }
        ck_assert_uint_lt(r->n, 8);
        r->heads[r->n] = h;
        memcpy(&r->answers[r->n], d.payload + sizeof h, sizeof r->answers[0]);
        ck_assert_uint_eq(r->answers[r->n].winc, WINC);
        r->n++;
    }
}

static void rig_open(struct rig *r)
{
    memset(r, 0, sizeof *r);
    bench_open(&r->b);
    r->now_ns = BENCH_START_NS;
    sb_witness_init(&r->b.witness, &r->b.config, (uint8_t[6]){2, 0, 0, 0, 0, 3}, WINC,
                    r->b.counters[BENCH_W], NULL);
    witness_poll(r, NULL);
    ck_assert_uint_eq(r->hellos, 1);
}

struct ask {
    uint8_t type, sender;
    uint64_t epoch, inc;
    struct sb_control c;
};

static void say(struct rig *r, struct ask a)
{
    const struct bench_frame f =
        bench_ours(&r->b, a.type, a.epoch, a.inc, a.sender, 0, &a.c, sizeof a.c);
    witness_poll(r, &f);
}

#define TO_W .to = SB_NODE_W, .winc = WINC
#define REG_A                                                                                      \
    {                                                                                              \
        SB_FT_REG_DUAL, SB_NODE_A, EPOCH_D, INC_A,                                                 \
        {                                                                                          \
            TO_W, .peer_inc = INC_B, .role = 0                                                     \
        }                                                                                          \
    }
#define REG_B                                                                                      \
    {                                                                                              \
        SB_FT_REG_DUAL, SB_NODE_B, EPOCH_D, INC_B,                                                 \
        {                                                                                          \
            TO_W, .peer_inc = INC_A, .role = 1                                                     \
        }                                                                                          \
    }
#define ARM(nonce)                                                                                 \
    {                                                                                              \
        SB_FT_ARM, SB_NODE_B, EPOCH_D, INC_B,                                                      \
        {                                                                                          \
            TO_W, .peer_inc = INC_A, .k = (nonce)                                                  \
        }                                                                                          \
    }
#define CANCEL(nonce)                                                                              \
    {                                                                                              \
        SB_FT_CANCEL, SB_NODE_B, EPOCH_D, INC_B,                                                   \
        {                                                                                          \
            TO_W, .k = (nonce)                                                                     \
        }                                                                                          \
    }
#define SOLOREQ                                                                                    \
    {                                                                                              \
        SB_FT_SOLOREQ, SB_NODE_A, EPOCH_D, INC_A,                                                  \
        {                                                                                          \
            TO_W, .peer_inc = INC_B                                                                \
        }                                                                                          \
    }
#define LIVE(resign)                                                                               \
    {                                                                                              \
        SB_FT_LIVE, SB_NODE_B, EPOCH_S, INC_B,                                                     \
        {                                                                                          \
            TO_W, .by_resign = (resign)                                                            \
        }                                                                                          \
    }
#define RESIGN                                                                                     \
    {                                                                                              \
        SB_FT_RESIGN, SB_NODE_A, EPOCH_D, INC_A,                                                   \
        {                                                                                          \
            .to = SB_NODE_CLIENT                                                                   \
        }                                                                                          \
    }

static void dual(struct rig *r)
{
    rig_open(r);
    say(r, (struct ask)REG_A);
    say(r, (struct ask)REG_B);
    ck_assert_int_eq(r->b.witness.state, SB_W_DUAL);
}

static void refused(struct rig *r, struct ask a, enum sb_witness_state stays)
{
    struct sb_witness before = r->b.witness;
    say(r, a);
    ck_assert_uint_eq(r->n, 0);
    ck_assert_int_eq(r->b.witness.state, stays);
    ck_assert_uint_eq(r->b.witness.epoch, before.epoch);
    ck_assert_uint_eq(r->b.witness.owner, before.owner);
    ck_assert_uint_eq(r->b.witness.owner_inc, before.owner_inc);
    ck_assert_uint_eq(r->b.witness.k, before.k);
    ck_assert_uint_eq(r->b.witness.kmax, before.kmax);
}

static void answered(const struct rig *r, uint32_t i, uint8_t type, uint64_t epoch, uint8_t to,
                     uint64_t to_inc)
{
    ck_assert_uint_lt(i, r->n);
    ck_assert_uint_eq(r->heads[i].type, type);
    ck_assert_uint_eq(r->heads[i].epoch, epoch);
    ck_assert_uint_eq(r->answers[i].to, to);
    ck_assert_uint_eq(r->answers[i].to_inc, to_inc);
}

START_TEST(unset_grants_nothing)
{
    struct rig r;
    rig_open(&r);
    const struct ask asks[] = {ARM(1), CANCEL(1), SOLOREQ, RESIGN};
    for (size_t i = 0; i < sizeof asks / sizeof asks[0]; i++)
        refused(&r, asks[i], SB_W_UNSET);
    bench_close(&r.b);
}
END_TEST

START_TEST(dual_needs_two_matching_registrations) /* R20 */
{
    struct rig r;
    rig_open(&r);
    refused(&r, (struct ask)REG_A, SB_W_UNSET);
    refused(&r, (struct ask)REG_A, SB_W_UNSET); /* the same twice is one */
    struct ask wrong[6];
    for (int i = 0; i < 6; i++)
        wrong[i] = (struct ask)REG_B;
    wrong[0].epoch += 4;             /* another generation */
    wrong[1].c.role = 0;             /* two primaries */
    wrong[2].c.peer_inc = INC_A + 1; /* names another life of A */
    wrong[3].inc = INC_B - 1;        /* is not the life that A names */
    wrong[4].epoch = EPOCH_S;        /* not a dual epoch */
    wrong[5].c.role = 7;
    for (int i = 0; i < 6; i++) {
        struct rig fresh;
        rig_open(&fresh);
        refused(&fresh, (struct ask)REG_A, SB_W_UNSET);
        refused(&fresh, wrong[i], SB_W_UNSET);
        bench_close(&fresh.b);
    }
    say(&r, (struct ask)REG_B);
    ck_assert_int_eq(r.b.witness.state, SB_W_DUAL);
    ck_assert_uint_eq(r.b.witness.owner, SB_NODE_A);
    ck_assert_uint_eq(r.n, 2);
    answered(&r, 0, SB_FT_PAIROK, EPOCH_D, SB_NODE_A, INC_A);
    ck_assert_uint_eq(r.answers[0].peer_inc, INC_B);
    answered(&r, 1, SB_FT_PAIROK, EPOCH_D, SB_NODE_B, INC_B);
    ck_assert_uint_eq(r.answers[1].peer_inc, INC_A);
    say(&r, (struct ask)REG_B); /* the answer was lost: said again */
    ck_assert_uint_eq(r.n, 1);
    answered(&r, 0, SB_FT_PAIROK, EPOCH_D, SB_NODE_B, INC_B);
    struct ask later = REG_B;
    later.inc++;
    refused(&r, later, SB_W_DUAL);
    bench_close(&r.b);
}
END_TEST

START_TEST(registration_is_replaced_by_a_later_life)
{
    struct rig r;
    rig_open(&r);
    struct ask old = REG_A;
    old.inc = INC_A - 1;
    refused(&r, old, SB_W_UNSET);
    refused(&r, (struct ask)REG_A, SB_W_UNSET);
    refused(&r, old, SB_W_UNSET); /* came late: does not undo the newer one */
    say(&r, (struct ask)REG_B);
    ck_assert_int_eq(r.b.witness.state, SB_W_DUAL);
    ck_assert_uint_eq(r.b.witness.owner_inc, INC_A);
    bench_close(&r.b);
}
END_TEST

START_TEST(arm_only_by_the_shadow_with_a_new_nonce) /* R17 */
{
    struct rig r;
    dual(&r);
    struct ask wrong[6];
    for (int i = 0; i < 6; i++)
        wrong[i] = (struct ask)ARM(3);
    wrong[0].epoch += 4;
    wrong[1].inc++;
    wrong[2].sender = SB_NODE_A;
    wrong[3].c.peer_inc++;
    wrong[4].c.k = 0;
    wrong[5].c.to = SB_NODE_A;
    for (int i = 0; i < 6; i++)
        refused(&r, wrong[i], SB_W_DUAL);
    struct ask self = ARM(3); /* the owner may not arm against itself */
    self.sender = SB_NODE_A;
    self.inc = INC_A;
    refused(&r, self, SB_W_DUAL);

    say(&r, (struct ask)ARM(3));
    ck_assert_int_eq(r.b.witness.state, SB_W_ARMED);
    answered(&r, 0, SB_FT_ARMOK, EPOCH_D, SB_NODE_B, INC_B);
    ck_assert_uint_eq(r.answers[0].k, 3);
    say(&r, (struct ask)ARM(3)); /* idempotent */
    answered(&r, 0, SB_FT_ARMOK, EPOCH_D, SB_NODE_B, INC_B);
    refused(&r, (struct ask)ARM(2), SB_W_ARMED);
    refused(&r, (struct ask)SOLOREQ, SB_W_ARMED); /* one right at a time */
    say(&r, (struct ask)ARM(5));
    ck_assert_uint_eq(r.answers[0].k, 5);
    ck_assert_uint_eq(r.b.witness.k, 5);
    bench_close(&r.b);
}
END_TEST

START_TEST(armed_never_expires)
{
    struct rig r;
    dual(&r);
    say(&r, (struct ask)ARM(1));
    r.now_ns += UINT64_C(3600000000000);
    refused(&r, (struct ask)SOLOREQ, SB_W_ARMED);
    bench_close(&r.b);
}
END_TEST

START_TEST(cancel_frees_and_is_remembered) /* R9, R17 */
{
    struct rig r;
    dual(&r);
    say(&r, (struct ask)ARM(4));
    struct ask wrong[3];
    for (int i = 0; i < 3; i++)
        wrong[i] = (struct ask)CANCEL(4);
    wrong[0].epoch += 4;
    wrong[1].inc++;
    wrong[2].sender = SB_NODE_A;
    for (int i = 0; i < 3; i++)
        refused(&r, wrong[i], SB_W_ARMED);
    say(&r, (struct ask)CANCEL(3)); /* of an earlier request: the present one stands */
    ck_assert_int_eq(r.b.witness.state, SB_W_ARMED);
    say(&r, (struct ask)CANCEL(4));
    ck_assert_int_eq(r.b.witness.state, SB_W_DUAL);
    refused(&r, (struct ask)ARM(4), SB_W_DUAL); /* a late copy of what was taken back */
    refused(&r, (struct ask)ARM(2), SB_W_DUAL);
    say(&r, (struct ask)CANCEL(9)); /* before its ARM arrives */
    refused(&r, (struct ask)ARM(9), SB_W_DUAL);
    say(&r, (struct ask)ARM(10));
    ck_assert_int_eq(r.b.witness.state, SB_W_ARMED);
    bench_close(&r.b);
}
END_TEST

START_TEST(solo_only_by_the_owner_in_dual) /* R17, R11 */
{
    struct rig r;
    dual(&r);
    struct ask wrong[3];
    for (int i = 0; i < 3; i++)
        wrong[i] = (struct ask)SOLOREQ;
    wrong[0].epoch += 4;
    wrong[1].inc++;
    wrong[2].sender = SB_NODE_B;
    for (int i = 0; i < 3; i++)
        refused(&r, wrong[i], SB_W_DUAL);
    say(&r, (struct ask)SOLOREQ);
    ck_assert_int_eq(r.b.witness.state, SB_W_SOLO);
    answered(&r, 0, SB_FT_SOLOOK, EPOCH_P, SB_NODE_A, INC_A);
    say(&r, (struct ask)SOLOREQ);
    answered(&r, 0, SB_FT_SOLOOK, EPOCH_P, SB_NODE_A, INC_A);
    refused(&r, (struct ask)ARM(7), SB_W_SOLO);
    refused(&r, (struct ask)CANCEL(7), SB_W_SOLO);
    refused(&r, (struct ask)LIVE(0), SB_W_SOLO); /* without RESIGN the grant stands */
    bench_close(&r.b);
}
END_TEST

START_TEST(lost_soloook_is_said_again_until_live)
{
    struct rig r;
    dual(&r);
    say(&r, (struct ask)SOLOREQ);
    uint32_t reminders = 0;
    for (int i = 0; i < 100; i++) {
        r.now_ns += 1000000;
        witness_poll(&r, NULL);
        for (uint32_t k = 0; k < r.n; k++) {
            answered(&r, k, SB_FT_SOLOOK, EPOCH_P, SB_NODE_A, INC_A);
            reminders++;
        }
    }
    ck_assert_uint_ge(reminders, 3);
    say(&r, (struct ask){SB_FT_LIVE, SB_NODE_A, EPOCH_P, INC_A, {TO_W}});
    ck_assert_uint_eq(r.n, 1);
    for (int i = 0; i < 100; i++) {
        r.now_ns += 1000000;
        witness_poll(&r, NULL);
        ck_assert_uint_eq(r.n, 0);
    }
    bench_close(&r.b);
}
END_TEST

START_TEST(live_takes_what_was_granted)
{
    struct rig r;
    dual(&r);
    say(&r, (struct ask)ARM(1));
    struct ask wrong[5];
    for (int i = 0; i < 5; i++)
        wrong[i] = (struct ask)LIVE(0);
    wrong[0].epoch += 4;
    wrong[1].inc++;
    wrong[2].sender = SB_NODE_A;
    wrong[3].epoch = EPOCH_P;
    wrong[4].epoch = EPOCH_D;
    for (int i = 0; i < 5; i++)
        refused(&r, wrong[i], SB_W_ARMED);
    say(&r, (struct ask)LIVE(0));
    ck_assert_int_eq(r.b.witness.state, SB_W_SOLO);
    ck_assert_uint_eq(r.b.witness.owner, SB_NODE_B);
    answered(&r, 0, SB_FT_SOLOOK, EPOCH_S, SB_NODE_B, INC_B);
    say(&r, (struct ask)LIVE(0));
    answered(&r, 0, SB_FT_SOLOOK, EPOCH_S, SB_NODE_B, INC_B);
    refused(&r, (struct ask)SOLOREQ, SB_W_SOLO);
    refused(&r, (struct ask){SB_FT_LIVE, SB_NODE_A, EPOCH_S, INC_B, {TO_W}}, SB_W_SOLO);
    bench_close(&r.b);
}
END_TEST

START_TEST(resign_hands_over) /* R12 */
{
    struct rig r;
    dual(&r);
    struct ask wrong[3];
    for (int i = 0; i < 3; i++)
        wrong[i] = (struct ask)RESIGN;
    wrong[0].epoch += 4;
    wrong[1].inc++;
    wrong[2].sender = SB_NODE_B;
    for (int i = 0; i < 3; i++)
        refused(&r, wrong[i], SB_W_DUAL);
    say(&r, (struct ask)RESIGN);
    ck_assert_int_eq(r.b.witness.state, SB_W_ARMED);
    refused(&r, (struct ask)SOLOREQ, SB_W_ARMED);
    say(&r, (struct ask)LIVE(1));
    ck_assert_uint_eq(r.b.witness.owner, SB_NODE_B);
    bench_close(&r.b);

    dual(&r); /* any nonce */
    say(&r, (struct ask)RESIGN);
    say(&r, (struct ask)ARM(1));
    answered(&r, 0, SB_FT_ARMOK, EPOCH_D, SB_NODE_B, INC_B);
    bench_close(&r.b);

    dual(&r); /* over a grant that the resigned owner will never use */
    say(&r, (struct ask)SOLOREQ);
    say(&r, (struct ask)LIVE(1));
    ck_assert_uint_eq(r.b.witness.owner, SB_NODE_B);
    ck_assert_uint_eq(r.b.witness.epoch, EPOCH_S);
    bench_close(&r.b);
}
END_TEST

START_TEST(other_wincs_are_told_hello) /* R18, R19 */
{
    struct rig r;
    dual(&r);
    const struct ask asks[] = {ARM(1), SOLOREQ, LIVE(0), LIVE(1), REG_A, CANCEL(1)};
    for (size_t i = 0; i < sizeof asks / sizeof asks[0]; i++)
        for (int k = -1; k <= 1; k += 2) {
            struct ask a = asks[i];
            a.c.winc = (uint64_t)((int64_t)WINC + k);
            refused(&r, a, SB_W_DUAL);
            ck_assert_uint_eq(r.hellos, 1);
        }
    bench_close(&r.b);
}
END_TEST

START_TEST(sole_owner_registers) /* R21 */
{
    struct rig r;
    rig_open(&r);
    refused(&r, (struct ask){SB_FT_LIVE, SB_NODE_A, EPOCH_D, INC_A, {TO_W}}, SB_W_UNSET);
    say(&r, (struct ask){SB_FT_LIVE, SB_NODE_A, EPOCH_P, INC_A, {TO_W}});
    ck_assert_int_eq(r.b.witness.state, SB_W_SOLO);
    answered(&r, 0, SB_FT_SOLOOK, EPOCH_P, SB_NODE_A, INC_A);
    refused(&r, (struct ask)LIVE(1), SB_W_SOLO); /* nobody it knows as the shadow */
    refused(&r, (struct ask)REG_A, SB_W_SOLO);
    bench_close(&r.b);
}
END_TEST

START_TEST(foreign_frames_change_nothing)
{
    struct rig r;
    dual(&r);
    struct ask a = ARM(1);
    a.sender = SB_NODE_W;
    refused(&r, a, SB_W_DUAL);
    a.sender = SB_NODE_CLIENT;
    refused(&r, a, SB_W_DUAL);
    r.b.config.shard = 2; /* the frame is made for shard 2, the witness serves shard 1 */
    const struct ask good = ARM(1);
    const struct bench_frame f =
        bench_ours(&r.b, good.type, good.epoch, good.inc, good.sender, 0, &good.c, sizeof good.c);
    r.b.config.shard = 1;
    witness_poll(&r, &f);
    ck_assert_uint_eq(r.n, 0);
    ck_assert_uint_eq(r.b.counters[BENCH_W][SB_CTR_BAD_HEAD], 1);
    bench_close(&r.b);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("replica-witness");
    TCase *tc = tcase_create("register");
    tcase_add_test(tc, unset_grants_nothing);
    tcase_add_test(tc, dual_needs_two_matching_registrations);
    tcase_add_test(tc, registration_is_replaced_by_a_later_life);
    tcase_add_test(tc, arm_only_by_the_shadow_with_a_new_nonce);
    tcase_add_test(tc, armed_never_expires);
    tcase_add_test(tc, cancel_frees_and_is_remembered);
    tcase_add_test(tc, solo_only_by_the_owner_in_dual);
    tcase_add_test(tc, lost_soloook_is_said_again_until_live);
    tcase_add_test(tc, live_takes_what_was_granted);
    tcase_add_test(tc, resign_hands_over);
    tcase_add_test(tc, other_wincs_are_told_hello);
    tcase_add_test(tc, sole_owner_registers);
    tcase_add_test(tc, foreign_frames_change_nothing);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
