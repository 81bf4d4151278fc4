# top: the counters of running processes.
add_library(shadowbook-top STATIC top.c top_view.c)
target_link_libraries(shadowbook-top PUBLIC sb_flags shadowbook-counters)
