/* What a header line may be, for the signer and the wire alike (RFC 9110 section 5). */
#ifndef AC_HEADER_H
#define AC_HEADER_H

#include "ac.h"

/* Outer white space is not part of a header's value. */
struct ac_str ac_header_trim(struct ac_str value);

/* Trims a value where it stands. False if there is a control character in what is left. */
bool ac_header_clean(struct ac_str *value);

/* Takes the next field off the front of a block of lines that end in LF or CR LF, its value
 * trimmed. Lines without a colon are passed over. False at the end of the block. */
bool ac_header_next(struct ac_str *block, struct ac_str *name, struct ac_str *value);

/* Why a caller may not send this header, or NULL. The headers that frame a message belong to
 * whoever writes it: a length that is not the body's would let one request be read as another. */
const char *ac_header_flaw(struct ac_str name, struct ac_str value);

#endif
