# echo: the round trip of a bare frame, the floor under every figure taken on the wire.
add_library(shadowbook-echo STATIC echo.c echo_arguments.c)
target_link_libraries(shadowbook-echo PUBLIC sb_flags
  PRIVATE shadowbook-dpdk shadowbook-clock shadowbook-histogram)
