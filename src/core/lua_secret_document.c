#include "lua_secret_document.h"

#include "json.h"

#define BOX "alicloud.sealed"

/* What must be wiped whichever way the call ends. */
struct sealed {
    struct ac_pages pages;
    struct ac_json json;
};

static void wipe_strings(cJSON *node)
{
    for (; node; node = node->next) {
        if (node->valuestring)
            ac_digest_cleanse(node->valuestring, strlen(node->valuestring));
        wipe_strings(node->child);
    }
}

/* [-1, +0, -] */
static int sealed_close(lua_State *L)
{
    struct sealed *sealed = lua_touserdata(L, 1);
    wipe_strings(sealed->json.root);
    ac_json_free(&sealed->json);
    ac_pages_close(&sealed->pages);
    return 0;
}

void acL_sealed_open(lua_State *L)
{
    acL_box_class(L, BOX, sealed_close);
}

/* Whether the table of names at index 3 lists the name on top of the stack. */
static bool is_secret_name(lua_State *L)
{
    lua_pushvalue(L, -1);
    bool listed = lua_rawget(L, 3) != LUA_TNIL;
    lua_pop(L, 1);
    return listed;
}

/* [-0, +1, e]  A member's text; the member's name is on top of the stack. Nothing is said about
 * the text but that it cannot be a key. */
static void push_text(lua_State *L, struct ac_str text)
{
    if (!is_secret_name(L)) {
        acL_push_bytes(L, text);
        return;
    }
    const char *flaw = text.n > 0 ? acL_secret_flaw(text) : NULL;
    if (flaw)
        luaL_error(L, "%s %s", lua_tostring(L, -1), flaw);
    if (text.n > 0)
        acL_secret_push(L, text);
    else
        lua_pushnil(L);
}

static void push_json(lua_State *L, const cJSON *node);

/* [-0, +1, e] */
static void push_members(lua_State *L, const cJSON *node)
{
    bool object = cJSON_IsObject(node);
    lua_newtable(L);
    lua_Integer i = 0;
    for (const cJSON *child = node->child; child; child = child->next) {
        if (object)
            lua_pushstring(L, child->string);
        else
            lua_pushinteger(L, ++i);
        if (object && cJSON_IsString(child))
            push_text(L, ac_str_of(child->valuestring));
        else
            push_json(L, child);
        lua_rawset(L, -3);
    }
}

/* [-0, +1, e]  The scan before has bounded the depth. */
static void push_json(lua_State *L, const cJSON *node)
{
    luaL_checkstack(L, 8, NULL);
    if (cJSON_IsObject(node) || cJSON_IsArray(node))
        push_members(L, node);
    else if (cJSON_IsString(node))
        lua_pushstring(L, node->valuestring);
    else if (cJSON_IsBool(node))
        lua_pushboolean(L, cJSON_IsTrue(node));
    else if (cJSON_IsNumber(node))
        lua_pushnumber(L, node->valuedouble);
    else
        lua_pushnil(L);
}

static struct ac_str trim(struct ac_str s)
{
    while (s.n > 0 && (unsigned char)s.p[0] <= ' ')
        s = (struct ac_str){s.p + 1, s.n - 1};
    while (s.n > 0 && (unsigned char)s.p[s.n - 1] <= ' ')
        s.n--;
    return s;
}

/* The next line of the text, without its end. */
static struct ac_str cut_line(struct ac_str *text)
{
    const char *end = memchr(text->p, '\n', text->n);
    size_t n = end ? (size_t)(end - text->p) : text->n;
    struct ac_str line = {text->p, n};
    n += end != NULL;
    *text = (struct ac_str){text->p + n, text->n - n};
    return trim(line);
}

/* [-0, +0, e]  `name = value` into the section on top of the stack. */
static void set_entry(lua_State *L, struct ac_str line, int number)
{
    const char *equals = memchr(line.p, '=', line.n);
    if (!equals)
        luaL_error(L, "line %d is neither [section] nor name = value", number);
    size_t at = (size_t)(equals - line.p);
    acL_push_bytes(L, trim((struct ac_str){line.p, at}));
    push_text(L, trim((struct ac_str){line.p + at + 1, line.n - at - 1}));
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
        acL_push_bytes(L, trim((struct ac_str){line.p + 1, line.n - 2}));
        lua_newtable(L);
        lua_pushvalue(L, -1);
        lua_insert(L, -3);
        lua_rawset(L, -4);
    }
    lua_settop(L, -2);
}

/* [-0, +1, e]  Called protected: document 1, format 2, names 3, box 4. */
static int read_document(lua_State *L)
{
    struct sealed *sealed = lua_touserdata(L, 4);
    struct ac_str text = {sealed->pages.p, sealed->pages.n};
    if (ac_str_starts(text, AC_STR("\xef\xbb\xbf")))
        text = (struct ac_str){text.p + 3, text.n - 3};
    if (strcmp(lua_tostring(L, 2), "ini") == 0) {
        push_ini(L, text);
        return 1;
    }
    if (ac_json_check(&sealed->json, text, AC_JSON_LIMITS) != AC_OK)
        luaL_error(L, "JSON: %s at byte %d", sealed->json.why, (int)sealed->json.where + 1);
    acL_check(L, ac_json_parse(&sealed->json, text), "sealed");
    if (!cJSON_IsObject(sealed->json.root))
        luaL_error(L, "JSON: it is not an object");
    push_json(L, sealed->json.root);
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
    struct sealed *sealed = acL_push_box(L, sizeof *sealed, BOX);
    if (!acL_secret_take(L, 1, &sealed->pages)) {
        struct ac_str text;
        text.p = luaL_checklstring(L, 1, &text.n);
        if (!ac_pages_open(&sealed->pages, text.n))
            luaL_error(L, "unseal: not enough memory");
        memcpy(sealed->pages.p, text.p, text.n);
        sealed->pages.n = text.n;
    }
    if (!sealed->pages.p)
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
