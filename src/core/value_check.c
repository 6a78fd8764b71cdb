/* Checks that a Lua value is plain JSON data, before it is read. */
#include "value.h"

/* More than our JSON reader accepts, and more values than a response has. */
#define DEPTH_MAX 64
#define VALUES_MAX 1000000

struct walk {
    const void *array; /* the metatable of arrays */
    size_t left;       /* how many more values are allowed */
};

static bool is_json(lua_State *L, int index, struct walk *walk, unsigned depth);

/* [-0, +0, m]  Runs neither a metamethod nor an iterator. */
static bool holds_json(lua_State *L, int index, struct walk *walk, unsigned depth)
{
    if (depth > DEPTH_MAX)
        return false;
    luaL_checkstack(L, 4, "value is nested too deeply");
    if (lua_getmetatable(L, index)) {
        bool foreign = lua_topointer(L, -1) != walk->array;
        lua_pop(L, 1);
        if (foreign)
            return false;
    }
    lua_pushnil(L);
    while (lua_next(L, index)) {
        bool named = lua_type(L, -2) == LUA_TSTRING || lua_isinteger(L, -2);
        if (!named || walk->left == 0)
            return false;
        walk->left--;
        if (!is_json(L, lua_gettop(L), walk, depth))
            return false;
        lua_pop(L, 1);
    }
    return true;
}

static bool is_json(lua_State *L, int index, struct walk *walk, unsigned depth)
{
    switch (lua_type(L, index)) {
    case LUA_TSTRING:
    case LUA_TNUMBER:
    case LUA_TBOOLEAN:
        return true;
    case LUA_TTABLE:
        return holds_json(L, index, walk, depth + 1);
    default:
        ac_value_push_null(L);
        bool null = lua_rawequal(L, -1, index);
        lua_pop(L, 1);
        return null;
    }
}

bool ac_value_is_json(lua_State *L, int index)
{
    int top = lua_gettop(L);
    luaL_checkstack(L, 2, NULL);
    ac_value_push_array_metatable(L);
    struct walk walk = {lua_topointer(L, -1), VALUES_MAX};
    bool whole = is_json(L, index, &walk, 0);
    lua_settop(L, top);
    return whole;
}
