#include "codec.h"

#include <float.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

static const char HEX_UPPER[] = "0123456789ABCDEF";
static const char HEX_LOWER[] = "0123456789abcdef";

/* One bit for each byte that is not escaped: A-Z a-z 0-9 - _ . ~ */
static bool unreserved(unsigned char c)
{
    static const uint64_t map[4] = {UINT64_C(0x03ff600000000000), UINT64_C(0x47fffffe87fffffe), 0,
                                    0};
    return map[c >> 6] >> (c & 63) & 1;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = ac_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte of the two hex digits at `p`, or -1. */
static int hex_byte(const char *p)
{
    int high = hex_value(p[0]), low = hex_value(p[1]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

static int escape_at(struct ac_str in, size_t i)
{
    return in.p[i] == '%' && i + 2 < in.n ? hex_byte(in.p + i + 1) : -1;
}

static void percent_byte(struct ac_buf *out, unsigned char c)
{
    const char escape[3] = {'%', HEX_UPPER[c >> 4], HEX_UPPER[c & 15]};
    ac_buf_add(out, escape, sizeof escape);
}

void ac_codec_percent(struct ac_buf *out, struct ac_str in)
{
    size_t plain = 0;
    for (size_t i = 0; i < in.n; i++) {
        unsigned char c = (unsigned char)in.p[i];
        if (unreserved(c))
            continue;
        ac_buf_add(out, in.p + plain, i - plain);
        percent_byte(out, c);
        plain = i + 1;
    }
    ac_buf_add(out, in.p + plain, in.n - plain);
}

void ac_codec_percent_path(struct ac_buf *out, struct ac_str in)
{
    for (size_t i = 0; i < in.n; i++) {
        int escaped = escape_at(in, i);
        unsigned char c = escaped >= 0 ? (unsigned char)escaped : (unsigned char)in.p[i];
        if (escaped >= 0)
            i += 2;
        if (unreserved(c) || (c == '/' && escaped < 0))
            ac_buf_add_char(out, (char)c);
        else
            percent_byte(out, c);
    }
}

bool ac_codec_percent_decode(struct ac_buf *out, struct ac_str in)
{
    for (size_t i = 0; i < in.n; i++) {
        bool escaped = in.p[i] == '%';
        int value = escaped ? escape_at(in, i) : (unsigned char)in.p[i];
        if (value < 0)
            return false;
        ac_buf_add_char(out, (char)value);
        i += escaped ? 2 : 0;
    }
    return true;
}

bool ac_codec_unhex(unsigned char *out, size_t n, struct ac_str in)
{
    if (in.n != n * 2)
        return false;
    for (size_t i = 0; i < n; i++) {
        int byte = hex_byte(in.p + 2 * i);
        if (byte < 0)
            return false;
        out[i] = (unsigned char)byte;
    }
    return true;
}

void ac_codec_hex(char *out, const unsigned char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        out[i * 2] = HEX_LOWER[p[i] >> 4];
        out[i * 2 + 1] = HEX_LOWER[p[i] & 15];
    }
}

void ac_codec_base64(struct ac_buf *out, const unsigned char *p, size_t n)
{
    const size_t step = 3 << 20; /* a multiple of 3, so that only the end is padded; fits an int */
    for (size_t i = 0; i < n; i += step) {
        size_t part = n - i < step ? n - i : step, digits = (part + 2) / 3 * 4;
        char *room = ac_buf_room(out, digits);
        if (!room)
            return;
        EVP_EncodeBlock((unsigned char *)room, p + i, (int)part);
        ac_buf_advance(out, digits);
    }
}

/* The value of a base64 digit, or 64 for any other character. */
static unsigned base64_value(unsigned char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : 64;
}

bool ac_codec_unbase64(struct ac_buf *out, struct ac_str in)
{
    size_t digits = in.n;
    if (in.n % 4 != 0)
        return false;
    while (digits > 0 && in.n - digits < 2 && in.p[digits - 1] == '=')
        digits--;
    uint32_t bits = 0;
    unsigned held = 0;
    for (size_t i = 0; i < digits; i++) {
        unsigned value = base64_value((unsigned char)in.p[i]);
        if (value > 63)
            return false;
        bits = bits << 6 | value;
        held += 6;
        if (held >= 8) {
            held -= 8;
            ac_buf_add_char(out, (char)(bits >> held & 0xff));
        }
    }
    /* The bits after the last byte must be zero, so that a value has one encoding only. */
    return (bits & ((1u << held) - 1)) == 0;
}

void ac_codec_excerpt(struct ac_buf *out, struct ac_str in, size_t limit)
{
    size_t n = in.n < limit ? in.n : limit;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)in.p[i];
        if (c >= 0x20 && c <= 0x7e)
            ac_buf_add_char(out, (char)c);
        else
            ac_buf_printf(out, "\\x%02x", c);
    }
    if (in.n > limit)
        ac_buf_add_text(out, "...");
}

