/* The last check before the first byte of a request leaves; it runs in C, without Lua.
 *
 * libcurl calls CURLOPT_PREREQFUNCTION(3) when the connection is established, with TLS and the
 * proxy's tunnel, and before it sends any of the request. If it was never called, or refused each
 * time, nothing was sent; else something may have been. libcurl calls it again when it re-sends a
 * request by itself, after a kept-alive connection turned out to be dead. `sent` then stays true,
 * and the second call may still refuse.
 *
 * What it cannot prevent: bytes in the kernel's buffer leave when the network allows, and a body
 * that is larger than the buffer is sent after the check. The timeout of the call limits both while
 * the process runs. For a change with a deadline for sending, the limit must hold after the process
 * has ended, too. So until the head of a response has come, closing the connection resets it: the
 * kernel drops the bytes that it still has and retransmits nothing.
 *
 * On a kept-alive connection no data may arrive between two requests. If there is some, it belongs
 * to no request (a 408 before closing, a second response), or the connection has ended; the request
 * then takes another connection. The check reads the kernel's buffer and that of the TLS library: a
 * TLS record can hold more than the end of a response, and the rest is in no socket any more. TLS
 * 1.3 session tickets come before the first response and are read with it. A fresh connection is
 * checked too, but not if it uses TLS, because tickets may be on their way. libcurl's own check is
 * weaker: 7.88 and 8.23 use a connection that has data, and no version looks into the TLS library
 * (tried on 7.88, 8.14 and 8.23).
 */
#include "transfer.h"

#include "sys.h"

#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* A function of OpenSSL; NULL if libcurl uses another TLS library. */
extern int SSL_has_pending(const void *ssl) __attribute__((weak));

static bool has_window(const struct ac_op *op)
{
    return op->request.mutating && op->request.send_by < HUGE_VAL;
}

static void reset_at_end(int fd, bool wanted)
{
    const struct linger linger = {.l_onoff = wanted, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
}

static void bound(int fd, const struct ac_op *op)
{
    unsigned ms = op->request.timeout_ms > 0 ? (unsigned)op->request.timeout_ms : 1;
    reset_at_end(fd, true);
#ifdef TCP_USER_TIMEOUT
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof ms);
#else
    (void)ms;
#endif
}

void ac_guard_opened(struct ac_handle *handle, int fd)
{
    struct ac_handles *handles = handle->handles;
    if (has_window(handle->op))
        bound(fd, handle->op);
    if (handles->open == handles->room) {
        size_t room = handles->room ? 2 * handles->room : 16;
        struct ac_socket *sockets = realloc(handles->sockets, room * sizeof *sockets);
        if (!sockets)
            return; /* a connection that is not in the list is never reused */
        handles->sockets = sockets;
        handles->room = room;
    }
    handles->sockets[handles->open++] = (struct ac_socket){.fd = fd};
}

void ac_guard_closes(struct ac_handles *handles, int fd)
{
    for (size_t i = 0; i < handles->open; i++)
        if (handles->sockets[i].fd == fd)
            handles->sockets[i] = handles->sockets[--handles->open];
}

enum word { SILENT, SPOKE, UNKNOWN };

static int port_of(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_storage room;
    } own = {0};
    socklen_t n = sizeof own;
    if (getsockname(fd, &own.any, &n) != 0)
        return 0;
    return ntohs(own.any.sa_family == AF_INET6 ? own.v6.sin6_port : own.v4.sin_port);
}

static bool is_from(struct ac_socket *socket, int port)
{
    if (socket->port == 0)
        socket->port = port_of(socket->fd);
    return socket->port == port;
}

/* From now on, closing this connection does not reset it. Several sockets can share a local port;
 * for the others this only changes how they are closed. */
void ac_guard_answered(const struct ac_op *op)
{
    struct ac_handles *handles = op->handle->handles;
    bool known = has_window(op) && op->port > 0;
    for (size_t i = 0; known && i < handles->open; i++)
        if (is_from(&handles->sockets[i], op->port))
            reset_at_end(handles->sockets[i].fd, false);
}

/* True if the connection has data to read or has ended. */
static bool has_spoken(int fd)
{
    char byte;
    return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 || (errno != EAGAIN && errno != EINTR);
}

/* Looks at all sockets with this local port. Mostly there is one; if there are more, a connection
 * may be dropped that could be used. */
static enum word word_of_kernel(struct ac_handles *handles, int port)
{
    enum word word = UNKNOWN;
    for (size_t i = 0; port > 0 && i < handles->open; i++) {
        struct ac_socket *socket = &handles->sockets[i];
        if (!is_from(socket, port))
            continue;
        if (has_spoken(socket->fd))
            return SPOKE;
        word = SILENT;
    }
    return word;
}

