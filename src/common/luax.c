#include "luax.h"

#include <math.h>

#define BUF_CLASS "alicloud.buf"
#define FLAG_CLASS "alicloud.flag"
#define DAY_SECONDS 86400.0
#define MAX_BYTES 1073741824
#define WORD_MAX 64

size_t acL_distance(const char *a, const char *b)
{
    size_t rows = strlen(a), columns = strlen(b);
    unsigned char line[WORD_MAX + 1];
    if (rows > WORD_MAX || columns > WORD_MAX)
        return SIZE_MAX;
    for (size_t j = 0; j <= columns; j++)
        line[j] = (unsigned char)j;
    for (size_t i = 1; i <= rows; i++) {
        unsigned diagonal = line[0];
        line[0] = (unsigned char)i;
        for (size_t j = 1; j <= columns; j++) {
            unsigned above = line[j];
            unsigned best = diagonal + (ac_lower(a[i - 1]) != ac_lower(b[j - 1]));
            if (above + 1u < best)
                best = above + 1u;
            if (line[j - 1] + 1u < best)
                best = line[j - 1] + 1u;
            line[j] = (unsigned char)best;
            diagonal = above;
        }
    }
    return line[columns];
}

size_t acL_too_far(const char *word)
{
    return strlen(word) / 3 + 2;
}

void acL_check_build(lua_State *L)
{
    luaL_checkversion(L);
    lua_settop(L, 2);
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    if (lua_getfield(L, -1, "alicloud.base.lua_version") == LUA_TFUNCTION) {
        lua_pushvalue(L, 1);
        lua_pushstring(L, ac_build);
        lua_pushvalue(L, 2);
        lua_call(L, 3, 0);
    }
    lua_settop(L, 2);
}

size_t acL_snapshot(lua_State *L, int index)
{
    lua_Integer n = 0;
    index = lua_absindex(L, index);
    lua_newtable(L);
    lua_pushnil(L);
    while (lua_next(L, index)) {
        lua_pushvalue(L, -2);
        lua_rawseti(L, -4, ++n);
        lua_rawseti(L, -3, ++n);
    }
    return (size_t)n / 2;
}

void acL_box_class(lua_State *L, const char *name, lua_CFunction close)
{
    const luaL_Reg metamethods[] = {{"__gc", close}, {"__close", close}, {NULL, NULL}};
    acL_class(L, name, NULL, metamethods);
}

void *acL_push_box(lua_State *L, size_t size, const char *name)
{
    void *box = lua_newuserdatauv(L, size, 0);
    memset(box, 0, size);
    luaL_setmetatable(L, name);
    lua_toclose(L, -1);
    return box;
}

/* [-0, +0, v]  This function and the next three check or read the value on top of the stack. */
static void expect(lua_State *L, bool right, const char *what, const char *name, const char *wanted)
{
    if (!right)
        luaL_error(L, "%s: option '%s': %s expected, got %s", what, name, wanted,
                   luaL_typename(L, -1));
}

static struct ac_str text_of(lua_State *L, const char *what, const char *name)
{
    struct ac_str value;
    expect(L, lua_type(L, -1) == LUA_TSTRING, what, name, "string");
    value.p = lua_tolstring(L, -1, &value.n);
    return value;
}

static long milliseconds_of(lua_State *L, const char *what, const char *name)
{
    expect(L, lua_type(L, -1) == LUA_TNUMBER, what, name, "number of seconds");
    double seconds = lua_tonumber(L, -1);
    if (!(seconds >= 0 && seconds <= DAY_SECONDS))
        luaL_error(L, "%s: option '%s': got %f seconds, allowed: 0 to 86400", what, name, seconds);
    return (long)ceil(seconds * 1000);
}

static size_t bytes_of(lua_State *L, const char *what, const char *name)
{
    expect(L, lua_isinteger(L, -1), what, name, "integer number of bytes");
    lua_Integer bytes = lua_tointeger(L, -1);
    if (bytes < 1 || bytes > MAX_BYTES)
        luaL_error(L, "%s: option '%s': got %I bytes, allowed: 1 to 1073741824", what, name,
                   (LUAI_UACINT)bytes);
    return (size_t)bytes;
}

static void unknown_option(lua_State *L, const char *what, const char *key,
                           const struct acL_option *options)
{
    const char *nearest = NULL;
    size_t least = acL_too_far(key);
    for (; options->name; options++) {
        size_t distance = acL_distance(key, options->name);
        if (distance < least) {
            least = distance;
            nearest = options->name;
        }
    }
    if (nearest)
        luaL_error(L, "%s: unknown option '%s', did you mean '%s'?", what, key, nearest);
    luaL_error(L, "%s: unknown option '%s'", what, key);
}

