/* thread.h: starts a thread that works beside the loop: signals stay with the loop, the stack is small (memory may be
 * locked). Returns 0 or an errno. */
#ifndef SHADOWBOOK_REPLICA_THREAD_H
#define SHADOWBOOK_REPLICA_THREAD_H

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>

enum { SB_THREAD_STACK_BYTES = 256 << 10 };

/* cores: where it may run; NULL: where the caller may. */
static inline int sb_thread_start(pthread_t *thread, const cpu_set_t *cores, void *(*run)(void *),
                                  void *arg)
{
    pthread_attr_t attributes;
    int error = pthread_attr_init(&attributes);
    if (error != 0)
        return error;
    pthread_attr_setstacksize(&attributes, SB_THREAD_STACK_BYTES);
    if (cores != NULL)
        error = pthread_attr_setaffinity_np(&attributes, sizeof *cores, cores);
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &old);
    if (error == 0)
        error = pthread_create(thread, &attributes, run, arg);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_attr_destroy(&attributes);
    return error;
}

#endif
