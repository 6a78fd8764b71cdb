/* Sets of API operations for Lua, see actions.h. */
#include "lua_core.h"

#include "actions.h"

/* [-0, +0, v]  Raises unless the entry looks like "2014-05-26 DescribeDisks". */
static void check_entry(lua_State *L, struct ac_str entry)
{
    static const char pattern[] = "0000-00-00 ";
    bool fits = entry.n >= sizeof pattern && ac_str_only(entry, "- ");
    for (size_t i = 0; fits && pattern[i]; i++)
        fits =
            pattern[i] == '0' ? entry.p[i] >= '0' && entry.p[i] <= '9' : entry.p[i] == pattern[i];
    if (!fits || memchr(entry.p + sizeof pattern - 1, ' ', entry.n - sizeof pattern + 1))
        luaL_error(L, "actions: got '%s', allowed: a version and an action, '2014-05-26 Name'",
                   entry.p);
}

/* [-0, +0, v]  Checks the array on top, which keeps its strings alive. Returns their total size. */
static size_t check_list(lua_State *L, size_t n)
{
    size_t bytes = 0;
    for (size_t i = 1; i <= n; i++) {
        struct ac_str entry = {0};
        if (lua_rawgeti(L, -1, (lua_Integer)i) != LUA_TSTRING)
            luaL_error(L, "actions: an array of strings expected, got %s", luaL_typename(L, -1));
        entry.p = lua_tolstring(L, -1, &entry.n);
        check_entry(L, entry);
        bytes += entry.n;
        lua_pop(L, 1);
    }
    return bytes;
}

/* [-1, +1, v]  actions(list) -> Actions; the entries are "version action" */
static int core_actions(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    size_t n = (size_t)lua_rawlen(L, 1);
    lua_createtable(L, (int)n, 0);
    for (size_t i = 1; i <= n; i++) {
        lua_rawgeti(L, 1, (lua_Integer)i);
        lua_rawseti(L, 2, (lua_Integer)i);
    }
    size_t size = sizeof(struct ac_actions) + n * sizeof(struct ac_str);
    struct ac_actions *actions = lua_newuserdatauv(L, size + check_list(L, n), 0);
    char *text = (char *)actions + size;
    actions->n = n;
    for (size_t i = 0; i < n; i++) {
        struct ac_str entry;
        lua_rawgeti(L, 2, (lua_Integer)i + 1);
        entry.p = lua_tolstring(L, -1, &entry.n);
        actions->v[i] = (struct ac_str){memcpy(text, entry.p, entry.n), entry.n};
        text += entry.n;
        lua_pop(L, 1);
    }
    ac_actions_sort(actions);
    luaL_setmetatable(L, AC_ACTIONS_CLASS);
    return 1;
}

/* [-3, +1, v]  actions:has(version, action) -> boolean */
static int actions_has(lua_State *L)
{
    const struct ac_actions *actions = luaL_checkudata(L, 1, AC_ACTIONS_CLASS);
    struct ac_str version = acL_check_bytes(L, 2), action = acL_check_bytes(L, 3);
    lua_pushboolean(L, ac_actions_has(actions, version, action));
    return 1;
}

void acL_actions_open(lua_State *L)
{
    const luaL_Reg methods[] = {{"has", actions_has}, {NULL, NULL}};
    const luaL_Reg metamethods[] = {{NULL, NULL}};
    acL_class(L, AC_ACTIONS_CLASS, methods, metamethods);
    lua_pushcfunction(L, core_actions);
    lua_setfield(L, -2, "actions");
}
