/* Port specifications: good ones arrive whole, bad ones say what is accepted. */
#include "nic/dpdk/spec.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "nic/dpdk/dpdk.h"

START_TEST(good_specs)
{
    struct sb_dpdk_spec s;
    ck_assert_ptr_null(sb_dpdk_spec_parse("af_xdp:iface=sb0", &s));
    ck_assert_int_eq(s.kind, SB_DPDK_AF_XDP);
    ck_assert_str_eq(s.iface, "sb0");
    ck_assert_uint_eq(s.queue, 0);
    ck_assert_ptr_null(sb_dpdk_spec_parse("af_xdp:queue=17,iface=enp1s0", &s));
    ck_assert_uint_eq(s.queue, 17);
    ck_assert_ptr_null(sb_dpdk_spec_parse("af_packet:iface=exactly15chars_", &s));
    ck_assert_str_eq(s.iface, "exactly15chars_");
    ck_assert_ptr_null(sb_dpdk_spec_parse("memif:socket=/run/x.sock,role=client,id=3", &s));
    ck_assert_str_eq(s.socket, "/run/x.sock");
    ck_assert(!s.server);
    ck_assert_uint_eq(s.id, 3);
    ck_assert_ptr_null(sb_dpdk_spec_parse("memif:role=server,socket=s", &s));
    ck_assert(s.server);
    ck_assert_ptr_null(sb_dpdk_spec_parse("pci:0000:01:00.0", &s));
    ck_assert_str_eq(s.pci, "0000:01:00.0");
    ck_assert_ptr_null(sb_dpdk_spec_parse("pci:af:00.1", &s));
    ck_assert_str_eq(s.pci, "0000:af:00.1");
}
END_TEST

static const char *const bad[] = {
    "",
    "sb0",
    "eth:iface=sb0",
    "af_xdp:",
    "af_xdp:iface=",
    "af_xdp:iface=sb0,",
    "af_xdp:iface=sixteencharacter",
    "af_xdp:iface=a/b",
    "af_xdp:iface=a b",
    "af_xdp:iface=sb0,iface=sb1",
    "af_xdp:iface=sb0,queue=",
    "af_xdp:iface=sb0,queue=-1",
    "af_xdp:iface=sb0,queue=1024",
    "af_xdp:iface=sb0,queue=99999999999",
    "af_xdp:queue=1",
    "af_packet:iface=sb0,queue=1",
    "memif:socket=/x",
    "memif:role=server",
    "memif:socket=/x,role=master",
    "memif:socket=/x,role=server,id=65536",
    "memif:socket=/x,role=server,iface=sb0",
    "memif:socket=/a=b,role=server",
    "pci:",
    "pci:01:00",
    "pci:0000:01:00.8",
    "pci:0000-01:00.0",
    "pci:00000:01:00.0",
    "pci:0000:0g:00.0",
};

START_TEST(bad_specs)
{
    ck_assert_msg(sb_dpdk_spec_error(bad[_i]) != NULL, "accepted: \"%s\"", bad[_i]);
}
END_TEST

START_TEST(a_path_too_long)
{
    char text[200] = "memif:role=server,socket=";
    const size_t head = strlen(text);
    memset(text + head, 'x', 103);
    ck_assert_ptr_null(sb_dpdk_spec_error(text));
    text[head + 103] = 'x';
    ck_assert_ptr_nonnull(sb_dpdk_spec_error(text));
    ck_assert_ptr_nonnull(sb_dpdk_spec_error(NULL));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("port-spec");
    TCase *t = tcase_create("port-spec");
    tcase_add_test(t, good_specs);
    tcase_add_loop_test(t, bad_specs, 0, (int)(sizeof bad / sizeof bad[0]));
    tcase_add_test(t, a_path_too_long);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    const int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
