/* What the specs need of processes and Lua does not have: fork, spawn, signals, environment.
 * Linux and other POSIX systems; never part of the product.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/prctl.h>
#endif

#include <lauxlib.h>
#include <lua.h>

#define MAX_ARGUMENTS 63

int luaopen_spec_posix(lua_State *L);

/* A child never outlives the specs. */
static void die_with_parent(void)
{
#if defined(__linux__)
    prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
}

/* [-0, +1, e]  fork() -> pid, 0 in the child */
static int posix_fork(lua_State *L)
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0)
        return luaL_error(L, "fork: %s", strerror(errno));
    if (pid == 0)
        die_with_parent();
    lua_pushinteger(L, pid);
    return 1;
}

/* [-1, +0, e]  exit(code): leaves without running anybody's exit handlers */
static int posix_exit(lua_State *L)
{
    _exit((int)luaL_checkinteger(L, 1));
}

static int stream_close(lua_State *L)
{
    luaL_Stream *stream = luaL_checkudata(L, 1, LUA_FILEHANDLE);
    return luaL_fileresult(L, fclose(stream->f) == 0, NULL);
}

/* [-1, +2, e]  spawn{ program, argument, ... } -> pid, file of its standard output and error */
static int posix_spawn(lua_State *L)
{
    char *arguments[MAX_ARGUMENTS + 1] = {NULL};
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_Integer count = luaL_len(L, 1);
    luaL_argcheck(L, count >= 1 && count <= MAX_ARGUMENTS, 1, "1 to 63 arguments");
    luaL_checkstack(L, (int)count + 4, NULL);
    for (int i = 0; i < count; i++) {
        lua_geti(L, 1, i + 1);
        arguments[i] = (char *)(uintptr_t)luaL_checkstring(L, -1);
    }
    luaL_Stream *stream = lua_newuserdatauv(L, sizeof *stream, 0);
    stream->f = NULL;
    stream->closef = NULL; /* a closed file until there is one */
    luaL_setmetatable(L, LUA_FILEHANDLE);

    int ends[2];
    if (pipe(ends) != 0)
        return luaL_error(L, "pipe: %s", strerror(errno));
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        die_with_parent();
        int nothing = open("/dev/null", O_RDONLY);
        dup2(nothing, STDIN_FILENO);
        dup2(ends[1], STDOUT_FILENO);
        dup2(ends[1], STDERR_FILENO);
        execvp(arguments[0], arguments);
        _exit(127);
    }
    close(ends[1]);
    stream->f = pid > 0 ? fdopen(ends[0], "r") : NULL;
    if (stream->f == NULL) {
        close(ends[0]);
        return luaL_error(L, "spawn: %s", strerror(errno));
    }
    stream->closef = stream_close;
    lua_pushinteger(L, pid);
    lua_insert(L, -2);
    return 2;
}

static void push_usage(lua_State *L, const struct rusage *usage)
{
    lua_pushnumber(L, (double)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) +
                          (double)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) / 1e6);
    lua_pushinteger(L, (lua_Integer)usage->ru_maxrss * 1024);
}

