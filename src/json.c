#include "json.h"

struct scan {
    struct ac_str text;
    size_t at;
    unsigned depth;
    unsigned max_depth;
    const char *why;
};

static bool wrong(struct scan *scan, const char *why)
{
    scan->why = why;
    return false;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = ac_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* At a backslash. cJSON would cut the string at an escaped NUL. */
static bool scan_escape(struct scan *scan)
{
    if (scan->at + 1 >= scan->text.n)
        return wrong(scan, "string is not closed");
    char kind = scan->text.p[scan->at + 1];
    if (kind != 'u') {
        if (kind == '\0' || !strchr("\"\\/bfnrt", kind))
            return wrong(scan, "unknown escape in a string");
        scan->at += 2;
        return true;
    }
    if (scan->at + 5 >= scan->text.n)
        return wrong(scan, "string is not closed");
    int code = 0;
    for (size_t i = 2; i < 6; i++) {
        int digit = hex_digit(scan->text.p[scan->at + i]);
        if (digit < 0)
            return wrong(scan, "\\u needs four hex digits");
        code = code * 16 + digit;
    }
    if (code == 0)
        return wrong(scan, "\\u0000 is not allowed in a string");
    scan->at += 6;
    return true;
}

static bool scan_string(struct scan *scan)
{
    scan->at++;
    while (scan->at < scan->text.n) {
        unsigned char c = (unsigned char)scan->text.p[scan->at];
        if (c == '"') {
            scan->at++;
            return true;
        }
        if (c < 0x20)
            return wrong(scan, "raw control character in a string");
        if (c != '\\')
            scan->at++;
        else if (!scan_escape(scan))
            return false;
    }
    return wrong(scan, "string is not closed");
}

static size_t digits(struct scan *scan)
{
    size_t start = scan->at;
    while (scan->at < scan->text.n && scan->text.p[scan->at] >= '0' &&
           scan->text.p[scan->at] <= '9')
        scan->at++;
    return scan->at - start;
}

static bool next_is(const struct scan *scan, const char *any)
{
    return scan->at < scan->text.n && scan->text.p[scan->at] != '\0' &&
           strchr(any, scan->text.p[scan->at]);
}

static bool scan_number(struct scan *scan)
{
    if (next_is(scan, "-"))
        scan->at++;
    bool zero = next_is(scan, "0");
    size_t n = digits(scan);
    if (n == 0 || (zero && n > 1))
        return wrong(scan, "malformed number");
    if (next_is(scan, ".")) {
        scan->at++;
        if (digits(scan) == 0)
            return wrong(scan, "malformed number");
    }
    if (next_is(scan, "eE")) {
        scan->at++;
        if (next_is(scan, "+-"))
            scan->at++;
        if (digits(scan) == 0)
            return wrong(scan, "malformed number");
    }
    return true;
}

static bool scan_word(struct scan *scan)
{
    static const char *const words[] = {"true", "false", "null"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t n = strlen(words[i]);
        if (scan->text.n - scan->at >= n && memcmp(scan->text.p + scan->at, words[i], n) == 0) {
            scan->at += n;
            return true;
        }
    }
    return wrong(scan, "unexpected character");
}

static bool scan_token(struct scan *scan)
{
    char c = scan->text.p[scan->at];
    switch (c) {
    case '{':
    case '[':
        if (++scan->depth > scan->max_depth)
            return wrong(scan, "nested too deeply");
        break;
    case '}':
    case ']':
        if (scan->depth > 0)
            scan->depth--;
        break;
    case ' ':
    case '\t':
    case '\n':
    case '\r':
    case ',':
    case ':':
        break;
    case '"':
        return scan_string(scan);
    default:
        return c == '-' || (c >= '0' && c <= '9') ? scan_number(scan) : scan_word(scan);
    }
    scan->at++;
    return true;
}

/* Refuses what can hide in tokens; the order of tokens is left to cJSON. */
static bool scan_all(struct scan *scan)
{
    while (scan->at < scan->text.n)
        if (!scan_token(scan))
            return false;
    return true;
}

enum ac_status ac_json_parse(struct ac_json *json, struct ac_str text, struct ac_json_limits limits)
{
    struct scan scan = {.text = text, .max_depth = limits.max_depth};
    *json = (struct ac_json){.text = text};
    if (text.n > limits.max_bytes) {
        json->why = "larger than the limit";
        json->where = limits.max_bytes;
        return AC_LIMIT;
    }
    if (!scan_all(&scan)) {
        json->why = scan.why;
        json->where = scan.at;
        return AC_INVALID;
    }
    /* The counted length includes the NUL; without it cJSON cannot see trailing garbage. */
    const char *end = NULL;
    json->root = cJSON_ParseWithLengthOpts(text.p, text.n + 1, &end, 1);
    if (json->root)
        return AC_OK;
    json->why = text.n == 0 ? "empty" : "malformed";
    json->where = end ? (size_t)(end - text.p) : 0;
    return AC_INVALID;
}

void ac_json_free(struct ac_json *json)
{
    cJSON_Delete(json->root);
    json->root = NULL;
}

const cJSON *ac_json_member(const cJSON *object, const char *name)
{
    const cJSON *found = NULL, *item = NULL;
    if (!cJSON_IsObject(object))
        return NULL;
    cJSON_ArrayForEach(item, object)
    {
        if (strcmp(item->string, name) != 0)
            continue;
        if (found)
            return NULL;
        found = item;
    }
    return found;
}

struct ac_str ac_json_string(const cJSON *object, const char *name)
{
    const cJSON *item = ac_json_member(object, name);
    return cJSON_IsString(item) ? ac_str_of(item->valuestring) : (struct ac_str){0};
}

struct ac_str ac_json_next_number(struct ac_json_cursor *cursor)
{
    struct scan scan = {.text = cursor->text, .at = cursor->at, .max_depth = ~0u};
    while (scan.at < scan.text.n) {
        size_t start = scan.at;
        char c = scan.text.p[start];
        if (!scan_token(&scan))
            break;
        if (c == '-' || (c >= '0' && c <= '9')) {
            cursor->at = scan.at;
            return (struct ac_str){scan.text.p + start, scan.at - start};
        }
    }
    return (struct ac_str){0};
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
    *integer = negative ? (int64_t)(~value + 1) : (int64_t)value;
    return AC_JSON_INTEGER;
}
