/* test_ouch.c: OUCH 5.0 golden vectors: field values worked out from the format's offsets, re-encoding, exact lengths. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "nic/wire/ouch.h"
#include "tests/wire/support.h"

static struct wire_vector vectors[WIRE_VECTORS_MAX];
static uint32_t vectors_n;

static const struct wire_vector *find(const char *name)
{
    return wire_vector_find(vectors, vectors_n, name);
}

static const uint64_t stamp = UINT64_C(34200000000456);

START_TEST(enter)
{
    struct sb_ouch_enter m;
    const struct wire_vector *v = find("O_enter_order");
    ck_assert(sb_ouch_read_enter(v->bytes, v->len, &m));
    ck_assert_uint_eq(m.ref, 1);
    ck_assert_int_eq(m.side, 'B');
    ck_assert_uint_eq(m.quantity, 100);
    ck_assert_mem_eq(m.symbol, "AAPL    ", 8);
    ck_assert_uint_eq(m.price, 1891234);
    ck_assert_int_eq(m.tif, '0');
    ck_assert_int_eq(m.display, 'Y');
    ck_assert_int_eq(m.capacity, 'P');
    ck_assert_int_eq(m.iso, 'N');
    ck_assert_int_eq(m.cross, 'N');
    ck_assert_mem_eq(m.clordid, "fm000100000001", 14);
    ck_assert_uint_eq(m.app_bytes, 0);

    v = find("O_enter_order_fok_post_only");
    ck_assert(sb_ouch_read_enter(v->bytes, v->len, &m));
    ck_assert_uint_eq(m.ref, 2);
    ck_assert_int_eq(m.side, 'S');
    ck_assert_uint_eq(m.quantity, 50);
    ck_assert_uint_eq(m.price, 1892500);
    ck_assert_int_eq(m.tif, '3');
    ck_assert_uint_eq(m.app_bytes, 9);
    ck_assert_mem_eq(m.app, "\x05\x03\x00\x00\x00\x32\x02\x0c\x50", 9);
}
END_TEST

START_TEST(replace_and_cancel)
{
    struct sb_ouch_replace m;
    const struct wire_vector *v = find("U_replace_order");
    ck_assert(sb_ouch_read_replace(v->bytes, v->len, &m));
    ck_assert_uint_eq(m.orig_ref, 1);
    ck_assert_uint_eq(m.ref, 3);
    ck_assert_uint_eq(m.quantity, 150);
    ck_assert_uint_eq(m.price, 1892000);
    ck_assert_int_eq(m.tif, '0');
    ck_assert_int_eq(m.display, 'Y');
    ck_assert_int_eq(m.iso, 'N');
    ck_assert_mem_eq(m.clordid, "fm000100000003", 14);
    ck_assert_uint_eq(m.app_bytes, 0);

    struct sb_ouch_cancel x;
    v = find("X_cancel_order");
    ck_assert(sb_ouch_read_cancel(v->bytes, v->len, &x));
    ck_assert_uint_eq(x.ref, 3);
    ck_assert_uint_eq(x.quantity, 0);
    ck_assert(x.has_app);
    ck_assert(sb_ouch_read_cancel(v->bytes, v->len - 2, &x));
    ck_assert(!x.has_app);
}
END_TEST

static struct sb_ouch_out out_of(const char *name)
{
    struct sb_ouch_out m;
    const struct wire_vector *v = find(name);
    ck_assert(sb_ouch_read_out(v->bytes, v->len, &m));
    ck_assert_int_eq(m.type, name[0]);
    ck_assert_uint_eq(m.timestamp, stamp);
    return m;
}

START_TEST(accepted_and_replaced)
{
    struct sb_ouch_out m = out_of("A_accepted");
    ck_assert_uint_eq(m.ref, 1);
    ck_assert_int_eq(m.side, 'B');
    ck_assert_uint_eq(m.quantity, 100);
    ck_assert_mem_eq(m.symbol, "AAPL    ", 8);
    ck_assert_uint_eq(m.price, 1891234);
    ck_assert_int_eq(m.tif, '0');
    ck_assert_int_eq(m.display, 'Y');
    ck_assert_uint_eq(m.order_ref, 7777);
    ck_assert_int_eq(m.capacity, 'P');
    ck_assert_int_eq(m.iso, 'N');
    ck_assert_int_eq(m.cross, 'N');
    ck_assert_int_eq(m.state, 'L');
    ck_assert_mem_eq(m.clordid, "fm000100000001", 14);
    ck_assert_uint_eq(m.app_bytes, 0);
    m = out_of("A_accepted_with_appendage");
    ck_assert_uint_eq(m.order_ref, 7780);
    ck_assert_uint_eq(m.app_bytes, 3);
    ck_assert_mem_eq(m.app, "\x02\x1c\x05", 3);
    m = out_of("U_replaced");
    ck_assert_uint_eq(m.orig_ref, 1);
    ck_assert_uint_eq(m.ref, 3);
    ck_assert_int_eq(m.side, 'B');
    ck_assert_uint_eq(m.quantity, 150);
    ck_assert_mem_eq(m.symbol, "AAPL    ", 8);
    ck_assert_uint_eq(m.price, 1892000);
    ck_assert_uint_eq(m.order_ref, 7778);
    ck_assert_int_eq(m.capacity, 'P');
    ck_assert_int_eq(m.state, 'L');
    ck_assert_mem_eq(m.clordid, "fm000100000003", 14);
}
END_TEST

START_TEST(other_outbound)
{
    struct sb_ouch_out m = out_of("S_system_event");
    ck_assert_int_eq(m.event, 'S');
    m = out_of("E_executed");
    ck_assert_uint_eq(m.ref, 3);
    ck_assert_uint_eq(m.quantity, 40);
    ck_assert_uint_eq(m.price, 1892000);
    ck_assert_int_eq(m.liquidity, 'R');
    ck_assert_uint_eq(m.match, 9001);
    m = out_of("C_canceled");
    ck_assert_uint_eq(m.ref, 3);
    ck_assert_uint_eq(m.quantity, 100);
    ck_assert_int_eq(m.cancel_reason, 'U');
    ck_assert(m.has_app);
    m = out_of("C_canceled_no_appendage");
    ck_assert_uint_eq(m.quantity, 10);
    ck_assert(!m.has_app);
    m = out_of("J_rejected");
    ck_assert_uint_eq(m.ref, 4);
    ck_assert_uint_eq(m.reject_reason, 0x1D);
    ck_assert_mem_eq(m.clordid, "fm000100000004", 14);
    ck_assert(m.has_app);
}
END_TEST

/* Reads the bytes as whatever they are (`outbound` says from whom) and writes them again. 0: refused. */
static uint32_t rewrite(const uint8_t *p, uint32_t len, bool outbound, uint8_t *again)
{
    struct sb_ouch_out m;
    struct sb_ouch_enter o;
    struct sb_ouch_replace u;
    struct sb_ouch_cancel x;
    if (outbound)
        return sb_ouch_read_out(p, len, &m) ? sb_ouch_write_out(again, &m) : 0;
    if (sb_ouch_read_enter(p, len, &o))
        return sb_ouch_write_enter(again, &o);
    if (sb_ouch_read_replace(p, len, &u))
        return sb_ouch_write_replace(again, &u);
    return sb_ouch_read_cancel(p, len, &x) ? sb_ouch_write_cancel(again, &x) : 0;
}

