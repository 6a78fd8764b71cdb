/* The result of a request on the wire: the transport fills it in, the core judges it. The two are
 * separate shared objects. This struct, inside a userdata, is their interface for results, as
 * signed_request.h is for requests.
 */
#ifndef AC_EXCHANGE_H
#define AC_EXCHANGE_H

#include "buf.h"
#include "signed_request.h"

/* How an exchange can fail below the level of HTTP. */
enum ac_failure {
    AC_FAILURE_NONE, /* a complete HTTP response */
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

/* When and how a failed request may be retried. */
enum ac_retry {
    AC_RETRY_NEVER,
    AC_RETRY_TRANSPORT,   /* the network failed */
    AC_RETRY_SERVER,      /* the service failed and may still be doing the work */
    AC_RETRY_THROTTLE,    /* after a backoff */
    AC_RETRY_NONCE,       /* once, with a new nonce */
    AC_RETRY_CLOCK,       /* once, with the server's time */
    AC_RETRY_CREDENTIALS, /* after a refresh of the credentials */
    AC_RETRY_PENDING      /* the first request with this idempotency token is still running */
};

/* The properties of a failure. */
struct ac_failure_rule {
    const char *name; /* in an exchange's field `failure`; NULL for AC_FAILURE_NONE */
    const char *kind; /* of the alicloud.Error */
    const char *code;
    const char *says;
    enum ac_retry retry;
};

const struct ac_failure_rule *ac_failure_rule(enum ac_failure failure);

/* The failure of this name, for exchanges of other transports: AC_FAILURE_OTHER for an unknown
 * name, AC_FAILURE_NONE for the empty text. */
enum ac_failure ac_failure_named(struct ac_str name);

/* The result of one request. */
struct ac_exchange {
    bool done; /* while false, no other field is valid */
    enum ac_failure failure;
    bool sent; /* false only if no byte of the request has left this machine */
    char detail[320];
    long status;
    struct ac_buf headers; /* "Name: value\n" of the last header block */
    struct ac_buf body;
    double elapsed; /* seconds */
    long new_connections;
    uint64_t bytes_sent; /* as HTTP counts them, without TLS */
    uint64_t bytes_received;
};

/* The userdata of an operation starts with struct ac_exchange_box. The name of the metatable
 * changes with the layout. */
#define AC_OP_CLASS "alicloud.Op/4"

struct ac_exchange_box {
    const struct ac_exchange *exchange; /* NULL once the operation is closed */
    struct ac_signed_request *request;  /* owned; the signed request that was sent, or NULL */
    bool read; /* true while the result is read: a finalizer that runs then may try to close it */
};

#endif