void ac_codec_float(char out[AC_CODEC_FLOAT_BYTES], double value)
{
    for (int precision = DBL_DIG; precision <= DBL_DIG + 2; precision++) {
        snprintf(out, AC_CODEC_FLOAT_BYTES, "%.*g", precision, value);
        if (strtod(out, NULL) == value)
            break;
    }
    /* The locale's decimal separator may be another character, or several bytes. */
    char *to = out;
    for (const char *from = out; *from; from++) {
        if (strchr("+-0123456789e", *from))
            *to++ = *from;
        else if (to == out || to[-1] != '.')
            *to++ = '.';
    }
    *to = '\0';
}

void ac_codec_integer(char out[AC_CODEC_FLOAT_BYTES], int64_t value)
{
    snprintf(out, AC_CODEC_FLOAT_BYTES, "%" PRId64, value);
}

/* Days from 1970-01-01 to a date of the proleptic Gregorian calendar, without time zone or locale.
 * Month 13 is January of the next year. */
static int64_t days_from_civil(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
           719468;
}

/* Writes `width` digits, then `behind`; returns the end. Faster than printf, which costs 1 % of a
 * call here. */
static char *put_digits(char *to, int value, int width, char behind)
{
    for (int i = width; i-- > 0; value /= 10)
        to[i] = (char)('0' + value % 10);
    to[width] = behind;
    return to + width + 1;
}

bool ac_codec_iso8601(char out[21], int64_t unix_seconds)
{
    if (unix_seconds < -62167219200 || unix_seconds > 253402300799)
        return false;
    int64_t days = (unix_seconds + 62167219200) / 86400 - 719528;
    unsigned second = (unsigned)(unix_seconds - days * 86400);
    int year = (int)((days + 719528) / 366), month = 1;
    while (days_from_civil(year + 1, 1, 1) <= days)
        year++;
    while (days_from_civil(year, month + 1, 1) <= days)
        month++;
    int day = (int)(days - days_from_civil(year, month, 1)) + 1;
    const int parts[6] = {
        year, month, day, (int)second / 3600, (int)second / 60 % 60, (int)second % 60};
    for (int i = 0; i < 6; i++)
        out = put_digits(out, parts[i], i == 0 ? 4 : 2, "--T::Z"[i]);
    *out = '\0';
    return true;
}

/* Reads a date of a fixed form. In `form`, '0' to '5' stand for a digit of year, month, day, hour,
 * minute and second, '?' for any character, and any other character for itself. */
static bool read_date(struct ac_str in, const char *form, int parts[6])
{
    if (in.n != strlen(form))
        return false;
    for (size_t i = 0; i < in.n; i++) {
        int part = form[i] - '0', digit = in.p[i] - '0';
        bool wanted = part >= 0 && part <= 5;
        if (wanted ? digit < 0 || digit > 9 : form[i] != '?' && form[i] != in.p[i])
            return false;
        if (wanted)
            parts[part] = parts[part] * 10 + digit;
    }
    return true;
}

static bool to_unix(const int parts[6], int64_t *out)
{
    int year = parts[0], month = parts[1], day = parts[2];
    if (month < 1 || month > 12 || day < 1 || parts[3] > 23 || parts[4] > 59 || parts[5] > 60)
        return false;
    int64_t first = days_from_civil(year, month, 1);
    *out = (first + day - 1) * 86400 + parts[3] * 3600 + parts[4] * 60 + parts[5];
    return day <= days_from_civil(year, month + 1, 1) - first;
}

bool ac_codec_parse_iso8601(struct ac_str in, int64_t *unix_seconds)
{
    int parts[6] = {0};
    return read_date(in, "0000-11-22T33:44:55Z", parts) && to_unix(parts, unix_seconds);
}

bool ac_codec_parse_http_date(struct ac_str in, int64_t *unix_seconds)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    int parts[6] = {0};
    if (!read_date(in, "???, 22 ??? 0000 33:44:55 GMT", parts))
        return false;
    for (int i = 0; i < 12; i++)
        if (memcmp(in.p + 8, months + (size_t)i * 3, 3) == 0)
            parts[1] = i + 1;
    return to_unix(parts, unix_seconds);
}
