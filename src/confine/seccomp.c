/* The system calls that a confined process may make; any other returns EPERM. None of them opens,
 * creates or starts anything, connects to anything, or shows what exists. */
#include "confine.h"

#if AC_HAVE_SECCOMP

#include <errno.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>

/* Names as libseccomp knows them; names that this architecture lacks are skipped. */
static const char *const PLAIN[] = {
    /* its descriptors */
    "read", "write", "close", "fstat", "fstat64", "lseek", "_llseek", "poll", "ppoll",
    "ppoll_time64",
    /* memory */
    "brk", "munmap", "mremap", "madvise", "mlock", "munlock",
    /* time */
    "clock_gettime", "clock_gettime64", "clock_nanosleep", "clock_nanosleep_time64", "gettimeofday",
    "nanosleep", "time",
    /* itself */
    "exit", "exit_group", "futex", "futex_time64", "getpid", "getrandom", "gettid",
    "restart_syscall", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sched_yield",
    "sigaltstack", "sigreturn"};

static int allow(scmp_filter_ctx filter, const char *name, unsigned n,
                 const struct scmp_arg_cmp *conditions)
{
    int number = seccomp_syscall_resolve_name(name);
    if (number < 0)
        return 0;
    return -seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, number, n, conditions);
}

/* Memory may not become executable. prlimit64 may only read, and only this process's limits. */
static int allow_some_uses(scmp_filter_ctx filter)
{
    const struct scmp_arg_cmp no_code = {2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0};
    const struct scmp_arg_cmp own_limits[] = {{0, SCMP_CMP_EQ, 0, 0}, {2, SCMP_CMP_EQ, 0, 0}};
    int error = allow(filter, "mmap", 1, &no_code);
    error = error ? error : allow(filter, "mmap2", 1, &no_code);
    error = error ? error : allow(filter, "mprotect", 1, &no_code);
    error = error ? error : allow(filter, "getrlimit", 0, NULL);
    error = error ? error : allow(filter, "ugetrlimit", 0, NULL);
    return error ? error : allow(filter, "prlimit64", 2, own_limits);
}

/* Applies the filter to all threads; a system call of another architecture kills its thread. */
static int load(scmp_filter_ctx filter)
{
    int error = -seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
    for (size_t i = 0; !error && i < sizeof PLAIN / sizeof *PLAIN; i++)
        error = allow(filter, PLAIN[i], 0, NULL);
    error = error ? error : allow_some_uses(filter);
    return error ? error : -seccomp_load(filter);
}

int ac_confine_calls(const char **missing)
{
    /* A kernel with filters reads this one at NULL, and reports EFAULT. */
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL, 0, 0) != 0 && errno != EFAULT) {
        *missing = "not in this kernel";
        return 0;
    }
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    if (!filter)
        return ENOMEM;
    int error = load(filter);
    seccomp_release(filter);
    return error;
}

#else

int ac_confine_calls(const char **missing)
{
    *missing = "built without libseccomp";
    return 0;
}

#endif
