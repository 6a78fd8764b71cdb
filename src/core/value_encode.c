/* Lua values to JSON text, with sorted keys; see value.h. */
#include "value.h"

#include "codec.h"
#include "utf8.h"

#include <math.h>
#include <stdlib.h>

static void encode_value(lua_State *L, int index, struct ac_buf *out, unsigned depth);

/* Writes a character below 0x80 that must be escaped. */
static void encode_special(struct ac_buf *out, char c)
{
    static const char shorts[] = "\bb\ff\nn\rr\tt\"\"\\\\";
    for (const char *p = shorts; *p; p += 2)
        if (*p == c) {
            ac_buf_printf(out, "\\%c", p[1]);
            return;
        }
    ac_buf_printf(out, "\\u%04x", c);
}

static void encode_string(struct ac_buf *out, struct ac_str s)
{
    ac_buf_add_char(out, '"');
    size_t plain = 0, n;
    for (size_t i = 0; i < s.n; i += n) {
        unsigned char c = (unsigned char)s.p[i];
        bool valid = true;
        n = c < 0x80 ? 1 : ac_utf8_character((struct ac_str){s.p + i, s.n - i}, &valid);
        if (valid && c >= 0x20 && c != '"' && c != '\\' && c != 0x7f)
            continue;
        ac_buf_add(out, s.p + plain, i - plain);
        plain = i + n;
        if (valid)
            encode_special(out, s.p[i]);
        else
            ac_buf_add_text(out, AC_UTF8_REPLACEMENT);
    }
    ac_buf_add(out, s.p + plain, s.n - plain);
    ac_buf_add_char(out, '"');
}

static void encode_float(lua_State *L, struct ac_buf *out, double value)
{
    char text[AC_CODEC_FLOAT_BYTES];
    if (!isfinite(value))
        luaL_error(L, "cannot encode %f: JSON has no such number", value);
    ac_codec_float(text, value);
    ac_buf_add_text(out, text);
    if (!strpbrk(text, ".e"))
        ac_buf_add_text(out, ".0");
}

/* [-0, +0, v]  Whether a table is an array. An empty one is if it has the metatable of arrays. */
static bool is_sequence(lua_State *L, int index)
{
    bool marked = ac_value_is_array(L, index);
    lua_Integer count = 0, highest = 0;
    bool names = false;
    lua_pushnil(L);
    while (lua_next(L, index)) {
        lua_pop(L, 1);
        lua_Integer i = lua_isinteger(L, -1) ? lua_tointeger(L, -1) : 0;
        if (i < 1)
            names = true;
        highest = i > highest ? i : highest;
        count++;
    }
    if (names && (marked || highest > 0))
        luaL_error(L, "cannot encode a table with both names and positions");
    if (!names && highest != count)
        luaL_error(L, "cannot encode an array with holes (use null)");
    return marked || highest > 0;
}

static void encode_array(lua_State *L, int index, struct ac_buf *out, unsigned depth)
{
    lua_Integer n = (lua_Integer)lua_rawlen(L, index);
    ac_buf_add_char(out, '[');
    for (lua_Integer i = 1; i <= n; i++) {
        if (i > 1)
            ac_buf_add_char(out, ',');
        lua_rawgeti(L, index, i);
        encode_value(L, lua_gettop(L), out, depth);
        lua_pop(L, 1);
    }
    ac_buf_add_char(out, ']');
}

struct member {
    struct ac_str name;
    lua_Integer value; /* its index in the snapshot */
};

static int compare_members(const void *a, const void *b)
{
    return ac_str_compare(((const struct member *)a)->name, ((const struct member *)b)->name);
}

/* [-0, +0, v]  The name at an index of the snapshot on top, made valid UTF-8. */
static struct ac_str member_name(lua_State *L, lua_Integer place)
{
    struct ac_str name;
    if (lua_rawgeti(L, -1, place) != LUA_TSTRING)
        luaL_error(L, "cannot encode a table key of type %s", luaL_typename(L, -1));
    name.p = lua_tolstring(L, -1, &name.n);
    acL_push_text(L, name);
    name.p = lua_tolstring(L, -1, &name.n);
    lua_rawseti(L, -3, place);
    lua_pop(L, 1);
    return name;
}

/* [-0, +2, v]  Pushes the sorted members of the table at `index`, and above them the snapshot that
 * keeps their names alive and holds their values. */
static struct member *push_members(lua_State *L, int index, size_t *count)
{
    size_t n = acL_snapshot(L, index);
    struct member *members = lua_newuserdatauv(L, (n ? n : 1) * sizeof *members, 0);
    lua_insert(L, -2);
    for (size_t i = 0; i < n; i++) {
        lua_Integer place = 2 * (lua_Integer)i + 1;
        members[i] = (struct member){member_name(L, place), place + 1};
    }
    qsort(members, n, sizeof *members, compare_members);
    for (size_t i = 1; i < n; i++)
        if (compare_members(&members[i - 1], &members[i]) == 0)
            luaL_error(L, "cannot encode two names that are the same text: what is no UTF-8 "
                          "becomes U+FFFD");
    *count = n;
    return members;
}

static void encode_object(lua_State *L, int index, struct ac_buf *out, unsigned depth)
{
    size_t n;
    struct member *members = push_members(L, index, &n);
    ac_buf_add_char(out, '{');
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            ac_buf_add_char(out, ',');
        encode_string(out, members[i].name);
        ac_buf_add_char(out, ':');
        lua_rawgeti(L, -1, members[i].value);
        encode_value(L, lua_gettop(L), out, depth);
        lua_pop(L, 1);
    }
    ac_buf_add_char(out, '}');
    lua_pop(L, 2);
}

static void encode_table(lua_State *L, int index, struct ac_buf *out, unsigned depth)
{
    if (depth >= AC_MAX_JSON_DEPTH)
        luaL_error(L, "cannot encode a table nested deeper than %d", (int)AC_MAX_JSON_DEPTH);
    luaL_checkstack(L, 8, "value is nested too deeply");
    if (is_sequence(L, index))
        encode_array(L, index, out, depth + 1);
    else
        encode_object(L, index, out, depth + 1);
}

static void encode_value(lua_State *L, int index, struct ac_buf *out, unsigned depth)
{
    struct ac_str s;
    switch (lua_type(L, index)) {
    case LUA_TBOOLEAN:
        ac_buf_add_text(out, lua_toboolean(L, index) ? "true" : "false");
        return;
    case LUA_TNUMBER:
        if (lua_isinteger(L, index))
            ac_buf_printf(out, LUA_INTEGER_FMT, (LUAI_UACINT)lua_tointeger(L, index));
        else
            encode_float(L, out, lua_tonumber(L, index));
        return;
    case LUA_TSTRING:
        s.p = lua_tolstring(L, index, &s.n);
        encode_string(out, s);
        return;
    case LUA_TTABLE:
        encode_table(L, index, out, depth);
        return;
    default:
        ac_value_push_null(L);
        if (!lua_rawequal(L, -1, index))
            luaL_error(L, "cannot encode a %s", luaL_typename(L, index));
        lua_pop(L, 1);
        ac_buf_add_text(out, "null");
    }
}

void ac_value_encode(lua_State *L, int index, struct ac_buf *out)
{
    encode_value(L, lua_absindex(L, index), out, 0);
}
