/* A program that is run for what it writes: an argument vector and no shell, output into pages of
 * its own under a cap, nothing inherited but the environment and standard error (where the C
 * library cannot close the rest, glibc before 2.34 and others, also what the host left
 * inheritable).
 *
 * step() never blocks. The host's signal dispositions stay as they are: where it ignores SIGCHLD
 * the exit status is unknown.
 */
#include "lua_core.h"

#include "file.h"
#include "lua_secret.h"
#include "secret_pages.h"
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__APPLE__)
#include <crt_externs.h>
#define environ (*_NSGetEnviron()) /* a bundle cannot link to the variable */
#else
extern char **environ;
#endif

/* Not every C library has it, and an unknown macro cannot be called in a condition. */
#ifndef __GLIBC_PREREQ
#define __GLIBC_PREREQ(major, minor) 0
#endif

/* A killed program is gone within this many tries of a millisecond, or is left to the system. */
#define REAP_TRIES 50
#define PROCESS_CLASS "alicloud.Process"
#define ARGUMENTS_MAX 64
#define OUTPUT_MAX_BYTES ((lua_Integer)1024 * 1024)

struct process {
    pid_t pid;   /* 0 once it is waited for */
    pid_t owner; /* the process that started it: a forked child lets it be */
    int fd;      /* the reading end of its output, -1 once that has ended */
    struct ac_pages output;
    size_t max;
    bool too_large; /* it wrote more than the cap and was killed */
    int exit_code;  /* -1 unless it ended by itself and this could be learnt */
    int signal;     /* that ended it, or 0 */
};

static int open_pipe(int ends[2])
{
#if defined(__linux__)
    return pipe2(ends, O_CLOEXEC) == 0 ? 0 : errno;
#else
    if (pipe(ends) != 0)
        return errno;
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    return 0;
#endif
}

/* No input, its output in the pipe, standard error as it is; what the host opened without a thought
 * of programs stays its own. */
static int set_files(posix_spawn_file_actions_t *actions, int output)
{
    int error = posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0);
    error = error ? error : posix_spawn_file_actions_adddup2(actions, output, 1);
#if __GLIBC_PREREQ(2, 34)
    error = error ? error : posix_spawn_file_actions_addclosefrom_np(actions, 3);
#endif
    return error;
}

/* Its own process group, so that its children can be ended with it; no blocked signals, and
 * SIGPIPE and SIGCHLD as a program expects them. */
static int set_attributes(posix_spawnattr_t *attributes)
{
    sigset_t none, defaults;
    sigemptyset(&none);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    sigaddset(&defaults, SIGCHLD);
    int error = posix_spawnattr_setpgroup(attributes, 0);
    error = error ? error : posix_spawnattr_setsigmask(attributes, &none);
    error = error ? error : posix_spawnattr_setsigdefault(attributes, &defaults);
    short flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    return error ? error : posix_spawnattr_setflags(attributes, flags);
}

