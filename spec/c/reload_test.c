/* A host that opens and closes Lua states: the modules stay mapped after the first, closing with a
 * call in flight is harmless, and neither memory nor descriptors grow.
 */
#define _GNU_SOURCE
#include "check.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#define ROUNDS 1000

/* Leaves a call in flight and a kept handle of every kind for the finalisers. */
static const char program[] =
    "local core, transport = require 'alicloud.core', require 'alicloud.transport'\n"
    "secret = core.secret('spec-secret')\n"
    "client = transport.new{}\n"
    "op = client:submit{ method = 'POST', url = 'http://127.0.0.1:' .. port .. '/', headers = {},\n"
    "  body = 'x', timeout = 60 }\n"
    "for _ = 1, 5 do client:step() end\n"
    "assert(not op:done())\n";

static int round_of(const char *build, int port)
{
    lua_State *L = luaL_newstate();
    luaL_openlibs(L);
    lua_getglobal(L, "package");
    lua_pushfstring(L, "%s/?.so", build);
    lua_setfield(L, -2, "cpath");
    lua_pushinteger(L, port);
    lua_setglobal(L, "port");
    int status = luaL_dostring(L, program);
    if (status != LUA_OK)
        fprintf(stderr, "%s\n", lua_tostring(L, -1));
    lua_close(L);
    return status == LUA_OK;
}

/* Listens and never accepts. */
static int silent_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t n = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(fd, (struct sockaddr *)&address, n) || listen(fd, 4096))
        return -1;
    getsockname(fd, (struct sockaddr *)&address, &n);
    return ntohs(address.sin_port);
}

static int open_descriptors(void)
{
    int count = 0;
    for (int fd = 0; fd < 1024; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static long resident_pages(void)
{
    long total = 0, resident = 0;
    FILE *statm = fopen("/proc/self/statm", "r");
    if (statm && fscanf(statm, "%ld %ld", &total, &resident) != 2)
        resident = 0;
    if (statm)
        fclose(statm);
    return resident;
}

/* Whether the dynamic loader still holds a module of that path. */
static int mapped(const char *directory, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/alicloud/%s.so", directory, name);
    char *real = realpath(path, NULL);
    void *handle = real ? dlopen(real, RTLD_LAZY | RTLD_NOLOAD) : NULL;
    free(real);
    return handle != NULL;
}

int main(int argc, char **argv)
{
    struct check tally = {0};
    int rounds = argc > 2 ? atoi(argv[2]) : ROUNDS;
    int port = silent_port();
    if (argc < 2 || port < 0) {
        fprintf(stderr, "usage: reload_test BUILD [ROUNDS]\n");
        return 2;
    }
    for (int i = 0; i < 20 && tally.failed == 0; i++)
        CHECK(&tally, round_of(argv[1], port));
    CHECK(&tally, mapped(argv[1], "core"));
    CHECK(&tally, mapped(argv[1], "transport"));
    int descriptors = open_descriptors();
    long pages = resident_pages();
    for (int i = 20; i < rounds && tally.failed == 0; i++)
        CHECK(&tally, round_of(argv[1], port));
    CHECK(&tally, open_descriptors() == descriptors);
    /* 2 MiB of slack for the allocator. */
    if (rounds >= ROUNDS)
        CHECK(&tally, resident_pages() - pages < 512);
    return check_report(&tally, "reload");
}
