/* Stage 2 of a call: canonical request -> string to sign -> authorization.
 *
 * Pure: clock, nonce and secret are inputs. Each step leaves what it made in the struct, to be
 * looked at. Sources: help.aliyun.com/document_detail/2593177.html (V3) and 25490.htm (RPC,
 * HMAC-SHA1).
 */
#ifndef AC_SIGN_H
#define AC_SIGN_H

#include "digest.h"
#include "request.h"

enum ac_sign_algorithm { AC_SIGN_ACS3_SHA256, AC_SIGN_ACS3_SM3, AC_SIGN_RPC_SHA1, AC_SIGN_COUNT };

struct ac_credentials {
    struct ac_str access_key_id; /* empty: the request stays unsigned */
    struct ac_str secret;
    struct ac_str security_token;
};

#define AC_METHOD_MAX 15
#define AC_SIGN_BUFFERS 10

/* What request and credentials borrow must stay until the last step. */
struct ac_sign {
    struct ac_signed_request wire; /* first, so that who holds it holds all; filled in at the end */
    enum ac_sign_algorithm algorithm;
    struct ac_request request;
    struct ac_credentials credentials;
    struct ac_digest *digest;
    enum ac_status digest_status;
    char method[AC_METHOD_MAX + 1];

    union {
        struct {
            struct ac_buf given;   /* room for the pairs of the request, see ac_request_put() */
            struct ac_buf texts;   /* headers, and digits of numbers: what is not borrowed */
            struct ac_buf params;  /* pairs: with RPC the signed set */
            struct ac_buf headers; /* pairs: all that are sent, sorted */
            struct ac_buf lines;   /* method, host and headers as they are sent */
            struct ac_buf body;    /* with RPC the form, else a copy of the request's */
            struct ac_buf url;
            struct ac_buf proof; /* the authorization; with RPC the signature alone */
            struct ac_buf canonical;
            struct ac_buf string_to_sign;
        };
        struct ac_buf buffers[AC_SIGN_BUFFERS]; /* all of them */
    };
    size_t signed_headers; /* bytes of their names in the authorization */
    char payload_hash[2 * AC_HASH_MAX_BYTES];
};

/* NULL if the name is not an algorithm of ours. */
const char *ac_sign_algorithm_name(enum ac_sign_algorithm algorithm);

/* An empty request, POST over https; NULL when out of memory. */
struct ac_sign *ac_sign_new(struct ac_digest *digest);
void ac_sign_free(struct ac_sign *sign);

/* Makes of the request what a server sees: the method in upper case, and no white space around what
 * travels in a header field, for the server takes that away before it verifies (RFC 9110 section
 * 5.5). The same holds for what travels in a parameter, so that the algorithms agree. Line ends go
 * too: a token that was read from a file has one.
 * Returns the first field that cannot be sent, or NULL; `why` is what is allowed. */
const char *ac_sign_prepare(struct ac_sign *sign, const char **why);

/* One text that could not be built or hashed spoils all: a signature over half a request is valid.
 * `which` is the name of that text. */
enum ac_status ac_sign_built(const struct ac_sign *sign, const char **which);

/* All steps. Fills in sign->wire, which borrows nothing any more and whose release() is
 * ac_sign_free(). */
enum ac_status ac_sign_all(struct ac_sign *sign);

#endif
