/* A program that is run for its output, which is read into secret pages up to a maximum.
 *
 * It is over when the program has ended, not when its pipe is closed: a daemon that it left behind
 * may keep the pipe open.
 */
#ifndef AC_PROCESS_H
#define AC_PROCESS_H

#include "program.h"
#include "secret_pages.h"

struct ac_overflow {
    const char *path; /* borrowed; NULL if there is to be no file */
    int fd;           /* -1 until the file is made */
    int error;        /* an errno: why the file does not hold all output, or 0 */
    uint64_t kept;    /* bytes in the file */
};

struct ac_process {
    struct ac_program program;
    int poller; /* watches `fd`, `errors` and the program's end; -1 once closed */
    int fd;     /* the reading end of its standard output, -1 once that has ended */
    int errors; /* that of its standard error, -1 if it is the host's or has ended */
    struct ac_pages output;
    size_t max;
    uint64_t bytes;    /* of its output in total */
    double gone_since; /* monotonic seconds when its end was noticed, 0 while it runs */
    struct ac_overflow overflow;
};

/* A process that is not started yet. Up to `max` bytes of output are read. If there is more, all of
 * it goes into a new file at `path`; without a path the program is killed. */
struct ac_process ac_process_none(size_t max, const char *path);

/* Returns NULL, or why it did not start, as a text for people. `argv` ends in NULL; argv[0] is
 * searched for in PATH. `errors`: read its standard error through a pipe, too; `leashed`: see
 * ac_program_start_watched(). */
const char *ac_process_start(struct ac_process *process, char *const argv[],
                             char *const environment[], bool errors, bool leashed);

/* Reads the output that is there, without blocking; true once the program is over. */
bool ac_process_step(struct ac_process *process);

/* Seconds until step() is due even if the descriptor stays silent; negative for never. */
double ac_process_timeout(const struct ac_process *process);

/* Reads what it has written to standard error, up to `n` bytes; returns how many. */
size_t ac_process_errors(struct ac_process *process, char *out, size_t n);

/* Kills the program and its children if they still run, and wipes the output. A forked child only
 * closes its copies. */
void ac_process_end(struct ac_process *process);

#endif
