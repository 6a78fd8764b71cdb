#include "sign.h"

#include "codec.h"
#include "header.h"

static const char *const NAMES[AC_SIGN_COUNT] = {"ACS3-HMAC-SHA256", "ACS3-HMAC-SM3", "HMAC-SHA1"};

const char *ac_sign_algorithm_name(enum ac_sign_algorithm algorithm)
{
    return algorithm < AC_SIGN_COUNT ? NAMES[algorithm] : NULL;
}

static enum ac_hash hash_of(const struct ac_sign *sign)
{
    static const enum ac_hash hashes[AC_SIGN_COUNT] = {AC_SHA256, AC_SM3, AC_SHA1};
    return hashes[sign->algorithm];
}

static struct ac_str keep_lower(struct ac_sign *sign, struct ac_str in)
{
    char *room = ac_buf_room(&sign->text, in.n);
    if (!room)
        return (struct ac_str){0};
    for (size_t i = 0; i < in.n; i++)
        room[i] = ac_lower(in.p[i]);
    ac_buf_advance(&sign->text, in.n);
    return (struct ac_str){room, in.n};
}

static struct ac_str keep_hex(struct ac_sign *sign, const unsigned char *p, size_t n)
{
    size_t start = sign->text.n;
    ac_codec_hex(&sign->text, p, n);
    return (struct ac_str){sign->text.p + start, n * 2};
}

static void put(struct ac_pairs *pairs, struct ac_str name, struct ac_str value)
{
    pairs->v[pairs->n++] = (struct ac_pair){name, value};
}

/* A generated header steps back where the caller gives one of that name. */
static void generate(struct ac_sign *sign, const char *name, struct ac_str value)
{
    if (value.n > 0 && !ac_request_header(sign->request, name))
        put(&sign->headers, ac_str_of(name), value);
}

/* Values of one name in different spellings are joined with ',' (headers are sorted already). */
static void join_same_names(struct ac_sign *sign)
{
    struct ac_pairs *headers = &sign->headers;
    size_t kept = 0;
    for (size_t i = 0; i < headers->n; kept++) {
        struct ac_pair header = headers->v[i];
        size_t start = sign->text.n, end = i + 1;
        while (end < headers->n && ac_str_equal(headers->v[end].name, header.name))
            end++;
        for (size_t same = i; end - i > 1 && same < end; same++) {
            if (same > i)
                ac_buf_add_char(&sign->text, ',');
            ac_buf_add_str(&sign->text, headers->v[same].value);
        }
        if (end - i > 1)
            header.value = (struct ac_str){sign->text.p + start, sign->text.n - start};
        headers->v[kept] = header;
        i = end;
    }
    headers->n = kept;
}

/* An explicit payload hash without action, version, date and nonce means that the caller brings
 * the complete header set; otherwise the content hash belongs to the generated ones. */
static bool generates_payload_header(const struct ac_request *request)
{
    return request->payload_hash.n == 0 || request->action.n > 0 || request->version.n > 0 ||
           request->date.n > 0 || request->nonce.n > 0;
}

static enum ac_status collect_headers(struct ac_sign *sign, struct ac_str payload_hash)
{
    const struct ac_request *request = sign->request;
    generate(sign, "host", request->host);
    generate(sign, "x-acs-action", request->action);
    if (generates_payload_header(request))
        generate(sign, "x-acs-content-sha256", payload_hash);
    generate(sign, "x-acs-date", request->date);
    generate(sign, "x-acs-signature-nonce", request->nonce);
    generate(sign, "x-acs-version", request->version);
    if (sign->credentials->security_token.n > 0) {
        generate(sign, "x-acs-accesskey-id", sign->credentials->access_key_id);
        generate(sign, "x-acs-security-token", sign->credentials->security_token);
    }
    for (size_t i = 0; i < request->headers.n; i++) {
        const struct ac_pair *header = &request->headers.v[i];
        if (!ac_str_equal_nocase(header->name, AC_STR("authorization")))
            put(&sign->headers, keep_lower(sign, header->name), ac_header_trim(header->value));
    }
    ac_request_sort(&sign->headers);
    join_same_names(sign);
    return sign->text.status;
}

static bool header_is_signed(struct ac_str name)
{
    return ac_str_starts(name, AC_STR("x-acs-")) || ac_str_equal(name, AC_STR("host")) ||
           ac_str_equal(name, AC_STR("content-type"));
}

