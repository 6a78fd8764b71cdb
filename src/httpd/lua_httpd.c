/* `alicloud.httpd`: the HTTP server of httpd.c for Lua. */
#include "httpd.h"
#include "luax.h"
#include "sys.h"

#include <arpa/inet.h>
#include <math.h>
#include <stdlib.h>

AC_EXPORT int luaopen_alicloud_httpd(lua_State *L);

#define SERVER_CLASS "alicloud.httpd.Server"
#define REQUEST_CLASS "alicloud.httpd.Request"

#define MAX_HEADERS 64
#define LOOPBACK "127.0.0.1"

struct handle {
    struct ac_httpd_request *request;
};

struct header {
    const char *name, *value;
};

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct header *)a)->name, ((const struct header *)b)->name);
}

/* [-0, +0, v]  Reads a table of headers, sorted by name so that responses are deterministic. The
 * table keeps the bytes alive until the next allocation, when a finalizer may empty it. */
static size_t read_headers(lua_State *L, int index, struct header *headers)
{
    size_t n = 0;
    luaL_checktype(L, index, LUA_TTABLE);
    lua_pushnil(L);
    while (lua_next(L, index)) {
        if (lua_type(L, -2) != LUA_TSTRING || lua_type(L, -1) != LUA_TSTRING)
            luaL_argerror(L, index, "header names and values must be strings");
        luaL_argcheck(L, n < MAX_HEADERS, index, "too many headers");
        headers[n++] = (struct header){lua_tostring(L, -2), lua_tostring(L, -1)};
        lua_pop(L, 1);
    }
    qsort(headers, n, sizeof *headers, by_name);
    return n;
}

static bool add_headers(struct MHD_Response *answer, const struct header *headers, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!MHD_add_response_header(answer, headers[i].name, headers[i].value))
            return false;
    return true;
}

/* [-4, +1, v]  request:respond(status, headers, body) -> true | nil, message
 *
 * The order matters: a body that is a number is converted to a string, and that allocation may run
 * a finalizer, which may change the headers, the request and the server. */
static int request_respond(lua_State *L)
{
    struct header headers[MAX_HEADERS];
    struct handle *handle = luaL_checkudata(L, 1, REQUEST_CLASS);
    lua_Integer status = luaL_checkinteger(L, 2);
    luaL_argcheck(L, status >= 200 && status <= 599, 2, "status must be from 200 to 599");
    size_t size;
    const char *body = luaL_optlstring(L, 4, "", &size);
    size_t n = read_headers(L, 3, headers);
    struct ac_httpd_request *request = handle->request;
    if (!request)
        luaL_error(L, "the request has been answered or dropped already");
    if (!request->connection)
        return acL_fail(L, "the client has gone");
    if (!ac_httpd_is_own(request->server))
        return acL_fail(L, "only the process that took the request can answer it");
    /* The cast removes const; with MHD_RESPMEM_MUST_COPY the bytes are only read. */
    struct MHD_Response *answer =
        MHD_create_response_from_buffer(size, (void *)body, MHD_RESPMEM_MUST_COPY);
    if (!answer)
        return acL_fail(L, "out of memory");
    if (!add_headers(answer, headers, n)) {
        MHD_destroy_response(answer);
        return acL_fail(L, "a header has a forbidden character");
    }
    handle->request = NULL;
    ac_httpd_answer(request, (unsigned)status, answer);
    ac_httpd_release(request);
    lua_pushboolean(L, 1);
    return 1;
}

/* [-1, +0, -]  request:drop(); also runs when the request is collected or its scope ends */
static int request_drop(lua_State *L)
{
    struct handle *handle = luaL_checkudata(L, 1, REQUEST_CLASS);
    struct ac_httpd_request *request = handle->request;
    handle->request = NULL;
    if (request)
        ac_httpd_release(request);
    return 0;
}

/* [-2, +1, -]  A field of the request, or else a method, from the metatable. */
static int request_index(lua_State *L)
{
    luaL_checkudata(L, 1, REQUEST_CLASS);
    lua_getiuservalue(L, 1, 1);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, -2) == LUA_TNIL) {
        lua_getmetatable(L, 1);
        lua_pushvalue(L, 2);
        lua_rawget(L, -2);
    }
    return 1;
}

