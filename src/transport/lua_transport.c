/* `alicloud.transport`: libcurl for Lua. Loaded when first needed, because linking libcurl takes
 * longer than everything else at the start of a process. */
#include "lua_transport.h"

#include "sys.h"

#include <math.h>

AC_EXPORT int luaopen_alicloud_transport(lua_State *L);

#define TRANSPORT_CLASS "alicloud.Transport"

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
    return check_open(L, luaL_checkudata(L, 1, TRANSPORT_CLASS));
}

/* [-1, +0, -] */
static int transport_close(lua_State *L)
{
    struct transport_box *box = luaL_checkudata(L, 1, TRANSPORT_CLASS);
    struct ac_transport *transport = box->transport;
    box->transport = NULL;
    ac_transport_free(transport);
    return 0;
}

/* [-1, +1, v]  new(options?) -> Transport. The box keeps the table alive from which the transport
 * borrows its texts. */
static int transport_new(lua_State *L)
{
    struct ac_transport_options options;
    lua_settop(L, 1);
    if (ac_sys_is_confined())
        luaL_error(L, "transport.new: a confined process opens no sockets");
    if (lua_isnil(L, 1)) {
        lua_newtable(L);
        lua_replace(L, 1);
    }
    acL_read_transport(L, &options);
    acL_keep_above(L, 1);
    struct transport_box *box = lua_newuserdatauv(L, sizeof *box, 1);
    box->transport = NULL;
    luaL_setmetatable(L, TRANSPORT_CLASS);
    lua_insert(L, -2);
    lua_setiuservalue(L, -2, 1);
    box->transport = ac_transport_new(&options);
    if (!box->transport)
        luaL_error(L, "transport.new: not enough memory or descriptors");
    return 1;
}

/* Checks that the transport is still open: a finalizer may have closed it meanwhile. */
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

/* [-0, +2, v]  submit(signed, seconds, mutating, plain_http, send_by) -> Op, done. The headers of a
 * signed request are not checked again. The request is used up even if this fails, because a nonce
 * is for one request. */
static int submit_signed(lua_State *L)
{
    lua_settop(L, 6);
    double seconds = luaL_checknumber(L, 3);
    luaL_argcheck(L, seconds >= 0 && seconds <= 86400, 3, "0 to 86400 seconds");
    struct ac_signed_box *signed_box = luaL_checkudata(L, 2, AC_SIGNED_CLASS);
    struct ac_transport_request request = {.timeout_ms = (long)ceil(seconds * 1000),
                                           .connect_timeout_ms = -1,
                                           .mutating = lua_toboolean(L, 4),
                                           .plain_http = lua_toboolean(L, 5),
                                           .send_by = luaL_optnumber(L, 6, HUGE_VAL)};
    struct acL_op *box = acL_push_op(L);
    luaL_argcheck(L, signed_box->request, 2, "it was submitted already, or closed");
    struct ac_signed_request *wire = signed_box->request;
    box->seam.request = wire;
    signed_box->request = NULL;
    request.method = wire->method;
    request.url = wire->url;
    request.body = wire->body;
    request.headers = wire->headers;
    start(L, box, &request);
    lua_pushboolean(L, box->seam.exchange->done);
    return 2;
}

/* [-2, +1, v]  transport:submit(request) -> Op */
static int transport_submit(lua_State *L)
{
    struct ac_transport_request request;
    check_transport(L);
    if (lua_type(L, 2) == LUA_TUSERDATA)
        return submit_signed(L);
    lua_settop(L, 2);
    acL_read_request(L, &request);
    acL_keep_above(L, 2);
    struct acL_op *box = acL_push_op(L);
    lua_pushvalue(L, -2);
    lua_setiuservalue(L, -2, ACL_OP_REQUEST);
    start(L, box, &request);
    return 1;
}

/* [-1, +1, v]  transport:step() -> number of operations that finished */
static int transport_step(lua_State *L)
{
    lua_pushinteger(L, ac_transport_step(check_transport(L)));
    return 1;
}

/* [-1, +1, v]  transport:ended() -> ticket of an operation that has ended, each once | nil if there
 * is none | false if the transport is closed */
static int transport_ended(lua_State *L)
{
    struct transport_box *box = luaL_checkudata(L, 1, TRANSPORT_CLASS);
    uint64_t ticket = box->transport ? ac_transport_ended(box->transport) : 0;
    if (ticket)
        lua_pushinteger(L, (lua_Integer)ticket);
    else if (box->transport)
        lua_pushnil(L);
    else
        lua_pushboolean(L, false);
    return 1;
}

/* [-2, +0, v]  transport:wait(seconds): waits at most that long, and not after step() is due */
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
    acL_set_integer(L, "requests", stats.requests);
    acL_set_integer(L, "connections", stats.connections);
    acL_set_integer(L, "reused", stats.reused);
    acL_set_integer(L, "bytes_sent", stats.bytes_sent);
    acL_set_integer(L, "bytes_received", stats.bytes_received);
    acL_set_integer(L, "in_flight", stats.in_flight);
    return 1;
}

/* [-1, +1, v] */
static int transport_tostring(lua_State *L)
{
    struct transport_box *box = luaL_checkudata(L, 1, TRANSPORT_CLASS);
    if (!box->transport)
        lua_pushliteral(L, TRANSPORT_CLASS " (closed)");
    else
        lua_pushfstring(L, TRANSPORT_CLASS " (%d in flight)",
                        (int)ac_transport_stats(box->transport).in_flight);
    return 1;
}

/* [-0, +1, m]  trust() -> { ca_file = …, ca_path = … }, the default if the caller names none */
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

/* [-1, +1, v]  log_keys(path) -> whether TLS keys are written to this file from now on */
static int transport_log_keys(lua_State *L)
{
    const char *path = acL_check_path(L, 1);
    luaL_argcheck(L, *path, 1, "a path that is not empty");
    lua_pushboolean(L, ac_transport_log_keys(path));
    return 1;
}

static const luaL_Reg FUNCTIONS[] = {{"new", transport_new},
                                     {"trust", transport_trust},
                                     {"log_keys", transport_log_keys},
                                     {NULL, NULL}};

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
    acL_check_build(L);
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
