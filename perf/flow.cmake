# Order flow: files, commands made of it.
add_library(shadowbook-perf STATIC lines.c flow.c id_map.c flow_commands.c)
target_link_libraries(shadowbook-perf PUBLIC sb_flags PRIVATE PkgConfig::LZMA)
