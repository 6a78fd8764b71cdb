#include "lua_options.h"

#include "trust.h"

#define WHAT "transport.new"
#define DEFAULT_CONNECT_MS 5000

/* [-0, +1, v]  A string for libcurl: an empty one would mean its default, a NUL would cut it. */
static struct ac_str text_field(lua_State *L, const char *name)
{
    struct ac_str text = acL_string_field(L, 1, WHAT, name);
    if (text.p && (text.n == 0 || ac_str_has_control(text)))
        luaL_error(L, WHAT ": option '%s': allowed: text without control characters, not empty",
                   name);
    return text;
}

static int refuse_pin(lua_State *L, const char *host)
{
    return luaL_error(L, WHAT ": option 'resolve': host '%s': allowed: a list of addresses", host);
}

/* [-0, +1, v]  The list on top as libcurl wants it, "a,b". */
static struct ac_str join_addresses(lua_State *L, const char *host)
{
    struct ac_str joined;
    luaL_Buffer text;
    int list = lua_gettop(L);
    lua_Integer n = lua_istable(L, list) ? (lua_Integer)lua_rawlen(L, list) : 0;
    if (n == 0)
        refuse_pin(L, host);
    luaL_buffinit(L, &text);
    for (lua_Integer i = 1; i <= n; i++) {
        if (i > 1)
            luaL_addchar(&text, ',');
        if (lua_rawgeti(L, list, i) != LUA_TSTRING)
            refuse_pin(L, host);
        luaL_addvalue(&text);
    }
    luaL_pushresult(&text);
    joined.p = lua_tolstring(L, -1, &joined.n);
    if (ac_str_has_control(joined))
        refuse_pin(L, host);
    return joined;
}

/* [-0, +1, v]  A host of the option resolve. */
static struct ac_str host_at(lua_State *L, int snapshot, lua_Integer at)
{
    struct ac_str host = {0};
    if (lua_rawgeti(L, snapshot, at) == LUA_TSTRING)
        host.p = lua_tolstring(L, -1, &host.n);
    if (host.n == 0 || ac_str_has_control(host))
        luaL_error(L, WHAT ": option 'resolve': a host is not text without control characters");
    /* Plain HTTP may go there because it does not leave the machine. */
    if (ac_host_is_loopback(host))
        luaL_error(L, WHAT ": option 'resolve': host '%s' is this machine", host.p);
    return host;
}

/* [-0, +3, v]  The joined addresses take the places of the lists in the snapshot, which keeps them
 * and the names alive. */
static void read_pins(lua_State *L, struct ac_transport_options *options)
{
    if (lua_getfield(L, 1, "resolve") == LUA_TNIL)
        return;
    if (!lua_istable(L, -1))
        luaL_error(L, WHAT ": option 'resolve': table expected, got %s", luaL_typename(L, -1));
    size_t n = acL_snapshot(L, -1);
    int kept = lua_gettop(L);
    struct ac_pin *pins = lua_newuserdatauv(L, (n ? n : 1) * sizeof *pins, 0);
    for (size_t i = 0; i < n; i++) {
        lua_Integer at = 2 * (lua_Integer)i + 1;
        pins[i].host = host_at(L, kept, at);
        lua_rawgeti(L, kept, at + 1);
        pins[i].addresses = join_addresses(L, pins[i].host.p);
        lua_rawseti(L, kept, at + 1);
        lua_pop(L, 2);
    }
    options->pins = pins;
    options->pin_count = n;
}

long acL_read_settings(lua_State *L, struct ac_transport_options *options)
{
    static const char *const names[] = {"connect_timeout", "max_body", "max_headers", "observe",
                                        "ca_file",         "ca_path",  "client_cert", "client_key",
                                        "proxy",           "no_proxy", "resolve",     NULL};
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checkstack(L, 30, NULL);
    acL_check_options(L, 1, WHAT, names);
    long connect_ms = acL_seconds_field(L, 1, WHAT, "connect_timeout", DEFAULT_CONNECT_MS);
    options->max_body_bytes = acL_bytes_field(L, 1, WHAT, "max_body", AC_MAX_BODY_BYTES);
    options->max_header_bytes = acL_bytes_field(L, 1, WHAT, "max_headers", AC_MAX_HEADER_BYTES);
    options->observe = acL_boolean_field(L, 1, WHAT, "observe");
    options->ca_file = text_field(L, "ca_file");
    options->ca_path = text_field(L, "ca_path");
    options->client_cert = text_field(L, "client_cert");
    options->client_key = text_field(L, "client_key");
    options->proxy = text_field(L, "proxy");
    options->no_proxy = text_field(L, "no_proxy");
    read_pins(L, options);
    return connect_ms;
}
