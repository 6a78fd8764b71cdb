/* `core.read`: turns an exchange into a result, or into an error with its outcome. */
#include "codec.h"
#include "errmap.h"
#include "lua_core.h"
#include "signed_request.h"
#include "value.h"

#define WHAT "read"
#define READ_BOX "alicloud.read"

struct read_box {
    struct ac_response response;
    struct ac_error error;
};

/* [-1, +0, -] */
static int box_close(lua_State *L)
{
    struct read_box *box = lua_touserdata(L, 1);
    ac_response_free(&box->response);
    ac_errmap_free(&box->error);
    return 0;
}

void acL_read_open(lua_State *L)
{
    acL_flag_class(L);
    acL_box_class(L, READ_BOX, box_close);
}

/* [-0, +n, v]  Reads the headers on top; host transports may give values that are not strings. */
static void read_headers(lua_State *L, struct ac_response *response)
{
    int headers = lua_gettop(L);
    if (lua_type(L, headers) != LUA_TTABLE)
        return;
    for (size_t i = 0; i < AC_RESPONSE_HEADERS; i++) {
        const struct ac_response_header *known = &ac_response_header_names[i];
        struct ac_str *value = ac_response_field(response, known->place);
        int type = lua_getfield(L, headers, known->name.p);
        if (type == LUA_TSTRING || type == LUA_TNUMBER)
            value->p = lua_tolstring(L, -1, &value->n);
    }
}

/* [-0, +n, v]  Reads an exchange that is a table, as other transports give it. */
static void read_table(lua_State *L, struct ac_response *response)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    response->failure = ac_failure_named(acL_string_field(L, 1, WHAT, "failure"));
    response->detail = acL_string_field(L, 1, WHAT, "detail");
    response->body = acL_string_field(L, 1, WHAT, "body");
    lua_getfield(L, 1, "status");
    lua_Integer status = lua_tointeger(L, -1);
    response->status = status >= 0 && status <= 999 ? (int)status : 0;
    /* Only `false` says that nothing was sent; anything else counts as sent. */
    response->sent = lua_getfield(L, 1, "sent") != LUA_TBOOLEAN || lua_toboolean(L, -1);
    lua_getfield(L, 1, "headers");
    read_headers(L, response);
}

/* Reads an exchange of our own transport; its bytes stay in the transport's buffers. */
static void read_op(const struct ac_exchange_box *op, struct ac_response *response)
{
    const struct ac_exchange *exchange = op->exchange;
    response->failure = exchange->failure;
    if (exchange->failure != AC_FAILURE_NONE)
        response->detail = ac_str_of(exchange->detail);
    response->sent = exchange->sent;
    response->status = (int)exchange->status;
    if (response->status > 0)
        response->body = ac_buf_str(&exchange->body);
    ac_response_headers(response, ac_buf_str(&exchange->headers));
}

static void read_exchange(lua_State *L, struct read_box *box)
{
    struct ac_response *response = &box->response;
    if (lua_type(L, 1) == LUA_TUSERDATA) {
        struct ac_exchange_box *op = luaL_checkudata(L, 1, AC_OP_CLASS);
        acL_push_flag(L, &op->read);
        if (!op->exchange || !op->exchange->done)
            luaL_error(L, WHAT ": the operation is %s", op->exchange ? "not done yet" : "closed");
        read_op(op, response);
    } else {
        read_table(L, response);
    }
    if (response->failure == AC_FAILURE_NONE && response->status == 0)
        response->failure = AC_FAILURE_MALFORMED;
    if (ac_str_equal_nocase(response->content_encoding, AC_STR("identity")))
        response->content_encoding = (struct ac_str){0};
}

/* Takes the signed texts from a signed request; after submit() the operation owns them. */
static void read_signed(lua_State *L, struct ac_response *response)
{
    const struct ac_signed_box *box = luaL_checkudata(L, 2, AC_SIGNED_CLASS);
    const struct ac_exchange_box *op = luaL_testudata(L, 1, AC_OP_CLASS);
    const struct ac_signed_request *request = box->request ? box->request : op ? op->request : NULL;
    if (request) {
        response->string_to_sign = request->string_to_sign;
        response->canonical_request = request->canonical;
    }
}

static void read_options(lua_State *L, struct ac_response *response)
{
    static const struct acL_option names[] = {
        {"string_to_sign", ACL_TEXT, offsetof(struct ac_response, string_to_sign)},
        {"canonical_request", ACL_TEXT, offsetof(struct ac_response, canonical_request)},
        {"max_bytes", ACL_BYTES, offsetof(struct ac_response, max_bytes)},
        {0}};
    response->max_bytes = AC_MAX_BODY_BYTES;
    if (lua_type(L, 2) == LUA_TUSERDATA)
        read_signed(L, response);
    else if (!lua_isnoneornil(L, 2))
        acL_read_options(L, 2, WHAT, names, response);
}

/* [-0, +0, m]  Sets a field of the table on top, unless the text is empty. */
static void set_text(lua_State *L, const char *name, struct ac_str s)
{
    if (s.n == 0)
        return;
    acL_push_text(L, s);
    lua_setfield(L, -2, name);
}

