#include "trust.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/* OpenSSL's name of a root in a directory: eight hex digits, a dot, a number. */
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
    /* Beside a bundle, a directory with a link or two holds somebody's own certificate only. */
    size_t needed = bundle ? AC_TRUST_ENOUGH : 1;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        if (ac_trust_links(paths[i]) >= needed)
            return (struct ac_transport_trust){.ca_path = paths[i]};
    return (struct ac_transport_trust){.ca_file = bundle};
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
    const char *start = ac_str_find(url, AC_STR("://"));
    if (!start)
        return (struct ac_str){0};
    struct ac_str host = {start + 3, url.n - (size_t)(start + 3 - url.p)};
    size_t n = 0;
    while (n < host.n && host.p[n] != '/' && host.p[n] != '?' && host.p[n] != '#')
        n++;
    host.n = n;
    return host;
}

long ac_url_port(struct ac_str url)
{
    struct ac_str host = ac_url_authority(url);
    size_t digits = 0;
    long port = 0, place = 1;
    while (digits < 5 && digits < host.n) {
        char c = host.p[host.n - 1 - digits];
        if (c < '0' || c > '9')
            break;
        port += (c - '0') * place;
        place *= 10;
        digits++;
    }
    if (digits > 0 && digits < host.n && host.p[host.n - 1 - digits] == ':')
        return port;
    return ac_str_starts(url, AC_STR("http://")) ? 80 : 443;
}

bool ac_host_is_loopback(struct ac_str host)
{
    size_t n = 0;
    if (host.n == 0 || memchr(host.p, '@', host.n) || memchr(host.p, '\\', host.n))
        return false;
    if (ac_str_equal(host, AC_STR("[::1]")) || ac_str_starts(host, AC_STR("[::1]:")))
        return true;
    for (n = 0; n < host.n && host.p[n] != ':'; n++)
        continue;
    host.n = n;
    return ac_str_equal_nocase(host, AC_STR("localhost")) || is_ipv4_loopback(host);
}

bool ac_url_is_loopback(struct ac_str url)
{
    return ac_host_is_loopback(ac_url_authority(url));
}
