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

struct ac_sign {
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
    struct ac_buf body; /* RPC: the form; otherwise unused */
};

/* NULL if the name is not an algorithm of ours. */
const char *ac_sign_algorithm_name(enum ac_sign_algorithm algorithm);

/* Everything borrowed must outlive the struct. */
void ac_sign_init(struct ac_sign *sign, enum ac_sign_algorithm algorithm,
                  const struct ac_request *request, const struct ac_credentials *credentials,
                  struct ac_digest *digest);
void ac_sign_free(struct ac_sign *sign);

enum ac_status ac_sign_canonical(struct ac_sign *sign);
enum ac_status ac_sign_string(struct ac_sign *sign);
enum ac_status ac_sign_authorization(struct ac_sign *sign);

#endif
