#include "shrink.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shadowbook/assert.h"

enum { SECONDS = 20, SHORT = 150 }; /* a short flow is looked at closely */

struct apart {
    volatile uint32_t at;
    int64_t difference;
};

static _Noreturn void run_apart(const struct compare *c, struct apart *shared)
{
    struct compare own = *c;
    own.at = &shared->at;
    if (c->say == NULL) { /* a trial: its last words are not wanted */
        const int null = open("/dev/null", O_WRONLY);
        if (null >= 0)
            dup2(null, STDERR_FILENO);
    }
    alarm(SECONDS);
    shared->difference = compare_run(&own);
    if (c->say != NULL)
        fflush(c->say);
    _exit(0);
}

int64_t compare_apart(const struct compare *c)
{
    struct apart *shared =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    SB_ASSERT(shared != MAP_FAILED);
    fflush(NULL);
    const pid_t pid = fork();
    SB_ASSERT(pid >= 0);
    if (pid == 0)
        run_apart(c, shared);
    int status;
    SB_ASSERT(waitpid(pid, &status, 0) == pid);
    const bool ended = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    const int64_t difference = ended ? shared->difference : shared->at;
    if (!ended && c->say != NULL)
        fprintf(c->say, "  ended by signal %d in command %u\n",
                WIFSIGNALED(status) ? WTERMSIG(status) : 0, shared->at + 1);
    munmap(shared, sizeof *shared);
    return difference;
}

static int64_t trial(const struct sb_engine_limits *limits, const struct sb_command2 *commands,
                     uint32_t n)
{
    const struct compare c = {
        .limits = limits, .commands = commands, .n = n, .views_every = n <= SHORT ? 1 : 0};
    return n == 0 ? COMPARE_EQUAL : compare_apart(&c);
}

/* --- fewer ------------------------------------------------------------------------------------- */

/* Leaves out every chunk that the difference does not need, chunks ever smaller. */
static uint32_t leave_out(const struct sb_engine_limits *limits, struct sb_command2 *commands,
                          uint32_t n)
{
    struct sb_command2 *left = malloc((size_t)n * sizeof *left);
    SB_ASSERT(left != NULL);
    for (uint32_t chunk = n / 2 > 0 ? n / 2 : 1;;) {
        bool removed = false;
        for (uint32_t at = 0; at < n;) {
            const uint32_t cut = chunk < n - at ? chunk : n - at;
            memcpy(left, commands, (size_t)at * sizeof *left);
            memcpy(left + at, commands + at + cut, (size_t)(n - at - cut) * sizeof *left);
            const int64_t difference = trial(limits, left, n - cut);
            if (difference == COMPARE_EQUAL) {
                at += cut;
                continue;
            }
            n = (uint32_t)difference + 1; /* nothing after the difference is needed */
            memcpy(commands, left, (size_t)n * sizeof *left);
            removed = true;
        }
        if (chunk == 1 && !removed)
            break;
        chunk = chunk > 1 ? chunk / 2 : 1;
    }
    free(left);
    return n;
}

/* --- simpler ------------------------------------------------------------------------------------ */

/* Takes one thing off a command; false: there is no thing number `what`. */
static bool simplify(struct sb_command2 *c, uint32_t what)
{
    const bool order = c->c.kind == SB_CMD_ORDER || c->c.kind == SB_CMD_REPLACE;
    const bool session = c->c.kind == SB_CMD_SESSION, instrument = c->c.kind == SB_CMD_INSTRUMENT;
    switch (what) {
    case 0:
        c->c.session_seq = 0;
        return true;
    case 1:
        if (order) {
            memset(&c->ext, 0, sizeof c->ext);
            c->c.flags = 0;
        }
        return true;
    case 2:
        if (order)
            memset(c->ext.order.clordid, 0, sizeof c->ext.order.clordid);
        if (session)
            c->ext.session.orders_max = 0;
        if (instrument)
            c->ext.instrument.notional_max = 0;
        return true;
    case 3:
        if (order)
            c->ext.order.oco_key = 0;
        if (session)
            c->ext.session.quantity_max = 0;
        if (instrument)
            c->ext.instrument.static_band = 0;
        return true;
    case 4:
        if (order)
            c->ext.order.attributes = 0;
        if (session)
            c->ext.session.notional_max = 0;
        if (instrument)
            c->ext.instrument.dynamic_band = 0;
        return true;
    case 5:
        if (order)
            c->ext.order.display_quantity = c->ext.order.refresh_range = 0;
        if (session)
            c->ext.session.stp = 0;
        if (instrument)
            c->ext.instrument.band_action = 0;
        return true;
    case 6:
        if (order)
            c->ext.order.refresh_range = 0;
        if (session)
            c->ext.session.stp_group = 0;
        if (instrument)
            c->ext.instrument.reference_price = 0;
        return true;
    case 7:
        if (order)
            c->ext.order.min_quantity = 0;
        if (instrument)
            c->ext.instrument.matching = 0;
        return true;
    case 8:
        if (order)
            c->ext.order.peg_offset = 0;
        if (instrument)
            c->ext.instrument.tie = 0;
        return true;
    case 9:
        if (order && c->c.tif != SB_TIF_DAY) {
            c->c.tif = SB_TIF_DAY;
            c->ext.order.expire_ns = 0;
        }
        if (instrument)
            c->ext.instrument.pro_rata_min = 0;
        return true;
    case 10:
        if (c->c.side > SB_SELL)
            c->c.side = SB_SELL;
        return true;
    case 11:
        c->c.capacity = c->c.display = 0;
        return true;
    default:
        return false;
    }
}

static void simpler(const struct sb_engine_limits *limits, struct sb_command2 *commands, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        struct sb_command2 c = commands[i];
        for (uint32_t what = 0; simplify(&c, what); what++) {
            const struct sb_command2 was = commands[i];
            if (memcmp(&was, &c, sizeof c) == 0)
                continue;
            commands[i] = c;
            if (trial(limits, commands, n) == COMPARE_EQUAL)
                commands[i] = c = was;
        }
    }
}

uint32_t shrink(const struct sb_engine_limits *limits, struct sb_command2 *commands, uint32_t n)
{
    n = leave_out(limits, commands, n);
    if (n > SHORT / 2)
        return n;
    simpler(limits, commands, n);
    return leave_out(limits, commands, n);
}
