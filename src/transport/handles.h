/* libcurl's easy handles and the sockets that they open. Options that never change are set once
 * for each handle. A handle is used for many requests if libcurl allows that (from 8.1.1 on).
 *
 * Only transfer.c sets options that differ between requests. Cost on libcurl 7.88 (with reuse
 * forced), of 234 thousand instructions for a call: a new handle for each request adds 19 thousand
 * (8 %), parsing the URL each time adds 13 thousand (5 %).
 */
#ifndef AC_HANDLES_H
#define AC_HANDLES_H

#include "transport.h"

#include <curl/curl.h>
#include <sys/types.h>

struct ac_op;

struct ac_handle {
    CURL *easy;
    struct ac_op *op; /* the operation that uses this handle, or NULL */
    struct ac_handles *handles;
    struct ac_handle *next;
    char error_text[CURL_ERROR_SIZE];
};

struct ac_socket {
    int fd;
    int port; /* our local port, 0 until it is known */
};

/* Number of origins whose URL is parsed once; URLs of further origins are parsed for each call. */
#define AC_ORIGINS 8

struct ac_origin {
    struct ac_str place; /* the URL up to its path, followed by a NUL */
    CURLU *parsed;       /* NULL if libcurl cannot parse it */
};

/* What all handles of one transport share. */
struct ac_handles {
    const struct ac_transport_options *options;
    unsigned version; /* of libcurl, as in curl_version_info() */
    pid_t pid;        /* the process that opened the connections; 0 once the transport is closed */
    int poller;
    struct ac_handle *idle;
    unsigned count; /* length of `idle` */
    CURLSH *shared; /* TLS sessions, so that a fresh connection can resume one */
    struct ac_socket *sockets;
    size_t open, room;
    struct ac_origin origins[AC_ORIGINS];
    size_t origin_count;
};

/* Takes an idle handle or makes a new one; NULL when out of memory. */
struct ac_handle *ac_handles_take(struct ac_handles *handles);

/* Puts a handle among the idle ones; call curl_multi_remove_handle() first. */
void ac_handles_give(struct ac_handle *handle);

/* Frees a handle that is not put back. */
void ac_handle_free(struct ac_handle *handle);

void ac_handles_free(struct ac_handles *handles);

/* Sets an option that libcurl copies. False when out of memory: the option would then keep its
 * default, such as another trust store, so the request must not be sent. */
bool ac_handle_set_text(struct ac_handle *handle, CURLoption option, const char *text);

/* Sets the URL. `target` points to the path and query in it, which libcurl then sends byte for
 * byte; NULL lets libcurl write them. */
bool ac_handle_set_url(struct ac_handle *handle, struct ac_str url, const char *target);

/* libcurl's callbacks, in transfer.c and guard.c; `user` is the struct ac_handle. */
size_t ac_transfer_on_header(char *p, size_t size, size_t n, void *user);
size_t ac_transfer_on_body(char *p, size_t size, size_t n, void *user);
int ac_guard_on_request(void *user, char *peer, char *own, int peer_port, int own_port);

#endif
