/* `core.sign` and `core.signed`: a table of options to a signed request, as a table or kept in C.
 */
#ifndef AC_LUA_SIGN_H
#define AC_LUA_SIGN_H

#include "luax.h"

/* [-0, +0, m]  Registers the class of signed requests. */
void acL_sign_open(lua_State *L);

/* [-1, +1, v]  sign(request) -> table. Raises on misuse: everything it needs is given. */
int acL_sign(lua_State *L);

/* [-1, +1, v]  signed(request) -> Signed: the same, with fields that are made when asked for. */
int acL_signed(lua_State *L);

#endif
