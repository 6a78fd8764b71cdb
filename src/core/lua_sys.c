/* The system for Lua: clocks, waiting, signals. */
#include "lua_core.h"

#include "sys.h"

#include <math.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/prctl.h>
#endif

/* [-0, +1, -]  time() -> unix seconds */
static int sys_time(lua_State *L)
{
    lua_pushnumber(L, ac_sys_time());
    return 1;
}

/* [-0, +1, -]  monotonic() -> seconds */
static int sys_monotonic(lua_State *L)
{
    lua_pushnumber(L, ac_sys_monotonic());
    return 1;
}

/* [-0, +1, -]  boottime() -> seconds */
static int sys_boottime(lua_State *L)
{
    lua_pushnumber(L, ac_sys_boottime());
    return 1;
}

/* The descriptors at `arg`: none for nil, one, or an array of them. */
static size_t check_descriptors(lua_State *L, int arg, int fds[static AC_SYS_WAIT_MAX])
{
    bool many = lua_istable(L, arg);
    size_t n = many ? (size_t)lua_rawlen(L, arg) : !lua_isnoneornil(L, arg);
    luaL_argcheck(L, n <= AC_SYS_WAIT_MAX, arg, "at most 64 descriptors");
    for (size_t i = 0; i < n; i++) {
        if (many)
            lua_rawgeti(L, arg, (lua_Integer)i + 1);
        else
            lua_pushvalue(L, arg);
        int whole;
        lua_Integer fd = lua_tointegerx(L, -1, &whole);
        lua_pop(L, 1);
        luaL_argcheck(L, whole && fd >= 0 && fd <= INT32_MAX, arg,
                      "a descriptor, an array of descriptors or nil");
        fds[i] = (int)fd;
    }
    return n;
}

/* [-3, +1, v]  poll(fd, fds or nil, "r" | "w" | "rw", seconds) -> ready. A signal ends it early. */
static int sys_poll(lua_State *L)
{
    int fds[AC_SYS_WAIT_MAX];
    size_t n = check_descriptors(L, 1, fds);
    const char *letters = luaL_optstring(L, 2, "r");
    lua_Number seconds = luaL_checknumber(L, 3);
    luaL_argcheck(L, seconds >= 0 && seconds <= 86400, 3, "0 to 86400 seconds");
    int events =
        (strchr(letters, 'r') ? AC_SYS_READ : 0) | (strchr(letters, 'w') ? AC_SYS_WRITE : 0);
    int ready = ac_sys_wait(fds, n, events, (int)ceil(seconds * 1000));
    if (ready < 0)
        luaL_error(L, "poll: %s is not an open descriptor",
                   n == 1 ? lua_pushfstring(L, "%d", fds[0]) : "one of them");
    lua_pushboolean(L, ready);
    return 1;
}

/* [-0, +1, v]  terminal(descriptor) -> its columns, 0 if it does not say; nil if it is none */
static int sys_terminal(lua_State *L)
{
    struct winsize size = {0};
    lua_Integer fd = luaL_checkinteger(L, 1);
    luaL_argcheck(L, fd >= 0 && fd <= INT32_MAX, 1, "a descriptor");
    if (!isatty((int)fd)) {
        luaL_pushfail(L);
        return 1;
    }
    ioctl((int)fd, TIOCGWINSZ, &size);
    lua_pushinteger(L, size.ws_col);
    return 1;
}

/* [-0, +0, -]  ignore_sigpipe(): for commands, never for a library inside somebody's program */
static int sys_ignore_sigpipe(lua_State *L)
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    (void)L;
    sigaction(SIGPIPE, &ignore, NULL);
    return 0;
}

/* [-0, +0, -]  forbid_dumps(): this process leaves no core, and nobody but root may look into it;
 * for commands, as above. Programs that it starts may have cores of their own. */
static int sys_forbid_dumps(lua_State *L)
{
    struct rlimit cores;
    (void)L;
    if (getrlimit(RLIMIT_CORE, &cores) == 0) {
        cores.rlim_cur = 0;
        (void)setrlimit(RLIMIT_CORE, &cores);
    }
#if defined(__linux__)
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
    return 0;
}

/* [-1, +0, -] */
static int sys_set_interrupt(lua_State *L)
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    bool wanted = lua_toboolean(L, 1);
    sigaction(SIGINT, wanted ? lua_touserdata(L, lua_upvalueindex(1)) : &ignore, NULL);
    return 0;
}

/* [-0, +1, m]  keep_interrupt() -> function(wanted): SIGINT as it is handled now, or ignored; for
 * commands, as an interpreter's handler of SIGINT serves once */
static int sys_keep_interrupt(lua_State *L)
{
    sigaction(SIGINT, NULL, lua_newuserdatauv(L, sizeof(struct sigaction), 0));
    lua_pushcclosure(L, sys_set_interrupt, 1);
    return 1;
}

/* The signal that ends this command, 0 while there is none. */
static volatile sig_atomic_t ending;

/* Ends the command as SIGINT does, by the interpreter's own handler; where that one has served, is
 * away or was never there, as if nothing had been installed here. */
static void end_by(int signal_number)
{
    struct sigaction interrupt;
    const struct sigaction usual = {.sa_handler = SIG_DFL};
    bool served = sigaction(SIGINT, NULL, &interrupt) != 0 || interrupt.sa_handler == SIG_DFL ||
                  interrupt.sa_handler == SIG_IGN;
    ending = signal_number;
    if (served)
        sigaction(signal_number, &usual, NULL);
    raise(served ? signal_number : SIGINT);
}

/* [-0, +0, -]  answer_signals(): SIGTERM and SIGHUP end this process as SIGINT does, each once and
 * unless it is ignored, as under nohup; for commands */
static int sys_answer_signals(lua_State *L)
{
    static const int numbers[] = {SIGTERM, SIGHUP};
    const struct sigaction answer = {.sa_handler = end_by, .sa_flags = (int)SA_RESETHAND};
    struct sigaction now;
    (void)L;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (sigaction(numbers[i], NULL, &now) == 0 && now.sa_handler == SIG_DFL)
            sigaction(numbers[i], &answer, NULL);
    return 0;
}

/* [-0, +1, -]  ended_by() -> number of the signal that answer_signals has seen, nil if none */
static int sys_ended_by(lua_State *L)
{
    if (ending)
        lua_pushinteger(L, ending);
    else
        luaL_pushfail(L);
    return 1;
}

static const luaL_Reg FUNCTIONS[] = {{"time", sys_time},
                                     {"monotonic", sys_monotonic},
                                     {"boottime", sys_boottime},
                                     {"poll", sys_poll},
                                     {"terminal", sys_terminal},
                                     {"ignore_sigpipe", sys_ignore_sigpipe},
                                     {"forbid_dumps", sys_forbid_dumps},
                                     {"keep_interrupt", sys_keep_interrupt},
                                     {"answer_signals", sys_answer_signals},
                                     {"ended_by", sys_ended_by},
                                     {NULL, NULL}};

void acL_sys_open(lua_State *L)
{
    luaL_setfuncs(L, FUNCTIONS, 0);
}
