#include "shadowbook/config.h"

#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "replica/config_keys.h"

/* The library splits a line of at most this length; a longer one it would cut in two without a word. */
enum { LINE_BYTES_MAX = 190 };

struct loader {
    struct sb_config *cfg;
    FILE *file, *err;
    const char *path;
    unsigned line, errors;

    /* The section that is being read. */
    bool section_good;
    char section_text[64];
    unsigned section_line;
    enum sb_config_section section;
    void *section_base;
    uint64_t seen; /* bit: key's number within the section */

    unsigned single_seen; /* bit: sections that have one place in a file */
    char *buffer;
    size_t buffer_bytes;
};

__attribute__((format(printf, 3, 4))) static void complain(struct loader *l, unsigned line,
                                                           const char *format, ...)
{
    l->errors++;
    if (l->errors > SB_CONFIG_ERRORS_MAX) {
        if (l->errors == SB_CONFIG_ERRORS_MAX + 1)
            fprintf(l->err, "%s: more errors not shown\n", l->path);
        return;
    }
    fprintf(l->err, "%s:%u: ", l->path, line);
    va_list args;
    va_start(args, format);
    vfprintf(l->err, format, args);
    va_end(args);
    fputc('\n', l->err);
}

/* A section is complete at the next heading and at the end of the file. */
static void section_end(struct loader *l)
{
    if (!l->section_good)
        return;
    size_t n;
    const struct sb_config_key *keys = sb_config_keys(&n);
    char accepted[SB_CONFIG_ACCEPTED_BYTES];
    for (size_t i = 0; i < n; i++) {
        if (keys[i].section != l->section || !keys[i].required)
            continue;
        unsigned index;
        sb_config_keys_find(l->section, keys[i].key, &index);
        if ((l->seen >> index & 1) == 0)
            complain(l, l->section_line, "[%s] has no %s: %s is accepted", l->section_text,
                     keys[i].key, sb_config_keys_accepted(&keys[i], accepted));
    }
    if (l->section == SB_SECTION_INSTRUMENT) {
        struct sb_instrument_config *instrument = l->section_base;
        if (instrument->price_min == 0)
            instrument->price_min = instrument->tick;
        if (instrument->price_max == 0)
            instrument->price_max = SB_PRICE_MAX - SB_PRICE_MAX % instrument->tick;
    }
    l->section_good = false;
}

static const struct {
    const char *name;
    enum sb_config_section kind;
} SINGLE[] = {
    {"shard", SB_SECTION_SHARD},   {"engine", SB_SECTION_ENGINE},   {"memory", SB_SECTION_MEMORY},
    {"timing", SB_SECTION_TIMING}, {"journal", SB_SECTION_JOURNAL}, {"net", SB_SECTION_NET},
    {"node A", SB_SECTION_HOST},   {"node B", SB_SECTION_HOST},     {"witness W", SB_SECTION_HOST},
    {"client", SB_SECTION_HOST},
};
enum { SINGLE_N = sizeof SINGLE / sizeof SINGLE[0] };

static bool single_begin(struct loader *l, const char *name)
{
    struct sb_config *cfg = l->cfg;
    for (unsigned i = 0; i < SINGLE_N; i++) {
        if (strcmp(name, SINGLE[i].name) != 0)
            continue;
        if ((l->single_seen >> i & 1) != 0) {
            complain(l, l->line, "section [%s] is given twice: once is accepted", name);
            return true;
        }
        l->single_seen |= 1u << i;
        l->section = SINGLE[i].kind;
        l->section_base = cfg;
        l->section_good = true;
        if (l->section == SB_SECTION_HOST) {
            struct sb_host_config *hosts[] = {&cfg->nodes[0], &cfg->nodes[1], &cfg->witness,
                                              &cfg->client};
            struct sb_host_config *host = hosts[i + 4 - SINGLE_N];
            host->present = true;
            l->section_base = host;
        }
        return true;
    }
    return false;
}

/* "session 12" with what = "session": 12; 0 if it is not of this form or not in 1..max. */
static uint32_t numbered(const char *name, const char *what, uint32_t max)
{
    const size_t n = strlen(what);
    if (strncmp(name, what, n) != 0 || name[n] != ' ')
        return 0;
    uint32_t number = 0;
    const char *digit = name + n + 1;
    for (; *digit >= '0' && *digit <= '9'; digit++) {
        number = number * 10 + (uint32_t)(*digit - '0');
        if (number == 0 || number > max)
            return 0;
    }
    return *digit == '\0' ? number : 0;
}

