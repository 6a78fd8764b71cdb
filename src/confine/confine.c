#include "confine.h"

#include "sys.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#if defined(__linux__)
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

/* If descriptors are closed one by one, those beyond this number are not closed. */
#define DESCRIPTORS_MAX 1048576

static void close_others(void)
{
#if defined(SYS_close_range)
    if (syscall(SYS_close_range, AC_CONFINE_FD + 1, ~0u, 0) == 0)
        return;
#endif
    long end = sysconf(_SC_OPEN_MAX);
    for (int fd = AC_CONFINE_FD + 1; fd < (end > DESCRIPTORS_MAX ? DESCRIPTORS_MAX : end); fd++)
        close(fd);
}

/* Reads the time zone now. Later glibc would check whether its file has changed, be refused, and
 * use UTC from then on. */
static void read_zone(void)
{
    setenv("TZ", ":/etc/localtime", 0);
    tzset();
}

/* Sets a limit. One that is lower already stays, because only root could raise it. */
static int limit(int resource, rlim_t soft, rlim_t hard)
{
    struct rlimit now;
    if (getrlimit(resource, &now) != 0)
        return errno;
    if (now.rlim_max < hard)
        hard = now.rlim_max;
    return setrlimit(resource, &(struct rlimit){soft < hard ? soft : hard, hard}) == 0 ? 0 : errno;
}

/* Limits address space where the system supports that: macOS may refuse the value (EINVAL). */
static int limit_memory(size_t bytes, const char **missing)
{
#if AC_HAS_ASAN
    (void)bytes;
    *missing = "no limit in a build with AddressSanitizer";
    return 0;
#else
    int error = limit(RLIMIT_AS, bytes, bytes);
    if (error == EINVAL)
        *missing = "no limit on this system";
    return error == EINVAL ? 0 : error;
#endif
}

/* The limit of descriptors comes last, because it marks a confined process. The hard CPU limit is a
 * second above the soft one, so that the process ends by SIGXCPU, which shows the reason. */
static int set_limits(const struct ac_confine_limits *limits, const char **memory_missing)
{
    int error = limit(RLIMIT_CORE, 0, 0);
    error = error ? error : limit(RLIMIT_FSIZE, 0, 0);
    error = error ? error : limit(RLIMIT_NPROC, 0, 0);
    error = error ? error : limit_memory(limits->memory_bytes, memory_missing);
    if (!error && limits->cpu_seconds > 0)
        error = limit(RLIMIT_CPU, limits->cpu_seconds, limits->cpu_seconds + 1);
    return error ? error : limit(RLIMIT_NOFILE, 0, 0);
}

#if defined(__linux__)

/* Drops root's rights over files, limits and processes. The structs are written out because not
 * every C library finds the kernel's header; version 3 has two words for each set. */
static int drop_capabilities(void)
{
    struct {
        uint32_t version;
        int pid;
    } self = {.version = 0x20080522};
    const uint32_t none[2][3] = {{0}};
    return syscall(SYS_capset, &self, none) == 0 ? 0 : errno;
}

static int drop_privileges(const char **missing)
{
    (void)missing;
    bool done = prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 &&
                prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_DUMPABLE, 0) == 0;
    return done ? drop_capabilities() : errno;
}

#else

static int drop_privileges(const char **missing)
{
    *missing = "not on this system";
    return 0;
}

#endif

int ac_confine(const struct ac_confine_limits *limits, struct ac_confined *confined,
               const char **what)
{
    int error;
    *confined = (struct ac_confined){0};
    close_others();
    read_zone();
    *what = "privileges";
    if ((error = drop_privileges(&confined->no_new_privs_missing)) != 0)
        return error;
    *what = "Landlock";
    if ((error = ac_confine_paths(&confined->landlock_abi, &confined->landlock_missing)) != 0)
        return error;
    *what = "limits";
    if ((error = set_limits(limits, &confined->memory_missing)) != 0)
        return error;
    *what = "seccomp";
    return ac_confine_calls(&confined->seccomp_missing);
}