/* [-0, +0, v]  The option named by the key at -2, or NULL if there is none. */
static const struct acL_option *find_option(lua_State *L, const char *what,
                                            const struct acL_option *options)
{
    size_t n;
    if (lua_type(L, -2) != LUA_TSTRING)
        luaL_error(L, "%s: option names are strings, got a %s", what, luaL_typename(L, -2));
    const char *key = lua_tolstring(L, -2, &n);
    for (const struct acL_option *option = options; option->name; option++)
        if (strlen(key) == n && strcmp(option->name, key) == 0)
            return option;
    return NULL;
}

/* [-0, +0, v]  Reads the value on top. True if the value must stay on the stack, below the key. */
static bool read_option(lua_State *L, const char *what, const struct acL_option *option, void *to)
{
    void *field = (char *)to + option->offset;
    switch (option->type) {
    case ACL_TEXT:
        *(struct ac_str *)field = text_of(L, what, option->name);
        return true;
    case ACL_BOOLEAN:
        expect(L, lua_isboolean(L, -1), what, option->name, "boolean");
        *(bool *)field = lua_toboolean(L, -1);
        return false;
    case ACL_SECONDS:
        *(long *)field = milliseconds_of(L, what, option->name);
        return false;
    case ACL_BYTES:
        *(size_t *)field = bytes_of(L, what, option->name);
        return false;
    case ACL_INTEGER:
        expect(L, lua_isinteger(L, -1), what, option->name, "integer");
        *(lua_Integer *)field = lua_tointeger(L, -1);
        return false;
    default:
        *(int *)field = lua_gettop(L) - 1;
        return true;
    }
}

void acL_read_options(lua_State *L, int index, const char *what, const struct acL_option *options,
                      void *to)
{
    int n = 0;
    index = lua_absindex(L, index);
    luaL_checktype(L, index, LUA_TTABLE);
    while (options[n].name)
        n++;
    luaL_checkstack(L, n + 4, what);
    lua_pushnil(L);
    while (lua_next(L, index)) {
        const struct acL_option *option = find_option(L, what, options);
        if (!option) {
            unknown_option(L, what, lua_tostring(L, -2), options);
            return;
        }
        if (read_option(L, what, option, to))
            lua_insert(L, -2);
        else
            lua_pop(L, 1);
    }
}

struct ac_str acL_string_field(lua_State *L, int index, const char *what, const char *name)
{
    return lua_getfield(L, index, name) == LUA_TNIL ? (struct ac_str){0} : text_of(L, what, name);
}

struct flag_box {
    bool *flag;
    bool before;
};

/* [-1, +0, -] */
static int flag_close(lua_State *L)
{
    struct flag_box *box = lua_touserdata(L, 1);
    if (box->flag)
        *box->flag = box->before;
    box->flag = NULL;
    return 0;
}

void acL_flag_class(lua_State *L)
{
    acL_box_class(L, FLAG_CLASS, flag_close);
}

void acL_push_flag(lua_State *L, bool *flag)
{
    struct flag_box *box = acL_push_box(L, sizeof *box, FLAG_CLASS);
    *box = (struct flag_box){flag, *flag};
    *flag = true;
}

void acL_set_integer(lua_State *L, const char *name, uint64_t value)
{
    lua_pushinteger(L, (lua_Integer)value);
    lua_setfield(L, -2, name);
}

void acL_class(lua_State *L, const char *name, const luaL_Reg *methods, const luaL_Reg *metamethods)
{
    luaL_newmetatable(L, name);
    luaL_setfuncs(L, metamethods, 0);
    if (methods) {
        lua_newtable(L);
        luaL_setfuncs(L, methods, 0);
        lua_setfield(L, -2, "__index");
    }
    lua_pushstring(L, name);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
}

/* [-1, +0, -] */
static int buf_close(lua_State *L)
{
    ac_buf_free(lua_touserdata(L, 1));
    return 0;
}

void acL_buf_class(lua_State *L)
{
    acL_box_class(L, BUF_CLASS, buf_close);
}

struct ac_buf *acL_push_buf(lua_State *L, size_t max)
{
    struct ac_buf *buf = acL_push_box(L, sizeof *buf, BUF_CLASS);
    ac_buf_init(buf, max);
    return buf;
}

struct ac_str acL_check_bytes(lua_State *L, int index)
{
    struct ac_str bytes;
    bytes.p = luaL_checklstring(L, index, &bytes.n);
    return bytes;
}

const char *acL_check_path(lua_State *L, int index)
{
    struct ac_str path = acL_check_bytes(L, index);
    luaL_argcheck(L, strlen(path.p) == path.n, index, "a path without NUL");
    return path.p;
}

int acL_fail(lua_State *L, const char *message)
{
    luaL_pushfail(L);
    lua_pushstring(L, message);
    return 2;
}

void acL_push_bytes(lua_State *L, struct ac_str s)
{
    lua_pushlstring(L, s.p ? s.p : "", s.n);
}

void acL_check(lua_State *L, enum ac_status status, const char *what)
{
    static const char *const reasons[] = {"", "not enough memory", "a size limit was reached",
                                          "malformed input",
                                          "the crypto library has no such algorithm, or no memory"};
    if (status != AC_OK)
        luaL_error(L, "%s: %s", what, reasons[status]);
}
