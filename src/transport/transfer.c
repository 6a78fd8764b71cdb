#include "transfer.h"

#include "failure.h"
#include "request_bytes.h"
#include "trust.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

/* libcurl's MAX_INITIAL_POST_SIZE. */
#define SENT_WITH_HEADERS ((size_t)64 * 1024)

struct ac_op *ac_transfer_new(const struct ac_transport_options *options)
{
    struct ac_op *op = malloc(sizeof *op);
    if (!op)
        return NULL;
    memset(op, 0, sizeof *op);
    ac_buf_init(&op->exchange.headers, options->max_header_bytes);
    ac_buf_init(&op->exchange.body, options->max_body_bytes);
    return op;
}

void ac_transfer_renew(struct ac_op *op)
{
    struct ac_buf headers = op->exchange.headers, body = op->exchange.body;
    memset(op, 0, sizeof *op);
    op->exchange.headers = headers;
    op->exchange.body = body;
    ac_buf_reset(&op->exchange.headers);
    ac_buf_reset(&op->exchange.body);
}

void ac_transfer_free(struct ac_op *op)
{
    ac_buf_free(&op->exchange.headers);
    ac_buf_free(&op->exchange.body);
    free(op);
}

/* Most blocks fit in it. */
#define USUAL_HEADERS ((size_t)511)

static void keep_header(struct ac_buf *headers, const char *p, size_t n)
{
    if (headers->cap == 0 && headers->max >= USUAL_HEADERS)
        ac_buf_room(headers, USUAL_HEADERS);
    ac_buf_add(headers, p, n);
}

size_t ac_transfer_on_header(char *p, size_t size, size_t n, void *user)
{
    struct ac_op *op = ((struct ac_handle *)user)->op;
    size_t bytes = size * n;
    op->header_bytes += bytes;
    if (op->header_bytes > op->exchange.headers.max) {
        op->too_large = true;
        return 0;
    }
    /* A new status line starts the block that counts: informational answers come before it. What
     * comes after the body is a trailer, which may not pass for a header. */
    if (bytes >= 6 && memcmp(p, "HTTP/", 5) == 0 && p[5] >= '0' && p[5] <= '9')
        ac_buf_reset(&op->exchange.headers);
    else if (op->exchange.body.n == 0)
        keep_header(&op->exchange.headers, p, bytes);
    return op->exchange.headers.status == AC_OK ? bytes : 0;
}

size_t ac_transfer_on_body(char *p, size_t size, size_t n, void *user)
{
    struct ac_op *op = ((struct ac_handle *)user)->op;
    ac_buf_add(&op->exchange.body, p, size * n);
    if (op->exchange.body.status == AC_OK)
        return size * n;
    op->too_large = op->exchange.body.status == AC_LIMIT;
    return 0;
}

enum { METHOD_GET = 1, METHOD_POST, METHOD_OTHER };

static bool set_method(struct ac_handle *handle, struct ac_str name)
{
    int method = ac_str_equal(name, AC_STR("POST"))  ? METHOD_POST
                 : ac_str_equal(name, AC_STR("GET")) ? METHOD_GET
                                                     : METHOD_OTHER;
    if (method == handle->method && method != METHOD_OTHER)
        return true;
    handle->method = method;
    if (method == METHOD_GET)
        curl_easy_setopt(handle->easy, CURLOPT_POSTFIELDS, NULL);
    curl_easy_setopt(handle->easy, method == METHOD_GET ? CURLOPT_HTTPGET : CURLOPT_POST, 1L);
    return ac_handle_set_text(handle, CURLOPT_CUSTOMREQUEST,
                              method == METHOD_OTHER ? name.p : NULL);
}

enum { SCHEME_HTTP = 1, SCHEME_HTTPS };

static bool set_scheme(struct ac_handle *handle, struct ac_str url)
{
    int scheme = ac_str_starts(url, AC_STR("http://")) ? SCHEME_HTTP : SCHEME_HTTPS;
    if (scheme == handle->scheme)
        return true;
    handle->scheme = scheme;
    return ac_handle_set_text(handle, CURLOPT_PROTOCOLS_STR,
                              scheme == SCHEME_HTTP ? "http" : "https");
}

enum { ROUTE_USUAL = 1, ROUTE_DIRECT };

