/* Landlock: withholds every right that this kernel's version can withhold, and grants none.
 *
 * The C library has no functions for it, and installed headers can be older than the kernel, so the
 * numbers and rights are written out here. */
#include "confine.h"

#if defined(__linux__)

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The same on all architectures. */
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_restrict_self 446
#endif
#define ASK_VERSION 1u

struct ruleset {
    uint64_t files, network, scopes;
};

/* All rights of a version of the interface: files in versions 1, 2, 3 and 5; binding and connecting
 * in 4; abstract sockets and signals in 6. */
static struct ruleset everything(int abi)
{
    static const unsigned bits[] = {0, 13, 14, 15, 15, 16};
    const int last = (int)(sizeof bits / sizeof *bits) - 1;
    return (struct ruleset){
        .files = (UINT64_C(1) << bits[abi < last ? abi : last]) - 1,
        .network = abi >= 4 ? 3 : 0,
        .scopes = abi >= 6 ? 3 : 0,
    };
}

int ac_confine_paths(int *abi, const char **missing)
{
    *abi = (int)syscall(SYS_landlock_create_ruleset, NULL, 0, ASK_VERSION);
    if (*abi < 1) {
        *abi = 0;
        *missing = errno == EOPNOTSUPP ? "switched off in this kernel" : "not in this kernel";
        return 0;
    }
    const struct ruleset all = everything(*abi);
    int fd = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof all, 0);
    if (fd < 0)
        return errno;
    int error = syscall(SYS_landlock_restrict_self, fd, 0) == 0 ? 0 : errno;
    close(fd);
    return error;
}

#else

int ac_confine_paths(int *abi, const char **missing)
{
    *abi = 0;
    *missing = "not on this system";
    return 0;
}

#endif
