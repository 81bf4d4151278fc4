# The client: plan, streams, sessions, and the check against the slow reference matcher.
add_library(shadowbook-client STATIC
  plan.c entry_frame.c follow.c feed_book.c client.c client_session.c verify.c)
target_link_libraries(shadowbook-client PUBLIC sb_flags shadowbook-wire shadowbook-reference
  PRIVATE PkgConfig::XXHASH)
