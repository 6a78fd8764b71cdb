/* The options of a transport and of a request, read from Lua tables. */
#include "lua_transport.h"

#include "actions.h"
#include "header.h"
#include "trust.h"

#include <math.h>

#define OF_TRANSPORT "transport.new"
#define OF_REQUEST "submit"
#define DEFAULT_CONNECT_MS 5000
#define DEFAULT_TOTAL_MS 10000

struct given {
    struct ac_transport_options transport;
    struct ac_transport_request request;
    int resolve, reads, headers, send_by; /* stack indices, 0 if absent */
};

#define AT(field) offsetof(struct given, field)

static const struct acL_option TRANSPORT[] = {
    {"connect_timeout", ACL_SECONDS, AT(transport.connect_timeout_ms)},
    {"max_body", ACL_BYTES, AT(transport.max_body_bytes)},
    {"max_headers", ACL_BYTES, AT(transport.max_header_bytes)},
    {"observe", ACL_BOOLEAN, AT(transport.observe)},
    {"reads", ACL_VALUE, AT(reads)},
    {"ca_file", ACL_TEXT, AT(transport.ca_file)},
    {"ca_path", ACL_TEXT, AT(transport.ca_path)},
    {"client_cert", ACL_TEXT, AT(transport.client_cert)},
    {"client_key", ACL_TEXT, AT(transport.client_key)},
    {"proxy", ACL_TEXT, AT(transport.proxy)},
    {"no_proxy", ACL_TEXT, AT(transport.no_proxy)},
    {"resolve", ACL_VALUE, AT(resolve)},
    {0}};

static const struct acL_option REQUEST[] = {
    {"method", ACL_TEXT, AT(request.method)},
    {"url", ACL_TEXT, AT(request.url)},
    {"headers", ACL_VALUE, AT(headers)},
    {"body", ACL_TEXT, AT(request.body)},
    {"timeout", ACL_SECONDS, AT(request.timeout_ms)},
    {"connect_timeout", ACL_SECONDS, AT(request.connect_timeout_ms)},
    {"send_by", ACL_VALUE, AT(send_by)},
    {"mutating", ACL_BOOLEAN, AT(request.mutating)},
    {"plain_http", ACL_BOOLEAN, AT(request.plain_http)},
    {0}};

/* What is allowed for this option, if the text is not; NULL if it is. libcurl would give some other
 * texts a meaning of its own. */
static const char *flaw_of(size_t field, struct ac_str text)
{
    if (text.n == 0 || ac_str_has_control(text))
        return "text without control characters, not empty";
    switch (field) {
    case AT(transport.proxy):
        return ac_is_proxy(text) ? NULL
                                 : "\"none\" or [scheme://][user:password@]host[:port], the scheme "
                                   "http, https, socks5 or socks5h";
    case AT(transport.no_proxy):
        return ac_is_exceptions(text) ? NULL
                                      : "hosts, domains, addresses or networks with commas between "
                                        "them, without scheme or port, or * alone";
    default:
        return ac_is_path(text) ? NULL : "the path of a file or directory";
    }
}

static void check_texts(lua_State *L, const struct given *given)
{
    for (const struct acL_option *option = TRANSPORT; option->name; option++) {
        const struct ac_str *text =
            (const struct ac_str *)(const void *)((const char *)given + option->offset);
        const char *flaw = NULL;
        if (option->type == ACL_TEXT && text->p)
            flaw = flaw_of(option->offset, *text);
        if (flaw)
            luaL_error(L, OF_TRANSPORT ": option '%s': allowed: %s", option->name, flaw);
    }
}

/* [-1, +0, v]  Raises: the value on top is not a list of addresses or not an address. */
static int refuse_pin(lua_State *L, const char *host)
{
    bool is_text = lua_type(L, -1) == LUA_TSTRING;
    return luaL_error(L,
                      OF_TRANSPORT ": option 'resolve': host '%s': got %s, allowed: a list of IPv4 "
                                   "or IPv6 addresses",
                      host, is_text ? lua_tostring(L, -1) : luaL_typename(L, -1));
}

/* [-0, +1, v]  Joins the list on top to the text that libcurl takes, "a,b". */
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
        struct ac_str address = {0};
        if (i > 1)
            luaL_addchar(&text, ',');
        if (lua_rawgeti(L, list, i) == LUA_TSTRING)
            address.p = lua_tolstring(L, -1, &address.n);
        if (!ac_is_address(address))
            refuse_pin(L, host);
        luaL_addvalue(&text);
    }
    luaL_pushresult(&text);
    joined.p = lua_tolstring(L, -1, &joined.n);
    return joined;
}

/* [-0, +1, v]  Pushes and checks a host of the option `resolve`. */
static struct ac_str host_at(lua_State *L, int snapshot, lua_Integer at)
{
    struct ac_str host = {0};
    if (lua_rawgeti(L, snapshot, at) == LUA_TSTRING)
        host.p = lua_tolstring(L, -1, &host.n);
    if (!ac_is_pinnable(host))
        luaL_error(L,
                   OF_TRANSPORT ": option 'resolve': host '%s': allowed: a name of another "
                                "machine, or name:port",
                   host.p ? host.p : luaL_typename(L, -1));
    return host;
}

