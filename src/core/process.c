#include "process.h"

#include "file.h"
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__APPLE__)
#include <crt_externs.h>
#define environ (*_NSGetEnviron()) /* a bundle cannot link to the variable */
#else
extern char **environ;
#endif

/* Not every C library has it, and an unknown macro cannot be called in a condition. */
#ifndef __GLIBC_PREREQ
#define __GLIBC_PREREQ(major, minor) 0
#endif

/* A killed program is gone within this many tries of a millisecond, or is left to the system. */
#define REAP_TRIES 50

static int open_pipe(int ends[2])
{
#if defined(__linux__)
    return pipe2(ends, O_CLOEXEC) == 0 ? 0 : errno;
#else
    if (pipe(ends) != 0)
        return errno;
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    return 0;
#endif
}

/* No input, its output in the pipe, standard error as it is; what the host opened without a thought
 * of programs stays its own. */
static int set_files(posix_spawn_file_actions_t *actions, int output)
{
    int error = posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0);
    error = error ? error : posix_spawn_file_actions_adddup2(actions, output, 1);
#if __GLIBC_PREREQ(2, 34)
    error = error ? error : posix_spawn_file_actions_addclosefrom_np(actions, 3);
#endif
    return error;
}

/* Its own process group, so that its children can be ended with it; no blocked signals, and
 * SIGPIPE and SIGCHLD as a program expects them. */
static int set_attributes(posix_spawnattr_t *attributes)
{
    sigset_t none, defaults;
    sigemptyset(&none);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    sigaddset(&defaults, SIGCHLD);
    int error = posix_spawnattr_setpgroup(attributes, 0);
    error = error ? error : posix_spawnattr_setsigmask(attributes, &none);
    error = error ? error : posix_spawnattr_setsigdefault(attributes, &defaults);
    short flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    return error ? error : posix_spawnattr_setflags(attributes, flags);
}

static int spawn(pid_t *pid, char *const argv[], int output)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int error = posix_spawn_file_actions_init(&actions);
    if (error)
        return error;
    error = posix_spawnattr_init(&attributes);
    if (!error) {
        error = set_files(&actions, output);
        error = error ? error : set_attributes(&attributes);
        error = error ? error : posix_spawnp(pid, argv[0], &actions, &attributes, argv, environ);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

static const char *fault_of(int error)
{
    if (error == ENOENT || error == ENOTDIR)
        return "no such program";
    if (error == EACCES || error == ENOEXEC)
        return "it is not a program that may be run";
    return error == ENOMEM ? "not enough memory" : "it cannot be started";
}

const char *ac_process_start(struct ac_process *process, char *const argv[], size_t max)
{
    int ends[2];
    *process = (struct ac_process){.fd = -1, .exit_code = -1, .max = max, .owner = getpid()};
    /* One byte more than the cap tells a full output from one that is too large. */
    if (!ac_pages_open(&process->output, max + 1))
        return fault_of(ENOMEM);
    int error = open_pipe(ends);
    if (error)
        return fault_of(error);
    error = spawn(&process->pid, argv, ends[1]);
    ac_file_close(&ends[1]);
    if (error) {
        process->pid = 0;
        ac_file_close(&ends[0]);
        return fault_of(error);
    }
    process->fd = ends[0];
    fcntl(process->fd, F_SETFL, O_NONBLOCK);
    return NULL;
}

static void kill_group(struct ac_process *process)
{
    if (process->pid > 0)
        kill(-process->pid, SIGKILL);
}

static void read_output(struct ac_process *process)
{
    struct ac_pages *output = &process->output;
    while (process->fd >= 0) {
        ssize_t got = read(process->fd, output->p + output->n, process->max + 1 - output->n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno == EAGAIN)
            return;
        if (got > 0)
            output->n += (size_t)got;
        process->too_large = output->n > process->max;
        if (process->too_large)
            kill_group(process);
        if (got <= 0 || process->too_large)
            ac_file_close(&process->fd);
    }
}

static void reap(struct ac_process *process)
{
    int status;
    if (process->pid <= 0)
        return;
    pid_t got = waitpid(process->pid, &status, WNOHANG);
    if (got == 0 || (got < 0 && errno == EINTR))
        return;
    if (got > 0 && WIFEXITED(status))
        process->exit_code = WEXITSTATUS(status);
    if (got > 0 && WIFSIGNALED(status))
        process->signal = WTERMSIG(status);
    process->pid = 0;
}

bool ac_process_step(struct ac_process *process)
{
    read_output(process);
    if (process->fd < 0)
        reap(process);
    return process->fd < 0 && process->pid == 0;
}

void ac_process_close(struct ac_process *process)
{
    if (process->owner == 0)
        return;
    ac_file_close(&process->fd);
    if (process->pid > 0 && process->owner == getpid()) {
        kill_group(process);
        reap(process);
        for (int i = 0; i < REAP_TRIES && process->pid > 0; i++) {
            ac_sys_wait(NULL, 0, 0, 1);
            reap(process);
        }
    }
    process->pid = 0;
    ac_pages_close(&process->output);
}
