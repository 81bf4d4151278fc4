# The executable: composes everything. Each verb's library is linked here.
# All symbols are bound at start: none is looked up in the moment of a takeover.
add_link_options(-Wl,-z,now)
add_executable(shadowbook main.c
  ${CMAKE_SOURCE_DIR}/replica/main_node.c ${CMAKE_SOURCE_DIR}/replica/main_witness.c
  ${CMAKE_SOURCE_DIR}/replica/host.c ${CMAKE_SOURCE_DIR}/replica/storage.c)
target_link_libraries(shadowbook PRIVATE sb_flags shadowbook-replica shadowbook-journal shadowbook-transfer shadowbook-config
  shadowbook-counters shadowbook-clock shadowbook-dpdk shadowbook-replay shadowbook-match-verbs shadowbook-inspect shadowbook-carry
  shadowbook-top shadowbook-echo
  shadowbook-bench shadowbook-failover-verb shadowbook-sim Threads::Threads)
