/* Fails every allocation of a call in turn, once and from there on, in Lua, libcurl, OpenSSL, cJSON
 * and our own code, until the call succeeds. Whatever fails: no crash, no hang, no leak, no false
 * success, and the same state works again as soon as there is memory.
 */
#define _GNU_SOURCE
#include "check.h"
#include "failing_memory.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

int luaopen_alicloud_core(lua_State *L);
int luaopen_alicloud_transport(lua_State *L);

#define CALLS_FILE "spec/c/alloc_sweep.lua"

/* A server that needs no memory: [-0, +0, -]  serve(), called between two steps of the client. */
#define PEERS 8
static struct {
    int listener;
    int peers[PEERS];
    int port;
} server;

static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                             "Content-Length: 18\r\n\r\n{\"RequestId\":\"r1\"}";

static void serve_peer(int *peer)
{
    char request[8192];
    ssize_t n = recv(*peer, request, sizeof request, MSG_DONTWAIT);
    if (n > 0) {
        send(*peer, answer, sizeof answer - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    } else if (n == 0 || errno != EAGAIN) {
        close(*peer);
        *peer = -1;
    }
}

static int serve(lua_State *L)
{
    (void)L;
    for (int i = 0; i < PEERS; i++) {
        if (server.peers[i] < 0)
            server.peers[i] = accept4(server.listener, NULL, NULL, SOCK_CLOEXEC);
        if (server.peers[i] >= 0)
            serve_peer(&server.peers[i]);
    }
    return 0;
}

static bool start_server(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t n = sizeof address;
    server.listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    for (int i = 0; i < PEERS; i++)
        server.peers[i] = -1;
    if (bind(server.listener, (struct sockaddr *)&address, n) || listen(server.listener, PEERS))
        return false;
    getsockname(server.listener, (struct sockaddr *)&address, &n);
    server.port = ntohs(address.sin_port);
    return true;
}

static void preload(lua_State *L, const char *name, lua_CFunction open)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    lua_pushcfunction(L, open);
    lua_setfield(L, -2, name);
    lua_pop(L, 1);
}

/* [-1, +0, e]  What every state starts with; runs protected, possibly without memory. */
static int prepare(lua_State *L)
{
    luaL_openlibs(L);
    preload(L, "alicloud.core", luaopen_alicloud_core);
    preload(L, "alicloud.transport", luaopen_alicloud_transport);
    lua_pushcfunction(L, serve);
    lua_setglobal(L, "serve");
    lua_pushfstring(L, "127.0.0.1:%d", server.port);
    lua_setglobal(L, "host");
    lua_pushliteral(L, TOKEN);
    lua_setglobal(L, "token");
    return luaL_dostring(L, "require 'alicloud.core' require 'alicloud.transport'") ? lua_error(L)
                                                                                    : 0;
}

static int prepared(lua_State *L)
{
    lua_pushcfunction(L, prepare);
    return lua_pcall(L, 0, 0, 0);
}

static bool same_live(const long *before, const char *name, long target)
{
    bool same = true;
    /* Lua is counted when its state closes; OpenSSL keeps what it loaded when first needed. */
    for (int source = BY_US; source < BY_CRYPTO; source++)
        if (memory.live[source] != before[source]) {
            fprintf(stderr, "%s, allocation %ld: %ld blocks of %s are left\n", name, target,
                    memory.live[source] - before[source], source_names[source]);
            same = false;
        }
    return same;
}

/* Whether a failed run failed for want of memory and not with a false result. Lua words a failed
 * growth of its stack as an overflow, and OpenSSL does not say why it refused. */
static bool honest(lua_State *L, int status, const char *name, long target)
{
    const char *message = status == LUA_OK ? "memory" : lua_tostring(L, -1);
    bool ok = message && strncmp(message, "wrong: ", 7) != 0 &&
              (strstr(message, "memory") || strstr(message, "stack overflow") ||
               strstr(message, "crypto library"));
    if (!ok)
        fprintf(stderr, "%s, allocation %ld: %s\n", name, target, message ? message : "?");
    return ok;
}

static void collect(lua_State *L)
{
    lua_gc(L, LUA_GCCOLLECT);
    lua_gc(L, LUA_GCCOLLECT);
}

static int run(lua_State *L)
{
    lua_pushvalue(L, 1);
    return lua_pcall(L, 0, 0, 0);
}

static lua_State *new_state(void)
{
#if LUA_VERSION_NUM >= 505
    return lua_newstate(memory_for_lua, NULL, 1); /* the seed of its hashes */
#else
    return lua_newstate(memory_for_lua, NULL);
#endif
}

/* One state lives through all failures of a call. */
static void sweep(struct check *t, const char *name, bool persistent, long stride)
{
    lua_State *L = new_state();
    CHECK(t, L != NULL && prepared(L) == LUA_OK && luaL_dofile(L, CALLS_FILE) == LUA_OK);
    lua_getfield(L, 1, name);
    lua_replace(L, 1);
    CHECK(t, run(L) == LUA_OK);
    collect(L);
    long before[SOURCES];
    memcpy(before, memory.live, sizeof before);
    long target = 0;
    for (bool reached = true; reached; target += stride) {
        memory_arm(target, persistent);
        int status = run(L);
        reached = memory_disarm();
        CHECK(t, honest(L, status, name, target));
        lua_settop(L, 1);
        CHECK(t, reached || status == LUA_OK);
        CHECK(t, run(L) == LUA_OK);
        lua_settop(L, 1);
        collect(L);
        CHECK(t, same_live(before, name, target));
    }
    fprintf(stderr, "%s, %s: %ld allocations\n", name, persistent ? "from each on" : "each once",
            target - stride);
    lua_close(L);
}

/* All calls of the file, whose names a state of their own holds meanwhile. */
static void sweep_calls(struct check *t, long stride)
{
    lua_State *L = new_state();
    CHECK(t, L != NULL && prepared(L) == LUA_OK && luaL_dofile(L, CALLS_FILE) == LUA_OK);
    for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1)) {
        sweep(t, lua_tostring(L, -2), false, stride);
        sweep(t, lua_tostring(L, -2), true, stride);
    }
    lua_close(L);
}

/* Loading the modules, from an empty state on. */
static void sweep_load(struct check *t, bool persistent, long stride)
{
    long before[SOURCES];
    memcpy(before, memory.live, sizeof before);
    long target = 0;
    for (bool reached = true; reached; target += stride) {
        lua_State *L = new_state();
        memory_arm(target, persistent);
        int status = prepared(L);
        reached = memory_disarm();
        CHECK(t, honest(L, status, "load", target));
        CHECK(t, reached || status == LUA_OK);
        lua_close(L);
        CHECK(t, memory.live[BY_LUA] == before[BY_LUA] && same_live(before, "load", target));
    }
    fprintf(stderr, "load, %s: %ld allocations\n", persistent ? "from each on" : "each once",
            target - stride);
}

int main(int argc, char **argv)
{
    struct check tally = {0};
    long stride = argc > 1 ? strtol(argv[1], NULL, 10) : 1;
    if (stride < 1 || !start_server() || !memory_install()) {
        fprintf(stderr, "cannot set up\n");
        return 2;
    }
    sweep_calls(&tally, stride);
    CHECK(&tally, memory.live[BY_LUA] == 0);
    CHECK(&tally, memory.left_behind == 0);
    sweep_load(&tally, false, stride);
    sweep_load(&tally, true, stride);
    return check_report(&tally, "allocation sweep");
}
