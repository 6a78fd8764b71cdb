#include "request.h"

#include "codec.h"

#include <stdlib.h>

static int compare_pairs(const void *a, const void *b)
{
    const struct ac_pair *left = a, *right = b;
    int order = ac_str_compare(left->name, right->name);
    return order != 0 ? order : ac_str_compare(left->value, right->value);
}

void ac_request_sort(struct ac_pairs *pairs)
{
    if (pairs->n > 1)
        qsort(pairs->v, pairs->n, sizeof *pairs->v, compare_pairs);
}

void ac_request_encode_pairs(struct ac_buf *out, const struct ac_pairs *pairs)
{
    for (size_t i = 0; i < pairs->n; i++) {
        if (i > 0)
            ac_buf_add_char(out, '&');
        ac_codec_percent(out, pairs->v[i].name);
        ac_buf_add_char(out, '=');
        ac_codec_percent(out, pairs->v[i].value);
    }
}

void ac_request_encode_path(struct ac_buf *out, struct ac_str path)
{
    if (path.n == 0 || path.p[0] != '/')
        ac_buf_add_char(out, '/');
    ac_codec_percent_path(out, path);
}

void ac_request_url(struct ac_buf *out, const struct ac_request *request, struct ac_str query)
{
    const struct ac_pair *host = ac_request_header(request, "host");
    ac_buf_add_str(out, request->scheme);
    ac_buf_add_text(out, "://");
    ac_buf_add_str(out, host ? ac_request_trim(host->value) : request->host);
    ac_request_encode_path(out, request->path);
    if (query.n > 0) {
        ac_buf_add_char(out, '?');
        ac_buf_add_str(out, query);
    }
}

struct ac_str ac_request_trim(struct ac_str value)
{
    while (value.n > 0 && strchr(" \t\r\n", value.p[0]) && value.p[0] != '\0') {
        value.p++;
        value.n--;
    }
    while (value.n > 0 && strchr(" \t\r\n", value.p[value.n - 1]) && value.p[value.n - 1] != '\0')
        value.n--;
    return value;
}

const struct ac_pair *ac_request_header(const struct ac_request *request, const char *name)
{
    struct ac_str wanted = ac_str_of(name);
    for (size_t i = 0; i < request->headers.n; i++)
        if (ac_str_equal_nocase(request->headers.v[i].name, wanted))
            return &request->headers.v[i];
    return NULL;
}

static bool has_control(struct ac_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
            return true;
    return false;
}

static bool only(struct ac_str s, const char *extra)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = ac_lower(s.p[i]);
        bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!word && (c == '\0' || !strchr(extra, c)))
            return false;
    }
    return true;
}

static const char *header_flaw(const struct ac_request *request, const char **why)
{
    for (size_t i = 0; i < request->headers.n; i++) {
        struct ac_str name = request->headers.v[i].name;
        /* RFC 9110 section 5.6.2, token. */
        *why = "header names are tokens: letters, digits and !#$%&'*+-.^_`|~";
        if (name.n == 0 || !only(name, "!#$%&'*+-.^_`|~"))
            return "headers";
        *why = "header values cannot hold control characters";
        if (has_control(ac_request_trim(request->headers.v[i].value)))
            return "headers";
    }
    return NULL;
}

const char *ac_request_flaw(const struct ac_request *request, const char **why)
{
    const struct ac_pair *host = ac_request_header(request, "host");
    *why = "letters only, such as GET or POST";
    if (request->method.n == 0 || !only(request->method, ""))
        return "method";
    *why = "host[:port] without scheme, path or user";
    struct ac_str name = host ? ac_request_trim(host->value) : request->host;
    if (name.n == 0 || !only(name, "-_.:[]%"))
        return "host";
    *why = "\"https\" or \"http\"";
    if (!ac_str_equal(request->scheme, AC_STR("https")) &&
        !ac_str_equal(request->scheme, AC_STR("http")))
        return "scheme";
    *why = "no control characters";
    const struct {
        const char *field;
        struct ac_str value;
    } plain[] = {{"path", request->path},       {"action", request->action},
                 {"version", request->version}, {"date", request->date},
                 {"nonce", request->nonce},     {"payload_hash", request->payload_hash}};
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++)
        if (has_control(plain[i].value))
            return plain[i].field;
    return header_flaw(request, why);
}
