#include "trust.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/* OpenSSL's file name of a root in a hashed directory: eight hex digits, a dot, a number. */
static bool is_hash_link(const char *name)
{
    for (int i = 0; i < 8; i++)
        if (!is_hex(name[i]))
            return false;
    return name[8] == '.' && name[9] >= '0' && name[9] <= '9';
}

size_t ac_trust_links(const char *path)
{
    DIR *directory = path ? opendir(path) : NULL;
    size_t links = 0;
    if (!directory)
        return 0;
    for (struct dirent *entry; links < AC_TRUST_ENOUGH && (entry = readdir(directory));)
        if (is_hash_link(entry->d_name) && faccessat(dirfd(directory), entry->d_name, R_OK, 0) == 0)
            links++;
    closedir(directory);
    return links;
}

static const char *first_readable(const char *const *files, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (files[i] && access(files[i], R_OK) == 0)
            return files[i];
    return NULL;
}

struct ac_transport_trust ac_trust_find(const char *default_file, const char *default_path)
{
    const char *const paths[] = {default_path, "/etc/ssl/certs",
                                 "/etc/pki/ca-trust/extracted/pem/directory-hash",
                                 "/etc/pki/tls/certs"};
    const char *const files[] = {default_file, "/etc/ssl/certs/ca-certificates.crt",
                                 "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"};
    const char *bundle = first_readable(files, sizeof files / sizeof files[0]);
    /* If there is a bundle too, a directory with a few links holds only somebody's own roots. */
    size_t needed = bundle ? AC_TRUST_ENOUGH : 1;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        if (ac_trust_links(paths[i]) >= needed)
            return (struct ac_transport_trust){.ca_path = paths[i]};
    return (struct ac_transport_trust){.ca_file = bundle};
}

static struct ac_str rest_of(struct ac_str text, size_t n)
{
    return (struct ac_str){text.p + n, text.n - n};
}

static size_t find(struct ac_str text, char c)
{
    const char *found = text.n > 0 ? memchr(text.p, c, text.n) : NULL;
    return found ? (size_t)(found - text.p) : text.n;
}

static bool is_ipv4_loopback(struct ac_str host)
{
    char text[INET_ADDRSTRLEN];
    struct in_addr address;
    if (host.n >= sizeof text || !ac_str_starts(host, AC_STR("127.")))
        return false;
    memcpy(text, host.p, host.n);
    text[host.n] = '\0';
    return inet_pton(AF_INET, text, &address) == 1;
}

struct ac_str ac_url_authority(struct ac_str url)
{
    size_t scheme = find(url, ':'), n = 0;
    if (!ac_str_starts(rest_of(url, scheme), AC_STR("://")))
        return (struct ac_str){0};
    struct ac_str host = rest_of(url, scheme + 3);
    while (n < host.n && host.p[n] != '/' && host.p[n] != '?' && host.p[n] != '#')
        n++;
    host.n = n;
    return host;
}

long ac_url_port(struct ac_str url)
{
    struct ac_str host = ac_url_authority(url);
    size_t n = host.n;
    while (n > 0 && host.p[n - 1] != ':')
        n--;
    if (n > 0 && ac_str_is_port(rest_of(host, n)))
        return strtol(host.p + n, NULL, 10);
    return ac_str_starts(url, AC_STR("http://")) ? 80 : 443;
}

bool ac_url_is_loopback(struct ac_str url)
{
    struct ac_str host = ac_url_authority(url);
    size_t n = 0;
    if (host.n == 0 || memchr(host.p, '@', host.n) || memchr(host.p, '\\', host.n))
        return false;
    if (ac_str_equal(host, AC_STR("[::1]")) || ac_str_starts(host, AC_STR("[::1]:")))
        return true;
    while (n < host.n && host.p[n] != ':')
        n++;
    host.n = n;
    return ac_str_equal_nocase(host, AC_STR("localhost")) || is_ipv4_loopback(host);
}

