/* Memory for secrets: pages of its own, so that locking and hiding them concerns nothing else.
 *
 * They are kept out of swap and of core dumps where the system can do that, and are wiped before
 * they are given back. A forked child has a copy of its own, which may be swapped out.
 */
#ifndef AC_SECRET_PAGES_H
#define AC_SECRET_PAGES_H

#include "ac.h"

struct ac_pages {
    char *p; /* NULL once closed; n bytes, then a NUL */
    size_t n;
    size_t mapped;
};

/* Room for `max` bytes and a NUL, all zero. False when there is no memory. */
bool ac_pages_open(struct ac_pages *pages, size_t max);

/* Wipes and releases; harmless when closed already. */
void ac_pages_close(struct ac_pages *pages);

/* Opens pages with the bytes of a regular file and tells its permission bits. NULL, or what is
 * wrong, for a person. */
const char *ac_pages_read(struct ac_pages *pages, const char *path, size_t max, unsigned *mode);

#endif
