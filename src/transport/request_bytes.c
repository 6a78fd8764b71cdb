#include "request_bytes.h"

#include <stdlib.h>

/* What libcurl would add by itself would travel unsigned. A name without a value keeps it back;
 * libcurl only reads its lists, so they need not be its own, nor one for each request. */
static char no_host[] = "Host:", no_accept[] = "Accept:", no_type[] = "Content-Type:",
            no_expect[] = "Expect:";
static struct curl_slist nothing_added[] = {{no_host, &nothing_added[1]},
                                            {no_accept, &nothing_added[2]},
                                            {no_type, &nothing_added[3]},
                                            {no_expect, NULL}};

static char *put(char *to, struct ac_str s)
{
    if (s.n > 0)
        memcpy(to, s.p, s.n);
    return to + s.n;
}

static char *keep(char **to, struct ac_str s)
{
    char *start = *to;
    *to = put(start, s);
    *(*to)++ = '\0';
    return start;
}

static bool begins(struct ac_str line, struct ac_str name)
{
    return line.n >= name.n && ac_str_equal_nocase((struct ac_str){line.p, name.n}, name);
}

static bool is_empty(struct ac_str line)
{
    return line.n > 2 && memcmp(line.p + line.n - 2, ": ", 2) == 0;
}

/* What is to be known of the header lines before they are written. */
struct lines {
    size_t bytes; /* with a CR LF each */
    size_t host;  /* place of the Host, or their number without one */
    size_t agent; /* of the User-Agent */
    bool accept;
    bool typed;
};

static void note_line(struct lines *lines, struct ac_str line, size_t place)
{
    lines->bytes += line.n + 2;
    switch (line.n > 0 ? ac_lower(line.p[0]) : '\0') {
    case 'a':
        lines->accept = lines->accept || begins(line, AC_STR("accept:"));
        break;
    case 'c':
        lines->typed = lines->typed || begins(line, AC_STR("content-type:"));
        break;
    case 'h':
        if (begins(line, AC_STR("host:")))
            lines->host = place;
        break;
    case 'u':
        if (begins(line, AC_STR("user-agent:")) && !is_empty(line))
            lines->agent = place;
        break;
    }
}

static char *put_line(char *to, struct ac_str line)
{
    to = put(to, AC_STR("\r\n"));
    /* Without a value no blank either, as libcurl writes it. */
    return put(to, (struct ac_str){line.p, line.n - is_empty(line)});
}

#define VERSION " HTTP/1.1"

/* libcurl prints header lines byte by byte, at a hundred instructions each, but copies the target:
 * CURLOPT_REQUEST_TARGET(3) has it passed on verbatim, white space and control characters included.
 * So the target brings version and lines along; that no line holds another one is seen to before
 * (header.c, lua_sign_args.c). libcurl writes the version behind it, where it becomes one more
 * product of the User-Agent, which therefore comes last. It is 1.0 over a connection that has
 * spoken 1.0; the request is 1.1 there too, and has nothing that such a server would not bear. */
static void write_head(struct ac_op *op, char **to, const struct ac_transport_request *request,
                       struct ac_str target, const struct lines *lines)
{
    char *p = *to;
    op->target = p;
    bool host = lines->host < request->header_count;
    p = put(put(p, target), AC_STR(VERSION));
    if (host)
        p = put_line(p, request->headers[lines->host]);
    for (size_t i = 0; i < request->header_count; i++)
        if (i != lines->host && i != lines->agent)
            p = put_line(p, request->headers[i]);
    p = put_line(p, request->headers[lines->agent]);
    *p++ = '\0';
    *to = p;
    op->headers = host ? nothing_added : nothing_added + 1;
}

static void link_line(struct ac_op *op, size_t *count, char *line)
{
    struct curl_slist *nodes = (struct curl_slist *)(void *)op->request;
    nodes[*count] = (struct curl_slist){.data = line};
    if (*count > 0)
        nodes[*count - 1].next = &nodes[*count];
    (*count)++;
}

/* A header without a value is written with ';', or libcurl drops it. */
static char *keep_line(char **to, struct ac_str line)
{
    char *start = keep(to, line);
    if (is_empty(line))
        memcpy(start + line.n - 2, ";", 2);
    return start;
}

static void write_list(struct ac_op *op, char **to, const struct ac_transport_request *request,
                       struct ac_str target, const struct lines *lines)
{
    size_t count = 0;
    op->target = target.n > 0 ? keep(to, target) : NULL;
    for (size_t i = 0; i < request->header_count; i++)
        link_line(op, &count, keep_line(to, request->headers[i]));
    if (!lines->accept)
        link_line(op, &count, no_accept);
    if (!lines->typed)
        link_line(op, &count, no_type);
    link_line(op, &count, no_expect);
    op->headers = (struct curl_slist *)(void *)op->request;
}

/* libcurl adds an Authorization for a user in the URL, unless it knows of another one. */
static bool has_user(const struct ac_transport_request *request, struct ac_str target)
{
    return memchr(request->url.p, '@', request->url.n - target.n) != NULL;
}

char *ac_transfer_keep(struct ac_op *op, const struct ac_transport_request *request,
                       struct ac_str target)
{
    size_t count = request->header_count;
    struct lines lines = {.host = count, .agent = count};
    for (size_t i = 0; i < count; i++)
        note_line(&lines, request->headers[i], i);
    size_t nodes = (count + 3) * sizeof(struct curl_slist);
    op->request = malloc(nodes + target.n + sizeof VERSION + lines.bytes + request->body.n + 2);
    if (!op->request)
        return NULL;
    char *to = op->request + nodes;
    if (target.n > 0 && lines.agent < count && !has_user(request, target))
        write_head(op, &to, request, target, &lines);
    else
        write_list(op, &to, request, target, &lines);
    op->body_bytes = request->body.n;
    return keep(&to, request->body);
}

void ac_transfer_forget(struct ac_op *op)
{
    free(op->request);
    curl_slist_free_all(op->pins);
    op->request = op->target = NULL;
    op->headers = op->pins = NULL;
}
