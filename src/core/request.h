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
    struct ac_pairs headers; /* the caller's; they win over generated ones */
    struct ac_str body;
    struct ac_str payload_hash; /* hex; empty: hash the body */
    struct ac_str action;
    struct ac_str version;
    struct ac_str date;
    struct ac_str nonce;
};

/* Sorts by the bytes of the name, then of the value. */
void ac_request_sort(struct ac_pairs *pairs);

/* `name=value` joined with '&', both percent-encoded, in the order of the pairs. */
void ac_request_encode_pairs(struct ac_buf *out, const struct ac_pairs *pairs);

/* Empty path means "/". */
void ac_request_encode_path(struct ac_buf *out, struct ac_str path);

/* scheme://host/path[?query]; `query` is encoded already. */
void ac_request_url(struct ac_buf *out, const struct ac_request *request, struct ac_str query);

/* The caller's header of that name (any case), or NULL. */
const struct ac_pair *ac_request_header(const struct ac_request *request, const char *name);

/* The first field that cannot go on a wire (control bytes, a host with a path, …), or NULL.
 * `field` is the name to show and `why` what is allowed. */
const char *ac_request_flaw(const struct ac_request *request, const char **why);

#endif
