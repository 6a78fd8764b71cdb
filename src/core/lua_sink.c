/* Output for others to follow: a file, a FIFO, or a descriptor of the host. Writing never waits: it
 * writes as much as is possible at once. */
#include "lua_core.h"

#include "file.h"
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define SINK_CLASS "alicloud.Sink"

/* A pipe that is ready takes this many bytes without blocking, also in blocking mode. */
#define AT_ONCE ((size_t)512)

/* The descriptor is ours. Its open file may be shared, so its mode (O_NONBLOCK) is not changed. */
struct sink {
    int fd; /* -1 once closed */
    pid_t owner;
    bool is_file;
};

static struct sink *check_own(lua_State *L)
{
    struct sink *sink = luaL_checkudata(L, 1, SINK_CLASS);
    if (sink->fd < 0)
        luaL_error(L, "the sink is closed");
    if (sink->owner != getpid())
        luaL_error(L, "the sink belongs to the process that opened it");
    return sink;
}

static int sink_close(lua_State *L)
{
    struct sink *sink = luaL_checkudata(L, 1, SINK_CLASS);
    ac_file_close(&sink->fd);
    return 0;
}

/* [-1, +1, v]  sink:fd() -> descriptor */
static int sink_fd(lua_State *L)
{
    lua_pushinteger(L, check_own(L)->fd);
    return 1;
}

/* A signal that comes meanwhile is handled later. */
static ssize_t write_some(const struct sink *sink, const char *bytes, size_t n)
{
    struct ac_sys_sigpipe guard;
    ssize_t written;
    ac_sys_sigpipe_block(&guard);
    do
        written = write(sink->fd, bytes, sink->is_file || n < AT_ONCE ? n : AT_ONCE);
    while (written < 0 && errno == EINTR);
    int error = errno;
    ac_sys_sigpipe_restore(&guard);
    errno = error;
    return written;
}

/* [-2, +(1|3), v]  sink:write(bytes) -> number of bytes written | nil, message, code */
static int sink_write(lua_State *L)
{
    struct ac_str bytes = acL_check_bytes(L, 2);
    const struct sink *sink = check_own(L);
    size_t done = 0;
    while (done < bytes.n && ac_sys_wait_for(sink->fd, AC_SYS_WRITE, 0) == AC_SYS_WAIT_READY) {
        ssize_t n = write_some(sink, bytes.p + done, bytes.n - done);
        if (n < 0 && errno == EAGAIN)
            break;
        if (n < 0)
            return acL_push_file_failure(L, "write", errno);
        done += (size_t)n;
    }
    lua_pushinteger(L, (lua_Integer)done);
    return 1;
}

/* Returns 0 or an errno. */
static int open_path(struct sink *sink, const char *path)
{
    sink->fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_CLOEXEC | O_NOCTTY, 0600);
    return sink->fd < 0 ? errno : 0;
}

static int copy(struct sink *sink, int fd)
{
    int mode = fcntl(fd, F_GETFL);
    if (mode >= 0 && (mode & O_ACCMODE) == O_RDONLY)
        return EBADF;
    sink->fd = mode < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    return sink->fd < 0 ? errno : 0;
}

/* [-1, +(1|3), v]  open_sink(path | descriptor) -> Sink | nil, message, code */
static int core_open_sink(lua_State *L)
{
    bool is_number = lua_isinteger(L, 1);
    lua_Integer fd = is_number ? lua_tointeger(L, 1) : 0;
    luaL_argcheck(L, fd >= 0 && fd <= INT32_MAX, 1, "a path or a descriptor");
    const char *path =
        is_number ? lua_pushfstring(L, "descriptor %d", (int)fd) : acL_check_path(L, 1);
    struct stat about;
    if (acL_push_confined(L, path))
        return 3;
    struct sink *sink = lua_newuserdatauv(L, sizeof *sink, 0);
    *sink = (struct sink){.fd = -1, .owner = getpid()};
    luaL_setmetatable(L, SINK_CLASS);
    int error = is_number ? copy(sink, (int)fd) : open_path(sink, path);
    if (error != 0)
        return acL_push_file_failure(L, path, error);
    sink->is_file = fstat(sink->fd, &about) == 0 && S_ISREG(about.st_mode);
    return 1;
}

void acL_sink_open(lua_State *L)
{
    const luaL_Reg methods[] = {
        {"write", sink_write}, {"fd", sink_fd}, {"close", sink_close}, {NULL, NULL}};
    const luaL_Reg metamethods[] = {{"__gc", sink_close}, {"__close", sink_close}, {NULL, NULL}};
    acL_class(L, SINK_CLASS, methods, metamethods);
    lua_pushcfunction(L, core_open_sink);
    lua_setfield(L, -2, "open_sink");
}
