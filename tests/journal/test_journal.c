/* test_journal.c: the format, byte by byte, and what a reader believes: every flipped bit and every cut of a small journal.
 *
 * Expected bytes are put together here from the offsets in journal.h, not from its structures. Not covered: files
 * (test_reader.c, test_writer.c). */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "tests/journal/memory.h"

static struct memory journal;
static struct sb_journal_scan scan;

/* Two segments, seven blocks: head, 6 inputs, SOLO; head, CLOCK, 3 inputs, END. A page of zeros behind. */
enum { BLOCKS = 7, BOUND_NS = 54321 };

static void small_journal(void)
{
    memory_begin(&journal);
    memory_segment(&journal);
    memory_data(&journal, 3);
    journal.epoch = 5;
    memory_record(&journal, SB_RECORD_SOLO);
    memory_segment(&journal);
    memory_clock(&journal, BOUND_NS);
    memory_data(&journal, 2);
    memory_record(&journal, SB_RECORD_END);
    ck_assert_uint_eq(journal.number, BLOCKS);
    journal.size[1] += SB_JOURNAL_ALIGN;
}

/* The same, and a second life behind it: head, 1 input, PAIR; and a page of zeros. */
static void two_lives(void)
{
    small_journal();
    uint64_t n;
    ck_assert_int_eq(memory_read(&journal, &scan, &n), SB_FOUND_CLOSED);
    const struct sb_journal_end end = sb_journal_scan_end(&scan, 2);
    memory_go_on(&journal, &end);
    memory_segment(&journal);
    memory_data(&journal, 1);
    memory_record(&journal, SB_RECORD_PAIR);
    journal.size[2] += SB_JOURNAL_ALIGN;
}

static const struct {
    void (*make)(void);
    uint32_t blocks;
    uint64_t inputs;
} journals[] = {{small_journal, BLOCKS, 9}, {two_lives, BLOCKS + 3, 10}};