/* No proxy stands between this machine and itself. */
static bool set_route(struct ac_handle *handle, const struct ac_transport_options *options,
                      struct ac_str url)
{
    int route = ac_url_is_loopback(url) ? ROUTE_DIRECT : ROUTE_USUAL;
    if (route == handle->route)
        return true;
    handle->route = route;
    return ac_handle_set_text(handle, CURLOPT_NOPROXY,
                              route == ROUTE_DIRECT ? "*" : options->no_proxy.p);
}

/* Up to the path, for what is asked directly or through a tunnel: then libcurl copies the target as
 * it is, and does not take the query apart and print it byte by byte. A proxy that is told the
 * whole URL needs it whole, and a fragment is not for sending. */
static size_t origin_length(const struct ac_handle *handle, struct ac_str url)
{
    struct ac_str authority = ac_url_authority(url);
    size_t n = authority.n > 0 ? (size_t)(authority.p - url.p) + authority.n : url.n;
    bool direct = handle->scheme == SCHEME_HTTPS || handle->route == ROUTE_DIRECT;
    if (!direct || n == url.n || url.p[n] != '/' || memchr(url.p, '#', url.n))
        return url.n;
    return n;
}

/* Calls of a client differ in their targets only. */
static bool set_url(struct ac_handle *handle, struct ac_str url)
{
    size_t n = origin_length(handle, url);
    return ac_handle_set_url(handle, (struct ac_str){url.p, n}, n < url.n);
}

/* Whether the last request went to the same origin, so that nothing but the target is new. */
static bool knows_origin(const struct ac_handle *handle, struct ac_str url)
{
    size_t n = handle->url.n;
    return handle->origin && n < url.n && url.p[n] == '/' && memcmp(url.p, handle->url.p, n) == 0 &&
           !memchr(url.p, '#', url.n);
}

static bool set_place(struct ac_handle *handle, const struct ac_transport_options *options,
                      struct ac_str url)
{
    return knows_origin(handle, url) ||
           (set_scheme(handle, url) && set_route(handle, options, url) && set_url(handle, url));
}

/* libcurl wants a port with each name, so the pins are written anew for every request. */
static bool set_pins(struct ac_op *op, const struct ac_transport_options *options,
                     struct ac_str url)
{
    if (options->pin_count == 0)
        return true;
    long port = ac_url_port(url);
    for (size_t i = 0; i < options->pin_count; i++) {
        const struct ac_pin *pin = &options->pins[i];
        struct ac_buf line;
        ac_buf_init(&line, pin->host.n + pin->addresses.n + 16);
        ac_buf_add_str(&line, pin->host);
        if (!memchr(pin->host.p, ':', pin->host.n))
            ac_buf_printf(&line, ":%ld", port);
        ac_buf_add_char(&line, ':');
        ac_buf_add_str(&line, pin->addresses);
        struct curl_slist *list = line.status == AC_OK ? curl_slist_append(op->pins, line.p) : NULL;
        ac_buf_free(&line);
        if (!list)
            return false;
        op->pins = list;
    }
    curl_easy_setopt(op->handle->easy, CURLOPT_RESOLVE, op->pins);
    return true;
}

static void set_times(struct ac_handle *handle, const struct ac_transport_request *request)
{
    if (handle->timeout_ms == request->timeout_ms &&
        handle->connect_timeout_ms == request->connect_timeout_ms)
        return;
    handle->timeout_ms = request->timeout_ms;
    handle->connect_timeout_ms = request->connect_timeout_ms;
    curl_easy_setopt(handle->easy, CURLOPT_TIMEOUT_MS, request->timeout_ms);
    curl_easy_setopt(handle->easy, CURLOPT_CONNECTTIMEOUT_MS, request->connect_timeout_ms);
}

enum { KEEPING = 1, KEEPING_NOTHING };

static void set_keeping(struct ac_handle *handle, bool mutating)
{
    int keeping = mutating ? KEEPING_NOTHING : KEEPING;
    if (keeping == handle->keeping)
        return;
    handle->keeping = keeping;
    curl_easy_setopt(handle->easy, CURLOPT_FRESH_CONNECT, mutating ? 1L : 0L);
    curl_easy_setopt(handle->easy, CURLOPT_FORBID_REUSE, mutating ? 1L : 0L);
}

