#include "json.h"

#include "utf8.h"

#include <stdlib.h>

static bool wrong(struct ac_json_reader *reader, const char *why)
{
    reader->why = why;
    return false;
}

static bool over_limit(struct ac_json_reader *reader, const char *why)
{
    reader->limit = true;
    return wrong(reader, why);
}

/* Fails at a character that is not allowed here: "malformed" if JSON uses it in other places. */
static bool misplaced(struct ac_json_reader *reader)
{
    char c = reader->text.p[reader->at];
    bool known = c == '\0' || strchr("{}[],:\"-0123456789", c);
    return wrong(reader, reader->text.n == 0 ? "empty"
                         : known             ? "malformed"
                                             : "unexpected character");
}

/* The four digits after `\u` at `p`, or -1. */
static int code_unit(const char *p)
{
    char digits[5] = {0};
    memcpy(digits, p + 2, 4);
    return strspn(digits, "0123456789abcdefABCDEF") == 4 ? (int)strtol(digits, NULL, 16) : -1;
}

/* Whether a code unit is one of the 1024 surrogates from `first` on. */
#define HIGH 0xd800
#define LOW 0xdc00
static bool is_surrogate(int code, int first)
{
    return code >= first && code < first + 0x400;
}

#define REPLACEMENT 0xfffd

/* Decodes the escape `\uXXXX` at the start of `rest`, or two that form a surrogate pair. `used` is
 * the length of what was decoded. NUL and lone surrogates become U+FFFD. */
static long escaped_character(struct ac_str rest, size_t *used)
{
    int code = code_unit(rest.p);
    bool pair = is_surrogate(code, HIGH) && rest.n >= 12 && rest.p[6] == '\\' && rest.p[7] == 'u';
    int low = pair ? code_unit(rest.p + 6) : 0;
    *used = 6;
    if (is_surrogate(low, LOW)) {
        *used = 12;
        return 0x10000 + ((long)(code - HIGH) << 10) + (low - LOW);
    }
    bool text = code != 0 && !is_surrogate(code, HIGH) && !is_surrogate(code, LOW);
    return text ? code : REPLACEMENT;
}

static bool read_escape(struct ac_json_reader *reader, struct ac_json_token *token)
{
    struct ac_str rest = {reader->text.p + reader->at, reader->text.n - reader->at};
    size_t used = 2;
    token->escaped = true;
    if (rest.n < 2 || (rest.p[1] == 'u' && rest.n < 6))
        return wrong(reader, "string is not closed");
    if (rest.p[1] == 'u' && code_unit(rest.p) < 0)
        return wrong(reader, "\\u needs four hex digits");
    if (rest.p[1] == 'u')
        token->replaced += escaped_character(rest, &used) == REPLACEMENT;
    else if (rest.p[1] == '\0' || !strchr("\"\\/bfnrt", rest.p[1]))
        return wrong(reader, "unknown escape in a string");
    reader->at += used;
    return true;
}

/* Skips bytes over 0x7f, counting the invalid ones, which become U+FFFD later. */
static void read_characters(struct ac_json_reader *reader, struct ac_json_token *token)
{
    struct ac_str rest = {reader->text.p + reader->at, reader->text.n - reader->at};
    while (rest.n > 0 && (unsigned char)rest.p[0] >= 0x80) {
        bool valid;
        size_t n = ac_utf8_character(rest, &valid);
        token->escaped = token->escaped || !valid;
        token->replaced += !valid;
        rest = (struct ac_str){rest.p + n, rest.n - n};
    }
    reader->at = reader->text.n - rest.n;
}

/* Moves to the next character that is not plain, at the latest the NUL at the end; returns it. */
static unsigned char skip_plain(struct ac_json_reader *reader)
{
    const char *p = reader->text.p + reader->at;
    while ((signed char)*p >= 0x20 && *p != '"' && *p != '\\')
        p++;
    reader->at = (size_t)(p - reader->text.p);
    return (unsigned char)*p;
}

/* Reads a string; starts at its opening quote. */
static bool read_string(struct ac_json_reader *reader, struct ac_json_token *token)
{
    size_t start = ++reader->at;
    for (unsigned char c; (c = skip_plain(reader)) != '"';) {
        if (reader->at >= reader->text.n)
            return wrong(reader, "string is not closed");
        if (c < 0x20)
            return wrong(reader, "raw control character in a string");
        if (c >= 0x80)
            read_characters(reader, token);
        else if (!read_escape(reader, token))
            return false;
    }
    token->raw = (struct ac_str){reader->text.p + start, reader->at - start};
    reader->at++;
    return true;
}

