/* snapshot.c: any bytes as a snapshot: refused, or an engine that is whole and is what the head says.
 *
 * input: pick (PICK_SEALED), then the file. With PICK_SEALED its length and its hash are put right first. */
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "replica/snapshot.h"
#include "shadowbook/assert.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/loaded.h"

enum { PICK_SEALED = 1, HEAD = sizeof(struct sb_snapshot_head) };

static void seal(uint8_t *p, size_t size)
{
    struct sb_snapshot_head h;
    memcpy(&h, p, sizeof h);
    h.image_bytes = size - sizeof h;
    h.hash = 0;
    h.hash = XXH3_64bits_withSeed(p + sizeof h, h.image_bytes, XXH3_64bits(&h, sizeof h));
    memcpy(p, &h, sizeof h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static _Alignas(64) uint8_t bytes[FUZZ_INPUT_MAX];
    if (size < 1 || size > FUZZ_INPUT_MAX)
        return 0;
    struct sb_snapshot s = {.bytes = bytes, .bytes_n = size - 1};
    memcpy(bytes, data + 1, size - 1);
    if ((data[0] & PICK_SEALED) != 0 && s.bytes_n >= HEAD)
        seal(bytes, s.bytes_n);
    if (sb_snapshot_fault(s.bytes, s.bytes_n, &s.head) != NULL)
        return 0;
    struct sb_engine *e = loaded_fresh();
    if (sb_snapshot_load(&s, e) != NULL)
        return 0;
    SB_ASSERT_EQ(sb_engine_applied(e), s.head.n);
    SB_ASSERT_EQ(sb_engine_state_digest(e), s.head.state_digest);
    SB_ASSERT_EQ(sb_snapshot_bytes(e), s.bytes_n);
    loaded_judge(e, bytes + HEAD, s.bytes_n - HEAD);
    return 0;
}

uint32_t fuzz_seed(uint32_t i, uint8_t *out)
{
    const struct sb_engine *e = loaded_seed(i / 2);
    if (e == NULL)
        return 0;
    const size_t bytes = sb_snapshot_bytes(e);
    SB_ASSERT_LE(bytes + 1, (size_t)FUZZ_INPUT_MAX);
    out[0] = i % 2 == 0 ? PICK_SEALED : 0;
    sb_snapshot_make(e, out + 1, bytes);
    return 1 + (uint32_t)bytes;
}
