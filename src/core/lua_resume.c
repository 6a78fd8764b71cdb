/* Resumes coroutines so that signals reach them (lua_interrupt.h), and runs functions where the
 * Ctrl-C hook of the lua interpreter does not interrupt them (aside).
 */
#include "lua_core.h"
#include "lua_interrupt.h"

#include "spawn.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

/* Registry key of the coroutine that the next call_aside() uses; false if there is none. */
static const char SPARE = 0;

/* [-(nargs), +(results|1), -]  Like coroutine.resume: returns the number of results, or -1 with the
 * error on top. */
static int resume(lua_State *L, lua_State *coroutine, int nargs)
{
    if (!lua_checkstack(coroutine, nargs)) {
        lua_pushliteral(L, "too many arguments to resume");
        return -1;
    }
    lua_xmove(L, coroutine, nargs);
    struct acL_frame frame;
    bool is_noted = acL_interrupt_enter(L, coroutine, &frame);
    int results;
    int status = lua_resume(coroutine, L, nargs, &results);
    if (is_noted)
        acL_interrupt_leave(&frame);
    if (status != LUA_OK && status != LUA_YIELD) {
        lua_xmove(coroutine, L, 1);
        return -1;
    }
    if (!lua_checkstack(L, results + 1)) {
        lua_pop(coroutine, results);
        lua_pushliteral(L, "too many results to resume");
        return -1;
    }
    lua_xmove(coroutine, L, results);
    return results;
}

/* [-n, +n, v]  resume(coroutine, ...) -> true, ... | false, error */
static int core_resume(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTHREAD);
    lua_State *coroutine = lua_tothread(L, 1);
    int results = resume(L, coroutine, lua_gettop(L) - 1);
    lua_pushboolean(L, results >= 0);
    lua_insert(L, results >= 0 ? -(results + 1) : -2);
    return results >= 0 ? results + 1 : 2;
}

static int reset(lua_State *L, lua_State *coroutine)
{
#if LUA_VERSION_RELEASE_NUM >= 50406
    return lua_closethread(coroutine, L);
#else
    (void)L;
    return lua_resetthread(coroutine);
#endif
}

/* [-1, +1, v]  Closes a coroutine that has raised an error, with its to-be-closed variables; that
 * may replace the error. */
static int close_failed(lua_State *L, lua_State *coroutine)
{
    int status = lua_status(coroutine);
    if (status == LUA_OK || status == LUA_YIELD)
        return status;
    lua_pop(L, 1);
    status = reset(L, coroutine);
    lua_xmove(coroutine, L, 1);
    return status;
}

/* [-n, +n, v]  The function that wrap() returns: raises the coroutine's error in its caller. */
static int resume_wrapped(lua_State *L)
{
    lua_State *coroutine = lua_tothread(L, lua_upvalueindex(1));
    int results = resume(L, coroutine, lua_gettop(L));
    if (results >= 0)
        return results;
    int status = close_failed(L, coroutine);
    if (status != LUA_ERRMEM && lua_type(L, -1) == LUA_TSTRING) {
        luaL_where(L, 1);
        lua_insert(L, -2);
        lua_concat(L, 2);
    }
    return lua_error(L);
}

/* [-n, +results, v]  The body of call_aside()'s coroutine; it cannot yield, nor can its caller. */
static int call_plainly(lua_State *L)
{
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    return lua_gettop(L);
}

static int pass_results(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    return lua_gettop(L);
}

/* [-0, +1, m]  Pushes an idle coroutine without a hook: the kept one, or a new one. While the kept
 * one is in use, another caller, such as a finalizer, gets a new one. */
static lua_State *take_spare(lua_State *L)
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &SPARE) == LUA_TTHREAD) {
        lua_pushboolean(L, 0);
        lua_rawsetp(L, LUA_REGISTRYINDEX, &SPARE);
    } else {
        lua_pop(L, 1);
        lua_newthread(L);
    }
    lua_State *coroutine = lua_tothread(L, -1);
    lua_sethook(coroutine, NULL, 0, 0);
    return coroutine;
}

/* [-0, +0, -]  Keeps the coroutine at `index`, whose body has returned. The key exists since the
 * state was opened, so this allocates nothing. */
static void keep_spare(lua_State *L, int index)
{
    lua_pushvalue(L, index);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &SPARE);
}

/* [-n, +results, v]  The function that aside() returns. A hook of the main coroutine does not run
 * in another one. One coroutine serves all calls until one raises, because creating one costs more
 * than most calls. */
static int call_aside(lua_State *L)
{
    bool is_main = lua_pushthread(L);
    lua_pop(L, 1);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    if (!is_main) {
        lua_callk(L, lua_gettop(L) - 1, LUA_MULTRET, 0, pass_results);
        return lua_gettop(L);
    }
    lua_State *coroutine = take_spare(L);
    lua_insert(L, 1);
    lua_pushcfunction(coroutine, call_plainly);
    int results = resume(L, coroutine, lua_gettop(L) - 1);
    if (results < 0) {
        close_failed(L, coroutine);
        return lua_error(L);
    }
    keep_spare(L, 1);
    return results;
}

/* [-1, +1, v]  aside(body) -> function that calls `body` outside the main coroutine */
static int core_aside(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_settop(L, 1);
    lua_pushcclosure(L, call_aside, 1);
    return 1;
}

/* [-1, +1, v]  wrap(body) -> function */
static int core_wrap(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_State *coroutine = lua_newthread(L);
    lua_pushvalue(L, 1);
    lua_xmove(L, coroutine, 1);
    lua_pushcclosure(L, resume_wrapped, 1);
    return 1;
}

/* [-1, +3, v]  execute(command?): as os.execute, but system() would ignore Ctrl-C. A signal that
 * ends this process is passed on to the shell, except SIGINT, which a terminal sends to both. */
static int core_execute(lua_State *L)
{
    const char *line = luaL_optstring(L, 1, NULL);
    char *argv[] = {(char *)"sh", (char *)"-c", (char *)(uintptr_t)line, NULL};
    pid_t child;
    int status;
    if (!line) {
        lua_pushboolean(L, 1);
        return 1;
    }
    int error = posix_spawn(&child, "/bin/sh", NULL, NULL, argv, ac_spawn_environment());
    if (error) {
        errno = error;
        return luaL_fileresult(L, 0, NULL);
    }
    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR)
            return luaL_fileresult(L, 0, NULL);
        int ending = acL_interrupt_ending();
        if (ending && ending != SIGINT)
            kill(child, ending);
    }
    errno = 0;
    return luaL_execresult(L, status);
}

/* [-0, +0, m]  Replaces a function of a standard library. */
static void replace(lua_State *L, const char *library, const char *name, lua_CFunction function)
{
    lua_getglobal(L, library);
    lua_pushcfunction(L, function);
    lua_setfield(L, -2, name);
    lua_pop(L, 1);
}

void acL_resume_replace(lua_State *L)
{
    replace(L, "coroutine", "resume", core_resume);
    replace(L, "coroutine", "wrap", core_wrap);
    replace(L, "os", "execute", core_execute);
}

static const luaL_Reg FUNCTIONS[] = {{"resume", core_resume}, {"aside", core_aside}, {NULL, NULL}};

void acL_resume_open(lua_State *L)
{
    lua_pushboolean(L, 0);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &SPARE);
    luaL_setfuncs(L, FUNCTIONS, 0);
}
