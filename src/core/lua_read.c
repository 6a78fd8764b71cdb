#include "lua_read.h"

#include "errmap.h"
#include "exchange.h"
#include "value.h"
#include "signed_request.h"

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
    acL_box_class(L, READ_BOX, box_close);
}

/* [-0, +1, v]  A header of the exchange; host transports may give other types than text. */
static struct ac_str header(lua_State *L, int headers, const char *name)
{
    struct ac_str value = {0};
    if (lua_type(L, headers) != LUA_TTABLE) {
        lua_pushnil(L);
        return value;
    }
    if (lua_getfield(L, headers, name) == LUA_TSTRING || lua_type(L, -1) == LUA_TNUMBER)
        value.p = lua_tolstring(L, -1, &value.n);
    return value;
}

/* [-0, +1, v] */
static int read_status(lua_State *L)
{
    int valid = 0;
    lua_getfield(L, 1, "status");
    lua_Integer status = lua_tointegerx(L, -1, &valid);
    return valid && status >= 0 && status <= 999 ? (int)status : 0;
}

/* [-0, +n, v]  An exchange as a table, from whatever transport. */
static void read_table(lua_State *L, struct ac_response *response)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    response->failure = ac_failure_named(acL_string_field(L, 1, WHAT, "failure"));
    response->detail = acL_string_field(L, 1, WHAT, "detail");
    response->body = acL_string_field(L, 1, WHAT, "body");
    response->status = read_status(L);
    /* Only a plain `false` says that nothing left: doubt counts as sent. */
    lua_getfield(L, 1, "sent");
    response->sent = !(lua_type(L, -1) == LUA_TBOOLEAN && !lua_toboolean(L, -1));
    lua_getfield(L, 1, "headers");
    int headers = lua_gettop(L);
    response->header_request_id = header(L, headers, "x-acs-request-id");
    response->retry_after = header(L, headers, "x-acs-retry-after");
    response->ratelimit_user_api = header(L, headers, "x-ratelimit-user-api");
    response->ratelimit_user = header(L, headers, "x-ratelimit-user");
    response->date = header(L, headers, "date");
    response->content_encoding = header(L, headers, "content-encoding");
}

/* The exchange of our own transport, in whose buffers everything stays. */
static void read_op(lua_State *L, const struct ac_exchange_box *op, struct ac_response *response)
{
    const struct ac_exchange *exchange = op->exchange;
    if (!exchange || !exchange->done)
        luaL_error(L, WHAT ": the operation is %s", exchange ? "not done yet" : "closed");
    response->failure = exchange->failure;
    if (exchange->failure != AC_FAILURE_NONE)
        response->detail = ac_str_of(exchange->detail);
    response->sent = exchange->sent;
    response->status = exchange->status > 0 && exchange->status <= 999 ? (int)exchange->status : 0;
    if (response->status > 0)
        response->body = ac_buf_str(&exchange->body);
    ac_response_headers(response, ac_buf_str(&exchange->headers));
}

static void read_exchange(lua_State *L, const struct ac_exchange_box *op,
                          struct ac_response *response)
{
    if (op)
        read_op(L, op, response);
    else
        read_table(L, response);
    if (response->failure == AC_FAILURE_NONE && response->status == 0)
        response->failure = AC_FAILURE_MALFORMED;
    if (ac_str_equal_nocase(response->content_encoding, AC_STR("identity")))
        response->content_encoding = (struct ac_str){0};
}

/* What a signed request says of its texts. */
static struct ac_signed read_signed(lua_State *L)
{
    const struct ac_wire_box *box = luaL_checkudata(L, 2, AC_WIRE_CLASS);
    if (!box->wire)
        return (struct ac_signed){0};
    return (struct ac_signed){box->wire->string_to_sign, box->wire->canonical};
}

static struct ac_signed read_options(lua_State *L, struct ac_json_limits *limits)
{
    static const char *const names[] = {"string_to_sign", "canonical_request", "max_bytes", NULL};
    struct ac_signed signed_text = {0};
    if (lua_isnoneornil(L, 2))
        return signed_text;
    if (lua_type(L, 2) == LUA_TUSERDATA)
        return read_signed(L);
    acL_check_options(L, 2, WHAT, names);
    limits->max_bytes = acL_bytes_field(L, 2, WHAT, "max_bytes", limits->max_bytes);
    signed_text.string_to_sign = acL_string_field(L, 2, WHAT, "string_to_sign");
    signed_text.canonical_request = acL_string_field(L, 2, WHAT, "canonical_request");
    return signed_text;
}

/* [-0, +0, m]  Sets a field of the table on top, unless empty. */
static void set_bytes(lua_State *L, const char *name, struct ac_str s)
{
    if (s.n == 0)
        return;
    acL_push_bytes(L, s);
    lua_setfield(L, -2, name);
}

/* [-0, +0, m]  What else is worth knowing about any answer, good or bad, into the table on top. */
static void set_info(lua_State *L, const struct ac_response *response)
{
    if (response->status > 0) {
        lua_pushinteger(L, response->status);
        lua_setfield(L, -2, "status");
    }
    if (response->has_date) {
        lua_pushinteger(L, response->unix_date);
        lua_setfield(L, -2, "date");
    }
    lua_pushinteger(L, (lua_Integer)response->body.n);
    lua_setfield(L, -2, "body_bytes");
}

/* [-0, +1, m]  The body as a value, or nil with json.why and json.where. */
static bool push_body(lua_State *L, struct ac_response *response, struct ac_json_limits limits)
{
    struct ac_json_reader reader;
    bool good = ac_json_open(&reader, response->body, limits) && ac_value_push(L, &reader, false);
    if (!good) {
        response->json.why = reader.why;
        response->json.where = reader.at;
    }
    return good;
}

