# The verb inspect: what a node's log holds, differences of two, the state after an input, order events for others.
add_library(shadowbook-inspect STATIC
  inspect.c inspect_words.c inspect_state.c inspect_difference.c inspect_export.c inspect_orders.c)
target_link_libraries(shadowbook-inspect PUBLIC shadowbook-log shadowbook-top PkgConfig::JANSSON)

# The verb carry: what an ended day leaves for the next one.
add_library(shadowbook-carry STATIC carry_verb.c)
target_link_libraries(shadowbook-carry PUBLIC shadowbook-inspect shadowbook-config)
