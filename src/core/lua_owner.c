/* Who owns a file, and which rights this process has: Lua judges by this whether a path is safe. */
#include "lua_core.h"

#include "file.h"
#include "sys.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#define LIST_MAX_BYTES ((size_t)4 * 1024 * 1024)
#define ENTRY_MAX_BYTES 16384

/* [-1, +(1|3), v]  real_path(path) -> path with links resolved | nil, message, code */
static int core_real_path(lua_State *L)
{
    const char *path = acL_check_path(L, 1);
    char real[PATH_MAX];
    if (acL_push_confined(L, path))
        return 3;
    if (!realpath(path, real))
        return acL_push_file_failure(L, path, errno);
    lua_pushstring(L, real);
    return 1;
}

/* [-1, +(1|3), v]  look(path) -> { bytes, type, mode, … } | nil, message, code */
static int core_look(lua_State *L)
{
    const char *path = acL_check_path(L, 1);
    struct ac_file_stat about;
    if (acL_push_confined(L, path))
        return 3;
    int error = ac_file_look(path, &about);
    if (error != 0)
        return acL_push_file_failure(L, path, error);
    acL_push_file_stat(L, &about);
    return 1;
}

/* [-2, +(1|3), v]  list_directory(path, beginning = "") -> names that begin so | nil, message,
 * code. A step of a fleet needs a few of thousands of names; the others cost no Lua string. */
static int core_list_directory(lua_State *L)
{
    const char *path = acL_check_path(L, 1);
    size_t length;
    const char *beginning = luaL_optlstring(L, 2, "", &length);
    if (acL_push_confined(L, path))
        return 3;
    struct ac_buf *names = acL_push_buf(L, LIST_MAX_BYTES);
    int error = ac_file_list(path, names);
    if (error != 0)
        return acL_push_file_failure(L, path, error);
    lua_newtable(L);
    lua_Integer n = 0;
    for (size_t at = 0; at < names->n; at += strlen(names->p + at) + 1) {
        if (strncmp(names->p + at, beginning, length) != 0)
            continue;
        lua_pushstring(L, names->p + at);
        lua_rawseti(L, -2, ++n);
    }
    return 1;
}

/* [-0, +1, m]  user() -> { uid, gid, groups = set of gids }: effective ids of this process */
static int core_user(lua_State *L)
{
    int n = getgroups(0, NULL);
    size_t count = n > 0 ? (size_t)n : 0;
    lua_createtable(L, 0, 3);
    acL_set_integer(L, "uid", geteuid());
    acL_set_integer(L, "gid", getegid());
    gid_t *groups = lua_newuserdatauv(L, (count + 1) * sizeof *groups, 0);
    groups[0] = getegid();
    n = getgroups((int)count, groups + 1);
    lua_newtable(L);
    for (int i = 0; i <= (n > 0 ? n : 0); i++) {
        lua_pushboolean(L, 1);
        lua_rawseti(L, -2, (lua_Integer)groups[i]);
    }
    lua_setfield(L, -3, "groups");
    lua_pop(L, 1);
    return 1;
}

/* [-1, +1, v]  user_name(uid) -> name | nil if this machine has no such user */
static int core_user_name(lua_State *L)
{
    lua_Integer uid = luaL_checkinteger(L, 1);
    luaL_argcheck(L, uid >= 0 && uid <= UINT_MAX, 1, "a user's number");
    struct passwd entry, *found = NULL;
    char text[ENTRY_MAX_BYTES];
    if (ac_sys_is_confined() || getpwuid_r((uid_t)uid, &entry, text, sizeof text, &found) != 0 ||
        !found)
        lua_pushnil(L);
    else
        lua_pushstring(L, found->pw_name);
    return 1;
}

/* Whether the group's entry lists a member other than `name`. It does not list users who have this
 * group as their primary group, but only an administrator can set that up. */
static bool has_others(const struct group *group, const char *name)
{
    for (char *const *member = group->gr_mem; *member; member++)
        if (strcmp(*member, name) != 0)
            return true;
    return false;
}

/* [-0, +1, m]  private_group() -> gid of the user's own group, without other members | nil */
static int core_private_group(lua_State *L)
{
    struct passwd user, *is_known = NULL;
    struct group group, *is_there = NULL;
    char names[ENTRY_MAX_BYTES], members[ENTRY_MAX_BYTES];
    lua_pushnil(L);
    if (geteuid() == 0 || ac_sys_is_confined())
        return 1;
    if (getpwuid_r(geteuid(), &user, names, sizeof names, &is_known) != 0 || !is_known)
        return 1;
    if (getgrgid_r(user.pw_gid, &group, members, sizeof members, &is_there) != 0 || !is_there)
        return 1;
    if (strcmp(group.gr_name, user.pw_name) == 0 && !has_others(&group, user.pw_name))
        lua_pushinteger(L, (lua_Integer)user.pw_gid);
    return 1;
}

void acL_owner_open(lua_State *L)
{
    const luaL_Reg functions[] = {{"real_path", core_real_path},
                                  {"look", core_look},
                                  {"list_directory", core_list_directory},
                                  {"user", core_user},
                                  {"user_name", core_user_name},
                                  {"private_group", core_private_group},
                                  {NULL, NULL}};
    luaL_setfuncs(L, functions, 0);
}
