#include "lua_secret.h"

#include "codec.h"
#include "lua_core.h"

#define SECRET_CLASS "alicloud.Secret"
#define STATE_KEY "alicloud.digest"
#define SECRET_MAX_BYTES ((size_t)64 * 1024)
#define FILE_MAX_BYTES ((size_t)1024 * 1024)

/* [-1, +0, -] */
static int digest_gc(lua_State *L)
{
    ac_digest_free(lua_touserdata(L, 1));
    lua_pushnil(L);
    lua_setfield(L, LUA_REGISTRYINDEX, STATE_KEY);
    return 0;
}

struct ac_digest *acL_digest(lua_State *L)
{
    lua_getfield(L, LUA_REGISTRYINDEX, STATE_KEY);
    struct ac_digest *digest = lua_touserdata(L, -1);
    lua_pop(L, 1);
    if (!digest)
        luaL_error(L, "the Lua state is closing");
    return digest;
}

int acL_push_hex(lua_State *L, const unsigned char *bytes, size_t n)
{
    luaL_Buffer text;
    ac_codec_hex(luaL_buffinitsize(L, &text, n * 2), bytes, n);
    luaL_pushresultsize(&text, n * 2);
    return 1;
}

/* [-1, +0, -] */
static int secret_close(lua_State *L)
{
    ac_pages_close(luaL_checkudata(L, 1, SECRET_CLASS));
    return 0;
}

/* [-1, +1, v] */
static int secret_length(lua_State *L)
{
    struct ac_pages *secret = luaL_checkudata(L, 1, SECRET_CLASS);
    lua_pushinteger(L, (lua_Integer)secret->n);
    return 1;
}

/* [-1, +1, m] */
static int secret_tostring(lua_State *L)
{
    lua_pushliteral(L, SECRET_CLASS "(hidden)");
    return 1;
}

/* Shorter secrets are not masked: so short a text may be anything. */
#define MASKED_MIN_BYTES 4

/* [-2, +1, v]  secret:mask(text) -> the text, with *** for each occurrence of the secret */
static int secret_mask(lua_State *L)
{
    struct ac_str text = acL_check_bytes(L, 2);
    const struct ac_pages *secret = luaL_checkudata(L, 1, SECRET_CLASS);
    if (!secret->p || secret->n < MASKED_MIN_BYTES) {
        lua_settop(L, 2);
        return 1;
    }
    luaL_Buffer out;
    luaL_buffinit(L, &out);
    size_t from = 0;
    for (size_t at = 0; at < text.n;) {
        bool here =
            secret->p && text.n - at >= secret->n && memcmp(text.p + at, secret->p, secret->n) == 0;
        if (!here) {
            at++;
            continue;
        }
        luaL_addlstring(&out, text.p + from, at - from);
        luaL_addlstring(&out, "***", 3);
        at += secret->n;
        from = at;
    }
    luaL_addlstring(&out, text.p + from, text.n - from);
    luaL_pushresult(&out);
    return 1;
}

struct ac_str acL_secret_bytes(lua_State *L, int index, const char *what, const char *name)
{
    struct ac_str bytes = {0};
    struct ac_pages *secret = luaL_testudata(L, index, SECRET_CLASS);
    if (secret && !secret->p)
        luaL_error(L, "%s: option '%s': the secret is closed", what, name);
    if (secret)
        return (struct ac_str){secret->p, secret->n};
    if (lua_isnil(L, index))
        return bytes;
    if (lua_type(L, index) != LUA_TSTRING)
        luaL_error(L, "%s: option '%s': string or Secret expected, got %s", what, name,
                   luaL_typename(L, index));
    bytes.p = lua_tolstring(L, index, &bytes.n);
    return bytes;
}

/* [-0, +1, m] */
static struct ac_pages *push_empty(lua_State *L)
{
    struct ac_pages *secret = lua_newuserdatauv(L, sizeof *secret, 0);
    *secret = (struct ac_pages){0};
    luaL_setmetatable(L, SECRET_CLASS);
    return secret;
}

struct ac_pages *acL_secret_room(lua_State *L, size_t max)
{
    struct ac_pages *secret = push_empty(L);
    if (!ac_pages_open(secret, max))
        luaL_error(L, "secret: not enough memory");
    return secret;
}

void acL_secret_push(lua_State *L, struct ac_str bytes)
{
    struct ac_pages *secret = acL_secret_room(L, bytes.n);
    memcpy(secret->p, bytes.p, bytes.n);
    secret->n = bytes.n;
}

void acL_secret_give(lua_State *L, struct ac_pages *pages)
{
    struct ac_pages *secret = push_empty(L);
    *secret = *pages; /* after the allocation, because a finalizer may have closed `pages` */
    *pages = (struct ac_pages){0};
}

bool acL_secret_take(lua_State *L, int index, struct ac_pages *out)
{
    struct ac_pages *secret = luaL_testudata(L, index, SECRET_CLASS);
    if (!secret)
        return false;
    *out = *secret;
    *secret = (struct ac_pages){0};
    return true;
}

