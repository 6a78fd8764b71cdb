#include "lua_secret.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define SECRET_CLASS "alicloud.Secret"
#define STATE_KEY "alicloud.digest"
#define SECRET_MAX_BYTES ((size_t)64 * 1024)

struct secret {
    char *p; /* NULL once closed */
    size_t n;
    size_t mapped;
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
    if (secret->p) {
        ac_digest_cleanse(secret->p, secret->n);
        munmap(secret->p, secret->mapped);
    }
    *secret = (struct secret){0};
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

struct ac_str acL_secret_bytes(lua_State *L, int index, const char *what, const char *name)
{
    struct ac_str bytes = {0};
    struct secret *secret = luaL_testudata(L, index, SECRET_CLASS);
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

/* [-0, +1, m]  Pages of its own, so that locking and hiding them concerns nothing else. Where the
 * system does not lock memory or hide it from core dumps, the secret still works. */
static void push_secret(lua_State *L, const char *p, size_t n)
{
    struct secret *secret = lua_newuserdatauv(L, sizeof *secret, 0);
    *secret = (struct secret){0};
    luaL_setmetatable(L, SECRET_CLASS);
    size_t page = (size_t)sysconf(_SC_PAGESIZE), size = (n + page) / page * page;
    void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
    if (pages == MAP_FAILED)
        luaL_error(L, "secret: not enough memory");
    (void)mlock(pages, size);
#ifdef MADV_DONTDUMP
    (void)madvise(pages, size, MADV_DONTDUMP);
#endif
    memcpy(pages, p, n);
    *secret = (struct secret){pages, n, size};
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
