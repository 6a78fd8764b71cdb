/* UTF-8 (RFC 3629): what is text, and what stands for bytes that are none.
 *
 * Whatever becomes a Lua value or JSON text goes through here, so that a byte of a server in
 * another encoding neither loses an answer nor is passed on: U+FFFD takes its place.
 */
#ifndef AC_UTF8_H
#define AC_UTF8_H

#include "ac.h"

#define AC_UTF8_REPLACEMENT "\xef\xbf\xbd"

/* How many bytes the first character of a text that is not empty has. Where they are no UTF-8,
 * *valid becomes false and one U+FFFD is to stand for so many bytes, as the Unicode standard
 * recommends (section 3.9, maximal subparts). */
size_t ac_utf8_character(struct ac_str text, bool *valid);

/* Writes a character, at most four bytes, and returns how many. */
size_t ac_utf8_put(char *out, unsigned long code);

/* How many of at most `max` bytes may be taken so that no character is cut. */
size_t ac_utf8_cut(struct ac_str text, size_t max);

#endif
