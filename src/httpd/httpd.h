/* A small HTTP server over libmicrohttpd: whole requests in, whole answers out. Knows no Lua.
 *
 * The library's callbacks only fill C buffers. A complete request suspends its connection and waits
 * until it is taken; answering or dropping it wakes the connection again. A request has two owners,
 * its connection and whoever took it, and goes when both have let go. One daemon per server, no
 * threads; the epoll descriptor of the daemon makes the server pollable.
 *
 * A forked child shares the sockets and the epoll set with its parent, so there the library must
 * not run any more: closing only closes the child's copies of the descriptors.
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
    AC_HTTPD_WAITING,   /* complete and suspended; to be taken, or taken */
    AC_HTTPD_DONE       /* the answer can be queued; without one the connection is to be closed */
};

struct ac_httpd_request {
    struct ac_httpd_request *previous, *next; /* in its server's ring, with the connection */
    struct ac_httpd *server;
    struct MHD_Connection *connection; /* NULL once it has gone */
    struct MHD_Response *answer;
    unsigned status;
    enum ac_httpd_phase phase;
    bool held;       /* by whoever took it */
    size_t received; /* bytes of the body, also of one that is too large */
    /* URI as on the wire NUL method NUL, and of each header name NUL value NUL, the name in lower
     * case: one piece of memory, because every request needs it anew. */
    struct ac_buf head;
    size_t headers; /* how many */
    struct ac_buf body;
};

/* Must not move while it runs: the library keeps its address. */
struct ac_httpd {
    struct MHD_Daemon *daemon; /* NULL when closed */
    pid_t owner;               /* the process that started it */
    size_t max_body;
    struct ac_httpd_request ring; /* its neighbours; complete ones stand in the order of arrival */
    int connections[AC_HTTPD_CONNECTIONS];
    size_t count;
};

/* Listens. Returns 0 or an errno. */
int ac_httpd_start(struct ac_httpd *server, const struct sockaddr_in *address, size_t max_body);

/* Whether this process may use it, and not only close it. */
bool ac_httpd_is_own(const struct ac_httpd *server);

/* Requests that wait for an answer lose their connection, but stay valid for who took them. */
void ac_httpd_close(struct ac_httpd *server);

/* Takes the oldest complete request, or returns NULL. */
struct ac_httpd_request *ac_httpd_take(struct ac_httpd *server);

/* Sends `answer`, which the request owns from now on. The connection must still be there, and the
 * server be this process's own. */
void ac_httpd_answer(struct ac_httpd_request *request, unsigned status,
                     struct MHD_Response *answer);

/* Lets go of a taken request; an unanswered one has its connection closed. */
void ac_httpd_release(struct ac_httpd_request *request);

#endif
