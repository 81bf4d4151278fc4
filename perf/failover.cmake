# failover: repeated takeovers on real processes. The pure part, then the verb.
add_library(shadowbook-failover STATIC
  failover.c failover_arguments.c failover_report.c failover_plot.c)
target_link_libraries(shadowbook-failover PUBLIC sb_flags PRIVATE shadowbook-plan PkgConfig::JANSSON)
add_library(shadowbook-failover-verb STATIC child.c failover_verb.c)
target_link_libraries(shadowbook-failover-verb PUBLIC shadowbook-failover PRIVATE shadowbook-config)
