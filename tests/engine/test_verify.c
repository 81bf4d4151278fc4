/* What verify.h says is asserted: a whole engine passes, and one in which a single thing was changed by hand is found, by the assertion
 * that is there for it. Each case runs in a process of its own, which must abort. */
#include "engine/verify.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/tail_walk.h"
#include "rig.h"

enum { ORDERS = 140, COLLIDING = 42, NEAR = 12 };

static const struct sb_engine_limits limits = {.instruments_max = 2,
                                               .sessions_max = 1,
                                               .orders_max = 200,
                                               .levels_max = 190,
                                               .terms_max = 2,
                                               .window_levels = 64};

static struct sb_engine *e; /* by direct calls: ids in all buckets and the tree, levels in tails */
static void *memory;
static struct rig special; /* by commands: hidden orders and stops */

/* Ids of which all buckets are the same: the first of each kind, and the second far one. */
static bool collides(const struct sb_ids *t, uint64_t id)
{
    const uint64_t h = sb_ids_hash(t, id);
    return sb_ids_near(t, h) == t->near && sb_ids_far(t, h, 0) == t->far &&
           sb_ids_far(t, h, 1) == t->far + 1;
}

static void enter(uint64_t id, uint32_t i)
{
    struct sb_report out[2];
    const int64_t price = i < NEAR ? 10 + i : 1000 + 37 * (int64_t)i;
    ck_assert_uint_eq(sb_direct_order(e, 1, id, SB_SELL, price, 5, out), 1);
    ck_assert_uint_eq(out[0].kind, SB_REPORT_ORDER_ACK);
}

static void open_direct(void)
{
    const struct sb_direct_instrument definition = {
        .tick = 1, .price_max = 100000, .lot = 1, .quantity_max = 1000};
    const size_t bytes = (sb_engine_footprint(&limits) + 63) & ~(size_t)63;
    memory = aligned_alloc(64, bytes);
    ck_assert_ptr_nonnull(memory);
    e = sb_engine_new(memset(memory, 0, bytes), bytes, &limits);
    ck_assert(sb_direct_open(e, 1, &definition));
    struct sb_report out[2];
    uint32_t n = 0;
    for (uint64_t id = 1000; n < COLLIDING; id++)
        if (collides(&e->orders.ids, id))
            enter(id, n++);
    while (n < ORDERS)
        enter(n, n), n++;
    for (uint32_t i = 0; i < 5; i++) /* slots that are free again */
        ck_assert_uint_eq(sb_direct_cancel(e, ORDERS - 1 - i, out), 1);
    ck_assert_uint_eq(sb_direct_order(e, 1, ORDERS, SB_SELL, 90000, 5, out), 1); /* and a node */
    ck_assert_uint_eq(sb_direct_cancel(e, ORDERS, out), 1);
    ck_assert_uint_ne(e->orders.ids.root, 0);
    ck_assert_uint_ne(e->levels.pool.taken[1][0], 0);
}

static void open_special(void)
{
    rig_open(&special, &rig_limits, SB_PHASE_CONTINUOUS);
    for (uint32_t i = 1; i <= 6; i++)
        rig_send(&special,
                 (struct sb_command2){
                     .c = {.kind = SB_CMD_ORDER,
                           .session = 1,
                           .key = i,
                           .instrument = 1,
                           .side = SB_BUY,
                           .quantity = 50,
                           .price = 5000 + 10 * (int64_t)i,
                           .flags = SB_CMD_F_EXT,
                           .capacity = 'P'},
                     .ext.order = {.attributes = i % 2 == 0 ? SB_ATTR_HIDDEN : 0,
                                   .type = i % 2 == 0 ? SB_TYPE_LIMIT : SB_TYPE_STOP_LIMIT,
                                   .stop_price = i % 2 == 0 ? 0 : 9000}});
    ck_assert_uint_eq(special.e->terms.used, 6);
}

