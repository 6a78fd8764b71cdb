/* Kills programs and their children when this process has ended for any reason, SIGKILL included.
 * A helper shell reads from a pipe to which only this process can write. At the end of the pipe it
 * kills the process groups that it was told to hold. It runs as long as there are such groups.
 *
 * A child that the host forks without exec has the pipe too, and so delays the kill until it ends.
 */
#ifndef AC_LEASH_H
#define AC_LEASH_H

#include "ac.h"

#include <sys/types.h>

/* Some containers have no shell. */
#define AC_LEASH_SHELL "/bin/sh"

/* Lets the process group be killed when this process ends. False if no shell could be started. */
bool ac_leash_hold(pid_t group);

/* Lets a group that was held live on. */
void ac_leash_drop(pid_t group);

/* False while a shell that has nothing left to hold has not ended yet; never blocks. */
bool ac_leash_reap(void);

#endif
