/* Many descriptors behind a single one (epoll, kqueue), for a loop that can watch only one.
 *
 * A forked child gets a poller of its own, empty at first. In the shared one, the parent's
 * descriptors would stay watched after the child has closed its copies, and could not be removed.
 */
#include "lua_core.h"

#include "file.h"
#include "sys.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define GROUP_CLASS "alicloud.PollGroup"
#define DESCRIPTORS_MAX 1048576

struct group {
    int poller; /* -1 once closed */
    pid_t owner;
    unsigned char *events; /* by descriptor, 0 if it is not watched */
    size_t room;
    size_t always; /* number of descriptors that are always ready: regular files, on Linux */
    int ended;     /* reading end of a pipe that is always ready, watched for them; or -1 */
};

static void forget_all(struct group *group)
{
    ac_file_close(&group->ended);
    free(group->events);
    group->events = NULL;
    group->room = group->always = 0;
}

/* [-1, +0, -] */
static int group_close(lua_State *L)
{
    struct group *group = luaL_checkudata(L, 1, GROUP_CLASS);
    forget_all(group);
    if (group->owner == getpid())
        ac_sys_poller_close(group->poller);
    else if (group->poller >= 0)
        ac_sys_poller_forget(group->poller);
    group->poller = -1;
    return 0;
}

/* [-0, +0, v] */
static void open_poller(lua_State *L, struct group *group)
{
    group->owner = getpid();
    group->poller = ac_sys_poller_open();
    if (group->poller < 0)
        luaL_error(L, "poll_group: not enough memory or descriptors");
}

/* [-0, +0, v] */
static struct group *check_open(lua_State *L)
{
    struct group *group = luaL_checkudata(L, 1, GROUP_CLASS);
    if (group->poller < 0)
        luaL_error(L, "the group is closed");
    if (group->owner != getpid()) {
        forget_all(group);
        ac_sys_poller_forget(group->poller);
        open_poller(L, group);
    }
    return group;
}

static int check_descriptor(lua_State *L)
{
    lua_Integer fd = luaL_checkinteger(L, 2);
    luaL_argcheck(L, fd >= 0 && fd < DESCRIPTORS_MAX, 2, "a descriptor");
    return (int)fd;
}

static bool make_room(struct group *group, int fd)
{
    size_t room = group->room ? group->room : 64;
    while (room <= (size_t)fd)
        room *= 2;
    if (room == group->room)
        return true;
    unsigned char *events = realloc(group->events, room);
    if (!events)
        return false;
    memset(events + group->room, 0, room - group->room);
    group->events = events;
    group->room = room;
    return true;
}

/* Opens `ended`: the writing end is closed at once, so the reading end stays ready. */
static bool open_ended(struct group *group)
{
    int ends[2];
    if (group->ended >= 0)
        return true;
    if (ac_sys_pipe(ends) != 0)
        return false;
    ac_file_close(&ends[1]);
    group->ended = ends[0];
    return ac_sys_poller_watch(group->poller, group->ended, AC_SYS_READ);
}

#define ALWAYS 4 /* a flag in `events`: counted in `always` */

static bool watch(struct group *group, int fd, int events)
{
    if (ac_sys_poller_watch(group->poller, fd, events)) {
        group->events[fd] = (unsigned char)events;
        return true;
    }
    if (errno != EPERM || !open_ended(group))
        return false;
    group->events[fd] = (unsigned char)(events | ALWAYS);
    group->always++;
    return true;
}

static void remove_one(struct group *group, int fd)
{
    int events = (size_t)fd < group->room ? group->events[fd] : 0;
    if (events == 0)
        return;
    group->events[fd] = 0;
    if (!(events & ALWAYS))
        ac_sys_poller_watch(group->poller, fd, 0);
    else if (--group->always == 0)
        ac_file_close(&group->ended);
}

/* [-3, +0, v]  group:add(fd, events?): watches it for "r", "w" or "rw" */
static int group_add(lua_State *L)
{
    int fd = check_descriptor(L);
    const char *letters = luaL_optstring(L, 3, "r");
    int events =
        (strchr(letters, 'r') ? AC_SYS_READ : 0) | (strchr(letters, 'w') ? AC_SYS_WRITE : 0);
    luaL_argcheck(L, events != 0, 3, "r, w or rw");
    struct group *group = check_open(L);
    if (!make_room(group, fd))
        luaL_error(L, "poll_group: not enough memory");
    if ((group->events[fd] & ~ALWAYS) == events)
        return 0;
    remove_one(group, fd);
    if (!watch(group, fd, events))
        luaL_error(L,
                   errno == EBADF ? "poll_group: %d is not an open descriptor"
                                  : "poll_group: %d cannot be watched",
                   fd);
    return 0;
}

/* [-2, +0, v]  group:remove(fd): stops watching it; fine if it is not watched */
static int group_remove(lua_State *L)
{
    int fd = check_descriptor(L);
    remove_one(check_open(L), fd);
    return 0;
}

/* [-1, +1, v]  group:pollfd() -> descriptor */
static int group_pollfd(lua_State *L)
{
    lua_pushinteger(L, check_open(L)->poller);
    return 1;
}

/* [-0, +1, v]  poll_group() -> PollGroup */
static int core_poll_group(lua_State *L)
{
    struct group *group = lua_newuserdatauv(L, sizeof *group, 0);
    *group = (struct group){.poller = -1, .ended = -1};
    luaL_setmetatable(L, GROUP_CLASS);
    open_poller(L, group);
    return 1;
}

void acL_poll_group_open(lua_State *L)
{
    const luaL_Reg methods[] = {{"add", group_add},
                                {"remove", group_remove},
                                {"pollfd", group_pollfd},
                                {"close", group_close},
                                {NULL, NULL}};
    const luaL_Reg metamethods[] = {{"__gc", group_close}, {"__close", group_close}, {NULL, NULL}};
    acL_class(L, GROUP_CLASS, methods, metamethods);
    lua_pushcfunction(L, core_poll_group);
    lua_setfield(L, -2, "poll_group");
}
