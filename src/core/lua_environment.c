/* The environment of this process and of the programs that it starts.
 *
 * A command moves the secrets in it into Secrets, and wipes the originals on the stack: then dumps
 * and /proc/PID/environ do not show them. Programs that it starts still get them, unless they are
 * withheld.
 */
#include "lua_core.h"

#include "lua_secret.h"
#include "spawn.h"

#include <fnmatch.h>
#include <stdlib.h>

#define STORE_KEY "alicloud.environment"
#define NAME_MAX_BYTES 256

/* Copies the name of an entry "name=value". False if it has none, or a name that is too long. */
static bool read_name(const char *entry, char name[NAME_MAX_BYTES])
{
    const char *end = strchr(entry, '=');
    if (!end || end == entry || (size_t)(end - entry) >= NAME_MAX_BYTES)
        return false;
    memcpy(name, entry, (size_t)(end - entry));
    name[end - entry] = '\0';
    return true;
}

/* [-0, +0, v]  Whether a pattern of the array at `index` matches the entry's name. */
static bool is_withheld(lua_State *L, int index, const char *entry)
{
    char name[NAME_MAX_BYTES];
    bool found = false;
    if (index == 0 || !read_name(entry, name))
        return false;
    for (lua_Integer i = 1; !found && lua_rawgeti(L, index, i) == LUA_TSTRING; i++) {
        found = fnmatch(lua_tostring(L, -1), name, FNM_NOESCAPE) == 0;
        lua_pop(L, 1);
    }
    if (!found)
        lua_pop(L, 1);
    return found;
}

/* [-0, +1, m]  Pushes the table of sealed variables: name to Secret of the whole entry. */
static void push_store(lua_State *L)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, STORE_KEY);
}

struct ac_str acL_environment_value(lua_State *L, const char *name)
{
    push_store(L);
    struct ac_str value = ac_str_of(getenv(name));
    if (!value.p && lua_getfield(L, -1, name) == LUA_TUSERDATA) {
        struct ac_str entry = acL_secret_bytes(L, -1, "environment", name);
        size_t skipped = strlen(name) + 1;
        value = (struct ac_str){entry.p + skipped, entry.n - skipped};
        lua_pop(L, 1);
    } else if (!value.p) {
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return value;
}

char *const *acL_push_environment(lua_State *L, int withheld)
{
    char **all = ac_spawn_environment();
    size_t n = 0, most = 0;
    while (all[most])
        most++;
    push_store(L);
    int store = lua_gettop(L);
    size_t sealed = 0;
    for (lua_pushnil(L); lua_next(L, store); lua_pop(L, 1))
        sealed++;
    char **entries = lua_newuserdatauv(L, (most + sealed + 1) * sizeof *entries, 0);
    for (size_t i = 0; i < most && all[i]; i++)
        if (!is_withheld(L, withheld, all[i]))
            entries[n++] = all[i];
    for (lua_pushnil(L); lua_next(L, store); lua_pop(L, 1)) {
        struct ac_str entry = acL_secret_bytes(L, -1, "environment", "sealed");
        if (n < most + sealed && !is_withheld(L, withheld, entry.p))
            entries[n++] = (char *)entry.p;
    }
    entries[n] = NULL;
    lua_remove(L, store);
    return entries;
}

/* [-1, +1, v]  seal_environment(names) -> number of variables sealed. For a program that owns its
 * process: other code that reads the environment no longer finds them. */
static int core_seal_environment(lua_State *L)
{
    lua_Integer count = 0;
    luaL_checktype(L, 1, LUA_TTABLE);
    push_store(L);
    for (lua_Integer i = 1; lua_rawgeti(L, 1, i) == LUA_TSTRING; i++) {
        const char *name = lua_tostring(L, -1);
        char *value = getenv(name);
        if (value && strlen(name) < NAME_MAX_BYTES) {
            char *entry = value - strlen(name) - 1;
            acL_secret_push(L, ac_str_of(entry));
            lua_setfield(L, 2, name);
            unsetenv(name);
            ac_wipe(value, strlen(value));
            count++;
        }
        lua_pop(L, 1);
    }
    lua_pushinteger(L, count);
    return 1;
}

void acL_environment_open(lua_State *L)
{
    lua_pushcfunction(L, core_seal_environment);
    lua_setfield(L, -2, "seal_environment");
}
