#include "lua_sign.h"

#include "codec.h"
#include "lua_secret.h"
#include "sign.h"
#include "value.h"

#include <math.h>

#define WHAT "sign"
#define METHOD_MAX 15

/* What a table of options says. The bytes stay the table's: it is read raw, and from the first look
 * to the end of the signing nothing allocates in Lua, so no metamethod and no finalizer can change
 * it or close a secret meanwhile. */
struct given {
    struct ac_request request;
    struct ac_credentials credentials;
    enum ac_sign_algorithm algorithm;
    char method[METHOD_MAX + 1];
    struct ac_pair *pairs; /* of query, form and headers, one after the other */
    char (*digits)[AC_CODEC_FLOAT_BYTES];
    size_t room; /* of both */
    size_t used; /* may be more than room, and then nothing else is valid */
};

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

/* [-0, +0, v]  A flat map on top. */
static void read_map(lua_State *L, struct given *given, const char *field, struct ac_pairs *pairs)
{
    if (!lua_istable(L, -1))
        luaL_error(L, WHAT ": option '%s': table expected, got %s", field, luaL_typename(L, -1));
    *pairs = (struct ac_pairs){given->pairs + given->used, 0};
    lua_pushnil(L);
    for (; lua_next(L, -2); lua_pop(L, 1), given->used++) {
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

static void read_algorithm(lua_State *L, struct given *given)
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
static void read_method(lua_State *L, struct given *given)
{
    struct ac_str name = read_string(L, "method");
    if (name.n > METHOD_MAX)
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

static struct ac_str *text_of(struct given *given, size_t option)
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
static void read_option(lua_State *L, struct given *given, size_t option)
{
    switch (option) {
    case OPTION_ALGORITHM:
        read_algorithm(L, given);
        return;
    case OPTION_METHOD:
        read_method(L, given);
        return;
    case OPTION_QUERY:
        read_map(L, given, NAMES[option], &given->request.query);
        return;
    case OPTION_FORM:
        read_map(L, given, NAMES[option], &given->request.form);
        return;
    case OPTION_HEADERS:
        read_map(L, given, NAMES[option], &given->request.headers);
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

static void read_all(lua_State *L, struct given *given)
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

static void check_request(lua_State *L, const struct given *given)
{
    const struct ac_request *request = &given->request;
    const char *why = NULL;
    const char *field = ac_request_flaw(request, &why);
    bool rpc = given->algorithm == AC_SIGN_RPC_SHA1;
    if (field)
        luaL_error(L, WHAT ": option '%s': allowed: %s", field, why);
    if (!rpc && request->form.n > 0)
        luaL_error(L, WHAT ": option 'form' belongs to HMAC-SHA1; give 'body' instead");
    if (rpc && request->body.n > 0)
        luaL_error(L, WHAT ": option 'body': HMAC-SHA1 signs parameters; give 'form' instead");
    if ((given->credentials.access_key_id.n > 0) != (given->credentials.secret.n > 0))
        luaL_error(L, WHAT ": option 'access_key_id' and 'access_key_secret' go together");
}

static enum ac_status sign_given(struct ac_sign *sign)
{
    enum ac_status status = ac_sign_canonical(sign);
    if (status == AC_OK)
        status = ac_sign_string(sign);
    if (status == AC_OK)
        status = ac_sign_authorization(sign);
    if (status == AC_OK)
        status = ac_sign_finish(sign);
    return status;
}

#define POOL_KEY "alicloud.sign.pool"

static struct ac_sign_pool *pool_of(lua_State *L)
{
    lua_getfield(L, LUA_REGISTRYINDEX, POOL_KEY);
    struct ac_sign_pool *pool = lua_touserdata(L, -1);
    lua_pop(L, 1);
    return pool;
}

#define FEW 24

/* [-0, +1, v]  Reads the table at 1, and again with more room where the usual one is too small. */
static struct ac_wire *push_signed(lua_State *L)
{
    struct ac_pair pairs[FEW];
    char digits[FEW][AC_CODEC_FLOAT_BYTES];
    struct given given = {.pairs = pairs, .digits = digits, .room = FEW};
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    luaL_checkstack(L, 12, NULL);
    struct ac_wire_box *box = lua_newuserdatauv(L, sizeof *box, 0);
    box->wire = NULL;
    luaL_setmetatable(L, AC_WIRE_CLASS);
    for (read_all(L, &given); given.used > given.room; read_all(L, &given)) {
        given.room = given.used;
        given.pairs = lua_newuserdatauv(L, given.room * sizeof *given.pairs, 0);
        given.digits = lua_newuserdatauv(L, given.room * sizeof *given.digits, 0);
    }
    check_request(L, &given);
    struct ac_sign *sign =
        ac_sign_new(given.algorithm, &given.request, &given.credentials, acL_digest(L), pool_of(L));
    acL_check(L, sign ? AC_OK : AC_NOMEM, WHAT);
    box->wire = &sign->wire;
    acL_check(L, sign_given(sign), WHAT);
    lua_settop(L, 2);
    return box->wire;
}

int acL_signed(lua_State *L)
{
    push_signed(L);
    return 1;
}

static const struct ac_wire *check_wire(lua_State *L, const struct ac_wire_box *box)
{
    if (!box->wire)
        luaL_error(L, "the signed request is on its way and belongs to the transport");
    return box->wire;
}

/* [-0, +1, v]  Every push may run a finalizer, and that may close the request. */
static void push_headers(lua_State *L, const struct ac_wire_box *box)
{
    size_t n = check_wire(L, box)->headers.n;
    lua_createtable(L, 0, (int)n);
    for (size_t i = 0; i < n; i++) {
        acL_push_bytes(L, check_wire(L, box)->headers.v[i].name);
        acL_push_bytes(L, check_wire(L, box)->headers.v[i].value);
        lua_rawset(L, -3);
    }
}

/* The fields of a signed request that are plain text. */
static const struct {
    const char *name;
    size_t offset;
    bool always; /* even when empty */
} FIELDS[] = {{"method", offsetof(struct ac_wire, method), true},
              {"host", offsetof(struct ac_wire, host), true},
              {"url", offsetof(struct ac_wire, url), true},
              {"body", offsetof(struct ac_wire, body), false},
              {"canonical_request", offsetof(struct ac_wire, canonical), false},
              {"string_to_sign", offsetof(struct ac_wire, string_to_sign), false},
              {"signature", offsetof(struct ac_wire, signature), false},
              {"authorization", offsetof(struct ac_wire, authorization), false},
              {"signed_headers", offsetof(struct ac_wire, signed_headers), false}};
#define FIELD_COUNT (sizeof FIELDS / sizeof FIELDS[0])

/* [-0, +1, m]  Without a key nothing is signed, and the texts of the stages are nil. */
static void push_field(lua_State *L, const struct ac_wire *wire, size_t field)
{
    const struct ac_str *text =
        (const struct ac_str *)(const void *)((const char *)wire + FIELDS[field].offset);
    bool body = text == &wire->body && text->p;
    if (text->n > 0 || FIELDS[field].always || body)
        acL_push_bytes(L, *text);
    else
        lua_pushnil(L);
}

int acL_sign(lua_State *L)
{
    const struct ac_wire *wire = push_signed(L);
    lua_createtable(L, 0, FIELD_COUNT + 1);
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        push_field(L, wire, i);
        lua_setfield(L, -2, FIELDS[i].name);
    }
    push_headers(L, lua_touserdata(L, 2));
    lua_setfield(L, -2, "headers");
    return 1;
}

/* [-2, +1, v] */
static int signed_index(lua_State *L)
{
    struct ac_wire_box *box = acL_self(L, AC_WIRE_CLASS);
    const char *name = luaL_checkstring(L, 2);
    const struct ac_wire *wire = check_wire(L, box);
    if (strcmp(name, "headers") == 0) {
        push_headers(L, box);
        return 1;
    }
    for (size_t i = 0; i < FIELD_COUNT; i++)
        if (strcmp(name, FIELDS[i].name) == 0) {
            push_field(L, wire, i);
            return 1;
        }
    return 0;
}

/* [-1, +0, -] */
static int signed_gc(lua_State *L)
{
    struct ac_wire_box *box = acL_self(L, AC_WIRE_CLASS);
    struct ac_wire *wire = box->wire;
    box->wire = NULL;
    if (wire)
        wire->release(wire);
    return 0;
}

/* [-1, +0, -]  Lua frees no memory before the last finalizer has run, so that requests which are
 * collected after the pool still find it, closed. */
static int pool_gc(lua_State *L)
{
    ac_sign_pool_close(lua_touserdata(L, 1));
    return 0;
}

static void open_pool(lua_State *L)
{
    if (lua_getfield(L, LUA_REGISTRYINDEX, POOL_KEY) == LUA_TNIL) {
        struct ac_sign_pool *pool = lua_newuserdatauv(L, sizeof *pool, 0);
        *pool = (struct ac_sign_pool){0};
        lua_createtable(L, 0, 1);
        lua_pushcfunction(L, pool_gc);
        lua_setfield(L, -2, "__gc");
        lua_setmetatable(L, -2);
        lua_setfield(L, LUA_REGISTRYINDEX, POOL_KEY);
    }
    lua_pop(L, 1);
}

void acL_sign_open(lua_State *L)
{
    open_pool(L);
    const luaL_Reg metamethods[] = {
        {"__gc", signed_gc}, {"__close", signed_gc}, {"__index", signed_index}, {NULL, NULL}};
    acL_class(L, AC_WIRE_CLASS, NULL, metamethods);
}
