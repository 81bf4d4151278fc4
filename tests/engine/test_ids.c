/* The orders' pool and the table of their ids by themselves, under seeded random flows. */
#include <check.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "engine/orders.h"
#include "engine/verify.h"

static uint32_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33);
}

/* The orders' pool and the table of their ids. */
struct pool {
    struct sb_orders t;
    struct sb_order *slots;
    struct sb_order_beside *beside;
    struct sb_ids_near *near;
    struct sb_ids_far *far;
    struct sb_ids_node *nodes;
    uint8_t *cells;
};

static void *zeroed(size_t n, size_t bytes)
{
    const size_t all = (n * bytes + 63) & ~(size_t)63;
    void *memory = aligned_alloc(64, all);
    ck_assert_ptr_nonnull(memory);
    return memset(memory, 0, all);
}

static void pool_open(struct pool *p, uint32_t max, uint64_t seed)
{
    p->slots = zeroed(max + 1, sizeof *p->slots);
    p->beside = zeroed(max + 1, sizeof *p->beside);
    p->near = zeroed(sb_ids_near_bytes(max), 1);
    p->far = zeroed(sb_ids_far_n(max), sizeof *p->far);
    p->nodes = zeroed(sb_ids_nodes_n(max), sizeof *p->nodes);
    p->cells = zeroed(sb_ids_cells_bytes(max), 1);
    sb_orders_init(&p->t, max, p->slots, p->beside);
    sb_ids_init(&p->t.ids, max, p->near, p->far, p->nodes, p->cells);
    sb_ids_seed(&p->t.ids, seed);
    ck_assert(sb_ids_blank(&p->t.ids));
}

static void pool_close(struct pool *p)
{
    free(p->slots);
    free(p->beside);
    free(p->near);
    free(p->cells);
    free(p->far);
    free(p->nodes);
}

static uint64_t next_random_64(uint64_t *random)
{
    const uint64_t high = next_random(random);
    return high << 33 ^ next_random(random);
}

/* Ids of several shapes: random, a session's keys that rise, few bits set, the largest. */
static uint64_t some_id(uint64_t *random, uint32_t shape, uint32_t i)
{
    if (shape == 0)
        return next_random_64(random);
    if (shape == 1)
        return UINT64_C(7) << 32 | i;
    if (shape == 2)
        return (UINT64_C(1) << i % 64) * (i / 64);
    return UINT64_MAX - i;
}

/* Two ways to the same: by looks of their own, or in one look. */
static uint32_t pool_add(struct pool *p, uint64_t id, bool one_look)
{
    if (!one_look)
        return sb_orders_add(&p->t, id, 1, 0, sb_order_meta(1, 1, 0));
    const uint32_t slot = sb_orders_next(&p->t);
    ck_assert(sb_ids_enter(&p->t.ids, p->slots, id, slot));
    ck_assert_uint_eq(sb_orders_take(&p->t), slot);
    p->slots[slot] = (struct sb_order){.id = id, .open = 1, .meta = sb_order_meta(1, 1, 0)};
    return slot;
}

static void pool_drop(struct pool *p, uint32_t slot, bool one_look)
{
    if (!one_look) {
        sb_orders_drop(&p->t, slot);
        return;
    }
    ck_assert_uint_eq(sb_ids_leave(&p->t.ids, p->slots, p->slots[slot].id), slot);
    sb_orders_give(&p->t, &p->t.slots[slot]);
}

/* More orders than there are low slots: they are taken in turn, and whoever comes when some of them have gone gets a low slot as
 * long as one is free, whichever went last. All are found. */
