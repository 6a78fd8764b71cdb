/* A program that is run for its output, which becomes a Secret. It gets an argument vector, without
 * a shell. It inherits only the environment and standard error; if the C library cannot close other
 * descriptors (glibc before 2.34 and others), it also inherits those that are not close-on-exec. */
#include "lua_core.h"

#include "lua_secret.h"
#include "process.h"

#include <unistd.h>

#define PROCESS_CLASS "alicloud.Process"
#define OUTPUT_MAX_BYTES ((lua_Integer)1024 * 1024)
#define ERRORS_BYTES 16384

static struct ac_process *check_process(lua_State *L)
{
    return luaL_checkudata(L, 1, PROCESS_CLASS);
}

/* [-0, +0, v]  A forked child shares the pipe: what it read would be missing in the parent. */
static struct ac_process *check_own(lua_State *L)
{
    struct ac_process *process = check_process(L);
    if (!process->output.p)
        luaL_error(L, "the process is closed, or its result was taken");
    if (process->program.owner != getpid())
        luaL_error(L, "the program belongs to the process that started it");
    return process;
}

/* [-1, +0, -] */
static int process_close(lua_State *L)
{
    ac_process_end(check_process(L));
    return 0;
}

/* [-1, +1, v]  process:step() -> whether the program is over; never blocks */
static int process_step(lua_State *L)
{
    lua_pushboolean(L, ac_process_step(check_own(L)));
    return 1;
}

/* [-1, +1, v]  process:pollfd() -> descriptor | nil once the process is closed */
static int process_pollfd(lua_State *L)
{
    struct ac_process *process = check_process(L);
    if (process->poller < 0)
        return 0;
    lua_pushinteger(L, process->poller);
    return 1;
}

/* [-1, +1, v]  process:errors() -> what the program has written to standard error since the last
 * call, "" if nothing; also after the program is over or its result was taken */
static int process_errors(lua_State *L)
{
    luaL_Buffer text;
    char *room = luaL_buffinitsize(L, &text, ERRORS_BYTES);
    struct ac_process *process = check_process(L);
    if (process->program.owner != 0 && process->program.owner != getpid())
        luaL_error(L, "the program belongs to the process that started it");
    luaL_pushresultsize(&text, ac_process_errors(process, room, ERRORS_BYTES));
    return 1;
}

/* [-1, +1, v]  process:events() -> "r" */
static int process_events(lua_State *L)
{
    lua_pushliteral(L, "r");
    return 1;
}

/* [-1, +1, v]  process:timeout() -> seconds until step() is due | nil */
static int process_timeout(lua_State *L)
{
    double seconds = ac_process_timeout(check_process(L));
    if (seconds < 0)
        return 0;
    lua_pushnumber(L, seconds);
    return 1;
}

/* [-1, +0, v]  process:kill(): kills the program and its children; its output can still be read */
static int process_kill(lua_State *L)
{
    const struct ac_process *process = check_process(L);
    if (process->program.owner == getpid())
        ac_program_kill(&process->program);
    return 0;
}

/* [-1, +1, v]  process:overflow() -> { bytes, kept, fault } if the output was larger than its
 * maximum and went into a file | nil */
static int process_overflow(lua_State *L)
{
    const struct ac_process *process = check_process(L);
    const struct ac_overflow *overflow = &process->overflow;
    if (!overflow->path || process->bytes <= process->max)
        return 0;
    lua_createtable(L, 0, 3);
    acL_set_integer(L, "bytes", process->bytes);
    acL_set_integer(L, "kept", overflow->kept);
    if (overflow->error != 0) {
        acL_push_file_failure(L, overflow->path, overflow->error);
        lua_pop(L, 1);
        lua_setfield(L, -3, "fault");
        lua_pop(L, 1);
    }
    return 1;
}

/* [-1, +3, v]  process:result() -> Secret with the output | nil (too much), exit code | nil,
 * signal | nil. Can be called once: it hands the output over. */
static int process_result(lua_State *L)
{
    struct ac_process *process = check_own(L);
    if (process->gone_since <= 0)
        luaL_error(L, "the process is not over");
    if (process->bytes > process->max)
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
    bool errors, leashed;
    int without, overflow; /* stack indices, 0 if absent */
};

/* [-3, +2, v]  spawn(argv, max_bytes, options?) -> Process | nil, message */
static int core_spawn(lua_State *L)
{
    static const struct acL_option names[] = {
        {"errors", ACL_BOOLEAN, offsetof(struct spawn_options, errors)},
        {"leashed", ACL_BOOLEAN, offsetof(struct spawn_options, leashed)},
        {"overflow", ACL_VALUE, offsetof(struct spawn_options, overflow)},
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
    const char *path = options.overflow != 0 ? acL_check_path(L, options.overflow) : NULL;
    luaL_argcheck(L, !path || *path, 3, "overflow: a path that is not empty");
    struct ac_process *process = lua_newuserdatauv(L, sizeof *process, 1);
    int at = lua_gettop(L);
    *process = ac_process_none((size_t)max, path);
    luaL_setmetatable(L, PROCESS_CLASS);
    if (path) {
        lua_pushvalue(L, options.overflow);
        lua_setiuservalue(L, at, 1);
    }
    acL_read_texts(L, 1, "spawn: argument", argv);
    luaL_argcheck(L, argv[0], 1, "1 to 64 arguments");
    char *const *environment = acL_push_environment(L, options.without);
    const char *fault =
        ac_process_start(process, argv, environment, options.errors, options.leashed);
    lua_settop(L, at);
    return fault ? acL_fail(L, fault) : 1;
}

void acL_process_open(lua_State *L)
{
    const luaL_Reg methods[] = {{"step", process_step},       {"errors", process_errors},
                                {"pollfd", process_pollfd},   {"events", process_events},
                                {"timeout", process_timeout}, {"overflow", process_overflow},
                                {"kill", process_kill},       {"result", process_result},
                                {"close", process_close},     {NULL, NULL}};
    const luaL_Reg metamethods[] = {
        {"__gc", process_close}, {"__close", process_close}, {NULL, NULL}};
    acL_class(L, PROCESS_CLASS, methods, metamethods);
    lua_pushcfunction(L, core_spawn);
    lua_setfield(L, -2, "spawn");
}
