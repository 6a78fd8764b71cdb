/* A child process to talk with: a new program with an environment of its own. Its descriptor 3 is
 * one end of a socket pair, whose other end its owner has; it has nothing else to read or write.
 *
 * If the C library cannot close the host's other descriptors (see ac_program_start()), a child that
 * confines itself closes them.
 */
#include "lua_core.h"

#include "file.h"
#include "program.h"
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHILD_CLASS "alicloud.Child"
#define SEND_SECONDS 5.0
#define RECEIVE_MAX_BYTES ((lua_Integer)1024 * 1024)

struct child {
    struct ac_program program;
    int fd; /* our end, -1 once closed */
};

struct child_options {
    int argv, environment; /* stack indices, 0 if absent */
};

static const struct acL_option OPTIONS[] = {
    {"argv", ACL_VALUE, offsetof(struct child_options, argv)},
    {"env", ACL_VALUE, offsetof(struct child_options, environment)},
    {0}};

static int open_pair(int ends[2])
{
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
        return errno;
    for (int i = 0; i < 2; i++)
        fcntl(ends[i], F_SETFD, FD_CLOEXEC);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    return 0;
}

static int start(struct child *child, char *const argv[], char *const environment[])
{
    int ends[2];
    int error = ac_sys_is_confined() ? EPERM : open_pair(ends);
    if (error)
        return error;
    const int files[] = {AC_SPAWN_NOTHING, AC_SPAWN_NOTHING, AC_SPAWN_NOTHING, ends[1]};
    error = ac_program_start(&child->program, argv, environment, files, 4);
    ac_file_close(&ends[1]);
    if (error)
        ac_file_close(&ends[0]);
    child->fd = error ? -1 : ends[0];
    return error;
}

static struct child *check_child(lua_State *L)
{
    return luaL_checkudata(L, 1, CHILD_CLASS);
}

/* [-0, +0, v]  Call it after anything that may allocate: a finalizer may close the child. */
static struct child *check_own(lua_State *L)
{
    struct child *child = check_child(L);
    if (child->fd < 0)
        luaL_error(L, "the child is closed");
    if (child->program.owner != getpid())
        luaL_error(L, "the child belongs to the process that started it");
    return child;
}

/* [-1, +1, v]  child:fd() -> descriptor */
static int child_fd(lua_State *L)
{
    lua_pushinteger(L, check_own(L)->fd);
    return 1;
}

/* Returns 0 or an errno; ETIMEDOUT if the other end has not taken all of it in time. */
static int send_all(int fd, struct ac_str text, double seconds)
{
    double limit = ac_sys_monotonic() + seconds;
    for (size_t done = 0; done < text.n;) {
        ssize_t n = write(fd, text.p + done, text.n - done);
        if (n > 0)
            done += (size_t)n;
        if (n >= 0 || errno == EINTR)
            continue;
        if (errno != EAGAIN)
            return errno;
        double left = limit - ac_sys_monotonic();
        if (left <= 0)
            return ETIMEDOUT;
        ac_sys_wait_for(fd, AC_SYS_WRITE, (int)(left * 1000) + 1);
    }
    return 0;
}

/* [-3, +(1|2), v]  child:send(text, seconds?) -> true | nil, message */
static int child_send(lua_State *L)
{
    struct ac_sys_sigpipe sigpipe;
    struct ac_str text = acL_check_bytes(L, 2);
    lua_Number seconds = luaL_optnumber(L, 3, SEND_SECONDS);
    luaL_argcheck(L, seconds >= 0 && seconds <= 86400, 3, "0 to 86400 seconds");
    const struct child *child = check_own(L);
    ac_sys_sigpipe_block(&sigpipe);
    int error = send_all(child->fd, text, seconds);
    ac_sys_sigpipe_restore(&sigpipe);
    if (error != 0)
        return acL_fail(L, error == ETIMEDOUT ? "the child takes nothing" : "the child has gone");
    lua_pushboolean(L, true);
    return 1;
}

