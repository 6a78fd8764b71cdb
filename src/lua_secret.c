#include "lua_secret.h"

#include <stdlib.h>
#include <sys/mman.h>

#define SECRET_CLASS "alicloud.Secret"
#define STATE_KEY "alicloud.digest"
#define SECRET_MAX_BYTES ((size_t)64 * 1024)

struct secret {
    char *p;
    size_t n;
    bool closed;
};

/* [-1, +0, -] */
static int digest_gc(lua_State *L)
{
    ac_digest_free(lua_touserdata(L, 1));
    return 0;
}

struct ac_digest *acL_digest(lua_State *L)
{
    lua_getfield(L, LUA_REGISTRYINDEX, STATE_KEY);
    struct ac_digest *digest = lua_touserdata(L, -1);
    lua_pop(L, 1);
    return digest;
}

/* [-1, +0, -] */
static int secret_close(lua_State *L)
{
    struct secret *secret = luaL_checkudata(L, 1, SECRET_CLASS);
    struct ac_digest *digest = acL_digest(L);
    if (secret->p) {
        ac_digest_cleanse(secret->p, secret->n);
        (void)munlock(secret->p, secret->n);
        free(secret->p);
    }
    *secret = (struct secret){.closed = true};
    if (digest)
        ac_digest_forget_keys(digest);
    return 0;
}

/* [-1, +1, v] */
static int secret_length(lua_State *L)
{
    struct secret *secret = luaL_checkudata(L, 1, SECRET_CLASS);
    lua_pushinteger(L, (lua_Integer)secret->n);
    return 1;
}

/* [-1, +1, m] */
static int secret_tostring(lua_State *L)
{
    lua_pushliteral(L, SECRET_CLASS "(hidden)");
    return 1;
}

void acL_secret_open(lua_State *L)
{
    const luaL_Reg methods[] = {{"close", secret_close}, {"length", secret_length}, {NULL, NULL}};
    const luaL_Reg metamethods[] = {{"__gc", secret_close},
                                    {"__close", secret_close},
                                    {"__tostring", secret_tostring},
                                    {NULL, NULL}};
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

struct ac_str acL_secret_field(lua_State *L, int index, const char *what, const char *name)
{
    index = lua_absindex(L, index);
    if (lua_getfield(L, index, name) == LUA_TUSERDATA) {
        struct secret *secret = luaL_testudata(L, -1, SECRET_CLASS);
        if (secret && secret->closed)
            luaL_error(L, "%s: option '%s': the secret is closed", what, name);
        if (secret)
            return (struct ac_str){secret->p, secret->n};
    }
    lua_pop(L, 1);
    return acL_string_field(L, index, what, name);
}

/* [-0, +1, m]  Copies into memory that is kept out of swap where the system allows it; where it
 * does not, the secret still works. */
static void push_secret(lua_State *L, const char *p, size_t n)
{
    struct secret *secret = lua_newuserdatauv(L, sizeof *secret, 0);
    *secret = (struct secret){0};
    luaL_setmetatable(L, SECRET_CLASS);
    secret->p = malloc(n + 1);
    if (!secret->p)
        luaL_error(L, "secret: not enough memory");
    (void)mlock(secret->p, n + 1);
    memcpy(secret->p, p, n);
    secret->p[n] = '\0';
    secret->n = n;
}

static void check_secret(lua_State *L, const char *what, struct ac_str s)
{
    if (s.n == 0 || s.n > SECRET_MAX_BYTES)
        luaL_error(L, "%s: a secret has 1 to %d bytes, got %d", what, (int)SECRET_MAX_BYTES,
                   (int)(s.n > SECRET_MAX_BYTES ? SECRET_MAX_BYTES : s.n));
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
            luaL_error(L, "%s: control character at byte %d", what, (int)i + 1);
}

int acL_secret_new(lua_State *L)
{
    struct ac_str s;
    s.p = luaL_checklstring(L, 1, &s.n);
    check_secret(L, "secret", s);
    push_secret(L, s.p, s.n);
    return 1;
}

int acL_secret_from_env(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    struct ac_str value = ac_str_of(getenv(name));
    if (value.n == 0)
        return 0;
    check_secret(L, name, value);
    push_secret(L, value.p, value.n);
    return 1;
}
