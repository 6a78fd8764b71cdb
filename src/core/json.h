/* A strict JSON reader (RFC 8259) for text that a peer wrote; it returns one token at a time. It
 * also refuses text that is nested too deeply, and very long numbers.
 *
 * Strings that are not valid Unicode (invalid UTF-8, \u0000, half a surrogate pair) are accepted,
 * because a response must not be lost over one byte: ac_json_unescape() replaces the invalid parts
 * with U+FFFD. A byte order mark before the text is skipped.
 */
#ifndef AC_JSON_H
#define AC_JSON_H

#include "buf.h"

/* Longest number in characters: every version of cJSON accepts it; a double needs a third of it. */
#define AC_JSON_NUMBER_MAX 63

struct ac_json_reader {
    struct ac_str text;
    size_t at;
    unsigned depth;
    const char *why; /* after a failure: what is wrong, as a text for people; `at` is the place */
    bool limit;      /* the failure is a limit of ours: the text may be valid JSON */
};

enum ac_json_kind {
    AC_JSON_BROKEN, /* malformed; reader->why says how */
    AC_JSON_OBJECT,
    AC_JSON_ARRAY,
    AC_JSON_STRING,
    AC_JSON_NUMBER,
    AC_JSON_TRUE, /* json.c relies on the order of these three */
    AC_JSON_FALSE,
    AC_JSON_NULL
};

struct ac_json_token {
    enum ac_json_kind kind;
    struct ac_str raw; /* the text of a number, or of a string without its quotes */
    bool escaped;      /* ac_json_unescape() returns something else than the raw string */
    size_t replaced;   /* how many U+FFFD ac_json_unescape() writes */
};

/* The byte order mark that some systems put before a text. */
#define AC_JSON_MARK "\xef\xbb\xbf"

/* The text must be followed by a NUL and outlive the reader. False if it is too long. */
bool ac_json_open(struct ac_json_reader *reader, struct ac_str text, size_t max_bytes);

/* Reads the next value: a whole scalar, or only the opening bracket of an object or array. */
struct ac_json_token ac_json_value(struct ac_json_reader *reader);

/* Whether another member or item follows; if not, reads the closing bracket. `first` is true after
 * the opening bracket. False also if the text is malformed; then reader->why is set. */
bool ac_json_more(struct ac_json_reader *reader, enum ac_json_kind container, bool first);

/* Reads the name of a member and the colon; AC_JSON_STRING or AC_JSON_BROKEN. */
struct ac_json_token ac_json_name(struct ac_json_reader *reader);

/* Whether only white space follows; if not, sets reader->why. */
bool ac_json_end(struct ac_json_reader *reader);

/* The most bytes that ac_json_unescape() writes for a string. */
static inline size_t ac_json_room(const struct ac_json_token *token)
{
    return token->raw.n + 2 * token->replaced;
}

/* Decodes a string into `out`, which has ac_json_room() bytes. Returns the number of bytes. */
size_t ac_json_unescape(char *out, struct ac_str raw);

/* Whether the text is one JSON value; it is only checked. If not, reader->why says what is wrong.
 * Repeated member names are not detected. */
bool ac_json_check(struct ac_json_reader *reader, struct ac_str text, size_t max_bytes);

/* Appends a text that ac_json_check() has accepted, with all strings made valid Unicode: other
 * parsers cut strings at \u0000, or refuse half a surrogate pair. */
void ac_json_clean(struct ac_buf *out, struct ac_str text);

#endif
