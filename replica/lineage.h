/* lineage.h: the journals that a node has on its disk, and which of them is the one to go on with when the operator says so
 * (R24, R25; F1 to F4 of tests/model/README.md).
 *
 * A folder is one lineage of the node's log: a new day begins one, and so does each JOIN. A node that is restarted while it
 * joins sets its folder aside and begins again, and its owner may have counted on the one before: so after a loss of both
 * engines the newest folder need not be the best. The better log is the one of the higher record; of one epoch SOLO's
 * before JOIN's and PAIR's; then the longer one.
 *
 * Only folders of the present day count: from the newest back to the one that a new day began. Each is read whole. Off the
 * order path.
 */
#ifndef SHADOWBOOK_LINEAGE_H
#define SHADOWBOOK_LINEAGE_H

#include "replica/journal_reader.h"

struct sb_lineage {
    char folder[SB_JOURNAL_PATH_BYTES];
    uint64_t inc; /* that began it */
    uint32_t trading_day;
    bool joined; /* it begins with JOIN's record: an owner's log, copied */
    struct sb_journal_owner owner;
    uint64_t last_n;
    enum sb_journal_found found; /* how it ends */
};

enum { SB_LINEAGES_MAX = 64 };

/* The present day's, newest first, at most SB_LINEAGES_MAX; folders without anything good are passed over. root: of the
 * node's folders. Returns how many; what cannot be read is said on err. */
size_t sb_lineages_read(struct sb_lineage *all, const char *root, FILE *err);

/* Index of the best of n > 0. */
size_t sb_lineage_best(const struct sb_lineage *all, size_t n);

/* One line. */
void sb_lineage_say(const struct sb_lineage *l, FILE *to);

#endif
