#include "json.h"

static bool wrong(struct ac_json_reader *reader, const char *why)
{
    reader->why = why;
    return false;
}

/* At what cannot be here, though some of it could be elsewhere. */
static bool misplaced(struct ac_json_reader *reader)
{
    char c = reader->text.p[reader->at];
    bool known = c == '\0' || strchr("{}[],:\"-0123456789", c);
    return wrong(reader, reader->text.n == 0 ? "empty"
                         : known             ? "malformed"
                                             : "unexpected character");
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = ac_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The four digits after `\u` at `p`, or -1. */
static int code_unit(const char *p)
{
    int code = 0;
    for (size_t i = 2; i < 6; i++) {
        int digit = hex_digit(p[i]);
        if (digit < 0)
            return -1;
        code = code * 16 + digit;
    }
    return code;
}

static bool is_high(int code)
{
    return code >= 0xd800 && code <= 0xdbff;
}

static bool is_low(int code)
{
    return code >= 0xdc00 && code <= 0xdfff;
}

/* At `\u`: one code unit, or two that make a pair. */
static bool read_unicode(struct ac_json_reader *reader)
{
    const char *p = reader->text.p + reader->at;
    size_t left = reader->text.n - reader->at;
    if (left < 6)
        return wrong(reader, "string is not closed");
    int code = code_unit(p);
    if (code < 0)
        return wrong(reader, "\\u needs four hex digits");
    if (code == 0)
        return wrong(reader, "\\u0000 is not allowed in a string");
    reader->at += 6;
    if (!is_high(code))
        return is_low(code) ? wrong(reader, "malformed surrogate pair") : true;
    if (left < 12 || p[6] != '\\' || p[7] != 'u' || !is_low(code_unit(p + 6)))
        return wrong(reader, "malformed surrogate pair");
    reader->at += 6;
    return true;
}

static bool read_escape(struct ac_json_reader *reader)
{
    if (reader->at + 1 >= reader->text.n)
        return wrong(reader, "string is not closed");
    char kind = reader->text.p[reader->at + 1];
    if (kind == 'u')
        return read_unicode(reader);
    if (kind == '\0' || !strchr("\"\\/bfnrt", kind))
        return wrong(reader, "unknown escape in a string");
    reader->at += 2;
    return true;
}

#define EACH(byte) ((uint64_t)(byte)*UINT64_C(0x0101010101010101))

static uint64_t has_zero(uint64_t bytes)
{
    return (bytes - EACH(0x01)) & ~bytes & EACH(0x80);
}

/* Eight bytes at a time: whether one of them ends a run of plain characters. */
static bool ends_plain(const char *p)
{
    uint64_t bytes;
    memcpy(&bytes, p, sizeof bytes);
    uint64_t control = (bytes - EACH(0x20)) & ~bytes & EACH(0x80);
    return (control | has_zero(bytes ^ EACH('"')) | has_zero(bytes ^ EACH('\\'))) != 0;
}

/* At the opening quote. */
static bool read_string(struct ac_json_reader *reader, struct ac_json_token *token)
{
    const char *text = reader->text.p;
    size_t start = ++reader->at, end = reader->text.n;
    while (true) {
        size_t at = reader->at;
        while (end - at >= 8 && !ends_plain(text + at))
            at += 8;
        while (at < end && text[at] != '"' && text[at] != '\\' && (unsigned char)text[at] >= 0x20)
            at++;
        reader->at = at;
        if (at >= end)
            return wrong(reader, "string is not closed");
        if (text[at] == '"')
            break;
        if (text[at] != '\\')
            return wrong(reader, "raw control character in a string");
        token->escaped = true;
        if (!read_escape(reader))
            return false;
    }
    token->raw = (struct ac_str){text + start, reader->at - start};
    reader->at++;
    return true;
}

/* The NUL behind the text is no digit and ends every run. */
static size_t digits(struct ac_json_reader *reader)
{
    size_t start = reader->at;
    while (reader->text.p[reader->at] >= '0' && reader->text.p[reader->at] <= '9')
        reader->at++;
    return reader->at - start;
}

static bool take(struct ac_json_reader *reader, char a, char b)
{
    char c = reader->text.p[reader->at];
    if (c != a && c != b)
        return false;
    reader->at++;
    return true;
}

static bool read_number(struct ac_json_reader *reader, struct ac_json_token *token)
{
    size_t start = reader->at;
    take(reader, '-', '-');
    bool zero = reader->text.p[reader->at] == '0';
    size_t n = digits(reader);
    if (n == 0 || (zero && n > 1))
        return wrong(reader, "malformed number");
    if (take(reader, '.', '.') && digits(reader) == 0)
        return wrong(reader, "malformed number");
    if (take(reader, 'e', 'E')) {
        take(reader, '+', '-');
        if (digits(reader) == 0)
            return wrong(reader, "malformed number");
    }
    token->raw = (struct ac_str){reader->text.p + start, reader->at - start};
    return true;
}

static bool read_word(struct ac_json_reader *reader, struct ac_json_token *token)
{
    static const struct {
        struct ac_str text;
        enum ac_json_kind kind;
    } words[] = {
        {{"true", 4}, AC_JSON_TRUE}, {{"false", 5}, AC_JSON_FALSE}, {{"null", 4}, AC_JSON_NULL}};
    struct ac_str rest = {reader->text.p + reader->at, reader->text.n - reader->at};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (ac_str_starts(rest, words[i].text)) {
            reader->at += words[i].text.n;
            token->kind = words[i].kind;
            return true;
        }
    return misplaced(reader);
}

static char skip_space(struct ac_json_reader *reader)
{
    const char *text = reader->text.p;
    size_t at = reader->at;
    while (text[at] == ' ' || text[at] == '\n' || text[at] == '\t' || text[at] == '\r')
        at++;
    reader->at = at;
    return text[at];
}

static bool read_bracket(struct ac_json_reader *reader)
{
    if (reader->depth >= reader->max_depth)
        return wrong(reader, "nested too deeply");
    reader->depth++;
    reader->at++;
    return true;
}

bool ac_json_open(struct ac_json_reader *reader, struct ac_str text, struct ac_json_limits limits)
{
    *reader = (struct ac_json_reader){.text = text, .max_depth = limits.max_depth};
    if (text.n <= limits.max_bytes)
        return true;
    reader->at = limits.max_bytes;
    return wrong(reader, "larger than the limit");
}

struct ac_json_token ac_json_value(struct ac_json_reader *reader)
{
    struct ac_json_token token = {0};
    char c = skip_space(reader);
    bool good;
    if (c == '"') {
        token.kind = AC_JSON_STRING;
        good = read_string(reader, &token);
    } else if (c == '{' || c == '[') {
        token.kind = c == '{' ? AC_JSON_OBJECT : AC_JSON_ARRAY;
        good = read_bracket(reader);
    } else if (c == '-' || (c >= '0' && c <= '9')) {
        token.kind = AC_JSON_NUMBER;
        good = read_number(reader, &token);
    } else {
        good = read_word(reader, &token);
    }
    if (!good)
        token.kind = AC_JSON_BROKEN;
    return token;
}

bool ac_json_more(struct ac_json_reader *reader, enum ac_json_kind container, bool first)
{
    char c = skip_space(reader);
    if (c == (container == AC_JSON_OBJECT ? '}' : ']')) {
        reader->at++;
        reader->depth--;
        return false;
    }
    if (first)
        return true;
    if (c != ',')
        return misplaced(reader);
    reader->at++;
    return true;
}

struct ac_json_token ac_json_name(struct ac_json_reader *reader)
{
    struct ac_json_token token = {0};
    if (skip_space(reader) != '"') {
        misplaced(reader);
    } else if (read_string(reader, &token)) {
        if (skip_space(reader) == ':') {
            reader->at++;
            token.kind = AC_JSON_STRING;
        } else {
            misplaced(reader);
        }
    }
    return token;
}

bool ac_json_end(struct ac_json_reader *reader)
{
    skip_space(reader);
    return reader->at >= reader->text.n || misplaced(reader);
}

static size_t put_utf8(char *out, unsigned long code)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    size_t n = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--, code >>= 6)
        out[i] = (char)(0x80 | (code & 0x3f));
    out[0] = (char)((0xf00 >> n & 0xff) | code);
    return n;
}

