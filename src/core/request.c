#include "request.h"

#include "codec.h"
#include "header.h"

#include <stdlib.h>

static int compare_pairs(const void *a, const void *b)
{
    const struct ac_pair *left = a, *right = b;
    int order = ac_str_compare(left->name, right->name);
    return order != 0 ? order : ac_str_compare(left->value, right->value);
}

void ac_request_sort(struct ac_pairs pairs)
{
    if (pairs.n > 1)
        qsort(pairs.v, pairs.n, sizeof *pairs.v, compare_pairs);
}

void ac_request_encode_pairs(struct ac_buf *out, struct ac_pairs pairs)
{
    for (size_t i = 0; i < pairs.n; i++) {
        if (i > 0)
            ac_buf_add_char(out, '&');
        ac_codec_percent(out, pairs.v[i].name);
        ac_buf_add_char(out, '=');
        ac_codec_percent(out, pairs.v[i].value);
    }
}

void ac_request_encode_path(struct ac_buf *out, struct ac_str path)
{
    if (path.n == 0 || path.p[0] != '/')
        ac_buf_add_char(out, '/');
    ac_codec_percent_path(out, path);
}

size_t ac_request_url(struct ac_buf *out, const struct ac_request *request, struct ac_pairs query)
{
    ac_buf_add_str(out, request->scheme);
    ac_buf_add_text(out, "://");
    ac_buf_add_str(out, ac_request_host(request));
    ac_request_encode_path(out, request->path);
    if (query.n > 0)
        ac_buf_add_char(out, '?');
    size_t start = out->n;
    ac_request_encode_pairs(out, query);
    return start;
}

const struct ac_pair *ac_request_find(struct ac_pairs pairs, struct ac_str name)
{
    for (size_t i = 0; i < pairs.n; i++)
        if (ac_str_equal(pairs.v[i].name, name))
            return &pairs.v[i];
    return NULL;
}

struct ac_str ac_request_host(const struct ac_request *request)
{
    const struct ac_pair *host = ac_request_find(request->headers, AC_STR("host"));
    return host ? host->value : request->host;
}

/* True for a name or an address ([in brackets] for IPv6), with or without a port. */
static bool is_host(struct ac_str host)
{
    bool brackets = host.n > 0 && host.p[0] == '[';
    const char *end = host.n > 0 ? memchr(host.p, brackets ? ']' : ':', host.n) : NULL;
    size_t n = end ? (size_t)(end - host.p) : host.n;
    if (brackets && (!end || n < 3 || !ac_str_only((struct ac_str){host.p + 1, n - 1}, ":.%")))
        return false;
    if (!brackets && (n == 0 || !ac_str_only((struct ac_str){host.p, n}, "-_.")))
        return false;
    n += brackets;
    return n == host.n ||
           (host.p[n] == ':' && ac_str_is_port((struct ac_str){host.p + n + 1, host.n - n - 1}));
}

static const char *prepare_headers(struct ac_pairs headers)
{
    int hosts = 0;
    for (size_t i = 0; i < headers.n; i++) {
        struct ac_pair *header = &headers.v[i];
        ac_header_clean(&header->value);
        const char *why = ac_header_flaw(header->name, header->value);
        if (why)
            return why;
        hosts += ac_str_equal(header->name, AC_STR("host"));
    }
    return hosts > 1 ? "one host" : NULL;
}

const char *ac_request_prepare(struct ac_request *request, const char **why)
{
    const struct {
        const char *name;
        struct ac_str *value;
    } fields[] = {{"host", &request->host},
                  {"action", &request->action},
                  {"version", &request->version},
                  {"date", &request->date},
                  {"payload_hash", &request->payload_hash},
                  {"nonce", &request->nonce}};
    *why = "no control characters";
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (!ac_header_clean(fields[i].value))
            return fields[i].name;
    if (ac_str_has_control(request->path))
        return "path";
    *why = prepare_headers(request->headers);
    if (*why)
        return "headers";
    *why = "host[:port] without scheme, path or user";
    if (!is_host(ac_request_host(request)))
        return "host";
    *why = "\"https\" or \"http\"";
    if (!ac_str_equal(request->scheme, AC_STR("https")) &&
        !ac_str_equal(request->scheme, AC_STR("http")))
        return "scheme";
    return NULL;
}
