/* Strict JSON (RFC 8259), for text that a peer wrote.
 *
 * A reader pulls one token after the other out of the text and refuses what RFC 8259 does not
 * know, besides \u0000 and too deep nesting. Who builds values and who only checks use the same
 * one, so that they cannot disagree. Where a tree is wanted, cJSON makes it from a text that has
 * been checked: alone it takes trailing garbage and cuts strings at \u0000.
 */
#ifndef AC_JSON_H
#define AC_JSON_H

#include "ac.h"

#include <cjson/cJSON.h>

struct ac_json_limits {
    size_t max_bytes;
    unsigned max_depth;
};

#define AC_JSON_LIMITS ((struct ac_json_limits){AC_MAX_BODY_BYTES, AC_MAX_JSON_DEPTH})

struct ac_json_reader {
    struct ac_str text;
    size_t at;
    unsigned depth;
    unsigned max_depth;
    const char *why; /* after a failure: what is wrong, for a person; `at` is the place */
};

enum ac_json_kind {
    AC_JSON_BROKEN, /* reader->why says how */
    AC_JSON_OBJECT,
    AC_JSON_ARRAY,
    AC_JSON_STRING,
    AC_JSON_NUMBER,
    AC_JSON_TRUE,
    AC_JSON_FALSE,
    AC_JSON_NULL
};

struct ac_json_token {
    enum ac_json_kind kind;
    struct ac_str raw; /* of a number, or of a string without its quotes */
    bool escaped;      /* the raw string holds backslashes */
};

/* The text must be followed by a NUL byte and outlive the reader. False if it is too long. */
bool ac_json_open(struct ac_json_reader *reader, struct ac_str text, struct ac_json_limits limits);

/* The next value: a scalar whole, of an object or array only the opening bracket. */
struct ac_json_token ac_json_value(struct ac_json_reader *reader);

/* Whether another member or item follows, else the bracket is closed; `first` right after the
 * opening one. False also where the text is broken, and then reader->why is set. */
bool ac_json_more(struct ac_json_reader *reader, enum ac_json_kind container, bool first);

/* The name of a member and its colon; AC_JSON_STRING or AC_JSON_BROKEN. */
struct ac_json_token ac_json_name(struct ac_json_reader *reader);

/* Whether only white space follows; sets reader->why if not. */
bool ac_json_end(struct ac_json_reader *reader);

/* The bytes of an escaped string; `out` has room for raw.n. Returns how many were written. */
size_t ac_json_unescape(char *out, struct ac_str raw);

enum ac_json_number { AC_JSON_INTEGER, AC_JSON_BIG, AC_JSON_FLOAT };

/* An integer that fits 64 bits, an integer that does not, or anything with a fraction or
 * exponent. */
enum ac_json_number ac_json_number(struct ac_str token, int64_t *integer);

struct ac_json {
    cJSON *root;
    const char *why; /* after a failure, as in the reader */
    size_t where;
};

/* Whether the text is one JSON value, without making anything of it. */
enum ac_status ac_json_check(struct ac_json *json, struct ac_str text,
                             struct ac_json_limits limits);

/* The tree of a text that ac_json_check() has passed; AC_NOMEM is the only failure left. */
enum ac_status ac_json_parse(struct ac_json *json, struct ac_str text);
void ac_json_free(struct ac_json *json);

/* The string member of an object: {NULL, 0} if absent or no string. Case matters; a name that
 * occurs twice counts as absent, so that no two readers disagree about it. */
struct ac_str ac_json_string(const cJSON *object, const char *name);

/* The same member as any kind of value, or NULL. */
const cJSON *ac_json_member(const cJSON *object, const char *name);

#endif
