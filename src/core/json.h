/* Strict JSON (RFC 8259), for text that a peer wrote, token by token. Refused are also too deep
 * nesting and numbers of very many characters.
 *
 * A string that holds what is no Unicode text (bytes that are no UTF-8, \u0000, half a surrogate
 * pair) does not make the text unusable, since an answer must not be lost over a byte: U+FFFD
 * stands for it from ac_json_unescape() on. A byte order mark before the text is passed over.
 */
#ifndef AC_JSON_H
#define AC_JSON_H

#include "buf.h"

/* Characters: so many cJSON takes in every version, and what a double can tell needs a third. */
#define AC_JSON_NUMBER_MAX 63

struct ac_json_reader {
    struct ac_str text;
    size_t at;
    unsigned depth;
    const char *why; /* after a failure: what is wrong, for a person; `at` is the place */
    bool limit;      /* and whether it is a limit of ours, and the text may be good JSON */
};

enum ac_json_kind {
    AC_JSON_BROKEN, /* reader->why says how */
    AC_JSON_OBJECT,
    AC_JSON_ARRAY,
    AC_JSON_STRING,
    AC_JSON_NUMBER,
    AC_JSON_TRUE, /* these three in this order */
    AC_JSON_FALSE,
    AC_JSON_NULL
};

struct ac_json_token {
    enum ac_json_kind kind;
    struct ac_str raw; /* of a number, or of a string without its quotes */
    bool escaped;      /* the raw string holds what ac_json_unescape() turns into something else */
    size_t replaced;   /* how often U+FFFD will stand for what is no text */
};

/* A byte order mark, as some systems put it before a text. */
#define AC_JSON_MARK "\xef\xbb\xbf"

/* The text must be followed by a NUL byte and outlive the reader. False if it is too long. */
bool ac_json_open(struct ac_json_reader *reader, struct ac_str text, size_t max_bytes);

/* The next value: a scalar whole, of an object or array only the opening bracket. */
struct ac_json_token ac_json_value(struct ac_json_reader *reader);

/* Whether another member or item follows, else the bracket is closed; `first` right after the
 * opening one. False also where the text is broken, and then reader->why is set. */
bool ac_json_more(struct ac_json_reader *reader, enum ac_json_kind container, bool first);

/* The name of a member and its colon; AC_JSON_STRING or AC_JSON_BROKEN. */
struct ac_json_token ac_json_name(struct ac_json_reader *reader);

/* Whether only white space follows; sets reader->why if not. */
bool ac_json_end(struct ac_json_reader *reader);

/* Bytes that the text of a string needs at most. */
static inline size_t ac_json_room(const struct ac_json_token *token)
{
    return token->raw.n + 2 * token->replaced;
}

/* The text of an escaped string; `out` has ac_json_room(). Returns how many bytes were written. */
size_t ac_json_unescape(char *out, struct ac_str raw);

/* Whether the text is one JSON value, without making anything of it; else reader->why says what
 * is wrong. Members of the same name are not looked for. */
bool ac_json_check(struct ac_json_reader *reader, struct ac_str text, size_t max_bytes);

/* Appends a text that ac_json_check() has passed so that all its strings are Unicode text; other
 * parsers cut strings at \u0000, or refuse half a surrogate pair. */
void ac_json_clean(struct ac_buf *out, struct ac_str text);

#endif
