/* Finds out why a transfer failed, from libcurl's code and error message. */
#include "transfer.h"

#include "trust.h"

#include <stdio.h>

/* Some of OpenSSL's verdicts on a certificate (x509_vfy.h). Their numbers are part of its ABI. The
 * header is not included because libcurl may use another OpenSSL. */
#define VERIFY_OK 0
#define VERIFY_UNSPECIFIED 1
#define VERIFY_NOT_YET_VALID 9
#define VERIFY_EXPIRED 10

/* libcurl's own limit on the header fields of a response; the code exists since 8.6. */
#define HEADERS_TOO_LARGE ((CURLcode)100)

static bool says(const struct ac_op *op, const char *words)
{
    return strstr(op->handle->error_text, words) != NULL;
}

/* libcurl starts with "unspecified", which remains if it received no certificate. */
static bool is_bad(long verify)
{
    return verify != VERIFY_OK && verify != VERIFY_UNSPECIFIED;
}

static long verdict(const struct ac_op *op)
{
    long server = ac_transfer_info(op, CURLINFO_SSL_VERIFYRESULT);
    return is_bad(server) ? server : ac_transfer_info(op, CURLINFO_PROXY_SSL_VERIFYRESULT);
}

/* host[:port] without user and password, so that it may be shown. */
static struct ac_str peer_of(const struct ac_op *op)
{
    char *url = NULL;
    curl_easy_getinfo(op->handle->easy, CURLINFO_EFFECTIVE_URL, &url);
    struct ac_str peer = ac_url_authority(ac_str_of(url ? url : ""));
    const char *user = ac_str_find(peer, AC_STR("@"));
    return user ? (struct ac_str){user + 1, peer.n - (size_t)(user + 1 - peer.p)} : peer;
}

/* Whether libcurl's message names the host, in any case and without a trailing dot. */
static bool names_host(const struct ac_op *op)
{
    struct ac_str host = peer_of(op), text = ac_str_of(op->handle->error_text);
    size_t n = 0;
    bool bracket = host.n > 0 && host.p[0] == '[';
    while (n < host.n && host.p[n] != (bracket ? ']' : ':'))
        n++;
    host = bracket ? (struct ac_str){host.p + 1, n - 1} : (struct ac_str){host.p, n};
    host.n -= host.n > 0 && host.p[host.n - 1] == '.';
    for (; text.n >= host.n; text.p++, text.n--)
        if (ac_str_equal_nocase((struct ac_str){text.p, host.n}, host))
            return true;
    return false;
}

/* Whether libcurl's message is about a proxy; no code says so. It contains "CONNECT", or it names
 * the host that was not resolved or reached: without a proxy that is the host of the URL. */
static bool names_proxy(const struct ac_op *op)
{
    return says(op, "CONNECT ") ||
           ((says(op, "Failed to connect to ") || says(op, "Could not resolve ")) &&
            !names_host(op));
}

/* Whether the connection goes to another port than the URL's, which means to a proxy. */
static bool has_other_port(const struct ac_op *op)
{
    long port = ac_transfer_info(op, CURLINFO_PRIMARY_PORT);
    return port > 0 && port != ac_url_port(op->request.url);
}

/* Whether the proxy's URL could not be parsed: this is the message of libcurl 7.85 to 8.23. */
static bool has_odd_proxy(const struct ac_op *op)
{
    return says(op, "Unsupported proxy");
}

static bool is_proxied(const struct ac_op *op)
{
    if (has_odd_proxy(op))
        return true;
#if LIBCURL_VERSION_NUM >= 0x080700
    long used = 0;
    if (curl_easy_getinfo(op->handle->easy, CURLINFO_USED_PROXY, &used) == CURLE_OK)
        return used != 0;
#endif
    return names_proxy(op) || has_other_port(op);
}

/* Who failed if no connection was made: the host, if it was asked directly or if the proxy had
 * opened the tunnel (2xx); else the proxy. */
static enum ac_failure connect_failure(const struct ac_op *op)
{
    long answer = ac_transfer_info(op, CURLINFO_HTTP_CONNECTCODE);
    if (answer >= 400 && answer <= 499)
        return AC_FAILURE_PROXY_REFUSED;
    bool stands = answer >= 200 && answer <= 299;
    return !stands && (answer != 0 || is_proxied(op)) ? AC_FAILURE_PROXY : AC_FAILURE_CONNECT;
}

