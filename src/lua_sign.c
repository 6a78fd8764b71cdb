#include "lua_sign.h"

#include "codec.h"
#include "header.h"
#include "lua_secret.h"
#include "sign.h"
#include "value.h"

#include <math.h>

#define WHAT "sign"
#define SIGN_BOX "alicloud.sign"

/* [-1, +0, -] */
static int box_close(lua_State *L)
{
    ac_sign_free(lua_touserdata(L, 1));
    return 0;
}

void acL_sign_open(lua_State *L)
{
    acL_box_class(L, SIGN_BOX, box_close);
}

/* [-1, +1, v]  The number on top as text: integral values without a point, like the vendor's SDKs,
 * the others with the digits that read back as the same number, in every locale. */
static void number_to_text(lua_State *L, const char *table, const char *name)
{
    char text[AC_CODEC_FLOAT_BYTES];
    double value = lua_tonumber(L, -1);
    if (!isfinite(value))
        luaL_error(L, WHAT ": %s.%s: got %f, allowed: finite numbers", table, name, value);
    if (!lua_isinteger(L, -1) && !(value == floor(value) && fabs(value) < 9e18)) {
        ac_codec_float(text, value);
        lua_pushstring(L, text);
    } else {
        lua_pushinteger(L, lua_isinteger(L, -1) ? lua_tointeger(L, -1) : (lua_Integer)value);
        lua_tostring(L, -1);
    }
    lua_replace(L, -2);
}

/* [-1, +1, v]  The value on top as text: booleans as the vendor's SDKs write them, null as
 * nothing. */
static struct ac_str as_text(lua_State *L, const char *table, const char *name)
{
    struct ac_str s = {0};
    switch (lua_type(L, -1)) {
    case LUA_TSTRING:
        break;
    case LUA_TBOOLEAN:
        lua_pushstring(L, lua_toboolean(L, -1) ? "true" : "false");
        lua_replace(L, -2);
        break;
    case LUA_TNUMBER:
        number_to_text(L, table, name);
        break;
    default:
        ac_value_push_null(L);
        if (!lua_rawequal(L, -1, -2))
            luaL_error(L, WHAT ": %s.%s: got a %s, allowed: string, number, boolean", table, name,
                       luaL_typename(L, -2));
        lua_pop(L, 2);
        lua_pushliteral(L, "");
    }
    s.p = lua_tolstring(L, -1, &s.n);
    return s;
}

/* [-0, +3, v]  Reads a flat map into an array. The snapshot keeps its bytes alive. */
static struct ac_pairs read_map(lua_State *L, int index, const char *field)
{
    struct ac_pairs pairs = {0};
    int type = lua_getfield(L, index, field);
    if (type != LUA_TNIL && type != LUA_TTABLE)
        luaL_error(L, WHAT ": option '%s': table expected, got %s", field, luaL_typename(L, -1));
    if (type == LUA_TNIL)
        return pairs;
    size_t n = acL_snapshot(L, -1);
    int kept = lua_gettop(L);
    pairs.v = lua_newuserdatauv(L, (n ? n : 1) * sizeof *pairs.v, 0);
    for (; pairs.n < n; pairs.n++) {
        lua_Integer at = 2 * (lua_Integer)pairs.n + 1;
        struct ac_pair *pair = &pairs.v[pairs.n];
        if (lua_rawgeti(L, kept, at) != LUA_TSTRING)
            luaL_error(L, WHAT ": %s: names are strings, got a %s", field, luaL_typename(L, -1));
        pair->name.p = lua_tolstring(L, -1, &pair->name.n);
        lua_rawgeti(L, kept, at + 1);
        pair->value = as_text(L, field, pair->name.p);
        lua_rawseti(L, kept, at + 1);
        lua_pop(L, 1);
    }
    return pairs;
}

static enum ac_sign_algorithm read_algorithm(lua_State *L)
{
    struct ac_str name = acL_string_field(L, 1, WHAT, "algorithm");
    if (!name.p)
        return AC_SIGN_ACS3_SHA256;
    for (int i = 0; i < AC_SIGN_COUNT; i++)
        if (ac_str_equal(name, ac_str_of(ac_sign_algorithm_name((enum ac_sign_algorithm)i))))
            return (enum ac_sign_algorithm)i;
    luaL_error(L,
               WHAT ": option 'algorithm': got \"%s\", allowed: ACS3-HMAC-SHA256, ACS3-HMAC-SM3, "
                    "HMAC-SHA1",
               name.p);
    return AC_SIGN_COUNT;
}

/* [-0, +1, v]  Methods are case-sensitive on the wire and signed in upper case. */
static struct ac_str read_method(lua_State *L)
{
    luaL_Buffer upper;
    struct ac_str method = acL_string_field(L, 1, WHAT, "method");
    if (!method.p)
        return AC_STR("POST");
    char *p = luaL_buffinitsize(L, &upper, method.n);
    for (size_t i = 0; i < method.n; i++) {
        char c = method.p[i];
        p[i] = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
    }
    luaL_pushresultsize(&upper, method.n);
    method.p = lua_tostring(L, -1);
    return method;
}

