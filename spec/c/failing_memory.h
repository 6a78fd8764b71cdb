/* An allocator that fails when it is told to, below Lua, libcurl, OpenSSL, cJSON and our own code.
 *
 * Our objects are linked with `--wrap`, so that only their own allocations are caught; the
 * libraries are reached through their official hooks.
 */
#ifndef SPEC_FAILING_MEMORY_H
#define SPEC_FAILING_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

enum source { BY_LUA, BY_US, BY_CURL, BY_CJSON, BY_CRYPTO, SOURCES };
extern const char *const source_names[SOURCES];

struct failing_memory {
    bool armed;
    bool persistent; /* fails from the target on instead of once */
    long target;
    long seen;
    long live[SOURCES];
    long left_behind; /* blocks of ours that were given back with a token in them */
};
extern struct failing_memory memory;

/* What `sign` and `signer` sign with. */
#define TOKEN "a-token-that-is-wiped"

/* Before anything else is done with the libraries. False if one of them refuses. */
bool memory_install(void);

/* Fails the allocation with this number, counted from now on. */
void memory_arm(long target, bool persistent);

/* True if the target was reached. */
bool memory_disarm(void);

/* A lua_Alloc. */
void *memory_for_lua(void *unused, void *p, size_t old, size_t n);

#endif
