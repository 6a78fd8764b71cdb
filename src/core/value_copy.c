/* Copies a Lua value for a journal, in the common case that nothing about it is unusual. Anything
 * unusual is left to the Lua code, which has the messages for it; that is rare and may be slow.
 */
#include "value.h"

#include "utf8.h"

#include <math.h>

/* Below the limits of any journal. */
#define DEPTH_MAX 20
#define TABLES_MAX 10000

struct copying {
    int secrets;     /* index of the table that says for each name whether its value is a secret */
    int hidden;      /* index of the value that replaces a secret */
    unsigned tables; /* copied so far */
};

static bool push_copy(lua_State *L, int index, struct copying *copying, unsigned depth);

/* Whether JSON keeps the string unchanged: valid UTF-8 without NUL. */
static bool is_text(lua_State *L, int index)
{
    struct ac_str text;
    text.p = lua_tolstring(L, index, &text.n);
    for (size_t i = 0, n; i < text.n; i += n) {
        bool valid = text.p[i] != 0;
        n = (unsigned char)text.p[i] < 0x80
                ? 1
                : ac_utf8_character((struct ac_str){text.p + i, text.n - i}, &valid);
        if (!valid)
            return false;
    }
    return true;
}

/* [-0, +0, m]  Whether a table has no metatable, or one that adds no fields. */
static bool is_plain_table(lua_State *L, int index)
{
    static const char *const odd[] = {"__index", "__pairs", "__metatable", NULL};
    bool plain = true;
    if (!lua_getmetatable(L, index))
        return true;
    for (const char *const *name = odd; *name; name++) {
        lua_pushstring(L, *name);
        plain = lua_rawget(L, -2) == LUA_TNIL && plain;
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return plain;
}

/* [-0, +0, e]  Appends a copy of the elements to the table on top. */
static bool copy_list(lua_State *L, int index, struct copying *copying, unsigned depth)
{
    lua_Integer n = (lua_Integer)lua_rawlen(L, index), count = 0;
    lua_pushnil(L);
    while (lua_next(L, index)) {
        lua_pop(L, 1);
        if (!lua_isinteger(L, -1) || lua_tointeger(L, -1) < 1 || lua_tointeger(L, -1) > n)
            return false;
        count++;
    }
    if (count != n)
        return false;
    for (lua_Integer i = 1; i <= n; i++) {
        lua_rawgeti(L, index, i);
        if (!push_copy(L, lua_gettop(L), copying, depth))
            return false;
        lua_rawseti(L, -3, i);
        lua_pop(L, 1);
    }
    ac_value_push_array_metatable(L);
    lua_setmetatable(L, -2);
    return true;
}

/* [-0, +0, e]  Puts a copy of the fields into the table on top. */
static bool copy_map(lua_State *L, int index, struct copying *copying, unsigned depth)
{
    int copy = lua_gettop(L);
    lua_pushnil(L);
    while (lua_next(L, index)) {
        if (lua_type(L, -2) != LUA_TSTRING || !is_text(L, copy + 1))
            return false;
        lua_pushvalue(L, -2);
        lua_pushvalue(L, -3);
        if (lua_gettable(L, copying->secrets) != LUA_TBOOLEAN)
            return false;
        bool secret = lua_toboolean(L, -1);
        lua_pop(L, 1);
        if (secret)
            lua_pushvalue(L, copying->hidden);
        else if (!push_copy(L, copy + 2, copying, depth))
            return false;
        lua_rawset(L, copy);
        lua_pop(L, 1);
    }
    return true;
}

/* [-0, +1, e]  Pushes a copy; if false, any number of values may be left on the stack. */
static bool push_table(lua_State *L, int index, struct copying *copying, unsigned depth)
{
    if (depth > DEPTH_MAX || ++copying->tables > TABLES_MAX || !is_plain_table(L, index))
        return false;
    luaL_checkstack(L, 8, "value is nested too deeply");
    lua_newtable(L);
    if (lua_rawlen(L, index) > 0 || ac_value_is_array(L, index))
        return copy_list(L, index, copying, depth);
    return copy_map(L, index, copying, depth);
}

static bool push_copy(lua_State *L, int index, struct copying *copying, unsigned depth)
{
    bool plain = false;
    switch (lua_type(L, index)) {
    case LUA_TTABLE:
        return push_table(L, index, copying, depth + 1);
    case LUA_TSTRING:
        plain = is_text(L, index);
        break;
    case LUA_TNUMBER:
        plain = lua_isinteger(L, index) || isfinite(lua_tonumber(L, index));
        break;
    case LUA_TBOOLEAN:
        plain = true;
        break;
    default:
        break;
    }
    lua_pushvalue(L, index);
    return plain;
}

bool ac_value_push_plain(lua_State *L, int index, int secrets, int hidden)
{
    int top = lua_gettop(L);
    struct copying copying = {secrets, hidden, 0};
    luaL_checkstack(L, 8, NULL);
    bool plain = push_copy(L, index, &copying, 0);
    if (!plain) {
        lua_settop(L, top);
        lua_pushnil(L);
    }
    return plain;
}
