/* Services of the operating system for Lua: clocks, waiting, the terminal. */
#include "lua_core.h"

#include "sys.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <string.h>
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

/* The most descriptors that a process may have, and those for which no memory is allocated. */
#define POLL_MAX 1048576
#define POLL_FEW 64

/* [-0, +1, v]  Reads the descriptors at `arg`: nil, one, or an array. `list` is `few`, or the
 * memory of the userdata that is pushed. */
static size_t check_descriptors(lua_State *L, int arg, struct pollfd few[static POLL_FEW],
                                struct pollfd **list)
{
    bool many = lua_istable(L, arg);
    size_t n = many ? (size_t)lua_rawlen(L, arg) : !lua_isnoneornil(L, arg);
    luaL_argcheck(L, n <= POLL_MAX, arg, "at most 1048576 descriptors");
    *list = few;
    if (n > POLL_FEW)
        *list = lua_newuserdatauv(L, n * sizeof **list, 0);
    else
        lua_pushnil(L);
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
        (*list)[i] = (struct pollfd){.fd = (int)fd};
    }
    return n;
}

/* [-3, +1, v]  poll(fd | fds | nil, "r" | "w" | "rw", seconds) -> ready. A signal ends the wait. */
static int sys_poll(lua_State *L)
{
    struct pollfd few[POLL_FEW], *list;
    const char *letters = luaL_optstring(L, 2, "r");
    lua_Number seconds = luaL_checknumber(L, 3);
    luaL_argcheck(L, seconds >= 0 && seconds <= 86400, 3, "0 to 86400 seconds");
    int events =
        (strchr(letters, 'r') ? AC_SYS_READ : 0) | (strchr(letters, 'w') ? AC_SYS_WRITE : 0);
    size_t n = check_descriptors(L, 1, few, &list);
    enum ac_sys_wait ready = ac_sys_wait(list, n, events, (int)ceil(seconds * 1000));
    if (ready == AC_SYS_WAIT_BAD)
        luaL_error(L, "poll: %s is not an open descriptor",
                   n == 1 ? lua_pushfstring(L, "%d", list[0].fd) : "one of them");
    if (ready == AC_SYS_WAIT_MANY)
        luaL_error(L, "poll: %d descriptors are more than this process may have open", (int)n);
    lua_pushboolean(L, ready == AC_SYS_WAIT_READY);
    return 1;
}

/* [-0, +1, v]  terminal(descriptor) -> columns, 0 if unknown | nil if it is no terminal */
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

/* The most bytes of one take(). */
#define TAKE_MAX_BYTES 4096

/* [-2, +2, v]  take(descriptor, max) -> bytes, "" if a signal came first | nil at the end | nil,
 * message. Blocks if there is nothing to read, so poll it before. */
static int sys_take(lua_State *L)
{
    char bytes[TAKE_MAX_BYTES];
    lua_Integer fd = luaL_checkinteger(L, 1), max = luaL_checkinteger(L, 2);
    luaL_argcheck(L, fd >= 0 && fd <= INT32_MAX, 1, "a descriptor");
    luaL_argcheck(L, max >= 1 && max <= TAKE_MAX_BYTES, 2, "1 to 4096 bytes");
    ssize_t n = read((int)fd, bytes, (size_t)max);
    if (n < 0 && errno != EINTR && errno != EAGAIN)
        return acL_fail(L, strerror(errno));
    if (n == 0)
        return 0;
    lua_pushlstring(L, bytes, n > 0 ? (size_t)n : 0);
    return 1;
}

/* [-0, +0, -]  ignore_sigpipe(): for commands only, not for a library inside another program */
static int sys_ignore_sigpipe(lua_State *L)
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    (void)L;
    sigaction(SIGPIPE, &ignore, NULL);
    return 0;
}

/* [-0, +0, -]  forbid_dumps(): this process leaves no core, and only root may read its memory; for
 * commands only. Programs that it starts may leave cores. */
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

static const luaL_Reg FUNCTIONS[] = {{"time", sys_time},
                                     {"monotonic", sys_monotonic},
                                     {"boottime", sys_boottime},
                                     {"poll", sys_poll},
                                     {"take", sys_take},
                                     {"terminal", sys_terminal},
                                     {"ignore_sigpipe", sys_ignore_sigpipe},
                                     {"forbid_dumps", sys_forbid_dumps},
                                     {NULL, NULL}};

void acL_sys_open(lua_State *L)
{
    luaL_setfuncs(L, FUNCTIONS, 0);
}