START_TEST(low_slots_first)
{
    enum { MAX = SB_IDS_NEAR_SLOTS + 3000, GO = 7 };
    struct pool p;
    uint64_t random = 5 + (uint64_t)_i;
    uint32_t low = 0, high = 0;
    pool_open(&p, MAX, 3);
    for (uint32_t i = 1; i <= MAX; i++)
        ck_assert_uint_eq(pool_add(&p, next_random_64(&random), _i == 0), i);
    sb_orders_verify(&p.t);
    for (uint32_t slot = 1 + (uint32_t)_i; slot <= MAX; slot += GO) {
        pool_drop(&p, slot, _i == 0);
        *(slot < SB_IDS_NEAR_SLOTS ? &low : &high) += 1;
    }
    ck_assert(low != 0 && high != 0);
    sb_orders_verify(&p.t);
    for (uint32_t i = 0; i < low + high; i++) {
        const uint64_t id = next_random_64(&random);
        const uint32_t slot = pool_add(&p, id, _i == 0);
        ck_assert_int_eq(slot < SB_IDS_NEAR_SLOTS, i < low);
        ck_assert_uint_eq(sb_orders_find(&p.t, id), slot);
    }
    sb_orders_verify(&p.t);
    ck_assert_uint_eq(p.t.used, MAX);
    for (uint32_t slot = MAX; slot > 0; slot--)
        pool_drop(&p, slot, _i == 0);
    ck_assert(sb_ids_blank(&p.t.ids));
    sb_orders_verify(&p.t);
    pool_close(&p);
}
END_TEST

/* Full to the last slot, then near that for good, every order found at every time; then empty as it was at first. */
START_TEST(orders_are_found)
{
    enum { MAX = 300, STEPS = 40000 };
    struct pool p;
    uint32_t live[MAX], n = 0;
    uint64_t random = 7 + (uint64_t)_i;
    pool_open(&p, MAX, (uint64_t)_i * 12345);
    for (uint32_t step = 0; step < STEPS; step++) {
        if (n < MAX && (n < MAX - 8 || next_random(&random) % 2 == 0)) {
            const uint64_t id = some_id(&random, (uint32_t)_i, step);
            if (sb_orders_find(&p.t, id) != 0)
                continue;
            const uint32_t slot = pool_add(&p, id, next_random(&random) % 2 == 0);
            ck_assert(slot != 0 && slot <= MAX);
            ck_assert_uint_eq(sb_orders_executed(&p.t, slot), 0); /* not of who was there before */
            ck_assert_uint_eq(sb_orders_extra(&p.t, slot), 0);
            sb_orders_set_executed(&p.t, slot, (uint32_t)id);
            live[n++] = slot;
        } else {
            const uint32_t at = next_random(&random) % n;
            const uint64_t id = p.slots[live[at]].id;
            pool_drop(&p, live[at], next_random(&random) % 2 == 0);
            ck_assert_uint_eq(sb_orders_find(&p.t, id), 0);
            live[at] = live[--n];
        }
        ck_assert_uint_eq(p.t.used, n);
        if (step % 64 == 0)
            sb_orders_verify(&p.t);
        if (step % 64 == 0)
            for (uint32_t i = 0; i < n; i++) {
                const struct sb_order *o = &p.slots[live[i]];
                ck_assert_uint_eq(sb_orders_find(&p.t, o->id), live[i]);
                ck_assert_uint_eq(sb_orders_executed(&p.t, live[i]), (uint32_t)o->id);
            }
    }
    while (n > 0)
        sb_orders_drop(&p.t, live[--n]);
    ck_assert(sb_ids_blank(&p.t.ids));
    pool_close(&p);
}
END_TEST

/* A live id is not entered again, one that is not live does not leave: nothing changes. */
static void check_refusals(struct pool *p, uint64_t id, uint32_t slot)
{
    const size_t near_bytes = sb_ids_near_bytes(p->t.max);
    const size_t far_bytes = sb_ids_far_n(p->t.max) * sizeof *p->far;
    static unsigned char near[16 * 68], far[16 * 64];
    sb_ids_settle(&p->t.ids, p->slots);
    const struct sb_ids before = p->t.ids;
    ck_assert(near_bytes <= sizeof near && far_bytes <= sizeof far);
    memcpy(near, p->near, near_bytes);
    memcpy(far, p->far, far_bytes);
    if (slot != 0)
        ck_assert(!sb_ids_enter(&p->t.ids, p->slots, id, p->t.free));
    else
        ck_assert_uint_eq(sb_ids_leave(&p->t.ids, p->slots, id), 0);
    ck_assert_mem_eq(p->near, near, near_bytes);
    ck_assert_mem_eq(p->far, far, far_bytes);
    ck_assert_mem_eq(&p->t.ids, &before, sizeof before);
}

