/* A host that opens and closes Lua states: each loads the modules, makes a call, forks now and then
 * (the child goes on with the same state), and is closed with another call in flight. The modules
 * stay mapped after the first, and neither memory nor descriptors grow.
 */
#define _GNU_SOURCE
#include "check.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#define ROUNDS 10000
#define WARM_UP 20
#define ROUNDS_PER_FORK 20

/* Makes calls, and leaves one in flight and a handle of every kind for the finalisers. */
static const char program[] =
    "local core, transport = require 'alicloud.core', require 'alicloud.transport'\n"
    "secret = core.secret('spec-secret')\n"
    "client = transport.new{}\n"
    "local function submit(port)\n"
    "  return client:submit{ method = 'POST', url = 'http://127.0.0.1:' .. port .. '/',\n"
    "    headers = {}, body = 'x', timeout = 60 }\n"
    "end\n"
    "function call()\n"
    "  local one = submit(answering)\n"
    "  while not one:done() do\n"
    "    core.poll(client:pollfd(), 'r', math.min(client:timeout() or 0.2, 0.2))\n"
    "    client:step()\n"
    "  end\n"
    "  assert(one:result().body == '{\"RequestId\":\"R\"}', one:result().detail)\n"
    "end\n"
    "function leave()\n"
    "  op = submit(silent)\n"
    "  for _ = 1, 5 do client:step() end\n"
    "  assert(not op:done())\n"
    "end\n"
    "call()\n"
    "leave()\n";

static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                             "Content-Length: 17\r\nConnection: close\r\n\r\n{\"RequestId\":\"R\"}";

struct host {
    const char *build;
    int answering, silent; /* ports */
};

static int run(lua_State *L, const char *text)
{
    int status = luaL_dostring(L, text);
    if (status != LUA_OK)
        fprintf(stderr, "%s\n", lua_tostring(L, -1));
    return status == LUA_OK;
}

/* The child inherits everything and may not use what is the parent's: not its connections, and not
 * the call in flight, which it only closes. */
static int child_goes_on(lua_State *L)
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        int ok = run(L, "call() call()");
        lua_close(L);
        /* What is the parent's is abandoned, and no leak: a checker of memory sees no exit. */
        if (ok)
            execlp("true", "true", (char *)NULL);
        _exit(1);
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
}

static int round_of(const struct host *host, int number)
{
    lua_State *L = luaL_newstate();
    luaL_openlibs(L);
    lua_getglobal(L, "package");
    lua_pushfstring(L, "%s/?.so", host->build);
    lua_setfield(L, -2, "cpath");
    lua_pushinteger(L, host->answering);
    lua_setglobal(L, "answering");
    lua_pushinteger(L, host->silent);
    lua_setglobal(L, "silent");
    int ok = run(L, program);
    if (ok && number % ROUNDS_PER_FORK == 0)
        ok = child_goes_on(L) && run(L, "call()");
    lua_close(L);
    return ok;
}

/* A listening socket of loopback; its port goes to `port`. */
static int listener(int *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t n = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(fd, (struct sockaddr *)&address, n) || listen(fd, 4096))
        return -1;
    getsockname(fd, (struct sockaddr *)&address, &n);
    *port = ntohs(address.sin_port);
    return fd;
}

/* A request of ours has one byte of body, behind the empty line. */
static void serve(int fd)
{
    char bytes[4096];
    size_t n = 0;
    while (n < sizeof bytes) {
        ssize_t got = read(fd, bytes + n, sizeof bytes - n);
        if (got <= 0)
            return;
        n += (size_t)got;
        char *end = memmem(bytes, n, "\r\n\r\n", 4);
        if (end && end + 4 < bytes + n)
            break;
    }
    if (write(fd, answer, sizeof answer - 1) < 0)
        return;
    shutdown(fd, SHUT_WR);
    while (read(fd, bytes, sizeof bytes) > 0)
        ;
}

static void *answer_all(void *user)
{
    int listening = *(int *)user;
    for (;;) {
        int fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            return NULL;
        serve(fd);
        close(fd);
    }
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

static int start_servers(struct host *host, int *listening)
{
    pthread_t thread;
    *listening = listener(&host->answering);
    if (*listening < 0 || listener(&host->silent) < 0)
        return 0;
    return pthread_create(&thread, NULL, answer_all, listening) == 0;
}

int main(int argc, char **argv)
{
    static int listening;
    struct check tally = {0};
    struct host host = {.build = argc > 1 ? argv[1] : NULL};
    int rounds = argc > 2 ? atoi(argv[2]) : ROUNDS;
    if (!host.build || !start_servers(&host, &listening)) {
        fprintf(stderr, "usage: reload_test BUILD [ROUNDS]\n");
        return 2;
    }
    for (int i = 0; i < WARM_UP && tally.failed == 0; i++)
        CHECK(&tally, round_of(&host, i));
    CHECK(&tally, mapped(host.build, "core"));
    CHECK(&tally, mapped(host.build, "transport"));
    int descriptors = open_descriptors();
    long pages = resident_pages();
    for (int i = WARM_UP; i < rounds && tally.failed == 0; i++)
        CHECK(&tally, round_of(&host, i));
    CHECK(&tally, open_descriptors() <= descriptors + 1);
    /* 2 MiB of slack for the allocator. */
    if (rounds >= ROUNDS)
        CHECK(&tally, resident_pages() - pages < 512);
    return check_report(&tally, "reload");
}
