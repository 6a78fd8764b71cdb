#include "response.h"

#include "header.h"
#include "xml.h"

#include <math.h>
#include <stdlib.h>

const struct ac_response_header ac_response_header_names[AC_RESPONSE_HEADERS] = {
    {{"date", 4}, offsetof(struct ac_response, date)},
    {{"content-encoding", 16}, offsetof(struct ac_response, content_encoding)},
    {{"x-acs-request-id", 16}, offsetof(struct ac_response, header_request_id)},
    {{"x-acs-retry-after", 17}, offsetof(struct ac_response, retry_after)},
    {{"x-ratelimit-user", 16}, offsetof(struct ac_response, ratelimit_user)},
    {{"x-ratelimit-user-api", 20}, offsetof(struct ac_response, ratelimit_user_api)}};

void ac_response_headers(struct ac_response *response, struct ac_str block)
{
    struct ac_str name, value;
    while (ac_header_next(&block, &name, &value))
        for (size_t i = 0; i < AC_RESPONSE_HEADERS; i++) {
            const struct ac_response_header *known = &ac_response_header_names[i];
            struct ac_str *field = ac_response_field(response, known->place);
            /* A repeated header gets a value that is never valid. */
            if (ac_str_equal_nocase(name, known->name))
                *field = field->p ? AC_STR(",") : value;
        }
}

enum ac_shape ac_response_shape(struct ac_str body)
{
    size_t i = ac_str_starts(body, AC_STR(AC_JSON_MARK)) ? 3 : 0;
    if (body.n > 0)
        i += strspn(body.p + i, " \t\r\n");
    if (i == body.n)
        return AC_SHAPE_EMPTY;
    return body.p[i] == '{' ? AC_SHAPE_JSON : body.p[i] == '<' ? AC_SHAPE_XML : AC_SHAPE_OTHER;
}

bool ac_response_is_field(struct ac_str text)
{
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] > ' ' && text.p[i] != 0x7f)
            return true;
    return false;
}

#define PLACE(member) offsetof(struct ac_response, member)

static const struct {
    const char *pascal, *camel;
    size_t place;
} FIELDS[] = {{"Code", "code", PLACE(code)},
              {"Message", "message", PLACE(message)},
              {"RequestId", "requestId", PLACE(request_id)},
              {"HostId", "hostId", PLACE(host_id)},
              {"Recommend", "recommend", PLACE(recommend)}};
#define FIELD_COUNT (sizeof FIELDS / sizeof FIELDS[0])

/* The largest whole number for which no other whole number is the same double. */
#define INTEGER_MAX 9007199254740991.0

/* The text of a cJSON item as a field; {NULL, 0} if it is none. `id`: a number is no field. */
static struct ac_str field_in(struct ac_response *response, const cJSON *item, bool id)
{
    struct ac_str text = {0};
    if (cJSON_IsString(item))
        text = ac_str_of(item->valuestring);
    double value = cJSON_IsNumber(item) && !id ? item->valuedouble : NAN;
    if (floor(value) == value && fabs(value) <= INTEGER_MAX) {
        text.p = response->text.p + response->text.n;
        ac_buf_printf(&response->text, "%.0f", value);
        text.n = strlen(text.p);
    }
    return ac_response_is_field(text) ? text : (struct ac_str){0};
}

static int compare_names(const void *a, const void *b)
{
    return strcmp((*(const cJSON *const *)a)->string, (*(const cJSON *const *)b)->string);
}

/* Whether an object anywhere in the tree has two members of the same name: parsers disagree about
 * which one counts. Sorting limits the cost of a hostile response. True when out of memory. */
static bool has_twins(const cJSON *node)
{
    size_t n = 0;
    bool found = false;
    for (const cJSON *item = node->child; item && !found; item = item->next, n++)
        found = has_twins(item);
    if (found || n < 2 || !cJSON_IsObject(node))
        return found;
    const cJSON **members = malloc(n * sizeof *members);
    if (!members)
        return true;
    n = 0;
    for (const cJSON *item = node->child; item; item = item->next)
        members[n++] = item;
    qsort(members, n, sizeof *members, compare_names);
    for (size_t i = 1; i < n && !found; i++)
        found = compare_names(&members[i - 1], &members[i]) == 0;
    free(members);
    return found;
}

