/* The Shanghai captures through the engine: every trade that the venue made, row by row. 77: captures are absent. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "perf/match.h"

struct venue {
    struct sb_lines *trades;
    uint64_t equal;
    bool different;
};

static bool as_the_venue(void *arg, const struct sb_flow_trade *t)
{
    struct venue *v = arg;
    struct sb_flow_trade e;
    v->different = sb_flow_trades_next(v->trades, &e) != 1 || e.buy_order_id != t->buy_order_id ||
                   e.sell_order_id != t->sell_order_id || e.price != t->price ||
                   e.quantity != t->quantity || e.aggressor != t->aggressor;
    v->equal += !v->different;
    return !v->different;
}

/* trades: how many the venue made, as the captures' description says. */
static bool capture_equal(const char *folder, const char *name, uint64_t trades)
{
    char path[512], error[SB_LINES_ERROR_BYTES] = "";
    struct sb_flow_commands fc = {0};
    struct venue v = {0};
    struct sb_match_engine m;
    struct sb_match_result r = {0};
    snprintf(path, sizeof path, "%s/captures/%s.flow.csv.xz", folder, name);
    bool good = sb_flow_commands_load(&fc, path, error);
    snprintf(path, sizeof path, "%s/captures/%s.trades.csv.xz", folder, name);
    good = good && (v.trades = sb_flow_trades_open(path, error)) != NULL;
    const struct sb_engine_limits limits = {.instruments_max = 1,
                                            .sessions_max = 1,
                                            .orders_max = 1u << 16,
                                            .levels_max = 1u << 16,
                                            .terms_max = 1u << 14,
                                            .window_levels = 256};
    if (good && sb_match_engine_open(&m, &limits)) {
        sb_match_check(&m, &fc, &r, as_the_venue, &v);
        sb_match_engine_close(&m);
    }
    sb_lines_close(v.trades);
    sb_flow_commands_free(&fc);
    good = good && !v.different && v.equal == trades && r.trades == trades && r.rejected == 0 &&
           r.phases_refused == 0;
    printf("%s: %s, %llu of %llu trades equal %s\n", name, good ? "equal" : "DIFFERENT",
           (unsigned long long)v.equal, (unsigned long long)trades, error);
    return good;
}

int main(void)
{
    const char *folder = getenv("SHADOWBOOK_SHARED");
    char readme[512];
    if (folder == NULL || folder[0] == '\0')
        folder = SB_SHARED_DEFAULT;
    snprintf(readme, sizeof readme, "%s/captures", folder);
    if (access(readme, R_OK) != 0) {
        printf("SKIP: no captures in %s (SHADOWBOOK_SHARED)\n", readme);
        return 77;
    }
    bool good = capture_equal(folder, "sse-20230711-600761", 24760);
    good = capture_equal(folder, "sse-20230711-601825", 5370) && good;
    good = capture_equal(folder, "sse-20230711-605580", 16996) && good;
    return good ? 0 : 1;
}
