/* Files for Lua: journals (locked, appended to, synced), files written as a whole, and whether the
 * process that holds a file still exists. */
#include "lua_core.h"

#include "file.h"
#include "lua_secret.h"
#include "sys.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <unistd.h>

#define FILE_CLASS "alicloud.File"
#define READ_MAX_BYTES ((lua_Integer)64 * 1024 * 1024)
#define HOST_MAX_BYTES 256

/* A fork shares the open file and its locks, so a forked child can only close its copy. */
struct file {
    int fd; /* -1 once closed */
    pid_t owner;
};

/* Errors of file operations: names for programs, words for people. */
static const struct {
    int error;
    const char *name, *words;
} ERRORS[] = {
    {EACCES, "EACCES", "permission denied"},
    {EBADF, "EBADF", "not opened for that"},
    {EDQUOT, "EDQUOT", "the quota is used up"},
    {EEXIST, "EEXIST", "it exists already"},
    {EFBIG, "EFBIG", "the file is too large"},
    {EINVAL, "EINVAL", "not a regular file, or not possible for it"},
    {EIO, "EIO", "input or output error"},
    {EISDIR, "EISDIR", "it is a directory"},
    {ELOOP, "ELOOP", "it is a symbolic link"},
    {EMFILE, "EMFILE", "too many open files"},
    {ENAMETOOLONG, "ENAMETOOLONG", "the name is too long"},
    {ENFILE, "ENFILE", "too many open files in the system"},
    {ENOENT, "ENOENT", "no such file or directory"},
    {ENOLCK, "ENOLCK", "the file system gives no locks"},
    {ENOSPC, "ENOSPC", "no space left on the device"},
    {ENOTDIR, "ENOTDIR", "not a directory"},
    {ENXIO, "ENXIO", "not a regular file"},
    {EOPNOTSUPP, "EOPNOTSUPP", "the file system cannot do that"},
    {EPERM, "EPERM", "operation not permitted"},
    {EPIPE, "EPIPE", "nobody reads from it any more"},
    {EROFS, "EROFS", "the file system is read-only"},
};

int acL_push_file_failure(lua_State *L, const char *what, int error)
{
    /* An empty path would be invisible in the message. */
    if (!*what)
        what = "\"\"";
    lua_pushnil(L);
    for (size_t i = 0; i < sizeof ERRORS / sizeof *ERRORS; i++)
        if (ERRORS[i].error == error) {
            lua_pushfstring(L, "%s: %s", what, ERRORS[i].words);
            lua_pushstring(L, ERRORS[i].name);
            return 3;
        }
    lua_pushfstring(L, "%s: system error %d", what, error);
    lua_pushfstring(L, "E%d", error);
    return 3;
}

bool acL_push_confined(lua_State *L, const char *path)
{
    if (!ac_sys_is_confined())
        return false;
    lua_pushnil(L);
    lua_pushfstring(L, "%s: a confined process opens no files", path);
    lua_pushliteral(L, "EPERM");
    return true;
}

/* [-0, +(1|3), m]  true | false if another open file holds the lock | nil, message, code */
static int push_outcome(lua_State *L, const char *what, int error)
{
    if (error != 0 && error != EWOULDBLOCK)
        return acL_push_file_failure(L, what, error);
    lua_pushboolean(L, error == 0);
    return 1;
}

/* [-0, +0, v]  Call it after anything that may allocate: a finalizer may close the file. */
static int check_open(lua_State *L)
{
    const struct file *file = luaL_checkudata(L, 1, FILE_CLASS);
    if (file->fd < 0)
        luaL_error(L, "the file is closed");
    if (file->owner != getpid())
        luaL_error(L, "the file belongs to the process that opened it");
    return file->fd;
}

/* [-1, +0, -]  Releases its locks, even if another process has inherited the descriptor. */
static int file_close(lua_State *L)
{
    struct file *file = luaL_checkudata(L, 1, FILE_CLASS);
    if (file->fd >= 0 && file->owner == getpid())
        ac_file_unlock_all(file->fd);
    ac_file_close(&file->fd);
    return 0;
}

/* [-3, +(1|3), v]  open_file(path, "read" | "append" | "create", mode = 0600) -> File | nil,
 * message, code */
