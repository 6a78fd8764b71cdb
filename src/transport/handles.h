/* libcurl's handles, made with the standing policy and used for one request after the other where
 * libcurl bears that (8.1.1); and the sockets that it opens.
 *
 * What differs between requests is set by transfer.c for each of them; nothing else may be. Of a
 * call's 234 thousand instructions (libcurl 7.88, made to use its handles again) a handle of its
 * own would make 19 thousand more, 8 %, and a URL that is parsed each time 13 thousand, 5 %.
 */
#ifndef AC_HANDLES_H
#define AC_HANDLES_H

#include "transport.h"

#include <curl/curl.h>
#include <sys/types.h>

struct ac_op;

struct ac_handle {
    CURL *easy;
    struct ac_op *op; /* whose request it carries, or NULL */
    struct ac_handles *handles;
    struct ac_handle *next;
    char error_text[CURL_ERROR_SIZE];
};

struct ac_socket {
    int fd;
    int port; /* its own, 0 until it is known */
};

/* So many are parsed once; what is asked of others is parsed for each call. */
#define AC_ORIGINS 8

struct ac_origin {
    struct ac_str place; /* a URL up to its path, followed by a NUL */
    CURLU *parsed;       /* NULL where libcurl cannot */
};

/* What all handles of a transport share. */
struct ac_handles {
    const struct ac_transport_options *options;
    unsigned version; /* of libcurl, as in curl_version_info() */
    pid_t pid;        /* whose they are, 0 once the transport is closed */
    int poller;
    struct ac_handle *idle;
    unsigned count; /* of the idle ones */
    CURLSH *shared; /* TLS sessions, so that a fresh connection need not begin from nothing */
    struct ac_socket *sockets;
    size_t open, room;
    struct ac_origin origins[AC_ORIGINS];
    size_t origin_count;
};

/* An idle handle or a new one, or NULL when out of memory. */
struct ac_handle *ac_handles_take(struct ac_handles *handles);

/* Takes it back after curl_multi_remove_handle(). */
void ac_handles_give(struct ac_handle *handle);

/* Frees a handle that is not taken back. */
void ac_handle_free(struct ac_handle *handle);

void ac_handles_free(struct ac_handles *handles);

/* For the options that libcurl copies: one that could not be copied would leave its default, such
 * as another trust store, in force. */
bool ac_handle_set_text(struct ac_handle *handle, CURLoption option, const char *text);

/* The URL of a request up to `target`, which libcurl is to take byte for byte, or all of it. */
bool ac_handle_set_url(struct ac_handle *handle, struct ac_str url, const char *target);

/* libcurl's callbacks, in transfer.c and guard.c; `user` is the handle. */
size_t ac_transfer_on_header(char *p, size_t size, size_t n, void *user);
size_t ac_transfer_on_body(char *p, size_t size, size_t n, void *user);
int ac_guard_on_request(void *user, char *peer, char *own, int peer_port, int own_port);

#endif