static enum ac_failure unless_proxy(const struct ac_op *op, enum ac_failure failure)
{
    return connect_failure(op) == AC_FAILURE_PROXY ? AC_FAILURE_PROXY : failure;
}

/* libcurl compares host names itself: for a wrong name there is no verdict of OpenSSL. */
static enum ac_failure tls_verdict(const struct ac_op *op, CURLcode code)
{
    long verify = verdict(op);
    if (is_bad(verify))
        return verify == VERIFY_NOT_YET_VALID ? AC_FAILURE_TLS_NOT_YET_VALID
               : verify == VERIFY_EXPIRED     ? AC_FAILURE_TLS_EXPIRED
                                              : AC_FAILURE_TLS_UNTRUSTED;
    return code == CURLE_PEER_FAILED_VERIFICATION ? AC_FAILURE_TLS_WRONG_HOST : AC_FAILURE_TLS;
}

/* Whether the TLS handshake with the proxy failed, not that with the host and not the reading of a
 * local file. The proxy has its own verdict, which is good once the host's handshake begins. */
static bool is_tls_of_proxy(const struct ac_op *op, CURLcode code)
{
    if (code == CURLE_PEER_FAILED_VERIFICATION && says(op, "target ") && !names_host(op))
        return true;
    return (code == CURLE_SSL_CONNECT_ERROR || code == CURLE_PEER_FAILED_VERIFICATION ||
            code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR) &&
           ac_transfer_info(op, CURLINFO_PROXY_SSL_VERIFYRESULT) != VERIFY_OK;
}

static enum ac_failure tls_failure(const struct ac_op *op, CURLcode code)
{
    return is_tls_of_proxy(op, code) ? AC_FAILURE_PROXY_TLS : tls_verdict(op, code);
}

/* If the proxy opened no tunnel, the proxy failed. Else: without a time for the name lookup, the
 * name was never resolved. */
static enum ac_failure timeout_of(const struct ac_op *op)
{
    curl_off_t found = 0;
    enum ac_failure failure = connect_failure(op);
    if (failure != AC_FAILURE_CONNECT)
        return failure;
    curl_easy_getinfo(op->handle->easy, CURLINFO_NAMELOOKUP_TIME_T, &found);
    return found > 0 ? AC_FAILURE_TIMEOUT : AC_FAILURE_RESOLVE;
}

static enum ac_failure unsent_failure(const struct ac_op *op, CURLcode code)
{
    switch (code) {
    case CURLE_COULDNT_CONNECT:
    case CURLE_GOT_NOTHING:
        return connect_failure(op);
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
        return is_bad(verdict(op)) ? tls_failure(op, code) : connect_failure(op);
    case CURLE_OPERATION_TIMEDOUT:
        return timeout_of(op);
    case CURLE_BAD_FUNCTION_ARGUMENT:
        /* 8.14: a proxy's response that cannot be parsed; 8.23: a client key that cannot be. */
        return unless_proxy(op, tls_failure(op, code));
    case CURLE_WEIRD_SERVER_REPLY: /* newer ones: a proxy's response that cannot be parsed */
        return unless_proxy(op, AC_FAILURE_OTHER);
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_ENGINE_INITFAILED:
    case CURLE_USE_SSL_FAILED:
        return tls_failure(op, code);
    default:
        return AC_FAILURE_OTHER;
    }
}

static enum ac_failure sent_failure(CURLcode code)
{
    switch (code) {
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
        return AC_FAILURE_CLOSED;
    case CURLE_OPERATION_TIMEDOUT:
        return AC_FAILURE_TIMEOUT;
    case CURLE_SEND_ERROR:
        return AC_FAILURE_SEND;
    case CURLE_RECV_ERROR:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CIPHER:
        return AC_FAILURE_RECEIVE;
    default:
        return AC_FAILURE_MALFORMED;
    }
}

/* libcurl's code says where libcurl noticed the failure, not what the server received. So it gives
 * only the name of the failure; exchange.sent says whether the request left. */
