#include "errmap.h"

#include "codec.h"

#define EXCERPT_BYTES 120u
#define MESSAGE_MAX_BYTES ((size_t)64 * 1024)

/* Codes that mean more than their HTTP status. A trailing '*' matches any rest.
 * Sources: the error tables of the product, its common error codes, and the vendor's own SDKs;
 * they disagree about HTTP statuses, so the code decides. */
struct code_rule {
    const char *pattern;
    enum ac_retry retry;
    bool unknown; /* whatever the status: the work may have been done, or a copy got through */
};

static const struct code_rule CODES[] = {
    {"Throttling*", AC_RETRY_THROTTLE, false},
    {"Rejected.Throttling", AC_RETRY_THROTTLE, false},
    {"BLOCK.LimitedR*", AC_RETRY_THROTTLE, false},
    {"ServiceUnavailable*", AC_RETRY_SERVER, true},
    {"InternalError", AC_RETRY_SERVER, true},
    {"InternalInvokeError", AC_RETRY_SERVER, true},
    {"RequestTimeout", AC_RETRY_SERVER, true},
    {"UnknownError", AC_RETRY_SERVER, true},
    {"LastTokenProcessing", AC_RETRY_PENDING, true},
    {"OperationConflict", AC_RETRY_PENDING, false},
    {"SignatureNonceUsed", AC_RETRY_NONCE, true},
    {"InvalidTimeStamp.Expired", AC_RETRY_CLOCK, false},
    {"IllegalTimestamp", AC_RETRY_CLOCK, false},
    {"InvalidSecurityToken*", AC_RETRY_CREDENTIALS, false},
};

const char *ac_errmap_outcome_name(enum ac_outcome outcome)
{
    static const char *const names[] = {"accepted", "not_sent", "rejected", "unknown"};
    return names[outcome];
}

const char *ac_errmap_retry_name(enum ac_retry retry)
{
    static const char *const names[] = {"never", "transport", "server",      "throttle",
                                        "nonce", "clock",     "credentials", "pending"};
    return names[retry];
}

static bool matches(const char *pattern, struct ac_str code)
{
    size_t n = strlen(pattern);
    if (pattern[n - 1] == '*')
        return ac_str_starts(code, (struct ac_str){pattern, n - 1});
    return ac_str_equal(code, (struct ac_str){pattern, n});
}

static const struct code_rule *rule_of(struct ac_str code)
{
    for (size_t i = 0; i < sizeof CODES / sizeof CODES[0]; i++)
        if (matches(CODES[i].pattern, code))
            return &CODES[i];
    return NULL;
}

static void map_failure(struct ac_error *error, const struct ac_response *response)
{
    const struct ac_failure_rule *rule = ac_failure_rule(response->failure);
    error->outcome = response->sent ? AC_UNKNOWN : AC_NOT_SENT;
    error->retry = rule->retry;
    error->kind = rule->kind;
    error->code = ac_str_of(rule->code);
    ac_buf_add_text(&error->message, rule->says);
    if (response->detail.n > 0) {
        ac_buf_add_text(&error->message, ": ");
        ac_codec_excerpt(&error->message, response->detail, 400);
    }
}

/* An HTTP answer that is not one of the service's own. */
static void map_foreign(struct ac_error *error, const struct ac_response *response)
{
    int status = response->status;
    bool success = status >= 200 && status <= 299;
    error->outcome = AC_UNKNOWN;
    error->kind = success ? "decode" : "http";
    error->code = success ? AC_STR("Client.Malformed") : AC_STR("Client.HttpStatus");
    error->retry = success || status == 408         ? AC_RETRY_TRANSPORT
                   : status >= 500 && status <= 599 ? AC_RETRY_SERVER
                                                    : AC_RETRY_NEVER;
    ac_buf_printf(&error->message, "HTTP %d ", status);
    if (response->content_encoding.n > 0)
        ac_buf_add_text(&error->message, "with an encoding that was not asked for");
    else if (response->shape == AC_SHAPE_EMPTY)
        ac_buf_add_text(&error->message, "without a body");
    else if (response->shape == AC_SHAPE_BAD_JSON)
        ac_buf_printf(&error->message, "with unusable JSON (%s at byte %zu)", response->json.why,
                      response->json.where);
    else if (response->shape == AC_SHAPE_JSON)
        ac_buf_add_text(&error->message, "with a JSON object that has no RequestId or Code");
    else
        ac_buf_add_text(&error->message, "with a body that is not JSON");
    if (response->body.n > 0) {
        ac_buf_add_text(&error->message, ": ");
        ac_codec_excerpt(&error->message, response->body, EXCERPT_BYTES);
    }
}

