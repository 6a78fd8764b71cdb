/* The memory of a signature, and what is left of it for the wire. */
#include "sign.h"

#include "header.h"

#include <stdlib.h>

/* Generated beside the caller's: at most this many headers or parameters. */
#define GENERATED_MAX 12

#define BUFFERS 10

static void list_buffers(struct ac_sign *sign, struct ac_buf *bufs[BUFFERS])
{
    struct ac_buf *const all[BUFFERS] = {
        &sign->text,          &sign->query, &sign->canonical,      &sign->signed_headers,
        &sign->signature,     &sign->url,   &sign->string_to_sign, &sign->body,
        &sign->authorization, &sign->lines};
    memcpy(bufs, all, sizeof all);
}

static size_t bytes_of(const struct ac_pairs *pairs, size_t extra)
{
    size_t bytes = 0;
    for (size_t i = 0; i < pairs->n; i++)
        bytes += pairs->v[i].name.n + pairs->v[i].value.n + extra;
    return bytes;
}

/* All names of headers that are generated, with a separator each; and of RPC parameters. */
#define NAMES_BYTES 200
#define RPC_BYTES 320

/* The most that each text can take, in the order of list_buffers(): percent-encoding makes three
 * bytes of one. */
static void bound_buffers(const struct ac_sign *sign, size_t bounds[BUFFERS])
{
    const struct ac_request *request = sign->request;
    const struct ac_credentials *credentials = sign->credentials;
    bool rpc = sign->algorithm == AC_SIGN_RPC_SHA1;
    size_t hash = 2 * AC_HASH_MAX_BYTES + request->payload_hash.n;
    size_t common = request->action.n + request->version.n + request->date.n + request->nonce.n +
                    credentials->access_key_id.n + credentials->security_token.n;
    size_t params = 3 * (bytes_of(&request->query, 1) + bytes_of(&request->form, 1));
    size_t query = params + (rpc ? 3 * common + RPC_BYTES : 0);
    size_t given = bytes_of(&request->headers, 4), place = request->host.n + 3 * request->path.n;
    size_t headers = given + common + request->host.n + hash + NAMES_BYTES + 64;
    size_t names = given + NAMES_BYTES;
    size_t canonical = query + request->method.n + place + headers + names + hash + 8;
    size_t authorization = names + credentials->access_key_id.n + hash + 64;
    const size_t all[BUFFERS] = {given + hash,
                                 query,
                                 canonical,
                                 names,
                                 hash,
                                 query + given + place + 16,
                                 rpc ? 3 * canonical : hash + 32,
                                 rpc ? params : request->body.n,
                                 authorization,
                                 headers + authorization + request->method.n + place + 64};
    for (size_t i = 0; i < BUFFERS; i++)
        bounds[i] = (all[i] < AC_MAX_REQUEST_BYTES ? all[i] : AC_MAX_REQUEST_BYTES) + 1;
}

/* The pairs come first, where they are aligned. */
static void carve(struct ac_sign *sign, size_t headers, const size_t bounds[BUFFERS])
{
    struct ac_buf *bufs[BUFFERS];
    struct ac_pair *pairs = (struct ac_pair *)(void *)(sign + 1);
    sign->headers.v = pairs;
    sign->wire.headers.v = pairs + headers;
    sign->params.v = pairs + 2 * headers;
    char *p = (char *)sign + sign->bytes;
    list_buffers(sign, bufs);
    for (size_t i = BUFFERS; i-- > 0;) {
        p -= bounds[i];
        ac_buf_borrow(bufs[i], p, bounds[i]);
    }
}

static void release(struct ac_wire *wire)
{
    ac_sign_free((struct ac_sign *)(void *)wire);
}

/* What is kept is of one size, which most requests fit in. */
#define USUAL_BYTES ((size_t)6 * 1024)
#define SPARE_MAX 64

static struct ac_sign *take_block(struct ac_sign_pool *pool, size_t bytes)
{
    if (!pool || bytes > USUAL_BYTES)
        return malloc(bytes);
    struct ac_sign *sign = pool->spare;
    if (!sign)
        return malloc(USUAL_BYTES);
    pool->spare = sign->next;
    pool->count--;
    return sign;
}

