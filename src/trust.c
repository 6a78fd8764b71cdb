#include "trust.h"

#include <dirent.h>
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

static bool is_hashed_directory(const char *path)
{
    DIR *directory = path ? opendir(path) : NULL;
    bool found = false;
    if (!directory)
        return false;
    for (struct dirent *entry; !found && (entry = readdir(directory));)
        found = is_hash_link(entry->d_name);
    closedir(directory);
    return found;
}

struct ac_transport_trust ac_trust_find(const char *default_file, const char *default_path)
{
    const char *const paths[] = {default_path, "/etc/ssl/certs",
                                 "/etc/pki/ca-trust/extracted/pem/directory-hash",
                                 "/etc/pki/tls/certs"};
    const char *const files[] = {default_file, "/etc/ssl/certs/ca-certificates.crt",
                                 "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"};
    struct ac_transport_trust trust = {NULL, NULL};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0] && !trust.ca_path; i++)
        if (is_hashed_directory(paths[i]))
            trust.ca_path = paths[i];
    for (size_t i = 0; i < sizeof files / sizeof files[0] && !trust.ca_path && !trust.ca_file; i++)
        if (files[i] && access(files[i], R_OK) == 0)
            trust.ca_file = files[i];
    return trust;
}

static bool is_ipv4_loopback(struct ac_str host)
{
    int dots = 0;
    if (!ac_str_starts(host, AC_STR("127.")))
        return false;
    for (size_t i = 0; i < host.n; i++) {
        if (host.p[i] == '.')
            dots++;
        else if (host.p[i] < '0' || host.p[i] > '9')
            return false;
    }
    return dots == 3;
}

bool ac_url_is_loopback(struct ac_str url)
{
    const char *start = ac_str_find(url, AC_STR("://"));
    if (!start)
        return false;
    struct ac_str host = {start + 3, url.n - (size_t)(start + 3 - url.p)};
    size_t n = 0;
    while (n < host.n && !strchr("/?#", host.p[n]))
        n++;
    host.n = n;
    if (ac_str_find(host, AC_STR("@")) || ac_str_find(host, AC_STR("\\")))
        return false;
    if (ac_str_equal(host, AC_STR("[::1]")) || ac_str_starts(host, AC_STR("[::1]:")))
        return true;
    for (n = 0; n < host.n && host.p[n] != ':'; n++)
        continue;
    host.n = n;
    return ac_str_equal(host, AC_STR("localhost")) || is_ipv4_loopback(host);
}
