/* Text encodings: RFC 3986 percent-encoding, hex, base64 (RFC 4648), dates.
 *
 * Encoders append to a buffer; a failure shows in its sticky `status`.
 */
#ifndef AC_CODEC_H
#define AC_CODEC_H

#include "buf.h"

/* RFC 3986 section 2.3: each byte except A-Z a-z 0-9 - _ . ~ becomes %XX, in upper case. */
void ac_codec_percent(struct ac_buf *out, struct ac_str in);

/* The same for a URI path: '/' stays; an escape that is there already is normalised. */
void ac_codec_percent_path(struct ac_buf *out, struct ac_str in);

/* False for a '%' that is not followed by two hex digits. '+' stays '+'. */
bool ac_codec_percent_decode(struct ac_buf *out, struct ac_str in);

/* Writes the 2 * `n` digits of `n` bytes, without a NUL. */
void ac_codec_hex(char *out, const unsigned char *p, size_t n);

/* False unless `in` is exactly the 2 * `n` hex digits of `n` bytes. */
bool ac_codec_unhex(unsigned char *out, size_t n, struct ac_str in);
void ac_codec_base64(struct ac_buf *out, const unsigned char *p, size_t n);

/* RFC 4648 section 4, with padding. False for any other input. */
bool ac_codec_unbase64(struct ac_buf *out, struct ac_str in);

/* The first `limit` bytes, safe for a terminal: bytes below 0x20 or over 0x7e become \xNN. */
void ac_codec_excerpt(struct ac_buf *out, struct ac_str in, size_t limit);

/* The shortest text that reads back as the same double, with '.' in every locale. Finite values
 * only. */
#define AC_CODEC_FLOAT_BYTES 40
void ac_codec_float(char out[AC_CODEC_FLOAT_BYTES], double value);

void ac_codec_integer(char out[AC_CODEC_FLOAT_BYTES], int64_t value);

/* UTC seconds since 1970 as YYYY-MM-DDTHH:MM:SSZ (20 characters and NUL). False outside the years 0
 * to 9999. */
bool ac_codec_iso8601(char out[21], int64_t unix_seconds);

/* Accepts only the form that ac_codec_iso8601() writes. */
bool ac_codec_parse_iso8601(struct ac_str in, int64_t *unix_seconds);

/* Reads an IMF-fixdate (RFC 9110 section 5.6.7): "Sun, 06 Nov 1994 08:49:37 GMT". */
bool ac_codec_parse_http_date(struct ac_str in, int64_t *unix_seconds);

#endif