static void section_begin(struct loader *l, const char *name)
{
    section_end(l);
    snprintf(l->section_text, sizeof l->section_text, "%s", name);
    l->section_line = l->line;
    l->seen = 0;
    if (single_begin(l, name))
        return;
    uint32_t i = numbered(name, "session", SB_SESSIONS_CONFIG_MAX);
    bool *present = NULL;
    if (i != 0) {
        struct sb_session_config *session = &l->cfg->sessions[i];
        l->section = SB_SECTION_SESSION;
        l->section_base = session;
        present = &session->present;
        l->cfg->sessions_n = i > l->cfg->sessions_n ? i : l->cfg->sessions_n;
    } else if ((i = numbered(name, "instrument", SB_INSTRUMENTS_CONFIG_MAX)) != 0) {
        struct sb_instrument_config *instrument = &l->cfg->instruments[i];
        l->section = SB_SECTION_INSTRUMENT;
        l->section_base = instrument;
        present = &instrument->present;
        if (!instrument->present) {
            instrument->tick = 100;
            instrument->lot = 1;
            instrument->quantity_max = SB_QUANTITY_MAX / 2;
        }
        l->cfg->instruments_n = i > l->cfg->instruments_n ? i : l->cfg->instruments_n;
    } else {
        complain(l, l->line,
                 "unknown section [%s]: [shard], [engine], [memory], [timing], [journal], [net], "
                 "[node A], "
                 "[node B], [witness W], [client], [session 1..%d] and [instrument 1..%d] are "
                 "accepted",
                 name, SB_SESSIONS_CONFIG_MAX, SB_INSTRUMENTS_CONFIG_MAX);
        return;
    }
    if (*present)
        complain(l, l->line, "section [%s] is given twice: once is accepted", name);
    else
        l->section_good = true;
    *present = true;
}

static void keys_of_section(const struct loader *l, char *text, size_t bytes)
{
    size_t n, length = 0;
    const struct sb_config_key *keys = sb_config_keys(&n);
    text[0] = '\0';
    for (size_t i = 0; i < n; i++) {
        if (keys[i].section != l->section || length >= bytes)
            continue;
        const int added =
            snprintf(text + length, bytes - length, "%s%s", length != 0 ? ", " : "", keys[i].key);
        length += added > 0 ? (size_t)added : 0;
    }
}

static int on_key(void *user, const char *section, const char *name, const char *value)
{
    struct loader *l = user;
    (void)section; /* as the library cut it; the reader has it whole */
    if (!l->section_good) {
        if (l->section_line == 0)
            complain(l, l->line,
                     "%s = %s stands before the first section: a heading such as "
                     "[shard] is accepted",
                     name, value);
        return 1; /* keys of a section that was refused are not judged */
    }
    unsigned index;
    const struct sb_config_key *key = sb_config_keys_find(l->section, name, &index);
    char text[512];
    if (key == NULL) {
        keys_of_section(l, text, sizeof text);
        complain(l, l->line, "unknown key %s in [%s]: %s are accepted", name, l->section_text,
                 text);
        return 1;
    }
    if ((l->seen >> index & 1) != 0)
        complain(l, l->line, "[%s] %s is given twice: once is accepted", l->section_text, name);
    l->seen |= UINT64_C(1) << index;
    if (!sb_config_keys_store(key, value, l->section_base))
        complain(l, l->line, "[%s] %s = %s: %s is accepted", l->section_text, name, value,
                 sb_config_keys_accepted(key, text));
    return 1;
}

/* Judges the form of a line, so that the library only sees lines that it can split. Returns where the
 * line's text begins, or NULL if there is nothing to split. */
static char *line_judge(struct loader *l, char *line, size_t length)
{
    while (length > 0 && strchr("\r\n\t ", line[length - 1]) != NULL && line[length - 1] != '\0')
        line[--length] = '\0';
    char *text = line + strspn(line, " \t");
    if (l->line == 1 && strncmp(text, "\xEF\xBB\xBF", 3) == 0)
        text += 3;
    if (strlen(line) != length) {
        complain(l, l->line, "a zero byte: plain text is accepted");
        return NULL;
    }
    if (*text == '\0' || *text == '#' || *text == ';')
        return NULL;
    if (strlen(text) > LINE_BYTES_MAX) {
        complain(l, l->line, "a line of %zu characters: at most %d are accepted", strlen(text),
                 LINE_BYTES_MAX);
        return NULL;
    }
    if (*text == '[') {
        char *close = strchr(text, ']');
        const char *rest = close != NULL ? close + 1 + strspn(close + 1, " \t") : "";
        if (close == NULL || (*rest != '\0' && *rest != ';' && *rest != '#')) {
            section_end(l);
            l->section_line = l->line;
            complain(l, l->line, "%s: a heading [NAME] alone on its line is accepted", text);
            return NULL;
        }
        *close = '\0';
        section_begin(l, text + 1);
        return NULL;
    }
    if (strchr(text, '=') == NULL || *text == '=') {
        complain(l, l->line, "%s: \"key = value\", [section] or a comment is accepted", text);
        return NULL;
    }
    return text;
}

