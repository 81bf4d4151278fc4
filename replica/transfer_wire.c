#include "replica/transfer_wire.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { HEAD = sizeof(struct sb_transfer_head) };

static uint64_t hash_of(struct sb_transfer_head head, const uint8_t *payload)
{
    head.hash = 0;
    return XXH3_64bits_withSeed(payload, sb_transfer_wire_bytes(head.bytes) - HEAD,
                                XXH3_64bits(&head, sizeof head));
}

uint32_t sb_transfer_seal(struct sb_transfer_head *head)
{
    uint8_t *payload = (uint8_t *)(head + 1);
    const uint32_t bytes = sb_transfer_wire_bytes(head->bytes);
    SB_ASSERT_LE(head->bytes, (uint32_t)SB_TRANSFER_PAYLOAD_MAX);
    head->magic = SB_TRANSFER_MAGIC;
    head->version = SB_TRANSFER_VERSION;
    memset(payload + head->bytes, 0, bytes - HEAD - head->bytes);
    head->hash = hash_of(*head, payload);
    return bytes;
}

/* Most bytes of payload, least in *min; 0 and 1: no message of that sender. */
static uint32_t payload_max(uint8_t type, enum sb_transfer_sender from, uint32_t *min)
{
    *min = 0;
    if (from == SB_TRANSFER_CLIENT) {
        *min = type != SB_TRANSFER_T_REQUEST && type != SB_TRANSFER_T_ALIVE;
        return 0;
    }
    switch (type) {
    case SB_TRANSFER_T_REFUSED:
        return SB_TRANSFER_WHY_MAX;
    case SB_TRANSFER_T_REACH:
    case SB_TRANSFER_T_SNAPSHOT:
        return 0;
    case SB_TRANSFER_T_PART:
        *min = 1;
        return SB_TRANSFER_PART_MAX;
    case SB_TRANSFER_T_BLOCK:
        *min = SB_JOURNAL_ALIGN;
        return SB_JOURNAL_BLOCK_MAX;
    default:
        *min = 1;
        return 0;
    }
}

static const char *head_fault(const struct sb_transfer_head *h, enum sb_transfer_sender from)
{
    uint32_t min;
    if (h->magic != SB_TRANSFER_MAGIC)
        return "no message of a transfer";
    if (h->version != SB_TRANSFER_VERSION)
        return "a message of another version";
    const uint32_t max = payload_max(h->type, from, &min);
    if (min > max)
        return "a message of an unknown type";
    if (h->bytes < min || h->bytes > max)
        return "a message of an impossible length";
    return h->zero != 0 ? "reserved bytes are not zero" : NULL;
}

const char *sb_transfer_look(const uint8_t *p, uint64_t size, enum sb_transfer_sender from,
                             uint32_t *bytes)
{
    struct sb_transfer_head h;
    *bytes = 0;
    if (size < sizeof h)
        return NULL;
    memcpy(&h, p, sizeof h);
    const char *why = head_fault(&h, from);
    if (why != NULL)
        return why;
    if (size < sb_transfer_wire_bytes(h.bytes))
        return NULL;
    if (hash_of(h, p + sizeof h) != h.hash)
        return "a message's checksum";
    *bytes = sb_transfer_wire_bytes(h.bytes);
    return NULL;
}
