/* Secrets as userdata: bytes that Lua can hand on but not read, wiped on close. */
#ifndef AC_LUA_SECRET_H
#define AC_LUA_SECRET_H

#include "digest.h"
#include "luax.h"
#include "secret_pages.h"

/* [-0, +0, m]  Registers the class, the per-state digest contexts, and the functions that make
 * Secrets in the table on top. */
void acL_secret_open(lua_State *L);

/* [-0, +0, v]  The digest contexts of this Lua state; raises when they are gone. */
struct ac_digest *acL_digest(lua_State *L);

/* [-0, +1, m]  The hex digits of `n` bytes. Returns 1, as a function of Lua does. */
int acL_push_hex(lua_State *L, const unsigned char *bytes, size_t n);

/* [-0, +0, v]  The bytes of the string or Secret at `index`; {NULL, 0} if nil. They are borrowed
 * until the next Lua call: anything that allocates may collect, and a finalizer may close. */
struct ac_str acL_secret_bytes(lua_State *L, int index, const char *what, const char *name);

/* [-0, +1, m]  A Secret with a copy of the bytes. */
void acL_secret_push(lua_State *L, struct ac_str bytes);

/* [-0, +1, m]  A Secret without bytes, with room for `max` of them, to be filled in place. */
struct ac_pages *acL_secret_room(lua_State *L, size_t max);

/* [-0, +1, m]  A Secret that takes the pages over. */
void acL_secret_give(lua_State *L, struct ac_pages *pages);

/* Takes the pages out of the Secret at `index`, which is closed by that. False if it is none. */
bool acL_secret_take(lua_State *L, int index, struct ac_pages *out);

/* Why the bytes are no key, for a person: "is empty", …; or NULL. */
const char *acL_secret_flaw(struct ac_str s);

#endif
