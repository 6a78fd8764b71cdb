#include "transfer.h"

#include "transfer_failure.h"
#include "sys.h"
#include "trust.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

/* libcurl's MAX_INITIAL_POST_SIZE. */
#define SENT_WITH_HEADERS ((size_t)64 * 1024)

struct ac_op *ac_transfer_new(const struct ac_transport_options *options)
{
    struct ac_op *op = calloc(1, sizeof *op);
    if (!op)
        return NULL;
    ac_buf_init(&op->body, AC_MAX_REQUEST_BYTES);
    ac_buf_init(&op->exchange.headers, options->max_header_bytes);
    ac_buf_init(&op->exchange.body, options->max_body_bytes);
    return op;
}

static size_t on_header(char *p, size_t size, size_t n, void *user)
{
    struct ac_op *op = user;
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
        ac_buf_add(&op->exchange.headers, p, bytes);
    return op->exchange.headers.status == AC_OK ? bytes : 0;
}

static size_t on_body(char *p, size_t size, size_t n, void *user)
{
    struct ac_op *op = user;
    ac_buf_add(&op->exchange.body, p, size * n);
    if (op->exchange.body.status == AC_OK)
        return size * n;
    op->too_large = op->exchange.body.status == AC_LIMIT;
    return 0;
}

/* For the options that libcurl copies: one that could not be copied would leave its default, such
 * as another trust store, in force. */
static bool set_text(CURL *easy, CURLoption option, const char *text)
{
    return curl_easy_setopt(easy, option, text) == CURLE_OK;
}

/* Forgetting a default cannot fail, but some TLS libraries do not know the option. */
static bool set_store(CURL *easy, CURLoption option, const char *path)
{
    return set_text(easy, option, path) || !path;
}

/* The roots are the same for an https:// proxy. */
static bool set_trust(CURL *easy, struct ac_transport_trust trust)
{
    return set_store(easy, CURLOPT_CAINFO, trust.ca_file) &&
           set_store(easy, CURLOPT_CAPATH, trust.ca_path) &&
           set_store(easy, CURLOPT_PROXY_CAINFO, trust.ca_file) &&
           set_store(easy, CURLOPT_PROXY_CAPATH, trust.ca_path);
}

/* Programs that the host starts would otherwise inherit the connection and keep it open. */
static int on_new_socket(void *user, curl_socket_t fd, curlsocktype purpose)
{
    (void)user;
    (void)purpose;
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    return CURL_SOCKOPT_OK;
}

/* The standing policy, the same for every request. */
static void set_policy(struct ac_op *op)
{
    CURL *easy = op->easy;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, op);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, op->error_text);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, op);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, op);
    curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_new_socket);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
#if LIBCURL_VERSION_NUM >= 0x075700
    /* A resolver thread may hang for as long as the system likes; nobody waits for it. It needs
     * libcurl to stay mapped, which pinning our own module sees to. */
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#endif
    /* What was signed is what is sent: "/a/../b" is nobody's to tidy up. */
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    /* A signature is for one host and path; following a redirect would leak it. */
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    /* 1.1 keeps framing, caps and "has it left" simple, and no stream is replayed. */
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_HTTP09_ALLOWED, 0L);
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_PROXY_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
}

static bool set_proxy(CURL *easy, const struct ac_transport_options *options)
{
    const char *proxy = options->proxy.p;
    if (proxy && !set_text(easy, CURLOPT_PROXY, strcmp(proxy, "none") == 0 ? "" : proxy))
        return false;
    return !options->no_proxy.p || set_text(easy, CURLOPT_NOPROXY, options->no_proxy.p);
}

/* An empty passphrase, or OpenSSL would ask the terminal for that of an encrypted key. */
static bool set_client_cert(CURL *easy, const struct ac_transport_options *options)
{
    if (!options->client_cert.p)
        return true;
    return set_text(easy, CURLOPT_SSLCERT, options->client_cert.p) &&
           (!options->client_key.p || set_text(easy, CURLOPT_SSLKEY, options->client_key.p)) &&
           set_text(easy, CURLOPT_KEYPASSWD, "");
}

/* The transport's own choices. */
static bool set_options(struct ac_op *op, const struct ac_settings *settings)
{
    op->trust = settings->trust;
    return set_proxy(op->easy, &settings->options) &&
           set_client_cert(op->easy, &settings->options) && set_trust(op->easy, settings->trust);
}

static bool add_header(struct ac_op *op, const char *line)
{
    struct curl_slist *list = curl_slist_append(op->headers, line);
    if (list)
        op->headers = list;
    return list != NULL;
}

static bool set_headers(struct ac_op *op, const struct ac_transport_request *request)
{
    bool typed = false;
    for (size_t i = 0; i < request->header_count; i++) {
        struct ac_str header = request->headers[i];
        typed = typed || (header.n >= 13 && ac_str_equal_nocase((struct ac_str){header.p, 13},
                                                                AC_STR("content-type:")));
        if (!add_header(op, header.p))
            return false;
    }
    /* libcurl's own additions would travel unsigned. */
    if (!add_header(op, "Expect:") || (!typed && !add_header(op, "Content-Type:")))
        return false;
    curl_easy_setopt(op->easy, CURLOPT_HTTPHEADER, op->headers);
    return true;
}

