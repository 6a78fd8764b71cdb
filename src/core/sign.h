/* Stage 2 of a call: canonical request -> string to sign -> authorization.
 *
 * Pure: clock, nonce and secret are inputs. The result of each step stays in the struct for
 * inspection. Sources: help.aliyun.com/document_detail/2593177.html (V3) and 25490.htm (RPC,
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

/* The bytes that request and credentials borrow must stay valid until ac_sign_all() returns. */
struct ac_sign {
    struct ac_signed_request wire; /* must be first: release() frees all; filled in at the end */
    enum ac_sign_algorithm algorithm;
    struct ac_request request;
    struct ac_credentials credentials;
    struct ac_digest *digest;
    enum ac_status digest_status;
    char method[AC_METHOD_MAX + 1];

    union {
        struct {
            struct ac_buf given;   /* the pairs of the request, see ac_request_put() */
            struct ac_buf texts;   /* copies: headers, and numbers as text */
            struct ac_buf params;  /* pairs; with RPC all that are signed */
            struct ac_buf headers; /* pairs; all that are sent, sorted */
            struct ac_buf lines;   /* method, host and headers as they are sent */
            struct ac_buf body;    /* with RPC the form, else a copy of the request's body */
            struct ac_buf url;
            struct ac_buf proof; /* the authorization; with RPC only the signature */
            struct ac_buf canonical;
            struct ac_buf string_to_sign;
        };
        struct ac_buf buffers[AC_SIGN_BUFFERS]; /* the same buffers as an array */
    };
    size_t signed_headers; /* length of the list of signed headers in the authorization */
    char payload_hash[2 * AC_HASH_MAX_BYTES];
};

/* The name of an algorithm, or NULL if it is out of range. */
const char *ac_sign_algorithm_name(enum ac_sign_algorithm algorithm);

/* An empty POST request over https; NULL when out of memory. */
struct ac_sign *ac_sign_new(struct ac_digest *digest);
void ac_sign_free(struct ac_sign *sign);

/* Changes the request to what a server sees: the method in upper case, and everything that is sent
 * in a header field without outer white space, which a server removes before it verifies (RFC 9110
 * section 5.5). With RPC the same is done to parameters, so that all algorithms accept the same.
 * White space includes line ends: a token that was read from a file has one.
 * Returns the first field that cannot be sent, or NULL; `why` then says what is allowed. */
const char *ac_sign_prepare(struct ac_sign *sign, const char **why);

/* Whether all texts were built and hashed; `which` names the one that was not. The request must not
 * be used then: a signature over a part of it would be valid. */
enum ac_status ac_sign_built(const struct ac_sign *sign, const char **which);

/* Does all steps and fills in sign->wire, which borrows nothing. Its release() frees `sign`. */
enum ac_status ac_sign_all(struct ac_sign *sign);

#endif