/* [-0, +2, v]  In the snapshot, each list is replaced by its joined addresses; the snapshot keeps
 * these and the names alive. */
static void read_pins(lua_State *L, int index, struct ac_transport_options *options)
{
    if (!lua_istable(L, index))
        luaL_error(L, OF_TRANSPORT ": option 'resolve': table expected, got %s",
                   luaL_typename(L, index));
    size_t n = acL_snapshot(L, index);
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

void acL_read_transport(lua_State *L, struct ac_transport_options *options)
{
    struct given given = {.transport = {.connect_timeout_ms = DEFAULT_CONNECT_MS,
                                        .max_body_bytes = AC_MAX_BODY_BYTES,
                                        .max_header_bytes = AC_MAX_HEADER_BYTES}};
    acL_read_options(L, 1, OF_TRANSPORT, TRANSPORT, &given);
    check_texts(L, &given);
    if (given.reads)
        given.transport.reads = luaL_testudata(L, given.reads, AC_ACTIONS_CLASS);
    if (given.reads && !given.transport.reads)
        luaL_error(L, OF_TRANSPORT ": option 'reads': got %s, allowed: what core.actions makes",
                   luaL_typename(L, given.reads));
    if (given.resolve)
        read_pins(L, given.resolve, &given.transport);
    *options = given.transport;
}

/* [-0, +1, v]  Pushes "name: value"; raises if either could inject another header. */
static struct ac_pair push_header(lua_State *L, int name, int value)
{
    struct ac_str key, content;
    if (lua_type(L, name) != LUA_TSTRING || lua_type(L, value) != LUA_TSTRING)
        luaL_error(L, OF_REQUEST ": headers map strings to strings");
    key.p = lua_tolstring(L, name, &key.n);
    content.p = lua_tolstring(L, value, &content.n);
    const char *flaw = ac_header_flaw(key, content);
    if (flaw)
        luaL_error(L, OF_REQUEST ": header '%s': %s", key.p, flaw);
    content = ac_header_trim(content);
    lua_pushvalue(L, name);
    lua_pushliteral(L, ": ");
    acL_push_bytes(L, content);
    lua_concat(L, 3);
    const char *line = lua_tostring(L, -1);
    return (struct ac_pair){{line, key.n}, {line + key.n + 2, content.n}};
}

/* [-0, +2, v]  In the snapshot, each value is replaced by its line, which it keeps alive. */
static void read_headers(lua_State *L, int index, struct ac_pairs *headers)
{
    if (!lua_istable(L, index))
        luaL_error(L, OF_REQUEST ": option 'headers': table expected, got %s",
                   luaL_typename(L, index));
    size_t n = acL_snapshot(L, index);
    int kept = lua_gettop(L), hosts = 0;
    struct ac_pair *pairs = lua_newuserdatauv(L, (n ? n : 1) * sizeof *pairs, 0);
    for (size_t i = 0; i < n; i++) {
        lua_Integer at = 2 * (lua_Integer)i + 1;
        lua_rawgeti(L, kept, at);
        lua_rawgeti(L, kept, at + 1);
        pairs[i] = push_header(L, lua_gettop(L) - 1, lua_gettop(L));
        lua_rawseti(L, kept, at + 1);
        lua_pop(L, 2);
        hosts += ac_str_equal_nocase(pairs[i].name, AC_STR("host"));
    }
    /* Proxies and servers could disagree on which of two Host headers counts. */
    if (hosts > 1)
        luaL_error(L, OF_REQUEST ": header 'host': given in two spellings");
    *headers = (struct ac_pairs){pairs, n};
}

static void check_text(lua_State *L, const char *name, struct ac_str text)
{
    if (text.n == 0)
        luaL_error(L, OF_REQUEST ": option '%s' is missing", name);
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] <= 0x20 || (unsigned char)text.p[i] >= 0x7f)
            luaL_error(L, OF_REQUEST ": option '%s' holds a byte that is not printable ASCII",
                       name);
}

void acL_read_request(lua_State *L, struct ac_transport_request *request)
{
    struct given given = {
        .request = {.timeout_ms = DEFAULT_TOTAL_MS, .connect_timeout_ms = -1, .send_by = HUGE_VAL}};
    acL_read_options(L, 2, OF_REQUEST, REQUEST, &given);
    check_text(L, "method", given.request.method);
    check_text(L, "url", given.request.url);
    if (given.send_by) {
        if (lua_type(L, given.send_by) != LUA_TNUMBER)
            luaL_error(L,
                       OF_REQUEST ": option 'send_by': seconds of core.boottime expected, got %s",
                       luaL_typename(L, given.send_by));
        given.request.send_by = lua_tonumber(L, given.send_by);
    }
    if (given.headers)
        read_headers(L, given.headers, &given.request.headers);
    *request = given.request;
}

void acL_keep_above(lua_State *L, int base)
{
    int top = lua_gettop(L);
    lua_createtable(L, top - base, 0);
    for (int i = base + 1; i <= top; i++) {
        lua_pushvalue(L, i);
        lua_rawseti(L, -2, i - base);
    }
}
