/* Stage 1 of a call: the request as a value, and its canonical encoding.
 *
 * A request borrows all its bytes from the caller. Parameters arrive flat: name to text.
 * Sources: "V3 request structure and signature" (help.aliyun.com/document_detail/2593177.html)
 * and RFC 3986. Where the vendor's SDKs and the document differ, the document is followed.
 */
#ifndef AC_REQUEST_H
#define AC_REQUEST_H

#include "buf.h"
#include "signed_request.h"

struct ac_request {
    struct ac_str method; /* upper case, as the document signs it */
    struct ac_str scheme;
    struct ac_str host; /* with its port where it has one; signed as given */
    struct ac_str path;
    struct ac_pairs query;
    struct ac_pairs form;    /* RPC signatures only: parameters of a form body */
    struct ac_pairs headers; /* the caller's, names in lower case; they win over generated ones */
    struct ac_str body;
    struct ac_str payload_hash; /* hex; empty: hash the body */
    struct ac_str action;
    struct ac_str version;
    struct ac_str date;
    struct ac_str nonce;
};

/* A buffer as a growing list of pairs. */
static inline void ac_request_put(struct ac_buf *pairs, struct ac_str name, struct ac_str value)
{
    const struct ac_pair pair = {name, value};
    ac_buf_add(pairs, (const char *)&pair, sizeof pair);
}

static inline struct ac_pairs ac_request_pairs(const struct ac_buf *pairs)
{
    return (struct ac_pairs){(struct ac_pair *)(void *)pairs->p, pairs->n / sizeof(struct ac_pair)};
}

/* By the bytes of the name, then of the value. */
void ac_request_sort(struct ac_pairs pairs);

/* `name=value` joined with '&', both percent-encoded, in the order of the pairs. */
void ac_request_encode_pairs(struct ac_buf *out, struct ac_pairs pairs);

/* Empty path means "/". */
void ac_request_encode_path(struct ac_buf *out, struct ac_str path);

/* scheme://host/path[?query]. Returns where in `out` the query begins. */
size_t ac_request_url(struct ac_buf *out, const struct ac_request *request, struct ac_pairs query);

/* The first pair of that name, or NULL. */
const struct ac_pair *ac_request_find(struct ac_pairs pairs, struct ac_str name);

/* The caller's header of that name, or the option. */
struct ac_str ac_request_host(const struct ac_request *request);

/* Takes outer white space off all that travels in a header field. Returns the first field that
 * cannot go on a wire (control bytes, a host with a path, …), or NULL: the name to show; `why` is
 * what is allowed. */
const char *ac_request_prepare(struct ac_request *request, const char **why);

#endif
