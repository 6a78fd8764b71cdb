#include "failure.h"

#include "trust.h"

#include <stdio.h>

/* Some of OpenSSL's verdicts over a certificate (x509_vfy.h). Their numbers are part of its binary
 * interface; the header is not asked because libcurl brings its own TLS library. */
#define VERIFY_OK 0
#define VERIFY_UNSPECIFIED 1
#define VERIFY_NOT_YET_VALID 9
#define VERIFY_EXPIRED 10

static long long_info(const struct ac_op *op, CURLINFO info)
{
    long value = 0;
    curl_easy_getinfo(op->handle->easy, info, &value);
    return value;
}

static bool says(const struct ac_op *op, const char *words)
{
    return strstr(op->handle->error_text, words) != NULL;
}

/* libcurl begins with "unspecified" and leaves that where it got no certificate. */
static bool is_bad(long verify)
{
    return verify != VERIFY_OK && verify != VERIFY_UNSPECIFIED;
}

static long verdict(const struct ac_op *op)
{
    long server = long_info(op, CURLINFO_SSL_VERIFYRESULT);
    return is_bad(server) ? server : long_info(op, CURLINFO_PROXY_SSL_VERIFYRESULT);
}

static const char *tls_name(const struct ac_op *op, CURLcode code)
{
    long verify = verdict(op);
    if (is_bad(verify))
        return verify == VERIFY_NOT_YET_VALID ? "tls_not_yet_valid"
               : verify == VERIFY_EXPIRED     ? "tls_expired"
                                              : "tls_untrusted";
    /* libcurl compares names itself, after a chain that was in order. */
    bool named = says(op, "matches target") || says(op, "does not match target");
    return code == CURLE_PEER_FAILED_VERIFICATION && named ? "tls_wrong_host" : "tls";
}

/* host[:port] as it may be shown. */
static struct ac_str peer_of(const struct ac_op *op)
{
    char *url = NULL;
    curl_easy_getinfo(op->handle->easy, CURLINFO_EFFECTIVE_URL, &url);
    struct ac_str peer = ac_url_authority(ac_str_of(url ? url : ""));
    const char *user = ac_str_find(peer, AC_STR("@"));
    return user ? (struct ac_str){user + 1, peer.n - (size_t)(user + 1 - peer.p)} : peer;
}

/* The host is what the text names; without it the text is about the one in between, which newer
 * versions say by themselves. */
static bool missed_proxy(const struct ac_op *op)
{
    struct ac_str host = peer_of(op);
    size_t n = 0;
    bool bracket = host.n > 0 && host.p[0] == '[';
    while (n < host.n && host.p[n] != (bracket ? ']' : ':'))
        n++;
    host = bracket ? (struct ac_str){host.p + 1, n - 1} : (struct ac_str){host.p, n};
    return says(op, "Failed to connect to ") &&
           (says(op, " via ") || !ac_str_find(ac_str_of(op->handle->error_text), host));
}

/* What went wrong at a proxy, before the tunnel stood, or NULL. */
static const char *proxy_name(const struct ac_op *op)
{
    long answer = long_info(op, CURLINFO_HTTP_CONNECTCODE);
    if (answer >= 400 && answer <= 499)
        return "proxy_refused";
    if (answer != 0 && (answer < 200 || answer > 299))
        return "proxy";
    bool failed = says(op, "Proxy CONNECT aborted") || says(op, "Unsupported proxy");
    return failed || missed_proxy(op) ? "proxy" : NULL;
}

static const char *unsent_name(const struct ac_op *op, CURLcode code)
{
    const char *proxy = proxy_name(op);
    if (proxy)
        return proxy;
    switch (code) {
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
        return is_bad(verdict(op)) ? tls_name(op, code) : "connect";
    case CURLE_OPERATION_TIMEDOUT:
        return says(op, "Resolving timed out") ? "resolve" : "timeout";
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_ENGINE_INITFAILED:
    case CURLE_USE_SSL_FAILED:
        return tls_name(op, code);
    default:
        return "other";
    }
}

static const char *sent_name(CURLcode code)
{
    switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
        return "timeout";
    case CURLE_SEND_ERROR:
        return "send";
    case CURLE_RECV_ERROR:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CIPHER:
        return "receive";
    default:
        return "malformed";
    }
}

/* libcurl's codes say where it noticed, not what the server saw, so they only give the name;
 * whether the request left was asked separately. */
static const char *failure_name(const struct ac_op *op, CURLcode code)
{
    if (op->too_large)
        return "too_large";
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
        return "resolve";
    case CURLE_COULDNT_CONNECT:
        return proxy_name(op) ? proxy_name(op) : "connect";
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_PROXY:
        return "proxy";
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
        return "closed";
    default:
        return op->exchange.sent ? sent_name(code) : unsent_name(op, code);
    }
}

/* Whose certificate it was and what it was held against; libcurl names neither. */
static void tell_tls(struct ac_op *op, struct ac_str peer, const char *words)
{
    struct ac_exchange *exchange = &op->exchange;
    const struct ac_transport_trust *trust = op->trust;
    bool proxy = is_bad(long_info(op, CURLINFO_PROXY_SSL_VERIFYRESULT));
    bool roots = strcmp(exchange->failure, "tls_untrusted") == 0;
    const char *store = trust->ca_file ? trust->ca_file : trust->ca_path;
    snprintf(exchange->detail, sizeof exchange->detail, "%s%.*s%s%s (%s)",
             proxy ? "the proxy on the way to " : "", (int)peer.n, peer.p,
             roots ? ", held against " : "", roots ? (store ? store : "no roots at all") : "",
             words);
}

void ac_failure_tell(struct ac_op *op, CURLcode code)
{
    struct ac_exchange *exchange = &op->exchange;
    const char *words =
        op->handle->error_text[0] ? op->handle->error_text : curl_easy_strerror(code);
    struct ac_str peer = peer_of(op);
    long answer = long_info(op, CURLINFO_HTTP_CONNECTCODE);
    exchange->failure = failure_name(op, code);
    if (strncmp(exchange->failure, "tls", 3) == 0)
        tell_tls(op, peer, words);
    else if (strncmp(exchange->failure, "proxy", 5) == 0 && answer != 0)
        snprintf(exchange->detail, sizeof exchange->detail,
                 "it answered HTTP %ld to a CONNECT to %.*s", answer, (int)peer.n, peer.p);
    else if (says(op, "Unsupported proxy"))
        /* libcurl's words would quote it, password and all. */
        snprintf(exchange->detail, sizeof exchange->detail, "its address cannot be read");
    else
        snprintf(exchange->detail, sizeof exchange->detail, "%s", words);
}
