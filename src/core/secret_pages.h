/* Memory for secrets, in pages that contain nothing else, since locking affects whole pages.
 *
 * They are kept out of swap and core dumps if the system can do that, and are wiped before they are
 * released. A forked child has a copy of its own, which may be swapped out.
 */
#ifndef AC_SECRET_PAGES_H
#define AC_SECRET_PAGES_H

#include "ac.h"

struct ac_pages {
    char *p; /* NULL once closed; n bytes and a NUL */
    size_t n;
    size_t mapped;
};

/* Allocates room for `max` bytes and a NUL, all zero. False when out of memory. */
bool ac_pages_open(struct ac_pages *pages, size_t max);

/* Wipes and releases the pages; does nothing if they are closed. */
void ac_pages_close(struct ac_pages *pages);

/* Reads a regular file into new pages, and returns its permission bits in `mode`. Returns NULL, or
 * what is wrong, as a text for people. */
const char *ac_pages_read(struct ac_pages *pages, const char *path, size_t max, unsigned *mode);

#endif