/* [-0, +2, e]  How it ended; false, and nothing pushed, if it has not yet. */
static bool push_end(lua_State *L, int options, struct rusage *usage)
{
    pid_t pid = (pid_t)luaL_checkinteger(L, 1), ended;
    int status = 0;
    do
        ended = wait4(pid, &status, options, usage);
    while (ended < 0 && errno == EINTR);
    if (ended < 0)
        luaL_error(L, "wait4: %s", strerror(errno));
    if (ended == 0)
        return false;
    lua_pushstring(L, WIFEXITED(status) ? "exit" : "signal");
    lua_pushinteger(L, WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
    return true;
}

/* [-2, +2, e]  wait(pid [, true: do not block]) -> nil | "exit", code | "signal", number */
static int posix_wait(lua_State *L)
{
    struct rusage usage;
    return push_end(L, lua_toboolean(L, 2) ? WNOHANG : 0, &usage) ? 2 : 0;
}

/* [-1, +4, e]  reap(pid) -> the same two, CPU seconds, bytes of peak memory */
static int posix_reap(lua_State *L)
{
    struct rusage usage;
    push_end(L, 0, &usage);
    push_usage(L, &usage);
    return 4;
}

static int signal_number(lua_State *L, int index)
{
    static const char *const names[] = {"INT", "TERM", "KILL", "PIPE", "HUP", "STOP", "CONT", NULL};
    static const int numbers[] = {SIGINT, SIGTERM, SIGKILL, SIGPIPE, SIGHUP, SIGSTOP, SIGCONT};
    return numbers[luaL_checkoption(L, index, NULL, names)];
}

/* [-2, +1, e]  kill(pid, "INT" | "TERM" | "KILL" | "PIPE" | "HUP" | "STOP" | "CONT") -> bool */
static int posix_kill(lua_State *L)
{
    pid_t pid = (pid_t)luaL_checkinteger(L, 1);
    luaL_argcheck(L, pid > 0, 1, "one process");
    lua_pushboolean(L, kill(pid, signal_number(L, 2)) == 0);
    return 1;
}

/* [-2, +1, e]  disposition(name [, "default"]) -> "default" | "ignore" | "handler", as it was */
static int posix_disposition(lua_State *L)
{
    int number = signal_number(L, 1);
    struct sigaction was;
    sigaction(number, NULL, &was);
    if (lua_isstring(L, 2))
        signal(number, SIG_DFL);
    lua_pushstring(L, was.sa_handler == SIG_DFL   ? "default"
                      : was.sa_handler == SIG_IGN ? "ignore"
                                                  : "handler");
    return 1;
}

/* [-1, +2, e]  masked(name) -> is it blocked in this thread, is it pending */
static int posix_masked(lua_State *L)
{
    int number = signal_number(L, 1);
    sigset_t blocked, pending;
    sigprocmask(SIG_BLOCK, NULL, &blocked);
    sigpending(&pending);
    lua_pushboolean(L, sigismember(&blocked, number));
    lua_pushboolean(L, sigismember(&pending, number));
    return 2;
}

/* [-2, +0, e]  setenv(name, value | nil) */
static int posix_setenv(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    int failed = lua_isnoneornil(L, 2) ? unsetenv(name) : setenv(name, luaL_checkstring(L, 2), 1);
    return failed ? luaL_error(L, "setenv: %s", strerror(errno)) : 0;
}

/* [-0, +2, m]  usage() -> CPU seconds of this process (user and system), bytes of peak memory */
static int posix_usage(lua_State *L)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    push_usage(L, &usage);
    return 2;
}

static void wait_for_all(int number)
{
    (void)number;
    int error = errno;
    while (waitpid(-1, NULL, WNOHANG) > 0)
        continue;
    errno = error;
}

/* [-1, +0, e]  children("ignored" | "not waited for" | "reaped" | "blocked"): what this process
 * does with SIGCHLD from now on */
static int posix_children(lua_State *L)
{
    static const char *const names[] = {"ignored", "not waited for", "reaped", "blocked", NULL};
    int how = luaL_checkoption(L, 1, NULL, names);
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    if (how == 0)
        action.sa_handler = SIG_IGN;
    if (how == 1)
        action.sa_flags = (int)SA_NOCLDWAIT;
    if (how == 2)
        action.sa_handler = wait_for_all;
    if (how == 3)
        sigprocmask(SIG_BLOCK, &child, NULL);
    sigaction(SIGCHLD, &action, NULL);
    return 0;
}

/* [-0, +1, -]  wait_any() -> pid of a child that has ended and was waited for now, 0 if none has,
 * nil if there is no child at all */
static int posix_wait_any(lua_State *L)
{
    pid_t pid = waitpid(-1, NULL, WNOHANG);
    if (pid < 0)
        return 0;
    lua_pushinteger(L, pid);
    return 1;
}

/* [-n, +1, e]  syscall(number, integer...) -> what the kernel gave, or minus an errno */
static int posix_syscall(lua_State *L)
{
    long given[7] = {0};
    int n = lua_gettop(L);
    for (int i = 0; i < n && i < 7; i++)
        given[i] = (long)luaL_checkinteger(L, i + 1);
    long got = syscall(given[0], given[1], given[2], given[3], given[4], given[5], given[6]);
    lua_pushinteger(L, got == -1 ? -errno : got);
    return 1;
}

static const luaL_Reg functions[] = {
    {"fork", posix_fork},
    {"exit", posix_exit},
    {"spawn", posix_spawn},
    {"wait", posix_wait},
    {"reap", posix_reap},
    {"children", posix_children},
    {"wait_any", posix_wait_any},
    {"kill", posix_kill},
    {"disposition", posix_disposition},
    {"masked", posix_masked},
    {"setenv", posix_setenv},
    {"usage", posix_usage},
    {"syscall", posix_syscall},
    {NULL, NULL},
};

int luaopen_spec_posix(lua_State *L)
{
    luaL_newlib(L, functions);
    return 1;
}