/* The only place where cJSON parses text, after the strict reader has accepted it. */
static void parse(struct ac_response *response)
{
    struct ac_json_reader reader;
    if (!ac_json_check(&reader, response->body, response->max_bytes)) {
        response->why = reader.why;
        response->limit = reader.limit;
        return;
    }
    ac_json_clean(&response->text, response->body);
    if (response->text.status == AC_OK)
        response->root = cJSON_ParseWithLength(response->text.p, response->text.n);
    if (!response->root)
        response->why = "no memory to read it";
    else if (has_twins(response->root))
        response->why = "duplicate key";
    ac_buf_reset(&response->text);
}

static void read_json(struct ac_response *response)
{
    parse(response);
    if (response->why) {
        response->shape = AC_SHAPE_BAD_JSON;
        return;
    }
    /* Numbers are appended as text. Room for all, because fields point into the buffer. */
    if (!ac_buf_room(&response->text, FIELD_COUNT * 32))
        return;
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        bool id = FIELDS[i].place == PLACE(request_id);
        const cJSON *pascal = cJSON_GetObjectItemCaseSensitive(response->root, FIELDS[i].pascal);
        const cJSON *camel = cJSON_GetObjectItemCaseSensitive(response->root, FIELDS[i].camel);
        struct ac_str value = field_in(response, pascal, id);
        *ac_response_field(response, FIELDS[i].place) =
            value.p ? value : field_in(response, camel, id);
    }
}

static void read_xml(struct ac_response *response)
{
    struct ac_xml_field fields[FIELD_COUNT];
    for (size_t i = 0; i < FIELD_COUNT; i++)
        fields[i] = (struct ac_xml_field){.name = ac_str_of(FIELDS[i].pascal)};
    if (response->body.n > response->max_bytes ||
        !ac_xml_read(response->body, fields, FIELD_COUNT, &response->text)) {
        response->shape = AC_SHAPE_OTHER;
        return;
    }
    for (size_t i = 0; i < FIELD_COUNT; i++)
        if (ac_response_is_field(fields[i].value))
            *ac_response_field(response, FIELDS[i].place) = fields[i].value;
}

enum ac_status ac_response_read(struct ac_response *response)
{
    /* Room for three bytes (U+FFFD) in place of each byte. */
    ac_buf_init(&response->text, 3 * response->max_bytes + FIELD_COUNT * 32);
    response->shape = ac_response_shape(response->body);
    if (response->shape == AC_SHAPE_JSON)
        read_json(response);
    else if (response->shape == AC_SHAPE_XML)
        read_xml(response);
    return response->text.status == AC_NOMEM ? AC_NOMEM : AC_OK;
}

void ac_response_free(struct ac_response *response)
{
    cJSON_Delete(response->root);
    response->root = NULL;
    ac_buf_free(&response->text);
}

/* Milliseconds in at most nine digits, as seconds; else 0: a wait of over 11 days is a mistake. */
static double milliseconds(struct ac_str text)
{
    char digits[10] = {0};
    if (text.n == 0 || text.n > 9)
        return 0;
    memcpy(digits, text.p, text.n);
    return strspn(digits, "0123456789") == text.n ? strtod(digits, NULL) / 1000 : 0;
}

/* Seconds from a header such as `Limit:40,Remain:0,TimeLeft:812`, or 0. */
static double time_left(struct ac_str header)
{
    const char *digits = ac_str_find(header, AC_STR("TimeLeft:"));
    if (!digits)
        return 0;
    digits += 9;
    size_t n = 0;
    while (digits + n < header.p + header.n && digits[n] >= '0' && digits[n] <= '9')
        n++;
    return milliseconds((struct ac_str){digits, n});
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