/* [-0, +1, m]  The values of a repeated header are joined, as RFC 9110 §5.3 allows. */
static void push_headers(lua_State *L, const char *name, size_t count)
{
    lua_createtable(L, 0, (int)count);
    for (; count > 0; count--) {
        const char *value = name + strlen(name) + 1;
        if (lua_getfield(L, -1, name) == LUA_TNIL)
            lua_pushstring(L, value);
        else
            lua_pushfstring(L, "%s, %s", lua_tostring(L, -1), value);
        lua_setfield(L, -3, name);
        lua_pop(L, 1);
        name = value + strlen(value) + 1;
    }
}

/* [-0, +1, m]  { method, path, query, headers, body } */
static void push_fields(lua_State *L, const struct ac_httpd_request *request)
{
    const char *uri = request->head.p, *method = uri + strlen(uri) + 1;
    size_t path = strcspn(uri, "?");
    lua_createtable(L, 0, 5);
    lua_pushstring(L, method);
    lua_setfield(L, -2, "method");
    lua_pushlstring(L, uri, path);
    lua_setfield(L, -2, "path");
    lua_pushstring(L, uri + path + (uri[path] == '?'));
    lua_setfield(L, -2, "query");
    acL_push_bytes(L, ac_buf_str(&request->body));
    lua_setfield(L, -2, "body");
    push_headers(L, method + strlen(method) + 1, request->headers);
    lua_setfield(L, -2, "headers");
}

static struct ac_httpd *check_running(lua_State *L)
{
    struct ac_httpd *server = luaL_checkudata(L, 1, SERVER_CLASS);
    if (!server->daemon)
        luaL_error(L, "the server is closed");
    if (!ac_httpd_is_own(server))
        luaL_error(L, "the server belongs to the process that started it");
    return server;
}

/* [-1, +1, m]  server:step() -> list of requests; never blocks */
static int server_step(lua_State *L)
{
    struct ac_httpd *server = check_running(L);
    lua_settop(L, 1);
    MHD_run(server->daemon);
    lua_newtable(L);
    for (lua_Integer n = 1;; n++) {
        struct handle *handle = lua_newuserdatauv(L, sizeof *handle, 1);
        handle->request = NULL;
        luaL_setmetatable(L, REQUEST_CLASS);
        /* Taken only now, into its box: the allocations above may raise or run a finalizer. */
        handle->request = ac_httpd_take(server);
        if (!handle->request)
            break;
        push_fields(L, handle->request);
        lua_setiuservalue(L, -2, 1);
        lua_rawseti(L, 2, n);
    }
    lua_settop(L, 2);
    return 1;
}

/* A descriptor that is readable when the server has work; -1 if the system has no epoll. */
static int pollable(const struct ac_httpd *server)
{
    const union MHD_DaemonInfo *info =
        server->daemon ? MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
    return info ? info->epoll_fd : -1;
}

/* [-2, +1, v]  httpd.wait(servers, seconds) -> whether one has work; a signal ends the wait */
static int httpd_wait(lua_State *L)
{
    size_t n = 0;
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_Number seconds = luaL_checknumber(L, 2);
    luaL_argcheck(L, seconds >= 0 && seconds <= 3600, 2, "seconds must be from 0 to 3600");
    lua_Integer count = (lua_Integer)lua_rawlen(L, 1);
    struct pollfd *fds = lua_newuserdatauv(L, ((size_t)count + 1) * sizeof *fds, 0);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, 1, i); /* without metamethods, which might close a server read before */
        int fd = pollable(luaL_checkudata(L, -1, SERVER_CLASS));
        lua_pop(L, 1);
        if (fd >= 0)
            fds[n++].fd = fd;
    }
    enum ac_sys_wait ready = ac_sys_wait(fds, n, AC_SYS_READ, (int)ceil(seconds * 1000));
    lua_pushboolean(L, ready == AC_SYS_WAIT_READY);
    return 1;
}

/* [-1, +1, v]  server:pollfd() -> descriptor | nil if the system has no epoll */
static int server_pollfd(lua_State *L)
{
    struct ac_httpd *server = check_running(L);
    int fd = pollable(server);
    if (fd >= 0)
        lua_pushinteger(L, fd);
    else
        luaL_pushfail(L);
    return 1;
}

