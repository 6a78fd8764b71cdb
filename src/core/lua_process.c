/* A program that is run for what it writes: an argument vector and no shell, output into pages of
 * its own under a cap, nothing inherited but the environment and standard error (where the C
 * library cannot close the rest, glibc before 2.34 and others, also what the host left
 * inheritable).
 *
 * step() never blocks.
 */
#include "lua_core.h"

#include "file.h"
#include "lua_secret.h"
#include "program.h"
#include "secret_pages.h"
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define PROCESS_CLASS "alicloud.Process"
#define OUTPUT_MAX_BYTES ((lua_Integer)1024 * 1024)
#define ERRORS_BYTES 16384

struct process {
    struct ac_program program;
    int fd;     /* the reading end of its output, -1 once that has ended */
    int errors; /* that of its standard error, -1 if it is ours or has ended */
    struct ac_pages output;
    size_t max;
    bool too_large; /* it wrote more than the cap and was killed */
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

/* Kills what still runs, its children included, and wipes the output. */
static void end(struct process *process)
{
    ac_file_close(&process->fd);
    ac_file_close(&process->errors);
    ac_program_end(&process->program);
    ac_pages_close(&process->output);
}

/* A pipe whose reading end does not block becomes *reading, and its other end *writing. */
static int open_reader(int *reading, int *writing)
{
    int ends[2];
    int error = ac_sys_is_confined() ? EPERM : open_pipe(ends);
    if (error)
        return error;
    *reading = ends[0];
    *writing = ends[1];
    fcntl(*reading, F_SETFL, O_NONBLOCK);
    return 0;
}

/* NULL, or why not, for a person. `argv` ends in NULL; argv[0] is searched for in PATH. */
static const char *start(struct process *process, char *const argv[], char *const environment[],
                         bool errors)
{
    int output = -1, said = AC_PROGRAM_MINE;
    /* One byte more than the cap tells a full output from one that is too large. */
    int error = ac_pages_open(&process->output, process->max + 1) ? 0 : ENOMEM;
    error = error ? error : open_reader(&process->fd, &output);
    if (errors && !error)
        error = open_reader(&process->errors, &said);
    const int files[] = {AC_PROGRAM_NOTHING, output, said};
    error = error ? error : ac_program_start(&process->program, argv, environment, files, 3);
    ac_file_close(&output);
    ac_file_close(&said);
    if (error)
        end(process);
    return error ? ac_program_fault(error) : NULL;
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
            ac_program_kill(&process->program);
        if (got <= 0 || process->too_large)
            ac_file_close(&process->fd);
    }
}

/* Takes what is there; true once the output has ended and the program is gone. */
static bool step(struct process *process)
{
    read_output(process);
    return process->fd < 0 && ac_program_reap(&process->program);
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
    if (process->program.owner != getpid())
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

/* [-1, +1, v]  process:errors() -> what it has written to its standard error since it was asked
 * last,
 * "" if nothing; also after the process is over, or its result was taken */
static int process_errors(lua_State *L)
{
    luaL_Buffer text;
    ssize_t got = 0;
    char *room = luaL_buffinitsize(L, &text, ERRORS_BYTES);
    struct process *process = check_process(L);
    if (process->program.owner != 0 && process->program.owner != getpid())
        luaL_error(L, "the program belongs to the process that started it");
    do
        got = process->errors < 0 ? 0 : read(process->errors, room, ERRORS_BYTES);
    while (got < 0 && errno == EINTR);
    if (got == 0 || (got < 0 && errno != EAGAIN))
        ac_file_close(&process->errors);
    luaL_pushresultsize(&text, got > 0 ? (size_t)got : 0);
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
    if (process->fd >= 0 || process->program.pid != 0)
        luaL_error(L, "the process is not over");
    if (process->too_large)
        lua_pushnil(L);
    else
        acL_secret_give(L, &process->output);
    ac_pages_close(&process->output);
    if (process->program.exit_code >= 0)
        lua_pushinteger(L, process->program.exit_code);
    else
        lua_pushnil(L);
    if (process->program.signal != 0)
        lua_pushinteger(L, process->program.signal);
    else
        lua_pushnil(L);
    return 3;
}

void acL_read_texts(lua_State *L, int index, const char *what, char *texts[ACL_TEXTS_MAX + 1])
{
    luaL_checkstack(L, ACL_TEXTS_MAX + 4, NULL);
    lua_Integer n = (lua_Integer)lua_rawlen(L, index);
    if (n > ACL_TEXTS_MAX)
        luaL_error(L, "%s: at most %d", what, ACL_TEXTS_MAX);
    for (lua_Integer i = 1; i <= n; i++) {
        size_t length;
        if (lua_rawgeti(L, index, i) != LUA_TSTRING)
            luaL_error(L, "%s %d: string expected, got %s", what, (int)i, luaL_typename(L, -1));
        texts[i - 1] = (char *)lua_tolstring(L, -1, &length);
        if (strlen(texts[i - 1]) != length)
            luaL_error(L, "%s %d holds a NUL", what, (int)i);
    }
    texts[n] = NULL;
}

struct spawn_options {
    bool errors;
    int without; /* on the stack */
};

/* [-3, +2, v]  spawn(argv, max_bytes, { errors, without }) -> Process | nil, message */
static int core_spawn(lua_State *L)
{
    static const struct acL_option names[] = {
        {"errors", ACL_BOOLEAN, offsetof(struct spawn_options, errors)},
        {"without", ACL_VALUE, offsetof(struct spawn_options, without)},
        {0}};
    char *argv[ACL_TEXTS_MAX + 1];
    struct spawn_options options = {0};
    luaL_checktype(L, 1, LUA_TTABLE);
    if (!lua_isnoneornil(L, 3))
        acL_read_options(L, 3, "spawn", names, &options);
    if (options.without != 0 && !lua_istable(L, options.without))
        luaL_error(L, "spawn: option 'without': table expected, got %s",
                   luaL_typename(L, options.without));
    lua_Integer max = luaL_checkinteger(L, 2);
    luaL_argcheck(L, max >= 1 && max <= OUTPUT_MAX_BYTES, 2, "1 byte to 1 MiB");
    struct process *process = lua_newuserdatauv(L, sizeof *process, 0);
    int at = lua_gettop(L);
    *process = (struct process){.fd = -1, .errors = -1, .max = (size_t)max};
    luaL_setmetatable(L, PROCESS_CLASS);
    acL_read_texts(L, 1, "spawn: argument", argv);
    luaL_argcheck(L, argv[0], 1, "1 to 64 arguments");
    char *const *environment = acL_push_environment(L, options.without);
    const char *fault = start(process, argv, environment, options.errors);
    lua_settop(L, at);
    return fault ? acL_fail(L, fault) : 1;
}

void acL_process_open(lua_State *L)
{
    const luaL_Reg methods[] = {{"step", process_step},       {"errors", process_errors},
                                {"pollfd", process_pollfd},   {"events", process_events},
                                {"timeout", process_timeout}, {"result", process_result},
                                {"close", process_close},     {NULL, NULL}};
    const luaL_Reg metamethods[] = {
        {"__gc", process_close}, {"__close", process_close}, {NULL, NULL}};
    acL_class(L, PROCESS_CLASS, methods, metamethods);
    lua_pushcfunction(L, core_spawn);
    lua_setfield(L, -2, "spawn");
}
