/* counters.c: any bytes as the shared file of a process's counters, and what `top` makes of them. A refusal names the file;
 * what is attached can be read to its last counter; JSON stays one line without a stray character.
 *
 * Not judged: a file that its writer shortens while it is read. */
#include <string.h>

#include "perf/top_view.h"
#include "replica/counters.h"
#include "shadowbook/assert.h"
#include "tests/fuzz/file.h"
#include "tests/fuzz/fuzz.h"

enum { JSON_MAX = 1 << 14 };

static void show_judge(const struct sb_top_sample *now, const struct sb_top_sample *before)
{
    static char json[JSON_MAX];
    static FILE *nowhere;
    if (nowhere == NULL)
        nowhere = fopen("/dev/null", "w");
    SB_ASSERT(nowhere != NULL);
    sb_top_table(nowhere, now, 1, before, 1);
    memset(json, 0, sizeof json);
    FILE *out = fmemopen(json, sizeof json, "w");
    SB_ASSERT(out != NULL);
    sb_top_json(out, now, 1);
    SB_ASSERT(fclose(out) == 0);
    const size_t n = strnlen(json, sizeof json);
    SB_ASSERT(n > 2 && n < sizeof json - 1 && json[n - 1] == '\n');
    for (size_t i = 0; i + 1 < n; i++)
        SB_ASSERT(json[i] >= ' ' && json[i] <= '~');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sb_counters_view v;
    struct sb_top_sample now = {0}, before = {0};
    const char *path = fuzz_path("counters");
    if (size > FUZZ_INPUT_MAX)
        return 0;
    fuzz_file_put(path, data, size);
    FILE *err = fuzz_listen();
    const bool good = sb_counters_attach(&v, path, err);
    const char *said = fuzz_heard(err);
    if (!good) {
        SB_ASSERT(strncmp(said, "counters: cannot read ", 22) == 0 && strstr(said, path) != NULL);
        SB_ASSERT(v.c == NULL && v.fd < 0);
        return 0;
    }
    SB_ASSERT(said[0] == '\0' && v.count <= SB_CTR_COUNT && !sb_counters_alive(&v));
    SB_ASSERT_LE(offsetof(struct sb_counters, value) + v.count * sizeof v.c->value[0], size);
    memcpy(now.name, v.c->name, sizeof now.name - 1);
    now.shard = v.c->shard;
    now.pid = v.c->pid;
    now.alive = (v.c->pid & 1) != 0;
    now.started_at_ns = v.c->started_at_ns;
    now.count = v.count;
    now.taken_at_ns = 1000000000;
    memcpy(now.value, v.c->value, v.count * sizeof now.value[0]);
    memcpy(&before, &now, sizeof before);
    for (uint32_t i = 0; i < v.count; i++)
        before.value[i] ^= v.c->value[v.count - 1 - i]; /* counters that also fall */
    before.taken_at_ns = now.taken_at_ns - v.c->zero[0] % 2;
    sb_counters_detach(&v);
    show_judge(&now, &before);
    return 0;
}

uint32_t fuzz_seed(uint32_t i, uint8_t *out)
{
    struct sb_counters c = {.magic = SB_COUNTERS_MAGIC,
                            .version = SB_COUNTERS_VERSION,
                            .count = SB_CTR_COUNT - (i == 1 ? 3 : 0),
                            .pid = 4711 - i,
                            .shard = 1,
                            .name = "A"};
    if (i >= 2)
        return 0;
    c.value[SB_CTR_ROLE] = 4;
    c.value[SB_CTR_EPOCH] = 6;
    c.value[SB_CTR_WENT_LIVE] = i;
    c.value[SB_CTR_LOG_LEN] = UINT64_MAX;
    memcpy(out, &c, sizeof c);
    return sizeof c;
}
