/* UTF-8 (RFC 3629): checks text and replaces invalid bytes by U+FFFD.
 *
 * Everything that becomes a Lua value or JSON text goes through here. So a byte in another encoding
 * in a response does not make the response unusable, and is not passed on.
 */
#ifndef AC_UTF8_H
#define AC_UTF8_H

#include "ac.h"

#define AC_UTF8_REPLACEMENT "\xef\xbf\xbd"

/* The length in bytes of the first character of a text that is not empty. If the bytes are not
 * UTF-8, *valid is false, and one U+FFFD is to replace that many bytes (Unicode standard, section
 * 3.9, maximal subparts). */
size_t ac_utf8_character(struct ac_str text, bool *valid);

/* Writes a character, at most four bytes; returns how many. */
size_t ac_utf8_put(char *out, unsigned long code);

/* The largest length up to `max` that cuts no character in two. */
size_t ac_utf8_cut(struct ac_str text, size_t max);

#endif
