/* Stage 3 of a call: sends requests over HTTP(S). Only this folder uses libcurl.
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

/* Addresses of a host, used instead of asking a resolver. */
struct ac_pin {
    struct ac_str host;      /* name or name:port; without a port, it is valid for every port */
    struct ac_str addresses; /* joined with ',', in the order in which they are tried */
};

/* Every text is followed by a NUL, or is {NULL, 0}. */
struct ac_transport_options {
    long connect_timeout_ms;
    size_t max_body_bytes;
    size_t max_header_bytes; /* of all header blocks of an answer together */
    bool observe; /* refuse, before a socket is opened, requests that are not in `reads` */
    const struct ac_actions *reads; /* operations that only read; NULL: none */
    struct ac_str ca_file;          /* both empty: the system's trust, see ac_transport_trust() */
    struct ac_str ca_path;
    struct ac_str client_cert; /* PEM files; the key may be in the first one */
    struct ac_str client_key;
    struct ac_str proxy;    /* empty: as the environment says; "none": no proxy */
    struct ac_str no_proxy; /* hosts asked directly, "a,b"; empty: as the environment says */
    const struct ac_pin *pins;
    size_t pin_count;
};

/* Limit of method, URL and all header fields of a request together; half of libcurl's limit. */
#define AC_MAX_HEAD_BYTES ((size_t)512 * 1024)

/* A request, in the layout of a signed one: see signed_request.h. */
struct ac_transport_request {
    struct ac_str method;
    struct ac_str url;
    struct ac_str body;
    struct ac_pairs headers;
    long timeout_ms;         /* from submit to the last byte */
    long connect_timeout_ms; /* negative: use the transport's */
    double send_by;          /* deadline for sending, in seconds of ac_sys_boottime() */
    bool mutating;           /* use a connection of its own: libcurl re-sends a POST by itself when
                              * a kept-alive connection dies before the first byte of the answer */
    bool plain_http;         /* allow http:// to a host that is not loopback */
};

/* Totals since the transport was made; only in_flight can decrease. A cancelled transfer counts in
 * `requests` only. */
struct ac_transport_stats {
    uint64_t requests;    /* submitted and not refused */
    uint64_t connections; /* opened */
    uint64_t reused;      /* requests sent on a kept-alive connection */
    uint64_t bytes_sent;
    uint64_t bytes_received;
    unsigned in_flight;
};

/* The certificate store that is used if the caller names none: the system's hashed directory if
 * there is one (only the needed root is read), else its bundle (parsed once per transport).
 * libcurl's default is both, and parses every root again for each new connection. */
struct ac_transport_trust {
    const char *ca_file;
    const char *ca_path;
};
struct ac_transport_trust ac_transport_trust(void);

/* Names and versions of libcurl and its TLS library. */
void ac_transport_library(char out[96]);

/* Initialises libcurl once per process; thread-safe. Returns NULL, or what this libcurl lacks. */
const char *ac_transport_init(void);

/* Writes the keys of all later TLS connections to a file. Only for a program that owns its process,
 * before its first transport: it unsets SSLKEYLOGFILE. False if libcurl could not initialise. */
bool ac_transport_log_keys(const char *path);

/* NULL when out of memory or descriptors. The texts are borrowed until ac_transport_free(). */
struct ac_transport *ac_transport_new(const struct ac_transport_options *options);

/* Ends all transfers in flight. Operations that are still held stay valid; they are "cancelled". */
void ac_transport_free(struct ac_transport *transport);

/* Why this request can never be sent (such as a URL that is not allowed), or NULL. */
const char *ac_transport_flaw(const struct ac_transport_request *request);

/* Starts a request. NULL when out of memory or descriptors. The texts are borrowed until the
 * operation is done. An operation that is too large or refused is done at once. */
struct ac_op *ac_transport_submit(struct ac_transport *transport,
                                  const struct ac_transport_request *request);

/* Advances every transfer that can advance; returns how many finished. */
unsigned ac_transport_step(struct ac_transport *transport);

/* Waits until step() has something to do, at most timeout_ms; a signal ends the wait. */
void ac_transport_wait(struct ac_transport *transport, int timeout_ms);

int ac_transport_fd(const struct ac_transport *transport);
/* Milliseconds until step() must run even if the descriptor stays silent; -1 for never. */
long ac_transport_timeout_ms(const struct ac_transport *transport);
struct ac_transport_stats ac_transport_stats(const struct ac_transport *transport);

/* The ticket of an operation that has ended, each once; 0 if there is none left. A caller that
 * waits for many operations need not ask each of them. */
uint64_t ac_transport_ended(struct ac_transport *transport);

/* A number that is unique among the operations of this transport; 0 if it was never started. */
uint64_t ac_op_ticket(const struct ac_op *op);
const struct ac_exchange *ac_op_exchange(const struct ac_op *op);
void ac_op_cancel(struct ac_op *op);
/* Cancels the operation if it is not done, and frees it; the transport may be closed already. */
void ac_op_release(struct ac_op *op);

#endif