/* Ids that share all their buckets: the tree has what these cannot hold, and everything is found in whatever order it
 * came and leaves. A stranger who hashes there is looked for in the tree, and not found. */
START_TEST(ids_collide_everywhere)
{
    enum { MAX = 64, ALL = MAX + 1 };
    struct pool p;
    uint64_t ids[ALL], random = 3 + (uint64_t)_i;
    uint32_t slots[ALL] = {0}, n = 0;
    pool_open(&p, MAX, 99);
    const struct sb_ids *t = &p.t.ids;
    for (uint64_t id = 0; n < ALL; id += n % 2 == 0 ? 1 : UINT64_C(0x123456789)) {
        const uint64_t h = sb_ids_hash(t, id);
        bool known = false;
        for (uint32_t i = 0; i < n; i++)
            known = known || ids[i] == id;
        if (!known && sb_ids_near(t, h) == p.near && sb_ids_far(t, h, 0) == p.far &&
            sb_ids_far(t, h, 1) == p.far + 1)
            ids[n++] = id;
    }
    for (uint32_t round = 0; round < 2000; round++) {
        const uint32_t at = next_random(&random) % MAX;
        if (slots[at] == 0) {
            slots[at] = pool_add(&p, ids[at], next_random(&random) % 2 == 0);
        } else if (round < 1000 && round % 3 != 0) { /* mostly full, then thinner */
            continue;
        } else {
            pool_drop(&p, slots[at], next_random(&random) % 2 == 0);
            slots[at] = 0;
        }
        for (uint32_t i = 0; i < ALL; i++)
            check_refusals(&p, ids[i], slots[i]);
        for (uint32_t i = 0; i < ALL; i++)
            ck_assert_uint_eq(sb_orders_find(&p.t, ids[i]), slots[i]);
        ck_assert(p.t.used <= SB_IDS_NEAR_LANES + 2 * SB_IDS_FAR_LANES || t->root != 0);
        sb_orders_verify(&p.t);
    }
    for (uint32_t i = 0; i < MAX; i++)
        if (slots[i] == 0)
            slots[i] = pool_add(&p, ids[i], i % 2 == 0);
    ck_assert_uint_eq(p.t.used, MAX);
    for (uint32_t i = 0; i < MAX; i++)
        pool_drop(&p, slots[_i % 2 == 0 ? i : MAX - 1 - i], i % 3 == 0);
    ck_assert(sb_ids_blank(t));
    pool_close(&p);
}
END_TEST

/* The lane of a near bucket in which a slot lives, SB_IDS_NEAR_LANES: in none. */
static uint32_t lane_of(const struct sb_ids_near *b, uint32_t slot)
{
    uint32_t lane = 0;
    while (lane < SB_IDS_NEAR_LANES && (b->tag[lane] == 0 || b->slot[lane] != slot))
        lane++;
    return lane;
}

/* Ids of one bucket and one home: the first is at home, the next in the last lanes, and then downwards. Who
 * comes when home is free again is there. All are found, by each of the ways. */