bool ac_is_address(struct ac_str text)
{
    char copy[INET6_ADDRSTRLEN];
    struct in6_addr address;
    bool brackets = text.n > 2 && text.p[0] == '[' && text.p[text.n - 1] == ']';
    if (brackets)
        text = (struct ac_str){text.p + 1, text.n - 2};
    if (text.n == 0 || text.n >= sizeof copy || memchr(text.p, '\0', text.n))
        return false;
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    return inet_pton(AF_INET6, copy, &address) == 1 ||
           (!brackets && inet_pton(AF_INET, copy, &address) == 1);
}

/* Empty, or ":" and a port. */
static bool is_port(struct ac_str text)
{
    return text.n == 0 || (text.p[0] == ':' && ac_str_is_port(rest_of(text, 1)));
}

/* True for a decimal or hex number. A host name whose last label is one is read as an address. */
static bool is_number(struct ac_str label)
{
    bool hex = label.n >= 2 && label.p[0] == '0' && ac_lower(label.p[1]) == 'x';
    for (size_t i = hex ? 2 : 0; i < label.n; i++)
        if (!(label.p[i] >= '0' && label.p[i] <= '9') && !(hex && is_hex(ac_lower(label.p[i]))))
            return false;
    return true;
}

/* The last label of a host name, or empty if the text is not a host name. */
static struct ac_str last_label(struct ac_str name)
{
    for (;;) {
        size_t n = find(name, '.');
        struct ac_str label = {name.p, n};
        if (n == 0 || n > 63 || label.p[0] == '-' || !ac_str_only(label, "-_"))
            return (struct ac_str){0};
        if (n == name.n)
            return label;
        name = rest_of(name, n + 1);
    }
}

bool ac_is_pinnable(struct ac_str host)
{
    struct ac_str name = {host.p, find(host, ':')};
    struct ac_str last = last_label(name);
    return last.n > 0 && !is_number(last) && is_port(rest_of(host, name.n)) &&
           !ac_str_equal_nocase(last, AC_STR("localhost"));
}

static bool is_authority(struct ac_str text)
{
    if (text.n > 0 && text.p[0] == '[') {
        size_t n = find(text, ']');
        return n < text.n && ac_is_address((struct ac_str){text.p, n + 1}) &&
               is_port(rest_of(text, n + 1));
    }
    struct ac_str name = {text.p, find(text, ':')};
    return name.n > 0 && ac_str_only(name, "-._") && is_port(rest_of(text, name.n));
}

static bool is_proxy_scheme(struct ac_str scheme)
{
    static const char *const schemes[] = {"http", "https", "socks5", "socks5h"};
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++)
        if (ac_str_equal_nocase(scheme, ac_str_of(schemes[i])))
            return true;
    return false;
}

bool ac_is_proxy(struct ac_str text)
{
    const char *scheme = ac_str_find(text, AC_STR("://"));
    if (scheme) {
        size_t n = (size_t)(scheme - text.p);
        if (!is_proxy_scheme((struct ac_str){text.p, n}))
            return false;
        text = rest_of(text, n + 3);
    }
    if (text.n > 0 && text.p[text.n - 1] == '/')
        text.n--;
    size_t user = find(text, '@');
    if (user == text.n)
        return is_authority(text);
    for (size_t i = 0; i < user; i++)
        if (strchr("/?# ", text.p[i]))
            return false;
    return is_authority(rest_of(text, user + 1));
}

static bool is_exception(struct ac_str entry)
{
    size_t n = find(entry, '/');
    struct ac_str bits = rest_of(entry, n + (n < entry.n));
    if (!ac_is_address((struct ac_str){entry.p, n}))
        return ac_str_only(entry, ".-_");
    return n == entry.n || (bits.n > 0 && bits.n <= 3 && is_number(bits));
}

bool ac_is_exceptions(struct ac_str text)
{
    if (ac_str_equal(text, AC_STR("*")))
        return true;
    for (size_t n; text.n > 0; text = rest_of(text, n + (n < text.n))) {
        n = find(text, ',');
        n = find((struct ac_str){text.p, n}, ' ');
        if (!is_exception((struct ac_str){text.p, n}))
            return false;
    }
    return true;
}

bool ac_is_path(struct ac_str text)
{
    struct ac_str token = AC_STR("pkcs11:");
    return text.n < token.n || !ac_str_equal_nocase((struct ac_str){text.p, token.n}, token);
}
