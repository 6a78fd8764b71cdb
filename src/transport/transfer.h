/* One transfer: a libcurl handle, the policy it runs under, and the exchange it leaves.
 *
 * Shared by the files of this folder only.
 */
#ifndef AC_TRANSFER_H
#define AC_TRANSFER_H

#include "handles.h"

/* Which line of an answer comes next: a status line, one of its header block, or a trailer. */
enum ac_block { AC_BLOCK_NONE, AC_BLOCK_OPEN, AC_BLOCK_LAST };

struct ac_op {
    struct ac_transport *transport; /* NULL when it is gone, or never set it out */
    struct ac_op *next, *previous;  /* in a list of the transport's */
    struct ac_op **list;            /* which, or NULL */
    uint64_t ticket;
    struct ac_handle *handle; /* NULL before and after the transfer, as are the next two */
    struct curl_slist *lines; /* of the head, over the request's own bytes */
    struct curl_slist *pins;
    struct ac_transport_request request;
    double started; /* monotonic seconds */
    struct ac_exchange exchange;
    size_t header_bytes; /* of all header blocks together */
    enum ac_block block;
    int port; /* our own, of the connection on which it has left */
    bool too_large;
    bool stray;              /* the connection had something to say before it was asked */
    bool repeated;           /* on a fresh connection, because of that */
    enum ac_failure refusal; /* of the last look before it would have left */
};

/* What libcurl knows as a number of the transfer that the handle carries. */
static inline long ac_transfer_info(const struct ac_op *op, CURLINFO info)
{
    long value = 0;
    curl_easy_getinfo(op->handle->easy, info, &value);
    return value;
}

/* NULL when out of memory. */
struct ac_op *ac_transfer_new(const struct ac_transport_options *options,
                              const struct ac_transport_request *request);
void ac_transfer_free(struct ac_op *op);

/* Gives the request to a handle. False when out of memory. */
bool ac_transfer_open(struct ac_op *op, struct ac_handles *handles);

/* Prepares the handle to set out once more, over a fresh connection. */
void ac_transfer_repeat(struct ac_op *op);

/* True while a host has been found and none of its addresses has answered, where libcurl leaves one
 * that does not and tries the next only when it is woken by something else. */
bool ac_transfer_may_stall(CURL *easy);

/* Fills in the exchange from libcurl's word about the transfer. */
void ac_transfer_finish(struct ac_op *op, CURLcode code);

/* Fills in the exchange of a transfer that ends without libcurl's word: refused, cancelled. */
void ac_transfer_end(struct ac_op *op, enum ac_failure failure, const char *detail);

/* In a forked child: leaves the handle to the parent, who alone knows what becomes of the call; to
 * the child it counts as sent. */
void ac_transfer_abandon(struct ac_op *op, const char *detail);

/* Lets go of the request and of the handle, taking it from `multi` first unless that is NULL; the
 * exchange stays. A handle that may be used again is kept. Needs a guard against SIGPIPE where
 * there is something to take. */
void ac_transfer_close(struct ac_op *op, CURLM *multi, bool keep);

/* Sets the exchange's failure and detail; whether the request left must be known by then. */
void ac_failure_tell(struct ac_op *op, CURLcode code);

/* Whether all that the request says of its operation is one operation, and one of those. */
bool ac_observe_reads(const struct ac_transport_request *request, const struct ac_actions *reads);

/* Refuses a request that may not leave, or not any more, or is over a limit of size: ends the
 * operation with the reason. */
bool ac_guard_refuses(struct ac_op *op, const struct ac_handles *handles);

/* Fills in why the last look refused. */
void ac_guard_tell(struct ac_op *op);

/* Which sockets there are: the guard looks at those that it is about to send on. */
void ac_guard_opened(struct ac_handle *handle, int fd);
void ac_guard_closes(struct ac_handles *handles, int fd);

/* The head of an answer has come: the request is with the peer. */
void ac_guard_answered(const struct ac_op *op);

#endif
