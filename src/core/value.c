#include "value.h"

#include "codec.h"

#include <math.h>
#include <stdlib.h>

#define NULL_KEY "alicloud.null"
#define ARRAY_CLASS "alicloud.array"

/* [-0, +1, m] */
static int null_tostring(lua_State *L)
{
    lua_pushliteral(L, "null");
    return 1;
}

void ac_value_open(lua_State *L)
{
    if (lua_getfield(L, LUA_REGISTRYINDEX, NULL_KEY) == LUA_TNIL) {
        lua_newuserdatauv(L, 0, 0);
        lua_createtable(L, 0, 2);
        lua_pushcfunction(L, null_tostring);
        lua_setfield(L, -2, "__tostring");
        lua_pushliteral(L, NULL_KEY);
        lua_setfield(L, -2, "__name");
        lua_setmetatable(L, -2);
        lua_setfield(L, LUA_REGISTRYINDEX, NULL_KEY);
    }
    lua_pop(L, 1);
    luaL_newmetatable(L, ARRAY_CLASS);
    lua_pop(L, 1);
}

void ac_value_push_null(lua_State *L)
{
    lua_getfield(L, LUA_REGISTRYINDEX, NULL_KEY);
}

void ac_value_push_array_metatable(lua_State *L)
{
    luaL_getmetatable(L, ARRAY_CLASS);
}

/* Objects of one array have mostly the same members, so the last one tells how large the next table
 * should be made; a peer cannot use that to make us hold much. The first one of a depth has mostly
 * more than one. */
#define HINT_MAX 32
#define HINT_FIRST 4

struct decoder {
    lua_State *L;
    struct ac_json_reader *reader;
    int null_index;
    int array_index;
    bool keep_null;
    int hints[AC_MAX_JSON_DEPTH + 1]; /* and one more; 0: none yet */
};

static bool push_value(struct decoder *decoder, struct ac_json_token token);

static bool push_number(struct decoder *decoder, struct ac_str token)
{
    int64_t integer = 0;
    double value;
    switch (ac_json_number(token, &integer)) {
    case AC_JSON_INTEGER:
        lua_pushinteger(decoder->L, integer);
        return true;
    case AC_JSON_BIG:
        acL_push_bytes(decoder->L, token);
        return true;
    case AC_JSON_FLOAT:
        break;
    }
    acL_check(decoder->L, ac_codec_parse_float(token, &value), "decode");
    if (!isfinite(value)) {
        decoder->reader->why = "number out of range";
        return false;
    }
    lua_pushnumber(decoder->L, value);
    return true;
}

static void push_string(lua_State *L, const struct ac_json_token *token)
{
    luaL_Buffer buffer;
    if (!token->escaped) {
        lua_pushlstring(L, token->raw.p, token->raw.n);
        return;
    }
    char *out = luaL_buffinitsize(L, &buffer, token->raw.n);
    luaL_pushresultsize(&buffer, ac_json_unescape(out, token->raw));
}

static bool push_array(struct decoder *decoder)
{
    lua_State *L = decoder->L;
    struct ac_json_reader *reader = decoder->reader;
    lua_Integer i = 0;
    lua_newtable(L);
    while (ac_json_more(reader, AC_JSON_ARRAY, i == 0)) {
        if (!push_value(decoder, ac_json_value(reader)))
            return false;
        lua_rawseti(L, -2, ++i);
    }
    lua_pushvalue(L, decoder->array_index);
    lua_setmetatable(L, -2);
    return !reader->why;
}

/* Nulls are entered first and taken out at the end, so that a repeated name is always seen. */
static void drop_nulls(struct decoder *decoder)
{
    lua_State *L = decoder->L;
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        bool null = lua_rawequal(L, -1, decoder->null_index);
        lua_pop(L, 1);
        if (null) {
            lua_pushvalue(L, -1);
            lua_pushnil(L);
            lua_rawset(L, -4);
        }
    }
}

/* [-0, +1, m]  The name of the next member. False if the table on top has it already. */
static bool push_name(struct decoder *decoder, int members)
{
    lua_State *L = decoder->L;
    struct ac_json_token name = ac_json_name(decoder->reader);
    if (name.kind == AC_JSON_BROKEN)
        return false;
    push_string(L, &name);
    if (members == 0)
        return true;
    lua_pushvalue(L, -1);
    bool known = lua_rawget(L, -3) != LUA_TNIL;
    lua_pop(L, 1);
    if (known)
        decoder->reader->why = "duplicate key";
    return !known;
}

