/* What comes back, without Lua: the answer taken apart, and the verdict over it. */
#include "errmap.h"
#include "utf8.h"
#include "check.h"

#include <stdlib.h>

#define ID "\"RequestId\":\"r1\""

static void test_errmap(struct check *t)
{
    static const struct {
        const char *failure;
        bool sent;
        int status;
        const char *body;
        enum ac_outcome outcome;
    } rows[] = {{"", true, 200, "{" ID "}", AC_ACCEPTED},
                {"", true, 200, "{\"RequestId\":\"\"}", AC_UNKNOWN},
                {"", true, 200, "{\"RequestId\":7}", AC_UNKNOWN},
                {"", true, 200, "{" ID ",\"requestid\":1}", AC_ACCEPTED},
                {"", true, 200, "{" ID, AC_UNKNOWN},
                {"", true, 200, "", AC_UNKNOWN},
                {"", true, 200, "[{" ID "}]", AC_UNKNOWN},
                {"", true, 204, "", AC_UNKNOWN},
                {"", true, 302, "{" ID "}", AC_UNKNOWN},
                {"", true, 403, "{" ID ",\"Code\":\"OperationDenied\"}", AC_REJECTED},
                {"", true, 403, "{\"Code\":\"OperationDenied\"}", AC_UNKNOWN},
                {"", true, 403, "{" ID "}", AC_UNKNOWN},
                {"", true, 403, "<html>no</html>", AC_UNKNOWN},
                {"", true, 403, "{" ID ",\"Code\":\"LastTokenProcessing\"}", AC_UNKNOWN},
                {"", true, 403, "{" ID ",\"Code\":\"LastTokenProcessing2\"}", AC_REJECTED},
                {"", true, 400, "{" ID ",\"Code\":\"SignatureNonceUsed\"}", AC_UNKNOWN},
                {"", true, 429, "{" ID ",\"Code\":\"Throttling.User\"}", AC_REJECTED},
                {"", true, 500, "{" ID ",\"Code\":\"InternalError\"}", AC_UNKNOWN},
                {"", true, 503, "{" ID ",\"Code\":\"Throttling\"}", AC_UNKNOWN},
                {"", true, 504, "{" ID ",\"Code\":\"RequestTimeout\"}", AC_UNKNOWN},
                {"connect", false, 0, "", AC_NOT_SENT},
                {"tls", false, 0, "", AC_NOT_SENT},
                {"receive", true, 200, "{" ID "}", AC_UNKNOWN},
                {"timeout", true, 0, "", AC_UNKNOWN},
                {"timeout", false, 0, "", AC_NOT_SENT},
                {"never heard of it", true, 0, "", AC_UNKNOWN}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ac_response response = {.failure = ac_failure_named(ac_str_of(rows[i].failure)),
                                       .sent = rows[i].sent,
                                       .status = rows[i].status,
                                       .body = ac_str_of(rows[i].body),
                                       .max_bytes = AC_MAX_BODY_BYTES};
        struct ac_error error;
        CHECK(t, ac_response_read(&response) == AC_OK);
        CHECK(t, ac_errmap(&error, &response) == AC_OK);
        if (error.outcome != rows[i].outcome)
            fprintf(stderr, "row %zu: %s\n", i, ac_errmap_outcomes[error.outcome]);
        CHECK(t, error.outcome == rows[i].outcome);
        ac_errmap_free(&error);
        ac_response_free(&response);
    }
}

/* The fields of a body, joined. */
static void check_fields(struct check *t, const char *body, enum ac_shape shape,
                         const char *expected)
{
    struct ac_response response = {
        .sent = true, .status = 400, .body = ac_str_of(body), .max_bytes = AC_MAX_BODY_BYTES};
    struct ac_buf joined;
    ac_buf_init(&joined, 1000);
    CHECK(t, ac_response_read(&response) == AC_OK);
    CHECK(t, response.shape == shape);
    const struct ac_str fields[] = {response.code, response.message, response.request_id,
                                    response.host_id, response.recommend};
    for (size_t i = 0; i < 5; i++) {
        if (fields[i].p)
            ac_buf_add_str(&joined, fields[i]);
        ac_buf_add_char(&joined, '|');
    }
    if (strcmp(joined.p, expected) != 0)
        fprintf(stderr, "%s: %s\n", body, joined.p);
    CHECK(t, strcmp(joined.p, expected) == 0);
    ac_buf_free(&joined);
    ac_response_free(&response);
    ac_response_free(&response);
}

