#include "errmap.h"

#include "codec.h"
#include "utf8.h"

#include <limits.h>

#define EXCERPT_BYTES 120u
#define DETAIL_BYTES 400u
#define MESSAGE_MAX_BYTES ((size_t)64 * 1024)

/* Error codes that say more than their HTTP status. A trailing '*' matches any rest. Sources: the
 * error tables of the product, its common error codes, and the vendor's SDKs. They disagree about
 * the HTTP status of a code, so the code decides. */
struct code_rule {
    const char *pattern;
    enum ac_retry retry;
    bool unknown; /* at any status the work may have been done, for this request or a copy of it */
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
    {"IdempotentProcessing", AC_RETRY_PENDING, true},
    {"OperationConflict", AC_RETRY_PENDING, false},
    {"SignatureNonceUsed", AC_RETRY_NONCE, true},
    {"InvalidTimeStamp.Expired", AC_RETRY_CLOCK, false},
    {"IllegalTimestamp", AC_RETRY_CLOCK, false},
    {"InvalidSecurityToken*", AC_RETRY_CREDENTIALS, false},
};

const char *const ac_errmap_outcomes[] = {"accepted", "not_sent", "rejected", "unknown"};
const char *const ac_errmap_retries[] = {"never", "transport", "server",      "throttle",
                                         "nonce", "clock",     "credentials", "pending"};

static bool matches(const char *pattern, struct ac_str code)
{
    size_t n = strcspn(pattern, "*");
    return ac_str_starts(code, (struct ac_str){pattern, n}) && (pattern[n] == '*' || code.n == n);
}

static const struct code_rule *rule_of(struct ac_str code)
{
    for (size_t i = 0; i < sizeof CODES / sizeof CODES[0]; i++)
        if (matches(CODES[i].pattern, code))
            return &CODES[i];
    return NULL;
}

/* What the body must contain for a rule to apply. */
enum proof {
    NOTHING,
    SUCCESS, /* one JSON object with a RequestId */
    DOUBT,   /* an error whose Code is marked `unknown` in CODES */
    ERROR    /* an error of the service: complete JSON or XML with a Code and a RequestId */
};

enum wanted { NO, YES, ANY };

struct rule {
    enum wanted sent;     /* whether a byte of the request may have left */
    enum wanted answered; /* with a complete HTTP response; NO: the exchange failed */
    enum wanted encoded;  /* the response has a Content-Encoding, though none was accepted */
    int low, high;        /* HTTP statuses */
    enum proof proof;
    enum ac_outcome outcome;
};

#define ALL INT_MIN, INT_MAX

/* The first rule that matches decides. */
static const struct rule RULES[] = {
    /* exchange.h: `sent` is false only if the transport has proof that no byte has left. */
    {NO, NO, ANY, ALL, NOTHING, AC_NOT_SENT},
    /* Nothing was sent, so this response belongs to another request. */
    {NO, YES, ANY, ALL, NOTHING, AC_UNKNOWN},
    /* RFC 9112, section 8: an incomplete message proves nothing, even if its beginning looks
     * complete. */
    {YES, NO, ANY, ALL, NOTHING, AC_UNKNOWN},
    /* RFC 9110, section 12.5.3: no encoding was accepted, so a proxy has changed the body. */
    {YES, YES, YES, ALL, NOTHING, AC_UNKNOWN},
    /* API reference, every operation: a success has a RequestId. A 2xx without one comes from a
     * proxy or a captive portal, or was cut off without the transport noticing. */
    {YES, YES, NO, 200, 299, SUCCESS, AC_ACCEPTED},
    /* RFC 9110, section 15.5.9: a server or proxy timed out while it waited for the request. */
    {YES, YES, NO, 408, 408, NOTHING, AC_UNKNOWN},
    /* nginx, http/ngx_http_request.h: a proxy's client closed before the response came. This says
     * nothing about what the service behind the proxy did. */
    {YES, YES, NO, 499, 499, NOTHING, AC_UNKNOWN},
    /* The product's error codes and "How to ensure idempotence": the work may be running, or may
     * have been done for a copy of this request. */
    {YES, YES, NO, 400, 499, DOUBT, AC_UNKNOWN},
    /* The same page: other client errors have no effect. Code and RequestId prove that the service
     * itself responded; without them, a 409, 403 or 429 may come from any server on the way. */
    {YES, YES, NO, 400, 499, ERROR, AC_REJECTED},
    /* Everything else. 5xx: the same page says to retry with the same token, since the work may
     * have been done. 1xx and 3xx do not come from the service. */
    {ANY, ANY, ANY, ALL, NOTHING, AC_UNKNOWN},
};