START_TEST(home_first)
{
    enum { N = SB_IDS_NEAR_LANES, HOME = 5 };
    static const uint32_t lanes[N] = {HOME, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 4, 3, 2, 1, 0};
    struct pool p;
    uint64_t ids[N];
    uint32_t slots[N], n = 0;
    pool_open(&p, 64, 7);
    const struct sb_ids *t = &p.t.ids;
    for (uint64_t id = 0; n < N; id++)
        if (sb_ids_near(t, sb_ids_hash(t, id)) == p.near && sb_ids_home(sb_ids_hash(t, id)) == HOME)
            ids[n++] = id;
    for (uint32_t i = 0; i < N; i++) {
        slots[i] = pool_add(&p, ids[i], (i + (uint32_t)_i) % 2 == 0);
        ck_assert_uint_eq(lane_of(p.near, slots[i]), lanes[i]);
    }
    for (uint32_t i = 0; i < N; i++) {
        uint32_t slot = 0;
        ck_assert_ptr_eq(sb_ids_look_near(t, p.slots, ids[i], &slot), &p.near->tag[lanes[i]]);
        ck_assert_uint_eq(slot, slots[i]);
        ck_assert_uint_eq(sb_orders_find(&p.t, ids[i]), slots[i]);
    }
    pool_drop(&p, slots[3], _i == 0);
    pool_drop(&p, slots[0], _i == 0);
    slots[3] = pool_add(&p, ids[3], _i == 0);
    ck_assert_uint_eq(lane_of(p.near, slots[3]), HOME);
    for (uint32_t i = 1; i < N; i++)
        pool_drop(&p, slots[i], (i + (uint32_t)_i) % 2 == 0);
    ck_assert(sb_ids_blank(t));
    pool_close(&p);
}
END_TEST

/* 28 ids that share all buckets, in one look each: which bucket has how many, and how many went past it. */
START_TEST(buckets_fill_in_turn)
{
    enum { N = SB_IDS_NEAR_LANES + SB_IDS_FAR_LANES + 2 };
    struct pool p;
    uint64_t ids[N];
    uint32_t slots[N], n = 0;
    pool_open(&p, 64, 5);
    const struct sb_ids *t = &p.t.ids;
    for (uint64_t id = 0; n < N; id++) {
        const uint64_t h = sb_ids_hash(t, id);
        if (sb_ids_near(t, h) == p.near + 3 && sb_ids_far(t, h, 0) == p.far + 2 &&
            sb_ids_far(t, h, 1) == p.far + 5)
            ids[n++] = id;
    }
    for (uint32_t i = 0; i < N; i++) {
        slots[i] = pool_add(&p, ids[i], true);
        sb_ids_settle(t, p.slots);
        const uint32_t so_far = i + 1;
        ck_assert_uint_eq(t->more[3], so_far > 16 ? so_far - 16 : 0);
        ck_assert_uint_eq(t->past, t->more[3]);
        ck_assert_uint_eq(p.far[2].more, so_far > 26 ? so_far - 26 : 0);
        ck_assert_uint_eq(p.far[5].more, 0);
    }
    const uint32_t lane = lane_of(&p.near[3], slots[4]);
    pool_drop(&p, slots[4], true); /* of the near bucket: a place that the next one takes */
    ck_assert_uint_eq(t->more[3], 12);
    slots[4] = pool_add(&p, ids[4], true);
    ck_assert_uint_eq(t->more[3], 12);
    ck_assert_uint_eq(lane_of(&p.near[3], slots[4]), lane);
    pool_drop(&p, slots[20], true); /* of the first far bucket */
    ck_assert_uint_eq(t->more[3], 11);
    ck_assert_uint_eq(p.far[2].more, 2);
    pool_drop(&p, slots[26], true); /* of the second */
    ck_assert_uint_eq(t->more[3], 10);
    ck_assert_uint_eq(p.far[2].more, 1);
    for (uint32_t i = 0; i < N; i++)
        if (i != 20 && i != 26)
            pool_drop(&p, slots[i], true);
    ck_assert(sb_ids_blank(t));
    pool_close(&p);
}
END_TEST

static uint32_t cell_of(const struct sb_ids *t, uint64_t id)
{
    uint32_t up;
    const uint8_t *cell = sb_ids_cell(t, sb_ids_hash(t, id), &up);
    return *cell >> up & 15u;
}

/* Ids of one near bucket, which those before them fill: they wait, have their bits, are found and refused meanwhile, and are put in their
 * buckets before the ninth waits, or before somebody looks who cannot know better: not who asks for an id whose bit is 0. */
