/* Stage 4 of a call: what came back, taken apart but not yet judged.
 *
 * Input is an exchange as any transport gives it: either a complete HTTP answer or the way in
 * which the exchange failed, with whatever of the answer had arrived by then.
 */
#ifndef AC_RESPONSE_H
#define AC_RESPONSE_H

#include "exchange.h"
#include "json.h"

enum ac_shape {
    AC_SHAPE_EMPTY,
    AC_SHAPE_JSON,     /* one complete JSON object */
    AC_SHAPE_BAD_JSON, /* begins like JSON and is not; json.why tells */
    AC_SHAPE_XML,      /* the gateway's <Error> document */
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

    /* Filled in by ac_response_read(). */
    enum ac_shape shape;
    struct ac_json json;
    struct ac_buf text; /* unescaped XML fields live here */
    struct ac_str code;
    struct ac_str message;
    struct ac_str request_id; /* of the body; the header's only where the body has none */
    bool body_has_request_id;
    struct ac_str host_id;
    struct ac_str recommend;
    bool has_date;
    int64_t unix_date;
};

/* Fills in the headers from a block of "Name: value" lines. */
void ac_response_headers(struct ac_response *response, struct ac_str block);

/* A complete HTTP answer of success, as far as the body does not say otherwise. */
static inline bool ac_response_is_whole(const struct ac_response *response)
{
    return response->failure == AC_FAILURE_NONE && response->status >= 200 &&
           response->status <= 299 && response->content_encoding.n == 0;
}

/* Fills in the date. */
void ac_response_date(struct ac_response *response);

/* AC_NOMEM is the only failure: a hostile answer is a shape, not an error. */
enum ac_status ac_response_read(struct ac_response *response, struct ac_json_limits limits);
void ac_response_free(struct ac_response *response);

/* Seconds that the server asks to wait: `x-acs-retry-after` (ms), else the larger `TimeLeft` (ms)
 * of `x-ratelimit-user-api` and `x-ratelimit-user`. 0 if it asks for none. */
double ac_response_retry_after(const struct ac_response *response);

#endif
