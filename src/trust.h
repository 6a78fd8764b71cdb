/* Where the system keeps its trusted roots, and which hosts are this machine. */
#ifndef AC_TRUST_H
#define AC_TRUST_H

#include "transport.h"

/* A directory with so many hashed roots is a system's trust store. */
#define AC_TRUST_ENOUGH ((size_t)16)

/* Readable hashed roots in a directory, counted up to AC_TRUST_ENOUGH. */
size_t ac_trust_links(const char *path);

/* The library's own defaults are looked at first, then the usual places of the systems. */
struct ac_transport_trust ac_trust_find(const char *default_file, const char *default_path);

/* True for 127.0.0.0/8, [::1] and localhost; false for a URL with user information. */
bool ac_url_is_loopback(struct ac_str url);

#endif
