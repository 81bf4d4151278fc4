/* counters.h: what a process lets others see.
 *
 * One table names every counter once. Values are 64-bit, written by one thread with plain aligned
 * stores and read by anyone, from a shared file mapping (/dev/shm/shadowbook-SHARD-NAME). The magic is
 * written last, so a reader never sees a half-made region; pid tells whether the writer lives.
 *
 * Counts only grow. Gauges (unit in brackets) are set. *_at_ns are UTC times of the last such event, 0 = never.
 */
#ifndef SHADOWBOOK_COUNTERS_H
#define SHADOWBOOK_COUNTERS_H

#include <stdint.h>

/* X(id, unit, help); the name shown is the id in lower case */
#define SB_COUNTERS(X)                                                                             \
    X(ROLE, "enum",                                                                                \
      "state: 0 down 1 boot 2 catch 3 shadow 4 primary 5 pairing 6 solo 7 resigned 8 diverged 9 "  \
      "halted; "                                                                                   \
      "witness: 16 unset 17 dual 18 armed 19 solo")                                                \
    X(ARM, "enum", "shadow: 0 quiet 1 arming 2 armed")                                             \
    X(EPOCH, "epoch", "generation << 2 | kind (0 D, 1 P, 2 S, 3 R)")                               \
    X(INCARNATION, "id", "of this process, rising")                                                \
    X(LOG_LEN, "seq", "last input in the log")                                                     \
    X(APPLIED, "seq", "last input applied")                                                        \
    X(RELEASED, "seq", "last input whose outputs left, or were seen to have left")                 \
    X(ACKED, "seq", "last input that the shadow acknowledged")                                     \
    X(DIGEST, "hash", "running digest at APPLIED")                                                 \
    X(ENTRY_FRAMES, "frames", "order entry frames with a good token")                              \
    X(ENTRY_MESSAGES, "messages", "messages sequenced from clients")                               \
    X(ENTRY_RESENT, "messages", "messages that had been taken before")                             \
    X(ENTRY_GAPS, "frames", "frames ahead of the session's next number")                           \
    X(ENTRY_BACKPRESSURE, "frames", "frames not taken: un-acked log or hold ring full")            \
    X(ENTRY_PENDING, "frames", "shadow: frames kept for the day it goes live")                     \
    X(ENTRY_ORPHANS, "messages", "messages sequenced from the kept frames on going live")          \
    X(BAD_FRAME, "frames", "damaged: length, checksum")                                            \
    X(BAD_HEAD, "frames", "of our own kind with a bad magic, version, shard, size or field")       \
    X(BAD_VERSION, "frames", "between engines and witness, of a version that cannot be read")      \
    X(BAD_TOKEN, "frames", "order entry with an unknown session or a wrong token")                 \
    X(BAD_ENTRY, "frames", "order entry whose blocks do not fit its frame")                        \
    X(NOT_LOGGED_IN, "frames", "order entry before the session's login")                           \
    X(BAD_MESSAGE, "messages", "blocks that no decoder could read: sequenced as INVALID")          \
    X(BAD_REQUEST, "frames", "re-requests for a stream or number that does not exist")             \
    X(STREAM_TX, "frames", "stream packets sent for the first time")                               \
    X(STREAM_RX, "frames", "stream packets taken")                                                 \
    X(STREAM_DUPLICATE, "frames", "stream packets that were in the log already")                   \
    X(STREAM_GAP, "frames", "stream packets ahead of the log")                                     \
    X(STREAM_FOREIGN, "frames", "stream packets of an epoch or incarnation not followed")          \
    X(REPAIR_TX, "frames", "repairs asked for")                                                    \
    X(REPAIR_RX, "frames", "repairs served")                                                       \
    X(REPAIR_REFUSED, "frames", "repairs of what is no longer retained")                           \
    X(LOG_ROTTEN, "packets", "found damaged in the log when a repair asked: the node resigns")     \
    X(ACK_TX, "frames", "acks sent")                                                               \
    X(ACK_RX, "frames", "acks counted")                                                            \
    X(ACK_FOREIGN, "frames", "acks of an incarnation not named")                                   \
    X(DIGEST_COMPARED, "packets", "digests compared with the other node's")                        \
    X(DIGEST_DIFFERENT, "packets", "digests that differed: the node is diverged")                  \
    X(UNVERIFIED, "seq", "inputs released on going live above the last compared digest")           \
    X(HELD_FRAMES, "frames", "frames encoded")                                                     \
    X(HELD_BYTES, "bytes", "gauge: encoded and not yet released")                                  \
    X(RELEASED_FRAMES, "frames", "frames handed to a port for the first time")                     \
    X(TAKEOVER_FRAMES, "frames", "held frames released by going live")                             \
    X(NO_ROUTE, "frames", "frames not sent: client's MAC address not known yet")                   \
    X(REREQUESTS, "frames", "re-requests answered")                                                \
    X(REREQUESTS_REFUSED, "frames", "re-requests for what is not retained or not released")        \
    X(HELD_ROTTEN, "frames", "held frames found damaged on a re-request: never sent again")        \
    X(RESEND_TX, "frames", "re-requests passed on to the shadow, for damaged frames")              \
    X(RESEND_RX, "frames", "re-requests answered for the primary")                                 \
    X(STATUS_TX, "frames", "status frames sent")                                                   \
    X(ARP_ANSWERED, "frames", "ARP requests answered")                                             \
    X(TX_DROPPED, "frames", "frames that a port did not take")                                     \
    X(RX_MISSED, "frames", "frames that a port had no room for")                                   \
    X(HEARTBEATS, "frames", "heartbeats sent")                                                     \
    X(SUSPECTED, "events", "times the owner was suspected")                                        \
    X(CANCELED, "events", "suspicions taken back")                                                 \
    X(WENT_LIVE, "events", "takeovers as shadow")                                                  \
    X(WENT_SOLO, "events", "times the primary went on alone")                                      \
    X(RETIRED, "events", "times a later owner was seen and this node stepped down")                \
    X(DEAF, "events", "times this node heard nobody at all and gave way")                          \
    X(SUSPECT_AT_NS, "utc_ns", "clock reading with which the suspicion began")                     \
    X(DECIDE_AT_NS, "utc_ns", "clock reading with which poll found the deadline passed")           \
    X(FIRST_FRAME_AT_NS, "utc_ns", "first ready frame handed to the port's transmit call")         \
    X(DECIDE_TO_FIRST_NS, "ns",                                                                    \
      "from the reading of DECIDE_AT_NS to FIRST_FRAME_AT_NS, by the TSC")                         \
    X(FIRST_TX_CALL_NS, "ns", "duration of that transmit call")                                    \
    X(LAST_HEARD_NS, "utc_ns", "last frame of the other node")                                     \
    X(POLLS, "polls", "turns of the loop")                                                         \
    X(POLL_GAP_MAX_NS, "ns", "longest time between two turns")                                     \
    X(TRADES, "trades", "trades made")                                                             \
    X(OPEN_ORDERS, "orders", "gauge: resting orders")                                              \
    X(REJECTED, "orders", "orders rejected")                                                       \
    X(OTHER_FRAME, "frames", "of a protocol that is not ours: passed over")                        \
    X(JOURNAL_STATE, "enum",                                                                       \
      "0 none 1 writing 2 failed: the node goes on without one 3 failed: the node hands over")     \
    X(JOURNAL_FAULT, "enum",                                                                       \
      "what ended it: 0 nothing 1 full disk 2 read-only 3 write error 4 slow disk 5 ring full")    \
    X(JOURNAL_BUFFERED, "flag", "the file system refuses O_DIRECT: written through its cache")     \
    X(JOURNAL_QUEUED, "seq", "last input handed to the journal")                                   \
    X(JOURNAL_DURABLE, "seq", "last input that is durable in it")                                  \
    X(JOURNAL_WRITES, "writes", "blocks written, each durable before the next")                    \
    X(JOURNAL_BYTES, "bytes", "written to it")                                                     \
    X(JOURNAL_SEGMENT, "id", "the segment that is written")                                        \
    X(JOURNAL_LAG_MAX_NS, "ns", "longest that an input waited to become durable")                  \
    X(HOLD, "enum",                                                                                \
      "what must hold an input in DUAL before its outputs leave: 0 two-memories 1 "                \
      "memory-and-disk "                                                                           \
      "2 two-disks")                                                                               \
    X(SOLO_POLICY, "enum", "the same in SOLO: 1 witness 2 disk 3 memory 4 halt")                   \
    X(RECORD, "enum", "last ownership record in the journal: 0 none 1 join 2 solo 3 pair")         \
    X(PEER_DURABLE, "seq", "last input that is durable at the shadow")                             \
    X(FRAME_VERSION, "id", "of the frames written between engines and witness")                    \
    X(RESUMED, "events",                                                                           \
      "went on alone from its journal, by the witness's or the operator's word")                   \
    X(FORCED, "events", "... by the operator's word alone: no witness was heard")                  \
    X(JOINED, "events", "became shadow of an owner whose log it had copied")                       \
    X(PAIRED, "events", "a joiner became its shadow")                                              \
    X(COPY_TARGET, "seq", "CATCH: last input of the owner")                                        \
    X(COPY_BYTES, "bytes", "CATCH: copied from the owner's journal")                               \
    X(COPY_STATE, "enum", "CATCH: 0 none 1 connecting 2 copying 3 following 4 refused 5 failed")   \
    X(JOURNAL_KEPT, "segments", "beyond keep_segments: no snapshot holds what is in them")         \
    X(OTHER_RULES, "events",                                                                       \
      "refused: a log, snapshot or BOOT of the other node under other rules")                      \
    X(CARRIED, "orders", "of an earlier day, entered as this one began")                           \
    X(CARRY_REFUSED, "orders", "of an earlier day that did not fit, or whose session is gone")

enum sb_counter {
#define SB_COUNTER_ENUM(id, unit, help) SB_CTR_##id,
    SB_COUNTERS(SB_COUNTER_ENUM)
#undef SB_COUNTER_ENUM
        SB_CTR_COUNT
};

struct sb_counter_info {
    const char *name, *unit, *help;
};

#define SB_COUNTERS_MAGIC UINT64_C(0x3172746353425553) /* "SUBSctr1", written last */
enum { SB_COUNTERS_VERSION = 1 };

struct sb_counters {
    uint64_t magic;
    uint32_t version, count; /* count = SB_CTR_COUNT of the writer */
    uint32_t pid, shard;
    char name[16];
    uint64_t started_at_ns;
    uint64_t zero[2];
    uint64_t value[SB_CTR_COUNT];
};

#endif
