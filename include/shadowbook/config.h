/* config.h: the configuration of one shard, as read from one INI file.
 *
 * Every process of a shard reads the same file and finds its own section by name. An unknown section
 * or key, a bad value, a missing key or file is an error that names file, line and what is accepted;
 * nothing is guessed. Keys are documented in scripts/shadowbook.conf (the commented example) and in
 * the man page shadowbook.conf(5).
 *
 * The structure is filled once at start by sb_config_load() and read-only afterwards. Its sessions, instruments and orders of an
 * earlier day are the log's first commands (replica/genesis.h): what both engines must have equal, but for tokens.
 */
#ifndef SHADOWBOOK_CONFIG_H
#define SHADOWBOOK_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "shadowbook/engine.h"

enum { SB_SESSIONS_CONFIG_MAX = 1024, SB_INSTRUMENTS_CONFIG_MAX = 65535 };

enum sb_release { SB_RELEASE_VERIFIED, SB_RELEASE_LOGGED };
enum sb_idle { SB_IDLE_SPIN, SB_IDLE_YIELD };
/* What must hold an input before its outputs leave. DUAL: the shadow's memory always (R1), and besides: */
enum sb_hold_setting {
    SB_HOLD_TWO_MEMORIES, /* nothing: survives the loss of either host */
    SB_HOLD_MEMORY_AND_DISK, /* the journal of one of the two: and a power cut that takes both, if that disk is left */
    SB_HOLD_TWO_DISKS, /* both journals: and a power cut that takes both, and one of the disks */
};
/* SOLO: R3. */
enum sb_solo_policy {
    SB_SOLO_AUTO, /* memory without a journal; else witness where its log is configured, else disk */
    SB_SOLO_WITNESS, /* the witness's memory */
    SB_SOLO_DISK,    /* this node's journal, with the record of its ownership */
    SB_SOLO_MEMORY, /* nothing: this node's memory alone; then no restart from the journal either */
    SB_SOLO_HALT,   /* a node that is left alone takes no input until it is paired again */
};
enum sb_divergence { SB_DIVERGENCE_HALT, SB_DIVERGENCE_PRIMARY_CONTINUES };
enum sb_journal_on_fault { SB_JOURNAL_STOP, SB_JOURNAL_DEGRADE };

struct sb_addr {
    uint32_t ipv4; /* host byte order */
    uint16_t port; /* UDP; 0 = none */
};

/* Where a role's frames go. A role whose `spec` is empty shares the port of the role before it in
 * this order: clients, peer, witness, feed_a, feed_b. */
enum sb_port_role {
    SB_PORT_CLIENTS,
    SB_PORT_PEER,
    SB_PORT_WITNESS,
    SB_PORT_FEED_A,
    SB_PORT_FEED_B,
    SB_PORT_ROLES
};

struct sb_host_config { /* [node A], [node B], [witness W], [client] */
    bool present;
    char name[16];
    uint32_t ipv4;
    int lcore;         /* -1: not pinned */
    int journal_lcore; /* the same, for the journal's thread */
    enum sb_idle idle;
    struct sb_addr transfer; /* node: where its journal can be copied from, TCP; port 0: nowhere */
    char ports[SB_PORT_ROLES][128]; /* e.g. "af_xdp:iface=veth0", "memif:socket=PATH,role=server",
                                       "af_packet:iface=veth0", "pci:0000:01:00.0" */
};

struct sb_session_config { /* [session N] */
    bool present;
    bool operator_right;
    uint8_t stp;        /* enum sb_stp */
    uint32_t stp_group; /* 0: the firm is the group */
    uint32_t firm;
    uint32_t orders_max;   /* open orders at once; here and below 0: no limit */
    uint32_t quantity_max; /* of one order */
    uint32_t notional_max; /* of one order, whole units of the currency */
    uint64_t token;
};

struct sb_instrument_config { /* [instrument N] */
    char symbol[8];           /* space padded */
    int64_t tick, price_min, price_max;
    uint32_t lot, quantity_max;
    uint32_t reference_price;           /* 1/10000, a multiple of tick; 0: none */
    uint32_t notional_max;              /* of one order, whole units of the currency; 0: no limit */
    uint32_t pro_rata_min;              /* shares below this are not allotted */
    uint32_t pause_ms;                  /* 0: the operator ends a pause */
    uint16_t static_band, dynamic_band; /* 1/10000 of the reference; 0: none */
    uint8_t band_action;                /* enum sb_band_action */
    uint8_t matching;                   /* enum sb_matching */
    uint8_t tie;                        /* enum sb_tie */
    uint8_t phase;
    bool present;
};

