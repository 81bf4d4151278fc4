#include "perf/log_run.h"

#include <inttypes.h>
#include <string.h>

bool sb_log_run_open(struct sb_log_run *r, const char *path, FILE *err)
{
    memset(r, 0, sizeof *r);
    if (!sb_log_source_open(&r->log, path, err))
        return false;
    bool good = sb_log_source_begin(&r->log, err) && sb_log_source_whole(&r->log, err);
    if (good && !sb_match_engine_open(&r->m, &r->log.limits)) {
        fprintf(err, "%s: no memory for an engine of its limits\n", path);
        good = false;
    }
    if (!good)
        sb_log_source_close(&r->log);
    return good;
}

void sb_log_run_close(struct sb_log_run *r)
{
    sb_match_engine_close(&r->m);
    sb_log_source_close(&r->log);
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
    r->out = box->out + box->n;
    const uint32_t before = box->n;
    sb_engine_apply(r->m.engine, r->c, box);
    r->out_n = box->n - before;
    if (--r->left == 0) {
        r->sealed_n = r->c->seq;
        if (sb_engine_seal(r->m.engine, box) != r->log.digest && r->different_n == 0)
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
