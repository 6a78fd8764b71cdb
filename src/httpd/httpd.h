/* A small HTTP server on libmicrohttpd: it receives whole requests and sends whole responses. It
 * does not use Lua.
 *
 * libmicrohttpd's callbacks only fill C buffers. The connection of a complete request is suspended
 * until the request is answered or dropped. A request has two owners, its connection and the code
 * that took it, and is freed when both have released it. There is one daemon per server and no
 * thread; the daemon's epoll descriptor makes the server pollable.
 *
 * A forked child shares the sockets and the epoll set with its parent, so libmicrohttpd must not
 * run in the child: closing a server there only closes the child's copies of the descriptors.
 */
#ifndef AC_HTTPD_H
#define AC_HTTPD_H

#include "ac.h"
#include "buf.h"

#include <microhttpd.h>
#include <netinet/in.h>
#include <sys/types.h>

#define AC_HTTPD_CONNECTIONS 1000

enum ac_httpd_phase {
    AC_HTTPD_NEW,       /* the request line is known */
    AC_HTTPD_RECEIVING, /* headers are read, the body is coming */
    AC_HTTPD_WAITING,   /* complete and suspended; taken or not */
    AC_HTTPD_DONE       /* the response can be queued; without one the connection is closed */
};

struct ac_httpd_request {
    struct ac_httpd_request *previous, *next; /* in its server's ring, while it has a connection */
    struct ac_httpd *server;
    struct MHD_Connection *connection; /* NULL once it is closed */
    struct MHD_Response *answer;
    unsigned status;
    enum ac_httpd_phase phase;
    bool held;       /* by the code that took it */
    size_t received; /* bytes of the body, also if it is too large */
    /* URI as on the wire, NUL, method, NUL, then for each header: name in lower case, NUL, value,
     * NUL. One allocation, because every request needs it. */
    struct ac_buf head;
    size_t headers; /* number of headers in `head` */
    struct ac_buf body;
};

/* Must not move while it runs: libmicrohttpd keeps its address. */
struct ac_httpd {
    struct MHD_Daemon *daemon; /* NULL when closed */
    pid_t owner;               /* the process that started it */
    size_t max_body;
    struct ac_httpd_request ring; /* head of the ring; complete requests are in order of arrival */
    int connections[AC_HTTPD_CONNECTIONS];
    size_t count;
};

/* Starts to listen. Returns 0 or an errno. */
int ac_httpd_start(struct ac_httpd *server, const struct sockaddr_in *address, size_t max_body);

/* Whether this process may use the server; a forked child may only close it. */
bool ac_httpd_is_own(const struct ac_httpd *server);

/* Requests that wait for a response lose their connection; those that were taken stay valid. */
void ac_httpd_close(struct ac_httpd *server);

/* Takes the oldest complete request; NULL if there is none. */
struct ac_httpd_request *ac_httpd_take(struct ac_httpd *server);

/* Sends `answer`, which the request then owns. Its connection must still be open, and the server
 * must belong to this process. */
void ac_httpd_answer(struct ac_httpd_request *request, unsigned status,
                     struct MHD_Response *answer);

/* Releases a taken request; if it was not answered, its connection is closed. */
void ac_httpd_release(struct ac_httpd_request *request);

#endif
