# The verb inspect: what a node's log holds, differences of two, the state after an input, order events for others.
add_library(shadowbook-inspect STATIC
  inspect.c inspect_words.c inspect_state.c inspect_difference.c inspect_export.c inspect_orders.c)
target_link_libraries(shadowbook-inspect PUBLIC shadowbook-log shadowbook-top PkgConfig::JANSSON)
