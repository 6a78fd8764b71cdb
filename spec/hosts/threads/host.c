/* A C program that embeds Lua: several threads, a state of its own in each, and a limit on what a
 * state may allocate. A state that meets its limit gets an ordinary error and goes on.
 *
 *   cc host.c -o host $(pkg-config --cflags --libs lua5.4) -pthread
 *   ./host worker.lua THREADS ROUNDS       (LUA_PATH and LUA_CPATH as for the interpreter)
 *
 * What the modules allocate outside of Lua (connections, TLS) is not counted; answers are capped.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#define STATE_BYTES ((size_t)16 << 20)
#define MAX_THREADS 64

struct account {
    size_t used, limit;
};

struct worker {
    pthread_t thread;
    const char *script;
    int number, rounds, failed;
    char message[512];
};

/* See lua_Alloc in the manual: `old` is a type tag while `block` is NULL. */
static void *allocate(void *user, void *block, size_t old, size_t size)
{
    struct account *account = user;
    size_t held = block ? old : 0;
    if (size == 0) {
        free(block);
        account->used -= held;
        return NULL;
    }
    if (size > held && account->used + (size - held) > account->limit)
        return NULL;
    void *moved = realloc(block, size);
    if (moved)
        account->used = account->used - held + size;
    return moved;
}

/* [-1, +0, e]  The script's functions `calls` and `eats` get the number of the worker. */
static int work(lua_State *L)
{
    struct worker *worker = lua_touserdata(L, 1);
    luaL_openlibs(L);
    if (luaL_loadfile(L, worker->script) != LUA_OK)
        return lua_error(L);
    lua_call(L, 0, 1);
    for (int i = 0; i < worker->rounds; i++) {
        lua_getfield(L, -1, "calls");
        lua_pushinteger(L, worker->number);
        lua_call(L, 1, 0);
        lua_getfield(L, -1, "eats");
        int status = lua_pcall(L, 0, 0, 0);
        if (status != LUA_ERRMEM)
            return luaL_error(L, "the limit was not noticed (%d)", status);
        lua_pop(L, 1);
        lua_gc(L, LUA_GCCOLLECT);
    }
    return 0;
}

static void *thread_main(void *argument)
{
    struct worker *worker = argument;
    struct account account = {.limit = STATE_BYTES};
#if LUA_VERSION_NUM >= 505
    lua_State *L = lua_newstate(allocate, &account, luaL_makeseed(NULL));
#else
    lua_State *L = lua_newstate(allocate, &account);
#endif
    worker->failed = 1;
    if (!L)
        return NULL;
    lua_pushcfunction(L, work);
    lua_pushlightuserdata(L, worker);
    worker->failed = lua_pcall(L, 1, 0, 0) != LUA_OK;
    if (worker->failed && lua_isstring(L, -1))
        snprintf(worker->message, sizeof worker->message, "%s", lua_tostring(L, -1));
    lua_close(L);
    worker->failed |= account.used != 0;
    return NULL;
}

int main(int argc, char **argv)
{
    static struct worker workers[MAX_THREADS];
    int threads = argc == 4 ? atoi(argv[2]) : 0;
    int failed = 0;
    if (threads < 1 || threads > MAX_THREADS) {
        fprintf(stderr, "usage: host SCRIPT THREADS ROUNDS\n");
        return 2;
    }
    for (int i = 0; i < threads; i++) {
        workers[i] = (struct worker){.script = argv[1], .number = i, .rounds = atoi(argv[3])};
        if (pthread_create(&workers[i].thread, NULL, thread_main, &workers[i]) != 0)
            return 1;
    }
    for (int i = 0; i < threads; i++) {
        pthread_join(workers[i].thread, NULL);
        failed += workers[i].failed != 0;
        if (workers[i].message[0])
            fprintf(stderr, "thread %d: %s\n", i, workers[i].message);
    }
    printf("%d threads, %d failed\n", threads, failed);
    return failed != 0;
}
