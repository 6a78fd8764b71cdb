/* Reads documents that contain keys (JSON, INI): keys become Secrets, all else Lua values, and the
 * text is wiped. */
#include "header.h"
#include "lua_core.h"
#include "lua_secret.h"
#include "value.h"

#define BOX "alicloud.sealed"

/* [-1, +0, -]  Wipes the document, also after an error. */
static int document_close(lua_State *L)
{
    ac_pages_close(lua_touserdata(L, 1));
    return 0;
}

void acL_sealed_open(lua_State *L)
{
    acL_box_class(L, BOX, document_close);
}

/* [-0, +1, e]  Pushes a value whose name is on top: a Secret, a string, or nil for an empty secret.
 * An error says only that a secret cannot be a key. */
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

/* Takes the next line off the text, without its end and outer white space. */
static struct ac_str cut_line(struct ac_str *text)
{
    const char *end = memchr(text->p, '\n', text->n);
    size_t n = end ? (size_t)(end - text->p) : text->n;
    struct ac_str line = {text->p, n};
    n += end != NULL;
    *text = (struct ac_str){text->p + n, text->n - n};
    return ac_header_trim(line);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool opens_comment(char c)
{
    return c == '#' || c == ';';
}

/* True if the text is blank or a comment. */
static bool is_comment(struct ac_str text)
{
    text = ac_header_trim(text);
    return text.n == 0 || opens_comment(text.p[0]);
}

/* The value of an entry. A comment begins only after a blank, because a # can be part of a key.
 * Quotes around the whole value are removed. */
static struct ac_str read_value(struct ac_str text)
{
    struct ac_str value = ac_header_trim(text);
    bool quoted = value.n > 1 && (value.p[0] == '"' || value.p[0] == '\'');
    const char *end = quoted ? memchr(value.p + 1, value.p[0], value.n - 1) : NULL;
    size_t behind = end ? (size_t)(end - value.p) + 1 : 0;
    if (end && is_comment((struct ac_str){value.p + behind, value.n - behind}))
        return (struct ac_str){value.p + 1, behind - 2};
    for (size_t i = 1; i < text.n; i++)
        if (opens_comment(text.p[i]) && is_blank(text.p[i - 1]))
            return ac_header_trim((struct ac_str){text.p, i});
    return value;
}

/* [-0, +1, m]  Pushes a name in its usual form: accessKeyId and Access-Key-ID as access_key_id. */
static void push_name(lua_State *L, struct ac_str name)
{
    luaL_Buffer out;
    luaL_buffinit(L, &out);
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool upper = c >= 'A' && c <= 'Z';
        if (upper && i > 0 && name.p[i - 1] >= 'a' && name.p[i - 1] <= 'z')
            luaL_addchar(&out, '_');
        luaL_addchar(&out, (char)(upper ? c - 'A' + 'a' : c == '-' ? '_' : c));
    }
    luaL_pushresult(&out);
}

/* [-0, +0, e]  Adds `name = value` or `name: value` to the section on top. A second value for a
 * name is an error, unless the first one is empty. */
static void set_entry(lua_State *L, struct ac_str line, int number)
{
    size_t at = 0;
    while (at < line.n && line.p[at] != '=' && line.p[at] != ':')
        at++;
    if (at == line.n)
        luaL_error(L, "line %d is neither [section] nor name = value", number);
    push_name(L, ac_header_trim((struct ac_str){line.p, at}));
    lua_pushvalue(L, -1);
    lua_rawget(L, -3);
    if (lua_rawlen(L, -1) > 0)
        luaL_error(L, "line %d gives a value of its section a second time", number);
    lua_pop(L, 1);
    push_entry(L, read_value((struct ac_str){line.p + at + 1, line.n - at - 1}));
    lua_rawset(L, -3);
}

/* [-1, +1, e]  Replaces the section on top by the one that this line names; if that exists already,
 * it is continued. */
static void open_section(lua_State *L, struct ac_str line, int number)
{
    const char *end = memchr(line.p, ']', line.n);
    size_t n = end ? (size_t)(end - line.p) : 0;
    if (!end || !is_comment((struct ac_str){end + 1, line.n - n - 1}))
        luaL_error(L, "line %d opens a section and does not close it", number);
    lua_pop(L, 1);
    acL_push_bytes(L, ac_header_trim((struct ac_str){line.p + 1, n - 1}));
    lua_pushvalue(L, -1);
    if (lua_rawget(L, -3) == LUA_TNIL) {
        lua_newtable(L);
        lua_replace(L, -2);
        lua_pushvalue(L, -2);
        lua_pushvalue(L, -2);
        lua_rawset(L, -5);
    }
    lua_remove(L, -2);
}

/* [-0, +1, e]  Pushes sections by name; lines before the first section are dropped. */
static void push_ini(lua_State *L, struct ac_str text)
{
    lua_newtable(L);
    lua_newtable(L);
    for (int number = 1; text.n > 0; number++) {
        struct ac_str line = cut_line(&text);
        if (is_comment(line))
            continue;
        if (line.p[0] == '[')
            open_section(L, line, number);
        else
            set_entry(L, line, number);
    }
    lua_pop(L, 1);
}

/* [-0, +1, e]  Runs in a pcall with the arguments document, format, names, pages. */
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
    if (!ac_json_open(&reader, text, AC_MAX_BODY_BYTES) || !ac_value_push(L, &reader, false, 3)) {
        ac_value_push_fault(L, &reader);
        return lua_error(L);
    }
    if (!lua_istable(L, -1) || lua_getmetatable(L, -1))
        luaL_error(L, "JSON: it is not an object");
    return 1;
}

/* [-1, +1, v]  Replaces the list of names by a set. */
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
    /* An error of a finalizer or of the allocator need not be a string. */
    if (lua_type(L, -1) != LUA_TSTRING)
        return lua_error(L);
    lua_pushnil(L);
    lua_insert(L, -2);
    return 2;
}