const char *acL_secret_flaw(struct ac_str s)
{
    if (s.n == 0)
        return "is empty";
    if (s.n > SECRET_MAX_BYTES)
        return "is longer than 65536 bytes";
    return ac_str_has_control(s) ? "holds a control character" : NULL;
}

/* [-0, +1, v] */
static int push_checked(lua_State *L, const char *what, struct ac_str s)
{
    const char *flaw = acL_secret_flaw(s);
    if (flaw)
        luaL_error(L, "%s: a secret %s", what, flaw);
    acL_secret_push(L, s);
    return 1;
}

/* [-1, +1, v]  secret(text) -> Secret */
static int core_secret(lua_State *L)
{
    return push_checked(L, "secret", acL_check_bytes(L, 1));
}

/* [-1, +1, v]  secret_from_env(name) -> Secret | nil. The value never becomes a Lua string. */
static int core_secret_from_env(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    struct ac_str value = acL_environment_value(L, name);
    return value.n > 0 ? push_checked(L, name, value) : 0;
}

/* [-0, +1, m]  Pushes a flaw if the text is in quotes, or nil. Quotes remain around a value if a
 * program reads a file of variables without a shell. */
static int push_quotes(lua_State *L, struct ac_str s)
{
    bool quoted = s.n > 1 && (s.p[0] == '"' || s.p[0] == '\'') && s.p[s.n - 1] == s.p[0];
    lua_pushstring(L, quoted ? "stands in quotes" : NULL);
    return 1;
}

/* [-0, +1, m]  Pushes what is in the text that no id, key or token contains, and where: "ends in a
 * line end (\n)"; nil if there is nothing. */
static int push_word_flaw(lua_State *L, struct ac_str s)
{
    size_t at = 0, end = s.n;
    while (at < s.n && s.p[at] > ' ' && s.p[at] < 0x7f)
        at++;
    if (at == s.n)
        return push_quotes(L, s);
    while (end > at && !(s.p[end - 1] > ' ' && s.p[end - 1] < 0x7f))
        end--;
    const char *where = at == 0 ? "begins with" : end == at ? "ends in" : "holds";
    unsigned char c = (unsigned char)s.p[at];
    if (c == '\r' || c == '\n')
        lua_pushfstring(L, "%s a line end (%s)", where, c == '\n' ? "\\n" : "\\r");
    else if (c == ' ' || c == '\t')
        lua_pushfstring(L, "%s a %s", where, c == ' ' ? "blank" : "tab");
    else if (c > 0x7f)
        lua_pushfstring(L, "%s a character that is not ASCII", where);
    else
        lua_pushfstring(L, "%s the control character %d", where, (int)c);
    return 1;
}

/* [-1, +1, v]  word_flaw(text or Secret) -> what is in it that no key contains | nil */
static int core_word_flaw(lua_State *L)
{
    return push_word_flaw(L, acL_secret_bytes(L, 1, "word_flaw", "word"));
}

/* [-1, +1, v]  environment_flaw(name) -> the same for the value that secret_from_env() reads */
static int core_environment_flaw(lua_State *L)
{
    return push_word_flaw(L, acL_environment_value(L, luaL_checkstring(L, 1)));
}

/* [-1, +2, v]  secret_from_file(path) -> Secret, permission bits | nil, message */
static int core_secret_from_file(lua_State *L)
{
    unsigned mode;
    const char *path = acL_check_path(L, 1);
    const char *fault = ac_pages_read(push_empty(L), path, FILE_MAX_BYTES, &mode);
    if (fault)
        return acL_fail(L, fault);
    lua_pushinteger(L, (lua_Integer)mode);
    return 2;
}

void acL_secret_open(lua_State *L)
{
    const luaL_Reg methods[] = {
        {"close", secret_close}, {"length", secret_length}, {"mask", secret_mask}, {NULL, NULL}};
    const luaL_Reg metamethods[] = {{"__gc", secret_close},
                                    {"__close", secret_close},
                                    {"__tostring", secret_tostring},
                                    {NULL, NULL}};
    const luaL_Reg functions[] = {{"secret", core_secret},
                                  {"secret_from_env", core_secret_from_env},
                                  {"secret_from_file", core_secret_from_file},
                                  {"word_flaw", core_word_flaw},
                                  {"environment_flaw", core_environment_flaw},
                                  {NULL, NULL}};
    luaL_setfuncs(L, functions, 0);
    acL_class(L, SECRET_CLASS, methods, metamethods);
    if (lua_getfield(L, LUA_REGISTRYINDEX, STATE_KEY) == LUA_TNIL) {
        struct ac_digest *digest = lua_newuserdatauv(L, sizeof *digest, 0);
        memset(digest, 0, sizeof *digest);
        lua_createtable(L, 0, 1);
        lua_pushcfunction(L, digest_gc);
        lua_setfield(L, -2, "__gc");
        lua_setmetatable(L, -2);
        lua_setfield(L, LUA_REGISTRYINDEX, STATE_KEY);
    }
    lua_pop(L, 1);
}
