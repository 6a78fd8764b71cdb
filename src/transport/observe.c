/* Finds which operation a request names, so that a transport in observe mode lets only reads pass.
 *
 * ACS3 requests name the operation in two header fields; the older signature uses two parameters of
 * the query or the form. It is unknown which of them a server believes, so all places are read and
 * must agree; a path may name an operation, too. Parameter names are decoded and compared without
 * case. Values are compared as they are: those in the set need no encoding.
 */
#include "transfer.h"

#include "actions.h"

struct named {
    struct ac_str action, version;
    bool agree;
};

static void take(struct named *named, struct ac_str *slot, struct ac_str value)
{
    if (slot->p && !ac_str_equal(*slot, value))
        named->agree = false;
    *slot = value;
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = ac_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Whether a parameter's name, percent-encoded as on the wire, is `name` in any case. */
static bool is_named(struct ac_str wire, const char *name)
{
    size_t i = 0;
    for (; i < wire.n && *name; name++) {
        char c = wire.p[i++];
        if (c == '%' && wire.n - i >= 2 && hex(wire.p[i]) >= 0 && hex(wire.p[i + 1]) >= 0) {
            c = (char)(hex(wire.p[i]) * 16 + hex(wire.p[i + 1]));
            i += 2;
        }
        if (ac_lower(c) != *name)
            return false;
    }
    return i == wire.n && !*name;
}

static void take_parameter(struct named *named, struct ac_str text)
{
    const char *equals = memchr(text.p, '=', text.n);
    size_t n = equals ? (size_t)(equals - text.p) : text.n;
    struct ac_str name = {text.p, n};
    struct ac_str value = {text.p + n, 0};
    if (equals)
        value = (struct ac_str){equals + 1, text.n - n - 1};
    if (is_named(name, "action"))
        take(named, &named->action, value);
    else if (is_named(name, "version"))
        take(named, &named->version, value);
}

/* Reads "a=b&c=d"; some servers accept a semicolon as a separator, too. */
static void take_parameters(struct named *named, struct ac_str text)
{
    for (size_t begin = 0, i = 0; text.p && i <= text.n; i++) {
        if (i < text.n && text.p[i] != '&' && text.p[i] != ';')
            continue;
        take_parameter(named, (struct ac_str){text.p + begin, i - begin});
        begin = i + 1;
    }
}

/* The query with its question mark, or an empty text. NULL if the path is not "/": all RPC
 * operations use "/", and another path may name an operation of another style of API. */
static const char *query_of(struct ac_str url)
{
    const char *host = ac_str_find(url, AC_STR("://"));
    const char *path = host ? host + 3 + strcspn(host + 3, "/?#") : "#";
    if (*path == '/')
        path++;
    return *path == '?' || !*path ? path : NULL;
}

bool ac_observe_reads(const struct ac_transport_request *request, const struct ac_actions *reads)
{
    struct named named = {.agree = true};
    const char *query = query_of(request->url);
    if (!reads || !query)
        return false;
    for (size_t i = 0; i < request->headers.n; i++) {
        const struct ac_pair *field = &request->headers.v[i];
        if (ac_str_equal_nocase(field->name, AC_STR("x-acs-action")))
            take(&named, &named.action, field->value);
        else if (ac_str_equal_nocase(field->name, AC_STR("x-acs-version")))
            take(&named, &named.version, field->value);
    }
    if (*query)
        take_parameters(&named, ac_str_of(query + 1));
    take_parameters(&named, request->body);
    return named.agree && named.action.p && named.version.p &&
           ac_actions_has(reads, named.version, named.action);
}
