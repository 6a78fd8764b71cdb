/* The one-way switch of a process that runs what nobody vouches for: from then on it computes,
 * reads and writes descriptors 0 to 3, and the kernel grants nothing else.
 *
 * Each mechanism is asked on its own, so that what one does not know another refuses: limits,
 * Landlock, a list of system calls. What this system lacks is told, and what is there and fails is
 * an error, after which the process must end.
 */
#ifndef AC_CONFINE_H
#define AC_CONFINE_H

#include "ac.h"

/* What a descriptor of the one who started this process has here. */
#define AC_CONFINE_FD 3

struct ac_confine_limits {
    size_t memory_bytes;  /* of address space */
    unsigned cpu_seconds; /* of computing from the start of the process on, 0 for no limit */
};

/* What was reached: NULL for what is there, else why it is not. */
struct ac_confined {
    int landlock_abi; /* version of the kernel's interface */
    const char *memory_missing, *no_new_privs_missing, *landlock_missing, *seccomp_missing;
};

/* 0, or an errno, and in `what` the mechanism that failed. */
int ac_confine(const struct ac_confine_limits *limits, struct ac_confined *confined,
               const char **what);

/* The parts, each with its file. They return 0 or an errno and set `missing` where the system does
 * not have them. Restricting system calls comes last. */
int ac_confine_paths(int *abi, const char **missing);
int ac_confine_calls(const char **missing);

#endif
