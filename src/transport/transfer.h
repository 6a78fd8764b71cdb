/* One transfer: a libcurl handle with the request's options, and the exchange that it fills in.
 *
 * Shared by the files of this folder only.
 */
#ifndef AC_TRANSFER_H
#define AC_TRANSFER_H

#include "handles.h"

/* The header line that is expected next: a status line, a line of the block, a trailer. */
enum ac_block { AC_BLOCK_NONE, AC_BLOCK_OPEN, AC_BLOCK_LAST };

struct ac_op {
    struct ac_transport *transport; /* NULL if the transport is gone or never started it */
    struct ac_op *next, *previous;  /* in a list of struct ac_ops */
    struct ac_op **list;            /* the list that it is in, or NULL */
    uint64_t ticket;
    struct ac_handle *handle; /* NULL before and after the transfer, like `lines` and `pins` */
    struct curl_slist *lines; /* header lines; they point into the request's own bytes */
    struct curl_slist *pins;
    struct ac_transport_request request;
    double started; /* monotonic seconds */
    struct ac_exchange exchange;
    size_t header_bytes; /* of all header blocks together */
    enum ac_block block;
    int port; /* local port of the connection on which the request was sent */
    bool too_large;
    bool stray;              /* the connection had data, or had ended, before the request */
    bool repeated;           /* set out again on a fresh connection, because of `stray` */
    enum ac_failure refusal; /* result of the last check in guard.c before sending */
};

/* A number that libcurl knows about the transfer of this operation. */
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

/* Takes a handle and sets the request's options. False when out of memory. */
bool ac_transfer_open(struct ac_op *op, struct ac_handles *handles);

/* Prepares the handle to start once more, over a fresh connection. */
void ac_transfer_repeat(struct ac_op *op);

/* True if the name is resolved and no address has accepted a connection yet. Then libcurl (before
 * 8.4.0) may give up one address and try the next only when something else wakes it. */
bool ac_transfer_may_stall(CURL *easy);

/* Fills in the exchange when libcurl reports the end of the transfer with `code`. */
void ac_transfer_finish(struct ac_op *op, CURLcode code);

/* Fills in the exchange of a transfer that libcurl did not end: one refused or cancelled. */
void ac_transfer_end(struct ac_op *op, enum ac_failure failure, const char *detail);

/* In a forked child: leaves the handle to the parent, which alone sees the result. In the child the
 * request counts as sent. */
void ac_transfer_abandon(struct ac_op *op, const char *detail);

/* Releases the request and the handle, after removing it from `multi` unless that is NULL; the
 * exchange stays. `keep`: the handle may be reused. With a `multi`, SIGPIPE must be blocked. */
void ac_transfer_close(struct ac_op *op, CURLM *multi, bool keep);

/* Sets the exchange's failure and detail; `sent` must be final by then. */
void ac_failure_tell(struct ac_op *op, CURLcode code);

/* Whether every place in the request that can name an operation names the same one, and it is in
 * `reads`. */
bool ac_observe_reads(const struct ac_transport_request *request, const struct ac_actions *reads);

/* Refuses a request that may not be sent (observe mode, deadline, another process) or is too large.
 * True: the operation has ended with the reason. */
bool ac_guard_refuses(struct ac_op *op, const struct ac_handles *handles);

/* Fills in the exchange with the reason in `refusal`. */
void ac_guard_tell(struct ac_op *op);

/* Call when a socket opens and closes: the guard checks these sockets before a request is sent. */
void ac_guard_opened(struct ac_handle *handle, int fd);
void ac_guard_closes(struct ac_handles *handles, int fd);

/* Call when the head of a response has come, which proves that the peer has the request. */
void ac_guard_answered(const struct ac_op *op);

#endif