size_t ac_json_unescape(char *out, struct ac_str raw)
{
    static const char names[] = "bfnrt", bytes[] = "\b\f\n\r\t";
    char *to = out;
    for (size_t i = 0; i < raw.n;) {
        if (raw.p[i] != '\\') {
            *to++ = raw.p[i++];
        } else if (raw.p[i + 1] != 'u') {
            const char *name = strchr(names, raw.p[i + 1]);
            *to++ = name ? bytes[name - names] : raw.p[i + 1];
            i += 2;
        } else {
            unsigned long code = (unsigned long)code_unit(raw.p + i);
            i += 6;
            if (is_high((int)code)) {
                unsigned long low = (unsigned long)code_unit(raw.p + i);
                code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
                i += 6;
            }
            to += put_utf8(to, code);
        }
    }
    return (size_t)(to - out);
}

enum ac_json_number ac_json_number(struct ac_str token, int64_t *integer)
{
    uint64_t value = 0, limit = INT64_MAX;
    bool negative = token.n > 0 && token.p[0] == '-';
    if (negative)
        limit++;
    for (size_t i = negative; i < token.n; i++) {
        char c = token.p[i];
        if (c < '0' || c > '9')
            return AC_JSON_FLOAT;
        uint64_t digit = (uint64_t)(c - '0');
        if (value > (limit - digit) / 10) {
            for (; i < token.n; i++)
                if (token.p[i] < '0' || token.p[i] > '9')
                    return AC_JSON_FLOAT;
            return AC_JSON_BIG;
        }
        value = value * 10 + digit;
    }
    *integer = negative ? (int64_t)(0 - value) : (int64_t)value;
    return AC_JSON_INTEGER;
}

/* Past one value. */
static bool skip_value(struct ac_json_reader *reader)
{
    enum ac_json_kind kind = ac_json_value(reader).kind;
    if (kind != AC_JSON_OBJECT && kind != AC_JSON_ARRAY)
        return kind != AC_JSON_BROKEN;
    for (bool first = true; ac_json_more(reader, kind, first); first = false) {
        if (kind == AC_JSON_OBJECT && ac_json_name(reader).kind == AC_JSON_BROKEN)
            return false;
        if (!skip_value(reader))
            return false;
    }
    return !reader->why;
}

enum ac_status ac_json_check(struct ac_json *json, struct ac_str text, struct ac_json_limits limits)
{
    struct ac_json_reader reader;
    enum ac_status status = AC_INVALID;
    *json = (struct ac_json){0};
    if (!ac_json_open(&reader, text, limits))
        status = AC_LIMIT;
    else if (skip_value(&reader) && ac_json_end(&reader))
        return AC_OK;
    json->why = reader.why;
    json->where = reader.at;
    return status;
}
