/* `alicloud.transport`: the wire as userdata. Loaded when first needed, because linking libcurl
 * costs more than everything else that a start does. */
#include "header.h"
#include "lua_op.h"
#include "lua_options.h"
#include "luax.h"
#include "sys.h"
#include "transport.h"
#include "signed_request.h"

#include <math.h>
#include <stdlib.h>

AC_EXPORT int luaopen_alicloud_transport(lua_State *L);

#define TRANSPORT_CLASS "alicloud.Transport"
#define DEFAULT_TOTAL_MS 10000

struct transport_box {
    struct ac_transport *transport;
};

static struct ac_transport *check_open(lua_State *L, const struct transport_box *box)
{
    if (!box->transport)
        luaL_error(L, "the transport is closed");
    return box->transport;
}

static struct ac_transport *check_transport(lua_State *L)
{
    return check_open(L, acL_self(L, TRANSPORT_CLASS));
}

/* [-1, +0, -] */
static int transport_close(lua_State *L)
{
    struct transport_box *box = acL_self(L, TRANSPORT_CLASS);
    struct ac_transport *transport = box->transport;
    box->transport = NULL;
    ac_transport_free(transport);
    return 0;
}

/* [-1, +1, v]  new(options?) -> Transport */
static int transport_new(lua_State *L)
{
    struct ac_transport_options options = {0};
    lua_settop(L, 1);
    if (lua_isnil(L, 1)) {
        lua_newtable(L);
        lua_replace(L, 1);
    }
    long connect_ms = acL_read_settings(L, &options);

    struct transport_box *box = lua_newuserdatauv(L, sizeof *box, 1);
    box->transport = NULL;
    luaL_setmetatable(L, TRANSPORT_CLASS);
    lua_pushinteger(L, connect_ms);
    lua_setiuservalue(L, -2, 1);
    box->transport = ac_transport_new(&options);
    if (!box->transport)
        luaL_error(L, "transport.new: not enough memory or descriptors");
    return 1;
}

/* [-0, +1, v]  Pushes "name: value" and refuses what would become another header. */
static struct ac_str push_header_line(lua_State *L, int name, int value)
{
    struct ac_str line, key, content;
    if (lua_type(L, name) != LUA_TSTRING || lua_type(L, value) != LUA_TSTRING)
        luaL_error(L, "submit: headers map strings to strings");
    key.p = lua_tolstring(L, name, &key.n);
    content.p = lua_tolstring(L, value, &content.n);
    const char *flaw = ac_header_flaw(key, content);
    if (flaw)
        luaL_error(L, "submit: header '%s': %s", key.p, flaw);
    content = ac_header_trim(content);
    lua_pushvalue(L, name);
    lua_pushliteral(L, ": ");
    acL_push_bytes(L, content);
    lua_concat(L, 3);
    line.p = lua_tolstring(L, -1, &line.n);
    return line;
}

static bool names_host(struct ac_str line)
{
    return line.n >= 5 && ac_str_equal_nocase((struct ac_str){line.p, 5}, AC_STR("host:"));
}

/* [-0, +3, v]  The lines take the places of the values in the snapshot, which keeps them alive. */
static void read_headers(lua_State *L, struct ac_transport_request *request)
{
    if (lua_getfield(L, 2, "headers") == LUA_TNIL)
        return;
    if (!lua_istable(L, -1))
        luaL_error(L, "submit: option 'headers': table expected, got %s", luaL_typename(L, -1));
    size_t n = acL_snapshot(L, -1);
    int kept = lua_gettop(L);
    struct ac_str *lines = lua_newuserdatauv(L, (n ? n : 1) * sizeof *lines, 0);
    int hosts = 0;
    for (size_t i = 0; i < n; i++) {
        lua_Integer at = 2 * (lua_Integer)i + 1;
        lua_rawgeti(L, kept, at);
        lua_rawgeti(L, kept, at + 1);
        lines[i] = push_header_line(L, lua_gettop(L) - 1, lua_gettop(L));
        lua_rawseti(L, kept, at + 1);
        lua_pop(L, 2);
        hosts += names_host(lines[i]);
    }
    /* Servers on the way could disagree about whose request it is. */
    if (hosts > 1)
        luaL_error(L, "submit: header 'host': given in two spellings");
    request->headers = lines;
    request->header_count = n;
}

static void check_text(lua_State *L, const char *field, struct ac_str s)
{
    if (s.n == 0)
        luaL_error(L, "submit: option '%s' is missing", field);
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= 0x20 || (unsigned char)s.p[i] >= 0x7f)
            luaL_error(L, "submit: option '%s' holds a byte that is not printable ASCII", field);
}

