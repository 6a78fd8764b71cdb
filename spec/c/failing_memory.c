#define _GNU_SOURCE
#include "failing_memory.h"

#include <cjson/cJSON.h>
#include <curl/curl.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

const char *const source_names[SOURCES] = {"Lua", "ours", "libcurl", "cJSON", "OpenSSL"};

/* The allocator under all five. */
struct failing_memory memory;

static bool must_fail(void)
{
    if (!memory.armed)
        return false;
    long index = memory.seen++;
    return memory.persistent ? index >= memory.target : index == memory.target;
}

/* Lua collects and asks again, so failing once would never reach its caller. */
static bool must_fail_lua(void)
{
    if (!memory.armed)
        return false;
    long index = memory.seen++;
    return memory.persistent ? index >= memory.target
                             : index == memory.target || index == memory.target + 1;
}

void *__real_malloc(size_t n);
void *__real_realloc(void *p, size_t n);
void __real_free(void *p);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t count, size_t n);
void *__wrap_realloc(void *p, size_t n);
void __wrap_free(void *p);

static void *counted(enum source source, void *old, size_t n)
{
    if (must_fail())
        return NULL;
    void *p = __real_realloc(old, n ? n : 1);
    if (p && !old)
        memory.live[source]++;
    return p;
}

static void *counted_zeroed(enum source source, size_t count, size_t n)
{
    void *p = n && count > SIZE_MAX / n ? NULL : counted(source, NULL, count * n);
    return p ? memset(p, 0, count * n) : NULL;
}

static void counted_free(enum source source, void *p)
{
    if (p)
        memory.live[source]--;
    __real_free(p);
}

/* realloc() may leave behind what it moved. */
static void look_for_token(void *p)
{
    if (p && memmem(p, malloc_usable_size(p), TOKEN, sizeof TOKEN - 1))
        memory.left_behind++;
}

/* What others left in memory that is ours now is not counted as ours. */
static void *cleared(void *p, size_t from)
{
    if (p && malloc_usable_size(p) > from)
        memset((char *)p + from, 0, malloc_usable_size(p) - from);
    return p;
}

void *__wrap_malloc(size_t n)
{
    return cleared(counted(BY_US, NULL, n), 0);
}

void *__wrap_calloc(size_t count, size_t n)
{
    return counted_zeroed(BY_US, count, n);
}

void *__wrap_realloc(void *p, size_t n)
{
    look_for_token(p);
    size_t old = p ? malloc_usable_size(p) : 0;
    return cleared(counted(BY_US, p, n), old);
}

void __wrap_free(void *p)
{
    look_for_token(p);
    counted_free(BY_US, p);
}

void *memory_for_lua(void *unused, void *p, size_t old, size_t n)
{
    (void)unused;
    if (n == 0) {
        counted_free(BY_LUA, p);
        return NULL;
    }
    /* Lua relies on shrinking to succeed. */
    if ((!p || n > old) && must_fail_lua())
        return NULL;
    void *moved = __real_realloc(p, n);
    if (moved && !p)
        memory.live[BY_LUA]++;
    return moved;
}

static void *curl_malloc(size_t n)
{
    return counted(BY_CURL, NULL, n);
}

static void *curl_calloc(size_t count, size_t n)
{
    return counted_zeroed(BY_CURL, count, n);
}

static void *curl_realloc(void *p, size_t n)
{
    return counted(BY_CURL, p, n);
}

static void curl_release(void *p)
{
    counted_free(BY_CURL, p);
}

static char *curl_copy(const char *text)
{
    size_t n = strlen(text) + 1;
    char *p = counted(BY_CURL, NULL, n);
    return p ? memcpy(p, text, n) : NULL;
}

static void *cjson_malloc(size_t n)
{
    return counted(BY_CJSON, NULL, n);
}

static void cjson_release(void *p)
{
    counted_free(BY_CJSON, p);
}

static void *crypto_malloc(size_t n, const char *file, int line)
{
    (void)file, (void)line;
    return counted(BY_CRYPTO, NULL, n);
}

static void *crypto_realloc(void *p, size_t n, const char *file, int line)
{
    (void)file, (void)line;
    return counted(BY_CRYPTO, p, n);
}

static void crypto_release(void *p, const char *file, int line)
{
    (void)file, (void)line;
    counted_free(BY_CRYPTO, p);
}

bool memory_install(void)
{
    cJSON_Hooks hooks = {cjson_malloc, cjson_release};
    cJSON_InitHooks(&hooks);
    return CRYPTO_set_mem_functions(crypto_malloc, crypto_realloc, crypto_release) &&
           curl_global_init_mem(CURL_GLOBAL_DEFAULT, curl_malloc, curl_release, curl_realloc,
                                curl_copy, curl_calloc) == CURLE_OK;
}

void memory_arm(long target, bool persistent)
{
    memory.target = target;
    memory.persistent = persistent;
    memory.seen = 0;
    memory.armed = true;
}

bool memory_disarm(void)
{
    memory.armed = false;
    return memory.seen > memory.target;
}