static void setup(void)
{
    open_direct();
    open_special();
}

static void teardown(void)
{
    free(memory);
    rig_close(&special);
}

/* --- the parts, by themselves ------------------------------------------------------------------- */

static void whole(void)
{
    ck_assert_uint_eq(sb_engine_verify(e), ORDERS - 5);
}

static void whole_special(void)
{
    ck_assert_uint_eq(sb_engine_verify(special.e), 6);
}

static void ids(void)
{
    ck_assert_uint_eq(sb_ids_verify(&e->orders.ids, e->orders.slots, e->orders.max), ORDERS - 5);
}

static void orders(void)
{
    sb_orders_verify(&e->orders);
}

static struct sb_tail *tail(void)
{
    return &e->books[1].side[SB_SELL].tail;
}

static struct sb_tail_pool *pool(void)
{
    return &e->levels.pool;
}

static void tails(void)
{
    uint32_t nodes = 0;
    const uint32_t leaves = sb_tail_verify(tail(), pool(), &nodes);
    sb_tail_pool_verify(pool(), leaves, nodes);
}

/* --- what is changed ---------------------------------------------------------------------------- */

static struct sb_ids_near *near(void)
{
    return &e->orders.ids.near[0];
}

static void more_by_one(void)
{
    e->orders.ids.more[0]++;
}

static void less_by_one(void)
{
    e->orders.ids.more[0]--;
}

/* One of a near bucket's is counted by its neighbour. */
static void more_elsewhere(void)
{
    e->orders.ids.more[0]--;
    e->orders.ids.more[1]++;
}

static void past_by_one(void)
{
    e->orders.ids.past++;
}

static void far_more(void)
{
    e->orders.ids.far[1].more++;
}

static void far_less(void)
{
    e->orders.ids.far[0].more--;
}

/* A bucket that nobody hashes to counts one. */
static void more_of_nobody(void)
{
    e->orders.ids.far[e->orders.ids.far_n - 1].more++;
}

/* The first cell that counts so many. */
static uint8_t *cell_of(uint32_t least, uint32_t most)
{
    const struct sb_ids *t = &e->orders.ids;
    uint32_t i = 0;
    while (i < t->bytes && ((t->cells[i] & 15u) < least || (t->cells[i] & 15u) > most))
        i++;
    ck_assert_uint_lt(i, t->bytes);
    return &t->cells[i];
}

static void cell_of_nobody(void)
{
    *cell_of(0, 0) += 1;
}

static void cell_of_one_more(void)
{
    *cell_of(1, SB_IDS_CELL_MOST - 2) += 1;
}

static void cell_of_one_less(void)
{
    *cell_of(2, SB_IDS_CELL_MOST - 1) -= 1;
}

/* The bit of a cell that counts so many. */
static void turn_mark(uint32_t least, uint32_t most)
{
    const struct sb_ids *t = &e->orders.ids;
    const uint32_t cell = 2 * (uint32_t)(cell_of(least, most) - t->cells);
    t->marks[cell / 8] = (uint8_t)(t->marks[cell / 8] ^ 1u << cell % 8);
}

static void mark_of_nobody(void)
{
    turn_mark(0, 0);
}

static void mark_lost(void)
{
    turn_mark(1, SB_IDS_CELL_MOST);
}

/* The last order that lives, in the first far bucket, too, which is as good for it. */
static void in_two_lanes(void)
{
    const uint64_t id = ORDERS - 6;
    const uint32_t slot = sb_orders_find(&e->orders, id);
    const uint64_t hash = sb_ids_hash(&e->orders.ids, id);
    struct sb_ids_far *b = sb_ids_far(&e->orders.ids, hash, 0);
    ck_assert(slot != 0 && sb_ids_match_far(b, 0) != 0);
    sb_ids_put_far(b, sb_ids_match_far(b, 0), hash, slot);
}