START_TEST(they_wait)
{
    enum { FIRST = SB_IDS_NEAR_LANES, WAIT = SB_IDS_WAIT_MOST, ALL = FIRST + WAIT + 1 };
    struct pool p;
    uint64_t ids[ALL], like = 0, unlike = 0;
    uint32_t slots[ALL], n = 0;
    pool_open(&p, 64, 11);
    struct sb_ids *t = &p.t.ids;
    for (uint64_t id = 0; n < ALL || like == 0 || unlike == 0; id++) {
        if (sb_ids_near(t, sb_ids_hash(t, id)) != p.near)
            continue;
        uint32_t up[2];
        const uint8_t *cell = sb_ids_cell(t, sb_ids_hash(t, id), &up[0]);
        bool shared = false;
        for (uint32_t i = FIRST; i < n; i++)
            shared = shared ||
                     (sb_ids_cell(t, sb_ids_hash(t, ids[i]), &up[1]) == cell && up[0] == up[1]);
        if (!shared && n < ALL)
            ids[n++] = id;
        else if (n == ALL)
            *(shared ? &like : &unlike) = id;
    }
    for (uint32_t i = 0; i < FIRST + WAIT; i++)
        slots[i] = pool_add(&p, ids[i], i % 2 == 0);
    ck_assert_uint_eq(t->waiting, WAIT);
    ck_assert_uint_eq(t->more[0], WAIT);
    for (uint32_t i = FIRST; i < ALL; i++) {
        ck_assert_uint_eq(cell_of(t, ids[i]), 0);
        ck_assert_int_eq(sb_ids_beyond(t, sb_ids_hash(t, ids[i])), i < FIRST + WAIT);
    }
    ck_assert(!sb_orders_live(&p.t, unlike) && sb_orders_live(&p.t, ids[0]));
    ck_assert_uint_eq(sb_orders_find(&p.t, ids[0]), slots[0]);
    ck_assert_uint_eq(t->waiting, WAIT);
    if (_i == 0) {
        ck_assert(!sb_orders_live(&p.t, like));
    } else if (_i == 1) {
        ck_assert(!sb_ids_enter(t, p.slots, ids[FIRST + 3], p.t.free));
    } else if (_i == 2) {
        pool_drop(&p, slots[FIRST + 3], true);
        slots[FIRST + 3] = 0;
    } else if (_i == 3) {
        pool_drop(&p, slots[FIRST + 3], false);
        slots[FIRST + 3] = 0;
    }
    ck_assert_uint_eq(t->waiting, _i == 4 ? WAIT : 0);
    slots[ALL - 1] = pool_add(&p, ids[ALL - 1], true);
    ck_assert_uint_eq(t->waiting, 1);
    for (uint32_t i = FIRST; i + 1 < ALL; i++)
        ck_assert_uint_eq(cell_of(t, ids[i]), slots[i] != 0);
    for (uint32_t i = 0; i < ALL; i++)
        ck_assert(sb_orders_find(&p.t, ids[i]) == slots[i] &&
                  sb_orders_live(&p.t, ids[i]) == (slots[i] != 0));
    sb_orders_verify(&p.t);
    for (uint32_t i = 0; i < ALL; i++)
        if (slots[i] != 0)
            pool_drop(&p, slots[i], i % 3 == 0);
    for (uint32_t i = 0; i < sb_ids_cells_bytes(64); i++)
        ck_assert_uint_eq(p.cells[i], 0);
    ck_assert(sb_ids_blank(t));
    pool_close(&p);
}
END_TEST

/* Ids of near bucket 0: first as many as fill it, then one for each of `cells`, 0 or 1: which of two cells, not of one byte, it is of. */
static void ids_of_cells(const struct pool *p, uint64_t *ids, uint32_t n, const uint8_t *cells)
{
    const struct sb_ids *t = &p->t.ids;
    uint64_t cell[2] = {0, 0};
    bool known[2] = {false, false};
    uint32_t at = 0;
    for (uint64_t id = 1; at < n; id++) {
        const uint64_t h = sb_ids_hash(t, id), c = sb_ids_cell_of(t, h);
        if (sb_ids_near(t, h) != p->near)
            continue;
        if (at >= SB_IDS_NEAR_LANES) {
            const uint32_t which = cells[at - SB_IDS_NEAR_LANES];
            if (known[which] ? c != cell[which]
                             : known[which ^ 1u] && c / 2 == cell[which ^ 1u] / 2)
                continue;
            known[which] = true;
            cell[which] = c;
        }
        ids[at++] = id;
    }
}

