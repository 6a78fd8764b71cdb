/* A program that was started: how it begins, ends and is waited for.
 *
 * Nothing here blocks but ac_program_end(), and that for a twentieth of a second. The host's signal
 * dispositions stay as they are, also where it ignores SIGCHLD or takes the ends of all its
 * children: then a shell stands between, whose end nobody needs to see, and tells the exit code.
 */
#ifndef AC_PROGRAM_H
#define AC_PROGRAM_H

#include "leash.h"
#include "spawn.h"

struct ac_program {
    pid_t pid;     /* 0 once it is waited for */
    pid_t owner;   /* the process that started it: a forked child lets it be */
    int exit_code; /* -1 unless it ended by itself and this could be learnt */
    int signal;    /* that ended it, or 0 */
    int ended;     /* readable once it has ended, where the system has such a descriptor, or -1 */
    int told;      /* where the shell in between tells its exit code, or -1 */
    bool leashed;  /* see leash.h */
};

/* None, as long as nothing was started. */
#define AC_PROGRAM_NONE                                                                            \
    (struct ac_program)                                                                            \
    {                                                                                              \
        .exit_code = -1, .ended = -1, .told = -1                                                   \
    }

/* Starts argv[0] as ac_spawn() does; NULL is the host's environment. 0 or an errno. */
int ac_program_start(struct ac_program *program, char *const argv[], char *const environment[],
                     const int *files, int n);

/* The same with three files. How it ended is learnt whatever the host does with SIGCHLD, as far as
 * that can be. `leashed`: it ends with this process, however that ends. Both need a shell, and are
 * left out where there is none. */
int ac_program_start_watched(struct ac_program *program, char *const argv[],
                             char *const environment[], const int files[3], bool leashed);

/* Why it did not start, for a person. */
const char *ac_program_fault(int error);

/* Kills it with the children that it has started. */
void ac_program_kill(const struct ac_program *program);

/* Learns how it ended, if it has; true once it is gone. */
bool ac_program_reap(struct ac_program *program);

/* Seconds that it has computed, without its children; negative where nobody can tell, or once it is
 * waited for. */
double ac_program_computed(const struct ac_program *program);

/* Kills it, its children included, and waits for it a moment; a forked child does nothing but to
 * let go of its copies. */
void ac_program_end(struct ac_program *program);

#endif
