#include "httpd.h"

#include <errno.h>
#include <stdlib.h>

/* A client whose body is too large gets an answer if it stops within this; else it is cut off. */
#define SWALLOW_BYTES ((size_t)1024 * 1024)
#define CONNECTION_TIMEOUT_S 30u
/* Request line and headers must fit. The library clears all of it after every request. */
#define CONNECTION_MEMORY_BYTES ((size_t)32 * 1024)

static void request_free(struct ac_httpd_request *request)
{
    if (request->answer)
        MHD_destroy_response(request->answer);
    ac_buf_free(&request->method);
    ac_buf_free(&request->uri);
    ac_buf_free(&request->headers);
    ac_buf_free(&request->body);
    free(request);
}

static void request_unlink(struct ac_httpd *server, struct ac_httpd_request *request)
{
    struct ac_httpd_request **link = &server->ready_first;
    struct ac_httpd_request *last = NULL;
    while (*link && *link != request) {
        last = *link;
        link = &last->ready_next;
    }
    if (*link) {
        *link = request->ready_next;
        if (server->ready_last == request)
            server->ready_last = last;
    }
    *request->live_link = request->live_next;
    if (request->live_next)
        request->live_next->live_link = request->live_link;
}

static void request_resume(struct ac_httpd_request *request, enum ac_httpd_phase phase)
{
    request->phase = phase;
    MHD_resume_connection(request->connection);
}

static void *on_uri(void *cls, const char *uri, struct MHD_Connection *connection)
{
    struct ac_httpd *server = cls;
    struct ac_httpd_request *request = calloc(1, sizeof *request);
    if (!request)
        return NULL;
    ac_buf_init(&request->method, CONNECTION_MEMORY_BYTES);
    ac_buf_init(&request->uri, CONNECTION_MEMORY_BYTES);
    ac_buf_init(&request->headers, CONNECTION_MEMORY_BYTES);
    ac_buf_init(&request->body, server->max_body);
    ac_buf_add_text(&request->uri, uri);
    request->connection = connection;
    request->live_link = &server->live;
    request->live_next = server->live;
    if (server->live)
        server->live->live_link = &request->live_next;
    server->live = request;
    return request;
}

static enum MHD_Result on_header(void *cls, enum MHD_ValueKind kind, const char *name,
                                 const char *value)
{
    struct ac_buf *headers = cls;
    (void)kind;
    for (const char *p = name; *p; p++)
        ac_buf_add_char(headers, ac_lower(*p));
    ac_buf_add_char(headers, '\0');
    ac_buf_add_text(headers, value ? value : "");
    ac_buf_add_char(headers, '\0');
    return headers->status == AC_OK ? MHD_YES : MHD_NO;
}

static enum MHD_Result refuse_large(struct MHD_Connection *connection,
                                    struct ac_httpd_request *request)
{
    static const char text[] = "request body too large\n";
    struct MHD_Response *response =
        MHD_create_response_from_buffer(sizeof text - 1, (void *)text, MHD_RESPMEM_PERSISTENT);
    if (!response)
        return MHD_NO;
    request->phase = AC_HTTPD_ANSWERED;
    enum MHD_Result queued = MHD_queue_response(connection, MHD_HTTP_CONTENT_TOO_LARGE, response);
    MHD_destroy_response(response);
    return queued;
}

static bool announces_too_much(struct MHD_Connection *connection, size_t max_body)
{
    const char *text =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
    return text && strtoull(text, NULL, 10) > max_body;
}

static enum MHD_Result begin(struct ac_httpd *server, struct ac_httpd_request *request,
                             const char *method)
{
    ac_buf_add_text(&request->method, method);
    MHD_get_connection_values(request->connection, MHD_HEADER_KIND, on_header, &request->headers);
    request->phase = AC_HTTPD_RECEIVING;
    if (request->method.status != AC_OK || request->uri.status != AC_OK ||
        request->headers.status != AC_OK)
        return MHD_NO;
    if (announces_too_much(request->connection, server->max_body))
        return refuse_large(request->connection, request);
    return MHD_YES;
}

