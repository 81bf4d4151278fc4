/* convert: a flow as a packet capture of the frames that carry it, and back. See pcap_plan.h. The file that is named first
 * on the command line is read, the other one written. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "perf/pcap_plan.h"
#include "perf/plan_flow.h"
#include "perf/verbs.h"
#include "shadowbook/config.h"

static int usage(FILE *out)
{
    fprintf(out,
            "usage: shadowbook convert --config FILE --flow FILE --pcap FILE [--sessions N]\n"
            "  reads the flow and writes the capture; with --pcap before --flow the other way\n"
            "  round\n");
    return out == stdout ? 0 : 2;
}

static bool convert(const char *flow, const char *pcap, bool from_pcap,
                    const struct sb_config *config, uint32_t sessions_n)
{
    struct sb_plan plan;
    if (!sb_plan_init(&plan, sessions_n)) {
        fprintf(stderr, "convert: no memory\n");
        return false;
    }
    bool ok;
    if (from_pcap)
        ok = sb_pcap_plan_read(pcap, &plan, config, stderr) &&
             sb_plan_flow_write(flow, &plan, config, stderr);
    else
        ok = sb_plan_flow_read(flow, &plan, config, stderr) &&
             sb_pcap_plan_write(pcap, &plan, config, stderr);
    if (ok)
        printf("convert: %u rows from %s to %s\n", plan.n, from_pcap ? pcap : flow,
               from_pcap ? flow : pcap);
    sb_plan_free(&plan);
    return ok;
}

int sb_convert_main(int argc, char **argv)
{
    static const struct option options[] = {{"config", 1, NULL, 'c'}, {"flow", 1, NULL, 'f'},
                                            {"pcap", 1, NULL, 'p'},   {"sessions", 1, NULL, 'n'},
                                            {"help", 0, NULL, 'h'},   {0}};
    const char *config_path = NULL, *flow = NULL, *pcap = NULL;
    bool from_pcap = false;
    char *end = NULL;
    unsigned long sessions_n = 1;
    optind = 1;
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 'c') {
            config_path = optarg;
        } else if (c == 'f') {
            flow = optarg;
        } else if (c == 'p') {
            pcap = optarg;
            from_pcap = flow == NULL;
        } else if (c == 'n') {
            sessions_n = strtoul(optarg, &end, 10);
            if (*end != '\0' || sessions_n == 0 || sessions_n > SB_SESSIONS_CONFIG_MAX)
                return usage(stderr);
        } else {
            return usage(c == 'h' ? stdout : stderr);
        }
    }
    if (!config_path || !flow || !pcap || optind != argc)
        return usage(stderr);
    struct sb_config *config = calloc(1, sizeof *config);
    bool ok = config != NULL && sb_config_load(config, config_path, stderr);
    for (unsigned long s = 1; ok && s <= sessions_n; s++)
        if (!config->sessions[s].present) {
            fprintf(stderr, "%s: no [session %lu]\n", config_path, s);
            ok = false;
        }
    ok = ok && convert(flow, pcap, from_pcap, config, (uint32_t)sessions_n);
    if (config)
        sb_config_free(config);
    free(config);
    return ok ? 0 : 1;
}
