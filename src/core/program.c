#include "program.h"

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
#define FILES_MAX 4

/* Moves what would be overwritten before it is copied out of the way: a host without standard files
 * has its own under these numbers. */
static int move_up(int own[FILES_MAX], const int *files, int n)
{
    for (int i = 0; i < n; i++) {
        own[i] = files[i] < 0 ? files[i] : fcntl(files[i], F_DUPFD_CLOEXEC, n);
        if (files[i] >= 0 && own[i] < 0)
            return errno;
    }
    return 0;
}

static int set_files(posix_spawn_file_actions_t *actions, const int *files, int n)
{
    int error = 0;
    for (int i = 0; i < n && !error; i++)
        if (files[i] >= 0)
            error = posix_spawn_file_actions_adddup2(actions, files[i], i);
        else if (files[i] == AC_PROGRAM_NOTHING)
            error = posix_spawn_file_actions_addopen(actions, i, "/dev/null", O_RDWR, 0);
#if __GLIBC_PREREQ(2, 34)
    error = error ? error : posix_spawn_file_actions_addclosefrom_np(actions, n);
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

static int spawn(pid_t *pid, char *const argv[], char *const environment[], const int *files, int n)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int error = posix_spawn_file_actions_init(&actions);
    if (error)
        return error;
    error = posix_spawnattr_init(&attributes);
    if (!error) {
        error = set_files(&actions, files, n);
        error = error ? error : set_attributes(&attributes);
        error =
            error ? error : posix_spawnp(pid, argv[0], &actions, &attributes, argv, environment);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

int ac_program_start(struct ac_program *program, char *const argv[], char *const environment[],
                     const int *files, int n)
{
    int own[FILES_MAX] = {-1, -1, -1, -1};
    *program = (struct ac_program){.exit_code = -1, .owner = getpid()};
    int error = ac_sys_is_confined() ? EPERM : move_up(own, files, n);
    if (!error)
        error = spawn(&program->pid, argv, environment ? environment : environ, own, n);
    for (int i = 0; i < n; i++)
        if (own[i] >= 0)
            close(own[i]);
    if (error)
        program->pid = 0;
    return error;
}

char **ac_program_environment(void)
{
    return environ;
}

const char *ac_program_fault(int error)
{
    if (error == EPERM && ac_sys_is_confined())
        return "a confined process starts no programs";
    if (error == ENOENT || error == ENOTDIR)
        return "no such program";
    if (error == EACCES || error == ENOEXEC)
        return "it is not a program that may be run";
    return error == ENOMEM ? "not enough memory" : "it cannot be started";
}

void ac_program_kill(struct ac_program *program)
{
    if (program->pid > 0)
        kill(-program->pid, SIGKILL);
}

bool ac_program_reap(struct ac_program *program)
{
    int status;
    if (program->pid <= 0)
        return true;
    pid_t got = waitpid(program->pid, &status, WNOHANG);
    if (got == 0 || (got < 0 && errno == EINTR))
        return false;
    if (got > 0 && WIFEXITED(status))
        program->exit_code = WEXITSTATUS(status);
    if (got > 0 && WIFSIGNALED(status))
        program->signal = WTERMSIG(status);
    program->pid = 0;
    return true;
}

void ac_program_end(struct ac_program *program)
{
    if (program->pid > 0 && program->owner == getpid()) {
        ac_program_kill(program);
        for (int i = 0; !ac_program_reap(program) && i < REAP_TRIES; i++)
            ac_sys_wait(NULL, 0, 0, 1);
    }
    program->pid = 0;
}
