/* child.h: runs one program to its end, with a limit on its time, in a process group of its own.
 *
 * The caller blocks the signals of sb_child_signals() first and keeps them blocked; they are waited for here, so there is no
 * handler and no global. An interruption (SIGINT, SIGTERM, SIGHUP) or the end of the time sends SIGTERM to the group, and
 * SIGKILL 10 s later to what has not ended. What the program itself put into other groups is not reached. One child at a
 * time, one thread.
 */
#ifndef SHADOWBOOK_PERF_CHILD_H
#define SHADOWBOOK_PERF_CHILD_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

struct sb_child_end {
    int error;        /* errno if it could not be started; then nothing else holds */
    int code;         /* exit code, 128 + n if signal n ended it */
    bool timed_out;   /* its time was over */
    bool interrupted; /* this process was told to stop */
    bool killed;      /* it did not end by SIGTERM: what it would have cleaned up may be left */
    int pid;
};

/* SIGCHLD and the interruptions. */
sigset_t sb_child_signals(void);

/* argv[0] is looked up in PATH if it has no slash. in, out, err: descriptors for its standard input and outputs. */
struct sb_child_end sb_child_run(const char *const *argv, int in, int out, int err,
                                 uint64_t limit_s);

#endif
