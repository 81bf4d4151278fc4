/* image.c: any bytes as an engine's image: refused, or an engine that is whole, whose image they are, and that goes on. */
#include "shadowbook/assert.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/loaded.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > FUZZ_INPUT_MAX)
        return 0;
    struct sb_engine *e = loaded_fresh();
    if (sb_engine_load(e, data, size) == NULL)
        loaded_judge(e, data, size);
    return 0;
}

uint32_t fuzz_seed(uint32_t i, uint8_t *out)
{
    const struct sb_engine *e = loaded_seed(i);
    if (e == NULL)
        return 0;
    const size_t bytes = sb_engine_image_bytes(e);
    SB_ASSERT_LE(bytes, (size_t)FUZZ_INPUT_MAX);
    sb_engine_save(e, out, bytes);
    return (uint32_t)bytes;
}
