/* Strict JSON over cJSON (RFC 8259), for text that a peer wrote.
 *
 * cJSON alone takes trailing garbage, cuts strings at \u0000, knows numbers as doubles only and
 * nests a thousand deep. A scan of the tokens before it refuses those, and a cursor over the
 * text gives back the digits of each number in document order.
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

struct ac_json {
    cJSON *root;
    struct ac_str text; /* borrowed */
    const char *why;    /* after a failure: what is wrong, for a person */
    size_t where;       /* and the byte offset of it */
};

/* The text must be followed by a NUL byte and outlive the result. */
enum ac_status ac_json_parse(struct ac_json *json, struct ac_str text,
                             struct ac_json_limits limits);
void ac_json_free(struct ac_json *json);

/* The string member of an object: {NULL, 0} if absent or no string. Case matters; a name that
 * occurs twice counts as absent, so that no two readers disagree about it. */
struct ac_str ac_json_string(const cJSON *object, const char *name);

/* The same member as any kind of value, or NULL. */
const cJSON *ac_json_member(const cJSON *object, const char *name);

/* Walks the number tokens of a text in document order. */
struct ac_json_cursor {
    struct ac_str text;
    size_t at;
};
struct ac_str ac_json_next_number(struct ac_json_cursor *cursor);

enum ac_json_number { AC_JSON_INTEGER, AC_JSON_BIG, AC_JSON_FLOAT };

/* An integer that fits 64 bits, an integer that does not, or anything with a fraction or
 * exponent. */
enum ac_json_number ac_json_number(struct ac_str token, int64_t *integer);

#endif
