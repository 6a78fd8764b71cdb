/* A growable byte buffer, for which every user must give a maximum size.
 *
 * After one append has failed, later appends do nothing: a caller builds a whole text and checks
 * `status` once. The bytes are always followed by a NUL that `n` does not count.
 */
#ifndef AC_BUF_H
#define AC_BUF_H

#include "ac.h"

struct ac_buf {
    char *p;
    size_t n;
    size_t cap;
    size_t max;
    enum ac_status status; /* AC_OK, AC_NOMEM or AC_LIMIT; sticky */
    bool secret;           /* set after ac_buf_init(): bytes are wiped before memory is freed */
};

void ac_buf_init(struct ac_buf *buf, size_t max);

/* Releases the bytes; the buffer may be used again with the same maximum. */
void ac_buf_free(struct ac_buf *buf);

/* Overwrites with zeros in a way that the compiler does not optimise away. */
void ac_wipe(void *p, size_t n);

/* Empties the buffer, keeps its memory and clears `status`. */
void ac_buf_reset(struct ac_buf *buf);

void ac_buf_printf(struct ac_buf *buf, const char *format, ...) AC_PRINTF(2, 3);

/* Room for n more bytes at the end, or NULL; ac_buf_advance() then counts the bytes written. */
char *ac_buf_room(struct ac_buf *buf, size_t n);
static inline void ac_buf_advance(struct ac_buf *buf, size_t n)
{
    buf->n += n;
    buf->p[buf->n] = '\0';
}

/* Inline, because most appends are a few bytes for which there is room already. */
static inline void ac_buf_add(struct ac_buf *buf, const char *p, size_t n)
{
    bool fits = buf->status == AC_OK && buf->cap > buf->n && n < buf->cap - buf->n &&
                n <= buf->max - buf->n;
    char *room = fits ? buf->p + buf->n : ac_buf_room(buf, n);
    if (!room)
        return;
    if (n)
        memcpy(room, p, n);
    ac_buf_advance(buf, n);
}

static inline void ac_buf_add_str(struct ac_buf *buf, struct ac_str s)
{
    ac_buf_add(buf, s.p, s.n);
}

static inline void ac_buf_add_text(struct ac_buf *buf, const char *text)
{
    ac_buf_add(buf, text, strlen(text));
}

static inline void ac_buf_add_char(struct ac_buf *buf, char c)
{
    ac_buf_add(buf, &c, 1);
}

static inline struct ac_str ac_buf_str(const struct ac_buf *buf)
{
    return (struct ac_str){buf->p ? buf->p : "", buf->n};
}

#endif
