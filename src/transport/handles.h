/* libcurl's handles, made once with the standing policy and used for one request after the other.
 *
 * A handle costs a tenth of a call to make. What differs between requests is set by transfer.c for
 * each of them; nothing else may be.
 */
#ifndef AC_HANDLES_H
#define AC_HANDLES_H

#include "buf.h"
#include "options.h"
#include "watch.h"

#include <curl/curl.h>

struct ac_op;

struct ac_handle {
    CURL *easy;
    struct ac_op *op; /* whose request it carries, or NULL */
    struct ac_handle *next;
    int scheme; /* of the last request, as libcurl was told; these six are 0 at first */
    int route;
    int method;
    int keeping;
    long timeout_ms;
    long connect_timeout_ms;
    struct ac_buf url; /* of the last request, without what its target says */
    CURLU *origin;     /* the same, parsed, or NULL where libcurl parses it for each request */
    char error_text[CURL_ERROR_SIZE];
};

struct ac_handles {
    struct ac_handle *idle;
    unsigned count; /* of the idle ones */
    CURLSH *shared; /* TLS sessions, so that a fresh connection need not begin from nothing */
    struct ac_watch *watch;
};

/* An idle handle or a new one, or NULL when out of memory. */
struct ac_handle *ac_handles_take(struct ac_handles *handles, const struct ac_settings *settings);

/* Takes it back after curl_multi_remove_handle(). */
void ac_handles_give(struct ac_handles *handles, struct ac_handle *handle);

/* Frees a handle that nobody takes back. */
void ac_handle_free(struct ac_handle *handle);

void ac_handles_free(struct ac_handles *handles);

/* For the options that libcurl copies: one that could not be copied would leave its default, such
 * as another trust store, in force. */
bool ac_handle_set_text(struct ac_handle *handle, CURLoption option, const char *text);

/* The same for the URL, which may be no more than the origin of a request that has a target. */
bool ac_handle_set_url(struct ac_handle *handle, struct ac_str url, bool is_origin);

/* libcurl's callbacks, in transfer.c; `user` is the handle. */
size_t ac_transfer_on_header(char *p, size_t size, size_t n, void *user);
size_t ac_transfer_on_body(char *p, size_t size, size_t n, void *user);

#endif
