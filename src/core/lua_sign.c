#include "lua_sign.h"

#include "lua_secret.h"

#define WHAT "sign"

/* [-1, +1, v]  sign(request) -> table */
int acL_sign(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    struct ac_sign *sign = acL_push_signed(L, acL_digest(L));
    acL_read_sign_args(L, sign, false);
    if (ac_sign_all(sign) != AC_OK)
        acL_check_built(L, sign);
    acL_signed_table(L, 2);
    return 1;
}

/* [-0, +0, v]  Text where text belongs: a number would be made one while pointers into tables are
 * held, which allocates and may run finalizers. */
static struct ac_str check_text(lua_State *L, int index)
{
    struct ac_str text;
    luaL_checktype(L, index, LUA_TSTRING);
    text.p = lua_tolstring(L, index, &text.n);
    return text;
}

/* [-8, +1, v]  (query, body or form, unix seconds, nonce, access_key_id, access_key_secret,
 * security_token, headers) -> Signed */
static int sign_one(lua_State *L)
{
    const struct ac_signed_box *box = lua_touserdata(L, lua_upvalueindex(1));
    const struct ac_sign *kind = (const struct ac_sign *)(const void *)box->request;
    char date[21];
    lua_settop(L, 8);
    luaL_checkstack(L, 12, NULL);
    struct ac_sign *sign = acL_push_signed(L, kind->digest);
    sign->algorithm = kind->algorithm;
    sign->request = kind->request;
    acL_date_text(L, 3, date);
    sign->request.date = (struct ac_str){date, 20};
    sign->request.nonce = check_text(L, 4);
    if (!lua_isnil(L, 5))
        sign->credentials.access_key_id = check_text(L, 5);
    sign->credentials.secret = acL_secret_bytes(L, 6, WHAT, "access_key_secret");
    sign->credentials.security_token = acL_secret_bytes(L, 7, WHAT, "security_token");
    bool is_body = lua_type(L, 2) == LUA_TSTRING;
    if (is_body)
        sign->request.body = check_text(L, 2);
    acL_read_pairs(L, sign, kind->request.headers, 8, 1, is_body ? 0 : 2);
    acL_prepare(L, sign);
    if (ac_sign_all(sign) != AC_OK)
        acL_check_built(L, sign);
    return 1;
}

/* [-1, +1, v]  signer(kind) -> function. Its first upvalue is the kind; the others keep alive what
 * the kind borrows. */
int acL_signer(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    acL_read_sign_args(L, acL_push_signed(L, acL_digest(L)), true);
    lua_pushcclosure(L, sign_one, lua_gettop(L) - 1);
    return 1;
}
