# Histograms, for every tool.
add_library(shadowbook-histogram STATIC histogram.c)
target_link_libraries(shadowbook-histogram PUBLIC sb_flags PRIVATE m)
