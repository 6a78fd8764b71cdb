#include "transfer.h"

#include "header.h"
#include "sys.h"
#include "trust.h"

#include <stdio.h>
#include <stdlib.h>

struct ac_op *ac_transfer_new(const struct ac_transport_options *options,
                              const struct ac_transport_request *request)
{
    struct ac_op *op = calloc(1, sizeof *op);
    if (!op)
        return NULL;
    op->request = *request;
    op->started = ac_sys_monotonic();
    ac_buf_init(&op->exchange.headers, options->max_header_bytes);
    ac_buf_init(&op->exchange.body, options->max_body_bytes);
    return op;
}

void ac_transfer_free(struct ac_op *op)
{
    ac_buf_free(&op->exchange.headers);
    ac_buf_free(&op->exchange.body);
    free(op);
}

/* RFC 9112, section 4. libcurl accepts other lines too, and reads some that it cannot parse as
 * HTTP/1.0 with status 200: "http/1.1 400" in 7.88, "HTTP/2 400" in 8.14 and 8.23. */
static bool is_status_line(struct ac_str line)
{
    static const char form[] = "HTTP/1.# ###";
    const size_t n = sizeof form - 1;
    bool good = line.n > n && (line.p[n] == ' ' || line.p[n] == '\r' || line.p[n] == '\n');
    for (size_t i = 0; good && i < n; i++)
        good = form[i] == '#' ? line.p[i] >= '0' && line.p[i] <= '9' : line.p[i] == form[i];
    return good;
}

/* A line that begins with a blank continues the line before (RFC 9112, section 5.2); newer versions
 * of libcurl have joined such lines already. */
static void keep_field(struct ac_buf *headers, struct ac_str line)
{
    struct ac_str field = ac_header_trim(line);
    if (headers->n > 0 && (line.p[0] == ' ' || line.p[0] == '\t'))
        headers->p[headers->n - 1] = ' ';
    ac_buf_add_str(headers, field);
    ac_buf_add_char(headers, '\n');
}

static bool is_length(struct ac_str value)
{
    size_t n = 0;
    while (n < value.n && value.p[n] >= '0' && value.p[n] <= '9')
        n++;
    return n == value.n && n > 0 && n < 19;
}

/* False if it cannot be known where the response ends: its length is no number, or there are two
 * (RFC 9112, section 6.3). libcurl reads "24x" as 24, and takes one of several. */
static bool is_framed(const struct ac_buf *headers)
{
    struct ac_str block = ac_buf_str(headers), name, value, length = {0};
    while (ac_header_next(&block, &name, &value)) {
        if (!ac_str_equal_nocase(name, AC_STR("content-length")))
            continue;
        if (!is_length(value) || (length.p && !ac_str_equal(length, value)))
            return false;
        length = value;
    }
    return true;
}

static bool end_block(struct ac_op *op)
{
    bool informs = ac_transfer_info(op, CURLINFO_RESPONSE_CODE) / 100 == 1;
    op->block = informs ? AC_BLOCK_NONE : AC_BLOCK_LAST;
    if (!informs)
        ac_guard_answered(op);
    return informs || is_framed(&op->exchange.headers);
}

/* Reads a header line. A block begins with a status line and ends with an empty line. Only after an
 * informational response (1xx) another block follows, and the last block counts. Later lines are
 * trailers, which are no header fields (RFC 9110, section 6.5). */
static bool keep_line(struct ac_op *op, struct ac_str line)
{
    struct ac_buf *headers = &op->exchange.headers;
    if (op->block == AC_BLOCK_NONE) {
        op->block = AC_BLOCK_OPEN;
        ac_buf_reset(headers);
        return is_status_line(line);
    }
    if (op->block == AC_BLOCK_OPEN && ac_header_trim(line).n > 0)
        keep_field(headers, line);
    else if (op->block == AC_BLOCK_OPEN && !end_block(op))
        return false;
    return headers->status == AC_OK;
}

