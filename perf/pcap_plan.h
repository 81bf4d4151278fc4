/* pcap_plan.h: a flow as a packet capture of the order entry frames that carry it, and back.
 *
 * The capture has nanosecond times: the configured trading day's midnight (UTC) plus the flow's time. Each session logs in
 * first, then every row is one frame. Orders carry their order id in ClOrdID (base 36), so the way back gives the same
 * rows; a captured order without one gets the id session * 2^32 + client key. One thing does not survive: of a cancel
 * that takes off more than the order has left, only what was left.
 *
 * Reading takes any capture of Ethernet frames: what is not sent to the configured orders group is passed over; a
 * message that was sent again counts once. An ENTRY frame that is damaged, of another shard or session, or that leaves out
 * messages, is an error that names its frame.
 */
#ifndef SHADOWBOOK_PERF_PCAP_PLAN_H
#define SHADOWBOOK_PERF_PCAP_PLAN_H

#include <stdbool.h>
#include <stdio.h>

#include "perf/plan.h"
#include "shadowbook/config.h"

/* Writes the plan (finished) to a file. On failure says why on err, removes nothing, returns false. */
bool sb_pcap_plan_write(const char *path, const struct sb_plan *plan,
                        const struct sb_config *config, FILE *err);

/* Appends a capture's rows to an empty plan, in the order of capture. Says on err what is wrong, with the frame's number. The
 * plan deals orders out to its own sessions anew; it is not finished by this. */
bool sb_pcap_plan_read(const char *path, struct sb_plan *plan, const struct sb_config *config,
                       FILE *err);

#endif
