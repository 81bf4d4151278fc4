/* id_map.h: 64-bit ids to 32-bit values, for tools. Open addressing, grows by doubling, nothing is ever removed. */
#ifndef SHADOWBOOK_PERF_ID_MAP_H
#define SHADOWBOOK_PERF_ID_MAP_H

#include <stdbool.h>
#include <stdint.h>

struct sb_id_map { /* start from {0} */
    uint64_t *ids;
    uint32_t *values; /* 0: free */
    uint64_t slots, used;
};

/* The value of id, 0 if there is none. O(1). */
uint32_t sb_id_map_find(const struct sb_id_map *map, uint64_t id);

/* value must not be 0, id must be new. False: out of memory. */
bool sb_id_map_add(struct sb_id_map *map, uint64_t id, uint32_t value);

void sb_id_map_free(struct sb_id_map *map);

#endif
