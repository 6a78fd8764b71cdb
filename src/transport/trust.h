/* Finds the system's trusted root certificates, and checks the texts (URLs, hosts, proxies, paths)
 * that are given to libcurl. */
#ifndef AC_TRUST_H
#define AC_TRUST_H

#include "transport.h"

/* A directory with at least this many hashed roots is taken for a system's trust store. */
#define AC_TRUST_ENOUGH ((size_t)16)

/* The number of readable hashed roots in a directory, counted up to AC_TRUST_ENOUGH. */
size_t ac_trust_links(const char *path);

/* Looks at the given defaults first (the TLS library's), then at the usual places. */
struct ac_transport_trust ac_trust_find(const char *default_file, const char *default_path);

/* The authority of a URL: what stands between "://" and the path. Empty without "://". */
struct ac_str ac_url_authority(struct ac_str url);

/* The port of an http:// or https:// URL, or the default of its scheme. */
long ac_url_port(struct ac_str url);

/* True for 127.0.0.0/8, [::1] and localhost; false for a URL with user information. */
bool ac_url_is_loopback(struct ac_str url);

/* Whether addresses may be pinned to this host, with or without a port. It must be a name (letters,
 * digits, '-', '_'; no empty label), not localhost, and nothing that could be read as an address.
 * libcurl gives names that begin with '+', '-' or '*' a meaning of its own. */
bool ac_is_pinnable(struct ac_str host);

/* True for a dotted decimal IPv4 address, or an IPv6 address with or without brackets. */
bool ac_is_address(struct ac_str text);

/* True for [scheme://][user:password@]host[:port][/] with the scheme http, https, socks5 or
 * socks5h; "none" passes as a host. libcurl takes more: other schemes, a path to a socket. */
bool ac_is_proxy(struct ac_str text);

/* True for a list of hosts, domains, addresses and networks. libcurl takes "*" for all hosts only
 * if it stands alone; elsewhere it means nothing, and neither does a scheme or a port. */
bool ac_is_exceptions(struct ac_str text);

/* False if the text begins with "pkcs11:", which libcurl takes for a key on a hardware token. */
bool ac_is_path(struct ac_str text);

#endif