void ac_sign_free(struct ac_sign *sign)
{
    if (!sign)
        return;
    struct ac_sign_pool *pool = sign->pool;
    if (sign->confidential)
        ac_digest_cleanse((char *)sign + sizeof *sign, sign->bytes - sizeof *sign);
    if (!pool || pool->closed || pool->count >= SPARE_MAX || sign->bytes > USUAL_BYTES) {
        free(sign);
        return;
    }
    sign->next = pool->spare;
    pool->spare = sign;
    pool->count++;
}

void ac_sign_pool_close(struct ac_sign_pool *pool)
{
    pool->closed = true;
    while (pool->spare) {
        struct ac_sign *sign = pool->spare;
        pool->spare = sign->next;
        free(sign);
    }
}

struct ac_sign *ac_sign_new(enum ac_sign_algorithm algorithm, const struct ac_request *request,
                            const struct ac_credentials *credentials, struct ac_digest *digest,
                            struct ac_sign_pool *pool)
{
    struct ac_sign head = {.wire = {.release = release},
                           .pool = pool,
                           .confidential = credentials->security_token.n > 0,
                           .algorithm = algorithm,
                           .request = request,
                           .credentials = credentials,
                           .digest = digest};
    size_t bounds[BUFFERS], headers = request->headers.n + GENERATED_MAX;
    size_t params = request->query.n + request->form.n + GENERATED_MAX;
    bound_buffers(&head, bounds);
    head.bytes = sizeof head + (2 * headers + params) * sizeof(struct ac_pair);
    for (size_t i = 0; i < BUFFERS; i++)
        head.bytes += bounds[i];
    struct ac_sign *sign = take_block(pool, head.bytes);
    if (!sign)
        return NULL;
    *sign = head;
    carve(sign, headers, bounds);
    return sign;
}

enum ac_status ac_sign_built(struct ac_sign *sign)
{
    struct ac_buf *bufs[BUFFERS];
    list_buffers(sign, bufs);
    for (size_t i = 0; i < BUFFERS; i++)
        if (bufs[i]->status != AC_OK)
            return bufs[i]->status;
    return AC_OK;
}

static struct ac_str keep_line(struct ac_sign *sign, struct ac_str s)
{
    size_t start = sign->lines.n;
    ac_buf_add_str(&sign->lines, s);
    ac_buf_add_char(&sign->lines, '\0');
    return (struct ac_str){sign->lines.p + start, s.n};
}

static void finish_header(struct ac_sign *sign, struct ac_str name, struct ac_str value)
{
    size_t start = sign->lines.n;
    ac_buf_add_str(&sign->lines, name);
    ac_buf_add_text(&sign->lines, ": ");
    keep_line(sign, value);
    const char *p = sign->lines.p + start;
    struct ac_pairs *headers = &sign->wire.headers;
    headers->v[headers->n++] = (struct ac_pair){{p, name.n}, {p + name.n + 2, value.n}};
}

enum ac_status ac_sign_finish(struct ac_sign *sign)
{
    struct ac_wire *wire = &sign->wire;
    const struct ac_request *request = sign->request;
    const struct ac_pair *host = ac_request_header(request, "host");
    wire->method = keep_line(sign, request->method);
    wire->host = keep_line(sign, host ? ac_header_trim(host->value) : request->host);
    for (size_t i = 0; i < sign->headers.n; i++)
        finish_header(sign, sign->headers.v[i].name, sign->headers.v[i].value);
    if (sign->authorization.n > 0)
        finish_header(sign, AC_STR("authorization"), ac_buf_str(&sign->authorization));
    if (sign->algorithm != AC_SIGN_RPC_SHA1)
        ac_buf_add_str(&sign->body, request->body);
    if (sign->algorithm == AC_SIGN_RPC_SHA1 || request->body.p)
        wire->body = ac_buf_str(&sign->body);
    wire->url = ac_buf_str(&sign->url);
    if (sign->credentials->access_key_id.n > 0) {
        wire->canonical = ac_buf_str(&sign->canonical);
        wire->string_to_sign = ac_buf_str(&sign->string_to_sign);
        wire->signature = ac_buf_str(&sign->signature);
        wire->authorization = ac_buf_str(&sign->authorization);
        wire->signed_headers = ac_buf_str(&sign->signed_headers);
    }
    return ac_sign_built(sign);
}