/* One of the tree, in a bucket that is none of its own. */
static void in_a_strange_bucket(void)
{
    const uint32_t slot = near()->slot[0];
    struct sb_ids_near *b = &e->orders.ids.near[7];
    const uint32_t free = sb_ids_match_near(b, 0);
    ck_assert_uint_ne(free, 0);
    sb_ids_put_near(b, free, sb_ids_hash(&e->orders.ids, e->orders.slots[slot].id), slot);
}

static void lane_of_nobody(void)
{
    struct sb_ids_near *b = &e->orders.ids.near[7];
    sb_ids_put_near(b, sb_ids_match_near(b, 0), SB_IDS_TAG_BIT, e->orders.free);
}

static void lane_beyond_all(void)
{
    near()->slot[3] = (uint16_t)(e->orders.max + 1);
}

static void other_tag(void)
{
    near()->tag[3] = (uint16_t)(near()->tag[3] ^ 2u);
}

/* Who is in the tree is in a lane, too: a place that a removal left. */
static void in_tree_and_lane(void)
{
    struct sb_ids *t = &e->orders.ids;
    uint32_t link = t->root;
    while ((link & SB_IDS_NODE) != 0)
        link = t->nodes[link & ~SB_IDS_NODE].child[0];
    near()->slot[3] = (uint16_t)link;
    near()->tag[3] = sb_ids_tag(sb_ids_hash(t, e->orders.slots[link].id));
}

static struct sb_ids_node *root_of_ids(void)
{
    ck_assert((e->orders.ids.root & SB_IDS_NODE) != 0);
    return &e->orders.ids.nodes[e->orders.ids.root & ~SB_IDS_NODE];
}

static void node_of_another_bit(void)
{
    root_of_ids()->bit++;
}

static void children_swapped(void)
{
    struct sb_ids_node *n = root_of_ids();
    const uint32_t child = n->child[0];
    n->child[0] = n->child[1];
    n->child[1] = child;
}

static void node_lost(void)
{
    struct sb_ids *t = &e->orders.ids;
    t->node_free += 1 + t->nodes[t->node_free].child[0];
}

static void id_gone(void)
{
    near()->tag[2] = 0;
}

static void levels_used(void)
{
    e->levels.used++;
}

static void levels_not_counted(void)
{
    e->levels.counted = false;
}

static void pool_used(void)
{
    pool()->used--;
}

static void rare_used(void)
{
    special.e->rare_levels.used++;
}

static void terms_used(void)
{
    special.e->terms.used++;
}

static void rare_above(void)
{
    struct sb_tail_pool *p = &special.e->rare_levels;
    p->leaves[sb_tail_first(&special.e->rare[1].dark[SB_BUY])].above = 0;
}

static uint32_t first_leaf(void)
{
    return sb_tail_first(tail());
}

/* A leaf thinks that it is the child of its node's node. */
static void other_above(void)
{
    uint32_t link = tail()->root;
    struct sb_tail_leaf *l = &pool()->leaves[first_leaf()];
    ck_assert_uint_ne(link, l->above);
    l->above = link;
}

static void other_prefix(void)
{
    pool()->prefixes[sb_link_index(pool()->leaves[first_leaf()].above)] ^= 1u << 29;
}

static void other_owner(void)
{
    pool()->leaves[first_leaf()].tail = &e->books[1].side[SB_BUY].tail;
}

static void other_least(void)
{
    tail()->least++;
}

static void other_first(void)
{
    tail()->first = tail()->first == 1 ? 2 : 1;
}

static void other_key(void)
{
    struct sb_tail_leaf *l = &pool()->leaves[first_leaf()];
    l->key ^= 1u << sb_link_bit(l->above);
}

