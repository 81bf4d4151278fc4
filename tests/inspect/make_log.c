/* make_log.c: make_log FLOW LOG [JOURNAL]: a flow as the log file, and the journal, of a node that took it in packets of 16. */
#include <stdio.h>

#include "perf/flow_commands.h"
#include "tests/inspect/script.h"

static uint32_t power_of_two(uint64_t least)
{
    uint32_t n = 64;
    while (n < least)
        n *= 2;
    return n;
}

int main(int argc, char **argv)
{
    struct sb_flow_commands fc = {0};
    char error[SB_LINES_ERROR_BYTES] = "usage: make_log FLOW LOG [JOURNAL]";
    if (argc < 3 || !sb_flow_commands_load(&fc, argv[1], error)) {
        fprintf(stderr, "%s\n", error);
        return 2;
    }
    const struct sb_engine_limits limits = {.instruments_max = fc.instruments,
                                            .sessions_max = SB_FLOW_SESSION,
                                            .orders_max = 1u << 20,
                                            .levels_max = 1u << 20,
                                            .terms_max = 1u << 14,
                                            .window_levels = 1024};
    static struct script s;
    script_open(&s, &limits, power_of_two(fc.lines_n + SB_STREAM_LINES_MAX));
    for (const struct sb_command *c = fc.lines; c < fc.lines + fc.lines_n;
         c += sb_command_lines(c)) {
        script_put(&s, c);
        if (s.count == 16 || s.lines + 2 > SB_STREAM_LINES_MAX)
            script_seal(&s);
    }
    if (s.count != 0)
        script_seal(&s);
    script_end(&s);
    script_store_log(&s, argv[2], 0);
    if (argc > 3)
        script_store_journal(&s, argv[3], 0, 7);
    script_close(&s);
    sb_flow_commands_free(&fc);
    return 0;
}
