#include "buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void ac_buf_init(struct ac_buf *buf, size_t max)
{
    *buf = (struct ac_buf){.max = max};
}

/* The compiler cannot know where a volatile pointer will point, so it must keep the call. */
void ac_wipe(void *p, size_t n)
{
    static void *(*const volatile set)(void *, int, size_t) = memset;
    if (n > 0)
        set(p, 0, n);
}

static void wipe_secret(struct ac_buf *buf)
{
    if (buf->secret)
        ac_wipe(buf->p, buf->n);
}

void ac_buf_free(struct ac_buf *buf)
{
    wipe_secret(buf);
    free(buf->p);
    *buf = (struct ac_buf){.max = buf->max, .secret = buf->secret};
}

void ac_buf_reset(struct ac_buf *buf)
{
    wipe_secret(buf);
    buf->n = 0;
    buf->status = AC_OK;
    if (buf->p)
        buf->p[0] = '\0';
}

/* For a secret, realloc() is not used: it would leave the old bytes in freed memory. */
static char *move(struct ac_buf *buf, size_t cap)
{
    if (!buf->secret)
        return realloc(buf->p, cap);
    char *p = malloc(cap);
    if (!p)
        return NULL;
    if (buf->p)
        memcpy(p, buf->p, buf->n);
    wipe_secret(buf);
    free(buf->p);
    return p;
}

char *ac_buf_room(struct ac_buf *buf, size_t n)
{
    if (buf->status != AC_OK)
        return NULL;
    if (n > buf->max || buf->n > buf->max - n) {
        buf->status = AC_LIMIT;
        return NULL;
    }
    size_t need = buf->n + n + 1;
    if (need > buf->cap) {
        size_t cap = buf->cap ? buf->cap : 512;
        while (cap < need)
            cap *= 2;
        char *p = move(buf, cap);
        if (!p) {
            buf->status = AC_NOMEM;
            return NULL;
        }
        buf->p = p;
        buf->cap = cap;
    }
    return buf->p + buf->n;
}

void ac_buf_printf(struct ac_buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *room = n < 0 ? NULL : ac_buf_room(buf, (size_t)n);
    if (!room)
        return;
    va_start(args, format);
    vsnprintf(room, (size_t)n + 1, format, args);
    va_end(args);
    ac_buf_advance(buf, (size_t)n);
}