/* [-0, +0, m]  Adds status, date and size, of any response, to the table on top. */
static void set_info(lua_State *L, const struct ac_response *response)
{
    int64_t date;
    if (response->status > 0)
        acL_set_integer(L, "status", (uint64_t)response->status);
    if (ac_codec_parse_http_date(response->date, &date))
        acL_set_integer(L, "date", (uint64_t)date);
    acL_set_integer(L, "body_bytes", response->body.n);
}

/* [-0, +0, m]  AccessDeniedDetail may be any JSON; left out if it cannot become a Lua value. */
static void set_access_denied(lua_State *L, const struct ac_response *response)
{
    struct ac_json_reader reader;
    const char *name = "AccessDeniedDetail";
    if (!cJSON_GetObjectItemCaseSensitive(response->root, name))
        name = "accessDeniedDetail";
    if (!cJSON_GetObjectItemCaseSensitive(response->root, name))
        return;
    ac_json_open(&reader, response->body, response->body.n);
    if (ac_value_push(L, &reader, false, 0)) {
        lua_getfield(L, -1, name);
        lua_setfield(L, -3, "access_denied_detail");
    }
    lua_pop(L, 1);
}

/* [-0, +2, m]  Pushes nil and the fields of the error. */
static void push_error(lua_State *L, const struct read_box *box)
{
    const struct ac_response *response = &box->response;
    const struct ac_error *error = &box->error;
    lua_pushnil(L);
    lua_createtable(L, 0, 16);
    set_text(L, "request_id",
             response->request_id.n > 0 ? response->request_id : response->header_request_id);
    set_info(L, response);
    set_text(L, "kind", ac_str_of(error->kind));
    set_text(L, "code", error->code);
    acL_push_text(L, ac_buf_str(&error->message));
    lua_setfield(L, -2, "message");
    set_text(L, "outcome", ac_str_of(ac_errmap_outcomes[error->outcome]));
    set_text(L, "retry_class", ac_str_of(ac_errmap_retries[error->retry]));
    set_text(L, "host_id", response->host_id);
    set_text(L, "recommend", response->recommend);
    set_text(L, "verdict", ac_str_of(error->verdict));
    set_text(L, "failure", ac_str_of(ac_failure_rule(response->failure)->name));
    set_text(L, "detail", response->detail);
    lua_pushboolean(L, error->retry != AC_RETRY_NEVER);
    lua_setfield(L, -2, "retryable");
    if (error->retry_after > 0) {
        lua_pushnumber(L, error->retry_after);
        lua_setfield(L, -2, "retry_after");
    }
    if (response->root)
        set_access_denied(L, response);
}

/* [-0, +0, m]  The text of a member of the result on top, which keeps it alive; {NULL, 0} if the
 * member is not a text. */
static struct ac_str text_in(lua_State *L, const char *name)
{
    struct ac_str text = {0};
    if (lua_getfield(L, -1, name) == LUA_TSTRING)
        text.p = lua_tolstring(L, -1, &text.n);
    lua_pop(L, 1);
    return ac_response_is_field(text) ? text : (struct ac_str){0};
}

/* [-0, +1, v]  Reads what is probably a success straight into a Lua value, and pushes that. Shape
 * and request id are all that ac_errmap() needs to know of a success. */
static void read_success(lua_State *L, struct ac_response *response)
{
    struct ac_json_reader reader;
    if (!ac_json_open(&reader, response->body, response->max_bytes) ||
        !ac_value_push(L, &reader, false, 0)) {
        response->shape = AC_SHAPE_BAD_JSON;
        response->why = reader.why;
        response->limit = reader.limit;
        return;
    }
    response->shape = AC_SHAPE_JSON;
    struct ac_str id = text_in(L, "RequestId");
    if (!id.p)
        id = text_in(L, "requestId");
    /* A very long number has become a string, too; then the cJSON tree tells them apart. */
    if (id.p && strspn(id.p, "-0123456789") == id.n)
        acL_check(L, ac_response_read(response), WHAT);
    else
        response->request_id = id;
}

int acL_read(lua_State *L)
{
    lua_settop(L, 2);
    luaL_checkstack(L, 50, NULL);
    struct read_box *box = acL_push_box(L, sizeof *box, READ_BOX);
    struct ac_response *response = &box->response;
    read_exchange(L, box);
    read_options(L, response);
    bool success = response->failure == AC_FAILURE_NONE && response->sent &&
                   response->status >= 200 && response->status <= 299 &&
                   response->content_encoding.n == 0;
    if (success && ac_response_shape(response->body) == AC_SHAPE_JSON)
        read_success(L, response);
    else
        acL_check(L, ac_response_read(response), WHAT);
    acL_check(L, ac_errmap(&box->error, response), WHAT);
    if (box->error.outcome != AC_ACCEPTED) {
        push_error(L, box);
        return 2;
    }
    lua_createtable(L, 0, 4);
    set_text(L, "request_id", response->request_id);
    set_info(L, response);
    return 2;
}