/* A child goes to another place of its node. */
static void other_place(void)
{
    const uint32_t leaf = first_leaf();
    uint32_t *at = sb_tail_child(pool(), pool()->leaves[leaf].above, pool()->leaves[leaf].key);
    struct sb_tail_node *n = sb_tail_node_at(pool(), pool()->leaves[leaf].above);
    for (uint32_t i = 0; i < SB_TAIL_CHILDREN; i++)
        if (n->child[i] == 0) {
            n->child[i] = leaf;
            *at = 0;
            return;
        }
    ck_abort_msg("the node is full");
}

static void only_child(void)
{
    struct sb_tail_node *n = sb_tail_node_at(pool(), tail()->root);
    bool kept = false;
    for (uint32_t i = 0; i < SB_TAIL_CHILDREN; i++) {
        n->child[i] = kept ? 0 : n->child[i];
        kept = kept || n->child[i] != 0;
    }
}

static void not_taken(void)
{
    pool()->taken[0][2] ^= UINT64_C(1); /* leaf 129 */
}

static void taken_beyond(void)
{
    pool()->taken[0][2] |= UINT64_C(1) << 63; /* leaf 192 of 190 */
}

static void row_above(void)
{
    pool()->taken[1][0] = 0;
}

static void free_node_with_child(void)
{
    ck_assert_uint_ne(pool()->node_free, 0);
    pool()->nodes[pool()->node_free].child[4] = 1;
}

static void tail_node_lost(void)
{
    pool()->node_free = pool()->prefixes[pool()->node_free];
}

static void nodes_in_a_ring(void)
{
    pool()->prefixes[pool()->node_free] = pool()->node_free;
}

static void slot_lost(void)
{
    e->orders.free += 1 + e->orders.slots[e->orders.free].next;
}

static void slots_in_a_ring(void)
{
    e->orders.slots[e->orders.free].next = UINT32_MAX;
}

static void used_by_one(void)
{
    e->orders.used++;
}

/* The list leads to an order that lives. */
static void live_slot_free(void)
{
    struct sb_orders *t = &e->orders;
    const uint32_t live = near()->slot[0];
    t->slots[t->free].next = live - t->free - 1;
}

static void open_and_free(void)
{
    e->orders.slots[e->orders.free].open = 1;
}

