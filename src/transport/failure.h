/* Why a transfer failed, from libcurl's word about it. */
#ifndef AC_FAILURE_H
#define AC_FAILURE_H

#include "transfer.h"

/* Sets the exchange's failure and detail; whether the request left must be known by then. */
void ac_failure_tell(struct ac_op *op, CURLcode code);

#endif