static enum MHD_Result receive(struct ac_httpd *server, struct ac_httpd_request *request,
                               const char *data, size_t size)
{
    if (!request->oversized) {
        ac_buf_add(&request->body, data, size);
        if (request->body.status == AC_NOMEM)
            return MHD_NO;
        request->oversized = request->body.status == AC_LIMIT;
    }
    if (request->oversized) {
        ac_buf_free(&request->body);
        request->swallowed += size;
    }
    return request->swallowed <= server->max_body + SWALLOW_BYTES ? MHD_YES : MHD_NO;
}

static enum MHD_Result complete(struct ac_httpd *server, struct ac_httpd_request *request)
{
    if (request->oversized)
        return refuse_large(request->connection, request);
    if (server->ready_last)
        server->ready_last->ready_next = request;
    else
        server->ready_first = request;
    server->ready_last = request;
    request->phase = AC_HTTPD_WAITING;
    MHD_suspend_connection(request->connection);
    return MHD_YES;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *size, void **context)
{
    struct ac_httpd *server = cls;
    struct ac_httpd_request *request = *context;
    (void)url;
    (void)version;
    if (!request)
        return MHD_NO;
    if (request->phase == AC_HTTPD_NEW)
        return begin(server, request, method);
    if (request->phase == AC_HTTPD_RECEIVING && *size > 0) {
        size_t given = *size;
        *size = 0;
        return receive(server, request, data, given);
    }
    if (request->phase == AC_HTTPD_RECEIVING)
        return complete(server, request);
    if (request->phase == AC_HTTPD_ANSWERED && request->answer)
        return MHD_queue_response(connection, request->status, request->answer);
    return MHD_NO;
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode code)
{
    struct ac_httpd_request *request = *context;
    (void)connection;
    (void)code;
    if (!request)
        return;
    *context = NULL;
    request_unlink(cls, request);
    request->connection = NULL;
    if (!request->held)
        request_free(request);
}

bool ac_httpd_start(struct ac_httpd *server, const struct sockaddr_in *address, size_t max_body)
{
    unsigned flags = MHD_ALLOW_SUSPEND_RESUME | MHD_USE_SUPPRESS_DATE_NO_CLOCK;
    if (MHD_is_feature_supported(MHD_FEATURE_EPOLL) == MHD_YES)
        flags |= MHD_USE_EPOLL;
    memset(server, 0, sizeof *server);
    server->max_body = max_body;
    errno = 0;
    server->daemon = MHD_start_daemon(
        flags, ntohs(address->sin_port), NULL, NULL, on_request, server, MHD_OPTION_SOCK_ADDR,
        address, MHD_OPTION_URI_LOG_CALLBACK, on_uri, server, MHD_OPTION_NOTIFY_COMPLETED,
        on_completed, server, MHD_OPTION_CONNECTION_TIMEOUT, CONNECTION_TIMEOUT_S,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY_BYTES, MHD_OPTION_STRICT_FOR_CLIENT,
        1, MHD_OPTION_END);
    return server->daemon != NULL;
}

void ac_httpd_close(struct ac_httpd *server)
{
    struct MHD_Daemon *daemon = server->daemon;
    if (!daemon)
        return;
    server->daemon = NULL;
    /* The library aborts the process when it is stopped over a suspended connection. */
    for (struct ac_httpd_request *request = server->live; request; request = request->live_next)
        if (request->phase == AC_HTTPD_WAITING)
            request_resume(request, AC_HTTPD_DROPPED);
    MHD_stop_daemon(daemon);
}

struct ac_httpd_request *ac_httpd_take(struct ac_httpd *server)
{
    struct ac_httpd_request *request = server->ready_first;
    if (!request)
        return NULL;
    server->ready_first = request->ready_next;
    if (!server->ready_first)
        server->ready_last = NULL;
    request->ready_next = NULL;
    request->held = true;
    return request;
}

void ac_httpd_answer(struct ac_httpd_request *request, unsigned status, struct MHD_Response *answer)
{
    request->answer = answer;
    request->status = status;
    request_resume(request, AC_HTTPD_ANSWERED);
}

void ac_httpd_release(struct ac_httpd_request *request)
{
    request->held = false;
    if (!request->connection)
        request_free(request);
    else if (request->phase == AC_HTTPD_WAITING)
        request_resume(request, AC_HTTPD_DROPPED);
}