static const struct {
    void (*change)(void), (*part)(void), (*all)(void);
    const char *said; /* by the part */
} CASES[] = {
    {more_by_one, ids, whole, "t->past == past_all(t)"},
    {less_by_one, ids, whole, "t->past == past_all(t)"},
    {more_elsewhere, ids, whole, "t->more[i] == 0 (left"},
    {past_by_one, ids, whole, "t->past == past_all(t)"},
    {far_more, ids, whole, "t->far[i].more == 0 (left 1,"},
    {far_less, ids, whole, "t->far[i].more == 0 (left 4294967295,"},
    {more_of_nobody, ids, whole, "t->far[i].more == 0 (left 1,"},
    {cell_of_nobody, ids, whole, "marked(t)"},
    {cell_of_one_more, ids, whole, "blank_cells(t->cells[i])"},
    {cell_of_one_less, ids, whole, "count_cell: assertion failed: more || n != 0"},
    {mark_of_nobody, ids, whole, "marked(t)"},
    {mark_lost, ids, whole, "marked(t)"},
    {in_two_lanes, ids, whole, "lane_met(t, hash, slot) == tag"},
    {in_a_strange_bucket, ids, whole, "lane_met(t, hash, slot) == tag"},
    {lane_of_nobody, ids, whole, "verify_live: assertion failed: slots[slot].open != 0"},
    {lane_beyond_all, ids, whole, "verify_live: assertion failed: slot != 0 && slot <= max"},
    {other_tag, ids, whole, "*tag == sb_ids_tag(hash)"},
    {in_tree_and_lane, ids, whole, "lane_met(t, sb_ids_hash(t, slots[link].id), link) == "},
    {node_of_another_bit, ids, whole, "(zero ^ one) >> node->bit == 1"},
    {children_swapped, ids, whole, "bit_of(zero, node->bit) == 0"},
    {node_lost, ids, whole, "verify_free_nodes: assertion failed: node != 0 && node <= max"},
    {id_gone, orders, whole, "sb_orders_find(t, t->slots[slot].id) == slot"},
    {levels_used, whole, whole, "e->levels.used == e->levels.counted ? dense + far : 0"},
    {levels_not_counted, whole, whole, "e->levels.used == e->levels.counted ? dense + far : 0"},
    {pool_used, tails, whole, "pool->used == leaves"},
    {rare_used, whole_special, whole_special, "pool->used == leaves"},
    {rare_above, whole_special, whole_special, "l->above == above"},
    {terms_used, whole_special, whole_special, "terms == e->terms.used"},
    {other_above, tails, whole, "l->above == above"},
    {other_prefix, tails, whole, "(key ^ w->pool->prefixes[node]) >> bit < SB_TAIL_CHILDREN"},
    {other_owner, tails, whole, "l->tail == w->t"},
    {other_least, tails, whole, "sb_tail_least(t) == least"},
    {other_first, tails, whole, "sb_tail_first(t) == sb_tail_find(t, pool, least)"},
    {other_key, tails, whole, "key >> bit & (SB_TAIL_CHILDREN - 1u) == i"},
    {other_place, tails, whole, "key >> bit & (SB_TAIL_CHILDREN - 1u) == i"},
    {only_child, tails, whole, "2 <= n"},
    {not_taken, tails, whole, "taken == i < n &&"},
    {taken_beyond, tails, whole, "taken == i < n &&"},
    {row_above, tails, whole, "taken == i < n &&"},
    {free_node_with_child, tails, whole, "pool->nodes[node].child[i] == 0"},
    {tail_node_lost, tails, whole, "verify_free_nodes(pool) + nodes == pool->node_fresh"},
    {nodes_in_a_ring, tails, whole, "n < pool->node_fresh"},
    {slot_lost, orders, whole, "free + live == t->max"},
    {slots_in_a_ring, orders, whole,
     "verify_free: assertion failed: slot >= least && slot < end && n < end"},
    {used_by_one, orders, whole, "live == t->used"},
    {live_slot_free, orders, whole, "verify_free: assertion failed: t->slots[slot].open == 0"},
    {open_and_free, orders, whole, "sb_orders_find(t, t->slots[slot].id) == slot"},
};

/* --- tests -------------------------------------------------------------------------------------- */

START_TEST(whole_ones_pass)
{
    whole();
    whole_special();
    ids();
    orders();
    tails();
    whole(); /* which left everything as it was */
}
END_TEST

/* A process makes the change and looks. What it said before it aborted, in text. */
static void look(void (*change)(void), void (*check)(void), char *text, size_t room)
{
    int pipe_of[2], status;
    size_t n = 0;
    ck_assert_int_eq(pipe(pipe_of), 0);
    const pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        dup2(pipe_of[1], STDERR_FILENO);
        change();
        check();
        _exit(0);
    }
    close(pipe_of[1]);
    for (ssize_t got; n + 1 < room && (got = read(pipe_of[0], text + n, room - 1 - n)) > 0;)
        n += (size_t)got;
    text[n] = 0;
    close(pipe_of[0]);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

START_TEST(one_change_is_found)
{
    char text[4096];
    look(CASES[_i].change, CASES[_i].part, text, sizeof text);
    ck_assert_msg(strstr(text, CASES[_i].said) != NULL, "case %d: %s", _i, text);
    look(CASES[_i].change, CASES[_i].all, text, sizeof text);
    ck_assert_msg(strstr(text, "assertion failed") != NULL, "case %d: %s", _i, text);
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, whole_ones_pass);
    tcase_add_loop_test(tc, one_change_is_found, 0, (int)(sizeof CASES / sizeof CASES[0]));
}

int main(void)
{
    return rig_main("engine-verify", add);
}
