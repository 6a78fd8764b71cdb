/* Loaded before the C library, and as a Lua module: system calls that fail when they are told to,
 * so that what a file meets on a bad day can be met on a good one. The names are those that glibc
 * has for 64-bit offsets. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lauxlib.h>
#include <lua.h>

#define MAX_RESULTS 8
#define SHORT (-1)
#define NOTHING (-2)

int luaopen_spec_bad_system(lua_State *L);

/* What the next calls of one name meet: an errno, SHORT (one byte gets there), NOTHING (none does,
 * and no error). */
static struct {
    char call[16];
    int results[MAX_RESULTS];
    int n, at;
} plan;

static int next(const char *call)
{
    if (plan.at == plan.n || strcmp(call, plan.call) != 0)
        return 0;
    int result = plan.results[plan.at++];
    if (result > 0)
        errno = result;
    return result;
}

/* Defines a call that fails when it is to, and else is the C library's. */
#define CALL(name, type, parameters, arguments, before)                                            \
    type name parameters                                                                           \
    {                                                                                              \
        int result = next(#name);                                                                  \
        if (result > 0)                                                                            \
            return (type)-1;                                                                       \
        before;                                                                                    \
        type(*real) parameters = (type(*) parameters)dlsym(RTLD_NEXT, #name);                      \
        return real arguments;                                                                     \
    }

#define SOME_BYTES                                                                                 \
    if (result == NOTHING)                                                                         \
        return 0;                                                                                  \
    if (result == SHORT)                                                                           \
    n = 1

/* Locks are the only commands of fcntl() that core gives a pointer. */
#define LOCK                                                                                       \
    va_list more;                                                                                  \
    va_start(more, command);                                                                       \
    void *lock = va_arg(more, void *);                                                             \
    va_end(more)

CALL(open64, int, (const char *path, int flags, ...), (path, flags, 0600), )
CALL(fstat64, int, (int fd, struct stat64 *about), (fd, about), )
CALL(write, ssize_t, (int fd, const void *p, size_t n), (fd, p, n), SOME_BYTES)
CALL(pread64, ssize_t, (int fd, void *p, size_t n, off64_t at), (fd, p, n, at), SOME_BYTES)
CALL(fcntl64, int, (int fd, int command, ...), (fd, command, lock), LOCK)
CALL(mmap64, void *, (void *p, size_t n, int protect, int flags, int fd, off64_t at),
     (p, n, protect, flags, fd, at), )
CALL(pipe2, int, (int ends[2], int flags), (ends, flags), )
CALL(fsync, int, (int fd), (fd), )
CALL(close, int, (int fd), (fd), )
CALL(rename, int, (const char *from, const char *to), (from, to), )
CALL(ftruncate64, int, (int fd, off64_t n), (fd, n), )
CALL(fallocate64, int, (int fd, int mode, off64_t at, off64_t n), (fd, mode, at, n), )
CALL(kill, int, (pid_t pid, int number), (pid, number), )

/* [-n, +0, v]  fail(call, "EIO" | "SHORT" | …, …) */
static int system_fail(lua_State *L)
{
    static const char *const names[] = {"EACCES", "EDQUOT",  "EINTR",   "EINVAL", "EIO",
                                        "EMFILE", "ENOLINK", "ENOMEM",  "ENOSPC", "EOPNOTSUPP",
                                        "EPERM",  "SHORT",   "NOTHING", NULL};
    static const int numbers[] = {EACCES, EDQUOT, EINTR,      EINVAL, EIO,   EMFILE, ENOLINK,
                                  ENOMEM, ENOSPC, EOPNOTSUPP, EPERM,  SHORT, NOTHING};
    int n = lua_gettop(L) - 1;
    luaL_argcheck(L, n <= MAX_RESULTS, n, "too many results");
    strncpy(plan.call, luaL_checkstring(L, 1), sizeof plan.call - 1);
    for (int i = 0; i < n; i++)
        plan.results[i] = numbers[luaL_checkoption(L, i + 2, NULL, names)];
    plan.n = n;
    plan.at = 0;
    return 0;
}

int luaopen_spec_bad_system(lua_State *L)
{
    const luaL_Reg functions[] = {{"fail", system_fail}, {NULL, NULL}};
    luaL_newlib(L, functions);
    return 1;
}
