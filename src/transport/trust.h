/* Where the system keeps its trusted roots, and whom a URL speaks to. */
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

/* The same of host[:port] alone. */
bool ac_host_is_loopback(struct ac_str host);

#endif
