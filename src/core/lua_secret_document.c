/* Documents that hold keys (JSON, INI): what is no secret becomes Lua values, keys become Secrets,
 * and the text is wiped. */
#include "header.h"
#include "lua_core.h"
#include "lua_secret.h"
#include "value.h"

#define BOX "alicloud.sealed"

/* [-1, +0, -]  The document is wiped whichever way the call ends. */
static int document_close(lua_State *L)
{
    ac_pages_close(lua_touserdata(L, 1));
    return 0;
}

void acL_sealed_open(lua_State *L)
{
    acL_box_class(L, BOX, document_close);
}

/* [-0, +1, e]  A value whose name is on top. Nothing is said about a secret but that it cannot be
 * a key. */
static void push_entry(lua_State *L, struct ac_str text)
{
    lua_pushvalue(L, -1);
    bool secret = lua_rawget(L, 3) != LUA_TNIL;
    lua_pop(L, 1);
    const char *flaw = secret && text.n > 0 ? acL_secret_flaw(text) : NULL;
    if (flaw)
        luaL_error(L, "%s %s", lua_tostring(L, -1), flaw);
    if (!secret)
        acL_push_bytes(L, text);
    else if (text.n > 0)
        acL_secret_push(L, text);
    else
        lua_pushnil(L);
}

/* The next line of the text, without its end. */
static struct ac_str cut_line(struct ac_str *text)
{
    const char *end = memchr(text->p, '\n', text->n);
    size_t n = end ? (size_t)(end - text->p) : text->n;
    struct ac_str line = {text->p, n};
    n += end != NULL;
    *text = (struct ac_str){text->p + n, text->n - n};
    return ac_header_trim(line);
}

/* [-0, +0, e]  `name = value` into the section on top of the stack. */
static void set_entry(lua_State *L, struct ac_str line, int number)
{
    const char *equals = memchr(line.p, '=', line.n);
    if (!equals)
        luaL_error(L, "line %d is neither [section] nor name = value", number);
    size_t at = (size_t)(equals - line.p);
    acL_push_bytes(L, ac_header_trim((struct ac_str){line.p, at}));
    push_entry(L, ac_header_trim((struct ac_str){line.p + at + 1, line.n - at - 1}));
    lua_rawset(L, -3);
}

/* [-0, +1, e]  Sections by name; what stands before the first one belongs to none. A comment is a
 * line of its own: `#` and `;` may be part of a value. */
static void push_ini(lua_State *L, struct ac_str text)
{
    lua_newtable(L);
    lua_newtable(L);
    for (int number = 1; text.n > 0; number++) {
        struct ac_str line = cut_line(&text);
        if (line.n == 0 || line.p[0] == '#' || line.p[0] == ';')
            continue;
        if (line.p[0] != '[') {
            set_entry(L, line, number);
            continue;
        }
        if (line.p[line.n - 1] != ']')
            luaL_error(L, "line %d opens a section and does not close it", number);
        lua_settop(L, -2);
        acL_push_bytes(L, ac_header_trim((struct ac_str){line.p + 1, line.n - 2}));
        lua_newtable(L);
        lua_pushvalue(L, -1);
        lua_insert(L, -3);
        lua_rawset(L, -4);
    }
    lua_settop(L, -2);
}

/* [-0, +1, e]  Called protected: document 1, format 2, names 3, pages 4. */
static int read_document(lua_State *L)
{
    const struct ac_pages *pages = lua_touserdata(L, 4);
    struct ac_str text = {pages->p, pages->n};
    struct ac_json_reader reader;
    if (strcmp(lua_tostring(L, 2), "ini") == 0) {
        bool marked = ac_str_starts(text, AC_STR(AC_JSON_MARK));
        push_ini(L, marked ? (struct ac_str){text.p + 3, text.n - 3} : text);
        return 1;
    }
    if (!ac_json_open(&reader, text, AC_MAX_BODY_BYTES) || !ac_value_push(L, &reader, false, 3))
        luaL_error(L, "JSON: %s at byte %d", reader.why, (int)reader.at + 1);
    if (!lua_istable(L, -1) || lua_getmetatable(L, -1))
        luaL_error(L, "JSON: it is not an object");
    return 1;
}

/* [-1, +1, v]  The list of names as a set. */
static void check_names(lua_State *L)
{
    lua_newtable(L);
    lua_Integer n = (lua_Integer)lua_rawlen(L, 3);
    for (lua_Integer i = 1; i <= n; i++) {
        if (lua_rawgeti(L, 3, i) != LUA_TSTRING)
            luaL_error(L, "unseal: the names are strings");
        lua_pushboolean(L, 1);
        lua_rawset(L, -3);
    }
    lua_replace(L, 3);
}

int acL_unseal(lua_State *L)
{
    static const char *const formats[] = {"json", "ini", NULL};
    luaL_checkoption(L, 2, NULL, formats);
    luaL_checktype(L, 3, LUA_TTABLE);
    lua_settop(L, 3);
    check_names(L);
    struct ac_pages *pages = acL_push_box(L, sizeof *pages, BOX);
    if (!acL_secret_take(L, 1, pages)) {
        acL_secret_push(L, acL_check_bytes(L, 1));
        acL_secret_take(L, -1, pages);
    }
    if (!pages->p)
        luaL_error(L, "unseal: the secret is closed");
    lua_pushcfunction(L, read_document);
    for (int i = 1; i <= 4; i++)
        lua_pushvalue(L, i);
    if (lua_pcall(L, 4, 1, 0) == LUA_OK)
        return 1;
    /* A finalizer's or the allocator's complaint may be no text. */
    if (lua_type(L, -1) != LUA_TSTRING)
        return lua_error(L);
    lua_pushnil(L);
    lua_insert(L, -2);
    return 2;
}
