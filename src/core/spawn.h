/* Starting a program: what it has open, its signals, its process group. */
#ifndef AC_SPAWN_H
#define AC_SPAWN_H

#include "ac.h"

#include <sys/types.h>

/* Entries of a list of descriptors that are none of ours. */
#define AC_SPAWN_NOTHING -1 /* /dev/null */
#define AC_SPAWN_MINE -2    /* what the host has under this number */

#define AC_SPAWN_FILES_MAX 5

/* Starts argv[0], searched for in PATH, in a process group of its own. `argv` and `environment` end
 * in NULL. Its descriptors 0 to n - 1 are those of `files`, and where the C library can close the
 * rest (glibc 2.34 or newer) it has no other. 0 or an errno. */
int ac_spawn(pid_t *pid, char *const argv[], char *const environment[], const int *files, int n);

/* The environment of this process, NULL behind it. */
char **ac_spawn_environment(void);

#endif
