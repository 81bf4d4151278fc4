#include "perf/child.h"

#include <errno.h>
#include <spawn.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { GRACE_MS = 10000 };

sigset_t sb_child_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    return set;
}

static int start(const char *const *argv, int in, int out, int err, pid_t *pid)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t how;
    const sigset_t reset = sb_child_signals();
    sigset_t none;
    sigemptyset(&none);
    int error = posix_spawn_file_actions_init(&files);
    if (error != 0)
        return error;
    error = posix_spawnattr_init(&how);
    if (error != 0) {
        posix_spawn_file_actions_destroy(&files);
        return error;
    }
    posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files, err, STDERR_FILENO);
    posix_spawnattr_setpgroup(&how, 0);
    posix_spawnattr_setsigmask(&how, &none);
    posix_spawnattr_setsigdefault(&how, &reset);
    posix_spawnattr_setflags(&how, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                       POSIX_SPAWN_SETSIGDEF);
    /* The strings are not written to: POSIX's type is older than const. */
    error = posix_spawnp(pid, argv[0], &files, &how, (char *const *)(uintptr_t)argv, environ);
    posix_spawnattr_destroy(&how);
    posix_spawn_file_actions_destroy(&files);
    return error;
}

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

struct sb_child_end sb_child_run(const char *const *argv, int in, int out, int err,
                                 uint64_t limit_s)
{
    const sigset_t set = sb_child_signals();
    struct sb_child_end end = {0};
    pid_t pid;
    end.error = start(argv, in, out, err, &pid);
    if (end.error != 0)
        return end;
    end.pid = pid;
    uint64_t due = now_ms() + limit_s * 1000;
    for (;;) {
        int status;
        if (waitpid(pid, &status, WNOHANG) == pid) {
            end.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
            return end;
        }
        const bool stopping = end.timed_out || end.interrupted;
        const struct timespec tick = {.tv_nsec = 200000000};
        const int signal = sigtimedwait(&set, NULL, &tick);
        if (signal > 0 && signal != SIGCHLD && !stopping) {
            end.interrupted = true;
        } else if (now_ms() >= due && !stopping) {
            end.timed_out = true;
        } else {
            if (now_ms() >= due && stopping && !end.killed)
                end.killed = kill(-pid, SIGKILL) == 0;
            continue;
        }
        due = now_ms() + GRACE_MS;
        kill(-pid, SIGTERM);
    }
}
