#include "value.h"

#include "lua_secret.h"
#include "utf8.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
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

bool ac_value_is_array(lua_State *L, int index)
{
    if (!lua_istable(L, index) || !lua_getmetatable(L, index))
        return false;
    ac_value_push_array_metatable(L);
    bool same = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return same;
}

void acL_push_text(lua_State *L, struct ac_str bytes)
{
    luaL_Buffer text;
    size_t plain = 0, n;
    luaL_buffinit(L, &text);
    for (size_t i = 0; i < bytes.n; i += n) {
        bool valid;
        n = ac_utf8_character((struct ac_str){bytes.p + i, bytes.n - i}, &valid);
        if (valid)
            continue;
        luaL_addlstring(&text, bytes.p + plain, i - plain);
        luaL_addstring(&text, AC_UTF8_REPLACEMENT);
        plain = i + n;
    }
    if (bytes.n > plain)
        luaL_addlstring(&text, bytes.p + plain, bytes.n - plain);
    luaL_pushresult(&text);
}

/* Objects in an array mostly have the same members, so the size of the last object at a depth is
 * the size hint for the next table. HINT_MAX limits what a peer can make us allocate. HINT_FIRST is
 * for the first object at a depth. */
#define HINT_MAX 32
#define HINT_FIRST 4

struct decoder {
    lua_State *L;
    struct ac_json_reader *reader;
    int null_index;
    int array_index;
    int secrets_index;
    bool keep_null;
    int hints[AC_MAX_JSON_DEPTH + 1]; /* members of the last object plus 1, by depth; 0: none yet */
};

static bool push_value(struct decoder *decoder, struct ac_json_token token);

/* Infinite if it is out of range. */
static double float_of(struct ac_str token)
{
    char text[AC_JSON_NUMBER_MAX + 16];
    const char *dot = memchr(token.p, '.', token.n);
    size_t whole = dot ? (size_t)(dot - token.p) : token.n, skip = dot ? whole + 1 : whole;
    /* strtod() expects the locale's decimal point, which may be several bytes. */
    snprintf(text, sizeof text, "%.*s%s%.*s", (int)whole, token.p,
             dot ? localeconv()->decimal_point : "", (int)(token.n - skip), token.p + skip);
    return strtod(text, NULL);
}

/* Pushes a float, an integer of up to 64 bits, or a longer integer as a string of its digits. */
static bool push_number(struct decoder *decoder, struct ac_str token)
{
    lua_State *L = decoder->L;
    char text[AC_JSON_NUMBER_MAX + 1] = {0};
    memcpy(text, token.p, token.n);
    if (strpbrk(text, ".eE")) {
        double value = float_of(token);
        if (!isfinite(value))
            decoder->reader->why = "number out of range";
        lua_pushnumber(L, value);
        return isfinite(value);
    }
    lua_stringtonumber(L, text);
    if (!lua_isinteger(L, -1)) {
        lua_pop(L, 1);
        acL_push_bytes(L, token);
    }
    return true;
}

static void push_string(lua_State *L, const struct ac_json_token *token)
{
    luaL_Buffer buffer;
    if (!token->escaped) {
        lua_pushlstring(L, token->raw.p, token->raw.n);
        return;
    }
    char *out = luaL_buffinitsize(L, &buffer, ac_json_room(token));
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

/* Nulls are stored and removed at the end, so that a repeated name is noticed after a null, too. */
static void drop_nulls(struct decoder *decoder)
{
    lua_State *L = decoder->L;
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        if (lua_rawequal(L, -1, decoder->null_index)) {
            lua_pushvalue(L, -2);
            lua_pushnil(L);
            lua_rawset(L, -5);
        }
        lua_pop(L, 1);
    }
}

/* [-0, +1, m]  Pushes the name of the next member. False if the table below it has that name. */
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

/* Longer integers may become strings of their digits. */
#define INTEGER_DIGITS 18

static bool is_text(const struct ac_json_token *token)
{
    struct ac_str raw = token->raw;
    if (token->kind != AC_JSON_NUMBER || raw.n <= INTEGER_DIGITS)
        return token->kind == AC_JSON_STRING;
    for (size_t i = 0; i < raw.n; i++)
        if (strchr(".eE", raw.p[i]))
            return false;
    return true;
}

/* [-0, +1, e]  If the name on top is that of a secret, moves the member's text from the document
 * straight into a Secret; an error says only that it cannot be a key. An empty text becomes null.
 * False if the member is not a secret. */
static bool push_secret(struct decoder *decoder, struct ac_json_token *token)
{
    lua_State *L = decoder->L;
    if (decoder->secrets_index == 0 || !is_text(token))
        return false;
    lua_pushvalue(L, -1);
    bool listed = lua_rawget(L, decoder->secrets_index) != LUA_TNIL;
    lua_pop(L, 1);
    if (!listed)
        return false;
    if (token->replaced > 0)
        luaL_error(L, "%s is no Unicode text", lua_tostring(L, -1));
    if (token->raw.n == 0) {
        token->kind = AC_JSON_NULL;
        return false;
    }
    struct ac_pages *secret = acL_secret_room(L, token->raw.n);
    secret->n = ac_json_unescape(secret->p, token->raw);
    const char *flaw = acL_secret_flaw((struct ac_str){secret->p, secret->n});
    if (flaw) {
        ac_pages_close(secret);
        luaL_error(L, "%s %s", lua_tostring(L, -2), flaw);
    }
    return true;
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
        if (!push_secret(decoder, &token) && !push_value(decoder, token))
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

bool ac_value_push(lua_State *L, struct ac_json_reader *reader, bool keep_null, int secrets)
{
    int top = lua_gettop(L);
    /* A table and a name for each level, and what the innermost level needs. */
    luaL_checkstack(L, 2 * (int)AC_MAX_JSON_DEPTH + 12, "JSON is nested too deeply");
    ac_value_push_null(L);
    ac_value_push_array_metatable(L);
    struct decoder decoder = {.L = L,
                              .reader = reader,
                              .null_index = top + 1,
                              .array_index = top + 2,
                              .secrets_index = secrets,
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

void ac_value_push_fault(lua_State *L, const struct ac_json_reader *reader)
{
    int line = 1;
    const char *text = reader->text.p;
    for (size_t i = 0; i < reader->at; i++)
        line += text[i] == '\n';
    /* The reader stops at the first character that is not JSON; here it may begin a comment. */
    char c = text[reader->at];
    bool comment = (c == '#' || c == '/') && strcmp(reader->why, "unexpected character") == 0;
    lua_pushfstring(L, "JSON: %s in line %d, at byte %d",
                    comment ? "a comment, of which JSON has none," : reader->why, line,
                    (int)reader->at + 1);
}
