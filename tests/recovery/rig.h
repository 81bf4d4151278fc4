/* rig.h: a small journal of real trading, with what the engine's state was behind every packet.
 *
 * Two lives of one node, three segments, a block for each packet; SOLO in the first segment, an END at the end. Everything
 * follows from a seed. */
#ifndef SHADOWBOOK_TESTS_RECOVERY_RIG_H
#define SHADOWBOOK_TESTS_RECOVERY_RIG_H

#include "replica/recovery.h"
#include "tests/journal/memory.h"

enum { RIG_PACKETS = 33, RIG_SEGMENT_PACKETS = 11, RIG_SOLO_EPOCH = 6 };

struct rig {
    char dir[64], folder[80], said[4096];
    struct memory journal;
    struct sb_engine_limits limits;
    uint64_t n[RIG_PACKETS]; /* last input of each packet */
    uint64_t state[RIG_PACKETS], digest[RIG_PACKETS];
    uint8_t *snapshots[RIG_PACKETS]; /* behind each, as bytes */
    size_t snapshot_bytes[RIG_PACKETS];
};

/* Makes it, in a folder of its own; the folder holds the segments and no snapshot. */
void rig_open(struct rig *r, uint64_t seed);
void rig_close(struct rig *r);

/* The segments anew, and no snapshot. */
void rig_restore(struct rig *r);
/* The snapshot behind packet k into the folder; as a file of another input where `as` is not 0. */
void rig_snapshot(struct rig *r, uint32_t k, uint64_t as);
void rig_drop_segment(struct rig *r, uint64_t segment);

/* Opens the folder. r->said: what was said. */
enum sb_recovery_opened rig_recover(struct rig *r, struct sb_recovery *recovery, bool whole);

/* Applies all that comes out to an engine, and asserts at every packet's end that it is as it was. Returns the number of the
 * last input; *more: what the last sb_recovery_packet() returned. */
uint64_t rig_replay(struct rig *r, struct sb_recovery *recovery, int *more);

/* Runs a verb with its output in r->said. Returns its exit code. */
int rig_verb(struct rig *r, int (*verb)(int argc, char **argv), int argc, const char *const *argv);

#endif
