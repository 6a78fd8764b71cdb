#include "sign.h"

#include "codec.h"
#include "header.h"

#include <stdlib.h>

static const struct {
    const char *name;
    enum ac_hash hash;
    const char *of_nothing; /* the hash of an empty payload, which most requests have */
} ALGORITHMS[AC_SIGN_COUNT] = {
    {"ACS3-HMAC-SHA256", AC_SHA256,
     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"ACS3-HMAC-SM3", AC_SM3, "1ab21d8355cfa17f8e61194831e81a8f22bec8c728fefb747ed035eb5082aa2b"},
    {"HMAC-SHA1", AC_SHA1, NULL}};

const char *ac_sign_algorithm_name(enum ac_sign_algorithm algorithm)
{
    return algorithm < AC_SIGN_COUNT ? ALGORITHMS[algorithm].name : NULL;
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
    for (size_t i = 0; i < AC_SIGN_BUFFERS; i++)
        sign->buffers[i] = (struct ac_buf){.max = AC_MAX_REQUEST_BYTES, .secret = true};
    ac_buf_room(&sign->canonical, 1000); /* most need more than the initial 512 bytes */
    return sign;
}

void ac_sign_free(struct ac_sign *sign)
{
    for (size_t i = 0; sign && i < AC_SIGN_BUFFERS; i++)
        ac_buf_free(&sign->buffers[i]);
    free(sign);
}

enum ac_status ac_sign_built(const struct ac_sign *sign, const char **which)
{
    static const char *const names[AC_SIGN_BUFFERS] = {
        "parameters", "headers", "parameters",    "headers",        "headers",
        "body",       "url",     "authorization", "canonical form", "string to sign"};
    for (size_t i = 0; i < AC_SIGN_BUFFERS; i++) {
        *which = names[i];
        if (sign->buffers[i].status != AC_OK)
            return sign->buffers[i].status;
    }
    return sign->digest_status;
}

static bool is_rpc(const struct ac_sign *sign)
{
    return sign->algorithm == AC_SIGN_RPC_SHA1;
}

#define SIGNATURE ",Signature="

/* Hex digits of an ACS3 hash: SHA-256 and SM3 have the same size. */
#define HEX_BYTES ((size_t)(2 * AC_HASH_MAX_BYTES))

static bool has_key(const struct ac_sign *sign)
{
    return sign->credentials.access_key_id.n > 0;
}

static void keep_status(struct ac_sign *sign, enum ac_status status)
{
    if (status != AC_OK)
        sign->digest_status = status;
}

static void hash_hex(struct ac_sign *sign, struct ac_str in, char hex[HEX_BYTES])
{
    unsigned char raw[AC_HASH_MAX_BYTES] = {0};
    keep_status(sign, ac_digest_hash(sign->digest, ALGORITHMS[sign->algorithm].hash, in, raw));
    ac_codec_hex(hex, raw, sizeof raw);
}

static void hmac(struct ac_sign *sign, struct ac_str key, unsigned char raw[AC_HASH_MAX_BYTES])
{
    keep_status(sign, ac_digest_hmac(sign->digest, ALGORITHMS[sign->algorithm].hash, key,
                                     ac_buf_str(&sign->string_to_sign), raw));
}

const char *ac_sign_prepare(struct ac_sign *sign, const char **why)
{
    struct ac_str *method = &sign->request.method;
    struct ac_credentials *credentials = &sign->credentials;
    *why = "letters only, such as GET or POST";
    if (method->n == 0 || method->n > AC_METHOD_MAX || !ac_str_only(*method, ""))
        return "method";
    for (size_t i = 0; i < method->n; i++)
        sign->method[i] = (char)(method->p[i] >= 'a' ? method->p[i] - 'a' + 'A' : method->p[i]);
    method->p = sign->method;
    const char *field = ac_request_prepare(&sign->request, why);
    if (field)
        return field;
    *why = "no control characters";
    if (!ac_header_clean(&credentials->access_key_id))
        return "access_key_id";
    if (!ac_header_clean(&credentials->security_token))
        return "security_token";
    *why = "together with access_key_secret, or neither";
    if ((credentials->access_key_id.n > 0) != (credentials->secret.n > 0))
        return "access_key_id";
    *why = "with HMAC-SHA1, which signs parameters; else give 'body'";
    if (!is_rpc(sign) && sign->request.form.n > 0)
        return "form";
    *why = "with ACS3; HMAC-SHA1 signs parameters, give 'form' instead";
    if (is_rpc(sign) && sign->request.body.n > 0)
        return "body";
    return NULL;
}

