# top and switch: the counters of running processes.
add_library(shadowbook-top STATIC switch.c top.c top_view.c)
target_link_libraries(shadowbook-top PUBLIC sb_flags shadowbook-counters)