static enum ac_status payload_hash(struct ac_sign *sign, struct ac_str *out)
{
    if (sign->request->payload_hash.n > 0) {
        *out = sign->request->payload_hash;
        return AC_OK;
    }
    unsigned char raw[AC_HASH_MAX_BYTES];
    enum ac_status status = ac_digest_hash(sign->digest, hash_of(sign), sign->request->body, raw);
    if (status != AC_OK)
        return status;
    *out = keep_hex(sign, raw, ac_digest_size(hash_of(sign)));
    return sign->text.status;
}

static void add_signed_header(struct ac_sign *sign, const struct ac_pair *header)
{
    struct ac_buf *out = &sign->canonical;
    ac_buf_add_str(out, header->name);
    ac_buf_add_char(out, ':');
    ac_buf_add_str(out, header->value);
    ac_buf_add_char(out, '\n');
    if (sign->signed_headers.n > 0)
        ac_buf_add_char(&sign->signed_headers, ';');
    ac_buf_add_str(&sign->signed_headers, header->name);
}

static enum ac_status acs3_canonical(struct ac_sign *sign)
{
    const struct ac_request *request = sign->request;
    struct ac_pairs sorted = request->query;
    struct ac_str hash = {0};
    enum ac_status status = payload_hash(sign, &hash);
    if (status == AC_OK)
        status = collect_headers(sign, hash);
    if (status != AC_OK)
        return status;
    ac_request_sort(&sorted);
    ac_request_encode_pairs(&sign->query, &sorted);
    ac_request_url(&sign->url, request, ac_buf_str(&sign->query));

    struct ac_buf *out = &sign->canonical;
    ac_buf_add_str(out, request->method);
    ac_buf_add_char(out, '\n');
    ac_request_encode_path(out, request->path);
    ac_buf_add_char(out, '\n');
    ac_buf_add_str(out, ac_buf_str(&sign->query));
    ac_buf_add_char(out, '\n');
    for (size_t i = 0; i < sign->headers.n; i++)
        if (header_is_signed(sign->headers.v[i].name))
            add_signed_header(sign, &sign->headers.v[i]);
    ac_buf_add_char(out, '\n');
    ac_buf_add_str(out, ac_buf_str(&sign->signed_headers));
    ac_buf_add_char(out, '\n');
    ac_buf_add_str(out, hash);
    return ac_sign_built(sign);
}

static bool names_param(const struct ac_pairs *pairs, struct ac_str name)
{
    for (size_t i = 0; i < pairs->n; i++)
        if (ac_str_equal(pairs->v[i].name, name))
            return true;
    return false;
}

/* The caller's parameters win over the common ones. */
static void common(struct ac_sign *sign, const char *name, struct ac_str value)
{
    struct ac_str key = ac_str_of(name);
    if (value.n > 0 && !names_param(&sign->request->query, key) &&
        !names_param(&sign->request->form, key))
        put(&sign->params, key, value);
}

static void rpc_params(struct ac_sign *sign)
{
    const struct ac_request *request = sign->request;
    common(sign, "Action", request->action);
    common(sign, "Version", request->version);
    common(sign, "Format", AC_STR("JSON"));
    common(sign, "Timestamp", request->date);
    common(sign, "SignatureNonce", request->nonce);
    if (ac_sign_has_key(sign)) {
        common(sign, "SignatureMethod", AC_STR("HMAC-SHA1"));
        common(sign, "SignatureVersion", AC_STR("1.0"));
        common(sign, "AccessKeyId", sign->credentials->access_key_id);
        common(sign, "SecurityToken", sign->credentials->security_token);
    }
    for (size_t i = 0; i < request->query.n; i++)
        if (!names_param(&request->form, request->query.v[i].name)) /* the body wins */
            put(&sign->params, request->query.v[i].name, request->query.v[i].value);
}

static enum ac_status rpc_headers(struct ac_sign *sign)
{
    const struct ac_request *request = sign->request;
    generate(sign, "host", request->host);
    generate(sign, "x-acs-action", request->action);
    generate(sign, "x-acs-version", request->version);
    if (request->form.n > 0)
        generate(sign, "content-type", AC_STR("application/x-www-form-urlencoded"));
    for (size_t i = 0; i < request->headers.n; i++)
        put(&sign->headers, keep_lower(sign, request->headers.v[i].name),
            ac_header_trim(request->headers.v[i].value));
    ac_request_sort(&sign->headers);
    join_same_names(sign);
    return sign->text.status;
}

