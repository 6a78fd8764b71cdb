/* What comes back from the wire: filled in by the transport, judged by the core. The two live in
 * shared objects of their own; this struct behind a userdata is their seam on the way back, as
 * signed_request.h is on the way out.
 */
#ifndef AC_EXCHANGE_H
#define AC_EXCHANGE_H

#include "buf.h"
#include "signed_request.h"

/* How an exchange can fail below HTTP. */
enum ac_failure {
    AC_FAILURE_NONE, /* a complete HTTP answer */
    AC_FAILURE_RESOLVE,
    AC_FAILURE_CONNECT,
    AC_FAILURE_PROXY,
    AC_FAILURE_PROXY_REFUSED,
    AC_FAILURE_PROXY_TLS,
    AC_FAILURE_SEND,
    AC_FAILURE_RECEIVE,
    AC_FAILURE_CLOSED,
    AC_FAILURE_TIMEOUT,
    AC_FAILURE_TOO_LATE,
    AC_FAILURE_MALFORMED,
    AC_FAILURE_TLS,
    AC_FAILURE_TLS_EXPIRED,
    AC_FAILURE_TLS_NOT_YET_VALID,
    AC_FAILURE_TLS_UNTRUSTED,
    AC_FAILURE_TLS_WRONG_HOST,
    AC_FAILURE_TOO_LARGE,
    AC_FAILURE_REQUEST_TOO_LARGE,
    AC_FAILURE_CANCELLED,
    AC_FAILURE_REFUSED,
    AC_FAILURE_OTHER,
    AC_FAILURE_COUNT
};

/* What a retry would need. */
enum ac_retry {
    AC_RETRY_NEVER,
    AC_RETRY_TRANSPORT,   /* the network failed */
    AC_RETRY_SERVER,      /* the service failed, the work may be running */
    AC_RETRY_THROTTLE,    /* later */
    AC_RETRY_NONCE,       /* once, with a new nonce */
    AC_RETRY_CLOCK,       /* once, with the server's clock */
    AC_RETRY_CREDENTIALS, /* after a refresh of the credentials */
    AC_RETRY_PENDING      /* the first request with this token is still running */
};

/* What is known of a failure. */
struct ac_failure_rule {
    const char *name; /* in an exchange's field `failure`; NULL for AC_FAILURE_NONE */
    const char *kind; /* of the error */
    const char *code;
    const char *says;
    enum ac_retry retry;
};

const struct ac_failure_rule *ac_failure_rule(enum ac_failure failure);

/* By its name, for exchanges of other transports; AC_FAILURE_OTHER if nobody knows it,
 * AC_FAILURE_NONE for the empty text. */
enum ac_failure ac_failure_named(struct ac_str name);

/* What came of it. */
struct ac_exchange {
    bool done; /* until then nothing else is valid */
    enum ac_failure failure;
    bool sent; /* false only if no byte of the request left */
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
#define AC_OP_CLASS "alicloud.Op/4"

struct ac_exchange_box {
    const struct ac_exchange *exchange; /* NULL once it is closed */
    struct ac_signed_request *request;  /* what was sent, if it was signed; its own */
    bool read; /* while it is, since what is made of it may run a finalizer that closes it */
};

#endif
