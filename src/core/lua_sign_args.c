#include "lua_sign_args.h"

#include "lua_secret.h"
#include "value.h"

#include <math.h>

#define WHAT "sign"

/* The value on top as text: integral values without a point, like the vendor's SDKs, the others
 * with the digits that read back as the same number, in every locale. */
static struct ac_str number_text(lua_State *L, char text[AC_CODEC_FLOAT_BYTES], const char *table,
                                 const char *name)
{
    double value = lua_tonumber(L, -1);
    if (!isfinite(value))
        luaL_error(L, WHAT ": %s.%s: got %f, allowed: finite numbers", table, name, value);
    if (lua_isinteger(L, -1))
        ac_codec_integer(text, lua_tointeger(L, -1));
    else if (value == floor(value) && fabs(value) < 9e18)
        ac_codec_integer(text, (int64_t)value);
    else
        ac_codec_float(text, value);
    return ac_str_of(text);
}

/* [-0, +0, v]  Booleans as the vendor's SDKs write them, null as nothing. */
static struct ac_str value_text(lua_State *L, char text[AC_CODEC_FLOAT_BYTES], const char *table,
                                const char *name)
{
    struct ac_str s = {0};
    switch (lua_type(L, -1)) {
    case LUA_TSTRING:
        s.p = lua_tolstring(L, -1, &s.n);
        return s;
    case LUA_TBOOLEAN:
        return lua_toboolean(L, -1) ? AC_STR("true") : AC_STR("false");
    case LUA_TNUMBER:
        return number_text(L, text, table, name);
    default:
        ac_value_push_null(L);
        if (!lua_rawequal(L, -1, -2))
            luaL_error(L, WHAT ": %s.%s: got a %s, allowed: string, number, boolean", table, name,
                       luaL_typename(L, -2));
        lua_pop(L, 1);
        return AC_STR("");
    }
}

void acL_given_map(lua_State *L, struct acL_given *given, int index, const char *field,
                   struct ac_pairs *pairs)
{
    if (!lua_istable(L, index))
        luaL_error(L, WHAT ": option '%s': table expected, got %s", field, luaL_typename(L, index));
    *pairs = (struct ac_pairs){given->pairs + given->used, 0};
    lua_pushnil(L);
    for (; lua_next(L, index); lua_pop(L, 1), given->used++) {
        if (lua_type(L, -2) != LUA_TSTRING)
            luaL_error(L, WHAT ": %s: names are strings, got a %s", field, luaL_typename(L, -2));
        if (given->used >= given->room)
            continue;
        struct ac_pair *pair = &pairs->v[pairs->n++];
        pair->name.p = lua_tolstring(L, -2, &pair->name.n);
        pair->value = value_text(L, given->digits[given->used], field, pair->name.p);
    }
}

static struct ac_str read_string(lua_State *L, const char *field)
{
    struct ac_str s;
    if (lua_type(L, -1) != LUA_TSTRING)
        luaL_error(L, WHAT ": option '%s': string expected, got %s", field, luaL_typename(L, -1));
    s.p = lua_tolstring(L, -1, &s.n);
    return s;
}

static void read_algorithm(lua_State *L, struct acL_given *given)
{
    struct ac_str name = read_string(L, "algorithm");
    for (int i = 0; i < AC_SIGN_COUNT; i++)
        if (ac_str_equal(name, ac_str_of(ac_sign_algorithm_name((enum ac_sign_algorithm)i)))) {
            given->algorithm = (enum ac_sign_algorithm)i;
            return;
        }
    luaL_error(L,
               WHAT ": option 'algorithm': got \"%s\", allowed: ACS3-HMAC-SHA256, ACS3-HMAC-SM3, "
                    "HMAC-SHA1",
               name.p);
}

/* Methods are case-sensitive on the wire and signed in upper case. */
static void read_method(lua_State *L, struct acL_given *given)
{
    struct ac_str name = read_string(L, "method");
    if (name.n > ACL_METHOD_MAX)
        luaL_error(L, WHAT ": option 'method': allowed: letters only, such as GET or POST");
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        given->method[i] = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
    }
    given->request.method = (struct ac_str){given->method, name.n};
}

enum option {
    OPTION_ALGORITHM,
    OPTION_METHOD,
    OPTION_QUERY,
    OPTION_FORM,
    OPTION_HEADERS,
    OPTION_SECRET,
    OPTION_TOKEN,
    OPTION_TEXT /* from here on plain strings */
};

static const char *const NAMES[] = {
    "algorithm",      "method",  "query",         "form", "headers", "access_key_secret",
    "security_token", "scheme",  "host",          "path", "body",    "payload_hash",
    "action",         "version", "access_key_id", "date", "nonce",   NULL};

