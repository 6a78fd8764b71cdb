/* A small HTTP server over libmicrohttpd: whole requests in, whole answers out. Knows no Lua.
 *
 * The library's callbacks only fill C buffers. A complete request suspends its connection and waits
 * in a queue until it is taken; answering or dropping it wakes the connection again. A request has
 * two owners, its connection and whoever took it, and goes when both have let go. One daemon per
 * server, no threads; the epoll descriptor of the daemon makes the server pollable.
 */
#ifndef AC_HTTPD_H
#define AC_HTTPD_H

#include "ac.h"
#include "buf.h"

#include <microhttpd.h>
#include <netinet/in.h>

enum ac_httpd_phase {
    AC_HTTPD_NEW,       /* the request line is known */
    AC_HTTPD_RECEIVING, /* headers are read, the body is coming */
    AC_HTTPD_WAITING,   /* complete and suspended; queued, or taken */
    AC_HTTPD_ANSWERED,  /* the answer can be queued */
    AC_HTTPD_DROPPED    /* the connection shall be closed without an answer */
};

struct ac_httpd_request {
    struct ac_httpd_request *live_next, **live_link; /* every request that has a connection */
    struct ac_httpd_request *ready_next;
    struct MHD_Connection *connection; /* NULL once it has gone */
    struct MHD_Response *answer;
    unsigned status;
    enum ac_httpd_phase phase;
    bool held; /* by whoever took it */
    bool oversized;
    size_t swallowed;
    struct ac_buf method;
    struct ac_buf uri;     /* as on the wire */
    struct ac_buf headers; /* name NUL value NUL …, names in lower case */
    struct ac_buf body;
};

/* Must not move while it runs: the library keeps its address. */
struct ac_httpd {
    struct MHD_Daemon *daemon; /* NULL when closed */
    size_t max_body;
    struct ac_httpd_request *live;
    struct ac_httpd_request *ready_first, *ready_last;
};

/* Listens; false leaves the reason in errno, where the library left one. */
bool ac_httpd_start(struct ac_httpd *server, const struct sockaddr_in *address, size_t max_body);

/* Requests that wait for an answer lose their connection, but stay valid for who took them. */
void ac_httpd_close(struct ac_httpd *server);

/* Takes the oldest complete request out of the queue, or returns NULL. */
struct ac_httpd_request *ac_httpd_take(struct ac_httpd *server);

/* Sends `answer`, which the request owns from now on. The connection must still be there. */
void ac_httpd_answer(struct ac_httpd_request *request, unsigned status,
                     struct MHD_Response *answer);

/* Lets go of a taken request; an unanswered one has its connection closed. */
void ac_httpd_release(struct ac_httpd_request *request);

#endif
