#include "lua_sign.h"

static const struct ac_signed_request *check_wire(lua_State *L, const struct ac_signed_box *box)
{
    if (!box->request)
        luaL_error(L, "the signed request is on its way and belongs to the transport");
    return box->request;
}

/* [-0, +1, v]  Every push may run a finalizer, and that may close the request. */
static void push_headers(lua_State *L, const struct ac_signed_box *box)
{
    size_t n = check_wire(L, box)->headers.n;
    lua_createtable(L, 0, (int)n);
    for (size_t i = 0; i < n; i++) {
        acL_push_bytes(L, check_wire(L, box)->headers.v[i].name);
        acL_push_bytes(L, check_wire(L, box)->headers.v[i].value);
        lua_rawset(L, -3);
    }
}

/* All but the headers are plain text. */
static const struct {
    const char *name;
    size_t offset;
} FIELDS[] = {{"headers", offsetof(struct ac_signed_request, headers)},
              {"method", offsetof(struct ac_signed_request, method)},
              {"host", offsetof(struct ac_signed_request, host)},
              {"url", offsetof(struct ac_signed_request, url)},
              {"body", offsetof(struct ac_signed_request, body)},
              {"canonical_request", offsetof(struct ac_signed_request, canonical)},
              {"string_to_sign", offsetof(struct ac_signed_request, string_to_sign)},
              {"signature", offsetof(struct ac_signed_request, signature)},
              {"authorization", offsetof(struct ac_signed_request, authorization)},
              {"signed_headers", offsetof(struct ac_signed_request, signed_headers)}};
#define FIELD_COUNT (sizeof FIELDS / sizeof FIELDS[0])

/* [-0, +1, v]  Without a key nothing is signed, and the texts of the stages are nil. */
static void push_field(lua_State *L, const struct ac_signed_box *box, size_t field)
{
    const void *at = (const char *)check_wire(L, box) + FIELDS[field].offset;
    const struct ac_str *text = at;
    if (FIELDS[field].offset == offsetof(struct ac_signed_request, headers))
        push_headers(L, box);
    else if (text->p)
        acL_push_bytes(L, *text);
    else
        lua_pushnil(L);
}

void acL_signed_table(lua_State *L, int index)
{
    const struct ac_signed_box *box = luaL_checkudata(L, index, AC_SIGNED_CLASS);
    lua_createtable(L, 0, FIELD_COUNT);
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        push_field(L, box, i);
        lua_setfield(L, -2, FIELDS[i].name);
    }
}

/* [-2, +1, v] */
static int signed_index(lua_State *L)
{
    const struct ac_signed_box *box = luaL_checkudata(L, 1, AC_SIGNED_CLASS);
    const char *name = luaL_checkstring(L, 2);
    check_wire(L, box);
    for (size_t i = 0; i < FIELD_COUNT; i++)
        if (strcmp(name, FIELDS[i].name) == 0) {
            push_field(L, box, i);
            return 1;
        }
    return 0;
}

struct ac_sign *acL_push_signed(lua_State *L, struct ac_digest *digest)
{
    struct ac_signed_box *box = lua_newuserdatauv(L, sizeof *box, 0);
    box->request = NULL;
    luaL_setmetatable(L, AC_SIGNED_CLASS);
    struct ac_sign *sign = ac_sign_new(digest);
    acL_check(L, sign ? AC_OK : AC_NOMEM, "sign");
    box->request = &sign->wire;
    return sign;
}

/* [-1, +0, -] */
static int signed_gc(lua_State *L)
{
    struct ac_signed_box *box = luaL_checkudata(L, 1, AC_SIGNED_CLASS);
    struct ac_signed_request *wire = box->request;
    box->request = NULL;
    if (wire)
        wire->release(wire);
    return 0;
}

void acL_sign_open(lua_State *L)
{
    const luaL_Reg metamethods[] = {
        {"__gc", signed_gc}, {"__close", signed_gc}, {"__index", signed_index}, {NULL, NULL}};
    acL_class(L, AC_SIGNED_CLASS, NULL, metamethods);
}
