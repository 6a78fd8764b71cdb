/* The memory of a signature, and what is left of it for the wire. */
#include "sign.h"

#include <stdlib.h>

/* A security token passes through most of them, and anything through the parameters. */
static const struct {
    const char *name;
    size_t offset;
} BUFFERS[] = {{"parameters", offsetof(struct ac_sign, given)},
               {"headers", offsetof(struct ac_sign, texts)},
               {"parameters", offsetof(struct ac_sign, params)},
               {"headers", offsetof(struct ac_sign, headers)},
               {"headers", offsetof(struct ac_sign, lines)},
               {"body", offsetof(struct ac_sign, body)},
               {"url", offsetof(struct ac_sign, url)},
               {"authorization", offsetof(struct ac_sign, proof)},
               {"canonical form", offsetof(struct ac_sign, canonical)},
               {"string to sign", offsetof(struct ac_sign, string_to_sign)}};
#define BUFFER_COUNT (sizeof BUFFERS / sizeof BUFFERS[0])

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
    for (size_t i = 0; i < BUFFER_COUNT; i++)
        *buffer(sign, i) = (struct ac_buf){.max = AC_MAX_REQUEST_BYTES, .secret = true};
    ac_buf_room(&sign->canonical, 1000); /* of which most need more than half */
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