static void read_request(lua_State *L, struct ac_transport_request *request)
{
    static const char *const names[] = {"method",   "url",        "headers",
                                        "body",     "timeout",    "connect_timeout",
                                        "mutating", "plain_http", NULL};
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 2);
    luaL_checkstack(L, 20, NULL);
    acL_check_options(L, 2, "submit", names);
    lua_getiuservalue(L, 1, 1);
    long connect_ms = (long)lua_tointeger(L, -1);
    request->method = acL_string_field(L, 2, "submit", "method");
    request->url = acL_string_field(L, 2, "submit", "url");
    request->body = acL_string_field(L, 2, "submit", "body");
    request->timeout_ms = acL_seconds_field(L, 2, "submit", "timeout", DEFAULT_TOTAL_MS);
    request->connect_timeout_ms = acL_seconds_field(L, 2, "submit", "connect_timeout", connect_ms);
    request->mutating = acL_boolean_field(L, 2, "submit", "mutating");
    request->plain_http = acL_boolean_field(L, 2, "submit", "plain_http");
    check_text(L, "method", request->method);
    check_text(L, "url", request->url);
    /* To libcurl 0 means "for ever"; to us it means "at once". */
    request->timeout_ms = request->timeout_ms > 0 ? request->timeout_ms : 1;
    request->connect_timeout_ms = request->connect_timeout_ms > 0 ? request->connect_timeout_ms : 1;
    read_headers(L, request);
}

/* The transport is asked for again, because a metamethod or a finalizer may have closed it. */
static void start(lua_State *L, struct acL_op *box, const struct ac_transport_request *request)
{
    const char *flaw = ac_transport_flaw(request);
    if (flaw)
        luaL_error(L, "submit: %s", flaw);
    box->op = ac_transport_submit(check_open(L, lua_touserdata(L, 1)), request);
    if (!box->op)
        luaL_error(L, "submit: not enough memory or descriptors");
    box->seam.exchange = ac_op_exchange(box->op);
}

#define LINES_MAX 64

/* [-0, +1, v]  What the core signed, whose lines are ready; only many need memory, and making that
 * may run a finalizer which closes the request. */
static void read_signed(lua_State *L, const struct ac_signed_box *box, struct ac_str *lines,
                        struct ac_transport_request *request)
{
    luaL_argcheck(L, box->wire, 2, "it is closed");
    size_t n = box->wire->headers.n;
    if (n > LINES_MAX)
        lines = lua_newuserdatauv(L, n * sizeof *lines, 0);
    luaL_argcheck(L, box->wire, 2, "it is closed");
    const struct ac_signed_request *wire = box->wire;
    request->method = wire->method;
    request->url = wire->url;
    request->body = wire->body;
    for (size_t i = 0; i < n; i++) {
        const struct ac_pair *header = &wire->headers.v[i];
        lines[i] = (struct ac_str){header->name.p, header->name.n + 2 + header->value.n};
    }
    request->headers = lines;
    request->header_count = n;
}

/* [-0, +2, v]  submit(signed, seconds, mutating, plain_http) -> Op, done: what the core signed
 * needs no look. */
static int submit_signed(lua_State *L)
{
    struct ac_str lines[LINES_MAX];
    lua_settop(L, 5);
    double seconds = luaL_checknumber(L, 3);
    luaL_argcheck(L, seconds >= 0 && seconds <= 86400, 3, "0 to 86400 seconds");
    lua_getiuservalue(L, 1, 1);
    long connect_ms = (long)lua_tointeger(L, -1), total_ms = (long)ceil(seconds * 1000);
    struct ac_transport_request request = {.timeout_ms = total_ms > 0 ? total_ms : 1,
                                           .connect_timeout_ms = connect_ms > 0 ? connect_ms : 1,
                                           .mutating = lua_toboolean(L, 4),
                                           .plain_http = lua_toboolean(L, 5)};
    const struct ac_signed_box *signed_box = luaL_checkudata(L, 2, AC_SIGNED_CLASS);
    struct acL_op *box = acL_push_op(L);
    read_signed(L, signed_box, lines, &request);
    start(L, box, &request);
    lua_settop(L, 7);
    lua_pushboolean(L, ac_op_done(box->op));
    return 2;
}

/* [-2, +1, v]  transport:submit(request) -> Op */
static int transport_submit(lua_State *L)
{
    struct ac_transport_request request = {0};
    check_transport(L);
    if (lua_type(L, 2) == LUA_TUSERDATA)
        return submit_signed(L);
    read_request(L, &request);
    start(L, acL_push_op(L), &request);
    return 1;
}

/* [-1, +1, v]  transport:step() -> number of operations that finished */
static int transport_step(lua_State *L)
{
    lua_pushinteger(L, ac_transport_step(check_transport(L)));
    return 1;
}