/* Adds a generated header, unless the caller gives one of that name. */
static void generate(struct ac_sign *sign, struct ac_str name, struct ac_str value)
{
    if (value.n > 0 && !ac_request_find(sign->request.headers, name))
        ac_request_put(&sign->headers, name, value);
}

/* Writes the header at `at` and those of the same name after it as one field, values joined with
 * ','. Returns the index of the next field. */
static size_t add_field(struct ac_buf *out, struct ac_str separator, struct ac_pairs headers,
                        size_t at)
{
    const struct ac_str name = headers.v[at].name;
    ac_buf_add_str(out, name);
    ac_buf_add_str(out, separator);
    ac_buf_add_str(out, headers.v[at].value);
    while (++at < headers.n && ac_str_equal(headers.v[at].name, name)) {
        ac_buf_add_char(out, ',');
        ac_buf_add_str(out, headers.v[at].value);
    }
    return at;
}

/* With a payload hash but without action, version, date and nonce, the caller gives all headers;
 * otherwise the content hash is a generated header. */
static bool generates_payload_header(const struct ac_request *request)
{
    return request->payload_hash.n == 0 || request->action.n > 0 || request->version.n > 0 ||
           request->date.n > 0 || request->nonce.n > 0;
}

static void collect_headers(struct ac_sign *sign, struct ac_str payload_hash)
{
    const struct ac_request *request = &sign->request;
    const struct ac_pairs given = request->headers;
    generate(sign, AC_STR("host"), request->host);
    generate(sign, AC_STR("x-acs-action"), request->action);
    generate(sign, AC_STR("x-acs-version"), request->version);
    if (is_rpc(sign) && request->form.n > 0)
        generate(sign, AC_STR("content-type"), AC_STR("application/x-www-form-urlencoded"));
    if (!is_rpc(sign)) {
        if (generates_payload_header(request))
            generate(sign, AC_STR("x-acs-content-sha256"), payload_hash);
        generate(sign, AC_STR("x-acs-date"), request->date);
        generate(sign, AC_STR("x-acs-signature-nonce"), request->nonce);
    }
    if (!is_rpc(sign) && sign->credentials.security_token.n > 0) {
        generate(sign, AC_STR("x-acs-accesskey-id"), sign->credentials.access_key_id);
        generate(sign, AC_STR("x-acs-security-token"), sign->credentials.security_token);
    }
    /* With ACS3, an authorization of the caller is left out: it is that of another request. */
    for (size_t i = 0; i < given.n; i++)
        if (is_rpc(sign) || !ac_str_equal(given.v[i].name, AC_STR("authorization")))
            ac_request_put(&sign->headers, given.v[i].name, given.v[i].value);
    ac_request_sort(ac_request_pairs(&sign->headers));
}

static bool is_signed(struct ac_str name)
{
    return ac_str_starts(name, AC_STR("x-acs-")) || ac_str_equal(name, AC_STR("host")) ||
           ac_str_equal(name, AC_STR("content-type"));
}

/* Writes the signed header lines into the canonical request, and their names into the
 * authorization. */
static void add_signed_headers(struct ac_sign *sign, struct ac_pairs headers)
{
    struct ac_buf *names = &sign->proof;
    ac_buf_add_text(names, ALGORITHMS[sign->algorithm].name);
    ac_buf_add_text(names, " Credential=");
    ac_buf_add_str(names, sign->credentials.access_key_id);
    ac_buf_add_text(names, ",SignedHeaders=");
    size_t start = names->n;
    for (size_t i = 0; i < headers.n;) {
        if (!is_signed(headers.v[i].name)) {
            i++;
            continue;
        }
        if (names->n > start)
            ac_buf_add_char(names, ';');
        ac_buf_add_str(names, headers.v[i].name);
        i = add_field(&sign->canonical, AC_STR(":"), headers, i);
        ac_buf_add_char(&sign->canonical, '\n');
    }
    sign->signed_headers = names->n - start;
    ac_buf_add_char(&sign->canonical, '\n');
    ac_buf_add(&sign->canonical, ac_buf_str(names).p + start, names->n - start);
}