static bool push_object(struct decoder *decoder)
{
    lua_State *L = decoder->L;
    struct ac_json_reader *reader = decoder->reader;
    unsigned depth = reader->depth;
    bool nulls = false;
    int members = 0;
    lua_createtable(L, 0, decoder->hints[depth] > 0 ? decoder->hints[depth] - 1 : HINT_FIRST);
    for (; ac_json_more(reader, AC_JSON_OBJECT, members == 0); members++) {
        if (!push_name(decoder, members))
            return false;
        struct ac_json_token token = ac_json_value(reader);
        if (!push_value(decoder, token))
            return false;
        nulls = nulls || token.kind == AC_JSON_NULL;
        lua_rawset(L, -3);
    }
    if (nulls && !decoder->keep_null)
        drop_nulls(decoder);
    decoder->hints[depth] = (members < HINT_MAX ? members : HINT_MAX) + 1;
    return !reader->why;
}

static bool push_value(struct decoder *decoder, struct ac_json_token token)
{
    lua_State *L = decoder->L;
    switch (token.kind) {
    case AC_JSON_TRUE:
    case AC_JSON_FALSE:
        lua_pushboolean(L, token.kind == AC_JSON_TRUE);
        return true;
    case AC_JSON_NUMBER:
        return push_number(decoder, token.raw);
    case AC_JSON_STRING:
        push_string(L, &token);
        return true;
    case AC_JSON_ARRAY:
        return push_array(decoder);
    case AC_JSON_OBJECT:
        return push_object(decoder);
    case AC_JSON_NULL:
        lua_pushvalue(L, decoder->null_index);
        return true;
    default:
        return false;
    }
}

bool ac_value_push(lua_State *L, struct ac_json_reader *reader, bool keep_null)
{
    int top = lua_gettop(L);
    /* A table and a name for each level, and what is at work on the innermost. */
    luaL_checkstack(L, 2 * (int)reader->max_depth + 12, "JSON is nested too deeply");
    ac_value_push_null(L);
    ac_value_push_array_metatable(L);
    struct decoder decoder = {.L = L,
                              .reader = reader,
                              .null_index = top + 1,
                              .array_index = top + 2,
                              .keep_null = keep_null};
    bool faithful = push_value(&decoder, ac_json_value(reader)) && ac_json_end(reader);
    if (!faithful) {
        lua_settop(L, top);
        lua_pushnil(L);
        return false;
    }
    lua_replace(L, top + 1);
    lua_settop(L, top + 1);
    return true;
}

static void encode_value(lua_State *L, int index, struct ac_buf *out, unsigned depth);

static void encode_string(struct ac_buf *out, struct ac_str s)
{
    ac_buf_add_char(out, '"');
    size_t plain = 0;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f)
            continue;
        ac_buf_add(out, s.p + plain, i - plain);
        plain = i + 1;
        static const char shorts[] = "\bb\ff\nn\rr\tt\"\"\\\\";
        const char *known = NULL;
        for (const char *p = shorts; *p && !known; p += 2)
            if (*p == (char)c)
                known = p;
        if (known)
            ac_buf_printf(out, "\\%c", known[1]);
        else
            ac_buf_printf(out, "\\u%04x", c);
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

/* [-0, +0, v]  True for a sequence; a table without members is one only by its metatable. */
static bool is_sequence(lua_State *L, int index)
{
    bool marked = false;
    if (lua_getmetatable(L, index)) {
        ac_value_push_array_metatable(L);
        marked = lua_rawequal(L, -1, -2);
        lua_pop(L, 2);
    }
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

static int compare_names(const void *a, const void *b)
{
    return ac_str_compare(*(const struct ac_str *)a, *(const struct ac_str *)b);
}

/* [-0, +2, v]  The sorted names of the table at `index`; the snapshot keeps their bytes alive. */
static struct ac_str *push_names(lua_State *L, int index, size_t *count)
{
    size_t n = acL_snapshot(L, index);
    int kept = lua_gettop(L);
    struct ac_str *names = lua_newuserdatauv(L, (n ? n : 1) * sizeof *names, 0);
    for (size_t i = 0; i < n; i++) {
        if (lua_rawgeti(L, kept, 2 * (lua_Integer)i + 1) != LUA_TSTRING)
            luaL_error(L, "cannot encode a table key of type %s", luaL_typename(L, -1));
        names[i].p = lua_tolstring(L, -1, &names[i].n);
        lua_pop(L, 1);
    }
    qsort(names, n, sizeof *names, compare_names);
    *count = n;
    return names;
}

static void encode_object(lua_State *L, int index, struct ac_buf *out, unsigned depth)
{
    size_t n;
    struct ac_str *names = push_names(L, index, &n);
    ac_buf_add_char(out, '{');
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            ac_buf_add_char(out, ',');
        encode_string(out, names[i]);
        ac_buf_add_char(out, ':');
        acL_push_bytes(L, names[i]);
        lua_rawget(L, index);
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
    acL_check(L, out->status, "encode");
}
