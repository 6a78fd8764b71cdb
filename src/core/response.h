/* Stage 4 of a call: the response taken apart, but not judged yet.
 *
 * The input is an exchange of any transport: a complete HTTP response, or the way in which the
 * exchange failed, with the part of a response that had arrived by then.
 *
 * A field of the body counts if it is a text that is not blank. In JSON a whole number counts, too,
 * as its digits; but not as a request id, which is the proof that the service itself responded.
 * JSON has two spellings, `Code` from the product gateways and `code` from newer ones: the first of
 * the two that holds a field counts.
 */
#ifndef AC_RESPONSE_H
#define AC_RESPONSE_H

#include "exchange.h"
#include "json.h"

#include <cjson/cJSON.h>

enum ac_shape {
    AC_SHAPE_EMPTY,
    AC_SHAPE_JSON,     /* one complete JSON object, no name twice in an object */
    AC_SHAPE_BAD_JSON, /* begins like an object but is not valid; `why` says how */
    AC_SHAPE_XML,      /* one complete <Error> document of the gateway */
    AC_SHAPE_OTHER     /* HTML of a proxy, compressed bytes, a JSON array, … */
};

struct ac_response {
    enum ac_failure failure;
    /* Borrowed from the caller, which keeps them alive; the body is followed by a NUL. */
    struct ac_str detail;
    bool sent; /* false only if no byte of the request can have left */
    int status;
    struct ac_str body;
    struct ac_str content_encoding;
    struct ac_str date;
    struct ac_str header_request_id;
    struct ac_str retry_after;
    struct ac_str ratelimit_user_api;
    struct ac_str ratelimit_user;
    size_t max_bytes; /* the longest body that is read */
    /* What we signed, compared with what the server says it expected. May be empty. */
    struct ac_str string_to_sign;
    struct ac_str canonical_request;

    enum ac_shape shape;
    const char *why; /* what is wrong with bad JSON, as a text for people */
    bool limit;      /* the JSON is over a limit of ours and may be valid */

    /* Filled in by ac_response_read(). */
    cJSON *root;        /* the body, if it is good JSON; else NULL */
    struct ac_buf text; /* holds field texts that are not bytes of the body */
    struct ac_str code;
    struct ac_str message;
    struct ac_str request_id;
    struct ac_str host_id;
    struct ac_str recommend;
};

/* A header that is read: its name in lower case, and the offset of its struct ac_str. */
struct ac_response_header {
    struct ac_str name;
    size_t place;
};

#define AC_RESPONSE_HEADERS 6
extern const struct ac_response_header ac_response_header_names[AC_RESPONSE_HEADERS];

static inline struct ac_str *ac_response_field(struct ac_response *response, size_t place)
{
    return (struct ac_str *)(void *)((char *)response + place);
}

/* Reads the known headers from a block of "Name: value" lines. */
void ac_response_headers(struct ac_response *response, struct ac_str block);

/* What the first bytes of the body look like. JSON and XML are not parsed yet. */
enum ac_shape ac_response_shape(struct ac_str body);

/* Sets the shape and the fields. AC_NOMEM is the only failure: a malformed response is a shape, not
 * an error. */
enum ac_status ac_response_read(struct ac_response *response);
void ac_response_free(struct ac_response *response);

/* Whether the text is not blank. */
bool ac_response_is_field(struct ac_str text);

/* Seconds that the server asks to wait: `x-acs-retry-after` (ms), else the larger `TimeLeft` (ms)
 * of `x-ratelimit-user-api` and `x-ratelimit-user`. 0 if it asks for no wait. */
double ac_response_retry_after(const struct ac_response *response);

#endif
