/* A program that is run for what it writes: an argument vector and no shell, output into pages of
 * its own under a cap, nothing inherited but the environment and standard error (where the C
 * library cannot close the rest, glibc before 2.34 and others, also what the host left
 * inheritable).
 *
 * step() never blocks. The host's signal dispositions stay as they are: where it ignores SIGCHLD
 * the exit status is unknown.
 */
#ifndef AC_PROCESS_H
#define AC_PROCESS_H

#include "secret_pages.h"

#include <sys/types.h>

struct ac_process {
    pid_t pid;   /* 0 once it is waited for */
    pid_t owner; /* the process that started it: a forked child lets it be */
    int fd;      /* the reading end of its output, -1 once that has ended */
    struct ac_pages output;
    size_t max;
    bool too_large; /* it wrote more than the cap and was killed */
    int exit_code;  /* -1 unless it ended by itself and this could be learnt */
    int signal;     /* that ended it, or 0 */
};

/* NULL, or why not, for a person. `argv` ends in NULL; argv[0] is searched for in PATH. */
const char *ac_process_start(struct ac_process *process, char *const argv[], size_t max);

/* Takes what is there; true once the output has ended and the program is gone. */
bool ac_process_step(struct ac_process *process);

/* Kills what still runs, its children included, and wipes the output. */
void ac_process_close(struct ac_process *process);

#endif
