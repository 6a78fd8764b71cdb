/* A program that was started: how it begins, ends and is waited for.
 *
 * Nothing here blocks but ac_program_end(), and that for a twentieth of a second. The host's signal
 * dispositions stay as they are: where it ignores SIGCHLD, how a program ended is unknown.
 */
#ifndef AC_PROGRAM_H
#define AC_PROGRAM_H

#include "ac.h"

#include <sys/types.h>

struct ac_program {
    pid_t pid;     /* 0 once it is waited for */
    pid_t owner;   /* the process that started it: a forked child lets it be */
    int exit_code; /* -1 unless it ended by itself and this could be learnt */
    int signal;    /* that ended it, or 0 */
};

/* Entries of a list of descriptors that are none of ours. */
#define AC_PROGRAM_NOTHING -1 /* /dev/null */
#define AC_PROGRAM_MINE -2    /* what the host has under this number */

/* Starts argv[0], searched for in PATH, in a process group of its own. `argv` and `environment` end
 * in NULL; NULL is the host's environment. Its descriptors 0 to n - 1 are those of `files`, and
 * where the C library can close the rest (glibc 2.34 or newer) it has no other. 0 or an errno. */
int ac_program_start(struct ac_program *program, char *const argv[], char *const environment[],
                     const int *files, int n);

/* The environment of this process, NULL behind it. */
char **ac_program_environment(void);

/* Why it did not start, for a person. */
const char *ac_program_fault(int error);

/* Kills it with the children that it has started. */
void ac_program_kill(struct ac_program *program);

/* Learns how it ended, if it has; true once it is gone. */
bool ac_program_reap(struct ac_program *program);

/* Kills it, its children included, and waits for it a moment; a forked child does nothing. */
void ac_program_end(struct ac_program *program);

#endif
