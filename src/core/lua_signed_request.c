#include "lua_signed_request.h"

#define WHAT "sign"

#define POOL_KEY "alicloud.sign.pool"

void acL_signed_pool_push(lua_State *L)
{
    lua_getfield(L, LUA_REGISTRYINDEX, POOL_KEY);
}

struct ac_sign_pool *acL_signed_pool(lua_State *L)
{
    acL_signed_pool_push(L);
    struct ac_sign_pool *pool = lua_touserdata(L, -1);
    lua_pop(L, 1);
    return pool;
}

static const struct ac_wire *check_wire(lua_State *L, const struct ac_wire_box *box)
{
    if (!box->wire)
        luaL_error(L, "the signed request is on its way and belongs to the transport");
    return box->wire;
}

/* [-0, +1, v]  Every push may run a finalizer, and that may close the request. */
static void push_headers(lua_State *L, const struct ac_wire_box *box)
{
    size_t n = check_wire(L, box)->headers.n;
    lua_createtable(L, 0, (int)n);
    for (size_t i = 0; i < n; i++) {
        acL_push_bytes(L, check_wire(L, box)->headers.v[i].name);
        acL_push_bytes(L, check_wire(L, box)->headers.v[i].value);
        lua_rawset(L, -3);
    }
}

/* The fields of a signed request that are plain text. */
static const struct {
    const char *name;
    size_t offset;
    bool always; /* even when empty */
} FIELDS[] = {{"method", offsetof(struct ac_wire, method), true},
              {"host", offsetof(struct ac_wire, host), true},
              {"url", offsetof(struct ac_wire, url), true},
              {"body", offsetof(struct ac_wire, body), false},
              {"canonical_request", offsetof(struct ac_wire, canonical), false},
              {"string_to_sign", offsetof(struct ac_wire, string_to_sign), false},
              {"signature", offsetof(struct ac_wire, signature), false},
              {"authorization", offsetof(struct ac_wire, authorization), false},
              {"signed_headers", offsetof(struct ac_wire, signed_headers), false}};
#define FIELD_COUNT (sizeof FIELDS / sizeof FIELDS[0])

/* [-0, +1, m]  Without a key nothing is signed, and the texts of the stages are nil. */
static void push_field(lua_State *L, const struct ac_wire *wire, size_t field)
{
    const struct ac_str *text =
        (const struct ac_str *)(const void *)((const char *)wire + FIELDS[field].offset);
    bool body = text == &wire->body && text->p;
    if (text->n > 0 || FIELDS[field].always || body)
        acL_push_bytes(L, *text);
    else
        lua_pushnil(L);
}

void acL_signed_table(lua_State *L, int index)
{
    const struct ac_wire_box *box = luaL_checkudata(L, index, AC_WIRE_CLASS);
    lua_createtable(L, 0, FIELD_COUNT + 1);
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        push_field(L, check_wire(L, box), i);
        lua_setfield(L, -2, FIELDS[i].name);
    }
    push_headers(L, box);
    lua_setfield(L, -2, "headers");
}

/* [-2, +1, v] */
static int signed_index(lua_State *L)
{
    struct ac_wire_box *box = acL_self(L, AC_WIRE_CLASS);
    const char *name = luaL_checkstring(L, 2);
    const struct ac_wire *wire = check_wire(L, box);
    if (strcmp(name, "headers") == 0) {
        push_headers(L, box);
        return 1;
    }
    for (size_t i = 0; i < FIELD_COUNT; i++)
        if (strcmp(name, FIELDS[i].name) == 0) {
            push_field(L, wire, i);
            return 1;
        }
    return 0;
}

static enum ac_status sign_all(struct ac_sign *sign)
{
    enum ac_status status = ac_sign_canonical(sign);
    if (status == AC_OK)
        status = ac_sign_string(sign);
    if (status == AC_OK)
        status = ac_sign_authorization(sign);
    if (status == AC_OK)
        status = ac_sign_finish(sign);
    return status;
}

void acL_signed_fill(lua_State *L, struct ac_wire_box *box, const struct acL_given *given,
                     struct ac_digest *digest, struct ac_sign_pool *pool)
{
    struct ac_sign *sign =
        ac_sign_new(given->algorithm, &given->request, &given->credentials, digest, pool);
    acL_check(L, sign ? AC_OK : AC_NOMEM, WHAT);
    box->wire = &sign->wire;
    acL_check(L, sign_all(sign), WHAT);
}

/* [-1, +0, -] */
static int signed_gc(lua_State *L)
{
    struct ac_wire_box *box = acL_self(L, AC_WIRE_CLASS);
    struct ac_wire *wire = box->wire;
    box->wire = NULL;
    if (wire)
        wire->release(wire);
    return 0;
}

/* [-1, +0, -]  Lua frees no memory before the last finalizer has run, so that requests which are
 * collected after the pool still find it, closed. */
static int pool_gc(lua_State *L)
{
    ac_sign_pool_close(lua_touserdata(L, 1));
    return 0;
}

static void open_pool(lua_State *L)
{
    if (lua_getfield(L, LUA_REGISTRYINDEX, POOL_KEY) == LUA_TNIL) {
        struct ac_sign_pool *pool = lua_newuserdatauv(L, sizeof *pool, 0);
        *pool = (struct ac_sign_pool){0};
        lua_createtable(L, 0, 1);
        lua_pushcfunction(L, pool_gc);
        lua_setfield(L, -2, "__gc");
        lua_setmetatable(L, -2);
        lua_setfield(L, LUA_REGISTRYINDEX, POOL_KEY);
    }
    lua_pop(L, 1);
}

void acL_signed_open(lua_State *L)
{
    open_pool(L);
    const luaL_Reg metamethods[] = {
        {"__gc", signed_gc}, {"__close", signed_gc}, {"__index", signed_index}, {NULL, NULL}};
    acL_class(L, AC_WIRE_CLASS, NULL, metamethods);
}
