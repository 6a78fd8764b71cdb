/* Hashes and HMACs over OpenSSL's EVP interface.
 *
 * Algorithms are fetched once per process; the context in struct ac_digest is not thread-safe and
 * belongs to one Lua state. The thread's OpenSSL error queue is left as it was found.
 */
#ifndef AC_DIGEST_H
#define AC_DIGEST_H

#include "buf.h"

enum ac_hash { AC_SHA1, AC_SHA256, AC_SM3, AC_HASH_COUNT };

#define AC_HASH_MAX_BYTES 32u

struct ac_digest {
    void *context; /* EVP_MD_CTX, made when first needed */
};

/* Zeroed memory is a valid, empty ac_digest; its context appears on first use. */
void ac_digest_free(struct ac_digest *digest);

/* Bytes that `hash` produces. */
size_t ac_digest_size(enum ac_hash hash);

/* AC_CRYPTO where this OpenSSL does not have the algorithm. */
enum ac_status ac_digest_hash(struct ac_digest *digest, enum ac_hash hash, struct ac_str in,
                              unsigned char out[AC_HASH_MAX_BYTES]);
/* RFC 2104 over the same context, which keeps nothing of the key. */
enum ac_status ac_digest_hmac(struct ac_digest *digest, enum ac_hash hash, struct ac_str key,
                              struct ac_str in, unsigned char out[AC_HASH_MAX_BYTES]);

/* Time depends on the lengths only. */
bool ac_digest_equal(struct ac_str a, struct ac_str b);

/* Version text of the OpenSSL that is loaded. */
const char *ac_digest_library(void);

#endif
