#include "codec.h"

#include <float.h>
#include <inttypes.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

static const char HEX_UPPER[] = "0123456789ABCDEF";
static const char HEX_LOWER[] = "0123456789abcdef";

/* One bit for each byte that stays as it is: A-Z a-z 0-9 - _ . ~ */
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

static int escape_at(struct ac_str in, size_t i)
{
    if (in.p[i] != '%' || i + 2 >= in.n)
        return -1;
    int high = hex_value(in.p[i + 1]), low = hex_value(in.p[i + 2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
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
    if (in.n > plain)
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
        if (in.p[i] != '%') {
            ac_buf_add_char(out, in.p[i]);
            continue;
        }
        int value = escape_at(in, i);
        if (value < 0)
            return false;
        ac_buf_add_char(out, (char)value);
        i += 2;
    }
    return true;
}

bool ac_codec_unhex(unsigned char *out, size_t n, struct ac_str in)
{
    if (in.n != n * 2)
        return false;
    for (size_t i = 0; i < n; i++) {
        int high = hex_value(in.p[2 * i]), low = hex_value(in.p[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i] = (unsigned char)(high << 4 | low);
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
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < n; i += 3) {
        uint32_t group = (uint32_t)p[i] << 16;
        group |= i + 1 < n ? (uint32_t)p[i + 1] << 8 : 0;
        group |= i + 2 < n ? (uint32_t)p[i + 2] : 0;
        const char quad[4] = {alphabet[group >> 18], alphabet[(group >> 12) & 63],
                              i + 1 < n ? alphabet[(group >> 6) & 63] : '=',
                              i + 2 < n ? alphabet[group & 63] : '='};
        ac_buf_add(out, quad, sizeof quad);
    }
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
    /* The locale's separator may be another character, or several bytes. */
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

/* The locale wants something else than '.' here. */
static enum ac_status parse_localised(struct ac_str in, double *value)
{
    struct ac_buf copy;
    ac_buf_init(&copy, in.n * 2 + 64);
    for (size_t i = 0; i < in.n; i++) {
        if (in.p[i] == '.')
            ac_buf_add_text(&copy, localeconv()->decimal_point);
        else
            ac_buf_add_char(&copy, in.p[i]);
    }
    enum ac_status status = copy.status;
    if (status == AC_OK)
        *value = strtod(copy.p, NULL);
    ac_buf_free(&copy);
    return status;
}

enum ac_status ac_codec_parse_float(struct ac_str in, double *value)
{
    char *end = NULL;
    *value = strtod(in.p, &end);
    return end == in.p + in.n ? AC_OK : parse_localised(in, value);
}

/* Days since 1970-01-01 of a proleptic Gregorian date; no time zone data and no locale. */
static int64_t days_from_civil(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
           719468;
}

static bool valid_date(int year, int month, int day)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (year < 0 || month < 1 || month > 12 || day < 1)
        return false;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return day <= lengths[month - 1] + (month == 2 && leap);
}

bool ac_codec_iso8601(char out[21], int64_t unix_seconds)
{
    if (unix_seconds < -62167219200 || unix_seconds > 253402300799)
        return false;
    int64_t days = unix_seconds / 86400, second = unix_seconds % 86400;
    if (second < 0) {
        second += 86400;
        days--;
    }
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_index = (5 * day_of_year + 2) / 153;
    int day = (int)(day_of_year - (153 * month_index + 2) / 5 + 1);
    int month = (int)(month_index < 10 ? month_index + 3 : month_index - 9);
    int year = (int)(year_of_era + era * 400 + (month <= 2));
    const int parts[] = {
        year / 100,        year % 100, month, day, (int)(second / 3600), (int)(second / 60 % 60),
        (int)(second % 60)};
    memcpy(out, "0000-00-00T00:00:00Z", 21);
    for (int i = 0, at = 0; i < 7; i++, at += i == 1 ? 2 : 3) {
        out[at] = (char)('0' + parts[i] / 10);
        out[at + 1] = (char)('0' + parts[i] % 10);
    }
    return true;
}

/* Reads exactly `n` digits at `at`; -1 if one is not a digit. */
static int digits(struct ac_str in, size_t at, size_t n)
{
    int value = 0;
    for (size_t i = at; i < at + n; i++) {
        if (in.p[i] < '0' || in.p[i] > '9')
            return -1;
        value = value * 10 + (in.p[i] - '0');
    }
    return value;
}

static bool to_unix(int year, int month, int day, int hour, int minute, int second, int64_t *out)
{
    if (!valid_date(year, month, day) || hour < 0 || hour > 23 || minute < 0 || minute > 59 ||
        second < 0 || second > 60)
        return false;
    *out = days_from_civil(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
    return true;
}

bool ac_codec_parse_iso8601(struct ac_str in, int64_t *unix_seconds)
{
    if (in.n != 20 || in.p[4] != '-' || in.p[7] != '-' || in.p[10] != 'T' || in.p[13] != ':' ||
        in.p[16] != ':' || in.p[19] != 'Z')
        return false;
    return to_unix(digits(in, 0, 4), digits(in, 5, 2), digits(in, 8, 2), digits(in, 11, 2),
                   digits(in, 14, 2), digits(in, 17, 2), unix_seconds);
}

bool ac_codec_parse_http_date(struct ac_str in, int64_t *unix_seconds)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    if (in.n != 29 || in.p[3] != ',' || in.p[4] != ' ' || in.p[7] != ' ' || in.p[11] != ' ' ||
        in.p[16] != ' ' || in.p[19] != ':' || in.p[22] != ':' || memcmp(in.p + 25, " GMT", 4) != 0)
        return false;
    int month = 0;
    for (int i = 0; i < 12 && month == 0; i++)
        if (memcmp(in.p + 8, months + (size_t)i * 3, 3) == 0)
            month = i + 1;
    return to_unix(digits(in, 12, 4), month, digits(in, 5, 2), digits(in, 17, 2), digits(in, 20, 2),
                   digits(in, 23, 2), unix_seconds);
}
