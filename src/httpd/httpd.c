#include "httpd.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* A client that sends a larger body gets a response if it stops within this; else it is cut off. */
#define SWALLOW_BYTES ((size_t)1024 * 1024)
#define CONNECTION_TIMEOUT_S 30u
/* Request line and headers must fit. libmicrohttpd clears all of it after every request. */
#define CONNECTION_MEMORY_BYTES ((size_t)32 * 1024)
/* The part of it that most requests need. */
#define HEAD_BYTES ((size_t)1000)

/* Adds a request as the newest in the ring. */
static void request_link(struct ac_httpd_request *ring, struct ac_httpd_request *request)
{
    request->previous = ring->previous;
    request->next = ring;
    ring->previous->next = request;
    ring->previous = request;
}

static void request_unlink(struct ac_httpd_request *request)
{
    request->previous->next = request->next;
    request->next->previous = request->previous;
}

static void request_free(struct ac_httpd_request *request)
{
    if (request->answer)
        MHD_destroy_response(request->answer);
    ac_buf_free(&request->head);
    ac_buf_free(&request->body);
    free(request);
}

static void request_lose_connection(struct ac_httpd_request *request)
{
    request_unlink(request);
    request->connection = NULL;
    if (!request->held)
        request_free(request);
}

static void request_resume(struct ac_httpd_request *request)
{
    request->phase = AC_HTTPD_DONE;
    MHD_resume_connection(request->connection);
}

static void add_field(struct ac_buf *head, const char *text)
{
    ac_buf_add(head, text, strlen(text) + 1);
}

static void *on_uri(void *cls, const char *uri, struct MHD_Connection *connection)
{
    struct ac_httpd *server = cls;
    struct ac_httpd_request *request = calloc(1, sizeof *request);
    if (!request)
        return NULL;
    ac_buf_init(&request->head, 2 * CONNECTION_MEMORY_BYTES);
    ac_buf_init(&request->body, server->max_body);
    ac_buf_room(&request->head, HEAD_BYTES);
    add_field(&request->head, uri);
    request->server = server;
    request->connection = connection;
    request_link(&server->ring, request);
    return request;
}

static enum MHD_Result on_header(void *cls, enum MHD_ValueKind kind, const char *name,
                                 const char *value)
{
    struct ac_httpd_request *request = cls;
    size_t at = request->head.n;
    (void)kind;
    add_field(&request->head, name);
    add_field(&request->head, value ? value : "");
    if (request->head.status != AC_OK)
        return MHD_NO;
    for (char *p = request->head.p + at; *p; p++)
        *p = ac_lower(*p);
    request->headers++;
    return MHD_YES;
}

/* Without a response libmicrohttpd refuses the call and closes the connection. */
static enum MHD_Result finish(struct ac_httpd_request *request)
{
    return MHD_queue_response(request->connection, request->status, request->answer);
}

static enum MHD_Result refuse_large(struct ac_httpd_request *request)
{
    static const char text[] = "request body too large\n";
    request->phase = AC_HTTPD_DONE;
    request->status = MHD_HTTP_CONTENT_TOO_LARGE;
    request->answer =
        MHD_create_response_from_buffer(sizeof text - 1, (void *)text, MHD_RESPMEM_PERSISTENT);
    return finish(request);
}

static bool announces_too_much(struct MHD_Connection *connection, size_t max_body)
{
    const char *text =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
    return text && strtoull(text, NULL, 10) > max_body;
}

static enum MHD_Result begin(struct ac_httpd_request *request, const char *method)
{
    add_field(&request->head, method);
    MHD_get_connection_values(request->connection, MHD_HEADER_KIND, on_header, request);
    request->phase = AC_HTTPD_RECEIVING;
    if (request->head.status != AC_OK)
        return MHD_NO;
    if (announces_too_much(request->connection, request->body.max))
        return refuse_large(request);
    return MHD_YES;
}

static enum MHD_Result receive(struct ac_httpd_request *request, const char *data, size_t size)
{
    ac_buf_add(&request->body, data, size);
    request->received += size;
    bool bearable = request->received <= request->body.max + SWALLOW_BYTES;
    return bearable && request->body.status != AC_NOMEM ? MHD_YES : MHD_NO;
}

