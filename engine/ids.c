#include "engine/ids.h"

#include "engine/verify.h"

static uint64_t scramble(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

void sb_ids_init(struct sb_ids *t, uint32_t max, struct sb_ids_near *near, struct sb_ids_far *far,
                 struct sb_ids_node *nodes, uint8_t *cells)
{
    *t = (struct sb_ids){.near = near,
                         .far = far,
                         .nodes = nodes,
                         .near_mask = (uint64_t)(sb_ids_near_n(max) - 1) * sizeof *near,
                         .far_n = sb_ids_far_n(max),
                         .node_free = 1,
                         .more = (uint32_t *)(void *)(near + sb_ids_near_n(max)),
                         .cells = cells,
                         .marks = cells + sb_ids_cells_n(max),
                         .bytes = sb_ids_cells_n(max)};
    sb_ids_seed(t, 0);
}

void sb_ids_seed(struct sb_ids *t, uint64_t seed)
{
    t->key[0] = scramble(seed + UINT64_C(0x9e3779b97f4a7c15));
    t->key[1] = scramble(seed + UINT64_C(0x3c6ef372fe94f82a)) | 1u;
}

/* --- buckets ------------------------------------------------------------------------------------ */

enum { FARS = 2 }; /* far buckets of an id, which may be the same */

/* The lane where this slot lives, or as many as there are. */
static uint32_t near_lane_of(const struct sb_ids_near *b, uint64_t hash, uint32_t slot)
{
    for (uint32_t lanes = sb_ids_match_near(b, hash); lanes != 0; lanes &= lanes - 1)
        if (b->slot[__builtin_ctz(lanes)] == slot)
            return (uint32_t)__builtin_ctz(lanes);
    return SB_IDS_NEAR_LANES;
}

static uint32_t far_lane_of(const struct sb_ids_far *b, uint64_t hash, uint32_t slot)
{
    for (uint32_t lanes = sb_ids_match_far(b, hash); lanes != 0; lanes &= lanes - 1)
        if (b->slot[__builtin_ctz(lanes)] == slot)
            return (uint32_t)__builtin_ctz(lanes);
    return SB_IDS_FAR_LANES;
}

/* --- the tree ----------------------------------------------------------------------------------- */

static bool is_node(uint32_t link)
{
    return (link & SB_IDS_NODE) != 0;
}

static struct sb_ids_node *node_at(const struct sb_ids *t, uint32_t link)
{
    return &t->nodes[link & ~SB_IDS_NODE];
}

static uint32_t bit_of(uint64_t id, uint32_t bit)
{
    return (uint32_t)(id >> bit) & 1u;
}

/* The only slot that can have the id: follows the id's own bits. The tree must not be empty. */
static uint32_t nearest(const struct sb_ids *t, uint64_t id)
{
    uint32_t link = t->root;
    while (is_node(link)) {
        const struct sb_ids_node *n = node_at(t, link);
        link = n->child[bit_of(id, n->bit)];
    }
    return link;
}

static void tree_add(struct sb_ids *t, const struct sb_order *slots, uint64_t id, uint32_t slot)
{
    if (t->root == 0) {
        t->root = slot;
        return;
    }
    const uint64_t differ = slots[nearest(t, id)].id ^ id;
    SB_ASSERT(differ != 0);
    const uint32_t bit = 63u - (uint32_t)__builtin_clzll(differ);
    uint32_t *link = &t->root;
    while (is_node(*link) && node_at(t, *link)->bit > bit) {
        struct sb_ids_node *n = node_at(t, *link);
        link = &n->child[bit_of(id, n->bit)];
    }
    const uint32_t node = t->node_free;
    struct sb_ids_node *n = &t->nodes[node];
    t->node_free = node + 1 + n->child[0];
    n->bit = bit;
    n->child[bit_of(id, bit)] = slot;
    n->child[bit_of(id, bit) ^ 1u] = *link;
    *link = node | SB_IDS_NODE;
}

static void tree_remove(struct sb_ids *t, uint64_t id, uint32_t slot)
{
    uint32_t *link = &t->root, *above = NULL;
    while (is_node(*link)) {
        struct sb_ids_node *n = node_at(t, *link);
        above = link;
        link = &n->child[bit_of(id, n->bit)];
    }
    SB_ASSERT_EQ(*link, slot);
    if (above == NULL) {
        t->root = 0;
        return;
    }
    const uint32_t node = *above & ~SB_IDS_NODE;
    struct sb_ids_node *n = &t->nodes[node];
    *above = n->child[n->child[0] == slot ? 1 : 0];
    n->child[0] = t->node_free - node - 1;
    t->node_free = node;
}

/* --- what goes past the near bucket --------------------------------------------------------------- */

/* Who waits is not counted yet, and needs the bit as well. */
void sb_ids_unmark(const struct sb_ids *t, uint64_t hash)
{
    const uint64_t cell = sb_ids_cell_of(t, hash);
    for (uint32_t i = 0; i < t->waiting; i++)
        if (sb_ids_cell_of(t, t->wait[i].hash) == cell)
            return;
    t->marks[cell / 8] = (uint8_t)(t->marks[cell / 8] & ~(1u << cell % 8));
}

/* Puts an id, which its near bucket counts already, and whose bit is set, in a bucket or in the tree. */
static void put_beyond(struct sb_ids *t, const struct sb_order *slots, uint64_t hash, uint64_t id,
                       uint32_t slot)
{
    sb_ids_count(t, hash);
    for (uint32_t i = 0; i < FARS; i++) {
        struct sb_ids_far *b = sb_ids_far(t, hash, i);
        const uint32_t lanes = sb_ids_match_far(b, 0);
        if (lanes != 0) {
            sb_ids_put_far(b, lanes, hash, slot);
            return;
        }
        b->more++;
    }
    tree_add(t, slots, id, slot);
}

void sb_ids_put_waiting(struct sb_ids *t, const struct sb_order *slots)
{
    for (uint32_t i = 0; i < t->waiting; i++)
        put_beyond(t, slots, t->wait[i].hash, slots[t->wait[i].slot].id, t->wait[i].slot);
    t->waiting = 0;
}

static uint32_t find_now(const struct sb_ids *t, const struct sb_order *slots, uint64_t id)
{
    const uint64_t hash = sb_ids_hash(t, id);
    const struct sb_ids_near *near = sb_ids_near(t, hash);
    for (uint32_t lanes = sb_ids_match_near(near, hash); lanes != 0; lanes &= lanes - 1) {
        const uint32_t slot = near->slot[__builtin_ctz(lanes)];
        if (slots[slot].id == id)
            return slot;
    }
    if (!sb_ids_past(t, hash))
        return 0;
    for (uint32_t i = 0; i < FARS; i++) {
        const struct sb_ids_far *b = sb_ids_far(t, hash, i);
        for (uint32_t lanes = sb_ids_match_far(b, hash); lanes != 0; lanes &= lanes - 1) {
            const uint32_t slot = b->slot[__builtin_ctz(lanes)];
            if (slots[slot].id == id)
                return slot;
        }
        if (b->more == 0)
            return 0;
    }
    if (t->root == 0)
        return 0;
    const uint32_t slot = nearest(t, id);
    return slots[slot].id == id ? slot : 0;
}

uint32_t sb_ids_find_far(const struct sb_ids *t, const struct sb_order *slots, uint64_t id)
{
    const uint32_t slot = find_now(t, slots, id);
    if (slot != 0 || t->waiting == 0)
        return slot;
    sb_ids_settle(t, slots);
    return find_now(t, slots, id);
}

void sb_ids_add_far(struct sb_ids *t, const struct sb_order *slots, uint64_t id, uint32_t slot)
{
    const uint64_t hash = sb_ids_hash(t, id);
    if (!sb_ids_beyond(t, hash)) {
        sb_ids_wait(t, slots, hash, slot);
        return;
    }
    /* Whoever made sure that it is not live has just looked at its bucket. */
    sb_ids_pass(t, hash, 1);
    put_beyond(t, slots, hash, id, slot);
}

void sb_ids_remove_far(struct sb_ids *t, const struct sb_order *slots, uint64_t id, uint32_t slot)
{
    const uint64_t hash = sb_ids_hash(t, id);
    struct sb_ids_near *near = sb_ids_near(t, hash);
    sb_ids_prefetch_cell(t, hash);
    sb_ids_settle(t, slots);
    const uint32_t near_lane = near_lane_of(near, hash, slot);
    if (near_lane != SB_IDS_NEAR_LANES) {
        near->tag[near_lane] = 0;
        return;
    }
    SB_ASSERT(sb_ids_past(t, hash));
    sb_ids_pass(t, hash, UINT32_MAX);
    sb_ids_uncount(t, hash);
    for (uint32_t i = 0; i < FARS; i++) {
        struct sb_ids_far *b = sb_ids_far(t, hash, i);
        const uint32_t lane = far_lane_of(b, hash, slot);
        if (lane != SB_IDS_FAR_LANES) {
            b->tag[lane] = 0;
            return;
        }
        SB_ASSERT(b->more != 0);
        b->more--;
    }
    tree_remove(t, id, slot);
}

bool sb_ids_enter(struct sb_ids *t, const struct sb_order *slots, uint64_t id, uint32_t slot)
{
    if (sb_ids_enter_soon(t, slots, id, slot))
        return true;
    if (sb_ids_lives(t, slots, id))
        return false;
    sb_ids_add(t, slots, id, slot);
    return true;
}

uint32_t sb_ids_leave_slowly(struct sb_ids *t, const struct sb_order *slots, uint64_t id)
{
    const uint32_t slot = sb_ids_find(t, slots, id);
    if (slot != 0)
        sb_ids_remove(t, slots, id, slot);
    return slot;
}

static uint64_t past_all(const struct sb_ids *t)
{
    uint64_t n = 0;
    for (uint64_t i = 0; i <= t->near_mask / sizeof *t->near; i++)
        n += t->more[i];
    return n;
}

/* Has every cell that is not 0, and no other, its bit? While nobody waits. */
static bool marked(const struct sb_ids *t)
{
    bool good = true;
    for (uint64_t cell = 0; cell < 2 * (uint64_t)t->bytes; cell++) {
        const uint32_t two = t->cells[cell / 2], bits = t->marks[cell / 8];
        good = good &&
               ((two >> cell % 2 * 4 & SB_IDS_CELL_MOST) != 0) == ((bits >> cell % 8 & 1u) != 0);
    }
    return good;
}

/* Nobody is counted, or nobody can tell any more. */
static bool blank_cells(uint8_t two)
{
    return (two & SB_IDS_CELL_MOST) % SB_IDS_CELL_MOST == 0 && (two >> 4) % SB_IDS_CELL_MOST == 0;
}

bool sb_ids_blank(const struct sb_ids *t)
{
    const uint32_t near_n = (uint32_t)(t->near_mask / sizeof *t->near) + 1;
    bool blank = t->root == 0 && t->waiting == 0 && t->past == 0 && marked(t);
    for (uint32_t i = 0; i < t->bytes; i++)
        blank = blank && blank_cells(t->cells[i]);
    for (uint32_t i = 0; i < near_n; i++)
        blank = blank && t->more[i] == 0 &&
                sb_ids_match_near(&t->near[i], 0) == (1u << SB_IDS_NEAR_LANES) - 1;
    for (uint32_t i = 0; i < t->far_n; i++)
        blank = blank && t->far[i].more == 0 &&
                sb_ids_match_far(&t->far[i], 0) == (1u << SB_IDS_FAR_LANES) - 1;
    return blank;
}

/* --- whole (verify.h) ----------------------------------------------------------------------------- */

/* The lane in which a search meets this slot, by its tag; NULL: none. */
static const uint16_t *lane_met(const struct sb_ids *t, uint64_t hash, uint32_t slot)
{
    const struct sb_ids_near *near = sb_ids_near(t, hash);
    const uint32_t near_lane = near_lane_of(near, hash, slot);
    if (near_lane != SB_IDS_NEAR_LANES)
        return &near->tag[near_lane];
    for (uint32_t i = 0; i < FARS; i++) {
        const struct sb_ids_far *b = sb_ids_far(t, hash, i);
        const uint32_t lane = far_lane_of(b, hash, slot);
        if (lane != SB_IDS_FAR_LANES)
            return &b->tag[lane];
    }
    return NULL;
}

static void verify_live(const struct sb_order *slots, uint32_t max, uint32_t slot)
{
    SB_ASSERT(slot != 0 && slot <= max);
    SB_ASSERT(slots[slot].open != 0);
}

/* A lane with this tag, not 0, and this slot. */
static void verify_lane(const struct sb_ids *t, const struct sb_order *slots, uint32_t max,
                        const uint16_t *tag, uint32_t slot)
{
    verify_live(slots, max, slot);
    const uint64_t hash = sb_ids_hash(t, slots[slot].id);
    SB_ASSERT_EQ(*tag, sb_ids_tag(hash));
    SB_ASSERT(lane_met(t, hash, slot) == tag); /* in no other one */
}

static uint32_t verify_near(const struct sb_ids *t, const struct sb_order *slots, uint32_t max,
                            const struct sb_ids_near *b)
{
    uint32_t n = 0;
    for (uint32_t lane = 0; lane < SB_IDS_NEAR_LANES; lane++)
        if (b->tag[lane] != 0) {
            verify_lane(t, slots, max, &b->tag[lane], b->slot[lane]);
            n++;
        }
    return n;
}

static uint32_t verify_far(const struct sb_ids *t, const struct sb_order *slots, uint32_t max,
                           const struct sb_ids_far *b)
{
    uint32_t n = 0;
    for (uint32_t lane = 0; lane < SB_IDS_FAR_LANES; lane++)
        if (b->tag[lane] != 0) {
            verify_lane(t, slots, max, &b->tag[lane], b->slot[lane]);
            n++;
        }
    return n;
}

/* Below a link that is not 0, where all agree from bit `above` up. Counts the slots; returns one of the ids. */
static uint64_t verify_tree(const struct sb_ids *t, const struct sb_order *slots, uint32_t max,
                            uint32_t link, uint32_t above, uint32_t *n)
{
    if (!is_node(link)) {
        verify_live(slots, max, link);
        SB_ASSERT(lane_met(t, sb_ids_hash(t, slots[link].id), link) == NULL);
        ++*n;
        return slots[link].id;
    }
    const struct sb_ids_node *node = node_at(t, link);
    SB_ASSERT_LE(link & ~SB_IDS_NODE, max);
    SB_ASSERT_LT(node->bit, above);
    const uint64_t zero = verify_tree(t, slots, max, node->child[0], node->bit, n);
    const uint64_t one = verify_tree(t, slots, max, node->child[1], node->bit, n);
    SB_ASSERT_EQ((zero ^ one) >> node->bit, 1);
    SB_ASSERT_EQ(bit_of(zero, node->bit), 0);
    return zero;
}

/* `used` of the nodes 1..max are in the tree, the others in the list of free ones. */
static void verify_free_nodes(const struct sb_ids *t, uint32_t max, uint32_t used)
{
    uint32_t node = t->node_free;
    for (uint32_t n = used; n < max; n++) {
        SB_ASSERT(node != 0 && node <= max);
        node += 1 + t->nodes[node].child[0];
    }
    SB_ASSERT_EQ(node, max + 1);
}

/* A cell's number, up or down, whatever its bit says; what is stuck stays. */
static void count_cell(const struct sb_ids *t, uint64_t hash, bool more)
{
    uint32_t up;
    uint8_t *cell = sb_ids_cell(t, hash, &up);
    const uint32_t n = *cell >> up & SB_IDS_CELL_MOST;
    SB_ASSERT(more || n != 0);
    if (n != SB_IDS_CELL_MOST)
        *cell = (uint8_t)(more ? *cell + (1u << up) : *cell - (1u << up));
}

/* What an order went past counts it: takes it off these counts, or puts it back. */
static void count_one(const struct sb_ids *t, uint64_t hash, uint32_t slot, bool back)
{
    const uint32_t one = back ? 1u : UINT32_MAX;
    struct sb_ids_near *near = sb_ids_near(t, hash);
    if (near_lane_of(near, hash, slot) != SB_IDS_NEAR_LANES)
        return;
    *sb_ids_more(t, hash) += one;
    count_cell(t, hash, back);
    for (uint32_t i = 0; i < FARS; i++) {
        struct sb_ids_far *b = sb_ids_far(t, hash, i);
        if (far_lane_of(b, hash, slot) != SB_IDS_FAR_LANES)
            return;
        b->more += one;
    }
}

static void count_all(const struct sb_ids *t, const struct sb_order *slots, uint32_t max, bool back)
{
    for (uint32_t slot = 1; slot <= max; slot++)
        if (slots[slot].open != 0)
            count_one(t, sb_ids_hash(t, slots[slot].id), slot, back);
}

uint32_t sb_ids_verify(const struct sb_ids *t, const struct sb_order *slots, uint32_t max)
{
    const uint32_t near_n = (uint32_t)(t->near_mask / sizeof *t->near) + 1;
    uint32_t in_lanes = 0, in_tree = 0;
    sb_ids_settle(t, slots);
    for (uint32_t i = 0; i < near_n; i++)
        in_lanes += verify_near(t, slots, max, &t->near[i]);
    for (uint32_t i = 0; i < t->far_n; i++)
        in_lanes += verify_far(t, slots, max, &t->far[i]);
    if (t->root != 0)
        (void)verify_tree(t, slots, max, t->root, 64, &in_tree);
    verify_free_nodes(t, max, in_tree != 0 ? in_tree - 1 : 0);
    SB_ASSERT(marked(t));
    SB_ASSERT_EQ(t->past, past_all(t));
    count_all(t, slots, max, false);
    for (uint32_t i = 0; i < near_n; i++)
        SB_ASSERT_EQ(t->more[i], 0);
    for (uint32_t i = 0; i < t->far_n; i++)
        SB_ASSERT_EQ(t->far[i].more, 0);
    for (uint32_t i = 0; i < t->bytes; i++)
        SB_ASSERT(blank_cells(t->cells[i]));
    count_all(t, slots, max, true);
    return in_lanes + in_tree;
}