static enum ac_failure failure_of(const struct ac_op *op, CURLcode code)
{
    if (op->too_large || code == HEADERS_TOO_LARGE)
        return AC_FAILURE_TOO_LARGE;
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
        return names_proxy(op) ? AC_FAILURE_PROXY : AC_FAILURE_RESOLVE;
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_PROXY:
        return AC_FAILURE_PROXY;
    default:
        return op->exchange.sent ? sent_failure(code) : unsent_failure(op, code);
    }
}

/* Writes which trusted roots the certificate was checked against. */
static void tell_roots(const struct ac_transport_options *options, char *text, size_t size)
{
    const char *file = options->ca_file.p, *path = options->ca_path.p;
    snprintf(text, size, ", held against %s%s%s", file || path ? "" : "no roots at all",
             file ? file : "", file && path ? " and " : "");
    size_t n = strlen(text);
    snprintf(text + n, size - n, "%s", path ? path : "");
}

/* Says whose certificate it was and what it was checked against; libcurl's message does not. */
static void tell_tls(struct ac_op *op, struct ac_str peer, const char *words)
{
    struct ac_exchange *exchange = &op->exchange;
    char roots[200] = "", proxy[96] = "", *ip = NULL;
    long port = ac_transfer_info(op, CURLINFO_PRIMARY_PORT);
    if (tls_verdict(op, CURLE_OK) == AC_FAILURE_TLS_UNTRUSTED)
        tell_roots(op->handle->handles->options, roots, sizeof roots);
    curl_easy_getinfo(op->handle->easy, CURLINFO_PRIMARY_IP, &ip);
    /* 8.14 no longer knows the address after it has compared the names. */
    if (exchange->failure == AC_FAILURE_PROXY_TLS && ip && ip[0] && port > 0)
        snprintf(proxy, sizeof proxy, "%.45s port %ld, on the way to ", ip, port);
    else if (exchange->failure == AC_FAILURE_PROXY_TLS)
        snprintf(proxy, sizeof proxy, "a proxy, on the way to ");
    snprintf(exchange->detail, sizeof exchange->detail, "%s%.*s%s (%s)", proxy, (int)peer.n, peer.p,
             roots, words);
}

static bool is_tls(enum ac_failure failure)
{
    return failure == AC_FAILURE_PROXY_TLS ||
           (failure >= AC_FAILURE_TLS && failure <= AC_FAILURE_TLS_WRONG_HOST);
}

static bool is_proxy(enum ac_failure failure)
{
    return failure == AC_FAILURE_PROXY || failure == AC_FAILURE_PROXY_REFUSED;
}

/* Fills in the detail: libcurl's message where it helps, else a better one. */
static void tell(struct ac_op *op, const char *words)
{
    struct ac_exchange *exchange = &op->exchange;
    struct ac_str peer = peer_of(op);
    long answer = ac_transfer_info(op, CURLINFO_HTTP_CONNECTCODE);
    if (is_tls(exchange->failure))
        tell_tls(op, peer, words);
    else if (is_proxy(exchange->failure) && answer != 0)
        snprintf(exchange->detail, sizeof exchange->detail,
                 "it answered HTTP %ld to a CONNECT to %.*s", answer, (int)peer.n, peer.p);
    else if (has_odd_proxy(op))
        /* libcurl's message quotes the URL, with its password. */
        snprintf(exchange->detail, sizeof exchange->detail, "its address cannot be read");
    else if (exchange->failure == AC_FAILURE_RESOLVE)
        /* libcurl's message names the host if it does not exist, but not after a timeout. */
        snprintf(exchange->detail, sizeof exchange->detail, "%.*s (%s)", (int)peer.n, peer.p,
                 words);
    else
        snprintf(exchange->detail, sizeof exchange->detail, "%s", words);
}

void ac_failure_tell(struct ac_op *op, CURLcode code)
{
    const char *words =
        op->handle->error_text[0] ? op->handle->error_text : curl_easy_strerror(code);
    if (code == CURLE_ABORTED_BY_CALLBACK && op->refusal != AC_FAILURE_NONE) {
        ac_guard_tell(op);
    } else if (code == CURLE_ABORTED_BY_CALLBACK && op->stray) {
        op->exchange.failure = AC_FAILURE_CLOSED;
        tell(op, "it spoke or closed before it was asked");
    } else {
        op->exchange.failure = failure_of(op, code);
        tell(op, words);
    }
}
