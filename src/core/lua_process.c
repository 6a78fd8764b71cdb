#include "lua_core.h"

#include "lua_secret.h"
#include "process.h"

#include <unistd.h>

#define PROCESS_CLASS "alicloud.Process"
#define ARGUMENTS_MAX 64
#define OUTPUT_MAX_BYTES ((lua_Integer)1024 * 1024)

static struct ac_process *check_process(lua_State *L)
{
    return luaL_checkudata(L, 1, PROCESS_CLASS);
}

/* [-0, +0, v]  A child that was forked shares the pipe, and what it read would be missing here. */
static struct ac_process *check_own(lua_State *L)
{
    struct ac_process *process = check_process(L);
    if (!process->output.p)
        luaL_error(L, "the process is closed, or its result was taken");
    if (process->owner != getpid())
        luaL_error(L, "the program belongs to the process that started it");
    return process;
}

/* [-1, +0, -] */
static int process_close(lua_State *L)
{
    ac_process_close(check_process(L));
    return 0;
}

/* [-1, +1, v]  process:step() -> whether it is over; never blocks */
static int process_step(lua_State *L)
{
    lua_pushboolean(L, ac_process_step(check_own(L)));
    return 1;
}

/* [-1, +1, v]  process:pollfd() -> descriptor of its output | nil once that has ended */
static int process_pollfd(lua_State *L)
{
    struct ac_process *process = check_process(L);
    if (process->fd < 0)
        return 0;
    lua_pushinteger(L, process->fd);
    return 1;
}

/* [-1, +1, v]  process:events() -> "r" */
static int process_events(lua_State *L)
{
    check_process(L);
    lua_pushliteral(L, "r");
    return 1;
}

/* [-1, +0, v]  process:timeout() -> nil: it has no timer of its own */
static int process_timeout(lua_State *L)
{
    check_process(L);
    return 0;
}

/* [-1, +3, v]  process:result() -> Secret with the output | nil (too much), exit code | nil,
 * signal | nil. The output is handed over and is empty afterwards. */
static int process_result(lua_State *L)
{
    struct ac_process *process = check_own(L);
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
    struct ac_process *process = lua_newuserdatauv(L, sizeof *process, 0);
    int at = lua_gettop(L);
    *process = (struct ac_process){.fd = -1};
    luaL_setmetatable(L, PROCESS_CLASS);
    read_arguments(L, argv);
    const char *fault = ac_process_start(process, argv, (size_t)max);
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