static enum word word_of_tls(CURL *easy, bool is_tls)
{
    const struct curl_tlssessioninfo *tls = NULL;
    curl_easy_getinfo(easy, CURLINFO_TLS_SSL_PTR, &tls);
    if (!tls || !tls->internals)
        return is_tls ? UNKNOWN : SILENT;
    if (tls->backend != CURLSSLBACKEND_OPENSSL || !SSL_has_pending)
        return UNKNOWN;
    return SSL_has_pending(tls->internals) ? SPOKE : SILENT;
}

static bool is_stray(const struct ac_handle *handle, int port)
{
    bool is_tls = ac_str_starts(handle->op->request.url, AC_STR("https://"));
    long fresh = 0;
    curl_easy_getinfo(handle->easy, CURLINFO_NUM_CONNECTS, &fresh);
    if (fresh > 0)
        return !is_tls && word_of_kernel(handle->handles, port) == SPOKE;
    return word_of_kernel(handle->handles, port) != SILENT ||
           word_of_tls(handle->easy, is_tls) != SILENT;
}

static enum ac_failure refusal_of(const struct ac_transport_request *request,
                                  const struct ac_handles *handles)
{
    if (handles->pid != getpid())
        return AC_FAILURE_CANCELLED;
    if (handles->options->observe &&
        (request->mutating || !ac_observe_reads(request, handles->options->reads)))
        return AC_FAILURE_REFUSED;
    return ac_sys_boottime() <= request->send_by ? AC_FAILURE_NONE : AC_FAILURE_TOO_LATE;
}

int ac_guard_on_request(void *user, char *peer, char *own, int peer_port, int own_port)
{
    struct ac_handle *handle = user;
    struct ac_op *op = handle->op;
    (void)peer, (void)own, (void)peer_port;
    op->refusal = refusal_of(&op->request, handle->handles);
    if (op->refusal != AC_FAILURE_NONE)
        return CURL_PREREQFUNC_ABORT;
    op->port = own_port;
    op->stray = is_stray(handle, own_port);
    if (op->stray) {
        /* Otherwise libcurl would use this connection for the next request. */
        curl_easy_setopt(handle->easy, CURLOPT_FORBID_REUSE, 1L);
        return CURL_PREREQFUNC_ABORT;
    }
    op->exchange.sent = true;
    return CURL_PREREQFUNC_OK;
}

void ac_guard_tell(struct ac_op *op)
{
    struct ac_exchange *exchange = &op->exchange;
    char *detail = exchange->detail;
    size_t n = sizeof exchange->detail;
    exchange->failure = op->refusal;
    if (op->refusal == AC_FAILURE_REFUSED)
        snprintf(detail, n, "this transport only observes");
    else if (op->refusal == AC_FAILURE_CANCELLED)
        snprintf(detail, n, "the transport was closed, or is another process's");
    else if (op->refusal == AC_FAILURE_TOO_LATE)
        snprintf(detail, n, "it was to leave by %.3f s of the boot clock, which shows %.3f s",
                 op->request.send_by, ac_sys_boottime());
}

/* libcurl reports its own limits as out of memory, and some of them only after the last check. */
static bool is_too_large(struct ac_op *op)
{
    const struct ac_transport_request *request = &op->request;
    size_t head = request->method.n + request->url.n;
    bool large_body = request->body.n > AC_MAX_REQUEST_BYTES;
    for (size_t i = 0; i < request->headers.n; i++)
        head += request->headers.v[i].name.n + request->headers.v[i].value.n;
    if (!large_body && head <= AC_MAX_HEAD_BYTES)
        return false;
    snprintf(op->exchange.detail, sizeof op->exchange.detail, "%s: %zu bytes, allowed: %zu",
             large_body ? "its body" : "its URL and header fields",
             large_body ? request->body.n : head,
             large_body ? AC_MAX_REQUEST_BYTES : AC_MAX_HEAD_BYTES);
    return true;
}

bool ac_guard_refuses(struct ac_op *op, const struct ac_handles *handles)
{
    op->refusal = refusal_of(&op->request, handles);
    if (op->refusal == AC_FAILURE_NONE && is_too_large(op))
        op->refusal = AC_FAILURE_REQUEST_TOO_LARGE;
    if (op->refusal == AC_FAILURE_NONE)
        return false;
    ac_guard_tell(op);
    op->exchange.done = true;
    return true;
}
