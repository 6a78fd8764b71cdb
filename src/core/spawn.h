/* Starts a program with given files, signals, environment and process group. */
#ifndef AC_SPAWN_H
#define AC_SPAWN_H

#include "ac.h"

#include <sys/types.h>

/* Values in a list of descriptors that stand for no descriptor of ours. */
#define AC_SPAWN_NOTHING -1 /* /dev/null */
#define AC_SPAWN_MINE -2    /* what the host has open under this number */

#define AC_SPAWN_FILES_MAX 5

/* Starts argv[0], searched for in PATH, in a process group of its own. `argv` and `environment` end
 * in NULL. Its descriptors 0 to n - 1 are those of `files`. It has no others if the C library can
 * close them (glibc 2.34 or newer). Returns 0 or an errno. */
int ac_spawn(pid_t *pid, char *const argv[], char *const environment[], const int *files, int n);

/* The environment of this process; it ends in NULL. */
char **ac_spawn_environment(void);

#endif
