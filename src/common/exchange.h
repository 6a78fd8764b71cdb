/* What comes back from the wire: filled in by the transport, judged by the core. The two live in
 * shared objects of their own; this struct behind a userdata is their seam on the way back, as
 * signed_request.h is on the way out.
 */
#ifndef AC_EXCHANGE_H
#define AC_EXCHANGE_H

#include "buf.h"

/* What came of it. `failure` is NULL for a complete HTTP answer. */
struct ac_exchange {
    bool done;           /* until then nothing else is valid */
    const char *failure; /* a name of errmap.c's failure table */
    bool sent;           /* false only if no byte of the request left */
    char detail[320];
    long status;
    struct ac_buf headers; /* "Name: value\n" of the last header block */
    struct ac_buf body;
    double elapsed; /* seconds */
    long new_connections;
    uint64_t bytes_sent; /* as HTTP counts them, without TLS */
    uint64_t bytes_received;
};

/* The userdata of an operation begins like this. The name changes with the layout. */
#define AC_OP_CLASS "alicloud.Op/2"

struct ac_exchange_box {
    const struct ac_exchange *exchange; /* NULL once it is closed */
    bool read; /* while it is, since what is made of it may run a finalizer that closes it */
};

#endif
