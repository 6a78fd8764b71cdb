/* Stage 2 of a call: canonical request -> string to sign -> authorization.
 *
 * Pure: clock, nonce and secret are inputs. The three steps run in order and leave what they
 * made in the struct, so that each can be looked at and tested alone.
 * Sources: help.aliyun.com/document_detail/2593177.html (V3) and 25490.htm (RPC, HMAC-SHA1).
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

/* One block of memory: the struct, and behind it the bytes of all texts, whose sizes are bounded
 * before the first is written. */
struct ac_sign {
    struct ac_wire wire; /* first, so that who holds it holds all; filled in at the end */
    size_t bytes;        /* of the block */
    struct ac_sign_pool *pool;
    struct ac_sign *next; /* in the pool */
    bool confidential;    /* the security token passes through */
    enum ac_sign_algorithm algorithm;
    const struct ac_request *request;
    const struct ac_credentials *credentials;
    struct ac_digest *digest;

    struct ac_pairs headers; /* all headers to send but authorization: lower case, sorted, joined */
    struct ac_pairs params;  /* RPC: the signed set */
    struct ac_buf text;      /* bytes that headers and params borrow */
    struct ac_buf query;     /* canonical query */
    struct ac_buf canonical;
    struct ac_buf signed_headers;
    struct ac_buf string_to_sign;
    struct ac_buf signature;
    struct ac_buf authorization;
    struct ac_buf url;
    struct ac_buf body;  /* RPC: the form; else a copy of the request's */
    struct ac_buf lines; /* method, host and headers as they are sent */
};

/* NULL if the name is not an algorithm of ours. */
const char *ac_sign_algorithm_name(enum ac_sign_algorithm algorithm);

/* Blocks that were freed and are used again: some kilobytes that come and go with each request keep
 * the C library busy with sorting its memory. Zeroed memory is an empty pool. */
struct ac_sign_pool {
    struct ac_sign *spare;
    unsigned count;
    bool closed;
};

/* Frees the spare blocks; those that are still out are freed when they come back. */
void ac_sign_pool_close(struct ac_sign_pool *pool);

/* NULL when out of memory. What request and credentials borrow must stay until the last stage. The
 * pool may be NULL. */
struct ac_sign *ac_sign_new(enum ac_sign_algorithm algorithm, const struct ac_request *request,
                            const struct ac_credentials *credentials, struct ac_digest *digest,
                            struct ac_sign_pool *pool);
void ac_sign_free(struct ac_sign *sign);

enum ac_status ac_sign_canonical(struct ac_sign *sign);
enum ac_status ac_sign_string(struct ac_sign *sign);
enum ac_status ac_sign_authorization(struct ac_sign *sign);

static inline bool ac_sign_has_key(const struct ac_sign *sign)
{
    return sign->credentials->access_key_id.n > 0;
}

/* One text that could not be built whole spoils all: a signature over half a request is valid. */
enum ac_status ac_sign_built(struct ac_sign *sign);

/* Fills in sign->wire, which borrows nothing any more. Its release() is ac_sign_free(). */
enum ac_status ac_sign_finish(struct ac_sign *sign);

#endif
