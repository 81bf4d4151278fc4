/* spec.c: any text as a port specification and as a number of a command line. What is taken has a good shape and is, written
 * again, the same; what is not comes with a reason. */
#include <string.h>

#include "nic/dpdk/spec.h"
#include "perf/numbers.h"
#include "shadowbook/assert.h"
#include "tests/fuzz/fuzz.h"

/* Values end inside a device argument string. */
static void value_judge(const char *value, size_t room)
{
    const size_t n = strnlen(value, room);
    SB_ASSERT(n > 0 && n < room);
    SB_ASSERT_EQ(strcspn(value, " ,=[]()\"\n"), n);
}

static void spec_judge(const struct sb_dpdk_spec *s)
{
    char text[256];
    struct sb_dpdk_spec again;
    switch (s->kind) {
    case SB_DPDK_AF_XDP:
        value_judge(s->iface, sizeof s->iface);
        snprintf(text, sizeof text, "af_xdp:iface=%s,queue=%u", s->iface, s->queue);
        break;
    case SB_DPDK_AF_PACKET:
        value_judge(s->iface, sizeof s->iface);
        snprintf(text, sizeof text, "af_packet:iface=%s", s->iface);
        break;
    case SB_DPDK_MEMIF:
        value_judge(s->socket, sizeof s->socket);
        snprintf(text, sizeof text, "memif:socket=%s,role=%s,id=%u", s->socket,
                 s->server ? "server" : "client", s->id);
        break;
    case SB_DPDK_PCI:
        value_judge(s->pci, sizeof s->pci);
        snprintf(text, sizeof text, "pci:%s", s->pci);
        break;
    }
    SB_ASSERT(sb_dpdk_spec_parse(text, &again) == NULL);
    SB_ASSERT_EQ(memcmp(&again, s, sizeof again), 0);
}

static void number_judge(const char *text)
{
    uint64_t v = 0, again;
    char back[32];
    if (!sb_number_read(text, 5, UINT64_MAX - 1, &v))
        return;
    SB_ASSERT(v >= 5 && v <= UINT64_MAX - 1);
    snprintf(back, sizeof back, "%" PRIu64, v);
    SB_ASSERT(sb_number_read(back, 5, UINT64_MAX - 1, &again) && again == v);
    SB_ASSERT_EQ(strcmp(text + strspn(text, "0"), back), 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sb_dpdk_spec s;
    char *text = malloc(size + 1); /* of its exact size: a sanitizer sees a read behind the end */
    SB_ASSERT(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    const char *wrong = sb_dpdk_spec_parse(text, &s);
    if (wrong != NULL)
        SB_ASSERT(strstr(wrong, "accepted") != NULL || strstr(wrong, "needs") != NULL ||
                  strstr(wrong, "missing") != NULL || strstr(wrong, "accepts") != NULL ||
                  strstr(wrong, "twice") != NULL);
    else
        spec_judge(&s);
    number_judge(text);
    free(text);
    return 0;
}

uint32_t fuzz_seed(uint32_t i, uint8_t *out)
{
    static const char *const texts[] = {
        "af_xdp:iface=sb0",
        "af_xdp:queue=1023,iface=veth-primary-0",
        "af_packet:iface=veth0",
        "memif:socket=/run/shadowbook/peer.sock,role=server",
        "memif:id=65535,role=client,socket=s",
        "pci:0000:01:00.0",
        "pci:af:1f.7",
        "18446744073709551614",
        "18446744073709551615",
        "0005",
    };
    if (i >= sizeof texts / sizeof texts[0])
        return 0;
    memcpy(out, texts[i], strlen(texts[i]));
    return (uint32_t)strlen(texts[i]);
}
