#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <unistd.h>

#if defined(__APPLE__)
#include <crt_externs.h>
#define environ (*_NSGetEnviron()) /* a bundle cannot link to the variable */
#else
extern char **environ;
#endif

/* Not every C library has this macro, and an undefined one cannot be called in #if. */
#ifndef __GLIBC_PREREQ
#define __GLIBC_PREREQ(major, minor) 0
#endif

/* Duplicates the descriptors to numbers from n on, so that none is overwritten before it is copied:
 * in a host without standard files they may be 0, 1 or 2. */
static int move_up(int own[AC_SPAWN_FILES_MAX], const int *files, int n)
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
        else if (files[i] == AC_SPAWN_NOTHING)
            error = posix_spawn_file_actions_addopen(actions, i, "/dev/null", O_RDWR, 0);
#if __GLIBC_PREREQ(2, 34)
    error = error ? error : posix_spawn_file_actions_addclosefrom_np(actions, n);
#endif
    return error;
}

/* A process group of its own, so that its children can be killed with it; no blocked signals;
 * SIGPIPE and SIGCHLD with their default action. */
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

int ac_spawn(pid_t *pid, char *const argv[], char *const environment[], const int *files, int n)
{
    int own[AC_SPAWN_FILES_MAX] = {-1, -1, -1, -1, -1};
    int error = move_up(own, files, n);
    if (!error)
        error = spawn(pid, argv, environment, own, n);
    for (int i = 0; i < n; i++)
        if (own[i] >= 0)
            close(own[i]);
    return error;
}

char **ac_spawn_environment(void)
{
    return environ;
}
