#include "header.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct ac_str ac_header_trim(struct ac_str value)
{
    while (value.n > 0 && is_blank(value.p[0]))
        value = (struct ac_str){value.p + 1, value.n - 1};
    while (value.n > 0 && is_blank(value.p[value.n - 1]))
        value.n--;
    return value;
}

bool ac_header_clean(struct ac_str *value)
{
    *value = ac_header_trim(*value);
    return !ac_str_has_control(*value);
}

bool ac_header_next(struct ac_str *block, struct ac_str *name, struct ac_str *value)
{
    while (block->n > 0) {
        const char *line = block->p, *end = memchr(line, '\n', block->n);
        size_t n = end ? (size_t)(end - line) : block->n;
        const char *colon = memchr(line, ':', n);
        size_t taken = n + (end != NULL);
        *block = (struct ac_str){line + taken, block->n - taken};
        if (colon) {
            *name = (struct ac_str){line, (size_t)(colon - line)};
            *value = ac_header_trim((struct ac_str){colon + 1, n - name->n - 1});
            return true;
        }
    }
    return false;
}

static bool frames_the_message(struct ac_str name)
{
    static const char *const names[] = {
        "connection", "content-length", "expect",  "keep-alive",
        "te",         "trailer",        "upgrade", "transfer-encoding"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (ac_str_equal_nocase(name, ac_str_of(names[i])))
            return true;
    return false;
}

const char *ac_header_flaw(struct ac_str name, struct ac_str value)
{
    if (name.n == 0 || !ac_str_only(name, "!#$%&'*+-.^_`|~"))
        return "header names are tokens: letters, digits and !#$%&'*+-.^_`|~";
    if (frames_the_message(name))
        return "headers that frame the message (content-length, transfer-encoding, …) are not "
               "the caller's";
    if (!ac_header_clean(&value))
        return "header values cannot hold control characters";
    return NULL;
}
