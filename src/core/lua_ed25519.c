/* Ed25519 signatures (RFC 8032) with the crypto library, for what people sign. */
#include "lua_core.h"

#include "codec.h"
#include "lua_secret.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#define KEY_BYTES 32
#define SIGNATURE_BYTES 64

static void check_hex(lua_State *L, int index, unsigned char *out, size_t n)
{
    if (!ac_codec_unhex(out, n, acL_check_bytes(L, index)))
        luaL_argerror(L, index, lua_pushfstring(L, "%d hexadecimal digits", (int)n * 2));
}

/* Reads a seed. Marks OpenSSL's error queue; the caller pops the mark. NULL without Ed25519. */
static EVP_PKEY *check_seed(lua_State *L, int index)
{
    unsigned char seed[KEY_BYTES];
    struct ac_str text = acL_secret_bytes(L, index, "ed25519", "seed");
    if (!ac_codec_unhex(seed, sizeof seed, text)) {
        ac_wipe(seed, sizeof seed);
        luaL_argerror(L, index, "64 hexadecimal digits, or a Secret of them");
    }
    ERR_set_mark();
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, sizeof seed);
    ac_wipe(seed, sizeof seed);
    return key;
}

/* [-0, +1, v]  Frees the key, pops the mark, and pushes the result as hex or raises. */
static int push_made(lua_State *L, EVP_PKEY *key, bool done, const unsigned char *made, size_t n)
{
    EVP_PKEY_free(key);
    ERR_pop_to_mark();
    acL_check(L, done ? AC_OK : AC_CRYPTO, "ed25519");
    return acL_push_hex(L, made, n);
}

/* [-1, +1, v]  ed25519_public(seed) -> public key */
static int core_ed25519_public(lua_State *L)
{
    unsigned char public_key[KEY_BYTES];
    size_t n = sizeof public_key;
    EVP_PKEY *key = check_seed(L, 1);
    bool done = key && EVP_PKEY_get_raw_public_key(key, public_key, &n) == 1;
    return push_made(L, key, done, public_key, n);
}

/* [-2, +1, v]  ed25519_sign(seed, text) -> signature */
static int core_ed25519_sign(lua_State *L)
{
    unsigned char signature[SIGNATURE_BYTES];
    size_t n = sizeof signature;
    struct ac_str text = acL_check_bytes(L, 2);
    EVP_PKEY *key = check_seed(L, 1);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool done = key && context && EVP_DigestSignInit(context, NULL, NULL, NULL, key) == 1 &&
                EVP_DigestSign(context, signature, &n, (const unsigned char *)text.p, text.n) == 1;
    EVP_MD_CTX_free(context);
    return push_made(L, key, done, signature, n);
}

/* [-3, +1, v]  ed25519_verify(public key, signature, text) -> boolean, false also if the crypto
 * library fails; raises for malformed hex */
static int core_ed25519_verify(lua_State *L)
{
    unsigned char public_key[KEY_BYTES], signature[SIGNATURE_BYTES];
    struct ac_str text = acL_check_bytes(L, 3);
    check_hex(L, 1, public_key, sizeof public_key);
    check_hex(L, 2, signature, sizeof signature);
    ERR_set_mark();
    EVP_PKEY *key =
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key, sizeof public_key);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good = key && context && EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1 &&
                EVP_DigestVerify(context, signature, sizeof signature,
                                 (const unsigned char *)text.p, text.n) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    ERR_pop_to_mark();
    lua_pushboolean(L, good);
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