/* [-1, +1, v]  server:timeout() -> seconds until step() is due even if nothing is readable | nil */
static int server_timeout(lua_State *L)
{
    struct ac_httpd *server = check_running(L);
    MHD_UNSIGNED_LONG_LONG milliseconds;
    if (MHD_get_timeout(server->daemon, &milliseconds) == MHD_YES)
        lua_pushnumber(L, (lua_Number)milliseconds / 1000);
    else
        luaL_pushfail(L);
    return 1;
}

/* [-1, +1, v]  server:port() -> the port on which it listens */
static int server_port(lua_State *L)
{
    struct ac_httpd *server = check_running(L);
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT);
    lua_pushinteger(L, info ? info->port : 0);
    return 1;
}

/* [-1, +0, -]  server:close(); requests that wait for a response lose their connection */
static int server_close(lua_State *L)
{
    ac_httpd_close(luaL_checkudata(L, 1, SERVER_CLASS));
    return 0;
}

struct options {
    struct ac_str host;
    lua_Integer port;
    size_t max_body;
};

static const struct acL_option OPTIONS[] = {
    {"host", ACL_TEXT, offsetof(struct options, host)},
    {"port", ACL_INTEGER, offsetof(struct options, port)},
    {"max_body", ACL_BYTES, offsetof(struct options, max_body)},
    {0},
};

static struct sockaddr_in check_address(lua_State *L, const struct options *options)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    const char *host = strcmp(options->host.p, "localhost") == 0 ? LOOPBACK : options->host.p;
    if (inet_pton(AF_INET, host, &address.sin_addr) != 1)
        luaL_error(L, "httpd.start: host must be an IPv4 address or localhost, got '%s'", host);
    if (options->port < 0 || options->port > 65535)
        luaL_error(L, "httpd.start: port must be from 0 to 65535, got %I",
                   (LUAI_UACINT)options->port);
    address.sin_port = htons((uint16_t)options->port);
    return address;
}

/* [-1, +1, v]  httpd.start{ host=, port=, max_body= } -> Server | nil, message */
static int httpd_start(lua_State *L)
{
    struct options options = {AC_STR(LOOPBACK), 0, AC_MAX_BODY_BYTES};
    char text[INET_ADDRSTRLEN];
    if (ac_sys_is_confined())
        return acL_fail(L, "a confined process opens no sockets");
    if (!lua_isnoneornil(L, 1))
        acL_read_options(L, 1, "httpd.start", OPTIONS, &options);
    struct sockaddr_in address = check_address(L, &options);
    struct ac_httpd *server = lua_newuserdatauv(L, sizeof *server, 0);
    memset(server, 0, sizeof *server);
    luaL_setmetatable(L, SERVER_CLASS);
    int error = ac_httpd_start(server, &address, options.max_body);
    if (error == 0)
        return 1;
    inet_ntop(AF_INET, &address.sin_addr, text, sizeof text);
    return acL_fail(L, lua_pushfstring(L, "cannot listen on %s:%d: %s", text, (int)options.port,
                                       strerror(error)));
}

/* [-1, +1, m] */
int luaopen_alicloud_httpd(lua_State *L)
{
    const luaL_Reg server[] = {{"step", server_step},       {"pollfd", server_pollfd},
                               {"timeout", server_timeout}, {"port", server_port},
                               {"close", server_close},     {NULL, NULL}};
    const luaL_Reg server_meta[] = {
        {"__gc", server_close}, {"__close", server_close}, {NULL, NULL}};
    const luaL_Reg request_meta[] = {{"respond", request_respond}, {"drop", request_drop},
                                     {"__gc", request_drop},       {"__close", request_drop},
                                     {"__index", request_index},   {NULL, NULL}};
    const luaL_Reg functions[] = {{"start", httpd_start}, {"wait", httpd_wait}, {NULL, NULL}};
    acL_check_build(L);
    acL_class(L, SERVER_CLASS, server, server_meta);
    acL_class(L, REQUEST_CLASS, NULL, request_meta);
    luaL_newlib(L, functions);
    return 1;
}
