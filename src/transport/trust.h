/* Where the system keeps its trusted roots, whom a URL speaks to, and what a text may be that goes
 * to libcurl. */
#ifndef AC_TRUST_H
#define AC_TRUST_H

#include "transport.h"

/* A directory with so many hashed roots is a system's trust store. */
#define AC_TRUST_ENOUGH ((size_t)16)

/* Readable hashed roots in a directory, counted up to AC_TRUST_ENOUGH. */
size_t ac_trust_links(const char *path);

/* The library's own defaults are looked at first, then the usual places of the systems. */
struct ac_transport_trust ac_trust_find(const char *default_file, const char *default_path);

/* host[:port] of a URL, or what stands in its place. */
struct ac_str ac_url_authority(struct ac_str url);

/* The port of an http:// or https:// URL, its scheme's own where it names none. */
long ac_url_port(struct ac_str url);

/* True for 127.0.0.0/8, [::1] and localhost; false for a URL with user information. */
bool ac_url_is_loopback(struct ac_str url);

/* A host, with or without a port, that addresses may be given for: a name (letters, digits, '-',
 * '_'; labels that are not empty) and none that stays on this machine, is an address, or could be
 * read as one. libcurl gives other beginnings ('+', '-', '*') a meaning of its own. */
bool ac_is_pinnable(struct ac_str host);

/* An IPv4 address in four decimal numbers, or an IPv6 address, with or without brackets. */
bool ac_is_address(struct ac_str text);

/* "none" or [scheme://][user:password@]host[:port][/], the scheme http, https, socks5 or socks5h.
 * libcurl knows more of them, and takes a path for a socket's. */
bool ac_is_proxy(struct ac_str text);

/* A list of hosts, domains, addresses and networks. To libcurl "*" means all of them where it
 * stands alone, and nothing elsewhere, as a scheme or a port does. */
bool ac_is_exceptions(struct ac_str text);

/* A path, and not what libcurl takes for the name of a key in a token. */
bool ac_is_path(struct ac_str text);

#endif
