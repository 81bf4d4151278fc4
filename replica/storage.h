/* storage.h: what a node has beside its loop: the journal that it writes, the journal that it began with, and, over TCP,
 * the owner's. Composes journal_writer.h, recovery.h and transfer.h; the rules are the node's.
 *
 *     start          recover: the newest folder into the node (not on a new day, and not to join)
 *     each turn      before the poll: what is durable; what the owner's journal brought (CATCH)
 *                    after its frames have left: inputs and records to the journal
 *     RESUME, FORCE  the journal of the earlier life is gone on with
 *     JOIN           the journal is closed and set aside; a new folder begins with JOIN's record
 *
 * Folders: [journal] dir / SHARD-NAME / INCARNATION of the life that began it. A log that is replaced (new day, JOIN) begins
 * a new one; none is ever removed here. System calls are made only when a folder is begun, never while orders flow.
 * Loop's thread.
 */
#ifndef SHADOWBOOK_STORAGE_H
#define SHADOWBOOK_STORAGE_H

#include <sched.h>

#include "replica/host.h"
#include "replica/journal_writer.h"
#include "replica/transfer.h"

struct sb_storage {
    const struct sb_host *host;
    cpu_set_t cores;
    char root[SB_JOURNAL_PATH_BYTES];   /* of this node's folders; "": no journal is configured */
    char folder[SB_JOURNAL_PATH_BYTES]; /* the one that the node's log is in; "": none yet */
    struct sb_journal journal;          /* buffer NULL: not open */
    bool recovered; /* the folder is an earlier life's, and can be gone on with: end */
    struct sb_journal_end end;
    uint32_t trading_day; /* of that folder */
    uint16_t generation;
    bool lost; /* the journal ended with a fault: none is written any more */
    struct sb_transfer_server *server;
    struct sb_transfer_client *client; /* kept, ended, until there is time to close it */
    bool copying;                      /* CATCH: the client is at work */
    uint64_t records_given,
        record_place; /* of the node's records; where the last one is among the journal's */
    uint64_t clock_said_ns, clock_epoch; /* CLOCK was written at; 0: times are not this node's */
    bool copied;                         /* CATCH: the folder of this life is begun */
    uint64_t
        different_n; /* the copy ended here: this engine makes other outputs of it than the owner's */
    uint64_t progress_said_ns;
};

/* cores: what the process may use. Opens the transfer server, where one is configured. False: said on err. */
bool sb_storage_open(struct sb_storage *s, const struct sb_host *host, const cpu_set_t *cores,
                     FILE *err);
/* Ends the journal in order, with an END record where it is whole. False: it was not whole. */
bool sb_storage_close(struct sb_storage *s, const struct sb_node *node, FILE *err);

/* A new day's journal. False: said on err. */
bool sb_storage_begin(struct sb_storage *s, const struct sb_node_setup *life, FILE *err);

/* Loads the node from the newest folder; by the operator's word (force) from the best one that it has (lineage.h). A journal that is damaged, cannot be read or is not this shard's is said on err;
 * the node then knows nothing of its earlier lives, and can only join (or be forced: with what is good). False: the node
 * is in pieces and must be formatted anew. */
bool sb_storage_recover(struct sb_storage *s, struct sb_node *node, bool force, FILE *err);

/* The node is to copy the log of the owner: closes the journal, connects. False: said on err why it cannot. */
bool sb_storage_join(struct sb_storage *s, FILE *err);

enum sb_storage_word {
    SB_STORAGE_GOOD,
    SB_STORAGE_AGAIN, /* another log than the owner's was copied: to be formatted anew, and to join again */
    SB_STORAGE_STOP, /* said on stderr why: the node is to stop */
};

/* Before a poll. */
enum sb_storage_word sb_storage_before(struct sb_storage *s, struct sb_node *node,
                                       const struct sb_node_setup *life);

/* After the frames of the turn have left. False: the node is to stop. */
bool sb_storage_after(struct sb_storage *s, struct sb_node *node, const struct sb_node_setup *life,
                      uint64_t now_ns);

#endif