/* The vendor's own SDK tells a wrong secret from a wrong canonical string by the same test:
 * the server prints what it would have signed. */
static const char *signature_verdict(struct ac_str message, struct ac_signed ours)
{
    if (ours.string_to_sign.n == 0)
        return NULL;
    if (ac_str_find(message, ours.string_to_sign) || ac_str_find(message, ours.canonical_request))
        return "wrong secret";
    const char *newline = ac_str_find(ours.string_to_sign, AC_STR("\n"));
    if (newline) {
        /* The hash line alone, in case the server's text folds white space. */
        size_t skip = (size_t)(newline + 1 - ours.string_to_sign.p);
        struct ac_str hash = {newline + 1, ours.string_to_sign.n - skip};
        if (ac_str_find(message, hash))
            return "wrong secret";
    }
    if (ac_str_find(message, AC_STR("string to sign")) ||
        ac_str_find(message, AC_STR("StringToSign")) || ac_str_find(message, AC_STR("anonical")))
        return "our canonical string differs";
    return NULL;
}

static bool is_throttled(const struct ac_response *response, const struct code_rule *rule)
{
    return response->status == 429 || (rule && rule->retry == AC_RETRY_THROTTLE) ||
           (response->status >= 400 && response->retry_after.n > 0 &&
            ac_response_retry_after(response) > 0);
}

static void map_api_error(struct ac_error *error, const struct ac_response *response,
                          const struct code_rule *rule, struct ac_signed signed_text)
{
    bool rejected = response->status >= 400 && response->status <= 499 &&
                    response->shape == AC_SHAPE_JSON && response->body_has_request_id &&
                    !(rule && rule->unknown);
    error->outcome = rejected ? AC_REJECTED : AC_UNKNOWN;
    error->kind = "api";
    error->code = response->code;
    error->retry = rule ? rule->retry : response->status >= 500 ? AC_RETRY_SERVER : AC_RETRY_NEVER;
    ac_buf_add_str(&error->message, response->message);
    if (ac_str_equal(response->code, AC_STR("SignatureDoesNotMatch")) ||
        ac_str_equal(response->code, AC_STR("IncompleteSignature")))
        error->verdict = signature_verdict(response->message, signed_text);
}

static bool is_accepted(const struct ac_response *response)
{
    return ac_response_is_whole(response) && response->shape == AC_SHAPE_JSON &&
           response->body_has_request_id;
}

enum ac_status ac_errmap(struct ac_error *error, const struct ac_response *response,
                         struct ac_signed signed_text)
{
    memset(error, 0, sizeof *error);
    ac_buf_init(&error->message, MESSAGE_MAX_BYTES);
    if (is_accepted(response)) {
        error->outcome = AC_ACCEPTED;
        return AC_OK;
    }
    if (response->failure != AC_FAILURE_NONE) {
        map_failure(error, response);
        return error->message.status == AC_NOMEM ? AC_NOMEM : AC_OK;
    }
    const struct code_rule *rule = rule_of(response->code);
    if (response->code.n > 0 && response->status >= 400 && response->status <= 599)
        map_api_error(error, response, rule, signed_text);
    else
        map_foreign(error, response);
    if (is_throttled(response, rule)) {
        error->retry_after = ac_response_retry_after(response);
        /* A wish to wait does not take back what the code says. */
        if (rule && rule->unknown && rule->retry != AC_RETRY_SERVER)
            return error->message.status == AC_NOMEM ? AC_NOMEM : AC_OK;
        error->kind = "throttled";
        error->retry = AC_RETRY_THROTTLE;
        /* A 5xx may have done its work whatever else it says. */
        if (response->status >= 400 && response->status <= 499 && !(rule && rule->unknown))
            error->outcome = AC_REJECTED;
    }
    return error->message.status == AC_NOMEM ? AC_NOMEM : AC_OK;
}

void ac_errmap_free(struct ac_error *error)
{
    ac_buf_free(&error->message);
}