static void test_response(struct check *t)
{
    check_fields(t, "", AC_SHAPE_EMPTY, "|||||");
    check_fields(t, " \r\n\t", AC_SHAPE_EMPTY, "|||||");
    check_fields(t, "\xef\xbb\xbf", AC_SHAPE_EMPTY, "|||||");
    check_fields(t, "<html>", AC_SHAPE_OTHER, "|||||");
    check_fields(t, "[1]", AC_SHAPE_OTHER, "|||||");
    check_fields(t, "{", AC_SHAPE_BAD_JSON, "|||||");
    check_fields(t, "{\"Code\":\"a\",\"Code\":\"a\"}", AC_SHAPE_BAD_JSON, "|||||");
    check_fields(t, "{\"Code\":\"a\",\"x\":[{\"b\":1,\"c\":2,\"b\":3}]}", AC_SHAPE_BAD_JSON,
                 "|||||");
    check_fields(t, "{\"x\":{\"b\":1,\"b\":2},\"y\":1}", AC_SHAPE_BAD_JSON, "|||||");
    check_fields(t, "{\"\xff\":1,\"\\u0000\":1}", AC_SHAPE_BAD_JSON, "|||||");
    check_fields(t, "{\"x\":{},\"y\":[{\"b\":1},{\"b\":1}]}", AC_SHAPE_JSON, "|||||");
    check_fields(t,
                 "\xef\xbb\xbf {\"Code\":\"c\",\"Message\":\"m\",\"RequestId\":\"r\","
                 "\"HostId\":\"h\",\"Recommend\":\"w\"}",
                 AC_SHAPE_JSON, "c|m|r|h|w|");
    check_fields(t, "{\"code\":\"c\",\"message\":\"m\",\"requestId\":\"r\",\"hostId\":\"h\"}",
                 AC_SHAPE_JSON, "c|m|r|h||");
    check_fields(t, "{\"CODE\":\"c\",\"requestid\":\"r\"}", AC_SHAPE_JSON, "|||||");
    check_fields(t, "{\"Code\":400,\"Message\":-7,\"RequestId\":1,\"requestId\":2,\"HostId\":1e3}",
                 AC_SHAPE_JSON, "400|-7||1000||");
    check_fields(t, "{\"Code\":4.5,\"Message\":9007199254740991,\"HostId\":9007199254740993}",
                 AC_SHAPE_JSON, "|9007199254740991||||");
    check_fields(t, "{\"Code\":\" \\n\\u007f\",\"code\":\"c\",\"RequestId\":\"\"}", AC_SHAPE_JSON,
                 "c|||||");
    check_fields(t, "{\"Code\":null,\"Message\":true,\"RequestId\":[],\"HostId\":{}}",
                 AC_SHAPE_JSON, "|||||");
    check_fields(t, "{\"Code\":\"a\\u0000b\",\"Message\":\"\xff\",\"RequestId\":\"\\ud800\"}",
                 AC_SHAPE_JSON,
                 "a" AC_UTF8_REPLACEMENT "b|" AC_UTF8_REPLACEMENT "|" AC_UTF8_REPLACEMENT "|||");
    check_fields(t, "<Error><Code>c</Code><RequestId> </RequestId><HostId>h</HostId></Error>",
                 AC_SHAPE_XML, "c|||h||");
    check_fields(t, "<Error><Code>c</Code>", AC_SHAPE_OTHER, "|||||");

    struct ac_response response = {.sent = true,
                                   .status = 400,
                                   .body = AC_STR("<Error><Code>c</Code></Error>"),
                                   .max_bytes = 10};
    CHECK(t, ac_response_read(&response) == AC_OK);
    CHECK(t, response.shape == AC_SHAPE_OTHER && response.code.p == NULL);
    ac_response_free(&response);
}

/* A block of header lines as our transport keeps them. */
static void test_headers(struct check *t)
{
    struct ac_response response = {0};
    ac_response_headers(&response, AC_STR("Date: d\nno colon\nX-ACS-Request-ID:  r \n"
                                          "x-acs-retry-after: 1\nX-Acs-Retry-After: 2\nodd: 1\n"
                                          "x-ratelimit-user: TimeLeft:700x\nContent-Encoding: br"));
    CHECK(t, ac_str_equal(response.date, AC_STR("d")));
    CHECK(t, ac_str_equal(response.header_request_id, AC_STR("r")));
    CHECK(t, ac_str_equal(response.content_encoding, AC_STR("br")));
    /* One that is repeated is none; then the quota tells. */
    CHECK(t, ac_str_equal(response.retry_after, AC_STR(",")));
    CHECK(t, ac_response_retry_after(&response) == 0.7);
    response.ratelimit_user_api = AC_STR("Limit:1");
    CHECK(t, ac_response_retry_after(&response) == 0.7);
    response.ratelimit_user_api = AC_STR("TimeLeft:900,Remain:0");
    CHECK(t, ac_response_retry_after(&response) == 0.9);
    response.retry_after = AC_STR("1500");
    CHECK(t, ac_response_retry_after(&response) == 1.5);
    response = (struct ac_response){.retry_after = AC_STR("1234567890")};
    CHECK(t, ac_response_retry_after(&response) == 0);
}

int main(void)
{
    struct check tally = {0};
    test_response(&tally);
    test_headers(&tally);
    test_errmap(&tally);
    return check_report(&tally, "C answers");
}
