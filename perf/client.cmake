# The client: plan, streams, sessions, and the check against the slow reference matcher.
add_library(shadowbook-client STATIC
  plan.c entry_frame.c follow.c feed_book.c client.c client_session.c verify.c)
target_link_libraries(shadowbook-client PUBLIC sb_flags shadowbook-wire shadowbook-reference
  PRIVATE PkgConfig::XXHASH)

# Plans from and to files, and the report.
add_library(shadowbook-plan STATIC plan_flow.c pcap_plan.c replay_report.c)
target_link_libraries(shadowbook-plan PUBLIC shadowbook-client shadowbook-perf
  shadowbook-histogram PkgConfig::PCAP)

# The verbs replay and convert.
add_library(shadowbook-replay STATIC replay.c convert.c)
target_link_libraries(shadowbook-replay PUBLIC shadowbook-plan shadowbook-config shadowbook-clock
  shadowbook-dpdk)
# The verb bench: a node in process; the engine alone, one message at a time.
add_library(shadowbook-bench-match STATIC
  bench_match.c bench_plain.c bench_ids.c bench_burst.c bench_workload.c bench_regime.c bench_match_verb.c)
target_link_libraries(shadowbook-bench-match PUBLIC shadowbook-match Threads::Threads)
add_library(shadowbook-bench STATIC bench.c bench_node.c)
target_link_libraries(shadowbook-bench PUBLIC shadowbook-bench-match shadowbook-plan shadowbook-replica shadowbook-journal
  shadowbook-config shadowbook-clock)
