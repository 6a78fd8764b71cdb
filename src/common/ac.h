/* Common ground of the C core: version, byte strings, status codes, limits.
 *
 * Nothing here allocates and nothing here knows Lua, HTTP libraries or products.
 */
#ifndef AC_H
#define AC_H

/* -std=c11 hides POSIX, epoll and dladdr; every file of the core starts with this header. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
/* 64-bit file offsets everywhere: the journal's locks lie far behind the end of its file. */
#ifndef _FILE_OFFSET_BITS
#define _FILE_OFFSET_BITS 64
#endif
/* 64-bit seconds, so that a 32-bit machine has a clock after January 2038. */
#ifndef _TIME_BITS
#define _TIME_BITS 64
#endif

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define AC_VERSION "0.1.0"

/* The version and a checksum of all C files: identifies the build that a module belongs to. */
extern const char ac_build[];

/* AddressSanitizer maps far more memory than is used, and its library must be preloaded. */
#if defined(__SANITIZE_ADDRESS__)
#define AC_HAS_ASAN 1
#elif defined(__has_feature)
#define AC_HAS_ASAN __has_feature(address_sanitizer)
#else
#define AC_HAS_ASAN 0
#endif

#if defined(__GNUC__)
#define AC_EXPORT __attribute__((visibility("default")))
#define AC_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define AC_EXPORT
#define AC_PRINTF(fmt, args)
#endif

/* Defaults of the limits on the memory that a peer can make us use. */
#define AC_MAX_BODY_BYTES ((size_t)1024 * 1024)
#define AC_MAX_HEADER_BYTES ((size_t)64 * 1024)
#define AC_MAX_REQUEST_BYTES ((size_t)4 * 1024 * 1024)
#define AC_MAX_JSON_DEPTH 32u

/* Borrowed bytes; need not end in NUL. */
struct ac_str {
    const char *p;
    size_t n;
};

enum ac_status {
    AC_OK = 0,
    AC_NOMEM,   /* an allocation failed */
    AC_LIMIT,   /* a cap was reached */
    AC_INVALID, /* the input breaks its grammar */
    AC_CRYPTO   /* the crypto library refused (algorithm missing, provider trimmed) */
};

#define AC_STR(literal) ((struct ac_str){(literal), sizeof(literal) - 1})

static inline struct ac_str ac_str_of(const char *text)
{
    return (struct ac_str){text, text ? strlen(text) : 0};
}

static inline bool ac_str_equal(struct ac_str a, struct ac_str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* Compares bytes; a prefix comes before the longer text. This is the order of canonical names. */
static inline int ac_str_compare(struct ac_str a, struct ac_str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n ? memcmp(a.p, b.p, n) : 0;
    if (order != 0 || a.n == b.n)
        return order;
    return a.n < b.n ? -1 : 1;
}

/* ASCII lower case, whatever the locale. */
static inline char ac_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static inline bool ac_str_equal_nocase(struct ac_str a, struct ac_str b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (ac_lower(a.p[i]) != ac_lower(b.p[i]))
            return false;
    return true;
}

static inline bool ac_str_starts(struct ac_str s, struct ac_str prefix)
{
    return s.n >= prefix.n && memcmp(s.p, prefix.p, prefix.n) == 0;
}

/* True if `s` holds only ASCII letters, digits and characters of `extra`. */
static inline bool ac_str_only(struct ac_str s, const char *extra)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = ac_lower(s.p[i]);
        bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!word && (c == '\0' || !strchr(extra, c)))
            return false;
    }
    return true;
}

/* True for 1 to 65535, written in at most five decimal digits. */
static inline bool ac_str_is_port(struct ac_str s)
{
    uint32_t port = 0;
    if (s.n > 5)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        port = port * 10 + (uint32_t)(s.p[i] - '0');
    }
    return port >= 1 && port <= 65535;
}

static inline bool ac_str_has_control(struct ac_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
            return true;
    return false;
}

/* The first occurrence of `needle` in `hay`, or NULL. */
static inline const char *ac_str_find(struct ac_str hay, struct ac_str needle)
{
    bool possible = needle.n > 0 && hay.n >= needle.n;
    return possible ? memmem(hay.p, hay.n, needle.p, needle.n) : NULL;
}

#endif