size_t ac_transfer_on_header(char *p, size_t size, size_t n, void *user)
{
    struct ac_op *op = ((struct ac_handle *)user)->op;
    op->header_bytes += size * n;
    op->too_large = op->header_bytes > op->exchange.headers.max;
    return !op->too_large && keep_line(op, (struct ac_str){p, size * n}) ? size * n : 0;
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

/* No proxy is used for loopback hosts. A request that goes directly or through a tunnel sends its
 * target byte for byte; for a proxy that needs the whole URL, libcurl writes the target. */
static bool set_place(struct ac_handle *handle, struct ac_str url)
{
    struct ac_str authority = ac_url_authority(url);
    const char *target = authority.p + authority.n;
    bool loopback = ac_url_is_loopback(url);
    bool plain = (loopback || ac_str_starts(url, AC_STR("https://"))) && *target == '/';
    return ac_handle_set_text(handle, CURLOPT_NOPROXY,
                              loopback ? "*" : handle->handles->options->no_proxy.p) &&
           ac_handle_set_url(handle, url, plain ? target : NULL);
}

static bool set_method(struct ac_handle *handle, const struct ac_transport_request *request)
{
    bool get = ac_str_equal(request->method, AC_STR("GET"));
    bool post = ac_str_equal(request->method, AC_STR("POST"));
    curl_easy_setopt(handle->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.n);
    curl_easy_setopt(handle->easy, CURLOPT_POSTFIELDS, request->body.n ? request->body.p : "");
    curl_easy_setopt(handle->easy, get ? CURLOPT_HTTPGET : CURLOPT_POST, 1L);
    return ac_handle_set_text(handle, CURLOPT_CUSTOMREQUEST,
                              get || post ? NULL : request->method.p);
}

/* libcurl would add these headers by itself, unsigned. A name without a value prevents that, and
 * does not affect a header of that name earlier in the list. libcurl only reads these lists. */
static const struct curl_slist NO_EXPECT = {(char *)"Expect:", NULL};
static const struct curl_slist NO_TYPE = {(char *)"Content-Type:", (struct curl_slist *)&NO_EXPECT};
static const struct curl_slist NO_ACCEPT = {(char *)"Accept:", (struct curl_slist *)&NO_TYPE};

/* A header with an empty value is written with ';': a ':' would tell libcurl to leave it out. */
static char *empty_line(char **to, struct ac_str name)
{
    char *line = *to;
    memcpy(line, name.p, name.n);
    memcpy(line + name.n, ";", 2);
    *to += name.n + 2;
    return line;
}

/* Builds the list of header lines in one allocation; most lines point into the request. */
static bool set_lines(struct ac_op *op)
{
    const struct ac_pairs *headers = &op->request.headers;
    size_t n = headers->n, empty = 0;
    for (size_t i = 0; i < n; i++)
        empty += headers->v[i].value.n > 0 ? 0 : headers->v[i].name.n + 2;
    op->lines = malloc((n + 1) * sizeof *op->lines + empty);
    if (!op->lines)
        return false;
    char *to = (char *)(op->lines + n + 1);
    for (size_t i = 0; i < n; i++) {
        const struct ac_pair *header = &headers->v[i];
        char *line = header->value.n > 0 ? (char *)header->name.p : empty_line(&to, header->name);
        op->lines[i] = (struct curl_slist){line, &op->lines[i + 1]};
    }
    op->lines[n] = NO_ACCEPT;
    return curl_easy_setopt(op->handle->easy, CURLOPT_HTTPHEADER, op->lines) == CURLE_OK;
}

/* libcurl needs a port with each name, so the list is built for every request. */
static bool set_pins(struct ac_op *op)
{
    const struct ac_transport_options *options = op->handle->handles->options;
    long port = ac_url_port(op->request.url);
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

/* libcurl takes 0 as "no timeout"; here it means "at once". */
static void set_timeout(struct ac_handle *handle, CURLoption option, long ms)
{
    curl_easy_setopt(handle->easy, option, ms > 0 ? ms : 1);
}

static void set_keeping(struct ac_handle *handle, bool fresh, bool forbid)
{
    curl_easy_setopt(handle->easy, CURLOPT_FRESH_CONNECT, fresh ? 1L : 0L);
    curl_easy_setopt(handle->easy, CURLOPT_FORBID_REUSE, forbid ? 1L : 0L);
}

bool ac_transfer_open(struct ac_op *op, struct ac_handles *handles)
{
    const struct ac_transport_request *request = &op->request;
    struct ac_handle *handle = ac_handles_take(handles);
    op->handle = handle;
    if (!handle)
        return false;
    handle->op = op;
    set_timeout(handle, CURLOPT_TIMEOUT_MS, request->timeout_ms);
    set_timeout(handle, CURLOPT_CONNECTTIMEOUT_MS,
                request->connect_timeout_ms < 0 ? handles->options->connect_timeout_ms
                                                : request->connect_timeout_ms);
    set_keeping(handle, request->mutating, request->mutating);
    return set_place(handle, request->url) && set_method(handle, request) && set_lines(op) &&
           set_pins(op);
}

/* A fault of libcurl before 8.4.0 (curl's issue 11920). */
bool ac_transfer_may_stall(CURL *easy)
{
    struct ac_handle *handle = NULL;
    curl_off_t found = 0, connected = 0;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&handle);
    if (!handle || handle->handles->version >= 0x080400 || !handle->op || handle->op->exchange.sent)
        return false;
    curl_easy_getinfo(easy, CURLINFO_NAMELOOKUP_TIME_T, &found);
    curl_easy_getinfo(easy, CURLINFO_CONNECT_TIME_T, &connected);
    return found > 0 && connected == 0;
}

void ac_transfer_repeat(struct ac_op *op)
{
    long gone_ms = (long)((ac_sys_monotonic() - op->started) * 1000);
    op->repeated = true;
    op->exchange.new_connections += ac_transfer_info(op, CURLINFO_NUM_CONNECTS);
    op->handle->error_text[0] = '\0';
    set_timeout(op->handle, CURLOPT_TIMEOUT_MS, op->request.timeout_ms - gone_ms);
    set_keeping(op->handle, true, op->request.mutating);
}

/* Up to 8.6 libcurl's request size contains the body only if it was sent together with the head (up
 * to 64 KiB); since 8.7 it always does. */
static uint64_t bytes_sent(const struct ac_op *op)
{
    curl_off_t upload = 0;
    if (op->handle->handles->version < 0x080700 && op->request.body.n >= (size_t)64 * 1024)
        curl_easy_getinfo(op->handle->easy, CURLINFO_SIZE_UPLOAD_T, &upload);
    return (uint64_t)ac_transfer_info(op, CURLINFO_REQUEST_SIZE) + (uint64_t)upload;
}

void ac_transfer_finish(struct ac_op *op, CURLcode code)
{
    struct ac_exchange *exchange = &op->exchange;
    exchange->status = ac_transfer_info(op, CURLINFO_RESPONSE_CODE);
    exchange->new_connections += ac_transfer_info(op, CURLINFO_NUM_CONNECTS);
    exchange->bytes_sent = exchange->sent ? bytes_sent(op) : 0;
    exchange->bytes_received = op->header_bytes + exchange->body.n;
    exchange->elapsed = ac_sys_monotonic() - op->started;
    if (code != CURLE_OK || op->too_large)
        ac_failure_tell(op, code);
    exchange->done = true;
}

void ac_transfer_end(struct ac_op *op, enum ac_failure failure, const char *detail)
{
    op->exchange.failure = failure;
    snprintf(op->exchange.detail, sizeof op->exchange.detail, "%s", detail);
    op->exchange.elapsed = ac_sys_monotonic() - op->started;
    op->exchange.done = true;
}

void ac_transfer_abandon(struct ac_op *op, const char *detail)
{
    ac_transfer_end(op, AC_FAILURE_CANCELLED, detail);
    op->exchange.sent = true;
    op->handle = NULL;
    op->lines = op->pins = NULL;
}

void ac_transfer_close(struct ac_op *op, CURLM *multi, bool keep)
{
    struct ac_handle *handle = op->handle;
    op->handle = NULL;
    if (handle && multi)
        curl_multi_remove_handle(multi, handle->easy);
    if (handle && keep)
        ac_handles_give(handle);
    else
        ac_handle_free(handle);
    free(op->lines);
    curl_slist_free_all(op->pins);
    op->lines = op->pins = NULL;
}
