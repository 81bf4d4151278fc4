/* The verb `echo` as a program of its own: these tests need nothing else of the executable. */
#include "perf/verbs.h"

int main(int argc, char **argv)
{
    return sb_echo_main(argc, argv);
}