/* Two ids of one cell, of a full near bucket: the first waits, so that the second, who meets its bit, does not. When the second
 * leaves, nobody is counted, but the first is there all the same, and goes like any other. */
START_TEST(bit_of_who_waits_stays)
{
    enum { FIRST = SB_IDS_NEAR_LANES, ALL = FIRST + 2 };
    static const uint8_t cells[] = {0, 0};
    struct pool p;
    uint64_t ids[ALL];
    uint32_t slots[ALL];
    pool_open(&p, 64, 13);
    const struct sb_ids *t = &p.t.ids;
    ids_of_cells(&p, ids, ALL, cells);
    for (uint32_t i = 0; i < ALL; i++)
        slots[i] =
            pool_add(&p, ids[i], false); /* in one look the second would have the first put in */
    ck_assert_uint_eq(t->waiting, 1);
    ck_assert_uint_eq(cell_of(t, ids[FIRST]), 1); /* the second */
    pool_drop(&p, slots[FIRST + 1], true);
    ck_assert_uint_eq(t->waiting, 1);
    ck_assert_uint_eq(cell_of(t, ids[FIRST]), 0);
    ck_assert(sb_orders_live(&p.t, ids[FIRST]));
    ck_assert(!sb_ids_enter(&p.t.ids, p.slots, ids[FIRST], sb_orders_next(&p.t)));
    ck_assert_uint_eq(sb_orders_find(&p.t, ids[FIRST]), slots[FIRST]);
    sb_orders_verify(&p.t);
    for (uint32_t i = 0; i <= FIRST; i++)
        pool_drop(&p, slots[i], i % 2 == 0);
    ck_assert(!sb_ids_beyond(t, sb_ids_hash(t, ids[FIRST])));
    ck_assert(sb_ids_blank(t));
    pool_close(&p);
}
END_TEST

/* Whoever leaves his far bucket, and is the last of his cell, takes the bit with him, whoever waits elsewhere. */
START_TEST(bit_of_who_left_goes)
{
    enum { FIRST = SB_IDS_NEAR_LANES, ALL = FIRST + 2 };
    static const uint8_t cells[] = {0, 1};
    struct pool p;
    uint64_t ids[ALL];
    uint32_t slots[ALL];
    pool_open(&p, 64, 17);
    const struct sb_ids *t = &p.t.ids;
    ids_of_cells(&p, ids, ALL, cells);
    for (uint32_t i = 0; i < ALL; i++) {
        slots[i] = pool_add(&p, ids[i], true);
        if (i == FIRST)
            sb_ids_settle(t, p.slots);
    }
    ck_assert_uint_eq(t->waiting, 1);
    pool_drop(&p, slots[FIRST], true);
    ck_assert_uint_eq(t->waiting, 1);
    ck_assert(!sb_ids_beyond(t, sb_ids_hash(t, ids[FIRST])));
    ck_assert(sb_ids_beyond(t, sb_ids_hash(t, ids[FIRST + 1])));
    sb_orders_verify(&p.t);
    pool_close(&p);
}
END_TEST