static void acs3_canonical(struct ac_sign *sign)
{
    const struct ac_request *request = &sign->request;
    struct ac_buf *out = &sign->canonical;
    struct ac_str hash = request->payload_hash;
    if (hash.n == 0 && request->body.n == 0) {
        hash = ac_str_of(ALGORITHMS[sign->algorithm].of_nothing);
    } else if (hash.n == 0) {
        hash = (struct ac_str){sign->payload_hash, HEX_BYTES};
        hash_hex(sign, request->body, sign->payload_hash);
    }
    collect_headers(sign, hash);
    ac_request_sort(request->query);
    size_t query = ac_request_url(&sign->url, request, request->query);

    ac_buf_add_str(out, request->method);
    ac_buf_add_char(out, '\n');
    ac_request_encode_path(out, request->path);
    ac_buf_add_char(out, '\n');
    ac_buf_add(out, ac_buf_str(&sign->url).p + query, sign->url.n - query);
    ac_buf_add_char(out, '\n');
    add_signed_headers(sign, ac_request_pairs(&sign->headers));
    ac_buf_add_char(out, '\n');
    ac_buf_add_str(out, hash);
    ac_buf_add_str(&sign->body, request->body);
}

/* Adds a common parameter, unless the caller gives one of that name. */
static void common(struct ac_sign *sign, struct ac_str name, struct ac_str value)
{
    if (value.n > 0 && !ac_request_find(sign->request.query, name) &&
        !ac_request_find(sign->request.form, name))
        ac_request_put(&sign->params, name, value);
}

static void rpc_params(struct ac_sign *sign)
{
    const struct ac_request *request = &sign->request;
    common(sign, AC_STR("Action"), request->action);
    common(sign, AC_STR("Version"), request->version);
    common(sign, AC_STR("Format"), AC_STR("JSON"));
    common(sign, AC_STR("Timestamp"), request->date);
    common(sign, AC_STR("SignatureNonce"), request->nonce);
    if (has_key(sign)) {
        common(sign, AC_STR("SignatureMethod"), AC_STR("HMAC-SHA1"));
        common(sign, AC_STR("SignatureVersion"), AC_STR("1.0"));
        common(sign, AC_STR("AccessKeyId"), sign->credentials.access_key_id);
        common(sign, AC_STR("SecurityToken"), sign->credentials.security_token);
    }
    for (size_t i = 0; i < request->query.n; i++)
        if (!ac_request_find(request->form, request->query.v[i].name)) /* the form's wins */
            ac_request_put(&sign->params, request->query.v[i].name, request->query.v[i].value);
}

/* Query and form are signed as one set; parameters that are not in the form go into the query. */
static void rpc_canonical(struct ac_sign *sign)
{
    const struct ac_pairs form = sign->request.form;
    collect_headers(sign, (struct ac_str){0});
    rpc_params(sign);
    ac_request_sort(ac_request_pairs(&sign->params));
    ac_request_url(&sign->url, &sign->request, ac_request_pairs(&sign->params));
    ac_request_sort(form);
    ac_request_encode_pairs(&sign->body, form);
    for (size_t i = 0; i < form.n; i++)
        ac_request_put(&sign->params, form.v[i].name, form.v[i].value);
    ac_request_sort(ac_request_pairs(&sign->params));
    ac_request_encode_pairs(&sign->canonical, ac_request_pairs(&sign->params));
}

static void make_string(struct ac_sign *sign)
{
    struct ac_buf *out = &sign->string_to_sign;
    char hex[HEX_BYTES];
    if (is_rpc(sign)) {
        ac_buf_add_str(out, sign->request.method);
        ac_buf_add_text(out, "&%2F&");
        ac_codec_percent(out, ac_buf_str(&sign->canonical));
        return;
    }
    hash_hex(sign, ac_buf_str(&sign->canonical), hex);
    ac_buf_add_text(out, ALGORITHMS[sign->algorithm].name);
    ac_buf_add_char(out, '\n');
    ac_buf_add(out, hex, sizeof hex);
}