static bool set_body(struct ac_op *op, const struct ac_transport_request *request)
{
    bool post = ac_str_equal(request->method, AC_STR("POST"));
    if (ac_str_equal(request->method, AC_STR("GET"))) {
        curl_easy_setopt(op->easy, CURLOPT_HTTPGET, 1L);
        return true;
    }
    ac_buf_add_str(&op->body, request->body);
    if (op->body.status != AC_OK)
        return false;
    curl_easy_setopt(op->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)op->body.n);
    curl_easy_setopt(op->easy, CURLOPT_POSTFIELDS, op->body.p ? op->body.p : "");
    return post || set_text(op->easy, CURLOPT_CUSTOMREQUEST, request->method.p);
}

/* libcurl wants a port with each name, so the pins are written anew for every request. */
static bool set_pins(struct ac_op *op, const struct ac_transport_options *options,
                     struct ac_str url)
{
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
    curl_easy_setopt(op->easy, CURLOPT_RESOLVE, op->pins);
    return true;
}

static bool set_request(struct ac_op *op, const struct ac_transport_request *request)
{
    CURL *easy = op->easy;
    bool plain = ac_str_starts(request->url, AC_STR("http://"));
    if (!set_text(easy, CURLOPT_PROTOCOLS_STR, plain ? "http" : "https") ||
        !set_text(easy, CURLOPT_URL, request->url.p))
        return false;
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, request->timeout_ms);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, request->connect_timeout_ms);
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, request->mutating ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, request->mutating ? 1L : 0L);
    if (ac_url_is_loopback(request->url) && !set_text(easy, CURLOPT_NOPROXY, "*"))
        return false;
    return set_body(op, request) && set_headers(op, request);
}

bool ac_transfer_open(struct ac_op *op, const struct ac_settings *settings,
                      const struct ac_transport_request *request)
{
    op->easy = curl_easy_init();
    if (!op->easy)
        return false;
    set_policy(op);
    return set_options(op, settings) && set_pins(op, &settings->options, request->url) &&
           set_request(op, request);
}

/* Before 8.7 libcurl counted a body twice that went out together with the headers. */
static uint64_t bytes_sent(const struct ac_op *op)
{
    long request = 0;
    curl_off_t upload = 0;
    curl_easy_getinfo(op->easy, CURLINFO_REQUEST_SIZE, &request);
    curl_easy_getinfo(op->easy, CURLINFO_SIZE_UPLOAD_T, &upload);
    bool twice = op->body.n < SENT_WITH_HEADERS &&
                 curl_version_info(CURLVERSION_NOW)->version_num < 0x080700;
    return (uint64_t)request + (twice ? 0 : (uint64_t)upload);
}

void ac_transfer_finish(struct ac_op *op, CURLcode code)
{
    struct ac_exchange *exchange = &op->exchange;
    curl_off_t pretransfer = 0, elapsed = 0;
    curl_easy_getinfo(op->easy, CURLINFO_PRETRANSFER_TIME_T, &pretransfer);
    curl_easy_getinfo(op->easy, CURLINFO_TOTAL_TIME_T, &elapsed);
    curl_easy_getinfo(op->easy, CURLINFO_RESPONSE_CODE, &exchange->status);
    curl_easy_getinfo(op->easy, CURLINFO_NUM_CONNECTS, &exchange->new_connections);
    exchange->sent = pretransfer > 0;
    exchange->bytes_sent = exchange->sent ? bytes_sent(op) : 0;
    exchange->bytes_received = op->header_bytes + exchange->body.n;
    exchange->elapsed = (double)elapsed / 1e6;
    if (code != CURLE_OK || op->too_large)
        ac_failure_tell(op, code);
    op->done = true;
}

void ac_transfer_end(struct ac_op *op, const char *failure, const char *detail)
{
    curl_off_t pretransfer = 0;
    if (op->easy)
        curl_easy_getinfo(op->easy, CURLINFO_PRETRANSFER_TIME_T, &pretransfer);
    op->exchange.sent = pretransfer > 0;
    op->exchange.failure = failure;
    snprintf(op->exchange.detail, sizeof op->exchange.detail, "%s", detail);
    op->done = true;
}

void ac_transfer_abandon(struct ac_op *op, const char *detail)
{
    ac_transfer_end(op, "cancelled", detail);
    op->exchange.sent = true;
    op->easy = NULL;
    op->headers = NULL;
    op->pins = NULL;
    op->transport = NULL;
}

void ac_transfer_close(struct ac_op *op, CURLM *multi)
{
    if (op->easy) {
        struct ac_sys_sigpipe guard;
        ac_sys_sigpipe_block(&guard);
        if (multi)
            curl_multi_remove_handle(multi, op->easy);
        curl_easy_cleanup(op->easy);
        ac_sys_sigpipe_restore(&guard);
    }
    curl_slist_free_all(op->headers);
    curl_slist_free_all(op->pins);
    op->easy = NULL;
    op->headers = NULL;
    op->pins = NULL;
    ac_buf_free(&op->body);
}