/* A cell that came to 15 stays there, and its bit, and its neighbour in the byte is another's; who shares it is found as ever. */
START_TEST(a_cell_sticks)
{
    enum { FIRST = SB_IDS_NEAR_LANES, OF = SB_IDS_CELL_MOST + 3, ALL = FIRST + OF };
    static const uint8_t cells[OF] = {0};
    struct pool p;
    uint64_t ids[ALL];
    uint32_t slots[ALL];
    pool_open(&p, 64, 19 + (uint64_t)_i);
    const struct sb_ids *t = &p.t.ids;
    ids_of_cells(&p, ids, ALL, cells);
    const uint64_t h = sb_ids_hash(t, ids[FIRST]), cell = sb_ids_cell_of(t, h);
    for (uint32_t i = 0; i < FIRST; i++)
        slots[i] = pool_add(&p, ids[i], true);
    for (uint32_t round = 0; round < 3; round++) {
        for (uint32_t i = FIRST; i < ALL; i++) {
            slots[i] = pool_add(&p, ids[i], (i + round) % 2 == 0);
            ck_assert_uint_eq(sb_orders_find(&p.t, ids[i]), slots[i]);
        }
        sb_ids_settle(t, p.slots);
        for (uint32_t i = FIRST; i < ALL; i++) {
            ck_assert_uint_eq(cell_of(t, ids[FIRST]), SB_IDS_CELL_MOST);
            ck_assert_uint_eq((uint32_t)t->cells[cell / 2] >> (cell ^ 1u) % 2 * 4 & 15u, 0);
            pool_drop(&p, slots[i], (i + round) % 3 == 0);
            ck_assert(!sb_orders_live(&p.t, ids[i]));
        }
        ck_assert_uint_eq(cell_of(t, ids[FIRST]), SB_IDS_CELL_MOST);
        ck_assert(sb_ids_beyond(t, h));
        sb_orders_verify(&p.t);
    }
    for (uint32_t i = 0; i < FIRST; i++)
        pool_drop(&p, slots[i], true);
    ck_assert(sb_ids_blank(t));
    pool_close(&p);
}
END_TEST

/* A near bucket with a free lane is no place for the id of somebody who is beyond it. */
START_TEST(no_spot_for_who_lives)
{
    enum { ALL = SB_IDS_NEAR_LANES + 1 };
    static const uint8_t cells[] = {0};
    struct pool p;
    uint64_t ids[ALL];
    uint32_t slots[ALL];
    struct sb_ids_spot spot;
    pool_open(&p, 64, 23);
    const struct sb_ids *t = &p.t.ids;
    ids_of_cells(&p, ids, ALL, cells);
    for (uint32_t i = 0; i < ALL; i++)
        slots[i] = pool_add(&p, ids[i], true);
    pool_drop(&p, slots[3], true);
    for (uint32_t settled = 0; settled < 2; settled++) {
        ck_assert(!sb_ids_spot_near(t, sb_ids_hash(t, ids[ALL - 1]), &spot));
        sb_ids_settle(t, p.slots);
    }
    pool_drop(&p, slots[ALL - 1], true);
    ck_assert(sb_ids_spot_near(t, sb_ids_hash(t, ids[ALL - 1]), &spot));
    ck_assert_ptr_eq(spot.bucket, p.near);
    pool_close(&p);
}
END_TEST

/* The same ids under another seed are in other buckets. */
START_TEST(the_seed_decides)
{
    struct pool a, b;
    uint32_t same = 0;
    pool_open(&a, 1000, 1);
    pool_open(&b, 1000, 2);
    for (uint64_t id = 0; id < 1000; id++) {
        const uint64_t x = sb_ids_hash(&a.t.ids, id), y = sb_ids_hash(&b.t.ids, id);
        same += sb_ids_near(&a.t.ids, x) - a.near == sb_ids_near(&b.t.ids, y) - b.near;
    }
    ck_assert_uint_lt(same, 50);
    pool_close(&a);
    pool_close(&b);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine-ids");
    TCase *tc = tcase_create("ids");
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, low_slots_first, 0, 2);
    tcase_add_loop_test(tc, orders_are_found, 0, 4);
    tcase_add_loop_test(tc, ids_collide_everywhere, 0, 4);
    tcase_add_test(tc, buckets_fill_in_turn);
    tcase_add_loop_test(tc, home_first, 0, 2);
    tcase_add_loop_test(tc, they_wait, 0, 5);
    tcase_add_test(tc, bit_of_who_waits_stays);
    tcase_add_test(tc, bit_of_who_left_goes);
    tcase_add_loop_test(tc, a_cell_sticks, 0, 2);
    tcase_add_test(tc, no_spot_for_who_lives);
    tcase_add_test(tc, the_seed_decides);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
