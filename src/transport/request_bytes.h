/* The bytes of a request for as long as libcurl needs them. */
#ifndef AC_REQUEST_BYTES_H
#define AC_REQUEST_BYTES_H

#include "transfer.h"

/* Copies what is sent into one block and leaves op->headers and op->target for libcurl. `target` is
 * the end of the URL that libcurl is to take as it is, or empty. Returns the body, or NULL when out
 * of memory. */
char *ac_transfer_keep(struct ac_op *op, const struct ac_transport_request *request,
                       struct ac_str target);

/* Frees the block and the pins. */
void ac_transfer_forget(struct ac_op *op);

#endif
