/* A program that is started, watched, killed and waited for.
 *
 * Only ac_program_end() blocks, for at most a twentieth of a second. The host's signal dispositions
 * stay as they are. If the host ignores SIGCHLD, or waits for all its children itself, the exit
 * code would be lost: then a shell in between reports it, and its own end need not be seen.
 */
#ifndef AC_PROGRAM_H
#define AC_PROGRAM_H

#include "leash.h"
#include "spawn.h"

struct ac_program {
    pid_t pid;     /* 0 once it has been waited for */
    pid_t owner;   /* the process that started it; a forked child leaves it alone */
    int exit_code; /* -1 if it was ended by a signal or this is unknown */
    int signal;    /* the signal that ended it, or 0 */
    int ended;     /* a descriptor that is readable once it has ended (pidfd), or -1 */
    int told;      /* a pipe from the shell in between, for the exit code, or -1 */
    bool leashed;  /* see leash.h */
};

/* A program that was not started. */
#define AC_PROGRAM_NONE                                                                            \
    (struct ac_program)                                                                            \
    {                                                                                              \
        .exit_code = -1, .ended = -1, .told = -1                                                   \
    }

/* Starts argv[0] like ac_spawn(). Returns 0 or an errno. */
int ac_program_start(struct ac_program *program, char *const argv[], char *const environment[],
                     const int *files, int n);

/* The same with three files and, if possible, with its exit code even if the host ignores SIGCHLD.
 * `environment`: NULL for the host's. `leashed`: it is killed when this process ends, see leash.h.
 * Both need a shell, and are left out if there is none. */
int ac_program_start_watched(struct ac_program *program, char *const argv[],
                             char *const environment[], const int files[3], bool leashed);

/* Why it did not start, as a text for people. */
const char *ac_program_fault(int error);

/* Kills it and the children that it has started. */
void ac_program_kill(const struct ac_program *program);

/* True once it has ended; `exit_code` and `signal` say how. Never blocks. */
bool ac_program_reap(struct ac_program *program);

/* Seconds of CPU time that it has used, without its children; negative if unknown, or once it has
 * been waited for. */
double ac_program_computed(const struct ac_program *program);

/* Kills it and its children, and waits for it briefly. A forked child only closes its copies. */
void ac_program_end(struct ac_program *program);

#endif
