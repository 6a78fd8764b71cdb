/* `core.sign`: the signer's stages as one pure Lua function. */
#ifndef AC_LUA_SIGN_H
#define AC_LUA_SIGN_H

#include "luax.h"

/* [-0, +0, m]  Registers what acL_sign() needs; once per state. */
void acL_sign_open(lua_State *L);

/* [-1, +1, v]  sign(request) -> table; raises on misuse. */
int acL_sign(lua_State *L);

#endif
