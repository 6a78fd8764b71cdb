/* Stage 1 of a call: the request as a value, and its canonical encoding.
 *
 * A request borrows all its bytes from the caller. Parameters are flat: name and text.
 * Sources: "V3 request structure and signature" (help.aliyun.com/document_detail/2593177.html)
 * and RFC 3986. If the vendor's SDKs and the document differ, the document is followed.
 */
#ifndef AC_REQUEST_H
#define AC_REQUEST_H

#include "buf.h"
#include "signed_request.h"

struct ac_request {
    struct ac_str method; /* upper case, as it is signed */
    struct ac_str scheme;
    struct ac_str host; /* with its port if it has one; signed as given */
    struct ac_str path;
    struct ac_pairs query;
    struct ac_pairs form;    /* RPC signatures only: parameters of a form body */
    struct ac_pairs headers; /* the caller's, names in lower case; they replace generated ones */
    struct ac_str body;
    struct ac_str payload_hash; /* in hex; empty: the body is hashed */
    struct ac_str action;
    struct ac_str version;
    struct ac_str date;
    struct ac_str nonce;
};

/* Uses a buffer as a growing list of pairs. */
static inline void ac_request_put(struct ac_buf *pairs, struct ac_str name, struct ac_str value)
{
    const struct ac_pair pair = {name, value};
    ac_buf_add(pairs, (const char *)&pair, sizeof pair);
}

static inline struct ac_pairs ac_request_pairs(const struct ac_buf *pairs)
{
    return (struct ac_pairs){(struct ac_pair *)(void *)pairs->p, pairs->n / sizeof(struct ac_pair)};
}

/* Sorts by the bytes of the name, then of the value. */
void ac_request_sort(struct ac_pairs pairs);

/* Writes `name=value` pairs joined with '&', percent-encoded, in the given order. */
void ac_request_encode_pairs(struct ac_buf *out, struct ac_pairs pairs);

/* Writes the percent-encoded path; an empty path becomes "/". */
void ac_request_encode_path(struct ac_buf *out, struct ac_str path);

/* Writes scheme://host/path[?query]. Returns the offset in `out` where the query begins. */
size_t ac_request_url(struct ac_buf *out, const struct ac_request *request, struct ac_pairs query);

/* The first pair with this name, or NULL. */
const struct ac_pair *ac_request_find(struct ac_pairs pairs, struct ac_str name);

/* The caller's header `host`, or else the option `host`. */
struct ac_str ac_request_host(const struct ac_request *request);

/* Trims white space around everything that is sent in a header field. Returns the name of the first
 * field that cannot be sent (control characters, a host with a path, …), or NULL; `why` then says
 * what is allowed. */
const char *ac_request_prepare(struct ac_request *request, const char **why);

#endif