/* Query and form are one signed set; what is not in the form travels in the query. */
static enum ac_status rpc_canonical(struct ac_sign *sign)
{
    struct ac_pairs form = sign->request->form;
    enum ac_status status = rpc_headers(sign);
    if (status != AC_OK)
        return status;
    rpc_params(sign);
    ac_request_sort(&sign->params);
    ac_request_sort(&form);
    ac_request_encode_pairs(&sign->query, &sign->params);
    ac_request_encode_pairs(&sign->body, &form);
    for (size_t i = 0; i < form.n; i++)
        put(&sign->params, form.v[i].name, form.v[i].value);
    ac_request_sort(&sign->params);
    ac_request_encode_pairs(&sign->canonical, &sign->params);
    return ac_sign_built(sign);
}

enum ac_status ac_sign_canonical(struct ac_sign *sign)
{
    if (sign->algorithm == AC_SIGN_RPC_SHA1)
        return rpc_canonical(sign);
    return acs3_canonical(sign);
}

static enum ac_status rpc_string(struct ac_sign *sign)
{
    struct ac_buf *out = &sign->string_to_sign;
    ac_buf_add_str(out, sign->request->method);
    ac_buf_add_text(out, "&%2F&");
    ac_codec_percent(out, ac_buf_str(&sign->canonical));
    return ac_sign_built(sign);
}

enum ac_status ac_sign_string(struct ac_sign *sign)
{
    if (sign->algorithm == AC_SIGN_RPC_SHA1)
        return rpc_string(sign);
    unsigned char raw[AC_HASH_MAX_BYTES];
    enum ac_status status =
        ac_digest_hash(sign->digest, hash_of(sign), ac_buf_str(&sign->canonical), raw);
    if (status != AC_OK)
        return status;
    ac_buf_add_text(&sign->string_to_sign, NAMES[sign->algorithm]);
    ac_buf_add_char(&sign->string_to_sign, '\n');
    ac_codec_hex(&sign->string_to_sign, raw, ac_digest_size(hash_of(sign)));
    return ac_sign_built(sign);
}

static enum ac_status rpc_authorization(struct ac_sign *sign)
{
    struct ac_buf key;
    unsigned char raw[AC_HASH_MAX_BYTES];
    ac_buf_init(&key, AC_MAX_REQUEST_BYTES);
    ac_buf_room(&key, sign->credentials->secret.n + 1);
    ac_buf_add_str(&key, sign->credentials->secret);
    ac_buf_add_char(&key, '&');
    enum ac_status status = key.status;
    if (status == AC_OK)
        status = ac_digest_hmac(sign->digest, AC_SHA1, ac_buf_str(&key),
                                ac_buf_str(&sign->string_to_sign), raw);
    ac_digest_cleanse(key.p, key.cap);
    ac_buf_free(&key);
    if (status != AC_OK)
        return status;
    ac_codec_base64(&sign->signature, raw, ac_digest_size(AC_SHA1));
    ac_buf_add_text(&sign->query, "&Signature=");
    ac_codec_percent(&sign->query, ac_buf_str(&sign->signature));
    return ac_sign_built(sign);
}

static enum ac_status acs3_authorization(struct ac_sign *sign)
{
    unsigned char raw[AC_HASH_MAX_BYTES];
    enum ac_status status = ac_digest_hmac(sign->digest, hash_of(sign), sign->credentials->secret,
                                           ac_buf_str(&sign->string_to_sign), raw);
    if (status != AC_OK)
        return status;
    ac_codec_hex(&sign->signature, raw, ac_digest_size(hash_of(sign)));
    struct ac_buf *out = &sign->authorization;
    ac_buf_add_text(out, NAMES[sign->algorithm]);
    ac_buf_add_text(out, " Credential=");
    ac_buf_add_str(out, sign->credentials->access_key_id);
    ac_buf_add_text(out, ",SignedHeaders=");
    ac_buf_add_str(out, ac_buf_str(&sign->signed_headers));
    ac_buf_add_text(out, ",Signature=");
    ac_buf_add_str(out, ac_buf_str(&sign->signature));
    return ac_sign_built(sign);
}

enum ac_status ac_sign_authorization(struct ac_sign *sign)
{
    enum ac_status status = AC_OK;
    if (sign->algorithm == AC_SIGN_RPC_SHA1) {
        if (ac_sign_has_key(sign))
            status = rpc_authorization(sign);
        if (status == AC_OK)
            ac_request_url(&sign->url, sign->request, ac_buf_str(&sign->query));
        return status != AC_OK ? status : ac_sign_built(sign);
    }
    if (ac_sign_has_key(sign))
        status = acs3_authorization(sign);
    return status != AC_OK ? status : ac_sign_built(sign);
}
