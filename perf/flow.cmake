# Order flow: files, commands made of it.
add_library(shadowbook-perf STATIC lines.c flow.c id_map.c flow_commands.c)
target_link_libraries(shadowbook-perf PUBLIC sb_flags PRIVATE PkgConfig::LZMA)

# The engine alone over flow, and flow from a seed: library parts, then the verbs match and generate.
add_library(shadowbook-match STATIC match.c generate.c)
target_link_libraries(shadowbook-match PUBLIC sb_flags shadowbook-perf shadowbook-engine
  shadowbook-histogram)
# A node's inputs from disk, and the engine over them.
add_library(shadowbook-log STATIC log_source.c log_run.c)
target_link_libraries(shadowbook-log PUBLIC shadowbook-match shadowbook-replica)

add_library(shadowbook-match-verbs STATIC match_verb.c match_log.c generate_verb.c snapshot_verb.c)
target_link_libraries(shadowbook-match-verbs PUBLIC shadowbook-match shadowbook-log)
