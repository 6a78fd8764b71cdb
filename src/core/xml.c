#include "xml.h"

#include "utf8.h"

#include <stdlib.h>

struct reader {
    struct ac_str rest;
    struct ac_buf *out;
};

static void skip(struct reader *reader, size_t n)
{
    reader->rest = (struct ac_str){reader->rest.p + n, reader->rest.n - n};
}

/* Skips white space. The NUL at the end of the text ends it. */
static void skip_space(struct reader *reader)
{
    skip(reader, strspn(reader->rest.p, " \t\r\n"));
}

static bool take(struct reader *reader, struct ac_str what)
{
    if (!ac_str_starts(reader->rest, what))
        return false;
    skip(reader, what.n);
    return true;
}

static struct ac_str take_name(struct reader *reader)
{
    struct ac_str name = {reader->rest.p, strcspn(reader->rest.p, "<>/&=\"' \t\r\n")};
    skip(reader, name.n);
    skip_space(reader);
    return name;
}

/* The character of `#233` or `#xe9`; 0 if it is not a character of XML 1.0. */
static unsigned long numbered_character(struct ac_str name)
{
    bool hex = name.n > 1 && name.p[1] == 'x';
    const char *digits = name.p + 1 + hex;
    size_t n = name.n - 1 - hex;
    if (n == 0 || n > 8 || strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789") != n)
        return 0;
    unsigned long code = strtoul(digits, NULL, hex ? 16 : 10);
    bool control = code < 0x20 && code != '\t' && code != '\n' && code != '\r';
    bool surrogate = code >= 0xd800 && code <= 0xdfff;
    return control || surrogate || (code | 1) == 0xffff || code > 0x10ffff ? 0 : code;
}

/* Reads a reference such as `&lt;`; starts at the ampersand. */
static bool read_reference(struct reader *reader)
{
    static const char *const entities[] = {"<lt", ">gt", "&amp", "\"quot", "'apos"};
    char bytes[4];
    struct ac_str name = {reader->rest.p + 1, strcspn(reader->rest.p + 1, ";<&")};
    unsigned long code = name.p[0] == '#' ? numbered_character(name) : 0;
    for (size_t i = 0; i < sizeof entities / sizeof entities[0]; i++)
        if (ac_str_equal(name, ac_str_of(entities[i] + 1)))
            code = (unsigned char)entities[i][0];
    if (code == 0 || name.p[name.n] != ';')
        return false;
    ac_buf_add(reader->out, bytes, ac_utf8_put(bytes, code));
    skip(reader, name.n + 2);
    return true;
}

/* Reads the text up to the next '<'. */
static bool read_text(struct reader *reader)
{
    for (char c; (c = reader->rest.p[0]) != '<';) {
        if (c == '&') {
            if (!read_reference(reader))
                return false;
            continue;
        }
        if ((unsigned char)c < 0x20 && (c == '\0' || !strchr("\t\r\n", c)))
            return false;
        ac_buf_add_char(reader->out, c);
        skip(reader, 1);
    }
    return true;
}

/* Reads `</name>`. */
static bool read_end(struct reader *reader, struct ac_str name)
{
    return take(reader, AC_STR("</")) && ac_str_equal(take_name(reader), name) &&
           take(reader, AC_STR(">"));
}

static bool read_child(struct reader *reader, struct ac_xml_field *fields, size_t n)
{
    size_t start = reader->out->n;
    if (!take(reader, AC_STR("<")))
        return false;
    struct ac_str name = take_name(reader);
    if (name.n == 0)
        return false;
    if (!take(reader, AC_STR("/>")) &&
        !(take(reader, AC_STR(">")) && read_text(reader) && read_end(reader, name)))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!ac_str_equal(name, fields[i].name))
            continue;
        if (fields[i].value.p)
            return false;
        fields[i].value = (struct ac_str){reader->out->p + start, reader->out->n - start};
    }
    return true;
}

static bool read_declaration(struct reader *reader)
{
    take(reader, AC_STR("\xef\xbb\xbf"));
    skip_space(reader);
    if (!take(reader, AC_STR("<?xml ")))
        return true;
    skip(reader, strcspn(reader->rest.p, "?<>"));
    return take(reader, AC_STR("?>"));
}

bool ac_xml_read(struct ac_str text, struct ac_xml_field *fields, size_t n, struct ac_buf *out)
{
    struct reader reader = {text, out};
    struct ac_str name = AC_STR("Error");
    ac_buf_reset(out);
    /* The decoded text is never longer than its source, so the buffer does not move. */
    if (!ac_buf_room(out, text.n) || !read_declaration(&reader))
        return false;
    skip_space(&reader);
    if (!take(&reader, AC_STR("<")) || !ac_str_equal(take_name(&reader), name) ||
        !take(&reader, AC_STR(">")))
        return false;
    for (skip_space(&reader); !ac_str_starts(reader.rest, AC_STR("</")); skip_space(&reader))
        if (!read_child(&reader, fields, n))
            return false;
    if (!read_end(&reader, name))
        return false;
    skip_space(&reader);
    return reader.rest.n == 0;
}