/* [-1, +1, v]  transport:ended() -> ticket of an operation that has ended since, each once | nil,
 * or false when the transport is closed */
static int transport_ended(lua_State *L)
{
    struct transport_box *box = acL_self(L, TRANSPORT_CLASS);
    uint64_t ticket = box->transport ? ac_transport_ended(box->transport) : 0;
    if (ticket)
        lua_pushinteger(L, (lua_Integer)ticket);
    else if (box->transport)
        lua_pushnil(L);
    else
        lua_pushboolean(L, false);
    return 1;
}

/* [-2, +0, v]  transport:wait(seconds): at most so long, and not longer than step() is due */
static int transport_wait(lua_State *L)
{
    struct ac_transport *transport = check_transport(L);
    lua_Number seconds = luaL_checknumber(L, 2);
    luaL_argcheck(L, seconds >= 0 && seconds <= 86400, 2, "0 to 86400 seconds");
    ac_transport_wait(transport, (int)ceil(seconds * 1000));
    return 0;
}

/* [-1, +1, v]  transport:pollfd() -> descriptor */
static int transport_pollfd(lua_State *L)
{
    lua_pushinteger(L, ac_transport_fd(check_transport(L)));
    return 1;
}

/* [-1, +1, v]  transport:events() -> "r" */
static int transport_events(lua_State *L)
{
    check_transport(L);
    lua_pushliteral(L, "r");
    return 1;
}

/* [-1, +1, v]  transport:timeout() -> seconds until step() is due, or nil */
static int transport_timeout(lua_State *L)
{
    long ms = ac_transport_timeout_ms(check_transport(L));
    if (ms < 0)
        return 0;
    lua_pushnumber(L, (lua_Number)ms / 1000);
    return 1;
}

/* [-1, +1, v]  transport:stats() -> { requests, connections, reused, bytes_sent, bytes_received,
 * in_flight } */
static int transport_stats(lua_State *L)
{
    struct ac_transport_stats stats = ac_transport_stats(check_transport(L));
    lua_createtable(L, 0, 6);
    acL_set_count(L, "requests", stats.requests);
    acL_set_count(L, "connections", stats.connections);
    acL_set_count(L, "reused", stats.reused);
    acL_set_count(L, "bytes_sent", stats.bytes_sent);
    acL_set_count(L, "bytes_received", stats.bytes_received);
    acL_set_count(L, "in_flight", stats.in_flight);
    return 1;
}

/* [-1, +1, v] */
static int transport_tostring(lua_State *L)
{
    struct transport_box *box = acL_self(L, TRANSPORT_CLASS);
    if (!box->transport)
        lua_pushliteral(L, TRANSPORT_CLASS " (closed)");
    else
        lua_pushfstring(L, TRANSPORT_CLASS " (%d in flight)",
                        (int)ac_transport_stats(box->transport).in_flight);
    return 1;
}

/* [-0, +1, m]  trust() -> { ca_file = …, ca_path = … } as used where the caller names none */
static int transport_trust(lua_State *L)
{
    struct ac_transport_trust trust = ac_transport_trust();
    lua_createtable(L, 0, 2);
    lua_pushstring(L, trust.ca_file);
    lua_setfield(L, -2, "ca_file");
    lua_pushstring(L, trust.ca_path);
    lua_setfield(L, -2, "ca_path");
    return 1;
}

static const luaL_Reg FUNCTIONS[] = {
    {"new", transport_new}, {"trust", transport_trust}, {NULL, NULL}};

static void open_classes(lua_State *L)
{
    const luaL_Reg transport_methods[] = {
        {"submit", transport_submit},   {"wait", transport_wait},
        {"ended", transport_ended},     {"step", transport_step},
        {"pollfd", transport_pollfd},   {"events", transport_events},
        {"timeout", transport_timeout}, {"stats", transport_stats},
        {"close", transport_close},     {NULL, NULL}};
    const luaL_Reg transport_metamethods[] = {{"__gc", transport_close},
                                              {"__close", transport_close},
                                              {"__tostring", transport_tostring},
                                              {NULL, NULL}};
    acL_class(L, TRANSPORT_CLASS, transport_methods, transport_metamethods);
    acL_op_class(L);
}

int luaopen_alicloud_transport(lua_State *L)
{
    char version[96];
    luaL_checkversion(L);
    ac_sys_pin((const void *)FUNCTIONS);
    const char *lack = ac_transport_init();
    if (lack)
        luaL_error(L, "alicloud.transport: %s", lack);
    open_classes(L);
    luaL_newlib(L, FUNCTIONS);
    ac_transport_library(version);
    lua_pushstring(L, version);
    lua_setfield(L, -2, "version");
    return 1;
}
