/* wire_itch.c: any bytes as an ITCH message. What is read and can be written is the same bytes. */
#include <string.h>

#include "nic/wire/itch.h"
#include "shadowbook/assert.h"
#include "tests/fuzz/fuzz.h"

static const char types[] = "SRHAFECXDUPQYLVWKJhBINO";
enum { WRITTEN = 12 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t again[SB_ITCH_MESSAGE_MAX];
    struct sb_itch m;
    if (!sb_itch_read(data, (uint32_t)size, &m)) {
        SB_ASSERT(size == 0 || sb_itch_length((char)data[0]) != size);
        return 0;
    }
    const uint32_t n = sb_itch_write(again, &m);
    if (n == 0)
        SB_ASSERT(strchr(types + WRITTEN, m.type) != NULL);
    else
        SB_ASSERT(n == size && memcmp(again, data, n) == 0);
    return 0;
}

uint32_t fuzz_seed(uint32_t i, uint8_t *out)
{
    if (i >= sizeof types - 1)
        return 0;
    const uint32_t len = sb_itch_length(types[i]);
    for (uint32_t k = 0; k < len; k++)
        out[k] = (uint8_t)(k * 37 + i);
    out[0] = (uint8_t)types[i];
    return len;
}
