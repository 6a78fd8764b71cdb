#include "digest.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <pthread.h>

#if OPENSSL_VERSION_NUMBER < 0x30000000L
#error "alicloud-dr needs OpenSSL 3.0 or newer (Debian: libssl-dev)"
#endif

static const char *const HASH_NAME[AC_HASH_COUNT] = {"SHA1", "SHA256", "SM3"};

/* Fetching takes OpenSSL's global locks and most of the time of a small hash, hence once. */
static struct {
    pthread_once_t once;
    EVP_MD *hash[AC_HASH_COUNT];
    EVP_MAC *hmac;
} fetched = {.once = PTHREAD_ONCE_INIT};

static void fetch_all(void)
{
    ERR_set_mark();
    for (int i = 0; i < AC_HASH_COUNT; i++)
        fetched.hash[i] = EVP_MD_fetch(NULL, HASH_NAME[i], NULL);
    fetched.hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    ERR_pop_to_mark();
}

size_t ac_digest_size(enum ac_hash hash)
{
    return hash == AC_SHA1 ? 20 : 32;
}

void ac_digest_free(struct ac_digest *digest)
{
    for (int i = 0; i < AC_HASH_COUNT; i++) {
        EVP_MAC_CTX_free(digest->mac_context[i]);
        digest->mac_context[i] = NULL;
    }
    EVP_MD_CTX_free(digest->hash_context);
    digest->hash_context = NULL;
}

static enum ac_status hash_once(struct ac_digest *digest, enum ac_hash hash, struct ac_str in,
                                unsigned char *out)
{
    if (!fetched.hash[hash])
        return AC_CRYPTO;
    if (!digest->hash_context)
        digest->hash_context = EVP_MD_CTX_new();
    if (!digest->hash_context)
        return AC_NOMEM;
    unsigned int n = 0;
    if (EVP_DigestInit_ex2(digest->hash_context, fetched.hash[hash], NULL) != 1 ||
        EVP_DigestUpdate(digest->hash_context, in.p, in.n) != 1 ||
        EVP_DigestFinal_ex(digest->hash_context, out, &n) != 1)
        return AC_CRYPTO;
    return AC_OK;
}

enum ac_status ac_digest_hash(struct ac_digest *digest, enum ac_hash hash, struct ac_str in,
                              unsigned char out[AC_HASH_MAX_BYTES])
{
    pthread_once(&fetched.once, fetch_all);
    ERR_set_mark();
    enum ac_status status = hash_once(digest, hash, in, out);
    ERR_pop_to_mark();
    return status;
}

/* The digest name is given once per context: setting it costs more than hashing a request. */
static enum ac_status mac_context(struct ac_digest *digest, enum ac_hash hash)
{
    if (digest->mac_context[hash])
        return AC_OK;
    EVP_MAC_CTX *context = EVP_MAC_CTX_new(fetched.hmac);
    if (!context)
        return AC_NOMEM;
    char name[8];
    memcpy(name, HASH_NAME[hash], strlen(HASH_NAME[hash]) + 1);
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
                           OSSL_PARAM_construct_end()};
    if (EVP_MAC_CTX_set_params(context, params) != 1) {
        EVP_MAC_CTX_free(context);
        return AC_CRYPTO;
    }
    digest->mac_context[hash] = context;
    return AC_OK;
}

/* A context keeps a copy of its key; another key in its place wipes that. */
static void forget_key(EVP_MAC_CTX *context)
{
    static const unsigned char nothing[1] = {0};
    (void)EVP_MAC_init(context, nothing, sizeof nothing, NULL);
}

static enum ac_status hmac_once(struct ac_digest *digest, enum ac_hash hash, struct ac_str key,
                                struct ac_str in, unsigned char *out)
{
    if (!fetched.hash[hash] || !fetched.hmac)
        return AC_CRYPTO;
    enum ac_status status = mac_context(digest, hash);
    if (status != AC_OK)
        return status;
    /* A NULL key would mean "the key of last time". */
    const unsigned char *bytes = (const unsigned char *)(key.n ? key.p : "");
    size_t n = 0;
    EVP_MAC_CTX *context = digest->mac_context[hash];
    bool done = EVP_MAC_init(context, bytes, key.n, NULL) == 1 &&
                EVP_MAC_update(context, (const unsigned char *)in.p, in.n) == 1 &&
                EVP_MAC_final(context, out, &n, AC_HASH_MAX_BYTES) == 1;
    forget_key(context);
    return done ? AC_OK : AC_CRYPTO;
}

enum ac_status ac_digest_hmac(struct ac_digest *digest, enum ac_hash hash, struct ac_str key,
                              struct ac_str in, unsigned char out[AC_HASH_MAX_BYTES])
{
    pthread_once(&fetched.once, fetch_all);
    ERR_set_mark();
    enum ac_status status = hmac_once(digest, hash, key, in, out);
    ERR_pop_to_mark();
    return status;
}

bool ac_digest_equal(struct ac_str a, struct ac_str b)
{
    return a.n == b.n && (a.n == 0 || CRYPTO_memcmp(a.p, b.p, a.n) == 0);
}

void ac_digest_cleanse(void *p, size_t n)
{
    if (p)
        OPENSSL_cleanse(p, n);
}

const char *ac_digest_library(void)
{
    return OpenSSL_version(OPENSSL_VERSION);
}
