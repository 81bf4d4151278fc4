#include "nic/dpdk/spec.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

#include "nic/dpdk/dpdk.h"

/* The values of a spec end up inside a device argument string of DPDK, whose separators they must not contain. */
static bool copy_value(char *to, size_t room, const char *from, size_t n)
{
    if (n == 0 || n >= room)
        return false;
    for (size_t i = 0; i < n; i++) {
        const unsigned char c = (unsigned char)from[i];
        if (!isgraph(c) || strchr(",=[]()\"", c) != NULL)
            return false;
        to[i] = from[i];
    }
    to[n] = 0;
    return true;
}

static bool read_number(const char *from, size_t n, uint32_t max, uint32_t *out)
{
    uint32_t v = 0;
    if (n == 0 || n > 5)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (from[i] < '0' || from[i] > '9')
            return false;
        v = v * 10 + (uint32_t)(from[i] - '0');
    }
    *out = v;
    return v <= max;
}

static bool is(const char *text, size_t n, const char *word)
{
    return n == strlen(word) && memcmp(text, word, n) == 0;
}

/* Which keys were given, to refuse one given twice. */
enum { KEY_IFACE = 1, KEY_QUEUE = 2, KEY_SOCKET = 4, KEY_ROLE = 8, KEY_ID = 16 };

static const char *take_interface(struct sb_dpdk_spec *s, const char *key, size_t key_n,
                                  const char *value, size_t value_n, uint32_t *seen)
{
    uint32_t bit;
    if (is(key, key_n, "iface")) {
        bit = KEY_IFACE;
        if (!copy_value(s->iface, sizeof s->iface, value, value_n))
            return "iface: an interface name of 1 to 15 characters is accepted";
        if (strchr(s->iface, '/') != NULL)
            return "iface: an interface name, without '/', is accepted";
    } else if (s->kind == SB_DPDK_AF_XDP && is(key, key_n, "queue")) {
        bit = KEY_QUEUE;
        if (!read_number(value, value_n, 1023, &s->queue))
            return "queue: a number 0..1023 is accepted";
    } else {
        return s->kind == SB_DPDK_AF_XDP ? "unknown key: af_xdp accepts iface=NAME[,queue=N]"
                                         : "unknown key: af_packet accepts iface=NAME";
    }
    if ((*seen & bit) != 0)
        return "a key is given twice";
    *seen |= bit;
    return NULL;
}

static const char *take_memif(struct sb_dpdk_spec *s, const char *key, size_t key_n,
                              const char *value, size_t value_n, uint32_t *seen)
{
    uint32_t bit;
    if (is(key, key_n, "socket")) {
        bit = KEY_SOCKET;
        if (!copy_value(s->socket, sizeof s->socket, value, value_n))
            return "socket: a path of 1 to 103 characters without , = and blanks is accepted";
    } else if (is(key, key_n, "role")) {
        bit = KEY_ROLE;
        s->server = is(value, value_n, "server");
        if (!s->server && !is(value, value_n, "client"))
            return "role: server or client is accepted";
    } else if (is(key, key_n, "id")) {
        bit = KEY_ID;
        if (!read_number(value, value_n, 65535, &s->id))
            return "id: a number 0..65535 is accepted";
    } else {
        return "unknown key: memif accepts socket=PATH,role=server|client[,id=N]";
    }
    if ((*seen & bit) != 0)
        return "a key is given twice";
    *seen |= bit;
    return NULL;
}

static const char *parse_keys(struct sb_dpdk_spec *s, const char *text)
{
    uint32_t seen = 0;
    for (;;) {
        const size_t n = strcspn(text, ",");
        const char *equals = memchr(text, '=', n);
        if (equals == NULL)
            return "KEY=VALUE[,KEY=VALUE...] is accepted behind the kind";
        const size_t key_n = (size_t)(equals - text);
        const char *error = s->kind == SB_DPDK_MEMIF
                                ? take_memif(s, text, key_n, equals + 1, n - key_n - 1, &seen)
                                : take_interface(s, text, key_n, equals + 1, n - key_n - 1, &seen);
        if (error != NULL)
            return error;
        if (text[n] == 0)
            break;
        text += n + 1;
    }
    if (s->kind == SB_DPDK_MEMIF)
        return (seen & KEY_SOCKET) != 0 && (seen & KEY_ROLE) != 0
                   ? NULL
                   : "memif needs socket=PATH and role=server|client";
    return (seen & KEY_IFACE) != 0 ? NULL : "iface=NAME is missing";
}

/* [DDDD:]BB:DD.F in hexadecimal; the domain is 0000 if left out. */
static bool parse_pci(struct sb_dpdk_spec *s, const char *text)
{
    static const char shape[] = "xxxx:xx:xx.x";
    const size_t n = strlen(text), full = sizeof shape - 1;
    if (n != full && n != full - 5)
        return false;
    memcpy(s->pci, "0000:", 5);
    memcpy(s->pci + full - n, text, n + 1);
    for (size_t i = 0; i < full; i++)
        if (shape[i] == 'x' ? !isxdigit((unsigned char)s->pci[i]) : s->pci[i] != shape[i])
            return false;
    return s->pci[full - 1] <= '7';
}

const char *sb_dpdk_spec_parse(const char *text, struct sb_dpdk_spec *out)
{
    memset(out, 0, sizeof *out);
    if (text == NULL || text[0] == 0)
        return "empty: af_xdp:, af_packet:, memif: or pci: is accepted";
    if (strncmp(text, "af_xdp:", 7) == 0) {
        out->kind = SB_DPDK_AF_XDP;
        return parse_keys(out, text + 7);
    }
    if (strncmp(text, "af_packet:", 10) == 0) {
        out->kind = SB_DPDK_AF_PACKET;
        return parse_keys(out, text + 10);
    }
    if (strncmp(text, "memif:", 6) == 0) {
        out->kind = SB_DPDK_MEMIF;
        return parse_keys(out, text + 6);
    }
    if (strncmp(text, "pci:", 4) == 0) {
        out->kind = SB_DPDK_PCI;
        return parse_pci(out, text + 4) ? NULL : "pci: an address like 0000:01:00.0 is accepted";
    }
    return "unknown kind: af_xdp:, af_packet:, memif: or pci: is accepted";
}

const char *sb_dpdk_spec_error(const char *spec)
{
    struct sb_dpdk_spec ignored;
    return sb_dpdk_spec_parse(spec, &ignored);
}
