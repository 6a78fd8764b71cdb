#include "lua_core.h"

#include "codec.h"
#include "ed25519.h"
#include "lua_secret.h"

static void check_hex(lua_State *L, int index, unsigned char *out, size_t n)
{
    if (!ac_codec_unhex(out, n, acL_check_bytes(L, index)))
        luaL_argerror(L, index, lua_pushfstring(L, "%d hexadecimal digits", (int)n * 2));
}

/* The bytes are gone from the stack of C when the caller has wiped them. */
static void check_seed(lua_State *L, int index, unsigned char *seed)
{
    struct ac_str text = acL_secret_bytes(L, index, "ed25519", "seed");
    if (ac_codec_unhex(seed, AC_ED25519_KEY_BYTES, text))
        return;
    ac_wipe(seed, AC_ED25519_KEY_BYTES);
    luaL_argerror(L, index, "64 hexadecimal digits, or a Secret of them");
}

/* [-1, +1, v]  ed25519_public(seed) -> public key */
static int core_ed25519_public(lua_State *L)
{
    unsigned char seed[AC_ED25519_KEY_BYTES], public_key[AC_ED25519_KEY_BYTES];
    check_seed(L, 1, seed);
    enum ac_status status = ac_ed25519_public(seed, public_key);
    ac_wipe(seed, sizeof seed);
    acL_check(L, status, "ed25519_public");
    return acL_push_hex(L, public_key, sizeof public_key);
}

/* [-2, +1, v]  ed25519_sign(seed, text) -> signature */
static int core_ed25519_sign(lua_State *L)
{
    unsigned char seed[AC_ED25519_KEY_BYTES], signature[AC_ED25519_SIGNATURE_BYTES];
    struct ac_str text = acL_check_bytes(L, 2);
    check_seed(L, 1, seed);
    enum ac_status status = ac_ed25519_sign(seed, text, signature);
    ac_wipe(seed, sizeof seed);
    acL_check(L, status, "ed25519_sign");
    return acL_push_hex(L, signature, sizeof signature);
}

/* [-3, +1, v]  ed25519_verify(public key, signature, text) -> boolean */
static int core_ed25519_verify(lua_State *L)
{
    unsigned char public_key[AC_ED25519_KEY_BYTES], signature[AC_ED25519_SIGNATURE_BYTES];
    struct ac_str text = acL_check_bytes(L, 3);
    check_hex(L, 1, public_key, sizeof public_key);
    check_hex(L, 2, signature, sizeof signature);
    lua_pushboolean(L, ac_ed25519_verify(public_key, signature, text));
    return 1;
}

void acL_ed25519_open(lua_State *L)
{
    const luaL_Reg functions[] = {{"ed25519_public", core_ed25519_public},
                                  {"ed25519_sign", core_ed25519_sign},
                                  {"ed25519_verify", core_ed25519_verify},
                                  {NULL, NULL}};
    luaL_setfuncs(L, functions, 0);
}
