/* A program that is run for what it writes: its output is taken into pages of its own under a cap.
 *
 * It is over when it has ended, not when its pipe has: that may live on in a daemon which it left
 * behind.
 */
#ifndef AC_PROCESS_H
#define AC_PROCESS_H

#include "program.h"
#include "secret_pages.h"

struct ac_overflow {
    const char *path; /* borrowed; NULL: there is to be none */
    int fd;           /* -1 until there is one */
    int error;        /* why it holds less than it could, or 0 */
    uint64_t kept;    /* bytes in it */
};

struct ac_process {
    struct ac_program program;
    int poller; /* over the following two and the program's end; -1: closed */
    int fd;     /* the reading end of its output, -1 once that has ended */
    int errors; /* that of its standard error, -1 if it is ours or has ended */
    struct ac_pages output;
    size_t max;
    uint64_t bytes;    /* of all its output */
    double gone_since; /* monotonic seconds, 0 while it runs */
    struct ac_overflow overflow;
};

/* One that is not started yet. `max` bytes of output are taken; of more than that, all goes into a
 * new file of that path, or without one the program is killed. */
struct ac_process ac_process_none(size_t max, const char *path);

/* NULL, or why not, for a person. `argv` ends in NULL; argv[0] is searched for in PATH. `errors`:
 * its standard error is a pipe, too; `leashed`: see ac_program_start_watched(). */
const char *ac_process_start(struct ac_process *process, char *const argv[],
                             char *const environment[], bool errors, bool leashed);

/* Takes what is there, without blocking; true once it is over. */
bool ac_process_step(struct ac_process *process);

/* Seconds until a step is due though the descriptor is quiet; negative for never. */
double ac_process_timeout(const struct ac_process *process);

/* What it has written to its standard error, up to `n` bytes. */
size_t ac_process_errors(struct ac_process *process, char *out, size_t n);

/* Kills what still runs, its children included, and wipes the output; a forked child lets go of its
 * copies only. */
void ac_process_end(struct ac_process *process);

#endif
