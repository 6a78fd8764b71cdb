/* Checks and parses header fields, for signing and sending alike (RFC 9110 section 5). */
#ifndef AC_HEADER_H
#define AC_HEADER_H

#include "ac.h"

/* The value without white space at its ends, which is not part of it. */
struct ac_str ac_header_trim(struct ac_str value);

/* Trims `*value` in place. False if the trimmed value contains a control character. */
bool ac_header_clean(struct ac_str *value);

/* Takes the next field off the front of `block`, whose lines end in LF or CR LF; the value is
 * trimmed. Skips lines without a colon. False at the end of the block. */
bool ac_header_next(struct ac_str *block, struct ac_str *name, struct ac_str *value);

/* Why a caller may not send this header, or NULL. Headers that frame the message, such as
 * Content-Length, are not the caller's: a wrong length lets a server read two requests in one. */
const char *ac_header_flaw(struct ac_str name, struct ac_str value);

#endif