static bool fits(enum wanted wanted, bool is)
{
    return wanted == ANY || (wanted == YES) == is;
}

static bool proves(enum proof proof, const struct ac_response *response)
{
    bool json = response->shape == AC_SHAPE_JSON;
    bool id = response->request_id.n > 0;
    if (proof == SUCCESS)
        return json && id;
    bool error = (json || response->shape == AC_SHAPE_XML) && response->code.n > 0;
    const struct code_rule *code = rule_of(response->code);
    return proof == NOTHING || (error && (proof == DOUBT ? code && code->unknown : id));
}

static enum ac_outcome outcome_of(const struct ac_response *response)
{
    const struct rule *rule = RULES;
    while (!fits(rule->sent, response->sent) ||
           !fits(rule->answered, response->failure == AC_FAILURE_NONE) ||
           !fits(rule->encoded, response->content_encoding.n > 0) || response->status < rule->low ||
           response->status > rule->high || !proves(rule->proof, response))
        rule++;
    return rule->outcome;
}

/* Adds a text; if there is not enough room, its end is replaced by "…". */
static void add_cut(struct ac_buf *message, struct ac_str text)
{
    static const struct ac_str dots = {"\xe2\x80\xa6", 3};
    size_t room = message->max - message->n;
    bool fits = text.n <= room;
    ac_buf_add(message, text.p, fits ? text.n : ac_utf8_cut(text, room - dots.n));
    ac_buf_add_str(message, fits ? (struct ac_str){0} : dots);
}

static void map_failure(struct ac_error *error, const struct ac_response *response)
{
    const struct ac_failure_rule *rule = ac_failure_rule(response->failure);
    error->retry = rule->retry;
    error->kind = rule->kind;
    error->code = ac_str_of(rule->code);
    ac_buf_add_text(&error->message, rule->says);
    if (response->detail.n > 0) {
        ac_buf_add_text(&error->message, ": ");
        ac_codec_excerpt(&error->message, response->detail, DETAIL_BYTES);
    }
}

/* How to retry after an HTTP status whose code is not in CODES. */
static enum ac_retry retry_of_status(int status)
{
    if (status >= 500 && status <= 599)
        return AC_RETRY_SERVER;
    bool lost = (status >= 200 && status <= 299) || status == 408 || status == 499;
    return lost ? AC_RETRY_TRANSPORT : AC_RETRY_NEVER;
}

static const char *words_of_body(const struct ac_response *response)
{
    if (response->shape == AC_SHAPE_EMPTY)
        return "without a body";
    if (response->shape != AC_SHAPE_JSON)
        return "with a body that is not JSON";
    return response->request_id.n > 0 && response->code.n > 0
               ? "with an error, which the service sends with 4xx or 5xx"
               : "with a JSON object that has no RequestId or Code";
}