static struct ac_str *text_of(struct acL_given *given, size_t option)
{
    struct ac_request *request = &given->request;
    struct ac_str *const texts[] = {&request->scheme,       &request->host,
                                    &request->path,         &request->body,
                                    &request->payload_hash, &request->action,
                                    &request->version,      &given->credentials.access_key_id,
                                    &request->date,         &request->nonce};
    return texts[option - OPTION_TEXT];
}

static size_t option_of(struct ac_str name)
{
    static const unsigned char lengths[] = {9, 6, 5, 4, 7, 17, 14, 6, 4, 4, 4, 12, 6, 7, 13, 4, 5};
    size_t i = 0;
    while (NAMES[i] && (lengths[i] != name.n || memcmp(NAMES[i], name.p, name.n) != 0))
        i++;
    return i;
}

/* [-0, +0, v]  The option whose value is on top. */
static void read_option(lua_State *L, struct acL_given *given, size_t option)
{
    switch (option) {
    case OPTION_ALGORITHM:
        read_algorithm(L, given);
        return;
    case OPTION_METHOD:
        read_method(L, given);
        return;
    case OPTION_QUERY:
        acL_given_map(L, given, lua_gettop(L), NAMES[option], &given->request.query);
        return;
    case OPTION_FORM:
        acL_given_map(L, given, lua_gettop(L), NAMES[option], &given->request.form);
        return;
    case OPTION_HEADERS:
        acL_given_map(L, given, lua_gettop(L), NAMES[option], &given->request.headers);
        return;
    case OPTION_SECRET:
        given->credentials.secret = acL_secret_bytes(L, -1, WHAT, NAMES[option]);
        return;
    case OPTION_TOKEN:
        given->credentials.security_token = acL_secret_bytes(L, -1, WHAT, NAMES[option]);
        return;
    default:
        *text_of(given, option) = read_string(L, NAMES[option]);
    }
}

void acL_given_read(lua_State *L, struct acL_given *given)
{
    given->used = 0;
    given->algorithm = AC_SIGN_ACS3_SHA256;
    given->credentials = (struct ac_credentials){0};
    given->request = (struct ac_request){.method = AC_STR("POST"), .scheme = AC_STR("https")};
    lua_pushnil(L);
    for (; lua_next(L, 1); lua_pop(L, 1)) {
        struct ac_str name = {0};
        if (lua_type(L, -2) == LUA_TSTRING)
            name.p = lua_tolstring(L, -2, &name.n);
        size_t option = option_of(name);
        if (!NAMES[option])
            acL_check_options(L, 1, WHAT, NAMES); /* raises */
        read_option(L, given, option);
    }
}

void acL_given_date(lua_State *L, int index, char text[21])
{
    lua_Number when = floor(luaL_checknumber(L, index));
    luaL_argcheck(L, when >= -62167219200.0 && when <= 253402300799.0, index, "years 0 to 9999");
    ac_codec_iso8601(text, (int64_t)when);
}

void acL_given_check_fields(lua_State *L, const struct acL_given *given)
{
    const char *why = NULL;
    const char *field = ac_request_flaw(&given->request, &why);
    if (field)
        luaL_error(L, WHAT ": option '%s': allowed: %s", field, why);
}

/* [-0, +0, v]  Both travel in headers, where a line break would begin another one. */
static void check_words(lua_State *L, const char *field, struct ac_str value)
{
    if (ac_str_has_control(value))
        luaL_error(L, WHAT ": option '%s': allowed: no control characters", field);
}

void acL_given_check_parts(lua_State *L, const struct acL_given *given)
{
    const struct ac_request *request = &given->request;
    bool rpc = given->algorithm == AC_SIGN_RPC_SHA1;
    if (!rpc && request->form.n > 0)
        luaL_error(L, WHAT ": option 'form' belongs to HMAC-SHA1; give 'body' instead");
    if (rpc && request->body.n > 0)
        luaL_error(L, WHAT ": option 'body': HMAC-SHA1 signs parameters; give 'form' instead");
    if ((given->credentials.access_key_id.n > 0) != (given->credentials.secret.n > 0))
        luaL_error(L, WHAT ": option 'access_key_id' and 'access_key_secret' go together");
    check_words(L, "access_key_id", given->credentials.access_key_id);
    check_words(L, "security_token", given->credentials.security_token);
}

bool acL_given_grow(lua_State *L, struct acL_given *given)
{
    if (given->used <= given->room)
        return false;
    given->room = given->used;
    given->pairs = lua_newuserdatauv(L, given->room * sizeof *given->pairs, 0);
    given->digits = lua_newuserdatauv(L, given->room * sizeof *given->digits, 0);
    return true;
}
