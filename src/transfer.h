/* One transfer: a libcurl handle, the policy it runs under, and the exchange it leaves.
 *
 * Shared by transfer.c, transfer_failure.c and transport.c only; these are all that knows libcurl.
 */
#ifndef AC_TRANSFER_H
#define AC_TRANSFER_H

#include "settings.h"
#include "transport.h"

#include <curl/curl.h>

struct ac_op {
    struct ac_transport *transport; /* NULL once the transport is gone or forgot it */
    struct ac_op *next, *previous;
    CURL *easy;
    struct curl_slist *headers;
    struct curl_slist *pins;
    struct ac_transport_trust trust; /* the transport's, while there is a handle */
    struct ac_buf body;
    struct ac_exchange exchange;
    size_t header_bytes; /* of all header blocks together */
    bool too_large;
    bool done;
    char error_text[CURL_ERROR_SIZE];
};

/* NULL when out of memory. */
struct ac_op *ac_transfer_new(const struct ac_transport_options *options);

/* Makes the handle and gives it policy and request. False when out of memory. */
bool ac_transfer_open(struct ac_op *op, const struct ac_settings *settings,
                      const struct ac_transport_request *request);

/* Fills in the exchange from libcurl's word about the transfer. */
void ac_transfer_finish(struct ac_op *op, CURLcode code);

/* Fills in the exchange of a transfer that ends without libcurl's word: refused, cancelled. */
void ac_transfer_end(struct ac_op *op, const char *failure, const char *detail);

/* In a forked child: leaves the handle to the parent, who alone knows what becomes of the call; to
 * the child it counts as sent. */
void ac_transfer_abandon(struct ac_op *op, const char *detail);

/* Frees what libcurl holds, taking it from `multi` first unless that is NULL. The exchange
 * stays. */
void ac_transfer_close(struct ac_op *op, CURLM *multi);

#endif
