/* Secrets as userdata: bytes that Lua can pass on but not read; they are wiped on close. */
#ifndef AC_LUA_SECRET_H
#define AC_LUA_SECRET_H

#include "digest.h"
#include "luax.h"
#include "secret_pages.h"

/* [-0, +0, m]  Registers the class and the digest contexts of this state, and adds the functions
 * that make Secrets to the table on top. */
void acL_secret_open(lua_State *L);

/* [-0, +0, v]  The digest contexts of this Lua state; raises when the state is closing. */
struct ac_digest *acL_digest(lua_State *L);

/* [-0, +1, m]  Pushes `n` bytes as hex digits. Returns 1, for `return`. */
int acL_push_hex(lua_State *L, const unsigned char *bytes, size_t n);

/* [-0, +0, v]  The bytes of the string or Secret at `index`; {NULL, 0} if nil. They are borrowed
 * until the next Lua call: any allocation may run a finalizer, which may close the Secret. */
struct ac_str acL_secret_bytes(lua_State *L, int index, const char *what, const char *name);

/* [-0, +1, m]  Pushes a Secret with a copy of the bytes. */
void acL_secret_push(lua_State *L, struct ac_str bytes);

/* [-0, +1, m]  Pushes an empty Secret with room for `max` bytes, to be filled in place. */
struct ac_pages *acL_secret_room(lua_State *L, size_t max);

/* [-0, +1, m]  Pushes a Secret that takes over the pages. */
void acL_secret_give(lua_State *L, struct ac_pages *pages);

/* Takes the pages out of the Secret at `index`, which then is closed. False if it is no Secret. */
bool acL_secret_take(lua_State *L, int index, struct ac_pages *out);

/* Why the bytes cannot be a key, as a text for people ("is empty", …); or NULL. */
const char *acL_secret_flaw(struct ac_str s);

#endif