START_TEST(same_bytes_and_exact_lengths)
{
    uint32_t supported = 0;
    for (uint32_t i = 0; i < vectors_n; i++) {
        const struct wire_vector *v = &vectors[i];
        const bool inbound = strstr(v->name, "_order") != NULL && strchr("OUX", v->name[0]) != NULL;
        uint8_t again[SB_OUCH_MESSAGE_MAX], longer[260];
        const uint32_t len = rewrite(v->bytes, v->len, !inbound, again);
        if (!inbound && strchr("SAUCEJ", v->name[0]) == NULL) {
            ck_assert_uint_eq(len, 0);
            continue;
        }
        supported++;
        ck_assert_msg(len == v->len && memcmp(again, v->bytes, len) == 0, "%s", v->name);
        for (uint32_t n = 0; n < v->len; n++) {
            /* What has an empty 2025 appendage is, without it, the 2023 form. */
            const bool form_2023 = strchr("XCJ", v->name[0]) != NULL && n + 2 == v->len &&
                                   (v->len == 11 || v->len == 20 || v->len == 31);
            ck_assert_msg((rewrite(v->bytes, n, !inbound, again) != 0) == form_2023, "%s cut to %u",
                          v->name, n);
        }
        memcpy(longer, v->bytes, v->len);
        for (uint32_t byte = 0; byte < 256; byte++) {
            longer[v->len] = (uint8_t)byte;
            ck_assert_uint_eq(rewrite(longer, v->len + 1, !inbound, again), 0);
        }
    }
    ck_assert_uint_eq(supported, 12);
}
END_TEST

START_TEST(broken_appendages)
{
    struct sb_ouch_enter m;
    uint8_t p[300];
    const struct wire_vector *v = find("O_enter_order_fok_post_only");
    memcpy(p, v->bytes, v->len);
    p[53] = 0; /* a TagValue without a tag */
    ck_assert(!sb_ouch_read_enter(p, v->len, &m));
    p[53] = 3; /* one that runs over the end */
    ck_assert(!sb_ouch_read_enter(p, v->len, &m));
    p[53] = 1; /* a tag without a value, and a byte left over that would be a length */
    ck_assert(!sb_ouch_read_enter(p, v->len, &m));
    p[53] = 2;
    ck_assert(sb_ouch_read_enter(p, v->len, &m));
    memset(p + 47, 0, sizeof p - 47); /* 64 bytes are taken, 65 are not */
    p[46] = 64;
    p[47] = 63;
    ck_assert(sb_ouch_read_enter(p, 47 + 64, &m));
    p[46] = 65;
    p[47] = 64;
    ck_assert(!sb_ouch_read_enter(p, 47 + 65, &m));
    p[45] = 1; /* 256 + 0 */
    p[46] = 0;
    ck_assert(!sb_ouch_read_enter(p, 47, &m));
}
END_TEST

int main(void)
{
    vectors_n = wire_vectors_load("vectors/ouch50_messages.hex", vectors);
    if (vectors_n == 0)
        return wire_skip(
            "no vectors/ouch50_messages.hex in the shared folder ($SHADOWBOOK_SHARED)");
    TCase *t = tcase_create("ouch");
    tcase_add_test(t, enter);
    tcase_add_test(t, replace_and_cancel);
    tcase_add_test(t, accepted_and_replaced);
    tcase_add_test(t, other_outbound);
    tcase_add_test(t, same_bytes_and_exact_lengths);
    tcase_add_test(t, broken_appendages);
    Suite *s = suite_create("wire ouch");
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    const int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
