/* config_keys.h: the table of everything that a configuration file may say.
 *
 * One row a key: where it stands, what it accepts, where it goes. config.c reads files by this table; the
 * tests hold the example file and the man page against it. Private to the configuration and its tests.
 *
 * Not here: what must hold between keys (config_check.c).
 */
#ifndef SHADOWBOOK_REPLICA_CONFIG_KEYS_H
#define SHADOWBOOK_REPLICA_CONFIG_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SB_CONFIG_ERRORS_MAX = 20, SB_CONFIG_ACCEPTED_BYTES = 160 };

/* Kinds of sections: [node A], [node B], [witness W] and [client] have the same keys. */
enum sb_config_section {
    SB_SECTION_SHARD,
    SB_SECTION_ENGINE,
    SB_SECTION_MEMORY,
    SB_SECTION_TIMING,
    SB_SECTION_JOURNAL,
    SB_SECTION_NET,
    SB_SECTION_HOST,
    SB_SECTION_SESSION,
    SB_SECTION_INSTRUMENT,
    SB_SECTION_KINDS
};

enum sb_config_type {
    SB_KEY_UINT,      /* decimal, or hexadecimal behind 0x; min..max in the key's unit */
    SB_KEY_POW2,      /* the same, and a power of two */
    SB_KEY_WORDS,     /* one of the words in `words`; stored is its place, from 0 */
    SB_KEY_DATE,      /* yyyymmdd, or today (0) */
    SB_KEY_IPV4,      /* a.b.c.d */
    SB_KEY_ADDR,      /* a.b.c.d:port, into struct sb_addr */
    SB_KEY_HOST_ADDR, /* the same, of a host */
    SB_KEY_LCORE,     /* none (-1) or a core's number */
    SB_KEY_SPEC,      /* a port specification: driver:arguments */
    SB_KEY_FOLDER,    /* an absolute path */
    SB_KEY_FILE,      /* the same, of a file */
    SB_KEY_SYMBOL,    /* 1..8 characters, stored padded with spaces */
};

struct sb_config_key {
    enum sb_config_section section;
    const char *key;
    enum sb_config_type type;
    bool required;
    size_t offset, size; /* in the structure of the section: sb_config, sb_host_config, ... */
    uint64_t min, max;   /* of numbers, as written in the file */
    uint64_t scale;      /* stored = written * scale */
    const char *words;   /* WORDS: "a|b|c" */
};

/* The table, *n rows. At most 64 keys a section. Static. */
const struct sb_config_key *sb_config_keys(size_t *n);

/* The row of a key, or NULL; *index becomes its number within the section. */
const struct sb_config_key *sb_config_keys_find(enum sb_config_section section, const char *key,
                                                unsigned *index);

/* Reads `value` into the structure at base. False: the value is not one that the key accepts, nothing
 * is stored. */
bool sb_config_keys_store(const struct sb_config_key *key, const char *value, void *base);

/* What the key accepts, in words. Returns text. */
const char *sb_config_keys_accepted(const struct sb_config_key *key,
                                    char text[SB_CONFIG_ACCEPTED_BYTES]);

#endif