struct sb_config {
    char path[512];
    /* [shard] */
    uint16_t shard;
    uint16_t generation;
    uint32_t trading_day; /* yyyymmdd; 0 = the UTC day at start */
    enum sb_release release;
    enum sb_hold_setting hold;
    enum sb_solo_policy solo_policy; /* see sb_config_solo_policy() */
    enum sb_divergence divergence;
    uint8_t primary;      /* enum sb_node_id: who owns the first epoch of a new day */
    char carry_path[160]; /* file of an earlier day's open orders (replica/carry.h); empty: none */
    /* [engine] */
    struct sb_engine_limits limits;
    uint64_t timer_ns; /* least time between two TIMERs that the owner sequences; 0: none */
    /* [memory] */
    uint32_t log_lines;      /* 64-byte lines of input kept in memory, power of two */
    uint32_t unacked_lines;  /* back-pressure: most lines sequenced and not yet releasable */
    uint64_t hold_bytes;     /* ring of encoded frames: held, then kept for re-requests */
    uint32_t retain_packets; /* per stream: packets that a re-request can name, power of two */
    uint32_t pending_bytes;  /* clients' packets that a shadow keeps for the day it goes live */
    uint32_t
        witness_log_lines; /* of a SOLO owner's input that the witness keeps, power of two; 0: it keeps none */
    bool hugepages;
    /* [timing], nanoseconds */
    uint64_t heartbeat_ns, suspect_after_ns, takeover_after_ns, gap_after_ns, solo_after_ns;
    uint64_t
        lag_max; /* inputs that a shadow may be behind for solo_after before it counts as silent */
    uint64_t client_heartbeat_ns; /* on idle session and feed streams, and for STATUS */
    /* [journal] */
    char journal_dir[128]; /* empty: no journal */
    uint64_t journal_segment_bytes, journal_ring_bytes;
    uint32_t journal_keep_segments; /* 0: all */
    uint64_t journal_lag_max_ns;
    enum sb_journal_on_fault journal_error;
    /* [net] */
    struct sb_addr orders, requests, replication, feed_a, feed_b; /* multicast groups, UDP ports;
                                                     requests has the orders group's address */
    uint16_t client_port; /* source port of everything sent to clients */
    /* hosts */
    struct sb_host_config nodes[2], witness, client;
    /* tables; index 0 unused */
    struct sb_session_config sessions[SB_SESSIONS_CONFIG_MAX + 1];
    uint32_t sessions_n;                      /* highest index present */
    struct sb_instrument_config *instruments; /* calloc'ed by load, freed by sb_config_free */
    uint32_t instruments_n;
    /* The CARRYs that stand in the log behind the definitions. Of the file: sb_carry_load(), not sb_config_load(). Freed by
     * sb_config_free. */
    struct sb_command2 *carry;
    uint32_t carry_n, carry_day; /* carry_day: the day that they come from */
};

/* Reads path into cfg. On error prints "FILE:LINE: what, what is accepted" to err (all errors of the file,
 * at most 20) and returns false. Allocates only cfg->instruments. */
bool sb_config_load(struct sb_config *cfg, const char *path, FILE *err);
void sb_config_free(struct sb_config *cfg);

/* Checks between keys (T1 < T2, h <= T1/3, hold_bytes against the worst command, no instrument that the engine would ignore,
 * no key without effect, ...). Same convention. Called by sb_config_load(). */
bool sb_config_check(const struct sb_config *cfg, FILE *err);

/* Does some instrument match pro-rata? Then commands may bring more outputs (engine.h, replica/bounds.h). */
static inline bool sb_config_pro_rata(const struct sb_config *cfg)
{
    for (uint32_t i = 1; i <= cfg->instruments_n; i++)
        if (cfg->instruments[i].present && cfg->instruments[i].matching == SB_MATCH_PRO_RATA)
            return true;
    return false;
}

/* The policy in force: what SB_SOLO_AUTO means here. */
static inline enum sb_solo_policy sb_config_solo_policy(const struct sb_config *cfg)
{
    if (cfg->solo_policy != SB_SOLO_AUTO)
        return cfg->solo_policy;
    if (cfg->journal_dir[0] == '\0')
        return SB_SOLO_MEMORY;
    return cfg->witness_log_lines != 0 ? SB_SOLO_WITNESS : SB_SOLO_DISK;
}

/* Fills cfg with the defaults that the file may override. No hosts, sessions, instruments. */
void sb_config_defaults(struct sb_config *cfg);

#endif
