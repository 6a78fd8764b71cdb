#include "response.h"

#include "codec.h"
#include "header.h"

static const struct {
    struct ac_str name;
    size_t place;
} HEADERS[] = {{{"date", 4}, offsetof(struct ac_response, date)},
               {{"content-encoding", 16}, offsetof(struct ac_response, content_encoding)},
               {{"x-acs-request-id", 16}, offsetof(struct ac_response, header_request_id)},
               {{"x-acs-retry-after", 17}, offsetof(struct ac_response, retry_after)},
               {{"x-ratelimit-user", 16}, offsetof(struct ac_response, ratelimit_user)},
               {{"x-ratelimit-user-api", 20}, offsetof(struct ac_response, ratelimit_user_api)}};

/* One that is repeated becomes a value which nobody takes for a good one. */
static void note_header(struct ac_response *response, struct ac_str name, struct ac_str value)
{
    for (size_t i = 0; i < sizeof HEADERS / sizeof HEADERS[0]; i++)
        if (ac_str_equal_nocase(name, HEADERS[i].name)) {
            struct ac_str *known = (struct ac_str *)(void *)((char *)response + HEADERS[i].place);
            *known = known->p ? AC_STR(",") : value;
            return;
        }
}

void ac_response_headers(struct ac_response *response, struct ac_str block)
{
    struct ac_str name, value;
    while (ac_header_next(&block, &name, &value))
        note_header(response, name, value);
}

static enum ac_shape shape_of(struct ac_str body)
{
    size_t i = 0;
    while (i < body.n && strchr(" \t\r\n", body.p[i]) && body.p[i] != '\0')
        i++;
    if (i == body.n)
        return AC_SHAPE_EMPTY;
    if (body.p[i] == '{')
        return AC_SHAPE_JSON;
    if (body.p[i] == '<' && ac_str_find(body, AC_STR("<Error>")))
        return AC_SHAPE_XML;
    return AC_SHAPE_OTHER;
}

/* Both spellings occur: `Code` from the product gateways, `code` from newer ones. */
static struct ac_str either(const cJSON *object, const char *pascal, const char *camel)
{
    struct ac_str value = ac_json_string(object, pascal);
    return value.p ? value : ac_json_string(object, camel);
}

static enum ac_status read_json(struct ac_response *response, struct ac_json_limits limits)
{
    struct ac_json *json = &response->json;
    if (ac_json_check(json, response->body, limits) != AC_OK) {
        response->shape = AC_SHAPE_BAD_JSON;
        return AC_OK;
    }
    if (ac_json_parse(json, response->body) != AC_OK)
        return AC_NOMEM;
    response->code = either(json->root, "Code", "code");
    response->message = either(json->root, "Message", "message");
    response->request_id = either(json->root, "RequestId", "requestId");
    response->host_id = either(json->root, "HostId", "hostId");
    response->recommend = either(json->root, "Recommend", "recommend");
    return AC_OK;
}

static void unescape_xml(struct ac_buf *out, struct ac_str in)
{
    static const struct {
        struct ac_str entity;
        char c;
    } entities[] = {{{"&lt;", 4}, '<'},
                    {{"&gt;", 4}, '>'},
                    {{"&amp;", 5}, '&'},
                    {{"&quot;", 6}, '"'},
                    {{"&apos;", 6}, '\''}};
    for (size_t i = 0; i < in.n; i++) {
        struct ac_str rest = {in.p + i, in.n - i};
        char c = in.p[i];
        for (size_t e = 0; c == '&' && e < sizeof entities / sizeof entities[0]; e++)
            if (ac_str_starts(rest, entities[e].entity)) {
                c = entities[e].c;
                i += entities[e].entity.n - 1;
                break;
            }
        ac_buf_add_char(out, c);
    }
}

static struct ac_str xml_field(struct ac_response *response, struct ac_str open,
                               struct ac_str close)
{
    struct ac_str body = response->body;
    const char *start = ac_str_find(body, open);
    if (!start)
        return (struct ac_str){0};
    struct ac_str rest = {start + open.n, body.n - (size_t)(start + open.n - body.p)};
    const char *end = ac_str_find(rest, close);
    if (!end)
        return (struct ac_str){0};
    size_t at = response->text.n;
    unescape_xml(&response->text, (struct ac_str){rest.p, (size_t)(end - rest.p)});
    return (struct ac_str){response->text.p + at, response->text.n - at};
}

static void read_xml(struct ac_response *response)
{
    /* Unescaping shrinks, so the fields together fit and never move. */
    if (!ac_buf_room(&response->text, response->body.n))
        return;
    response->code = xml_field(response, AC_STR("<Code>"), AC_STR("</Code>"));
    response->message = xml_field(response, AC_STR("<Message>"), AC_STR("</Message>"));
    response->request_id = xml_field(response, AC_STR("<RequestId>"), AC_STR("</RequestId>"));
    response->host_id = xml_field(response, AC_STR("<HostId>"), AC_STR("</HostId>"));
    response->recommend = xml_field(response, AC_STR("<Recommend>"), AC_STR("</Recommend>"));
}

void ac_response_date(struct ac_response *response)
{
    response->has_date = ac_codec_parse_http_date(response->date, &response->unix_date);
}

enum ac_status ac_response_read(struct ac_response *response, struct ac_json_limits limits)
{
    enum ac_status status = AC_OK;
    ac_buf_init(&response->text, limits.max_bytes);
    response->shape = shape_of(response->body);
    if (response->shape == AC_SHAPE_JSON)
        status = read_json(response, limits);
    else if (response->shape == AC_SHAPE_XML)
        read_xml(response);
    response->body_has_request_id = response->request_id.n > 0;
    if (response->request_id.n == 0)
        response->request_id = response->header_request_id;
    ac_response_date(response);
    return response->text.status == AC_NOMEM ? AC_NOMEM : status;
}

void ac_response_free(struct ac_response *response)
{
    ac_json_free(&response->json);
    ac_buf_free(&response->text);
}

/* Up to nine digits: a longer wait than 11 days is not a hint but a mistake. */
static double milliseconds(struct ac_str text)
{
    long value = 0;
    if (text.n == 0 || text.n > 9)
        return 0;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return 0;
        value = value * 10 + (text.p[i] - '0');
    }
    return (double)value / 1000;
}

/* `Limit:40,Remain:0,TimeLeft:812` */
static double time_left(struct ac_str header)
{
    const char *found = ac_str_find(header, AC_STR("TimeLeft:"));
    if (!found)
        return 0;
    struct ac_str rest = {found + 9, header.n - (size_t)(found + 9 - header.p)};
    size_t n = 0;
    while (n < rest.n && rest.p[n] >= '0' && rest.p[n] <= '9')
        n++;
    return milliseconds((struct ac_str){rest.p, n});
}

double ac_response_retry_after(const struct ac_response *response)
{
    double asked = milliseconds(response->retry_after);
    if (asked > 0)
        return asked;
    double api = time_left(response->ratelimit_user_api);
    double user = time_left(response->ratelimit_user);
    return api > user ? api : user;
}
