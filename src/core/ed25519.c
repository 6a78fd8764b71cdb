#include "ed25519.h"

#include <openssl/err.h>
#include <openssl/evp.h>

enum ac_status ac_ed25519_public(const unsigned char *seed, unsigned char *public_key)
{
    size_t n = AC_ED25519_KEY_BYTES;
    ERR_set_mark();
    EVP_PKEY *key =
        EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, AC_ED25519_KEY_BYTES);
    bool done = key && EVP_PKEY_get_raw_public_key(key, public_key, &n) == 1;
    EVP_PKEY_free(key);
    ERR_pop_to_mark();
    return done && n == AC_ED25519_KEY_BYTES ? AC_OK : AC_CRYPTO;
}

enum ac_status ac_ed25519_sign(const unsigned char *seed, struct ac_str text,
                               unsigned char *signature)
{
    size_t n = AC_ED25519_SIGNATURE_BYTES;
    ERR_set_mark();
    EVP_PKEY *key =
        EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, AC_ED25519_KEY_BYTES);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool done = key && context && EVP_DigestSignInit(context, NULL, NULL, NULL, key) == 1 &&
                EVP_DigestSign(context, signature, &n, (const unsigned char *)text.p, text.n) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    ERR_pop_to_mark();
    return done && n == AC_ED25519_SIGNATURE_BYTES ? AC_OK : AC_CRYPTO;
}

bool ac_ed25519_verify(const unsigned char *public_key, const unsigned char *signature,
                       struct ac_str text)
{
    ERR_set_mark();
    EVP_PKEY *key =
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key, AC_ED25519_KEY_BYTES);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good = key && context && EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1 &&
                EVP_DigestVerify(context, signature, AC_ED25519_SIGNATURE_BYTES,
                                 (const unsigned char *)text.p, text.n) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    ERR_pop_to_mark();
    return good;
}
