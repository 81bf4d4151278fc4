#include "id_map.h"

#include <stdlib.h>
#include <string.h>

#include "shadowbook/assert.h"

/* Where id is, or the free slot where it belongs. The table is never full. */
static uint64_t slot_of(const struct sb_id_map *map, uint64_t id)
{
    uint64_t z = (id ^ (id >> 31)) * UINT64_C(0x9e3779b97f4a7c15);
    uint64_t at = (z ^ (z >> 29)) & (map->slots - 1);
    while (map->values[at] != 0 && map->ids[at] != id)
        at = (at + 1) & (map->slots - 1);
    return at;
}

uint32_t sb_id_map_find(const struct sb_id_map *map, uint64_t id)
{
    return map->slots == 0 ? 0 : map->values[slot_of(map, id)];
}

static bool grow(struct sb_id_map *map)
{
    struct sb_id_map bigger = {.slots = map->slots == 0 ? 1024 : map->slots * 2, .used = map->used};
    bigger.ids = calloc(bigger.slots, sizeof *bigger.ids);
    bigger.values = calloc(bigger.slots, sizeof *bigger.values);
    if (bigger.ids == NULL || bigger.values == NULL) {
        sb_id_map_free(&bigger);
        return false;
    }
    for (uint64_t i = 0; i < map->slots; i++) {
        if (map->values[i] == 0)
            continue;
        const uint64_t at = slot_of(&bigger, map->ids[i]);
        bigger.ids[at] = map->ids[i];
        bigger.values[at] = map->values[i];
    }
    sb_id_map_free(map);
    *map = bigger;
    return true;
}

bool sb_id_map_add(struct sb_id_map *map, uint64_t id, uint32_t value)
{
    SB_ASSERT(value != 0);
    if (map->used * 2 >= map->slots && !grow(map))
        return false;
    const uint64_t at = slot_of(map, id);
    SB_ASSERT_EQ(map->values[at], 0u);
    map->ids[at] = id;
    map->values[at] = value;
    map->used++;
    return true;
}

void sb_id_map_free(struct sb_id_map *map)
{
    free(map->ids);
    free(map->values);
    memset(map, 0, sizeof *map);
}
