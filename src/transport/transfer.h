/* One transfer: a libcurl handle, the policy it runs under, and the exchange it leaves.
 *
 * Shared by the files of this folder only.
 */
#ifndef AC_TRANSFER_H
#define AC_TRANSFER_H

#include "options.h"
#include "handles.h"
#include "transport.h"

struct ac_op {
    struct ac_transport *transport; /* NULL when it is gone, or never set it out */
    struct ac_op *next, *previous;  /* in a list of the transport's */
    struct ac_op **list;            /* which, or NULL */
    uint64_t ticket;
    struct ac_handle *handle; /* NULL before and after the transfer, as are the next four */
    char *request;            /* one block that the next two and the body lie in */
    char *target;             /* NULL where libcurl finds it in the URL */
    struct curl_slist *headers;
    struct curl_slist *pins;
    const struct ac_transport_trust *trust;
    size_t body_bytes;
    struct ac_exchange exchange;
    size_t header_bytes; /* of all header blocks together */
    bool too_large;
};

/* NULL when out of memory. */
struct ac_op *ac_transfer_new(const struct ac_transport_options *options);

/* Makes a new one of one that is over, with its buffers. */
void ac_transfer_renew(struct ac_op *op);
void ac_transfer_free(struct ac_op *op);

/* Gives the request to a handle. False when out of memory. */
bool ac_transfer_open(struct ac_op *op, struct ac_handles *handles,
                      const struct ac_settings *settings,
                      const struct ac_transport_request *request);

/* Fills in the exchange from libcurl's word about the transfer. */
void ac_transfer_finish(struct ac_op *op, CURLcode code);

/* Fills in the exchange of a transfer that ends without libcurl's word: refused, cancelled. */
void ac_transfer_end(struct ac_op *op, enum ac_failure failure, const char *detail);

/* In a forked child: leaves the handle to the parent, who alone knows what becomes of the call; to
 * the child it counts as sent. */
void ac_transfer_abandon(struct ac_op *op, const char *detail);

/* Frees the request and lets go of the handle, taking it from `multi` first unless that is NULL;
 * the exchange stays. A handle that may be used again goes back to `handles`. Needs a guard against
 * SIGPIPE where there is something to take. */
void ac_transfer_close(struct ac_op *op, CURLM *multi, struct ac_handles *handles);

#endif