static enum MHD_Result complete(struct ac_httpd_request *request)
{
    if (request->body.status != AC_OK)
        return refuse_large(request);
    request_unlink(request);
    request_link(&request->server->ring, request);
    request->phase = AC_HTTPD_WAITING;
    MHD_suspend_connection(request->connection);
    return MHD_YES;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *size, void **context)
{
    struct ac_httpd_request *request = *context;
    size_t given = *size;
    (void)cls;
    (void)connection;
    (void)url;
    (void)version;
    if (!request)
        return MHD_NO;
    if (request->phase == AC_HTTPD_NEW)
        return begin(request, method);
    if (request->phase == AC_HTTPD_RECEIVING && given == 0)
        return complete(request);
    *size = 0;
    if (request->phase == AC_HTTPD_RECEIVING)
        return receive(request, data, given);
    return finish(request);
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode code)
{
    (void)cls;
    (void)connection;
    (void)code;
    if (*context)
        request_lose_connection(*context);
    *context = NULL;
}

static void on_connection(void *cls, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct ac_httpd *server = cls;
    int fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    size_t i = 0;
    (void)context;
    while (i < server->count && server->connections[i] != fd)
        i++;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED && i < server->count)
        server->connections[i] = server->connections[--server->count];
    else if (code == MHD_CONNECTION_NOTIFY_STARTED && server->count < AC_HTTPD_CONNECTIONS)
        server->connections[server->count++] = fd;
}

/* libmicrohttpd does not report why it failed, so the same is tried without it. If that works, it
 * was short of memory or descriptors. */
static int reason_to_fail(const struct sockaddr_in *address)
{
    const int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM, 0), error = errno;
    if (fd < 0)
        return error;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    bool bound = bind(fd, (const struct sockaddr *)address, sizeof *address) == 0;
    error = bound && listen(fd, 1) == 0 ? EAGAIN : errno;
    close(fd);
    return error;
}

int ac_httpd_start(struct ac_httpd *server, const struct sockaddr_in *address, size_t max_body)
{
    unsigned flags = MHD_ALLOW_SUSPEND_RESUME | MHD_USE_SUPPRESS_DATE_NO_CLOCK;
    if (MHD_is_feature_supported(MHD_FEATURE_EPOLL) == MHD_YES)
        flags |= MHD_USE_EPOLL;
    memset(server, 0, sizeof *server);
    server->ring.previous = server->ring.next = &server->ring;
    server->owner = getpid();
    server->max_body = max_body;
    server->daemon = MHD_start_daemon(
        flags, ntohs(address->sin_port), NULL, NULL, on_request, server, MHD_OPTION_SOCK_ADDR,
        address, MHD_OPTION_URI_LOG_CALLBACK, on_uri, server, MHD_OPTION_NOTIFY_COMPLETED,
        on_completed, server, MHD_OPTION_NOTIFY_CONNECTION, on_connection, server,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)AC_HTTPD_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
        CONNECTION_TIMEOUT_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY_BYTES,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
    return server->daemon ? 0 : reason_to_fail(address);
}

bool ac_httpd_is_own(const struct ac_httpd *server)
{
    return server->owner == getpid();
}

/* The daemon's memory and its eventfd stay until the child ends: libmicrohttpd cannot free them
 * without shutting down the sockets, which the parent shares. */
static void abandon(struct ac_httpd *server, struct MHD_Daemon *daemon)
{
    close(MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_LISTEN_FD)->listen_fd);
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD);
    if (info && info->epoll_fd >= 0)
        close(info->epoll_fd);
    while (server->count > 0)
        close(server->connections[--server->count]);
    while (server->ring.next != &server->ring)
        request_lose_connection(server->ring.next);
}

void ac_httpd_close(struct ac_httpd *server)
{
    struct MHD_Daemon *daemon = server->daemon;
    if (!daemon)
        return;
    server->daemon = NULL;
    if (!ac_httpd_is_own(server)) {
        abandon(server, daemon);
        return;
    }
    /* libmicrohttpd aborts the process if it is stopped while a connection is suspended. */
    for (struct ac_httpd_request *request = server->ring.next; request != &server->ring;
         request = request->next)
        if (request->phase == AC_HTTPD_WAITING)
            request_resume(request);
    MHD_stop_daemon(daemon);
}

struct ac_httpd_request *ac_httpd_take(struct ac_httpd *server)
{
    for (struct ac_httpd_request *request = server->ring.next; request != &server->ring;
         request = request->next)
        if (request->phase == AC_HTTPD_WAITING && !request->held) {
            request->held = true;
            return request;
        }
    return NULL;
}

void ac_httpd_answer(struct ac_httpd_request *request, unsigned status, struct MHD_Response *answer)
{
    request->answer = answer;
    request->status = status;
    request_resume(request);
}

void ac_httpd_release(struct ac_httpd_request *request)
{
    request->held = false;
    if (!request->connection)
        request_free(request);
    else if (!ac_httpd_is_own(request->server))
        request_lose_connection(request);
    else if (request->phase == AC_HTTPD_WAITING)
        request_resume(request);
}