static int spawn(pid_t *pid, char *const argv[], int output)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int error = posix_spawn_file_actions_init(&actions);
    if (error)
        return error;
    error = posix_spawnattr_init(&attributes);
    if (!error) {
        error = set_files(&actions, output);
        error = error ? error : set_attributes(&attributes);
        error = error ? error : posix_spawnp(pid, argv[0], &actions, &attributes, argv, environ);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

static const char *fault_of(int error)
{
    if (error == ENOENT || error == ENOTDIR)
        return "no such program";
    if (error == EACCES || error == ENOEXEC)
        return "it is not a program that may be run";
    return error == ENOMEM ? "not enough memory" : "it cannot be started";
}

/* NULL, or why not, for a person. `argv` ends in NULL; argv[0] is searched for in PATH. */
static const char *start(struct process *process, char *const argv[], size_t max)
{
    int ends[2];
    *process = (struct process){.fd = -1, .exit_code = -1, .max = max, .owner = getpid()};
    /* One byte more than the cap tells a full output from one that is too large. */
    if (!ac_pages_open(&process->output, max + 1))
        return fault_of(ENOMEM);
    int error = open_pipe(ends);
    if (error)
        return fault_of(error);
    error = spawn(&process->pid, argv, ends[1]);
    ac_file_close(&ends[1]);
    if (error) {
        process->pid = 0;
        ac_file_close(&ends[0]);
        return fault_of(error);
    }
    process->fd = ends[0];
    fcntl(process->fd, F_SETFL, O_NONBLOCK);
    return NULL;
}

static void kill_group(struct process *process)
{
    if (process->pid > 0)
        kill(-process->pid, SIGKILL);
}

static void read_output(struct process *process)
{
    struct ac_pages *output = &process->output;
    while (process->fd >= 0) {
        ssize_t got = read(process->fd, output->p + output->n, process->max + 1 - output->n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno == EAGAIN)
            return;
        if (got > 0)
            output->n += (size_t)got;
        process->too_large = output->n > process->max;
        if (process->too_large)
            kill_group(process);
        if (got <= 0 || process->too_large)
            ac_file_close(&process->fd);
    }
}

static void reap(struct process *process)
{
    int status;
    if (process->pid <= 0)
        return;
    pid_t got = waitpid(process->pid, &status, WNOHANG);
    if (got == 0 || (got < 0 && errno == EINTR))
        return;
    if (got > 0 && WIFEXITED(status))
        process->exit_code = WEXITSTATUS(status);
    if (got > 0 && WIFSIGNALED(status))
        process->signal = WTERMSIG(status);
    process->pid = 0;
}

/* Takes what is there; true once the output has ended and the program is gone. */
static bool step(struct process *process)
{
    read_output(process);
    if (process->fd < 0)
        reap(process);
    return process->fd < 0 && process->pid == 0;
}

/* Kills what still runs, its children included, and wipes the output. */
static void end(struct process *process)
{
    if (process->owner == 0)
        return;
    ac_file_close(&process->fd);
    if (process->pid > 0 && process->owner == getpid()) {
        kill_group(process);
        reap(process);
        for (int i = 0; i < REAP_TRIES && process->pid > 0; i++) {
            ac_sys_wait(NULL, 0, 0, 1);
            reap(process);
        }
    }
    process->pid = 0;
    ac_pages_close(&process->output);
}

static struct process *check_process(lua_State *L)
{
    return luaL_checkudata(L, 1, PROCESS_CLASS);
}

/* [-0, +0, v]  A child that was forked shares the pipe, and what it read would be missing here. */
static struct process *check_own(lua_State *L)
{
    struct process *process = check_process(L);
    if (!process->output.p)
        luaL_error(L, "the process is closed, or its result was taken");
    if (process->owner != getpid())
        luaL_error(L, "the program belongs to the process that started it");
    return process;
}

/* [-1, +0, -] */
static int process_close(lua_State *L)
{
    end(check_process(L));
    return 0;
}

/* [-1, +1, v]  process:step() -> whether it is over; never blocks */
static int process_step(lua_State *L)
{
    lua_pushboolean(L, step(check_own(L)));
    return 1;
}

/* [-1, +1, v]  process:pollfd() -> descriptor of its output | nil once that has ended */
static int process_pollfd(lua_State *L)
{
    struct process *process = check_process(L);
    if (process->fd < 0)
        return 0;
    lua_pushinteger(L, process->fd);
    return 1;
}

/* [-1, +1, v]  process:events() -> "r" */
static int process_events(lua_State *L)
{
    lua_pushliteral(L, "r");
    return 1;
}

/* [-1, +0, v]  process:timeout() -> nil: it has no timer of its own */
static int process_timeout(lua_State *L)
{
    (void)L;
    return 0;
}

/* [-1, +3, v]  process:result() -> Secret with the output | nil (too much), exit code | nil,
 * signal | nil. The output is handed over and is empty afterwards. */
static int process_result(lua_State *L)
{
    struct process *process = check_own(L);
    if (process->fd >= 0 || process->pid != 0)
        luaL_error(L, "the process is not over");
    if (process->too_large)
        lua_pushnil(L);
    else
        acL_secret_give(L, &process->output);
    ac_pages_close(&process->output);
    if (process->exit_code >= 0)
        lua_pushinteger(L, process->exit_code);
    else
        lua_pushnil(L);
    if (process->signal != 0)
        lua_pushinteger(L, process->signal);
    else
        lua_pushnil(L);
    return 3;
}

/* [-0, +n, v]  The arguments stay on the stack, which keeps their bytes. */
static void read_arguments(lua_State *L, char *argv[ARGUMENTS_MAX + 1])
{
    lua_Integer n = (lua_Integer)lua_rawlen(L, 1);
    luaL_argcheck(L, n >= 1 && n <= ARGUMENTS_MAX, 1, "1 to 64 arguments");
    luaL_checkstack(L, ARGUMENTS_MAX + 4, NULL);
    for (lua_Integer i = 1; i <= n; i++) {
        size_t length;
        if (lua_rawgeti(L, 1, i) != LUA_TSTRING)
            luaL_error(L, "spawn: argument %d: string expected, got %s", (int)i,
                       luaL_typename(L, -1));
        argv[i - 1] = (char *)lua_tolstring(L, -1, &length);
        if (strlen(argv[i - 1]) != length)
            luaL_error(L, "spawn: argument %d holds a NUL", (int)i);
    }
    argv[n] = NULL;
}

/* [-2, +2, v]  spawn(argv, max_bytes) -> Process | nil, message */
static int core_spawn(lua_State *L)
{
    char *argv[ARGUMENTS_MAX + 1];
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_Integer max = luaL_checkinteger(L, 2);
    luaL_argcheck(L, max >= 1 && max <= OUTPUT_MAX_BYTES, 2, "1 byte to 1 MiB");
    struct process *process = lua_newuserdatauv(L, sizeof *process, 0);
    int at = lua_gettop(L);
    *process = (struct process){.fd = -1};
    luaL_setmetatable(L, PROCESS_CLASS);
    read_arguments(L, argv);
    const char *fault = start(process, argv, (size_t)max);
    lua_settop(L, at);
    return fault ? acL_fail(L, fault) : 1;
}

void acL_process_open(lua_State *L)
{
    const luaL_Reg methods[] = {{"step", process_step},
                                {"pollfd", process_pollfd},
                                {"events", process_events},
                                {"timeout", process_timeout},
                                {"result", process_result},
                                {"close", process_close},
                                {NULL, NULL}};
    const luaL_Reg metamethods[] = {
        {"__gc", process_close}, {"__close", process_close}, {NULL, NULL}};
    acL_class(L, PROCESS_CLASS, methods, metamethods);
    lua_pushcfunction(L, core_spawn);
    lua_setfield(L, -2, "spawn");
}