/* The library's fgets. It calls on_key before it asks for the next line, so l->line is the key's. */
static char *next_line(char *to, int bytes, void *stream)
{
    struct loader *l = stream;
    const ssize_t length = getline(&l->buffer, &l->buffer_bytes, l->file);
    if (length < 0)
        return NULL;
    l->line++;
    const char *text = line_judge(l, l->buffer, (size_t)length);
    snprintf(to, (size_t)bytes, "%s\n", text != NULL ? text : "");
    return to;
}

void sb_config_defaults(struct sb_config *cfg)
{
    memset(cfg, 0, sizeof *cfg);
    cfg->release = SB_RELEASE_VERIFIED;
    cfg->hold = SB_HOLD_TWO_MEMORIES;
    cfg->solo_policy = SB_SOLO_AUTO;
    cfg->divergence = SB_DIVERGENCE_HALT;
    cfg->limits = (struct sb_engine_limits)SB_ENGINE_LIMITS_DEFAULT;
    cfg->timer_ns = 100000000;
    cfg->log_lines = 1u << 20;
    cfg->unacked_lines = 1u << 14;
    cfg->hold_bytes = 512u << 20;
    cfg->retain_packets = 1u << 14;
    cfg->pending_bytes = 16u << 20;
    cfg->hugepages = true;
    /* For tuned bare metal with a direct cable; a shared machine needs milliseconds. */
    cfg->heartbeat_ns = 5000;
    cfg->suspect_after_ns = 20000;
    cfg->takeover_after_ns = 60000;
    cfg->gap_after_ns = 40000;
    cfg->solo_after_ns = 200000;
    cfg->lag_max = 65536;
    cfg->client_heartbeat_ns = 100000000;
    cfg->journal_segment_bytes = 256u << 20;
    cfg->journal_ring_bytes = 16u << 20;
    cfg->journal_lag_max_ns = 1000000000;
    cfg->journal_error = SB_JOURNAL_STOP;
    struct sb_host_config *hosts[] = {&cfg->nodes[0], &cfg->nodes[1], &cfg->witness, &cfg->client};
    static const char *const names[] = {"A", "B", "W", "client"};
    for (unsigned i = 0; i < 4; i++) {
        snprintf(hosts[i]->name, sizeof hosts[i]->name, "%s", names[i]);
        hosts[i]->lcore = hosts[i]->journal_lcore = -1;
        hosts[i]->idle = SB_IDLE_SPIN;
    }
}

static void sections_required(struct loader *l)
{
    for (unsigned i = 0; i < SINGLE_N; i++) {
        const bool needed = SINGLE[i].kind == SB_SECTION_SHARD || SINGLE[i].kind == SB_SECTION_NET;
        if (needed && (l->single_seen >> i & 1) == 0)
            complain(l, l->line, "the file ends without a section [%s], which is needed",
                     SINGLE[i].name);
    }
}

bool sb_config_load(struct sb_config *cfg, const char *path, FILE *err)
{
    sb_config_defaults(cfg);
    struct loader l = {.cfg = cfg, .err = err, .path = path};
    if (strlen(path) >= sizeof cfg->path) {
        fprintf(err, "%s: path is too long: at most %zu characters are accepted\n", path,
                sizeof cfg->path - 1);
        return false;
    }
    memcpy(cfg->path, path, strlen(path) + 1);
    l.file = fopen(path, "re");
    if (l.file == NULL) {
        fprintf(err, "%s: cannot open: %s; a readable configuration file is accepted\n", path,
                strerror(errno));
        return false;
    }
    cfg->instruments = calloc(SB_INSTRUMENTS_CONFIG_MAX + 1, sizeof *cfg->instruments);
    if (cfg->instruments == NULL) {
        fprintf(err, "%s: no memory for the table of instruments\n", path);
        fclose(l.file);
        return false;
    }
    const int parsed = ini_parse_stream(next_line, &l, on_key, &l);
    if (ferror(l.file))
        complain(&l, l.line, "cannot read on: %s", strerror(errno));
    else if (parsed != 0)
        complain(&l, parsed > 0 ? (unsigned)parsed : 0, "\"key = value\" is accepted");
    section_end(&l);
    sections_required(&l);
    cfg->requests.ipv4 = cfg->orders.ipv4;
    free(l.buffer);
    fclose(l.file);
    /* Between keys only when each is good by itself: one mistake, one message. */
    if (l.errors == 0 && sb_config_check(cfg, err))
        return true;
    sb_config_free(cfg);
    return false;
}

void sb_config_free(struct sb_config *cfg)
{
    free(cfg->instruments);
    cfg->instruments = NULL;
    cfg->instruments_n = 0;
    free(cfg->carry);
    cfg->carry = NULL;
    cfg->carry_n = 0;
}
