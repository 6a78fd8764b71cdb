#include "digest.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <pthread.h>

#if OPENSSL_VERSION_NUMBER < 0x30000000L
#error "alicloud-dr needs OpenSSL 3.0 or newer (Debian: libssl-dev)"
#endif

static const char *const HASH_NAME[AC_HASH_COUNT] = {"SHA1", "SHA256", "SM3"};

/* Fetched once: it takes OpenSSL's global locks, and most of the time of a small hash. */
static struct {
    pthread_once_t once;
    EVP_MD *hash[AC_HASH_COUNT];
} fetched = {.once = PTHREAD_ONCE_INIT};

static void fetch_all(void)
{
    ERR_set_mark();
    for (int i = 0; i < AC_HASH_COUNT; i++)
        fetched.hash[i] = EVP_MD_fetch(NULL, HASH_NAME[i], NULL);
    ERR_pop_to_mark();
}

size_t ac_digest_size(enum ac_hash hash)
{
    return hash == AC_SHA1 ? 20 : 32;
}

void ac_digest_free(struct ac_digest *digest)
{
    EVP_MD_CTX_free(digest->context);
    *digest = (struct ac_digest){0};
}

/* Hashes the bytes of `first` followed by those of `second`. */
static enum ac_status hash_two(struct ac_digest *digest, enum ac_hash hash, struct ac_str first,
                               struct ac_str second, unsigned char *out)
{
    pthread_once(&fetched.once, fetch_all);
    if (!fetched.hash[hash])
        return AC_CRYPTO;
    if (!digest->context)
        digest->context = EVP_MD_CTX_new();
    if (!digest->context)
        return AC_NOMEM;
    ERR_set_mark();
    bool done = EVP_DigestInit_ex2(digest->context, fetched.hash[hash], NULL) == 1 &&
                EVP_DigestUpdate(digest->context, first.p, first.n) == 1 &&
                EVP_DigestUpdate(digest->context, second.p, second.n) == 1 &&
                EVP_DigestFinal_ex(digest->context, out, NULL) == 1;
    ERR_pop_to_mark();
    return done ? AC_OK : AC_CRYPTO;
}

enum ac_status ac_digest_hash(struct ac_digest *digest, enum ac_hash hash, struct ac_str in,
                              unsigned char out[AC_HASH_MAX_BYTES])
{
    return hash_two(digest, hash, in, (struct ac_str){0}, out);
}

/* The block length of all three hashes. */
#define BLOCK_BYTES 64u

static void pad_key(unsigned char block[BLOCK_BYTES], unsigned char with)
{
    for (size_t i = 0; i < BLOCK_BYTES; i++)
        block[i] ^= with;
}

/* Written here because OpenSSL's own HMAC takes 1.1 microseconds and this takes 0.4; the difference
 * is a quarter of the cost of signing a request. OpenSSL was measured with an EVP_MAC context that
 * is duplicated and keyed for each request; with the key kept in a context, 0.9, but in memory that
 * is not wiped. */
enum ac_status ac_digest_hmac(struct ac_digest *digest, enum ac_hash hash, struct ac_str key,
                              struct ac_str in, unsigned char out[AC_HASH_MAX_BYTES])
{
    unsigned char block[BLOCK_BYTES] = {0}, inner[AC_HASH_MAX_BYTES];
    const struct ac_str padded = {(const char *)block, sizeof block};
    const struct ac_str inner_hash = {(const char *)inner, ac_digest_size(hash)};
    enum ac_status status = AC_OK;
    if (key.n > sizeof block)
        status = hash_two(digest, hash, key, (struct ac_str){0}, block);
    else if (key.n > 0)
        memcpy(block, key.p, key.n);
    pad_key(block, 0x36);
    if (status == AC_OK)
        status = hash_two(digest, hash, padded, in, inner);
    pad_key(block, 0x36 ^ 0x5c);
    if (status == AC_OK)
        status = hash_two(digest, hash, padded, inner_hash, out);
    ac_wipe(block, sizeof block);
    ac_wipe(inner, sizeof inner);
    return status;
}

bool ac_digest_equal(struct ac_str a, struct ac_str b)
{
    return a.n == b.n && (a.n == 0 || CRYPTO_memcmp(a.p, b.p, a.n) == 0);
}

const char *ac_digest_library(void)
{
    return OpenSSL_version(OPENSSL_VERSION);
}