static void put(uint8_t *at, uint32_t bytes, uint64_t value)
{
    for (uint32_t i = 0; i < bytes; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

static void put_head(uint8_t *b, uint8_t kind, uint64_t n_first, uint32_t length)
{
    memcpy(b, "SBJ1", 4);
    b[4] = 1; /* version */
    b[5] = kind;
    put(b + 6, 2, 3);   /* shard */
    put(b + 8, 8, 4);   /* epoch */
    put(b + 16, 8, 99); /* inc */
    b[24] = 1;          /* sender */
    put(b + 56, 8, n_first);
    put(b + 76, 4, length);
}

static void put_hash(uint8_t *b, uint32_t padded)
{
    put(b + 88, 8, 0);
    put(b + 88, 8, XXH3_64bits_withSeed(b + 96, padded - 96, XXH3_64bits(b, 96)));
}

START_TEST(golden_bytes)
{
    memory_begin(&journal);
    memory_segment(&journal);
    memory_data(&journal, 1);
    memory_record(&journal, SB_RECORD_PAIR);
    static uint8_t expected[3 * 4096];

    uint8_t *b = expected;
    put_head(b, 1, 1, 160);
    put(b + 96, 8, 1);         /* segment */
    put(b + 104, 4, 20261124); /* trading day */
    put(b + 108, 2, 2);        /* generation */
    put(b + 112, 4, 128);      /* instruments_max */
    put(b + 116, 4, 128);      /* sessions_max */
    put(b + 120, 4, 1u << 20); /* orders_max */
    put(b + 124, 4, 1u << 16); /* levels_max */
    put(b + 128, 4, 4096);     /* window_levels */
    put_hash(b, 4096);

    uint8_t *d = expected + 4096;
    put_head(d, 2, 1, 96 + 24 + 64);
    put(d + 40, 8, 1); /* number */
    memcpy(d + 48, b + 88, 8);
    put(d + 64, 4, 1); /* count */
    put(d + 68, 4, 1); /* lines */
    put(d + 72, 4, 1); /* packets */
    put(d + 96, 8, 1); /* packet: n_first */
    put(d + 104, 8, 0xD1D2);
    put(d + 112, 2, 1);   /* count */
    put(d + 114, 2, 1);   /* lines */
    uint8_t *c = d + 120; /* command.h: the line */
    put(c, 8, 1);
    put(c + 8, 8, 1001);
    put(c + 16, 8, 1);
    put(c + 24, 4, 1);
    put(c + 32, 4, 1);
    c[44] = 18; /* CANCEL */
    put_hash(d, 4096);

    uint8_t *r = expected + 8192;
    put_head(r, 3, 2, 160);
    put(r + 40, 8, 2);
    memcpy(r + 48, d + 88, 8);
    put(r + 96, 8, 4);  /* epoch */
    put(r + 104, 8, 1); /* n */
    put(r + 112, 8, 5);
    put(r + 120, 8, 6);
    r[136] = 3; /* PAIR; a clock's bound stands before it */
    put_hash(r, 4096);

    ck_assert_uint_eq(journal.size[0], sizeof expected);
    ck_assert_mem_eq(journal.bytes[0], expected, sizeof expected);

    memory_segment(&journal); /* the second segment names the record before it */
    static uint8_t second[4096];
    put_head(second, 1, 2, 160);
    put(second + 40, 8, 3);
    memcpy(second + 48, r + 88, 8);
    memcpy(second + 96, b + 96, 40);
    second[96] = 2;          /* segment */
    second[110] = 3;         /* PAIR */
    put(second + 136, 8, 4); /* its epoch */
    put_hash(second, 4096);
    ck_assert_mem_eq(journal.bytes[1], second, sizeof second);
}
END_TEST

/* What a clock's record says holds for the inputs behind it, in its epoch and its life. */
START_TEST(bound_of_the_clock)
{
    static const struct {
        uint8_t
            what; /* 0: inputs, 'c': a clock's record, 'u': of one not known, 'e': an epoch, 's': a segment, 'l': a life's */
        bool known;
    } steps[] = {{0, false},   {'c', true},  {0, true},   {'s', true},  {0, true},
                 {'e', false}, {0, false},   {'c', true}, {'u', false}, {0, false},
                 {'c', true},  {'l', false}, {0, false}};
    memory_begin(&journal);
    memory_segment(&journal);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        const uint8_t what = steps[i].what;
        journal.epoch += what == 'e';
        journal.inc += what == 'l';
        if (what == 's' || what == 'l')
            memory_segment(&journal);
        else if (what == 'c' || what == 'u')
            memory_clock(&journal, what == 'c' ? BOUND_NS + i : UINT64_MAX);
        else
            memory_data(&journal, 1);
        uint64_t n;
        ck_assert_int_eq(memory_read(&journal, &scan, &n), SB_FOUND_OPEN);
        ck_assert_msg((scan.clock_bound_ns != UINT64_MAX) == steps[i].known, "step %zu", i);
        if (what == 'c')
            ck_assert_uint_eq(scan.clock_bound_ns, BOUND_NS + i);
    }
}
END_TEST

START_TEST(round_trip)
{
    small_journal();
    uint64_t n;
    ck_assert_int_eq(memory_read(&journal, &scan, &n), SB_FOUND_CLOSED);
    ck_assert_uint_eq(n, 9);
    ck_assert_uint_eq(scan.first_n, 1);
    ck_assert_uint_eq(scan.blocks, BLOCKS);
    ck_assert_uint_eq(scan.record.kind, SB_RECORD_END);
    ck_assert_uint_eq(scan.record.n, 9);
    ck_assert_uint_eq(scan.record.state_digest, 6);
    ck_assert_uint_eq(scan.segment.segment, 2);
    ck_assert_uint_eq(scan.segment.trading_day, 20261124);
}
END_TEST

START_TEST(a_block_of_many_pages)
{
    memory_begin(&journal);
    memory_segment(&journal);
    memory_data(&journal, 12); /* 78 commands of 64 bytes: two pages */
    memory_record(&journal, SB_RECORD_END);
    ck_assert_uint_eq(journal.size[0], 4 * SB_JOURNAL_ALIGN);
    uint64_t n;
    ck_assert_int_eq(memory_read(&journal, &scan, &n), SB_FOUND_CLOSED);
    ck_assert_uint_eq(n, 78);
}
END_TEST

/* Which block does this byte of the journal belong to? blocks: to none. */
static uint32_t block_of(uint32_t blocks, uint32_t segment, uint64_t at)
{
    uint32_t found = blocks;
    for (uint32_t i = 0; i < blocks; i++)
        if (journal.block_at[i] >> 32 == segment && (uint32_t)journal.block_at[i] <= at &&
            at < (uint32_t)journal.block_at[i] + SB_JOURNAL_ALIGN)
            found = i;
    return found;
}

/* Every bit of every byte: everything before its block is read, nothing at or behind it, and the place is named. */
START_TEST(every_flipped_bit)
{
    const uint32_t blocks = journals[_i].blocks;
    journals[_i].make();
    for (uint32_t s = 0; s < journal.segments; s++)
        for (uint64_t bit = 0; bit < journal.size[s] * 8; bit++) {
            journal.bytes[s][bit / 8] ^= (uint8_t)(1u << bit % 8);
            const uint32_t block = block_of(blocks, s, bit / 8);
            uint64_t n;
            const enum sb_journal_found found = memory_read(&journal, &scan, &n);
            const enum sb_journal_found expected =
                block < blocks - 1 || s + 1 < journal.segments ? SB_FOUND_DAMAGED : SB_FOUND_TORN;
            const uint64_t place = block < blocks ? (uint32_t)journal.block_at[block]
                                                  : journal.size[s] - SB_JOURNAL_ALIGN;
            if (found != expected || scan.at != place || scan.why == NULL ||
                n != (block < blocks ? journal.inputs_before[block] : journals[_i].inputs))
                ck_abort_msg("segment %u bit %lu: found %d at %lu after %lu", s, bit, (int)found,
                             scan.at, n);
            journal.bytes[s][bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    uint64_t n;
    ck_assert_int_eq(memory_read(&journal, &scan, &n), _i == 0 ? SB_FOUND_CLOSED : SB_FOUND_OPEN);
}
END_TEST

/* Cuts the journal to `size` bytes of segment s, and reads it: whole blocks are read, and where they end is known. Returns
 * the end. */
static enum sb_journal_found judge_cut(int i, uint32_t s, uint64_t size)
{
    uint32_t whole = 0;
    while (whole < journals[i].blocks &&
           (journal.block_at[whole] >> 32 < s ||
            (journal.block_at[whole] >> 32 == s &&
             (uint32_t)journal.block_at[whole] + SB_JOURNAL_ALIGN <= size)))
        whole++;
    const uint64_t good = whole != 0 && journal.block_at[whole - 1] >> 32 == s
                              ? (uint32_t)journal.block_at[whole - 1] + SB_JOURNAL_ALIGN
                              : 0;
    const bool torn = size > good && block_of(journals[i].blocks, s, good) < journals[i].blocks;
    const enum sb_journal_found expected = torn              ? SB_FOUND_TORN
                                           : whole == BLOCKS ? SB_FOUND_CLOSED
                                                             : SB_FOUND_OPEN;
    journal.size[s] = size;
    journal.segments = s + 1;
    uint64_t n;
    const enum sb_journal_found found = memory_read(&journal, &scan, &n);
    if (found != expected || scan.at != good || scan.blocks != whole ||
        n != (whole < journals[i].blocks ? journal.inputs_before[whole] : journals[i].inputs))
        ck_abort_msg("segment %u cut to %lu: found %d at %lu after %lu", s, size, (int)found,
                     scan.at, n);
    return found;
}

/* The journal as it was when it had `size` bytes: open at the end of a block, torn inside one. */
START_TEST(every_cut)
{
    journals[_i].make();
    for (uint32_t s = journal.segments; s-- > 0;)
        for (uint64_t size = journal.size[s]; size-- > 0;)
            judge_cut(_i, s, size);
}
END_TEST

/* And a life that goes on behind each of them: all that was good stays, what it adds follows, and who owned is known. */
START_TEST(going_on_behind_every_cut)
{
    journals[_i].make();
    static struct memory whole;
    whole = journal;
    for (uint32_t s = 0; s < whole.segments; s++)
        for (uint64_t size = 0; size < whole.size[s]; size++) {
            journal = whole;
            judge_cut(_i, s, size);
            const struct sb_journal_end end = sb_journal_scan_end(&scan, s + 1);
            const uint64_t blocks = scan.blocks, n_before = end.next_n != 0 ? end.next_n - 1 : 0;
            ck_assert_uint_eq(end.owner.kind, blocks < 3            ? SB_RECORD_NONE
                                              : blocks < BLOCKS + 3 ? SB_RECORD_SOLO
                                                                    : SB_RECORD_PAIR);
            memory_go_on(&journal, &end);
            memory_segment(&journal);
            memory_data(&journal, 2);
            uint64_t n;
            const enum sb_journal_found found = memory_read(&journal, &scan, &n);
            if (found != SB_FOUND_OPEN || scan.blocks != blocks + 2 || n != n_before + 3 ||
                scan.block.head.inc != whole.inc + 1 || scan.owner.kind != end.owner.kind)
                ck_abort_msg("behind segment %u cut to %lu: found %d (%s) after %lu", s, size,
                             (int)found, scan.why, n);
        }
}
END_TEST

/* A write that reached the disk only in part: one of its two pages, either. */
START_TEST(torn_write_of_many_pages)
{
    for (uint32_t page = 0; page < 2; page++) {
        memory_begin(&journal);
        memory_segment(&journal);
        memory_data(&journal, 3);
        memory_data(&journal, 12);
        const uint64_t at = (uint32_t)journal.block_at[2];
        memset(journal.bytes[0] + at + page * SB_JOURNAL_ALIGN, 0, SB_JOURNAL_ALIGN);
        uint64_t n;
        ck_assert_int_eq(memory_read(&journal, &scan, &n), SB_FOUND_TORN);
        ck_assert_uint_eq(scan.at, at);
        ck_assert_uint_eq(n, 6);
        /* With a block behind it, it is no torn write: that one was begun only when this one was durable. */
        memory_data(&journal, 1);
        ck_assert_int_eq(memory_read(&journal, &scan, &n), SB_FOUND_DAMAGED);
        ck_assert_uint_eq(scan.at, at);
        ck_assert_uint_eq(n, 6);
    }
}
END_TEST

/* Good blocks where they do not belong: a lost write, one that went astray, one from another life. */
START_TEST(good_blocks_in_the_wrong_place)
{
    uint64_t n;
    small_journal(); /* the second block written over the third */
    memcpy(journal.bytes[0] + 2 * SB_JOURNAL_ALIGN, journal.bytes[0] + SB_JOURNAL_ALIGN,
           SB_JOURNAL_ALIGN);
    ck_assert_int_eq(memory_read(&journal, &scan, &n), SB_FOUND_DAMAGED);
    ck_assert_uint_eq(n, 6);
    small_journal(); /* the second one lost: the third moved up */
    memmove(journal.bytes[0] + SB_JOURNAL_ALIGN, journal.bytes[0] + 2 * SB_JOURNAL_ALIGN,
            SB_JOURNAL_ALIGN);
    ck_assert_int_eq(memory_read(&journal, &scan, &n), SB_FOUND_DAMAGED);
    ck_assert_uint_eq(n, 0);
    small_journal(); /* the last block of the first segment lost */
    journal.size[0] -= SB_JOURNAL_ALIGN;
    ck_assert_int_eq(memory_read(&journal, &scan, &n), SB_FOUND_DAMAGED);
    ck_assert_uint_eq(n, 6);
    ck_assert_uint_eq(scan.at, 0);
    small_journal(); /* a segment that is empty, and not the last */
    memmove(journal.bytes[2], journal.bytes[1], MEMORY_BYTES);
    journal.size[2] = journal.size[1];
    journal.size[1] = 0;
    journal.segments = 3;
    ck_assert_int_eq(memory_read(&journal, &scan, &n), SB_FOUND_DAMAGED);
    ck_assert_uint_eq(n, 6);
}
END_TEST

/* Blocks that are right in themselves and follow each other, but whose writer left inputs out, or repeats some. */
START_TEST(inputs_left_out)
{
    for (int step = -1; step <= 1; step += 2) {
        memory_begin(&journal);
        memory_segment(&journal);
        memory_data(&journal, 3);
        journal.next_n += (uint64_t)(int64_t)step;
        memory_data(&journal, 1);
        uint64_t n;
        ck_assert_int_eq(memory_read(&journal, &scan, &n), SB_FOUND_DAMAGED);
        ck_assert_str_eq(scan.why, "inputs are missing or repeated");
        ck_assert_uint_eq(n, 6);
    }
}
END_TEST

/* A journal whose first segment was moved away begins later, and says so. */
START_TEST(begins_with_a_later_segment)
{
    small_journal();
    sb_journal_scan_begin(&scan);
    sb_journal_scan_segment(&scan, journal.bytes[1], journal.size[1], true);
    ck_assert_int_eq(sb_journal_scan_next(&scan), SB_FOUND_BLOCK);
    ck_assert_uint_eq(scan.first_n, 7);
    for (int i = 0; i < 3; i++) /* CLOCK, inputs, END */
        ck_assert_int_eq(sb_journal_scan_next(&scan), SB_FOUND_BLOCK);
    ck_assert_int_eq(sb_journal_scan_next(&scan), SB_FOUND_CLOSED);
}
END_TEST

/* Sealed by a writer that is wrong: good checksums over what must not be taken. */
static void resealed(uint32_t block, uint32_t offset, uint8_t value)
{
    small_journal();
    uint8_t *b = journal.bytes[0] + (uint32_t)journal.block_at[block];
    ck_assert_uint_ne(b[offset], value);
    b[offset] = value;
    sb_journal_seal((struct sb_journal_block *)(void *)b);
    uint64_t n;
    const enum sb_journal_found found = memory_read(&journal, &scan, &n);
    ck_assert_msg(found == SB_FOUND_DAMAGED && n == journal.inputs_before[block],
                  "block %u offset %u: found %d after %lu", block, offset, (int)found, n);
}

START_TEST(wrong_with_a_good_checksum)
{
    static const uint32_t heads[] = {6, 16, 24, 25, 26, 28, 32, 40, 48, 56, 64, 68, 72, 80};
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++)
        resealed(1, heads[i], 0x77);
    resealed(1, 5, 9); /* unknown kind */
    resealed(1, 5, SB_JOURNAL_SEGMENT);
    resealed(1, 8, 3);             /* epoch below the one before */
    resealed(1, 76, 0xF0);         /* length */
    resealed(1, 96, 2);            /* packet: n_first */
    resealed(1, 96 + 16, 2);       /* count */
    resealed(1, 96 + 18, 2);       /* lines */
    resealed(1, 96 + 20, 1);       /* reserved */
    resealed(1, 96 + 24, 9);       /* command: number */
    resealed(1, 96 + 24 + 44, 99); /* command: kind */
    resealed(2, 96 + 8, 7);        /* record: n */
    resealed(2, 128, 9);           /* record: a clock's bound, which it is not about */
    resealed(2, 136, 9);           /* record: kind */
    resealed(2, 159, 1);           /* record: reserved */
    resealed(0, 112, 0);           /* segment: limits, beginning with instruments_max */
    resealed(0, 110, 4);           /* segment: no record of ownership */
    resealed(0, 111, 1);           /* segment: reserved */
    resealed(0, 132, 1);
    resealed(0, 144, 1);
}
END_TEST

/* The head of a second life's segment that says what it may not: it would have no place in this journal. */
START_TEST(lives_that_do_not_follow)
{
    static const struct {
        uint32_t offset;
        uint8_t value;
        const char *why;
    } wrong[] = {
        {16, 99, "something stands behind the end"}, /* inc: the life that had ended */
        {16, 98, "a block of another life"},
        {24, 0, "a block of another journal"}, /* sender */
        {96, 4, "a segment is missing before this one"},
        {104, 1, "a segment of another day or of other limits"},
        {108, 1, "a segment of another day or of other limits"}, /* generation */
        {116, 1, "a segment of another day or of other limits"}, /* sessions_max */
        {110, SB_RECORD_PAIR, "a segment that knows of another record than the ones before it"},
        {136, 9, "a segment that knows of another record than the ones before it"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        two_lives();
        uint8_t *b = journal.bytes[2];
        ck_assert_uint_ne(b[wrong[i].offset], wrong[i].value);
        b[wrong[i].offset] = wrong[i].value;
        sb_journal_seal((struct sb_journal_block *)(void *)b);
        uint64_t n;
        ck_assert_int_eq(memory_read(&journal, &scan, &n), SB_FOUND_DAMAGED);
        ck_assert_str_eq(scan.why, wrong[i].why);
        ck_assert_uint_eq(scan.blocks, BLOCKS);
        ck_assert_uint_eq(n, 9);
    }
    two_lives(); /* another window is the same log */
    journal.bytes[2][129] = 8;
    sb_journal_seal((struct sb_journal_block *)(void *)journal.bytes[2]);
    uint64_t n;
    ck_assert_int_eq(memory_read(&journal, &scan, &n), SB_FOUND_DAMAGED);
    ck_assert_str_eq(scan.why, "does not follow the block before it");
    ck_assert_uint_eq(scan.segment.segment, 3);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("journal");
    TCase *tc = tcase_create("format");
    tcase_set_timeout(tc, 100);
    tcase_add_test(tc, golden_bytes);
    tcase_add_test(tc, bound_of_the_clock);
    tcase_add_test(tc, round_trip);
    tcase_add_test(tc, a_block_of_many_pages);
    tcase_add_loop_test(tc, every_flipped_bit, 0, 2);
    tcase_add_loop_test(tc, every_cut, 0, 2);
    tcase_add_loop_test(tc, going_on_behind_every_cut, 0, 2);
    tcase_add_test(tc, lives_that_do_not_follow);
    tcase_add_test(tc, torn_write_of_many_pages);
    tcase_add_test(tc, good_blocks_in_the_wrong_place);
    tcase_add_test(tc, inputs_left_out);
    tcase_add_test(tc, begins_with_a_later_segment);
    tcase_add_test(tc, wrong_with_a_good_checksum);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
