/* Hashes and HMACs over OpenSSL's EVP interface.
 *
 * Algorithms are fetched once per process; the context in struct ac_digest is not thread-safe and
 * belongs to one Lua state. The thread's OpenSSL error queue stays unchanged.
 */
#ifndef AC_DIGEST_H
#define AC_DIGEST_H

#include "buf.h"

enum ac_hash { AC_SHA1, AC_SHA256, AC_SM3, AC_HASH_COUNT };

#define AC_HASH_MAX_BYTES 32u

struct ac_digest {
    void *context; /* EVP_MD_CTX, made when first needed */
};

/* Zeroed memory is a valid, empty ac_digest. */
void ac_digest_free(struct ac_digest *digest);

/* The number of bytes that `hash` produces. */
size_t ac_digest_size(enum ac_hash hash);

/* AC_CRYPTO if this OpenSSL lacks the algorithm. */
enum ac_status ac_digest_hash(struct ac_digest *digest, enum ac_hash hash, struct ac_str in,
                              unsigned char out[AC_HASH_MAX_BYTES]);
/* HMAC of RFC 2104. The context keeps nothing of the key. */
enum ac_status ac_digest_hmac(struct ac_digest *digest, enum ac_hash hash, struct ac_str key,
                              struct ac_str in, unsigned char out[AC_HASH_MAX_BYTES]);

/* Whether a and b are equal; the time taken depends on their lengths only. */
bool ac_digest_equal(struct ac_str a, struct ac_str b);

/* The version text of the loaded OpenSSL. */
const char *ac_digest_library(void);

#endif