static int core_open_file(lua_State *L)
{
    static const char *const names[] = {"read", "append", "create", NULL};
    const char *path = acL_check_path(L, 1);
    enum ac_file_how how = (enum ac_file_how)luaL_checkoption(L, 2, NULL, names);
    lua_Integer mode = luaL_optinteger(L, 3, 0600);
    luaL_argcheck(L, mode >= 0 && mode <= 0777, 3, "permission bits of a new file");
    if (acL_push_confined(L, path))
        return 3;
    struct file *file = lua_newuserdatauv(L, sizeof *file, 0);
    *file = (struct file){-1, getpid()};
    luaL_setmetatable(L, FILE_CLASS);
    int error = ac_file_open(&file->fd, path, how, (mode_t)mode);
    return error != 0 ? acL_push_file_failure(L, path, error) : 1;
}

/* [-2, +(1|4), v]  file:append(bytes) -> true | nil, message, code, number of bytes written */
static int file_append(lua_State *L)
{
    size_t written;
    struct ac_str bytes = acL_check_bytes(L, 2);
    int error = ac_file_append(check_open(L), bytes, &written);
    if (error == 0)
        return push_outcome(L, "append", 0);
    acL_push_file_failure(L, "append", error);
    lua_pushinteger(L, (lua_Integer)written);
    return 4;
}

/* [-3, +(1|3), v]  file:read(offset, count) -> bytes | nil, message, code */
static int file_read(lua_State *L)
{
    lua_Integer offset = luaL_checkinteger(L, 2), count = luaL_checkinteger(L, 3);
    luaL_argcheck(L, offset >= 0, 2, "at least 0");
    luaL_argcheck(L, count >= 0 && count <= READ_MAX_BYTES, 3, "0 to 67108864 bytes");
    luaL_Buffer buffer;
    size_t got;
    char *out = luaL_buffinitsize(L, &buffer, (size_t)count);
    int error = ac_file_read(check_open(L), offset, out, (size_t)count, &got);
    luaL_pushresultsize(&buffer, error != 0 ? 0 : got);
    return error != 0 ? acL_push_file_failure(L, "read", error) : 1;
}

/* [-1, +(1|3), v] */
static int file_sync(lua_State *L)
{
    return push_outcome(L, "fsync", ac_file_sync(check_open(L)));
}

/* [-2, +(1|3), v]  A method with one argument: a number of bytes or an offset. */
static int call_with_bytes(lua_State *L, const char *what, int (*call)(int fd, int64_t bytes))
{
    lua_Integer bytes = luaL_checkinteger(L, 2);
    luaL_argcheck(L, bytes >= 0, 2, "at least 0 bytes");
    return push_outcome(L, what, call(check_open(L), bytes));
}

/* [-2, +(1|3), v] */
static int file_truncate(lua_State *L)
{
    return call_with_bytes(L, "truncate", ac_file_truncate);
}

/* [-2, +(1|3), v] */
static int file_reserve(lua_State *L)
{
    return call_with_bytes(L, "reserve", ac_file_reserve);
}

/* [-2, +(1|3), v]  file:lock(offset) -> boolean | nil, message, code */
static int file_lock(lua_State *L)
{
    return call_with_bytes(L, "lock", ac_file_lock);
}

/* [-2, +(1|3), v]  file:unlock(offset) */
static int file_unlock(lua_State *L)
{
    return call_with_bytes(L, "unlock", ac_file_unlock);
}

/* [-2, +(1|3), v]  file:is_locked(offset) -> boolean | nil, message, code */
static int file_is_locked(lua_State *L)
{
    int n = call_with_bytes(L, "lock", ac_file_probe);
    if (n == 1)
        lua_pushboolean(L, !lua_toboolean(L, -1));
    return n;
}

void acL_push_file_stat(lua_State *L, const struct ac_file_stat *about)
{
    lua_createtable(L, 0, 7);
    acL_set_integer(L, "bytes", (uint64_t)about->bytes);
    acL_set_integer(L, "mode", about->mode);
    acL_set_integer(L, "links", about->links);
    acL_set_integer(L, "uid", about->uid);
    acL_set_integer(L, "gid", about->gid);
    lua_pushboolean(L, about->own);
    lua_setfield(L, -2, "own");
    lua_pushstring(L, about->type);
    lua_setfield(L, -2, "type");
}