static void read_request(lua_State *L, struct ac_request *request)
{
    request->method = read_method(L);
    request->scheme = acL_string_field(L, 1, WHAT, "scheme");
    request->host = acL_string_field(L, 1, WHAT, "host");
    request->path = acL_string_field(L, 1, WHAT, "path");
    request->body = acL_string_field(L, 1, WHAT, "body");
    request->payload_hash = acL_string_field(L, 1, WHAT, "payload_hash");
    request->action = acL_string_field(L, 1, WHAT, "action");
    request->version = acL_string_field(L, 1, WHAT, "version");
    request->date = acL_string_field(L, 1, WHAT, "date");
    request->nonce = acL_string_field(L, 1, WHAT, "nonce");
    request->query = read_map(L, 1, "query");
    request->form = read_map(L, 1, "form");
    request->headers = read_map(L, 1, "headers");
    if (!request->scheme.p)
        request->scheme = AC_STR("https");
}

/* The secrets are borrowed last: reading options may run metamethods, and allocating finalizers,
 * that close them. From here to the end of the signing neither can run. */
static struct ac_credentials borrow_credentials(lua_State *L, struct ac_str access_key_id,
                                                int secret, int security_token)
{
    struct ac_credentials credentials = {.access_key_id = access_key_id};
    credentials.secret = acL_secret_bytes(L, secret, WHAT, "access_key_secret");
    credentials.security_token = acL_secret_bytes(L, security_token, WHAT, "security_token");
    return credentials;
}

static void check_request(lua_State *L, const struct ac_request *request,
                          enum ac_sign_algorithm algorithm,
                          const struct ac_credentials *credentials)
{
    const char *why = NULL;
    const char *field = ac_request_flaw(request, &why);
    if (field)
        luaL_error(L, WHAT ": option '%s': allowed: %s", field, why);
    if (algorithm != AC_SIGN_RPC_SHA1 && request->form.n > 0)
        luaL_error(L, WHAT ": option 'form' belongs to HMAC-SHA1; give 'body' instead");
    if (algorithm == AC_SIGN_RPC_SHA1 && request->body.n > 0)
        luaL_error(L, WHAT ": option 'body': HMAC-SHA1 signs parameters; give 'form' instead");
    if ((credentials->access_key_id.n > 0) != (credentials->secret.n > 0))
        luaL_error(L, WHAT ": option 'access_key_id' and 'access_key_secret' go together");
}

/* [-0, +0, m]  Sets field `name` of the table on top. */
static void set_bytes(lua_State *L, const char *name, struct ac_str s)
{
    acL_push_bytes(L, s);
    lua_setfield(L, -2, name);
}

/* [-0, +1, m] */
static void push_headers(lua_State *L, const struct ac_sign *sign)
{
    lua_createtable(L, 0, (int)sign->headers.n + 1);
    for (size_t i = 0; i < sign->headers.n; i++) {
        acL_push_bytes(L, sign->headers.v[i].name);
        acL_push_bytes(L, sign->headers.v[i].value);
        lua_rawset(L, -3);
    }
    if (sign->authorization.n > 0)
        set_bytes(L, "authorization", ac_buf_str(&sign->authorization));
}

static struct ac_str final_host(const struct ac_request *request)
{
    const struct ac_pair *given = ac_request_header(request, "host");
    return given ? ac_header_trim(given->value) : request->host;
}

/* [-0, +1, m]  Without a key nothing is signed, and the texts of the stages stay nil. */
static void push_result(lua_State *L, const struct ac_sign *sign)
{
    const struct ac_request *request = sign->request;
    lua_createtable(L, 0, 12);
    set_bytes(L, "method", request->method);
    set_bytes(L, "host", final_host(request));
    set_bytes(L, "url", ac_buf_str(&sign->url));
    push_headers(L, sign);
    lua_setfield(L, -2, "headers");
    if (sign->algorithm == AC_SIGN_RPC_SHA1)
        set_bytes(L, "body", ac_buf_str(&sign->body));
    else if (request->body.p)
        set_bytes(L, "body", request->body);
    if (sign->credentials->access_key_id.n == 0)
        return;
    set_bytes(L, "canonical_request", ac_buf_str(&sign->canonical));
    set_bytes(L, "string_to_sign", ac_buf_str(&sign->string_to_sign));
    set_bytes(L, "signature", ac_buf_str(&sign->signature));
    if (sign->authorization.n > 0) {
        set_bytes(L, "authorization", ac_buf_str(&sign->authorization));
        set_bytes(L, "signed_headers", ac_buf_str(&sign->signed_headers));
    }
}

int acL_sign(lua_State *L)
{
    static const char *const options[] = {"algorithm",     "method",
                                          "scheme",        "host",
                                          "path",          "query",
                                          "form",          "headers",
                                          "body",          "payload_hash",
                                          "action",        "version",
                                          "access_key_id", "access_key_secret",
                                          "date",          "security_token",
                                          "nonce",         NULL};
    struct ac_request request = {0};
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    luaL_checkstack(L, 40, NULL);
    acL_check_options(L, 1, WHAT, options);
    enum ac_sign_algorithm algorithm = read_algorithm(L);
    read_request(L, &request);
    struct ac_str access_key_id = acL_string_field(L, 1, WHAT, "access_key_id");
    lua_getfield(L, 1, "access_key_secret");
    lua_getfield(L, 1, "security_token");
    int token = lua_gettop(L);
    struct ac_sign *sign = acL_push_box(L, sizeof *sign, SIGN_BOX);
    struct ac_credentials credentials = borrow_credentials(L, access_key_id, token - 1, token);
    check_request(L, &request, algorithm, &credentials);
    ac_sign_init(sign, algorithm, &request, &credentials, acL_digest(L));
    enum ac_status status = ac_sign_canonical(sign);
    if (status == AC_OK)
        status = ac_sign_string(sign);
    if (status == AC_OK)
        status = ac_sign_authorization(sign);
    acL_check(L, status, WHAT);
    push_result(L, sign);
    return 1;
}