/* [-0, +0, m]  AccessDeniedDetail may hold any JSON; what cannot be represented is left out. */
static void set_access_denied(lua_State *L, const struct ac_response *response)
{
    const cJSON *detail = ac_json_member(response->json.root, "AccessDeniedDetail");
    if (!detail)
        detail = ac_json_member(response->json.root, "accessDeniedDetail");
    if (!detail)
        return;
    struct ac_response whole = *response;
    if (push_body(L, &whole, (struct ac_json_limits){response->body.n, AC_MAX_JSON_DEPTH})) {
        lua_getfield(L, -1, detail->string);
        lua_setfield(L, -3, "access_denied_detail");
    }
    lua_pop(L, 1);
}

/* [-0, +2, m]  nil and the fields of the error. */
static void push_error(lua_State *L, const struct read_box *box)
{
    const struct ac_response *response = &box->response;
    const struct ac_error *error = &box->error;
    lua_pushnil(L);
    lua_createtable(L, 0, 16);
    set_bytes(L, "request_id", response->request_id);
    set_info(L, response);
    set_bytes(L, "kind", ac_str_of(error->kind));
    set_bytes(L, "code", error->code);
    acL_push_bytes(L, ac_buf_str(&error->message));
    lua_setfield(L, -2, "message");
    set_bytes(L, "outcome", ac_str_of(ac_errmap_outcome_name(error->outcome)));
    set_bytes(L, "retry_class", ac_str_of(ac_errmap_retry_name(error->retry)));
    set_bytes(L, "host_id", response->host_id);
    set_bytes(L, "recommend", response->recommend);
    set_bytes(L, "verdict", ac_str_of(error->verdict));
    set_bytes(L, "failure", ac_str_of(ac_failure_rule(response->failure)->name));
    set_bytes(L, "detail", response->detail);
    lua_pushboolean(L, error->retry != AC_RETRY_NEVER);
    lua_setfield(L, -2, "retryable");
    if (error->retry_after > 0) {
        lua_pushnumber(L, error->retry_after);
        lua_setfield(L, -2, "retry_after");
    }
    if (response->shape == AC_SHAPE_JSON)
        set_access_denied(L, response);
}

/* [-1, +1, m]  What is told beside a result; its id is on top. */
static void push_info(lua_State *L, const struct ac_response *response)
{
    lua_createtable(L, 0, 4);
    lua_insert(L, -2);
    lua_setfield(L, -2, "request_id");
    set_info(L, response);
}

/* [-0, +2, v]  An answer that takes more than a look: memory is held until it is judged. */
static void read_closely(lua_State *L, const struct ac_response *response)
{
    struct read_box *box = acL_push_box(L, sizeof *box, READ_BOX);
    box->response = *response;
    struct ac_json_limits limits = AC_JSON_LIMITS;
    struct ac_signed signed_text = read_options(L, &limits);
    acL_check(L, ac_response_read(&box->response, limits), WHAT);
    acL_check(L, ac_errmap(&box->error, &box->response, signed_text), WHAT);
    if (box->error.outcome == AC_ACCEPTED && push_body(L, &box->response, limits)) {
        acL_push_bytes(L, box->response.request_id);
        push_info(L, &box->response);
        return;
    }
    if (box->error.outcome == AC_ACCEPTED) {
        /* Well-formed, but two readers could disagree about it: not a proof of success. */
        box->response.shape = AC_SHAPE_BAD_JSON;
        ac_errmap_free(&box->error);
        acL_check(L, ac_errmap(&box->error, &box->response, signed_text), WHAT);
    }
    push_error(L, box);
}

/* [-0, +1, v]  The id in the result on top. False if it is none for sure: a number of many digits
 * has become text as well. */
static bool push_request_id(lua_State *L)
{
    struct ac_str id = {0};
    if (!lua_istable(L, -1))
        return false;
    lua_pushliteral(L, "RequestId");
    if (lua_rawget(L, -2) != LUA_TSTRING) {
        lua_pop(L, 1);
        lua_pushliteral(L, "requestId");
        lua_rawget(L, -2);
    }
    if (lua_type(L, -1) == LUA_TSTRING)
        id.p = lua_tolstring(L, -1, &id.n);
    return id.n > 0 && strspn(id.p, "-0123456789") < id.n;
}

/* [-0, +n, v]  What most answers are, a success: it takes no memory but that of the result, which
 * is the proof itself. */
static bool read_success(lua_State *L, struct ac_response *response)
{
    struct ac_json_limits limits = AC_JSON_LIMITS;
    if (lua_type(L, 2) != LUA_TUSERDATA)
        read_options(L, &limits);
    if (!ac_response_is_whole(response) || !push_body(L, response, limits) || !push_request_id(L))
        return false;
    ac_response_date(response);
    push_info(L, response);
    return true;
}

int acL_read(lua_State *L)
{
    struct ac_response response = {0};
    lua_settop(L, 2);
    luaL_checkstack(L, 50, NULL);
    struct ac_exchange_box *op =
        lua_type(L, 1) == LUA_TUSERDATA ? luaL_checkudata(L, 1, AC_OP_CLASS) : NULL;
    bool before = op && op->read;
    read_exchange(L, op, &response);
    struct ac_response again = response;
    int top = lua_gettop(L);
    if (op)
        op->read = true;
    if (!read_success(L, &response)) {
        lua_settop(L, top);
        read_closely(L, &again);
    }
    if (op)
        op->read = before;
    return 2;
}