/* Describes an HTTP response that does not come from the service itself. */
static void map_foreign(struct ac_error *error, const struct ac_response *response)
{
    bool success = response->status >= 200 && response->status <= 299;
    bool limit = success && response->limit; /* a retry would get the same large response */
    error->kind = limit ? "limit" : success ? "decode" : "http";
    error->code = limit     ? AC_STR("Client.TooLarge")
                  : success ? AC_STR("Client.Malformed")
                            : AC_STR("Client.HttpStatus");
    error->retry = limit ? AC_RETRY_NEVER : retry_of_status(response->status);
    ac_buf_printf(&error->message, "HTTP %d ", response->status);
    if (response->content_encoding.n > 0)
        ac_buf_add_text(&error->message, "with an encoding that was not asked for");
    else if (response->shape == AC_SHAPE_BAD_JSON)
        ac_buf_printf(&error->message, "with unusable JSON (%s)", response->why);
    else
        ac_buf_add_text(&error->message, words_of_body(response));
    if (response->body.n > 0) {
        ac_buf_add_text(&error->message, ": ");
        ac_codec_excerpt(&error->message, response->body, EXCERPT_BYTES);
    }
}

/* Says whose fault a wrong signature is, or NULL if that is unknown. The server's message quotes
 * what it would have signed: if that is our text, the secret is wrong. So does the vendor's SDK. */
static const char *signature_verdict(const struct ac_response *response)
{
    struct ac_str message = response->message, ours = response->string_to_sign;
    if (ours.n == 0)
        return NULL;
    /* Without its first line, in case the server folds white space: then the hash remains. */
    const char *newline = ac_str_find(ours, AC_STR("\n"));
    size_t skip = newline ? (size_t)(newline + 1 - ours.p) : 0;
    if (ac_str_find(message, (struct ac_str){ours.p + skip, ours.n - skip}) ||
        ac_str_find(message, response->canonical_request))
        return "wrong secret";
    if (ac_str_find(message, AC_STR("string to sign")) ||
        ac_str_find(message, AC_STR("StringToSign")) || ac_str_find(message, AC_STR("anonical")))
        return "our canonical string differs";
    return NULL;
}

static void map_api_error(struct ac_error *error, const struct ac_response *response)
{
    const struct code_rule *rule = rule_of(response->code);
    error->kind = "api";
    error->code = response->code;
    error->retry = rule ? rule->retry : retry_of_status(response->status);
    add_cut(&error->message, response->message);
    /* The message is missing, is not a text, or is under another name: shows the body instead. */
    if (error->message.n == 0)
        ac_codec_excerpt(&error->message, response->body, EXCERPT_BYTES);
    if (ac_str_equal(response->code, AC_STR("SignatureDoesNotMatch")) ||
        ac_str_equal(response->code, AC_STR("IncompleteSignature")))
        error->verdict = signature_verdict(response);
}

/* Marks errors that only say "try later". The outcome does not change. */
static void map_throttling(struct ac_error *error, const struct ac_response *response)
{
    double wait = response->status >= 400 ? ac_response_retry_after(response) : 0;
    bool asked = wait > 0 && response->retry_after.n > 0;
    if (response->status != 429 && error->retry != AC_RETRY_THROTTLE && !asked)
        return;
    error->retry_after = wait;
    /* These codes are about this token or nonce: a Retry-After does not change how to retry. */
    if (error->retry == AC_RETRY_PENDING || error->retry == AC_RETRY_NONCE)
        return;
    error->kind = "throttled";
    error->retry = AC_RETRY_THROTTLE;
}

enum ac_status ac_errmap(struct ac_error *error, const struct ac_response *response)
{
    memset(error, 0, sizeof *error);
    ac_buf_init(&error->message, MESSAGE_MAX_BYTES);
    error->outcome = outcome_of(response);
    if (error->outcome == AC_ACCEPTED)
        return AC_OK;
    if (response->failure != AC_FAILURE_NONE) {
        map_failure(error, response);
    } else {
        if (response->code.n > 0 && response->status >= 400 && response->status <= 599)
            map_api_error(error, response);
        else
            map_foreign(error, response);
        map_throttling(error, response);
    }
    return error->message.status == AC_NOMEM ? AC_NOMEM : AC_OK;
}

void ac_errmap_free(struct ac_error *error)
{
    ac_buf_free(&error->message);
}
