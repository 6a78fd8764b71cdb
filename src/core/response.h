/* Stage 4 of a call: what came back, taken apart but not yet judged.
 *
 * Input is an exchange as any transport gives it: either a complete HTTP answer or the way in
 * which the exchange failed, with whatever of the answer had arrived by then.
 *
 * A field of a body is a text that is not blank; of JSON also a whole number, which counts as its
 * digits, but not as a request id, which is what proves that the service itself has spoken. In
 * JSON both spellings occur, `Code` from the product gateways and `code` from newer ones: the first
 * of the two that holds a field counts.
 */
#ifndef AC_RESPONSE_H
#define AC_RESPONSE_H

#include "exchange.h"
#include "json.h"

#include <cjson/cJSON.h>

enum ac_shape {
    AC_SHAPE_EMPTY,
    AC_SHAPE_JSON,     /* one complete JSON object without two members of a name */
    AC_SHAPE_BAD_JSON, /* begins like one and is none; `why` tells */
    AC_SHAPE_XML,      /* one complete <Error> document of the gateway */
    AC_SHAPE_OTHER     /* HTML of a proxy, compressed bytes, a JSON array, … */
};

struct ac_response {
    enum ac_failure failure;
    /* Borrowed from the caller, who keeps it alive; the body is followed by a NUL. */
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
    size_t max_bytes; /* of a body that is read */
    /* What we signed, to compare with what the server says it expected. May be empty. */
    struct ac_str string_to_sign;
    struct ac_str canonical_request;

    enum ac_shape shape;
    const char *why; /* what is wrong with bad JSON, for a person */
    bool limit;      /* and whether it is a limit of ours */

    /* Filled in by ac_response_read(). */
    cJSON *root;        /* of good JSON */
    struct ac_buf text; /* fields that are not bytes of the body as they are */
    struct ac_str code;
    struct ac_str message;
    struct ac_str request_id;
    struct ac_str host_id;
    struct ac_str recommend;
};

/* The headers that count, by their names in lower case; the place is that of a struct ac_str. */
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

/* Fills in the headers from a block of "Name: value" lines. */
void ac_response_headers(struct ac_response *response, struct ac_str block);

/* What the body looks like from its first bytes. JSON and XML are not read yet. */
enum ac_shape ac_response_shape(struct ac_str body);

/* Sets the shape and the fields. AC_NOMEM is the only failure: a hostile answer is a shape, not an
 * error. */
enum ac_status ac_response_read(struct ac_response *response);
void ac_response_free(struct ac_response *response);

/* Whether a text is not blank. */
bool ac_response_is_field(struct ac_str text);

/* Seconds that the server asks to wait: `x-acs-retry-after` (ms), else the larger `TimeLeft` (ms)
 * of `x-ratelimit-user-api` and `x-ratelimit-user`. 0 if it asks for none. */
double ac_response_retry_after(const struct ac_response *response);

#endif