/* [-2, +1, v]  child:receive(max) -> bytes, "" if there are none yet | nil at the end */
static int child_receive(lua_State *L)
{
    ssize_t got;
    luaL_Buffer buffer;
    lua_Integer max = luaL_checkinteger(L, 2);
    luaL_argcheck(L, max >= 1 && max <= RECEIVE_MAX_BYTES, 2, "1 byte to 1 MiB");
    char *out = luaL_buffinitsize(L, &buffer, (size_t)max);
    const struct child *child = check_own(L);
    do
        got = read(child->fd, out, (size_t)max);
    while (got < 0 && errno == EINTR);
    bool is_open = got > 0 || (got < 0 && errno == EAGAIN);
    luaL_pushresultsize(&buffer, got > 0 ? (size_t)got : 0);
    return is_open ? 1 : 0;
}

/* [-1, +1, v]  child:ended() -> nil while it runs | { exit } | { signal } | {} if unknown */
static int child_ended(lua_State *L)
{
    struct ac_program *program = &check_own(L)->program;
    if (!ac_program_reap(program))
        return 0;
    lua_createtable(L, 0, 1);
    if (program->exit_code >= 0)
        acL_set_integer(L, "exit", (uint64_t)program->exit_code);
    if (program->signal != 0)
        acL_set_integer(L, "signal", (uint64_t)program->signal);
    return 1;
}

/* [-1, +1, v]  child:computed() -> seconds of CPU time | nil if that is unknown */
static int child_computed(lua_State *L)
{
    double seconds = ac_program_computed(&check_own(L)->program);
    if (seconds < 0)
        return 0;
    lua_pushnumber(L, seconds);
    return 1;
}

/* [-1, +0, -]  Kills the child and its own children. */
static int child_close(lua_State *L)
{
    struct child *child = check_child(L);
    ac_file_close(&child->fd);
    ac_program_end(&child->program);
    return 0;
}

/* [-0, +n, v]  Reads the option `env`. A build with AddressSanitizer also needs its library
 * preloaded, and no search for leaks at the end, which a confined process may not do. */
static void read_environment(lua_State *L, int index, char *environment[ACL_TEXTS_MAX + 1])
{
    environment[0] = NULL;
    if (index != 0)
        acL_read_texts(L, index, "child: env:", environment);
#if AC_HAS_ASAN
    size_t n = 0;
    while (environment[n])
        n++;
    const char *preload = getenv("LD_PRELOAD");
    luaL_argcheck(L, n + 2 <= ACL_TEXTS_MAX, 1, "too many");
    environment[n] = (char *)lua_pushfstring(L, "LD_PRELOAD=%s", preload ? preload : "");
    environment[n + 1] = (char *)lua_pushliteral(L, "ASAN_OPTIONS=detect_leaks=0");
    environment[n + 2] = NULL;
#endif
}

/* [-1, +(1|2), v]  child{ argv, env } -> Child | nil, message */
static int core_child(lua_State *L)
{
    char *argv[ACL_TEXTS_MAX + 1], *environment[ACL_TEXTS_MAX + 1];
    struct child_options options = {0, 0};
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    struct child *child = lua_newuserdatauv(L, sizeof *child, 0);
    *child = (struct child){AC_PROGRAM_NONE, -1};
    luaL_setmetatable(L, CHILD_CLASS);
    acL_read_options(L, 1, "child", OPTIONS, &options);
    if (!lua_istable(L, options.argv ? options.argv : 2))
        luaL_error(L, "child: argv: an array of strings expected");
    if (options.environment && !lua_istable(L, options.environment))
        luaL_error(L, "child: env: an array of strings expected");
    acL_read_texts(L, options.argv, "child: argv:", argv);
    luaL_argcheck(L, argv[0], 1, "child: argv: a program and up to 63 arguments");
    read_environment(L, options.environment, environment);
    int error = start(child, argv, environment);
    lua_settop(L, 2);
    return error ? acL_fail(L, ac_program_fault(error)) : 1;
}

void acL_child_open(lua_State *L)
{
    const luaL_Reg methods[] = {{"fd", child_fd},
                                {"send", child_send},
                                {"receive", child_receive},
                                {"ended", child_ended},
                                {"close", child_close},
                                {"computed", child_computed},
                                {NULL, NULL}};
    const luaL_Reg metamethods[] = {{"__gc", child_close}, {"__close", child_close}, {NULL, NULL}};
    acL_class(L, CHILD_CLASS, methods, metamethods);
    lua_pushcfunction(L, core_child);
    lua_setfield(L, -2, "child");
}
