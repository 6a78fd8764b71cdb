/* Stage 3 of a call: the wire. Only this folder knows libcurl.
 *
 * One transport is one connection pool with one pollable descriptor. submit() starts a transfer,
 * step() moves all of them and never blocks, and a finished operation holds an exchange. A
 * transport belongs to one thread. After a fork the child's first use abandons the parent's
 * connections without touching them.
 */
#ifndef AC_TRANSPORT_H
#define AC_TRANSPORT_H

#include "exchange.h"
#include "signed_request.h"

struct ac_actions;
struct ac_transport;
struct ac_op;

/* Addresses of a host that no resolver is asked for. */
struct ac_pin {
    struct ac_str host;      /* name, or name:port; without, the port is that of each request */
    struct ac_str addresses; /* joined with ',', in the order in which they are tried */
};

/* Every text is followed by a NUL, or is {NULL, 0}. */
struct ac_transport_options {
    long connect_timeout_ms;
    size_t max_body_bytes;
    size_t max_header_bytes; /* of all header blocks of an answer together */
    bool observe;            /* refuse, before a socket is opened, what is not known to read */
    const struct ac_actions *reads; /* what is known; NULL: nothing */
    struct ac_str ca_file;          /* both empty: the system's trust, see ac_transport_trust() */
    struct ac_str ca_path;
    struct ac_str client_cert; /* PEM files; the key may be in the first one */
    struct ac_str client_key;
    struct ac_str proxy;    /* empty: the environment's; "none": no proxy */
    struct ac_str no_proxy; /* hosts asked directly, "a,b"; empty: the environment's */
    const struct ac_pin *pins;
    size_t pin_count;
};

/* Method, URL and all header fields of a request together; half of what libcurl takes. */
#define AC_MAX_HEAD_BYTES ((size_t)512 * 1024)

/* A request, laid out as a signed one is: see signed_request.h. */
struct ac_transport_request {
    struct ac_str method;
    struct ac_str url;
    struct ac_str body;
    struct ac_pairs headers;
    long timeout_ms;         /* from submit to the last byte */
    long connect_timeout_ms; /* negative: the transport's */
    double send_by;          /* in seconds of ac_sys_boottime(): after it nothing leaves */
    bool mutating;   /* own connection, closed afterwards: libcurl re-sends a POST by itself when
                      * a kept-alive connection dies before the first byte of the answer */
    bool plain_http; /* http:// to a host that is not loopback is wanted */
};

/* Totals since the transport was made, each growing only, but for in_flight. The others are of
 * transfers that ended by themselves; one that was cancelled is a request and nothing else. */
struct ac_transport_stats {
    uint64_t requests;    /* submitted, but for those that were refused */
    uint64_t connections; /* opened */
    uint64_t reused;      /* requests that left on a connection kept alive */
    uint64_t bytes_sent;
    uint64_t bytes_received;
    unsigned in_flight;
};

/* The certificate store that is used where the caller names none: the system's hashed directory
 * alone if it has one (one root is read per server), else its bundle alone (parsed once per
 * transport). libcurl's default of both parses every root again for each new connection. */
struct ac_transport_trust {
    const char *ca_file;
    const char *ca_path;
};
struct ac_transport_trust ac_transport_trust(void);

/* Names and versions of libcurl and its TLS library. */
void ac_transport_library(char out[96]);

/* Once per process and thread-safe. NULL, or what this libcurl lacks. */
const char *ac_transport_init(void);

/* From now on the keys of TLS connections go into a file. For a program that owns its process,
 * before its first transport; its variable SSLKEYLOGFILE is gone then. False if that cannot be. */
bool ac_transport_log_keys(const char *path);

/* NULL when out of memory or descriptors. The texts are borrowed until ac_transport_free(). */
struct ac_transport *ac_transport_new(const struct ac_transport_options *options);

/* Ends what is in flight. Operations that are still held stay valid and say "cancelled". */
void ac_transport_free(struct ac_transport *transport);

/* Why the request cannot be sent at all (a URL it may not use, …), or NULL. */
const char *ac_transport_flaw(const struct ac_transport_request *request);

/* NULL when out of memory. The texts are borrowed until the operation is done. One that is over a
 * limit of size, or refused, is done at once. */
struct ac_op *ac_transport_submit(struct ac_transport *transport,
                                  const struct ac_transport_request *request);

/* Moves every transfer that can move; returns how many finished. */
unsigned ac_transport_step(struct ac_transport *transport);

/* Waits for what step() would do, at most so long; a signal ends it early. */
void ac_transport_wait(struct ac_transport *transport, int timeout_ms);

int ac_transport_fd(const struct ac_transport *transport);
/* Milliseconds until step() must run even if the descriptor stays silent; -1 for never. */
long ac_transport_timeout_ms(const struct ac_transport *transport);
struct ac_transport_stats ac_transport_stats(const struct ac_transport *transport);

/* The ticket of an operation that has ended since, each once, or 0: who waits for many need not ask
 * all of them. */
uint64_t ac_transport_ended(struct ac_transport *transport);

/* Not 0, and no other operation's of this transport. */
uint64_t ac_op_ticket(const struct ac_op *op);
const struct ac_exchange *ac_op_exchange(const struct ac_op *op);
void ac_op_cancel(struct ac_op *op);
/* Cancels if needed and releases; the transport may be gone already. */
void ac_op_release(struct ac_op *op);

#endif
