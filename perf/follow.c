#include "perf/follow.h"

#include <string.h>
#include <sys/mman.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "nic/wire/bytes.h"
#include "shadowbook/assert.h"

enum { SLOT_BYTES = 2 + SB_FOLLOW_MESSAGE_MAX, REQUEST_MAX = 8192 };

void *sb_lazy_alloc(uint64_t bytes)
{
    void *p = mmap(NULL, bytes > 0 ? bytes : 1, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

void sb_lazy_free(void *p, uint64_t bytes)
{
    if (p && munmap(p, bytes > 0 ? bytes : 1) != 0)
        SB_ASSERT(false); /* only a wrong address or size can fail */
}

uint64_t sb_follow_hash(const uint8_t *message, uint32_t len)
{
    const uint64_t h = XXH3_64bits(message, len);
    return h != 0 ? h : 1;
}

bool sb_follow_init(struct sb_follow *f, uint32_t stream, uint64_t capacity, uint32_t slots_n,
                    void (*deliver)(void *, uint64_t, const uint8_t *, uint32_t), void *arg)
{
    SB_ASSERT(slots_n > 0 && (slots_n & (slots_n - 1)) == 0);
    *f = (struct sb_follow){.deliver = deliver,
                            .arg = arg,
                            .stream = stream,
                            .next = 1,
                            .end = 1,
                            .retry_ns = SB_FOLLOW_RETRY_FIRST_NS,
                            .capacity = capacity,
                            .slots_mask = slots_n - 1};
    f->hashes = sb_lazy_alloc(capacity * sizeof *f->hashes);
    f->slots = sb_lazy_alloc((uint64_t)slots_n * SLOT_BYTES);
    if (f->hashes && f->slots)
        return true;
    sb_follow_free(f);
    return false;
}

void sb_follow_free(struct sb_follow *f)
{
    sb_lazy_free(f->hashes, f->capacity * sizeof *f->hashes);
    sb_lazy_free(f->slots, ((uint64_t)f->slots_mask + 1) * SLOT_BYTES);
    f->hashes = NULL;
    f->slots = NULL;
}

static uint8_t *slot_of(const struct sb_follow *f, uint64_t seq)
{
    return f->slots + (seq & f->slots_mask) * SLOT_BYTES;
}

/* Is this our stream? Fixes the name at the first packet and counts every other one. */
static bool name_ours(struct sb_follow *f, const char name[SB_MOLD_NAME_BYTES])
{
    if (sb_stream_of_name(name) != (int32_t)f->stream) {
        f->counters.malformed++;
        return false;
    }
    if (f->names_n > 0 && memcmp(f->name, name, SB_MOLD_NAME_BYTES) == 0)
        return true;
    if (f->names_n == 0) {
        memcpy(f->name, name, SB_MOLD_NAME_BYTES);
        memcpy(f->names[f->names_n++], name, SB_MOLD_NAME_BYTES);
        return true;
    }
    f->counters.foreign++;
    for (uint32_t i = 0; i < f->names_n; i++)
        if (memcmp(f->names[i], name, SB_MOLD_NAME_BYTES) == 0)
            return false;
    if (f->names_n < SB_FOLLOW_NAMES_MAX)
        memcpy(f->names[f->names_n++], name, SB_MOLD_NAME_BYTES);
    return false;
}

static void deliver_next(struct sb_follow *f, const uint8_t *message, uint32_t len)
{
    f->counters.messages++;
    f->deliver(f->arg, f->next++, message, len);
}

static void take(struct sb_follow *f, uint64_t seq, const uint8_t *message, uint32_t len)
{
    if (len > SB_FOLLOW_MESSAGE_MAX) {
        f->counters.malformed++;
        return;
    }
    if (seq > f->capacity) {
        f->counters.over++;
        return;
    }
    const uint64_t hash = sb_follow_hash(message, len);
    if (f->hashes[seq - 1] != 0) {
        if (f->hashes[seq - 1] == hash)
            f->counters.duplicates++;
        else
            f->counters.conflicting++;
        return;
    }
    if (seq - f->next > f->slots_mask) {
        f->counters.far++;
        return;
    }
    f->hashes[seq - 1] = hash;
    if (seq == f->next) {
        deliver_next(f, message, len);
        return;
    }
    uint8_t *slot = slot_of(f, seq);
    sb_put16(slot, (uint16_t)len);
    memcpy(slot + 2, message, len);
}

/* Delivers what waited for the hole that was just filled. */
static void drain(struct sb_follow *f)
{
    while (f->next <= f->capacity && f->hashes[f->next - 1] != 0) {
        const uint8_t *slot = slot_of(f, f->next);
        deliver_next(f, slot + 2, sb_get16(slot));
    }
}

void sb_follow_packet(struct sb_follow *f, uint64_t now_ns, const uint8_t *packet, uint32_t bytes)
{
    struct sb_mold_head head;
    if (!sb_mold_read(packet, bytes, &head) || head.seq == 0) {
        f->counters.malformed++;
        return;
    }
    if (!name_ours(f, head.name))
        return;
    f->counters.packets++;
    const uint64_t before = f->next;
    const uint32_t count = head.count == SB_MOLD_END ? 0 : head.count;
    const uint64_t end = head.seq + count;
    if (end < head.seq || end - 1 > f->capacity) {
        f->counters.over++;
        return;
    }
    uint32_t at = SB_MOLD_HEAD_BYTES, len;
    const uint8_t *message;
    for (uint64_t seq = head.seq; (message = sb_mold_next(packet, bytes, &at, &len)); seq++)
        take(f, seq, message, len);
    drain(f);
    if (end > f->end)
        f->end = end;
    if (!sb_follow_missing(f)) {
        f->counters.gaps_repaired += f->gap_open;
        f->gap_open = false;
        if (end == f->next)
            f->level_ns = now_ns;
    } else if (!f->gap_open || f->next != before) {
        f->counters.gaps += !f->gap_open;
        f->gap_open = true;
        f->request_at_ns = now_ns + SB_FOLLOW_GRACE_NS;
        f->retry_ns = SB_FOLLOW_RETRY_FIRST_NS;
    }
}

bool sb_follow_request(struct sb_follow *f, uint64_t now_ns, uint8_t request[SB_MOLD_HEAD_BYTES])
{
    if (!f->gap_open || now_ns < f->request_at_ns)
        return false;
    uint64_t to = f->next; /* the first hole ends where something was heard */
    while (to < f->end && to - f->next < REQUEST_MAX && f->hashes[to - 1] == 0)
        to++;
    sb_mold_put_head(request, f->name, f->next, (uint16_t)(to - f->next));
    f->counters.requests++;
    f->request_at_ns = now_ns + f->retry_ns;
    f->retry_ns *= 2;
    if (f->retry_ns > SB_FOLLOW_RETRY_LAST_NS)
        f->retry_ns = SB_FOLLOW_RETRY_LAST_NS;
    return true;
}