/* [-1, +(1|3), v]  file:stat() -> { bytes, type, mode, links, uid, gid, own } */
static int file_stat(lua_State *L)
{
    struct ac_file_stat about;
    int error = ac_file_stat(check_open(L), &about);
    if (error != 0)
        return acL_push_file_failure(L, "stat", error);
    acL_push_file_stat(L, &about);
    return 1;
}

/* [-1, +(1|3), v] */
static int core_sync_directory(lua_State *L)
{
    const char *path = acL_check_path(L, 1);
    return acL_push_confined(L, path) ? 3 : push_outcome(L, path, ac_file_sync_directory(path));
}

/* [-2, +(1|3), v]  make_directory(path, mode = 0700) -> true | nil, message, code */
static int core_make_directory(lua_State *L)
{
    const char *path = acL_check_path(L, 1);
    lua_Integer mode = luaL_optinteger(L, 2, AC_FILE_DIRECTORY_MODE);
    luaL_argcheck(L, mode >= 0 && mode <= 07777, 2, "no mode");
    if (acL_push_confined(L, path))
        return 3;
    return push_outcome(L, path, ac_file_make_directory(path, (unsigned)mode));
}

/* [-3, +(1|3), v]  write_file(path, bytes, "private" | "shared" | "new") -> true | nil, message,
 * code */
static int core_write_file(lua_State *L)
{
    static const char *const names[] = {"private", "shared", "new", NULL};
    const char *path = acL_check_path(L, 1);
    struct ac_str bytes = acL_check_bytes(L, 2);
    enum ac_file_for whom = (enum ac_file_for)luaL_checkoption(L, 3, NULL, names);
    if (acL_push_confined(L, path))
        return 3;
    unsigned char random[8];
    if (!ac_sys_random(random, sizeof random))
        luaL_error(L, "write_file: the system has no randomness to give");
    lua_pushfstring(L, "%s.", path);
    acL_push_hex(L, random, sizeof random);
    lua_concat(L, 2);
    int error = ac_file_write(path, lua_tostring(L, -1), bytes, whom);
    return push_outcome(L, path, error);
}

/* [-0, +1, m]  process() -> { pid, host, processors, directory }; no `directory` if it is gone */
static int core_process(lua_State *L)
{
    char host[HOST_MAX_BYTES] = "";
    char directory[PATH_MAX];
    (void)gethostname(host, sizeof host - 1);
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    lua_createtable(L, 0, 4);
    if (getcwd(directory, sizeof directory)) {
        lua_pushstring(L, directory);
        lua_setfield(L, -2, "directory");
    }
    acL_set_integer(L, "pid", (uint64_t)getpid());
    acL_set_integer(L, "processors", processors > 0 ? (uint64_t)processors : 1);
    lua_pushstring(L, host);
    lua_setfield(L, -2, "host");
    return 1;
}

/* [-0, +1, -]  pid() -> id of this process; cheap enough to call at every wait */
static int core_pid(lua_State *L)
{
    lua_pushinteger(L, getpid());
    return 1;
}

/* [-1, +1, v]  is_process(pid) -> whether this process exists on this machine, of any user */
static int core_is_process(lua_State *L)
{
    lua_Integer pid = luaL_checkinteger(L, 1);
    luaL_argcheck(L, pid > 0 && pid <= INT_MAX, 1, "a process id");
    lua_pushboolean(L, kill((pid_t)pid, 0) == 0 || errno == EPERM);
    return 1;
}

void acL_file_open(lua_State *L)
{
    const luaL_Reg methods[] = {{"append", file_append},
                                {"read", file_read},
                                {"sync", file_sync},
                                {"truncate", file_truncate},
                                {"reserve", file_reserve},
                                {"lock", file_lock},
                                {"unlock", file_unlock},
                                {"is_locked", file_is_locked},
                                {"stat", file_stat},
                                {"close", file_close},
                                {NULL, NULL}};
    const luaL_Reg metamethods[] = {{"__gc", file_close}, {"__close", file_close}, {NULL, NULL}};
    const luaL_Reg functions[] = {{"open_file", core_open_file},
                                  {"sync_directory", core_sync_directory},
                                  {"make_directory", core_make_directory},
                                  {"process", core_process},
                                  {"pid", core_pid},
                                  {"is_process", core_is_process},
                                  {"write_file", core_write_file},
                                  {NULL, NULL}};
    acL_class(L, FILE_CLASS, methods, metamethods);
    luaL_setfuncs(L, functions, 0);
}
