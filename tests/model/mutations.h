/* mutations.h: the rules that can be left out, one at a time, and what comes of it.
 *
 *     X(id, name, rule, expected, kept, words)
 *
 * expected: FOUND       a violation, in one of the configurations of scripts/model --mutations
 *           PROGRESS    none; the rule keeps the system from getting stuck
 *           REDUNDANT   none; others cover it, it is kept as defence
 *           NOTHING     none; not exhaustive, or the mutation is too weak to tell
 * kept: messages that only this rule makes harmless, and which must therefore stay in the network without it; 0: no
 * rule that reads messages changes; KEEP_ALL: nobody has looked closer.
 *
 * Names are those of tests/mutations where the code has the same one.
 */
#ifndef SHADOWBOOK_MODEL_MUTATIONS_H
#define SHADOWBOOK_MODEL_MUTATIONS_H

#define KEEP(type) (UINT64_C(1) << SB_FT_##type)
#define KEEP_ALL   UINT64_MAX

#define MUTATIONS(X)                                                                               \
    X(RELEASE_WITHOUT_ACK, "release-without-ack", "R1", FOUND, KEEP(ACK),                          \
      "PRIM releases what nobody acked")                                                           \
    X(ACK_AFTER_LIVE, "ack-sent-after-going-live", "R8", FOUND, KEEP_ALL,                          \
      "a node gone live acks inputs of the epoch it left")                                         \
    X(APPLY_AFTER_LIVE, "apply-after-going-live", "R8", FOUND, KEEP_ALL,                           \
      "a node gone live takes inputs of the epoch it left")                                        \
    X(NO_WITNESS, "live-without-the-witness", "R10", FOUND, KEEP_ALL,                              \
      "a shadow that has asked goes live without ARMOK")                                           \
    X(NONCE_AT_NODE, "nonce-unchecked-at-node", "R9", FOUND, KEEP_ALL, "ARMOK counts for any k")   \
    X(CANCEL_NONCE, "cancel-nonce-unchecked", "R17", FOUND, KEEP_ALL,                              \
      "CANCEL of an older k frees a newer grant")                                                  \
    X(NO_CANCEL_MEMORY, "no-cancel-memory", "R17", PROGRESS, KEEP(ARM) | KEEP(CANCEL),             \
      "ARM is granted below kmax")                                                                 \
    X(SOLO_FROM_ARMED, "soloreq-granted-while-armed", "R17", FOUND, KEEP_ALL,                      \
      "SOLOREQ is granted while ARMED")                                                            \
    X(ARM_FROM_SOLO, "arm-granted-while-solo", "R17", FOUND, KEEP_ALL,                             \
      "ARM is granted while SOLO(g,P)")                                                            \
    X(ARMED_EXPIRES, "armed-expires", "R17", FOUND, KEEP_ALL, "ARMED becomes DUAL by itself")      \
    X(OLD_WINC_GRANT, "old-winc-grant-accepted", "R19", FOUND,                                     \
      KEEP(ARMOK) | KEEP(SOLOOK) | KEEP(PAIROK) | KEEP(RESUMEOK), "grants of an older winc count") \
    X(ONE_REGISTRATION, "r20-with-one-registration", "R20", FOUND, KEEP(REG_DUAL),                 \
      "one REG_DUAL makes DUAL")                                                                   \
    X(ARMED_REREGISTERS, "armed-node-reregisters", "R19", FOUND, KEEP_ALL,                         \
      "an armed node registers at a new winc and stays armed")                                     \
    X(WITNESS_AMNESIA, "witness-amnesia", "R18", FOUND, KEEP_ALL,                                  \
      "a restarted witness knows DUAL and forgets ARMED")                                          \
    X(WITNESS_IGNORES_WINC, "witness-ignores-its-winc", "R17", FOUND, KEEP_ALL,                    \
      "the witness acts on requests to its older lives")                                           \
    X(ACK_INC, "ack-sender-inc-unchecked", "R7", FOUND, KEEP(ACK),                                 \
      "acks of any inc of the peer count")                                                         \
    X(ACK_EPOCH, "ack-epoch-unchecked", "R7", REDUNDANT, KEEP(ACK),                                \
      "acks of any epoch count; the two incs name the log")                                        \
    X(STREAM_INCS, "stream-incs-unchecked", "R6", NOTHING, KEEP(STREAM) | KEEP(ACK),               \
      "a shadow takes the epoch's stream from any inc, to any inc")                                \
    X(PAIR_EARLY, "pair-before-sync", "R15", FOUND, KEEP(ACK),                                     \
      "PAIR before the joiner acked what may be released")                                         \
    X(PAIRING_NO_ACK, "pairing-release-without-ack", "R2", FOUND, KEEP(ACK),                       \
      "PAIRING releases what is durable but not acked")                                            \
    X(PAIRING_RETURNS, "pairing-returns-to-solo", "R15", FOUND, KEEP_ALL,                          \
      "PAIRING becomes SOLO again by itself")                                                      \
    X(PAIRING_NO_JOURNAL, "pairing-release-without-journal", "R2", FOUND, KEEP(ACK),               \
      "PAIRING releases what is acked but not durable")                                            \
    X(PAIRING_REG_SOLO, "pairing-reregisters-solo", "R19", FOUND, KEEP_ALL,                        \
      "PAIRING registers as SOLO at a new winc")                                                   \
    X(NO_JOIN_RECORD, "no-join-record", "R14", REDUNDANT, KEEP_ALL,                                \
      "JOIN writes no record; given PAIR's record")                                                \
    X(NO_PAIR_RECORD, "no-pair-record", "R15", FOUND, KEEP(RESUME) | KEEP(RESUMEOK),               \
      "PAIRING writes no record")                                                                  \
    X(RESUME_NO_RECORD, "resume-without-record", "R22", FOUND, KEEP(RESUME) | KEEP(RESUMEOK),      \
      "RESUME says SOLO whatever the record")                                                      \
    X(SOLO_NO_RECORD, "solo-release-before-record", "R3", FOUND, KEEP(ACK),                        \
      "SOLO releases before anything is durable")                                                  \
    X(RESIGNED_SOLO, "resigned-accepts-solo", "R12", FOUND, KEEP_ALL,                              \
      "a resigned node asks SOLOREQ and accepts SOLOOK")                                           \
    X(APPLY_PAST_GAP, "apply-past-a-gap", "R6", FOUND, KEEP(STREAM) | KEEP(ACK),                   \
      "a shadow acks past a hole")                                                                 \
    X(RESUME_NO_WITNESS, "resume-without-witness", "R22", REDUNDANT, KEEP_ALL,                     \
      "BOOT resumes from its SOLO record alone; given R23's comparison of epochs")                 \
    X(JOIN_KEEPS_LOG, "joiner-keeps-own-log", "R14", FOUND, KEEP_ALL,                              \
      "JOIN keeps the node's old log")                                                             \
    X(RESUME_PAIR_UNSET, "resume-pair-record-at-unset", "R21", FOUND,                              \
      KEEP(RESUME) | KEEP(RESUMEOK), "a PAIR record is enough in UNSET")                           \
    X(DISCLAIM_UNCHECKED, "disclaim-without-check", "R23", FOUND, KEEP(DISCLAIM),                  \
      "DISCLAIM frees whatever the record says")                                                   \
    X(SAME_EPOCH_FOR_BOTH, "same-epoch-for-both-rivals", "I5", FOUND, KEEP_ALL,                    \
      "shadow and primary would use one number alone")                                             \
    X(PAIR_ANY_EPOCH, "pair-from-any-epoch", "R17", FOUND, KEEP_ALL,                               \
      "PAIR names an epoch that the register has left")                                            \
    X(REG_SOLO_DUAL, "dual-primary-registers-solo", "R19", FOUND, KEEP_ALL,                        \
      "PRIM registers as SOLO(g,P) too, and takes the answer for a grant")                         \
    X(ARM_INC, "arm-inc-unchecked", "R17", REDUNDANT, KEEP(ARM), "ARM of any inc of the shadow")   \
    X(SOLOREQ_INC, "soloreq-inc-unchecked", "R17", NOTHING, KEEP(SOLOREQ),                         \
      "SOLOREQ of any inc of the owner")                                                           \
    X(SHADOW_BY_STREAM, "joiner-shadow-only-by-stream", "R16", PROGRESS, KEEP(REG_DUAL),           \
      "PAIROK does not make a joiner the SHADOW")                                                  \
    X(RESUME_PAIR_ANY, "resume-pair-record-any-register", "R22", FOUND,                            \
      KEEP(RESUME) | KEEP(RESUMEOK), "a PAIR record is enough for the register's owner")           \
    X(REG_EPOCH, "registration-epoch-unchecked", "R20", NOTHING, KEEP(REG_DUAL),                   \
      "two REG_DUAL of different epochs make DUAL")                                                \
    X(PAIR_NO_SOLO_RECORD, "pair-before-solo-record", "R15", REDUNDANT, KEEP(ACK),                 \
      "PAIR before the SOLO record is durable; given R13")                                         \
    X(STREAM_BEFORE_RECORD, "stream-before-solo-record", "R13", PROGRESS, KEEP_ALL,                \
      "SOLO streams to a joiner before its record is durable")                                     \
    X(PAIRING_STREAMS_OLD, "pairing-streams-old-epoch", "R15", PROGRESS, 0,                        \
      "PAIRING streams as its old epoch")                                                          \
    X(EARLY_UNCONFIRMED, "early-release-before-confirmed", "R4", FOUND, KEEP_ALL,                  \
      "a suspecting shadow re-sends before its pairing is confirmed")                              \
    X(RESEND_ABOVE_MARK, "resend-above-the-mark", "R4b", REDUNDANT, 0,                             \
      "a confirmed shadow re-sends what its owner has not marked; given R4's argument")            \
    X(RESEND_UNCONFIRMED, "resend-unconfirmed", "R4b", REDUNDANT, 0,                               \
      "a shadow re-sends what is marked before its pairing is confirmed; given the mark")          \
    X(RESEND_ANY, "resend-unconfirmed-above-the-mark", "R4b", FOUND, 0,                            \
      "a shadow re-sends whatever it holds")                                                       \
    X(NEW_DAY_ALONE, "new-day-without-pairok", "genesis", NOTHING, 0,                              \
      "a new day's node acts once it knows the other")                                             \
    X(NEW_DAY_ANY_PEER, "new-day-pairok-peer-unchecked", "genesis", NOTHING, 0,                    \
      "a new day's node acts on a PAIROK that names another inc of its peer")                      \
    X(NEW_DAY_WITH_LOG, "new-day-with-a-log", "genesis", FOUND, KEEP(BOOT),                        \
      "a node restarts for a new day although inputs were sequenced")                              \
    X(NEW_DAY_WITH_RECORD, "new-day-with-a-record", "genesis", FOUND, KEEP_ALL,                    \
      "a node restarts for a new day although its journal holds a record")                         \
    X(NEW_DAY_KEEPS_RECORD, "new-day-keeps-its-record", "aside", FOUND, KEEP_ALL,                  \
      "a new day's node goes on in its old journal, whatever the record, and resumes from it")     \
    X(LOG_RELEASE, "log-release-without-logack", "W1", FOUND, KEEP(ACK), "SOLO releases unacked")  \
    X(LOGACK_OLD_WINC, "logack-of-an-older-winc", "W1", REDUNDANT, KEEP_ALL,                       \
      "LOGACKs of an older winc count; LIVE there covers them")                                    \
    X(LOG_NEED_IS_BASE, "log-need-is-base", "W2", FOUND, KEEP_ALL,                                 \
      "LIVE claims that nothing above its base was released")                                      \
    X(LOG_PAST_GAP, "log-past-a-gap", "W3", FOUND, KEEP_ALL, "the witness stores past a hole")     \
    X(LOG_TRIMMED_EARLY, "log-dropped-before-durable", "W3", PROGRESS, KEEP_ALL,                   \
      "the owner calls durable what it only holds")                                                \
    X(LOGACK_NOT_WHOLE, "logack-before-whole", "W4", FOUND, KEEP_ALL,                              \
      "the witness acks a log that does not cover what may have been released")                    \
    X(LOG_DISCLAIM_AFTER_ACK, "log-disclaim-after-logack", "W5", FOUND, KEEP_ALL,                  \
      "DISCLAIM frees an epoch of which the witness has acked inputs")                             \
    X(LOG_NOT_SEALED, "log-not-sealed", "W6", FOUND, KEEP_ALL,                                     \
      "the witness stores inputs of the owner's older epochs")                                     \
    X(LOG_RESUME_BELOW_BASE, "log-resume-below-base", "W6", REDUNDANT, KEEP_ALL,                   \
      "RESUME of a journal that ends before the witness's log begins; given its lineage")          \
    X(LOG_RESUME_NOT_WHOLE, "log-resume-before-whole", "W6", FOUND, KEEP_ALL,                      \
      "RESUME although journal and log do not cover what may have been released")                  \
    X(LOG_ANY_JOURNAL, "log-resume-any-journal", "W6", FOUND, KEEP_ALL,                            \
      "RESUME whatever journal the node has: neither its base nor its lineage is checked")         \
    X(LOG_LINEAGE, "log-resume-any-lineage", "W6", NOTHING, KEEP_ALL,                              \
      "RESUME of a journal that another life began; given its base")                               \
    X(LOG_RESUME_UNSET, "log-resume-in-unset", "W6", FOUND, KEEP_ALL,                              \
      "RESUME with a SOLO record in UNSET")                                                        \
    X(LOG_DROPPED_AT_RESUME, "log-dropped-at-resume", "W6", FOUND, KEEP_ALL,                       \
      "the witness forgets the log once it is handed out")                                         \
    X(LOG_NOT_TAKEN, "log-not-taken", "W7", FOUND, KEEP_ALL,                                       \
      "a resumed node goes on from its journal alone")                                             \
    X(LOG_PAIRING, "log-pairing-without-logack", "W8", FOUND, KEEP(ACK),                           \
      "PAIRING releases what is acked but not in the witness's log")                               \
    X(STREAM_UNSETTLED, "log-stream-before-settled", "W9", PROGRESS, KEEP_ALL,                     \
      "SOLO streams to a joiner while its grant can be disclaimed")                                \
    X(FORCE_OTHER_LIVES, "force-while-the-other-lives", "F1", FOUND, KEEP_ALL,                     \
      "FORCE beside a living engine")                                                              \
    X(FORCE_THE_WORSE, "force-the-worse-log", "F2", FOUND, KEEP_ALL,                               \
      "FORCE of a lower record or a shorter log")                                                  \
    X(FORCE_NEWEST_FOLDER, "force-newest-folder-only", "F2", FOUND, KEEP_ALL,                      \
      "FORCE forgets the folder that a node set aside when it joined the same owner again")        \
    X(FORCE_KEEPS_JOURNAL, "force-leaves-the-other-journal", "F4", FOUND, KEEP_ALL,                \
      "the other engine starts with the journal that FORCE passed over")                           \
    X(HOLD_MEMORY, "hold-memory-only", "F5", FOUND, KEEP(ACK),                                     \
      "PRIM releases what both only hold in memory")                                               \
    X(HOLD_OWN_DISK, "hold-own-disk-only", "F5", FOUND, KEEP(ACK),                                 \
      "under two-disks PRIM releases what is acked and on its own disk"                            \
      "is lost")                                                                                   \
    X(HOLD_PAIR, "hold-pair-from-memory", "F5", FOUND, KEEP(ACK),                                  \
      "under two-disks a joiner is paired, and PAIRING releases, by what it only holds in memory") \
    X(HOLD_EARLY_ANY, "hold-early-from-memory", "F5", FOUND, KEEP_ALL,                             \
      "a shadow re-sends early what its disk does not hold")                                       \
    X(DIGEST_UNCOMPARED, "acks-of-another-digest", "D1", FOUND, KEEP_ALL,                          \
      "PRIM counts acks whatever their digest says")                                               \
    X(DIVERGED_GOES_ON, "diverged-goes-on", "D2", REDUNDANT, KEEP_ALL,                             \
      "a DIVERGED node acks, arms and releases as before; given that such acks do not count")      \
    X(EARLY_UNCOMPARED, "early-release-uncompared", "D3", FOUND, KEEP_ALL,                         \
      "a shadow re-sends early what was not compared")

enum mutation {
    MUT_NONE,
#define MUTATION_ID(id, name, rule, expected, kept, words) MUT_##id,
    MUTATIONS(MUTATION_ID)
#undef MUTATION_ID
        MUT_COUNT
};

#endif