/* Skips digits and returns their number. The NUL at the end of the text is no digit. */
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
    bool good = n == 1 || (n > 1 && !zero);
    if (good && take(reader, '.', '.'))
        good = digits(reader) > 0;
    if (good && take(reader, 'e', 'E')) {
        take(reader, '+', '-');
        good = digits(reader) > 0;
    }
    if (!good)
        return wrong(reader, "malformed number");
    token->raw = (struct ac_str){reader->text.p + start, reader->at - start};
    if (token->raw.n > AC_JSON_NUMBER_MAX)
        return wrong(reader, "number of too many characters");
    return true;
}

static bool read_word(struct ac_json_reader *reader, struct ac_json_token *token)
{
    static const struct ac_str words[] = {{"true", 4}, {"false", 5}, {"null", 4}};
    struct ac_str rest = {reader->text.p + reader->at, reader->text.n - reader->at};
    for (int i = 0; i < 3; i++)
        if (ac_str_starts(rest, words[i])) {
            reader->at += words[i].n;
            token->kind = (enum ac_json_kind)(AC_JSON_TRUE + i);
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

bool ac_json_open(struct ac_json_reader *reader, struct ac_str text, size_t max_bytes)
{
    *reader = (struct ac_json_reader){.text = text};
    if (ac_str_starts(text, AC_STR(AC_JSON_MARK)))
        reader->at = 3;
    if (text.n <= max_bytes)
        return true;
    reader->at = max_bytes;
    return over_limit(reader, "larger than the limit");
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
        good = reader->depth < AC_MAX_JSON_DEPTH;
        reader->depth += good;
        reader->at += good;
        if (!good)
            over_limit(reader, "nested too deeply");
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
    bool quoted = skip_space(reader) == '"';
    if (quoted && !read_string(reader, &token))
        return token;
    if (!quoted || skip_space(reader) != ':') {
        misplaced(reader);
        return token;
    }
    reader->at++;
    token.kind = AC_JSON_STRING;
    return token;
}

bool ac_json_end(struct ac_json_reader *reader)
{
    skip_space(reader);
    if (reader->at == reader->text.n)
        return true;
    return misplaced(reader);
}

/* Writes the character of the escape at the start of `rest`. */
static size_t put_escape(char *out, struct ac_str rest, size_t *used)
{
    static const char names[] = "bfnrt", bytes[] = "\b\f\n\r\t";
    if (rest.p[1] == 'u')
        return ac_utf8_put(out, (unsigned long)escaped_character(rest, used));
    const char *name = strchr(names, rest.p[1]);
    *out = name ? bytes[name - names] : rest.p[1];
    *used = 2;
    return 1;
}

size_t ac_json_unescape(char *out, struct ac_str raw)
{
    char *to = out;
    for (size_t n; raw.n > 0; raw = (struct ac_str){raw.p + n, raw.n - n}) {
        bool valid = true;
        if (raw.p[0] == '\\') {
            to += put_escape(to, raw, &n);
            continue;
        }
        n = ac_utf8_character(raw, &valid);
        memcpy(to, valid ? raw.p : AC_UTF8_REPLACEMENT, valid ? n : 3);
        to += valid ? n : 3;
    }
    return (size_t)(to - out);
}

void ac_json_clean(struct ac_buf *out, struct ac_str text)
{
    for (size_t n; text.n > 0; text = (struct ac_str){text.p + n, text.n - n}) {
        bool valid = true;
        if (text.p[0] != '\\')
            n = ac_utf8_character(text, &valid);
        else if (text.p[1] != 'u')
            n = 2;
        else
            valid = escaped_character(text, &n) != REPLACEMENT;
        ac_buf_add_str(out, valid ? (struct ac_str){text.p, n} : AC_STR(AC_UTF8_REPLACEMENT));
    }
}

/* Skips one value. False if it is malformed. */
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

bool ac_json_check(struct ac_json_reader *reader, struct ac_str text, size_t max_bytes)
{
    return ac_json_open(reader, text, max_bytes) && skip_value(reader) && ac_json_end(reader);
}
