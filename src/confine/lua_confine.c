/* `alicloud.confine`: a child process gives up its rights and talks with its parent. */
#include "confine.h"
#include "luax.h"
#include "sys.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

AC_EXPORT int luaopen_alicloud_confine(lua_State *L);

#define RECEIVE_MAX_BYTES 65536
#define MEMORY_MIN_BYTES ((size_t)16 * 1024 * 1024)
#define CPU_MAX_SECONDS 86400

struct enter_options {
    size_t memory;
    lua_Integer cpu;
};

static const struct acL_option ENTER_OPTIONS[] = {
    {"memory", ACL_BYTES, offsetof(struct enter_options, memory)},
    {"cpu", ACL_INTEGER, offsetof(struct enter_options, cpu)},
    {0}};

static struct ac_confine_limits check_limits(lua_State *L)
{
    struct enter_options options = {0};
    acL_read_options(L, 1, "enter", ENTER_OPTIONS, &options);
    if (options.memory < MEMORY_MIN_BYTES)
        luaL_error(L, "enter: memory: 16777216 to 1073741824 bytes");
    if (options.cpu < 0 || options.cpu > CPU_MAX_SECONDS)
        luaL_error(L, "enter: cpu: 1 to 86400 seconds");
    return (struct ac_confine_limits){options.memory, (unsigned)options.cpu};
}

/* Allows only children that were started for this: any other process would lose its open files. */
static void check_place(lua_State *L)
{
    int type;
    socklen_t n = sizeof type;
    if (ac_sys_is_confined())
        luaL_error(L, "enter: this process is confined already");
    if (getsockopt(AC_CONFINE_FD, SOL_SOCKET, SO_TYPE, &type, &n) != 0)
        luaL_error(L, "enter: descriptor 3 is no socket: only a child of core.child enters");
}

/* [-0, +0, v]  Uses the crypto library once, because it reads its settings at first use. */
static void ask_once(lua_State *L)
{
    static const char code[] = "local core = require 'alicloud.core'\n"
                               "local seed = core.random_hex(32)\n"
                               "core.hmac_sha256(core.sha256 '', '')\n"
                               "core.ed25519_sign(seed, '')";
    if (luaL_loadstring(L, code) != LUA_OK)
        lua_error(L);
    lua_call(L, 0, 0);
}

/* [-0, +0, m]  Whether a mechanism is in force; if not, adds the reason to the list at index 3. */
static bool is_reached(lua_State *L, const char *label, const char *why)
{
    if (why) {
        lua_pushfstring(L, "%s: %s", label, why);
        lua_rawseti(L, 3, (lua_Integer)lua_rawlen(L, 3) + 1);
    }
    return !why;
}

/* [-0, +1, m]  Pushes the result of enter(); the stack must hold exactly one value before. */
static void push_reached(lua_State *L, const struct ac_confined *confined)
{
    lua_newtable(L);
    lua_newtable(L);
    lua_pushboolean(L, true);
    lua_setfield(L, 2, "limits");
    (void)is_reached(L, "memory", confined->memory_missing);
    lua_pushboolean(L, is_reached(L, "no_new_privs", confined->no_new_privs_missing));
    lua_setfield(L, 2, "no_new_privs");
    lua_pushboolean(L, is_reached(L, "seccomp", confined->seccomp_missing));
    lua_setfield(L, 2, "seccomp");
    if (is_reached(L, "Landlock", confined->landlock_missing))
        lua_pushinteger(L, confined->landlock_abi);
    else
        lua_pushboolean(L, false);
    lua_setfield(L, 2, "landlock");
    lua_setfield(L, 2, "missing");
}

/* [-1, +1, v]  enter{ memory, cpu } -> { limits, no_new_privs, seccomp, landlock, missing } */
static int confine_enter(lua_State *L)
{
    struct ac_confined confined;
    const char *what;
    lua_settop(L, 1);
    const struct ac_confine_limits limits = check_limits(L);
    check_place(L);
    ask_once(L);
    int error = ac_confine(&limits, &confined, &what);
    if (error != 0)
        luaL_error(L, "enter: %s: system error %d", what, error);
    lua_settop(L, 1);
    push_reached(L, &confined);
    return 1;
}

/* [-1, +(1|2), v]  send(text) -> true | nil, message; writes all of it to the parent */
static int confine_send(lua_State *L)
{
    struct ac_str text = acL_check_bytes(L, 1);
    for (size_t done = 0; done < text.n;) {
        ssize_t n = write(AC_CONFINE_FD, text.p + done, text.n - done);
        if (n < 0 && errno != EINTR)
            return acL_fail(L, "the one who started this process has gone");
        done += n > 0 ? (size_t)n : 0;
    }
    lua_pushboolean(L, true);
    return 1;
}

/* [-0, +1, v]  receive() -> bytes from the parent, at least one | nil at the end or on an error */
static int confine_receive(lua_State *L)
{
    ssize_t got;
    luaL_Buffer buffer;
    char *out = luaL_buffinitsize(L, &buffer, RECEIVE_MAX_BYTES);
    do
        got = read(AC_CONFINE_FD, out, RECEIVE_MAX_BYTES);
    while (got < 0 && errno == EINTR);
    luaL_pushresultsize(&buffer, got > 0 ? (size_t)got : 0);
    return got > 0 ? 1 : 0;
}

static const luaL_Reg FUNCTIONS[] = {
    {"enter", confine_enter}, {"send", confine_send}, {"receive", confine_receive}, {NULL, NULL}};

int luaopen_alicloud_confine(lua_State *L)
{
    acL_check_build(L);
    luaL_newlib(L, FUNCTIONS);
    return 1;
}
