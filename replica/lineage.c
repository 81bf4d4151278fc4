#include "replica/lineage.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_DIGITS = 20 };

static int newest_first(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? 1 : x > y ? -1 : 0;
}

/* Incarnations that name folders. */
static size_t list(const char *root, uint64_t **incs)
{
    size_t n = 0, cap = 0;
    *incs = NULL;
    DIR *dir = opendir(root);
    for (struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;) {
        if (strlen(e->d_name) != NAME_DIGITS || strspn(e->d_name, "0123456789") != NAME_DIGITS)
            continue;
        if (n == cap) {
            cap = cap == 0 ? 64 : 2 * cap;
            uint64_t *grown = realloc(*incs, cap * sizeof *grown);
            if (grown == NULL)
                break;
            *incs = grown;
        }
        (*incs)[n++] = strtoull(e->d_name, NULL, 10);
    }
    if (dir != NULL)
        closedir(dir);
    if (n != 0)
        qsort(*incs, n, sizeof **incs, newest_first);
    return n;
}

/* False: there is nothing good in it. */
static bool read_one(struct sb_lineage *l, FILE *err)
{
    struct sb_journal_reader r;
    bool inputs_first = false;
    if (sb_journal_reader_find(&r, l->folder, err) != 1)
        return false;
    while (sb_journal_reader_block(&r, err) == 1) {
        const uint8_t type = r.scan.block.head.type;
        if (type == SB_JOURNAL_RECORD && r.scan.record.kind == SB_RECORD_JOIN && !inputs_first)
            l->joined = true;
        inputs_first = inputs_first || type == SB_JOURNAL_DATA;
    }
    l->trading_day = r.scan.segment.trading_day;
    l->owner = r.scan.owner;
    l->last_n = r.scan.next_n - 1;
    l->found = r.found;
    const bool good = r.scan.blocks != 0;
    sb_journal_reader_close(&r);
    return good;
}

size_t sb_lineages_read(struct sb_lineage *all, const char *root, FILE *err)
{
    uint64_t *incs;
    const size_t folders = list(root, &incs);
    size_t n = 0;
    for (size_t i = 0; i < folders && n < SB_LINEAGES_MAX; i++) {
        struct sb_lineage *l = &all[n];
        memset(l, 0, sizeof *l);
        l->inc = incs[i];
        const int length =
            snprintf(l->folder, sizeof l->folder, "%s/%0*" PRIu64, root, NAME_DIGITS, incs[i]);
        if (length < 0 || (size_t)length >= sizeof l->folder || !read_one(l, err))
            continue;
        if (n != 0 && l->trading_day != all[0].trading_day)
            break;
        n++;
        if (!l->joined)
            break; /* a new day began it, or an operator's word */
    }
    free(incs);
    return n;
}

static bool is_better(const struct sb_lineage *a, const struct sb_lineage *b)
{
    const bool a_alone = a->owner.kind == SB_RECORD_SOLO, b_alone = b->owner.kind == SB_RECORD_SOLO;
    if (a->owner.epoch != b->owner.epoch)
        return a->owner.epoch > b->owner.epoch;
    if (a_alone != b_alone)
        return a_alone;
    return a->last_n > b->last_n;
}

size_t sb_lineage_best(const struct sb_lineage *all, size_t n)
{
    size_t best = 0;
    for (size_t i = 1; i < n; i++)
        if (is_better(&all[i], &all[best]))
            best = i;
    return best;
}

void sb_lineage_say(const struct sb_lineage *l, FILE *to)
{
    static const char *const ends[] = {[SB_FOUND_CLOSED] = "closed",
                                       [SB_FOUND_OPEN] = "open",
                                       [SB_FOUND_TORN] = "torn",
                                       [SB_FOUND_DAMAGED] = "DAMAGED"};
    const char *end = (size_t)l->found < sizeof ends / sizeof ends[0] ? ends[l->found] : NULL;
    fprintf(to, "%s: day %u, record %s, epoch %" PRIu64 "%c, last input %" PRIu64 ", %s\n",
            l->folder, l->trading_day, sb_journal_record_name(l->owner.kind), l->owner.epoch >> 2,
            "DPSR"[l->owner.epoch & 3], l -> last_n, end != NULL ? end : "unreadable");
}
