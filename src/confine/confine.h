/* Confines a process that runs untrusted code, for good: from then on it computes, and reads and
 * writes descriptors 0 to 3; the kernel allows nothing else.
 *
 * The mechanisms (limits, Landlock, seccomp) are independent: what one does not cover another
 * refuses. A mechanism that this system lacks is reported. One that exists but fails is an error,
 * after which the process must end.
 */
#ifndef AC_CONFINE_H
#define AC_CONFINE_H

#include "ac.h"

/* The number of the descriptor that leads to the parent process. */
#define AC_CONFINE_FD 3

struct ac_confine_limits {
    size_t memory_bytes;  /* of address space */
    unsigned cpu_seconds; /* of CPU time since the process started, 0 for no limit */
};

/* What is in force: a field …_missing is NULL, or says why that mechanism is not available. */
struct ac_confined {
    int landlock_abi; /* version of the kernel's Landlock interface */
    const char *memory_missing, *no_new_privs_missing, *landlock_missing, *seccomp_missing;
};

/* Returns 0, or an errno and in `what` the mechanism that failed. */
int ac_confine(const struct ac_confine_limits *limits, struct ac_confined *confined,
               const char **what);

/* One mechanism each, in a file of its own. They return 0 or an errno, and set `missing` if the
 * system lacks the mechanism. seccomp comes last, because it forbids the calls of the others. */
int ac_confine_paths(int *abi, const char **missing);
int ac_confine_calls(const char **missing);

#endif
