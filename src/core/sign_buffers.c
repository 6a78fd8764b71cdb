/* The memory of a signature, and what is left of it for the wire. */
#include "sign.h"

#include <stdlib.h>

static const struct {
    const char *name;
    size_t offset;
    bool secret; /* a security token passes through most, and anything through the parameters */
} BUFFERS[] = {{"parameters", offsetof(struct ac_sign, given), false},
               {"parameters", offsetof(struct ac_sign, texts), false},
               {"parameters", offsetof(struct ac_sign, params), false},
               {"headers", offsetof(struct ac_sign, headers), false},
               {"headers", offsetof(struct ac_sign, lines), true},
               {"body", offsetof(struct ac_sign, body), true},
               {"url", offsetof(struct ac_sign, url), true},
               {"authorization", offsetof(struct ac_sign, proof), true},
               {"canonical form", offsetof(struct ac_sign, canonical), true},
               {"string to sign", offsetof(struct ac_sign, string_to_sign), true}};
#define BUFFER_COUNT (sizeof BUFFERS / sizeof BUFFERS[0])

/* Most requests have texts of this size, and are not moved then. */
#define USUAL_BYTES 1000

static struct ac_buf *buffer(const struct ac_sign *sign, size_t i)
{
    return (struct ac_buf *)(void *)((char *)sign + BUFFERS[i].offset);
}

static void release(struct ac_signed_request *wire)
{
    ac_sign_free((struct ac_sign *)(void *)wire);
}

struct ac_sign *ac_sign_new(struct ac_digest *digest)
{
    struct ac_sign *sign = malloc(sizeof *sign);
    if (!sign)
        return NULL;
    *sign = (struct ac_sign){.wire = {.release = release},
                             .request = {.method = AC_STR("POST"), .scheme = AC_STR("https")},
                             .digest = digest};
    for (size_t i = 0; i < BUFFER_COUNT; i++) {
        buffer(sign, i)->max = AC_MAX_REQUEST_BYTES;
        buffer(sign, i)->secret = BUFFERS[i].secret;
    }
    ac_buf_room(&sign->canonical, USUAL_BYTES);
    ac_buf_room(&sign->lines, USUAL_BYTES);
    return sign;
}

void ac_sign_free(struct ac_sign *sign)
{
    for (size_t i = 0; sign && i < BUFFER_COUNT; i++)
        ac_buf_free(buffer(sign, i));
    free(sign);
}

enum ac_status ac_sign_built(const struct ac_sign *sign, const char **which)
{
    for (size_t i = 0; i < BUFFER_COUNT; i++) {
        *which = BUFFERS[i].name;
        if (buffer(sign, i)->status != AC_OK)
            return buffer(sign, i)->status;
    }
    return sign->digest_status;
}
