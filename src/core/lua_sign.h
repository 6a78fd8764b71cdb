/* `core.sign`: a table of options to a signed request. `core.signer`: the same for many requests of
 * one kind, of which what they share is read once. */
#ifndef AC_LUA_SIGN_H
#define AC_LUA_SIGN_H

#include "luax.h"

/* [-1, +1, v]  sign(request) -> table. Raises on misuse: everything it needs is given. */
int acL_sign(lua_State *L);

/* [-1, +1, v]  signer(kind) -> function that signs requests of this kind */
int acL_signer(lua_State *L);

#endif
