/* Ed25519 signatures (RFC 8032) over the crypto library, for lines that people sign. */
#ifndef AC_ED25519_H
#define AC_ED25519_H

#include "ac.h"

#define AC_ED25519_KEY_BYTES 32
#define AC_ED25519_SIGNATURE_BYTES 64

/* AC_CRYPTO if the library has no Ed25519; AC_NOMEM is not told from that. */
enum ac_status ac_ed25519_public(const unsigned char *seed, unsigned char *public_key);
enum ac_status ac_ed25519_sign(const unsigned char *seed, struct ac_str text,
                               unsigned char *signature);

/* False also if anything at all goes wrong. */
bool ac_ed25519_verify(const unsigned char *public_key, const unsigned char *signature,
                       struct ac_str text);

#endif