static void rpc_authorization(struct ac_sign *sign)
{
    struct ac_buf key = {.max = sign->credentials.secret.n + 1, .secret = true};
    unsigned char raw[AC_HASH_MAX_BYTES] = {0};
    struct ac_str url = ac_buf_str(&sign->url);
    ac_buf_add_str(&key, sign->credentials.secret);
    ac_buf_add_char(&key, '&');
    hmac(sign, ac_buf_str(&key), raw);
    keep_status(sign, key.status);
    ac_buf_free(&key);
    ac_codec_base64(&sign->proof, raw, ac_digest_size(AC_SHA1));
    ac_buf_add_text(&sign->url, memchr(url.p, '?', url.n) ? "&Signature=" : "?Signature=");
    ac_codec_percent(&sign->url, ac_buf_str(&sign->proof));
}

static void acs3_authorization(struct ac_sign *sign)
{
    unsigned char raw[AC_HASH_MAX_BYTES] = {0};
    char hex[HEX_BYTES];
    hmac(sign, sign->credentials.secret, raw);
    ac_codec_hex(hex, raw, sizeof raw);
    ac_buf_add_text(&sign->proof, SIGNATURE);
    ac_buf_add(&sign->proof, hex, sizeof hex);
    ac_request_put(&sign->headers, AC_STR("authorization"), ac_buf_str(&sign->proof));
}

/* Appends a text and a NUL to a buffer with enough room; returns where it is. */
static struct ac_str add_text(struct ac_buf *out, struct ac_str s)
{
    ac_buf_add_str(out, s);
    ac_buf_add_char(out, '\0');
    return (struct ac_str){out->p + out->n - s.n - 1, s.n};
}

/* Reserves room for all lines first, because pointers into the buffer must stay valid. */
static void write_lines(struct ac_sign *sign)
{
    struct ac_signed_request *wire = &sign->wire;
    struct ac_buf *out = &sign->lines;
    struct ac_pairs headers = ac_request_pairs(&sign->headers);
    struct ac_str host = ac_request_host(&sign->request);
    size_t room = sign->request.method.n + host.n + 2;
    for (size_t i = 0; i < headers.n; i++)
        room += headers.v[i].name.n + headers.v[i].value.n + 3;
    if (!ac_buf_room(out, room))
        return;
    wire->method = add_text(out, sign->request.method);
    wire->host = add_text(out, host);
    wire->headers.v = headers.v;
    for (size_t i = 0; i < headers.n;) {
        struct ac_pair *header = &headers.v[wire->headers.n++];
        size_t start = out->n, name = headers.v[i].name.n, value = start + name + 2;
        i = add_field(out, AC_STR(": "), headers, i);
        *header = (struct ac_pair){{out->p + start, name}, {out->p + value, out->n - value}};
        ac_buf_add_char(out, '\0');
    }
}

static enum ac_status finish(struct ac_sign *sign)
{
    struct ac_signed_request *wire = &sign->wire;
    const char *which;
    write_lines(sign);
    enum ac_status status = ac_sign_built(sign, &which);
    if (status != AC_OK)
        return status;
    wire->url = ac_buf_str(&sign->url);
    if (is_rpc(sign) || sign->request.body.p)
        wire->body = ac_buf_str(&sign->body);
    if (!has_key(sign))
        return AC_OK;
    wire->canonical = ac_buf_str(&sign->canonical);
    wire->string_to_sign = ac_buf_str(&sign->string_to_sign);
    wire->signature = ac_buf_str(&sign->proof);
    if (is_rpc(sign))
        return AC_OK;
    wire->authorization = wire->signature;
    wire->signature.p += wire->signature.n - HEX_BYTES;
    wire->signature.n = HEX_BYTES;
    wire->signed_headers.n = sign->signed_headers;
    wire->signed_headers.p = wire->signature.p - strlen(SIGNATURE) - sign->signed_headers;
    return AC_OK;
}

enum ac_status ac_sign_all(struct ac_sign *sign)
{
    if (is_rpc(sign))
        rpc_canonical(sign);
    else
        acs3_canonical(sign);
    if (has_key(sign)) {
        make_string(sign);
        if (is_rpc(sign))
            rpc_authorization(sign);
        else
            acs3_authorization(sign);
    }
    return finish(sign);
}