/* What is sent, behind the place that it is sent to. */
static bool set_request(struct ac_op *op, const struct ac_transport_request *request)
{
    struct ac_handle *handle = op->handle;
    size_t n = handle->url.n;
    char *body =
        ac_transfer_keep(op, request, (struct ac_str){request->url.p + n, request->url.n - n});
    if (!body || !set_method(handle, request->method) ||
        !ac_handle_set_text(handle, CURLOPT_REQUEST_TARGET, op->target))
        return false;
    curl_easy_setopt(handle->easy, CURLOPT_HTTPHEADER, op->headers);
    if (handle->method != METHOD_GET) {
        curl_easy_setopt(handle->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)op->body_bytes);
        curl_easy_setopt(handle->easy, CURLOPT_POSTFIELDS, body);
    }
    return true;
}

bool ac_transfer_open(struct ac_op *op, struct ac_handles *handles,
                      const struct ac_settings *settings,
                      const struct ac_transport_request *request)
{
    struct ac_handle *handle = ac_handles_take(handles, settings);
    op->handle = handle;
    op->trust = &settings->trust;
    if (!handle)
        return false;
    handle->op = op;
    set_times(handle, request);
    set_keeping(handle, request->mutating);
    return set_place(handle, &settings->options, request->url) && set_request(op, request) &&
           set_pins(op, &settings->options, request->url);
}

static bool counts_bodies_twice(void)
{
    static atomic_int known; /* 0: not asked yet; asking costs more than all the rest here */
    int answer = atomic_load_explicit(&known, memory_order_relaxed);
    if (answer == 0) {
        answer = curl_version_info(CURLVERSION_NOW)->version_num < 0x080700 ? 1 : 2;
        atomic_store_explicit(&known, answer, memory_order_relaxed);
    }
    return answer == 1;
}

/* Before 8.7 libcurl counted a body twice that went out together with the headers. */
static uint64_t bytes_sent(const struct ac_op *op)
{
    long request = 0;
    curl_off_t upload = 0;
    bool counted =
        op->body_bytes == 0 || (op->body_bytes < SENT_WITH_HEADERS && counts_bodies_twice());
    curl_easy_getinfo(op->handle->easy, CURLINFO_REQUEST_SIZE, &request);
    if (!counted)
        curl_easy_getinfo(op->handle->easy, CURLINFO_SIZE_UPLOAD_T, &upload);
    return (uint64_t)request + (uint64_t)upload;
}

void ac_transfer_finish(struct ac_op *op, CURLcode code)
{
    struct ac_exchange *exchange = &op->exchange;
    curl_off_t pretransfer = 0, elapsed = 0;
    curl_easy_getinfo(op->handle->easy, CURLINFO_PRETRANSFER_TIME_T, &pretransfer);
    curl_easy_getinfo(op->handle->easy, CURLINFO_TOTAL_TIME_T, &elapsed);
    curl_easy_getinfo(op->handle->easy, CURLINFO_RESPONSE_CODE, &exchange->status);
    curl_easy_getinfo(op->handle->easy, CURLINFO_NUM_CONNECTS, &exchange->new_connections);
    exchange->sent = pretransfer > 0;
    exchange->bytes_sent = exchange->sent ? bytes_sent(op) : 0;
    exchange->bytes_received = op->header_bytes + exchange->body.n;
    exchange->elapsed = (double)elapsed / 1e6;
    if (code != CURLE_OK || op->too_large)
        ac_failure_tell(op, code);
    op->exchange.done = true;
}

void ac_transfer_end(struct ac_op *op, enum ac_failure failure, const char *detail)
{
    curl_off_t pretransfer = 0;
    if (op->handle)
        curl_easy_getinfo(op->handle->easy, CURLINFO_PRETRANSFER_TIME_T, &pretransfer);
    op->exchange.sent = pretransfer > 0;
    op->exchange.failure = failure;
    snprintf(op->exchange.detail, sizeof op->exchange.detail, "%s", detail);
    op->exchange.done = true;
}

void ac_transfer_abandon(struct ac_op *op, const char *detail)
{
    ac_transfer_end(op, AC_FAILURE_CANCELLED, detail);
    op->exchange.sent = true;
    op->handle = NULL;
    op->request = op->target = NULL;
    op->headers = op->pins = NULL;
}

void ac_transfer_close(struct ac_op *op, CURLM *multi, struct ac_handles *handles)
{
    struct ac_handle *handle = op->handle;
    op->handle = NULL;
    if (handle && multi)
        curl_multi_remove_handle(multi, handle->easy);
    if (handle && handles)
        ac_handles_give(handles, handle);
    else
        ac_handle_free(handle);
    ac_transfer_forget(op);
}
