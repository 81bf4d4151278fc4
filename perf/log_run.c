#include "perf/log_run.h"

#include <inttypes.h>
#include <string.h>

void sb_log_run_close(struct sb_log_run *r)
{
    sb_match_engine_close(&r->m);
    sb_log_source_close(&r->log);
}

/* An engine as the log has it where it begins: new, or from the snapshot. False: said on err why not. */
static bool make_engine(struct sb_log_run *r, FILE *err)
{
    const struct sb_snapshot *snapshot = sb_log_source_snapshot(&r->log);
    if (snapshot != NULL && !sb_match_rules(r->log.path, snapshot->head.rules, err))
        return false;
    if (!sb_match_engine_open(&r->m, &r->log.limits)) {
        fprintf(err, "%s: no memory for an engine of its limits\n", r->log.path);
        return false;
    }
    const char *wrong = snapshot != NULL ? sb_snapshot_load(snapshot, r->m.engine) : NULL;
    if (wrong != NULL)
        fprintf(err, "%s: snapshot of input %" PRIu64 ": %s\n", r->log.path, r->sealed_n, wrong);
    return wrong == NULL;
}

static bool begin(struct sb_log_run *r, FILE *err)
{
    r->sealed_n = sb_log_run_snapshot_n(r);
    if (make_engine(r, err))
        return true;
    sb_log_run_close(r);
    return false;
}

bool sb_log_run_open(struct sb_log_run *r, const char *path, uint64_t snapshot_max, FILE *err)
{
    memset(r, 0, sizeof *r);
    return sb_log_source_open(&r->log, path, snapshot_max, err) && begin(r, err);
}

bool sb_log_run_open_longest(struct sb_log_run *r, const char *path, FILE *err)
{
    memset(r, 0, sizeof *r);
    return sb_log_source_open_longest(&r->log, path, err) && begin(r, err);
}

int sb_log_run_next(struct sb_log_run *r, FILE *err)
{
    struct sb_outbox *box = &r->m.box;
    if (r->left == 0) {
        const int more = sb_log_source_next(&r->log, err);
        if (more != 1)
            return more;
        r->c = r->log.lines;
        r->left = r->log.count;
    } else {
        r->c += sb_command_lines(r->c);
    }
    if (r->c->time_ns <= sb_engine_last_time_ns(r->m.engine)) {
        fprintf(err, "%s: input %" PRIu64 ": time runs back\n", r->log.path, r->c->seq);
        return -1;
    }
    if (r->c->kind == SB_CMD_DAY &&
        !sb_match_rules(r->log.path, sb_command_ext(r->c)->day.rules, err))
        return -1;
    r->out = box->out + box->n;
    const uint32_t before = box->n;
    sb_engine_apply(r->m.engine, r->c, box);
    r->out_n = box->n - before;
    if (--r->left == 0) {
        r->sealed_n = r->c->seq;
        r->packets++;
        if (sb_engine_seal(r->m.engine, box) != r->log.digest && r->packets_different++ == 0)
            r->different_n = r->sealed_n;
    }
    return 1;
}

int sb_log_run_to(struct sb_log_run *r, uint64_t n, FILE *err)
{
    int more = 1;
    while (more == 1 && sb_engine_applied(r->m.engine) < n)
        more = sb_log_run_next(r, err);
    return more;
}
