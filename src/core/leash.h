/* What ends programs and their children when this process has ended, however that was: a shell that
 * waits for the end of a pipe whose other end only this process has. A kill of this process leaves
 * nobody else who could. There is one as long as there is something to hold.
 *
 * A child that the host forks and that runs no other program has that end, too, and delays it.
 */
#ifndef AC_LEASH_H
#define AC_LEASH_H

#include "ac.h"

#include <sys/types.h>

/* Some containers have none. */
#define AC_LEASH_SHELL "/bin/sh"

/* From now on the process group ends with this process. False if that cannot be. */
bool ac_leash_hold(pid_t group);

/* A group that was held may live on. */
void ac_leash_drop(pid_t group);

/* True once a shell that has nothing to hold any more is gone. */
bool ac_leash_reap(void);

#endif
